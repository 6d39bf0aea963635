/* SPDX-License-Identifier: MIT */
/*
 * Where a 64-bit guest's kernel sees its RAM: the translation tables of TTBR1 (Arm ARM D8.3), found
 * in the core itself, so that a debugger with the kernel's symbols can follow its pointers and
 * stacks. The tables are a guest's: every address is looked up in the core, every loop is bounded.
 */
#include "arch/host/gcore.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS  4
#define BUDGET  (1u << 24) /* descriptors */
#define ADDRESS 0x0000fffffffff000ull
#define SCTLR_M 1u

struct walk {
    const struct gcore *g;
    u32 granule, levels, top; /* bits of an offset in a page, levels, bits of the first index */
    u64 base;                 /* of the upper half of the addresses */
    u64 table[LEVELS];
    u64 index[LEVELS];
    struct gcore_view *view;
    u32 count;
};

/* The region that has the whole range, or NULL. */
static const struct gcore_region *region_of(const struct gcore *g, u64 pa, u64 size)
{
    for (u32 i = 0; i < g->nregions; i++) {
        if (range_within(pa, size, g->region[i].base, g->region[i].size)) {
            return &g->region[i];
        }
    }
    return NULL;
}

static u64 load(const struct gcore *g, u64 pa)
{
    const struct gcore_region *r = region_of(g, pa, 8);
    u64 v = 0;

    if (r != NULL) {
        memcpy(&v, r->ram + (pa - r->base), 8);
    }
    return v;
}

static u32 shift(const struct walk *w, u32 level)
{
    return w->granule + (w->granule - 3) * (w->levels - 1 - level);
}

/* [pa, pa + size), which is RAM as a whole. */
static void add_view(struct walk *w, u64 va, u64 pa, u64 size)
{
    struct gcore_view *last = w->count > 0 ? &w->view[w->count - 1] : NULL;

    if (last != NULL && last->va + last->size == va && last->pa + last->size == pa &&
        region_of(w->g, last->pa, last->size + size) != NULL) {
        last->size += size;
    } else if (w->count < GCORE_VIEWS) {
        w->view[w->count++] = (struct gcore_view){va, pa, size};
    }
}

/* A block may be larger than what the VM has there. */
static void add_leaf(struct walk *w, u64 va, u64 pa, u64 size)
{
    for (u32 i = 0; i < w->g->nregions; i++) {
        const struct gcore_region *r = &w->g->region[i];
        u64 from = MAX(pa, r->base), to = MIN(pa + size, r->base + r->size);

        if (from < to) {
            add_view(w, va + (from - pa), from, to - from);
        }
    }
}

static u64 address(const struct walk *w, u32 level)
{
    u64 va = w->base;

    for (u32 i = 0; i <= level; i++) {
        va |= w->index[i] << shift(w, i);
    }
    return va;
}

static void walk_tables(struct walk *w)
{
    u32 level = 0;

    w->index[0] = 0;
    for (u32 i = 0; i < BUDGET; i++) {
        bool last = level == w->levels - 1;
        u32 bits = level == 0 ? w->top : w->granule - 3;
        u64 d, size = 1ull << shift(w, level);

        if (w->index[level] >> bits != 0) {
            if (level == 0) {
                return;
            }
            w->index[--level]++;
            continue;
        }
        d = load(w->g, w->table[level] + 8 * w->index[level]);
        if ((d & 3) == 3 && !last) {
            w->table[++level] = d & ADDRESS & ~((1ull << w->granule) - 1);
            w->index[level] = 0;
            continue;
        }
        if ((d & 3) == (last ? 3 : 1)) {
            add_leaf(w, address(w, level), d & ADDRESS & ~(size - 1), size);
        }
        w->index[level]++;
    }
}

/* TCR_EL1: T1SZ in [21:16], TG1 in [31:30] (D17.2.131); false: nothing that could be. */
static bool walk_setup(struct walk *w, const struct vcpu_regs *r)
{
    static const u32 granule[] = {0, 14, 12, 16};
    u32 bits = 64 - (u32)(r->tcr >> 16 & 63), per_level;

    w->granule = granule[r->tcr >> 30 & 3];
    if ((r->sctlr & SCTLR_M) == 0 || w->granule == 0 || bits < 25 || bits > 48) {
        return false;
    }
    per_level = w->granule - 3;
    w->levels = (bits - w->granule + per_level - 1) / per_level;
    w->top = bits - w->granule - per_level * (w->levels - 1);
    w->base = ~0ull << bits;
    w->table[0] = r->ttbr1 & 0x0000ffffffffffc0ull;
    return true;
}

u32 gcore_views(const struct gcore *g, struct gcore_view *view)
{
    struct walk w = {.g = g, .view = view};

    for (u32 i = 0; i < g->nvcpus && !g->is32 && w.count == 0; i++) {
        if (g->has_vcpu[i] && (g->vcpu[i].pstate & REGS_EL) != 0 && walk_setup(&w, &g->vcpu[i])) {
            walk_tables(&w);
        }
    }
    return w.count;
}

/* SPDX-License-Identifier: MIT */
/* Cores out of a console's log. A record whose lines aren't all there is left out. */
#include "arch/host/gcore.h"
#include "core/gcore_text.h"
#include "core/str.h"
#include "core/textline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { EXIT_NO_ROOM = 71 };

struct reader {
    bool open;
    struct gcore core;
    u32 seq; /* of the line that comes next */
    u8 kind; /* of the record */
    u32 want, have;
    u8 record[GCORE_RECORD];
    void (*found)(const struct gcore *g, void *ctx);
    void *ctx;
};

bool gcore_whole(const struct gcore *g)
{
    for (u32 i = 0; i < g->nvcpus; i++) {
        if (!g->has_vcpu[i]) {
            return false;
        }
    }
    return g->complete && g->pages == g->want && g->nregions == g->want_regions;
}

static void forget(struct gcore *g)
{
    for (u32 i = 0; i < g->nregions; i++) {
        munmap(g->region[i].ram, (size_t)g->region[i].size);
        free(g->region[i].present);
    }
    *g = (struct gcore){.want = UINT32_MAX};
}

static void close_core(struct reader *r)
{
    if (r->open) {
        r->found(&r->core, r->ctx);
    }
    r->open = false;
    forget(&r->core);
}

/* --- records ---------------------------------------------------------------------------------- */

static void take_name(struct gcore *g, const u8 *name, u32 len)
{
    u32 n = MIN(len, (u32)sizeof(g->name) - 1);

    for (u32 i = 0; i < n; i++) {
        bool good = name[i] > ' ' && name[i] < 0x7f && name[i] != '/';

        g->name[i] = good && (i > 0 || (name[i] != '.' && name[i] != '-')) ? (char)name[i] : '_';
    }
}

static void take_begin(struct reader *r)
{
    struct gcore *g = &r->core;

    close_core(r);
    if (r->have <= GCORE_HEAD) {
        return;
    }
    g->is32 = textline_get32(r->record) == 32;
    g->nvcpus = MIN(textline_get32(r->record + 4), (u32)VCPU_MAX);
    g->want_regions = textline_get32(r->record + 8);
    g->seconds = textline_get64(r->record + 12);
    take_name(g, r->record + GCORE_HEAD, r->have - GCORE_HEAD);
    r->open = true;
}

static void take_vcpu(struct reader *r)
{
    u32 id = textline_get32(r->record);

    if (r->have == 4 + sizeof(struct vcpu_regs) && id < r->core.nvcpus) {
        memcpy(&r->core.vcpu[id], r->record + 4, sizeof(struct vcpu_regs));
        r->core.has_vcpu[id] = true;
    }
}

static u64 ram_size(const struct gcore *g)
{
    u64 sum = 0;

    for (u32 i = 0; i < g->nregions; i++) {
        sum += g->region[i].size;
    }
    return sum;
}

/* Whole pages, none over another, nor around the end of the address space, and room for it here. */
static bool region_fits(const struct gcore *g, const struct gcore_region *n)
{
    if (((n->base | n->size) & (PAGE_SIZE - 1)) != 0 || n->size == 0 ||
        n->size > GCORE_RAM_MAX - ram_size(g) || n->base > UINT64_MAX - n->size ||
        (size_t)n->size != n->size) {
        return false;
    }
    for (u32 i = 0; i < g->nregions; i++) {
        if (range_overlap(n->base, n->size, g->region[i].base, g->region[i].size)) {
            return false;
        }
    }
    return g->nregions < GMEM_REGIONS;
}

static void take_region(struct reader *r)
{
    struct gcore *g = &r->core;
    struct gcore_region n = {textline_get64(r->record), textline_get64(r->record + 8),
                             textline_get64(r->record + 16), NULL, NULL};

    if (r->have != 24 || !region_fits(g, &n)) {
        return;
    }
    n.present = calloc((size_t)(n.size / PAGE_SIZE), 1);
    n.ram = mmap(NULL, (size_t)n.size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); /* costs what is written */
    if (n.ram == MAP_FAILED || n.present == NULL) {
        perror("muntin: no room for a core's RAM");
        exit(EXIT_NO_ROOM);
    }
    g->region[g->nregions++] = n;
}

static void take_page(struct reader *r)
{
    u64 at = textline_get64(r->record);
    u32 page[GCORE_WORDS];

    if (r->have <= 8 || !gcore_unpack(r->record + 8, r->have - 8, page)) {
        return;
    }
    for (u32 i = 0; i < r->core.nregions; i++) {
        struct gcore_region *n = &r->core.region[i];
        u64 off = at - n->base;

        if ((at & (PAGE_SIZE - 1)) == 0 && range_within(at, PAGE_SIZE, n->base, n->size) &&
            !n->present[off / PAGE_SIZE]) {
            memcpy(n->ram + off, page, PAGE_SIZE);
            n->present[off / PAGE_SIZE] = 1;
            r->core.pages++;
        }
    }
}

static void take_end(struct reader *r)
{
    if (r->have == 8) {
        r->core.want = textline_get32(r->record);
        r->core.complete = textline_get32(r->record + 4) == 1;
        close_core(r);
    }
}

static void take_record(struct reader *r)
{
    switch (r->kind) {
    case GCORE_BEGIN:
        take_begin(r);
        break;
    case GCORE_VCPU:
        take_vcpu(r);
        break;
    case GCORE_REGION:
        take_region(r);
        break;
    case GCORE_PAGE:
        take_page(r);
        break;
    case GCORE_END:
        take_end(r);
        break;
    default:
        break;
    }
}

/* --- lines ------------------------------------------------------------------------------------ */

static void take_piece(struct reader *r, const u8 *p, u32 len)
{
    if (len > r->want - r->have) {
        r->want = 0;
        return;
    }
    memcpy(r->record + r->have, p, len);
    r->have += len;
    if (r->have == r->want) {
        r->want = 0;
        take_record(r);
    }
}

/* A core's first line says 0; the console may show any line again. */
static void take_line(const struct textline *l, void *ctx)
{
    struct reader *r = ctx;

    if (l->kind == GCORE_BEGIN) {
        if (r->open && r->seq == l->seq + 1) {
            return;
        }
        r->seq = l->seq;
    } else if (!r->open || l->seq < r->seq) {
        return;
    }
    if (l->seq != r->seq) {
        r->want = 0;
    }
    r->seq = l->seq + 1;
    if (l->kind == GCORE_MORE) {
        if (r->want > 0) {
            take_piece(r, l->data, l->len);
        }
        return;
    }
    r->kind = l->kind;
    r->have = 0;
    r->want = l->len > GCORE_LENGTH ? textline_get32(l->data) : 0;
    if (r->want > sizeof(r->record)) {
        r->want = 0;
    } else if (r->want > 0) {
        memset(r->record, 0, sizeof(r->record));
        take_piece(r, l->data + GCORE_LENGTH, l->len - GCORE_LENGTH);
    }
}

u32 gcore_read(struct str log, void (*found)(const struct gcore *g, void *ctx), void *ctx)
{
    struct reader *r = calloc(1, sizeof(*r));
    u32 torn;

    if (r == NULL) {
        abort();
    }
    r->found = found;
    r->ctx = ctx;
    r->core.want = UINT32_MAX;
    torn = textline_each(GCORE_MARK, log, take_line, r);
    close_core(r);
    free(r);
    return torn;
}

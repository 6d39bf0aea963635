/* SPDX-License-Identifier: MIT */
/*
 * The front of an ELF core: header, program headers, notes. The notes are Linux's (elf_prstatus,
 * user_fpsimd_state, the VFP registers of ptrace), which gdb and crash know: vCPU n is thread n
 * + 1.
 */
#include "arch/host/gcore.h"

#include <stdlib.h>
#include <string.h>

enum { ET_CORE = 4, EM_ARM = 40, EM_AARCH64 = 183, PT_LOAD = 1, PT_NOTE = 4 };
enum { NT_PRSTATUS = 1, NT_FPREGSET = 2, NT_ARM_VFP = 0x400 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

/* struct elf_prstatus of Linux: its size, where the thread's number and the registers are. */
#define PRSTATUS64_SIZE 392u
#define PRSTATUS64_PID  32u
#define PRSTATUS64_REGS 112u
#define PRSTATUS32_SIZE 148u
#define PRSTATUS32_PID  24u
#define PRSTATUS32_REGS 72u
#define FPSIMD_SIZE     528u
#define VFP_SIZE        260u
#define NOTES_ROOM      (VCPU_MAX * 1024u)

struct file {
    u8 *p;
    size_t len;
};

/* A number of n bytes, at the end. */
static void put(struct file *f, u32 n, u64 v)
{
    for (u32 i = 0; i < n; i++) {
        f->p[f->len++] = (u8)(v >> (8 * i));
    }
}

static void put_at(u8 *p, u32 n, u64 v)
{
    struct file f = {p, 0};

    put(&f, n, v);
}

bool gcore_has(const struct gcore *g, const struct gcore_region *r)
{
    return !g->is32 || r->base + r->size <= 1ull << 32;
}

/* --- notes ------------------------------------------------------------------------------------ */

static void note(struct file *f, const char *owner, u32 type, const u8 *data, u32 len)
{
    u32 name = (u32)strlen(owner) + 1;

    put(f, 4, name);
    put(f, 4, len);
    put(f, 4, type);
    memcpy(f->p + f->len, owner, name);
    f->len += ALIGN_UP(name, 4u);
    memcpy(f->p + f->len, data, len);
    f->len += ALIGN_UP(len, 4u);
}

static void notes64(struct file *f, u32 id, const struct vcpu_regs *r)
{
    u8 status[PRSTATUS64_SIZE] = {0}, fp[FPSIMD_SIZE] = {0};
    struct file regs = {status, PRSTATUS64_REGS};

    put_at(status + PRSTATUS64_PID, 4, id + 1);
    for (u32 i = 0; i < ARRAY_SIZE(r->x); i++) {
        put(&regs, 8, r->x[i]);
    }
    put(&regs, 8, regs_sp(r));
    put(&regs, 8, r->pc);
    put(&regs, 8, r->pstate);
    note(f, "CORE", NT_PRSTATUS, status, sizeof(status));
    memcpy(fp, r->v, sizeof(r->v));
    put_at(fp + sizeof(r->v), 4, r->fpsr);
    put_at(fp + sizeof(r->v) + 4, 4, r->fpcr);
    note(f, "CORE", NT_FPREGSET, fp, sizeof(fp));
}

static void notes32(struct file *f, u32 id, const struct vcpu_regs *r)
{
    u8 status[PRSTATUS32_SIZE] = {0}, fp[VFP_SIZE] = {0};
    struct file regs = {status, PRSTATUS32_REGS};

    put_at(status + PRSTATUS32_PID, 4, id + 1);
    for (u32 i = 0; i < 15; i++) {
        put(&regs, 4, r->x[regs_index32(i, r->pstate)]);
    }
    put(&regs, 4, r->pc);
    put(&regs, 4, r->pstate);
    note(f, "CORE", NT_PRSTATUS, status, sizeof(status));
    memcpy(fp, r->v, VFP_SIZE - 4);
    put_at(fp + VFP_SIZE - 4, 4, r->fpsr);
    note(f, "LINUX", NT_ARM_VFP, fp, sizeof(fp));
}

/* --- headers ---------------------------------------------------------------------------------- */

struct segment {
    u32 type, flags;
    u64 offset, va, pa, size;
};

static void put_segment(struct file *f, bool is32, const struct segment *s)
{
    u32 word = is32 ? 4 : 8;

    put(f, 4, s->type);
    if (!is32) {
        put(f, 4, s->flags);
    }
    put(f, word, s->offset);
    put(f, word, s->va);
    put(f, word, s->pa);
    put(f, word, s->size);
    put(f, word, s->type == PT_LOAD ? s->size : 0);
    if (is32) {
        put(f, 4, s->flags);
    }
    put(f, word, s->type == PT_LOAD ? PAGE_SIZE : 4);
}

static void put_header(struct file *f, bool is32, u32 segments)
{
    u32 word = is32 ? 4 : 8, header = is32 ? 52 : 64;

    memcpy(f->p, "\177ELF", 4);
    f->p[4] = is32 ? 1 : 2; /* class */
    f->p[5] = 1;            /* little-endian */
    f->p[6] = 1;            /* version */
    f->len = 16;
    put(f, 2, ET_CORE);
    put(f, 2, is32 ? EM_ARM : EM_AARCH64);
    put(f, 4, 1);
    put(f, word, 0);
    put(f, word, header);
    put(f, word, 0);
    put(f, 4, is32 ? 0x05000000 : 0); /* the version of Arm's ABI */
    put(f, 2, header);
    put(f, 2, is32 ? 32 : 56);
    put(f, 2, segments);
    put(f, 2, 0);
    put(f, 2, 0);
    put(f, 2, 0);
}

/* Where a guest-physical address is in the file, whose memory begins at `start`. */
static u64 offset_of(const struct gcore *g, u64 start, u64 pa)
{
    for (u32 i = 0; i < g->nregions; i++) {
        const struct gcore_region *r = &g->region[i];

        if (gcore_has(g, r)) {
            if (range_within(pa, 1, r->base, r->size)) {
                return start + (pa - r->base);
            }
            start += r->size;
        }
    }
    return start;
}

static void put_load(struct file *f, const struct gcore *g, u64 start, const struct gcore_view *v)
{
    struct segment s = {.type = PT_LOAD,
                        .flags = PF_R | PF_W | PF_X,
                        .offset = offset_of(g, start, v->pa),
                        .va = v->va,
                        .pa = v->pa,
                        .size = v->size};

    put_segment(f, g->is32, &s);
}

static void put_notes(struct file *f, const struct gcore *g)
{
    for (u32 i = 0; i < g->nvcpus; i++) {
        if (g->has_vcpu[i] && g->is32) {
            notes32(f, i, &g->vcpu[i]);
        } else if (g->has_vcpu[i]) {
            notes64(f, i, &g->vcpu[i]);
        }
    }
}

u8 *gcore_elf(const struct gcore *g, size_t *size)
{
    struct gcore_view *view = calloc(GCORE_VIEWS, sizeof(*view));
    u32 views = view != NULL ? gcore_views(g, view) : 0, segments = 1 + views;
    struct segment note = {.type = PT_NOTE};
    struct file f = {NULL, 0}, notes;

    for (u32 i = 0; i < g->nregions; i++) {
        segments += gcore_has(g, &g->region[i]);
    }
    note.offset = 64 + 56 * (u64)segments; /* enough for ELF32, too */
    f.p = calloc(1, (size_t)note.offset + NOTES_ROOM + PAGE_SIZE);
    if (f.p == NULL || view == NULL) {
        abort();
    }
    notes = (struct file){f.p, (size_t)note.offset};
    put_notes(&notes, g);
    note.size = notes.len - note.offset;
    *size = ALIGN_UP(notes.len, (size_t)PAGE_SIZE);

    put_header(&f, g->is32, segments);
    put_segment(&f, g->is32, &note);
    for (u32 i = 0; i < g->nregions; i++) {
        const struct gcore_region *r = &g->region[i];

        if (gcore_has(g, r)) {
            put_load(&f, g, *size, &(struct gcore_view){r->base, r->base, r->size});
        }
    }
    for (u32 i = 0; i < views; i++) {
        put_load(&f, g, *size, &view[i]);
    }
    free(view);
    return f.p;
}

/* SPDX-License-Identifier: MIT */
/*
 * Kinds of images, the pieces that they consist of, and copying these into guest memory step by
 * step. Where they go was decided by image_plan.c. No lock: the VM isn't running.
 */
#include "core/image.h"

#include "core/image_piece.h"

#include <string.h>

#define LINUX_HEADER 64 /* bytes; the magic is at 56 */

enum image_kind image_kind(const struct cfg_load *l)
{
    const struct bundle_file *f = &l->file;

    if (l->type == LOAD_FDT) {
        return KIND_TREE;
    }
    if (l->type == LOAD_DATA || l->type == LOAD_INITRD) {
        return KIND_RAW;
    }
    if (f->size >= LINUX_HEADER && memcmp(f->data + 56, "ARM\x64", 4) == 0) {
        return KIND_LINUX;
    }
    if (f->size >= LINUX_HEADER && memcmp(f->data + 0x24, "\x18\x28\x6f\x01", 4) == 0) {
        return KIND_ZIMAGE;
    }
    return f->size >= 4 && memcmp(f->data, "\177ELF", 4) == 0 ? KIND_ELF : KIND_RAW;
}

static bool elf_piece(const struct cfg_load *l, u64 addr, u32 *k, struct image_piece *p)
{
    const char *why;
    struct elf e;
    struct elf_segment s;
    u64 lowest, bytes;

    if (!elf_open(&e, l->file.data, l->file.size, &why)) {
        return false;
    }
    elf_extent(&e, &lowest, &bytes);
    for (; *k < e.phnum; (*k)++) {
        if (elf_segment(&e, *k, &s)) {
            *p = (struct image_piece){.base = s.paddr - lowest + addr,
                                      .size = s.mem_size,
                                      .data = e.data + s.offset,
                                      .data_size = s.file_size};
            return true;
        }
    }
    return false;
}

bool image_piece(const struct cfg_load *l, u64 addr, u32 *k, struct image_piece *p)
{
    switch (image_kind(l)) {
    case KIND_TREE:
        return false;
    case KIND_ELF:
        return elf_piece(l, addr, k, p);
    default:
        *p = (struct image_piece){addr, l->file.size, l->file.data, l->file.size};
        return *k == 0;
    }
}

bool image_load_step(const struct vm_config *vm, const struct image_plan *plan, struct gmem *mem,
                     struct image_cursor *c, u64 budget)
{
    while (c->load < vm->nloads) {
        struct image_piece p;
        guest_t *dst;
        u64 n;

        if (!image_piece(&vm->load[c->load], plan->addr[c->load], &c->segment, &p)) {
            *c = (struct image_cursor){.load = c->load + 1};
            continue;
        }
        if (budget == 0) {
            return false;
        }
        n = MIN(budget, p.data_size - c->offset);
        /* Asked for as if to read: ROM is written here, and only here. */
        dst = gmem_span(mem, gpa(p.base + c->offset), n, false);
        if (dst != NULL) {
            gmem_write(dst, p.data + c->offset, (size_t)n);
        }
        budget -= n;
        c->offset += n;
        if (c->offset == p.data_size) {
            c->segment++;
            c->offset = 0;
        }
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * The guest's tree: generated, then joined with the trees of the config's `fdt load` lines: a plain
 * one becomes the base that generated nodes are merged into, overlays are applied to the result in
 * the config's order. While that happens the tree grows from the buffer's start, and the one that
 * is being added is at its end. Boot and VM start, one CPU: no lock.
 */
#include "fdt/guest.h"

#include "core/log.h"
#include "fdt/gen.h"
#include "fdt/user.h"

#include <libfdt.h>

struct build {
    struct gen_input in;
    u8 *tree; /* start of the buffer: the tree so far, `used` bytes, packed */
    u32 used;
    u8 *other; /* end of the buffer: the one that is being added */
    u32 size;
    struct diag *diag;
    const struct cfg_load *base; /* the plain tree, if there's one */
};

static bool is_user_tree(const struct cfg_load *load)
{
    return load->type == LOAD_FDT && load->path.len > 0;
}

/* Points `other` to the last `bytes` of the buffer; false if the tree so far is in the way. */
static bool take_end(struct build *b, u32 bytes)
{
    u32 room = ALIGN_DOWN(b->size, 8u), need = ALIGN_UP(bytes, 8u);

    if (need > room || room - need < b->used) {
        return false;
    }
    b->other = b->tree + room - need;
    return true;
}

static bool no_room(const struct build *b, const struct user *u)
{
    user_error(u, "no room for it in the %u bytes for the guest's tree", b->size);
    return false;
}

/* Copies load u's tree to `other` and checks it. */
static bool take(struct build *b, const struct user *u)
{
    u32 size = user_size(&u->load->file);

    if (!take_end(b, size)) {
        return no_room(b, u);
    }
    return user_take(u, b->other) != 0;
}

/* Lets the tree grow up to `other`. */
static bool unfold(struct build *b, const void *from)
{
    return fdt_open_into(from, b->tree, (int)(b->other - b->tree)) == 0;
}

static bool fold(struct build *b)
{
    if (fdt_pack(b->tree) != 0) {
        return false;
    }
    b->used = fdt_totalsize(b->tree);
    return true;
}

/* A first look at all loads: finds the plain one, if overlays need symbols, and most errors. */
static bool look(struct build *b)
{
    const struct vm_config *vm = b->in.vm;

    for (u32 i = 0; i < vm->nloads; i++) {
        struct user u = {.load = &vm->load[i], .diag = b->diag};

        if (!is_user_tree(u.load)) {
            continue;
        }
        if (!take(b, &u)) {
            return false;
        }
        if (user_is_overlay(b->other)) {
            b->in.symbols = true;
        } else if (b->base == NULL) {
            b->base = u.load;
        } else {
            user_error(&u, "a second tree that is no overlay; make it one (/plugin/ in its "
                           "source, dtc -@)");
            return false;
        }
    }
    return true;
}

/* The tree is unfolded from the buffer's end; the generated one takes that place afterwards. */
static bool build_plain(struct build *b)
{
    struct user u = {.load = b->base, .diag = b->diag};
    u32 bound = gen_bound(b->in.vm);

    b->in.user_tree = true;
    if (!take(b, &u)) {
        return false;
    }
    if (!unfold(b, b->other)) {
        return no_room(b, &u);
    }
    if (!user_strip(&u, b->tree, &b->in)) {
        return false;
    }
    if (!fold(b) || !take_end(b, bound) || gen_build(&b->in, b->other, bound) == 0 ||
        !unfold(b, b->tree)) {
        return no_room(b, &u);
    }
    return user_merge(&u, b->tree, b->other) && fold(b);
}

static bool build_generated(struct build *b)
{
    b->used = gen_build(&b->in, b->tree, b->size);
    if (b->used == 0) {
        diag_error(b->diag, b->in.vm->place, "the device tree of '%.*s' doesn't fit in %u bytes",
                   STR_ARG(b->in.vm->name), b->size);
    }
    return b->used != 0;
}

/* Where a vdev is, and its interrupt, are the config's business. */
static bool pin_vdev(struct build *b, const struct user *u, const struct vdev_conf *conf)
{
    u8 reg[GEN_REG], interrupts[GEN_REG];
    struct tree_value value = {reg, gen_vdev_reg(&b->in, conf, reg)};
    char path[GEN_PATH];
    int node;

    gen_vdev_path(conf, path);
    node = fdt_path_offset(b->tree, path);
    if (node < 0) {
        return true;
    }
    if (user_force(u, b->tree, node, "reg", &value) != 0) {
        return false;
    }
    value = (struct tree_value){interrupts, gen_vdev_interrupts(conf, interrupts)};
    return value.len == 0 || user_force(u, b->tree, node, "interrupts", &value) == 0;
}

static bool apply(struct build *b, const struct user *u)
{
    const struct vm_config *vm = b->in.vm;
    bool good = true;

    if (!take(b, u)) {
        return false;
    }
    if (!user_is_overlay(b->other)) {
        return true; /* the base */
    }
    if (!unfold(b, b->tree) || !user_apply(u, b->tree, b->other)) {
        return false;
    }
    for (u32 i = 0; i < vm->nvdevs && good; i++) {
        good = pin_vdev(b, u, &vm->vdev[i]);
    }
    return good ? fold(b) : no_room(b, u);
}

static bool apply_all(struct build *b)
{
    const struct vm_config *vm = b->in.vm;

    for (u32 i = 0; i < vm->nloads && b->in.symbols; i++) {
        struct user u = {.load = &vm->load[i], .diag = b->diag};

        if (is_user_tree(u.load) && !apply(b, &u)) {
            return false;
        }
    }
    return true;
}

u32 fdt_guest_build(const struct vm_config *vm, const struct image_plan *plan,
                    const struct board *board, const u8 *seed, u32 seed_len, void *buf, u32 size,
                    struct diag *diag)
{
    struct build b = {
        .in = {.vm = vm,
               .plan = plan,
               .board = board,
               .seed = seed,
               .seed_len = seed_len,
               .address_cells = 2,
               .size_cells = 2,
               .gic_phandle = 1,
               .clock_phandle = 2,
               .free_phandle = 3},
        .tree = buf,
        .size = size,
        .diag = diag,
    };

    if (!look(&b)) {
        return 0;
    }
    if (!(b.base != NULL ? build_plain(&b) : build_generated(&b)) || !apply_all(&b)) {
        return 0;
    }
    return b.used;
}

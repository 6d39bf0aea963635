/* SPDX-License-Identifier: MIT */
/*
 * Checks of one VM's config by itself, after it was parsed: memory, devices, interrupts, names,
 * files and images. Fills in what was left open (core/place.c). Knows no device: what is particular
 * to one is in its type's check().
 */
#include "core/check.h"

#include "core/check_pass.h"
#include "core/log.h"
#include "core/place.h"
#include "core/str.h"

#define LL(x) ((unsigned long long)(x))

static bool check_range(struct diag *d, const struct area *a, const char *what)
{
    if (a->kind != AREA_PASS && (a->base % PAGE_SIZE != 0 || a->size % PAGE_SIZE != 0)) {
        diag_error(d, a->place, "%s at 0x%llx, 0x%llx bytes: both must be multiples of 4 KiB", what,
                   LL(a->base), LL(a->size));
        return false;
    }
    if (a->base >= CFG_IPA_LIMIT || a->size > CFG_IPA_LIMIT - a->base) {
        diag_error(d, a->place, "%s at 0x%llx, 0x%llx bytes: guest addresses end at 0x%llx", what,
                   LL(a->base), LL(a->size), LL(CFG_IPA_LIMIT));
        return false;
    }
    return true;
}

static const char *area_name(const struct area *a, char *buf, size_t size)
{
    static const char *const name[] = {[AREA_RAM] = "ram",
                                       [AREA_ROM] = "rom",
                                       [AREA_RESERVE] = "reserve",
                                       [AREA_GIC] = "interrupt controller",
                                       [AREA_VDEV] = "vdev ",
                                       [AREA_PASS] = "pass",
                                       [AREA_PCI] = "the PCIe bridge"};

    fmt_print(buf, size, "%s%s", name[a->kind], a->kind == AREA_VDEV ? a->what : "");
    return buf;
}

/* The later of the two is at fault. */
static void complain_overlap(struct diag *d, const struct area *a, const struct area *b)
{
    char na[64], nb[64], line[32] = "";

    if (b->place.line == 0 || (a->place.file == b->place.file && a->place.line > b->place.line)) {
        const struct area *swap = a;

        a = b;
        b = swap;
    }
    if (a->place.line != 0) {
        fmt_print(line, sizeof(line), " of line %u", a->place.line);
    }
    diag_error(d, b->place, "%s at 0x%llx..0x%llx overlaps %s at 0x%llx..0x%llx%s",
               area_name(b, nb, sizeof(nb)), LL(b->base), LL(b->base + b->size - 1),
               area_name(a, na, sizeof(na)), LL(a->base), LL(a->base + a->size - 1), line);
}

/* Ranges and overlaps of everything that has a guest-physical place. */
static bool check_areas(struct vm_config *vm, struct diag *d)
{
    struct area_map map;
    char name[64];
    bool ok = true;

    place_map(vm, &map);
    for (u32 i = 0; i < map.count; i++) {
        struct area *a = &map.area[i];

        if (a->size == 0) {
            diag_error(d, a->place, "%s of length 0", area_name(a, name, sizeof(name)));
            ok = false;
        } else if (!check_range(d, a, area_name(a, name, sizeof(name)))) {
            a->size = 0; /* takes no part in overlaps */
            ok = false;
        }
    }
    for (u32 i = 0; i < map.count; i++) {
        for (u32 j = i + 1; j < map.count; j++) {
            const struct area *a = &map.area[i], *b = &map.area[j];

            if (range_overlap(a->base, a->size, b->base, b->size)) {
                complain_overlap(d, a, b);
                ok = false;
            }
        }
    }
    return ok;
}

static void check_gic(struct vm_config *vm, u32 board_version, struct diag *d)
{
    if (vm->gic_version != 0 && board_version != 0 && vm->gic_version != board_version) {
        diag_error(d, vm->gic_place, "this board has a GICv%u, and so have its VMs", board_version);
    }
    place_gic(vm, board_version != 0 ? board_version : vm->gic_version);
}

static void check_intid(const struct vm_config *vm, const struct vdev_conf *c, struct diag *d)
{
    if (c->intid < SPI_FIRST || c->intid > SPI_LAST) {
        char hint[48] = "";

        if (c->intid < SPI_FIRST) { /* as many write who take the number from a device tree */
            fmt_print(hint, sizeof(hint), "; SPI %u is gic:%u", c->intid, c->intid + SPI_FIRST);
        }
        diag_error(d, c->intr_place,
                   "gic:%u is %s: a device needs gic:%u..gic:%u, which are SPIs%s", c->intid,
                   c->intid < 16          ? "an SGI"
                   : c->intid < SPI_FIRST ? "a PPI"
                                          : "beyond the virtual GIC",
                   SPI_FIRST, SPI_LAST, hint);
    }
    for (u32 i = 0; i < vm->nreserves; i++) {
        if (vm->reserve[i].size == 0 && vm->reserve[i].intid == c->intid) {
            diag_error(d, c->intr_place, "gic:%u is reserved by line %u", c->intid,
                       vm->reserve[i].place.line);
        }
    }
}

static void check_vdev_pair(const struct vm_config *vm, const struct vdev_conf *a,
                            const struct vdev_conf *b, struct diag *d)
{
    bool one_name = a->name.len > 0 && str_same(a->name, b->name);
    u8 ma[6], mb[6];

    if (one_name) {
        diag_error(d, b->place, "the device of line %u has the name '%.*s', too", a->place.line,
                   STR_ARG(b->name));
    }
    if (a->intid == b->intid && a->intid != 0) {
        diag_error(d, b->has_intr ? b->intr_place : b->place,
                   "gic:%u is the interrupt of the %s of line %u, too", b->intid, a->type->name,
                   a->place.line);
    }
    /* From one name comes one address: that was told. */
    if (!one_name && config_nic_mac(vm, a, ma) && config_nic_mac(vm, b, mb) &&
        memcmp(ma, mb, 6) == 0) {
        diag_error(d, b->place,
                   "MAC %02x:%02x:%02x:%02x:%02x:%02x is that of the %s of line %u, too", mb[0],
                   mb[1], mb[2], mb[3], mb[4], mb[5], a->type->name, a->place.line);
    }
}

static void check_vdevs(struct vm_config *vm, struct diag *d)
{
    for (u32 i = 0; i < vm->nvdevs; i++) {
        struct vdev_conf *c = &vm->vdev[i];
        u32 before = d->errors;

        if (c->has_intr) {
            check_intid(vm, c, d);
        }
        for (u32 j = 0; j < i; j++) {
            check_vdev_pair(vm, &vm->vdev[j], c, d);
        }
        if (c->type->check != NULL && !c->type->check(vm, c, d) && d->errors == before) {
            diag_error(d, c->place, "this %s can't work as configured", c->type->name);
        }
    }
}

static void check_cpus(const struct vm_config *vm, u32 npcpus, struct diag *d)
{
    u32 all = npcpus == 0 || npcpus >= 32 ? UINT32_MAX : BIT(npcpus) - 1;

    for (u32 i = 0; i < vm->ncpus; i++) {
        const struct cfg_cpu *c = &vm->cpu[i];

        if (c->runmask == 0 || (c->runmask & ~all) == 0) {
            continue;
        }
        if ((c->runmask & all) == 0) {
            diag_error(d, c->place, "runmask names no CPU of this board, which has 0..%u",
                       npcpus - 1);
        } else {
            diag_warn(d, c->place, "runmask names CPUs that this board, with 0..%u, doesn't have",
                      npcpus - 1);
        }
    }
}

bool config_file(struct vm_config *vm, u32 n, struct file_ref *f)
{
    for (u32 i = 0; i < vm->nloads; i++) {
        struct cfg_load *l = &vm->load[i];

        if (l->path.len > 0 && n-- == 0) { /* `fdt load ADDRESS` has none */
            *f = (struct file_ref){l->path, l->place, &l->file};
            return true;
        }
    }
    for (u32 i = 0; i < vm->nvdevs; i++) {
        const struct vdev_conf *c = &vm->vdev[i];

        for (const struct opt *o = c->type->opts; o != NULL && o->name != NULL; o++) {
            struct opt_file *of = (struct opt_file *)((char *)c->opts + o->offset);

            if (o->type == OPT_FILE && of->path.len > 0 && n-- == 0) {
                *f = (struct file_ref){of->path, of->place, &of->file};
                return true;
            }
        }
    }
    return false;
}

static bool check_files(struct vm_config *vm, const struct bundle *b, struct diag *d)
{
    struct file_ref f;
    bool ok = true;

    for (u32 i = 0; config_file(vm, i, &f); i++) {
        if (!bundle_find(b, f.path, f.file)) {
            diag_error(d, f.place, "file '%.*s' not found%s", STR_ARG(f.path),
                       str_starts(f.path, "/dev/")
                           ? ": a disk is a file of the bundle, or `ramdisk SIZE`"
                           : "");
            ok = false;
        } else if (f.file->size == 0) {
            diag_error(d, f.place, "file '%.*s' is empty", STR_ARG(f.path));
            ok = false;
        }
    }
    return ok;
}

/* A guest can't fill its ROM itself. */
static void check_roms(const struct vm_config *vm, const struct image_plan *plan, struct diag *d)
{
    for (u32 i = 0; i < vm->nmems; i++) {
        const struct cfg_mem *m = &vm->mem[i];
        bool filled = m->kind == MEM_RAM;

        for (u32 k = 0; k < vm->nloads; k++) {
            filled |= vm->load[k].type != LOAD_FDT &&
                      range_overlap(plan->addr[k], plan->mem_size[k], m->base, m->size);
        }
        if (!filled) {
            diag_note(d, m->place, "nothing is loaded into this rom: the guest reads zeros");
        }
    }
}

/* Of initrds and of addresses for the tree only the last one counts. */
static void check_repeated(const struct vm_config *vm, struct diag *d)
{
    const struct cfg_load *initrd = NULL, *tree = NULL;

    for (u32 i = 0; i < vm->nloads; i++) {
        const struct cfg_load *l = &vm->load[i];

        if (l->type == LOAD_INITRD && initrd != NULL) {
            diag_warn(d, l->place, "the guest is told of this initrd only, not that of line %u",
                      initrd->place.line);
        }
        if (l->type == LOAD_FDT && l->has_addr && tree != NULL) {
            diag_warn(d, l->place, "the device tree goes here, not where line %u says",
                      tree->place.line);
        }
        initrd = l->type == LOAD_INITRD ? l : initrd;
        tree = l->type == LOAD_FDT && l->has_addr ? l : tree;
    }
}

static void check_images(struct vm_config *vm, struct diag *d)
{
    struct image_plan plan;

    if (image_plan(vm, &plan, d)) {
        check_roms(vm, &plan, d);
        check_repeated(vm, d);
    }
}

/* With errors in its text, "no RAM" or "nothing to start" may be just their consequence. */
static bool can_plan(const struct vm_config *vm, u32 parse_errors)
{
    bool ram = parse_errors == 0, kernel = ram || vm->has_entry;

    for (u32 i = 0; i < vm->nmems; i++) {
        ram |= vm->mem[i].kind == MEM_RAM;
    }
    for (u32 i = 0; i < vm->nloads; i++) {
        kernel |= vm->load[i].type == LOAD_AUTO || vm->load[i].type == LOAD_GUEST;
    }
    return ram && kernel && !vm->unsure;
}

void check_vm(struct vm_config *vm, const struct bundle *b, u32 gic_version, u32 npcpus,
              struct diag *diag)
{
    u32 before = diag->errors, parse_errors = vm->errors;
    bool files, areas;

    check_gic(vm, gic_version, diag);
    place_mems(vm);
    place_vdevs(vm, diag);
    areas = check_areas(vm, diag);
    files = check_files(vm, b, diag); /* devices look at theirs */
    check_vdevs(vm, diag);
    check_pass(vm, diag);
    check_cpus(vm, npcpus, diag);
    vm->errors += diag->errors - before;
    if (files && areas && can_plan(vm, parse_errors)) {
        check_images(vm, diag);
    }
}

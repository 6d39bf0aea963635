/* SPDX-License-Identifier: MIT */
/*
 * Places for what a config leaves open, in the layout of QEMU's virt board: RAM from 1 GiB, the GIC
 * at 128 MiB, PL011 at 144 MiB, virtio from 160 MiB with a page each, SPIs from INTID 48. What the
 * config fixes is never moved, and nothing is put where it would collide.
 */
#include "core/place.h"

#include "core/pci.h"

#define RAM_BASE    0x40000000ull
#define GIC_BASE    0x08000000ull
#define GICC_OFFSET 0x10000u
#define GICR_OFFSET 0xa0000u
#define VDEV_BASE   0x0a000000ull
#define VDEV_END    0x0c000000ull
#define SPI_AUTO    48u

/* Where virt has the memory of PCI devices; what doesn't fit there goes above the RAM. */
#define WINDOW_BASE  0x10000000ull
#define WINDOW_ALIGN (2 * (u64)MIB)

void place_mems(struct vm_config *vm)
{
    u64 top = RAM_BASE;

    for (u32 i = 0; i < vm->nmems; i++) {
        struct cfg_mem *m = &vm->mem[i];

        if (!m->has_base) {
            m->base = top;
        }
        if (m->base < CFG_IPA_LIMIT && m->size < CFG_IPA_LIMIT) {
            top = MAX(top, m->base + m->size);
        }
    }
}

void place_gic(struct vm_config *vm, u32 board_version)
{
    u64 base = vm->gic_has_loc ? vm->gicd : GIC_BASE;

    vm->gic_version = board_version;
    vm->gicd = base;
    vm->gicc = base + GICC_OFFSET;
    vm->gicr = base + GICR_OFFSET;
}

static void add(struct area_map *map, struct area a)
{
    if (map->count < PLACE_AREAS) {
        map->area[map->count++] = a;
    }
}

static void map_gic(const struct vm_config *vm, struct area_map *map)
{
    struct place p = vm->gic_has_loc ? vm->gic_place : (struct place){0};

    add(map, (struct area){AREA_GIC, vm->gicd, GICD_SIZE, p, NULL});
    if (vm->gic_version == 2) {
        add(map, (struct area){AREA_GIC, vm->gicc, GICC_SIZE, p, NULL});
    } else {
        add(map, (struct area){AREA_GIC, vm->gicr, (u64)GICR_SIZE * vm->ncpus, p, NULL});
    }
}

/* What comes with the first PCIe function. */
static void map_pci(const struct vm_config *vm, struct area_map *map)
{
    const struct cfg_pass *p = &vm->pass;

    if (p->npci > 0) {
        struct place at = p->pci[0].place;

        add(map, (struct area){AREA_PCI, PCI_ECAM, PCI_ECAM_SIZE, at, NULL});
        add(map, (struct area){AREA_PCI, PCI_MEM, PCI_MEM_SIZE, at, NULL});
        add(map, (struct area){AREA_PCI, vm->gicd + PCI_FRAME, PAGE_SIZE, at, NULL});
    }
}

void place_map(const struct vm_config *vm, struct area_map *map)
{
    map->count = 0;
    for (u32 i = 0; i < vm->nmems; i++) {
        const struct cfg_mem *m = &vm->mem[i];

        add(map, (struct area){m->kind == MEM_RAM ? AREA_RAM : AREA_ROM, m->base, m->size, m->place,
                               NULL});
    }
    for (u32 i = 0; i < vm->nreserves; i++) {
        if (vm->reserve[i].size > 0) {
            add(map, (struct area){AREA_RESERVE, vm->reserve[i].base, vm->reserve[i].size,
                                   vm->reserve[i].place, NULL});
        }
    }
    map_gic(vm, map);
    for (u32 i = 0; i < vm->pass.nwindows; i++) {
        const struct cfg_window *w = &vm->pass.window[i];

        add(map, (struct area){AREA_PASS, w->base, w->size, w->place, NULL});
    }
    map_pci(vm, map);
    for (u32 i = 0; i < vm->nvdevs; i++) {
        const struct vdev_conf *c = &vm->vdev[i];

        if (c->loc != 0 || c->has_loc) {
            add(map, (struct area){AREA_VDEV, c->loc, c->type->mmio_size,
                                   c->has_loc ? c->loc_place : c->place, c->type->name});
        }
        if (c->window != 0) {
            add(map, (struct area){AREA_VDEV, c->window, c->window_size, c->place, c->type->name});
        }
    }
}

static bool is_free(const struct area_map *map, u64 base, u64 size)
{
    for (u32 i = 0; i < map->count; i++) {
        if (range_overlap(base, size, map->area[i].base, map->area[i].size)) {
            return false;
        }
    }
    return true;
}

static bool intid_free(const struct vm_config *vm, u32 intid)
{
    if (vm->pass.npci > 0 && intid - PCI_INTID < PCI_INTIDS) {
        return false;
    }
    for (u32 i = 0; i < vm->nvdevs; i++) {
        if (vm->vdev[i].intid == intid) {
            return false;
        }
    }
    for (u32 i = 0; i < vm->nreserves; i++) {
        if (vm->reserve[i].size == 0 && vm->reserve[i].intid == intid) {
            return false;
        }
    }
    for (u32 i = 0; i < vm->pass.nirqs; i++) {
        if (vm->pass.irq[i].intid == intid) {
            return false;
        }
    }
    return true;
}

static bool place_loc(const struct vm_config *vm, struct vdev_conf *c)
{
    struct area_map map;
    u64 size = c->type->mmio_size, at = c->type->default_loc;

    place_map(vm, &map);
    if (at == 0 || !is_free(&map, at, size)) {
        at = VDEV_BASE;
        while (at + size <= VDEV_END && !is_free(&map, at, size)) {
            at += PAGE_SIZE;
        }
    }
    c->loc = at;
    return at + size <= VDEV_END;
}

static bool place_intid(const struct vm_config *vm, struct vdev_conf *c)
{
    u32 id = c->type->default_intid;

    if (id == 0 || !intid_free(vm, id)) {
        id = SPI_AUTO;
        while (id <= SPI_LAST && !intid_free(vm, id)) {
            id++;
        }
    }
    c->intid = id;
    return id <= SPI_LAST;
}

void place_vdevs(struct vm_config *vm, struct diag *diag)
{
    for (u32 i = 0; i < vm->nvdevs; i++) {
        struct vdev_conf *c = &vm->vdev[i];

        if (!c->has_loc && !place_loc(vm, c)) {
            diag_error(diag, c->place, "no free address for this %s: give it a loc", c->type->name);
            c->loc = 0;
        }
        if (!c->has_intr && !place_intid(vm, c)) {
            diag_error(diag, c->place, "no free interrupt for this %s: give it an intr",
                       c->type->name);
            c->intid = 0;
        }
    }
}

/* The first place from `at` on that is free; beyond CFG_IPA_LIMIT if there's none. */
static u64 find_free(const struct area_map *map, u64 at, u64 size)
{
    for (u32 i = 0; i < map->count; i++) {
        const struct area *a = &map->area[i];

        if (at < CFG_IPA_LIMIT && range_overlap(at, size, a->base, a->size)) {
            at = ALIGN_UP(a->base + a->size, WINDOW_ALIGN);
            i = UINT32_MAX; /* once more from the first; each is passed once at most */
        }
    }
    return at;
}

void place_windows(struct vm_config *vm, struct diag *diag)
{
    for (u32 i = 0; i < vm->nvdevs && vm->errors == 0; i++) {
        struct vdev_conf *c = &vm->vdev[i];
        struct area_map map;

        if (c->window_size == 0) {
            continue;
        }
        place_map(vm, &map);
        c->window = find_free(&map, WINDOW_BASE, c->window_size);
        if (!range_within(c->window, c->window_size, 0, CFG_IPA_LIMIT)) {
            diag_error(diag, c->place, "no free addresses for the 0x%llx bytes of this %s",
                       (unsigned long long)c->window_size, c->type->name);
            c->window = 0;
            vm->errors++;
        }
    }
}

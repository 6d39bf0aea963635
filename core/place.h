/* SPDX-License-Identifier: MIT */
/* The guest-physical address map of a VM's config. Private to core/check*.c and core/place.c. */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include "core/check.h"

#define PLACE_AREAS (CFG_MEMS + CFG_RESERVES + 2 * CFG_VDEVS + CFG_WINDOWS + 5)

enum area_kind { AREA_RAM, AREA_ROM, AREA_RESERVE, AREA_GIC, AREA_VDEV, AREA_PASS, AREA_PCI };

struct area {
    enum area_kind kind;
    u64 base, size;
    struct place place; /* line 0: Muntin put it there */
    const char *what;   /* vdev: its type */
};

struct area_map {
    struct area area[PLACE_AREAS];
    u32 count;
};

/* Fills in what has no place: ram and rom, the GIC, devices' windows and interrupts. */
void place_mems(struct vm_config *vm);
void place_gic(struct vm_config *vm, u32 board_version);
void place_vdevs(struct vm_config *vm, struct diag *diag);

/* The devices' windows beside their registers, which check_all of the types asked for. */
void place_windows(struct vm_config *vm, struct diag *diag);

/* All that has a place. Devices only up to `vdevs`. */
void place_map(const struct vm_config *vm, struct area_map *map);

#endif

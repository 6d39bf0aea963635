/* SPDX-License-Identifier: MIT */
/*
 * Copies a VM's images into its RAM, as image_plan (core/check.h) decided, in bounded steps.
 */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "core/check.h"
#include "core/gmem.h"

struct image_cursor {
    u32 load;    /* index of the load in progress */
    u32 segment; /* ELF: program header in progress */
    u64 offset;  /* bytes done of it */
};

/*
 * Copies at most `budget` bytes; start with a zeroed cursor. Returns true when all is copied. RAM
 * is zero before, so .bss needs nothing. The plan was made for this very config: nothing can fail.
 */
bool image_load_step(const struct vm_config *vm, const struct image_plan *plan, struct gmem *mem,
                     struct image_cursor *c, u64 budget);

#endif

/* SPDX-License-Identifier: MIT */
/* See io.h. */
#include "arch/arm-common/io.h"

#include "sysreg.h"

#define PATIENCE 1000000 /* reads: milliseconds at least */

bool io_wait32(uintptr_t a, u32 mask, u32 value)
{
    for (u32 i = 0; i < PATIENCE; i++) {
        if ((io_read32(a) & mask) == value) {
            return true;
        }
        cpu_relax();
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * The registers and barriers of a CPU that the host doesn't have, for drivers of arch/arm-common
 * whose device a test has made: registers read 0, and barriers are told to that device (host_io of
 * arch/host/arch.h). The contract of each is in arch/arm64/sysreg.h.
 */
#ifndef ARCH_HOST_SYSREG_H
#define ARCH_HOST_SYSREG_H

#include "arch/host/arch.h"
#include "core/types.h"

#define sysreg_read(reg)         ((u64)0)
#define sysreg_write(reg, value) ((void)(value))

static inline void host_barrier(bool dsb)
{
    if (host_io != NULL) {
        host_io->barrier(dsb);
    }
}

static inline void isb(void)
{
}

static inline void dsb_sy(void)
{
    host_barrier(true);
}

static inline void dsb_ishst(void)
{
    host_barrier(true);
}

static inline void dmb_sy(void)
{
    host_barrier(false);
}

static inline void cpu_relax(void)
{
}

#endif

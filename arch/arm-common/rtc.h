/* SPDX-License-Identifier: MIT */
/* The board's real-time clock, a PL031 (DDI 0224): read once, at boot. */
#ifndef ARCH_ARM_COMMON_RTC_H
#define ARCH_ARM_COMMON_RTC_H

#include "arch/arm-common/io.h"

/* Seconds since 1970-01-01 00:00 UTC. The caller has mapped its registers as device. */
static inline u32 rtc_read(hpa_t base)
{
    return io_read32((uintptr_t)base); /* RTCDR, TRM §3.3.1 */
}

#endif

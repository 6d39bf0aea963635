/* SPDX-License-Identifier: MIT */
/* Seconds since the machine's counter began, for leases and the uptime. */
#ifndef GUEST_CONFIGS_NETSVC_CLOCK_H
#define GUEST_CONFIGS_NETSVC_CLOCK_H

#include "tests/guests/lib/timer.h"

static inline uint64_t clock_s(void)
{
    return timer_now() / timer_hz();
}

#endif

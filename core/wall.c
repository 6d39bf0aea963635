/* SPDX-License-Identifier: MIT */
/* The time of day, as an offset to arch_now_ns. Written at boot, read-only later: no lock. */
#include "core/wall.h"

#include "core/arch.h"

#define NS_PER_S 1000000000ull

static u64 offset_ns;
static bool is_set;

void wall_set(u64 seconds)
{
    offset_ns = seconds * NS_PER_S - arch_now_ns();
    is_set = true;
}

bool wall_is_set(void)
{
    return is_set;
}

u64 wall_ns(void)
{
    return arch_now_ns() + offset_ns;
}

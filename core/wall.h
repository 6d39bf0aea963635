/* SPDX-License-Identifier: MIT */
/*
 * The time of day. Set once at boot from the board's clock or a boot argument; it runs on with
 * arch_now_ns, and nobody changes it: each VM's clock keeps its own offset.
 */
#ifndef CORE_WALL_H
#define CORE_WALL_H

#include "core/types.h"

/* Boot: it is `seconds` after 1970-01-01 00:00 UTC now. */
void wall_set(u64 seconds);
/* False: nobody knew, and it was 1970-01-01 when Muntin started. */
bool wall_is_set(void);
/* Nanoseconds since 1970-01-01 00:00 UTC. Any CPU. */
u64 wall_ns(void);

#endif

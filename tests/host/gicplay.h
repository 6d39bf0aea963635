/* SPDX-License-Identifier: MIT */
/*
 * Plays a string of bytes as actions of guests, devices and physical interrupts on a vGIC. Used
 * with random bytes by the unit tests and by the fuzzer.
 */
#ifndef TESTS_HOST_GICPLAY_H
#define TESTS_HOST_GICPLAY_H

#include "core/types.h"

#include <stddef.h>

/*
 * Well-behaved actions, each followed by the vCPUs' updates: what guests read and acknowledge is
 * compared with gicref after each. NULL, or what differed (a static string).
 */
const char *gicplay_compare(const u8 *data, size_t len);

/*
 * Anything: accesses of any size to any offset, with updates and guests' acknowledgements in
 * between at any time. Only what hardware forbids (see gcpu.h) is checked, by a panic; and at the
 * end, that a reset brings everything back.
 */
void gicplay_chaos(const u8 *data, size_t len);

#endif

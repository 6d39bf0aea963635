/* SPDX-License-Identifier: MIT */
/* Switches, as their NICs and descriptions have them. Private to core/check*.c. */
#ifndef CORE_CHECK_SWITCH_H
#define CORE_CHECK_SWITCH_H

#include "core/config.h"

/* Part of check_all, before CPUs are chosen; npcpus 0: unknown. */
void check_switches(struct vm_config *const *vm, u32 count, u32 npcpus, struct diag *d);

/* The CPUs that poll for switches, a bit each. No vCPU may be there. */
u32 config_polled(struct vm_config *const *vm, u32 count);

/* "FILE:LINE" of a place, into buf (core/check_all.c). */
const char *place_text(const struct diag *d, struct place p, char *buf, size_t size);

#endif

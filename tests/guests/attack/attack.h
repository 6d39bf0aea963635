/* SPDX-License-Identifier: MIT */
/*
 * The parts of the attack guest.  Each attack runs on every CPU at once, with random numbers of its
 * own; whatever it breaks of its own VM, attack_repair() mends before the next.
 */
#ifndef TESTS_GUESTS_ATTACK_ATTACK_H
#define TESTS_GUESTS_ATTACK_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/prng.h"

/* RAM that attacks may spoil, and that devices may write: aligned to its size. */
enum { SCRATCH_SIZE = 1 << 21 };
uint64_t attack_scratch(void);

/* How much of everything: rounds=N of the boot arguments. */
uint32_t attack_rounds(void);

/* tame in the boot arguments: no addresses but those the device tree names. */
bool attack_tame(void);

/* An address worth trying: of a device, a hole, the end of RAM, or anywhere, but never our RAM. */
uint64_t attack_address(struct prng *random);

/* A number worth trying: 0, all ones, a single bit, an address, anything. */
uint64_t attack_value(struct prng *random);

/* Lets interrupts in for a moment; all are acknowledged, finished and disabled. */
void attack_breathe(void);

/* Interrupts taken so far. */
extern uint32_t attack_interrupts;

/* On each CPU after each attack; then once on CPU 0. */
void attack_repair_cpu(void);
void attack_repair(void);

/* The attacks. */
void attack_sysregs(struct prng *random);
void attack_access(struct prng *random);
void attack_calls(struct prng *random);
void attack_set_way(struct prng *random);
void attack_storms(struct prng *random);
void attack_devices(struct prng *random);

/* Those that direct the other CPUs themselves; on CPU 0. */
void attack_access_normal(struct prng *random);
void attack_rings(struct prng *random);
void attack_cpus(struct prng *random);
void attack_runaway(struct prng *random);

#endif

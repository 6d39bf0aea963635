/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: what the board has of real entropy (the firmware's TRNG, RNDR, the device tree's
 * rng-seed), stretched by the HMAC_DRBG of NIST SP 800-90A. Muntin has one generator, and each VM
 * one of its own, seeded from Muntin's anew for each of its starts: a VM that learns all about its
 * own learns nothing of what others got, nor of what was given before. Without real entropy there
 * are no random bytes at all. Lock: each generator's own, LOCK_RANDOM.
 */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include "core/spinlock.h"
#include "core/types.h"

/* Bytes of one call of random_bytes: it takes about 40,000 instructions. */
#define RANDOM_MAX 64u
/* A board's rng-seed is real entropy from this length on. */
#define RANDOM_SEED_MIN 16u

/* A generator. All zero: never seeded. */
struct random {
    struct spinlock lock; /* covers the fields below */
    bool seeded;
    u32 requests;  /* since fresh entropy came last */
    u64 state[20]; /* the library's */
};

enum random_source {
    RANDOM_UNKNOWN,  /* random_init wasn't called: the host's tool doesn't know the board */
    RANDOM_NONE,     /* no real entropy */
    RANDOM_SEED,     /* the device tree's rng-seed only */
    RANDOM_HARDWARE, /* the firmware or the CPU, also later on */
};

/* Boot: takes in what entropy there is, `seed` (len bytes; 0: none) included, for the caller to
 * wipe.
 */
void random_init(const void *seed, size_t len);
enum random_source random_source(void);

/* Boot: a generator, not seeded. */
void random_create(struct random *r);

/*
 * Seeds r anew, from Muntin's generator and fresh entropy if there is; `name` and `number` tell it
 * from all others. Nothing of its past is left. Without real entropy it stays without.
 */
void random_seed(struct random *r, const char *name, u32 number);

/*
 * len <= RANDOM_MAX random bytes from r, or from Muntin's own generator (NULL). False, and nothing
 * is written: there is no real entropy. Any CPU.
 */
bool random_bytes(struct random *r, void *buf, size_t len) MUST_CHECK;

/* Overwrites secrets, in a way that isn't optimized away. */
void random_wipe(void *p, size_t len);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Generators of random bytes on BearSSL's HMAC_DRBG with SHA-256, whose code doesn't branch or
 * index on secrets; the only file that knows that library. The DRBG replaces its key after each
 * request, which is what keeps the past safe from who reads the state. Lock: see core/random.h.
 */
#include "core/random.h"

#include "core/arch.h"
#include "core/log.h"
#include "core/panic.h"

#include <bearssl_rand.h>
#include <string.h>

#define FRESH    32u /* bytes of fresh entropy at a time: as many bits as SHA-256 has */
#define STRETCH  48u /* bytes that seed another generator: entropy and nonce (SP 800-90A §8.6.7) */
#define INTERVAL 256u /* requests between two helpings of fresh entropy */

_Static_assert(sizeof(br_hmac_drbg_context) <= sizeof(((struct random *)0)->state),
               "the library's state must fit");

static struct random own = {.lock = SPINLOCK_INIT(LOCK_RANDOM)};
static enum random_source source;

void random_wipe(void *p, size_t len)
{
    memset(p, 0, len);
    __asm__ volatile("" : : "r"(p) : "memory");
}

static br_hmac_drbg_context *drbg(struct random *r)
{
    return (br_hmac_drbg_context *)(void *)r->state;
}

/* Fresh entropy into the state of r, if there is any now. r->lock is held. */
static bool refresh(struct random *r)
{
    u8 fresh[FRESH];
    bool ok = arch_entropy(fresh, sizeof(fresh));

    if (ok) {
        br_hmac_drbg_update(drbg(r), fresh, sizeof(fresh));
        r->requests = 0;
    }
    random_wipe(fresh, sizeof(fresh));
    return ok;
}

/* What differs from boot to boot and from call to call, though anybody may know it. */
struct nonce {
    u64 now, ticks;
    u32 number, zero;
    char name[40];
};

static void add_nonce(struct random *r, const char *name, u32 number)
{
    struct nonce n = {.now = arch_now_ns(), .ticks = arch_ticks(), .number = number};

    fmt_print(n.name, sizeof(n.name), "%s", name);
    br_hmac_drbg_update(drbg(r), &n, sizeof(n));
}

/* A tree that was wiped, or never filled in, has no entropy. */
static bool all_alike(const u8 *p, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (p[i] != p[0]) {
            return false;
        }
    }
    return true;
}

void random_init(const void *seed, size_t len)
{
    bool good = len >= RANDOM_SEED_MIN && !all_alike(seed, len);

    spin_lock(&own.lock);
    br_hmac_drbg_init(drbg(&own), &br_sha256_vtable, seed, len);
    add_nonce(&own, "Muntin", 0);
    source = good ? RANDOM_SEED : RANDOM_NONE;
    if (refresh(&own)) {
        source = RANDOM_HARDWARE;
    }
    own.seeded = source != RANDOM_NONE;
    spin_unlock(&own.lock);
}

enum random_source random_source(void)
{
    return source;
}

void random_create(struct random *r)
{
    *r = (struct random){.lock = SPINLOCK_INIT(LOCK_RANDOM)};
}

void random_seed(struct random *r, const char *name, u32 number)
{
    u8 seed[STRETCH];

    if (!random_bytes(NULL, seed, sizeof(seed))) {
        return;
    }
    spin_lock(&r->lock);
    br_hmac_drbg_init(drbg(r), &br_sha256_vtable, seed, sizeof(seed));
    add_nonce(r, name, number);
    (void)refresh(r);
    r->requests = 0;
    r->seeded = true;
    spin_unlock(&r->lock);
    random_wipe(seed, sizeof(seed));
}

bool random_bytes(struct random *r, void *buf, size_t len)
{
    bool ok;

    assert(len <= RANDOM_MAX);
    r = r != NULL ? r : &own;
    spin_lock(&r->lock);
    ok = r->seeded;
    if (ok) {
        br_hmac_drbg_generate(drbg(r), buf, len);
        if (++r->requests >= INTERVAL && !refresh(r)) {
            r->requests = 0; /* none now: asked for again an interval later */
        }
    }
    spin_unlock(&r->lock);
    return ok;
}

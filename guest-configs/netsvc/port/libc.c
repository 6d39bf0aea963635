/* SPDX-License-Identifier: MIT */
/* The functions of port/ that tests/guests/lib does not have, and what lwIP asks for in arch/cc.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cc.h"
#include "lwip/sys.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/prng.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/timer.h"

/* DEN 0098: of the firmware, or of a hypervisor. */
enum { TRNG_BITS = 64 };
#define TRNG_RND64 0xc4000053u

/* Normal memory, MMU on: unaligned accesses are fine. The pieces become LDP and STP. */
void *port_copy(void *to, const void *from, size_t len)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    for (; len >= 16; len -= 16, d += 16, s += 16) {
        uint64_t a;
        uint64_t b;

        __asm__ volatile("ldp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(s) : "memory");
        __asm__ volatile("stp %0, %1, [%2]" : : "r"(a), "r"(b), "r"(d) : "memory");
    }
    memcpy(d, s, len);
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    if ((uintptr_t)d - (uintptr_t)s >= len) {
        return memcpy(to, from, len); /* which copies upwards */
    }
    while (len > 0) {
        len--;
        d[len] = s[len];
    }
    return to;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (; len > 0; len--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (uint8_t)*a - (uint8_t)*b;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return (char *)(uintptr_t)s;
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

int atoi(const char *s)
{
    int value = 0;

    for (; *s >= '0' && *s <= '9' && value < 100000000; s++) {
        value = value * 10 + (*s - '0');
    }
    return value;
}

void port_fail(const char *what)
{
    print("netsvc: %s\n", what);
    psci_system_reset();
}

static uint64_t seed(void)
{
    struct smccc call = {{TRNG_RND64, TRNG_BITS}};

    smccc_hvc(&call);
    return (call.x[0] == 0 ? call.x[3] : 0) ^ timer_now() ^ 1u << 31;
}

uint32_t port_random(void)
{
    static struct prng prng;

    if (prng.state == 0) {
        prng.state = seed();
    }
    return (uint32_t)(prng_next(&prng) >> 32);
}

/* Milliseconds; wraps, as lwIP expects it to. */
u32_t sys_now(void)
{
    return (u32_t)(timer_ns(timer_now()) / 1000000);
}

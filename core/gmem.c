/* SPDX-License-Identifier: MIT */
/*
 * The one place where a guest-physical address becomes memory, and where guest memory is touched.
 * The region table is fixed before the VM starts: no lock.
 */
#include "core/gmem.h"

#include "core/arch.h"

#include <string.h>

#define LARGE 256 /* bytes: from here on arch_copy is worth its set-up */
_Static_assert(LARGE >= ARCH_COPY, "arch_copy's contract");

guest_t *gmem_span(const struct gmem *g, gpa_t a, u64 len, bool write)
{
    const struct gmem_region *end = &g->region[g->count];

    for (const struct gmem_region *r = g->region; r < end && len != 0; r++) {
        u64 off = a.v - r->base; /* below base: larger than any size */

        if (off < r->size && len <= r->size - off) {
            return write && !r->writable ? NULL : gmem_at(r->ptr, (size_t)off);
        }
    }
    return NULL;
}

/*
 * The compiler may neither repeat nor reorder these copies around later uses of the private copy:
 * a signal fence on both sides makes what was copied the only truth (a plain struct copy isn't a
 * snapshot: compilers do invent loads).
 */
static void compiler_fence(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

void gmem_read(void *dst, const guest_t *src, size_t len)
{
    compiler_fence();
    memcpy(dst, (const void *)src, len);
    compiler_fence();
}

void gmem_write(guest_t *dst, const void *src, size_t len)
{
    memcpy((void *)dst, src, len);
    compiler_fence();
}

void gmem_copy(guest_t *dst, const guest_t *src, size_t len)
{
    size_t apart = MIN((uintptr_t)dst - (uintptr_t)src, (uintptr_t)src - (uintptr_t)dst);

    if (likely(len >= LARGE && apart >= len)) {
        arch_copy((void *)dst, (const void *)src, len);
    } else {
        memmove((void *)dst, (const void *)src, len);
    }
    compiler_fence();
}

void gmem_zero(guest_t *dst, size_t len)
{
    memset((void *)dst, 0, len);
    compiler_fence();
}

/* The halves of a 64-bit word added apart: with no carries, four gigabytes add up right. */
struct halves {
    u64 low, high;
};

static inline void add_word(struct halves *sum, const u8 *b)
{
    u64 w;

    __builtin_memcpy(&w, b, sizeof(w));
    sum->low += (u32)w;
    sum->high += w >> 32;
    /* In this order an addition is one instruction; the compiler's own has more in parallel. */
    __asm__("" : "+r"(sum->low), "+r"(sum->high));
}

u16 gmem_sum(const guest_t *p, size_t len)
{
    const u8 *b = (const u8 *)p;
    struct halves s = {0, 0};
    u64 sum, last = 0;

    compiler_fence();
    for (; len >= 64; len -= 64, b += 64) {
        add_word(&s, b);
        add_word(&s, b + 8);
        add_word(&s, b + 16);
        add_word(&s, b + 24);
        add_word(&s, b + 32);
        add_word(&s, b + 40);
        add_word(&s, b + 48);
        add_word(&s, b + 56);
    }
    for (; len >= 8; len -= 8, b += 8) {
        add_word(&s, b);
    }
    for (size_t i = 0; i < len; i++) {
        last |= (u64)b[i] << (8 * i);
    }
    sum = s.low + s.high + (u32)last + (last >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16); /* < 2^33; then < 2^18, 2^17, 2^16 */
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return __builtin_bswap16((u16)sum); /* words were loaded the little-endian way */
}

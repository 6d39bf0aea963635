/* SPDX-License-Identifier: MIT */
/*
 * The one place where a guest-physical address becomes memory, and where guest memory is touched.
 * The region table is fixed before the VM starts: no lock.
 */
#include "core/gmem.h"

#include <string.h>

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
    memmove((void *)dst, (const void *)src, len);
    compiler_fence();
}

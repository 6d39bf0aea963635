/* SPDX-License-Identifier: MIT */
/*
 * The one place where a guest-physical address becomes memory, and where guest memory is touched.
 * The region table is fixed before the VM starts: no lock.
 */
#include "core/gmem.h"

#include "core/atomic.h"

#include <string.h>

guest_t *gmem_span(const struct gmem *g, gpa_t a, u64 len, bool write)
{
    for (u32 i = 0; i < g->count; i++) {
        const struct gmem_region *r = &g->region[i];

        if (len != 0 && range_within(a.v, len, r->base, r->size)) {
            if (write && !r->writable) {
                return NULL;
            }
            return gmem_at(r->ptr, (size_t)(a.v - r->base));
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

void gmem_zero(guest_t *dst, size_t len)
{
    memset((void *)dst, 0, len);
    compiler_fence();
}

u16 gmem_load16(const guest_t *p)
{
    return atomic_load((const u16 *)p);
}

u16 gmem_load16_acquire(const guest_t *p)
{
    return atomic_load_acquire((const u16 *)p);
}

u32 gmem_load32(const guest_t *p)
{
    return atomic_load((const u32 *)p);
}

u64 gmem_load64(const guest_t *p)
{
    return atomic_load((const u64 *)p);
}

void gmem_store16(guest_t *p, u16 v)
{
    atomic_store((u16 *)p, v);
}

void gmem_store16_release(guest_t *p, u16 v)
{
    atomic_store_release((u16 *)p, v);
}

void gmem_store32(guest_t *p, u32 v)
{
    atomic_store((u32 *)p, v);
}

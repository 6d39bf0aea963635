/* SPDX-License-Identifier: MIT */
/*
 * The RAM of a VM, as Muntin may touch it. This is the only place where a guest address becomes
 * memory. Guest memory is `guest_t *`, a pointer to a type that is never defined, so that it can't
 * be dereferenced or indexed: the functions below are the only way in and out, and each of them
 * reads a guest's byte once.
 * The region table is fixed before the VM starts: no lock.
 */
#ifndef CORE_GMEM_H
#define CORE_GMEM_H

#include "core/atomic.h"
#include "core/types.h"

typedef struct guest_memory guest_t;

#define GMEM_REGIONS 8

struct gmem_region {
    u64 base; /* guest-physical, page-aligned */
    u64 size; /* bytes, whole pages, base + size never wraps */
    hpa_t host;
    guest_t *ptr;  /* where Muntin sees it */
    bool writable; /* false: ROM */
};

struct gmem {
    struct gmem_region region[GMEM_REGIONS];
    u32 count;
};

/*
 * [a, a + len) as memory, or NULL if any byte of it lies outside one region, or is ROM and `write`
 * is asked for. len 0 gives NULL. Any a and len are safe.
 */
guest_t *gmem_span(const struct gmem *g, gpa_t a, u64 len, bool write) MUST_CHECK;

/* The address `off` bytes into a span; the caller has bounded `off`. */
static inline guest_t *gmem_at(guest_t *span, size_t off)
{
    return (guest_t *)((char *)span + off);
}

/* The same, sooner where it lies in the first region and that is no ROM: as buffers do. */
static inline MUST_CHECK guest_t *gmem_span_soon(const struct gmem *g, gpa_t a, u64 len, bool write)
{
    const struct gmem_region *r = &g->region[0];
    u64 off = a.v - r->base; /* below base: larger than any size */

    if (likely(off < r->size && len != 0 && len <= r->size - off && r->writable)) {
        return gmem_at(r->ptr, (size_t)off);
    }
    return gmem_span(g, a, len, write);
}

/* Copies. The spans come from gmem_span; private memory and guest memory never overlap. */
void gmem_read(void *dst, const guest_t *src, size_t len);
void gmem_write(guest_t *dst, const void *src, size_t len);
void gmem_copy(guest_t *dst, const guest_t *src,
               size_t len); /* guest to guest; may be the same VM */

void gmem_zero(guest_t *dst, size_t len);

/*
 * One's complement sum of big-endian 16-bit words (RFC 1071), the last one filled up with 0. Any
 * alignment, less than 2^32 bytes.
 */
u16 gmem_sum(const guest_t *p, size_t len);

/*
 * Single-copy atomic little-endian loads and stores for rings: naturally aligned spans only.
 * Acquire and release as named (VIRTIO 1.2 §2.7.13, Arm ARM B2.3). Inline: a packet takes a dozen.
 */
static inline u16 gmem_load16(const guest_t *p)
{
    return atomic_load((const u16 *)p);
}

static inline u16 gmem_load16_acquire(const guest_t *p)
{
    return atomic_load_acquire((const u16 *)p);
}

static inline u32 gmem_load32(const guest_t *p)
{
    return atomic_load((const u32 *)p);
}

static inline u64 gmem_load64(const guest_t *p)
{
    return atomic_load((const u64 *)p);
}

static inline u64 gmem_load64_acquire(const guest_t *p)
{
    return atomic_load_acquire((const u64 *)p);
}

static inline void gmem_store16(guest_t *p, u16 v)
{
    atomic_store((u16 *)p, v);
}

static inline void gmem_store16_release(guest_t *p, u16 v)
{
    atomic_store_release((u16 *)p, v);
}

static inline void gmem_store32(guest_t *p, u32 v)
{
    atomic_store((u32 *)p, v);
}

static inline void gmem_store64(guest_t *p, u64 v)
{
    atomic_store((u64 *)p, v);
}

static inline void gmem_store64_release(guest_t *p, u64 v)
{
    atomic_store_release((u64 *)p, v);
}

/* Two words at any address, each byte read once; as gmem_read, but cheap where p is aligned. */
static inline void gmem_read_pair(u64 dst[2], const guest_t *p)
{
    if (likely(((uintptr_t)p & 7) == 0)) {
        dst[0] = atomic_load((const u64 *)p);
        dst[1] = atomic_load((const u64 *)p + 1);
    } else {
        gmem_read(dst, p, 16);
    }
}

#endif

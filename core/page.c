/* SPDX-License-Identifier: MIT */
/*
 * Physical memory, handed out once at boot from a small sorted table of free ranges. Muntin's own
 * pages come from the lowest range that fits, guest RAM from the best fit, so that large aligned
 * pieces stay whole. Lock: LOCK_PAGE.
 */
#include "core/page.h"

#include "core/board.h"
#include "core/log.h"
#include "core/spinlock.h"

#include <string.h>

#define RANGES 64

static struct range ranges[RANGES]; /* free, sorted by base, disjoint */
static u32 nranges;
static u64 taken;
static struct spinlock lock = SPINLOCK_INIT(LOCK_PAGE);
static u64 lost; /* bytes that the table had no room for, not yet reported */

static void range_insert(u32 at, hpa_t base, u64 size)
{
    if (nranges == RANGES) {
        lost += size;
        return;
    }
    memmove(&ranges[at + 1], &ranges[at], (nranges - at) * sizeof(ranges[0]));
    ranges[at] = (struct range){base, size};
    nranges++;
}

static void range_remove(u32 at)
{
    nranges--;
    memmove(&ranges[at], &ranges[at + 1], (nranges - at) * sizeof(ranges[0]));
}

/* Without the lock: messages have locks of lower rank. */
static void report_lost(void)
{
    if (lost != 0) {
        log_warn("memory map too fragmented: %llu KiB are left unused",
                 (unsigned long long)(lost / KIB));
        lost = 0;
    }
}

void page_add(hpa_t base, u64 size)
{
    u32 at = 0;

    if (base == 0 && size != 0) { /* what is at 0 can't be told from no memory */
        base = PAGE_SIZE;
        size -= PAGE_SIZE;
    }
    page_reserve(base, size); /* a tree may list a range twice */
    while (at < nranges && ranges[at].base < base) {
        at++;
    }
    if (size != 0) {
        range_insert(at, base, size);
    }
    report_lost();
}

/* Takes [base, base + size) out of ranges[at], which overlaps it; what stays is 0 to 2 ranges. */
static void range_cut(u32 at, hpa_t base, u64 size)
{
    struct range r = ranges[at];
    hpa_t end = base + size, r_end = r.base + r.size;

    range_remove(at);
    if (end < r_end) {
        range_insert(at, end, r_end - end);
    }
    if (r.base < base) {
        range_insert(at, r.base, base - r.base);
    }
}

void page_reserve(hpa_t base, u64 size)
{
    hpa_t start = ALIGN_DOWN(base, (hpa_t)PAGE_SIZE);
    u64 whole = ALIGN_UP(base + size, (hpa_t)PAGE_SIZE) - start;

    for (u32 i = nranges; i > 0; i--) {
        if (range_overlap(start, whole, ranges[i - 1].base, ranges[i - 1].size)) {
            range_cut(i - 1, start, whole);
        }
    }
    report_lost();
}

/* Smallest range that holds `size` at `align`; its index, or nranges. */
static u32 best_fit(u64 size, u64 align)
{
    u32 best = nranges;

    for (u32 i = 0; i < nranges; i++) {
        u64 skip = ALIGN_UP(ranges[i].base, align) - ranges[i].base;

        if (skip < ranges[i].size && size <= ranges[i].size - skip &&
            (best == nranges || ranges[i].size < ranges[best].size)) {
            best = i;
        }
    }
    return best;
}

/* For Muntin, from the lowest range that holds it; 0: none does. */
static hpa_t take(u64 size, u64 align)
{
    hpa_t base = 0;
    u64 whole = ALIGN_UP(size, (u64)PAGE_SIZE);

    spin_lock(&lock);
    for (u32 i = 0; i < nranges && base == 0; i++) {
        hpa_t at = ALIGN_UP(ranges[i].base, align);

        if (range_within(at, whole, ranges[i].base, ranges[i].size)) {
            base = at;
            range_cut(i, base, whole);
            taken += whole;
        }
    }
    spin_unlock(&lock);
    report_lost();
    return base;
}

hpa_t page_alloc_raw(u64 size)
{
    return take(size, PAGE_SIZE);
}

void *page_alloc_aligned(u64 size, u64 align)
{
    void *p = (void *)(uintptr_t)take(size, align);

    if (p != NULL) {
        memset(p, 0, (size_t)ALIGN_UP(size, (u64)PAGE_SIZE));
    }
    return p;
}

void *page_alloc(u64 size)
{
    return page_alloc_aligned(size, PAGE_SIZE);
}

bool page_alloc_guest(u64 size, u64 align, hpa_t *out)
{
    u32 i;
    bool ok;

    spin_lock(&lock);
    i = best_fit(size, align);
    ok = i < nranges;
    if (ok) {
        *out = ALIGN_UP(ranges[i].base, align);
        range_cut(i, *out, size);
    }
    spin_unlock(&lock);
    report_lost();
    return ok;
}

bool page_alloc_at(hpa_t base, u64 size)
{
    bool ok = false;

    spin_lock(&lock);
    for (u32 i = 0; i < nranges && !ok; i++) {
        ok = size != 0 && range_within(base, size, ranges[i].base, ranges[i].size);
        if (ok) {
            range_cut(i, base, size);
        }
    }
    spin_unlock(&lock);
    report_lost();
    return ok;
}

bool page_alloc_above(u64 size, u64 align, hpa_t from, hpa_t *out)
{
    bool ok = false;

    spin_lock(&lock);
    for (u32 i = 0; i < nranges && !ok; i++) {
        hpa_t base = ALIGN_UP(MAX(ranges[i].base, from), align);

        ok = size != 0 && range_within(base, size, ranges[i].base, ranges[i].size);
        if (ok) {
            *out = base;
            range_cut(i, base, size);
        }
    }
    spin_unlock(&lock);
    report_lost();
    return ok;
}

u64 page_taken(void)
{
    return taken;
}

u64 page_free(void)
{
    u64 sum = 0;

    for (u32 i = 0; i < nranges; i++) {
        sum += ranges[i].size;
    }
    return sum;
}

u64 page_largest(u64 align)
{
    u64 largest = 0;

    for (u32 i = 0; i < nranges; i++) {
        u64 skip = ALIGN_UP(ranges[i].base, align) - ranges[i].base;

        if (skip < ranges[i].size) {
            largest = MAX(largest, ALIGN_DOWN(ranges[i].size - skip, align));
        }
    }
    return largest;
}

/* SPDX-License-Identifier: MIT */
/*
 * Physical memory of the board, handed out once, at boot: what Muntin takes for itself, and guest
 * RAM. Nothing is ever given back (a VM keeps its RAM over restarts). Lock: LOCK_PAGE.
 */
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include "core/types.h"

/* Boot: adds a range of RAM; then takes ranges out of it that are in use (image, bundle, tree). */
void page_add(hpa_t base, u64 size);
void page_reserve(hpa_t base, u64 size);

/*
 * Zeroed memory for Muntin, size rounded up to whole pages, page-aligned. NULL when none is left.
 * Boot only, as everything here. Counted: page_taken().
 */
void *page_alloc(u64 size) MUST_CHECK;

/* The same at a multiple of `align`, a power of two >= PAGE_SIZE: tables that hardware reads. */
void *page_alloc_aligned(u64 size, u64 align) MUST_CHECK;

/* The same, not zeroed, for what isn't mapped yet: its address, or 0 when none is left. */
hpa_t page_alloc_raw(u64 size) MUST_CHECK;

/* Guest RAM: one contiguous piece, `align` a power of two >= PAGE_SIZE; not zeroed. False: no room.
 */
bool page_alloc_guest(u64 size, u64 align, hpa_t *out) MUST_CHECK;

/* The same at a given place, or at the lowest one from `from` on. */
bool page_alloc_at(hpa_t base, u64 size) MUST_CHECK;
bool page_alloc_above(u64 size, u64 align, hpa_t from, hpa_t *out) MUST_CHECK;

u64 page_taken(void);        /* bytes that Muntin took for itself */
u64 page_free(void);         /* bytes left in all ranges */
u64 page_largest(u64 align); /* largest piece that page_alloc_guest could give */

#endif

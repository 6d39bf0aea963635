/* SPDX-License-Identifier: MIT */
/*
 * A disk out of a file, of RAM, or both: see disk.h. The table has a word for each 4 KiB page of
 * the disk: as at first, all zeroes, or the number of the page of RAM that has it. A page gets into
 * the table when it is filled, so that who reads without the lock never sees what RAM held before.
 * A page that was given back may still be written by who found it before: so the list of these lies
 * elsewhere.
 */
#include "vdev/disk.h"

#include "core/atomic.h"
#include "core/page.h"

enum { AS_AT_FIRST, ZEROES, FIRST_PAGE };

bool disk_init(struct disk *d, u64 size, const void *file, u64 ram)
{
    u64 pages = ALIGN_UP(size, (u64)PAGE_SIZE) / PAGE_SIZE;
    u64 room = MIN(ALIGN_UP(ram, (u64)PAGE_SIZE) / PAGE_SIZE, pages);
    hpa_t base;

    spin_init(&d->lock, LOCK_DEVICE);
    d->size = size;
    d->npages = (u32)pages;
    d->file = file;
    if (ram == 0) {
        return true;
    }
    if (!page_alloc_guest(room * PAGE_SIZE, PAGE_SIZE, &base)) {
        return false;
    }
    d->pages = (guest_t *)(uintptr_t)base;
    d->room = (u32)room;
    d->freed = d->room;
    d->table = page_alloc((pages + room) * sizeof(d->table[0]));
    d->next = d->table + pages;
    return d->table != NULL;
}

static guest_t *page_at(const struct disk *d, u32 page)
{
    return gmem_at(d->pages, (size_t)page * PAGE_SIZE);
}

static u32 *entry(const struct disk *d, u64 off)
{
    return &d->table[index_nospec((u32)(off / PAGE_SIZE), d->npages)];
}

/* The page of RAM behind that byte, or NULL; then *what says why. Without the lock. */
static guest_t *find(const struct disk *d, u64 off, u32 *what)
{
    *what = d->table != NULL ? atomic_load_acquire(entry(d, off)) : AS_AT_FIRST;
    return *what >= FIRST_PAGE ? page_at(d, *what - FIRST_PAGE) : NULL;
}

/* What is there without a page of RAM. */
static void read_first(const struct disk *d, u32 what, u64 off, guest_t *to, u32 len)
{
    if (what == AS_AT_FIRST && d->file != NULL) {
        gmem_copy(to, gmem_at((guest_t *)(uintptr_t)d->file, (size_t)off), len);
    } else {
        gmem_zero(to, len);
    }
}

void disk_read(struct disk *d, u64 off, guest_t *to, u32 len)
{
    u32 what;
    guest_t *p = find(d, off, &what);

    if (p != NULL) {
        gmem_copy(to, gmem_at(p, off % PAGE_SIZE), len);
    } else {
        read_first(d, what, off, to, len);
    }
}

/* A page that nobody uses; room: there's none. Lock held. */
static u32 take(struct disk *d)
{
    u32 page = d->freed;

    if (page < d->room) {
        d->freed = d->next[page];
    } else if (d->used < d->room) {
        page = d->used++;
    } else {
        counter_inc(&d->full);
    }
    return page;
}

static void give_back(struct disk *d, u32 page)
{
    d->next[page] = d->freed;
    d->freed = page;
}

/* Fills [off, off + len) of a page that has no RAM yet, from `from` or with zeroes; then it has. */
static bool fill(struct disk *d, u64 off, const guest_t *from, u32 len)
{
    u64 start = ALIGN_DOWN(off, (u64)PAGE_SIZE);
    u32 page = take(d), what = *entry(d, off);
    guest_t *p;

    if (page == d->room) {
        return false;
    }
    p = page_at(d, page);
    if (len < PAGE_SIZE) {
        read_first(d, what, start, p, (u32)MIN((u64)PAGE_SIZE, d->size - start));
    }
    if (from != NULL) {
        gmem_copy(gmem_at(p, off % PAGE_SIZE), from, len);
    } else {
        gmem_zero(gmem_at(p, off % PAGE_SIZE), len);
    }
    atomic_store_release(entry(d, off), FIRST_PAGE + page);
    return true;
}

bool disk_write(struct disk *d, u64 off, const guest_t *from, u32 len)
{
    u32 what;
    guest_t *p = find(d, off, &what);
    bool ok = true;

    if (p == NULL) {
        spin_lock(&d->lock);
        p = find(d, off, &what); /* another CPU may have been faster */
        ok = p != NULL || fill(d, off, from, len);
        spin_unlock(&d->lock);
    }
    if (p != NULL) {
        gmem_copy(gmem_at(p, off % PAGE_SIZE), from, len);
    }
    return ok;
}

/* Lock held. */
static bool zero(struct disk *d, u64 off, u32 len, bool release)
{
    bool whole = off % PAGE_SIZE == 0 && (len == PAGE_SIZE || off + len == d->size);
    u32 what;
    guest_t *p = find(d, off, &what);

    if (p != NULL && !(whole && release)) {
        gmem_zero(gmem_at(p, off % PAGE_SIZE), len);
        return true;
    }
    if (p == NULL && !whole) {
        return what == ZEROES || d->file == NULL || fill(d, off, NULL, len);
    }
    atomic_store_release(entry(d, off), (u32)ZEROES);
    if (p != NULL) {
        give_back(d, what - FIRST_PAGE);
    }
    return true;
}

bool disk_zero(struct disk *d, u64 off, u32 len, bool release)
{
    bool ok;

    spin_lock(&d->lock);
    ok = zero(d, off, len, release);
    spin_unlock(&d->lock);
    return ok;
}

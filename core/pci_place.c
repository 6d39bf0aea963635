/* SPDX-License-Identifier: MIT */
/*
 * PCI address space: two windows of the board, of 32-bit addresses and of 64-bit ones, given out
 * from their start on, aligned as the bus has the addresses. What a device says of its BARs is not
 * believed: sizes are powers of two that fit, and an address counts once it reads back. Boot but
 * for pci_place_write: no lock. References are to PCI 3.0 §6.2.5, PCI-to-PCI bridge 1.2 §3.2.5.
 */
#include "core/pci_place.h"

#include "core/board.h"
#include "core/pass.h"
#include "core/pci.h"
#include "core/pci_regs.h"

#include <string.h>

#define GRANULE ((u64)MIB) /* of bridges' windows */

enum { SPACE_32, SPACE_64, SPACES };

/* Bus addresses [next, end) are free. */
static struct space {
    u64 next, end;
    u64 to_host; /* to be added */
} space[SPACES];

u32 pci_read(hpa_t cfg, u32 offset)
{
    u64 value;

    return pass_hw->read(cfg + offset, 4, &value) ? (u32)value : UINT32_MAX;
}

void pci_write(hpa_t cfg, u32 offset, u32 value)
{
    (void)!pass_hw->write(cfg + offset, 4, value);
}

static void init_space(struct space *s, const struct range *r, u64 bus)
{
    *s = (struct space){.next = bus, .end = bus, .to_host = r->base - bus};
    if ((r->base | bus) % PAGE_SIZE == 0) {
        s->end = MAX(ALIGN_DOWN(bus + r->size, GRANULE), bus);
    }
}

void pci_place_init(const struct board *b)
{
    init_space(&space[SPACE_32], &b->pci.mem, b->pci.mem_bus);
    init_space(&space[SPACE_64], &b->pci.mem64, b->pci.mem64_bus);
}

bool pci_place_wide(void)
{
    return space[SPACE_64].next != space[SPACE_64].end;
}

/* --- BARs ------------------------------------------------------------------------------------- */

/* Bytes of the BAR, which has no address yet; 0: there's none. May be any number. */
static u64 bar_size(hpa_t cfg, u32 n, bool pair)
{
    u32 reg = REG_BAR + 4 * n;
    u64 mask;

    pci_write(cfg, reg, UINT32_MAX);
    mask = pci_read(cfg, reg) & ~BAR_TYPE;
    if (pair) {
        pci_write(cfg, reg + 4, UINT32_MAX);
        mask |= (u64)pci_read(cfg, reg + 4) << 32;
    } else if (mask != 0) {
        mask |= 0xffffffff00000000ull;
    }
    return mask == 0 ? 0 : ~mask + 1;
}

/* Whole pages: nobody else is in them. */
static bool take(struct space *s, struct pci_bar *bar)
{
    u64 whole = MAX(bar->size, (u64)PAGE_SIZE), room = s->end - s->next, at;

    if (whole > PCI_MEM_SIZE || whole > room) {
        return false;
    }
    at = ALIGN_UP(s->next, whole);
    if (!range_within(at, whole, s->next, room)) {
        return false;
    }
    s->next = at + whole;
    bar->bus = at;
    bar->host = at + s->to_host;
    return true;
}

/* One BAR; *pair: it takes the next register as well. */
static const char *place_bar(hpa_t cfg, struct pci_bar *bar, u32 left, u32 n, bool wide, bool *pair)
{
    u32 type = pci_read(cfg, REG_BAR + 4 * n) & BAR_TYPE;
    bool far;

    *pair = (type & BAR_IO) == 0 && (type & BAR_64) != 0 && left > 1;
    if ((type & BAR_IO) != 0) {
        return NULL; /* there are no ports */
    }
    bar->type = type;
    bar->size = bar_size(cfg, n, *pair);
    far = wide && *pair && (type & BAR_PREF) != 0;
    if (bar->size == 0) {
        return NULL;
    }
    if (!is_pow2(bar->size)) {
        return "the size of a BAR is not a power of two";
    }
    return take(&space[far ? SPACE_64 : SPACE_32], bar) ? NULL : "there's no room for its BARs";
}

bool pci_place_write(hpa_t cfg, const struct pci_bar *bar, u32 count)
{
    bool ok = true;

    for (u32 n = 0; n < count; n++) {
        bool pair = bar[n].size != 0 && (bar[n].type & BAR_64) != 0 && n + 1 < count;
        u32 reg = REG_BAR + 4 * n;

        pci_write(cfg, reg, (u32)bar[n].bus);
        ok = ok && (bar[n].size == 0 || (pci_read(cfg, reg) & ~BAR_TYPE) == (u32)bar[n].bus);
        if (pair) {
            pci_write(cfg, reg + 4, (u32)(bar[n].bus >> 32));
            ok = ok && pci_read(cfg, reg + 4) == (u32)(bar[n].bus >> 32);
            n++;
        }
    }
    return ok;
}

const char *pci_place_bars(hpa_t cfg, struct pci_bar *bar, u32 count, bool wide)
{
    struct space before[SPACES];
    const char *why = NULL;
    bool pair;

    memcpy(before, space, sizeof(before));
    memset(bar, 0, count * sizeof(*bar));
    for (u32 n = 0; n < count && why == NULL; n += pair ? 2 : 1) {
        why = place_bar(cfg, &bar[n], count - n, n, wide, &pair);
    }
    if (why == NULL && !pci_place_write(cfg, bar, count)) {
        why = "a BAR of it can't be moved"; /* PCIe §7.8.5: allocated for good */
    }
    if (why != NULL) {
        memcpy(space, before, sizeof(space));
        memset(bar, 0, count * sizeof(*bar));
    }
    return why;
}

/* --- bridges' windows ------------------------------------------------------------------------- */

void pci_window_begin(struct pci_window *w)
{
    for (u32 i = 0; i < SPACES; i++) {
        space[i].next = MIN(ALIGN_UP(space[i].next, GRANULE), space[i].end);
        w->start[i] = space[i].next;
    }
}

/* The upper 12 bits of both ends, of 32. */
static u32 window_word(const struct pci_window *w, u32 i)
{
    if (space[i].next == w->start[i]) {
        return WINDOW_NONE;
    }
    return (u32)(w->start[i] >> 16 & 0xfff0) | (u32)((space[i].next - 1) & 0xfff00000);
}

/* A bridge may have no such window, and then reads zeros. */
static bool set_prefetchable(hpa_t cfg, const struct pci_window *w)
{
    u32 word = window_word(w, SPACE_64), base, limit, got;
    bool used = word != WINDOW_NONE;

    base = used ? (u32)(w->start[SPACE_64] >> 32) : 0;
    limit = used ? (u32)((space[SPACE_64].next - 1) >> 32) : 0;
    pci_write(cfg, REG_PREF, WINDOW_NONE);
    pci_write(cfg, REG_PREF_BASE, base);
    pci_write(cfg, REG_PREF_LIMIT, limit);
    pci_write(cfg, REG_PREF, word);
    got = pci_read(cfg, REG_PREF) & WINDOW_BITS;
    if (!used) {
        return got == word || got == 0;
    }
    return got == word && pci_read(cfg, REG_PREF_BASE) == base &&
           pci_read(cfg, REG_PREF_LIMIT) == limit;
}

bool pci_window_end(hpa_t cfg, const struct pci_window *w, bool wide)
{
    u32 word;

    for (u32 i = 0; i < SPACES; i++) {
        space[i].next = MIN(ALIGN_UP(space[i].next, GRANULE), space[i].end);
    }
    word = window_word(w, SPACE_32);
    pci_write(cfg, REG_MEM, word);
    return set_prefetchable(cfg, w) && (pci_read(cfg, REG_MEM) & WINDOW_BITS) == word &&
           (wide || window_word(w, SPACE_64) == WINDOW_NONE);
}

/* SPDX-License-Identifier: MIT */
/*
 * Builds and walks translation tables: Arm ARM D8.3 (descriptor formats), D8.4 and D8.5 (rights and
 * memory types). Levels are the Arm ARM's: 0 is nearest to the root, 3 holds pages.
 */
#include "arch/arm-common/pgtable.h"

#include "core/atomic.h"

#define ENTRIES    512u
#define LEVEL_LAST 3u
#define OUT_BITS   48

/* Bits of descriptors */
#define VALID    BIT64(0)
#define TABLE    BIT64(1) /* at level 3: page */
#define ADDRESS  (BIT64(OUT_BITS) - PAGE_SIZE)
#define AF       BIT64(10) /* access flag: without it each first access faults */
#define SH_INNER (3ull << 8)
#define XN       BIT64(54)

/* Stage 1 of EL2: AttrIndx[4:2], AP[2:1] in [7:6]; AP[1] is RES1 without VHE */
#define S1_DEVICE (0ull << 2)
#define S1_NORMAL (1ull << 2)
#define S1_AP1    BIT64(6)
#define S1_RO     BIT64(7)

/* Stage 2: MemAttr[5:2], S2AP[7:6]. XN[53] stays 0, so [54] forbids both EL0 and EL1, FEAT_XNX or
 * not */
#define S2_DEVICE_NGNRE (1ull << 2)
#define S2_NORMAL_WB    (15ull << 2)
#define S2_FORCE_WB     (6ull << 2) /* with FWB */
#define S2_READ         BIT64(6)
#define S2_WRITE        BIT64(7)

static u32 level_shift(u32 level)
{
    return PAGE_SHIFT + 9 * (LEVEL_LAST - level);
}

static u64 level_size(u32 level)
{
    return BIT64(level_shift(level));
}

static u64 stage1_attr(enum pgtable_perm perm)
{
    static const u64 attr[] = {
        [PGTABLE_RO] = S1_NORMAL | SH_INNER | S1_RO | XN,
        [PGTABLE_RW] = S1_NORMAL | SH_INNER | XN,
        [PGTABLE_RX] = S1_NORMAL | SH_INNER | S1_RO,
        [PGTABLE_DEVICE] = S1_DEVICE | XN,
    };

    if (perm == PGTABLE_RWX || perm == PGTABLE_NONE || perm == PGTABLE_DEVICE_RO) {
        return 0;
    }
    return attr[perm] | S1_AP1 | AF | VALID;
}

static u64 stage2_attr(enum pgtable_perm perm, bool fwb)
{
    static const u64 rights[] = {
        [PGTABLE_RO] = S2_READ | XN,
        [PGTABLE_RW] = S2_READ | S2_WRITE | XN,
        [PGTABLE_RX] = S2_READ,
        [PGTABLE_RWX] = S2_READ | S2_WRITE,
        [PGTABLE_DEVICE] = S2_READ | S2_WRITE | XN,
        [PGTABLE_DEVICE_RO] = S2_READ | XN,
    };
    bool device = perm == PGTABLE_DEVICE || perm == PGTABLE_DEVICE_RO;
    u64 normal = (fwb ? S2_FORCE_WB : S2_NORMAL_WB) | SH_INNER;

    if (perm == PGTABLE_NONE) {
        return 0;
    }
    return rights[perm] | (device ? S2_DEVICE_NGNRE : normal) | AF | VALID;
}

/* Descriptor bits but address and kind; 0: none, or rights that the stage can't have. */
static u64 leaf_attr(const struct pgtable *pt, enum pgtable_perm perm)
{
    return pt->stage == PGTABLE_EL2 ? stage1_attr(perm)
                                    : stage2_attr(perm, pt->stage == PGTABLE_STAGE2_FWB);
}

static u64 leaf_make(hpa_t pa, u64 attr, u32 level)
{
    return attr == 0 ? 0 : pa | attr | (level == LEVEL_LAST ? TABLE : 0);
}

static bool is_table(u64 entry, u32 level)
{
    return level < LEVEL_LAST && (entry & (VALID | TABLE)) == (VALID | TABLE);
}

static u64 *table_of(u64 entry)
{
    return (u64 *)(uintptr_t)(entry & ADDRESS);
}

static u32 root_entries(const struct pgtable *pt)
{
    return 1u << (pt->bits - level_shift(pt->level));
}

static u64 *entry_at(const struct pgtable *pt, u64 *table, u32 level, u64 va)
{
    u64 index = va >> level_shift(level);

    return &table[index & ((level == pt->level ? root_entries(pt) : ENTRIES) - 1)];
}

static bool in_range(const struct pgtable *pt, u64 va, hpa_t pa, u64 size)
{
    return ((va | pa | size) & (PAGE_SIZE - 1)) == 0 &&
           range_within(va, size, 0, BIT64(pt->bits)) && range_within(pa, size, 0, BIT64(OUT_BITS));
}

static u8 start_level(enum pgtable_stage stage, u32 bits)
{
    return bits <= (stage == PGTABLE_EL2 ? 39 : 43) ? 1 : 0;
}

struct pgtable pgtable_at(hpa_t root, enum pgtable_stage stage, u32 bits, void *(*alloc)(u64 size))
{
    return (struct pgtable){
        .root = (u64 *)(uintptr_t)root,
        .stage = (u8)stage,
        .bits = (u8)bits,
        .level = start_level(stage, bits),
        .alloc = alloc,
    };
}

bool pgtable_create(struct pgtable *pt, enum pgtable_stage stage, u32 bits,
                    void *(*alloc)(u64 size))
{
    size_t size, align;
    void *p;

    if (bits < 32 || bits > 48) {
        return false;
    }
    *pt = pgtable_at(0, stage, bits, alloc);
    size = MAX(root_entries(pt) * sizeof(u64), (size_t)PAGE_SIZE);
    /* concatenated pages are aligned to their sum, which alloc doesn't promise */
    align = size;
    p = alloc(size + align - PAGE_SIZE);
    pt->root = (u64 *)ALIGN_UP((uintptr_t)p, (uintptr_t)align);
    return p != NULL;
}

/*
 * The entry for va at `level`, or at a deeper one where tables go on; *level is where it lies.
 * Makes the tables on the way. NULL: a block is in the way, or no memory.
 */
static u64 *descend(struct pgtable *pt, u64 va, u32 *level)
{
    u64 *table = pt->root;
    u32 at = pt->level;
    u64 *e = entry_at(pt, table, at, va);

    while (at < *level || is_table(*e, at)) {
        if (*e == 0) {
            table = pt->alloc(PAGE_SIZE);
            if (table == NULL) {
                return NULL;
            }
            /* release: walkers see the zeroes before they can get there */
            atomic_store_release(e, (u64)(uintptr_t)table | TABLE | VALID);
        } else if (!is_table(*e, at)) {
            return NULL;
        }
        table = table_of(*e);
        at++;
        e = entry_at(pt, table, at, va);
    }
    *level = at;
    return e;
}

/* The lowest level (largest block) that starts at va and pa and is no larger than size. */
static u32 block_level(u64 va, hpa_t pa, u64 size)
{
    u32 level = 1;

    while (level < LEVEL_LAST &&
           (((va | pa) & (level_size(level) - 1)) != 0 || size < level_size(level))) {
        level++;
    }
    return level;
}

/* An entry that follows one of another table. */
static bool starts_table(const u64 *entry)
{
    return ((uintptr_t)entry & (PAGE_SIZE - 1)) == 0;
}

bool pgtable_map(struct pgtable *pt, u64 va, hpa_t pa, u64 size, enum pgtable_perm perm)
{
    u64 attr = leaf_attr(pt, perm);

    if (attr == 0 || !in_range(pt, va, pa, size)) {
        return false;
    }
    while (size > 0) {
        u32 level = block_level(va, pa, size);
        u64 *e = descend(pt, va, &level);

        if (e == NULL || *e != 0) {
            return false;
        }
        do {
            atomic_store(e++, leaf_make(pa, attr, level));
            va += level_size(level);
            pa += level_size(level);
            size -= level_size(level);
        } while (size > 0 && !starts_table(e) && *e == 0 && block_level(va, pa, size) == level);
    }
    return true;
}

/* The valid leaf for va, or NULL. */
static u64 *find_leaf(const struct pgtable *pt, u64 va, u32 *level)
{
    u32 at = pt->level;
    u64 *e = entry_at(pt, pt->root, at, va);

    while (is_table(*e, at)) {
        at++;
        e = entry_at(pt, table_of(*e), at, va);
    }
    *level = at;
    return *e == 0 ? NULL : e;
}

bool pgtable_unmap(struct pgtable *pt, u64 va, u64 size)
{
    if (!in_range(pt, va, 0, size)) {
        return false;
    }
    while (size > 0) {
        u32 level;
        u64 *e = find_leaf(pt, va, &level);

        if (e == NULL || (va & (level_size(level) - 1)) != 0 || size < level_size(level)) {
            return false;
        }
        do {
            atomic_store(e++, 0ull);
            va += level_size(level);
            size -= level_size(level);
        } while (size >= level_size(level) && !starts_table(e) && *e != 0 && !is_table(*e, level));
    }
    return true;
}

static enum pgtable_perm perm_of(const struct pgtable *pt, u64 entry, u32 level)
{
    u64 attr = entry & ~(ADDRESS | (level == LEVEL_LAST ? TABLE : 0));

    for (u32 perm = PGTABLE_RO; perm <= PGTABLE_DEVICE_RO; perm++) {
        if (leaf_attr(pt, perm) == attr) {
            return perm;
        }
    }
    return PGTABLE_NONE;
}

bool pgtable_lookup(const struct pgtable *pt, u64 va, struct pgtable_leaf *out)
{
    u32 level;
    const u64 *e;

    if (va >= BIT64(pt->bits)) {
        return false;
    }
    e = find_leaf(pt, va, &level);
    if (e == NULL) {
        return false;
    }
    *out = (struct pgtable_leaf){
        .pa = (*e & ADDRESS) | (va & (level_size(level) - 1)),
        .size = level_size(level),
        .entry = *e,
        .level = level,
        .perm = (u8)perm_of(pt, *e, level),
    };
    return true;
}

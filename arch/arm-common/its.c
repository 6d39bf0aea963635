/* SPDX-License-Identifier: MIT */
/*
 * GICv3 ITS: flat tables, one collection for each CPU that gets messages, one translation table for
 * each device. The tables are handed over once, at its_start, and cleaned to memory, as is each
 * command, so that it doesn't matter whether this ITS looks into the caches; how it is to read them
 * it's told by what it makes of the attributes. See its.h. References are to IHI 0069.
 */
#include "arch/arm-common/its.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/io.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/page.h"
#include "core/vm.h"
#include "sysreg.h"

#include <string.h>

/* ITS registers (§12.19) */
#define GITS_CTLR         0x0000
#define CTLR_ENABLED      BIT(0)
#define CTLR_QUIESCENT    BIT(31)
#define GITS_TYPER        0x0008
#define TYPER_PHYSICAL    BIT64(0)
#define TYPER_SEIS        BIT64(18)
#define TYPER_PTA         BIT64(19)
#define TYPER_CIL         BIT64(36)
#define GITS_CBASER       0x0080
#define GITS_CWRITER      0x0088
#define GITS_CREADR       0x0090
#define CREADR_STALLED    BIT(0)
#define GITS_BASER(n)     (0x0100 + 8 * (n))
#define BASERS            8
#define BASER_DEVICES     1
#define BASER_COLLECTIONS 4
#define TRANSLATION_FRAME 0x10000 /* GITS_TRANSLATER is in its first page */

/* Of all bases: valid; inner write-back, inner shareable (§12.19.1) */
#define BASE_VALID       BIT64(63)
#define BASE_CACHE       59 /* shift of InnerCache; a redistributor's is elsewhere */
#define CACHE_WB         7ull
#define CACHE_NONE       1ull
#define BASE_INNER_SHARE (1ull << 10)
#define BASE_SHARE       (3ull << 10)
#define BASE_ATTRS       (BASE_VALID | CACHE_WB << BASE_CACHE | BASE_INNER_SHARE)

/* Redistributor (§12.11) */
#define GICR_CTLR        0x0000
#define CTLR_ENABLE_LPIS BIT(0)
#define GICR_TYPER       0x0008
#define TYPER_PLPIS      BIT(0)
#define GICR_PROPBASER   0x0070
#define GICR_PENDBASER   0x0078
#define RBASE_CACHE      7
#define RBASE_ATTRS      (CACHE_WB << RBASE_CACHE | BASE_INNER_SHARE)
#define PENDBASER_ZERO   BIT64(62)

/* Distributor (§12.9.38) */
#define GICD_TYPER_LPIS     BIT(17)
#define GICD_TYPER_IDBITS   19 /* shifts */
#define GICD_TYPER_NUM_LPIS 11

/* Commands (§5.3), 4 words each */
#define CMD_WORDS  4
#define CMD_SYNC   0x05
#define CMD_MAPD   0x08
#define CMD_MAPC   0x09
#define CMD_MAPTI  0x0a
#define CMD_INVALL 0x0d
#define CMD_VALID  BIT64(63)

#define DEVICES_LOG2  4
#define DEVICES       BIT(DEVICES_LOG2)
#define EVENT_BITS    9 /* EventIDs are INTIDs of guests' SPIs */
#define EVENTS_LOG2   6
#define EVENTS        BIT(EVENTS_LOG2)
#define LPI_BITS      14 /* the least that there can be: LPIs 8192 to 16383 */
#define LPIS          ((1u << LPI_BITS) - ITS_LPI_FIRST)
#define LPI_ENABLED   3 /* bit 1 is RES1 (§5.1.1) */
#define PENDING_ALIGN (64 * KIB)

_Static_assert(DEVICES *EVENTS <= LPIS, "an LPI for each");

struct device {
    struct vm *vm;
    u32 stream, id, first, count;
    u64 *itt;
};

static struct {
    uintptr_t base; /* 0: none */
    u64 typer;
    struct device device[DEVICES];
    u32 devices;
    u64 *cmd; /* a page */
    u32 at;   /* bytes written to it */
    bool failed;
    u32 collections;    /* that it can have: numbers from 0 on */
    bool cpu[PCPU_MAX]; /* has its collection */
} its;

static void wait_for(u32 offset, u32 mask, u32 value)
{
    if (!io_wait32(its.base + offset, mask, value)) {
        log_err("ITS: register 0x%x does not become 0x%x", offset, value);
        its.failed = true;
    }
}

/* A field of 5 bits of a TYPER register. */
static u32 field(u64 typer, u32 shift)
{
    return (u32)(typer >> shift) & 0x1f;
}

/* What this ITS, or this GIC, doesn't have of what is used here; NULL: nothing. */
static const char *lacks(u32 dist)
{
    u32 lpis = field(dist, GICD_TYPER_NUM_LPIS); /* log2, minus 1; 0: as many as there are bits */

    if ((dist & GICD_TYPER_LPIS) == 0 || field(dist, GICD_TYPER_IDBITS) + 1 < LPI_BITS) {
        return "LPIs";
    }
    if (lpis != 0 && lpis + 1 < DEVICES_LOG2 + EVENTS_LOG2) {
        return "LPIs enough";
    }
    if ((its.typer & TYPER_PHYSICAL) == 0) {
        return "physical LPIs";
    }
    return field(its.typer, 8) + 1 < EVENT_BITS ? "EventIDs of 9 bits" : NULL;
}

void its_init(const struct board *board)
{
    const char *missing;

    if (board->its.size == 0 || !gic.v3 || !boot_map_device(board->its.base, board->its.size)) {
        return;
    }
    its.base = (uintptr_t)board->its.base;
    its.typer = io_read64_halves(its.base + GITS_TYPER);
    missing = lacks(io_read32(gic.gicd + GICD_TYPER));
    if (missing != NULL) {
        log_warn("ITS: there are no %s: messages of passed devices can't come", missing);
        its.base = 0;
        return;
    }
    if ((its.typer & TYPER_SEIS) != 0) {
        log_warn(
            "ITS: it can raise SErrors: one for a device's message ends the VM that runs then");
    }
    io_write32(its.base + GITS_CTLR, 0);
    wait_for(GITS_CTLR, CTLR_QUIESCENT, CTLR_QUIESCENT);
}

hpa_t its_doorbell(void)
{
    return its.base == 0 ? 0 : its.base + TRANSLATION_FRAME;
}

bool its_attach(struct vm *vm, u32 stream, u32 device, u32 first, u32 count)
{
    u32 device_bits = field(its.typer, 13) + 1;
    struct device *d = &its.device[its.devices];

    if (its.base == 0 || its.failed) {
        log_err("%s: the board has no ITS that works: messages of its devices can't come",
                vm->name);
        return false;
    }
    for (u32 i = 0; i < its.devices; i++) {
        if (its.device[i].id == device) {
            log_err("%s: device 0x%x of the ITS is given already", vm->name, device);
            return false;
        }
    }
    if ((u64)device >> device_bits != 0 || its.devices == DEVICES || count > EVENTS ||
        first + count > BIT(EVENT_BITS)) {
        log_err("%s: the ITS has no device 0x%x, or there are more than %u", vm->name, device,
                DEVICES);
        return false;
    }
    *d = (struct device){vm, stream, device, first, count, NULL};
    its.devices++;
    return true;
}

void its_lpi(u32 intid)
{
    u32 n = intid - ITS_LPI_FIRST;

    if (n < its.devices * EVENTS && n % EVENTS < its.device[n / EVENTS].count) {
        const struct device *d = &its.device[n / EVENTS];

        dma_message_from(d->stream, d->first + n % EVENTS);
    }
}

/* --- tables ----------------------------------------------------------------------------------- */

/* Zeros in memory, whoever looks there; NULL, after a message. */
static void *table(size_t size, size_t align)
{
    void *p = page_alloc_aligned(size, align);

    if (p == NULL) {
        log_err("ITS: no memory for its tables");
        its.failed = true;
        return NULL;
    }
    arch_clean_dcache(p, size);
    return p;
}

/*
 * A base with attributes. What reads it past the caches makes it not shareable; then it isn't to be
 * cacheable either: what else the reader has of caches would not be kept up to date.
 */
static void set_base(uintptr_t reg, u64 value, u32 cache)
{
    io_write64_halves(reg, value);
    if ((io_read64_halves(reg) & BASE_SHARE) == 0) {
        value &= ~(BASE_SHARE | (CACHE_WB ^ CACHE_NONE) << cache);
        io_write64_halves(reg, value);
    }
}

/* How many entries a table of this type needs: indices from 0 on. */
static u64 entries_of(u32 type)
{
    u32 top = 0;

    for (u32 i = 0; i < its.devices && type == BASER_DEVICES; i++) {
        top = MAX(top, its.device[i].id);
    }
    return type == BASER_DEVICES ? (u64)top + 1 : PCPU_MAX;
}

/* In pages of 4 KiB if the ITS has such, else in what it has (§12.19.1). Others are none of ours.
 */
static void set_table(u32 n)
{
    uintptr_t reg = its.base + GITS_BASER(n);
    u64 baser = io_read64_halves(reg);
    u32 type = (u32)(baser >> 56) & 7, entry = (u32)(baser >> 48 & 0x1f) + 1;
    static const u8 page_bits[] = {12, 14, 16, 16};
    u32 bits;
    u64 pages;
    void *p;

    io_write64_halves(reg, 0);
    if (type != BASER_DEVICES && type != BASER_COLLECTIONS) {
        return;
    }
    if (type == BASER_COLLECTIONS) {
        its.collections = (its.typer & TYPER_CIL) != 0 ? 2u << (its.typer >> 32 & 0xf) : PCPU_MAX;
    }
    bits = page_bits[io_read64_halves(reg) >> 8 & 3];
    pages = (entries_of(type) * entry + BIT(bits) - 1) >> bits;
    if (pages > 256) {
        log_err("ITS: a table of %llu pages can't be", (unsigned long long)pages);
        its.failed = true;
        return;
    }
    p = table((size_t)pages << bits, BIT(bits));
    if (p == NULL) {
        return; /* its_start has failed */
    }
    set_base(reg, BASE_ATTRS | (u64)(uintptr_t)p | (pages - 1) | (io_read64_halves(reg) & 0x300),
             BASE_CACHE);
}

/* --- commands --------------------------------------------------------------------------------- */

static void command(u64 word0, u64 word1, u64 word2)
{
    u64 *c = &its.cmd[its.at / 8];

    if (its.failed) {
        return;
    }
    c[0] = word0;
    c[1] = word1;
    c[2] = word2;
    c[3] = 0;
    arch_clean_dcache(c, 8 * CMD_WORDS);
    dsb_sy(); /* the command before the register that lets the ITS read it */
    its.at = (its.at + 8 * CMD_WORDS) % PAGE_SIZE;
    io_write64_halves(its.base + GITS_CWRITER, its.at);
    wait_for(GITS_CREADR, (PAGE_SIZE - 1) | CREADR_STALLED, its.at);
    if (its.failed) {
        log_err("ITS: it %s command 0x%llx",
                (io_read32(its.base + GITS_CREADR) & CREADR_STALLED) != 0 ? "refuses"
                                                                          : "doesn't take",
                (unsigned long long)word0);
    }
}

/* How commands name the redistributor of a CPU: by address or by number (GITS_TYPER.PTA). */
static u64 target(const struct pcpu *p)
{
    uintptr_t frame = gicv3_redist(p);
    u64 number = io_read64_halves(frame + GICR_TYPER) >> 8 & 0xffff;

    return (its.typer & TYPER_PTA) != 0 ? (u64)frame & ~0xffffull : number << 16;
}

/* --- a CPU's LPIs ----------------------------------------------------------------------------- */

static u8 *properties(void)
{
    static u8 *p;

    if (p == NULL) {
        p = table(LPIS, PAGE_SIZE);
        if (p != NULL) {
            memset(p, GIC_PRIO | LPI_ENABLED, DEVICES * EVENTS);
            arch_clean_dcache(p, LPIS);
        }
    }
    return p;
}

/* Both tables before EnableLPIs, after which they can't change (§12.11.24). */
static bool enable_lpis(const struct pcpu *p)
{
    uintptr_t frame = gicv3_redist(p);
    const u8 *props = properties();
    const u8 *pending;

    if ((io_read32(frame + GICR_TYPER) & TYPER_PLPIS) == 0 || p->id >= its.collections) {
        log_err("ITS: CPU %u can't have LPIs", p->id);
        return false;
    }
    if ((io_read32(frame + GICR_CTLR) & CTLR_ENABLE_LPIS) != 0) {
        log_err("ITS: the firmware has left LPIs of CPU %u on", p->id);
        return false;
    }
    pending = table((1u << LPI_BITS) / 8, PENDING_ALIGN);
    if (props == NULL || pending == NULL) {
        return false;
    }
    set_base(frame + GICR_PROPBASER, RBASE_ATTRS | (u64)(uintptr_t)props | (LPI_BITS - 1),
             RBASE_CACHE);
    set_base(frame + GICR_PENDBASER, RBASE_ATTRS | (u64)(uintptr_t)pending | PENDBASER_ZERO,
             RBASE_CACHE);
    dsb_sy(); /* both tables, zeros and all, before it reads them */
    io_write32(frame + GICR_CTLR, io_read32(frame + GICR_CTLR) | CTLR_ENABLE_LPIS);
    dsb_sy();
    return true;
}

static void add_cpu(const struct pcpu *p)
{
    if (its.cpu[p->id]) {
        return;
    }
    if (!enable_lpis(p)) {
        its.failed = true;
        return;
    }
    its.cpu[p->id] = true;
    command(CMD_MAPC, 0, CMD_VALID | target(p) | p->id);
}

static void add_device(struct device *d)
{
    u32 lpi = ITS_LPI_FIRST + (u32)(d - its.device) * EVENTS;
    u32 entry = (u32)(its.typer >> 4 & 0xf) + 1;
    const struct pcpu *p = d->vm->vcpu[0]->pcpu;

    d->itt = table((size_t)entry << EVENT_BITS, PAGE_SIZE);
    if (d->itt == NULL || !p->online) {
        return; /* the VM of a CPU that isn't up is refused anyway */
    }
    add_cpu(p);
    if (its.failed) {
        return;
    }
    command((u64)d->id << 32 | CMD_MAPD, EVENT_BITS - 1, CMD_VALID | (u64)(uintptr_t)d->itt);
    for (u32 i = 0; i < d->count; i++) {
        command((u64)d->id << 32 | CMD_MAPTI, (u64)(lpi + i) << 32 | (d->first + i), p->id);
    }
    command(CMD_INVALL, 0, p->id);
    command(CMD_SYNC, 0, target(p));
}

bool its_start(void)
{
    if (its.devices == 0) {
        return true;
    }
    its.collections = (u32)(its.typer >> 24) & 0xff; /* without a table */
    for (u32 n = 0; n < BASERS; n++) {
        set_table(n);
    }
    its.cmd = table(PAGE_SIZE, PAGE_SIZE);
    if (its.failed) {
        return false;
    }
    set_base(its.base + GITS_CBASER, BASE_ATTRS | (u64)(uintptr_t)its.cmd, BASE_CACHE);
    io_write64_halves(its.base + GITS_CWRITER, 0);
    dsb_sy();
    io_write32(its.base + GITS_CTLR, CTLR_ENABLED);
    for (u32 i = 0; i < its.devices && !its.failed; i++) {
        add_device(&its.device[i]);
    }
    return !its.failed;
}

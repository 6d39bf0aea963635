/* SPDX-License-Identifier: MIT */
/* See smmu.h. Its numbers are its own: none comes from the driver. */
#include "tests/host/smmu.h"

#include "tests/host/boots.h"
#include "tests/host/devmem.h"

#include <string.h>

enum {
    IDR0 = 0x00,
    IDR1 = 0x04,
    IDR5 = 0x14,
    CR0 = 0x20,
    CR0ACK = 0x24,
    CR1 = 0x28,
    CR2 = 0x2c,
    GBPA = 0x44,
    IRQ_CTRL = 0x50,
    IRQ_CTRLACK = 0x54,
    GERROR = 0x60,
    GERRORN = 0x64,
    GERROR_IRQ = 0x68,
    STRTAB_BASE = 0x80,
    STRTAB_CFG = 0x88,
    CMDQ_BASE = 0x90,
    CMDQ_PROD = 0x98,
    CMDQ_CONS = 0x9c,
    EVENTQ_BASE = 0xa0,
    EVENTQ_IRQ = 0xb0,
    EVENTQ_PROD = 0x100a8,
    EVENTQ_CONS = 0x100ac,
};

#define SMMUEN  1u
#define EVENTEN 4u
#define CMDEN   8u
#define CACHED  128

struct smmu smmu;

static u32 regs[SMMU_SIZE / 4];
static struct {
    bool valid, dropped; /* dropped: by a command that isn't completed yet */
    u32 sid;
    u64 ste[8];
} cache[CACHED];
static bool forgot_config, forgot_tlb, forgot_el2; /* since it was off */
static bool done_config, done_tlb, done_el2;       /* … and completed */
static u32 patience;                               /* reads of CMDQ_CONS since commands came */

static u64 reg64(u32 offset)
{
    return (u64)regs[offset / 4 + 1] << 32 | regs[offset / 4];
}

u32 smmu_reg(u32 offset)
{
    return regs[offset / 4];
}

static void set(u32 offset, u32 v)
{
    regs[offset / 4] = v;
}

static bool on(u32 bit)
{
    return (smmu_reg(CR0ACK) & bit) != 0;
}

/* --- its queues --- */

static u64 word_at(u64 a)
{
    u64 v = 0;

    assert_true(devmem_read(a, &v));
    return v;
}

static u64 base_of(u32 offset)
{
    return reg64(offset) & 0x000fffffffffffe0ull;
}

static u32 log2_of(u32 offset)
{
    return regs[offset / 4] & 0x1f;
}

static u32 next(u32 index, u32 log2)
{
    return (index + 1) & ((2u << log2) - 1);
}

void smmu_error(u32 bits)
{
    u32 active = smmu_reg(GERROR) ^ smmu_reg(GERRORN);

    set(GERROR, smmu_reg(GERROR) ^ (bits & ~active));
}

static void drop(u32 sid, bool all)
{
    for (u32 i = 0; i < CACHED; i++) {
        cache[i].dropped |= all || cache[i].sid == sid;
    }
}

static void complete(void)
{
    for (u32 i = 0; i < CACHED; i++) {
        cache[i].valid &= !cache[i].dropped;
        cache[i].dropped = false;
    }
    done_config |= forgot_config;
    done_tlb |= forgot_tlb;
    done_el2 |= forgot_el2;
}

/* False: it's illegal (§4). */
static bool execute(u64 w0, u64 w1)
{
    switch (w0 & 0xff) {
    case 0x03: /* CFGI_STE */
        assert_int_equal(w0 & 0xffffff00u, 0);
        assert_int_equal(w1, 1); /* Leaf: there's but one level */
        drop((u32)(w0 >> 32), false);
        return true;
    case 0x04: /* CFGI_ALL */
        assert_int_equal(w1 & 0x1f, 31);
        drop(0, true);
        forgot_config = true;
        return true;
    case 0x20: /* TLBI_EL2_ALL: not without EL2 */
        forgot_el2 = true;
        return (smmu.idr0 & 1u << 9) != 0;
    case 0x30: /* TLBI_NSNH_ALL */
        forgot_tlb = true;
        return true;
    case 0x46: /* SYNC */
        assert_int_equal(w0 >> 8, 0);
        complete();
        return true;
    default:
        return false;
    }
}

static void run_commands(void)
{
    u32 log2 = log2_of(CMDQ_BASE), cons = smmu_reg(CMDQ_CONS) & ((2u << log2) - 1);
    u64 base = base_of(CMDQ_BASE);

    assert_true(log2 <= (smmu.idr1 >> 21 & 0x1f));
    assert_int_equal(base % (16ull << log2), 0);
    assert_true(((smmu_reg(CMDQ_PROD) - cons) & ((2u << log2) - 1)) <= 1u << log2);
    while (on(CMDEN) && !smmu.hangs && cons != smmu_reg(CMDQ_PROD) &&
           ((smmu_reg(GERROR) ^ smmu_reg(GERRORN)) & 1) == 0) {
        u64 at = base + 16ull * (cons & ((1u << log2) - 1));
        struct smmu_cmd c = {{word_at(at), word_at(at + 8)}};

        if ((smmu.refuses != 0 && (c.word[0] & 0xff) == smmu.refuses) ||
            !execute(c.word[0], c.word[1])) {
            set(CMDQ_CONS, (u32)SMMU_ILLEGAL << 24 | cons);
            smmu_error(1);
            return;
        }
        assert_true(smmu.cmds < ARRAY_SIZE(smmu.cmd));
        smmu.cmd[smmu.cmds++] = c;
        cons = next(cons, log2);
        set(CMDQ_CONS, cons);
    }
}

static void write_event(const u64 e[4])
{
    u32 log2 = log2_of(EVENTQ_BASE), mask = (2u << log2) - 1;
    u32 prod = smmu_reg(EVENTQ_PROD), cons = smmu_reg(EVENTQ_CONS);
    u64 at = base_of(EVENTQ_BASE) + 32ull * (prod & mask >> 1);

    if (!on(EVENTEN)) {
        return;
    }
    assert_true(log2 <= (smmu.idr1 >> 16 & 0x1f));
    if (((prod - cons) & mask) == 1u << log2) { /* full (§7.4) */
        smmu.lost++;
        if (((prod ^ cons) & 1u << 31) == 0) {
            set(EVENTQ_PROD, prod ^ 1u << 31);
        }
        return;
    }
    for (u32 i = 0; i < 4; i++) {
        assert_true(devmem_write(at + 8 * i, e[i]));
    }
    set(EVENTQ_PROD, (prod & 1u << 31) | next(prod & mask, log2));
    if (((prod ^ cons) & mask) == 0 && (smmu_reg(IRQ_CTRLACK) & 4) != 0) {
        smmu.irqs++;
    }
}

void smmu_event(u32 type, u32 sid, u64 address, bool write)
{
    const u64 e[4] = {(u64)sid << 32 | type, (write ? 0 : 1ull << 35) | 1ull << 39, address,
                      address & ~0xfffull};

    write_event(e);
}

/* --- its registers --- */

static bool is64(u32 offset, u32 base)
{
    return offset == base || offset == base + 4;
}

/* What may not be written in this state (§6.3). */
static void check_state(u32 offset)
{
    if (is64(offset, STRTAB_BASE) || offset == STRTAB_CFG || offset == CR2) {
        assert_false(on(SMMUEN));
    }
    if (offset == CR1) {
        assert_false(on(SMMUEN | EVENTEN | CMDEN));
    }
    if (is64(offset, CMDQ_BASE) || offset == CMDQ_CONS) {
        assert_false(on(CMDEN));
    }
    if (is64(offset, EVENTQ_BASE) || offset == EVENTQ_PROD) {
        assert_false(on(EVENTEN));
    }
    if (is64(offset, EVENTQ_IRQ) || is64(offset, GERROR_IRQ)) {
        assert_int_equal(smmu_reg(IRQ_CTRLACK), 0);
    }
    assert_true(offset != IDR0 && offset != IDR1 && offset != IDR5 && offset != CR0ACK &&
                offset != IRQ_CTRLACK && offset != GERROR);
}

static void set_cr0(u32 v)
{
    if (smmu.stuck == CR0) {
        return;
    }
    if ((v & SMMUEN) != 0 && !on(SMMUEN)) { /* nothing from before Muntin (§6.3.9.6) */
        assert_true(done_config && done_tlb);
        assert_true(done_el2 || (smmu.idr0 & 1u << 9) == 0);
    }
    set(CR0ACK, v);
    run_commands();
}

static void write_reg(u32 offset, u32 v)
{
    if (smmu.meanwhile != NULL) {
        smmu.meanwhile(offset, true);
    }
    check_state(offset);
    switch (offset) {
    case GBPA: /* UPDATE goes when it's done (§6.3.15) */
        assert_int_equal(smmu_reg(GBPA) & 1u << 31, 0);
        assert_int_equal(v >> 31, 1);
        set(GBPA, smmu.stuck == GBPA ? v : v & ~(1u << 31));
        return;
    case CMDQ_PROD:
        patience = 0;
        break;
    case GERRORN: /* only active bits may be toggled (§7.5) */
        assert_int_equal((v ^ smmu_reg(GERRORN)) & ~(smmu_reg(GERROR) ^ smmu_reg(GERRORN)), 0);
        break;
    default:
        break;
    }
    set(offset, v);
    if (offset == CR0) {
        set_cr0(v);
    } else if (offset == IRQ_CTRL && smmu.stuck != IRQ_CTRL) {
        set(IRQ_CTRLACK, v);
    } else if ((offset == CMDQ_PROD && smmu.slow == 0) || offset == GERRORN) {
        run_commands();
    }
}

static u32 read_reg(u32 offset)
{
    if (smmu.meanwhile != NULL) {
        smmu.meanwhile(offset, false);
    }
    switch (offset) {
    case IDR0:
        return smmu.idr0;
    case IDR1:
        return smmu.idr1;
    case IDR5:
        return smmu.idr5;
    case CMDQ_CONS:
        if (smmu.slow != 0 && ++patience >= smmu.slow) {
            run_commands();
        }
        break;
    default:
        break;
    }
    return smmu_reg(offset);
}

/* --- translation --- */

void smmu_entry(u32 sid, u64 ste[8])
{
    for (u32 i = 0; i < 8; i++) {
        ste[i] = word_at(base_of(STRTAB_BASE) + 64ull * sid + 8 * i);
    }
}

static const u64 *entry_of(u32 sid)
{
    u32 free = CACHED;

    for (u32 i = 0; i < CACHED; i++) {
        if (cache[i].valid && cache[i].sid == sid) {
            return cache[i].ste;
        }
        free = cache[i].valid ? free : i;
    }
    assert_true(free < CACHED);
    cache[free].valid = true;
    cache[free].dropped = false;
    cache[free].sid = sid;
    smmu_entry(sid, cache[free].ste);
    return cache[free].ste;
}

static u32 bits(u64 word, u32 low, u32 count)
{
    return (u32)(word >> low) & ((1u << count) - 1);
}

/* Stage 2 as this one can do it; the others are ILLEGAL (§5.2). */
static bool legal(const u64 *ste)
{
    u32 t0sz = bits(ste[2], 32, 6), sl0 = bits(ste[2], 38, 2), ps = bits(ste[2], 48, 3);

    if (bits(ste[0], 1, 3) != 6 || bits(ste[2], 51, 1) != 1 || bits(ste[2], 46, 2) != 0 ||
        bits(ste[2], 52, 1) != 0) { /* AA64, pages of 4 KiB, little-endian */
        return false;
    }
    if (ps > (smmu.idr5 & 7) || t0sz < 16 || t0sz > 39 || sl0 > 2 || sl0 == 0) {
        return false;
    }
    if ((smmu.idr0 >> 24 & 3) == 2 && bits(ste[2], 57, 1) == 0) {
        return false;
    }
    return bits(ste[2], 0, 16) != 0; /* VMID 0 is nobody's */
}

static u32 walk(const u64 *ste, u64 ipa, bool write, u64 *pa)
{
    static const u32 sizes[] = {32, 36, 40, 42, 44, 48};
    u32 size = 64 - bits(ste[2], 32, 6), level = 2 - bits(ste[2], 38, 2);
    u32 reach = sizes[MIN(bits(ste[2], 48, 3), 5u)];
    u64 table = ste[3] & 0x000ffffffffff000ull;

    if (ipa >> size != 0) {
        return 0x10;
    }
    for (u32 first = level; level < 4; level++) {
        u32 shift = 39 - 9 * level;
        u32 index = (u32)(ipa >> shift) & (level == first ? ~0u : 511u);
        u64 d = word_at(table + 8ull * index);

        assert_true(level != first || (table & ((8ull << (size - shift)) - 1)) == 0);
        if ((d & 1) == 0 || (level == 3 && (d & 2) == 0) || (level == 0 && (d & 2) == 0)) {
            return 0x10; /* F_TRANSLATION */
        }
        if ((d & 2) != 0 && level < 3) {
            table = d & 0x000ffffffffff000ull;
            continue;
        }
        *pa =
            (d & (0x000ffffffffff000ull & ~((1ull << shift) - 1))) | (ipa & ((1ull << shift) - 1));
        if (*pa >> reach != 0) {
            return 0x11; /* F_ADDR_SIZE */
        }
        if (bits(d, 10, 1) == 0 && bits(ste[2], 53, 1) == 0) {
            return 0x12; /* F_ACCESS */
        }
        return (d & (write ? 1ull << 7 : 1ull << 6)) != 0 ? 0 : 0x13; /* F_PERMISSION */
    }
    return 0x10;
}

bool smmu_dma(u32 sid, u64 address, bool write, u64 *pa)
{
    const u64 *ste;
    u32 fault;

    *pa = address;
    if (!on(SMMUEN)) {
        return (smmu_reg(GBPA) & 1u << 20) == 0;
    }
    assert_int_equal(smmu_reg(STRTAB_CFG) >> 16, 0); /* linear */
    if (sid >> (smmu_reg(STRTAB_CFG) & 0x3f) != 0) {
        return false; /* without an event: CR2.RECINVSID is 0 */
    }
    ste = entry_of(sid);
    if ((ste[0] & 1) != 0 && bits(ste[0], 1, 3) == 0) {
        return false;
    }
    if ((ste[0] & 1) == 0 || !legal(ste)) {
        smmu_event(0x04, sid, 0, true);
        return false;
    }
    fault = walk(ste, address, write, pa);
    if (fault != 0) {
        smmu_event(fault, sid, address, write);
    }
    return fault == 0;
}

void smmu_power_on(bool coherent)
{
    static const struct devmem_regs r = {SMMU_BASE, SMMU_SIZE, read_reg, write_reg};

    devmem_start(coherent);
    devmem_add(&r);
    /* stage 2, tables of 64 bits, coherent, EL2; 16 bits of streams; queues to 2^19; 48 bits */
    smmu.idr0 = 1u << 0 | 2u << 2 | (coherent ? 1u << 4 : 0) | 1u << 9 | 2u << 21;
    smmu.idr1 = 16u | 19u << 16 | 19u << 21;
    smmu.idr5 = 5u | 1u << 4;
    set(CR0, SMMUEN);
    set(CR0ACK, SMMUEN);
    set(STRTAB_CFG, 16);
    set(GERROR, 0x101);
    set(IRQ_CTRL, 1);
    set(IRQ_CTRLACK, 1);
    set(EVENTQ_PROD, 0x80000003); /* of before */
    set(CMDQ_PROD, 7);
}

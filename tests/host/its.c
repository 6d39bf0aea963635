/* SPDX-License-Identifier: MIT */
/* See its.h. Its numbers are its own: none comes from the driver. */
#include "tests/host/its.h"

#include "tests/host/boots.h"
#include "tests/host/devmem.h"

#include <string.h>

enum {
    GITS_CTLR = 0x0000,
    GITS_TYPER = 0x0008,
    GITS_CBASER = 0x0080,
    GITS_CWRITER = 0x0088,
    GITS_CREADR = 0x0090,
    GITS_BASER = 0x0100,
    GICR_CTLR = 0x0000,
    GICR_TYPER = 0x0008,
    GICR_PROPBASER = 0x0070,
    GICR_PENDBASER = 0x0078,
    GICD_TYPER = 0x0004,
};

#define SHARE      (3ull << 10)
#define ADDRESS    0x0000fffffffff000ull
#define FIRST_LPI  8192u
#define MAPPINGS   2048
#define COLLECTION 64

struct its its;

static u32 gits[0x200 / 4], gicr[ITS_CPUS][0x100 / 4];
static struct {
    bool valid;
    u32 id, bits;
} device[64];
static struct {
    bool valid;
    u32 cpu;
} collection[COLLECTION];
static struct {
    u32 device, event, lpi, icid;
    u8 config; /* as it was read */
} mapped[MAPPINGS];
static u32 ndevices, nmapped;

static u64 get64(const u32 *r, u32 offset)
{
    return (u64)r[offset / 4 + 1] << 32 | r[offset / 4];
}

static void put64(u32 *r, u32 offset, u64 v)
{
    r[offset / 4] = (u32)v;
    r[offset / 4 + 1] = (u32)(v >> 32);
}

void its_set_reg(u32 offset, u64 v)
{
    put64(gits, offset, v);
}

u64 its_gicr(u32 cpu, u32 offset)
{
    return get64(gicr[cpu], offset);
}

void its_set_gicr(u32 cpu, u32 offset, u64 v)
{
    put64(gicr[cpu], offset, v);
}

/* What of a base sticks, as far as it depends on the ITS. */
static u32 low_half(u32 v)
{
    return its.shares ? v : v & ~(u32)SHARE;
}

/* GITS_BASER(n): what is fixed of it, and what was written. None that isn't there. */
static u32 read_baser(u32 n, u32 half)
{
    u32 v = gits[(GITS_BASER + 8 * n + 4 * half) / 4];

    if (its.table[n].type == 0) {
        return 0;
    }
    if (half == 0) {
        return low_half((v & ~0x300u) | (u32)its.table[n].page << 8);
    }
    return (v & ~0x071f0000u) | (u32)its.table[n].type << 24 | (its.table[n].entry - 1u) << 16;
}

u64 its_reg(u32 offset)
{
    if (offset >= GITS_BASER && offset < GITS_BASER + 64) {
        return (u64)read_baser((offset - GITS_BASER) / 8, 1) << 32 |
               read_baser((offset - GITS_BASER) / 8, 0);
    }
    return get64(gits, offset);
}

static u64 word_at(u64 a)
{
    u64 v = 0;

    assert_true(devmem_read(a, &v));
    return v;
}

/* Memory that is handed over to the hardware. */
static void check_zeros(u64 a, u64 size)
{
    for (u64 at = a; at < a + size; at += 8) {
        assert_int_equal(word_at(at), 0);
    }
}

/* What reads memory past the caches takes no attributes but "not cacheable" (cache: a shift). */
static void check_attributes(u64 base, u32 cache)
{
    assert_int_equal(base >> 10 & 3, its.shares ? 1 : 0);
    assert_int_equal(base >> cache & 7, its.shares ? 7 : 1);
}

static bool enabled(void)
{
    return (gits[GITS_CTLR / 4] & 1) != 0;
}

/* --- commands (§5.3) --- */

/* How many entries the table of this type has; none: what it has in itself. */
static u64 entries(u32 type, u64 otherwise)
{
    for (u32 n = 0; n < 8; n++) {
        u64 baser = its_reg(GITS_BASER + 8 * n);

        if (its.table[n].type == type) {
            assert_int_equal(baser >> 63, 1);
            return ((baser & 0xff) + 1) * (4096ull << 2 * its.table[n].page) / its.table[n].entry;
        }
    }
    return otherwise;
}

static u32 cpu_of(u64 rdbase)
{
    for (u32 n = 0; n < ITS_CPUS; n++) {
        u64 name =
            (its.typer & 1ull << 19) != 0 ? ITS_REDIST(n) : (its.gicr_typer[n] >> 8 & 0xffff) << 16;

        if ((rdbase & 0x0007ffffffff0000ull) == name) {
            assert_int_equal(gicr[n][GICR_CTLR / 4] & 1, 1);
            return n;
        }
    }
    fail_msg("no redistributor is called 0x%llx", (unsigned long long)rdbase);
    return 0;
}

static u8 config_of(u32 lpi, u32 cpu)
{
    u64 base = its_gicr(cpu, GICR_PROPBASER) & ADDRESS;
    u32 n = lpi - FIRST_LPI;

    assert_true(lpi >= FIRST_LPI && lpi < 2u << (its_gicr(cpu, GICR_PROPBASER) & 0x1f));
    return (u8)(word_at(base + ALIGN_DOWN(n, 8u)) >> 8 * (n % 8));
}

static u32 find_device(u32 id)
{
    for (u32 i = 0; i < ndevices; i++) {
        if (device[i].valid && device[i].id == id) {
            return i;
        }
    }
    return ARRAY_SIZE(device);
}

static void map_device(const u64 *w)
{
    u32 bits = (u32)(w[1] & 0x1f) + 1, entry = (u32)(its.typer >> 4 & 0xf) + 1;

    assert_true(w[0] >> 32 < entries(1, 1ull << ((its.typer >> 13 & 0x1f) + 1)));
    assert_true(bits <= (its.typer >> 8 & 0x1f) + 1);
    assert_int_equal(w[2] >> 63, 1);
    assert_int_equal(w[2] & 0xff, 0);
    check_zeros(w[2] & 0x000fffffffffff00ull, (u64)entry << bits);
    assert_int_equal(find_device((u32)(w[0] >> 32)), ARRAY_SIZE(device));
    assert_true(ndevices < ARRAY_SIZE(device));
    device[ndevices].valid = true;
    device[ndevices].id = (u32)(w[0] >> 32);
    device[ndevices++].bits = bits;
}

static void map_collection(const u64 *w)
{
    u32 icid = (u32)w[2] & 0xffff;

    assert_int_equal(w[2] >> 63, 1);
    assert_true(icid < entries(4, its.typer >> 24 & 0xff) && icid < COLLECTION);
    collection[icid].valid = true;
    collection[icid].cpu = cpu_of(w[2]);
}

static void map_event(const u64 *w)
{
    u32 d = find_device((u32)(w[0] >> 32)), icid = (u32)w[2] & 0xffff;

    assert_true(d < ARRAY_SIZE(device));
    assert_true((u32)w[1] >> device[d].bits == 0);
    assert_true(icid < COLLECTION && collection[icid].valid);
    assert_true(nmapped < MAPPINGS);
    for (u32 i = 0; i < nmapped; i++) {
        assert_int_not_equal(mapped[i].lpi, (u32)(w[1] >> 32));
    }
    mapped[nmapped].device = device[d].id;
    mapped[nmapped].event = (u32)w[1];
    mapped[nmapped].lpi = (u32)(w[1] >> 32);
    mapped[nmapped].icid = icid;
    mapped[nmapped].config = 0;
    nmapped++;
}

static void read_configs(u32 icid)
{
    assert_true(icid < COLLECTION && collection[icid].valid);
    for (u32 i = 0; i < nmapped; i++) {
        if (mapped[i].icid == icid) {
            mapped[i].config = config_of(mapped[i].lpi, collection[icid].cpu);
        }
    }
}

static bool execute(const u64 *w)
{
    switch (w[0] & 0xff) {
    case 0x05: /* SYNC */
        (void)cpu_of(w[2]);
        return true;
    case 0x08:
        map_device(w);
        return true;
    case 0x09:
        map_collection(w);
        return true;
    case 0x0a:
        map_event(w);
        return true;
    case 0x0d: /* INVALL */
        read_configs((u32)w[2] & 0xffff);
        return true;
    default:
        return false;
    }
}

static void run_commands(void)
{
    u64 base = its_reg(GITS_CBASER);
    u32 size = ((u32)(base & 0xff) + 1) * 4096, at = gits[GITS_CREADR / 4];

    while (enabled() && !its.hangs && (at & 1) == 0 && at != gits[GITS_CWRITER / 4]) {
        struct its_cmd c;

        assert_true(gits[GITS_CWRITER / 4] < size);
        for (u32 i = 0; i < 4; i++) {
            c.word[i] = word_at((base & ADDRESS) + at + 8 * i);
        }
        if ((its.refuses != 0 && (c.word[0] & 0xff) == its.refuses) || !execute(c.word)) {
            gits[GITS_CREADR / 4] = at | 1;
            return;
        }
        assert_true(its.cmds < ARRAY_SIZE(its.cmd));
        its.cmd[its.cmds++] = c;
        at = (at + 32) % size;
        gits[GITS_CREADR / 4] = at;
    }
}

u32 its_message(u32 id, u32 event, u32 *cpu)
{
    for (u32 i = 0; i < nmapped && enabled(); i++) {
        if (mapped[i].device == id && mapped[i].event == event && (mapped[i].config & 1) != 0) {
            assert_int_equal(mapped[i].config & 0xfe, 0xa2); /* a priority; bit 1 is RES1 */
            *cpu = collection[mapped[i].icid].cpu;
            return mapped[i].lpi;
        }
    }
    return ITS_NO_LPI;
}

/* --- registers --- */

static void check_table(u32 n)
{
    u64 baser = its_reg(GITS_BASER + 8 * n), page = 4096ull << 2 * its.table[n].page;

    if (baser >> 63 != 0) {
        assert_true(its.table[n].type == 1 || its.table[n].type == 4);
        assert_int_equal(baser >> 62 & 1, 0); /* flat */
        assert_int_equal((baser & ADDRESS) % page, 0);
        check_attributes(baser, 59);
        check_zeros(baser & ADDRESS, ((baser & 0xff) + 1) * page);
    }
}

static void its_write(u32 offset, u32 v)
{
    if (offset >= GITS_BASER && offset < GITS_BASER + 64) {
        assert_false(enabled());
        gits[offset / 4] = v;
        return;
    }
    switch (offset) {
    case GITS_CTLR:
        assert_int_equal(v & ~1u, 0);
        gits[0] = v | (v == 0 && !its.restless ? 1u << 31 : 0);
        for (u32 n = 0; n < 8 && v == 1; n++) {
            check_table(n);
        }
        if (v == 1) {
            check_attributes(its_reg(GITS_CBASER), 59);
        }
        break;
    case GITS_CBASER:
    case GITS_CBASER + 4:
        assert_false(enabled());
        gits[offset / 4] = offset == GITS_CBASER ? low_half(v) : v;
        gits[GITS_CREADR / 4] = 0;
        break;
    case GITS_CWRITER:
    case GITS_CWRITER + 4:
        gits[offset / 4] = v;
        break;
    default:
        fail_msg("GITS register 0x%x is written", offset);
    }
    run_commands();
}

static u32 its_read(u32 offset)
{
    if (offset == GITS_TYPER || offset == GITS_TYPER + 4) {
        return (u32)(its.typer >> 8 * (offset - GITS_TYPER));
    }
    assert_true(offset < sizeof(gits));
    return (u32)(its_reg(ALIGN_DOWN(offset, 8u)) >> 8 * (offset % 8));
}

static void check_lpis(u32 cpu)
{
    u64 props = its_gicr(cpu, GICR_PROPBASER), pending = its_gicr(cpu, GICR_PENDBASER);
    u32 bits = (u32)(props & 0x1f) + 1;

    assert_true(bits >= 14 && bits <= (its.gicd_typer >> 19 & 0x1f) + 1);
    check_attributes(props, 7);
    check_attributes(pending, 7);
    assert_int_equal(pending >> 62 & 1, 1); /* PTZ */
    assert_int_equal((pending & ADDRESS) % 65536, 0);
    check_zeros(pending & ADDRESS, (1ull << bits) / 8);
    (void)word_at((props & ADDRESS) + (1u << bits) - FIRST_LPI - 8);
    for (u32 n = 0; n < ITS_CPUS; n++) {
        assert_true(n == cpu || (gicr[n][0] & 1) == 0 ||
                    (its_gicr(n, GICR_PENDBASER) & ADDRESS) != (pending & ADDRESS));
    }
}

static void redist_write(u32 cpu, u32 offset, u32 v)
{
    switch (offset) {
    case GICR_CTLR:
        if ((v & 1) != 0 && (gicr[cpu][0] & 1) == 0) {
            assert_int_equal(its.gicr_typer[cpu] & 1, 1);
            check_lpis(cpu);
        }
        break;
    case GICR_PROPBASER:
    case GICR_PENDBASER:
        v = low_half(v);
        assert_int_equal(gicr[cpu][0] & 1, 0);
        break;
    case GICR_PROPBASER + 4:
    case GICR_PENDBASER + 4:
        assert_int_equal(gicr[cpu][0] & 1, 0);
        break;
    default:
        fail_msg("GICR register 0x%x is written", offset);
    }
    gicr[cpu][offset / 4] = v;
}

static u32 redist_read(u32 cpu, u32 offset)
{
    if (offset == GICR_TYPER || offset == GICR_TYPER + 4) {
        return (u32)(its.gicr_typer[cpu] >> 8 * (offset - GICR_TYPER));
    }
    assert_true(offset < sizeof(gicr[0]));
    return gicr[cpu][offset / 4];
}

/* One function for all, by the offset from the first one's frame. */
static u32 redists_read(u32 offset)
{
    return redist_read(offset / 0x20000, offset % 0x20000);
}

static void redists_write(u32 offset, u32 v)
{
    redist_write(offset / 0x20000, offset % 0x20000, v);
}

static u32 gicd_read(u32 offset)
{
    assert_int_equal(offset, GICD_TYPER);
    return its.gicd_typer;
}

static void gicd_write(u32 offset, u32 v)
{
    fail_msg("GICD register 0x%x is written: 0x%x", offset, v);
}

void its_power_on(bool coherent)
{
    static const struct devmem_regs all[] = {
        {ITS_BASE, ITS_SIZE, its_read, its_write},
        {ITS_REDIST(0), 0x20000 * ITS_CPUS, redists_read, redists_write},
        {ITS_GICD, 0x10000, gicd_read, gicd_write},
    };

    devmem_start(coherent);
    for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
        devmem_add(&all[i]);
    }
    its.shares = coherent;
    /* physical LPIs, 12 bytes an entry, EventIDs and DeviceIDs of 16 bits */
    its.typer = 1u << 0 | 11u << 4 | 15u << 8 | 15u << 13;
    its.gicd_typer = 1u << 17 | 15u << 19; /* LPIs, 16 bits of INTIDs */
    for (u32 n = 0; n < ITS_CPUS; n++) {
        its.gicr_typer[n] = 1u << 0 | (u64)(n + 4) << 8 | (u64)n << 32;
    }
    its.table[0].type = 1; /* devices, vPEs, collections */
    its.table[0].entry = 8;
    its.table[1].type = 2;
    its.table[1].entry = 8;
    its.table[2].type = 4;
    its.table[2].entry = 8;
    gits[0] = 1; /* the firmware has used it */
    its_set_reg(GITS_BASER + 8, 1ull << 63 | 0x70000000);
}

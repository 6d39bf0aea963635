/* SPDX-License-Identifier: MIT */
/*
 * fdt/host.c and fdt/tree.c: trees in the shape of real boards (tests/unit/dts, compiled by dtc),
 * trees made on the spot for single rules, and malformed ones, which AddressSanitizer watches.
 */
#include "fdt/host.h"
#include "fdt/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#define ROOM 65536

static void *blob; /* exactly as large as its header says, so that ASan sees each byte beyond */
static struct board board;

static void set_blob(const void *data, size_t size)
{
    free(blob);
    blob = malloc(size);
    assert_non_null(blob);
    memcpy(blob, data, size);
}

static void compile(const char *name)
{
    static u8 data[ROOM];
    char command[128];
    size_t size;
    FILE *f;

    snprintf(command, sizeof(command), "dtc -q -I dts -O dtb tests/unit/dts/%s.dts", name);
    f = popen(command, "r");
    assert_non_null(f);
    size = fread(data, 1, sizeof(data), f);
    assert_int_equal(pclose(f), 0);
    set_blob(data, size);
}

/* PSCI's function as this architecture calls it: of 64 or 32 bits. */
#define CPU_ON (sizeof(void *) == 8 ? 0xc4000003 : 0x84000003)

static void read_board(const char *name)
{
    compile(name);
    assert_true(fdt_host_read(blob, &board));
    assert_ptr_equal(board.dtb, blob);
    assert_int_equal(board.dtb_size, fdt_totalsize(blob));
}

static void assert_range(struct range r, u64 base, u64 size)
{
    assert_int_equal(r.base, base);
    assert_int_equal(r.size, size);
}

static int free_blob(void **state)
{
    (void)state;
    free(blob);
    blob = NULL;
    return 0;
}

/* --- boards --- */

static void gicv2_board(void **state)
{
    (void)state;
    read_board("zcu102");
    assert_string_equal(board.model, "Test board with a GIC-400");
    assert_int_equal(board.gic_version, 2);
    assert_range(board.gicd, 0xf9010000, 0x10000);
    assert_range(board.gicc, 0xf9020000, 0x20000);
    assert_range(board.gich, 0xf9040000, 0x20000);
    assert_range(board.gicv, 0xf9060000, 0x20000);
    assert_int_equal(board.ngicr, 0);
    assert_int_equal(board.gic_maint_intid, 25);
    for (int i = 0; i < 4; i++) {
        static const u32 intid[] = {29, 30, 27, 26};

        assert_int_equal(board.timer_intid[i], intid[i]);
    }
    assert_int_equal(board.uart, UART_CADENCE);
    assert_range(board.uart_reg, 0xff000000, 0x1000);
    assert_int_equal(board.uart_intid, 53);
    assert_int_equal(board.fw_cfg.size, 0);
    assert_int_equal(board.rtc.size, 0);
}

static void memory_of_several_banks(void **state)
{
    (void)state;
    read_board("zcu102");
    assert_int_equal(board.nram, 2);
    assert_range(board.ram[0], 0, 0x7ff00000);
    assert_range(board.ram[1], 0x800000000, 0x80000000); /* 0x800 at its end is no whole page */

    assert_int_equal(board.nreserved, 4);
    assert_range(board.reserved[0], 0x7ff00000, 0x2000);
    assert_range(board.reserved[1], 0x3ed00000, 0x41000);
    assert_range(board.reserved[2], 0x70000000, 0x2000);
    assert_range(board.reserved[3], 0x70100000, 0x1000);
    assert_int_equal(board.nnomap, 1);
    assert_range(board.nomap[0], 0x3ed00000, 0x41000);
}

static void cpus_and_firmware(void **state)
{
    (void)state;
    read_board("zcu102");
    assert_int_equal(board.ncpus, 3); /* the one that failed isn't counted */
    assert_int_equal(board.cpu_mpidr[0], 0);
    assert_int_equal(board.cpu_mpidr[1], 1); /* bit 31 isn't affinity */
    assert_int_equal(board.cpu_mpidr[2], 0x100);
    assert_string_equal(board.cpu_compatible, "arm,cortex-a53");
    assert_int_equal(board.psci, CONDUIT_SMC);
    assert_int_equal(board.psci_cpu_on, CPU_ON);
    assert_int_equal(board.psci_off, 0x84000008);
    assert_int_equal(board.psci_reset, 0x84000009);
}

static void cpus_at_a_spin_table(void **state)
{
    (void)state;
    read_board("raspi4b");
    assert_int_equal(board.ncpus, 3);
    assert_int_equal(board.cpu_release[0], 0xd8);
    assert_int_equal(board.cpu_release[1], 0x4000000e0);
    assert_int_equal(board.cpu_release[2], 0); /* it says that it's started by other means */
}

static void chosen_values(void **state)
{
    static const u8 seed[] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    read_board("zcu102");
    assert_string_equal(board.bootargs, "earlycon loglevel=8");
    assert_range(board.initrd, 0x10000000, 0x400001);
    assert_int_equal(board.rng_seed_len, sizeof(seed));
    assert_memory_equal(board.rng_seed, seed, sizeof(seed));
}

static void gicv3_board(void **state)
{
    (void)state;
    read_board("versal");
    assert_int_equal(board.gic_version, 3);
    assert_range(board.gicd, 0xf9000000, 0x80000);
    assert_int_equal(board.ngicr, 2);
    assert_range(board.gicr[0], 0xf9080000, 0x80000);
    assert_range(board.gicr[1], 0xf9180000, 0x40000);
    assert_int_equal(board.gicr_stride, 0x40000);
    assert_range(board.gicc, 0xf9200000, 0x2000);
    assert_range(board.gich, 0xf9210000, 0x1000);
    assert_range(board.gicv, 0xf9220000, 0x2000);
    assert_int_equal(board.gic_maint_intid, 25);
    assert_int_equal(board.timer_intid[0], 0); /* by name, and there's no "sec-phys" */
    assert_int_equal(board.timer_intid[1], 30);
    assert_int_equal(board.timer_intid[2], 27);
    assert_int_equal(board.timer_intid[3], 26);
    assert_int_equal(board.nram, 2);
    assert_range(board.ram[1], 0x800000000, 0x180000000);
    assert_range(board.initrd, 0x810000000, 0x1000);
    assert_int_equal(board.ncpus, 2);
    assert_int_equal(board.cpu_mpidr[1], 0x100000001);
    assert_int_equal(board.psci, CONDUIT_HVC);
    assert_int_equal(board.psci_cpu_on, CPU_ON); /* its cpu_on is for PSCI 0.1 only */
}

static void uart_by_stdout_path(void **state)
{
    (void)state;
    read_board("versal");
    assert_int_equal(board.uart, UART_PL011);
    assert_range(board.uart_reg, 0xff010000, 0x1000);
    assert_int_equal(board.uart_intid, 51);
}

static void bus_that_moves_addresses(void **state)
{
    (void)state;
    read_board("raspi4b");
    assert_range(board.gicd, 0xff841000, 0x1000);
    assert_range(board.gicc, 0xff842000, 0x2000);
    assert_range(board.gich, 0xff844000, 0x2000);
    assert_range(board.gicv, 0xff846000, 0x2000);
    assert_int_equal(board.gic_maint_intid, 25);
    assert_int_equal(board.psci, CONDUIT_NONE);
    assert_int_equal(board.psci_cpu_on, 0);
    assert_range(board.ram[0], 0, 0x3b400000);
    assert_range(board.reserved[0], 0, 0x1000);
}

/* stdout-path names the mini UART, by an alias, behind PL011s; its binding has no reg-shift. */
static void uart_by_alias(void **state)
{
    (void)state;
    read_board("raspi4b");
    assert_int_equal(board.uart, UART_AUX);
    assert_range(board.uart_reg, 0xfe215040, 0x40);
    assert_int_equal(board.uart_shift, 2);
    assert_int_equal(board.uart_width, 4);
    assert_int_equal(board.uart_intid, 125);
}

static void uart_16550_board(void **state)
{
    (void)state;
    read_board("orangepi");
    assert_int_equal(board.uart, UART_DW);
    assert_range(board.uart_reg, 0x1c28400, 0x400);
    assert_int_equal(board.uart_shift, 2);
    assert_int_equal(board.uart_width, 4);
    assert_int_equal(board.uart_intid, 33);
    assert_int_equal(board.nram, 0);
    assert_int_equal(board.ncpus, 2);
    assert_int_equal(board.psci, CONDUIT_SMC);
    assert_range(board.gich, 0x1c84000, 0x2000);
    assert_int_equal(board.timer_intid[3], 26);
}

/* No PSCI: the CPUs look at a register, all at the same. */
static void cpus_that_look_at_flags(void **state)
{
    (void)state;
    read_board("vexpress");
    assert_int_equal(board.psci, CONDUIT_NONE);
    assert_int_equal(board.ncpus, 2);
    assert_int_equal(board.cpu_flags, 0x1c010030);
    assert_int_equal(board.cpu_release[0], 0x1c010030);
    assert_int_equal(board.cpu_release[1], 0x1c010030);
    assert_int_equal(board.uart, UART_PL011);
    assert_range(board.uart_reg, 0x1c090000, 0x1000);
    assert_int_equal(board.uart_intid, 37); /* by the map of a bus */
    assert_range(board.gich, 0x2c004000, 0x2000);
}

static void old_board(void **state)
{
    (void)state;
    read_board("old");
    assert_int_equal(board.psci, CONDUIT_SMC);
    assert_int_equal(board.psci_cpu_on, 0x95c1ba60);
    assert_int_equal(board.psci_off, 0);
    assert_int_equal(board.psci_reset, 0);
    assert_int_equal(board.gic_version, 2);
    assert_range(board.gich, 0, 0);
    assert_int_equal(board.gic_maint_intid, 25); /* as each GICv2 has it */
    assert_int_equal(board.timer_intid[2], 0);
    assert_int_equal(board.nram, 1); /* the other has no whole page */
    assert_range(board.ram[0], 0x40000000, 0x10000000);
    assert_int_equal(board.uart, UART_PL011);
    assert_int_equal(board.uart_intid, 0); /* its controller isn't the GIC */
    assert_range(board.fw_cfg, 0x09020000, 0x18);
    assert_range(board.rtc, 0x09010000, 0x1000); /* the first */
    assert_int_equal(board.ncpus, 0);
}

/* --- trees made here --- */

/* Starts a tree whose root has 2 and 2 cells. */
static void *begin(void)
{
    static u8 data[ROOM] __attribute__((aligned(8)));

    assert_int_equal(fdt_create(data, sizeof(data)), 0);
    assert_int_equal(fdt_finish_reservemap(data), 0);
    fdt_begin_node(data, "");
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    return data;
}

static bool finish(void *data)
{
    fdt_end_node(data);
    assert_int_equal(fdt_finish(data), 0);
    set_blob(data, fdt_totalsize(data));
    return fdt_host_read(blob, &board);
}

static void text_prop(void *data, const char *name, const char *text)
{
    fdt_property(data, name, text, (int)strlen(text) + 1);
}

static void reg(void *data, u64 base, u64 size)
{
    fdt64_t value[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};

    fdt_property(data, "reg", value, sizeof(value));
}

static void cells_prop(void *data, const char *name, const u32 *cells, u32 count)
{
    fdt32_t value[16];

    assert_true(count <= ARRAY_SIZE(value));
    for (u32 i = 0; i < count; i++) {
        value[i] = cpu_to_fdt32(cells[i]);
    }
    fdt_property(data, name, value, (int)(4 * count));
}

static void memory(void *data, u64 base, u64 size)
{
    fdt_begin_node(data, "memory");
    text_prop(data, "device_type", "memory");
    reg(data, base, size);
    fdt_end_node(data);
}

static void ram_is_rounded_inwards(void **state)
{
    void *data = begin();

    (void)state;
    memory(data, 0x40000001, 0x1ffe);                     /* 1 page and a byte less on both ends */
    memory(data, 0x50000800, 0x1800);                     /* the second page */
    memory(data, 0x60000000, 0);                          /* nothing */
    memory(data, 0xfffffffffffff000, 0x1000);             /* ends at 2^64, which has no number */
    memory(data, 0xffffffffffff0000, 0xffffffffffffffff); /* wraps around */
    memory(data, 0xfffffffffffffff8, 4);                  /* its page would be the next one */
    assert_true(finish(data));
    assert_int_equal(board.nram, 1);
    assert_range(board.ram[0], 0x50001000, 0x1000);
}

static void more_ram_than_fits_the_table(void **state)
{
    void *data = begin();

    (void)state;
    for (u32 i = 0; i < BOARD_RANGES + 4; i++) {
        memory(data, 0x40000000ull + i * 0x200000ull, 0x100000);
    }
    assert_true(finish(data));
    assert_int_equal(board.nram, BOARD_RANGES);
    assert_range(board.ram[BOARD_RANGES - 1], 0x40000000 + 15 * 0x200000, 0x100000);
    assert_int_equal(board.ram_left, 4 * 0x100000);
}

static bool is_reserved(u64 base, u64 size)
{
    for (u32 i = 0; i < board.nreserved; i++) {
        if (range_within(base, size, board.reserved[i].base, board.reserved[i].size)) {
            return true;
        }
    }
    return false;
}

static void no_reservation_is_lost(void **state)
{
    void *data = begin();

    (void)state;
    fdt_begin_node(data, "reserved-memory");
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    fdt_property(data, "ranges", "", 0);
    for (u32 i = 0; i < 40; i++) {
        fdt_begin_node(data, "r");
        reg(data, 0x40000000ull + i * 0x100000ull, 0x800);
        fdt_end_node(data);
    }
    fdt_begin_node(data, "far");
    reg(data, 0x900000000, 0x1000);
    fdt_end_node(data);
    fdt_begin_node(data, "last");
    reg(data, 0xffffffffffffe800, 0x1000);
    fdt_end_node(data);
    fdt_end_node(data);
    assert_true(finish(data));
    assert_true(board.nreserved <= BOARD_RANGES);
    for (u32 i = 0; i < 40; i++) {
        assert_true(is_reserved(0x40000000ull + i * 0x100000ull, 0x1000));
    }
    assert_true(is_reserved(0x900000000, 0x1000));
    assert_true(is_reserved(0xffffffffffffe000, 0x1000));
}

static void no_map(void *data, u64 base, u64 size)
{
    fdt_begin_node(data, "r");
    reg(data, base, size);
    fdt_property(data, "no-map", "", 0);
    fdt_end_node(data);
}

static void begin_reserved(void *data)
{
    fdt_begin_node(data, "reserved-memory");
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    fdt_property(data, "ranges", "", 0);
}

/* As on TI's J721E: 40 pieces, each behind or before the one before it. */
static void reservations_that_touch_are_one(void **state)
{
    void *data = begin();

    (void)state;
    begin_reserved(data);
    for (u32 i = 0; i < 20; i++) {
        no_map(data, 0x80000000ull + i * 0x100000ull, 0x100000);
        no_map(data, 0x7ff00000ull - i * 0x100000ull, 0x100000);
    }
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.nnomap, 1);
    assert_range(board.nomap[0], 0x80000000 - 20 * 0x100000, 40 * 0x100000);
    assert_int_equal(board.nreserved, 1);
    assert_range(board.reserved[0], 0x80000000 - 20 * 0x100000, 40 * 0x100000);
}

/* What is unmapped along with them, for want of room, is reserved as well. */
static void no_no_map_is_lost(void **state)
{
    void *data = begin();

    (void)state;
    begin_reserved(data);
    for (u32 i = 0; i < 40; i++) {
        no_map(data, 0x40000000ull + i * 0x100000ull, 0x800);
    }
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.nnomap, BOARD_RANGES);
    for (u32 i = 0; i < 40; i++) {
        bool unmapped = false;

        for (u32 j = 0; j < board.nnomap; j++) {
            unmapped |= range_within(0x40000000ull + i * 0x100000ull, PAGE_SIZE,
                                     board.nomap[j].base, board.nomap[j].size);
        }
        assert_true(unmapped);
    }
    for (u32 j = 0; j < board.nnomap; j++) {
        assert_true(is_reserved(board.nomap[j].base, board.nomap[j].size));
    }
}

/* Its flags say how the UART's interrupt is signalled; of a SCIF with one for each event none is.
 */
static void interrupt_of_a_uart(void **state)
{
    (void)state;
    for (u32 flags = 0; flags <= 8; flags++) {
        for (u32 n = 1; n <= 2; n++) {
            const u32 spec[] = {0, 33, flags, 0, 34, flags};
            void *data = begin();

            fdt_begin_node(data, "gic");
            text_prop(data, "compatible", "arm,gic-400");
            fdt_property_u32(data, "#interrupt-cells", 3);
            fdt_end_node(data);
            fdt_begin_node(data, "serial");
            text_prop(data, "compatible", n == 1 ? "amlogic,meson-gx-uart" : "renesas,scif");
            reg(data, 0x1000, 0x1000);
            cells_prop(data, "interrupts", spec, 3 * n);
            fdt_end_node(data);
            assert_true(finish(data));
            assert_int_equal(board.uart_intid, n == 1 ? 65 : 0);
            assert_int_equal(board.uart_edge, n == 1 && (flags & 3) != 0);
            assert_int_equal(board.uart_shift, n == 1 ? 0 : 2);
        }
    }
}

static void reservation_within_another(void **state)
{
    void *data = begin();

    (void)state;
    fdt_begin_node(data, "reserved-memory");
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    fdt_property(data, "ranges", "", 0);
    for (u32 i = 0; i < 3; i++) {
        fdt_begin_node(data, "r");
        reg(data, 0x40000000ull, 0x10000 >> i);
        fdt_end_node(data);
    }
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.nreserved, 1);
    assert_range(board.reserved[0], 0x40000000, 0x10000);
}

static void more_cpus_than_fit_the_table(void **state)
{
    void *data = begin();

    (void)state;
    fdt_begin_node(data, "cpus");
    fdt_property_u32(data, "#address-cells", 1);
    fdt_property_u32(data, "#size-cells", 0);
    for (u32 i = 0; i < PCPU_MAX + 3; i++) {
        fdt_begin_node(data, "cpu");
        text_prop(data, "device_type", "cpu");
        fdt_property_u32(data, "reg", i);
        fdt_end_node(data);
    }
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.ncpus, PCPU_MAX);
    assert_int_equal(board.more_cpus, 3);
    assert_int_equal(board.cpu_mpidr[PCPU_MAX - 1], PCPU_MAX - 1);
    assert_string_equal(board.cpu_compatible, "");
}

static void long_texts_are_cut(void **state)
{
    void *data = begin();
    char text[400];

    (void)state;
    memset(text, 'x', sizeof(text));
    fdt_property(data, "model", text, sizeof(text)); /* not even terminated */
    fdt_begin_node(data, "chosen");
    text[399] = '\0';
    text_prop(data, "bootargs", text);
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(strlen(board.model), sizeof(board.model) - 1);
    assert_int_equal(strlen(board.bootargs), sizeof(board.bootargs) - 1);
}

static void uart_node(void *data, const char *name, u64 base)
{
    fdt_begin_node(data, name);
    text_prop(data, "compatible", "arm,pl011");
    reg(data, base, 0x1000);
    fdt_end_node(data);
}

/* Which UART a stdout-path means, among /serial@1000, /serial@2000 and /bus/serial@3000. */
static u64 uart_of(const char *stdout_path)
{
    void *data = begin();

    uart_node(data, "serial@1000", 0x1000);
    uart_node(data, "serial@2000", 0x2000);
    fdt_begin_node(data, "bus");
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    fdt_property(data, "ranges", "", 0);
    uart_node(data, "serial@3000", 0x3000);
    fdt_end_node(data);
    fdt_begin_node(data, "aliases");
    text_prop(data, "serial0", "/bus/serial@3000");
    text_prop(data, "loop", "loop");
    fdt_property(data, "raw", "/serial@2000", 5);
    fdt_end_node(data);
    fdt_begin_node(data, "chosen");
    text_prop(data, "stdout-path", stdout_path);
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.uart, UART_PL011);
    return board.uart_reg.base;
}

static void stdout_paths(void **state)
{
    (void)state;
    assert_int_equal(uart_of("/serial@2000"), 0x2000);
    assert_int_equal(uart_of("/serial@2000:115200n8"), 0x2000);
    assert_int_equal(uart_of("/bus/serial@3000"), 0x3000);
    assert_int_equal(uart_of("/bus/serial"), 0x3000);
    assert_int_equal(uart_of("serial0"), 0x3000);
    assert_int_equal(uart_of("serial0:9600"), 0x3000);
    /* Not in the tree: the first one. */
    assert_int_equal(uart_of("/serial@200"), 0x1000);
    assert_int_equal(uart_of("/serial@20000"), 0x1000);
    assert_int_equal(uart_of("/bus"), 0x1000);
    assert_int_equal(uart_of("/bus/"), 0x1000);
    assert_int_equal(uart_of("/"), 0x1000);
    assert_int_equal(uart_of(""), 0x1000);
    assert_int_equal(uart_of("serial1"), 0x1000);
    assert_int_equal(uart_of("loop"), 0x1000);
    assert_int_equal(uart_of("raw"), 0x1000);
    assert_int_equal(uart_of("an-alias-that-is-longer-than-any-alias-may-be"), 0x1000);
    assert_int_equal(uart_of("/bus/serial@3000/more"), 0x1000);
}

/*
 * stdout-path names one without a driver; the first that has one is disabled, the next can't be
 * reached from the CPU.
 */
static void uart_without_driver(void **state)
{
    void *data = begin();

    (void)state;
    fdt_begin_node(data, "chosen");
    text_prop(data, "stdout-path", "/serial@1000");
    fdt_end_node(data);
    fdt_begin_node(data, "serial@1000");
    text_prop(data, "compatible", "test,uart");
    reg(data, 0x1000, 0x1000);
    fdt_end_node(data);
    fdt_begin_node(data, "serial@2000");
    text_prop(data, "compatible", "arm,pl011");
    text_prop(data, "status", "disabled");
    reg(data, 0x2000, 0x1000);
    fdt_end_node(data);
    fdt_begin_node(data, "bus");
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    uart_node(data, "serial@3000", 0x3000);
    fdt_end_node(data);
    uart_node(data, "serial@4000", 0x4000);
    assert_true(finish(data));
    assert_int_equal(board.uart, UART_PL011);
    assert_int_equal(board.uart_reg.base, 0x4000);
}

/* A 16550 of 0x100 bytes at 0x1000; false: it's not taken. */
static bool layout(u32 shift, u32 width, u32 offset, u64 size)
{
    void *data = begin();

    fdt_begin_node(data, "serial");
    text_prop(data, "compatible", "ns16550a");
    reg(data, 0x1000, size);
    if (shift != 0) {
        fdt_property_u32(data, "reg-shift", shift);
    }
    if (width != 0) {
        fdt_property_u32(data, "reg-io-width", width);
    }
    if (offset != 0) {
        fdt_property_u32(data, "reg-offset", offset);
    }
    fdt_end_node(data);
    assert_true(finish(data));
    assert_true(board.uart == UART_NONE || board.uart == UART_16550);
    return board.uart == UART_16550;
}

static void layouts_of_a_16550(void **state)
{
    (void)state;
    assert_true(layout(0, 0, 0, 8));
    assert_int_equal(board.uart_shift, 0);
    assert_int_equal(board.uart_width, 1);
    assert_true(layout(2, 0, 0, 0x20));
    assert_int_equal(board.uart_shift, 2);
    assert_int_equal(board.uart_width, 1);
    assert_true(layout(2, 4, 0x40, 0x60));
    assert_int_equal(board.uart_width, 4);
    assert_range(board.uart_reg, 0x1040, 0x20);
    assert_true(layout(1, 2, 0, 0x100));

    assert_false(layout(0, 0, 0, 7));
    assert_false(layout(2, 4, 0, 0x1f));
    assert_false(layout(2, 4, 0x48, 0x60));
    assert_false(layout(2, 4, 0x100, 0x60));
    assert_false(layout(5, 1, 0, 0x1000));
    assert_false(layout(32, 1, 0, 0x1000));
    assert_false(layout(2, 3, 0, 0x1000));
    assert_false(layout(3, 8, 0, 0x1000));
    assert_false(layout(1, 4, 0, 0x1000)); /* would reach into the next register */
}

static const struct {
    char compatible[48]; /* a list: each ends in a NUL, the last in two */
    enum board_uart kind;
} uarts[] = {
    {"arm,pl011\0arm,primecell", UART_PL011},
    {"arm,sbsa-uart", UART_PL011},
    {"ns16550a", UART_16550},
    {"ns16550", UART_16550},
    {"nvidia,tegra124-uart\0ns16550a", UART_16550},
    {"rockchip,rk3399-uart\0snps,dw-apb-uart", UART_DW},
    {"brcm,bcm2835-aux-uart", UART_AUX},
    {"xlnx,zynqmp-uart\0cdns,uart-r1p12", UART_CADENCE},
    {"xlnx,xuartps\0cdns,uart-r1p8", UART_CADENCE},
    {"cdns,uart-r1p8", UART_CADENCE},
    {"fsl,imx8mp-uart\0fsl,imx6q-uart", UART_IMX},
    {"fsl,imx53-uart\0fsl,imx21-uart", UART_IMX},
    {"fsl,imx1-uart", UART_NONE},
    {"nvidia,tegra210-uart\0nvidia,tegra20-uart", UART_16550},
    {"mediatek,mt8183-uart\0mediatek,mt6577-uart", UART_16550},
    {"nuvoton,npcm845-uart\0nuvoton,npcm750-uart", UART_16550},
    {"ti,am64-uart\0ti,am654-uart", UART_OMAP},
    {"ti,dra742-uart", UART_OMAP},
    {"ti,omap4-uart", UART_OMAP},
    {"fsl,imx93-lpuart\0fsl,imx7ulp-lpuart", UART_LPUART},
    {"fsl,imx8qm-lpuart\0fsl,imx8qxp-lpuart", UART_LPUART},
    {"renesas,rcar-gen3-scif\0renesas,scif", UART_SCIF},
    {"renesas,rcar-gen4-hscif\0renesas,hscif", UART_HSCIF},
    {"renesas,scif-r9a07g044", UART_SCIF},
    {"amlogic,meson-gx-uart", UART_MESON},
    {"amlogic,meson-a1-uart\0amlogic,meson-ao-uart", UART_MESON},
    {"amlogic,meson-s4-uart", UART_MESON},
    {"nxp,s32g2-linflexuart\0fsl,s32v234-linflexuart", UART_LINFLEX},
    {"marvell,armada-3700-uart", UART_MVEBU},
    {"st,stm32h7-uart", UART_STM32},
};

static void uarts_by_compatible(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(uarts); i++) {
        void *data = begin();
        const char *c = uarts[i].compatible;
        size_t len = 0;

        while (c[len] != '\0') {
            len += strlen(c + len) + 1;
        }
        fdt_begin_node(data, "serial");
        fdt_property(data, "compatible", c, (int)len);
        reg(data, 0x1000, 0x1000);
        fdt_end_node(data);
        assert_true(finish(data));
        assert_int_equal(board.uart, uarts[i].kind);
    }
}

static void disabled_bus_hides_its_devices(void **state)
{
    void *data = begin();

    (void)state;
    fdt_begin_node(data, "bus");
    text_prop(data, "status", "disabled");
    fdt_property(data, "ranges", "", 0);
    fdt_property_u32(data, "#address-cells", 2);
    fdt_property_u32(data, "#size-cells", 2);
    uart_node(data, "serial@3000", 0x3000);
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.uart, UART_NONE);
}

static void window_that_wraps_around(void **state)
{
    void *data = begin();

    (void)state;
    uart_node(data, "serial@fffffffffffff000", 0xfffffffffffff000);
    assert_true(finish(data));
    assert_int_equal(board.uart, UART_NONE);
}

/* Two CPUs, the second with a word of its own, and system registers of this size. */
static void flags_of(u64 size, bool psci)
{
    void *data = begin();

    fdt_begin_node(data, "cpus");
    fdt_property_u32(data, "#address-cells", 1);
    fdt_property_u32(data, "#size-cells", 0);
    for (u32 i = 0; i < 2; i++) {
        fdt_begin_node(data, i == 0 ? "cpu@0" : "cpu@1");
        text_prop(data, "device_type", "cpu");
        fdt_property_u32(data, "reg", i);
        if (i == 1) {
            text_prop(data, "enable-method", "spin-table");
            fdt_property_u64(data, "cpu-release-addr", 0xd8);
        }
        fdt_end_node(data);
    }
    fdt_end_node(data);
    fdt_begin_node(data, "sysreg");
    text_prop(data, "compatible", "arm,vexpress-sysreg");
    reg(data, 0x1000, size);
    fdt_end_node(data);
    if (psci) {
        fdt_begin_node(data, "psci");
        text_prop(data, "compatible", "arm,psci-1.0");
        text_prop(data, "method", "smc");
        fdt_end_node(data);
    }
    assert_true(finish(data));
}

static void flags_are_the_last_resort(void **state)
{
    (void)state;
    flags_of(0x38, false);
    assert_int_equal(board.cpu_flags, 0x1030);
    assert_int_equal(board.cpu_release[0], 0x1030);
    assert_int_equal(board.cpu_release[1], 0xd8);
    flags_of(0x38, true);
    assert_int_equal(board.cpu_flags, 0);
    assert_int_equal(board.cpu_release[0], 0);
    flags_of(0x37, false);
    assert_int_equal(board.cpu_flags, 0);
    assert_int_equal(board.cpu_release[0], 0);
    assert_int_equal(board.cpu_release[1], 0xd8);
}

/* INTID of a UART whose `prop` is a phandle, or nothing, and SPI 5; the GIC's phandle is 1. */
static u32 uart_intid(const char *prop, u32 parent, u32 controller)
{
    fdt32_t spec[4] = {cpu_to_fdt32(controller), 0, cpu_to_fdt32(5), cpu_to_fdt32(4)};
    u32 skip = controller == 0;
    void *data = begin();

    fdt_begin_node(data, "gic");
    text_prop(data, "compatible", "arm,gic-400");
    fdt_property_u32(data, "#interrupt-cells", 3);
    fdt_property_u32(data, "phandle", 1);
    fdt_end_node(data);
    fdt_begin_node(data, "serial");
    text_prop(data, "compatible", "arm,pl011");
    reg(data, 0x1000, 0x1000);
    if (parent != 0) {
        fdt_property_u32(data, "interrupt-parent", parent);
    }
    fdt_property(data, prop, &spec[skip], (int)(16 - 4 * skip));
    fdt_end_node(data);
    assert_true(finish(data));
    return board.uart_intid;
}

static void interrupts_go_to_the_gic(void **state)
{
    (void)state;
    assert_int_equal(uart_intid("interrupts", 1, 0), 37);
    assert_int_equal(uart_intid("interrupts", 0, 0), 37); /* nobody says whose: there's one */
    assert_int_equal(uart_intid("interrupts", 2, 0), 0);
    assert_int_equal(uart_intid("interrupts-extended", 0, 1), 37);
    assert_int_equal(uart_intid("interrupts-extended", 1, 2), 0);
}

/* Nodes deeper than the walk goes are passed over, and it finds its way back. */

/*
 * A bus with this map, of address cells, interrupt cells, a mask and entries; a UART in it with the
 * interrupt 5 of two cells. The GIC's phandle is 1, and an address before its specifiers has a
 * cell.
 */
struct map {
    u32 address, cells, nmask, nmap;
    u32 mask[4], map[16];
};

static u32 mapped_intid(const struct map *m, bool own_parent)
{
    static const u32 five[] = {5, 0};
    void *data = begin();

    fdt_begin_node(data, "bus");
    fdt_property_u32(data, "#address-cells", m->address);
    fdt_property_u32(data, "#size-cells", 2);
    fdt_property(data, "ranges", "", 0);
    fdt_property_u32(data, "#interrupt-cells", m->cells);
    cells_prop(data, "interrupt-map", m->map, m->nmap);
    if (m->nmask > 0) {
        cells_prop(data, "interrupt-map-mask", m->mask, m->nmask);
    }
    fdt_begin_node(data, "inner");
    fdt_property_u32(data, "#address-cells", m->address);
    fdt_property_u32(data, "#size-cells", 2);
    fdt_property(data, "ranges", "", 0);
    fdt_begin_node(data, "serial@1000");
    text_prop(data, "compatible", "arm,pl011");
    if (m->address == 2) {
        reg(data, 0x1000, 0x1000);
    } else {
        cells_prop(data, "reg", (u32[]){0x1000, 0, 0x1000}, 3);
    }
    if (own_parent) {
        fdt_property_u32(data, "interrupt-parent", 1);
        cells_prop(data, "interrupts", (u32[]){0, 9, 4}, 3);
    } else {
        cells_prop(data, "interrupts", five, 2);
    }
    fdt_end_node(data);
    fdt_end_node(data);
    fdt_end_node(data);
    fdt_begin_node(data, "gic");
    text_prop(data, "compatible", "arm,gic-400");
    fdt_property_u32(data, "phandle", 1);
    fdt_property_u32(data, "#address-cells", 1);
    fdt_property_u32(data, "#interrupt-cells", 3);
    reg(data, 0x8000000, 0x1000);
    fdt_end_node(data);
    assert_true(finish(data));
    assert_int_equal(board.uart, UART_PL011);
    return board.uart_intid;
}

static void interrupts_mapped_by_a_bus(void **state)
{
    /* address, interrupt, phandle, the GIC's address, its specifier */
    static const struct map good = {
        2, 1, 3, 16, {0, 0, 7}, {0, 0, 4, 1, 0, 0, 4, 4, 0, 0, 5, 1, 0, 0, 37, 4}};
    struct map m = good;

    (void)state;
    assert_int_equal(mapped_intid(&good, false), 69);
    assert_int_equal(mapped_intid(&good, true), 41); /* it says itself where it goes */
    m.map[10] = 13;                                  /* the mask leaves 5 of it */
    assert_int_equal(mapped_intid(&m, false), 69);
    m.mask[2] = 15;
    assert_int_equal(mapped_intid(&m, false), 0);
    m = good;
    m.mask[1] = 1; /* by address, too */
    assert_int_equal(mapped_intid(&m, false), 0);
    m = good;
    m.nmask = 2;
    assert_int_equal(mapped_intid(&m, false), 0);
    m.nmask = 0; /* all of the address counts */
    assert_int_equal(mapped_intid(&m, false), 0);
    m = good;
    m.map[11] = 2; /* another controller's */
    assert_int_equal(mapped_intid(&m, false), 0);
    m = good;
    m.map[3] = 2; /* the one before: who knows where ours begins */
    assert_int_equal(mapped_intid(&m, false), 0);
    m = good;
    m.nmap = 15;
    assert_int_equal(mapped_intid(&m, false), 0);
    m.nmap = 0;
    assert_int_equal(mapped_intid(&m, false), 0);
    m = good;
    m.cells = 0;
    assert_int_equal(mapped_intid(&m, false), 0);
    m.cells = 4;
    assert_int_equal(mapped_intid(&m, false), 0);
}

static void no_interrupt_beyond_the_last(void **state)
{
    static const struct map two_cells = {1,  2,         3,
                                         14, {0, 7, 0}, {0, 1, 0, 1, 0, 0, 4, 4, 0, 5, 0, 1, 0, 0}};
    struct map m = {1, 2, 3, 8, {0, 7, 0}, {0, 5, 9, 1, 0, 0, 37, 4}};

    (void)state;
    assert_int_equal(mapped_intid(&m, false), 69);
    assert_int_equal(mapped_intid(&two_cells, false), 0); /* its entry is cut */
    m.cells = 3;                                          /* and it has but two */
    assert_int_equal(mapped_intid(&m, false), 0);
}

static void deep_nodes(void **state)
{
    void *data = begin();

    (void)state;
    for (int i = 0; i < 500; i++) {
        fdt_begin_node(data, "deep");
        text_prop(data, "compatible", "arm,pl011");
    }
    for (int i = 0; i < 500; i++) {
        fdt_end_node(data);
    }
    memory(data, 0x40000000, 0x1000);
    assert_true(finish(data));
    assert_int_equal(board.nram, 1);
    assert_int_equal(board.uart, UART_NONE);
}

/* --- what is no tree, or a broken one --- */

static void probe_reads_the_header_only(void **state)
{
    _Alignas(8) u8 header[40] = {0xd0, 0x0d, 0xfe, 0xed, 0, 0x10, 0, 0};

    (void)state;
    assert_int_equal(fdt_host_probe(header), 0x100000);
    assert_int_equal(fdt_host_probe(NULL), 0);
    assert_int_equal(fdt_host_probe(header + 4), 0);
    header[4] = 0xff; /* 4 GiB */
    assert_int_equal(fdt_host_probe(header), 0);
    header[4] = 0;
    header[5] = 0;
    header[7] = 39; /* less than a header */
    assert_int_equal(fdt_host_probe(header), 0);
    header[7] = 40;
    assert_int_equal(fdt_host_probe(header), 40);
    header[0] = 0;
    assert_int_equal(fdt_host_probe(header), 0);
    assert_false(fdt_host_read(header, &board));
    assert_false(fdt_host_read(NULL, &board));
}

static void padding_is_not_looked_at(void **state)
{
    u8 *padded = calloc(1, MIB);

    (void)state;
    compile("zcu102");
    memcpy(padded, blob, fdt_totalsize(blob));
    fdt_set_totalsize(padded, MIB);
    assert_true(fdt_host_read(padded, &board));
    assert_int_equal(board.ncpus, 3);
    assert_int_equal(board.dtb_size, MIB);
    free(padded);
}

/* Any end of the file: a refusal, or what was read up to there; never a byte beyond. */
static void truncated_anywhere(void **state)
{
    u8 *whole;
    u32 size, readable = 0;

    (void)state;
    compile("versal");
    size = fdt_totalsize(blob);
    whole = malloc(size);
    memcpy(whole, blob, size);
    for (u32 n = 40; n < size; n++) {
        set_blob(whole, n);
        fdt_set_totalsize(blob, n);
        readable += fdt_host_read(blob, &board);
    }
    assert_int_equal(readable, 0); /* libfdt and dtc put the strings last, so each cut shows */
    free(whole);
}

/* Cut in the structure block: the rest of the file is there, the walk must stop at the block. */
static void structure_cut_anywhere(void **state)
{
    u32 size, readable = 0;

    (void)state;
    compile("raspi4b");
    size = fdt_size_dt_struct(blob);
    for (u32 n = 0; n + 8 < size; n++) {
        fdt_set_size_dt_struct(blob, n);
        readable += fdt_host_read(blob, &board);
    }
    assert_int_equal(readable, 0);
}

/* The structure block comes last here, and ends within the name of a node. */
static void name_that_does_not_end(void **state)
{
    static const u32 words[] = {0xd00dfeed, 76, 56, 56,         40,
                                17,         16, 0,  0,          20,          /* header */
                                0,          0,  0,  0,                       /* no reservation */
                                1,          0,  1,  0x63686f73, 0x656e6e6e}; /* "", "chosennn" */
    fdt32_t data[ARRAY_SIZE(words)];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        data[i] = cpu_to_fdt32(words[i]);
    }
    set_blob(data, sizeof(data));
    assert_false(fdt_host_read(blob, &board));
}

/* Each word of the tree replaced by values that hurt. Nothing to expect but that it returns. */
static void every_word_wrong(void **state)
{
    static const u32 bad[] = {0, 1, 2, 3, 4, 9, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    u32 size, changed = 0;

    (void)state;
    compile("zcu102");
    size = fdt_totalsize(blob);
    for (u32 at = 8; at + 4 <= size; at += 4) {
        u32 word;

        memcpy(&word, (u8 *)blob + at, 4);
        for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
            fdt32_t value = cpu_to_fdt32(bad[i]);

            memcpy((u8 *)blob + at, &value, 4);
            changed += !fdt_host_read(blob, &board) || board.ncpus != 3;
        }
        memcpy((u8 *)blob + at, &word, 4);
    }
    assert_true(changed > 100);
    assert_true(fdt_host_read(blob, &board));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gicv2_board, free_blob),
        cmocka_unit_test_teardown(memory_of_several_banks, free_blob),
        cmocka_unit_test_teardown(cpus_and_firmware, free_blob),
        cmocka_unit_test_teardown(cpus_at_a_spin_table, free_blob),
        cmocka_unit_test_teardown(chosen_values, free_blob),
        cmocka_unit_test_teardown(gicv3_board, free_blob),
        cmocka_unit_test_teardown(uart_by_stdout_path, free_blob),
        cmocka_unit_test_teardown(bus_that_moves_addresses, free_blob),
        cmocka_unit_test_teardown(uart_by_alias, free_blob),
        cmocka_unit_test_teardown(uart_16550_board, free_blob),
        cmocka_unit_test_teardown(uart_without_driver, free_blob),
        cmocka_unit_test_teardown(layouts_of_a_16550, free_blob),
        cmocka_unit_test_teardown(uarts_by_compatible, free_blob),
        cmocka_unit_test_teardown(cpus_that_look_at_flags, free_blob),
        cmocka_unit_test_teardown(old_board, free_blob),
        cmocka_unit_test_teardown(ram_is_rounded_inwards, free_blob),
        cmocka_unit_test_teardown(more_ram_than_fits_the_table, free_blob),
        cmocka_unit_test_teardown(no_reservation_is_lost, free_blob),
        cmocka_unit_test_teardown(reservation_within_another, free_blob),
        cmocka_unit_test_teardown(reservations_that_touch_are_one, free_blob),
        cmocka_unit_test_teardown(no_no_map_is_lost, free_blob),
        cmocka_unit_test_teardown(interrupt_of_a_uart, free_blob),
        cmocka_unit_test_teardown(more_cpus_than_fit_the_table, free_blob),
        cmocka_unit_test_teardown(long_texts_are_cut, free_blob),
        cmocka_unit_test_teardown(stdout_paths, free_blob),
        cmocka_unit_test_teardown(disabled_bus_hides_its_devices, free_blob),
        cmocka_unit_test_teardown(window_that_wraps_around, free_blob),
        cmocka_unit_test_teardown(flags_are_the_last_resort, free_blob),
        cmocka_unit_test_teardown(interrupts_go_to_the_gic, free_blob),
        cmocka_unit_test_teardown(interrupts_mapped_by_a_bus, free_blob),
        cmocka_unit_test_teardown(no_interrupt_beyond_the_last, free_blob),
        cmocka_unit_test_teardown(deep_nodes, free_blob),
        cmocka_unit_test(probe_reads_the_header_only),
        cmocka_unit_test_teardown(padding_is_not_looked_at, free_blob),
        cmocka_unit_test_teardown(truncated_anywhere, free_blob),
        cmocka_unit_test_teardown(structure_cut_anywhere, free_blob),
        cmocka_unit_test_teardown(name_that_does_not_end, free_blob),
        cmocka_unit_test_teardown(every_word_wrong, free_blob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

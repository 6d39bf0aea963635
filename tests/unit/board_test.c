/* SPDX-License-Identifier: MIT */
/* core/board.c: what of a board's CPUs and memory is used, and what is said of the rest. */
#include "core/board.h"

#include "core/page.h"
#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define GIB   (1024ull * MIB)
#define REACH BIT64(40)

static struct board board;

/* A board that can be used: four CPUs, a GICv3, 1 GiB. */
static int setup(void **state)
{
    (void)state;
    board = (struct board){
        .ram = {{0x40000000, GIB}},
        .nram = 1,
        .cpu_mpidr = {0, 1, 0x100, 0x101},
        .ncpus = 4,
        .psci = CONDUIT_SMC,
        .gic_version = 3,
        .gicd = {0x8000000, 0x10000},
        .gicr = {{0x80a0000, 0x80000}},
        .ngicr = 1,
        .gic_maint_intid = 25,
        .timer_intid = {29, 30, 27, 26},
    };
    said_log();
    return 0;
}

static void assert_ram(u32 i, u64 base, u64 size)
{
    assert_true(i < board.nram);
    assert_int_equal(board.ram[i].base, base);
    assert_int_equal(board.ram[i].size, size);
}

static void refused(const char *why)
{
    assert_false(board_usable(&board, REACH));
    assert_non_null(strstr(said, why));
}

static void sound_board_is_left_alone(void **state)
{
    struct board before = board;

    (void)state;
    assert_true(board_usable(&board, REACH));
    assert_memory_equal(&board, &before, sizeof(board));
    assert_string_equal(said, "");
}

static void boot_cpu_comes_first(void **state)
{
    (void)state;
    board.cpu_release[0] = 0xd8;
    board.cpu_release[2] = 0xe8;
    board_boot_cpu(&board, 0x100);
    assert_int_equal(board.ncpus, 4);
    assert_int_equal(board.cpu_mpidr[0], 0x100);
    assert_int_equal(board.cpu_mpidr[1], 1);
    assert_int_equal(board.cpu_mpidr[2], 0);
    assert_int_equal(board.cpu_release[2], 0xd8);
    board.ncpus = 0;
    board_boot_cpu(&board, 0x200);
    assert_int_equal(board.ncpus, 1);
    assert_int_equal(board.cpu_mpidr[0], 0x200);
}

static void cpus_that_nothing_starts_are_left_out(void **state)
{
    (void)state;
    board.psci = CONDUIT_HVC; /* that's for EL1 */
    board.cpu_release[2] = 0xe8;
    assert_true(board_usable(&board, REACH));
    assert_int_equal(board.ncpus, 2);
    assert_int_equal(board.cpu_mpidr[1], 0x100);
    assert_int_equal(board.cpu_release[1], 0xe8);
    assert_non_null(strstr(said, "for 2 CPUs"));
}

static void cpus_beyond_the_most_are_told_of(void **state)
{
    (void)state;
    board.more_cpus = 4;
    assert_true(board_usable(&board, REACH));
    assert_int_equal(board.ncpus, 4);
    assert_non_null(strstr(said, "4 CPUs more than the 16 that Muntin uses"));
}

static void ram_listed_twice_counts_once(void **state)
{
    (void)state;
    board.ram[1] = (struct range){0x100000000, GIB};
    board.ram[2] = (struct range){0x40000000, GIB};
    board.ram[3] = (struct range){0x130000000, GIB};
    board.nram = 4;
    assert_true(board_usable(&board, REACH));
    assert_int_equal(board.nram, 2);
    assert_ram(0, 0x40000000, GIB);
    assert_ram(1, 0x100000000, 0x70000000);
}

/* The last one joins two that were apart. */
static void ram_between_ranges(void **state)
{
    (void)state;
    board.ram[1] = (struct range){0xc0000000, GIB};
    board.ram[2] = (struct range){0x60000000, 2 * GIB};
    board.nram = 3;
    assert_true(board_usable(&board, REACH));
    assert_int_equal(board.nram, 1);
    assert_ram(0, 0x40000000, 3 * GIB);
}

static void ram_out_of_reach(void **state)
{
    (void)state;
    board.ram[1] = (struct range){REACH - GIB, GIB};
    board.nram = 2;
    assert_true(board_usable(&board, REACH));
    board.ram[1].size += PAGE_SIZE;
    refused("RAM at 0xffc0000000 + 0x40001000 can't be mapped: addresses end at 0x10000000000");
    board.ram[1].base = REACH;
    refused("RAM at 0x10000000000 ");
}

static void no_ram(void **state)
{
    (void)state;
    board.nram = 0;
    refused("no memory that can be used");
}

static void gic_without_frames(void **state)
{
    (void)state;
    board.ngicr = 0;
    refused("the redistributors of its GICv3");
    board.gic_version = 0;
    refused("no GICv2 or GICv3");
    board.gic_version = 2;
    board.gicc.size = 0x2000;
    board.gich.size = 0x1000;
    refused("(GICH, GICV)");
    board.gicv.size = 0x2000;
    assert_true(board_usable(&board, REACH));
    board.gicc.size = 0;
    refused("the CPU interface of its GICv2");
    board.gicc.size = 0x2000;
    board.gicd.size = 0;
    refused("where the distributor");
}

static void interrupts_of_each_cpu(void **state)
{
    (void)state;
    board.timer_intid[2] = 0;
    refused("lacks the interrupt of the virtual timer");
    board.timer_intid[3] = 32;
    refused("lacks the interrupt of the hypervisor timer");
    board.gic_maint_intid = 15;
    refused("lacks the interrupt of the GIC's virtual interface");
}

static void ram_that_found_no_room(void **state)
{
    (void)state;
    board.ram_left = 3 * MIB;
    assert_true(board_usable(&board, REACH));
    assert_non_null(strstr(said, "in more than 16 pieces: 3 MiB are not used"));
}

static void memory_without_what_is_reserved(void **state)
{
    static _Alignas(PAGE_SIZE) u8 ram[16 * PAGE_SIZE];
    hpa_t base = (hpa_t)(uintptr_t)ram;

    (void)state;
    page_reserve(0, ALIGN_DOWN(UINT64_MAX, (u64)PAGE_SIZE));
    board.ram[0] = (struct range){base, sizeof(ram)};
    board.reserved[0] = (struct range){base + 2 * PAGE_SIZE, PAGE_SIZE};
    board.nreserved = 1;
    board.cpu_release[1] = base + 4 * PAGE_SIZE + 0xd8;
    board.dtb = ram + 6 * PAGE_SIZE + 8;
    board.dtb_size = PAGE_SIZE;
    board.initrd = (struct range){base + 9 * PAGE_SIZE, 10};
    assert_int_equal(board_memory(&board), sizeof(ram));
    assert_int_equal(page_free(), sizeof(ram) - 5 * PAGE_SIZE);
    for (u32 i = 0; i < 11; i++) {
        hpa_t page = (hpa_t)(uintptr_t)page_alloc(PAGE_SIZE);

        assert_true(page != base + 2 * PAGE_SIZE && page != base + 4 * PAGE_SIZE);
        assert_false(page >= base + 6 * PAGE_SIZE && page < base + 8 * PAGE_SIZE);
        assert_true(page != base + 9 * PAGE_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sound_board_is_left_alone, setup),
        cmocka_unit_test_setup(boot_cpu_comes_first, setup),
        cmocka_unit_test_setup(cpus_that_nothing_starts_are_left_out, setup),
        cmocka_unit_test_setup(cpus_beyond_the_most_are_told_of, setup),
        cmocka_unit_test_setup(ram_listed_twice_counts_once, setup),
        cmocka_unit_test_setup(ram_between_ranges, setup),
        cmocka_unit_test_setup(ram_out_of_reach, setup),
        cmocka_unit_test_setup(no_ram, setup),
        cmocka_unit_test_setup(gic_without_frames, setup),
        cmocka_unit_test_setup(interrupts_of_each_cpu, setup),
        cmocka_unit_test_setup(ram_that_found_no_room, setup),
        cmocka_unit_test_setup(memory_without_what_is_reserved, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

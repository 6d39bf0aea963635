/* SPDX-License-Identifier: MIT */
/*
 * What a hypervisor adds to a guest, seen from inside it; bench.py runs it and compares.  Under
 * `-icount shift=0,sleep=off` and a counter of 1 GHz a nanosecond is an instruction, of all CPUs
 * together.  Boot arguments: only-boot ends it after the line of the first instruction.
 */
#include "tests/bench/bench.h"

#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

#define SMCCC_VERSION 0x80000000u

enum { SPARE_SPI = 63 }; /* INTID of an SPI that nothing is wired to */

uint64_t bench_sample[SAMPLES];

static void sort(uint64_t *values, uint32_t count)
{
    for (uint32_t gap = count / 2; gap; gap /= 2) {
        for (uint32_t i = gap; i < count; i++) {
            uint64_t value = values[i];
            uint32_t j = i;

            for (; j >= gap && values[j - gap] > value; j -= gap) {
                values[j] = values[j - gap];
            }
            values[j] = value;
        }
    }
}

void bench_report(const char *name, uint32_t samples, uint32_t batch)
{
    uint64_t tenths = 10000000000ull / batch;
    uint64_t hz = timer_hz();

    sort(bench_sample, samples);
    test_note("row %s %u %lu %lu %lu %lu", name, samples * batch, bench_sample[0] * tenths / hz,
              bench_sample[samples / 2] * tenths / hz,
              bench_sample[samples * 99 / 100] * tenths / hz,
              bench_sample[samples - 1] * tenths / hz);
}

/* The bare call: no C around it. */
static inline void hypercall(uint32_t function)
{
    if (platform.psci_by_smc) {
        bare_call("smc #0", function);
    } else {
        bare_call("hvc #0", function);
    }
}

static void loop_2000(void)
{
    uintptr_t n = 1000;

    __asm__ volatile("1: subs %0, %0, #1\n\tbne 1b" : "+r"(n) : : "cc");
}

static void cpu_rows(void)
{
    BENCH("alu_2000", SAMPLES, 1, loop_2000());
    BENCH("psci_version", SAMPLES, BATCH, hypercall(PSCI_VERSION));
    BENCH("smccc_version", SAMPLES, BATCH, hypercall(SMCCC_VERSION));
    BENCH("idreg_read", SAMPLES, BATCH, sysreg_read("id_aa64isar0_el1"));
}

static void gic_rows(void)
{
    uint64_t ctlr = platform.gicd.base + GICD_CTLR;
    uint64_t enable = platform.gicd.base + GICD_ISENABLER + SPARE_SPI / 32 * 4;
    uint32_t bit = 1u << SPARE_SPI % 32;

    BENCH("gicd_ctlr_read", SAMPLES, BATCH, io_read32(ctlr));
    BENCH("gicd_isen_read", SAMPLES, BATCH, io_read32(enable));
    BENCH("gicd_isen_write", SAMPLES, BATCH, io_write32(enable, bit));
    gic_disable(SPARE_SPI);
    if (platform.gic_version == 3) {
        uint64_t banked = gic_frame(0) + GICD_ISENABLER;

        BENCH("gicr_isen_read", SAMPLES, BATCH, io_read32(banked));
    }
}

/* The physical counter starts with the machine, if the VM's counter-offset is 0. */
static void boot_row(void)
{
    test_note("boot %lu ns, entered at EL%lu, %u CPUs, %lu MiB, GICv%u, counter %lu Hz",
              timer_ns(boot_facts.cntvct), boot_facts.el, platform.cpu_count,
              platform.ram[0].size >> 20, platform.gic_version, timer_hz());
}

static void rows(void)
{
    boot_row();
    if (!bootargs_has("only-boot")) {
        bench_irq_init();
        cpu_rows();
        gic_rows();
        bench_irq_rows();
        bench_timer_rows();
        bench_walk_rows();
        bench_virtio_rows();
        bench_disk_rows();
    }
    test_check(true, "done");
}

void guest_main(void)
{
    static const struct test_case cases[] = {{"rows", rows}};

    test_begin("bench");
    test_run(cases, 1);
    test_end();
}

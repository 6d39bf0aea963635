/* SPDX-License-Identifier: MIT */
/*
 * The benchmark guest: SGIs and timers.  The handler does as little as it can; the time of an
 * interrupt is CNTVCT_EL0 at the vector.
 */
#include "tests/bench/bench.h"

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

enum { SGI_PING = 1, SGI_PONG = 2, SGI_SELF = 3 };
enum { LONG_SLEEPS = 200 };

struct bench_irq bench_irqs[2];

static bool two_cpus;
static uint32_t polling; /* CPU 1 spins with interrupts open, else it sleeps */
static uint32_t stray;
static uint64_t sgi_v3[2]; /* ICC_SGI1R_EL1 and GICD_SGIR values that reach each CPU */
static uint32_t sgi_v2[2];

/* Not gic_send_sgi(): the row is the register write. */
static inline void send(uint32_t cpu, uint32_t sgi)
{
    if (platform.gic_version == 3) {
        sysreg_write("S3_0_C12_C11_5", sgi_v3[cpu] | (uint64_t)sgi << 24);
        isb();
    } else {
        io_write32(platform.gicd.base + GICD_SGIR, sgi_v2[cpu] | sgi);
    }
}

static inline uint32_t acknowledge(void)
{
    return platform.gic_version == 3 ? (uint32_t)sysreg_read("S3_0_C12_C12_0")
                                     : io_read32(platform.gicc.base + GICC_IAR);
}

static inline void finish(uint32_t iar)
{
    if (platform.gic_version == 3) {
        sysreg_write("S3_0_C12_C12_1", iar);
        isb();
    } else {
        io_write32(platform.gicc.base + GICC_EOIR, iar);
    }
}

static void take_irq(uint64_t entry_time)
{
    struct bench_irq *mine = &bench_irqs[cpu_self()->index];
    uint32_t iar = acknowledge();
    uint32_t intid = gic_intid(iar);

    if (intid == platform.vtimer_irq) {
        sysreg_write("cntv_ctl_el0", TIMER_IMASK);
    } else if (intid == SGI_PING) {
        send(0, SGI_PONG);
    } else if (intid != SGI_PONG && intid != SGI_SELF) {
        stray++;
    }
    if (intid < GIC_SPURIOUS) {
        finish(iar);
    }
    mine->time = entry_time;
    atomic_store(&mine->count, mine->count + 1);
}

/* Called and left with interrupts masked. */
static void sleep_past(uint32_t cpu, uint32_t count)
{
    while (bench_irq_count(cpu) == count) {
        wfi();
        irq_unmask();
        irq_mask();
    }
}

static void second_cpu(uint64_t unused)
{
    (void)unused;
    gic_cpu_init();
    gic_enable(platform.vtimer_irq);
    for (;;) {
        if (atomic_load(&polling)) {
            irq_unmask();
            while (atomic_load(&polling)) {
                yield_cpu();
            }
        } else {
            wfi();
            irq_unmask();
        }
        irq_mask();
    }
}

void bench_irq_init(void)
{
    exception_irq_hook = take_irq;
    gic_init();
    gic_enable(platform.vtimer_irq);
    for (uint32_t i = 0; i < 2 && i < platform.cpu_count; i++) {
        uint64_t mpidr = cpu_at(i)->mpidr;

        sgi_v2[i] = 1u << (16 + i);
        sgi_v3[i] = (mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 |
                    (mpidr >> 8 & 0xff) << 16 | 1ull << (mpidr & 0xf);
    }
    if (platform.cpu_count > 1 && cpu_start(1)) {
        cpu_run(1, second_cpu, 0);
        two_cpus = true;
        timer_delay(1000);
    }
}

static inline void await(uint32_t count)
{
    while (bench_irq_count(0) == count) {
    }
}

static void self_rows(void)
{
    uint32_t count;

    BENCH("sgi_send", SAMPLES, BATCH, send(0, SGI_SELF));
    sleep_past(0, bench_irq_count(0));
    irq_unmask();
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint64_t start;

        count = bench_irq_count(0);
        start = timer_now();
        send(0, SGI_SELF);
        await(count);
        bench_sample[i] = bench_irqs[0].time - start;
    }
    bench_report("sgi_self_entry", SAMPLES, 1);
    BENCH("sgi_self_rt", SAMPLES, BATCH, count = bench_irq_count(0); send(0, SGI_SELF);
          await(count));
    irq_mask();
}

static void other_rows(void)
{
    uint32_t count;

    BENCH("ipi_rt_wfi", SAMPLES, 1, count = bench_irq_count(0); send(1, SGI_PING);
          sleep_past(0, count));
    atomic_store(&polling, 1);
    send(1, SGI_SELF); /* out of its WFI */
    irq_unmask();
    BENCH(
        "ipi_rt_poll", SAMPLES, 1, count = bench_irq_count(0); send(1, SGI_PING);
        while (bench_irq_count(0) == count) { yield_cpu(); });
    irq_mask();
    atomic_store(&polling, 0);
    send(1, SGI_SELF);
}

void bench_irq_rows(void)
{
    self_rows();
    if (two_cpus) {
        other_rows();
    }
}

/* From the deadline to the vector. */
static void timer_row(const char *name, uint32_t samples, uint32_t us, bool asleep)
{
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t count = bench_irq_count(0);
        uint64_t deadline = timer_now() + timer_ticks(us);

        sysreg_write("cntv_cval_el0", deadline);
        sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
        isb();
        if (asleep) {
            sleep_past(0, count);
        } else {
            irq_unmask();
            await(count);
            irq_mask();
        }
        bench_sample[i] = bench_irqs[0].time - deadline;
    }
    bench_report(name, samples, 1);
}

void bench_timer_rows(void)
{
    timer_row("timer_spin", SAMPLES, 50, false);
    timer_row("timer_wfi_50us", SAMPLES, 50, true);
    timer_row("timer_wfi_2ms", LONG_SLEEPS, 2000, true);
    if (stray) {
        test_note("%u stray interrupts", stray);
    }
}

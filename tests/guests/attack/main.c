/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest.  It does what a compromised kernel might, on all its CPUs at once, and then says
 * DONE: it proves nothing about itself, but what runs beside it (the victim) must not notice, and
 * the hypervisor must still be there.  Every run with the same seed does the same.
 * Boot arguments: seed=N, rounds=N (1), only=, skip=, tame (no wild addresses: bare machines have
 * devices there that bite), reset (at the end all CPUs reset the VM at once).
 */
#include "tests/guests/attack/attack.h"

#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { HOLE = 0x0b000000 };

uint32_t attack_interrupts;

static void (*everywhere)(struct prng *random);
static uint64_t seed;

uint64_t attack_scratch(void)
{
    return platform_free_ram(SCRATCH_SIZE, SCRATCH_SIZE);
}

uint32_t attack_rounds(void)
{
    return (uint32_t)bootargs_number("rounds", 1);
}

bool attack_tame(void)
{
    return bootargs_has("tame");
}

uint64_t attack_value(struct prng *random)
{
    switch (prng_below(random, 6)) {
    case 0:
        return 0;
    case 1:
        return ~0ull;
    case 2:
        return 1ull << prng_below(random, 64);
    case 3:
        return attack_scratch() + prng_below(random, SCRATCH_SIZE);
    case 4:
        return prng_next(random) & 0xffffffff;
    default:
        return prng_next(random);
    }
}

static uint64_t wild_address(struct prng *random)
{
    uint64_t addr = prng_next(random) & (((uint64_t)MMU_ROOT_ENTRIES << 30) - 1);

    if (prng_below(random, 2)) {
        addr &= 0xffffffff;
    }
    return platform_is_ram(addr & ~0x1fffffull, 1 << 22) ? HOLE : addr;
}

uint64_t attack_address(struct prng *random)
{
    const struct region *ram = &platform.ram[0];
    uint32_t offset = prng_below(random, 0x1000) & ~15u;

    switch (prng_below(random, attack_tame() ? 4 : 8)) {
    case 0:
        return HOLE + offset;
    case 1:
        return platform.gicd.base + offset;
    case 2:
        return platform.gic_version == 2 ? platform.gicc.base + offset
                                         : platform.gicr[0].base + offset;
    case 3:
        return platform.virtio_count
                   ? platform.virtio[prng_below(random, platform.virtio_count)].base +
                         offset % 0x200
                   : HOLE;
    case 4:
        return ram->base + ram->size + offset;
    case 5:
        return ram->base - 0x1000 + offset;
    default:
        return wild_address(random);
    }
}

/* Takes whatever comes, and sees to it that it does not come again. */
static void swallow(uint64_t entry_time)
{
    uint32_t iar = gic_ack();

    (void)entry_time;
    atomic_add(&attack_interrupts, 1);
    sysreg_write("cntv_ctl_el0", 0);
    sysreg_write("cntp_ctl_el0", 0);
    isb();
    if (gic_intid(iar) < GIC_SPURIOUS - 3) {
        gic_disable(gic_intid(iar));
        gic_eoi(iar);
    }
}

void attack_breathe(void)
{
    irq_unmask();
    for (uint32_t i = 0; i < 32; i++) {
        __asm__ volatile("nop");
    }
    irq_mask();
}

void attack_repair_cpu(void)
{
    irq_mask();
    sysreg_write("cntv_ctl_el0", 0);
    sysreg_write("cntp_ctl_el0", 0);
    isb();
    gic_finish_all();
    gic_cpu_init();
}

void attack_repair(void)
{
    print_init();
    for (uint32_t i = 0; i < platform.virtio_count; i++) {
        io_write32(platform.virtio[i].base + 0x70, 0);
    }
    for (uint32_t intid = 32; intid < 32 + gic_spi_count(); intid += 32) {
        io_write32(platform.gicd.base + GICD_ICENABLER + intid / 8, ~0u);
        io_write32(platform.gicd.base + GICD_ICPENDR + intid / 8, ~0u);
        io_write32(platform.gicd.base + GICD_ICACTIVER + intid / 8, ~0u);
    }
    gic_init();
}

static void run_here(uint64_t unused)
{
    struct prng random = {seed * 0x9e3779b97f4a7c15ull + cpu_self()->index + 1};

    (void)unused;
    gic_cpu_init();
    everywhere(&random);
    attack_repair_cpu();
}

static void run_everywhere(void (*attack)(struct prng *random))
{
    uint32_t cpus = cpu_start_all();

    everywhere = attack;
    for (uint32_t i = 1; i < cpus; i++) {
        cpu_run(i, run_here, 0);
    }
    run_here(0);
    for (uint32_t i = 1; i < cpus; i++) {
        cpu_wait(i);
    }
    attack_repair();
    print("\n");
    test_check(true, "survived");
}

static void run_directed(void (*attack)(struct prng *random))
{
    struct prng random = {seed + 1};

    cpu_start_all();
    attack(&random);
    attack_repair_cpu();
    attack_repair();
}

static void sysregs(void)
{
    run_everywhere(attack_sysregs);
}

static void access(void)
{
    run_everywhere(attack_access);
}

static void access_normal(void)
{
    run_directed(attack_access_normal);
}

static void calls(void)
{
    run_everywhere(attack_calls);
}

static void set_way(void)
{
    run_everywhere(attack_set_way);
}

static void storms(void)
{
    run_everywhere(attack_storms);
}

static void devices(void)
{
    run_everywhere(attack_devices);
}

static void rings(void)
{
    run_directed(attack_rings);
}

static void cpus(void)
{
    run_directed(attack_cpus);
}

static void runaway(void)
{
    run_directed(attack_runaway);
}

static void reset_here(uint64_t unused)
{
    (void)unused;
    psci_system_reset();
}

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"sysregs", sysregs}, {"access", access},   {"access-normal", access_normal},
        {"calls", calls},     {"set-way", set_way}, {"storms", storms},
        {"devices", devices}, {"rings", rings},     {"cpus", cpus},
        {"runaway", runaway},
    };

    test_begin("attack");
    seed = bootargs_number("seed", 1);
    exception_irq_hook = swallow;
    gic_init();
    test_note("seed %lu, rounds %u", seed, attack_rounds());
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_note("%u interrupts, %u SErrors", attack_interrupts, exception_serrors);
    test_done();
    if (bootargs_has("reset")) {
        test_note("RESET");
        for (uint32_t i = 1; i < platform.cpu_count; i++) {
            cpu_run(i, reset_here, 0);
        }
        reset_here(0);
    }
    psci_system_off();
}

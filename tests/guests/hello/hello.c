/* SPDX-License-Identifier: MIT */
/*
 * The first guest to boot: says where it is and what it sees, starts every CPU, powers off.
 */
#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/image.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { VIRTIO_MAGIC = 0x74726976 };

static void see_machine(void)
{
    test_note("image at 0x%lx, %lu KiB; entered at EL%lu, now EL%lu", (uint64_t)image_start,
              (uint64_t)(image_end - image_start) / 1024, boot_facts.el,
              sysreg_read("CurrentEL") >> 2);
    test_note("midr 0x%lx, mpidr 0x%lx, counter %lu Hz, now %lu", sysreg_read("midr_el1"),
              sysreg_read("mpidr_el1"), timer_hz(), timer_now());
    test_note("device tree at 0x%lx, %lu bytes; bootargs \"%s\"", platform.dtb.base,
              platform.dtb.size, platform.bootargs);
    for (uint32_t i = 0; i < platform.ram_count; i++) {
        test_note("ram 0x%lx, %lu MiB", platform.ram[i].base, platform.ram[i].size >> 20);
    }
    test_note("uart 0x%lx irq %u, timer irqs %u %u", platform.uart, platform.uart_irq,
              platform.ptimer_irq, platform.vtimer_irq);
    test_check(sysreg_read("CurrentEL") >> 2 == 1, "not at EL1");
    test_check(platform.ram_count > 0, "no RAM in the device tree");
}

static void see_gic(void)
{
    if (platform.gic_version == 2) {
        test_note("GICv2, distributor 0x%lx, CPU interface 0x%lx", platform.gicd.base,
                  platform.gicc.base);
    } else {
        test_note("GICv%u, distributor 0x%lx, redistributors 0x%lx", platform.gic_version,
                  platform.gicd.base, platform.gicr[0].base);
    }
    if (test_check(platform.gic_version, "no GIC in the device tree")) {
        test_note("GICD_TYPER 0x%x", io_read32(platform.gicd.base + 4));
    }
}

static void see_psci(void)
{
    uint64_t version = smccc_call(PSCI_VERSION, 0, 0, 0);

    test_note("PSCI %lu.%lu by %s", version >> 16, version & 0xffff,
              platform.psci_by_smc ? "SMC" : "HVC");
    test_check(version >= 2 && version < 0x20000, "PSCI_VERSION is 0x%lx", version);
}

static void see_virtio(void)
{
    for (uint32_t i = 0; i < platform.virtio_count; i++) {
        uint64_t base = platform.virtio[i].base;

        test_equal("virtio magic", io_read32(base), VIRTIO_MAGIC);
        if (io_read32(base + 8)) {
            test_note("virtio device %u version %u at 0x%lx irq %u", io_read32(base + 8),
                      io_read32(base + 4), base, platform.virtio[i].irq);
        }
    }
    test_check(true, "none is fine");
}

static void greet(uint64_t unused)
{
    (void)unused;
    test_note("CPU %u, mpidr 0x%lx, counter %lu", cpu_self()->index, sysreg_read("mpidr_el1"),
              timer_now());
}

static void start_cpus(void)
{
    for (uint32_t i = 1; i < platform.cpu_count; i++) {
        if (test_check(cpu_start(i), "CPU %u does not start", i)) {
            cpu_run(i, greet, 0);
            cpu_wait(i);
        }
    }
    test_note("%u CPUs", platform.cpu_count);
    test_check(platform.cpu_count > 0, "no CPU in the device tree");
}

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"machine", see_machine}, {"gic", see_gic},     {"psci", see_psci},
        {"virtio", see_virtio},   {"cpus", start_cpus},
    };

    test_begin("hello");
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_end();
}

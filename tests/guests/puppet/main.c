/* SPDX-License-Identifier: MIT */
/*
 * A guest that does what it is told on its console, a line at a time, and what stands behind "--"
 * in its boot arguments before that, separated by ';'. It takes its UART and its timer by
 * interrupt and sleeps otherwise, as an operating system would. It boots in a few milliseconds, so
 * tests that are not about Linux use it.
 *
 * Each answer is a line "@@ ID NAME key=value..."; the first one is "@@ ID UP".
 */
#include <stdarg.h>
#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/puppet/puppet.h"
#include "tests/guests/puppet/uart.h"

enum { LINE_SIZE = 256 };

uint32_t puppet_id(void)
{
    return (uint32_t)bootargs_number("id", 0);
}

void puppet_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print("@@ %u ", puppet_id());
    print_args(format, args);
    print("\n");
    va_end(args);
}

static void take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack();
    uint32_t intid = gic_intid(iar);

    (void)entry_time;
    if (intid >= GIC_SPURIOUS) {
        return;
    }
    if (intid == platform.vtimer_irq) {
        sysreg_write("cntv_ctl_el0", 0);
        isb();
    } else if (!uart_irq(intid)) {
        puppet_say("UNEXPECTED interrupt %u", intid);
    }
    gic_eoi(iar);
}

void puppet_sleep_until(uint64_t ticks)
{
    sysreg_write("cntv_cval_el0", ticks);
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    while (sysreg_read("cntv_ctl_el0") & TIMER_ENABLE) {
        wfi();
        irq_unmask();
        irq_mask();
    }
}

static void run_boot_commands(void)
{
    const char *p = platform.bootargs;
    char line[LINE_SIZE];

    while (*p && !(p[0] == '-' && p[1] == '-')) {
        p++;
    }
    p += *p ? 2 : 0;
    while (*p) {
        size_t len = 0;

        for (; *p && *p != ';'; p++) {
            if (len < sizeof(line) - 1) {
                line[len++] = *p;
            }
        }
        line[len] = '\0';
        p += *p == ';';
        puppet_command(line);
    }
}

static void run_typed_commands(void)
{
    char line[LINE_SIZE];
    size_t len = 0;

    for (;;) {
        char c = (char)uart_get();

        if (c != '\r' && c != '\n') {
            if (len < sizeof(line) - 1) {
                line[len++] = c;
            }
            continue;
        }
        line[len] = '\0';
        len = 0;
        puppet_command(line);
    }
}

void guest_main(void)
{
    irq_mask();
    exception_irq_hook = take_irq;
    gic_init();
    gic_enable(platform.vtimer_irq);
    uart_init();
    puppet_say("UP cpus=%u ram_count=%u gic=%u counter=%lu", platform.cpu_count, platform.ram_count,
               platform.gic_version, boot_facts.cntvct);
    run_boot_commands();
    run_typed_commands();
}

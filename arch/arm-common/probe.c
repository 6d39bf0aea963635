/* SPDX-License-Identifier: MIT */
/* See probe.h. Reads identification registers; what they mean is in the Arm ARM and IHI 0048/0069.
 */
#include "arch/arm-common/probe.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/start.h"
#include "core/log.h"
#include "sysreg.h"

static const char *yes(bool on)
{
    return on ? "yes" : "no";
}

void probe_cpu(void)
{
    log_info("this CPU: 0x%llx, MIDR 0x%x, entered at EL%u", (unsigned long long)cpu_affinity(),
             (u32)sysreg_read(MIDR), boot_el());
    if (boot_refusal() != NULL) {
        return; /* it may be too old to have the other registers */
    }
    log_info("  addresses of %u bits, Muntin's of %u; counter at %u Hz", cpu_pa_bits(),
             start_va_bits(), (u32)sysreg_read(CNTFRQ));
    log_info("  AArch32 guests: %s; S2FWB: %s; registers of a GICv3: %s", yes(boot_can_run(false)),
             yes(cpu_has_s2fwb()), yes(cpu_has_gicv3()));
}

void probe_gic(void)
{
    log_info("GIC: IIDR 0x%x, interrupts up to %u, %u list registers; do they interrupt: %s",
             io_read32(gic.gicd + GICD_IIDR), gic.lines - 1, gic.lr_count, yes(gic_delivers()));
}

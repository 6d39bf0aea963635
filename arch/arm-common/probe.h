/* SPDX-License-Identifier: MIT */
/* What the hardware says of itself, for whoever brings Muntin to a new board. Boot CPU only. */
#ifndef ARCH_ARM_COMMON_PROBE_H
#define ARCH_ARM_COMMON_PROBE_H

/* The CPU; at any level. */
void probe_cpu(void);
/* The interrupt controller, once boot_finish has said yes. */
void probe_gic(void);

#endif

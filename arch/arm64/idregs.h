/* SPDX-License-Identifier: MIT */
/* The ID registers of this CPU, for vsysreg_init. */
#ifndef ARCH_ARM64_IDREGS_H
#define ARCH_ARM64_IDREGS_H

struct vsysreg_ids;

void idregs_read(struct vsysreg_ids *out);

#endif

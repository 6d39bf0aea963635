/* SPDX-License-Identifier: MIT */
/*
 * Stage 2 of the VMs on this board: what the switch to a vCPU programs, and TLB maintenance. Tables
 * are built at VM creation (arch_s2_create, arch_s2_map in core/arch.h). Later only leaves of
 * memory that is shared come and go, under the lock of the device that does it: no lock here.
 */
#ifndef ARCH_ARM_COMMON_STAGE2_H
#define ARCH_ARM_COMMON_STAGE2_H

#include "core/types.h"

struct vcpu;
struct vm;

/* Boot CPU, once, before any VM is created: decides on sizes from what the CPU can do. */
void stage2_init(void);

/* Every CPU, before its first guest: no translation of a guest from before Muntin survives. */
void stage2_cpu_init(void);

/* Bits of a guest-physical address, at most 40; what the guest's ID registers may promise. */
u32 stage2_ipa_bits(void);

/*
 * True: HCR_EL2.FWB must be set while a guest of vm runs, the tables count on it. Where the CPU has
 * it, that is all VMs but the incoherent ones: FWB takes memory that the guest has mapped as not
 * cacheable, for a device that doesn't look into caches, for cacheable (Arm ARM, FEAT_S2FWB).
 */
bool stage2_fwb(const struct vm *vm);

/* Values of VTCR_EL2 (the same for all VMs) and VTTBR_EL2. VMID is vm->index + 1; CnP is not used.
 */
u64 stage2_vtcr(void);
u64 stage2_vttbr(const struct vm *vm);

/*
 * v is being loaded on this CPU, and VTTBR is in effect (isb). A VM's vCPUs share its VMID, but a
 * guest takes each for a CPU with a TLB of its own: an ASID may mean different things on two of
 * them. So if another vCPU of the same VM ran here last, what it left of stage 1 is dropped.
 */
void stage2_vcpu_loaded(const struct vcpu *v);

/*
 * Drops everything that any CPU has cached of vm's translations, its own stage 1 included. Called
 * with no guest loaded on this CPU: VTTBR changes meanwhile.
 */
void stage2_flush(const struct vm *vm);

#endif

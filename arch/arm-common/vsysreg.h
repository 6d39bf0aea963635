/* SPDX-License-Identifier: MIT */
/*
 * System registers that a guest's access traps on: exception class 0x18. Default-deny: what isn't
 * in the table doesn't exist for the guest. Portable and host-tested: the values of the ID
 * registers are passed in once, and what has to reach the hardware's debug registers is left in
 * struct vsysreg for debug.c. No lock: a vCPU's state is touched on its own CPU only; the ID table
 * is read-only after vsysreg_init.
 */
#ifndef ARCH_ARM_COMMON_VSYSREG_H
#define ARCH_ARM_COMMON_VSYSREG_H

#include "arch/arm-common/vtimer.h"
#include "core/types.h"

struct vcpu;

#define VSYSREG_DEBUG_MAX 16 /* breakpoints, and watchpoints */

/* ID registers S3_0_C0_C<m>_<n>, m from 1 to 7: index 8 * m + n. Those of m 0 aren't here. */
#define VSYSREG_IDS 64

struct vsysreg_ids {
    u64 id[VSYSREG_IDS];
    u64 revidr, aidr;
};

struct vsysreg_debug {
    u64 value, control;
};

/* A vCPU's registers that live here and not in hardware. */
struct vsysreg {
    struct vcpu *vcpu;
    struct vtimer ptimer;
    u64 mdscr;
    bool os_lock;
    bool debug_used;  /* a breakpoint or watchpoint has been enabled since reset */
    bool debug_dirty; /* call debug_load before the guest runs on */
    struct vsysreg_debug breakpoint[VSYSREG_DEBUG_MAX], watchpoint[VSYSREG_DEBUG_MAX];
    struct {
        bool active; /* a sweep by set and way goes on */
        bool swept;  /* … beyond its first operation */
        u64 first;   /* operand: seen again after others, a new sweep begins */
        u64 last_ns; /* of its last operation */
        u32 region;  /* next to clean: vm->mem.region[region] at pos; all done: region == count */
        u64 pos;
    } setway;
};

enum vsysreg_result {
    SYSREG_DONE,  /* a read's value is valid: go on behind the instruction */
    SYSREG_AGAIN, /* let interrupts in, then execute the same instruction again */
    SYSREG_UNDEF, /* the guest gets an UNDEFINED exception */
    SYSREG_STOP,  /* the VM was told to end: config says `unsupported register abort` */
};

/*
 * Boot, once: the board's ID registers, masked to what guests get. ipa_bits: of a guest-physical
 * address (the guest's PARange doesn't promise more); gicv3: guests see the GIC's system registers;
 * fwb: set/way maintenance needs no work, but for VMs that are incoherent.
 */
void vsysreg_init(const struct vsysreg_ids *host, u32 ipa_bits, bool gicv3, bool fwb);

/* vCPU creation; power-on state. */
void vsysreg_create(struct vsysreg *s, struct vcpu *v);
void vsysreg_reset(struct vsysreg *s);

/*
 * Carries out the access that ESR's ISS describes. `value` is the register written, or gets what
 * was read; writes to Rt 31 come as 0, reads into it are the caller's to drop.
 */
enum vsysreg_result vsysreg_access(struct vsysreg *s, u32 iss, u64 *value) MUST_CHECK;

/* The fields of the ISS that the caller needs. */
static inline bool vsysreg_is_write(u32 iss)
{
    return (iss & 1) == 0;
}

static inline u32 vsysreg_rt(u32 iss)
{
    return (iss >> 5) & 0x1f;
}

/* An ID register as guests see it: index as above. */
u64 vsysreg_id(u32 index);

#endif

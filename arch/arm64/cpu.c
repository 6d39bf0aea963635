/* SPDX-License-Identifier: MIT */
/* A physical CPU at EL2: what it can do, its own control registers, and its last words. */
#include "arch/arm-common/psci.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm-common/clock.h"
#include "arch/arm64/arm64.h"
#include "arch/arm64/serror.h"
#include "arch/arm-common/boot.h"
#include "arch/arm64/traps.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/board.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/vm.h"
#include "sysreg.h"

struct cpu_features cpu;

extern const char _start[], __text_end[]; /* link.ld */

void cpu_features_read(void)
{
    cpu.aarch32_el1 = id_field(sysreg_read(id_aa64pfr0_el1), 4) == 2;
    cpu.pan = id_field(sysreg_read(id_aa64mmfr1_el1), 20) != 0;
    cpu.ras = id_field(sysreg_read(id_aa64pfr0_el1), 28) != 0;
    cpu.pauth = traps_has_pauth(traps_hcr(false));
}

void start_copy(struct cpu_start *s)
{
    s->ttbr = sysreg_read(ttbr0_el2);
    s->tcr = sysreg_read(tcr_el2);
    s->mair = sysreg_read(mair_el2);
}

bool cpu_init(void)
{
    serror_cpu_init();
    traps_cpu_init();
    sysreg_write(mdcr_el2, traps_mdcr());
    sysreg_write(cptr_el2, traps_cptr());
    sysreg_write(vtcr_el2, stage2_vtcr());
    sysreg_write(vpidr_el2, sysreg_read(midr_el1));
    stage2_cpu_init();
    if (!gic_cpu_init()) {
        return false;
    }
    clock_cpu_init();
    return true;
}

struct pcpu *arch_pcpu(void)
{
    struct pcpu *p;

    /* not volatile: it never changes on a CPU once C runs, so the compiler may keep it */
    __asm__("mrs %0, tpidr_el2" : "=r"(p));
    return p;
}

void arch_wait_change(const u32 *p, u32 value)
{
    u32 now;

    /* The exclusive monitor turns the other side's store into the event (Arm ARM D1.6.1). */
    __asm__ volatile("ldaxr %w0, [%1]\n\t"
                     "cmp %w0, %w2\n\t"
                     "b.ne 1f\n\t"
                     "wfe\n"
                     "1:"
                     : "=&r"(now)
                     : "r"(p), "r"(value)
                     : "cc", "memory");
}

/* True if `address` is in the image and follows a BL or BLR: a call returns there. */
static bool follows_call(u64 address)
{
    u32 insn;

    if (address % 4 != 0 ||
        !range_within(address - 4, 4, image_base(), (u64)(__text_end - _start))) {
        return false;
    }
    insn = *(const u32 *)(uintptr_t)(address - 4);
    return (insn & 0xfc000000) == 0x94000000 || (insn & 0xfffffc1f) == 0xd63f0000;
}

/* There are no frame pointers: what looks like a return address on the stack is taken for one. */
static void dump_calls(void (*print)(const char *fmt, ...) PRINTF(1, 2), const u64 *sp,
                       const u64 *top)
{
    u32 lines = 0;

    if (sp > top || sp < top - STACK_SIZE / sizeof(*sp)) {
        return; /* on the emergency stack */
    }
    for (; sp < top && lines < 12; sp++) {
        if (follows_call(*sp)) {
            print("  called from image + 0x%llx", (unsigned long long)(*sp - image_base()));
            lines++;
        }
    }
}

void arch_panic_dump(void (*print)(const char *fmt, ...) PRINTF(1, 2))
{
    struct pcpu *p = arch_pcpu();

    if (p == NULL) {
        print("  before the first CPU was set up; image at 0x%llx",
              (unsigned long long)(uintptr_t)image_base());
        return;
    }
    print("  CPU %u, image at 0x%llx, ESR 0x%llx ELR 0x%llx FAR 0x%llx", p->id,
          (unsigned long long)image_base(), (unsigned long long)sysreg_read(esr_el2),
          (unsigned long long)sysreg_read(elr_el2), (unsigned long long)sysreg_read(far_el2));
    if (p->current != NULL) {
        struct vcpu *v = p->current;

        print("  VM %s vCPU %u: pc 0x%llx after %llu exits", v->vm->name, v->id,
              (unsigned long long)to_arm64(v)->frame.elr, (unsigned long long)v->exits);
        for (u32 i = 1; i <= EXIT_TRACE; i++) {
            print("  exit -%u: syndrome 0x%x", i,
                  to_arm64(v)->exit_esr[(v->exits - i) % EXIT_TRACE]);
        }
    }
    dump_calls(print, __builtin_frame_address(0), (const u64 *)(uintptr_t)cpu_stack(p));
}

void trap_fatal(u32 kind, u64 sp, u64 lr, u64 fp)
{
    static const char *const kinds[] = {"synchronous exception", "IRQ", "FIQ", "SError"};

    panic("%s at EL2: SP 0x%llx LR image + 0x%llx FP 0x%llx", kinds[kind & 3],
          (unsigned long long)sp, (unsigned long long)(lr - image_base()), (unsigned long long)fp);
}

/* SPDX-License-Identifier: MIT */
/*
 * A physical CPU at EL2: what it can do, its own control registers, its stack, how it's started,
 * woken and stopped.
 */
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
#include "core/log.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/vm.h"
#include "sysreg.h"

#define START_TIMEOUT_NS 1000000000ull

struct cpu_features cpu;

extern const char _start[], __text_end[]; /* link.ld */

static u64 stacks[PCPU_MAX]; /* top of each CPU's stack */
static struct cpu_start starts[PCPU_MAX] __attribute__((aligned(64)));

void cpu_features_read(void)
{
    cpu.aarch32_el1 = id_field(sysreg_read(id_aa64pfr0_el1), 4) == 2;
    cpu.pan = id_field(sysreg_read(id_aa64mmfr1_el1), 20) != 0;
    cpu.ras = id_field(sysreg_read(id_aa64pfr0_el1), 28) != 0;
    cpu.pauth = traps_has_pauth(traps_hcr(false));
}

u64 cpu_stack(const struct pcpu *p)
{
    return stacks[p->id];
}

void cpu_set_stack(u32 id, u64 top)
{
    stacks[id] = top;
}

void cpu_init(void)
{
    serror_cpu_init();
    traps_cpu_init();
    sysreg_write(mdcr_el2, traps_mdcr());
    sysreg_write(cptr_el2, traps_cptr());
    sysreg_write(vtcr_el2, stage2_vtcr());
    sysreg_write(vpidr_el2, sysreg_read(midr_el1));
    stage2_cpu_init();
    if (!gic_cpu_init()) {
        panic("CPU %u has no interrupt controller", arch_pcpu()->id);
    }
    clock_cpu_init();
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

void arch_kick(struct pcpu *p)
{
    gic_kick(p);
}

void arch_idle(struct pcpu *p, bool wait)
{
    if (wait) {
        dsb_sy(); /* what we stored is seen before we sleep */
        __asm__ volatile("wfi" : : : "memory");
    }
    trap_poll_irqs(p);
}

void arch_clean_dcache(const void *start, size_t len)
{
    size_t line = cache_line();
    const char *p = (const char *)((uintptr_t)start & ~(line - 1));
    const char *end = (const char *)start + len;

    for (; p < end; p += line) {
        dc_clean_invalidate(p);
    }
    dsb_sy();
    ic_invalidate_is();
    dsb_ish();
    isb();
}

void secondary_main(struct pcpu *p)
{
    cpu_init();
    atomic_store_release(&p->online, true);
    sched_run(p);
}

static bool start_cpu(struct pcpu *p)
{
    struct cpu_start *s = &starts[p->id];
    u64 give_up = arch_now_ns() + START_TIMEOUT_NS;

    *s = (struct cpu_start){
        .stack = stacks[p->id],
        .pcpu = (u64)(uintptr_t)p,
        .ttbr = sysreg_read(ttbr0_el2),
        .tcr = sysreg_read(tcr_el2),
        .mair = sysreg_read(mair_el2),
    };
    /* It reads this, and fetches its first instructions, with its caches off. */
    arch_clean_dcache(s, sizeof(*s));
    if (psci_cpu_on(p->mpidr, (u64)(uintptr_t)secondary_entry, (u64)(uintptr_t)s) != 0) {
        return false;
    }
    while (!atomic_load_acquire(&p->online)) {
        if (arch_now_ns() > give_up) {
            return false;
        }
        cpu_relax();
    }
    return true;
}

u32 arch_start_cpus(void)
{
    u32 up = 1;

    for (u32 i = 1; i < pcpu_count; i++) {
        if (start_cpu(&pcpus[i])) {
            up++;
        } else {
            log_err("CPU %u (affinity 0x%llx) did not start: VMs can't use it", i,
                    (unsigned long long)pcpus[i].mpidr);
        }
    }
    return up;
}

u64 arch_ticks(void)
{
    return clock_ticks();
}

void arch_stop(enum arch_stop how)
{
    if (how == STOP_POWEROFF) {
        psci_poweroff();
        log_err("the board can't be switched off: halted");
    } else if (how == STOP_REBOOT) {
        psci_reboot();
        log_err("the board can't be reset: halted");
    }
    for (;;) {
        __asm__ volatile("wfi");
    }
}

static void dump(void (*print)(const char *text), const char *fmt, ...) PRINTF(2, 3);
static void dump(void (*print)(const char *text), const char *fmt, ...)
{
    char line[160];
    va_list ap;

    va_start(ap, fmt);
    fmt_vprint(line, sizeof(line), fmt, ap);
    va_end(ap);
    print(line);
    print("\r\n");
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
static void dump_calls(void (*print)(const char *text), const u64 *sp, const u64 *top)
{
    u32 lines = 0;

    if (sp > top || sp < top - STACK_SIZE / sizeof(*sp)) {
        return; /* on the emergency stack */
    }
    for (; sp < top && lines < 12; sp++) {
        if (follows_call(*sp)) {
            dump(print, "  called from image + 0x%llx", (unsigned long long)(*sp - image_base()));
            lines++;
        }
    }
}

void arch_panic_dump(void (*print)(const char *text))
{
    struct pcpu *p = arch_pcpu();

    if (p == NULL) {
        dump(print, "  before the first CPU was set up; image at 0x%llx",
             (unsigned long long)(uintptr_t)image_base());
        return;
    }
    dump(print, "  CPU %u, image at 0x%llx, ESR 0x%llx ELR 0x%llx FAR 0x%llx", p->id,
         (unsigned long long)image_base(), (unsigned long long)sysreg_read(esr_el2),
         (unsigned long long)sysreg_read(elr_el2), (unsigned long long)sysreg_read(far_el2));
    if (p->current != NULL) {
        struct vcpu *v = p->current;

        dump(print, "  VM %s vCPU %u: pc 0x%llx after %llu exits", v->vm->name, v->id,
             (unsigned long long)to_arm64(v)->frame.elr, (unsigned long long)v->exits);
        for (u32 i = 1; i <= EXIT_TRACE; i++) {
            dump(print, "  exit -%u: syndrome 0x%x", i,
                 to_arm64(v)->exit_esr[(v->exits - i) % EXIT_TRACE]);
        }
    }
    dump_calls(print, __builtin_frame_address(0), (const u64 *)(uintptr_t)stacks[p->id]);
}

void trap_fatal(u32 kind, u64 sp, u64 lr, u64 fp)
{
    static const char *const kinds[] = {"synchronous exception", "IRQ", "FIQ", "SError"};

    panic("%s at EL2: SP 0x%llx LR image + 0x%llx FP 0x%llx", kinds[kind & 3],
          (unsigned long long)sp, (unsigned long long)(lr - image_base()), (unsigned long long)fp);
}

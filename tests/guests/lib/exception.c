/* SPDX-License-Identifier: MIT */
/* See exception.h.  What nobody expects ends the guest with a failure. */
#include "tests/guests/lib/exception.h"

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/image.h"
#include "tests/guests/lib/test.h"

void (*exception_irq_hook)(uint64_t entry_time);
uint32_t exception_serrors;

/* vectors.S */
void probe_abandon(struct probe *p) __attribute__((noreturn));

void exception_sync(struct trap_frame *frame)
{
    struct probe *p = cpu_self()->probe;

    if (!p) {
        test_panic("unexpected exception: esr 0x%lx elr image+0x%lx far 0x%lx spsr 0x%lx",
                   (uint64_t)frame->esr, (uint64_t)(frame->elr - (uintptr_t)image_start),
                   (uint64_t)frame->far, (uint64_t)frame->spsr);
    }
    p->esr = frame->esr;
    p->far = frame->far;
    p->elr = frame->elr;
    p->x9 = frame->x[9];
    probe_abandon(p);
}

void exception_irq(uint64_t entry_time)
{
    if (!exception_irq_hook) {
        test_panic("unexpected interrupt");
    }
    exception_irq_hook(entry_time);
}

void exception_serror(struct trap_frame *frame)
{
    (void)frame;
    atomic_add(&exception_serrors, 1);
}

void exception_fiq(void)
{
    test_panic("unexpected FIQ");
}

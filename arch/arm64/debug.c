/* SPDX-License-Identifier: MIT */
/* From struct vsysreg to MDSCR_EL1, DBGB* and DBGW* (Arm ARM D2). */
#include "arch/arm64/debug.h"

#include "arch/arm-common/vsysreg.h"
#include "sysreg.h"

#define MDSCR_MDE BIT64(15)

#define BREAKPOINT_CASE(n)                                                                         \
    case n:                                                                                        \
        sysreg_write(dbgbvr##n##_el1, b->value);                                                   \
        sysreg_write(dbgbcr##n##_el1, b->control);                                                 \
        break
#define WATCHPOINT_CASE(n)                                                                         \
    case n:                                                                                        \
        sysreg_write(dbgwvr##n##_el1, w->value);                                                   \
        sysreg_write(dbgwcr##n##_el1, w->control);                                                 \
        break
#define ALL_CASES(one)                                                                             \
    one(0);                                                                                        \
    one(1);                                                                                        \
    one(2);                                                                                        \
    one(3);                                                                                        \
    one(4);                                                                                        \
    one(5);                                                                                        \
    one(6);                                                                                        \
    one(7);                                                                                        \
    one(8);                                                                                        \
    one(9);                                                                                        \
    one(10);                                                                                       \
    one(11);                                                                                       \
    one(12);                                                                                       \
    one(13);                                                                                       \
    one(14);                                                                                       \
    one(15)

static void breakpoint_write(u32 n, const struct vsysreg_debug *b)
{
    switch (n) {
        ALL_CASES(BREAKPOINT_CASE);
    }
}

static void watchpoint_write(u32 n, const struct vsysreg_debug *w)
{
    switch (n) {
        ALL_CASES(WATCHPOINT_CASE);
    }
}

void debug_load(struct vsysreg *s)
{
    u64 dfr0 = sysreg_read(id_aa64dfr0_el1);

    s->debug_dirty = false;
    if (s->os_lock) {
        sysreg_write(mdscr_el1, 0);
        return;
    }
    if (!s->debug_used) {
        /* Another vCPU's breakpoints may be in the hardware: with MDE 0 they do nothing. */
        sysreg_write(mdscr_el1, s->mdscr & ~MDSCR_MDE);
        return;
    }
    sysreg_write(mdscr_el1, 0);
    isb(); /* half-written breakpoints don't match */
    for (u32 n = 0; n <= id_field(dfr0, 12); n++) {
        breakpoint_write(n, &s->breakpoint[n]);
    }
    for (u32 n = 0; n <= id_field(dfr0, 20); n++) {
        watchpoint_write(n, &s->watchpoint[n]);
    }
    isb();
    sysreg_write(mdscr_el1, s->mdscr);
}

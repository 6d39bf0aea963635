/* SPDX-License-Identifier: MIT */
/*
 * Barriers (Arm ARM B2.6.5, DDI 0406 A3.8.3): written alike for both instruction sets. They are
 * compiler barriers, too. sysreg.h includes them.
 */
#ifndef ARCH_ARM_COMMON_BARRIER_H
#define ARCH_ARM_COMMON_BARRIER_H

static inline void isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

/* Stores, TLB and cache operations before it are complete for everything in the system. */
static inline void dsb_sy(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

/* The same for the CPUs that share Muntin's memory. */
static inline void dsb_ish(void)
{
    __asm__ volatile("dsb ish" : : : "memory");
}

/* Stores only, e.g. page-table entries before they are used. */
static inline void dsb_ishst(void)
{
    __asm__ volatile("dsb ishst" : : : "memory");
}

/* For operations that concern this CPU alone. */
static inline void dsb_nsh(void)
{
    __asm__ volatile("dsb nsh" : : : "memory");
}

/* Orders memory accesses, Device ones too, without waiting for them. */
static inline void dmb_sy(void)
{
    __asm__ volatile("dmb sy" : : : "memory");
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What of the guests' library is arm64's own; lib/arm has the same names for arm. System registers
 * go by their AArch64 names there, too.
 */
#ifndef TESTS_GUESTS_LIB_ARM64_ARCH_H
#define TESTS_GUESTS_LIB_ARM64_ARCH_H

#include <stddef.h>
#include <stdint.h>

#include "tests/guests/lib/layout.h"

#define sysreg_read(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " name : "=r"(value_) : : "memory");                             \
        value_;                                                                                    \
    })
#define sysreg_write(name, value)                                                                  \
    __asm__ volatile("msr " name ", %x0" : : "rZ"((uint64_t)(value)) : "memory")

/* A call with nothing around it, whose answer is dropped. */
#define bare_call(insn, function)                                                                  \
    do {                                                                                           \
        register uint64_t x0_ __asm__("x0") = (function);                                          \
        __asm__ volatile(insn : "+r"(x0_) : : "x1", "x2", "x3", "memory");                         \
    } while (0)

#define wait_event_local() __asm__ volatile("sevl\n\twfe" : : : "memory")
#define irq_unmask()       __asm__ volatile("msr daifclr, #2\n\tisb" : : : "memory")
#define irq_mask()         __asm__ volatile("msr daifset, #2" : : : "memory")

#define MASKED_ALL 0x3c0 /* D, A, I, F of sysreg_read("daif") */

#define tlb_flush()     __asm__ volatile("dsb ishst\n\ttlbi vmalle1\n\tdsb ish\n\tisb" : : : "memory")
#define tlb_flush_all() __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish" : : : "memory")

/* Data caches by address: to the point of coherency, to that of unification; instruction caches. */
#define cache_clean_invalidate(p) __asm__ volatile("dc civac, %0\n\tdsb sy" : : "r"(p) : "memory")
#define cache_clean_unified(p)    __asm__ volatile("dc cvau, %0" : : "r"(p) : "memory")
#define cache_invalidate_i(p)     __asm__ volatile("ic ivau, %0" : : "r"(p) : "memory")

/* The same by set and way. */
#define cache_invalidate_way(v)       __asm__ volatile("dc isw, %0" : : "r"(v) : "memory")
#define cache_clean_way(v)            __asm__ volatile("dc csw, %0" : : "r"(v) : "memory")
#define cache_clean_invalidate_way(v) __asm__ volatile("dc cisw, %0" : : "r"(v) : "memory")

/* Instructions of lib/io.h: how they write the register of so many bits, and a constant for 0. */
#define IO_LOAD(bits)  IO_LOAD_##bits
#define IO_LOAD_8      "ldrb %w0, [%1]"
#define IO_LOAD_16     "ldrh %w0, [%1]"
#define IO_LOAD_32     "ldr %w0, [%1]"
#define IO_LOAD_64     "ldr %x0, [%1]"
#define IO_STORE(bits) IO_STORE_##bits
#define IO_STORE_8     "strb %w0, [%1]"
#define IO_STORE_16    "strh %w0, [%1]"
#define IO_STORE_32    "str %w0, [%1]"
#define IO_STORE_64    "str %x0, [%1]"
#define IO_VALUE       "rZ"

#define INSN_RET 0xd65f03c0u

/* A system register as op0 (2 or 3), op1, CRn, CRm, op2. */
#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((uint32_t)(op0) << 19 | (uint32_t)(op1) << 16 | (uint32_t)(crn) << 12 |                       \
     (uint32_t)(crm) << 8 | (uint32_t)(op2) << 5)

/* MRS x0, register and MSR register, x0. */
#define INSN_MRS(sysreg) (0xd5200000u | (sysreg))
#define INSN_MSR(sysreg) (0xd5000000u | (sysreg))

/* HVC and SMC with an immediate. */
#define INSN_HVC(imm) (0xd4000002u | (uint32_t)(imm) << 5)
#define INSN_SMC(imm) (0xd4000003u | (uint32_t)(imm) << 5)

/* As vectors.S pushes it. */
struct trap_frame {
    uint64_t x[31];
    uint64_t elr;
    uint64_t spsr;
    uint64_t esr; /* not for interrupts */
    uint64_t far; /* not for interrupts */
    uint64_t pad;
};
_Static_assert(offsetof(struct trap_frame, elr) == FRAME_ELR, "vectors.S");
_Static_assert(offsetof(struct trap_frame, esr) == FRAME_ESR, "vectors.S");
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "vectors.S");

/* Calls of PSCI: those of 64 bits. */
#define PSCI_NATIVE PSCI_64

/* The FP registers in words of 64 bits. */
enum { FP_WORDS = 64 };

/* mmu.c */
enum { MMU_ROOT_ENTRIES = 512 };

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What of the guests' library is arm's own, in the ARM instruction set of ARMv7-A with the
 * Virtualization Extensions. System registers go by their AArch64 names, as in lib/arm64.
 */
#ifndef TESTS_GUESTS_LIB_ARM_ARCH_H
#define TESTS_GUESTS_LIB_ARM_ARCH_H

#include <stdint.h>

/* For each name a macro of the assembler that reads it into a pair of registers, or writes it. */
__asm__(".arch_extension virt\n"
        ".arch_extension sec\n"
        ".macro reg32 name, op1, crn, crm, op2\n"
        "  .macro read_\\name lo, hi\n"
        "    mrc p15, \\op1, \\lo, \\crn, \\crm, \\op2\n"
        "    mov \\hi, #0\n"
        "  .endm\n"
        "  .macro write_\\name lo, hi\n"
        "    mcr p15, \\op1, \\lo, \\crn, \\crm, \\op2\n"
        "  .endm\n"
        ".endm\n"
        ".macro reg64 name, op1, crm\n"
        "  .macro read_\\name lo, hi\n"
        "    mrrc p15, \\op1, \\lo, \\hi, \\crm\n"
        "  .endm\n"
        "  .macro write_\\name lo, hi\n"
        "    mcrr p15, \\op1, \\lo, \\hi, \\crm\n"
        "  .endm\n"
        ".endm\n"
        "reg32 midr_el1, 0, c0, c0, 0\n"
        "reg32 ctr_el0, 0, c0, c0, 1\n"
        "reg32 mpidr_el1, 0, c0, c0, 5\n"
        "reg32 id_aa64isar0_el1, 0, c0, c2, 0\n" /* ID_ISAR0 */
        "reg32 ccsidr_el1, 1, c0, c0, 0\n"
        "reg32 clidr_el1, 1, c0, c0, 1\n"
        "reg32 csselr_el1, 2, c0, c0, 0\n"
        "reg32 sctlr_el1, 0, c1, c0, 0\n"
        "reg32 cpacr_el1, 0, c1, c0, 2\n"
        "reg32 far_el1, 0, c6, c0, 0\n"
        "reg32 par_el1_low, 0, c7, c4, 0\n"
        "reg32 contextidr_el1, 0, c13, c0, 1\n"
        "reg32 tpidr_el0, 0, c13, c0, 2\n"
        "reg32 tpidrro_el0, 0, c13, c0, 3\n"
        "reg32 tpidr_el1, 0, c13, c0, 4\n"
        "reg32 cntfrq_el0, 0, c14, c0, 0\n"
        "reg32 cntkctl_el1, 0, c14, c1, 0\n"
        "reg32 cntp_tval_el0, 0, c14, c2, 0\n"
        "reg32 cntp_ctl_el0, 0, c14, c2, 1\n"
        "reg32 cntv_tval_el0, 0, c14, c3, 0\n"
        "reg32 cntv_ctl_el0, 0, c14, c3, 1\n"
        "reg64 cntpct_el0, 0, c14\n"
        "reg64 cntvct_el0, 1, c14\n"
        "reg64 cntp_cval_el0, 2, c14\n"
        "reg64 cntv_cval_el0, 3, c14\n"
        "reg64 ttbr1_el1, 1, c2\n"
        "reg32 S3_0_C4_C6_0, 0, c4, c6, 0\n" /* ICC_PMR_EL1 and so on */
        "reg32 S3_0_C12_C8_2, 0, c12, c8, 2\n"
        "reg32 S3_0_C12_C8_4, 0, c12, c8, 4\n"
        "reg32 S3_0_C12_C9_0, 0, c12, c9, 0\n"
        "reg32 S3_0_C12_C11_1, 0, c12, c11, 1\n"
        "reg32 S3_0_C12_C11_3, 0, c12, c11, 3\n"
        "reg64 S3_0_C12_C11_5, 0, c12\n"
        "reg32 S3_0_C12_C12_0, 0, c12, c12, 0\n"
        "reg32 S3_0_C12_C12_1, 0, c12, c12, 1\n"
        "reg32 S3_0_C12_C12_2, 0, c12, c12, 2\n"
        "reg32 S3_0_C12_C12_3, 0, c12, c12, 3\n"
        "reg32 S3_0_C12_C12_4, 0, c12, c12, 4\n"
        "reg32 S3_0_C12_C12_5, 0, c12, c12, 5\n"
        "reg32 S3_0_C12_C12_6, 0, c12, c12, 6\n"
        "reg32 S3_0_C12_C12_7, 0, c12, c12, 7\n"
        ".macro read_daif lo, hi\n"
        "  mrs \\lo, cpsr\n"
        "  mov \\hi, #0\n"
        ".endm\n"
        ".macro write_daif lo, hi\n"
        "  msr cpsr_cx, \\lo\n"
        ".endm\n"
        ".macro read_CurrentEL lo, hi\n"
        "  mrs \\lo, cpsr\n"
        "  and \\lo, \\lo, #0x1f\n"
        "  cmp \\lo, #0x1a\n"
        "  moveq \\lo, #8\n"
        "  movne \\lo, #4\n"
        "  mov \\hi, #0\n"
        ".endm\n");

#define sysreg_read(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("read_" name " %Q0, %R0" : "=r"(value_) : : "memory", "cc");              \
        value_;                                                                                    \
    })
#define sysreg_write(name, value)                                                                  \
    __asm__ volatile("write_" name " %Q0, %R0" : : "r"((uint64_t)(value)) : "memory")

#define bare_call(insn, function)                                                                  \
    do {                                                                                           \
        register uint32_t r0_ __asm__("r0") = (function);                                          \
        __asm__ volatile(insn : "+r"(r0_) : : "r1", "r2", "r3", "memory");                         \
    } while (0)

#define wait_event_local() __asm__ volatile("sev\n\twfe" : : : "memory")
#define irq_unmask()       __asm__ volatile("cpsie i\n\tisb" : : : "memory")
#define irq_mask()         __asm__ volatile("cpsid i" : : : "memory")

#define MASKED_ALL 0x1c0 /* A, I, F of the CPSR */

#define tlb_flush()                                                                                \
    __asm__ volatile("dsb ishst\n\tmcr p15, 0, %0, c8, c7, 0\n\tdsb ish\n\tisb"                    \
                     :                                                                             \
                     : "r"(0)                                                                      \
                     : "memory")
#define tlb_flush_all()                                                                            \
    __asm__ volatile("dsb ishst\n\tmcr p15, 0, %0, c8, c3, 0\n\tdsb ish" : : "r"(0) : "memory")

/* DCCIMVAC, DCCMVAU, ICIMVAU with the branch predictor. */
#define cache_clean_invalidate(p)                                                                  \
    __asm__ volatile("mcr p15, 0, %0, c7, c14, 1\n\tdsb sy" : : "r"(p) : "memory")
#define cache_clean_unified(p) __asm__ volatile("mcr p15, 0, %0, c7, c11, 1" : : "r"(p) : "memory")
#define ICIMVAU                "mcr p15, 0, %0, c7, c5, 1\n\t"
#define BPIALL                 "mcr p15, 0, %0, c7, c5, 6"

#define cache_invalidate_i(p) __asm__ volatile(ICIMVAU BPIALL : : "r"(p) : "memory")

#define cache_invalidate_way(v)                                                                    \
    __asm__ volatile("mcr p15, 0, %0, c7, c6, 2" : : "r"((uint32_t)(v)) : "memory")
#define cache_clean_way(v)                                                                         \
    __asm__ volatile("mcr p15, 0, %0, c7, c10, 2" : : "r"((uint32_t)(v)) : "memory")
#define cache_clean_invalidate_way(v)                                                              \
    __asm__ volatile("mcr p15, 0, %0, c7, c14, 2" : : "r"((uint32_t)(v)) : "memory")

#define IO_LOAD(bits)  IO_LOAD_##bits
#define IO_LOAD_8      "ldrb %0, [%1]"
#define IO_LOAD_16     "ldrh %0, [%1]"
#define IO_LOAD_32     "ldr %0, [%1]"
#define IO_LOAD_64     "ldr %Q0, [%1]\n\tldr %R0, [%1, #4]"
#define IO_STORE(bits) IO_STORE_##bits
#define IO_STORE_8     "strb %0, [%1]"
#define IO_STORE_16    "strh %0, [%1]"
#define IO_STORE_32    "str %0, [%1]"
#define IO_STORE_64    "str %Q0, [%1]\n\tstr %R0, [%1, #4]"
#define IO_VALUE       "r"

#define INSN_RET 0xe12fff1eu /* bx lr */

/* A register of a coprocessor, 14 or 15, as opc1, CRn, CRm, opc2; or, of 64 bits, as opc1, CRm. */
#define CPREG(cp, opc1, crn, crm, opc2)                                                            \
    ((uint32_t)(cp) << 8 | (uint32_t)(opc1) << 21 | (uint32_t)(crn) << 16 | (uint32_t)(crm) |      \
     (uint32_t)(opc2) << 5)
#define CPREG64(cp, opc1, crm) ((uint32_t)(cp) << 8 | (uint32_t)(opc1) << 4 | (uint32_t)(crm))

/* MRC and MCR of r0, MRRC and MCRR of r0 and r1. */
#define INSN_MRC(reg)  (0xee100010u | (reg))
#define INSN_MCR(reg)  (0xee000010u | (reg))
#define INSN_MRRC(reg) (0xec510000u | (reg))
#define INSN_MCRR(reg) (0xec410000u | (reg))

#define INSN_HVC(imm) (0xe1400070u | ((uint32_t)(imm)&0xfff0) << 4 | ((imm)&0xf))
#define INSN_SMC(imm) (0xe1600070u | ((imm)&0xf))

/* As vectors.S pushes it: an AArch64 syndrome is made of what the CPU reports. */
struct trap_frame {
    uint32_t esr; /* not for interrupts */
    uint32_t far; /* not for interrupts */
    uint32_t x[13];
    uint32_t lr;
    uint32_t elr;
    uint32_t spsr;
};

#define PSCI_NATIVE 0

/* The FP registers in words of 64 bits. */
enum { FP_WORDS = 32 };

/* Two bits of the address choose one. */
enum { MMU_ROOT_ENTRIES = 4 };

#endif

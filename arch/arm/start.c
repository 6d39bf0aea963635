/* SPDX-License-Identifier: MIT */
/* See arch/arm-common/start.h. */
#include "arch/arm-common/start.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/pgtable.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm/arm.h"
#include "core/panic.h"
#include "sysreg.h"

#define HTCR_RES1     (BIT(31) | BIT(23))
#define HTCR_SH_ISH   (3u << 12)
#define HTCR_ORGN_WB  (1u << 10)
#define HTCR_IRGN_WB  (1u << 8)
#define HSCTLR_WXN    BIT(19)
#define VMSA_LPAE     5 /* ID_MMFR0 */
#define SECTION_SHIFT 20
#define SECTIONS      4096
/* Short descriptors (DDI 0406 B3.5.1): sections that PL1 may read and write */
#define SECTION_NORMAL (2u | 1u << 12 | 3u << 2 | 1u << 10 | 1u << 16)
#define SECTION_DEVICE (2u | 1u << 2 | 1u << 4 | 1u << 10)

extern const char _start[], __image_end[]; /* link.ld */

struct boot_regs {
    u32 htcr, hmair0;
} boot_regs; /* for head.S */

static u32 sections[SECTIONS] __attribute__((aligned(4 * SECTIONS)));

static u32 mode(void)
{
    u32 cpsr;

    __asm__ volatile("mrs %0, cpsr" : "=r"(cpsr));
    return cpsr & 0x1f;
}

u32 start_level(void)
{
    if (mode() != MODE_HYP) {
        return 1;
    }
    sysreg_write(HCR, BOOT_HCR);
    isb();
    boot_regs.htcr = HTCR_RES1 | HTCR_SH_ISH | HTCR_ORGN_WB | HTCR_IRGN_WB;
    boot_regs.hmair0 = PGTABLE_MAIR;
    return 2;
}

u32 start_va_bits(void)
{
    return 32;
}

/*
 * In SVC mode nobody knows whether the CPU has long descriptors. All it takes is to say so: image
 * and tree as memory, everything else as devices.
 */
uintptr_t start_table(uintptr_t root, uintptr_t tree, u64 tree_size)
{
    u32 first = (u32)(uintptr_t)_start >> SECTION_SHIFT;
    u32 last = ((u32)(uintptr_t)__image_end - 1) >> SECTION_SHIFT;
    u32 tree_first = (u32)tree >> SECTION_SHIFT;
    u32 tree_last = (u32)(tree + tree_size - 1) >> SECTION_SHIFT;

    if (mode() == MODE_HYP) {
        return root;
    }
    for (u32 i = 0; i < SECTIONS; i++) {
        bool memory =
            (i >= first && i <= last) || (tree_size != 0 && i >= tree_first && i <= tree_last);

        sections[i] = i << SECTION_SHIFT | (memory ? SECTION_NORMAL : SECTION_DEVICE);
    }
    return (uintptr_t)sections;
}

const char *boot_refusal(void)
{
    bool lpae = (CP32_READ_(0, c0, c1, 4) & 15) >= VMSA_LPAE;

    return lpae ? NULL
                : "this CPU has no long descriptors (LPAE), and so no Hyp mode: Cortex-A7 and A15 "
                  "were the first that have";
}

bool boot_can_run(bool is64)
{
    return !is64;
}

void start_pcpu(struct pcpu *p)
{
    sysreg_write(HTPIDR, (uintptr_t)p);
}

void start_wxn(void)
{
    sysreg_write(HSCTLR, sysreg_read(HSCTLR) | HSCTLR_WXN);
    isb();
}

void start_copy(struct cpu_start *s)
{
    s->ttbr = sysreg_read(HTTBR);
    s->tcr = sysreg_read(HTCR);
    s->mair = sysreg_read(HMAIR0);
}

void start_guests(void)
{
    struct vsysreg_ids ids;

    idregs_read(&ids);
    vsysreg_init(&ids, stage2_ipa_bits(), gic.v3, cpu_has_s2fwb());
}

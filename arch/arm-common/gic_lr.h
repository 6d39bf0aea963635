/* SPDX-License-Identifier: MIT */
/*
 * List registers: from struct irq_lr to what the hardware holds and back. Plain arithmetic, inlined
 * into the save and load loops and tested on the host.
 * GICv3: ICH_LR<n>_EL2, IHI 0069 §12.4.6. GICv2: GICH_LR<n>, IHI 0048 §5.3.9.
 */
#ifndef ARCH_ARM_COMMON_GIC_LR_H
#define ARCH_ARM_COMMON_GIC_LR_H

#include "core/irq.h"
#include "core/types.h"

#define GIC_LR3_EOI BIT64(41) /* in the pINTID field, when HW is 0 */
#define GIC_LR3_HW  BIT64(61)

#define GIC_LR2_EOI BIT(19) /* in the physical ID field, when HW is 0 */
#define GIC_LR2_HW  BIT(31)

/* The state fields have the numbers of enum irq_lr_state in both. */
static inline u8 gic_lr3_state(u64 reg)
{
    return (u8)(reg >> 62);
}

static inline u8 gic_lr2_state(u32 reg)
{
    return (u8)((reg >> 28) & 3);
}

/*
 * This is on the way of every virtual interrupt, so all but two flags are taken out of struct
 * irq_lr with one load: its first eight bytes as a little-endian word.
 */
_Static_assert(offsetof(struct irq_lr, virq) == 0 && offsetof(struct irq_lr, pirq) == 2 &&
                   offsetof(struct irq_lr, prio) == 4 && offsetof(struct irq_lr, state) == 5 &&
                   offsetof(struct irq_lr, source) == 6 && offsetof(struct irq_lr, hw) == 7,
               "gic_lr3_make, gic_lr2_make");

static inline u64 gic_lr3_make(const struct irq_lr *lr)
{
    u64 word, reg;

    __builtin_memcpy(&word, lr, sizeof(word));
    reg = (word & 0xffff)                   /* virq to [15:0] */
          | (word & 0xff00000000ull) << 16  /* prio to [55:48] */
          | (word & 0x30000000000ull) << 22 /* state to [63:62] */
          | (u64)lr->group1 << 60;
    if (word >> 56 != 0) {                                  /* hw */
        return reg | GIC_LR3_HW | (word & 0x3ff0000) << 16; /* pirq to [41:32] */
    }
    return lr->eoi ? reg | GIC_LR3_EOI : reg;
}

/* Without security extensions seen by guests, a GICv2 list register's group is left to the vGIC. */
static inline u32 gic_lr2_make(const struct irq_lr *lr)
{
    u64 word;
    u32 reg;

    __builtin_memcpy(&word, lr, sizeof(word));
    reg = ((u32)word & 0x3ff)                /* virq to [9:0] */
          | ((u32)(word >> 12) & 0x3f800000) /* the upper 5 bits of prio, and state, to [29:23] */
          | (u32)lr->group1 << 30;
    if (word >> 56 != 0) {                                           /* hw */
        return reg | GIC_LR2_HW | ((u32)(word >> 6) & 0x3ffu << 10); /* pirq to [19:10] */
    }
    reg |= (u32)(word >> 38) & 7u << 10; /* source to [12:10] */
    return lr->eoi ? reg | GIC_LR2_EOI : reg;
}

/* What gic_lr2_make made of a linked one, without the link: its end is a maintenance interrupt. */
static inline u32 gic_lr2_unlink(u32 reg)
{
    return (reg & ~(GIC_LR2_HW | 0x3ffu << 10)) | GIC_LR2_EOI;
}

#endif

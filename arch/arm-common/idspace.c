/* SPDX-License-Identifier: MIT */
/*
 * The table of ID fields (Arm ARM D19.2). A field that isn't listed reads 0. Adding one here is a
 * promise: the feature's registers are switched with the vCPU, or it has none.
 */
#include "arch/arm-common/idspace.h"

/* How a field gets from hardware to the guest */
enum rule {
    SAME, /* as it is: no state of its own, or state that is switched */
    AT_MOST /* not above `value`: what later versions of the feature add isn't there */,
    EXACTLY, /* `value`, whatever the hardware says */
};

struct field {
    u8 reg; /* enum idspace_reg */
    u8 shift;
    u8 rule;
    u8 value;
};

/* A whole AArch32 register, for 32-bit programs at EL0: 8 fields */
#define ALL_OF(reg)                                                                                \
    {(reg), 0, SAME, 0}, {(reg), 4, SAME, 0}, {(reg), 8, SAME, 0}, {(reg), 12, SAME, 0},           \
        {(reg), 16, SAME, 0}, {(reg), 20, SAME, 0}, {(reg), 24, SAME, 0},                          \
    {                                                                                              \
        (reg), 28, SAME, 0                                                                         \
    }

static const struct field fields[] = {
    /* Instruction sets and the like of EL0 and EL1. EL2 and EL3 aren't there. */
    {ID_AA64PFR0, 0, SAME, 0},     /* EL0, AArch32 too */
    {ID_AA64PFR0, 4, EXACTLY, 1},  /* EL1: AArch64 only, HCR_EL2.RW is 1 */
    {ID_AA64PFR0, 16, SAME, 0},    /* FP; 15: none */
    {ID_AA64PFR0, 20, SAME, 0},    /* AdvSIMD; 15: none */
    {ID_AA64PFR0, 48, SAME, 0},    /* DIT */
    {ID_AA64PFR0, 56, AT_MOST, 1}, /* CSV2; from 2 on there are SCXTNUM registers */
    {ID_AA64PFR0, 60, SAME, 0},    /* CSV3 */
    {ID_AA64PFR1, 0, SAME, 0},     /* BT */
    {ID_AA64PFR1, 4, SAME, 0},     /* SSBS */

    /* Debug: as in v8.0; breakpoints are emulated. No PMU, trace, profiling, double lock. */
    {ID_AA64DFR0, 0, EXACTLY, 6},
    {ID_AA64DFR0, 12, SAME, 0},     /* BRPs */
    {ID_AA64DFR0, 20, SAME, 0},     /* WRPs */
    {ID_AA64DFR0, 28, SAME, 0},     /* CTX_CMPs */
    {ID_AA64DFR0, 36, EXACTLY, 15}, /* DoubleLock: none */

    {ID_AA64ISAR0, 4, SAME, 0},  /* AES */
    {ID_AA64ISAR0, 8, SAME, 0},  /* SHA1 */
    {ID_AA64ISAR0, 12, SAME, 0}, /* SHA2 */
    {ID_AA64ISAR0, 16, SAME, 0}, /* CRC32 */
    {ID_AA64ISAR0, 20, SAME, 0}, /* Atomic */
    {ID_AA64ISAR0, 28, SAME, 0}, /* RDM */
    {ID_AA64ISAR0, 32, SAME, 0}, /* SHA3 */
    {ID_AA64ISAR0, 36, SAME, 0}, /* SM3 */
    {ID_AA64ISAR0, 40, SAME, 0}, /* SM4 */
    {ID_AA64ISAR0, 44, SAME, 0}, /* DP */
    {ID_AA64ISAR0, 48, SAME, 0}, /* FHM */
    {ID_AA64ISAR0, 52, SAME, 0}, /* TS */
    {ID_AA64ISAR0, 56, SAME, 0}, /* TLB: range and outer shareable operations */
    {ID_AA64ISAR0, 60, SAME, 0}, /* RNDR: can't be trapped */

    {ID_AA64ISAR1, 0, SAME, 0},  /* DPB */
    {ID_AA64ISAR1, 4, SAME, 0},  /* APA: the keys are switched, HCR_EL2.API and APK set */
    {ID_AA64ISAR1, 8, SAME, 0},  /* API */
    {ID_AA64ISAR1, 12, SAME, 0}, /* JSCVT */
    {ID_AA64ISAR1, 16, SAME, 0}, /* FCMA */
    {ID_AA64ISAR1, 20, SAME, 0}, /* LRCPC */
    {ID_AA64ISAR1, 24, SAME, 0}, /* GPA */
    {ID_AA64ISAR1, 28, SAME, 0}, /* GPI */
    {ID_AA64ISAR1, 32, SAME, 0}, /* FRINTTS */
    {ID_AA64ISAR1, 36, SAME, 0}, /* SB */
    {ID_AA64ISAR1, 40, SAME, 0}, /* SPECRES */
    {ID_AA64ISAR1, 44, SAME, 0}, /* BF16 */
    {ID_AA64ISAR1, 48, SAME, 0}, /* DGH */
    {ID_AA64ISAR1, 52, SAME, 0}, /* I8MM */

    {ID_AA64ISAR2, 4, SAME, 0},  /* RPRES */
    {ID_AA64ISAR2, 8, SAME, 0},  /* GPA3 */
    {ID_AA64ISAR2, 12, SAME, 0}, /* APA3 */
    {ID_AA64ISAR2, 20, SAME, 0}, /* BC */
    {ID_AA64ISAR2, 24, SAME, 0}, /* PAC_frac */
    {ID_AA64ISAR2, 28, SAME, 0}, /* CLRBHB */
    {ID_AA64ISAR2, 52, SAME, 0}, /* CSSC */

    {ID_AA64MMFR0, 4, SAME, 0},     /* ASIDBits */
    {ID_AA64MMFR0, 8, SAME, 0},     /* BigEnd */
    {ID_AA64MMFR0, 12, SAME, 0},    /* SNSMem */
    {ID_AA64MMFR0, 16, SAME, 0},    /* BigEndEL0 */
    {ID_AA64MMFR0, 20, AT_MOST, 1}, /* TGran16, without 52 bits */
    {ID_AA64MMFR0, 24, SAME, 0},    /* TGran64; 15: none */
    {ID_AA64MMFR0, 44, SAME, 0},    /* ExS */
    {ID_AA64MMFR0, 60, AT_MOST, 1}, /* ECV: self-synchronised counters */

    {ID_AA64MMFR1, 0, AT_MOST, 2}, /* HAFDBS */
    {ID_AA64MMFR1, 12, SAME, 0},   /* HPDS */
    {ID_AA64MMFR1, 20, SAME, 0},   /* PAN */
    {ID_AA64MMFR1, 24, SAME, 0},   /* SpecSEI */
    {ID_AA64MMFR1, 36, SAME, 0},   /* ETS */
    {ID_AA64MMFR1, 44, SAME, 0},   /* AFP */
    {ID_AA64MMFR1, 48, SAME, 0},   /* nTLBPA */
    {ID_AA64MMFR1, 60, SAME, 0},   /* ECBHB */

    {ID_AA64MMFR2_INDEX, 0, SAME, 0},     /* CnP */
    {ID_AA64MMFR2_INDEX, 4, SAME, 0},     /* UAO */
    {ID_AA64MMFR2_INDEX, 8, SAME, 0},     /* LSM */
    {ID_AA64MMFR2_INDEX, 16, AT_MOST, 1}, /* VARange */
    {ID_AA64MMFR2_INDEX, 20, SAME, 0},    /* CCIDX: CCSIDR isn't trapped and has that format */
    {ID_AA64MMFR2_INDEX, 28, SAME, 0},    /* ST */
    {ID_AA64MMFR2_INDEX, 32, SAME, 0},    /* AT */
    {ID_AA64MMFR2_INDEX, 36, SAME, 0},    /* IDS */
    {ID_AA64MMFR2_INDEX, 48, SAME, 0},    /* TTL */
    {ID_AA64MMFR2_INDEX, 52, SAME, 0},    /* BBM */
    {ID_AA64MMFR2_INDEX, 60, SAME, 0},    /* E0PD */

    /* AArch32, for programs at EL0 */
    {ID_PFR0, 0, SAME, 0},
    {ID_PFR0, 4, SAME, 0},
    {ID_PFR0, 8, SAME, 0},
    {ID_PFR0, 12, SAME, 0},
    {ID_PFR0, 24, SAME, 0},     /* DIT */
    {ID_PFR1, 0, SAME, 0},      /* ProgMod */
    {ID_PFR1, 16, SAME, 0},     /* GenTimer */
    {ID_PFR2, 0, SAME, 0},      /* CSV3 */
    {ID_PFR2, 4, SAME, 0},      /* SSBS */
    {ID_DFR0, 0, AT_MOST, 6},   /* CopDbg */
    {ID_DFR0, 24, EXACTLY, 15}, /* PerfMon: none */
    ALL_OF(ID_MMFR0),
    ALL_OF(ID_MMFR1),
    ALL_OF(ID_MMFR2),
    ALL_OF(ID_MMFR3),
    ALL_OF(ID_MMFR4),
    ALL_OF(ID_MMFR5),
    ALL_OF(ID_ISAR0),
    ALL_OF(ID_ISAR1),
    ALL_OF(ID_ISAR2),
    ALL_OF(ID_ISAR3),
    ALL_OF(ID_ISAR4),
    ALL_OF(ID_ISAR5),
    ALL_OF(ID_ISAR6),
    ALL_OF(ID_MVFR0),
    ALL_OF(ID_MVFR1),
    ALL_OF(ID_MVFR2),
};

#define AA64PFR0_GIC 24
#define PFR1_GIC     28
#define MMFR0_TGRAN4 28
#define DFR0_BRPS    12
#define DFR0_WRPS    20

static u64 get(const struct vsysreg_ids *ids, u32 reg, u32 shift)
{
    return (ids->id[reg] >> shift) & 0xf;
}

static void set(struct vsysreg_ids *ids, u32 reg, u32 shift, u64 value)
{
    ids->id[reg] = (ids->id[reg] & ~(0xfull << shift)) | value << shift;
}

/* PARange: the largest that is no more than ipa_bits. */
static u64 pa_range(u32 ipa_bits)
{
    static const u8 bits[] = {32, 36, 40, 42, 44, 48};
    u32 range = 0;

    for (u32 i = 0; i < ARRAY_SIZE(bits); i++) {
        if (bits[i] <= ipa_bits) {
            range = i;
        }
    }
    return range;
}

void idspace_mask(struct vsysreg_ids *guest, const struct vsysreg_ids *host, u32 ipa_bits,
                  bool gicv3)
{
    *guest = (struct vsysreg_ids){.revidr = host->revidr, .aidr = host->aidr};
    for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
        const struct field *f = &fields[i];
        u64 value = get(host, f->reg, f->shift);

        if (f->rule == EXACTLY || (f->rule == AT_MOST && value > f->value)) {
            value = f->value;
        }
        set(guest, f->reg, f->shift, value);
    }
    set(guest, ID_AA64MMFR0, 0, pa_range(ipa_bits));
    /* TGran4: 15 is none, 0 is there, 1 adds 52 bits */
    set(guest, ID_AA64MMFR0, MMFR0_TGRAN4, get(host, ID_AA64MMFR0, MMFR0_TGRAN4) == 0xf ? 0xf : 0);
    set(guest, ID_AA64PFR0, AA64PFR0_GIC, gicv3);
    set(guest, ID_PFR1, PFR1_GIC, gicv3);
}

u32 idspace_breakpoints(const struct vsysreg_ids *ids)
{
    return (u32)get(ids, ID_AA64DFR0, DFR0_BRPS) + 1;
}

u32 idspace_watchpoints(const struct vsysreg_ids *ids)
{
    return (u32)get(ids, ID_AA64DFR0, DFR0_WRPS) + 1;
}

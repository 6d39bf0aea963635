/* SPDX-License-Identifier: MIT */
/* Reads S3_0_C0_C1_0 to S3_0_C0_C7_7: all of them can be read, those without a name are 0. */
#include "arch/arm64/idregs.h"

#include "arch/arm-common/vsysreg.h"
#include "sysreg.h"

#define READ(m, n) out->id[8 * (m) + (n)] = sysreg_read(s3_0_c0_c##m##_##n)
#define READ_ROW(m)                                                                                \
    READ(m, 0);                                                                                    \
    READ(m, 1);                                                                                    \
    READ(m, 2);                                                                                    \
    READ(m, 3);                                                                                    \
    READ(m, 4);                                                                                    \
    READ(m, 5);                                                                                    \
    READ(m, 6);                                                                                    \
    READ(m, 7)

void idregs_read(struct vsysreg_ids *out)
{
    *out = (struct vsysreg_ids){0};
    READ_ROW(1);
    READ_ROW(2);
    READ_ROW(3);
    READ_ROW(4);
    READ_ROW(5);
    READ_ROW(6);
    READ_ROW(7);
    out->revidr = sysreg_read(revidr_el1);
    out->aidr = sysreg_read(aidr_el1);
}

/* SPDX-License-Identifier: MIT */
/*
 * The core of a guest as lines of text (core/textline.h): how it leaves over the console, and what
 * `muntin gcore` makes an ELF file of. Written by the target, read by the host tool; pure
 * functions.
 *
 * A core is a sequence of records, each a u32 with the length of what follows, and that: numbers
 * are little-endian. A record begins with a line of its own, whose kind says what it is, and goes
 * on in lines of kind GCORE_MORE; so a line lost costs one record.
 */
#ifndef CORE_GCORE_TEXT_H
#define CORE_GCORE_TEXT_H

#include "core/regs.h"
#include "core/types.h"

#define GCORE_MARK "MCORE1 "

enum gcore_kind {
    GCORE_BEGIN = 'b', /* u32 bits of its kernel, u32 vCPUs, u32 regions, u64 seconds since 1970 or
                          0, the VM's name */
    GCORE_VCPU = 'v',  /* u32 its number, struct vcpu_regs */
    GCORE_REGION =
        'r',          /* of RAM or ROM: u64 guest-physical, u64 size, u64 where the board has it */
    GCORE_PAGE = 'p', /* u64 guest-physical, the page, packed; pages of zeros are left out */
    GCORE_MORE = 'm',
    GCORE_END = 'e', /* u32 pages that there were, u32 1: that's all, 0: ended before its time */
};

#define GCORE_LENGTH 4u  /* in front of each record */
#define GCORE_HEAD   20u /* of GCORE_BEGIN, in front of the name */
#define GCORE_WORDS  (PAGE_SIZE / 4)
#define GCORE_PACKED (PAGE_SIZE + GCORE_WORDS / 128) /* at most */
#define GCORE_RECORD (8 + GCORE_PACKED)              /* longest, without its length */

/*
 * A page as a sequence of: a byte c < 128, and c + 1 words as they are; or a byte 128 + 4 * (n - 1)
 * + (d >> 8) and a byte d & 255: n words, 1 to 32, as d words before, 1 to 1023. In at most 40,000
 * instructions; returns how many bytes it takes, at most GCORE_PACKED.
 */
u32 gcore_pack(const u32 page[GCORE_WORDS], u8 *out);
/* False: that is no page. Any p and len are safe. */
bool gcore_unpack(const u8 *p, u32 len, u32 page[GCORE_WORDS]) MUST_CHECK;

#endif

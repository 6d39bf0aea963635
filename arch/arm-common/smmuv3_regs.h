/* SPDX-License-Identifier: MIT */
/* Registers and formats of an SMMUv3, as far as smmuv3.c uses them; sections are IHI 0070's. */
#ifndef ARCH_ARM_COMMON_SMMUV3_REGS_H
#define ARCH_ARM_COMMON_SMMUV3_REGS_H

#include "core/types.h"

/* Registers (§6.3) */
#define IDR0             0x00
#define IDR0_S2P         BIT(0)
#define IDR0_TTF_AARCH64 BIT(3)
#define IDR0_COHACC      BIT(4)
#define IDR0_HYP         BIT(9)
#define IDR0_BIG_ENDIAN  (3u << 21) /* of tables: TTENDIAN, all its values */
#define IDR0_STALLS      (3u << 24) /* STALL_MODEL, all its values */
#define IDR0_STALL_ONLY  (2u << 24) /* … faults always stall */
#define IDR1             0x04
#define IDR1_PRESET      (BIT(29) | BIT(30)) /* tables or queues are where they are */
#define IDR1_SIDSIZE     0x3f
#define IDR1_EVENTQS(v)  ((v) >> 16 & 0x1f) /* log2 of the longest queues */
#define IDR1_CMDQS(v)    ((v) >> 21 & 0x1f)
#define IDR5             0x14
#define IDR5_OAS         7
#define IDR5_GRAN4K      BIT(4)
#define CR0              0x20
#define CR0ACK           0x24
#define CR0_SMMUEN       BIT(0)
#define CR0_EVENTQEN     BIT(2)
#define CR0_CMDQEN       BIT(3)
#define CR1              0x28
#define CR1_WRITE_BACK   0xd75 /* tables and queues: inner and outer write-back, inner shareable */
#define CR1_UNCACHED     0
#define CR2              0x2c
#define CR2_PTM          BIT(2)
#define GBPA             0x44
#define GBPA_ABORT       BIT(20)
#define GBPA_UPDATE      BIT(31)
#define IRQ_CTRL         0x50
#define IRQ_CTRLACK      0x54
#define IRQ_GERROR       BIT(0)
#define IRQ_EVENTQ       BIT(2)
#define GERROR           0x60
#define GERRORN          0x64
#define GERROR_CMDQ      BIT(0) /* a command is refused: which, and why, is in CMDQ_CONS */
#define GERROR_SFM       BIT(8) /* service failure mode (§12.3) */
#define GERROR_IRQ_CFG0  0x68
#define STRTAB_BASE      0x80
#define STRTAB_BASE_CFG  0x88
#define CMDQ_BASE        0x90
#define CMDQ_PROD        0x98
#define CMDQ_CONS        0x9c
#define CMDQ_ERROR       (0x7fu << 24)
#define EVENTQ_BASE      0xa0
#define EVENTQ_IRQ_CFG0  0xb0
#define EVENTQ_PROD      0x100a8
#define EVENTQ_CONS      0x100ac
#define EVENTQ_OVERFLOW  BIT(31)
#define REGISTERS_SIZE   0x20000
#define BASE_ALLOCATE    BIT64(62) /* RA, WA: hints for the caches */

/* Stream table entry (§5.2), in 64-bit words */
#define STE_WORDS     8
#define STE_V         1u
#define STE_ABORT     (STE_V | 0u << 1) /* and no event about it */
#define STE_STAGE2    (STE_V | 6u << 1)
#define STE1_INCOMING (1ull << 44) /* shareability as the device says */
#define STE2_T0SZ     32           /* shifts; the layout is VTCR_EL2's */
#define STE2_SL0      38
#define STE2_WALKS    (1ull << 40 | 1ull << 42) /* of tables: write-back; else not cacheable */
#define STE2_SHARE    (3ull << 44)              /* inner shareable */
#define STE2_PS       48
#define STE2_AA64     BIT64(51)
#define STE2_AFFD     BIT64(53) /* no faults for the Access flag */
#define STE2_R        BIT64(58) /* faults are recorded, and abort: no stall */

/* Commands (§4) */
#define CMD_CFGI_STE      0x03
#define CMD_CFGI_ALL      0x04
#define CFGI_ALL_RANGE    31
#define CFGI_LEAF         1
#define CMD_TLBI_EL2_ALL  0x20
#define CMD_TLBI_NSNH_ALL 0x30
#define CMD_SYNC          0x46

/* Events (§7.3): their type is in word 0, as is the stream; these are accesses that were blocked */
#define F_TRANSLATION 0x10
#define F_PERMISSION  0x13
#define EVENT_READ    BIT64(35) /* of word 1 */

#endif

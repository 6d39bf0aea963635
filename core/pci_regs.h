/* SPDX-License-Identifier: MIT */
/*
 * Registers of PCI functions and bridges, by word (PCI 3.0 §6.1, PCI-to-PCI bridge 1.2 §3.2, PCIe
 * 4.0 §7): for core/pci*.c alone.
 */
#ifndef CORE_PCI_REGS_H
#define CORE_PCI_REGS_H

#include "core/types.h"

#define REG_ID         0x00
#define REG_COMMAND    0x04
#define COMMAND_IO     BIT(0)
#define COMMAND_MEM    BIT(1)
#define COMMAND_MASTER BIT(2)
#define COMMAND_NO_INT BIT(10)
#define STATUS_CAPS    BIT(20)
#define REG_HEADER     0x0c
#define HEADER_MULTI   BIT(23)
#define HEADER_TYPE    0x7f0000u
#define HEADER_BRIDGE  0x010000u
#define REG_BAR        0x10
#define BARS           6
#define REG_ROM        0x30
#define REG_CAPS       0x34
#define REG_INTERRUPT  0x3c
#define LEGACY_END     0x100 /* extended capabilities follow */
#define CONFIG_END     0x1000

#define BAR_IO   BIT(0)
#define BAR_64   0x4u
#define BAR_PREF 0x8u
#define BAR_TYPE 0xfu

/* Bridges */
#define BRIDGE_BARS     2
#define REG_BUSES       0x18 /* primary, secondary, subordinate */
#define REG_MEM         0x20 /* base and limit: 16 bits each, of which 12 are bits 31 to 20 */
#define REG_PREF        0x24
#define REG_PREF_BASE   0x28 /* bits 63 to 32 */
#define REG_PREF_LIMIT  0x2c
#define PREF_64         1u
#define WINDOW_BITS     0xfff0fff0u
#define WINDOW_NONE     0x0000fff0u /* base above limit */
#define REG_BRIDGE_ROM  0x38
#define REG_BRIDGE      0x3c
#define BRIDGE_RESET    BIT(22)
#define BRIDGE_SETTINGS 0xffff0000u

/* Capabilities */
#define CAP_PM      0x01
#define CAP_MSI     0x05
#define CAP_EXPRESS 0x10
#define CAP_MSIX    0x11
#define CAP_AF      0x13
#define CAPS_MAX    48

#define MSI_SIZE  24 /* at most, if it has masks */
#define MSIX_SIZE 12
#define MSI_64    BIT(23)
#define MSI_MASK  BIT(24)

#define PM_SIZE          8
#define PM_STATUS        4
#define PM_STATE         3u
#define PM_D3            3u
#define PM_NO_SOFT_RESET BIT(3)

#define EXPRESS_SIZE         0x3c /* of a port */
#define EXPRESS_ENDPOINT     0x14 /* at least, of others */
#define EXPRESS_VERSION(cap) ((cap) >> 16 & 0xf)
#define EXPRESS_TYPE(cap)    ((cap) >> 20 & 0xf)
#define TYPE_ROOT_PORT       4
#define TYPE_UPSTREAM        5
#define TYPE_DOWNSTREAM      6
#define EXPRESS_CAPS         4
#define EXPRESS_FLR          BIT(28)
#define EXPRESS_CONTROL      8
#define CONTROL_KEPT         0x79f0u /* sizes of packets, tags, ordering, no snoop */
#define CONTROL_FLR          BIT(15)
#define STATUS_PENDING       BIT(21)
#define EXPRESS_CONTROL2     0x28
#define CONTROL2_ARI         BIT(5)

#define AF_SIZE    8
#define AF_FLR     (3u << 24) /* both: pending bit, FLR */
#define AF_CONTROL 4
#define AF_RESET   BIT(0)
#define AF_PENDING BIT(8)

/* Extended capabilities: identifier, version, next (§7.6.3); Access Control Services (§7.7.8) */
#define EXT_ACS        0x000d
#define EXT_ATS        0x000f
#define ATS_CONTROL    4
#define EXT_SRIOV      0x0010
#define SRIOV_CONTROL  8
#define EXT_NEXT(cap)  ((cap) >> 20 & 0xffc)
#define ACS_BITS       4 /* capability, control */
#define ACS_VALIDATION BIT(0)
#define ACS_BLOCKING   BIT(1) /* of addresses that are said to be translated already */
#define ACS_REQUESTS   BIT(2)
#define ACS_COMPLETION BIT(3)
#define ACS_UPSTREAM   BIT(4)

#endif

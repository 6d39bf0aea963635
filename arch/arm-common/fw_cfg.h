/* SPDX-License-Identifier: MIT */
/*
 * QEMU's fw_cfg device (docs/specs/fw_cfg): files that the command line hands to firmware, read by
 * its DMA interface. Boot CPU only, no lock. The caller has mapped board->fw_cfg as device.
 */
#ifndef ARCH_ARM_COMMON_FW_CFG_H
#define ARCH_ARM_COMMON_FW_CFG_H

#include "core/types.h"

struct board;

struct fw_cfg_file {
    u32 size; /* bytes */
    u16 key;
};

/* Looks for a file, e.g. "opt/muntin/bundle". False: no device, no DMA, or no such file. */
bool fw_cfg_find(const struct board *board, const char *name, struct fw_cfg_file *out) MUST_CHECK;

/* Copies the whole file to `to`: f->size bytes of RAM, identity mapped. False: the device says no.
 */
bool fw_cfg_read(const struct board *board, const struct fw_cfg_file *f, void *to) MUST_CHECK;

#endif

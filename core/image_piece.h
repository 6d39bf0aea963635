/* SPDX-License-Identifier: MIT */
/* A file to load, as the pieces that go to guest memory. Private to core/image*.c. */
#ifndef CORE_IMAGE_PIECE_H
#define CORE_IMAGE_PIECE_H

#include "core/check.h"
#include "core/elf.h"

enum image_kind {
    KIND_RAW,    /* bytes; also what isn't started: data, initrd */
    KIND_LINUX,  /* arm64 Image */
    KIND_ZIMAGE, /* 32-bit Linux, which unpacks itself */
    KIND_ELF,
    KIND_TREE, /* goes through fdt/, not to guest memory as it is */
};

struct image_piece {
    u64 base, size; /* guest-physical; what lies behind data_size is zero */
    const u8 *data;
    u64 data_size;
};

/* By type and contents. The file has been found. */
enum image_kind image_kind(const struct cfg_load *l);

/*
 * The first piece at or after *k of load l, whose lowest byte goes to `addr`; *k is moved to it.
 * False: there's none left.
 */
bool image_piece(const struct cfg_load *l, u64 addr, u32 *k, struct image_piece *p) MUST_CHECK;

#endif

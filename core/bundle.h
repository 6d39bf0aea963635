/* SPDX-License-Identifier: MIT */
/*
 * The boot bundle: a newc cpio archive with the VMs' configs (NAME.qvmconf, each a VM, in archive
 * order; a file that another one names with @FILE is part of that VM instead) and every file that
 * they load. Read-only, in memory; nothing in it is trusted to be well-formed.
 */
#ifndef CORE_BUNDLE_H
#define CORE_BUNDLE_H

#include "core/types.h"

struct bundle {
    const u8 *data;
    u64 size;
};

struct bundle_file {
    struct str name;
    const u8 *data;
    u64 size;
};

/*
 * Checks the whole archive. False: *why says what is wrong ("truncated in file 'x': needs N bytes,
 * M are there"), written into a static buffer. Trailing zero bytes are fine; *end, if not NULL, is
 * where the archive ends.
 */
bool bundle_open(struct bundle *b, const void *data, u64 size, u64 *end,
                 const char **why) MUST_CHECK;

/* Next regular file after *pos (start with 0); false at the end. */
bool bundle_next(const struct bundle *b, u64 *pos, struct bundle_file *f) MUST_CHECK;

/* By full path, then by last path component of either (QVMCONF §12). False: there's none. */
bool bundle_find(const struct bundle *b, struct str name, struct bundle_file *f) MUST_CHECK;

#endif

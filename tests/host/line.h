/* SPDX-License-Identifier: MIT */
/* One `vdev` line with its real type, for tests of what its options mean and what is refused. */
#ifndef TESTS_HOST_LINE_H
#define TESTS_HOST_LINE_H

#include "core/config.h"

struct line {
    struct diag diag;
    struct vm_config vm;
    struct cfg_arena arena;
    u8 memory[32 * 1024] __attribute__((aligned(16)));
    char text[512];
    char log[1024]; /* every message, a line each */
};

/* Parses `vdev WORDS` as the one device of a VM, in column 10 of the only line of file "f". */
struct vdev_conf *line_parse(struct line *l, const char *words);
/* What its type says of it, if nothing was wrong so far. */
void line_check(struct line *l);

#endif

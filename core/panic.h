/* SPDX-License-Identifier: MIT */
/*
 * The end: a defect of Muntin itself. Never on anything that a guest, a config file or a device
 * tree can bring about.
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "core/types.h"

void panic(const char *fmt, ...) NORETURN PRINTF(1, 2);

#define assert(cond)                                                                               \
    do {                                                                                           \
        if (unlikely(!(cond))) {                                                                   \
            panic("%s:%d: %s", __FILE__, __LINE__, #cond);                                         \
        }                                                                                          \
    } while (0)

#endif

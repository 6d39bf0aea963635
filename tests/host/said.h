/* SPDX-License-Identifier: MIT */
/* What Muntin says, to whomever, kept for unit tests to look at. */
#ifndef TESTS_HOST_SAID_H
#define TESTS_HOST_SAID_H

#include "core/types.h"

struct diag;
struct vdev;

/* All since it was last cleared; when it's full, the rest is cut. */
extern char said[8192];
void said_clear(void);

/* How often that is in it. */
u32 said_count(const char *text);

/* Clears it; from now on messages come here, too, each line with a '|' behind it. */
void said_log(void);

/* For whatever wants to be handed a printf. */
void said_print(const char *fmt, ...) PRINTF(1, 2);

/* struct diag's emit: each line with a newline. */
void said_emit(struct diag *d, int level, const char *text);

/* Nothing but what the device shows of itself. */
const char *said_show(struct vdev *d);

#endif

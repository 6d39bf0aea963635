/* SPDX-License-Identifier: MIT */
/* <stdlib.h> of the target, as far as lwIP uses it. */
#ifndef GUEST_CONFIGS_NETSVC_PORT_STDLIB_H
#define GUEST_CONFIGS_NETSVC_PORT_STDLIB_H

int atoi(const char *s);

#endif

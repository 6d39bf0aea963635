/* SPDX-License-Identifier: MIT */
/* <limits.h> of the target, as far as lwIP uses it. */
#ifndef GUEST_CONFIGS_NETSVC_PORT_LIMITS_H
#define GUEST_CONFIGS_NETSVC_PORT_LIMITS_H

#define INT_MAX __INT_MAX__

#endif

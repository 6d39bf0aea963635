/* SPDX-License-Identifier: MIT */
/* The part of <limits.h> that libfdt uses, for freestanding builds. */
#ifndef CORE_LIB_LIMITS_H
#define CORE_LIB_LIMITS_H

#define INT_MAX   __INT_MAX__
#define INT_MIN   (-INT_MAX - 1)
#define UINT_MAX  (INT_MAX * 2U + 1U)
#define LONG_MAX  __LONG_MAX__
#define ULONG_MAX (LONG_MAX * 2UL + 1UL)

#endif

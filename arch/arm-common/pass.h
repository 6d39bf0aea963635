/* SPDX-License-Identifier: MIT */
#ifndef ARCH_ARM_COMMON_PASS_H
#define ARCH_ARM_COMMON_PASS_H

#include "core/pass.h"

extern const struct pass_hw pass_arm;

#endif

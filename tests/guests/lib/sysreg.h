/* SPDX-License-Identifier: MIT */
/* Registers and instructions of the test guests. */
#ifndef TESTS_GUESTS_LIB_SYSREG_H
#define TESTS_GUESTS_LIB_SYSREG_H

#include "arch.h"

#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb() __asm__ volatile("dsb sy" : : : "memory")
#define wfi() __asm__ volatile("dsb sy\n\twfi" : : : "memory")
#define wfe() __asm__ volatile("wfe" : : : "memory")
#define sev() __asm__ volatile("dsb ish\n\tsev" : : : "memory")

#endif

/* SPDX-License-Identifier: MIT */
/* Where the guest lies in memory (symbols of guest.lds and start.S). */
#ifndef TESTS_GUESTS_LIB_IMAGE_H
#define TESTS_GUESTS_LIB_IMAGE_H

#include <stdint.h>

extern uint8_t image_start[] __asm__("_start");
extern uint8_t image_end[] __asm__("_bss_end");

#endif

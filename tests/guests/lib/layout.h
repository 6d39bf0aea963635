/* SPDX-License-Identifier: MIT */
/*
 * Numbers that both the assembly and the C of the test guests need.  Only #defines.
 */
#ifndef TESTS_GUESTS_LIB_LAYOUT_H
#define TESTS_GUESTS_LIB_LAYOUT_H

#define MAX_CPUS 8

/* A CPU's stack is aligned to its size and has its struct cpu at the bottom (lib/cpu.h). */
#define STACK_SHIFT 14
#define STACK_SIZE  (1 << STACK_SHIFT)
/* Where it starts: never at the end, which would belong to the next CPU. */
#define STACK_TOP (STACK_SIZE - 16)

/* struct trap_frame of lib/exception.h */
#define FRAME_ELR  248
#define FRAME_ESR  264
#define FRAME_SIZE 288

/* struct probe of lib/probe.h */
#define PROBE_SP    40
#define PROBE_OUTER 48

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Start-up as boot.c needs it of an architecture: head.S, and start.c, whose first three
 * functions run with the MMU off. Then what each architecture's cpu.c and trap.c do for the other
 * files here.
 */
#ifndef ARCH_ARM_COMMON_START_H
#define ARCH_ARM_COMMON_START_H

#define STACK_SIZE 16384 /* of each CPU */

/* struct cpu_start: what a secondary CPU is handed, read with its MMU off */
#define START_STACK 0
#define START_PCPU  8
#define START_TTBR  16
#define START_TCR   24
#define START_MAIR  32
#define START_SELF  40
#define START_SIZE  48
#define START_COUNT 16

#ifndef __ASSEMBLER__

#include "core/types.h"

struct pcpu;

struct cpu_start {
    u64 stack;
    u64 pcpu;
    u64 ttbr, tcr, mair;
    u64 self; /* affinity fields, and bit 31, which is set in every MPIDR; 0: not to be started */
};

extern struct cpu_start cpu_starts[START_COUNT];

_Static_assert(offsetof(struct cpu_start, stack) == START_STACK, "head.S");
_Static_assert(offsetof(struct cpu_start, pcpu) == START_PCPU, "head.S");
_Static_assert(offsetof(struct cpu_start, ttbr) == START_TTBR, "head.S");
_Static_assert(offsetof(struct cpu_start, tcr) == START_TCR, "head.S");
_Static_assert(offsetof(struct cpu_start, mair) == START_MAIR, "head.S");
_Static_assert(offsetof(struct cpu_start, self) == START_SELF, "head.S");
_Static_assert(sizeof(struct cpu_start) == START_SIZE, "head.S");

/* head.S: image_size in the image's header, .bss included, and an appended bundle. */
extern const size_t header_size;
/*
 * Where a CPU starts with its MMU off, at our level: with the address of its struct cpu_start in
 * its first register, or, where nobody can hand it that, to look for its own.
 */
extern const char secondary_entry[], lone_entry[];

/* boot.c, called by head.S */
uintptr_t boot_tables(uintptr_t dtb);
void boot_main(uintptr_t dtb) NORETURN;
/* cpus.c, called by head.S */
void secondary_main(struct pcpu *p) NORETURN;

/*
 * The level that we were entered at, 1 to 3; and what the MMU's control registers are to be there,
 * for head.S.
 */
u32 start_level(void);
/* Bits of an address that stage 1 translates. */
u32 start_va_bits(void);
/*
 * The table to use at that level: root, or one of its own, with the image and the tree
 * (page-aligned size; 0: none) as memory.
 */
uintptr_t start_table(uintptr_t root, uintptr_t tree, u64 tree_size);

/* What arch_pcpu returns from now on, on this CPU. */
void start_pcpu(struct pcpu *p);
/* From here on no page that can be written can be executed. */
void start_wxn(void);
/* This CPU's translation, for another one: ttbr, tcr, mair. */
void start_copy(struct cpu_start *s);
/*
 * Boot CPU, before its first guest, with a virtual interrupt pending in the GIC: does a guest see
 * it? Asks at EL1 (SVC), in a few microseconds.
 */
bool start_virq(void);
/* Once, with stage 2 and the GIC known: what guests see of the CPU. */
void start_guests(void);

/*
 * cpu.c: this CPU's state that no guest switch changes: traps off, vectors, GIC, timer. False,
 * after a message: it can't be used.
 */
bool cpu_init(void) MUST_CHECK;

#endif
#endif

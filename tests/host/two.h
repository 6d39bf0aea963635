/* SPDX-License-Identifier: MIT */
/*
 * Up to two VMs for unit tests of their life, made by vm_create on the CPUs of cpus.h: alpha and
 * beta, each with a piece of RAM, one device and an interrupt controller that does nothing.
 */
#ifndef TESTS_HOST_TWO_H
#define TESTS_HOST_TWO_H

#include "core/config.h"
#include "core/image.h"
#include "core/vm.h"

#define TWO_RAM      0x40000000ull
#define TWO_RAM_SIZE (512 * KIB)
#define TWO_DTB      (TWO_RAM + 0x10000) /* a page of it, all bytes 0xdb */
#define TWO_ENTRY    (TWO_RAM + 0x20000)

/* By VM where there are two. */
struct two {
    struct vm_config cfg[2];
    struct image_plan plan[2];
    u32 dev_resets[2], chip_resets[2]; /* counted, as the next; atomic */
    u32 trees, stops;                  /* device trees made, hooks->all_stopped calls; atomic */
    u8 reset_state;                    /* a VM's, at the last reset of its device; atomic */
    bool bad_chip, bad_tree;           /* they can't be made */
    void (*in_make_dtb)(struct vm *vm);
};
extern struct two two;

/* Begins anew: CPUs as of cpus_init, what Muntin says goes to said.h, and no VM. */
void two_begin(u32 cpus);

/*
 * What the next VM will be: ncpus vCPUs, the k-th on physical CPU pcpu[k]. The test may change it
 * and two.plan[vm_count] before it calls two_make, which is vm_create.
 */
struct vm_config *two_next(u32 ncpus, const u32 *pcpu);
struct vm *two_make(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the device tree says about the machine.  Filled once before the MMU is on, constant then.
 * Interrupts are absolute GIC INTIDs.
 */
#ifndef TESTS_GUESTS_LIB_PLATFORM_H
#define TESTS_GUESTS_LIB_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/layout.h"

enum { MAX_RAM = 4, MAX_VIRTIO = 32, MAX_GICR = 4 };

struct region {
    uint64_t base;
    uint64_t size;
};

struct virtio_slot {
    uint64_t base;
    uint32_t irq;
    bool edge; /* else level */
};

struct platform {
    struct region dtb;
    struct region ram[MAX_RAM];
    uint64_t cpu_mpidr[MAX_CPUS]; /* affinity bits, as PSCI takes them */
    struct region gicd;
    struct region gicc;           /* GICv2 only */
    struct region gicr[MAX_GICR]; /* GICv3 only */
    uint64_t gicr_stride;         /* 0: by GICR_TYPER */
    uint64_t uart;                /* a PL011, or 0 */
    struct virtio_slot virtio[MAX_VIRTIO];
    struct region initrd; /* size 0: none */
    const char *bootargs; /* "" if there are none */
    uint32_t ram_count;
    uint32_t cpu_count;
    uint32_t gicr_count;
    uint32_t virtio_count;
    uint32_t gic_version; /* 2 or 3; 0: none found */
    uint32_t uart_irq;
    uint32_t ptimer_irq;
    uint32_t vtimer_irq;
    bool psci;
    bool psci_by_smc; /* else by HVC */
};

extern struct platform platform;

/* Also with the MMU off.  False if there is no device tree at dtb. */
bool platform_scan(const void *dtb);

/* Does [base, base + size) touch RAM? */
bool platform_is_ram(uint64_t base, uint64_t size);

/* Aligned RAM that neither we, the device tree nor the initrd use, or 0. */
uint64_t platform_free_ram(uint64_t size, uint64_t align);

#endif

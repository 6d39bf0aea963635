/* SPDX-License-Identifier: MIT */
/*
 * What Muntin knows of the board it runs on. Filled at boot from the board's device tree by
 * fdt/host.c, then read-only. Host tools fill in what they assume.
 */
#ifndef CORE_BOARD_H
#define CORE_BOARD_H

#include "core/sched.h"
#include "core/types.h"

#define BOARD_RANGES 16

struct range {
    hpa_t base;
    u64 size;
};

enum board_uart {
    UART_NONE,
    UART_PL011,
    UART_16550, /* from here to UART_OMAP: of its family */
    UART_DW,
    UART_AUX,
    UART_OMAP,
    UART_CADENCE,
    UART_IMX,
    UART_LPUART,
    UART_SCIF,
    UART_HSCIF,
    UART_MESON,
    UART_LINFLEX,
    UART_MVEBU,
    UART_STM32,
};
enum board_conduit { CONDUIT_NONE, CONDUIT_SMC, CONDUIT_HVC };

struct board {
    const void *dtb;
    u32 dtb_size;
    char model[64];

    struct range ram[BOARD_RANGES]; /* page-aligned inwards */
    u32 nram;
    u64 ram_left; /* bytes that found no room there */
    struct range
        reserved[BOARD_RANGES]; /* /memreserve/ and /reserved-memory, page-aligned outwards */
    u32 nreserved;
    struct range nomap[BOARD_RANGES]; /* of them, those that may not even be read ahead */
    u32 nnomap;

    u64 cpu_mpidr[PCPU_MAX]; /* affinity fields; entry 0 need not be the boot CPU */
    /* Spin-table: where the CPU looks for the address to go to; 0: PSCI starts it, if anything. */
    u64 cpu_release[PCPU_MAX];
    u64 cpu_flags; /* Versatile Express: where they all look, a device's register; 0: no such */
    u32 ncpus;
    u32 more_cpus;           /* that the tree has, and for which there's no room */
    char cpu_compatible[64]; /* of the first CPU node: guests get the same */
    enum board_conduit psci;
    u32 psci_cpu_on, psci_off,
        psci_reset; /* function ids: v0.1 trees name them, else the standard ones */

    u32 gic_version; /* 2 or 3; 0: none found */
    struct range gicd, gicc, gich, gicv;
    struct range gicr[4];
    u32 ngicr;
    u64 gicr_stride; /* 0: by GICR_TYPER */
    u32 gic_maint_intid;
    u32 gic_phandle, gic_cells, gic_address_cells; /* how other nodes of the tree refer to it */

    struct {
        struct range ecam;  /* of a PCIe host bridge; size 0: none */
        u32 bus, buses;     /* the first, whose functions it begins with, and how many it has */
        struct range mem;   /* where BARs of 32 bits can be; size 0: nowhere */
        u64 mem_bus;        /* what the bus calls mem.base */
        struct range mem64; /* where those of 64 bits can be, too; size 0: nowhere */
        u64 mem64_bus;
        bool coherent; /* its devices look into the caches */
    } pci;
    struct {
        struct range reg; /* an SMMUv3; size 0: none */
        u32 phandle;
        u32 intid; /* of its event queue, an edge (IHI 0070 §3.18); 0: none */
    } smmu;
    struct range its; /* size 0: none */
    u32 its_phandle;

    u32 timer_intid[4]; /* secure phys, non-secure phys, virtual, hypervisor: INTIDs */

    enum board_uart uart;
    bool uart_guess; /* the first with a driver: the tree's console has none, or isn't named */
    struct range uart_reg;
    u32 uart_intid;            /* 0: none */
    bool uart_edge;            /* it's a pulse, not a level */
    u8 uart_shift, uart_width; /* registers are 1 << shift apart, and accessed by so many bytes */

    struct range fw_cfg; /* size 0: none */
    struct range rtc;    /* a PL031; size 0: none */
    struct range initrd; /* from /chosen; size 0: none */
    struct range image;  /* where Muntin itself lies, if not in RAM; size 0: unknown */
    char bootargs[256];
    const void *rng_seed; /* in the tree; of no length: none */
    u32 rng_seed_len;
};

/* This is the CPU that we run on: it becomes the first. */
void board_boot_cpu(struct board *b, u64 mpidr);

/*
 * Leaves of CPUs and RAM what can be used: CPUs that something can start, each piece of RAM once.
 * False, after a message: no VM can run here, or there's RAM from `reach` on.
 */
bool board_usable(struct board *b, u64 reach) MUST_CHECK;

/* Prints what the tree says of the board, a line for each thing. */
void board_show(const struct board *b);

/* Hands the RAM to core/page.h, without what is reserved; Muntin's image is the caller's to
 * reserve. The sum of the RAM in bytes. */
u64 board_memory(const struct board *b);

#endif

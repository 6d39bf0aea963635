/* SPDX-License-Identifier: MIT */
/*
 * Pass-through: memory and interrupts of the board's devices that a config gives to its VM (`pass`,
 * QVMCONF §5). What the config says is data of struct vm_config; core/pass.c carries it out; the
 * CPU's part is a table of functions that core/main.c hands over. What the board's tree knows of a
 * device is filled in by whoever can read it (fdt/pass.c). Boot fills it all, then it's read-only.
 */
#ifndef CORE_PASS_H
#define CORE_PASS_H

#include "core/types.h"
#include "core/vdev.h"

struct board;
struct pcpu;
struct vm;
struct vm_config;

#define CFG_WINDOWS   16
#define CFG_PASS_IRQS 32
#define CFG_PASS_DEVS 16
#define CFG_PCI       8
#define CFG_STREAMS   16

#define PASS_TREE_ROOM (8 * KIB) /* in the guest's tree, for each window */

/* Rights and kind of a window. */
enum pass_flag {
    PASS_R = 1,
    PASS_W = 2,
    PASS_X = 4,    /* may be executed; with PASS_C only */
    PASS_C = 8,    /* normal write-back memory; else Device-nGnRE */
    PASS_RAM = 16, /* memory of the guest like its `ram`: in /memory, cleared at each start */
};

/*
 * A device that lies in a window and that Muntin knows to make quiet, so that it stops to write to
 * memory and to raise its interrupt when its VM stops or starts anew.
 */
struct pass_quiet {
    const char *compatible;
    bool dma; /* it reads and writes memory by itself */
    u8 count;
    struct {
        u16 offset;
        u32 value; /* 32 bits are written */
    } step[4];
};

struct cfg_window {
    u64 base, size, host; /* guest-physical; base and host have the same offset in their pages */
    u8 flags;
    bool shared; /* others may have it too, if they say so as well */
    struct place place;
};

struct cfg_pass_irq {
    u32 intid, host; /* SPIs both: of the virtual GIC, of the board's */
    bool edge;       /* as the board's tree says; false: level-triggered */
    struct place place;
};

struct cfg_pass_dev {
    hpa_t host;
    const struct pass_quiet *quiet;
};

/* A PCIe function; numbers and ids are the board's. */
struct cfg_pci {
    u16 function; /* bus << 8 | device << 3 | function */
    u32 stream;   /* at the SMMU; filled in from the board's tree, as is */
    u32 message;  /* the DeviceID at the ITS */
    bool known;   /* the tree's bridge was asked for both */
    struct place place;
};

struct cfg_pass {
    struct cfg_window window[CFG_WINDOWS];
    struct cfg_pass_irq irq[CFG_PASS_IRQS];
    struct cfg_pass_dev dev[CFG_PASS_DEVS];
    struct cfg_pci pci[CFG_PCI];
    u32 stream[CFG_STREAMS]; /* at the SMMU, of devices in windows */
    u32 nwindows, nirqs, ndevs, npci, nstreams;
    const void *tree; /* fdt's: copies of the devices' nodes, once they're made; NULL: not yet */
};

/*
 * What core and vdev need of the CPU and its GIC. Interrupts are SPIs by their INTID of the board.
 * All but the first three: any CPU, any time, LOCK_VGIC may be held.
 */
struct pass_hw {
    /* Boot: Muntin's own access to a window: as a device, or as memory. False: can't be. */
    bool (*map_device)(hpa_t base, u64 size);
    bool (*map_memory)(hpa_t base, u64 size);
    /* Boot: masked, idle, edge- or level-triggered. False: the board's GIC has no such SPI. */
    bool (*irq_setup)(u32 intid, bool edge);

    /* One access of 1, 2, 4 or 8 bytes; false: it was answered by an abort. */
    bool (*read)(hpa_t a, u32 size, u64 *value);
    bool (*write)(hpa_t a, u32 size, u64 value);

    void (*irq_enable)(u32 intid, bool on); /* masked: it doesn't fire once this returns */
    void (*irq_route)(u32 intid, const struct pcpu *p);
    bool (*irq_pending)(u32 intid); /* level-triggered: its line is high */
    void (*irq_clear)(u32 intid);   /* no longer pending; a level stays what it is */
    void (*irq_quiet)(u32 intid);   /* masked, neither pending nor active */

    /*
     * Boot: what the SMMU's `stream` reads and writes goes through vm's memory, and to the page at
     * `frame`, if not 0, for messages. Closed until dma_open. False, after a message.
     */
    bool (*dma_attach)(struct vm *vm, u32 stream, u64 frame);
    /* Boot: messages of device `id` for EventIDs [first, first + count) are vm's SPIs. */
    bool (*message_attach)(struct vm *vm, u32 stream, u32 id, u32 first, u32 count);
    /* Boot, all attached, all CPUs up: both are in effect. False, after a message. */
    bool (*dma_start)(void);
    /* Any CPU: nothing is under way any more once it's closed. */
    void (*dma_open)(u32 stream, bool open);
};
extern const struct pass_hw *pass_hw; /* set once by core/main.c */

/* Boot: makes what the config passes available to vm, whose GIC exists. False, after a message. */
bool pass_create(struct vm *vm) MUST_CHECK;

/* vm's memory is loaded, and its first vCPU is about to run: its devices in windows reach it. */
void pass_start(struct vm *vm);

/*
 * For arch: the board's SPI `intid` fired and was acknowledged, its priority dropped. True: it's a
 * guest's now, whose own deactivation ends it. False: nobody has it; it's for the caller to
 * deactivate.
 */
bool pass_irq(u32 intid);

/* How to make this device quiet; NULL: not known. */
const struct pass_quiet *pass_quiet_find(const char *compatible);

#endif

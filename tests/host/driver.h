/* SPDX-License-Identifier: MIT */
/*
 * The guest's side, for tests of devices: a VM with RAM, one vCPU and an interrupt controller that
 * only remembers line levels; register accesses through mmio_access, as a trap makes them; and a
 * virtqueue seen from the driver. Nothing here stops a test from writing nonsense.
 */
#ifndef TESTS_HOST_DRIVER_H
#define TESTS_HOST_DRIVER_H

#include "core/config.h"
#include "core/irq.h"
#include "core/types.h"
#include "core/vdev.h"
#include "core/vm.h"

#define GUEST_RAM_BASE 0x40000000ull
#define GUEST_RAM_SIZE (4u * MIB)
#define GUEST_ROM_BASE 0x08000000ull
#define GUEST_ROM_SIZE 4096u

struct guest {
    struct vm vm;
    struct vcpu vcpu;
    struct vm_config cfg;
    struct irqchip irqchip;
    u8 *ram, *rom;
    u64 brk;             /* guest-physical: where guest_alloc goes on */
    u32 level[IRQ_MAX];  /* of each interrupt line; atomic */
    u32 raises[IRQ_MAX]; /* how often it went up; atomic */
};

/* The memory behind page_alloc, and what core needs; any number of times. */
void host_init(void);
/* Runs deferred work, at most `budget` pieces; returns how many ran. */
u32 host_run_work(u32 budget);

void guest_init(struct guest *g, const char *name);
/* Frees its RAM; devices stay where they are. */
void guest_free(struct guest *g);
/* Guest-physical, zeroed; asserts that there's room. */
u64 guest_alloc(struct guest *g, u64 size, u64 align);
/* RAM at a guest-physical address, which has to be RAM. */
void *guest_ptr(struct guest *g, u64 addr);
/* A device of `type` at `loc`, with interrupt `intid` and `opts` (NULL: its defaults). */
struct vdev *guest_add(struct guest *g, const struct vdev_type *type, u64 loc, u32 intid,
                       const char *name, void *opts);
/* One access; asserts that it reached a device. */
u64 guest_read(struct guest *g, u64 addr, u32 size);
void guest_write(struct guest *g, u64 addr, u32 size, u64 value);

/* Registers of virtio-mmio, as a driver knows them. */
enum {
    VMMIO_MAGIC = 0x000,
    VMMIO_VERSION = 0x004,
    VMMIO_DEVICE_ID = 0x008,
    VMMIO_VENDOR_ID = 0x00c,
    VMMIO_DEVICE_FEATURES = 0x010,
    VMMIO_DEVICE_FEATURES_SEL = 0x014,
    VMMIO_DRIVER_FEATURES = 0x020,
    VMMIO_DRIVER_FEATURES_SEL = 0x024,
    VMMIO_PAGE_SIZE = 0x028,
    VMMIO_QUEUE_SEL = 0x030,
    VMMIO_QUEUE_SIZE_MAX = 0x034,
    VMMIO_QUEUE_SIZE = 0x038,
    VMMIO_QUEUE_ALIGN = 0x03c,
    VMMIO_QUEUE_PFN = 0x040,
    VMMIO_QUEUE_READY = 0x044,
    VMMIO_NOTIFY = 0x050,
    VMMIO_ISR = 0x060,
    VMMIO_ACK = 0x064,
    VMMIO_STATUS = 0x070,
    VMMIO_DESC = 0x080,
    VMMIO_AVAIL = 0x090,
    VMMIO_USED = 0x0a0,
    VMMIO_SHM_LEN = 0x0b0,
    VMMIO_GENERATION = 0x0fc,
    VMMIO_CONFIG = 0x100,
};

enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4, D_AVAIL = 0x80, D_USED = 0x8000 };
enum { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESC }; /* flags of a packed ring's event structures */
enum { S_ACK = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64 };
#define F_ANY       (1ull << 27)
#define F_INDIRECT  (1ull << 28)
#define F_EVENT_IDX (1ull << 29)
#define F_VERSION_1 (1ull << 32)
#define F_PACKED    (1ull << 34)
#define F_DATA      (1ull << 38)

u32 reg_read(struct guest *g, u64 base, u32 offset);
void reg_write(struct guest *g, u64 base, u32 offset, u32 value);
u64 driver_offered(struct guest *g, u64 base);
/* Reset, acknowledge, `features`, FEATURES_OK (version 2); the status afterwards. */
u32 driver_begin(struct guest *g, u64 base, u64 features);
void driver_ok(struct guest *g, u64 base);
/* As a guest's handler: reads and acknowledges InterruptStatus; what it read. */
u32 driver_irq(struct guest *g, u64 base);

/*
 * Chains are written into `table` in the split format, whatever the ring: a packed ring gets them
 * copied by ring_offer. So one script drives both.
 */
struct ring {
    struct guest *g;
    u64 base;
    u32 index;
    u16 size;
    bool packed;
    u32 align;             /* legacy: QueueAlign */
    u64 desc, avail, used; /* guest-physical; packed: the ring, the driver's events, the device's */
    u64 table;             /* split: the same as desc */
    u16 avail_idx;         /* next index to publish; packed: slots filled, of two laps */
    u16 used_idx;          /* next used entry to look at; packed: slots, of two laps */
    u16 slots[1024];       /* packed: that the chain of this id takes */
};

/* Memory for a ring of `size`; registers are not touched. */
void ring_alloc(struct ring *r, struct guest *g, u64 base, u32 index, u16 size);
void ring_alloc_packed(struct ring *r, struct guest *g, u64 base, u32 index, u16 size);
/* A split ring in one block, for a device of version 1. */
void ring_alloc_legacy(struct ring *r, struct guest *g, u64 base, u32 index, u16 size);
/* Tells the device; true if the queue became ready. */
bool ring_enable(struct ring *r);
void ring_desc(struct ring *r, u32 i, u64 addr, u32 len, u32 flags, u32 next);
/* A descriptor anywhere: for indirect tables. */
void desc_put(struct guest *g, u64 table, u32 i, u64 addr, u32 len, u32 flags, u32 next);
/* The same in the packed format. */
void packed_put(struct guest *g, u64 table, u32 i, u64 addr, u32 len, u32 flags, u32 id);
/* Puts head into the available ring and publishes it. Packed: its chain, with the id `head`. */
void ring_offer(struct ring *r, u32 head);
/* What makes a descriptor at that position of a packed ring available. */
u32 ring_lap_flags(const struct ring *r, u32 position);
void ring_set_avail_idx(struct ring *r, u32 idx);
void ring_kick(struct ring *r);
u16 ring_used_idx(struct ring *r);
/* The next used entry: its head, and bytes written through len (may be NULL); -1: none. */
int ring_used(struct ring *r, u32 *len);
/* Suppression fields; `event` counts entries, of one slot each. */
void ring_set_avail_flags(struct ring *r, u16 flags);
void ring_set_used_event(struct ring *r, u16 event);
u16 ring_used_flags(struct ring *r);
u16 ring_avail_event(struct ring *r);

#endif

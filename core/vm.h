/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine and its life: created once at boot from its config, started, and restarted or
 * stopped as its guest, the console or a fault wants. Lock: vm->lock (LOCK_VM) for state changes.
 */
#ifndef CORE_VM_H
#define CORE_VM_H

#include "core/gmem.h"
#include "core/image.h"
#include "core/irq.h"
#include "core/mmio.h"
#include "core/random.h"
#include "core/sched.h"
#include "core/spinlock.h"
#include "core/types.h"
#include "core/vcpu.h"

struct image_plan;
struct vm_config;
struct vdev;

#define VM_MAX 32

enum vm_state {
    VM_STOPPED,  /* no vCPU runs and none will until vm_start */
    VM_STARTING, /* RAM is scrubbed and images are loaded, in pieces */
    VM_RUNNING,
    VM_STOPPING, /* its vCPUs are leaving the guest, or have left and its core is written */
    VM_PAUSED,   /* its vCPUs stand still, or soon do, while its core is written; then it runs on */
};

/* Why a VM stopped; numbers are QNX's exit codes (QVMCONF §8.3) where it has one. */
enum vm_reason {
    VM_EXIT_OFF = 0,    /* guest's own SYSTEM_OFF, or last CPU_OFF */
    VM_EXIT_KILLED = 3, /* from the console */
    VM_EXIT_WATCHDOG = 4,
    VM_EXIT_UNSUPPORTED = 5, /* `unsupported … abort` */
    VM_EXIT_VDEV = 6,
    VM_EXIT_UNEXPECTED = 7,
    VM_EXIT_START = 64, /* fatal before the guest started */
    VM_EXIT_CONFIG = 65,
    VM_EXIT_FATAL = 96,
};

#define VM_WHY 80 /* room for what led to an end */

struct vm {
    const struct vm_config *cfg;
    const struct image_plan *plan;
    char name[32];
    bool aarch32;    /* its kernel has 32 bits */
    bool incoherent; /* has devices that may go past the caches: its own tables say what's cached */
    u32 index;       /* in vms[]; the VMID is index + 1 */
    struct gmem mem;
    struct mmio_map mmio;
    struct vcpu *vcpu[VCPU_MAX];
    u32 nvcpus;
    struct vdev *devs; /* in config order, the interrupt controller first */

    const struct irqchip *irqchip;
    void *irqchip_data; /* the vGIC's own */
    void *console;      /* the VM's channel of the console mux */
    hpa_t s2_root;      /* stage 2, built by arch */
    u64 counter_offset; /* ticks that the guest's counters are behind the physical one */

    struct spinlock lock; /* LOCK_VM; covers the fields below */
    u8 state;             /* enum vm_state */
    bool restart;         /* start again once stopped */
    bool dump;   /* each vCPU's registers go to the log when it leaves; read without lock */
    bool frozen; /* no time goes by for it: its core is, or will be, written; read without lock */
    u32 running; /* vCPUs that are not VCPU_OFF */
    u32 awake;   /* VM_PAUSED: those of them that don't stand still yet */
    u64 frozen_ticks; /* arch_ticks() when it was paused */
    enum vm_reason reason;
    u32 ends; /* how often it has ended, by itself or not; of the last time: */
    enum vm_reason last_reason;
    char why[VM_WHY];
    u64 restart_window_ns; /* the minute in which restarts are counted */
    u32 restarts;
    struct work start_work;
    struct timer start_timer; /* until start_work goes on, if it waits for a device */
    u32 start_step;           /* progress of start_work: enum in vm.c */
    u32 start_region;
    u64 start_pos;
    struct image_cursor start_cursor;
    u32 starts; /* how often it has been started */

    u64 log_window_ns; /* vm_log's limiter */
    u32 log_count, log_held;

    u64 mmio_unknown; /* statistics, counted from any CPU */
    u64 sysreg_unknown;
    u64 smc_unknown;

    struct random random; /* for its guest; seeded anew for each start */

    char refused[80]; /* why it may never start, for people; "" if it may; fixed by vm_settle */
};

extern struct vm *vms[VM_MAX];
extern u32 vm_count;

/* What core can't make by itself; set once by core/main.c. */
struct vm_hooks {
    bool (*make_irqchip)(struct vm *vm);
    /* Writes the guest's device tree into buf; its size, or 0 after saying what is wrong. */
    u32 (*make_dtb)(struct vm *vm, void *buf, u32 size);
    /* The last VM stopped. */
    void (*all_stopped)(void);
};
extern const struct vm_hooks *vm_hooks;

/*
 * Boot: makes the VM with its RAM, stage 2, devices and vCPUs, pinned; appends it to vms[]. NULL
 * after saying why not: no room, with the numbers.
 */
struct vm *vm_create(const struct vm_config *cfg, const struct image_plan *plan);

/* Boot, while vm is being made: appends d to its devices, which are reset in this order. */
void vm_add_device(struct vm *vm, struct vdev *d);

/* Boot: this VM may never start; says so and why, and so will whoever asks for it later. */
void vm_refuse(struct vm *vm, const char *why, ...) PRINTF(2, 3);

/*
 * Boot, once all VMs exist and it's known which CPUs are up: refuses the VMs that can't run on
 * theirs, and decides which vCPUs have their WFI trapped. VMs refused take no part in that.
 */
void vm_settle(void);

/* Starts a stopped VM: queues the work; returns at once. False: it isn't stopped, or is refused. */
bool vm_start(struct vm *vm);

/* Stops or restarts a VM. Any CPU, any time; returns at once, the last vCPU out finishes it. */
void vm_stop(struct vm *vm, enum vm_reason reason);
void vm_restart(struct vm *vm);

/*
 * The same for a VM with which something went wrong, and for one whose guest wants to start anew:
 * what comes then is its config's choice, on-crash or on-watchdog, and on-reset, with a limit to
 * restarts. dump: it's wanted whatever these say. why: what led to it, cut to VM_WHY.
 */
void vm_end(struct vm *vm, enum vm_reason reason, bool dump, const char *why, ...) PRINTF(4, 5);
void vm_reset_by_guest(struct vm *vm);

/*
 * Writes vm's core to the console. It stands still, and no time goes by for it, until that is done;
 * then it runs on. Of a VM that is stopped, what was left of it. False: it has none, it starts or
 * stops, its core is written already, or there's no console. Any CPU, without locks.
 */
bool vm_core(struct vm *vm) MUST_CHECK;

/* For core/sched.c: v was asked to pause, and its state is unloaded. On its own CPU. */
void vm_vcpu_paused(struct vcpu *v);

/*
 * PSCI CPU_ON for vcpu[id]: 0, or a negative PSCI error: -4 already on, -5 pending, -3 denied (the
 * VM is stopping). The caller has bounded id.
 */
int vm_cpu_on(struct vm *vm, u32 id, u64 entry, u64 context);

/* The guest's CPU_OFF of v, on its own CPU: it goes off before it's entered again. */
void vm_cpu_off(struct vcpu *v);

/* For core/sched.c: v was asked to stop, and its state is unloaded. On its own CPU. */
void vm_vcpu_left(struct vcpu *v);

/* The vCPU with these affinity fields, or NULL. */
struct vcpu *vm_find_vcpu(struct vm *vm, u64 mpidr);

/* For messages. */
const char *vm_state_name(u32 state);
const char *vm_reason_name(enum vm_reason reason);

#endif

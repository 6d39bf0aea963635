/* SPDX-License-Identifier: MIT */
/*
 * What the vGIC remembers, and the functions that its files share. Interrupts are kept 32 to a
 * word, bit n of each mask being one of them, so that a register write or the search for work is a
 * few operations on masks. Lock: everything here needs vgic.lock, but where it says otherwise.
 *
 * An interrupt is in one of these places:
 * - nowhere in particular: neither pending nor active, or pending but not to be forwarded
 *   (disabled, group off, no target);
 * - ready: pending, forwardable, and in no list register of its vCPU yet (vgic_cpu.ready);
 * - listed: in one list register of one vCPU. What the guest did with it there is known only after
 *   that vCPU's own CPU has looked (vgic_lr_update), so it alone changes listed ones;
 * - out: active, but not listed, for want of a list register (vgic_cpu.out).
 */
#ifndef VDEV_GIC_VGIC_STATE_H
#define VDEV_GIC_VGIC_STATE_H

#include "core/atomic.h"
#include "core/spinlock.h"
#include "core/types.h"
#include "core/vcpu.h"
#include "core/vdev.h"
#include "core/vm.h"
#include "vdev/gic/vgic.h"

#define VGIC_WORDS     (1 + VGIC_SPIS / 32) /* word 0: SGIs and PPIs, of each vCPU its own */
#define VGIC_IDS       (IRQ_PRIVATE + VGIC_SPIS)
#define VGIC_SGI_MASK  0xffffu
#define VGIC_PRIO_MASK 0xf8u /* 32 levels */
#define VGIC_NOBODY    0xffu /* target of an SPI that is routed to no vCPU of this VM */

/* 32 interrupts */
struct vgic_word {
    u32 enabled; /* these two are also read without the lock: stores are atomic */
    u32 group1;
    u32 level; /* level-triggered, else edge-triggered */
    u32 line;  /* level of the input */
    /*
     * Something made it pending (an edge, a register write, an SGI, a physical interrupt) and that
     * is not yet in a list register.
     */
    u32 latch;
    u32 handed;  /* the same, handed over to a list register, where it's still pending */
    u32 active;  /* of listed ones: when last looked at */
    u32 listed;  /* in a list register of some vCPU */
    u32 forced;  /* listed, and a register write changed `active`: the list register must follow */
    u32 dropped; /* listed and held, and a register write made it not pending: likewise */
    u32 held;    /* its physical interrupt was acknowledged and waits to be deactivated */
};

struct vgic_cpu {
    struct vcpu *vcpu;
    u32 index;
    struct vgic_word word; /* private interrupts */
    u32 ready[VGIC_WORDS];
    u32 out[VGIC_WORDS];
    u32 listed[VGIC_WORDS]; /* in a list register of this vCPU. Written by its own CPU only */
    u32 mine[VGIC_WORDS];   /* routed to this vCPU */
    u32 ready_words;        /* bit n: ready[n] != 0. Also read without the lock: atomic */
    u32 out_words;          /* bit n: out[n] != 0 */
    u32 lrs;     /* bit n: list register n is occupied. Own CPU only, which may read without lock */
    u32 stale;   /* of these, those that have to follow a change in memory */
    u32 restyle; /* of these, those where it may be more than one more event */
    u8 seen[IRQ_LR_MAX];  /* their states when last updated: what differs the guest did */
    u8 slot[IRQ_PRIVATE]; /* of a listed private interrupt: its list register */
    u32 again;    /* listed private interrupts that, at the last look, were to be forwarded */
    u32 complete; /* private interrupts whose physical one is to be deactivated */

    bool asleep; /* GICR_WAKER.ProcessorSleep */
    u8 prio[IRQ_PRIVATE];
    u16 pintid[IRQ_PRIVATE];
    u8 sources[IRQ_SGIS];    /* GICv2: vCPUs whose SGI is latched; latch is set while it's not 0 */
    u8 out_source[IRQ_SGIS]; /* GICv2: sender of an SGI that is out */
};

struct vgic {
    struct vdev dev;
    struct spinlock lock;
    struct vm *vm;
    u32 version;
    u32 ncpus;
    bool flat;       /* vCPU n has affinity 0.0.0.n */
    u32 group_on[2]; /* all ones where GICD_CTLR enables the group, else 0 */
    u32 control;     /* the same as the two low bits of GICD_CTLR. Stores are atomic */
    /*
     * A disabled interrupt may still be listed: bit n for an SPI in a list register of vCPU n, bit
     * n + VCPU_MAX for a private one. Stores are atomic.
     */
    u32 unsettled;
    u32 ask; /* vCPUs that irq_attention is due for, at unlock */
    struct vgic_word spi[VGIC_SPIS / 32];
    u32 multi[VGIC_SPIS / 32];    /* has several possible targets */
    u32 hw[VGIC_SPIS / 32];       /* is one of the board's (vgic_hw.h): pintid says which */
    u32 hw_level[VGIC_SPIS / 32]; /* … which is level-triggered */
    u8 prio[VGIC_SPIS];
    u8 target[VGIC_SPIS]; /* vCPU that it's routed to, or VGIC_NOBODY */
    u8 mask[VGIC_SPIS];   /* vCPUs that may get it: GICv2's GICD_ITARGETSR */
    u64 router[VGIC_SPIS];
    u16 pintid[VGIC_SPIS];
    u8 slot[VGIC_SPIS]; /* of a listed SPI: its list register */
    struct vgic_cpu cpu[VCPU_MAX];
};

/* --- vgic.c --- */

/* Releases the lock, then tells the vCPUs that this concerns. */
void vgic_unlock_tell(struct vgic *g);

static inline void vgic_unlock(struct vgic *g)
{
    if (likely(g->ask == 0)) {
        spin_unlock(&g->lock);
    } else {
        vgic_unlock_tell(g);
    }
}

/* Releases the lock, at the end of a trap of cpu, which may be concerned itself. */
void vgic_unlock_busy(struct vgic *g, struct vgic_cpu *cpu);

/*
 * The same on cpu's own CPU, while it's loaded and in a trap: its list registers are updated at
 * once, if they are concerned.
 */
static inline void vgic_unlock_self(struct vgic *g, struct vgic_cpu *cpu)
{
    if (likely((g->ask | cpu->vcpu->irq.dirty) == 0)) {
        spin_unlock(&g->lock);
    } else {
        vgic_unlock_busy(g, cpu);
    }
}

/*
 * To be called after each change of word wi: finds what became ready or is no longer. `touched`
 * are the bits whose list registers, if any, have to follow. Private words (wi 0) with their cpu.
 */
void vgic_changed(struct vgic *g, struct vgic_cpu *cpu, u32 wi, u32 touched);

/* Deactivates the physical interrupts in `bits` that nothing virtual stands for any more. */
void vgic_settle(struct vgic *g, struct vgic_cpu *cpu, u32 wi, u32 bits);

/* SPI index `spi` goes to vCPU `target` from now on, pending or not. */
void vgic_route(struct vgic *g, u32 spi, u32 target);

/* Of the vCPUs in mask one that is on, the present target if possible; VGIC_NOBODY if mask is 0. */
u32 vgic_pick(const struct vgic *g, u32 spi, u32 mask);

/* cpu, which is loaded and in a trap, sends SGI `id` to the vCPUs in targets. Takes the lock. */
void vgic_send_sgi(struct vgic *g, struct vgic_cpu *cpu, u32 targets, u32 id);

/* GICD_CTLR's group enables, bit 0 and 1. */
void vgic_enable_groups(struct vgic *g, u32 groups);

/*
 * True if a disable may not have reached all running vCPUs yet: of cpu's private interrupts, or
 * with NULL of SPIs. Without the lock.
 */
bool vgic_settling(const struct vgic *g, const struct vgic_cpu *cpu);

/* True if it's loaded and would run its guest. Without any lock: a hint that may be just over. */
bool vgic_runs(const struct vgic_cpu *cpu);

static inline struct vgic_word *vgic_word(struct vgic *g, struct vgic_cpu *cpu, u32 wi)
{
    return wi == 0 ? &cpu->word : &g->spi[wi - 1];
}

static inline u8 vgic_prio(const struct vgic *g, const struct vgic_cpu *cpu, u32 id)
{
    return id < IRQ_PRIVATE ? cpu->prio[id] : g->prio[id - IRQ_PRIVATE];
}

/* Enabled, and so is the group. */
static inline u32 vgic_forward(const struct vgic *g, const struct vgic_word *w)
{
    return w->enabled & ((w->group1 & g->group_on[1]) | (~w->group1 & g->group_on[0]));
}

/* Pending apart from what a list register stands for. */
static inline u32 vgic_wants(const struct vgic_word *w)
{
    return w->latch | (w->line & w->level);
}

static inline void vgic_set_ready(struct vgic_cpu *cpu, u32 wi, u32 ready)
{
    u32 words = cpu->ready_words & ~BIT(wi);

    cpu->ready[wi] = ready;
    atomic_store(&cpu->ready_words, words | (u32)(ready != 0) << wi);
}

static inline void vgic_set_out(struct vgic_cpu *cpu, u32 wi, u32 out)
{
    cpu->out[wi] = out;
    cpu->out_words = (cpu->out_words & ~BIT(wi)) | (u32)(out != 0) << wi;
}

static inline bool vgic_is_sgi_v2(const struct vgic *g, u32 id)
{
    return id < IRQ_SGIS && g->version == 2;
}

/* --- vgic_lr.c: on the vCPU's own CPU --- */

/* struct irqchip's update; and the same with the lock held. */
void vgic_update(struct vcpu *v);
void vgic_lr_update(struct vgic *g, struct vgic_cpu *cpu);

/*
 * A linked interrupt that fires while it's listed: the guest has ended it there, or it could not
 * fire. Needs no lock: what it touches is this CPU's own. If a register write has changed anything
 * about the interrupt, it left the list register stale, and the update that it asked for comes
 * before the guest runs.
 */
static inline bool vgic_lr_inject(struct vgic_cpu *cpu, u32 intid, u32 pintid)
{
    struct irq_ctx *ctx = &cpu->vcpu->irq;
    u32 n = cpu->slot[intid];
    struct irq_lr *lr = &ctx->lr[n];

    if ((cpu->again >> intid & 1) == 0 || !lr->hw || lr->pirq != pintid ||
        (ctx->dirty >> n & 1) != 0 || atomic_load(&cpu->ready_words) != 0) {
        return false;
    }
    lr->state = LR_PENDING;
    cpu->seen[n] = LR_PENDING;
    ctx->dirty |= (u16)BIT(n);
    return true;
}

/* Brings what the guest did with its listed interrupts up to date. v is loaded. */
void vgic_lr_sync(struct vgic *g, struct vgic_cpu *cpu);

/* Takes everything out of the list registers; v not loaded. */
void vgic_lr_flush(struct vgic *g, struct vgic_cpu *cpu);

/* --- vgicv2.c, vgicv3.c --- */
extern const struct vdev_ops vgicv2_ops, vgicv3_ops;

/* Power-on state of what only that version has. */
void vgicv2_reset(struct vgic *g);
void vgicv3_reset(struct vgic *g);

/* The vCPUs that a write of ICC_SGI1R_EL1 by cpu names. */
u32 vgicv3_sgi_targets(const struct vgic *g, const struct vgic_cpu *cpu, u64 value);
#define VGICV3_SGI_ROUTE 0x00fff1ff00ff0000ull /* Aff3, RS, IRM, Aff2, Aff1: all but the list */

#endif

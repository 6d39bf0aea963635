/* SPDX-License-Identifier: MIT */
/* See gicplay.h. The first bytes choose the machine, then each action takes a few. */
#include "tests/host/gicplay.h"

#include "core/log.h"
#include "core/panic.h"
#include "tests/host/gcpu.h"
#include "tests/host/gicboard.h"
#include "tests/host/gicref.h"

#include <string.h>

enum {
    CTLR = 0x000,
    IGROUPR = 0x080,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ITARGETSR = 0x800,
    ICFGR = 0xc00,
    SGIR = 0xf00,
    IROUTER = 0x6000,
};

static struct gcpu_vm *g;
static struct gicref ref;
static u32 version, ncpus;

struct tape {
    const u8 *p;
    size_t left;
};

static u32 next(struct tape *t)
{
    if (t->left == 0) {
        return 0;
    }
    t->left--;
    return *t->p++;
}

static u32 next32(struct tape *t)
{
    u32 value = next(t);

    value |= next(t) << 8;
    value |= next(t) << 16;
    return value | next(t) << 24;
}

/* An interrupt; few different ones, so that they meet. */
static u32 next_id(struct tape *t)
{
    static const u16 ids[] = {0,  1,  7,  15, 16, 20, 27,  30,  31,  32,  33,  39,
                              40, 47, 48, 63, 64, 71, 100, 111, 127, 255, 286, 287};
    u32 byte = next(t);

    return byte < 0xe0 ? ids[byte % ARRAY_SIZE(ids)] : 32 + byte;
}

static const u8 cpu_counts[] = {1, 2, 3, 8}, lr_counts[] = {1, 2, 4, 16};

/* SPIs that are the board's: two levels, two edges. Their INTIDs there are others. */
static const struct {
    u16 id;
    bool edge;
} linked[] = {{40, false}, {71, false}, {100, true}, {286, true}};
#define HOST_OF(id) ((id) + 500u)

static bool is_linked(u32 id)
{
    for (u32 i = 0; i < ARRAY_SIZE(linked); i++) {
        if (linked[i].id == id) {
            return true;
        }
    }
    return false;
}

static void link_all(void)
{
    gicboard_reset();
    for (u32 i = 0; i < ARRAY_SIZE(linked); i++) {
        gicboard_link(&g->vm, linked[i].id, HOST_OF(linked[i].id), linked[i].edge);
    }
}

static bool board_is_idle(void)
{
    bool busy = false;

    for (u32 i = 0; i < ARRAY_SIZE(linked); i++) {
        busy = busy || gicboard[HOST_OF(linked[i].id)].active;
    }
    return !busy;
}

/*
 * What the board's GIC has fires, and goes away again where its line has. Each vCPU leaves its
 * guest, as it does for the interrupt; what takes the place of one that goes may go, too.
 */
static void play_board(void)
{
    (void)gicboard_fire(&g->vm);
    for (u32 i = 0; i < ARRAY_SIZE(linked) && !board_is_idle(); i++) {
        for (u32 cpu = 0; cpu < ncpus; cpu++) {
            irq_attention(&g->cpu[cpu].vcpu);
        }
        gcpu_enter_all(g);
        (void)gicboard_fire(&g->vm);
    }
}

/* Machines are made once each and then reset: memory for them is never given back. */
static void open_machine(struct tape *t)
{
    static struct gcpu_vm machine[2][4];
    static bool made[2][4];
    u32 byte = next(t), v = byte & 1, c = byte >> 1 & 3;
    u32 lrs = lr_counts[byte >> 3 & 3];
    struct gcpu_vm *vm = &machine[v][c];

    version = 2 + v;
    ncpus = cpu_counts[c];
    if (!made[v][c]) {
        gcpu_create(vm, version, ncpus, lrs);
        made[v][c] = true;
    }
    g = vm;
    link_all();
    gcpu_reset(g, lrs);
}

static u64 reg(u32 cpu, u32 kind, u32 id)
{
    if (version == 3 && id < 32) {
        return GCPU_GICR + cpu * GCPU_STRIDE + GCPU_SGIS + kind;
    }
    return GCPU_GICD + kind;
}

/* --- comparison ------------------------------------------------------------------------------ */

static const char *differs(const char *what, u32 cpu, u32 id, u32 got)
{
    static char text[128];

    fmt_print(text, sizeof(text), "v%u, %u CPUs: %s of %u on CPU %u: vGIC says 0x%x", version,
              ncpus, what, id, cpu, got);
    return text;
}

static const char *compare_word(u32 cpu, u32 wi)
{
    u64 base = reg(cpu, 0, wi * 32) + wi * 4;
    u32 enabled = (u32)gcpu_read(&g->cpu[cpu], base + ISENABLER, 4);
    u32 pending = (u32)gcpu_read(&g->cpu[cpu], base + ISPENDR, 4);
    u32 active = (u32)gcpu_read(&g->cpu[cpu], base + ICACTIVER, 4);
    u32 group1 = (u32)gcpu_read(&g->cpu[cpu], base + IGROUPR, 4);

    for (u32 n = 0; n < 32; n++) {
        const struct gicref_irq *irq = gicref_irq(&ref, cpu, wi * 32 + n);

        if (irq->last != cpu && irq->last != 0xff) {
            continue; /* how far that vCPU is with it may show late elsewhere */
        }

        if ((enabled >> n & 1) != irq->enabled) {
            return differs("enable", cpu, wi * 32 + n, enabled >> n & 1);
        }
        if ((pending >> n & 1) != gicref_pending(&ref, irq)) {
            return differs("pending", cpu, wi * 32 + n, pending >> n & 1);
        }
        if ((active >> n & 1) != irq->active) {
            return differs("active", cpu, wi * 32 + n, active >> n & 1);
        }
        if ((group1 >> n & 1) != irq->group1) {
            return differs("group", cpu, wi * 32 + n, group1 >> n & 1);
        }
    }
    return NULL;
}

/* The board's GIC was told all that the guest said. */
static const char *compare_board(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(linked); i++) {
        const struct gicboard_spi *s = &gicboard[HOST_OF(linked[i].id)];
        const struct gicref_irq *irq = &ref.spi[linked[i].id - 32];

        if (s->enabled != irq->enabled) {
            return differs("the board's enable", 0, linked[i].id, s->enabled);
        }
        if (irq->target != 0xff && s->to != &pcpus[irq->target]) {
            return differs("the board's target", irq->target, linked[i].id, 0);
        }
    }
    return NULL;
}

static const char *compare_cpu(u32 cpu)
{
    const char *fault = compare_board();

    for (u32 id = 0; id < 32; id++) {
        if (g->cpu[cpu].held[id] != ref.private[cpu][id].held) {
            return differs("physical state", cpu, id, g->cpu[cpu].held[id]);
        }
    }
    if (g->vm.irqchip->pending(&g->cpu[cpu].vcpu) != gicref_wakes(&ref, cpu)) {
        return differs("wake", cpu, 0, !gicref_wakes(&ref, cpu));
    }
    for (u32 wi = 0; wi < GICREF_IDS / 32 && fault == NULL; wi++) {
        fault = compare_word(cpu, wi);
    }
    if (version == 3 && (gcpu_read(&g->cpu[cpu], GCPU_GICD, 4) & BIT(31)) != 0) {
        return differs("RWP", cpu, 0, 1);
    }
    return fault;
}

/* --- actions that both understand ------------------------------------------------------------- */

static void write_bits(u32 cpu, u32 kind, u32 id, u32 bits)
{
    u32 first = id / 32 * 32;

    /* what is acknowledged is ended by its EOI only, what is made active by hand by a write */
    for (u32 n = 0; n < 32; n++) {
        if (kind >= ISACTIVER && (first + n) % 8 != 7) {
            bits &= ~BIT(n);
        }
        if (kind == ISENABLER && (first + n) % 8 == 7) {
            bits &= ~BIT(n);
        }
        if (kind == ISPENDR && is_linked(first + n)) {
            bits &= ~BIT(n); /* a write is not told from the line, and goes with it */
        }
    }
    gcpu_write(&g->cpu[cpu], reg(cpu, kind, id) + id / 32 * 4, 4, bits);
    for (u32 n = 0; n < 32; n++) {
        struct gicref_irq *irq = gicref_irq(&ref, cpu, first + n);

        if ((bits >> n & 1) == 0) {
            if (kind == IGROUPR) {
                irq->group1 = false;
            }
            continue;
        }
        switch (kind) {
        case IGROUPR:
            irq->group1 = true;
            break;
        case ISENABLER:
            irq->enabled = true;
            break;
        case ICENABLER:
            irq->enabled = version == 2 && first + n < 16;
            break;
        case ISPENDR:
        case ICPENDR:
            gicref_set_pending(&ref, cpu, first + n, kind == ISPENDR);
            break;
        default:
            gicref_set_active(&ref, cpu, first + n, kind == ISACTIVER);
            break;
        }
    }
}

static void write_prio(u32 cpu, u32 id, u32 prio)
{
    struct gicref_irq *irq = gicref_irq(&ref, cpu, id);

    if (irq->active) {
        return; /* which one ends first would be anybody's guess */
    }
    prio = id % 8 == 7 ? 0xff : prio & 0xf7; /* made active by hand: the least urgent */
    gcpu_write(&g->cpu[cpu], reg(cpu, IPRIORITYR, id) + id, 1, prio);
    irq->prio = (u8)(prio & 0xf8);
}

static void write_target(u32 cpu, u32 id, u32 to)
{
    if (id < 32) {
        return;
    }
    if (version == 3) {
        gcpu_write(&g->cpu[cpu], GCPU_GICD + IROUTER + 8 * id, 8, to);
        ref.spi[id - 32].target = to < ncpus ? (u8)to : 0xff;
    } else if (ncpus > 1) {
        gcpu_write(&g->cpu[cpu], GCPU_GICD + ITARGETSR + id, 1, BIT(to) & 0xff);
        ref.spi[id - 32].target = to < ncpus ? (u8)to : 0xff;
    }
}

static void write_edge(u32 cpu, u32 id, bool edge)
{
    u64 at = GCPU_GICD + ICFGR + id / 16 * 4;
    u32 bit = BIT(id % 16 * 2 + 1), old = (u32)gcpu_read(&g->cpu[cpu], at, 4);

    if (id >= 32 && !is_linked(id)) {
        gcpu_write(&g->cpu[cpu], at, 4, edge ? old | bit : old & ~bit);
        ref.spi[id - 32].level = !edge;
    }
}

static void send(u32 cpu, u32 id, u32 targets)
{
    id = id % 16 == 7 || id % 16 == 15 ? 3 : id % 16; /* these two are made active by hand */
    targets &= BIT(ncpus) - 1;
    if (version == 3) {
        gcpu_sgi(&g->cpu[cpu], (u64)id << 24 | targets);
    } else {
        gcpu_write(&g->cpu[cpu], GCPU_GICD + SGIR, 4, targets << 16 | id);
    }
    gicref_sgi(&ref, cpu, targets, id);
}

static void set_line(u32 cpu, u32 id, bool level)
{
    if (is_linked(id)) {
        if (!gicboard[HOST_OF(id)].edge) { /* another edge may interrupt once more than it need */
            gicboard_line(HOST_OF(id), level);
            gicref_line(&ref, cpu, id, level);
        }
    } else if (id >= 16 && id != 27 && id != 30) { /* these are linked, and have no line */
        g->vm.irqchip->set_line(&g->vm, id < 32 ? &g->cpu[cpu].vcpu : NULL, id, level);
        gicref_line(&ref, cpu, id, level);
    }
}

/* CPU_OFF and CPU_ON, and what a guest does then. */
static void restart_cpu(u32 cpu)
{
    gcpu_restart(&g->cpu[cpu]);
    gcpu_enter_all(g);
    while (ref.depth[cpu] > 0) {
        u32 id = ref.running[cpu][--ref.depth[cpu]] & 0x3ff;

        gcpu_write(&g->cpu[cpu], reg(cpu, ICACTIVER, id) + id / 32 * 4, 4, BIT(id % 32));
        gicref_set_active(&ref, cpu, id, false);
    }
}

static const char *acknowledge(u32 cpu)
{
    u32 iar;

    gcpu_enter_all(g);
    iar = gcpu_ack(&g->cpu[cpu]);
    return gicref_ack(&ref, cpu, iar) ? NULL : differs("acknowledge", cpu, iar & 0x3ff, iar);
}

static void end(u32 cpu)
{
    u32 iar = gicref_eoi(&ref, cpu);

    if (iar != GICREF_NONE) {
        gcpu_eoi(&g->cpu[cpu], iar);
    }
}

static void first_steps(void)
{
    gcpu_write(&g->cpu[0], GCPU_GICD + CTLR, 4, 3);
    ref.group_on[0] = true;
    ref.group_on[1] = true;
    for (u32 id = 7; id < GICREF_IDS; id += 8) {
        for (u32 cpu = 0; cpu < (id < 32 ? ncpus : 1); cpu++) {
            write_prio(cpu, id, 0xff);
        }
    }
}

static void reset_all(void)
{
    g->vm.irqchip->reset(&g->vm);
    gicref_reset(&ref, version, ncpus);
    for (u32 cpu = 0; cpu < ncpus; cpu++) {
        g->cpu[cpu].depth = 0;
    }
}

static const char *act(struct tape *t)
{
    static const u16 kinds[] = {ISENABLER, ISENABLER, ICENABLER, ISPENDR,
                                ICPENDR,   ISACTIVER, ICACTIVER, IGROUPR};
    u32 what = next(t), cpu = (what >> 5) % ncpus, id;

    switch (what & 31) {
    case 0 ... 7:
        id = next_id(t);
        write_bits(cpu, kinds[what & 7], id, (what & 7) == 0 ? next32(t) : BIT(id % 32));
        break;
    case 8:
        id = next_id(t);
        write_prio(cpu, id, next(t));
        break;
    case 9:
        id = next_id(t);
        write_target(cpu, id, next(t) % (ncpus + 1));
        break;
    case 10:
        write_edge(cpu, next_id(t), (next(t) & 1) != 0);
        break;
    case 11 ... 13:
        id = next_id(t);
        set_line(cpu, id, (what & 31) == 11 || (next(t) & 1) != 0);
        break;
    case 14:
    case 15:
        id = (what & 1) != 0 ? 27 : 30;
        gcpu_fire(&g->cpu[cpu], id);
        gicref_fire(&ref, cpu, id);
        break;
    case 16 ... 18:
        id = next(t);
        send(cpu, id, (what & 31) == 16 ? BIT(cpu) : next(t));
        break;
    case 19:
        id = next(t) & 3;
        gcpu_write(&g->cpu[cpu], GCPU_GICD + CTLR, 4, id);
        ref.group_on[0] = (id & 1) != 0;
        ref.group_on[1] = (id & 2) != 0;
        break;
    case 20:
        if (next(t) < 16) {
            reset_all();
            gcpu_enter_all(g);
            first_steps();
        }
        break;
    case 21:
        restart_cpu(cpu);
        break;
    case 22 ... 26:
        return ref.depth[cpu] < 40 ? acknowledge(cpu) : NULL;
    default:
        end(cpu);
        break;
    }
    return NULL;
}

const char *gicplay_compare(const u8 *data, size_t len)
{
    struct tape t = {data, len};
    const char *fault = NULL;

    open_machine(&t);
    memset(&ref, 0, sizeof(ref));
    gicref_reset(&ref, version, ncpus);
    gcpu_enter_all(g);
    first_steps();
    for (u32 n = 0; t.left > 0 && fault == NULL; n++) {
        fault = act(&t);
        gcpu_enter_all(g);
        play_board();
        gcpu_enter_all(g);
        for (u32 cpu = 0; n % 4 == 3 && cpu < ncpus && fault == NULL; cpu++) {
            fault = compare_cpu(cpu);
            gcpu_enter_all(g);
        }
    }
    return fault;
}

/* --- anything -------------------------------------------------------------------------------- */

static u64 any_address(struct tape *t)
{
    static const u16 kinds[] = {0,     4,     8,     0x80,  0x100, 0x180,  0x200,  0x280,
                                0x300, 0x380, 0x400, 0x800, 0xc00, 0xf00,  0xf10,  0xf20,
                                0xfd0, 0xffe, 0x14,  0xd00, 0xe00, 0x6100, 0xffd0, 0xffe8};
    u32 byte = next(t);
    u64 at = kinds[byte % ARRAY_SIZE(kinds)] + (next(t) & (byte < 0x80 ? 0xfc : 0xff));

    switch (byte >> 5 & 3) {
    case 0:
        return GCPU_GICR + next(t) % ncpus * GCPU_STRIDE + at % GCPU_STRIDE;
    case 1:
        return GCPU_GICR + next(t) % ncpus * GCPU_STRIDE + GCPU_SGIS + at % GCPU_SGIS;
    default:
        return GCPU_GICD + at;
    }
}

static void any_access(struct tape *t, struct gcpu *c)
{
    u32 byte = next(t), size = 1u << (byte & 3);
    u64 at = any_address(t);

    if ((byte & 0x10) != 0) {
        size = 4;
        at &= ~3ull;
    }
    if ((byte & 0x20) != 0) {
        (void)gcpu_read(c, at, size);
    } else {
        u64 value = next32(t);

        gcpu_write(c, at, size, (byte & 0x40) != 0 ? value << 32 | value : value);
    }
}

static void any_action(struct tape *t)
{
    u32 what = next(t), cpu = (what >> 4) % ncpus;
    struct gcpu *c = &g->cpu[cpu];

    switch (what & 15) {
    case 0 ... 5:
        any_access(t, c);
        break;
    case 6:
        if (next(t) < 128) {
            gicboard_line(HOST_OF(linked[what >> 6].id), (what & 0x20) != 0);
            (void)gicboard_fire(&g->vm);
            break;
        }
        g->vm.irqchip->set_line(&g->vm, next(t) & 1 ? &c->vcpu : NULL, next(t) * 2, next(t) & 1);
        break;
    case 7:
        gcpu_fire(c, 16 + next(t) % 16);
        break;
    case 8:
        gcpu_sgi(c, (u64)next32(t) << 24 | next32(t));
        break;
    case 9:
    case 10:
        gcpu_enter(c);
        (void)gcpu_ack(c);
        break;
    case 11:
    case 12:
        gcpu_eoi(c, c->depth > 0 ? c->running[c->depth - 1] : next(t));
        break;
    case 13:
        (void)g->vm.irqchip->pending(&c->vcpu);
        break;
    case 14:
        gcpu_enter_all(g);
        break;
    default:
        if (next(t) < 32) {
            gcpu_restart(c);
        } else {
            c->vcpu.state = next(t) & 1 ? VCPU_READY : VCPU_OFF;
        }
        break;
    }
}

void gicplay_chaos(const u8 *data, size_t len)
{
    struct tape t = {data, len};

    open_machine(&t);
    while (t.left > 0) {
        any_action(&t);
    }
    for (u32 cpu = 0; cpu < ncpus; cpu++) {
        g->cpu[cpu].vcpu.state = VCPU_READY;
    }
    gcpu_enter_all(g);
    reset_all();
    gcpu_enter_all(g);
    for (u32 i = 0; i < ARRAY_SIZE(linked); i++) {
        assert(!gicboard[HOST_OF(linked[i].id)].active && !gicboard[HOST_OF(linked[i].id)].enabled);
    }
    for (u32 cpu = 0; cpu < ncpus; cpu++) {
        assert(gcpu_peek(&g->cpu[cpu]) == GCPU_NONE);
        assert(!g->vm.irqchip->pending(&g->cpu[cpu].vcpu));
    }
}

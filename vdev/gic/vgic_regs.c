/* SPDX-License-Identifier: MIT */
/*
 * The registers that all distributors and redistributors share: enable, pending, active, group,
 * priority, configuration. An index beyond the interrupts that there are reads 0 and ignores
 * writes. vgic.lock is held in all but the readers of plain rows, and vgic_regs_read and
 * vgic_regs_write, which take it.
 */
#include "vdev/gic/vgic_regs.h"

#include "core/arch.h"
#include "vdev/gic/vgic_hw.h"

static const struct vgic_row *find_row(const struct vgic_row *rows, struct vgic_access *a,
                                       u32 offset)
{
    const struct vgic_row *row = &rows[offset / 0x80 % VGIC_ROWS];

    if ((row->sizes & a->size) == 0 || (offset & (a->size - 1)) != 0) {
        return NULL;
    }
    a->offset = offset - row->base;
    return row;
}

u32 vgic_regs_read(const struct vgic_row *rows, struct vgic_access *a, u32 offset)
{
    const struct vgic_row *row = find_row(rows, a, offset);
    u32 value;

    if (row == NULL || row->read == NULL) {
        return 0;
    }
    if (row->plain) {
        return row->read(a);
    }
    spin_lock(&a->g->lock);
    value = row->read(a);
    vgic_unlock_self(a->g, a->self);
    return value;
}

void vgic_regs_write(const struct vgic_row *rows, struct vgic_access *a, u32 offset, u32 value)
{
    const struct vgic_row *row = find_row(rows, a, offset);

    if (row == NULL || row->write == NULL) {
        return;
    }
    spin_lock(&a->g->lock);
    row->write(a, value);
    vgic_unlock_self(a->g, a->self);
}

/* The word of a register with a bit per interrupt, and its number. NULL: there's none. */
static struct vgic_word *word_at(const struct vgic_access *a, u32 *wi)
{
    u32 i = a->offset / 4;

    if (i >= a->words || (i == 0 && a->bank == NULL)) {
        return NULL;
    }
    *wi = index_nospec(i, VGIC_WORDS);
    return vgic_word(a->g, a->bank, *wi);
}

/* GICv2: SGIs can't be disabled, and are made pending by their own registers only. */
static u32 writable(const struct vgic_access *a, u32 wi, u32 value)
{
    return wi == 0 && a->g->version == 2 ? value & ~VGIC_SGI_MASK : value;
}

void vgic_look(const struct vgic_access *a, u32 wi)
{
    if ((wi != 0 || a->bank == a->self) && (a->self->listed[wi] | a->self->out[wi]) != 0) {
        vgic_lr_sync(a->g, a->self);
    }
}

/* --- group, enable --------------------------------------------------------------------------- */

void vgic_write_group(const struct vgic_access *a, u32 value)
{
    u32 wi;
    struct vgic_word *w = word_at(a, &wi);
    u32 changed;

    if (w != NULL) {
        changed = w->group1 ^ value;
        atomic_store(&w->group1, value);
        vgic_changed(a->g, a->bank, wi, changed);
    }
}

void vgic_set_enabled(const struct vgic_access *a, u32 value)
{
    u32 wi;
    struct vgic_word *w = word_at(a, &wi);

    if (w != NULL && (value & ~w->enabled) != 0) {
        value &= ~w->enabled;
        atomic_store(&w->enabled, w->enabled | value);
        if (wi != 0) {
            vgic_hw_enable(a->g, wi, value, true);
        }
        vgic_changed(a->g, a->bank, wi, value);
    }
}

/* RWP stays set until these are out of the list registers of all vCPUs that run. */
static void unsettle(const struct vgic_access *a, u32 wi, u32 bits)
{
    u32 unsettled = a->g->unsettled;

    for (u32 i = 0; i < a->g->ncpus; i++) {
        struct vgic_cpu *cpu = &a->g->cpu[i];

        if ((cpu->listed[wi] & bits) != 0 && (wi != 0 || cpu == a->bank)) {
            unsettled |= wi != 0 ? BIT(i) : BIT(VCPU_MAX + i);
        }
    }
    atomic_store(&a->g->unsettled, unsettled);
}

void vgic_clear_enabled(const struct vgic_access *a, u32 value)
{
    u32 wi;
    struct vgic_word *w = word_at(a, &wi);

    if (w != NULL) {
        value = writable(a, wi, value) & w->enabled;
        atomic_store(&w->enabled, w->enabled & ~value);
        if (wi != 0) {
            vgic_hw_enable(a->g, wi, value, false);
        }
        unsettle(a, wi, value);
        vgic_changed(a->g, a->bank, wi, value);
    }
}

/* --- pending, active ------------------------------------------------------------------------- */

u32 vgic_read_pending(const struct vgic_access *a)
{
    u32 wi, board;
    const struct vgic_word *w = word_at(a, &wi);

    if (w == NULL) {
        return 0;
    }
    vgic_look(a, wi);
    board = wi != 0 ? vgic_hw_pending(a->g, wi) : 0;
    return vgic_wants(w) | w->handed | board;
}

void vgic_set_pending(const struct vgic_access *a, u32 value)
{
    u32 wi;
    struct vgic_word *w = word_at(a, &wi);

    if (w != NULL) {
        value = writable(a, wi, value);
        vgic_look(a, wi);
        w->latch |= value;
        vgic_changed(a->g, a->bank, wi, value);
    }
}

void vgic_clear_pending(const struct vgic_access *a, u32 value)
{
    u32 wi;
    struct vgic_word *w = word_at(a, &wi);

    if (w != NULL) {
        value = writable(a, wi, value);
        vgic_look(a, wi);
        w->latch &= ~value;
        w->handed &= ~value;
        w->dropped |= value & w->listed & w->held;
        if (wi != 0) {
            vgic_hw_clear(a->g, wi, value);
        }
        vgic_settle(a->g, a->bank, wi, value);
        vgic_changed(a->g, a->bank, wi, value);
    }
}

/*
 * Those of word wi that may be active by now in a list register of another vCPU that runs: it's
 * asked to look, which settles it before long. An interrupt that is disabled already is reported as
 * active until then: whoever disables one and waits until it isn't active must not be told so too
 * early (Linux's synchronize_irq).
 */
static u32 active_elsewhere(const struct vgic_access *a, const struct vgic_word *w, u32 wi)
{
    u32 unsure = 0;

    for (u32 i = 0; i < a->g->ncpus; i++) {
        const struct vgic_cpu *cpu = &a->g->cpu[i];
        u32 listed = cpu->listed[wi] & (w->active | ~w->enabled);

        if (listed != 0 && cpu != a->self && (wi != 0 || cpu == a->bank) && vgic_runs(cpu)) {
            unsure |= listed;
            a->g->ask |= BIT(i);
        }
    }
    return unsure & ~w->enabled;
}

u32 vgic_read_active(const struct vgic_access *a)
{
    u32 wi;
    const struct vgic_word *w = word_at(a, &wi);

    if (w == NULL) {
        return 0;
    }
    vgic_look(a, wi);
    return w->active | (w->listed != 0 ? active_elsewhere(a, w, wi) : 0);
}

/* SPIs that are active in no list register belong to the vCPU that they're routed to, or to 0. */
static void set_out(const struct vgic_access *a, u32 wi, u32 bits, bool active)
{
    struct vgic *g = a->g;

    for (u32 i = g->ncpus; i-- > 0;) {
        struct vgic_cpu *cpu = &g->cpu[i];
        u32 mine = active ? bits & cpu->mine[wi] : bits;

        if (wi == 0 && cpu != a->bank) {
            continue;
        }
        if (active && wi != 0 && i == 0) {
            mine = bits;
        }
        if (active) {
            bits &= ~mine;
        }
        vgic_set_out(cpu, wi, active ? cpu->out[wi] | mine : cpu->out[wi] & ~mine);
        g->ask |= mine != 0 ? BIT(i) : 0;
    }
}

static void write_active(const struct vgic_access *a, u32 value, bool active)
{
    u32 wi;
    struct vgic_word *w = word_at(a, &wi);

    if (w == NULL) {
        return;
    }
    vgic_look(a, wi);
    if (active) {
        value &= ~w->active;
        w->active |= value;
        w->forced |= value & w->listed;
    } else {
        /* of the listed ones those may be active that are not known to be */
        value &= w->active | w->listed;
        w->active &= ~value;
        w->forced |= value & w->listed;
    }
    if ((value & ~w->listed) != 0) {
        set_out(a, wi, value & ~w->listed, active);
    }
    vgic_settle(a->g, a->bank, wi, value);
    vgic_changed(a->g, a->bank, wi, value);
}

void vgic_set_active(const struct vgic_access *a, u32 value)
{
    write_active(a, value, true);
}

void vgic_clear_active(const struct vgic_access *a, u32 value)
{
    write_active(a, value, false);
}

/* --- priority, configuration ----------------------------------------------------------------- */

/* The bytes of an access to registers with a byte per interrupt; NULL: no interrupts there. */
static u8 *prio_at(const struct vgic_access *a)
{
    u32 id = a->offset;

    if (id >= a->words * 32 || (id < IRQ_PRIVATE && a->bank == NULL)) {
        return NULL;
    }
    id = index_nospec(id, VGIC_IDS);
    return id < IRQ_PRIVATE ? &a->bank->prio[id] : &a->g->prio[id - IRQ_PRIVATE];
}

u32 vgic_read_prio(const struct vgic_access *a)
{
    const u8 *prio = prio_at(a);
    u32 value = 0;

    for (u32 i = 0; prio != NULL && i < a->size; i++) {
        value |= (u32)prio[i] << (8 * i);
    }
    return value;
}

void vgic_write_prio(const struct vgic_access *a, u32 value)
{
    u8 *prio = prio_at(a);

    if (prio == NULL) {
        return;
    }
    for (u32 i = 0; i < a->size; i++) {
        prio[i] = (u8)(value >> (8 * i) & VGIC_PRIO_MASK);
    }
    vgic_changed(a->g, a->bank, a->offset / 32, (BIT(a->size) - 1) << a->offset % 32);
}

/* Two bits per interrupt, the upper one set for edge-triggered; the lower one reads 0. */
u32 vgic_read_cfg(const struct vgic_access *a)
{
    struct vgic_access bits = *a;
    const struct vgic_word *w;
    u32 wi, edge, value = 0;

    bits.offset = a->offset / 8 * 4;
    w = word_at(&bits, &wi);
    if (w == NULL) {
        return 0;
    }
    edge = ~w->level >> (a->offset % 8 * 4);
    for (u32 i = 0; i < 16; i++) {
        value |= (edge >> i & 1) << (2 * i + 1);
    }
    return value;
}

void vgic_write_cfg(const struct vgic_access *a, u32 value)
{
    struct vgic_access bits = *a;
    struct vgic_word *w;
    u32 wi, shift = a->offset % 8 * 4, level = 0;

    bits.offset = a->offset / 8 * 4;
    w = word_at(&bits, &wi);
    if (w == NULL || wi == 0) {
        return; /* SGIs are edge-triggered, PPIs level-triggered, for good */
    }
    for (u32 i = 0; i < 16; i++) {
        level |= (~value >> (2 * i + 1) & 1) << i;
    }
    w->level = (w->level & ~(0xffffu << shift)) | level << shift;
    vgic_changed(a->g, a->bank, wi, 0xffffu << shift);
}

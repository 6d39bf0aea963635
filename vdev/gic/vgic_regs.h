/* SPDX-License-Identifier: MIT */
/*
 * Registers that GICv2's distributor, GICv3's distributor and GICv3's redistributors have in
 * common, at the same offsets: the first 4 KiB of each frame. They come in kinds, each filling
 * whole rows of 0x80 bytes, so that a frame is a table of 32 rows.
 */
#ifndef VDEV_GIC_VGIC_REGS_H
#define VDEV_GIC_VGIC_REGS_H

#include "vdev/gic/vgic_state.h"

struct vgic_access {
    struct vgic *g;
    struct vgic_cpu *self; /* the vCPU whose access it is; it's loaded */
    struct vgic_cpu *bank; /* whose private interrupts are seen here; NULL: nobody's */
    u32 words;             /* interrupts that are seen here: 1 word or VGIC_WORDS */
    u32 offset;            /* from the start of this kind of register */
    u32 size;              /* 1 or 4 bytes, aligned, as the row allows */
};

struct vgic_row {
    u32 (*read)(const struct vgic_access *a);              /* NULL: reads as 0 */
    void (*write)(const struct vgic_access *a, u32 value); /* NULL: ignored */
    u16 base;                                              /* where the kind starts */
    u8 sizes;   /* sum of the sizes in bytes that it may be accessed with */
    bool plain; /* read() needs no lock */
    u8 field;   /* not 0: what is read, without the lock: offset in struct vgic_word, plus 1 */
};

#define VGIC_ROWS  32
#define VGIC_FRAME 0x1000u /* what the rows cover */

/* Looks the row up and carries the access out, under the lock. offset < VGIC_FRAME. */
u32 vgic_regs_read(const struct vgic_row *rows, struct vgic_access *a, u32 offset);
void vgic_regs_write(const struct vgic_row *rows, struct vgic_access *a, u32 offset, u32 value);

/* True if vgic_regs_field does for a read. */
static inline bool vgic_regs_has_field(const struct vgic_row *rows, u64 offset, u32 size)
{
    return offset < VGIC_FRAME && size == 4 && offset % 4 == 0 &&
           rows[offset / 0x80 % VGIC_ROWS].field != 0;
}

/* Reads the word of a register that has a field of its own. bank: see struct vgic_access. */
static inline u32 vgic_regs_field(const struct vgic_row *rows, struct vgic *g,
                                  struct vgic_cpu *bank, u32 words, u32 offset)
{
    const struct vgic_row *row = &rows[offset / 0x80 % VGIC_ROWS];
    u32 i = (offset - row->base) / 4;

    if (i >= words || (i == 0 && bank == NULL)) {
        return 0;
    }
    return atomic_load(
        (const u32 *)((const char *)vgic_word(g, bank, index_nospec(i, words)) + (row->field - 1)));
}

void vgic_write_group(const struct vgic_access *a, u32 value);
void vgic_set_enabled(const struct vgic_access *a, u32 value);
void vgic_clear_enabled(const struct vgic_access *a, u32 value);
u32 vgic_read_pending(const struct vgic_access *a);
void vgic_set_pending(const struct vgic_access *a, u32 value);
void vgic_clear_pending(const struct vgic_access *a, u32 value);
u32 vgic_read_active(const struct vgic_access *a);
void vgic_set_active(const struct vgic_access *a, u32 value);
void vgic_clear_active(const struct vgic_access *a, u32 value);
u32 vgic_read_prio(const struct vgic_access *a);
void vgic_write_prio(const struct vgic_access *a, u32 value);
u32 vgic_read_cfg(const struct vgic_access *a);
void vgic_write_cfg(const struct vgic_access *a, u32 value);

/* Brings the state of word wi up to date as far as it's in the list registers of the accessor. */
void vgic_look(const struct vgic_access *a, u32 wi);

/* The rows at these offsets, for the tables. Offsets are architectural in all three frames. */
#define VGIC_ROW(at)     ((at) / 0x80)
#define VGIC_FIELD(name) (offsetof(struct vgic_word, name) + 1)
#define VGIC_BITMAP_ROWS                                                                           \
    [VGIC_ROW(0x080)] = {NULL, vgic_write_group, 0x080, 4, true, VGIC_FIELD(group1)},              \
    [VGIC_ROW(0x100)] = {NULL, vgic_set_enabled, 0x100, 4, true, VGIC_FIELD(enabled)},             \
    [VGIC_ROW(0x180)] = {NULL, vgic_clear_enabled, 0x180, 4, true, VGIC_FIELD(enabled)},           \
    [VGIC_ROW(0x200)] = {vgic_read_pending, vgic_set_pending, 0x200, 4, false, 0},                 \
    [VGIC_ROW(0x280)] = {vgic_read_pending, vgic_clear_pending, 0x280, 4, false, 0},               \
    [VGIC_ROW(0x300)] = {vgic_read_active, vgic_set_active, 0x300, 4, false, 0},                   \
    [VGIC_ROW(0x380)] = {vgic_read_active, vgic_clear_active, 0x380, 4, false, 0},                 \
    [VGIC_ROW(0x400)... VGIC_ROW(0x780)] = {vgic_read_prio, vgic_write_prio, 0x400, 5, false, 0},  \
    [VGIC_ROW(0xc00)... VGIC_ROW(0xc80)] = {vgic_read_cfg, vgic_write_cfg, 0xc00, 4, false, 0}

/* Implementer Arm (JEP106 0x43b); product id 'M'. */
#define VGIC_IIDR 0x4d00043bu

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The bus side of PrimeCell peripherals. It's 32 bits wide: a narrower read gives its part of the
 * word, a wider access is two words, a write that doesn't begin at a word's start finds no
 * register. Lock: the device's own, LOCK_DEVICE.
 */
#include "vdev/primecell.h"

#include "core/mmio.h"
#include "core/vm.h"

#define CELL_ID 0xb105f00du /* PCellID3..0 of every PrimeCell */

void primecell_update(struct primecell *p)
{
    bool level = p->type->pending(p);

    if (level != p->line) {
        p->line = level;
        vdev_irq(&p->dev, level);
    }
}

static u32 read_word(struct primecell *p, u32 offset)
{
    u32 byte = (offset & 15) / 4 * 8;

    if (offset < PRIMECELL_ID) {
        return p->type->read(p, offset);
    }
    return ((offset < PRIMECELL_ID + 16 ? p->type->id : CELL_ID) >> byte) & 0xff;
}

static void write_word(struct primecell *p, u32 offset, u32 value)
{
    if (offset % 4 == 0 && offset < PRIMECELL_ID) {
        p->type->write(p, offset, value);
    }
}

u64 primecell_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    struct primecell *p = container_of(d, struct primecell, dev);
    u32 word = (u32)offset & ~3u;
    u64 value;

    (void)v;
    (void)region;
    spin_lock(&p->lock);
    value = (u64)read_word(p, word) >> (8 * (offset & 3));
    if (size == 8 && offset == word) {
        value |= (u64)read_word(p, word + 4) << 32;
    }
    primecell_update(p);
    spin_unlock(&p->lock);
    return value;
}

void primecell_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    struct primecell *p = container_of(d, struct primecell, dev);

    (void)v;
    (void)region;
    spin_lock(&p->lock);
    write_word(p, (u32)offset, (u32)value);
    if (size == 8) {
        write_word(p, (u32)offset + 4, (u32)(value >> 32));
    }
    primecell_update(p);
    spin_unlock(&p->lock);
}

bool primecell_init(struct primecell *p, const struct primecell_type *type, struct vm *vm,
                    const struct vdev_conf *conf)
{
    p->dev = (struct vdev){.ops = &type->ops, .conf = conf, .vm = vm, .intid = conf->intid};
    p->type = type;
    spin_init(&p->lock, LOCK_DEVICE);
    return mmio_add(&vm->mmio, conf->loc, PRIMECELL_SIZE, &p->dev, 0);
}

/* SPDX-License-Identifier: MIT */
/* See gicboard.h. */
#include "tests/host/gicboard.h"

#include "core/panic.h"
#include "core/vm.h"

#include <string.h>

struct gicboard_spi gicboard[IRQ_MAX];

static struct gicboard_spi *linked(u32 host)
{
    assert(host < IRQ_MAX && gicboard[host].intid != 0);
    return &gicboard[host];
}

static void enable(u32 host, bool on)
{
    linked(host)->enabled = on;
}

static void route(u32 host, const struct pcpu *p)
{
    linked(host)->to = p;
}

static bool pending(u32 host)
{
    const struct gicboard_spi *s = linked(host);

    return s->edge ? s->latch : s->line;
}

static void clear(u32 host)
{
    linked(host)->latch = false;
}

static void quiet(u32 host)
{
    struct gicboard_spi *s = linked(host);

    s->enabled = false;
    s->latch = false;
    s->active = false;
}

static const struct pass_hw hw = {
    .irq_enable = enable,
    .irq_route = route,
    .irq_pending = pending,
    .irq_clear = clear,
    .irq_quiet = quiet,
};

void gicboard_reset(void)
{
    memset(gicboard, 0, sizeof(gicboard));
    pass_hw = &hw;
}

void gicboard_link(struct vm *vm, u32 intid, u32 host, bool edge)
{
    gicboard[host] = (struct gicboard_spi){.intid = intid, .edge = edge};
    vm->irqchip->link(vm, intid, host, !edge);
}

void gicboard_line(u32 host, bool high)
{
    struct gicboard_spi *s = linked(host);

    s->latch = s->latch || (s->edge && high && !s->line);
    s->line = high;
}

bool gicboard_fire(struct vm *vm)
{
    bool fired = false;

    for (u32 host = IRQ_PRIVATE; host < IRQ_MAX; host++) {
        struct gicboard_spi *s = &gicboard[host];

        if (s->intid != 0 && s->enabled && !s->active && pending(host)) {
            s->active = true;
            s->latch = false;
            fired = true;
            vm->irqchip->inject_hw(vm, NULL, s->intid, host);
        }
    }
    return fired;
}

bool gicboard_is_gone(u32 host)
{
    return host >= IRQ_PRIVATE && gicboard[host].intid != 0 && !gicboard[host].edge &&
           !gicboard[host].line;
}

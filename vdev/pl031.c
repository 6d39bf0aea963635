/* SPDX-License-Identifier: MIT */
/*
 * The PrimeCell real-time clock (PL031 TRM, DDI 0224): seconds since 1970 in 32 bits, and an alarm.
 * It shows Muntin's time of day and what the guest has set it to as an offset to that, which lasts
 * as long as Muntin runs: this clock has a battery, so a restart of the VM doesn't touch it. All
 * clocks tick together, at the full seconds of Muntin's time.
 *
 * Kinder than hardware: it runs whether RTCCR started it or not.
 * Knows nothing of the board's clock. Lock: LOCK_DEVICE.
 */
#include "vdev/pl031.h"

#include "core/arch.h"
#include "core/log.h"
#include "core/page.h"
#include "core/timer.h"
#include "core/vm.h"
#include "core/wall.h"
#include "vdev/primecell.h"

#define NS_PER_S 1000000000ull

enum { /* TRM §3.2 */
       RTCDR = 0x00,
       RTCMR = 0x04,
       RTCLR = 0x08,
       RTCCR = 0x0c,
       RTCIMSC = 0x10,
       RTCRIS = 0x14,
       RTCMIS = 0x18,
       RTCICR = 0x1c,
};

struct pl031 {
    struct primecell cell; /* its lock covers the fields below */
    struct timer alarm;
    u64 due_ns;        /* wall_ns() when the clock reaches the match register; TIMER_OFF: it has */
    u32 offset;        /* the clock less the time of day, modulo 2^32 */
    u32 match, load;   /* RTCMR, RTCLR */
    bool mask, raised; /* RTCIMSC, RTCRIS */
};

static struct pl031 *to_pl031(struct primecell *p)
{
    return container_of(p, struct pl031, cell);
}

static u32 now(const struct pl031 *c)
{
    return (u32)(wall_ns() / NS_PER_S) + c->offset;
}

/* The clock or its match register changed: equal at once, or after up to 2^32 - 1 s (TRM §2.2). */
static void set_alarm(struct pl031 *c)
{
    u64 wall = wall_ns();
    u32 left = c->match - now(c);

    if (left == 0) {
        c->raised = true;
        c->due_ns = TIMER_OFF;
        timer_cancel(&c->alarm);
        return;
    }
    c->due_ns = (wall / NS_PER_S + left) * NS_PER_S;
    timer_set(&c->alarm, arch_now_ns() + (c->due_ns - wall));
}

/* May come late, when the alarm was set anew or the device reset meanwhile: due_ns decides. */
static void alarm_fired(struct timer *t)
{
    struct pl031 *c = container_of(t, struct pl031, alarm);

    spin_lock(&c->cell.lock);
    if (wall_ns() >= c->due_ns) {
        c->due_ns = TIMER_OFF;
        c->raised = true;
        primecell_update(&c->cell);
    }
    spin_unlock(&c->cell.lock);
}

static u32 pl031_read(struct primecell *p, u32 offset)
{
    struct pl031 *c = to_pl031(p);

    switch (offset) {
    case RTCDR:
        return now(c);
    case RTCMR:
        return c->match;
    case RTCLR:
        return c->load;
    case RTCCR:
        return 1;
    case RTCIMSC:
        return c->mask;
    case RTCRIS:
        return c->raised;
    case RTCMIS:
        return c->raised && c->mask;
    default:
        return 0;
    }
}

static void pl031_write(struct primecell *p, u32 offset, u32 value)
{
    struct pl031 *c = to_pl031(p);

    switch (offset) {
    case RTCMR:
        c->match = value;
        set_alarm(c);
        break;
    case RTCLR:
        c->load = value;
        c->offset += value - now(c);
        set_alarm(c);
        break;
    case RTCIMSC:
        c->mask = value & 1;
        break;
    case RTCICR:
        c->raised = c->raised && !(value & 1);
        break;
    default:
        break;
    }
}

static bool pl031_pending(struct primecell *p)
{
    return to_pl031(p)->raised && to_pl031(p)->mask;
}

/* The clock goes on, the alarm is off. */
static void pl031_reset(struct vdev *d)
{
    struct pl031 *c = to_pl031(container_of(d, struct primecell, dev));

    spin_lock(&c->cell.lock);
    c->match = 0;
    c->mask = false;
    c->raised = false;
    c->due_ns = TIMER_OFF;
    timer_cancel(&c->alarm);
    primecell_update(&c->cell);
    spin_unlock(&c->cell.lock);
}

static void pl031_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    struct pl031 *c = to_pl031(container_of(d, struct primecell, dev));
    u32 seconds;
    s32 offset;

    spin_lock(&c->cell.lock);
    seconds = now(c);
    offset = (s32)c->offset;
    spin_unlock(&c->cell.lock);
    print("  pl031 at 0x%llx: %u s since 1970, set off by the guest by %d s\n",
          (unsigned long long)d->conf->loc, seconds, offset);
}

static const struct primecell_type cell_type = {
    .ops = {.read = primecell_read,
            .write = primecell_write,
            .reset = pl031_reset,
            .show = pl031_show},
    .id = 0x00041031,
    .read = pl031_read,
    .write = pl031_write,
    .pending = pl031_pending,
};

static struct vdev *pl031_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct pl031 *c = page_alloc(sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    timer_init(&c->alarm, vm->vcpu[0]->pcpu, alarm_fired);
    c->due_ns = TIMER_OFF;
    if (!wall_is_set()) {
        log_warn("%s: its clock starts at 1970: the board has none that Muntin knows, and there's "
                 "no boot argument time=SECONDS",
                 vm->name);
    }
    return primecell_init(&c->cell, &cell_type, vm, conf) ? &c->cell.dev : NULL;
}

static const struct opt pl031_options[] = {{.name = NULL}};

static const struct vdev_prop pl031_props[] = {
    {.name = "clocks", .kind = PROP_CLOCKS, .str = "apb_pclk", .value = sizeof("apb_pclk")},
    {.name = NULL},
};

const struct vdev_type pl031_type = {
    .name = "pl031",
    .help = MANUAL("The PrimeCell real-time clock, set from the board's: the guest's time of day, "
                   "with an alarm."),
    .opts = pl031_options,
    .node = "rtc",
    .compatible = "arm,pl031\0arm,primecell",
    .compatible_len = sizeof("arm,pl031\0arm,primecell"),
    .props = pl031_props,
    .mmio_size = PRIMECELL_SIZE,
    .level = true,
    .default_loc = 0x09010000,
    .default_intid = 34,
    .create = pl031_create,
};

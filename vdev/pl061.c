/* SPDX-License-Identifier: MIT */
/*
 * The PrimeCell GPIO (PL061 TRM, DDI 0190): eight lines, each an input or an output, each input
 * with an interrupt by level or edge. One of them is wired to the VM's power button, the others to
 * nothing: as inputs they are low. Lock: LOCK_DEVICE.
 */
#include "vdev/pl061.h"

#include "core/arch.h"
#include "core/log.h"
#include "core/page.h"
#include "core/timer.h"
#include "core/vm.h"
#include "vdev/primecell.h"

#define PRESS_NS  200000000ull /* longer than drivers wait for it to stop bouncing */
#define KEY_POWER 116          /* of Linux's input-event-codes */

enum {                   /* TRM §3.2 */
       GPIODATA = 0x000, /* to 0x3fc: bits 9 to 2 of the address mask the lines */
       GPIODIR = 0x400,
       GPIOIS = 0x404,
       GPIOIBE = 0x408,
       GPIOIEV = 0x40c,
       GPIOIE = 0x410,
       GPIORIS = 0x414,
       GPIOMIS = 0x418,
       GPIOIC = 0x41c,
       GPIOAFSEL = 0x420,
};

struct pl061 {
    struct primecell cell; /* its lock covers the fields below */
    struct timer release;  /* of the button */
    u64 release_ns;        /* when it comes up; TIMER_OFF: it's not down */
    u8 in;                 /* the wires, whether or not the lines are inputs */
    u8 out;                /* what the guest drives outputs with */
    u8 dir, is, ibe, iev, ie, afsel;
    u8 edges; /* the edges seen: of the lines in edge mode, GPIORIS */
};

static struct pl061 *to_pl061(struct primecell *p)
{
    return container_of(p, struct pl061, cell);
}

/* Bit n is set if line n interrupts, masked or not: by level if IS says so, else by what it saw. */
static u8 raw(const struct pl061 *g)
{
    return (u8)(((~(g->in ^ g->iev) & g->is) | (g->edges & ~g->is)) & ~g->dir);
}

/* A wire moves: inputs in edge mode see it, in the direction that IEV wants, or both. */
static void set_input(struct pl061 *g, u32 line, bool level)
{
    u8 bit = (u8)BIT(line), before = g->in;

    g->in = (u8)(level ? before | bit : before & ~bit);
    if (g->in != before && !(g->dir & bit) && !(g->is & bit) &&
        ((g->ibe & bit) || level == !!(g->iev & bit))) {
        g->edges |= bit;
    }
}

/* --- the button --- */

static u32 button_line(const struct pl061 *g)
{
    return ((const struct pl061_opts *)g->cell.dev.conf->opts)->button;
}

static void released(struct timer *t)
{
    struct pl061 *g = container_of(t, struct pl061, release);

    spin_lock(&g->cell.lock);
    if (arch_now_ns() >= g->release_ns) {
        g->release_ns = TIMER_OFF;
        set_input(g, button_line(g), false);
        primecell_update(&g->cell);
    }
    spin_unlock(&g->cell.lock);
}

static enum vdev_button pl061_press(struct vdev *d)
{
    struct pl061 *g = to_pl061(container_of(d, struct primecell, dev));
    enum vdev_button result;

    if (button_line(g) >= PL061_LINES) {
        return BUTTON_NONE;
    }
    spin_lock(&g->cell.lock);
    result = g->ie & BIT(button_line(g)) ? BUTTON_PRESSED : BUTTON_UNHEARD;
    set_input(g, button_line(g), true);
    g->release_ns = arch_now_ns() + PRESS_NS;
    timer_set(&g->release, g->release_ns);
    primecell_update(&g->cell);
    spin_unlock(&g->cell.lock);
    return result;
}

/* --- registers --- */

/* The registers of a bit a line that keep what is written; NULL: not one of them. */
static u8 *plain_reg(struct pl061 *g, u32 offset)
{
    static const struct {
        u16 offset, field;
    } regs[] = {
        {GPIODIR, offsetof(struct pl061, dir)}, {GPIOIS, offsetof(struct pl061, is)},
        {GPIOIBE, offsetof(struct pl061, ibe)}, {GPIOIEV, offsetof(struct pl061, iev)},
        {GPIOIE, offsetof(struct pl061, ie)},   {GPIOAFSEL, offsetof(struct pl061, afsel)},
    };

    for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
        if (regs[i].offset == offset) {
            return (u8 *)g + regs[i].field;
        }
    }
    return NULL;
}

static u32 pl061_read(struct primecell *p, u32 offset)
{
    struct pl061 *g = to_pl061(p);
    const u8 *reg;

    if (offset < GPIODIR) {
        return ((g->out & g->dir) | (g->in & ~g->dir)) & (offset >> 2) & 0xff;
    }
    switch (offset) {
    case GPIORIS:
        return raw(g);
    case GPIOMIS:
        return raw(g) & g->ie;
    default:
        reg = plain_reg(g, offset);
        return reg != NULL ? *reg : 0;
    }
}

/* Only outputs take a value: one that is set before the direction is, is lost (TRM §3.3.1). */
static void write_data(struct pl061 *g, u32 lines, u32 value)
{
    lines &= g->dir;
    g->out = (u8)((g->out & ~lines) | (value & lines));
}

static void pl061_write(struct primecell *p, u32 offset, u32 value)
{
    struct pl061 *g = to_pl061(p);
    u8 *reg;

    if (offset < GPIODIR) {
        write_data(g, offset >> 2, value);
        return;
    }
    if (offset == GPIOIC) {
        g->edges &= (u8)~value;
        return;
    }
    reg = plain_reg(g, offset);
    if (reg != NULL) {
        *reg = (u8)value;
    }
}

static bool pl061_pending(struct primecell *p)
{
    return (raw(to_pl061(p)) & to_pl061(p)->ie) != 0;
}

static void pl061_reset(struct vdev *d)
{
    struct pl061 *g = to_pl061(container_of(d, struct primecell, dev));

    spin_lock(&g->cell.lock);
    g->in = 0;
    g->out = 0;
    g->dir = 0;
    g->is = 0;
    g->ibe = 0;
    g->iev = 0;
    g->ie = 0;
    g->afsel = 0;
    g->edges = 0;
    g->release_ns = TIMER_OFF;
    timer_cancel(&g->release);
    primecell_update(&g->cell);
    spin_unlock(&g->cell.lock);
}

static void pl061_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    struct pl061 *g = to_pl061(container_of(d, struct primecell, dev));
    u32 in, out, dir, ie;

    spin_lock(&g->cell.lock);
    in = g->in;
    out = g->out;
    dir = g->dir;
    ie = g->ie;
    spin_unlock(&g->cell.lock);
    print("  pl061 at 0x%llx: ", (unsigned long long)d->conf->loc);
    if (button_line(g) < PL061_LINES) {
        print("power button on line %u, %s; ", button_line(g),
              ie & BIT(button_line(g)) ? "heard" : "not heard by the guest");
    }
    print("inputs 0x%02x, outputs 0x%02x of 0x%02x\n", in, out & dir, dir);
}

static const struct primecell_type cell_type = {
    .ops = {.read = primecell_read,
            .write = primecell_write,
            .reset = pl061_reset,
            .show = pl061_show,
            .press = pl061_press},
    .id = 0x00041061,
    .read = pl061_read,
    .write = pl061_write,
    .pending = pl061_pending,
};

static struct vdev *pl061_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct pl061 *g = page_alloc(sizeof(*g));

    if (g == NULL) {
        return NULL;
    }
    timer_init(&g->release, vm->vcpu[0]->pcpu, released);
    g->release_ns = TIMER_OFF;
    return primecell_init(&g->cell, &cell_type, vm, conf) ? &g->cell.dev : NULL;
}

/* --- options --- */

static void pl061_defaults(void *opts)
{
    *(struct pl061_opts *)opts = (struct pl061_opts){.button = 3};
}

static const char *const lines[] = {"0", "1", "2", "3", "4", "5", "6", "7", "none", NULL};

static const struct opt pl061_options[] = {
    {.name = "button",
     .type = OPT_ENUM,
     .offset = offsetof(struct pl061_opts, button),
     .words = lines,
     .arg = "LINE|none",
     .dflt = MANUAL("3"),
     .help = MANUAL("The line, 0 to 7, that the power button is on; `vm stop` presses it."),
     .example = MANUAL("button none")},
    {.name = NULL},
};

static const struct vdev_prop button_props[] = {
    {.name = "label", .kind = PROP_STR, .str = "power button", .value = sizeof("power button")},
    {.name = "linux,code", .kind = PROP_U32, .value = KEY_POWER},
    {.name = "gpios", .kind = PROP_GPIO, .value = offsetof(struct pl061_opts, button)},
    {.name = NULL},
};

static const struct vdev_prop keys_props[] = {
    {.name = "compatible", .kind = PROP_STR, .str = "gpio-keys", .value = sizeof("gpio-keys")},
    {.name = NULL},
};

static bool has_button(const void *opts)
{
    return ((const struct pl061_opts *)opts)->button < PL061_LINES;
}

static const struct vdev_companion pl061_keys = {
    .node = "gpio-keys",
    .props = keys_props,
    .child = "poweroff",
    .child_props = button_props,
    .wanted = has_button,
};

static const struct vdev_prop pl061_props[] = {
    {.name = "clocks", .kind = PROP_CLOCKS, .str = "apb_pclk", .value = sizeof("apb_pclk")},
    {.name = "gpio-controller", .kind = PROP_EMPTY},
    {.name = "#gpio-cells", .kind = PROP_U32, .value = 2},
    {.name = "interrupt-controller", .kind = PROP_EMPTY},
    {.name = "#interrupt-cells", .kind = PROP_U32, .value = 2},
    {.name = NULL},
};

static const char *const aliases[] = {"gpio-pl061", NULL};

const struct vdev_type pl061_type = {
    .name = "pl061",
    .aliases = aliases,
    .help = MANUAL("The PrimeCell GPIO with eight lines, one of them the VM's power button."),
    .opts = pl061_options,
    .opts_size = sizeof(struct pl061_opts),
    .defaults = pl061_defaults,
    .node = "gpio",
    .compatible = "arm,pl061\0arm,primecell",
    .compatible_len = sizeof("arm,pl061\0arm,primecell"),
    .props = pl061_props,
    .companion = &pl061_keys,
    .mmio_size = PRIMECELL_SIZE,
    .level = true,
    .default_loc = 0x09030000,
    .default_intid = 39,
    .create = pl061_create,
};

/* SPDX-License-Identifier: MIT */
/*
 * The PrimeCell watchdog (SP805 TRM, DDI 0270): a counter that interrupts when it has run down, and
 * starts again; if nobody has cleared the interrupt when it has run down for the second time, it
 * bites: the VM ends. The counter isn't kept, but when it is at its end.
 *
 * Time is the board's: it goes on while others have the VM's CPU. No vCPU is needed to be bitten.
 * Lock: LOCK_DEVICE; not held when the VM is ended, which takes LOCK_VM.
 */
#include "vdev/sp805.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/log.h"
#include "core/page.h"
#include "core/timer.h"
#include "core/vm.h"
#include "vdev/primecell.h"

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000u
#define UNLOCK    0x1acce551u

enum { /* TRM §3.2 */
       WDOGLOAD = 0x000,
       WDOGVALUE = 0x004,
       WDOGCONTROL = 0x008,
       WDOGINTCLR = 0x00c,
       WDOGRIS = 0x010,
       WDOGMIS = 0x014,
       WDOGLOCK = 0xc00,
};

enum { CONTROL_INTEN = BIT(0), CONTROL_RESEN = BIT(1), CONTROL_BITS = 3 };

struct sp805 {
    struct primecell cell; /* its lock covers the fields below */
    struct timer timer;    /* armed while the counter's next end matters */
    u64 due_ns;            /* while INTEN: when the counter is at its end */
    u32 value;             /* while it isn't: the counter, which stands */
    u32 load, control;
    bool raised; /* WDOGRIS */
    bool locked;
    bool bitten; /* the VM ends, or was told so by `action fiq`; until INTCLR or reset */
};

static struct sp805 *to_sp805(struct primecell *p)
{
    return container_of(p, struct sp805, cell);
}

static const struct sp805_opts *options(const struct sp805 *w)
{
    return w->cell.dev.conf->opts;
}

static bool is_fiq(const struct sp805 *w)
{
    return options(w)->action == SP805_FIQ || options(w)->action == SP805_DUMP_FIQ;
}

/* The counter goes from WDOGLOAD to 0 and takes one more tick to begin again. Never 0. */
static u64 period_ns(const struct sp805 *w)
{
    u64 ticks = (u64)w->load + 1; /* at most 2^32: the product fits */

    return MAX(ticks * NS_PER_S / options(w)->frequency, 1ull);
}

static u32 counter(const struct sp805 *w)
{
    u64 left = w->due_ns - arch_now_ns(), hz = options(w)->frequency, ticks;

    if (!(w->control & CONTROL_INTEN)) {
        return w->value;
    }
    ticks = left / NS_PER_S * hz + left % NS_PER_S * hz / NS_PER_S;
    return (u32)MIN(ticks, (u64)w->load);
}

/* What the time that has gone by did: the counter may have been at its end many times. */
static void catch_up(struct sp805 *w)
{
    u64 now = arch_now_ns(), times;

    if (!(w->control & CONTROL_INTEN) || now < w->due_ns || w->bitten) {
        return;
    }
    times = 1 + (now - w->due_ns) / period_ns(w);
    w->due_ns += times * period_ns(w);
    if (!w->raised) {
        w->raised = true;
        times--;
    }
    w->bitten = times > 0 && (w->control & CONTROL_RESEN);
}

/* Once for each end of the counter that changes something: a guest can't make it fire for nothing.
 */
static void arm(struct sp805 *w)
{
    bool matters = !w->raised || (w->control & CONTROL_RESEN);

    if (w->bitten && !is_fiq(w)) {
        return; /* the timer that ends the VM is due, or has been */
    }
    timer_set(&w->timer,
              (w->control & CONTROL_INTEN) && matters && !w->bitten ? w->due_ns : TIMER_OFF);
}

static void restart(struct sp805 *w)
{
    w->value = w->load;
    w->due_ns = arch_now_ns() + period_ns(w);
}

static void end_vm(struct sp805 *w, u64 ms)
{
    vm_end(w->cell.dev.vm, VM_EXIT_WATCHDOG, options(w)->action == SP805_DUMP_TERMINATE,
           "sp805 at 0x%llx not refreshed for %llu.%03llu s",
           (unsigned long long)w->cell.dev.conf->loc, (unsigned long long)(ms / 1000),
           (unsigned long long)(ms % 1000));
}

/* May come late, when the guest was there first: what it finds decides. */
static void timer_fired(struct timer *t)
{
    struct sp805 *w = container_of(t, struct sp805, timer);
    bool bite;
    u64 ms;

    spin_lock(&w->cell.lock);
    if (atomic_load(&w->cell.dev.vm->frozen)) {
        restart(w); /* no time has gone by for the guest */
    }
    catch_up(w);
    bite = w->bitten;
    ms = 2 * period_ns(w) / NS_PER_MS;
    if (bite && is_fiq(w)) {
        w->cell.line = false; /* once more, for who takes it as an edge */
        vdev_irq(&w->cell.dev, false);
    }
    arm(w);
    primecell_update(&w->cell);
    spin_unlock(&w->cell.lock);
    if (bite && is_fiq(w)) {
        vm_log(w->cell.dev.vm, LOG_WARN, "its watchdog bit: action fiq, it runs on");
    } else if (bite) {
        end_vm(w, ms);
    }
}

static u32 sp805_read(struct primecell *p, u32 offset)
{
    struct sp805 *w = to_sp805(p);

    catch_up(w);
    switch (offset) {
    case WDOGLOAD:
        return w->load;
    case WDOGVALUE:
        return counter(w);
    case WDOGCONTROL:
        return w->control;
    case WDOGRIS:
        return w->raised;
    case WDOGMIS:
        return w->raised && (w->control & CONTROL_INTEN);
    case WDOGLOCK:
        return w->locked;
    default:
        return 0;
    }
}

/* The counter stops without INTEN, and starts from WDOGLOAD when that is set (TRM §3.3.3). */
static void write_control(struct sp805 *w, u32 value)
{
    u32 before = w->control;

    w->value = counter(w);
    w->control = value;
    if (!(before & CONTROL_INTEN) && (value & CONTROL_INTEN)) {
        restart(w);
    }
}

static void write_unlocked(struct sp805 *w, u32 offset, u32 value)
{
    switch (offset) {
    case WDOGLOAD:
        w->load = value;
        restart(w);
        break;
    case WDOGCONTROL:
        write_control(w, value & CONTROL_BITS);
        break;
    case WDOGINTCLR:
        w->raised = false;
        w->bitten = false;
        restart(w);
        break;
    default:
        return;
    }
    arm(w);
}

static void sp805_write(struct primecell *p, u32 offset, u32 value)
{
    struct sp805 *w = to_sp805(p);

    catch_up(w);
    if (w->bitten && !is_fiq(w)) {
        return; /* too late: the reset line is up */
    }
    if (offset == WDOGLOCK) {
        w->locked = value != UNLOCK;
    } else if (!w->locked) {
        write_unlocked(w, offset, value);
    }
}

static bool sp805_pending(struct primecell *p)
{
    return to_sp805(p)->raised && (to_sp805(p)->control & CONTROL_INTEN);
}

static void sp805_reset(struct vdev *d)
{
    struct sp805 *w = to_sp805(container_of(d, struct primecell, dev));

    spin_lock(&w->cell.lock);
    w->load = UINT32_MAX;
    w->value = UINT32_MAX;
    w->control = 0;
    w->raised = false;
    w->locked = false;
    w->bitten = false;
    timer_cancel(&w->timer);
    primecell_update(&w->cell);
    spin_unlock(&w->cell.lock);
}

static void sp805_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    struct sp805 *w = to_sp805(container_of(d, struct primecell, dev));
    bool runs, bites, raised;
    u64 left, ms;

    spin_lock(&w->cell.lock);
    catch_up(w);
    runs = w->control & CONTROL_INTEN;
    bites = w->control & CONTROL_RESEN;
    raised = w->raised;
    left = runs && !w->bitten ? w->due_ns - arch_now_ns() + (raised ? 0 : period_ns(w)) : 0;
    ms = left / NS_PER_MS;
    spin_unlock(&w->cell.lock);
    print("  sp805 at 0x%llx: ", (unsigned long long)d->conf->loc);
    if (runs && bites) {
        print("bites in %llu.%03llu s%s\n", (unsigned long long)(ms / 1000),
              (unsigned long long)(ms % 1000), raised ? ", has warned" : "");
    } else {
        print(runs ? "warns, and doesn't bite\n" : "off\n");
    }
}

static const struct primecell_type cell_type = {
    .ops = {.read = primecell_read,
            .write = primecell_write,
            .reset = sp805_reset,
            .show = sp805_show},
    .id = 0x00141805,
    .read = sp805_read,
    .write = sp805_write,
    .pending = sp805_pending,
};

static struct vdev *sp805_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct sp805 *w = page_alloc(sizeof(*w));

    if (w == NULL) {
        return NULL;
    }
    timer_init(&w->timer, vm->vcpu[0]->pcpu, timer_fired);
    if (!primecell_init(&w->cell, &cell_type, vm, conf)) {
        return NULL;
    }
    sp805_reset(&w->cell.dev);
    return &w->cell.dev;
}

/* --- options ------------------------------------------------------------------------------------
 */

static void sp805_defaults(void *opts)
{
    *(struct sp805_opts *)opts = (struct sp805_opts){.frequency = 25000000};
}

static const char *const actions[] = {
    [SP805_TERMINATE] = "terminate",
    [SP805_DUMP_TERMINATE] = "dump,terminate",
    [SP805_FIQ] = "fiq",
    [SP805_DUMP_FIQ] = "dump,fiq",
    NULL,
};

static const struct opt sp805_options[] = {
    {.name = "action",
     .type = OPT_ENUM,
     .offset = offsetof(struct sp805_opts, action),
     .words = actions,
     .arg = "[dump,]terminate|fiq",
     .dflt = MANUAL("terminate"),
     .help = MANUAL("What its bite does: `terminate` ends the VM, with exit code 4, and "
                    "`on-watchdog` says what comes then; `dump,` puts its registers into Muntin's "
                    "log first, and with "
                    "`dump DIR` its whole core on the console; "
                    "`fiq` lets it run on, and lowers and raises the interrupt once more, which "
                    "is an FIQ for a guest that has put it in group 0."),
     .example = MANUAL("action dump,terminate")},
    {.name = "frequency",
     .type = OPT_U32,
     .offset = offsetof(struct sp805_opts, frequency),
     .min = 1,
     .max = 1000000000,
     .arg = "HZ",
     .unit = MANUAL("Hz"),
     .dflt = MANUAL("25000000"),
     .help = MANUAL("Ticks a second of its counter, as the guest's tree tells the driver."),
     .example = MANUAL("frequency 1000000")},
    {.name = NULL},
};

/* Its own clock, as the driver computes with that. */
static const struct vdev_prop clock_props[] = {
    {.name = "compatible", .kind = PROP_STR, .str = "fixed-clock", .value = sizeof("fixed-clock")},
    {.name = "#clock-cells", .kind = PROP_U32},
    {.name = "clock-frequency",
     .kind = PROP_OPT_U32,
     .value = offsetof(struct sp805_opts, frequency)},
    {.name = NULL},
};

static const struct vdev_companion sp805_clock = {.node = "wdog-clk", .props = clock_props};

static const struct vdev_prop sp805_props[] = {
    {.name = "clocks",
     .kind = PROP_OWN_CLOCK,
     .str = "wdog_clk\0apb_pclk",
     .value = sizeof("wdog_clk\0apb_pclk")},
    {.name = NULL},
};

static const char *const aliases[] = {"wdt-sp805", NULL};

const struct vdev_type sp805_type = {
    .name = "sp805",
    .aliases = aliases,
    .help = MANUAL("The PrimeCell watchdog: interrupts after one period without being refreshed, "
                   "and after the second one ends the VM."),
    .opts = sp805_options,
    .opts_size = sizeof(struct sp805_opts),
    .defaults = sp805_defaults,
    .node = "watchdog",
    .compatible = "arm,sp805\0arm,primecell",
    .compatible_len = sizeof("arm,sp805\0arm,primecell"),
    .props = sp805_props,
    .companion = &sp805_clock,
    .mmio_size = PRIMECELL_SIZE,
    .level = true,
    .create = sp805_create,
};

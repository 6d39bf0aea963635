/* SPDX-License-Identifier: MIT */
/*
 * How a PCIe function forgets what a guest told it: by FLR, by way of D3hot, or by a reset of the
 * link that it has for itself. All of a VM's go through it together, so that it takes 0.1 s in all.
 * One caller at a time for a VM's functions; each step is short, none waits. References: PCIe 4.0.
 */
#include "core/pci_reset.h"

#define MS(n) ((n)*1000000ull)

enum { STEP_WAKE, STEP_PENDING, STEP_BEGIN, STEP_END, STEP_READY };

#define WAKE_NS       MS(10) /* D3hot to D0 (§5.9) */
#define PENDING_NS    MS(10)
#define PENDING_TRIES 20
#define BEGIN_NS      MS(10)  /* D3hot takes 10 ms (§5.9); a link's reset 1 ms (§6.6.1) */
#define END_NS        MS(100) /* after FLR (§6.6.2) or a link's reset (§6.6.1); D0: 10 ms */
#define READY_NS      MS(20)
#define READY_TRIES   50 /* 1 s in all, after which a device is broken (§6.6.1) */

/* What it asked for hasn't all come yet, and could be taken for something else afterwards. */
static bool is_pending(const struct pci_function *f)
{
    return (f->express != 0 &&
            (pci_read(f->cfg, f->express + EXPRESS_CONTROL) & STATUS_PENDING) != 0) ||
           (f->af != 0 && (pci_read(f->cfg, f->af + AF_CONTROL) & AF_PENDING) != 0);
}

static void set_power(const struct pci_function *f, u32 state)
{
    pci_write(f->cfg, f->pm + PM_STATUS, state);
}

static bool is_asleep(const struct pci_function *f)
{
    return f->pm != 0 && (pci_read(f->cfg, f->pm + PM_STATUS) & PM_STATE) != 0;
}

static void set_port(const struct pci_function *f, bool reset)
{
    u32 value = pci_read(f->port, REG_BRIDGE) & ~BRIDGE_SETTINGS;

    pci_write(f->port, REG_BRIDGE, value | (reset ? BRIDGE_RESET : 0));
}

static void begin(const struct pci_function *f)
{
    switch (f->reset) {
    case PCI_RESET_FLR:
        pci_write(f->cfg, f->express + EXPRESS_CONTROL, f->control | CONTROL_FLR);
        break;
    case PCI_RESET_AF:
        pci_write(f->cfg, f->af + AF_CONTROL, AF_RESET);
        break;
    case PCI_RESET_POWER:
        set_power(f, PM_D3);
        break;
    case PCI_RESET_PORT:
        set_port(f, true);
        break;
    default:
        break;
    }
}

/* It doesn't go into D3hot: then the link has to do. After an FLR it may not be asked yet. */
static bool is_awake(const struct pci_function *f)
{
    return f->reset == PCI_RESET_POWER && f->port != 0 && !is_asleep(f);
}

static void end(const struct pci_function *f)
{
    if (f->reset == PCI_RESET_POWER) {
        set_power(f, 0);
    }
    if (f->port != 0) {
        set_port(f, false);
    }
}

/* It's there again, not just about to be (§2.3.2), and it's the same. */
static bool is_ready(const struct pci_function *f)
{
    return pci_read(f->cfg, REG_ID) == f->ident;
}

static bool restore(const struct pci_function *f)
{
    pci_write(f->cfg, REG_COMMAND, 0);
    pci_write(f->cfg, REG_ROM, 0);
    if (f->express != 0) {
        pci_write(f->cfg, f->express + EXPRESS_CONTROL, f->control);
    }
    return pci_place_write(f->cfg, f->bar, BARS);
}

typedef bool check_fn(const struct pci_function *f);

static bool any(check_fn *is, bool value, const struct pci_function *const *f, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (is(f[i]) == value) {
            return true;
        }
    }
    return false;
}

static u64 wake(const struct pci_function *const *f, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (is_asleep(f[i])) {
            set_power(f[i], 0);
        }
    }
    return WAKE_NS;
}

static u64 reset_links(const struct pci_function *const *f, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (is_awake(f[i])) {
            set_port(f[i], true);
        }
    }
    return BEGIN_NS;
}

u64 pci_reset_step(struct pci_progress *p, const struct pci_function *const *f, u32 count)
{
    switch (p->step) {
    case STEP_WAKE: /* as the firmware may have left it */
        p->step = STEP_PENDING;
        if (any(is_asleep, true, f, count)) {
            return wake(f, count);
        }
        /* fall through */
    case STEP_PENDING:
        if (any(is_pending, true, f, count) && p->tries++ < PENDING_TRIES) {
            return PENDING_NS;
        }
        p->step = STEP_BEGIN;
        /* fall through */
    case STEP_BEGIN:
        for (u32 i = 0; i < count; i++) {
            begin(f[i]);
        }
        *p = (struct pci_progress){.step = STEP_END};
        return BEGIN_NS;
    case STEP_END:
        if (p->tries++ == 0 && any(is_awake, true, f, count)) {
            return reset_links(f, count);
        }
        for (u32 i = 0; i < count; i++) {
            end(f[i]);
        }
        *p = (struct pci_progress){.step = STEP_READY};
        return END_NS;
    default:
        if (any(is_ready, false, f, count)) {
            return p->tries++ < READY_TRIES ? READY_NS : PCI_RESET_FAILED;
        }
        return any(restore, false, f, count) ? PCI_RESET_FAILED : 0;
    }
}

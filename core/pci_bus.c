/* SPDX-License-Identifier: MIT */
/*
 * A walk over the board's PCIe buses. Bridges keep the numbers that the firmware gave them where
 * these make sense, others get the next free ones. What is passed gets its place in the windows
 * (core/pci_place.h), all else stays off: it decodes no addresses and masters no bus. Nothing that
 * a device says is believed: lists have bounds, and a bridge that doesn't take its registers is
 * shut, with what is behind it. ARI stays off, SR-IOV too. Boot: no lock. References are to
 * PCIe 4.0.
 */
#include "core/pci_bus.h"

#include "core/arch.h"
#include "core/board.h"
#include "core/config.h"
#include "core/log.h"
#include "core/pass.h"

#include <string.h>

#define DEVICES   32 /* of a bus */
#define FUNCTIONS 8  /* of a device */
#define EXT_MAX   64
#define D0_NS     10000000ull /* §5.9: until a function that was in D3hot can be talked to */
#define ACS_PEERS (ACS_VALIDATION | ACS_REQUESTS | ACS_COMPLETION | ACS_UPSTREAM)

enum kind { KIND_HOST, KIND_PORT, KIND_SWITCH, KIND_OTHER };

/* A bridge and the bus behind it; [0] is the host bridge. */
struct bridge {
    u16 id;
    hpa_t cfg;
    u8 upstream;         /* in bridges[] */
    u8 bus, last, top;   /* behind it: its bus, the last number that it may give, the last given */
    u8 first, next, end; /* in bridges[]: those on its bus, the next to be looked at */
    u8 functions;        /* on its bus, bridges too */
    enum kind kind;
    bool kept;     /* the firmware's numbers */
    bool shut;     /* nothing behind it can be passed */
    bool used;     /* something is */
    bool wide;     /* 64-bit window */
    bool isolates; /* what comes from behind it goes up to the SMMU first */
    struct pci_window window;
};

static struct bridge bridges[PCI_BRIDGES];
static u32 nbridges; /* 0: no scan */
static bool too_many;
static struct pci_function functions[PCI_FUNCTIONS];
static u32 nfunctions;
static const struct board *board;

static hpa_t config_of(u32 id)
{
    return board->pci.ecam.base + ((hpa_t)(id - (board->pci.bus << 8)) << 12);
}

static struct pci_function *wanted(u16 id)
{
    for (u32 i = 0; i < nfunctions; i++) {
        if (functions[i].id == id) {
            return &functions[i];
        }
    }
    return NULL;
}

/* --- capabilities ----------------------------------------------------------------------------- */

/* Where the capability is, which has so many bytes; 0: it hasn't got it. */
static u8 find_cap(hpa_t cfg, u32 id, u32 size)
{
    u32 at = pci_read(cfg, REG_CAPS) & 0xfc;

    if ((pci_read(cfg, REG_COMMAND) & STATUS_CAPS) == 0) {
        return 0;
    }
    for (u32 i = 0; i < CAPS_MAX && at >= 0x40; i++) {
        u32 cap = pci_read(cfg, at);

        if ((cap & 0xff) == id) {
            return at + size <= LEGACY_END ? (u8)at : 0;
        }
        at = cap >> 8 & 0xfc;
    }
    return 0;
}

static u32 find_ext(hpa_t cfg, u32 id)
{
    u32 at = LEGACY_END;

    for (u32 i = 0; i < EXT_MAX && at >= LEGACY_END; i++) {
        u32 cap = pci_read(cfg, at);

        if (cap == UINT32_MAX || cap == 0) {
            return 0;
        }
        if ((cap & 0xffff) == id) {
            return at;
        }
        at = EXT_NEXT(cap);
    }
    return 0;
}

/*
 * True if requests from behind the port go up to where the SMMU sees them, under the requester IDs
 * of its own buses (§6.12). What it hasn't got it need not have only if it's a root port.
 */
static bool set_acs(hpa_t cfg, u32 type)
{
    u32 acs = find_ext(cfg, EXT_ACS), has, need;

    if (acs == 0 || acs + ACS_BITS >= CONFIG_END) {
        return false;
    }
    has = pci_read(cfg, acs + ACS_BITS);
    need = type == TYPE_ROOT_PORT ? (has & ACS_PEERS) | ACS_VALIDATION : ACS_PEERS;
    pci_write(cfg, acs + ACS_BITS, (has & (ACS_PEERS | ACS_BLOCKING)) << 16);
    return (pci_read(cfg, acs + ACS_BITS) >> 16 & need) == need;
}

/* --- what is on a bus ------------------------------------------------------------------------- */

/* Out of D3hot, else nothing behind it answers. */
static void wake_bridge(hpa_t cfg)
{
    u32 pm = find_cap(cfg, CAP_PM, PM_SIZE);
    u64 until = arch_now_ns() + D0_NS;

    if (pm == 0 || (pci_read(cfg, pm + PM_STATUS) & PM_STATE) == 0) {
        return;
    }
    pci_write(cfg, pm + PM_STATUS, 0);
    while (arch_now_ns() < until) {
    }
}

/* §7.5.3.2; each kind belongs behind one other. */
static enum kind kind_of(const struct bridge *b, u32 express, bool multi, bool *isolates)
{
    enum kind up = bridges[b->upstream].kind;
    u32 type = express == 0 ? 0 : EXPRESS_TYPE(pci_read(b->cfg, express));

    if ((type == TYPE_ROOT_PORT && up == KIND_HOST) ||
        (type == TYPE_DOWNSTREAM && up == KIND_SWITCH)) {
        *isolates = set_acs(b->cfg, type);
        return KIND_PORT;
    }
    *isolates = !multi; /* ACS of a port that points up isn't looked at */
    return type == TYPE_UPSTREAM && up == KIND_PORT ? KIND_SWITCH : KIND_OTHER;
}

static void add_bridge(u32 up, u16 id, hpa_t cfg, bool multi)
{
    struct bridge *b = &bridges[nbridges];
    u32 express, control;

    pci_write(cfg, REG_BRIDGE, 0); /* no VGA, no reset */
    if (nbridges == PCI_BRIDGES) {
        pci_write(cfg, REG_BUSES, 0);
        too_many = true;
        return;
    }
    *b = (struct bridge){.id = id, .cfg = cfg, .upstream = (u8)up};
    nbridges++;
    wake_bridge(cfg);
    express = find_cap(cfg, CAP_EXPRESS, EXPRESS_SIZE);
    b->kind = kind_of(b, express, multi, &b->isolates);
    b->wide = bridges[up].wide && (pci_read(cfg, REG_PREF) & 0xf) == PREF_64;
    if (b->kind == KIND_PORT && !b->isolates && bridges[up].kind == KIND_SWITCH) {
        bridges[up].isolates = false; /* its requests go to what is behind its neighbours */
    }
    if (b->kind == KIND_PORT && EXPRESS_VERSION(pci_read(cfg, express)) >= 2) {
        control = pci_read(cfg, express + EXPRESS_CONTROL2) & 0xffff;
        pci_write(cfg, express + EXPRESS_CONTROL2, control & ~CONTROL2_ARI);
    }
}

static void add_function(u32 up, struct pci_function *f, hpa_t cfg, u32 ident)
{
    f->found = true;
    f->upstream = (u8)up;
    f->cfg = cfg;
    f->ident = ident;
}

/* No device, one that isn't ready (§2.3.2), or none that there can be. */
static bool is_absent(u32 ident)
{
    return (ident & 0xffff) == 0xffff || (ident & 0xffff) <= 1;
}

/* One function; it's off from here on. False: it isn't there. */
static bool look_at(u32 up, u16 id, bool *multi)
{
    hpa_t cfg = config_of(id);
    u32 ident = pci_read(cfg, REG_ID), header;
    struct pci_function *f = wanted(id);

    if (is_absent(ident)) {
        return false;
    }
    pci_write(cfg, REG_COMMAND, 0); /* status is above it, and cleared by ones */
    header = pci_read(cfg, REG_HEADER);
    *multi = *multi || ((id & 7) == 0 && (header & HEADER_MULTI) != 0);
    bridges[up].functions++;
    if ((header & HEADER_TYPE) == HEADER_BRIDGE) {
        add_bridge(up, id, cfg, *multi);
    } else if ((header & HEADER_TYPE) == 0 && f != NULL) {
        add_function(up, f, cfg, ident);
    }
    return true;
}

/* A link has one device (§7.3.1); others would answer for it. */
static void scan_bus(u32 up)
{
    struct bridge *b = &bridges[up];
    u32 devices = b->kind == KIND_PORT ? 1 : DEVICES;

    b->first = b->next = (u8)nbridges;
    for (u32 d = 0; d < devices; d++) {
        bool multi = false;

        for (u32 f = 0; f < FUNCTIONS; f++) {
            if (!look_at(up, (u16)(b->bus << 8 | d << 3 | f), &multi) && f == 0) {
                break;
            }
            if (!multi) {
                break;
            }
        }
    }
    b->end = (u8)nbridges;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* The firmware's numbers of the bridges on this bus, where no two have the same. */
static void keep_numbers(struct bridge *up)
{
    u32 taken[256 / 32] = {0};

    for (u32 i = up->first; i < up->end; i++) {
        struct bridge *b = &bridges[i];
        u32 buses = pci_read(b->cfg, REG_BUSES), bus = buses >> 8 & 0xff, last = buses >> 16 & 0xff;

        b->kept = bus > up->bus && last >= bus && last <= up->last;
        for (u32 n = bus; b->kept && n <= last; n++) {
            b->kept = (taken[n / 32] & BIT(n % 32)) == 0;
        }
        for (u32 n = bus; b->kept && n <= last; n++) {
            taken[n / 32] |= BIT(n % 32);
            b->bus = b->top = (u8)bus;
            b->last = (u8)last;
            up->top = (u8)MAX(up->top, last);
        }
        pci_write(b->cfg, REG_BUSES, 0); /* until it's its turn, nothing goes through it */
    }
}

static void shut(struct bridge *b)
{
    b->shut = true;
    pci_write(b->cfg, REG_BUSES, 0);
}

static bool set_numbers(const struct bridge *b)
{
    u32 value = (u32)b->last << 16 | (u32)b->bus << 8 | bridges[b->upstream].bus;

    pci_write(b->cfg, REG_BUSES, value);
    return (pci_read(b->cfg, REG_BUSES) & 0xffffff) == value;
}

/* True if there's a bus behind it to look at. */
static bool open_bridge(struct bridge *b)
{
    struct bridge *up = &bridges[b->upstream];

    if (!b->kept && up->top == up->last) {
        log_warn("pci:%x:%x.%x: there's no number left for the bus behind it", b->id >> 8,
                 b->id >> 3 & 0x1f, b->id & 7);
        shut(b);
        return false;
    }
    if (!b->kept) {
        b->bus = b->top = (u8)(up->top + 1);
        b->last = b->kind == KIND_OTHER ? b->bus : up->last;
    }
    if (b->kind == KIND_OTHER || !set_numbers(b)) {
        shut(b);
    }
    return !b->shut;
}

/* Those numbers that weren't given are for its neighbours. */
static void close_numbers(struct bridge *b)
{
    struct bridge *up = &bridges[b->upstream];

    if (!b->kept) {
        b->last = b->top;
        up->top = (u8)MAX(up->top, b->top);
        if (!b->shut && !set_numbers(b)) {
            shut(b);
        }
    }
}

/* --- what is passed --------------------------------------------------------------------------- */

static void find_reset(struct pci_function *f)
{
    const struct bridge *up = &bridges[f->upstream];

    if (up->kind == KIND_PORT && up->functions == 1) {
        f->port = up->cfg;
    }
    if (f->express != 0 && (pci_read(f->cfg, f->express + EXPRESS_CAPS) & EXPRESS_FLR) != 0) {
        f->reset = PCI_RESET_FLR;
    } else if (f->af != 0 && (pci_read(f->cfg, f->af) & AF_FLR) == AF_FLR) {
        f->reset = PCI_RESET_AF;
    } else if (f->pm != 0 && (pci_read(f->cfg, f->pm + PM_STATUS) & PM_NO_SOFT_RESET) == 0) {
        f->reset = PCI_RESET_POWER;
    } else if (f->port != 0) {
        f->reset = PCI_RESET_PORT;
    }
}

/* What could be on of the extended capabilities that the guest doesn't see. */
static void turn_off(hpa_t cfg, u32 id, u32 control)
{
    u32 at = find_ext(cfg, id);

    if (at != 0 && at + control < CONFIG_END) {
        pci_write(cfg, at + control, 0);
    }
}

static void describe(struct pci_function *f)
{
    f->pm = find_cap(f->cfg, CAP_PM, PM_SIZE);
    f->msi = find_cap(f->cfg, CAP_MSI, MSI_SIZE);
    f->msix = find_cap(f->cfg, CAP_MSIX, MSIX_SIZE);
    f->express = find_cap(f->cfg, CAP_EXPRESS, EXPRESS_ENDPOINT);
    f->af = find_cap(f->cfg, CAP_AF, AF_SIZE);
    if (f->msi != 0) {
        u32 cap = pci_read(f->cfg, f->msi);

        f->msi_words = (u8)(3 + ((cap & MSI_64) != 0) + 2 * ((cap & MSI_MASK) != 0));
    }
    turn_off(f->cfg, EXT_ATS, ATS_CONTROL);
    turn_off(f->cfg, EXT_SRIOV, SRIOV_CONTROL);
    if (f->express != 0) {
        f->control = pci_read(f->cfg, f->express + EXPRESS_CONTROL) & CONTROL_KEPT;
    }
    find_reset(f);
    pci_write(f->cfg, REG_ROM, 0);
    f->refused = pci_place_bars(f->cfg, f->bar, BARS, bridges[f->upstream].wide);
}

/* Bridges may have registers in memory as well, which they decode when anything goes through. */
static void place_bridge(struct bridge *b)
{
    struct pci_bar bar[BRIDGE_BARS];

    pci_write(b->cfg, REG_BRIDGE_ROM, 0);
    if (pci_place_bars(b->cfg, bar, BRIDGE_BARS, bridges[b->upstream].wide) != NULL) {
        shut(b);
    }
}

static void place_bus(u32 up)
{
    for (u32 i = 0; i < nfunctions; i++) {
        if (functions[i].found && functions[i].upstream == up) {
            describe(&functions[i]);
        }
    }
    for (u32 i = bridges[up].first; i < bridges[up].end; i++) {
        place_bridge(&bridges[i]);
    }
}

/* --- the walk --------------------------------------------------------------------------------- */

static void enter(u32 n)
{
    struct bridge *b = &bridges[n];

    if (!pass_hw->map_device(config_of((u32)b->bus << 8), (u64)(DEVICES * FUNCTIONS) << 12)) {
        log_err("pci: no memory for tables, to look at bus %x", b->bus);
        b->shut = true;
        return;
    }
    scan_bus(n);
    keep_numbers(b);
    if (n != 0) {
        pci_window_begin(&b->window);
    }
    place_bus(n);
}

static void leave(struct bridge *b)
{
    close_numbers(b);
    if (!pci_window_end(b->cfg, &b->window, b->wide)) {
        shut(b);
    }
}

/* Depth first, as numbers are given. Each bridge is entered once at most. */
static void walk(void)
{
    u32 n = 0;

    enter(0);
    for (;;) {
        struct bridge *b = &bridges[n];

        if (b->next < b->end) {
            u32 child = b->next++;

            if (!bridges[child].shut && open_bridge(&bridges[child])) {
                enter(child);
                n = child;
            } else {
                close_numbers(&bridges[child]);
            }
        } else if (n != 0) {
            leave(b);
            n = b->upstream;
        } else {
            return;
        }
    }
}

/* --- who can be passed, and with whom --------------------------------------------------------- */

static const char shut_above[] = "a bridge above it can't be set up";

/* All that its requests and completions go through works. */
static void check_path(struct pci_function *f)
{
    for (u32 n = f->upstream; n != 0; n = bridges[n].upstream) {
        if (bridges[n].shut) {
            f->refused = shut_above;
        }
    }
    for (u32 n = f->upstream; n != 0 && f->refused == NULL; n = bridges[n].upstream) {
        bridges[n].used = true;
    }
}

static bool is_behind(const struct bridge *b, u32 bus)
{
    return b->bus > bridges[b->upstream].bus && bus >= b->bus && bus <= b->last;
}

/* Why no function was found under this id; NULL: there's none. */
static const char *absence(u16 id)
{
    for (u32 n = 1; n < nbridges; n++) {
        if (bridges[n].id == id) {
            return "it's a bridge";
        }
        if (bridges[n].kind == KIND_OTHER && is_behind(&bridges[n], id >> 8)) {
            return "it's behind a PCIe-to-PCI bridge, as which the SMMU sees all that is there";
        }
        if (bridges[n].shut && is_behind(&bridges[n], id >> 8)) {
            return shut_above;
        }
    }
    if (too_many) {
        return "there's no device, or it's behind more bridges than Muntin looks at";
    }
    return NULL;
}

u16 pci_group(u16 id)
{
    const struct pci_function *f = wanted(id);
    u16 group = id & 0xfff8;

    for (u32 n = f != NULL && f->found ? f->upstream : 0; n != 0; n = bridges[n].upstream) {
        if (!bridges[n].isolates) {
            group = bridges[n].id & 0xfff8;
        }
    }
    return group;
}

const struct pci_function *pci_find(u16 id)
{
    const struct pci_function *f = wanted(id);

    return f != NULL && f->found && f->refused == NULL ? f : NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

static void want(struct vm_config *const *vms, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vms[i]->pass.npci && vms[i]->errors == 0; k++) {
            u16 id = vms[i]->pass.pci[k].function;

            if (wanted(id) == NULL && nfunctions < PCI_FUNCTIONS) {
                functions[nfunctions++] = (struct pci_function){.id = id};
            }
        }
    }
}

static void tell(struct vm_config *vm, const struct cfg_pci *c, struct diag *d)
{
    const struct pci_function *f = wanted(c->function);
    const char *why = "there are more functions passed than Muntin has room for";
    u32 bus = c->function >> 8, device = c->function >> 3 & 0x1f;

    if (f != NULL) {
        why = f->found ? f->refused : absence(f->id);
    }
    if (f != NULL && !f->found && why == NULL) {
        diag_error(d, c->place, "there's no device at pci:%x:%x.%x", bus, device, c->function & 7);
        vm->errors++;
    } else if (why != NULL) {
        diag_error(d, c->place, "pci:%x:%x.%x can't be passed: %s", bus, device, c->function & 7,
                   why);
        vm->errors++;
    } else if (f->reset == PCI_RESET_NONE) {
        diag_warn(d, c->place,
                  "pci:%x:%x.%x can't be reset: when its VM starts anew, its bus mastering is off "
                  "and messages are, and all else is as the start before left it; its driver is "
                  "trusted to begin with a reset",
                  bus, device, c->function & 7);
    }
}

static void start_walk(const struct board *b)
{
    u32 last = b->pci.bus + b->pci.buses - 1;

    board = b;
    too_many = false;
    nbridges = 1;
    bridges[0] = (struct bridge){.kind = KIND_HOST,
                                 .bus = (u8)b->pci.bus,
                                 .top = (u8)b->pci.bus,
                                 .last = (u8)last,
                                 .isolates = true};
    pci_place_init(b);
    bridges[0].wide = pci_place_wide();
    walk();
}

void pci_scan(const struct board *b, struct vm_config *const *vms, u32 count, struct diag *d)
{
    nfunctions = 0;
    nbridges = 0;
    want(vms, count);
    if (nfunctions == 0) {
        return;
    }
    start_walk(b);
    for (u32 i = 0; i < nfunctions; i++) {
        if (functions[i].found) {
            check_path(&functions[i]);
        }
    }
    for (u32 n = 1; n < nbridges; n++) {
        pci_write(bridges[n].cfg, REG_COMMAND,
                  COMMAND_NO_INT | (bridges[n].used ? COMMAND_MEM | COMMAND_MASTER : 0));
    }
    for (u32 i = 0; i < count; i++) {
        bool clean = vms[i]->errors == 0;

        for (u32 k = 0; clean && k < vms[i]->pass.npci; k++) {
            tell(vms[i], &vms[i]->pass.pci[k], d);
        }
    }
}

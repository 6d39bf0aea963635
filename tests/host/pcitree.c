/* SPDX-License-Identifier: MIT */
/* See pcitree.h. */
#include "tests/host/pcitree.h"

#include "arch/host/arch.h"
#include "core/panic.h"
#include "core/pass.h"

#include <string.h>

#define ACCESS_NS 1000
#define RESET_NS  100000000ull

struct pcitree pcitree;

static u32 secondary(const struct pcitree_node *n)
{
    return n->reg[REG_BUSES / 4] >> 8 & 0xff;
}

static struct pcitree_node *parent_of(const struct pcitree_node *n)
{
    return n->parent < 0 ? NULL : &pcitree.node[n->parent];
}

static bool is_reset(const struct pcitree_node *port)
{
    return (port->reg[REG_BRIDGE / 4] & BRIDGE_RESET) != 0;
}

static u32 bus_of(const struct pcitree_node *n)
{
    return n->parent < 0 ? pcitree.board.pci.bus : secondary(&pcitree.node[n->parent]);
}

static bool answers(const struct pcitree_node *n, u32 devfn)
{
    return !n->gone && (n->devfn == devfn || (n->everywhere && devfn % 8 == 0));
}

/* Another answers in its place. */
static bool is_hidden(const struct pcitree_node *n)
{
    for (const struct pcitree_node *o = pcitree.node; o < n; o++) {
        if (o->parent == n->parent && answers(o, n->devfn)) {
            return true;
        }
    }
    return n->gone;
}

/* Configuration requests for this bus come as far as its own; a bridge has another behind it. */
static bool is_reached(const struct pcitree_node *n, u32 bus)
{
    for (const struct pcitree_node *p = parent_of(n); p != NULL; p = parent_of(p)) {
        if (is_hidden(p) || bus_of(p) == secondary(p) || bus < secondary(p) ||
            bus > (p->reg[REG_BUSES / 4] >> 16 & 0xff) || is_reset(p) ||
            (p->pm != 0 && (p->reg[p->pm / 4 + 1] & PM_STATE) != 0)) {
            return false;
        }
    }
    return true;
}

struct pcitree_node *pcitree_find(u32 id)
{
    for (u32 i = 0; i < pcitree.count; i++) {
        struct pcitree_node *n = &pcitree.node[i];

        if (answers(n, id & 0xff) && id >> 8 == bus_of(n) && is_reached(n, id >> 8)) {
            return n;
        }
    }
    return NULL;
}

static struct pcitree_node *target(hpa_t a)
{
    u64 offset = a - PCITREE_ECAM;

    pcitree.accesses++;
    host_now_ns += ACCESS_NS;
    assert(offset < (u64)pcitree.board.pci.buses << 20);
    return pcitree_find((u32)(offset >> 12) + (pcitree.board.pci.bus << 8));
}

/* The registers that a reset sets back: command, BARs, what can be written of the rest. */
static void reset(struct pcitree_node *n)
{
    n->resets++;
    for (u32 i = 1; i < 1024; i++) {
        n->reg[i] &= ~n->writable[i];
    }
}

static bool tree_read(hpa_t a, u32 size, u64 *value)
{
    struct pcitree_node *n = target(a);

    assert(size == 4 && a % 4 == 0);
    *value = n == NULL ? UINT32_MAX : n->reg[(a & 0xfff) / 4];
    assert(n == NULL || host_now_ns >= n->busy_until);
    return true;
}

static void link_reset(const struct pcitree_node *port)
{
    for (u32 i = 0; i < pcitree.count; i++) {
        if (parent_of(&pcitree.node[i]) == port) {
            reset(&pcitree.node[i]);
            pcitree.node[i].busy_until = host_now_ns + RESET_NS;
        }
    }
}

static void act(struct pcitree_node *n, u32 at, u32 before)
{
    if (n->flr != 0 && at == n->flr && (n->reg[at / 4] & CONTROL_FLR) != 0) {
        reset(n);
        n->busy_until = host_now_ns + RESET_NS;
    }
    if (n->pm != 0 && at == n->pm + PM_STATUS && (before & PM_STATE) == PM_D3 &&
        (n->reg[at / 4] & (PM_STATE | PM_NO_SOFT_RESET)) == 0) {
        reset(n);
    }
    if (n->is_bridge && at == REG_BRIDGE && (before & BRIDGE_RESET) != 0 && !is_reset(n)) {
        link_reset(n);
    }
}

static bool tree_write(hpa_t a, u32 size, u64 value)
{
    struct pcitree_node *n = target(a);
    u32 at = (u32)a & 0xfff, before;

    assert(size == 4 && a % 4 == 0);
    if (n != NULL) {
        assert(host_now_ns >= n->busy_until);
        before = n->reg[at / 4];
        n->reg[at / 4] = (before & ~n->writable[at / 4]) | ((u32)value & n->writable[at / 4]);
        act(n, at, before);
    }
    return true;
}

static bool map_device(hpa_t base, u64 size)
{
    assert(size == MIB && (base - PCITREE_ECAM) % MIB == 0);
    return pcitree.map_limit-- > 0;
}

static const struct pass_hw hw = {.map_device = map_device, .read = tree_read, .write = tree_write};

void pcitree_init(void)
{
    memset(&pcitree, 0, sizeof(pcitree));
    pcitree.map_limit = 256;
    pcitree.board.pci.ecam = (struct range){PCITREE_ECAM, 256ull * MIB};
    pcitree.board.pci.buses = 16;
    pcitree.board.pci.mem = (struct range){PCITREE_HOST, 0x10000000};
    pcitree.board.pci.mem_bus = PCITREE_BUS;
    pcitree.board.pci.mem64 = (struct range){PCITREE_HOST64, 0x10000000};
    pcitree.board.pci.mem64_bus = PCITREE_BUS64;
    pass_hw = &hw;
    host_tick_ns = ACCESS_NS;
}

static u32 add(int parent, u8 devfn, u32 id)
{
    struct pcitree_node *n = &pcitree.node[pcitree.count];

    assert(pcitree.count < PCITREE_NODES);
    memset(n, 0, sizeof(*n));
    n->parent = parent;
    n->devfn = devfn;
    n->reg[REG_ID / 4] = id;
    n->reg[REG_COMMAND / 4] = 0x00100007;
    n->writable[REG_COMMAND / 4] = 0x0547;
    n->reg[REG_HEADER / 4] = (devfn & 7) != 0 ? HEADER_MULTI : 0;
    n->writable[REG_BRIDGE / 4] = 0xff;
    return pcitree.count++;
}

u32 pcitree_card(int parent, u8 devfn, u32 id)
{
    u32 n = add(parent, devfn, id);

    pcitree.node[n].writable[REG_ROM / 4] = 0xfffff801;
    pcitree.node[n].reg[REG_ROM / 4] = 0x90000001;
    return n;
}

u32 pcitree_bridge(int parent, u8 devfn, u32 type, bool acs)
{
    static const u32 regs[] = {REG_BUSES, REG_PREF_BASE, REG_PREF_LIMIT};
    u32 i = add(parent, devfn, 0x000c1b36), at;
    struct pcitree_node *n = &pcitree.node[i];

    n->is_bridge = true;
    n->reg[REG_HEADER / 4] |= HEADER_BRIDGE;
    n->writable[REG_BRIDGE / 4] |= 0xffff0000;
    n->reg[REG_BRIDGE / 4] = 0x00080000; /* VGA */
    for (u32 k = 0; k < ARRAY_SIZE(regs); k++) {
        n->writable[regs[k] / 4] = UINT32_MAX;
    }
    n->writable[REG_MEM / 4] = n->writable[REG_PREF / 4] = WINDOW_BITS;
    n->reg[REG_PREF / 4] = 0x00010001;
    at = pcitree_cap(i, CAP_EXPRESS, EXPRESS_SIZE / 4);
    n->reg[at / 4] |= 2u << 16 | type << 20;
    n->reg[(at + EXPRESS_CONTROL2) / 4] = n->writable[(at + EXPRESS_CONTROL2) / 4] = CONTROL2_ARI;
    if (acs) {
        at = pcitree_ext(i, EXT_ACS, 2);
        n->reg[at / 4 + 1] = 0x7f;
        n->writable[at / 4 + 1] = 0x7f0000;
    }
    return i;
}

void pcitree_bar(u32 node, u32 n, u64 size, u32 type)
{
    struct pcitree_node *c = &pcitree.node[node];

    c->reg[4 + n] = type;
    c->writable[4 + n] = (u32) ~(size - 1) & ~BAR_TYPE;
    if ((type & BAR_64) != 0) {
        c->writable[4 + n + 1] = (u32)(~(size - 1) >> 32);
    }
}

u32 pcitree_cap(u32 node, u32 id, u32 words)
{
    struct pcitree_node *n = &pcitree.node[node];
    u32 at = n->caps == 0 ? 0x40 : n->caps;

    if (n->caps == 0) {
        n->reg[REG_CAPS / 4] = at;
    } else {
        n->reg[n->last_cap / 4] |= at << 8;
    }
    n->last_cap = at;
    n->caps = at + 4 * words;
    n->reg[at / 4] = id;
    return at;
}

u32 pcitree_ext(u32 node, u32 id, u32 words)
{
    struct pcitree_node *n = &pcitree.node[node];
    u32 at = n->exts == 0 ? LEGACY_END : n->exts;

    if (n->exts != 0) {
        n->reg[n->last_ext / 4] |= at << 20;
    }
    n->last_ext = at;
    n->exts = at + 4 * words;
    n->reg[at / 4] = id | 1u << 16;
    return at;
}

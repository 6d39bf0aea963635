/* SPDX-License-Identifier: MIT */
/*
 * PCIe buses with any bridges and cards, whose registers hold anything and keep any bits of what is
 * written: the scan and the resets come to an end, what is passed lies where the board's windows
 * and those of all bridges above say, apart from each other, and all else is off.
 */
#include "arch/host/arch.h"
#include "core/config.h"
#include "core/panic.h"
#include "core/pci.h"
#include "core/pci_reset.h"
#include "tests/fuzz/input.h"
#include "tests/host/pcitree.h"

#include <string.h>

#define NODES      24
#define POKES      64
#define WANTED     6 /* of a VM */
#define ACCESS_MAX 400000
#define STEPS_MAX  100
#define PLACES     0x19 /* devices 0 to 3, functions 0 and 1: so that some are met */

static struct vm_config config[2], *configs[] = {&config[0], &config[1]};

static void ignore(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    (void)text;
}

/* --- a tree ----------------------------------------------------------------------------------- */

static void add_card(struct input *in, int parent, u8 devfn)
{
    u32 n = pcitree_card(parent, devfn, 0x12345678), what = take(in, 1), at;
    struct pcitree_node *c = &pcitree.node[n];

    if ((what & 1) != 0) {
        at = pcitree_cap(n, CAP_EXPRESS, EXPRESS_ENDPOINT / 4) + EXPRESS_CONTROL;
        c->reg[at / 4 - 1] = (what & 2) != 0 ? EXPRESS_FLR : 0;
        c->writable[at / 4] = 0xffff;
        c->flr = (what & 2) != 0 ? at : 0;
    }
    if ((what & 4) != 0) {
        c->pm = pcitree_cap(n, CAP_PM, 2);
        c->reg[c->pm / 4 + 1] = what >> 4 & 0xb;
        c->writable[c->pm / 4 + 1] = PM_STATE;
    }
    for (u32 i = 0; i < BARS && (what & 8) != 0; i += 2) {
        u32 bar = take(in, 1);

        pcitree_bar(n, i, 1ull << (bar & 31), bar >> 4 & 0xe);
    }
}

static void build(struct input *in)
{
    u32 nodes = take(in, 1) % (NODES + 1);

    for (u32 i = 0; i < nodes; i++) {
        u32 what = take(in, 1), devfn = take(in, 1) & PLACES;
        int parent = (int)(take(in, 1) % (i + 1)) - 1;

        if ((what & 1) != 0) {
            add_card(in, parent, (u8)devfn);
        } else {
            u32 n = pcitree_bridge(parent, devfn & 0x18, what >> 4, (what & 2) != 0);

            pcitree.node[n].reg[REG_BUSES / 4] = take(in, 3);
        }
        if ((what & 0xd) == 0xd) { /* a bridge that did could not be told from several */
            pcitree.node[i].everywhere = true;
            pcitree.node[i].flr = 0; /* one reset of it at a time */
        }
    }
    for (u32 i = 0; i < POKES && in->p < in->end && nodes > 0; i++) {
        struct pcitree_node *n = &pcitree.node[take(in, 1) % nodes];
        u32 word = take(in, 2) % 1024;

        if (word != REG_ID / 4 || !n->is_bridge) { /* one that isn't there bridges nothing */
            n->reg[word] = take(in, 4);
            n->writable[word] = take(in, 4);
        }
    }
}

/* --- what must hold --------------------------------------------------------------------------- */

static bool within(u64 at, u64 size, u32 word, u64 base, u64 limit)
{
    return (word & 0xfff0) <= word >> 16 && at >= (base << 32 | (u64)(word & 0xfff0) << 16) &&
           at + size - 1 <= (limit << 32 | (word & 0xfff00000) | 0xfffff);
}

/* All bridges above let it through, and have numbers of their own. */
static void check_path(const struct pci_function *f, const struct pcitree_node *n)
{
    for (; n->parent >= 0; n = &pcitree.node[n->parent]) {
        const u32 *reg = pcitree.node[n->parent].reg;
        u32 buses = reg[REG_BUSES / 4];

        assert((buses & 0xff) < (buses >> 8 & 0xff) && (buses >> 8 & 0xff) <= (u32)f->id >> 8);
        assert((u32)f->id >> 8 <= (buses >> 16 & 0xff) && (buses >> 16 & 0xff) < 16);
        for (u32 i = 0; i < BARS; i++) {
            const struct pci_bar *b = &f->bar[i];

            assert(b->size == 0 || within(b->bus, b->size, reg[REG_MEM / 4], 0, 0) ||
                   within(b->bus, b->size, reg[REG_PREF / 4], reg[REG_PREF_BASE / 4],
                          reg[REG_PREF_LIMIT / 4]));
        }
    }
}

static void check_bar(const struct pci_bar *b)
{
    u64 whole = MAX(b->size, (u64)PAGE_SIZE);

    assert(is_pow2(b->size) && whole <= PCI_MEM_SIZE && b->bus % whole == 0);
    assert(b->host % PAGE_SIZE == 0);
    assert(range_within(b->host, whole, PCITREE_HOST, 0x10000000) ||
           range_within(b->host, whole, PCITREE_HOST64, 0x10000000));
}

static void check_apart(const struct pci_function *a, const struct pci_function *b)
{
    for (u32 i = 0; i < BARS; i++) {
        for (u32 k = 0; k < BARS; k++) {
            assert((a == b && i == k) ||
                   !range_overlap(a->bar[i].host, a->bar[i].size, b->bar[k].host, b->bar[k].size));
        }
    }
}

static void reset(const struct pci_function *f)
{
    struct pci_progress p = {0};
    u64 wait = 1;
    u32 steps = 0;

    while (wait != 0 && wait != PCI_RESET_FAILED) {
        wait = pci_reset_step(&p, &f, 1);
        assert(++steps < STEPS_MAX);
        host_now_ns += wait == PCI_RESET_FAILED ? 0 : wait;
    }
    host_now_ns += 1000000000;
}

/* A device of the root bus masters nothing and decodes nothing, as far as its command is one. */
static void check_off(const struct pcitree_node *n)
{
    u32 vendor = n == NULL ? 0 : n->reg[REG_ID / 4] & 0xffff;

    if (vendor > 1 && vendor != 0xffff && (n->reg[REG_HEADER / 4] & HEADER_TYPE) != HEADER_BRIDGE) {
        assert((n->reg[REG_COMMAND / 4] & n->writable[REG_COMMAND / 4] & 7) == 0);
    }
}

static void check(const struct pci_function *const *f, u32 count)
{
    assert(pcitree.accesses < ACCESS_MAX);
    for (u32 i = 0; i < count; i++) {
        const struct pcitree_node *n = pcitree_find(f[i]->id);

        assert(n != NULL && f[i]->cfg == PCITREE_ECAM + ((u64)f[i]->id << 12));
        check_path(f[i], n);
        for (u32 k = 0; k < BARS; k++) {
            assert(f[i]->bar[k].size == 0 || (check_bar(&f[i]->bar[k]), true));
        }
        for (u32 k = 0; k < i; k++) {
            check_apart(f[i], f[k]);
        }
        check_apart(f[i], f[i]);
    }
    for (u32 id = 0; id < 256; id += 8) {
        check_off(pcitree_find(id));
    }
}

/* Once each; how many. */
static u32 find_all(const struct pci_function **found)
{
    u32 count = 0;

    for (u32 i = 0; i < 2 * WANTED; i++) {
        const struct pci_function *f = pci_find(config[i % 2].pass.pci[i / 2].function);
        u32 k = 0;

        while (k < count && found[k] != f) {
            k++;
        }
        if (f != NULL && k == count) {
            found[count++] = f;
            (void)pci_group(f->id);
        }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    const struct pci_function *found[2 * WANTED];
    struct input in = {data, data + size};
    struct diag d = {.emit = ignore};
    u32 count;

    pcitree_init();
    memset(config, 0, sizeof(config));
    for (u32 i = 0; i < 2 * WANTED; i++) {
        u32 id = take(&in, 2);

        config[i % 2].pass.pci[i / 2].function = (u16)((id & 0xf00) | (id & PLACES));
        config[i % 2].pass.npci = i / 2 + 1;
    }
    build(&in);
    pci_scan(&pcitree.board, configs, 2, &d);
    count = find_all(found);
    check(found, count);
    for (u32 i = 0; i < count; i++) {
        reset(found[i]);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Looks up in the board's tree what a config passes, and tells what can be told. One walk for each
 * question: boot and host tool, no lock.
 */
#include "fdt/pass.h"

#include "core/log.h"
#include "fdt/pass_pci.h"

#include <string.h>

#include <libfdt.h>

#define LL(x) ((unsigned long long)(x))

#define FLAGS_EDGE 3u /* rising or falling, of the GIC's binding */

bool pass_translate(const struct vm_config *vm, const struct range *r, u64 *guest)
{
    for (u32 i = 0; i < vm->pass.nwindows; i++) {
        const struct cfg_window *w = &vm->pass.window[i];

        if (r->size != 0 && range_within(r->base, r->size, w->host, w->size)) {
            *guest = r->base - w->host + w->base;
            return true;
        }
    }
    return false;
}

bool pass_is_device(const struct vm_config *vm, const struct tree_node *n)
{
    struct range r;
    u64 guest;
    u32 i;

    if (n->parent == NULL || strcmp(n->parent->name, "reserved-memory") == 0 ||
        tree_lists(n->key[TREE_DEVICE_TYPE], "memory")) {
        return false;
    }
    for (i = 0; tree_reg(n, i, &r); i++) {
        if (!pass_translate(vm, &r, &guest)) {
            return false;
        }
    }
    return i > 0;
}

u32 pass_guest_intid(const struct vm_config *vm, u32 host)
{
    for (u32 i = 0; i < vm->pass.nirqs; i++) {
        if (vm->pass.irq[i].host == host) {
            return vm->pass.irq[i].intid;
        }
    }
    return 0;
}

u32 pass_intid(const struct board *b, const struct tree_node *n, u32 index, u32 *flags)
{
    struct tree_gic gic = {b->gic_phandle, b->gic_cells, b->gic_address_cells};
    struct tree_irqs irqs = tree_irqs(n);
    u32 intid = tree_intid(&irqs, index, &gic);

    if (intid != 0) {
        *flags = (u32)tree_cells(tree_irq(&irqs, index, &gic) + 8, 1);
    }
    return intid;
}

static bool listed(const char *name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(name, *list) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);

    return len >= n && strcmp(name + len - n, end) == 0;
}

enum pass_fate pass_fate(const char *property)
{
    static const char *const rewritten[] = {"reg",
                                            "interrupts",
                                            "interrupts-extended",
                                            "interrupt-parent",
                                            "interrupt-names",
                                            "phandle",
                                            "linux,phandle",
                                            "status",
                                            "clocks",
                                            "ranges",
                                            "dma-ranges",
                                            NULL};
    static const char *const nodes[] = {"phy-handle", "phy", NULL};
    static const char *const lost[] = {"resets",
                                       "reset-names",
                                       "power-domains",
                                       "power-domain-names",
                                       "dmas",
                                       "dma-names",
                                       "iommus",
                                       "iommu-map",
                                       "iommu-map-mask",
                                       "interconnects",
                                       "interconnect-names",
                                       "memory-region",
                                       "msi-parent",
                                       "msi-map",
                                       "msi-map-mask",
                                       "nvmem-cells",
                                       "nvmem-cell-names",
                                       "operating-points-v2",
                                       "phys",
                                       "phy-names",
                                       "mboxes",
                                       "mbox-names",
                                       "thermal-sensors",
                                       "gpios",
                                       "gpio-ranges",
                                       NULL};

    if (listed(property, rewritten)) {
        return PASS_REWRITE;
    }
    if (listed(property, nodes)) {
        return PASS_NODE;
    }
    if (listed(property, lost) || ends(property, "-supply") || ends(property, "-gpios") ||
        ends(property, "-gpio") || strncmp(property, "pinctrl-", 8) == 0 ||
        strncmp(property, "assigned-clock", 14) == 0) {
        return PASS_LOSE;
    }
    return PASS_KEEP;
}

int pass_offset(const struct board *b, const struct tree_node *n)
{
    const u8 *tag = (const u8 *)n->name - 4, *dtb = b->dtb;

    return (int)(tag - dtb - fdt_off_dt_struct(dtb));
}

/* A property of one cell of a node of the board's tree. */
static u32 cell_of(const struct board *b, int node, const char *name)
{
    int len;
    const u8 *value = fdt_getprop(b->dtb, node, name, &len);

    return value != NULL && len == 4 ? (u32)tree_cells(value, 1) : 0;
}

bool pass_clock(const struct board *b, const struct tree_node *n, u32 index, u32 *hz)
{
    int len, provider = 0;
    const u8 *list = fdt_getprop(b->dtb, pass_offset(b, n), "clocks", &len);
    u32 at = 0;

    for (u32 i = 0; i <= index; i++) {
        if (list == NULL || at + 4 > (u32)len) {
            return false;
        }
        provider = fdt_node_offset_by_phandle(b->dtb, (u32)tree_cells(list + at, 1));
        if (provider < 0) {
            return false;
        }
        at += 4 + 4 * MIN(cell_of(b, provider, "#clock-cells"), 8u);
    }
    *hz = cell_of(b, provider, "clock-frequency");
    return true;
}

/* --- checks ------------------------------------------------------------------------------------
 */

struct check {
    struct vm_config *vm;
    const struct board *b;
    struct diag *d;
    const struct tree *tree;
    u32 windows, irqs; /* bit n: the tree knows the n-th of the config */
    bool identity;
};

/* Whoever has one of these reaches more than his own. */
static bool is_forbidden(const struct tree_node *n)
{
    static const char *const list[] = {"arm,gic-v3-its", "arm,gic-v2m-frame", "arm,smmu-v3",
                                       "arm,smmu-v2",    "arm,smmu-v1",       "arm,mmu-500",
                                       "arm,mmu-401",    "arm,mmu-400"};

    for (u32 i = 0; i < ARRAY_SIZE(list); i++) {
        if (tree_lists(n->key[TREE_COMPATIBLE], list[i])) {
            return true;
        }
    }
    return false;
}

/* A node with registers in [r->base, …), of which a window has all or a part. */
static void look_at_range(struct check *c, const struct tree_node *n, const struct range *r)
{
    for (u32 i = 0; i < c->vm->pass.nwindows; i++) {
        const struct cfg_window *w = &c->vm->pass.window[i];

        if (!range_overlap(r->base, r->size, w->host, w->size)) {
            continue;
        }
        c->windows |= BIT(i);
        if (is_forbidden(n)) {
            diag_error(c->d, w->place, "%s can't be passed: who has it is not confined to his VM",
                       n->name);
        } else if (!range_within(r->base, r->size, w->host, w->size)) {
            diag_warn(c->d, w->place,
                      "only a part of %s, 0x%llx bytes at 0x%llx: its node is not in the guest's "
                      "tree",
                      n->name, LL(r->size), LL(r->base));
        }
    }
}

/* Where the config passes it: the window that has its first registers. */
static struct place place_of(const struct check *c, const struct range *r)
{
    for (u32 i = 0; i < c->vm->pass.nwindows; i++) {
        const struct cfg_window *w = &c->vm->pass.window[i];

        if (range_within(r->base, r->size, w->host, w->size)) {
            return w->place;
        }
    }
    return c->vm->place;
}

static bool is_shared(const struct vm_config *vm, const struct range *r)
{
    for (u32 i = 0; i < vm->pass.nwindows; i++) {
        const struct cfg_window *w = &vm->pass.window[i];

        if (w->shared && range_overlap(r->base, r->size, w->host, w->size)) {
            return true;
        }
    }
    return false;
}

static const struct pass_quiet *find_quiet(const struct tree_node *n)
{
    struct tree_value list = n->key[TREE_COMPATIBLE];
    const char *s;

    while ((s = tree_text(list)) != NULL) {
        u32 len = (u32)strlen(s) + 1;
        const struct pass_quiet *q = pass_quiet_find(s);

        if (q != NULL) {
            return q;
        }
        list.data += len;
        list.len -= len;
    }
    return NULL;
}

/* All that quiet() of core/pass.c writes has to lie in the device itself. */
static bool fits(const struct pass_quiet *q, const struct range *r)
{
    for (u32 i = 0; i < q->count; i++) {
        if (q->step[i].offset + 4u > r->size) {
            return false;
        }
    }
    return true;
}

static void check_quiet(struct check *c, const struct tree_node *n, const struct range *r)
{
    const struct pass_quiet *q = find_quiet(n);
    struct cfg_pass *p = &c->vm->pass;

    if (is_shared(c->vm, r)) {
        return; /* another VM may be using it */
    }
    if (q == NULL || !fits(q, r) || p->ndevs == CFG_PASS_DEVS) {
        diag_note(c->d, place_of(c, r),
                  "%s: Muntin doesn't know how to stop this device: when its VM stops or restarts, "
                  "its interrupts are masked, no more",
                  n->name);
        return;
    }
    p->dev[p->ndevs++] = (struct cfg_pass_dev){r->base, q};
}

static void check_dma(struct check *c, const struct tree_node *n, const struct range *r)
{
    const struct pass_quiet *q = find_quiet(n);
    int at = pass_offset(c->b, n);
    bool dma = (q != NULL && q->dma) || fdt_getprop(c->b->dtb, at, "iommus", NULL) != NULL ||
               fdt_getprop(c->b->dtb, at, "dma-coherent", NULL) != NULL;

    if (dma && !pass_streams(c->vm, c->b, c->tree, n) && !c->identity) {
        diag_warn(c->d, place_of(c, r),
                  "%s reads and writes memory by itself, at addresses of the board: it works with "
                  "`ram identity` only, and without it, too, reaches all of memory",
                  n->name);
    }
}

/* One message with the names of all that is lost. */
static void tell_losses(struct check *c, const struct tree_node *n, struct place place)
{
    char text[200] = "";
    size_t len = 0;
    int at, node = pass_offset(c->b, n);
    u32 hz;

    fdt_for_each_property_offset(at, c->b->dtb, node)
    {
        const char *name = NULL;

        (void)!fdt_getprop_by_offset(c->b->dtb, at, &name, NULL);
        if (name != NULL && pass_fate(name) == PASS_LOSE && len < sizeof(text)) {
            len += (size_t)fmt_print(text + len, sizeof(text) - len, " %s", name);
        }
    }
    if (len > 0) {
        diag_note(c->d, place, "%s: left out of the guest's tree:%s", n->name, text);
    }
    for (u32 i = 0; i < PASS_SPECS && pass_clock(c->b, n, i, &hz); i++) {
        if (hz == 0) {
            diag_note(c->d, place,
                      "%s: the rate of clock %u is not in the board's tree: the guest "
                      "is told 24 MHz",
                      n->name, i);
        }
    }
}

/* What of its interrupts the config passes. */
static void look_at_irqs(struct check *c, const struct tree_node *n, bool passed)
{
    struct range r = {0};
    u32 flags, intid;

    for (u32 i = 0; i < PASS_SPECS && (intid = pass_intid(c->b, n, i, &flags)) != 0; i++) {
        bool found = false;

        for (u32 k = 0; k < c->vm->pass.nirqs; k++) {
            struct cfg_pass_irq *irq = &c->vm->pass.irq[k];

            if (irq->host == intid) {
                found = true;
                c->irqs |= BIT(k);
                irq->edge = (flags & FLAGS_EDGE) != 0;
                if (!passed) {
                    diag_warn(c->d, irq->place, "INTID %u is that of %s, which is not passed",
                              intid, n->name);
                }
            }
        }
        if (passed && !found && tree_reg(n, 0, &r)) {
            diag_note(c->d, place_of(c, &r), "%s: its interrupt, INTID %u, is not passed", n->name,
                      intid);
        }
    }
}

static void look_at_node(struct check *c, const struct tree_node *n)
{
    bool passed = pass_is_device(c->vm, n);
    struct range r;

    if (tree_lists(n->key[TREE_DEVICE_TYPE], "memory")) {
        return;
    }
    for (u32 i = 0; tree_reg(n, i, &r); i++) {
        look_at_range(c, n, &r);
    }
    look_at_irqs(c, n, passed);
    if (passed && tree_reg(n, 0, &r)) {
        check_quiet(c, n, &r);
        check_dma(c, n, &r);
        tell_losses(c, n, place_of(c, &r));
    }
}

static void tell_unknown(struct check *c)
{
    const struct cfg_pass *p = &c->vm->pass;

    for (u32 i = 0; i < p->nwindows; i++) {
        if ((c->windows & BIT(i)) == 0) {
            diag_warn(c->d, p->window[i].place,
                      "the board's tree has nothing at 0x%llx, 0x%llx bytes: is the address right?",
                      LL(p->window[i].host), LL(p->window[i].size));
        }
    }
    for (u32 i = 0; i < p->nirqs; i++) {
        if ((c->irqs & BIT(i)) == 0) {
            diag_warn(c->d, p->irq[i].place,
                      "no device in the board's tree has INTID %u: taken as level-triggered",
                      p->irq[i].host);
        }
    }
}

void fdt_pass_check(struct vm_config *vm, const struct board *b, struct diag *d)
{
    struct check c = {.vm = vm, .b = b, .d = d};
    u32 before = d->errors;
    const struct tree_node *n;
    struct tree_walk w;
    struct tree tree;

    if (b->dtb == NULL || vm->pass.nwindows + vm->pass.nirqs + vm->pass.npci == 0 ||
        vm->errors != 0 || !tree_open(&tree, b->dtb, b->dtb_size)) {
        return;
    }
    for (u32 i = 0; i < vm->nmems; i++) {
        c.identity |= vm->mem[i].identity;
    }
    c.tree = &tree;
    vm->pass.ndevs = 0;
    vm->pass.nstreams = 0;
    for (tree_start(&w, &tree); (n = tree_next(&w)) != NULL;) {
        look_at_node(&c, n);
        pass_pci_look(vm, b, &tree, n, d);
    }
    tell_unknown(&c);
    for (u32 i = 0; i < vm->pass.npci; i++) {
        if (!vm->pass.pci[i].known) {
            diag_error(d, vm->pass.pci[i].place,
                       "the board's PCIe host bridge doesn't say what its "
                       "functions are called by the SMMU and the ITS");
        }
    }
    vm->errors += d->errors - before;
}

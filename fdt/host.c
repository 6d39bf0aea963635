/* SPDX-License-Identifier: MIT */
/*
 * The board's device tree to struct board, in one pass: each node is matched by its compatible or
 * its place; what needs another node (interrupts the GIC, the UART /chosen and /aliases) is noted
 * and settled at the end. Knows bindings, no drivers. Boot only, one CPU: no lock.
 */
#include "fdt/host.h"

#include "fdt/host_pci.h"
#include "fdt/host_uart.h"
#include "fdt/tree.h"

#include <string.h>

#define MPIDR_AFFINITY 0xff00ffffffull
#define GICV2_MAINT    25 /* wired so in GIC-400, Cortex-A15 and A7 (their TRMs) */

/* PSCI 1.1 §5.1; CPU_ON takes 64-bit arguments where addresses have 64 bits. */
enum {
    PSCI_CPU_ON_32 = (int)0x84000003,
    PSCI_CPU_ON_64 = (int)0xc4000003,
    PSCI_SYSTEM_OFF = (int)0x84000008,
    PSCI_SYSTEM_RESET = (int)0x84000009,
};

struct host {
    struct board *b;
    struct tree tree;
    struct tree_gic gic;
    struct tree_irqs gic_irqs, timer_irqs, smmu_irqs;
    int smmu_event; /* index in them; negative: none */
    struct tree_value timer_names;
    struct host_uarts uarts;
};

static void copy_text(char *dst, size_t size, struct tree_value v)
{
    size_t len = v.data != NULL ? strnlen((const char *)v.data, v.len) : 0;

    len = MIN(len, size - 1);
    if (len > 0) {
        memcpy(dst, v.data, len);
    }
    dst[len] = '\0';
}

/* --- memory --- */

static void add_ram(struct board *b, struct range r)
{
    u64 start, end;

    if (r.base > UINT64_MAX - PAGE_SIZE) {
        return;
    }
    start = ALIGN_UP(r.base, (u64)PAGE_SIZE);
    end = ALIGN_DOWN(r.base + r.size, (u64)PAGE_SIZE);
    if (start < end && b->nram < BOARD_RANGES) {
        b->ram[b->nram++] = (struct range){start, end - start};
    } else if (start < end) {
        b->ram_left += end - start;
    }
}

/* How much larger a range gets that has to cover r as well. */
static u64 growth(struct range have, struct range r)
{
    u64 start = MIN(have.base, r.base), end = MAX(have.base + have.size, r.base + r.size);

    return end - start - have.size;
}

/*
 * Adds a range to a list, to one that it touches if there is such. Forgetting one would hand out
 * memory that is in use, so when there's no room for one more, the range that grows least is made
 * to cover it, along with what lies between. Returns what covers it.
 */
static struct range add_range(struct range *list, u32 *n, struct range r)
{
    struct range *best = list;
    u64 end;

    for (u32 i = 1; i < *n; i++) {
        if (growth(list[i], r) < growth(*best, r)) {
            best = &list[i];
        }
    }
    if (*n == 0 || (*n < BOARD_RANGES && growth(*best, r) > r.size)) {
        list[(*n)++] = r;
        return r;
    }
    end = MAX(best->base + best->size, r.base + r.size);
    best->base = MIN(best->base, r.base);
    best->size = end - best->base;
    return *best;
}

static void add_reserved(struct board *b, u64 base, u64 size, bool nomap)
{
    u64 last = base + size - 1;
    struct range r;

    if (size == 0 || last < base) {
        return;
    }
    r.base = ALIGN_DOWN(base, (u64)PAGE_SIZE);
    r.size = MIN(last | (PAGE_SIZE - 1), UINT64_MAX - PAGE_SIZE) + 1 - r.base;
    if (nomap) {
        r = add_range(b->nomap, &b->nnomap, r);
    }
    (void)add_range(b->reserved, &b->nreserved, r);
}

static void read_memory(struct host *h, const struct tree_node *n)
{
    struct range r;

    for (u32 i = 0; tree_reg(n, i, &r); i++) {
        add_ram(h->b, r);
    }
}

static void read_reserved(struct host *h, const struct tree_node *n)
{
    bool nomap = tree_get(&h->tree, n, "no-map").data != NULL;
    struct range r;

    for (u32 i = 0; tree_reg(n, i, &r); i++) {
        add_reserved(h->b, r.base, r.size, nomap);
    }
}

static void read_reserve_block(struct host *h)
{
    u64 base, size;

    for (u32 i = 0; tree_reserve(&h->tree, i, &base, &size); i++) {
        add_reserved(h->b, base, size, false);
    }
}

/* --- CPUs and firmware --- */

static void read_cpu(struct host *h, const struct tree_node *n)
{
    struct board *b = h->b;
    u32 cells = tree_address_cells(n->parent);
    struct tree_value reg = n->key[TREE_REG];

    if (b->cpu_compatible[0] == '\0') {
        copy_text(b->cpu_compatible, sizeof(b->cpu_compatible), n->key[TREE_COMPATIBLE]);
    }
    if (cells < 1 || cells > 2 || reg.len < 4 * cells) {
        return;
    }
    if (b->ncpus == PCPU_MAX) {
        b->more_cpus++;
        return;
    }
    b->cpu_mpidr[b->ncpus] = tree_cells(reg.data, cells) & MPIDR_AFFINITY;
    if (tree_lists(tree_get(&h->tree, n, "enable-method"), "spin-table")) {
        b->cpu_release[b->ncpus] = tree_number(tree_get(&h->tree, n, "cpu-release-addr"));
    }
    b->ncpus++;
}

/* Versatile Express' system registers (DUI 0447): SYS_FLAGSSET, then SYS_FLAGSCLR. */
static void read_sysreg(struct host *h, const struct tree_node *n, u32 flags)
{
    struct range r;

    if (tree_reg(n, 0, &r) && r.size >= flags + 8) {
        h->b->cpu_flags = r.base + flags;
    }
}

/* CPUs without a way to start of their own, neither by PSCI: they look there. */
static void settle_cpus(struct board *b)
{
    if (b->psci != CONDUIT_NONE) {
        b->cpu_flags = 0;
    }
    for (u32 i = 0; i < b->ncpus; i++) {
        if (b->cpu_release[i] == 0) {
            b->cpu_release[i] = b->cpu_flags;
        }
    }
}

static void read_psci(struct host *h, const struct tree_node *n, u32 version)
{
    struct board *b = h->b;
    struct tree_value method = tree_get(&h->tree, n, "method");

    if (b->psci != CONDUIT_NONE) {
        return;
    }
    if (tree_lists(method, "smc")) {
        b->psci = CONDUIT_SMC;
    } else if (tree_lists(method, "hvc")) {
        b->psci = CONDUIT_HVC;
    } else {
        return;
    }
    if (version == 1) {
        b->psci_cpu_on = (u32)tree_number(tree_get(&h->tree, n, "cpu_on"));
        b->psci_off = (u32)tree_number(tree_get(&h->tree, n, "system_off"));
        b->psci_reset = (u32)tree_number(tree_get(&h->tree, n, "system_reset"));
        return;
    }
    b->psci_cpu_on = sizeof(uintptr_t) == 8 ? (u32)PSCI_CPU_ON_64 : (u32)PSCI_CPU_ON_32;
    b->psci_off = (u32)PSCI_SYSTEM_OFF;
    b->psci_reset = (u32)PSCI_SYSTEM_RESET;
}

/* --- interrupt controller and timer --- */

/* A window that isn't in the tree stays zero: GICH and GICV of boards without virtualization. */
static void read_window(const struct tree_node *n, u32 index, struct range *out)
{
    struct range r;

    if (tree_reg(n, index, &r)) {
        *out = r;
    }
}

static void read_gic_windows(struct host *h, const struct tree_node *n, u32 version)
{
    struct board *b = h->b;
    struct tree_value count = tree_get(&h->tree, n, "#redistributor-regions");
    u32 at = 1, regions = 0;

    read_window(n, 0, &b->gicd);
    if (version == 3) {
        regions = count.data != NULL ? (u32)tree_number(count) : 1;
        regions = MIN(regions, ARRAY_SIZE(b->gicr));
        while (b->ngicr < regions && tree_reg(n, at, &b->gicr[b->ngicr])) {
            b->ngicr++;
            at++;
        }
        b->gicr_stride = tree_number(tree_get(&h->tree, n, "redistributor-stride"));
        at = 1 + (count.data != NULL ? (u32)tree_number(count) : 1);
    }
    read_window(n, at, &b->gicc);
    read_window(n, at + 1, &b->gich);
    read_window(n, at + 2, &b->gicv);
}

static void read_gic(struct host *h, const struct tree_node *n, u32 version)
{
    if (h->b->gic_version != 0) {
        return;
    }
    h->b->gic_version = version;
    h->gic.phandle = (u32)tree_number(n->key[TREE_PHANDLE]);
    h->gic.cells = (u32)tree_number(n->key[TREE_INTERRUPT_CELLS]);
    h->gic.address_cells = (u32)tree_number(n->key[TREE_ADDRESS_CELLS]); /* none: no address */
    h->b->gic_phandle = h->gic.phandle;
    h->b->gic_cells = h->gic.cells;
    h->b->gic_address_cells = h->gic.address_cells;
    h->gic_irqs = tree_irqs(n);
    read_gic_windows(h, n, version);
}

/* The GIC's own interrupt is one of its own, whatever phandle the tree inherits. */
static void settle_gic(struct host *h)
{
    struct tree_gic gic = h->gic;

    if (!h->gic_irqs.extended) {
        gic.phandle = h->gic_irqs.parent;
    }
    h->b->gic_maint_intid = tree_intid(&h->gic_irqs, 0, &gic);
    if (h->b->gic_maint_intid == 0 && h->b->gic_version == 2) {
        h->b->gic_maint_intid = GICV2_MAINT; /* none of OMAP5's trees has it */
    }
}

static void read_timer(struct host *h, const struct tree_node *n, u32 arg)
{
    (void)arg;
    if (h->timer_irqs.spec.data == NULL) {
        h->timer_irqs = tree_irqs(n);
        h->timer_names = tree_get(&h->tree, n, "interrupt-names");
    }
}

/* Without names the order is fixed; with them it's theirs (arm,arch_timer binding). */
static void settle_timer(struct host *h)
{
    static const char *const names[] = {"sec-phys", "phys", "virt", "hyp-phys"};

    for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
        int at = h->timer_names.data != NULL ? tree_position(h->timer_names, names[i]) : (int)i;

        if (at >= 0) {
            h->b->timer_intid[i] = tree_intid(&h->timer_irqs, (u32)at, &h->gic);
        }
    }
}

/* --- the rest --- */

static void read_chosen(struct host *h, const struct tree_node *n)
{
    struct board *b = h->b;
    u64 start = tree_number(tree_get(&h->tree, n, "linux,initrd-start"));
    u64 end = tree_number(tree_get(&h->tree, n, "linux,initrd-end"));
    struct tree_value seed = tree_get(&h->tree, n, "rng-seed");

    if (end > start) {
        b->initrd = (struct range){start, end - start};
    }
    copy_text(b->bootargs, sizeof(b->bootargs), tree_get(&h->tree, n, "bootargs"));
    b->rng_seed = seed.data;
    b->rng_seed_len = seed.data != NULL ? seed.len : 0;
    host_uart_chosen(&h->uarts, &h->tree, n);
}

static void read_fw_cfg(struct host *h, const struct tree_node *n, u32 arg)
{
    (void)arg;
    read_window(n, 0, &h->b->fw_cfg);
}

static void read_rtc(struct host *h, const struct tree_node *n, u32 arg)
{
    (void)arg;
    if (h->b->rtc.size == 0) {
        read_window(n, 0, &h->b->rtc);
    }
}

static void read_pci(struct host *h, const struct tree_node *n, u32 arg)
{
    (void)arg;
    host_pci(h->b, &h->tree, n);
}

static void read_smmu(struct host *h, const struct tree_node *n, u32 arg)
{
    (void)arg;
    if (h->b->smmu.reg.size == 0) {
        host_smmu(h->b, &h->tree, n, &h->smmu_event);
        h->smmu_irqs = tree_irqs(n);
    }
}

static void settle_smmu(struct host *h)
{
    const struct tree_irqs *irqs = &h->smmu_irqs;

    if (h->b->smmu.reg.size != 0 && h->smmu_event >= 0) {
        h->b->smmu.intid = tree_intid(irqs, (u32)h->smmu_event, &h->gic);
    }
}

static void read_its(struct host *h, const struct tree_node *n, u32 arg)
{
    (void)arg;
    host_its(h->b, n);
}

static const struct match {
    const char *compatible;
    void (*read)(struct host *h, const struct tree_node *n, u32 arg);
    u32 arg;
} matches[] = {
    {"arm,psci-1.0", read_psci, 2},
    {"arm,psci-0.2", read_psci, 2},
    {"arm,psci", read_psci, 1},
    {"arm,gic-v3", read_gic, 3},
    {"arm,gic-400", read_gic, 2},
    {"arm,cortex-a15-gic", read_gic, 2},
    {"arm,cortex-a7-gic", read_gic, 2},
    {"brcm,brahma-b15-gic", read_gic, 2},
    {"arm,armv8-timer", read_timer, 0},
    {"arm,armv7-timer", read_timer, 0},
    {"pci-host-ecam-generic", read_pci, 0},
    {"arm,smmu-v3", read_smmu, 0},
    {"arm,gic-v3-its", read_its, 0},
    {"arm,vexpress-sysreg", read_sysreg, 0x30},
    {"qemu,fw-cfg-mmio", read_fw_cfg, 0},
    {"arm,pl031", read_rtc, 0},
};

/* By the first of the node's compatibles, the most specific one, that is known. */
static void read_device(struct host *h, const struct tree_node *n)
{
    struct tree_value list = n->key[TREE_COMPATIBLE];
    const char *s;

    while ((s = tree_text(list)) != NULL) {
        u32 len = (u32)strlen(s) + 1;

        for (u32 i = 0; i < ARRAY_SIZE(matches); i++) {
            if (strcmp(s, matches[i].compatible) == 0) {
                matches[i].read(h, n, matches[i].arg);
                return;
            }
        }
        if (host_uart(&h->uarts, &h->tree, n, s)) {
            return;
        }
        list.data += len;
        list.len -= len;
    }
}

static void read_node(struct host *h, const struct tree_node *n)
{
    const char *above = n->depth == 2 ? n->parent->name : "";

    if (n->depth == 0) {
        copy_text(h->b->model, sizeof(h->b->model), tree_get(&h->tree, n, "model"));
    } else if (n->disabled) {
        return;
    } else if (n->depth == 1 && strcmp(n->name, "chosen") == 0) {
        read_chosen(h, n);
    } else if (n->depth == 1 && strcmp(n->name, "aliases") == 0) {
        h->uarts.aliases = *n;
    } else if (strcmp(above, "reserved-memory") == 0) {
        read_reserved(h, n);
    } else if (tree_lists(n->key[TREE_DEVICE_TYPE], "memory")) {
        read_memory(h, n);
    } else if (strcmp(above, "cpus") == 0 && tree_lists(n->key[TREE_DEVICE_TYPE], "cpu")) {
        read_cpu(h, n);
    } else {
        read_device(h, n);
    }
}

u32 fdt_host_probe(const void *p)
{
    return tree_probe(p);
}

bool fdt_host_read(const void *dtb, struct board *b)
{
    struct host h = {.b = b};
    struct tree_walk w;
    const struct tree_node *n;

    memset(b, 0, sizeof(*b));
    if (!tree_open(&h.tree, dtb, tree_probe(dtb))) {
        return false;
    }
    b->dtb = dtb;
    b->dtb_size = h.tree.size;
    read_reserve_block(&h);
    for (tree_start(&w, &h.tree); (n = tree_next(&w)) != NULL;) {
        read_node(&h, n);
    }
    if (w.bad) {
        return false;
    }
    settle_cpus(b);
    settle_gic(&h);
    settle_timer(&h);
    host_uart_settle(b, &h.uarts, &h.tree, &h.gic);
    settle_smmu(&h);
    return true;
}

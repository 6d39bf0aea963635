/* SPDX-License-Identifier: MIT */
/*
 * Writes the guest's tree. The machine is QEMU's virt board as far as guests can tell, so names and
 * values follow it where a guest may look; devices are in /vdevs, in the order of the config. What
 * a device's node says is its type's data: no device is known here by more than its compatible.
 * Bindings: Devicetree Specification 0.4; Linux's for psci, timer, GIC. No lock.
 */
#include "fdt/gen.h"

#include "core/log.h"
#include "core/pci.h"
#include "fdt/gen_pass.h"
#include "fdt/gen_write.h"
#include "fdt/symbols.h"

#include <string.h>

#include <libfdt.h>

enum {
    GIC_SPI = 0,
    GIC_PPI = 1,
    IRQ_EDGE = 1,
    IRQ_LEVEL = 4,

    PPI_TIMER_SECURE = 13,
    PPI_TIMER_PHYSICAL = 14,
    PPI_TIMER_VIRTUAL = 11,
    PPI_TIMER_HYP = 10,

    GICV2_GICD_SIZE = 0x1000,
    GICV2_GICC_SIZE = 0x2000, /* less, and Linux doesn't use GICC_DIR */
    GICV3_GICD_SIZE = 0x10000,
    GICV3_GICR_SIZE = 0x20000, /* of one CPU */

    CLOCK_HZ = 24000000,
    GPIO_ACTIVE_HIGH = 0,
};

/* --- devices --- */

static bool is_compatible(const struct vdev_type *type, const char *want)
{
    const char *s = type->compatible;
    u32 left = type->compatible_len;

    while (left > 0) {
        u32 len = (u32)strnlen(s, left);

        if (len < left && strcmp(s, want) == 0) {
            return true;
        }
        len = MIN(len + 1, left);
        s += len;
        left -= len;
    }
    return false;
}

bool gen_is_uart(const struct vdev_conf *conf)
{
    return is_compatible(conf->type, "arm,pl011");
}

static bool has_clocks(const struct vdev_type *type)
{
    for (const struct vdev_prop *p = type->props; p != NULL && p->name != NULL; p++) {
        if (p->kind == PROP_CLOCKS || p->kind == PROP_OWN_CLOCK) {
            return true;
        }
    }
    return false;
}

void gen_vdev_path(const struct vdev_conf *conf, char *buf)
{
    fmt_print(buf, GEN_PATH, "/vdevs/%s@%llx", conf->type->node, (unsigned long long)conf->loc);
}

u32 gen_vdev_reg(const struct gen_input *in, const struct vdev_conf *conf, u8 *value)
{
    struct value v = {.len = 0};

    put_reg(in, &v, conf->loc, conf->type->mmio_size);
    if (conf->window != 0) {
        put_reg(in, &v, conf->window, conf->window_size);
    }
    memcpy(value, v.data, v.len);
    return v.len;
}

u32 gen_vdev_interrupts(const struct vdev_conf *conf, u8 *value)
{
    struct value v = {.len = 0};

    if (conf->intid < 32) {
        return 0;
    }
    put(&v, 1, GIC_SPI);
    put(&v, 1, conf->intid - 32);
    put(&v, 1, conf->type->level ? IRQ_LEVEL : IRQ_EDGE);
    memcpy(value, v.data, v.len);
    return v.len;
}

/* Each vdev has two phandles: its own, and its companion's. */
static u32 vdev_phandle(const struct gen *g, const struct vdev_conf *conf)
{
    return g->in->free_phandle + 2 * (u32)(conf - g->in->vm->vdev);
}

/* Each of the named clocks is the one clock that there is, but for the device's own. */
static void gen_clocks(struct gen *g, const struct vdev_conf *conf, const struct vdev_prop *p)
{
    static const char pl011[] = "uartclk\0apb_pclk";
    const char *names = p->str != NULL ? p->str : pl011;
    u32 len = p->str != NULL ? p->value : (u32)sizeof(pl011);
    bool own = p->kind == PROP_OWN_CLOCK;
    struct value v = {.len = 0};

    for (u32 i = 0; i < len; i++) {
        if (names[i] == '\0') {
            put(&v, 1, own ? vdev_phandle(g, conf) + 1 : g->in->clock_phandle);
            own = false;
        }
    }
    prop_value(g, p->name, &v);
    prop(g, "clock-names", names, len);
}

static u32 opt_u32(const struct vdev_conf *conf, u32 offset)
{
    u32 value;

    memcpy(&value, (const char *)conf->opts + offset, sizeof(value));
    return value;
}

static void gen_gpio(struct gen *g, const struct vdev_conf *conf, const struct vdev_prop *p)
{
    struct value v = {.len = 0};

    put(&v, 1, vdev_phandle(g, conf));
    put(&v, 1, opt_u32(conf, p->value));
    put(&v, 1, GPIO_ACTIVE_HIGH);
    prop_value(g, p->name, &v);
}

static void gen_prop(struct gen *g, const struct vdev_conf *conf, const struct vdev_prop *p)
{
    switch (p->kind) {
    case PROP_EMPTY:
        prop(g, p->name, NULL, 0);
        break;
    case PROP_U32:
        prop_number(g, p->name, 1, p->value);
        break;
    case PROP_OPT_U32:
        prop_number(g, p->name, 1, opt_u32(conf, p->value));
        break;
    case PROP_STR:
        prop(g, p->name, p->str, p->value);
        break;
    case PROP_CLOCKS:
    case PROP_OWN_CLOCK:
        gen_clocks(g, conf, p);
        break;
    case PROP_GPIO:
        gen_gpio(g, conf, p);
        break;
    }
}

static void gen_props(struct gen *g, const struct vdev_conf *conf, const struct vdev_prop *p)
{
    for (; p != NULL && p->name != NULL; p++) {
        gen_prop(g, conf, p);
    }
}

static void gen_companion(struct gen *g, const struct vdev_conf *conf)
{
    const struct vdev_companion *c = conf->type->companion;
    char name[GEN_PATH];

    if (c == NULL || (c->wanted != NULL && !c->wanted(conf->opts))) {
        return;
    }
    fmt_print(name, sizeof(name), "%s-%llx", c->node, (unsigned long long)conf->loc);
    node(g, name);
    gen_props(g, conf, c->props);
    prop_number(g, "phandle", 1, vdev_phandle(g, conf) + 1);
    if (c->child != NULL) {
        node(g, c->child);
        gen_props(g, conf, c->child_props);
        end(g);
    }
    end(g);
}

static void gen_vdev(struct gen *g, const struct vdev_conf *conf)
{
    const struct vdev_type *type = conf->type;
    u8 value[GEN_REG];
    u32 len;

    node_at(g, type->node, conf->loc);
    prop(g, "compatible", type->compatible, type->compatible_len);
    len = gen_vdev_reg(g->in, conf, value);
    prop(g, "reg", value, len);
    len = gen_vdev_interrupts(conf, value);
    if (len > 0) {
        prop(g, "interrupts", value, len);
    }
    gen_props(g, conf, type->props);
    if (g->in->symbols || type->companion != NULL) {
        prop_number(g, "phandle", 1, vdev_phandle(g, conf));
    }
    end(g);
}

void gen_bus(struct gen *g, const char *name)
{
    node(g, name);
    prop_text(g, "compatible", "simple-bus");
    prop_number(g, "#address-cells", 1, g->in->address_cells);
    prop_number(g, "#size-cells", 1, g->in->size_cells);
    prop(g, "ranges", NULL, 0);
    prop_number(g, "interrupt-parent", 1, g->in->gic_phandle);
    phandle(g);
}

static void gen_vdevs(struct gen *g)
{
    const struct vm_config *vm = g->in->vm;

    gen_bus(g, "vdevs");
    for (u32 i = 0; i < vm->nvdevs; i++) {
        gen_vdev(g, &vm->vdev[i]);
    }
    end(g);
}

static void gen_companions(struct gen *g)
{
    for (u32 i = 0; i < g->in->vm->nvdevs; i++) {
        gen_companion(g, &g->in->vm->vdev[i]);
    }
}

static void gen_clock(struct gen *g)
{
    const struct vm_config *vm = g->in->vm;
    bool wanted = false;

    for (u32 i = 0; i < vm->nvdevs; i++) {
        wanted |= has_clocks(vm->vdev[i].type);
    }
    if (!wanted) {
        return;
    }
    node(g, &GEN_CLOCK_PATH[1]);
    prop_text(g, "compatible", "fixed-clock");
    prop_number(g, "#clock-cells", 1, 0);
    prop_number(g, "clock-frequency", 1, CLOCK_HZ);
    prop_text(g, "clock-output-names", "clk24mhz");
    prop_number(g, "phandle", 1, g->in->clock_phandle);
    end(g);
}

/* --- the machine --- */

/* Serial ports are numbered in the order of the config. */
static void gen_aliases(struct gen *g)
{
    const struct vm_config *vm = g->in->vm;
    char name[16], path[GEN_PATH];
    u32 count = 0;

    node(g, "aliases");
    for (u32 i = 0; i < vm->nvdevs; i++) {
        if (gen_is_uart(&vm->vdev[i])) {
            fmt_print(name, sizeof(name), "serial%u", count++);
            gen_vdev_path(&vm->vdev[i], path);
            prop_text(g, name, path);
        }
    }
    end(g);
}

static void gen_stdout(struct gen *g)
{
    const struct vm_config *vm = g->in->vm;
    char path[GEN_PATH];

    for (u32 i = 0; i < vm->nvdevs; i++) {
        if (gen_is_uart(&vm->vdev[i])) {
            gen_vdev_path(&vm->vdev[i], path);
            prop_text(g, "stdout-path", path);
            return;
        }
    }
}

static void gen_chosen(struct gen *g)
{
    const struct image_plan *plan = g->in->plan;
    struct str cmdline = g->in->vm->cmdline;
    void *at;

    node(g, "chosen");
    if (cmdline.len > 0 && g->error == 0) {
        g->error = fdt_property_placeholder(g->fdt, "bootargs", (int)cmdline.len + 1, &at);
        if (g->error == 0) {
            memcpy(at, cmdline.p, cmdline.len);
            ((char *)at)[cmdline.len] = '\0';
        }
    }
    gen_stdout(g);
    if (plan->initrd_size > 0) {
        prop_number(g, "linux,initrd-start", 2, plan->initrd);
        prop_number(g, "linux,initrd-end", 2, plan->initrd + plan->initrd_size);
    }
    if (g->in->vm->pass.npci > 0) {
        prop_number(g, "linux,pci-probe-only", 1, 1); /* BARs are where they are */
    }
    if (g->in->seed_len > 0) {
        prop(g, "rng-seed", g->in->seed, g->in->seed_len);
    }
    phandle(g);
    end(g);
}

static void gen_memory(struct gen *g)
{
    const struct vm_config *vm = g->in->vm;

    for (u32 i = 0; i < vm->nmems; i++) {
        struct value v = {.len = 0};

        if (vm->mem[i].kind != MEM_RAM) {
            continue;
        }
        node_at(g, "memory", vm->mem[i].base);
        prop_text(g, "device_type", "memory");
        put_reg(g->in, &v, vm->mem[i].base, vm->mem[i].size);
        prop_value(g, "reg", &v);
        end(g);
    }
}

static void gen_passed_memory(struct gen *g)
{
    const struct cfg_pass *p = &g->in->vm->pass;

    for (u32 i = 0; i < p->nwindows; i++) {
        struct value v = {.len = 0};

        if ((p->window[i].flags & PASS_RAM) != 0) {
            node_at(g, "memory", p->window[i].base);
            prop_text(g, "device_type", "memory");
            put_reg(g->in, &v, p->window[i].base, p->window[i].size);
            prop_value(g, "reg", &v);
            end(g);
        }
    }
}

static void gen_cpus(struct gen *g)
{
    const struct board *b = g->in->board;
    bool known = b != NULL && b->cpu_compatible[0] != '\0';

    node(g, "cpus");
    prop_number(g, "#address-cells", 1, 1);
    prop_number(g, "#size-cells", 1, 0);
    phandle(g);
    for (u32 i = 0; i < g->in->vm->ncpus; i++) {
        node_at(g, "cpu", i);
        prop_text(g, "device_type", "cpu");
        prop_text(g, "compatible", known ? b->cpu_compatible : "arm,armv8");
        prop_number(g, "reg", 1, i);
        prop_text(g, "enable-method", "psci");
        phandle(g);
        end(g);
    }
    end(g);
}

static void gen_psci(struct gen *g)
{
    static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

    node(g, "psci");
    prop(g, "compatible", compatible, sizeof(compatible));
    prop_text(g, "method", "hvc");
    phandle(g);
    end(g);
}

/* GICv2 has a mask of CPUs in the flags of private interrupts, bits 8 to 15. */
static void gen_timer(struct gen *g)
{
    static const char compatible[] = "arm,armv8-timer\0arm,armv7-timer";
    static const u32 ppi[] = {PPI_TIMER_SECURE, PPI_TIMER_PHYSICAL, PPI_TIMER_VIRTUAL,
                              PPI_TIMER_HYP};
    u32 cpus = g->in->vm->gic_version == 2 ? (1u << MIN(g->in->vm->ncpus, 8u)) - 1 : 0;
    struct value v = {.len = 0};

    node(g, "timer");
    prop(g, "compatible", compatible, sizeof(compatible));
    prop_number(g, "interrupt-parent", 1, g->in->gic_phandle);
    for (u32 i = 0; i < ARRAY_SIZE(ppi); i++) {
        put(&v, 1, GIC_PPI);
        put(&v, 1, ppi[i]);
        put(&v, 1, cpus << 8 | IRQ_LEVEL);
    }
    prop_value(g, "interrupts", &v);
    prop(g, "always-on", NULL, 0);
    phandle(g);
    end(g);
}

void gen_gic_path(const struct vm_config *vm, char *buf)
{
    fmt_print(buf, GEN_PATH, "/interrupt-controller@%llx", (unsigned long long)vm->gicd);
}

/* The frame that messages of PCIe devices are written to: a GICv2m's, with a GICv3 as well. */
static void gen_frame(struct gen *g)
{
    struct value v = {.len = 0};
    u64 base = g->in->vm->gicd + PCI_FRAME;

    prop_number(g, "#size-cells", 1, g->in->size_cells);
    prop(g, "ranges", NULL, 0);
    node_at(g, "v2m", base);
    prop_text(g, "compatible", "arm,gic-v2m-frame");
    prop(g, "msi-controller", NULL, 0);
    put_reg(g->in, &v, base, PAGE_SIZE);
    prop_value(g, "reg", &v);
    g->messages = g->phandle++;
    prop_number(g, "phandle", 1, g->messages);
    end(g);
}

/* ranges: flags for memory of 32 bits, bus address, CPU address, size. */
static void gen_pci(struct gen *g)
{
    const struct board *b = g->in->board;
    struct value v = {.len = 0};

    if (g->in->vm->pass.npci == 0) {
        return;
    }
    node_at(g, "pcie", PCI_ECAM);
    prop_text(g, "compatible", "pci-host-ecam-generic");
    prop_text(g, "device_type", "pci");
    prop_number(g, "#address-cells", 1, 3);
    prop_number(g, "#size-cells", 1, 2);
    put(&v, 1, 0);
    put(&v, 1, 0);
    prop_value(g, "bus-range", &v);
    v.len = 0;
    put_reg(g->in, &v, PCI_ECAM, PCI_ECAM_SIZE);
    prop_value(g, "reg", &v);
    v.len = 0;
    put(&v, 1, 0x02000000);
    put(&v, 2, PCI_MEM);
    put(&v, g->in->address_cells, PCI_MEM);
    put(&v, 2, PCI_MEM_SIZE);
    prop_value(g, "ranges", &v);
    prop_number(g, "msi-parent", 1, g->messages);
    if (b != NULL && b->pci.coherent) {
        prop(g, "dma-coherent", NULL, 0);
    }
    end(g);
}

static void gen_gic(struct gen *g)
{
    const struct vm_config *vm = g->in->vm;
    bool pci = vm->pass.npci > 0;
    struct value v = {.len = 0};
    char path[GEN_PATH];

    gen_gic_path(vm, path);
    node(g, &path[1]);
    if (vm->gic_version == 2) {
        prop_text(g, "compatible", "arm,cortex-a15-gic");
        put_reg(g->in, &v, vm->gicd, GICV2_GICD_SIZE);
        put_reg(g->in, &v, vm->gicc, GICV2_GICC_SIZE);
    } else {
        prop_text(g, "compatible", "arm,gic-v3");
        put_reg(g->in, &v, vm->gicd, GICV3_GICD_SIZE);
        put_reg(g->in, &v, vm->gicr, (u64)GICV3_GICR_SIZE * vm->ncpus);
    }
    prop_value(g, "reg", &v);
    prop(g, "interrupt-controller", NULL, 0);
    prop_number(g, "#interrupt-cells", 1, 3);
    prop_number(g, "#address-cells", 1, pci ? g->in->address_cells : 0);
    prop_number(g, "phandle", 1, g->in->gic_phandle);
    if (pci) {
        gen_frame(g);
    }
    end(g);
}

/* --- the tree --- */

static void gen_symbols(struct gen *g)
{
    u32 count = symbols_count(g->in->vm);
    struct symbol s;

    node(g, "__symbols__");
    for (u32 i = 0; i < count; i++) {
        if (symbols_get(g->in->vm, i, &s)) {
            prop_text(g, s.label, s.path);
        }
    }
    end(g);
}

static void gen_root(struct gen *g)
{
    node(g, "");
    prop_text(g, "compatible", "linux,dummy-virt");
    prop_text(g, "model", "linux,dummy-virt");
    prop_number(g, "#address-cells", 1, g->in->address_cells);
    prop_number(g, "#size-cells", 1, g->in->size_cells);
    prop_number(g, "interrupt-parent", 1, g->in->gic_phandle);
    gen_aliases(g);
    gen_chosen(g);
    gen_memory(g);
    gen_passed_memory(g);
    gen_cpus(g);
    gen_psci(g);
    gen_timer(g);
    gen_gic(g);
    gen_clock(g);
    gen_vdevs(g);
    gen_companions(g);
    gen_pci(g);
    gen_pass(g);
    if (g->in->symbols) {
        gen_symbols(g);
    }
    end(g);
}

/* Names aren't shared among properties: looking for them would take longer than all the rest. */
u32 gen_build(const struct gen_input *in, void *buf, u32 size)
{
    struct gen g = {.in = in, .fdt = buf, .phandle = in->free_phandle + 2 * in->vm->nvdevs};

    size = MIN(size, gen_bound(in->vm));
    g.error = fdt_create_with_flags(buf, (int)size, FDT_CREATE_FLAG_NO_NAME_DEDUP);
    if (g.error == 0) {
        g.error = fdt_finish_reservemap(buf);
    }
    gen_root(&g);
    if (g.error == 0) {
        g.error = fdt_finish(buf);
    }
    return g.error == 0 ? fdt_totalsize(buf) : 0;
}

/* A property takes 12 bytes, its value in whole words, and its name. */
static u32 prop_bound(u32 name, u32 value)
{
    return 12 + ALIGN_UP(value, 4u) + name + 1;
}

static u32 props_bound(const struct vdev_prop *p)
{
    u32 sum = 0;

    for (; p != NULL && p->name != NULL; p++) {
        u32 value = p->kind == PROP_STR ? p->value : 12;

        if (p->kind == PROP_CLOCKS || p->kind == PROP_OWN_CLOCK) {
            value = 4 * (p->str != NULL ? p->value : 32);
            sum += prop_bound(11, p->str != NULL ? p->value : 32);
        }
        sum += prop_bound((u32)strlen(p->name), value);
    }
    return sum;
}

static u32 vdev_bound(const struct vdev_conf *conf)
{
    const struct vdev_type *type = conf->type;
    u32 sum = 8 + GEN_PATH; /* the node itself */

    sum += prop_bound(10, type->compatible_len) + prop_bound(3, GEN_REG) + prop_bound(10, 12) +
           prop_bound(7, 4);
    sum += props_bound(type->props);
    if (type->companion != NULL) {
        sum += 2 * (8 + GEN_PATH) + prop_bound(7, 4) + props_bound(type->companion->props) +
               props_bound(type->companion->child_props);
    }
    return sum + 5 * prop_bound(SYMBOL_LABEL, GEN_PATH); /* alias, stdout-path, symbols */
}

u32 gen_bound(const struct vm_config *vm)
{
    u32 sum = 56 + 3072; /* header, reservation block; nodes that every VM has, rng-seed */

    sum += prop_bound(8, vm->cmdline.len + 1);
    sum += vm->nmems * 128 + vm->ncpus * (256 + prop_bound(SYMBOL_LABEL, GEN_PATH));
    for (u32 i = 0; i < vm->nvdevs; i++) {
        sum += vdev_bound(&vm->vdev[i]);
    }
    sum += vm->pass.nwindows * PASS_TREE_ROOM + (vm->pass.npci > 0 ? 1024 : 0);
    return ALIGN_UP(sum, 8u);
}

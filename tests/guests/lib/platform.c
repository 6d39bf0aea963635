/* SPDX-License-Identifier: MIT */
/* See platform.h.  Bus ranges are not translated: the machines meant here have none. */
#include "tests/guests/lib/platform.h"

#include <stddef.h>

#include "tests/guests/lib/dt.h"
#include "tests/guests/lib/image.h"

enum { MAX_DEPTH = 8, IRQ_EDGE = 1 };

struct platform platform;

/* One node while it is looked at. */
struct node {
    const struct dt *dt;
    uint32_t offset;
    struct dt_prop compatible;
    uint32_t addr_cells;
    uint32_t size_cells;
};

static struct region node_reg(const struct node *n, uint32_t index)
{
    struct dt_prop reg = dt_get(n->dt, n->offset, "reg");
    uint32_t cells = n->addr_cells + n->size_cells;
    struct region r = {
        dt_cells(reg, index * cells, n->addr_cells),
        dt_cells(reg, index * cells + n->addr_cells, n->size_cells),
    };

    return r;
}

static uint32_t node_reg_count(const struct node *n)
{
    return dt_get(n->dt, n->offset, "reg").len / (4 * (n->addr_cells + n->size_cells));
}

/* GIC binding: <type number flags>; type 0 is an SPI, 1 a PPI. */
static uint32_t node_irq(const struct node *n, uint32_t index)
{
    struct dt_prop irqs = dt_get(n->dt, n->offset, "interrupts");

    if (irqs.len < 12 * (index + 1)) {
        return 0;
    }
    return (uint32_t)dt_cells(irqs, 3 * index + 1, 1) +
           (dt_cells(irqs, 3 * index, 1) == 0 ? 32u : 16u);
}

static void take_memory(const struct node *n)
{
    for (uint32_t i = 0; i < node_reg_count(n) && platform.ram_count < MAX_RAM; i++) {
        platform.ram[platform.ram_count++] = node_reg(n, i);
    }
}

static void take_cpu(const struct node *n)
{
    if (platform.cpu_count < MAX_CPUS) {
        platform.cpu_mpidr[platform.cpu_count++] = node_reg(n, 0).base;
    }
}

static void take_gicv2(const struct node *n)
{
    platform.gic_version = 2;
    platform.gicd = node_reg(n, 0);
    platform.gicc = node_reg(n, 1);
}

static void take_gicv3(const struct node *n)
{
    struct dt_prop regions = dt_get(n->dt, n->offset, "#redistributor-regions");
    uint32_t count = regions.len ? (uint32_t)dt_cells(regions, 0, 1) : 1;

    platform.gic_version = 3;
    platform.gicd = node_reg(n, 0);
    platform.gicr_stride = dt_cells(dt_get(n->dt, n->offset, "redistributor-stride"), 0, 2);
    for (uint32_t i = 0; i < count && i < MAX_GICR; i++) {
        platform.gicr[platform.gicr_count++] = node_reg(n, 1 + i);
    }
}

static void take_timer(const struct node *n)
{
    platform.ptimer_irq = node_irq(n, 1);
    platform.vtimer_irq = node_irq(n, 2);
}

static void take_psci(const struct node *n)
{
    platform.psci = true;
    platform.psci_by_smc = dt_lists(dt_get(n->dt, n->offset, "method"), "smc");
}

static void take_uart(const struct node *n)
{
    if (!platform.uart) {
        platform.uart = node_reg(n, 0).base;
        platform.uart_irq = node_irq(n, 0);
    }
}

static void take_virtio(const struct node *n)
{
    bool edge = dt_cells(dt_get(n->dt, n->offset, "interrupts"), 2, 1) & IRQ_EDGE;

    if (platform.virtio_count < MAX_VIRTIO) {
        platform.virtio[platform.virtio_count++] =
            (struct virtio_slot){node_reg(n, 0).base, node_irq(n, 0), edge};
    }
}

static const struct {
    const char *compatible;
    void (*take)(const struct node *n);
} known[] = {
    {"arm,cortex-a15-gic", take_gicv2}, {"arm,gic-400", take_gicv2},
    {"arm,gic-v3", take_gicv3},         {"arm,armv8-timer", take_timer},
    {"arm,armv7-timer", take_timer},    {"arm,psci-0.2", take_psci},
    {"arm,psci-1.0", take_psci},        {"arm,pl011", take_uart},
    {"virtio,mmio", take_virtio},
};

static void take_node(const struct node *n)
{
    struct dt_prop type = dt_get(n->dt, n->offset, "device_type");
    struct dt_prop status = dt_get(n->dt, n->offset, "status");

    if (status.len && !dt_lists(status, "okay") && !dt_lists(status, "ok")) {
        return;
    }
    if (dt_lists(type, "memory")) {
        take_memory(n);
    }
    if (dt_lists(type, "cpu")) {
        take_cpu(n);
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (dt_lists(n->compatible, known[i].compatible)) {
            known[i].take(n);
            return;
        }
    }
}

static uint32_t cell_count(const struct dt *dt, uint32_t node, const char *name, uint32_t otherwise)
{
    struct dt_prop p = dt_get(dt, node, name);

    return p.len ? (uint32_t)dt_cells(p, 0, 1) : otherwise;
}

bool platform_scan(const void *blob)
{
    uint32_t addr_cells[MAX_DEPTH] = {2};
    uint32_t size_cells[MAX_DEPTH] = {1};
    int depth = 0;
    struct dt dt;

    platform.bootargs = "";
    if (!dt_open(&dt, blob)) {
        return false;
    }
    platform.dtb = (struct region){(uint64_t)blob, dt.size};
    for (uint32_t node = 0; node != DT_NONE && depth < MAX_DEPTH - 1;
         node = dt_next(&dt, node, &depth)) {
        struct node n = {&dt, node, dt_get(&dt, node, "compatible"), addr_cells[depth],
                         size_cells[depth]};
        struct dt_prop bootargs = dt_get(&dt, node, "bootargs");
        struct dt_prop initrd = dt_get(&dt, node, "linux,initrd-start");

        take_node(&n);
        if (bootargs.len) {
            platform.bootargs = (const char *)bootargs.value;
        }
        if (initrd.len) {
            struct dt_prop end = dt_get(&dt, node, "linux,initrd-end");

            platform.initrd.base = dt_cells(initrd, 0, initrd.len / 4);
            platform.initrd.size = dt_cells(end, 0, end.len / 4) - platform.initrd.base;
        }
        addr_cells[depth + 1] = cell_count(&dt, node, "#address-cells", 2);
        size_cells[depth + 1] = cell_count(&dt, node, "#size-cells", 1);
    }
    return true;
}

bool platform_is_ram(uint64_t base, uint64_t size)
{
    for (uint32_t i = 0; i < platform.ram_count; i++) {
        const struct region *r = &platform.ram[i];

        if (base < r->base + r->size && base + size > r->base) {
            return true;
        }
    }
    return false;
}

static bool apart(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a + a_size <= b || b + b_size <= a;
}

uint64_t platform_free_ram(uint64_t size, uint64_t align)
{
    uint64_t image = (uint64_t)image_start;
    uint64_t image_size = (uint64_t)(image_end - image_start);

    for (uint32_t i = 0; i < platform.ram_count; i++) {
        const struct region *r = &platform.ram[i];
        uint64_t at = (r->base + align - 1) & ~(align - 1);

        for (; at + size <= r->base + r->size; at += align) {
            if (apart(at, size, image, image_size) &&
                apart(at, size, platform.dtb.base, platform.dtb.size) &&
                apart(at, size, platform.initrd.base, platform.initrd.size)) {
                return at;
            }
        }
    }
    return 0;
}

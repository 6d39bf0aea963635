/* SPDX-License-Identifier: MIT */
/*
 * Both readers of foreign trees. The first byte of the input picks: 'H' the board's tree; else the
 * rest is a user's tree for a guest, or two, divided at the offset that the next two bytes give;
 * '2' means GICv2, 'S' a buffer that is too small.
 * Besides sanitizers: what is built is sound by libfdt's own check, and states where the VM's UART
 * is.
 */
#include "fdt/guest.h"
#include "fdt/host.h"
#include "fdt/names.h"
#include "fdt/pass.h"

#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const struct vdev_prop uart_props[] = {{.name = "clocks", .kind = PROP_CLOCKS},
                                              {.name = NULL}};
static const struct vdev_type uart = {
    .name = "pl011",
    .node = "pl011",
    .compatible = "arm,pl011\0arm,primecell",
    .compatible_len = 24,
    .props = uart_props,
    .mmio_size = 0x1000,
    .level = true,
};
static const struct vdev_type nic = {
    .name = "virtio-net",
    .node = "virtio_mmio",
    .compatible = "virtio,mmio",
    .compatible_len = 12,
    .mmio_size = 0x1000,
};

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static void see_cluster(void *ctx, struct str name, u32 cpus)
{
    const struct board *b = ctx;

    require(strnlen(name.p, name.len) == name.len && cpus != 0 && cpus < BIT(b->ncpus));
}

static void see_area(void *ctx, struct str name, struct range area)
{
    (void)ctx;
    require(strnlen(name.p, name.len) == name.len && area.base + area.size >= area.base);
}

static void ignore(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    require(strlen(text) < 1024);
}

/* All that there is, passed to a guest. */
static void fuzz_pass(const struct board *b)
{
    static u8 out[1 << 18] __attribute__((aligned(8)));
    struct vm_config vm = {.name = {"a", 1}, .ncpus = 1, .gic_version = 3, .gicd = 0x8000000};
    struct image_plan plan = {.dtb = 0x40000000};
    struct diag diag = {.emit = ignore};
    u32 size;

    vm.pass.window[0] = (struct cfg_window){.base = 0x1000, .size = BIT64(62), .flags = PASS_R};
    vm.pass.nwindows = 1;
    for (u32 i = 0; i < CFG_PASS_IRQS; i++) {
        vm.pass.irq[i] = (struct cfg_pass_irq){.intid = 40 + i, .host = 40 + i};
    }
    vm.pass.nirqs = CFG_PASS_IRQS;
    fdt_pass_check(&vm, b, &diag);
    require(vm.pass.ndevs <= CFG_PASS_DEVS);
    size = fdt_guest_build(&vm, &plan, b, NULL, 0, out, sizeof(out), &diag);
    require(size == 0 || fdt_check_full(out, size) == 0);
}

static void fuzz_host(const u8 *data, size_t size)
{
    u8 *copy = malloc(size + 40);
    struct board b;

    memcpy(copy, data, size);
    memset(copy + size, 0, 40); /* the header can be read; the rest only if it says so */
    if (fdt_host_probe(copy) > size + 40) {
        fdt_set_totalsize(copy, (u32)size + 40);
    }
    if (fdt_host_read(copy, &b)) {
        require(b.dtb_size <= size + 40);
        require(b.nram <= BOARD_RANGES && b.nreserved <= BOARD_RANGES);
        require(b.ncpus <= PCPU_MAX && b.ngicr <= ARRAY_SIZE(b.gicr));
        for (u32 i = 0; i < b.nram; i++) {
            require(b.ram[i].size != 0 && b.ram[i].base + b.ram[i].size > b.ram[i].base);
            require(((b.ram[i].base | b.ram[i].size) & (PAGE_SIZE - 1)) == 0);
        }
        for (u32 i = 0; i < b.nreserved; i++) {
            require(b.reserved[i].size != 0);
            require(((b.reserved[i].base | b.reserved[i].size) & (PAGE_SIZE - 1)) == 0);
        }
        fdt_cluster_names(&b, see_cluster, &b);
        fdt_reserved_names(&b, see_area, NULL);
        fuzz_pass(&b);
    }
    free(copy);
}

static void add_load(struct vm_config *vm, const u8 *data, size_t size)
{
    struct cfg_load *l = &vm->load[vm->nloads++];
    u8 *copy = malloc(size + 1);

    memcpy(copy, data, size);
    *l = (struct cfg_load){.type = LOAD_FDT, .path = {"user.dtb", 8}};
    l->file = (struct bundle_file){.name = l->path, .data = copy, .size = size};
}

/* The UART's place is the config's, whatever the tree says. */
static void check_tree(const void *tree, u32 size)
{
    int vdevs = fdt_path_offset(tree, "/vdevs"), len;
    const fdt32_t *reg;

    require(fdt_check_full(tree, size) == 0 && fdt_totalsize(tree) == size);
    require(vdevs > 0);
    reg = fdt_getprop(tree, fdt_path_offset(tree, "/vdevs/pl011@9000000"), "reg", &len);
    require(reg != NULL && (len == 8 || len == 12 || len == 16));
    require(fdt32_ld(reg) == 0x9000000 || fdt32_ld(reg + 1) == 0x9000000);
}

static void fuzz_guest(const u8 *data, size_t size, size_t first, u8 mode)
{
    static struct vm_config vm;
    struct image_plan plan = {.initrd = 0x48000000, .initrd_size = 4096};
    struct diag diag = {.emit = ignore};
    u32 room, n;
    void *buf;

    memset(&vm, 0, sizeof(vm));
    vm.name = (struct str){"fuzz", 4};
    vm.cmdline = (struct str){"quiet", 5};
    vm.ncpus = 2;
    vm.gic_version = mode == '2' ? 2 : 3;
    vm.gicd = 0x08000000;
    vm.gicc = 0x08010000;
    vm.gicr = 0x080a0000;
    vm.mem[0] = (struct cfg_mem){.base = 0x40000000, .size = 0x20000000};
    vm.nmems = 1;
    vm.vdev[0] = (struct vdev_conf){.type = &uart, .loc = 0x09000000, .intid = 33};
    vm.vdev[1] = (struct vdev_conf){.type = &nic, .loc = 0x0a000000, .intid = 48};
    vm.vdev[1].name = (struct str){"eth0", 4};
    vm.vdev[2] = (struct vdev_conf){.type = &nic, .loc = 0x0a001000, .intid = 49};
    vm.nvdevs = 3;
    add_load(&vm, data, MIN(first, size));
    if (first < size) {
        add_load(&vm, data + first, size - first);
    }
    room = image_tree_room(&vm);
    if (mode == 'S') {
        room = room / 64 * (first & 15); /* a small VM's tree needs about 5 KiB */
    }
    buf = malloc(room + 1);
    n = fdt_guest_build(&vm, &plan, NULL, data, 8, buf, room, &diag);
    require((n == 0) == (diag.errors > 0) && n <= room);
    if (n != 0) {
        check_tree(buf, n);
    }
    free(buf);
    for (u32 i = 0; i < vm.nloads; i++) {
        free((void *)vm.load[i].file.data);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    size_t first;

    if (size < 48) {
        return 0;
    }
    if (data[0] == 'H') {
        fuzz_host(data + 1, size - 1);
        return 0;
    }
    first = (size_t)data[1] << 8 | data[2];
    fuzz_guest(data + 3, size - 3, first, data[0]);
    return 0;
}

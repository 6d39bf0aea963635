/* SPDX-License-Identifier: MIT */
/*
 * fdt/guest.c and what it's made of: the generated tree as libfdt and dtc see it, and its union
 * with trees of the user's (tests/unit/dts, compiled by dtc), well-formed and not.
 */
#include "fdt/guest.h"

#include "core/str.h"
#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#define UART "/vdevs/pl011@9000000"
#define NIC0 "/vdevs/virtio_mmio@a000000"
#define NIC1 "/vdevs/virtio_mmio@a001000"
#define GIC  "/interrupt-controller@8000000"

static const struct vdev_prop pl011_props[] = {
    {.name = "clocks", .kind = PROP_CLOCKS},
    {.name = "arm,primecell-periphid", .kind = PROP_U32, .value = 0x00241011},
    {.name = NULL},
};
static const struct vdev_prop net_props[] = {
    {.name = "dma-coherent", .kind = PROP_EMPTY},
    {.name = "test,words", .kind = PROP_STR, .str = "a\0bc", .value = 5},
    {.name = NULL},
};
static const struct vdev_prop rtc_props[] = {
    {.name = "clocks", .kind = PROP_CLOCKS, .str = "apb_pclk", .value = 9},
    {.name = NULL},
};
static const struct vdev_type pl011 = {
    .name = "pl011",
    .node = "pl011",
    .compatible = "arm,pl011\0arm,primecell",
    .compatible_len = 24,
    .props = pl011_props,
    .mmio_size = 0x1000,
    .level = true,
};
static const struct vdev_type net = {
    .name = "virtio-net",
    .node = "virtio_mmio",
    .compatible = "virtio,mmio",
    .compatible_len = 12,
    .props = net_props,
    .mmio_size = 0x200000,
};
static const struct vdev_type rtc = {
    .name = "pl031",
    .node = "rtc",
    .compatible = "arm,pl031\0arm,primecell",
    .compatible_len = 24,
    .props = rtc_props,
    .mmio_size = 0x1000,
    .level = true,
};
static const struct vdev_type shmem = {
    .name = "shmem",
    .node = "shmem",
    .compatible = "test,shmem",
    .compatible_len = 11,
    .mmio_size = 0x1000,
};

static struct vm_config vm;
static struct image_plan plan;
static struct board board;
static const u8 *seed;
static u32 seed_len;

static struct diag diag;
static u8 *tree; /* what was built last, exactly as large as the room that it had */
static u32 tree_size;

static struct str str(const char *s)
{
    return (struct str){s, (u32)strlen(s)};
}

static void add_vdev(const struct vdev_type *type, u64 loc, u32 intid, const char *name)
{
    assert_true(vm.nvdevs < CFG_VDEVS);
    vm.vdev[vm.nvdevs++] =
        (struct vdev_conf){.type = type, .loc = loc, .intid = intid, .name = str(name)};
}

/* A VM with 2 CPUs, 512 MiB, a UART and two NICs on GICv3. */
static int set_up(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    plan = (struct image_plan){.dtb = 0x40000000};
    board = (struct board){.cpu_compatible = "arm,cortex-a72"};
    seed = NULL;
    seed_len = 0;
    said_clear();
    diag = (struct diag){.emit = said_emit};
    vm.name = str("test");
    vm.place = (struct place){.file = diag_file(&diag, str("test.qvmconf")), .line = 1, .col = 1};
    vm.ncpus = 2;
    vm.mem[0] = (struct cfg_mem){.kind = MEM_RAM, .base = 0x40000000, .size = 0x20000000};
    vm.nmems = 1;
    vm.cmdline = str("console=ttyAMA0");
    vm.gic_version = 3;
    vm.gicd = 0x08000000;
    vm.gicc = 0x08010000;
    vm.gicr = 0x080a0000;
    add_vdev(&pl011, 0x09000000, 33, "");
    add_vdev(&net, 0x0a000000, 48, "eth0");
    add_vdev(&net, 0x0a001000, 49, "to the/other");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (u32 i = 0; i < vm.nloads; i++) {
        free((void *)vm.load[i].file.data);
    }
    free(tree);
    tree = NULL;
    return 0;
}

/* Builds in a buffer of `room` bytes; true if there's a tree, which has to be sound. */
static bool build_in(u32 room)
{
    free(tree);
    tree = malloc(room > 0 ? room : 1);
    assert_non_null(tree);
    tree_size = fdt_guest_build(&vm, &plan, &board, seed, seed_len, tree, room, &diag);
    if (tree_size == 0) {
        assert_true(diag.errors > 0);
        return false;
    }
    assert_true(tree_size <= room);
    assert_int_equal(fdt_check_full(tree, tree_size), 0);
    assert_int_equal(fdt_totalsize(tree), tree_size);
    return true;
}

static void build(void)
{
    if (!build_in(image_tree_room(&vm))) {
        print_error("%s", said);
        fail();
    }
}

static void add_load(const void *data, size_t size, const char *name)
{
    struct cfg_load *l = &vm.load[vm.nloads];
    u8 *copy = malloc(size + 1);

    assert_true(vm.nloads < CFG_LOADS);
    memcpy(copy, data, size);
    *l = (struct cfg_load){.type = LOAD_FDT, .path = str(name)};
    l->place = (struct place){.file = vm.place.file, .line = 10 + vm.nloads, .col = 5};
    l->file = (struct bundle_file){.name = str(name), .data = copy, .size = size};
    vm.nloads++;
}

static size_t compile(const char *name, u8 *data, size_t room)
{
    char command[128];
    size_t size;
    FILE *f;

    snprintf(command, sizeof(command), "dtc -q -@ -I dts -O dtb tests/unit/dts/%s.dts", name);
    f = popen(command, "r");
    assert_non_null(f);
    size = fread(data, 1, room, f);
    assert_int_equal(pclose(f), 0);
    return size;
}

static void load(const char *name)
{
    static u8 data[65536];

    add_load(data, compile(name, data, sizeof(data)), name);
}

static void load_source(const char *source)
{
    static u8 data[65536];
    char command[2200];
    FILE *f;

    snprintf(command, sizeof(command), "printf '%%s' '%s' | dtc -q -@ -I dts -O dtb", source);
    f = popen(command, "r");
    assert_non_null(f);
    add_load(data, fread(data, 1, sizeof(data), f), "made");
    assert_int_equal(pclose(f), 0);
}

/* What dtc has to say about the tree. */
static void assert_dtc_clean(void)
{
    char name[] = "/tmp/fdt_guest_testXXXXXX", command[128], text[512];
    int fd = mkstemp(name);
    size_t n;
    FILE *f;

    assert_true(fd >= 0);
    f = fdopen(fd, "wb");
    assert_int_equal(fwrite(tree, 1, tree_size, f), tree_size);
    fclose(f);
    snprintf(command, sizeof(command), "dtc -I dtb -O dts -o /dev/null %s 2>&1", name);
    f = popen(command, "r");
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    assert_int_equal(pclose(f), 0);
    remove(name);
    assert_string_equal(text, "");
}

/* --- looking at the tree --- */

static int node(const char *path)
{
    int at = fdt_path_offset(tree, path);

    if (at < 0) {
        print_error("no node %s\n", path);
        fail();
    }
    return at;
}

static bool has(const char *path, const char *name)
{
    return fdt_getprop(tree, node(path), name, NULL) != NULL;
}

static void assert_bytes(const char *path, const char *name, const void *want, size_t len)
{
    int have;
    const void *value = fdt_getprop(tree, node(path), name, &have);

    if (value == NULL) {
        print_error("no %s in %s\n", name, path);
        fail();
    }
    assert_int_equal(have, len);
    assert_memory_equal(value, want, len);
}

static void assert_text(const char *path, const char *name, const char *want)
{
    assert_bytes(path, name, want, strlen(want) + 1);
}

#define TEXTS(path, name, want) assert_bytes(path, name, want, sizeof(want))

static void assert_cells(const char *path, const char *name, const u32 *want, size_t count)
{
    fdt32_t cells[32];

    for (size_t i = 0; i < count; i++) {
        cells[i] = cpu_to_fdt32(want[i]);
    }
    assert_bytes(path, name, cells, 4 * count);
}

#define CELLS(path, name, ...)                                                                     \
    assert_cells(path, name, (const u32[]){__VA_ARGS__},                                           \
                 sizeof((const u32[]){__VA_ARGS__}) / sizeof(u32))

static u32 phandle_of(const char *path)
{
    u32 phandle = fdt_get_phandle(tree, node(path));

    assert_int_not_equal(phandle, 0);
    return phandle;
}

/* Names of the nodes below `path`, in order, separated by blanks. */
static void assert_children(const char *path, const char *want)
{
    char names[512] = "";
    int child;

    fdt_for_each_subnode(child, tree, node(path))
    {
        if (names[0] != '\0') {
            strcat(names, " ");
        }
        strcat(names, fdt_get_name(tree, child, NULL));
    }
    assert_string_equal(names, want);
}

static void assert_said(const char *what)
{
    if (strstr(said, what) == NULL) {
        print_error("'%s' isn't in:\n%s", what, said);
        fail();
    }
}

/* --- the generated tree --- */

static void whole_machine(void **state)
{
    (void)state;
    plan.initrd = 0x48000000;
    plan.initrd_size = 0x123457;
    seed = (const u8 *)"0123456789abcdef";
    seed_len = 16;
    build();
    assert_children("/", "aliases chosen memory@40000000 cpus psci timer "
                         "interrupt-controller@8000000 apb-pclk vdevs");
    assert_text("/", "compatible", "linux,dummy-virt");
    CELLS("/", "#address-cells", 2);
    CELLS("/", "#size-cells", 2);
    CELLS("/", "interrupt-parent", phandle_of(GIC));
    assert_text("/aliases", "serial0", UART);
    assert_text("/chosen", "bootargs", "console=ttyAMA0");
    assert_text("/chosen", "stdout-path", UART);
    CELLS("/chosen", "linux,initrd-start", 0, 0x48000000);
    CELLS("/chosen", "linux,initrd-end", 0, 0x48123457);
    assert_bytes("/chosen", "rng-seed", seed, seed_len);
    assert_false(has("/chosen", "kaslr-seed"));
    assert_text("/memory@40000000", "device_type", "memory");
    CELLS("/memory@40000000", "reg", 0, 0x40000000, 0, 0x20000000);
    TEXTS("/psci", "compatible", "arm,psci-1.0\0arm,psci-0.2");
    assert_text("/psci", "method", "hvc");
    assert_dtc_clean();
    assert_string_equal(said, "");
}

static void what_is_not_asked_for_is_not_there(void **state)
{
    (void)state;
    vm.cmdline = str("");
    vm.nvdevs = 0;
    add_vdev(&net, 0x0a000000, 48, "");
    build();
    assert_children("/", "aliases chosen memory@40000000 cpus psci timer "
                         "interrupt-controller@8000000 vdevs");
    assert_false(has("/chosen", "bootargs"));
    assert_false(has("/chosen", "stdout-path"));
    assert_false(has("/chosen", "linux,initrd-start"));
    assert_false(has("/chosen", "linux,initrd-end"));
    assert_false(has("/chosen", "rng-seed"));
    assert_int_equal(fdt_path_offset(tree, "/__symbols__"), -FDT_ERR_NOTFOUND);
    assert_dtc_clean();
}

static void cpu_nodes(void **state)
{
    (void)state;
    vm.ncpus = 8;
    build();
    assert_children("/cpus", "cpu@0 cpu@1 cpu@2 cpu@3 cpu@4 cpu@5 cpu@6 cpu@7");
    assert_text("/cpus/cpu@7", "device_type", "cpu");
    assert_text("/cpus/cpu@7", "compatible", "arm,cortex-a72");
    assert_text("/cpus/cpu@7", "enable-method", "psci");
    CELLS("/cpus/cpu@7", "reg", 7);

    board.cpu_compatible[0] = '\0';
    build();
    assert_text("/cpus/cpu@0", "compatible", "arm,armv8");

    assert_true(fdt_guest_build(&vm, &plan, NULL, NULL, 0, tree, image_tree_room(&vm), &diag) > 0);
    assert_text("/cpus/cpu@0", "compatible", "arm,armv8");
}

static void gicv3_and_timer(void **state)
{
    (void)state;
    vm.ncpus = 3;
    vm.gicr = 0x1080a0000;
    build();
    assert_text(GIC, "compatible", "arm,gic-v3");
    CELLS(GIC, "reg", 0, 0x08000000, 0, 0x10000, 1, 0x080a0000, 0, 0x60000);
    CELLS(GIC, "#interrupt-cells", 3);
    assert_true(has(GIC, "interrupt-controller"));
    TEXTS("/timer", "compatible", "arm,armv8-timer\0arm,armv7-timer");
    CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
    CELLS("/timer", "interrupt-parent", phandle_of(GIC));
    assert_true(has("/timer", "always-on"));
    assert_dtc_clean();
}

static void gicv2_and_timer(void **state)
{
    (void)state;
    vm.gic_version = 2;
    vm.ncpus = 3;
    build();
    assert_text(GIC, "compatible", "arm,cortex-a15-gic");
    CELLS(GIC, "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x2000);
    CELLS("/timer", "interrupts", 1, 13, 0x704, 1, 14, 0x704, 1, 11, 0x704, 1, 10, 0x704);
    assert_dtc_clean();
}

static void banks_of_memory(void **state)
{
    (void)state;
    vm.mem[1] = (struct cfg_mem){.kind = MEM_ROM, .base = 0, .size = 0x10000};
    vm.mem[2] = (struct cfg_mem){.kind = MEM_RAM, .base = 0x880000000, .size = 0x200000000};
    vm.nmems = 3;
    build();
    CELLS("/memory@40000000", "reg", 0, 0x40000000, 0, 0x20000000);
    CELLS("/memory@880000000", "reg", 8, 0x80000000, 2, 0);
    assert_int_equal(fdt_path_offset(tree, "/memory@0"), -FDT_ERR_NOTFOUND);
    assert_dtc_clean();
}

static void vdev_nodes(void **state)
{
    (void)state;
    add_vdev(&shmem, 0x100000000, 0, "");
    add_vdev(&pl011, 0x09040000, 40, "");
    add_vdev(&rtc, 0x09010000, 34, "");
    build();
    assert_children("/vdevs", "pl011@9000000 virtio_mmio@a000000 virtio_mmio@a001000 "
                              "shmem@100000000 pl011@9040000 rtc@9010000");
    assert_text("/vdevs", "compatible", "simple-bus");
    assert_bytes("/vdevs", "ranges", "", 0);
    CELLS("/vdevs", "interrupt-parent", phandle_of(GIC));
    TEXTS(UART, "compatible", "arm,pl011\0arm,primecell");
    CELLS(UART, "reg", 0, 0x09000000, 0, 0x1000);
    CELLS(UART, "interrupts", 0, 1, 4);
    CELLS(UART, "clocks", phandle_of("/apb-pclk"), phandle_of("/apb-pclk"));
    TEXTS(UART, "clock-names", "uartclk\0apb_pclk");
    CELLS(UART, "arm,primecell-periphid", 0x00241011);
    assert_text("/apb-pclk", "compatible", "fixed-clock");
    CELLS("/apb-pclk", "clock-frequency", 24000000);
    CELLS("/apb-pclk", "#clock-cells", 0);
    assert_text(NIC0, "compatible", "virtio,mmio");
    CELLS(NIC0, "interrupts", 0, 16, 1);
    CELLS(NIC1, "interrupts", 0, 17, 1);
    CELLS(NIC1, "reg", 0, 0x0a001000, 0, 0x200000);
    assert_bytes(NIC1, "dma-coherent", "", 0);
    TEXTS(NIC1, "test,words", "a\0bc");
    CELLS("/vdevs/shmem@100000000", "reg", 1, 0, 0, 0x1000);
    assert_false(has("/vdevs/shmem@100000000", "interrupts"));
    CELLS("/vdevs/rtc@9010000", "clocks", phandle_of("/apb-pclk"));
    assert_text("/vdevs/rtc@9010000", "clock-names", "apb_pclk");
    assert_text("/aliases", "serial0", UART);
    assert_text("/aliases", "serial1", "/vdevs/pl011@9040000");
    assert_text("/chosen", "stdout-path", UART);
    assert_dtc_clean();
}

/* A clock that a device counts, and a button on a pin: nodes beside the device's own. */
struct part_opts {
    u32 hz, pin;
};

static bool part_wanted(const void *opts)
{
    return ((const struct part_opts *)opts)->pin < 8;
}

static const struct vdev_prop clock_props[] = {
    {.name = "compatible", .kind = PROP_STR, .str = "fixed-clock", .value = 12},
    {.name = "#clock-cells", .kind = PROP_U32},
    {.name = "clock-frequency", .kind = PROP_OPT_U32, .value = offsetof(struct part_opts, hz)},
    {.name = NULL},
};
static const struct vdev_companion own_clock = {.node = "clk", .props = clock_props};
static const struct vdev_prop dog_props[] = {
    {.name = "clocks", .kind = PROP_OWN_CLOCK, .str = "own\0apb_pclk", .value = 13},
    {.name = NULL},
};
static const struct vdev_type dog = {
    .name = "dog",
    .node = "watchdog",
    .compatible = "arm,sp805",
    .compatible_len = 10,
    .props = dog_props,
    .companion = &own_clock,
    .mmio_size = 0x1000,
    .level = true,
};
static const struct vdev_prop keys_props[] = {
    {.name = "compatible", .kind = PROP_STR, .str = "gpio-keys", .value = 10},
    {.name = NULL},
};
static const struct vdev_prop key_props[] = {
    {.name = "linux,code", .kind = PROP_U32, .value = 116},
    {.name = "gpios", .kind = PROP_GPIO, .value = offsetof(struct part_opts, pin)},
    {.name = NULL},
};
static const struct vdev_companion keys = {.node = "gpio-keys",
                                           .props = keys_props,
                                           .child = "poweroff",
                                           .child_props = key_props,
                                           .wanted = part_wanted};
static const struct vdev_prop gpio_props[] = {
    {.name = "gpio-controller", .kind = PROP_EMPTY},
    {.name = "#gpio-cells", .kind = PROP_U32, .value = 2},
    {.name = NULL},
};
static const struct vdev_type gpio = {
    .name = "gpio",
    .node = "gpio",
    .compatible = "arm,pl061",
    .compatible_len = 10,
    .props = gpio_props,
    .companion = &keys,
    .mmio_size = 0x1000,
    .level = true,
};

static void assert_companions(void)
{
    CELLS("/vdevs/watchdog@9020000", "clocks", phandle_of("/clk-9020000"), phandle_of("/apb-pclk"));
    TEXTS("/vdevs/watchdog@9020000", "clock-names", "own\0apb_pclk");
    CELLS("/clk-9020000", "clock-frequency", 1234);
    CELLS("/gpio-keys-9030000/poweroff", "gpios", phandle_of("/vdevs/gpio@9030000"), 3, 0);
    CELLS("/gpio-keys-9030000/poweroff", "linux,code", 116);
    assert_text("/gpio-keys-9030000", "compatible", "gpio-keys");
    assert_true(fdt_path_offset(tree, "/gpio-keys-9031000") < 0);
}

static void add_companions(void)
{
    static struct part_opts opts[] = {{1234, 0}, {0, 3}, {0, 8}};

    add_vdev(&dog, 0x09020000, 50, "");
    add_vdev(&gpio, 0x09030000, 51, "");
    add_vdev(&gpio, 0x09031000, 52, ""); /* no button */
    for (u32 i = 0; i < 3; i++) {
        vm.vdev[vm.nvdevs - 3 + i].opts = &opts[i];
    }
}

static void companions(void **state)
{
    (void)state;
    add_companions();
    build();
    assert_companions();
    assert_dtc_clean();
}

/* The same joined with the user's tree, and with labels for overlays: no phandle stands twice. */
static void companions_in_other_trees(void **state)
{
    u32 seen[64], n = 0;

    (void)state;
    add_companions();
    load("plain");
    load("overlay");
    build();
    assert_companions();
    for (int at = 0; at >= 0; at = fdt_next_node(tree, at, NULL)) {
        u32 p = fdt_get_phandle(tree, at);

        for (u32 i = 0; p != 0 && i < n; i++) {
            assert_int_not_equal(p, seen[i]);
        }
        if (p != 0) {
            assert_true(n < ARRAY_SIZE(seen));
            seen[n++] = p;
        }
    }
}

/* Addresses beside the registers are the second entry of `reg`, and an overlay can't move them. */
static void vdev_with_a_window(void **state)
{
    (void)state;
    add_vdev(&shmem, 0x1c050000, 44, "");
    vm.vdev[vm.nvdevs - 1].window = 0x110000000;
    vm.vdev[vm.nvdevs - 1].window_size = 0x201000;
    vm.vdev[0].window = 0x10000000;
    vm.vdev[0].window_size = 0x1000;
    load("overlay");
    build();
    CELLS("/vdevs/shmem@1c050000", "reg", 0, 0x1c050000, 0, 0x1000, 1, 0x10000000, 0, 0x201000);
    CELLS(UART, "reg", 0, 0x09000000, 0, 0x1000, 0, 0x10000000, 0, 0x1000);
    CELLS(NIC0, "reg", 0, 0x0a000000, 0, 0x200000);
    assert_dtc_clean();
}

static void room_for_a_long_command_line(void **state)
{
    static char text[65536];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    vm.cmdline = str(text);
    build();
    assert_text("/chosen", "bootargs", text);
}

static void fill_config(void)
{
    static char text[4096];

    memset(text, 'x', sizeof(text) - 1);
    vm.cmdline = str(text);
    vm.ncpus = VCPU_MAX;
    vm.nmems = CFG_MEMS;
    for (u32 i = 0; i < CFG_MEMS; i++) {
        vm.mem[i] =
            (struct cfg_mem){.base = 0xff00000000000000 + i * 0x40000000ull, .size = 0x40000000};
    }
    while (vm.nvdevs < CFG_VDEVS) {
        add_vdev(&pl011, 0xfff0000000000000 + vm.nvdevs * 0x1000, 40 + vm.nvdevs,
                 "a-name-that-is-as-long-as-a-label-may-be-and-more");
    }
    plan.initrd_size = 1;
    seed = (const u8 *)text;
    seed_len = 64;
    memset(board.cpu_compatible, 'c', sizeof(board.cpu_compatible) - 1);
}

static void room_is_enough(void **state)
{
    (void)state;
    fill_config();
    build();
    assert_dtc_clean();
    load_source("/dts-v1/; /plugin/; &vdevs { x; };");
    build();
    assert_true(has("/vdevs", "x"));
    assert_string_equal(said, "");
}

/* Whatever the room: a whole tree or an error, and nothing beyond the buffer (ASan). */
static void any_room(void **state)
{
    u32 need;

    (void)state;
    build();
    need = tree_size;
    for (u32 room = 0; room < need; room++) {
        said_clear();
        assert_false(build_in(room));
    }
    said_clear();
    assert_false(build_in(100));
    assert_said("error: the device tree of 'test' doesn't fit in 100 bytes");
    assert_true(build_in(need + 256)); /* property names shrink only when it's finished */
}

/* --- overlays --- */

static void overlay_is_applied(void **state)
{
    (void)state;
    load("overlay");
    build();
    assert_text("/sensor", "compatible", "test,sensor");
    CELLS("/sensor", "interrupt-parent", phandle_of(GIC));
    CELLS("/sensor", "uses", phandle_of("/sensor/lamp"), 7, phandle_of(UART));
    TEXTS(NIC0, "compatible", "test,nic\0virtio,mmio");
    assert_true(has(NIC0, "local-mac-address"));
    assert_text(NIC1, "status", "disabled");
    assert_text("/chosen", "stdout-path", UART ":115200n8");
    CELLS("/chosen", "kaslr-seed", 1, 2);
    assert_text("/chosen", "bootargs", "console=ttyAMA0");
    assert_text("/__symbols__", "eth0", NIC0);
    assert_text("/__symbols__", "to_the_other", NIC1);
    assert_text("/__symbols__", "pl011_0", UART);
    assert_text("/__symbols__", "lamp", "/sensor/lamp");
    assert_dtc_clean();
}

static void overlay_cannot_move_a_vdev(void **state)
{
    (void)state;
    load("overlay");
    build();
    CELLS(NIC0, "reg", 0, 0x0a000000, 0, 0x200000);
    CELLS(NIC1, "interrupts", 0, 17, 1);
    assert_int_equal(diag.warnings, 2);
    assert_said("test.qvmconf:10:5: warning: device tree 'overlay': 'reg' of virtio_mmio@a000000 "
                "is ignored: the config says what it is");
    assert_said("'interrupts' of virtio_mmio@a001000 is ignored");
}

static void overlays_in_order(void **state)
{
    (void)state;
    load("overlay");
    load("second");
    build();
    assert_text("/sensor/lamp", "color", "green");
    CELLS("/sensor", "rate", 50);
    assert_dtc_clean();

    tear_down(NULL);
    set_up(NULL);
    load("second");
    load("overlay");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("test.qvmconf:10:5: error: device tree 'second': the guest's tree has no label "
                "'lamp'");
    assert_int_equal(diag.errors, 1);
}

static void label_of_a_name_that_is_taken(void **state)
{
    (void)state;
    vm.vdev[2].name = str("gic");
    load_source("/dts-v1/; /plugin/; &gic { x; }; &virtio_net_1 { y; };");
    build();
    assert_true(has(GIC, "x"));
    assert_true(has(NIC1, "y"));
    assert_dtc_clean();
}

static void overlay_without_its_target(void **state)
{
    (void)state;
    load_source("/dts-v1/; /plugin/; &{/nowhere} { x; };");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("error: device tree 'made': the guest's tree has no node '/nowhere'");
}

static void tree_without_path_is_only_a_place(void **state)
{
    (void)state;
    vm.load[0] = (struct cfg_load){.type = LOAD_FDT, .addr = 0x48000000, .has_addr = true};
    vm.nloads = 1;
    build();
    assert_int_equal(fdt_path_offset(tree, "/__symbols__"), -FDT_ERR_NOTFOUND);
}

/* --- plain trees --- */

static void plain_tree_is_the_base(void **state)
{
    (void)state;
    vm.gic_version = 2;
    plan.initrd = 0x48000000;
    plan.initrd_size = 0x1000;
    load("plain");
    build();
    assert_text("/", "model", "Test board"); /* his, as is all that Muntin has no say in */
    assert_text("/", "compatible", "linux,dummy-virt");
    assert_text("/chosen", "stdout-path", "serial0:115200n8");
    assert_text("/aliases", "serial0", UART);
    CELLS("/chosen", "kaslr-seed", 1, 2);
    CELLS(UART, "current-speed", 9600);
    CELLS("/cpus/cpu@0", "capacity-dmips-mhz", 100);
    assert_text("/cpus/cpu@0", "compatible", "test,cpu");
    CELLS("/memory-controller@1000", "reg", 0x1000, 0x1000);
    assert_int_equal(fdt_num_mem_rsv(tree), 1);
    assert_dtc_clean();
}

static void plain_tree_gets_the_facts_of_the_vm(void **state)
{
    (void)state;
    vm.gic_version = 2;
    plan.initrd = 0x48000000;
    plan.initrd_size = 0x1000;
    load("plain");
    build();
    assert_int_equal(fdt_path_offset(tree, "/memory@0"), -FDT_ERR_NOTFOUND);
    CELLS("/memory@40000000", "reg", 0x40000000, 0x20000000);
    assert_text("/chosen", "bootargs", "console=ttyAMA0");
    CELLS("/chosen", "linux,initrd-end", 0, 0x48001000);
    assert_int_equal(fdt_path_offset(tree, "/cpus/cpu@100"), -FDT_ERR_NOTFOUND);
    CELLS("/cpus", "#address-cells", 1);
    CELLS("/cpus/cpu@0", "reg", 0);
    CELLS("/cpus/cpu@1", "reg", 1);
    assert_text("/cpus/cpu@0", "enable-method", "psci");
    assert_text("/psci", "method", "hvc");
    CELLS("/timer", "interrupts", 1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304, 1, 10, 0x304);
    CELLS(GIC, "reg", 0x08000000, 0x1000, 0x08010000, 0x2000);
    CELLS(UART, "reg", 0x09000000, 0x1000);
    CELLS(UART, "interrupts", 0, 1, 4);
    assert_said("'interrupts' of pl011@9000000 is ignored");
}

/* What the user's devices said of his interrupt controller holds for the one that there is. */
static void plain_tree_refers_to_our_gic(void **state)
{
    (void)state;
    load("plain");
    build();
    assert_int_equal(fdt_path_offset(tree, "/soc/interrupt-controller@f9010000"),
                     -FDT_ERR_NOTFOUND);
    CELLS("/", "interrupt-parent", phandle_of(GIC));
    CELLS("/vdevs", "interrupt-parent", phandle_of(GIC));
    CELLS("/soc/device@fe000000", "interrupts", 0, 118, 4);
}

static void plain_tree_keeps_the_order_of_vdevs(void **state)
{
    (void)state;
    load_source("/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; mine { }; };");
    build();
    assert_children("/vdevs", "pl011@9000000 virtio_mmio@a000000 virtio_mmio@a001000");
    assert_children("/cpus", "cpu@0 cpu@1");
    assert_true(node("/mine") > 0);
    assert_dtc_clean();
}

static void plain_tree_and_overlay(void **state)
{
    (void)state;
    load("overlay");
    load("plain");
    build();
    CELLS("/sensor", "interrupt-parent", phandle_of(GIC));
    TEXTS(NIC0, "compatible", "test,nic\0virtio,mmio");
    CELLS(NIC0, "reg", 0x0a000000, 0x200000);
    assert_text("/", "model", "Test board");
    assert_text("/__symbols__", "gic", GIC);
    assert_text("/__symbols__", "irqs", GIC); /* his own name for what ours replaced */
    assert_dtc_clean();
}

static void label_without_a_phandle(void **state)
{
    (void)state;
    load_source("/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; lamp { }; "
                "sensor { }; __symbols__ { lamp = \"/lamp\"; }; };");
    load("second");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("the guest's tree has no label 'lamp'");
}

static void two_plain_trees(void **state)
{
    (void)state;
    load("plain");
    load("plain");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("test.qvmconf:11:5: error: device tree 'plain': a second tree that is no overlay");
}

static void plain_tree_with_too_few_cells(void **state)
{
    (void)state;
    vm.mem[0].base = 0x100000000;
    load("plain");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("need #address-cells and #size-cells of the root to be 2");

    tear_down(NULL);
    set_up(NULL);
    load_source("/dts-v1/; / { #address-cells = <3>; #size-cells = <1>; };");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("must be 1 or 2");
}

static void plain_tree_without_free_phandles(void **state)
{
    (void)state;
    load_source("/dts-v1/; / { a { phandle = <0xfffffffe>; }; };");
    assert_false(build_in(image_tree_room(&vm)));
    assert_said("no phandles are left above 0xfffffffe");
}

/* A tree padded for growth, as QEMU dumps it, costs its content. */
static void padded_tree(void **state)
{
    static u8 data[MIB];

    (void)state;
    compile("plain", data, sizeof(data));
    fdt_set_totalsize(data, sizeof(data));
    add_load(data, sizeof(data), "padded");
    build();
    assert_true(tree_size < 8192);
    assert_text("/", "model", "Test board");
}

/* Its labels get the path of the node that it goes to, and are most of it. */
static void overlay_of_labels(void **state)
{
    static const char text[] = "(echo '/dts-v1/; /plugin/; &deep {'; seq 2000 | sed 's/.*/l&: n& "
                               "{};/'; echo '};') | dtc -q -@ -I dts -O dtb";
    static u8 data[MIB];
    FILE *f = popen(text, "r");

    (void)state;
    assert_non_null(f);
    load_source("/dts-v1/; / { a-node-of-a-quite-long-name { another-node-of-a-quite-long-name { "
                "deep: and-yet-another-node-below-it {}; }; }; };");
    add_load(data, fread(data, 1, sizeof(data), f), "labels");
    assert_int_equal(pclose(f), 0);
    build();
    assert_true(tree_size > 2 * vm.load[1].file.size - 65536);
}

/* --- what is no tree, or a broken one --- */

static void refused(const void *data, size_t size, const char *why)
{
    tear_down(NULL);
    set_up(NULL);
    add_load(data, size, "bad.dtb");
    assert_false(build_in(image_tree_room(&vm) + 65536));
    assert_said("test.qvmconf:10:5: error: device tree 'bad.dtb': ");
    assert_said(why);
    assert_int_equal(diag.errors, 1);
}

static void no_tree_at_all(void **state)
{
    static u8 data[4096];
    u32 size = (u32)compile("plain", data, sizeof(data));

    (void)state;
    refused("", 0, "not a device tree blob");
    refused("/dts-v1/; / { a-source-rather-than-a-blob; };", 45, "not a device tree blob");
    refused(data, 39, "not a device tree blob");
    refused(data, size - 1, "truncated: the header says");
    fdt_set_version(data, 16);
    refused(data, size, "version 16, needs 17");
    fdt_set_version(data, 17);
    fdt_set_totalsize(data, size - 1);
    refused(data, size, "malformed header");
    fdt_set_totalsize(data, size);
    fdt_set_off_dt_struct(data, fdt_off_dt_struct(data) + 2);
    refused(data, size, "malformed header");
    fdt_set_off_dt_struct(data, fdt_off_dt_struct(data) - 2);
    fdt_set_off_mem_rsvmap(data, fdt_off_mem_rsvmap(data) + 4);
    refused(data, size, "malformed header");
    fdt_set_off_mem_rsvmap(data, fdt_off_mem_rsvmap(data) - 4);
    fdt_set_size_dt_strings(data, 0x200000);
    refused(data, size, "larger than 2097152 bytes");
    fdt_set_size_dt_strings(data, 0xffffffff);
    refused(data, size, "larger than 2097152 bytes");
}

static void structure_deeper_than_libfdt_should_recurse(void **state)
{
    static u8 data[65536] __attribute__((aligned(8)));

    (void)state;
    fdt_create(data, sizeof(data));
    fdt_finish_reservemap(data);
    fdt_begin_node(data, "");
    for (int i = 0; i < 1000; i++) {
        fdt_begin_node(data, "x");
    }
    for (int i = 0; i < 1001; i++) {
        fdt_end_node(data);
    }
    assert_int_equal(fdt_finish(data), 0);
    refused(data, fdt_totalsize(data), "nodes are more than 16 levels deep");
}

/* An overlay of the given internal nodes; `how` fills them in. */
static void refused_overlay(void (*how)(void *data), const char *why)
{
    static u8 data[4096] __attribute__((aligned(8)));

    fdt_create(data, sizeof(data));
    fdt_finish_reservemap(data);
    fdt_begin_node(data, "");
    fdt_begin_node(data, "f");
    fdt_property(data, "target-path", "/chosen", 8);
    fdt_begin_node(data, "__overlay__");
    fdt_property_u32(data, "ref", 0xffffffff);
    fdt_property(data, "short", "ab", 2);
    fdt_end_node(data);
    fdt_end_node(data);
    how(data);
    fdt_begin_node(data, "__symbols__");
    fdt_property(data, "label", "/elsewhere", 11);
    fdt_end_node(data);
    fdt_end_node(data);
    assert_int_equal(fdt_finish(data), 0);
    refused(data, fdt_totalsize(data), why);
}

static const char *fixup_text;
static int fixup_len;

static void put_fixups(void *data)
{
    fdt_begin_node(data, "__fixups__");
    fdt_property(data, "gic", fixup_text, fixup_len);
    fdt_end_node(data);
}

static void fixup_refused(const char *text, size_t len)
{
    fixup_text = text;
    fixup_len = (int)len;
    refused_overlay(put_fixups, "malformed __fixups__ of label 'gic'");
}

#define FIXUP_REFUSED(text) fixup_refused(text, sizeof(text))

static void malformed_fixups(void **state)
{
    (void)state;
    FIXUP_REFUSED("");
    FIXUP_REFUSED(":");
    FIXUP_REFUSED("/f/__overlay__");
    FIXUP_REFUSED("/f/__overlay__:ref");
    FIXUP_REFUSED("/f/__overlay__:ref:");
    FIXUP_REFUSED("/f/__overlay__::0");
    FIXUP_REFUSED("/f/__overlay__:ref:x");
    FIXUP_REFUSED("/f/__overlay__:ref:-1");
    FIXUP_REFUSED("/f/__overlay__:ref:1");
    FIXUP_REFUSED("/f/__overlay__:ref:4294967294");
    FIXUP_REFUSED("/f/__overlay__:ref:4294967296");
    FIXUP_REFUSED("/f/__overlay__:short:0");
    FIXUP_REFUSED("/f/__overlay__:none:0");
    FIXUP_REFUSED("/none:ref:0");
    FIXUP_REFUSED("f/__overlay__:ref:0");
    FIXUP_REFUSED("/f:target-path:0");
    FIXUP_REFUSED("/__fixups__:gic:0");
    FIXUP_REFUSED("/f/__overlay__:ref:0\0/f/__overlay__:ref:9");
    fixup_refused("/f/__overlay__:ref:0", 20); /* not terminated */
    fixup_refused("", 0);
}

static const char *local_node, *local_prop;
static u32 local_offset;
static int local_len;

static void put_local(void *data)
{
    fdt32_t offset = cpu_to_fdt32(local_offset);

    fdt_begin_node(data, "__local_fixups__");
    fdt_begin_node(data, local_node);
    if (strcmp(local_node, "f") == 0) {
        fdt_begin_node(data, "__overlay__");
    }
    fdt_property(data, local_prop, &offset, local_len);
    if (strcmp(local_node, "f") == 0) {
        fdt_end_node(data);
    }
    fdt_end_node(data);
    fdt_end_node(data);
}

static void local_refused(const char *name, const char *prop, u32 offset, int len)
{
    local_node = name;
    local_prop = prop;
    local_offset = offset;
    local_len = len;
    refused_overlay(put_local, "malformed __local_fixups__");
}

static void malformed_local_fixups(void **state)
{
    (void)state;
    local_refused("f", "ref", 1, 4);
    local_refused("f", "ref", 0xfffffffe, 4);
    local_refused("f", "ref", 0x7ffffffe, 4);
    local_refused("f", "short", 0, 4);
    local_refused("f", "none", 0, 4);
    local_refused("f", "ref", 0, 3);
    local_refused("g", "ref", 0, 4);
    local_refused("__symbols__", "label", 0, 4);
}

static void put_bad_target(void *data)
{
    fdt_begin_node(data, "g");
    fdt_property(data, "target-path", "/chosen", 7);
    fdt_begin_node(data, "__overlay__");
    fdt_end_node(data);
    fdt_end_node(data);
}

static void put_bad_symbol(void *data)
{
    fdt_begin_node(data, "__symbols__"); /* libfdt takes the first of this name */
    fdt_property(data, "x", "/f/__overlay__/y", 16);
    fdt_end_node(data);
}

static void malformed_overlays(void **state)
{
    (void)state;
    refused_overlay(put_bad_target, "malformed target-path of g");
    refused_overlay(put_bad_symbol, "can't be applied (FDT_ERR_BADVALUE)");
}

/* Each word of both kinds of trees replaced by values that hurt: it ends, and what's built is
 * sound. */
static void every_word_wrong(const char *name)
{
    static const u32 bad[] = {0, 1, 3, 9, 0x2f2f2f2f, 0x7ffffffe, 0xfffffffc, 0xffffffff};
    static u8 data[8192];
    u32 size = (u32)compile(name, data, sizeof(data)), refusals = 0;

    add_load(data, size, name);
    for (u32 at = 0; at + 4 <= size; at += 4) {
        u8 *word = (u8 *)vm.load[0].file.data + at;

        for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
            fdt32_t value = cpu_to_fdt32(bad[i]);

            said_clear();
            memcpy(word, &value, 4);
            refusals += !build_in(image_tree_room(&vm));
        }
        memcpy(word, data + at, 4);
    }
    assert_true(refusals > 200);
    build();
}

static void every_word_of_an_overlay_wrong(void **state)
{
    (void)state;
    every_word_wrong("overlay");
}

static void every_word_of_a_plain_tree_wrong(void **state)
{
    (void)state;
    every_word_wrong("plain");
}

static void any_room_for_user_trees(void **state)
{
    u32 built = 0, room = 0;

    (void)state;
    load("plain");
    load("overlay");
    for (; room < image_tree_room(&vm); room += 56) {
        said_clear();
        built += build_in(room);
    }
    assert_true(built > 0 && built < room / 56);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(whole_machine),
        CASE(what_is_not_asked_for_is_not_there),
        CASE(cpu_nodes),
        CASE(gicv3_and_timer),
        CASE(gicv2_and_timer),
        CASE(banks_of_memory),
        CASE(vdev_nodes),
        CASE(companions),
        CASE(companions_in_other_trees),
        CASE(vdev_with_a_window),
        CASE(room_is_enough),
        CASE(room_for_a_long_command_line),
        CASE(any_room),
        CASE(overlay_is_applied),
        CASE(overlay_cannot_move_a_vdev),
        CASE(overlays_in_order),
        CASE(label_of_a_name_that_is_taken),
        CASE(overlay_without_its_target),
        CASE(tree_without_path_is_only_a_place),
        CASE(plain_tree_is_the_base),
        CASE(plain_tree_gets_the_facts_of_the_vm),
        CASE(plain_tree_refers_to_our_gic),
        CASE(plain_tree_keeps_the_order_of_vdevs),
        CASE(plain_tree_and_overlay),
        CASE(label_without_a_phandle),
        CASE(two_plain_trees),
        CASE(plain_tree_with_too_few_cells),
        CASE(plain_tree_without_free_phandles),
        CASE(padded_tree),
        CASE(overlay_of_labels),
        CASE(no_tree_at_all),
        CASE(structure_deeper_than_libfdt_should_recurse),
        CASE(malformed_fixups),
        CASE(malformed_local_fixups),
        CASE(malformed_overlays),
        CASE(every_word_of_an_overlay_wrong),
        CASE(every_word_of_a_plain_tree_wrong),
        CASE(any_room_for_user_trees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

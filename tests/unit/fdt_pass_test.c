/* SPDX-License-Identifier: MIT */
/* fdt/pass.c and fdt/gen_pass.c: what the board's tree (dts/pass.dts) says of what is passed, and
 * the copies of its nodes in the guest's. */
#include "core/log.h"
#include "core/str.h"
#include "fdt/gen_pass.h"
#include "fdt/guest.h"
#include "fdt/host.h"
#include "fdt/pass.h"
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

static struct board board;
static struct vm_config vm;
static u8 tree[1 << 18] __attribute__((aligned(8)));

static struct diag diag = {.emit = said_emit};

static int read_board(void **state)
{
    static u8 blob[65536];
    FILE *f = popen("dtc -q -I dts -O dtb tests/unit/dts/pass.dts", "r");

    (void)state;
    assert_non_null(f);
    assert_true(fread(blob, 1, sizeof(blob), f) > 0);
    assert_int_equal(pclose(f), 0);
    assert_true(fdt_host_read(blob, &board));
    return 0;
}

static void fresh(void)
{
    memset(&vm, 0, sizeof(vm));
    memset(&diag, 0, sizeof(diag));
    diag.emit = said_emit;
    (void)!diag_file(&diag, str_of("f"));
    said_clear();
    vm.name = str_of("a");
    vm.place = (struct place){0, 1, 1};
    vm.gic_version = 3;
    vm.gicd = 0x8000000;
    vm.gicr = 0x80a0000;
    vm.ncpus = 1;
    vm.nmems = 1;
    vm.mem[0] = (struct cfg_mem){.kind = MEM_RAM, .base = 0x40000000, .size = 0x1000000};
}

/* Each is on a line of its own, windows from 10 on, interrupts from 20 on. */
static void window(u64 base, u64 size, u64 host)
{
    u32 n = vm.pass.nwindows++;

    vm.pass.window[n] = (struct cfg_window){.base = base,
                                            .size = size,
                                            .host = host,
                                            .flags = PASS_R | PASS_W,
                                            .place = {0, 1, 10 + n}};
}

static void irq(u32 intid, u32 host)
{
    u32 n = vm.pass.nirqs++;

    vm.pass.irq[n] = (struct cfg_pass_irq){.intid = intid, .host = host, .place = {0, 1, 20 + n}};
}

static const char *check(void)
{
    fdt_pass_check(&vm, &board, &diag);
    return said;
}

/* --- the tree, as text --------------------------------------------------------------------------
 */

static char text[8192];

static void add(const char *fmt, ...) PRINTF(1, 2);
static void add(const char *fmt, ...)
{
    size_t len = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + len, sizeof(text) - len, fmt, ap);
    va_end(ap);
}

/* Texts as they are, anything else in cells. */
static void add_value(const u8 *data, int len)
{
    bool is_text = len > 1 && data[len - 1] == 0 && data[0] >= 'a' && data[0] <= 'z';

    for (int i = 0; i < len; i += is_text ? (int)strlen((const char *)data + i) + 1 : 4) {
        if (is_text) {
            add(" %s", (const char *)data + i);
        } else if (i + 4 <= len) {
            add(" %x", (u32)tree_cells(data + i, 1));
        }
    }
}

static const char *passed(void)
{
    struct image_plan plan = {.dtb = 0x40000000};
    int depth = 0, node, at;

    text[0] = '\0';
    assert_true(fdt_guest_build(&vm, &plan, &board, NULL, 0, tree, sizeof(tree), &diag) != 0);
    assert_int_equal(fdt_check_full(tree, fdt_totalsize(tree)), 0);
    node = fdt_path_offset(tree, "/pass");
    for (; node >= 0 && depth >= 0; node = fdt_next_node(tree, node, &depth)) {
        add("%*s%s\n", depth, "", fdt_get_name(tree, node, NULL));
        fdt_for_each_property_offset(at, tree, node)
        {
            const char *name;
            int len;
            const u8 *data = fdt_getprop_by_offset(tree, at, &name, &len);

            add("%*s-%s", depth, "", name);
            add_value(data, len);
            add("\n");
        }
    }
    return text;
}

#define BUS                                                                                        \
    "pass\n-compatible simple-bus\n-#address-cells 2\n-#size-cells 2\n-ranges\n-interrupt-parent " \
    "1\n"

static void test_uart(void **state)
{
    (void)state;
    fresh();
    window(0x9040000, 0x1000, 0x20001000);
    irq(50, 52);
    assert_string_equal(
        check(),
        "f:10:1: note: uart@1000: left out of the guest's tree: resets dmas dma-names pinctrl-0 "
        "pinctrl-names assigned-clocks\n"
        "f:10:1: note: uart@1000: the rate of clock 1 is not in the board's tree: the guest is "
        "told "
        "24 MHz\n");
    assert_int_equal(vm.errors, 0);
    assert_false(vm.pass.irq[0].edge);
    assert_int_equal(vm.pass.ndevs, 1);
    assert_int_equal(vm.pass.dev[0].host, 0x20001000);
    assert_string_equal(vm.pass.dev[0].quiet->compatible, "arm,pl011");
    assert_string_equal(passed(), BUS " uart@9040000\n"
                                      " -compatible arm,pl011 arm,primecell\n"
                                      " -clock-names uartclk apb_pclk\n"
                                      " -reg 0 9040000 0 1000\n"
                                      " -interrupts 0 12 4\n"
                                      " -clocks 3 4\n"
                                      " clock-48000000\n"
                                      " -compatible fixed-clock\n"
                                      " -#clock-cells 0\n"
                                      " -clock-frequency 2dc6c00\n"
                                      " -phandle 3\n"
                                      " clock-24000000\n"
                                      " -compatible fixed-clock\n"
                                      " -#clock-cells 0\n"
                                      " -clock-frequency 16e3600\n"
                                      " -phandle 4\n");
}

/* Two windows, three interrupts of which two are passed, children, references inside and out. */
static void test_ethernet(void **state)
{
    (void)state;
    fresh();
    window(0x20010000, 0x1000, 0x20010000);
    window(0x30000000, 0x1000, 0x20012000);
    irq(62, 62);
    irq(100, 63);
    assert_string_equal(
        check(),
        "f:10:1: note: ethernet@10000: its interrupt, INTID 64, is not passed\n"
        "f:10:1: note: ethernet@10000: Muntin doesn't know how to stop this device: when its VM "
        "stops or restarts, its interrupts are masked, no more\n"
        "f:10:1: note: ethernet@10000: left out of the guest's tree: iommus vdd-supply "
        "reset-gpios\n");
    assert_false(vm.pass.irq[0].edge);
    assert_true(vm.pass.irq[1].edge);
    assert_int_equal(vm.pass.ndevs, 0);
    assert_int_equal(vm.pass.nstreams, 1); /* the SMMU keeps it to the VM's memory */
    assert_int_equal(vm.pass.stream[0], 5);
    assert_string_equal(passed(), BUS " ethernet@20010000\n"
                                      " -compatible acme,mac\n"
                                      " -reg-names mac stats\n"
                                      " -phy-handle 3\n"
                                      " -dma-coherent\n"
                                      " -#address-cells 1\n"
                                      " -#size-cells 0\n"
                                      " -mac-address 2000000\n"
                                      " -reg 0 20010000 0 1000 0 30000000 0 100\n"
                                      " -interrupts 0 1e 4 0 44 1\n"
                                      " -interrupt-names rx tx\n"
                                      "  mdio\n"
                                      "  -#address-cells 1\n"
                                      "  -#size-cells 0\n"
                                      "   phy@3\n"
                                      "   -reg 3\n"
                                      "   -phandle 3\n");
}

static void replace(const char *what, char by)
{
    for (char *p; (p = strstr(text, what)) != NULL;) {
        *p = by;
        memmove(p + 1, p + strlen(what), strlen(p + strlen(what)) + 1);
    }
}

/* What was kept is the same, but for phandles, which are out of everybody's way. */
static void test_kept(void **state)
{
    static u8 kept[3 * 8192] __attribute__((aligned(8)));
    char before[sizeof(text)];

    (void)state;
    fresh();
    window(0x9040000, 0x1000, 0x20001000);
    window(0x50000000, 0x2000, 0x20020000);
    irq(52, 52);
    irq(72, 72);
    snprintf(before, sizeof(before), "%s", passed());
    assert_true(gen_pass_keep(&vm, &board, kept, sizeof(kept)));
    assert_ptr_equal(vm.pass.tree, kept);
    (void)passed();
    replace("10000", '3');
    replace("10001", '4');
    assert_string_equal(text, before);
    assert_false(gen_pass_keep(&vm, &board, kept, 300));
    assert_null(vm.pass.tree);
}

/* Its SMMU is none that Muntin knows: nothing keeps it from other memory. */
static void test_no_smmu(void **state)
{
    u32 phandle = board.smmu.phandle;

    (void)state;
    fresh();
    window(0x20010000, 0x3000, 0x20010000);
    board.smmu.phandle = 0;
    assert_non_null(
        strstr(check(), "warning: ethernet@10000 reads and writes memory by itself, at addresses "
                        "of the board: it works with `ram identity` only, and without it, too, "
                        "reaches all of memory\n"));
    assert_int_equal(vm.pass.nstreams, 0);
    board.smmu.phandle = phandle;
}

/* A reference to a node that is copied is to its new phandle. */
static void test_references(void **state)
{
    const void *gave;
    int node, len;

    (void)state;
    fresh();
    window(0x20010000, 0x1000, 0x20010000);
    window(0x30000000, 0x1000, 0x20012000);
    (void)passed();
    node = fdt_path_offset(tree, "/pass/ethernet@20010000");
    gave = fdt_getprop(tree, node, "phy-handle", &len);
    assert_non_null(gave);
    assert_int_equal(tree_cells(gave, 1),
                     fdt_get_phandle(tree, fdt_path_offset(tree, "/pass/"
                                                                 "ethernet@20010000/mdio/phy@3")));
    assert_null(fdt_getprop(tree, node, "phy", NULL));
}

/* A device that is a bus: its children have addresses of the guest. */
static void test_bus(void **state)
{
    (void)state;
    fresh();
    window(0x50000000, 0x2000, 0x20020000);
    irq(72, 72);
    (void)check();
    assert_null(strstr(said, "warning"));
    assert_string_equal(passed(), BUS " block@50000000\n"
                                      " -compatible acme,block simple-mfd\n"
                                      " -reg 0 50000000 0 2000\n"
                                      " -#address-cells 2\n"
                                      " -#size-cells 2\n"
                                      " -ranges\n"
                                      "  part@50001000\n"
                                      "  -compatible acme,part\n"
                                      "  -reg 0 50001000 0 100\n"
                                      "  -interrupts 0 28 4\n");
}

static void test_partly(void **state)
{
    (void)state;
    fresh();
    window(0x20010000, 0x1000, 0x20010000); /* its other registers aren't passed */
    window(0x20020000, 0x1000, 0x20020000); /* half of it */
    irq(62, 62);
    assert_string_equal(check(),
                        "f:20:1: warning: INTID 62 is that of ethernet@10000, which is not passed\n"
                        "f:11:1: warning: only a part of block@20000, 0x2000 bytes at 0x20020000: "
                        "its node is not in the guest's tree\n");
    assert_string_equal(passed(), BUS);
}

static void test_forbidden(void **state)
{
    (void)state;
    fresh();
    window(0x10010000, 0x20000, 0x10010000);
    window(0x18080000, 0x1000, 0x8080000);
    (void)check();
    assert_non_null(strstr(said, "f:10:1: error: iommu@10010000 can't be passed: who has it is "
                                 "not confined to his VM\n"));
    assert_non_null(strstr(said, "f:11:1: error: msi@8080000 can't be passed"));
    assert_int_equal(vm.errors, 2);
}

static void test_unknown(void **state)
{
    (void)state;
    fresh();
    window(0x30000000, 0x1000, 0x30000000);
    window(0x50000000, 0x400000, 0x48000000); /* reserved memory is no device, but known */
    irq(200, 200);
    assert_string_equal(check(), "f:10:1: warning: the board's tree has nothing at 0x30000000, "
                                 "0x1000 bytes: is the address right?\n"
                                 "f:20:1: warning: no device in the board's tree has INTID 200: "
                                 "taken as level-triggered\n");
    assert_string_equal(passed(), BUS);
}

/* Shared devices are left alone; with errors nothing is said; identity RAM is what DMA needs. */
static void test_manners(void **state)
{
    (void)state;
    fresh();
    window(0x9040000, 0x1000, 0x20001000);
    vm.pass.window[0].shared = true;
    irq(52, 52);
    (void)check();
    assert_int_equal(vm.pass.ndevs, 0);
    fresh();
    window(0x30000000, 0x1000, 0x30000000);
    vm.errors = 1;
    assert_string_equal(check(), "");
    fresh();
    window(0x20010000, 0x1000, 0x20010000);
    window(0x30000000, 0x1000, 0x20012000);
    vm.mem[0].identity = true;
    assert_null(strstr(check(), "warning"));
}

static void load(const char *source)
{
    static u8 blob[8192];
    char command[512];
    FILE *f;

    snprintf(command, sizeof(command), "printf '%%s' '%s' | dtc -q -@ -I dts -O dtb", source);
    f = popen(command, "r");
    assert_non_null(f);
    vm.load[0] = (struct cfg_load){.type = LOAD_FDT, .path = str_of("x"), .place = {0, 1, 30}};
    vm.load[0].file = (struct bundle_file){.data = blob, .size = fread(blob, 1, sizeof(blob), f)};
    vm.nloads = 1;
    assert_int_equal(pclose(f), 0);
}

/* An overlay changes a copy, and adds to them. A whole tree brings its own nodes. */
static void test_user_trees(void **state)
{
    (void)state;
    fresh();
    window(0x50000000, 0x2000, 0x20020000);
    load("/dts-v1/; /plugin/; &pass { mine; }; &{/pass/block@50000000} { acme,mode = <7>; };");
    assert_non_null(strstr(passed(), "-mine\n"));
    assert_non_null(strstr(text, " -acme,mode 7\n"));
    assert_string_equal(said, "");
    fresh();
    window(0x50000000, 0x2000, 0x20020000);
    load("/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; block@50000000 { }; };");
    assert_string_equal(passed(), "");
    assert_true(fdt_path_offset(tree, "/block@50000000") > 0);
    assert_string_equal(said, "");
}

/* Without a board, or with a tree of the user's, whose nodes he brings himself: no copies. */
static void test_none(void **state)
{
    struct image_plan plan = {.dtb = 0x40000000};

    (void)state;
    fresh();
    window(0x9040000, 0x1000, 0x20001000);
    assert_true(fdt_guest_build(&vm, &plan, NULL, NULL, 0, tree, sizeof(tree), &diag) != 0);
    assert_true(fdt_path_offset(tree, "/pass") < 0);
    vm.pass.nwindows = 0;
    assert_true(fdt_guest_build(&vm, &plan, &board, NULL, 0, tree, sizeof(tree), &diag) != 0);
    assert_true(fdt_path_offset(tree, "/pass") < 0);
}

/* RAM that is passed is the guest's memory. */
static void test_memory(void **state)
{
    struct image_plan plan = {.dtb = 0x40000000};

    (void)state;
    fresh();
    window(0x50000000, 0x400000, 0x48000000);
    vm.pass.window[0].flags |= PASS_C | PASS_RAM;
    assert_true(fdt_guest_build(&vm, &plan, &board, NULL, 0, tree, sizeof(tree), &diag) != 0);
    assert_true(fdt_path_offset(tree, "/memory@50000000") > 0);
    assert_true(fdt_path_offset(tree, "/memory@40000000") > 0);
}

static const char *function(u16 f)
{
    fresh();
    vm.pass.npci = 1;
    vm.pass.pci[0] = (struct cfg_pci){.function = f, .place = {0, 1, 10}};
    return check();
}

/* Bridge, SMMU and ITS of the board, and how these call its functions. */
static void test_functions(void **state)
{
    (void)state;
    assert_int_equal(board.pci.ecam.base, 0x60000000);
    assert_int_equal(board.pci.bus, 0x40);
    assert_int_equal(board.pci.mem.base, 0x32000000);
    assert_int_equal(board.pci.mem.size, 0x2000000);
    assert_int_equal(board.pci.mem_bus, 0xa0000000);
    assert_int_equal(board.pci.buses, 16);
    assert_int_equal(board.pci.mem64.base, 0x800000000);
    assert_int_equal(board.pci.mem64.size, 0x800000000);
    assert_int_equal(board.pci.mem64_bus, 0x800000000);
    assert_true(board.pci.coherent);
    assert_int_equal(board.smmu.reg.base, 0x10010000);
    assert_int_equal(board.smmu.intid, 32 + 71);
    assert_int_equal(board.its.base, 0x8080000);
    assert_string_equal(function(0x4010), "");
    assert_int_equal(vm.pass.pci[0].stream, 0x110);
    assert_int_equal(vm.pass.pci[0].message, 0x2010);
    assert_string_equal(function(0x4018), "f:10:1: error: pci:40:3.0 can't be passed: its messages "
                                          "don't come to the ITS\n");
    for (u16 f = 0x4080; f <= 0x4100; f += 0x80) { /* mapped to something else, and not at all */
        assert_non_null(strstr(function(f), "can't be passed: it's not behind the SMMU, so that it "
                                            "would reach all of the board's memory\n"));
        assert_int_equal(vm.errors, 1);
    }
    board.pci.ecam.base += MIB; /* no bridge of the tree's: no stream 0 for want of another */
    assert_non_null(strstr(function(0x4010), "doesn't say what its functions are called"));
    assert_int_equal(vm.errors, 1);
    board.pci.ecam.base -= MIB;
}

/* The guest's own bridge, and the frame for its messages. */
static void test_bridge(void **state)
{
    struct image_plan plan = {.dtb = 0x40000000};
    const fdt32_t *parent;
    int bridge, frame;

    (void)state;
    (void)function(0x4010);
    assert_true(fdt_guest_build(&vm, &plan, &board, NULL, 0, tree, sizeof(tree), &diag) != 0);
    bridge = fdt_path_offset(tree, "/pcie@3f000000");
    frame = fdt_path_offset(tree, "/interrupt-controller@8000000/v2m@8020000");
    assert_true(bridge > 0 && frame > 0);
    parent = fdt_getprop(tree, bridge, "msi-parent", NULL);
    assert_int_equal(fdt32_to_cpu(*parent), fdt_get_phandle(tree, frame));
    assert_non_null(fdt_getprop(tree, bridge, "dma-coherent", NULL));
    assert_non_null(
        fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "linux,pci-probe-only", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_smmu),    cmocka_unit_test(test_functions),
        cmocka_unit_test(test_bridge),     cmocka_unit_test(test_uart),
        cmocka_unit_test(test_ethernet),   cmocka_unit_test(test_references),
        cmocka_unit_test(test_bus),        cmocka_unit_test(test_partly),
        cmocka_unit_test(test_forbidden),  cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_manners),    cmocka_unit_test(test_none),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_kept),
        cmocka_unit_test(test_user_trees),
    };

    return cmocka_run_group_tests(tests, read_board, NULL);
}

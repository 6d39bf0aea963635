/* SPDX-License-Identifier: MIT */
/* Checks of one VM and between VMs, and the places that Muntin chooses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/str.h"
#include "tests/host/configs.h"

#define OK "ram 16M load k "
#define A  "system a " OK
#define B  "system b " OK

static struct configs *with_files(void)
{
    struct configs *c = configs_new();
    u8 kernel[4096];

    configs_linux(kernel, sizeof(kernel), 0, 0x100000);
    configs_file(c, "k", kernel, sizeof(kernel));
    configs_file(c, "empty", "", 0);
    configs_file(c, "text", "hello", 5);
    return c;
}

/* Up to three VMs, "a", "b" and "c"; every message; the errors of each VM. */
static const struct {
    const char *vm[3], *log;
    u32 errors[3];
} cases[] = {
    {{A}, "", {0}},
    {{"system a load k"}, "a:1:1: error: no RAM: add `ram LENGTH`\n", {1}},
    {{"system a ram 1M"}, "a:1:1: error: nothing to start: add `load PATH` of a kernel\n", {1}},
    {{"system a ram 16M load nothere initrd load empty"},
     "a:1:18: error: file 'nothere' not found\na:1:38: error: file 'empty' is empty\n",
     {2}},
    {{A "vdev virtio-net boot <nothere\nvdev virtio-net boot empty vdev virtio-net boot text"},
     "a:1:46: error: file 'nothere' not found\na:2:22: error: file 'empty' is empty\n",
     {2}},
    {{A "vdev virtio-net boot </dev/hd0t179"}, /* of QNX's host */
     "a:1:46: error: file '/dev/hd0t179' not found: a disk is a file of the bundle, or `ramdisk "
     "SIZE`\n",
     {1}},
    /* after an error in the text, what may be missing for it isn't asked for */
    {{"system a rma 16M lod k"}, NULL, {2}},
    {{"system a ram 16Q load text"}, NULL, {1}},
    {{"system a ram 16M load 5,"}, NULL, {1}},
    /* what has nothing to do with it is */
    {{"system a frob ram 1M load k vdev pl011 intr gic:5"}, NULL, {3}},

    /* memory: alignment, ends, wrapping, overlap */
    {{"system a ram 0x40000800,16M load k"},
     "a:1:10: error: ram at 0x40000800, 0x1000000 bytes: both must be multiples of 4 KiB\n",
     {1}},
    {{"system a ram 16385K load k ram 1"},
     "a:1:10: error: ram at 0x40000000, 0x1000400 bytes: both must be multiples of 4 KiB\n"
     "a:1:28: error: ram at 0x41000400, 0x1 bytes: both must be multiples of 4 KiB\n",
     {2}},
    {{"system a ram 0 load k"}, "a:1:10: error: ram of length 0\n", {1}},
    {{"system a ram 0xfff0000000,256M ram 0xfffffff000,8K load k"},
     "a:1:32: error: ram at 0xfffffff000, 0x2000 bytes: guest addresses end at 0x10000000000\n",
     {1}},
    {{"system a ram 0xfffffffffffff000,8K load k"},
     "a:1:10: error: ram at 0xfffffffffffff000, 0x2000 bytes: guest addresses end at "
     "0x10000000000\n",
     {1}},
    {{"system a ram 1M,0xfffffffffffff000 load k"},
     "a:1:10: error: ram at 0x100000, 0xfffffffffffff000 bytes: guest addresses end at "
     "0x10000000000\n",
     {1}},
    {{A "ram 0x40fff000,8K"},
     "a:1:25: error: ram at 0x40fff000..0x41000fff overlaps ram at 0x40000000..0x40ffffff of line "
     "1\n",
     {1}},
    {{A "\nrom 0x40001000,4K\nreserve loc 0x40001000,4K"},
     "a:2:1: error: rom at 0x40001000..0x40001fff overlaps ram at 0x40000000..0x40ffffff of line "
     "1\n"
     "a:3:9: error: reserve at 0x40001000..0x40001fff overlaps ram at 0x40000000..0x40ffffff of "
     "line 1\n"
     "a:3:9: error: reserve at 0x40001000..0x40001fff overlaps rom at 0x40001000..0x40001fff of "
     "line 2\n",
     {3}},
    {{A "ram 0x08000000,64K"},
     "a:1:25: error: ram at 0x8000000..0x800ffff overlaps interrupt controller at "
     "0x8000000..0x800ffff\n",
     {1}},
    {{A "ram 0x080c0000,4K"}, "", {0}},
    {{A "cpu cpu ram 0x080c0000,4K"},
     "a:1:33: error: ram at 0x80c0000..0x80c0fff overlaps interrupt controller at "
     "0x80a0000..0x80dffff\n",
     {1}},
    {{A "vdev gic loc 0x2f000000 ram 0x08000000,64K"}, "", {0}},
    {{A "vdev gic loc 0x40000000"},
     "a:1:34: error: interrupt controller at 0x40000000..0x4000ffff overlaps ram at "
     "0x40000000..0x40ffffff of line 1\n"
     "a:1:34: error: interrupt controller at 0x400a0000..0x400bffff overlaps ram at "
     "0x40000000..0x40ffffff of line 1\n",
     {2}},
    {{A "vdev gic version 2"}, "a:1:34: error: this board has a GICv3, and so have its VMs\n", {1}},
    {{A "vdev gic version 3"}, "", {0}},

    /* devices */
    {{A "vdev pl011 loc 0x40000000"},
     "a:1:36: error: vdev pl011 at 0x40000000..0x40000fff overlaps ram at "
     "0x40000000..0x40ffffff of line 1\n",
     {1}},
    {{A "vdev pl011 loc 0x1c090000\nvdev pl011 loc 0x1c090000"},
     "a:2:12: error: vdev pl011 at 0x1c090000..0x1c090fff overlaps vdev pl011 at "
     "0x1c090000..0x1c090fff of line 1\n",
     {1}},
    {{A "vdev pl011 loc 0x1c090200"},
     "a:1:36: error: vdev pl011 at 0x1c090200, 0x1000 bytes: both must be multiples of 4 KiB\n",
     {1}},
    {{A "vdev pl011 loc 0xfffffffffffff000"},
     "a:1:36: error: vdev pl011 at 0xfffffffffffff000, 0x1000 bytes: guest addresses end at "
     "0x10000000000\n",
     {1}},
    {{A "vdev pl011 intr gic:31 vdev pl011 intr gic:15 vdev pl011 intr gic:288"},
     "a:1:36: error: gic:31 is a PPI: a device needs gic:32..gic:287, which are SPIs; SPI 31 is "
     "gic:63\n"
     "a:1:59: error: gic:15 is an SGI: a device needs gic:32..gic:287, which are SPIs; SPI 15 is "
     "gic:47\n"
     "a:1:82: error: gic:288 is beyond the virtual GIC: a device needs gic:32..gic:287, which are "
     "SPIs\n",
     {3}},
    {{A "vdev pl011 intr gic:32 vdev pl011 intr gic:287"}, "", {0}},
    {{A "vdev pl011 intr gic:40\nvdev virtio-net\n intr gic:40"},
     "a:3:2: error: gic:40 is the interrupt of the pl011 of line 1, too\n",
     {1}},
    {{A "reserve intr gic:40\nvdev pl011 intr gic:40"},
     "a:2:12: error: gic:40 is reserved by line 1\n",
     {1}},
    {{A "vdev pl011 name x\nvdev virtio-net name x"},
     "a:2:1: error: the device of line 1 has the name 'x', too\n",
     {1}},
    {{A "vdev virtio-net mac 020000000001\nvdev virtio-net mac 02:00:00:00:00:01"},
     "a:2:1: error: MAC 02:00:00:00:00:01 is that of the virtio-net of line 1, too\n",
     {1}},
    {{A "vdev virtio-net legacy"},
     "a:1:25: error: this virtio-net can't work as configured\n",
     {1}},

    /* CPUs: the board has 4 */
    {{A "cpu runmask 4 cpu runmask 0,3"},
     "a:1:25: error: runmask names no CPU of this board, which has 0..3\n",
     {1}},
    {{A "cpu runmask 3,4"},
     "a:1:25: warning: runmask names CPUs that this board, with 0..3, doesn't have\n",
     {0}},

    /* between VMs */
    {{A, A, B},
     "a:1:1: error: another VM is called 'a', too: b:1\n"
     "b:1:1: error: another VM is called 'a', too: a:1\n",
     {1, 1, 0}},
    {{A "\nvdev virtio-net mac 020000000001 peer s", B "vdev virtio-net mac 020000000001 peer s"},
     "a:2:1: error: MAC 02:00:00:00:00:01 is also that of the device at b:1\n"
     "b:1:25: error: MAC 02:00:00:00:00:01 is also that of the device at a:2\n",
     {1, 1}},
    {{A "vdev virtio-net peer /dev/vdevpeer/x", B "vdev virtio-net peer /dev/vdevpeers/x"},
     "",
     {0}},
    {{A "vdev virtio-net peer /dev/vdevpeer/x", B "vdev virtio-net peer y"},
     "a:1:25: warning: switch 'x' has no other port: is its name right?\n"
     "b:1:25: warning: switch 'y' has no other port: is its name right?\n",
     {0}},
    /* private links: in either order; a far end that isn't there; one that doesn't name us */
    {{A "vdev virtio-net name e peer /dev/qvm/b/f", B "vdev virtio-net name f peer /dev/qvm/a/e"},
     "",
     {0}},
    {{A "vdev virtio-net name e peer /dev/qvm/a/f vdev virtio-net name f peer /dev/qvm/a/e"},
     "",
     {0}},
    {{A "vdev virtio-net name e peer /dev/qvm/b/f"},
     "a:1:25: warning: no device 'f' in a VM 'b': the link stays down\n",
     {0}},
    {{A "vdev virtio-net name e peer /dev/qvm/b/g", B "vdev pl011 name g"},
     "a:1:25: warning: no device 'g' in a VM 'b': the link stays down\n",
     {0}},
    {{A "vdev virtio-net name e peer /dev/qvm/b/f", B "vdev virtio-net name f peer /dev/x/e"},
     "a:1:25: error: the far end, b:1, does not name this device: it needs `peer /dev/qvm/a/e`\n"
     "b:1:25: warning: switch 'e' has no other port: is its name right?\n",
     {1, 0}},
    {{A "vdev virtio-net name e peer /dev/qvm/b/f", B "vdev virtio-net name f peer /dev/qvm/a/x"},
     "a:1:25: error: the far end, b:1, does not name this device: it needs `peer /dev/qvm/a/e`\n"
     "b:1:25: warning: no device 'x' in a VM 'a': the link stays down\n",
     {1, 0}},
    {{A "vdev virtio-net name e peer /dev/qvm/b/f",
      B "vdev virtio-net name f peer /dev/qvm/a/e vdev pl011 intr gic:1"},
     "b:1:77: error: gic:1 is an SGI: a device needs gic:32..gic:287, which are SPIs; SPI 1 is "
     "gic:33\n"
     "a:1:25: warning: VM 'b' has errors: the link to it stays down\n",
     {0, 1}},
    {{A "vdev virtio-net peer /dev/qvm/b/f", B "vdev virtio-net name f peer /dev/qvm/b/f"},
     "a:1:25: error: a private link needs a `name` for its far end to name\n"
     "b:1:25: error: this device is its own peer\n",
     {1, 1}},
    {{A "vdev virtio-net name x peer /dev/qvm/b"},
     "a:1:25: error: a private link is `peer /dev/qvm/SYSTEM/NAME`\n",
     {1}},
    /* a CPU of its own is what exit-on-halt off is for */
    {{A "cpu runmask 1 set exit-on-halt off", B "cpu runmask 1,2"}, "", {0}},
    {{A "cpu runmask 1 set exit-on-halt off", B "\ncpu runmask 1"},
     "a:1:56: error: exit-on-halt off, but CPU 1 is shared with the vCPU at b:2\n",
     {1, 0}},
    {{A "cpu runmask 0,1 set exit-on-halt off", B "cpu cpu cpu",
      "system c " OK "cpu runmask 2 cpu "
      "runmask 3"},
     "",
     {0}},
    {{A "cpu cpu set exit-on-halt off", B "cpu cpu\ncpu"}, "", {0}},
    {{A "cpu cpu\nset exit-on-halt off", B "cpu cpu\ncpu", "system c " OK "set exit-on-halt off"},
     "",
     {0}},
    {{A "cpu cpu cpu cpu\nset exit-on-halt off", B},
     "a:2:18: error: exit-on-halt off, but CPU 0 is shared with the vCPU at b:1\n",
     {1, 0}},
    {{A "dryrun cpu cpu cpu cpu\nset exit-on-halt off", B}, "", {0}},
    {{A "cpu runmask 1 cpu runmask 1 set exit-on-halt off"},
     "a:1:70: error: exit-on-halt off, but CPU 1 is shared with the vCPU at a:1\n",
     {1}},
};

static u32 run_case(u32 i)
{
    static const char *const names[] = {"a", "b", "c"};
    struct configs *c = with_files();
    u32 wrong = 0;

    for (u32 v = 0; v < 3 && cases[i].vm[v] != NULL; v++) {
        configs_parse(c, names[v], cases[i].vm[v]);
    }
    configs_check(c, 3, 4);
    if (cases[i].log != NULL && strcmp(c->log, cases[i].log) != 0) {
        printf("of: %s\nexpected:\n%s\ngot:\n%s\n", cases[i].vm[0], cases[i].log, c->log);
        wrong++;
    }
    for (u32 v = 0; v < c->count; v++) {
        if (c->vms[v]->errors != cases[i].errors[v]) {
            printf("of: %s\nVM %s: %u errors\n%s\n", cases[i].vm[v], names[v], c->vms[v]->errors,
                   c->log);
            wrong++;
        }
    }
    free(c);
    return wrong;
}

static void test_cases(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        wrong += run_case(i);
    }
    assert_int_equal(wrong, 0);
}

/* What is left open goes where QEMU's virt board has it; what is fixed is worked around. */
static void test_places(void **state)
{
    struct configs *c = with_files();
    struct vm_config *vm = configs_parse(
        c, "a",
        A "vdev virtio-net vdev pl011 vdev virtio-net loc 0x0a001000 intr gic:49 vdev virtio-net "
          "vdev pl011 reserve intr gic:51 reserve loc 0x0a003000,4K vdev virtio-net ram 4K rom 8K");

    (void)state;
    configs_check(c, 3, 0);
    assert_string_equal(c->log, "a:1:191: note: nothing is loaded into this rom: the guest reads "
                                "zeros\n");
    assert_int_equal(vm->vdev[0].loc, 0x0a000000);
    assert_int_equal(vm->vdev[0].intid, 48);
    assert_int_equal(vm->vdev[1].loc, 0x09000000);
    assert_int_equal(vm->vdev[1].intid, 33);
    assert_int_equal(vm->vdev[3].loc, 0x0a002000);
    assert_int_equal(vm->vdev[3].intid, 50);
    assert_int_equal(vm->vdev[4].loc, 0x0a004000);
    assert_int_equal(vm->vdev[4].intid, 52);
    assert_int_equal(vm->vdev[5].loc, 0x0a005000);
    assert_int_equal(vm->vdev[5].intid, 53);
    assert_int_equal(vm->mem[0].base, 0x40000000);
    assert_int_equal(vm->mem[1].base, 0x41000000);
    assert_int_equal(vm->mem[2].base, 0x41001000);
    assert_int_equal(vm->gic_version, 3);
    assert_int_equal(vm->gicd, 0x08000000);
    assert_int_equal(vm->gicr, 0x080a0000);
    assert_int_equal(vm->gicc, 0x08010000);
    free(c);
}

/* A default place that is taken, by a device or by RAM, is left alone. */
static void test_places_taken(void **state)
{
    struct configs *c = with_files();
    struct vm_config *vm = configs_parse(c, "a",
                                         A "vdev virtio-net loc 0x09000000 intr gic:33 vdev pl011 "
                                           "ram 0x0a000000,64K vdev virtio-net");

    (void)state;
    configs_check(c, 2, 0);
    assert_string_equal(c->log, "");
    assert_int_equal(vm->vdev[1].loc, 0x0a010000);
    assert_int_equal(vm->vdev[1].intid, 48);
    assert_int_equal(vm->vdev[2].loc, 0x0a011000);
    free(c);
}

static void test_no_place(void **state)
{
    struct configs *c = with_files();

    (void)state;
    configs_parse(c, "a", A "reserve loc 0x0a000000,32M\nvdev virtio-net vdev pl011");
    configs_check(c, 3, 0);
    assert_string_equal(c->log,
                        "a:2:1: error: no free address for this virtio-net: give it a loc\n");
    free(c);
}

static void test_unknown_board(void **state)
{
    struct configs *c = with_files();
    struct vm_config *vm = configs_parse(c, "a", A "cpu runmask 9 vdev gic version 2");

    (void)state;
    configs_check(c, 0, 0);
    assert_string_equal(c->log, "");
    assert_int_equal(vm->gic_version, 2);
    free(c);
}

/* Unset MACs: the same each time, different for each NIC, local and not a group's. */
static void test_macs(void **state)
{
    struct configs *c = with_files();
    u8 mac[8][6], again[6];
    u32 n = 0;

    (void)state;
    configs_parse(c, "a",
                  A "vdev virtio-net vdev virtio-net vdev virtio-net name x vdev virtio-net "
                    "mac 0a0b0c0d0e0f vdev pl011");
    configs_parse(c, "b", B "vdev virtio-net vdev virtio-net name x");
    for (u32 v = 0; v < 2; v++) {
        for (u32 i = 0; i < c->vm[v].nvdevs; i++) {
            n += config_nic_mac(&c->vm[v], &c->vm[v].vdev[i], mac[n]);
        }
    }
    assert_int_equal(n, 6);
    assert_memory_equal(mac[3], "\x0a\x0b\x0c\x0d\x0e\x0f", 6);
    for (u32 i = 0; i < n; i++) {
        assert_int_equal(mac[i][0], i == 3 ? 0x0a : 0x02);
        for (u32 j = 0; j < i; j++) {
            assert_memory_not_equal(mac[i], mac[j], 6);
        }
    }
    config_mac(str_of("a"), str_of("x"), 7, again);
    assert_memory_equal(again, mac[2], 6);
    config_mac(str_of("ax"), str_of(""), 2, again);
    assert_memory_not_equal(again, mac[2], 6);
    free(c);
}

static void test_nic_peer(void **state)
{
    struct configs *c = configs_new();
    struct vm_config *vm = configs_parse(c, "a",
                                         "system a vdev virtio-net peer /dev/vdevpeer/vp_lv vdev "
                                         "virtio-net peer plain vdev virtio-net peer "
                                         "/dev/qvm/left/eth:0 vdev virtio-net vdev pl011");
    struct nic_peer p;

    (void)state;
    p = config_nic_peer(&vm->vdev[0]);
    assert_int_equal(p.kind, NIC_SWITCH);
    assert_true(str_is(p.name, "vp_lv"));
    assert_true(str_is(config_nic_peer(&vm->vdev[1]).name, "plain"));
    p = config_nic_peer(&vm->vdev[2]);
    assert_int_equal(p.kind, NIC_LINK);
    assert_true(str_is(p.system, "left") && str_is(p.name, "eth:0"));
    assert_int_equal(config_nic_peer(&vm->vdev[3]).kind, NIC_ALONE);
    assert_int_equal(config_nic_peer(&vm->vdev[4]).kind, NIC_ALONE);
    free(c);
}

/* What each text's vCPUs are pinned to on a board with 4 CPUs, all VMs' in a row. */
static const struct {
    const char *vm[3], *pcpus;
} pinnings[] = {
    {{A "cpu cpu", B "cpu cpu"}, "01 23"},
    {{A "cpu cpu cpu cpu", B "cpu cpu cpu"}, "0123 012"},
    /* who has no choice comes first, wherever he stands */
    {{A "cpu cpu", B "cpu runmask 0 cpu runmask 1"}, "23 01"},
    {{A "cpu runmask 0,1", B "cpu runmask 0", "system c " OK "cpu runmask 0,1,2"}, "1 0 2"},
    /* who wants a CPU alone gets it, as long as others can go elsewhere */
    {{A "cpu cpu cpu", B "set exit-on-halt off"}, "123 0"},
    {{A "cpu cpu cpu cpu cpu", B "set exit-on-halt off"}, "12312 0"},
    {{A "cpu runmask 7,3"}, "3"},
};

static void test_pinning(void **state)
{
    static const char *const names[] = {"a", "b", "c"};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(pinnings); i++) {
        struct configs *c = with_files();
        char text[64] = "";

        for (u32 v = 0; v < 3 && pinnings[i].vm[v] != NULL; v++) {
            configs_parse(c, names[v], pinnings[i].vm[v]);
        }
        configs_check(c, 3, 4);
        for (u32 v = 0; v < c->count; v++) {
            for (u32 k = 0; k < c->vms[v]->ncpus; k++) {
                sprintf(text + strlen(text), "%s%u", v > 0 && k == 0 ? " " : "",
                        c->vms[v]->cpu[k].pcpu);
            }
        }
        assert_string_equal(text, pinnings[i].pcpus);
        assert_int_equal(c->diag.errors, 0);
        free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),         cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_taken),  cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_unknown_board), cmocka_unit_test(test_pinning),
        cmocka_unit_test(test_macs),          cmocka_unit_test(test_nic_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* virtio-net as a config line: what each option becomes, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/check.h"
#include "tests/host/line.h"
#include "vdev/virtio/net.h"

static struct line t;

/* The options of a NIC with these words behind it; what is wrong with them is in t.log. */
static const struct net_opts *parse(const char *words)
{
    char line[480];
    struct vdev_conf *conf;

    snprintf(line, sizeof(line), "virtio-net %s", words);
    conf = line_parse(&t, line);
    line_check(&t);
    return conf->opts;
}

static void test_defaults(void **state)
{
    const struct net_opts *o = parse("switch s");

    (void)state;
    assert_string_equal(t.log, "");
    assert_int_equal(o->mtu, 1500);
    assert_int_equal(o->bind_mode, 0660);
    assert_int_equal(o->mac_spoof, SPOOF_DENY);
    assert_int_equal(o->vlan.mode, VLAN_NONE);
    assert_int_equal(o->statics.n, 0);
    assert_false(o->isolate || o->monitor || o->packed || o->legacy || o->mac.set);
    assert_int_equal(o->rate_bytes, 0);
    assert_int_equal(o->rate_packets, 0);
    assert_int_equal(o->storm, 2000);
    assert_true(o->peerfeats == UINT64_MAX);
    assert_int_equal(o->queues, 0);
    assert_int_equal(o->qsize, 256);
    assert_int_equal(o->speed, 10000);
    assert_int_equal(o->capture, 0);
}

static void test_all(void **state)
{
    const struct net_opts *o =
        parse("switch s isolate monitor rate 10m rate-packets 1000000 storm 0 queues 8 qsize 1000 "
              "packed speed 0 peerfeats 0x01c0000000007fc3 capture 16M vlan trunk:2,native:3 "
              "static 020000000001");

    (void)state;
    assert_string_equal(t.log, "");
    assert_true(o->isolate && o->monitor && o->packed);
    assert_int_equal(o->rate_bytes, 10 << 20);
    assert_int_equal(o->rate_packets, 1000000);
    assert_int_equal(o->storm, 0);
    assert_int_equal(o->queues, 8);
    assert_int_equal(o->qsize, 1000);
    assert_int_equal(o->speed, 0);
    assert_true(o->peerfeats == NET_OFFLOADS);
    assert_int_equal(o->capture, 16 << 20);
    assert_int_equal(o->vlan.mode, VLAN_TRUNK);
    assert_int_equal(o->vlan.vid, 3);
    assert_int_equal(o->vlan.tagged[0], 1u << 2);
    assert_int_equal(o->statics.n, 1);
    assert_int_equal(o->statics.mac[0][5], 1);
    assert_true(parse("switch s legacy qsize 1")->legacy);
    assert_string_equal(t.log, "");
}

/* The parser marks what is given, by the option's index. */
static void test_given(void **state)
{
    const struct opt *storm = opt_find(&virtio_net_type, "storm");

    (void)state;
    (void)parse("switch s");
    assert_int_equal(t.vm.vdev[0].given,
                     1u << (opt_find(&virtio_net_type, "switch") - virtio_net_type.opts));
    (void)parse("storm 2000");
    assert_int_equal(t.vm.vdev[0].given, 1u << (storm - virtio_net_type.opts));
}

static const struct {
    const char *words, *log;
} refused[] = {
    {"switch s packed legacy",
     "f:1:10: error: virtio-net: `legacy` has no packed rings: drop `packed`\n"},
    {"switch s qsize 1000", "f:1:10: error: virtio-net: `qsize 1000` is not a power of two, which "
                            "it must be without `packed`\n"},
    {"switch s qsize 0 queues 0 queues 9", "f:1:41: error: 'qsize' must be 1..1024, not 0\n"
                                           "f:1:50: error: 'queues' must be 1..8, not 0\n"
                                           "f:1:52: error: 'queues' is given twice\n"},
    {"switch s qsize 2048 queues 9", "f:1:41: error: 'qsize' must be 1..1024, not 2048\n"
                                     "f:1:53: error: 'queues' must be 1..8, not 9\n"},
    {"switch s capture 4095 rate 1025g rate-packets 1000000001 storm 1000000001 speed 0x80000000",
     "f:1:43: error: 'capture' must be 4096..16777216, not 4095\n"
     "f:1:53: error: 'rate' must be 0..1099511627776, not 1025g\n"
     "f:1:72: error: 'rate-packets' must be 0..1000000000, not 1000000001\n"
     "f:1:89: error: 'storm' must be 0..1000000000, not 1000000001\n"
     "f:1:106: error: 'speed' must be 0..2147483647, not 0x80000000\n"},
    {"switch s peerfeats 0x23", "f:1:10: warning: virtio-net: `peerfeats`: the bits 0x20 are no "
                                "offloads and have no effect\n"},
    {"switch s mac 020000000001 static 020000000001",
     "f:1:10: error: virtio-net: `static` repeats the NIC's own address\n"},
    {"name n peer /dev/qvm/b/n vlan access:1",
     "f:1:10: error: virtio-net: `vlan` is only for a NIC on a switch\n"},
    {"name n peer /dev/qvm/b/n isolate",
     "f:1:10: error: virtio-net: `isolate` is only for a NIC on a switch\n"},
    {"name n peer /dev/qvm/b/n monitor",
     "f:1:10: error: virtio-net: `monitor` is only for a NIC on a switch\n"},
    {"name n peer /dev/qvm/b/n static 020000000001",
     "f:1:10: error: virtio-net: `static` is only for a NIC on a switch\n"},
    {"name n peer /dev/qvm/b/n rate 1M storm 1 capture 4K queues 2", ""},
    {"peer /dev/qvm/b/n switch s vlan access:1", ""},
    {"monitor", "f:1:10: warning: virtio-net without `peer` or `switch`: it stays without "
                "carrier\n"},
};

static void test_refused(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
        (void)parse(refused[i].words);
        if (strcmp(t.log, refused[i].log) != 0) {
            printf("of: %s\nexpected:\n%s\ngot:\n%s\n", refused[i].words, refused[i].log, t.log);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

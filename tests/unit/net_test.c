/* SPDX-License-Identifier: MIT */
/* virtio-net seen from its driver, with a switch behind it. */
#include "tests/host/nic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct nic a, b;

static void test_frame(void **state)
{
    u8 f[256], got[256];
    struct net_opts oa = nic_options("/dev/vdevpeer/sw", 1),
                    ob = nic_options("/dev/vdevpeer/sw", 2);
    (void)state;
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL, 16);
    nic_start(&b, NIC_USUAL, 16);
    nic_fill(&b, 0, 8, NIC_BUFFER);
    nic_frame(f, b.mac, a.mac, 100, 3);
    nic_send(&a, f, 100);
    assert_int_equal(nic_recv(&b, got, sizeof(got), true), 100);
    assert_memory_equal(f, got, 100);
    assert_int_equal(b.g.level[NIC_INTID], 1);
    assert_int_equal(driver_irq(&b.g, NIC_BASE), 1);
    assert_int_equal(b.g.level[NIC_INTID], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_frame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

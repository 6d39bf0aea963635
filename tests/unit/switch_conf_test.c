/* SPDX-License-Identifier: MIT */
/* Descriptions of switches, from the config to the switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/str.h"
#include "vdev/net/port.h"
#include "vdev/net/switch.h"

static void test_descriptions(void **state)
{
    static const struct switch_conf lan = {.name = {"lan", 3}, .age_s = 10, .poll_cpu = 2};
    static const struct switch_conf again = {.name = {"lan", 3}, .age_s = 20};
    const struct switch_conf *c = switch_description(str_of("lan"));

    (void)state;
    assert_int_equal(c->age_s, CFG_AGE);
    assert_int_equal(c->poll_cpu, UINT32_MAX);
    assert_false(c->isolate || c->has_storm || c->drop_unknown);
    switch_configure(&lan);
    switch_configure(&again);
    assert_ptr_equal(switch_description(str_of("lan")), &lan);
    assert_ptr_equal(switch_description(str_of("la")), c);
    net_forget_all();
    assert_ptr_equal(switch_description(str_of("lan")), c);
}

static void test_too_many(void **state)
{
    static struct switch_conf conf[65];
    static char name[65][4];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(conf); i++) {
        snprintf(name[i], sizeof(name[i]), "%u", i);
        conf[i] = (struct switch_conf){.name = str_of(name[i])};
        switch_configure(&conf[i]);
    }
    assert_ptr_equal(switch_description(str_of("63")), &conf[63]);
    assert_ptr_not_equal(switch_description(str_of("64")), &conf[64]);
    net_forget_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* `switch NAME { ... }`: its text, and what is checked of switches and of NICs on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/str.h"
#include "tests/host/configs.h"
#include "tests/host/fake_types.h"

#define S "system a\n"

/* The switches of a text without errors. */
static const struct {
    const char *text, *dump;
} meanings[] = {
    {S "switch lan { }", "switch lan age=300 drop=0 storm=0/0 poll=-1 isolate=0\n"},
    {S "switch lan{}", "switch lan age=300 drop=0 storm=0/0 poll=-1 isolate=0\n"},
    {S "switch \"lan\"\n{# a comment {\n}", "switch lan age=300 drop=0 storm=0/0 poll=-1 "
                                            "isolate=0\n"},
    {S "switch lan {\n  age 10 unknown drop\n  storm 5\n  poll 15\n  isolate\n}\ncpu runmask 1",
     "switch lan age=10 drop=1 storm=5/1 poll=15 isolate=1\n"},
    {S "switch a{age 0xf4240}switch b{unknown flood}switch c{storm 0}vdev pl011",
     "switch a age=1000000 drop=0 storm=0/0 poll=-1 isolate=0\n"
     "switch b age=300 drop=0 storm=0/0 poll=-1 isolate=0\n"
     "switch c age=300 drop=0 storm=0/1 poll=-1 isolate=0\n"},
    /* in the context of a NIC: its option, or the end of the context */
    {S "vdev virtio-net switch lan switch lan { isolate } vdev virtio-net switch lan storm 7",
     "switch lan age=300 drop=0 storm=0/0 poll=-1 isolate=1\n"},
    {S "vdev virtio-net switch lan name { ", NULL},
    /* braces elsewhere are letters */
    {S "cmdline a{b} load {x} load }", ""},
};

static void test_meaning(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(meanings); i++) {
        struct configs *c = configs_new();
        struct vm_config *vm = configs_parse(c, "f", meanings[i].text);
        char dump[4096], *from, *to;

        configs_dump(vm, dump, sizeof(dump));
        from = strstr(dump, "\nswitch ");
        to = strstr(dump, "policy ");
        if (meanings[i].dump == NULL) {
            assert_int_equal(vm->nswitches, 0);
        } else {
            assert_string_equal(c->log, "");
            *to = '\0';
            assert_string_equal(from == NULL ? "" : from + 1, meanings[i].dump);
        }
        free(c);
    }
}

#define HAS " (it has: age unknown storm poll isolate)\n"

/* Every message of a text, and how many switches it describes. */
static const struct {
    const char *text, *log;
    u32 count;
} messages[] = {
    {S "switch lan {", "f:2:12: error: this '{' is never closed\n", 1},
    {S "switch lan { age",
     "f:2:14: error: 'age' needs SECONDS behind it\n"
     "f:2:12: error: this '{' is never closed\n",
     1},
    {S "switch lan {\nage 20\nvdev virtio-net mtu 1",
     "f:2:12: error: this '{' is not closed before 'vdev' of line 4\n"
     "f:4:21: error: 'mtu' must be 68..65535, not 1\n",
     1},
    {S "switch a { switch b { age 1 }",
     "f:2:10: error: this '{' is not closed before 'switch' of line 2\n"
     "f:2:27: error: age must be 10..1000000, not 1\n",
     2},
    {S "switch lan {} }", "f:2:15: error: unknown word '}' (no context is open)\n", 1},
    {S "switch lan { { }", "f:2:14: error: unknown option '{' in the context of 'switch'" HAS, 1},
    {S "switch {}", "f:2:1: error: 'switch' needs a NAME behind it\n", 1},
    {S "switch a/b {}",
     "f:2:8: error: 'a/b' is not a name: letters, digits and . _ - : + are allowed\n", 1},
    {S "switch lan ram 1M",
     "f:2:1: error: 'switch' is an option of a NIC; a switch is described by `switch NAME { "
     "OPTIONS }`\n",
     0},
    {S "vdev pl011 switch lan",
     "f:2:12: error: 'switch' is an option of a NIC; a switch is described by `switch NAME { "
     "OPTIONS }`\n",
     0},
    /* the context of a device that there isn't has NICs' options, too */
    {S "vdev virtio-input switch lan switch wan { poll 1 }",
     "f:2:6: error: vdev 'virtio-input' is not supported: a keyboard is the VM's console: "
     "pl011\n",
     1},
    {"switch lan {} system a",
     "f:1:1: error: 'switch' before 'system': `system NAME` must be the first option of a VM\n", 1},
    {S "switch lan { agee 5 mtu 9000 pol }",
     "f:2:14: error: unknown option 'agee' in the context of 'switch'; did you mean 'age'?" HAS
     "f:2:21: error: unknown option 'mtu' in the context of 'switch'" HAS
     "f:2:30: error: unknown option 'pol' in the context of 'switch'; did you mean 'poll'?" HAS,
     1},
    {S "switch lan { age 9 age 10 storm x storm 1 unknown maybe unknown drop poll 16 poll 2 }",
     "f:2:18: error: age must be 10..1000000, not 9\n"
     "f:2:20: error: 'age' is given twice\n"
     "f:2:33: error: 'x' is not a number: storm must be 0..1000000000\n"
     "f:2:35: error: 'storm' is given twice\n"
     "f:2:51: error: 'maybe' is not one of: flood, drop\n"
     "f:2:57: error: 'unknown' is given twice\n"
     "f:2:75: error: a CPU number must be 0..15, not 16\n"
     "f:2:78: error: 'poll' is given twice\n",
     1},
    {S "switch lan { poll 0 }", "f:2:19: error: CPU 0 can't poll: it has the console\n", 1},
    {S "switch lan { unknown }", "f:2:14: error: 'unknown' needs flood|drop behind it\n", 1},
    {S "switch lan { @x @ age 10 }",
     "f:2:14: error: '@x': no file may be pulled in between braces\n"
     "f:2:17: error: '@': no file may be pulled in between braces\n",
     1},
    {S "switch 1 {} switch 2 {} switch 3 {} switch 4 {} switch 5 {} switch 6 {} switch 7 {} "
       "switch 8 {} switch 9 { age 5 }",
     "f:2:97: error: more than 8 switches described in one VM\n"
     "f:2:112: error: age must be 10..1000000, not 5\n",
     8},
};

static void test_messages(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(messages); i++) {
        struct configs *c = configs_new();
        struct vm_config *vm = configs_parse(c, "f", messages[i].text);

        if (strcmp(c->log, messages[i].log) != 0 || vm->nswitches != messages[i].count) {
            printf("of: %s\nexpected:\n%s\ngot %u switches:\n%s\n", messages[i].text,
                   messages[i].log, vm->nswitches, c->log);
            wrong++;
        }
        free(c);
    }
    assert_int_equal(wrong, 0);
}

/* The '}' has to be in the file of the '{'. */
static void test_end_of_file(void **state)
{
    struct configs *c = configs_new();
    struct vm_config *vm;

    (void)state;
    configs_file(c, "x", "switch lan { age 20", 19);
    configs_file(c, "y", "switch wan { age 30 }", 21);
    configs_end(c);
    vm = configs_parse(c, "a", "system a @y @x } cpu");
    assert_string_equal(c->log, "x:1:12: error: this '{' is never closed\n"
                                "a:1:16: error: unknown word '}' (no context is open)\n");
    assert_int_equal(vm->nswitches, 2);
    assert_int_equal(vm->sw[0].age_s, 30);
    assert_int_equal(vm->sw[1].age_s, 20);
    assert_int_equal(vm->ncpus, 1);
    free(c);
}

/* --- checks of all VMs together -------------------------------------------------------------- */

#define A   "system a ram 16M load k "
#define B   "system b ram 16M load k "
#define NIC "vdev virtio-net switch lan "

static struct configs *check(const char *const vm[3], u32 npcpus)
{
    static const char *const names[] = {"a", "b", "c"};
    struct configs *c = configs_new();
    u8 kernel[4096];

    configs_linux(kernel, sizeof(kernel), 0, 0x100000);
    configs_file(c, "k", kernel, sizeof(kernel));
    configs_end(c);
    for (u32 i = 0; i < 3 && vm[i] != NULL; i++) {
        configs_parse(c, names[i], vm[i]);
    }
    configs_check(c, 3, npcpus);
    return c;
}

/* With 4 CPUs: every message, and the errors of each VM. */
static const struct {
    const char *vm[3], *log;
    u32 errors[3];
} checks[] = {
    {{A NIC "\nswitch lan { age 20 }", B NIC}, "", {0}},
    {{A NIC "\nswitch lan {}", B NIC "\n\nswitch lan { age 20 }"},
     "a:2:1: error: switch 'lan' is described at b:3, too\n"
     "b:3:1: error: switch 'lan' is described at a:2, too\n",
     {1, 1}},
    {{A NIC NIC "\nswitch lan {}\nswitch lan {}"},
     "a:2:1: error: switch 'lan' is described at a:3, too\n"
     "a:3:1: error: switch 'lan' is described at a:2, too\n",
     {2}},
    {{A NIC "switch lam {}", B NIC},
     "a:1:52: warning: no NIC is on switch 'lam': is its name right?\n",
     {0}},
    {{A "vdev virtio-net peer /dev/vdevpeer/lan switch lan {}", B "vdev virtio-net peer lan"},
     "",
     {0}},
    /* CPUs that poll */
    {{A NIC "switch lan { poll 4 }", B NIC},
     "a:1:65: error: no CPU 4 can poll: this board has 0..3\n",
     {1, 0}},
    {{A NIC "\nswitch lan { poll 3 }", B NIC "\ncpu runmask 2,3\ncpu runmask 3\ncpu"},
     "b:3:1: error: CPU 3 polls for switch 'lan' (a:2): no vCPU can be there\n"
     "a:2:14: error: CPU 3 can't poll: the vCPU at b:3 is pinned to it\n",
     {1, 1}},
    {{A NIC "\nswitch lan { poll 3 }", B NIC "dryrun cpu runmask 3"}, "", {0}},
    {{A NIC NIC "cpu runmask 1,2\nswitch lan { poll 1 }\nswitch s2 { poll 2 } vdev virtio-net "
                "switch s2 vdev virtio-net switch s2"},
     "a:1:79: error: CPU 1 polls for switch 'lan' (a:2): no vCPU can be there\n"
     "a:2:14: error: CPU 1 can't poll: the vCPU at a:1 is pinned to it\n",
     {2}},
    /* further addresses: on one switch only */
    {{A NIC "static 02:00:00:00:00:01", B "\n" NIC "mac 020000000001"},
     "a:1:25: error: 02:00:00:00:00:01 is also an address of the NIC at b:2\n"
     "b:2:1: error: 02:00:00:00:00:01 is also an address of the NIC at a:1\n",
     {1, 1}},
    {{A NIC "static 020000000001", B NIC "static 020000000002 static 020000000001"},
     "a:1:25: error: 02:00:00:00:00:01 is also an address of the NIC at b:1\n"
     "b:1:25: error: 02:00:00:00:00:01 is also an address of the NIC at a:1\n",
     {1, 1}},
    {{A NIC "mac 020000000001\n" NIC "static 020000000001"},
     "a:1:25: error: 02:00:00:00:00:01 is also an address of the NIC at a:2\n"
     "a:2:1: error: 02:00:00:00:00:01 is also an address of the NIC at a:1\n",
     {2}},
    {{A NIC "static 020000000001 vdev virtio-net switch wan static 020000000002 mac 020000000003",
      B NIC "static 020000000003",
      "system c ram 16M load k vdev virtio-net switch wan mac 020000000001"},
     "",
     {0}},
    /* VLANs don't make equal addresses legal */
    {{A NIC "mac 020000000001 vlan access:1", B NIC "mac 020000000001 vlan access:2"},
     "a:1:25: error: MAC 02:00:00:00:00:01 is also that of the device at b:1\n"
     "b:1:25: error: MAC 02:00:00:00:00:01 is also that of the device at a:1\n",
     {1, 1}},
};

static void test_checks(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(checks); i++) {
        struct configs *c = check(checks[i].vm, 4);
        bool bad = strcmp(c->log, checks[i].log) != 0;

        for (u32 v = 0; v < c->count; v++) {
            bad |= c->vms[v]->errors != checks[i].errors[v];
        }
        if (bad) {
            printf("of: %s\nexpected:\n%s\ngot:\n%s\n", checks[i].vm[0], checks[i].log, c->log);
            wrong++;
        }
        free(c);
    }
    assert_int_equal(wrong, 0);
}

/* vCPUs without a choice of their own keep off CPUs that poll, also where they become crowded. */
static void test_placement(void **state)
{
    static const char *const vms[3] = {A NIC "cpu cpu cpu cpu runmask 2,3",
                                       B NIC "switch lan { poll 2 } cpu", NULL};
    struct configs *c = check(vms, 4);
    u32 on[4] = {0};

    (void)state;
    assert_string_equal(c->log, "");
    for (u32 i = 0; i < 4; i++) {
        on[c->vms[0]->cpu[i].pcpu]++;
    }
    on[c->vms[1]->cpu[0].pcpu]++;
    assert_int_equal(on[2], 0);
    assert_int_equal(on[0] + on[1] + on[3], 5);
    assert_true(on[0] >= 1 && on[1] >= 1 && on[3] >= 1);
    assert_int_equal(c->vms[0]->cpu[3].pcpu, 3);
    free(c);
}

/* How many CPUs there are may be unknown. */
static void test_unknown_board(void **state)
{
    static const char *const vms[3] = {A NIC "switch lan { poll 15 }", B NIC "cpu runmask 15",
                                       NULL};
    struct configs *c = check(vms, 0);

    (void)state;
    assert_non_null(strstr(c->log, "CPU 15 polls for switch 'lan'"));
    assert_int_equal(c->vms[0]->errors, 1);
    assert_int_equal(c->vms[1]->errors, 1);
    free(c);
}

/* The switch of a VM that is refused still comes to be, and mustn't wait for a CPU that isn't. */
static void test_cpu_that_is_none(void **state)
{
    static const char *const vms[3] = {A NIC "switch lan { poll 4 age 20 }", B NIC, NULL};
    struct configs *c = check(vms, 4);

    (void)state;
    assert_int_equal(c->vms[0]->errors, 1);
    assert_int_equal(c->vms[0]->sw[0].poll_cpu, UINT32_MAX);
    assert_int_equal(c->vms[0]->sw[0].age_s, 20);
    free(c);
}

static const struct nic_opts *opts(const struct configs *c, u32 vm, u32 vdev)
{
    return c->vms[vm]->vdev[vdev].opts;
}

/* NICs get what their switch says, where they don't say it themselves. */
static void test_defaults(void **state)
{
    static const char *const vms[3] = {
        A NIC NIC "storm 9 vdev virtio-net peer wan vdev virtio-net peer other",
        B NIC "switch lan { storm 5 isolate } switch wan { age 10 } vdev virtio-net peer wan",
        "system c ram 16M load k vdev virtio-net peer other"};
    struct configs *c = check(vms, 4);

    (void)state;
    assert_string_equal(c->log, "");
    assert_int_equal(opts(c, 0, 0)->storm, 5);
    assert_int_equal(opts(c, 0, 1)->storm, 9);
    assert_int_equal(opts(c, 0, 2)->storm, 0);
    assert_int_equal(opts(c, 0, 3)->storm, 0);
    assert_int_equal(opts(c, 1, 0)->storm, 5);
    assert_true(opts(c, 0, 0)->isolate && opts(c, 0, 1)->isolate && opts(c, 1, 0)->isolate);
    assert_false(opts(c, 0, 2)->isolate || opts(c, 0, 3)->isolate || opts(c, 1, 1)->isolate);
    free(c);
}

static void test_find(void **state)
{
    static const char *const vms[3] = {A NIC, B NIC "switch lan { age 20 } switch wan { age 30 }",
                                       "system c ram 16M load k switch lan { age 40 }"};
    struct configs *c = check(vms, 4);

    (void)state;
    assert_ptr_equal(config_switch_find(c->vms, 3, str_of("lan")), &c->vms[1]->sw[0]);
    assert_ptr_equal(config_switch_find(c->vms, 3, str_of("wan")), &c->vms[1]->sw[1]);
    assert_null(config_switch_find(c->vms, 3, str_of("la")));
    assert_null(config_switch_find(c->vms, 1, str_of("lan")));
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_end_of_file),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_placement),
        cmocka_unit_test(test_unknown_board),
        cmocka_unit_test(test_cpu_that_is_none),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

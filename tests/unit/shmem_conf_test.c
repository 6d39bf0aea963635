/* SPDX-License-Identifier: MIT */
/* Shared memory as config lines: what each option becomes, what is refused, and with what words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/log.h"
#include "core/place.h"
#include "core/str.h"
#include "tests/host/said.h"
#include "tests/host/shm.h"
#include "vdev/shmem.h"

#define VM(name, options) "system " name "\nram 4M\nvdev shmem " options "\n"

static int teardown(void **state)
{
    (void)state;
    shm_end();
    return 0;
}

static const struct shmem_opts *opts(const struct guest *g)
{
    return g->cfg.vdev[0].opts;
}

static void meaning(void **state)
{
    const struct shmem_opts *o;

    (void)state;
    shm_begin();
    o = opts(shm_vm("f", VM("a", "create frames,0x200000 create b,1 create c,4097,0660,7 allow f* "
                                 "deny ?b allow [c-e] subst l-,r- subst ,x subst y, spare 3,64K "
                                 "umask 022 gid 5 sched 10 name m loc 0x1c050000 intr gic:44")));
    assert_string_equal(strstr(said, "error") == NULL ? "" : said, "");
    assert_int_equal(o->creates, 3);
    assert_true(str_is(o->create[0].name, "frames") && o->create[0].size == 0x200000);
    assert_true(str_is(o->create[1].name, "b") && o->create[1].size == 4096);
    assert_true(str_is(o->create[2].name, "c") && o->create[2].size == 8192);
    assert_int_equal(o->rules, 3);
    assert_true(o->rule[0].allow && !o->rule[1].allow && o->rule[2].allow);
    assert_int_equal(o->substs, 3);
    assert_true(str_is(o->subst[0].from, "l-") && str_is(o->subst[0].to, "r-"));
    assert_true(o->subst[1].from.len == 0 && str_is(o->subst[1].to, "x"));
    assert_true(str_is(o->subst[2].from, "y") && o->subst[2].to.len == 0);
    assert_int_equal(o->spares, 3);
    assert_int_equal(o->spare_size, 65536);
}

#define SIZE_TEXT "the SIZE is 1 to 1G, in bytes\n"
#define NAME_TEXT "the NAME is 1 to 31 visible characters, without '/'\n"

static void wrong_values(void **state)
{
    static const struct {
        const char *options, *message;
    } cases[] = {
        {"create x", "'create x': " SIZE_TEXT},
        {"create x,", "'create x,': " SIZE_TEXT},
        {"create x,0", "'create x,0': " SIZE_TEXT},
        {"create x,many", "'create x,many': " SIZE_TEXT},
        {"create x,1073741825", "'create x,1073741825': " SIZE_TEXT},
        {"create ,4K", "'create ,4K': " NAME_TEXT},
        {"create a/b,4K", "'create a/b,4K': " NAME_TEXT},
        {"create 12345678901234567890123456789012,4K",
         "'create 12345678901234567890123456789012,4K': " NAME_TEXT},
        {"create x,4K create x,4K", "'create x,4K': this device creates it already\n"},
        {"create", "'create' needs NAME,SIZE behind it\n"},
        {"allow \"\"", "'allow ': a PATTERN has 1 to 31 characters\n"},
        {"deny 12345678901234567890123456789012",
         "'deny 12345678901234567890123456789012': a PATTERN has 1 to 31 characters\n"},
        {"subst x", "'subst x': [MATCH],PREFIX is expected\n"},
        {"subst ,", "'subst ,': [MATCH],PREFIX is expected\n"},
        {"subst a/,b", "'subst a/,b': both have up to 31 visible characters, without '/'\n"},
        {"subst a,1 subst b,1 subst c,1 subst d,1 subst e,1",
         "'subst e,1': at most 4 `subst` of one device\n"},
        {"spare 1", "'spare 1': " SIZE_TEXT},
        {"spare 0,4K", "'spare 0,4K': the COUNT is 1 to 32\n"},
        {"spare 33,4K", "'spare 33,4K': the COUNT is 1 to 32\n"},
        {"spare 1,2G", "'spare 1,2G': " SIZE_TEXT},
        {"spare 1,4K spare 1,4K", "'spare 1,4K': once is enough\n"},
        {"allow 1 allow 2 allow 3 allow 4 allow 5 allow 6 allow 7 allow 8 allow 9 allow a allow b "
         "allow c allow d allow e allow f allow g allow h",
         "'allow h': at most 16 `allow` and `deny` of one device\n"},
        {"create 1,1 create 2,1 create 3,1 create 4,1 create 5,1 create 6,1 create 7,1 create 8,1 "
         "create 9,1 create a,1 create b,1 create c,1 create d,1 create e,1 create f,1 create g,1 "
         "create h,1",
         "'create h,1': at most 16 regions of one device\n"},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[512];
        const char *error;
        struct guest *g;

        shm_begin();
        fmt_print(text, sizeof(text), VM("a", "%s"), cases[i].options);
        g = shm_vm("f", text);
        error = strstr(said, ": error: ");
        assert_non_null(error);
        assert_string_equal(error + strlen(": error: "), cases[i].message);
        assert_memory_equal(said, "f:3:", 4);
        assert_int_equal(g->cfg.errors, 1);
        shm_end();
    }
}

/* Configs of up to three VMs, and everything that is said of them together. */
static void all_vms(void **state)
{
    static const struct {
        const char *vm[3], *messages;
    } cases[] = {
        {{VM("a", "create x,4K"), VM("b", "allow x"), VM("c", "deny y*")},
         "c:3:1: warning: shmem: `deny y*`: no VM creates such a region\n"},
        {{VM("a", "create x,4K"), VM("b", "create x,4096")}, ""},
        {{VM("a", "create x,4K"), VM("b", "allow x\ncreate x,8K")},
         "b:3:1: error: shmem: region 'x' has 0x2000 bytes here, but 0x1000 at a:3\n"
         "a:3:1: error: shmem: region 'x' has 0x1000 bytes here, but 0x2000 at b:3\n"},
        {{VM("a", "create x,4K"), VM("b", "allow z"), VM("c", "")},
         "b:3:1: warning: shmem: `allow z`: no VM creates such a region\n"
         "b:3:1: warning: shmem: there's no region that it may have; guests can create none by "
         "themselves, unless a `spare COUNT,SIZE` keeps memory for them\n"},
        {{VM("a", "create x,4K"), VM("b", "deny x")},
         "a:3:1: warning: shmem: no other device may have region 'x'\n"
         "b:3:1: warning: shmem: there's no region that it may have; guests can create none by "
         "themselves, unless a `spare COUNT,SIZE` keeps memory for them\n"},
        {{VM("a", "create x,4K deny x"), VM("b", "")},
         "a:3:1: warning: shmem: its own `allow` and `deny` keep the guest from region 'x'\n"
         "a:3:1: warning: shmem: there's no region that it may have; guests can create none by "
         "themselves, unless a `spare COUNT,SIZE` keeps memory for them\n"},
        /* the guests name them: any pattern may matter */
        {{VM("a", "spare 1,4K allow x"), VM("b", "allow y")}, ""},
        {{VM("a", "spare 32,4K"), VM("b", "create x,4K")},
         "b:3:1: error: shmem: more than 32 regions in all\n"
         "b:3:1: warning: shmem: there's no region"},
        {{VM("a", "create x,4K"), VM("b", "spare 32,4K")},
         "b:3:1: error: shmem: more than 32 regions in all\n"},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        static const char *const name[] = {"a", "b", "c"};
        const char *end = strstr(cases[i].messages, "\nb:3:1: warning: shmem: there's no region");

        shm_begin();
        for (u32 k = 0; k < 3 && cases[i].vm[k] != NULL; k++) {
            (void)shm_vm(name[k], cases[i].vm[k]);
        }
        assert_true(shm_go());
        if (i == 7) { /* b has a's all the same */
            assert_memory_equal(said, cases[i].messages, (size_t)(end + 1 - cases[i].messages));
        } else {
            assert_string_equal(said, cases[i].messages);
        }
        shm_end();
    }
}

static void say_nothing(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    (void)text;
}

/* Windows keep clear of all that the config puts where they'd be. */
static void windows(void **state)
{
    struct diag quiet = {.emit = say_nothing};
    const struct vdev_conf *c;
    struct guest *g;

    (void)state;
    shm_begin();
    g = shm_vm("a", "system a\nram 4M\nreserve loc 0x10000000,0x1000\nvdev shmem create x,1M\n"
                    "vdev shmem loc 0x10400000\nram 0x10600000,2M\nvdev shmem deny x\n");
    assert_true(shm_go());
    c = g->cfg.vdev;
    assert_int_equal(c[0].window, 0x10200000);
    assert_int_equal(c[0].window_size, MIB + PAGE_SIZE);
    assert_int_equal(c[1].window, 0x10800000);
    assert_int_equal(c[2].window, 0);
    shm_end();
    /* what doesn't fit below the RAM goes above it */
    shm_begin();
    g = shm_vm("a", "system a\nram 0x11000000,1G\nvdev shmem create x,1G create y,4K\n");
    place_gic(&g->cfg, 3);
    place_vdevs(&g->cfg, NULL);
    shmem_type.check_all(&(struct vm_config *){&g->cfg}, 1, &quiet);
    place_windows(&g->cfg, NULL);
    assert_int_equal(g->cfg.vdev[0].window, 0x51000000);
    assert_int_equal(g->cfg.vdev[0].window_size, 2 * MIB + GIB + 2 * PAGE_SIZE);
}

static void patterns(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } cases[] = {
        {"x", "x", true},       {"x", "xy", false},        {"xy", "x", false},
        {"*", "", true},        {"*", "any", true},        {"a*", "a", true},
        {"a*c", "abc", true},   {"a*c", "abcd", false},    {"*b*", "abc", true},
        {"a**c", "ac", true},   {"*ab", "aab", true},      {"*a*b*", "xxabxx", true},
        {"?", "x", true},       {"?", "", false},          {"a?c", "abc", true},
        {"[abc]", "b", true},   {"[abc]", "d", false},     {"[a-c]x", "bx", true},
        {"[!a-c]", "b", false}, {"[!a-c]", "d", true},     {"[]]", "]", true},
        {"[!]]", "]", false},   {"[a-]", "-", true},       {"[-a]", "-", true},
        {"[a", "[a", true},     {"[a", "a", false},        {"[", "[", true},
        {"\\*", "*", true},     {"\\*", "x", false},       {"\\", "\\", true},
        {"a\\", "a\\", true},   {"*[x-z]", "aby", true},   {"*[x-z]", "abw", false},
        {"[!", "[!", true},     {"[a-", "[a-", true},      {"test*", "tes", false},
        {"[z-a]", "b", false},  {"*.so", "a.so.so", true},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        if (shmem_glob(str_of(cases[i].pattern), str_of(cases[i].name)) != cases[i].match) {
            fail_msg("%s against %s", cases[i].pattern, cases[i].name);
        }
    }
}

/* QNX's own examples of the list. */
static void rules(void **state)
{
    struct shmem_opts o = {0};

    (void)state;
    assert_true(shmem_allowed(&o, str_of("any")));
    o.rules = 2;
    o.rule[0] = (struct shmem_rule){str_of("test*"), true};
    o.rule[1] = (struct shmem_rule){str_of("pluto"), true};
    assert_true(shmem_allowed(&o, str_of("testing")) && shmem_allowed(&o, str_of("pluto")));
    assert_false(shmem_allowed(&o, str_of("mars")));
    o.rule[0] = (struct shmem_rule){str_of("live*"), false};
    o.rule[1] = (struct shmem_rule){str_of("pluto"), false};
    assert_false(shmem_allowed(&o, str_of("live1")) || shmem_allowed(&o, str_of("pluto")));
    assert_true(shmem_allowed(&o, str_of("mars")));
    o.rule[0] = (struct shmem_rule){str_of("pluto"), false};
    o.rule[1] = (struct shmem_rule){str_of("pluto*"), true};
    assert_false(shmem_allowed(&o, str_of("pluto")));
    assert_true(shmem_allowed(&o, str_of("plutoplanet")));
    assert_false(shmem_allowed(&o, str_of("mars")));
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(meaning), TEST(wrong_values), TEST(all_vms),
        TEST(windows), TEST(patterns),     TEST(rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

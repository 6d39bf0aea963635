/* SPDX-License-Identifier: MIT */
/*
 * fdt/names.c: clusters and reserved memory by name; core/check_cluster.c and core/config_area.c:
 * what configs do with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/check_cluster.h"
#include "core/str.h"
#include "fdt/host.h"
#include "fdt/names.h"
#include "tests/host/configs.h"

static u8 blob[65536];
static struct board board;
static char seen[1024];

static int read_tree(void **state)
{
    FILE *f = popen("dtc -q -I dts -O dtb tests/unit/dts/names.dts", "r");

    (void)state;
    assert_non_null(f);
    assert_true(fread(blob, 1, sizeof(blob), f) > 0);
    assert_int_equal(pclose(f), 0);
    assert_true(fdt_host_read(blob, &board));
    seen[0] = '\0';
    return 0;
}

static void see_cluster(void *ctx, struct str name, u32 cpus)
{
    (void)ctx;
    sprintf(seen + strlen(seen), "%.*s=%x ", (int)name.len, name.p, cpus);
}

static void see_area(void *ctx, struct str name, struct range area)
{
    (void)ctx;
    sprintf(seen + strlen(seen), "%.*s=%llx+%llx ", (int)name.len, name.p,
            (unsigned long long)area.base, (unsigned long long)area.size);
}

static void test_clusters(void **state)
{
    (void)state;
    fdt_cluster_names(&board, see_cluster, NULL);
    assert_string_equal(seen, "cortex-a53=1 cortex-a53=2 cortex-a72=4 cortex-a72=8 plain=10 "
                              "cluster0=1 cluster0=2 cluster1=4 cluster1=8 cluster7=10 "
                              "cluster0=10 ");
}

static void test_reserved(void **state)
{
    (void)state;
    fdt_reserved_names(&board, see_area, NULL);
    assert_string_equal(seen, "camera=90000000+400000 gmsl=90000000+400000 dsp=800000000+1000 ");
}

/* A tree that ends anywhere: no more names, no reads beyond it. */
static void test_truncated(void **state)
{
    u32 size = board.dtb_size;

    (void)state;
    for (u32 cut = 0; cut < size; cut += 3) {
        u8 *copy = malloc(MAX(cut, 1u));

        memcpy(copy, blob, cut);
        board.dtb = copy;
        board.dtb_size = cut;
        seen[0] = '\0';
        fdt_cluster_names(&board, see_cluster, NULL);
        fdt_reserved_names(&board, see_area, NULL);
        assert_string_equal(seen, "");
        free(copy);
    }
}

static void list(cluster_each *each, void *ctx)
{
    fdt_cluster_names(&board, each, ctx);
}

/* What each `cluster` becomes on a board, or the message. */
static const struct {
    const char *name;
    bool board;
    u32 npcpus, mask;
    const char *log;
} cases[] = {
    {"_all", true, 5, 0x1f, ""},
    {"_all", false, 0, 0xffff, ""},
    {"_cpu-3", true, 5, 8, ""},
    {"_cpu-3", false, 0, 8, ""},
    {"cortex-a72", true, 5, 0xc, ""},
    {"cluster1", true, 5, 0xc, ""},
    {"cluster0", true, 5, 0x13, ""},
    {"cluster7", true, 5, 0x10, ""},
    {"big", true, 5, 0,
     "a:1:22: error: this board has no cluster 'big', only _all, _cpu-N and: cortex-a53 cortex-a72 "
     "plain cluster0 cluster1 cluster7\n"},
    {"_cpu-5", true, 5, 0,
     "a:1:22: error: this board has no cluster '_cpu-5', only _all, _cpu-N and: cortex-a53 "
     "cortex-a72 plain cluster0 cluster1 cluster7\n"},
    {"_cpu-16", false, 0, 0,
     "a:1:22: error: this board has no cluster '_cpu-16', only _all, _cpu-N\n"},
    {"_cpu-x", false, 0, 0,
     "a:1:22: error: this board has no cluster '_cpu-x', only _all, _cpu-N\n"},
    {"big", false, 0, 0,
     "a:1:22: warning: cluster 'big' can't be looked up without the board's device tree "
     "(--board)\n"},
};

static void test_configs(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        struct configs *c = configs_new();
        struct vm_config *vm;
        char text[64];

        sprintf(text, "system a cpu cluster %s", cases[i].name);
        vm = configs_parse(c, "a", text);
        check_clusters(vm, cases[i].board ? list : NULL, cases[i].npcpus, &c->diag);
        assert_string_equal(c->log, cases[i].log);
        assert_int_equal(vm->cpu[0].runmask, cases[i].mask);
        assert_int_equal(vm->errors, c->diag.errors);
        free(c);
    }
}

static void list_areas(config_area *each, void *ctx)
{
    fdt_reserved_names(&board, each, ctx);
}

/* What becomes of a word with $asinfo in it: the command line, or messages. */
static const struct {
    const char *word;
    bool board;
    const char *cmdline, *log;
} area_cases[] = {
    {"$asinfo_start{camera}", true, "0x90000000", ""},
    {"$asinfo_length{camera}", true, "0x400000", ""},
    {"$asinfo_start{gmsl}", true, "0x90000000", ""}, /* its label */
    {"mem:$asinfo_start{dsp},$asinfo_length{dsp},rw", true, "mem:0x800000000,0x1000,rw", ""},
    {"\"a $asinfo_length{dsp}$asinfo_length{dsp} # b\"", true, "a 0x10000x1000 # b", ""},
    {"$asinfo_start{cameras", true, "$asinfo_start{cameras",
     "a:1:18: error: '$asinfo_start{cameras': only `muntin check` and `muntin pack` replace "
     "$env{NAME}: pack the bundle with it\n"},
    {"x$asinfo_start{dsp}$env{dsp}", true, "x0x800000000$env{dsp}",
     "a:1:18: error: 'x0x800000000$env{dsp}': only `muntin check` and `muntin pack` replace "
     "$env{NAME}: pack the bundle with it\n"},
    {"$asinfo_start{}", true, "$asinfo_start{}",
     "a:1:18: error: the board's tree has no reserved memory '', but: camera, gmsl, dsp\n"},
    {"$asinfo_start{Camera}", true, "$asinfo_start{Camera}",
     "a:1:18: error: the board's tree has no reserved memory 'Camera', but: camera, gmsl, dsp\n"},
    {"$asinfo_length{anywhere}", true, "$asinfo_length{anywhere}", /* it has no place yet */
     "a:1:18: error: the board's tree has no reserved memory 'anywhere', but: camera, gmsl, "
     "dsp\n"},
    {"$asinfo_start{gone}", true, "$asinfo_start{gone}", /* disabled */
     "a:1:18: error: the board's tree has no reserved memory 'gone', but: camera, gmsl, dsp\n"},
    {"$asinfo_start{dsp}", false, "$asinfo_start{dsp}",
     "a:1:18: error: $asinfo_...{dsp} needs the board's device tree: --board BOARD.dtb, or write "
     "the number\n"},
    {"$asinfo{dsp}", false, "$asinfo{dsp}",
     "a:1:18: error: '$asinfo{dsp}': only `muntin check` and `muntin pack` replace $env{NAME}: "
     "pack the bundle with it\n"},
};

static void test_areas_in_configs(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(area_cases); i++) {
        struct configs *c = configs_new();
        struct vm_config *vm;
        char text[100];

        config_areas = area_cases[i].board ? list_areas : NULL;
        sprintf(text, "system a cmdline %s", area_cases[i].word);
        vm = configs_parse(c, "a", text);
        assert_string_equal(c->log, area_cases[i].log);
        assert_int_equal(c->diag.errors, area_cases[i].log[0] != '\0');
        assert_true(str_is(vm->cmdline, area_cases[i].cmdline));
        free(c);
    }
    config_areas = NULL;
}

/* A board that reserves more than a message has room for. */
static void list_many(config_area *each, void *ctx)
{
    char name[16];

    for (u32 i = 0; i < 200; i++) {
        sprintf(name, "area-%u", i);
        each(ctx, str_of(name), (struct range){i * (u64)PAGE_SIZE, PAGE_SIZE});
    }
}

static void test_many_areas(void **state)
{
    struct configs *c = configs_new();
    struct vm_config *vm;

    (void)state;
    config_areas = list_many;
    vm = configs_parse(c, "a", "system a ram $asinfo_start{area-199},1M");
    assert_string_equal(c->log, "");
    assert_int_equal(vm->mem[0].base, 199 * (u64)PAGE_SIZE);
    (void)configs_parse(c, "b", "system b ram $asinfo_start{area-200},1M");
    assert_non_null(strstr(c->log, "no reserved memory 'area-200', but: area-0, area-1, "));
    assert_null(strstr(c->log, "area-199"));
    config_areas = NULL;
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_clusters, read_tree),
        cmocka_unit_test_setup(test_reserved, read_tree),
        cmocka_unit_test_setup(test_configs, read_tree),
        cmocka_unit_test_setup(test_areas_in_configs, read_tree),
        cmocka_unit_test_setup(test_many_areas, read_tree),
        cmocka_unit_test_setup(test_truncated, read_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

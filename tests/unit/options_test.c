/* SPDX-License-Identifier: MIT */
/*
 * Every option of every table, of the real devices too: that the manual has its unit, range,
 * default and an example, that the example is right, and that each wrong value gets its message.
 * What is wrong for a number, a word of a list and the like is derived from the option's row; what
 * an OPT_CUSTOM or an option of no device takes is known to its author only: add lines to wrong[].
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"
#include "tests/host/configs.h"
#include "vdev/table.h"

/*
 * Wrong values: the option as it's written, and what its last or only message has in it. `option`
 * is the device's type or the context, then the option's name; "ram" has no context.
 */
static const struct {
    const char *option, *text, *message;
} wrong[] = {
    {"system", "system a/b", "'a/b' is not a name"},
    {"system", "system a system b", "a second 'system'"},
    {"cpu", "cpu cpu cpu cpu cpu cpu cpu cpu cpu", "more than 8 vCPUs"},
    {"ram", "ram 12Q", "'12Q' is not an address or size"},
    {"ram", "ram 0x1000,", "'' is not an address or size"},
    {"ram", "ram 0x10000000000000000", "does not fit in 64 bits"},
    {"rom", "rom x", "'x' is not an address or size"},
    {"load", "load \"\"", "empty file name"},
    {"guest", "guest ram", "'guest' needs 'load' behind it"},
    {"data", "data load", "'load' needs"},
    {"fdt", "fdt frob", "'fdt' needs 'load' behind it"},
    {"initrd", "initrd load \"\"", "empty file name"},
    {"cmdline", "cmdline \"never closed", "a quote that is never closed"},
    {"vdev", "vdev frob", "unknown vdev 'frob'"},
    {"vdev", "vdev hpet", "exists on x86 only"},
    {"vdev", "vdev smmu", "is not supported: "},
    {"switch", "switch lan", "'switch' is an option of a NIC"},
    {"switch", "switch lan {", "never closed"},
    {"logger", "logger err stdout", "'err' is not one of: fatal, internal, error"},
    {"logger", "logger error,,warn stdout", "'' is not one of: fatal"},
    {"logger", "logger error file", "'file' is not one of: stdout, stderr, slog, none"},
    {"logger", "logger error", "'logger' needs SEVERITY"},
    {"unsupported", "unsupported foo fail",
     "'foo' is not one of: instruction, reference, register"},
    {"unsupported", "unsupported register crash", "'crash' is not one of: abort, fail, ignore"},
    {"set", "set exit-on-hat on", "unknown variable 'exit-on-hat'; did you mean 'exit-on-halt'"},
    {"set", "set exit-on-halt", "'set' needs VARIABLE VALUE"},
    {"group", "group a/b", "'a/b' is not a name"},
    {"safety", "safety high", "'high' is not one of: none, warn, required"},
    {"entry", "entry 0x1002", "is no address of an instruction"},
    {"entry", "entry x", "'x' is not an address or size"},
    {"autostart", "autostart perhaps", "'perhaps' is not on or off"},
    {"on-reset", "on-reset dump,halt", "'dump,halt' is not one of: halt, restart"},
    {"on-crash", "on-crash dump,", "'' is not one of: halt, restart"},
    {"on-crash", "on-crash", "'on-crash' needs [dump,]halt|restart"},
    {"on-watchdog", "on-watchdog stop", "'stop' is not one of: halt, restart"},
    {"dump", "dump", "'dump' needs DIR behind it"},
    {"max-restarts", "max-restarts 1000001", "restarts a minute must be 0..1000000, not 1000001"},
    {"max-restarts", "max-restarts x", "'x' is not a number: restarts a minute must be"},

    {"on-reset", "on-reset dump,halt", "'dump,halt' is not one of: halt, restart"},
    {"on-crash", "on-crash dump,stop", "'stop' is not one of: halt, restart"},
    {"on-watchdog", "on-watchdog dump", "'dump' is not one of: halt, restart"},
    {"max-restarts", "max-restarts 1000001", "restarts a minute must be 0..1000000, not 1000001"},
    {"max-restarts", "max-restarts x", "'x' is not a number: restarts a minute must be"},
    {"dump", "dump", "'dump' needs DIR behind it"},

    {"cpu runmask", "cpu runmask 16", "a CPU number must be 0..15, not 16"},
    {"cpu runmask", "cpu runmask 1,,2", "'' is not a number: a CPU number must be 0..15"},
    {"cpu runmask", "cpu runmask 1 runmask 2", "'runmask' is given twice"},
    {"cpu cluster", "cpu cluster a/b", "'a/b' is not a name"},
    {"cpu cluster", "cpu cluster big runmask 1", "a `runmask` or a `cluster`, not both"},
    {"cpu sched", "cpu sched 0", "a priority must be 1..255, not 0"},
    {"cpu sched", "cpu sched 256r", "a priority must be 1..255, not 256"},
    {"cpu sched", "cpu sched x", "'x' is not a number: a priority must be 1..255"},
    {"cpu sched", "cpu sched 1,2", "'1,2' is not PRIORITY or HIGH,LOW,MAX,PERIOD,BUDGETs"},
    {"reserve loc", "reserve loc 1M", "'1M' lacks a length"},
    {"reserve loc", "reserve loc 1M,0", "a reserved area of length 0"},
    {"reserve loc", "reserve loc pci:1,2", "only memory addresses (mem:)"},
    {"reserve intr", "reserve intr 40", "an interrupt is gic:N"},
    {"reserve intr", "reserve intr gic:1020", "an INTID must be 0..1019, not 1020"},
    {"reserve intr", "reserve intr gic:40,t", "gic:N is all that may stand here"},
    {"pass loc", "pass loc 12Q", "'12Q' is not an address or size"},
    {"pass loc", "pass loc 0x1000", "a window needs a length"},
    {"pass loc", "pass loc 0x1000,0x1000,rq", "'q' in 'rq' is no flag of a window"},
    {"pass loc", "pass loc 0x1000,0x1000,w", "its flags need r"},
    {"pass loc", "pass loc 0x1000,0x1000,rwx", "only cached memory (c) can be executed"},
    {"pass loc", "pass loc 0x1000,0x1000,rm", "RAM (m) must be writable and cached"},
    {"pass loc", "pass loc 0x1000,0x1000,rcn", "a window is cached (c) or not (n)"},
    {"pass loc", "pass loc 0x1000,0x1000=x", "'x' is not an address or size"},
    {"pass loc", "pass loc pci:0:20.0", "'pci:0:20.0' is no PCIe function"},
    {"pass", "pci pass loc pci:0", "'pci pass' is not supported"},
    {"pass intr", "pass intr pic:4", "an interrupt is gic:N"},
    {"pass intr", "pass intr gic:50,x", "only ,t or ,u and =HOST"},
    {"pass intr", "pass intr gic:50=1020", "an INTID must be 0..1019, not 1020"},
    {"ram", "ram identity x", "'x' is not an address or size"},
    {"rom", "rom identity", "rom can't be identity-mapped"},
    {"vdev gic version", "vdev gic version 4", "the GIC's version must be 2..3, not 4"},
    {"vdev gic loc", "vdev gic loc 12Q", "'12Q' is not an address or size"},
    {"switch age", "switch lan { age 9 }", "age must be 10..1000000, not 9"},
    {"switch age", "switch lan { age 10 age 10 }", "'age' is given twice"},
    {"switch unknown", "switch lan { unknown x }", "'x' is not one of: flood, drop"},
    {"switch storm", "switch lan { storm 1000000001 }", "storm must be 0..1000000000"},
    {"switch poll", "switch lan { poll 0 }", "CPU 0 can't poll"},
    {"switch poll", "switch lan { poll 16 }", "a CPU number must be 0..15, not 16"},

    {"set gic-hwassist", "set gic-hwassist off", "gic-hwassist off is not supported"},

    {"loc", "vdev pl011 loc 0x1000,4K", "a device's loc is one address"},
    {"loc", "vdev pl011 loc io:0x3f8", "only memory addresses (mem:)"},
    {"loc", "vdev pl011 loc 1M loc 1M", "'loc' is given twice"},
    {"intr", "vdev pl011 intr apic", "'apic' exists on x86 only"},
    {"intr", "vdev pl011 intr gic:x", "'x' is not a number: an INTID must be 0..1019"},
    {"name", "vdev pl011 name a/b", "'a/b' is not a name"},

    {"virtio-console hostdev", "vdev virtio-console hostdev /", "a port's name, the last part of"},
    {"virtio-console hostdev", "vdev virtio-console hostdev >- hostdev <-", "has the console"},
    {"virtio-console hostdev", "vdev virtio-console hostdev a hostdev /b/a", "has a port of that"},
    {"shmem create", "vdev shmem create a/b,4K", "the NAME is 1 to 31 visible characters"},
    {"shmem create", "vdev shmem create a,0", "the SIZE is 1 to 1G, in bytes"},
    {"shmem create", "vdev shmem create a,1025M", "the SIZE is 1 to 1G, in bytes"},
    {"shmem create", "vdev shmem create a,4K create a,8K", "this device creates it already"},
    {"shmem allow", "vdev shmem allow \"\"", "a PATTERN has 1 to 31 characters"},
    {"shmem deny", "vdev shmem deny \"\"", "a PATTERN has 1 to 31 characters"},
    {"shmem spare", "vdev shmem spare 0,4K", "the COUNT is 1 to 32"},
    {"shmem spare", "vdev shmem spare 33,4K", "the COUNT is 1 to 32"},
    {"shmem spare", "vdev shmem spare 1,x", "the SIZE is 1 to 1G, in bytes"},
    {"shmem spare", "vdev shmem spare 1,4K spare 1,4K", "once is enough"},
    {"shmem subst", "vdev shmem subst a", "[MATCH],PREFIX is expected"},
    {"shmem subst", "vdev shmem subst a/,b", "both have up to 31 visible characters"},
    {"pl011 hostdev", "vdev pl011 hostdev /dev/ser1", "'hostdev /dev/ser1': "},
};

/* The log of a config with this text, behind `system a` unless it begins with it itself. */
static const char *log_of(const char *text)
{
    static struct configs *c;
    static char config[512];

    free(c);
    c = configs_new();
    snprintf(config, sizeof(config), "%s%s", str_starts(str_of(text), "system") ? "" : "system a ",
             text);
    config_parse(&c->vm[0], str_of("f"), str_of(config), NULL, vdev_types, &c->arena, &c->diag);
    return c->log;
}

/* A text that must get this message as its last one. */
static u32 check_wrong(const char *text, const char *message)
{
    const char *log = log_of(text), *last = log;

    for (const char *p = log; (p = strstr(p, ": error: ")) != NULL; p++) {
        last = p;
    }
    if (log[0] != '\0' && strstr(last, ": error: ") != NULL && strstr(last, message) != NULL) {
        return 0;
    }
    printf("of: %s\nexpected in its last error: %s\ngot: %s\n", text, message, log);
    return 1;
}

static u32 complain(const char *what, const char *context, const char *name)
{
    printf("%s%s%s: %s\n", context, context[0] != '\0' ? " " : "", name, what);
    return 1;
}

/* Are there wrong values of this option in the table? */
static bool has_wrong(const char *context, const char *name)
{
    char option[96];

    snprintf(option, sizeof(option), "%s%s%s", context, context[0] != '\0' ? " " : "", name);
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        if (strcmp(wrong[i].option, option) == 0) {
            return true;
        }
    }
    return false;
}

/* The example has the option in it, and is right. */
static u32 check_example(const char *context, const char *name, const char *text)
{
    const char *log = log_of(text);

    if (strstr(text, name) == NULL) {
        return complain("not in its example", context, name);
    }
    if (strstr(log, ": error: ") != NULL) {
        printf("%s", log);
        return complain("its example is wrong", context, name);
    }
    return 0;
}

/* --- options of no device -------------------------------------------------------------------- */

static const struct {
    const struct keyword *words;
    const struct cfg_doc *docs;
    const char *context;
} tables[] = {
    {config_words, config_docs, ""},
    {config_cpu_words, config_cpu_docs, "cpu"},
    {config_reserve_words, config_reserve_docs, "reserve"},
    {config_pass_words, config_pass_docs, "pass"},
    {config_gic_words, config_gic_docs, "vdev gic"},
    {config_switch_words, config_switch_docs, "switch"},
};

static u32 check_word(const struct keyword *k, const char *context, const struct cfg_doc *docs)
{
    const struct cfg_doc *d = config_doc(docs, k->name);
    bool text = k->parse == config_unused; /* takes any text, or none yet */
    u32 bad = 0;

    if (k->help == NULL || k->state == LATER) {
        return 0; /* said with another word, or always an error */
    }
    if (d == NULL || d->dflt == NULL || d->example == NULL || k->help[0] == '\0') {
        return complain("help, default or example lacks (core/config_docs.c)", context, k->name);
    }
    if ((k->arg != NULL) && d->range == NULL) {
        bad += complain("what may stand there lacks (core/config_docs.c)", context, k->name);
    }
    if (k->arg != NULL && !text && !has_wrong(context, k->name)) {
        bad += complain("no wrong values (wrong[] in this test)", context, k->name);
    }
    return bad + check_example(context, k->name, d->example);
}

static void test_words(void **state)
{
    u32 bad = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
        for (const struct keyword *k = tables[i].words; k->name != NULL; k++) {
            bad += check_word(k, tables[i].context, tables[i].docs);
        }
        for (const struct cfg_doc *d = tables[i].docs; d->name != NULL; d++) {
            if (config_find(tables[i].words, str_of(d->name)) == NULL) {
                bad += complain("a row of docs for no option", tables[i].context, d->name);
            }
        }
    }
    assert_int_equal(bad, 0);
}

static u32 check_variable(const struct cfg_var *v)
{
    const struct cfg_doc *d = config_doc(config_var_docs, v->name);
    char text[128], message[160];
    u32 bad = 0;

    if (d == NULL || d->range == NULL || d->dflt == NULL || d->example == NULL ||
        (!v->ignored && v->help == NULL)) {
        return complain("help, range, default or example lacks (core/config_docs.c)", "set",
                        v->name);
    }
    if ((v->type == VAR_NUMBER || (v->type == VAR_SIZE && strcmp(d->range, "a size") == 0)) &&
        d->unit == NULL) {
        bad += complain("unit lacks (core/config_docs.c)", "set", v->name);
    }
    snprintf(text, sizeof(text), "set %s ?", v->name);
    snprintf(message, sizeof(message),
             v->type == VAR_BOOL     ? "'?' is not on or off"
             : v->type == VAR_NUMBER ? "'?' is not a number: %s must be %llu..%llu"
                                     : "'?' is not an address or size",
             v->name, (unsigned long long)v->min, (unsigned long long)v->max);
    bad += v->type != VAR_STR ? check_wrong(text, message) : 0;
    if (v->type == VAR_NUMBER && v->max != UINT64_MAX) {
        snprintf(text, sizeof(text), "set %s %llu", v->name, (unsigned long long)v->max + 1);
        snprintf(message, sizeof(message), "must be %llu..%llu, not", (unsigned long long)v->min,
                 (unsigned long long)v->max);
        bad += check_wrong(text, message);
    }
    return bad + check_example("set", v->name, d->example);
}

static void test_variables(void **state)
{
    u32 bad = 0;

    (void)state;
    for (const struct cfg_var *v = config_vars; v->name != NULL; v++) {
        bad += check_variable(v);
    }
    assert_int_equal(bad, 0);
}

/* --- options of devices ---------------------------------------------------------------------- */

static u32 check_value(const struct vdev_type *t, const struct opt *o, const char *value,
                       const char *message)
{
    char text[256];

    snprintf(text, sizeof(text), "vdev %s %s %s", t->name, o->name, value);
    return check_wrong(text, message);
}

static u64 max_of(const struct opt *o)
{
    if (o->max != 0) {
        return o->max;
    }
    return o->type == OPT_U32 || o->type == OPT_OCT ? UINT32_MAX : UINT64_MAX;
}

static u32 check_number(const struct vdev_type *t, const struct opt *o)
{
    const char *form = o->type == OPT_OCT ? "%llo" : "%llu";
    char value[32], message[128];
    u32 bad;

    snprintf(message, sizeof(message), "'?' is not %s, which '%s' needs",
             o->type == OPT_SIZE  ? "a size"
             : o->type == OPT_OCT ? "an octal number"
                                  : "a number",
             o->name);
    bad = check_value(t, o, "?", message);
    snprintf(message, sizeof(message),
             o->type == OPT_OCT ? "'%s' must be %llo..%llo (octal), not "
                                : "'%s' must be %llu..%llu, not ",
             o->name, (unsigned long long)o->min, (unsigned long long)max_of(o));
    if (max_of(o) != UINT64_MAX) {
        snprintf(value, sizeof(value), form, (unsigned long long)max_of(o) + 1);
        bad += check_value(t, o, value, message);
    }
    if (o->min > 0) {
        snprintf(value, sizeof(value), form, (unsigned long long)o->min - 1);
        bad += check_value(t, o, value, message);
    }
    return bad + check_value(
                     t, o, o->type == OPT_OCT ? "7777777777777777777777777" : "0x10000000000000000",
                     message);
}

/* Wrong values by the option's kind. */
static u32 check_kind(const struct vdev_type *t, const struct opt *o)
{
    switch (o->type) {
    case OPT_U32:
    case OPT_U64:
    case OPT_SIZE:
    case OPT_OCT:
        return check_number(t, o);
    case OPT_BOOL:
        return check_value(t, o, "?", "'?' is not on or off, which");
    case OPT_STR:
        return check_value(t, o, "\"\"", "needs a text that is not empty");
    case OPT_FILE:
        return check_value(t, o, "<", "needs a file's PATH");
    case OPT_MAC:
    case OPT_MACS:
        return check_value(t, o, "?", "'?' is not a MAC address") +
               check_value(t, o, "010000000001", "is a group address or zero");
    case OPT_VLAN:
        return check_value(t, o, "?", "'?' is not access:N or trunk:") +
               check_value(t, o, "access:4095", "a VLAN must be 1..4094, not 4095");
    case OPT_ENUM:
        return check_value(t, o, "?", "'?' is not one of: ");
    case OPT_FLAG:
        return check_value(t, o, o->name, "is given twice");
    default:
        return has_wrong(t->name, o->name)
                   ? 0
                   : complain("no wrong values (wrong[] in this test)", t->name, o->name);
    }
}

static u32 check_docs(const struct vdev_type *t, const struct opt *o)
{
    bool number = o->type == OPT_U32 || o->type == OPT_U64;
    char range[160], text[256];
    u32 bad = 0;

    if (o->help == NULL || o->example == NULL) {
        return complain("help or example lacks", t->name, o->name);
    }
    if (o->dflt == NULL && o->type != OPT_FLAG) {
        bad += complain("default lacks", t->name, o->name);
    }
    if (number && o->unit == NULL) {
        bad += complain("unit lacks", t->name, o->name);
    }
    if (o->type != OPT_FLAG &&
        (o->arg == NULL || config_opt_range(o, range, sizeof(range)) == NULL)) {
        bad +=
            complain("what may stand there lacks: arg, or .range of OPT_CUSTOM", t->name, o->name);
    }
    snprintf(text, sizeof(text), "vdev %s %s", t->name, o->example);
    return bad + check_example(t->name, o->name, text);
}

static u32 check_option(const struct vdev_type *t, const struct opt *o)
{
    u32 bad = check_docs(t, o) + check_kind(t, o);
    char message[128];

    if (o->type == OPT_FLAG) {
        return bad;
    }
    snprintf(message, sizeof(message), "'%s' needs %s behind it", o->name, o->arg);
    bad += check_value(t, o, "", message);
    if (o->type != OPT_CUSTOM && o->type != OPT_MACS) {
        const char *example = o->example != NULL ? o->example : "";
        char twice[256];

        if (strchr(example, ' ') != NULL) {
            snprintf(twice, sizeof(twice), "%s %s", strchr(example, ' ') + 1, example);
            bad += check_value(t, o, twice, "is given twice");
        }
    }
    return bad;
}

static void test_devices(void **state)
{
    u32 bad = 0;

    (void)state;
    for (u32 i = 0; vdev_types[i] != NULL; i++) {
        const struct vdev_type *t = vdev_types[i];

        if (t->help == NULL) {
            bad += complain("help lacks", t->name, "");
        }
        for (const struct opt *o = t->opts; o != NULL && o->name != NULL; o++) {
            bad += check_option(t, o);
        }
    }
    assert_int_equal(bad, 0);
}

/* What QNX's devices have and Muntin has no use for is looked at all the same. */
static void test_idle(void **state)
{
    static const char *const bad_value[] = {
        [IDLE_NUMBER] = "?", [IDLE_PRIORITY] = "256", [IDLE_SECONDS] = "never", [IDLE_BOOL] = "?"};
    u32 bad = 0;

    (void)state;
    for (u32 i = 0; vdev_types[i] != NULL; i++) {
        for (const struct idle_option *o = config_idle_options; o->name != NULL; o++) {
            char text[256];

            if (!config_is_idle(vdev_types[i], o)) {
                continue;
            }
            snprintf(text, sizeof(text), "vdev %s %s", vdev_types[i]->name, o->example);
            bad += check_example(vdev_types[i]->name, o->name, text);
            assert_non_null(strstr(log_of(text), "is accepted, but has no effect in Muntin"));
            snprintf(text, sizeof(text), "vdev %s %s", vdev_types[i]->name, o->name);
            bad += check_wrong(text, " behind it");
            if (bad_value[o->kind] != NULL) {
                snprintf(text, sizeof(text), "vdev %s %s %s", vdev_types[i]->name, o->name,
                         bad_value[o->kind]);
                bad += check_wrong(text, o->name);
            }
        }
    }
    assert_int_equal(bad, 0);
}

static void test_wrong(void **state)
{
    u32 bad = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        bad += check_wrong(wrong[i].text, wrong[i].message);
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_variables),
        cmocka_unit_test(test_devices), cmocka_unit_test(test_idle),
        cmocka_unit_test(test_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

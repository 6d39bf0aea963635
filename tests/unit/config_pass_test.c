/* SPDX-License-Identifier: MIT */
/* `pass` and `ram identity`: texts to structs, and to messages; what a board and other VMs forbid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/check_pass.h"
#include "core/log.h"
#include "core/page.h"
#include "core/str.h"
#include "tests/host/configs.h"

#define S "system a "
#define L ": error: "

/* Windows and interrupts as text. */
static const struct {
    const char *text, *meaning;
} meanings[] = {
    {"pass loc 0x9040000,0x1000", "9040000+1000=9040000 3"},
    {"pass loc mem:0x0a600000,0x100000,rwn=0x7c000000 intr gic:50=61",
     "a600000+100000=7c000000 3 intr 50=61"},
    {"pass loc 1M,4K,r loc 2M,4K,rwxc loc 3M,4K,mcwr",
     "100000+1000=100000 1 200000+1000=200000 f 300000+1000=300000 1b"},
    {"mem pass loc 1M,4K intr gic:40,t intr gic:41,u=71", /* the letters are noted once */
     "100000+1000=100000 3 intr 40=40 intr 41=71"},
    {"pass loc 1M,4K shared loc 2M,4K pass loc 3M,4K",
     "100000+1000=100000 3s 200000+1000=200000 3s 300000+1000=300000 3"},
    {"pass loc pci:0:1f.7 loc pci:Ab:2.0", "pci 00ff pci ab10"},
    {"pass loc 1M,4K,+r-wdest", "100000+1000=100000 3"},
    {"pass intr gic:40 vdev pl011 intr gic:41", "intr 40=40"},
};

static void describe(const struct vm_config *vm, char *buf, size_t size)
{
    size_t n = 0;

    buf[0] = '\0';
    for (u32 i = 0; i < vm->pass.nwindows; i++) {
        const struct cfg_window *w = &vm->pass.window[i];

        n += (size_t)fmt_print(buf + n, size - n, "%s%llx+%llx=%llx %x%s", n == 0 ? "" : " ",
                               (unsigned long long)w->base, (unsigned long long)w->size,
                               (unsigned long long)w->host, w->flags, w->shared ? "s" : "");
    }
    for (u32 i = 0; i < vm->pass.nirqs; i++) {
        n += (size_t)fmt_print(buf + n, size - n, "%sintr %u=%u", n == 0 ? "" : " ",
                               vm->pass.irq[i].intid, vm->pass.irq[i].host);
    }
    for (u32 i = 0; i < vm->pass.npci; i++) {
        n += (size_t)fmt_print(buf + n, size - n, "%spci %04x", n == 0 ? "" : " ",
                               vm->pass.pci[i].function);
    }
}

static void test_meanings(void **state)
{
    char text[256], got[512];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(meanings); i++) {
        struct configs *c = configs_new();

        fmt_print(text, sizeof(text), S "%s", meanings[i].text);
        describe(configs_parse(c, "f", text), got, sizeof(got));
        assert_string_equal(got, meanings[i].meaning);
        assert_null(strstr(c->log, L));
        free(c);
    }
}

static const struct {
    const char *text, *log;
} messages[] = {
    {"pass loc 12Q",
     "f:1:19: error: '12Q' is not an address or size: decimal, 0x or 0d, with K, M, G or T\n"},
    {"pass loc 1M", "f:1:19: error: a window needs a length: ADDRESS,LENGTH[,FLAGS][=HOST]\n"},
    {"pass loc 1M,=1M", "f:1:19: error: a window needs a length: ADDRESS,LENGTH[,FLAGS][=HOST]\n"},
    {"pass loc pci:0", "f:1:19: error: 'pci:0' is no PCIe function: pci:BUS:DEVICE.FUNCTION\n"},
    {"pass loc pci:100:2.0",
     "f:1:19: error: 'pci:100:2.0' is no PCIe function: pci:BUS:DEVICE.FUNCTION\n"},
    {"pass loc pci:0:20.0",
     "f:1:19: error: 'pci:0:20.0' is no PCIe function: pci:BUS:DEVICE.FUNCTION\n"},
    {"pass loc pci:0:2.8",
     "f:1:19: error: 'pci:0:2.8' is no PCIe function: pci:BUS:DEVICE.FUNCTION\n"},
    {"pass loc pci:0:2.g",
     "f:1:19: error: 'pci:0:2.g' is no PCIe function: pci:BUS:DEVICE.FUNCTION\n"},
    {"pass loc pci:0:1.0 loc pci:0:1.1 loc pci:0:1.2 loc pci:0:1.3 loc pci:0:2.0 loc pci:0:2.1 "
     "loc pci:0:2.2 loc pci:0:2.3 loc pci:0:3.0",
     "f:1:131: error: more than 8 PCIe functions are passed\n"},
    {"pci pass loc pci:0 intr pic:4",
     "f:1:14: error: 'pci pass' is not supported: only memory and interrupts are passed\n"
     "f:1:34: error: 'pic:4': an interrupt is gic:N with N the GIC's INTID (an SPI's number + "
     "32)\n"},
    {"mem load 1M", "f:1:10: error: 'mem' needs 'pass' behind it, not 'load'\n"
                    "f:1:19: error: unknown word '1M' (no context is open)\n"},
    {"pass loc 1M,4K,rq",
     "f:1:19: error: 'q' in 'rq' is no flag of a window: r w x (rights), c (cached memory) or n "
     "(device), m (RAM)\n"},
    {"pass loc 1M,4K,rcn", "f:1:19: error: 'rcn': a window is cached (c) or not (n)\n"},
    {"pass loc 1M,4K,w", "f:1:19: error: a window that can't be read: its flags need r\n"},
    {"pass loc 1M,4K,rwx", "f:1:19: error: only cached memory (c) can be executed (x)\n"},
    {"pass loc 1M,4K,rwm", "f:1:19: error: RAM (m) must be writable and cached: rwcm or rwxcm\n"},
    {"pass loc 1M,4K=x",
     "f:1:19: error: 'x' is not an address or size: decimal, 0x or 0d, with K, M, G or T\n"},
    {"pass intr gic:40=1020", "f:1:20: error: an INTID must be 0..1019, not 1020\n"},
    {"pass intr gic:40,x",
     "f:1:20: error: ',x' behind an interrupt: only ,t or ,u and =HOST may stand there\n"},
    {"pass intr", "f:1:15: error: 'intr' needs gic:N[,t|u][=HOST] behind it\n"},
    {"pass frob",
     "f:1:15: error: unknown option 'frob' in the context of 'pass'; did you mean 'rom'?"
     " (it has: loc intr shared)\n"},
    {"pass loc 1M,4K,rd loc 2M,4K,rs",
     "f:1:19: note: 'pass loc ...,s d e t + -' is accepted, but has no effect in Muntin\n"},
    {"rom identity 1M", "f:1:14: error: rom can't be identity-mapped: no device writes to it\n"
                        "f:1:23: error: unknown word '1M' (no context is open)\n"},
    {"ram identity", "f:1:10: error: 'ram' needs [START,]LENGTH behind it\n"},
};

static void test_messages(void **state)
{
    u32 wrong = 0;
    char text[256];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(messages); i++) {
        struct configs *c = configs_new();

        fmt_print(text, sizeof(text), S "%s", messages[i].text);
        (void)configs_parse(c, "f", text);
        if (strcmp(c->log, messages[i].log) != 0) {
            printf("%s\n got: %s want: %s", text, c->log, messages[i].log);
            wrong++;
        }
        free(c);
    }
    assert_int_equal(wrong, 0);
}

static void test_too_many(void **state)
{
    struct configs *c = configs_new();
    char text[4096];
    size_t n = (size_t)fmt_print(text, sizeof(text), "system a\npass");

    (void)state;
    for (u32 i = 0; i <= CFG_WINDOWS; i++) {
        n += (size_t)fmt_print(text + n, sizeof(text) - n, " loc %uM,4K", i + 1);
    }
    for (u32 i = 0; i <= CFG_PASS_IRQS; i++) {
        n += (size_t)fmt_print(text + n, sizeof(text) - n, " intr gic:%u", i + 40);
    }
    (void)configs_parse(c, "f", text);
    assert_non_null(strstr(c->log, "more than 16 windows are passed"));
    assert_non_null(strstr(c->log, "more than 32 interrupts are passed"));
    assert_int_equal(c->diag.errors, 2);
    free(c);
}

/* --- checks -------------------------------------------------------------------------------------
 */

#define OK "ram 16M load k "
#define A  "system a " OK
#define B  "system b " OK

static const struct {
    const char *vm[2], *log;
} cases[] = {
    {{A "pass loc 0x9040000,4K intr gic:40", B "pass loc 0x9041000,4K intr gic:41"}, ""},
    /* one VM */
    {{A "pass loc 0x9040200,4K=0x9040300"},
     "a:1:34: error: 0x9040200 of the guest and 0x9040300 of the board are not at the same place "
     "in "
     "their pages of 4 KiB\n"},
    {{A "pass loc 0x9040000,2K,rc"},
     "a:1:34: error: memory (c) is passed in whole pages of 4 KiB\n"},
    {{A "pass loc 0x9040002,2"},
     "a:1:34: error: a window in a part of a page: a multiple of 4 bytes at one\n"},
    {{A "pass loc 0x9040000,4K=0xfffffffffffff000"},
     "a:1:34: error: 0xfffffffffffff000, 0x1000 bytes: beyond the end of memory\n"},
    {{A "pass loc 0x9040000,0"}, "a:1:34: error: pass of length 0\n"},
    {{A "pass loc 0x40000000,4K=0x9040000"},
     "a:1:34: error: pass at 0x40000000..0x40000fff overlaps ram at 0x40000000..0x40ffffff of line "
     "1\n"},
    {{A "pass loc 0x9100000,4K vdev pl011 loc 0x9100000"},
     "a:1:58: error: vdev pl011 at 0x9100000..0x9100fff overlaps pass at 0x9100000..0x9100fff of "
     "line 1\n"},
    {{A "pass loc 0x8000200,0x200=0x9100200"},
     "a:1:34: error: pass at 0x8000200..0x80003ff overlaps interrupt controller at "
     "0x8000000..0x800ffff\n"},
    {{A "pass intr gic:31"},
     "a:1:35: error: gic:31 of the guest: devices have gic:32..gic:287 there; give gic:N=31 with "
     "such an N\n"
     "a:1:35: error: INTID 31 of the board is no SPI: only gic:32..gic:1019 can be passed\n"},
    {{A "pass intr gic:288=40"},
     "a:1:35: error: gic:288 of the guest: devices have gic:32..gic:287 there; give gic:N=40 with "
     "such an N\n"},
    {{A "pass intr gic:40 intr gic:40=41 intr gic:42=41"},
     "a:1:47: error: gic:40 is passed by line 1, too\n"
     "a:1:62: error: INTID 41 of the board is passed by line 1, too\n"},
    {{A "vdev pl011 intr gic:40 pass intr gic:40 reserve intr gic:41 pass intr gic:41"},
     "a:1:58: error: gic:40 is the interrupt of the pl011 of line 1, too\n"
     "a:1:95: error: gic:41 is reserved by line 1\n"},
    /* the board's UART and GIC, fw_cfg, Muntin, RAM but what is reserved */
    {{A "pass loc 0x19000000,4K=0x9000000 intr gic:40=33"},
     "a:1:34: error: 0x9000000, 0x1000 bytes, can't be passed: there's Muntin's UART\n"
     "a:1:63: error: INTID 33 can't be passed: it's that of Muntin's UART\n"},
    {{A "pass loc 0x19000e00,0x100=0x9000e00"},
     "a:1:34: error: 0x9000e00, 0x100 bytes, can't be passed: there's Muntin's UART\n"},
    {{A "pass loc 0x18000000,64K=0x7ff8000"},
     "a:1:34: error: 0x7ff8000, 0x10000 bytes, can't be passed: there's the interrupt "
     "controller\n"},
    {{A "pass loc 0x180b0000,64K=0x80b0000"},
     "a:1:34: error: 0x80b0000, 0x10000 bytes, can't be passed: there's the interrupt "
     "controller\n"},
    {{A "pass loc 0x19020000,4K=0x9020000"},
     "a:1:34: error: 0x9020000, 0x1000 bytes, can't be passed: there's fw_cfg, which could "
     "overwrite "
     "it\n"},
    {{A "pass loc 0x20000000,4K=0x1000"},
     "a:1:34: error: 0x1000, 0x1000 bytes, can't be passed: there's Muntin\n"},
    {{A "pass loc 0x20000000,1M,rwc=0x47ff0000"},
     "a:1:34: error: 0x47ff0000, 0x100000 bytes, can't be passed: it's RAM that Muntin gives out; "
     "only what the board's tree reserves (/reserved-memory) can be\n"},
    {{A "pass loc 0x20000000,2M,rwc=0x48000000"}, ""},
    {{A "pass loc 0x20000000,0x201000,rwc=0x48000000"},
     "a:1:34: error: 0x48000000, 0x201000 bytes, can't be passed: it's RAM that Muntin gives out; "
     "only what the board's tree reserves (/reserved-memory) can be\n"},
    /* two VMs */
    {{A "pass loc 0x9040000,4K", B "pass loc 0x9050000,64K=0x9040000"},
     "a:1:34: error: 0x9040000 of the board is also passed at b:1; `shared` on both sides allows "
     "it\n"
     "b:1:34: error: 0x9040000 of the board is also passed at a:1; `shared` on both sides allows "
     "it\n"},
    {{A "pass loc 0x9040000,4K shared", B "pass loc 0x9040e00,0x200"},
     "a:1:34: error: 0x9040e00 of the board is also passed at b:1; `shared` on both sides allows "
     "it\n"
     "b:1:34: error: 0x9040e00 of the board is also passed at a:1; `shared` on both sides allows "
     "it\n"},
    {{A "pass loc 0x9040000,4K shared", B "pass shared loc 0x9040000,4K"}, ""},
    {{A "pass loc 0x9040000,0x200", B "pass loc 0x9040200,0x200"}, ""}, /* parts of one page */
    {{A "pass shared intr gic:40", B "pass shared intr gic:50=40"},
     "a:1:42: error: INTID 40 of the board is also passed at b:1: one VM can have it\n"
     "b:1:42: error: INTID 40 of the board is also passed at a:1: one VM can have it\n"},
    {{A "pass loc pci:0:2.0", B "pass loc pci:0:2.1"},
     "a:1:34: error: a function of this PCIe device is also passed at b:1: one VM can have them, "
     "as they may reach each other without the SMMU\n"
     "b:1:34: error: a function of this PCIe device is also passed at a:1: one VM can have them, "
     "as they may reach each other without the SMMU\n"},
    {{A "pass loc pci:0:2.0", B "pass loc pci:0:3.0"}, ""},
    {{A "pass intr gic:106"}, "a:1:35: error: INTID 106 can't be passed: it's that of the SMMU\n"},
    {{A "pass loc 0x30000000,4K"},
     "a:1:34: error: 0x30000000, 0x1000 bytes, can't be passed: there's the PCIe host bridge, "
     "where Muntin places what functions have\n"},
};

static const struct board virt = {
    .gicd = {0x8000000, 0x10000},
    .gicr = {{0x80a0000, 0xf60000}},
    .ngicr = 1,
    .uart_reg = {0x9000000, 0x1000},
    .uart_intid = 33,
    .fw_cfg = {0x9020000, 0x18},
    .its = {0x8080000, 0x20000},
    .smmu = {.reg = {0x9050000, 0x20000}, .intid = 106},
    .pci = {.ecam = {0x4010000000, 0x10000000}, .buses = 256, .mem = {0x10000000, 0x2eff0000}},
    .image = {0, 0x40000},
    .ram = {{0x40000000, 0x40000000}},
    .nram = 1,
    .reserved = {{0x48000000, 0x100000}, {0x48100000, 0x100000}},
    .nreserved = 2,
};

static const char *check(struct configs *c, const char *const *vm)
{
    u8 kernel[4096];

    configs_linux(kernel, sizeof(kernel), 0, 0x100000);
    configs_file(c, "k", kernel, sizeof(kernel));
    configs_end(c);
    for (u32 i = 0; i < 2 && vm[i] != NULL; i++) {
        (void)configs_parse(c, (const char *[]){"a", "b"}[i], vm[i]);
    }
    for (u32 i = 0; i < c->count; i++) {
        check_vm(c->vms[i], &c->bundle, 3, 4, &c->diag);
        check_pass_board(c->vms[i], &virt, &c->diag);
    }
    check_all(c->vms, c->count, 4, &c->diag);
    return c->log;
}

static void test_cases(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        struct configs *c = configs_new();
        u32 errors = 0;

        if (strcmp(check(c, cases[i].vm), cases[i].log) != 0) {
            printf("%s\n got: %s want: %s", cases[i].vm[0], c->log, cases[i].log);
            wrong++;
        }
        for (u32 k = 0; k < c->count; k++) {
            errors += c->vms[k]->errors;
        }
        assert_int_equal(errors, c->diag.errors); /* each VM that takes part is refused */
        free(c);
    }
    assert_int_equal(wrong, 0);
}

/* Devices without `loc` and `intr` stay away from what is passed. */
static void test_places(void **state)
{
    struct configs *c = configs_new();
    const struct vm_config *vm;

    (void)state;
    vm =
        configs_parse(c, "a", A "pass loc 0x0a000e00,0x200=0x0a003e00 intr gic:48 vdev virtio-net");
    configs_check(c, 3, 1);
    assert_int_equal(vm->vdev[0].loc, 0xa001000);
    assert_int_equal(vm->vdev[0].intid, 49);
    free(c);
}

/* --- ram identity -------------------------------------------------------------------------------
 */

static void test_identity(void **state)
{
    struct configs *c = configs_new();
    struct vm_config *vm;
    hpa_t at;

    (void)state;
    page_add(0x1000000, 0x20000000);
    page_reserve(0x10000000, 0x400000);
    vm = configs_parse(c, "a",
                       "system a ram identity 16M ram 1M ram identity 0x10800000,2M ram "
                       "identity 0x10900000,1M ram identity 1G");
    check_identity(vm, &c->diag);
    assert_string_equal(c->log,
                        "a:1:10: warning: ram identity: devices passed to 'a' can read and write "
                        "all of the board's "
                        "memory, Muntin's and other VMs' too: this VM is trusted with everything\n"
                        "a:1:61: error: the board has no 1024 KiB of free RAM in one piece there\n"
                        "a:1:88: error: the board has no 1048576 KiB of free RAM in one piece\n");
    assert_int_equal(vm->errors, 2);
    assert_int_equal(vm->mem[0].base, 0xc000000); /* above the places of devices */
    assert_true(vm->mem[0].has_base);
    assert_false(vm->mem[1].identity);
    assert_int_equal(vm->mem[2].base, 0x10800000);
    assert_false(page_alloc_at(0xcfff000, 0x1000)); /* taken */
    assert_false(page_alloc_at(0x109ff000, 0x1000));
    assert_true(page_alloc_at(0x10a00000, 0x1000));
    assert_false(page_alloc_at(0x10a00000, 0x1000));
    assert_true(page_alloc_above(0x1000, 0x1000, 0x10400000, &at));
    assert_int_equal(at, 0x10400000);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meanings), cmocka_unit_test(test_messages),
        cmocka_unit_test(test_too_many), cmocka_unit_test(test_cases),
        cmocka_unit_test(test_places),   cmocka_unit_test(test_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

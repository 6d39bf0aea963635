/* SPDX-License-Identifier: MIT */
/* The reset of PCIe functions: which, how long it waits (tests/host/pcitree.c), what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/host/arch.h"
#include "core/config.h"
#include "core/pci_reset.h"
#include "tests/host/pcitree.h"

#define CARD       0x12345678u
#define ID(bus)    ((u16)((bus) << 8))
#define MS(n)      ((n)*1000000ull)
#define SCRATCH    0x80u /* a register that only a reset clears */
#define BAR_AT     0x80100000u
#define KEPT       0x2810u
#define REPORTS    0x000fu
#define MAX_STEPS  100
#define EXPRESS(n) pcitree.node[n].reg[pcitree.node[n].flr / 4]

static struct vm_config config, *configs[] = {&config};
static u32 warnings;

static void count_warning(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    warnings += strstr(text, "can't be reset") != NULL;
}

static int setup(void **state)
{
    (void)state;
    memset(&config, 0, sizeof(config));
    pcitree_init();
    warnings = 0;
    return 0;
}

/* A card of its own root port, with a BAR and something to forget. */
static u32 add_card(u8 device)
{
    u32 port = pcitree_bridge(-1, (u8)(device << 3), TYPE_ROOT_PORT, true);
    u32 c = pcitree_card((int)port, 0, CARD);

    pcitree_bar(c, 0, 0x1000, 0);
    pcitree.node[c].writable[SCRATCH / 4] = UINT32_MAX;
    return c;
}

static u32 add_express(u32 c, u32 caps)
{
    u32 at = pcitree_cap(c, CAP_EXPRESS, EXPRESS_ENDPOINT / 4) + EXPRESS_CAPS;
    struct pcitree_node *n = &pcitree.node[c];

    n->reg[at / 4] = caps;
    n->writable[at / 4 + 1] = 0xffff;
    n->reg[at / 4 + 1] = KEPT | REPORTS;
    n->flr = (caps & EXPRESS_FLR) != 0 ? at + 4 : 0;
    return at + 4;
}

static u32 add_power(u32 c, u32 status)
{
    u32 at = pcitree_cap(c, CAP_PM, 2);

    pcitree.node[c].pm = at;
    pcitree.node[c].reg[at / 4 + 1] = status;
    pcitree.node[c].writable[at / 4 + 1] = PM_STATE;
    return at + 4;
}

static const struct pci_function *scan(void)
{
    struct diag d = {.emit = count_warning};

    config.pass.npci = 1;
    config.pass.pci[0].function = ID(1);
    config.errors = 0;
    pci_scan(&pcitree.board, configs, 1, &d);
    return pci_find(ID(1));
}

/* What a guest may have left. */
static void use(u32 c)
{
    pcitree.node[c].reg[SCRATCH / 4] = 0x5ec4e7;
    pcitree.node[c].reg[REG_COMMAND / 4] |= COMMAND_MEM;
    pcitree.node[c].reg[REG_BAR / 4] = 0;
}

/* All steps, each when it's due; the time that they took, or UINT64_MAX. */
static u64 run(const struct pci_function *f, u32 count)
{
    const struct pci_function *all[] = {f, f};
    struct pci_progress p = {0};
    u64 start = host_now_ns, wait;

    for (u32 i = 0; i < MAX_STEPS; i++) {
        u32 before = pcitree.accesses;

        wait = pci_reset_step(&p, all, count);
        assert_true(pcitree.accesses - before < 60); /* each step is a short one */
        if (wait == 0 || wait == PCI_RESET_FAILED) {
            return wait == 0 ? host_now_ns - start : wait;
        }
        host_now_ns += wait;
    }
    return 0;
}

static void is_fresh(u32 c)
{
    const struct pcitree_node *n = &pcitree.node[c];

    assert_int_equal(n->reg[SCRATCH / 4], 0);
    assert_int_equal(n->reg[REG_BAR / 4], BAR_AT);
    assert_int_equal(n->reg[REG_ROM / 4], 0);
    assert_int_equal(n->reg[REG_COMMAND / 4] & 7, 0);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_flr(void **state)
{
    u32 c = add_card(1), control = add_express(c, EXPRESS_FLR);
    const struct pci_function *f;

    (void)state;
    (void)add_power(c, 0); /* FLR goes before that */
    f = scan();
    use(c);
    assert_true(run(f, 1) >= MS(100) && pcitree.node[c].resets == 1);
    is_fresh(c);
    assert_int_equal(pcitree.node[c].reg[control / 4], KEPT); /* its errors are not told of */
    use(c);
    assert_true(run(f, 1) < MS(200) && pcitree.node[c].resets == 2);
    is_fresh(c);
}

/* What it has asked for first, but not for ever. */
static void test_pending(void **state)
{
    u32 c = add_card(1), control = add_express(c, EXPRESS_FLR);
    const struct pci_function *f, *all[1];
    struct pci_progress p = {0};

    (void)state;
    all[0] = f = scan();
    pcitree.node[c].reg[control / 4] |= STATUS_PENDING;
    for (u32 i = 0; i < 3; i++) {
        host_now_ns += pci_reset_step(&p, all, 1);
        assert_int_equal(pcitree.node[c].resets, 0);
    }
    pcitree.node[c].reg[control / 4] &= ~STATUS_PENDING;
    (void)pci_reset_step(&p, all, 1);
    assert_int_equal(pcitree.node[c].resets, 1);
    host_now_ns += MS(100);
    pcitree.node[c].reg[control / 4] |= STATUS_PENDING;
    assert_true(run(f, 1) < MS(500));
    assert_int_equal(pcitree.node[c].resets, 2);
}

static void test_power(void **state)
{
    u32 c = add_card(1);
    const struct pci_function *f;

    (void)state;
    (void)add_power(c, 0);
    pcitree.node[c - 1].writable[REG_BRIDGE / 4] = 0; /* it isn't the link that does it */
    f = scan();
    use(c);
    assert_true(run(f, 1) >= MS(20) && pcitree.node[c].resets == 1);
    is_fresh(c);
}

/* It says that D3hot would do, but doesn't go there. */
static void test_power_that_is_none(void **state)
{
    u32 c = add_card(1), status = add_power(c, 0);
    const struct pci_function *f;

    (void)state;
    pcitree.node[c].writable[status / 4] = 0;
    f = scan();
    assert_int_equal(f->reset, PCI_RESET_POWER);
    use(c);
    assert_true(run(f, 1) >= MS(100) && pcitree.node[c].resets == 1);
    is_fresh(c);
    assert_int_equal(pcitree.node[c - 1].reg[REG_BRIDGE / 4] & BRIDGE_RESET, 0);
}

/* No_Soft_Reset: D3hot changes nothing, so the link is reset. */
static void test_port(void **state)
{
    u32 c = add_card(1);
    const struct pci_function *f;

    (void)state;
    (void)add_power(c, PM_NO_SOFT_RESET);
    f = scan();
    use(c);
    assert_true(run(f, 1) >= MS(100) && pcitree.node[c].resets == 1);
    is_fresh(c);
    assert_int_equal(pcitree.node[c - 1].reg[REG_BRIDGE / 4] & BRIDGE_RESET, 0);
    assert_int_equal(warnings, 0);
}

/* Somebody else is on that link, or there's none: said at boot. */
static void test_none(void **state)
{
    u32 c = add_card(1);
    const struct pci_function *f;

    (void)state;
    pcitree.node[c].reg[REG_HEADER / 4] |= HEADER_MULTI;
    (void)pcitree_card((int)c - 1, 1, CARD);
    f = scan();
    assert_int_equal(warnings, 1);
    use(c);
    assert_true(run(f, 1) > 0 && pcitree.node[c].resets == 0);
    assert_int_equal(pcitree.node[c].reg[REG_BAR / 4], BAR_AT);
    assert_int_equal(pcitree.node[c].reg[REG_COMMAND / 4] & 7, 0);
}

static void test_af(void **state)
{
    u32 c = add_card(1), at = pcitree_cap(c, CAP_AF, 2);

    (void)state;
    pcitree.node[c].reg[at / 4] |= 6u << 16 | AF_FLR;
    pcitree.node[c].writable[at / 4 + 1] = AF_RESET;
    assert_true(run(scan(), 1) >= MS(100));
    assert_int_equal(pcitree.node[c].reg[at / 4 + 1], AF_RESET);
    pcitree.node[c].reg[at / 4] &= ~(1u << 24); /* without the pending bit it isn't one */
    assert_int_equal(scan()->reset, PCI_RESET_PORT);
}

/* As the firmware, or whoever was there before, may have left it. */
static void test_asleep(void **state)
{
    u32 c = add_card(1), status = add_power(c, PM_D3 | PM_NO_SOFT_RESET);
    u32 control = add_express(c, EXPRESS_FLR);
    const struct pci_function *f;

    (void)state;
    (void)control;
    f = scan();
    use(c);
    assert_true(run(f, 1) >= MS(110));
    is_fresh(c);
    assert_int_equal(pcitree.node[c].reg[status / 4] & PM_STATE, 0);
}

/* Gone, another, or its BAR elsewhere: after a second that's enough. */
static void test_does_not_come_back(void **state)
{
    u32 c = add_card(1);
    const struct pci_function *f;
    u64 start;

    (void)state;
    (void)add_express(c, EXPRESS_FLR);
    f = scan();
    pcitree.node[c].gone = true;
    start = host_now_ns;
    assert_true(run(f, 1) == PCI_RESET_FAILED);
    assert_true(host_now_ns - start >= MS(1000) && host_now_ns - start < MS(1500));
    pcitree.node[c].gone = false;
    pcitree.node[c].reg[REG_ID / 4] = 0xffff0001; /* not ready */
    assert_true(run(f, 1) == PCI_RESET_FAILED);
    pcitree.node[c].reg[REG_ID / 4] = CARD;
    pcitree.node[c].writable[REG_BAR / 4] = 0;
    assert_true(run(f, 1) == PCI_RESET_FAILED);
    pcitree.node[c].writable[REG_BAR / 4] = 0xfffff000;
    assert_true(run(f, 1) < MS(200));
}

/* Two at a time take as long as one. */
static void test_two(void **state)
{
    u32 c = add_card(1);
    const struct pci_function *f;

    (void)state;
    (void)add_express(c, EXPRESS_FLR);
    f = scan();
    pcitree.node[c].flr = 0; /* both are the same here: one reset is enough */
    assert_true(run(f, 2) < MS(120));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_flr, setup),
        cmocka_unit_test_setup(test_pending, setup),
        cmocka_unit_test_setup(test_power, setup),
        cmocka_unit_test_setup(test_power_that_is_none, setup),
        cmocka_unit_test_setup(test_port, setup),
        cmocka_unit_test_setup(test_none, setup),
        cmocka_unit_test_setup(test_af, setup),
        cmocka_unit_test_setup(test_asleep, setup),
        cmocka_unit_test_setup(test_does_not_come_back, setup),
        cmocka_unit_test_setup(test_two, setup),
    };

    return cmocka_run_group_tests_name("pci_reset", tests, NULL, NULL);
}

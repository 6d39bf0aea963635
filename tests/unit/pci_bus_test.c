/* SPDX-License-Identifier: MIT */
/* The walk over PCIe buses: numbers, windows, who may reach whom; bridges and cards that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/host/arch.h"
#include "core/config.h"
#include "core/pass.h"
#include "core/pci.h"
#include "core/pci_bus.h"
#include "tests/host/pcitree.h"

#define CARD        0x12345678u
#define ID(b, d, f) ((u16)((b) << 8 | (d) << 3 | (f)))

static struct vm_config config[2], *configs[] = {&config[0], &config[1]};
static char text[4096];
static size_t length;

static void say(struct diag *d, int level, const char *message)
{
    (void)d;
    (void)level;
    length += (size_t)snprintf(text + length, sizeof(text) - length, "%s\n", message);
}

static void want(u32 vm, u16 id)
{
    config[vm].pass.pci[config[vm].pass.npci++].function = id;
}

/* What is said of it. */
static const char *scan(void)
{
    struct diag d = {.emit = say};

    length = 0;
    text[0] = '\0';
    config[0].errors = config[1].errors = 0;
    pci_scan(&pcitree.board, configs, 2, &d);
    return text;
}

static int setup(void **state)
{
    (void)state;
    memset(config, 0, sizeof(config));
    pcitree_init();
    return 0;
}

static u32 reg(u32 node, u32 offset)
{
    return pcitree.node[node].reg[offset / 4];
}

/* A card that can be reset. */
static u32 card(int parent, u8 devfn)
{
    u32 n = pcitree_card(parent, devfn, CARD), at = pcitree_cap(n, CAP_PM, 2);

    pcitree.node[n].pm = at;
    pcitree.node[n].writable[at / 4 + 1] = PM_STATE;
    return n;
}

static u32 card_with_bar(int parent, u8 devfn, u64 size)
{
    u32 n = card(parent, devfn);

    pcitree_bar(n, 0, size, 0);
    return n;
}

/* The root's 1.0: a switch with so many ports that have a card each; its upstream port. */
static u32 switch_at(u32 root, u32 ports, u32 without_acs)
{
    u32 up = pcitree_bridge((int)root, 0, TYPE_UPSTREAM, false);

    for (u32 i = 0; i < ports; i++) {
        u32 p = pcitree_bridge((int)up, (u8)(i << 3), TYPE_DOWNSTREAM, i != without_acs);

        (void)card_with_bar((int)p, 0, 0x4000);
    }
    return up;
}

static u32 root_port(u8 device, bool acs)
{
    return pcitree_bridge(-1, (u8)(device << 3), TYPE_ROOT_PORT, acs);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_root_bus(void **state)
{
    u32 c = card_with_bar(-1, 2 << 3, 0x100000), other = card_with_bar(-1, 3 << 3, 0x1000);

    (void)state;
    want(0, ID(0, 2, 0));
    assert_string_equal(scan(), "");
    assert_non_null(pci_find(ID(0, 2, 0)));
    assert_null(pci_find(ID(0, 3, 0))); /* nobody's */
    assert_int_equal(reg(c, REG_BAR), 0x80100000);
    assert_int_equal(pci_find(ID(0, 2, 0))->bar[0].host, 0x20080000);
    assert_int_equal(reg(c, REG_COMMAND) & 0xffff, 0);
    assert_int_equal(reg(c, REG_ROM), 0);
    assert_int_equal(reg(other, REG_COMMAND) & 0xffff, 0);
    assert_int_equal(reg(other, REG_BAR), 0);
}

/* Each has its pages for itself. */
static void test_small_bars(void **state)
{
    (void)state;
    (void)card_with_bar(-1, 2 << 3, 0x100);
    (void)card_with_bar(-1, 3 << 3, 0x10);
    want(0, ID(0, 2, 0));
    want(1, ID(0, 3, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(pci_find(ID(0, 2, 0))->bar[0].host, 0x20000000);
    assert_int_equal(pci_find(ID(0, 3, 0))->bar[0].host, 0x20001000);
}

/* Nobody wants anything: what the firmware left stays. */
static void test_nothing_wanted(void **state)
{
    (void)state;
    (void)card(-1, 2 << 3);
    assert_string_equal(scan(), "");
    assert_int_equal(pcitree.accesses, 0);
    assert_int_equal(pci_group(ID(1, 2, 3)), ID(1, 2, 0));
}

/* Depth first, from the root bus's number on. */
static void test_numbers(void **state)
{
    u32 first, up, second, c;

    (void)state;
    pcitree.board.pci.bus = 4;
    first = root_port(1, true);
    up = switch_at(first, 2, UINT32_MAX);
    second = root_port(2, true);
    c = card_with_bar((int)second, 0, 0x1000);
    want(0, ID(7, 0, 0));
    want(1, ID(9, 0, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(reg(first, REG_BUSES), 0x080504);
    assert_int_equal(reg(up, REG_BUSES), 0x080605);
    assert_int_equal(reg(up + 1, REG_BUSES), 0x070706);
    assert_int_equal(reg(up + 3, REG_BUSES), 0x080806);
    assert_int_equal(reg(second, REG_BUSES), 0x090904);
    assert_int_equal(reg(second, REG_COMMAND) & 0xffff, 0x406);
    assert_int_equal(reg(up + 1, REG_COMMAND) & 0xffff, 0x406);
    assert_int_equal(reg(up + 3, REG_COMMAND) & 0xffff, COMMAND_NO_INT); /* for nobody */
    assert_int_equal(reg(c, REG_COMMAND) & 0xffff, 0);
    assert_int_equal(reg(second, REG_BRIDGE) & BRIDGE_SETTINGS, 0);
    assert_int_equal(pci_find(ID(9, 0, 0))->cfg, PCITREE_ECAM + (5 << 20));
}

static void test_numbers_are_kept(void **state)
{
    u32 first = root_port(1, true), second = root_port(2, true), third = root_port(3, true);

    (void)state;
    (void)card((int)first, 0);
    (void)card((int)second, 0);
    (void)card((int)third, 0);
    pcitree.node[first].reg[REG_BUSES / 4] = 0x050500;
    pcitree.node[third].reg[REG_BUSES / 4] = 0x030200;
    want(0, ID(5, 0, 0));
    want(0, ID(2, 0, 0));
    want(0, ID(6, 0, 0)); /* the next after the last that's kept */
    assert_string_equal(scan(), "");
    assert_int_equal(reg(first, REG_BUSES), 0x050500);
    assert_int_equal(reg(second, REG_BUSES), 0x060600);
    assert_int_equal(reg(third, REG_BUSES), 0x030200);
}

/* Beyond what there is, backwards, its own bus, another's: these get others. */
static void test_numbers_make_no_sense(void **state)
{
    static const u32 wrong[] = {0x100f00, 0x010200, 0x030000, 0x020200};
    u32 kept = root_port(1, true);

    (void)state;
    pcitree.node[kept].reg[REG_BUSES / 4] = 0x030200;
    (void)card((int)kept, 0);
    want(0, ID(2, 0, 0));
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        u32 port = root_port((u8)(2 + i), true);

        pcitree.node[port].reg[REG_BUSES / 4] = wrong[i];
        (void)card((int)port, 0);
        want(0, ID(4 + i, 0, 0));
    }
    assert_string_equal(scan(), "");
    assert_int_equal(reg(kept, REG_BUSES), 0x030200);
}

static void test_no_number_left(void **state)
{
    u32 port[3];

    (void)state;
    pcitree.board.pci.buses = 3;
    for (u32 i = 0; i < 3; i++) {
        port[i] = root_port((u8)(1 + i), true);
        (void)card((int)port[i], 0);
    }
    want(0, ID(2, 0, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(reg(port[1], REG_BUSES), 0x020200);
    assert_int_equal(reg(port[2], REG_BUSES), 0);
}

/* All that's below a bridge lies in its window, and nothing else does. */
static void test_windows(void **state)
{
    u32 a = root_port(1, true), b, up;
    const struct pci_function *f;

    (void)state;
    (void)card_with_bar(-1, 3 << 3, 0x1000);
    up = switch_at(a, 2, UINT32_MAX);
    b = root_port(2, true);
    (void)card_with_bar((int)b, 0, 0x200000);
    pcitree_bar(a, 0, 0x4000, 0); /* registers of the bridge's own */
    want(0, ID(3, 0, 0));
    want(0, ID(4, 0, 0));
    want(1, ID(5, 0, 0));
    want(1, ID(0, 3, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(pci_find(ID(0, 3, 0))->bar[0].bus, 0x80080000);
    assert_int_equal(reg(a, REG_BAR), 0x80084000);
    assert_int_equal(pci_find(ID(3, 0, 0))->bar[0].bus, 0x80100000);
    assert_int_equal(pci_find(ID(3, 0, 0))->bar[0].host, 0x20080000);
    assert_int_equal(pci_find(ID(4, 0, 0))->bar[0].bus, 0x80200000);
    assert_int_equal(reg(a, REG_MEM), 0x80208010);
    assert_int_equal(reg(up, REG_MEM), 0x80208010);
    assert_int_equal(reg(up + 1, REG_MEM), 0x80108010);
    assert_int_equal(reg(up + 3, REG_MEM), 0x80208020);
    f = pci_find(ID(5, 0, 0));
    assert_int_equal(f->bar[0].bus, 0x80400000);
    assert_int_equal(reg(b, REG_MEM), 0x80508030);
    assert_int_equal(reg(b, REG_PREF) & WINDOW_BITS, WINDOW_NONE);
}

/* Where all bridges above have the window for it, and 32 bits where one hasn't. */
static void test_prefetchable(void **state)
{
    u32 a = root_port(1, true), b = root_port(2, true), c;

    (void)state;
    c = card((int)a, 0);
    pcitree_bar(c, 0, 0x200000, BAR_64 | BAR_PREF);
    pcitree_bar(c, 2, 0x1000, BAR_64);
    c = card((int)b, 0);
    pcitree_bar(c, 0, 0x200000, BAR_64 | BAR_PREF);
    pcitree.node[b].reg[REG_PREF / 4] = 0;
    pcitree.node[b].writable[REG_PREF / 4] = 0;
    want(0, ID(1, 0, 0));
    want(0, ID(2, 0, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(pci_find(ID(1, 0, 0))->bar[0].bus, PCITREE_BUS64);
    assert_int_equal(pci_find(ID(1, 0, 0))->bar[0].host, PCITREE_HOST64);
    assert_int_equal(pci_find(ID(1, 0, 0))->bar[2].bus, 0x80100000);
    assert_int_equal(reg(a, REG_PREF), 0x00110001);
    assert_int_equal(reg(a, REG_PREF_BASE), 8);
    assert_int_equal(reg(a, REG_PREF_LIMIT), 8);
    assert_int_equal(pci_find(ID(2, 0, 0))->bar[0].bus, 0x80200000);
    assert_int_equal(reg(b, REG_MEM), 0x80308020);
}

/* A link has one device, whatever answers. */
static void test_one_device_on_a_link(void **state)
{
    u32 a = root_port(1, true), c = card((int)a, 0);

    (void)state;
    pcitree.node[c].everywhere = true;
    want(0, ID(1, 5, 0));
    assert_string_equal(scan(), "error: there's no device at pci:1:5.0\n");
    assert_int_equal(config[0].errors, 1);
}

static void test_groups(void **state)
{
    u32 a = root_port(1, true), b = root_port(2, false);

    (void)state;
    (void)switch_at(a, 3, UINT32_MAX);         /* 3, 4, 5 */
    (void)switch_at(b, 2, UINT32_MAX);         /* 8, 9: the root port lets them reach each other */
    (void)switch_at(root_port(3, true), 2, 1); /* 12, 13: so does the port of one */
    for (u32 i = 3; i < 5; i++) {
        want(0, ID(i, 0, 0));
        want(0, ID(i + 5, 0, 0));
        want(1, ID(i + 9, 0, 0));
    }
    assert_string_equal(scan(), "");
    assert_int_equal(pci_group(ID(3, 0, 0)), ID(3, 0, 0));
    assert_int_equal(pci_group(ID(4, 0, 1)), ID(4, 0, 0));
    assert_int_not_equal(pci_group(ID(3, 0, 0)), pci_group(ID(4, 0, 0)));
    assert_int_equal(pci_group(ID(8, 0, 0)), ID(0, 2, 0));
    assert_int_equal(pci_group(ID(9, 0, 0)), ID(0, 2, 0));
    assert_int_equal(pci_group(ID(12, 0, 0)), ID(10, 0, 0));
    assert_int_equal(pci_group(ID(13, 0, 0)), ID(10, 0, 0));
}

/* ACS has all that it needs, and takes it. */
static void test_acs(void **state)
{
    u32 a = root_port(1, true), up = switch_at(a, 2, UINT32_MAX), at = LEGACY_END / 4 + 1;

    (void)state;
    want(0, ID(3, 0, 0));
    want(0, ID(4, 0, 0));
    pcitree.node[a].reg[at] = 0x43; /* a root port needn't have what it can't do */
    assert_string_equal(scan(), "");
    assert_int_equal(reg(up + 1, 4 * at), 0x1f007f);
    assert_int_equal(reg(a, 4 * at), 0x030043);
    assert_int_equal(pci_group(ID(3, 0, 0)), ID(3, 0, 0));
    pcitree.node[up + 1].reg[at] = 0x7b; /* a port of a switch must */
    (void)scan();
    assert_int_equal(pci_group(ID(3, 0, 0)), ID(1, 0, 0));
    pcitree.node[up + 1].reg[at] = 0x7f;
    pcitree.node[up + 1].writable[at] = 0x7b0000;
    (void)scan();
    assert_int_equal(pci_group(ID(3, 0, 0)), ID(1, 0, 0));
    pcitree.node[up + 1].writable[at] = 0x7f0000;
    pcitree.node[up].reg[REG_HEADER / 4] |= HEADER_MULTI; /* its other functions see all of it */
    (void)scan();
    assert_int_equal(pci_group(ID(3, 0, 0)), ID(1, 0, 0));
}

/* Functions of a device without bridges above, and root ports of one device. */
static void test_group_of_a_device(void **state)
{
    u32 a = pcitree_bridge(-1, 1 << 3, TYPE_ROOT_PORT, false), b;

    (void)state;
    pcitree.node[a].reg[REG_HEADER / 4] |= HEADER_MULTI;
    b = pcitree_bridge(-1, 1 << 3 | 1, TYPE_ROOT_PORT, false);
    (void)card((int)a, 0);
    (void)card((int)b, 0);
    want(0, ID(1, 0, 0));
    want(0, ID(2, 0, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(pci_group(ID(1, 0, 0)), pci_group(ID(2, 0, 0)));
}

static void test_bridges_that_are_not_pcie(void **state)
{
    u32 a = root_port(1, true), b = pcitree_bridge((int)a, 0, 7, true), c = card((int)b, 1 << 3);

    (void)state;
    want(0, ID(2, 1, 0));
    want(1, ID(0, 1, 0));
    assert_string_equal(scan(),
                        "error: pci:2:1.0 can't be passed: it's behind a PCIe-to-PCI bridge, as "
                        "which the SMMU sees all that is there\n"
                        "error: pci:0:1.0 can't be passed: it's a bridge\n");
    assert_int_equal(config[0].errors, 1);
    assert_null(pci_find(ID(2, 1, 0)));
    assert_int_equal(reg(b, REG_BUSES), 0);
    assert_int_equal(reg(b, REG_COMMAND) & 7, 0);
    assert_int_equal(reg(c, REG_COMMAND) & 7, 7); /* but nothing of it gets out */
}

/* A root port in a card, a port without its switch: no such thing. */
static void test_kinds_in_wrong_places(void **state)
{
    static const u32 type[] = {TYPE_ROOT_PORT, TYPE_DOWNSTREAM, 0};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(type); i++) {
        u32 port, b;

        (void)setup(NULL);
        port = root_port(1, true);
        b = pcitree_bridge((int)port, 0, type[i], true);
        (void)card((int)b, 0);
        want(0, ID(2, 0, 0));
        assert_non_null(strstr(scan(), "it's behind a PCIe-to-PCI bridge"));
    }
}

static void test_everything_is_off(void **state)
{
    u32 a = root_port(1, true), c = card((int)a, 0), ats = pcitree_ext(c, EXT_ATS, 2);
    u32 sriov = pcitree_ext(c, EXT_SRIOV, 16), at;

    (void)state;
    pcitree.node[c].reg[ats / 4 + 1] = pcitree.node[c].writable[ats / 4 + 1] = 0x80000000;
    pcitree.node[c].reg[sriov / 4 + 2] = pcitree.node[c].writable[sriov / 4 + 2] = 0x9;
    want(0, ID(1, 0, 0));
    assert_string_equal(scan(), "");
    assert_int_equal(reg(c, ats + 4), 0);
    assert_int_equal(reg(c, sriov + 8), 0);
    at = reg(a, REG_CAPS) + EXPRESS_CONTROL2;
    assert_int_equal(reg(a, at), 0);
}

/* --- cards and bridges that lie --------------------------------------------------------------- */

static void refused(const char *why)
{
    const char *said = scan();

    if (strstr(said, why) == NULL) {
        printf("'%s' is not in: %s", why, said);
    }
    assert_non_null(strstr(said, why));
    assert_true(config[0].errors == 1);
    assert_true(config[0].pass.npci == 1 && pci_find(config[0].pass.pci[0].function) == NULL);
    assert_true(pcitree.accesses < 60000);
}

static void test_sizes(void **state)
{
    u32 c = card_with_bar(-1, 2 << 3, 0x1000);

    (void)state;
    want(0, ID(0, 2, 0));
    pcitree.node[c].writable[4] = 0xff0ff000;
    refused("the size of a BAR is not a power of two");
    pcitree_bar(c, 0, 0x1000, BAR_64); /* whose upper half is nothing */
    pcitree.node[c].writable[5] = 0;
    refused("the size of a BAR is not a power of two");
    pcitree_bar(c, 0, 0x100000000, BAR_64);
    refused("there's no room for its BARs");
    pcitree_bar(c, 0, BIT64(63), BAR_64);
    refused("there's no room for its BARs");
    pcitree_bar(c, 0, PCI_MEM_SIZE, 0);
    pcitree_bar(c, 1, PCI_MEM_SIZE, 0); /* the window begins in the middle of that */
    refused("there's no room for its BARs");
    assert_int_equal(reg(c, REG_COMMAND) & 0xffff, 0);
    pcitree_bar(c, 1, 0, 0);
    pcitree.node[c].writable[5] = 0;
    assert_string_equal(scan(), "");
    pcitree.board.pci.mem.size = 0xf000000; /* … and ends in the middle of it */
    refused("there's no room for its BARs");
}

/* A BAR that is where it is for good. */
static void test_fixed_bar(void **state)
{
    u32 c = card_with_bar(-1, 2 << 3, 0x1000);

    (void)state;
    want(0, ID(0, 2, 0));
    pcitree.node[c].reg[4] = 0x1000;
    pcitree.node[c].writable[4] = 0xfffee000;
    pcitree.node[c].reg[4 + 1] = 0;
    refused("power of two");
    pcitree.node[c].reg[4] = 0x90000000;
    pcitree.node[c].writable[4] = 0x6ffff000; /* sizing works */
    refused("a BAR of it can't be moved");
}

static void test_lists_without_end(void **state)
{
    u32 c = card_with_bar(-1, 2 << 3, 0x1000), port = root_port(1, false);

    (void)state;
    (void)card((int)port, 0);
    pcitree.node[c].reg[REG_CAPS / 4] = 0x80;
    pcitree.node[c].reg[0x80 / 4] = 0x8009; /* is its own next */
    pcitree.node[c].reg[LEGACY_END / 4] = 0x1000ffff;
    pcitree.node[port].reg[LEGACY_END / 4] = 0x1041fffe;
    pcitree.node[port].reg[0x104 / 4] = 0x1001fffe;
    want(0, ID(0, 2, 0));
    want(0, ID(1, 0, 0));
    assert_non_null(strstr(scan(), "pci:0:2.0 can't be reset"));
    assert_int_equal(config[0].errors, 0);
    assert_int_equal(pci_find(ID(0, 2, 0))->pm, 0);
    assert_true(pcitree.accesses < 20000);
}

/* A capability whose registers would be somewhere else. */
static void test_capability_at_the_end(void **state)
{
    u32 c = pcitree_card(-1, 2 << 3, CARD);

    (void)state;
    for (u32 i = 0; i < 2; i++) {
        static const u32 at[] = {0xf8, 0xfc}; /* PM fits into one of them, MSI-X into none */

        memset(&pcitree.node[c].reg[0x40 / 4], 0, 0xc0);
        pcitree.node[c].reg[REG_CAPS / 4] = at[i];
        config[0].pass.npci = 0;
        want(0, ID(0, 2, 0));
        pcitree.node[c].reg[at[i] / 4] = CAP_PM;
        (void)scan();
        assert_int_equal(pci_find(ID(0, 2, 0))->pm, i == 0 ? 0xf8 : 0);
        pcitree.node[c].reg[at[i] / 4] = CAP_MSIX;
        (void)scan();
        assert_int_equal(pci_find(ID(0, 2, 0))->msix, 0);
        pcitree.node[c].reg[at[i] / 4] = CAP_MSI;
        (void)scan();
        assert_int_equal(pci_find(ID(0, 2, 0))->msi, 0);
    }
}

static void test_bridge_without_registers(void **state)
{
    static const u32 offset[] = {REG_BUSES, REG_MEM, REG_PREF};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(offset); i++) {
        u32 port, c;

        (void)setup(NULL);
        port = root_port(1, true);
        c = card_with_bar((int)port, 0, 0x1000);
        pcitree_bar(c, 2, 0x1000, BAR_64 | BAR_PREF);
        pcitree.node[port].writable[offset[i] / 4] = 0;
        pcitree.node[port].reg[offset[i] / 4] |= 0x12301230;
        want(0, ID(1, 0, 0));
        refused("pci:1:0.0 can't be passed: a bridge above it can't be set up");
        assert_true(i == 0 || reg(port, REG_BUSES) == 0);
        assert_int_equal(reg(port, REG_COMMAND) & 7, 0);
    }
}

/* Bridges in bridges in bridges: as many as there's room for. */
static void test_too_many_bridges(void **state)
{
    u32 parent = root_port(1, true), n = 0;

    (void)state;
    pcitree.board.pci.buses = 255;
    for (n = 0; pcitree.count + 2 < PCITREE_NODES; n++) {
        parent = pcitree_bridge((int)parent, 0, TYPE_UPSTREAM, false);
        parent = pcitree_bridge((int)parent, 0, TYPE_DOWNSTREAM, true);
    }
    (void)card((int)parent, 0);
    want(0, ID(2 * n + 1, 0, 0));
    refused("there's no device, or it's behind more bridges than Muntin looks at");
}

static void test_no_tables(void **state)
{
    u32 port = root_port(1, true);

    (void)state;
    (void)card((int)port, 0);
    want(0, ID(1, 0, 0));
    pcitree.map_limit = 1;
    refused("a bridge above it can't be set up");
    pcitree.map_limit = 0;
    refused("there's no device at");
    pcitree.map_limit = 2;
    assert_string_equal(scan(), ""); /* nothing is left of what failed */
}

/* What was in D3 can't be looked behind. */
static void test_bridge_asleep(void **state)
{
    u32 port = root_port(1, true), at = pcitree_cap(port, CAP_PM, 2);
    u64 before = host_now_ns;

    (void)state;
    (void)card((int)port, 0);
    pcitree.node[port].pm = at;
    pcitree.node[port].reg[at / 4 + 1] = PM_D3 | PM_NO_SOFT_RESET;
    pcitree.node[port].writable[at / 4 + 1] = PM_STATE;
    want(0, ID(1, 0, 0));
    assert_string_equal(scan(), "");
    assert_true(host_now_ns - before >= 10000000);
}

static void test_odd_headers(void **state)
{
    u32 c = card(-1, 2 << 3);

    (void)state;
    want(0, ID(0, 2, 0));
    pcitree.node[c].reg[REG_HEADER / 4] = 0x00020000; /* CardBus */
    refused("there's no device at pci:0:2.0");
    pcitree.node[c].reg[REG_HEADER / 4] = 0;
    pcitree.node[c].reg[REG_ID / 4] = 0xffff0001; /* not ready */
    refused("there's no device at pci:0:2.0");
    assert_int_equal(reg(c, REG_COMMAND) & 0xffff, 0);
}

static void test_too_many_functions(void **state)
{
    (void)state;
    for (u32 i = 0; i < 8; i++) {
        want(0, ID(0, i, 0));
        want(1, ID(0, 8 + i, 0));
        (void)card(-1, (u8)(i << 3));
        (void)card(-1, (u8)((8 + i) << 3));
    }
    assert_string_equal(scan(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_root_bus, setup),
        cmocka_unit_test_setup(test_small_bars, setup),
        cmocka_unit_test_setup(test_nothing_wanted, setup),
        cmocka_unit_test_setup(test_numbers, setup),
        cmocka_unit_test_setup(test_numbers_are_kept, setup),
        cmocka_unit_test_setup(test_numbers_make_no_sense, setup),
        cmocka_unit_test_setup(test_no_number_left, setup),
        cmocka_unit_test_setup(test_windows, setup),
        cmocka_unit_test_setup(test_prefetchable, setup),
        cmocka_unit_test_setup(test_one_device_on_a_link, setup),
        cmocka_unit_test_setup(test_groups, setup),
        cmocka_unit_test_setup(test_acs, setup),
        cmocka_unit_test_setup(test_group_of_a_device, setup),
        cmocka_unit_test_setup(test_bridges_that_are_not_pcie, setup),
        cmocka_unit_test_setup(test_kinds_in_wrong_places, setup),
        cmocka_unit_test_setup(test_everything_is_off, setup),
        cmocka_unit_test_setup(test_sizes, setup),
        cmocka_unit_test_setup(test_fixed_bar, setup),
        cmocka_unit_test_setup(test_lists_without_end, setup),
        cmocka_unit_test_setup(test_capability_at_the_end, setup),
        cmocka_unit_test_setup(test_bridge_without_registers, setup),
        cmocka_unit_test_setup(test_too_many_bridges, setup),
        cmocka_unit_test_setup(test_no_tables, setup),
        cmocka_unit_test_setup(test_bridge_asleep, setup),
        cmocka_unit_test_setup(test_odd_headers, setup),
        cmocka_unit_test_setup(test_too_many_functions, setup),
    };

    return cmocka_run_group_tests_name("pci_bus", tests, NULL, NULL);
}

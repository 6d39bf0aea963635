/* SPDX-License-Identifier: MIT */
/*
 * Shared memory as guests see it, through their register accesses: regions, clients, doorbells, and
 * what a guest must never reach.
 */
#include "core/arch.h"
#include "core/atomic.h"
#include "core/log.h"
#include "tests/host/said.h"
#include "tests/host/shm.h"
#include "vdev/shmem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INTID     44u
#define SIGNATURE 0x4d534732474d5651ull
#define NOWHERE   UINT64_MAX
#define ALL       UINT32_MAX

enum { OK, UNKNOWN, NO_MEMORY, CLIENT_MAX, ILLEGAL_NAME, NO_PERMISSION, DOES_NOT_EXIST };

static struct guest *a, *b, *c;
static u64 fa, fb, fc; /* their factory pages */

/* Three VMs with these options of their `vdev shmem`; NULL: there's none. */
static void make(const char *oa, const char *ob, const char *oc)
{
    static char text[3][512];
    const char *options[] = {oa, ob, oc};
    struct guest **g[] = {&a, &b, &c};
    static const char *const name[] = {"a", "b", "c"};

    shm_begin();
    for (u32 i = 0; i < 3; i++) {
        *g[i] = NULL;
        if (options[i] != NULL) {
            fmt_print(text[i], sizeof(text[i]), "system %s\nram 4M\nvdev shmem intr gic:44 %s\n",
                      name[i], options[i]);
            *g[i] = shm_vm(name[i], text[i]);
        }
    }
    assert_true(shm_go());
    fa = a != NULL ? shm_factory(a, 0) : 0;
    fb = b != NULL ? shm_factory(b, 0) : 0;
    fc = c != NULL ? shm_factory(c, 0) : 0;
}

static int teardown(void **state)
{
    (void)state;
    shm_end();
    return 0;
}

static u64 shmem(struct guest *g, u64 factory)
{
    return guest_read(g, factory + SHM_SHMEM, 8);
}

/* Attaches, which has to work; the control page. */
static u64 join(struct guest *g, u64 factory, const char *name)
{
    u64 control;

    assert_int_equal(shm_attach(g, factory, name, 1), OK);
    control = shmem(g, factory);
    assert_true(control != NOWHERE && control % PAGE_SIZE == 0);
    return control;
}

static u32 clients(struct guest *g, u64 control)
{
    return (u32)guest_read(g, control + SHM_CLIENTS, 4);
}

static void notify(struct guest *g, u64 control, u32 who)
{
    guest_write(g, control + SHM_NOTIFY, 4, who);
}

static bool line(struct guest *g)
{
    return g->level[INTID] != 0;
}

/* --- the factory page --- */

static void power_on(void **state)
{
    (void)state;
    make("create x,8K", "allow x", NULL);
    assert_int_equal(guest_read(a, fa + SHM_SIGNATURE, 8), SIGNATURE);
    assert_int_equal(guest_read(a, fa, 4), SIGNATURE & UINT32_MAX);
    assert_int_equal(guest_read(a, fa + 4, 4), SIGNATURE >> 32);
    assert_int_equal(guest_read(a, fa + 1, 1), SIGNATURE >> 8 & 0xff);
    assert_int_equal(shmem(a, fa), NOWHERE);
    assert_int_equal(guest_read(a, fa + SHM_VECTOR, 4), INTID);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), OK);
    assert_int_equal(guest_read(a, fa + SHM_SIZE, 4), 0);
    assert_int_equal(guest_read(a, fa + SHM_NAME, 4), 0);
    assert_int_equal(guest_read(a, fa + 64, 8), 0);
    assert_int_equal(guest_read(a, fa + PAGE_SIZE - 8, 8), 0);
    assert_int_equal(shm_maps, 0);
    assert_false(line(a));
}

static void attach(void **state)
{
    u64 control, pa;

    (void)state;
    make("create x,8K", "allow x", NULL);
    control = join(a, fa, "x");
    assert_int_equal(guest_read(a, fa + SHM_SIZE, 4),
                     2); /* what there is, not what was asked for */
    assert_int_equal(guest_read(a, fa + SHM_NAME, 2), 'x');
    assert_int_equal(guest_read(a, control + SHM_INDEX, 4), 0);
    assert_int_equal(shm_maps, 1);
    assert_int_equal(shm_mapped(a, control), 0); /* registers */
    pa = shm_mapped(a, control + PAGE_SIZE);
    assert_true(pa != 0);
    assert_int_equal(shm_mapped(a, control + 3 * PAGE_SIZE - 1), pa + 2 * PAGE_SIZE - 1);
    assert_int_equal(shm_mapped(a, control + 3 * PAGE_SIZE), 0);
    /* the other one sees the same memory, with an index of its own */
    control = join(b, fb, "x");
    assert_int_equal(shm_mapped(b, control + PAGE_SIZE), pa);
    assert_int_equal(guest_read(b, control + SHM_INDEX, 4), 1);
    assert_int_equal(clients(b, control), 3 << 16);
}

/* The registers that only say something keep saying it. */
static void read_only(void **state)
{
    u64 control;

    (void)state;
    make("create x,8K", "allow x", NULL);
    control = join(a, fa, "x");
    guest_write(a, fa + SHM_SIGNATURE, 8, 0);
    guest_write(a, fa + SHM_SHMEM, 8, 0);
    guest_write(a, fa + SHM_VECTOR, 4, 99);
    guest_write(a, fa + SHM_STATUS, 4, 99);
    guest_write(a, control + SHM_CLIENTS, 8, 0);
    guest_write(a, control + 16, 8, UINT64_MAX);
    assert_int_equal(guest_read(a, fa + SHM_SIGNATURE, 8), SIGNATURE);
    assert_int_equal(shmem(a, fa), control);
    assert_int_equal(guest_read(a, fa + SHM_VECTOR, 4), INTID);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), OK);
    assert_int_equal(clients(a, control), 1 << 16);
    assert_int_equal(guest_read(a, control + SHM_NOTIFY, 8), 0);
    assert_int_equal(guest_read(a, control + 16, 8), 0);
}

/* A driver may copy the name in any pieces; only a write of the whole size is a request. */
static void name_in_pieces(void **state)
{
    (void)state;
    make("create abcdefghijkl,4K", NULL, NULL);
    guest_write(a, fa + SHM_NAME, 4, 0x64636261);
    guest_write(a, fa + SHM_NAME + 4, 8, 0x6c6b6a6968676665);
    guest_write(a, fa + SHM_SIZE, 2, 1);
    guest_write(a, fa + SHM_SIZE + 1, 1, 1);
    assert_int_equal(shmem(a, fa), NOWHERE);
    guest_write(a, fa + SHM_SIZE, 4, 1);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), OK);
    assert_int_equal(shm_maps, 1);
    assert_int_equal(guest_read(a, fa + SHM_NAME + 8, 8), 0x6c6b6a69);
    /* one store of size and the name's first bytes: the name counts first */
    guest_write(a, fa + SHM_SIZE, 8, 0x2f00000001);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), ILLEGAL_NAME);
    /* across the name's end */
    guest_write(a, fa + SHM_FIND - 4, 8, UINT64_MAX);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), ILLEGAL_NAME);
    assert_int_equal(guest_read(a, fa + SHM_FIND - 4, 8), UINT32_MAX);
    a->vm.devs->ops->reset(a->vm.devs);
    assert_int_equal(shm_maps, 0);
}

static void illegal_names(void **state)
{
    char name[40];

    (void)state;
    make("create x,4K spare 4,4K", NULL, NULL);
    assert_int_equal(shm_attach(a, fa, "", 1), ILLEGAL_NAME);
    assert_int_equal(shm_attach(a, fa, "a/b", 1), ILLEGAL_NAME);
    assert_int_equal(shm_attach(a, fa, "a b", 1), ILLEGAL_NAME);
    assert_int_equal(shm_attach(a, fa, "a\x1b[2J", 1), ILLEGAL_NAME);
    assert_int_equal(shm_attach(a, fa, "\xc3\xa4", 1), ILLEGAL_NAME);
    assert_int_equal(shmem(a, fa), NOWHERE);
    memset(name, 'n', sizeof(name));
    for (u32 i = 0; i < 32; i++) {
        guest_write(a, fa + SHM_NAME + i, 1, 'n'); /* no NUL */
    }
    guest_write(a, fa + SHM_SIZE, 4, 1);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), ILLEGAL_NAME);
    assert_int_equal(shm_maps, 0);
    name[31] = '\0';
    assert_int_equal(shm_attach(a, fa, name, 1), OK);
}

/* The last one's region isn't shown for one that failed. */
static void failure_after_success(void **state)
{
    (void)state;
    make("create x,4K", NULL, NULL);
    (void)join(a, fa, "x");
    assert_int_equal(shm_attach(a, fa, "y", 1), NO_MEMORY);
    assert_int_equal(shmem(a, fa), NOWHERE);
    assert_int_equal(shm_maps, 1);
}

static void find(void **state)
{
    u64 x, z;

    (void)state;
    make("create x,4K create y,8K create z,12K", NULL, NULL);
    guest_write(a, fa + SHM_FIND, 4, 0);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), DOES_NOT_EXIST);
    assert_int_equal(shmem(a, fa), NOWHERE);
    z = join(a, fa, "z");
    x = join(a, fa, "x");
    guest_write(a, fa + SHM_FIND, 4, 1);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), OK);
    assert_int_equal(shmem(a, fa), z);
    assert_int_equal(guest_read(a, fa + SHM_SIZE, 4), 3);
    assert_int_equal(guest_read(a, fa + SHM_NAME, 2), 'z');
    guest_write(a, fa + SHM_FIND, 4, 0);
    assert_int_equal(shmem(a, fa), x);
    guest_write(a, fa + SHM_FIND, 2, 1);
    assert_int_equal(shmem(a, fa), x);
    guest_write(a, fa + SHM_FIND, 4, UINT32_MAX);
    assert_int_equal(guest_read(a, fa + SHM_STATUS, 4), DOES_NOT_EXIST);
    assert_int_equal(shmem(a, fa), NOWHERE);
}

/* --- who may have what --- */

static void denied(void **state)
{
    (void)state;
    make("create secret,4K create open,4K spare 1,4K", "allow open", "deny s*");
    assert_int_equal(shm_attach(b, fb, "secret", 1), NO_PERMISSION);
    assert_int_equal(shm_attach(c, fc, "secret", 1), NO_PERMISSION);
    assert_int_equal(shm_attach(c, fc, "somewhere", 1),
                     NO_PERMISSION); /* there is none: the same */
    assert_int_equal(shm_maps, 0);
    /* and has no address there: open is all of its window, secret follows in c's */
    assert_int_equal(b->cfg.vdev[0].window_size, 2 * 2 * PAGE_SIZE); /* and the spare one */
    (void)join(a, fa, "secret");
    (void)join(b, fb, "open");
    (void)join(c, fc, "open");
    assert_int_equal(shm_maps, 3);
}

/* Not even the data of a region that the guest may have, before and after. */
static void only_while_attached(void **state)
{
    u64 control;

    (void)state;
    make("create x,8K", "allow x", NULL);
    control = join(a, fa, "x");
    guest_write(a, control + SHM_DETACH, 4, 0);
    assert_int_equal(shm_maps, 0);
    assert_int_equal(guest_read(a, control + SHM_CLIENTS, 4), UINT32_MAX);
    assert_int_equal(guest_read(a, control + SHM_INDEX, 4), UINT32_MAX);
    assert_int_equal(guest_read(a, control + PAGE_SIZE, 8), UINT64_MAX);
    guest_write(a, control + PAGE_SIZE, 8, 1);
    notify(a, control, ALL);
    guest_write(a, control + SHM_DETACH, 4, 0);
    assert_int_equal(shm_maps, 0);
    assert_int_equal(join(a, fa, "x"), control); /* always at the same place */
    assert_int_equal(shm_maps, 1);
    guest_write(a, control + SHM_NOTIFY, 8, 0); /* both registers in one store */
    assert_int_equal(shm_maps, 0);
}

static void spare_regions(void **state)
{
    u64 first, size = 0;

    (void)state;
    make("spare 2,64K", "spare 1,4K", "deny own");
    assert_int_equal(shm_attach(c, fc, "free", 1), NO_MEMORY); /* it has none itself */
    assert_int_equal(shm_attach(a, fa, "free", 17), NO_MEMORY);
    assert_int_equal(shm_attach(a, fa, "free", UINT32_MAX), NO_MEMORY);
    assert_int_equal(shm_attach(a, fa, "free", 0), UNKNOWN);
    assert_int_equal(shm_attach(a, fa, "free", 3), OK);
    size = guest_read(a, fa + SHM_SIZE, 4);
    assert_int_equal(size, 16);
    first = shm_mapped(a, shmem(a, fa) + PAGE_SIZE);
    /* others attach, whatever size they think it has */
    assert_int_equal(shm_attach(c, fc, "free", 0), OK);
    assert_int_equal(shm_mapped(c, shmem(c, fc) + PAGE_SIZE), first);
    assert_int_equal(shm_attach(b, fb, "free", 100), OK);
    assert_int_equal(shm_attach(b, fb, "own", 2), NO_MEMORY); /* b's has one page; a's aren't its */
    assert_int_equal(shm_attach(b, fb, "own", 1), OK);
    assert_int_equal(shm_attach(b, fb, "more", 1), NO_MEMORY);
    assert_int_equal(shm_attach(c, fc, "own", 1), NO_PERMISSION);
    assert_int_equal(shm_attach(a, fa, "second", 1), OK);
    assert_int_not_equal(shm_mapped(a, shmem(a, fa) + PAGE_SIZE), first);
    assert_int_equal(shm_attach(a, fa, "third", 1), NO_MEMORY);
    /* names stay when all have left */
    a->vm.devs->ops->reset(a->vm.devs);
    assert_int_equal(shm_attach(a, fa, "third", 1), NO_MEMORY);
    assert_int_equal(shm_attach(a, fa, "second", 1), OK);
}

static void substituted(void **state)
{
    (void)state;
    make("create l-x,4K create q,4K subst q,q subst ,l-", "subst left,l deny l-y", "");
    (void)join(a, fa, "x");
    assert_int_equal(guest_read(a, fa + SHM_NAME, 2), 'x');
    (void)join(b, fb, "left-x");
    assert_int_equal(shm_maps, 2);
    assert_int_equal(shm_mapped(a, shmem(a, fa) + PAGE_SIZE),
                     shm_mapped(b, shmem(b, fb) + PAGE_SIZE));
    (void)join(b, fb, "l-x"); /* no match: as it is */
    assert_int_equal(shm_maps, 2);
    (void)join(a, fa, "q");
    assert_int_equal(shm_attach(b, fb, "left-y", 1), NO_PERMISSION);
    assert_int_equal(shm_attach(a, fa, "123456789012345678901234567890", 1), ILLEGAL_NAME);
}

static void sixteen_clients(void **state)
{
    static char text[2048];
    struct guest *g;
    size_t n;

    (void)state;
    shm_begin();
    n = (size_t)fmt_print(text, sizeof(text), "system a ram 4M\n");
    for (u32 i = 0; i < SHMEM_CLIENTS + 1; i++) {
        n += (size_t)fmt_print(text + n, sizeof(text) - n, "vdev shmem create x,4K\n");
    }
    g = shm_vm("a", text);
    assert_true(shm_go());
    for (u32 i = 0; i < SHMEM_CLIENTS; i++) {
        u64 control = join(g, shm_factory(g, i), "x");

        assert_int_equal(guest_read(g, control + SHM_INDEX, 4), i);
        assert_int_equal(clients(g, control) >> 16, (2u << i) - 1);
    }
    assert_int_equal(shm_attach(g, shm_factory(g, SHMEM_CLIENTS), "x", 1), CLIENT_MAX);
    assert_int_equal(shm_maps, SHMEM_CLIENTS);
    /* one leaves, and its index is the next one's */
    guest_write(g, shmem(g, shm_factory(g, 7)) + SHM_DETACH, 4, 1);
    assert_int_equal(shm_attach(g, shm_factory(g, SHMEM_CLIENTS), "x", 1), OK);
    assert_int_equal(guest_read(g, shmem(g, shm_factory(g, SHMEM_CLIENTS)) + SHM_INDEX, 4), 7);
}

/* A driver that starts anew without detaching gets what it had. */
static void attach_again(void **state)
{
    u64 control, other;

    (void)state;
    make("create x,4K", "", NULL);
    control = join(a, fa, "x");
    other = join(b, fb, "x");
    notify(b, other, 1);
    (void)clients(b, other);
    assert_int_equal(join(a, fa, "x"), control);
    assert_int_equal(shm_maps, 2);
    assert_int_equal(clients(a, control), 3 << 16 | 2); /* nothing is lost */
    assert_false(line(b));                              /* and nobody told */
}

static void no_room_in_stage_2(void **state)
{
    (void)state;
    make("create x,4K", "", NULL);
    shm_map_fail = true;
    assert_int_equal(shm_attach(a, fa, "x", 1), UNKNOWN);
    assert_int_equal(shmem(a, fa), NOWHERE);
    assert_int_equal(clients(b, join(b, fb, "x")), 1 << 16); /* no client is left behind */
    assert_int_equal(guest_read(b, shmem(b, fb) + SHM_INDEX, 4), 0);
}

/* --- doorbells --- */

static void doorbell(void **state)
{
    u64 ca, cb, cc;

    (void)state;
    make("create x,4K", "", "");
    ca = join(a, fa, "x");
    cb = join(b, fb, "x");
    cc = join(c, fc, "x");
    (void)clients(a, ca);
    (void)clients(b, cb);
    assert_false(line(a) || line(b) || line(c));
    notify(c, cc, 1 << 0);
    assert_true(line(a));
    assert_false(line(b) || line(c));
    notify(b, cb, 1 << 0);
    /* reading it in part is looking, not taking */
    assert_int_equal(guest_read(a, ca, 2), 1 << 2 | 1 << 1);
    assert_int_equal(guest_read(a, ca + 2, 2), 7);
    assert_true(line(a));
    assert_int_equal(clients(a, ca), 7 << 16 | 1 << 2 | 1 << 1);
    assert_false(line(a));
    assert_int_equal(clients(a, ca), 7 << 16);
    /* all ones: all but oneself; without that, whoever is named */
    notify(a, ca, ALL);
    assert_true(!line(a) && line(b) && line(c));
    assert_int_equal(guest_read(b, cb, 8), 1ull << 32 | 7 << 16 | 1);
    assert_false(line(b));
    notify(b, cb, 1 << 1);
    assert_int_equal(clients(b, cb), 7 << 16 | 1 << 1);
    notify(b, cb, 0);
    notify(b, cb, 0xfffffff8); /* nobody */
    assert_false(line(a) || line(b));
    guest_write(b, cb + SHM_NOTIFY, 2, 1);
    guest_write(b, cb + SHM_NOTIFY + 1, 1, 1);
    assert_false(line(a));
}

/* Each change of the status is an interrupt; one's own doing is not. */
static void others_come_and_go(void **state)
{
    u64 ca, cb;

    (void)state;
    make("create x,4K", "", NULL);
    ca = join(a, fa, "x");
    assert_false(line(a));
    cb = join(b, fb, "x");
    assert_true(line(a));
    assert_false(line(b));
    assert_int_equal(clients(a, ca), 3 << 16);
    assert_false(line(a));
    guest_write(b, cb + SHM_DETACH, 4, 0);
    assert_true(line(a));
    assert_false(line(b));
    assert_int_equal(clients(a, ca), 1 << 16);
    notify(a, ca, 1 << 1); /* who left hears nothing */
    assert_false(line(b));
}

/* One interrupt for all regions of a device: it stays until all were looked at. */
static void one_line_for_all(void **state)
{
    u64 ax, ay, bx, by;

    (void)state;
    make("create x,4K create y,4K", "", NULL);
    ax = join(a, fa, "x");
    ay = join(a, fa, "y");
    bx = join(b, fb, "x");
    by = join(b, fb, "y");
    (void)clients(a, ax);
    assert_true(line(a));
    (void)clients(a, ay);
    assert_false(line(a));
    notify(b, bx, 1);
    notify(b, by, 1);
    assert_int_equal(clients(a, ay), 3 << 16 | 2);
    assert_true(line(a));
    /* leaving takes its claim with it */
    guest_write(a, ax + SHM_DETACH, 4, 0);
    assert_false(line(a));
    notify(b, bx, 1);
    assert_false(line(a));
}

/* --- a VM's end --- */

static void restart(void **state)
{
    u64 ca, cb, pa;

    (void)state;
    make("create x,4K", "", NULL);
    ca = join(a, fa, "x");
    cb = join(b, fb, "x");
    notify(b, cb, 1);
    pa = shm_mapped(a, ca + PAGE_SIZE);
    memset((void *)(uintptr_t)pa, 0x5a, PAGE_SIZE);
    a->vm.devs->ops->reset(a->vm.devs);
    assert_false(line(a));
    assert_int_equal(shm_mapped(a, ca + PAGE_SIZE), 0);
    assert_int_equal(shmem(a, fa), NOWHERE);
    assert_int_equal(guest_read(a, fa + SHM_SIZE, 8), 0);
    assert_true(line(b));
    assert_int_equal(clients(b, cb), 2 << 16);
    /* back again: nothing of before, but what the region holds */
    assert_int_equal(join(a, fa, "x"), ca);
    assert_int_equal(clients(a, ca), 3 << 16);
    assert_int_equal(shm_mapped(a, ca + PAGE_SIZE), pa);
    assert_int_equal(*(u8 *)(uintptr_t)(pa + PAGE_SIZE - 1), 0x5a);
}

static void zeroed_at_boot(void **state)
{
    const u8 *p;

    (void)state;
    make("create x,4K", NULL, NULL);
    p = (const u8 *)(uintptr_t)shm_mapped(a, join(a, fa, "x") + PAGE_SIZE);
    for (u32 i = 0; i < PAGE_SIZE; i++) {
        assert_int_equal(p[i], 0);
    }
}

/* Large regions in blocks, small ones between them: where each is, and nothing overlaps. */
static void places(void **state)
{
    u64 at[3], pa;

    (void)state;
    make("create s1,4K create big,4M create s2,12K", "allow big", NULL);
    at[0] = join(a, fa, "s1");
    at[1] = join(a, fa, "big");
    at[2] = join(a, fa, "s2");
    assert_int_equal(at[0], a->cfg.vdev[0].window);
    assert_int_equal((at[1] + PAGE_SIZE) % (2 * MIB), 0);
    pa = shm_mapped(a, at[1] + PAGE_SIZE);
    assert_int_equal(pa % (2 * MIB), 0);
    assert_int_equal(shm_mapped(a, at[1] + 4 * MIB), pa + 4 * MIB - PAGE_SIZE);
    assert_true(at[2] >= at[1] + PAGE_SIZE + 4 * MIB);
    assert_int_equal(at[2] + 4 * PAGE_SIZE, a->cfg.vdev[0].window + a->cfg.vdev[0].window_size);
    assert_int_equal(join(b, fb, "big"), b->cfg.vdev[0].window + 2 * MIB - PAGE_SIZE);
    assert_int_equal(guest_read(a, at[0] + 2 * PAGE_SIZE, 4), UINT32_MAX); /* between them */
}

/* --- several CPUs --- */

#define ROUNDS 4000u
static u32 heard; /* doorbells that b took; atomic */

/* Comes and goes, and notifies while it's there. */
static void *visitor(void *arg)
{
    struct guest *g = arg;
    u64 factory = shm_factory(g, 0);

    for (u32 i = 0; i < ROUNDS / 4; i++) {
        u64 control;

        assert_int_equal(shm_attach(g, factory, "x", 1), OK);
        control = shmem(g, factory);
        notify(g, control, ALL);
        (void)clients(g, control);
        guest_write(g, control + SHM_DETACH, 4, 0);
    }
    return NULL;
}

/* One of two vCPUs of a, whose accesses have no more in common than the device. */
static void *ringer(void *arg)
{
    struct vdev *d = a->vm.devs;
    u64 offset = *(u64 *)arg - d->conf->window;

    for (u32 i = 0; i < ROUNDS; i++) {
        d->ops->write(d, NULL, 1, offset + SHM_NOTIFY, 4, ALL);
        if (i % 64 == 0) {
            (void)d->ops->read(d, NULL, 1, offset + SHM_CLIENTS, 4);
        }
    }
    return NULL;
}

/*
 * Never a bit without the line: what was pending when the line is low was taken. If all the others
 * are done before it begins, what they rang last is still pending.
 */
static void *listener(void *arg)
{
    u64 control = *(u64 *)arg;

    for (u32 i = 0; i < ROUNDS || atomic_load(&heard) == 0; i++) {
        if ((clients(b, control) & 0xffff) != 0) {
            atomic_add(&heard, 1u);
        }
    }
    return NULL;
}

static void races(void **state)
{
    pthread_t t[4];
    u64 ca, cb;

    (void)state;
    make("create x,4K", "", "");
    ca = join(a, fa, "x");
    cb = join(b, fb, "x");
    assert_int_equal(pthread_create(&t[0], NULL, ringer, &ca), 0);
    assert_int_equal(pthread_create(&t[1], NULL, listener, &cb), 0);
    assert_int_equal(pthread_create(&t[2], NULL, visitor, c), 0);
    assert_int_equal(pthread_create(&t[3], NULL, ringer, &ca), 0);
    for (u32 i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    assert_true(heard > 0);
    assert_int_equal(shm_maps, 2);
    (void)clients(b, cb);
    assert_false(line(b));
    notify(a, ca, ALL);
    assert_true(line(b));
    assert_int_equal(clients(b, cb), 3 << 16 | 1);
}

/* --- what people see --- */

static void show(void **state)
{
    (void)state;
    make("create x,8K spare 1,4K", "", NULL);
    (void)join(b, fb, "x");
    notify(a, join(a, fa, "x"), ALL);
    (void)shm_attach(b, fb, "y", 1);
    assert_string_equal(said_show(b->vm.devs),
                        "  shmem at 0xa000000: interrupt high; attached 1 times, refused 1, "
                        "notified others 0\n"
                        "    region x, 8 KiB at 0x10001000: clients 0x3, of which this is "
                        "0; notified by 0x2, others came or went\n");
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(power_on),
        TEST(attach),
        TEST(read_only),
        TEST(name_in_pieces),
        TEST(illegal_names),
        TEST(failure_after_success),
        TEST(find),
        TEST(denied),
        TEST(only_while_attached),
        TEST(spare_regions),
        TEST(substituted),
        TEST(sixteen_clients),
        TEST(attach_again),
        TEST(no_room_in_stage_2),
        TEST(doorbell),
        TEST(others_come_and_go),
        TEST(one_line_for_all),
        TEST(restart),
        TEST(zeroed_at_boot),
        TEST(places),
        TEST(races),
        TEST(show),
    };

    log_threshold = LOG_ERR;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

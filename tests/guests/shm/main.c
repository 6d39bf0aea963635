/* SPDX-License-Identifier: MIT */
/*
 * Shared memory between VMs: looks at the device's registers, attaches to the region `chan`, and
 * exchanges messages with the guest at the other end, this one or Linux (guest-configs/linux/shm.c
 * says what the region holds). Words of the boot arguments:
 *
 *   lead                leads; without it, follows
 *   sessions=N          leads so many followers, one after the other (1)
 *   rounds=N            messages in each session (200)
 *   resets=N            a follower that ends its session with SYSTEM_RESET, still attached, until
 *                       this was done N times; the region remembers how often it was
 *   cached              takes the region as normal memory, not as device memory
 *   denied              the region `secret` is one that this VM may not have
 */
#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/dt.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/mmu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

#define SIGNATURE 0x4d534732474d5651

enum {
    FACTORY_SIGNATURE = 0,
    FACTORY_SHMEM = 8,
    FACTORY_VECTOR = 16,
    FACTORY_STATUS = 20,
    FACTORY_SIZE = 24,
    FACTORY_NAME = 28,
    CONTROL_STATUS = 0,
    CONTROL_INDEX = 4,
    CONTROL_NOTIFY = 8,
    CONTROL_DETACH = 12,
};

enum { STATUS_OK = 0, STATUS_NO_PERMISSION = 5 };

/* A page for each client, by its index; behind those of the 16, a page of the region's own. */
enum { PAGE = 4096, CLIENTS = 16, WORDS = 128, END = 0xffffffff, TIMEOUT_S = 300 };

struct mailbox {
    uint32_t round; /* of what is in words; END: no more */
    uint32_t unused;
    uint64_t words[WORDS];
};

static uint64_t factory, window, window_size;
static uint32_t irq;
static uint64_t control; /* 0: not attached */
static uint32_t pending, live, handled;

static void find_device(void)
{
    struct dt dt;
    int depth = 0;

    if (!dt_open(&dt, (const void *)platform.dtb.base)) {
        return;
    }
    for (uint32_t n = dt_next(&dt, 0, &depth); n != DT_NONE; n = dt_next(&dt, n, &depth)) {
        struct dt_prop reg = dt_get(&dt, n, "reg");

        if (dt_lists(dt_get(&dt, n, "compatible"), "qvm,guest_shm")) {
            factory = dt_cells(reg, 0, 2);
            window = dt_cells(reg, 4, 2);
            window_size = dt_cells(reg, 6, 2);
            irq = 32 + (uint32_t)dt_cells(dt_get(&dt, n, "interrupts"), 1, 1);
        }
    }
}

/* Reading the status takes what it says. */
static void look(void)
{
    uint32_t status = io_read32(control + CONTROL_STATUS);

    pending |= status & 0xffff;
    live = status >> 16;
}

static void take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack();

    (void)entry_time;
    if (gic_intid(iar) == irq && control) {
        look();
        handled++;
    } else if (gic_intid(iar) == platform.vtimer_irq) {
        sysreg_write("cntv_ctl_el0", 0);
        isb();
    }
    if (gic_intid(iar) < GIC_SPURIOUS) {
        gic_eoi(iar);
    }
}

/* Until the next interrupt, or for a second. */
static void sleep(void)
{
    sysreg_write("cntv_cval_el0", timer_now() + timer_hz());
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    wfi();
    irq_unmask();
    irq_mask();
}

/* Sleeps until one of these clients has notified us; false: too late, or none of them is left. */
static bool wait_notified(uint32_t clients)
{
    uint64_t give_up = timer_now() + TIMEOUT_S * timer_hz();

    while (!(pending & clients) && (live & clients) && timer_now() < give_up) {
        sleep();
    }
    if (!(pending & clients)) {
        return false;
    }
    pending &= ~clients;
    return true;
}

static uint32_t attach(const char *name)
{
    for (uint32_t i = 0;; i++) {
        io_write8(factory + FACTORY_NAME + i, (uint8_t)name[i]);
        if (!name[i]) {
            break;
        }
    }
    io_write32(factory + FACTORY_SIZE, CLIENTS + 1);
    return io_read32(factory + FACTORY_STATUS);
}

/* No word of the window can be reached: all read as ones, and take nothing. */
static void check_empty(const char *when)
{
    uint32_t found = 0;

    for (uint64_t at = window; at < window + window_size && at < window + 64 * PAGE; at += PAGE) {
        io_write64(at + 64, 0x5a5a5a5a5a5a5a5a);
        found += io_read64(at + 64) != ~(uint64_t)0;
        found += io_read8(at) != 0xff;
    }
    test_check(found == 0, "%s: %u words of the window are there", when, found);
}

static void see_factory(void)
{
    test_equal("signature", io_read64(factory + FACTORY_SIGNATURE), SIGNATURE);
    test_equal("vector", io_read32(factory + FACTORY_VECTOR), irq);
    test_equal("shmem", io_read64(factory + FACTORY_SHMEM), ~(uint64_t)0);
    check_empty("before attaching");
}

static void be_denied(void)
{
    if (!bootargs_has("denied")) {
        test_skip("nothing is denied");
        return;
    }
    test_equal("status", attach("secret"), STATUS_NO_PERMISSION);
    test_equal("shmem", io_read64(factory + FACTORY_SHMEM), ~(uint64_t)0);
    check_empty("denied");
}

static struct mailbox *mailbox_of(uint32_t client)
{
    return (struct mailbox *)(control + PAGE + client * PAGE);
}

static uint64_t word_of(uint32_t round, uint32_t i)
{
    return ((uint64_t)round << 32 | i) * 0x9e3779b97f4a7c15;
}

static uint32_t self(void)
{
    return io_read32(control + CONTROL_INDEX);
}

static void detach(void)
{
    uint64_t at = control;

    control = 0;
    io_write32(at + CONTROL_DETACH, 0);
}

/* The doorbell rings after what it is about was written. */
static void ring(uint32_t clients)
{
    __asm__ volatile("dsb sy" : : : "memory");
    io_write32(control + CONTROL_NOTIFY, clients);
}

static bool join(void)
{
    struct mailbox *m;

    if (!test_equal("status", attach("chan"), STATUS_OK)) {
        return false;
    }
    control = io_read64(factory + FACTORY_SHMEM);
    if (!test_check(control >= window && control < window + window_size, "shmem 0x%lx", control) ||
        !test_check(io_read32(factory + FACTORY_SIZE) >= CLIENTS + 1, "too small")) {
        control = 0;
        return false;
    }
    if (bootargs_has("cached")) {
        mmu_set(control, MMU_NORMAL);
        mmu_set(control + PAGE, MMU_NORMAL);
    }
    m = mailbox_of(self());
    atomic_store(&m->round, 0);
    look();
    return true;
}

/* The answer is what was sent, inverted. */
static uint32_t count_wrong(const struct mailbox *m, uint32_t round, uint64_t invert)
{
    uint32_t wrong = atomic_load(&m->round) != round;

    for (uint32_t i = 0; i < WORDS; i++) {
        wrong += m->words[i] != (word_of(round, i) ^ invert);
    }
    return wrong;
}

static void lead_one(uint32_t peer, uint32_t rounds)
{
    struct mailbox *m = mailbox_of(self());
    uint32_t wrong = 0;

    for (uint32_t round = 1; round <= rounds; round++) {
        for (uint32_t i = 0; i < WORDS; i++) {
            m->words[i] = word_of(round, i);
        }
        atomic_store(&m->round, round);
        ring(1u << peer);
        if (!test_check(wait_notified(1u << peer), "no answer to round %u", round)) {
            return;
        }
        wrong += count_wrong(mailbox_of(peer), round, ~(uint64_t)0);
    }
    test_check(wrong == 0, "%u words are wrong", wrong);
    atomic_store(&m->round, END);
    ring(1u << peer);
    test_note("LED rounds=%u wrong=%u", rounds, wrong);
}

static void lead(void)
{
    uint32_t sessions = (uint32_t)bootargs_number("sessions", 1);
    uint32_t rounds = (uint32_t)bootargs_number("rounds", 200);

    for (uint32_t s = 0; s < sessions; s++) {
        uint64_t give_up = timer_now() + TIMEOUT_S * timer_hz();
        uint32_t others, peer = 0;

        /* a follower says hello when it is ready */
        while (!pending && timer_now() < give_up) {
            sleep();
        }
        others = pending;
        if (!test_check(others, "nobody came")) {
            return;
        }
        while (!(others >> peer & 1)) {
            peer++;
        }
        pending = 0;
        lead_one(peer, rounds);
        give_up = timer_now() + TIMEOUT_S * timer_hz();
        /* who comes back quickly may have left unseen */
        while ((live >> peer & 1) && !pending && timer_now() < give_up) {
            sleep();
        }
        test_check(!(live >> peer & 1) || pending, "client %u never left", peer);
        test_note("LEFT client=%u", peer);
    }
}

static void follow(void)
{
    uint32_t leaders = 0xffff & ~(1u << self()), rounds = 0, wrong = 0;
    uint64_t give_up = timer_now() + TIMEOUT_S * timer_hz();
    struct mailbox *m = mailbox_of(self());

    while (!(live & leaders) && timer_now() < give_up) {
        sleep();
    }
    ring(~0u);
    while (test_check(wait_notified(leaders), "the leader is gone after round %u", rounds)) {
        for (uint32_t from = 0; from < CLIENTS; from++) {
            struct mailbox *l = mailbox_of(from);
            uint32_t round = atomic_load(&l->round);

            if (!(leaders >> from & 1) || round == 0) {
                continue;
            }
            if (round == END) {
                test_check(wrong == 0, "%u words are wrong", wrong);
                test_note("FOLLOWED rounds=%u wrong=%u", rounds, wrong);
                return;
            }
            wrong += count_wrong(l, round, 0);
            for (uint32_t i = 0; i < WORDS; i++) {
                m->words[i] = ~l->words[i];
            }
            atomic_store(&m->round, round);
            ring(1u << from);
            rounds++;
        }
    }
}

static void exchange(void)
{
    volatile uint64_t *resets;
    uint32_t before;

    if (!join()) {
        return;
    }
    before = handled;
    if (bootargs_has("lead")) {
        lead();
    } else {
        follow();
    }
    test_check(handled > before, "no interrupt came");
    resets = (volatile uint64_t *)(control + PAGE + CLIENTS * PAGE);
    if (*resets < bootargs_number("resets", 0)) {
        (*resets)++;
        test_note("RESET %lu", *resets);
        psci_system_reset();
    }
    detach();
    check_empty("after detaching");
}

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"factory", see_factory},
        {"denied", be_denied},
        {"exchange", exchange},
    };

    irq_mask();
    find_device();
    test_begin("shm");
    if (!factory) {
        test_panic("no qvm,guest_shm in the device tree");
    }
    exception_irq_hook = take_irq;
    gic_init();
    gic_set_edge(irq, false);
    gic_set_priority(irq, GIC_DEFAULT_PRIORITY);
    gic_route(irq, 0);
    gic_enable(irq);
    gic_enable(platform.vtimer_irq);
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_end();
}

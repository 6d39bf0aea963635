/* SPDX-License-Identifier: MIT */
/*
 * Lives beside an attacker and watches itself: its RAM keeps its hash, its clocks run forward and
 * wake it in time, its pings (lib/ping.h) come back whole.  A line "@@ victim ok N" each tick while
 * all is well, "@@ victim BAD" when not.
 * Boot arguments: rounds=N ticks (50), 0 for ever; tick-ms=N (100); late-ms=N, how late a tick may
 * be (100); lost=N, how many pings may be lost in all (0); size-mib=N of RAM to watch (8).
 */
#include <stddef.h>

#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/ping.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/prng.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { FIRST_SEQ = 1 };

struct watch {
    uint64_t *ram;
    uint64_t words;
    uint64_t hash;
    uint64_t tick;
    uint64_t late;
    uint64_t last_virtual;
    uint64_t last_physical;
    uint64_t worst_late;
    uint64_t worst_rtt;
    uint64_t sent_at;
    uint32_t seq;
    uint32_t sent;
    uint32_t answered;
    uint32_t corrupt;
    uint32_t bad;
    bool net;
};

static struct watch w;

static void complain(bool good, const char *what)
{
    if (!test_check(good, "%s", what)) {
        test_note("BAD %s", what);
        w.bad++;
    }
}

static void prepare(void)
{
    struct prng random = {0x6d756e74696e};

    w.words = (bootargs_number("size-mib", 8) << 20) / 8;
    w.ram = (uint64_t *)platform_free_ram(w.words * 8, 1 << 21);
    complain(w.ram, "not so much RAM");
    for (uint64_t i = 0; i < w.words; i++) {
        w.ram[i] = prng_next(&random);
    }
    w.hash = hash_words(w.ram, w.words);
    w.tick = timer_ticks(1000 * bootargs_number("tick-ms", 100));
    w.late = timer_ticks(1000 * bootargs_number("late-ms", 100));
    w.net = net_open();
    if (!w.net) {
        test_note("no NIC: no pings");
        exception_irq_hook = net_take_irq;
        gic_init();
        gic_enable(platform.vtimer_irq);
    }
    w.last_virtual = timer_now();
    w.last_physical = timer_physical_now();
    w.seq = FIRST_SEQ;
}

static void watch_clocks(void)
{
    uint64_t v = timer_now();
    uint64_t p = timer_physical_now();

    complain(v >= w.last_virtual, "the virtual counter went back");
    complain(p >= w.last_physical, "the physical counter went back");
    w.last_virtual = v;
    w.last_physical = p;
}

static void take_frames(void)
{
    static struct ping p;
    bool intact;
    uint32_t kind;

    while ((kind = ping_receive(&p, &intact)) != 0) {
        if (!intact) {
            w.corrupt++;
        } else if (kind == PING_REQUEST) {
            ping_reply(&p);
        } else if (p.seq == w.seq) {
            uint64_t rtt = timer_now() - w.sent_at;

            w.answered++;
            w.seq++; /* a second answer to the same ping counts no more */
            w.worst_rtt = rtt > w.worst_rtt ? rtt : w.worst_rtt;
        }
    }
}

/* Sleeps until then, answering and taking frames; notes how late it wakes. */
static void sleep_until(uint64_t until)
{
    while (timer_now() < until) {
        net_sleep(until);
        watch_clocks();
        if (w.net) {
            take_frames();
        }
    }
    if (timer_now() - until > w.worst_late) {
        w.worst_late = timer_now() - until;
    }
}

static void one_tick(uint32_t round)
{
    uint64_t start = timer_now();
    uint32_t seq = w.seq;

    if (w.net) {
        w.sent++;
        w.sent_at = start;
        complain(ping_send(seq, round * 37 % PING_MAX_PAYLOAD), "the NIC takes no frames");
    }
    complain(hash_words(w.ram, w.words) == w.hash, "RAM has changed");
    sleep_until(start + w.tick);
    if (w.net && w.seq == seq) {
        w.seq++; /* lost */
    }
    complain(w.corrupt == 0, "corrupt frame");
    if (!w.bad) {
        test_note("ok %u, at %lu ms, woke %lu us late, ping %u of %u, at most %lu us", round,
                  timer_ns(timer_now()) / 1000000, timer_ns(w.worst_late) / 1000, w.answered,
                  w.sent, timer_ns(w.worst_rtt) / 1000);
    }
}

static void live(void)
{
    uint64_t rounds = bootargs_number("rounds", 50);
    uint64_t lost;

    prepare();
    for (uint32_t round = 1; !w.bad && (!rounds || round <= rounds); round++) {
        one_tick(round);
    }
    lost = w.sent - w.answered;
    test_check(lost <= bootargs_number("lost", 0), "%lu of %u pings lost", lost, w.sent);
    test_check(w.worst_late < w.late, "woke %lu us late", timer_ns(w.worst_late) / 1000);
}

void guest_main(void)
{
    static const struct test_case cases[] = {{"live", live}};

    test_begin("victim");
    test_run(cases, 1);
    test_end();
}

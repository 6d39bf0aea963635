/* SPDX-License-Identifier: MIT */
/*
 * Keeps requests to an echo under way (lib/ping.h) and says how many came back, and how soon, in
 * two phases: before something else in the machine begins, and after.  A request that is not
 * answered within LOST_US is lost and another takes its place.
 * Boot arguments: peer=MAC as a number; from-ms=, at-ms=, end-ms= of the counter: the first phase
 * begins, the second, the end; len=N payload bytes (200); window=N requests at a time (8);
 * also=MAC, who gets a frame, too, with each request, and never answers.
 */
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/ping.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { PHASES = 2, WINDOW_MAX = 32, LOST_US = 10000, NAP_US = 1000 };
enum { RTT_MAX = LOST_US + 1 }; /* us; the last is for what was lost */

struct slot {
    uint64_t sent_at;
    uint32_t seq;
};

struct phase {
    uint32_t rtt[RTT_MAX]; /* how many took so many us */
    uint32_t answered, lost, others;
};

struct load {
    struct slot slot[WINDOW_MAX];
    struct phase phase[PHASES], *now;
    uint8_t peer[6], also[6];
    uint32_t window, len;
    uint32_t strange; /* answers that no request was made for, or that have changed */
    bool has_also;
};

static struct load load;

static bool mac_argument(const char *name, uint8_t *mac)
{
    uint64_t number = bootargs_number(name, 0);

    for (uint32_t i = 0; i < 6; i++) {
        mac[i] = (uint8_t)(number >> 8 * (5 - i));
    }
    return number != 0;
}

/* The next request of this slot: its number tells the slot. */
static void ask(struct slot *s)
{
    s->seq += load.window;
    s->sent_at = timer_now();
    test_check(ping_send_to(load.peer, s->seq, load.len), "the NIC takes no frames");
    if (load.has_also) {
        ping_send_to(load.also, 0, 0);
    }
}

static void note(uint64_t us)
{
    if (us >= LOST_US) {
        load.now->lost++;
        us = LOST_US;
    } else {
        load.now->answered++;
    }
    load.now->rtt[us]++;
}

static uint64_t age_us(const struct slot *s)
{
    return timer_ns(timer_now() - s->sent_at) / 1000;
}

static void take_answers(uint64_t end)
{
    static struct ping p;
    bool intact;
    uint32_t kind;

    while (timer_now() < end && (kind = ping_receive(&p, &intact)) != 0) {
        struct slot *s = &load.slot[p.seq % load.window];

        if (kind != PING_REPLY || !intact || memcmp(p.from, load.peer, sizeof(p.from)) != 0) {
            load.strange++;
        } else if (p.seq == s->seq) {
            note(age_us(s));
            ask(s);
        }
    }
}

static void run_phase(struct phase *phase, uint64_t end)
{
    uint32_t others = ping_others;

    load.now = phase;
    while (timer_now() < end) {
        uint64_t nap = timer_now() + timer_ticks(NAP_US);

        take_answers(end);
        for (uint32_t i = 0; i < load.window; i++) {
            if (age_us(&load.slot[i]) >= LOST_US) {
                note(LOST_US);
                ask(&load.slot[i]);
            }
        }
        net_sleep(nap < end ? nap : end);
    }
    phase->others = ping_others - others;
}

/* So many of a hundred were back by then, in us. */
static uint32_t percentile(const struct phase *phase, uint32_t percent)
{
    uint64_t all = phase->answered + phase->lost, sum = 0;
    uint32_t us = 0;

    while (us < RTT_MAX - 1 && (sum += phase->rtt[us]) * 100 < all * percent) {
        us++;
    }
    return us;
}

static uint64_t moment(const char *name)
{
    return timer_ticks(1000 * bootargs_number(name, 0));
}

static void exchange(void)
{
    uint64_t from = moment("from-ms"), at = moment("at-ms"), end = moment("end-ms");
    static struct phase warm_up;

    load.window = (uint32_t)bootargs_number("window", 8);
    load.len = (uint32_t)bootargs_number("len", 200);
    load.has_also = mac_argument("also", load.also);
    if (!test_check(net_open(), "no virtio-net device") ||
        !test_check(mac_argument("peer", load.peer), "no peer") ||
        !test_check(load.window > 0 && load.window <= WINDOW_MAX, "window") ||
        !test_check(timer_now() < from, "too late: %lu us", timer_ns(timer_now()) / 1000)) {
        return;
    }
    for (uint32_t i = 0; i < load.window; i++) {
        load.slot[i].seq = i;
        ask(&load.slot[i]);
    }
    run_phase(&warm_up, from);
    run_phase(&load.phase[0], at);
    run_phase(&load.phase[1], end);
    for (uint32_t i = 0; i < PHASES; i++) {
        const struct phase *p = &load.phase[i];

        test_note("phase=%u ms=%lu answered=%u lost=%u p50_us=%u p99_us=%u others=%u", i,
                  timer_ns(i ? end - at : at - from) / 1000000, p->answered, p->lost,
                  percentile(p, 50), percentile(p, 99), p->others);
    }
    test_equal("answers that nobody was asked for, or changed", load.strange, 0);
    test_check(load.phase[0].answered > 0, "no answer");
}

void guest_main(void)
{
    static const struct test_case cases[] = {{"exchange", exchange}};

    test_begin("load");
    test_run(cases, 1);
    test_end();
}

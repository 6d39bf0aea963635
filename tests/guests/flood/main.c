/* SPDX-License-Identifier: MIT */
/*
 * A VM that attacks its network.  Until at-ms= of the counter its CPUs spin, so that they take from
 * others what they take later, too; until end-ms= it does what attack=NAME says, as hard as it can.
 * Then it says how much it did, and whether its device, reset once more, works.
 * Boot arguments, besides: victim= and other=, MACs as numbers: whom to attack, and whom that one
 * talks to; len=, mss= of the frames; least=N: at least so many resets.
 */
#include "tests/guests/flood/flood.h"

#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { WORK_US = 1000000 };
#define NET_F_TSO4_TX (1ull << 0 | 1ull << 11) /* CSUM and HOST_TSO4 */
#define NET_F_GUEST   (1ull << 1 | 1ull << 7)  /* GUEST_CSUM and GUEST_TSO4 */

struct attack {
    const char *name;
    void (*frames)(struct prng *random); /* what is offered … */
    bool changing;                       /* … anew each time */
    bool resets;                         /* the device, from CPU 0, while CPU 1 kicks */
    void (*helper)(uint64_t seed);       /* what CPU 1 does meanwhile; NULL: it spins */
    bool deaf;                           /* no receive buffers */
};

static uint32_t stop;

/* Without YIELD, which ends a CPU's turn where the emulator gives them one after the other. */
static void spin(uint64_t unused)
{
    (void)unused;
    while (!atomic_load(&stop)) {
    }
}

static void keep_kicking(uint64_t unused)
{
    (void)unused;
    while (!atomic_load(&stop)) {
        nic_kick();
    }
}

/* What the device has sent is there again before it has looked: its work never ends. */
static void refill(uint64_t unused)
{
    (void)unused;
    while (!atomic_load(&stop)) {
        nic_offer();
    }
}

/* Descriptors and indexes change under the device's eyes; nothing of it is writable. */
static void flip(uint64_t seed)
{
    struct prng random = {seed};

    while (!atomic_load(&stop)) {
        struct virtq_desc *d = &nic_tx->desc[prng_below(&random, nic_tx_size)];
        uint64_t buffer = (uint64_t)nic_buffer(prng_below(&random, FLOOD_BUFFERS));

        done.flips++;
        switch (prng_below(&random, 8)) {
        case 0:
            d->addr = prng_below(&random, 8) ? buffer : prng_next(&random);
            break;
        case 1:
            d->len =
                prng_below(&random, 8) ? prng_below(&random, 2000) : (uint32_t)prng_next(&random);
            break;
        case 2:
            d->flags = (uint16_t)(prng_next(&random) & ~(uint64_t)DESC_WRITE);
            break;
        case 3:
            d->next = (uint16_t)prng_below(&random, 2 * nic_tx_size);
            break;
        case 4:
            nic_tx->avail.ring[prng_below(&random, nic_tx_size)] = (uint16_t)prng_next(&random);
            break;
        case 5:
            atomic_store(&nic_tx->avail.idx, (uint16_t)prng_next(&random));
            break;
        default:
            *d = (struct virtq_desc){buffer, 72, 0, 0};
        }
    }
}

static const struct attack attacks[] = {
    {"nothing", NULL, false, false, NULL, false},
    {"unicast", frames_unicast, false, false, NULL, false},
    {"broadcast", frames_broadcast, false, false, NULL, false},
    {"unknown", frames_unknown, true, false, NULL, false},
    {"malformed", frames_malformed, true, false, NULL, false},
    {"headers", frames_headers, true, false, NULL, false},
    {"super", frames_super, false, false, NULL, false},
    {"super-broadcast", frames_super_broadcast, false, false, NULL, false},
    {"splinters", frames_splinters, false, false, NULL, false},
    {"resets", frames_unknown, false, true, keep_kicking, false},
    {"flips", frames_unicast, true, true, flip, false},
    {"refill", frames_unicast, false, false, refill, false},
    {"deaf", NULL, false, false, NULL, true},
};

static const struct attack *chosen(void)
{
    for (uint32_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        if (bootargs_lists("attack", attacks[i].name)) {
            return &attacks[i];
        }
    }
    return NULL;
}

static bool restart(const struct attack *a)
{
    uint64_t features = NET_F_TSO4_TX | (bootargs_has("takes-super") ? NET_F_GUEST : 0);

    return test_check(nic_restart(features, !a->deaf), "the device refuses to start");
}

static void attack_until(const struct attack *a, uint64_t end)
{
    struct prng random = {1};
    uint64_t least = bootargs_number("least", 0);
    uint32_t turn = 0;

    if (a->frames) {
        a->frames(&random);
    }
    while (timer_now() < end || done.resets < least) {
        if (a->frames && a->changing) {
            a->frames(&random);
        }
        if (a->frames) {
            nic_kick();
        }
        nic_receive();
        if (a->resets && (a->helper == keep_kicking || ++turn % 16 == 0)) {
            restart(a);
        }
    }
}

static void spin_until(uint64_t time)
{
    while (timer_now() < time) {
        nic_receive();
    }
}

static void mac_argument(const char *name, uint8_t *mac)
{
    uint64_t number = bootargs_number(name, 0);

    for (uint32_t i = 0; i < 6; i++) {
        mac[i] = (uint8_t)(number >> 8 * (5 - i));
    }
}

static void check_works(const struct attack *a)
{
    uint64_t give_up = timer_now() + timer_ticks(WORK_US);

    if (!restart(a)) {
        return;
    }
    frames_unknown(&(struct prng){1});
    nic_kick();
    while (atomic_load(&nic_tx->used.idx) != nic_tx_size && timer_now() < give_up) {
        yield_cpu();
    }
    test_equal("frames done after a reset", nic_tx->used.idx, nic_tx_size);
}

static void attack(void)
{
    uint64_t at = timer_ticks(1000 * bootargs_number("at-ms", 0));
    uint64_t end = timer_ticks(1000 * bootargs_number("end-ms", 0));
    const struct attack *a = chosen();
    bool helped = platform.cpu_count > 1 && cpu_start_all() > 1;

    if (!test_check(a, "no such attack") || !test_check(nic_find(), "no NIC") || !restart(a)) {
        return;
    }
    test_check(nic_sink_start(bootargs_has("rx-splinters")), "the second NIC refuses to start");
    mac_argument("victim", target.victim);
    mac_argument("other", target.other);
    test_check(timer_now() < at, "too late");
    if (helped) {
        cpu_run(1, spin, 0);
    }
    spin_until(at);
    if (helped && a->helper) {
        atomic_store(&stop, 1);
        cpu_wait(1);
        atomic_store(&stop, 0);
        cpu_run(1, a->helper, 1);
    }
    attack_until(a, end);
    atomic_store(&stop, 1);
    if (helped) {
        cpu_wait(1);
    }
    test_note("did frames=%lu kicks=%lu resets=%lu flips=%lu received=%lu foreign=%lu until_ms=%lu "
              "longest_ns=%lu",
              done.frames, done.kicks, done.resets, done.flips, done.received, done.foreign,
              timer_ns(timer_now()) / 1000000, timer_ns(done.longest));
    check_works(a);
}

void guest_main(void)
{
    static const struct test_case cases[] = {{"attack", attack}};

    test_begin("flood");
    test_run(cases, 1);
    test_end();
}

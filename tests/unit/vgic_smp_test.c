/* SPDX-License-Identifier: MIT */
/*
 * The vGIC under real threads: two vCPUs that send each other SGIs and take interrupts, a third
 * thread that raises lines, register accesses in between. Nothing may get lost; under
 * ThreadSanitizer nothing may be touched without its lock.
 */
#include "tests/unit/vgic_words.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS 500u
#define PING   3u
#define EDGE   50u /* to vCPU 0 */
#define LEVEL  51u /* to vCPU 1 */
#define MOVING 52u /* to either, enabled and disabled all the time */

static u32 pings[2], edges, levels, moved, stop;

/* The last one to wait gives up after a minute or so: something got lost. */
static void wait_for(u32 *p, u32 value)
{
    time_t start = time(NULL);

    while (atomic_load_acquire(p) < value) {
        sched_yield();
        if (time(NULL) - start > 60) {
            print_error("%u of %u came\n", atomic_load(p), value);
            abort();
        }
    }
}

/* What the guest's handler does. */
static void handle(struct gcpu *c, u32 id)
{
    switch (id) {
    case PING:
        atomic_add(&pings[c->vcpu.id], 1u);
        break;
    case EDGE:
        atomic_add(&edges, 1u);
        break;
    case LEVEL:
        g.vm.irqchip->set_line(&g.vm, NULL, LEVEL, false);
        atomic_add(&levels, 1u);
        break;
    case MOVING:
        g.vm.irqchip->set_line(&g.vm, NULL, MOVING, false);
        atomic_add(&moved, 1u);
        break;
    case TIMER:
        break;
    default:
        fail_msg("vCPU %u got %u", c->vcpu.id, id);
    }
}

static void poll(struct gcpu *c)
{
    u32 iar;

    gcpu_enter(c);
    iar = gcpu_ack(c);
    if (iar != GCPU_NONE) {
        gcpu_enter(c);
        handle(c, iar & 0x3ff);
        gcpu_eoi(c, iar);
    }
    gcpu_enter(c);
}

static void ping(struct gcpu *c, u32 to)
{
    if (version == 3) {
        gcpu_sgi(c, (u64)PING << 24 | BIT(to));
    } else {
        gcpu_write(c, GCPU_GICD + 0xf00, 4, BIT(to) << 16 | PING);
    }
}

/* Ping-pong: a lost SGI would stop both. */
static void *vcpu_thread(void *arg)
{
    struct gcpu *c = arg;
    u32 me = c->vcpu.id, sent = 0;

    while (atomic_load(&stop) == 0) {
        u32 got = atomic_load_acquire(&pings[me]);

        if (sent < ROUNDS && sent < got + (me == 0)) {
            ping(c, 1 - me);
            sent++;
            if (sent % 16 == 1) {
                gcpu_fire(c, TIMER);
            }
        }
        if (sent % 8 == me) {
            gcpu_write(c, GCPU_GICD + (sent & 8 ? ICENABLER : ISENABLER) + 4, 4, BIT(MOVING - 32));
            (void)gcpu_read(c, GCPU_GICD + ISPENDR + 4, 4);
            (void)gcpu_read(c, GCPU_GICD + ISACTIVER + 4, 4);
            (void)gcpu_read(c, GCPU_GICD + ISENABLER + 4, 4);
            (void)gcpu_read(c, GCPU_GICD, 4);
        }
        if (sent % 32 == 5) {
            u64 at =
                version == 3 ? GCPU_GICD + IROUTER + 8 * MOVING : GCPU_GICD + ITARGETSR + MOVING;

            gcpu_write(c, at, version == 3 ? 8 : 1, version == 3 ? me : BIT(me));
        }
        poll(c);
        (void)g.vm.irqchip->pending(&c->vcpu);
    }
    for (u32 i = 0; i < 100; i++) {
        poll(c);
    }
    return NULL;
}

static void *line_thread(void *arg)
{
    const struct irqchip *chip = g.vm.irqchip;

    (void)arg;
    for (u32 i = 0; i < ROUNDS; i++) {
        chip->set_line(&g.vm, NULL, EDGE, true);
        chip->set_line(&g.vm, NULL, LEVEL, true);
        chip->set_line(&g.vm, NULL, MOVING, true);
        chip->set_line(&g.vm, NULL, EDGE, false);
        wait_for(&edges, i + 1);
        wait_for(&levels, i + 1);
    }
    return NULL;
}

static void nothing_gets_lost(void **state)
{
    pthread_t thread[3];

    (void)state;
    pings[0] = pings[1] = edges = levels = moved = stop = 0;
    set_edge(EDGE);
    target(EDGE, 0);
    target(LEVEL, 1);
    for (u32 id = EDGE; id <= MOVING; id++) {
        set(cpu0, ISENABLER, id);
    }
    set(cpu0, ISENABLER, TIMER);
    set(cpu1, ISENABLER, TIMER);
    assert_int_equal(pthread_create(&thread[0], NULL, vcpu_thread, cpu0), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, vcpu_thread, cpu1), 0);
    assert_int_equal(pthread_create(&thread[2], NULL, line_thread, NULL), 0);
    wait_for(&pings[0], ROUNDS);
    wait_for(&pings[1], ROUNDS);
    pthread_join(thread[2], NULL);
    atomic_store(&stop, 1u);
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    assert_int_equal(pings[0], ROUNDS);
    assert_int_equal(pings[1], ROUNDS);
    assert_int_equal(edges, ROUNDS);
    assert_true(levels == ROUNDS);
    set(cpu0, ISENABLER, MOVING); /* if it's still pending it comes now */
    while (take(cpu0) == MOVING || take(cpu1) == MOVING) {
        line(MOVING, false);
    }
    assert_true(moved > 0);
    assert_false(get(cpu0, ISACTIVER, MOVING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {BOTH(nothing_gets_lost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

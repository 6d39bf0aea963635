/* SPDX-License-Identifier: MIT */
/*
 * virtio-rng, modern and legacy: requests of any shape, register accesses, time, resets. What must
 * hold at any time: the interrupt is what InterruptStatus says. A driver that keeps the rules gets
 * one answer for a notification and, while requests are left, one each millisecond; in order, as
 * long as its buffers or RANDOM_MAX, and not a byte of its RAM changes besides.
 */
#include "core/panic.h"
#include "core/random.h"
#include "tests/fuzz/input.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "vdev/virtio/rng.h"

#include <string.h>

#define BASE   0x0a000000ull
#define INTID  48u
#define SIZE   16u
#define STEPS  300
#define MS     1000000ull
#define PIECES 4u /* descriptors of an honest request, at most */
#define CHAINS (SIZE / PIECES)
#define PIECE  256u                /* where a piece lies, in its request's part of the data */
#define PART   (PIECES * PIECE)    /* of the data, for each request */
#define DATA   (2 * CHAINS * PART) /* the second half is for dishonest ones */
#define UNUSED 0xa5

struct request {
    u32 len[PIECES];
    u32 readable; /* the first pieces, which the device doesn't write */
    u32 count;
};

static struct machine {
    struct guest g;
    struct vdev *dev;
    u64 brk, data;
} machines[2]; /* the second one's device is a legacy one */

static struct machine *m;
static struct ring ring;
static struct request requests[CHAINS];
static u32 offered, answered; /* requests since the start */
static bool pausing;          /* requests were left when the device answered last */
static bool honest;           /* the driver broke no rule so far */

/* --- the machine ------------------------------------------------------------------------------ */

/* The device's options, of which only `legacy` is set, or none. */
static void *options(bool legacy)
{
    static u8 buf[64];
    const struct opt *o = virtio_rng_type.opts;

    assert(virtio_rng_type.opts_size <= sizeof(buf));
    while (strcmp(o->name, "legacy") != 0) {
        o++;
    }
    memcpy(buf + o->offset, &legacy, sizeof(legacy));
    return buf;
}

static void set_up(void)
{
    host_init();
    random_init("sixteen bytes of", RANDOM_SEED_MIN);
    for (u32 i = 0; i < ARRAY_SIZE(machines); i++) {
        m = &machines[i];
        guest_init(&m->g, "vm");
        random_create(&m->g.vm.random);
        random_seed(&m->g.vm.random, "vm", i);
        m->dev = guest_add(&m->g, &virtio_rng_type, BASE, INTID, "", options(i == 1));
        assert(m->dev != NULL);
        m->data = guest_alloc(&m->g, DATA, 4096);
        m->brk = m->g.brk;
    }
}

static bool is_legacy(void)
{
    return m == &machines[1];
}

static void start(u64 features)
{
    m->g.brk = m->brk;
    if (is_legacy()) {
        (void)driver_begin(&m->g, BASE, features);
        ring_alloc_legacy(&ring, &m->g, BASE, 0, SIZE);
    } else {
        (void)driver_begin(&m->g, BASE, F_VERSION_1 | features);
        ring_alloc(&ring, &m->g, BASE, 0, SIZE);
    }
    assert(ring_enable(&ring));
    driver_ok(&m->g, BASE);
    memset(guest_ptr(&m->g, m->data), UNUSED, DATA);
    offered = answered = 0;
    pausing = false;
    honest = true;
}

/* --- what must hold --------------------------------------------------------------------------- */

static u8 *part_of(u32 chain)
{
    return guest_ptr(&m->g, m->data + chain * PART);
}

static bool unused(const u8 *p, u32 len)
{
    for (u32 i = 0; i < len; i++) {
        if (p[i] != UNUSED) {
            return false;
        }
    }
    return true;
}

/* The answer has the length that it must have, and is in the buffers' first bytes alone. */
static void check_answer(u32 chain, u32 len)
{
    const struct request *r = &requests[chain];
    u32 room = 0, left = len;

    for (u32 i = 0; i < PIECES; i++) {
        u32 mine = i < r->count && i >= r->readable ? r->len[i] : 0, written = MIN(mine, left);

        room += mine;
        left -= written;
        assert(unused(part_of(chain) + i * PIECE + written, PIECE - written));
    }
    assert(len == MIN(room, RANDOM_MAX));
}

/* Takes the answers that came: there must be so many of them. */
static void check_answers(u32 expected)
{
    u32 before = answered, len;
    int head;

    assert(m->g.level[INTID] == (reg_read(&m->g, BASE, VMMIO_ISR) != 0));
    if (!honest) {
        return;
    }
    while ((head = ring_used(&ring, &len)) >= 0) {
        assert((u32)head == answered % CHAINS * PIECES);
        check_answer(answered % CHAINS, len);
        memset(part_of(answered % CHAINS), UNUSED, PART);
        answered++;
    }
    assert(answered - before == expected);
    assert((reg_read(&m->g, BASE, VMMIO_STATUS) & S_NEEDS_RESET) == 0);
}

/* --- operations ------------------------------------------------------------------------------- */

/* A request as a driver makes it, though with buffers that it doesn't want written, too. */
static void op_request(struct input *in)
{
    u32 chain = offered % CHAINS, how = take(in, 1);
    struct request *r = &requests[chain];

    if (!honest || offered - answered == CHAINS) {
        return;
    }
    r->count = 1 + how % PIECES;
    r->readable = how / PIECES % (r->count + 1);
    for (u32 i = 0; i < r->count; i++) {
        u32 last = i + 1 == r->count;

        r->len[i] = take(in, 1) % PIECE;
        ring_desc(&ring, chain * PIECES + i, m->data + chain * PART + i * PIECE, r->len[i],
                  (i < r->readable ? 0 : D_WRITE) | (last ? 0 : D_NEXT), chain * PIECES + i + 1);
    }
    ring_offer(&ring, chain * PIECES);
    offered++;
}

static void op_kick(struct input *in)
{
    u32 expected = pausing ? 0 : MIN(offered - answered, 1u);

    (void)in;
    ring_kick(&ring);
    check_answers(expected);
    pausing = answered != offered;
}

static void pass_time(u32 ms)
{
    u32 expected = pausing ? MIN(offered - answered, ms) : 0;

    run_for(ms * MS);
    check_answers(expected);
    pausing = pausing && answered != offered;
}

static void op_time(struct input *in)
{
    pass_time(1 + take(in, 1) % 8);
}

static void op_irq(struct input *in)
{
    (void)in;
    (void)driver_irq(&m->g, BASE);
    check_answers(0);
}

static void op_event(struct input *in)
{
    u16 event = (u16)take(in, 2);

    ring_set_used_event(&ring, event);
    ring_set_avail_flags(&ring, (u16)(event & 1));
}

static void op_start(struct input *in)
{
    u32 how = take(in, 1);

    start(((how & 1) != 0 ? F_EVENT_IDX : 0) | ((how & 2) != 0 ? F_INDIRECT : 0));
    check_answers(0);
}

/* The VM itself starts anew. */
static void op_reset(struct input *in)
{
    m->g.vm.state = VM_STARTING;
    m->dev->ops->reset(m->dev);
    m->g.vm.state = VM_RUNNING;
    op_start(in);
}

/* A descriptor of any kind in any place, made available. */
static void op_nonsense(struct input *in)
{
    u64 at = m->data + DATA / 2 + take(in, 4);
    u32 i = take(in, 1) % SIZE;

    honest = false;
    ring_desc(&ring, i, at, take(in, 4), take(in, 1), take(in, 2));
    ring_offer(&ring, take(in, 1) % (SIZE + 1));
    op_kick(in);
}

static void op_register(struct input *in)
{
    u32 offset = take(in, 2) % 0x120, size = 1u << (take(in, 1) & 3);

    honest = honest && offset >= VMMIO_CONFIG;
    offset &= ~(size - 1);
    guest_write(&m->g, BASE + offset, size, take(in, 4));
    (void)guest_read(&m->g, BASE + offset, size);
    check_answers(0);
}

static void (*const operations[])(struct input *in) = {
    op_request, op_request, op_request, op_kick,  op_kick,     op_time,
    op_irq,     op_event,   op_start,   op_reset, op_nonsense, op_register,
};

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct input in = {bytes, bytes + size};

    if (machines[0].dev == NULL) {
        set_up();
    }
    m = &machines[take(&in, 1) & 1];
    op_reset(&in);
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        operations[take(&in, 1) % ARRAY_SIZE(operations)](&in);
    }
    op_kick(&in);
    pass_time(SIZE);
    assert(!honest || answered == offered);
    m->dev->ops->reset(m->dev);
    assert(run_all());
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Three honest drivers on one switch, with every legal way to lay out frames and buffers, against a
 * model of what must come out: who gets which frame, in which buffers, byte for byte.
 *
 * The model knows nothing of rings. A receiver is a list of buffer sizes; a frame goes to whom it's
 * addressed, in as many buffers as it needs, or is dropped.
 */
#include "arch/host/arch.h"
#include "core/panic.h"
#include "tests/fuzz/input.h"
#include "tests/host/nic.h"
#include "vdev/virtio/virtio.h"

#include <string.h>

#define NICS    3
#define STEPS   300
#define SIZE    64u
#define FRAME   1600u
#define BUFFERS SIZE
#define COST    64u /* descriptors that a receiver may make a frame cost */

/* A receive buffer as the model sees it: room, and the cost of taking it. */
struct buffer {
    u32 room, descs;
    u64 addr;
    u16 head;
};

struct side {
    struct nic nic;
    bool merge, event, indirect, running;
    struct buffer posted[BUFFERS]; /* a ring of those not yet used */
    u32 first, count;
    u32 next_desc;     /* of the receive table */
    u32 free_descs;    /* of the receive table, in order */
    u32 expected_used; /* entries that the device must have published */
    u64 frames;
};

static struct side side[NICS];

/* --- drivers ------------------------------------------------------------------------------------
 */

static void start(struct side *s, u32 bits)
{
    u64 features = NIC_USUAL & ~NIC_MRG;

    s->merge = bits & 1;
    s->event = bits & 2;
    s->indirect = bits & 4;
    features |=
        (s->merge ? NIC_MRG : 0) | (s->event ? F_EVENT_IDX : 0) | (s->indirect ? F_INDIRECT : 0);
    nic_start(&s->nic, features, SIZE);
    s->running = true;
    s->first = s->count = 0;
    s->next_desc = 0;
    s->free_descs = SIZE;
    s->expected_used = 0;
    s->nic.tx.used_idx = 0;
}

/* Posts one buffer in `pieces` descriptors, some of them empty. */
static void post(struct side *s, struct input *in)
{
    u32 pieces = take(in, 1) % 4 + 1, room = 0, head = s->next_desc % SIZE;
    struct buffer *b = &s->posted[(s->first + s->count) % BUFFERS];

    if (!s->running || pieces > s->free_descs || s->count == BUFFERS) {
        return;
    }
    b->addr = s->nic.rx_buf + (u64)head * NIC_BUFFER;
    for (u32 i = 0; i < pieces; i++) {
        u32 len = take(in, 1), d = s->next_desc++ % SIZE;

        len = len < 128 ? len : (len - 120) * 3;
        ring_desc(&s->nic.rx, d, b->addr + room, len, D_WRITE | (i + 1 < pieces ? D_NEXT : 0),
                  (d + 1) % SIZE);
        room += len;
    }
    s->free_descs -= pieces;
    b->room = room;
    b->descs = pieces;
    b->head = (u16)head;
    s->count++;
    ring_offer(&s->nic.rx, head);
}

/* Lays header and frame out in pieces, direct or indirect. */
static void lay_out(struct side *s, const u8 *frame, u32 len, struct input *in)
{
    struct ring *r = &s->nic.tx;
    u64 at = s->nic.tx_buf, table = r->desc;
    u32 pieces = take(in, 1) % 6 + 1, total = NIC_HDR + len, done = 0;

    memset(guest_ptr(&s->nic.g, at), 0xff, NIC_HDR);
    memcpy((u8 *)guest_ptr(&s->nic.g, at) + NIC_HDR, frame, len);
    if (s->indirect && take(in, 1) % 2 != 0) {
        table = s->nic.tx_buf + 8 * NIC_BUFFER + take(in, 1) % 16; /* at any alignment */
        ring_desc(r, 0, table, 16 * pieces, D_INDIRECT | take(in, 1) % 2 * D_WRITE, 0);
    }
    for (u32 i = 0; i < pieces; i++) {
        u32 wanted = i + 1 < pieces ? take(in, 1) % 40 : total, part = MIN(wanted, total - done);
        u64 d[2] = {at + done,
                    part | (u64)(i + 1 < pieces ? D_NEXT : 0) << 32 | (u64)(i + 1) << 48};

        memcpy(guest_ptr(&s->nic.g, table + 16ull * i), d, sizeof(d));
        done += part;
    }
    ring_offer(r, 0);
}

/* --- the model -----------------------------------------------------------------------------------
 */

/* How many buffers a frame takes at s; 0: it's dropped. */
static u32 buffers_for(const struct side *s, u32 len)
{
    u32 total = NIC_HDR + len, have = 0, cost = 0, n = 0;

    if (!s->running || s->count == 0 || s->posted[s->first].room < (s->merge ? NIC_HDR : total)) {
        return 0;
    }
    do {
        if (n == s->count || cost >= COST) {
            return 0;
        }
        have += s->posted[(s->first + n) % BUFFERS].room;
        cost += s->posted[(s->first + n) % BUFFERS].descs;
        n++;
    } while (have < total);
    return n;
}

static void expect_bytes(struct side *s, const struct buffer *b, u32 skip, const u8 *want, u32 len)
{
    assert(memcmp((u8 *)guest_ptr(&s->nic.g, b->addr) + skip, want, len) == 0);
}

/* The frame must be in s's next buffers, or nowhere. */
static void expect_at(struct side *s, const u8 *frame, u32 len)
{
    u32 n = buffers_for(s, len), done = 0, written;
    u8 header[NIC_HDR] = {[10] = (u8)n};

    for (u32 i = 0; i < n; i++) {
        const struct buffer *b = &s->posted[s->first];
        u32 skip = i == 0 ? NIC_HDR : 0;
        u32 part = MIN(b->room - skip, len - done);

        assert(ring_used(&s->nic.rx, &written) == b->head);
        assert(written == part + skip);
        if (i == 0) {
            expect_bytes(s, b, 0, header, NIC_HDR);
        }
        expect_bytes(s, b, skip, frame + done, part);
        done += part;
        s->free_descs += b->descs;
        s->first = (s->first + 1) % BUFFERS;
        s->count--;
    }
    assert(done == (n == 0 ? 0 : len));
    s->expected_used += n;
    assert(ring_used_idx(&s->nic.rx) == (u16)s->expected_used);
}

static void send(struct side *s, struct input *in)
{
    static u8 frame[FRAME];
    u32 to = take(in, 1), len = take(in, 2) % FRAME, seed = take(in, 1);
    bool all = (to & 0xc0) == 0xc0, spoofed = (to & 0x20) != 0;
    u8 target[6];

    if (!s->running) {
        return;
    }
    memcpy(target, side[to % NICS].nic.mac, 6);
    if (all) {
        memset(target, 0xff, 6);
    }
    nic_frame(frame, target, side[spoofed ? (to >> 2) % NICS : (u32)(s - side)].nic.mac, FRAME,
              (u8)seed);
    spoofed = memcmp(frame + 6, s->nic.mac, 6) != 0;
    lay_out(s, frame, len, in);
    ring_kick(&s->nic.tx);
    assert(ring_used(&s->nic.tx, NULL) == 0);
    for (u32 i = 0; i < NICS; i++) {
        bool meant = (all || to % NICS == i) && &side[i] != s;

        if (meant && !spoofed && len >= NET_ETHERNET && len <= 1514) {
            expect_at(&side[i], frame, len);
        } else {
            assert(ring_used_idx(&side[i].nic.rx) == (u16)side[i].expected_used);
        }
    }
}

static void stop(struct side *s)
{
    nic_stop(&s->nic);
    s->running = false;
    s->expected_used = ring_used_idx(&s->nic.rx);
}

static void make(void)
{
    static const char *const names[NICS] = {"alpha", "beta", "gamma"};

    for (u32 i = 0; i < NICS; i++) {
        struct net_opts o = nic_options("/dev/vdevpeer/sw", (u8)(i + 1));

        o.storm = 0; /* time stands still: whatever may be sent in a second is soon sent */
        nic_init(&side[i].nic, names[i], "eth", &o);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    static bool made;

    if (!made) {
        made = true;
        make();
    }
    for (u32 i = 0; i < NICS; i++) {
        start(&side[i], take(&in, 1));
    }
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        u32 op = take(&in, 1);
        struct side *s = &side[(op >> 4) % NICS];

        if ((op & 15) < 7) {
            send(s, &in);
        } else if ((op & 15) < 13) {
            post(s, &in);
        } else if ((op & 15) == 13) {
            (void)driver_irq(&s->nic.g, NIC_BASE);
        } else if ((op & 15) == 14) {
            stop(s);
        } else {
            start(s, take(&in, 1));
        }
    }
    assert(host_run_work(1) == 0);
    return 0;
}

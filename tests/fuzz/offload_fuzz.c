/* SPDX-License-Identifier: MIT */
/*
 * Any frame with any wishes to any receiver, in bursts of any length: what offload.c says and
 * delivers against tests/host/offref.c, which has it written down a second time.
 */
#include "core/panic.h"
#include "tests/host/offref.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* In front of the frame's first bytes; all little-endian. */
struct wish {
    u8 gso, flags; /* of these bit 0: a checksum; 1: ECN; 2: the length is `len`, not the input's */
    u16 gso_size, csum_start, csum_offset;
    u16 len;
    u8 head_len, accepts;
    u8 seed;    /* how the frame lies in memory */
    u8 budget;  /* of each burst but the last */
    u16 refuse; /* the piece that the receiver has no buffer for, if below 0x8000 */
    u16 reserved;
};

static struct offref ref;
static struct offref_source source;
static struct offref_sink sink;

static void make(const struct wish *w, const u8 *data, size_t size)
{
    ref.len = (u32)MIN(size, (size_t)OFFREF_FRAME);
    memcpy(ref.b, data, ref.len);
    if ((w->flags & 4) != 0) {
        u32 have = ref.len;

        ref.len = w->len;
        for (u32 i = have; i < ref.len; i++) {
            ref.b[i] = (u8)(i * w->seed >> 2);
        }
    }
    ref.o = (struct net_offload){
        .gso = w->gso,
        .ecn = (w->flags & 2) != 0,
        .csum = (w->flags & 1) != 0,
        .gso_size = w->gso_size,
        .csum_start = w->csum_start,
        .csum_offset = w->csum_offset,
    };
}

/* All pieces in order, none twice, whatever the bursts; up to the one that is refused. */
static void deliver(const struct wish *w)
{
    u32 pieces = offref_pieces(&ref, w->accepts), bursts = 0;
    u32 refuse = w->refuse < 0x8000 ? w->refuse % (pieces + 1) : UINT32_MAX;
    enum net_result r;

    offref_sink(&sink, &ref, w->accepts);
    sink.refuse_at = refuse;
    do {
        source.f.budget = bursts < 20 ? w->budget % (NET_BUDGET + 1) : NET_BUDGET;
        r = offload_deliver(&sink.port, &source.f);
        assert(source.f.budget >= 0 && (r == NET_AGAIN || source.f.segment == 0));
        assert(++bursts < 20 + OFFLOAD_SEGMENTS);
    } while (r == NET_AGAIN);
    assert(sink.got == MIN(pieces, refuse));
    assert(sink.port.drops[DROP_NOBUF] == (refuse < pieces ? 1 : 0));
    assert(r == NET_DELIVERED || sink.got < pieces);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct wish w;
    bool ok;

    if (size < sizeof(w)) {
        return 0;
    }
    memcpy(&w, data, sizeof(w));
    make(&w, data + sizeof(w), size - sizeof(w));
    offref_source(&source, &ref, w.head_len % NET_HEAD, w.seed * 2654435761u);
    ok = offload_check(&source.f);
    assert(ok == offref_check(&ref));
    if (!ok) {
        return 0;
    }
    assert(source.f.needs == ref.needs && source.f.wire == ref.wire);
    assert(source.f.offload.gso == ref.o.gso && source.f.offload.headers == ref.o.headers);
    if ((ref.needs & ~w.accepts) != 0) {
        assert(ref.len >= NET_ETHERNET);
        deliver(&w);
    }
    return 0;
}

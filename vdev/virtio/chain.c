/* SPDX-License-Identifier: MIT */
/*
 * The data of a chain of buffers: copies between its pieces of guest memory and private memory, or
 * another chain's. It knows no ring: every span was translated and bounded before. Guests may
 * change what lies there at any time; no decision is made here on what it says. No lock: a chain
 * belongs to who took it.
 */
#include "vdev/virtio/chain.h"

/*
 * Most accesses lie in the first span: [off, off + len) of it as memory, else NULL. No access is
 * empty: then there might be no span.
 */
static guest_t *in_first(const struct span *s, u32 spans, u32 off, u32 len)
{
    if (likely(spans > 0 && off < s->len && len <= s->len - off)) {
        return gmem_at(s->p, off);
    }
    return NULL;
}

static inline struct cursor seek(const struct span *s, u32 spans, u32 off)
{
    while (spans > 0 && off >= s->len) {
        off -= s->len;
        s++;
        spans--;
    }
    return (struct cursor){s, spans, off};
}

static inline void advance(struct cursor *at, u32 n)
{
    at->off += n;
    if (at->off == at->s->len) {
        at->s++;
        at->spans--;
        at->off = 0;
    }
}

static NOINLINE u32 read_across(const struct chain *c, u32 off, void *dst, u32 len)
{
    struct cursor at = seek(c->span, c->nreadable, off);
    u32 done = 0;

    while (done < len && at.spans > 0) {
        u32 n = MIN(len - done, at.s->len - at.off);

        gmem_read((u8 *)dst + done, gmem_at(at.s->p, at.off), n);
        advance(&at, n);
        done += n;
    }
    return done;
}

u32 chain_read(const struct chain *c, u32 off, void *dst, u32 len)
{
    guest_t *p = in_first(c->span, c->nreadable, off, len);

    if (p == NULL) {
        return read_across(c, off, dst, len);
    }
    gmem_read(dst, p, len);
    return len;
}

static NOINLINE u32 write_across(const struct chain *c, u32 off, const void *src, u32 len)
{
    struct cursor at = seek(c->span + c->nreadable, c->nwritable, off);
    u32 done = 0;

    while (done < len && at.spans > 0) { /* rule 26 */
        u32 n = MIN(len - done, at.s->len - at.off);

        gmem_write(gmem_at(at.s->p, at.off), (const u8 *)src + done, n);
        advance(&at, n);
        done += n;
    }
    return done;
}

u32 chain_write(const struct chain *c, u32 off, const void *src, u32 len)
{
    guest_t *p = in_first(c->span + c->nreadable, c->nwritable, off, len);

    if (p == NULL) {
        return write_across(c, off, src, len);
    }
    gmem_write(p, src, len);
    return len;
}

struct cursor chain_reader(const struct chain *c, u32 off)
{
    return seek(c->span, c->nreadable, off);
}

struct cursor chain_writer(const struct chain *c, u32 off)
{
    return seek(c->span + c->nreadable, c->nwritable, off);
}

guest_t *cursor_take(struct cursor *at, u32 most, u32 *len)
{
    guest_t *p;

    *len = 0;
    if (at->spans == 0) {
        return NULL;
    }
    p = gmem_at(at->s->p, at->off);
    *len = MIN(most, at->s->len - at->off);
    advance(at, *len);
    return p;
}

u32 chain_copy_on(const struct chain *to, u32 to_off, struct cursor *from, u32 len)
{
    struct cursor t = seek(to->span + to->nreadable, to->nwritable, to_off), f = *from;
    u32 done = 0;

    while (done < len && t.spans > 0 && f.spans > 0) {
        u32 n = MIN(len - done, MIN(t.s->len - t.off, f.s->len - f.off));

        gmem_copy(gmem_at(t.s->p, t.off), gmem_at(f.s->p, f.off), n);
        advance(&t, n);
        advance(&f, n);
        done += n;
    }
    *from = f;
    return done;
}

u32 chain_copy(const struct chain *to, u32 to_off, const struct chain *from, u32 from_off, u32 len)
{
    guest_t *t = in_first(to->span + to->nreadable, to->nwritable, to_off, len);
    guest_t *f = in_first(from->span, from->nreadable, from_off, len);
    struct cursor at;

    if (t == NULL || f == NULL) {
        at = chain_reader(from, from_off);
        return chain_copy_on(to, to_off, &at, len);
    }
    gmem_copy(t, f, len);
    return len;
}

u16 chain_sum(const struct chain *c, u32 off, u32 len)
{
    struct cursor at = seek(c->span, c->nreadable, off);
    u32 done = 0, sum = 0;

    while (done < len && at.spans > 0) {
        u32 n = MIN(len - done, at.s->len - at.off);
        u16 part = gmem_sum(gmem_at(at.s->p, at.off), n);

        sum += done % 2 == 0 ? part : __builtin_bswap16(part);
        advance(&at, n);
        done += n;
    }
    sum = (sum & 0xffff) + (sum >> 16); /* of at most VIRTQ_SEGMENTS parts */
    return (u16)((sum & 0xffff) + (sum >> 16));
}

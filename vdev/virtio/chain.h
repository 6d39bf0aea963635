/* SPDX-License-Identifier: MIT */
/*
 * A chain of buffers as a device sees it: pieces of guest memory, already translated and bounded,
 * and the copies in and out of them. It knows no ring format. No lock: a chain belongs to who took
 * it.
 */
#ifndef VDEV_VIRTIO_CHAIN_H
#define VDEV_VIRTIO_CHAIN_H

#include "core/gmem.h"
#include "core/types.h"

#define VIRTQ_SEGMENTS 64 /* descriptors of one chain; a driver that needs more is refused */

/* One piece of a chain: guest memory, translated and bounded. */
struct span {
    guest_t *p;
    u32 len;
};

/*
 * A chain: first the readable spans (device reads), then the writable ones. None is empty. Large:
 * it belongs into the device's memory, not on the stack.
 */
struct chain {
    u16 head;  /* the buffer's name, for giving it back */
    u16 slots; /* ring entries that it took */
    u16 count; /* descriptors walked, empty ones included: what the chain cost to take */
    u16 nreadable, nwritable;
    u32 readable, writable; /* bytes; their sum is < 2^32 */
    struct span span[VIRTQ_SEGMENTS];
};

/*
 * Copies between spans and private memory, or spans and spans, `off` bytes into the readable
 * (writable) part; they stop at its end and return the bytes done.
 */
u32 chain_read(const struct chain *c, u32 off, void *dst, u32 len);
u32 chain_write(const struct chain *c, u32 off, const void *src, u32 len);
u32 chain_copy(const struct chain *to, u32 to_off, const struct chain *from, u32 from_off, u32 len);

/* A position in the spans of a chain, which stays as it is meanwhile. */
struct cursor {
    const struct span *s;
    u32 spans; /* left, *s included; 0: at the end */
    u32 off;   /* into *s */
};

/* `off` bytes into the readable part; and chain_copy from there on, which moves it by its answer.
 */
struct cursor chain_reader(const struct chain *c, u32 off);
u32 chain_copy_on(const struct chain *to, u32 to_off, struct cursor *from, u32 len);

/* The same of the writable part; and the next piece of memory there, at most `most` bytes, not 0.
 * `*len` is how many: 0 at the end. It moves by as much. */
struct cursor chain_writer(const struct chain *c, u32 off);
guest_t *cursor_take(struct cursor *at, u32 most, u32 *len);

/*
 * One's complement sum of len bytes of the readable part, taken as big-endian words whose first
 * begins at `off`, the last filled up with 0 (RFC 1071); what lies behind its end counts as 0.
 */
u16 chain_sum(const struct chain *c, u32 off, u32 len);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What hardware would do for a sender: completing checksums, cutting super-frames into segments,
 * for receivers that can't take them as they are. Works on private heads and the sender's chain;
 * knows no device and no network. No lock of its own.
 */
#ifndef VDEV_NET_OFFLOAD_H
#define VDEV_NET_OFFLOAD_H

#include "vdev/net/frame.h"

struct net_port;

/*
 * A super-frame with more segments than this is dropped by its sender's device. 64 KiB in segments
 * of 64 bytes: TCP makes them for peers with a small MTU. Cutting them takes several bursts.
 */
#define OFFLOAD_SEGMENTS 1024

/*
 * Checks what f->offload says against the frame's own headers, all of which come into the private
 * head, and fills in headers, needs and wire. Nothing that a receiver, or the code below, computes
 * from a frame that passed leaves it. False: it makes no sense; drop. Any CPU, sender's lock held.
 * VIRTIO 1.2 §5.1.6.2.1 (what the driver must keep to).
 */
bool offload_check(struct net_frame *f) MUST_CHECK;

/*
 * Hands f to `to`, which can't take it as it is: with its checksum completed, in segments (each
 * counted off the budget). f itself stays as it was, but for `segment`, from which the next call
 * goes on after NET_AGAIN. NET_DELIVERED if any piece got there; after
 * NET_AGAIN some may have.
 */
enum net_result offload_deliver(struct net_port *to, struct net_frame *f) MUST_CHECK;

#endif

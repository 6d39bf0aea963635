/* SPDX-License-Identifier: MIT */
/*
 * Captures: the last frames that a port sent or got, kept in RAM until somebody reads them out at
 * the console (core/pcap_text.h); or all frames, as a pcap file without end, to a port of a VM's
 * virtio-console, but for those that it has no room for. Off until the prompt says on.
 */
#ifndef VDEV_NET_CAPTURE_H
#define VDEV_NET_CAPTURE_H

#include "core/types.h"
#include "vdev/net/port.h"

/* Room for `size` bytes of frames and 16 for each. NULL: no memory. Boot only. */
struct capture *capture_create(u64 size) MUST_CHECK;

/*
 * Keeps a copy of f, that p sent or got, if p captures: p->capture may be NULL. Oldest frames make
 * room; a frame that is too large is cut. Any CPU; locks up to LOCK_QUEUE_RX may be held. At most
 * about 10,000 instructions, for the largest frame.
 */
void capture_frame(struct net_port *p, const struct net_frame *f, bool sent);

/* The same, where it's fast if there's no capture. */
static inline void port_capture(struct net_port *p, const struct net_frame *f, bool sent)
{
    if (unlikely(p->capture != NULL)) {
        capture_frame(p, f, sent);
    }
}

/*
 * `net capture NIC VERB` at the prompt: on, off, dump, or the name of a port, VM/PORT. A dump goes
 * on by itself, in pieces, while the console has room; so does what leaves by a port, until off. On
 * the boot CPU, one caller at a time.
 */
void capture_command(const char *nic, const char *verb,
                     void (*print)(const char *fmt, ...) PRINTF(1, 2));

#endif

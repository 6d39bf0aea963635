/* SPDX-License-Identifier: MIT */
/*
 * The parts of the flood guest: the NIC as an attacker drives it (nic.c), frames to be offered
 * (frames.c), what is done with both (main.c).  CPU 0 sets up; both CPUs kick.
 */
#ifndef TESTS_GUESTS_FLOOD_FLOOD_H
#define TESTS_GUESTS_FLOOD_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/prng.h"
#include "tests/guests/lib/virtio.h"

enum { FLOOD_QUEUE = 256, FLOOD_BUFFER = 1 << 17, FLOOD_CHAIN = 64 };

struct flood_queue {
    VIRTQ_AREAS(FLOOD_QUEUE);
} __attribute__((aligned(4096)));

extern uint8_t nic_mac[6];
extern struct flood_queue *nic_tx;
extern uint32_t nic_tx_size; /* entries of it that are used */

/* How much was done. */
struct flood_done {
    uint64_t frames; /* that the device has taken */
    uint64_t kicks, resets, flips;
    uint64_t longest;           /* ticks that a kick took, or that were missed right after it */
    uint64_t received, foreign; /* foreign: neither for this NIC nor for a group */
};
extern struct flood_done done;

/* Finds the NIC; false if there is none. */
bool nic_find(void);

/* Resets the device and starts it with all that it offers of these features; false: it refuses. */
bool nic_restart(uint64_t features, bool receives);

/* All of the transmit ring is offered anew, whatever is in it … */
void nic_offer(void);
/* … and the device told so. */
void nic_kick(void);

/* Counts what came and gives the buffers back. */
void nic_receive(void);

/* A second NIC, if there is one, whose receive ring is always full of empty buffers. */
bool nic_sink_start(bool splinters);

/* The memory of transmit buffer i: FLOOD_BUFFER bytes, more than one ring entry may share it. */
uint8_t *nic_buffer(uint32_t i);
enum { FLOOD_BUFFERS = 16 };

/* Entry i of the transmit ring: one descriptor. */
void nic_entry(uint32_t i, const void *data, uint32_t len);

/* Each fills the transmit ring with frames of its kind. */
struct flood_target {
    uint8_t victim[6];
    uint8_t other[6]; /* whom the victim talks to */
};
extern struct flood_target target;

void frames_unicast(struct prng *random);
void frames_broadcast(struct prng *random);
void frames_unknown(struct prng *random);
void frames_malformed(struct prng *random);
void frames_headers(struct prng *random);
void frames_super(struct prng *random);
void frames_super_broadcast(struct prng *random);
void frames_splinters(struct prng *random);

#endif

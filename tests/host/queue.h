/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a ring, with neither device nor transport: for tests of the virtqueue
 * itself. The ring's format says which kind of queue it is.
 */
#ifndef TESTS_HOST_QUEUE_H
#define TESTS_HOST_QUEUE_H

#include "tests/host/driver.h"
#include "vdev/virtio/virtq.h"

/* A queue for rings of at most `max`, told where `r` lies, and not active yet. */
void queue_place(struct virtq *q, struct ring *r, u16 max);
/* Activates it, with what was negotiated; false if the queue refuses the place. */
bool queue_start(struct virtq *q, const struct ring *r, bool indirect, bool event_idx) MUST_CHECK;

#endif

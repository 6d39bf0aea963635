/* SPDX-License-Identifier: MIT */
/*
 * The little protocol between victim and echo: Ethernet frames of an experimental type with a
 * payload that both ends can check.
 */
#ifndef TESTS_GUESTS_LIB_PING_H
#define TESTS_GUESTS_LIB_PING_H

#include <stdbool.h>
#include <stdint.h>

enum { PING_REQUEST = 1, PING_REPLY = 2 };
enum { PING_MAX_PAYLOAD = 1400 };

struct ping {
    uint8_t to[6];
    uint8_t from[6];
    uint8_t ethertype[2];
    uint8_t magic[4];
    uint8_t pad[2];
    uint32_t kind;
    uint32_t seq;
    uint32_t len; /* of the payload */
    uint8_t payload[PING_MAX_PAYLOAD];
};

/* Frames of no such kind that ping_receive() has passed over. */
extern uint32_t ping_others;

/* Sends a request, to everybody or to one. */
bool ping_send(uint32_t seq, uint32_t len);
bool ping_send_to(const uint8_t *mac, uint32_t seq, uint32_t len);

/* Takes the next frame of the protocol, 0 or enum kind; *intact tells whether it is as sent. */
uint32_t ping_receive(struct ping *p, bool *intact);

/* Answers the request. */
bool ping_reply(struct ping *p);

#endif

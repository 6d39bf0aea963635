/* SPDX-License-Identifier: MIT */
/*
 * Who has which address and which name on the network that netsvc serves: fixed ones of the command
 * line, and leases. It knows neither DHCP's nor DNS's packets, nor lwIP; one CPU, no lock.
 *
 * Addresses are numbers in host order, times are seconds since the start. Names are single labels
 * (RFC 1123 section 2.1) in lower case; those given to it may have any case.
 */
#ifndef GUEST_CONFIGS_NETSVC_HOSTS_H
#define GUEST_CONFIGS_NETSVC_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HOSTS_NAME_MAX = 63,
    HOSTS_FIXED_MAX = 32,
    HOSTS_LEASES_MAX = 128,
    HOSTS_OFFER_S = 30,     /* so long an offered address is kept for who asked */
    HOSTS_DECLINE_S = 3600, /* so long one that somebody else was seen to use is not given out */
};

enum lease_state { LEASE_FREE, LEASE_OFFERED, LEASE_HELD, LEASE_DECLINED };

/* Of one address of the pool. Past `until` a lease is as good as free, but its holder is remembered
 * and gets the same address again unless all others are taken. */
struct lease {
    uint64_t until;
    enum lease_state state;
    uint8_t mac[6];                /* the last holder; all zero: never had one */
    char name[HOSTS_NAME_MAX + 1]; /* "" for none */
};

struct fixed_host {
    uint32_t addr;
    char name[HOSTS_NAME_MAX + 1];
};

struct hosts {
    uint32_t self; /* netsvc's own address, never leased */
    uint32_t mask;
    uint32_t first; /* of the pool, which has lease_count addresses */
    uint32_t lease_count;
    uint32_t fixed_count;
    char domain[HOSTS_NAME_MAX + 1]; /* one label */
    struct fixed_host fixed[HOSTS_FIXED_MAX];
    struct lease leases[HOSTS_LEASES_MAX];
};

/* May this be a host's name: letters, digits and inner hyphens? */
bool hosts_name_ok(const char *name, size_t len);

/* Names an address for good. False: not a name, taken, or no room. */
bool hosts_fix(struct hosts *h, const char *name, size_t len, uint32_t addr);

/* The address of a name, or 0. */
uint32_t hosts_addr(const struct hosts *h, const char *name, size_t len, uint64_t now);

/* The name of an address, or NULL. */
const char *hosts_name(const struct hosts *h, uint32_t addr, uint64_t now);

/* An address for this client, reserved for HOSTS_OFFER_S: its last one, else `wanted` if that is
 * free, else any. 0: there is none left. */
uint32_t hosts_offer(struct hosts *h, const uint8_t mac[6], uint32_t wanted, uint64_t now);

/* Gives the client this address until then. It loses any other, and its name is kept unless
 * somebody else has it. False: not of the pool, or somebody else's. */
bool hosts_take(struct hosts *h, const uint8_t mac[6], uint32_t addr, uint64_t now, uint64_t until);

/* Names the client's lease of addr; an empty or bad name, or one that is taken, leaves it without.
 */
void hosts_rename(struct hosts *h, uint32_t addr, const char *name, size_t len, uint64_t now);

/* The client gives up its address, or all that it was offered if addr is 0. */
void hosts_release(struct hosts *h, const uint8_t mac[6], uint32_t addr);

/* The client saw somebody else use the address that it was given. Only the last one that a client
 * declined is kept back, or one client could decline all there are. */
void hosts_decline(struct hosts *h, const uint8_t mac[6], uint32_t addr, uint64_t now);

/* The lease of the index-th address if it is held now, else NULL. */
const struct lease *hosts_lease(const struct hosts *h, uint32_t index, uint64_t now);

#endif

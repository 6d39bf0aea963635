/* SPDX-License-Identifier: MIT */
/*
 * netsvc's settings, from the words of its kernel command line:
 *
 *   ip=10.0.0.1/24                  its own address and the network's size; the one needed word
 *   name=netsvc                     its own name
 *   domain=lan                      the names' domain
 *   names=www,printer:10.0.0.9      more names: of netsvc itself, or of another fixed address
 *   pool=10.0.0.100-10.0.0.199      the addresses to lease; none: no DHCP. Without it, half of the
 *                                   network, its upper one, up to HOSTS_LEASES_MAX addresses
 *   lease=3600                      seconds
 *   router=self                     the default route of clients: self, an address, or none
 *
 * Other words are ignored: they may be for the code that it starts with.
 */
#ifndef GUEST_CONFIGS_NETSVC_SETTINGS_H
#define GUEST_CONFIGS_NETSVC_SETTINGS_H

#include <stdint.h>

#include "guest-configs/netsvc/hosts.h"

struct settings {
    uint32_t lease_s;
    uint32_t router; /* 0: none */
};

/* Fills both from the words; gives NULL, or the name of the word that is wrong or missing. */
const char *settings_read(const char *words, struct settings *s, struct hosts *h);

#endif

/* SPDX-License-Identifier: MIT */
/* DHCP and DNS on lwIP's UDP. One CPU, no lock. */
#ifndef GUEST_CONFIGS_NETSVC_SERVE_H
#define GUEST_CONFIGS_NETSVC_SERVE_H

#include <stdbool.h>

struct dhcpd;
struct dnsd;
struct netif;

/* Serves from now on; both must stay where they are. False if lwIP has no room for that. */
bool serve_dhcp(struct dhcpd *dhcpd, struct netif *netif);
bool serve_dns(struct dnsd *dnsd);

#endif

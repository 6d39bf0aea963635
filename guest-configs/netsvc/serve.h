/* SPDX-License-Identifier: MIT */
/* DHCP, DNS and TFTP on lwIP's UDP. One CPU, no lock. */
#ifndef GUEST_CONFIGS_NETSVC_SERVE_H
#define GUEST_CONFIGS_NETSVC_SERVE_H

#include <stdbool.h>

struct dhcpd;
struct dnsd;
struct netif;
struct tftpd;

/* Serves from now on; all must stay where they are. False if lwIP has no room for that. */
bool serve_dhcp(struct dhcpd *dhcpd, struct netif *netif);
bool serve_dns(struct dnsd *dnsd);
bool serve_tftp(struct tftpd *tftpd);

#endif

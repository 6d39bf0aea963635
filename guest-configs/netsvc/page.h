/* SPDX-License-Identifier: MIT */
/* The page of counters that lwIP's web server shows. */
#ifndef GUEST_CONFIGS_NETSVC_PAGE_H
#define GUEST_CONFIGS_NETSVC_PAGE_H

struct dhcpd;
struct dnsd;

/* What the page is about; before the first request. */
void page_open(const struct dhcpd *dhcpd, const struct dnsd *dnsd);

#endif

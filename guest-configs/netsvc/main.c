/* SPDX-License-Identifier: MIT */
/*
 * netsvc: what a network of VMs needs, as one more VM without any privilege: addresses (DHCP),
 * names (DNS), the files of its initrd (TFTP), ping, an iperf 2 server on TCP port 5001, and a page
 * of counters. It is lwIP, a driver and three small servers in one loop that sleeps when there is
 * nothing to do. settings.h has its words.
 */
#include "guest-configs/netsvc/command.h"
#include "guest-configs/netsvc/dhcpd.h"
#include "guest-configs/netsvc/dnsd.h"
#include "guest-configs/netsvc/idle.h"
#include "guest-configs/netsvc/nic.h"
#include "guest-configs/netsvc/page.h"
#include "guest-configs/netsvc/serve.h"
#include "guest-configs/netsvc/settings.h"
#include "guest-configs/netsvc/tftpd.h"
#include "lwip/apps/httpd.h"
#include "lwip/apps/lwiperf.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/runtime.h"

enum { SLEEP_MAX_MS = 10000 };

static struct hosts hosts;
static struct dhcpd dhcpd = {.hosts = &hosts};
static struct dnsd dnsd = {.hosts = &hosts};
static struct tftpd tftpd;
static struct netif netif;

static bool start_network(void)
{
    const ip4_addr_t addr = {lwip_htonl(hosts.self)};
    const ip4_addr_t mask = {lwip_htonl(hosts.mask)};
    const ip4_addr_t none = {0};

    idle_open();
    lwip_init();
    if (!nic_open() ||
        netif_add(&netif, &addr, &mask, &none, NULL, nic_attach, ethernet_input) == NULL) {
        return false;
    }
    netif_set_default(&netif);
    netif_set_up(&netif);
    return true;
}

static bool start_services(void)
{
    command_open();
    page_open(&dhcpd, &dnsd);
    httpd_init();
    return (hosts.lease_count == 0 || serve_dhcp(&dhcpd, &netif)) && serve_dns(&dnsd) &&
           serve_tftp(&tftpd) && lwiperf_start_tcp_server_default(NULL, NULL) != NULL;
}

static void run(void)
{
    for (;;) {
        bool busy = nic_poll(&netif);

        sys_check_timeouts();
        nic_flush();
        command_poll();
        if (!busy && nic_arm()) {
            uint32_t ms = sys_timeouts_sleeptime();

            idle_wait(ms < SLEEP_MAX_MS ? ms : SLEEP_MAX_MS);
        }
    }
}

void guest_main(void)
{
    struct settings settings;
    const char *wrong = settings_read(platform.bootargs, &settings, &hosts);

    if (wrong != NULL) {
        print("netsvc: the word %s= of the command line is wrong or missing\n", wrong);
        return;
    }
    dhcpd.lease_s = settings.lease_s;
    dhcpd.router = settings.router;
    tftpd.archive = platform.initrd.size != 0 ? (const uint8_t *)platform.initrd.base : NULL;
    tftpd.archive_size = platform.initrd.size;
    dhcpd.boot = tftpd.archive != NULL ? hosts.self : 0;
    if (!start_network()) {
        print("netsvc: no virtio-net device that works\n");
        return;
    }
    if (!start_services()) {
        print("netsvc: no memory for its services\n");
        return;
    }
    print("netsvc: %u.%u.%u.%u serves DHCP, DNS, HTTP, iperf; %u addresses to lease\n",
          hosts.self >> 24, hosts.self >> 16 & 0xff, hosts.self >> 8 & 0xff, hosts.self & 0xff,
          hosts.lease_count);
    if (tftpd.archive != NULL) {
        print("netsvc: TFTP serves %u files\n", tftpd_files(&tftpd));
    }
    run();
}

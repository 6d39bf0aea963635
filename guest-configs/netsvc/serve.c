/* SPDX-License-Identifier: MIT */
/* See serve.h. Packets are copied into one buffer each way, as lwIP has them in pieces. */
#include "guest-configs/netsvc/serve.h"

#include "guest-configs/netsvc/clock.h"
#include "guest-configs/netsvc/dhcpd.h"
#include "guest-configs/netsvc/dnsd.h"
#include "guest-configs/netsvc/nic.h"
#include "guest-configs/netsvc/tftpd.h"
#include "lwip/netif.h"
#include "lwip/udp.h"
#include "tests/guests/lib/print.h"

enum { REQUEST_MAX = 1500, REPLY_MAX = TFTPD_REPLY_MAX };

_Static_assert((int)DNSD_REPLY_MAX <= (int)REPLY_MAX, "one buffer for all");
_Static_assert((int)DHCPD_REPLY_MAX <= (int)REPLY_MAX, "one buffer for all");

static uint8_t request[REQUEST_MAX];
static uint8_t reply[REPLY_MAX];
static struct netif *lan;

/* Takes the packet out of lwIP's hands; gives its length, 0 if it is too long for any request. */
static size_t take(struct pbuf *p)
{
    size_t len = p->tot_len <= REQUEST_MAX ? p->tot_len : 0;

    pbuf_copy_partial(p, request, (u16_t)len, 0);
    pbuf_free(p);
    return len;
}

static struct pbuf *pack(size_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM);

    if (p != NULL) {
        pbuf_take(p, reply, (u16_t)len);
    }
    return p;
}

static void say_lease(const struct dhcpd *d, uint32_t addr, uint64_t now)
{
    const uint8_t *m = nic_sender();
    const char *name = hosts_name(d->hosts, addr, now);

    print("netsvc: lease %u.%u.%u.%u for %02x:%02x:%02x:%02x:%02x:%02x %s\n", addr >> 24,
          addr >> 16 & 0xff, addr >> 8 & 0xff, addr & 0xff, m[0], m[1], m[2], m[3], m[4], m[5],
          name != NULL ? name : "");
}

/* yiaddr of an answer: a lease was given, or offered. */
static uint32_t given(void)
{
    return (uint32_t)reply[16] << 24 | (uint32_t)reply[17] << 16 | (uint32_t)reply[18] << 8 |
           reply[19];
}

static void on_dhcp(void *arg, struct udp_pcb *pcb, struct pbuf *in, const ip_addr_t *from,
                    u16_t port)
{
    struct dhcpd *d = arg;
    uint64_t now = clock_s();
    uint32_t acks = d->count.acks;
    size_t len = take(in);
    uint32_t to;

    (void)from;
    (void)port;
    len = dhcpd_answer(d, request, len, nic_sender(), now, reply, &to);
    struct pbuf *out = len != 0 ? pack(len) : NULL;

    if (out == NULL) {
        return;
    }
    if (d->count.acks != acks && given() != 0 && to == DHCPD_BROADCAST) {
        say_lease(d, given(), now);
    }
    ip_addr_t dest = IPADDR4_INIT(lwip_htonl(to));

    udp_sendto_if(pcb, out, &dest, DHCPD_CLIENT_PORT, lan);
    pbuf_free(out);
}

static void on_dns(void *arg, struct udp_pcb *pcb, struct pbuf *in, const ip_addr_t *from,
                   u16_t port)
{
    size_t len = dnsd_answer(arg, request, take(in), clock_s(), reply);
    struct pbuf *out = len != 0 ? pack(len) : NULL;

    if (out != NULL) {
        udp_sendto(pcb, out, from, port);
        pbuf_free(out);
    }
}

static void on_tftp(void *arg, struct udp_pcb *pcb, struct pbuf *in, const ip_addr_t *from,
                    u16_t port)
{
    uint32_t addr = lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(from)));
    size_t len = tftpd_answer(arg, addr, port, request, take(in), clock_s(), reply);
    struct pbuf *out = len != 0 ? pack(len) : NULL;

    if (out != NULL) {
        udp_sendto(pcb, out, from, port);
        pbuf_free(out);
    }
}

static bool listen_on(uint16_t port, udp_recv_fn receive, void *arg)
{
    struct udp_pcb *pcb = udp_new();

    if (pcb == NULL || udp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK) {
        return false;
    }
    udp_recv(pcb, receive, arg);
    return true;
}

bool serve_dhcp(struct dhcpd *dhcpd, struct netif *netif)
{
    lan = netif;
    return listen_on(DHCPD_PORT, on_dhcp, dhcpd);
}

bool serve_dns(struct dnsd *dnsd)
{
    return listen_on(DNSD_PORT, on_dns, dnsd);
}

bool serve_tftp(struct tftpd *tftpd)
{
    return listen_on(TFTPD_PORT, on_tftp, tftpd);
}

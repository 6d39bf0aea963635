/* SPDX-License-Identifier: MIT */
/*
 * See page.h. lwIP's web server asks for files by the functions of lwip/apps/fs.h, which are here
 * instead of its own: the one file there is gets written when it is opened.
 */
#include "guest-configs/netsvc/page.h"

#include <string.h>

#include "guest-configs/netsvc/clock.h"
#include "guest-configs/netsvc/dhcpd.h"
#include "guest-configs/netsvc/dnsd.h"
#include "guest-configs/netsvc/nic.h"
#include "lwip/apps/fs.h"
#include "lwip/mem.h"

enum { HEAD_BYTES = 1024, LEASE_BYTES = 128 };

struct page {
    char *at;
    char *end;
};

static const struct dhcpd *dhcp;
static const struct dnsd *dns;

void page_open(const struct dhcpd *dhcpd, const struct dnsd *dnsd)
{
    dhcp = dhcpd;
    dns = dnsd;
}

static void put_text(struct page *p, const char *text)
{
    while (*text != '\0' && p->at < p->end) {
        *p->at++ = *text++;
    }
}

static void put_number(struct page *p, uint64_t value)
{
    char digits[21];
    char *d = digits + sizeof(digits) - 1;

    *d = '\0';
    do {
        *--d = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put_text(p, d);
}

static void put_addr(struct page *p, uint32_t addr)
{
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        put_number(p, addr >> (shift - 8) & 0xff);
        put_text(p, shift > 8 ? "." : "");
    }
}

static void put_mac(struct page *p, const uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++) {
        char text[4] = {"0123456789abcdef"[mac[i] >> 4], "0123456789abcdef"[mac[i] & 15],
                        i < 5 ? ':' : '\0', '\0'};

        put_text(p, text);
    }
}

static void put_counter(struct page *p, const char *name, uint64_t value)
{
    put_text(p, name);
    put_text(p, " ");
    put_number(p, value);
    put_text(p, "\n");
}

/* Names are letters, digits and hyphens (hosts_name_ok), so they need no escaping. */
static uint32_t put_leases(struct page *p, uint64_t now)
{
    const struct hosts *h = dhcp->hosts;
    uint32_t held = 0;

    for (uint32_t i = 0; i < h->lease_count; i++) {
        const struct lease *l = hosts_lease(h, i, now);

        if (l == NULL) {
            continue;
        }
        held++;
        put_text(p, "lease ");
        put_addr(p, h->first + i);
        put_text(p, " ");
        put_mac(p, l->mac);
        put_text(p, " ");
        put_number(p, l->until - now);
        put_text(p, " s ");
        put_text(p, l->name);
        put_text(p, "\n");
    }
    return held;
}

static void put_counters(struct page *p, uint64_t now)
{
    const struct nic_counters *nic = nic_count();

    put_counter(p, "uptime_s", now);
    put_counter(p, "frames_received", nic->received);
    put_counter(p, "frames_sent", nic->sent);
    put_counter(p, "frames_dropped", nic->dropped);
    put_counter(p, "bytes_received", nic->received_bytes);
    put_counter(p, "bytes_sent", nic->sent_bytes);
    put_counter(p, "notifies", nic->notifies);
    put_counter(p, "interrupts", nic->interrupts);
    put_counter(p, "dhcp_requests", dhcp->count.requests);
    put_counter(p, "dhcp_dropped", dhcp->count.dropped);
    put_counter(p, "dhcp_acks", dhcp->count.acks);
    put_counter(p, "dhcp_naks", dhcp->count.naks);
    put_counter(p, "dhcp_refused", dhcp->count.refused);
    put_counter(p, "dns_queries", dns->count.queries);
    put_counter(p, "dns_unknown", dns->count.unknown);
    put_counter(p, "dns_dropped", dns->count.dropped);
}

static uint32_t held_leases(uint64_t now)
{
    struct page nowhere = {NULL, NULL};

    return put_leases(&nowhere, now);
}

err_t fs_open(struct fs_file *file, const char *name)
{
    uint64_t now = clock_s();
    uint32_t held = held_leases(now);
    size_t size = HEAD_BYTES + LEASE_BYTES * (size_t)held;

    if (strcmp(name, "/index.html") != 0) {
        return ERR_VAL;
    }
    char *text = mem_malloc((mem_size_t)size);

    if (text == NULL) {
        return ERR_MEM;
    }
    struct page page = {text, text + size};

    put_text(&page, "<!doctype html><title>netsvc</title><pre>\n");
    put_counters(&page, now);
    put_counter(&page, "leases", held);
    put_leases(&page, now);
    put_text(&page, "</pre>\n");
    *file = (struct fs_file){.data = text,
                             .len = (int)(page.at - text),
                             .index = (int)(page.at - text),
                             .pextension = text};
    return ERR_OK;
}

void fs_close(struct fs_file *file)
{
    mem_free(file->pextension);
}

int fs_bytes_left(struct fs_file *file)
{
    return file->len - file->index;
}

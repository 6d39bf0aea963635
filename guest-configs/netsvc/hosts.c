/* SPDX-License-Identifier: MIT */
/* See hosts.h. Tables are walked from end to end: they are short, and requests are rare. */
#include "guest-configs/netsvc/hosts.h"

#include <string.h>

static const uint8_t no_mac[6];

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_alnum(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool hosts_name_ok(const char *name, size_t len)
{
    if (len == 0 || len > HOSTS_NAME_MAX || !is_alnum(name[0]) || !is_alnum(name[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(name[i]) && name[i] != '-') {
            return false;
        }
    }
    return true;
}

static void set_name(char *to, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = lower(name[i]);
    }
    to[len] = '\0';
}

static bool same_name(const char *ours, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (ours[i] == '\0' || ours[i] != lower(name[i])) {
            return false;
        }
    }
    return ours[len] == '\0';
}

static bool same_mac(const uint8_t a[6], const uint8_t b[6])
{
    return memcmp(a, b, 6) == 0;
}

static bool in_use(const struct lease *l, uint64_t now)
{
    return l->state != LEASE_FREE && now < l->until;
}

static struct lease *lease_of(struct hosts *h, uint32_t addr)
{
    uint32_t index = addr - h->first;

    return addr >= h->first && index < h->lease_count ? &h->leases[index] : NULL;
}

static const char *fixed_name(const struct hosts *h, uint32_t addr)
{
    for (uint32_t i = 0; i < h->fixed_count; i++) {
        if (h->fixed[i].addr == addr) {
            return h->fixed[i].name;
        }
    }
    return NULL;
}

/* Is it an address of the pool that this client could have now? */
static bool open_to(const struct hosts *h, uint32_t index, const uint8_t mac[6], uint64_t now)
{
    const struct lease *l = &h->leases[index];
    uint32_t addr = h->first + index;

    if (addr == h->self || fixed_name(h, addr) != NULL) {
        return false;
    }
    return !in_use(l, now) || (l->state != LEASE_DECLINED && same_mac(l->mac, mac));
}

bool hosts_fix(struct hosts *h, const char *name, size_t len, uint32_t addr)
{
    if (!hosts_name_ok(name, len) || h->fixed_count == HOSTS_FIXED_MAX || addr == 0 ||
        hosts_addr(h, name, len, 0) != 0) {
        return false;
    }
    struct fixed_host *f = &h->fixed[h->fixed_count++];

    f->addr = addr;
    set_name(f->name, name, len);
    return true;
}

uint32_t hosts_addr(const struct hosts *h, const char *name, size_t len, uint64_t now)
{
    if (!hosts_name_ok(name, len)) {
        return 0;
    }
    for (uint32_t i = 0; i < h->fixed_count; i++) {
        if (same_name(h->fixed[i].name, name, len)) {
            return h->fixed[i].addr;
        }
    }
    for (uint32_t i = 0; i < h->lease_count; i++) {
        const struct lease *l = hosts_lease(h, i, now);

        if (l != NULL && same_name(l->name, name, len)) {
            return h->first + i;
        }
    }
    return 0;
}

const char *hosts_name(const struct hosts *h, uint32_t addr, uint64_t now)
{
    const char *name = fixed_name(h, addr);
    uint32_t index = addr - h->first;

    if (name == NULL && addr >= h->first && index < h->lease_count) {
        const struct lease *l = hosts_lease(h, index, now);

        name = l != NULL && l->name[0] != '\0' ? l->name : NULL;
    }
    return name;
}

const struct lease *hosts_lease(const struct hosts *h, uint32_t index, uint64_t now)
{
    const struct lease *l = &h->leases[index];

    return l->state == LEASE_HELD && now < l->until ? l : NULL;
}

/* The address that this client has, or else had. */
static struct lease *last_of(struct hosts *h, const uint8_t mac[6], uint64_t now)
{
    struct lease *found = NULL;

    for (uint32_t i = 0; i < h->lease_count; i++) {
        struct lease *l = &h->leases[i];

        if (!same_mac(l->mac, mac) || !open_to(h, i, mac, now)) {
            continue;
        }
        if (in_use(l, now)) {
            return l;
        }
        found = l;
    }
    return found;
}

/* One that nobody had yet, or else the one that has been free for the longest time. */
static struct lease *any_free(struct hosts *h, const uint8_t mac[6], uint64_t now)
{
    struct lease *oldest = NULL;

    for (uint32_t i = 0; i < h->lease_count; i++) {
        struct lease *l = &h->leases[i];

        if (!open_to(h, i, mac, now)) {
            continue;
        }
        if (same_mac(l->mac, no_mac)) {
            return l;
        }
        if (oldest == NULL || l->until < oldest->until) {
            oldest = l;
        }
    }
    return oldest;
}

/* Makes the lease this client's, without the name of the holder before. */
static void assign(struct lease *l, const uint8_t mac[6])
{
    if (!same_mac(l->mac, mac)) {
        memcpy(l->mac, mac, 6);
        l->name[0] = '\0';
    }
}

uint32_t hosts_offer(struct hosts *h, const uint8_t mac[6], uint32_t wanted, uint64_t now)
{
    struct lease *l = last_of(h, mac, now);
    struct lease *w = lease_of(h, wanted);

    if (l == NULL && w != NULL && open_to(h, wanted - h->first, mac, now)) {
        l = w;
    }
    if (l == NULL) {
        l = any_free(h, mac, now);
    }
    if (l == NULL) {
        return 0;
    }
    if (!in_use(l, now) || l->state != LEASE_HELD) { /* a lease that runs goes on */
        assign(l, mac);
        l->state = LEASE_OFFERED;
        l->until = now + HOSTS_OFFER_S;
    }
    return h->first + (uint32_t)(l - h->leases);
}

bool hosts_take(struct hosts *h, const uint8_t mac[6], uint32_t addr, uint64_t now, uint64_t until)
{
    struct lease *l = lease_of(h, addr);

    if (l == NULL || !open_to(h, addr - h->first, mac, now)) {
        return false;
    }
    for (uint32_t i = 0; i < h->lease_count; i++) {
        struct lease *other = &h->leases[i];

        if (other != l && same_mac(other->mac, mac) && other->state != LEASE_DECLINED) {
            *other = (struct lease){0};
        }
    }
    assign(l, mac);
    if (l->name[0] != '\0' && !hosts_lease(h, addr - h->first, now) &&
        hosts_addr(h, l->name, strlen(l->name), now) != 0) {
        l->name[0] = '\0'; /* it had run out, and somebody else has come with that name */
    }
    l->state = LEASE_HELD;
    l->until = until;
    return true;
}

void hosts_rename(struct hosts *h, uint32_t addr, const char *name, size_t len, uint64_t now)
{
    struct lease *l = lease_of(h, addr);

    if (l == NULL) {
        return;
    }
    l->name[0] = '\0';
    if (hosts_name_ok(name, len) && hosts_addr(h, name, len, now) == 0) {
        set_name(l->name, name, len);
    }
}

void hosts_release(struct hosts *h, const uint8_t mac[6], uint32_t addr)
{
    for (uint32_t i = 0; i < h->lease_count; i++) {
        struct lease *l = &h->leases[i];
        bool meant =
            addr == 0 ? l->state == LEASE_OFFERED : l->state == LEASE_HELD && addr == h->first + i;

        if (meant && same_mac(l->mac, mac)) {
            l->state = LEASE_FREE;
        }
    }
}

void hosts_decline(struct hosts *h, const uint8_t mac[6], uint32_t addr, uint64_t now)
{
    struct lease *l = lease_of(h, addr);

    if (l == NULL || !same_mac(l->mac, mac) ||
        (l->state != LEASE_OFFERED && l->state != LEASE_HELD)) {
        return;
    }
    for (uint32_t i = 0; i < h->lease_count; i++) {
        struct lease *other = &h->leases[i];

        if (other->state == LEASE_DECLINED && same_mac(other->mac, mac)) {
            *other = (struct lease){0};
        }
    }
    l->state = LEASE_DECLINED;
    l->until = now + HOSTS_DECLINE_S;
    l->name[0] = '\0';
}

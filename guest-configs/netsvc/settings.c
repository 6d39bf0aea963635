/* SPDX-License-Identifier: MIT */
/* See settings.h. */
#include "guest-configs/netsvc/settings.h"

#include <string.h>

enum { LEASE_S = 3600, LEASE_MIN_S = 10, LEASE_MAX_S = 30 * 24 * 3600 };

/* A piece of the command line. */
struct text {
    const char *at;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* The value of the last word NAME=VALUE, or { NULL, 0 }. */
static struct text find(const char *words, const char *name)
{
    struct text found = {NULL, 0};
    size_t n = strlen(name);

    while (*words != '\0') {
        size_t len = 0;

        while (words[len] != '\0' && !is_blank(words[len])) {
            len++;
        }
        if (len > n && memcmp(words, name, n) == 0 && words[n] == '=') {
            found = (struct text){words + n + 1, len - n - 1};
        }
        words += len;
        words += is_blank(*words);
    }
    return found;
}

static bool is(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.at, s, t.len) == 0;
}

/* Cuts what is before the separator off t; all of it if there is none. */
static struct text cut(struct text *t, char separator)
{
    struct text head = {t->at, 0};

    while (head.len < t->len && t->at[head.len] != separator) {
        head.len++;
    }
    size_t used = head.len + (head.len < t->len);

    t->at += used;
    t->len -= used;
    return head;
}

static bool read_number(struct text t, uint32_t max, uint32_t *value)
{
    uint64_t v = 0;

    if (t.len == 0 || t.len > 10) {
        return false;
    }
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9') {
            return false;
        }
        v = v * 10 + (uint32_t)(t.at[i] - '0');
    }
    *value = (uint32_t)v;
    return v <= max;
}

static bool read_addr(struct text t, uint32_t *addr)
{
    *addr = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t part;

        if (!read_number(cut(&t, '.'), 255, &part)) {
            return false;
        }
        *addr = *addr << 8 | part;
    }
    return t.len == 0;
}

static bool is_host(const struct hosts *h, uint32_t addr)
{
    uint32_t host = addr & ~h->mask;

    return ((addr ^ h->self) & h->mask) == 0 && host != 0 && host != ~h->mask;
}

static bool read_ip(struct text t, struct hosts *h)
{
    uint32_t prefix = 24;
    struct text addr = cut(&t, '/');

    if (!read_addr(addr, &h->self) || (t.len != 0 && !read_number(t, 30, &prefix)) || prefix < 8) {
        return false;
    }
    h->mask = ~0u << (32 - prefix);
    return is_host(h, h->self);
}

/* "name", or "name:address". */
static bool read_names(struct text t, struct hosts *h)
{
    while (t.len != 0) {
        struct text addr = cut(&t, ',');
        struct text name = cut(&addr, ':');
        uint32_t a = h->self;

        if (addr.len != 0 && (!read_addr(addr, &a) || !is_host(h, a))) {
            return false;
        }
        if (!hosts_fix(h, name.at, name.len, a)) {
            return false;
        }
    }
    return true;
}

static bool read_pool(struct text t, struct hosts *h)
{
    uint32_t size = ~h->mask + 1;
    uint32_t last;

    if (is(t, "none")) {
        h->lease_count = 0;
        return true;
    }
    if (t.at == NULL) {
        h->first = (h->self & h->mask) + size / 2;
        last = (h->self | ~h->mask) - 1;
        if (last - h->first >= HOSTS_LEASES_MAX) {
            last = h->first + HOSTS_LEASES_MAX - 1;
        }
    } else if (!read_addr(cut(&t, '-'), &h->first) || !read_addr(t, &last)) {
        return false;
    }
    if (!is_host(h, h->first) || !is_host(h, last) || last < h->first ||
        last - h->first >= HOSTS_LEASES_MAX) {
        return false;
    }
    h->lease_count = last - h->first + 1;
    return true;
}

static bool read_router(struct text t, const struct hosts *h, struct settings *s)
{
    s->router = 0;
    if (t.at == NULL || is(t, "none")) {
        return true;
    }
    if (is(t, "self")) {
        s->router = h->self;
        return true;
    }
    return read_addr(t, &s->router) && is_host(h, s->router);
}

static struct text find_or(const char *words, const char *name, const char *otherwise)
{
    struct text t = find(words, name);

    return t.at != NULL ? t : (struct text){otherwise, strlen(otherwise)};
}

const char *settings_read(const char *words, struct settings *s, struct hosts *h)
{
    struct text lease = find(words, "lease");
    struct text name = find_or(words, "name", "netsvc");
    struct text domain = find_or(words, "domain", "lan");

    memset(h, 0, sizeof(*h));
    s->lease_s = LEASE_S;
    if (!read_ip(find(words, "ip"), h)) {
        return "ip";
    }
    if (!hosts_name_ok(domain.at, domain.len)) {
        return "domain";
    }
    memcpy(h->domain, domain.at, domain.len);
    if (!hosts_fix(h, name.at, name.len, h->self)) {
        return "name";
    }
    if (!read_names(find(words, "names"), h)) {
        return "names";
    }
    if (!read_pool(find(words, "pool"), h)) {
        return "pool";
    }
    if (lease.at != NULL &&
        (!read_number(lease, LEASE_MAX_S, &s->lease_s) || s->lease_s < LEASE_MIN_S)) {
        return "lease";
    }
    return read_router(find(words, "router"), h, s) ? NULL : "router";
}

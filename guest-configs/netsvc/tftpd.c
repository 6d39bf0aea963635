/* SPDX-License-Identifier: MIT */
/* See tftpd.h. */
#include "guest-configs/netsvc/tftpd.h"

#include <stdbool.h>
#include <string.h>

enum { RRQ = 1, WRQ = 2, DATA = 3, ACK = 4, ERROR = 5, OACK = 6 };
enum { NOT_FOUND = 1, DENIED = 2, FULL = 3, ILLEGAL = 4 };
enum { BLOCK_DEFAULT = 512, BLOCK_MIN = 8, OPTIONS_MAX = 8 };

/* newc: six digits of magic, then 13 hexadecimal numbers of eight */
enum { CPIO_HEADER = 110, CPIO_MODE = 1, CPIO_SIZE = 6, CPIO_NAME = 11 };
enum { MODE_TYPE = 0170000, MODE_FILE = 0100000 };

/* --- the archive --------------------------------------------------------------------------- */

struct member {
    const char *name; /* ends within the archive */
    const uint8_t *data;
    size_t size;
    bool is_file;
};

static bool read_hex(const uint8_t *p, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = p[i];
        uint8_t lower = c | 0x20;

        if (c >= '0' && c <= '9') {
            *value = *value << 4 | (uint32_t)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *value = *value << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

static bool read_field(const uint8_t *header, unsigned field, uint32_t *value)
{
    return read_hex(header + 6 + 8 * field, value);
}

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* The member at *pos, which is moved behind it. False: there is none, or none that is whole. */
static bool next_member(const struct tftpd *t, size_t *pos, struct member *m)
{
    uint32_t mode, size, name_size;

    if (t->archive == NULL || *pos > t->archive_size || t->archive_size - *pos < CPIO_HEADER) {
        return false;
    }
    const uint8_t *header = t->archive + *pos;
    size_t left = t->archive_size - *pos;

    if (memcmp(header, "07070", 5) != 0 || !read_field(header, CPIO_MODE, &mode) ||
        !read_field(header, CPIO_SIZE, &size) || !read_field(header, CPIO_NAME, &name_size)) {
        return false;
    }
    size_t data_at = padded(CPIO_HEADER + (size_t)name_size);

    if (name_size == 0 || data_at > left || size > left - data_at ||
        header[CPIO_HEADER + name_size - 1] != '\0') {
        return false;
    }
    *m = (struct member){(const char *)header + CPIO_HEADER, header + data_at, size,
                         (mode & MODE_TYPE) == MODE_FILE};
    *pos += padded(data_at + size);
    return strcmp(m->name, "TRAILER!!!") != 0;
}

uint32_t tftpd_files(const struct tftpd *t)
{
    struct member m;
    size_t pos = 0;
    uint32_t count = 0;

    while (next_member(t, &pos, &m)) {
        count += m.is_file;
    }
    return count;
}

static const char *without_slash(const char *name)
{
    if (name[0] == '.' && name[1] == '/') {
        name++;
    }
    return name + (name[0] == '/');
}

static bool find_file(const struct tftpd *t, const char *name, struct member *m)
{
    size_t pos = 0;

    while (next_member(t, &pos, m)) {
        if (m->is_file && strcmp(without_slash(m->name), without_slash(name)) == 0) {
            return true;
        }
    }
    return false;
}

/* --- packets ------------------------------------------------------------------------------- */

static size_t put16(uint8_t *p, unsigned a, unsigned b)
{
    p[0] = (uint8_t)(a >> 8);
    p[1] = (uint8_t)a;
    p[2] = (uint8_t)(b >> 8);
    p[3] = (uint8_t)b;
    return 4;
}

static size_t put_text(uint8_t *p, const char *text)
{
    size_t len = strlen(text) + 1;

    memcpy(p, text, len);
    return len;
}

static size_t put_number(uint8_t *p, size_t n)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    return put_text(p, digits + at);
}

static size_t put_error(uint8_t *reply, unsigned code, const char *text)
{
    size_t n = put16(reply, ERROR, code);

    return n + put_text(reply + n, text);
}

/* The block behind those that the client has; the last one is shorter than the others. */
static size_t put_block(const struct tftpd_transfer *x, uint8_t *reply)
{
    size_t at = (size_t)x->acked * x->block_size;
    size_t n = x->size - at < x->block_size ? x->size - at : x->block_size;
    size_t head = put16(reply, DATA, x->acked + 1);

    memcpy(reply + head, x->data + at, n);
    return head + n;
}

/* Cuts a text that ends in a NUL off the packet; NULL if there is none. */
static const char *cut_text(const uint8_t **p, size_t *left)
{
    const uint8_t *text = *p;
    size_t len = 0;

    while (len < *left && text[len] != '\0') {
        len++;
    }
    if (len == *left) {
        return NULL;
    }
    *p += len + 1;
    *left -= len + 1;
    return (const char *)text;
}

static bool same_word(const char *a, const char *b)
{
    while (*a != '\0' && (*a | 0x20) == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static unsigned small_number(const char *s)
{
    unsigned n = 0;

    for (; *s >= '0' && *s <= '9' && n < 100000; s++) {
        n = n * 10 + (unsigned)(*s - '0');
    }
    return *s == '\0' ? n : 0;
}

/* Takes the options that we know. Gives the length of their acknowledgement, 0 for none. */
static size_t take_options(struct tftpd_transfer *x, const uint8_t *p, size_t left, uint8_t *reply)
{
    size_t n = put16(reply, OACK, 0) - 2;
    bool sized = false, told = false;

    for (unsigned i = 0; i < OPTIONS_MAX; i++) {
        const char *name = cut_text(&p, &left);
        const char *value = name != NULL ? cut_text(&p, &left) : NULL;

        if (value == NULL) {
            break;
        }
        if (same_word(name, "blksize") && !sized && small_number(value) >= BLOCK_MIN) {
            unsigned wanted = small_number(value);

            sized = true;
            x->block_size = (uint16_t)(wanted < TFTPD_BLOCK_MAX ? wanted : TFTPD_BLOCK_MAX);
            n += put_text(reply + n, "blksize");
            n += put_number(reply + n, x->block_size);
        } else if (same_word(name, "tsize") && !told) {
            told = true;
            n += put_text(reply + n, "tsize");
            n += put_number(reply + n, x->size);
        }
    }
    return sized || told ? n : 0;
}

/* --- transfers ----------------------------------------------------------------------------- */

static struct tftpd_transfer *find_transfer(struct tftpd *t, uint32_t addr, uint16_t port)
{
    for (unsigned i = 0; i < TFTPD_TRANSFERS; i++) {
        struct tftpd_transfer *x = &t->transfer[i];

        if (x->data != NULL && x->addr == addr && x->port == port) {
            return x;
        }
    }
    return NULL;
}

/* A place for a new transfer: this client's own of before, a free one, one that is silent. */
static struct tftpd_transfer *find_place(struct tftpd *t, uint32_t addr, uint16_t port,
                                         uint64_t now)
{
    struct tftpd_transfer *x = find_transfer(t, addr, port);

    for (unsigned i = 0; i < TFTPD_TRANSFERS && x == NULL; i++) {
        if (t->transfer[i].data == NULL || now - t->transfer[i].heard > TFTPD_IDLE_S) {
            x = &t->transfer[i];
        }
    }
    return x;
}

static size_t on_request(struct tftpd *t, struct tftpd_transfer client, const uint8_t *p,
                         size_t left, uint8_t *reply)
{
    const char *name = cut_text(&p, &left);
    const char *mode = name != NULL ? cut_text(&p, &left) : NULL;
    struct tftpd_transfer *x;
    struct member m;

    if (mode == NULL) {
        t->count.dropped++;
        return 0;
    }
    if (!same_word(mode, "octet")) {
        return put_error(reply, ILLEGAL, "only binary (octet) transfers");
    }
    if (!find_file(t, name, &m)) {
        return put_error(reply, NOT_FOUND, "no such file");
    }
    x = find_place(t, client.addr, client.port, client.heard);
    if (x == NULL) {
        return put_error(reply, FULL, "too many clients: try again");
    }
    t->count.requests++;
    *x = client;
    x->data = m.data;
    x->size = m.size;
    x->block_size = BLOCK_DEFAULT;
    size_t n = take_options(x, p, left, reply);

    return n != 0 ? n : put_block(x, reply);
}

/*
 * An ACK of the block that was sent last brings the next one. One of the block before asks for it
 * again: answered once a second, or each frame that was late would double all that follow.
 */
static size_t on_ack(struct tftpd *t, struct tftpd_transfer *x, uint16_t block, uint64_t now,
                     uint8_t *reply)
{
    size_t at = (size_t)x->acked * x->block_size;

    if (block == (uint16_t)(x->acked + 1)) {
        if (x->size - at < x->block_size) {
            x->data = NULL;
            t->count.done++;
            return 0;
        }
        x->acked++;
    } else if (block != (uint16_t)x->acked || (x->acked != 0 && x->heard == now)) {
        t->count.dropped++;
        return 0;
    }
    x->heard = now;
    return put_block(x, reply);
}

size_t tftpd_answer(struct tftpd *t, uint32_t addr, uint16_t port, const uint8_t *packet,
                    size_t len, uint64_t now, uint8_t *reply)
{
    struct tftpd_transfer client = {.addr = addr, .port = port, .heard = now};
    struct tftpd_transfer *x = find_transfer(t, addr, port);

    if (len < 4 || packet[0] != 0) {
        t->count.dropped++;
        return 0;
    }
    switch (packet[1]) {
    case RRQ:
        return on_request(t, client, packet + 2, len - 2, reply);
    case WRQ:
        return put_error(reply, DENIED, "read-only");
    case ACK:
        if (x != NULL) {
            return on_ack(t, x, (uint16_t)(packet[2] << 8 | packet[3]), now, reply);
        }
        break;
    case ERROR: /* never answered */
        if (x != NULL) {
            x->data = NULL;
        }
        return 0;
    default:
        break;
    }
    t->count.dropped++;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * See dnsd.h. The name of a query is read once, into a text of bounded length; compression is
 * refused there, as a query has nothing before its name that it could point to.
 */
#include "guest-configs/netsvc/dnsd.h"

#include <string.h>

/* Header, RFC 1035 section 4.1.1. */
enum { FLAGS = 2, QUESTIONS = 4, ANSWERS = 6, HEADER = 12 };
enum { QR = 0x8000, OPCODE = 0x7800, AUTHORITATIVE = 0x0400, RECURSION_DESIRED = 0x0100 };
enum { NO_ERROR = 0, NO_SUCH_NAME = 3, NOT_IMPLEMENTED = 4, REFUSED = 5 };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_ANY = 255, CLASS_IN = 1, CLASS_ANY = 255 };
enum { NAME_BYTES_MAX = 255, LABEL_MAX = 63, TTL_S = 30, POINTER_TO_QUESTION = 0xc000 | HEADER };

struct question {
    char name[NAME_BYTES_MAX + 1]; /* labels with dots between, in lower case */
    size_t name_len;
    size_t end; /* where the question ends in the packet */
    uint16_t type;
    uint16_t class;
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

/* One label of the text; a byte that is in no name of ours becomes one that never matches. */
static char *put_label(char *to, const uint8_t *label, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = (char)label[i];

        c = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
        *to++ = c <= ' ' || c >= 0x7f || c == '.' ? '?' : c;
    }
    return to;
}

/* The name of the question at `at`; gives where it ends, 0 if it is malformed. */
static size_t read_name(struct question *q, const uint8_t *packet, size_t len, size_t at)
{
    char *to = q->name;
    size_t start = at;

    while (at < len && packet[at] != 0) {
        size_t label = packet[at];

        if (label > LABEL_MAX || len - at <= label || at + label + 2 - start > NAME_BYTES_MAX) {
            return 0;
        }
        if (to != q->name) {
            *to++ = '.';
        }
        to = put_label(to, packet + at + 1, label);
        at += 1 + label;
    }
    *to = '\0';
    q->name_len = (size_t)(to - q->name);
    return at < len ? at + 1 : 0;
}

static bool read_query(struct question *q, const uint8_t *packet, size_t len)
{
    if (len < HEADER || (get16(packet + FLAGS) & QR) != 0 || get16(packet + QUESTIONS) != 1) {
        return false;
    }
    size_t at = read_name(q, packet, len, HEADER);

    if (at == 0 || len - at < 4) {
        return false;
    }
    q->type = get16(packet + at);
    q->class = get16(packet + at + 2);
    q->end = at + 4;
    return true;
}

/* Cuts "." and the suffix from the end of a name, if it has them. */
static bool cut_suffix(const struct question *q, const char *suffix, size_t *len)
{
    size_t n = strlen(suffix);

    if (q->name_len <= n || q->name[q->name_len - n - 1] != '.' ||
        memcmp(q->name + q->name_len - n, suffix, n) != 0) {
        return false;
    }
    *len = q->name_len - n - 1;
    return true;
}

/* "1.0.0.10" of 1.0.0.10.in-addr.arpa is 10.0.0.1; 0 if it is no address. */
static uint32_t reverse_addr(const char *text, size_t len)
{
    uint32_t addr = 0;
    unsigned parts = 0;

    for (size_t at = 0; at <= len; at++) {
        unsigned value = 0;
        size_t digits = 0;

        for (; at < len && text[at] >= '0' && text[at] <= '9' && digits < 3; at++, digits++) {
            value = value * 10 + (unsigned)(text[at] - '0');
        }
        if (digits == 0 || value > 255 || parts == 4 || (at < len && text[at] != '.')) {
            return 0;
        }
        addr |= value << (8 * parts++);
    }
    return parts == 4 ? addr : 0;
}

/* Everything of an answer's record before its data. */
static uint8_t *put_record(uint8_t *p, uint16_t type, size_t data_len)
{
    p = put16(p, POINTER_TO_QUESTION);
    p = put16(p, type);
    p = put16(p, CLASS_IN);
    p = put16(p, 0);
    p = put16(p, TTL_S);
    return put16(p, (unsigned)data_len);
}

static uint8_t *put_text_label(uint8_t *p, const char *text)
{
    size_t len = strlen(text);

    if (len != 0) {
        *p++ = (uint8_t)len;
        memcpy(p, text, len);
    }
    return p + len;
}

static uint8_t *answer_addr(const struct question *q, uint32_t addr, uint8_t *p)
{
    if (q->type != TYPE_A && q->type != TYPE_ANY) {
        return p;
    }
    p = put_record(p, TYPE_A, 4);
    p = put16(p, addr >> 16);
    return put16(p, addr & 0xffff);
}

static uint8_t *answer_name(const struct dnsd *d, const struct question *q, const char *name,
                            uint8_t *p)
{
    if (q->type != TYPE_PTR && q->type != TYPE_ANY) {
        return p;
    }
    uint8_t *data = put_record(p, TYPE_PTR, 0);
    uint8_t *stop = put_text_label(put_text_label(data, name), d->hosts->domain);

    *stop++ = 0;
    put16(data - 2, (unsigned)(stop - data));
    return stop;
}

/* Appends the answer, if there is one, to the reply at p; gives its end, NULL for no such name. */
static uint8_t *look_up(const struct dnsd *d, const struct question *q, uint64_t now, uint8_t *p)
{
    size_t len = q->name_len;

    if (cut_suffix(q, "in-addr.arpa", &len)) {
        uint32_t addr = reverse_addr(q->name, len);
        const char *name = addr != 0 ? hosts_name(d->hosts, addr, now) : NULL;

        return name != NULL ? answer_name(d, q, name, p) : NULL;
    }
    cut_suffix(q, d->hosts->domain, &len);
    uint32_t addr = hosts_addr(d->hosts, q->name, len, now);

    if (addr == 0) {
        return strcmp(q->name, d->hosts->domain) == 0 ? p : NULL;
    }
    return answer_addr(q, addr, p);
}

size_t dnsd_answer(struct dnsd *d, const uint8_t *query, size_t len, uint64_t now, uint8_t *reply)
{
    struct question q;
    unsigned code = NO_ERROR;

    if (!read_query(&q, query, len)) {
        d->count.dropped++;
        return 0;
    }
    d->count.queries++;
    memcpy(reply, query, q.end);
    memset(reply + ANSWERS, 0, HEADER - ANSWERS);
    uint8_t *stop = reply + q.end;

    if ((get16(query + FLAGS) & OPCODE) != 0) {
        code = NOT_IMPLEMENTED;
    } else if (q.class != CLASS_IN && q.class != CLASS_ANY) {
        code = REFUSED;
    } else {
        uint8_t *found = look_up(d, &q, now, stop);

        if (found == NULL) {
            d->count.unknown++;
            code = NO_SUCH_NAME;
        } else if (found != stop) {
            put16(reply + ANSWERS, 1);
            stop = found;
        }
    }
    put16(reply + FLAGS,
          (get16(query + FLAGS) & (OPCODE | RECURSION_DESIRED)) | QR | AUTHORITATIVE | code);
    return (size_t)(stop - reply);
}

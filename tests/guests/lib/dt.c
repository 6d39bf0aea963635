/* SPDX-License-Identifier: MIT */
/* See dt.h.  Runs with the MMU off too: aligned accesses only, nothing but the blob is read. */
#include "tests/guests/lib/dt.h"

#include <stddef.h>

#include "tests/guests/lib/string.h"

enum { DT_MAGIC = 0xd00dfeedu };
enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4 };

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t align4(uint32_t n)
{
    return (n + 3) & ~3u;
}

bool dt_open(struct dt *dt, const void *blob)
{
    dt->blob = blob;
    if (!blob || be32(dt->blob) != DT_MAGIC) {
        return false;
    }
    dt->size = be32(dt->blob + 4);
    dt->structs = dt->blob + be32(dt->blob + 8);
    dt->strings = (const char *)dt->blob + be32(dt->blob + 12);
    return true;
}

/* The offset behind the token at this one. */
static uint32_t after(const struct dt *dt, uint32_t at)
{
    switch (be32(dt->structs + at)) {
    case BEGIN_NODE:
        return align4(at + 4 + (uint32_t)strlen((const char *)dt->structs + at + 4) + 1);
    case PROP:
        return align4(at + 12 + be32(dt->structs + at + 4));
    default:
        return at + 4;
    }
}

uint32_t dt_next(const struct dt *dt, uint32_t node, int *depth)
{
    for (uint32_t at = after(dt, node);; at = after(dt, at)) {
        switch (be32(dt->structs + at)) {
        case BEGIN_NODE:
            ++*depth;
            return at;
        case END_NODE:
            --*depth;
            break;
        case PROP:
        case NOP:
            break;
        default:
            return DT_NONE;
        }
    }
}

struct dt_prop dt_get(const struct dt *dt, uint32_t node, const char *name)
{
    uint32_t at = after(dt, node);
    uint32_t token = be32(dt->structs + at);

    for (; token == PROP || token == NOP; token = be32(dt->structs + at)) {
        const uint8_t *p = dt->structs + at;

        if (token == PROP && str_equal(dt->strings + be32(p + 8), name)) {
            return (struct dt_prop){p + 12, be32(p + 4)};
        }
        at = after(dt, at);
    }
    return (struct dt_prop){NULL, 0};
}

bool dt_lists(struct dt_prop prop, const char *s)
{
    const char *list = (const char *)prop.value;

    for (uint32_t i = 0; i < prop.len; i += (uint32_t)strlen(list + i) + 1) {
        if (str_equal(list + i, s)) {
            return true;
        }
    }
    return false;
}

uint64_t dt_cells(struct dt_prop prop, uint32_t first, uint32_t count)
{
    uint64_t value = 0;

    for (uint32_t i = first; i < first + count; i++) {
        value = value << 32 | (4 * i + 4 <= prop.len ? be32(prop.value + 4 * (size_t)i) : 0);
    }
    return value;
}

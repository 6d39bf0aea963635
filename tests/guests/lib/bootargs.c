/* SPDX-License-Identifier: MIT */
/* See bootargs.h. */
#include "tests/guests/lib/bootargs.h"

#include <stddef.h>

#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/string.h"

static bool ends_word(char c)
{
    return c == '\0' || c == ' ' || c == '\t' || c == '\n';
}

/* What follows name in the word that starts with it: "", "=...", or NULL if there is none. */
static const char *find(const char *name)
{
    const char *p = platform.bootargs;

    while (*p) {
        if (str_starts(p, name)) {
            const char *rest = p + strlen(name);

            if (*rest == '=' || ends_word(*rest)) {
                return rest;
            }
        }
        while (!ends_word(*p)) {
            p++;
        }
        while (*p && ends_word(*p)) {
            p++;
        }
    }
    return NULL;
}

bool bootargs_has(const char *name)
{
    return find(name) != NULL;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

uint64_t bootargs_number(const char *name, uint64_t otherwise)
{
    const char *p = find(name);
    uint64_t value = 0;
    int base = 10;

    if (!p || *p != '=') {
        return otherwise;
    }
    p++;
    if (str_starts(p, "0x")) {
        base = 16;
        p += 2;
    }
    for (; digit(*p) < base; p++) {
        value = value * (uint64_t)base + (uint64_t)digit(*p);
    }
    return value;
}

bool bootargs_lists(const char *name, const char *word)
{
    const char *p = find(name);

    if (!p || *p != '=') {
        return false;
    }
    do {
        p++;
        if (str_starts(p, word) && (p[strlen(word)] == ',' || ends_word(p[strlen(word)]))) {
            return true;
        }
        while (*p != ',' && !ends_word(*p)) {
            p++;
        }
    } while (*p == ',');
    return false;
}

/* SPDX-License-Identifier: MIT */
/*
 * snprintf for log lines and device-tree names: integers, strings, characters and pointers.
 * Knows nothing else of the project; no lock.
 */
#include "core/log.h"

#include <string.h>

struct out {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero;
    int width, precision; /* precision -1: none */
    int longs;            /* number of l; z counts as the width of size_t */
};

static void out_char(struct out *o, char c)
{
    if (o->len + 1 < o->size) {
        o->buf[o->len] = c;
    }
    o->len++;
}

static void out_pad(struct out *o, char c, int n)
{
    for (; n > 0; n--) {
        out_char(o, c);
    }
}

static void out_text(struct out *o, const struct spec *s, const char *text, size_t len)
{
    int pad = s->width - (int)len;

    if (!s->left) {
        out_pad(o, ' ', pad);
    }
    for (size_t i = 0; i < len; i++) {
        out_char(o, text[i]);
    }
    if (s->left) {
        out_pad(o, ' ', pad);
    }
}

static void out_number(struct out *o, const struct spec *s, u64 v, u32 base, char sign, bool upper)
{
    char digits[24];
    int n = 0, pad;
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    do {
        digits[n++] = set[v % base];
        v /= base;
    } while (v != 0);
    while (n < s->precision && n < (int)sizeof(digits)) {
        digits[n++] = '0';
    }
    pad = s->width - n - (sign != '\0');
    if (!s->left && !s->zero) {
        out_pad(o, ' ', pad);
    }
    if (sign != '\0') {
        out_char(o, sign);
    }
    if (!s->left && s->zero) {
        out_pad(o, '0', pad);
    }
    while (n > 0) {
        out_char(o, digits[--n]);
    }
    if (s->left) {
        out_pad(o, ' ', pad);
    }
}

static const char *read_spec(const char *f, struct spec *s, va_list *ap)
{
    *s = (struct spec){.precision = -1};
    for (; *f == '-' || *f == '0'; f++) {
        s->left |= *f == '-';
        s->zero |= *f == '0';
    }
    if (*f == '*') {
        s->width = va_arg(*ap, int);
        f++;
    }
    for (; *f >= '0' && *f <= '9'; f++) {
        s->width = s->width * 10 + (*f - '0');
    }
    if (*f == '.') {
        s->precision = 0;
        f++;
        if (*f == '*') {
            s->precision = va_arg(*ap, int);
            f++;
        }
        for (; *f >= '0' && *f <= '9'; f++) {
            s->precision = s->precision * 10 + (*f - '0');
        }
    }
    for (; *f == 'l' || *f == 'z'; f++) {
        s->longs += *f == 'l' || sizeof(size_t) > 4;
    }
    return f;
}

static u64 read_unsigned(const struct spec *s, va_list *ap)
{
    if (s->longs >= 2) {
        return va_arg(*ap, unsigned long long);
    }
    return s->longs == 1 ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
}

static s64 read_signed(const struct spec *s, va_list *ap)
{
    if (s->longs >= 2) {
        return va_arg(*ap, long long);
    }
    return s->longs == 1 ? va_arg(*ap, long) : va_arg(*ap, int);
}

static void out_string(struct out *o, const struct spec *s, const char *text)
{
    size_t max = s->precision >= 0 ? (size_t)s->precision : SIZE_MAX;

    if (text == NULL) {
        text = max == 0 ? "" : "(null)";
    }
    out_text(o, s, text, strnlen(text, max));
}

static void out_conversion(struct out *o, char conversion, const struct spec *s, va_list *ap)
{
    char c;
    s64 v;

    switch (conversion) {
    case 'c':
        c = (char)va_arg(*ap, int);
        out_text(o, s, &c, 1);
        break;
    case 's':
        out_string(o, s, va_arg(*ap, const char *));
        break;
    case 'd':
    case 'i':
        v = read_signed(s, ap);
        out_number(o, s, v < 0 ? 0 - (u64)v : (u64)v, 10, v < 0 ? '-' : '\0', false);
        break;
    case 'u':
        out_number(o, s, read_unsigned(s, ap), 10, '\0', false);
        break;
    case 'o':
        out_number(o, s, read_unsigned(s, ap), 8, '\0', false);
        break;
    case 'x':
    case 'X':
        out_number(o, s, read_unsigned(s, ap), 16, '\0', conversion == 'X');
        break;
    case 'p':
        out_char(o, '0');
        out_char(o, 'x');
        out_number(o, s, (uintptr_t)va_arg(*ap, void *), 16, '\0', false);
        break;
    default:
        out_char(o, conversion);
        break;
    }
}

int fmt_vprint(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = {.buf = buf, .size = size};
    struct spec s;
    va_list ap;

    va_copy(ap, args);
    for (; *fmt != '\0'; fmt++) {
        if (*fmt != '%') {
            out_char(&o, *fmt);
            continue;
        }
        fmt = read_spec(fmt + 1, &s, &ap);
        if (*fmt == '\0') {
            break;
        }
        out_conversion(&o, *fmt, &s, &ap);
    }
    va_end(ap);
    if (size > 0) {
        buf[MIN(o.len, size - 1)] = '\0';
    }
    return (int)o.len;
}

int fmt_print(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vprint(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

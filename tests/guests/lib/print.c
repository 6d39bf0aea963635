/* SPDX-License-Identifier: MIT */
/* See print.h.  One lock, with interrupts masked while it is held. */
#include "tests/guests/lib/print.h"

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/sysreg.h"

/* PL011 (Arm DDI 0183) */
enum { UARTDR = 0x00, UARTFR = 0x18, UARTLCR_H = 0x2c, UARTCR = 0x30 };
enum { FR_TXFF = 1 << 5, LCR_H_8BIT_FIFO = 0x70, CR_RXE_TXE_UARTEN = 0x301 };

static uint32_t lock;
static uint32_t lock_broken;

struct spec {
    uint32_t width;
    bool zeros;
    bool is_long;
};

void print_init(void)
{
    if (platform.uart) {
        io_write32(platform.uart + UARTLCR_H, LCR_H_8BIT_FIFO);
        io_write32(platform.uart + UARTCR, CR_RXE_TXE_UARTEN);
    }
}

static void put_char(char c)
{
    if (!platform.uart) {
        return;
    }
    if (c == '\n') {
        put_char('\r');
    }
    while (io_read32(platform.uart + UARTFR) & FR_TXFF) {
    }
    io_write32(platform.uart + UARTDR, (uint8_t)c);
}

static void put_text(const char *s, struct spec spec)
{
    for (size_t len = strlen(s); len < spec.width; len++) {
        put_char(spec.zeros ? '0' : ' ');
    }
    while (*s) {
        put_char(*s++);
    }
}

static void put_number(uint64_t value, uint32_t base, struct spec spec)
{
    char text[24];
    char *p = text + sizeof(text) - 1;

    *p = '\0';
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put_text(p, spec);
}

static void put_signed(int64_t value, struct spec spec)
{
    if (value < 0) {
        put_char('-');
        value = -value;
    }
    put_number((uint64_t)value, 10, spec);
}

static const char *parse_spec(const char *f, struct spec *spec)
{
    spec->zeros = *f == '0';
    for (; *f >= '0' && *f <= '9'; f++) {
        spec->width = 10 * spec->width + (uint32_t)(*f - '0');
    }
    for (; *f == 'l' || *f == 'z'; f++) {
        spec->is_long = true;
    }
    return f;
}

static void put_formatted(const char *f, va_list args)
{
    for (; *f; f++) {
        struct spec spec = {0};

        if (*f != '%') {
            put_char(*f);
            continue;
        }
        f = parse_spec(f + 1, &spec);
        switch (*f) {
        case 's':
            put_text(va_arg(args, const char *), spec);
            break;
        case 'c':
            put_char((char)va_arg(args, int));
            break;
        case 'd':
            put_signed(spec.is_long ? va_arg(args, int64_t) : va_arg(args, int), spec);
            break;
        case 'u':
        case 'x':
            put_number(spec.is_long ? va_arg(args, uint64_t) : va_arg(args, unsigned int),
                       *f == 'u' ? 10 : 16, spec);
            break;
        default:
            put_char(*f);
        }
    }
}

void print_args(const char *format, va_list args)
{
    uint64_t daif = sysreg_read("daif");

    irq_mask();
    while (!atomic_load(&lock_broken) && atomic_swap(&lock, 1)) {
        wfe();
    }
    put_formatted(format, args);
    atomic_store(&lock, 0);
    sev();
    sysreg_write("daif", daif);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_args(format, args);
    va_end(args);
}

void print_break_lock(void)
{
    atomic_store(&lock_broken, 1);
}

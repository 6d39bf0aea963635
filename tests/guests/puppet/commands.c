/* SPDX-License-Identifier: MIT */
/* The commands of the puppet. What each does and prints stands in the table at the end. */
#include <stddef.h>

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/image.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/puppet/puppet.h"
#include "tests/guests/puppet/uart.h"

#define FNV_START 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

enum { DIRT_SIZE = 1 << 20, FLOOD_WIDTH = 60 };

struct command {
    const char *name;
    void (*run)(const uint64_t *args, const char *rest);
};

static void say_hello(const uint64_t *args, const char *rest)
{
    (void)args;
    (void)rest;
    puppet_say("HELLO ticks=%lu hz=%lu uart_irqs=%u", timer_now(), timer_hz(), uart_irqs());
}

static void say_echo(const uint64_t *args, const char *rest)
{
    (void)args;
    puppet_say("ECHO %s", rest);
}

/* A line's text is made of its number alone, so that a reader can tell whether a byte is missing.
 */
static void flood(const uint64_t *args, const char *rest)
{
    char text[FLOOD_WIDTH + 1];

    (void)rest;
    for (uint64_t line = 0; line < args[0]; line++) {
        uint32_t len = FLOOD_WIDTH - (uint32_t)(line % 37);

        for (uint32_t i = 0; i < len; i++) {
            text[i] = (char)('a' + (line + i) % 26);
        }
        text[len] = '\0';
        print("flood %u %05lu %s\n", puppet_id(), line, text);
    }
    puppet_say("FLOODED lines=%lu", args[0]);
}

static void print_raw(const uint64_t *args, const char *rest)
{
    (void)args;
    for (; *rest != '\0'; rest++) {
        print("%c", *rest == '^' && rest[1] != '\0' ? *++rest & 0x1f : *rest);
    }
}

static void sink(const uint64_t *args, const char *rest)
{
    uint64_t hash = FNV_START;

    (void)rest;
    puppet_say("SINK-READY");
    for (uint64_t i = 0; i < args[0]; i++) {
        hash = (hash ^ uart_get()) * FNV_PRIME;
    }
    puppet_say("SUNK bytes=%lu hash=%016lx", args[0], hash);
}

/* Sleeps args[0] us, args[1] times; how late it was woken. */
static void sleep_often(const uint64_t *args, const char *rest)
{
    uint64_t worst = 0;
    uint64_t sum = 0;
    uint64_t early = 0;

    (void)rest;
    for (uint64_t i = 0; i < args[1]; i++) {
        uint64_t due = timer_now() + timer_ticks(args[0]);
        uint64_t now;
        uint64_t late;

        puppet_sleep_until(due);
        now = timer_now();
        late = now > due ? timer_ns(now - due) : 0;
        early += now < due;
        sum += late;
        worst = late > worst ? late : worst;
    }
    puppet_say("SLEPT count=%lu early=%lu late_mean_ns=%lu late_max_ns=%lu", args[1], early,
               args[1] ? sum / args[1] : 0, worst);
}

/* Keeps the CPU busy for args[0] ms, 0: for ever; counts how often it came round. */
static void spin(const uint64_t *args, const char *rest)
{
    uint64_t end = timer_now() + timer_ticks(args[0] * 1000);
    uint64_t rounds = 0;

    (void)rest;
    puppet_say("SPIN ms=%lu", args[0]);
    while (args[0] == 0 || timer_now() < end) {
        rounds++;
    }
    puppet_say("SPUN rounds=%lu", rounds);
}

/* A free MiB of RAM: is it all zero, as after a start? Then no more. */
static void dirty(const uint64_t *args, const char *rest)
{
    uint64_t *word = (uint64_t *)platform_free_ram(DIRT_SIZE, DIRT_SIZE);
    uint64_t found = 0;

    (void)args;
    (void)rest;
    for (uint32_t i = 0; i < DIRT_SIZE / sizeof(*word); i++) {
        found += word[i] != 0;
        word[i] = ~(uint64_t)i;
    }
    puppet_say("DIRT bytes=%u dirty_words=%lu", (uint32_t)DIRT_SIZE, found);
}

/* Writes and checks a word in each args[0] KiB of each region of RAM, but not in the image. */
static void touch(const uint64_t *args, const char *rest)
{
    uint64_t wrong = 0;
    uint64_t count = 0;

    (void)rest;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t r = 0; r < platform.ram_count; r++) {
            uint64_t end = platform.ram[r].base + platform.ram[r].size;

            for (uint64_t p = platform.ram[r].base; p < end; p += args[0] * 1024) {
                uint64_t *word = (uint64_t *)p;

                if (p < (uint64_t)image_end && p + sizeof(*word) > (uint64_t)image_start) {
                    continue;
                }
                if (p < platform.dtb.base + platform.dtb.size &&
                    p + sizeof(*word) > platform.dtb.base) {
                    continue;
                }
                if (pass == 0) {
                    *word = ~p;
                } else {
                    wrong += *word != ~p;
                    count++;
                }
            }
        }
    }
    puppet_say("TOUCHED words=%lu wrong=%lu", count, wrong);
}

static void be_cpu(uint64_t unused)
{
    (void)unused;
    puppet_say("CPU index=%u mpidr=%lx", cpu_self()->index, sysreg_read("mpidr_el1"));
}

static void start_cpus(const uint64_t *args, const char *rest)
{
    uint32_t up = cpu_start_all();

    (void)args;
    (void)rest;
    for (uint32_t i = 1; i < up; i++) {
        cpu_run(i, be_cpu, 0);
        cpu_wait(i);
    }
    puppet_say("CPUS up=%u of=%u", up, platform.cpu_count);
}

static void power_off(const uint64_t *args, const char *rest)
{
    (void)args;
    (void)rest;
    psci_system_off();
}

static void reset(const uint64_t *args, const char *rest)
{
    (void)args;
    (void)rest;
    psci_system_reset();
}

static const struct command commands[] = {
    {"hello", say_hello},      /* HELLO: the counter */
    {"echo", say_echo},        /* ECHO and the text behind it */
    {"raw", print_raw},        /* the text as it is, without newline; ^X is Ctrl-X */
    {"flood", flood},          /* LINES */
    {"sink", sink},            /* BYTES: takes so many, raw, and prints their hash (FNV-1a) */
    {"sleep", sleep_often},    /* US COUNT */
    {"spin", spin},            /* MS, 0: for ever */
    {"dirty", dirty},          /* 1 MiB of RAM: was it zero? It isn't afterwards. */
    {"touch", touch},          /* KIB: a word in each so many KiB of all RAM */
    {"cpus", start_cpus},      /* all of them */
    {"peek", probes_peek},     /* ADDRESS BYTES */
    {"poke", probes_poke},     /* ADDRESS BYTES VALUE */
    {"sysreg", probes_sysreg}, /* reads and writes one that there isn't */
    {"insn", probes_insn},     /* runs one that VMs may not use, where the CPU has it */
    {"off", power_off},
    {"reset", reset},
};

static const char *skip_blanks(const char *p)
{
    while (*p == ' ') {
        p++;
    }
    return p;
}

static bool is_word(const char *line, const char *word)
{
    size_t len = strlen(word);

    return str_starts(line, word) && (line[len] == '\0' || line[len] == ' ');
}

static void read_numbers(const char *p, uint64_t args[PUPPET_ARGS])
{
    for (uint32_t i = 0; i < PUPPET_ARGS; i++) {
        p = skip_blanks(p);
        args[i] = 0;
        for (; *p >= '0' && *p <= '9'; p++) {
            args[i] = 10 * args[i] + (uint64_t)(*p - '0');
        }
    }
}

void puppet_command(const char *line)
{
    uint64_t args[PUPPET_ARGS];

    line = skip_blanks(line);
    if (*line == '\0') {
        return;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (is_word(line, commands[i].name)) {
            const char *rest = skip_blanks(line + strlen(commands[i].name));

            read_numbers(rest, args);
            commands[i].run(args, rest);
            return;
        }
    }
    puppet_say("UNKNOWN %s", line);
}

/* SPDX-License-Identifier: MIT */
/* What the parts of the puppet share: its number, its timer, and its table of commands. */
#ifndef TESTS_GUESTS_PUPPET_PUPPET_H
#define TESTS_GUESTS_PUPPET_PUPPET_H

#include <stdbool.h>
#include <stdint.h>

enum { PUPPET_ARGS = 4 };

/* id=N of the boot arguments: tells puppets apart. */
uint32_t puppet_id(void);

/* A line "@@ ID NAME ..."; the text begins with the name. */
void puppet_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Sleeps until the virtual counter is there, with other interrupts served. */
void puppet_sleep_until(uint64_t ticks);

/* Runs one line of text: a command and its numbers. */
void puppet_command(const char *line);

/* probes.c: commands */
void probes_peek(const uint64_t *args, const char *rest);
void probes_poke(const uint64_t *args, const char *rest);
void probes_sysreg(const uint64_t *args, const char *rest);
void probes_insn(const uint64_t *args, const char *rest);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The last lines of Muntin's own messages, kept in memory for the prompt's `log` command. Lock: its
 * own, of rank LOCK_CONSOLE, held for one line at a time and never with the mux's.
 */
#include "core/log.h"

#include "core/spinlock.h"

#define RING_SIZE (16 * KIB) /* a power of two */

static struct spinlock lock = SPINLOCK_INIT(LOCK_CONSOLE);
static char ring[RING_SIZE]; /* lines, each ended by \n */
static u64 end;              /* bytes ever written; byte i is in ring[i % RING_SIZE] */

static char byte_at(u64 pos)
{
    return ring[pos % RING_SIZE];
}

/* The start of the oldest line that is still whole. */
static u64 oldest(void)
{
    u64 pos = end > RING_SIZE ? end - RING_SIZE : 0;

    while (end > RING_SIZE && pos < end && byte_at(pos++) != '\n') {
    }
    return pos;
}

void log_keep(const char *line, size_t len)
{
    spin_lock(&lock);
    for (size_t i = 0; i < len; i++) {
        ring[end++ % RING_SIZE] = line[i] == '\n' ? ' ' : line[i];
    }
    ring[end++ % RING_SIZE] = '\n';
    spin_unlock(&lock);
}

u64 log_last(u32 lines)
{
    u64 pos, start;

    spin_lock(&lock);
    start = oldest();
    for (pos = end; pos > start; pos--) {
        if (pos < end && byte_at(pos - 1) == '\n' && --lines == 0) {
            break;
        }
    }
    spin_unlock(&lock);
    return pos;
}

bool log_read(u64 *pos, char *line, size_t size)
{
    size_t n = 0;
    bool some;

    spin_lock(&lock);
    *pos = MAX(*pos, oldest()); /* what was overwritten meanwhile is left out */
    some = *pos < end;
    while (*pos < end && byte_at(*pos) != '\n') {
        if (n + 1 < size) {
            line[n++] = byte_at(*pos);
        }
        (*pos)++;
    }
    *pos += some;
    line[n] = '\0';
    spin_unlock(&lock);
    return some;
}

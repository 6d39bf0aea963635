/* SPDX-License-Identifier: MIT */
/* See probe.h; probe_run() itself is in vectors.S. */
#include "tests/guests/lib/probe.h"

#include <stddef.h>

#include "tests/guests/lib/io.h"
#include "tests/guests/lib/layout.h"

_Static_assert(offsetof(struct probe, sp) == PROBE_SP, "vectors.S");
_Static_assert(offsetof(struct probe, outer) == PROBE_OUTER, "vectors.S");

static uint64_t do_read(uint64_t addr, uint64_t size, uint64_t unused)
{
    (void)unused;
    switch (size) {
    case 1:
        return io_read8(addr);
    case 2:
        return io_read16(addr);
    case 4:
        return io_read32(addr);
    default:
        return io_read64(addr);
    }
}

static uint64_t do_write(uint64_t addr, uint64_t size, uint64_t value)
{
    switch (size) {
    case 1:
        io_write8(addr, (uint8_t)value);
        break;
    case 2:
        io_write16(addr, (uint16_t)value);
        break;
    case 4:
        io_write32(addr, (uint32_t)value);
        break;
    default:
        io_write64(addr, value);
    }
    return 0;
}

bool probe_read(struct probe *p, uint64_t addr, uint32_t size)
{
    return probe_run(p, do_read, addr, size, 0);
}

bool probe_write(struct probe *p, uint64_t addr, uint32_t size, uint64_t value)
{
    return probe_run(p, do_write, addr, size, value);
}

/* SPDX-License-Identifier: MIT */
/*
 * The benchmark guest: first touch of RAM (demand faults of a hypervisor), then reads after a TLB
 * flush (page walks: visible in wall time only).  One word a page, in an order that defeats
 * prefetching.
 */
#include "tests/bench/bench.h"

#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

enum { WALK_BYTES = 64 << 20, PAGE = 4096, PAGES = WALK_BYTES / PAGE, STRIDE = 7919, GROUP = 64 };

void bench_walk_rows(void)
{
    uint64_t base = platform_free_ram(WALK_BYTES, 1 << 21);
    uint64_t k = 0;

    if (!base) {
        test_note("no free 64 MiB: no walk");
        return;
    }
    /* A mean over all of it: one fault may back 512 pages. */
    BENCH("walk_first_touch", 1, PAGES, io_write32(base + (k++ * STRIDE & (PAGES - 1)) * PAGE, 1));
    tlb_flush();
    BENCH("walk_after_tlbi", PAGES / GROUP, GROUP,
          io_read32(base + (k++ * STRIDE & (PAGES - 1)) * PAGE));
}

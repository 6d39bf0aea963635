/* SPDX-License-Identifier: MIT */
/* The attack guest: random accesses of every size over every byte of every device. */
#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"

enum { PAGE = 4096, MAX_PAGES = 96, HITS = 400, UARTDR_END = 4 };

/* The first and last pages of each window; registers sit there. */
static uint32_t list_pages(uint64_t *pages)
{
    struct region windows[4 + MAX_VIRTIO + 2 * MAX_CPUS];
    uint32_t count = 0;
    uint32_t listed = 0;

    windows[count++] = platform.gicd;
    windows[count++] = (struct region){platform.uart, PAGE};
    if (platform.gic_version == 2) {
        windows[count++] = (struct region){platform.gicc.base, 2 * PAGE};
    } else {
        for (uint32_t i = 0; i < platform.cpu_count; i++) {
            windows[count++] = (struct region){platform.gicr[0].base + 0x20000 * i, PAGE};
            windows[count++] = (struct region){platform.gicr[0].base + 0x20000 * i + 0x10000, PAGE};
        }
    }
    for (uint32_t i = 0; i < platform.virtio_count; i++) {
        windows[count++] = (struct region){platform.virtio[i].base & ~(uint64_t)(PAGE - 1), PAGE};
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint64_t a = windows[i].base; a < windows[i].base + windows[i].size; a += PAGE) {
            if (listed < MAX_PAGES) {
                pages[listed++] = a;
            }
        }
    }
    return listed;
}

static void hit(uint64_t page, struct prng *random)
{
    uint32_t size = 1u << prng_below(random, 4);
    uint64_t offset =
        prng_below(random, prng_below(random, 2) ? 0x200 : PAGE) & ~(uint64_t)(size - 1);
    struct probe p;

    if (page == platform.uart && offset < UARTDR_END) {
        return; /* not the console itself: tests read it */
    }
    if (prng_below(random, 4) == 0) {
        probe_read(&p, page + offset, size);
    } else {
        probe_write(&p, page + offset, size, attack_value(random));
    }
}

void attack_devices(struct prng *random)
{
    uint64_t pages[MAX_PAGES];
    uint32_t count = list_pages(pages);

    for (uint32_t round = 0; round < attack_rounds(); round++) {
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t n = 0; n < HITS; n++) {
                hit(pages[i], random);
            }
            attack_breathe();
        }
        for (uint32_t n = 0; n < HITS; n++) {
            hit(pages[prng_below(random, count)], random);
        }
    }
}

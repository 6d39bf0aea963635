/* SPDX-License-Identifier: MIT */
/* The attack guest: every form of access, with syndrome and without, to devices and holes. */
#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/forms.h"
#include "tests/guests/lib/mmu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/test.h"

enum { ROUNDS = 40, FETCHES = 20 };

/* What one address answers to all forms, and to being executed. */
static void attack_at(uint64_t addr, struct prng *random)
{
    struct probe p;

    for (const struct form *f = forms; f < forms_end; f++) {
        struct form_regs regs = {{attack_value(random), attack_value(random)}, 0};

        if (form_exists(f)) {
            form_run(&p, f, addr, &regs);
        }
    }
    for (uint32_t size = 1; size <= 8; size *= 2) {
        probe_read(&p, addr, size);
        probe_write(&p, addr, size, attack_value(random));
    }
}

/* Normal memory lets more forms out.  Alone: the others need the map as it is. */
void attack_access_normal(struct prng *random)
{
    struct probe p;

    forms_enable_fp();
    for (uint32_t i = 0; i < ROUNDS * attack_rounds(); i++) {
        uint64_t addr = attack_address(random);

        if (addr >= 4ull << 30 || platform_is_ram(addr & ~0x1fffffull, 1 << 21)) {
            continue;
        }
        mmu_set(addr, prng_below(random, 2) ? MMU_NORMAL_NC : MMU_NORMAL);
        attack_at(addr, random);
        /* Fresh RAM must not be run: on arm 0 is an instruction that does nothing. */
        for (uint64_t fetch = addr & ~3ull;
             fetch < addr + 4 * FETCHES && !platform_is_ram(fetch, 4); fetch += 4) {
            probe_run(&p, (uint64_t(*)(uint64_t, uint64_t, uint64_t))fetch, 0, 0, 0);
        }
        mmu_set(addr, MMU_DEVICE);
    }
    test_check(true, "survived");
}

void attack_access(struct prng *random)
{
    forms_enable_fp();
    for (uint32_t i = 0; i < ROUNDS * attack_rounds(); i++) {
        attack_at(attack_address(random), random);
        attack_breathe();
    }
}

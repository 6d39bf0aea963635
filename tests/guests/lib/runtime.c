/* SPDX-License-Identifier: MIT */
/* From start.S to the guest's own code. */
#include "tests/guests/lib/runtime.h"

#include "tests/guests/lib/mmu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/psci.h"

struct boot_facts boot_facts;

void guest_prepare(const void *dtb, uint64_t cntvct, uint64_t el)
{
    boot_facts.cntvct = cntvct;
    boot_facts.el = el;
    platform_scan(dtb);
    mmu_build();
    cpu_init();
}

void guest_start(void)
{
    print_init();
    guest_main();
    psci_system_off();
}

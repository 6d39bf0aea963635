/* SPDX-License-Identifier: MIT */
/*
 * What a VM traps for: every form of access to devices and holes, big-endian data, system
 * registers, hypercalls with immediates, set/way operations.  Each must be emulated in full or
 * refused as the architecture refuses it; none may hang or spoil anything else.  Boot arguments:
 * see holes.c.
 */
#include "tests/guests/lib/forms.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"fresh-ram", misc_ram_edges},
        {"device-loads", devices_loads},
        {"device-stores", devices_stores},
        {"device-other", devices_other},
        {"device-sizes", devices_sizes},
        {"each-register", devices_each_register},
        {"device-amid", devices_amid},
        {"big-endian", endian_syndrome},
        {"big-endian-decoded", endian_decoded},
        {"hole-sizes", holes_sizes},
        {"hole-forms", holes_forms},
        {"fetch", holes_fetch},
        {"walk", holes_walk},
        {"after-ram", holes_after_ram},
        {"id-registers", sysregs_id},
        {"id-each-cpu", sysregs_id_each_cpu},
        {"higher-levels", sysregs_higher_levels},
        {"hidden", sysregs_hidden},
        {"sysregs-kept", sysregs_kept},
        {"hvc-immediate", misc_hvc_immediate},
        {"smc-immediate", misc_smc_immediate},
        {"set-way", misc_set_way},
        {"wait", misc_wait},
        {"registers-kept", misc_registers_kept},
        {"fp-kept", misc_fp_kept},
    };

    test_begin("traps");
    forms_enable_fp();
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_end();
}

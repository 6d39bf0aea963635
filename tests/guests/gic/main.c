/* SPDX-License-Identifier: MIT */
/*
 * The interrupt controller of a VM, GICv2 or GICv3, as the architecture has it: registers, states,
 * priorities, SGIs, routing.  Needs PPI and SPIs without devices only, so it runs anywhere.
 */
#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/test.h"

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"unprogrammed", state_unprogrammed},
        {"ids", registers_ids},
        {"banks", registers_banks},
        {"priorities", registers_priority},
        {"config", registers_config},
        {"targets", registers_targets},
        {"reserved", registers_reserved},
        {"sizes", registers_sizes},
        {"spi", state_spi},
        {"disabled", state_disabled},
        {"disable-active", state_disable_while_active},
        {"clear", state_clear},
        {"active", state_active},
        {"edge", state_edge},
        {"level", state_level},
        {"level-again", state_level_again},
        {"withdrawn", state_withdrawn},
        {"wfi", state_wfi},
        {"order", priority_order},
        {"overflow", priority_overflow},
        {"mask", priority_mask},
        {"preemption", priority_preemption},
        {"binary-point", priority_binary_point},
        {"eoi-split", priority_eoi_split},
        {"groups", priority_groups},
        {"sgi-self", sgi_self},
        {"sgi-targeted", sgi_targeted},
        {"sgi-broadcast", sgi_broadcast},
        {"sgi-absent", sgi_absent},
        {"sgi-two-sources", sgi_two_sources},
        {"sgi-pending", sgi_pending_registers},
        {"route-each", route_each_cpu},
        {"route-move", route_move},
        {"route-any", route_any},
        {"route-none", route_none},
        {"sgi-pending-word", sgi_pending_word},
    };

    test_begin("gic");
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_end();
}

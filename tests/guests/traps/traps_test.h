/* SPDX-License-Identifier: MIT */
/* The parts of the traps guest; each function is one case of its table in main.c. */
#ifndef TESTS_GUESTS_TRAPS_TRAPS_TEST_H
#define TESTS_GUESTS_TRAPS_TRAPS_TEST_H

#include <stdint.h>

#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

/* An address without RAM or device: hole=ADDR of the boot arguments. */
uint64_t traps_hole(void);

/* devices.c */
void devices_loads(void);
void devices_stores(void);
void devices_other(void);
void devices_sizes(void);
void devices_each_register(void);

/* amid.c */
void devices_amid(void);

/* endian.c */
void endian_syndrome(void);
void endian_decoded(void);

/* holes.c */
void holes_sizes(void);
void holes_forms(void);
void holes_fetch(void);
void holes_walk(void);
void holes_after_ram(void);

/* sysregs.c */
void sysregs_id(void);
void sysregs_id_each_cpu(void);
void sysregs_higher_levels(void);
void sysregs_hidden(void);
void sysregs_kept(void);

/* The register of this name keeps what is written to those bits, whatever traps meanwhile. */
#define CHECK_KEPT(name, mask)                                                                     \
    do {                                                                                           \
        uint64_t before_ = sysreg_read(name);                                                      \
        uint64_t pattern_ = 0xa5a5c3c396965a5aull & (mask);                                        \
        sysreg_write(name, pattern_);                                                              \
        isb();                                                                                     \
        misc_go_through_traps();                                                                   \
        test_equal(name, sysreg_read(name), pattern_);                                             \
        sysreg_write(name, before_);                                                               \
        isb();                                                                                     \
    } while (0)

/* misc.c */
/* A hypercall, a trapped register and, most likely, an interrupt. */
void misc_go_through_traps(void);
void misc_hvc_immediate(void);
void misc_smc_immediate(void);
void misc_set_way(void);
void misc_wait(void);
void misc_registers_kept(void);
void misc_fp_kept(void);
void misc_ram_edges(void);

#endif

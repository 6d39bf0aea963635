/* SPDX-License-Identifier: MIT */
/* The parts of the psci guest; each function is one case of its table in main.c. */
#ifndef TESTS_GUESTS_PSCI_PSCI_TEST_H
#define TESTS_GUESTS_PSCI_PSCI_TEST_H

#include <stdint.h>

/* cpus.c */
void cpus_entry_state(void);
void cpus_entry_state_32(void);
void cpus_on_errors(void);
void cpus_affinity_info(void);
void cpus_off_on(void);
void cpus_race(void);

/* smccc.c */
void smccc_versions(void);
void smccc_unknown(void);
void smccc_preserved(void);
void smccc_by_smc(void);
void smccc_trng(void);

/* What entry.S finds on a CPU that CPU_ON has started; written with the MMU off. */
struct entry_record {
    uint64_t context; /* x0 */
    uint64_t el;
    uint64_t daif;
    uint64_t sctlr;
    uint64_t mpidr;
    uint64_t next; /* x0 for secondary_entry */
    uint64_t done;
    uint64_t pad;
};

/* entry.S: fills the struct entry_record in x0, then continues as secondary_entry. */
void entry_recording(void);

#endif

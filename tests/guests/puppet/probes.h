/* SPDX-License-Identifier: MIT */
/* What of the probes is the architecture's. */
#ifndef TESTS_GUESTS_PUPPET_PROBES_H
#define TESTS_GUESTS_PUPPET_PROBES_H

#include <stdint.h>

/* Instructions: a read and a write of a register that no VM has, and one that is hidden from VMs.
 */
extern const uint32_t probes_read_word, probes_write_word, probes_hidden_word;

/* The guest itself doesn't trap the hidden one. */
void probes_allow(void);

#endif

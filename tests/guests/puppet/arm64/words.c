/* SPDX-License-Identifier: MIT */
/* See puppet/probes.h. */
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/puppet/probes.h"

#define CPACR_ALL (3u << 20 | 3u << 16) /* FPEN, ZEN: or EL1 traps itself first */
#define RDVL_X0   0x04bf5020u           /* SVE */

const uint32_t probes_read_word = INSN_MRS(SYSREG(3, 0, 15, 15, 7));
const uint32_t probes_write_word = INSN_MSR(SYSREG(3, 0, 15, 15, 7));
const uint32_t probes_hidden_word = RDVL_X0;

void probes_allow(void)
{
    sysreg_write("cpacr_el1", sysreg_read("cpacr_el1") | CPACR_ALL);
    isb();
}

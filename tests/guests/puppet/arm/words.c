/* SPDX-License-Identifier: MIT */
/* See puppet/probes.h. */
#include "tests/guests/puppet/probes.h"

const uint32_t probes_read_word = 0xee1f0fff;   /* mrc p15, 0, r0, c15, c15, 7 */
const uint32_t probes_write_word = 0xee0f0fff;  /* mcr p15, 0, r0, c15, c15, 7 */
const uint32_t probes_hidden_word = 0xee100e11; /* mrc p14, 0, r0, c0, c1, 0: debug registers */

void probes_allow(void)
{
}

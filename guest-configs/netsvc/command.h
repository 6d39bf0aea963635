/* SPDX-License-Identifier: MIT */
/* What can be typed at netsvc's console: `poweroff`, and anything else for a line about itself. */
#ifndef GUEST_CONFIGS_NETSVC_COMMAND_H
#define GUEST_CONFIGS_NETSVC_COMMAND_H

/* Listens to the machine's PL011, if it has one; behind idle_open(). */
void command_open(void);

/* Obeys what was typed. May not return. */
void command_poll(void);

#endif

/* SPDX-License-Identifier: MIT */
/* The machine's power button, for /init. */
#ifndef GUEST_CONFIGS_LINUX_BUTTON_H
#define GUEST_CONFIGS_LINUX_BUTTON_H

/* A file that button_wait can wait on; -1: this machine has no button. */
int button_open(void);
/* Returns when it is pressed. */
void button_wait(int fd);

#endif

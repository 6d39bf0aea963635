/* SPDX-License-Identifier: MIT */
/*
 * Host builds' spin_lock and spin_unlock are functions, which check the order of locks:
 * arch/host/spinlock.c. Included by core/spinlock.h only.
 */
#ifndef ARCH_HOST_SPIN_H
#define ARCH_HOST_SPIN_H

void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);

#endif

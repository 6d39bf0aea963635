/* SPDX-License-Identifier: MIT */
/* Stands in for the boot CPU in unit tests: runs its deferred work and its timers. */
#ifndef TESTS_HOST_RUN_H
#define TESTS_HOST_RUN_H

#include "core/types.h"

/* Takes and runs one piece of work of pcpus[0]. False: there's none. */
bool run_work(void);
/* Runs work until there's none; at most 10,000 pieces. False if that wasn't enough. */
bool run_all(void);
/* Lets `ns` go by on arch_now_ns, from timer to timer, with all work done in between. */
void run_for(u64 ns);

#endif

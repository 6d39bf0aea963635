/* SPDX-License-Identifier: MIT */
/*
 * The benchmark guest: how rows are timed and printed, and its parts.
 *
 * A row is one operation, timed by CNTVCT_EL0 over batches; minimum, median, 99th percentile and
 * maximum are printed in tenths of a nanosecond:
 *     @@ bench row NAME OPERATIONS MIN MEDIAN P99 MAX
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/timer.h"

enum { SAMPLES = 1000, BATCH = 16 };

/* Ticks of each batch of the row under way. */
extern uint64_t bench_sample[SAMPLES];

/* Prints the row from the first samples, each of batch operations. */
void bench_report(const char *name, uint32_t samples, uint32_t batch);

/* Times samples batches of the statement. */
#define BENCH(name, samples, batch, operation)                                                     \
    do {                                                                                           \
        for (uint32_t sample_ = 0; sample_ < (samples); sample_++) {                               \
            uint64_t start_ = timer_now();                                                         \
            for (uint32_t i_ = 0; i_ < (batch); i_++) {                                            \
                operation;                                                                         \
            }                                                                                      \
            bench_sample[sample_] = timer_now() - start_;                                          \
        }                                                                                          \
        bench_report(name, samples, batch);                                                        \
    } while (0)

/* Interrupts taken by each of the two CPUs, and when the last one arrived. */
struct bench_irq {
    uint32_t count;
    uint64_t time;
};
extern struct bench_irq bench_irqs[2];

static inline uint32_t bench_irq_count(uint32_t cpu)
{
    return atomic_load(&bench_irqs[cpu].count);
}

/* irq.c: sets up the GIC, and CPU 1 if there is one; then the rows. */
void bench_irq_init(void);
void bench_irq_rows(void);
void bench_timer_rows(void);

/* memory.c */
void bench_walk_rows(void);

/* virtio.c */
void bench_virtio_rows(void);

/* disk.c */
void bench_disk_rows(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the gic guest share: a log of the interrupts each CPU has taken, and spare
 * SPIs that no device drives.
 */
#ifndef TESTS_GUESTS_GIC_GIC_TEST_H
#define TESTS_GUESTS_GIC_GIC_TEST_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_SIZE = 128, SPARES = 20, PRIORITY_MID = 0xa0 };

struct irq_log {
    uint32_t count; /* taken since log_clear(); entries beyond LOG_SIZE are only counted */
    uint32_t spurious;
    uint32_t iar[LOG_SIZE];
    uint32_t running[LOG_SIZE]; /* running priority in the handler */
};

/* Installs the handler, sets up this CPU's GIC and the spare SPIs: edge, CPU 0, middle priority,
 * disabled, inactive, not pending. */
void log_reset(void);

const struct irq_log *log_of(uint32_t cpu);
void log_clear(uint32_t cpu);

/* Called in the handler between acknowledge and EOI, if set; log_reset() clears it. */
extern void (*log_in_handler)(uint32_t intid);

/* The handler leaves the EOI to the test. */
extern bool log_no_eoi;

/* INTID of the spare SPI number index, below SPARES. */
uint32_t spare(uint32_t index);

/* Unmasks interrupts on this CPU until it has taken count, or for a while; then masks them. */
void log_wait(uint32_t count);

/* Unmasks them for a moment: what is pending comes. */
void log_settle(void);

/* Until CPU cpu has taken count, or for a while. */
bool log_wait_cpu(uint32_t cpu, uint32_t count);

/* Unmasks, and checks that exactly this interrupt comes, or none. */
bool expect_one(const char *when, uint32_t intid);
bool expect_none(const char *when);

/* Puts all other CPUs to sleep with interrupts unmasked, and back to idle. */
uint32_t listeners_start(void); /* the number of CPUs, this one included */
void listeners_stop(void);

/* The cases. */
void registers_ids(void);
void registers_banks(void);
void registers_priority(void);
void registers_config(void);
void registers_targets(void);
void registers_reserved(void);
void registers_sizes(void);
void state_spi(void);
void state_unprogrammed(void);
void state_disabled(void);
void state_disable_while_active(void);
void state_clear(void);
void state_active(void);
void state_edge(void);
void state_level(void);
void state_level_again(void);
void state_withdrawn(void);
void state_wfi(void);
void priority_order(void);
void priority_overflow(void);
void priority_mask(void);
void priority_preemption(void);
void priority_binary_point(void);
void priority_eoi_split(void);
void priority_groups(void);
void sgi_self(void);
void sgi_targeted(void);
void sgi_broadcast(void);
void sgi_absent(void);
void sgi_two_sources(void);
void sgi_pending_registers(void);
void sgi_pending_word(void);
void route_each_cpu(void);
void route_move(void);
void route_any(void);
void route_none(void);

#endif

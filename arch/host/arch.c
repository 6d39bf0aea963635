/* SPDX-License-Identifier: MIT */
/*
 * The host as an architecture: what core/arch.h asks for, for unit tests, fuzzers and the host
 * tool. Output goes to stderr; physical CPUs and guests don't exist. Tests look at and set the
 * variables of arch/host/arch.h.
 */
#include "arch/host/arch.h"

#include "core/arch.h"
#include "core/sched.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

u64 host_now_ns, host_tick_ns;
u32 host_kicks;
u32 host_completes;
void (*host_irq_save)(struct vcpu *v);
void (*host_irq_load)(struct vcpu *v);
void (*host_irq_complete)(u32 pintid);
_Thread_local struct pcpu *host_pcpu = &pcpus[0];
_Thread_local u64 host_deadline_ns;
void (*host_stop)(u32 how);
void (*host_kick)(struct pcpu *p);
void (*host_clean_dcache)(const void *p, size_t len);
const struct host_io *host_io;
void (*host_putc)(char c);
bool (*host_entropy)(void *buf, size_t len);

static char typed[4096];
static size_t typed_len, typed_pos;
u32 host_uart_room = UINT32_MAX;
bool host_uart_tx_irq;
bool host_uart_rx_irq = true;

bool arch_putc(char c)
{
    u32 room = __atomic_load_n(&host_uart_room, __ATOMIC_RELAXED);

    if (room == 0) {
        return false;
    }
    if (room != UINT32_MAX) {
        __atomic_fetch_sub(&host_uart_room, 1, __ATOMIC_RELAXED);
    }
    if (host_putc != NULL) {
        host_putc(c);
    } else {
        fputc(c, stderr);
    }
    return true;
}

int arch_getc(void)
{
    if (typed_pos == typed_len) {
        return -1;
    }
    return (unsigned char)typed[typed_pos++];
}

void arch_uart_wait(enum arch_uart what, bool on)
{
    if (what == UART_SENDS) {
        __atomic_store_n(&host_uart_tx_irq, on, __ATOMIC_RELAXED);
    } else {
        host_uart_rx_irq = on;
    }
}

size_t host_uart_waiting(void)
{
    return typed_len - typed_pos;
}

size_t host_uart_type(const char *s, size_t n)
{
    memmove(typed, typed + typed_pos, typed_len - typed_pos);
    typed_len -= typed_pos;
    typed_pos = 0;
    n = MIN(n, sizeof(typed) - typed_len);
    memcpy(typed + typed_len, s, n);
    typed_len += n;
    return n;
}

u64 arch_now_ns(void)
{
    return __atomic_add_fetch(&host_now_ns, host_tick_ns, __ATOMIC_RELAXED);
}

u64 arch_ticks(void)
{
    return __atomic_load_n(&host_now_ns, __ATOMIC_RELAXED);
}

void arch_deadline(u64 ns)
{
    host_deadline_ns = ns;
}

void arch_stop(enum arch_stop how)
{
    if (host_stop != NULL) {
        host_stop(how);
    }
    if (how == STOP_HALT) {
        abort();
    }
    exit(0);
}

void arch_panic_dump(void (*print)(const char *fmt, ...) PRINTF(1, 2))
{
    (void)print;
}

bool arch_entropy(void *buf, size_t len)
{
    return host_entropy != NULL && host_entropy(buf, len);
}

void arch_copy(void *dst, const void *src, size_t len)
{
    memcpy(dst, src, len);
}

void arch_clean_dcache(const void *p, size_t len)
{
    if (host_clean_dcache != NULL) {
        host_clean_dcache(p, len);
    }
}

struct pcpu *arch_pcpu(void)
{
    return host_pcpu;
}

void arch_wait_change(const u32 *p, u32 value)
{
    (void)p;
    (void)value;
    sched_yield();
}

void arch_kick(struct pcpu *p)
{
    __atomic_fetch_add(&host_kicks, 1, __ATOMIC_RELAXED);
    if (host_kick != NULL) {
        host_kick(p);
    }
}

void arch_irq_complete(u32 pintid)
{
    __atomic_fetch_add(&host_completes, 1, __ATOMIC_RELAXED);
    if (host_irq_complete != NULL) {
        host_irq_complete(pintid);
    }
}

void arch_irq_save(struct vcpu *v)
{
    if (host_irq_save != NULL) {
        host_irq_save(v);
    }
}

void arch_irq_load(struct vcpu *v)
{
    if (host_irq_load != NULL) {
        host_irq_load(v);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Who has which stream, and what comes of accesses that were blocked, and of messages without end:
 * told, counted, and after some the stream is cut off until its VM starts anew, so that a device
 * that goes on and on costs nobody else anything. The table is filled at boot; counters are atomic,
 * or one CPU's: no lock.
 */
#include "core/dma.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/pass.h"
#include "core/vm.h"

static struct {
    u32 id;
    struct vm *vm;
    u32 blocked;  /* accesses since its VM's start; atomic */
    u32 messages; /* since window_ns; written by the CPU that takes them */
    u64 window_ns;
} streams[DMA_STREAMS];
static u32 count;

/* Its index, or `count`. */
static u32 find(u32 stream)
{
    u32 i = 0;

    while (i < count && streams[i].id != stream) {
        i++;
    }
    return i;
}

bool dma_add(struct vm *vm, u32 stream, u64 frame)
{
    if (count == DMA_STREAMS || find(stream) != count) {
        log_err("%s: stream 0x%x of the SMMU is given already, or there are more than %u", vm->name,
                stream, DMA_STREAMS);
        return false;
    }
    if (!pass_hw->dma_attach(vm, stream, frame)) {
        return false;
    }
    streams[count].id = stream;
    streams[count++].vm = vm;
    return true;
}

bool dma_is_cut(u32 stream)
{
    u32 i = find(stream);

    return i < count && atomic_load(&streams[i].blocked) >= DMA_BLOCKED_MAX;
}

void dma_open(u32 stream, bool open)
{
    pass_hw->dma_open(stream, open && !dma_is_cut(stream));
    if (open && dma_is_cut(stream)) { /* meanwhile */
        pass_hw->dma_open(stream, false);
    }
}

void dma_forgive(u32 stream)
{
    u32 i = find(stream);

    if (i < count) {
        atomic_store(&streams[i].blocked, 0u);
    }
}

void dma_blocked(u32 stream, u64 address, bool write)
{
    u32 i = find(stream), blocked;

    if (i == count) {
        return;
    }
    blocked = atomic_add(&streams[i].blocked, 1u);
    if (blocked <= DMA_BLOCKED_TOLD || blocked == DMA_BLOCKED_MAX) {
        vm_log(streams[i].vm, LOG_WARN, "a device (stream 0x%x) %s 0x%llx, not its VM's memory%s",
               stream, write ? "writes to" : "reads", (unsigned long long)address,
               blocked == DMA_BLOCKED_MAX ? ": it's cut off" : "");
    }
    if (blocked == DMA_BLOCKED_MAX) {
        pass_hw->dma_open(stream, false);
    }
}

/* An edge of the guest's GIC, whose SPI is pending from the rise on. */
void dma_message(struct vm *vm, u32 intid)
{
    vm->irqchip->set_line(vm, NULL, intid, true);
    vm->irqchip->set_line(vm, NULL, intid, false);
}

/* True if the stream may send one more. */
static bool may_send(u32 i)
{
    u64 now = arch_now_ns();

    if (now - streams[i].window_ns >= DMA_MESSAGES_NS) {
        streams[i].window_ns = now;
        streams[i].messages = 0;
    }
    return streams[i].messages++ < DMA_MESSAGES_MAX;
}

void dma_message_from(u32 stream, u32 intid)
{
    u32 i = find(stream);

    if (i == count || dma_is_cut(stream)) {
        return;
    }
    if (may_send(i)) {
        dma_message(streams[i].vm, intid);
        return;
    }
    atomic_store(&streams[i].blocked, DMA_BLOCKED_MAX);
    vm_log(streams[i].vm, LOG_WARN,
           "a device (stream 0x%x) sends messages without end: it's cut off", stream);
    pass_hw->dma_open(stream, false);
}

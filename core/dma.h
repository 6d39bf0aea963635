/* SPDX-License-Identifier: MIT */
/*
 * DMA and messages of the board's devices that VMs have, where an SMMU and an ITS keep them to
 * their VM. A stream is what the SMMU knows a device by.
 */
#ifndef CORE_DMA_H
#define CORE_DMA_H

#include "core/types.h"

struct vm;

#define DMA_STREAMS      32
#define DMA_BLOCKED_TOLD 4  /* blocked accesses of a stream that are told of one by one */
#define DMA_BLOCKED_MAX  32 /* … until it is cut off */

#define DMA_MESSAGES_MAX 20000u
#define DMA_MESSAGES_NS  100000000ull

/*
 * Boot: `stream` is vm's; see dma_attach of struct pass_hw. Closed until dma_open. False, after a
 * message.
 */
bool dma_add(struct vm *vm, u32 stream, u64 frame) MUST_CHECK;

/*
 * Lets the stream reach its VM's memory, or not: then nothing of it is under way any more on
 * return. A stream that was cut off stays closed. Any CPU, any lock but LOCK_SMMU; one caller at a
 * time for a stream.
 */
void dma_open(u32 stream, bool open);

/* What was blocked up to now is forgotten: the stream's VM starts anew. */
void dma_forgive(u32 stream);

/* True if the stream was cut off. */
bool dma_is_cut(u32 stream);

/* For arch: the SMMU blocked an access of this stream, to a guest-physical address. */
void dma_blocked(u32 stream, u64 address, bool write);

/* vm's SPI intid, for which a message came. Any CPU. */
void dma_message(struct vm *vm, u32 intid);

/*
 * For arch: a message of the device with this stream, which is its VM's SPI intid. One that sends
 * more than DMA_MESSAGES_MAX in DMA_MESSAGES_NS is cut off: nobody else's turn on that CPU is to
 * suffer. One caller at a time for a stream.
 */
void dma_message_from(u32 stream, u32 intid);

#endif

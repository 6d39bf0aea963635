/* SPDX-License-Identifier: MIT */
/*
 * A board's PCIe buses for tests of core/pci_bus.c and core/pci_reset.c: functions whose registers
 * are words that a test fills in, behind bridges that pass on what their numbers say. Asserts that
 * nobody talks to a function before its reset is over. Each access takes a microsecond.
 */
#ifndef TESTS_HOST_PCITREE_H
#define TESTS_HOST_PCITREE_H

#include "core/board.h"
#include "core/pci_bus.h"

#define PCITREE_ECAM   0x4010000000ull
#define PCITREE_NODES  48
#define PCITREE_BUS    0x80080000ull /* 32-bit window as the bus has it: not aligned like … */
#define PCITREE_HOST   0x20000000ull
#define PCITREE_BUS64  0x800000000ull
#define PCITREE_HOST64 0xa00000000ull

struct pcitree_node {
    int parent; /* -1: the root bus */
    u8 devfn;
    u32 reg[1024];
    u32 writable[1024]; /* bits that keep what is written; of BARs and bridges' registers, too */
    bool everywhere;    /* answers for each device of its bus */
    bool gone;          /* … or for none */
    u32 flr, pm;        /* where its express capability's and its PM's registers are; 0: nowhere */
    bool is_bridge;
    u32 resets;
    u64 busy_until;                     /* host_now_ns */
    u32 caps, last_cap, exts, last_ext; /* where the next capability goes, where the last one is */
};

struct pcitree {
    struct pcitree_node node[PCITREE_NODES];
    u32 count;
    u32 accesses;
    u32 map_limit; /* buses that can be mapped */
    struct board board;
};
extern struct pcitree pcitree;

/* Nothing on the root bus; a board with 16 buses; pass_hw is this. */
void pcitree_init(void);

/* Adds one; its index. As a firmware may have left it: on, a bridge without numbers. */
u32 pcitree_bridge(int parent, u8 devfn, u32 type, bool acs);
u32 pcitree_card(int parent, u8 devfn, u32 ident);
void pcitree_bar(u32 node, u32 n, u64 size, u32 type);

/* Adds a capability of `words` words behind those there are; where it is. */
u32 pcitree_cap(u32 node, u32 id, u32 words);
u32 pcitree_ext(u32 node, u32 id, u32 words);

/* Who answers for this function now; NULL: nobody. */
struct pcitree_node *pcitree_find(u32 id);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * PCIe host bridge, SMMUv3 and ITS of the board's tree (bindings of Linux: pci-host-ecam-generic,
 * arm,smmu-v3, arm,gic-v3-its; IEEE 1275 PCI binding §2.2.1 for ranges). Boot only: no lock.
 */
#include "fdt/host_pci.h"

#include <string.h>

#define PCI_CELLS   3 /* of an address */
#define SPACE       0x03000000u
#define SPACE_MEM   0x02000000u
#define SPACE_MEM64 0x03000000u
#define LIMIT_32    0x100000000ull
#define BUS_MAX     255u
#define BUS_SIZE    ((u64)MIB) /* of ECAM */

/* The larger one stays. */
static void take_window(struct range *r, u64 *bus, u64 cpu, u64 size, u64 at)
{
    if (size > r->size && cpu + size > cpu && at + size > at) {
        *r = (struct range){cpu, size};
        *bus = at;
    }
}

/*
 * The largest windows of 32-bit and of 64-bit memory space; the parent's addresses are the CPU's,
 * as they are wherever the bridge is at the root or its bus has empty ranges.
 */
static void read_ranges(struct board *b, const struct tree_node *n)
{
    struct tree_value v = n->key[TREE_RANGES];
    u32 parent = tree_address_cells(n->parent), entry = 4 * (PCI_CELLS + parent + 2);

    for (; v.data != NULL && v.len >= entry; v.data += entry, v.len -= entry) {
        u64 bus = tree_cells(v.data + 4, 2), cpu = tree_cells(v.data + 4 * PCI_CELLS, parent);
        u64 size = tree_cells(v.data + 4 * (PCI_CELLS + parent), 2);
        u32 space = (u32)tree_cells(v.data, 1) & SPACE;

        if (space == SPACE_MEM && bus < LIMIT_32 && size <= LIMIT_32 - bus) {
            take_window(&b->pci.mem, &b->pci.mem_bus, cpu, size, bus);
        } else if (space == SPACE_MEM64 && bus >= LIMIT_32) {
            take_window(&b->pci.mem64, &b->pci.mem64_bus, cpu, size, bus);
        }
    }
}

/* What ECAM has room for, and the tree says there is: at least one. */
static void read_buses(struct board *b, struct tree_value v)
{
    u32 first = v.data != NULL && v.len == 8 ? (u32)tree_cells(v.data, 1) & BUS_MAX : 0;
    u32 last = v.data != NULL && v.len == 8 ? (u32)tree_cells(v.data + 4, 1) : BUS_MAX;
    u64 room = b->pci.ecam.size / BUS_SIZE;

    last = MAX(MIN(last, BUS_MAX), first);
    b->pci.bus = first;
    b->pci.buses = (u32)MIN(room, (u64)(last - first + 1));
}

void host_pci(struct board *b, const struct tree *t, const struct tree_node *n)
{
    struct range r;

    if (b->pci.ecam.size != 0 || n->parent == NULL || tree_address_cells(n->parent) > 2 ||
        tree_address_cells(n->parent) == 0 || !tree_reg(n, 0, &r) || r.size < BUS_SIZE) {
        return;
    }
    b->pci.ecam = r;
    read_buses(b, tree_get(t, n, "bus-range"));
    b->pci.coherent = tree_get(t, n, "dma-coherent").data != NULL;
    read_ranges(b, n);
}

void host_smmu(struct board *b, const struct tree *t, const struct tree_node *n, int *event)
{
    struct range r;

    if (b->smmu.reg.size != 0 || !tree_reg(n, 0, &r)) {
        return;
    }
    b->smmu.reg = r;
    b->smmu.phandle = (u32)tree_number(n->key[TREE_PHANDLE]);
    *event = tree_position(tree_get(t, n, "interrupt-names"), "eventq");
    if (*event < 0) {
        *event = tree_position(tree_get(t, n, "interrupt-names"), "combined");
    }
}

void host_its(struct board *b, const struct tree_node *n)
{
    struct range r;

    if (b->its.size == 0 && tree_reg(n, 0, &r)) {
        b->its = r;
        b->its_phandle = (u32)tree_number(n->key[TREE_PHANDLE]);
    }
}

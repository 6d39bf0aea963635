/* SPDX-License-Identifier: MIT */
/*
 * iommu-map, msi-map and iommus of the board's tree (Linux bindings pci-iommu, pci-msi, iommu), for
 * what a config passes. Boot and host tool, no lock.
 */
#include "fdt/pass_pci.h"

#define MAP_ENTRY 16 /* bytes: first requester ID, phandle, first id, length */

/* What `function` is called by the unit with this phandle. False: the map doesn't say. */
static bool map_id(const struct tree *t, const struct tree_node *n, const char *map,
                   const char *mask, u32 function, u32 phandle, u32 *id)
{
    struct tree_value v = tree_get(t, n, map), m = tree_get(t, n, mask);

    if (m.data != NULL) {
        function &= (u32)tree_number(m);
    }
    for (; v.data != NULL && v.len >= MAP_ENTRY; v.data += MAP_ENTRY, v.len -= MAP_ENTRY) {
        u32 first = (u32)tree_cells(v.data, 1), to = (u32)tree_cells(v.data + 4, 1);

        if (to == phandle && phandle != 0 && function - first < (u32)tree_cells(v.data + 12, 1)) {
            *id = (u32)tree_cells(v.data + 8, 1) + function - first;
            return true;
        }
    }
    return false;
}

static bool is_bridge(const struct board *b, const struct tree_node *n)
{
    struct range r;

    return tree_lists(n->key[TREE_DEVICE_TYPE], "pci") && tree_reg(n, 0, &r) &&
           r.base == b->pci.ecam.base;
}

void pass_pci_look(struct vm_config *vm, const struct board *b, const struct tree *t,
                   const struct tree_node *n, struct diag *d)
{
    if (vm->pass.npci == 0 || !is_bridge(b, n)) {
        return;
    }
    for (u32 i = 0; i < vm->pass.npci; i++) {
        struct cfg_pci *c = &vm->pass.pci[i];

        c->known = true;
        if (!map_id(t, n, "iommu-map", "iommu-map-mask", c->function, b->smmu.phandle,
                    &c->stream)) {
            diag_error(d, c->place,
                       "pci:%x:%x.%x can't be passed: it's not behind the SMMU, so that it would "
                       "reach all of the board's memory",
                       c->function >> 8, c->function >> 3 & 0x1f, c->function & 7);
        } else if (!map_id(t, n, "msi-map", "msi-map-mask", c->function, b->its_phandle,
                           &c->message)) {
            diag_error(d, c->place,
                       "pci:%x:%x.%x can't be passed: its messages don't come to the ITS",
                       c->function >> 8, c->function >> 3 & 0x1f, c->function & 7);
        }
    }
}

bool pass_streams(struct vm_config *vm, const struct board *b, const struct tree *t,
                  const struct tree_node *n)
{
    struct tree_value v = tree_get(t, n, "iommus");
    struct cfg_pass *p = &vm->pass;
    bool found = false;

    for (; v.data != NULL && v.len >= 8; v.data += 8, v.len -= 8) {
        if (b->smmu.phandle == 0 || (u32)tree_cells(v.data, 1) != b->smmu.phandle ||
            p->nstreams == CFG_STREAMS) {
            return false;
        }
        p->stream[p->nstreams++] = (u32)tree_cells(v.data + 4, 1);
        found = true;
    }
    return found;
}

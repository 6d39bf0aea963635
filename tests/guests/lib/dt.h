/* SPDX-License-Identifier: MIT */
/*
 * A reader of flattened device trees (Devicetree Specification 0.4, chapter 5).  It believes the
 * blob: what hands it over, QEMU or Muntin, is the thing under test.  A node is the offset of its
 * BEGIN_NODE token in the structure block.
 */
#ifndef TESTS_GUESTS_LIB_DT_H
#define TESTS_GUESTS_LIB_DT_H

#include <stdbool.h>
#include <stdint.h>

#define DT_NONE 0xffffffffu

struct dt {
    const uint8_t *blob;
    const uint8_t *structs;
    const char *strings;
    uint32_t size;
};

struct dt_prop {
    const uint8_t *value; /* big-endian cells or text; NULL if there is no such property */
    uint32_t len;
};

/* False if the blob has no device tree's magic. */
bool dt_open(struct dt *dt, const void *blob);

/* The root is node 0 at depth 0; DT_NONE after the last.  Updates *depth as it goes. */
uint32_t dt_next(const struct dt *dt, uint32_t node, int *depth);

struct dt_prop dt_get(const struct dt *dt, uint32_t node, const char *name);

/* Is s one of the strings of the list? */
bool dt_lists(struct dt_prop prop, const char *s);

/* The number made of count cells from cell first on; 0 beyond the property's end. */
uint64_t dt_cells(struct dt_prop prop, uint32_t first, uint32_t count);

#endif

/* SPDX-License-Identifier: MIT */
/* Writing a tree front to back, for the files that make the generated one. */
#ifndef FDT_GEN_WRITE_H
#define FDT_GEN_WRITE_H

#include "core/log.h"
#include "fdt/gen.h"

#include <string.h>

#include <libfdt.h>

/* A tree being written. The first error sticks; what follows it does nothing. */
struct gen {
    const struct gen_input *in;
    void *fdt;
    int error;
    u32 phandle;  /* next free one */
    u32 messages; /* phandle of the frame for messages; 0: none */
};

/* Values are put together here, big-endian, before they're written. */
struct value {
    u8 data[160];
    u32 len;
};

/* One or two cells. */
static inline void put(struct value *v, u32 cells, u64 number)
{
    for (u32 i = cells * 4; i > 0 && v->len < sizeof(v->data); i--) {
        v->data[v->len++] = (u8)(number >> (8 * (i - 1)));
    }
}

static inline void prop(struct gen *g, const char *name, const void *data, u32 len)
{
    void *at;

    if (g->error == 0) {
        g->error = fdt_property_placeholder(g->fdt, name, (int)len, &at);
    }
    if (g->error == 0 && len > 0) {
        memcpy(at, data, len);
    }
}

static inline void prop_value(struct gen *g, const char *name, const struct value *v)
{
    prop(g, name, v->data, v->len);
}

static inline void prop_number(struct gen *g, const char *name, u32 cells, u64 number)
{
    struct value v = {.len = 0};

    put(&v, cells, number);
    prop_value(g, name, &v);
}

static inline void prop_text(struct gen *g, const char *name, const char *text)
{
    prop(g, name, text, (u32)strlen(text) + 1);
}

static inline void node(struct gen *g, const char *name)
{
    if (g->error == 0) {
        g->error = fdt_begin_node(g->fdt, name);
    }
}

static inline void node_at(struct gen *g, const char *name, u64 address)
{
    char full[GEN_PATH];

    fmt_print(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
    node(g, full);
}

static inline void end(struct gen *g)
{
    if (g->error == 0) {
        g->error = fdt_end_node(g->fdt);
    }
}

/* Only overlays refer to nodes in general; the interrupt controller and the clock have theirs. */
static inline void phandle(struct gen *g)
{
    if (g->in->symbols) {
        prop_number(g, "phandle", 1, g->phandle++);
    }
}

/* Opens the node of a bus, whose devices are at the guest's own addresses. In gen.c. */
void gen_bus(struct gen *g, const char *name);

static inline void put_reg(const struct gen_input *in, struct value *v, u64 base, u64 size)
{
    put(v, in->address_cells, base);
    put(v, in->size_cells, size);
}

#endif

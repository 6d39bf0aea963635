/* SPDX-License-Identifier: MIT */
/*
 * Walks the board's tree once more for names; see names.h. CPUs: Devicetree Specification 0.4 §3.8;
 * cpu-map: Linux's bindings/cpu/cpu-topology.txt; reserved memory: §3.5.
 */
#include "fdt/names.h"

#include "core/str.h"
#include "fdt/tree.h"

#include <string.h>

#define MPIDR_AFFINITY 0xff00ffffffull

struct clusters {
    const struct board *b;
    u32 phandle[PCPU_MAX]; /* of each CPU's node; 0: none */
    void (*each)(void *ctx, struct str name, u32 cpus);
    void *ctx;
};

static bool is_below(const struct tree_node *n, u32 depth, const char *name)
{
    while (n != NULL && n->depth > depth) {
        n = n->parent;
    }
    return n != NULL && n->depth == depth && strcmp(n->name, name) == 0;
}

/* The name without "@...". */
static struct str plain_name(const struct tree_node *n)
{
    struct str s = str_of(n->name);

    s.len = str_find(s, '@');
    return s;
}

/* Index of a CPU's node among those that can be used, or PCPU_MAX. */
static u32 cpu_index(const struct board *b, const struct tree_node *n)
{
    u32 cells = tree_address_cells(n->parent), i = 0;
    u64 mpidr;

    if (cells < 1 || cells > 2 || n->key[TREE_REG].len < 4 * cells) {
        return PCPU_MAX;
    }
    mpidr = tree_cells(n->key[TREE_REG].data, cells) & MPIDR_AFFINITY;
    while (i < b->ncpus && b->cpu_mpidr[i] != mpidr) {
        i++;
    }
    return i < b->ncpus ? i : PCPU_MAX;
}

static void see_cpu(struct clusters *c, const struct tree_node *n)
{
    const char *kind = tree_text(n->key[TREE_COMPATIBLE]);
    u32 i = cpu_index(c->b, n);

    if (i == PCPU_MAX) {
        return;
    }
    c->phandle[i] = (u32)tree_number(n->key[TREE_PHANDLE]);
    if (kind != NULL) {
        kind = strchr(kind, ',') != NULL ? strchr(kind, ',') + 1 : kind;
        c->each(c->ctx, str_of(kind), BIT(i));
    }
}

/* A node of the cpu-map that names a CPU: it's in each cluster around it. */
static void see_core(struct clusters *c, const struct tree_node *n, u32 phandle)
{
    u32 i = 0;

    while (i < c->b->ncpus && c->phandle[i] != phandle) {
        i++;
    }
    for (; phandle != 0 && i < c->b->ncpus && n != NULL; n = n->parent) {
        if (str_starts(str_of(n->name), "cluster")) {
            c->each(c->ctx, plain_name(n), BIT(i));
        }
    }
}

void fdt_cluster_names(const struct board *b, void (*each)(void *ctx, struct str name, u32 cpus),
                       void *ctx)
{
    struct clusters c = {.b = b, .each = each, .ctx = ctx};
    struct tree t;
    struct tree_walk w;
    const struct tree_node *n;

    for (u32 pass = 0; pass < 2; pass++) { /* the map may stand before the CPUs */
        if (!tree_open(&t, b->dtb, b->dtb_size)) {
            return;
        }
        for (tree_start(&w, &t); (n = tree_next(&w)) != NULL;) {
            if (n->disabled || !is_below(n, 1, "cpus")) {
                continue;
            }
            if (pass == 0 && n->depth == 2 && tree_lists(n->key[TREE_DEVICE_TYPE], "cpu")) {
                see_cpu(&c, n);
            } else if (pass == 1 && is_below(n, 2, "cpu-map")) {
                see_core(&c, n, (u32)tree_number(tree_get(&t, n, "cpu")));
            }
        }
    }
}

void fdt_reserved_names(const struct board *b,
                        void (*each)(void *ctx, struct str name, struct range area), void *ctx)
{
    struct tree t;
    struct tree_walk w;
    const struct tree_node *n;
    struct range area;

    if (!tree_open(&t, b->dtb, b->dtb_size)) {
        return;
    }
    for (tree_start(&w, &t); (n = tree_next(&w)) != NULL;) {
        const char *label;

        if (n->depth != 2 || n->disabled || strcmp(n->parent->name, "reserved-memory") != 0 ||
            !tree_reg(n, 0, &area)) {
            continue;
        }
        each(ctx, plain_name(n), area);
        label = tree_text(tree_get(&t, n, "label"));
        if (label != NULL) {
            each(ctx, str_of(label), area);
        }
    }
}

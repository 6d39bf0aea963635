/* SPDX-License-Identifier: MIT */
/*
 * Takes user trees in and merges a plain one with the generated tree. The path of the few who bring
 * a tree: plain and slow is fine, but every step is bounded by the sizes of both. No lock.
 */
#include "fdt/user.h"

#include "core/log.h"

#include <string.h>

#include <libfdt.h>

#define MERGE_NODES (16 + CFG_MEMS + VCPU_MAX + 3 * CFG_VDEVS) /* a companion is up to two */
#define MERGE_PROPS (16 + VCPU_MAX + 3 * CFG_VDEVS)

void user_error(const struct user *u, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    fmt_vprint(text, sizeof(text), fmt, ap);
    va_end(ap);
    diag_error(u->diag, u->load->place, "device tree '%.*s': %s", STR_ARG(u->load->path), text);
}

static u32 be32(const u8 *p)
{
    return (u32)tree_cells(p, 1);
}

/* --- taking in --- */

/* Field of the header at byte `offset` (Devicetree Specification §5.2). */
static u32 header(const struct bundle_file *f, u32 offset)
{
    return be32(f->data + offset);
}

u32 user_size(const struct bundle_file *f)
{
    u64 structure, strings;

    if (f->data == NULL || f->size < sizeof(struct fdt_header) || header(f, 0) != FDT_MAGIC) {
        return 0;
    }
    structure = (u64)header(f, 8) + header(f, 36);
    strings = (u64)header(f, 12) + header(f, 32);
    structure = MAX(MAX(structure, strings), sizeof(struct fdt_header));
    return structure <= TREE_SIZE_MAX ? (u32)structure : 0;
}

static bool check_header(const struct user *u, u32 size)
{
    const struct bundle_file *f = &u->load->file;

    if (f->data == NULL || f->size < sizeof(struct fdt_header) || header(f, 0) != FDT_MAGIC) {
        user_error(u, "not a device tree blob (.dtb or .dtbo, as dtc makes them)");
    } else if (header(f, 20) < 17 || header(f, 24) > 17) {
        user_error(u, "version %u, needs 17", header(f, 20));
    } else if (size == 0) {
        user_error(u, "larger than %u bytes", TREE_SIZE_MAX);
    } else if (size > f->size || header(f, 4) > f->size) {
        user_error(u, "truncated: the header says %u bytes, the file has %llu",
                   MAX(size, header(f, 4)), (unsigned long long)f->size);
    } else if (size > header(f, 4) || (header(f, 8) & 3) != 0 || (header(f, 16) & 7) != 0) {
        user_error(u, "malformed header");
    } else {
        return true;
    }
    return false;
}

static bool check_depth(const struct user *u, const void *tree)
{
    int depth = 0;

    for (int at = 0; at >= 0; at = fdt_next_node(tree, at, &depth)) {
        if (depth < 0) {
            break;
        }
        if (depth >= USER_DEPTH) {
            user_error(u, "nodes are more than %d levels deep", USER_DEPTH);
            return false;
        }
    }
    return true;
}

u32 user_take(const struct user *u, void *copy)
{
    u32 size = user_size(&u->load->file);
    int error;

    if (!check_header(u, size)) {
        return 0;
    }
    memcpy(copy, u->load->file.data, size);
    fdt_set_totalsize(copy, size);
    error = fdt_check_full(copy, size);
    if (error != 0) {
        user_error(u, "malformed (%s)", fdt_strerror(error));
        return 0;
    }
    return check_depth(u, copy) ? size : 0;
}

bool user_is_overlay(const void *tree)
{
    int node;

    fdt_for_each_subnode(node, tree, 0)
    {
        if (fdt_subnode_offset(tree, node, "__overlay__") >= 0) {
            return true;
        }
    }
    return false;
}

/* --- the base --- */

static bool is_one_of(const void *tree, int node, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (fdt_node_check_compatible(tree, node, *list) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_gic(const void *tree, int node)
{
    static const char *const list[] = {"arm,gic-v3",         "arm,gic-400",
                                       "arm,cortex-a15-gic", "arm,cortex-a7-gic",
                                       "arm,cortex-a9-gic",  NULL};

    return is_one_of(tree, node, list);
}

static bool is_memory(const void *tree, int node)
{
    int len;
    const char *type = fdt_getprop(tree, node, "device_type", &len);
    const char *name = fdt_get_name(tree, node, NULL);

    return strcmp(name, "memory") == 0 || strncmp(name, "memory@", 7) == 0 ||
           (type != NULL && fdt_stringlist_contains(type, len, "memory"));
}

/* "cpu@N" for an N that the VM hasn't got. */
static bool is_foreign_cpu(const char *name, u32 ncpus)
{
    char ours[16];

    if (strncmp(name, "cpu@", 4) != 0) {
        return false;
    }
    for (u32 i = 0; i < ncpus; i++) {
        fmt_print(ours, sizeof(ours), "cpu@%x", i);
        if (strcmp(name, ours) == 0) {
            return false;
        }
    }
    return true;
}

static bool is_replaced(const void *tree, int node, int depth, bool in_cpus, u32 ncpus)
{
    static const char *const list[] = {"arm,psci-1.0",    "arm,psci-0.2",    "arm,psci",
                                       "arm,armv8-timer", "arm,armv7-timer", NULL};

    if (depth == 1 && is_memory(tree, node)) {
        return true;
    }
    if (depth == 2 && in_cpus) {
        return is_foreign_cpu(fdt_get_name(tree, node, NULL), ncpus);
    }
    return is_gic(tree, node) || is_one_of(tree, node, list);
}

/* A removal moves what follows, not what was passed: the walk goes on from the node before. */
static int remove_replaced(void *base, u32 ncpus)
{
    int at = 0, depth = 0, error = 0;
    bool in_cpus = false;

    while (error == 0) {
        int deeper = depth, next = fdt_next_node(base, at, &deeper);

        if (next < 0 || deeper <= 0) {
            break;
        }
        if (deeper == 1) {
            in_cpus = strcmp(fdt_get_name(base, next, NULL), "cpus") == 0;
        }
        if (is_replaced(base, next, deeper, in_cpus, ncpus)) {
            error = fdt_del_node(base, next);
        } else {
            at = next;
            depth = deeper;
        }
    }
    return error;
}

/* The user's interrupt controller, the first that can be referred to; negative: none. */
static int find_gic(const void *base)
{
    int depth = 0;

    for (int at = 0; at >= 0 && depth >= 0; at = fdt_next_node(base, at, &depth)) {
        if (is_gic(base, at) && fdt_get_phandle(base, at) != 0) {
            return at;
        }
    }
    return -1;
}

/* Labels of the user's interrupt controller become labels of ours. False: no room. */
static bool move_gic_labels(void *base, int gic, const struct vm_config *vm)
{
    char from[2 * GEN_PATH], to[GEN_PATH];
    int symbols = fdt_subnode_offset(base, 0, "__symbols__"), at, error = 0;

    if (symbols < 0 || fdt_get_path(base, gic, from, sizeof(from)) != 0) {
        return true;
    }
    gen_gic_path(vm, to);
    for (at = fdt_first_property_offset(base, symbols); at >= 0 && error == 0;
         at = fdt_next_property_offset(base, at)) {
        const char *name;
        int len;
        const void *path = fdt_getprop_by_offset(base, at, &name, &len);

        if (len == (int)strlen(from) + 1 && memcmp(path, from, (size_t)len) == 0) {
            error = fdt_setprop(base, symbols, name, to, (int)strlen(to) + 1);
        }
    }
    return error == 0;
}

static u32 root_cells(const void *base, const char *name)
{
    int len;
    const void *value = fdt_getprop(base, 0, name, &len);

    if (value == NULL) {
        return 2;
    }
    return len == 4 ? be32(value) : 0;
}

static bool fits_32_bits(const struct vm_config *vm)
{
    u64 last = vm->gicd;

    for (u32 i = 0; i < vm->nmems; i++) {
        last = MAX(last, vm->mem[i].base + vm->mem[i].size - 1);
    }
    for (u32 i = 0; i < vm->nvdevs; i++) {
        last = MAX(last, vm->vdev[i].loc);
    }
    return last <= UINT32_MAX;
}

static bool set_cells(const struct user *u, const void *base, struct gen_input *in)
{
    in->address_cells = root_cells(base, "#address-cells");
    in->size_cells = root_cells(base, "#size-cells");
    if (in->address_cells - 1 > 1 || in->size_cells - 1 > 1) {
        user_error(u, "#address-cells and #size-cells of the root must be 1 or 2");
        return false;
    }
    if ((in->address_cells == 1 || in->size_cells == 1) && !fits_32_bits(in->vm)) {
        user_error(u, "addresses of this VM need #address-cells and #size-cells of the root to "
                      "be 2");
        return false;
    }
    return true;
}

/* Phandles of generated nodes: the user's where they take the place of his. */
static bool set_phandles(const struct user *u, const void *base, int gic, struct gen_input *in)
{
    int clock = fdt_path_offset(base, GEN_CLOCK_PATH);
    uint32_t max = UINT32_MAX;

    if (fdt_find_max_phandle(base, &max) != 0 || max > UINT32_MAX - 2 * MERGE_NODES) {
        user_error(u, "no phandles are left above 0x%x", (u32)max);
        return false;
    }
    in->gic_phandle = gic >= 0 ? fdt_get_phandle(base, gic) : max + 1;
    in->clock_phandle = clock >= 0 ? fdt_get_phandle(base, clock) : 0;
    if (in->clock_phandle == 0) {
        in->clock_phandle = max + 2;
    }
    in->free_phandle = max + 3;
    return true;
}

bool user_strip(const struct user *u, void *base, struct gen_input *in)
{
    int gic = find_gic(base);

    if (!set_cells(u, base, in) || !set_phandles(u, base, gic, in)) {
        return false;
    }
    if ((gic >= 0 && !move_gic_labels(base, gic, in->vm)) ||
        remove_replaced(base, in->vm->ncpus) != 0) {
        user_error(u, "no room to change it");
        return false;
    }
    return true;
}

/* --- merging --- */

/* Facts of the VM: they win over the user's. */
static bool is_fact(const char *name, int depth)
{
    static const char *const facts[] = {"reg",
                                        "ranges",
                                        "interrupts",
                                        "device_type",
                                        "enable-method",
                                        "#address-cells",
                                        "#size-cells",
                                        "bootargs",
                                        "linux,initrd-start",
                                        "linux,initrd-end",
                                        "rng-seed"};

    if (depth > 0 && strcmp(name, "interrupt-parent") == 0) {
        return true;
    }
    for (u32 i = 0; i < ARRAY_SIZE(facts); i++) {
        if (strcmp(name, facts[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What is worth a warning when it's changed: a user who wrote it meant something by it. */
static bool is_place(const char *name)
{
    return strcmp(name, "reg") == 0 || strcmp(name, "interrupts") == 0;
}

int user_force(const struct user *u, void *base, int node, const char *name,
               const struct tree_value *value)
{
    int len;
    const void *have = fdt_getprop(base, node, name, &len);

    if (have != NULL && len == (int)value->len && memcmp(have, value->data, value->len) == 0) {
        return 0;
    }
    if (have != NULL && is_place(name)) {
        diag_warn(u->diag, u->load->place,
                  "device tree '%.*s': '%s' of %s is ignored: the config says what it is",
                  STR_ARG(u->load->path), name, fdt_get_name(base, node, NULL));
    }
    return fdt_setprop(base, node, name, value->data, (int)value->len);
}

/* Nodes of the generated tree, in its order: it has a root, its children and theirs. */
struct nodes {
    int offset[MERGE_NODES];
    int parent[MERGE_NODES]; /* index of the parent; the root is 0 */
    int depth[MERGE_NODES];
    int count;
};

static void list_nodes(const void *tree, struct nodes *n)
{
    int depth = 0, above = 0;

    n->count = 0;
    for (int at = 0; at >= 0 && depth >= 0 && n->count < MERGE_NODES;
         at = fdt_next_node(tree, at, &depth)) {
        if (depth == 1) {
            above = n->count;
        }
        n->offset[n->count] = at;
        n->parent[n->count] = depth == 2 ? above : 0;
        n->depth[n->count] = depth;
        n->count++;
    }
}

/* Where node i is in base; negative: it isn't. */
static int find_node(const void *base, const void *gen, const struct nodes *n, int i)
{
    int at = 0;

    if (i > 0 && n->parent[i] != 0) {
        at = fdt_subnode_offset(base, 0, fdt_get_name(gen, n->offset[n->parent[i]], NULL));
    }
    if (i > 0 && at >= 0) {
        at = fdt_subnode_offset(base, at, fdt_get_name(gen, n->offset[i], NULL));
    }
    return at;
}

/* A new node becomes its parent's first, so they're added last to first to be in order. */
static int add_nodes(void *base, const void *gen, const struct nodes *n, int depth)
{
    for (int i = n->count - 1; i > 0; i--) {
        int above;

        if (n->depth[i] != depth || find_node(base, gen, n, i) >= 0) {
            continue;
        }
        above = find_node(base, gen, n, n->parent[i]);
        if (above >= 0) {
            above = fdt_add_subnode(base, above, fdt_get_name(gen, n->offset[i], NULL));
        }
        if (above < 0) {
            return above;
        }
    }
    return 0;
}

/* The properties of the generated node `from` to node `to` of base, last to first as above. */
static int merge_props(const struct user *u, void *base, int to, const void *gen, int from)
{
    int list[MERGE_PROPS], count = 0, at, error = 0;
    int depth = fdt_node_depth(base, to);
    bool symbols = strcmp(fdt_get_name(base, to, NULL), "__symbols__") == 0;

    fdt_for_each_property_offset(at, gen, from)
    {
        if (count < (int)MERGE_PROPS) {
            list[count++] = at;
        }
    }
    while (count > 0 && error == 0) {
        struct tree_value value;
        const char *name;
        int len;

        value.data = fdt_getprop_by_offset(gen, list[--count], &name, &len);
        value.len = (u32)len;
        if (symbols || is_fact(name, depth) || fdt_getprop(base, to, name, NULL) == NULL) {
            error = user_force(u, base, to, name, &value);
        }
    }
    return error;
}

bool user_merge(const struct user *u, void *base, const void *generated)
{
    struct nodes n;
    int error;

    list_nodes(generated, &n);
    error = add_nodes(base, generated, &n, 1);
    if (error == 0) {
        error = add_nodes(base, generated, &n, 2);
    }
    for (int i = 0; i < n.count && error == 0; i++) {
        error = merge_props(u, base, find_node(base, generated, &n, i), generated, n.offset[i]);
    }
    if (error != 0) {
        user_error(u, "can't be merged with the generated tree (%s)", fdt_strerror(error));
    }
    return error == 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Copies nodes of the board's tree, with all that is in them. Registers and interrupts become the
 * guest's; clocks become fixed ones of the same rate; what refers to other nodes goes (pass_fate).
 * Two walks: the first gives the copies phandles of their own. No lock.
 */
#include "fdt/gen_pass.h"

#include "fdt/gen_write.h"
#include "fdt/pass.h"

#define PHANDLES   32
#define CLOCKS     8
#define DEFAULT_HZ 24000000u

/* Of what is kept: far above those that the rest of a generated tree has. */
#define KEPT_PHANDLES 0x10000u

/* Nodes of the board's tree that are copied, parents first. */
struct copy_walk {
    struct tree_walk walk;
    const struct vm_config *vm;
    u32 top; /* depth of the passed device that we're in; 0: none */
};

struct copy {
    struct gen *g;
    const struct board *b;
    struct tree tree;
    struct {
        u32 from, to;
    } node[PHANDLES];
    u32 nnodes;
    struct {
        u32 hz, phandle;
    } clock[CLOCKS];
    u32 nclocks;
};

static void start(struct copy_walk *w, const struct copy *c)
{
    tree_start(&w->walk, &c->tree);
    w->vm = c->g->in->vm;
    w->top = 0;
}

static const struct tree_node *next(struct copy_walk *w)
{
    const struct tree_node *n;

    while ((n = tree_next(&w->walk)) != NULL) {
        if (w->top != 0 && n->depth > w->top) {
            return n;
        }
        w->top = pass_is_device(w->vm, n) ? n->depth : 0;
        if (w->top != 0) {
            return n;
        }
    }
    return NULL;
}

static u32 new_phandle(const struct copy *c, u32 from)
{
    for (u32 i = 0; i < c->nnodes; i++) {
        if (c->node[i].from == from) {
            return c->node[i].to;
        }
    }
    return 0;
}

static void number_nodes(struct copy *c)
{
    const struct tree_node *n;
    struct copy_walk w;

    for (start(&w, c); (n = next(&w)) != NULL;) {
        u32 from = (u32)tree_number(n->key[TREE_PHANDLE]);

        if (from != 0 && c->nnodes < PHANDLES) {
            c->node[c->nnodes].from = from;
            c->node[c->nnodes++].to = c->g->phandle++;
        }
    }
}

/* The clock with this rate, made when it's first asked for; one too many is the last one. */
static u32 clock_phandle(struct copy *c, u32 hz)
{
    u32 i = 0;

    while (i < c->nclocks && c->clock[i].hz != hz) {
        i++;
    }
    if (i == c->nclocks && i < CLOCKS) {
        c->clock[i].hz = hz;
        c->clock[i].phandle = c->g->phandle++;
        c->nclocks++;
    }
    return c->clock[MIN(i, CLOCKS - 1u)].phandle;
}

static void write_clocks(struct copy *c, const struct tree_node *n)
{
    struct value v = {.len = 0};
    u32 hz;

    for (u32 i = 0; i < PASS_SPECS && pass_clock(c->b, n, i, &hz); i++) {
        put(&v, 1, clock_phandle(c, hz != 0 ? hz : DEFAULT_HZ));
    }
    if (v.len > 0) {
        prop_value(c->g, "clocks", &v);
    }
}

static void write_clock_nodes(struct copy *c)
{
    char name[32];

    for (u32 i = 0; i < c->nclocks; i++) {
        fmt_print(name, sizeof(name), "clock-%u", c->clock[i].hz);
        node(c->g, name);
        prop_text(c->g, "compatible", "fixed-clock");
        prop_number(c->g, "#clock-cells", 1, 0);
        prop_number(c->g, "clock-frequency", 1, c->clock[i].hz);
        prop_number(c->g, "phandle", 1, c->clock[i].phandle);
        end(c->g);
    }
}

/* Its children have addresses of the board's bus: in the copy they have the guest's. */
static bool is_bus(const struct tree_node *n)
{
    return n->key[TREE_RANGES].data != NULL;
}

/* Registers of the guest's address space; anything else (of a bus like I2C) stays as it is. */
static void write_reg(struct copy *c, const struct tree_node *n, bool top)
{
    struct value v = {.len = 0};
    struct range r;
    u64 guest;

    if (!top && !is_bus(n->parent)) {
        if (n->key[TREE_REG].data != NULL) {
            prop(c->g, "reg", n->key[TREE_REG].data, n->key[TREE_REG].len);
        }
        return;
    }
    for (u32 i = 0;
         i < PASS_SPECS && tree_reg(n, i, &r) && pass_translate(c->g->in->vm, &r, &guest); i++) {
        put_reg(c->g->in, &v, guest, r.size);
    }
    if (v.len > 0) {
        prop_value(c->g, "reg", &v);
    }
}

/* The index-th of a list of texts; len 0: there's none. */
static struct tree_value name_at(struct tree_value list, u32 index)
{
    const char *s;

    while ((s = tree_text(list)) != NULL) {
        u32 len = (u32)strlen(s) + 1;

        if (index-- == 0) {
            return (struct tree_value){list.data, len};
        }
        list.data += len;
        list.len -= len;
    }
    return (struct tree_value){.data = NULL};
}

static void write_interrupts(struct copy *c, const struct tree_node *n)
{
    struct tree_value names = tree_get(&c->tree, n, "interrupt-names");
    struct value v = {.len = 0}, kept = {.len = 0};
    u32 flags, intid;

    for (u32 i = 0; i < PASS_SPECS && (intid = pass_intid(c->b, n, i, &flags)) != 0; i++) {
        u32 guest = pass_guest_intid(c->g->in->vm, intid);
        struct tree_value name = name_at(names, i);

        if (guest == 0 || v.len + 12 > sizeof(v.data)) {
            continue;
        }
        put(&v, 1, 0); /* an SPI */
        put(&v, 1, guest - 32);
        put(&v, 1, flags & 15);
        if (name.len != 0 && kept.len + name.len <= sizeof(kept.data)) {
            memcpy(kept.data + kept.len, name.data, name.len);
            kept.len += name.len;
        }
    }
    if (v.len > 0) {
        prop_value(c->g, "interrupts", &v);
    }
    if (kept.len > 0) {
        prop_value(c->g, "interrupt-names", &kept);
    }
}

static void copy_property(struct copy *c, const struct tree_node *n, int at)
{
    const char *name;
    int len;
    const u8 *data = fdt_getprop_by_offset(c->b->dtb, at, &name, &len);
    u32 phandle;

    if (data == NULL) {
        return;
    }
    switch (pass_fate(name)) {
    case PASS_KEEP:
        if (!is_bus(n) ||
            (strcmp(name, "#address-cells") != 0 && strcmp(name, "#size-cells") != 0)) {
            prop(c->g, name, data, (u32)len);
        }
        break;
    case PASS_NODE:
        phandle = len == 4 ? new_phandle(c, (u32)tree_cells(data, 1)) : 0;
        if (phandle != 0) {
            prop_number(c->g, name, 1, phandle);
        }
        break;
    case PASS_REWRITE:
    case PASS_LOSE:
        break;
    }
}

static void write_bus(struct copy *c)
{
    prop_number(c->g, "#address-cells", 1, c->g->in->address_cells);
    prop_number(c->g, "#size-cells", 1, c->g->in->size_cells);
    prop(c->g, "ranges", NULL, 0);
}

/* Begins the copy of n. Where its address is the guest's, so is that in its name. */
static void begin(struct copy *c, const struct tree_node *n, bool top)
{
    char name[GEN_PATH];
    struct range r;
    u64 guest;
    size_t len = 0;

    if ((!top && !is_bus(n->parent)) || !tree_reg(n, 0, &r) ||
        !pass_translate(c->g->in->vm, &r, &guest)) {
        node(c->g, n->name);
        return;
    }
    while (n->name[len] != '\0' && n->name[len] != '@') {
        len++;
    }
    fmt_print(name, sizeof(name), "%.*s", (int)MIN(len, sizeof(name) / 2), n->name);
    node_at(c->g, name, guest);
}

static void copy_node(struct copy *c, const struct tree_node *n, bool top)
{
    u32 phandle = new_phandle(c, (u32)tree_number(n->key[TREE_PHANDLE]));
    int at;

    begin(c, n, top);
    fdt_for_each_property_offset(at, c->b->dtb, pass_offset(c->b, n))
    {
        copy_property(c, n, at);
    }
    write_reg(c, n, top);
    write_interrupts(c, n);
    write_clocks(c, n);
    if (is_bus(n)) {
        write_bus(c);
    }
    if (phandle != 0 && tree_number(n->key[TREE_PHANDLE]) != 0) {
        prop_number(c->g, "phandle", 1, phandle);
    }
}

static void copy_nodes(struct copy *c)
{
    const struct tree_node *n;
    struct copy_walk w;
    u32 open = 0; /* nodes that are written and not ended */

    for (start(&w, c); (n = next(&w)) != NULL; open++) {
        for (; open > n->depth - w.top; open--) {
            end(c->g);
        }
        copy_node(c, n, n->depth == w.top);
    }
    for (; open > 0; open--) {
        end(c->g);
    }
}

/* All that is in /pass. False: no board is known. */
static bool write_all(struct gen *g)
{
    struct copy c = {.g = g, .b = g->in->board};

    if (c.b == NULL || c.b->dtb == NULL || !tree_open(&c.tree, c.b->dtb, c.b->dtb_size)) {
        return false;
    }
    number_nodes(&c);
    copy_nodes(&c);
    write_clock_nodes(&c);
    return true;
}

bool gen_pass_keep(struct vm_config *vm, const struct board *b, void *buf, u32 size)
{
    struct gen_input in = {.vm = vm, .board = b, .address_cells = 2, .size_cells = 2};
    struct gen g = {.in = &in, .fdt = buf, .phandle = KEPT_PHANDLES};

    g.error = fdt_create(buf, (int)size);
    if (g.error == 0) {
        g.error = fdt_finish_reservemap(buf);
    }
    node(&g, "");
    if (!write_all(&g)) {
        return false;
    }
    end(&g);
    if (g.error == 0) {
        g.error = fdt_finish(buf);
    }
    vm->pass.tree = g.error == 0 ? buf : NULL;
    return g.error == 0;
}

/* What gen_pass_keep wrote, node by node: it's within its root. */
static void write_kept(struct gen *g, const void *kept)
{
    int at = 0, next, len, depth = 0;
    const char *name;
    const void *data;

    for (u32 tag; (tag = fdt_next_tag(kept, at, &next)) != FDT_END && g->error == 0; at = next) {
        if (tag == FDT_BEGIN_NODE && depth++ > 0) {
            node(g, fdt_get_name(kept, at, NULL));
        } else if (tag == FDT_END_NODE && --depth > 0) {
            end(g);
        } else if (tag == FDT_PROP) {
            data = fdt_getprop_by_offset(kept, at, &name, &len);
            prop(g, name, data, (u32)len);
        }
    }
}

void gen_pass(struct gen *g)
{
    const struct cfg_pass *pass = &g->in->vm->pass;

    if (pass->nwindows == 0 || g->in->user_tree || g->in->board == NULL) {
        return;
    }
    gen_bus(g, "pass");
    if (pass->tree != NULL) {
        write_kept(g, pass->tree);
    } else {
        (void)!write_all(g);
    }
    end(g);
}

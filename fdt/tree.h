/* SPDX-License-Identifier: MIT */
/*
 * Reads a flattened device tree in one pass, front to back, without changing it: Devicetree
 * Specification 0.4 §5 (format), §2.3 (standard properties), §2.4 (interrupts). Nothing in the blob
 * is trusted: whatever doesn't fit in it ends the walk or makes a helper return false.
 * libfdt isn't used here: it finds each thing by a walk of its own from the front.
 */
#ifndef FDT_TREE_H
#define FDT_TREE_H

#include "core/board.h"
#include "core/types.h"

#define TREE_DEPTH    12         /* deeper nodes are passed over */
#define TREE_SIZE_MAX (2u * MIB) /* Linux's limit (its booting.rst), so everyone's */

/* Properties that the walk keeps for each node. */
enum tree_key {
    TREE_ADDRESS_CELLS,
    TREE_SIZE_CELLS,
    TREE_COMPATIBLE,
    TREE_DEVICE_TYPE,
    TREE_INTERRUPT_CELLS,
    TREE_INTERRUPT_MAP,
    TREE_INTERRUPT_MAP_MASK,
    TREE_INTERRUPT_PARENT,
    TREE_INTERRUPTS,
    TREE_INTERRUPTS_EXTENDED,
    TREE_PHANDLE,
    TREE_RANGES,
    TREE_REG,
    TREE_STATUS,
    TREE_KEYS
};

struct tree_value {
    const u8 *data; /* NULL: no such property */
    u32 len;
};

struct tree {
    const u8 *base;
    u32 size;           /* totalsize, padding included */
    u32 structure, end; /* offsets of the structure block */
    u32 strings, strings_len;
    u32 reserve; /* offset of the memory reservation block */
};

struct tree_node {
    const char *name;     /* NUL-terminated; the root's is "" */
    u32 depth;            /* the root's is 0 */
    u32 props;            /* offset of the first property */
    bool disabled;        /* the node, or one above it */
    u32 interrupt_parent; /* phandle, own or inherited; 0: none */
    const struct tree_node *parent;
    struct tree_value key[TREE_KEYS];
};

/* A walk in progress; tree_next returns nodes that live in it. About 3 KiB: one per stack. */
struct tree_walk {
    const struct tree *tree;
    u32 offset;
    u32 depth;   /* nodes that are open */
    u32 skipped; /* of them, those deeper than TREE_DEPTH */
    bool fresh;  /* the innermost node's properties are being collected */
    bool bad;    /* the structure is malformed: the walk ended early */
    struct tree_node node[TREE_DEPTH];
    struct {
        u32 name; /* offset in the strings */
        u32 key;  /* TREE_KEYS: none of them */
    } seen[32];   /* names that were looked up: most trees have each name once, and use it often */
};

/* Interrupts of a node, kept until the interrupt controller is known. */
struct tree_irqs {
    struct tree_value spec;
    bool extended; /* each specifier follows the phandle of its controller */
    u32 parent;    /* !extended: phandle of the controller of all of them; 0: unknown */
    /* A bus above has a map from its own specifiers, of map_cells, to those of controllers; data
     * NULL: none has. */
    struct tree_value map, map_mask;
    u32 map_address, map_cells;
};

/* How other nodes refer to the GIC. */
struct tree_gic {
    u32 phandle;
    u32 cells, address_cells; /* of a specifier, and of the address before it in a map */
};

/* Size of the tree at p by its header, 0 if there's none. Reads only the header. p may be NULL. */
u32 tree_probe(const void *p);

/* Checks the header and finds the blocks; `size` bytes can be read. */
bool tree_open(struct tree *t, const void *p, u32 size) MUST_CHECK;

/* Entry of the memory reservation block; false at its end. */
bool tree_reserve(const struct tree *t, u32 index, u64 *base, u64 *size) MUST_CHECK;

void tree_start(struct tree_walk *w, const struct tree *t);
/*
 * Next node, parents before children; NULL at the end or, with w->bad set, where the structure
 * makes no sense. The node and its ancestors stay valid until the next call.
 */
const struct tree_node *tree_next(struct tree_walk *w);

/* A property that isn't among the keys. data NULL: absent. Looks at this node only. */
struct tree_value tree_get(const struct tree *t, const struct tree_node *n, const char *name);

/* The text of a string property, or NULL if it isn't one: NUL-terminated within its length. */
const char *tree_text(struct tree_value v);
/* True if `text` is one of the strings of a stringlist. */
bool tree_lists(struct tree_value v, const char *text);
/* Position of `text` in a stringlist, or -1. */
int tree_position(struct tree_value v, const char *text);
/* A number of one or two cells; 0 if the property is absent or of another size. */
u64 tree_number(struct tree_value v);
/* `cells` (0..2) big-endian cells at p. */
u64 tree_cells(const u8 *p, u32 cells);

/* Cells of addresses and sizes in the children of n: its own properties, or 2 and 1 (§2.3.5). */
u32 tree_address_cells(const struct tree_node *n);
u32 tree_size_cells(const struct tree_node *n);

/*
 * Entry `index` of `reg`, translated to a CPU address through the `ranges` of all buses above.
 * False: no such entry, or not reachable from the CPU, or it wraps around.
 */
bool tree_reg(const struct tree_node *n, u32 index, struct range *out) MUST_CHECK;

struct tree_irqs tree_irqs(const struct tree_node *n);
/*
 * The specifier of interrupt `index` if it goes to this GIC, straight or through the map of a bus;
 * else NULL.
 */
const u8 *tree_irq(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic);
/* The INTID that it means; 0: none. */
u32 tree_intid(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic);
/* True if it's signalled by an edge. */
bool tree_edge(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic);

#endif

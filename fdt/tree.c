/* SPDX-License-Identifier: MIT */
/*
 * One pass over a flattened device tree. Every offset is compared with its block's end before it's
 * followed; the walk only moves forward, so its length is bounded by the blob's. No lock.
 */
#include "fdt/tree.h"

#include <string.h>

enum {
    HEADER_MAGIC = 0,
    HEADER_TOTALSIZE = 4,
    HEADER_OFF_STRUCT = 8,
    HEADER_OFF_STRINGS = 12,
    HEADER_OFF_RESERVE = 16,
    HEADER_VERSION = 20,
    HEADER_LAST_COMPATIBLE = 24,
    HEADER_SIZE_STRINGS = 32,
    HEADER_SIZE_STRUCT = 36, /* from version 17 on */
    HEADER_SIZE = 40,

    MAGIC = (int)0xd00dfeed,

    TAG_BEGIN_NODE = 1,
    TAG_END_NODE = 2,
    TAG_PROP = 3,
    TAG_NOP = 4,
    TAG_END = 9,
};

static const char *const key_names[TREE_KEYS] = {
    [TREE_ADDRESS_CELLS] = "#address-cells",
    [TREE_SIZE_CELLS] = "#size-cells",
    [TREE_COMPATIBLE] = "compatible",
    [TREE_DEVICE_TYPE] = "device_type",
    [TREE_INTERRUPT_CELLS] = "#interrupt-cells",
    [TREE_INTERRUPT_MAP] = "interrupt-map",
    [TREE_INTERRUPT_MAP_MASK] = "interrupt-map-mask",
    [TREE_INTERRUPT_PARENT] = "interrupt-parent",
    [TREE_INTERRUPTS] = "interrupts",
    [TREE_INTERRUPTS_EXTENDED] = "interrupts-extended",
    [TREE_PHANDLE] = "phandle",
    [TREE_RANGES] = "ranges",
    [TREE_REG] = "reg",
    [TREE_STATUS] = "status",
};

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

u64 tree_cells(const u8 *p, u32 cells)
{
    u64 v = 0;

    for (u32 i = 0; i < cells; i++) {
        v = v << 32 | be32(p + 4 * i);
    }
    return v;
}

u32 tree_probe(const void *p)
{
    const u8 *h = p;
    u32 size;

    if (p == NULL || ((uintptr_t)p & 7) != 0 || be32(h + HEADER_MAGIC) != (u32)MAGIC) {
        return 0;
    }
    size = be32(h + HEADER_TOTALSIZE);
    return size >= HEADER_SIZE && size <= TREE_SIZE_MAX ? size : 0;
}

bool tree_open(struct tree *t, const void *p, u32 size)
{
    const u8 *h = p;
    u32 version;

    if (size < HEADER_SIZE || tree_probe(p) == 0 || tree_probe(p) > size) {
        return false;
    }
    version = be32(h + HEADER_VERSION);
    if (version < 16 || be32(h + HEADER_LAST_COMPATIBLE) > 17) {
        return false;
    }
    *t = (struct tree){
        .base = h,
        .size = be32(h + HEADER_TOTALSIZE),
        .structure = be32(h + HEADER_OFF_STRUCT),
        .strings = be32(h + HEADER_OFF_STRINGS),
        .strings_len = be32(h + HEADER_SIZE_STRINGS),
        .reserve = be32(h + HEADER_OFF_RESERVE),
    };
    if (t->structure > t->size || (t->structure & 3) != 0 || t->reserve > t->size ||
        !range_within(t->strings, t->strings_len, 0, t->size)) {
        return false;
    }
    t->end = t->size;
    if (version >= 17) {
        if (!range_within(t->structure, be32(h + HEADER_SIZE_STRUCT), 0, t->size)) {
            return false;
        }
        t->end = t->structure + be32(h + HEADER_SIZE_STRUCT);
    }
    return true;
}

bool tree_reserve(const struct tree *t, u32 index, u64 *base, u64 *size)
{
    u64 at = t->reserve + (u64)index * 16;

    if (!range_within(at, 16, 0, t->size)) {
        return false;
    }
    *base = tree_cells(t->base + at, 2);
    *size = tree_cells(t->base + at + 8, 2);
    return *base != 0 || *size != 0;
}

/* Reads the tag at *offset and moves past it; a tag outside the block reads as the end. */
static u32 take_tag(const struct tree *t, u32 *offset)
{
    u32 tag;

    if (t->end < 4 || *offset > t->end - 4) {
        return TAG_END;
    }
    tag = be32(t->base + *offset);
    *offset += 4;
    return tag;
}

/* The property whose tag is behind *offset: its value, and its name's offset in the strings. */
static bool take_prop(const struct tree *t, u32 *offset, struct tree_value *v, u32 *name)
{
    u32 room = t->end - *offset, len;

    if (room < 8) {
        return false;
    }
    len = be32(t->base + *offset);
    *name = be32(t->base + *offset + 4);
    if (len > room - 8) {
        return false;
    }
    *v = (struct tree_value){.data = t->base + *offset + 8, .len = len};
    *offset += 8 + ALIGN_UP(len, 4u);
    return true;
}

static bool name_is(const struct tree *t, u32 name, const char *want)
{
    const char *s = (const char *)t->base + t->strings;

    for (; name < t->strings_len && s[name] == *want; name++, want++) {
        if (*want == '\0') {
            return true;
        }
    }
    return false;
}

static u32 find_key(const struct tree *t, u32 name)
{
    u32 k = 0;

    while (k < TREE_KEYS && !name_is(t, name, key_names[k])) {
        k++;
    }
    return k;
}

static void keep_prop(struct tree_walk *w, struct tree_value v, u32 name)
{
    u32 slot = (name ^ name >> 5) % ARRAY_SIZE(w->seen);

    if (w->seen[slot].name != name) {
        w->seen[slot].name = name;
        w->seen[slot].key = find_key(w->tree, name);
    }
    if (w->seen[slot].key < TREE_KEYS) {
        w->node[w->depth - 1].key[w->seen[slot].key] = v;
    }
}

static bool status_okay(struct tree_value status)
{
    return status.data == NULL || tree_lists(status, "okay") || tree_lists(status, "ok");
}

static void finish_node(struct tree_node *n)
{
    const struct tree_node *p = n->parent;

    n->disabled = !status_okay(n->key[TREE_STATUS]) || (p != NULL && p->disabled);
    n->interrupt_parent = (u32)tree_number(n->key[TREE_INTERRUPT_PARENT]);
    if (n->interrupt_parent == 0 && p != NULL) {
        n->interrupt_parent = p->interrupt_parent;
    }
}

static bool open_node(struct tree_walk *w)
{
    const struct tree *t = w->tree;
    const char *name = (const char *)t->base + w->offset;
    size_t room = t->end - w->offset, len = strnlen(name, room);
    struct tree_node *n;

    if (len == room) {
        return false;
    }
    w->offset += ALIGN_UP((u32)len + 1, 4u);
    w->depth++;
    if (w->depth > TREE_DEPTH) {
        w->skipped++;
        return true;
    }
    n = &w->node[w->depth - 1];
    memset(n, 0, sizeof(*n));
    n->name = name;
    n->depth = w->depth - 1;
    n->props = w->offset;
    n->parent = n->depth > 0 ? n - 1 : NULL;
    w->fresh = true;
    return true;
}

static bool close_node(struct tree_walk *w)
{
    if (w->depth == 0) {
        return false;
    }
    w->depth--;
    if (w->skipped > 0) {
        w->skipped--;
    }
    return true;
}

void tree_start(struct tree_walk *w, const struct tree *t)
{
    w->tree = t;
    w->offset = t->structure;
    w->depth = 0;
    w->skipped = 0;
    w->fresh = false;
    w->bad = false;
    for (u32 i = 0; i < ARRAY_SIZE(w->seen); i++) {
        w->seen[i].name = UINT32_MAX; /* beyond any block of strings, so no key */
        w->seen[i].key = TREE_KEYS;
    }
}

/* One tag. False: the end of the root, or w->bad. */
static bool step(struct tree_walk *w)
{
    struct tree_value v;
    u32 name;

    switch (take_tag(w->tree, &w->offset)) {
    case TAG_BEGIN_NODE:
        w->bad = !open_node(w);
        break;
    case TAG_END_NODE:
        w->bad = !close_node(w);
        return !w->bad && w->depth > 0;
    case TAG_PROP:
        w->bad = w->depth == 0 || !take_prop(w->tree, &w->offset, &v, &name);
        if (w->fresh && !w->bad) {
            keep_prop(w, v, name);
        }
        break;
    case TAG_NOP:
        break;
    default:
        w->bad = true; /* TAG_END too: the root isn't closed */
    }
    return !w->bad;
}

/* True if the next tag can't be a property of the innermost node any more. */
static bool props_done(const struct tree_walk *w)
{
    u32 offset = w->offset, tag = take_tag(w->tree, &offset);

    return w->fresh && tag != TAG_PROP && tag != TAG_NOP;
}

const struct tree_node *tree_next(struct tree_walk *w)
{
    while (step(w)) {
        if (props_done(w)) {
            w->fresh = false;
            finish_node(&w->node[w->depth - 1]);
            return &w->node[w->depth - 1];
        }
    }
    return NULL;
}

struct tree_value tree_get(const struct tree *t, const struct tree_node *n, const char *name)
{
    struct tree_value v;
    u32 offset = n->props, at, tag;

    while (tag = take_tag(t, &offset), tag == TAG_PROP || tag == TAG_NOP) {
        if (tag == TAG_NOP) {
            continue;
        }
        if (!take_prop(t, &offset, &v, &at)) {
            break;
        }
        if (name_is(t, at, name)) {
            return v;
        }
    }
    return (struct tree_value){.data = NULL};
}

const char *tree_text(struct tree_value v)
{
    if (v.data == NULL || v.len == 0 || strnlen((const char *)v.data, v.len) == v.len) {
        return NULL;
    }
    return (const char *)v.data;
}

int tree_position(struct tree_value v, const char *text)
{
    const char *s;
    int i = 0;

    while ((s = tree_text(v)) != NULL) {
        u32 len = (u32)strlen(s) + 1;

        if (strcmp(s, text) == 0) {
            return i;
        }
        v.data += len;
        v.len -= len;
        i++;
    }
    return -1;
}

bool tree_lists(struct tree_value v, const char *text)
{
    return tree_position(v, text) >= 0;
}

u64 tree_number(struct tree_value v)
{
    if (v.data == NULL || (v.len != 4 && v.len != 8)) {
        return 0;
    }
    return tree_cells(v.data, v.len / 4);
}

static u32 cells_of(const struct tree_node *n, enum tree_key key, u32 dflt)
{
    return n->key[key].len == 4 ? be32(n->key[key].data) : dflt;
}

u32 tree_address_cells(const struct tree_node *n)
{
    return cells_of(n, TREE_ADDRESS_CELLS, 2);
}

u32 tree_size_cells(const struct tree_node *n)
{
    return cells_of(n, TREE_SIZE_CELLS, 1);
}

/* From an address on `bus` to one on the bus above, by the entry of `ranges` that contains it. */
static bool translate(const struct tree_node *bus, struct range *r)
{
    struct tree_value v = bus->key[TREE_RANGES];
    u32 child = tree_address_cells(bus), up = tree_address_cells(bus->parent);
    u32 size = tree_size_cells(bus), stride = 4 * (child + up + size);

    if (v.data == NULL) {
        return false;
    }
    if (v.len == 0) {
        return true;
    }
    if (child > 2 || up > 2 || size > 2 || stride == 0) {
        return false;
    }
    for (; v.len >= stride; v.data += stride, v.len -= stride) {
        u64 from = tree_cells(v.data, child);

        if (range_within(r->base, r->size, from, tree_cells(v.data + 4 * (child + up), size))) {
            r->base = r->base - from + tree_cells(v.data + 4 * child, up);
            return r->base + r->size >= r->base;
        }
    }
    return false;
}

bool tree_reg(const struct tree_node *n, u32 index, struct range *out)
{
    const struct tree_node *bus = n->parent;
    struct tree_value v = n->key[TREE_REG];
    u32 address, size, stride;

    if (bus == NULL) {
        return false;
    }
    address = tree_address_cells(bus);
    size = tree_size_cells(bus);
    stride = 4 * (address + size);
    if (address > 2 || size > 2 || stride == 0 || index >= v.len / stride) {
        return false;
    }
    out->base = tree_cells(v.data + index * stride, address);
    out->size = tree_cells(v.data + index * stride + 4 * address, size);
    if (out->base + out->size < out->base) {
        return false;
    }
    for (; bus->parent != NULL; bus = bus->parent) {
        if (!translate(bus, out)) {
            return false;
        }
    }
    return true;
}

/*
 * Does the bus map interrupts by their number alone? By an address, too, PCI's does, which isn't
 * needed here: then the node has no interrupt that we know of.
 */
static bool map_is_plain(const struct tree_irqs *irqs)
{
    u32 address = irqs->map_address, cells = irqs->map_cells;

    if (address > 3 || cells < 1 || cells > 3) {
        return false;
    }
    if (irqs->map_mask.data == NULL) {
        return address == 0;
    }
    for (u32 i = 0; i < address && irqs->map_mask.len == 4 * (address + cells); i++) {
        if (be32(irqs->map_mask.data + 4 * i) != 0) {
            return false;
        }
    }
    return irqs->map_mask.len == 4 * (address + cells);
}

/* An interrupt parent is what the node, or the next one above, says or is (§2.4). */
static void find_map(const struct tree_node *n, struct tree_irqs *irqs)
{
    const struct tree_node *bus = n->parent;

    while (bus != NULL && n->key[TREE_INTERRUPT_PARENT].data == NULL &&
           bus->key[TREE_INTERRUPT_MAP].data == NULL) {
        n = bus;
        bus = n->parent;
    }
    if (bus == NULL || n->key[TREE_INTERRUPT_PARENT].data != NULL) {
        return;
    }
    irqs->map = bus->key[TREE_INTERRUPT_MAP];
    irqs->map_mask = bus->key[TREE_INTERRUPT_MAP_MASK];
    irqs->map_address = tree_address_cells(bus);
    irqs->map_cells = cells_of(bus, TREE_INTERRUPT_CELLS, 0);
    if (!map_is_plain(irqs)) {
        irqs->spec.len = 0;
        irqs->map_cells = 1;
    }
}

struct tree_irqs tree_irqs(const struct tree_node *n)
{
    struct tree_irqs irqs = {.spec = n->key[TREE_INTERRUPTS_EXTENDED], .extended = true};

    if (irqs.spec.data == NULL) {
        irqs.spec = n->key[TREE_INTERRUPTS];
        irqs.extended = false;
        irqs.parent = n->interrupt_parent;
        find_map(n, &irqs);
    }
    return irqs;
}

/* Is `spec` what this entry of the map is for? */
static bool entry_is_for(const struct tree_irqs *irqs, const u8 *entry, const u8 *spec)
{
    const u8 *mask = irqs->map_mask.data;

    for (u32 i = 0; i < irqs->map_cells; i++) {
        u32 at = 4 * (irqs->map_address + i);
        u32 bits = mask != NULL ? be32(mask + at) : UINT32_MAX;

        if (((be32(entry + at) ^ be32(spec + 4 * i)) & bits) != 0) {
            return false;
        }
    }
    return true;
}

/* §2.4.3. Behind an entry for another controller no more are known: their length is its matter. */
static const u8 *mapped_irq(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic)
{
    u32 size = 4 * irqs->map_cells, lead = 4 * irqs->map_address + size;
    u32 stride = lead + 4 * (1 + gic->address_cells + gic->cells);
    struct tree_value m = irqs->map;

    if (index >= irqs->spec.len / size || gic->address_cells > 2) {
        return NULL;
    }
    for (; m.len >= stride; m.data += stride, m.len -= stride) {
        if (be32(m.data + lead) != gic->phandle) {
            return NULL;
        }
        if (entry_is_for(irqs, m.data, irqs->spec.data + index * size)) {
            return m.data + stride - 4 * gic->cells;
        }
    }
    return NULL;
}

const u8 *tree_irq(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic)
{
    u32 lead = irqs->extended ? 4 : 0, stride = lead + 4 * gic->cells;
    const u8 *p = irqs->spec.data;

    if (gic->cells < 3 || gic->cells > 4) {
        return NULL;
    }
    if (irqs->map.data != NULL) {
        return mapped_irq(irqs, index, gic);
    }
    if (index >= irqs->spec.len / stride) {
        return NULL;
    }
    if (!irqs->extended) {
        return irqs->parent == gic->phandle || irqs->parent == 0 ? p + index * stride : NULL;
    }
    for (u32 i = 0; i <= index; i++) {
        if (be32(p + i * stride) != gic->phandle) {
            return NULL;
        }
    }
    return p + index * stride + lead;
}

/* Arm GIC binding: type (0 SPI, 1 PPI), number, flags. */
u32 tree_intid(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic)
{
    const u8 *spec = tree_irq(irqs, index, gic);
    u32 type, number;

    if (spec == NULL) {
        return 0;
    }
    type = be32(spec);
    number = be32(spec + 4);
    if (type == 0 && number < 988) {
        return number + 32;
    }
    return type == 1 && number < 16 ? number + 16 : 0;
}

bool tree_edge(const struct tree_irqs *irqs, u32 index, const struct tree_gic *gic)
{
    const u8 *spec = tree_irq(irqs, index, gic);

    return spec != NULL && (be32(spec + 8) & 3) != 0; /* of either direction */
}

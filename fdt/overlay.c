/* SPDX-License-Identifier: MIT */
/*
 * Applies a user's overlay through libfdt. libfdt 1.7 follows offsets in `__fixups__` and
 * `__local_fixups__` and the text of `target-path` without comparing them with the properties that
 * they lie in, so they're all checked first; and fixups may change neither of these three.
 * Format: "Device Tree Overlay Notes" of Linux, and dtc's Documentation/dt-object-internal.txt.
 * No lock.
 */
#include "fdt/user.h"

#include <string.h>

#include <libfdt.h>

/* One entry of a label's fixups: "PATH:PROPERTY:OFFSET". Slices of the overlay. */
struct fixup {
    struct str path, name;
    u32 offset;
};

static bool is_text(const char *value, int len)
{
    return value != NULL && len > 0 && strnlen(value, (size_t)len) == (size_t)len - 1;
}

/* Cuts off what is before the next ':'. */
static bool cut(struct str *rest, struct str *part)
{
    const char *colon = memchr(rest->p, ':', rest->len);

    if (colon == NULL || colon == rest->p) {
        return false;
    }
    *part = (struct str){rest->p, (u32)(colon - rest->p)};
    rest->p += part->len + 1;
    rest->len -= part->len + 1;
    return true;
}

static bool parse_fixup(struct str text, struct fixup *f)
{
    f->offset = 0;
    if (!cut(&text, &f->path) || !cut(&text, &f->name) || text.len == 0 || text.len > 8) {
        return false;
    }
    for (u32 i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        f->offset = f->offset * 10 + (u32)(text.p[i] - '0');
    }
    return true;
}

/* `__fixups__` and the like, which nothing may change while they're in use. */
static bool is_internal(const char *name)
{
    return strncmp(name, "__", 2) == 0 && strcmp(name, "__overlay__") != 0;
}

static bool is_target_path(struct str name)
{
    return name.len == 11 && memcmp(name.p, "target-path", 11) == 0;
}

/* True if the fixup lies in a property that the overlay has. */
static bool fixup_fits(const void *overlay, const struct fixup *f)
{
    int node, len;

    if (f->path.p[0] != '/' || is_internal(f->path.p + 1) || is_target_path(f->name)) {
        return false;
    }
    node = fdt_path_offset_namelen(overlay, f->path.p, (int)f->path.len);
    if (node < 0 || fdt_getprop_namelen(overlay, node, f->name.p, (int)f->name.len, &len) == NULL) {
        return false;
    }
    return range_within(f->offset, 4, 0, (u32)len);
}

/* True if base has a node of this label, and one that can be referred to. */
static bool label_known(const void *base, const char *label)
{
    int symbols = fdt_subnode_offset(base, 0, "__symbols__"), len, node;
    const char *path = symbols >= 0 ? fdt_getprop(base, symbols, label, &len) : NULL;

    if (path == NULL || !is_text(path, len)) {
        return false;
    }
    node = fdt_path_offset(base, path);
    return node >= 0 && fdt_get_phandle(base, node) != 0;
}

static bool check_label(const struct user *u, const void *base, const void *overlay, int prop)
{
    struct fixup f;
    const char *label;
    int len;
    const char *text = fdt_getprop_by_offset(overlay, prop, &label, &len);

    if (!label_known(base, label)) {
        user_error(u, "the guest's tree has no label '%s' (docs/device-tree.md lists them)", label);
        return false;
    }
    do {
        u32 one = (u32)strnlen(text, (size_t)len);

        if ((int)one == len || !parse_fixup((struct str){text, one}, &f) ||
            !fixup_fits(overlay, &f)) {
            user_error(u, "malformed __fixups__ of label '%s'", label);
            return false;
        }
        text += one + 1;
        len -= (int)one + 1;
    } while (len > 0);
    return true;
}

static bool check_fixups(const struct user *u, const void *base, const void *overlay)
{
    int fixups = fdt_subnode_offset(overlay, 0, "__fixups__"), prop;

    if (fixups < 0) {
        return true;
    }
    fdt_for_each_property_offset(prop, overlay, fixups)
    {
        if (!check_label(u, base, overlay, prop)) {
            return false;
        }
    }
    return true;
}

/* The cells of one property below __local_fixups__ are offsets into its namesake in `node`. */
static bool local_fits(const void *overlay, int node, int prop)
{
    const char *name;
    int len, room;
    const u8 *offsets = fdt_getprop_by_offset(overlay, prop, &name, &len);

    if (fdt_getprop(overlay, node, name, &room) == NULL || len % 4 != 0 ||
        strcmp(name, "target-path") == 0) {
        return false;
    }
    for (; len > 0; len -= 4, offsets += 4) {
        if (!range_within(tree_cells(offsets, 1), 4, 0, (u32)room)) {
            return false;
        }
    }
    return true;
}

static bool check_local_node(const void *overlay, int fixup, int node)
{
    int prop;

    fdt_for_each_property_offset(prop, overlay, fixup)
    {
        if (!local_fits(overlay, node, prop)) {
            return false;
        }
    }
    return true;
}

/* Below __local_fixups__ there's a copy of the overlay's nodes, as far as they're concerned. */
static bool check_local_fixups(const struct user *u, const void *overlay)
{
    int fixup = fdt_subnode_offset(overlay, 0, "__local_fixups__"), depth = 0;
    int node[USER_DEPTH] = {0};
    bool good = true;

    for (int at = fixup; at >= 0 && depth >= 0 && good; at = fdt_next_node(overlay, at, &depth)) {
        if (depth > 0) {
            const char *name = fdt_get_name(overlay, at, NULL);

            node[depth] = fdt_subnode_offset(overlay, node[depth - 1], name);
            good = node[depth] >= 0 && !(depth == 1 && is_internal(name));
        }
        good = good && check_local_node(overlay, at, node[depth]);
    }
    if (!good) {
        user_error(u, "malformed __local_fixups__");
    }
    return good;
}

static bool check_targets(const struct user *u, const void *overlay)
{
    int node, len;

    fdt_for_each_subnode(node, overlay, 0)
    {
        const char *path = fdt_getprop(overlay, node, "target-path", &len);

        if (path != NULL && (!is_text(path, len) || path[0] != '/')) {
            user_error(u, "malformed target-path of %s", fdt_get_name(overlay, node, NULL));
            return false;
        }
    }
    return true;
}

/* The first target-path that base lacks, for the message; a fragment may target an earlier one's.
 */
static const char *missing_target(const void *base, const void *overlay)
{
    int node;

    fdt_for_each_subnode(node, overlay, 0)
    {
        const char *path = fdt_getprop(overlay, node, "target-path", NULL);

        if (path != NULL && fdt_path_offset(base, path) < 0) {
            return path;
        }
    }
    return NULL;
}

bool user_apply(const struct user *u, void *base, void *overlay)
{
    const char *missing;
    int error;

    if (!check_targets(u, overlay) || !check_fixups(u, base, overlay) ||
        !check_local_fixups(u, overlay)) {
        return false;
    }
    missing = missing_target(base, overlay);
    error = fdt_overlay_apply(base, overlay);
    if (error == -FDT_ERR_NOTFOUND && missing != NULL) {
        user_error(u, "the guest's tree has no node '%s'", missing);
    } else if (error == -FDT_ERR_NOSPACE) {
        user_error(u, "no room for it in the guest's tree");
    } else if (error != 0) {
        user_error(u, "can't be applied (%s)", fdt_strerror(error));
    }
    return error == 0;
}

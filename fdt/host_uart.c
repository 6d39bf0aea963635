/* SPDX-License-Identifier: MIT */
/*
 * UARTs of the board's tree, and the one that /chosen means. Which there are drivers for is the
 * table below; the drivers themselves are arch's. Boot only, one CPU: no lock.
 */
#include "fdt/host_uart.h"

#include <string.h>

/*
 * Bindings serial of Linux. Where the registers of a 16550 are says its node, or here its binding,
 * if that has no such properties.
 */
static const struct match {
    const char *compatible;
    u8 kind;         /* enum board_uart */
    u8 shift, width; /* width 0: 1 << shift bytes at most */
} matches[] = {
    {"arm,pl011", UART_PL011, 0, 0},
    {"arm,sbsa-uart", UART_PL011, 0, 0},
    {"ns16550a", UART_16550, 0, 1},
    {"ns16550", UART_16550, 0, 1},
    {"nvidia,tegra20-uart", UART_16550, 2, 1},
    {"mediatek,mt6577-uart", UART_16550, 2, 4},
    {"nuvoton,npcm750-uart", UART_16550, 2, 1},
    {"snps,dw-apb-uart", UART_DW, 0, 1},
    {"brcm,bcm2835-aux-uart", UART_AUX, 2, 4},
    {"ti,am654-uart", UART_OMAP, 2, 1},
    {"ti,dra742-uart", UART_OMAP, 2, 1},
    {"ti,omap4-uart", UART_OMAP, 2, 1},
    {"xlnx,xuartps", UART_CADENCE, 0, 0},
    {"cdns,uart-r1p12", UART_CADENCE, 0, 0},
    {"cdns,uart-r1p8", UART_CADENCE, 0, 0},
    {"fsl,imx21-uart", UART_IMX, 0, 0},
    {"fsl,imx6q-uart", UART_IMX, 0, 0},
    {"fsl,imx7ulp-lpuart", UART_LPUART, 0, 0},
    {"fsl,imx8qxp-lpuart", UART_LPUART, 0, 0},
    {"renesas,scif", UART_SCIF, 2, 0},
    {"renesas,hscif", UART_HSCIF, 2, 0},
    {"renesas,scif-r9a07g044", UART_SCIF, 1, 0}, /* RZ/G2L and its successors */
    {"amlogic,meson-gx-uart", UART_MESON, 0, 0},
    {"amlogic,meson-ao-uart", UART_MESON, 0, 0},
    {"amlogic,meson-s4-uart", UART_MESON, 0, 0},
    {"fsl,s32v234-linflexuart", UART_LINFLEX, 0, 0},
    {"marvell,armada-3700-uart", UART_MVEBU, 0, 0},
    {"st,stm32h7-uart", UART_STM32, 0, 0},
};

static u64 number_or(const struct tree *t, const struct tree_node *n, const char *name, u64 other)
{
    struct tree_value v = tree_get(t, n, name);

    return v.data != NULL ? tree_number(v) : other;
}

/* Where the registers of a 16550 are. False: not as any that we know. */
static bool read_layout(const struct tree *t, const struct tree_node *n, struct host_uart_node *u)
{
    u64 shift = number_or(t, n, "reg-shift", u->shift);
    u64 width = MAX(number_or(t, n, "reg-io-width", u->width), 1u);
    u64 offset = number_or(t, n, "reg-offset", 0);

    if (shift > 4 || (width != 1 && width != 2 && width != 4) || width > 1u << shift ||
        offset > u->reg.size || u->reg.size - offset < 8u << shift) {
        return false;
    }
    u->shift = (u8)shift;
    u->width = (u8)width;
    u->reg.base += offset;
    u->reg.size -= offset;
    return true;
}

static void note(struct host_uarts *all, const struct tree *t, const struct tree_node *n,
                 const struct match *m)
{
    struct host_uart_node *u = &all->uart[all->count];
    struct range r;

    if (all->count == HOST_UARTS || !tree_reg(n, 0, &r)) {
        return;
    }
    *u = (struct host_uart_node){
        .kind = (enum board_uart)m->kind,
        .reg = r,
        .shift = m->shift,
        .width = m->width,
        .irqs = tree_irqs(n),
        .depth = n->depth,
    };
    if (m->kind >= UART_16550 && m->kind <= UART_OMAP && !read_layout(t, n, u)) {
        return;
    }
    for (; n->depth > 0; n = n->parent) {
        u->path[n->depth - 1] = n->name;
    }
    all->count++;
}

bool host_uart(struct host_uarts *u, const struct tree *t, const struct tree_node *n,
               const char *compatible)
{
    for (u32 i = 0; i < ARRAY_SIZE(matches); i++) {
        if (strcmp(compatible, matches[i].compatible) == 0) {
            note(u, t, n, &matches[i]);
            return true;
        }
    }
    return false;
}

void host_uart_chosen(struct host_uarts *u, const struct tree *t, const struct tree_node *n)
{
    u->stdout_path = tree_get(t, n, "stdout-path");
    if (u->stdout_path.data == NULL) {
        u->stdout_path = tree_get(t, n, "linux,stdout-path");
    }
}

/* Length of one component of a path, which ends at '/', the options' ':' or the end. */
static u32 component_len(const char *path)
{
    u32 len = 0;

    while (path[len] != '\0' && path[len] != '/' && path[len] != ':') {
        len++;
    }
    return len;
}

/* A component without unit address stands for the node whatever its address. */
static bool component_is(const char *path, u32 len, const char *node)
{
    if (strncmp(path, node, len) != 0) {
        return false;
    }
    return node[len] == '\0' || (node[len] == '@' && memchr(path, '@', len) == NULL);
}

static bool path_is(const char *path, const struct host_uart_node *u)
{
    for (u32 i = 0; i < u->depth; i++) {
        u32 len;

        if (*path != '/') {
            return false;
        }
        path++;
        len = component_len(path);
        if (len == 0 || !component_is(path, len, u->path[i])) {
            return false;
        }
        path += len;
    }
    return *path == '\0' || *path == ':';
}

/* The path that an alias stands for, or NULL. */
static const char *alias_path(const struct host_uarts *u, const struct tree *t, const char *alias)
{
    char name[32];
    u32 len = component_len(alias);

    if (u->aliases.name == NULL || len == 0 || len >= sizeof(name)) {
        return NULL;
    }
    memcpy(name, alias, len);
    name[len] = '\0';
    return tree_text(tree_get(t, &u->aliases, name));
}

/*
 * The UART that stdout-path names if it's one that we know, else the first one that we know: a
 * board may put its boot console on a UART that has no driver here.
 */
void host_uart_settle(struct board *b, const struct host_uarts *u, const struct tree *t,
                      const struct tree_gic *gic)
{
    const char *path = tree_text(u->stdout_path);
    const struct host_uart_node *found = &u->uart[0];

    b->uart_guess = true;
    if (path != NULL && *path != '/') {
        path = alias_path(u, t, path);
    }
    for (u32 i = 0; path != NULL && i < u->count; i++) {
        if (path_is(path, &u->uart[i])) {
            found = &u->uart[i];
            b->uart_guess = false;
            break;
        }
    }
    if (u->count > 0) {
        b->uart = found->kind;
        b->uart_reg = found->reg;
        b->uart_shift = found->shift;
        b->uart_width = found->width;
        if (found->kind != UART_SCIF || tree_intid(&found->irqs, 1, gic) == 0) {
            b->uart_intid = tree_intid(&found->irqs, 0, gic);
            b->uart_edge = tree_edge(&found->irqs, 0, gic);
        } /* else one for each event, and a driver has but one */
    }
}

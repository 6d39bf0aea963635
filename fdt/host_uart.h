/* SPDX-License-Identifier: MIT */
/* What the board's tree says of its UARTs, and which of them is the console. */
#ifndef FDT_HOST_UART_H
#define FDT_HOST_UART_H

#include "core/board.h"
#include "fdt/tree.h"

#define HOST_UARTS 12

struct host_uart_node {
    enum board_uart kind;
    struct range reg;
    u8 shift, width;
    struct tree_irqs irqs;
    u32 depth;
    const char *path[TREE_DEPTH]; /* node names from the root's child on */
};

/* All zero before the first node. */
struct host_uarts {
    struct host_uart_node uart[HOST_UARTS];
    u32 count;
    struct tree_value stdout_path;
    struct tree_node aliases; /* name NULL: none */
};

/* True if this compatible of the node n is a UART's that has a driver: the node is noted. */
bool host_uart(struct host_uarts *u, const struct tree *t, const struct tree_node *n,
               const char *compatible);

void host_uart_chosen(struct host_uarts *u, const struct tree *t, const struct tree_node *n);

/* All nodes are known: fills in the board's UART. */
void host_uart_settle(struct board *b, const struct host_uarts *u, const struct tree *t,
                      const struct tree_gic *gic);

#endif

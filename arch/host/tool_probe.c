/* SPDX-License-Identifier: MIT */
/*
 * `muntin board`: the messages of the target (core/board.c) about a tree that has yet to meet its
 * board. What only the boot loader or the CPU can tell is said to be open, not taken for missing.
 */
#include "arch/host/tool_probe.h"

#include "core/log.h"

#include <stdio.h>

#define REACH BIT64(48) /* as far as the page tables of a 64-bit CPU can go */

static void print_line(const char *line, size_t len)
{
    printf("%.*s\n", (int)len, line);
}

/* What a tree on disk has or lacks, and a board is none the worse for. */
static void say_open(const struct board *b)
{
    if (b->nram == 0) {
        log_info("no memory is named: the boot loader has to");
    }
    if (b->uart == UART_NONE) {
        log_warn("no UART that has a driver: nothing would be shown");
    } else if (b->uart_guess) {
        log_warn("no stdout-path, or to a UART that has no driver: this is the first that has one");
    }
    if (b->uart != UART_NONE && b->uart_intid == 0) {
        log_info("the UART has no interrupt of the GIC's: a timer looks at it");
    }
    if (b->psci == CONDUIT_NONE) {
        log_info(
            "no PSCI is named: the boot loader may (U-Boot does, where it provides it); without "
            "it nothing can switch the board off");
    }
}

bool probe_board(const struct board *board)
{
    static struct board b;
    bool usable;

    b = *board;
    b.dtb_size = 0; /* where it is here is nobody's matter */
    log_sink = print_line;
    board_show(&b);
    say_open(&b);
    board_boot_cpu(&b, b.cpu_mpidr[0]);
    if (b.nram == 0) {
        b.ram[b.nram++] = (struct range){0, PAGE_SIZE};
    }
    usable = board_usable(&b, REACH);
    log_info("%s", usable ? "VMs can start on it" : "no VM can start on it");
    return usable;
}

/* SPDX-License-Identifier: MIT */
/*
 * The board, for build/muntin: from its tree, or assumed, and what of a config depends on it.
 * A composition root like core/main.c: may know every layer.
 */
#include "arch/host/tool_board.h"

#include "arch/host/tool_files.h"
#include "arch/host/tool_usage.h"
#include "core/check.h"
#include "core/check_cluster.h"
#include "core/check_pass.h"
#include "core/log.h"
#include "core/page.h"
#include "fdt/host.h"
#include "fdt/names.h"
#include "fdt/pass.h"

#include <stdio.h>
#include <stdlib.h>

#define LL(x) ((unsigned long long)(x))

static struct board board;
static u64 room; /* bytes of RAM that VMs can have, if the tree says so; else 0 */

static void list_clusters(cluster_each *each, void *ctx)
{
    fdt_cluster_names(&board, each, ctx);
}

static void list_areas(config_area *each, void *ctx)
{
    fdt_reserved_names(&board, each, ctx);
}

const struct board *tool_board_read(const char *path)
{
    size_t size;
    u8 *data = files_read(path, &size);

    if (size < 40 || fdt_host_probe(data) == 0 || fdt_host_probe(data) > size ||
        !fdt_host_read(data, &board)) {
        fprintf(stderr, "muntin: %s is not a device tree\n", path);
        exit(EXIT_CONFIG);
    }
    config_areas = list_areas;
    return &board;
}

const struct board *tool_board_assume(u32 gic, u32 cpus)
{
    board.gic_version = gic;
    board.ncpus = cpus;
    fmt_print(board.cpu_compatible, sizeof(board.cpu_compatible), "arm,cortex-a57");
    for (u32 i = 0; i < 4; i++) {
        board.timer_intid[i] = (const u32[]){29, 30, 27, 26}[i];
    }
    return &board;
}

/* RAM that `ram identity` can be taken from: the board's, or some to show how it looks. */
static void add_memory(void)
{
    for (u32 i = 0; i < board.nram; i++) {
        page_add(board.ram[i].base, board.ram[i].size);
    }
    if (board.dtb == NULL) {
        page_add(GIB, 8 * (u64)GIB);
    }
    for (u32 i = 0; i < board.nreserved; i++) {
        page_reserve(board.reserved[i].base, board.reserved[i].size);
    }
    room = board.nram > 0 ? page_free() : 0;
}

void tool_board_check(struct vm_config *vm, const struct bundle *bundle, struct diag *d)
{
    static bool added;

    if (!added) {
        add_memory();
        added = true;
    }
    check_clusters(vm, board.dtb != NULL ? list_clusters : NULL, board.ncpus, d);
    check_identity(vm, d);
    check_vm(vm, bundle, board.gic_version, board.ncpus, d);
    if (board.dtb != NULL) {
        check_pass_board(vm, &board, d);
        fdt_pass_check(vm, &board, d);
    }
}

void tool_board_room(struct vm_config *const *vm, u32 count, struct diag *d)
{
    u64 taken = 0, size;

    for (u32 i = 0; room != 0 && i < count; i++) {
        size = 0;
        for (u32 n = 0; n < vm[i]->nmems; n++) {
            size += vm[i]->mem[n].size;
        }
        if (vm[i]->errors == 0 && size > room - taken) {
            diag_warn(d, vm[i]->place,
                      "its RAM, %llu MiB, is not there: the board's tree has %llu MiB, of which "
                      "VMs before it take %llu",
                      LL(size / MIB), LL(room / MIB), LL(taken / MIB));
        } else if (vm[i]->errors == 0) {
            taken += size;
        }
    }
}

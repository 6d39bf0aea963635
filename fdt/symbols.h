/* SPDX-License-Identifier: MIT */
/*
 * Labels that overlays can use: chosen, cpus, psci, timer, vdevs, pass, gic; cpuN; for each vdev
 * TYPE_N (virtio_net_0), its `name`, and uartN if it's a PL011. What isn't a letter or a digit is
 * '_'.
 */
#ifndef FDT_SYMBOLS_H
#define FDT_SYMBOLS_H

#include "core/config.h"
#include "fdt/gen.h"

#define SYMBOL_LABEL 48

struct symbol {
    char label[SYMBOL_LABEL], path[GEN_PATH];
};

/* How many indices there are; not each has a symbol. */
u32 symbols_count(const struct vm_config *vm);

/* Symbol `index`; false if it has none, or its label is taken by an earlier one. */
bool symbols_get(const struct vm_config *vm, u32 index, struct symbol *s) MUST_CHECK;

#endif

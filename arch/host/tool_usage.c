/* SPDX-License-Identifier: MIT */
/* The texts that say how `muntin` is called: the short form for mistakes, all of it for `help`. */
#include "arch/host/tool_usage.h"

#include <stdio.h>

static const char synopsis[] =
    "usage: muntin check [OPTIONS] FILE.qvmconf [@MORE]... [-- WORDS] | BUNDLE.cpio\n"
    "       muntin pack [OPTIONS] [--append muntin.bin] -o OUT FILE.qvmconf [@MORE]... [-- "
    "WORDS]\n"
    "       muntin dtb [OPTIONS] -o OUT.dtb FILE.qvmconf [@MORE]... [-- WORDS]\n"
    "       muntin board BOARD.dtb...\n"
    "       muntin pcap [-o OUT.pcap] [LOG]\n"
    "       muntin gcore [-o OUT.gcore] [LOG]\n"
    "       muntin manual | help\n";

static const char details[] =
    "\n"
    "check says what is wrong with configs, or with a bundle, and what their VMs would get; pack\n"
    "makes the bundle that Muntin boots from; dtb the device tree that a VM will get.\n"
    "Each plain file is one VM; @MORE behind it adds to that VM, and so do WORDS of the config\n"
    "language to the last one: `-- dryrun`. $env{NAME} is replaced, also in what is packed.\n"
    "  -I FOLDER          look for files there, too (after the config's folder and the current "
    "one)\n"
    "  --board BOARD.dtb  the board's device tree; or, without it:\n"
    "  --gic 2|3          the version of the board's interrupt controller (3)\n"
    "  --cpus N           how many CPUs it has (unknown)\n"
    "  -o OUT             where the result goes\n"
    "  --append IMAGE     pack: put the bundle behind this image, as one file\n"
    "  -f                 pack: in spite of errors\n"
    "\n"
    "board says what Muntin makes of a board's device tree, and what keeps VMs from starting "
    "there.\n"
    "pcap finds the captures that `net capture NIC dump` printed, in a log of the console or in "
    "what\n"
    "comes in. Each becomes a file: OUT.pcap, OUT-2.pcap and so on, or named after its NIC.\n"
    "gcore does so with the cores of VMs that `vm core`, or `dump,` with `dump DIR`, printed: ELF\n"
    "files for gdb, OUT.gcore, OUT.gcore-2 and so on, or NAME-YYYYMMDD-hhmmss.gcore.\n"
    "manual prints the reference of the config language, as in docs/config.md.\n"
    "\n"
    "Exit status: 0 fine, 64 wrong usage, 65 errors in the configs, a board that can't have VMs, "
    "or\n"
    "parts of a capture or core missing, 66 a file can't be read, 73 it can't be written.\n";

int usage_help(void)
{
    fputs(synopsis, stdout);
    fputs(details, stdout);
    return 0;
}

int usage(const char *why, const char *what)
{
    if (why != NULL) {
        fprintf(stderr, "muntin: %s%s\n", why, what);
    }
    fputs(synopsis, stderr);
    fputs("`muntin help` says more.\n", stderr);
    return EXIT_USAGE;
}

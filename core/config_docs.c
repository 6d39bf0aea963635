/* SPDX-License-Identifier: MIT */
/*
 * What the manual says of options that aren't devices', beside their help: unit, range, default and
 * an example. Apart from the parser's tables, which the hypervisor has in it: only the host tool
 * prints this. tests/unit/options_test.c sees that each option has a row, whose example is right.
 */
#include "core/config_parse.h"

#include <string.h>

const struct cfg_doc config_docs[] = {
    {"system", NULL, "a name of up to 31 characters", "none, it must be given", "system linux-a"},
    {"cpu", NULL, "up to 8 times", "one vCPU", "cpu sched 20 runmask 1"},
    {"ram", "bytes", "multiples of 4K, below 1T", "none, it must be given",
     "ram 0x80000000,512M ram identity 64M"},
    {"rom", "bytes", "multiples of 4K, below 1T", "none", "rom 0x0,64K data load 0x0,vectors.bin"},
    {"reserve", NULL, "up to 16 in all", "none", "reserve loc 0x1c050000,64K intr gic:44"},
    {"load", NULL, "a file's path", "none, something must be started",
     "load 0x40200000,images/u-boot.bin"},
    {"guest", NULL, "a file's path", "none", "guest load images/Image"},
    {"data", NULL, "a file's path", "none", "data load 0x44000000,calibration.bin"},
    {"fdt", NULL, "an address, a file's path or both", "a generated tree, at the start of RAM",
     "fdt load devices.dtbo"},
    {"initrd", NULL, "a file's path", "none", "initrd load images/rootfs.cpio"},
    {"acpi", NULL, "a file's path", "none", "acpi load tables.bin"},
    {"cmdline", NULL, "a text; Linux takes 2047 bytes", "empty",
     "cmdline \"console=ttyAMA0 root=/dev/vda ro\""},
    {"vdev", NULL, "a device's type, up to 40 times", "none but `vdev gic`",
     "vdev pl011 loc 0x1c090000 intr gic:37"},
    {"switch", NULL, "a name; its options in braces", "the defaults of those",
     "switch lan { age 600 unknown drop }"},
    {"pass", NULL, "its own options", "none", "pass loc 0x09040000,0x1000 intr gic:40"},
    {"logger", NULL, "severities, then stdout, stderr, slog or none",
     "fatal,internal,error,warn,info stderr, and always internal slog",
     "logger fatal,error stderr logger debug slog"},
    {"dump", NULL, "a text", "none", "dump /dumps"},
    {"debug", NULL, NULL, "off", "debug"},
    {"unsupported", NULL, "instruction, reference or register; then abort, fail or ignore",
     "instruction fail, reference ignore, register fail", "unsupported reference fail"},
    {"set", NULL, "a variable and its value", "see each variable", "set exit-on-halt off"},
    {"group", NULL, "a name of up to 31 characters", "one group of all VMs", "group trusted"},
    {"dryrun", NULL, NULL, "off", "dryrun"},
    {"safety", NULL, "none, warn or required", "none", "safety warn"},
    {"user", NULL, "a text", "none", "user qvm:qvm"},
    {"entry", NULL, "a guest address, a multiple of 4", "what the image says",
     "load Image entry 0x40200000"},
    {"autostart", NULL, "on or off", "on", "autostart off"},
    {"on-reset", NULL, "halt or restart", "restart", "on-reset halt"},
    {"on-crash", NULL, "halt or restart, `dump,` before it", "halt", "on-crash dump,restart"},
    {"on-watchdog", NULL, "halt or restart, `dump,` before it", "halt", "on-watchdog restart"},
    {"max-restarts", "restarts a minute", "0 to 1000000", "60", "max-restarts 3"},
    {"memtag", NULL, "a name", "none", "memtag guests"},
    {.name = NULL},
};

const struct cfg_doc config_cpu_docs[] = {
    {"runmask", "physical CPUs", "0 to 15, those of the board", "Muntin chooses",
     "cpu runmask 1,3"},
    {"cluster", NULL, "a cluster of the board", "_all", "cpu cluster cortex-a72"},
    {"sched", "a priority", "1 to 255, 255 the highest", "10", "cpu sched 20r"},
    {"partition", NULL, "a name", "none", "cpu partition guests"},
    {.name = NULL},
};

const struct cfg_doc config_reserve_docs[] = {
    {"loc", "bytes", "addresses of the guest", "none", "reserve loc 0x1c000000,1M"},
    {"intr", "INTID", "gic:0 to gic:1019", "none", "reserve intr gic:40"},
    {.name = NULL},
};

const struct cfg_doc config_pass_docs[] = {
    {"loc", "bytes", "whole pages, up to 16 windows; up to 8 functions", "none",
     "pass loc 0x09040000,0x1000,rwn loc pci:0:2.0"},
    {"intr", "INTID", "gic:32 to gic:287, HOST up to 1019", "none", "pass intr gic:50=72"},
    {"shared", NULL, NULL, "off", "pass loc 0x09040000,0x1000 shared"},
    {.name = NULL},
};

const struct cfg_doc config_gic_docs[] = {
    {"version", NULL, "2 or 3, as the board's", "the board's", "vdev gic version 3"},
    {"loc", NULL, "a guest address, a multiple of 4K", "0x08000000", "vdev gic loc 0x2f000000"},
    {.name = NULL},
};

const struct cfg_doc config_switch_docs[] = {
    {"age", "seconds", "10 to 1000000", "300", "switch lan { age 600 }"},
    {"unknown", NULL, "flood or drop", "flood", "switch lan { unknown drop }"},
    {"storm", "frames per second", "0 to 1000000000; 0: no limit", "2000",
     "switch lan { storm 500 }"},
    {"poll", "a physical CPU", "1 to 15", "none", "switch lan { poll 3 }"},
    {"isolate", NULL, NULL, "off", "switch lan { isolate }"},
    {.name = NULL},
};

const struct cfg_doc config_var_docs[] = {
    {"exit-on-halt", NULL, "on or off", "on where the CPU is shared, else off",
     "set exit-on-halt off"},
    {"counter-offset", "ticks", "0 to 2^64 - 1", "2^64 - 1, the counters start at 0",
     "set counter-offset 0"},
    {"aarch32", NULL, "on or off", "what the kernel is; of bytes: off where the CPU has AArch64",
     "set aarch32 on"},
    {"fdt-dump-file", NULL, "a file's path", "none", "set fdt-dump-file /tmp/linux.dtb"},
    {"gic-hwassist", NULL, "on", "on", "set gic-hwassist on"},
    {"debug", NULL, "on or off", "on", "set debug off"},
    {"grow-heap", "bytes", "a size", "none", "set grow-heap 1M"},
    {"slog-buffer", "bytes", "a size", "4K", "set slog-buffer 16K"},
    {"message-block-timeout", "milliseconds", "0 to 10000", "10000",
     "set message-block-timeout 500"},
    {"vdev-message-block-timeout", "milliseconds", "0 to 10000", "10000",
     "set vdev-message-block-timeout 500"},
    {"host-paddr-gicd", NULL, "an address", "of the board's tree", "set host-paddr-gicd 0x8000000"},
    {"host-paddr-gicc", NULL, "an address", "of the board's tree", "set host-paddr-gicc 0x8010000"},
    {"host-paddr-gich", NULL, "an address", "of the board's tree", "set host-paddr-gich 0x8030000"},
    {"host-paddr-gicv", NULL, "an address", "of the board's tree", "set host-paddr-gicv 0x8040000"},
    {.name = NULL},
};

const struct cfg_doc *config_doc(const struct cfg_doc *docs, const char *name)
{
    while (docs->name != NULL && strcmp(docs->name, name) != 0) {
        docs++;
    }
    return docs->name != NULL ? docs : NULL;
}

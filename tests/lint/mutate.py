#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Proves that the tests of the virtqueue rules test something: takes one check at a time out of
the sources, builds the unit test that names the rule, and expects exactly that case to fail: it runs
alone, and has to pass alone with nothing changed.

    tests/lint/mutate.py [RULE ...]     all, or those of these rules; exit 0 if every one was noticed

Needs build/asan/libmuntin.a and the tests' objects (`make check` makes them). The sources are not
touched: a changed copy is compiled and linked in front of the library. Every line that says
`rule N` has to be covered here, or be in BY_REVIEW with the reason.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("B", "build")
SOURCES = [*sorted((ROOT / "vdev/virtio").glob("*.[ch]")), *sorted((ROOT / "vdev/net").glob("*.[ch]"))]
FLAGS = {
    "asan": "-O1 -fsanitize=address,undefined -fno-sanitize-recover=all".split(),
    "tsan": "-O1 -fsanitize=thread".split(),
}
CFLAGS = "-std=gnu11 -fno-strict-aliasing -fno-strict-overflow -w".split()
TIMEOUT = 60

# What no test on this host can notice: x86 keeps these orders by itself, and ThreadSanitizer has
# no model of fences.
BY_REVIEW = {"9": "acquire order of avail.idx", "31": "release order of used.idx, and the fence"}

Mutation = collections.namedtuple("Mutation", "rule file old new test case build")


def mutation(rule, file, old, new, where, build="asan"):
    test, case = where.split(":")
    return Mutation(rule, "vdev/" + file, old, new, test, case, build)


def never(rule, file, condition, where, **options):
    """`if (condition) {` becomes `if (0) {`."""
    return mutation(rule, file, f"if ({condition}) {{", "if (0) {", where, **options)


def outside(rule, file, old, new, where):
    """Of a file that is not in vdev/."""
    return mutation(rule, "", old, new, where)._replace(file=file)


def always(rule, file, condition, where, **options):
    return mutation(rule, file, f"if ({condition}) {{", "if (1) {", where, **options)


# The queue: what both formats share (and its header), split rings, packed rings, the data of chains
Q, R, SP, PK = "virtio/virtq.c", "virtio/virtq_ring.h", "virtio/virtq_split.c", "virtio/virtq_packed.c"
MR, L = "virtio/mmio_regs.h", "virtio/mmio_legacy.c"  # the transport beside mmio.c
C, M, S, P = "virtio/chain.c", "virtio/mmio.c", "net/switch.c", "net/port.h"
TX, RX, O = "virtio/net_tx.c", "virtio/net_rx.c", "net/offload.c"
VC, VK = "virtio/console.c", "virtio/console_ctrl.c"
ST, SR, NL = "net/switch_table.c", "net/switch_rules.c", "net/limit.c"
SH, W = "net/share.c", "virtio/net_tx_watch.c"
SM, SC = "shmem.c", "shmem_conf.c"
N, NC, NF, CO = "virtio/net.c", "virtio/net_ctrl.c", "virtio/net_filter.c", "virtio/net_coal.c"
PC, DM = "core/pci.c", "core/dma.c"
PB, PL, PR = "core/pci_bus.c", "core/pci_place.c", "core/pci_reset.c"
CP, PA, FP, GH, GR = "core/check_pass.c", "core/pass.c", "fdt/pass.c", "gic/vgic_hw.c", "gic/vgic_regs.c"

LD, A32, D32, SU, IT = (f"arch/arm-common/{name}.c" for name in ("ldst", "access32", "decode32", "smmuv3", "its"))
B, BR, D = "virtio/blk.c", "virtio/blk_request.c", "disk.c"

MUTATIONS = [
    # --- pass-through: what is Muntin's or another VM's, parts of pages, interrupts masked for good
    outside("pass", CP, "if (own != NULL) {", "if (0) {", "config_pass:test_cases"),
    outside("pass", CP, "if (next == at) {", "if (0) {", "config_pass:test_cases"),
    outside("pass", CP, "(wa->shared && wb->shared)", "(wa->shared || wb->shared)", "config_pass:test_cases"),
    outside("pass", CP, "if (irq->host == b->uart_intid) {", "if (0) {", "config_pass:test_cases"),
    outside("pass", CP, "if (a->pass.irq[i].host == b->pass.irq[j].host) {", "if (0) {", "config_pass:test_cases"),
    outside("pass", CP, "if (w->base % PAGE_SIZE != w->host % PAGE_SIZE) {", "if (0) {", "config_pass:test_cases"),
    outside("pass", PA, "first = MIN(ALIGN_UP(", "first = MIN(ALIGN_DOWN(", "pass:test_parts"),
    outside("pass", PA, "ALIGN_DOWN(end, (u64)PAGE_SIZE)", "ALIGN_UP(end, (u64)PAGE_SIZE)", "pass:test_parts"),
    outside("pass", PA, "if (p->part[region].write) {", "if (1) {", "pass:test_parts_read_only"),
    outside("pass", PA, "&value) ? value : UINT64_MAX", "&value) ? value : value", "pass:test_parts_fail"),
    outside("pass", PA, "owner_of[irq->host] != 0 ||", "", "pass:test_interrupts_refused"),
    outside("pass", FP, "if (is_forbidden(n)) {", "if (0) {", "fdt_pass:test_forbidden"),
    outside("pass", FP, "if (is_shared(c->vm, r)) {", "if (0) {", "fdt_pass:test_manners"),
    mutation("pass", "gic/vgic.c", "vgic_hw_enable(g, i + 1, ~0u, false);", "", "gicplay:survives_nonsense"),
    mutation("pass", GR, "vgic_hw_enable(a->g, wi, value, false);", "", "gicplay:agrees_with_the_reference"),
    mutation("pass", GH, "        pass_hw->irq_route(g->pintid[spi], g->cpu[target].vcpu->pcpu);\n    }\n}\n\nu32", "    }\n}\n\nu32",
             "gicplay:agrees_with_the_reference"),
    mutation("pass", GH, "        if (!pass_hw->irq_pending(host_intid(g, wi, n))) {", "        if (0) {",
             "gicplay:agrees_with_the_reference"),
    # --- PCIe functions: their configuration space, DMA while the bit is on, messages, who has what
    outside("pci", PC, "(value & mask) | (pci_read(f->hw->cfg, reg) & ~mask)", "value", "pci:test_nothing_else_is_written"),
    outside("pci", PC, "    return 0;\n}\n\nstatic void set_word", "    return UINT32_MAX;\n}\n\nstatic void set_word",
            "pci:test_nothing_else_is_written"),
    outside("pci", PC, "(value & f->bar_mask[n]) | (f->bar[n] & ~f->bar_mask[n])", "value", "pci:test_bars"),
    outside("pci", PC, "if (reg >= LEGACY_END || reg == REG_ROM) {", "if (reg == REG_ROM) {", "pci:test_bus"),
    outside("pci", PC, "slot / FUNCTIONS > br->count", "slot / FUNCTIONS > br->count + 1", "pci:test_bus"),
    outside("pci", PC, "slot % FUNCTIONS != 0 ||", "", "pci:test_bus"),
    outside("pci", PC, "size > 4 || offset % size != 0) {\n        return UINT64_MAX;", "size > 4) {\n        return UINT64_MAX;",
            "pci:test_bus"),
    outside("pci", PC, "COMMAND_FIXED | (master ? COMMAND_MASTER : 0)", "value | COMMAND_FIXED", "pci:test_command"),
    outside("pci", PC, "        dma_open(f->stream, master);", "", "pci:test_command"),
    outside("pci", PC, "    dma_open(f->stream, false);\n    dma_forgive", "    dma_forgive", "pci:test_dma_follows_the_bit"),
    outside("pci", PC, " && !dma_is_cut(f->stream)", "", "pci:test_cut_off"),
    outside("pci", PC, "value - PCI_INTID < PCI_INTIDS", "value >= PCI_INTID", "pci:test_frame"),
    outside("pci", PC, "pci_read(f->hw->cfg, f->hw->msi) & ~MSI_CONTROL", "pci_read(f->hw->cfg, f->hw->msi)", "pci:test_messages_stop_at_a_reset"),
    outside("pci", DM, "if (blocked == DMA_BLOCKED_MAX) {", "if (0) {", "pci:test_cut_off"),
    outside("pci", DM, "if (may_send(i)) {", "if (may_send(i) || 1) {", "pci:test_messages_without_end"),
    outside("pci", DM, "open && !dma_is_cut(stream)", "open", "pass:test_streams"),
    outside("pci", PA, "        dma_open(c->stream[i], false);", "        ;", "pass:test_streams"),
    outside("pci", CP, "pci_group(a->pass.pci[i].function) == pci_group(b->pass.pci[j].function)",
            "a->pass.pci[i].function == b->pass.pci[j].function", "config_pass:test_cases"),
    # PCIe buses: what isn't passed is off, bridges' numbers and windows, who may reach whom, what a card says
    outside("pci", PB, "    pci_write(cfg, REG_COMMAND, 0); /*", "    /*", "pci_bus:test_root_bus"),
    outside("pci", PB, "    pci_write(f->cfg, REG_ROM, 0);", "", "pci_bus:test_root_bus"),
    outside("pci", PB, "b->kind == KIND_PORT ? 1 : DEVICES", "DEVICES", "pci_bus:test_one_device_on_a_link"),
    outside("pci", PB, "(taken[n / 32] & BIT(n % 32)) == 0", "true", "pci_bus:test_numbers_make_no_sense"),
    outside("pci", PB, " && last <= up->last;", ";", "pci_bus:test_numbers_make_no_sense"),
    outside("pci", PB, "bus > up->bus && last >= bus", "last >= bus", "pci_bus:test_numbers"),
    outside("pci", PB, "b->kind == KIND_OTHER || !set_numbers(b)", "!set_numbers(b)", "pci_bus:test_bridges_that_are_not_pcie"),
    outside("pci", PB, "if (!bridges[n].isolates) {", "if (0) {", "pci_bus:test_groups"),
    outside("pci", PB, "bridges[up].isolates = false;", ";", "pci_bus:test_groups"),
    outside("pci", PB, "return (pci_read(cfg, acs + ACS_BITS) >> 16 & need) == need;", "return true;", "pci_bus:test_acs"),
    outside("pci", PB, "*isolates = !multi;", "*isolates = true;", "pci_bus:test_acs"),
    outside("pci", PB, "if (!pci_window_end(b->cfg, &b->window, b->wide)) {", "if (pci_window_end(b->cfg, &b->window, b->wide) && 0) {",
            "pci_bus:test_bridge_without_registers"),
    outside("pci", PB, "        if (bridges[n].shut) {", "        if (0) {", "pci_bus:test_bridge_without_registers"),
    outside("pci", PB, "at + size <= LEGACY_END ? (u8)at : 0", "(u8)at", "pci_bus:test_capability_at_the_end"),
    outside("pci", PB, "turn_off(f->cfg, EXT_ATS, ATS_CONTROL);", "", "pci_bus:test_everything_is_off"),
    outside("pci", PL, "at = ALIGN_UP(s->next, whole);", "at = s->next;", "pci_bus:test_root_bus"),
    outside("pci", PL, "u64 whole = MAX(bar->size, (u64)PAGE_SIZE), room", "u64 whole = bar->size, room", "pci_bus:test_small_bars"),
    outside("pci", PL, "if (!is_pow2(bar->size)) {", "if (0) {", "pci_bus:test_sizes"),
    outside("pci", PL, "if (!range_within(at, whole, s->next, room)) {", "if (0) {", "pci_bus:test_sizes"),
    outside("pci", PL, "(pci_read(cfg, reg) & ~BAR_TYPE) == (u32)bar[n].bus", "true", "pci_bus:test_fixed_bar"),
    outside("pci", PL, "space[i].next = MIN(ALIGN_UP(space[i].next, GRANULE), space[i].end);\n        w->start", "w->start", "pci_bus:test_windows"),
    # … and how a function forgets what it was told
    outside("pci", PR, "any(is_pending, true, f, count) &&", "false &&", "pci_reset:test_pending"),
    outside("pci", PR, "return pci_read(f->cfg, REG_ID) == f->ident;", "return true;", "pci_reset:test_does_not_come_back"),
    outside("pci", PR, "return any(restore, false, f, count) ?", "return any(restore, false, f, count) && 0 ?",
            "pci_reset:test_does_not_come_back"),
    outside("pci", PC, "i = 0; wait == 0 && i < br->count", "i = 0; i < br->count", "pci:test_gone"),
    outside("pci", PR, "p->tries++ == 0 && any(is_awake, true, f, count)", "0", "pci_reset:test_power_that_is_none"),
    outside("pci", PR, "        set_port(f, true);", "", "pci_reset:test_port"),
    outside("pci", PR, "        set_power(f, PM_D3);", "", "pci_reset:test_power"),
    outside("pci", PR, "pci_write(f->cfg, f->express + EXPRESS_CONTROL, f->control | CONTROL_FLR);", ";", "pci_reset:test_flr"),
    outside("pci", CP, "} else if (irq->host == b->smmu.intid) {", "} else if (0) {", "config_pass:test_cases"),
    outside("pci", FP, "if (!vm->pass.pci[i].known) {", "if (0) {", "fdt_pass:test_functions"),
    # --- instructions that are fetched: what the abort is about, in one page, no register but r0 to r14
    outside("fetch", LD, "d->load != abort->write && ", "", "access32:test_refused"),
    outside("fetch", LD, "ldst_address(d, cpu) == abort->va &&", "true &&", "access32:test_refused"),
    outside("fetch", LD, " <= 0x1000;", " != 0;", "access32:test_refused"),
    outside("fetch", LD, "return d->narrow ? (u32)address : address;", "return address;", "access32:test_wraps"),
    outside("fetch", LD, " && t->wanted(t->v)", " && t->wanted(t->v) && false", "access32:test_later"),
    outside("fetch", LD, "at != t->first && ", "", "access32:test_later"),
    outside("fetch", LD, "op->next * d->size, access", "0, access", "access32:test_later"),
    outside("fetch", A32, "if (p == NULL || (ipa & 1) != 0) {", "if (0) {", "access32:test_refused"),
    outside("fetch", D32, "bool clash = d->rn == PC;", "bool clash = false;", "decode32:test_refused"),
    outside("fetch", D32, "clash || d->reg[i] == PC ||", "clash ||", "decode32:test_refused"),
    outside("fetch", D32, "list == 0 || bit(list, PC) ||", "list == 0 ||", "decode32:test_refused"),
    # --- A: activation
    never("1", M, "v->queue_sel >= n", "virtio_mmio:rule_1_queue_select"),
    mutation("2", Q, "q->size == 0 || q->size > q->max", "q->size == 0", "virtq:rule_2_size"),
    never("2", SP, "!is_pow2(n)", "virtq:rule_2_size"),
    mutation("2", MR, "q->size = value <= UINT16_MAX ? (u16)value : 0;", "q->size = (u16)value;",
             "virtio_mmio:rule_2_sizes_written"),
    mutation("2", MR, "q->size = value <= UINT16_MAX ? (u16)value : 0;", "q->size = (u16)value;",
             "virtio_legacy:rule_2_sizes_written"),
    mutation("3", SP, "!virtq_aligned(q->desc_addr, DESC_SIZE) ||", "", "virtq:rule_3_alignment"),
    mutation("3", SP, "!virtq_aligned(q->avail_addr, AVAIL_ENTRY) ||", "", "virtq:rule_3_alignment"),
    mutation("3", SP, "!virtq_aligned(q->used_addr, 4)", "0", "virtq:rule_3_alignment"),
    mutation("4", SP, "desc == NULL || avail == NULL || used == NULL", "avail == NULL || used == NULL",
             "virtq:rule_4_areas_in_ram"),
    mutation("4", SP, "desc == NULL || avail == NULL || used == NULL", "desc == NULL || used == NULL",
             "virtq:rule_4_areas_in_ram"),
    mutation("4", SP, "desc == NULL || avail == NULL || used == NULL", "desc == NULL || avail == NULL",
             "virtq:rule_4_areas_in_ram"),
    mutation("4", SP, "USED_ENTRY * n + EVENT_SIZE, true)", "USED_ENTRY * n + EVENT_SIZE, false)",
             "virtq:rule_4_areas_in_ram"),
    mutation("4", SP, "USED_ENTRY * n + EVENT_SIZE, true)", "USED_ENTRY * n, true)",
             "virtq:rule_4_areas_in_ram"),
    always("6", M, "!q->ready", "virtio_mmio:rule_6_no_second_activation"),
    mutation("6", M, "(status & needs) != 0 &&", "", "virtio_mmio:rule_6_activation_has_its_time"),
    mutation("6", M, "(status & needs) != 0 &&", "", "virtio_legacy:rule_6_activation_has_its_time"),
    mutation("6", M, "(status & VIRTIO_DRIVER_OK) == 0 &&\n             virtq_activate(q, virtio_has(v, VIRTIO_F_RING_PACKED)); /* rule 6 */",
             "virtq_activate(q, false);", "virtio_mmio:rule_6_activation_has_its_time"),
    mutation("7", Q, "q->desc = NULL; /* rule 7 */", "", "virtq:rule_7_translation_is_dropped"),
    never("8", M, "q->ready", "virtio_mmio:rule_8_set_up_is_frozen"),
    # --- B: taking a chain
    never("10", SP, "(u16)(idx - q->avail_next) > q->size", "virtq:rule_10_avail_index_jump"),
    mutation("10", SP, "(u16)(idx - q->avail_next) > q->size", "(u16)(idx - q->avail_next) >= q->size",
             "virtq:rule_10_avail_index_jump"),
    never("11", SP, "unlikely(head >= q->size)", "virtq:rule_11_head"),
    mutation("11", SP, "unlikely(head >= q->size)", "head > q->size", "virtq:rule_11_head"),
    mutation("12", R, "    c->span[0] = (struct span){p, d->len};",
             "    u64 again = gmem_load64(gmem_at(q->desc, DESC_SIZE * (size_t)c->head + 8));\n"
             "    c->span[0] = (struct span){p, (u32)again};", "virtq:rule_12_descriptor_is_copied_once"),
    mutation("12", SP, "gmem_read_pair(raw, gmem_at(table, DESC_SIZE * (size_t)i)); /* rule 12 */",
             "gmem_read_pair(raw, gmem_at(table, DESC_SIZE * (size_t)i + 16));",
             "virtq:rule_12_descriptor_is_copied_once"),
    mutation("13", SP, "u32 limit = MIN((u32)q->size, (u32)VIRTQ_SEGMENTS);", "u32 limit = VIRTQ_SEGMENTS;",
             "virtq:rule_13_chain_length"),
    mutation("13", SP, "while (c->count < limit) {", "while (c->count < limit - 1) {",
             "virtq:rule_13_chain_length"),
    never("14", SP, "d.name >= w.table.entries", "virtq:rule_14_next"),
    mutation("14", SP, "if (d.name >= w.table.entries)", "if (d.name >= q->size)",
             "virtq:rule_15_indirect_next_beyond_table"),
    never("15", Q, "!q->indirect", "virtq:rule_15_indirect_not_negotiated"),
    never("15", SP, "w->indirect", "virtq:rule_15_indirect_in_indirect"),
    never("15", Q, "d->flags & DESC_NEXT", "virtq:rule_15_indirect_with_next"),
    never("15", Q, "d->len == 0 || d->len % DESC_SIZE != 0", "virtq:rule_15_indirect_length"),
    mutation("15", Q, "d->len == 0 || d->len % DESC_SIZE != 0", "d->len == 0",
             "virtq:rule_15_indirect_length"),
    mutation("15", Q, "d->len == 0 || d->len % DESC_SIZE != 0", "d->len % DESC_SIZE != 0",
             "virtq:rule_15_indirect_length"),
    never("15", Q, "d->len / DESC_SIZE > q->size", "virtq:rule_15_indirect_longer_than_queue"),
    never("15", Q, "t->p == NULL", "virtq:rule_15_indirect_outside_of_ram"),
    never("17", SP, "w.writing && !write", "virtq:rule_17_readable_behind_writable"),
    mutation("18", R, 'if (p == NULL) { /* rule 18 */\n        return "a buffer', 'if (0) {\n        return "a buffer',
             "virtq:rule_18_in_a_longer_chain"),
    mutation("18", R, 'if (p == NULL) { /* rule 18 */\n        return "the buffer', 'if (0) {\n        return "the buffer',
             "virtq:rule_18_buffer_in_ram"),
    mutation("18", R, "guest_t *p = gmem_span_soon(q->mem, gpa(d->addr), d->len, write);",
             "guest_t *p = gmem_span_soon(q->mem, gpa(d->addr), d->len, false);", "virtq:rule_18_rom_is_not_written"),
    mutation("18", R, "    p = gmem_span_soon(q->mem, gpa(d->addr), d->len, write);",
             "    p = gmem_span_soon(q->mem, gpa(d->addr), d->len, false);", "virtq:rule_18_in_a_longer_chain"),
    never("19", R, "d->len == 0", "virtq:rule_19_empty_descriptors"),
    mutation("19", SP, "(d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0 && d.len != 0",
             "(d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0", "virtq:rule_19_empty_descriptors"),
    mutation("19", R, "    c->count++;\n    if (d->len == 0) {", "    if (d->len == 0) {",
             "virtq:rule_19_empty_descriptors"),
    never("20", R, "d->len > UINT32_MAX - (c->readable + c->writable)", "virtq:rule_20_sum_of_lengths"),
    mutation("20", P, " || !frame_fits(f, p->mtu))", ")", "net:rule_20_frame_is_capped"),
    mutation("21", SP, "u32 limit = MIN((u32)q->size, (u32)VIRTQ_SEGMENTS);", "u32 limit = q->size;",
             "virtq:rule_21_segments"),
    never("22", SP, "(u16)(idx - q->used_published) > q->size", "virtq:rule_22_in_flight"),
    # --- A to D again: packed rings
    mutation("2", Q, "q->size == 0 || q->size > q->max", "q->size == 0", "virtq_packed:rule_2_size"),
    mutation("3", PK, "!virtq_aligned(q->desc_addr, DESC_SIZE) ||", "", "virtq_packed:rule_3_alignment"),
    mutation("3", PK, "!virtq_aligned(q->avail_addr, EVENT_SIZE) ||", "", "virtq_packed:rule_3_alignment"),
    mutation("3", PK, "!virtq_aligned(q->used_addr, EVENT_SIZE)", "0", "virtq_packed:rule_3_alignment"),
    mutation("4", PK, "desc == NULL || driver == NULL || device == NULL", "driver == NULL || device == NULL",
             "virtq_packed:rule_4_areas_in_ram"),
    mutation("4", PK, "desc == NULL || driver == NULL || device == NULL", "desc == NULL || device == NULL",
             "virtq_packed:rule_4_areas_in_ram"),
    mutation("4", PK, "desc == NULL || driver == NULL || device == NULL", "desc == NULL || driver == NULL",
             "virtq_packed:rule_4_areas_in_ram"),
    mutation("4", PK, "(u64)DESC_SIZE * q->size, true)", "(u64)DESC_SIZE * q->size, false)",
             "virtq_packed:rule_4_areas_in_ram"),
    mutation("4", PK, "(u64)DESC_SIZE * q->size, true)", "(u64)DESC_SIZE * q->size - 16, true)",
             "virtq_packed:rule_4_areas_in_ram"),
    mutation("4", PK, "gpa(q->used_addr), EVENT_SIZE, true)", "gpa(q->used_addr), EVENT_SIZE, false)",
             "virtq_packed:rule_4_areas_in_ram"),
    mutation("12", PK, "u64 meta = gmem_load64_acquire(gmem_at(e, DESC_META)); /* rule 12 */",
             "u64 meta = gmem_load64_acquire(gmem_at(e, DESC_META + DESC_SIZE));",
             "virtq_packed:rule_12_descriptor_is_copied_once"),
    mutation("12", PK, "        why = chain_single(q, c, &d);\n",
             "        why = chain_single(q, c, &d);\n"
             "        c->span[0].len = (u32)gmem_load64(gmem_at(entry(q, q->avail_next), DESC_META));\n",
             "virtq_packed:rule_12_descriptor_is_copied_once"),
    mutation("12", PK, "gmem_read_pair(raw, gmem_at(t.p, DESC_SIZE * (size_t)i)); /* rule 12 */",
             "gmem_read_pair(raw, gmem_at(t.p, DESC_SIZE * (size_t)(i - (i != 0))));",
             "virtq_packed:rule_12_table_is_copied_once"),
    mutation("13", PK, "MIN(room, (u32)VIRTQ_SEGMENTS)); /* rules", "VIRTQ_SEGMENTS); /* rules",
             "virtq_packed:rule_13_chain_into_chains_in_flight"),
    mutation("21", PK, "n <= limit; n++", "n <= limit + 1; n++", "virtq_packed:rule_21_segments"),
    mutation("13", PK, "n <= limit; n++", "n < limit; n++", "virtq_packed:rule_13_chain_length"),
    never("17", PK, "writing && !(d.flags & DESC_WRITE)", "virtq_packed:rule_17_readable_behind_writable"),
    never("17", PK, "writing && !(e.flags & DESC_WRITE)", "virtq_packed:rule_17_readable_behind_writable"),
    mutation("19", PK, "(d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0 && d.len != 0",
             "(d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0", "virtq_packed:rule_19_empty_descriptors"),
    never("21", PK, "t.entries > VIRTQ_SEGMENTS", "virtq_packed:rule_21_segments"),
    mutation("21", PK, "MIN(room, (u32)VIRTQ_SEGMENTS)); /* rules", "room); /* rules",
             "virtq_packed:rule_21_segments"),
    never("22", PK, "unlikely(room == 0)", "virtq_packed:rule_22_in_flight"),
    mutation("22", PK, "distance(q, q->used_published, q->avail_next)", "distance(q, q->used_next, q->avail_next)",
             "virtq_packed:rule_22_in_flight"),
    mutation("23", PK, "if (d.flags & DESC_INDIRECT) { /* rule 23 */", "if (0) {",
             "virtq_packed:rule_23_indirect_behind_direct"),
    mutation("23", PK, "if (!is_available(q, at, d.flags)) { /* rule 23 */", "if (0) {",
             "virtq_packed:rule_23_rest_of_a_chain_is_available"),
    mutation("23", PK, "first_lap(q, at) ? DESC_AVAIL : DESC_USED);", "DESC_AVAIL);",
             "virtq_packed:rule_23_availability"),
    mutation("23", PK, "(flags & (DESC_AVAIL | DESC_USED)) ==", "(flags & DESC_AVAIL) ==",
             "virtq_packed:rule_23_availability"),
    never("32", PK, "q->used_next == q->used_published", "virtq_packed:rule_32_staged_is_invisible"),
    mutation("wakeup", PK, "    return virtq_packed_look(q);\n", "    return false;\n",
             "virtq_packed:notify_by_event"),
    mutation("wakeup", PK, "distance(q, old, at) < distance(q, old, new)", "false",
             "virtq_packed:interrupt_by_event"),
    mutation("wakeup", PK, "distance(q, old, at) < distance(q, old, new)", "true",
             "virtq_packed:interrupt_by_event"),
    # --- C: using data
    mutation("24", RX, "have = hdr_len + f->head_len;", "have = hdr_len;",
             "net:rule_24_checked_is_delivered"),
    mutation("24", TX, "hdr_len + f->head_len); /* rule 24 */", "hdr_len);",
             "net:rule_24_checked_is_delivered"),
    mutation("25", O, " || !check_csum(f, &l))", ")", "offload:rule_25_asked_for"),
    mutation("25", O, "start >= l->transport && end <= HEADERS_MAX", "end <= HEADERS_MAX",
             "offload:rule_25_asked_for"),
    mutation("25", O, "start >= l->transport && end <= HEADERS_MAX", "start >= l->transport",
             "offload:rule_25_asked_for"),
    mutation("25", O, " || ip[0] >> 4 != 4)", ")", "offload:rule_25_headers_must_fit"),
    mutation("25", O, " || f->head[l->network] >> 4 != 6)", ")", "offload:rule_25_headers_must_fit"),
    mutation("25", O, "len < IPV4_LEN || ", "", "offload:rule_25_of_plain_frames"),
    never("25", O, "(load_be16(ip + IPV4_FRAGMENT) & 0x3fff) != 0", "offload:rule_25_headers_must_fit"),
    mutation("25", O, "return l->protocol != NEXT_FRAGMENT;", "return true;", "offload:rule_25_of_plain_frames"),
    mutation("25", O, "needs == 0 || o->gso_size == 0 ||", "o->gso_size == 0 ||",
             "offload:rule_25_asked_for"),
    mutation("25", O, " || o->gso_size == 0 ||", " ||", "offload:rule_25_large_frames"),
    mutation("25", O, " || f->len > NET_SUPER_MAX", "", "offload:rule_25_large_frames"),
    never("25", O, "payload > o->gso_size * (u32)OFFLOAD_SEGMENTS", "offload:rule_25_large_frames"),
    mutation("25", O, "f->offload.csum_start != l->transport ||", "", "offload:rule_25_asked_for"),
    mutation("25", O, "len < least || l->", "l->", "offload:rule_25_headers_must_fit"),
    mutation("25", O, "return f->offload.gso == GSO_NONE;\n    }\n    if (!parse", "return true;\n    }\n    if (!parse",
             "offload:rule_25_asked_for"),
    mutation("25", TX, "return gso_negotiated(v, &f->offload) && ", "return ",
             "net_offload:rule_25_not_negotiated"),
    mutation("25", TX, " && offload_check(f);", ";", "net_offload:rule_25_nonsense"),
    mutation("26", C, "while (done < len && at.spans > 0) { /* rule 26 */", "while (done < len) {",
             "virtq:rule_26_writes_end_with_the_chain"),
    mutation("27", RX, "__builtin_memcpy(f->room + NET_ROOM - hdr_len, &hdr, hdr_len);",
             "(void)hdr; (void)chain_read(f->chain, 0, f->room, hdr_len);", "net:rule_27_header_is_ours"),
    mutation("29", P, "f->budget -= 1 + (s32)((f->len + 1023) >> 11);", "f->budget -= 1;",
             "net:rule_29_large_frames_end_the_burst"),
    # --- D: completion
    mutation("30", SP, "q->used_next++; /* rule 30",
             "q->used_next = (u16)(gmem_load16(gmem_at(q->used, RING_IDX)) + 1); /*",
             "virtq:rule_30_used_index_is_private"),
    mutation("32", RX, "        virtq_undo(q, mark);\n", "", "net:rule_32_too_few_buffers"),
    mutation("32", "virtio/virtq.h", "    q->avail_next = m.avail_next;\n", "", "virtq:undone_is_as_if_never_taken"),
    mutation("32", RX, "part = MIN(c->writable, total - done);",
             "part = MIN(c->writable - 1, total - done);", "net:rule_32_merged_buffers"),
    # --- E: life cycle
    mutation("33", M, "        spin_lock(&q->lock); /* rule 33 */\n        virtq_reset(q);\n"
             "        spin_unlock(&q->lock);", "        virtq_reset(q);",
             "race:rule_33_reset_under_load", build="tsan"),
    mutation("33", M, "        virtq_reset(q);\n", "", "virtio_mmio:rule_39_reset"),
    mutation("34", M, "if (virtio_running(v)) { /* rule 34 */", "if (1) {",
             "virtio_mmio:rule_34_silent_before_driver_ok"),
    always("34", M, "v->status & VIRTIO_DRIVER_OK", "virtio_mmio:rule_34_silent_before_driver_ok"),
    mutation("34", M, "(added & VIRTIO_DRIVER_OK) && may_drive(v)", "(added & VIRTIO_DRIVER_OK)",
             "virtio_mmio:rule_34_no_driver_ok_without_features"),
    mutation("34", M, "(added & VIRTIO_DRIVER_OK) && may_drive(v)", "(added & VIRTIO_DRIVER_OK)",
             "virtio_legacy:rule_34_driver_ok"),
    mutation("34", M, "(atomic_load(&v->status) & VIRTIO_DRIVER) && features_fit(v)", "features_fit(v)",
             "virtio_legacy:rule_34_driver_ok"),
    mutation("34", M, "(atomic_load(&v->status) & VIRTIO_DRIVER) && features_fit(v)",
             "(atomic_load(&v->status) & VIRTIO_DRIVER)", "virtio_legacy:rule_34_driver_ok"),
    mutation("34", RX, "virtio_running(&n->virtio) && pair_used(n, index)", "pair_used(n, index)",
             "net:rule_34_no_frames_before_driver_ok"),
    mutation("35", M, "unlikely(value >= n || !virtio_running(v))", "!virtio_running(v)",
             "virtio_mmio:rule_35_notify_only_what_is_there"),
    mutation("35", M, "unlikely(value >= n || !virtio_running(v))", "value >= n",
             "virtio_mmio:rule_35_notify_only_what_is_there"),
    never("36", M, "features_settled(v)", "virtio_mmio:rule_36_features_are_frozen"),
    never("36", M, "features_settled(v)", "virtio_legacy:rule_36_features"),
    mutation("36", M, "value &= sel == 0 ? (u32)offered(v) : 0;", "", "virtio_legacy:rule_36_features"),
    mutation("35", M, "value &= atomic_load(&v->notify_mask);", "", "virtio_mmio:rule_35_notification_data"),
    mutation("35", M, "value &= atomic_load(&v->notify_mask);", "value &= 0xffff;",
             "virtio_mmio:rule_35_notify_only_what_is_there"),
    never("1", L, "q == NULL || (q->ready && offset != QUEUE_PFN)", "virtio_legacy:rule_1_queue_select"),
    mutation("8", L, "q == NULL || (q->ready && offset != QUEUE_PFN)", "q == NULL",
             "virtio_legacy:rule_8_set_up_is_frozen"),
    mutation("8", L, "pfn != 0 && !q->ready", "pfn != 0", "virtio_legacy:rule_8_set_up_is_frozen"),
    never("3", L, "!is_pow2(value) || value > PAGE_MOST", "virtio_legacy:rule_3_page_size_and_alignment"),
    mutation("3", L, "!is_pow2(value) || value > PAGE_MOST", "!is_pow2(value)",
             "virtio_legacy:rule_3_page_size_and_alignment"),
    mutation("3", L, "!is_pow2(value) || value > PAGE_MOST", "value > PAGE_MOST",
             "virtio_legacy:rule_3_page_size_and_alignment"),
    mutation("4", L, "(u64)pfn * v->page_size", "pfn * v->page_size", "virtio_legacy:rule_4_block_in_ram"),
    mutation("37", M, "v->status | VIRTIO_NEEDS_RESET", "v->status", "virtio_mmio:rule_37_broken"),
    mutation("37", TX, "            virtio_broken(&n->virtio, q->why);\n            return false;",
             "            return false;", "net:rule_37_bad_transmit_queue"),
    mutation("37", RX, "        virtio_broken(&n->virtio, q->why);\n        return DROP_BROKEN;",
             "        return DROP_BROKEN;", "net:rule_37_bad_receive_queue"),
    mutation("38", M, "if (offset < v->ops->config_size) { /* rule 38 */", "if (1) {",
             "virtio_mmio:rule_38_config_bounds"),
    mutation("38", M, "v->ops->config_write == NULL || offset >= v->ops->config_size",
             "v->ops->config_write == NULL", "virtio_mmio:rule_38_config_bounds"),
    mutation("38", M, "&value, MIN(size, v->ops->config_size - offset));\n    }\n    return value;",
             "&value, size);\n    }\n    return value;", "virtio_mmio:rule_38_config_bounds"),
    mutation("39", M, "    update_line(v); /* rule 39 */\n", "", "virtio_mmio:rule_39_reset"),
    # --- F: fairness
    mutation("40", TX, "i < BURST && pair->frame.budget > 0", "i < 1000 && pair->frame.budget > 0",
             "net:rule_40_dropped_frames_count"),
    mutation("40", RX, "cost < RX_COST && count < RX_COST ?", "1 ?", "net:rule_40_receiver_with_crumbs"),
    never("40", S, "f->budget <= 0", "switch:rule_40_flood_goes_on_in_the_next_burst"),
    mutation("41", M, "if (first) { /* rule 41", "if (1) { /*", "virtio_mmio:rule_41_log_is_limited"),
    # --- no wake-up is lost
    never("wakeup", TX, "more || pair->watching", "net:a_kick_while_work_is_queued_is_not_lost"),
    mutation("wakeup", SP, "return gmem_load16_acquire(gmem_at(q->avail, RING_IDX)) != q->avail_next;",
             "return false;", "virtq:notify_by_event"),
    mutation("wakeup", M, "atomic_load(&v->events_seen) != v->events", "0",
             "virtio_mmio:acknowledged_too_late"),
    # --- the switch
    mutation("switch", P, "likely(source == p->address) || port_may_be(p, source)", "true", "switch:spoofing"),
    mutation("switch", "net/port.c", "return source != 0 && (source & MAC_MULTICAST) == 0;", "return true;",
             "switch:spoofing_allowed"),
    never("switch", S, "owner != NO_PORT && owner != p->number", "switch:spoofing_allowed"),
    mutation("switch", S, "to == p->number || ", "", "switch:no_way_back"),
    mutation("switch", ST, "return now - e->seen > t->age;", "return false;", "switch:learns_and_forgets"),
    mutation("switch", ST, "bool full = t->taught[port] >= PORT_CAP;", "bool full = false;",
             "switch:one_port_teaches_only_so_much"),
    mutation("switch", ST, "e->key != 0 && e->port == port && (own", "e->key != 0 && (own",
             "switch:nobody_pushes_out_what_others_taught"),
    mutation("switch", S, "to == p || !atomic_load(&to->up)", "to == p", "switch:flood"),
    mutation("switch", S, "to == p || !atomic_load(&to->up)", "!atomic_load(&to->up)", "switch:flood"),
    mutation("switch", SR, "return v->vid == vlan || in_list(v, vlan);", "return true;",
             "switch_vlan:floods_stay_within"),
    mutation("switch", SR, " || inner == NET_VLAN || inner == NET_QINQ", "", "switch_vlan:double_tags"),
    mutation("switch", SR, "frame_type(f) != NET_VLAN || ", "", "switch_vlan:access_sends_no_tags"),
    mutation("switch", SR, "vlan == 0 || in_list(v, vlan) ? (s32)vlan : -1", "(s32)vlan",
             "switch_vlan:trunk_sends_only_what_is_listed"),
    never("switch", SR, "!frame_extend(f, NET_ETHERNET + NET_VLAN_TAG)", "switch_vlan:half_a_tag"),
    never("switch", SR, "vlan <= 0", "switch_vlan:floods_stay_within"),
    mutation("switch", "net/switch_rules.h", "a->rules.isolate && b", "false && b", "switch_rules:isolated_ports_never_talk"),
    never("switch", S, "(p->special & SPECIAL_MONITOR) != 0",
          "switch_rules:a_monitor_gets_all_and_sends_nothing"),
    never("switch", S, "s->drop_unknown && !group", "switch_rules:drop_unknown"),
    never("switch", S, "!limits_storm(&p->limits, f)", "switch_limit:storms"),
    mutation("switch", NL, "MAX(l->until, now)", "l->until", "switch_limit:bytes_per_second"),
    mutation("switch", NL, "(f->len - o->headers + o->gso_size - 1) / o->gso_size", "1",
             "switch_limit:a_super_frame_counts_as_its_segments"),
    never("switch", "virtio/net_tx.c", "pair->frame.not_before != 0", "switch_limit:reset_while_waiting"),
    mutation("switch", SP, "q->avail_next + UINT16_MAX / 2", "q->avail_next", "poller:never_notifies_by_event"),
    mutation("switch", "virtio/net_tx.c", " && !atomic_load(&n->port.polled)", "",
             "poller:a_notification_does_nothing"),
    # --- random bytes
    mutation("random", "virtio/rng.c", "MIN(g->chain.writable, RANDOM_MAX)", "g->chain.writable",
             "rng:only_so_much_and_not_a_byte_more"),
    mutation("random", "virtio/rng.c", "virtio_running(v) && !g->pausing", "virtio_running(v)",
             "rng:many_requests_take_their_time"),
    mutation("random", "virtio/rng.c", "virtio_running(&g->virtio) && g->pausing",
             "virtio_running(&g->virtio)", "rng:reset_in_the_pause"),
    always("random", "virtio/rng.c", "random_source() != RANDOM_NONE", "rng:refused_without_entropy"),
    # --- shares of a receiver's buffers
    mutation("share", RX, "&pair->share, want, &q->most) && !q->broken", "&pair->share, want, &q->most)",
             "share:a_broken_ring_is_noticed"),
    mutation("share", RX, "why == DROP_SHARE ? f->from : p", "p", "share:a_flood_leaves_room"),
    mutation("share", RX, "    share_reset(&pair->share);\n", "", "share:a_reset_forgets"),
    mutation("share", SP, "return (u16)(q->avail_seen - q->avail_next);", "return q->size;",
             "share:a_flood_leaves_room"),
    mutation("share", PK, "    q->avail_seen -= MIN(q->avail_seen, c->slots);\n", "",
             "virtq_packed:ready_after_laps"),
    mutation("share", SH, "return held <= w.ready ||", "return true ||", "share:in_company_some_are_left"),
    mutation("share", SH, " && w.ready > most / RESERVE", "", "share:in_company_some_are_left"),
    mutation("share", SH, "GROUP * held <= w.ready", "held <= w.ready", "share:groups_get_less"),
    never("share", SH, "s->deaf[w.from] >= DEAF", "share:who_was_deaf_is_heard_again"),
    mutation("share", SH, "MAX(s->holders, 2u)", "s->holders", "share:company_is_forgotten"),
    never("share", SH, "now - s->moved >= STALL_NS", "share:a_driver_that_offers_less"),
    mutation("share", SH, "    look_at_clock(s, ready, most);\n    if (allowed", "    if (allowed",
             "share:a_pause_is_forgiven"),
    mutation("share", SH, "    fade(s, now);\n", "", "share:who_pauses_is_heard_again"),
    mutation("share", SH, "    s->faded = now;\n", "", "share:who_pauses_is_heard_again"),
    mutation("share", SH, "    release(s, SHARE_BUFFERS - count);\n", "", "share:more_than_there_are"),
    never("share", SH, "held > 0", "share:what_was_taken_alone_is_held"),
    never("capture", "net/capture.c", "c->on && c->to != NULL && !has_room(c, f->len)",
          "capture:a_slow_reader_loses_whole_frames"),
    # --- virtio-console
    mutation("console", VC, "virtio_running(v) && q->ready", "virtio_running(v)",
             "virtio_console:rule_7_queue_taken_away_amid_a_buffer"),
    mutation("console", VC, "virtio_running(v) && q->ready", "q->ready",
             "virtio_console:rule_34_nothing_before_driver_ok"),
    mutation("console", VC, "        p->sending = false;\n        p->lulled", "        p->lulled",
             "virtio_console:rule_33_reset_amid_a_buffer"),
    mutation("console", VC, "q->ready && virtq_unseen(q)", "q->ready",
             "virtio_console:interrupts_of_output"),
    mutation("console", VC, "#define CHAINS     8 ", "#define CHAINS     64 ",
             "virtio_console:rule_40_a_full_ring"),
    mutation("console", VC, "#define BYTES      256", "#define BYTES      1024",
             "virtio_console:rule_40_a_full_ring"),
    mutation("console", VC, "p->opts->in &&", "", "virtio_console:one_way_ports"),
    mutation("console", VC, "atomic_load(&p->open) != 0);", "1);",
             "virtio_console:a_closed_port_gets_nothing"),
    mutation("console", VC, "u32 room = MIN(p->rx.writable, budget);", "u32 room = budget;",
             "virtio_console:long_input_waits"),
    mutation("console", VC, "offset != offsetof(struct console_config, emerg_wr)", "0",
             "virtio_console:emergency"),
    mutation("console", VC, "if (!chan_has_input(p->chan)) {", "if (0) {", "virtio_console:takes_input"),
    never("console", VK, "m->id >= n", "virtio_console:messages_without_meaning"),
    mutation("console", VK, "n >= MESSAGE_HEAD", "1", "virtio_console:handshake_buffer_by_buffer"),
    mutation("console", VK, "#define BURST 8", "#define BURST 1000",
             "virtio_console:rule_40_many_messages"),
    mutation("console", VK, "    memset(c->ctrl.owed, 0, sizeof(c->ctrl.owed));\n", "",
             "virtio_console:reset_forgets_what_was_to_be_said"),
    mutation("console", VK, "m, MESSAGE_HEAD) != MESSAGE_HEAD", "m, MESSAGE_HEAD) == 0",
             "virtio_console:messages_without_meaning"),
    # --- streams, and work in another VM's time
    mutation("watch", TX, "unlikely(atomic_load(&n->port.polled)) || pair->watching;",
             "atomic_load(&n->port.polled);", "net_watch:a_stream_is_not_notified"),
    mutation("watch", W, "pair->lean == LEAN ||", "", "net_watch:the_end_of_a_stream"),
    mutation("watch", W, "|| received(n, pair) ||", "||", "net_watch:an_answer_amid_a_stream"),
    mutation("watch", W, "net_tx_intrudes(n) ||", "", "net_watch:a_stream_in_anothers_time"),
    never("watch", W, "received(n, pair)", "net_watch:who_gets_answers_is_not_watched"),
    mutation("watch", W, "pair->looks < SOON ? STREAM_AGAIN : STREAM", "STREAM",
             "net_watch:slow_senders_are_not_watched"),
    mutation("watch", W, "    stop(pair);\n    pair->alone_least = STREAM;", "    pair->alone_least = STREAM;",
             "net_watch:reset_amid_a_stream"),
    never("watch", TX, "more && f->not_before == 0 && net_tx_intrudes(n)",
          "net_watch:work_in_anothers_time"),
    # --- the control queue
    mutation("control", NC, "if (virtio_running(&n->virtio) && q->ready) {",
             "if (virtio_running(&n->virtio)) {", "net_ctrl:rule_7_queue_taken_away_amid_a_command"),
    never("control", NC, "n > (c->readable - at) / MAC_LEN", "net_filter:mac_table_cut_off"),
    mutation("control", NC, "*many = n > FILTER_MACS;", "*many = false;", "net_filter:mac_table_full"),
    mutation("control", NC, "cmd->code < 2 ? NET_F_CTRL_RX : NET_F_CTRL_RX_EXTRA", "NET_F_CTRL_RX",
             "net_ctrl:not_negotiated"),
    mutation("control", NC, "!n->port.mac_spoof_allow || ", "",
             "net_legacy:address_not_to_be_written"),
    mutation("control", NC, " || (address & MAC_MULTICAST) != 0", "", "net_filter:address"),
    mutation("control", NC, "    virtio_config_changed(&n->virtio); /* config.mac", "    /*",
             "net_filter:address"),
    mutation("control", NC, "vid >= 4096", "0", "net_filter:vlans"),
    mutation("control", NC, " || pairs > n->max_pairs", "", "net_ctrl:pairs"),
    mutation("control", NC, "pairs == 0 ||", "", "net_ctrl:pairs"),
    mutation("control", NC, " || (wanted & ~had) != 0", "", "net_ctrl:guest_offloads"),
    mutation("control", NC, "#define BURST    4", "#define BURST    1000",
             "net_ctrl:rule_40_a_long_list_of_commands"),
    mutation("control", NC, "? 2 * n->max_pairs : 2;", "? 2 * n->max_pairs : 2 * n->max_pairs;",
             "net_ctrl:not_negotiated"),
    mutation("control", NC, "    atomic_store(&n->pairs, 1u);\n", "",
             "net_ctrl:pairs_end_with_the_driver"),
    mutation("control", N, " && virtio_has(&n->virtio, NET_F_GUEST_ANNOUNCE);", ";",
             "net_ctrl:announcement"),
    mutation("control", N, "(features & long_header) != 0 ? HDR_LEN : HDR_LEN_SHORT", "HDR_LEN",
             "net_legacy:the_short_header"),
    mutation("control", N, " && !v->legacy) { /* to old", ") { /*",
             "net_legacy:features_without_what_they_need"),
    mutation("control", NF, "frame_type(frame) != NET_VLAN", "!frame_tagged(frame)", "net_filter:vlans"),
    mutation("control", NF, "(mode & FILTER_NOMULTI) == 0 &&", "", "net_filter:filter_modes_together"),
    mutation("control", CO, "c->wanted = c->count < c->packets;", "c->wanted = true;",
             "net_coal:receiving_by_count"),
    mutation("control", CO, "first ? batch : c->count + batch", "c->count + batch",
             "net_coal:time_begins_with_the_first_frame"),
    mutation("control", CO, "        timer_set(&c->timer, arch_now_ns() + c->usecs * 1000ull);\n", "",
             "net_coal:receiving_by_time"),
    mutation("control", CO, "    timer_cancel(&c->timer);\n", "", "net_coal:reset"),
    mutation("control", CO, "    fire(c); /* it waited", "    /*",
             "net_coal:a_change_lets_go_what_waits"),
    # --- the SMMU: what isn't the VM's is out of reach; its memory, barriers, errors, events
    outside("smmu", SU, " | GBPA_ABORT", "", "smmuv3:test_nothing_passes"),
    outside("smmu", SU, "    if (!wait_for(GBPA, GBPA_UPDATE, 0)) {\n        return false;\n    }\n    set_reg(CR0, 0);", "    set_reg(CR0, 0);",
            "smmuv3:test_stuck"),
    outside("smmu", SU, "(idr0 & IDR0_S2P) == 0 || ", "", "smmuv3:test_lacks"),
    outside("smmu", SU, " || (idr0 & IDR0_TTF_AARCH64) == 0", "", "smmuv3:test_lacks"),
    outside("smmu", SU, "(idr0 & IDR0_BIG_ENDIAN) == IDR0_BIG_ENDIAN", "0", "smmuv3:test_lacks"),
    outside("smmu", SU, "(idr0 & IDR0_STALLS) == IDR0_STALL_ONLY", "0", "smmuv3:test_lacks"),
    outside("smmu", SU, "(reg(IDR5) & IDR5_GRAN4K) == 0", "0", "smmuv3:test_lacks"),
    outside("smmu", SU, "(idr1 & IDR1_PRESET) != 0", "0", "smmuv3:test_lacks"),
    outside("smmu", SU, "IDR1_CMDQS(idr1) < CMDS_LOG2 || ", "", "smmuv3:test_lacks"),
    outside("smmu", SU, " || IDR1_EVENTQS(idr1) < EVENTS_LOG2", "", "smmuv3:test_lacks"),
    outside("smmu", SU, "board->smmu.reg.size < REGISTERS_SIZE ||", "board->smmu.reg.size == 0 ||", "smmuv3:test_none"),
    outside("smmu", SU, "if (sid >> smmu.sid_bits != 0) {", "if (0) {", "smmuv3:test_attach"),
    outside("smmu", SU, "(r->host + r->size - 1) >> oas_bits[smmu.oas] != 0", "0", "smmuv3:test_attach"),
    outside("smmu", SU, "r->writable ? PGTABLE_RW : PGTABLE_RO", "PGTABLE_RW", "smmuv3:test_reach"),
    outside("smmu", SU, "doorbell, PAGE_SIZE,", "doorbell, 2 * PAGE_SIZE,", "smmuv3:test_reach"),
    outside("smmu", SU, "return frame == 0 || ", "return ", "smmuv3:test_reach"),
    outside("smmu", SU, "smmu.stream[i].vm == vm", "true", "smmuv3:test_reach"),
    outside("smmu", SU, "        smmu.ste[i] = STE_ABORT;", "        smmu.ste[i] = STE_STAGE2;", "smmuv3:test_start"),
    outside("smmu", SU, "        publish(made[i].page, made[i].size);", "        ;", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "    publish(smmu.ste, len);", "", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "    publish(smmu.event, EVENTS * 32);", "", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "    publish(ste, 8);", "", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "    publish(at, 16);", "", "smmuv3:test_start"),
    outside("smmu", SU, "    dsb_sy(); /* before the register", "    /*", "smmuv3:test_start"),
    outside("smmu", SU, "(smmu.coherent ? STE2_WALKS : 0)", "STE2_WALKS", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "smmu.coherent ? CR1_WRITE_BACK : CR1_UNCACHED", "CR1_WRITE_BACK", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "        arch_clean_dcache(e, 32);", "        ;", "smmuv3:test_reach_not_coherent"),
    outside("smmu", SU, "        dmb_sy(); /* the record is read", "        /*", "smmuv3_events:test_event_types"),
    outside("smmu", SU, "    push(CMD_CFGI_ALL, CFGI_ALL_RANGE);", "", "smmuv3:test_start"),
    outside("smmu", SU, "    push(CMD_TLBI_NSNH_ALL, 0);", "", "smmuv3:test_start"),
    outside("smmu", SU, "if ((reg(IDR0) & IDR0_HYP) != 0) {", "if (1) {", "smmuv3:test_no_el2"),
    outside("smmu", SU, "    set_reg(GERRORN, reg(GERROR)); /* an error", "    /*", "smmuv3:test_start"),
    outside("smmu", SU, "    push((u64)s->sid << 32 | CMD_CFGI_STE, CFGI_LEAF);", "", "smmuv3:test_open_close"),
    outside("smmu", SU, "% (2 * CMDS);", "% CMDS;", "smmuv3:test_queue_wraps"),
    outside("smmu", SU, "        if ((cons & (2 * CMDS - 1)) == smmu.prod) {", "        if (1) {", "smmuv3:test_queue_wraps"),
    outside("smmu", SU, "            dmb_sy(); /* memory that", "            /*", "smmuv3_events:test_memory_after_a_close"),
    outside("smmu", SU, " && (cons & CMDQ_ERROR) == 0", "", "smmuv3_events:test_refuses"),
    outside("smmu", SU, "#define SYNC_READS 4500", "#define SYNC_READS 1000000", "smmuv3_events:test_hangs"),
    outside("smmu", SU, "#define OFF_READS  400", "#define OFF_READS  1000000", "smmuv3_events:test_stays_on"),
    outside("smmu", SU, "    smmu.dead = true;\n    set_reg(CR0, 0);", "    smmu.dead = true;", "smmuv3_events:test_hangs"),
    outside("smmu", SU, "    smmu.dead = true;\n", "", "smmuv3_events:test_hangs"),
    outside("smmu", SU, "        check_errors();", "        ;", "smmuv3_events:test_service_failure"),
    outside("smmu", SU, "(active & (GERROR_SFM | GERROR_CMDQ)) != 0", "(active & GERROR_SFM) != 0", "smmuv3_events:test_command_error_at_an_event"),
    outside("smmu", SU, "        acknowledge(active);\n        if", "        if", "smmuv3_events:test_errors_that_pass"),
    outside("smmu", SU, "    acknowledge(active);\n    log_err", "    log_err", "smmuv3_events:test_service_failure"),
    outside("smmu", SU, "if ((active & ~smmu.told) != 0) {", "if (1) {", "smmuv3_events:test_errors_that_pass"),
    outside("smmu", SU, "        smmu.ste = NULL;", "", "smmuv3:test_no_memory"),
    outside("smmu", SU, "(e[1] & EVENT_READ) == 0", "true", "smmuv3_events:test_event_types"),
    outside("smmu", SU, "cons | (prod & EVENTQ_OVERFLOW));\n            prod", "cons);\n            prod", "smmuv3_events:test_overflow"),
    outside("smmu", SU, "            prod = reg(EVENTQ_PROD);", "", "smmuv3_events:test_late_event"),
    outside("smmu", SU, "i < EVENTS && events_left", "events_left", "smmuv3_events:test_flood"),
    outside("smmu", SU, "        gic_spi_pend(host_irqs.smmu);", "", "smmuv3_events:test_flood"),
    outside("smmu", SU, "    if (!open) {\n        take_events();\n    }", "", "smmuv3_events:test_last_life"),
    outside("smmu", SU, "    if (atomic_load(&smmu.taker) == arch_pcpu()) {\n        return;\n    }", "",
            "smmuv3_events:test_close_with_a_full_queue"),
    # --- the ITS: what it must be able to do, its tables, whose a message is
    outside("its", IT, "(dist & GICD_TYPER_LPIS) == 0 || ", "", "its:test_lacks"),
    outside("its", IT, " || field(dist, GICD_TYPER_IDBITS) + 1 < LPI_BITS", "", "its:test_lacks"),
    outside("its", IT, "if (lpis != 0 && lpis + 1 <", "if (lpis != 0 && lpis + 2 <", "its:test_lacks"),
    outside("its", IT, "if (lpis != 0 && lpis + 1 <", "if (lpis != 0 && lpis <", "its:test_other_tables"),
    outside("its", IT, "(its.typer & TYPER_PHYSICAL) == 0", "0", "its:test_lacks"),
    outside("its", IT, "field(its.typer, 8) + 1 < EVENT_BITS ?", "0 ?", "its:test_lacks"),
    outside("its", IT, "(its.typer & TYPER_SEIS) != 0", "0", "its:test_lacks"),
    outside("its", IT, "    wait_for(GITS_CTLR, CTLR_QUIESCENT, CTLR_QUIESCENT);", "", "its:test_restless"),
    outside("its", IT, "(u64)device >> device_bits != 0 || ", "", "its:test_attach"),
    outside("its", IT, " || count > EVENTS ||", " ||", "its:test_attach"),
    outside("its", IT, "        first + count > BIT(EVENT_BITS)", "        0", "its:test_attach"),
    outside("its", IT, "its.devices == DEVICES || ", "", "its:test_many"),
    outside("its", IT, "its.device[i].id == device", "0", "its:test_attach"),
    outside("its", IT, "n < its.devices * EVENTS && ", "", "its:test_lpi_beyond_the_last"),
    outside("its", IT, " && n % EVENTS < its.device[n / EVENTS].count", "", "its:test_foreign_lpis"),
    outside("its", IT, "    arch_clean_dcache(p, size);", "", "its:test_not_coherent"),
    outside("its", IT, "            arch_clean_dcache(p, LPIS);", "", "its:test_not_coherent"),
    outside("its", IT, "    arch_clean_dcache(c, 8 * CMD_WORDS);", "", "its:test_not_coherent"),
    outside("its", IT, "(io_read64_halves(reg) & BASE_SHARE) == 0", "0", "its:test_not_coherent"),
    outside("its", IT, "(u64)top + 1 : PCPU_MAX", "(u64)top : PCPU_MAX", "its:test_large_table"),
    outside("its", IT, "    io_write64_halves(reg, 0);\n", "", "its:test_messages"),
    outside("its", IT, "(u64)(uintptr_t)p | (pages - 1)", "(u64)(uintptr_t)p", "its:test_large_table"),
    outside("its", IT, "if (pages > 256) {", "if (0) {", "its:test_table_too_large"),
    outside("its", IT, "table((size_t)pages << bits, BIT(bits))", "table((size_t)pages << bits, PAGE_SIZE)", "its:test_large_table"),
    outside("its", IT, " % PAGE_SIZE;\n    io_write64", ";\n    io_write64", "its:test_many"),
    outside("its", IT, "    if (its.failed) {\n        return;\n    }\n    c[0]", "    c[0]", "its:test_stalls"),
    outside("its", IT, "    wait_for(GITS_CREADR, (PAGE_SIZE - 1) | CREADR_STALLED, its.at);", "", "its:test_stalls"),
    outside("its", IT, "(its.typer & TYPER_PTA) != 0 ?", "0 ?", "its:test_targets_by_address"),
    outside("its", IT, "memset(p, GIC_PRIO | LPI_ENABLED, DEVICES * EVENTS);", "", "its:test_messages"),
    outside("its", IT, "(io_read32(frame + GICR_TYPER) & TYPER_PLPIS) == 0 || ", "", "its:test_cpu_without_lpis"),
    outside("its", IT, " || p->id >= its.collections", "", "its:test_too_few_collections"),
    outside("its", IT, "(its.typer & TYPER_CIL) != 0 ?", "0 ?", "its:test_few_bits_of_collections"),
    outside("its", IT, "(io_read32(frame + GICR_CTLR) & CTLR_ENABLE_LPIS) != 0", "0", "its:test_firmware_left_lpis"),
    outside("its", IT, "(1u << LPI_BITS) / 8, PENDING_ALIGN", "(1u << LPI_BITS) / 8, PAGE_SIZE", "its:test_messages"),
    outside("its", IT, " | PENDBASER_ZERO", "", "its:test_messages"),
    outside("its", IT, " || !p->online", "", "its:test_cpu_is_off"),
    outside("its", IT, "(size_t)entry << EVENT_BITS", "(size_t)entry << (EVENT_BITS - 2)", "its:test_messages"),
    outside("its", IT, "i < d->count; i++", "i < d->count + 1; i++", "its:test_messages"),
    outside("its", IT, "    command(CMD_INVALL, 0, p->id);", "", "its:test_messages"),
    outside("its", IT, "    command(CMD_SYNC, 0, target(p));", "", "its:test_messages"),
    # --- disks: requests, and what lies behind them
    mutation("28", BR, "sector > d->size / BLK_SECTOR || ", "", "blk:rule_28_within_the_disk"),
    mutation("28", BR, "bytes > d->size - sector * BLK_SECTOR", "0", "blk:rule_28_within_the_disk"),
    mutation("28", BR, "bytes > d->size - sector * BLK_SECTOR", "0", "blk:rule_28_ranges"),
    mutation("28", BR, "bytes % BLK_SECTOR != 0 || ", "", "blk:rule_28_whole_sectors"),
    mutation("28", BR, "bytes == 0 || ", "", "blk:rule_28_ranges"),
    mutation("28", BR, " bytes % sizeof(struct blk_range) != 0 ||", "", "blk:rule_28_ranges"),
    mutation("28", BR, "bytes / sizeof(struct blk_range) > BLK_RANGES_MAX", "0", "blk:rule_28_ranges"),
    mutation("28", BR, "chain_read(&r->chain, 0, &h, sizeof(h)) < sizeof(h) || r->chain.writable == 0) {\n"
             "        return false; /* rule 28 */",
             "chain_read(&r->chain, 0, &h, sizeof(h)) == 77 || r->chain.writable == 0) { return false;",
             "blk:rule_28_no_header"),
    mutation("28", BR, " || r->chain.writable == 0) {", ") {", "blk:rule_28_no_status"),
    never("28", BR, "writes(h.type) && rules->readonly", "blk:rule_28_readonly"),
    mutation("28", BR, "} else if (!known(h.type, rules)) {", "} else if (0) {", "blk:rule_28_unknown"),
    mutation("28", BR, "(range.flags & ~(u32)RANGE_UNMAP) != 0 || (r->type == T_DISCARD && unmap != 0)) {\n"
             "        finish(r, S_UNSUPP); /* rule 28 */",
             "r->type == T_DISCARD && unmap != 0) {\n finish(r, S_UNSUPP);", "blk:rule_28_ranges"),
    mutation("28", BR, " || (r->type == T_DISCARD && unmap != 0)", "", "blk:rule_28_ranges"),
    mutation("28", B, 'q->why = "a request without header or status"; /* rule 28 */\n'
             "        return VIRTQ_BROKEN;", "return VIRTQ_EMPTY;", "blk:rule_28_no_header"),
    mutation("33", B, "        b->queue[i].busy = false;\n", "", "blk:rule_33_nothing_moves_after_a_reset"),
    never("40", BR, "*budget <= 0", "blk:rule_40_a_large_request_goes_on_as_work"),
    never("40", BR, "*budget <= 0", "blk:rule_40_large_ranges_go_on_as_work"),
    mutation("40", B, "while (budget > 0) {", "for (;;) {", "blk:rule_40_many_requests_go_on_as_work"),
    mutation("40", BR, "*budget -= (s32)(BLK_COST_REQUEST + BLK_COST_BUFFER * r->chain.count);", "",
             "blk:rule_40_many_requests_go_on_as_work"),
    mutation("disk", D, "if (len < PAGE_SIZE) {", "if (0) {", "disk:ram_is_zero_at_first"),
    mutation("disk", D, "(u32)MIN((u64)PAGE_SIZE, d->size - start)", "PAGE_SIZE",
             "disk:last_page_is_not_whole"),
    mutation("disk", D, "} else if (d->used < d->room) {", "} else if (d->used <= d->room) {", "disk:full"),
    mutation("disk", D, "d->freed = d->next[page];", "d->freed = gmem_load32(page_at(d, page));",
             "disk:full"),
    mutation("disk", D, "        give_back(d, what - FIRST_PAGE);\n", "(void)give_back;", "disk:full"),
    mutation("disk", D, "p != NULL && !(whole && release)", "p != NULL && !whole", "disk:zeroes_in_place"),
    # --- shared memory
    never("shmem", SM, "!shmem_allowed(s->opts, str_of(name))", "shmem:spare_regions"),
    mutation("shmem", SM, "!shmem_name_ok(asked) || ", "", "shmem:illegal_names"),
    mutation("shmem", SM, "regions[n].owner == s->dev.conf", "regions[n].owner != NULL",
             "shmem:spare_regions"),
    mutation("shmem", SM, "regions[n].size >= create", "true", "shmem:spare_regions"),
    mutation("shmem", SM, "create != 0 && ", "", "shmem:spare_regions"),
    never("shmem", SM, "i == SHMEM_CLIENTS", "shmem:sixteen_clients"),
    mutation("shmem", SM, "        (void)!arch_s2_map(s->dev.vm, gpa(slot->control + PAGE_SIZE), "
             "r->host, r->size, S2_NONE);\n", "", "shmem:only_while_attached"),
    mutation("shmem", SM, "(!s->slot[n].attached || ", "(", "shmem:only_while_attached"),
    mutation("shmem", SM, "addr - s->slot[n].control >= PAGE_SIZE",
             "addr - s->slot[n].control >= 4 * PAGE_SIZE", "shmem:places"),
    mutation("shmem", SM, "        client_leave(r, i);\n        return STATUS_UNKNOWN_FAILURE;",
             "        return STATUS_UNKNOWN_FAILURE;", "shmem:no_room_in_stage_2"),
    mutation("shmem", SM, "(who & r->live & BIT(i)) != 0", "(who & BIT(i)) != 0", "shmem:doorbell"),
    mutation("shmem", SM, "offset == CONTROL_STATUS && size >= 4", "true", "shmem:doorbell"),
    mutation("shmem", SM, "    line_set(r->client[i].dev, (u32)(r - regions), false);\n", "",
             "shmem:one_line_for_all"),
    mutation("shmem", SM, "        r->live &= (u16)~BIT(i);\n", "", "shmem:others_come_and_go"),
    mutation("shmem", SM, "if (at < SHMEM_NAME) {", "if (at < SHMEM_NAME + 8) {",
             "shmem:name_in_pieces"),
    always("shmem", SM, "offset < image_size", "shmem:power_on"),
    mutation("shmem", SM, "    memset((void *)(uintptr_t)r->host, 0, (size_t)plan->size);\n", "",
             "shmem:zeroed_at_boot"),
    mutation("shmem", SM, "        detach(s, n);\n    }\n    s->shmem", "    }\n    s->shmem",
             "shmem:restart"),
    mutation("shmem", SC, "return !allows;", "return true;", "shmem_conf:rules"),
    never("shmem", SC, "to.len + name.len >= SHMEM_NAME", "shmem:substituted"),
]


def covered():
    """Complains about lines with a `rule N` that no mutation is about."""
    missing = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        text = path.read_text()
        spans = []
        for m in MUTATIONS:
            if m.file == name:
                at = text.find(m.old)
                spans.append((m.rule, text.count("\n", 0, at), text.count("\n", 0, at + len(m.old))))
        for number, line in enumerate(text.split("\n")):
            for rules in re.findall(r"/\* rules? ([0-9, ]+)", line):
                for rule in re.findall(r"\d+", rules):
                    hit = any(r == rule and a <= number <= b for r, a, b in spans)
                    if not hit and rule not in BY_REVIEW:
                        missing.append(f"{name}:{number + 1}: rule {rule}: no mutation takes it out")
    return missing


# Linked with every test: CASE in the environment is the only one of its cases that runs.
FILTER = """
#include <stdlib.h>
void cmocka_set_test_filter(const char *pattern);
__attribute__((constructor)) static void choose(void)
{
    cmocka_set_test_filter(getenv("CASE"));
}
"""


def compiled(out, source, *options):
    subprocess.run(["gcc", *CFLAGS, *options, "-c", "-o", str(out), str(source)], check=True)
    return str(out)


def sources_of(m):
    """What is to be compiled anew, by the objects in whose place that comes. Of a header: all that
    includes it, of the tests m's own alone."""
    build = BUILD / m.build
    if not m.file.endswith(".h"):
        return {build / f"{m.file}.o": m.file}
    found = {}
    for deps in build.rglob("*.c.d"):
        words = deps.read_text().split()
        if m.file in words and (deps.parent.name != "unit" or deps.name == f"{m.test}_test.c.d"):
            found[deps.with_suffix(".o")] = next(w for w in words if w.endswith(".c"))
    return found


def compile_mutant(m, folder):
    """The objects with the change in them, by those in whose place they come."""
    text = (ROOT / m.file).read_text()
    if text.count(m.old) != 1:
        raise SystemExit(f"mutate: {m.file}: occurs {text.count(m.old)} times: {m.old!r}")
    copy = folder / m.file
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text.replace(m.old, m.new))
    options = [*FLAGS[m.build], "-O0", f"-I{folder}", f"-I{ROOT}", f"-I{ROOT}/arch/host/include",
               "-isystem", f"{BUILD}/deps/libfdt"]
    return {old: compiled(folder / f"{n}.o", copy if source == m.file else ROOT / source, *options)
            for n, (old, source) in enumerate(sources_of(m).items())}


def link(program, test, build, choose, instead=()):
    """A test with some of its objects replaced."""
    folder = BUILD / build
    objects = [*sorted((folder / "tests/host").glob("*.o")), folder / f"tests/unit/{test}_test.c.o"]
    subprocess.run(["gcc", *FLAGS[build], "-o", str(program), choose, *dict(instead).values(),
                    *(str(o) for o in objects if o not in instead), str(folder / "libmuntin.a"),
                    "-lcmocka", "-lpthread"], check=True)


def run_case(program, case, build):
    """What failed: the case by its name if it did, and the exit code."""
    chosen = {} if case == "GROUP" else {"CASE": case}  # GROUP: what comes before the first case
    # A session of its own: a case may run in a process of its own, which must not outlive the test.
    run = subprocess.Popen([str(program)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace", env={**os.environ, **chosen},
                           start_new_session=True)
    try:
        output, code = run.communicate(timeout=TIMEOUT)[0], run.returncode
    except subprocess.TimeoutExpired as e:
        output, code = (e.stdout or b"").decode(errors="replace"), -1
    finally:
        try:
            os.killpg(run.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        run.wait()
        run.stdout.close()
    started = re.findall(r"\[ RUN      \] (\S+)", output)
    failed = set(re.findall(r"\[  FAILED  \] (\w+)", output))
    if code != 0 and started and f"[       OK ] {started[-1]}" not in output:
        failed.add(started[-1])  # crashed or hung in it
    if build == "tsan" and "WARNING: ThreadSanitizer" in output:
        failed.add(case)
    return failed, code


def tried(m, choose):
    """None if the case fails with the change in; else what happens instead."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = folder / "test"
        link(program, m.test, m.build, choose, compile_mutant(m, folder))
        failed, _ = run_case(program, m.case, m.build)
        return None if m.case in failed else f"survived ({', '.join(sorted(failed)) or 'nothing'} failed)"


def tried_unchanged(test, build, cases, choose):
    """Complains about cases that fail alone, whatever the sources say."""
    with tempfile.TemporaryDirectory() as name:
        program = pathlib.Path(name) / "test"
        link(program, test, build, choose)
        results = {case: run_case(program, case, build) for case in sorted(cases)}
        return [f"{test}:{case}: fails with nothing changed" for case, (failed, code) in results.items()
                if code != 0 or failed]


def main():
    wanted = sys.argv[1:]
    bad = covered() if not wanted else []
    chosen = [m for m in MUTATIONS if not wanted or m.rule in wanted]
    tests = collections.defaultdict(set)
    for m in chosen:
        tests[m.test, m.build].add(m.case)
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        source = pathlib.Path(folder) / "choose.c"
        source.write_text(FILTER)
        choose = compiled(source.with_suffix(".o"), source)
        unchanged = [pool.submit(tried_unchanged, *test, cases, choose) for test, cases in tests.items()]
        for m, what in zip(chosen, pool.map(lambda m: tried(m, choose), chosen)):
            if what:
                bad.append(f"{m.file}: rule {m.rule}: {m.old!r} -> {m.new!r}: {m.case} {what}")
            print("." if what is None else "!", end="", flush=True)
        bad += [text for future in unchanged for text in future.result()]
    print()
    print("\n".join(bad))
    print(f"{len(chosen)} mutations, {len(bad)} not noticed")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())

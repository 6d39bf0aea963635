/* SPDX-License-Identifier: MIT */
/* Drives parser and checks as the host tool does, with fake device types and a bundle in memory. */
#include "tests/host/configs.h"

#include "core/check_switch.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/str.h"
#include "tests/host/fake_types.h"

#include <stdio.h>
#include <stdlib.h>

static void emit(struct diag *d, int level, const char *text)
{
    struct configs *c = container_of(d, struct configs, diag);

    (void)level;
    c->log_len += (u32)fmt_print(c->log + c->log_len, CONFIGS_LOG - c->log_len, "%s\n", text);
    c->log_len = MIN(c->log_len, CONFIGS_LOG - 1u);
}

struct configs *configs_new(void)
{
    struct configs *c = calloc(1, sizeof(*c));

    assert(c != NULL);
    c->diag.emit = emit;
    c->arena = (struct cfg_arena){c->arena_data, sizeof(c->arena_data), 0};
    c->source.source.open = config_bundle_open;
    return c;
}

static void put(struct configs *c, const void *data, u32 size)
{
    assert(c->cpio_len + size + 4 <= CONFIGS_CPIO);
    if (size > 0) {
        memcpy(c->cpio + c->cpio_len, data, size);
    }
    c->cpio_len = ALIGN_UP(c->cpio_len + size, 4u);
}

void configs_entry(struct configs *c, const char *name, u32 mode, const void *data, u32 size)
{
    char head[512];
    int n = snprintf(
        head, sizeof(head), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s",
        c->cpio_len + 1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, (u32)strlen(name) + 1, 0, name);

    put(c, head, (u32)n + 1);
    put(c, data, size);
}

void configs_file(struct configs *c, const char *name, const void *data, u32 size)
{
    configs_entry(c, name, 0100644, data, size);
}

void configs_end(struct configs *c)
{
    const char *why;

    configs_entry(c, "TRAILER!!!", 0, NULL, 0);
    assert(bundle_open(&c->bundle, c->cpio, c->cpio_len, NULL, &why));
    c->source.bundle = &c->bundle;
}

struct vm_config *configs_parse(struct configs *c, const char *name, const char *text)
{
    return configs_parse_str(c, name, str_of(text));
}

struct vm_config *configs_parse_str(struct configs *c, const char *name, struct str text)
{
    struct vm_config *vm = &c->vm[c->count];

    assert(c->count < CONFIGS_VMS);
    config_parse(vm, str_of(name), text, c->source.bundle != NULL ? &c->source.source : NULL,
                 test_types, &c->arena, &c->diag);
    c->vms[c->count++] = vm;
    return vm;
}

void configs_check(struct configs *c, u32 gic_version, u32 npcpus)
{
    if (c->source.bundle == NULL) {
        configs_end(c);
    }
    for (u32 i = 0; i < c->count; i++) {
        check_vm(c->vms[i], &c->bundle, gic_version, npcpus, &c->diag);
    }
    check_all(c->vms, c->count, npcpus, &c->diag);
}

struct text {
    char *buf;
    u32 size, len;
};

static void add(struct text *t, const char *fmt, ...) PRINTF(2, 3);
static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    t->len += (u32)fmt_vprint(t->buf + t->len, t->size - t->len, fmt, ap);
    va_end(ap);
    assert(t->len < t->size);
}

#define LL(x) ((unsigned long long)(x))

static void dump_uart(struct text *t, const struct uart_opts *o)
{
    for (u32 i = 0; i < o->count; i++) {
        add(t, " hostdev=%.*s", STR_ARG(o->hostdev[i]));
    }
    add(t, " batch=%u", o->batch);
}

static u64 mac_value(const u8 *mac)
{
    u64 v = 0;

    for (u32 i = 0; i < 6; i++) {
        v = v << 8 | mac[i];
    }
    return v;
}

/* " access 5" or " trunk native 1 tagged 2-4 9-9 ". */
static void dump_vlan(struct text *t, const struct opt_vlan *v)
{
    add(t, v->mode == VLAN_ACCESS ? " access %u" : " trunk native %u tagged", v->vid);
    for (u32 i = 0, from = 0; v->mode == VLAN_TRUNK && i <= 4096; i++) {
        bool set = i < 4096 && (v->tagged[i / 64] & BIT64(i % 64)) != 0;

        if (!set && from != 0) {
            add(t, " %u-%u", from, i - 1);
            from = 0;
        } else if (set && from == 0) {
            from = i;
            assert(i != 0);
        }
    }
}

static void dump_nic(struct text *t, const struct nic_opts *o)
{
    add(t, " peer=%.*s mac=", STR_ARG(o->peer));
    for (u32 i = 0; i < 6; i++) {
        add(t, "%02x", o->mac.b[i]);
    }
    add(t, "/%u mtu=%u bind=%o spoof=%u rate=%llu feats=%llx hairpin=%u legacy=%u", o->mac.set,
        o->mtu, o->bind_mode, o->spoof, LL(o->rate), LL(o->features), o->hairpin, o->legacy);
    for (u32 i = 0; i < o->statics.n; i++) {
        add(t, " static=%012llx", LL(mac_value(o->statics.mac[i])));
    }
    if (o->boot.place.line != 0) {
        add(t, " boot=%c'%.*s'@%u", o->boot.mark != 0 ? o->boot.mark : '-', STR_ARG(o->boot.path),
            o->boot.place.col);
    }
    if (o->vlan.mode != VLAN_NONE) {
        dump_vlan(t, &o->vlan);
    }
}

static void dump_vdev(struct text *t, const struct vdev_conf *v)
{
    add(t, "vdev %s '%.*s' loc=%llx/%u intr=%u/%u", v->type->name, STR_ARG(v->name), LL(v->loc),
        v->has_loc, v->intid, v->has_intr);
    if (v->type == test_types[0]) {
        dump_uart(t, v->opts);
    } else {
        dump_nic(t, v->opts);
    }
    add(t, "\n");
}

static void dump_switch(struct text *t, const struct switch_conf *sw)
{
    add(t, "switch %.*s age=%u drop=%u storm=%u/%u poll=%d isolate=%u\n", STR_ARG(sw->name),
        sw->age_s, sw->drop_unknown, sw->storm, sw->has_storm, (int)sw->poll_cpu, sw->isolate);
}

void configs_dump(const struct vm_config *vm, char *buf, u32 size)
{
    struct text t = {buf, size, 0};

    add(&t, "system %.*s group=%.*s errors=%u\n", STR_ARG(vm->name), STR_ARG(vm->group),
        vm->errors);
    for (u32 i = 0; i < vm->ncpus; i++) {
        add(&t, "cpu mask=%x prio=%u", vm->cpu[i].runmask, vm->cpu[i].prio);
        add(&t, vm->cpu[i].cluster.len > 0 ? " cluster=%.*s\n" : "%.*s\n",
            STR_ARG(vm->cpu[i].cluster));
    }
    for (u32 i = 0; i < vm->nmems; i++) {
        add(&t, "mem %u %llx/%u+%llx\n", vm->mem[i].kind, LL(vm->mem[i].base), vm->mem[i].has_base,
            LL(vm->mem[i].size));
    }
    for (u32 i = 0; i < vm->nreserves; i++) {
        add(&t, "reserve %llx+%llx %u\n", LL(vm->reserve[i].base), LL(vm->reserve[i].size),
            vm->reserve[i].intid);
    }
    for (u32 i = 0; i < vm->nloads; i++) {
        add(&t, "load %u %llx/%u '%.*s'\n", vm->load[i].type, LL(vm->load[i].addr),
            vm->load[i].has_addr, STR_ARG(vm->load[i].path));
    }
    add(&t, "cmdline '%s'\n", vm->cmdline.p);
    for (u32 i = 0; i < vm->nvdevs; i++) {
        dump_vdev(&t, &vm->vdev[i]);
    }
    for (u32 i = 0; i < vm->nswitches; i++) {
        dump_switch(&t, &vm->sw[i]);
    }
    add(&t, "policy %u%u%u halt=%u counter=%llx log=%x debug=%u dryrun=%u dump='%.*s' gic=%u\n",
        vm->on_instruction, vm->on_reference, vm->on_register, vm->exit_on_halt,
        LL(vm->counter_offset), vm->log_set, vm->debug, vm->dryrun, STR_ARG(vm->fdt_dump_file),
        vm->gic_version);
    if (vm->slog_set != SEV_INTERNAL) {
        add(&t, "slog=%x\n", vm->slog_set);
    }
    if (vm->has_entry) {
        add(&t, "entry=%llx\n", LL(vm->entry));
    }
    if (vm->no_autostart) {
        add(&t, "no autostart\n");
    }
}

/* [base, base + size) is in RAM or ROM of the VM. */
static bool in_memory(const struct vm_config *vm, u64 base, u64 size)
{
    for (u32 i = 0; i < vm->nmems; i++) {
        if (range_within(base, size, vm->mem[i].base, vm->mem[i].size)) {
            return true;
        }
    }
    return false;
}

static void sound_vdevs(const struct vm_config *vm)
{
    for (u32 i = 0; i < vm->nvdevs; i++) {
        const struct vdev_conf *v = &vm->vdev[i];

        assert(v->loc % PAGE_SIZE == 0 && v->loc + v->type->mmio_size <= CFG_IPA_LIMIT);
        assert(v->intid >= SPI_FIRST && v->intid <= SPI_LAST);
        for (u32 k = 0; k < vm->nmems; k++) {
            assert(!range_overlap(v->loc, v->type->mmio_size, vm->mem[k].base, vm->mem[k].size));
        }
        for (u32 k = 0; k < i; k++) {
            assert(!range_overlap(v->loc, v->type->mmio_size, vm->vdev[k].loc, PAGE_SIZE));
            assert(v->intid != vm->vdev[k].intid);
        }
    }
}

static void sound_vm(const struct vm_config *vm)
{
    static struct image_plan plan;
    struct diag silent = {.emit = NULL};

    assert(vm->name.len > 0 && vm->ncpus >= 1 && vm->ncpus <= VCPU_MAX);
    for (u32 i = 0; i < vm->nmems; i++) {
        const struct cfg_mem *m = &vm->mem[i];

        assert(m->size > 0 && m->base % PAGE_SIZE == 0 && m->size % PAGE_SIZE == 0);
        assert(m->base + m->size <= CFG_IPA_LIMIT);
    }
    sound_vdevs(vm);
    for (u32 i = 0; i < vm->nswitches; i++) {
        assert(vm->sw[i].name.len > 0 && vm->sw[i].age_s >= 10 && vm->sw[i].poll_cpu != 0);
    }
    assert(image_plan((struct vm_config *)(uintptr_t)vm, &plan, &silent));
    assert(in_memory(vm, plan.entry, 1) && in_memory(vm, plan.dtb, plan.dtb_size));
    assert(plan.initrd_size == 0 || in_memory(vm, plan.initrd, plan.initrd_size));
}

static void put_le(u8 *p, u64 v, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++) {
        p[i] = (u8)(v >> (8 * i));
    }
}

void configs_linux(u8 *image, u32 size, u64 text_offset, u64 image_size)
{
    for (u32 i = 0; i < size; i++) {
        image[i] = (u8)(i * 7 + (i >> 8));
    }
    put_le(image + 8, text_offset, 8);
    put_le(image + 16, image_size, 8);
    memcpy(image + 56, "ARM\x64", 4);
}

void configs_sound(const struct configs *c)
{
    u32 errors = 0, polled = config_polled(c->vms, c->count);

    for (u32 i = 0; i < c->count; i++) {
        const struct vm_config *vm = c->vms[i];

        errors += vm->errors;
        if (vm->errors == 0) {
            sound_vm(vm);
        }
        for (u32 k = 0; vm->errors == 0 && !vm->dryrun && k < vm->ncpus; k++) {
            assert((polled & BIT(vm->cpu[k].pcpu)) == 0);
        }
    }
    assert(errors == c->diag.errors);
}

/* One program header at p; `at` is where its bytes lie in the file. */
static void put_segment(u8 *p, bool is64, const struct elf_part *s, u32 at)
{
    u32 w = is64 ? 8 : 4;

    put_le(p, 1, 4);
    put_le(p + w, at, w);
    put_le(p + 2 * w, s->vaddr, w);
    put_le(p + 3 * w, s->paddr, w);
    put_le(p + 4 * w, s->file_size, w);
    put_le(p + 5 * w, s->mem_size, w);
}

u32 configs_elf(u8 *elf, bool is64, u32 type, u64 entry, const struct elf_part *part, u32 parts)
{
    u32 w = is64 ? 8 : 4, head = is64 ? 64 : 52, ph = is64 ? 56 : 32, at = head + parts * ph;

    memset(elf, 0, at);
    memcpy(elf, "\177ELF", 4);
    elf[4] = is64 ? 2 : 1;
    elf[5] = 1;
    put_le(elf + 16, type, 2);
    put_le(elf + 18, is64 ? 183 : 40, 2);
    put_le(elf + 24, entry, w);
    put_le(elf + 24 + w, head, w);
    put_le(elf + (is64 ? 54 : 42), ph, 2);
    put_le(elf + (is64 ? 56 : 44), parts, 2);
    for (u32 i = 0; i < parts; i++) {
        put_segment(elf + head + i * ph, is64, &part[i], at);
        for (u32 k = 0; k < part[i].file_size; k++) {
            elf[at + k] = (u8)(k * 3 + i + 1);
        }
        at += (u32)part[i].file_size;
    }
    return at;
}

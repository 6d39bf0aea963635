/* SPDX-License-Identifier: MIT */
/* What `muntin check` says of configs without errors: everything that was decided for them. */
#include "arch/host/tool_show.h"

#include "core/check.h"
#include "core/log.h"
#include "core/str.h"
#include "vdev/virtio/net.h"

#include <stdio.h>

#define LL(x) ((unsigned long long)(x))

static void show_cpus(const struct vm_config *vm, u32 cpus)
{
    for (u32 i = 0; cpus != 0 && i < vm->ncpus; i++) {
        printf("  cpu                runs on CPU %u, priority %u\n", vm->cpu[i].pcpu,
               vm->cpu[i].prio);
    }
}

static void show_mem(const struct vm_config *vm)
{
    for (u32 i = 0; i < vm->nmems; i++) {
        const struct cfg_mem *m = &vm->mem[i];

        printf("  %-18s 0x%09llx..0x%09llx  %llu KiB%s\n", m->kind == MEM_RAM ? "ram" : "rom",
               LL(m->base), LL(m->base + m->size - 1), LL(m->size / 1024),
               m->identity ? ", the board's addresses, which may be others at boot" : "");
    }
    printf("  %-18s 0x%09llx  distributor of a GICv%u, %s at 0x%09llx\n", "gic", LL(vm->gicd),
           vm->gic_version, vm->gic_version == 2 ? "CPU interface" : "redistributors",
           LL(vm->gic_version == 2 ? vm->gicc : vm->gicr));
}

static void show_nic(const struct vm_config *vm, const struct vdev_conf *c)
{
    struct nic_peer peer = config_nic_peer(c);
    u8 mac[6];

    if (config_nic_mac(vm, c, mac)) {
        printf("  mac %02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
               mac[5]);
    }
    if (peer.kind == NIC_LINK) {
        printf("  link to %.*s of %.*s", STR_ARG(peer.name), STR_ARG(peer.system));
    } else if (peer.kind == NIC_SWITCH) {
        printf("  switch %.*s", STR_ARG(peer.name));
    }
}

static void show_vlan(const struct opt_vlan *v)
{
    const char *separator = " tagged ";

    if (v->mode == VLAN_NONE) {
        return;
    }
    printf(v->mode == VLAN_ACCESS ? "  VLAN %u" : "  VLANs:", v->vid);
    for (u32 i = 1, from = 0; v->mode == VLAN_TRUNK && i <= VID_MAX + 1; i++) {
        bool set = i <= VID_MAX && (v->tagged[i / 64] & BIT64(i % 64)) != 0;

        from = set && from == 0 ? i : from;
        if (!set && from != 0) {
            printf(from == i - 1 ? "%s%u" : "%s%u-%u", separator, from, i - 1);
            separator = ",";
            from = 0;
        }
    }
    if (v->mode == VLAN_TRUNK && v->vid != 0) {
        printf(", untagged %u", v->vid);
    }
}

static void show_queues(const struct vm_config *vm, const struct net_opts *o)
{
    u32 pairs = o->queues != 0 ? o->queues : MIN(vm->ncpus, (u32)NET_QUEUES_MAX);

    printf("  %18s %u queue pair%s of %u%s%s", "", pairs, pairs == 1 ? "" : "s", o->qsize,
           o->packed ? ", packed rings" : "", o->legacy ? ", legacy" : "");
    if (o->mtu != 1500) {
        printf(", MTU %u", o->mtu);
    }
    if (o->capture != 0) {
        printf(", %llu KiB for captures", LL(o->capture / KIB));
    }
    show_vlan(&o->vlan);
    printf("\n");
}

/* What it may send, and to whom. */
static void show_limits(const struct net_opts *o)
{
    printf("  %18s ", "");
    if (o->monitor) {
        printf("sees all frames of its switch, sends none\n");
        return;
    }
    printf(o->storm != 0 ? "at most %u group and unknown frames/s" : "group frames without limit",
           o->storm);
    if (o->rate_bytes != 0) {
        printf(", %llu bytes/s", LL(o->rate_bytes));
    }
    if (o->rate_packets != 0) {
        printf(", %llu frames/s", LL(o->rate_packets));
    }
    printf("%s%s", o->isolate ? ", isolated" : "",
           o->mac_spoof == SPOOF_ALLOW ? ", from any address" : "");
    for (u32 i = 0; i < o->statics.n; i++) {
        const u8 *m = o->statics.mac[i];

        printf("%s%02x:%02x:%02x:%02x:%02x:%02x", i == 0 ? ", also from " : ", ", m[0], m[1], m[2],
               m[3], m[4], m[5]);
    }
    printf("\n");
}

/* An interrupt is shown both ways: as in the config, and as in a device tree. */
static void show_vdev(const struct vm_config *vm, const struct vdev_conf *c)
{
    printf("  vdev %-13s 0x%09llx  gic:%u = <0 %u %u>", c->type->name, LL(c->loc), c->intid,
           c->intid - 32, c->type->level ? 4 : 1);
    if (c->name.len > 0) {
        printf("  %.*s", STR_ARG(c->name));
    }
    show_nic(vm, c);
    printf("\n");
    if (c->window != 0) {
        printf("  %18s 0x%09llx..0x%09llx  %llu KiB beside its registers\n", "", LL(c->window),
               LL(c->window + c->window_size - 1), LL(c->window_size / KIB));
    }
    if (c->type == &virtio_net_type) {
        show_queues(vm, c->opts);
        show_limits(c->opts);
    }
}

static void show_pass(const struct vm_config *vm)
{
    for (u32 i = 0; i < vm->pass.nwindows; i++) {
        const struct cfg_window *w = &vm->pass.window[i];

        printf("  %-18s 0x%09llx..0x%09llx  %s%s%s%s  0x%09llx of the board%s%s\n", "pass",
               LL(w->base), LL(w->base + w->size - 1),
               (w->flags & PASS_C) != 0 ? "memory r" : "device r",
               (w->flags & PASS_W) != 0 ? "w" : "", (w->flags & PASS_X) != 0 ? "x" : "",
               (w->flags & PASS_RAM) != 0 ? ", RAM" : "", LL(w->host),
               (w->base | w->size) % PAGE_SIZE != 0 ? ", by trap where it shares a page" : "",
               w->shared ? ", shared" : "");
    }
    for (u32 i = 0; i < vm->pass.nirqs; i++) {
        const struct cfg_pass_irq *irq = &vm->pass.irq[i];

        printf("  %-18s gic:%u = <0 %u %u>, INTID %u of the board\n", "pass", irq->intid,
               irq->intid - 32, irq->edge ? 1 : 4, irq->host);
    }
    for (u32 i = 0; i < vm->pass.npci; i++) {
        u32 f = vm->pass.pci[i].function;

        printf("  %-18s 00:%02x.0  pci:%x:%x.%x of the board\n", "pass", i + 1, f >> 8,
               f >> 3 & 0x1f, f & 7);
    }
}

static void show_images(const struct vm_config *vm, const struct image_plan *plan)
{
    static const char *const type[] = {"load", "guest load", "data load", "fdt load",
                                       "initrd load"};

    for (u32 i = 0; i < vm->nloads; i++) {
        if (vm->load[i].type == LOAD_FDT) {
            printf("  %-18s %.*s\n", type[LOAD_FDT], STR_ARG(vm->load[i].path));
            continue;
        }
        printf("  %-18s 0x%09llx..0x%09llx  %.*s\n", type[vm->load[i].type], LL(plan->addr[i]),
               LL(plan->addr[i] + plan->mem_size[i] - 1), STR_ARG(vm->load[i].path));
    }
    printf("  %-18s 0x%09llx..0x%09llx\n", "device tree", LL(plan->dtb),
           LL(plan->dtb + plan->dtb_size - 1));
    printf("  %-18s 0x%09llx\n", "starts at", LL(plan->entry));
}

void show_vm(struct vm_config *vm, u32 cpus, struct diag *diag)
{
    struct image_plan plan;

    printf("%.*s: %u vCPU%s%s\n", STR_ARG(vm->name), vm->ncpus, vm->ncpus == 1 ? "" : "s",
           vm->dryrun         ? ", not to be started (dryrun)"
           : vm->no_autostart ? ", waits for `vm start` (autostart off)"
                              : "");
    show_cpus(vm, cpus);
    show_mem(vm);
    for (u32 i = 0; i < vm->nvdevs; i++) {
        show_vdev(vm, &vm->vdev[i]);
    }
    show_pass(vm);
    if (image_plan(vm, &plan, diag)) {
        show_images(vm, &plan);
    }
}

static u32 count_nics(struct vm_config *const *vm, u32 count, struct str name)
{
    u32 n = 0;

    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; vm[i]->errors == 0 && k < vm[i]->nvdevs; k++) {
            struct nic_peer peer = config_nic_peer(&vm[i]->vdev[k]);

            n += peer.kind == NIC_SWITCH && str_same(peer.name, name);
        }
    }
    return n;
}

static void show_switch(struct vm_config *const *vm, u32 count, struct str name)
{
    const struct switch_conf *sw = config_switch_find(vm, count, name);
    u32 n = count_nics(vm, count, name);

    if (n == 0) {
        return;
    }
    printf("switch %.*s: %u NIC%s, forgets addresses after %u s, %s frames to unknown ones",
           STR_ARG(name), n, n == 1 ? "" : "s", sw != NULL ? sw->age_s : CFG_AGE,
           sw != NULL && sw->drop_unknown ? "drops" : "floods");
    if (sw != NULL && sw->poll_cpu != UINT32_MAX) {
        printf(", CPU %u polls", sw->poll_cpu);
    }
    printf("\n");
}

/* No NIC before number `vdev` of vm[i] is on the switch. */
static bool is_first(struct vm_config *const *vm, u32 i, u32 vdev, struct str name)
{
    for (u32 v = 0; v <= i; v++) {
        for (u32 k = 0; k < (v == i ? vdev : vm[v]->nvdevs); k++) {
            struct nic_peer peer = config_nic_peer(&vm[v]->vdev[k]);

            if (peer.kind == NIC_SWITCH && str_same(peer.name, name)) {
                return false;
            }
        }
    }
    return true;
}

void show_switches(struct vm_config *const *vm, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nvdevs; k++) {
            struct nic_peer peer = config_nic_peer(&vm[i]->vdev[k]);

            if (peer.kind == NIC_SWITCH && is_first(vm, i, k, peer.name)) {
                show_switch(vm, count, peer.name);
            }
        }
    }
}

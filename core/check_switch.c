/* SPDX-License-Identifier: MIT */
/*
 * Checks of switches: their descriptions, the CPUs that poll for them, the addresses behind their
 * NICs. Knows a NIC by its options' names only. Who takes part in a conflict gets an error of its
 * own, which names the other's line.
 */
#include "core/check_switch.h"

#include "core/check.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/str.h"

#define PLACE_LEN 96

/* Everything that is looked at, for the functions below. */
struct all {
    struct vm_config *const *vm;
    u32 count, npcpus;
    struct diag *d;
};

/* --- descriptions ---------------------------------------------------------------------------- */

const struct switch_conf *config_switch_find(struct vm_config *const *vm, u32 count,
                                             struct str name)
{
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nswitches; k++) {
            if (str_same(vm[i]->sw[k].name, name)) {
                return &vm[i]->sw[k];
            }
        }
    }
    return NULL;
}

static void complain_twice(const struct all *a, struct vm_config *vm, const struct switch_conf *sw,
                           const struct switch_conf *other)
{
    char at[PLACE_LEN];

    diag_error(a->d, sw->place, "switch '%.*s' is described at %s, too", STR_ARG(sw->name),
               place_text(a->d, other->place, at, sizeof(at)));
    vm->errors++;
}

/* Each pair that describes the same switch; sw is of vm[from]. */
static void check_twice(const struct all *a, u32 from, struct switch_conf *sw)
{
    for (u32 i = from; i < a->count; i++) {
        u32 first = i == from ? (u32)(sw - a->vm[i]->sw) + 1 : 0;

        for (u32 k = first; sw->name.len > 0 && k < a->vm[i]->nswitches; k++) {
            struct switch_conf *other = &a->vm[i]->sw[k];

            if (str_same(sw->name, other->name)) {
                complain_twice(a, a->vm[from], sw, other);
                complain_twice(a, a->vm[i], other, sw);
            }
        }
    }
}

static bool is_used(const struct all *a, struct str name)
{
    for (u32 i = 0; i < a->count; i++) {
        for (u32 k = 0; k < a->vm[i]->nvdevs; k++) {
            struct nic_peer peer = config_nic_peer(&a->vm[i]->vdev[k]);

            if (peer.kind == NIC_SWITCH && str_same(peer.name, name)) {
                return true;
            }
        }
    }
    return false;
}

/* --- CPUs that poll -------------------------------------------------------------------------- */

u32 config_polled(struct vm_config *const *vm, u32 count)
{
    u32 mask = 0;

    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nswitches; k++) {
            u32 cpu = vm[i]->sw[k].poll_cpu;

            mask |= cpu < PCPU_MAX ? BIT(cpu) : 0;
        }
    }
    return mask;
}

static void check_poll_cpu(const struct all *a, struct vm_config *vm, struct switch_conf *sw)
{
    if (a->npcpus == 0 || sw->poll_cpu == UINT32_MAX || sw->poll_cpu < a->npcpus) {
        return;
    }
    diag_error(a->d, sw->poll_place, "no CPU %u can poll: this board has 0..%u", sw->poll_cpu,
               a->npcpus - 1);
    sw->poll_cpu = UINT32_MAX;
    vm->errors++;
}

/* The first description that wants one of these CPUs; there's one. */
static const struct switch_conf *poller(const struct all *a, u32 mask, struct vm_config **vm)
{
    for (u32 i = 0; i < a->count; i++) {
        for (u32 k = 0; k < a->vm[i]->nswitches; k++) {
            u32 cpu = a->vm[i]->sw[k].poll_cpu;

            if (cpu < PCPU_MAX && (mask & BIT(cpu)) != 0) {
                *vm = a->vm[i];
                return &a->vm[i]->sw[k];
            }
        }
    }
    return NULL;
}

/* A vCPU that may run nowhere but on CPUs that poll. */
static void check_pinned(const struct all *a, struct vm_config *vm, const struct cfg_cpu *c)
{
    u32 mask = c->runmask & (BIT(a->npcpus != 0 ? a->npcpus : PCPU_MAX) - 1);
    const struct switch_conf *sw;
    struct vm_config *owner;
    char at[PLACE_LEN];

    if (mask == 0 || (mask & ~config_polled(a->vm, a->count)) != 0) {
        return;
    }
    sw = poller(a, mask, &owner);
    if (sw == NULL) {
        return;
    }
    diag_error(a->d, c->place, "CPU %u polls for switch '%.*s' (%s): no vCPU can be there",
               sw->poll_cpu, STR_ARG(sw->name), place_text(a->d, sw->poll_place, at, sizeof(at)));
    vm->errors++;
    diag_error(a->d, sw->poll_place, "CPU %u can't poll: the vCPU at %s is pinned to it",
               sw->poll_cpu, place_text(a->d, c->place, at, sizeof(at)));
    owner->errors++;
}

/* --- NICs ------------------------------------------------------------------------------------ */

/* The place of a NIC's option, if its type has it and, unless `anyway`, the config didn't. */
static void *nic_option(const struct vdev_conf *c, const char *name, enum opt_type type,
                        bool anyway)
{
    const struct opt *o = opt_find(c->type, name);

    if (o == NULL || o->type != type || (!anyway && (c->given & BIT64(o - c->type->opts)) != 0)) {
        return NULL;
    }
    return (char *)c->opts + o->offset;
}

/* What the switch says for all its NICs. */
static void settle_nic(const struct all *a, const struct vdev_conf *c)
{
    struct nic_peer peer = config_nic_peer(c);
    const struct switch_conf *sw = NULL;
    u32 *storm = nic_option(c, "storm", OPT_U32, false);
    bool *isolate = nic_option(c, "isolate", OPT_FLAG, true);

    if (peer.kind == NIC_SWITCH) {
        sw = config_switch_find(a->vm, a->count, peer.name);
    }
    if (sw != NULL && sw->has_storm && storm != NULL) {
        *storm = sw->storm;
    }
    if (sw != NULL && sw->isolate && isolate != NULL) {
        *isolate = true;
    }
}

/* Number n of the addresses that are behind a NIC, its own first; false: it has fewer. */
static bool nic_address(const struct vm_config *vm, const struct vdev_conf *c, u32 n, u8 mac[6])
{
    const struct opt_macs *statics = config_nic_statics(c);

    if (n == 0) {
        return config_nic_mac(vm, c, mac);
    }
    if (statics == NULL || n > statics->n) {
        return false;
    }
    memcpy(mac, statics->mac[n - 1], 6);
    return true;
}

struct nic {
    struct vm_config *vm;
    const struct vdev_conf *conf;
};

static void complain_static(const struct all *a, const struct nic *nic, const u8 mac[6],
                            const struct nic *other)
{
    char at[PLACE_LEN];

    diag_error(a->d, nic->conf->place,
               "%02x:%02x:%02x:%02x:%02x:%02x is also an address of the NIC at %s", mac[0], mac[1],
               mac[2], mac[3], mac[4], mac[5],
               place_text(a->d, other->conf->place, at, sizeof(at)));
    nic->vm->errors++;
}

/* Addresses that two NICs of a switch share; their own are compared elsewhere, on any switch. */
static void check_addresses(const struct all *a, const struct nic *x, const struct nic *y)
{
    struct nic_peer px = config_nic_peer(x->conf), py = config_nic_peer(y->conf);
    u8 mx[6], my[6];

    if (px.kind != NIC_SWITCH || py.kind != NIC_SWITCH || !str_same(px.name, py.name)) {
        return;
    }
    for (u32 i = 0; nic_address(x->vm, x->conf, i, mx); i++) {
        for (u32 k = i == 0; nic_address(y->vm, y->conf, k, my); k++) {
            if (memcmp(mx, my, 6) == 0) {
                complain_static(a, x, mx, y);
                complain_static(a, y, my, x);
            }
        }
    }
}

/* All pairs of NICs of which the first is x. */
static void check_statics(const struct all *a, u32 vm, u32 vdev)
{
    const struct nic x = {a->vm[vm], &a->vm[vm]->vdev[vdev]};

    for (u32 i = vm; i < a->count; i++) {
        for (u32 k = i == vm ? vdev + 1 : 0; k < a->vm[i]->nvdevs; k++) {
            check_addresses(a, &x, &(struct nic){a->vm[i], &a->vm[i]->vdev[k]});
        }
    }
}

static void check_vm_switches(const struct all *a, u32 index)
{
    struct vm_config *vm = a->vm[index];

    for (u32 k = 0; k < vm->nswitches; k++) {
        check_twice(a, index, &vm->sw[k]);
        check_poll_cpu(a, vm, &vm->sw[k]);
        if (vm->sw[k].name.len > 0 && !is_used(a, vm->sw[k].name)) {
            diag_warn(a->d, vm->sw[k].place, "no NIC is on switch '%.*s': is its name right?",
                      STR_ARG(vm->sw[k].name));
        }
    }
    for (u32 k = 0; k < vm->nvdevs; k++) {
        settle_nic(a, &vm->vdev[k]);
        check_statics(a, index, k);
    }
}

void check_switches(struct vm_config *const *vm, u32 count, u32 npcpus, struct diag *d)
{
    const struct all a = {vm, count, MIN(npcpus, (u32)PCPU_MAX), d};

    for (u32 i = 0; i < count; i++) {
        check_vm_switches(&a, i);
    }
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; vm[i]->errors == 0 && !vm[i]->dryrun && k < vm[i]->ncpus; k++) {
            check_pinned(&a, vm[i], &vm[i]->cpu[k]);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * The life of a VM. It's created once, at boot; a start scrubs its RAM, loads its images anew and
 * puts its first vCPU on. That takes long, so it's deferred work in small pieces on that vCPU's
 * CPU. A stop asks every vCPU to leave; the last one out finishes it. Lock: vm->lock.
 */
#include "core/vm.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/board.h"
#include "core/config.h"
#include "core/gcore.h"
#include "core/image.h"
#include "core/log.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/pass.h"
#include "core/pci.h"
#include "core/vdev.h"
#include "core/vm_end.h"

#include <string.h>

#define SCRUB_PIECE (128 * KIB) /* some 15,000 instructions to zero and clean */
#define BLOCK_SIZE  (2 * (u64)MIB)

enum start_step { STEP_RESET, STEP_DEVICES, STEP_SCRUB, STEP_LOAD, STEP_DTB, STEP_CLEAN, STEP_GO };

struct vm *vms[VM_MAX];
u32 vm_count;
const struct vm_hooks *vm_hooks;

static u32 alive; /* VMs that are not VM_STOPPED; atomic */

/* --- creation ------------------------------------------------------------------------------- */

static bool add_memory(struct vm *vm, const struct cfg_mem *m)
{
    struct gmem_region *r = &vm->mem.region[vm->mem.count];
    u64 align = m->size >= BLOCK_SIZE ? BLOCK_SIZE : PAGE_SIZE;
    hpa_t host = m->base;

    if (m->identity) {
        align = PAGE_SIZE; /* check_identity took it */
    } else if (m->size >= GIB && page_alloc_guest(m->size, GIB, &host)) {
        align = GIB; /* stage 2 gets 1 GiB blocks */
    } else if (!page_alloc_guest(m->size, align, &host)) {
        log_err(
            "%s: %s of %llu KiB does not fit: %llu KiB are free, the largest piece has %llu KiB",
            vm->name, m->kind == MEM_ROM ? "rom" : "ram", (unsigned long long)(m->size / KIB),
            (unsigned long long)(page_free() / KIB),
            (unsigned long long)(page_largest(align) / KIB));
        return false;
    }
    *r = (struct gmem_region){
        .base = m->base,
        .size = m->size,
        .host = host,
        .ptr = (guest_t *)(uintptr_t)host,
        .writable = m->kind == MEM_RAM,
    };
    vm->mem.count++;
    if (!arch_s2_map(vm, gpa(m->base), host, m->size, r->writable ? S2_RWX : S2_RX)) {
        log_err("%s: no memory for its stage-2 tables", vm->name);
        return false;
    }
    return true;
}

static void wakeup_fired(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, wakeup);

    sched_wake(v); /* once loaded, its own timer is due and interrupts it */
}

static bool add_vcpu(struct vm *vm, const struct cfg_cpu *c)
{
    struct pcpu *p = &pcpus[c->pcpu];
    struct vcpu *v = arch_vcpu_create(vm, vm->nvcpus, p);

    if (v == NULL) {
        log_err("%s: no memory for a vCPU", vm->name);
        return false;
    }
    v->prio = c->prio;
    v->mpidr = v->id; /* all in one cluster: VCPU_MAX is below 16 */
    timer_init(&v->wakeup, p, wakeup_fired);
    vm->vcpu[vm->nvcpus++] = v;
    return true;
}

void vm_add_device(struct vm *vm, struct vdev *d)
{
    struct vdev **tail = &vm->devs;

    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = d;
}

static bool add_devices(struct vm *vm)
{
    const struct vm_config *cfg = vm->cfg;

    for (u32 i = 0; i < cfg->nvdevs; i++) {
        struct vdev *d = cfg->vdev[i].type->create(vm, &cfg->vdev[i]);

        if (d == NULL) {
            log_err("%s: no room for %s at 0x%llx", vm->name, cfg->vdev[i].type->name,
                    (unsigned long long)cfg->vdev[i].loc);
            return false;
        }
        vm_add_device(vm, d);
    }
    return true;
}

static bool start_work(struct work *w);
static void start_waited(struct timer *t);

static bool build(struct vm *vm)
{
    const struct vm_config *cfg = vm->cfg;

    vm->incoherent = cfg->pass.nwindows > 0 || (cfg->pass.npci > 0 && !pci_board->pci.coherent);
    if (!arch_s2_create(vm)) {
        log_err("%s: no memory for its stage-2 tables", vm->name);
        return false;
    }
    for (u32 i = 0; i < cfg->nmems; i++) {
        if (!add_memory(vm, &cfg->mem[i])) {
            return false;
        }
    }
    for (u32 i = 0; i < cfg->ncpus; i++) {
        if (!add_vcpu(vm, &cfg->cpu[i])) {
            return false;
        }
    }
    timer_init(&vm->start_timer, vm->vcpu[0]->pcpu, start_waited);
    if (!vm_hooks->make_irqchip(vm)) {
        log_err("%s: no room for its interrupt controller", vm->name);
        return false;
    }
    return add_devices(vm) && pass_create(vm);
}

struct vm *vm_create(const struct vm_config *cfg, const struct image_plan *plan)
{
    struct vm *vm;

    if (vm_count == VM_MAX) {
        log_err("%.*s: too many VMs: at most %u", STR_ARG(cfg->name), VM_MAX);
        return NULL;
    }
    vm = page_alloc(sizeof(*vm));
    if (vm == NULL) {
        log_err("%.*s: no memory for it", STR_ARG(cfg->name));
        return NULL;
    }
    vm->cfg = cfg;
    vm->plan = plan;
    vm->aarch32 = !plan->is64;
    vm->index = vm_count;
    fmt_print(vm->name, sizeof(vm->name), "%.*s", STR_ARG(cfg->name));
    spin_init(&vm->lock, LOCK_VM);
    random_create(&vm->random);
    vm->start_work.fn = start_work;
    if (!build(vm)) {
        return NULL;
    }
    mmio_freeze(&vm->mmio);
    vms[vm_count++] = vm;
    return vm;
}

/* --- who may start --------------------------------------------------------------------------- */

void vm_refuse(struct vm *vm, const char *why, ...)
{
    va_list ap;

    va_start(ap, why);
    (void)fmt_vprint(vm->refused, sizeof(vm->refused), why, ap);
    va_end(ap);
    log_err("%s: not started: %s", vm->name, vm->refused);
}

static bool is_refused(const struct vm *vm)
{
    return vm->refused[0] != '\0';
}

static void count_vcpus(struct vm *vm, u32 sign)
{
    for (u32 i = 0; i < vm->nvcpus; i++) {
        vm->vcpu[i]->pcpu->nvcpus += sign;
    }
}

/* Counts its vCPUs on their CPUs, if these are all up. */
static void settle_cpus(struct vm *vm)
{
    for (u32 i = 0; i < vm->nvcpus && !is_refused(vm); i++) {
        if (!vm->vcpu[i]->pcpu->online) {
            vm_refuse(vm, "vCPU %u is pinned to CPU %u, which is not up", i, vm->vcpu[i]->pcpu->id);
        }
    }
    if (!is_refused(vm)) {
        count_vcpus(vm, 1);
    }
}

/* `set exit-on-halt off` would let a vCPU in WFI keep its CPU from others: refused where shared. */
static void settle_sharing(struct vm *vm)
{
    for (u32 i = 0; i < vm->nvcpus && vm->cfg->exit_on_halt == HALT_OFF; i++) {
        struct pcpu *p = vm->vcpu[i]->pcpu;

        if (!is_refused(vm) && p->nvcpus > 1) {
            vm_refuse(vm, "exit-on-halt off, but vCPU %u shares CPU %u with others", i, p->id);
            count_vcpus(vm, -1u);
        }
    }
}

static void settle_halt(struct vm *vm)
{
    for (u32 i = 0; i < vm->nvcpus; i++) {
        struct vcpu *v = vm->vcpu[i];
        bool shares = v->pcpu->nvcpus > 1;

        v->trap_wfi =
            vm->cfg->exit_on_halt == HALT_ON || (shares && vm->cfg->exit_on_halt == HALT_AUTO);
    }
}

void vm_settle(void)
{
    static void (*const step[])(struct vm *) = {settle_cpus, settle_sharing, settle_halt};

    for (u32 i = 0; i < ARRAY_SIZE(step); i++) {
        for (u32 n = 0; n < vm_count; n++) {
            step[i](vms[n]);
        }
    }
}

/* --- starting: each call of a step does one piece; true when the step is done ------------------
 */

static void step_reset(struct vm *vm)
{
    for (u32 i = 0; i < vm->nvcpus; i++) {
        struct vcpu *v = vm->vcpu[i];

        v->irq = (struct irq_ctx){.count = v->irq.count};
    }
    vm->irqchip->reset(vm);
    for (struct vdev *d = vm->devs; d != NULL; d = d->next) {
        d->ops->reset(d);
    }
    memset(&vm->start_cursor, 0, sizeof(vm->start_cursor));
}

/* Walks all regions in pieces; do_piece is called with each. */
static bool walk_memory(struct vm *vm, void (*do_piece)(void *p, size_t len))
{
    struct gmem_region *r = &vm->mem.region[vm->start_region];
    u64 len;

    if (vm->start_region == vm->mem.count) {
        return true;
    }
    len = MIN(r->size - vm->start_pos, (u64)SCRUB_PIECE);
    do_piece((char *)r->ptr + vm->start_pos, (size_t)len);
    vm->start_pos += len;
    if (vm->start_pos == r->size) {
        vm->start_pos = 0;
        vm->start_region++;
    }
    return false;
}

static void scrub_piece(void *p, size_t len)
{
    memset(p, 0, len);
}

static void clean_piece(void *p, size_t len)
{
    arch_clean_dcache(p, len);
}

static bool step_dtb(struct vm *vm)
{
    const struct image_plan *plan = vm->plan;
    guest_t *p = gmem_span(&vm->mem, gpa(plan->dtb), plan->dtb_size, true);

    if (p == NULL) {
        log_err("%s: no RAM at 0x%llx for its device tree", vm->name,
                (unsigned long long)plan->dtb);
        return false;
    }
    return vm_hooks->make_dtb(vm, (void *)p, (u32)plan->dtb_size) != 0;
}

static void step_go(struct vm *vm)
{
    struct vcpu *v = vm->vcpu[0];
    bool go;

    pass_start(vm);
    spin_lock(&vm->lock);
    go = vm->state == VM_STARTING;
    if (go) {
        atomic_store(&vm->state, VM_RUNNING);
        vm->starts++;
        vm->running = 1;
        vm->counter_offset =
            vm->cfg->counter_offset == UINT64_MAX ? arch_ticks() : vm->cfg->counter_offset;
        v->entry = vm->plan->entry;
        v->context = vm->plan->dtb;
        atomic_or(&v->attention, (u32)VCPU_INIT);
        sched_ready(v); /* with the lock: a stop from now on finds it on, and asks it to leave */
    }
    spin_unlock(&vm->lock);
    if (!go) {
        vm_finish_stop(vm); /* stopped while it was loading */
    }
}

/* With vm->lock. vm_finish_stop comes when no vCPU of it runs any more. */
void vm_set_stopping(struct vm *vm, const struct vm_ending *e)
{
    const char *too_often = "";

    vm->restart = e->restart;
    if (e->restart && !e->asked && !vm_may_restart(vm)) {
        vm->restart = false;
        too_often = "; restarted too often";
    }
    atomic_store(&vm->dump, e->dump);
    vm->reason = e->reason;
    vm->last_reason = e->reason;
    vm->ends++;
    fmt_print(vm->why, sizeof(vm->why), "%s%s", e->why != NULL ? e->why : "", too_often);
    atomic_store(&vm->state, VM_STOPPING);
}

static bool start_fail(struct vm *vm)
{
    spin_lock(&vm->lock);
    vm_set_stopping(vm, &(struct vm_ending){.reason = VM_EXIT_START});
    spin_unlock(&vm->lock);
    vm_finish_stop(vm);
    return false;
}

/* What it waited for can be looked at again. */
static void start_waited(struct timer *t)
{
    struct vm *vm = container_of(t, struct vm, start_timer);

    work_queue(t->pcpu, &vm->start_work);
}

static bool start_work(struct work *w)
{
    struct vm *vm = container_of(w, struct vm, start_work);
    u64 wait;

    if (atomic_load(&vm->state) == VM_STOPPING) {
        vm_finish_stop(vm);
        return false;
    }
    switch (vm->start_step) {
    case STEP_RESET:
        step_reset(vm);
        vm->start_region = 0;
        vm->start_pos = 0;
        break;
    case STEP_DEVICES:
        wait = pci_start(vm);
        if (wait == PCI_RESET_FAILED) {
            return start_fail(vm);
        }
        if (wait != 0) {
            timer_set(&vm->start_timer, arch_now_ns() + wait);
            return false;
        }
        break;
    case STEP_SCRUB:
        if (!walk_memory(vm, scrub_piece)) {
            return true;
        }
        break;
    case STEP_LOAD:
        if (!image_load_step(vm->cfg, vm->plan, &vm->mem, &vm->start_cursor, SCRUB_PIECE)) {
            return true;
        }
        break;
    case STEP_DTB:
        if (!step_dtb(vm)) {
            return start_fail(vm);
        }
        vm->start_region = 0;
        break;
    case STEP_CLEAN:
        if (!walk_memory(vm, clean_piece)) {
            return true;
        }
        break;
    default:
        step_go(vm);
        return false;
    }
    vm->start_step++;
    return true;
}

/* With vm->lock; work_queue follows without it. */
static void begin_start(struct vm *vm)
{
    atomic_store(&vm->state, VM_STARTING);
    vm->start_step = STEP_RESET;
    atomic_store(&vm->dump, false);
    vm->restart = false;
    vm->reason = VM_EXIT_OFF;
}

bool vm_start(struct vm *vm)
{
    bool stopped;

    spin_lock(&vm->lock);
    stopped = vm->state == VM_STOPPED && !is_refused(vm) && !vm->frozen;
    if (stopped) {
        begin_start(vm);
        vm_hold();
    }
    spin_unlock(&vm->lock);
    if (stopped) {
        work_queue(vm->vcpu[0]->pcpu, &vm->start_work);
    }
    return stopped;
}

/* --- stopping --------------------------------------------------------------------------------- */

void vm_hold(void)
{
    atomic_add(&alive, 1u);
}

void vm_release(void)
{
    if (atomic_add(&alive, -1u) == 0) {
        vm_hooks->all_stopped();
    }
}

/* For good: its devices first, so that no start of it can come in between. */
static void finish_for_good(struct vm *vm, enum vm_reason reason, const char *why)
{
    for (struct vdev *d = vm->devs; d != NULL; d = d->next) {
        d->ops->reset(d); /* peers see its links go down */
    }
    spin_lock(&vm->lock);
    atomic_store(&vm->state, VM_STOPPED);
    spin_unlock(&vm->lock);
    log_info("%s: stopped: %s (exit code %d)%s%s", vm->name, vm_reason_name(reason), reason,
             why[0] != '\0' ? ": " : "", why);
    vm_release();
}

/* No vCPU of vm runs any more. A restart never passes VM_STOPPED: somebody could take it for that.
 */
void vm_finish_stop(struct vm *vm)
{
    char why[VM_WHY]; /* the next stop may come as soon as the lock is free */
    enum vm_reason reason;
    bool restart;

    spin_lock(&vm->lock);
    reason = vm->reason;
    restart = vm->restart;
    atomic_store(&vm->frozen, false);
    memcpy(why, vm->why, sizeof(why));
    if (restart) {
        begin_start(vm);
    }
    spin_unlock(&vm->lock);
    if (restart) {
        /* limited: a guest may do nothing else */
        vm_log(vm, LOG_INFO, "restarts%s%s", why[0] != '\0' ? ": " : "", why);
        work_queue(vm->vcpu[0]->pcpu, &vm->start_work);
    } else {
        finish_for_good(vm, reason, why);
    }
}

/* With vm->lock: all that are on. */
static void ask_vcpus_to_stop(struct vm *vm)
{
    for (u32 i = 0; i < vm->nvcpus; i++) {
        if (atomic_load(&vm->vcpu[i]->state) != VCPU_OFF) {
            vcpu_ask(vm->vcpu[i], VCPU_STOP);
        }
    }
}

/*
 * Who wants it stopped is stronger than who wants it again; and who is asked to by somebody doesn't
 * wait for its core. True if the vCPUs were off, and only that kept it.
 */
static bool stop_again(struct vm *vm, const struct vm_ending *e)
{
    bool off = vm->frozen && e->asked && gcore_cancel(vm);

    if (off || (vm->restart && !e->restart && (!vm->frozen || e->asked))) {
        vm_set_stopping(vm, e);
    }
    return off;
}

void vm_begin_stop(struct vm *vm, const struct vm_ending *e)
{
    bool off = false;

    spin_lock(&vm->lock);
    switch (vm->state) {
    case VM_STARTING:
        vm_set_stopping(vm, e); /* start_work sees it */
        break;
    case VM_RUNNING:
        vm_set_stopping(vm, e);
        ask_vcpus_to_stop(vm);
        break;
    case VM_PAUSED:
        vm_set_stopping(vm, e);
        ask_vcpus_to_stop(vm);
        vm_core_leave(vm);
        break;
    case VM_STOPPING:
        off = stop_again(vm, e);
        break;
    default:
        break;
    }
    spin_unlock(&vm->lock);
    if (off) {
        vm_finish_stop(vm);
    }
}

int vm_cpu_on(struct vm *vm, u32 id, u64 entry, u64 context)
{
    struct vcpu *v = vm->vcpu[id];
    int result = 0;

    spin_lock(&vm->lock);
    if (vm->state != VM_RUNNING && vm->state != VM_PAUSED) {
        result = -3;
    } else if (atomic_load(&v->state) != VCPU_OFF) {
        result = (atomic_load(&v->attention) & VCPU_INIT) != 0 ? -5 : -4;
    } else {
        v->entry = entry;
        v->context = context;
        vm->running++;
        vm->awake++; /* if that counts */
        atomic_or(&v->attention,
                  vm->state == VM_PAUSED ? (u32)(VCPU_INIT | VCPU_PAUSE) : (u32)VCPU_INIT);
        sched_ready(v);
    }
    spin_unlock(&vm->lock);
    return result;
}

void vm_cpu_off(struct vcpu *v)
{
    vcpu_ask(v, VCPU_STOP);
}

void vm_vcpu_left(struct vcpu *v)
{
    struct vm *vm = v->vm;
    bool last, still;

    if (atomic_load(&vm->dump)) {
        vm_dump_vcpu(v);
    }
    spin_lock(&vm->lock);
    sched_off(v);
    atomic_and(&v->attention, ~(u32)(VCPU_STOP | VCPU_IRQ | VCPU_PAUSE));
    timer_cancel(&v->wakeup);
    vm->running--;
    last = vm->running == 0;
    still = vm_core_counted(vm) && !last;
    if (last && (vm->state == VM_RUNNING || vm->state == VM_PAUSED)) {
        vm->frozen = false;
        vm_set_stopping(vm, &(struct vm_ending){.why = "its last CPU went off"});
    }
    spin_unlock(&vm->lock);
    if (last && !vm_core_at_end(vm)) {
        vm_finish_stop(vm);
    }
    if (still) {
        vm_core_begin(vm);
    }
}

struct vcpu *vm_find_vcpu(struct vm *vm, u64 mpidr)
{
    for (u32 i = 0; i < vm->nvcpus; i++) {
        if (vm->vcpu[i]->mpidr == mpidr) {
            return vm->vcpu[i];
        }
    }
    return NULL;
}

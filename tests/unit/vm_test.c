/* SPDX-License-Identifier: MIT */
/*
 * The life of VMs: vm_create and everything behind it, with CPUs driven by sched_enter. Stops,
 * restarts and CPU_ON/OFF at each point of a life, and from other threads.
 */
#include "core/vm.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/log.h"
#include "tests/host/cpus.h"
#include "tests/host/said.h"
#include "tests/host/two.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const u32 cpu0[] = {0}, cpu1[] = {1}, both[] = {0, 1};

static struct vm *make_vm(u32 ncpus, const u32 *pcpu)
{
    (void)two_next(ncpus, pcpu);
    return two_make();
}

static void begin(u32 cpus)
{
    two_begin(cpus);
    host_clean_dcache = NULL;
}

/* Nothing is left running: core counts what is alive. */
static int end(void **state)
{
    (void)state;
    two.in_make_dtb = NULL;
    host_clean_dcache = NULL;
    for (u32 i = 0; i < vm_count; i++) {
        vm_stop(vms[i], VM_EXIT_KILLED);
    }
    for (u32 i = 0; i < pcpu_count; i++) {
        (void)cpu_enter(i);
    }
    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i]->state != VM_STOPPED) {
            return -1;
        }
    }
    return 0;
}

/* One VM with two vCPUs, both on CPU 0. */
static struct vm *one_vm(void)
{
    static const u32 same[] = {0, 0};

    begin(2);
    return make_vm(2, same);
}

static struct vm *running_vm(void)
{
    struct vm *vm = one_vm();

    assert_true(vm_start(vm));
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    return vm;
}

/* As it is when nothing of it is left running. */
static void assert_stopped(const struct vm *vm)
{
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->running, 0);
    for (u32 i = 0; i < vm->nvcpus; i++) {
        assert_int_equal(vm->vcpu[i]->state, VCPU_OFF);
        assert_int_equal(vm->vcpu[i]->attention & (VCPU_STOP | VCPU_INIT), 0);
        assert_int_equal(vm->vcpu[i]->wakeup.deadline_ns, TIMER_OFF);
        assert_ptr_not_equal(vm->vcpu[i]->pcpu->current, vm->vcpu[i]);
    }
}

/* --- starting -------------------------------------------------------------------------------- */

static u64 reset_entry, reset_context, cleaned;

static void note_reset(struct vcpu *v, u64 entry, u64 context)
{
    (void)v;
    reset_entry = entry;
    reset_context = context;
}

/* What is cleaned is what the guest will find: zeroes and the tree. */
static void note_clean(const void *p, size_t len)
{
    const u8 *from = p;
    const u8 *ram = (const u8 *)vms[0]->mem.region[0].ptr;

    for (size_t i = 0; i < len; i++) {
        size_t at = (size_t)(from + i - ram);

        assert_int_equal(from[i],
                         at >= TWO_DTB - TWO_RAM && at < TWO_DTB - TWO_RAM + PAGE_SIZE ? 0xdb : 0);
    }
    cleaned += len;
}

static void test_start(void **state)
{
    struct vm *vm = one_vm();

    (void)state;
    memset((void *)vm->mem.region[0].ptr, 0x55, TWO_RAM_SIZE);
    host_reset = note_reset;
    host_clean_dcache = note_clean;
    cleaned = 0;
    host_now_ns = 777000000;
    assert_string_equal(vm->name, "alpha");
    assert_int_equal(vm->state, VM_STOPPED);
    assert_true(vm_start(vm));
    assert_false(vm_start(vm));
    assert_int_equal(vm->state, VM_STARTING);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    assert_false(vm_start(vm));
    assert_int_equal(reset_entry, TWO_ENTRY);
    assert_int_equal(reset_context, TWO_DTB);
    assert_int_equal(cleaned, TWO_RAM_SIZE);
    assert_int_equal(vm->counter_offset, arch_ticks());
    assert_int_equal(vm->starts, 1);
    assert_int_equal(vm->running, 1);
    assert_int_equal(vm->vcpu[1]->state, VCPU_OFF);
    assert_int_equal(two.dev_resets[0], 1);
    assert_int_equal(two.chip_resets[0], 1);
}

/* Where another VM's guest runs, a start takes a piece at a time. */
static void test_start_beside_a_guest(void **state)
{
    struct vm *a, *b;
    u32 pieces = 0;

    (void)state;
    begin(1);
    a = make_vm(1, cpu0);
    b = make_vm(1, cpu0);
    assert_true(vm_start(a));
    assert_ptr_equal(cpu_enter(0), a->vcpu[0]);
    assert_true(vm_start(b));
    while (b->state == VM_STARTING && pieces < 100) {
        assert_ptr_equal(cpu_enter_after(0, 1000), a->vcpu[0]);
        pieces++;
    }
    assert_int_equal(b->state, VM_RUNNING);
    assert_in_range(pieces, 2 * TWO_RAM_SIZE / (128 * KIB), 99);
    assert_ptr_equal(cpu_enter_after(0, SCHED_SLICE_NS), b->vcpu[0]);
}

static void test_start_fails(void **state)
{
    struct vm *vm = one_vm();

    (void)state;
    two.bad_tree = true;
    assert_true(vm_start(vm));
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_int_equal(vm->reason, VM_EXIT_START);
    assert_int_equal(two.stops, 1);
    two.bad_tree = false;
    assert_true(vm_start(vm));
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
}

/* --- CPU_ON, CPU_OFF ------------------------------------------------------------------------- */

static void test_cpu_on_off(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    host_reset = note_reset;
    assert_int_equal(vm_cpu_on(vm, 0, 1, 2), -4);
    assert_int_equal(vm_cpu_on(vm, 1, 0x111, 0x222), 0);
    assert_int_equal(vm_cpu_on(vm, 1, 0x333, 0x444), -5);
    assert_int_equal(vm->running, 2);
    assert_ptr_equal(cpu_enter_after(0, SCHED_SLICE_NS), vm->vcpu[0]); /* slice begins */
    assert_ptr_equal(cpu_enter_after(0, SCHED_SLICE_NS), vm->vcpu[1]);
    assert_int_equal(reset_entry, 0x111);
    assert_int_equal(reset_context, 0x222);
    assert_int_equal(vm_cpu_on(vm, 1, 0x333, 0x444), -4);

    vm_cpu_off(vm->vcpu[1]);
    assert_int_equal(vm_cpu_on(vm, 1, 0x333, 0x444), -4); /* not off yet */
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->vcpu[1]->state, VCPU_OFF);
    assert_int_equal(vm->running, 1);
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm_cpu_on(vm, 1, 0x555, 0x666), 0);
    assert_int_equal(vm->running, 2);

    /* the last one that goes off is the end */
    vm_cpu_off(vm->vcpu[0]);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[1]);
    assert_int_equal(reset_entry, 0x555);
    vm_cpu_off(vm->vcpu[1]);
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_int_equal(vm->reason, VM_EXIT_OFF);
    assert_int_equal(two.stops, 1);
    assert_int_equal(vm_cpu_on(vm, 1, 1, 2), -3);
}

/* --- stopping -------------------------------------------------------------------------------- */

static void test_stop(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    assert_int_equal(vm_cpu_on(vm, 1, TWO_ENTRY, 0), 0);
    sched_block(vm->vcpu[0]); /* a sleeping one must go, too */
    assert_ptr_equal(cpu_enter(0), vm->vcpu[1]);
    vm_stop(vm, VM_EXIT_KILLED);
    vm_stop(vm, VM_EXIT_OFF); /* the first says why */
    vm_restart(vm);
    assert_int_equal(vm->state, VM_STOPPING);
    assert_int_equal(vm_cpu_on(vm, 1, 1, 2), -3);
    assert_false(vm_start(vm));
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_int_equal(vm->reason, VM_EXIT_KILLED);
    assert_int_equal(two.dev_resets[0], 2);
    assert_int_equal(two.reset_state, VM_STOPPING); /* before anybody could start it anew */
    assert_int_equal(two.stops, 1);
    assert_non_null(strstr(said, "alpha: stopped: killed (exit code 3)|"));
    vm_stop(vm, VM_EXIT_OFF);
    assert_null(cpu_enter(0));
    assert_int_equal(two.stops, 1);
    assert_true(vm_start(vm));
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->starts, 2);
    assert_int_equal(vm->running, 1);
}

static void test_stop_with_cpu_off(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    assert_int_equal(vm_cpu_on(vm, 1, TWO_ENTRY, 0), 0);
    vm_cpu_off(vm->vcpu[1]);
    vm_stop(vm, VM_EXIT_OFF);
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_int_equal(two.stops, 1);
}

/* At each piece of a start. */
static void test_stop_while_starting(void **state)
{
    (void)state;
    for (u32 pieces = 0; pieces < 13; pieces++) {
        struct vm *vm = one_vm();
        u32 built;

        assert_true(vm_start(vm));
        for (u32 i = 0; i < pieces; i++) {
            struct work *w = pcpus[0].remote.work;

            assert_ptr_equal(w, &vm->start_work);
            assert_true(w->fn(w));
        }
        assert_int_equal(vm->state, VM_STARTING);
        built = two.trees;
        vm_stop(vm, VM_EXIT_KILLED);
        assert_int_equal(vm_cpu_on(vm, 1, 1, 2), -3);
        assert_null(cpu_enter(0));
        assert_stopped(vm);
        assert_int_equal(vm->starts, 0);
        assert_int_equal(two.trees, built); /* nothing more was done for it */
        assert_int_equal(two.stops, 1);
    }
}

static void stop_it(struct vm *vm)
{
    vm_stop(vm, VM_EXIT_KILLED);
}

/* … while a piece runs, on another CPU as it were. */
static void test_stop_within_a_piece(void **state)
{
    struct vm *vm = one_vm();

    (void)state;
    two.in_make_dtb = stop_it;
    assert_true(vm_start(vm));
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    two.in_make_dtb = vm_restart;
    assert_true(vm_start(vm));
    two.in_make_dtb = NULL;
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
}

/* --- restarting ------------------------------------------------------------------------------ */

static void test_restart(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    assert_int_equal(vm_cpu_on(vm, 1, TWO_ENTRY, 0), 0);
    memset((void *)vm->mem.region[0].ptr, 0x55, TWO_RAM_SIZE);
    cleaned = 0;
    host_clean_dcache = note_clean;
    vm_restart(vm);
    vm_restart(vm);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm->starts, 2);
    assert_int_equal(vm->running, 1);
    assert_int_equal(vm->vcpu[1]->state, VCPU_OFF);
    assert_int_equal(vm->vcpu[1]->attention & (VCPU_INIT | VCPU_STOP), 0);
    assert_int_equal(cleaned, TWO_RAM_SIZE);
    assert_int_equal(two.stops, 0);
    assert_non_null(strstr(said, "alpha: restarts|"));
}

/* --- ending by itself ------------------------------------------------------------------------ */

static void test_end_is_what_the_config_says(void **state)
{
    struct vm *vm = running_vm();
    struct vm_config *c = &two.cfg[0];

    (void)state;
    c->max_restarts = 100;
    c->on_crash.restart = true;
    vm_end(vm, VM_EXIT_UNSUPPORTED, false, "write at %x", 0x1000);
    assert_true(vm->restart);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm->ends, 1);
    assert_int_equal(vm->last_reason, VM_EXIT_UNSUPPORTED);
    assert_string_equal(vm->why, "write at 1000");
    assert_non_null(strstr(said, "alpha: restarts: write at 1000|"));
    vm_end(vm, VM_EXIT_WATCHDOG, false, "hungry"); /* another option's */
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_int_equal(vm->reason, VM_EXIT_WATCHDOG);
    assert_non_null(strstr(said, "alpha: stopped: its watchdog bit (exit code 4): hungry|"));
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "too late"); /* nothing happens to what is stopped */
    assert_int_equal(vm->reason, VM_EXIT_WATCHDOG);
    assert_int_equal(vm->ends, 2);
}

static void test_reset_by_guest(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    two.cfg[0].on_reset.restart = true;
    two.cfg[0].max_restarts = 1;
    vm_reset_by_guest(vm);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    two.cfg[0].on_reset.restart = false;
    vm_reset_by_guest(vm);
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_non_null(strstr(said, "stopped: powered off (exit code 0): reset by its guest|"));
}

/* Three a minute; what the console asks for isn't counted. */
static void test_restarts_are_limited(void **state)
{
    struct vm *vm = running_vm();
    u64 start = host_now_ns;

    (void)state;
    two.cfg[0].max_restarts = 3;
    two.cfg[0].on_crash.restart = true;
    for (u32 i = 0; i < 3; i++) {
        vm_end(vm, VM_EXIT_UNEXPECTED, false, "x");
        assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
        vm_restart(vm);
        assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    }
    host_now_ns = start + 60000000000ull; /* a new minute */
    for (u32 i = 0; i < 3; i++) {
        vm_end(vm, VM_EXIT_UNEXPECTED, false, "x");
        assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    }
    host_now_ns += 59999999999ull;
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "x");
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_non_null(strstr(said, "stopped: unexpected (exit code 7): x; restarted too often|"));
}

/* With `dump`, registers of the vCPUs that were on; a restart forgets that it was wanted. */
static void test_dump(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    two.cfg[0].max_restarts = 9;
    two.cfg[0].on_crash = (struct cfg_end){.restart = true, .dump = true};
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "x");
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_non_null(strstr(said, "alpha: registers of vCPU 0:|"));
    assert_non_null(strstr(said, "|muntin:   pc 0x40080000 "));
    assert_null(strstr(said, "vCPU 1"));
    assert_false(vm->dump);
    said_log();
    vm_restart(vm);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_null(strstr(said, "registers"));
    vm_end(vm, VM_EXIT_WATCHDOG, true, "x"); /* as the device wants it */
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_non_null(strstr(said, "muntin:   pc 0x40080000 "));
}

/* However much a guest makes there be to say, it is cut. */
static void test_long_why_is_cut(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "%0200d", 7);
    assert_null(cpu_enter(0));
    assert_int_equal(strlen(vm->why), VM_WHY - 1);
}

/* Who kills a VM that is about to restart doesn't get it back. */
static void test_kill_before_restart(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    vm_restart(vm);
    vm_stop(vm, VM_EXIT_KILLED);
    assert_null(cpu_enter(0));
    assert_stopped(vm);
    assert_int_equal(vm->reason, VM_EXIT_KILLED);
    assert_int_equal(two.stops, 1);
}

static void test_restart_while_starting(void **state)
{
    struct vm *vm = one_vm();

    (void)state;
    assert_true(vm_start(vm));
    vm_restart(vm);
    assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm->starts, 1);
}

/* A guest that does nothing but restart can't fill the log. */
static void test_restarts_flood(void **state)
{
    struct vm *vm = running_vm();
    u32 lines = 0;

    (void)state;
    for (u32 i = 0; i < 50; i++) {
        vm_restart(vm);
        assert_ptr_equal(cpu_enter(0), vm->vcpu[0]);
    }
    for (const char *p = said; *p != '\0'; p++) {
        lines += *p == '|';
    }
    assert_in_range(lines, 1, 20);
}

/* --- two VMs --------------------------------------------------------------------------------- */

/* Powered off once all have stopped for good; one that restarts counts as alive throughout. */
static void stop_other(struct vm *vm)
{
    struct vm *other = vms[1 - vm->index];

    two.in_make_dtb = NULL;
    vm_stop(other, VM_EXIT_OFF);
    assert_null(cpu_enter(1));
    assert_stopped(other);
    cpu_become(0);
}

static void test_last_one(void **state)
{
    struct vm *a, *b;

    (void)state;
    begin(2);
    a = make_vm(1, cpu0);
    b = make_vm(1, cpu1);
    assert_true(vm_start(a));
    assert_true(vm_start(b));
    assert_ptr_equal(cpu_enter(0), a->vcpu[0]);
    assert_ptr_equal(cpu_enter(1), b->vcpu[0]);
    vm_stop(a, VM_EXIT_OFF);
    assert_null(cpu_enter(0));
    assert_int_equal(two.stops, 0);
    assert_true(vm_start(a));
    assert_ptr_equal(cpu_enter(0), a->vcpu[0]);
    two.in_make_dtb = stop_other;
    vm_restart(a);
    assert_ptr_equal(cpu_enter(0), a->vcpu[0]);
    assert_int_equal(two.stops, 0);
    vm_stop(a, VM_EXIT_OFF);
    assert_null(cpu_enter(0));
    assert_int_equal(two.stops, 1);
}

/* --- who may start --------------------------------------------------------------------------- */

/* vCPUs that share a CPU have their WFI trapped. */
static void test_settle(void **state)
{
    struct vm *a, *b;

    (void)state;
    begin(2);
    a = make_vm(2, both);
    b = make_vm(1, cpu1);
    vm_settle();
    assert_false(a->vcpu[0]->trap_wfi);
    assert_true(a->vcpu[1]->trap_wfi);
    assert_true(b->vcpu[0]->trap_wfi);
    assert_true(vm_start(a));
    assert_true(vm_start(b));
}

static void test_settle_as_configured(void **state)
{
    struct vm *a, *b;

    (void)state;
    begin(2);
    a = make_vm(1, cpu0);
    b = make_vm(1, cpu1);
    two.cfg[0].exit_on_halt = HALT_ON;
    two.cfg[1].exit_on_halt = HALT_OFF;
    vm_settle();
    assert_true(a->vcpu[0]->trap_wfi);
    assert_false(b->vcpu[0]->trap_wfi);
    assert_true(vm_start(b));
}

/* Nothing starts a VM that was refused, and its CPUs are as if it weren't there. */
static void test_refused_cpu(void **state)
{
    struct vm *a, *b;

    (void)state;
    begin(2);
    pcpus[1].online = false;
    a = make_vm(2, both);
    b = make_vm(1, cpu0);
    vm_settle();
    assert_string_equal(a->refused, "vCPU 1 is pinned to CPU 1, which is not up");
    assert_non_null(
        strstr(said, "alpha: not started: vCPU 1 is pinned to CPU 1, which is not up|"));
    assert_false(vm_start(a));
    assert_int_equal(a->state, VM_STOPPED);
    assert_int_equal(pcpus[0].nvcpus, 1);
    assert_int_equal(pcpus[1].nvcpus, 0);
    assert_false(b->vcpu[0]->trap_wfi);
    assert_string_equal(b->refused, "");
    assert_true(vm_start(b));
}

static void test_refused_sharing(void **state)
{
    struct vm *a, *b;

    (void)state;
    begin(2);
    a = make_vm(2, both);
    b = make_vm(1, cpu1);
    two.cfg[0].exit_on_halt = HALT_OFF;
    vm_settle();
    assert_string_equal(a->refused, "exit-on-halt off, but vCPU 1 shares CPU 1 with others");
    assert_false(vm_start(a));
    assert_int_equal(pcpus[0].nvcpus, 0);
    assert_int_equal(pcpus[1].nvcpus, 1);
    assert_false(b->vcpu[0]->trap_wfi);
    assert_true(vm_start(b));
}

static void test_refused_by_caller(void **state)
{
    struct vm *a, *b;

    (void)state;
    begin(1);
    a = make_vm(1, cpu0);
    b = make_vm(1, cpu0);
    vm_refuse(a, "its %s is no good", "tree");
    vm_settle();
    assert_string_equal(said, "muntin: error: alpha: not started: its tree is no good|");
    assert_false(vm_start(a));
    assert_false(b->vcpu[0]->trap_wfi);
    assert_true(vm_start(b));
}

/* A VM that could not be made does not make others share a CPU with it. */
static void test_not_created(void **state)
{
    struct vm *b;

    (void)state;
    begin(2);
    two.bad_chip = true;
    assert_null(make_vm(2, both));
    two.bad_chip = false;
    b = make_vm(1, cpu1);
    vm_settle();
    assert_int_equal(pcpus[0].nvcpus, 0);
    assert_int_equal(pcpus[1].nvcpus, 1);
    assert_false(b->vcpu[0]->trap_wfi);
}

static void test_no_memory(void **state)
{
    (void)state;
    begin(1);
    two_next(1, cpu0)->mem[0].size = 64 * MIB;
    assert_null(two_make());
    assert_int_equal(vm_count, 0);
    assert_non_null(strstr(said, "alpha: ram of 65536 KiB does not fit"));
    assert_non_null(make_vm(1, cpu0));
}

/* --- threads --------------------------------------------------------------------------------- */

static u32 done; /* atomic */

static void *run_cpu(void *arg)
{
    u32 id = *(u32 *)arg;

    cpu_become(id);
    while (atomic_load(&done) == 0) {
        struct vcpu *v = cpu_enter(id);

        if (v == NULL) {
            sched_yield();
            continue;
        }
        if (v->id == 0) {
            (void)vm_cpu_on(v->vm, 1, TWO_ENTRY, 0);
        }
        if (v->id == 1 && atomic_load(&v->vm->state) == VM_RUNNING) {
            vm_cpu_off(v);
        }
        vcpu_wfi(v);
    }
    return NULL;
}

static bool wait_state(const struct vm *vm, u32 wanted)
{
    for (u32 i = 0; i < 2000000; i++) {
        if (atomic_load(&vm->state) == wanted) {
            return true;
        }
        sched_yield();
    }
    return false;
}

static void no_sink(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

/* A VM on two CPUs is stopped, restarted and started from a third, again and again. */
static void test_threads(void **state)
{
    u32 ids[] = {0, 1}, seed = 1;
    pthread_t t[2];
    struct vm *vm;
    bool ok = true;

    (void)state;
    begin(3);
    vm = make_vm(2, both);
    log_sink = no_sink;
    done = 0;
    cpu_become(2);
    pthread_create(&t[0], NULL, run_cpu, &ids[0]);
    pthread_create(&t[1], NULL, run_cpu, &ids[1]);
    for (u32 i = 0; ok && i < 150; i++) {
        (void)vm_start(vm);
        if (i % 2 != 0) {
            ok = wait_state(vm, VM_RUNNING);
        }
        for (u32 n = (seed >> 16) % 300; n > 0; n--) {
            vcpu_ask(vm->vcpu[n & 1], VCPU_IRQ);
            sched_yield();
        }
        seed = seed * 1103515245 + 12345;
        if ((seed & 0x10000) != 0) {
            vm_restart(vm);
        }
        vm_stop(vm, VM_EXIT_KILLED);
        ok = wait_state(vm, VM_STOPPED);
    }
    atomic_store(&done, 1u);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    assert_true(ok);
    assert_stopped(vm);
    assert_in_range(two.stops, 1, 150); /* a start may come before the last one is counted */
    assert_in_range(vm->starts, 75, 300);
}

#define T(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_start),
        T(test_start_beside_a_guest),
        T(test_start_fails),
        T(test_cpu_on_off),
        T(test_stop),
        T(test_stop_with_cpu_off),
        T(test_stop_while_starting),
        T(test_stop_within_a_piece),
        T(test_restart),
        T(test_end_is_what_the_config_says),
        T(test_reset_by_guest),
        T(test_restarts_are_limited),
        T(test_long_why_is_cut),
        T(test_dump),
        T(test_kill_before_restart),
        T(test_restart_while_starting),
        T(test_restarts_flood),
        T(test_last_one),
        T(test_settle),
        T(test_settle_as_configured),
        T(test_refused_cpu),
        T(test_refused_sharing),
        T(test_refused_by_caller),
        T(test_not_created),
        T(test_no_memory),
        T(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

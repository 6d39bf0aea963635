/* SPDX-License-Identifier: MIT */
/*
 * The scheduler by its own entry points: who runs, what wakes and kicks, deferred work, and vCPUs
 * that are asked for something at every moment of their way in.
 */
#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/sched.h"
#include "core/vm.h"
#include "tests/host/cpus.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct vm vm;
static struct vcpu v[4];
static u32 updates, chip_resets;
static bool chip_pending;

static void update(struct vcpu *c)
{
    assert_ptr_equal(c->pcpu->current, c);
    updates++;
}

static bool pending(struct vcpu *c)
{
    (void)c;
    return chip_pending;
}

static void reset_vcpu(struct vcpu *c)
{
    assert_ptr_not_equal(c->pcpu->current, c);
    chip_resets++;
}

static const struct irqchip chip = {.update = update, .pending = pending, .reset_vcpu = reset_vcpu};

static void all_stopped(void)
{
}

static const struct vm_hooks hooks = {.all_stopped = all_stopped};

/* All vCPUs of one VM, off, on CPU 0, with these priorities. */
static void make(u32 cpus, const u32 prio[4])
{
    cpus_init(cpus);
    memset(&vm, 0, sizeof(vm));
    vm_hooks = &hooks;
    spin_init(&vm.lock, LOCK_VM);
    vm.state = VM_RUNNING;
    vm.irqchip = &chip;
    vm.nvcpus = 4;
    vm.running = 4;
    for (u32 i = 0; i < 4; i++) {
        v[i] = (struct vcpu){.vm = &vm, .pcpu = &pcpus[0], .id = i, .prio = prio[i]};
        timer_init(&v[i].wakeup, &pcpus[0], NULL);
        vm.vcpu[i] = &v[i];
    }
    updates = 0;
    chip_resets = 0;
    chip_pending = false;
}

static const u32 equal[4] = {10, 10, 10, 10}, rising[4] = {1, 2, 3, 4};

/* --- who runs -------------------------------------------------------------------------------- */

static void test_priorities(void **state)
{
    (void)state;
    make(1, rising);
    assert_null(cpu_enter(0));
    sched_ready(&v[1]);
    assert_ptr_equal(cpu_enter(0), &v[1]);
    sched_ready(&v[0]);
    assert_ptr_equal(cpu_enter(0), &v[1]);
    sched_ready(&v[3]);
    sched_ready(&v[2]);
    assert_ptr_equal(cpu_enter(0), &v[3]);
    sched_block(&v[3]);
    assert_ptr_equal(cpu_enter(0), &v[2]);
    sched_off(&v[2]);
    assert_ptr_equal(cpu_enter(0), &v[1]);
    vcpu_ask(&v[3], VCPU_IRQ);
    assert_ptr_equal(cpu_enter(0), &v[3]);
    assert_int_equal(pcpus[0].slice.deadline_ns, TIMER_OFF); /* nobody to share with */
}

/* Equals take turns when the slice is over, not before; alone there's no tick. */
static void test_round_robin(void **state)
{
    (void)state;
    make(1, equal);
    sched_ready(&v[0]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(host_deadline_ns, TIMER_OFF);
    sched_ready(&v[1]);
    sched_ready(&v[2]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(host_deadline_ns, host_now_ns + SCHED_SLICE_NS);
    assert_ptr_equal(cpu_enter_after(0, SCHED_SLICE_NS - 1), &v[0]);
    assert_ptr_equal(cpu_enter_after(0, 1), &v[1]);
    assert_ptr_equal(cpu_enter_after(0, SCHED_SLICE_NS), &v[2]);
    assert_ptr_equal(cpu_enter_after(0, SCHED_SLICE_NS), &v[0]);
    sched_requeue(&v[0]); /* it gives its turn away */
    assert_ptr_equal(cpu_enter(0), &v[1]);
    sched_off(&v[0]);
    sched_off(&v[2]);
    assert_ptr_equal(cpu_enter(0), &v[1]);
    assert_int_equal(pcpus[0].slice.deadline_ns, TIMER_OFF);
}

/* A vCPU that only sleeps for a moment isn't unloaded while nobody else wants its CPU. */
static void test_stays_loaded(void **state)
{
    u32 before;

    (void)state;
    make(1, equal);
    sched_ready(&v[0]);
    (void)cpu_enter(0);
    before = host_switches;
    vcpu_wfi(&v[0]);
    assert_null(cpu_enter(0));
    vcpu_ask(&v[0], VCPU_IRQ);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(host_switches, before);
}

/* --- waking and kicking ---------------------------------------------------------------------- */

static void test_wfi(void **state)
{
    (void)state;
    make(1, equal);
    sched_ready(&v[0]);
    (void)cpu_enter(0);
    chip_pending = true;
    vcpu_wfi(&v[0]);
    assert_int_equal(v[0].state, VCPU_READY);
    chip_pending = false;
    (void)atomic_or(&v[0].attention, (u32)VCPU_IRQ); /* as by another CPU, just now */
    vcpu_wfi(&v[0]);
    assert_int_equal(v[0].state, VCPU_READY);
    sched_block(&v[0]); /* … or between the look and the sleep */
    assert_int_equal(v[0].state, VCPU_READY);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    vcpu_wfi(&v[0]);
    assert_int_equal(v[0].state, VCPU_BLOCKED);
}

static void test_kicks(void **state)
{
    (void)state;
    make(2, equal);
    sched_ready(&v[0]);
    sched_ready(&v[1]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    vcpu_ask(&v[0], VCPU_IRQ); /* by itself */
    assert_false(cpu_kicked(0));
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(v[0].attention, 0);

    cpu_become(1);
    vcpu_ask(&v[1], VCPU_IRQ); /* not loaded: will see it */
    assert_false(cpu_kicked(0));
    vcpu_ask(&v[0], VCPU_IRQ);
    assert_true(cpu_kicked(0));
    vcpu_ask(&v[0], VCPU_IRQ); /* asked already, kicked already */
    assert_false(cpu_kicked(0));
    sched_ready(&v[2]);
    assert_true(cpu_kicked(0));
    cpu_become(0);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(v[0].attention, 0);
    sched_block(&v[0]);
    sched_block(&v[1]);
    sched_block(&v[2]); /* v[1] still has its bit */
    assert_ptr_equal(cpu_enter(0), &v[1]);
    vcpu_wfi(&v[1]);
    assert_null(cpu_enter(0));
    cpu_become(1);
    vcpu_ask(&v[0], VCPU_IRQ);
    assert_true(cpu_kicked(0));
    assert_ptr_equal(cpu_enter(0), &v[0]);
}

/* Who saw it blocked and comes late must not put a vCPU on that has gone off meanwhile. */
static void test_late_wake_up(void **state)
{
    (void)state;
    make(1, equal);
    sched_ready(&v[0]);
    (void)cpu_enter(0);
    sched_block(&v[0]);
    sched_wake(&v[0]);
    assert_int_equal(v[0].state, VCPU_READY);
    sched_off(&v[0]);
    sched_wake(&v[0]);
    assert_int_equal(v[0].state, VCPU_OFF);
    vcpu_ask(&v[0], VCPU_IRQ);
    assert_int_equal(v[0].state, VCPU_OFF);
    assert_null(pcpus[0].remote.ready);
}

/* Its own timer wakes a vCPU that sleeps while another one is loaded. */
static void wake(struct timer *t)
{
    sched_wake(container_of(t, struct vcpu, wakeup));
}

static void test_wakeup_timer(void **state)
{
    (void)state;
    make(1, rising);
    v[1].wakeup.fn = wake;
    sched_ready(&v[0]);
    sched_ready(&v[1]);
    assert_ptr_equal(cpu_enter(0), &v[1]);
    host_wakeup_ns = host_now_ns + 500;
    vcpu_wfi(&v[1]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(v[0].wakeup.deadline_ns, TIMER_OFF); /* it's awake */
    assert_int_equal(host_deadline_ns, host_now_ns + 500);
    assert_ptr_equal(cpu_enter_after(0, 499), &v[0]);
    assert_ptr_equal(cpu_enter_after(0, 1), &v[1]);
    vcpu_wfi(&v[1]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    vcpu_ask(&v[1], VCPU_IRQ); /* woken by something else: the hardware has the timer again */
    assert_ptr_equal(cpu_enter(0), &v[1]);
    assert_int_equal(v[1].wakeup.deadline_ns, TIMER_OFF);
}

/* --- attention on the way in ----------------------------------------------------------------- */

static void test_update(void **state)
{
    (void)state;
    make(1, equal);
    sched_ready(&v[0]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(updates, 1); /* its maintenance interrupt may be lost with the switch */
    vcpu_ask(&v[0], VCPU_IRQ);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(updates, 2);
    (void)atomic_or(&pcpus[0].remote.attention, (u32)PCPU_RESCHED);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(updates, 2);
}

static u64 reset_entry, reset_context;

static void note_reset(struct vcpu *c, u64 entry, u64 context)
{
    assert_ptr_not_equal(c->pcpu->current, c);
    reset_entry = entry;
    reset_context = context;
}

/* Nothing is left over from the reset: else who asks next would think somebody has kicked. */
static void test_init(void **state)
{
    (void)state;
    make(2, equal);
    host_reset = note_reset;
    v[0].entry = 0x1234;
    v[0].context = 0x5678;
    (void)atomic_or(&v[0].attention, (u32)VCPU_INIT);
    sched_ready(&v[0]);
    assert_ptr_equal(cpu_enter(0), &v[0]);
    assert_int_equal(reset_entry, 0x1234);
    assert_int_equal(reset_context, 0x5678);
    assert_int_equal(chip_resets, 1);
    assert_int_equal(updates, 1);
    assert_int_equal(v[0].attention, 0);
    (void)cpu_kicked(0);
    cpu_become(1);
    vcpu_ask(&v[0], VCPU_IRQ);
    assert_true(cpu_kicked(0));
}

static u32 ask_at; /* which switch */

static void ask_stop(struct pcpu *p, struct vcpu *loaded)
{
    (void)p;
    (void)loaded;
    if (--ask_at == 0) {
        cpu_become(1);
        vcpu_ask(&v[0], VCPU_STOP);
        cpu_become(0);
    }
}

/* Asked to stop at any of the three switches of a start: it never gets into its guest. */
static void test_stop_during_init(void **state)
{
    (void)state;
    for (u32 at = 1; at <= 3; at++) {
        make(2, equal);
        host_switch = ask_stop;
        ask_at = at;
        (void)atomic_or(&v[0].attention, (u32)VCPU_INIT);
        sched_ready(&v[0]);
        assert_null(cpu_enter(0));
        assert_int_equal(v[0].state, VCPU_OFF);
        assert_int_equal(vm.running, 3);
        assert_null(pcpus[0].current);
        assert_int_equal(v[0].attention & VCPU_STOP, 0);
    }
}

/* Started and stopped before it ran at all: its registers are never made. */
static void test_stop_before_init(void **state)
{
    (void)state;
    make(1, equal);
    (void)atomic_or(&v[0].attention, (u32)VCPU_INIT);
    sched_ready(&v[0]);
    vcpu_ask(&v[0], VCPU_STOP);
    assert_null(cpu_enter(0));
    assert_int_equal(host_resets, 0);
    assert_int_equal(v[0].attention, 0);
}

/* A busy vCPU of high priority doesn't keep one of low priority from going off. */
static void test_stop_behind_a_busy_one(void **state)
{
    (void)state;
    make(2, rising);
    sched_ready(&v[3]);
    sched_ready(&v[0]);
    sched_ready(&v[1]);
    assert_ptr_equal(cpu_enter(0), &v[3]);
    (void)cpu_kicked(0);
    cpu_become(1);
    vcpu_ask(&v[0], VCPU_STOP);
    assert_true(cpu_kicked(0));
    assert_ptr_equal(cpu_enter(0), &v[3]);
    assert_int_equal(v[0].state, VCPU_OFF);
    assert_int_equal(v[1].state, VCPU_READY);
    assert_int_equal(vm.running, 3);
}

/* An SError that is due to v[0], found when it's unloaded. */
static void fail_vm(struct vcpu *c)
{
    if (c == &v[0]) {
        host_unload = NULL;
        vm_stop(c->vm, VM_EXIT_UNEXPECTED);
    }
}

/* Its VM stops, whatever it was unloaded for; the next VM on that CPU runs on. */
static void test_stop_by_unloading(void **state)
{
    static struct vm other;

    (void)state;
    for (u32 why = 0; why < 4; why++) {
        make(1, equal);
        other = vm;
        v[1].vm = &other;
        vm.vcpu[1] = &v[2];
        vm.running = 3;
        sched_ready(&v[0]);
        assert_ptr_equal(cpu_enter(0), &v[0]);
        sched_ready(&v[1]);
        host_unload = fail_vm;
        if (why == 0) {
            sched_requeue(&v[0]);
        } else if (why == 1) {
            vcpu_wfi(&v[0]);
        } else {
            vcpu_ask(&v[0], why == 2 ? VCPU_INIT : VCPU_STOP);
        }
        assert_ptr_equal(cpu_enter(0), &v[1]);
        assert_null(host_unload);
        assert_int_equal(v[0].state, VCPU_OFF);
        assert_int_equal(v[0].attention & VCPU_STOP, 0);
        assert_int_equal(vm.state, VM_STOPPING);
        assert_int_equal(vm.reason, VM_EXIT_UNEXPECTED);
        assert_int_equal(vm.running, 2);
        assert_int_equal(other.state, VM_RUNNING);
        assert_int_equal(v[1].attention & VCPU_STOP, 0);
    }
}

/* --- deferred work --------------------------------------------------------------------------- */

static struct job {
    struct work work;
    u32 pieces, done; /* pieces: left */
    u64 takes_ns;
    struct pcpu *again; /* queue it there while it runs */
} job[3];

static char order[64];

static bool do_piece(struct work *w)
{
    struct job *j = container_of(w, struct job, work);
    size_t n = strlen(order);

    order[n] = (char)('a' + (j - job));
    order[n + 1] = '\0';
    j->done++;
    host_now_ns += j->takes_ns;
    if (j->again != NULL) {
        work_queue(j->again, w);
        j->again = NULL;
    }
    return --j->pieces > 0;
}

static void make_jobs(u64 takes_ns)
{
    order[0] = '\0';
    for (u32 i = 0; i < 3; i++) {
        job[i] = (struct job){.work.fn = do_piece, .pieces = 2, .takes_ns = takes_ns};
    }
}

/* In turn, a piece each; twice queued is once done; queued while it runs is once more. */
static void test_work_order(void **state)
{
    (void)state;
    make(2, equal);
    make_jobs(10);
    cpu_become(1);
    work_queue(&pcpus[0], &job[0].work);
    assert_true(cpu_kicked(0));
    work_queue(&pcpus[0], &job[1].work);
    work_queue(&pcpus[0], &job[0].work);
    work_queue(&pcpus[0], &job[2].work);
    job[1].pieces = 1;
    job[2].pieces = 1;
    assert_null(cpu_enter(0));
    assert_string_equal(order, "abca");
    job[0].pieces = 1;
    work_queue(&pcpus[0], &job[0].work);
    assert_null(cpu_enter(0));
    assert_string_equal(order, "abcaa");

    make_jobs(10);
    job[0] = (struct job){.work.fn = do_piece, .pieces = 2, .again = &pcpus[0]};
    work_queue(&pcpus[0], &job[0].work);
    assert_null(cpu_enter(0));
    assert_string_equal(order, "aa");
    assert_null(pcpus[0].remote.work);
}

/* Guests get as much time as the pieces take; without a guest the next follows at once. */
static void test_work_pace(void **state)
{
    (void)state;
    make(1, equal);
    make_jobs(3000);
    job[0].pieces = 3;
    sched_ready(&v[0]);
    work_queue(&pcpus[0], &job[0].work);
    assert_ptr_equal(cpu_enter(0), &v[0]); /* after the guest's trap it is first the guest's turn */
    assert_int_equal(job[0].done, 0);
    assert_ptr_equal(cpu_enter_after(0, 20000), &v[0]);
    assert_int_equal(job[0].done, 1);
    assert_int_equal(host_deadline_ns, host_now_ns + 3000);
    assert_ptr_equal(cpu_enter_after(0, 2999), &v[0]);
    assert_int_equal(job[0].done, 1);
    assert_ptr_equal(cpu_enter_after(0, 1), &v[0]);
    assert_int_equal(job[0].done, 2);
    vcpu_wfi(&v[0]); /* nobody has a use for the pause … */
    work_queue(&pcpus[0], &job[1].work);
    assert_null(cpu_enter(0)); /* … and what comes newly starts all of it again */
    assert_int_equal(job[0].done, 3);
    assert_int_equal(job[1].done, 2);
}

/* --- threads --------------------------------------------------------------------------------- */

#define ROUNDS 20000u

static u32 sent, seen; /* atomic */

static bool events(struct vcpu *c)
{
    (void)c;
    return atomic_load(&sent) != atomic_load(&seen);
}

static void take(struct vcpu *c)
{
    (void)c;
    atomic_store(&seen, atomic_load_acquire(&sent));
}

static const struct irqchip busy_chip = {
    .update = take, .pending = events, .reset_vcpu = reset_vcpu};

/* CPU 0: a guest that sleeps, by a trap or in its own WFI, whenever nothing is to be done. */
static void *guest(void *arg)
{
    bool traps = *(bool *)arg;

    cpu_become(0);
    while (atomic_load(&seen) != ROUNDS) {
        struct vcpu *c = cpu_enter(0);

        if (c == NULL) {
            return "a wake-up got lost";
        }
        if (traps) {
            vcpu_wfi(c);
        } else if (atomic_load(&seen) != ROUNDS && !cpu_wait_kick()) {
            return "a kick got lost";
        }
    }
    return NULL;
}

/* Each event must be seen, without any other to help: the next one waits for it. */
static void *sender(void *arg)
{
    (void)arg;
    cpu_become(1);
    for (u32 i = 1; i <= ROUNDS; i++) {
        __atomic_store_n(&sent, i, __ATOMIC_RELEASE);
        vcpu_ask(&v[0], VCPU_IRQ);
        for (u32 spin = 0; i % 3 != 0 && atomic_load(&seen) != i && spin < 1000000; spin++) {
            sched_yield();
        }
    }
    return NULL;
}

static void run_threads(bool traps)
{
    pthread_t a, b;
    void *trouble;

    make(2, equal);
    vm.irqchip = &busy_chip;
    sent = 0;
    seen = 0;
    cpus_sleep(true);
    sched_ready(&v[0]);
    pthread_create(&a, NULL, guest, &traps);
    pthread_create(&b, NULL, sender, NULL);
    pthread_join(b, NULL);
    pthread_join(a, &trouble);
    if (trouble != NULL) {
        fail_msg("%s", (const char *)trouble);
    }
    assert_int_equal(seen, ROUNDS);
}

static void test_threads_trapped_wfi(void **state)
{
    (void)state;
    run_threads(true);
}

static void test_threads_kicks(void **state)
{
    (void)state;
    run_threads(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_round_robin),
        cmocka_unit_test(test_stays_loaded),
        cmocka_unit_test(test_wfi),
        cmocka_unit_test(test_kicks),
        cmocka_unit_test(test_late_wake_up),
        cmocka_unit_test(test_wakeup_timer),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_stop_during_init),
        cmocka_unit_test(test_stop_before_init),
        cmocka_unit_test(test_stop_behind_a_busy_one),
        cmocka_unit_test(test_stop_by_unloading),
        cmocka_unit_test(test_work_order),
        cmocka_unit_test(test_work_pace),
        cmocka_unit_test(test_threads_trapped_wfi),
        cmocka_unit_test(test_threads_kicks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

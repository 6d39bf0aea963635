/* SPDX-License-Identifier: MIT */
/*
 * The locks of the target, which host builds otherwise replace, under threads; and the host's own,
 * which have to catch a wrong order: each case in a process of its own that must abort.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/spinlock.h"

#define spin_lock   target_lock
#define spin_unlock target_unlock
#include "core/lib/include/spin.h"
#include "core/spinlock.c"
#undef spin_lock
#undef spin_unlock

#define THREADS 4
#define ROUNDS  5000u

/* --- the target's ---------------------------------------------------------------------------- */

static struct spinlock lock;
static void *turn[THREADS];
static u32 count; /* under the lock: not atomic, for TSan to see */

static void *add(void *arg)
{
    u32 seen;

    (void)arg;
    for (u32 i = 0; i < ROUNDS; i++) {
        target_lock(&lock);
        seen = count;
        if (i % 64 == 0) {
            sched_yield(); /* time for the others to get in, if they can */
        }
        count = seen + 1;
        target_unlock(&lock);
    }
    return NULL;
}

static void test_excludes(void **state)
{
    pthread_t t[THREADS];

    (void)state;
    spin_init(&lock, LOCK_VM);
    count = 0;
    lock.next = lock.owner = UINT32_MAX - 100; /* tickets wrap */
    for (u32 i = 0; i < THREADS; i++) {
        pthread_create(&t[i], NULL, add, NULL);
    }
    for (u32 i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
    }
    assert_int_equal(count, THREADS * ROUNDS);
    assert_int_equal(lock.owner, lock.next);
}

static void *take_turn(void *arg)
{
    target_lock(&lock);
    turn[count++] = arg;
    target_unlock(&lock);
    return NULL;
}

/* They get it in the order in which they came. */
static void test_fair(void **state)
{
    pthread_t t[THREADS];
    u8 who[THREADS];

    (void)state;
    spin_init(&lock, LOCK_VM);
    count = 0;
    target_lock(&lock);
    for (u32 i = 0; i < THREADS; i++) {
        pthread_create(&t[i], NULL, take_turn, &who[i]);
        while (atomic_load(&lock.next) != i + 2) {
            sched_yield();
        }
    }
    target_unlock(&lock);
    for (u32 i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
    }
    for (u32 i = 0; i < THREADS; i++) {
        assert_ptr_equal(turn[i], &who[i]);
    }
}

/* --- the host's checks ----------------------------------------------------------------------- */

static struct spinlock low = SPINLOCK_INIT(LOCK_VM), high = SPINLOCK_INIT(LOCK_SCHED),
                       same = SPINLOCK_INIT(LOCK_SCHED), rx = SPINLOCK_INIT(LOCK_QUEUE_RX),
                       odd = SPINLOCK_INIT(LOCK_RANKS);

static void rising(void)
{
    spin_lock(&low);
    spin_lock(&rx);
    spin_lock(&high);
    spin_unlock(&low); /* releases may come in any order */
    spin_unlock(&high);
    spin_lock(&same);
    spin_unlock(&same);
    spin_unlock(&rx);
    spin_lock(&low);
    spin_unlock(&low);
}

static void falling(void)
{
    spin_lock(&high);
    spin_lock(&low);
}

static void equal(void)
{
    spin_lock(&high);
    spin_lock(&same);
}

static void not_held(void)
{
    spin_unlock(&low);
}

static void no_rank(void)
{
    spin_lock(&odd);
}

/* How a process that does this ends: 0, or the signal. */
static int end_of(void (*fn)(void))
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_order(void **state)
{
    static void (*const wrong[])(void) = {falling, equal, not_held, no_rank};

    (void)state;
    assert_int_equal(end_of(rising), 0);
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_not_equal(end_of(wrong[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_excludes),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

bool target_trylock(struct spinlock *l);

#define spin_lock    target_lock
#define spin_trylock target_trylock
#define spin_unlock  target_unlock
#include "core/lib/include/spin.h"
#include "core/spinlock.c"
#undef spin_lock
#undef spin_trylock
#undef spin_unlock

#define THREADS 4
#define ROUNDS  5000u

/* --- the target's ---------------------------------------------------------------------------- */

static struct spinlock lock;
static u32 count; /* under the lock: not atomic, for TSan to see */
static u32 tries; /* atomic */

static void *add(void *arg)
{
    u32 seen;

    (void)arg;
    for (u32 i = 0; i < ROUNDS; i++) {
        if (i % 4 == 0 && target_trylock(&lock)) {
            atomic_add(&tries, 1u);
        } else {
            target_lock(&lock);
        }
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
    assert_int_not_equal(tries, 0);
}

static void test_trylock(void **state)
{
    (void)state;
    spin_init(&lock, LOCK_VM);
    assert_true(target_trylock(&lock));
    assert_false(target_trylock(&lock));
    target_unlock(&lock);
    target_lock(&lock);
    assert_false(target_trylock(&lock));
    target_unlock(&lock);
    assert_true(target_trylock(&lock));
    target_unlock(&lock);
}

/* In the order in which they came: the second's ticket isn't served before the first's. */
static void test_fair(void **state)
{
    (void)state;
    spin_init(&lock, LOCK_VM);
    target_lock(&lock);
    lock.next++; /* somebody waits */
    target_unlock(&lock);
    assert_false(target_trylock(&lock));
    lock.owner++;
    assert_true(target_trylock(&lock));
    target_unlock(&lock);
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

static void falling_try(void)
{
    spin_lock(&high);
    (void)!spin_trylock(&low);
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
    static void (*const wrong[])(void) = {falling, equal, falling_try, not_held, no_rank};

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
        cmocka_unit_test(test_trylock),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

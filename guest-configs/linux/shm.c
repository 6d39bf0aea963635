/* SPDX-License-Identifier: MIT */
/*
 * shm: memory shared with other VMs, by hand and in tests, on a stock kernel without a driver: the
 * device is found in the device tree and used through /dev/mem. There, the kernel maps it as device
 * memory: whoever shares with this program does the same, or has a CPU with FEAT_S2FWB.
 *
 * The doorbell is waited for where an input device called "doorbell" has its interrupt as a key
 * (gpio_keys, by the node that docs/vdevs.md shows); elsewhere the program looks at the status.
 *
 *   shm status NAME           who is there, and who has notified us
 *   shm put NAME TEXT         writes TEXT to the region's last page, and notifies all others
 *   shm get NAME              prints the text there
 *   shm wait NAME SECONDS     until another client notifies us
 *   shm detach NAME           the VM leaves the region; the others do it by the way, and stay
 *   shm lead NAME ROUNDS      exchanges messages with whoever follows, every word checked …
 *   shm follow NAME           … and answers them; tests/guests/shm speaks the same
 *   shm probe NAME            what is there before attaching and after detaching: nothing
 *
 * For `lead` and `follow` the region has 17 pages or more: one for each client by its index, with
 * the number of the round, END after the last one, and 128 words made of it. A follower's are those
 * of the leader, inverted. A follower begins by notifying everybody.
 */
#include "shm.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define TREE "/sys/firmware/devicetree/base/vdevs"
#define NODE "qnx,guest_shm@"
#define BELL "doorbell"

#define SIGNATURE 0x4d534732474d5651ull

enum {
    FACTORY_SIGNATURE = 0,
    FACTORY_SHMEM = 8,
    FACTORY_STATUS = 20,
    FACTORY_SIZE = 24,
    FACTORY_NAME = 28,
    CONTROL_STATUS = 0,
    CONTROL_INDEX = 4,
    CONTROL_NOTIFY = 8,
    CONTROL_DETACH = 12,
};

enum { PAGE = 4096, NAME_SIZE = 32, CLIENTS = 16, WORDS = 128, TIMEOUT_S = 60 };
#define END 0xffffffffu

struct mailbox {
    volatile uint32_t round;
    volatile uint32_t unused;
    volatile uint64_t words[WORDS];
};

static char *factory, *window;
static uint64_t window_base, window_size;
static char *control;              /* of the region that is attached */
static uint32_t pages;             /* of its data */
static uint32_t pending, live, me; /* bits of clients; our own index */
static int bell = -1;              /* the input device; -1: there is none */

static uint32_t read32(const char *at)
{
    return *(const volatile uint32_t *)at;
}

static void write32(char *at, uint32_t value)
{
    *(volatile uint32_t *)at = value;
}

static int fail(const char *what)
{
    fprintf(stderr, "@@ SHM-FAILED %s: %s\n", what, strerror(errno));
    return 1;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The node's `reg`: the factory page, and where regions are. */
static bool find_device(uint64_t reg[4])
{
    DIR *dir = opendir(TREE);
    struct dirent *e;
    bool found = false;

    while (dir != NULL && !found && (e = readdir(dir)) != NULL) {
        char path[512];
        FILE *f;

        if (strncmp(e->d_name, NODE, strlen(NODE)) != 0) {
            continue;
        }
        snprintf(path, sizeof(path), TREE "/%s/reg", e->d_name);
        f = fopen(path, "r");
        found = f != NULL && fread(reg, 8, 4, f) == 4;
        if (f != NULL) {
            fclose(f);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return found;
}

static void open_bell(void)
{
    for (unsigned i = 0; i < 8 && bell < 0; i++) {
        char path[32], name[32] = "";

        snprintf(path, sizeof(path), "/dev/input/event%u", i);
        bell = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (bell >= 0 &&
            (ioctl(bell, EVIOCGNAME(sizeof(name) - 1), name) < 0 || strcmp(name, BELL) != 0)) {
            close(bell);
            bell = -1;
        }
    }
}

static bool map_device(void)
{
    uint64_t reg[4];
    int fd = open("/dev/mem", O_RDWR | O_SYNC);

    if (fd < 0 || !find_device(reg)) {
        return false;
    }
    window_base = be64toh(reg[2]);
    window_size = be64toh(reg[3]);
    factory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)be64toh(reg[0]));
    window = mmap(NULL, window_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)window_base);
    close(fd);
    return factory != MAP_FAILED && window != MAP_FAILED &&
           *(volatile uint64_t *)(factory + FACTORY_SIGNATURE) == SIGNATURE;
}

/* 0: attached; else the device's status. */
static uint32_t attach(const char *name)
{
    uint32_t status;

    for (uint32_t i = 0; i < NAME_SIZE; i++) {
        ((volatile char *)factory)[FACTORY_NAME + i] = i < strlen(name) ? name[i] : 0;
    }
    write32(factory + FACTORY_SIZE, CLIENTS + 1);
    status = read32(factory + FACTORY_STATUS);
    if (status == 0) {
        control = window + (*(volatile uint64_t *)(factory + FACTORY_SHMEM) - window_base);
        pages = read32(factory + FACTORY_SIZE);
        me = read32(control + CONTROL_INDEX);
    }
    return status;
}

/* Takes what has come since. */
static void look(void)
{
    uint32_t status = read32(control + CONTROL_STATUS);

    pending |= status & 0xffff;
    live = status >> 16;
}

/* The doorbell rings after what it is about was written. */
static void ring(uint32_t clients)
{
    __asm__ volatile("dsb sy" ::: "memory");
    write32(control + CONTROL_NOTIFY, clients);
}

/* Until the interrupt has come, for so long at most; without a bell the status is all there is. */
static void wait_bell(double seconds)
{
    struct pollfd p = {.fd = bell, .events = POLLIN};
    struct input_event events[16];

    if (bell < 0) {
        sched_yield();
    } else if (poll(&p, 1, (int)(seconds * 1000)) == 1) {
        while (read(bell, events, sizeof(events)) > 0) {
        }
    }
}

/* A ring after the look is one that poll() finds: none gets lost between the two. */
static bool wait_pending(uint32_t clients, double seconds)
{
    double left, end = now() + seconds;

    look();
    while ((pending & clients) == 0) {
        left = end - now();
        if (left <= 0) {
            return false;
        }
        wait_bell(left);
        look();
    }
    return true;
}

static bool wait_notified(uint32_t clients, double seconds)
{
    bool came = wait_pending(clients, seconds);

    pending &= ~clients;
    return came;
}

static struct mailbox *mailbox_of(uint32_t client)
{
    return (struct mailbox *)(control + PAGE + client * PAGE);
}

static uint64_t word_of(uint32_t round, uint32_t i)
{
    return ((uint64_t)round << 32 | i) * 0x9e3779b97f4a7c15;
}

static uint32_t count_wrong(const struct mailbox *m, uint32_t round, uint64_t invert)
{
    uint32_t wrong = m->round != round;

    __asm__ volatile("dmb sy" ::: "memory");
    for (uint32_t i = 0; i < WORDS; i++) {
        wrong += m->words[i] != (word_of(round, i) ^ invert);
    }
    return wrong;
}

static void publish(struct mailbox *m, uint32_t round)
{
    __asm__ volatile("dmb sy" ::: "memory");
    m->round = round;
}

static int run_status(char **args)
{
    (void)args;
    look();
    printf("@@ SHM-STATUS me=%u pages=%u clients=0x%x notified=0x%x\n", me, pages, live, pending);
    return 0;
}

static volatile char *text_page(void)
{
    return control + (size_t)pages * PAGE;
}

static int run_put(char **args)
{
    volatile char *text = text_page();
    size_t len = strlen(args[1]);

    for (size_t i = 0; i <= len && i < PAGE; i++) {
        text[i] = args[1][i];
    }
    ring(~0u);
    return 0;
}

static int run_get(char **args)
{
    const volatile char *text = text_page();

    (void)args;
    for (size_t i = 0; i < PAGE && text[i] != '\0'; i++) {
        putchar(text[i]);
    }
    putchar('\n');
    return 0;
}

static int run_wait(char **args)
{
    bool came = wait_notified(0xffff, atof(args[1]));

    printf("@@ SHM-WAITED notified=%d\n", came);
    return came ? 0 : 1;
}

static int run_detach(char **args)
{
    (void)args;
    write32(control + CONTROL_DETACH, 0);
    return 0;
}

static int run_lead(char **args)
{
    uint32_t rounds = (uint32_t)atoi(args[1]), wrong = 0, peer;
    struct mailbox *m = mailbox_of(me);

    look();
    publish(m, 0);
    printf("@@ SHM-READY\n");
    if (!wait_pending(0xffff, TIMEOUT_S)) {
        return fail("nobody follows");
    }
    peer = (uint32_t)__builtin_ctz(pending);
    pending = 0;
    for (uint32_t round = 1; round <= rounds; round++) {
        for (uint32_t i = 0; i < WORDS; i++) {
            m->words[i] = word_of(round, i);
        }
        publish(m, round);
        ring(1u << peer);
        if (!wait_notified(1u << peer, TIMEOUT_S)) {
            return fail("no answer");
        }
        wrong += count_wrong(mailbox_of(peer), round, ~0ull);
    }
    publish(m, END);
    ring(1u << peer);
    printf("@@ SHM-LED rounds=%u wrong=%u\n", rounds, wrong);
    return wrong == 0 ? 0 : 1;
}

static int run_follow(char **args)
{
    struct mailbox *m = mailbox_of(me);
    uint32_t rounds = 0, wrong = 0;

    (void)args;
    look();
    publish(m, 0);
    ring(~0u);
    while (wait_notified(0xffff & ~(1u << me), TIMEOUT_S)) {
        for (uint32_t from = 0; from < CLIENTS; from++) {
            const struct mailbox *l = mailbox_of(from);
            uint32_t round = l->round;

            if (from == me || !(live >> from & 1) || round == 0) {
                continue;
            }
            if (round == END) {
                printf("@@ SHM-FOLLOWED rounds=%u wrong=%u\n", rounds, wrong);
                return wrong == 0 ? 0 : 1;
            }
            wrong += count_wrong(l, round, 0);
            for (uint32_t i = 0; i < WORDS; i++) {
                m->words[i] = ~l->words[i];
            }
            publish(m, round);
            ring(1u << from);
            rounds++;
        }
    }
    return fail("the leader is gone");
}

/* The word behind the control page can be written while attached, and only then. */
static int run_probe(char **args)
{
    volatile uint64_t *word = (volatile uint64_t *)(control + PAGE + 8);
    uint64_t saved = *word, after;

    *word = 0x5a;
    if (*word != 0x5a) {
        return fail("the region isn't there");
    }
    *word = saved;
    run_detach(args);
    *word = 0x5a;
    after = *word;
    if (attach(args[0]) != 0 || *word != saved) {
        return fail("the region has changed");
    }
    printf("@@ SHM-PROBED detached=0x%llx\n", (unsigned long long)after);
    return after == ~0ull ? 0 : 1;
}

static const struct {
    const char *name;
    int args;
    int (*run)(char **args);
} commands[] = {
    {"status", 1, run_status}, {"put", 2, run_put},       {"get", 1, run_get},
    {"wait", 2, run_wait},     {"lead", 2, run_lead},     {"follow", 1, run_follow},
    {"probe", 1, run_probe},   {"detach", 1, run_detach},
};

int shm_main(int argc, char **argv)
{
    uint32_t status;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (argc < 2 || strcmp(argv[1], commands[i].name) != 0 || argc < 2 + commands[i].args) {
            continue;
        }
        if (!map_device()) {
            return fail("no " NODE "... in the device tree, or no /dev/mem");
        }
        open_bell();
        status = attach(argv[2]);
        if (status != 0) {
            printf("@@ SHM-REFUSED status=%u\n", status);
            return 1;
        }
        return commands[i].run(argv + 2);
    }
    fprintf(stderr, "usage: shm status|put|get|wait|detach|lead|follow|probe NAME ARGUMENTS\n");
    return 2;
}

/* SPDX-License-Identifier: MIT */
/*
 * gtool: what the tests run inside a Linux guest, static and free of dependencies. Each command
 * prints one line "@@ NAME key=value..." and exits with 0 only if all that it checked was right.
 *
 *   gtool mark NAME                     the virtual counter now
 *   gtool echo PORT                     UDP: sends back what comes, for ever
 *   gtool rtt HOST PORT COUNT [SIZE]    UDP: round trips to an echo, contents compared
 *   gtool sink PORT [CONNECTIONS]       TCP: receives, compares every byte with what it must be
 *   gtool send HOST PORT BYTES [CHUNK]  TCP: sends; the sink answers how many bytes were right
 *   gtool hash MEGABYTES SECONDS        fills RAM with a pattern and hashes it again and again
 *   gtool disk PATH read|write BYTES COUNT   accesses of a disk at random places, past the caches
 *   gtool clock SECONDS                 clocks and counters go forward, at one rate, on all CPUs
 *
 * HOST is an IPv4 or IPv6 address. By the name of shm it is another program: shm.c.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "shm.h"

typedef unsigned long long ull;

enum { MAX_DATAGRAM = 65507, STREAM_BUFFER = 1 << 20, CONNECT_TRIES = 100 };

static uint8_t buffer[STREAM_BUFFER];
static uint8_t expected[STREAM_BUFFER];

static uint64_t counter(void)
{
    uint64_t ticks;

    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
}

static uint64_t counter_hz(void)
{
    uint64_t hz;

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int fail(const char *what)
{
    printf("@@ GTOOL-FAILED %s: %s\n", what, strerror(errno));
    return 1;
}

/* The byte stream that sender and receiver agree on: 8 bytes made of their offset alone. */
static uint64_t pattern(uint64_t index)
{
    uint64_t z = (index + 1) * 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    return z ^ (z >> 31);
}

static void fill(uint8_t *to, uint64_t offset, size_t len)
{
    for (size_t i = 0; i < len; i++, offset++) {
        to[i] = (uint8_t)(pattern(offset / 8) >> (offset % 8 * 8));
    }
}

/* IPv4 addresses are written the IPv6 way, so one kind of socket does for both. */
static bool endpoint(struct sockaddr_in6 *sin, const char *host, const char *port)
{
    char mapped[64];

    memset(sin, 0, sizeof(*sin));
    sin->sin6_family = AF_INET6;
    sin->sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
    if (host == NULL || inet_pton(AF_INET6, host, &sin->sin6_addr) == 1) {
        return true;
    }
    snprintf(mapped, sizeof(mapped), "::ffff:%s", host);
    if (inet_pton(AF_INET6, mapped, &sin->sin6_addr) != 1) {
        errno = EINVAL;
        return false;
    }
    return true;
}

static int run_mark(char **args)
{
    uint64_t ticks = counter();

    printf("@@ %s cnt=%llu frq=%llu\n", args[0], (ull)ticks, (ull)counter_hz());
    return 0;
}

static int run_echo(char **args)
{
    struct sockaddr_in6 sin;
    int sock = socket(AF_INET6, SOCK_DGRAM, 0);

    endpoint(&sin, NULL, args[0]);
    if (bind(sock, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
        return fail("bind");
    }
    printf("@@ ECHO-READY\n");
    for (;;) {
        socklen_t addr_len = sizeof(sin);
        ssize_t len = recvfrom(sock, buffer, sizeof(buffer), 0, (struct sockaddr *)&sin, &addr_len);
        if (len >= 0) {
            sendto(sock, buffer, (size_t)len, 0, (struct sockaddr *)&sin, addr_len);
        }
    }
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* One round trip in ns; 0 if no answer came within a second. Late answers are passed over. */
static uint64_t round_trip(int sock, uint64_t number, size_t size, bool *wrong)
{
    static uint8_t answer[MAX_DATAGRAM + 1];
    uint64_t start = now_ns();

    fill(buffer, number * 4096, size);
    memcpy(buffer, &number, sizeof(number));
    if (send(sock, buffer, size, 0) != (ssize_t)size) {
        return 0;
    }
    while (now_ns() - start < 1000000000) {
        ssize_t len = recv(sock, answer, sizeof(answer), 0);
        if (len < 0) {
            return 0;
        }
        if ((size_t)len == size && memcmp(answer, buffer, size) == 0) {
            return now_ns() - start;
        }
        *wrong |= (size_t)len != size || memcmp(answer, &number, sizeof(number)) == 0;
    }
    return 0;
}

static int run_rtt(char **args)
{
    struct sockaddr_in6 sin;
    struct timeval second = {.tv_sec = 1};
    int sock = socket(AF_INET6, SOCK_DGRAM, 0);
    unsigned long count = strtoul(args[2], NULL, 10);
    size_t size = args[3] != NULL ? strtoul(args[3], NULL, 10) : 64;
    unsigned long answered = 0;
    bool wrong = false;

    if (size < sizeof(uint64_t) || size > MAX_DATAGRAM || count == 0) {
        errno = ERANGE;
        return fail("COUNT and SIZE");
    }
    uint64_t *times = calloc(count, sizeof(*times));
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    if (times == NULL || !endpoint(&sin, args[0], args[1]) ||
        connect(sock, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
        return fail("connect");
    }
    for (unsigned long i = 0; i < count; i++) {
        uint64_t ns = round_trip(sock, i, size, &wrong);
        if (ns != 0) {
            times[answered++] = ns;
        }
    }
    if (answered == 0) {
        printf("@@ RTT answered=0 lost=%lu\n", count);
        return 1;
    }
    qsort(times, answered, sizeof(*times), compare_u64);
    printf("@@ RTT answered=%lu lost=%lu wrong=%d min=%llu p50=%llu p99=%llu max=%llu ns\n",
           answered, count - answered, wrong, (ull)times[0], (ull)times[answered / 2],
           (ull)times[answered * 99 / 100], (ull)times[answered - 1]);
    return wrong ? 1 : 0;
}

/* Receives to the end of the stream; gives the number of bytes that were right from the start. */
static uint64_t receive_stream(int sock, uint64_t *total)
{
    uint64_t right = 0;
    ssize_t len;

    *total = 0;
    while ((len = read(sock, buffer, sizeof(buffer))) > 0) {
        fill(expected, *total, (size_t)len);
        if (right == *total && memcmp(buffer, expected, (size_t)len) == 0) {
            right += (uint64_t)len;
        }
        *total += (uint64_t)len;
    }
    return right;
}

static void print_stream(const char *name, uint64_t total, uint64_t right, uint64_t ns)
{
    printf("@@ %s bytes=%llu right=%llu ms=%llu kbit/s=%llu\n", name, (ull)total, (ull)right,
           (ull)(ns / 1000000), (ull)(total * 8 * 1000 / (ns / 1000 + 1)));
}

static int run_sink(char **args)
{
    struct sockaddr_in6 sin;
    int one = 1;
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    unsigned long connections = args[1] != NULL ? strtoul(args[1], NULL, 10) : 1;
    bool good = true;

    endpoint(&sin, NULL, args[0]);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listener, (struct sockaddr *)&sin, sizeof(sin)) != 0 || listen(listener, 8) != 0) {
        return fail("listen");
    }
    printf("@@ SINK-READY\n");
    for (unsigned long i = 0; i < connections; i++) {
        uint64_t total;
        int sock = accept(listener, NULL, NULL);
        uint64_t start = now_ns();
        uint64_t right = receive_stream(sock, &total);
        good &= right == total && write(sock, &right, sizeof(right)) == sizeof(right);
        print_stream("SINK", total, right, now_ns() - start);
        close(sock);
    }
    return good ? 0 : 1;
}

static int connect_patiently(const struct sockaddr_in6 *sin)
{
    for (int i = 0; i < CONNECT_TRIES; i++) {
        int sock = socket(AF_INET6, SOCK_STREAM, 0);
        if (connect(sock, (const struct sockaddr *)sin, sizeof(*sin)) == 0) {
            return sock;
        }
        close(sock);
        usleep(100000);
    }
    return -1;
}

static int run_send(char **args)
{
    struct sockaddr_in6 sin;
    uint64_t total = strtoull(args[2], NULL, 10);
    size_t chunk = args[3] != NULL ? strtoul(args[3], NULL, 10) : 65536;
    uint64_t sent = 0;
    uint64_t right = 0;

    if (chunk == 0 || chunk > sizeof(buffer) || !endpoint(&sin, args[0], args[1])) {
        errno = EINVAL;
        return fail("arguments");
    }
    int sock = connect_patiently(&sin);
    if (sock < 0) {
        return fail("connect");
    }
    uint64_t start = now_ns();
    while (sent < total) {
        size_t len = total - sent < chunk ? total - sent : chunk;
        fill(buffer, sent, len);
        for (size_t done = 0; done < len;) {
            ssize_t n = write(sock, buffer + done, len - done);
            if (n <= 0) {
                return fail("write");
            }
            done += (size_t)n;
        }
        sent += len;
    }
    shutdown(sock, SHUT_WR);
    bool answered = recv(sock, &right, sizeof(right), MSG_WAITALL) == sizeof(right);
    print_stream("SEND", sent, right, now_ns() - start);
    return answered && right == total ? 0 : 1;
}

static uint64_t hash(const uint64_t *words, size_t count)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < count; i++) {
        h = (h ^ words[i]) * 0x100000001b3;
    }
    return h;
}

static int run_hash(char **args)
{
    size_t count = strtoul(args[0], NULL, 10) * (1 << 20) / sizeof(uint64_t);
    uint64_t end = now_ns() + strtoull(args[1], NULL, 10) * 1000000000;
    uint64_t *words = malloc(count * sizeof(*words));
    uint64_t rounds = 0;

    if (words == NULL || count == 0) {
        return fail("memory");
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = pattern(i);
    }
    uint64_t first = hash(words, count);
    do {
        if (hash(words, count) != first) {
            printf("@@ HASH bad rounds=%llu\n", (ull)rounds);
            return 1;
        }
        rounds++;
    } while (now_ns() < end);
    for (size_t i = 0; i < count; i++) {
        if (words[i] != pattern(i)) {
            printf("@@ HASH bad word=%zu\n", i);
            return 1;
        }
    }
    printf("@@ HASH ok rounds=%llu\n", (ull)rounds);
    return 0;
}

/* The counter and the clock at one moment. */
struct moment {
    uint64_t ticks;
    uint64_t ns;
};

struct clock_state {
    struct moment last;
    uint64_t late_ns;
    unsigned backwards;
};

/* Both as close together as they can be had: whoever was interrupted in between tries again. */
static struct moment read_moment(void)
{
    struct moment best = {0};
    uint64_t best_width = UINT64_MAX;

    for (int i = 0; i < 20; i++) {
        uint64_t before = counter();
        uint64_t ns = now_ns();
        uint64_t width = counter() - before;
        if (width < best_width) {
            best_width = width;
            best = (struct moment){.ticks = before + width / 2, .ns = ns};
        }
    }
    return best;
}

/* Moves to the CPU, sleeps a millisecond there, and compares with what was seen before. */
static bool check_on_cpu(struct clock_state *s, int cpu)
{
    const struct timespec millisecond = {.tv_nsec = 1000000};
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        return false;
    }
    uint64_t start = now_ns();
    nanosleep(&millisecond, NULL);
    uint64_t slept = now_ns() - start;
    struct moment now = read_moment();

    if (now.ns < s->last.ns || now.ticks < s->last.ticks || slept < 1000000) {
        s->backwards++;
    }
    if (slept > 1000000 && slept - 1000000 > s->late_ns) {
        s->late_ns = slept - 1000000;
    }
    s->last = now;
    return true;
}

static int run_clock(char **args)
{
    const struct moment first = read_moment();
    struct clock_state s = {.last = first};
    uint64_t length = strtoull(args[0], NULL, 10) * 1000000000;
    int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

    for (int cpu = 0; s.last.ns - first.ns < length; cpu = (cpu + 1) % cpus) {
        if (!check_on_cpu(&s, cpu)) {
            return fail("sched_setaffinity");
        }
    }
    double by_counter = (double)(s.last.ticks - first.ticks) * 1e9 / (double)counter_hz();
    double ratio = by_counter / (double)(s.last.ns - first.ns);
    bool good = s.backwards == 0 && ratio > 0.999 && ratio < 1.001;
    printf("@@ CLOCK %s cpus=%d backwards=%u ratio=%.6f late_max_us=%llu\n", good ? "ok" : "bad",
           cpus, s.backwards, ratio, (ull)(s.late_ns / 1000));
    return good ? 0 : 1;
}

/* One at a time, each BYTES long and as far from the start as a multiple of that. */
static int run_disk(char **args)
{
    bool write = strcmp(args[1], "write") == 0;
    size_t bytes = strtoul(args[2], NULL, 10);
    ull count = strtoull(args[3], NULL, 10);
    int fd = open(args[0], (write ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
    off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    void *data = NULL;
    uint64_t start;

    if (size < 0 || bytes == 0 || posix_memalign(&data, 4096, bytes) != 0) {
        return fail(args[0]);
    }
    memset(data, 0x5a, bytes);
    start = now_ns();
    for (ull i = 0; i < count; i++) {
        off_t at = (off_t)((ull)random() % ((ull)size / bytes) * bytes);
        ssize_t n = write ? pwrite(fd, data, bytes, at) : pread(fd, data, bytes, at);

        if (n != (ssize_t)bytes) {
            return fail(args[1]);
        }
    }
    start = now_ns() - start;
    printf("@@ DISK %s bytes=%zu count=%llu ns=%llu\n", args[1], bytes, count, (ull)start);
    return 0;
}

static const struct command {
    const char *name;
    int args;
    int (*run)(char **args);
} commands[] = {
    {"mark", 1, run_mark}, {"echo", 1, run_echo}, {"rtt", 3, run_rtt},   {"sink", 1, run_sink},
    {"send", 3, run_send}, {"hash", 2, run_hash}, {"disk", 4, run_disk}, {"clock", 1, run_clock},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(basename(argv[0]), "shm") == 0) {
        return shm_main(argc, argv);
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (argc >= 2 && strcmp(argv[1], commands[i].name) == 0 && argc >= 2 + commands[i].args) {
            return commands[i].run(argv + 2);
        }
    }
    fprintf(stderr, "usage: gtool mark|echo|rtt|sink|send|hash|disk|clock ARGUMENTS\n");
    return 2;
}

/* SPDX-License-Identifier: MIT */
/*
 * netcheck blast and count: numbered UDP datagrams, many with a system call, and who counts them.
 * When the last is out, the sender asks until the other end has told what it got.
 */
#define _GNU_SOURCE
#include "netcheck.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MAX_SIZE = 65507, SLOT = 2048, ASK_TRIES = 50, RECEIVE_BUFFER = 8 << 20 };

/* A datagram begins with this; the rest is padding. The byte order is the machines' own. */
struct number {
    uint32_t run; /* of this sender: datagrams of another one do not count */
    uint32_t seq;
    uint32_t ask; /* not 0: how many were sent, please answer */
};

struct answer {
    uint32_t run;
    uint32_t got;
    uint32_t disorder; /* came after one with a higher number */
    uint32_t again;    /* came twice in a row */
    uint64_t ns;       /* from the first to the last */
};

static uint8_t slots[BATCH][SLOT];

static void set_buffer(int sock)
{
    int size = RECEIVE_BUFFER;

    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

static void wait_until(uint64_t ns)
{
    uint64_t now = now_ns();

    if (now < ns) {
        struct timespec t = {.tv_sec = (time_t)((ns - now) / 1000000000),
                             .tv_nsec = (long)((ns - now) % 1000000000)};
        nanosleep(&t, NULL);
    }
}

/* Gives the time in ns that it took, 0 if it failed. */
static uint64_t blast(int sock, uint32_t run, uint32_t count, size_t size, uint64_t rate)
{
    static struct mmsghdr msgs[BATCH];
    static struct iovec iov[BATCH];
    static uint8_t padding[MAX_SIZE];
    uint64_t start = now_ns();

    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){size <= SLOT ? slots[i] : padding, size};
        msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    unsigned batch = size <= SLOT ? (rate != 0 && rate < 10000 ? 1 : BATCH) : 1;
    for (uint32_t seq = 0; seq < count;) {
        unsigned n = count - seq < batch ? count - seq : batch;
        for (unsigned i = 0; i < n; i++) {
            struct number number = {run, seq + i, 0};
            memcpy(iov[i].iov_base, &number, sizeof(number));
        }
        int sent = sendmmsg(sock, msgs, n, 0);
        if (sent < 0 && errno != ENOBUFS && errno != ECONNREFUSED) {
            return 0;
        }
        seq += sent > 0 ? (uint32_t)sent : 0;
        if (rate != 0) {
            wait_until(start + seq * UINT64_C(1000000000) / rate);
        }
    }
    return now_ns() - start;
}

static bool ask(int sock, uint32_t run, uint32_t count, struct answer *a)
{
    struct number question = {run, 0, count};

    for (unsigned i = 0; i < ASK_TRIES; i++) {
        usleep(i == 0 ? 100000 : 0);
        if (send(sock, &question, sizeof(question), 0) < 0 && errno != ECONNREFUSED) {
            return false;
        }
        while (recv(sock, a, sizeof(*a), 0) == sizeof(*a)) {
            if (a->run == run) {
                return true;
            }
        }
    }
    return false;
}

int run_blast(char **args)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(args[1], NULL, 0))};
    struct timeval patience = {.tv_usec = 200000};
    uint32_t count = (uint32_t)strtoul(args[2], NULL, 0);
    uint32_t run = (uint32_t)now_ns() | 1;
    size_t size = 64;
    uint64_t rate = 0;
    struct answer a;

    for (char **arg = args + 3; *arg != NULL; arg++) {
        size = value_of(*arg, "size") != NULL ? strtoul(value_of(*arg, "size"), NULL, 0) : size;
        rate = value_of(*arg, "rate") != NULL ? strtoull(value_of(*arg, "rate"), NULL, 0) : rate;
    }
    if (size < sizeof(struct number) || size > MAX_SIZE || count == 0 ||
        inet_pton(AF_INET, args[0], &to.sin_addr) != 1) {
        errno = EINVAL;
        return failed("arguments");
    }
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(sock, (struct sockaddr *)&to, sizeof(to)) != 0) {
        return failed("connect");
    }
    uint64_t ns = blast(sock, run, count, size, rate);
    if (ns == 0 || !ask(sock, run, count, &a)) {
        return failed("blast");
    }
    printf("@@ BLAST sent=%u got=%u lost=%u disorder=%u again=%u sent-pps=%llu got-pps=%llu\n",
           count, a.got, count - a.got, a.disorder, a.again,
           (ull)(count * UINT64_C(1000000000) / ns),
           (ull)(a.ns != 0 ? a.got * UINT64_C(1000000000) / a.ns : 0));
    return a.got == count ? 0 : 1;
}

struct counting {
    struct answer a;
    uint64_t first;
    uint32_t next; /* above the highest number seen */
    uint32_t last;
};

static void count_one(struct counting *c, const struct number *n, uint64_t now)
{
    if (c->a.got == 0) {
        c->first = now;
    }
    if (n->seq == c->last) {
        c->a.again++;
        return;
    }
    c->a.got++;
    c->a.disorder += n->seq < c->next;
    c->a.ns = now - c->first;
    c->last = n->seq;
    c->next = n->seq >= c->next ? n->seq + 1 : c->next;
}

int run_count(char **args)
{
    static struct mmsghdr msgs[BATCH];
    static struct iovec iov[BATCH];
    static struct sockaddr_in from[BATCH];
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)strtoul(args[0], NULL, 0))};
    struct counting c = {0};
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    set_buffer(sock);
    if (bind(sock, (struct sockaddr *)&here, sizeof(here)) != 0) {
        return failed("bind");
    }
    printf("@@ COUNT-READY\n");
    for (;;) {
        for (unsigned i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){slots[i], SLOT};
            msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
                                              .msg_iovlen = 1,
                                              .msg_name = &from[i],
                                              .msg_namelen = sizeof(from[i])};
        }
        int n = recvmmsg(sock, msgs, BATCH, MSG_WAITFORONE, NULL);
        uint64_t now = now_ns();
        for (int i = 0; i < n; i++) {
            struct number number;
            memcpy(&number, slots[i], sizeof(number));
            if (msgs[i].msg_len < sizeof(number)) {
                continue;
            }
            if (number.run != c.a.run) {
                c = (struct counting){.a.run = number.run, .last = UINT32_MAX};
            }
            if (number.ask == 0) {
                count_one(&c, &number, now);
            } else {
                sendto(sock, &c.a, sizeof(c.a), 0, (struct sockaddr *)&from[i], sizeof(from[i]));
            }
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * netcheck: looks at what really comes out of a NIC, and puts into it what no network stack would.
 * Static, for the test image of the Linux guests; its own checksums, trusting no offload.
 *
 *   netcheck watch IFACE [csum] [gso4] [gso6] [gso-udp] [gso-ecn] [promisc] [mtu=N] [port=N]
 *                  [-- COMMAND...]
 *       checks every frame that comes while COMMAND runs, or until SIGINT or SIGTERM; csum: partial
 *       checksums are allowed, gso...: super-frames of these kinds are (watch.c)
 *   netcheck send IFACE [kind=tcp4|tcp6|udp4|udp6|raw] [data=N] [gso=N] [csum=partial|full|bad]
 *                 [ecn] [tags=TYPE:ID,...] [src=MAC] [dst=MAC] [cut=N] [seq=N] [count=N] [gap=US]
 *       sends test frames, which `watch` knows by their port (send.c)
 *   netcheck blast HOST PORT COUNT [size=N] [rate=PPS]
 *   netcheck count PORT
 *       UDP datagrams as fast as may be, and who counts them (blast.c)
 *   netcheck tftp BYTES
 *       sends so many to the first who asks (tftp.c)
 */
#define _GNU_SOURCE
#include "netcheck.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int failed(const char *what)
{
    printf("@@ NETCHECK-FAILED %s: %s\n", what, strerror(errno));
    return 2;
}

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

const char *value_of(const char *arg, const char *name)
{
    size_t len = strlen(name);

    return strncmp(arg, name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

int packet_socket(const char *ifname, struct sockaddr_ll *addr)
{
    int one = 1;
    int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    *addr =
        (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(ifname)};
    if (sock < 0 || addr->sll_ifindex == 0 ||
        setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) != 0) {
        return -1;
    }
    return sock;
}

static const struct command {
    const char *name;
    int args;
    int (*run)(char **args);
} commands[] = {
    {"watch", 1, run_watch}, {"send", 1, run_send}, {"blast", 3, run_blast},
    {"count", 1, run_count}, {"tftp", 1, run_tftp},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (argc >= 2 && strcmp(argv[1], commands[i].name) == 0 && argc >= 2 + commands[i].args) {
            return commands[i].run(argv + 2);
        }
    }
    fprintf(stderr, "usage: netcheck watch|send|blast|count|tftp ARGUMENTS\n");
    return 2;
}

/* SPDX-License-Identifier: MIT */
/*
 * netcheck's commands, and what they share. Each prints one line "@@ NAME key=value..." and gives
 * the exit code: 0 when all was right, 1 when what came was wrong, 2 when it could not be found
 * out.
 */
#ifndef NETCHECK_H
#define NETCHECK_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>

typedef unsigned long long ull;

/* The arguments begin behind the command's name and end with NULL. */
int run_watch(char **args);
int run_send(char **args);
int run_blast(char **args);
int run_count(char **args);
int run_tftp(char **args);

/* Prints what failed and errno; gives 2. */
int failed(const char *what);

/* A raw socket on the interface, with virtio headers, or -1; it hears nothing yet. */
int packet_socket(const char *ifname, struct sockaddr_ll *addr);

uint64_t now_ns(void);

/* "name=value": the value if the argument begins with this name, else NULL. */
const char *value_of(const char *arg, const char *name);

#endif

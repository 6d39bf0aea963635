/* SPDX-License-Identifier: MIT */
/*
 * netcheck tftp: a server of one transfer (RFC 1350), for firmware that knows nothing else. It
 * sends the stream of test frames, whatever the file is called, and says what its CRC-32 must be.
 */
#define _GNU_SOURCE
#include "netcheck.h"
#include "packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OP_READ = 1, OP_DATA = 3, OP_ACK = 4, BLOCK = 512, HEADER = 4, TRIES = 20 };

static uint32_t crc32_of_stream(uint32_t size)
{
    uint32_t crc = 0xffffffff;

    for (uint32_t i = 0; i < size; i++) {
        crc ^= stream_byte(i);
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

/* Sends the block until it is acknowledged. */
static bool send_block(int sock, uint32_t number, const uint8_t *packet, size_t len)
{
    uint8_t answer[BLOCK + HEADER];

    for (unsigned i = 0; i < TRIES; i++) {
        if (send(sock, packet, len, 0) != (ssize_t)len) {
            return false;
        }
        while (recv(sock, answer, sizeof(answer), 0) >= HEADER) {
            if (get16(answer) == OP_ACK && get16(answer + 2) == (number & 0xffff)) {
                return true;
            }
        }
    }
    return false;
}

static bool send_file(int sock, uint32_t size)
{
    uint8_t packet[HEADER + BLOCK];
    uint32_t number = 1;

    /* A block that is not full ends it, be it an empty one. */
    for (uint32_t at = 0; at <= size; at += BLOCK, number++) {
        uint32_t n = size - at < BLOCK ? size - at : BLOCK;
        put16(packet, OP_DATA);
        put16(packet + 2, number & 0xffff);
        for (uint32_t i = 0; i < n; i++) {
            packet[HEADER + i] = stream_byte(at + i);
        }
        if (!send_block(sock, number, packet, HEADER + n)) {
            return false;
        }
    }
    return true;
}

int run_tftp(char **args)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(69)};
    struct timeval patience = {.tv_usec = 500000};
    uint32_t size = (uint32_t)strtoul(args[0], NULL, 0);
    socklen_t len = sizeof(addr);
    uint8_t request[BLOCK];
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        return failed("bind");
    }
    printf("@@ TFTP-READY crc32=%08x\n", crc32_of_stream(size));
    do {
        if (recvfrom(sock, request, sizeof(request), 0, (struct sockaddr *)&addr, &len) < 0) {
            return failed("recvfrom");
        }
    } while (get16(request) != OP_READ);

    int transfer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(transfer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(transfer, (struct sockaddr *)&addr, len) != 0 || !send_file(transfer, size)) {
        return failed("transfer");
    }
    printf("@@ TFTP bytes=%u\n", size);
    return 0;
}

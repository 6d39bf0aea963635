/* SPDX-License-Identifier: MIT */
/*
 * netcheck watch: every frame that an interface receives, as its driver handed it up, held against
 * what this receiver has asked for. The kernel's own merging of frames (`ethtool -K IFACE gro off`)
 * has to be off: it makes super-frames of right ones, and nobody could tell.
 */
#define _GNU_SOURCE
#include "netcheck.h"
#include "packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum { BUFFER = 64 << 20, QUIET_MS = 100 };

/* One counter each; `fault` makes the exit code 1. */
enum counter {
    FRAMES,
    BYTES,
    TCP,
    UDP,
    ICMP,
    OTHER,
    FRAGMENTS,
    TAGGED,
    FOREIGN, /* what came */
    PARTIAL,
    VALID,
    GSO,
    LARGEST, /* how it came */
    BROKEN,
    BAD_SUM,
    BAD_PARTIAL,
    UNASKED_PARTIAL,
    UNASKED_GSO,
    OVER, /* what is wrong with it */
    TEST,
    TEST_BYTES,
    TEST_LARGEST,
    TEST_PSH,
    TEST_FIN,
    TEST_CWR, /* test frames */
    TEST_BAD,
    TEST_BAD_ID, /* and what is wrong there */
    LOST,        /* never seen by us */
    COUNTERS
};

static const struct {
    const char *name;
    bool fault;
} counters[COUNTERS] = {
    [FRAMES] = {"frames", false},
    [BYTES] = {"bytes", false},
    [TCP] = {"tcp", false},
    [UDP] = {"udp", false},
    [ICMP] = {"icmp", false},
    [OTHER] = {"other", false},
    [FRAGMENTS] = {"fragments", false},
    [TAGGED] = {"tagged", false},
    [FOREIGN] = {"foreign", false},
    [PARTIAL] = {"partial", false},
    [VALID] = {"valid", false},
    [GSO] = {"gso", false},
    [LARGEST] = {"largest", false},
    [BROKEN] = {"broken", true},
    [BAD_SUM] = {"bad-sum", true},
    [BAD_PARTIAL] = {"bad-partial", true},
    [UNASKED_PARTIAL] = {"unasked-partial", true},
    [UNASKED_GSO] = {"unasked-gso", true},
    [OVER] = {"over-mtu", true},
    [TEST] = {"test", false},
    [TEST_BYTES] = {"test-bytes", false},
    [TEST_LARGEST] = {"test-largest", false},
    [TEST_PSH] = {"test-psh", false},
    [TEST_FIN] = {"test-fin", false},
    [TEST_CWR] = {"test-cwr", false},
    [TEST_BAD] = {"test-bad", true},
    [TEST_BAD_ID] = {"test-bad-id", true},
    [LOST] = {"lost", false},
};

struct watch {
    const char *ifname;
    int sock;
    struct sockaddr_ll addr;
    bool csum, promisc;
    unsigned gso; /* bits of gso_words */
    size_t mtu;
    unsigned port;
    uint64_t count[COUNTERS];
    struct {
        bool open; /* more of the same super-frame may follow */
        uint32_t seq;
        unsigned id;
    } last;
    unsigned tci; /* of the last tagged frame */
};

/* Kinds of super-frames that the receiver may have asked for. */
static const struct {
    const char *word;
    uint8_t type;
} gso_words[] = {
    {"gso4", VIRTIO_NET_HDR_GSO_TCPV4},
    {"gso6", VIRTIO_NET_HDR_GSO_TCPV6},
    {"gso-udp", VIRTIO_NET_HDR_GSO_UDP_L4},
    {"gso-ecn", VIRTIO_NET_HDR_GSO_ECN},
};
enum { GSO_WORDS = sizeof(gso_words) / sizeof(gso_words[0]), ECN_BIT = 1 << (GSO_WORDS - 1) };

static uint8_t frame_buffer[MAX_FRAME];

static void largest(struct watch *w, enum counter which, size_t value)
{
    if (value > w->count[which]) {
        w->count[which] = value;
    }
}

/* IPv4 identifications count up within what was one super-frame. */
static void check_segment_id(struct watch *w, const struct packet *p, uint32_t seq)
{
    const uint8_t *tcp = p->frame + p->l4;
    unsigned id = get16(p->frame + p->l3 + 4);

    if (w->last.open && w->last.seq == seq && id != ((w->last.id + 1) & 0xffff)) {
        w->count[TEST_BAD_ID]++;
    }
    w->last.open = (tcp[13] & TCP_PSH) == 0;
    w->last.seq = seq + (uint32_t)p->data_len;
    w->last.id = id;
}

static bool stream_right(const uint8_t *data, size_t len, uint32_t offset)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != stream_byte(offset + (uint32_t)i)) {
            return false;
        }
    }
    return true;
}

/* Datagrams begin with where they are in the stream. A super-frame has as many as segments. */
static bool datagrams_right(const uint8_t *data, size_t len, size_t segment)
{
    for (size_t at = 0, n; at + 4 < len; at += n) {
        n = segment != 0 && segment < len - at ? segment : len - at;
        if (n > 4 && !stream_right(data + at + 4, n - 4, get32(data + at) + 4)) {
            return false;
        }
    }
    return true;
}

static void check_test_frame(struct watch *w, const struct packet *p, size_t segment)
{
    const uint8_t *l4 = p->frame + p->l4;
    const uint8_t *data = p->frame + p->data;

    w->count[TEST]++;
    w->count[TEST_BYTES] += p->data_len;
    largest(w, TEST_LARGEST, p->data_len);
    if (p->proto == PROTO_UDP) {
        w->count[TEST_BAD] += !datagrams_right(data, p->data_len, segment);
        return;
    }
    uint32_t seq = get32(l4 + 4);
    w->count[TEST_BAD] += !stream_right(data, p->data_len, seq);
    w->count[TEST_PSH] += (l4[13] & TCP_PSH) != 0;
    w->count[TEST_FIN] += (l4[13] & TCP_FIN) != 0;
    w->count[TEST_CWR] += (l4[13] & TCP_CWR) != 0;
    if (p->type == TYPE_IP4) {
        check_segment_id(w, p, seq);
    }
}

static bool gso_asked_for(const struct watch *w, uint8_t type)
{
    if ((type & VIRTIO_NET_HDR_GSO_ECN) != 0 && (w->gso & ECN_BIT) == 0) {
        return false;
    }
    for (unsigned i = 0; i < GSO_WORDS; i++) {
        if (gso_words[i].type == (type & ~VIRTIO_NET_HDR_GSO_ECN)) {
            return (w->gso & 1u << i) != 0;
        }
    }
    return false;
}

static void check_sums(struct watch *w, const struct packet *p, const struct virtio_net_hdr *h)
{
    if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0) {
        w->count[VALID] += (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0;
        w->count[BAD_SUM] += !packet_sum_right(p);
        return;
    }
    w->count[PARTIAL]++;
    w->count[UNASKED_PARTIAL] += !w->csum;
    if (p->csum == 0 || h->csum_start != p->l4 || h->csum_start + h->csum_offset != p->csum ||
        get16(p->frame + p->csum) != packet_pseudo(p)) {
        w->count[BAD_PARTIAL]++;
    }
}

static void count_protocol(struct watch *w, const struct packet *p)
{
    w->count[FRAGMENTS] += p->fragment;
    switch (p->proto) {
    case PROTO_TCP:
        w->count[TCP]++;
        break;
    case PROTO_UDP:
        w->count[UDP]++;
        break;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        w->count[ICMP]++;
        break;
    default:
        w->count[OTHER]++;
        break;
    }
}

/* A frame whose headers are whole. */
static void check_contents(struct watch *w, const struct packet *p, const struct virtio_net_hdr *h)
{
    count_protocol(w, p);
    check_sums(w, p, h);
    if (h->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        w->count[OVER] += p->data - p->l3 + h->gso_size > w->mtu;
    }
    if (p->data != 0 && (p->proto == PROTO_TCP || p->proto == PROTO_UDP) &&
        get16(p->frame + p->l4 + 2) == w->port) {
        check_test_frame(w, p, h->gso_type != VIRTIO_NET_HDR_GSO_NONE ? h->gso_size : 0);
    }
}

static void check_frame(struct watch *w, size_t len, const struct virtio_net_hdr *h, bool tag)
{
    struct packet p;

    packet_parse(&p, frame_buffer, len);
    w->count[FRAMES]++;
    w->count[BYTES] += len;
    largest(w, LARGEST, len);
    w->count[TAGGED] += tag || p.tags != 0;
    w->count[BROKEN] += p.broken;
    if (h->gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        w->count[GSO]++;
        w->count[UNASKED_GSO] += !gso_asked_for(w, h->gso_type);
    } else {
        w->count[OVER] += len > w->mtu + ETHERNET + (size_t)p.tags * TAG;
    }
    if (!p.broken) {
        check_contents(w, &p, h);
    }
}

/* The kernel takes the outer VLAN tag out of the frame and tells of it here. Was there one? */
static bool take_tag(struct watch *w, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;
            memcpy(&aux, CMSG_DATA(c), sizeof(aux));
            if ((aux.tp_status & TP_STATUS_VLAN_VALID) != 0) {
                w->tci = aux.tp_vlan_tci;
                return true;
            }
        }
    }
    return false;
}

/* Takes one frame; false: there is none. */
static bool take_frame(struct watch *w)
{
    struct virtio_net_hdr header;
    struct sockaddr_ll from;
    char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    struct iovec iov[] = {{&header, sizeof(header)}, {frame_buffer, sizeof(frame_buffer)}};
    struct msghdr msg = {
        .msg_name = &from,
        .msg_namelen = sizeof(from),
        .msg_iov = iov,
        .msg_iovlen = 2,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    ssize_t len = recvmsg(w->sock, &msg, MSG_DONTWAIT);

    if (len < (ssize_t)sizeof(header)) {
        if (len < 0 && errno != EAGAIN && errno != ENETDOWN) {
            w->count[LOST]++; /* a frame that the kernel has no virtio header for */
        }
        return len >= 0;
    }
    if (from.sll_pkttype != PACKET_OUTGOING) {
        w->count[FOREIGN] += from.sll_pkttype == PACKET_OTHERHOST;
        bool tag = take_tag(w, &msg);
        check_frame(w, (size_t)len - sizeof(header), &header, tag);
    }
    return true;
}

static int report(struct watch *w, int command)
{
    struct tpacket_stats stats = {0};
    socklen_t len = sizeof(stats);
    bool fault = false;

    getsockopt(w->sock, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
    w->count[LOST] += stats.tp_drops;
    printf("@@ WATCH");
    for (unsigned i = 0; i < COUNTERS; i++) {
        printf(" %s=%llu", counters[i].name, (ull)w->count[i]);
        fault |= counters[i].fault && w->count[i] != 0;
    }
    printf(" tci=%u command=%d %s\n", w->tci, command, fault ? "WRONG" : "right");
    return fault ? 1 : command != 0 ? 2 : 0;
}

static bool open_watch(struct watch *w)
{
    int one = 1;
    int size = BUFFER;
    struct ifreq req = {0};
    struct packet_mreq promisc = {.mr_type = PACKET_MR_PROMISC};

    w->sock = packet_socket(w->ifname, &w->addr);
    if (w->sock < 0) {
        return false;
    }
    snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", w->ifname);
    if (w->mtu == 0 && ioctl(w->sock, SIOCGIFMTU, &req) == 0) {
        w->mtu = (size_t)req.ifr_mtu;
    }
    promisc.mr_ifindex = w->addr.sll_ifindex;
    if (w->promisc &&
        setsockopt(w->sock, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) != 0) {
        return false;
    }
    setsockopt(w->sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
    w->addr.sll_protocol = __builtin_bswap16(ETH_P_ALL);
    return setsockopt(w->sock, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) == 0 &&
           setsockopt(w->sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0 &&
           bind(w->sock, (struct sockaddr *)&w->addr, sizeof(w->addr)) == 0;
}

/* The command, with the signals that we wait for as they were. */
static pid_t start_command(char **command, const sigset_t *set)
{
    pid_t pid = fork();

    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, set, NULL);
        execvp(command[0], command);
        _exit(127);
    }
    return pid;
}

/* Has the end come? *code gets the exit code of the command. */
static bool at_end(int signals, pid_t child, int *code)
{
    struct signalfd_siginfo info;
    int status;

    if (read(signals, &info, sizeof(info)) != sizeof(info)) {
        return false;
    }
    if (info.ssi_signo != SIGCHLD) {
        return true;
    }
    if (waitpid(child, &status, WNOHANG) != child) {
        return false;
    }
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return true;
}

static int watch_until_end(struct watch *w, char **command)
{
    sigset_t set;
    int code = 0;
    bool ended = false;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct pollfd fds[] = {{w->sock, POLLIN, 0},
                           {signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), POLLIN, 0}};
    pid_t child = command[0] != NULL ? start_command(command, &set) : -1;

    /* After the end: what is still on its way, until nothing comes for a moment. */
    while (poll(fds, ended ? 1 : 2, ended ? QUIET_MS : -1) != 0) {
        ended = ended || at_end(fds[1].fd, child, &code);
        for (unsigned i = 0; i < 64 && take_frame(w); i++) {
        }
    }
    return report(w, code);
}

int run_watch(char **args)
{
    static struct watch w = {.port = TEST_PORT};
    char **arg = args + 1;

    w.ifname = args[0];
    for (; *arg != NULL && strcmp(*arg, "--") != 0; arg++) {
        w.csum |= strcmp(*arg, "csum") == 0;
        for (unsigned i = 0; i < GSO_WORDS; i++) {
            w.gso |= strcmp(*arg, gso_words[i].word) == 0 ? 1u << i : 0;
        }
        w.promisc |= strcmp(*arg, "promisc") == 0;
        if (value_of(*arg, "mtu") != NULL) {
            w.mtu = strtoul(value_of(*arg, "mtu"), NULL, 0);
        } else if (value_of(*arg, "port") != NULL) {
            w.port = (unsigned)strtoul(value_of(*arg, "port"), NULL, 0);
        }
    }
    if (!open_watch(&w)) {
        return failed(w.ifname);
    }
    printf("@@ WATCH-READY %s mtu=%zu\n", w.ifname, w.mtu);
    return watch_until_end(&w, *arg != NULL ? arg + 1 : arg);
}

/* SPDX-License-Identifier: MIT */
/*
 * Takes frames apart and adds checksums up, in full and in the plainest way: this is what the
 * clever ways of others are held against.
 */
#include "packet.h"

uint64_t sum_bytes(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += get16(p + i);
    }
    return len % 2 != 0 ? sum + ((unsigned)p[len - 1] << 8) : sum;
}

unsigned sum_fold(uint64_t sum)
{
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (unsigned)sum;
}

static void parse_l4(struct packet *p)
{
    const uint8_t *l4 = p->frame + p->l4;
    size_t header = 0;

    if (p->fragment) {
        return;
    }
    switch (p->proto) {
    case PROTO_TCP:
        p->csum = p->l4 + 16;
        header = p->l4_len >= 20 ? (size_t)(l4[12] >> 4) * 4 : 20;
        p->broken |= header < 20;
        break;
    case PROTO_UDP:
        p->csum = p->l4 + 6;
        header = 8;
        p->broken |= p->l4_len >= 8 && get16(l4 + 4) != p->l4_len;
        break;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        p->csum = p->l4 + 2;
        header = 4;
        break;
    default:
        return;
    }
    if (p->l4_len < header) {
        p->broken = true;
        p->csum = 0;
        return;
    }
    p->data = p->l4 + header;
    p->data_len = p->l4_len - header;
}

static void parse_ip4(struct packet *p)
{
    const uint8_t *ip = p->frame + p->l3;
    size_t room = p->len - p->l3;
    size_t header = room >= 20 ? (size_t)(ip[0] & 15) * 4 : 0;

    if (header < 20 || ip[0] >> 4 != 4 || header > room || get16(ip + 2) < header ||
        get16(ip + 2) > room || sum_fold(sum_bytes(ip, header)) != 0xffff) {
        p->broken = true;
        return;
    }
    p->proto = ip[9];
    p->fragment = (get16(ip + 6) & 0x3fff) != 0;
    p->l4 = p->l3 + header;
    p->l4_len = get16(ip + 2) - header;
    parse_l4(p);
}

static bool is_extension(uint8_t proto)
{
    return proto == 0 || proto == 43 || proto == 44 || proto == 60;
}

static void parse_ip6(struct packet *p)
{
    const uint8_t *ip = p->frame + p->l3;
    size_t room = p->len - p->l3;
    size_t header = 40;
    size_t end = room >= 40 ? 40 + get16(ip + 4) : SIZE_MAX;

    if (end > room || ip[0] >> 4 != 6) {
        p->broken = true;
        return;
    }
    uint8_t proto = ip[6];
    while (is_extension(proto) && header + 8 <= end) {
        const uint8_t *ext = ip + header;
        p->fragment |= proto == 44 && (get16(ext + 2) & 0xfff9) != 0;
        header += proto == 44 ? 8 : ((size_t)ext[1] + 1) * 8;
        proto = ext[0];
    }
    if (header > end) {
        p->broken = true;
        return;
    }
    p->proto = proto;
    p->l4 = p->l3 + header;
    p->l4_len = end - header;
    parse_l4(p);
}

void packet_parse(struct packet *p, const uint8_t *frame, size_t len)
{
    *p = (struct packet){.frame = frame, .len = len};
    if (len < ETHERNET) {
        p->broken = true;
        return;
    }
    size_t at = ETHERNET - 2;
    while ((get16(frame + at) == TYPE_VLAN || get16(frame + at) == TYPE_QINQ) &&
           at + TAG + 2 <= len) {
        at += TAG;
        p->tags++;
    }
    p->type = get16(frame + at);
    p->l3 = at + 2;
    if (p->type == TYPE_IP4) {
        parse_ip4(p);
    } else if (p->type == TYPE_IP6) {
        parse_ip6(p);
    }
}

unsigned packet_pseudo(const struct packet *p)
{
    const uint8_t *ip = p->frame + p->l3;
    uint64_t sum = 0;

    if (p->proto != PROTO_ICMP) {
        sum = p->type == TYPE_IP4 ? sum_bytes(ip + 12, 8) : sum_bytes(ip + 8, 32);
        sum += p->proto + (p->l4_len & 0xffff) + (p->l4_len >> 16);
    }
    return sum_fold(sum);
}

unsigned packet_sum(const struct packet *p)
{
    uint64_t sum = packet_pseudo(p) + sum_bytes(p->frame + p->l4, p->l4_len);
    unsigned value = ~sum_fold(sum - get16(p->frame + p->csum)) & 0xffff;

    return value == 0 && p->proto == PROTO_UDP ? 0xffff : value;
}

bool packet_sum_right(const struct packet *p)
{
    if (p->csum == 0) {
        return true;
    }
    bool none = p->proto == PROTO_UDP && get16(p->frame + p->csum) == 0;
    if (none) {
        return p->type == TYPE_IP4;
    }
    return sum_fold(packet_pseudo(p) + sum_bytes(p->frame + p->l4, p->l4_len)) == 0xffff;
}

/* SPDX-License-Identifier: MIT */
/*
 * A switch of eight ports against a reference model of one: VLANs, isolation, monitors, static and
 * learned addresses, ageing, ports that come and go, budgets that run out. The first byte of the
 * input chooses one of 64 configurations, the rest are frames and events. The model works on whole
 * frames in plain memory; the switch has them in a head and a chain of pieces. Both must agree on
 * who gets each frame, in which form, to the byte, and on why it was dropped. Ports may have rings
 * of buffers, which are shared as a device does it: the model knows who is in which buffer, and
 * who therefore must get one, or must not.
 */
#include "arch/host/arch.h"
#include "core/panic.h"
#include "tests/host/driver.h"
#include "vdev/net/port.h"
#include "vdev/net/share.h"
#include "vdev/net/switch.h"

#include <stdio.h>
#include <string.h>

#define PORTS     8
#define CONFIGS   64 /* as many descriptions as there can be */
#define STEPS     200
#define FRAME     1600u
#define FILL      3u /* buffers that a frame takes */
#define SECOND    1000000000ull
#define SOURCES   5u /* addresses that nobody is configured with */
#define VIDS      6u
#define TICK      30
#define AGE_TICKS 280
#define NOBODY    UINT32_MAX

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u16 vids[VIDS] = {0, 1, 2, 63, 64, 4094};

/* A port as both see it: the model looks at the plain fields, the switch at `port`. */
struct side {
    struct net_port port;
    u32 mode, native; /* enum vlan_mode; of access ports: their VLAN */
    u32 listed;       /* bit n: vids[n], of trunks */
    u64 words[64];
    bool isolate, monitor, spoof, up;
    u32 statics;
    u32 got;
    bool refused;

    bool ring; /* its buffers are counted */
    struct share share;
    u32 ready;
    u16 most;
    u8 held[SHARE_BUFFERS + FILL]; /* model: who is in the buffers that didn't come back, in turn */
    u32 nheld;
    u32 deaf[PORTS];   /* how deaf each is at most: as if nothing faded */
    u32 deafer[PORTS]; /* … and at least: in this moment alone */
    u64 deafer_at;
    u64 wanted_at[PORTS]; /* when each last wanted one; 0: never */
    u32 got_len, moved;   /* what came, and by how much offsets of offloads moved */
    u8 frame[FRAME + 4];
};

struct system {
    bool made;
    bool drop_unknown;
    struct switch_conf conf;
    char name[8];
    struct side side[PORTS];
};

/* What the model has learned: of each VLAN and address. */
struct memory {
    u32 port, seen;
};

static struct system systems[CONFIGS];
static struct system *sys;
static struct memory learned[VIDS][SOURCES + 1];
static u8 sent[FRAME];
static u32 sent_len;
static bool sent_super;

struct input {
    const u8 *p, *end;
};

static u32 take(struct input *in)
{
    return in->p < in->end ? *in->p++ : 0;
}

/* --- addresses -------------------------------------------------------------------------------- */

static u64 own_address(u32 port)
{
    return 0x020000000000ull + port;
}

static u64 static_address(u32 port, u32 n)
{
    return 0x020000000100ull + port * 8 + n;
}

/* Number n of those that can be learned; the last one is a monitor's. */
static u64 loose_address(u32 n)
{
    return n == SOURCES ? own_address(PORTS - 1) : 0x020000001000ull + n;
}

static u64 any_address(u32 n)
{
    static const u64 special[] = {0, 0xffffffffffffull, 0x01005e000001ull, 0x333300000001ull};

    switch (n >> 6) {
    case 0:
        return own_address(n % PORTS);
    case 1:
        if (n / PORTS % 2 < sys->side[n % PORTS].statics) {
            return static_address(n % PORTS, n / PORTS % 2);
        }
        return own_address(n % PORTS);
    case 2:
        return loose_address(n % (SOURCES + 1));
    default:
        return special[n % 4];
    }
}

static u32 owner_of(u64 mac)
{
    for (u32 i = 0; i < PORTS; i++) {
        const struct side *s = &sys->side[i];

        if (s->monitor) {
            continue;
        }
        if (mac == own_address(i)) {
            return i;
        }
        for (u32 k = 0; k < s->statics; k++) {
            if (mac == static_address(i, k)) {
                return i;
            }
        }
    }
    return NOBODY;
}

/* --- buffers ---------------------------------------------------------------------------------- */

static void trim(struct side *s, u32 held)
{
    if (s->nheld > held) {
        memmove(s->held, s->held + s->nheld - held, held);
        s->nheld = held;
    }
}

/* What must be so, whatever the books say in between: the answer for `from`, which wants one. */
static void check_share(const struct side *s, u32 from, bool group, bool may)
{
    u32 own = 0, senders = 0, mean;
    bool company = false, alone = true;

    for (u32 i = 0; i < PORTS; i++) {
        u32 n = 0;

        for (u32 k = 0; k < s->nheld; k++) {
            n += s->held[k] == i;
        }
        senders += n != 0;
        own = i == from ? n : own;
        alone &= i == from || s->wanted_at[i] == 0;
        company |= i != from && s->wanted_at[i] != 0 && host_now_ns - s->wanted_at[i] < 10 * SECOND;
    }
    mean = s->nheld / MAX(senders, 2u);
    assert(may || !alone);
    assert(may || own != 0);
    if (company && s->deafer[from] >= 64) {
        assert(!may || own <= mean / 2);
    } else if (company) {
        assert(!may || own <= (group && s->deaf[from] < 64 ? s->ready / 4 : MAX(s->ready, mean)));
        assert(may || s->deaf[from] >= 64 || own > (group ? s->ready / 4 : s->ready));
    }
}

/* As a receiving device does it. */
static bool take_buffers(struct side *s, const struct net_frame *f)
{
    u32 from = f->from->number;
    bool group = (f->head[0] & 1) != 0, begun = s->share.company, may = true;

    if (!share_alone(&s->share, from)) {
        u32 last = s->share.last;

        may = share_wants(&s->share, (struct share_want){from, group, s->ready}, &s->most);
        trim(s, s->most - s->ready);
        if (!begun && s->share.company) {
            s->nheld = s->most - s->ready;
            memset(s->held, (int)last, s->nheld);
            memset(s->deaf, 0, sizeof(s->deaf));
            memset(s->deafer, 0, sizeof(s->deafer));
        }
    }
    if (s->deafer_at != host_now_ns) {
        s->deafer_at = host_now_ns;
        memset(s->deafer, 0, sizeof(s->deafer));
    }
    check_share(s, from, group, may);
    s->wanted_at[from] = host_now_ns;
    if (!may) {
        s->deaf[from] = MIN(s->deaf[from] + 4, 255u);
        s->deafer[from] = MIN(s->deafer[from] + 4, 255u);
        return false;
    }
    if (s->ready < FILL) {
        return false;
    }
    s->ready -= FILL;
    share_took(&s->share, from, FILL);
    s->deaf[from] -= s->deaf[from] != 0;
    s->deafer[from] -= s->deafer[from] != 0;
    memset(s->held + s->nheld, (int)from, FILL);
    s->nheld += FILL;
    trim(s, SHARE_BUFFERS);
    return true;
}

static void offer_buffers(struct side *s, u32 count)
{
    s->ring = true;
    s->ready = MIN(s->ready + count, (u32)SHARE_BUFFERS);
    s->most = (u16)MAX(s->ready, s->most);
    trim(s, s->most - s->ready);
}

/* --- the device's side ------------------------------------------------------------------------ */

static bool side_deliver(struct net_port *p, struct net_frame *f)
{
    struct side *s = container_of(p, struct side, port);
    u32 done;

    if (!s->up) {
        return false;
    }
    s->refused = s->ring && !take_buffers(s, f);
    if (s->refused) {
        return false;
    }
    (void)frame_flow(f); /* as a device does; it may make the head longer */
    (void)frame_extend(f, MIN(f->len, 60u));
    assert(f->len <= sizeof(s->frame) && f->head_len <= f->len);
    memcpy(s->frame, f->head, f->head_len);
    done = f->head_len;
    if (done < f->len) {
        assert(chain_read(f->chain, f->off + done, s->frame + done, f->len - done) ==
               f->len - done);
    }
    s->got++;
    s->got_len = f->len;
    if (sent_super) {
        s->moved = f->offload.headers - 54u;
        assert(f->offload.csum_start == 34 + s->moved && f->offload.gso_size == 100);
        assert(f->wire == 154 + s->moved);
    } else {
        assert(f->wire == f->len);
    }
    return true;
}

static void side_flush(struct net_port *p)
{
    assert(container_of(p, struct side, port)->got > 0);
}

static void side_carrier(struct net_port *p, bool up)
{
    (void)p;
    assert(up);
}

static const struct net_port_ops side_ops = {
    .deliver = side_deliver,
    .flush = side_flush,
    .carrier = side_carrier,
};

/* --- configurations --------------------------------------------------------------------------- */

static u32 dice(u32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void make_vlan(struct side *s, u32 *r)
{
    struct opt_vlan *v = &s->port.rules.vlan;

    s->mode = dice(r) % 3;
    v->mode = (u8)s->mode;
    if (s->mode == VLAN_ACCESS) {
        s->native = vids[1 + dice(r) % (VIDS - 1)];
    } else if (s->mode == VLAN_TRUNK) {
        s->native = vids[dice(r) % VIDS];
        s->listed = dice(r) & 0x3e;
        v->tagged = s->words;
    }
    for (u32 i = 1; i < VIDS; i++) {
        if (vids[i] == s->native) {
            s->listed &= ~BIT(i);
        } else if ((s->listed & BIT(i)) != 0) {
            s->words[vids[i] / 64] |= BIT64(vids[i] % 64);
        }
    }
    v->vid = (u16)s->native;
}

static void make_side(u32 number, u32 *r, bool vlans)
{
    struct side *s = &sys->side[number];
    struct net_port *p = &s->port;
    struct port_rules *rules = &p->rules;

    p->ops = &side_ops;
    p->mtu = 1500;
    p->bind_mode = 0666;
    p->accepts = UINT32_MAX;
    p->peer = (struct nic_peer){.kind = NIC_SWITCH, .name = sys->conf.name};
    p->mac[0] = 2;
    p->mac[5] = (u8)number;
    s->monitor = number == PORTS - 1 && dice(r) % 2 != 0;
    s->isolate = dice(r) % 4 == 0;
    s->spoof = dice(r) % 2 != 0;
    s->statics = dice(r) % 3;
    for (u32 i = 0; i < s->statics; i++) {
        u8 mac[6] = {2, 0, 0, 0, 1, (u8)(number * 8 + i)};

        memcpy(rules->statics.mac[i], mac, 6);
    }
    rules->statics.n = s->statics;
    rules->monitor = s->monitor;
    rules->isolate = s->isolate;
    p->mac_spoof_allow = s->spoof;
    if (vlans) {
        make_vlan(s, r);
    }
    assert(net_connect(p));
}

static void make_system(u32 number)
{
    u32 r = number * 7919;
    bool vlans = number % 4 != 0;

    sys->made = true;
    sys->drop_unknown = dice(&r) % 4 == 0;
    sprintf(sys->name, "s%u", number);
    sys->conf = (struct switch_conf){.name = {sys->name, (u32)strlen(sys->name)},
                                     .age_s = CFG_AGE,
                                     .drop_unknown = sys->drop_unknown,
                                     .poll_cpu = UINT32_MAX};
    switch_configure(&sys->conf);
    for (u32 i = 0; i < PORTS; i++) {
        make_side(i, &r, vlans);
    }
}

/* --- the model ---------------------------------------------------------------------------------
 */

static u32 type_at(u32 at)
{
    return load_be16(sent + at);
}

static bool is_tag(u32 type)
{
    return type == 0x8100 || type == 0x88a8;
}

static u32 vid_index(u32 vid)
{
    for (u32 i = 1; i < VIDS; i++) {
        if (vids[i] == vid) {
            return i;
        }
    }
    return NOBODY;
}

static bool member(const struct side *s, u32 vlan)
{
    switch (s->mode) {
    case VLAN_NONE:
        return vlan == 0;
    case VLAN_ACCESS:
        return vlan == s->native;
    default:
        return vlan != 0 && (vlan == s->native || (s->listed & BIT(vid_index(vlan))) != 0);
    }
}

static enum net_drop model_vlan(const struct side *s, u32 *vlan)
{
    u32 vid = 0;

    *vlan = 0;
    if (s->mode == VLAN_NONE) {
        return DROP_NONE;
    }
    if (is_tag(type_at(12))) {
        if (sent_len < 18) {
            return DROP_SIZE;
        }
        if (type_at(12) == 0x88a8 || is_tag(type_at(16))) {
            return DROP_VLAN;
        }
        vid = type_at(14) & 0xfff;
        if (vid != 0 && (s->mode == VLAN_ACCESS || vid_index(vid) == NOBODY ||
                         (s->listed & BIT(vid_index(vid))) == 0)) {
            return DROP_VLAN;
        }
    }
    *vlan = vid != 0 ? vid : s->native;
    return *vlan != 0 ? DROP_NONE : DROP_VLAN;
}

static enum net_drop model_admit(u32 from, u64 source, u32 *vlan)
{
    const struct side *s = &sys->side[from];
    u32 wire = sent_super ? 154 : sent_len;
    u32 owner = owner_of(source);

    if (sent_len < 14 || wire > 1514u + (is_tag(type_at(12)) ? 4 : 0)) {
        return DROP_SIZE;
    }
    if (source != own_address(from) && owner != from) {
        if (!s->spoof || source == 0 || (source & MAC_MULTICAST) != 0 ||
            (owner != NOBODY && !s->monitor)) {
            return DROP_SPOOF;
        }
    }
    return s->monitor ? DROP_ISOLATE : model_vlan(s, vlan);
}

static struct memory *remembered(u32 vlan, u64 mac)
{
    u32 now = (u32)(host_now_ns >> TICK);

    for (u32 i = 0; i <= SOURCES; i++) {
        struct memory *m = &learned[vlan == 0 ? 0 : vid_index(vlan)][i];

        if (loose_address(i) == mac) {
            m->port = now - m->seen > AGE_TICKS ? NOBODY : m->port;
            return m;
        }
    }
    return NULL;
}

/* Who is to get it, without monitors; or why nobody. */
static enum net_drop model_route(u32 from, u64 source, u64 to, u32 vlan, u32 *set)
{
    const struct side *s = &sys->side[from];
    bool group = (to & MAC_MULTICAST) != 0;
    u32 port = owner_of(to);
    const struct memory *m;

    *set = 0;
    if (s->spoof && owner_of(source) == NOBODY) {
        *remembered(vlan, source) = (struct memory){from, (u32)(host_now_ns >> TICK)};
    }
    m = remembered(vlan, to);
    if (port == NOBODY && m != NULL) {
        port = m->port;
    }
    if (port == from || (port != NOBODY && !member(&sys->side[port], vlan)) ||
        (port == NOBODY && sys->drop_unknown && !group)) {
        return DROP_NODST;
    }
    if (port != NOBODY && s->isolate && sys->side[port].isolate) {
        return DROP_ISOLATE;
    }
    for (u32 i = 0; i < PORTS; i++) {
        const struct side *o = &sys->side[i];

        if (i != from && (port == NOBODY || port == i) && !o->monitor && o->up && member(o, vlan) &&
            !(s->isolate && o->isolate)) {
            *set |= BIT(i);
        }
    }
    return DROP_NONE;
}

/* The frame as s should get it; its length. */
static u32 model_form(const struct side *s, u32 vlan, u8 *form)
{
    u32 skip = is_tag(type_at(12)) ? 4 : 0, put = s->native != vlan ? 4 : 0;
    u32 priority = skip != 0 ? type_at(14) & 0xf000 : 0;

    if (vlan == 0 || s->monitor) {
        memcpy(form, sent, sent_len);
        return sent_len;
    }
    memcpy(form, sent, 12);
    if (put != 0) {
        store_be16(form + 12, 0x8100);
        store_be16(form + 14, priority | vlan);
    }
    memcpy(form + 12 + put, sent + 12 + skip, sent_len - 12 - skip);
    return sent_len + put - skip;
}

static void expect(u32 set, u32 vlan)
{
    static u8 form[FRAME + 4];

    for (u32 i = 0; i < PORTS; i++) {
        struct side *s = &sys->side[i];
        u32 len;

        assert(s->got == (set >> i & 1 && !s->refused));
        s->refused = false;
        if (s->got == 0) {
            continue;
        }
        s->got = 0;
        len = model_form(s, vlan, form);
        assert(s->got_len == len && memcmp(s->frame, form, len) == 0);
        assert(!sent_super || s->moved == len - sent_len);
    }
}

/* --- frames ------------------------------------------------------------------------------------
 */

static void put_mac(u8 *b, u64 mac)
{
    store_be16(b, (u32)(mac >> 32));
    store_be32(b + 2, (u32)mac);
}

static void put_tags(u32 how, u32 vid, u32 more)
{
    static const u16 types[] = {0x8100, 0x8100, 0x8100, 0x88a8};

    if (how % 2 != 0) {
        store_be16(sent + 12, types[how / 2 % 4]);
        store_be16(sent + 14, more << 12 | (vid < 250 ? vids[vid % VIDS] : vid * 16));
        store_be16(sent + 16, how / 8 % 8 == 0 ? types[vid % 4] : 0x0800);
    }
}

static void make_frame(struct input *in, u64 to, u64 source)
{
    u32 len = take(in), seed = take(in), how = take(in), vid = take(in);

    sent_len = len < 200 ? len : (len - 199) * 28;
    sent_super = (how & 0x40) != 0 && sent_len > 200;
    for (u32 i = 0; i < FRAME; i++) {
        sent[i] = (u8)(seed + i * 7);
    }
    put_mac(sent, to);
    put_mac(sent + 6, source);
    store_be16(sent + 12, 0x0800);
    put_tags(how, vid, seed % 16);
}

/* The frame as a device has it: a head of any length, and the whole of it in three pieces. */
static void lay_out(struct net_frame *f, struct chain *c, u32 shape)
{
    static u8 memory[FRAME + 12];
    u32 total = sent_len + 12, first = MIN(shape * 3 % 100 + 1, total);
    u32 second = MIN(shape % 7 * 30, total - first);
    u32 part[3] = {first, second, total - first - second};
    u32 at = 0;

    memcpy(memory + 12, sent, sent_len);
    *c = (struct chain){.readable = total};
    for (u32 i = 0; i < 3; i++) {
        if (part[i] != 0) {
            c->span[c->nreadable++] = (struct span){(guest_t *)(memory + at), part[i]};
        }
        at += part[i];
    }
    *f = (struct net_frame){.chain = c, .len = sent_len, .wire = sent_len, .off = 12};
    f->head_len = MIN(sent_len, 14 + shape % (NET_HEAD - 13));
    memcpy(f->head, sent, f->head_len);
    if (sent_super) {
        f->wire = 154;
        f->needs = NEED_CSUM | NEED_TSO4;
        f->offload = (struct net_offload){.gso = GSO_TCPV4,
                                          .csum = true,
                                          .headers = 54,
                                          .gso_size = 100,
                                          .csum_start = 34,
                                          .csum_offset = 16};
    }
}

/* In bursts with so small a budget that it may take several; afterwards the frame is as it was. */
static void send(struct side *s, u32 shape, u32 budget)
{
    static struct chain c;
    struct net_frame f;
    u32 bursts = 0;

    lay_out(&f, &c, shape);
    do {
        assert(bursts++ < 20);
        f.budget = (s32)budget;
    } while (!s->port.net->send(&s->port, &f));
    s->port.net->flush(&s->port, &f);
    assert(f.pending == 0);
    assert(f.len == sent_len && f.off == 12 && f.wire == (sent_super ? 154 : sent_len));
    assert(memcmp(f.head, sent, f.head_len) == 0);
    assert(!sent_super || (f.offload.headers == 54 && f.offload.csum_start == 34));
}

static void one_frame(struct input *in, u32 from)
{
    struct side *s = &sys->side[from];
    u32 to = take(in), source = take(in), shape = take(in), vlan = 0, set = 0;
    u64 before[DROP_KINDS],
        from_mac = source < 128 ? own_address(from) : any_address(2 * (source - 128));
    enum net_drop why;

    make_frame(in, any_address(to), from_mac);
    why = model_admit(from, from_mac, &vlan);
    if (why == DROP_NONE) {
        why = model_route(from, from_mac, any_address(to), vlan, &set);
        set |= sys->side[PORTS - 1].monitor && sys->side[PORTS - 1].up ? BIT(PORTS - 1) : 0;
    }
    memcpy(before, s->port.drops, sizeof(before));
    send(s, shape, shape % 5 + 1);
    expect(set, vlan);
    for (u32 i = 0; i < DROP_KINDS; i++) {
        assert(s->port.drops[i] == before[i] + (why == i));
    }
}

/* --- events ------------------------------------------------------------------------------------
 */

static void set_link(u32 port, bool up)
{
    struct side *s = &sys->side[port];

    s->port.net->link(&s->port, up);
    s->up = up;
    for (u32 i = 0; i < VIDS * (SOURCES + 1) && !up; i++) {
        struct memory *m = &learned[i / (SOURCES + 1)][i % (SOURCES + 1)];

        m->port = m->port == port ? NOBODY : m->port;
    }
}

static void begin(u32 number)
{
    host_init();
    sys = &systems[number];
    host_now_ns = 1000000000;
    if (!sys->made) {
        make_system(number);
    }
    for (u32 i = 0; i < PORTS; i++) {
        struct side *s = &sys->side[i];

        set_link(i, false);
        set_link(i, true);
        share_reset(&s->share);
        s->ring = false;
        s->ready = 0;
        s->most = 0;
        s->nheld = 0;
        memset(s->deaf, 0, sizeof(s->deaf));
        memset(s->deafer, 0, sizeof(s->deafer));
        memset(s->wanted_at, 0, sizeof(s->wanted_at));
    }
    for (u32 i = 0; i < VIDS * (SOURCES + 1); i++) {
        learned[i / (SOURCES + 1)][i % (SOURCES + 1)].port = NOBODY;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};

    begin(take(&in) % CONFIGS);
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        u32 op = take(&in), port = op % PORTS;

        if (op < 224) {
            one_frame(&in, port);
        } else if (op < 240) {
            set_link(port, (op & 8) != 0);
        } else if (op < 248) {
            host_now_ns += (u64)take(&in) << TICK;
        } else {
            offer_buffers(&sys->side[port], take(&in));
        }
    }
    return 0;
}

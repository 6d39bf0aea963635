/* SPDX-License-Identifier: MIT */
/*
 * virtio-net's control queue: every command, what is refused, every way to lay one out, and what
 * the commands do, but for the receive filter (net_filter_test.c) and coalescing (net_coal_test.c).
 * alpha sends, beta commands.
 */
#include "tests/host/ctrl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static u8 frame[200], got[2048];
static const u8 group[6] = {0x33, 0x33, 0, 0, 0, 9};
static const u8 stranger[6] = {0x02, 0, 0, 0, 0, 0x77}; /* nobody's, so that all get it */
static const u8 one = 1;

static struct virtio *device(struct nic *n)
{
    return (struct virtio *)n->g.vm.devs;
}

/* --- what is offered, what is refused ------------------------------------------------------ */

static void offered(void **state)
{
    u64 has;

    (void)state;
    assert_int_equal(driver_offered(&beta.g, NIC_BASE) & CTRL_ALL, CTRL_ALL);
    has = driver_offered(&alpha.g, NIC_BASE); /* one pair, spoofing denied */
    assert_int_equal(has & CTRL_ALL, CTRL_ALL & ~(NIC_MQ | BIT64(NET_F_CTRL_MAC_ADDR)));
    assert_int_equal(guest_read(&beta.g, NIC_BASE + VMMIO_CONFIG + 8, 2), 2);
    assert_int_equal(guest_read(&alpha.g, NIC_BASE + VMMIO_CONFIG + 8, 2), 1);
}

static void nothing_without_its_queue(void **state)
{
    const u64 alone[] = {BIT64(NET_F_CTRL_RX),
                         BIT64(NET_F_CTRL_RX_EXTRA),
                         BIT64(NET_F_CTRL_VLAN),
                         BIT64(NET_F_CTRL_MAC_ADDR),
                         BIT64(NET_F_GUEST_ANNOUNCE),
                         BIT64(NET_F_CTRL_GUEST_OFFLOADS),
                         NIC_MQ,
                         BIT64(NET_F_NOTF_COAL)};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(alone); i++) {
        assert_false(driver_begin(&beta.g, NIC_BASE, NIC_USUAL | alone[i]) & S_FEATURES_OK);
        assert_true(driver_begin(&beta.g, NIC_BASE, NIC_USUAL | NIC_CTRL | alone[i]) &
                    S_FEATURES_OK);
    }
}

/* The commands that there are, with data that is right. */
static const struct {
    u8 class, code, len;
    u8 data[12];
} commands[] = {
    {RX, PROMISC, 1, {0}}, {RX, ALLMULTI, 1, {0}},
    {RX, ALLUNI, 1, {0}},  {RX, NOMULTI, 1, {0}},
    {RX, NOUNI, 1, {0}},   {RX, NOBCAST, 1, {0}},
    {MAC, TABLE, 8, {0}},  {MAC, ADDR, 6, {2, 1, 1, 1, 1, 1}},
    {VLAN, 0, 2, {7}},     {VLAN, 1, 2, {7}},
    {ANNOUNCE, 0, 0, {0}}, {MQ, 0, 2, {1}},
    {OFFLOADS, 0, 8, {0}}, {COAL, 0, 8, {0}},
    {COAL, 1, 8, {0}},
};

static void every_command(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        u32 len = commands[i].len;

        assert_int_equal(ctrl_command(commands[i].class, commands[i].code, commands[i].data, len),
                         OK);
        assert_int_equal(ctrl_command(commands[i].class, commands[i].code, commands[i].data, 12),
                         OK);
        for (u32 cut = 0; cut < len; cut++) {
            assert_int_equal(
                ctrl_command(commands[i].class, commands[i].code, commands[i].data, cut), ERR);
        }
    }
}

static void not_negotiated(void **state)
{
    (void)state;
    ctrl_start(NIC_USUAL | NIC_CTRL);
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        assert_int_equal(
            ctrl_command(commands[i].class, commands[i].code, commands[i].data, commands[i].len),
            ERR);
    }
    ctrl_start(NIC_USUAL | NIC_CTRL | BIT64(NET_F_CTRL_RX));
    assert_int_equal(ctrl_command(RX, ALLMULTI, &one, 1), OK);
    assert_int_equal(ctrl_command(RX, ALLUNI, &one, 1), ERR);
    ctrl_start(NIC_USUAL | NIC_CTRL | BIT64(NET_F_CTRL_RX_EXTRA));
    assert_int_equal(ctrl_command(RX, PROMISC, &one, 1), ERR);
    assert_int_equal(ctrl_command(RX, ALLUNI, &one, 1), OK);
}

static void unknown_commands(void **state)
{
    static const u8 data[64] = {1};

    (void)state;
    for (u32 class = 0; class < 256; class ++) {
        for (u32 code = 0; code < 256; code++) {
            bool known = false;

            for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
                known |= commands[i].class == class && commands[i].code == code;
            }
            if (!known) {
                assert_int_equal(ctrl_command((u8) class, (u8)code, data, sizeof(data)), ERR);
            }
        }
    }
    assert_true(virtio_running(device(&beta)));
}

/* --- layouts --------------------------------------------------------------------------------- */

static u8 *ctrl(u32 at)
{
    return (u8 *)guest_ptr(&beta.g, beta.ctrl_buf) + at;
}

/* Whether the command in the buffer, laid out by the caller from descriptor 0 on, took effect. */
static bool carried_out(u32 *written)
{
    ring_offer(&beta.ctrl, 0);
    ring_kick(&beta.ctrl);
    assert_int_equal(ring_used(&beta.ctrl, written), 0);
    return ctrl_reaches(group);
}

static void a_byte_in_each_piece(void **state)
{
    const u8 table[] = {MAC,  TABLE, 1, 0, 0, 0,    2,    0, 0, 0, 0,
                        0x77, 1,     0, 0, 0, 0x33, 0x33, 0, 0, 0, 9};
    u32 written, n = sizeof(table);

    (void)state;
    memcpy(ctrl(0), table, n);
    *ctrl(64) = 0xee;
    for (u32 i = 0; i < n; i++) {
        ring_desc(&beta.ctrl, i, beta.ctrl_buf + i, 1, D_NEXT, i + 1);
    }
    ring_desc(&beta.ctrl, n, beta.ctrl_buf + 64, 1, D_WRITE, 0);
    assert_true(carried_out(&written));
    assert_int_equal(written, 1);
    assert_int_equal(*ctrl(64), OK);
    assert_true(ctrl_reaches(stranger));
}

static void pieces_without_bytes(void **state)
{
    const u8 allmulti[] = {RX, ALLMULTI, 1};
    u32 written;

    (void)state;
    memcpy(ctrl(0), allmulti, sizeof(allmulti));
    ring_desc(&beta.ctrl, 0, beta.ctrl_buf, 0, D_NEXT, 1);
    ring_desc(&beta.ctrl, 1, beta.ctrl_buf, 3, D_NEXT, 2);
    ring_desc(&beta.ctrl, 2, beta.ctrl_buf, 0, D_NEXT | D_WRITE, 3);
    ring_desc(&beta.ctrl, 3, beta.ctrl_buf + 64, 1, D_WRITE, 0);
    assert_true(carried_out(&written));
    assert_int_equal(written, 1);
}

/* The answer is one byte, wherever there's more room. */
static void room_for_more_than_the_answer(void **state)
{
    const u8 allmulti[] = {RX, ALLMULTI, 1};
    u32 written;

    (void)state;
    memcpy(ctrl(0), allmulti, sizeof(allmulti));
    memset(ctrl(64), 0xee, 8);
    ring_desc(&beta.ctrl, 0, beta.ctrl_buf, 3, D_NEXT, 1);
    ring_desc(&beta.ctrl, 1, beta.ctrl_buf + 64, 4, D_NEXT | D_WRITE, 2);
    ring_desc(&beta.ctrl, 2, beta.ctrl_buf + 68, 4, D_WRITE, 0);
    assert_true(carried_out(&written));
    assert_int_equal(written, 1);
    assert_memory_equal(ctrl(64), "\x00\xee\xee\xee\xee\xee\xee\xee", 8);
}

static void no_room_for_the_answer(void **state)
{
    const u8 allmulti[] = {RX, ALLMULTI, 1};
    u32 written;

    (void)state;
    memcpy(ctrl(0), allmulti, sizeof(allmulti));
    ring_desc(&beta.ctrl, 0, beta.ctrl_buf, 3, 0, 0);
    assert_true(carried_out(&written));
    assert_int_equal(written, 0);
}

static void no_command(void **state)
{
    u32 written;

    (void)state;
    for (u32 len = 0; len < 2; len++) {
        *ctrl(0) = RX;
        *ctrl(64) = 0xee;
        ring_desc(&beta.ctrl, 0, beta.ctrl_buf, len, D_NEXT, 1);
        ring_desc(&beta.ctrl, 1, beta.ctrl_buf + 64, 1, D_WRITE, 0);
        assert_false(carried_out(&written));
        assert_int_equal(written, 1);
        assert_int_equal(*ctrl(64), ERR);
    }
    ring_desc(&beta.ctrl, 0, beta.ctrl_buf, 0, 0, 0); /* nothing at all */
    assert_false(carried_out(&written));
    assert_int_equal(written, 0);
}

static void rule_37_bad_control_queue(void **state)
{
    (void)state;
    ring_desc(&beta.ctrl, 0, 0x123, 3, 0, 0); /* where no memory is */
    ring_offer(&beta.ctrl, 0);
    ring_kick(&beta.ctrl);
    assert_true(reg_read(&beta.g, NIC_BASE, VMMIO_STATUS) & S_NEEDS_RESET);
    ctrl_start(CTRL_ALL);
    assert_int_equal(ctrl_command(RX, PROMISC, &one, 1), OK);
}

/* --- announcement and offloads -----------------------------------------------------------------
 */

static u16 status(void)
{
    return nic_link_status(&beta);
}

static void announcement(void **state)
{
    (void)ctrl_teardown(state);
    ctrl_make("/dev/qvm/beta/eth", "/dev/qvm/alpha/eth", 1);
    nic_start(&alpha, NIC_USUAL, CTRL_RING);
    ctrl_start(CTRL_ALL & ~NIC_MQ);
    (void)ctrl_command(ANNOUNCE, 0, "", 0);
    assert_int_equal(status(), 1);
    nic_stop(&alpha);
    assert_int_equal(status(), 0);
    (void)driver_irq(&beta.g, NIC_BASE);
    nic_start(&alpha, NIC_USUAL, CTRL_RING); /* the way is back */
    assert_int_equal(status(), 3);
    assert_int_equal(driver_irq(&beta.g, NIC_BASE) & 2, 2);
    assert_int_equal(ctrl_command(ANNOUNCE, 1, "", 0), ERR);
    assert_int_equal(status(), 3);
    assert_int_equal(ctrl_command(ANNOUNCE, 0, "", 0), OK);
    assert_int_equal(status(), 1);
    nic_stop(&alpha);
    nic_start(&alpha, NIC_USUAL, CTRL_RING);
    assert_int_equal(status(), 3);
    nic_stop(&beta); /* forgotten with the driver that was asked */
    nic_start(&beta, NIC_USUAL | NIC_CTRL, CTRL_RING);
    nic_stop(&alpha);
    nic_start(&alpha, NIC_USUAL, CTRL_RING);
    assert_int_equal(status(), 1); /* this one wasn't */
}

static void guest_offloads(void **state)
{
    const u64 csum = BIT64(NET_F_GUEST_CSUM), tso4 = BIT64(NET_F_GUEST_TSO4);

    (void)state;
    assert_int_equal(beta.port->accepts, NEED_CSUM | NEED_TSO4); /* on as negotiated */
    assert_int_equal(ctrl_set(OFFLOADS, 0, csum, 8), OK);
    assert_int_equal(beta.port->accepts, NEED_CSUM);
    assert_int_equal(ctrl_set(OFFLOADS, 0, csum | BIT64(NET_F_GUEST_TSO6), 8), ERR);
    assert_int_equal(ctrl_set(OFFLOADS, 0, csum | BIT64(NET_F_CSUM), 8), ERR);
    assert_int_equal(ctrl_set(OFFLOADS, 0, BIT64(63), 8), ERR);
    assert_int_equal(beta.port->accepts, NEED_CSUM);
    assert_int_equal(ctrl_set(OFFLOADS, 0, 0, 8), OK);
    assert_int_equal(beta.port->accepts, 0);
    assert_int_equal(ctrl_set(OFFLOADS, 0, csum | tso4, 8), OK);
    assert_int_equal(beta.port->accepts, NEED_CSUM | NEED_TSO4);
    nic_stop(&beta);
    assert_int_equal(beta.port->accepts, 0);
}

/* --- pairs of queues ---------------------------------------------------------------------------
 */

/* A UDP packet over IPv4 between these ports, from `from`. */
static void udp(const struct nic *from, const struct nic *to, u32 source, u32 target)
{
    static const u8 ip[] = {0x45, 0, 0, 86, 0, 0, 0, 0, 64, 17, 0, 0};
    u8 me = from->mac[5], you = to->mac[5];

    nic_frame(frame, to->mac, from->mac, 100, 3);
    memcpy(frame + 14, ip, sizeof(ip));
    memcpy(frame + 26, (u8[]){10, 0, 0, me, 10, 0, 0, you}, 8);
    store_be16(frame + 34, source);
    store_be16(frame + 36, target);
}

/* beta sends the flow of its port `flow` on its first or second pair. */
static void sends(u32 flow, u32 pair)
{
    struct ring *r = pair == 0 ? &beta.tx : &beta.tx2;
    u64 at = beta.tx_buf + flow % CTRL_RING * NIC_BUFFER;

    udp(&beta, &alpha, flow, 7);
    memset(guest_ptr(&beta.g, at), 0, NIC_HDR);
    memcpy((u8 *)guest_ptr(&beta.g, at) + NIC_HDR, frame, 100);
    ring_desc(r, 0, at, NIC_HDR + 100, 0, 0);
    ring_offer(r, 0);
    ring_kick(r);
    assert_int_equal(ring_used(r, NULL), 0);
}

/* The pair on which alpha's answer to that flow comes. */
static u32 comes_on(u32 flow)
{
    u16 before[2] = {ring_used_idx(&beta.rx), ring_used_idx(&beta.rx2)};

    udp(&alpha, &beta, 7, flow);
    nic_send(&alpha, frame, 100);
    if (ring_used_idx(&beta.rx) != before[0]) {
        assert_int_equal(ring_used_idx(&beta.rx2), before[1]);
        assert_int_equal(nic_recv(&beta, got, sizeof(got), true), 100);
        return 0;
    }
    assert_int_equal((u16)(ring_used_idx(&beta.rx2) - before[1]), 1);
    assert_memory_equal(
        (u8 *)guest_ptr(&beta.g, beta.rx2_buf + (u64)(before[1] % CTRL_RING) * NIC_BUFFER) +
            NIC_HDR,
        frame, 100);
    return 1;
}

static void pairs(void **state)
{
    (void)state;
    assert_true(ctrl_set(MQ, 0, 0, 2) == ERR && ctrl_set(MQ, 0, 3, 2) == ERR &&
                ctrl_set(MQ, 0, 0x8000, 2) == ERR);
    assert_true(ctrl_set(MQ, 0, 2, 2) == OK && ctrl_set(MQ, 0, 1, 2) == OK);
}

static void flows_come_back_on_their_pair(void **state)
{
    (void)state;
    nic_fill(&alpha, 0, CTRL_RING, NIC_BUFFER);
    sends(1000, 1);
    assert_int_equal(comes_on(1000), 0); /* one pair until the driver wants more */
    assert_int_equal(ctrl_set(MQ, 0, 2, 2), OK);
    sends(1000, 1);
    assert_int_equal(comes_on(1000), 1);
    sends(1001, 0);
    assert_int_equal(comes_on(1001), 0);
    assert_int_equal(comes_on(1000), 1);
    sends(1000, 0); /* the flow has moved to another vCPU */
    assert_int_equal(comes_on(1000), 0);
    sends(1000, 1);
    assert_int_equal(ctrl_set(MQ, 0, 1, 2), OK);
    assert_int_equal(comes_on(1000), 0);
    assert_int_equal(beta.port->stats[1].rx_frames, 2);
    assert_int_equal(beta.port->stats[1].tx_frames, 3);
    assert_int_equal(beta.port->stats[1].interrupts, 2 + 3);
}

static void pairs_end_with_the_driver(void **state)
{
    (void)state;
    nic_fill(&alpha, 0, CTRL_RING, NIC_BUFFER);
    assert_int_equal(ctrl_set(MQ, 0, 2, 2), OK);
    sends(1000, 1);
    nic_restart(&beta, CTRL_ALL);
    nic_fill(&beta, 0, CTRL_RING, NIC_BUFFER);
    nic_fill2(&beta, 0, CTRL_RING);
    assert_int_equal(comes_on(1000), 0);
}

static void control_queue_behind_the_pairs(void **state)
{
    struct ring wrong;

    (void)state;
    assert_int_equal(beta.ctrl.index, 4);
    wrong = beta.rx2; /* a kick of what is a receive queue here */
    ring_kick(&wrong);
    assert_int_equal(ring_used_idx(&beta.rx2), 0);
    ctrl_start(CTRL_ALL & ~NIC_MQ);
    assert_int_equal(beta.ctrl.index, 2);
    assert_int_equal(ctrl_command(RX, PROMISC, &one, 1), OK);
    wrong = beta.ctrl;
    wrong.index = 4;
    ring_offer(&beta.ctrl, 0);
    ring_kick(&wrong); /* not the control queue without multiqueue */
    assert_int_equal(ring_used(&beta.ctrl, NULL), -1);
    ring_kick(&beta.ctrl);
    assert_int_equal(ring_used(&beta.ctrl, NULL), 0);
    ctrl_start(NIC_USUAL); /* nor is there one without it */
    beta.ctrl.index = 2;
    ring_kick(&beta.ctrl);
    assert_true(virtio_running(device(&beta)));
}

/* --- many commands, and the end of the queue amid one ------------------------------------------
 */

static void queue_commands(u32 n, u8 code)
{
    for (u32 i = 0; i < n; i++) {
        u8 *p = ctrl(i * 16);

        memcpy(p, (u8[]){RX, code, 1}, 3);
        p[8] = 0xee;
        ring_desc(&beta.ctrl, 2 * i, beta.ctrl_buf + i * 16, 3, D_NEXT, 2 * i + 1);
        ring_desc(&beta.ctrl, 2 * i + 1, beta.ctrl_buf + i * 16 + 8, 1, D_WRITE, 0);
        ring_offer(&beta.ctrl, 2 * i);
    }
}

static void rule_40_a_long_list_of_commands(void **state)
{
    (void)state;
    queue_commands(30, ALLMULTI);
    ring_kick(&beta.ctrl);
    assert_in_range(ring_used_idx(&beta.ctrl), 1, 8);
    ring_kick(&beta.ctrl); /* changes nothing: the rest is under way */
    assert_in_range(ring_used_idx(&beta.ctrl), 1, 8);
    assert_in_range(host_run_work(100), 3, 30);
    assert_int_equal(ring_used_idx(&beta.ctrl), 30);
    for (u32 i = 0; i < 30; i++) {
        assert_int_equal(*ctrl(i * 16 + 8), OK);
    }
    beta.ctrl.used_idx = 30;
    assert_int_equal(ctrl_command(RX, PROMISC, &one, 1), OK); /* at once again */
}

static void reset_amid_commands(void **state)
{
    (void)state;
    queue_commands(30, PROMISC);
    ring_kick(&beta.ctrl);
    nic_stop(&beta);
    memset(ctrl(0), 0xdd, 512);
    (void)host_run_work(100);
    for (u32 i = 0; i < 512; i++) {
        assert_int_equal(*ctrl(i), 0xdd);
    }
    ctrl_start(CTRL_ALL);
    assert_false(ctrl_reaches(group)); /* forgotten */
    assert_int_equal(ctrl_command(RX, PROMISC, &one, 1), OK);
}

static void (*set_line)(struct vm *vm, struct vcpu *v, u32 intid, bool level);

/* What another vCPU does while the command is carried out: QueueReady = 0. */
static void take_the_queue_away(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
    virtq_deactivate(&device(&beta)->queue[beta.ctrl.index]);
    set_line(vm, v, intid, level);
}

static void rule_7_queue_taken_away_amid_a_command(void **state)
{
    (void)state;
    (void)driver_irq(&beta.g, NIC_BASE);
    set_line = beta.g.irqchip.set_line;
    beta.g.irqchip.set_line = take_the_queue_away; /* a new address raises the line */
    memcpy(ctrl(0), (u8[]){MAC, ADDR, 2, 0, 0, 0, 0, 9}, 8);
    *ctrl(64) = 0xee;
    ring_desc(&beta.ctrl, 0, beta.ctrl_buf, 8, D_NEXT, 1);
    ring_desc(&beta.ctrl, 1, beta.ctrl_buf + 64, 1, D_WRITE, 0);
    ring_offer(&beta.ctrl, 0);
    ring_kick(&beta.ctrl);
    assert_int_equal(ring_used_idx(&beta.ctrl), 0);
    assert_int_equal(*ctrl(64), 0xee);
    assert_true(virtio_running(device(&beta)));
    beta.g.irqchip.set_line = set_line;
}

#define T(f) cmocka_unit_test_setup_teardown(f, ctrl_setup, ctrl_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(offered),
        T(nothing_without_its_queue),
        T(every_command),
        T(not_negotiated),
        T(unknown_commands),
        T(a_byte_in_each_piece),
        T(pieces_without_bytes),
        T(room_for_more_than_the_answer),
        T(no_room_for_the_answer),
        T(no_command),
        T(rule_37_bad_control_queue),
        T(announcement),
        T(guest_offloads),
        T(pairs),
        T(flows_come_back_on_their_pair),
        T(pairs_end_with_the_driver),
        T(control_queue_behind_the_pairs),
        T(rule_40_a_long_list_of_commands),
        T(reset_amid_commands),
        T(rule_7_queue_taken_away_amid_a_command),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Two VMs, one of which commands: see ctrl.h. */
#include "tests/host/ctrl.h"

#include "core/panic.h"

#include <string.h>

#define SWITCH    "/dev/vdevpeer/sw"
#define FRAME_LEN 100u

struct nic alpha, beta;

void ctrl_make(const char *alpha_peer, const char *beta_peer, u32 queues)
{
    struct net_opts oa = nic_options(alpha_peer, 1), ob = nic_options(beta_peer, 2);

    net_forget_all();
    oa.storm = 0;
    ob.queues = queues;
    ob.mac_spoof = SPOOF_ALLOW;
    nic_init(&alpha, "alpha", "eth", &oa);
    nic_init(&beta, "beta", "eth", &ob);
}

void ctrl_start(u64 features)
{
    nic_start(&beta, features, CTRL_RING);
    nic_fill(&beta, 0, CTRL_RING, NIC_BUFFER);
    if (features & NIC_MQ) {
        nic_fill2(&beta, 0, CTRL_RING);
    }
}

int ctrl_setup(void **state)
{
    (void)state;
    ctrl_make(SWITCH, SWITCH, 2);
    nic_start(&alpha, NIC_USUAL, CTRL_RING);
    ctrl_start(CTRL_ALL);
    return 0;
}

int ctrl_teardown(void **state)
{
    (void)state;
    assert(host_run_work(1000) < 1000);
    nic_free(&alpha);
    nic_free(&beta);
    return 0;
}

u8 ctrl_command(u8 class, u8 code, const void *data, u32 len)
{
    return nic_command(&beta, class, code, data, len);
}

u8 ctrl_set(u8 class, u8 code, u64 value, u32 len)
{
    return ctrl_command(class, code, &value, len);
}

bool ctrl_reaches(const u8 *to)
{
    u8 frame[FRAME_LEN], got[NIC_BUFFER];
    int len;

    nic_frame(frame, to, alpha.mac, FRAME_LEN, to[5]);
    nic_send(&alpha, frame, FRAME_LEN);
    len = nic_recv(&beta, got, sizeof(got), true);
    if (len < 0) {
        return false;
    }
    assert(len == (int)FRAME_LEN && memcmp(got, frame, FRAME_LEN) == 0);
    return true;
}

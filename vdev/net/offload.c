/* SPDX-License-Identifier: MIT */
#include "vdev/net/offload.h"
#include "vdev/net/port.h"

bool offload_check(struct net_frame *f)
{
    (void)f;
    return false;
}

enum net_result offload_deliver(struct net_port *to, struct net_frame *f)
{
    (void)f;
    port_drop(to, DROP_OFFLOAD);
    return NET_DROPPED;
}

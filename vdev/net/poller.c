/* SPDX-License-Identifier: MIT */
/*
 * Poll mode: deferred work of one CPU that never ends while a port is up. As it's queued anew after
 * each piece, the scheduler looks at interrupts and other work in between, and doesn't sleep. Lock:
 * struct poller's, for who is polled.
 */
#include "vdev/net/poller.h"

#include "core/log.h"
#include "core/page.h"
#include "core/sched.h"

#define LOOKS 128 /* at ports that have nothing, in one piece of work */

struct poller {
    struct work work;
    u32 cpu;
    u32 next; /* the port whose turn it is; the CPU's own */

    struct spinlock lock; /* LOCK_SWITCH; covers the fields below */
    u64 up;               /* bit n: port[n] is polled */
    struct net_port *port[NET_PORTS_MAX];
};

/* The next one of `up` from l->next on, round and round. */
static struct net_port *take_turn(struct poller *l, u64 up)
{
    u64 ahead = up & ~(BIT64(l->next) - 1);
    u32 n = (u32)__builtin_ctzll(ahead != 0 ? ahead : up);

    l->next = (n + 1) % NET_PORTS_MAX;
    return l->port[n];
}

static u64 ports_up(struct poller *l)
{
    u64 up;

    spin_lock(&l->lock);
    up = l->up;
    spin_unlock(&l->lock);
    return up;
}

/* Until a port had something: then others' work is looked at. */
static bool poll_ports(struct work *w)
{
    struct poller *l = container_of(w, struct poller, work);
    u64 up = ports_up(l);

    for (u32 i = 0; i < LOOKS && up != 0; i++) {
        struct net_port *p = take_turn(l, up);

        if (p->ops->poll(p)) {
            break;
        }
    }
    return up != 0;
}

struct poller *poller_create(u32 cpu)
{
    struct poller *l = page_alloc(sizeof(*l));

    if (l != NULL) {
        spin_init(&l->lock, LOCK_SWITCH);
        l->work.fn = poll_ports;
        l->cpu = cpu;
    }
    return l;
}

void poller_link(struct poller *l, struct net_port *p, bool up)
{
    struct pcpu *cpu = &pcpus[l->cpu];

    if (l->cpu >= pcpu_count || !atomic_load(&cpu->online)) {
        return; /* its driver notifies, as without a poller */
    }
    spin_lock(&l->lock);
    l->port[p->number] = p;
    l->up = up ? l->up | BIT64(p->number) : l->up & ~BIT64(p->number);
    atomic_store(&p->polled, (u32)up);
    spin_unlock(&l->lock);
    if (up) {
        work_queue(cpu, &l->work);
    }
}

void poller_show(const struct poller *l, void (*print)(const char *fmt, ...))
{
    print(", polled by CPU %u%s", l->cpu,
          l->cpu < pcpu_count && atomic_load(&pcpus[l->cpu].online)
              ? ""
              : " (which is off: not polled)");
}

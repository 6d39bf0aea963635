/* SPDX-License-Identifier: MIT */
/*
 * Which channel of the console mux a VM's device gets, by name. Knows no device and nothing of how
 * the mux works. No lock: boot only.
 */
#include "core/log.h"
#include "core/vm.h"
#include "vdev/chan.h"

#define NAME_MAX 64

struct chan *chan_for_console(struct vm *vm, const struct vdev_conf *conf,
                              const struct chan_ops *ops, void *dev)
{
    struct chan *c;
    char name[NAME_MAX];

    if (vm->console == NULL) {
        fmt_print(name, sizeof(name), "%s", vm->name);
    } else if (conf->name.len > 0) {
        fmt_print(name, sizeof(name), "%s.%.*s", vm->name, STR_ARG(conf->name));
    } else {
        fmt_print(name, sizeof(name), "%s.%llx", vm->name, (unsigned long long)conf->loc);
    }
    c = chan_create(name, ops, dev);
    if (vm->console == NULL) {
        vm->console = c;
    }
    return c;
}

struct chan *chan_for_port(const struct vm *vm, struct str port, const struct chan_ops *ops,
                           void *dev)
{
    char name[NAME_MAX];

    fmt_print(name, sizeof(name), "%s/%.*s", vm->name, STR_ARG(port));
    return chan_create_port(name, ops, dev);
}

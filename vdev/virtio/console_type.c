/* SPDX-License-Identifier: MIT */
/*
 * virtio-console as a config line: its options, what is wrong with them, its device-tree node.
 * Knows nothing of how the device works. No lock: data.
 */
#include "core/check.h"
#include "core/config.h"
#include "core/log.h"
#include "core/str.h"
#include "vdev/virtio/console.h"
#include "vdev/virtio/options.h"

#include <string.h>

static bool is_console(const struct console_port_opts *o)
{
    return o->name.len == 0;
}

/* The console is port 0, wherever it stands. */
static void add_port(struct console_opts *o, struct console_port_opts port)
{
    u32 at = is_console(&port) ? 0 : o->nports;

    memmove(&o->port[at + 1], &o->port[at], (o->nports - at) * sizeof(o->port[0]));
    o->port[at] = port;
    o->nports++;
}

/* [<|>]PATH: `-` is Muntin's console for this VM, anything else a further port of that name. */
static bool parse_hostdev(void *opts, struct str arg, const char **why)
{
    struct console_opts *o = opts;
    struct console_port_opts port = {.in = true, .out = true};

    if (o->nports == CONSOLE_PORTS) {
        *why = "a virtio-console has at most 7 ports";
        return false;
    }
    if (arg.len > 0 && (arg.p[0] == '<' || arg.p[0] == '>')) {
        port.in = arg.p[0] == '<';
        port.out = !port.in;
        arg = str_after(arg, 1);
    }
    if (str_is(arg, "-")) { /* what QNX calls output only can be typed at */
        port.in = true;
        port.out = true;
    } else {
        port.name = str_basename(arg);
        if (port.name.len == 0 || port.name.len > CONSOLE_PORT_NAME) {
            *why = "a port's name, the last part of its path, has 1 to 31 characters";
            return false;
        }
    }
    for (u32 i = 0; i < o->nports; i++) {
        if (str_same(o->port[i].name, port.name)) {
            *why = is_console(&port) ? "this device has the console already"
                                     : "this device has a port of that name already";
            return false;
        }
    }
    add_port(o, port);
    return true;
}

static bool has_port(const struct console_opts *o, struct str name)
{
    for (u32 i = 0; i < o->nports; i++) {
        if (!is_console(&o->port[i]) && str_same(o->port[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* Ports are found by VM and name: no two of a VM may have the same. */
static bool console_check(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag)
{
    const struct console_opts *o = conf->opts;

    for (const struct vdev_conf *other = vm->vdev; other < conf; other++) {
        for (u32 i = 0; other->type == conf->type && i < o->nports; i++) {
            if (!is_console(&o->port[i]) && has_port(other->opts, o->port[i].name)) {
                diag_error(diag, conf->place,
                           "port '%.*s': the virtio-console of line %u has it too",
                           STR_ARG(o->port[i].name), other->place.line);
                return false;
            }
        }
    }
    return true;
}

static const struct opt console_options[] = {
    {
        .name = "hostdev",
        .type = OPT_CUSTOM,
        .arg = "[<|>]PATH",
        .range = MANUAL("`-` or a path; the last part has up to 31 characters"),
        .dflt = MANUAL(">-"),
        .help = MANUAL(
            "A port; may be repeated. `>-` is Muntin's console for this VM, Linux's `hvc0`. Any "
            "other path is a port by the name of its last part, /dev/vportNpM in Linux, and "
            "VM/NAME on Muntin's console; with `>` nothing can be typed at it, with `<` nothing of "
            "it is shown."),
        .example = MANUAL("hostdev >- hostdev /dev/log"),
        .parse = parse_hostdev,
    },
    VIRTIO_OPT_LEGACY(struct console_opts),
    {.name = NULL},
};

const struct vdev_type virtio_console_type = {
    .name = "virtio-console",
    .help = MANUAL("A console and further ports on Muntin's: virtio-console over virtio-mmio."),
    .opts = console_options,
    .opts_size = sizeof(struct console_opts),
    .check = console_check,
    VIRTIO_MMIO_TYPE,
    .create = console_create,
};

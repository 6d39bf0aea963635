/* SPDX-License-Identifier: MIT */
/* What virtio devices have in common as config lines. Knows no device. No lock: data. */
#include "vdev/virtio/options.h"

#include "core/config.h"

const char virtio_compatible[] = VIRTIO_COMPATIBLE;

const struct vdev_prop virtio_props[] = {
    {.name = "dma-coherent", .kind = PROP_EMPTY},
    {.name = NULL},
};

bool virtio_check_rings(const struct vdev_conf *conf, u32 qsize, bool packed, bool legacy,
                        struct diag *diag)
{
    const char *const name = conf->type->name;

    if (packed && legacy) {
        diag_error(diag, conf->place, "%s: `legacy` has no packed rings: drop `packed`", name);
        return false;
    }
    if (!packed && !is_pow2(qsize)) {
        diag_error(diag, conf->place,
                   "%s: `qsize %u` is not a power of two, which it must be without `packed`", name,
                   qsize);
        return false;
    }
    return true;
}

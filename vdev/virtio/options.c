/* SPDX-License-Identifier: MIT */
/* Options that virtio devices have in common. Knows no device. No lock: data. */
#include "vdev/virtio/options.h"

#include "core/config.h"

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

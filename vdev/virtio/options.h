/* SPDX-License-Identifier: MIT */
/*
 * What virtio devices have in common as config lines: options of their rings, and the node of a
 * device on virtio-mmio.
 */
#ifndef VDEV_VIRTIO_OPTIONS_H
#define VDEV_VIRTIO_OPTIONS_H

#include "core/types.h"
#include "core/vdev.h"

/* `qsize`, `packed` and `legacy` go together; complains through diag. */
bool virtio_check_rings(const struct vdev_conf *conf, u32 qsize, bool packed, bool legacy,
                        struct diag *diag) MUST_CHECK;

/* Rows of a type's table of options; `opts` is its struct, whose fields are called as the option.
 */
#define VIRTIO_OPT_QUEUES(opts, most, of, text)                                                    \
    {                                                                                              \
        .name = "queues", .type = OPT_U32, .offset = offsetof(opts, queues), .min = 1,             \
        .max = (most), .unit = MANUAL(of), .arg = "N", .dflt = MANUAL("one per vCPU"),             \
        .help = MANUAL(text), .example = MANUAL("queues 2"),                                       \
    }
#define VIRTIO_QSIZE_DEFAULT 256
#define VIRTIO_OPT_QSIZE(opts, least, most)                                                        \
    {                                                                                              \
        .name = "qsize", .type = OPT_U32, .offset = offsetof(opts, qsize), .min = (least),         \
        .max = (most), .unit = MANUAL("entries"), .arg = "N", .dflt = MANUAL("256"),               \
        .help = MANUAL("Entries of each queue at most: a power of two, or with `packed` any "      \
                       "number."),                                                                 \
        .example = MANUAL("qsize 128"),                                                            \
    }
#define VIRTIO_OPT_PACKED(opts)                                                                    \
    {                                                                                              \
        .name = "packed", .type = OPT_FLAG, .offset = offsetof(opts, packed),                      \
        .help = MANUAL("Offers packed rings to the driver."), .example = MANUAL("packed"),         \
    }
#define VIRTIO_OPT_LEGACY(opts)                                                                    \
    {                                                                                              \
        .name = "legacy", .type = OPT_FLAG, .offset = offsetof(opts, legacy),                      \
        .help = MANUAL("Registers and rings of virtio 0.9.5, for old kernels."),                   \
        .example = MANUAL("legacy"),                                                               \
    }

#define VIRTIO_COMPATIBLE "virtio,mmio"
extern const char virtio_compatible[sizeof(VIRTIO_COMPATIBLE)];
extern const struct vdev_prop virtio_props[];

/* In a type: its node, its registers, its interrupt. */
#define VIRTIO_MMIO_TYPE                                                                           \
    .node = "virtio_mmio", .compatible = virtio_compatible,                                        \
    .compatible_len = sizeof(virtio_compatible), .props = virtio_props, .mmio_size = 0x1000,       \
    .level = true

#endif

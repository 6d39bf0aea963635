/* SPDX-License-Identifier: MIT */
/*
 * virtio-blk as a config line: its options, what is wrong with them, its device-tree node. Knows
 * nothing of how the device works. No lock: data.
 */
#include "vdev/virtio/blk.h"

#include "core/config.h"
#include "core/log.h"
#include "vdev/disk.h"
#include "vdev/virtio/options.h"

static void blk_defaults(void *opts)
{
    ((struct blk_opts *)opts)->qsize = VIRTIO_QSIZE_DEFAULT;
}

/* What the disk is made of. */
static bool check_source(const struct vdev_conf *conf, struct diag *diag)
{
    const struct blk_opts *o = conf->opts;
    u64 size = o->hostdev.file.size;

    if ((o->hostdev.path.len > 0) == (o->ramdisk != 0)) {
        diag_error(diag, conf->place,
                   "virtio-blk needs one of `hostdev PATH`, a file of the bundle, and `ramdisk "
                   "SIZE`");
        return false;
    }
    if (o->hostdev.mark == '>') {
        diag_error(diag, o->hostdev.place, "virtio-blk: a disk can't be for writing only");
        return false;
    }
    if (size % BLK_SECTOR != 0) {
        diag_error(diag, o->hostdev.place,
                   "'%.*s' has %llu bytes, but a disk has whole sectors of 512: `truncate -s "
                   "%%512` makes them whole",
                   STR_ARG(o->hostdev.path), (unsigned long long)size);
        return false;
    }
    if (o->ramdisk % BLK_SECTOR != 0) {
        diag_error(diag, conf->place, "virtio-blk: `ramdisk` needs whole sectors of 512 bytes");
        return false;
    }
    return true;
}

/* What can be written. */
static bool check_writing(const struct vdev_conf *conf, struct diag *diag)
{
    const struct blk_opts *o = conf->opts;
    bool readonly = o->readonly || o->hostdev.mark == '<';

    if (readonly && o->ramdisk != 0) {
        diag_error(diag, conf->place, "virtio-blk: a `ramdisk` that is `readonly` has nothing");
        return false;
    }
    if (o->cow != 0 && (readonly || o->ramdisk != 0)) {
        diag_error(diag, conf->place,
                   "virtio-blk: `cow` is for a `hostdev` that can be written, without `<` and "
                   "`readonly`");
        return false;
    }
    return true;
}

static bool blk_check(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag)
{
    const struct blk_opts *o = conf->opts;
    bool ok = check_source(conf, diag) && check_writing(conf, diag);

    (void)vm;
    if (o->serial.len > BLK_SERIAL_LEN) {
        diag_error(diag, conf->place, "virtio-blk: `serial` has more than %d bytes",
                   BLK_SERIAL_LEN);
        ok = false;
    }
    return virtio_check_rings(conf, o->qsize, o->packed, o->legacy, diag) && ok;
}

#define FIELD(f) offsetof(struct blk_opts, f)

static const struct opt blk_options[] = {
    {
        .name = "hostdev",
        .type = OPT_FILE,
        .offset = FIELD(hostdev),
        .arg = "[<]PATH",
        .dflt = MANUAL("none, then `ramdisk` must be given"),
        .help = MANUAL("The file of the bundle that the disk begins as; it has whole sectors of "
                       "512 bytes. With `<` the guest can't write. Without, what it writes lands "
                       "in RAM, in front of the file, which stays as it is."),
        .example = MANUAL("hostdev <images/rootfs.squashfs"),
    },
    {
        .name = "ramdisk",
        .type = OPT_SIZE,
        .offset = FIELD(ramdisk),
        .min = BLK_SECTOR,
        .max = DISK_SIZE_MAX,
        .arg = "SIZE",
        .dflt = MANUAL("none"),
        .help = MANUAL("Instead of `hostdev`: a disk in RAM of so many bytes, zeroes at first."),
        .example = MANUAL("ramdisk 64M"),
    },
    {
        .name = "cow",
        .type = OPT_SIZE,
        .offset = FIELD(cow),
        .min = PAGE_SIZE,
        .max = DISK_SIZE_MAX,
        .arg = "SIZE",
        .dflt = MANUAL("as much as the file has"),
        .help = MANUAL(
            "RAM for what the guest writes to a `hostdev`, in pages of 4 KiB. If it's less than "
            "the file, writes to pages not written before fail with an I/O error once it's used "
            "up; what the guest discards can be used again."),
        .example = MANUAL("cow 32M"),
    },
    {
        .name = "readonly",
        .type = OPT_FLAG,
        .offset = FIELD(readonly),
        .help = MANUAL("The guest can't write; the same as `<` in front of the path."),
        .example = MANUAL("readonly"),
    },
    {
        .name = "serial",
        .type = OPT_STR,
        .offset = FIELD(serial),
        .arg = "STRING",
        .dflt = MANUAL("the device's `name`"),
        .help = MANUAL("The serial number that the guest sees, at most 20 bytes."),
        .example = MANUAL("serial root-0001"),
    },
    VIRTIO_OPT_QUEUES(struct blk_opts, BLK_QUEUES_MAX, "queues",
                      "Queues that the driver may use at the same time."),
    VIRTIO_OPT_QSIZE(struct blk_opts, BLK_QSIZE_MIN, BLK_QSIZE_MAX),
    VIRTIO_OPT_PACKED(struct blk_opts),
    VIRTIO_OPT_LEGACY(struct blk_opts),
    {.name = NULL},
};

const struct vdev_type virtio_blk_type = {
    .name = "virtio-blk",
    .help = MANUAL("A disk: virtio-blk over virtio-mmio. It's on a file of the bundle or in RAM; "
                   "what is written stays until Muntin stops, over restarts of the VM."),
    .opts = blk_options,
    .opts_size = sizeof(struct blk_opts),
    .defaults = blk_defaults,
    .check = blk_check,
    VIRTIO_MMIO_TYPE,
    .create = blk_create,
};

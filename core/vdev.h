/* SPDX-License-Identifier: MIT */
/*
 * The seam between core and emulated devices. core never includes a device; vdev/table.c lists the
 * types, core/main.c hands that list to whoever needs it.
 *
 * A type is data: its names, its options (parser, error messages and the reference manual all come
 * from the option table), what its device-tree node says, and one function that makes an instance.
 */
#ifndef CORE_VDEV_H
#define CORE_VDEV_H

#include "core/bundle.h"
#include "core/types.h"

struct vcpu;
struct vdev;
struct vm;
struct vm_config;
struct diag;

/* Kinds of option values, and the C type that the parser stores at `offset` in the options struct.
 */
enum opt_type {
    OPT_U32,    /* u32; min..max */
    OPT_U64,    /* u64; min..max */
    OPT_SIZE,   /* u64 with suffix K M G T; min..max */
    OPT_OCT,    /* u32, written in octal; min..max */
    OPT_BOOL,   /* bool; 1|0|yes|no|on|off|true|false|enable|disable */
    OPT_FLAG,   /* bool; the bare word sets it */
    OPT_STR,    /* struct str, not empty */
    OPT_MAC,    /* struct opt_mac */
    OPT_MACS,   /* struct opt_macs; repeatable */
    OPT_VLAN,   /* struct opt_vlan */
    OPT_ENUM,   /* u32: index into words */
    OPT_FILE,   /* struct opt_file */
    OPT_CUSTOM, /* parse() reads the argument itself; may be repeatable */
};

/* A text that only the manual prints: the host's tool has it, the hypervisor doesn't. */
#if __STDC_HOSTED__
#define MANUAL(text) text
#else
#define MANUAL(text) NULL
#endif

/* Place in a config file, for messages. file is an index into the bundle of parsed files. */
struct place {
    u16 file;
    u16 col;  /* 1-based, in bytes */
    u32 line; /* 1-based */
};

/* A file of the bundle: PATH, or <PATH where it is only read, or >PATH where it's only written. */
struct opt_file {
    struct str path; /* without the mark; empty: none is given */
    char mark;       /* '<', '>' or 0 */
    struct place place;
    struct bundle_file file; /* found by check_vm */
};

struct opt_mac {
    u8 b[6];
    bool set;
};

#define OPT_MACS_MAX 8
struct opt_macs { /* no two alike, none a group's or zero */
    u32 n;
    u8 mac[OPT_MACS_MAX][6];
};

#define VID_MAX 4094u /* VLANs are 1..VID_MAX */
enum vlan_mode { VLAN_NONE, VLAN_ACCESS, VLAN_TRUNK };
struct opt_vlan {
    u8 mode;           /* enum vlan_mode */
    u16 vid;           /* access: its VLAN; trunk: that of frames without tag, 0: none */
    const u64 *tagged; /* trunk: bit n % 64 of word n / 64: VLAN n; 64 words; never has vid */
};

struct opt {
    const char *name;
    enum opt_type type;
    u16 offset;               /* into the type's options struct */
    u64 min, max;             /* for the numeric kinds; max 0 means no bound but the type's */
    const char *const *words; /* OPT_ENUM, NULL-terminated */
    const char *arg;          /* how the manual shows the argument: "PATH", "HZ" … */
    const char *unit;         /* for the manual, as are the next: of a number: "bytes" */
    const char *range;        /* what may stand there; NULL: min..max, words, or the kind says it */
    const char *dflt;         /* how the manual shows the default */
    const char *help;         /* one sentence */
    const char *example;
    /* OPT_CUSTOM: parses `arg` into `opts`; false with *why set to a static sentence if it's wrong
     */
    bool (*parse)(void *opts, struct str arg, const char **why);
    bool ignored; /* accepted for compatibility, without effect; `check` lists it once */
};

/* One `vdev` line of a config, parsed. */
struct vdev_conf {
    const struct vdev_type *type;
    struct place place;
    struct str name; /* `name X`; empty if absent */
    u64 loc;         /* guest-physical base; filled by placement if absent */
    u32 intid;       /* GIC INTID (SPI + 32); 0: none; filled by placement if absent */
    bool has_loc, has_intr;
    struct place loc_place, intr_place;
    u64 window, window_size; /* more of its guest-physical addresses; size 0: none; see check_all */
    u64 given;               /* bit n: the type's option n stands in the config */
    void *opts;              /* type->opts_size bytes, defaults filled in by type->defaults */
};

/* Properties that a device adds to its node, beyond compatible, reg and interrupts. */
struct vdev_prop {
    const char *name;
    enum {
        PROP_EMPTY,
        PROP_U32,
        PROP_OPT_U32,   /* the u32 at `value` in the device's options */
        PROP_STR,       /* str: NUL-separated, `value` bytes long in all */
        PROP_CLOCKS,    /* str: their names, as above; the guest has but one clock */
        PROP_OWN_CLOCK, /* the same, but the first of them is the companion */
        PROP_GPIO, /* this device's line of the number at `value` in its options, active high */
    } kind;
    u32 value;
    const char *str;
};

/*
 * A second node that comes with a device's, at the root: the clock that it counts, what is wired to
 * its pins. Named after the device's address, as it has none of its own.
 */
struct vdev_companion {
    const char *node;
    const struct vdev_prop *props; /* each ends with name == NULL */
    const char *child;             /* a node within; NULL: none */
    const struct vdev_prop *child_props;
    bool (*wanted)(const void *opts); /* NULL: always */
};

struct vdev_type {
    const char *name;           /* as in the config: "virtio-net" */
    const char *const *aliases; /* other spellings, NULL-terminated; may be NULL */
    const char *help;           /* for the manual: what the device is */
    const struct opt *opts;     /* ends with name == NULL; loc, intr and name are common to all */
    size_t opts_size;
    void (*defaults)(void *opts); /* fills a zeroed options struct; may be NULL */
    /* Cross-checks one parsed instance; complains through diag. May be NULL. */
    bool (*check)(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag);

    /*
     * Cross-checks all VMs, once for all devices of the type; errors count into their VMs. Here,
     * and not before, a device may ask for addresses beside its registers: window_size, which core
     * then finds a place for, aligned to 2 MiB. After check of each. May be NULL.
     */
    void (*check_all)(struct vm_config *const *vm, u32 count, struct diag *diag);

    const char *node;       /* device-tree node name: "virtio_mmio", "pl011" */
    const char *compatible; /* NUL-separated strings, compatible_len bytes */
    u32 compatible_len;
    const struct vdev_prop *props;          /* ends with name == NULL; may be NULL */
    const struct vdev_companion *companion; /* may be NULL */
    u32 mmio_size;                          /* bytes of register window, a multiple of 4 KiB */
    bool level;                             /* interrupt is level-high (4), else edge-rising (1) */
    u64 default_loc;   /* where the first instance goes without `loc`; 0: virtio range */
    u32 default_intid; /* and its interrupt; 0: next free SPI */

    /*
     * Makes the instance while the VM is created; memory from page_alloc. Registers its windows
     * with mmio_add(&vm->mmio, …). NULL: out of memory or of windows, reported by the caller.
     */
    struct vdev *(*create)(struct vm *vm, const struct vdev_conf *conf);
};

enum vdev_button {
    BUTTON_NONE,    /* the device has no power button */
    BUTTON_UNHEARD, /* pressed, but the guest has its interrupt masked */
    BUTTON_PRESSED,
};

struct vdev_ops {
    /* Offset is relative to the window; offset + size is within it. Value zero-extended. */
    u64 (*read)(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size);
    void (*write)(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value);
    /* As at power-on; no vCPU of the VM runs, but peers' frames may arrive: own locks apply. */
    void (*reset)(struct vdev *d);
    /* A human-readable line or a few for `vm status`/`net show`, through print. May be NULL. */
    void (*show)(struct vdev *d, void (*print)(const char *fmt, ...));
    /* Presses the VM's power button and lets go of it again. Any CPU, no lock. May be NULL. */
    enum vdev_button (*press)(struct vdev *d);
};

/* First member of every device. */
struct vdev {
    const struct vdev_ops *ops;
    const struct vdev_conf *conf; /* NULL for devices that no config line made (the GIC) */
    struct vm *vm;
    struct vdev *next; /* list of the VM's devices, in config order */
    u32 intid;
};

/* Drives the device's interrupt line. Any CPU; takes LOCK_VGIC. */
void vdev_irq(struct vdev *d, bool level);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What can be said about the configs before any VM starts: places for what has none, overlaps,
 * images that don't fit, conflicts between VMs. Runs on the target at boot and in `muntin check`.
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "core/bundle.h"
#include "core/config.h"

/* What a load will do to guest memory, planned by image_plan. */
struct image_plan {
    u64 entry; /* guest-physical; of the first guest image */
    u64 dtb;   /* where the generated tree goes, and how much room it has */
    u64 dtb_size;
    u64 initrd, initrd_size; /* 0: none */
    u64 addr[CFG_LOADS];     /* where each load's bytes go (ELF: lowest address) */
    u64 mem_size[CFG_LOADS]; /* bytes it occupies there, .bss included */
    bool is64;               /* false: a 32-bit kernel */
    bool any_width;          /* nothing tells: what the CPU's EL1 runs, AArch64 if both */
};

/* Guest-physical sizes of the interrupt controller's frames, as QEMU's virt board has them. */
#define GICD_SIZE 0x10000u
#define GICC_SIZE 0x10000u
#define GICR_SIZE 0x20000u /* of each vCPU */

/* INTIDs that devices may have: SPIs of the virtual GIC. */
#define SPI_FIRST 32u
#define SPI_LAST  287u

/* A file that a config names, and where to note what was found. */
struct file_ref {
    struct str path;
    struct place place;
    struct bundle_file *file;
};

/*
 * The n-th file that the VM loads, or that one of its devices is made of (OPT_FILE); false: there
 * are no more.
 */
bool config_file(struct vm_config *vm, u32 n, struct file_ref *f) MUST_CHECK;

/*
 * One VM by itself: fills in absent bases of ram, vdevs' loc and intr (QEMU virt's layout, DESIGN
 * §6), finds each file in the bundle, and checks everything for overlap, range, alignment
 * and sense. gic_version: of the board (2 or 3). npcpus: physical CPUs, 0 if unknown (host tool).
 * Counts into vm->errors.
 */
void check_vm(struct vm_config *vm, const struct bundle *b, u32 gic_version, u32 npcpus,
              struct diag *diag);

/*
 * Conflicts between VMs (names, MACs, peers, switches): each VM that takes part in one gets an
 * error that names both lines, and is not started. After check_vm of all. NICs get the `storm` and
 * `isolate` of their switch. Then pins the vCPUs of what is left: cfg_cpu.pcpu, an index below
 * npcpus (0: unknown, as above).
 */
void check_all(struct vm_config *const *vm, u32 count, u32 npcpus, struct diag *diag);

/* How much room a guest's device tree gets while it's built: what Muntin writes, what users add. */
u32 image_tree_room(const struct vm_config *vm);

/*
 * Decides where images, initrd and tree go. Linux arm64 Image (text_offset, image_size), 32-bit
 * zImage, ELF64 and ELF32 (PT_LOAD), else raw bytes at ADDR. Errors name the numbers and the load's
 * line and count into vm->errors. Part of check_vm; called again to load, then only for VMs without
 * errors.
 */
bool image_plan(struct vm_config *vm, struct image_plan *plan, struct diag *diag) MUST_CHECK;

/* A type's option by its name, or NULL: how core reads what it knows by name only. */
const struct opt *opt_find(const struct vdev_type *type, const char *name);

/*
 * The MAC address of a device without `mac`: a hash of the VM's and the device's name (without
 * one: of its index among the VM's devices), locally administered (02:...), the same at each boot.
 */
void config_mac(struct str system, struct str name, u32 index, u8 mac[6]);

/* The MAC of a VM's device: as configured, else as above. False: its type has no `mac`. */
bool config_nic_mac(const struct vm_config *vm, const struct vdev_conf *conf, u8 mac[6]);

/* The addresses of its `static`; NULL: its type has no such option. */
const struct opt_macs *config_nic_statics(const struct vdev_conf *conf);

/* What `peer` (or `switch`) of a NIC means. */
enum nic_kind {
    NIC_ALONE,  /* neither is given, or the device is no NIC */
    NIC_SWITCH, /* a port of the switch `name` */
    NIC_LINK,   /* `peer /dev/qvm/SYSTEM/NAME`: a private link to that device of that VM */
};
struct nic_peer {
    enum nic_kind kind;
    struct str system, name;
};
struct nic_peer config_nic_peer(const struct vdev_conf *conf);

/* The description of the switch `name`, the first in bundle order; NULL: it has the defaults. */
const struct switch_conf *config_switch_find(struct vm_config *const *vm, u32 count,
                                             struct str name);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Memory that VMs share, as QNX's shmem vdev shows it to a guest: named regions, which a guest
 * attaches to by name through the device's factory page. This header is what the config part
 * (shmem_conf.c), the device (shmem.c) and tests know of each other.
 *
 * Who may reach which region, how large it is and where a VM will see it is settled before any VM
 * starts. What the guest decides at run time is when it's there: a region's data is in the VM's
 * stage 2 from attaching to detaching and at no other time, and always at the same place.
 */
#ifndef VDEV_SHMEM_H
#define VDEV_SHMEM_H

#include "core/types.h"
#include "core/vdev.h"

#define SHMEM_NAME    32u /* bytes of a name, the NUL included */
#define SHMEM_CLIENTS 16u /* of one region */
#define SHMEM_REGIONS 32u /* of one bundle, spare ones included */
#define SHMEM_SIZE    GIB /* of one region */

#define SHMEM_CREATES 16u
#define SHMEM_SUBSTS  4u
/* Guests choose the names that are compared: a few thousand steps for all patterns together. */
#define SHMEM_RULES   16u
#define SHMEM_PATTERN 31u

struct shmem_create {
    struct str name;
    u64 size; /* bytes, whole pages */
};

struct shmem_rule {
    struct str pattern;
    bool allow;
};

struct shmem_subst {
    struct str from, to;
};

struct shmem_opts {
    struct shmem_create create[SHMEM_CREATES];
    struct shmem_rule rule[SHMEM_RULES];
    struct shmem_subst subst[SHMEM_SUBSTS];
    u32 creates, rules, substs;
    u32 spares; /* regions that the guest may create by itself … */
    u64 spare_size;
    struct str unused_text; /* of options without effect */
};

/* A region, as all configs together say. */
struct shmem_plan_region {
    struct str name; /* empty: a spare one, whose name the guest of `conf` will choose */
    u64 size;
    struct place place;
    const struct vdev_conf *conf; /* the first that creates it */
};

/* Made by check_all, before any device; then fixed. */
struct shmem_plan {
    struct shmem_plan_region region[SHMEM_REGIONS];
    u32 count;
};
extern struct shmem_plan shmem_plan;

/* Whether allow and deny let this VM have the region `name`. */
bool shmem_allowed(const struct shmem_opts *o, struct str name);

/* Shell pattern: * ? [a-z] [!a-z] and \ before a character that means itself. */
bool shmem_glob(struct str pattern, struct str name);

/* A region's name: 1 to 31 visible characters of ASCII, but no '/'. */
bool shmem_name_ok(struct str name);

/* What region the guest means by `name`, into buf. False: it gets too long. */
bool shmem_translate(const struct shmem_opts *o, struct str name, char buf[SHMEM_NAME]);

/*
 * Where the device of `o` sees this region, as offsets into its window: the control page, then the
 * data. *end is where the regions before it end, and moves behind it. False: it never sees it.
 */
bool shmem_place(const struct shmem_opts *o, const struct shmem_plan_region *r, u64 *end,
                 u64 *control);

/* The create of struct vdev_type. */
struct vdev *shmem_create(struct vm *vm, const struct vdev_conf *conf);

/* Tests: there are no regions and no devices any more; no spare region has a name any more. */
void shmem_forget_all(void);
void shmem_forget_names(void);

extern const struct vdev_type shmem_type;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * VMs with shared memory, made from config text as at boot: parsed, checked together, devices
 * created. Stage 2 is a list of what is mapped, in which a mistake is a failed assertion.
 */
#ifndef TESTS_HOST_SHM_H
#define TESTS_HOST_SHM_H

#include "tests/host/driver.h"

#define SHM_VMS 20

/* Registers, as a driver knows them. */
enum {
    SHM_SIGNATURE = 0,
    SHM_SHMEM = 8,
    SHM_VECTOR = 16,
    SHM_STATUS = 20,
    SHM_SIZE = 24,
    SHM_NAME = 28,
    SHM_FIND = 60,
    SHM_CLIENTS = 0, /* of a control page */
    SHM_INDEX = 4,
    SHM_NOTIFY = 8,
    SHM_DETACH = 12,
};

/* All there is, from the beginning, with every message in said.h: begin, vm for each, go. False: a
 * device could not be made. */
void shm_begin(void);
struct guest *shm_vm(const char *name, const char *config);
bool shm_go(void);
void shm_end(void); /* frees the VMs */

/* The host address that the guest reaches at `addr`; 0: nothing is mapped there. */
u64 shm_mapped(const struct guest *g, u64 addr);
extern u32 shm_maps;      /* entries of the list, of all VMs */
extern bool shm_map_fail; /* the next mapping fails */

/* Where the factory page of the VM's device number `n` is. */
u64 shm_factory(const struct guest *g, u32 n);
void shm_name(struct guest *g, u64 factory, const char *name);
/* Writes name and size; the status. */
u32 shm_attach(struct guest *g, u64 factory, const char *name, u32 pages);

#endif

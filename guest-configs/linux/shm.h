/* SPDX-License-Identifier: MIT */
/* gtool under its other name: memory shared with other VMs. See shm.c. */
#ifndef SHM_H
#define SHM_H

/* As main(); stdout is line-buffered. */
int shm_main(int argc, char **argv);

#endif

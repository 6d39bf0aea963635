/* SPDX-License-Identifier: MIT */
/* <string.h> of the target, as far as lwIP and netsvc use it. On the host it is the C library's. */
#ifndef GUEST_CONFIGS_NETSVC_PORT_STRING_H
#define GUEST_CONFIGS_NETSVC_PORT_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
char *strchr(const char *s, int c);

#endif

/* SPDX-License-Identifier: MIT */
/* What lwIP asks of the compiler and the C library: it has neither but those of port/. */
#ifndef GUEST_CONFIGS_NETSVC_PORT_ARCH_CC_H
#define GUEST_CONFIGS_NETSVC_PORT_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H   1
#define LWIP_NO_CTYPE_H    1

#define X8_F  "x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "u"
#define S32_F "d"
#define X32_F "x"
#define SZT_F "lu"

void port_fail(const char *what) __attribute__((noreturn));
uint32_t port_random(void);
void *port_copy(void *to, const void *from, size_t len);

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) port_fail(x)
#define LWIP_RAND()             port_random()
#define MEMCPY(to, from, len)   port_copy(to, from, len)

#endif

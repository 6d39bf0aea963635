/* SPDX-License-Identifier: MIT */
/* Captures out of a console's log. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_PCAP_H
#define ARCH_HOST_TOOL_PCAP_H

#include "core/types.h"

/*
 * Finds all captures in the file `log` (NULL: standard input) and writes each as a pcap file, named
 * after `out` (NULL: after its NIC). Says what there was. False: none, or parts are missing; what
 * there is was written. Exits with a message if a file can't be read or written.
 */
bool pcap_extract(const char *log, const char *out);

#endif

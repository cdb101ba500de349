/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel itself refuses before any rule sees it: IPv4 packets whose source does not belong where they came in.
 * The rules count the same of IPv6, and of what opens a session; status adds both up. Reads, never writes.
 */
#ifndef SEKISHO_BOX_REVERSE_PATH_H
#define SEKISHO_BOX_REVERSE_PATH_H

#include <stdint.h>

/* A descriptor to read from later, in a sandbox too; -1 when the kernel does not tell. It speaks of the caller's namespace. */
int reverse_path_open(void);
/* Packets since the namespace was made; 0 when fd is -1. */
uint64_t reverse_path_refused(int fd);
/* The same from the text of /proc/net/netstat. */
uint64_t reverse_path_in(const char *text);

#endif

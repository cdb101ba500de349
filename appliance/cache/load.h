/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the program of the verdict cache into the kernel, with memory (BPF maps) of its own or that
 * of a former daemon. Each worker has its own copy, so what a worker writes is used for its own
 * packets only. Needs CAP_BPF or CAP_SYS_ADMIN, which can be dropped afterwards. Program and memory
 * exist as long as a process has a descriptor of them, or a rule uses the program.
 */
#ifndef SEKISHO_CACHE_LOAD_H
#define SEKISHO_CACHE_LOAD_H

#include <stdbool.h>

#include "appliance/base/err.h"
#include "appliance/wire/once.h"

/* Descriptors, owned: the program, and the memory that it uses. For lanes that name sessions there
 * are only handshakes; leases and templates are -1. */
struct cache {
	int program, leases, templates, handshakes;
};

/* The kernel's ids of a cache's memory, valid as long as the memory exists; 0: none. */
struct cache_memory {
	uint32_t leases, templates;
};

/*
 * `path`: the object file that clang made from program.c. `memory` NULL: for lanes that name
 * sessions. If *memory still exists and has the size of this program's, the program uses it, so
 * that leases outlive a daemon; *memory then names the memory in use. 0 or -errno; *err then says
 * what the kernel, or its lockdown, refused.
 */
int cache_load(const char *path, struct cache_memory *memory, struct cache *ret, struct err *err);
void cache_close(struct cache *c);
/* Maps all leases, templates or handshakes for reading and writing. NULL: no memory. The mapping
 * lasts as long as the process. */
struct once_lease *cache_leases(const struct cache *c);
struct once_template *cache_templates(const struct cache *c);
struct once_handshakes *cache_handshakes(const struct cache *c);

#endif

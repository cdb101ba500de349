/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the program of the verdict cache into the kernel, with new memory (BPF maps) or with that of
 * a former daemon. Each worker has its own program and memory, so what a worker writes is used for
 * its own packets only. Loading needs CAP_BPF or CAP_SYS_ADMIN, which can be dropped afterwards.
 * Program and memory exist as long as a process has a descriptor of them, or a rule uses the
 * program.
 */
#ifndef SEKISHO_CACHE_LOAD_H
#define SEKISHO_CACHE_LOAD_H

#include "appliance/base/err.h"
#include "appliance/wire/once.h"

/* Owned descriptors of the program and of the memory that it uses. The program for lanes whose
 * workers only name sessions has handshakes alone: leases and templates are -1. */
struct cache {
	int program, leases, templates, handshakes;
};

/* The kernel's ids of a cache's memory, valid as long as the memory exists; 0: none. */
struct cache_memory {
	uint32_t leases, templates;
};

/*
 * `path`: the object file that clang made from program.c. `memory` NULL: loads the program for
 * lanes whose workers only name sessions. If the memory with the ids in *memory still exists and
 * has the right size, the program uses it, so that leases outlive a daemon. On return *memory has
 * the ids of the memory in use. 0 or -errno; after a failure *err says what the kernel, or its
 * lockdown, refused.
 */
int cache_load(const char *path, struct cache_memory *memory, struct cache *ret, struct err *err);
void cache_close(struct cache *c);
/* These map all leases, templates or handshakes for reading and writing. NULL: there are none, or
 * they cannot be mapped. The mapping lasts as long as the process. */
struct once_lease *cache_leases(const struct cache *c);
struct once_template *cache_templates(const struct cache *c);
struct once_handshakes *cache_handshakes(const struct cache *c);

#endif

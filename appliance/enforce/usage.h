/* SPDX-License-Identifier: Apache-2.0 */
/* Which permits live sessions have. */
#ifndef SEKISHO_ENFORCE_USAGE_H
#define SEKISHO_ENFORCE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct generation_held;
struct image;
struct session;

/*
 * Which permits live sessions have: each permit of the generation in force, and permits of earlier
 * ones that were kept for their sessions. Other ids belong to sessions that were cut and are still
 * in the kernel's table; they do not count.
 */
struct kept_permit {
	uint32_t id;
	bool used;
};

struct usage {
	const struct generation_held *now; /* borrowed; NULL = none, after a start of this role */
	bool *used;			   /* per permit index of `now` */
	struct kept_permit *kept;	   /* sorted by id; both arrays are in the arena */
	size_t n_kept;
};

/* Marks no permit as in use. The kept permits are those of `now` or, if `now` is NULL, those in the
 * kernel's table `have`. False: memory is out. */
bool usage_begin(const struct generation_held *now, const struct image *have, struct arena *a, struct usage *ret);
/* For conntrack_dump, with the usage as context. */
void usage_restart(void *usage);
int usage_note(const struct session *s, void *usage);
bool usage_has(const struct usage *u, uint32_t id);

#endif

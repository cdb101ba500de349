/* SPDX-License-Identifier: Apache-2.0 */
/* When each permit, and each conduit, last let a new session in. Enforce role only; allocates outside of any packet's path. */
#ifndef SEKISHO_ENFORCE_MATCHED_H
#define SEKISHO_ENFORCE_MATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/kernel/image.h"

struct match {
	uint32_t permit;
	uint64_t packets; /* that its elements counted */
	uint64_t wall_ns; /* of the look that saw them counted; 0 = not since this role began */
};

/* A conduit of a policy that is in force no longer, by which sessions came in. */
struct used_conduit {
	char *name; /* owned */
	uint64_t wall_ns;
};

/* Start from zero bytes. */
struct matched {
	struct match *list; /* owned; sorted by permit */
	size_t n;
	bool looked;		   /* once at least */
	struct used_conduit *used; /* owned; sorted by name */
	size_t n_used;
};

struct generation_held;

/* A dump that was made at `wall_ns` while `g` was in force. Permits that are not of `g` and gone are forgotten. */
void matched_note(struct matched *m, const struct image *have, const struct generation_held *g, uint64_t wall_ns);
/* The rules `want` took the place of `have`: what is counted from now on is counted behind that. */
void matched_carry(struct matched *m, const struct image *have, const struct image *want);
uint64_t matched_last(const struct matched *m, uint32_t permit);
/* The same of each conduit of `g`, under this policy or one before that had one of its name. Owned by the caller; NULL when memory is out. */
uint64_t *matched_conduits(const struct matched *m, const struct generation_held *g);
/* `g` goes out of force: its permits may have no successor, its conduits may, and keep their moments by name. */
void matched_leave(struct matched *m, const struct generation_held *g);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that end soon. The warning starts at 90 % of the term: at the earliest one day, at the
 * latest five minutes before the end. A conduit counts as the same as long as its name and its end
 * are unchanged. Pure; times are seconds since 1970.
 */
#ifndef SEKISHO_CONTROL_ENDING_H
#define SEKISHO_CONTROL_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ir;

#define ENDING_MOST_S 86400u
#define ENDING_LEAST_S 300u

/* A conduit that has an end. */
struct ending {
	char *name; /* owned */
	uint64_t until, since;
	bool said; /* an event has warned of this end */
};

struct endings {
	struct ending *list; /* owned */
	size_t n;
};

/* The moment at which the warning starts. */
uint64_t ending_near(uint64_t since, uint64_t until);
/* Replaces the list by the conduits of `ir` that have an end, in the order of `ir`. A conduit that
 * was in the list before keeps its entry; any other counts as in force since `since`. False: there
 * is no memory, and nothing has changed. */
bool endings_take(struct endings *e, const struct ir *ir, uint64_t since);
/* Reads an earlier policy, which was in force from `since` on. Conduits of the list that this
 * policy has as well are at least that old. Returns the number of such conduits. */
size_t endings_older(struct endings *e, const struct ir *before, uint64_t since);
void endings_free(struct endings *e);

#endif

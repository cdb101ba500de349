/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that end soon: in the last tenth of the time between when they came into force and their end, but at most a day before it and at least five minutes.
 * A conduit is the same while its name and its end are, whatever else a later policy says of it. Pure; times are seconds since 1970.
 */
#ifndef SEKISHO_CONTROL_ENDING_H
#define SEKISHO_CONTROL_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ir/ir.h"

#define ENDING_MOST_S 86400u
#define ENDING_LEAST_S 300u

/* One that has an end. */
struct ending {
	char *name; /* owned */
	uint64_t until, since;
	bool said; /* there is a record */
};

struct endings {
	struct ending *list; /* owned */
	size_t n;
};

/* From when on it is near. */
uint64_t ending_near(uint64_t since, uint64_t until);
/* Those of `ir`, in its order: what is there already as it is, others since `since`. False: no memory, and all stays as it was. */
bool endings_take(struct endings *e, const struct ir *ir, uint64_t since);
/* An earlier policy that was in force since `since`: what it has, too, is as old. How many of them it has. */
size_t endings_older(struct endings *e, const struct ir *before, uint64_t since);
void endings_free(struct endings *e);

#endif

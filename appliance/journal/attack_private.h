/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by attack_sign.c, which finds the signs in a record, and attack.c, which counts them
 * and rings. */
#ifndef SEKISHO_JOURNAL_ATTACK_PRIVATE_H
#define SEKISHO_JOURNAL_ATTACK_PRIVATE_H

#include "appliance/journal/attack.h"

#define DAY_S 86400u

/* A sign in a record, before it is counted. */
struct sign {
	enum attack_cause cause;
	bool sum; /* the sign belongs to the alarm of a whole zone */
	bool grave;
	uint64_t key, zones, host, place;
	uint64_t count;
	const struct event *e;
	char from[ATTACK_END], to[ATTACK_END];
};

/* Maps 0, which means a free slot, to another value. */
static inline uint64_t not_zero(uint64_t h)
{
	return h != 0 ? h : 1;
}

uint64_t attack_mix(uint64_t h, const void *what, size_t n);
#define ATTACK_SIGNS 2u
/* Finds the signs in one record, and returns their number. Also learns which services a
 * host uses. */
size_t attack_signs(struct attacks *a, const struct event *e, const struct named *n, uint64_t now,
		    struct sign ret[ATTACK_SIGNS]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the detector share: attack_sign.c says what a record is a sign of, attack.c counts and rings. */
#ifndef SEKISHO_JOURNAL_ATTACK_PRIVATE_H
#define SEKISHO_JOURNAL_ATTACK_PRIVATE_H

#include "appliance/journal/attack.h"

#define DAY_S 86400u

/* What a record is a sign of, before anything is counted. */
struct sign {
	enum attack_cause cause;
	bool sum; /* of a whole zone */
	bool grave;
	uint64_t key, zones, host, place;
	uint64_t count;
	const struct event *e;
	char from[ATTACK_END], to[ATTACK_END];
};

/* 0 is a free place. */
static inline uint64_t not_zero(uint64_t h)
{
	return h != 0 ? h : 1;
}

uint64_t attack_mix(uint64_t h, const void *what, size_t n);
#define ATTACK_SIGNS 2u
/* Of one record; how many there are. What a host asked is learnt by that. */
size_t attack_signs(struct attacks *a, const struct event *e, const struct named *n, uint64_t now,
		    struct sign ret[ATTACK_SIGNS]);

#endif

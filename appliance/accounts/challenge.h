/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges, which a security key signs so that what it signed is good once and now. Nothing is kept of one that is given out, so strangers who ask
 * for them take nobody's place: a challenge says itself when it was made, and carries a proof, by a secret of this life of the role, that it was made
 * here and for which address. Kept is what was used, until it is too old anyway; only who knows a pass phrase uses one. Time is given.
 */
#ifndef SEKISHO_ACCOUNTS_CHALLENGE_H
#define SEKISHO_ACCOUNTS_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/webauthn.h"

#define CHALLENGE_USED 1024u /* more than one child can hash pass phrases for in that time */
#define CHALLENGE_SECRET 32u

struct challenges {
	uint8_t secret[CHALLENGE_SECRET];
	struct {
		uint8_t challenge[WEBAUTHN_CHALLENGE];
		uint64_t until; /* s; 0 = the place is free */
	} used[CHALLENGE_USED];
};

/* Both false without randomness. */
bool challenge_begin(struct challenges *c);
bool challenge_make(const struct challenges *c, const struct addr *from, uint64_t now_ns,
		    uint8_t ret[WEBAUTHN_CHALLENGE]);
/* Whether it is ours, for this address, young enough and not used yet; from now on it is. False also when so many were used just now that no place is left. */
bool challenge_use(struct challenges *c, const struct addr *from, uint64_t now_ns,
		   const uint8_t challenge[WEBAUTHN_CHALLENGE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges for security keys, which make each signature valid only once and only now. Challenges
 * that were handed out are not stored, so strangers cannot use up any room with requests: a
 * challenge contains its time and an authentication code over its time and the client's address.
 * The code is made with a secret of this run of the role. Only used challenges are stored, until
 * they are too old; only a person who knows a passphrase can use one. Time is a parameter.
 */
#ifndef SEKISHO_ACCOUNTS_CHALLENGES_H
#define SEKISHO_ACCOUNTS_CHALLENGES_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/webauthn.h"

struct addr;

/* used challenges that are stored: more than the passphrases that the child can hash before a
 * challenge is too old */
#define CHALLENGE_USED 1024u
#define CHALLENGE_SECRET 32u

struct challenges {
	uint8_t secret[CHALLENGE_SECRET];
	struct {
		uint8_t challenge[WEBAUTHN_CHALLENGE];
		uint64_t until; /* seconds; 0 = the entry is free */
	} used[CHALLENGE_USED];
};

/* Both functions return false if there is no randomness. */
bool challenge_begin(struct challenges *c);
bool challenge_make(const struct challenges *c, const struct addr *from, uint64_t now_ns,
		    uint8_t ret[WEBAUTHN_CHALLENGE]);
/* Whether the challenge is ours, for this address, recent and unused. If so, it counts as used from
 * now on. False also when too many were used recently. */
bool challenge_use(struct challenges *c, const struct addr *from, uint64_t now_ns,
		   const uint8_t challenge[WEBAUTHN_CHALLENGE]);

#endif

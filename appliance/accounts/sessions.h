/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of the web pages, in memory only: a restart of the role ends them all. A session is
 * identified by the digest of 256 random bits and bound to the address that it was opened from. It
 * ends 15 minutes after its last use, and at the latest 8 hours after its beginning. A person has
 * at most SESSIONS_EACH; beyond that the oldest one ends. Times are monotonic and parameters.
 */
#ifndef SEKISHO_ACCOUNTS_SESSIONS_H
#define SEKISHO_ACCOUNTS_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/addr.h"

#define SESSIONS_EACH 4u
#define SESSIONS_MOST (ACCOUNTS_MOST * SESSIONS_EACH)
#define SESSION_IDLE_NS (15ull * 60 * 1000000000)
#define SESSION_LIMIT_NS (8ull * 3600 * 1000000000)

struct session {
	char name[ACCOUNT_NAME + 1]; /* name of the account; "" = the entry is free */
	/* number by which people name it; not used twice until the role ends */
	uint32_t number;
	uint8_t digest[DIGEST_BYTES];
	struct addr from;
	uint64_t begun, used; /* ns */
	uint64_t since;	      /* wall seconds, for people */
	bool pinned;	      /* it was opened with this certificate, and is only valid with it */
	uint8_t pin[DIGEST_BYTES];
	/* the typed passphrase is a leaked one: the session can only choose another passphrase */
	bool leaked;
};

struct sessions {
	uint32_t last;
	struct session all[SESSIONS_MOST];
};

/* Begins a session and returns its secret. NULL without randomness. */
struct session *sessions_begin(struct sessions *s, const char *name, const struct addr *from, uint64_t now,
			       uint64_t wall_s, uint8_t ret_secret[SECRET_BYTES]);
/* The live session with this secret, whatever its address; NULL when there is none. Does not count
 * as use. */
struct session *sessions_find(struct sessions *s, const uint8_t secret[SECRET_BYTES], uint64_t now);
bool session_alive(const struct session *x, uint64_t now);
void session_end(struct session *x);
/* The number of live sessions of an account; of all accounts when `name` is NULL. */
size_t sessions_count(const struct sessions *s, const char *name, uint64_t now);
/* Ends all sessions of an account; returns how many were live. */
size_t sessions_end_of(struct sessions *s, const char *name, uint64_t now);
/* Ends all sessions of an account except `own` (NULL = really all). */
void sessions_end_others(struct sessions *s, const char *name, const struct session *own, uint64_t now);

#endif

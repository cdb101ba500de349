/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of the web pages: in memory alone, so a start of the role ends them all. Each is known by the digest of 256 random bits; it is
 * bound to the address that it was opened from, ends 15 minutes after its last use and 8 hours after its beginning whatever is done, and a
 * person has at most SESSIONS_EACH, of which the oldest gives way. Monotonic time is given.
 */
#ifndef SEKISHO_ACCOUNTS_SESSIONS_H
#define SEKISHO_ACCOUNTS_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/book.h"
#include "appliance/base/addr.h"

#define SESSIONS_EACH 4u
#define SESSIONS_MOST (ACCOUNTS_MOST * SESSIONS_EACH)
#define SESSION_IDLE_NS (15ull * 60 * 1000000000)
#define SESSION_LIMIT_NS (8ull * 3600 * 1000000000)

struct session {
	char name[ACCOUNT_NAME + 1]; /* of the account; "" = free */
	uint32_t number;	     /* by which people name it; never given twice in a life of the role */
	uint8_t digest[DIGEST_BYTES];
	struct addr from;
	uint64_t begun, used; /* ns */
	uint64_t since;	      /* wall seconds, for people */
	bool pinned;	      /* it was opened by this certificate, and is nobody's without it */
	uint8_t pin[DIGEST_BYTES];
	bool leaked; /* the pass phrase that was typed is a leaked one: it opens nothing but the choice of another */
};

struct sessions {
	uint32_t last;
	struct session all[SESSIONS_MOST];
};

/* A new one and its secret. NULL without randomness. */
struct session *sessions_begin(struct sessions *s, const char *name, const struct addr *from, uint64_t now,
			       uint64_t wall_s, uint8_t ret_secret[SECRET_BYTES]);
/* The live one of this secret, whatever address; NULL when there is none. Does not count as use. */
struct session *sessions_find(struct sessions *s, const uint8_t secret[SECRET_BYTES], uint64_t now);
bool session_alive(const struct session *x, uint64_t now);
void session_end(struct session *x);
/* How many live ones there are of an account, of all when `name` is NULL. */
size_t sessions_count(const struct sessions *s, const char *name, uint64_t now);
/* Ends all of an account; returns how many lived. */
size_t sessions_end_of(struct sessions *s, const char *name, uint64_t now);
/* All of them but his `own`, NULL = all. */
void sessions_end_others(struct sessions *s, const char *name, const struct session *own, uint64_t now);

#endif

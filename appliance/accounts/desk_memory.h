/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk remembers besides the book. desk_memory.c keeps it. */
#ifndef SEKISHO_ACCOUNTS_DESK_MEMORY_H
#define SEKISHO_ACCOUNTS_DESK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/book.h"
#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/addr.h"
#include "appliance/wire/webauthn.h"


/*
 * Sessions of the web pages, in memory only: a restart of the role ends them all. A session is
 * identified by the digest of 256 random bits and bound to the address that it was opened from. It
 * ends 15 minutes after its last use, and at the latest 8 hours after its beginning. A person has
 * at most SESSIONS_EACH; beyond that the oldest one ends. Times are monotonic and parameters.
 */

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

/*
 * Challenges for security keys, which make each signature valid only once and only now. Challenges
 * that were handed out are not stored, so strangers cannot use up any room with requests: a
 * challenge contains its time and an authentication code over its time and the client's address.
 * The code is made with a secret of this run of the role. Only used challenges are stored, until
 * they are too old; only a person who knows a passphrase can use one. Time is a parameter.
 */

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

/*
 * Failed logins: five within 15 minutes lock a name for 15 minutes, but only for the address that
 * they came from (for IPv6, its /64). So strangers cannot lock anybody out, and the console does
 * not use this at all. Names without an account are counted in the same way, so neither the time
 * nor the text of an answer shows which accounts exist. Memory is fixed: when all entries are in
 * use, the least important one is replaced. Time is a parameter.
 */

#define LOCKOUT_FAILURES 5u
#define LOCKOUT_WINDOW_NS (15ull * 60 * 1000000000)
#define LOCKOUT_NS (15ull * 60 * 1000000000)
#define LOCKOUT_PLACES 1024u

struct lockout_entry {
	uint8_t key[16]; /* digest of name and network */
	bool taken;
	uint32_t n;			   /* number of entries in `failed`, the oldest first */
	uint64_t failed[LOCKOUT_FAILURES]; /* ns */
	uint64_t until;			   /* ns: end of the lock; 0 = it is not locked */
	uint64_t refused;		   /* logins while it was locked */
};

struct lockout {
	struct lockout_entry all[LOCKOUT_PLACES];
};

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* Counts a failed login. True when it locks the name. */
bool lockout_failed(struct lockout *l, const char *name, const struct addr *from, uint64_t now);
/* Takes the last failure back: that login could not be judged, or was no guess. */
void lockout_take_back(struct lockout *l, const char *name, const struct addr *from);
/* Counts a login while the name is locked. True for the first one and then for each hundredth,
 * which have to be recorded. */
bool lockout_refused(struct lockout *l, const char *name, const struct addr *from, uint64_t *ret_count);
void lockout_forget(struct lockout *l, const char *name, const struct addr *from);
size_t lockout_count(const struct lockout *l, uint64_t now); /* the number of locked names */

#endif

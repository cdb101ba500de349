/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk has in memory alone, so that a start of the role forgets it: sessions, failed
 * logins, and used challenges. */
#include <stdio.h>
#include <string.h>

#include "appliance/accounts/challenges.h"
#include "appliance/accounts/lockout.h"
#include "appliance/accounts/secret.h"
#include "appliance/accounts/sessions.h"
#include "appliance/base/bytes.h"
#include "appliance/base/sha256.h"

/* ---- sessions -------------------------------------------------------------------------------- */

bool session_alive(const struct session *x, uint64_t now)
{
	return x->name[0] != 0 && now - x->used < SESSION_IDLE_NS && now - x->begun < SESSION_LIMIT_NS;
}

void session_end(struct session *x)
{
	explicit_bzero(x, sizeof(*x));
}

size_t sessions_count(const struct sessions *s, const char *name, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < SESSIONS_MOST; i++)
		n += session_alive(&s->all[i], now) && (name == NULL || strcmp(s->all[i].name, name) == 0);
	return n;
}

/* An entry without a live session. If there is none, or the account has SESSIONS_EACH sessions: the
 * account's oldest session; NULL = it has none. */
static struct session *session_place(struct sessions *s, const char *name, uint64_t now)
{
	struct session *oldest = NULL, *free = NULL;
	size_t own = 0;

	for (struct session *x = s->all; x < s->all + SESSIONS_MOST; x++) {
		if (!session_alive(x, now)) {
			free = x;
		} else if (strcmp(x->name, name) == 0) {
			own++;
			if (oldest == NULL || x->begun < oldest->begun)
				oldest = x;
		}
	}
	return own >= SESSIONS_EACH || free == NULL ? oldest : free;
}

struct session *sessions_begin(struct sessions *s, const char *name, const struct addr *from, uint64_t now,
			       uint64_t wall_s, uint8_t ret_secret[SECRET_BYTES])
{
	struct session *x = session_place(s, name, now);

	if (x == NULL || !secret_make(ret_secret, SECRET_BYTES))
		return NULL;
	session_end(x);
	snprintf(x->name, sizeof(x->name), "%s", name);
	x->number = ++s->last;
	sha256(ret_secret, SECRET_BYTES, x->digest);
	x->from = *from;
	x->begun = x->used = now;
	x->since = wall_s;
	return x;
}

struct session *sessions_find(struct sessions *s, const uint8_t secret[SECRET_BYTES], uint64_t now)
{
	struct session *found = NULL;
	uint8_t digest[DIGEST_BYTES];

	sha256(secret, SECRET_BYTES, digest);
	for (size_t i = 0; i < SESSIONS_MOST; i++)
		if (session_alive(&s->all[i], now) && secret_same(s->all[i].digest, digest, DIGEST_BYTES))
			found = &s->all[i];
	return found;
}

size_t sessions_end_of(struct sessions *s, const char *name, uint64_t now)
{
	size_t n = sessions_count(s, name, now);

	for (size_t i = 0; i < SESSIONS_MOST; i++)
		if (strcmp(s->all[i].name, name) == 0)
			session_end(&s->all[i]);
	return n;
}

void sessions_end_others(struct sessions *s, const char *name, const struct session *own, uint64_t now)
{
	for (size_t i = 0; i < SESSIONS_MOST; i++)
		if (&s->all[i] != own && session_alive(&s->all[i], now) && strcmp(s->all[i].name, name) == 0)
			session_end(&s->all[i]);
}

/* ---- failed logins --------------------------------------------------------------------------- */

static void name_digest(const char *name, uint8_t ret[16])
{
	uint8_t digest[DIGEST_BYTES];

	sha256(name, strlen(name), digest);
	memcpy(ret, digest, 16);
}

static bool same_network(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, a->family == 6 ? 8 : sizeof(a->b)) == 0;
}

static struct lockout_entry *lockout_find(struct lockout *l, const char *name, const struct addr *from)
{
	uint8_t digest[16];

	name_digest(name, digest);
	for (struct lockout_entry *x = l->all; x < l->all + LOCKOUT_PLACES; x++)
		if (x->taken && memcmp(x->name, digest, sizeof(digest)) == 0 && same_network(&x->from, from))
			return x;
	return NULL;
}

/* The time at which the entry no longer matters. */
static uint64_t over(const struct lockout_entry *x)
{
	uint64_t window = x->n > 0 ? x->failed[x->n - 1] + LOCKOUT_WINDOW_NS : 0;

	return !x->taken ? 0 : x->until > window ? x->until : window;
}

/* An active lock matters more than any number of failures. */
static bool matters_less(const struct lockout_entry *a, const struct lockout_entry *b, uint64_t now)
{
	bool locks = a->taken && now < a->until, other = b->taken && now < b->until;

	return locks != other ? other : over(a) < over(b);
}

static struct lockout_entry *find_or_make(struct lockout *l, const char *name, const struct addr *from, uint64_t now)
{
	struct lockout_entry *x = lockout_find(l, name, from);

	if (x != NULL)
		return x;
	x = &l->all[0];
	for (size_t i = 1; i < LOCKOUT_PLACES; i++)
		if (matters_less(&l->all[i], x, now))
			x = &l->all[i];
	*x = (struct lockout_entry){ .taken = true, .from = *from };
	name_digest(name, x->name);
	return x;
}

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now)
{
	struct lockout_entry *x = lockout_find(l, name, from);

	return x != NULL && now < x->until;
}

bool lockout_failed(struct lockout *l, const char *name, const struct addr *from, uint64_t now)
{
	struct lockout_entry *x = find_or_make(l, name, from, now);

	if (now < x->until)
		return false;
	x->until = 0; /* the lock is over; lockout_take_back reads this field */
	while (x->n > 0 && (x->n == LOCKOUT_FAILURES || now - x->failed[0] >= LOCKOUT_WINDOW_NS))
		memmove(x->failed, x->failed + 1, --x->n * sizeof(x->failed[0]));
	x->failed[x->n++] = now;
	if (x->n < LOCKOUT_FAILURES)
		return false;
	x->n = 0;
	x->until = now + LOCKOUT_NS;
	x->refused = 0;
	return true;
}

void lockout_take_back(struct lockout *l, const char *name, const struct addr *from)
{
	struct lockout_entry *x = lockout_find(l, name, from);

	if (x == NULL)
		return;
	/* The failures that led to the lock are still stored; only their count was cleared. */
	if (x->until != 0)
		x->n = LOCKOUT_FAILURES;
	x->until = 0;
	x->n -= x->n > 0;
}

bool lockout_refused(struct lockout *l, const char *name, const struct addr *from, uint64_t *ret_count)
{
	struct lockout_entry *x = lockout_find(l, name, from);

	if (x == NULL)
		return false;
	x->refused++;
	*ret_count = x->refused == 1 ? 1 : 100;
	return x->refused == 1 || x->refused % 100 == 1;
}

void lockout_forget(struct lockout *l, const char *name, const struct addr *from)
{
	struct lockout_entry *x = lockout_find(l, name, from);

	if (x != NULL)
		*x = (struct lockout_entry){ 0 };
}

const struct lockout_entry *lockout_next(const struct lockout *l, const char *name, uint64_t now,
					 const struct lockout_entry *behind)
{
	uint8_t digest[16];

	name_digest(name, digest);
	for (const struct lockout_entry *x = behind != NULL ? behind + 1 : l->all; x < l->all + LOCKOUT_PLACES; x++)
		if (x->taken && now < x->until && memcmp(x->name, digest, sizeof(digest)) == 0)
			return x;
	return NULL;
}

size_t lockout_lift(struct lockout *l, const char *name, uint64_t now)
{
	size_t all = lockout_count(l, now);
	uint8_t digest[16];

	name_digest(name, digest);
	for (size_t i = 0; i < LOCKOUT_PLACES; i++)
		if (l->all[i].taken && memcmp(l->all[i].name, digest, sizeof(digest)) == 0)
			l->all[i] = (struct lockout_entry){ 0 };
	return all - lockout_count(l, now);
}

size_t lockout_count(const struct lockout *l, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < LOCKOUT_PLACES; i++)
		n += l->all[i].taken && now < l->all[i].until;
	return n;
}

/* ---- challenges ------------------------------------------------------------------------------ */

#define NONCE 8u
#define HEAD 16u /* the nonce, then the second in which it was made */
#define PROOF (WEBAUTHN_CHALLENGE - HEAD)
#define S_NS 1000000000u

bool challenge_begin(struct challenges *c)
{
	memset(c, 0, sizeof(*c));
	return secret_make(c->secret, sizeof(c->secret));
}

/* Hashes the secret and then a text of fixed length. So nobody can make a proof for a longer text
 * out of this one (length extension). */
static void prove(const struct challenges *c, const struct addr *from, const uint8_t head[HEAD], uint8_t proof[PROOF])
{
	uint8_t text[HEAD + 1 + sizeof(from->b)] = { 0 }, digest[32];

	memcpy(text, head, HEAD);
	text[HEAD] = from->family;
	memcpy(text + HEAD + 1, from->b, addr_len(from->family));
	sha256_pair(c->secret, sizeof(c->secret), text, sizeof(text), digest);
	memcpy(proof, digest, PROOF);
}

bool challenge_make(const struct challenges *c, const struct addr *from, uint64_t now_ns,
		    uint8_t ret[WEBAUTHN_CHALLENGE])
{
	struct outbuf second = outbuf_of(ret + NONCE, HEAD - NONCE);

	if (!secret_make(ret, NONCE))
		return false;
	out_be64(&second, now_ns / S_NS);
	prove(c, from, ret, ret + HEAD);
	return true;
}

bool challenge_use(struct challenges *c, const struct addr *from, uint64_t now_ns,
		   const uint8_t challenge[WEBAUTHN_CHALLENGE])
{
	struct bytes second = bytes_of(challenge + NONCE, HEAD - NONCE);
	uint64_t made, now = now_ns / S_NS;
	size_t place = CHALLENGE_USED;
	uint8_t proof[PROOF];

	prove(c, from, challenge, proof);
	if (!secret_same(proof, challenge + HEAD, PROOF) || !bytes_be64(&second, &made) || now < made ||
	    now - made >= WEBAUTHN_CHALLENGE_S)
		return false;
	for (size_t i = 0; i < CHALLENGE_USED; i++) {
		if (c->used[i].until <= now)
			place = i;
		else if (memcmp(c->used[i].challenge, challenge, WEBAUTHN_CHALLENGE) == 0)
			return false;
	}
	if (place == CHALLENGE_USED)
		return false;
	memcpy(c->used[place].challenge, challenge, WEBAUTHN_CHALLENGE);
	c->used[place].until = made + WEBAUTHN_CHALLENGE_S;
	return true;
}

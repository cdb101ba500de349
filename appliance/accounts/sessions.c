/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/sessions.h"

#include <stdio.h>
#include <string.h>

#include "appliance/accounts/secret.h"
#include "appliance/base/sha256.h"

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

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/desk.h"

#include <string.h>

#include "appliance/base/sha256.h"

static void key_of(const char *name, const struct addr *from, uint8_t key[16])
{
	uint8_t digest[32];
	struct addr network = *from;

	if (network.family == 6)
		memset(network.b + 8, 0, 8);
	sha256_pair(&network, sizeof(network), name, strlen(name), digest);
	memcpy(key, digest, 16);
}

static struct lockout_entry *find(struct lockout *l, const char *name, const struct addr *from)
{
	uint8_t key[16];

	key_of(name, from, key);
	for (size_t i = 0; i < LOCKOUT_PLACES; i++)
		if (l->all[i].taken && memcmp(l->all[i].key, key, sizeof(key)) == 0)
			return &l->all[i];
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
	struct lockout_entry *x = find(l, name, from);

	if (x != NULL)
		return x;
	x = &l->all[0];
	for (size_t i = 1; i < LOCKOUT_PLACES; i++)
		if (matters_less(&l->all[i], x, now))
			x = &l->all[i];
	*x = (struct lockout_entry){ .taken = true };
	key_of(name, from, x->key);
	return x;
}

bool lockout_locked(struct lockout *l, const char *name, const struct addr *from, uint64_t now)
{
	struct lockout_entry *x = find(l, name, from);

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
	struct lockout_entry *x = find(l, name, from);

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
	struct lockout_entry *x = find(l, name, from);

	if (x == NULL)
		return false;
	x->refused++;
	*ret_count = x->refused == 1 ? 1 : 100;
	return x->refused == 1 || x->refused % 100 == 1;
}

void lockout_forget(struct lockout *l, const char *name, const struct addr *from)
{
	struct lockout_entry *x = find(l, name, from);

	if (x != NULL)
		*x = (struct lockout_entry){ 0 };
}

size_t lockout_count(const struct lockout *l, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < LOCKOUT_PLACES; i++)
		n += l->all[i].taken && now < l->all[i].until;
	return n;
}

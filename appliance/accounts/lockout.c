/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/lockout.h"

#include <string.h>

#include "appliance/accounts/secret.h"
#include "appliance/base/sha256.h"

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

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/weak.h"

#include <string.h>

/* Where it stands; n = nowhere. *ret_of_conduit: how many servers its conduit has. */
static size_t find(const struct weak_list *l, const struct weak_server *s, size_t *ret_of_conduit)
{
	size_t at = l->n;

	*ret_of_conduit = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct weak_server *o = &l->list[i];
		bool rest = s->address.family == 0, same_conduit = strcmp(o->conduit, s->conduit) == 0;

		*ret_of_conduit += same_conduit && o->address.family != 0;
		if (at == l->n && addr_cmp(&o->address, &s->address) == 0 && (rest ? same_conduit : o->port == s->port))
			at = i;
	}
	return at;
}

static void add(struct weak_list *l, struct weak_server *o, const struct weak_server *s)
{
	if ((s->bits & ~o->bits) != 0)
		l->changed = true;
	l->stale = true;
	o->bits |= s->bits;
	o->sessions = s->sessions < WEAK_SESSIONS - o->sessions ? o->sessions + s->sessions : WEAK_SESSIONS;
	if (s->last > o->last)
		o->last = s->last;
	memcpy(o->conduit, s->conduit, sizeof(o->conduit));
}

void weak_see(struct weak_list *l, const struct weak_server *s)
{
	struct weak_server of = *s;
	size_t of_conduit, at = find(l, &of, &of_conduit);

	if (at == l->n && of.address.family != 0 && (l->n == WEAK_SERVERS || of_conduit >= WEAK_BY_CONDUIT)) {
		of.address = (struct addr){ 0 };
		of.port = 0;
		of.bits = 0;
		at = find(l, &of, &of_conduit);
	}
	if (at < l->n) {
		add(l, &l->list[at], &of);
	} else if (l->n < WEAK_SERVERS) {
		of.reviewed = 0;
		of.reviewed_bits = 0;
		l->list[l->n++] = of;
		l->changed = true;
	} else {
		l->beyond = of.sessions < WEAK_SESSIONS - l->beyond ? l->beyond + of.sessions : WEAK_SESSIONS;
		l->beyond_last = of.last > l->beyond_last ? of.last : l->beyond_last;
		l->stale = true;
	}
}

void weak_review(struct weak_list *l, uint64_t since, uint64_t until, uint64_t now)
{
	for (size_t i = 0; i < l->n; i++) {
		struct weak_server *s = &l->list[i];

		if (since > s->last || until <= s->first)
			continue;
		s->reviewed = now;
		s->reviewed_bits = s->bits;
		l->changed = true;
	}
	if (l->beyond > 0 && l->beyond_last < until) {
		l->beyond = l->beyond_last = 0;
		l->changed = true;
	}
	l->changed = l->changed || l->damaged;
	l->damaged = false;
}

static bool is_over(uint64_t last, uint64_t now)
{
	return now > last && now - last >= WEAK_OVER_S;
}

bool weak_settled(struct weak_steady *s, struct mono now, uint64_t wall_ns)
{
	if (clock_was_set(&s->pair, now, wall_ns) || s->since_ns == 0)
		s->since_ns = now.ns;
	return now.ns - s->since_ns >= WEAK_SETTLED_NS;
}

/* Down to `most` where it is yet to come. */
static void hold_to(struct weak_list *l, uint64_t *t, uint64_t most)
{
	if (*t <= most)
		return;
	*t = most;
	l->changed = true;
}

void weak_tidy(struct weak_list *l, uint64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		hold_to(l, &l->list[i].first, now);
		hold_to(l, &l->list[i].last, now);
		hold_to(l, &l->list[i].reviewed, now);
	}
	hold_to(l, &l->beyond_last, now);
	for (size_t i = 0; i < l->n; i++)
		if (!is_over(l->list[i].last, now))
			l->list[n++] = l->list[i];
	l->changed = l->changed || n < l->n;
	memset(&l->list[n], 0, (l->n - n) * sizeof(l->list[0]));
	l->n = n;
	if (l->beyond > 0 && is_over(l->beyond_last, now)) {
		l->beyond = l->beyond_last = 0;
		l->changed = true;
	}
}

bool weak_is_alarm(const struct weak_server *s, uint64_t now)
{
	if (is_over(s->last, now))
		return false;
	return s->reviewed == 0 || (s->bits & ~s->reviewed_bits) != 0 ||
	       (now > s->reviewed && now - s->reviewed >= WEAK_KNOWN_S);
}

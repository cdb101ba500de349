/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/weak.h"

#include <string.h>

#include "appliance/base/columns.h"

/* The index of the server; l->n = it is not in the list. *ret_of_conduit: how many servers of its
 * conduit are in the list. */
static size_t server_find(const struct weak_list *l, const struct weak_server *s, size_t *ret_of_conduit)
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

static void add_bits(struct weak_list *l, struct weak_server *o, const struct weak_server *s)
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
	size_t of_conduit, at = server_find(l, &of, &of_conduit);

	if (at == l->n && of.address.family != 0 && (l->n == WEAK_SERVERS || of_conduit >= WEAK_BY_CONDUIT)) {
		of.address = (struct addr){ 0 };
		of.port = 0;
		of.bits = 0;
		at = server_find(l, &of, &of_conduit);
	}
	if (at < l->n) {
		add_bits(l, &l->list[at], &of);
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

/* Lowers a time to at most `most`. */
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

/* The list of servers with weak TLS on the disk. */

#define FORM 1

#define ROW(name, member, kind, most) COLUMN(name, struct weak_server, member, COLUMN_##kind, 0, most)
static const struct column server_table[] = { ROW("address", address, ADDR, 0),
					      ROW("port", port, NUMBER, UINT16_MAX),
					      ROW("weak", bits, NUMBER, UINT32_MAX),
					      ROW("conduit", conduit, TEXT, 0),
					      ROW("first", first, NUMBER, INT64_MAX),
					      ROW("last", last, NUMBER, INT64_MAX),
					      ROW("sessions", sessions, NUMBER, WEAK_SESSIONS),
					      ROW("reviewed", reviewed, NUMBER, INT64_MAX),
					      ROW("reviewed_weak", reviewed_bits, NUMBER, UINT32_MAX) };
static const struct columns server_columns = COLUMNS(server_table, struct weak_server);

#define LIST(member, kind, most) COLUMN(#member, struct weak_list, member, COLUMN_##kind, 0, most)
static const struct column list_table[] = { COLUMN_IS("form", FORM), LIST(beyond, NUMBER, WEAK_SESSIONS),
					    LIST(beyond_last, NUMBER, INT64_MAX), LIST(damaged, BOOL, 0),
					    COLUMN_LIST("servers", struct weak_list, list, n, &server_columns) };
static const struct columns list_columns = COLUMNS(list_table, struct weak_list);

static bool list_is_sound(const void *list)
{
	const struct weak_list *l = list;

	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].last < l->list[i].first)
			return false;
	return true;
}

const struct columns_file weak_file = { "weak", "the list of servers with weak TLS", 1u << 20, &list_columns,
					list_is_sound };

void weak_load(int folder, struct weak_list *ret, bool *ret_damaged)
{
	(void)columns_load(&weak_file, folder, ret, ret_damaged);
	if (*ret_damaged)
		ret->damaged = ret->changed = true;
}

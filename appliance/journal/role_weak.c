/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that chose weak TLS, from the workers' events, and the effect of a review of the records
 * on their alarms. */
#include <stdio.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_register.h"
#include "appliance/journal/role_weak.h"
#include "appliance/journal/role_write.h"

#define SECOND 1000000000ull
#define TIDY_NS (WEAK_SETTLED_NS + SECOND)

/* Removes old entries, and sets times in the future, left by a clock that was ahead, to the
 * present, so that they block no new alarm. Does nothing until the clock is settled. */
static void tidy_servers(struct journal_role *j)
{
	struct mono now = clock_mono();

	j->weak_tidy_at = now.ns + TIDY_NS;
	if (weak_settled(&j->weak_steady, now, clock_wall_ns()))
		weak_tidy(&j->weak, clock_wall_s());
}

void role_weak_seen(struct journal_role *j, const struct event *e)
{
	struct weak_server s = { .address = e->server,
				 .port = e->server_port,
				 .bits = e->quantity,
				 .last = e->wall_ns / SECOND,
				 .sessions = e->count < WEAK_SESSIONS ? e->count : WEAK_SESSIONS };
	struct named named;

	/* Minor findings and refused sessions are recorded without an alarm. */
	if (e->code != WEAK_TLS || e->verdict == EV_DENY)
		return;
	s.first = e->space == WEAK_HELLO && e->address < s.last ? s.last - e->address : s.last;
	names_of_event(&j->names, e, &named);
	snprintf(s.conduit, sizeof(s.conduit), "%s", named.conduit != NULL ? named.conduit : "");
	tidy_servers(j);
	weak_see(&j->weak, &s);
}

/* Parses "2026-11-01T00:00:00Z/2026-11-25T10:00:00Z". */
static bool range_parse(const char *text, uint64_t *ret_since, uint64_t *ret_until)
{
	struct tm since = { 0 }, until = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ/", &since);

	if (rest == NULL || (rest = strptime(rest, "%Y-%m-%dT%H:%M:%SZ", &until)) == NULL || *rest != '\0')
		return false;
	*ret_since = (uint64_t)timegm(&since);
	*ret_until = (uint64_t)timegm(&until);
	return timegm(&since) >= 0 && timegm(&until) >= 0;
}

void role_weak_reviewed(struct journal_role *j, const struct event *e)
{
	uint64_t since, until;

	if (range_parse(e->text[EVENT_BEFORE], &since, &until))
		weak_review(&j->weak, since, until, clock_wall_s());
}

/* ---- the file -------------------------------------------------------------------------------- */

void role_weak_open(struct journal_role *j)
{
	bool damaged;

	weak_load(j->chain.dirfd, &j->weak, &damaged);
	if (damaged)
		role_put_own(j, LOST_WEAK, 1, 0, NULL);
}

uint64_t role_weak_due(const struct journal_role *j)
{
	uint64_t save = role_turn_due(&j->weak_turn, j->weak.changed, j->weak.stale),
		 tidy_at = j->weak.n > 0 || j->weak.beyond > 0 ? j->weak_tidy_at : UINT64_MAX;

	return save < tidy_at ? save : tidy_at;
}

void role_weak_write(struct journal_role *j, uint64_t now, bool all)
{
	if (now >= j->weak_tidy_at)
		tidy_servers(j);
	role_register_write(j, &weak_file, &j->weak, &j->weak_turn, &j->weak.changed, &j->weak.stale, now, all);
}

/* ---- the status ------------------------------------------------------------------------------ */

void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret)
{
	const struct weak_list *l = &j->weak;
	uint64_t now = clock_wall_s();
	char address[ADDR_TEXT];
	size_t n = 0;

	ret->weak_beyond = l->beyond > 0 && now < l->beyond_last + WEAK_OVER_S ? l->beyond : 0;
	ret->weak_damaged = l->damaged;
	for (size_t i = 0; i < l->n; i++) {
		const struct weak_server *s = &l->list[i];

		ret->weak += now < s->last + WEAK_OVER_S;
		if (!weak_is_alarm(s, now))
			continue;
		ret->weak_new++;
		if (n == WEAK_TOLD)
			continue;
		ret->weak_bits[n] = s->bits;
		ret->weak_first[n] = s->first;
		ret->weak_last[n] = s->last;
		ret->weak_sessions[n] = s->sessions;
		if (s->address.family != 0) {
			addr_text(&s->address, address);
			snprintf((char *)&ret->weak_server[n * WEAK_TOLD_SERVER], WEAK_TOLD_SERVER,
				 s->address.family == 6 ? "[%s]:%u" : "%s:%u", address, s->port);
		}
		snprintf((char *)&ret->weak_conduit[n * WEAK_TOLD_CONDUIT], WEAK_TOLD_CONDUIT, "%s", s->conduit);
		n++;
	}
}

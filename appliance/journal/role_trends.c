/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts for the trends (trends.h). It counts every event before floods are merged. Enforce and the
 * workers also send it counts of which no record is made.
 */
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_trends.h"
#include "appliance/wire/event_words.h"

#define SECOND 1000000000ull
/* ns between two saves: a power cut loses at most this much of the trends */
#define SAVE_NS (300 * SECOND)

static void add_trend(struct journal_role *j, enum trend what, const char *name, const struct event *e, uint64_t n)
{
	trends_add(&j->trends, what, name != NULL ? name : "", e->wall_ns / SECOND, n);
}

void role_trends_open(struct journal_role *j)
{
	int r = trends_open(j->chain.dirfd, clock_wall_s(), &j->trends);

	if (r < 0)
		fprintf(stderr, "sekishod journal: nothing is counted for the page of trends: %s\n", strerror(-r));
}

static bool same_session(const struct event *a, const struct event *b)
{
	return a->client_port == b->client_port && a->server_port == b->server_port &&
	       addr_cmp(&a->client, &b->client) == 0 && addr_cmp(&a->server, &b->server) == 0;
}

/* Whether the event belongs to the refusal before it. If a refused request ends its session, the
 * request's event comes first, and both are one refusal. */
static bool refused_before(struct journal_role *j, const struct event *e)
{
	bool before = e->kind == EVENT_FLOW && j->trends_pdu.kind == EVENT_PDU && same_session(&j->trends_pdu, e);

	j->trends_pdu.kind = EVENT_NONE;
	if (e->kind == EVENT_PDU)
		j->trends_pdu = *e;
	return before;
}

static void add_refused(struct journal_role *j, const struct event *e)
{
	struct named named;

	if (refused_before(j, e))
		return;
	names_of_event(&j->names, e, &named);
	if (named.conduit != NULL)
		add_trend(j, TREND_REFUSED, named.conduit, e, e->count);
	add_trend(j, TREND_ZONE_REFUSED, named.client.zone, e, e->count);
}

bool role_trends_heard(struct journal_role *j, const struct event *e)
{
	struct named named;

	if (e->kind == EVENT_COUNTS && (e->code == COUNTS_BEGUN || e->code == COUNTS_CARRIED)) {
		names_of_event(&j->names, e, &named);
		add_trend(j, e->code == COUNTS_BEGUN ? TREND_SESSIONS : TREND_CARRIED, named.conduit, e, e->count);
		return true;
	}
	if (e->kind == EVENT_COUNTS && e->code == COUNTS_INSPECTED) {
		add_trend(j, TREND_INSPECTED, NULL, e, e->count);
		add_trend(j, TREND_P99_US, NULL, e, (e->value + 999) / 1000);
		return true;
	}
	if (e->verdict == EV_DENY && (e->kind == EVENT_DROP || e->kind == EVENT_PDU || e->kind == EVENT_FLOW))
		add_refused(j, e);
	return false;
}

void role_trends_put(struct journal_role *j, const struct event *e)
{
	if (event_severity(e->kind, e->code) == EVENT_SERIOUS)
		add_trend(j, TREND_SERIOUS, NULL, e, 1);
	if (e->kind == EVENT_POLICY && (e->code == POLICY_APPLIED || e->code == POLICY_REVERTED))
		trends_mark(&j->trends, e->wall_ns / SECOND, (uint32_t)e->value, e->code == POLICY_REVERTED);
}

uint64_t role_trends_due(const struct journal_role *j)
{
	return j->trends.changed ? j->trends_at : UINT64_MAX;
}

void role_trends_write(struct journal_role *j, uint64_t now, bool all)
{
	if (!all && now < j->trends_at)
		return;
	trends_save(&j->trends);
	j->trends_at = now + SAVE_NS;
}

json_t *role_trends_json(struct journal_role *j, const struct msg *asked, enum answer_status *ret)
{
	const struct msg_trends *m = &asked->body.trends;
	int32_t east = (int32_t)m->east_s - (int32_t)TRENDS_EAST;

	return trends_json(&j->trends, m->days != 0, east, clock_wall_s());
}

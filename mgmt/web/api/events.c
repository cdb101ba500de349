/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/events: records after a number, at most `limit`. Parameters, all optional: after, limit,
 * since (UTC, 2026-11-20T08:10:11), until (exclusive), conduit, verdict, zone, asset, host,
 * severity, kind, protocol, reason, command (several, separated by commas), value (9, 0-9).
 */
#include <string.h>

#include "mgmt/web/api/routes.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

static const char *const filters[FILTER_KEYS] = {
	[FILTER_SINCE] = "since",	[FILTER_CONDUIT] = "conduit", [FILTER_VERDICT] = "verdict",
	[FILTER_ZONE] = "zone",		[FILTER_ASSET] = "asset",     [FILTER_HOST] = "host",
	[FILTER_SEVERITY] = "severity", [FILTER_KIND] = "kind",	      [FILTER_PROTOCOL] = "protocol",
	[FILTER_UNTIL] = "until",	[FILTER_REASON] = "reason",   [FILTER_COMMAND] = "command",
	[FILTER_VALUE] = "value",
};

/* The journal checks words, times and addresses. */
static bool take(const struct target_parameter *p, struct event_filter *f)
{
	for (unsigned k = 0; k < FILTER_KEYS; k++)
		if (strcmp(p->key, filters[k]) == 0)
			return event_filter_set(f, (enum event_filter_key)k, p->text);
	return p->number && (strcmp(p->key, "after") == 0 || strcmp(p->key, "limit") == 0);
}

bool events_ask(const struct target *t, struct msg_body *question)
{
	uint64_t after = 0, limit = LIMIT_DEFAULT;
	struct msg_events *e = &question->events;

	for (size_t i = 0; i < t->n_parameters; i++)
		if (!take(&t->parameters[i], &e->filter))
			return false;
	target_number(t, "after", &after);
	target_number(t, "limit", &limit);
	/* JSON's numbers are signed. */
	if (limit == 0 || limit > LIMIT_MAX || after > INT64_MAX)
		return false;
	e->after = after;
	e->most = (uint32_t)limit;
	return true;
}

const struct route route_events = { "/api/v1/events", MSG_EVENTS, events_ask, NULL, RIGHT_READ_EVENTS };

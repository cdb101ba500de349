/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/overdue.h"
#include "appliance/control/watch.h"

#define SECOND 1000000000ull
#define NAMED 3u /* names that a record quotes */

/* "tos-reads-cranes (2026-03-31), asset rtg01.plc (2026-04-30), +2": other objects than conduits
 * are given with their kind. */
static void names_text(const json_t *names, uint32_t n, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	json_each_at(i, o, names) {
		if (i == NAMED || at >= size)
			break;
		const char *what = json_string_value(json_object_get(o, "what"));
		bool plain = strcmp(what, "conduit") == 0;

		at += (size_t)snprintf(out + at, size - at, "%s%s%s%s (%s)", i > 0 ? ", " : "", plain ? "" : what,
				       plain ? "" : " ", json_string_value(json_object_get(o, "name")),
				       json_string_value(json_object_get(o, "day")));
	}
	if (n > NAMED && at < size)
		snprintf(out + at, size - at, ", +%u", n - NAMED);
}

static void tell_overdue(struct control *s, const struct overdue *o, const json_t *names)
{
	char text[EVENT_TEXT];

	names_text(names, o->n, text, sizeof(text));
	if (o->n > 0)
		policy_record(s, POLICY_REVIEW_OVERDUE, s->now->number, NULL, text);
	else
		policy_record(s, POLICY_REVIEWS_DONE, s->now->number, NULL, NULL);
}

void review_look(struct control *s, uint64_t now)
{
	struct reviews *r = &s->reviews;
	struct overdue o;
	json_t *names;

	/* An untrusted clock could make any review overdue. */
	if (!s->trusted)
		return;
	names = json_array();
	o = overdue_find(s->now->ir, s->doors, clock_wall_s(), names);
	if (memcmp(o.digest, r->digest, sizeof(o.digest)) != 0) {
		memcpy(r->digest, o.digest, sizeof(o.digest));
		tell_overdue(s, &o, names);
	}
	json_decref(names);
}

json_t *json_reviews(const struct control *s)
{
	json_t *names;
	struct overdue o;

	if (!s->trusted)
		return json_null();
	names = json_array();
	o = overdue_find(s->now->ir, s->doors, clock_wall_s(), names);
	return json_pack("{s:I, s:o, s:o}", "overdue", (json_int_t)o.n, "since",
			 o.n > 0 ? json_time(o.since * SECOND) : json_null(), "due", names);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/overdue.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "policy/ir/ir.h"

#define DAY_S 86400u
#define NOTE_DAYS 7u /* for the note on an opening */

void overdue_day(uint64_t seconds, char out[OVERDUE_DAY])
{
	time_t t = (time_t)seconds;
	struct tm utc;

	if (gmtime_r(&t, &utc) == NULL || strftime(out, OVERDUE_DAY, "%Y-%m-%d", &utc) == 0)
		snprintf(out, OVERDUE_DAY, "%s", "");
}

/* What was found so far, and the date of the search. */
struct look {
	struct overdue found;
	json_t *names;
	char today[OVERDUE_DAY];
};

static void add_overdue(struct look *l, const char *what, const char *name, const char *label, const char *owner,
			const char *day, uint64_t since)
{
	if (l->found.n++ < OVERDUE_SHOWN && l->names != NULL)
		(void)json_array_append_new(l->names, json_pack("{s:s, s:o, s:o, s:o, s:o}", "what", what, "name",
								json_text(name), "label", json_text(label), "owner",
								json_text(owner), "day", json_text(day)));
	if (l->found.since == 0 || since < l->found.since)
		l->found.since = since;
	sha256_pair(l->found.digest, sizeof(l->found.digest), what, strlen(what) + 1, l->found.digest);
	sha256_pair(l->found.digest, sizeof(l->found.digest), name, strlen(name) + 1, l->found.digest);
	sha256_pair(l->found.digest, sizeof(l->found.digest), day, strlen(day), l->found.digest);
}

/* Dates as texts sort by time, because they have one form. A review is not yet overdue on its
 * day. */
static void look_at_day(struct look *l, const char *what, const char *name, const char *label, const char *owner,
			const char *day)
{
	struct tm utc = { 0 };

	if (*day == '\0' || strcmp(day, l->today) >= 0 || strptime(day, "%Y-%m-%d", &utc) == NULL)
		return;
	add_overdue(l, what, name, label, owner, day, (uint64_t)timegm(&utc) + DAY_S);
}

static void look_at_conduit(struct look *l, const struct ir_conduit *c, uint64_t now)
{
	char day[OVERDUE_DAY];

	if (c->until == 0 || c->until > now) {
		look_at_day(l, "conduit", c->name, c->label, c->owner, c->review_by);
	} else if (c->n_exception > 0 && *c->exception->report == '\0') {
		overdue_day(c->until, day);
		add_overdue(l, "exception", c->name, c->label, c->exception->applicant, day, c->until);
	}
}

static void look_at_opening(struct look *l, const json_t *x, uint64_t now)
{
	uint64_t due = count_in(x, "ended") + NOTE_DAYS * DAY_S;
	char name[32], day[OVERDUE_DAY];

	if (count_in(x, "ended") == 0 || json_object_get(x, "note") != NULL || due > now)
		return;
	snprintf(name, sizeof(name), "%u", (unsigned)count_in(x, "opening"));
	overdue_day(due, day);
	add_overdue(l, "opening", name, text_in(x, "door"), text_in(x, "by"), day, due);
}

struct overdue overdue_find(const struct ir *ir, const json_t *doors, uint64_t now, json_t *names)
{
	struct look l = { .names = names };

	overdue_day(now, l.today);
	for (uint32_t i = 0; i < ir->n_conduits; i++)
		look_at_conduit(&l, &ir->conduits[i], now);
	for (uint32_t i = 0; i < ir->n_zones; i++)
		look_at_day(&l, "zone", ir->zones[i].name, ir->zones[i].label, ir->zones[i].owner,
			    ir->zones[i].review_by);
	for (uint32_t i = 0; i < ir->n_assets; i++)
		look_at_day(&l, "asset", ir->assets[i].name, ir->assets[i].label, ir->zones[ir->assets[i].zone].owner,
			    ir->assets[i].support_until);
	json_each(x, doors)
		look_at_opening(&l, x, now);
	return l.found;
}

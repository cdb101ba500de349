/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/watch.h"
#include "appliance/control/watch_hours.h"
#include "appliance/role/roles.h"
#include "appliance/store/listed.h"
#include "policy/ir/moment.h"

#define NAME "hours"
#define SECOND 1000000000ull

static bool window_holds(const struct ir *ir, uint32_t w, uint64_t at, uint64_t *ret_end, uint64_t *ret_next)
{
	const struct ir_conduit c = { .window = w, .door = UINT32_MAX };
	struct time_zone z = { 0 };
	struct window room;
	struct times t = ir_times(ir, &c, &room);

	*ret_end = *ret_next = 0;
	return time_zone_parse(ir->time_zone, &z) && times_hold(&t, &z, at, ret_end, ret_next);
}

/* ---- records --------------------------------------------------------------------------------- */

/* A list of names such as "reads, writes (+3)"; "" = no name. */
struct named {
	char text[EVENT_TEXT];
	size_t n;
	unsigned more;
};

static void add_name(struct named *x, const char *name)
{
	/* leaves room for the number of further names */
	if (x->more > 0 || strlen(name) + 16 > EVENT_TEXT - x->n)
		x->more++;
	else
		x->n += (size_t)snprintf(x->text + x->n, EVENT_TEXT - x->n, "%s%s", x->n > 0 ? ", " : "", name);
}

static const char *names_of(struct named *x)
{
	if (x->more > 0)
		snprintf(x->text + x->n, EVENT_TEXT - x->n, " (+%u)", x->more);
	return x->text;
}

static void record_window(struct control *s, enum policy_event what, const char *object, const char *conduits,
			  uint64_t until)
{
	json_t *t = until != 0 ? json_time(until * SECOND) : NULL;

	policy_record_of(s, what, s->now->number,
			 (struct said){ .object = object, .before = conduits, .after = json_string_value(t) });
	json_decref(t);
}

/* Records one change. After HOURS_TOLD changes of a kind, further ones are only counted. */
static void tell_window(struct control *s, uint32_t w, bool begins, uint64_t until, unsigned told[2])
{
	const struct ir *ir = s->now->ir;
	struct named conduits = { .n = 0 };

	if (++told[begins] > HOURS_TOLD)
		return;
	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (ir->conduits[i].window == w)
			add_name(&conduits, ir->conduits[i].name);
	if (conduits.n > 0)
		record_window(s, begins ? POLICY_HOURS_BEGAN : POLICY_HOURS_ENDED, ir->windows[w].name,
			      names_of(&conduits), until);
}

static void tell_rest(struct control *s, const unsigned told[2])
{
	for (unsigned i = 0; i < 2; i++)
		if (told[i] > HOURS_TOLD) {
			char text[16];

			snprintf(text, sizeof(text), "(+%u)", told[i] - HOURS_TOLD);
			record_window(s, i == 1 ? POLICY_HOURS_BEGAN : POLICY_HOURS_ENDED, text, "", 0);
		}
}

/* Finds out whether a window began or ended since the last look, and when it changes next. */
static void follow_window(struct control *s, uint32_t w, uint64_t now, unsigned told[2])
{
	struct hours *x = &s->hours;
	uint64_t end, until, next, ignored;
	bool was = window_holds(s->now->ir, w, x->looked_s, &end, &ignored),
	     is = window_holds(s->now->ir, w, now, &until, &next);
	/* True if the window ended and began again in between. Hours that continue at their end
	 * have not ended; times_hold follows only a limited number of them. */
	bool anew = was && is && end != 0 && end <= now && !window_holds(s->now->ir, w, end, &ignored, &ignored);

	if ((was && !is) || anew)
		tell_window(s, w, false, 0, told);
	if ((is && !was) || anew)
		tell_window(s, w, true, until, told);
	next = is ? until : next;
	if (next > now && next < x->next_s)
		x->next_s = next;
}

/* Records the conduits whose `starts` has come since the last look. */
static void follow_starts(struct control *s, uint64_t now)
{
	const struct ir *ir = s->now->ir;
	struct hours *x = &s->hours;
	struct named began = { .n = 0 };

	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		uint64_t starts = ir->conduits[i].starts;

		if (x->looked_s < starts && starts <= now)
			add_name(&began, ir->conduits[i].name);
		if (starts > now && starts < x->next_s)
			x->next_s = starts;
	}
	if (began.n > 0)
		record_window(s, POLICY_CONDUIT_BEGAN, names_of(&began), "", 0);
}

static bool any_hours(const struct ir *ir)
{
	bool any = ir->n_windows > 0;

	for (uint32_t i = 0; i < ir->n_conduits && !any; i++)
		any = ir->conduits[i].starts != 0;
	return any;
}

/* ---- in time --------------------------------------------------------------------------------- */

void hours_open(struct control *s)
{
	json_t *list = listed_read(CONTROL_FD_FOLDER, NAME, 1);
	json_int_t looked = json_integer_value(json_object_get(json_array_get(list, 0), "looked"));

	s->hours = (struct hours){ .looked_s = looked > 0 ? (uint64_t)looked : 0, .number = UINT64_MAX };
	json_decref(list);
}

/* If the disk is full, the next control repeats the records since the last save. */
static void save_look(const struct control *s)
{
	json_t *list = json_pack("[{s:I}]", "looked", (json_int_t)s->hours.looked_s);

	(void)listed_save(CONTROL_FD_FOLDER, NAME, list);
	json_decref(list);
}

void hours_due(struct control *s, uint64_t mono)
{
	struct hours *x = &s->hours;
	uint64_t now = clock_wall_s();
	unsigned told[2] = { 0 };

	if (!s->trusted || (x->number == s->now->number && x->looked_s <= now && now < x->next_s))
		return;
	if (x->number == UINT64_MAX)
		x->number = s->now->number;
	/* Under a new policy, only later changes are recorded here: its apply has recorded what it
	 * opens. */
	if (x->number != s->now->number || x->looked_s == 0)
		x->looked_s = now;
	x->number = s->now->number;
	x->next_s = UINT64_MAX;
	for (uint32_t i = 0; i < s->now->ir->n_windows; i++)
		follow_window(s, i, now, told);
	tell_rest(s, told);
	follow_starts(s, now);
	x->looked_s = now;
	if (any_hours(s->now->ir))
		save_look(s);
}

uint64_t hours_next(const struct control *s)
{
	uint64_t wall = clock_wall_ns(), left;

	if (!s->trusted || s->hours.next_s >= UINT64_MAX / SECOND)
		return UINT64_MAX;
	left = s->hours.next_s * SECOND > wall ? s->hours.next_s * SECOND - wall : 0;
	return now_ns() + left;
}

/* ---- for people ------------------------------------------------------------------------------ */

json_t *json_windows(const struct control *s)
{
	const struct ir *ir = s->now->ir;
	json_t *list = json_array();

	for (uint32_t i = 0; i < ir->n_windows; i++) {
		uint64_t end, next;
		bool open = window_holds(ir, i, clock_wall_s(), &end, &next) && s->trusted;
		unsigned conduits = 0;

		for (uint32_t k = 0; k < ir->n_conduits; k++)
			conduits += ir->conduits[k].window == i;
		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:b, s:o, s:o, s:I}", "window", json_text(ir->windows[i].name),
					"label", json_text(ir->windows[i].label), "open", (int)open, "until",
					json_seconds(open ? end : 0), "opens", json_seconds(open ? 0 : next),
					"conduits", (json_int_t)conduits));
	}
	return list;
}

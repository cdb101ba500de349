/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of the week by the site's clock, and when a conduit is open. */
#include <string.h>

#include "policy/check/check.h"
#include "policy/check/keys.h"
#include "policy/check/ledger.h"
#include "policy/check/names.h"
#include "policy/check/say.h"
#include "policy/check/windows.h"

#define EXCEPT_MAX 400u /* excepted days; more should be a window of their own */

static const char *const day_words[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

void check_time_zone(struct check *k, const struct ast_node *node, struct object o)
{
	const char *places[64], *rule;
	struct diag *g;
	size_t n = 0;

	k->m->time_zone = k->m->time_zone_said = "";
	time_zone_parse("UTC0", &k->m->zone);
	if (node == NULL)
		return;
	rule = time_zone_of(node->string);
	k->m->time_zone = rule != NULL ? rule : node->string;
	k->m->time_zone_said = node->string;
	if (time_zone_parse(k->m->time_zone, &k->m->zone)) {
		people_zone(k->m->time_zone);
		return;
	}
	g = check_value(k, SEV_ERROR, "policy.time_zone", node, MP_TIME_ZONE, o, node->string);
	while (n < sizeof(places) / sizeof(places[0]) && time_zone_place(n) != NULL) {
		places[n] = time_zone_place(n);
		n++;
	}
	(void)check_near(k, g, node->string, places, n);
}

static bool read_day(struct check *k, const struct ast_node *node, struct object o, uint32_t *ret)
{
	uint64_t day;

	if (node == NULL)
		return false;
	if (date_parse(node->string, &day) && day / 86400u > 0 && day / 86400u <= HOURS_DAY_MAX) {
		*ret = (uint32_t)(day / 86400u);
		return true;
	}
	check_hinted(k, SEV_ERROR, "policy.date", node, MP_DATE_BAD, o, node->string, MP_HINT_DATE);
	return false;
}

/* Reads "09:00" or "24:00". */
static bool read_clock(const char *p, uint16_t *ret)
{
	for (int i = 0; i < 5; i++)
		if (i == 2 ? p[i] != ':' : p[i] < '0' || p[i] > '9')
			return false;
	*ret = (uint16_t)((p[0] - '0') * 600 + (p[1] - '0') * 60 + (p[3] - '0') * 10 + (p[4] - '0'));
	return p[3] < '6' && *ret <= DAY_MINUTES;
}

static void read_hours(struct check *k, const struct ast_node *node, struct window *w, struct object o)
{
	const char *text = node != NULL ? node->string : "00:00-24:00";

	if (strlen(text) == 11 && text[5] == '-' && read_clock(text, &w->from) && read_clock(text + 6, &w->to) &&
	    w->from < DAY_MINUTES && w->to > 0 && w->from != w->to)
		return;
	if (strlen(text) == 11 && w->to == 0 && text[5] == '-' && read_clock(text, &w->from) && w->from > 0 &&
	    strcmp(text + 6, "00:00") == 0) {
		w->to = DAY_MINUTES; /* midnight, given as the start of the next day */
		return;
	}
	check_hinted(k, SEV_ERROR, "policy.hours", node, MP_HOURS_BAD, o, text, MP_HINT_HOURS);
}

static void read_days(struct check *k, const struct ast_node *list, struct window *w, struct object o)
{
	w->days = list == NULL ? WEEK_DAYS
			       : (uint8_t)words_of(k, list, day_words, KEYS(day_words),
						   "mon, tue, wed, thu, fri, sat, sun", o);
	check_not_empty(k, list, o, NO_HINT);
}

static void read_except(struct check *k, const struct ast_node *list, struct window *w, struct object o)
{
	uint32_t *days = list != NULL ? arena_array(k->a, list->n, sizeof(*days)) : NULL;

	if (list != NULL && list->n > EXCEPT_MAX) {
		diag_hint(k->d, check_value(k, SEV_ERROR, "policy.range", list, MP_MANY_NAMES, o, list->name),
			  MP_HINT_MANY_DAYS, EXCEPT_MAX);
		return;
	}
	for (const struct ast_node *e = NULL; days != NULL && (e = list_next(k, list, e, AST_STRING, o)) != NULL;)
		if (read_day(k, e, o, &days[w->n_except]))
			w->n_except++;
	w->except = days;
}

/* Whether there is no moment from now on at which the right holds. */
static bool is_never(struct check *k, const struct times *t)
{
	uint64_t end, next;

	return !times_hold(t, &k->m->zone, k->now, &end, &next) && next == 0;
}

/* Warns of a window that never opens or never shuts. */
static void report_window(struct check *k, const struct ast_node *node, const struct model_window *w, struct object o)
{
	const struct times t = { .within = &w->when };

	if (w->when.last != 0 && w->when.first > w->when.last) {
		check_value(k, SEV_ERROR, "policy.window", node, MP_WINDOW_ORDER, o, "");
		return;
	}
	if (w->when.last == 0 && w->when.days == WEEK_DAYS && w->when.n_except == 0 && w->when.from == 0 &&
	    w->when.to == DAY_MINUTES) {
		check_value(k, SEV_ERROR, "policy.window", node, MP_WINDOW_EVER, o, "");
		return;
	}
	if (is_never(k, &t))
		check_value(k, SEV_WARNING, "policy.no_effect", node, MP_WINDOW_NEVER, o, "");
}

static void one_window(struct check *k, const struct ast_node *node, struct model_window *w)
{
	const struct ast_node *v[KEYS(window_keys)];
	struct object o = { MP_OBJ_WINDOW, node->name };
	size_t errors = k->d->errors;

	*w = (struct model_window){ .name = node->name, .label = "", .at = node->at };
	name_check(k, node->name, node->at, node->width);
	if (!keys_read(k, node, window_keys, KEYS(window_keys), o, w, v))
		return;
	read_days(k, v[W_DAYS], &w->when, o);
	read_hours(k, v[W_HOURS], &w->when, o);
	(void)read_day(k, v[W_FIRST], o, &w->when.first);
	(void)read_day(k, v[W_LAST], o, &w->when.last);
	read_except(k, v[W_EXCEPT], &w->when, o);
	if (k->d->errors == errors)
		report_window(k, node, w, o);
}

void check_windows(struct check *k, const struct ast_node *node)
{
	size_t n = node != NULL ? node->n : 0;
	struct model *m = k->m;

	if (n == 0)
		return;
	m->windows = arena_array(k->a, n, sizeof(m->windows[0]));
	if (!names_new(k, &k->windows, n) || m->windows == NULL)
		return;
	if (m->time_zone[0] == '\0')
		check_hinted(k, SEV_ERROR, "policy.time_zone", node, MP_WINDOW_NO_ZONE,
			     (struct object){ MP_OBJ_SECTION, "windows" }, "", MP_HINT_WINDOW_NO_ZONE);
	for (const struct ast_node *c = node->child; c != NULL; c = c->next) {
		one_window(k, c, &m->windows[m->n_windows]);
		names_put(&k->windows, c->name, &m->windows[m->n_windows++]);
	}
	names_build(k, &k->windows);
}

/* Reads a moment or a day. A day means its first moment or, with `end`, its last one, in the site's
 * time zone; in UTC when the site has none. */
static bool read_moment(struct check *k, const char *text, bool end, uint64_t *ret)
{
	uint64_t day;

	if (!date_parse(text, &day))
		return time_parse(text, ret);
	*ret = day / 86400u <= HOURS_DAY_MAX
		       ? time_zone_moment(&k->m->zone, (uint32_t)(day / 86400u), end ? DAY_MINUTES : 0)
		       : day + (end ? 86400u : 0);
	return true;
}

void end_moment(struct check *k, const struct ast_node *node, enum message past, struct object o, uint64_t *ret)
{
	const char *text = node->string;
	uint64_t day;
	struct diag *g;

	if (!read_moment(k, text, true, ret)) {
		g = check_value(k, SEV_ERROR, "policy.date", node, MP_UNTIL_BAD, o, text);
		hint_date(k, g, text, MP_HINT_UNTIL);
		return;
	}
	if (*ret == 0)
		*ret = 1; /* the first moment of 1970, because 0 stands for no end */
	if (*ret > UNTIL_MAX) {
		g = check_value(k, SEV_ERROR, "policy.date", node, MP_UNTIL_FAR, o, text);
		diag_hint(k->d, g, MP_HINT_UNTIL_FAR, node->name);
	} else if (*ret <= k->now) {
		check_value(k, SEV_WARNING, past == MP_UNTIL_PAST ? "policy.until_past" : "policy.contract_past", node,
			    past, o, text);
	} else if (date_parse(text, &day) && k->m->time_zone[0] == '\0') {
		g = check_say(k, SEV_WARNING, "policy.until_utc", node->value_at, node->value_width, MP_UNTIL_UTC, o,
			      node->name, text);
		diag_hint(k->d, g, MP_HINT_UNTIL_UTC, text);
	}
}

void conduit_when(struct check *k, const struct ast_node *within, const struct ast_node *starts,
		  struct model_conduit *c, struct object o)
{
	const struct window *w;
	uint64_t end;

	if (within != NULL)
		c->within = names_need(k, &k->windows, within, MP_NO_WINDOW, "policy.unknown_name", o);
	if (starts != NULL && (!read_moment(k, starts->string, false, &c->starts) || c->starts > UNTIL_MAX))
		check_hinted(k, SEV_ERROR, "policy.date", starts, MP_UNTIL_BAD, o, starts->string, MP_HINT_UNTIL);
	w = c->within != NULL ? &c->within->when : NULL;
	if (w != NULL && w->last != 0) {
		end = time_zone_moment(&k->m->zone, w->last, w->to > w->from ? w->to : w->to + DAY_MINUTES);
		c->until = c->until == 0 || end < c->until ? end : c->until;
	}
	if (starts != NULL && c->until != 0 && c->starts >= c->until) {
		check_value(k, SEV_ERROR, "policy.date", starts, MP_STARTS_LATE, o, starts->string);
		c->starts = 0;
	}
}

void report_never_open(struct check *k)
{
	for (size_t i = 0; i < k->m->n_conduits; i++) {
		const struct model_conduit *c = &k->m->conduits[i];
		struct times t = conduit_times(c), window = { .within = t.within };

		t.door = NULL;
		if (c->until > k->now && is_never(k, &t) && !is_never(k, &window))
			check_say(k, SEV_WARNING, "policy.no_effect", c->at, 1, MP_NEVER_IN_FORCE,
				  (struct object){ MP_OBJ_CONDUIT, c->name }, "", "");
	}
}

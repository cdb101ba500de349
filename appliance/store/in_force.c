/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/in_force.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"

#define SECOND 1000000000ull

/* ---- conduits that wait for the clock -------------------------------------------------------- */

/* Whether the conduit would be open if the clock were trusted. */
static bool waits_for_clock(const struct ir *ir, const struct ir_conduit *c, uint64_t now)
{
	return c->until > now || (c->until == 0 && (c->starts != 0 || c->window < ir->n_windows));
}

uint32_t waiting_count(const struct ir *ir, uint64_t now)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		n += waits_for_clock(ir, &ir->conduits[i], now);
	return n;
}

json_t *waiting_names(const struct ir *ir, uint64_t now)
{
	json_t *names = json_array();

	for (uint32_t i = 0; i < ir->n_conduits; i++)
		if (waits_for_clock(ir, &ir->conduits[i], now))
			json_array_append_new(names, json_text(ir->conduits[i].name));
	return names;
}

/* The waiting conduits as keys of an object, for quick look-up. */
static json_t *waiting_set(const struct ir *ir, uint64_t now)
{
	json_t *names = waiting_names(ir, now), *set = json_object();

	json_each(name, names)
		(void)json_object_set_new(set, json_string_value(name), json_true());
	json_decref(names);
	return set;
}

void waiting_mark(const struct ir *ir, uint64_t now, bool waits, json_t *list)
{
	json_t *set = waits ? waiting_set(ir, now) : NULL;

	json_each(k, list) {
		const char *name = json_string_value(json_object_get(k, "name"));

		json_object_set_new(k, "waits", json_boolean(name != NULL && json_object_get(set, name) != NULL));
	}
	json_decref(set);
}

/* ---- the policy, the site, the clock --------------------------------------------------------- */

static json_t *number_or_null(uint64_t n)
{
	return n != 0 ? json_integer((json_int_t)n) : json_null();
}

json_t *json_record(const struct generation_record *g, uint64_t in_force)
{
	return json_pack("{s:I, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "number",
			 (json_int_t)g->number, "digest", json_hex(g->digest, 32), "applied", json_time(g->applied_ns),
			 "state", generation_state_name(g->state), "by", json_text(g->by), "in_force",
			 g->number == in_force, "comment", json_text_or_null(g->comment), "before",
			 number_or_null(g->before), "why", generation_why_name(g->why), "changed",
			 json_time(g->changed_ns), "changed_by", json_text_or_null(g->changed_by), "changed_comment",
			 json_text_or_null(g->changed_comment), "other", number_or_null(g->other), "meaning",
			 sentence_json(&g->meant));
}

json_t *site_json(const struct ir *ir)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o}", "name", json_text(ir->site_name), "label", json_text(ir->site_label),
		"contact", json_text(ir->site_contact), "time_zone", json_text(ir->time_zone), "records",
		ir->records_purpose[0] == '\0' ? json_null()
					       : json_pack("{s:o, s:o}", "purpose", json_text(ir->records_purpose),
							   "responsible", json_text(ir->records_responsible)));
}

json_t *generation_json(const struct generation_store *store, uint64_t number, const struct ir *ir, uint64_t trial,
			uint64_t until_ns)
{
	const struct generation_record *g = generation_find(store, number);
	bool waiting = trial != 0 && trial == number;
	/* After a rollback, the person shown is the one who rolled back, not the one who applied
	 * the policy first. */
	bool went_back = g != NULL && !waiting && g->why == WHY_ROLLBACK;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)number, "digest",
			 json_hex(ir->digest, 32), "state",
			 number == 0 ? "none"
			 : waiting   ? "waiting"
				     : "confirmed",
			 "applied", g != NULL ? json_time(went_back ? g->changed_ns : g->applied_ns) : json_null(),
			 "confirm_by", waiting && until_ns != 0 ? json_time(until_ns) : json_null(), "by",
			 g != NULL ? json_text(went_back ? g->changed_by : g->by) : json_null());
}

void moment_json(json_t *j, json_t *generation, json_t *site)
{
	json_t *own = json_object_get(j, "generation");
	char host[HOST_NAME_MAX + 1] = "";

	if (json_equal(json_object_get(own, "digest"), json_object_get(generation, "digest")))
		json_object_update_missing(own, generation);
	json_decref(generation);
	(void)gethostname(host, sizeof(host) - 1);
	json_object_set_new(j, "host", json_text(host));
	json_object_set_new(j, "site", site);
	json_object_set_new(j, "time", json_time(clock_wall_ns()));
}

json_t *clock_json(const struct clock_said *c, const struct ir *ir)
{
	bool waits = c->wait != CLOCK_TRUSTED;
	uint64_t error;

	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:b, s:o}", "error_us",
			 clock_error(&error) ? json_integer((json_int_t)error) : json_null(), "time",
			 json_time(clock_wall_ns()), "trusted", (int)!waits, "waits",
			 waits ? json_string(clock_wait_words[c->wait]) : json_null(), "latest",
			 c->found == MOMENT_READ ? json_time(c->latest * SECOND) : json_null(), "synchronised",
			 c->sync == CLOCK_SYNC_UNKNOWN ? json_null() : json_boolean(c->sync == CLOCK_SYNC_YES), "since",
			 c->since_ns != 0 ? json_time(c->since_ns) : json_null(), "sources", (int)c->sources, "waiting",
			 waits ? waiting_names(ir, clock_wall_s()) : json_array());
}

/* ---- how long records are kept --------------------------------------------------------------- */

struct msg_retention retention_now(const struct ir *ir, uint64_t trial, bool trusted)
{
	if (trial != 0 || !trusted)
		return (struct msg_retention){ .keep_days = 0 };
	return (struct msg_retention){ ir->keep_days, ir->delete_after_days };
}

static bool read_rule(const json_t *journal, json_int_t *ret_keep, json_int_t *ret_delete)
{
	const json_t *keep = json_object_get(journal, "keep_days"),
		     *after = json_object_get(journal, "delete_after_days");

	*ret_keep = json_integer_value(keep);
	*ret_delete = json_integer_value(after);
	return json_is_integer(keep) && json_is_integer(after);
}

json_t *retention_json(const json_t *journal)
{
	json_int_t keep, after;

	if (!read_rule(journal, &keep, &after))
		return json_null();
	return json_pack("{s:I, s:I}", "keep_days", keep, "delete_after_days", after);
}

static void rule_text(json_int_t keep, json_int_t after, char out[RETENTION_TEXT])
{
	snprintf(out, RETENTION_TEXT, "keep_days %lld, delete_after_days %lld", (long long)keep, (long long)after);
}

bool retention_differs(const json_t *journal, const struct msg_retention *want, char ret_is[RETENTION_TEXT],
		       char ret_want[RETENTION_TEXT])
{
	json_int_t keep, after;

	if (!read_rule(journal, &keep, &after) || (keep == want->keep_days && after == want->delete_after_days))
		return false;
	rule_text(keep, after, ret_is);
	rule_text(want->keep_days, want->delete_after_days, ret_want);
	return true;
}

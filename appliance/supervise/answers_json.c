/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What roles have answered, put together as one object: status, effective, verify. What the supervisor itself knows is
 * added here, and a role that said nothing is never filled in with what it would have said.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/answers_private.h"
#include "appliance/supervise/passed.h"
#include "appliance/supervise/retention.h"
#include "appliance/wire/settings.h"

/* Roles answer at different moments: of one policy they speak only when none was changed in between. */
bool answers_moved(const struct supervisor *s, const struct collect *c)
{
	return s->op.kind != OP_NONE || s->changes != c->changes;
}

json_t *json_generation(const struct supervisor *s)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	bool waiting = s->trial != 0 && s->trial == s->now->number;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)s->now->number, "digest",
			 json_hex(s->now->ir->digest, 32), "state",
			 s->now->number == 0 ? "none"
			 : waiting	     ? "waiting"
					     : "confirmed",
			 "applied", g != NULL ? json_time(g->applied_ns) : json_null(), "confirm_by",
			 waiting ? json_time(trial_until(s)) : json_null(), "by",
			 g != NULL ? json_text(g->by) : json_null());
}

json_t *json_history(const struct supervisor *s)
{
	json_t *list = json_array();

	for (size_t i = s->store.n; i > 0; i--)
		json_array_append_new(list, json_record(s, &s->store.list[i - 1]));
	return json_pack("{s:o}", "history", list);
}

#define CHANGES_SHOWN 8u
#define CHANGES_NS (86400u * 1000000000ull)

/* What became of the policy in the last day, the youngest first: for whoever comes on duty. */
static json_t *json_changes(const struct supervisor *s)
{
	uint64_t now = clock_wall_ns();
	json_t *list = json_array();

	for (size_t i = s->store.n; i > 0 && json_array_size(list) < CHANGES_SHOWN; i--) {
		const struct generation_record *g = &s->store.list[i - 1];
		uint64_t at = g->changed_ns > g->applied_ns ? g->changed_ns : g->applied_ns;

		if (at <= now && now - at > CHANGES_NS)
			continue;
		json_array_append_new(list, json_pack("{s:I, s:o, s:o, s:s, s:o, s:o}", "number", (json_int_t)g->number,
						      "applied", json_time(g->applied_ns), "by", json_text(g->by),
						      "state", generation_state_name(g->state), "changed",
						      json_time(g->changed_ns), "changed_by",
						      *g->changed_by != 0 ? json_text(g->changed_by) : json_null()));
	}
	return list;
}

/* Which process it is, put into `j`. */
static json_t *json_slot(const struct slot *sl, json_t *j)
{
	json_object_set_new(j, "role", json_string(role_name(sl->role)));
	json_object_set_new(j, "index", json_integer(sl->index));
	if (sl->role == ROLE_DPI || sl->role == ROLE_GATE)
		json_object_set_new(j, "kind", json_string(lane_kind_words[pair_kind(sl->index)]));
	return j;
}

static json_t *json_roles(const struct supervisor *s)
{
	static const char *const states[] = {
		[SLOT_OFF] = "off",
		[SLOT_DEAD] = "dead",
		[SLOT_STARTING] = "starting",
		[SLOT_RUNNING] = "running",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *sl = &s->slots[i];

		if (sl->state != SLOT_OFF)
			json_array_append_new(
				list, json_slot(sl, json_pack("{s:i, s:s, s:i, s:o}", "pid", (int)sl->pid, "state",
							      states[sl->state], "restarts", (int)sl->restarts, "since",
							      json_time(sl->since_wall))));
	}
	return list;
}

static json_t *json_silent(const struct supervisor *s, const struct collect *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++)
		if (c->silent[i])
			json_array_append_new(list, json_slot(&s->slots[i], json_object()));
	return list;
}

/* The answers of one kind of role in order. */
static json_t *json_each(const struct collect *c, unsigned first)
{
	json_t *list = json_array();

	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		json_t *j = c->answer[first + w];

		if (!json_is_object(j))
			continue;
		json_array_append(list, j);
	}
	return list;
}

/* Takes "queues" out of the gates' answers into one list. */
static json_t *json_queues(const struct collect *c)
{
	json_t *list = json_array();

	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		json_t *j = c->answer[SLOT_GATE + w];

		if (!json_is_object(j))
			continue;
		json_array_extend(list, json_object_get(j, "queues"));
		json_object_del(j, "queues");
	}
	return list;
}

/* The same object whether the role put it under its own name or not. */
static void set_part(json_t *j, const char *key, json_t *answer)
{
	json_t *inner = json_object_get(answer, key);

	if (json_is_object(answer))
		json_object_set(j, key, json_is_object(inner) ? inner : answer);
	else
		json_object_set_new(j, key, json_null());
}

/* What a role has counted so far, with what those before it had when they were last seen: it never falls. */
static json_int_t so_far(struct supervisor *s, enum counted which, json_int_t now)
{
	if (now < s->counted[which].last)
		s->counted[which].gone += s->counted[which].last;
	s->counted[which].last = now;
	return s->counted[which].gone + now;
}

/* Enforce tells of rules and settings; addresses, links and routes are our own business. A sum that fell by enforce's part alone would look like a new one. */
static void add_network_drift(struct supervisor *s, json_t *drift)
{
	const char *last = json_string_value(json_object_get(drift, "last"));
	uint64_t wall_ns, n = network_drifts(s, &wall_ns);
	json_t *own, *seen = json_object_get(drift, "seen");

	if (!json_is_integer(seen))
		return;
	json_integer_set(seen, so_far(s, COUNTED_DRIFTS, json_integer_value(seen)) + (json_int_t)n);
	if (last != NULL)
		snprintf(s->drift_last, sizeof(s->drift_last), "%s", last);
	else if (*s->drift_last != '\0')
		json_object_set_new(drift, "last", json_string(last = s->drift_last));
	if (n == 0)
		return;
	own = json_time(wall_ns);
	if (last == NULL || strcmp(last, json_string_value(own)) < 0)
		json_object_set(drift, "last", own);
	json_decref(own);
}

static json_t *json_notice(const struct supervisor *s)
{
	if (sentence_said(&s->store_error))
		return sentence_json(&s->store_error);
	if (sentence_said(&s->trial_error))
		return sentence_json(&s->trial_error);
	if (sentence_said(&s->boot_error))
		return sentence_json(&s->boot_error);
	return is_unsaved(s) ? json_sentence(M_STORE_UNSAVED) : json_null();
}

static json_t *json_by_kind(const uint32_t n[LANE_KINDS])
{
	json_t *j = json_object();

	for (unsigned k = 0; k < LANE_KINDS; k++)
		json_object_set_new(j, lane_kind_words[k], json_integer(n[k]));
	return j;
}

json_t *json_site(const struct supervisor *s)
{
	const struct ir *ir = s->now->ir;

	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(ir->site_name), "label", json_text(ir->site_label),
			 "contact", json_text(ir->site_contact), "records",
			 ir->records_purpose[0] == '\0'
				 ? json_null()
				 : json_pack("{s:o, s:o}", "purpose", json_text(ir->records_purpose), "responsible",
					     json_text(ir->records_responsible)));
}

/* Enforce counts its own, and the journal its searches; as one number only where both say theirs, or it would seem to fall. */
static void add_searches(struct supervisor *s, json_t *j)
{
	json_t *own = json_object_get(j, "works_stopped"), *journal = json_object_get(j, "journal"),
	       *searches = json_object_get(journal, "searches_stopped");

	if (json_is_integer(own) && json_is_integer(searches))
		json_integer_set(own, so_far(s, COUNTED_STOPPED, json_integer_value(own)) +
					      so_far(s, COUNTED_SEARCHES, json_integer_value(searches)));
	else
		json_object_del(j, "works_stopped");
	json_object_del(journal, "searches_stopped");
}

json_t *answers_status(struct supervisor *s, struct collect *c)
{
	json_t *j = json_object();

	json_object_set_new(j, "site", json_site(s));
	json_object_set_new(j, "generation", json_generation(s));
	json_object_set_new(j, "changes", json_changes(s));
	if (json_is_object(c->answer[SLOT_ENFORCE]))
		json_object_update_missing(j, c->answer[SLOT_ENFORCE]);
	add_network_drift(s, json_object_get(j, "drift"));
	json_object_set_new(j, "roles", json_roles(s));
	json_object_set_new(j, "queues", json_queues(c));
	json_object_set_new(j, "gates", json_each(c, SLOT_GATE));
	json_object_set_new(j, "workers", json_each(c, SLOT_DPI));
	set_part(j, "journal", c->answer[SLOT_JOURNAL]);
	add_searches(s, j);
	set_part(j, "tap", c->answer[SLOT_TAP]);
	set_part(j, "mgmt", c->answer[SLOT_MGMT]);
	set_part(j, "accounts", c->answer[SLOT_ACCOUNTS]);
	json_object_set_new(j, "silent", json_silent(s, c));
	json_object_set_new(j, "busy", json_boolean(answers_moved(s, c)));
	json_object_set_new(j, "interfaces", json_interfaces(s));
	json_object_set_new(j, "reach", json_reach(s));
	json_object_set_new(j, "clock", json_clock(s));
	json_object_set_new(j, "reviews", json_reviews(s));
	json_object_set_new(j, "ending", json_ending(s));
	json_object_set_new(j, "certificates", json_certificates(s));
	json_object_set_new(j, "uninspected", json_uninspected(s));
	json_object_set_new(j, "unheard", json_unheard(s));
	json_object_set_new(j, "log", json_log(s));
	json_object_set_new(j, "ups", json_ups(s));
	json_object_set_new(j, "mail", json_mail(s));
	json_object_set_new(j, "snmp", json_snmp(s));
	json_object_set_new(j, "surroundings", json_surroundings(s));
	json_object_set_new(j, "cores", json_integer(s->cores));
	json_object_set_new(j, "workers_asked", json_by_kind(s->workers_asked));
	json_object_set_new(j, "workers_run", json_by_kind(s->workers_run));
	json_object_set_new(j, "partition", partition_json(&s->partition));
	json_object_set_new(j, "notice", json_notice(s));
	return j;
}

/* Digest that a worker says it judges by, against the one that it should have. */
static json_t *json_tables(const struct supervisor *s, const struct collect *c, bool *equal)
{
	json_t *list = json_array();
	char want[65];

	*equal = true;
	for (size_t i = 0; i < 32; i++)
		snprintf(want + 2 * i, 3, "%02x", s->table_digest[i]);
	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		const char *has = json_string_value(json_object_get(c->answer[SLOT_DPI + w], "table"));
		bool same = has != NULL && strcmp(has, want) == 0;

		if (!s->pairs[w].wanted)
			continue;
		*equal &= same;
		json_array_append_new(list, json_pack("{s:i, s:s, s:o, s:b}", "index", (int)w, "kind",
						      lane_kind_words[pair_kind(w)], "digest",
						      has != NULL ? json_text(has) : json_null(), "equal", same));
	}
	return list;
}

json_t *answers_silent(enum role r)
{
	return json_pack("{s:o}", "error", json_sentence(M_CONTROL_SILENT, role_name(r)));
}

/* Of an order people want to know whether it was carried out. One that a role has and did not answer may have been. */
json_t *answers_silent_pass(const struct collect *c, enum role r)
{
	if (!c->order)
		return answers_silent(r);
	return json_pack("{s:o}", "error",
			 json_sentence(c->handed ? M_CONTROL_UNSURE : M_CONTROL_NOT_DONE, role_name(r)));
}

/* Of which box, site and moment this is true. The digest is the one that was read back from the kernel. */
void answers_moment(const struct supervisor *s, json_t *j)
{
	json_t *generation = json_object_get(j, "generation"), *all = json_generation(s);
	char host[HOST_NAME_MAX + 1] = "";

	if (json_equal(json_object_get(generation, "digest"), json_object_get(all, "digest")))
		json_object_update_missing(generation, all);
	json_decref(all);
	(void)gethostname(host, sizeof(host) - 1);
	json_object_set_new(j, "host", json_text(host));
	json_object_set_new(j, "site", json_site(s));
	json_object_set_new(j, "time", json_time(clock_wall_ns()));
}

json_t *answers_effective(struct supervisor *s, struct collect *c, int *status)
{
	json_t *j = c->answer[SLOT_ENFORCE], *tables;
	bool equal;

	if (!json_is_object(j) || json_object_get(j, "error") != NULL) {
		*status = 3;
		return json_is_object(j) ? json_incref(j) : answers_silent(ROLE_ENFORCE);
	}
	tables = json_tables(s, c, &equal);
	json_object_set_new(j, "tables_digest", equal ? json_hex(s->table_digest, 32) : json_null());
	json_object_set_new(j, "tables", tables);
	json_object_set_new(j, "retention", retention_json(c->answer[SLOT_JOURNAL]));
	json_object_set_new(j, "record_passed", passed_json(s));
	json_object_set_new(j, "answers", json_answering(s));
	json_object_set_new(j, "reach", json_reach(s));
	json_object_set_new(j, "clock", json_clock(s));
	clock_mark(s, j);
	answers_moment(s, j);
	return json_incref(j);
}

static void add_difference(json_t *list, const char *where, const char *what, const char *detail)
{
	json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:i}", "where", json_text(where), "what", what, "detail",
					      json_text(detail), "line", 0));
}

/* Enforce compares with the generation that it holds: it must be the one that we say is in force. */
static void compare_generation(struct supervisor *s, json_t *answer, json_t *list)
{
	const char *held = json_string_value(json_object_get(answer, "digest"));
	json_t *ours = json_hex(s->now->ir->digest, sizeof(s->now->ir->digest));

	if (held != NULL && ours != NULL && strcmp(held, json_string_value(ours)) != 0)
		add_difference(list, "generation", "changed", held);
	json_decref(ours);
	json_object_del(answer, "digest");
}

/* The journal deletes by a rule of the policy, too, and one that does not answer is no difference: nothing is deleted unheard. */
static void compare_retention(const struct collect *c, json_t *list)
{
	char is[RETENTION_TEXT], want[RETENTION_TEXT];

	if (!retention_differs(c->answer[SLOT_JOURNAL], &c->retention, is, want))
		return;
	add_difference(list, "journal", "changed", is);
	json_object_set_new(json_array_get(list, json_array_size(list) - 1), "want", json_string(want));
}

/* What the tap hears of sessions that pass is a matter between it and the kernel, beside the rules. */
static void compare_passed(const struct supervisor *s, json_t *list)
{
	if (!passed_differs(s))
		return;
	add_difference(list, "tap", "changed",
		       s->now->ir->record_passed ? "record_passed false" : "record_passed true");
	json_object_set_new(json_array_get(list, json_array_size(list) - 1), "want",
			    json_string(s->now->ir->record_passed ? "record_passed true" : "record_passed false"));
}

json_t *answers_verify(struct supervisor *s, struct collect *c, int *status)
{
	json_t *j = c->answer[SLOT_ENFORCE], *list, *tables, *around, *t;
	bool equal;
	size_t i;

	if (!json_is_object(j) || !json_is_boolean(json_object_get(j, "equal"))) {
		*status = 3;
		return json_is_object(j) ? json_incref(j) : answers_silent(ROLE_ENFORCE);
	}
	list = json_object_get(j, "differences");
	around = json_surroundings(s);
	json_array_extend(list, around);
	json_decref(around);
	compare_generation(s, j, list);
	compare_retention(c, list);
	compare_passed(s, list);
	tables = json_tables(s, c, &equal);
	json_array_foreach(tables, i, t) if (!json_is_true(json_object_get(t, "equal")))
	{
		char where[32];

		snprintf(where, sizeof(where), "worker %lld",
			 (long long)json_integer_value(json_object_get(t, "index")));
		add_difference(list, where, json_is_string(json_object_get(t, "digest")) ? "table" : "silent", "");
	}
	json_object_set_new(j, "workers", tables);
	if (!equal || json_array_size(list) > 0)
		json_object_set_new(j, "equal", json_false());
	json_object_set_new(j, "generation", json_integer((json_int_t)s->now->number));
	*status = json_is_true(json_object_get(j, "equal")) && s->now->number != 0 ? 0 : 1;
	return json_incref(j);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the answers of the roles together as one object for status, effective and verify, and adds
 * what the supervisor knows. What a silent role would have said is never made up.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/control/answers.h"
#include "appliance/control/answers_private.h"
#include "appliance/control/certificates.h"
#include "appliance/control/change.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/tried.h"
#include "appliance/control/uninspected.h"
#include "appliance/control/watch.h"
#include "appliance/control/watch_hours.h"
#include "appliance/store/in_force.h"
#include "appliance/wire/settings.h"
#include "policy/ir/json.h"

json_t *json_history(const struct control *s)
{
	json_t *list = json_array();

	for (size_t i = s->store.n; i > 0; i--) {
		const struct generation_record *g = &s->store.list[i - 1];
		json_t *one = json_record(g, s->now->number);

		json_object_set_new(one, "one_step",
				    json_boolean(g->number == s->facts.step && g->number != s->now->number));
		json_array_append_new(list, one);
	}
	return json_pack("{s:o}", "history", list);
}

#define CHANGES_SHOWN 8u
#define CHANGES_NS (86400u * 1000000000ull)

/* The changes of the policy in the last day, the newest first, for people of the next shift. */
static json_t *json_changes(const struct control *s)
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

static json_t *json_silent(const struct collect *c)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < ASKED; i++) {
		enum role r = slot_role(i);
		json_t *j = c->silent[i] ? json_pack("{s:s, s:i}", "role", role_name(r), "index", (int)slot_index(i))
					 : NULL;

		if (j != NULL && (r == ROLE_DPI || r == ROLE_GATE))
			json_object_set_new(j, "kind", json_string(lane_kind_words[pair_kind(slot_index(i))]));
		if (j != NULL)
			json_array_append_new(list, j);
	}
	return list;
}

/* The answers of one kind of role, in order. */
static json_t *json_of_slots(const struct collect *c, unsigned first)
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

/* Moves "queues" out of the gates' answers into one list. */
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

/* Sets `key` to the answer's member of that name, or, if there is none, to the answer. */
static void set_part(json_t *j, const char *key, json_t *answer)
{
	json_t *inner = json_object_get(answer, key);

	if (json_is_object(answer))
		json_object_set(j, key, json_is_object(inner) ? inner : answer);
	else
		json_object_set_new(j, key, json_null());
}

/* The role's count plus the last known counts of its predecessors: the sum never falls. */
static json_int_t so_far(struct control *s, enum counted which, json_int_t now)
{
	if (now < s->counted[which].last)
		s->counted[which].gone += s->counted[which].last;
	s->counted[which].last = now;
	return s->counted[which].gone + now;
}

/*
 * Enforce counts changes of rules and settings, the supervisor those of addresses, links and
 * routes. Their sum is only given when both have answered: a lower sum would look like a restart.
 */
static void add_network_drift(struct control *s, json_t *drift, const json_t *box)
{
	json_t *own = s->facts.drifts > 0 ? json_time(s->facts.drift_last) : NULL;
	const char *last = json_string_value(json_object_get(drift, "last"));
	json_t *seen = json_object_get(drift, "seen");

	if (!json_is_integer(seen) || !json_is_object(box)) {
		json_decref(own);
		return;
	}
	json_integer_set(seen, so_far(s, COUNTED_DRIFTS, json_integer_value(seen)) + (json_int_t)s->facts.drifts);
	if (last != NULL)
		snprintf(s->drift_last, sizeof(s->drift_last), "%s", last);
	else if (*s->drift_last != '\0')
		json_object_set_new(drift, "last", json_string(last = s->drift_last));
	if (json_is_string(own) && (last == NULL || strcmp(last, json_string_value(own)) < 0))
		json_object_set(drift, "last", own);
	json_decref(own);
}

/* Sets `key` to `value`, which the supervisor told beside its answer; to null without an answer.
 * Takes the reference. */
static void put_member(json_t *j, const json_t *box, const char *key, json_t *value)
{
	json_object_set_new(j, key, json_is_object(box) ? json_incref(value) : json_null());
	json_decref(value);
}

/* Copies members of the supervisor's answer; null where it has none. */
static void take_all(json_t *j, const json_t *box, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		json_t *x = json_object_get(box, *keys);

		json_object_set_new(j, *keys, x != NULL ? json_incref(x) : json_null());
	}
}

/* Enforce counts its searches and the journal its own. The sum is only given when both have
 * answered, or it would seem to fall. */
static void add_searches(struct control *s, json_t *j)
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

static json_t *answers_status(struct control *s, struct collect *c)
{
	static const char *const links[] = { "interfaces", "reach", NULL }, *const beside[] = { "log",		"ups",
												"mail",		"snmp",
												"surroundings", NULL },
				 *const rest[] = { "partition", "notice", NULL };
	const json_t *box = c->answer[SLOT_BOX];
	json_t *j = json_object();

	put_member(j, box, "site", site_json(s->now->ir));
	put_member(j, box, "generation", json_generation(s));
	json_object_set_new(j, "changes", json_changes(s));
	if (json_is_object(c->answer[SLOT_ENFORCE]))
		json_object_update_missing(j, c->answer[SLOT_ENFORCE]);
	add_network_drift(s, json_object_get(j, "drift"), box);
	put_member(j, box, "roles", json_roles(s));
	json_object_set_new(j, "queues", json_queues(c));
	json_object_set_new(j, "gates", json_of_slots(c, SLOT_GATE));
	json_object_set_new(j, "workers", json_of_slots(c, SLOT_DPI));
	set_part(j, "journal", c->answer[SLOT_JOURNAL]);
	add_searches(s, j);
	set_part(j, "tap", c->answer[SLOT_TAP]);
	set_part(j, "mgmt", c->answer[SLOT_MGMT]);
	set_part(j, "accounts", c->answer[SLOT_ACCOUNTS]);
	json_object_set_new(j, "silent", json_silent(c));
	json_object_set_new(j, "busy", json_boolean(answers_moved(s, c)));
	take_all(j, box, links);
	put_member(j, box, "clock", json_clock(s));
	put_member(j, box, "isolations", json_isolations(s));
	put_member(j, box, "doors", json_doors(s));
	json_object_set_new(j, "windows", json_windows(s));
	/* For people who may isolate and open doors but not read rules. */
	json_object_set_new(j, "prepared", ir_isolations_json(s->now->ir));
	json_object_set_new(j, "reviews", json_reviews(s));
	json_object_set_new(j, "backup", json_tried(s));
	json_object_set_new(j, "ending", json_ending(s));
	json_each(one, json_object_get(j, "doors"))
		ir_door_json(s->now->ir, one);
	json_each(one, json_object_get(j, "isolations"))
		ir_isolation_json(s->now->ir, one);
	json_each(one, json_object_get(json_object_get(j, "ending"), "conduits"))
		ir_machines_json(s->now->ir, one);
	json_each(one, json_object_get(json_object_get(j, "expected"), "conduits"))
		ir_machines_json(s->now->ir, one);
	json_each(one, json_object_get(json_object_get(json_object_get(j, "journal"), "attacks"), "alarms"))
		ir_attack_json(s->now->ir, one);
	json_object_set_new(j, "certificates", json_certificates(s));
	json_object_set_new(j, "draft", change_waits(s));
	json_object_set_new(j, "uninspected", json_uninspected(s));
	json_object_set_new(j, "unheard", json_unheard(s));
	take_all(j, box, beside);
	put_member(j, box, "cores", json_integer((json_int_t)s->facts.cores));
	put_member(j, box, "workers_asked", json_by_kind(s->facts.workers_asked));
	put_member(j, box, "workers_run", json_by_kind(s->facts.workers_run));
	take_all(j, box, rest);
	if (change_unsaved(s) && json_is_null(json_object_get(j, "notice")))
		json_object_set_new(j, "notice", json_sentence(M_STORE_UNSAVED));
	return j;
}

/* The digest of the tables that each worker reports, against the expected one. */
static json_t *json_tables(const struct control *s, const struct collect *c, bool *equal)
{
	json_t *want = json_hex(s->facts.table, sizeof(s->facts.table)), *list = json_array();

	*equal = true;
	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		const char *has = json_string_value(json_object_get(c->answer[SLOT_DPI + w], "table"));
		bool same = has != NULL && strcmp(has, json_string_value(want)) == 0;

		if ((s->facts.pairs >> w & 1u) == 0)
			continue;
		*equal &= same;
		json_array_append_new(list, json_pack("{s:i, s:s, s:o, s:b}", "index", (int)w, "kind",
						      lane_kind_words[pair_kind(w)], "digest",
						      has != NULL ? json_text(has) : json_null(), "equal", same));
	}
	json_decref(want);
	return list;
}

/* Sets "observed" of each conduit: what the journal saw of a conduit that only observes; null for
 * any other conduit, and when the journal is silent. */
static void add_observed(json_t *conduits, const json_t *journal)
{
	const json_t *all = json_object_get(journal, "observed");

	json_each(c, conduits) {
		const char *name = json_string_value(json_object_get(c, "name")),
			   *mode = json_string_value(json_object_get(c, "mode"));
		json_t *one = name != NULL && strcmp(mode != NULL ? mode : "", "observe") == 0
				      ? json_object_get(all, name)
				      : NULL;

		json_object_set_new(c, "observed", one != NULL ? json_incref(one) : json_null());
	}
}

static json_t *answers_effective(struct control *s, struct collect *c, int *status)
{
	json_t *j = c->answer[SLOT_ENFORCE], *tables;
	const json_t *box = c->answer[SLOT_BOX];
	bool equal;

	if (!json_is_object(j) || json_object_get(j, "error") != NULL || !json_is_object(box)) {
		*status = 3;
		return json_is_object(j) ? json_incref(j) : answers_silent(ROLE_ENFORCE);
	}
	tables = json_tables(s, c, &equal);
	json_object_set_new(j, "tables_digest", equal ? json_hex(s->facts.table, sizeof(s->facts.table)) : json_null());
	json_object_set_new(j, "tables", tables);
	json_object_set_new(j, "retention", retention_json(c->answer[SLOT_JOURNAL]));
	add_observed(json_object_get(j, "conduits"), c->answer[SLOT_JOURNAL]);
	take_all(j, box, (const char *const[]){ "record_passed", "answers", "reach", NULL });
	json_object_set_new(j, "clock", json_clock(s));
	waiting_mark(s->now->ir, clock_wall_s(), !s->trusted, json_object_get(j, "conduits"));
	moment_json(j, json_generation(s), site_json(s->now->ir));
	return json_incref(j);
}

static void add_difference(json_t *list, const char *where, const char *what, const char *detail)
{
	json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:i}", "where", json_text(where), "what", what, "detail",
					      json_text(detail), "line", 0));
}

/* Enforce compares the kernel with the generation that it holds: that must be the one in force. */
static void compare_generation(struct control *s, json_t *answer, json_t *list)
{
	const char *held = json_string_value(json_object_get(answer, "digest"));
	json_t *ours = json_hex(s->now->ir->digest, sizeof(s->now->ir->digest));

	if (held != NULL && ours != NULL && strcmp(held, json_string_value(ours)) != 0)
		add_difference(list, "generation", "changed", held);
	json_decref(ours);
	json_object_del(answer, "digest");
}

/* Compares the journal's retention rule, which is also from the policy. A silent journal is no
 * difference: it deletes nothing without having heard the rule. */
static void compare_retention(const struct collect *c, json_t *list)
{
	char is[RETENTION_TEXT], want[RETENTION_TEXT];

	if (!retention_differs(c->answer[SLOT_JOURNAL], &c->retention, is, want))
		return;
	add_difference(list, "journal", "changed", is);
	json_object_set_new(json_array_get(list, json_array_size(list) - 1), "want", json_string(want));
}

/* Compares whether the kernel reports passed sessions to the tap. This is set outside the rules. */
static void compare_passed(const struct control *s, const json_t *box, json_t *list)
{
	if (!json_is_true(json_object_get(box, "passed_differs")))
		return;
	add_difference(list, "tap", "changed",
		       s->now->ir->record_passed ? "record_passed false" : "record_passed true");
	json_object_set_new(json_array_get(list, json_array_size(list) - 1), "want",
			    json_string(s->now->ir->record_passed ? "record_passed true" : "record_passed false"));
}

static json_t *answers_verify(struct control *s, struct collect *c, int *status)
{
	json_t *j = c->answer[SLOT_ENFORCE], *list, *tables;
	const json_t *box = c->answer[SLOT_BOX];
	bool equal;

	if (!json_is_object(j) || !json_is_boolean(json_object_get(j, "equal")) || !json_is_object(box)) {
		*status = 3;
		return json_is_object(j) ? json_incref(j) : answers_silent(ROLE_ENFORCE);
	}
	list = json_object_get(j, "differences");
	json_array_extend(list, json_object_get(box, "surroundings"));
	compare_generation(s, j, list);
	compare_retention(c, list);
	compare_passed(s, box, list);
	tables = json_tables(s, c, &equal);
	json_each(t, tables)
		if (!json_is_true(json_object_get(t, "equal"))) {
			char where[32];

			snprintf(where, sizeof(where), "worker %lld",
				 (long long)json_integer_value(json_object_get(t, "index")));
			add_difference(list, where, json_is_string(json_object_get(t, "digest")) ? "table" : "silent",
				       "");
		}
	json_object_set_new(j, "workers", tables);
	if (!equal || json_array_size(list) > 0)
		json_object_set_new(j, "equal", json_false());
	json_object_set_new(j, "generation", json_integer((json_int_t)s->now->number));
	*status = json_is_true(json_object_get(j, "equal")) && s->now->number != 0 ? 0 : 1;
	return json_incref(j);
}

json_t *answers_compose(struct control *s, struct collect *c, int *status)
{
	if (c->kind == COLLECT_STATUS)
		return answers_status(s, c);
	return c->kind == COLLECT_EFFECTIVE ? answers_effective(s, c, status) : answers_verify(s, c, status);
}

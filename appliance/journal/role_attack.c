/* SPDX-License-Identifier: Apache-2.0 */
/* Signs of attacks: feeds the detector (attack.h) with the records, writes its file, and carries
 * out people's orders about alarms. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#include "appliance/journal/role_attack.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_register.h"
#include "appliance/journal/role_write.h"

#define SECOND 1000000000ull
#define LOOK_NS (3600 * SECOND) /* ns between two checks whether a self-test is due */

static void put_record(struct journal_role *j, struct event *e, const char *by)
{
	struct attack_rule rule;

	(void)names_attack_rule(&j->names, &rule, &e->generation);
	if (by != NULL)
		event_say(e, EVENT_BY, by);
	role_put(j, e, ROLE_JOURNAL, 1);
}

static void put_rung(struct journal_role *j)
{
	struct event e;

	while (attacks_out(&j->attacks, clock_wall_s(), &e))
		put_record(j, &e, NULL);
}

static void test(struct journal_role *j, const char *by)
{
	struct event e;

	attacks_test(&j->attacks, clock_wall_s(), &e);
	put_rung(j);
	put_record(j, &e, by);
}

void role_attack_open(struct journal_role *j)
{
	uint64_t seed = 0;
	struct event e;
	bool damaged;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = clock_wall_ns();
	attacks_load(j->chain.dirfd, seed, &j->attacks, &damaged);
	if (damaged) {
		e = event_new(EVENT_ATTACK, clock_wall_ns());
		e.code = ATTACK_DAMAGED;
		e.space = ATTACK_CAUSES;
		role_put(j, &e, ROLE_JOURNAL, 1);
	}
	/* The first self-test is due in a month. */
	if (j->attacks.tested == 0)
		j->attacks.tested = clock_wall_s();
}

void role_attack_rule(struct journal_role *j)
{
	struct event_generation which;
	struct attack_rule rule;
	struct event e;

	if (names_attack_rule(&j->names, &rule, &which) && attacks_rule(&j->attacks, &rule, clock_wall_s(), &e))
		put_record(j, &e, NULL);
}

void role_attack_heard(struct journal_role *j, const struct event *e)
{
	struct named named;

	names_of_event(&j->names, e, &named);
	attacks_note(&j->attacks, e, &named, e->wall_ns / SECOND);
	put_rung(j);
}

/* ---- by the clock ---------------------------------------------------------------------------- */

uint64_t role_attack_due(const struct journal_role *j)
{
	const struct attacks *a = &j->attacks;
	uint64_t save = role_turn_due(&j->attack_turn, a->changed, a->stale),
		 due = save < j->attack_look_at ? save : j->attack_look_at, alarm = attacks_due(a),
		 now = clock_wall_s();

	if (alarm != UINT64_MAX) {
		alarm = clock_mono().ns + (alarm > now ? (alarm - now) * SECOND : 0);
		due = alarm < due ? alarm : due;
	}
	return due;
}

static void look_at_alarms(struct journal_role *j, uint64_t now)
{
	struct attacks *a = &j->attacks;

	a->settled = weak_settled(&j->attack_steady, (struct mono){ now }, clock_wall_ns());
	if (now < j->attack_look_at)
		return;
	j->attack_look_at = now + LOOK_NS + SECOND;
	if (a->settled && clock_wall_s() >= a->tested + ATTACK_TEST_EVERY_S)
		test(j, NULL);
}

void role_attack_write(struct journal_role *j, uint64_t now, bool all)
{
	struct attacks *a = &j->attacks;

	attacks_tick(a, clock_wall_s());
	if (!all)
		look_at_alarms(j, now);
	put_rung(j);
	role_register_write(j, &attacks_file, a, &j->attack_turn, &a->changed, &a->stale, now, all);
}

/* ---- the status ------------------------------------------------------------------------------ */

/* Whether `x` is listed before `y`. */
static bool alarm_before(const struct attack_alarm *x, const struct attack_alarm *y)
{
	if (x->grave != y->grave)
		return x->grave;
	return x->rang != y->rang ? x->rang > y->rang : x->number > y->number;
}

static void tell_alarm(struct msg_journal_status *ret, size_t n, const struct attack_alarm *x)
{
	ret->attack_number[n] = (uint64_t)x->rung << 32 | x->number;
	ret->attack_what[n] = (uint64_t)x->places << 32 | (uint64_t)x->hosts << 16 | (uint64_t)x->test << 9 |
			      (uint64_t)x->grave << 8 | x->cause;
	ret->attack_first[n] = x->first;
	ret->attack_last[n] = x->last;
	ret->attack_rang[n] = x->rang;
	ret->attack_count[n] = x->count;
	snprintf((char *)&ret->attack_from[n * ATTACK_END], ATTACK_END, "%s", x->from);
	snprintf((char *)&ret->attack_to[n * ATTACK_END], ATTACK_END, "%s", x->to);
}

void role_attack_status(const struct journal_role *j, struct msg_journal_status *ret)
{
	const struct attacks *a = &j->attacks;
	const struct attack_alarm *told[ATTACK_TOLD];
	size_t n = 0;

	ret->attack_beyond = a->beyond;
	ret->attack_version = a->rule_version;
	ret->attack_tested = a->tested;
	ret->attack_missed = a->test_missed;
	ret->attack_damaged = a->damaged;
	for (size_t i = 0; i < a->n; i++) {
		const struct attack_alarm *x = &a->alarms[i];
		size_t at;

		ret->attack_acknowledged += x->acknowledged != 0;
		ret->attack_silenced += x->silent_until != 0;
		if (!attack_rings(x))
			continue;
		ret->attack_rings++;
		for (at = n < ATTACK_TOLD ? n++ : ATTACK_TOLD; at > 0 && alarm_before(x, told[at - 1]); at--)
			if (at < ATTACK_TOLD)
				told[at] = told[at - 1];
		if (at < ATTACK_TOLD)
			told[at] = x;
	}
	for (size_t i = 0; i < n; i++)
		tell_alarm(ret, i, told[i]);
}

/* ---- orders of people ------------------------------------------------------------------------ */

static const char *state_of(const struct attack_alarm *x)
{
	return x->acknowledged != 0 ? "acknowledged" : x->silent_until != 0 ? "silenced" : "ringing";
}

static json_t *alarm_json(const struct attack_alarm *x)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o}",
			 "number", (json_int_t)x->number, "attack", attack_word(x->cause), "en",
			 attack_text(x->cause, "en"), "ja", attack_text(x->cause, "ja"), "state", state_of(x), "grave",
			 (int)x->grave, "test", (int)x->test, "first", json_seconds(x->first), "last",
			 json_seconds(x->last), "rang", json_seconds(x->rang), "rung", (json_int_t)x->rung, "count",
			 (json_int_t)x->count, "hosts", (json_int_t)x->hosts, "places", (json_int_t)x->places, "from",
			 json_text(x->from), "to", json_text(x->to), "acknowledged", json_seconds(x->acknowledged),
			 "silent_until", json_seconds(x->silent_until), "person", json_text(x->person), "by",
			 json_text(x->by), "reason", json_text(x->reason));
}

static json_t *list_json(const struct attacks *a)
{
	json_t *list = json_array(), *rule = json_object(), *missed = json_array();

	for (size_t i = 0; i < a->n; i++)
		json_array_append_new(list, alarm_json(&a->alarms[i]));
	for (unsigned i = 0; i < ATTACK_CAUSES; i++) {
		json_object_set_new(rule, attack_word(i), json_integer(a->rule.at_least[i]));
		if ((a->test_missed >> i & 1u) != 0)
			json_array_append_new(missed, json_string(attack_word(i)));
	}
#define ATTACK_SETTING(word, ...) json_object_set_new(rule, #word, json_integer(a->rule.word));
#include "appliance/wire/attack.def"
	return json_pack("{s:o, s:I, s:I, s:o, s:o, s:o}", "alarms", list, "beyond", (json_int_t)a->beyond, "version",
			 (json_int_t)a->rule_version, "thresholds", rule, "tested", json_seconds(a->tested),
			 "test_missed", missed);
}

json_t *role_attack_order(struct journal_role *j, const struct msg *asked, enum answer_status *ret)
{
	const struct msg_attacks *m = &asked->body.attacks;
	char by[USER_BY + 1] = "", person[HOLD_PERSON + 1] = "";
	struct attack_seen seen = { m->number, m->order == ATTACKS_SILENCE ? m->silent_s : 0, by, person, m->reason };
	struct event e;

	memcpy(by, m->by, USER_BY - 1);
	memcpy(person, m->person, HOLD_PERSON - 1);
	*ret = ANSWER_YES;
	if (m->order == ATTACKS_TEST) {
		test(j, by);
		return list_json(&j->attacks);
	}
	if (m->order == ATTACKS_LIST)
		return list_json(&j->attacks);
	if (text_is_blank(person, HOLD_PERSON) || text_is_blank(m->reason, HOLD_REASON) ||
	    (m->order == ATTACKS_SILENCE && m->silent_s == 0)) {
		*ret = ANSWER_INVALID;
		return json_pack("{s:s}", "error", "malformed order");
	}
	if (!attacks_seen(&j->attacks, &seen, clock_wall_s(), &e)) {
		*ret = ANSWER_NO;
		return json_pack("{s:s}", "error", "no such alarm");
	}
	put_record(j, &e, NULL);
	/* A person has seen the list, so its damage is no longer reported. */
	j->attacks.damaged = false;
	return list_json(&j->attacks);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Turns what the supervisor tells of the box into JSON for people (docs/json.md). */
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/watch.h"
#include "appliance/store/in_force.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/settings.h"
#include "policy/ir/isolation.h"
#include "policy/ir/json.h"
#include "policy/ir/needs.h"

#define SECOND 1000000000ull
#define LISTS_MOST (16u << 20)
#define LABEL_TEXT 600 /* two labels */

/* Explains when the number of pairs differs from the requested one. False: it does not differ. */
static bool workers_notice(const struct msg_standing *f, struct sentence *ret)
{
	static const enum lane_kind kinds[] = { LANE_COMMANDS, LANE_NAMING };
	static const enum message later[LANE_KINDS] = {
		[LANE_COMMANDS] = M_WORKERS_LATER_COMMANDS, [LANE_NAMING] = M_WORKERS_LATER_NAMING
	};

	for (unsigned i = 0; i < LANE_KINDS; i++)
		if (f->workers_asked[kinds[i]] > f->cores) {
			sentence_say(ret, M_WORKERS_FEWER, (unsigned)f->workers_asked[kinds[i]], (unsigned)f->cores);
			return true;
		}
	for (unsigned i = 0; i < LANE_KINDS; i++) {
		unsigned asked = (unsigned)f->workers_asked[kinds[i]], run = (unsigned)f->workers_run[kinds[i]];

		if (run == 0 || run == asked)
			continue;
		sentence_say(ret, later[kinds[i]], asked, run);
		return true;
	}
	return false;
}

void workers_say(struct control *s)
{
	struct sentence now = { 0 };

	if (workers_notice(&s->facts, &now) && memcmp(&now, &s->workers_said, sizeof(now)) != 0)
		fprintf(stderr, "sekishod: %s\n", now.text[s->facts.lang]);
	s->workers_said = now;
}

/* The supervisor passes lists on as enforce sent them. If one is not valid, the former list stays,
 * because an error here would end each new control. */
static void take_list(json_t **list, int fd)
{
	json_t *told = json_of_memfd(fd, LISTS_MOST);

	if (!json_is_array(told)) {
		json_decref(told);
		told = *list != NULL ? json_incref(*list) : json_array();
	}
	json_decref(*list);
	*list = told;
}

void facts_told(struct control *s, struct msg *m)
{
	take_list(&s->doors, m->fds[0]);
	take_list(&s->isolations, m->fds[1]);
	s->facts = m->body.standing;
}

json_t *json_generation(const struct control *s)
{
	json_t *j = generation_json(&s->store, s->now->number, s->now->ir, s->facts.trial, s->facts.until);
	uint64_t left = s->facts.trial != 0 ? ir_needs_left(s->now->ir, s->facts.proven) : 0;

	(void)json_object_set_new(j, "unheard", ir_needs_json(s->now->ir, left));
	return j;
}

json_t *json_clock(const struct control *s)
{
	const struct msg_standing *f = &s->facts;
	const enum clock_sync sync = clock_synchronised();
	const struct clock_said c = { .wait = (enum clock_wait)f->clock_wait,
				      .found = (enum moment_found)f->clock_found,
				      .latest = f->clock_latest,
				      .sync = sync,
				      .since_ns = source_since(s, sync),
				      .sources = f->clock_sources != 0 };

	return clock_json(&c, s->now->ir);
}

json_t *json_roles(const struct control *s)
{
	static const char *const states[] = {
		[SLOT_OFF] = "off",
		[SLOT_DEAD] = "dead",
		[SLOT_STARTING] = "starting",
		[SLOT_RUNNING] = "running",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct msg_standing *f = &s->facts;
		enum role r = slot_role(i);
		json_t *j;

		if (f->state[i] == SLOT_OFF || f->state[i] > SLOT_RUNNING)
			continue;
		j = json_pack("{s:I, s:s, s:I, s:o, s:s, s:I}", "pid", (json_int_t)f->pid[i], "state",
			      states[f->state[i]], "restarts", (json_int_t)f->restarts[i], "since",
			      json_time(f->since[i]), "role", role_name(r), "index", (json_int_t)slot_index(i));
		if (r == ROLE_DPI || r == ROLE_GATE)
			json_object_set_new(j, "kind", json_string(lane_kind_words[pair_kind(slot_index(i))]));
		json_array_append_new(list, j);
	}
	return list;
}

json_t *json_by_kind(const uint64_t n[LANE_KINDS])
{
	json_t *j = json_object();

	for (unsigned k = 0; k < LANE_KINDS; k++)
		json_object_set_new(j, lane_kind_words[k], json_integer((json_int_t)n[k]));
	return j;
}

/* ---- isolations and doors -------------------------------------------------------------------- */

json_t *json_isolations(const struct control *s)
{
	json_t *list = json_array();

	json_each(x, s->isolations) {
		json_t *j = json_copy(x);
		char label[LABEL_TEXT] = "";

		/* Leaves out the pairs: they may be many, and people are not told them. */
		(void)json_object_del(j, "pairs");
		(void)json_object_del(j, "meant");

		ir_isolated_label(s->now->ir, text_in(j, "what"), label, sizeof(label));
		(void)json_object_set_new(j, "label", json_text(label));
		(void)json_array_append_new(list, j);
	}
	return list;
}

bool door_is_open(const struct control *s, const char *door)
{
	json_each(x, s->doors)
		if (json_is_true(json_object_get(x, "open")) && strcmp(text_in(x, "door"), door) == 0)
			return true;
	return false;
}

static json_t *words_json(const char *const *list, unsigned n, uint32_t bits)
{
	json_t *j = json_array();

	for (unsigned i = 0; i < n; i++)
		if ((bits >> i & 1u) != 0)
			(void)json_array_append_new(j, json_string(list != NULL ? list[i] : duty_word(i)));
	return j;
}

/* Whether the opening is over, and nobody has written how it went. */
static bool owes_note(const json_t *x)
{
	return count_in(x, "ended") != 0 && json_object_get(x, "note") == NULL;
}

static json_t *use_json(const json_t *x)
{
	return json_pack("{s:O, s:o, s:o, s:o, s:b, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O}", "opening",
			 json_object_get(x, "opening"), "since", json_time(count_in(x, "since") * SECOND), "until",
			 json_time(count_in(x, "until") * SECOND), "ended", json_seconds(count_in(x, "ended")),
			 "note_owed", (int)owes_note(x), "by", json_object_get(x, "by"), "account",
			 json_object_get(x, "account"), "second", json_object_get(x, "second"), "person",
			 json_object_get(x, "person"), "ticket", json_object_get(x, "ticket"), "reason",
			 json_object_get(x, "reason"), "open", json_object_get(x, "open"), "unreviewed",
			 json_object_get(x, "unreviewed"));
}

/* The first person's request, as it is shown to the person who may agree, until enforce voids it
 * (enforce/door_book.c). */
static json_t *asked_json(const struct control *s, const char *door)
{
	json_each(x, s->doors)
		if (json_is_true(json_object_get(x, "asked")) && count_in(x, "until") > clock_wall_s() &&
		    strcmp(text_in(x, "door"), door) == 0)
			return json_pack("{s:O, s:o, s:O, s:O, s:O, s:O, s:O, s:O}", "request",
					 json_object_get(x, "request"), "until",
					 json_time(count_in(x, "until") * SECOND), "by", json_object_get(x, "by"),
					 "account", json_object_get(x, "account"), "person",
					 json_object_get(x, "person"), "ticket", json_object_get(x, "ticket"), "reason",
					 json_object_get(x, "reason"), "for_s", json_object_get(x, "for_s"));
	return json_null();
}

json_t *json_doors(const struct control *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < s->now->ir->n_doors; i++) {
		const struct ir_door *d = &s->now->ir->doors[i];
		json_t *uses = json_array();

		json_each(x, s->doors)
			if ((json_is_true(json_object_get(x, "open")) || owes_note(x) ||
			     json_is_true(json_object_get(x, "unreviewed"))) &&
			    strcmp(text_in(x, "door"), d->name) == 0)
				(void)json_array_append_new(uses, use_json(x));
		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:b, s:I, s:o, s:o, s:b, s:b, s:o, s:o}", "door",
					json_text(d->name), "label", json_text(d->label), "organisation",
					json_text(d->organisation), "open", (int)door_is_open(s, d->name), "at_most_s",
					(json_int_t)d->at_most, "opened_by", words_json(NULL, DUTY_COUNT, d->opened_by),
					"needs", words_json(door_need_words, DOOR_NEEDS, d->needs), "second_person",
					(int)d->second_person, "break_glass", (int)d->break_glass, "asked",
					asked_json(s, d->name), "uses", uses));
	}
	return list;
}

/* ---- answers to orders ----------------------------------------------------------------------- */

/* Sets the member if the supervisor has left it to control (null). */
static void fill_member(json_t *j, const char *key, json_t *value)
{
	if (json_is_null(json_object_get(j, key)))
		json_object_set_new(j, key, value);
	else
		json_decref(value);
}

json_t *told_answer(const struct control *s, json_t *j)
{
	json_t *why = refusal_json(s, json_object_get(j, "error"));
	struct sentence notice = { 0 };

	if (why != NULL)
		json_object_set_new(j, "error", why);
	/* only the answer about a policy has this member */
	if (json_object_get(j, "diagnostics") != NULL && workers_notice(&s->facts, &notice))
		json_object_set_new(j, "notice", sentence_json(&notice));
	fill_member(j, "generation", json_generation(s));
	fill_member(j, "doors", json_doors(s));
	fill_member(j, "saved",
		    json_boolean(json_object_get(j, "clock") != NULL	    ? !s->facts.clock_unsaved
				 : json_object_get(j, "isolations") != NULL ? !s->facts.isolations_unsaved
									    : !s->facts.doors_unsaved));
	fill_member(j, "isolations", json_isolations(s));
	if (json_object_get(j, "before") != NULL)
		fill_member(j, "clock", json_clock(s));
	return j;
}

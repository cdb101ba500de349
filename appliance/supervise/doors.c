/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/store/listed.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/change.h"

#define NAME "doors"
#define LIMIT_NS (10 * SECOND)
#define AGAIN_NS (5 * SECOND)
#define ASKED_S 900u /* seconds that a first person's request waits for a second person */

static uint64_t number_of(const json_t *x, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(x, key));

	return n > 0 ? (uint64_t)n : 0;
}

static bool is_open(const json_t *x)
{
	return json_is_true(json_object_get(x, "open"));
}

/* Whether this is a first person's request that still waits. After the clock was set back, it does
 * not. */
static bool is_asked(const json_t *x)
{
	uint64_t now = wall_s();

	return json_is_true(json_object_get(x, "asked")) && number_of(x, "until") > now &&
	       number_of(x, "since") <= now + 1;
}

static const struct ir_door *door_of(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->n_doors; i++)
		if (strcmp(ir->doors[i].name, name) == 0)
			return &ir->doors[i];
	return NULL;
}

static json_t *open_entry(const struct supervisor *s, const char *door)
{
	json_t *x;
	size_t i;

	json_array_foreach(s->doors.list, i, x) if (is_open(x) && strcmp(text_in(x, "door"), door) == 0) return x;
	return NULL;
}

static json_t *asked_entry(const struct supervisor *s, const char *door)
{
	json_t *x;
	size_t i;

	json_array_foreach(s->doors.list, i, x) if (is_asked(x) && strcmp(text_in(x, "door"), door) == 0) return x;
	return NULL;
}

/* When the door ends: at the latest as the policy in force allows. */
static uint64_t limit(const struct ir_door *d, const json_t *x)
{
	uint64_t until = number_of(x, "until"), most = number_of(x, "since") + d->at_most;

	until = until < most ? until : most;
	return d->contract_until != 0 && d->contract_until < until ? d->contract_until : until;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Records an event about a door; the parts become "nagoya: Tanaka, 4711, the spreader hangs". */
static void record(struct supervisor *s, enum policy_event what, const char *by, const char *second, uint64_t until,
		   const char *const said[4])
{
	json_t *end = until != 0 ? json_time(until * SECOND) : NULL;
	char text[EVENT_TEXT];
	unsigned named = 0;
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < 4; i++)
		if (said[i] != NULL && said[i][0] != '\0' && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
					      n == 0	     ? ""
					      : named++ == 0 ? ": "
							     : ", ",
					      said[i]);
	policy_event_of(s, what, s->now->number,
			(struct said){ .by = by, .object = text, .before = second, .after = json_string_value(end) });
	json_decref(end);
}

static void record_entry(struct supervisor *s, enum policy_event what, const json_t *x, const char *by)
{
	record(s, what, by, what == POLICY_DOOR_OPENED || what == POLICY_DOOR_GLASS ? text_in(x, "second") : "",
	       what == POLICY_DOOR_OPENED || what == POLICY_DOOR_GLASS ? number_of(x, "until") : 0,
	       (const char *const[4]){ text_in(x, "door"), text_in(x, "person"), text_in(x, "ticket"),
				       text_in(x, "reason") });
}

static void refuse(struct supervisor *s, struct asker a, const struct door_order *o, enum message m, ...)
{
	struct sentence why = { 0 };
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&why, m, ap);
	va_end(ap);
	record(s, POLICY_DOOR_REFUSED, o->by, "", 0,
	       (const char *const[4]){ o->object, o->person, o->ticket, o->comment });
	answer_json(s, a, ANSWER_CANNOT, json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(&why)));
}

/* ---- telling enforce ------------------------------------------------------------------------- */

static void save(struct supervisor *s)
{
	s->doors.unsaved = !listed_save(s->state_fd, NAME, s->doors.list);
	s->doors.again = mono_ns() + AGAIN_NS;
}

static bool send(struct supervisor *s, const struct policy *next, uint32_t id)
{
	uint8_t bytes[DOORS_OPEN * OPEN_DOOR_BYTES];
	struct outbuf out = outbuf_of(bytes, sizeof(bytes));
	const json_t *x;
	bool sent = false;
	size_t i;
	int fd;

	json_array_foreach(s->doors.list, i, x)
	{
		const struct ir_door *d = next != NULL ? door_of(next->ir, text_in(x, "door")) : NULL;
		struct msg_open_door m = { 0 };

		if (d == NULL)
			d = door_of(s->now->ir, text_in(x, "door"));
		if (!is_open(x) || d == NULL)
			continue;
		snprintf((char *)m.name, sizeof(m.name), "%s", d->name);
		m.until = limit(d, x);
		msg_put_open_door(&out, &m);
	}
	if (s->slots[SLOT_ENFORCE].state != SLOT_RUNNING)
		return false; /* a new enforce gets the doors before anything else */
	fd = memfd_sealed("sekisho-doors", bytes, out.len);
	if (fd >= 0) {
		sent = role_send(s, &s->slots[SLOT_ENFORCE], id, &(struct msg_body){ .type = MSG_DOORS }, &fd, 1);
		close(fd);
	}
	return sent;
}

void doors_before(struct supervisor *s, const struct policy *p)
{
	(void)send(s, p, s->doors.waits ? s->doors.id : 0);
}

static void forget_over(struct doors *x)
{
	for (size_t i = json_array_size(x->list); i-- > 0;) {
		const json_t *one = json_array_get(x->list, i);

		if (!is_open(one) && !is_asked(one) && !json_is_true(json_object_get(one, "unreviewed")))
			(void)json_array_remove(x->list, i);
	}
}

/* Whether the policy in force has that conduit behind that door. */
static bool behind(const struct ir *ir, const char *conduit, const char *door)
{
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct ir_conduit *c = &ir->conduits[i];

		if (c->door < ir->n_doors && strcmp(c->name, conduit) == 0 &&
		    strcmp(ir->doors[c->door].name, door) == 0)
			return true;
	}
	return false;
}

bool doors_notice(const struct supervisor *s, const struct policy *p, struct sentence *ret)
{
	for (uint32_t i = 0; i < p->ir->n_conduits; i++) {
		const struct ir_conduit *c = &p->ir->conduits[i];
		const char *door = c->door < p->ir->n_doors ? p->ir->doors[c->door].name : NULL;

		if (door == NULL || open_entry(s, door) == NULL || behind(s->now->ir, c->name, door))
			continue;
		sentence_say(ret, M_DOOR_STANDS_OPEN, door, c->name);
		return true;
	}
	return false;
}

static void changed(struct supervisor *s, const struct asker *a)
{
	struct doors *x = &s->doors;

	forget_over(x);
	save(s);
	if (a != NULL) {
		x->waits = true;
		x->id = ++s->next_id;
		x->deadline = mono_ns() + LIMIT_NS;
		x->asker = *a;
	}
	(void)send(s, NULL, a != NULL ? x->id : 0);
	facts_tell(s);
}

bool door_done(struct supervisor *s, struct msg *m)
{
	struct doors *x = &s->doors;
	struct sentence why = { 0 };

	if (!x->waits || m->id != x->id)
		return false;
	x->waits = false;
	if (m->body.answer.status == ANSWER_YES) {
		answer_json(s, x->asker, ANSWER_YES,
			    json_pack("{s:b, s:b, s:o}", "done", 1, "saved", (int)!x->unsaved, "doors", json_null()));
		return true;
	}
	sentence_say(&why, M_DOOR_KERNEL);
	answer_json(s, x->asker, ANSWER_CANNOT, json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(&why)));
	return true;
}

/* ---- orders ---------------------------------------------------------------------------------- */

static void open_it(struct supervisor *s, struct asker a, const struct ir_door *d, const struct door_order *o,
		    const char *second)
{
	uint64_t now = wall_s(), until = now + o->for_s;
	json_t *x = open_entry(s, o->object);

	if (d->contract_until != 0 && d->contract_until < until)
		until = d->contract_until;
	if (x != NULL)
		/* the door is opened again: the former use is over, and the new one counts
		 * separately */
		json_object_set_new(x, "open", json_false());
	x = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:b}", "door", json_text(o->object), "by",
		      json_text(o->by), "account", json_text(o->account), "second", json_text(second), "person",
		      json_text(o->person), "ticket", json_text(o->ticket), "reason", json_text(o->comment), "since",
		      (json_int_t)now, "until", (json_int_t)until, "open", 1, "unreviewed", (int)d->break_glass);
	if (x == NULL || json_array_append(s->doors.list, x) < 0) {
		refuse(s, a, o, M_CONTROL_MANY);
	} else {
		record_entry(s, d->break_glass ? POLICY_DOOR_GLASS : POLICY_DOOR_OPENED, x, o->by);
		changed(s, &a);
	}
	json_decref(x);
}

/* Keeps the first person's request until a second person agrees or its time is over. */
static void ask_second(struct supervisor *s, struct asker a, const struct door_order *o)
{
	uint64_t now = wall_s(), until = now + ASKED_S;
	json_t *x = asked_entry(s, o->object);

	if (x != NULL)
		json_object_set_new(x, "asked", json_false());
	x = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b}", "door", json_text(o->object), "by",
		      json_text(o->by), "account", json_text(o->account), "person", json_text(o->person), "ticket",
		      json_text(o->ticket), "reason", json_text(o->comment), "for_s", (json_int_t)o->for_s, "since",
		      (json_int_t)now, "until", (json_int_t)until, "asked", 1);
	if (x == NULL || json_array_append_new(s->doors.list, x) < 0) {
		refuse(s, a, o, M_CONTROL_MANY);
		return;
	}
	forget_over(&s->doors);
	save(s);
	record(s, POLICY_DOOR_ASKED, o->by, "", 0,
	       (const char *const[4]){ o->object, o->person, o->ticket, o->comment });
	answer_json(s, a, ANSWER_YES,
		    json_pack("{s:b, s:b, s:b, s:o}", "done", 1, "waits", 1, "saved", (int)!s->doors.unsaved, "doors",
			      json_null()));
}

static void second(struct supervisor *s, struct asker a, const struct ir_door *d, const struct door_order *o)
{
	json_t *x = asked_entry(s, o->object);
	struct door_order first = { .order = CHANGE_OPEN, .for_s = (uint32_t)number_of(x, "for_s") };

	if (x == NULL) {
		refuse(s, a, o, M_DOOR_NOBODY_ASKED, o->object);
		return;
	}
	if (strcmp(text_in(x, "account"), o->account) == 0) {
		refuse(s, a, o, M_DOOR_SAME, o->account);
		return;
	}
	snprintf(first.object, sizeof(first.object), "%s", o->object);
	snprintf(first.by, sizeof(first.by), "%s", text_in(x, "by"));
	snprintf(first.account, sizeof(first.account), "%s", text_in(x, "account"));
	snprintf(first.person, sizeof(first.person), "%s", text_in(x, "person"));
	snprintf(first.ticket, sizeof(first.ticket), "%s", text_in(x, "ticket"));
	snprintf(first.comment, sizeof(first.comment), "%s", text_in(x, "reason"));
	json_object_set_new(x, "asked", json_false());
	open_it(s, a, d, &first, o->by);
}

static bool lacks(const struct ir_door *d, const struct door_order *o, enum door_need *ret)
{
	const char *const said[DOOR_NEEDS] = { o->person, o->ticket, o->comment };

	for (unsigned i = 0; i < DOOR_NEEDS; i++) {
		*ret = (enum door_need)i;
		if ((d->needs >> i & 1u) != 0 && said[i][0] == '\0')
			return true;
	}
	return false;
}

static void open_ordered(struct supervisor *s, struct asker a, const struct ir_door *d, const struct door_order *o)
{
	bool agrees = d->second_person && o->for_s == 0;
	enum door_need need;

	forget_over(&s->doors);
	if ((o->duties & d->opened_by) == 0)
		refuse(s, a, o, M_DOOR_NOT_YOURS, o->object);
	else if (d->contract_until != 0 && d->contract_until <= wall_s())
		refuse(s, a, o, M_DOOR_CONTRACT, o->object, d->organisation);
	else if (s->clock.wait != CLOCK_TRUSTED)
		refuse(s, a, o, M_DOOR_CLOCK);
	else if (!agrees && (o->for_s < DOOR_LEAST || o->for_s > d->at_most))
		refuse(s, a, o, M_DOOR_FOR, o->object, DOOR_LEAST, d->at_most);
	else if (!agrees && lacks(d, o, &need))
		refuse(s, a, o, M_DOOR_NEEDS, o->object, door_need_words[need]);
	else if (json_array_size(s->doors.list) >= DOORS_OPEN + (agrees ? 1u : 0u))
		refuse(s, a, o, M_DOOR_MANY, DOORS_OPEN);
	else if (d->second_person && o->account[0] == '\0')
		refuse(s, a, o, M_DOOR_ACCOUNTS, o->object);
	else if (agrees)
		second(s, a, d, o);
	else if (d->second_person)
		ask_second(s, a, o);
	else
		open_it(s, a, d, o, "");
}

static void shut_ordered(struct supervisor *s, struct asker a, const struct door_order *o)
{
	json_t *x = open_entry(s, o->object);

	if (x == NULL) {
		refuse(s, a, o, M_DOOR_NOT_OPEN, o->object);
		return;
	}
	json_object_set_new(x, "open", json_false());
	record_entry(s, POLICY_DOOR_SHUT, x, o->by);
	changed(s, &a);
}

/* Whether the same person opened the door: the same account, however the person logged in; without
 * an account, the same name. */
static bool same_person(const json_t *x, const struct door_order *o)
{
	const char *account = text_in(x, "account");

	return *account != '\0' || o->account[0] != '\0' ? strcmp(account, o->account) == 0
							 : strcmp(text_in(x, "by"), o->by) == 0;
}

/* Reviews all uses of a door at once. The reviewer must not be a person who opened the door. */
static void review_ordered(struct supervisor *s, struct asker a, const struct door_order *o)
{
	unsigned found = 0;
	json_t *x;
	size_t i;

	json_array_foreach(s->doors.list, i, x)
	{
		if (strcmp(text_in(x, "door"), o->object) != 0 || !json_is_true(json_object_get(x, "unreviewed")))
			continue;
		if (same_person(x, o)) {
			refuse(s, a, o, M_DOOR_SAME, o->by);
			return;
		}
		found++;
	}
	if (found == 0) {
		refuse(s, a, o, M_DOOR_REVIEWED, o->object);
		return;
	}
	json_array_foreach(s->doors.list, i, x) if (strcmp(text_in(x, "door"), o->object) == 0)
		json_object_set_new(x, "unreviewed", json_false());
	record(s, POLICY_DOOR_REVIEWED, o->by, "", 0, (const char *const[4]){ o->object, "", "", o->comment });
	changed(s, &a);
}

void door_ordered(struct supervisor *s, struct asker a, const struct door_order *o)
{
	const struct ir_door *d = door_of(s->now->ir, o->object);

	if (s->doors.waits)
		refuse(s, a, o, M_DOOR_BUSY);
	else if (o->order == CHANGE_SHUT)
		shut_ordered(s, a, o);
	else if (o->order == CHANGE_REVIEW_DOOR)
		review_ordered(s, a, o);
	else if (d == NULL)
		refuse(s, a, o, M_DOOR_UNKNOWN, o->object);
	else
		open_ordered(s, a, d, o);
}

/* ---- by the clock ---------------------------------------------------------------------------- */

void doors_open(struct supervisor *s)
{
	s->doors.list = listed_read(s->state_fd, NAME, DOORS_OPEN);
	if (s->doors.list != NULL)
		return;
	s->doors.list = json_array();
	say(s, M_DOOR_DAMAGED);
}

/* Shuts a door that is over or not allowed any more. True: something has changed. */
static bool follow(struct supervisor *s, json_t *x, uint64_t now)
{
	const struct ir_door *d = door_of(s->now->ir, text_in(x, "door"));
	uint64_t until = number_of(x, "until");

	/* If the end is further away than any door allows, the clock was set back. */
	if (d == NULL || until > now + DOOR_MOST || now + 1 < number_of(x, "since")) {
		json_object_set_new(x, "open", json_false());
		record_entry(s, POLICY_DOOR_SHUT, x, "");
		return true;
	}
	if (limit(d, x) != until) {
		json_object_set_new(x, "until", json_integer((json_int_t)limit(d, x)));
		return true;
	}
	if (until > now)
		return false;
	json_object_set_new(x, "open", json_false());
	record_entry(s, POLICY_DOOR_ENDED, x, "");
	return true;
}

void doors_due(struct supervisor *s, uint64_t now)
{
	struct doors *x = &s->doors;
	uint64_t wall = wall_s();
	bool any = false;
	json_t *one;
	size_t i;

	if (x->waits && now >= x->deadline) {
		struct sentence why = { 0 };

		x->waits = false;
		sentence_say(&why, M_DOOR_KERNEL);
		answer_json(s, x->asker, ANSWER_CANNOT,
			    json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(&why)));
	}
	json_array_foreach(x->list, i, one) if (is_open(one) && s->clock.wait == CLOCK_TRUSTED) any |=
		follow(s, one, wall);
	if (any)
		changed(s, NULL);
	if (x->unsaved && now >= x->again)
		save(s);
}

uint64_t doors_next(const struct supervisor *s)
{
	const struct doors *x = &s->doors;
	uint64_t next = x->waits ? x->deadline : UINT64_MAX, now = mono_ns(), wall = clock_wall_ns();
	const json_t *one;
	size_t i;

	json_array_foreach(x->list, i, one)
	{
		uint64_t end = number_of(one, "until") * SECOND, left = end > wall ? end - wall : 0;

		if (is_open(one) && s->clock.wait == CLOCK_TRUSTED && now + left < next)
			next = now + left;
	}
	return x->unsaved && x->again < next ? x->again : next;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/enforce/door_book.h"
#include "policy/ir/meaning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "appliance/role/said.h"
#include "appliance/wire/orders.h"

#define SECOND 1000000000ull
#define ASKED_S 900u /* seconds that a first person's request waits for a second person */
/* An opening that is over stays in the list until it has its note, and at least this long, because
 * records of its sessions come up to an hour later (journal/names.h). */
#define OVER_S 7200u

struct door_order {
	uint8_t order;	 /* CHANGE_OPEN, CHANGE_SHUT or CHANGE_REVIEW_DOOR */
	uint32_t for_s;	 /* seconds; 0: the person agrees to another person's request */
	uint32_t duties; /* the roles of the person who orders it */
	char object[ISOLATE_OBJECT], person[DOOR_TEXT], ticket[DOOR_TEXT], comment[COMMENT_BYTES], by[USER_BY];
	char account[BY_BYTES];	    /* "" = root */
	char request[DOOR_REQUEST]; /* to which the second person agrees */
	uint8_t meant[32];	    /* what the door meant when the order was given */
};

/* The order that is carried out, and the list that it changes. */
struct desk {
	const struct door_scene *scene;
	json_t *list;
	struct sentence *why;
};

static bool is_open(const json_t *x)
{
	return json_is_true(json_object_get(x, "open"));
}

/* Whether `x` is a first person's request that has neither been answered nor become void. */
static bool is_asked(const json_t *x)
{
	return json_is_true(json_object_get(x, "asked"));
}

/* Whether nobody has written yet how this opening, which is over, has gone. */
static bool owes_note(const json_t *x)
{
	return count_in(x, "opening") != 0 && !is_open(x) && json_object_get(x, "note") == NULL;
}

/* The number of the latest opening. */
static uint64_t latest_opening(const json_t *list)
{
	uint64_t latest = 0;
	json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
		latest = count_in(x, "opening") > latest ? count_in(x, "opening") : latest;
	return latest;
}

static void end_opening(json_t *x, uint64_t at)
{
	json_object_set_new(x, "open", json_false());
	json_object_set_new(x, "ended", json_integer((json_int_t)at));
}

static const struct ir_door *door_of(const struct ir *ir, const char *name)
{
	for (uint32_t i = 0; i < ir->n_doors; i++)
		if (strcmp(ir->doors[i].name, name) == 0)
			return &ir->doors[i];
	return NULL;
}

static json_t *open_entry(const json_t *list, const char *door)
{
	json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
		if (is_open(x) && strcmp(text_in(x, "door"), door) == 0)
			return x;
	return NULL;
}

static json_t *asked_entry(const json_t *list, const char *door)
{
	json_t *x;
	size_t i;

	json_array_foreach(list, i, x)
		if (is_asked(x) && strcmp(text_in(x, "door"), door) == 0)
			return x;
	return NULL;
}

/* When the door shuts: at the end that was ordered or, if that is earlier, at the latest end that
 * the policy in force allows. */
static uint64_t door_end(const struct ir_door *d, const json_t *x)
{
	uint64_t until = count_in(x, "until"), most = count_in(x, "since") + d->at_most;

	until = until < most ? until : most;
	return d->contract_until != 0 && d->contract_until < until ? d->contract_until : until;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Records an event about a door; the parts become "nagoya: Tanaka, 4711, the spreader hangs". */
static void door_record(const struct door_scene *c, enum policy_event what, uint64_t opening, const char *by,
			const char *second, uint64_t until, const char *const said[4])
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
	event_record(c->events, EVENT_POLICY, (uint8_t)what, c->number,
		     (struct said){ .by = by,
				    .object = text,
				    .before = second,
				    .after = json_string_value(end),
				    .quantity = (uint32_t)opening });
	json_decref(end);
}

static void record_entry(const struct door_scene *c, enum policy_event what, const json_t *x, const char *by)
{
	bool opened = what == POLICY_DOOR_OPENED || what == POLICY_DOOR_GLASS;

	door_record(c, what, count_in(x, "opening"), by, text_in(x, opened ? "second" : "request"),
		    opened ? count_in(x, "until") : 0,
		    (const char *const[4]){ text_in(x, "door"), text_in(x, "person"), text_in(x, "ticket"),
					    text_in(x, "reason") });
}

static enum door_done door_refuse(const struct desk *k, const struct door_order *o, enum message m, ...)
{
	va_list ap;

	va_start(ap, m);
	sentence_vsay(k->why, m, ap);
	va_end(ap);
	door_record(k->scene, POLICY_DOOR_REFUSED, 0, o->by, "", 0,
		    (const char *const[4]){ o->object, o->person, o->ticket, o->comment });
	return DOOR_REFUSED;
}

uint64_t door_until(const json_t *list, const struct ir_door *d)
{
	const json_t *x = open_entry(list, d->name);

	return x != NULL ? door_end(d, x) : 0;
}

/* Whether the entry is more than a former opening. At most DOORS_OPEN of them are kept. */
static bool stands(const json_t *x)
{
	return is_open(x) || is_asked(x) || json_is_true(json_object_get(x, "unreviewed"));
}

static size_t standing(const json_t *list)
{
	size_t n = 0, i;
	json_t *x;

	json_array_foreach(list, i, x)
		n += stands(x);
	return n;
}

/* The latest opening stays, so that the next one gets another number. What is beyond DOORS_KEPT
 * goes, the oldest first: its note stays owed on record only. */
static void forget_over(json_t *list)
{
	uint64_t latest = latest_opening(list), now = clock_wall_s();

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *one = json_array_get(list, i);
		bool recent = count_in(one, "opening") != 0 && count_in(one, "ended") + OVER_S > now;

		if (!stands(one) && !owes_note(one) && !recent && (latest == 0 || count_in(one, "opening") != latest))
			(void)json_array_remove(list, i);
	}
	for (size_t i = 0; i < json_array_size(list) && json_array_size(list) > DOORS_KEPT;)
		if (stands(json_array_get(list, i)) || json_array_remove(list, i) != 0)
			i++;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Whether the account may open the door now, by what accounts said. */
static bool may_open(const json_t *openers, const char *account, const struct ir_door *d)
{
	const json_t *one, *role;
	size_t i, k;

	json_array_foreach(openers, i, one) {
		if (strcmp(text_in(one, "name"), account) != 0)
			continue;
		json_array_foreach(json_object_get(one, "roles"), k, role) {
			unsigned duty = json_is_string(role) ? duty_by_word(json_string_value(role)) : DUTY_COUNT;

			if (duty < DUTY_COUNT && (d->opened_by >> duty & 1u) != 0)
				return true;
		}
	}
	return false;
}

/* Why the request is void, as an event; POLICY_NOTHING: it holds. If the clock was set back behind
 * its beginning, it waits no more. `agreed`: somebody agrees to it. */
static enum policy_event void_why(const struct door_scene *c, const json_t *x, bool agreed)
{
	const struct ir_door *d = door_of(c->ir, text_in(x, "door"));
	uint64_t now = clock_wall_s();
	uint8_t meaning[32];
	char hex[65];

	if (count_in(x, "until") <= now || count_in(x, "since") > now + 1)
		return POLICY_DOOR_LAPSED;
	if (d != NULL && count_in(x, "for_s") > d->at_most)
		return POLICY_DOOR_VOID_TIME;
	(void)ir_door_meaning(c->ir, text_in(x, "door"), meaning);
	hex_text(meaning, sizeof(meaning), hex);
	if (d == NULL || strcmp(hex, text_in(x, "meant")) != 0)
		return POLICY_DOOR_VOID_POLICY;
	return agreed && !may_open(c->openers, text_in(x, "account"), d) ? POLICY_DOOR_VOID_ACCOUNT : POLICY_NOTHING;
}

static void make_void(const struct door_scene *c, json_t *x, enum policy_event why, const char *by)
{
	json_object_set_new(x, "asked", json_false());
	record_entry(c, why, x, by);
}

/* Names the request by everything in it. False: no memory. */
static bool put_name(json_t *x, uint64_t number)
{
	char *text = json_dumps(x, JSON_COMPACT | JSON_SORT_KEYS), name[DOOR_REQUEST];
	uint8_t digest[32];
	char hex[17];

	if (text == NULL)
		return false;
	sha256(text, strlen(text), digest);
	free(text);
	hex_text(digest, 8, hex);
	snprintf(name, sizeof(name), "%u-%s", (unsigned)number, hex);
	return json_object_set_new(x, "request", json_string(name)) == 0;
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* Adds an entry with the words of the order. NULL: there is no memory. */
static json_t *new_entry(const struct desk *k, const struct door_order *o)
{
	json_t *x =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "door", json_text(o->object), "by", json_text(o->by),
			  "account", json_text(o->account), "person", json_text(o->person), "ticket",
			  json_text(o->ticket), "reason", json_text(o->comment), "since", (json_int_t)clock_wall_s());

	return x != NULL && json_array_append_new(k->list, x) == 0 ? x : NULL;
}

/* Opens the door by this entry, which may have been a request. */
static enum door_done open_it(const struct desk *k, const struct ir_door *d, const struct door_order *o, json_t *x,
			      uint64_t for_s, const char *second)
{
	uint64_t now = clock_wall_s(), until = now + for_s;
	json_t *former = open_entry(k->list, o->object), *opened;
	uint64_t number = latest_opening(k->list) + 1;

	if (d->contract_until != 0 && d->contract_until < until)
		until = d->contract_until;
	if (former != NULL)
		/* the door is opened again: the former use is over, and the new one counts
		 * separately */
		end_opening(former, now);
	opened = json_pack("{s:I, s:o, s:I, s:I, s:b, s:b}", "opening", (json_int_t)number, "second", json_text(second),
			   "since", (json_int_t)now, "until", (json_int_t)until, "open", 1, "unreviewed",
			   (int)d->break_glass);
	if (x == NULL || json_object_update(x, opened) < 0) {
		json_decref(opened);
		return door_refuse(k, o, M_CONTROL_MANY);
	}
	json_decref(opened);
	(void)json_object_del(x, "asked");
	record_entry(k->scene, d->break_glass ? POLICY_DOOR_GLASS : POLICY_DOOR_OPENED, x, text_in(x, "by"));
	return DOOR_CHANGED;
}

/* Keeps the first person's request until a second person agrees or its time is over. */
static enum door_done ask_second(const struct desk *k, const struct door_order *o)
{
	json_t *x = asked_entry(k->list, o->object), *request;
	uint64_t number = 0;
	char meant[65];
	size_t i;

	if (x != NULL)
		make_void(k->scene, x, POLICY_DOOR_ANEW, o->by);
	json_array_foreach(k->list, i, x)
		number = number > count_in(x, "number") ? number : count_in(x, "number");
	x = new_entry(k, o);
	hex_text(o->meant, sizeof(o->meant), meant);
	request = json_pack("{s:s, s:I, s:I, s:I, s:b}", "meant", meant, "for_s", (json_int_t)o->for_s, "until",
			    (json_int_t)clock_wall_s() + ASKED_S, "number", (json_int_t)number + 1, "asked", 1);
	if (x == NULL || json_object_update(x, request) < 0 || !put_name(x, number + 1)) {
		json_decref(request);
		return door_refuse(k, o, M_CONTROL_MANY);
	}
	json_decref(request);
	record_entry(k->scene, POLICY_DOOR_ASKED, x, o->by);
	return DOOR_ASKED;
}

static enum door_done second(const struct desk *k, const struct ir_door *d, const struct door_order *o)
{
	json_t *x = asked_entry(k->list, o->object);
	enum policy_event why = x != NULL ? void_why(k->scene, x, true) : POLICY_DOOR_LAPSED;

	if (o->request[0] == '\0')
		return door_refuse(k, o, M_DOOR_REQUEST, o->object, x != NULL ? text_in(x, "request") : "-");
	if (x == NULL)
		return door_refuse(k, o, M_DOOR_NOBODY_ASKED, o->object);
	if (strcmp(text_in(x, "account"), o->account) == 0)
		return door_refuse(k, o, M_DOOR_SAME, o->account);
	if (strcmp(text_in(x, "request"), o->request) != 0)
		return door_refuse(k, o, M_DOOR_ANEW, o->object);
	if (why == POLICY_NOTHING)
		return open_it(k, d, o, x, count_in(x, "for_s"), o->by);
	make_void(k->scene, x, why, why == POLICY_DOOR_VOID_ACCOUNT ? o->by : "");
	(void)door_refuse(k, o,
			  why == POLICY_DOOR_LAPSED	   ? M_DOOR_NOBODY_ASKED
			  : why == POLICY_DOOR_VOID_TIME   ? M_DOOR_VOID_TIME
			  : why == POLICY_DOOR_VOID_POLICY ? M_DOOR_VOID_POLICY
							   : M_DOOR_VOID_ACCOUNT,
			  o->object, text_in(x, "account"));
	return DOOR_VOID;
}

static bool order_lacks(const struct ir_door *d, const struct door_order *o, enum door_need *ret)
{
	const char *const said[DOOR_NEEDS] = { o->person, o->ticket, o->comment };

	for (unsigned i = 0; i < DOOR_NEEDS; i++) {
		*ret = (enum door_need)i;
		if ((d->needs >> i & 1u) != 0 && text_is_blank(said[i], COMMENT_BYTES))
			return true;
	}
	return false;
}

static enum door_done open_ordered(const struct desk *k, const struct ir_door *d, const struct door_order *o)
{
	bool agrees = d->second_person && o->for_s == 0;
	uint8_t meaning[32];
	enum door_need need;

	(void)ir_door_meaning(k->scene->ir, o->object, meaning);
	/* a request tells in its own words what has changed */
	if (!agrees && memcmp(meaning, o->meant, sizeof(meaning)) != 0)
		return door_refuse(k, o, M_DOOR_CHANGED, o->object);
	if ((o->duties & d->opened_by) == 0)
		return door_refuse(k, o, M_DOOR_NOT_YOURS, o->object);
	if (d->contract_until != 0 && d->contract_until <= clock_wall_s())
		return door_refuse(k, o, M_DOOR_CONTRACT, o->object, d->organisation);
	if (!k->scene->trusted)
		return door_refuse(k, o, M_DOOR_CLOCK);
	if (!agrees && (o->for_s < DOOR_LEAST || o->for_s > d->at_most))
		return door_refuse(k, o, M_DOOR_FOR, o->object, DOOR_LEAST, d->at_most);
	if (!agrees && order_lacks(d, o, &need))
		return door_refuse(k, o, M_DOOR_NEEDS, o->object, door_need_words[need]);
	if (standing(k->list) >= DOORS_OPEN + (agrees ? 1u : 0u))
		return door_refuse(k, o, M_DOOR_MANY, DOORS_OPEN);
	if (d->second_person && o->account[0] == '\0')
		return door_refuse(k, o, M_DOOR_ACCOUNTS, o->object);
	if (agrees)
		return second(k, d, o);
	if (d->second_person)
		return ask_second(k, o);
	return open_it(k, d, o, new_entry(k, o), o->for_s, "");
}

/* Writes how the openings of the door that are over have gone. False: none of them lacks this. */
static bool put_note(const struct desk *k, const struct door_order *o)
{
	bool any = false;
	json_t *x;
	size_t i;

	if (text_is_blank(o->comment, COMMENT_BYTES))
		return false;
	json_array_foreach(k->list, i, x) {
		if (strcmp(text_in(x, "door"), o->object) != 0 || !owes_note(x))
			continue;
		any = true;
		json_object_set_new(x, "note", json_text(o->comment));
		door_record(k->scene, POLICY_DOOR_NOTED, count_in(x, "opening"), o->by, "", 0,
			    (const char *const[4]){ o->object, "", "", o->comment });
	}
	return any;
}

/* Shuts the door. The comment is the note about its opening, which can also be given later. */
static enum door_done shut_ordered(const struct desk *k, const struct door_order *o)
{
	json_t *x = open_entry(k->list, o->object);

	if (x != NULL) {
		end_opening(x, clock_wall_s());
		record_entry(k->scene, POLICY_DOOR_SHUT, x, o->by);
	}
	return put_note(k, o) || x != NULL ? DOOR_CHANGED : door_refuse(k, o, M_DOOR_NOT_OPEN, o->object);
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
static enum door_done review_ordered(const struct desk *k, const struct door_order *o)
{
	unsigned found = 0;
	json_t *x;
	size_t i;

	json_array_foreach(k->list, i, x) {
		if (strcmp(text_in(x, "door"), o->object) != 0 || !json_is_true(json_object_get(x, "unreviewed")))
			continue;
		if (same_person(x, o))
			return door_refuse(k, o, M_DOOR_SAME, o->by);
		found++;
	}
	if (found == 0)
		return door_refuse(k, o, M_DOOR_REVIEWED, o->object);
	json_array_foreach(k->list, i, x)
		if (strcmp(text_in(x, "door"), o->object) == 0)
			json_object_set_new(x, "unreviewed", json_false());
	door_record(k->scene, POLICY_DOOR_REVIEWED, 0, o->by, "", 0,
		    (const char *const[4]){ o->object, "", "", o->comment });
	return DOOR_CHANGED;
}

/* The texts of a message may lack a NUL at their end. */
static struct door_order order_of(const struct msg_door *m)
{
	struct door_order o = { .order = m->order, .for_s = m->for_s, .duties = m->duties };

	memcpy(o.object, m->object, sizeof(o.object) - 1);
	memcpy(o.person, m->person, sizeof(o.person) - 1);
	memcpy(o.ticket, m->ticket, sizeof(o.ticket) - 1);
	memcpy(o.by, m->by, sizeof(o.by) - 1);
	memcpy(o.account, m->account, sizeof(o.account) - 1);
	memcpy(o.request, m->request, sizeof(o.request) - 1);
	memcpy(o.meant, m->meant, sizeof(o.meant));
	snprintf(o.comment, sizeof(o.comment), "%s", m->comment);
	return o;
}

enum door_done door_ordered(json_t *list, const struct door_scene *c, const struct msg_door *m,
			    struct sentence *ret_why)
{
	const struct desk k = { c, list, ret_why };
	const struct door_order o = order_of(m);
	const struct ir_door *d = door_of(c->ir, o.object);
	enum door_done r;

	if (c->busy)
		return door_refuse(&k, &o, M_DOOR_BUSY);
	if (o.order == CHANGE_SHUT)
		r = shut_ordered(&k, &o);
	else if (o.order == CHANGE_REVIEW_DOOR)
		r = review_ordered(&k, &o);
	else
		r = d != NULL ? open_ordered(&k, d, &o) : door_refuse(&k, &o, M_DOOR_UNKNOWN, o.object);
	forget_over(list);
	return r;
}

/* ---- by the clock ---------------------------------------------------------------------------- */

/* Shuts a door whose time is over or that the policy does not allow any more. True: something has
 * changed. */
static bool door_follow(const struct door_scene *c, json_t *x, uint64_t now)
{
	const struct ir_door *d = door_of(c->ir, text_in(x, "door"));
	uint64_t until = count_in(x, "until");

	/* If the end is further away than is possible for any door, the clock was set back. */
	if (d == NULL || until > now + DOOR_MOST || now + 1 < count_in(x, "since")) {
		end_opening(x, now);
		record_entry(c, POLICY_DOOR_SHUT, x, "");
		return true;
	}
	if (door_end(d, x) != until) {
		json_object_set_new(x, "until", json_integer((json_int_t)door_end(d, x)));
		return true;
	}
	if (until > now)
		return false;
	end_opening(x, until);
	record_entry(c, POLICY_DOOR_ENDED, x, "");
	return true;
}

bool doors_follow(json_t *list, const struct door_scene *c)
{
	uint64_t now = clock_wall_s();
	bool any = false;
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		enum policy_event why = is_asked(one) ? void_why(c, one, false) : POLICY_NOTHING;

		any |= why != POLICY_NOTHING || (is_open(one) && door_follow(c, one, now));
		if (why != POLICY_NOTHING)
			make_void(c, one, why, "");
	}
	if (any)
		forget_over(list);
	return any;
}

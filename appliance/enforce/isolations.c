/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of what people have isolated, and the orders that change it. An order takes effect in
 * the kernel at once (isolate.c). Then the supervisor gets the list, and stores it before it passes
 * the answer on. When this role is started again, it gets the list before it gets any generation.
 *
 * An isolation covers the addresses at the moment of the order and those that the name has in the
 * policy in force, so an apply never removes addresses from it. The end of an isolation opens
 * nothing by itself: afterwards the policy decides again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/sentence.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/isolate.h"
#include "appliance/enforce/isolations.h"
#include "appliance/enforce/links.h"
#include "appliance/kernel/isolation_pairs.h"
#include "appliance/role/said.h"
#include "appliance/wire/msg_json.h"
#include "appliance/wire/orders.h"
#include "policy/ir/isolation.h"

#define LIST_MOST (16u << 20) /* bytes */

/* Sends the list to the supervisor. `id`: of the order that has changed the list. */
static bool hand_in(struct enforce *f, uint32_t id)
{
	int fd = json_memfd(json_incref(f->isolated.list));
	bool sent =
		fd >= 0 && msg_send(f->roles.control, id, &(struct msg_body){ .type = MSG_ISOLATIONS }, &fd, 1) == 0;

	if (fd >= 0)
		close(fd);
	return sent;
}

static size_t place_of(const json_t *list, const char *what)
{
	size_t i = 0;

	while (i < json_array_size(list) && strcmp(text_in(json_array_get(list, i), "what"), what) != 0)
		i++;
	return i;
}

/* ---- an order -------------------------------------------------------------------------------- */

struct ordered {
	unsigned order; /* CHANGE_ISOLATE, CHANGE_REJOIN_READS or CHANGE_REJOIN */
	bool rehearse;
	const char *object, *by, *comment;
	/* as the supervisor kept it, with what it covered then; NULL: given just now */
	json_t *kept;
};

/* The list after the order. NULL: the order is refused, for the reason *why. */
static json_t *list_changed(const json_t *before, const struct ir *ir, const struct ordered *o, struct sentence *why)
{
	json_t *list = json_copy((json_t *)(uintptr_t)before), *one, *pairs;
	size_t at = place_of(list, o->object);

	if (at < json_array_size(list)) {
		/* If a partly rejoined object is isolated again, the isolation is complete again,
		 * and keeps the time of its beginning. */
		one = json_copy(json_array_get(list, at));
		(void)json_object_del(one, "stage");
		if (o->order == CHANGE_REJOIN_READS)
			(void)json_object_set_new(one, "stage", json_string("reads"));
		else if (o->kept != NULL)
			(void)json_array_extend(json_object_get(one, "pairs"), json_object_get(o->kept, "pairs"));
		if (o->order != CHANGE_REJOIN) {
			(void)json_array_set_new(list, at, one);
			return list;
		}
		json_decref(one);
		(void)json_array_remove(list, at);
		return list;
	}
	if (o->order != CHANGE_ISOLATE) {
		sentence_say(why, M_ISOLATE_NOT, o->object);
	} else if (at == ISOLATIONS_MOST) {
		sentence_say(why, M_ISOLATE_MANY, ISOLATIONS_MOST);
	} else if (o->kept != NULL && json_array_size(json_object_get(o->kept, "pairs")) > 0) {
		/* what the name covers by now is cut as well (isolation_pairs) */
		(void)json_array_append(list, o->kept);
		return list;
	} else if ((pairs = isolation_texts(ir, o->object)) == NULL) {
		sentence_say(why, M_ISOLATE_UNKNOWN, o->object);
	} else if (json_array_size(pairs) == 0 && ir_isolated_mac(o->object) == 0) {
		sentence_say(why, M_ISOLATE_NOTHING, o->object);
		json_decref(pairs);
	} else {
		(void)json_array_append_new(list, isolation_entry(ir, o->object, o->by, o->comment, pairs));
		return list;
	}
	json_decref(list);
	return NULL;
}

/* ---- MAC addresses --------------------------------------------------------------------------- */

#define NEIGHBOURS_MOST 8192u
#define LOOK_NS 1000000000u

/* Brings the addresses of the MAC addresses that are isolated up to date. If the neighbours cannot
 * be read, they stay as they are. True: something changed. */
static bool follow_neighbours(struct enforce *f, json_t *list)
{
	struct neighbour *all = calloc(NEIGHBOURS_MOST, sizeof(*all));
	int n = all != NULL ? neighbours_read(f->kernel.neighbours, all, NEIGHBOURS_MOST) : -1;
	bool changed = false;
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		char *addresses;

		if (n < 0 || !isolation_follows(one, all, (size_t)n))
			continue;
		changed = true;
		addresses = json_dumps(json_object_get(one, "addresses"), JSON_COMPACT);
		event_record(&f->roles.events, EVENT_POLICY, POLICY_ISOLATED_MAC, f->roles.events.now.number,
			     (struct said){ .object = text_in(one, "what"), .after = addresses });
		free(addresses);
	}
	free(all);
	return changed;
}

static bool any_mac(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		if (ir_isolated_mac(text_in(one, "what")) != 0)
			return true;
	return false;
}

int enforce_macs_due(struct enforce *f)
{
	uint64_t now = clock_mono().ns;
	struct err e = { 0 };

	if (f->now == NULL || !any_mac(f->isolated.list))
		return -1;
	if (now - f->isolated.looked_ns < LOOK_NS)
		return (int)((f->isolated.looked_ns + LOOK_NS - now) / 1000000u) + 1;
	f->isolated.looked_ns = now;
	if (follow_neighbours(f, f->isolated.list)) {
		json_decref(enforce_isolate(f, false, f->isolated.list, NULL, &e));
		(void)hand_in(f, 0);
	}
	return (int)(LOOK_NS / 1000000u);
}

/* A rehearsal is about the ordered isolation alone, not about the others in the list. */
static json_t *asked_after(const json_t *list, const char *object)
{
	json_t *one = json_array();
	size_t at = place_of(list, object);

	if (at < json_array_size(list))
		(void)json_array_append(one, json_array_get(list, at));
	return one;
}

/* Records the order. `sessions`: how many live sessions it affects; negative: unknown. */
static void record_order(struct event_port *events, const struct ordered *o, enum policy_event what,
			 json_int_t sessions)
{
	bool counts = sessions >= 0 && (what == POLICY_ISOLATED || what == POLICY_REHEARSED);
	char text[ISOLATE_OBJECT + COMMENT_BYTES + 4], number[24];

	snprintf(text, sizeof(text), "%s%s%s%s", o->object, o->comment[0] != '\0' ? " (" : "", o->comment,
		 o->comment[0] != '\0' ? ")" : "");
	snprintf(number, sizeof(number), "%lld", (long long)sessions);
	event_record(events, EVENT_POLICY, (uint8_t)what, events->now.number,
		     (struct said){ .by = o->by, .object = text, .after = counts ? number : NULL });
}

static enum policy_event event_of(const struct ordered *o)
{
	return o->rehearse		    ? POLICY_REHEARSED
	       : o->order == CHANGE_ISOLATE ? POLICY_ISOLATED
	       : o->order == CHANGE_REJOIN  ? POLICY_REJOINED
					    : POLICY_REJOINED_READS;
}

static bool answer_refused(struct enforce *f, uint32_t id, const struct sentence *why)
{
	return msg_answer(f->roles.control, id, ANSWER_CANNOT,
			  json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(why))) == 0;
}

/* Leaves of the conduits that an isolation cuts those that its first stage opens. */
static void leave_opened(json_t *cut, const json_t *rest)
{
	static const char *const lists[] = { "conduits", "stops" };
	size_t i;
	json_t *one;

	for (size_t k = 0; k < 2; k++) {
		json_t *list = json_object_get(cut, lists[k]), *opened = json_array();

		json_array_foreach(list, i, one) {
			bool stays = false;
			size_t n;
			json_t *other;

			json_array_foreach(json_object_get(rest, lists[k]), n, other)
				stays = stays || json_equal(one, other);
			if (!stays)
				(void)json_array_append(opened, one);
		}
		(void)json_object_set_new(cut, lists[k], opened);
	}
}

/* What an order would do. That of the first stage of the way back is what it opens. */
static json_t *rehearsed(struct enforce *f, const struct ordered *o, const json_t *one, struct err *e)
{
	json_t *j = enforce_isolate(f, true, one, NULL, e), *before, *rest = j;

	if (j == NULL || o->order != CHANGE_REJOIN_READS)
		return j;
	before = asked_after(f->isolated.list, o->object);
	j = enforce_isolate(f, true, before, NULL, e);
	if (j != NULL)
		leave_opened(j, rest);
	json_decref(before);
	json_decref(rest);
	return j;
}

bool enforce_isolation(struct enforce *f, const struct msg *m)
{
	const struct msg_isolate *b = &m->body.isolate;
	const struct ordered o = { b->order, b->rehearse != 0, (const char *)b->object, (const char *)b->by, b->comment,
				   NULL };
	struct sentence why = { 0 };
	json_t *list = NULL, *one, *j;
	struct err e = { 0 };
	bool sent = true;

	if (f->now == NULL)
		sentence_say(&why, M_ENFORCE_NOT_YET);
	else
		list = list_changed(f->isolated.list, &f->now->ir, &o, &why);
	if (list == NULL)
		return answer_refused(f, m->id, &why);
	one = asked_after(o.order == CHANGE_REJOIN ? f->isolated.list : list, o.object);
	if (o.order == CHANGE_ISOLATE && any_mac(one))
		(void)follow_neighbours(f, one);
	if (o.rehearse) {
		j = rehearsed(f, &o, one, &e);
		json_decref(list);
	} else {
		json_decref(f->isolated.list);
		f->isolated.list = list;
		j = enforce_isolate(f, false, list, NULL, &e);
		sent = hand_in(f, m->id);
	}
	if (j == NULL) {
		json_decref(one);
		sentence_say(&why, M_ISOLATE_KERNEL, e.text);
		return sent && answer_refused(f, m->id, &why);
	}
	if (!o.rehearse || o.order == CHANGE_ISOLATE) /* to look at what comes back is no drill */
		record_order(&f->roles.events, &o, event_of(&o), json_integer_value(json_object_get(j, "sessions")));
	json_object_set_new(j, "done", json_true());
	json_object_set_new(j, "what", json_text(o.object));
	json_object_set_new(j, "rehearsed", json_boolean(o.rehearse));
	if (o.order == CHANGE_ISOLATE)
		json_object_set_new(j, "breaks", isolation_breaks(&f->now->ir, one));
	/* control fills in what is isolated, and whether that is on the disk */
	json_object_set_new(j, "saved", json_null());
	json_object_set_new(j, "isolations", json_null());
	json_decref(one);
	return sent && msg_answer(f->roles.control, m->id, ANSWER_YES, j) == 0;
}

/* ---- the list -------------------------------------------------------------------------------- */

/* Whether the name covers the same in this policy as when the supervisor kept the order. */
static bool covers_same(const struct ir *ir, const json_t *kept)
{
	static const char *const keys[] = { "pairs", "keep", "meant" };
	const char *what = text_in(kept, "what");
	json_t *now = isolation_entry(ir, what, "", "", isolation_texts(ir, what));
	bool same = true;

	for (size_t i = 0; i < 3; i++)
		same = same && json_equal(json_object_get(now, keys[i]), json_object_get(kept, keys[i]));
	json_decref(now);
	return same;
}

/* Carries out, in their order, the orders that the supervisor has kept at the end of the list
 * because no process could take them (supervise/orders.c). They leave the list first: until an
 * order is carried out, nothing is isolated by it, and an earlier one must not find it there. If
 * the policy has changed meanwhile what a name covers, cutting goes further, and nothing
 * is opened. */
static void catch_up(struct enforce *f, const struct ir *ir)
{
	json_t *orders = json_array(), *one, *list;
	struct sentence why;
	size_t i;

	for (i = json_array_size(f->isolated.list); i-- > 0;) {
		one = json_array_get(f->isolated.list, i);
		if (change_isolates(change_by_word(text_in(one, "order"))) && json_array_insert(orders, 0, one) == 0)
			(void)json_array_remove(f->isolated.list, i);
	}
	json_array_foreach(orders, i, one) {
		const struct ordered o = { .order = change_by_word(text_in(one, "order")),
					   .object = text_in(one, "what"),
					   .by = text_in(one, "by"),
					   .comment = text_in(one, "reason"),
					   .kept = one };
		bool same = covers_same(ir, one), cuts = o.order == CHANGE_ISOLATE;

		(void)json_object_del(one, "order");
		list = same || cuts ? list_changed(f->isolated.list, ir, &o, &why) : NULL;
		if (list != NULL) {
			json_decref(f->isolated.list);
			f->isolated.list = list;
			record_order(&f->roles.events, &o, event_of(&o), -1);
		}
		if (list == NULL || !same)
			record_order(&f->roles.events, &o,
				     cuts && list != NULL ? POLICY_ISOLATED_BOTH : POLICY_ISOLATION_DROPPED, -1);
	}
	if (json_array_size(orders) > 0)
		(void)hand_in(f, 0);
	json_decref(orders);
}

void enforce_isolations(struct enforce *f, int fd)
{
	json_t *list = json_of_memfd(fd, LIST_MOST);

	json_decref(f->isolated.list);
	f->isolated.list = list;
	if (!json_is_array(list) || json_array_size(list) > ISOLATIONS_MOST) {
		/* The list cannot be read, so everything is isolated until a person ends that. */
		json_decref(list);
		f->isolated.list = json_array();
		(void)json_array_append_new(f->isolated.list,
					    isolation_entry(NULL, ISOLATE_EVERYTHING, "sekishod", "", NULL));
		(void)hand_in(f, 0);
		event_record(&f->roles.events, EVENT_POLICY, POLICY_ISOLATED, f->roles.events.now.number,
			     (struct said){ .object = ISOLATE_EVERYTHING });
	}
	if (f->now != NULL)
		enforce_isolations_before(f, f->now);
}

void enforce_isolations_before(struct enforce *f, const struct generation_held *next)
{
	struct err e = { 0 };

	if (f->isolated.list == NULL)
		f->isolated.list = json_array();
	catch_up(f, &next->ir);
	/* what the kernel does not have yet is tried again (f->mend_due) */
	json_decref(enforce_isolate(f, false, f->isolated.list, next, &e));
}

void enforce_isolations_in_force(struct enforce *f)
{
	bool differs = false;

	if (f->now == NULL || !event_generation_same(event_generation(f->roles.events.now.number, f->now->ir.digest),
						     f->roles.events.now))
		return;
	for (size_t i = 0; i < json_array_size(f->isolated.list); i++)
		differs |= isolation_keeps(&f->now->ir, json_array_get(f->isolated.list, i), false);
	if (differs)
		(void)hand_in(f, 0);
	enforce_isolations_before(f, f->now);
}

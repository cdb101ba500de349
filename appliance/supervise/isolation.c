/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/store/listed.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/change.h"
#include "policy/ir/ir.h"
#include "policy/ir/isolation.h"

#define NAME "isolations"
#define LIMIT_NS (10 * SECOND)
#define AGAIN_NS (5 * SECOND)
#define JSON_MOST (16u << 20)

/* ---- on the disk ----------------------------------------------------------------------------- */

static void save(struct supervisor *s)
{
	s->isolations.unsaved = !listed_save(s->state_fd, NAME, s->isolations.list);
	s->isolations.again = mono_ns() + AGAIN_NS;
}

static json_t *entry(const char *what, const char *by, const char *reason, json_t *pairs, json_t *keep)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "what", json_text(what), "by", json_text(by), "reason",
			 json_text(reason), "since", json_time(clock_wall_ns()), "pairs", pairs, "keep", keep);
}

void isolation_open(struct supervisor *s)
{
	struct isolations *x = &s->isolations;

	x->list = listed_read(s->state_fd, NAME, ISOLATIONS_MOST);
	if (x->list != NULL)
		return;
	x->list = json_array();
	(void)json_array_append_new(x->list, entry(ISOLATE_EVERYTHING, "sekishod", "", json_array(), json_array()));
	say(s, M_ISOLATE_DAMAGED);
	policy_event_of(s, POLICY_ISOLATED, s->now != NULL ? s->now->number : 0,
			(struct said){ .object = ISOLATE_EVERYTHING });
}

/* ---- an order -------------------------------------------------------------------------------- */

static size_t place_of(const json_t *list, const char *what)
{
	size_t i = 0;

	while (i < json_array_size(list) && strcmp(text_in(json_array_get(list, i), "what"), what) != 0)
		i++;
	return i;
}

static bool send(struct supervisor *s, const json_t *list, const struct policy *next, uint32_t id, bool rehearse)
{
	const struct msg_body m = { MSG_APART, .apart = { .rehearse = rehearse } };
	const struct isolated_policy now = { s->now->ir, s->now->ids },
				     then = { next != NULL ? next->ir : NULL, next != NULL ? next->ids : NULL };
	int fd = s->slots[SLOT_ENFORCE].state != SLOT_RUNNING
			 ? -1
			 : isolation_memfd(list, &now, next != NULL && next != s->now ? &then : NULL);
	bool sent = fd >= 0 && role_send(s, &s->slots[SLOT_ENFORCE], id, &m, &fd, 1);

	if (fd >= 0)
		close(fd);
	return sent;
}

/* The list of isolations after the order. NULL: the order was refused and answered. */
static json_t *changed(struct supervisor *s, struct asker a, const struct isolation_order *o)
{
	json_t *list = json_copy(s->isolations.list), *one, *pairs;
	size_t at = place_of(list, o->object);

	if (at < json_array_size(list)) {
		/* Isolating again what is partly rejoined makes the isolation complete again. It
		 * keeps the time of its beginning. */
		one = json_copy(json_array_get(list, at));
		(void)json_object_del(one, "stage");
		if (o->order == CHANGE_REJOIN_READS)
			(void)json_object_set_new(one, "stage", json_string("reads"));
		if (o->order != CHANGE_REJOIN) {
			(void)json_array_set_new(list, at, one);
			return list;
		}
		json_decref(one);
		(void)json_array_remove(list, at);
		return list;
	}
	if (o->order != CHANGE_ISOLATE) {
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_ISOLATE_NOT, o->object));
	} else if (at == ISOLATIONS_MOST) {
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_ISOLATE_MANY, ISOLATIONS_MOST));
	} else if ((pairs = isolation_texts(s->now->ir, o->object)) == NULL) {
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_ISOLATE_UNKNOWN, o->object));
	} else {
		(void)json_array_append_new(
			list, entry(o->object, o->by, o->comment, pairs, isolation_keeps(s->now->ir, o->object)));
		return list;
	}
	json_decref(list);
	return NULL;
}

/* A rehearsal is about the ordered isolation alone, not about the others in the list. */
static json_t *asked_after(const json_t *list, const struct isolation_order *o)
{
	json_t *one = json_array();
	size_t at = place_of(list, o->object);

	if (at < json_array_size(list))
		(void)json_array_append(one, json_array_get(list, at));
	return one;
}

void isolation_ordered(struct supervisor *s, struct asker a, const struct isolation_order *o)
{
	struct isolations *x = &s->isolations;
	json_t *list;

	if (o->object[0] == '\0') {
		answer_json(s, a, ANSWER_YES, json_pack("{s:o}", "isolations", json_null()));
		return;
	}
	if (x->waits) {
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_ISOLATE_BUSY));
		return;
	}
	list = changed(s, a, o);
	if (list == NULL)
		return;
	x->waits = true;
	x->id = ++s->next_id;
	x->deadline = mono_ns() + LIMIT_NS;
	x->asker = a;
	x->order = *o;
	json_decref(x->one);
	x->one = asked_after(o->order == CHANGE_REJOIN ? x->list : list, o);
	if (o->rehearse) {
		if (!send(s, x->one, NULL, x->id, true))
			x->deadline = 0;
		json_decref(list);
		return;
	}
	json_decref(x->list);
	x->list = list;
	/* First the kernel gets the list, then the disk, then the answer is sent. An enforce that
	 * starts just now gets the list before anything else. */
	(void)send(s, x->list, s->op.kind != OP_DRY_RUN ? s->op.next : NULL, x->id, false);
	save(s);
}

static void told(struct supervisor *s, const struct isolation_order *o, const json_t *answer)
{
	json_int_t sessions = json_integer_value(json_object_get(answer, "sessions"));
	enum policy_event what = o->rehearse		      ? POLICY_REHEARSED
				 : o->order == CHANGE_ISOLATE ? POLICY_ISOLATED
				 : o->order == CHANGE_REJOIN  ? POLICY_REJOINED
							      : POLICY_REJOINED_READS;
	char text[ISOLATE_OBJECT + COMMENT_BYTES + 4], number[24];

	snprintf(text, sizeof(text), "%s%s%s%s", o->object, o->comment[0] != '\0' ? " (" : "", o->comment,
		 o->comment[0] != '\0' ? ")" : "");
	snprintf(number, sizeof(number), "%lld", (long long)sessions);
	policy_event_of(s, what, s->now->number,
			(struct said){ .by = o->by,
				       .object = text,
				       .after = what == POLICY_ISOLATED || what == POLICY_REHEARSED ? number : NULL });
}

void isolation_done(struct supervisor *s, struct msg *m)
{
	struct isolations *x = &s->isolations;
	json_t *j;

	if (!x->waits || m->id != x->id)
		return;
	x->waits = false;
	j = m->n_fds > 0 ? json_of_memfd(m->fds[0], JSON_MOST) : NULL;
	if (m->body.answer.status != ANSWER_YES || !json_is_object(j)) {
		answer_no(s, x->asker, ANSWER_CANNOT, json_sentence(M_ISOLATE_KERNEL, text_in(j, "error")));
		json_decref(j);
		return;
	}
	told(s, &x->order, j);
	json_object_set_new(j, "done", json_true());
	json_object_set_new(j, "what", json_text(x->order.object));
	json_object_set_new(j, "rehearsed", json_boolean(x->order.rehearse));
	if (x->order.order == CHANGE_ISOLATE)
		json_object_set_new(j, "breaks", isolation_breaks(s->now->ir, x->one));
	json_object_set_new(j, "saved", json_boolean(!x->unsaved));
	json_object_set_new(j, "isolations", json_null());
	answer_json(s, x->asker, ANSWER_YES, j);
}

void isolation_before(struct supervisor *s, const struct policy *p)
{
	const struct isolations *x = &s->isolations;

	(void)send(s, x->list, p, x->waits && !x->order.rehearse ? x->id : 0, false);
}

void isolation_applied(struct supervisor *s)
{
	struct isolations *x = &s->isolations;
	bool less = false;

	for (size_t i = 0; i < json_array_size(x->list); i++)
		less |= isolation_keeps_less(s->now->ir, json_array_get(x->list, i));
	if (less)
		save(s);
	isolation_before(s, s->now);
}

void isolation_due(struct supervisor *s, uint64_t now)
{
	struct isolations *x = &s->isolations;

	if (x->waits && now >= x->deadline) {
		x->waits = false;
		answer_no(s, x->asker, ANSWER_CANNOT,
			  json_sentence(x->order.rehearse ? M_ISOLATE_SILENT : M_ISOLATE_LATE));
	}
	if (x->unsaved && now >= x->again)
		save(s);
}

uint64_t isolation_next(const struct supervisor *s)
{
	const struct isolations *x = &s->isolations;
	uint64_t next = x->waits ? x->deadline : UINT64_MAX;

	return x->unsaved && x->again < next ? x->again : next;
}

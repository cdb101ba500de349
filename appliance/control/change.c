/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/control/answer.h"
#include "appliance/control/answers.h"
#include "appliance/control/change.h"
#include "appliance/control/change_private.h"
#include "appliance/control/control.h"
#include "appliance/control/people.h"
#include "appliance/control/tried.h"
#include "appliance/role/roles.h"
#include "appliance/role/who.h"
#include "appliance/wire/judged.h"
#include "appliance/wire/orders.h"

#define ANSWER_MOST (64u << 20) /* bytes of one answer of the supervisor */

/* ---- orders that the supervisor carries out -------------------------------------------------- */

/* Finds the order that the supervisor's question is about, if control still waits for its
 * result. */
static struct order *at_the_box(struct change *c, const struct msg_ground *g)
{
	for (struct order *o = c->orders; o < c->orders + ORDERS_ALL; o++) {
		if (o->used && o->boxs && !o->goes_on && o->m.order == g->order && o->m.revision == g->revision)
			return o;
	}
	return NULL;
}

static void ground_it(uint32_t id, int status, const struct msg_grounded *more, int fd)
{
	struct msg_body m = { MSG_GROUNDED, .grounded = *more };

	m.grounded.status = (uint8_t)status;
	(void)msg_send(ROLE_FD_CONTROL, id, &m, &fd, 1);
}

void change_ground(struct control *s, struct msg *m)
{
	const struct msg_ground *g = &m->body.ground;
	struct order *o = at_the_box(s->change, g), as = { .fd = -1 };
	json_t *who = json_of_memfd(m->fds[0], WHO_MOST);
	const struct draft *d = &s->change->draft;
	char comment[COMMENT_BYTES] = "";
	struct answer a = { .fd = -1 };
	int fd, status;

	/* First brings the draft up to date with what was reported before this question. */
	change_settle(s);
	/* Without `o` the sender has left; the supervisor carries out the order nevertheless. */
	if (o != NULL)
		as.m = o->m;
	as.asker = (struct asker){ .kind = ASKER_CHANGE };
	as.m.order = g->order;
	as.m.flags = g->flags;
	as.m.revision = g->revision;
	as.m.confirm_s = g->confirm_s;
	snprintf(as.comment, sizeof(as.comment), "%s", g->comment);
	memcpy(as.by, g->by, sizeof(as.by) - 1);
	memcpy(as.login, g->login, sizeof(as.login) - 1);
	/* A second person is required unless accounts clearly says that none is. */
	if (draft_may_apply(s, &as, json_is_false(json_object_get(who, "two_persons")),
			    json_object_get(who, "approvers"))) {
		if (g->order == CHANGE_APPLY)
			draft_comment(d, &as, comment);
		fd = memfd_sealed("sekisho-draft", d->texts, d->n_texts);
		if (fd >= 0) {
			if (o != NULL) {
				o->goes_on = true;
				o->m.flags = g->flags;
			}
			ground_it(m->id, ANSWER_YES,
				  &(struct msg_grounded){ .base = s->now->number, .comment = comment }, fd);
			close(fd);
			json_decref(who);
			return;
		}
		draft_refuse(s, &as, ANSWER_CANNOT, M_CHANGE_UNSAVED, strerror(-fd));
	}
	/* draft_may_apply or draft_refuse has just queued the refusal: it goes to the supervisor
	 * instead. */
	if (answer_take_last(s, &a)) {
		status = answer_pack(&a);
		if (a.fd >= 0)
			ground_it(m->id, status, &(struct msg_grounded){ .comment = "" }, a.fd);
		answer_free(&a);
	}
	json_decref(who);
}

/* ---- identification -------------------------------------------------------------------------- */

static void order_end(struct order *o)
{
	if (o->fd >= 0)
		close(o->fd);
	explicit_bzero(o, sizeof(*o));
	o->fd = -1;
}

/* `most`: how many orders there may be. */
static struct order *order_new(struct control *s, struct asker a, size_t most)
{
	struct order *o = NULL;

	for (size_t i = 0; i < most && o == NULL; i++)
		if (!s->change->orders[i].used)
			o = &s->change->orders[i];
	if (o != NULL)
		*o = (struct order){ .used = true, .serial = ++s->change->serial, .asker = a, .fd = -1 };
	return o;
}

static struct asker order_waits(const struct control *s, const struct order *o)
{
	return (struct asker){ .kind = ASKER_CHANGE,
			       .client = (uint32_t)(o - s->change->orders),
			       .serial = o->serial,
			       .login = o->asker.login,
			       .web = o->asker.kind == ASKER_MGMT,
			       .tell = o->asker.tell };
}

static void too_many(struct control *s, struct asker a)
{
	draft_refuse(s, &(struct order){ .asker = a, .fd = -1 }, ANSWER_CANNOT, M_CONTROL_MANY);
}

/* Over the web the order goes to the supervisor unchanged: it asks accounts itself. */
static void forward(struct control *s, struct asker a, struct msg *m)
{
	struct order *o = order_new(s, a, ORDERS_MOST);

	if (o == NULL) {
		too_many(s, a);
		return;
	}
	o->boxs = true;
	o->m = m->body.change;
	o->m.comment = NULL;
	explicit_bzero(o->m.secret, sizeof(o->m.secret));
	collect_pass_fd(s, SLOT_BOX, &m->body, m->n_fds > 0 ? m->fds[0] : -1, order_waits(s, o));
}

struct asker change_handed(struct control *s, struct asker a, enum change_order order, uint64_t revision)
{
	struct order *o = order_new(s, a, ORDERS_ALL);

	if (o == NULL)
		return a;
	o->boxs = true;
	o->m = (struct msg_change){ .order = (uint8_t)order, .revision = revision };
	return order_waits(s, o);
}

void change_ordered(struct control *s, struct asker a, const struct typist *t, struct msg *m)
{
	const struct msg_change *c = &m->body.change;
	struct msg_body judge;
	struct order *o;

	if (change_is_boxs(c->order)) {
		if (c->order == CHANGE_CHECK && m->n_fds == 0)
			draft_refuse(s, &(struct order){ .asker = a, .fd = -1 }, ANSWER_CANNOT, M_CHANGE_NONE);
		else
			forward(s, a, m);
		return;
	}
	o = order_new(s, a, ORDERS_MOST);
	if (o == NULL) {
		too_many(s, a);
		return;
	}
	o->fd = m->n_fds > 0 ? msg_take_fd(m, 0) : -1;
	o->m = *c;
	snprintf(o->comment, sizeof(o->comment), "%s", c->comment);
	o->m.comment = o->comment;
	if (c->order == CHANGE_SAVE && o->fd < 0) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_NONE);
		order_end(o);
		return;
	}
	if (t != NULL && t->login[0] == '\0') {
		draft_refuse(s, o, ANSWER_CANNOT, t->uid == NO_TYPIST ? M_LOGIN_UNTOLD : M_LOGIN_AT_MACHINE);
		order_end(o);
		return;
	}
	judge = judged_question(c, t != NULL ? t->login : NULL, t != NULL ? t->uid : 0);
	if (t != NULL)
		memcpy(o->login, t->login, sizeof(o->login));
	explicit_bzero(o->m.secret, sizeof(o->m.secret));
	collect_pass(s, SLOT_ACCOUNTS, &judge, order_waits(s, o));
	explicit_bzero(&judge, sizeof(judge));
}

static json_t *object_take(int fd)
{
	uint8_t *text = NULL;
	json_t *j = NULL;
	struct err e;
	size_t n;

	if (fd >= 0 && memfd_read(fd, ANSWER_MOST, &text, &n, &e) == 0)
		j = json_loadb((const char *)text, n, 0, NULL);
	free(text);
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

/* The supervisor has finished an order; `answer` is its result. */
static void is_over(struct control *s, const struct order *o, bool done, json_t *answer)
{
	bool dry = o->m.order == CHANGE_TRY || (o->m.flags & APPLY_DRY_RUN) != 0;
	struct change *c = s->change;
	struct err e;

	if (!o->goes_on || o->m.revision != c->draft.revision || c->draft.state == DRAFT_NONE)
		return;
	if (dry && !o->stopped) {
		draft_untried(c);
		c->tried = json_deep_copy(answer);
		c->tried_good = done;
		c->tried_base = s->now->number;
		c->tried_ns = clock_wall_ns();
	} else if (!dry && done) {
		/* If one person is enough, a draft can be applied that somebody had sent back.
		 * Removes that decision. */
		if (c->draft.state != DRAFT_APPROVED)
			draft_undecided(&c->draft);
		c->draft.state = DRAFT_APPLIED;
		c->draft.generation =
			(uint64_t)json_integer_value(json_object_get(json_object_get(answer, "generation"), "number"));
		c->unsaved = draft_save(CONTROL_FD_FOLDER, &c->draft, &e) < 0;
	}
}

static void box_answered(struct control *s, struct order *o, int status, int fd)
{
	struct asker a = o->asker;
	json_t *j = object_take(fd);

	if (j == NULL) {
		order_end(o);
		respond_fd(s, a, status, fd);
		return;
	}
	is_over(s, o, status == ANSWER_YES, j);
	order_end(o);
	/* When this gives up a generation, the draft is no longer tied to it, as the answer already
	 * says. */
	change_settle(s);
	json_object_set_new(j, "draft", draft_json(s));
	respond_json(s, a, status, j);
}

void change_answered(struct control *s, struct asker a, int status, int fd)
{
	struct order *o = a.client < ORDERS_ALL ? &s->change->orders[a.client] : NULL;

	if (o == NULL || !o->used || o->serial != a.serial)
		return;
	if (o->boxs) {
		box_answered(s, o, status, fd);
		return;
	}
	if (status != ANSWER_YES)
		respond_fd(s, o->asker, o->asker.kind == ASKER_CLIENT ? ANSWER_CANNOT : status, fd);
	else if (!judged_name(fd, o->by, NULL))
		respond_fd(s, o->asker, ANSWER_CANNOT, -1);
	else
		draft_ordered(s, o);
	order_end(o);
}

struct asker change_asker(const struct control *s, const struct asker *a)
{
	const struct order *o = a->client < ORDERS_ALL ? &s->change->orders[a->client] : NULL;

	if (o == NULL || !o->used || o->serial != a->serial)
		return (struct asker){ .kind = ASKER_NONE };
	return o->asker;
}

void change_stop(struct control *s, const struct asker *a)
{
	for (struct order *o = s->change->orders; o < s->change->orders + ORDERS_ALL; o++) {
		struct asker as = order_waits(s, o);

		if (!o->used || !o->boxs || !asker_is(&o->asker, a))
			continue;
		/* The supervisor knows whether the order is a dry run, and always answers. */
		o->stopped = true;
		o->asker.kind = ASKER_NONE;
		collect_stop(s, &as);
	}
}

void change_forget(struct control *s)
{
	for (struct order *o = s->change->orders; o < s->change->orders + ORDERS_ALL; o++) {
		if (!o->used || o->asker.kind != ASKER_MGMT)
			continue;
		o->stopped = true;
		if (o->boxs)
			/* the result for the draft is still needed */
			o->asker.kind = ASKER_NONE;
		else
			order_end(o);
	}
}

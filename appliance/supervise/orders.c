/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/logins.h"
#include "appliance/base/memfd.h"
#include "appliance/kernel/isolation_pairs.h"
#include "appliance/role/who.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/companions.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/orders.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/records.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/judged.h"
#include "appliance/wire/orders.h"
#include "policy/ir/meaning.h"

#define ORDERS_MOST 24u /* control lets the web side have 16 */
#define LIMIT_NS 8000000000ull

/* An order that waits for an answer: first of accounts about the person, then of control about the
 * draft, or of the role that carries it out. */
struct order {
	bool used;
	uint32_t question; /* id of the question that was asked */
	unsigned slot;	   /* the slot that was asked */
	uint64_t deadline; /* monotonic ns */
	struct asker asker;
	int fd; /* owned; -1 = none */
	char comment[COMMENT_BYTES];
	struct msg_change m; /* its text is in `comment`; the secret is not kept */
	/* known after the answer: the account, which is the same however the person logged in */
	char by[LOGIN_NAME];
	struct op_ground ground; /* `base` once it is known */
	/* a role itself carries out the order, and its answer is passed on */
	bool passes;
	char named[USER_BY]; /* for enforce: the person, with the login */
	bool stored;	     /* enforce's decision is on the disk */
	/* once the order is carried out, the management reads its files anew */
	bool renews;
	uint32_t duties;   /* the person's duties now */
	uint8_t meant[32]; /* of a door: what it meant when the order was given */
	/* an order that the journal or accounts carries out (records.h); MSG_NONE = another one */
	struct msg_body about;
};

struct orders {
	struct order list[ORDERS_MOST];
	uint32_t at_machine; /* number of the last order at the machine */
};

int orders_open(struct supervisor *s, struct err *e)
{
	s->orders = calloc(1, sizeof(*s->orders));
	if (s->orders == NULL)
		return err_set(e, -ENOMEM, "orders");
	for (size_t i = 0; i < ORDERS_MOST; i++)
		s->orders->list[i].fd = -1;
	return 0;
}

static void order_end(struct order *o)
{
	if (o->fd >= 0)
		close(o->fd);
	explicit_bzero(o, sizeof(*o));
	o->fd = -1;
}

/* `c`: the order; NULL: one about accounts or records. */
static struct order *order_new(struct supervisor *s, struct asker a, const struct msg_change *c)
{
	for (struct order *o = s->orders->list; o < s->orders->list + ORDERS_MOST; o++) {
		if (o->used)
			continue;
		*o = (struct order){ .used = true, .asker = a, .fd = -1 };
		if (c != NULL) {
			o->m = *c;
			snprintf(o->comment, sizeof(o->comment), "%s", c->comment);
			explicit_bzero(o->m.secret, sizeof(o->m.secret));
			if (s->gens.now != NULL)
				(void)ir_door_meaning(s->gens.now->ir, (const char *)c->object, o->meant);
		}
		o->m.comment = o->comment;
		return o;
	}
	answer_no(s, a, ANSWER_CANNOT, json_sentence(M_CONTROL_MANY));
	return NULL;
}

/* An order of the journal or of accounts; takes over the descriptor of the message. */
static struct order *order_signed(struct supervisor *s, struct asker a, const struct msg_body *about, struct msg *m)
{
	struct order *o = order_new(s, a, NULL);
	const char **text;

	if (o == NULL)
		return NULL;
	o->fd = m->n_fds > 0 ? msg_take_fd(m, 0) : -1;
	o->about = *about;
	text = records_text(&o->about);
	if (text != NULL) {
		snprintf(o->comment, sizeof(o->comment), "%s", *text);
		*text = o->comment;
	}
	return o;
}

static struct order *order_of(struct supervisor *s, uint32_t question, unsigned slot)
{
	for (struct order *o = s->orders->list; o < s->orders->list + ORDERS_MOST; o++)
		if (o->used && question != 0 && o->question == question && o->slot == slot)
			return o;
	return NULL;
}

/* Asks a role, with the usual deadline; `question` NULL: it will be asked later. False: it cannot
 * be asked. */
static bool ask_role(struct supervisor *s, struct order *o, unsigned slot, const struct msg_body *question, int fd)
{
	o->question = question != NULL ? ++s->numbers.next_id : 0;
	o->slot = slot;
	o->deadline = mono_ns() + LIMIT_NS;
	return question != NULL && role_send(s, &s->slots[slot], o->question, question, &fd, fd >= 0 ? 1 : 0);
}

/* Whether enforce has been given an isolation that is not only a dry run. */
static bool isolates(const struct order *o)
{
	return change_isolates(o->m.order) && o->slot == SLOT_ENFORCE && (o->m.flags & APPLY_DRY_RUN) == 0;
}

/* Adds an isolation to the stored list if enforce does not carry it out, with what its name covers
 * now. The next enforce carries it out, before it loads any rules. */
static bool keep_isolation(struct supervisor *s, struct order *o)
{
	const char *what = (const char *)o->m.object;

	if (isolates(o) && !o->stored) {
		const struct ir *ir = s->gens.now != NULL ? s->gens.now->ir : NULL;
		json_t *one =
			isolation_entry(ir, what, o->named, o->comment, ir != NULL ? isolation_texts(ir, what) : NULL);

		(void)json_object_set_new(one, "order", json_string(change_word((enum change_order)o->m.order)));
		o->stored = paper_add(s, PAPER_ISOLATIONS, one);
	}
	/* The list goes only to an enforce that has not got the order. One that has it may still
	 * carry it out, and later orders as well, and must not go back to this list afterwards. */
	if (o->stored && isolates(o) && o->question == 0)
		paper_give(s, PAPER_ISOLATIONS, 0);
	return o->stored;
}

static void silent(struct supervisor *s, struct order *o)
{
	bool kept = keep_isolation(s, o), rehearses = o->passes && change_isolates(o->m.order) && !isolates(o);

	/* The role may have carried out the order although it did not answer. */
	answer_no(s, o->asker, ANSWER_CANNOT,
		  json_sentence(kept && isolates(o) ? M_ISOLATE_LATE
				: kept		    ? M_DOOR_KERNEL
				: rehearses	    ? M_ISOLATE_SILENT
				: o->passes	    ? M_CONTROL_UNSURE
						    : M_CONTROL_SILENT,
				role_name(s->slots[o->slot].role)));
	order_end(o);
}

/* Passes an order about an isolation, a door or the clock to enforce, which carries it out and
 * answers. While enforce has no policy the order waits (orders_again). */
static void to_enforce(struct supervisor *s, struct order *o)
{
	struct msg_body i = { MSG_ISOLATE, .isolate = { .order = o->m.order,
							.rehearse = (o->m.flags & APPLY_DRY_RUN) != 0,
							.comment = o->comment } };
	struct msg_body c = { .type = MSG_CLOCK }, q = {
		MSG_DOOR,
		.door = { .order = o->m.order, .for_s = o->m.confirm_s, .duties = o->duties, .comment = o->comment }
	};
	const char *login = o->ground.login;

	if (o->by[0] != '\0')
		snprintf(o->named, sizeof(o->named), "%s%s%s", login, login[0] != '\0' ? "/" : "", o->by);
	memcpy(i.isolate.object, o->m.object, sizeof(i.isolate.object));
	memcpy(i.isolate.by, o->named, sizeof(i.isolate.by));
	memcpy(q.door.object, o->m.object, sizeof(q.door.object));
	memcpy(q.door.person, o->m.person, sizeof(q.door.person));
	memcpy(q.door.ticket, o->m.ticket, sizeof(q.door.ticket));
	memcpy(q.door.request, o->m.request, sizeof(q.door.request));
	memcpy(q.door.meant, o->meant, sizeof(q.door.meant));
	memcpy(q.door.by, o->named, sizeof(q.door.by));
	memcpy(q.door.account, o->by, sizeof(q.door.account));
	memcpy(c.clock.by, o->named, sizeof(c.clock.by));
	o->passes = true;
	(void)ask_role(s, o, SLOT_ENFORCE,
		       !s->gens.loading.adopted		 ? NULL
		       : change_isolates(o->m.order)	 ? &i
		       : change_names_object(o->m.order) ? &q
							 : &c,
		       change_isolates(o->m.order) ? -1 : o->fd);
}

/* Carries out an order that leaves a record: that a shift was taken over, or a service tried. */
static void to_tell(struct supervisor *s, struct order *o)
{
	bool over = o->m.order == CHANGE_HAND_OVER;
	struct event e = event_new(over ? EVENT_POLICY : EVENT_MACHINE, clock_wall_ns());

	if (!over && !beside_try(s, o->comment)) {
		answer_no(s, o->asker, ANSWER_CANNOT, json_sentence(M_SERVICE_UNKNOWN, o->comment));
		return;
	}
	e.code = over					     ? POLICY_HANDED_OVER
		 : strcmp(o->comment, SERVICE_MESSAGES) == 0 ? MACHINE_MESSAGE_TRIED
							     : MACHINE_SERVICE_TRIED;
	event_say(&e, EVENT_BY, o->by);
	event_say(&e, EVENT_OBJECT, o->comment);
	event_send(&s->ground.events, &e);
	answer_json(s, o->asker, ANSWER_YES, json_pack("{s:b}", "done", 1));
}

/* Has the journal or accounts carry out an order under the name of the person who gave it. */
static void to_record(struct supervisor *s, struct order *o)
{
	unsigned slot = o->about.type == MSG_REVIEW ? SLOT_ACCOUNTS : SLOT_JOURNAL;
	const char *login = o->ground.login;

	if (o->by[0] != '\0')
		snprintf(o->named, sizeof(o->named), "%s%s%s", login, login[0] != '\0' ? "/" : "", o->by);
	o->passes = true;
	if (!records_sign(&o->about, o->asker.web, o->named, o->by))
		answer_no(s, o->asker, ANSWER_CANNOT, json_sentence(M_LOGIN_NO_RIGHT));
	else if (!ask_role(s, o, slot, &o->about, o->fd))
		answer_no(s, o->asker, ANSWER_CANNOT,
			  json_sentence(M_CONTROL_NOT_DONE, role_name(s->slots[slot].role)));
	else
		return;
	order_end(o);
}

void orders_again(struct supervisor *s)
{
	for (struct order *o = s->orders->list; o < s->orders->list + ORDERS_MOST; o++)
		if (o->used && o->slot == SLOT_ENFORCE && o->question == 0)
			to_enforce(s, o);
}

void orders_stored(struct supervisor *s, uint32_t question)
{
	struct order *o = order_of(s, question, SLOT_ENFORCE);

	if (o != NULL)
		o->stored = true;
}

/* ---- identification -------------------------------------------------------------------------- */

/* Begins an order, and takes over its descriptors. `login`: an order at the machine, with its uid;
 * NULL: over the web. */
static bool order_begin(struct supervisor *s, struct asker a, struct msg *m, const char *login, uint32_t uid)
{
	const struct msg_change *c = &m->body.change;
	struct msg_body judge;
	struct order *o;

	if (!change_is_boxs(c->order) || (c->order == CHANGE_CHECK && m->n_fds == 0))
		return false;
	a.tell = (c->flags & APPLY_TELL) != 0;
	o = order_new(s, a, c);
	if (o == NULL)
		return true;
	o->fd = m->n_fds > 0 ? msg_take_fd(m, 0) : -1;
	if (login != NULL)
		snprintf(o->ground.login, sizeof(o->ground.login), "%s", login);
	judge = judged_question(c, login, uid);
	if (!ask_role(s, o, SLOT_ACCOUNTS, &judge, -1))
		silent(s, o);
	explicit_bzero(&judge, sizeof(judge));
	return true;
}

bool orders_web(struct supervisor *s, struct msg *m)
{
	return order_begin(s, (struct asker){ .id = m->id, .web = true }, m, NULL, 0);
}

bool orders_records(struct supervisor *s, struct msg *m)
{
	const struct msg_records *r = &m->body.records;
	struct msg_body judge = { MSG_JUDGE,
				  .judge = { .what = CREDENTIAL_SESSION,
					     .family = r->family,
					     .right = (uint8_t)records_right((enum records_order)r->order) } },
			about;
	struct order *o;

	if (!records_of_web(r, &about))
		return false;
	o = order_signed(s, (struct asker){ .id = m->id, .web = true }, &about, m);
	if (o == NULL)
		return true;
	memcpy(judge.judge.from, r->from, sizeof(r->from));
	memcpy(judge.judge.shown, r->shown, sizeof(r->shown));
	memcpy(judge.judge.secret, r->secret, sizeof(r->secret));
	if (!ask_role(s, o, SLOT_ACCOUNTS, &judge, -1))
		silent(s, o);
	explicit_bzero(&judge, sizeof(judge));
	return true;
}

/* ---- at the machine -------------------------------------------------------------------------- */

/* Root's orders about accounts. False: there is no such order. */
static bool accounts_order(struct supervisor *s, struct asker a, const char *by, struct msg *m)
{
	struct msg_body order = { MSG_USER,
				  .user = { .order = m->body.ctl_user.order, .text = m->body.ctl_user.text } };
	struct order *o;

	if (user_order_carries((enum user_order)m->body.ctl_user.order) != (m->n_fds > 0))
		return false;
	o = order_new(s, a, NULL);
	if (o == NULL)
		return true;
	o->passes = true;
	o->renews = m->body.ctl_user.order == USER_RESTORE;
	memcpy(order.user.by, by, strnlen(by, USER_BY - 1));
	if (!ask_role(s, o, SLOT_ACCOUNTS, &order, m->n_fds > 0 ? m->fds[0] : -1))
		silent(s, o);
	return true;
}

/* Root's order as a person would give it. */
static struct msg_change change_of(const struct msg_ctl_change *c)
{
	struct msg_change m = {
		.order = c->order, .flags = c->flags, .to = c->to, .confirm_s = c->confirm_s, .comment = c->comment
	};

	memcpy(m.object, c->object, sizeof(m.object));
	memcpy(m.person, c->person, sizeof(m.person));
	memcpy(m.ticket, c->ticket, sizeof(m.ticket));
	return m;
}

/* Has enforce carry out root's order. */
static void roots_object(struct supervisor *s, struct asker a, const struct msg_change *c, const char *by)
{
	struct order *o = order_new(s, a, c);

	if (o == NULL)
		return;
	o->duties = DUTIES_ALL;
	snprintf(o->named, sizeof(o->named), "%s", by);
	to_enforce(s, o);
}

/* Root's order in its own name, for which nobody is asked. False: there is no such order. */
static bool roots_change(struct supervisor *s, struct asker a, const char *by, struct msg *m)
{
	const struct msg_change c = change_of(&m->body.ctl_change);
	bool applies = c.order == CHANGE_APPLY;

	a.tell = (c.flags & APPLY_TELL) != 0;
	if (change_names_object(c.order)) {
		roots_object(s, a, &c, by);
		return true;
	}
	if ((!applies && c.order != CHANGE_CONFIRM && c.order != CHANGE_ROLLBACK) || (applies && m->n_fds == 0))
		return false;
	op_ordered(s, a, by, (struct op_ground){ 0 }, applies ? msg_take_fd(m, 0) : -1, m->fds[applies ? 1 : 0], &c);
	return true;
}

/* Whether the message has a descriptor if its order needs one. */
static bool carries_its_file(const struct msg *m)
{
	const struct msg_devices *d = &m->body.devices;

	return m->body.type != MSG_DEVICES || (d->order == DEVICES_TRY || d->order == DEVICES_TAKE) == (m->n_fds > 0);
}

/* Carries out root's own orders, for which nobody is asked. False: it is another order. */
static bool roots_order(struct supervisor *s, struct asker a, const char *by, struct msg *m)
{
	struct order *o;

	if (order_is_signed(&m->body)) {
		o = order_signed(s, a, &m->body, m);
		if (o == NULL)
			return true;
		snprintf(o->named, sizeof(o->named), "%s", by);
		to_record(s, o);
		return true;
	}
	if (m->body.type == MSG_CTL_RELEASE) {
		op_release(s, a, by, &m->body.ctl_release);
	} else if (m->body.type == MSG_CTL_CLOCK) {
		roots_object(s, a, &(struct msg_change){ .comment = "" }, by);
	} else if (m->body.type == MSG_CTL_USER) {
		return accounts_order(s, a, by, m);
	} else if (m->body.type == MSG_CTL_CHANGE) {
		return roots_change(s, a, by, m);
	} else {
		return false;
	}
	return true;
}

/* An order in the name of an account. For root the login counts from which the process was started.
 * Any other user gives orders only in his own login: if the process was started from another one,
 * the order is refused. */
static bool account_order(struct supervisor *s, struct asker a, const struct ucred *who, bool root, struct msg *m)
{
	uint32_t typed = who_typed(who->pid, who->uid), uid = root ? typed : who->uid;
	bool is_signed = order_is_signed(&m->body);
	char login[LOGIN_MOST + 1];
	struct msg_body judge;
	struct order *o;

	if (is_signed ? order_signed_right(&m->body) == RIGHT_COUNT || m->n_fds > 0 : m->body.type != MSG_CHANGE)
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_LOGIN_ROOT_ALONE));
	else if (typed == NO_TYPIST)
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_LOGIN_UNTOLD));
	else if (!root && typed != who->uid)
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_LOGIN_ANOTHER));
	else if (!login_of_uid(LOGINS_FILE, uid, login))
		answer_no(s, a, ANSWER_CANNOT, json_sentence(M_LOGIN_AT_MACHINE));
	else if (!is_signed)
		return order_begin(s, a, m, login, uid);
	else if ((o = order_signed(s, a, &m->body, m)) != NULL) {
		snprintf(o->ground.login, sizeof(o->ground.login), "%s", login);
		judge = judged_at_machine(order_signed_right(&m->body), login, uid);
		if (!ask_role(s, o, SLOT_ACCOUNTS, &judge, -1))
			silent(s, o);
	}
	return true;
}

/* Gives control the connection, on which it answers. It hears no more of the order than it needs
 * for that. */
static bool hand_connection(struct supervisor *s, struct asker a, int fd, const struct msg *m)
{
	struct msg_body with = { MSG_HAND, .hand = { .version = m->version, .asked = m->id } };

	if (m->body.type == MSG_CHANGE) {
		with.hand.changes = 1;
		with.hand.order = m->body.change.order;
		with.hand.revision = m->body.change.revision;
	}
	return role_send(s, &s->slots[SLOT_CONTROL], a.id, &with, &fd, 1);
}

void orders_at_machine(struct supervisor *s, int fd, const struct ucred *who, bool root, struct msg *m)
{
	struct asker a = { .id = relayed_id(SLOT_BOX, RELAYED_BOXS | ++s->orders->at_machine) };
	char by[BY_BYTES];
	bool done = false, whole = !root || carries_its_file(m);

	if (!hand_connection(s, a, fd, m) || m->body.type == MSG_NONE)
		return; /* control does not run, or the message is of another release */
	if (root && whole) {
		who_name(who->pid, who->uid, by, sizeof(by));
		done = roots_order(s, a, by, m);
	}
	if (done || (whole && account_order(s, a, who, root, m)))
		return;
	/* There is no such order: an invalid one closes the connection. */
	(void)shutdown(fd, SHUT_RDWR);
	answer_fd(s, a, ANSWER_CANNOT, -1);
}

/* ---- carrying it out ------------------------------------------------------------------------- */

static void check(struct supervisor *s, struct order *o)
{
	uint8_t *texts = NULL;
	int fd = o->fd;
	struct err e;
	size_t n;

	if (memfd_read(fd, CHANGE_TEXTS_MOST, &texts, &n, &e) < 0) {
		answer_no(s, o->asker, ANSWER_INVALID, json_sentence(M_CHANGE_TEXTS, CHANGE_TEXTS_MOST / 1024));
		return;
	}
	free(texts);
	o->fd = -1;
	op_ordered(s, o->asker, o->by, o->ground, fd, -1, &o->m);
}

/* Asks control, which keeps the draft, for its state. `who`: what accounts said. True: the order
 * waits for the answer. */
static bool ask_draft(struct supervisor *s, struct order *o, int who)
{
	struct msg_body q = { MSG_GROUND, .ground = { .order = o->m.order,
						      .flags = o->m.flags,
						      .revision = o->m.revision,
						      .confirm_s = o->m.confirm_s,
						      .comment = o->comment } };

	memcpy(q.ground.by, o->by, sizeof(o->by));
	memcpy(q.ground.login, o->ground.login, sizeof(o->ground.login));
	return ask_role(s, o, SLOT_CONTROL, &q, who);
}

bool orders_judged(struct supervisor *s, const struct slot *sl, struct msg *m)
{
	struct order *o = order_of(s, m->id, sl->number);
	int status = m->body.answer.status, fd = m->n_fds > 0 ? m->fds[0] : -1;

	if (o == NULL)
		return false;
	if (o->renews && status == ANSWER_YES)
		role_renew(s, &s->slots[SLOT_MGMT]);
	if (o->passes)
		answer_fd(s, o->asker, status, fd);
	else if (status != ANSWER_YES)
		/* control takes an object for the result of an order about records */
		answer_fd(s, o->asker, o->asker.web ? status : ANSWER_CANNOT,
			  o->asker.web && o->about.type != MSG_NONE ? -1 : fd);
	else if (!judged_name(fd, o->by, &o->duties))
		answer_fd(s, o->asker, ANSWER_CANNOT, -1);
	else if (o->about.type != MSG_NONE) {
		to_record(s, o);
		return true;
	} else if (o->m.order == CHANGE_CONFIRM)
		op_ordered(s, o->asker, o->by, o->ground, -1, -1, &o->m);
	else if (o->m.order == CHANGE_ROLLBACK) {
		o->ground.base = o->m.base;
		op_ordered(s, o->asker, o->by, o->ground, -1, o->fd, &o->m);
	} else if (change_names_object(o->m.order)) {
		/* with what accounts said of others, in the place of whatever the asker sent */
		if (o->fd >= 0)
			close(o->fd);
		o->fd = msg_take_fd(m, 0);
		to_enforce(s, o);
		return true;
	} else if (o->m.order == CHANGE_HAND_OVER || o->m.order == CHANGE_SERVICE)
		to_tell(s, o);
	else if (o->m.order == CHANGE_CHECK)
		check(s, o);
	else if (ask_draft(s, o, fd))
		return true;
	order_end(o);
	return true;
}

void orders_grounded(struct supervisor *s, struct msg *m)
{
	struct order *o = order_of(s, m->id, SLOT_CONTROL);
	const struct msg_grounded *g = &m->body.grounded;

	if (o == NULL)
		return;
	o->m.comment = g->comment;
	o->ground.base = g->base;
	if (g->status != ANSWER_YES)
		answer_fd(s, o->asker, g->status, m->fds[0]);
	else
		op_ordered(s, o->asker, o->by, o->ground, msg_take_fd(m, 0), o->m.order == CHANGE_TRY ? -1 : o->fd,
			   &o->m);
	order_end(o);
}

/* ---- by the clock ---------------------------------------------------------------------------- */

void orders_stop(struct supervisor *s, uint32_t id)
{
	for (struct order *o = s->orders->list; o < s->orders->list + ORDERS_MOST; o++)
		if (o->used && o->asker.id == id && change_tries(o->m.order, o->m.flags)) {
			/* Control keeps the order's place until it hears of the end. */
			answer_fd(s, o->asker, ANSWER_CANNOT, -1);
			order_end(o);
		}
	op_stop(s, id);
}

void orders_gone(struct supervisor *s, const struct slot *sl)
{
	for (struct order *o = s->orders->list; o < s->orders->list + ORDERS_MOST; o++) {
		if (o->used && sl->role == ROLE_CONTROL) {
			if (o->question == 0)
				(void)keep_isolation(s, o);
			order_end(o);
		} else if (o->used && &s->slots[o->slot] == sl && o->slot == SLOT_ENFORCE && !o->stored)
			o->question = 0; /* for the next enforce */
		else if (o->used && &s->slots[o->slot] == sl)
			silent(s, o);
	}
	if (sl->role == ROLE_CONTROL)
		op_forget(s);
}

uint64_t orders_due(struct supervisor *s, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	for (struct order *o = s->orders->list; o < s->orders->list + ORDERS_MOST; o++) {
		if (o->used && now >= o->deadline)
			silent(s, o);
		if (o->used && o->deadline < due)
			due = o->deadline;
	}
	return due;
}

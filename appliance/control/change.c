/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/control/change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/bundle.h"
#include "appliance/base/clock.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "appliance/control/answer.h"
#include "appliance/control/control.h"
#include "appliance/role/roles.h"
#include "appliance/role/who.h"
#include "appliance/store/draft.h"

#define ORDERS_MOST 16u /* that wait for accounts at a time */
#define WHO_MOST 65536u
#define ANSWER_MOST (64u << 20)
#define SECOND 1000000000ull

/* An order of which somebody else has still to say something: accounts who gave it, or the supervisor what became of it. */
struct order {
	bool used;
	uint64_t serial; /* of its question */
	struct asker asker;
	int fd; /* owned; -1 = none */
	char comment[COMMENT_BYTES];
	struct msg_change m;	/* its text is `comment` */
	char by[BY_BYTES];	/* once it is known: the account, which is one person however he came */
	char login[LOGIN_NAME]; /* at the machine: his login; "" = over the web */
	bool boxs;		/* the supervisor has it */
	bool goes_on;		/* ... and was given the draft for it */
	bool stopped;		/* nobody waits for it: what it says of a draft that it only tried means nothing */
};

struct change {
	struct draft draft;
	struct order orders[ORDERS_MOST];
	uint64_t serial;
	/* What the last dry run of this revision came to; not kept over a start. */
	json_t *tried; /* owned; NULL = there was none */
	uint64_t tried_base, tried_ns;
	bool tried_good;
};

/* ---- what people are told ------------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return *text != '\0' ? json_text(text) : json_null();
}

static json_t *time_or_null(uint64_t ns)
{
	return ns != 0 ? json_time(ns) : json_null();
}

static json_t *authors_json(const struct draft *d)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < d->n_authors; i++)
		json_array_append_new(list, json_text(d->authors[i]));
	return json_list_whole(list, d->n_authors);
}

static json_t *tried_json(const struct control *s)
{
	const struct change *c = s->change;

	if (c->tried == NULL)
		return json_null();
	return json_pack("{s:b, s:b, s:I, s:o, s:O}", "good", c->tried_good, "current", c->tried_base == s->now->number,
			 "base", (json_int_t)c->tried_base, "at", json_time(c->tried_ns), "answer", c->tried);
}

/* Where the draft stands, without its texts. */
static json_t *draft_json(const struct control *s)
{
	const struct draft *d = &s->change->draft;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
			 draft_state_name(d->state), "revision", (json_int_t)d->revision, "base", (json_int_t)d->base,
			 "in_force", (json_int_t)s->now->number, "on_trial", (json_int_t)s->trial, "generation",
			 d->generation != 0 ? json_integer((json_int_t)d->generation) : json_null(), "authors",
			 authors_json(d), "by", text_or_null(d->by), "saved", time_or_null(d->saved_ns), "comment",
			 text_or_null(d->comment), "decided_by", text_or_null(d->decided_by), "decided",
			 time_or_null(d->decided_ns), "decision", text_or_null(d->decision), "tried", tried_json(s));
}

/* NULL when it is no text: nobody shall approve what he was not shown. */
static json_t *bytes_text(struct bytes b)
{
	size_t n = b.left;
	char *text = malloc(n + 1);
	json_t *j = NULL;

	if (text != NULL && bytes_copy(&b, text, n)) {
		text[n] = '\0';
		j = strlen(text) == n ? json_string(text) : NULL;
	}
	free(text);
	return j;
}

static json_t *texts_json(const uint8_t *p, size_t size)
{
	struct bytes b = bytes_of(p, size), name, text;
	json_t *list = json_array();
	uint32_t n = 0;

	if (size > 0 && !bundle_head(&b, &n))
		n = 0;
	for (uint32_t i = 0; i < n && bundle_next(&b, &name, &text); i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:o}", "name", bytes_text(name), "text", bytes_text(text)));
	return json_list_whole(list, n);
}

static void answer(struct control *s, const struct order *o, int status, json_t *more)
{
	json_t *j = more != NULL ? more : json_object();

	json_object_set_new(j, "done", json_boolean(status == ANSWER_YES));
	json_object_set_new(j, "draft", draft_json(s));
	respond_json(s, o->asker, status, j);
}

static void refuse(struct control *s, const struct order *o, int status, enum message m, ...)
{
	struct sentence why = { 0 };
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&why, m, ap);
	va_end(ap);
	answer(s, o, status, json_pack("{s:o}", "error", sentence_json(&why)));
}

/* By the account, at the machine by "login/account". */
static void ordered_by(const struct order *o, char out[USER_BY])
{
	snprintf(out, USER_BY, "%s%s%s", o->login, o->login[0] != '\0' ? "/" : "", o->by);
}

/* "r3 1a2b3c4d5e6f7a8b: what was said" */
static void record(struct control *s, enum policy_event what, const struct order *o)
{
	const struct draft *d = &s->change->draft;
	char hex[65], text[COMMENT_BYTES + 96], by[USER_BY];

	hex_text(d->digest, 8, hex);
	snprintf(text, sizeof(text), "r%llu %s%s%s", (unsigned long long)d->revision, hex,
		 o->comment[0] != '\0' ? ": " : "", o->comment);
	ordered_by(o, by);
	policy_record(s, what, d->base, by, text);
}

/* ---- the draft in time ------------------------------------------------------------------------------------------------ */

static void forget_trial(struct change *c)
{
	json_decref(c->tried);
	c->tried = NULL;
}

/* Nobody has agreed to it any more. */
static void undecided(struct draft *d)
{
	d->state = DRAFT_WRITTEN;
	d->decided_by[0] = d->decision[0] = '\0';
	d->decided_ns = 0;
}

/* An apply of the draft as it is waits or runs in the supervisor. */
static bool under_way(const struct change *c)
{
	for (size_t i = 0; i < ORDERS_MOST; i++)
		if (c->orders[i].used && c->orders[i].goes_on && c->orders[i].m.order == CHANGE_APPLY &&
		    (c->orders[i].m.flags & APPLY_DRY_RUN) == 0)
			return true;
	return false;
}

void change_settle(struct control *s)
{
	struct draft *d = &s->change->draft;
	const struct generation_record *g =
		d->state == DRAFT_APPLIED ? generation_find(&s->store, d->generation) : NULL;
	struct err e;

	if (under_way(s->change))
		return; /* its own operation says what becomes of it */
	if (d->state == DRAFT_APPLIED && (g == NULL || g->state == GEN_REVERTED)) {
		undecided(d);
		d->generation = 0;
	} else if ((d->state == DRAFT_ASKED || d->state == DRAFT_APPROVED) && d->base != s->now->number) {
		undecided(d);
	} else {
		return;
	}
	s->draft_unsaved = draft_save(CONTROL_FD_FOLDER, d, &e) < 0;
}

void change_save(struct control *s)
{
	struct err e;

	if (s->draft_unsaved)
		s->draft_unsaved = draft_save(CONTROL_FD_FOLDER, &s->change->draft, &e) < 0;
}

/* Keeps the change, or gives back `before` and says so. Nothing but the state may differ. */
static bool kept(struct control *s, const struct order *o, const struct draft *before)
{
	struct err e;

	if (draft_save(CONTROL_FD_FOLDER, &s->change->draft, &e) == 0) {
		s->draft_unsaved = false;
		return true;
	}
	s->change->draft = *before;
	refuse(s, o, ANSWER_CANNOT, M_CHANGE_UNSAVED, e.text);
	return false;
}

int change_open(struct control *s, struct err *e)
{
	bool lost;
	int r;

	s->change = calloc(1, sizeof(*s->change));
	if (s->change == NULL)
		return err_set(e, -ENOMEM, "draft");
	for (size_t i = 0; i < ORDERS_MOST; i++)
		s->change->orders[i].fd = -1;
	r = draft_open(CONTROL_FD_FOLDER, &s->change->draft, &lost, e);
	if (r == 0 && lost) {
		/* Its number is not known any more, and must not be given again. */
		s->change->draft.revision = clock_wall_ns() / SECOND;
		say_line(s, M_CHANGE_LOST);
		policy_record(s, POLICY_DRAFT_LOST, 0, NULL, NULL);
	}
	return r;
}

/* ---- orders about the draft -------------------------------------------------------------------------------------------- */

/* What is just being put into force stays what it is. */
static bool stands_still(struct control *s, const struct order *o)
{
	if (!under_way(s->change))
		return true;
	refuse(s, o, ANSWER_CANNOT, M_CHANGE_UNDER_WAY);
	return false;
}

/* He speaks of the draft as it is. */
static bool of_this_revision(struct control *s, const struct order *o)
{
	const struct draft *d = &s->change->draft;
	char when[40];

	if (d->state == DRAFT_NONE) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_NONE);
		return false;
	}
	if (o->m.revision == d->revision)
		return true;
	moment_text(d->saved_ns, when);
	refuse(s, o, ANSWER_CANNOT, M_CHANGE_OTHER, d->by, when, (unsigned long long)d->revision,
	       (unsigned long long)o->m.revision);
	return false;
}

/* It was written for what is in force now. */
static bool of_this_base(struct control *s, const struct order *o, uint64_t base)
{
	if (base == s->now->number)
		return true;
	refuse(s, o, ANSWER_CANNOT, M_CHANGE_BASE, (unsigned long long)s->now->number, (unsigned long long)base);
	return false;
}

static bool add_author(struct draft *d, const char *by)
{
	if (draft_has_author(d, by))
		return true;
	if (d->n_authors == DRAFT_AUTHORS)
		return false;
	snprintf(d->authors[d->n_authors++], BY_BYTES, "%s", by);
	return true;
}

/* Whole, and texts in UTF-8 without a NUL; what stands in them is for the compiler. */
static bool is_bundle(const uint8_t *p, size_t n)
{
	json_t *j = texts_json(p, n);
	bool ok = json_array_size(j) > 0;

	json_decref(j);
	return ok;
}

static void save(struct control *s, const struct order *o)
{
	struct change *c = s->change;
	struct draft before = c->draft, *d = &c->draft;
	/* What is on trial may be given up: then whoever wrote it is an author of what comes of it. */
	bool new = d->state == DRAFT_NONE || (d->state == DRAFT_APPLIED && d->generation != s->trial);
	uint8_t *texts = NULL;
	struct err e;
	size_t n;

	if (o->m.revision != d->revision && !(d->state == DRAFT_NONE && o->m.revision == 0)) {
		of_this_revision(s, o);
		return;
	}
	if (!of_this_base(s, o, o->m.base) || !stands_still(s, o))
		return;
	if (memfd_read(o->fd, CHANGE_TEXTS_MOST, &texts, &n, &e) < 0 || !is_bundle(texts, n)) {
		free(texts);
		refuse(s, o, ANSWER_INVALID, M_CHANGE_TEXTS, CHANGE_TEXTS_MOST / 1024);
		return;
	}
	if (new)
		d->n_authors = 0;
	if (!add_author(d, o->by)) {
		free(texts);
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_AUTHORS, DRAFT_AUTHORS);
		return;
	}
	undecided(d);
	d->generation = 0;
	d->revision++;
	d->base = s->now->number;
	d->saved_ns = clock_wall_ns();
	snprintf(d->by, sizeof(d->by), "%s", o->by);
	snprintf(d->comment, sizeof(d->comment), "%s", o->comment);
	d->texts = NULL; /* `before` has them until the new ones are on the disk */
	draft_texts(d, texts, n);
	if (!kept(s, o, &before)) {
		free(texts);
		return;
	}
	free(before.texts);
	forget_trial(c);
	record(s, POLICY_DRAFTED, o);
	answer(s, o, ANSWER_YES, NULL);
}

static void ask(struct control *s, const struct order *o)
{
	struct change *c = s->change;
	struct draft before = c->draft;

	if (!of_this_revision(s, o) || !of_this_base(s, o, c->draft.base) || !stands_still(s, o))
		return;
	if (c->draft.state != DRAFT_WRITTEN) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_ASKED_ALREADY);
		return;
	}
	if (c->tried == NULL || !c->tried_good || c->tried_base != s->now->number) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_TRY_FIRST);
		return;
	}
	undecided(&c->draft);
	c->draft.state = DRAFT_ASKED;
	if (!kept(s, o, &before))
		return;
	record(s, POLICY_ASKED, o);
	answer(s, o, ANSWER_YES, NULL);
}

static void decide(struct control *s, const struct order *o, bool approve)
{
	struct change *c = s->change;
	struct draft before = c->draft, *d = &c->draft;

	if (!of_this_revision(s, o))
		return;
	if (d->state != DRAFT_ASKED && !(d->state == DRAFT_APPROVED && !approve)) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_NOT_ASKED);
		return;
	}
	if (!stands_still(s, o))
		return;
	if (approve && draft_has_author(d, o->by)) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_OWN);
		return;
	}
	d->state = approve ? DRAFT_APPROVED : DRAFT_WRITTEN;
	d->decided_ns = clock_wall_ns();
	snprintf(d->decided_by, sizeof(d->decided_by), "%s", o->by);
	snprintf(d->decision, sizeof(d->decision), "%s", o->comment);
	if (!kept(s, o, &before))
		return;
	record(s, approve ? POLICY_APPROVED : POLICY_DECLINED, o);
	answer(s, o, ANSWER_YES, NULL);
}

static void discard(struct control *s, const struct order *o)
{
	struct change *c = s->change;
	struct draft before = c->draft;

	if (!of_this_revision(s, o) || !stands_still(s, o))
		return;
	if (before.state == DRAFT_APPLIED && before.generation == s->trial) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_ON_TRIAL, (unsigned long long)s->trial);
		return;
	}
	c->draft = (struct draft){ .revision = before.revision };
	if (!kept(s, o, &before))
		return;
	c->draft = before;
	record(s, POLICY_DISCARDED, o);
	free(before.texts);
	c->draft = (struct draft){ .revision = before.revision };
	forget_trial(c);
	answer(s, o, ANSWER_YES, NULL);
}

/* ---- orders that the supervisor carries out -------------------------------------------------------------------------------- */

/*
 * What the generation is called in all lists from now on. Who wrote it and who agreed stands first: whatever
 * looks like that further on is what somebody said.
 */
static void whole_comment(const struct draft *d, const struct order *o, char out[COMMENT_BYTES])
{
	const char *said = o->comment[0] != '\0' ? o->comment : d->comment;
	char all[COMMENT_BYTES + 3 * BY_BYTES + 64];

	snprintf(all, sizeof(all), "(draft %llu; author: %s; approved_by: %s)%s%s", (unsigned long long)d->revision,
		 d->by, d->decided_by[0] != '\0' ? d->decided_by : "-", *said != '\0' ? " " : "", said);
	utf8_plain(all, out, COMMENT_BYTES);
}

static bool may_approve(const json_t *approvers, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(approvers, i, v)
	{
		if (json_is_string(v) && strcmp(json_string_value(v), name) == 0)
			return true;
	}
	return false;
}

/* What was said with the order is about the apply, which is not done. */
static void record_lost(struct control *s, const struct order *o, const char *approver)
{
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	const struct draft *d = &s->change->draft;
	char hex[65], text[96], by[USER_BY];

	hex_text(d->digest, 8, hex);
	snprintf(text, sizeof(text), "r%llu %s", (unsigned long long)d->revision, hex);
	ordered_by(o, by);
	e.code = POLICY_APPROVAL_LOST;
	e.value = d->base;
	event_say(&e, EVENT_BY, by);
	event_say(&e, EVENT_OBJECT, text);
	event_say(&e, EVENT_BEFORE, approver);
	event_send(&s->events, &e);
}

/* Whoever approved it was shut out since, or has another role: nobody stands for it, and it waits for somebody who does. */
static void approval_falls(struct control *s, const struct order *o)
{
	struct draft before = s->change->draft, *d = &s->change->draft;

	undecided(d);
	d->state = DRAFT_ASKED;
	if (!kept(s, o, &before))
		return;
	/* Once: from here on, and after a start, it is a draft that waits. */
	record_lost(s, o, before.decided_by);
	refuse(s, o, ANSWER_CANNOT, M_CHANGE_APPROVER_GONE, before.decided_by);
}

/* Whether it may go on, after saying why not. */
static bool may_apply(struct control *s, const struct order *o, bool alone, const json_t *approvers)
{
	const struct draft *d = &s->change->draft;
	bool dry = (o->m.flags & APPLY_DRY_RUN) != 0;

	if (!of_this_revision(s, o))
		return false;
	if (o->m.order == CHANGE_TRY || dry)
		return true;
	if (d->state == DRAFT_APPLIED)
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_APPLIED, (unsigned long long)d->generation);
	else if (!of_this_base(s, o, d->base) || !stands_still(s, o))
		return false;
	else if (!alone && d->state != DRAFT_APPROVED)
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_NOT_APPROVED);
	else if (!alone && !may_approve(approvers, d->decided_by))
		approval_falls(s, o);
	else if (o->m.confirm_s < CHANGE_CONFIRM_LEAST)
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_CONFIRM_S, CHANGE_CONFIRM_LEAST);
	else
		return true;
	return false;
}

/* The order that this question is about: whoever gave it waits for the answer. */
static struct order *at_the_box(struct change *c, const struct msg_ground *g)
{
	for (size_t i = 0; i < ORDERS_MOST; i++) {
		struct order *o = &c->orders[i];

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
	json_t *approvers = json_of_memfd(m->n_fds > 0 ? m->fds[0] : -1, WHO_MOST);
	const struct draft *d = &s->change->draft;
	char comment[COMMENT_BYTES] = "";
	struct answer a = { .fd = -1 };
	int fd, status;

	/* Whoever gave it may have left. What it comes to is said through the supervisor. */
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
	if (may_apply(s, &as, g->alone != 0, approvers)) {
		if (g->order == CHANGE_APPLY)
			whole_comment(d, &as, comment);
		fd = memfd_sealed("sekisho-draft", d->texts, d->n_texts);
		if (fd >= 0) {
			if (o != NULL) {
				o->goes_on = true;
				o->m.flags = g->flags;
			}
			ground_it(m->id, ANSWER_YES,
				  &(struct msg_grounded){ .base = s->now->number, .comment = comment }, fd);
			close(fd);
			json_decref(approvers);
			return;
		}
		refuse(s, &as, ANSWER_CANNOT, M_CHANGE_UNSAVED, strerror(-fd));
	}
	/* What was refused last is the answer. */
	if (answer_take_last(s, &a)) {
		status = answer_pack(&a);
		if (a.fd >= 0)
			ground_it(m->id, status, &(struct msg_grounded){ .comment = "" }, a.fd);
		answer_free(&a);
	}
	json_decref(approvers);
}

static void carry_out(struct control *s, struct order *o)
{
	switch ((enum change_order)o->m.order) {
	case CHANGE_SAVE:
		save(s, o);
		break;
	case CHANGE_ASK:
		ask(s, o);
		break;
	case CHANGE_APPROVE:
	case CHANGE_DECLINE:
		decide(s, o, o->m.order == CHANGE_APPROVE);
		break;
	case CHANGE_DISCARD:
		discard(s, o);
		break;
	case CHANGE_CHECK:
	case CHANGE_TRY:
	case CHANGE_APPLY:
	case CHANGE_CONFIRM:
	case CHANGE_ROLLBACK:
	case CHANGE_ISOLATE:
	case CHANGE_REJOIN_READS:
	case CHANGE_REJOIN:
	case CHANGE_OPEN:
	case CHANGE_SHUT:
	case CHANGE_REVIEW_DOOR:
	case CHANGE_ORDERS:
		break;
	}
}

bool change_is_boxs(unsigned order)
{
	return order == CHANGE_CHECK || order == CHANGE_TRY || order == CHANGE_APPLY || order == CHANGE_CONFIRM ||
	       order == CHANGE_ROLLBACK || change_names_object(order);
}

/* ---- who it is ------------------------------------------------------------------------------------------------------------- */

static void order_end(struct order *o)
{
	if (o->fd >= 0)
		close(o->fd);
	explicit_bzero(o, sizeof(*o));
	o->fd = -1;
}

static struct order *order_new(struct control *s, struct asker a)
{
	struct order *o = NULL;

	for (size_t i = 0; i < ORDERS_MOST && o == NULL; i++)
		if (!s->change->orders[i].used)
			o = &s->change->orders[i];
	if (o != NULL)
		*o = (struct order){ .used = true, .serial = ++s->change->serial, .asker = a, .fd = -1 };
	return o;
}

static struct asker waits(const struct control *s, const struct order *o)
{
	return (struct asker){ .kind = ASKER_CHANGE,
			       .client = (uint32_t)(o - s->change->orders),
			       .serial = o->serial,
			       .login = o->asker.login,
			       .web = o->asker.kind == ASKER_MGMT,
			       .tell = o->asker.tell };
}

/* What accounts is asked: whose session, or whose login, and may he? */
static struct msg_body question_of(const struct msg_change *c, const struct typist *t)
{
	uint8_t right = (uint8_t)change_right((enum change_order)c->order);
	struct msg_body q = { .type = MSG_JUDGE,
			      .judge = { .what = CREDENTIAL_SESSION, .family = c->family, .right = right } };

	if (t != NULL) {
		q = (struct msg_body){ .type = MSG_AT_MACHINE, .at_machine = { .uid = t->uid, .right = right } };
		memcpy(q.at_machine.login, t->login, sizeof(t->login));
		return q;
	}
	memcpy(q.judge.from, c->from, sizeof(c->from));
	memcpy(q.judge.secret, c->secret, sizeof(c->secret));
	memcpy(q.judge.shown, c->shown, sizeof(c->shown));
	return q;
}

static void too_many(struct control *s, struct asker a)
{
	refuse(s, &(struct order){ .asker = a, .fd = -1 }, ANSWER_CANNOT, M_CONTROL_MANY);
}

/* Over the web, to the supervisor as it is: it asks accounts for itself. */
static void forward(struct control *s, struct asker a, struct msg *m)
{
	struct order *o = order_new(s, a);

	if (o == NULL) {
		too_many(s, a);
		return;
	}
	o->boxs = true;
	o->m = m->body.change;
	o->m.comment = NULL;
	explicit_bzero(o->m.secret, sizeof(o->m.secret));
	collect_pass_fd(s, SLOT_BOX, &m->body, m->n_fds > 0 ? m->fds[0] : -1, waits(s, o));
}

void change_hand(struct control *s, struct asker a, enum change_order order, uint64_t revision, int fd, bool login)
{
	struct order *o = order_new(s, a);

	if (o == NULL) {
		too_many(s, a);
		return;
	}
	o->boxs = true;
	o->asker.tell = true; /* whether he wants to hear how far it is, the supervisor reads */
	o->m = (struct msg_change){ .order = (uint8_t)order, .revision = revision };
	collect_pass_fd(s, SLOT_BOX, &(struct msg_body){ MSG_HAND, .hand = { .login = login } }, fd, waits(s, o));
}

void change_ordered(struct control *s, struct asker a, const struct typist *t, struct msg *m)
{
	const struct msg_change *c = &m->body.change;
	struct msg_body judge;
	struct order *o;

	if (change_is_boxs(c->order)) {
		if (c->order == CHANGE_CHECK && m->n_fds == 0)
			refuse(s, &(struct order){ .asker = a, .fd = -1 }, ANSWER_CANNOT, M_CHANGE_NONE);
		else
			forward(s, a, m);
		return;
	}
	o = order_new(s, a);
	if (o == NULL) {
		too_many(s, a);
		return;
	}
	o->fd = m->n_fds > 0 ? msg_take_fd(m, 0) : -1;
	o->m = *c;
	snprintf(o->comment, sizeof(o->comment), "%s", c->comment);
	o->m.comment = o->comment;
	if (c->order == CHANGE_SAVE && o->fd < 0) {
		refuse(s, o, ANSWER_CANNOT, M_CHANGE_NONE);
		order_end(o);
		return;
	}
	if (t != NULL && t->login[0] == '\0') {
		refuse(s, o, ANSWER_CANNOT, t->uid == NO_TYPIST ? M_LOGIN_UNTOLD : M_LOGIN_AT_MACHINE);
		order_end(o);
		return;
	}
	judge = question_of(c, t);
	if (t != NULL)
		memcpy(o->login, t->login, sizeof(o->login));
	explicit_bzero(o->m.secret, sizeof(o->m.secret));
	collect_pass(s, SLOT_ACCOUNTS, &judge, waits(s, o));
	explicit_bzero(&judge, sizeof(judge));
}

/* Whose session or login it is. False: accounts has said no such thing. */
static bool take_who(struct order *o, int fd)
{
	json_t *j = json_of_memfd(fd, WHO_MOST);
	const char *name = json_string_value(json_object_get(j, "name"));

	if (name != NULL)
		snprintf(o->by, sizeof(o->by), "%s", name);
	json_decref(j);
	return o->by[0] != '\0';
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

/* What the supervisor has made of an order; `answer`: what it says of it. */
static void is_over(struct control *s, const struct order *o, bool done, json_t *answer)
{
	bool dry = o->m.order == CHANGE_TRY || (o->m.flags & APPLY_DRY_RUN) != 0;
	struct change *c = s->change;
	struct err e;

	if (!o->goes_on || o->m.revision != c->draft.revision || c->draft.state == DRAFT_NONE)
		return;
	if (dry && !o->stopped) {
		forget_trial(c);
		c->tried = json_deep_copy(answer);
		c->tried_good = done;
		c->tried_base = s->now->number;
		c->tried_ns = clock_wall_ns();
	} else if (!dry && done) {
		c->draft.state = DRAFT_APPLIED;
		c->draft.generation =
			(uint64_t)json_integer_value(json_object_get(json_object_get(answer, "generation"), "number"));
		s->draft_unsaved = draft_save(CONTROL_FD_FOLDER, &c->draft, &e) < 0;
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
	/* A generation that is given up by it is no draft's any more: the answer says so already. */
	change_settle(s);
	json_object_set_new(j, "draft", draft_json(s));
	respond_json(s, a, status, j);
}

void change_answered(struct control *s, struct asker a, int status, int fd)
{
	struct order *o = a.client < ORDERS_MOST ? &s->change->orders[a.client] : NULL;

	if (o == NULL || !o->used || o->serial != a.serial)
		return;
	if (o->boxs) {
		box_answered(s, o, status, fd);
		return;
	}
	if (status != ANSWER_YES)
		respond_fd(s, o->asker, o->asker.kind == ASKER_CLIENT ? ANSWER_CANNOT : status, fd);
	else if (!take_who(o, fd))
		respond_fd(s, o->asker, ANSWER_CANNOT, -1);
	else
		carry_out(s, o);
	order_end(o);
}

void change_show(struct control *s, struct asker a, bool texts)
{
	const struct draft *d = &s->change->draft;
	json_t *j = json_pack("{s:o}", "draft", draft_json(s));

	if (texts)
		json_object_set_new(j, "sources", texts_json(d->texts, d->n_texts));
	respond_json(s, a, ANSWER_YES, j);
}

struct asker change_asker(const struct control *s, const struct asker *a)
{
	const struct order *o = a->client < ORDERS_MOST ? &s->change->orders[a->client] : NULL;

	if (o == NULL || !o->used || o->serial != a->serial)
		return (struct asker){ .kind = ASKER_NONE };
	return o->asker;
}

void change_stop(struct control *s, const struct asker *a)
{
	for (size_t i = 0; i < ORDERS_MOST; i++) {
		struct order *o = &s->change->orders[i];
		struct asker as = waits(s, o);

		if (!o->used || !o->boxs || !asker_is(&o->asker, a))
			continue;
		/* The supervisor knows what of it only tries, and answers in any case. */
		o->stopped = true;
		o->asker.kind = ASKER_NONE;
		collect_stop(s, &as);
	}
}

void change_forget(struct control *s)
{
	for (size_t i = 0; i < ORDERS_MOST; i++) {
		struct order *o = &s->change->orders[i];

		if (!o->used || o->asker.kind != ASKER_MGMT)
			continue;
		o->stopped = true;
		if (o->boxs)
			o->asker.kind = ASKER_NONE; /* what becomes of the draft is heard all the same */
		else
			order_end(o);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/bundle.h"
#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/base/sha256.h"
#include "appliance/base/utf8.h"
#include "appliance/control/change.h"
#include "appliance/control/change_private.h"
#include "appliance/control/control.h"
#include "appliance/control/ground.h"
#include "appliance/control/tried.h"
#include "appliance/role/roles.h"
#include "appliance/wire/hours.h"

/* ns until a save is tried again: a full disk may have room by then */
#define SAVE_AGAIN 2000000000ull

/* ---- the draft in answers -------------------------------------------------------------------- */

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

json_t *draft_json(const struct control *s)
{
	const struct draft *d = &s->change->draft;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
			 draft_state_name(d->state), "revision", (json_int_t)d->revision, "base", (json_int_t)d->base,
			 "in_force", (json_int_t)s->now->number, "on_trial", (json_int_t)s->facts.trial, "generation",
			 d->generation != 0 ? json_integer((json_int_t)d->generation) : json_null(), "authors",
			 authors_json(d), "by", json_text_or_null(d->by), "saved", time_or_null(d->saved_ns), "comment",
			 json_text_or_null(d->comment), "decided_by", json_text_or_null(d->decided_by), "decided",
			 time_or_null(d->decided_ns), "decision", json_text_or_null(d->decision), "ran_out",
			 d->ran_out != 0 ? json_integer((json_int_t)d->ran_out) : json_null(), "tried", tried_json(s));
}

json_t *change_waits(const struct control *s)
{
	const struct draft *d = &s->change->draft;

	if (d->state != DRAFT_ASKED && d->state != DRAFT_APPROVED)
		return json_null();
	return json_pack("{s:s, s:I, s:o, s:o, s:o}", "state", draft_state_name(d->state), "revision",
			 (json_int_t)d->revision, "by", json_text(d->by), "authors", authors_json(d), "saved",
			 time_or_null(d->saved_ns));
}

/* NULL when the bytes are no text, because nobody shall approve what he cannot see. */
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

static void answer_order(struct control *s, const struct order *o, int status, json_t *more)
{
	json_t *j = more != NULL ? more : json_object();

	json_object_set_new(j, "done", json_boolean(status == ANSWER_YES));
	json_object_set_new(j, "draft", draft_json(s));
	respond_json(s, o->asker, status, j);
}

void draft_refuse(struct control *s, const struct order *o, int status, enum message m, ...)
{
	struct sentence why = { 0 };
	va_list ap;

	va_start(ap, m);
	sentence_vsay(&why, m, ap);
	va_end(ap);
	answer_order(s, o, status, json_pack("{s:o}", "error", sentence_json(&why)));
}

/* The account's name, at the machine "login/account". */
static void ordered_by(const struct order *o, char out[USER_BY])
{
	snprintf(out, USER_BY, "%s%s%s", o->login, o->login[0] != '\0' ? "/" : "", o->by);
}

/* "r3 1a2b3c4d5e6f7a8b: what was said" */
static void record_draft(struct control *s, enum policy_event what, const struct order *o)
{
	const struct draft *d = &s->change->draft;
	char hex[65], text[COMMENT_BYTES + 96], by[USER_BY];

	hex_text(d->digest, 8, hex);
	snprintf(text, sizeof(text), "r%llu %s%s%s", (unsigned long long)d->revision, hex,
		 o->comment[0] != '\0' ? ": " : "", o->comment);
	ordered_by(o, by);
	policy_record(s, what, d->base, by, text);
}

/* Records the result of an approval. A comment of the order belongs to the apply, which does not
 * happen. */
static void record_approval(struct control *s, enum policy_event what, const char *by, const char *approver)
{
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	const struct draft *d = &s->change->draft;
	char hex[65], text[96];

	hex_text(d->digest, 8, hex);
	snprintf(text, sizeof(text), "r%llu %s", (unsigned long long)d->revision, hex);
	e.code = (uint8_t)what;
	e.value = d->base;
	event_say(&e, EVENT_BY, by);
	event_say(&e, EVENT_OBJECT, text);
	event_say(&e, EVENT_BEFORE, approver);
	event_send(&s->events, &e);
}

/* ---- the draft in time ----------------------------------------------------------------------- */

void draft_untried(struct change *c)
{
	json_decref(c->tried);
	c->tried = NULL;
}

/* Whether the supervisor runs or queues an apply of the present draft. */
static bool under_way(const struct change *c)
{
	for (size_t i = 0; i < ORDERS_ALL; i++)
		if (c->orders[i].used && c->orders[i].goes_on && c->orders[i].m.order == CHANGE_APPLY &&
		    (c->orders[i].m.flags & APPLY_DRY_RUN) == 0)
			return true;
	return false;
}

void change_settle(struct control *s)
{
	struct draft *d = &s->change->draft;
	uint64_t newest = s->store.n > 0 ? s->store.list[s->store.n - 1].number : 0;
	enum draft_turn what;
	struct err e;

	if (under_way(s->change))
		return; /* the running operation reports the result */
	what = draft_settle(d, d->state == DRAFT_APPLIED ? generation_find(&s->store, d->generation) : NULL, newest,
			    s->now->number);
	if (what == DRAFT_STAYS)
		return;
	s->change->unsaved = draft_save(CONTROL_FD_FOLDER, d, &e) < 0;
	if (what == DRAFT_KEEPS)
		record_approval(s, POLICY_APPROVAL_KEPT, "", d->decided_by);
}

bool change_unsaved(const struct control *s)
{
	return s->change->unsaved;
}

uint64_t change_next(const struct control *s)
{
	return s->change->unsaved ? s->change->save_again : UINT64_MAX;
}

void change_due(struct control *s, uint64_t now)
{
	struct change *c = s->change;
	struct err e;

	if (!c->unsaved || now < c->save_again)
		return;
	c->save_again = now + SAVE_AGAIN;
	c->unsaved = draft_save(CONTROL_FD_FOLDER, &c->draft, &e) < 0;
}

/* Saves the changed draft. If that fails, restores `before`, and refuses the order. Only the state
 * of the draft may have changed, not its texts. */
static bool kept_or_refused(struct control *s, const struct order *o, const struct draft *before)
{
	struct err e;

	if (draft_save(CONTROL_FD_FOLDER, &s->change->draft, &e) == 0) {
		s->change->unsaved = false;
		return true;
	}
	s->change->draft = *before;
	draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_UNSAVED, e.text);
	return false;
}

int change_open(struct control *s, struct err *e)
{
	bool lost;
	int r;

	s->change = calloc(1, sizeof(*s->change));
	if (s->change == NULL)
		return err_set(e, -ENOMEM, "draft");
	for (size_t i = 0; i < ORDERS_ALL; i++)
		s->change->orders[i].fd = -1;
	r = draft_open(CONTROL_FD_FOLDER, &s->change->draft, &lost, e);
	if (r == 0 && lost) {
		/* The revision number was lost and must not be used again, so the clock gives a new
		 * one. */
		s->change->draft.revision = clock_wall_s();
		say_line(s, M_CHANGE_LOST);
		policy_record(s, POLICY_DRAFT_LOST, 0, NULL, NULL);
	}
	return r;
}

/* ---- orders about the draft ------------------------------------------------------------------ */

/* Refuses changes while the draft is being applied. */
static bool stands_still(struct control *s, const struct order *o)
{
	if (!under_way(s->change))
		return true;
	draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_UNDER_WAY);
	return false;
}

/* Refuses an order about another revision. */
static bool of_this_revision(struct control *s, const struct order *o)
{
	const struct draft *d = &s->change->draft;
	char when[40];

	if (d->state == DRAFT_NONE) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_NONE);
		return false;
	}
	if (o->m.revision == d->revision)
		return true;
	moment_text(d->saved_ns, when);
	draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_OTHER, d->by, when, (unsigned long long)d->revision,
		     (unsigned long long)o->m.revision);
	return false;
}

/* Refuses a draft that was written for another generation than the one in force. */
static bool of_this_base(struct control *s, const struct order *o, uint64_t base)
{
	if (base == s->now->number)
		return true;
	draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_BASE, (unsigned long long)s->now->number, (unsigned long long)base);
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

/* Checks that the bundle is whole and its texts are UTF-8 without NUL; the compiler checks the
 * contents. */
static bool is_bundle(const uint8_t *p, size_t n)
{
	json_t *j = texts_json(p, n);
	bool ok = json_array_size(j) > 0;

	json_decref(j);
	return ok;
}

static void save_draft(struct control *s, const struct order *o)
{
	struct change *c = s->change;
	struct draft before = c->draft, *d = &c->draft;
	/* A draft whose generation is on trial may be saved again. It is then no new draft, so its
	 * authors stay its authors. */
	bool new = d->state == DRAFT_NONE || (d->state == DRAFT_APPLIED && d->generation != s->facts.trial);
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
		draft_refuse(s, o, ANSWER_INVALID, M_CHANGE_TEXTS, CHANGE_TEXTS_MOST / 1024);
		return;
	}
	if (new)
		d->n_authors = 0;
	if (!add_author(d, o->by)) {
		free(texts);
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_AUTHORS, DRAFT_AUTHORS);
		return;
	}
	draft_undecided(d);
	d->generation = 0;
	d->revision++;
	d->base = s->now->number;
	d->saved_ns = clock_wall_ns();
	snprintf(d->by, sizeof(d->by), "%s", o->by);
	/* who saves again without a word leaves the draft's comment */
	if (new || o->comment[0] != '\0')
		snprintf(d->comment, sizeof(d->comment), "%s", o->comment);
	d->texts = NULL; /* `before` holds the old texts until the new ones are on the disk */
	draft_texts(d, texts, n);
	if (!kept_or_refused(s, o, &before)) {
		free(texts);
		return;
	}
	free(before.texts);
	draft_untried(c);
	record_draft(s, POLICY_DRAFTED, o);
	answer_order(s, o, ANSWER_YES, NULL);
}

static void ask_for_trial(struct control *s, const struct order *o)
{
	struct change *c = s->change;
	struct draft before = c->draft;

	if (!of_this_revision(s, o) || !of_this_base(s, o, c->draft.base) || !stands_still(s, o))
		return;
	if (c->draft.state != DRAFT_WRITTEN) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_ASKED_ALREADY);
		return;
	}
	if (c->tried == NULL || !c->tried_good || c->tried_base != s->now->number) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_TRY_FIRST);
		return;
	}
	draft_undecided(&c->draft);
	c->draft.state = DRAFT_ASKED;
	snprintf(c->draft.decision, sizeof(c->draft.decision), "%s", o->comment);
	if (!kept_or_refused(s, o, &before))
		return;
	record_draft(s, POLICY_ASKED, o);
	answer_order(s, o, ANSWER_YES, NULL);
}

static void decide(struct control *s, const struct order *o, bool approve)
{
	struct change *c = s->change;
	struct draft before = c->draft, *d = &c->draft;

	if (!of_this_revision(s, o))
		return;
	if (d->state != DRAFT_ASKED && !(d->state == DRAFT_APPROVED && !approve)) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_NOT_ASKED);
		return;
	}
	if (!stands_still(s, o))
		return;
	if (approve && draft_has_author(d, o->by)) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_OWN);
		return;
	}
	draft_undecided(d);
	d->state = approve ? DRAFT_APPROVED : DRAFT_WRITTEN;
	d->decided_ns = clock_wall_ns();
	snprintf(d->decided_by, sizeof(d->decided_by), "%s", o->by);
	snprintf(d->decision, sizeof(d->decision), "%s", o->comment);
	if (!kept_or_refused(s, o, &before))
		return;
	record_draft(s, approve ? POLICY_APPROVED : POLICY_DECLINED, o);
	answer_order(s, o, ANSWER_YES, NULL);
}

static void discard(struct control *s, const struct order *o)
{
	struct change *c = s->change;
	struct draft before = c->draft;

	if (!of_this_revision(s, o) || !stands_still(s, o))
		return;
	if (before.state == DRAFT_APPLIED && before.generation == s->facts.trial) {
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_ON_TRIAL, (unsigned long long)s->facts.trial);
		return;
	}
	c->draft = (struct draft){ .revision = before.revision };
	if (!kept_or_refused(s, o, &before))
		return;
	c->draft = before;
	record_draft(s, POLICY_DISCARDED, o);
	free(before.texts);
	c->draft = (struct draft){ .revision = before.revision };
	draft_untried(c);
	answer_order(s, o, ANSWER_YES, NULL);
}

/* ---- may the supervisor carry it out? -------------------------------------------------------- */

/* Author and approver come first: whatever looks like them further on is somebody's comment. */
void draft_comment(const struct draft *d, const struct order *o, char out[COMMENT_BYTES])
{
	const char *said = o->comment[0] != '\0' ? o->comment : d->comment;
	char all[COMMENT_BYTES + 3 * BY_BYTES + 64];

	snprintf(all, sizeof(all), "(draft %llu; author: %s; approved_by: %s)%s%s", (unsigned long long)d->revision,
		 d->by, d->state == DRAFT_APPROVED ? d->decided_by : "-", *said != '\0' ? " " : "", said);
	utf8_plain(all, out, COMMENT_BYTES);
}

static bool may_approve(const json_t *approvers, const char *name)
{
	json_each(v, approvers)
		if (json_is_string(v) && strcmp(json_string_value(v), name) == 0)
			return true;
	return false;
}

/* Since the approval, the approver was disabled or got another role. So the approval is void, and
 * the draft waits for another approver. */
static void approval_falls(struct control *s, const struct order *o)
{
	struct draft before = s->change->draft, *d = &s->change->draft;
	char by[USER_BY];

	draft_undecided(d);
	d->state = DRAFT_ASKED;
	if (!kept_or_refused(s, o, &before))
		return;
	/* Recorded only once, because from here on, also after a start, the draft waits for
	 * approval. */
	ordered_by(o, by);
	record_approval(s, POLICY_APPROVAL_LOST, by, before.decided_by);
	draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_APPROVER_GONE, before.decided_by);
}

bool draft_may_apply(struct control *s, const struct order *o, bool alone, const json_t *approvers)
{
	const struct draft *d = &s->change->draft;
	bool dry = (o->m.flags & APPLY_DRY_RUN) != 0;

	if (!of_this_revision(s, o))
		return false;
	if (o->m.order == CHANGE_TRY || dry)
		return true;
	if (d->state == DRAFT_APPLIED)
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_APPLIED, (unsigned long long)d->generation);
	else if (!of_this_base(s, o, d->base) || !stands_still(s, o))
		return false;
	else if (!alone && d->state != DRAFT_APPROVED)
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_NOT_APPROVED);
	else if (!alone && !may_approve(approvers, d->decided_by))
		approval_falls(s, o);
	else if (o->m.confirm_s < CHANGE_CONFIRM_LEAST)
		draft_refuse(s, o, ANSWER_CANNOT, M_CHANGE_CONFIRM_S, CHANGE_CONFIRM_LEAST);
	else
		return true;
	return false;
}

void draft_ordered(struct control *s, const struct order *o)
{
	switch ((enum change_order)o->m.order) {
	case CHANGE_SAVE:
		save_draft(s, o);
		break;
	case CHANGE_ASK:
		ask_for_trial(s, o);
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
	case CHANGE_HAND_OVER:
	case CHANGE_SERVICE:
	case CHANGE_ORDERS:
		break;
	}
}

void change_show(struct control *s, struct asker a, bool texts)
{
	const struct draft *d = &s->change->draft;
	json_t *j = json_pack("{s:o}", "draft", draft_json(s));

	if (texts)
		json_object_set_new(j, "sources", texts_json(d->texts, d->n_texts));
	respond_json(s, a, ANSWER_YES, j);
}

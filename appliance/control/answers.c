/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions that several roles answer. All roles but the supervisor are asked at once, and the
 * supervisor last. A role that has not answered at the deadline is reported as silent: a hung role
 * never silences the whole box. The deadline depends on the question (below); enforce gets longer
 * for a status, and the journal less for the other questions. Answers are bounded in size.
 */
#include <errno.h>
#include <stdlib.h>

#include "appliance/control/answers.h"
#include "appliance/control/answers_private.h"
#include "appliance/control/control.h"
#include "appliance/control/facts.h"
#include "appliance/control/ground.h"
#include "appliance/control/impact.h"
#include "appliance/control/people.h"
#include "appliance/control/role_json.h"
#include "appliance/store/in_force.h"

#define STATUS_LIMIT 500000000ull
/* For enforce: every 30 s it reads everything back, which takes a second or more for a policy of a
 * hundred thousand cells. */
#define STATUS_READ_LIMIT 3000000000ull
#define LONG_LIMIT 8000000000ull
#define CHANGE_LIMIT 20000000000ull
#define BOX_LIMIT 8000000000ull /* for the supervisor, which may be changing something */
#define JSON_MAX (64u << 20)

/*
 * The most questions of the web side that may be open, because its own limits are not trusted:
 * WEB_MOST of all kinds, READ_BACK_MOST of those for which enforce reads the kernel's rules back.
 * Reading back takes a second or more for a large policy, and an apply waits behind it.
 */
#define WEB_MOST 16u
#define READ_BACK_MOST 2u
/* The web side may ask WEB_MOST questions at once, then one each WEB_EACH ns. Further questions
 * wait unread in its channel. */
#define WEB_EACH 10000000ull
/* Places for open questions: one for each connection, WEB_MOST for the web side, one for a backup
 * and one for the questions of a start. One more is for a login, whose question is asked while the
 * check of its account still holds a place. */
#define COLLECTS (CLIENTS + WEB_MOST + 3u)

int collect_open(struct control *s, struct err *e)
{
	s->collects = calloc(COLLECTS, sizeof(*s->collects));
	return s->collects == NULL ? err_set(e, -ENOMEM, "questions") : 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool is_web(struct asker a)
{
	return a.kind == ASKER_MGMT || (a.kind == ASKER_CHANGE && a.web) || a.kind == ASKER_RECORDS;
}

/* Questions about the policy in force, which are asked again when the policy changes in between. */
static bool is_of_one_moment(const struct collect *c)
{
	return c->kind == COLLECT_EFFECTIVE || c->kind == COLLECT_VERIFY;
}

/*
 * Whether there is a place for the question. People at the control socket find one whatever the web
 * side asks, and root finds one whatever other logins ask. An asker who leaves keeps his place
 * until his question is answered.
 */
static bool has_room(const struct control *s, enum collect_kind k, struct asker a)
{
	bool reads_back = k == COLLECT_EFFECTIVE || k == COLLECT_VERIFY;
	unsigned web = 0, web_back = 0, logins = 0, logins_back = 0;

	for (size_t i = 0; i < COLLECTS; i++) {
		const struct collect *c = &s->collects[i];
		bool of_login = c->kind != COLLECT_NONE && c->asker.login;

		web += c->of_web;
		web_back += c->of_web && is_of_one_moment(c);
		logins += of_login;
		logins_back += of_login && is_of_one_moment(c);
	}
	if (a.login)
		return logins <= LOGINS_MOST && (!reads_back || logins_back < READ_BACK_MOST);
	return !is_web(a) || (web < WEB_MOST && (!reads_back || web_back < READ_BACK_MOST));
}

uint64_t collect_hears(const struct control *s)
{
	return s->web_asked > WEB_MOST * WEB_EACH ? s->web_asked - WEB_MOST * WEB_EACH : 0;
}

static uint32_t next_number(struct control *s)
{
	/* Numbers with RELAYED_BOXS are the supervisor's. */
	if ((++s->next_id & (RELAYED_BOXS - 1)) == 0)
		s->next_id = 1;
	return s->next_id & (RELAYED_BOXS - 1);
}

static struct collect *collect_new(struct control *s, enum collect_kind k, struct asker a, uint64_t limit)
{
	bool room = has_room(s, k, a);
	uint64_t now = now_ns();

	/* A question of the web side counts whatever its result, because each takes time. */
	if (is_web(a))
		s->web_asked = (s->web_asked > now ? s->web_asked : now) + WEB_EACH;
	for (size_t i = 0; i < COLLECTS && room; i++) {
		struct collect *c = &s->collects[i];

		if (c->kind != COLLECT_NONE)
			continue;
		*c = (struct collect){
			.kind = k, .asker = a, .of_web = is_web(a), .id = next_number(s), .deadline = now + limit
		};
		return c;
	}
	return NULL;
}

static void too_many(struct control *s, struct asker a)
{
	respond_json(s, a, 3, json_pack("{s:o}", "error", json_sentence(M_CONTROL_MANY)));
}

static void ask_fd(struct control *s, struct collect *c, unsigned slot, const struct msg_body *question, int fd)
{
	if (!slot_is_wanted(s, slot))
		return;
	c->waiting[slot] = ask_slot(s, slot, c->id, question, &fd, fd >= 0 ? 1 : 0);
	c->silent[slot] = !c->waiting[slot];
}

static void ask_question(struct control *s, struct collect *c, unsigned slot, const struct msg_body *question)
{
	ask_fd(s, c, slot, question, -1);
}

static void finish_if_done(struct control *s, struct collect *c);

static void collect_free(struct collect *c)
{
	for (unsigned i = 0; i < ASKED; i++)
		json_decref(c->answer[i]);
	*c = (struct collect){ .kind = COLLECT_NONE };
}

/* Whether enforce works on another question. It handles one at a time. */
static bool behind_another(const struct control *s, const struct collect *c)
{
	for (size_t i = 0; i < COLLECTS; i++) {
		const struct collect *o = &s->collects[i];

		if (o != c && (is_of_one_moment(o) || o->kind == COLLECT_PASS) && o->waiting[SLOT_ENFORCE])
			return true;
	}
	return false;
}

/* Whether the answers of the roles may be about different policies: roles answer at different
 * times, and a policy was applied in between, or still is. */
bool answers_moved(const struct control *s, const struct collect *c)
{
	return s->facts.busy || s->facts.changes != c->changes;
}

json_t *answers_silent(enum role r)
{
	return json_pack("{s:o}", "error", json_sentence(M_CONTROL_SILENT, role_name(r)));
}

static void ask_all(struct control *s, struct collect *c)
{
	static const enum msg_type questions[] = {
		[COLLECT_STATUS] = MSG_STATUS, [COLLECT_EFFECTIVE] = MSG_EFFECTIVE, [COLLECT_VERIFY] = MSG_VERIFY
	};
	const struct msg_body status = { .type = MSG_STATUS };
	struct msg_body question = { .type = questions[c->kind] };
	enum collect_kind k = c->kind;

	c->parked = is_of_one_moment(c) && s->facts.busy;
	if (c->parked) {
		c->deadline = c->give_up;
		progress_stage_to(s, &c->asker, PROGRESS_WAITS_CHANGE);
		return;
	}
	if (k == COLLECT_EFFECTIVE)
		question.effective.tell = c->asker.tell;
	else if (k == COLLECT_VERIFY)
		question.verify.tell = c->asker.tell;
	if (is_of_one_moment(c) && behind_another(s, c)) {
		c->deadline = c->give_up;
		progress_stage_to(s, &c->asker, PROGRESS_WAITS_TURN);
	}
	c->changes = s->facts.changes;
	c->retention = retention_now(s->now->ir, s->facts.trial, s->trusted);
	ask_question(s, c, SLOT_ENFORCE, &question);
	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		ask_question(s, c, SLOT_DPI + w, &status);
		if (k == COLLECT_STATUS)
			ask_question(s, c, SLOT_GATE + w, &status);
	}
	/* The journal has a shorter deadline. A journal that starts has not heard its retention
	 * rule yet, and one that hangs must not delay a question about something else. */
	c->journal_by = now_ns() + STATUS_LIMIT;
	if (k == COLLECT_STATUS || s->facts.state[SLOT_JOURNAL] == SLOT_RUNNING)
		ask_question(s, c, SLOT_JOURNAL, k == COLLECT_EFFECTIVE ? &question : &status);
	if (k == COLLECT_STATUS) {
		ask_question(s, c, SLOT_TAP, &status);
		ask_question(s, c, SLOT_MGMT, &status);
		ask_question(s, c, SLOT_ACCOUNTS, &status);
	}
	finish_if_done(s, c);
}

void collect_start(struct control *s, enum collect_kind k, struct asker a)
{
	struct collect *c = collect_new(s, k, a, k == COLLECT_STATUS ? STATUS_LIMIT : LONG_LIMIT);

	if (c == NULL) {
		too_many(s, a);
		return;
	}
	c->give_up = now_ns() + (k == COLLECT_STATUS ? STATUS_READ_LIMIT : CHANGE_LIMIT);
	ask_all(s, c);
}

/* Asks everybody again after a change; earlier answers are dropped. */
static void ask_again(struct control *s, struct collect *c)
{
	struct collect again = { .kind = c->kind,
				 .asker = c->asker,
				 .of_web = c->of_web,
				 .id = next_number(s),
				 .deadline = now_ns() + LONG_LIMIT,
				 .give_up = c->give_up };

	collect_free(c);
	*c = again;
	ask_all(s, c);
}

void collect_settled(struct control *s)
{
	for (size_t i = 0; i < COLLECTS && !s->facts.busy; i++)
		if (s->collects[i].parked)
			ask_again(s, &s->collects[i]);
}

void collect_pass_fd(struct control *s, unsigned slot, const struct msg_body *question, int fd, struct asker a)
{
	struct collect *c = collect_new(s, COLLECT_PASS, a, LONG_LIMIT);

	if (c == NULL) {
		too_many(s, a);
		return;
	}
	c->passed_to = slot;
	/* Orders that the supervisor carries out have no deadline, because it reports its
	 * progress. */
	if (question->type == MSG_CHANGE || question->type == MSG_RECORDS)
		c->deadline = UINT64_MAX;
	c->search = question->type == MSG_EVENTS;
	ask_fd(s, c, slot, question, fd);
	finish_if_done(s, c);
}

void collect_pass(struct control *s, unsigned slot, const struct msg_body *question, struct asker a)
{
	collect_pass_fd(s, slot, question, -1, a);
}

void collect_handed(struct control *s, uint32_t id, struct asker a)
{
	struct collect *c = collect_new(s, COLLECT_PASS, a, 0);

	if (c == NULL)
		return;
	c->id = id & RELAYED_NUMBER;
	c->passed_to = SLOT_BOX;
	c->deadline = UINT64_MAX;
	c->waiting[SLOT_BOX] = true;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void finish_collect(struct control *s, struct collect *c)
{
	int status = 0;
	json_t *j = NULL;

	if (c->stopped) {
		collect_free(c);
		return;
	}
	if (is_of_one_moment(c) && answers_moved(s, c)) {
		if (now_ns() < c->give_up) {
			ask_again(s, c);
		} else {
			respond_json(s, c->asker, 3, json_pack("{s:o}", "error", json_sentence(M_CONTROL_CHANGING)));
			collect_free(c);
		}
		return;
	}
	switch (c->kind) {
	case COLLECT_STATUS:
	case COLLECT_EFFECTIVE:
	case COLLECT_VERIFY:
		j = s->compose(s, c, &status);
		break;
	case COLLECT_PASS:
		status = 3;
		j = answers_silent(slot_role(c->passed_to));
		break;
	case COLLECT_NONE:
		return;
	}
	respond_json(s, c->asker, status, j);
	collect_free(c);
}

/* Asks the supervisor last, so that its answer is as new as the latest of the others. True: it is
 * asked now. */
static bool ask_box(struct control *s, struct collect *c)
{
	uint8_t what = c->kind == COLLECT_STATUS ? BOX_STATUS : BOX_RULES;

	if (c->box_asked || c->stopped || (c->kind != COLLECT_STATUS && !is_of_one_moment(c)))
		return false;
	/* Without enforce's answer there is nothing to put together. */
	if (is_of_one_moment(c) && c->silent[SLOT_ENFORCE])
		return false;
	c->box_asked = true;
	c->deadline = now_ns() + BOX_LIMIT;
	ask_question(s, c, SLOT_BOX, &(struct msg_body){ MSG_BOX, .box = { .what = what } });
	return c->waiting[SLOT_BOX];
}

static void finish_if_done(struct control *s, struct collect *c)
{
	for (unsigned i = 0; i < ASKED; i++)
		if (c->waiting[i])
			return;
	if (!ask_box(s, c))
		finish_collect(s, c);
}

/* The question that waits for this answer. NULL: the answer is late, and its question was answered
 * without it. */
static struct collect *waits_for(struct control *s, uint32_t id)
{
	unsigned slot = relayed_slot(id);

	for (size_t i = 0; i < COLLECTS && slot < ASKED; i++)
		if (s->collects[i].kind != COLLECT_NONE && s->collects[i].id == (id & RELAYED_NUMBER) &&
		    s->collects[i].waiting[slot])
			return &s->collects[i];
	return NULL;
}

/* Takes over the reference. */
static void slot_answered(struct control *s, unsigned slot, struct collect *c, json_t *j)
{
	c->waiting[slot] = false;
	c->answer[slot] = j;
	finish_if_done(s, c);
}

/* The supervisor's answer to an order, with control's part added. NULL: there is none, or nobody
 * waits for it. */
static json_t *box_answer(struct control *s, const struct collect *c, const struct msg *m)
{
	bool waits = c != NULL && c->kind == COLLECT_PASS && !c->stopped;
	json_t *j = waits && m->n_fds > 0 ? json_of_memfd(m->fds[0], JSON_MAX) : NULL;

	impact_answer(s, m->id, j);
	if (json_is_object(j))
		return told_answer(s, j);
	json_decref(j);
	return NULL;
}

bool collect_answer(struct control *s, struct msg *m)
{
	struct collect *c = waits_for(s, m->id);
	unsigned slot = relayed_slot(m->id);
	json_t *j = NULL;
	uint8_t *text;
	struct err e;
	size_t n;

	if (slot == SLOT_BOX)
		j = box_answer(s, c, m);
	if (c == NULL)
		return true;
	if (c->kind == COLLECT_PASS && j != NULL) {
		respond_json(s, c->asker, m->body.answer.status, j);
		collect_free(c);
		return true;
	}
	if (c->kind == COLLECT_PASS && !c->stopped) {
		respond_fd(s, c->asker, m->body.answer.status, m->n_fds > 0 ? m->fds[0] : -1);
		collect_free(c);
		return true;
	}
	if (c->stopped) {
		slot_answered(s, slot, c, NULL);
		return true;
	}
	/* Status answers are numbers; only enforce, the supervisor and, for `effective`, the
	 * journal send text. Parsing text costs many times its length. */
	if (slot != SLOT_ENFORCE && slot != SLOT_BOX && (slot != SLOT_JOURNAL || c->kind != COLLECT_EFFECTIVE))
		return false;
	if (m->n_fds > 0 && memfd_read(m->fds[0], JSON_MAX, &text, &n, &e) == 0) {
		j = json_loadb((const char *)text, n, 0, NULL);
		free(text);
	}
	slot_answered(s, slot, c, j);
	return true;
}

void collect_status(struct control *s, struct msg *m)
{
	struct collect *c = waits_for(s, m->id);

	if (c != NULL && c->kind != COLLECT_PASS)
		slot_answered(s, relayed_slot(m->id), c, role_json(&m->body, slot_index(relayed_slot(m->id))));
}

struct asker collect_heard(struct control *s, uint32_t id)
{
	struct collect *c = waits_for(s, id);

	if (c == NULL || c->stopped)
		return (struct asker){ .kind = ASKER_NONE };
	/* A role that reports progress is not silent. */
	if (is_of_one_moment(c) && c->deadline < now_ns() + LONG_LIMIT)
		c->deadline = now_ns() + LONG_LIMIT;
	return c->asker;
}

void collect_unasked(struct control *s, uint32_t id)
{
	struct collect *c = waits_for(s, id);
	unsigned slot = relayed_slot(id);

	if (c == NULL)
		return;
	c->waiting[slot] = false;
	c->silent[slot] = true;
	finish_if_done(s, c);
}

/*
 * Stops the work for a question that nobody waits for. The place stays taken until the role reports
 * that it has stopped, so nobody gains more of the role's time by asking and hanging up repeatedly.
 * Questions of others go on.
 */
static void stop_collect(struct control *s, struct collect *c)
{
	const struct msg_body m = { .type = MSG_STOP };
	unsigned slot = c->kind == COLLECT_PASS ? c->passed_to : SLOT_ENFORCE;

	/* The result of an order about the draft is needed even when nobody waits for it. */
	if (c->asker.kind == ASKER_CHANGE) {
		(void)ask_slot(s, slot, c->id, &m, NULL, 0);
		return;
	}
	c->asker.kind = ASKER_NONE;
	c->stopped = true;
	if (c->parked)
		collect_free(c);
	else if (c->waiting[slot])
		(void)ask_slot(s, slot, c->id, &m, NULL, 0);
}

/* Whether the question may be stopped, because it changes nothing: a question to the role enforce
 * or to the compiler, or a search of the journal. Questions to the supervisor may be stopped as
 * well, because it stops only a dry run, and ignores the stop of anything else. */
static bool may_stop(const struct collect *c)
{
	return is_of_one_moment(c) ||
	       (c->kind == COLLECT_PASS &&
		(c->passed_to == SLOT_ENFORCE || c->passed_to == SLOT_BOX || c->passed_to == SLOT_ERRAND || c->search));
}

void collect_stop(struct control *s, const struct asker *a)
{
	for (size_t i = 0; i < COLLECTS; i++)
		if (may_stop(&s->collects[i]) && !s->collects[i].stopped && asker_is(&s->collects[i].asker, a))
			stop_collect(s, &s->collects[i]);
}

void collect_gone(struct control *s, unsigned slot)
{
	for (size_t i = 0; i < COLLECTS; i++)
		if (s->collects[i].kind != COLLECT_NONE && s->collects[i].waiting[slot]) {
			s->collects[i].waiting[slot] = false;
			s->collects[i].silent[slot] = true;
			finish_if_done(s, &s->collects[i]);
		}
	/* The next mgmt process uses the same question numbers, so the old questions lose their
	 * asker here. Each keeps its place until the role has stopped working on it. */
	for (size_t i = 0; i < COLLECTS && slot == SLOT_MGMT; i++) {
		if (!s->collects[i].of_web)
			continue;
		if (s->collects[i].asker.kind != ASKER_CHANGE || s->collects[i].passed_to != SLOT_BOX)
			s->collects[i].asker.kind = ASKER_NONE;
		if (may_stop(&s->collects[i]) && !s->collects[i].stopped)
			stop_collect(s, &s->collects[i]);
	}
}

void collect_due(struct control *s, uint64_t now)
{
	for (size_t i = 0; i < COLLECTS; i++) {
		struct collect *c = &s->collects[i];

		if (is_of_one_moment(c) && c->waiting[SLOT_JOURNAL] && now >= c->journal_by) {
			c->waiting[SLOT_JOURNAL] = false;
			c->silent[SLOT_JOURNAL] = true;
			finish_if_done(s, c);
		}
		if (c->kind == COLLECT_NONE || now < c->deadline)
			continue;
		if (c->kind == COLLECT_STATUS && c->waiting[SLOT_ENFORCE] && now < c->give_up && !answers_moved(s, c)) {
			c->deadline = c->give_up;
			continue;
		}
		if (c->waiting[SLOT_ERRAND])
			(void)ask_slot(s, SLOT_ERRAND, c->id, &(struct msg_body){ .type = MSG_STOP }, NULL, 0);
		for (unsigned k = 0; k < ASKED; k++) {
			c->silent[k] |= c->waiting[k];
			c->waiting[k] = false;
		}
		if (!ask_box(s, c))
			finish_collect(s, c);
	}
}

uint64_t collect_next(const struct control *s)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < COLLECTS; i++) {
		const struct collect *c = &s->collects[i];

		if (c->kind != COLLECT_NONE && c->deadline < due)
			due = c->deadline;
		if (is_of_one_moment(c) && c->waiting[SLOT_JOURNAL] && c->journal_by < due)
			due = c->journal_by;
	}
	return due;
}

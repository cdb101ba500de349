/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an operation: why it failed, how it is given up, how it finishes. Its steps are in
 * apply.c, its beginning in operation.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#include "appliance/box/home_sessions.h"
#include "appliance/box/vlans.h"
#include "appliance/store/past_json.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/supervise.h"

/* ns until the next try, because a predecessor's sockets may take a moment to close */
#define BOOT_RETRY (SECOND / 10)
#define WHY_TEXT 800u /* bytes of a reason; a record takes as much of it as fits */

void op_clear(struct operation *op)
{
	if (op->bundle >= 0)
		close(op->bundle);
	policy_free(op->next);
	free(op->moved);
	free(op->before);
	json_decref(op->diagnostics);
	json_decref(op->meant.all);
	json_decref(op->kept_before);
	json_decref(op->given_back);
	json_decref(op->agreed);
	json_decref(op->taking);
	json_decref(op->shut_out);
	told_clear(&op->told);
	foretold_free(op->foretelling);
	*op = (struct operation){ .bundle = -1 };
}

void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by)
{
	op_clear(&s->op);
	s->op.kind = k;
	s->changes++;
	s->op.asker = a;
	s->op.id = ++s->next_id;
	snprintf(s->op.by, sizeof(s->op.by), "%s", by);
}

/* Sets the reason of a failure; the first one stays. */
void op_explain(struct supervisor *s, int status, enum message m, ...)
{
	va_list ap;

	if (sentence_said(&s->op.error))
		return;
	s->op.status = status;
	va_start(ap, m);
	sentence_vsay(&s->op.error, m, ap);
	va_end(ap);
}

static json_t *op_json(struct supervisor *s, bool done)
{
	struct sentence notice = { 0 };
	struct operation *op = &s->op;
	json_t *j = json_object(),
	       *waits = done ? json_clock_waits(s, op->next != NULL ? op->next->ir : s->now->ir) : NULL;

	json_object_set_new(j, "done", json_boolean(done));
	json_object_set_new(j, "generation", json_generation(s));
	/* If the operation was given up, the sessions were not cut. */
	json_object_set_new(j, "cut", done && op->told.cut != NULL ? json_incref(op->told.cut) : json_array());
	json_object_set_new(j, "diagnostics", op->diagnostics != NULL ? json_incref(op->diagnostics) : json_array());
	if (op->kind == OP_APPLY || (op->kind == OP_DRY_RUN && !op->back))
		meant_json(&op->meant, j);
	json_object_set_new(j, "error", sentence_json(&op->error));
	if (workers_notice(s, &notice) ||
	    (op->kind == OP_DRY_RUN && op->next != NULL && doors_notice(s, op->next, &notice)))
		json_object_set_new(j, "notice", sentence_json(&notice));
	if (waits != NULL)
		json_object_set_new(j, "clock", waits);
	if (op->line != 0)
		json_object_set_new(j, "line", json_integer(op->line));
	if (op->kind == OP_DRY_RUN)
		json_object_set_new(j, "dry_run", json_true());
	if (op->kind == OP_ROLLBACK || op->back) {
		const struct generation_record *g = generation_find(&s->store, op->number);

		json_object_set_new(j, "from", json_integer((json_int_t)op->from));
		json_object_set_new(j, "target", g != NULL ? json_record(g, s->now->number) : json_null());
	}
	if (json_array_size(op->taking) > 0)
		json_object_set(j, "taking", op->taking);
	if (done && op->shut_out != NULL)
		json_object_set(j, "shut_out", op->shut_out);
	if (op->given_back != NULL)
		json_object_set(j, "given_back", op->given_back);
	if (done)
		foretold_json(op, j);
	return j;
}

/* The end of any operation: answers and cleans up. The loop then starts the next one that waits
 * (operation.c). */
void op_finish(struct supervisor *s, bool done)
{
	int status = done ? 0 : s->op.status != 0 ? s->op.status : 3;

	if (done && s->op.kind == OP_RELEASE && !given_back_whole(s->op.given_back))
		status = ANSWER_NO;
	if (s->op.asker.id != 0) {
		relay_tell(s); /* control gets the new state before the answer */
		answer_json(s, s->op.asker, status, op_json(s, done));
	}
	if (s->op.asker.id == 0 && !done && s->op.kind != OP_REVERT && sentence_said(&s->op.error))
		say(s, M_OP_BOOT_FAILED, s->op.error.text[s->o->lang]);
	op_clear(&s->op);
}

static void boot_later(struct supervisor *s)
{
	s->boot_error = s->op.error;
	s->boot_again = mono_ns() + BOOT_RETRY;
}

/* The kernel had the change, and the old state was sent again. If that failed, it is tried again as
 * at a start. `box`: the error of setting addresses again. */
static void undone(struct supervisor *s, const struct err *box)
{
	struct operation *op = &s->op;
	const struct err *why = op->not_back.code != 0 ? &op->not_back : box;

	if (why->code == 0) {
		op_explain(s, 3, M_OP_BOX_FAILED, op->undone.text);
		return;
	}
	op_explain(s, 3, M_OP_BOX_NOT_BACK, op->undone.text, why->text);
	boot_later(s);
}

/* The reason for a record, in English, because the language of its readers is not known. For an
 * invalid policy: its first error, in the box's language. */
static void why_refused(const struct operation *op, char out[WHY_TEXT])
{
	size_t i = 0, n = json_array_size(op->diagnostics);
	const json_t *d = NULL;

	if (sentence_said(&op->error)) {
		snprintf(out, WHY_TEXT, "%s", op->error.text[LANG_EN]);
		return;
	}
	while (i < n && d == NULL) {
		const json_t *one = json_array_get(op->diagnostics, i++);
		const char *severity = json_string_value(json_object_get(one, "severity"));

		d = severity != NULL && strcmp(severity, "error") == 0 ? one : NULL;
	}
	out[0] = 0;
	if (d != NULL && json_is_string(json_object_get(d, "file")) && json_is_string(json_object_get(d, "message")))
		snprintf(out, WHY_TEXT, "%s:%lld: %s", json_string_value(json_object_get(d, "file")),
			 (long long)json_integer_value(json_object_get(d, "line")),
			 json_string_value(json_object_get(d, "message")));
}

/* A trial is over but could not be ended: it is tried again every second, and recorded once. */
static void overdue(struct supervisor *s, const char *why)
{
	timerfd_settime(s->trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_sec = 1 } }, NULL);
	if (!sentence_said(&s->trial_error)) {
		policy_event_of(s, POLICY_OVERDUE, s->trial, (struct said){ .object = why });
		say(s, M_TRIAL_OVERDUE, (unsigned long long)s->trial, s->op.error.text[s->o->lang]);
	}
	for (int l = 0; l < LANGUAGES; l++)
		message_text(s->trial_error.text[l], sizeof(s->trial_error.text[l]), (enum lang)l, M_TRIAL_OVERDUE,
			     (unsigned long long)s->trial, s->op.error.text[l]);
}

/* Ends an operation that did not reach the kernel or that the kernel refused, or whose change was
 * undone: undoes all that was prepared. */
void op_give_up(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct err e, box = { 0 };
	char why[WHY_TEXT];

	if (op->kind == OP_BOOT) {
		boot_later(s);
	} else if (op->kind != OP_DRY_RUN && op->next != NULL) {
		if (op->moved != NULL)
			box_unclaim(&s->spaces, s->now->ir);
		if (op->kept_before != NULL)
			kept_undo(s, op->next->ir, op->moved, op->kept_before);
		op->kept_before = NULL;
		/* A VLAN of the policy in force that was removed for the next policy is made again
		 * at once. */
		if (op->moved != NULL && box_set(&s->spaces, s->now->ir, NULL, &box) == 0)
			box.code = 0;
		if (op->before != NULL) {
			table_set(s, op->before, op->n_before, NULL, false, &e);
			op->before = NULL;
		}
		if (op->kind == OP_APPLY && op->number != 0)
			generation_mark(
				&s->store, op->number, GEN_REVERTED,
				&(struct generation_cause){ .why = WHY_FAILED, .by = op->by, .other = op->from }, &e);
		journal_generation(s, s->now);
		isolation_before(s, s->now); /* without the pairs that the next policy added */
		if (op->step == STEP_UNDO)
			undone(s, &box);
	}
	why_refused(op, why);
	if (op->kind == OP_APPLY || op->kind == OP_ROLLBACK)
		policy_event(s, POLICY_REFUSED, op->number, why[0] != 0 ? why : NULL);
	if (op->kind == OP_REVERT && s->trial != 0)
		overdue(s, why);
	op_finish(s, false);
}

void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds)
{
	struct itimerspec t = { .it_value = { .tv_sec = seconds } };

	s->trial = number;
	sentence_forget(&s->trial_error);
	s->trial_until_wall = number != 0 ? clock_wall_ns() + seconds * SECOND : 0;
	s->trial_until_boot = trial_boot_ns() + seconds * SECOND;
	timerfd_settime(s->trial_fd, 0, &t, NULL);
	journal_retention(s);
}

/*
 * Which devices an operation would take from the first namespace, and which sessions that would
 * break. If a person did not name such a device, he is asked first: it may carry his own session.
 */

#define AGREED_MAX 4096u

json_t *taking_agreed(int fd)
{
	struct err e;
	uint8_t *text = NULL;
	size_t n = 0;
	json_t *list = json_array();

	if (fd < 0 || memfd_read(fd, AGREED_MAX, &text, &n, &e) < 0)
		n = 0;
	/* The names follow each other, each with a NUL. */
	for (size_t at = 0; at < n && memchr(text + at, '\0', n - at) != NULL;) {
		json_array_append_new(list, json_text((const char *)text + at));
		at += strlen((const char *)text + at) + 1;
	}
	free(text);
	return list;
}

static bool agreed(const json_t *list, const struct ir_interface *i)
{
	for (size_t n = 0; n < json_array_size(list); n++) {
		const char *name = json_string_value(json_array_get(list, n));

		if (strcmp(name, ir_card(i)) == 0 || strcmp(name, i->device) == 0 || strcmp(name, i->name) == 0)
			return true;
	}
	return false;
}

/* An interface that is named stands for its card. */
static bool card_agreed(const json_t *list, const struct ir *ir, const char *card)
{
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		if (strcmp(ir_card(&ir->interfaces[i]), card) == 0 && agreed(list, &ir->interfaces[i]))
			return true;
	return false;
}

/* Refuses, and lists the devices with sessions: "eth0, eth1". */
static void refuse(struct supervisor *s, const json_t *taking)
{
	char names[200] = "", options[400] = "";
	uint64_t sessions = 0;
	size_t i;
	json_t *t;

	json_array_foreach(taking, i, t)
	{
		const char *device = json_string_value(json_object_get(t, "device"));
		size_t at = strlen(names), opt = strlen(options);

		if (json_array_size(json_object_get(t, "sessions")) == 0 || json_is_true(json_object_get(t, "agreed")))
			continue;
		sessions += json_array_size(json_object_get(t, "sessions")) +
			    (uint64_t)json_integer_value(json_object_get(t, "more"));
		snprintf(names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", device);
		snprintf(options + opt, sizeof(options) - opt, "%s--take-interface %s", opt > 0 ? " " : "", device);
	}
	op_explain(s, 3, M_OP_TAKES_SESSIONS, names, (unsigned long long)sessions, options);
}

bool taking_allowed(struct supervisor *s)
{
	struct operation *op = &s->op;
	const struct ir *ir = op->next->ir;
	bool allowed = true;

	/* Operations of the box itself, and the end of a trial, ask nobody. */
	if (op->kind != OP_APPLY && op->kind != OP_DRY_RUN && op->kind != OP_ROLLBACK)
		return true;
	op->taking = json_array();
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		uint64_t more = 0;
		json_t *sessions;
		bool yes = card_agreed(op->agreed, ir, ir_card(x));
		struct err e = { 0 };

		if (!vlans_first(ir, i) || !riders_at_home(&s->spaces, ir_card(x)))
			continue;
		sessions = riders_read(&s->spaces, ir_card(x), &more, &e);
		if (sessions == NULL && !yes) {
			op_explain(s, 3, M_OP_TAKES_UNREAD, ir_card(x), e.text, ir_card(x));
			return false;
		}
		if (sessions == NULL)
			sessions = json_array();
		allowed = allowed && (yes || json_array_size(sessions) == 0);
		json_array_append_new(op->taking,
				      json_pack("{s:o, s:o, s:s, s:o, s:I, s:b}", "interface", json_text(x->name),
						"device", json_text(ir_card(x)), "space", x->admin ? "admin" : "data",
						"sessions", sessions, "more", (json_int_t)more, "agreed", (int)yes));
	}
	if (!allowed)
		refuse(s, op->taking);
	return allowed;
}

/* ---- questions of control to the compiler ---------------------------------------------------- */

static void errand_end(struct errand *x)
{
	for (size_t i = 0; i < x->n_fds; i++)
		if (x->fds[i] >= 0)
			close(x->fds[i]);
	*x = (struct errand){ .id = 0 };
}

/* Ends an errand that no compiler will do, and says so to the role control. */
static void errand_drop(struct supervisor *s, struct errand *x)
{
	const struct msg_body gone = { MSG_GONE, .gone = { .slot = SLOT_COMPILE } };

	(void)role_send(s, &s->slots[SLOT_CONTROL], x->id, &gone, NULL, 0);
	errand_end(x);
}

static struct errand *errand_of(struct supervisor *s, uint32_t id)
{
	for (size_t i = 0; i < 1 + ERRANDS && id != 0; i++)
		if (s->errands.of[i].id == id)
			return &s->errands.of[i];
	return NULL;
}

void errands_died(struct supervisor *s)
{
	/* If the compiler was ended for an operation, the errand waits again. */
	if (!s->errands.runs)
		return;
	s->errands.runs = false;
	if (s->errands.of[s->errands.last].id != 0)
		errand_drop(s, &s->errands.of[s->errands.last]);
}

static void begin(struct supervisor *s, size_t i)
{
	struct errand *x = &s->errands.of[i];
	struct slot *sl = &s->slots[SLOT_COMPILE];

	if (x->id == 0 || s->errands.runs || sl->state != SLOT_OFF)
		return;
	roles_want(s, SLOT_COMPILE);
	s->errands.last = i;
	s->errands.runs = true;
	if (role_send(s, sl, x->id, &x->body, x->fds, x->n_fds))
		return;
	if (!slot_alive(sl))
		sl->state = SLOT_OFF;
	errands_died(s);
}

void errand_sealing(struct supervisor *s, struct msg *m)
{
	struct errand *x = &s->errands.of[0];

	errand_stop(s, x->id);
	*x = (struct errand){ m->id, m->body, { msg_take_fd(m, 0), msg_take_fd(m, 1) }, 2 };
}

/* A stored generation, sealed; negative = there is none. */
static int sealed_of(struct supervisor *s, uint64_t number)
{
	uint8_t *p = NULL;
	struct err e;
	size_t n;
	int fd = -1;

	if (number == s->now->number)
		return memfd_sealed("sekisho-generation", s->now->sealed, s->now->n_sealed);
	if (generation_load(&s->store, number, &p, &n, &e) == 0)
		fd = memfd_sealed("sekisho-generation", p, n);
	free(p);
	return fd;
}

void errand_question(struct supervisor *s, struct msg *m)
{
	struct errand x = { m->id, m->body, { sealed_of(s, m->body.ask.number), json_memfd(json_doors(s)) }, 2 };

	for (size_t i = 1; i < 1 + ERRANDS && x.fds[0] >= 0 && x.fds[1] >= 0; i++)
		if (s->errands.of[i].id == 0) {
			s->errands.of[i] = x;
			return;
		}
	errand_drop(s, &x);
}

void errand_answered(struct supervisor *s, struct msg *m)
{
	struct errand *x = &s->errands.of[s->errands.last];

	if (!s->errands.runs || m->id != x->id)
		return;
	(void)role_send(s, &s->slots[SLOT_CONTROL], m->id, &m->body, m->fds, m->n_fds);
	errand_end(x);
	/* the process ends by itself, and until then its slot may get another owner */
	s->errands.runs = false;
}

void errands_make_way(struct supervisor *s)
{
	if (!s->errands.runs)
		return;
	s->errands.runs = false;
	role_kill(s, &s->slots[SLOT_COMPILE]);
}

void errand_stop(struct supervisor *s, uint32_t id)
{
	struct errand *x = errand_of(s, id);

	if (x == NULL)
		return;
	if (x == &s->errands.of[s->errands.last])
		errands_make_way(s);
	errand_drop(s, x);
}

void errands_sealing_first(struct supervisor *s)
{
	if (s->errands.last != 0)
		errands_make_way(s);
	begin(s, 0);
}

void errands_due(struct supervisor *s)
{
	/* The places take turns, so that many questions of one asker do not delay another asker. */
	for (size_t i = 1; i <= 1 + ERRANDS && s->op.kind == OP_NONE; i++)
		begin(s, (s->errands.last + i) % (1 + ERRANDS));
}

void foretold_free(struct foretelling *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		json_decref(f->of[i].commands);
	json_decref(f->narrowed);
	json_decref(f->ended);
	free(f->of);
	free(f);
}

void foretold_json(const struct operation *op, json_t *answer)
{
	const struct foretelling *f = op->foretelling;
	const struct told *t = &op->told;
	uint64_t named, unknown;
	json_t *cut;

	if (f == NULL || f->narrowed == NULL)
		return;
	cut = t->cut != NULL ? json_copy(t->cut) : json_array();
	json_array_extend(cut, f->ended);
	unknown = f->unknown + t->changed_more;
	named = json_array_size(cut) + json_array_size(f->narrowed) + unknown + t->cut_more;
	json_object_set_new(answer, "cut", cut);
	json_object_set_new(answer, "cut_more", json_integer((json_int_t)t->cut_more));
	json_object_set(answer, "narrowed", f->narrowed);
	json_object_set_new(answer, "go_on", json_integer(t->live > named ? (json_int_t)(t->live - named) : 0));
	json_object_set_new(answer, "unknown", json_integer((json_int_t)unknown));
}

/* ---- what the policy makes possible ---------------------------------------------------------- */

#define JSON_MAX (16u << 20)

static const char *line_of(const struct meant *m, size_t i, enum lang l)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(json_array_get(m->all, i), "text"), lang_name(l)));

	return text != NULL ? text : "";
}

static size_t others(const struct meant *m)
{
	size_t n = json_array_size(m->all);

	return (size_t)m->more + (n > MEANT_LINES ? n - MEANT_LINES : 0);
}

/* Writes the first sentences. They quote the policy's text, so control characters are removed. A
 * sentence for which there is no room is only counted. */
static void say_brief(struct meant *m, enum lang l)
{
	char *out = m->brief.text[l];
	const size_t size = sizeof(m->brief.text[l]) - 40; /* for the count */
	size_t n = 0, said = 0, all = json_array_size(m->all);

	for (; said < all && said < MEANT_LINES && n + strlen(line_of(m, said, l)) + 2 < size; said++) {
		if (n > 0)
			out[n++] = '\n';
		utf8_plain(line_of(m, said, l), out + n, size - n);
		n += strlen(out + n);
	}
	if (all == 0)
		(void)message_text(out, size, l, M_MEANS_SAME);
	else if (all - said + m->more > 0) {
		if (n > 0)
			out[n++] = '\n';
		(void)message_text(out + n, size + 40 - n, l, M_MEANS_OTHERS, (size_t)(all - said + m->more));
	}
}

void meant_take(struct meant *m, int fd, uint32_t more)
{
	m->all = json_of_memfd(fd, JSON_MAX);
	m->more = more;
	if (!json_is_array(m->all)) {
		json_decref(m->all);
		m->all = NULL;
		return;
	}
	for (int l = 0; l < LANGUAGES; l++)
		say_brief(m, (enum lang)l);
}

void meant_json(const struct meant *m, json_t *answer)
{
	json_object_set_new(answer, "meaning", m->all != NULL ? json_incref(m->all) : json_null());
	json_object_set_new(answer, "more_meaning", json_integer((json_int_t)m->more));
}

void meant_record(struct supervisor *s, uint64_t number, const struct meant *m)
{
	static const enum event_text places[MEANT_LINES] = { EVENT_OBJECT, EVENT_BEFORE, EVENT_AFTER };
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	char by[USER_BY];

	policy_by(s, by);
	if (s->op.asker.id != 0)
		event_say(&e, EVENT_BY, by);
	e.code = POLICY_APPLIED;
	e.value = number;
	for (size_t i = 0; i < MEANT_LINES && i < json_array_size(m->all); i++)
		event_say(&e, places[i], line_of(m, i, LANG_EN));
	if (m->all != NULL && json_array_size(m->all) == 0)
		event_say(&e, EVENT_OBJECT, message_format(M_MEANS_SAME, LANG_EN));
	e.quantity = (uint32_t)others(m);
	event_send(&s->events, &e);
}

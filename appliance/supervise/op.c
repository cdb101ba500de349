/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an operation: why it failed, how it is given up, how it finishes. Its steps are in
 * apply.c, its beginning in operation.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/utf8.h"
#include "appliance/box/box.h"
#include "appliance/box/home_sessions.h"
#include "appliance/store/in_force.h"
#include "appliance/supervise/apply_told.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/meant.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/workers.h"

/* ns until the next try, because a predecessor's sockets may take a moment to close */
#define BOOT_RETRY (SECOND / 10)

void op_clear(struct operation *op)
{
	if (op->bundle >= 0)
		close(op->bundle);
	policy_free(op->next);
	free(op->moved);
	table_drop(&op->before);
	json_decref(op->kept_before);
	json_decref(op->given_back);
	free(op->agreed.text);
	json_decref(op->taking);
	told_clear(&op->told);
	*op = (struct operation){ .bundle = -1 };
}

void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by)
{
	op_clear(&s->op);
	s->op.kind = k;
	s->numbers.changes++;
	s->op.asker = a;
	s->op.id = ++s->numbers.next_id;
	snprintf(s->op.by, sizeof(s->op.by), "%s", by);
}

void op_explain(struct operation *op, int status, enum message m, ...)
{
	va_list ap;

	if (sentence_said(&op->error))
		return;
	op->status = status;
	va_start(ap, m);
	sentence_vsay(&op->error, m, ap);
	va_end(ap);
}

void told_clear(struct told *t)
{
	if (t->held) {
		close(t->sessions);
		close(t->cuts);
	}
	*t = (struct told){ .held = false };
}

/* The answer. Control fills in what has no value here: it has the compiler's answer, and knows what
 * became of sessions. */
static json_t *op_json(struct supervisor *s, bool done)
{
	struct operation *op = &s->op;
	json_t *why = op->refused == REFUSAL_NONE ? sentence_json(&op->error)
						  : json_pack("{s:i, s:I}", "refused", (int)op->refused, "number",
							      (json_int_t)op->refused_n);
	json_t *j = json_pack("{s:b, s:n, s:[], s:[], s:o, s:O*, s:O*}", "done", (int)done, "generation", "cut",
			      "diagnostics", "error", why, "taking",
			      json_array_size(op->taking) > 0 ? op->taking : NULL, "given_back", op->given_back);
	const struct ir *ir = op->next != NULL ? op->next->ir : s->gens.now->ir;

	if (op->kind == OP_APPLY || (op->kind == OP_DRY_RUN && !op->back))
		json_object_update_new(j, json_pack("{s:n, s:i}", "meaning", "more_meaning", 0));
	if (done && op->clock_wait != CLOCK_TRUSTED && waiting_count(ir, clock_wall_s()) > 0)
		json_object_set_new(j, "clock",
				    json_pack("{s:b, s:s, s:o, s:o}", "trusted", 0, "waits",
					      clock_wait_words[op->clock_wait], "latest",
					      s->reported.clock.found == MOMENT_READ
						      ? json_time(s->reported.clock.latest * SECOND)
						      : json_null(),
					      "waiting", waiting_names(ir, clock_wall_s())));
	if (op->line != 0)
		json_object_set_new(j, "line", json_integer(op->line));
	if (op->kind == OP_DRY_RUN)
		json_object_set_new(j, "dry_run", json_true());
	if (op->kind == OP_ROLLBACK || op->back) {
		const struct generation_record *g = generation_find(&s->gens.store, op->number);

		json_object_set_new(j, "from", json_integer((json_int_t)op->from));
		json_object_set_new(j, "target", g != NULL ? json_record(g, s->gens.now->number) : json_null());
	}
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
		answer_json(s, s->op.asker, status, op_json(s, done));
	}
	if (s->op.asker.id == 0 && !done && s->op.kind != OP_REVERT && sentence_said(&s->op.error))
		supervisor_say(s, M_OP_BOOT_FAILED, s->op.error.text[s->ground.o->lang]);
	op_clear(&s->op);
}

void op_refuse(struct supervisor *s, enum op_refusal why, uint64_t n)
{
	s->op.refused = why;
	s->op.refused_n = n;
	op_finish(s, false);
}

static void boot_later(struct supervisor *s)
{
	s->gens.loading.error = s->op.error;
	s->gens.loading.again = mono_ns() + BOOT_RETRY;
}

/* The kernel had the change, and the old state was sent again. If that failed, it is tried again as
 * at a start. `box`: the error of setting addresses again. */
static void undone(struct supervisor *s, const struct err *box)
{
	struct operation *op = &s->op;
	const struct err *why = op->not_back.code != 0 ? &op->not_back : box;

	if (why->code == 0) {
		op_explain(&s->op, 3, M_OP_BOX_FAILED, op->undone.text);
		return;
	}
	op_explain(&s->op, 3, M_OP_BOX_NOT_BACK, op->undone.text, why->text);
	boot_later(s);
}

/* A trial is over but could not be ended: it is tried again every second, and recorded once. */
static void trial_overdue(struct supervisor *s, const char *why)
{
	timerfd_settime(s->ground.trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_sec = 1 } }, NULL);
	if (!sentence_said(&s->gens.trial.error)) {
		policy_event_of(&s->ground, POLICY_OVERDUE, s->gens.trial.number, (struct said){ .object = why });
		supervisor_say(s, M_TRIAL_OVERDUE, (unsigned long long)s->gens.trial.number,
			       s->op.error.text[s->ground.o->lang]);
	}
	for (int l = 0; l < LANGUAGES; l++)
		message_text(s->gens.trial.error.text[l], sizeof(s->gens.trial.error.text[l]), (enum lang)l,
			     M_TRIAL_OVERDUE, (unsigned long long)s->gens.trial.number, s->op.error.text[l]);
}

void op_fail(struct supervisor *s, const char *why)
{
	op_explain(&s->op, 3, M_OP_PREPARE_FAILED, why);
	op_give_up(s);
}

/* Ends an operation that did not reach the kernel or that the kernel refused, or whose change was
 * undone: undoes all that was prepared. */
void op_give_up(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct err e, box = { 0 };
	const char *why;

	if (op->kind == OP_BOOT) {
		boot_later(s);
	} else if (op->kind != OP_DRY_RUN && op->next != NULL) {
		if (op->moved != NULL)
			box_unclaim(&s->ground.spaces, s->gens.now->ir);
		if (op->kept_before != NULL)
			kept_undo(s, op->next->ir, op->moved, op->kept_before);
		op->kept_before = NULL;
		/* A VLAN of the policy in force that was removed for the next policy is made again
		 * at once. */
		if (op->moved != NULL && box_set(&s->ground.spaces, s->gens.now->ir, NULL, &box) == 0)
			box.code = 0;
		if (op->before.image != NULL)
			table_set(s, &op->before, NULL, &e);
		if (op->kind == OP_APPLY && op->number != 0)
			generation_mark(
				&s->gens.store, op->number, GEN_REVERTED,
				&(struct generation_cause){ .why = WHY_FAILED, .by = op->by, .other = op->from }, &e);
		journal_generation(s, s->gens.now);
		role_told(s, &s->slots[SLOT_ENFORCE]); /* no longer by the time sources of `next` */
		if (op->step == STEP_UNDO)
			undone(s, &box);
	}
	/* In English, because the language of a record's readers is not known. */
	why = sentence_said(&op->error) ? op->error.text[LANG_EN] : op->why;
	if (op->kind == OP_APPLY || op->kind == OP_ROLLBACK)
		policy_event(s, POLICY_REFUSED, op->number, why[0] != 0 ? why : NULL);
	if (op->kind == OP_REVERT && s->gens.trial.number != 0)
		trial_overdue(s, why);
	op_finish(s, false);
}

void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds)
{
	struct itimerspec t = { .it_value = { .tv_sec = seconds } };

	s->gens.trial.number = number;
	s->gens.trial.proven = 0;
	sentence_forget(&s->gens.trial.error);
	s->gens.trial.until_wall = number != 0 ? clock_wall_ns() + seconds * SECOND : 0;
	s->gens.trial.until_boot = clock_boot_ns() + seconds * SECOND;
	timerfd_settime(s->ground.trial_fd, 0, &t, NULL);
	in_force_tell(s);
	journal_retention(s);
}

/*
 * Which devices an operation would take from the first namespace, and which sessions that would
 * break. If a person did not name such a device, he is asked first: it may carry his own session.
 */

#define AGREED_MAX 4096u

struct agreed_names taking_agreed(int fd)
{
	struct agreed_names x = { 0 };
	uint8_t *text = NULL;
	struct err e;

	if (fd >= 0 && memfd_read(fd, AGREED_MAX, &text, &x.n, &e) == 0)
		x.text = (char *)text;
	return x;
}

/* Whether the card may be taken. An interface that is named stands for its card. memfd_read adds a
 * NUL that it does not count, so a last name without its own NUL ends as well, but it
 * is ignored. */
static bool agreed(const struct agreed_names *x, const struct ir *ir, const char *card)
{
	if (x->text == NULL)
		return false;
	for (size_t at = 0; at + strlen(x->text + at) < x->n; at += strlen(x->text + at) + 1)
		for (uint32_t i = 0; i < ir->n_interfaces; i++) {
			const struct ir_interface *f = &ir->interfaces[i];
			const char *name = x->text + at;

			if (strcmp(ir_card(f), card) == 0 &&
			    (strcmp(name, card) == 0 || strcmp(name, f->device) == 0 || strcmp(name, f->name) == 0))
				return true;
		}
	return false;
}

bool taking_allowed(struct supervisor *s)
{
	struct operation *op = &s->op;
	const struct ir *ir = op->next->ir;
	/* what would be broken: devices ("eth0, eth1"), options that agree, sessions */
	char names[200] = "", options[400] = "";
	uint64_t broken = 0;

	/* Operations of the box itself, and the end of a trial, ask nobody. */
	if (op->kind != OP_APPLY && op->kind != OP_DRY_RUN && op->kind != OP_ROLLBACK)
		return true;
	op->taking = json_array();
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct ir_interface *x = &ir->interfaces[i];
		uint64_t more = 0;
		json_t *sessions;
		bool yes = agreed(&op->agreed, ir, ir_card(x));
		struct err e = { 0 };

		if (!vlans_first(ir, i) || !device_at_home(&s->ground.spaces, ir_card(x)))
			continue;
		sessions = home_sessions_read(&s->ground.spaces, ir_card(x), &more, &e);
		if (sessions == NULL && !yes) {
			op_explain(&s->op, 3, M_OP_TAKES_UNREAD, ir_card(x), e.text, ir_card(x));
			return false;
		}
		if (sessions == NULL)
			sessions = json_array();
		if (!yes && json_array_size(sessions) > 0) {
			size_t at = strlen(names), opt = strlen(options);

			broken += json_array_size(sessions) + more;
			snprintf(names + at, sizeof(names) - at, "%s%s", at > 0 ? ", " : "", ir_card(x));
			snprintf(options + opt, sizeof(options) - opt, "%s--take-interface %s", opt > 0 ? " " : "",
				 ir_card(x));
		}
		json_array_append_new(op->taking,
				      json_pack("{s:o, s:o, s:s, s:o, s:I, s:b}", "interface", json_text(x->name),
						"device", json_text(ir_card(x)), "space", x->admin ? "admin" : "data",
						"sessions", sessions, "more", (json_int_t)more, "agreed", (int)yes));
	}
	if (broken > 0)
		op_explain(&s->op, 3, M_OP_TAKES_SESSIONS, names, (unsigned long long)broken, options);
	return broken == 0;
}

/* ---- what the policy makes possible ---------------------------------------------------------- */

/* The sentences quote the policy's text, so control characters are removed. */
void meant_take(struct meant *m, int fd, const struct msg_compiled *c)
{
	uint8_t *p = NULL;
	size_t n = 0;
	struct err e;

	m->said = c->said;
	m->others = c->others;
	for (int l = 0; memfd_read(fd, MEANT_BYTES, &p, &n, &e) == 0 && l < LANGUAGES; l++) {
		const size_t size = sizeof(m->brief.text[l]);
		char *out = m->brief.text[l], *rest = NULL, *in = (char *)p + (size_t)l * size;

		for (char *line = n == MEANT_BYTES && memchr(in, '\0', size) != NULL ? strtok_r(in, "\n", &rest) : NULL;
		     line != NULL; line = strtok_r(NULL, "\n", &rest)) {
			size_t at = strlen(out);

			if (at > 0 && at + 1 < size)
				out[at++] = '\n';
			utf8_plain(line, out + at, size - at);
		}
		free(p);
		p = NULL;
	}
	free(p);
}

void meant_record(struct supervisor *s, uint64_t number, const struct meant *m)
{
	static const enum event_text places[MEANT_LINES] = { EVENT_OBJECT, EVENT_BEFORE, EVENT_AFTER };
	struct event e = event_new(EVENT_POLICY, clock_wall_ns());
	struct sentence lines = m->brief;
	char by[USER_BY], *rest = NULL, *line = strtok_r(lines.text[LANG_EN], "\n", &rest);

	policy_by(&s->op, by);
	if (s->op.asker.id != 0)
		event_say(&e, EVENT_BY, by);
	e.code = POLICY_APPLIED;
	e.value = number;
	/* Nothing has changed: then the only line says so. */
	for (unsigned i = 0; line != NULL && i < MEANT_LINES && (i < m->said || i == 0);
	     i++, line = strtok_r(NULL, "\n", &rest))
		event_say(&e, places[i], line);
	e.quantity = m->others;
	event_send(&s->ground.events, &e);
}

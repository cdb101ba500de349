/* SPDX-License-Identifier: Apache-2.0 */
/* The operation as its steps leave it: why it failed, how it is given up, how it ends. Its steps are apply.c, what begins one operation.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/store/past_json.h"
#include "appliance/supervise/box_json.h"
#include "appliance/supervise/foretold.h"
#include "appliance/supervise/supervise.h"

#define SECOND 1000000000ull
#define BOOT_RETRY (SECOND / 10) /* a predecessor's sockets may take a moment to go */
#define WHY_TEXT 800u		 /* bytes of a reason; a record keeps what it has room for */

void op_clear(struct operation *op)
{
	if (op->bundle >= 0)
		close(op->bundle);
	policy_free(op->next);
	free(op->moved);
	free(op->before);
	json_decref(op->diagnostics);
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

/* Why it failed; the first reason stays. */
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
	/* What was found out about live sessions is not so where it was given up. */
	json_object_set_new(j, "cut", done && op->told.cut != NULL ? json_incref(op->told.cut) : json_array());
	json_object_set_new(j, "diagnostics", op->diagnostics != NULL ? json_incref(op->diagnostics) : json_array());
	json_object_set_new(j, "error", sentence_json(&op->error));
	if (workers_notice(s, &notice))
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

bool given_back_whole(const json_t *reports)
{
	for (size_t i = 0; i < json_array_size(reports); i++)
		if (json_array_size(json_object_get(json_array_get(reports, i), "lost")) > 0)
			return false;
	return true;
}

/* The end of any operation: answer and tidy up. The loop takes the next one that waits (operation.c). */
void op_finish(struct supervisor *s, bool done)
{
	int status = done ? 0 : s->op.status != 0 ? s->op.status : 3;

	if (done && s->op.kind == OP_RELEASE && !given_back_whole(s->op.given_back))
		status = ANSWER_NO;
	if (s->op.asker.id != 0) {
		relay_tell(s); /* an answer is of what stands behind it */
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

/* The kernel had it and everything went back, or did not: then it is tried again, as at the start. `box`: of what was set last. */
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

/* Why, in English: a record has no reader yet. Of a policy with mistakes the first one, in the box's language. */
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

/* A trial that could not be ended is ended as soon as it can be; it is said once. */
static void overdue(struct supervisor *s, const char *why)
{
	timerfd_settime(s->trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_sec = 1 } }, NULL);
	if (!sentence_said(&s->trial_error)) {
		policy_event_of(s, POLICY_OVERDUE, s->trial, NULL, why);
		say(s, M_TRIAL_OVERDUE, (unsigned long long)s->trial, s->op.error.text[s->o->lang]);
	}
	for (int l = 0; l < LANGUAGES; l++)
		message_text(s->trial_error.text[l], sizeof(s->trial_error.text[l]), (enum lang)l, M_TRIAL_OVERDUE,
			     (unsigned long long)s->trial, s->op.error.text[l]);
}

/* Nothing reached the kernel, or the kernel refused: everything prepared is put back. */
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
		/* Of what it took away from the policy in force, a VLAN that was to be another's, all is made again at once. */
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

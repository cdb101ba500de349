/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beginnings, ends and deadlines of the operation: who may start one, what happens to a second one meanwhile, how it is
 * given up, and what starts by itself (the box's start, the end of a trial, a device that comes). Its steps are in
 * supervise/apply.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/box/rtnl.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/supervise.h"

#define SECOND 1000000000ull
#define BOOT_RETRY (SECOND / 10)     /* a predecessor's sockets may take a moment to go */
#define DEVICE_SETTLES (SECOND / 20) /* a new device gets its name in several steps */
#define WHY_TEXT 800u		     /* bytes of a reason; a record keeps what it has room for */

static void op_next_queued(struct supervisor *s);

static void op_clear(struct operation *op)
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
	impact_free(op->foretelling);
	*op = (struct operation){ .bundle = -1 };
}

static void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by)
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
		json_object_set_new(j, "target", g != NULL ? json_record(s, g) : json_null());
	}
	if (json_array_size(op->taking) > 0)
		json_object_set(j, "taking", op->taking);
	if (done && op->shut_out != NULL)
		json_object_set(j, "shut_out", op->shut_out);
	if (op->given_back != NULL)
		json_object_set(j, "given_back", op->given_back);
	if (done)
		impact_json(op, j);
	return j;
}

bool given_back_whole(const json_t *reports)
{
	for (size_t i = 0; i < json_array_size(reports); i++)
		if (json_array_size(json_object_get(json_array_get(reports, i), "lost")) > 0)
			return false;
	return true;
}

/* The end of any operation: answer, tidy up, take the next one that waits. */
void op_finish(struct supervisor *s, bool done)
{
	int status = done ? 0 : s->op.status != 0 ? s->op.status : 3;

	if (done && s->op.kind == OP_RELEASE && !given_back_whole(s->op.given_back))
		status = ANSWER_NO;
	if (s->op.asker.kind != ASKER_NONE) {
		json_t *j = op_json(s, done);

		/* A generation that is given up by it is no draft's any more: the answer says so already. */
		change_settle(s);
		change_finished(s, &s->op, done, j);
		answer_json(s, s->op.asker, status, j);
	}
	if (s->op.asker.kind == ASKER_NONE && !done && s->op.kind != OP_REVERT && sentence_said(&s->op.error))
		say(s, M_OP_BOOT_FAILED, s->op.error.text[s->o->lang]);
	op_clear(&s->op);
	change_settle(s);
	op_next_queued(s);
	collect_settled(s);
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

/* ---- beginnings --------------------------------------------------------------------------------------------------- */

void op_boot(struct supervisor *s)
{
	struct err e = { 0 };
	bool *moved;

	if (s->op.kind != OP_NONE)
		return;
	op_init(s, OP_BOOT, (struct asker){ .kind = ASKER_NONE }, "boot");
	moved = calloc((size_t)s->now->ir->n_interfaces + 1, sizeof(*moved));
	if (!s->booted) {
		bool unreadable = s->now->number == 0 && (s->store.lost || s->store.confirmed != 0);

		kept_tell(s);
		if (unreadable)
			kept_keep(s);
		kept_settle(s, !unreadable && s->store.gave_up != 0, NULL);
	}
	kept_hold(s);
	s->box_incomplete = moved == NULL || kept_take(s, s->now->ir, &e) < 0 ||
			    box_claim(&s->spaces, s->now->ir, kept_left_alone, s, moved, &e) < 0 ||
			    box_set(&s->spaces, s->now->ir, NULL, &e) < 0;
	free(moved);
	if (s->box_incomplete) {
		struct sentence known = s->boot_error;

		sentence_say(&s->boot_error, M_OP_BOX_INCOMPLETE, e.text);
		if (memcmp(&known, &s->boot_error, sizeof(known)) != 0)
			say(s, M_OP_BOX_INCOMPLETE, e.text);
	}
	if (workers_prepare(s, s->now->ir, &e) < 0) {
		op_explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_give_up(s);
		return;
	}
	op_tables_begin(s);
}

static void conflict(struct supervisor *s, struct asker a)
{
	static const enum message names[] = {
		[OP_NONE] = M_OP_NAME_BOOT,	[OP_BOOT] = M_OP_NAME_BOOT,	    [OP_APPLY] = M_OP_NAME_APPLY,
		[OP_DRY_RUN] = M_OP_NAME_APPLY, [OP_ROLLBACK] = M_OP_NAME_ROLLBACK, [OP_REVERT] = M_OP_NAME_REVERT,
		[OP_CONFIRM] = M_OP_NAME_APPLY, [OP_RELEASE] = M_OP_NAME_RELEASE,
	};
	json_t *why = json_object();

	for (int l = 0; l < LANGUAGES; l++) {
		char name[120], text[300];

		message_text(name, sizeof(name), (enum lang)l, names[s->op.kind], s->op.by);
		message_text(text, sizeof(text), (enum lang)l, M_OP_BUSY, name);
		json_object_set_new(why, lang_name((enum lang)l), json_text(text));
	}
	answer_json(s, a, 3, json_pack("{s:b, s:o}", "done", 0, "error", why));
}

/* An operation of our own is short and makes way; an operator's is not ours to queue behind. */
static bool must_wait(const struct supervisor *s)
{
	return (s->op.kind == OP_BOOT || s->op.kind == OP_REVERT) && s->queued.kind == OP_NONE;
}

/* No step at all: what is in force stays so, and boot will load it. */
static void confirm(struct supervisor *s)
{
	struct generation_cause c = { .why = WHY_CONFIRMED, .by = s->op.by, .other = s->store.confirmed };
	struct err e = { 0 };

	if (s->trial == 0) {
		trial_none(s);
		return;
	}
	if (s->op.to != 0 && s->op.to != s->trial) {
		op_explain(s, 3, M_CHANGE_OTHER_TRIAL, (unsigned long long)s->trial, (unsigned long long)s->op.to);
		op_finish(s, false);
		return;
	}
	if (generation_confirm(&s->store, s->trial, &c, &e) < 0) {
		op_explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_finish(s, false);
		return;
	}
	policy_event(s, POLICY_CONFIRMED, s->trial, NULL);
	trial_set(s, 0, 0);
	op_finish(s, true);
}

static void release(struct supervisor *s)
{
	bool found = kept_release(s, s->op.device, s->op.device[0] == '\0');

	if (!found)
		op_explain(s, 3, M_RELEASE_UNKNOWN, s->op.device);
	op_finish(s, found);
}

static void walk(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct err e = { 0 };

	op->from = s->now->number;
	/* It may have waited for a trial to end, or for somebody's word. */
	if (!change_holds(s, &op->ground)) {
		op_explain(s, 3, M_CHANGE_MOVED, (unsigned long long)s->now->number);
		op_finish(s, false);
		return;
	}
	if (op->kind == OP_CONFIRM || op->kind == OP_RELEASE) {
		(op->kind == OP_CONFIRM ? confirm : release)(s);
		return;
	}
	if (trial_stands(s))
		return;
	if (op->kind == OP_APPLY || (op->kind == OP_DRY_RUN && !op->back)) {
		op_compile_begin(s);
		return;
	}
	if (op->kind != OP_REVERT && !rollback_target(s)) {
		op_finish(s, false);
		return;
	}
	op->next = policy_stored(s, op->number, &e);
	if (op->next == NULL) {
		op_explain(s, 3, M_OP_PREPARE_FAILED, e.text);
		op_give_up(s);
		return;
	}
	if (op->kind == OP_DRY_RUN)
		op_try(s);
	else
		op_prepare(s);
}

static void op_next_queued(struct supervisor *s)
{
	if (s->queued.kind == OP_NONE || s->op.kind != OP_NONE)
		return;
	s->op = s->queued;
	s->changes++;
	s->queued = (struct operation){ .bundle = -1 };
	s->op.id = ++s->next_id;
	walk(s);
}

/* It has changed no rule yet, and was asked of what is about to be in force no longer. */
static bool makes_way(const struct operation *op)
{
	return op->kind == OP_DRY_RUN || (op->kind == OP_APPLY && op->step == STEP_COMPILE) ||
	       ((op->kind == OP_APPLY || op->kind == OP_ROLLBACK) && op->step == STEP_TABLES);
}

/* What has changed nothing is given up, for a reason that was said. */
static void give_way(struct supervisor *s)
{
	const struct msg_body m = { .type = MSG_STOP };

	if (s->op.step == STEP_COMPILE)
		op_compile_end(s);
	else if ((s->op.step == STEP_FORETELL || s->op.step == STEP_KERNEL) &&
		 role_send(s, &s->slots[SLOT_ENFORCE], s->op.id, &m, NULL, 0))
		s->enforce_leaves = s->op.id;
	op_give_up(s);
}

/* Whoever acts does not stand behind these: a draft is checked again and again, and a backup may be sealed for long. */
static bool stands_back(const struct operation *op)
{
	return op->kind == OP_DRY_RUN && (op->asker.kind == ASKER_MGMT || op->ground.login[0] != 0 ||
					  (op->step == STEP_COMPILE && !op->compiling));
}

/* Takes `bundle`. */
static void begin(struct supervisor *s, struct operation asked, const char *by)
{
	snprintf(asked.by, sizeof(asked.by), "%s", by);
	if (stands_back(&s->op) && asked.kind != OP_DRY_RUN) {
		op_explain(s, 3, M_OP_GAVE_WAY);
		give_way(s);
	}
	if (s->op.kind != OP_NONE && must_wait(s)) {
		s->queued = asked;
		progress_stage(s, &asked.asker, PROGRESS_WAITS_CHANGE);
	} else if (s->op.kind != OP_NONE) {
		if (asked.bundle >= 0)
			close(asked.bundle);
		json_decref(asked.agreed);
		conflict(s, asked.asker);
	} else {
		s->queued = asked;
		op_next_queued(s);
	}
}

/* What a person said of it, as far as it can be text. */
static void take_comment(struct operation *op, const char *comment)
{
	snprintf(op->comment, sizeof(op->comment), "%s", comment);
}

void op_apply(struct supervisor *s, struct asker a, const char *by, int bundle, int agreed, struct op_ground g,
	      const struct msg_ctl_apply *order)
{
	struct operation op = {
		.kind = (order->flags & APPLY_DRY_RUN) != 0 ? OP_DRY_RUN : OP_APPLY,
		.asker = a,
		.bundle = bundle,
		.ground = g,
		.confirm_s = order->confirm_s,
		.take_over = (order->flags & APPLY_TAKE_OVER) != 0,
		.restored = (order->flags & APPLY_RESTORED) != 0,
		.agreed = taking_agreed(agreed),
	};

	take_comment(&op, order->comment);
	begin(s, op, by);
}

void op_confirm(struct supervisor *s, struct asker a, const char *by, uint64_t to, struct op_ground g)
{
	begin(s, (struct operation){ .kind = OP_CONFIRM, .asker = a, .bundle = -1, .to = to, .ground = g }, by);
}

void op_release(struct supervisor *s, struct asker a, const char *by, const struct msg_ctl_release *order)
{
	struct operation op = { .kind = OP_RELEASE, .asker = a, .bundle = -1 };

	if ((order->flags & RELEASE_LIST) != 0) {
		answer_json(s, a, ANSWER_YES, json_pack("{s:o}", "kept", kept_json(s->kept)));
		return;
	}
	snprintf(op.device, sizeof(op.device), "%s", order->device);
	begin(s, op, by);
}

void op_rollback(struct supervisor *s, struct asker a, const char *by, int agreed, struct op_ground g,
		 const struct msg_ctl_rollback *order)
{
	bool dry = (order->flags & APPLY_DRY_RUN) != 0;
	struct operation op = {
		.kind = dry ? OP_DRY_RUN : OP_ROLLBACK,
		.back = dry,
		.asker = a,
		.bundle = -1,
		.to = order->to,
		.ground = g,
		.agreed = taking_agreed(agreed),
	};

	take_comment(&op, order->comment);
	begin(s, op, by);
}

void op_stop(struct supervisor *s, const struct asker *a)
{
	if (s->queued.kind == OP_DRY_RUN && asker_is(&s->queued.asker, a)) {
		op_clear(&s->queued);
		return;
	}
	if (s->op.kind != OP_DRY_RUN || !asker_is(&s->op.asker, a))
		return;
	s->op.stopped = true;
	op_explain(s, 3, M_OP_STOPPED);
	give_way(s);
}

void op_trial_over(struct supervisor *s)
{
	if (s->trial == 0)
		return;
	if (makes_way(&s->op)) {
		op_explain(s, 3, M_OP_TRIAL_ENDS, (unsigned long long)s->trial);
		give_way(s);
	}
	if (s->op.kind != OP_NONE) {
		/* What runs now ends soon; then the trial ends. */
		timerfd_settime(s->trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_nsec = 100000000 } }, NULL);
		return;
	}
	op_init(s, OP_REVERT, (struct asker){ .kind = ASKER_NONE }, "trial");
	s->op.number = s->store.confirmed;
	walk(s);
}

static void note_device(void *ctx, const char *device)
{
	struct supervisor *s = ctx;

	for (uint32_t i = 0; i < s->now->ir->n_interfaces; i++)
		if (strcmp(ir_card(&s->now->ir->interfaces[i]), device) == 0)
			s->boot_again = mono_ns() + DEVICE_SETTLES;
	if (kept_held(s, device))
		s->boot_again = mono_ns() + DEVICE_SETTLES;
}

void op_links(struct supervisor *s)
{
	bool lost;

	rtnl_monitor(s->link_fd, note_device, s, &lost);
	if (lost)
		s->boot_again = mono_ns() + DEVICE_SETTLES;
}

/* ---- deadlines ---------------------------------------------------------------------------------------------------- */

/* Enforce has had its time for the step. Its own: on a busy machine it may be late by the clock and do it. */
static bool enforce_late(struct supervisor *s, uint64_t now)
{
	struct slot *sl = &s->slots[SLOT_ENFORCE];
	uint64_t passed = now - s->op.looked;

	s->op.looked = now;
	s->op.deadline = now + KERNEL_LOOK_NS;
	return sl->state == SLOT_RUNNING && vigil_hung(&sl->work, passed, KERNEL_LOOK_NS, KERNEL_LIMIT_NS);
}

void op_due(struct supervisor *s, uint64_t now)
{
	struct operation *op = &s->op;

	if (op->kind == OP_NONE) {
		if (s->boot_again != 0 && now >= s->boot_again) {
			s->boot_again = 0;
			op_boot(s);
		}
		return;
	}
	if (now < op->deadline)
		return;
	switch (op->step) {
	case STEP_COMPILE:
		op_compile_end(s);
		op_explain(s, 3, M_OP_COMPILE_LATE);
		op_give_up(s);
		break;
	case STEP_TABLES:
		op_tables_late(s);
		break;
	case STEP_ENFORCE:
		op_explain(s, 3, M_OP_ENFORCE_GONE_BEFORE);
		op_give_up(s);
		break;
	case STEP_IMPACT: /* its questions have shorter deadlines of their own */
		impact_late(s);
		break;
	case STEP_FORETELL:
	case STEP_KERNEL:
		if (!enforce_late(s, now))
			break;
		/* Its state is unknown: a new one reads what the kernel has. */
		op_explain(s, 3, M_OP_ENFORCE_LATE);
		role_kill(s, &s->slots[SLOT_ENFORCE]);
		op_give_up(s);
		break;
	case STEP_UNDO:
		if (enforce_late(s, now))
			role_kill(s, &s->slots[SLOT_ENFORCE]);
		break;
	}
}

uint64_t op_next(const struct supervisor *s)
{
	if (s->op.kind != OP_NONE)
		return s->op.deadline;
	return s->boot_again != 0 ? s->boot_again : UINT64_MAX;
}

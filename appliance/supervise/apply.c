/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of the operation, which is the only thing that changes what is in force. There is at
 * most one operation at a time, and no step blocks:
 *
 * compile -> stored, devices in the box, queues open -> each worker has a table of old and new
 * permits -> effect on live sessions -> kernel batch -> addresses and routes -> each worker has a
 * table of the new permits -> confirmed, or on trial
 *
 * Before the kernel batch, the operation can be dropped. After it, a failure is undone by sending
 * the old generation in the same way. The box's start, a rollback and the end of a trial begin at a
 * later step.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/box/box.h"
#include "appliance/supervise/apply.h"
#include "appliance/supervise/apply_told.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/companions.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/meant.h"
#include "appliance/supervise/network.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/roles.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/workers.h"
#include "appliance/wire/hours.h"

#define DEVICE_RETRY (2 * SECOND)
#define REFUSING_RETRY (60 * SECOND)

/* ---- to the kernel --------------------------------------------------------------------------- */

void op_to_kernel(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct policy *p = op->kind == OP_BOOT || op->step == STEP_UNDO ? s->gens.now : op->next;
	/* Enforce is first asked to foretell the effect on live sessions: once, for operations that
	 * people order. */
	bool foretell = op->step != STEP_UNDO && !op->foretold &&
			(op->kind == OP_DRY_RUN || op->kind == OP_APPLY || op->kind == OP_ROLLBACK);
	uint8_t flags = op->kind == OP_DRY_RUN ? APPLY_DRY_RUN : foretell ? APPLY_FORETELL : 0;
	struct err e = { 0 };

	if (s->slots[SLOT_ENFORCE].state != SLOT_RUNNING) {
		if (op->step == STEP_UNDO)
			return; /* op_enforce_ready continues when enforce runs again */
		op->step = STEP_ENFORCE;
		op->deadline = mono_ns() + ENFORCE_LIMIT_NS;
		return;
	}
	/* The journal gets the names before the first drops of the new rules. */
	if (flags == 0)
		journal_generation(s, p);
	if (op->step != STEP_UNDO)
		op->step = foretell ? STEP_FORETELL : STEP_KERNEL;
	op->looked = mono_ns();
	op->deadline = op->looked + KERNEL_LOOK_NS;
	vigil_beat(&s->slots[SLOT_ENFORCE].work);
	if (op->asker.tell)
		flags |= APPLY_TELL;
	if (op->confirm_s != 0)
		flags |= APPLY_TRIAL;
	if (kernel_send(s, p, flags, op->id, &e) < 0) {
		/* If enforce is dying, op_enforce_died will follow. Any other error, for example
		 * lack of memory, ends the operation. */
		if (e.code != -EPIPE) {
			if (op->step == STEP_UNDO)
				op->not_back = e;
			else
				op_explain(&s->op, 3, M_OP_PREPARE_FAILED, e.text);
			op_give_up(s);
		}
	}
}

/* The effect on live sessions is known. Goes on with the change, unless this is a dry run. */
void op_foretold(struct supervisor *s)
{
	s->op.foretold = true;
	if (s->op.kind == OP_DRY_RUN)
		op_finish(s, true);
	else
		op_to_kernel(s);
}

/*
 * Lets control foretell the effect, for whoever waits for the answer: control asks the workers
 * about sessions that go on, and then lets the operation go on. The workers judge these sessions by
 * the table that they get here. It has the permits of both policies, as the table that they will
 * have to load.
 */
static void weigh(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct msg_body q = { .type = MSG_IMPACT },
			m = { MSG_WEIGH, .weigh = { .n_sealed = (uint32_t)op->next->n_sealed,
						    .n_ids = op->next->ir->n_permits * 4 } };
	const struct table_part parts[] = { policy_part(op->next), table_part(&s->workforce.table) };
	struct table both;
	int table = table_merge(&parts[0], &parts[1], NULL, NULL, &both)
			    ? memfd_sealed("sekisho-impact", both.image, both.n)
			    : -1,
	    next = policy_memfd(op->next, NULL, false);

	q.impact.n_image = (uint32_t)both.n;
	table_drop(&both);
	op->weighed = 0;
	for (uint32_t w = 0; w < PAIR_MAX; w++) {
		struct slot *sl = &s->slots[SLOT_DPI + w];

		if (sl->state == SLOT_OFF)
			continue;
		if (table >= 0 && role_send(s, sl, relayed_id(SLOT_DPI + w, op->asker.id), &q, &table, 1))
			m.weigh.workers |= (uint64_t)1 << w;
		else
			m.weigh.silent = 1;
	}
	op->weighers = m.weigh.workers;
	op->step = STEP_IMPACT;
	op->deadline = mono_ns() + IMPACT_STEP_NS;
	progress_stage(s, &op->asker, PROGRESS_IMPACT);
	if (op->asker.id == 0 || next < 0 || !role_send(s, &s->slots[SLOT_CONTROL], op->asker.id, &m, &next, 1))
		op_foretold(s);
	if (table >= 0)
		close(table);
	if (next >= 0)
		close(next);
}

/* Asks the workers about the next sessions. Control may not choose the sessions, because a worker
 * reads a session anew that it takes for unseen. */
void op_sessions(struct supervisor *s, struct msg *m)
{
	struct msg_body q = { .type = MSG_IMPACT };
	struct operation *op = &s->op;

	if (op->kind == OP_NONE || op->step != STEP_IMPACT || m->id != op->asker.id ||
	    op->weighed == op->told.n_changed)
		return;
	q.impact.first = (uint32_t)(op->told.n_cut + op->weighed);
	q.impact.n_sessions = (uint32_t)(op->told.n_changed - op->weighed);
	if (q.impact.n_sessions > IMPACT_SESSIONS)
		q.impact.n_sessions = IMPACT_SESSIONS;
	op->weighed += q.impact.n_sessions;
	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if ((op->weighers >> w & 1u) != 0 &&
		    !role_send(s, &s->slots[SLOT_DPI + w], relayed_id(SLOT_DPI + w, m->id), &q, &op->told.sessions, 1))
			relay_undone(s, relayed_id(SLOT_DPI + w, m->id));
}

void op_weighed(struct supervisor *s, struct msg *m)
{
	if (s->op.kind == OP_NONE || s->op.step != STEP_IMPACT || m->id != s->op.asker.id)
		return;
	if (m->body.weighed.refused == 0) {
		op_foretold(s);
		return;
	}
	op_explain(&s->op, 3, M_OP_TABLE_REFUSED);
	op_give_up(s);
}

/* If somebody waits for the answer, passes on to control what enforce says of live sessions. Keeps
 * the part of it that the workers need. */
static void tell_sessions(struct supervisor *s, struct msg *m)
{
	const struct msg_applied *a = &m->body.applied;
	const struct msg_body t = { MSG_TOLD,
				    .told = { a->n_cut, a->n_changed, a->live, a->cut_more, a->changed_more } };

	if (s->op.asker.id != 0)
		(void)role_send(s, &s->slots[SLOT_CONTROL], s->op.asker.id, &t, m->fds, m->n_fds > 0 ? 3 : 0);
	told_clear(&s->op.told);
	if (m->n_fds > 0)
		s->op.told = (struct told){ true, msg_take_fd(m, 2), msg_take_fd(m, 3), a->n_cut, a->n_changed };
}

/* Whether the box acts by itself. If so, the rules must be committed, because nobody can try
 * again. */
static bool alone(const struct operation *op)
{
	return op->kind == OP_BOOT || op->kind == OP_REVERT;
}

static uint64_t tables_deadline(const struct operation *op)
{
	return mono_ns() + (alone(op) ? TABLES_LIMIT_ALONE_NS : TABLES_LIMIT_NS);
}

void op_tables_begin(struct supervisor *s)
{
	s->op.step = STEP_TABLES;
	s->op.deadline = tables_deadline(&s->op);
	progress_stage(s, &s->op.asker, PROGRESS_WORKERS);
	op_tables(s);
}

/*
 * Some workers have not acknowledged the table in time. A late worker is not ended, because it may
 * only have lacked a processor and it has live sessions. If the box acts by itself, the rules are
 * committed without it: a worker drops packets of permits that it does not know.
 */
void op_tables_late(struct supervisor *s)
{
	if (alone(&s->op)) {
		op_to_kernel(s);
		return;
	}
	op_explain(&s->op, 3, M_OP_TABLE_LATE, (unsigned)(TABLES_LIMIT_NS / SECOND));
	op_give_up(s);
}

/*
 * Whether workers that refuse the table are to be replaced, so that their successors decide. A
 * worker that refuses a table which another one accepts is damaged or lies, and must not block
 * every change. Its successor has met no packet yet. If all workers refuse the table at the start,
 * they are replaced as well, because the policy in force was accepted once; but not at every retry.
 */
static bool successors_decide(struct supervisor *s, enum table_state t)
{
	uint64_t now = mono_ns();

	if (t == TABLE_REFUSED && s->op.kind == OP_BOOT && now >= s->gens.loading.refusing_again) {
		s->gens.loading.refusing_again = now + REFUSING_RETRY;
		return true;
	}
	return t == TABLE_DISPUTED && !s->op.ended_refusing;
}

void op_tables(struct supervisor *s)
{
	enum table_state t;

	if (s->op.kind == OP_NONE || s->op.step != STEP_TABLES)
		return;
	t = table_state(s);
	if (t == TABLE_EQUAL) {
		op_to_kernel(s);
	} else if (successors_decide(s, t)) {
		s->op.ended_refusing = true;
		s->op.deadline = tables_deadline(&s->op);
		workers_end_refusing(s);
	} else if (t >= TABLE_DISPUTED && s->op.kind != OP_BOOT) {
		op_explain(&s->op, 3, M_OP_TABLE_REFUSED);
		op_give_up(s);
	}
}

/* Reports that nothing was changed, and why; for a missing device also what to do. */
static void prepare_failed(struct supervisor *s, const struct err *e)
{
	char until[40];

	moment_text(trial_until(&s->gens.trial), until);
	if (e->code != -ENODEV)
		op_explain(&s->op, 3, M_OP_PREPARE_FAILED, e->text);
	else if (s->gens.trial.number != 0 && (s->op.kind == OP_ROLLBACK || s->op.back))
		op_explain(&s->op, 3, M_OP_DEVICE_MISSING_TRIAL, e->text, until);
	else
		op_explain(&s->op, 3, M_OP_DEVICE_MISSING, e->text);
}

/*
 * Prepares devices, queues and tables for op->next; the later steps follow by themselves. If a
 * device of the former policy is missing or was released, the end of a trial goes on: nobody is
 * there to decide, and a start would end the trial as well.
 */
void op_prepare(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct policy *p = op->next;
	struct table_part parts[2];
	struct err e = { 0 };
	struct table both;
	bool claimed;

	if (!taking_allowed(s)) {
		op_give_up(s);
		return;
	}
	op->moved = calloc((size_t)p->ir->n_interfaces + 1, sizeof(*op->moved));
	if (op->moved == NULL) {
		op_fail(s, strerror(ENOMEM));
		return;
	}
	/* Every device that can be moved is moved, even if another one fails. */
	claimed = kept_take(s, p->ir, &op->kept_before, &e) == 0 &&
		  box_claim(&s->ground.spaces, p->ir, kept_left_alone, s, op->moved, &e) == 0;
	if ((!claimed && op->kind != OP_REVERT) || workers_prepare(s, p->ir, &e) < 0) {
		prepare_failed(s, &e);
		op_give_up(s);
		return;
	}
	/*
	 * Workers keep the old permits until the kernel has the new rules, so packets of both
	 * policies are judged correctly at any moment. What both policies allow is judged by the
	 * old one. The journal gets the new names first, because no record may come before its
	 * names.
	 */
	journal_generation(s, p);
	parts[0] = table_part(&s->workforce.table);
	parts[1] = policy_part(p);
	if (!table_merge(&parts[0], &parts[1], NULL, NULL, &both)) {
		op_fail(s, strerror(ENOMEM));
		return;
	}
	if (table_set(s, &both, &op->before, &e) < 0) {
		op_fail(s, e.text);
		return;
	}
	op_tables_begin(s);
}

/* ---- compile --------------------------------------------------------------------------------- */

void op_compile_begin(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct slot *sl = &s->slots[SLOT_COMPILE];
	const struct msg_body m = { MSG_COMPILE, .compile = { .lang = (uint8_t)s->ground.o->lang } };
	int fds[2];

	op->step = STEP_COMPILE;
	op->deadline = mono_ns() + COMPILE_LIMIT_NS;
	progress_stage(s, &op->asker, sl->state == SLOT_OFF ? PROGRESS_COMPILES : PROGRESS_WAITS_TURN);
	if (sl->state != SLOT_OFF)
		return; /* the last compiler is not reaped yet; op_compile_died continues here */
	roles_want(s, SLOT_COMPILE);
	fds[0] = op->bundle;
	/* the compiler compares it with the new one */
	fds[1] = s->gens.now->ir->n_sources > 0 ? policy_sealed(&s->gens, s->gens.now->number) : -1;
	op->compiling = role_send(s, sl, op->id, &m, fds, fds[1] >= 0 ? 2 : 1);
	if (fds[1] >= 0)
		close(fds[1]);
	if (!op->compiling && !slot_alive(sl)) {
		sl->state = SLOT_OFF;
		op_explain(&s->op, 3, M_OP_COMPILE_ABSENT, sl->failed.text);
		op_give_up(s);
	}
}

void op_compile_end(struct supervisor *s)
{
	if (s->op.compiling)
		role_kill(s, &s->slots[SLOT_COMPILE]);
}

void op_compile_died(struct supervisor *s, const siginfo_t *how)
{
	if (s->op.kind == OP_NONE || s->op.step != STEP_COMPILE)
		return;
	if (!s->op.compiling) {
		op_compile_begin(s);
		return;
	}
	op_explain(&s->op, 3, how->si_code == CLD_EXITED ? M_OP_COMPILE_DIED : M_OP_COMPILE_KILLED, how->si_status);
	op_give_up(s);
}

void op_try(struct supervisor *s)
{
	struct err e = { 0 };

	if (!taking_allowed(s)) {
		op_give_up(s);
		return;
	}
	if (box_try(&s->ground.spaces, s->op.next->ir, &e) < 0) {
		prepare_failed(s, &e);
		op_give_up(s);
		return;
	}
	if (scratch_try(&s->ground.spaces, &s->ground.scratch, s->op.next->ir, &e) < 0) {
		op_fail(s, e.text);
		return;
	}
	op_to_kernel(s);
}

void op_compiled(struct supervisor *s, struct msg *m)
{
	static const enum message troubles[COMPILE_TROUBLES] = {
		[COMPILE_NO_MEMORY] = M_COMPILE_NO_MEMORY,
		[COMPILE_BAD_BUNDLE] = M_COMPILE_BUNDLE,
	};
	const struct msg_compiled *b = &m->body.compiled;
	struct operation *op = &s->op;
	struct err e = { 0 };
	uint8_t *all;
	size_t n;

	if (op->kind == OP_NONE || op->step != STEP_COMPILE || m->id != op->id)
		return;
	if (op->asker.id != 0)
		(void)role_send(s, &s->slots[SLOT_CONTROL], op->asker.id,
				&(struct msg_body){ MSG_MEANT, .meant = { .more = b->more } }, &m->fds[1], 2);
	meant_take(&op->meant, m->fds[3], b);
	snprintf(op->why, sizeof(op->why), "%s", b->why);
	if (b->status != ANSWER_YES) {
		op->status = b->status == ANSWER_INVALID ? ANSWER_INVALID : ANSWER_CANNOT;
		if (b->trouble != COMPILE_NO_TROUBLE)
			op_explain(&s->op, op->status, troubles[b->trouble]);
		op_give_up(s);
		return;
	}
	if (memfd_read(m->fds[0], GENERATION_MAX_BYTES, &all, &n, &e) == 0)
		op->next = policy_new(s, all, n, 0, &e);
	if (op->next == NULL) {
		op_explain(&s->op, 3, M_OP_COMPILE_BAD, e.text);
		op_give_up(s);
		return;
	}
	if (!beside_ready(op->next->ir, &op->error)) {
		op->status = 3;
		op_give_up(s);
		return;
	}
	if (op->kind == OP_DRY_RUN) {
		if (generation_try(&s->gens.store, op->next->sealed, op->next->n_sealed, &e) < 0)
			op_fail(s, e.text);
		else
			op_try(s);
		return;
	}
	if (generation_add(&s->gens.store, op->next->sealed, op->next->n_sealed, op->next->ir->digest,
			   &(struct generation_cause){ .why = WHY_APPLIED,
						       .by = op->by,
						       .comment = op->comment,
						       .other = op->from,
						       .meant = &op->meant.brief },
			   &op->number, &e) < 0) {
		op_fail(s, e.text);
		return;
	}
	op->next->number = op->number;
	op_prepare(s);
}

/* ---- from the kernel ------------------------------------------------------------------------- */

/* Sets the workers' table after the change. If enforce found lingering sessions, it has their old
 * permits as well. */
static void tables_of_new(struct supervisor *s, struct policy *old)
{
	bool lingers = s->op.lingering > 0;
	struct err e;
	struct table t;

	/* On a failure, the workers keep the table of both policies. That does no harm, because the
	 * kernel sends no packets for the old permits. */
	if (policy_table(s->gens.now, lingers ? old : NULL,
			 lingers ? table_part(&s->workforce.table) : policy_part(s->gens.now), &t))
		table_set(s, &t, NULL, &e);
}

/* The generation that this operation ends, and why; 0 = none. */
static uint64_t left_generation(const struct supervisor *s, struct generation_cause *c)
{
	const struct operation *op = &s->op;

	c->other = op->number;
	if (op->kind == OP_ROLLBACK) {
		c->why = s->gens.trial.number != 0 ? WHY_CALLED_OFF : WHY_ROLLBACK;
		return op->from;
	}
	c->why = op->kind == OP_REVERT ? WHY_TIMEOUT : WHY_TAKEN_OVER;
	return s->gens.trial.number;
}

/* Writes the result of the operation to the disk, before anybody gets the answer. */
static int record_result(struct supervisor *s, struct err *e)
{
	struct operation *op = &s->op;
	struct generation_cause c = { .by = op->by, .comment = op->comment, .other = op->from };
	bool moves = (op->kind == OP_APPLY && op->confirm_s == 0) ||
		     (op->kind == OP_ROLLBACK && op->number != 0 && op->number != s->gens.store.confirmed);
	uint64_t left;
	int r = 0;

	if (moves) {
		c.why = op->kind == OP_APPLY ? WHY_APPLIED : WHY_ROLLBACK;
		r = generation_confirm(&s->gens.store, op->number, &c, e);
	}
	if (op->kind == OP_REVERT)
		c.by = NULL;
	left = left_generation(s, &c);
	/* The new generation is on the disk already, so a failure here does not make the operation
	 * fail. */
	if (r == 0 && left != 0 && left != op->number)
		(void)generation_mark(&s->gens.store, left, GEN_REVERTED, &c, e);
	return r;
}

/* Begins to restore the old state. op_give_up reports later whether that succeeded. */
static void undo(struct supervisor *s, const struct err *why)
{
	struct err e;

	s->op.undone = *why;
	box_set(&s->ground.spaces, s->gens.now->ir, s->op.next->ir, &e);
	s->op.step = STEP_UNDO;
	op_to_kernel(s);
}

void box_try_again(struct supervisor *s, const char *why)
{
	struct sentence known = s->gens.loading.error;

	s->gens.loading.incomplete = true;
	if (s->op.kind != OP_BOOT)
		s->gens.loading.again = mono_ns() + DEVICE_RETRY;
	sentence_say(&s->gens.loading.error, M_OP_BOX_INCOMPLETE, why);
	if (memcmp(&known, &s->gens.loading.error, sizeof(known)) != 0)
		supervisor_say(s, M_OP_BOX_INCOMPLETE, why);
}

static void in_force(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct policy *old = s->gens.now;
	struct err box = { 0 }, e = { 0 };
	bool whole = box_set(&s->ground.spaces, op->next->ir, old->ir, &box) == 0,
	     on_trial = op->kind == OP_APPLY && op->confirm_s != 0;

	if (!whole && op->kind != OP_REVERT) {
		undo(s, &box);
		return;
	}
	if (op->kind == OP_APPLY)
		kept_retire(s, old->ir, op->next->ir, op->next->number);
	if (record_result(s, &e) < 0) {
		undo(s, &e);
		return;
	}
	s->gens.now = op->next;
	op->next = NULL;
	s->gens.loading.incomplete = false;
	s->gens.loading.again = 0;
	sentence_forget(&s->gens.loading.error);
	/* A device that a person released may be missing. */
	if (!whole && network_set(s, &box) < 0)
		box_try_again(s, box.text);
	sentence_forget(&s->gens.loading.store_error);
	trial_set(s, on_trial ? op->number : 0, on_trial ? op->confirm_s : 0);
	beside_write(s);
	tables_of_new(s, old);
	/* Interfaces may have other numbers now, and other generations may linger. */
	journal_generation(s, s->gens.now);
	if (op->told.n_cut > 0)
		cuts_hand_on(s, op->told.cuts);
	if (op->kind != OP_APPLY)
		kept_settle(s, true, old->ir);
	policy_free(old);
	if (op->kind == OP_APPLY) {
		meant_record(s, op->number, &op->meant);
		if (op->restored)
			policy_event_of(&s->ground, POLICY_RESTORED, op->number,
					(struct said){ .by = op->by, .object = op->comment });
		if (op->confirm_s == 0)
			policy_event(s, POLICY_CONFIRMED, op->number, NULL);
	} else {
		policy_event(s, POLICY_REVERTED, s->gens.now->number, NULL);
	}
	op_finish(s, true);
}

static void kernel_refused(struct operation *op, uint32_t line, const char *why)
{
	op->line = line;
	if (line != 0)
		op_explain(op, 3, M_OP_KERNEL_REFUSED, line, why);
	else
		op_explain(op, 3, M_OP_KERNEL_REFUSED_NO_LINE, why);
}

static void boot_done(struct supervisor *s)
{
	if (!s->gens.loading.incomplete)
		sentence_forget(&s->gens.loading.error);
	/* from now on, because loading may have taken longer */
	else if (s->gens.loading.again == 0)
		s->gens.loading.again = mono_ns() + DEVICE_RETRY;
	in_force_tell(s);
	beside_write(s);
	if (!s->gens.loading.booted)
		policy_event(s, POLICY_BOOTED, s->gens.now->number, NULL);
	s->gens.loading.booted = true;
	op_finish(s, true);
}

void op_applied(struct supervisor *s, struct msg *m)
{
	const struct msg_applied *b = &m->body.applied;
	struct operation *op = &s->op;
	bool whole = true;

	if (m->id == s->gens.loading.enforce_leaves)
		s->gens.loading.enforce_leaves = 0;
	if (op->kind == OP_NONE || m->id != op->id ||
	    (op->step != STEP_FORETELL && op->step != STEP_KERNEL && op->step != STEP_UNDO))
		return;
	if (op->step != STEP_UNDO)
		whole = m->n_fds == 0 || m->n_fds == 4;
	if (op->step != STEP_UNDO && whole)
		tell_sessions(s, m);
	if (op->step != STEP_FORETELL && b->done != 0)
		s->gens.loading.adopted = true;
	op->lingering = b->lingering;
	op->clock_wait = b->clock_wait;
	if (b->done == 0 && op->step == STEP_UNDO) {
		op->not_back.code = -EREMOTEIO;
		snprintf(op->not_back.text, sizeof(op->not_back.text), "%s", b->error);
	} else if (b->done == 0) {
		kernel_refused(&s->op, b->line, b->error);
	} else if (op->step == STEP_FORETELL && !whole) {
		kernel_refused(&s->op, 0, "malformed list of sessions");
	}
	if (op->step == STEP_UNDO || sentence_said(&op->error))
		op_give_up(s);
	else if (op->step == STEP_FORETELL)
		weigh(s);
	else if (op->kind == OP_BOOT)
		boot_done(s);
	else
		in_force(s);
}

void op_enforce_died(struct supervisor *s)
{
	s->gens.loading.adopted = false;
	s->gens.loading.enforce_leaves = 0;
	if (s->op.kind == OP_NONE || (s->op.step != STEP_KERNEL && s->op.step != STEP_FORETELL))
		return;
	/* It is unknown whether the batch was committed; the next enforce restores what is in
	 * force. */
	op_explain(&s->op, 3,
		   s->op.step == STEP_FORETELL || s->op.kind == OP_DRY_RUN ? M_OP_ENFORCE_GONE_BEFORE
									   : M_OP_ENFORCE_GONE);
	op_give_up(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of an operation and its deadlines: who may start one, what happens to a second one
 * meanwhile, and what starts by itself (the box's start, the end of a trial, a new device). The
 * steps are in apply.c, the end is in op.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "appliance/box/rtnl.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/apply.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/network.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "appliance/supervise/workers.h"
#include "appliance/wire/orders.h"
#include "policy/ir/needs.h"

#define DEVICE_SETTLES (SECOND / 20) /* ns: a new device gets its name in several steps */

/* ---- beginnings ------------------------------------------------------------------------------ */

void op_boot(struct supervisor *s)
{
	struct err e = { 0 };
	bool *moved;

	if (s->op.kind != OP_NONE)
		return;
	op_init(s, OP_BOOT, (struct asker){ 0 }, "boot");
	moved = calloc((size_t)s->gens.now->ir->n_interfaces + 1, sizeof(*moved));
	if (!s->gens.loading.booted) {
		bool unreadable = s->gens.now->number == 0 && (s->gens.store.lost || s->gens.store.confirmed != 0);

		kept_tell(s);
		if (unreadable)
			kept_retire(s, NULL, NULL, s->gens.store.confirmed);
		kept_settle(s, !unreadable && s->gens.store.gave_up != 0, NULL);
	}
	kept_hold(s);
	s->gens.loading.incomplete = moved == NULL || kept_take(s, s->gens.now->ir, NULL, &e) < 0 ||
				     box_claim(&s->ground.spaces, s->gens.now->ir, kept_left_alone, s, moved, &e) < 0 ||
				     network_set(s, &e) < 0;
	free(moved);
	if (s->gens.loading.incomplete)
		box_try_again(s, e.text);
	if (workers_prepare(s, s->gens.now->ir, &e) < 0) {
		op_fail(s, e.text);
		return;
	}
	op_tables_begin(s);
}

/* Whether an account gave the order, and not root. */
static bool of_account(const struct operation *op)
{
	return op->asker.web || op->ground.login[0] != 0;
}

/* Confirms the trial. Nothing changes in the kernel: what is in force stays, and a start will load
 * it. */
static void confirm(struct supervisor *s)
{
	struct generation_cause c = { .why = WHY_CONFIRMED, .by = s->op.by, .other = s->gens.store.confirmed };
	struct err e = { 0 };

	/* An account says which generation it saw on trial. */
	if (s->gens.trial.number == 0 || (s->op.to != s->gens.trial.number && (s->op.to != 0 || of_account(&s->op)))) {
		op_refuse(s, s->gens.trial.number == 0 ? REFUSAL_NO_TRIAL : REFUSAL_OTHER_TRIAL, s->op.to);
		return;
	}
	if (ir_needs_left(s->gens.now->ir, s->gens.trial.proven) != 0) {
		op_refuse(s, REFUSAL_UNHEARD, s->gens.trial.number);
		return;
	}
	if (generation_confirm(&s->gens.store, s->gens.trial.number, &c, &e) < 0) {
		op_explain(&s->op, 3, M_OP_PREPARE_FAILED, e.text);
		op_finish(s, false);
		return;
	}
	policy_event(s, POLICY_CONFIRMED, s->gens.trial.number, NULL);
	trial_set(s, 0, 0);
	op_finish(s, true);
}

static void release_devices(struct supervisor *s)
{
	bool found = kept_release(s, s->op.device, s->op.device[0] == '\0');

	if (!found)
		op_explain(&s->op, 3, M_RELEASE_UNKNOWN, s->op.device);
	op_finish(s, found);
}

/* Finds the target of a rollback, and puts it into op.number. False: there is none, and the order
 * was refused. */
static bool rollback_target(struct supervisor *s)
{
	const struct generation_record *now = generation_find(&s->gens.store, s->gens.store.confirmed), *g;
	struct operation *op = &s->op;
	uint64_t back = generation_back(&s->gens.store);
	enum op_refusal why = REFUSAL_NONE;

	/* back to the policy before the trial, even if there was none */
	if (op->to == 0 && s->gens.trial.number != 0) {
		op->number = s->gens.store.confirmed;
		return true;
	}
	op->number = op->to != 0 ? op->to : back;
	g = generation_find(&s->gens.store, op->number);
	if (op->to == 0 && now != NULL && now->why == WHY_ROLLBACK && s->gens.now->number == now->number)
		why = REFUSAL_ROLLED_BACK;
	else if (g == NULL)
		why = op->to != 0 ? REFUSAL_NO_SUCH : REFUSAL_NO_PREVIOUS;
	else if (memcmp(g->digest, s->gens.now->ir->digest, sizeof(g->digest)) == 0 && s->gens.now->number != 0)
		why = REFUSAL_SAME;
	else if (op->kind == OP_ROLLBACK && of_account(op) &&
		 op->number != generation_step(&s->gens.store, s->gens.trial.number))
		why = REFUSAL_FURTHER;
	else
		return true;
	back = op->number;
	op->number = 0;
	op_refuse(s, why, back);
	return false;
}

static void walk_steps(struct supervisor *s)
{
	struct operation *op = &s->op;
	struct err e = { 0 };

	op->from = s->gens.now->number;
	op->clock_wait = s->reported.clock.wait;
	/* The order may have waited for the end of a trial, or for an answer of another process. */
	if (op->ground.base != 0 && op->ground.base != op->from) {
		op_refuse(s, REFUSAL_MOVED, 0);
		return;
	}
	if (op->kind == OP_CONFIRM || op->kind == OP_RELEASE) {
		(op->kind == OP_CONFIRM ? confirm : release_devices)(s);
		return;
	}
	/* There is one trial at a time, whoever applied it. */
	if (s->gens.trial.number != 0 && op->kind == OP_APPLY && !op->take_over) {
		op_refuse(s, REFUSAL_TRIAL, 0);
		return;
	}
	if (op->kind == OP_APPLY || (op->kind == OP_DRY_RUN && !op->back)) {
		op_compile_begin(s);
		return;
	}
	if (op->kind != OP_REVERT && !rollback_target(s))
		return;
	op->next = policy_stored(s, op->number, &e);
	if (op->next == NULL) {
		if (e.code == -ENOTSUP)
			op_explain(&s->op, 3, M_OP_FORM, (unsigned long long)op->number);
		else
			op_explain(&s->op, 3, M_OP_PREPARE_FAILED, e.text);
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
	s->numbers.changes++;
	s->queued = (struct operation){ .bundle = -1 };
	s->op.id = ++s->numbers.next_id;
	walk_steps(s);
}

/* Whether the operation is given up when a trial ends: it is if it has changed no rule yet, because
 * its base is about to be replaced. */
static bool makes_way(const struct operation *op)
{
	return op->kind == OP_DRY_RUN || (op->kind == OP_APPLY && op->step == STEP_COMPILE) ||
	       ((op->kind == OP_APPLY || op->kind == OP_ROLLBACK) && op->step == STEP_TABLES);
}

/* Gives up an operation that has changed nothing, and for which op_explain has set the reason. */
static void give_way(struct supervisor *s)
{
	const struct msg_body m = { .type = MSG_STOP };

	if (s->op.step == STEP_COMPILE)
		op_compile_end(s);
	else if ((s->op.step == STEP_FORETELL || s->op.step == STEP_KERNEL) &&
		 role_send(s, &s->slots[SLOT_ENFORCE], s->op.id, &m, NULL, 0))
		s->gens.loading.enforce_leaves = s->op.id;
	op_give_up(s);
}

/* Starts the operation, lets it wait, or refuses it. It owns `asked.bundle` from here on. */
static void begin_operation(struct supervisor *s, struct operation asked, const char *by)
{
	snprintf(asked.by, sizeof(asked.by), "%s", by);
	op_next_queued(s); /* an order that waited was given first, so it starts first */
	/* A person's dry run is given up for an order, because people repeat it anyway. */
	if (s->op.kind == OP_DRY_RUN && of_account(&s->op) && asked.kind != OP_DRY_RUN) {
		op_explain(&s->op, 3, M_OP_GAVE_WAY);
		give_way(s);
	}
	/* An order waits only while the box itself does something, which is short. While another
	 * person's order runs, a new one is refused. */
	if (s->op.kind != OP_NONE &&
	    ((s->op.kind != OP_BOOT && s->op.kind != OP_REVERT) || s->queued.kind != OP_NONE)) {
		answer_json(s, asked.asker, 3,
			    json_pack("{s:b, s:{s:i, s:i, s:o}}", "done", 0, "error", "refused", (int)REFUSAL_BUSY,
				      "number", (int)s->op.kind, "by", json_text(s->op.by)));
		op_clear(&asked);
		return;
	}
	s->queued = asked;
	if (s->op.kind != OP_NONE)
		progress_stage(s, &asked.asker, PROGRESS_WAITS_CHANGE);
	op_next_queued(s);
}

void op_ordered(struct supervisor *s, struct asker a, const char *by, struct op_ground g, int texts, int agreed,
		const struct msg_change *order)
{
	enum op_kind kind = order->order == CHANGE_CONFIRM    ? OP_CONFIRM
			    : order->order == CHANGE_ROLLBACK ? OP_ROLLBACK
							      : OP_APPLY;
	bool dry = change_tries(order->order, order->flags);
	struct operation op = {
		.kind = dry ? OP_DRY_RUN : kind,
		.back = dry && kind == OP_ROLLBACK,
		.asker = a,
		.bundle = texts,
		.to = order->to,
		.ground = g,
		.confirm_s = order->confirm_s,
		.take_over = (order->flags & APPLY_TAKE_OVER) != 0,
		.restored = (order->flags & APPLY_RESTORED) != 0,
		.agreed = taking_agreed(agreed),
	};

	snprintf(op.comment, sizeof(op.comment), "%s", order->comment);
	begin_operation(s, op, by);
}

void op_release(struct supervisor *s, struct asker a, const char *by, const struct msg_ctl_release *order)
{
	struct operation op = { .kind = OP_RELEASE, .asker = a, .bundle = -1 };

	if ((order->flags & RELEASE_LIST) != 0) {
		answer_json(s, a, ANSWER_YES, kept_list(s));
		return;
	}
	snprintf(op.device, sizeof(op.device), "%s", order->device);
	begin_operation(s, op, by);
}

void op_stop(struct supervisor *s, uint32_t id)
{
	if (s->queued.kind == OP_DRY_RUN && s->queued.asker.id == id) {
		answer_fd(s, s->queued.asker, ANSWER_CANNOT, -1);
		op_clear(&s->queued);
		return;
	}
	if (s->op.kind != OP_DRY_RUN || s->op.asker.id != id)
		return;
	op_explain(&s->op, 3, M_OP_STOPPED);
	give_way(s);
}

void op_forget(struct supervisor *s)
{
	role_kill(s, &s->slots[SLOT_ERRAND]);
	if (s->queued.kind != OP_NONE && s->queued.asker.id != 0)
		op_clear(&s->queued);
	if (s->op.kind != OP_NONE && s->op.asker.id != 0) {
		op_stop(s, s->op.asker.id);
		s->op.asker.id = 0;
		if (s->op.kind != OP_NONE && s->op.step == STEP_IMPACT)
			op_foretold(s);
	}
}

void op_trial_over(struct supervisor *s)
{
	if (s->gens.trial.number == 0)
		return;
	if (makes_way(&s->op)) {
		op_explain(&s->op, 3, M_OP_TRIAL_ENDS, (unsigned long long)s->gens.trial.number);
		give_way(s);
	}
	if (s->op.kind != OP_NONE) {
		/* The present operation ends soon. The timer is set again, to end the trial after
		 * it. */
		timerfd_settime(s->ground.trial_fd, 0, &(struct itimerspec){ .it_value = { .tv_nsec = 100000000 } },
				NULL);
		return;
	}
	op_init(s, OP_REVERT, (struct asker){ 0 }, "trial");
	s->op.number = s->gens.store.confirmed;
	walk_steps(s);
}

void op_enforce_ready(struct supervisor *s)
{
	s->gens.loading.adopted = false;
	papers_give(s);
	if (s->op.kind == OP_NONE) {
		op_boot(s);
		return;
	}
	/* If the new enforce has no policy and the operation brings none, the policy in force is
	 * loaded afterwards. A successful apply clears this. */
	if (s->op.kind != OP_BOOT)
		s->gens.loading.again = mono_ns();
	if (s->op.step == STEP_ENFORCE || s->op.step == STEP_UNDO)
		op_to_kernel(s);
}

static void note_device(void *ctx, const char *device)
{
	struct supervisor *s = ctx;

	if (kept_wants(s, device))
		s->gens.loading.again = mono_ns() + DEVICE_SETTLES;
}

void op_links(struct supervisor *s)
{
	bool lost;

	rtnl_monitor(s->link_fd, note_device, s, &lost);
	if (lost)
		s->gens.loading.again = mono_ns() + DEVICE_SETTLES;
}

/* ---- deadlines ------------------------------------------------------------------------------- */

/* Whether enforce has used up its time for the step. This is its own time, because on a busy
 * machine it may be late by the clock and still finish. */
static bool enforce_late(struct supervisor *s, uint64_t now)
{
	struct slot *sl = &s->slots[SLOT_ENFORCE];
	uint64_t passed = now - s->op.looked;

	s->op.looked = now;
	s->op.deadline = now + KERNEL_LOOK_NS;
	return sl->state == SLOT_RUNNING && vigil_hung(&sl->work, passed, KERNEL_LOOK_NS, KERNEL_LIMIT_NS);
}

static void late(struct supervisor *s, uint64_t now)
{
	switch (s->op.step) {
	case STEP_COMPILE:
		op_compile_end(s);
		op_explain(&s->op, 3, M_OP_COMPILE_LATE);
		op_give_up(s);
		break;
	case STEP_TABLES:
		op_tables_late(s);
		break;
	case STEP_ENFORCE:
		op_explain(&s->op, 3, M_OP_ENFORCE_GONE_BEFORE);
		op_give_up(s);
		break;
	case STEP_IMPACT: /* control has shorter deadlines */
		op_foretold(s);
		break;
	case STEP_FORETELL:
	case STEP_KERNEL:
		if (!enforce_late(s, now))
			break;
		/* The state of this enforce is unknown. A new one reads the state of the kernel. */
		op_explain(&s->op, 3, M_OP_ENFORCE_LATE);
		role_kill(s, &s->slots[SLOT_ENFORCE]);
		op_give_up(s);
		break;
	case STEP_UNDO:
		if (enforce_late(s, now))
			role_kill(s, &s->slots[SLOT_ENFORCE]);
		break;
	}
}

uint64_t op_due(struct supervisor *s, uint64_t now)
{
	op_next_queued(s);
	if (s->op.kind == OP_NONE && s->gens.loading.again != 0 && now >= s->gens.loading.again) {
		s->gens.loading.again = 0;
		op_boot(s);
	} else if (s->op.kind != OP_NONE && now >= s->op.deadline) {
		late(s, now);
	}
	if (s->op.kind != OP_NONE)
		return s->op.deadline;
	if (s->queued.kind != OP_NONE)
		return 0;
	return s->gens.loading.again != 0 ? s->gens.loading.again : UINT64_MAX;
}

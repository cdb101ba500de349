/* SPDX-License-Identifier: Apache-2.0 */
/* What a trial forbids, how the last one ended, and where a rollback goes: read from the records, and said in words. */
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/supervise.h"

/* Nothing waits: how the last trial ended, and when, if there was one. */
void trial_none(struct supervisor *s)
{
	static const enum message how[WHY_COUNT] = {
		[WHY_CONFIRMED] = M_TRIAL_CONFIRMED,   [WHY_TIMEOUT] = M_TRIAL_TIMEOUT,
		[WHY_RESTART] = M_TRIAL_RESTART,       [WHY_CALLED_OFF] = M_TRIAL_CALLED_OFF,
		[WHY_TAKEN_OVER] = M_TRIAL_TAKEN_OVER,
	};
	const struct generation_record *g = generation_last_trial(&s->store);
	char when[40];

	if (g == NULL) {
		op_explain(s, 3, M_OP_NOTHING_WAITS);
		return;
	}
	moment_text(g->changed_ns, when);
	op_explain(s, 3, how[g->why], (unsigned long long)g->number, when, (unsigned long long)s->now->number,
		   g->changed_by);
}

/* One trial at a time: who replaces another one's says so. */
bool trial_stands(struct supervisor *s)
{
	const struct generation_record *g = generation_find(&s->store, s->trial);
	char since[40], until[40];

	if (s->trial == 0 || s->op.kind != OP_APPLY || s->op.take_over)
		return false;
	moment_text(g != NULL ? g->applied_ns : 0, since);
	moment_text(trial_until(s), until);
	op_explain(s, 3, M_OP_TRIAL, (unsigned long long)s->trial, g != NULL ? g->by : "-", since, until);
	return true;
}

/*
 * Going back to what was in force before, or taking such a step back, needs nobody else: it was approved, and
 * confirmed. Any other generation is a change like any other. While a trial runs, the one before is what it stands in for.
 */
static bool is_one_step(const struct supervisor *s, const struct generation_record *to)
{
	const struct generation_record *now = generation_find(&s->store, s->store.confirmed);

	if (s->trial != 0)
		return to->number == s->store.confirmed;
	if (now == NULL || now->why != WHY_ROLLBACK)
		return to->number == generation_back(&s->store);
	return to->number == now->other && (to->state == GEN_CONFIRMED || to->why == WHY_ROLLBACK);
}

/* Where it goes, into op.number. False after saying why it goes nowhere. */
bool rollback_target(struct supervisor *s)
{
	const struct generation_record *now = generation_find(&s->store, s->store.confirmed), *g;
	struct operation *op = &s->op;
	char when[40];

	if (op->to == 0 && s->trial != 0) { /* back to what the trial stands in for, and be it nothing */
		op->number = s->store.confirmed;
		return true;
	}
	if (op->to == 0 && now != NULL && now->why == WHY_ROLLBACK && s->now->number == now->number) {
		uint64_t further = generation_back(&s->store);

		moment_text(now->changed_ns, when);
		op_explain(s, 3, further != 0 ? M_OP_ROLLED_BACK : M_OP_ROLLED_BACK_LAST,
			   (unsigned long long)now->number, when, now->changed_by, (unsigned long long)now->other,
			   (unsigned long long)further);
		return false;
	}
	op->number = op->to != 0 ? op->to : generation_back(&s->store);
	g = generation_find(&s->store, op->number);
	if (g == NULL && op->to != 0)
		op_explain(s, 3, M_OP_NO_SUCH, (unsigned long long)op->to);
	else if (g == NULL)
		op_explain(s, 3, M_OP_NO_PREVIOUS);
	else if (memcmp(g->digest, s->now->ir->digest, sizeof(g->digest)) == 0 && s->now->number != 0)
		op_explain(s, 3, M_OP_SAME_POLICY, (unsigned long long)op->number);
	else if (op->kind == OP_ROLLBACK && op->ground.one_step && !is_one_step(s, g))
		op_explain(s, 3, M_CHANGE_FURTHER_BACK, (unsigned long long)op->number);
	else
		return true;
	op->number = 0;
	return false;
}

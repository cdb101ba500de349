/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/judge.h"

#include <string.h>

unsigned judge_leniency(const struct allowance *by)
{
	unsigned bits = 0;

	for (uint32_t i = 0; i < by->permit->n_grants; i++) {
		const struct command_grant *g = &by->table->grants[by->permit->first_grant + i];

		if (g->protocol == (uint16_t)by->v->protocol && !g->shadow)
			bits |= g->lenient;
	}
	return bits;
}

bool judge_forgives(const struct allowance *by, unsigned deviation)
{
	return (judge_leniency(by) & deviation) != 0 || evaluate_allows_all(by);
}

void pdu_name_ruling(struct pdu *ret, const struct ruling *ruling)
{
	const struct command_row *row = ret->allowed ? ruling->row : NULL;

	ret->conduit = ruling->grant != NULL ? ruling->grant->conduit : EVENT_NO_CONDUIT;
	ret->line = ruling->grant != NULL ? ruling->grant->line : 0;
	ret->row = row != NULL ? (struct place){ row->file, row->line } : (struct place){ 0 };
}

void pdu_name_choice(const struct allowance *by, uint16_t choice, struct pdu *ret)
{
	struct ruling ruling = { .choice = choice };

	evaluate_choice(by, choice, &ruling);
	pdu_name_ruling(ret, &ruling);
}

void judge_answer(const struct allowance *by, const struct pending_entry *of, struct pdu *ret)
{
	ret->reason = (enum reason)of->reason;
	ret->allowed = ret->reason == R_ALLOWED;
	pdu_name_choice(by, of->choice, ret);
}

void pdu_name_operation(struct pdu *ret, const struct operation *o, uint32_t n, const struct ruling *ruling)
{
	if (ruling->operation >= n)
		return;
	o += ruling->operation;
	memcpy(ret->targets, o->targets, sizeof(ret->targets));
	ret->function = o->service;
	if (o->space == SPACE_NONE)
		return;
	ret->space = o->space;
	ret->address = o->first;
	ret->quantity = o->count < UINT32_MAX ? (uint32_t)o->count : UINT32_MAX;
}

/* Judges operations. A malformed request is refused in the name of the first row that could
 * apply. */
static void judge_operations(const struct allowance *by, const struct operation *o, uint32_t n, enum reason wrong,
			     struct ruling *ret)
{
	*ret = (struct ruling){ .reason = wrong, .choice = 0 };
	if (wrong == R_ALLOWED)
		evaluate(by, o, n, ret);
	else
		evaluate_choice(by, 0, ret);
}

void judge_pdu(const struct enforcer *e, void *state, enum direction dir, struct bytes pdu,
	       const struct command_table *t, const struct command_permit *p, struct judge_room *room,
	       struct parsed *parsed, struct pdu *ret)
{
	const struct allowance by = { t, p, vocabulary_of(e->protocol) };
	struct ruling ruling;

	*ret = (struct pdu){ .dir = dir,
			     .offset = ret->offset,
			     .length = ret->length,
			     .space = SPACE_NONE,
			     .reason = e->malformed,
			     .conduit = EVENT_NO_CONDUIT };
	*parsed = (struct parsed){ .wrong = e->malformed, .operations = room->operations, .joined = room->joined };
	e->parse(state, dir, pdu, parsed);
	/* companion.h knows the opening request, and decides */
	if (parsed->bond.kind == BOND_USES) {
		ret->reason = R_NOT_OPENED;
		judge_operations(&by, parsed->operations, 0, ret->reason, &ruling);
		pdu_name_operation(ret, parsed->operations, parsed->n, &ruling);
		pdu_name_ruling(ret, &ruling);
		return;
	}
	pending_notice_table(e, state, t);
	if (!parsed->asks) {
		ret->bond = &parsed->bond;
		e->answered(state, parsed->answer.left > 0 ? parsed->answer : pdu, &by, ret);
		return;
	}
	if (parsed->n == 0)
		parsed->wrong = e->malformed;
	if (dir == DIR_S2C && parsed->wrong == R_ALLOWED)
		parsed->wrong = R_ASKED_BACK;
	judge_operations(&by, parsed->operations, parsed->n, parsed->wrong, &ruling);
	if (parsed->wrong == R_ALLOWED && ruling.reason != R_ALLOWED)
		evaluate_limit(&by, parsed->operations, &ruling, &ret->limit);
	pdu_name_operation(ret, parsed->operations, parsed->n, &ruling);
	ret->reason = ruling.reason;
	e->asked(state, parsed, &ruling, ret);
	ret->allowed = ret->reason == R_ALLOWED;
	pdu_name_ruling(ret, &ruling);
}

bool judge_shadows(const struct enforcer *e, const struct operation *o, uint32_t n, const struct command_table *t,
		   const struct command_permit *p, struct pdu *ret)
{
	const struct allowance by = { t, p, vocabulary_of(e->protocol) };
	struct ruling ruling;

	if (!evaluate_shadows(&by, o, n, &ruling) || ruling.reason == R_ALLOWED)
		return false;
	evaluate_limit(&by, o, &ruling, &ret->limit);
	ret->allowed = false;
	ret->reason = ruling.reason;
	pdu_name_operation(ret, o, n, &ruling);
	pdu_name_ruling(ret, &ruling);
	return true;
}

void judge_kept(const struct enforcer *e, const struct operation *o, uint32_t n, enum reason wrong,
		const struct command_table *t, const struct command_permit *p, struct pdu *ret)
{
	const struct allowance by = { t, p, vocabulary_of(e->protocol) };
	struct operation each[GROUP_MAX];
	struct ruling ruling;
	/* some operation has one address but two values: each was written by its own request */
	bool apart = false;

	n = n <= GROUP_MAX ? n : GROUP_MAX;
	for (uint32_t i = 0; i < n; i++) {
		each[i] = o[i];
		if (o[i].count == 1 && o[i].values.form == VALUES_BETWEEN && o[i].values.n == 2) {
			each[i].values.n = 1;
			apart = true;
		}
	}
	judge_operations(&by, each, n, wrong, &ruling);
	for (uint32_t i = 0; i < n && apart; i++)
		if (each[i].values.n != o[i].values.n)
			each[i].values.lo = o[i].values.hi;
	if (apart && ruling.reason == R_ALLOWED)
		judge_operations(&by, each, n, wrong, &ruling);
	*ret = (struct pdu){ .space = SPACE_NONE, .reason = ruling.reason, .allowed = ruling.reason == R_ALLOWED };
	pdu_name_operation(ret, each, n, &ruling);
	pdu_name_ruling(ret, &ruling);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/datagram.h"

#include <netinet/in.h>

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/rules.h"

/* Datagrams are judged independently: a refused one is dropped, and its flow goes on. A datagram
 * that is not a PDU (`opaque`) is recorded by refuse(), because its judgement made no record. */
static MUST_SEND struct verdict judge_commands(struct crossing *x)
{
	struct judged j = command_judge_datagram(x, x->d.payload);

	command_settle(x, !j.denied || crossing_is_observed(x));
	crossing_touch(x);
	if (!j.denied)
		return pass(R_ALLOWED);
	if (crossing_is_observed(x))
		outcome_note_refusal(x, j.reason, PROTO_NONE);
	if (j.opaque)
		return refuse(j.reason);
	x->spared = j.reason;
	return crossing_is_observed(x) ? pass(R_OBSERVED) : drop(j.reason);
}

/*
 * The first datagram comes from the server: the kernel tracks the flow, but this worker does not
 * know it. The request was sent before the worker began, so the conduits' setting for sessions met
 * half-way applies.
 */
static MUST_SEND struct verdict follow_commands(struct crossing *x, enum protocol p)
{
	bool midstream = x->dir == DIR_S2C;

	if (!command_follow(x, p))
		return refuse(R_OVERLOADED);
	x->f->midstream |= midstream;
	if (midstream && (crossing_is_observed(x) || x->permit->midstream == MID_PICK_UP))
		command_note_missed(x->f, false);
	return judge_commands(x);
}

static MUST_SEND struct verdict name_datagram(struct crossing *x)
{
	struct naming n;

	if (promises_any(x->table, x->permit, x->d.l4proto))
		return confirm(PROTO_NONE);
	n = name_bytes(x, x->d.payload);
	switch (n.step) {
	case NAMING_PASS:
		crossing_touch(x);
		return pass(n.reason);
	case NAMING_CONFIRM:
		return confirm(n.protocol);
	case NAMING_ANY:
		return confirm(PROTO_NONE);
	case NAMING_COMMANDS:
		return follow_commands(x, n.protocol);
	case NAMING_REFUSE: /* where commands are judged, each datagram is judged independently */
		return crossing_has_commands_lane(x) ? refuse(n.reason) : end_flow(n.reason, n.protocol);
	}
	return refuse(R_WRONG_PROTOCOL); /* no such step */
}

/*
 * Applies a changed permit. A flow whose protocol is not allowed any more, or that was refused
 * before, is treated as a new flow, because its ends do not begin a new session by themselves, as
 * those of a stream do.
 */
static MUST_SEND struct verdict come_under(struct crossing *x)
{
	struct verdict v;

	if (x->f->kind == KIND_REFUSED && relabel_is_due(x)) {
		life_restart(x, life_guess_dir(x));
		return go_on();
	}
	v = relabel(x);
	if (v.step != STEP_END || x->f->commands == NULL)
		return v;
	crossing_release(x->i, x->fi);
	x->f->protocol = PROTO_NONE;
	return go_on();
}

struct verdict datagram_judge(struct crossing *x)
{
	struct verdict v = go_on();

	if (x->d.l4proto != IP_UDP && x->d.l4proto != IP_ICMP && x->d.l4proto != IP_ICMP6)
		return refuse(R_WRONG_PROTOCOL);
	x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
	if (x->fi == FLOW_NONE) {
		if (!life_open(x, life_guess_dir(x)))
			return refuse(R_OVERLOADED);
	} else {
		x->f = flow_at(&x->i->flows, x->fi);
		if (x->f->class == CLASS_ENDED)
			life_restart(x, life_guess_dir(x));
		else
			v = come_under(x);
		if (v.step != STEP_ON)
			return v;
	}
	switch ((enum flow_kind)x->f->kind) {
	case KIND_REFUSED:
		crossing_touch(x);
		if (!crossing_is_observed(x))
			return drop((enum reason)x->f->reason);
		x->spared = (enum reason)x->f->reason;
		return pass(R_OBSERVED);
	case KIND_NAMED:
	case KIND_FREE:
		x->spared = outcome_let_go_for(x->f);
		crossing_touch(x);
		return pass(R_ALLOWED);
	case KIND_FOLLOWED:
		return x->f->commands != NULL ? judge_commands(x) : name_datagram(x);
	}
	return refuse(R_WRONG_PROTOCOL); /* no such kind */
}

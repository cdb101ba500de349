/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/datagram.h"

#include <netinet/in.h>

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/lasting.h"
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
		return verdict_pass(R_ALLOWED);
	if (crossing_is_observed(x))
		outcome_note_refusal(x, j.reason, PROTO_NONE);
	if (j.opaque)
		return verdict_refuse(j.reason);
	x->spared = j.reason;
	return crossing_is_observed(x) ? verdict_pass(R_OBSERVED) : verdict_drop(j.reason);
}

/*
 * The first datagram comes from the server: the kernel tracks the flow, but this worker does not
 * know it. The request was sent before the worker began, so the conduits' setting for sessions met
 * half-way applies. It does not for a subscription, which is known, or is none.
 */
static MUST_SEND struct verdict follow_commands(struct crossing *x, enum protocol p)
{
	bool midstream =
		x->dir == DIR_S2C && number_in(x->table, &x->permit->ports, x->d.sport) && !crossing_is_notice(x);

	if (!command_follow(x, p))
		return verdict_refuse(R_OVERLOADED);
	x->f->midstream |= midstream;
	if (midstream && (crossing_is_observed(x) || x->permit->midstream == MID_PICK_UP))
		command_note_missed(x->f, false);
	return judge_commands(x);
}

static MUST_SEND struct verdict name_datagram(struct crossing *x)
{
	struct naming n;

	if (promises_any(x->table, x->permit, x->d.l4proto))
		return verdict_confirm(PROTO_NONE);
	n = name_bytes(x, x->d.payload);
	switch (n.step) {
	case NAMING_PASS:
		crossing_touch(x);
		return verdict_pass(n.reason);
	case NAMING_CONFIRM:
		return verdict_confirm(n.protocol);
	case NAMING_ANY:
		return verdict_confirm(PROTO_NONE);
	case NAMING_COMMANDS:
		return follow_commands(x, n.protocol);
	case NAMING_REFUSE: /* where commands are judged, each datagram is judged independently */
		return crossing_has_commands_lane(x) ? verdict_refuse(n.reason) : end_flow(n.reason, n.protocol);
	}
	return verdict_refuse(R_WRONG_PROTOCOL); /* no such step */
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

/* ---- both ends may ask ----------------------------------------------------------------------- */

/*
 * Where both ends use the protocol's port, datagrams of two conduits meet in one session of the
 * kernel: the reads of one end, and what the other end sends by a conduit of its own. For each of
 * the two conduits there is a flow here, opened by the end that the conduit starts from: the twins.
 * Of the session's permit the kernel knows only that of the end that spoke first. So a datagram
 * goes to the other twin if its own refuses it and the other one allows it, and its verdict then
 * has that twin's permit, which the rules compare. If a datagram is a request of the end that
 * should answer, or the reverse, and the other twin is not known here, the rules look for its
 * permit and show the datagram again.
 */

/* Whether the protocol says that this datagram is a request of the flow's server, or an answer of
 * its client. *ret: the protocol's enforcer, if any of the permit's protocols has one
 * for datagrams. */
static bool is_out_of_turn(const struct crossing *x, const struct enforcer **ret)
{
	enum utterance own = x->dir == DIR_C2S ? UTTERS_REQUEST : UTTERS_ANSWER, u;

	for (uint32_t g = 0; g < x->permit->n_grants; g++) {
		const struct command_grant *grant = &x->table->grants[x->permit->first_grant + g];
		const struct enforcer *e = grant->shadow ? NULL : enforcer_of((enum protocol)grant->protocol);

		u = e != NULL && e->says != NULL ? e->says(x->d.payload) : UTTERS_NOTHING;
		if (u == UTTERS_NOTHING)
			continue;
		*ret = e;
		return u != own;
	}
	return false;
}

/* Makes the datagram one of its other twin, if that flow is known and allows it. */
static bool go_to_twin(struct crossing *x, uint32_t twin)
{
	enum direction dir = other_end(x->dir);
	struct flow *f = twin != FLOW_NONE ? flow_at(&x->i->flows, twin) : NULL;
	const struct command_permit *permit = f != NULL ? commands_permit(x->table, f->permit) : NULL;

	if (permit == NULL || f->commands == NULL || !command_would_allow(x, f, command_enforcer(f), permit, dir))
		return false;
	x->fi = twin;
	x->f = f;
	x->dir = dir;
	x->permit = permit;
	x->lane = f->lane;
	return true;
}

/* Finds the flow of a datagram of a command lane whose direction connection tracking has told. */
static MUST_SEND struct verdict choose_twin(struct crossing *x)
{
	uint32_t twin = flow_find_of(&x->i->flows, &x->d, other_end(x->dir));
	const struct enforcer *e = NULL;
	bool turned = is_out_of_turn(x, &e), told = x->dir == DIR_C2S && lasting_covers(x, false);
	struct flow *f = x->fi != FLOW_NONE ? flow_at(&x->i->flows, x->fi) : NULL;

	if (e == NULL || (twin == FLOW_NONE && !turned && !told))
		return go_on();
	if (f != NULL && f->commands == NULL)
		f = NULL;
	if (command_would_allow(x, f, f != NULL ? command_enforcer(f) : e, x->permit, x->dir) || go_to_twin(x, twin) ||
	    (!turned && !told))
		return go_on();
	if (told)
		return verdict_of(STEP_TWIN, R_NO_CONDUIT);
	/* An answer of the client, whose flow is known: if the server had asked, its twin would be
	 * known, too. */
	if (f != NULL && x->dir == DIR_C2S)
		return go_on();
	return verdict_of(STEP_TWIN, R_NONE);
}

static MUST_SEND struct verdict find_flow(struct crossing *x)
{
	if (x->d.l4proto != IP_UDP || !x->p->directed) {
		x->fi = flow_find(&x->i->flows, &x->d, &x->dir);
		return go_on();
	}
	x->dir = life_guess_dir(x);
	x->fi = flow_find_of(&x->i->flows, &x->d, x->dir);
	return crossing_has_commands_lane(x) && (x->p->mark & MARK_TWIN) == 0 ? choose_twin(x) : go_on();
}

static bool is_followed(const struct crossing *x)
{
	const struct flow *f = x->fi != FLOW_NONE ? flow_at(&x->i->flows, x->fi) : NULL;

	return f != NULL && f->class != CLASS_ENDED && f->commands != NULL;
}

struct verdict datagram_judge(struct crossing *x)
{
	struct verdict v;

	if (x->d.l4proto != IP_UDP && x->d.l4proto != IP_ICMP && x->d.l4proto != IP_ICMP6)
		return verdict_refuse(R_WRONG_PROTOCOL);
	v = find_flow(x);
	if (v.step != STEP_ON)
		return v;
	if (crossing_is_notice(x) && !lasting_covers(x, is_followed(x)))
		return verdict_refuse(R_NOT_OPENED);
	if (x->fi == FLOW_NONE) {
		if (!life_open(x, life_guess_dir(x)))
			return verdict_refuse(R_OVERLOADED);
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
			return verdict_drop((enum reason)x->f->reason);
		x->spared = (enum reason)x->f->reason;
		return verdict_pass(R_OBSERVED);
	case KIND_NAMED:
	case KIND_FREE:
		x->spared = outcome_let_go_for(x->f);
		crossing_touch(x);
		return verdict_pass(R_ALLOWED);
	case KIND_FOLLOWED:
		return x->f->commands != NULL ? judge_commands(x) : name_datagram(x);
	}
	return verdict_refuse(R_WRONG_PROTOCOL); /* no such kind */
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of policy will do to live sessions. Each flow with an enforcer remembers the kinds of requests that went
 * by; they are judged again by the rows that shall come into force, and the flow by the very rule that will relabel it. So
 * what is told before is what happens after, as long as the session goes on as it did.
 */
#include "dpi/inspect/bond.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/rejudge.h"
#include "dpi/inspect/relabel.h"
#include "dpi/inspect/rules.h"

bool inspector_try_table(struct inspector *i, struct bytes image, struct command_table *ret)
{
	return rules_try(i->rules, image, ret);
}

static struct flow *flow_between(struct inspector *i, const struct session_ends *ends)
{
	struct decoded d = { .src = ends->client,
			     .dst = ends->server,
			     .sport = ends->client_port,
			     .dport = ends->server_port,
			     .l4proto = ends->l4proto };
	enum direction dir;
	uint32_t fi = flow_find(&i->flows, &d, &dir);

	return fi != FLOW_NONE ? flow_at(&i->flows, fi) : NULL;
}

void inspector_note_unseen(struct inspector *i, const struct session_ends *ends)
{
	struct flow *f = flow_between(i, ends);

	if (f != NULL && f->l4proto == IP_TCP)
		f->stale = true;
}

static struct flow *flow_of_session(struct inspector *i, const struct session_ends *ends)
{
	struct flow *f = flow_between(i, ends);

	/* One that was forgotten, or is over: the kernel still has it, so it would be met half-way. */
	return f != NULL && relabel_lives(f) && f->kind != KIND_REFUSED ? f : NULL;
}

/* What lies unacknowledged between the ends will be judged once more, at the session's next packet. */
static bool survives(struct inspector *i, struct flow *f, const struct command_table *t, const struct command_permit *p)
{
	struct crossing x = { .i = i,
			      .f = f,
			      .fi = FLOW_NONE,
			      .d = { .l4proto = f->l4proto },
			      .table = t,
			      .permit = p,
			      .lane = p->lane };
	struct pdu refused;

	return f->waiting_pick_up || rejudge_allows(&x, &refused);
}

void inspector_foretell(struct inspector *i, const struct command_table *t, const struct session_ends *ends,
			uint32_t permit, void (*each)(void *ctx, const struct deed *d, const struct pdu *refused),
			void *ctx, struct impact *ret)
{
	const struct command_permit *p = commands_permit(t, permit);
	struct flow *f = flow_of_session(i, ends);
	enum relabel what;

	*ret = (struct impact){ .known = f != NULL && p != NULL, .reason = R_NONE };
	if (f == NULL || p == NULL || p->observe) /* observing ends nothing */
		return;
	ret->partly = f->midstream;
	ret->protocol = (enum protocol)f->protocol;
	what = relabel_decide(f, t, p);
	if (what != RELABEL_ENDS && f->kind == KIND_FOLLOWED && f->waiting_pick_up)
		what = RELABEL_HALF_WAY;
	/* As if it had spoken meanwhile: one that was silent goes on where it was. */
	if (what == RELABEL_STAYS && f->kind == KIND_FOLLOWED && f->stale && !f->greets)
		what = RELABEL_HALF_WAY;
	if (what == RELABEL_ENDS)
		ret->reason = R_ENDED;
	else if (what == RELABEL_HALF_WAY && f->l4proto == IP_TCP && !promises_any(t, p, IP_TCP) &&
		 (p->midstream == MID_RESET || (p->midstream == MID_PICK_UP && !midstream_picks_up(t, p))))
		ret->reason = R_MIDSTREAM_RESET;
	else if (what == RELABEL_HALF_WAY && f->l4proto == IP_TCP && !promises_any(t, p, IP_TCP) &&
		 p->midstream == MID_DROP)
		ret->reason = R_MIDSTREAM_DROP;
	else if (what == RELABEL_STAYS && f->l4proto == IP_TCP && !survives(i, f, t, p))
		ret->reason = R_ENDED;
	else if (what == RELABEL_STAYS && f->commands != NULL) {
		ret->forgotten = command_judge_deeds(f, t, p, each, ctx);
		bond_judge_uses(i, f, t, p, each, ctx);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a change of policy will do to live sessions. Each flow with an enforcer remembers the kinds of requests that went
 * by; they are judged again by the rows that shall come into force, and the flow by the very rule that will relabel it. So
 * what is told before is what happens after, as long as the session goes on as it did.
 */
#include <string.h>

#include "dpi/inspect/core.h"

/* ---- remembering ------------------------------------------------------------------------------------------------- */

static bool same_deed(const struct deed *a, const struct deed *b)
{
	if (a->unit != b->unit || a->function != b->function || a->well_formed != b->well_formed ||
	    a->place_unknown != b->place_unknown || a->value_unknown != b->value_unknown ||
	    a->n_touches != b->n_touches)
		return false;
	for (uint8_t i = 0; i < a->n_touches; i++)
		if (a->touches[i].space != b->touches[i].space || a->touches[i].first != b->touches[i].first ||
		    a->touches[i].n != b->touches[i].n)
			return false;
	return true;
}

void deed_remember(struct command_state *c, struct bytes pdu)
{
	struct deed d = { .function = 0 };

	if (c->enforcer->note == NULL)
		return;
	c->enforcer->note(pdu, &d);
	for (uint32_t k = 0; k < c->n_deeds; k++) {
		struct deed *known = &c->deeds[k];

		if (!same_deed(known, &d))
			continue;
		known->lo = d.lo < known->lo ? d.lo : known->lo;
		known->hi = d.hi > known->hi ? d.hi : known->hi;
		known->count++;
		return;
	}
	if (c->n_deeds == DEEDS_MAX) {
		c->more_deeds++;
		return;
	}
	d.count = 1;
	c->deeds[c->n_deeds++] = d;
}

/* ---- foretelling ------------------------------------------------------------------------------------------------- */

bool inspector_try_table(struct inspector *i, struct bytes image, struct command_table *ret)
{
	return commands_decode(image, i->table_memory[1u - i->table_now], i->limits.table_bytes, ret);
}

static struct flow *flow_of_session(struct inspector *i, const struct session_ends *ends)
{
	struct decoded d = { .src = ends->client,
			     .dst = ends->server,
			     .sport = ends->client_port,
			     .dport = ends->server_port,
			     .l4proto = ends->l4proto };
	enum direction dir;
	uint32_t fi = flow_find(&i->flows, &d, &dir);
	struct flow *f = fi != FLOW_NONE ? flow_at(&i->flows, fi) : NULL;

	/* One that was forgotten, or is over: the kernel still has it, so it would be met half-way. */
	return f != NULL && f->class != CLASS_ENDED && f->kind != KIND_REFUSED ? f : NULL;
}

static void judge_again(const struct command_state *c, const struct command_table *t,
			const struct command_permit *permit,
			void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx,
			struct impact *ret)
{
	for (uint32_t k = 0; k < c->n_deeds && c->enforcer->again != NULL; k++) {
		struct pdu u;

		c->enforcer->again(&c->deeds[k], t, permit, &u);
		if (!u.allowed)
			each(ctx, &c->deeds[k], &u);
	}
	ret->forgotten = c->more_deeds;
}

/* What lies unacknowledged between the ends will be judged once more, at the session's next packet. */
static bool survives(struct inspector *i, struct flow *f, const struct command_table *t, const struct command_permit *p)
{
	struct crossing x = { .i = i, .f = f, .fi = FLOW_NONE, .permit = p, .lane = p->lane };
	struct command_table now = i->table;
	struct pdu refused;
	bool good;

	i->table = *t; /* nothing crosses meanwhile */
	good = f->waiting_pick_up || crossing_allows_unacknowledged(&x, &refused);
	i->table = now;
	return good;
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
	if (what == RELABEL_ENDS)
		ret->reason = R_ENDED;
	else if (what == RELABEL_HALF_WAY && f->l4proto == IP_TCP && p->midstream == MID_RESET)
		ret->reason = R_MIDSTREAM_RESET;
	else if (what == RELABEL_HALF_WAY && f->l4proto == IP_TCP && p->midstream == MID_DROP)
		ret->reason = R_MIDSTREAM_DROP;
	else if (what == RELABEL_STAYS && f->l4proto == IP_TCP && !survives(i, f, t, p))
		ret->reason = R_ENDED;
	else if (what == RELABEL_STAYS && f->commands != NULL)
		judge_again(f->commands, t, p, each, ctx, ret);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/relabel.h"

#include <string.h>

#include "dpi/inspect/greet.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/outcome.h"
#include "dpi/inspect/rules.h"

/* Where nothing was stopped its client may have chosen the place: who stops commands meets it half-way. */
static bool is_unsure(const struct flow *f, const struct command_permit *permit)
{
	return f->let_by && f->kind == KIND_FOLLOWED && f->l4proto == IP_TCP && !permit->observe &&
	       permit_commands_lane(permit);
}

enum relabel relabel_decide(const struct flow *f, const struct command_table *t, const struct command_permit *permit)
{
	enum protocol p = (enum protocol)f->protocol;
	bool promised = promises_any(t, permit, f->l4proto) || (p != PROTO_NONE && grant_of(t, permit, p) != NULL);

	if (f->kind == KIND_REFUSED ||
	    (f->kind == KIND_FOLLOWED && f->commands == NULL && !f->greets && !is_unsure(f, permit)))
		return RELABEL_STAYS;
	if ((!promised && p != PROTO_NONE) || greet_ends(f, permit))
		return RELABEL_ENDS;
	if (f->commands != NULL && !permit_commands_lane(permit))
		return RELABEL_CONFIRMS;
	if (f->kind == KIND_FOLLOWED)
		return !f->greets && is_unsure(f, permit) ? RELABEL_HALF_WAY : RELABEL_STAYS;
	/* It was let go of before; a permit that looks inside meets it half-way. */
	if (!promised || (permit_commands_lane(permit) && protocol_info(p)->depth == DEPTH_COMMANDS))
		return RELABEL_HALF_WAY;
	return RELABEL_STAYS;
}

bool relabel_is_due(const struct crossing *x)
{
	return x->f->permit != x->permit->permit || x->f->table_turn != rules_turn(x->i->rules);
}

bool relabel_lives(const struct flow *f)
{
	return f->class != CLASS_ENDED || (f->kind == KIND_NAMED && f->l4proto == IP_TCP);
}

/* Only time ended it. A new session on its ports would have come by with its SYN. */
static void live_again(struct crossing *x)
{
	if (x->f->class != CLASS_ENDED || !relabel_lives(x->f) || (x->d.tcp_flags & TCP_SYN))
		return;
	x->f->told_end = false;
	life_touch(x);
}

struct verdict relabel(struct crossing *x)
{
	struct flow *f = x->f;

	live_again(x);
	f->queue = x->p->queue;
	if (!relabel_is_due(x))
		return go_on();
	f->permit = x->permit->permit;
	f->lane = x->lane;
	f->table_turn = rules_turn(x->i->rules);
	life_change_share(x);
	f->judge_again = true;
	switch (relabel_decide(f, x->table, x->permit)) {
	case RELABEL_STAYS:
		break;
	case RELABEL_ENDS:
		return end_flow(R_ENDED, PROTO_NONE);
	case RELABEL_CONFIRMS:
		outcome_confirm(x, (enum protocol)f->protocol);
		break;
	case RELABEL_HALF_WAY:
		f->kind = KIND_FOLLOWED;
		if (f->l4proto == IP_TCP) {
			f->waiting_pick_up = f->midstream = true;
			f->missed = false; /* what a full queue let by gives no claim to more */
			outcome_drop_waiting(x->i, x->fi, R_MIDSTREAM_WAIT);
			stream_free(&f->stream, &x->i->pool);
			memset(&f->stream, 0, sizeof(f->stream));
		}
		break;
	}
	/* What a session that is over asked for is no news, nor what its ports were before they are used anew. */
	if (f->kind != KIND_REFUSED && f->class != CLASS_ENDED && (x->d.tcp_flags & (TCP_SYN | TCP_RST)) == 0)
		greet_look_up(x->i, f, x->permit);
	return go_on();
}

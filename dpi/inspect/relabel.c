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
	crossing_touch(x);
}

/* ---- what went by meanwhile --------------------------------------------------------------------------------------- */

/*
 * Under a permit without a lane nothing of a session comes here, nor of those that its ports see after it: inspector_note_unseen. What is
 * remembered of it is then older than what its ends have said, and it is met as by a worker that began meanwhile. Only the kernel's
 * word makes it so: by numbers alone a client would choose, at every change, from where it is read.
 */
static bool has_numbers(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;

	return x->d.l4proto == IP_TCP && !x->f->waiting_pick_up && s->dir[DIR_C2S].known && s->dir[DIR_S2C].known &&
	       (x->d.tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK;
}

static bool is_foreign(uint32_t number, uint32_t next)
{
	int32_t by = seq_diff(number, next);

	return by > 0 || by < -(int32_t)STREAM_BEHIND_MAX;
}

/* It was over, or refused, and its ports have another session since. */
static bool is_another(const struct crossing *x)
{
	const struct flow *f = x->f;

	return f->stale && (f->kind == KIND_REFUSED || f->class == CLASS_ENDED) && !f->no_claim && has_numbers(x) &&
	       (is_foreign(x->d.seq, f->stream.dir[x->dir].next) ||
		is_foreign(x->d.ack, f->stream.dir[other_end(x->dir)].next));
}

/* It acknowledges what did not come by. */
static bool has_moved_on(const struct crossing *x)
{
	const struct flow *f = x->f;

	return f->stale && f->kind == KIND_FOLLOWED && f->class != CLASS_ENDED && !f->greets &&
	       !crossing_is_observed(x) && has_numbers(x) &&
	       (f->stream.state == TCP_OPEN || (f->stream.state == TCP_SYN_RECV && !f->stream.answered_twice)) &&
	       seq_diff(x->d.ack, f->stream.dir[other_end(x->dir)].next) > 0;
}

/* The next one in the order of what lives: nothing went by. */
static bool goes_on_in_order(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;

	return x->f->kind == KIND_FOLLOWED && x->f->class != CLASS_ENDED && has_numbers(x) &&
	       x->d.seq == s->dir[x->dir].next && seq_diff(x->d.ack, s->dir[other_end(x->dir)].next) <= 0;
}

static void meet_anew(struct crossing *x)
{
	life_restart(x, life_guess_dir(x));
	x->f->waiting_pick_up = x->f->midstream = true;
	crossing_touch(x);
}

static void go_half_way(struct crossing *x)
{
	struct flow *f = x->f;

	f->kind = KIND_FOLLOWED;
	f->stale = false;
	if (f->l4proto != IP_TCP)
		return;
	f->waiting_pick_up = f->midstream = true;
	f->missed = false; /* what a full queue let by gives no claim to more */
	outcome_drop_waiting(x->i, x->fi, R_MIDSTREAM_WAIT);
	stream_free(&f->stream, &x->i->pool);
	memset(&f->stream, 0, sizeof(f->stream));
}

static void note_unchanged(struct crossing *x)
{
	if (has_moved_on(x))
		go_half_way(x);
	else if (x->f->stale && goes_on_in_order(x))
		x->f->stale = false;
}

/* ---- a change ----------------------------------------------------------------------------------------------------- */

struct verdict relabel(struct crossing *x)
{
	struct flow *f = x->f;
	bool due = relabel_is_due(x);
	enum relabel what;

	live_again(x);
	f->queue = x->p->queue;
	if (is_another(x)) {
		meet_anew(x);
		return go_on();
	}
	if (!due) {
		note_unchanged(x);
		return go_on();
	}
	f->permit = x->permit->permit;
	f->lane = x->lane;
	f->table_turn = rules_turn(x->i->rules);
	life_change_share(x);
	f->judge_again = true;
	what = relabel_decide(f, x->table, x->permit);
	if (what == RELABEL_STAYS && has_moved_on(x))
		what = RELABEL_HALF_WAY;
	switch (what) {
	case RELABEL_STAYS:
		if (goes_on_in_order(x))
			f->stale = false;
		break;
	case RELABEL_ENDS:
		return end_flow(R_ENDED, PROTO_NONE);
	case RELABEL_CONFIRMS:
		outcome_confirm(x, (enum protocol)f->protocol);
		break;
	case RELABEL_HALF_WAY:
		go_half_way(x);
		break;
	}
	/* What a session that is over asked for is no news, nor what its ports were before they are used anew. */
	if (f->kind != KIND_REFUSED && f->class != CLASS_ENDED && (x->d.tcp_flags & (TCP_SYN | TCP_RST)) == 0)
		greet_look_up(x->i, f, x->permit);
	return go_on();
}

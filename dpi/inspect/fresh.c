/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/fresh.h"

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/offer.h"
#include "dpi/inspect/search.h"
#include "dpi/inspect/state.h"
#include "dpi/inspect/wait.h"
#include "dpi/inspect/weak.h"

/* ---- repeated bytes ------------------------------------------------------------------------- */

struct verdict repeat_judge(struct crossing *x)
{
	struct flow *f = x->f;
	const struct stream_dir *d = &f->stream.dir[x->dir];
	struct pdu u = { .dir = x->dir, .space = 255, .conduit = EVENT_NO_CONDUIT };
	uint32_t from = x->d.seq, to = x->d.seq + (uint32_t)x->d.payload.left, pdu = d->first;
	struct command_state *c = f->commands;
	struct judged j = { .reason = R_ALLOWED };
	struct bytes kept;
	bool late;
	size_t n;

	if (c == NULL || c->enforcer->repeat == NULL || x->dir != DIR_C2S || crossing_is_observed(x) || !d->known)
		return go_on();
	if (seq_diff(to, d->next) > 0)
		to = d->next;
	/* The receiver has the earlier bytes, perhaps only a part of a PDU, if its window
	 * ended there. */
	if (seq_diff(from, d->first) < 0)
		from = d->first;
	if (seq_diff(from, d->acked) < 0)
		from = d->acked;
	if (seq_diff(to, from) <= 0)
		return go_on();
	kept = bytes_of(x->i->rooms.pdu, stream_kept_copy(&f->stream, &x->i->pool, x->dir, x->i->rooms.pdu, PDUS_MAX));
	while (seq_diff(from, pdu) > 0 && c->enforcer->frame(c->state, x->dir, kept, &n) == FRAME_WHOLE &&
	       seq_diff(from, pdu + (uint32_t)n) >= 0 && bytes_skip(&kept, n))
		pdu += (uint32_t)n;
	u.offset = d->offset - (d->next - pdu);
	u.length = to - from;
	late = x->i->now_ns - (u.offset == c->begun ? c->begun_ns : c->segment_ns) > LATE_NS;
	if (c->enforcer->repeat(c->state, u.offset, from - pdu, to - from, late, kept,
				&(struct allowance){ x->table, x->permit, vocabulary_of(c->enforcer->protocol) }, &u))
		return go_on();
	command_tell(x, &u, &j);
	return end_flow(j.reason, PROTO_NONE);
}

/* ---- bytes ahead of a gap ------------------------------------------------------------------- */

/* Lets the segment wait; if it cannot wait, decides it. */
static MUST_SEND struct verdict hold_segment(struct crossing *x)
{
	struct verdict v = wait_compare(x);

	if (v.step == STEP_ON)
		v = wait_keep(x);
	if (v.step != STEP_ON)
		return v;
	return crossing_is_observed(x) ? midstream_await(x) : verdict_refuse(R_OUT_OF_ORDER);
}

/*
 * Whether bytes ahead of a gap may pass. If the session would end with its worker, they may. If a
 * successor would continue it, only whole allowed PDUs may pass, as after a pick-up. A FIN waits
 * for the bytes before it. After a SYN over the live session, nothing passes ahead: a server that
 * forgot the session would read on from the number of that SYN, and see no gap.
 */
static bool may_pass_ahead(const struct crossing *x)
{
	struct lane lane;

	if (x->dir == DIR_C2S && (x->f->stream.forgot || x->f->stream.anew) && !crossing_is_observed(x))
		return false;
	if (x->f->adrift[x->dir] || x->d.payload.left == 0 || (x->d.tcp_flags & TCP_FIN))
		return false;
	return crossing_is_observed(x) ||
	       (lane_of(x->permit->lane, &lane) && lane.when_down == FAIL_CLOSED &&
		lane.when_overloaded == FAIL_CLOSED && x->permit->midstream != MID_PICK_UP) ||
	       rejudge_allows_each(x, x->d.payload);
}

struct verdict ahead_take(struct crossing *x)
{
	struct verdict v = midstream_go_on_at(x);

	if (v.step != STEP_ON)
		return v;
	switch (may_pass_ahead(x) ? runs_add(&x->f->stream.dir[x->dir].runs, &x->i->pool, x->d.seq, x->d.payload)
				  : RUNS_NO_ROOM) {
	case RUNS_DIFFER:
		return end_flow(R_OVERLAP, PROTO_NONE);
	case RUNS_KEPT:
		crossing_touch(x);
		return verdict_pass(R_AHEAD);
	case RUNS_NO_ROOM:
		break;
	}
	return hold_segment(x);
}

/* ---- new bytes ------------------------------------------------------------------------------ */

/* Bytes of this direction were missed. STEP_ON when the direction can be read from here on. */
static MUST_SEND struct verdict take_up(struct crossing *x, struct stream_result *s, bool turned)
{
	const struct enforcer *e = command_enforcer(x->f);
	const struct stream_dir *server = &x->f->stream.dir[DIR_S2C];
	struct verdict v = go_on();

	if (x->f->adrift[x->dir] == ADRIFT_SEARCHED) {
		v = search_boundary(x, s, turned);
	} else if (x->d.payload.left != s->fresh.left || !command_is_whole(e, command_known(x->f), x->dir, s->fresh) ||
		   (x->dir == DIR_C2S && !x->f->adrift[DIR_S2C] && x->d.ack != server->next)) {
		v = midstream_await_boundary(x);
		return v.step == STEP_ON ? crossing_take(x, s, 0, R_MIDSTREAM_WAIT) : v;
	} else {
		event_tell_flow(x, EV_ALLOW, R_PICKED_UP, (enum protocol)x->f->protocol);
	}
	if (v.step != STEP_ON)
		return v;
	stream_frame(&x->f->stream, x->dir);
	x->f->adrift[x->dir] = ADRIFT_NOT;
	x->f->unjudged = 0;
	x->f->missed = x->f->adrift[other_end(x->dir)];
	return v;
}

static MUST_SEND struct verdict judge_commands(struct crossing *x, struct stream_result *s)
{
	bool turned = x->f->turn != x->dir, refused;
	struct verdict v = go_on();
	struct judged j;

	x->f->turn = (uint8_t)x->dir;
	if (x->f->adrift[x->dir])
		v = take_up(x, s, turned);
	if (v.step != STEP_ON)
		return v;
	j = command_judge(x, s->fresh);
	refused = j.later || (j.denied && !crossing_is_observed(x));
	command_settle(x, !refused);
	if (refused)
		return j.later ? verdict_refuse(j.reason) : end_flow(j.reason, j.speaks);
	if (!j.denied) {
		v = crossing_take(x, s, j.unjudged, R_ALLOWED);
		if (x->dir == DIR_S2C && v.step == STEP_PASS)
			lend_offer(x, s->fresh);
		return v;
	}
	outcome_note_refusal(x, j.reason, j.speaks);
	x->spared = j.reason;
	if (j.opaque && !search_goes_on(x)) {
		x->f->kind = KIND_FREE;
		crossing_release(x->i, x->fi);
		crossing_touch(x);
		return verdict_pass(R_OBSERVED);
	}
	return crossing_take(x, s, j.unjudged, R_OBSERVED);
}

/* Judges a TLS session whose protocol is known, and whose hellos are still read. */
static MUST_SEND struct verdict judge_greeting(struct crossing *x, struct stream_result *s)
{
	struct verdict v = greet_take(x, s->fresh);

	return v.step == STEP_ON ? crossing_take(x, s, 0, R_CONFIRMED) : v;
}

static MUST_SEND struct verdict judge_name(struct crossing *x, struct stream_result *s)
{
	struct naming n = name_bytes(x, s->fresh);
	bool keep; /* the bytes must be kept, because an enforcer may read them again */

	switch (n.step) {
	case NAMING_REFUSE:
		return end_flow(n.reason, n.protocol);
	case NAMING_ANY:
		return verdict_confirm(PROTO_NONE);
	case NAMING_CONFIRM:
		if (greet_begin(x, n.protocol, s->fresh))
			return judge_greeting(x, s);
		if (greet_has_to_begin(x, n.protocol))
			return end_flow(R_TLS_UNREAD, n.protocol);
		greet_unnamed(x, n.protocol);
		return verdict_confirm(n.protocol);
	case NAMING_COMMANDS:
		return command_follow(x, n.protocol) ? judge_commands(x, s) : verdict_refuse(R_OVERLOADED);
	case NAMING_PASS:
		break;
	}
	keep = x->dir == DIR_C2S && crossing_has_commands_lane(x);
	return crossing_take(x, s, keep ? stream_carry(&x->f->stream, x->dir) + s->fresh.left : 0, n.reason);
}

struct verdict fresh_judge(struct crossing *x, struct stream_result *s)
{
	struct verdict v = go_on();

	if (!stream_join(&x->f->stream, &x->i->pool, x->dir, s->fin, &s->fresh, x->i->rooms.segment))
		return x->f->greets && !greet_stops(x->permit) ? greet_let_go(x) : end_flow(R_OVERLAP, PROTO_NONE);
	if (!life_room(x, s->fresh.left))
		return x->f->greets && !greet_stops(x->permit) ? greet_let_go(x)
		       : crossing_is_observed(x)	       ? midstream_lose_track(x)
							       : verdict_refuse(R_POOL_FULL);
	if (s->fresh.left == 0)
		return crossing_take(x, s, stream_carry(&x->f->stream, x->dir), R_HANDSHAKE);
	if (x->f->greets)
		return judge_greeting(x, s);
	if (x->f->commands == NULL)
		return judge_name(x, s);
	/* the first bytes of the segment may have passed before */
	if (s->fresh.left != x->d.payload.left)
		v = repeat_judge(x);
	return v.step == STEP_ON ? judge_commands(x, s) : v;
}

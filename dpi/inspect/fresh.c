/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/fresh.h"

#include "dpi/inspect/command.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/greet.h"
#include "dpi/inspect/midstream.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/outcome.h"
#include "dpi/inspect/repeat.h"
#include "dpi/inspect/room.h"
#include "dpi/inspect/search.h"

/* Bytes of this direction were missed: STEP_ON when it can be read again from here. */
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
		return j.later ? refuse(j.reason) : end_flow(j.reason, j.speaks);
	if (!j.denied)
		return crossing_take(x, s, j.unjudged, R_ALLOWED);
	outcome_note_refusal(x, j.reason, j.speaks);
	x->spared = j.reason;
	if (j.opaque && !search_goes_on(x)) {
		x->f->kind = KIND_FREE;
		crossing_release(x->i, x->fi);
		crossing_touch(x);
		return pass(R_OBSERVED);
	}
	return crossing_take(x, s, j.unjudged, R_OBSERVED);
}

/* Its name is known, and more is read of it. */
static MUST_SEND struct verdict judge_greeting(struct crossing *x, struct stream_result *s)
{
	struct verdict v = greet_take(x, s->fresh);

	return v.step == STEP_ON ? crossing_take(x, s, 0, R_CONFIRMED) : v;
}

static MUST_SEND struct verdict judge_name(struct crossing *x, struct stream_result *s)
{
	struct naming n = name_bytes(x, s->fresh);
	bool keep; /* bytes that an enforcer may have to read again */

	switch (n.step) {
	case NAMING_REFUSE:
		return end_flow(n.reason, n.protocol);
	case NAMING_ANY:
		return confirm(PROTO_NONE);
	case NAMING_CONFIRM:
		if (greet_begin(x, n.protocol, s->fresh))
			return judge_greeting(x, s);
		if (greet_has_to_begin(x, n.protocol))
			return end_flow(R_TLS_UNREAD, n.protocol);
		greet_unnamed(x, n.protocol);
		return confirm(n.protocol);
	case NAMING_COMMANDS:
		return command_follow(x, n.protocol) ? judge_commands(x, s) : refuse(R_OVERLOADED);
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
	if (!room_make(x, s->fresh.left))
		return x->f->greets && !greet_stops(x->permit) ? greet_let_go(x)
		       : crossing_is_observed(x)	       ? midstream_lose_track(x)
							       : refuse(R_POOL_FULL);
	if (s->fresh.left == 0)
		return crossing_take(x, s, stream_carry(&x->f->stream, x->dir), R_HANDSHAKE);
	if (x->f->greets)
		return judge_greeting(x, s);
	if (x->f->commands == NULL)
		return judge_name(x, s);
	if (s->fresh.left != x->d.payload.left) /* what it begins with may have passed before */
		v = repeat_judge(x);
	return v.step == STEP_ON ? judge_commands(x, s) : v;
}

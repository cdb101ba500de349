/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/midstream.h"

#include <string.h>

#include "dpi/inspect/command.h"
#include "dpi/inspect/event.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/search.h"

#define UNJUDGED_MAX 64u	      /* segments with data that may pass before a pick-up */
#define UNJUDGED_NS (10u * SECOND_NS) /* time for which they may pass */
/* if so many segments ahead of a gap were dropped and nothing filled the gap, the missing bytes
 * count as passed unseen */
#define GAVE_UP_MAX 3u

/* Whether the stream is followed byte by byte, and has not ended. */
static bool is_followed(const struct flow *f)
{
	return !f->waiting_pick_up && f->stream.state != TCP_CLOSED && f->kind == KIND_FOLLOWED;
}

static bool is_ahead(const struct crossing *x)
{
	return is_followed(x->f) && seq_diff(x->d.seq, x->f->stream.dir[x->dir].next) > 0;
}

bool midstream_acknowledges_unseen(const struct crossing *x)
{
	const struct stream_dir *peer = &x->f->stream.dir[other_end(x->dir)];

	return is_followed(x->f) && (x->d.tcp_flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK && peer->known &&
	       seq_diff(x->d.ack, peer->next) > 0 && x->d.ack - peer->next <= STREAM_AHEAD_MAX;
}

/* ---- waiting for a PDU boundary -------------------------------------------------------------- */

bool midstream_may_miss(const struct crossing *x)
{
	struct lane lane;

	return lane_of(x->permit->lane, &lane) && lane.when_overloaded != FAIL_CLOSED;
}

/* Whether the conduits let bytes pass that cannot be judged: while no worker lived, or while the
 * queue was full. */
static bool may_pass_unjudged(const struct crossing *x)
{
	struct lane lane;

	if (crossing_is_observed(x))
		return true;
	if (!lane_of(x->permit->lane, &lane))
		return false;
	return (x->f->missed ? lane.when_overloaded : lane.when_down) != FAIL_CLOSED;
}

/* Whether the session has waited long enough for a pick-up. A live session reaches a PDU boundary
 * soon; an end that avoids boundaries must not go on unjudged for ever. */
static bool waited_enough(struct crossing *x)
{
	struct flow *f = x->f;

	if (crossing_is_observed(x) || x->d.payload.left == 0)
		return false;
	if (f->unjudged == 0)
		f->unjudged_ns = x->i->now_ns;
	if (f->unjudged >= UNJUDGED_MAX || x->i->now_ns - f->unjudged_ns >= UNJUDGED_NS)
		return true;
	f->unjudged++;
	return false;
}

struct verdict midstream_await_boundary(struct crossing *x)
{
	if (waited_enough(x))
		return end_flow(R_MIDSTREAM_RESET, PROTO_NONE);
	if (x->d.payload.left > 0 && !may_pass_unjudged(x)) {
		crossing_touch(x);
		return verdict_drop(R_MIDSTREAM_WAIT);
	}
	return go_on();
}

/* ---- sessions met half-way ------------------------------------------------------------------- */

/*
 * While a session waits for its pick-up, bytes may pass unjudged, so that a live session survives
 * its worker. This does not apply to a session that this worker followed and then forgot (its
 * handshake never ended, it was silent, or the table was full). Otherwise a host that can make the
 * worker forget sessions could choose what passes. Such a session is reset, whatever the conduit
 * says. If the permit does not pick sessions up, this is remembered for a later permit.
 */
struct verdict midstream_refuse_pick_up(struct crossing *x)
{
	x->f->no_claim = true;
	if (crossing_is_observed(x) || x->permit->midstream != MID_PICK_UP || (x->d.tcp_flags & TCP_RST))
		return go_on();
	return end_flow(R_MIDSTREAM_RESET, PROTO_NONE);
}

/*
 * Whether a client that sends data has received all bytes of the server that passed here. If it
 * acknowledges more, bytes of the server did not pass here; a capture may lack them for good.
 */
static bool has_the_answer(const struct crossing *x)
{
	const struct stream_dir *server = &x->f->stream.dir[DIR_S2C];

	return x->dir == DIR_S2C || !server->known || x->d.ack == server->next ||
	       (search_is_on(x->i) && seq_diff(x->d.ack, server->next) > 0);
}

/* Whether the session can be picked up here as protocol `p`. `searched`: a PDU boundary is searched
 * in the bytes. */
static bool picks_up(const struct crossing *x, enum protocol p, bool searched)
{
	const struct enforcer *e = enforcer_of(p);

	if (e == NULL || x->d.payload.left == 0 || (x->d.tcp_flags & TCP_SYN))
		return false;
	return searched || (has_the_answer(x) && command_is_whole(e, command_known(NULL), x->dir, x->d.payload));
}

/* The first protocol of the permit that this segment fits. `several`: there are others. */
static enum protocol first_fit(const struct crossing *x, bool searched, bool *several)
{
	enum protocol first = PROTO_NONE, fits = PROTO_NONE;

	*several = false;
	for (uint32_t g = 0; crossing_has_commands_lane(x) && g < x->permit->n_grants; g++) {
		const struct command_grant *grant = &x->table->grants[x->permit->first_grant + g];
		enum protocol p = (enum protocol)grant->protocol;

		if (grant->shadow || enforcer_of(p) == NULL)
			continue;
		first = first == PROTO_NONE ? p : first;
		*several |= p != first;
		if (fits == PROTO_NONE && picks_up(x, p, searched))
			fits = p;
	}
	return fits;
}

/* The protocol as which the session is picked up. A boundary is searched only if one protocol is
 * possible; with several, the segment must consist of whole PDUs of one of them. */
static enum protocol pick_up_as(const struct crossing *x, bool searched)
{
	enum protocol p;
	bool several;

	if (x->f->commands != NULL)
		return picks_up(x, (enum protocol)x->f->protocol, searched) ? (enum protocol)x->f->protocol
									    : PROTO_NONE;
	p = first_fit(x, false, &several);
	return p == PROTO_NONE && searched && !several ? first_fit(x, true, &several) : p;
}

static MUST_SEND struct verdict pick_up(struct crossing *x, enum protocol p, bool searched)
{
	struct flow *f = x->f;

	stream_pick_up(&f->stream, &x->i->pool, x->dir, &x->d);
	command_forget(f);
	f->waiting_pick_up = false;
	f->unjudged = 0;
	f->lacking = searched;
	f->let_by = crossing_is_observed(x);
	memset(f->adrift, searched ? ADRIFT_SEARCHED : ADRIFT_NOT, sizeof(f->adrift));
	/* an answer does not show whether the client is in the middle of a PDU */
	if (!searched && x->dir == DIR_S2C)
		f->adrift[DIR_C2S] = ADRIFT_AWAITS;
	event_tell_flow(x, EV_ALLOW, R_PICKED_UP, p);
	return verdict_again();
}

/*
 * When a worker has died, the packets that waited in it are lost. Later bytes of their stream may
 * have passed, and the session may have been picked up at these. But the receiver cannot read them
 * before the sender repeats the lost bytes. When the sender repeats them, the session is picked up
 * once more, at the repeated bytes, if picks_up allows it. The bytes that passed meanwhile now lie
 * ahead of a gap: they are compared, and judged together with the bytes that fill it. This is not
 * done if bytes were skipped because the client acknowledged them: then the server may be inside a
 * PDU of which a part was judged.
 */
struct verdict midstream_go_back(struct crossing *x)
{
	struct flow *f = x->f;

	if (f->commands == NULL || f->adrift[x->dir] || x->permit->midstream != MID_PICK_UP ||
	    !picks_up(x, (enum protocol)f->protocol, false) || !stream_go_back(&f->stream, x->dir, x->d.seq))
		return go_on();
	command_forget(f);
	return verdict_again();
}

/* The session has ended, so data that still come do not continue it: they are refused, or, where
 * the conduits only observe, begin a session that is met half-way. */
static MUST_SEND struct verdict goes_on_after_its_end(struct crossing *x)
{
	if (!x->f->told_end || x->d.payload.left == 0)
		return go_on();
	if (!crossing_is_observed(x))
		return and_hear(verdict_refuse(R_AFTER_CLOSE), HEAR_PACKET);
	life_restart(x, x->dir);
	x->f->waiting_pick_up = x->f->midstream = true;
	return go_on();
}

/* Whether the segment is a bare acknowledgement that a capture has too early, before bytes that
 * were sent earlier. Such a segment does not show the position of those bytes. */
static bool overtakes(const struct crossing *x)
{
	const struct stream_dir *own = &x->f->stream.dir[x->dir], *peer = &x->f->stream.dir[other_end(x->dir)];

	return search_is_on(x->i) && x->d.payload.left == 0 && !(x->d.tcp_flags & TCP_FIN) &&
	       ((own->known && seq_diff(x->d.seq, own->next) > 0) ||
		(peer->known && seq_diff(x->d.ack, peer->next) > 0));
}

/* Counts bytes that pass while the position in their stream is not known. */
static void leave_unread(struct crossing *x)
{
	x->f->unread += x->d.payload.left;
	x->f->lost_place |= x->d.payload.left > 0;
}

bool midstream_picks_up(const struct command_table *t, const struct command_permit *permit)
{
	for (uint32_t g = 0; permit_commands_lane(permit) && g < permit->n_grants; g++) {
		const struct command_grant *grant = &t->grants[permit->first_grant + g];

		if (!grant->shadow && enforcer_of((enum protocol)grant->protocol) != NULL)
			return true;
	}
	return false;
}

/* The conduits' setting for sessions met half-way. A session whose bytes a full queue let pass
 * (`let_by`) is always picked up. */
static enum midstream rule_of(const struct crossing *x, bool let_by)
{
	if (crossing_is_observed(x) || let_by)
		return MID_PICK_UP;
	/* The session could never be picked up, so it ends now instead of after a wait. */
	if (x->permit->midstream == MID_PICK_UP && !midstream_picks_up(x->table, x->permit))
		return MID_RESET;
	return (enum midstream)x->permit->midstream;
}

struct verdict midstream_meet(struct crossing *x)
{
	struct flow *f = x->f;
	bool searched = search_is_on(x->i), let_by = f->missed && midstream_may_miss(x);
	enum midstream rule = rule_of(x, let_by);
	struct verdict v;
	enum protocol p;

	/* it is not known whether the receiver accepts the RST; a new SYN will show it */
	if (x->d.tcp_flags & TCP_RST)
		return verdict_pass(R_HANDSHAKE);
	v = goes_on_after_its_end(x);
	if (v.step != STEP_ON)
		return v;
	/* the session is not inspected, so nothing was missed */
	if (promises_any(x->table, x->permit, IP_TCP)) {
		f->waiting_pick_up = false;
		return verdict_confirm(PROTO_NONE);
	}
	if (rule == MID_RESET || (f->no_claim && rule == MID_PICK_UP && !crossing_is_observed(x)))
		return end_flow(R_MIDSTREAM_RESET, PROTO_NONE);
	if (rule == MID_DROP) {
		outcome_note_refusal(x, R_MIDSTREAM_DROP, PROTO_NONE);
		crossing_touch(x);
		return verdict_drop(R_MIDSTREAM_DROP);
	}
	p = pick_up_as(x, searched);
	if (p != PROTO_NONE && (f->commands != NULL || command_follow(x, p)))
		return pick_up(x, p, searched);
	v = midstream_await_boundary(x);
	if (v.step != STEP_ON)
		return v;
	leave_unread(x);
	if (!overtakes(x))
		stream_watch(&f->stream, &x->i->pool, x->dir, &x->d);
	crossing_touch(x);
	return and_close(verdict_pass(R_MIDSTREAM_WAIT));
}

/* ---- bytes that are missing for good --------------------------------------------------------- */

/*
 * Continues after missing bytes. The next bytes most likely begin with a PDU; if not, a later
 * segment will.
 */
static void midstream_skip(struct inspector *i, struct flow *f, enum direction dir, uint32_t to, bool arrived)
{
	stream_skip(&f->stream, &i->pool, dir, to, arrived);
	command_note_missed(f, false);
	f->midstream = true;
	f->adrift[dir] = ADRIFT_AWAITS;
}

/* The bytes before the segment are missing for good: continues after them. */
static MUST_SEND struct verdict midstream_skip_gap(struct crossing *x)
{
	x->f->let_by |= crossing_is_observed(x);
	/* A client's segment alone does not prove that the server has the missing bytes. */
	if (is_ahead(x))
		midstream_skip(x->i, x->f, x->dir, x->d.seq, x->dir == DIR_S2C);
	if (midstream_acknowledges_unseen(x))
		midstream_skip(x->i, x->f, other_end(x->dir), x->d.ack, true);
	return verdict_again();
}

struct verdict midstream_await(struct crossing *x)
{
	x->f->waiting_pick_up = x->f->midstream = true;
	outcome_drop_waiting(x->i, x->fi, R_MIDSTREAM_WAIT);
	stream_free(&x->f->stream, &x->i->pool);
	return midstream_meet(x);
}

/*
 * Treats the session as met half-way, because bytes passed unseen although the queue lets nothing
 * pass (for example, the rules were removed for a moment). If all later segments were dropped, both
 * ends would keep a dead session for ever.
 */
struct verdict midstream_give_up_place(struct crossing *x)
{
	struct verdict v;

	x->f->waiting_pick_up = x->f->midstream = true;
	outcome_drop_waiting(x->i, x->fi, R_MIDSTREAM_WAIT);
	stream_free(&x->f->stream, &x->i->pool);
	v = midstream_refuse_pick_up(x);
	if (v.step != STEP_ON)
		return v;
	x->f->missed = false; /* when_overloaded does not apply to later bytes */
	return midstream_meet(x);
}

struct verdict midstream_lose_track(struct crossing *x)
{
	x->f->waiting_pick_up = x->f->midstream = true;
	outcome_drop_waiting(x->i, x->fi, R_MIDSTREAM_WAIT);
	leave_unread(x);
	stream_watch(&x->f->stream, &x->i->pool, x->dir, &x->d);
	crossing_touch(x);
	return verdict_pass(R_MIDSTREAM_WAIT);
}

/* ---- bytes that passed unseen while the queue was full --------------------------------------- */

struct verdict midstream_go_on_behind(struct crossing *x)
{
	struct flow *f = x->f;

	if (!midstream_acknowledges_unseen(x) || !(midstream_may_miss(x) || f->adrift[other_end(x->dir)]))
		return go_on();
	/* the server acknowledges a SYN, not bytes */
	if (x->dir == DIR_S2C && f->stream.anew && !crossing_is_observed(x))
		return go_on();
	f->missed = midstream_may_miss(x);
	/* The missing bytes would have shown the protocol, so the session is treated as met
	 * half-way. A client's segment does not have this effect. */
	if (f->commands == NULL && x->dir == DIR_S2C)
		return midstream_await(x);
	return midstream_skip_gap(x);
}

struct verdict midstream_go_on_at(struct crossing *x)
{
	struct flow *f = x->f;

	if (!midstream_may_miss(x) || f->commands == NULL || f->gave_up[x->dir] < GAVE_UP_MAX ||
	    f->gave_up_seq[x->dir] != x->d.seq)
		return go_on();
	f->missed = true;
	f->gave_up[x->dir] = 0;
	return midstream_skip_gap(x);
}

void midstream_note_given_up(struct crossing *x)
{
	struct flow *f = x->f;

	if (f->gave_up_seq[x->dir] != x->d.seq)
		f->gave_up[x->dir] = 0;
	f->gave_up_seq[x->dir] = x->d.seq;
	if (f->gave_up[x->dir] < GAVE_UP_MAX)
		f->gave_up[x->dir]++;
}

/* ---- a capture that lacks bytes ------------------------------------------------------------- */

/* Whether a SYN fits no stream, so that its session is not in the capture. */
static bool fits_nothing(struct crossing *x)
{
	struct stream tried = x->f->stream;

	return stream_segment(&tried, &x->i->pool, x->dir, &x->d).answer == STREAM_DROP;
}

static bool is_open(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;

	return s->state == TCP_OPEN ||
	       (s->state == TCP_SYN_RECV && x->dir == DIR_C2S && x->d.ack == s->dir[DIR_S2C].next);
}

/* Whether bytes before the segment are missing. Numbers far ahead are ignored. */
static bool is_behind_gap(const struct crossing *x)
{
	const struct stream_dir *own = &x->f->stream.dir[x->dir];

	return (x->d.payload.left > 0 || (x->d.tcp_flags & TCP_FIN)) && !own->fin && is_open(x) &&
	       seq_diff(x->d.seq, own->next) > 0 && x->d.seq - own->next <= STREAM_AHEAD_MAX;
}

static bool acknowledges_ahead(const struct crossing *x)
{
	const struct stream *s = &x->f->stream;
	const struct stream_dir *peer = &s->dir[other_end(x->dir)];

	if (s->state == TCP_SYN_RECV && x->dir == DIR_C2S && s->answered_twice && x->d.ack == s->answered + 1u)
		/* stream.c judges an acknowledgement of the first of two answers to the SYN */
		return false;
	return (x->d.tcp_flags & TCP_ACK) && peer->known && seq_diff(x->d.ack, peer->next) > 0;
}

static void skip_to(struct crossing *x, enum direction dir, uint32_t to)
{
	midstream_skip(x->i, x->f, dir, to, true);
	/* perhaps the session began anew, and the server's answer was not captured */
	x->f->stream.anew = false;
	x->f->adrift[dir] = ADRIFT_SEARCHED;
	x->f->lacking = true;
}

/* Whether the missing bytes may be those that show the protocol. The session is then treated as
 * met half-way. */
static bool lacks_its_name(const struct crossing *x)
{
	return x->f->commands == NULL && crossing_has_commands_lane(x);
}

struct verdict captured_prepare(struct crossing *x)
{
	struct flow *f = x->f;
	bool gap, unseen = false;

	if (x->d.tcp_flags & TCP_SYN)
		return f->midstream && fits_nothing(x) ? verdict_pass(R_HANDSHAKE) : go_on();
	if (x->d.tcp_flags & TCP_RST)
		return go_on();
	if (stream_assume(&f->stream, x->dir, &x->d))
		f->midstream = f->lacking = true;
	gap = is_behind_gap(x);
	if (acknowledges_ahead(x)) {
		if (x->d.payload.left > 0 && midstream_acknowledges_unseen(x)) {
			gap = seq_diff(x->d.seq, f->stream.dir[x->dir].next) > 0;
			skip_to(x, other_end(x->dir), x->d.ack);
			unseen = true;
		} else {
			x->d.tcp_flags &= (uint8_t)~TCP_ACK;
		}
	}
	if (gap)
		skip_to(x, x->dir, x->d.seq);
	return (gap || unseen) && lacks_its_name(x) ? midstream_await(x) : go_on();
}

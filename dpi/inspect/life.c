/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/life.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/inspect/event.h"
#include "dpi/inspect/name.h"
#include "dpi/inspect/reset.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/search.h"
#include "dpi/inspect/wait.h"
#include "dpi/inspect/weak.h"

/* ---- counters of packets and reasons -------------------------------------------------------- */

/* handshakes and silent sessions count as many if they are more than 1/8 of a share */
#define CROWD_PART 8u

struct outcomes {
	uint64_t packets, accepted, confirmed, dropped;
	uint64_t reasons[REASON_COUNT];
};

struct outcomes *outcomes_new(void)
{
	return calloc(1, sizeof(struct outcomes));
}

void outcomes_free(struct outcomes *o)
{
	free(o);
}

void outcomes_note_packet(struct outcomes *o)
{
	o->packets++;
}

void outcomes_stats(const struct outcomes *o, struct inspector_stats *ret)
{
	ret->packets = o->packets;
	ret->accepted = o->accepted;
	ret->confirmed = o->confirmed;
	ret->dropped = o->dropped;
	for (unsigned r = 0; r < REASON_COUNT; r++)
		ret->reasons[r] = o->reasons[r];
}

/* ---- the decision on a packet ---------------------------------------------------------------- */

/*
 * Whether acknowledgements without data need not come here, because the next segment has the same
 * information. If many handshakes wait for their third segment, that segment is needed to decide
 * which of them are removed.
 */
static bool is_quiet(const struct crossing *x)
{
	const struct flow_table *t = &x->i->flows;
	const struct flow *f = x->f;

	return f != NULL && f->l4proto == IP_TCP && f->kind == KIND_FOLLOWED && !f->waiting_pick_up && !f->adrift[0] &&
	       !f->adrift[1] && !f->missed && f->astray == 0 && f->wait.n == 0 && stream_quiet(&f->stream) &&
	       (f->stream.state == TCP_OPEN ||
		t->lists[f->share][CLASS_HALF_OPEN].n + t->lists[f->share][CLASS_SILENT].n <=
			t->part[f->share] / CROWD_PART);
}

static void decide_outcome(struct crossing *x, bool passes, enum reason r)
{
	struct outcomes *o = x->i->outcomes;
	bool known = x->f != NULL && (x->f->kind == KIND_NAMED || x->f->kind == KIND_FREE);
	enum outcome out = OUTCOME_DROP;

	/* In a lane for commands, every packet of a flow comes here. */
	if (passes)
		out = known && !crossing_has_commands_lane(x) ? OUTCOME_CONFIRMED
		      : is_quiet(x)			      ? OUTCOME_QUIET
							      : OUTCOME_ACCEPT;
	if (x->f != NULL && out == OUTCOME_QUIET && x->f->stream.state == TCP_SYN_RECV)
		/* the end of the handshake will not be seen */
		flow_touch(&x->i->flows, x->fi, CLASS_SILENT, x->i->now_ns);
	o->reasons[r]++;
	o->dropped += out == OUTCOME_DROP;
	o->confirmed += out == OUTCOME_CONFIRMED;
	o->accepted += out == OUTCOME_ACCEPT || out == OUTCOME_QUIET;
	if (!x->p->has_passed)
		outside_decide(&x->i->limits.outside, x->p->queue, x->p->id, out,
			       x->permit != NULL ? x->permit->permit : mark_permit(x->p->mark),
			       passes && x->spared != R_NONE ? x->spared : r);
}

/* Decides a refused packet: drops it, or lets it pass if its conduits only observe. */
static void decide_refused(struct crossing *x, bool observed, enum reason r)
{
	x->spared = r;
	if (observed && x->f != NULL && x->dir == DIR_C2S && x->d.payload.left > 0)
		x->f->let_by = true;
	decide_outcome(x, observed, observed ? R_OBSERVED : r);
}

enum reason outcome_let_go_for(const struct flow *f)
{
	return f->kind == KIND_FREE && f->verdict == EV_OBSERVE ? (enum reason)f->reason : R_NONE;
}

void outcome_drop_waiting(struct inspector *i, uint32_t fi, enum reason r)
{
	const struct flow *f = flow_at(&i->flows, fi);
	struct packet p;

	while (wait_take_any(i, fi, &p)) {
		struct crossing x = {
			.i = i, .p = &p, .lane = mark_lane(p.mark), .fi = fi, .f = flow_at(&i->flows, fi)
		};
		bool known = f->kind == KIND_NAMED || f->kind == KIND_FREE, passes;

		x.permit = commands_permit(rules_table(i->rules), mark_permit(p.mark));
		x.spared = known ? outcome_let_go_for(f) : r;
		passes = crossing_is_observed(&x) || known;
		decide_outcome(&x, passes, !passes ? r : crossing_is_observed(&x) ? R_OBSERVED : R_ALLOWED);
	}
}

/* ---- the state of a flow --------------------------------------------------------------------- */

/* Records a refusal. The first one becomes the flow's verdict; if that one was only observed, the
 * first enforced refusal replaces it. */
static void note_refusal(struct crossing *x, enum event_verdict v, enum reason r, enum protocol speaks)
{
	struct flow *f = x->f;
	struct flow_info info;

	event_tell_flow(x, v, r, speaks);
	if (f->verdict == EV_DENY || (f->verdict == EV_OBSERVE && v != EV_DENY))
		return;
	f->verdict = (uint8_t)v;
	f->reason = (uint16_t)r;
	f->refused_frame = x->p->frame;
	event_info(f, &info);
	outside_flow(&x->i->limits.outside, &info, v, r, x->p->frame);
}

void outcome_note_refusal(struct crossing *x, enum reason r, enum protocol speaks)
{
	if (x->f->verdict == EV_ALLOW)
		note_refusal(x, crossing_is_observed(x) ? EV_OBSERVE : EV_DENY, r, speaks);
}

/* Stops following the flow, and frees what it owned. */
static void flow_settle(struct crossing *x, enum flow_kind kind, enum reason r)
{
	x->f->kind = (uint8_t)kind;
	outcome_drop_waiting(x->i, x->fi, r);
	crossing_release(x->i, x->fi);
	crossing_touch(x);
}

static void end_it(struct crossing *x, enum reason r, enum protocol speaks)
{
	reset_both(x, false);
	note_refusal(x, EV_DENY, r, speaks);
	flow_settle(x, KIND_REFUSED, r);
}

void outcome_confirm(struct crossing *x, enum protocol p)
{
	struct flow *f = x->f;
	struct flow_info info;

	f->protocol = (uint16_t)p;
	f->kind = p == PROTO_NONE ? KIND_FREE : KIND_NAMED;
	if (f->verdict == EV_ALLOW)
		f->reason = R_CONFIRMED;
	event_tell_flow(x, EV_ALLOW, R_CONFIRMED, p);
	event_info(f, &info);
	outside_flow(&x->i->limits.outside, &info, EV_ALLOW, R_CONFIRMED, 0);
	flow_settle(x, (enum flow_kind)f->kind, R_OUT_OF_ORDER);
}

void outcome_cut_idle(struct crossing *x, enum reason r)
{
	if (x->f->kind != KIND_REFUSED && reset_knows_both(x->f))
		end_it(x, r, PROTO_NONE);
}

void outcome_give_way(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);
	struct packet p = { .queue = f->queue, .mark = mark_make(f->permit, f->lane, MARK_UNJUDGED) };
	struct crossing x = { .i = i, .p = &p, .lane = f->lane, .fi = fi, .f = f, .dir = DIR_C2S };

	x.table = rules_table(i->rules);
	x.permit = commands_permit(x.table, f->permit);
	x.d = (struct decoded){ .src = f->client,
				.dst = f->server,
				.sport = f->client_port,
				.dport = f->server_port,
				.l4proto = f->l4proto };
	/* no kept bytes have to be read, so the flow is no longer followed */
	if (f->greets && !greet_stops(x.permit)) {
		f->greets = false;
		/* the session goes on, but its hello was not read */
		if (!f->named && x.permit != NULL)
			greet_unnamed(&x, PROTO_TLS);
		outcome_confirm(&x, (enum protocol)f->protocol);
		return;
	}
	if (crossing_is_observed(&x)) {
		outcome_drop_waiting(i, fi, R_POOL_FULL);
		stream_free(&f->stream, &i->pool);
		f->waiting_pick_up = f->midstream = true;
		note_refusal(&x, EV_OBSERVE, R_POOL_FULL, PROTO_NONE);
		return;
	}
	end_it(&x, R_POOL_FULL, PROTO_NONE);
}

/* Reports the verdict of the flow at its end, once. */
static void outcome_tell_end(struct inspector *i, struct flow *f)
{
	struct flow_info info;

	if (f->told_end)
		return;
	f->told_end = true;
	event_info(f, &info);
	outside_flow(&i->limits.outside, &info, (enum event_verdict)f->verdict,
		     f->reason == R_NONE ? R_ALLOWED : (enum reason)f->reason, f->refused_frame);
}

/* ---- carrying out verdicts ------------------------------------------------------------------- */

static void send_refusal(struct crossing *x, enum reason r)
{
	bool observed = crossing_is_observed(x);

	/* a lost segment is not recorded, nor one that has passed */
	if (r != R_OUT_OF_ORDER && !x->p->has_passed)
		event_tell_drop(x, observed ? EV_OBSERVE : EV_DENY, r);
	decide_refused(x, observed, r);
}

static void send_end(struct crossing *x, struct verdict v)
{
	bool observed = v.step == STEP_END && crossing_is_observed(x);
	enum protocol speaks = (enum protocol)v.speaks;
	enum reason r = (enum reason)v.reason;

	if (speaks != PROTO_NONE && x->f->protocol == PROTO_NONE)
		x->f->protocol = (uint16_t)speaks;
	if (observed) {
		note_refusal(x, EV_OBSERVE, r, speaks);
		flow_settle(x, KIND_FREE, r);
	} else {
		end_it(x, r, speaks);
	}
	decide_refused(x, observed, r);
}

/* Carries out a verdict; STEP_ON, STEP_AGAIN and STEP_KEEP send nothing. A verdict that closes the
 * flow is carried out by life_send. */
static void outcome_send(struct crossing *x, struct verdict v)
{
	enum reason r = (enum reason)v.reason;

	switch ((enum step)v.step) {
	case STEP_ON:
	case STEP_AGAIN:
	case STEP_KEEP:
		return;
	case STEP_TWIN:
		/* R_NO_CONDUIT: the datagram's receiver subscribed to it (MARK_TOLD) */
		outside_decide(&x->i->limits.outside, x->p->queue, x->p->id,
			       r == R_NO_CONDUIT ? OUTCOME_QUIET : OUTCOME_ACCEPT, PERMIT_TWIN, r);
		return;
	case STEP_PASS:
		decide_outcome(x, true, r);
		break;
	case STEP_CONFIRM:
		outcome_confirm(x, (enum protocol)v.speaks);
		decide_outcome(x, true, r);
		break;
	case STEP_DROP:
		decide_outcome(x, false, r);
		break;
	case STEP_REFUSE:
		send_refusal(x, r);
		break;
	case STEP_END:
	case STEP_CUT:
		send_end(x, v);
		break;
	}
	/* After the decision, because the gate sends a reset for a stray only if its packet
	 * was dropped. */
	switch ((enum hear)v.hear) {
	case HEAR_NOTHING:
		break;
	case HEAR_FLOW:
		reset_both(x, false);
		break;
	case HEAR_PACKET:
		reset_both(x, true);
		break;
	case HEAR_SERVER:
		reset_server(x);
		break;
	}
}

/* ---- the life of a flow --------------------------------------------------------------------- */

void life_end(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);

	outcome_drop_waiting(i, fi, R_OUT_OF_ORDER);
	search_end(f);
	crossing_release(i, fi);
	outcome_tell_end(i, f);
	flow_touch(&i->flows, fi, CLASS_ENDED, i->now_ns);
}

void life_send(struct crossing *x, struct verdict v)
{
	outcome_send(x, v);
	if (v.closes && x->f->stream.state == TCP_CLOSED && !x->f->told_end)
		life_end(x->i, x->fi);
}

bool life_tells_ends(const struct crossing *x)
{
	return x->p->directed || x->d.l4proto != IP_TCP ||
	       number_in(x->table, &x->permit->ports, x->d.dport) != number_in(x->table, &x->permit->ports, x->d.sport);
}

enum direction life_guess_dir(const struct crossing *x)
{
	bool to_server, from_server;

	if (x->p->directed)
		return x->p->mark & MARK_REPLY ? DIR_S2C : DIR_C2S;
	if (x->d.l4proto != IP_TCP && x->d.l4proto != IP_UDP)
		return DIR_C2S;
	to_server = x->permit == NULL || number_in(x->table, &x->permit->ports, x->d.dport);
	from_server = x->permit == NULL || number_in(x->table, &x->permit->ports, x->d.sport);
	if (to_server != from_server)
		return to_server ? DIR_C2S : DIR_S2C;
	/* If both or neither port is a server port: for a datagram, the first sender is the client;
	 * for a session met half-way, the lower port is the server's. */
	return x->d.l4proto == IP_TCP && x->d.sport < x->d.dport ? DIR_S2C : DIR_C2S;
}

void life_change_share(struct crossing *x)
{
	struct inspector *i = x->i;

	if (x->f->share == share_of(x->lane))
		return;
	flow_move(&i->flows, x->fi, share_of(x->lane));
	wait_move(i, x->fi);
	stream_move(&x->f->stream, &i->pool, x->f->holder);
}

/* Initialises a new flow of this permit. */
static void flow_begin(struct crossing *x)
{
	struct flow *f = x->f;

	f->permit = x->permit != NULL ? x->permit->permit : mark_permit(x->p->mark);
	f->lane = x->lane;
	life_change_share(x);
	f->queue = x->p->queue;
	f->table_turn = rules_turn(x->i->rules);
	f->verdict = EV_ALLOW;
	if (x->p->connection != 0)
		f->n = x->p->connection;
}

bool life_open(struct crossing *x, enum direction dir)
{
	struct flow_table *t = &x->i->flows;
	uint32_t share = share_of(x->lane);

	/* A share whose part was reduced gives up two flows for each new one, until it fits. */
	for (unsigned n = 0; n < 2 && flow_full(t, share); n++) {
		uint32_t victim = flow_victim(t, share, x->i->now_ns);
		const struct flow *v;

		if (victim == FLOW_NONE && n == 0)
			return false;
		if (victim == FLOW_NONE)
			break;
		v = flow_at(t, victim);
		if (v->l4proto == IP_TCP && !v->stream.over)
			x->i->forgot[v->share] = true;
		life_end(x->i, victim);
		flow_remove(t, victim);
	}
	x->fi = flow_add(t, &x->d, dir, share, x->i->now_ns);
	if (x->fi == FLOW_NONE)
		return false;
	x->f = flow_at(t, x->fi);
	x->dir = dir;
	flow_begin(x);
	return true;
}

void life_restart(struct crossing *x, enum direction dir)
{
	struct flow *f = x->f;

	life_end(x->i, x->fi);
	if (dir != x->dir) { /* the ends change places */
		struct addr a = f->client;
		uint16_t port = f->client_port;

		f->client = f->server;
		f->client_port = f->server_port;
		f->server = a;
		f->server_port = port;
	}
	f->n++;
	f->kind = KIND_FOLLOWED;
	f->waiting_pick_up = f->midstream = f->lacking = f->lost_place = f->told_end = f->no_claim = f->greets = false;
	f->unread = 0;
	f->seen_tls = SEEN_TLS_NOT;
	f->named = f->undeclared = false;
	f->protocol = PROTO_NONE;
	f->judge_again = f->stale = false;
	f->reason = R_NONE;
	f->refused_frame = 0;
	f->reset.ns = 0;
	f->missed = f->let_by = false;
	memset(f->gave_up, 0, sizeof(f->gave_up));
	f->blind = f->astray = f->unjudged = 0;
	memset(f->adrift, 0, sizeof(f->adrift));
	name_restart(f);
	memset(&f->stream, 0, sizeof(f->stream));
	x->dir = dir;
	flow_begin(x);
}

/* ---- room for new bytes --------------------------------------------------------------------- */

#define WAYS_MAX 4u /* sessions that may lose their bytes for one segment */
#define WAY_LOOKS 8u

static uint32_t keeps(const struct flow *f)
{
	return (uint32_t)stream_kept(&f->stream) + f->wait.bytes;
}

/*
 * Makes room in the pool for `bytes` more of this flow: the holder with the most bytes of the share
 * loses one session's bytes, if it has more bytes than this flow's holder would have with the new
 * ones. False when no session is taken.
 */
static bool make_way(struct crossing *x, size_t bytes)
{
	struct inspector *i = x->i;
	const struct holder *all = i->flows.holders.holders;
	uint32_t h = share_greediest(&i->flows.holders, x->f->share, HELD_BLOCKS), fi;

	if (!pool_is_divided(&i->pool) || h == HOLDER_NONE ||
	    all[h].held[HELD_BLOCKS] <= all[x->f->holder].held[HELD_BLOCKS] + bytes / POOL_BLOCK)
		return false;
	for (unsigned n = 0; n < WAY_LOOKS; n++) {
		fi = flow_heaviest(&i->flows, h, keeps);
		if (fi == FLOW_NONE || fi == x->fi)
			return false;
		if (keeps(flow_at(&i->flows, fi)) > 0) {
			outcome_give_way(i, fi);
			return true;
		}
	}
	return false; /* the search continues at this flow's next packet */
}

bool life_room(struct crossing *x, size_t bytes)
{
	bool fits = stream_room(&x->f->stream, &x->i->pool, x->dir, bytes);

	for (unsigned ways = 0; !fits && ways < WAYS_MAX && make_way(x, bytes); ways++)
		fits = stream_room(&x->f->stream, &x->i->pool, x->dir, bytes);
	return fits;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/offer.h"

#include <string.h>

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/session.h"
#include "dpi/inspect/state.h"
#include "dpi/pending.h"

bool inspector_lent(struct inspector *i, const struct once_lease *l)
{
	struct session_ends ends = lend_ends(l);
	struct crossing x = { .i = i, .fi = lend_find(i, &ends) };

	if (x.fi == FLOW_NONE)
		return false;
	x.f = flow_at(&i->flows, x.fi);
	/* The flow gave way to another session: its next packet is dropped, and resets
	 * both ends. */
	if (x.f->kind != KIND_FOLLOWED || x.f->commands == NULL)
		return false;
	crossing_touch(&x);
	return true;
}

void inspector_asked(struct inspector *i, const struct once_lease *l, const struct count_again *a, uint64_t times)
{
	struct session_ends ends = lend_ends(l);
	uint32_t fi = times > 0 ? lend_find(i, &ends) : FLOW_NONE;

	count_more(i, a, times);
	if (fi != FLOW_NONE && flow_at(&i->flows, fi)->commands != NULL)
		deeds_repeat(&flow_at(&i->flows, fi)->commands->deeds, a->deeds, times);
}

void inspector_left(struct inspector *i, const struct count_again *a, uint64_t times)
{
	count_more(i, a, times);
}

bool inspector_counts(const struct inspector *i, const struct count_again *a)
{
	return count_knows(i, a);
}

/* ---- catching up ----------------------------------------------------------------------------- */

/* A session has begun here under a permit that does not exist any more. An older session that is
 * known between these ends must not be taken for the new one. */
static void lose(struct crossing *x)
{
	if (x->f == NULL)
		return;
	outcome_cut_idle(x, R_UNKNOWN_PERMIT);
	if (x->f->kind == KIND_NAMED || x->f->kind == KIND_FREE) {
		life_end(x->i, x->fi);
		flow_remove(&x->i->flows, x->fi);
	}
}

/* Notes that a segment without data has passed in the kernel. */
static void has_passed(struct inspector *i, uint32_t mark, const struct session_ends *e, uint8_t flags, uint32_t number,
		       uint32_t acknowledged)
{
	bool back = (mark & MARK_REPLY) != 0;
	const struct packet p = {
		.queue = lane_queue(mark_lane(mark), 0), .mark = mark, .directed = true, .has_passed = true
	};
	struct crossing x = {
		.i = i, .p = &p, .lane = mark_lane(mark), .table = rules_table(i->rules), .fi = FLOW_NONE
	};
	struct verdict v;

	x.d = (struct decoded){ .src = back ? e->server : e->client,
				.dst = back ? e->client : e->server,
				.sport = back ? e->server_port : e->client_port,
				.dport = back ? e->client_port : e->server_port,
				.l4proto = IP_TCP,
				.tcp_flags = flags,
				.seq = number,
				.ack = acknowledged };
	x.permit = commands_permit(x.table, mark_permit(mark));
	x.fi = flow_find(&i->flows, &x.d, &x.dir);
	x.f = x.fi != FLOW_NONE ? flow_at(&i->flows, x.fi) : NULL;
	if (x.permit == NULL) {
		lose(&x);
		return;
	}
	/* The flow was opened by the other end, and the kernel does not know that session any
	 * more. */
	if (x.f != NULL && x.dir != (back ? DIR_S2C : DIR_C2S) && flags == TCP_SYN && x.f->class != CLASS_ENDED)
		life_end(i, x.fi);
	outcomes_note_packet(i->outcomes);
	v = session_meet(&x);
	life_send(&x, v.step == STEP_ON ? session_follow(&x) : v);
}

void inspector_catch_up(struct inspector *i, const struct once_handshake *h)
{
	const struct once_lease key = { .client_port = h->client_port,
					.server_port = h->server_port,
					.family = h->family,
					.client = { h->client[0], h->client[1], h->client[2], h->client[3] },
					.server = { h->server[0], h->server[1], h->server[2], h->server[3] } };
	struct session_ends e = lend_ends(&key);

	has_passed(i, h->mark, &e, TCP_SYN, h->number[0], 0);
	if (h->passed > 1)
		has_passed(i, h->mark | MARK_REPLY, &e, TCP_SYN | TCP_ACK, h->number[1], h->number[0] + 1u);
	if (h->passed > 2)
		has_passed(i, h->mark, &e, TCP_ACK, h->number[0] + 1u, h->number[1] + 1u);
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* Notes that the receiver has acknowledged all bytes before `to`. */
static void acknowledge(struct inspector *i, struct flow *f, enum direction dir, uint32_t to)
{
	const struct decoded d = { .tcp_flags = TCP_ACK, .seq = f->stream.dir[other_end(dir)].next, .ack = to };

	stream_segment(&f->stream, &i->pool, other_end(dir), &d);
	rejudge_give_back(i, f, dir);
}

/* Judges the last bytes of an end, which have passed; all earlier requests were answered. False:
 * the present rows refuse them. */
static bool judge_passed(struct crossing *x, enum direction dir, struct bytes b, uint32_t at)
{
	const struct stream_result s = { .answer = STREAM_NEW, .fresh = b, .data = true };
	struct judged j;

	x->dir = dir;
	stream_skip(&x->f->stream, &x->i->pool, dir, at, true);
	x->f->turn = (uint8_t)dir;
	if (!life_room(x, b.left))
		return false;
	j = command_judge(x, b);
	command_settle(x, !j.denied);
	return !j.denied && j.unjudged == 0 && crossing_take(x, &s, 0, R_ALLOWED).step == STEP_PASS;
}

static uint32_t asked_by(const struct once_template *last)
{
	return last->length <= ONCE_REQUEST ? last->length : 0;
}

static uint32_t said_to(const struct once_lease *l, const struct once_template *last)
{
	return l->waits != ONCE_NOTHING || last->answer > ONCE_ANSWER ? 0 : last->answer;
}

/* Judges the last exchange of the lease. `end`: by direction, the number behind the data. */
static bool judge_exchange(struct crossing *x, const struct once_lease *l, const struct once_template *last,
			   const uint32_t end[2])
{
	uint32_t asked = asked_by(last), said = said_to(l, last);

	stream_skip(&x->f->stream, &x->i->pool, DIR_S2C, end[1] - said, true);
	if (!judge_passed(x, DIR_C2S, bytes_of((const uint8_t *)l->request, asked), end[0] - asked))
		return false;
	if (said == 0)
		return true;
	acknowledge(x->i, x->f, DIR_C2S, end[0]);
	return judge_passed(x, DIR_S2C, bytes_of((const uint8_t *)l->answer, said), end[1] - said);
}

static bool sent_fin(const struct once_lease *l, unsigned dir)
{
	return l->ended[dir] == 1 || l->ended[dir] == 2;
}

/* The number behind the data of this end. */
static uint32_t end_of(const struct once_lease *l, unsigned dir)
{
	return l->next[dir] - sent_fin(l, dir);
}

/* The number up to which the data of this end are acknowledged. */
static uint32_t data_acked(const struct once_lease *l, unsigned dir)
{
	return seq_diff(l->acked[dir], end_of(l, dir)) < 0 ? l->acked[dir] : end_of(l, dir);
}

/* Notes the FINs and the RST that have passed, in their order, and the segments that acknowledge
 * the FINs. */
static void end_as_passed(struct inspector *i, const struct once_lease *l, const struct session_ends *e, uint32_t mark)
{
	unsigned first = l->ended[1] == 1 ? 1 : 0, then = 1u - first;
	const uint32_t marks[2] = { mark, mark | MARK_REPLY };

	if (sent_fin(l, first)) {
		/* this end acknowledges no more than before: the other may have sent data since */
		has_passed(i, marks[first], e, TCP_FIN | TCP_ACK, end_of(l, first), data_acked(l, then));
		has_passed(i, marks[then], e, sent_fin(l, then) ? TCP_FIN | TCP_ACK : TCP_ACK, end_of(l, then),
			   l->acked[first]);
	}
	if (sent_fin(l, then))
		has_passed(i, marks[first], e, TCP_ACK, l->next[first], l->acked[then]);
	for (unsigned k = 0; k < 2; k++)
		if (l->ended[k] == ONCE_RESET)
			has_passed(i, marks[k], e, TCP_RST, l->next[k], 0);
}

bool inspector_take_back(struct inspector *i, const struct once_lease *l, const struct once_template *last)
{
	struct session_ends ends = lend_ends(l);
	const uint32_t end[2] = { end_of(l, 0), end_of(l, 1) };
	const struct packet p = { .has_passed = true };
	struct crossing x = { .i = i, .p = &p, .table = rules_table(i->rules) };

	x.fi = lend_find(i, &ends);
	if (x.fi == FLOW_NONE)
		return false;
	x.f = flow_at(&i->flows, x.fi);
	x.lane = x.f->lane;
	x.d.words = l->words[0];
	x.d.hops = l->hops[0];
	x.permit = commands_permit(x.table, x.f->permit);
	if (x.f->kind != KIND_FOLLOWED || x.f->commands == NULL)
		return false;
	pool_for(&i->pool, x.f->holder);
	/* The permit does not exist any more, or refuses what it allowed when the request passed:
	 * the session cannot be followed any further. */
	if (last != NULL && (x.permit == NULL || !judge_exchange(&x, l, last, end))) {
		for (unsigned k = 0; k < 2; k++)
			stream_skip(&x.f->stream, &i->pool, (enum direction)k, end[k], true);
		outcome_cut_idle(&x, R_ENDED);
		return false;
	}
	for (unsigned k = 0; k < 2; k++)
		acknowledge(i, x.f, (enum direction)k, data_acked(l, k));
	crossing_touch(&x);
	end_as_passed(i, l, &ends, mark_make(x.f->permit, x.lane, MARK_UNJUDGED));
	return true;
}

/* ---- going on with what a former worker lent ------------------------------------------------- */

/* Whether no packet can pass while no worker decides. */
static bool nothing_passes(const struct command_permit *permit)
{
	struct lane lane;

	return lane_of(permit->lane, &lane) && lane.when_down == FAIL_CLOSED && lane.when_overloaded == FAIL_CLOSED;
}

/* Reads the protocol and the state of its enforcer. NULL: they are invalid, or the permit does not
 * allow the protocol. */
static const struct enforcer *read_state(const struct crossing *x, const struct once_lease *l, uint8_t *state)
{
	struct bytes kept = bytes_of(l->kept, l->n_kept <= ONCE_KEPT ? l->n_kept : 0);
	const struct enforcer *e;
	uint16_t p;

	if (!bytes_be16(&kept, &p) || p >= PROTO_COUNT || grant_of(x->table, x->permit, (enum protocol)p) == NULL)
		return NULL;
	e = enforcer_of((enum protocol)p);
	if (e == NULL || e->again == NULL)
		return NULL;
	memset(state, 0, ENFORCER_STATE_MAX);
	if (e->begin != NULL)
		e->begin(state, false, l->server_port);
	return e->again(state, kept) ? e : NULL;
}

/* Restores the flow as it was when the last exchange began. If nothing passed, restores it as it
 * was after the answer whose acknowledgement was not seen. */
static bool place_again(struct crossing *x, const struct once_lease *l, const struct once_template *last)
{
	struct stream *s = &x->f->stream;
	const uint8_t *answer = (const uint8_t *)l->answer;
	uint32_t said = last != NULL ? said_to(l, last) : l->said <= ONCE_ANSWER ? l->said : 0;

	x->d.seq = end_of(l, 0) - (last != NULL ? asked_by(last) : 0);
	x->d.ack = end_of(l, 1) - said;
	stream_pick_up(s, &x->i->pool, DIR_C2S, &x->d);
	s->dir[0].offset = s->dir[1].offset = 1; /* both ends have spoken */
	x->dir = DIR_S2C;
	pool_for(&x->i->pool, x->f->holder);
	return last != NULL ||
	       (life_room(x, said) && stream_commit(s, &x->i->pool, DIR_S2C, bytes_of(answer, said), false, 0));
}

bool inspector_resume(struct inspector *i, const struct once_lease *l, const struct once_template *last, bool lent)
{
	struct session_ends ends = lend_ends(l);
	struct packet p = { 0 };
	struct crossing x = { .i = i,
			      .p = &p,
			      .table = rules_table(i->rules),
			      .d = { .src = ends.client,
				     .dst = ends.server,
				     .sport = ends.client_port,
				     .dport = ends.server_port,
				     .l4proto = IP_TCP } };
	const struct enforcer *e;
	uint8_t *state = i->rooms.before;

	x.permit = commands_permit(x.table, l->permit);
	if ((l->family != 4 && l->family != 6) || x.permit == NULL || x.permit->observe ||
	    !permit_commands_lane(x.permit) || (!lent && !nothing_passes(x.permit)) || lend_find(i, &ends) != FLOW_NONE)
		return false;
	e = read_state(&x, l, state);
	x.lane = x.permit->lane;
	p.mark = mark_make(l->permit, x.lane, MARK_UNJUDGED);
	p.queue = lane_queue(x.lane, 0);
	if (e == NULL || !life_open(&x, DIR_C2S))
		return false;
	x.f->midstream = true;
	x.f->stale = !lent;
	if (!command_follow(&x, e->protocol) || !place_again(&x, l, last)) {
		life_end(i, x.fi);
		flow_remove(&i->flows, x.fi);
		return false;
	}
	memcpy(x.f->commands->state, state, pending_state_used(e, state));
	/* the table may be another one: its next packet is judged like the first after a change */
	x.f->table_turn = rules_turn(i->rules) - 1u;
	return inspector_take_back(i, l, last);
}

void inspector_recount(struct inspector *i, const struct once_lease *l, const struct once_template *t, uint64_t times)
{
	struct session_ends ends = lend_ends(l);
	struct crossing x = { .i = i, .fi = lend_find(i, &ends), .table = rules_table(i->rules) };
	struct parsed *parsed = &i->rooms.judge->parsed;
	struct pdu u = { .dir = DIR_C2S, .length = asked_by(t), .space = 255, .conduit = EVENT_NO_CONDUIT };
	struct command_state *c;
	struct count_again again;
	uint8_t *state = i->rooms.before;

	x.f = x.fi != FLOW_NONE ? flow_at(&i->flows, x.fi) : NULL;
	c = x.f != NULL ? x.f->commands : NULL;
	x.permit = x.f != NULL ? commands_permit(x.table, x.f->permit) : NULL;
	if (times == 0 || c == NULL || x.permit == NULL)
		return;
	memcpy(state, c->state, pending_state_used(c->enforcer, c->state));
	judge_pdu(c->enforcer, state, DIR_C2S, bytes_of((const uint8_t *)t->request, u.length), x.table, x.permit,
		  i->rooms.judge, parsed, &u);
	if (!u.allowed || !parsed->asks)
		return;
	c->deeds.last = 0;
	deeds_remember(&c->deeds, parsed);
	count_hold(&x, DIR_C2S, parsed->operations, parsed->n, &u);
	count_keep(&x, &c->tally, true);
	if (!count_last(i, &again))
		again.n = 0;
	count_more(i, &again, times - 1u);
	deeds_repeat(&c->deeds, c->deeds.last, times - 1u);
}

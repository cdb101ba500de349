/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/lend.h"

#include <string.h>

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/session.h"
#include "dpi/inspect/state.h"

static uint32_t find(const struct inspector *i, const struct session_ends *ends)
{
	struct decoded d = { .src = ends->client,
			     .dst = ends->server,
			     .sport = ends->client_port,
			     .dport = ends->server_port,
			     .l4proto = IP_TCP };
	enum direction dir;

	return flow_find(&i->flows, &d, &dir);
}

static struct session_ends ends_of(const struct once_lease *l)
{
	struct session_ends ends = { .client_port = l->client_port, .server_port = l->server_port, .l4proto = IP_TCP };

	ends.client.family = ends.server.family = l->family;
	memcpy(ends.client.b, l->client, addr_len(l->family));
	memcpy(ends.server.b, l->server, addr_len(l->family));
	return ends;
}

/* ---- lending to the kernel ------------------------------------------------------------------- */

static bool has_shadow(const struct command_table *t, const struct command_permit *permit)
{
	for (uint32_t k = 0; k < permit->n_grants; k++)
		if (t->grants[permit->first_grant + k].shadow)
			return true;
	return false;
}

/* Whether the stream is in order, and only the last answer is unacknowledged. */
static bool is_in_order(const struct stream *s)
{
	for (unsigned k = 0; k < 2; k++) {
		const struct stream_dir *d = &s->dir[k];

		if (!d->known || d->fin || !d->framed || d->skipped || d->head != d->next || runs_bytes(&d->runs) > 0)
			return false;
	}
	return s->state == TCP_OPEN && s->dir[DIR_C2S].acked == s->dir[DIR_C2S].next && !s->redialled &&
	       !s->said_again && !s->answered_twice && !s->forgot && !s->anew && !s->over;
}

static bool may_go(const struct inspector *i, const struct flow *f)
{
	const struct command_permit *permit = commands_permit(rules_table(i->rules), f->permit);

	return permit != NULL && !permit->observe && permit_commands_lane(permit) &&
	       !has_shadow(rules_table(i->rules), permit) && f->l4proto == IP_TCP && f->kind == KIND_FOLLOWED &&
	       f->class == CLASS_LIVE && f->commands != NULL && !f->waiting_pick_up && !f->let_by && !f->lacking &&
	       !f->missed && !f->judge_again && !f->stale && !f->adrift[0] && !f->adrift[1] && f->astray == 0 &&
	       f->wait.n == 0 && f->verdict == EV_ALLOW && f->table_turn == rules_turn(i->rules) &&
	       is_in_order(&f->stream);
}

static void put_addr(const struct addr *a, uint32_t to[4])
{
	memset(to, 0, 16);
	memcpy(to, a->b, addr_len(a->family));
}

void lend_offer(struct crossing *x, struct bytes answer)
{
	struct command_state *c = x->f->commands;
	struct offer *o = x->i->limits.offer;
	struct flow *f = x->f;

	if (o == NULL || c == NULL || c->n_asked == 0)
		return;
	if (c->life == 0)
		c->life = ++x->i->lives;
	o->life = c->life;
	o->is = OFFER_NEVER;
	o->lease = (struct once_lease){ .client_port = f->client_port,
					.server_port = f->server_port,
					.family = f->client.family };
	put_addr(&f->client, o->lease.client);
	put_addr(&f->server, o->lease.server);
	/* A request that was allowed under an earlier permit may be refused by the present one. */
	if (answer.left == x->d.payload.left && c->asked_permit == f->permit &&
	    c->asked_turn == rules_turn(x->i->rules) && may_go(x->i, f) && c->enforcer->once != NULL &&
	    c->enforcer->once(c->state, bytes_of(c->asked, c->n_asked), answer, &o->of))
		o->is = OFFER_LEASE;
	c->n_asked = 0; /* a further answer does not belong to this request */
	if (o->is == OFFER_NEVER)
		return;
	o->of.permit = f->permit;
	o->again = c->again;
	o->lease.permit = f->permit;
	o->lease.last = o->lease.waits = ONCE_NOTHING;
	o->lease.words[0] = c->asked_words;
	o->lease.words[1] = x->d.words;
	o->lease.hops[0] = c->asked_hops;
	o->lease.hops[1] = x->d.hops;
	for (unsigned k = 0; k < 2; k++) {
		o->lease.next[k] = f->stream.dir[k].next;
		o->lease.acked[k] = f->stream.dir[k].acked;
	}
}

bool inspector_offers(const struct inspector *i)
{
	const struct once_lease *l = &i->limits.offer->lease;
	struct session_ends ends = ends_of(l);
	const struct flow *f;
	uint32_t fi;

	if (i->limits.offer->is != OFFER_LEASE)
		return false;
	fi = find(i, &ends);
	f = fi != FLOW_NONE ? flow_at(&i->flows, fi) : NULL;
	return f != NULL && may_go(i, f) && f->permit == l->permit && f->stream.dir[0].next == l->next[0] &&
	       f->stream.dir[1].next == l->next[1] && f->stream.dir[1].acked == l->acked[1];
}

bool inspector_lent(struct inspector *i, const struct once_lease *l)
{
	struct session_ends ends = ends_of(l);
	struct crossing x = { .i = i, .fi = find(i, &ends) };

	if (x.fi == FLOW_NONE)
		return false;
	x.f = flow_at(&i->flows, x.fi);
	/* It gave way to another session: its next packet is dropped, and resets both ends. */
	if (x.f->kind != KIND_FOLLOWED || x.f->commands == NULL)
		return false;
	crossing_touch(&x);
	return true;
}

void inspector_asked(struct inspector *i, const struct once_lease *l, const struct count_again *a, uint64_t times)
{
	struct session_ends ends = ends_of(l);
	uint32_t fi = times > 0 ? find(i, &ends) : FLOW_NONE;

	count_more(i, a, times);
	if (fi != FLOW_NONE && flow_at(&i->flows, fi)->commands != NULL)
		deeds_repeat(&flow_at(&i->flows, fi)->commands->deeds, a->deeds, times);
}

bool inspector_counts(const struct inspector *i, const struct count_again *a)
{
	return count_knows(i, a);
}

/* ---- catching up ----------------------------------------------------------------------------- */

/* A segment without data has passed in the kernel. */
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
	if (x.permit == NULL)
		return;
	outcomes_note_packet(i->outcomes);
	v = session_meet(&x);
	life_send(&x, v.step == STEP_ON ? follow(&x) : v);
}

void inspector_catch_up(struct inspector *i, const struct once_handshake *h)
{
	const struct once_lease key = { .client_port = h->client_port,
					.server_port = h->server_port,
					.family = h->family,
					.client = { h->client[0], h->client[1], h->client[2], h->client[3] },
					.server = { h->server[0], h->server[1], h->server[2], h->server[3] } };
	struct session_ends e = ends_of(&key);

	has_passed(i, h->mark, &e, TCP_SYN, h->number[0], 0);
	if (h->passed > 1)
		has_passed(i, h->mark | MARK_REPLY, &e, TCP_SYN | TCP_ACK, h->number[1], h->number[0] + 1u);
	if (h->passed > 2)
		has_passed(i, h->mark, &e, TCP_ACK, h->number[0] + 1u, h->number[1] + 1u);
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* The receiver has acknowledged up to `to`. */
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

/* `end`: the number behind the data of each end. */
static bool judge_exchange(struct crossing *x, const struct once_lease *l, const struct once_template *last,
			   const uint32_t end[2])
{
	uint32_t asked = last->length <= ONCE_REQUEST ? last->length : 0;
	uint32_t said = l->waits != ONCE_NOTHING || last->answer > ONCE_ANSWER ? 0 : last->answer;

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

/* The FINs and the RST that have passed, in their order, and what acknowledges them. */
static void end_as_passed(struct inspector *i, const struct once_lease *l, const struct session_ends *e, uint32_t mark)
{
	unsigned first = l->ended[1] == 1 ? 1 : 0, then = 1u - first;
	const uint32_t marks[2] = { mark, mark | MARK_REPLY };

	if (sent_fin(l, first)) {
		has_passed(i, marks[first], e, TCP_FIN | TCP_ACK, l->next[first] - 1u,
			   l->next[then] - sent_fin(l, then));
		has_passed(i, marks[then], e, sent_fin(l, then) ? TCP_FIN | TCP_ACK : TCP_ACK,
			   l->next[then] - sent_fin(l, then), l->acked[first]);
	}
	if (sent_fin(l, then))
		has_passed(i, marks[first], e, TCP_ACK, l->next[first], l->acked[then]);
	for (unsigned k = 0; k < 2; k++)
		if (l->ended[k] == ONCE_RESET)
			has_passed(i, marks[k], e, TCP_RST, l->next[k], 0);
}

bool inspector_take_back(struct inspector *i, const struct once_lease *l, const struct once_template *last)
{
	struct session_ends ends = ends_of(l);
	const uint32_t end[2] = { l->next[0] - sent_fin(l, 0), l->next[1] - sent_fin(l, 1) };
	const struct packet p = { 0 };
	struct crossing x = { .i = i, .p = &p, .table = rules_table(i->rules) };

	x.fi = find(i, &ends);
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
		acknowledge(i, x.f, (enum direction)k, seq_diff(l->acked[k], end[k]) < 0 ? l->acked[k] : end[k]);
	crossing_touch(&x);
	end_as_passed(i, l, &ends, mark_make(x.f->permit, x.lane, MARK_UNJUDGED));
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/lend.h"

#include <string.h>

#include "dpi/inspect/change.h"
#include "dpi/inspect/command.h"
#include "dpi/inspect/crossing.h"
#include "dpi/inspect/life.h"
#include "dpi/inspect/rules.h"
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

static bool judge_exchange(struct crossing *x, const struct once_lease *l, const struct once_template *last)
{
	uint32_t asked = last->length <= ONCE_REQUEST ? last->length : 0;
	uint32_t said = l->waits != ONCE_NOTHING || last->answer > ONCE_ANSWER ? 0 : last->answer;

	stream_skip(&x->f->stream, &x->i->pool, DIR_S2C, l->next[1] - said, true);
	if (!judge_passed(x, DIR_C2S, bytes_of((const uint8_t *)l->request, asked), l->next[0] - asked))
		return false;
	if (said == 0)
		return true;
	acknowledge(x->i, x->f, DIR_C2S, l->next[0]);
	return judge_passed(x, DIR_S2C, bytes_of((const uint8_t *)l->answer, said), l->next[1] - said);
}

bool inspector_take_back(struct inspector *i, const struct once_lease *l, const struct once_template *last)
{
	struct session_ends ends = ends_of(l);
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
	if (last != NULL && (x.permit == NULL || !judge_exchange(&x, l, last))) {
		for (unsigned k = 0; k < 2; k++)
			stream_skip(&x.f->stream, &i->pool, (enum direction)k, l->next[k], true);
		outcome_cut_idle(&x, R_ENDED);
		return false;
	}
	for (unsigned k = 0; k < 2; k++)
		acknowledge(i, x.f, (enum direction)k, l->acked[k]);
	crossing_touch(&x);
	return true;
}

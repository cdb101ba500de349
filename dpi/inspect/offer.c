/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/offer.h"

#include <string.h>

#include "dpi/inspect/rules.h"
#include "dpi/inspect/state.h"

uint32_t lend_find(const struct inspector *i, const struct session_ends *ends)
{
	struct decoded d = { .src = ends->client,
			     .dst = ends->server,
			     .sport = ends->client_port,
			     .dport = ends->server_port,
			     .l4proto = IP_TCP };
	enum direction dir;

	return flow_find(&i->flows, &d, &dir);
}

struct session_ends lend_ends(const struct once_lease *l)
{
	struct session_ends ends = { .client_port = l->client_port, .server_port = l->server_port, .l4proto = IP_TCP };

	ends.client.family = ends.server.family = l->family;
	memcpy(ends.client.b, l->client, addr_len(l->family));
	memcpy(ends.server.b, l->server, addr_len(l->family));
	return ends;
}

static bool has_shadow(const struct command_table *t, const struct command_permit *permit)
{
	for (uint32_t k = 0; k < permit->n_grants; k++)
		if (t->grants[permit->first_grant + k].shadow)
			return true;
	return false;
}

/* Whether the stream is in order, and the server has acknowledged all bytes of the client. */
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

/* Keeps what a successor of this worker needs to go on with the session: see inspector_resume. */
static void keep_state(const struct flow *f, struct bytes answer, struct once_lease *l)
{
	const struct stream_dir *server = &f->stream.dir[DIR_S2C];
	const struct enforcer *e = f->commands->enforcer;
	struct outbuf o = outbuf_of(l->kept, sizeof(l->kept));
	size_t n = answer.left;

	/* Earlier answers are unacknowledged as well. A successor would not have their bytes, and
	 * could not compare these with repetitions. */
	if (server->next - server->acked > n)
		return;

	out_be16(&o, f->protocol);
	if (e->keep == NULL || !e->keep(f->commands->state, &o) || o.failed || n > ONCE_ANSWER ||
	    !bytes_copy(&answer, l->answer, n))
		return;
	l->said = (uint16_t)n;
	l->n_kept = (uint16_t)o.len;
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
	bool may;

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
	may = answer.left == x->d.payload.left && c->asked_permit == f->permit &&
	      c->asked_turn == rules_turn(x->i->rules) && may_go(x->i, f);
	if (may && c->enforcer->once != NULL &&
	    c->enforcer->once(c->state, bytes_of(c->asked, c->n_asked), answer, &o->of))
		o->is = OFFER_LEASE;
	c->n_asked = 0; /* a further answer does not belong to this request */
	if (!may)
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
	keep_state(f, answer, &o->lease);
}

bool inspector_offers(const struct inspector *i)
{
	const struct once_lease *l = &i->limits.offer->lease;
	struct session_ends ends = lend_ends(l);
	const struct flow *f;
	uint32_t fi;

	if (i->limits.offer->is == OFFER_NONE || l->permit == 0)
		return false;
	fi = lend_find(i, &ends);
	f = fi != FLOW_NONE ? flow_at(&i->flows, fi) : NULL;
	return f != NULL && may_go(i, f) && f->permit == l->permit && f->stream.dir[0].next == l->next[0] &&
	       f->stream.dir[1].next == l->next[1] && f->stream.dir[1].acked == l->acked[1];
}

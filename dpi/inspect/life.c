/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/life.h"

#include <string.h>

#include "dpi/inspect/name.h"
#include "dpi/inspect/outcome.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/search.h"
#include "dpi/inspect/wait.h"

void life_end(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);

	outcome_drop_waiting(i, fi, R_OUT_OF_ORDER);
	search_end(f);
	crossing_release(i, fi);
	outcome_tell_end(f);
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
	/* Both or neither: of a datagram the first sender opens; of a session met half-way the lower port serves. */
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

/* A flow of this permit, before anything is known about it. */
static void begin(struct crossing *x)
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

	/* A share that got smaller comes down to its part by two for each newcomer. */
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
	begin(x);
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
	begin(x);
}

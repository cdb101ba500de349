/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a flow: room for a new one, which end is the client, the permit it comes under, its end. */
#include <string.h>

#include "dpi/inspect/core.h"

void flow_info_of(const struct flow *f, struct flow_info *ret)
{
	*ret = (struct flow_info){
		.client = f->client,
		.server = f->server,
		.client_port = f->client_port,
		.server_port = f->server_port,
		.l4proto = f->l4proto,
		.n = f->n,
		.permit = f->permit,
		.lane = f->lane,
		.protocol = (enum protocol)f->protocol,
		.midstream = f->midstream,
		.bad_checksum = f->bad_checksum,
		.lost_place = f->lost_place,
		.unread = f->unread,
	};
}

void crossing_touch_flow(struct crossing *x)
{
	const struct flow *f = x->f;
	enum flow_class class = CLASS_LIVE;

	if (f->kind == KIND_REFUSED || f->l4proto != IP_TCP)
		class = CLASS_DATAGRAM;
	else if (f->class == CLASS_ENDED && f->told_end)
		class = CLASS_ENDED;
	else if (f->kind == KIND_NAMED || f->kind == KIND_FREE)
		class = CLASS_NAMED;
	else if (!f->waiting_pick_up && f->stream.state != TCP_OPEN)
		class = CLASS_HALF_OPEN;
	else if (!f->waiting_pick_up && f->stream.dir[0].offset == 0 && f->stream.dir[1].offset == 0)
		class = CLASS_SILENT;
	flow_touch(&x->i->flows, x->fi, class, x->i->now_ns);
}

void flow_release(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);

	stream_free(&f->stream, &i->pool);
	if (f->name_slot != SLOT_NONE)
		name_close(i->namer, f->name_slot);
	f->name_slot = SLOT_NONE;
	if (f->commands != NULL) {
		counts_write(i, f->commands);
		command_state_free(i, f->commands);
	}
	f->commands = NULL;
}

void flow_end(struct inspector *i, uint32_t fi)
{
	struct flow *f = flow_at(&i->flows, fi);
	struct flow_info info;

	wait_drop(i, fi, R_OUT_OF_ORDER);
	if (i->limits.as_captured)
		search_end(i, f);
	flow_release(i, fi);
	if (!f->told_end) {
		f->told_end = true;
		flow_info_of(f, &info);
		outside_flow(&info, (enum event_verdict)f->verdict,
			     f->reason == R_NONE ? R_ALLOWED : (enum reason)f->reason, f->refused_frame);
	}
	flow_touch(&i->flows, fi, CLASS_ENDED, i->now_ns);
}

bool crossing_tells_ends(const struct crossing *x)
{
	return x->p->directed || x->d.l4proto != IP_TCP ||
	       number_in(&x->i->table, &x->permit->ports, x->d.dport) !=
		       number_in(&x->i->table, &x->permit->ports, x->d.sport);
}

enum direction crossing_guess_dir(const struct crossing *x)
{
	bool to_server, from_server;

	if (x->p->directed)
		return x->p->mark & MARK_REPLY ? DIR_S2C : DIR_C2S;
	if (x->d.l4proto != IP_TCP && x->d.l4proto != IP_UDP)
		return DIR_C2S;
	to_server = x->permit == NULL || number_in(&x->i->table, &x->permit->ports, x->d.dport);
	from_server = x->permit == NULL || number_in(&x->i->table, &x->permit->ports, x->d.sport);
	if (to_server != from_server)
		return to_server ? DIR_C2S : DIR_S2C;
	/* Both or neither: of a datagram the first sender opens; of a session met half-way the lower port serves. */
	return x->d.l4proto == IP_TCP && x->d.sport < x->d.dport ? DIR_S2C : DIR_C2S;
}

/* Its lane may be of another share than it was; what it holds goes along. */
static void change_share(struct crossing *x)
{
	struct inspector *i = x->i;

	if (x->f->share == crossing_share(x))
		return;
	flow_move(&i->flows, x->fi, crossing_share(x));
	wait_move(i, x->fi);
	stream_move(&x->f->stream, &i->pool, x->f->holder);
}

/* A flow of this permit, before anything is known about it. */
static void begin(struct crossing *x)
{
	struct flow *f = x->f;

	f->permit = x->permit != NULL ? x->permit->permit : mark_permit(x->p->mark);
	f->lane = x->lane;
	change_share(x);
	f->queue = x->p->queue;
	f->table_turn = x->i->table_turn;
	f->verdict = EV_ALLOW;
	if (x->p->connection != 0)
		f->n = x->p->connection;
}

bool crossing_try_flow(struct crossing *x, enum direction dir)
{
	struct flow_table *t = &x->i->flows;

	uint32_t share = crossing_share(x);

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
		flow_end(x->i, victim);
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

bool crossing_add_flow(struct crossing *x, enum direction dir)
{
	if (crossing_try_flow(x, dir))
		return true;
	crossing_refuse(x, R_OVERLOADED);
	return false;
}

void crossing_restart_flow(struct crossing *x, enum direction dir)
{
	struct flow *f = x->f;

	flow_end(x->i, x->fi);
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
	f->waiting_pick_up = f->midstream = f->bad_checksum = f->told_end = false;
	f->protocol = PROTO_NONE;
	f->judge_again = false;
	f->reason = R_NONE;
	f->name_packets = 0;
	f->refused_frame = f->undecided = 0;
	f->reset_ns = 0;
	f->missed = false;
	memset(f->gave_up, 0, sizeof(f->gave_up));
	f->blind = f->astray = f->unjudged = 0;
	memset(f->adrift, 0, sizeof(f->adrift));
	memset(f->prefix_len, 0, sizeof(f->prefix_len));
	memset(f->spoken, 0, sizeof(f->spoken));
	memset(f->head, 0, sizeof(f->head));
	memset(&f->stream, 0, sizeof(f->stream));
	x->dir = dir;
	begin(x);
}

/* ---- permits ----------------------------------------------------------------------------------------------------- */

const struct command_grant *table_find_grant(const struct command_table *t, const struct command_permit *permit,
					     enum protocol p)
{
	for (uint32_t g = 0; g < permit->n_grants; g++) {
		const struct command_grant *grant = &t->grants[permit->first_grant + g];

		if (!grant->shadow && grant->protocol == p)
			return grant;
	}
	return NULL;
}

const struct command_grant *permit_find_grant(const struct inspector *i, const struct command_permit *permit,
					      enum protocol p)
{
	return table_find_grant(&i->table, permit, p);
}

static enum protocol anything_of(uint8_t l4proto)
{
	return l4proto == IP_TCP ? PROTO_TCP : l4proto == IP_UDP ? PROTO_UDP : PROTO_ICMP;
}

bool permit_promises_any(const struct inspector *i, const struct command_permit *permit, uint8_t l4proto)
{
	return permit_find_grant(i, permit, anything_of(l4proto)) != NULL;
}

enum relabel relabel_decide(const struct flow *f, const struct command_table *t, const struct command_permit *permit)
{
	enum protocol p = (enum protocol)f->protocol;
	bool promised = table_find_grant(t, permit, anything_of(f->l4proto)) != NULL ||
			(p != PROTO_NONE && table_find_grant(t, permit, p) != NULL);

	if (f->kind == KIND_REFUSED || (f->kind == KIND_FOLLOWED && f->commands == NULL))
		return RELABEL_STAYS;
	if (!promised && p != PROTO_NONE)
		return RELABEL_ENDS;
	if (f->commands != NULL)
		return permit_commands_lane(permit) ? RELABEL_STAYS : RELABEL_CONFIRMS;
	/* It was let go of before; a permit that looks inside meets it half-way. */
	if (!promised || (permit_commands_lane(permit) && protocol_info(p)->depth == DEPTH_COMMANDS))
		return RELABEL_HALF_WAY;
	return RELABEL_STAYS;
}

bool crossing_relabel_flow(struct crossing *x)
{
	struct flow *f = x->f;

	f->queue = x->p->queue;
	if (f->permit == x->permit->permit && f->table_turn == x->i->table_turn)
		return true;
	f->permit = x->permit->permit;
	f->lane = x->lane;
	f->table_turn = x->i->table_turn;
	change_share(x);
	f->judge_again = true;
	switch (relabel_decide(f, &x->i->table, x->permit)) {
	case RELABEL_STAYS:
		break;
	case RELABEL_ENDS:
		crossing_refuse_flow(x, R_ENDED, PROTO_NONE);
		return false;
	case RELABEL_CONFIRMS:
		crossing_confirm_flow(x, (enum protocol)f->protocol);
		break;
	case RELABEL_HALF_WAY:
		f->kind = KIND_FOLLOWED;
		if (f->l4proto == IP_TCP) {
			f->waiting_pick_up = f->midstream = true;
			memset(&f->stream, 0, sizeof(f->stream));
		}
		break;
	}
	return true;
}

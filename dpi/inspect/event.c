/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/event.h"

#include <stdlib.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/lasting.h"
#include "dpi/inspect/rules.h"

#define REFUSED_RATE 500u
#define REFUSED_BURST 1000u
#define PASSED_RATE 100u
#define PASSED_BURST 200u
#define FLUSH_NS SECOND_NS

/* A token bucket. */
struct budget {
	uint64_t filled_ns;
	uint64_t tokens_milli;
	uint64_t rate; /* per second */
	uint64_t burst;
};

struct records {
	struct budget refused[SHARES], passed[SHARES];
	uint64_t suppressed[EVENT_VERDICT_COUNT][SHARES][REASON_COUNT];
	uint64_t suppressed_all;
	uint64_t flush_ns;
};

struct records *records_new(uint64_t now_ns)
{
	struct records *k = calloc(1, sizeof(*k));

	for (uint32_t s = 0; k != NULL && s < SHARES; s++) {
		k->refused[s] = (struct budget){ .filled_ns = now_ns, .tokens_milli = REFUSED_BURST * 1000u };
		k->passed[s] = (struct budget){ .filled_ns = now_ns, .tokens_milli = PASSED_BURST * 1000u };
	}
	return k;
}

void records_free(struct records *k)
{
	free(k);
}

void records_divide(struct records *k, uint32_t used, bool all)
{
	static const uint32_t whole[] = { REFUSED_RATE, REFUSED_BURST, PASSED_RATE, PASSED_BURST };
	uint32_t part[4][SHARES];

	for (unsigned n = 0; n < 4; n++)
		share_divide(whole[n], used, all, part[n]);
	for (uint32_t s = 0; s < SHARES; s++) {
		k->refused[s].rate = part[0][s];
		k->refused[s].burst = part[1][s];
		k->passed[s].rate = part[2][s];
		k->passed[s].burst = part[3][s];
	}
}

/* Takes a token. `keep`: tokens that must remain for other uses. */
static bool budget_take(struct budget *b, uint64_t now_ns, uint64_t keep)
{
	uint64_t passed_us = (now_ns - b->filled_ns) / 1000u;

	if (now_ns > b->filled_ns && passed_us > 0) {
		uint64_t more = passed_us > 60000000u ? b->burst * 1000u : passed_us * b->rate / 1000u;

		if (more > 0) {
			b->tokens_milli += more;
			b->filled_ns = now_ns;
		}
		if (b->tokens_milli > b->burst * 1000u)
			b->tokens_milli = b->burst * 1000u;
	}
	if (b->tokens_milli < (keep + 1) * 1000u)
		return false;
	b->tokens_milli -= 1000u;
	return true;
}

/* Whether a record may be written. Half of the budget of refusals is reserved for enforced
 * refusals; observed events take only from the other half. */
static bool may_record(struct records *k, uint32_t s, enum event_verdict v, uint64_t now_ns)
{
	struct budget *b = v == EV_ALLOW ? &k->passed[s] : &k->refused[s];

	return budget_take(b, now_ns, v == EV_OBSERVE ? b->burst / 2 : 0);
}

static void event_record(const struct crossing *x, struct event *e)
{
	struct records *k = x->i->records;
	uint32_t s = share_of(x->lane);
	uint64_t *suppressed = &k->suppressed[e->verdict][s][e->reason];

	if (!may_record(k, s, (enum event_verdict)e->verdict, x->i->now_ns)) {
		if (k->suppressed_all++ == 0)
			k->flush_ns = x->i->now_ns + FLUSH_NS;
		(*suppressed)++;
		return;
	}
	e->count += *suppressed;
	k->suppressed_all -= *suppressed;
	*suppressed = 0;
	e->wall_ns = clock_wall_ns();
	outside_event(&x->i->limits.outside, e);
}

static void flush_share(struct inspector *i, enum event_verdict v, uint32_t s, bool all)
{
	struct records *k = i->records;

	for (unsigned r = 0; r < REASON_COUNT; r++) {
		struct event e = { .wall_ns = clock_wall_ns(),
				   .kind = EVENT_FLOW,
				   .verdict = (uint8_t)v,
				   .reason = (uint16_t)r,
				   .conduit = EVENT_NO_CONDUIT,
				   .space = 255,
				   .generation = rules_generation(i->rules, NULL),
				   .count = k->suppressed[v][s][r] };

		if (e.count == 0 || (!all && !may_record(k, s, v, i->now_ns)))
			continue;
		k->suppressed_all -= e.count;
		k->suppressed[v][s][r] = 0;
		outside_event(&i->limits.outside, &e);
	}
}

void records_flush(struct inspector *i, bool all)
{
	struct records *k = i->records;

	if (k->suppressed_all == 0 || (!all && i->now_ns < k->flush_ns))
		return;
	k->flush_ns = i->now_ns + FLUSH_NS;
	for (unsigned v = 0; v < EVENT_VERDICT_COUNT; v++)
		for (uint32_t s = 0; s < SHARES; s++)
			flush_share(i, (enum event_verdict)v, s, all);
}

uint64_t records_next_due(const struct records *k)
{
	return k->suppressed_all == 0 ? UINT64_MAX : k->flush_ns;
}

/* Begins a record with the fields that every record about a packet has. */
static struct event event_start(const struct crossing *x, enum event_kind kind, enum event_verdict v, enum reason r)
{
	struct event e = { .kind = (uint8_t)kind,
			   .verdict = (uint8_t)v,
			   .reason = (uint16_t)r,
			   .count = 1,
			   .space = 255,
			   .conduit = EVENT_NO_CONDUIT,
			   .permit = mark_permit(x->p->mark),
			   .generation = rules_generation(x->i->rules, x->permit),
			   .l4proto = x->d.l4proto,
			   .s2c = x->dir == DIR_S2C };

	if (x->f != NULL) {
		e.client = x->f->client;
		e.server = x->f->server;
		e.client_port = x->f->client_port;
		e.server_port = x->f->server_port;
		e.l4proto = x->f->l4proto;
		e.protocol = x->f->protocol;
	} else {
		bool back = crossing_is_notice(x); /* the session's opener is the server */

		e.client = back ? x->d.dst : x->d.src;
		e.server = back ? x->d.src : x->d.dst;
		e.client_port = back ? x->d.dport : x->d.sport;
		e.server_port = back ? x->d.sport : x->d.dport;
	}
	return e;
}

/* Sets the conduit of a flow: the one that allows its protocol, else the first one that is not
 * a shadow. */
static void blame(const struct crossing *x, struct event *e, enum protocol p)
{
	const struct command_grant *g = NULL;
	uint32_t i = 0;

	if (x->permit == NULL || x->permit->n_grants == 0)
		return;
	if (p != PROTO_NONE)
		g = grant_of(x->table, x->permit, p);
	while (i + 1 < x->permit->n_grants && x->table->grants[x->permit->first_grant + i].shadow)
		i++;
	if (g == NULL)
		g = &x->table->grants[x->permit->first_grant + i];
	e->conduit = g->conduit;
	e->line = g->line;
}

void event_info(const struct flow *f, struct flow_info *ret)
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
		/* If only nDPI can confirm the protocol, bytes that fitted a recogniser of ours
		 * were undecided as well. */
		.undecided = protocol_info((enum protocol)f->protocol)->depth == DEPTH_NDPI ? f->name.passed
											    : f->name.undecided,
		.midstream = f->midstream,
		.lost_place = f->lost_place,
		.unread = f->unread,
	};
}

void event_tell_flow(struct crossing *x, enum event_verdict v, enum reason r, enum protocol p)
{
	struct event e = event_start(x, EVENT_FLOW, v, r);

	if (p != PROTO_NONE)
		e.protocol = (uint16_t)p;
	blame(x, &e, p);
	event_record(x, &e);
}

void event_tell_drop(struct crossing *x, enum event_verdict v, enum reason r)
{
	struct event e = event_start(x, EVENT_DROP, v, r);

	blame(x, &e, PROTO_NONE);
	event_record(x, &e);
}

void event_tell_refused(struct crossing *x, const struct pdu *u, enum event_verdict v)
{
	struct event e = event_start(x, EVENT_PDU, v, u->reason);

	e.conduit = u->conduit;
	e.line = u->line;
	e.row = u->row;
	memcpy(e.targets, u->targets, sizeof(e.targets));
	e.function = u->function;
	e.space = u->space;
	e.address = u->address;
	e.quantity = u->quantity;
	e.limit = u->limit;
	event_record(x, &e);
}

void event_tell_shadow(struct crossing *x, struct pdu *u)
{
	struct flow_info info;

	u->reading = u->shadow = true;
	event_info(x->f, &info);
	outside_pdu(&x->i->limits.outside, &info, u, true, x->p->frame);
	event_tell_refused(x, u, EV_OBSERVE);
}

void event_tell_pdu(struct crossing *x, const struct pdu *u)
{
	bool observe = crossing_is_observed(x);
	struct flow_info info;

	event_info(x->f, &info);
	outside_pdu(&x->i->limits.outside, &info, u, observe, x->p->frame);
	if (!u->allowed)
		event_tell_refused(x, u, observe ? EV_OBSERVE : EV_DENY);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: what the journal hears. Refusals and passes have a budget each in every share, so that a flood fills no disk
 * and hides nothing of other shares; what did not fit is counted by reason and the count goes with the next record of that
 * reason and share, or alone when none follows.
 */
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/core.h"

#define REFUSED_RATE 500u
#define REFUSED_BURST 1000u
#define PASSED_RATE 100u
#define PASSED_BURST 200u
#define FLUSH_NS SECOND_NS

void budget_init(struct inspector *i)
{
	for (uint32_t s = 0; s < SHARES; s++) {
		i->refused_budget[s] = (struct budget){ .filled_ns = i->now_ns, .tokens_milli = REFUSED_BURST * 1000u };
		i->passed_budget[s] = (struct budget){ .filled_ns = i->now_ns, .tokens_milli = PASSED_BURST * 1000u };
	}
	budget_divide(i, 0);
}

void budget_divide(struct inspector *i, uint32_t used)
{
	static const uint32_t whole[] = { REFUSED_RATE, REFUSED_BURST, PASSED_RATE, PASSED_BURST };
	uint32_t part[4][SHARES];

	for (unsigned n = 0; n < 4; n++)
		share_divide(whole[n], used, i->limits.as_captured, part[n]);
	for (uint32_t s = 0; s < SHARES; s++) {
		i->refused_budget[s].rate = part[0][s];
		i->refused_budget[s].burst = part[1][s];
		i->passed_budget[s].rate = part[2][s];
		i->passed_budget[s].burst = part[3][s];
	}
}

static bool budget_take(struct budget *b, uint64_t now_ns)
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
	if (b->tokens_milli < 1000u)
		return false;
	b->tokens_milli -= 1000u;
	return true;
}

static void record(const struct crossing *x, struct event *e)
{
	struct inspector *i = x->i;
	uint32_t s = crossing_share(x);
	struct budget *b = e->verdict == EV_ALLOW ? &i->passed_budget[s] : &i->refused_budget[s];

	if (!budget_take(b, i->now_ns)) {
		if (i->suppressed_all++ == 0)
			i->suppressed_flush_ns = i->now_ns + FLUSH_NS;
		i->suppressed[s][e->reason]++;
		return;
	}
	e->count += i->suppressed[s][e->reason];
	i->suppressed_all -= i->suppressed[s][e->reason];
	i->suppressed[s][e->reason] = 0;
	e->wall_ns = clock_wall_ns();
	outside_event(e);
}

static void flush_share(struct inspector *i, uint32_t s, bool all)
{
	for (unsigned r = 0; r < REASON_COUNT; r++) {
		bool passed = reason_kind((enum reason)r) == REASON_PASS;
		struct event e = { .wall_ns = clock_wall_ns(),
				   .kind = EVENT_FLOW,
				   .verdict = passed ? EV_ALLOW : EV_DENY,
				   .reason = (uint16_t)r,
				   .conduit = EVENT_NO_CONDUIT,
				   .space = 255,
				   .generation = i->generation,
				   .count = i->suppressed[s][r] };

		if (i->suppressed[s][r] == 0 ||
		    (!all && !budget_take(passed ? &i->passed_budget[s] : &i->refused_budget[s], i->now_ns)))
			continue;
		i->suppressed_all -= i->suppressed[s][r];
		i->suppressed[s][r] = 0;
		outside_event(&e);
	}
}

void events_flush(struct inspector *i, bool all)
{
	if (i->suppressed_all == 0 || (!all && i->now_ns < i->suppressed_flush_ns))
		return;
	i->suppressed_flush_ns = i->now_ns + FLUSH_NS;
	for (uint32_t s = 0; s < SHARES; s++)
		flush_share(i, s, all);
}

uint64_t events_next_due(const struct inspector *i)
{
	return i->suppressed_all == 0 ? UINT64_MAX : i->suppressed_flush_ns;
}

/* By which generation a permit's packets are judged. While two are known, old permits still belong to the old one. */
static struct event_generation generation_of(const struct inspector *i, const struct command_permit *p)
{
	return p != NULL ? i->generations[i->table_now][p - i->table.permits] : i->generation;
}

/* What every record about a packet says. */
static struct event start(const struct crossing *x, enum event_kind kind, enum event_verdict v, enum reason r)
{
	struct event e = { .kind = (uint8_t)kind,
			   .verdict = (uint8_t)v,
			   .reason = (uint16_t)r,
			   .count = 1,
			   .space = 255,
			   .conduit = EVENT_NO_CONDUIT,
			   .permit = mark_permit(x->p->mark),
			   .generation = generation_of(x->i, x->permit),
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
		e.client = x->d.src;
		e.server = x->d.dst;
		e.client_port = x->d.sport;
		e.server_port = x->d.dport;
	}
	return e;
}

/* The conduit that speaks for a flow: the one that promises its protocol, else the first of the permit. */
static void blame(const struct crossing *x, struct event *e, enum protocol p)
{
	const struct command_grant *g = NULL;

	if (x->permit == NULL || x->permit->n_grants == 0)
		return;
	if (p != PROTO_NONE)
		g = permit_find_grant(x->i, x->permit, p);
	if (g == NULL)
		g = &x->i->table.grants[x->permit->first_grant];
	e->conduit = g->conduit;
	e->line = g->line;
}

void event_tell_flow(struct crossing *x, enum event_verdict v, enum reason r, enum protocol p)
{
	struct event e = start(x, EVENT_FLOW, v, r);

	if (p != PROTO_NONE)
		e.protocol = (uint16_t)p;
	blame(x, &e, p);
	record(x, &e);
}

void event_tell_drop(struct crossing *x, enum event_verdict v, enum reason r)
{
	struct event e = start(x, EVENT_DROP, v, r);

	blame(x, &e, PROTO_NONE);
	record(x, &e);
}

void event_tell_pdu(struct crossing *x, const struct pdu *u, enum event_verdict v)
{
	struct event e = start(x, EVENT_PDU, v, u->reason);

	e.conduit = u->conduit;
	e.line = u->line;
	e.row = u->row;
	e.unit = u->unit;
	e.function = u->function;
	e.space = u->space;
	e.address = u->address;
	e.quantity = u->quantity;
	e.limit = u->limit;
	record(x, &e);
}

/* ---- accepted commands ------------------------------------------------------------------------------------------- */

static bool same_kind(const struct counted *a, const struct counted *b)
{
	return a->function == b->function && a->address == b->address && a->quantity == b->quantity &&
	       a->unit == b->unit && a->space == b->space && a->conduit == b->conduit && a->line == b->line &&
	       a->row.file == b->row.file && a->row.line == b->row.line && a->permit == b->permit &&
	       event_generation_same(a->generation, b->generation);
}

/* Adds to the table; what finds no place is summed up per flow, in the last entry, without its particulars. */
static void count_in(struct counted *table, uint32_t *n, const struct counted *c)
{
	for (uint32_t k = 0; k < *n && k < COUNTED_MAX; k++) {
		if (same_kind(&table[k], c)) {
			table[k].count += c->count;
			return;
		}
	}
	if (*n < COUNTED_MAX) {
		table[(*n)++] = *c;
		return;
	}
	if (*n == COUNTED_MAX) {
		table[(*n)++] = (struct counted){ .space = 255, .conduit = EVENT_NO_CONDUIT };
	}
	table[COUNTED_MAX].count += c->count;
}

void counts_hold(struct crossing *x, const struct pdu *u)
{
	struct counted one = { .unit = u->unit,
			       .function = u->function,
			       .space = u->space,
			       .address = u->address,
			       .quantity = u->quantity,
			       .conduit = u->conduit,
			       .line = u->line,
			       .row = u->row,
			       .permit = x->permit != NULL ? x->permit->permit : 0,
			       .generation = generation_of(x->i, x->permit),
			       .count = 1 };

	count_in(x->i->held, &x->i->n_held, &one);
}

void counts_keep(struct inspector *i, struct command_state *c, bool passed)
{
	uint32_t slot = (uint32_t)(c - i->commands);

	for (uint32_t k = 0; passed && k < i->n_held; k++)
		count_in(c->counted, &c->n_counted, &i->held[k]);
	i->n_held = 0;
	if (c->listed || c->n_counted == 0)
		return;
	c->listed = true;
	c->due_ns = i->now_ns + COUNTS_NS;
	c->older = i->counts_newest;
	c->newer = SLOT_NONE;
	if (c->older != SLOT_NONE)
		i->commands[c->older].newer = slot;
	else
		i->counts_oldest = slot;
	i->counts_newest = slot;
}

void counts_write(struct inspector *i, struct command_state *c)
{
	const struct flow *f = flow_at(&i->flows, c->flow);
	uint64_t now = clock_wall_ns();

	for (uint32_t k = 0; k < c->n_counted; k++) {
		const struct counted *t = &c->counted[k];
		struct event e = { .wall_ns = now,
				   .kind = EVENT_COUNTS,
				   .verdict = EV_ALLOW,
				   .reason = R_ALLOWED,
				   .permit = t->permit,
				   .generation = t->generation,
				   .conduit = t->conduit,
				   .line = t->line,
				   .row = t->row,
				   .client = f->client,
				   .server = f->server,
				   .client_port = f->client_port,
				   .server_port = f->server_port,
				   .l4proto = f->l4proto,
				   .protocol = f->protocol,
				   .unit = t->unit,
				   .function = t->function,
				   .space = t->space,
				   .address = t->address,
				   .quantity = t->quantity,
				   .count = t->count };

		outside_event(&e);
	}
	c->n_counted = 0;
	if (!c->listed)
		return;
	c->listed = false;
	if (c->older != SLOT_NONE)
		i->commands[c->older].newer = c->newer;
	else
		i->counts_oldest = c->newer;
	if (c->newer != SLOT_NONE)
		i->commands[c->newer].older = c->older;
	else
		i->counts_newest = c->older;
}

void counts_write_due(struct inspector *i)
{
	for (unsigned n = 0; n < TICK_FLOWS; n++) {
		uint32_t slot = i->counts_oldest;

		if (slot == SLOT_NONE || i->commands[slot].due_ns > i->now_ns)
			return;
		counts_write(i, &i->commands[slot]);
	}
}

uint64_t counts_next_due(const struct inspector *i)
{
	return i->counts_oldest == SLOT_NONE ? UINT64_MAX : i->commands[i->counts_oldest].due_ns;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/bond.h"

#include "dpi/inspect/command.h"
#include "dpi/inspect/companion.h"
#include "dpi/inspect/state.h"
#include "dpi/judge.h"

#define UNOPENED_NS (30u * SECOND_NS) /* datagrams that came so long ago may be over */

static struct opener opener_of(const struct inspector *i, const struct flow *f)
{
	return (struct opener){ .protocol = f->commands->enforcer->protocol,
				.client = f->client,
				.server = f->server,
				.flow = (uint32_t)(f - i->flows.flows),
				.n = f->n,
				.share = f->share };
}

/* It passes because nothing is stopped here; where something is, it would not. */
static void note_unopened(struct crossing *x, const struct parsed *p)
{
	struct command_state *c = x->f->commands;

	if (!crossing_is_observed(x) || p->n != 1)
		return;
	if (x->i->now_ns - c->unopened_ns >= UNOPENED_NS)
		c->unopened.count = 0;
	c->unopened = (struct deed){ .operation = operation_kept(&p->operations[0]),
				     .count = c->unopened.count + 1,
				     .n = 1,
				     .wrong = R_NOT_OPENED };
	c->unopened_ns = x->i->now_ns;
}

/* As good as the request that opened what it belongs to, by the rows of now. */
static void judge_use(struct crossing *x, const struct parsed *p, struct pdu *u)
{
	const struct enforcer *e = x->f->commands->enforcer;
	struct opened *o = companions_use(x->i->companions, e->protocol, &x->d.src, &x->d.dst, &p->bond, x->i->now_ns);
	struct pdu opened;

	if (o == NULL) {
		note_unopened(x, p);
		return;
	}
	judge_kept(e, o->operations, o->n, R_ALLOWED, x->table, x->permit, &opened);
	o->passed += opened.allowed || crossing_is_observed(x);
	opened.dir = u->dir;
	opened.offset = u->offset;
	opened.length = u->length;
	opened.operations = o->operations;
	opened.n_operations = o->n;
	*u = opened;
}

/*
 * Whether the request reaches the server and all that may be against it is the rows: then what it opens is known, and whether anybody
 * may use it is asked for each datagram. So what is opened while a policy observes has the right to go on that the next one gives it.
 */
static bool is_asked(const struct crossing *x, const struct parsed *p, const struct pdu *u)
{
	struct operation o[COMPANION_OPERATIONS];
	struct pdu again;

	if (u->allowed || !crossing_is_observed(x) || p->wrong != R_ALLOWED || p->n > COMPANION_OPERATIONS)
		return u->allowed;
	for (uint32_t i = 0; i < p->n; i++)
		o[i] = operation_kept(&p->operations[i]);
	judge_kept(x->f->commands->enforcer, o, p->n, R_ALLOWED, x->table, x->permit, &again);
	return !again.allowed;
}

bool bond_note(struct crossing *x, const struct parsed *p, struct pdu *u)
{
	struct opener by = opener_of(x->i, x->f);

	switch ((enum bond_kind)p->bond.kind) {
	case BOND_NONE:
		return false;
	case BOND_USES:
		judge_use(x, p, u);
		return false;
	case BOND_ASKS:
		if (!is_asked(x, p, u))
			return false;
		companions_ask(x->i->companions, &by, p->bond.key, p->operations, p->n, x->i->now_ns);
		return true;
	case BOND_OPENS: /* if it was asked for, refused or not */
		if (!u->allowed && !crossing_is_observed(x))
			return false;
		companions_open(x->i->companions, &by, &p->bond, x->i->now_ns);
		return true;
	case BOND_CLOSES:
		if (u->allowed)
			companions_close(x->i->companions, &by, p->bond.key);
		return false;
	}
	return false; /* no such kind */
}

/* Rows that uses are judged by, and who hears of those that they refuse. */
struct asking {
	const struct enforcer *enforcer;
	const struct command_table *table;
	const struct command_permit *permit;
	void (*each)(void *ctx, const struct deed *d, const struct pdu *refused);
	void *ctx;
};

static void judge_opened(void *ctx, const struct opened *o)
{
	const struct asking *a = ctx;
	struct deed d[COMPANION_OPERATIONS] = { 0 };
	struct pdu u;

	if (o->passed == 0)
		return;
	judge_kept(a->enforcer, o->operations, o->n, R_ALLOWED, a->table, a->permit, &u);
	if (u.allowed)
		return;
	for (uint32_t i = 0; i < o->n; i++)
		d[i].operation = o->operations[i];
	d[0].n = o->n;
	d[0].count = o->passed;
	a->each(a->ctx, d, &u);
}

void bond_judge_uses(struct inspector *i, const struct flow *f, const struct command_table *t,
		     const struct command_permit *permit,
		     void (*each)(void *ctx, const struct deed *d, const struct pdu *refused), void *ctx)
{
	struct asking a = { .enforcer = f->commands->enforcer, .table = t, .permit = permit, .each = each, .ctx = ctx };

	if (a.enforcer == NULL || f->l4proto == IP_TCP)
		return;
	companions_each(i->companions, a.enforcer->protocol, &f->client, &f->server, i->now_ns, judge_opened, &a);
	if (f->commands->unopened.count > 0 && i->now_ns - f->commands->unopened_ns < UNOPENED_NS) {
		const struct deed *d = &f->commands->unopened;
		struct pdu u;

		judge_kept(a.enforcer, &d->operation, 1, R_NOT_OPENED, t, permit, &u);
		each(ctx, d, &u);
	}
}

void bond_end(struct inspector *i, const struct flow *f)
{
	struct opener by = opener_of(i, f);

	companions_orphan(i->companions, &by, i->now_ns);
}

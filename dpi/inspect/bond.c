/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/bond.h"

#include "dpi/inspect/command.h"
#include "dpi/inspect/companion.h"
#include "dpi/judge.h"

static struct opener opener_of(const struct inspector *i, const struct flow *f)
{
	return (struct opener){ .protocol = command_enforcer(f)->protocol,
				.client = f->client,
				.server = f->server,
				.flow = (uint32_t)(f - i->flows.flows),
				.n = f->n,
				.share = f->share };
}

/* As good as the request that opened what it belongs to, by the rows of now. */
static void judge_use(struct crossing *x, const struct bond *b, struct pdu *u)
{
	const struct enforcer *e = command_enforcer(x->f);
	struct opened *o = companions_use(x->i->companions, e->protocol, &x->d.src, &x->d.dst, b, x->i->now_ns);
	struct pdu opened;

	if (o == NULL)
		return;
	judge_kept(e, o->operations, o->n, R_ALLOWED, x->table, x->permit, &opened);
	o->passed += opened.allowed || crossing_is_observed(x);
	opened.dir = u->dir;
	opened.offset = u->offset;
	opened.length = u->length;
	opened.operations = o->operations;
	opened.n_operations = o->n;
	*u = opened;
}

bool bond_note(struct crossing *x, const struct parsed *p, struct pdu *u)
{
	struct opener by = opener_of(x->i, x->f);

	switch ((enum bond_kind)p->bond.kind) {
	case BOND_NONE:
		return false;
	case BOND_USES:
		judge_use(x, &p->bond, u);
		return false;
	case BOND_ASKS:
		if (u->allowed)
			companions_ask(x->i->companions, &by, p->bond.key, p->operations, p->n, x->i->now_ns);
		return u->allowed;
	case BOND_OPENS:
		if (u->allowed)
			companions_open(x->i->companions, &by, &p->bond, x->i->now_ns);
		return u->allowed;
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
	struct asking a = { .enforcer = command_enforcer(f), .table = t, .permit = permit, .each = each, .ctx = ctx };

	if (a.enforcer != NULL && f->l4proto != IP_TCP)
		companions_each(i->companions, a.enforcer->protocol, &f->client, &f->server, i->now_ns, judge_opened,
				&a);
}

void bond_end(struct inspector *i, const struct flow *f)
{
	struct opener by = opener_of(i, f);

	companions_orphan(i->companions, &by, i->now_ns);
}

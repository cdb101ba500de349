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
	const struct operation *o;
	uint32_t n = companions_use(x->i->companions, e->protocol, &x->d.src, &x->d.dst, b, x->i->now_ns, &o);
	struct pdu opened;

	if (n == 0)
		return;
	judge_kept(e, o, n, R_ALLOWED, x->table, x->permit, &opened);
	opened.dir = u->dir;
	opened.offset = u->offset;
	opened.length = u->length;
	opened.operations = o;
	opened.n_operations = n;
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

void bond_end(struct inspector *i, const struct flow *f)
{
	struct opener by = opener_of(i, f);

	companions_orphan(i->companions, &by, i->now_ns);
}

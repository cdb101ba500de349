/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/companion.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dpi/inspect/state.h"
#include "dpi/judge.h"
#include "dpi/keyed.h"
#include "dpi/share.h"

/* ---- the table of companions ---------------------------------------------------------------- */

#define NONE UINT32_MAX
#define BUCKETS 1024u

_Static_assert(COMPANION_OPERATIONS == GROUP_MAX, "what is kept is judged again, all of it");

struct companion {
	struct opened what;
	struct opener by;
	uint64_t key;
	struct bond as; /* the bond by which it was opened */
	bool open;
	uint64_t used_ns;   /* when it was last used */
	uint64_t silent_ns; /* nanoseconds without use after which it ends */
	/* when it ends even if it is used, because the flow that opened it has ended; 0: there is
	 * no such end */
	uint64_t last_ns;
	/* next in its bucket, or in the list of free places */
	uint32_t next;
	uint32_t older, newer; /* in its share, by last use */
};

struct companions {
	struct companion *places; /* owned; COMPANIONS, touched as used */
	uint32_t buckets[BUCKETS];
	uint32_t free, fresh;
	uint32_t oldest[SHARES], newest[SHARES], in_share[SHARES], part[SHARES];
	uint64_t seed[2];
};

struct companions *companions_new(void)
{
	struct companions *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->places = calloc(COMPANIONS, sizeof(*all->places));
	if (all->places == NULL || getrandom(all->seed, sizeof(all->seed), 0) != (ssize_t)sizeof(all->seed)) {
		companions_free(all);
		return NULL;
	}
	all->free = NONE;
	memset(all->buckets, 0xff, sizeof(all->buckets));
	memset(all->oldest, 0xff, sizeof(all->oldest));
	memset(all->newest, 0xff, sizeof(all->newest));
	companions_divide(all, 0, true);
	return all;
}

void companions_free(struct companions *all)
{
	if (all == NULL)
		return;
	free(all->places);
	free(all);
}

void companions_divide(struct companions *all, uint32_t used, bool whole)
{
	share_divide(COMPANIONS, used, whole, all->part);
}

/* ---- places of the table --------------------------------------------------------------------- */

/* The bucket of a pair of hosts, which is the same for both directions. */
static uint32_t *bucket_of(struct companions *all, enum protocol p, const struct addr *a, const struct addr *b)
{
	uint64_t h = keyed_addr(all->seed, a) + keyed_addr(all->seed, b);

	return &all->buckets[keyed_mix(h ^ (uint64_t)p, all->seed[0] | 1u) % BUCKETS];
}

static void unlink_used(struct companions *all, uint32_t i)
{
	struct companion *c = &all->places[i];

	*(c->older != NONE ? &all->places[c->older].newer : &all->oldest[c->by.share]) = c->newer;
	*(c->newer != NONE ? &all->places[c->newer].older : &all->newest[c->by.share]) = c->older;
}

static void link_used(struct companions *all, uint32_t i)
{
	struct companion *c = &all->places[i];

	c->older = all->newest[c->by.share];
	c->newer = NONE;
	*(c->older != NONE ? &all->places[c->older].newer : &all->oldest[c->by.share]) = i;
	all->newest[c->by.share] = i;
}

static void let_go(struct companions *all, uint32_t i)
{
	struct companion *c = &all->places[i];
	uint32_t *at = bucket_of(all, c->by.protocol, &c->by.client, &c->by.server);

	while (*at != i)
		at = &all->places[*at].next;
	*at = c->next;
	unlink_used(all, i);
	all->in_share[c->by.share]--;
	c->next = all->free;
	all->free = i;
}

static bool is_over(const struct companion *c, uint64_t now_ns)
{
	return now_ns - c->used_ns >= c->silent_ns || (c->last_ns != 0 && now_ns >= c->last_ns);
}

static bool same_pair(const struct companion *c, const struct opener *by)
{
	return c->by.protocol == by->protocol && addr_cmp(&c->by.client, &by->client) == 0 &&
	       addr_cmp(&c->by.server, &by->server) == 0;
}

/* Whether `a` is dropped before `b`: first connections that are not opened yet, then those that
 * were unused for longer. */
static bool is_less(const struct companion *a, const struct companion *b)
{
	return a->open != b->open ? !a->open : a->used_ns < b->used_ns;
}

/* Drops connections of this pair that have ended, and one more if the pair has too many. */
static void companions_tidy(struct companions *all, const struct opener *by, uint64_t now_ns)
{
	uint32_t *bucket = bucket_of(all, by->protocol, &by->client, &by->server), next, n = 0, least = NONE;

	for (uint32_t i = *bucket; i != NONE; i = next) {
		struct companion *c = &all->places[i];

		next = c->next;
		if (!same_pair(c, by))
			continue;
		if (is_over(c, now_ns)) {
			let_go(all, i);
			continue;
		}
		n++;
		if (least == NONE || is_less(c, &all->places[least]))
			least = i;
	}
	if (n >= COMPANIONS_PAIR)
		let_go(all, least);
}

static uint32_t companion_add(struct companions *all, const struct opener *by, uint64_t now_ns)
{
	uint32_t *bucket, i;

	companions_tidy(all, by, now_ns);
	/* A share whose part was reduced gives up two entries for each new one, until it fits. */
	for (unsigned k = 0; k < 2 && all->in_share[by->share] >= all->part[by->share]; k++) {
		if (all->oldest[by->share] == NONE)
			return NONE;
		let_go(all, all->oldest[by->share]);
	}
	if (all->free != NONE) {
		i = all->free;
		all->free = all->places[i].next;
	} else if (all->fresh < COMPANIONS) {
		i = all->fresh++;
	} else {
		return NONE;
	}
	bucket = bucket_of(all, by->protocol, &by->client, &by->server);
	all->places[i] = (struct companion){ .by = *by, .used_ns = now_ns, .next = *bucket };
	*bucket = i;
	link_used(all, i);
	all->in_share[by->share]++;
	return i;
}

static uint32_t companion_find(struct companions *all, const struct opener *by, uint64_t key, bool open)
{
	uint32_t i = *bucket_of(all, by->protocol, &by->client, &by->server);

	for (; i != NONE; i = all->places[i].next) {
		const struct companion *c = &all->places[i];

		if (c->open == open && c->key == key && same_pair(c, by) &&
		    (open || (c->by.flow == by->flow && c->by.n == by->n)))
			return i;
	}
	return NONE;
}

/* ---- companions are asked for, opened, used and closed --------------------------------------- */

/* Keeps an allowed request that will open `key`; its operations are copied. */
static void companions_ask(struct companions *all, const struct opener *by, uint64_t key, const struct operation *o,
			   uint32_t n, uint64_t now_ns)
{
	uint32_t i = companion_find(all, by, key, false);

	if (i != NONE)
		let_go(all, i);
	if (n == 0 || n > COMPANION_OPERATIONS)
		return;
	i = companion_add(all, by, now_ns);
	if (i == NONE)
		return;
	for (uint32_t k = 0; k < n; k++)
		all->places[i].what.operations[k] = operation_kept(&o[k]);
	all->places[i].what.n = n;
	all->places[i].key = key;
	all->places[i].silent_ns = COMPANION_ASKED_NS;
}

/* Drops older connections with this key, or with the same id at the server, because an id means
 * only one connection there. */
static void drop_former(struct companions *all, const struct opener *by, const struct bond *b)
{
	uint32_t i = *bucket_of(all, by->protocol, &by->client, &by->server), next;

	for (; i != NONE; i = next) {
		const struct companion *c = &all->places[i];

		next = c->next;
		if (c->open && same_pair(c, by) &&
		    (c->key == b->key ||
		     (c->as.sends[DIR_C2S] && b->sends[DIR_C2S] && c->as.id[DIR_C2S] == b->id[DIR_C2S])))
			let_go(all, i);
	}
}

/* The answer has opened the connection: datagrams with id[dir] may go from the sender of `dir` to
 * the other end, with at most bytes[dir] bytes. */
static void companions_open(struct companions *all, const struct opener *by, const struct bond *b, uint64_t now_ns)
{
	uint32_t i = companion_find(all, by, b->key, false);
	uint64_t silent = b->silent_ms * 1000000ull;
	struct companion *c;

	if (i == NONE)
		return; /* requested too long ago; its operations are not known any more */
	drop_former(all, by, b);
	c = &all->places[i];
	if (is_over(c, now_ns)) {
		let_go(all, i);
		return;
	}
	c->open = true;
	c->as = *b;
	c->silent_ns = silent < COMPANION_SILENT_MAX_NS ? silent : COMPANION_SILENT_MAX_NS;
	c->used_ns = now_ns;
}

static void companions_close(struct companions *all, const struct opener *by, uint64_t key)
{
	uint32_t i = companion_find(all, by, key, true);

	if (i != NONE)
		let_go(all, i);
}

/* The opening flow has ended. Its connections go on if they outlive their flow (`stays`); the
 * others may be used for some time more. */
static void companions_orphan(struct companions *all, const struct opener *by, uint64_t now_ns)
{
	uint32_t i = *bucket_of(all, by->protocol, &by->client, &by->server);

	for (; i != NONE; i = all->places[i].next) {
		struct companion *c = &all->places[i];

		if (!same_pair(c, by) || c->by.flow != by->flow || c->by.n != by->n)
			continue;
		if (!c->open || !c->as.stays)
			c->last_ns = now_ns + COMPANION_LINGER_NS;
	}
}

/* Whether this datagram is allowed in this direction of the connection. */
static bool datagram_fits(const struct companion *c, enum direction dir, const struct bond *b)
{
	return c->as.sends[dir] && c->as.id[dir] == b->id[0] && b->bytes[0] <= c->as.bytes[dir];
}

/* The request that opened the connection of this datagram, borrowed until the next call; NULL when
 * there is none. The caller counts the datagram if it passes. */
static struct opened *companions_use(struct companions *all, enum protocol p, const struct addr *from,
				     const struct addr *to, const struct bond *b, uint64_t now_ns)
{
	uint32_t i = *bucket_of(all, p, from, to);

	for (; i != NONE; i = all->places[i].next) {
		struct companion *c = &all->places[i];
		bool forth = addr_cmp(&c->by.client, from) == 0 && addr_cmp(&c->by.server, to) == 0;
		bool back = addr_cmp(&c->by.client, to) == 0 && addr_cmp(&c->by.server, from) == 0;

		if (!c->open || c->by.protocol != p || is_over(c, now_ns) ||
		    !((forth && datagram_fits(c, DIR_C2S, b)) || (back && datagram_fits(c, DIR_S2C, b))))
			continue;
		c->used_ns = now_ns;
		unlink_used(all, i);
		link_used(all, i);
		return &c->what;
	}
	return NULL;
}

/* Calls back for every open connection between these two hosts, whichever of them opened it. */
static void companions_each(struct companions *all, enum protocol p, const struct addr *one, const struct addr *other,
			    uint64_t now_ns, void (*each)(void *ctx, const struct opened *o), void *ctx)
{
	uint32_t i = *bucket_of(all, p, one, other);

	for (; i != NONE; i = all->places[i].next) {
		const struct companion *c = &all->places[i];
		bool forth = addr_cmp(&c->by.client, one) == 0 && addr_cmp(&c->by.server, other) == 0;
		bool back = addr_cmp(&c->by.client, other) == 0 && addr_cmp(&c->by.server, one) == 0;

		if (c->open && c->by.protocol == p && (forth || back) && !is_over(c, now_ns))
			each(ctx, &c->what);
	}
}

/* ---- requests and the companions that they open --------------------------------------------- */

/* datagrams older than this may belong to an ended connection */
#define UNOPENED_NS (30u * SECOND_NS)

static struct opener opener_of(const struct inspector *i, const struct flow *f)
{
	return (struct opener){ .protocol = f->commands->enforcer->protocol,
				.client = f->client,
				.server = f->server,
				.flow = (uint32_t)(f - i->flows.flows),
				.n = f->n,
				.share = f->share };
}

/* Notes an observed datagram without a connection, which an enforcing permit would refuse. */
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

/* Judges a datagram by the request that opened its connection and the present rows. */
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
 * Whether the request reaches the server, and only rows could refuse it. If so, the connection that
 * it opens is remembered, and each datagram over the connection is judged. So a connection that is
 * opened while a policy observes goes on if the next policy allows it.
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
	/* opens only connections that were requested, even if the request was refused */
	case BOND_OPENS:
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

/* The rows by which datagrams are judged, and the callback for refused ones. */
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

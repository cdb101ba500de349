/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/count.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/hour.h"
#include "dpi/inspect/lasting.h"
#include "dpi/inspect/rules.h"

#define HELD_MAX 64u		      /* kinds in one segment */
#define UNSENT_MAX 256u		      /* counts whose verdict is not sent yet */
#define INDEX_SLOTS (COUNTS_MAX * 2u) /* a power of two */

/* Operations of one kind since the last record. */
struct counted {
	/* the fields that distinguish kinds */
	struct event_generation generation; /* the generation to which these numbers belong */
	uint32_t permit;		    /* permit by which the operations were judged */
	uint32_t conduit, line;
	struct place row;
	struct addr client, server;
	uint16_t server_port, protocol;
	uint8_t l4proto, s2c, space;
	uint8_t wide; /* this kind is not distinguished by its addresses */
	uint32_t targets[TARGET_MAX], function;
	/* addresses; if `wide`, the span of all operations */
	uint64_t first, last;
	/* the fields that do not distinguish kinds */
	uint8_t writes;
	uint64_t low, high; /* smallest and largest written value */
	uint64_t count, sessions, since_ns;
};

/* Operations that were added to a kind before their verdict was sent, and the kind before that. */
struct unsent {
	uint64_t place, was, sessions, times;
};

/*
 * What outlives the worker (wire/kept_counts.h). The worker may be killed between any two stores,
 * so `count` of a kind is stored last, and a place is used again only while its `count` is 0.
 */
struct kept {
	uint64_t n;		 /* places that were ever used */
	uint64_t epoch;		 /* increases whenever places become free, and every hour */
	uint64_t n_unsent, sent; /* the verdicts of the first `sent` were sent */
	uint64_t writing;	 /* 1 + the place whose record is being handed over; 0: none */
	struct unsent unsent[UNSENT_MAX];
	/* the last one: operations for which there was no place */
	struct counted kinds[COUNTS_MAX + 1];
};

_Static_assert(sizeof(struct kept) <= sizeof(((struct kept_counts *)0)->kinds) - LASTING_BYTES, "room for all kinds");

struct counts {
	/* kinds in the segment that is being judged; counted when it passes */
	struct counted held[HELD_MAX];
	uint32_t n_held;
	uint64_t held_more;
	struct kept_counts own, *memory; /* own: until the worker gets memory that outlives it */
	struct kept *kept;		 /* in `memory` */
	uint64_t decided;		 /* of `unsent`: those whose verdict waits to be sent */
	uint16_t free[COUNTS_MAX];	 /* places below kept->n that are free */
	uint32_t n_free;
	uint16_t index[INDEX_SLOTS]; /* open addressing; 0 = free, else place + 1 */
	/* counts of the last segment that passed; `n` above COUNT_AGAIN: not all are listed */
	struct count_again last;
	struct hour hour;
};

static void take_memory(struct counts *all, struct kept_counts *m)
{
	struct kept *k = (void *)m->kinds;
	struct counted *more = &k->kinds[COUNTS_MAX];

	all->memory = m;
	all->kept = k;
	k->epoch += k->epoch == 0;
	*more = (struct counted){
		.conduit = EVENT_NO_CONDUIT, .space = SPACE_NONE, .count = more->count, .since_ns = more->since_ns
	};
}

uint8_t *counts_lasting(const struct counts *all)
{
	return all->memory->kinds + sizeof(all->memory->kinds) - LASTING_BYTES;
}

struct counts *counts_new(void)
{
	struct counts *all = calloc(1, sizeof(*all)); /* untouched pages cost nothing */

	if (all != NULL) {
		all->hour.due_ns = HOUR_NEVER;
		take_memory(all, &all->own);
	}
	return all;
}

void counts_free(struct counts *all)
{
	free(all);
}

/* Stores a value in one step. A worker that is killed has done all stores that come before this one
 * here, or none that come after it. */
static void store_value(uint64_t *at, uint64_t v)
{
	atomic_signal_fence(memory_order_seq_cst);
	__atomic_store_n(at, v, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_seq_cst);
}

/* ---- kinds of operations --------------------------------------------------------------------- */

static bool same_kind(const struct counted *a, const struct counted *b)
{
	return a->function == b->function && a->wide == b->wide &&
	       (a->wide || (a->first == b->first && a->last == b->last)) && a->space == b->space &&
	       a->conduit == b->conduit && a->line == b->line && a->row.file == b->row.file &&
	       a->row.line == b->row.line && a->permit == b->permit && a->server_port == b->server_port &&
	       a->protocol == b->protocol && a->l4proto == b->l4proto && a->s2c == b->s2c &&
	       memcmp(a->targets, b->targets, sizeof(a->targets)) == 0 && addr_cmp(&a->client, &b->client) == 0 &&
	       addr_cmp(&a->server, &b->server) == 0 && event_generation_same(a->generation, b->generation);
}

static uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t mix_addr(uint64_t h, const struct addr *a)
{
	uint64_t half[2];

	memcpy(half, a->b, sizeof(half));
	return hash_mix(hash_mix(hash_mix(h, a->family), half[0]), half[1]);
}

static uint32_t slot_of(const struct counted *c)
{
	uint64_t h = mix_addr(mix_addr(c->generation.digest, &c->client), &c->server);

	h = hash_mix(h, (uint64_t)c->conduit << 32 | c->row.line);
	h = hash_mix(h,
		     (uint64_t)c->function << 32 | (uint64_t)c->server_port << 16 | (uint64_t)c->space << 8 | c->wide);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		h = hash_mix(h, c->targets[i]);
	if (!c->wide)
		h = hash_mix(hash_mix(h, c->first), c->last);
	return (uint32_t)(h >> 32) % INDEX_SLOTS;
}

/* The index slot of a kind, or the free slot where it belongs. There are twice as many slots
 * as kinds. */
static uint16_t *kind_slot(struct counts *all, const struct counted *c)
{
	uint32_t s = slot_of(c);

	while (all->index[s] != 0 && !same_kind(&all->kept->kinds[all->index[s] - 1u], c))
		s = (s + 1u) % INDEX_SLOTS;
	return &all->index[s];
}

/* Widens the bounds of a kind by these operations; its caller adds their number. */
static void kind_widen(struct counted *to, const struct counted *c)
{
	if (to->count == 0) {
		to->since_ns = c->since_ns;
		to->first = c->first;
		to->last = c->last;
		to->low = c->low;
		to->high = c->high;
		to->writes = c->writes;
	}
	to->first = c->first < to->first ? c->first : to->first;
	to->last = c->last > to->last ? c->last : to->last;
	if (c->writes) {
		to->low = !to->writes || c->low < to->low ? c->low : to->low;
		to->high = !to->writes || c->high > to->high ? c->high : to->high;
		to->writes = true;
	}
}

/* The place of the kind, a new one if necessary; COUNTS_MAX: no place is left. */
static uint32_t place_of(struct counts *all, struct counted *c)
{
	uint32_t place = (uint32_t)all->kept->n, used = place - all->n_free;
	uint16_t *slot = kind_slot(all, c);
	struct counted fresh;

	if (*slot == 0 && used >= COUNTS_EXACT) {
		c->wide = true;
		slot = kind_slot(all, c);
	}
	if (*slot != 0)
		return *slot - 1u;
	if (used == COUNTS_MAX)
		return COUNTS_MAX;
	fresh = *c;
	fresh.count = fresh.sessions = 0;
	if (all->n_free > 0)
		place = all->free[--all->n_free];
	all->kept->kinds[place] = fresh;
	if (place == all->kept->n)
		store_value(&all->kept->n, place + 1u);
	*slot = (uint16_t)(place + 1u);
	return place;
}

/* ---- counting -------------------------------------------------------------------------------- */

static void kind_hold(struct counts *all, const struct counted *c)
{
	for (uint32_t k = 0; k < all->n_held; k++)
		if (same_kind(&all->held[k], c)) {
			kind_widen(&all->held[k], c);
			all->held[k].count += c->count;
			return;
		}
	if (all->n_held < HELD_MAX)
		all->held[all->n_held++] = *c;
	else
		all->held_more++;
}

void count_hold(struct crossing *x, enum direction by, const struct operation *o, uint32_t n, const struct pdu *u)
{
	struct counts *all = x->i->counts;
	const struct flow *f = x->f;
	struct counted one = { .generation = rules_generation(x->i->rules, x->permit),
			       .permit = x->permit != NULL ? x->permit->permit : 0,
			       .conduit = u->conduit,
			       .line = u->line,
			       .row = u->row,
			       .client = f->client,
			       .server = f->server,
			       .server_port = f->server_port,
			       .protocol = f->protocol,
			       .l4proto = f->l4proto,
			       .s2c = by == DIR_S2C,
			       .count = 1,
			       .since_ns = x->i->now_ns };

	for (uint32_t k = 0; k < n; k++, o++) {
		struct operation kept = operation_kept(o);

		memcpy(one.targets, o->targets, sizeof(one.targets));
		one.function = o->service;
		one.space = o->space;
		one.first = o->space == SPACE_NONE ? 0 : o->first;
		one.last = o->space == SPACE_NONE || o->count == 0 ? one.first : o->first + o->count - 1u;
		one.writes = kept.values.form == VALUES_BETWEEN;
		one.low = one.writes ? kept.values.lo : 0;
		one.high = one.writes ? (kept.values.n > 1 ? kept.values.hi : kept.values.lo) : 0;
		kind_hold(all, &one);
	}
}

/* The place of this kind, if the session remembers it; else COUNTS_MAX. Most sessions repeat a few
 * kinds of requests, so the table need not be searched for them. */
static uint32_t known_place(const struct counts *all, const struct tally *t, const struct counted *c)
{
	for (uint32_t k = 0; k < t->n; k++)
		if (same_kind(&all->kept->kinds[t->kinds[k]], c))
			return t->kinds[k];
	return COUNTS_MAX;
}

/* Whether the session has no operation of this kind yet, as far as it remembers. */
static bool note_session(struct tally *t, uint32_t place)
{
	for (uint32_t k = 0; k < t->n; k++)
		if (t->kinds[k] == place)
			return false;
	if (t->n == TALLY_KINDS)
		return false;
	t->kinds[t->n++] = (uint16_t)place;
	return true;
}

/* Adds operations to a kind. `passed`: they have passed already; the others are noted as unsent. */
static void count_at(struct counts *all, uint32_t place, const struct counted *c, bool session, bool passed)
{
	struct kept *k = all->kept;
	struct counted *to = &k->kinds[place];

	if (!passed && k->n_unsent < UNSENT_MAX) {
		k->unsent[k->n_unsent] = (struct unsent){ place, to->count, to->sessions, c->count };
		store_value(&k->n_unsent, k->n_unsent + 1u);
	} else if (!passed) {
		all->memory->doubt += c->count;
	}
	kind_widen(to, c);
	to->sessions += session;
	store_value(&to->count, to->count + c->count);
}

static void note_last(struct count_again *a, uint32_t place, uint64_t count)
{
	if (a->n < COUNT_AGAIN) {
		a->kinds[a->n] = (uint16_t)place;
		a->times[a->n++] = (uint32_t)count;
	} else {
		a->n = UINT32_MAX;
	}
}

bool count_holds(const struct inspector *i)
{
	return i->counts->n_held > 0 || i->counts->held_more > 0;
}

bool count_last(const struct inspector *i, struct count_again *ret)
{
	*ret = i->counts->last;
	return ret->n <= COUNT_AGAIN;
}

bool count_knows(const struct inspector *i, const struct count_again *a)
{
	return a->epoch == i->counts->kept->epoch;
}

void count_more(struct inspector *i, const struct count_again *a, uint64_t times)
{
	struct counts *all = i->counts;

	if (times == 0 || a->n == 0 || a->n > COUNT_AGAIN)
		return;
	for (uint32_t k = 0; k < a->n; k++) {
		bool known = count_knows(i, a) && a->kinds[k] < all->kept->n &&
			     all->kept->kinds[a->kinds[k]].client.family != 0;
		struct counted *c = &all->kept->kinds[known ? a->kinds[k] : COUNTS_MAX];

		c->since_ns = c->count == 0 ? i->now_ns : c->since_ns;
		store_value(&c->count, c->count + a->times[k] * times);
	}
	hour_runs(&all->hour, i->now_ns);
}

void count_keep(struct crossing *x, struct tally *t, bool passed)
{
	struct counts *all = x->i->counts;
	bool gone = x->p == NULL || x->p->has_passed;

	if (t->epoch != all->kept->epoch)
		*t = (struct tally){ .epoch = (uint32_t)all->kept->epoch };
	all->last = (struct count_again){ .epoch = t->epoch, .n = all->held_more > 0 ? UINT32_MAX : 0 };
	for (uint32_t k = 0; passed && k < all->n_held; k++) {
		uint32_t place = known_place(all, t, &all->held[k]);

		if (place == COUNTS_MAX)
			place = place_of(all, &all->held[k]);
		if (place == COUNTS_MAX) {
			all->held_more += all->held[k].count;
			all->last.n = UINT32_MAX;
			continue;
		}
		note_last(&all->last, place, all->held[k].count);
		count_at(all, place, &all->held[k], note_session(t, place), gone);
	}
	if (passed && all->held_more > 0)
		count_at(all, COUNTS_MAX, &(struct counted){ .count = all->held_more, .since_ns = x->i->now_ns }, false,
			 gone);
	if (passed && (all->n_held > 0 || all->held_more > 0))
		hour_runs(&all->hour, x->i->now_ns);
	all->n_held = 0;
	all->held_more = 0;
}

/* ---- what was sent, and what is not sent yet ------------------------------------------------- */

void inspector_decided(struct inspector *i)
{
	i->counts->decided = i->counts->kept->n_unsent;
}

void inspector_sends(struct inspector *i)
{
	struct kept *k = i->counts->kept;
	uint64_t doubt = i->counts->memory->doubt;

	for (uint64_t u = k->sent; u < i->counts->decided; u++)
		doubt += k->unsent[u].times;
	store_value(&i->counts->memory->doubt, doubt);
	store_value(&k->sent, i->counts->decided);
}

void inspector_sent(struct inspector *i)
{
	struct kept *k = i->counts->kept;

	if (k->sent == k->n_unsent) {
		store_value(&k->n_unsent, 0);
		store_value(&k->sent, 0);
		i->counts->decided = 0;
	}
	store_value(&i->counts->memory->doubt, 0);
}

/* ---- writing records ------------------------------------------------------------------------- */

/* Hands over the record of a place, whose count then begins anew. */
static void hand_over(const struct inspector *i, const struct event *e, uint32_t place)
{
	struct counts *all = i->counts;
	struct counted *c = &all->kept->kinds[place];

	store_value(&all->memory->doubt, c->count);
	store_value(&all->kept->writing, place + 1u);
	outside_event(&i->limits.outside, e);
	store_value(&c->count, 0);
	c->sessions = 0;
	store_value(&all->kept->writing, 0);
	store_value(&all->memory->doubt, 0);
}

/* False: there is nothing to record. */
static bool write_one(const struct inspector *i, uint32_t place)
{
	const struct counted *c = &i->counts->kept->kinds[place];
	uint64_t quantity = c->space == SPACE_NONE ? 0 : c->last - c->first + 1u;
	struct event e = { .wall_ns = clock_wall_ns(),
			   .kind = EVENT_COUNTS,
			   .verdict = EV_ALLOW,
			   .reason = R_ALLOWED,
			   .permit = c->permit,
			   .generation = c->generation,
			   .conduit = c->conduit,
			   .line = c->line,
			   .row = c->row,
			   .client = c->client,
			   .server = c->server,
			   .server_port = c->server_port,
			   .l4proto = c->l4proto,
			   .s2c = c->s2c,
			   .protocol = c->protocol,
			   .function = c->function,
			   .space = c->space,
			   .address = c->first,
			   .quantity = quantity < UINT32_MAX ? (uint32_t)quantity : UINT32_MAX,
			   .value = event_counts_value(c->sessions, hour_seconds(c->since_ns, i->now_ns)),
			   .code = c->wide ? COUNTS_SPAN : COUNTS_EXACT_PLACES,
			   .count = c->count };

	if (c->count == 0)
		return false;
	memcpy(e.targets, c->targets, sizeof(e.targets));
	if (c->writes) {
		e.limit.what = LIMIT_WROTE;
		limit_allow(&e.limit, c->low, c->high);
	}
	hand_over(i, &e, place);
	return true;
}

/* Frees the place of each kind that had no operation since its last record. */
static void counts_tidy(struct counts *all)
{
	memset(all->index, 0, sizeof(all->index));
	all->n_free = 0;
	for (uint32_t k = 0; k < all->kept->n; k++)
		if (all->kept->kinds[k].count == 0)
			all->free[all->n_free++] = (uint16_t)k;
		else
			*kind_slot(all, &all->kept->kinds[k]) = (uint16_t)(k + 1u);
	store_value(&all->kept->epoch, all->kept->epoch + 1u);
}

void counts_end_hour(struct inspector *i)
{
	hour_end(&i->counts->hour, (uint32_t)i->counts->kept->n, i->now_ns);
}

void counts_write_due(struct inspector *i)
{
	struct counts *all = i->counts;
	struct hour *h = &all->hour;
	unsigned written = 0;

	if (h->due_ns > i->now_ns)
		return;
	if (!h->writing) {
		hour_write(h, (uint32_t)all->kept->n);
		/* sessions count anew in the next hour */
		store_value(&all->kept->epoch, all->kept->epoch + 1u);
	}
	for (; h->at < h->end && written < HOUR_HELPING; h->at++)
		written += write_one(i, h->at);
	if (hour_pauses(h, i->now_ns))
		return;
	write_one(i, COUNTS_MAX);
	counts_tidy(all);
	hour_over(h, all->kept->n > all->n_free, i->now_ns);
}

void counts_write_all(struct inspector *i)
{
	struct counts *all = i->counts;

	for (uint32_t k = 0; k <= COUNTS_MAX; k++)
		if (k < all->kept->n || k == COUNTS_MAX)
			write_one(i, k);
	counts_tidy(all);
	hour_over(&all->hour, false, i->now_ns);
}

uint64_t counts_next_due(const struct counts *all)
{
	return all->hour.due_ns;
}

/* ---- what a former worker left --------------------------------------------------------------- */

/* Takes out of their kinds what was counted, but whose verdict was not sent; the last one first.
 * The last one may not be added yet. */
static void take_out_unsent(struct kept *k)
{
	for (uint64_t u = k->n_unsent; u > k->sent; u--) {
		const struct unsent *x = &k->unsent[u - 1];
		struct counted *c = &k->kinds[x->place <= COUNTS_MAX ? x->place : COUNTS_MAX];

		c->sessions = x->sessions;
		if (u < k->n_unsent || c->count != x->was)
			c->count -= x->times < c->count ? x->times : c->count;
	}
}

/* Whether the permit allows what was counted under it. Permits of other generations are unknown. */
static bool is_allowed(const struct inspector *i, const struct counted *c)
{
	const struct command_table *t = rules_table(i->rules);
	const struct command_permit *p = commands_permit(t, c->permit);

	if (p == NULL || !event_generation_same(rules_generation(i->rules, p), c->generation))
		return true;
	for (uint32_t n = 0; n < p->n_grants; n++) {
		const struct command_grant *g = &t->grants[p->first_grant + n];
		bool row = c->row.line == 0;

		for (uint32_t r = g->first_row; r < g->first_row + g->n_rows && !row; r++)
			row = t->rows[r].line == c->row.line && t->rows[r].file == c->row.file;
		if (row && g->conduit == c->conduit && g->line == c->line)
			return true;
	}
	return false;
}

static bool is_sound(const struct inspector *i, const struct counted *c)
{
	return addr_len(c->client.family) > 0 && c->client.family == c->server.family && c->protocol < PROTO_COUNT &&
	       c->s2c <= 1 && c->wide <= 1 && c->writes <= 1 && c->first <= c->last && c->since_ns <= i->now_ns &&
	       c->permit <= PERMIT_MAX && is_allowed(i, c);
}

uint32_t inspector_keep_counts(struct inspector *i, struct kept_counts *memory)
{
	struct counts *all = i->counts;
	struct kept *k = (void *)memory->kinds;
	uint32_t lost = 0;

	if (k->n > COUNTS_MAX || k->n_unsent > UNSENT_MAX || k->writing > COUNTS_MAX + 1u) {
		memset(k, 0, sizeof(*k));
		lost++;
	}
	take_memory(all, memory);
	take_out_unsent(k);
	if (k->writing > 0)
		k->kinds[k->writing - 1u].count = 0;
	k->n_unsent = k->sent = k->writing = 0;
	memory->doubt = 0;
	memset(all->index, 0, sizeof(all->index));
	all->n_free = 0;
	all->decided = 0;
	for (uint32_t p = 0; p < k->n; p++) {
		struct counted *c = &k->kinds[p];
		uint16_t *slot = c->count > 0 && is_sound(i, c) ? kind_slot(all, c) : NULL;

		if (slot != NULL && *slot == 0) {
			*slot = (uint16_t)(p + 1u);
			continue;
		}
		lost += c->count > 0;
		*c = (struct counted){ .count = 0 };
		all->free[all->n_free++] = (uint16_t)p;
	}
	hour_runs(&all->hour, i->now_ns);
	counts_end_hour(i); /* the next tick begins to record them */
	return lost;
}

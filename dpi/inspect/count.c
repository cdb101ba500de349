/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/count.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/inspect/hour.h"
#include "dpi/inspect/rules.h"

#define HELD_MAX 64u		      /* kinds in one segment */
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
	bool wide; /* this kind is not distinguished by its addresses */
	uint32_t targets[TARGET_MAX], function;
	/* addresses; if `wide`, the span of all operations */
	uint64_t first, last;
	/* the fields that do not distinguish kinds */
	bool writes;
	uint64_t low, high; /* smallest and largest written value */
	uint64_t count, sessions, since_ns;
};

struct counts {
	/* kinds in the segment that is being judged; counted when it passes */
	struct counted held[HELD_MAX];
	uint32_t n_held;
	uint64_t held_more;
	struct counted kinds[COUNTS_MAX];
	uint32_t n;
	uint16_t index[INDEX_SLOTS]; /* open addressing; 0 = free, else place + 1 */
	uint64_t more;		     /* operations for which there was no place, since `more_ns` */
	uint64_t more_ns;
	uint32_t epoch; /* increases whenever kinds change their places, and every hour */
	/* counts of the last segment that passed; `n` above COUNT_AGAIN: not all are listed */
	struct count_again last;
	struct hour hour;
};

struct counts *counts_new(void)
{
	struct counts *all = calloc(1, sizeof(*all)); /* untouched pages cost nothing */

	if (all != NULL) {
		all->hour.due_ns = HOUR_NEVER;
		all->epoch = 1;
	}
	return all;
}

void counts_free(struct counts *all)
{
	free(all);
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

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t mix_addr(uint64_t h, const struct addr *a)
{
	uint64_t half[2];

	memcpy(half, a->b, sizeof(half));
	return mix(mix(mix(h, a->family), half[0]), half[1]);
}

static uint32_t slot_of(const struct counted *c)
{
	uint64_t h = mix_addr(mix_addr(c->generation.digest, &c->client), &c->server);

	h = mix(h, (uint64_t)c->conduit << 32 | c->row.line);
	h = mix(h, (uint64_t)c->function << 32 | (uint64_t)c->server_port << 16 | (uint64_t)c->space << 8 | c->wide);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		h = mix(h, c->targets[i]);
	if (!c->wide)
		h = mix(mix(h, c->first), c->last);
	return (uint32_t)(h >> 32) % INDEX_SLOTS;
}

/* The index slot of a kind, or the free slot where it belongs. There are twice as many slots
 * as kinds. */
static uint16_t *find(struct counts *all, const struct counted *c)
{
	uint32_t s = slot_of(c);

	while (all->index[s] != 0 && !same_kind(&all->kinds[all->index[s] - 1u], c))
		s = (s + 1u) % INDEX_SLOTS;
	return &all->index[s];
}

static void add(struct counted *to, const struct counted *c)
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
	to->count += c->count;
}

/* The place of the kind, a new one if necessary; COUNTS_MAX: no place is left. */
static uint32_t place_of(struct counts *all, struct counted *c)
{
	uint16_t *slot = find(all, c);

	if (*slot == 0 && all->n >= COUNTS_EXACT) {
		c->wide = true;
		slot = find(all, c);
	}
	if (*slot == 0) {
		if (all->n == COUNTS_MAX)
			return COUNTS_MAX;
		all->kinds[all->n] = *c;
		all->kinds[all->n].count = all->kinds[all->n].sessions = 0;
		*slot = (uint16_t)++all->n;
	}
	return *slot - 1u;
}

/* ---- counting -------------------------------------------------------------------------------- */

static void hold(struct counts *all, const struct counted *c)
{
	for (uint32_t k = 0; k < all->n_held; k++)
		if (same_kind(&all->held[k], c)) {
			add(&all->held[k], c);
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
		hold(all, &one);
	}
}

/* The place of this kind, if the session remembers it; else COUNTS_MAX. Most sessions repeat a few
 * kinds of requests, so the table need not be searched for them. */
static uint32_t known_place(const struct counts *all, const struct tally *t, const struct counted *c)
{
	for (uint32_t k = 0; k < t->n; k++)
		if (same_kind(&all->kinds[t->kinds[k]], c))
			return t->kinds[k];
	return COUNTS_MAX;
}

static void note_session(struct counts *all, struct tally *t, uint32_t place)
{
	for (uint32_t k = 0; k < t->n; k++)
		if (t->kinds[k] == place)
			return;
	if (t->n == TALLY_KINDS)
		return;
	t->kinds[t->n++] = (uint16_t)place;
	all->kinds[place].sessions++;
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
	return a->epoch == i->counts->epoch;
}

void count_more(struct inspector *i, const struct count_again *a, uint64_t times)
{
	struct counts *all = i->counts;

	if (times == 0 || a->n == 0 || a->n > COUNT_AGAIN)
		return;
	for (uint32_t k = 0; k < a->n; k++) {
		if (count_knows(i, a)) {
			struct counted *c = &all->kinds[a->kinds[k]];

			c->since_ns = c->count == 0 ? i->now_ns : c->since_ns;
			c->count += a->times[k] * times;
		} else {
			all->more_ns = all->more == 0 ? i->now_ns : all->more_ns;
			all->more += a->times[k] * times;
		}
	}
	hour_runs(&all->hour, i->now_ns);
}

void count_keep(struct crossing *x, struct tally *t, bool passed)
{
	struct counts *all = x->i->counts;

	if (t->epoch != all->epoch)
		*t = (struct tally){ .epoch = all->epoch };
	all->last = (struct count_again){ .epoch = all->epoch, .n = all->held_more > 0 ? UINT32_MAX : 0 };
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
		add(&all->kinds[place], &all->held[k]);
		note_session(all, t, place);
	}
	if (passed && all->held_more > 0) {
		all->more_ns = all->more == 0 ? x->i->now_ns : all->more_ns;
		all->more += all->held_more;
	}
	if (passed && (all->n_held > 0 || all->held_more > 0))
		hour_runs(&all->hour, x->i->now_ns);
	all->n_held = 0;
	all->held_more = 0;
}

/* ---- writing records ------------------------------------------------------------------------- */

static void write_one(const struct inspector *i, struct counted *c)
{
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

	memcpy(e.targets, c->targets, sizeof(e.targets));
	if (c->writes) {
		e.limit.what = LIMIT_WROTE;
		limit_allow(&e.limit, c->low, c->high);
	}
	outside_event(&e);
	c->count = c->sessions = 0;
}

/* Writes the operations without a place as one sum without particulars. */
static void write_more(const struct inspector *i, struct counts *all)
{
	struct event e = { .wall_ns = clock_wall_ns(),
			   .kind = EVENT_COUNTS,
			   .verdict = EV_ALLOW,
			   .reason = R_ALLOWED,
			   .generation = rules_generation(i->rules, NULL),
			   .conduit = EVENT_NO_CONDUIT,
			   .space = SPACE_NONE,
			   .value = event_counts_value(0, hour_seconds(all->more_ns, i->now_ns)),
			   .count = all->more };

	if (all->more == 0)
		return;
	outside_event(&e);
	all->more = 0;
}

/* Frees the place of each kind that had no operation since its last record. */
static void tidy(struct counts *all)
{
	uint32_t n = all->n;

	memset(all->index, 0, sizeof(all->index));
	all->n = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (all->kinds[k].count == 0)
			continue;
		all->kinds[all->n] = all->kinds[k];
		*find(all, &all->kinds[all->n]) = (uint16_t)(all->n + 1u);
		all->n++;
	}
	all->epoch++;
}

void counts_end_hour(struct inspector *i)
{
	hour_end(&i->counts->hour, i->counts->n, i->now_ns);
}

void counts_write_due(struct inspector *i)
{
	struct counts *all = i->counts;
	struct hour *h = &all->hour;
	unsigned written = 0;

	if (h->due_ns > i->now_ns)
		return;
	if (!h->writing) {
		hour_write(h, all->n);
		all->epoch++; /* sessions count anew in the next hour */
	}
	for (; h->at < h->end && written < HOUR_HELPING; h->at++)
		if (all->kinds[h->at].count > 0) {
			write_one(i, &all->kinds[h->at]);
			written++;
		}
	if (hour_pauses(h, i->now_ns))
		return;
	write_more(i, all);
	tidy(all);
	hour_over(h, all->n > 0, i->now_ns);
}

void counts_write_all(struct inspector *i)
{
	struct counts *all = i->counts;

	for (uint32_t k = 0; k < all->n; k++)
		if (all->kinds[k].count > 0)
			write_one(i, &all->kinds[k]);
	write_more(i, all);
	tidy(all);
	hour_over(&all->hour, false, i->now_ns);
}

uint64_t counts_next_due(const struct counts *all)
{
	return all->hour.due_ns;
}

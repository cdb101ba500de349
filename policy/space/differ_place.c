/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/differ_place.h"

#include <stdlib.h>
#include <string.h>

#include "policy/space/intern.h"
#include "policy/space/joint.h"

#define WHAT_NAMES 6u /* names that are listed; of more only the number is told */
#define PLACE_BUDGET ((size_t)256 << 20)

struct differ_sentences {
	struct arena *a, *scratch;
	struct interner known;
	struct differ_line *list; /* by index in `known` */
	size_t n, room;
	struct differ_term *terms; /* every window and every door once */
	size_t n_terms, terms_room;
};

struct differ_sentences *differ_sentences_new(struct arena *a, struct arena *scratch)
{
	struct differ_sentences *s = arena_alloc(scratch, sizeof(*s));

	if (s == NULL)
		return NULL;
	*s = (struct differ_sentences){ .a = a, .scratch = scratch };
	interner_init(&s->known, scratch);
	return s;
}

const struct differ_line *differ_sentence(const struct differ_sentences *s, uint32_t i)
{
	return &s->list[i];
}

/* ---- the rules of one place and time --------------------------------------------------------- */

/* What one policy allows at one place and time. */
struct state {
	const struct differ_pair **pairs; /* the pairs that decide */
	size_t n;
	/* observed: nothing is stopped; transport: nothing is inspected */
	bool observed, transport;
};

/* `open`: by tag, whether the conduit of that pair is open. */
static void state_of(const struct differ_pair *pairs, const uint32_t *tags, size_t n, unsigned side, const bool *open,
		     struct state *ret)
{
	ret->n = 0;
	ret->observed = true;
	ret->transport = false;
	for (size_t i = 0; i < n; i++)
		if (pairs[tags[i]].side == side && open[i])
			ret->observed = ret->observed && pairs[tags[i]].conduit->observe;
	for (size_t i = 0; i < n; i++) {
		const struct differ_pair *p = &pairs[tags[i]];

		if (p->side != side || !open[i] || (!ret->observed && p->conduit->observe))
			continue;
		ret->pairs[ret->n++] = p;
		ret->transport = ret->transport || protocol_info(p->service->protocol)->depth == DEPTH_TRANSPORT;
	}
}

static bool everything(const struct state *s)
{
	return s->observed || s->transport;
}

/* A group of services whose answers are read in the same way. PROTO_NONE: all services. */
struct read_alike {
	enum protocol protocol;
	bool any_manner;
	uint8_t lenient;
	uint32_t undecided_bytes;
};

static bool is_alike(const struct differ_pair *p, const struct read_alike *of)
{
	return p->service->protocol == of->protocol &&
	       (of->any_manner ||
		(p->service->lenient == of->lenient && p->service->undecided_bytes == of->undecided_bytes));
}

static bool rows_of(const struct state *s, const struct read_alike *of, struct arena *a, struct row_set *ret)
{
	const struct command_table **tables;
	const struct command_row **rows;
	size_t n = 0;
	bool any = false;

	*ret = (struct row_set){ .n = 0 };
	for (size_t i = 0; i < s->n; i++) {
		if (!is_alike(s->pairs[i], of))
			continue;
		any = true;
		n += s->pairs[i]->service->n_allows;
		ret->whole = ret->whole || s->pairs[i]->service->whole;
	}
	tables = arena_array(a, n + 1, sizeof(struct command_table *));
	rows = arena_array(a, n + 1, sizeof(struct command_row *));
	ret->tables = tables;
	ret->rows = rows;
	for (size_t i = 0; i < s->n && tables != NULL && rows != NULL; i++)
		for (size_t k = 0; k < s->pairs[i]->service->n_allows && is_alike(s->pairs[i], of); k++) {
			tables[ret->n] = &s->pairs[i]->m->rows.t;
			rows[ret->n++] = &s->pairs[i]->service->allows[k].row;
		}
	return any;
}

/* ---- what differs in a set of conduits that are open together -------------------------------- */

#define TERMS_MEET 24u /* windows and doors at one place, at most; of doors the kernel follows 6 */

/* One difference in its smallest form. */
struct difference {
	enum differ_kind kind;
	bool comes;
	/* `word` is a service, function, setting or text; `group` is the protocol, where words of
	 * several protocols are not joined */
	const char *group, *word;
};

/* Some time during which the same conduits are open. Every moment from now on belongs to the cell
 * of its stretch and of the windows and doors that are open then. */
struct cell {
	uint32_t stretch; /* of time between two moments at which a conduit starts or ends */
	uint32_t bits;	  /* the terms that are open */
	const bool *open; /* by tag: the conduits that are open */
	const uint32_t *differences;
	size_t n;
};

struct finding {
	struct differ_sentences *s;
	struct arena *memory; /* for this place */
	const struct differ_pair *pairs;
	const uint32_t *tags;
	size_t n;
	struct state state[2];
	uint32_t terms[TERMS_MEET]; /* by index in the sentences' list; windows first, then doors */
	unsigned n_windows, n_terms;
	uint32_t *needs;  /* by tag: bits of its window and its door */
	uint64_t *begins; /* of the stretches; the first one begins now */
	size_t n_stretches;
	struct cell *cells;
	size_t n_cells, cells_room;
	struct difference *all;
	size_t n_all, all_room;
	uint32_t *here; /* the differences of the present cell */
	size_t n_here, here_room;
	bool failed;
};

static void say_difference(struct finding *f, enum differ_kind kind, bool comes, const char *group, const char *word)
{
	uint32_t i = 0, *slot;
	struct difference *d;

	while (i < f->n_all && (f->all[i].kind != kind || f->all[i].comes != comes ||
				strcmp(f->all[i].group, group) != 0 || strcmp(f->all[i].word, word) != 0))
		i++;
	if (i == f->n_all) {
		d = arena_grow(f->memory, (void **)&f->all, &f->n_all, &f->all_room, sizeof(*d));
		if (d == NULL)
			return;
		*d = (struct difference){ kind, comes, group, word };
	}
	for (size_t k = 0; k < f->n_here; k++)
		if (f->here[k] == i)
			return;
	slot = arena_grow(f->memory, (void **)&f->here, &f->n_here, &f->here_room, sizeof(*slot));
	if (slot != NULL)
		*slot = i;
}

/* The commands of one protocol that `a` lets pass and `b` does not. */
static void one_way(struct finding *f, const struct state *a, const struct state *b, enum protocol p, bool comes)
{
	const struct read_alike of = { .protocol = p, .any_manner = true };
	const struct vocabulary *v = vocabulary_of(p);
	const char *protocol = protocol_info(p)->name;
	struct row_set ra, rb;
	uint32_t code = 0;
	char number[CODE_TEXT];
	bool *missing;

	if (!rows_of(a, &of, f->memory, &ra))
		return;
	if (!rows_of(b, &of, f->memory, &rb)) {
		say_difference(f, DIFFER_COMMANDS, comes, protocol, "");
		return;
	}
	missing = v != NULL ? arena_array(f->memory, v->n_functions + 1u, sizeof(*missing)) : NULL;
	if (missing == NULL || row_set_within(&ra, &rb, v, f->memory, missing, &code))
		return;
	if (ra.whole) {
		say_difference(f, DIFFER_COMMANDS, comes, protocol, "");
		return;
	}
	for (unsigned i = 0; i < v->n_functions; i++)
		if (missing[i])
			say_difference(f, DIFFER_COMMANDS, comes, protocol, v->functions[i].name);
	if (missing[v->n_functions]) {
		code_text(v, code, number);
		say_difference(f, DIFFER_COMMANDS, comes, protocol, arena_printf(f->s->a, "%s", number));
	}
}

static void commands(struct finding *f)
{
	const struct state *old = &f->state[0], *new = &f->state[1];

	if (everything(old) || everything(new)) {
		if (everything(old) != everything(new))
			say_difference(f, DIFFER_COMMANDS, everything(new), "", "");
		return;
	}
	for (unsigned p = PROTO_NONE + 1; p < PROTO_COUNT; p++) {
		one_way(f, new, old, (enum protocol)p, true);
		one_way(f, old, new, (enum protocol)p, false);
	}
}

/* ---- the treatment of traffic that passes ---------------------------------------------------- */

struct joint_ranks {
	unsigned of[JOINTS];
	bool declares; /* it declares names of TLS servers */
};

/* The strictest value of each setting. Without inspection some settings have no meaning and are
 * left out. */
static struct joint_ranks ranks_of(const struct state *s)
{
	struct joint_ranks j;
	bool tls = false, all_declare = true;

	for (enum joint n = 0; n < JOINTS; n++)
		j.of[n] = joint_settings[n].upward ? 1 : UINT32_MAX;
	for (size_t i = 0; i < s->n; i++) {
		const struct model_conduit *c = s->pairs[i]->conduit;
		bool is_tls = !s->transport && s->pairs[i]->service->protocol == PROTO_TLS;

		for (enum joint n = 0; n < JOINTS; n++)
			if (joint_rank(c, n) < j.of[n] && !(s->transport && joint_settings[n].lane) &&
			    (is_tls || n != JOINT_WEAK_TLS))
				j.of[n] = joint_rank(c, n);
		tls = tls || is_tls;
		all_declare = all_declare && (!is_tls || c->n_servers > 0);
	}
	j.declares = tls && all_declare;
	return j;
}

static bool declares(const struct state *s, const char *server)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->pairs[i]->conduit->n_servers && s->pairs[i]->service->protocol == PROTO_TLS;
		     k++)
			if (strcmp(s->pairs[i]->conduit->servers[k].name, server) == 0)
				return true;
	return false;
}

static bool names_within(const struct state *a, const struct state *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < a->pairs[i]->conduit->n_servers && a->pairs[i]->service->protocol == PROTO_TLS;
		     k++)
			if (!declares(b, a->pairs[i]->conduit->servers[k].name))
				return false;
	return true;
}

/* Whether `b` reads answers in every way in which `a` does, and with rows that allow at least as
 * much. Rows are not compared if both policies let everything pass. */
static bool manners_within(const struct finding *f, const struct state *a, const struct state *b)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct model_service *s = a->pairs[i]->service;
		const struct read_alike of = { s->protocol, false, s->lenient, s->undecided_bytes };
		const struct vocabulary *v = vocabulary_of(s->protocol);
		struct row_set ra, rb;
		uint32_t code;
		bool *missing;

		(void)rows_of(a, &of, f->memory, &ra);
		if (!rows_of(b, &of, f->memory, &rb))
			return false;
		missing = v != NULL ? arena_array(f->memory, v->n_functions + 1u, sizeof(*missing)) : NULL;
		if (missing != NULL && !(everything(a) && everything(b)) &&
		    !row_set_within(&ra, &rb, v, f->memory, missing, &code))
			return false;
	}
	return true;
}

static bool one_manner(const struct state *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (s->pairs[i]->service->lenient != s->pairs[0]->service->lenient ||
		    s->pairs[i]->service->undecided_bytes != s->pairs[0]->service->undecided_bytes)
			return false;
	return true;
}

static bool same_manners(const struct finding *f)
{
	const struct state *a = &f->state[0], *b = &f->state[1];

	if (one_manner(a) && one_manner(b))
		return a->pairs[0]->service->lenient == b->pairs[0]->service->lenient &&
		       a->pairs[0]->service->undecided_bytes == b->pairs[0]->service->undecided_bytes;
	return manners_within(f, a, b) && manners_within(f, b, a);
}

static struct protocol_set protocols_of(const struct state *s)
{
	struct protocol_set found = { 0 };

	for (size_t i = 0; i < s->n; i++)
		protocols_add(&found, s->pairs[i]->service->protocol);
	return found;
}

/* Where both policies only observe: whether the new one records other protocols. Nothing is stopped
 * there, but what the rows do not allow is recorded. */
static bool looks_for_others(const struct state *a, const struct state *b)
{
	struct protocol_set old = protocols_of(a), new = protocols_of(b);

	return a->observed && b->observed && !(protocols_within(&old, &new) && protocols_within(&new, &old));
}

/* "session 8 h -> 12 h" */
static void limits(struct finding *f, enum joint s, unsigned old, unsigned new)
{
	char a[DURATION_TEXT], b[DURATION_TEXT];

	say_difference(f, DIFFER_LIMITS, new > old, joint_settings[s].key,
		       arena_printf(f->s->a, "%s -> %s", duration_text(joint_value(s, old), a),
				    duration_text(joint_value(s, new), b)));
}

static void treated(struct finding *f)
{
	const struct state *a = &f->state[0], *b = &f->state[1];
	const struct joint_ranks old = ranks_of(a), new = ranks_of(b);
	bool same_depth = a->transport == b->transport;

	if (a->observed != b->observed)
		say_difference(f, DIFFER_TREATED, true, "", "mode");
	if (!same_depth || (!a->transport && looks_for_others(a, b)))
		say_difference(f, DIFFER_TREATED, true, "", "protocol");
	for (enum joint n = 0; n < JOINTS; n++)
		if (old.of[n] != new.of[n] && joint_settings[n].words == NULL)
			limits(f, n, old.of[n], new.of[n]);
		else if (old.of[n] != new.of[n] && (same_depth || !joint_settings[n].lane))
			say_difference(f, DIFFER_TREATED, true, "", joint_settings[n].key);
	if (old.declares != new.declares || (old.declares && (!names_within(a, b) || !names_within(b, a))))
		say_difference(f, DIFFER_TREATED, true, "", "names");
	if (!a->transport && !b->transport && !same_manners(f))
		say_difference(f, DIFFER_TREATED, true, "", "lenient, undecided_bytes");
}

static void judge(struct finding *f, const bool *open)
{
	const struct state *old = &f->state[0], *new = &f->state[1];

	for (unsigned side = 0; side < 2; side++)
		state_of(f->pairs, f->tags, f->n, side, open, &f->state[side]);
	if (old->n == 0 || new->n == 0) {
		for (size_t i = 0; i < old->n + new->n; i++)
			say_difference(f, DIFFER_PACKETS, new->n > 0, "",
				       (new->n > 0 ? new : old)->pairs[i]->service->name);
		return;
	}
	commands(f);
	treated(f);
}

/* ---- times ----------------------------------------------------------------------------------- */

/* seconds looked at before and after a named moment: the day itself, and two weeks and more beyond
 * it, because all other weeks have the same hours, and a clock changes in one of two weeks at
 * most */
#define AROUND (16 * 86400u)
#define MONTH (30 * 86400u)
#define LOOKS_MAX 200000u
#define CELLS_MAX 200000u

bool differ_same_hours(const struct model *ma, const struct window *a, const struct model *mb, const struct window *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(ma->time_zone, mb->time_zone) == 0 && a->days == b->days && a->from == b->from &&
	       a->to == b->to && a->first == b->first && a->last == b->last && a->n_except == b->n_except &&
	       (a->n_except == 0 || memcmp(a->except, b->except, a->n_except * sizeof(a->except[0])) == 0);
}

/* The number of a window, or of a door, in the list of all. A door with the same name is the same
 * in both policies. */
static uint32_t term_number(struct differ_sentences *s, const struct differ_term *t)
{
	struct differ_term *slot;
	uint32_t i = 0;

	for (; i < s->n_terms; i++) {
		const struct differ_term *x = &s->terms[i];

		if (t->door != NULL ? x->door != NULL && strcmp(x->door, t->door) == 0
				    : x->door == NULL && differ_same_hours(x->of, x->window, t->of, t->window))
			return i;
	}
	slot = arena_grow(s->scratch, (void **)&s->terms, &s->n_terms, &s->terms_room, sizeof(*slot));
	if (slot != NULL)
		*slot = *t;
	return i;
}

/* The bit of a window or a door at this place. */
static uint32_t term_bit(struct finding *f, const struct differ_term *t)
{
	uint32_t number = term_number(f->s, t);
	unsigned i = 0;

	while (i < f->n_terms && f->terms[i] != number)
		i++;
	if (i == TERMS_MEET) {
		f->failed = true;
		return 0;
	}
	f->terms[i] = number;
	f->n_terms += i == f->n_terms;
	return 1u << i;
}

struct moments {
	struct arena *a;
	uint64_t *list;
	size_t n, room;
};

static void moment_add(struct moments *m, uint64_t at)
{
	uint64_t *slot = arena_grow(m->a, (void **)&m->list, &m->n, &m->room, sizeof(*slot));

	if (slot != NULL)
		*slot = at;
}

/* Finds the stretches of time, and the windows and doors of each conduit. */
static void terms_and_stretches(struct finding *f, uint64_t now)
{
	struct moments m = { .a = f->memory };

	moment_add(&m, now);
	for (size_t i = 0; i < f->n; i++) {
		const struct differ_pair *p = &f->pairs[f->tags[i]];
		const struct model_conduit *c = p->conduit;

		if (c->within != NULL)
			f->needs[i] = term_bit(f, &(struct differ_term){ &c->within->when, p->m, NULL, true });
		if (c->starts > now)
			moment_add(&m, c->starts);
		if (c->until > now)
			moment_add(&m, c->until);
	}
	f->n_windows = f->n_terms;
	for (size_t i = 0; i < f->n; i++) {
		const struct differ_pair *p = &f->pairs[f->tags[i]];

		if (p->conduit->door != NULL)
			f->needs[i] |= term_bit(f, &(struct differ_term){ .door = p->conduit->door->name });
	}
	if (m.n > 1)
		qsort(m.list, m.n, sizeof(*m.list), by_u64);
	f->begins = m.list;
	for (size_t i = 0; i < m.n; i++)
		if (i == 0 || m.list[i] != m.list[i - 1])
			f->begins[f->n_stretches++] = m.list[i];
}

/* What differs in a stretch while these windows and doors are open. */
static void cell_add(struct finding *f, uint32_t stretch, uint32_t bits)
{
	uint64_t at = f->begins[stretch];
	bool *open = arena_array(f->memory, f->n + 1, sizeof(*open));
	struct cell *c = arena_grow(f->memory, (void **)&f->cells, &f->n_cells, &f->cells_room, sizeof(*c));

	if (open == NULL || c == NULL || f->n_cells > CELLS_MAX) {
		f->failed = true;
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct model_conduit *x = f->pairs[f->tags[i]].conduit;

		open[i] = x->starts <= at && (x->until == 0 || at < x->until) && (f->needs[i] & ~bits) == 0;
	}
	for (const struct cell *before = c; before-- > f->cells;)
		if (memcmp(before->open, open, f->n * sizeof(*open)) == 0) {
			*c = (struct cell){ stretch, bits, before->open, before->differences, before->n };
			return;
		}
	f->here = NULL;
	f->n_here = f->here_room = 0;
	judge(f, open);
	*c = (struct cell){ stretch, bits, open, f->here, f->n_here };
}

/* The windows that are open at this moment. *ret: when that changes; 0 = never. */
static uint32_t windows_at(const struct finding *f, uint64_t at, uint64_t *ret)
{
	uint32_t open = 0;

	*ret = 0;
	for (unsigned i = 0; i < f->n_windows; i++) {
		const struct differ_term *t = &f->s->terms[f->terms[i]];
		const struct times when = { .within = t->window };
		uint64_t end, next;

		if (times_hold(&when, &t->of->zone, at, &end, &next)) {
			open |= 1u << i;
			next = end;
		}
		if (next > at && (*ret == 0 || next < *ret))
			*ret = next;
	}
	return open;
}

/* The moments near which hours are not those of every week. By two different clocks, the hours of
 * each other depend on the season. */
static void moments_named(const struct finding *f, struct moments *m)
{
	bool two_clocks = false;
	size_t n;

	for (size_t i = 0; i < f->n_stretches; i++)
		moment_add(m, f->begins[i]);
	for (unsigned i = 0; i < f->n_windows; i++) {
		const struct differ_term *t = &f->s->terms[f->terms[i]];

		two_clocks |= strcmp(t->of->time_zone, f->s->terms[f->terms[0]].of->time_zone) != 0;
		moment_add(m, t->window->first * UINT64_C(86400));
		moment_add(m, t->window->last * UINT64_C(86400));
		for (uint32_t k = 0; k < t->window->n_except; k++)
			moment_add(m, t->window->except[k] * UINT64_C(86400));
	}
	n = m->n;
	for (size_t i = 0; i < n && two_clocks; i++)
		for (unsigned k = 1; k <= 13 && !arena_failed(m->a); k++)
			moment_add(m, m->list[i] + k * MONTH);
	if (m->n > 1)
		qsort(m->list, m->n, sizeof(*m->list), by_u64);
}

/* Adds a cell for each combination of open and shut doors. */
static void cells_at(struct finding *f, uint32_t stretch, uint32_t windows)
{
	for (size_t i = 0; i < f->n_cells; i++)
		if (f->cells[i].stretch == stretch && f->cells[i].bits == windows)
			return;
	for (uint32_t doors = 0; doors < 1u << (f->n_terms - f->n_windows) && !f->failed; doors++)
		cell_add(f, stretch, windows | doors << f->n_windows);
}

/* Finds all cells. Windows are looked at around the named moments and in an ordinary week. */
static void find_cells(struct finding *f)
{
	struct moments named = { .a = f->memory };
	uint64_t at = f->begins[0];
	uint32_t stretch = 0;
	unsigned looks = 0;

	moments_named(f, &named);
	for (size_t i = 0; i < named.n && !f->failed; i++) {
		if (named.list[i] > at + AROUND)
			at = named.list[i] - AROUND;
		while (at <= named.list[i] + AROUND && !f->failed) {
			uint64_t edge;
			uint32_t windows = windows_at(f, at, &edge);

			while (stretch + 1 < f->n_stretches && f->begins[stretch + 1] <= at)
				stretch++;
			cells_at(f, stretch, windows);
			if (stretch + 1 < f->n_stretches && (edge == 0 || f->begins[stretch + 1] < edge))
				edge = f->begins[stretch + 1];
			if (edge == 0)
				return; /* nothing changes any more */
			f->failed = f->failed || ++looks > LOOKS_MAX || arena_failed(f->memory);
			at = edge;
		}
	}
}

/* ---- sentences ------------------------------------------------------------------------------- */

/* Successive stretches, and the terms of `mask`, which are open if their bit is set. */
struct during {
	uint32_t first, last, mask, bits;
};

static bool in_it(const struct during *d, const struct cell *c)
{
	return d->first <= c->stretch && c->stretch <= d->last && ((c->bits ^ d->bits) & d->mask) == 0;
}

/* Whether all cells of it are wanted. */
static bool all_wanted(const struct finding *f, const struct during *d, const bool *wanted)
{
	for (size_t i = 0; i < f->n_cells; i++)
		if (in_it(d, &f->cells[i]) && !wanted[i])
			return false;
	return true;
}

/* The longest and simplest time around a cell that only has wanted cells: what need not be said is
 * left out, first what is shut. */
static struct during widest(const struct finding *f, const struct cell *around, const bool *wanted)
{
	struct during d = { around->stretch, around->stretch, (1u << f->n_terms) - 1, around->bits }, more = d;

	for (more.last++; more.last < f->n_stretches && all_wanted(f, &more, wanted); more.last++)
		d.last = more.last;
	for (more = d; more.first-- > 0 && all_wanted(f, &more, wanted);)
		d.first = more.first;
	for (unsigned open = 0; open < 2; open++)
		for (uint32_t i = f->n_terms; i-- > 0;) {
			uint32_t bit = 1u << i;

			more = d;
			more.mask &= ~bit;
			if (((d.bits & bit) != 0) == (open == 1) && all_wanted(f, &more, wanted))
				d = more;
		}
	return d;
}

/* How well a pair explains a difference: 3 if its policy is the one that allows more, and it is
 * about the same service or protocol. */
static unsigned explains(const struct differ_pair *p, const struct difference *d)
{
	if (!p->wanted || p->side != (d->comes ? 1u : 0u))
		return p->wanted;
	return d->kind == DIFFER_PACKETS    ? strcmp(p->service->name, d->word) == 0 ? 3 : 2
	       : d->kind == DIFFER_COMMANDS ? strcmp(protocol_info(p->service->protocol)->name, d->group) == 0 ? 3 : 2
					    : 3;
}

/* Chooses the conduit that a sentence is about, by tag: one that differs and is open. It explains
 * the difference best, and for most of the time that is left. */
static size_t about_whom(const struct finding *f, const struct difference *d, const bool *left)
{
	size_t best = 0, most = 0;

	for (size_t i = 0; i < f->n; i++) {
		size_t why = explains(&f->pairs[f->tags[i]], d), cells = 0;

		for (size_t k = 0; k < f->n_cells && why > 0; k++)
			cells += left[k] && f->cells[k].open[i];
		if (cells > 0 && why * CELLS_MAX + cells > most) {
			best = i;
			most = why * CELLS_MAX + cells;
		}
	}
	return best;
}

/* A sentence that is not finished: other words may join. */
struct draft {
	enum differ_kind kind;
	bool comes;
	const char *group;
	size_t by;
	struct during when;
	const char *text; /* "old, new" */
	size_t n, more;
};

struct drafts {
	struct draft *list;
	size_t n, room;
};

static void draft_add(struct finding *f, struct drafts *all, const struct difference *d, size_t by,
		      const struct during *when)
{
	struct draft *x = NULL;

	for (size_t i = 0; i < all->n && x == NULL; i++) {
		struct draft *y = &all->list[i];

		if (y->kind == d->kind && y->comes == d->comes && strcmp(y->group, d->group) == 0 &&
		    f->pairs[f->tags[y->by]].conduit == f->pairs[f->tags[by]].conduit &&
		    memcmp(&y->when, when, sizeof(*when)) == 0)
			x = y;
	}
	if (x == NULL) {
		x = arena_grow(f->memory, (void **)&all->list, &all->n, &all->room, sizeof(*x));
		if (x == NULL)
			return;
		*x = (struct draft){ d->kind, d->comes, d->group, by, *when, d->group, 0, 0 };
	}
	if (x->n == WHAT_NAMES)
		x->more++;
	else if (*d->word != '\0')
		x->text = arena_printf(f->s->a, "%s%s%s", x->text,
				       x->n++ > 0	  ? ", "
				       : *x->text != '\0' ? " "
							  : "",
				       d->word);
}

static void drafts_of(struct finding *f, uint32_t which, struct drafts *all)
{
	bool *left = arena_array(f->memory, f->n_cells, sizeof(*left)),
	     *wanted = arena_array(f->memory, f->n_cells, sizeof(*wanted));
	size_t n = 0;

	if (left == NULL || wanted == NULL)
		return;
	for (size_t i = 0; i < f->n_cells; i++) {
		left[i] = false;
		for (size_t k = 0; k < f->cells[i].n; k++)
			left[i] = left[i] || f->cells[i].differences[k] == which;
		n += left[i];
	}
	memcpy(wanted, left, f->n_cells * sizeof(*left));
	while (n > 0 && !arena_failed(f->memory)) {
		size_t by = about_whom(f, &f->all[which], left);
		bool *where = arena_array(f->memory, f->n_cells, sizeof(*where));

		for (size_t i = 0; i < f->n_cells && where != NULL; i++)
			where[i] = wanted[i] && f->cells[i].open[by];
		for (size_t i = 0; i < f->n_cells && where != NULL; i++) {
			struct during when;

			if (!left[i] || !where[i])
				continue;
			when = widest(f, &f->cells[i], where);
			draft_add(f, all, &f->all[which], by, &when);
			for (size_t k = 0; k < f->n_cells; k++)
				if (left[k] && in_it(&when, &f->cells[k])) {
					left[k] = false;
					n--;
				}
		}
	}
}

static uint32_t hash_of(const char *text, uint32_t seed)
{
	for (; *text != '\0'; text++)
		seed = (seed ^ (uint8_t)*text) * 16777619u;
	return seed;
}

static bool keep_sentence(struct finding *f, const struct draft *d, uint32_t *ret)
{
	const struct differ_pair *by = &f->pairs[f->tags[d->by]];
	struct differ_sentences *s = f->s;
	struct differ_line line = { .kind = d->kind, .comes = d->comes, .by = by->conduit, .by_old = by->side == 0 },
			   *slot;
	uint32_t key[10 + TERMS_MEET], n = 10;
	struct differ_term *terms = arena_array(s->a, f->n_terms + 1, sizeof(*terms));
	bool is_new;

	line.what = d->more > 0 ? arena_printf(s->a, "%s, +%zu", d->text, d->more) : d->text;
	line.since = d->when.first > 0 ? f->begins[d->when.first] : 0;
	line.until = d->when.last + 1 < f->n_stretches ? f->begins[d->when.last + 1] : 0;
	line.terms = terms;
	if (terms == NULL || line.what == NULL)
		return false;
	/* windows that are open, then those that are shut, then doors */
	for (unsigned k = 0; k < 2 * f->n_terms; k++) {
		unsigned i = k < f->n_terms ? k : k - f->n_terms;
		bool open = (d->when.bits >> i & 1) != 0, first = open && i < f->n_windows;

		if ((d->when.mask >> i & 1) == 0 || first != (k < f->n_terms))
			continue;
		terms[line.n_terms] = s->terms[f->terms[i]];
		terms[line.n_terms++].open = open;
		key[n++] = f->terms[i] << 1 | open;
	}
	key[0] = (uint32_t)d->kind;
	key[1] = d->comes;
	key[2] = by->conduit->index;
	key[3] = by->side;
	key[4] = (uint32_t)line.since;
	key[5] = (uint32_t)(line.since >> 32);
	key[6] = (uint32_t)line.until;
	key[7] = (uint32_t)(line.until >> 32);
	key[8] = hash_of(line.what, 2166136261u);
	key[9] = hash_of(line.what, 97u);
	if (!intern(&s->known, key, n, ret, &is_new))
		return false;
	if (!is_new)
		return true;
	slot = arena_grow(s->scratch, (void **)&s->list, &s->n, &s->room, sizeof(*slot));
	line.number = *ret;
	if (slot != NULL)
		*slot = line;
	return slot != NULL;
}

static bool find(struct finding *f, uint64_t now, struct differ_found *ret)
{
	struct drafts all = { 0 };

	f->needs = arena_array(f->memory, f->n + 1, sizeof(*f->needs));
	for (unsigned side = 0; side < 2; side++)
		f->state[side].pairs = arena_array(f->memory, f->n + 1, sizeof(struct differ_pair *));
	if (arena_failed(f->memory))
		return false;
	memset(f->needs, 0, f->n * sizeof(*f->needs));
	terms_and_stretches(f, now);
	if (f->failed || arena_failed(f->memory))
		return false;
	find_cells(f);
	for (uint32_t i = 0; i < f->n_all && !f->failed; i++)
		drafts_of(f, i, &all);
	ret->said = arena_array(f->s->scratch, all.n + 1, sizeof(*ret->said));
	if (f->failed || arena_failed(f->memory) || ret->said == NULL)
		return false;
	for (; ret->n < all.n; ret->n++)
		if (!keep_sentence(f, &all.list[ret->n], &ret->said[ret->n]))
			return false;
	return true;
}

bool differ_find(struct differ_sentences *s, const struct differ_pair *pairs, const uint32_t *tags, size_t n,
		 uint64_t now, struct differ_found *ret)
{
	struct finding f = { .s = s, .memory = arena_new(PLACE_BUDGET), .pairs = pairs, .tags = tags, .n = n };
	bool ok = f.memory != NULL;

	*ret = (struct differ_found){ 0 };
	ok = ok && find(&f, now, ret);
	arena_free(f.memory);
	return ok;
}

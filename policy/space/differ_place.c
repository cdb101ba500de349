/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/differ_place.h"

#include <stdlib.h>
#include <string.h>

#include "policy/space/intern.h"

#define WHAT_NAMES 6u /* names that are listed; of more only the number is told */

struct differ_sentences {
	struct arena *a, *scratch;
	struct interner known;
	struct differ_line *list; /* by index in `known` */
	size_t n, room;
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

/* doors at one place, at most: three of each policy, because the kernel can follow no more
 * (together.c) */
#define DOORS_MEET 6u

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

/* ---- sentences ------------------------------------------------------------------------------- */

struct finding {
	struct differ_sentences *s;
	const struct differ_pair *pairs;
	const uint32_t *tags;
	size_t n;
	struct state state[2];
	bool *open; /* by tag: it holds at the present moment */
	/* the span of time around that moment; both are 0 if hours are involved */
	uint64_t since, until;
	const char *doors[DOORS_MEET]; /* the doors of any of the conduits */
	unsigned n_doors;
	uint32_t shut; /* bits of the doors that are shut */
	struct differ_found *ret;
	struct differ_line *lines; /* [DIFFER_FOUND]: the differences so far */
	bool failed;
};

/* Chooses the conduit that a sentence is about: one that differs, if possible of the policy
 * `side`. */
static const struct differ_pair *for_whom(const struct finding *f, unsigned side)
{
	const struct differ_pair *best = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct differ_pair *p = &f->pairs[f->tags[i]];

		if (p->wanted && (best == NULL || (best->side != side && p->side == side)))
			best = p;
	}
	return best;
}

static void say(struct finding *f, enum differ_kind kind, bool comes, const char *what)
{
	const struct differ_pair *by = for_whom(f, comes ? 1 : 0);
	struct differ_line line = { kind, comes, what, by->conduit, by->side == 0, f->since, f->until, NULL, 0 };

	if (what == NULL) {
		f->failed = true;
		return;
	}
	for (uint32_t i = 0; i < f->ret->n; i++) {
		struct differ_line *l = &f->lines[i];

		if (l->kind != kind || l->comes != comes || l->by != line.by || strcmp(l->what, what) != 0)
			continue;
		if (l->until == f->since && f->since != 0)
			l->until = f->until;
		else if (l->since != f->since || l->until != f->until)
			continue;
		return;
	}
	if (f->ret->n < DIFFER_FOUND)
		f->lines[f->ret->n++] = line;
}

/* "old, new": distinct names. */
struct naming {
	struct arena *a;
	const char *text;
	size_t n, more;
};

static void name(struct naming *k, const char *before, const char *word)
{
	if (k->n == WHAT_NAMES) {
		k->more++;
		return;
	}
	k->text = arena_printf(k->a, "%s%s%s%s%s", k->text != NULL ? k->text : "", k->n > 0 ? ", " : "", before,
			       *before != '\0' ? " " : "", word);
	k->n++;
}

static const char *named(struct naming *k)
{
	return k->more > 0	 ? arena_printf(k->a, "%s, +%zu", k->text != NULL ? k->text : "", k->more)
	       : k->text != NULL ? k->text
				 : "";
}

static const char *services(const struct finding *f, const struct state *s)
{
	struct naming k = { .a = f->s->a };

	for (size_t i = 0; i < s->n; i++) {
		bool before = false;

		for (size_t x = 0; x < i; x++)
			before = before || strcmp(s->pairs[x]->service->name, s->pairs[i]->service->name) == 0;
		if (!before)
			name(&k, "", s->pairs[i]->service->name);
	}
	return named(&k);
}

/* The commands of one protocol that `a` lets pass and `b` does not. */
static void one_way(struct finding *f, const struct state *a, const struct state *b, enum protocol p, bool comes)
{
	const struct read_alike of = { .protocol = p, .any_manner = true };
	const struct vocabulary *v = vocabulary_of(p);
	struct naming k = { .a = f->s->a };
	struct row_set ra, rb;
	uint32_t code = 0;
	char number[CODE_TEXT];
	bool *missing;

	if (!rows_of(a, &of, f->s->scratch, &ra))
		return;
	if (!rows_of(b, &of, f->s->scratch, &rb)) {
		say(f, DIFFER_COMMANDS, comes, protocol_info(p)->name);
		return;
	}
	missing = v != NULL ? arena_array(f->s->scratch, v->n_functions + 1u, sizeof(*missing)) : NULL;
	if (missing == NULL || row_set_within(&ra, &rb, v, f->s->scratch, missing, &code))
		return;
	if (ra.whole) {
		say(f, DIFFER_COMMANDS, comes, protocol_info(p)->name);
		return;
	}
	for (unsigned i = 0; i < v->n_functions; i++)
		if (missing[i])
			name(&k, k.n == 0 ? protocol_info(p)->name : "", v->functions[i].name);
	if (missing[v->n_functions]) {
		code_text(v, code, number);
		name(&k, k.n == 0 ? protocol_info(p)->name : "", number);
	}
	say(f, DIFFER_COMMANDS, comes, named(&k));
}

static void commands(struct finding *f)
{
	const struct state *old = &f->state[0], *new = &f->state[1];

	if (everything(old) || everything(new)) {
		if (everything(old) != everything(new))
			say(f, DIFFER_COMMANDS, everything(new), "");
		return;
	}
	for (unsigned p = PROTO_NONE + 1; p < PROTO_COUNT; p++) {
		one_way(f, new, old, (enum protocol)p, true);
		one_way(f, old, new, (enum protocol)p, false);
	}
}

/* ---- the treatment of traffic that passes ---------------------------------------------------- */

struct joint {
	unsigned when_down, when_overloaded, midstream, criticality, tighten, idle, session, weak_tls;
	bool declares; /* it declares names of TLS servers */
};

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The strictest value of each setting. Without inspection some settings have no meaning and are
 * left out. */
static struct joint joint_of(const struct state *s)
{
	struct joint j = {
		UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0, false
	};
	bool tls = false, all_declare = true;

	for (size_t i = 0; i < s->n; i++) {
		const struct model_conduit *c = s->pairs[i]->conduit;

		j.midstream = least(j.midstream, c->when_midstream);
		j.tighten = least(j.tighten, c->tighten_new_flows);
		j.idle = c->idle != 0 ? least(j.idle, c->idle) : j.idle;
		j.session = c->session != 0 ? least(j.session, c->session) : j.session;
		if (s->transport)
			continue;
		j.when_down = least(j.when_down, c->when_down);
		j.when_overloaded = least(j.when_overloaded, c->when_overloaded);
		j.criticality = least(j.criticality, c->criticality);
		if (s->pairs[i]->service->protocol != PROTO_TLS)
			continue;
		tls = true;
		j.weak_tls |= c->deny_weak_tls;
		all_declare = all_declare && c->n_servers > 0;
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

		(void)rows_of(a, &of, f->s->scratch, &ra);
		if (!rows_of(b, &of, f->s->scratch, &rb))
			return false;
		missing = v != NULL ? arena_array(f->s->scratch, v->n_functions + 1u, sizeof(*missing)) : NULL;
		if (missing != NULL && !(everything(a) && everything(b)) &&
		    !row_set_within(&ra, &rb, v, f->s->scratch, missing, &code))
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
static void limits(struct finding *f, const char *key, unsigned old, unsigned new)
{
	char a[DURATION_TEXT], b[DURATION_TEXT];

	if (old != new)
		say(f, DIFFER_LIMITS, new > old,
		    arena_printf(f->s->a, "%s %s -> %s", key, duration_text(old != UINT32_MAX ? old : 0, a),
				 duration_text(new != UINT32_MAX ? new : 0, b)));
}

static void treated(struct finding *f)
{
	const struct state *a = &f->state[0], *b = &f->state[1];
	const struct joint old = joint_of(a), new = joint_of(b);
	struct naming k = { .a = f->s->a };

	if (a->observed != b->observed)
		name(&k, "", "mode");
	if (a->transport != b->transport || (!a->transport && looks_for_others(a, b)))
		name(&k, "", "protocol");
	if (a->transport == b->transport && old.when_down != new.when_down)
		name(&k, "", "when_down");
	if (a->transport == b->transport && old.when_overloaded != new.when_overloaded)
		name(&k, "", "when_overloaded");
	if (old.midstream != new.midstream)
		name(&k, "", "when_midstream");
	if (a->transport == b->transport && old.criticality != new.criticality)
		name(&k, "", "criticality");
	if (old.tighten != new.tighten)
		name(&k, "", "on_tighten");
	if (old.weak_tls != new.weak_tls)
		name(&k, "", "weak_tls");
	if (old.declares != new.declares || (old.declares && (!names_within(a, b) || !names_within(b, a))))
		name(&k, "", "names");
	if (!a->transport && !b->transport && !same_manners(f))
		name(&k, "", "lenient, undecided_bytes");
	if (k.n > 0)
		say(f, DIFFER_TREATED, true, named(&k));
	limits(f, "idle", old.idle, new.idle);
	limits(f, "session", old.session, new.session);
}

/* ---- times ----------------------------------------------------------------------------------- */

/* seconds looked at before and after a named moment: the day itself, and a week and a day beyond
 * it, because all other weeks have the same hours */
#define AROUND (9 * 86400u)
#define EDGES_MAX 20000u

/* The bit of the pair's door; 0 = no door. A door with the same name is the same in both
 * policies. */
static uint32_t door_bit(struct finding *f, const struct differ_pair *p)
{
	unsigned d = 0;

	if (p->conduit->door == NULL)
		return 0;
	while (d < f->n_doors && strcmp(f->doors[d], p->conduit->door->name) != 0)
		d++;
	if (d == DOORS_MEET)
		f->failed = true;
	else if (d == f->n_doors)
		f->doors[f->n_doors++] = p->conduit->door->name;
	return f->failed ? 0 : 1u << d;
}

/* Sets which conduits hold at this moment with some doors shut. Returns until when that stays so; 0
 * = for good. */
static uint64_t look(struct finding *f, uint64_t at)
{
	uint64_t edge = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct differ_pair *p = &f->pairs[f->tags[i]];
		struct times t = conduit_times(p->conduit);
		uint64_t end = 0, next = 0;

		t.door = NULL;
		f->open[i] = times_hold(&t, &p->m->zone, at, &end, &next);
		end = f->open[i] ? end : next;
		f->open[i] = f->open[i] && (door_bit(f, p) & f->shut) == 0;
		if (end > at && (edge == 0 || end < edge))
			edge = end;
	}
	return edge;
}

static void at_one_moment(struct finding *f)
{
	const struct state *old = &f->state[0], *new = &f->state[1];

	if (old->n == 0 && new->n == 0)
		return;
	if (old->n == 0 || new->n == 0) {
		say(f, DIFFER_PACKETS, new->n > 0, services(f, new->n > 0 ? new : old));
		return;
	}
	commands(f);
	treated(f);
}

static void judge(struct finding *f)
{
	for (unsigned side = 0; side < 2; side++)
		state_of(f->pairs, f->tags, f->n, side, f->open, &f->state[side]);
	at_one_moment(f);
}

/* Judges each span of time between two ends of conduits, the last without end. */
static void until_the_last_end(struct finding *f, uint64_t now)
{
	for (uint64_t at = now; !f->failed; at = f->until) {
		f->since = at != now ? at : 0;
		f->until = look(f, at);
		judge(f);
		if (f->until == 0)
			return;
	}
}

static bool opens_by_hours(const struct finding *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct times t = conduit_times(f->pairs[f->tags[i]].conduit);

		if (times_open(&t))
			return true;
	}
	return false;
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

/* Adds the days that somebody named. */
static void moments_named(struct moments *m, const struct differ_pair *p)
{
	struct times t = conduit_times(p->conduit);

	moment_add(m, t.starts);
	moment_add(m, t.until);
	if (t.within == NULL)
		return;
	moment_add(m, t.within->first * UINT64_C(86400));
	moment_add(m, t.within->last * UINT64_C(86400));
	for (uint32_t i = 0; i < t.within->n_except; i++)
		moment_add(m, t.within->except[i] * UINT64_C(86400));
}

/* Whether the set of conduits that are open now is new, and notes it in `seen`. */
static bool is_new_set(struct finding *f, struct moments *seen)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < f->n; i++)
		hash = (hash ^ f->open[i]) * UINT64_C(1099511628211);
	for (size_t i = 0; i < seen->n; i++)
		if (seen->list[i] == hash)
			return false;
	moment_add(seen, hash);
	return true;
}

/* Looks at each set that is open together at some time from now on: around the named days and in an
 * ordinary week, with any of its doors shut. */
static void in_all_hours(struct finding *f, uint64_t now)
{
	struct moments named = { .a = f->s->scratch }, seen = { .a = f->s->scratch };
	uint64_t at = now;
	unsigned steps = 0;

	moment_add(&named, now);
	for (size_t i = 0; i < f->n; i++) {
		moments_named(&named, &f->pairs[f->tags[i]]);
		(void)door_bit(f, &f->pairs[f->tags[i]]);
	}
	if (arena_failed(f->s->scratch)) {
		f->failed = true;
		return;
	}
	qsort(named.list, named.n, sizeof(*named.list), by_u64);
	for (size_t i = 0; i < named.n; i++) {
		if (named.list[i] > at + AROUND)
			at = named.list[i] - AROUND;
		while (at != 0 && at <= named.list[i] + AROUND && !f->failed) {
			uint64_t edge = 0;

			for (f->shut = 0; f->shut < 1u << f->n_doors; f->shut++) {
				edge = look(f, at);
				if (is_new_set(f, &seen))
					judge(f);
			}
			f->failed = f->failed || ++steps > EDGES_MAX || arena_failed(f->s->scratch);
			at = edge;
		}
		if (at == 0)
			return; /* nothing changes any more */
	}
}

static uint32_t hash_of(const char *text, uint32_t seed)
{
	for (; *text != '\0'; text++)
		seed = (seed ^ (uint8_t)*text) * 16777619u;
	return seed;
}

static bool keep(struct differ_sentences *s, const struct differ_line *l, uint32_t *ret)
{
	const uint32_t key[] = { (uint32_t)l->kind,
				 l->comes,
				 l->by->index,
				 l->by_old,
				 (uint32_t)l->since,
				 (uint32_t)(l->since >> 32),
				 (uint32_t)l->until,
				 (uint32_t)(l->until >> 32),
				 hash_of(l->what, 2166136261u),
				 hash_of(l->what, 97u) };
	struct differ_line *slot;
	bool is_new;

	if (!intern(&s->known, key, sizeof(key) / sizeof(key[0]), ret, &is_new))
		return false;
	if (!is_new)
		return true;
	slot = arena_grow(s->scratch, (void **)&s->list, &s->n, &s->room, sizeof(*slot));
	if (slot != NULL)
		*slot = *l;
	return slot != NULL;
}

bool differ_find(struct differ_sentences *s, const struct differ_pair *pairs, const uint32_t *tags, size_t n,
		 uint64_t now, struct differ_found *ret)
{
	struct differ_line lines[DIFFER_FOUND];
	struct finding f = { .s = s, .pairs = pairs, .tags = tags, .n = n, .ret = ret, .lines = lines };

	ret->n = 0;
	f.open = arena_array(s->scratch, n + 1, sizeof(*f.open));
	for (unsigned side = 0; side < 2; side++) {
		f.state[side].pairs = arena_array(s->scratch, n + 1, sizeof(struct differ_pair *));
		if (f.state[side].pairs == NULL)
			return false;
	}
	if (f.open == NULL)
		return false;
	if (opens_by_hours(&f))
		in_all_hours(&f, now);
	else
		until_the_last_end(&f, now);
	for (uint32_t i = 0; i < ret->n && !f.failed; i++)
		f.failed = !keep(s, &lines[i], &ret->said[i]);
	return !f.failed;
}

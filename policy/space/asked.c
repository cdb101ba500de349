/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/space/asked.h"

#include <string.h>

#include "appliance/wire/evaluate.h"
#include "appliance/wire/notation.h"
#include "policy/check/port.h"

/* ---- the ends -------------------------------------------------------------------------------- */

static bool called(const char *text, const char *name, const char *label)
{
	return strcmp(text, name) == 0 || (label[0] != '\0' && strcmp(text, label) == 0);
}

static struct asked_end zone_end(const struct model_zone *z)
{
	return (struct asked_end){ z, NULL, z->ranges, z->n_ranges };
}

static struct asked_end asset_end(const struct model_asset *x)
{
	return (struct asked_end){ x->zone, x, x->ranges, x->n_ranges };
}

/* Whether the asset belongs to the machine with that name or label, for instance "rtg07" or "RTG
 * 7号機" of "rtg07.plc". */
static bool of_machine(const struct model_asset *x, const char *text)
{
	const char *dot = strrchr(x->name, '.');
	size_t n = strlen(text);

	if (dot == NULL)
		return false;
	return (n == (size_t)(dot - x->name) && strncmp(x->name, text, n) == 0) ||
	       (strncmp(x->label, text, n) == 0 && x->label[n] == ' ' && strcmp(x->label + n + 1, dot + 1) == 0);
}

/* Whether the asset belongs to the group or, without one, to the machine of that name. */
static bool is_meant(const struct model_asset *x, const struct model_zone *z, const struct model_group *g,
		     const char *text)
{
	return x->zone == z && (g != NULL ? name_among(x->name, g->assets, g->n_assets) : of_machine(x, text));
}

/* All addresses of the named assets in this zone as one end. False: there are none. */
static bool several_in(const struct model *m, const struct model_group *g, const char *text, const struct model_zone *z,
		       struct arena *a, struct asked_end *ret)
{
	struct addr_range *ranges;
	size_t n = 0;

	*ret = zone_end(z);
	if (g != NULL && name_among(z->name, g->zones, g->n_zones))
		return true;
	for (size_t i = 0; i < m->n_assets; i++)
		if (is_meant(&m->assets[i], z, g, text))
			n += m->assets[i].n_ranges;
	ranges = n > 0 ? arena_array(a, n, sizeof(*ranges)) : NULL;
	if (ranges == NULL)
		return false;
	n = 0;
	for (size_t i = 0; i < m->n_assets; i++) {
		const struct model_asset *x = &m->assets[i];

		if (!is_meant(x, z, g, text))
			continue;
		memcpy(ranges + n, x->ranges, x->n_ranges * sizeof(*ranges));
		n += x->n_ranges;
	}
	ret->ranges = ranges;
	ret->n = n;
	return true;
}

static size_t several_ends(const struct model *m, const char *text, struct arena *a, struct asked_end *ret)
{
	const struct model_group *g = NULL;
	size_t n = 0;

	for (size_t i = 0; i < m->n_groups && g == NULL; i++)
		g = strcmp(m->groups[i].name, text) == 0 ? &m->groups[i] : NULL;
	for (size_t z = 0; z < m->n_zones; z++)
		n += several_in(m, g, text, &m->zones[z], a, &ret[n]);
	return n;
}

static size_t called_so(const struct model *m, const char *text, struct asked_end *ret)
{
	for (size_t i = 0; i < m->n_zones; i++)
		if (called(text, m->zones[i].name, m->zones[i].label)) {
			ret[0] = zone_end(&m->zones[i]);
			return 1;
		}
	for (size_t i = 0; i < m->n_assets; i++)
		if (called(text, m->assets[i].name, m->assets[i].label)) {
			ret[0] = asset_end(&m->assets[i]);
			return 1;
		}
	return 0;
}

/* A host is in every zone that has its address. These are several zones if each of them takes the
 * unclaimed addresses behind its interfaces. */
static size_t host_ends(const struct model *m, const struct addr_range *host, struct asked_end *ret)
{
	size_t n = 0;

	for (size_t z = 0; z < m->n_zones; z++)
		for (size_t i = 0; i < m->zones[z].n_ranges; i++)
			if (addr_in(&host->lo, &m->zones[z].ranges[i]))
				ret[n++] = (struct asked_end){ &m->zones[z], NULL, host, 1 };
	if (n == 0)
		ret[n++] = (struct asked_end){ NULL, NULL, host, 1 };
	return n;
}

size_t asked_ends(const struct model *m, const char *text, struct arena *a, struct asked_end **ret)
{
	struct addr_range *host = arena_alloc(a, sizeof(*host));
	size_t n;

	*ret = arena_array(a, m->n_zones + 1, sizeof(**ret));
	if (host == NULL || *ret == NULL)
		return 0;
	n = called_so(m, text, *ret);
	n = n > 0 ? n : several_ends(m, text, a, *ret);
	if (n > 0 || !addr_parse(text, &host->lo))
		return n;
	host->hi = host->lo;
	return host_ends(m, host, *ret);
}

/* Bit 0: they have an IPv4 address in common; bit 1: an IPv6 address. */
static unsigned meet(const struct addr_range *a, size_t n_a, const struct addr_range *b, size_t n_b)
{
	struct addr_range both;
	unsigned ret = 0;

	for (size_t i = 0; i < n_a; i++)
		for (size_t k = 0; k < n_b; k++)
			if (addr_range_meet(&a[i], &b[k], &both))
				ret |= both.lo.family == 4 ? 1u : 2u;
	return ret;
}

bool asked_end_meets(const struct asked_end *end, const struct addr_range *ranges, size_t n)
{
	return meet(end->ranges, end->n, ranges, n) != 0;
}

/* ---- the traffic ----------------------------------------------------------------------------- */

/* The meaning of the question's words in this protocol. */
struct meaning {
	const struct vocabulary *v;
	bool any, known;	   /* any: no command was named; known: this protocol has it */
	unsigned classes;	   /* classes of a word, else 0 ... */
	struct number_range codes; /* ... and codes of a function */
	int space;		   /* -1: no address was named */
	struct number_range numbers;
	bool valued;
	uint64_t value;
};

static bool number(const char *text, uint64_t max, uint64_t *ret)
{
	const struct notation n = notation_plain(max);
	struct notation_mistake wrong;
	struct number_range r;

	if (!notation_read(&n, text, &r, &wrong) || r.lo != r.hi)
		return false;
	*ret = r.lo;
	return true;
}

static bool command_meant(const struct asked *q, struct meaning *ret)
{
	const struct function_info *f = function_by_name(ret->v, q->command);
	uint64_t code;

	ret->classes = command_class(q->command);
	if (ret->classes != 0) {
		ret->codes = (struct number_range){ 0, UINT32_MAX };
		return true;
	}
	if (f == NULL && !number(q->command, ret->v->code_max, &code))
		return false;
	ret->codes = f != NULL ? (struct number_range){ f->code, f->last } : (struct number_range){ code, code };
	return true;
}

static bool place_meant(const struct asked *q, struct meaning *ret)
{
	struct notation_mistake wrong;

	for (unsigned i = 0; i < ret->v->n_spaces; i++) {
		const struct notation n = notation_of_space(&ret->v->spaces[i]);

		if (strcmp(ret->v->spaces[i].key, q->place) != 0)
			continue;
		ret->space = (int)i;
		return notation_read(&n, q->numbers, &ret->numbers, &wrong);
	}
	return false;
}

/* False: the protocol has no such command, address or value; *ret_word tells which. */
static bool meant(const struct asked *q, enum protocol p, struct meaning *ret, const char **ret_word)
{
	*ret = (struct meaning){ .v = vocabulary_of(p), .any = q->command == NULL, .space = -1 };
	*ret_word = q->command;
	if (ret->any)
		return true;
	if (ret->v == NULL) /* its commands are not inspected: only class words are known */
		return command_class(q->command) != 0 && q->place == NULL;
	if (!command_meant(q, ret))
		return false;
	*ret_word = q->place;
	if (q->place != NULL && !place_meant(q, ret))
		return false;
	*ret_word = q->value;
	ret->valued = q->value != NULL;
	return !ret->valued || number(q->value, ret->v->value_max, &ret->value);
}

bool asked_words(const struct asked *q, const char **ret_word)
{
	struct meaning unused;
	const char *first = NULL;

	if (q->command == NULL)
		return true;
	for (unsigned p = PROTO_NONE + 1; p < PROTO_COUNT; p++) {
		const char *word;

		if (q->protocol != PROTO_NONE ? q->protocol != p
					      : vocabulary_of(p) == NULL && command_class(q->command) == 0)
			continue;
		if (meant(q, p, &unused, &word))
			return true;
		if (first == NULL || word != q->command)
			first = word;
	}
	*ret_word = first != NULL ? first : q->command;
	return false;
}

/* What the row does not allow: the command, or else the address (ASKED_PLACE), or else the value.
 * ASKED_NOTHING: it allows all. */
static enum asked_lack ask_row(const struct model *m, const struct command_row *row, const struct meaning *is)
{
	const struct command_table *t = &m->rows.t;
	const struct number_set *space;
	uint32_t code;

	if (!evaluate_passes(t, row, is->v, is->codes, is->classes != 0 ? is->classes : CLASS_ALL, &code))
		return ASKED_COMMAND;
	if (is->space >= 0) {
		/* One of the allowed functions must use that space. */
		bool touches = false;

		for (unsigned i = 0; i < is->v->n_functions && !touches; i++) {
			const struct function_info *f = &is->v->functions[i];

			touches = (f->spaces >> is->space & 1) != 0 && f->last >= is->codes.lo &&
				  f->code <= is->codes.hi &&
				  evaluate_passes(t, row, is->v, (struct number_range){ f->code, f->last },
						  is->classes != 0 ? is->classes : CLASS_ALL, &code);
		}
		space = row->spaces_any ? NULL : row_space(t, row, (uint8_t)is->space);
		if (!touches ||
		    (!row->spaces_any && (space == NULL || !number_covers(t, space, is->numbers.lo, is->numbers.hi))))
			return ASKED_PLACE;
	}
	return is->valued && !number_in(t, &row->values, is->value) ? ASKED_VALUE : ASKED_NOTHING;
}

/* ---- one conduit ----------------------------------------------------------------------------- */

unsigned asked_families(const struct model_service *s, const struct ir_port *asked)
{
	struct number_range unused[2];
	unsigned ret = 0;
	uint8_t l4proto;

	for (size_t i = 0; i < s->n_ports; i++) {
		const struct ir_port *p = &s->ports[i];

		if (asked != NULL && (p->l4proto != asked->l4proto || p->lo > asked->hi || p->hi < asked->lo))
			continue;
		ret |= (port_in_family(p, 4, &l4proto, unused) > 0 ? 1u : 0) |
		       (port_in_family(p, 6, &l4proto, unused) > 0 ? 2u : 0);
	}
	return ret;
}

static bool ends_meet(const struct model_conduit *c, const struct model_service *s, const struct asked *q)
{
	return (meet(c->sources, c->n_sources, q->from.ranges, q->from.n) &
		meet(c->destinations, c->n_destinations, q->to.ranges, q->to.n) & asked_families(s, q->port)) != 0;
}

static struct asked_line ask_service(const struct model *m, const struct model_conduit *c,
				     const struct model_service *s, const struct asked *q)
{
	struct asked_line ret = { .conduit = c, .service = s, .lack = ASKED_SERVICE };
	struct meaning is;
	const char *word;

	if ((q->service != NULL && q->service != s) || (q->protocol != PROTO_NONE && q->protocol != s->protocol) ||
	    !ends_meet(c, s, q))
		return ret;
	ret.lack = ASKED_COMMAND;
	if (!meant(q, s->protocol, &is, &word) && !s->tunnel)
		return ret;
	if (is.any || s->tunnel || (s->protocol != PROTO_ICMP && (is.v == NULL || s->whole))) {
		ret.lack = ASKED_NOTHING;
		return ret;
	}
	for (size_t i = 0; i < s->n_allows && ret.lack != ASKED_NOTHING; i++) {
		enum asked_lack lack = ask_row(m, &s->allows[i].row, &is);

		if (lack > ret.lack || ret.allow == NULL) {
			ret.lack = lack;
			ret.allow = &s->allows[i];
		}
	}
	if (c->observe && ret.lack != ASKED_NOTHING && s->protocol != PROTO_ICMP) {
		ret.lack = ASKED_NOTHING;
		ret.allow = NULL;
		ret.observed = true;
	}
	return ret;
}

struct asked_line ask_conduit(const struct model *m, const struct model_conduit *c, const struct asked *q)
{
	struct asked_line best = { .conduit = c, .lack = ASKED_ENDS };
	struct times t = conduit_times(c);
	uint64_t opens;

	t.door = NULL;
	if (c->shadow || c->from != q->from.zone || c->to != q->to.zone || c->from->n_interfaces == 0 ||
	    c->to->n_interfaces == 0)
		return best;
	best.lack = !meet(c->sources, c->n_sources, q->from.ranges, q->from.n)	       ? ASKED_SOURCE
		    : !meet(c->destinations, c->n_destinations, q->to.ranges, q->to.n) ? ASKED_DESTINATION
										       : ASKED_SERVICE;
	if (best.lack != ASKED_SERVICE)
		return best;
	for (size_t i = 0; i < c->n_services; i++) {
		struct asked_line line = ask_service(m, c, c->services[i], q);

		if (line.lack > best.lack)
			best = line;
	}
	if (best.lack == ASKED_NOTHING && !times_hold(&t, &m->zone, q->at, &best.end, &opens)) {
		best.lack = conduit_past(c, q->at) ? ASKED_OVER : ASKED_SHUT;
		best.end = opens;
	} else if (best.lack == ASKED_NOTHING && c->door != NULL) {
		if (c->door->open_until <= q->at)
			best.lack = ASKED_DOOR;
		else if (best.end == 0 || c->door->open_until < best.end)
			best.end = c->door->open_until;
	}
	return best;
}

unsigned asked_classes(const struct model *m, const struct model_conduit *c, const struct model_service *s, uint64_t at)
{
	struct asked q = { .from = zone_end(c->from), .to = zone_end(c->to), .service = s, .at = at };
	unsigned ret = 0;

	for (unsigned bit = CLASS_READ; bit <= CLASS_DIAGNOSE; bit <<= 1) {
		q.command = command_class_name(bit);
		if (ask_conduit(m, c, &q).lack >= ASKED_DOOR)
			ret |= bit;
	}
	return ret;
}

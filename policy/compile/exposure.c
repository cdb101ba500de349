/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile/lower.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "policy/space/prove.h"

/* The conduit's acceptance of this warning; NULL: none. */
static struct ir_accept *acceptance(const struct model_conduit *x, const char *code)
{
	for (size_t i = 0; i < x->n_accepts; i++)
		if (strcmp(x->accepts[i].warning, code) == 0)
			return &x->accepts[i];
	return NULL;
}

/* True when the conduit accepts this warning; the acceptance then counts as used. */
static bool accepted(const struct model_conduit *x, const char *code)
{
	struct ir_accept *a = acceptance(x, code);

	if (a != NULL)
		a->used = true;
	return a != NULL;
}

static void say_as(struct compilation *c, enum severity s, const struct model_conduit *x, const char *code,
		   enum message m, const char *word, const char *zone)
{
	if (!accepted(x, code))
		diag_hint(&c->diags, diag_add(&c->diags, s, code, x->at, m, x->name, word, zone), M_EXPOSED_ACCEPT,
			  code);
}

static void say(struct compilation *c, const struct model_conduit *x, const char *code, enum message m,
		const char *word, const char *zone)
{
	say_as(c, SEV_WARNING, x, code, m, word, zone);
}

/* Complete registers (site.ledger) say whose everything outside is, and how it enters. */
static enum severity outside_severity(const struct compilation *c)
{
	return c->model->strict_ledger ? SEV_ERROR : SEV_WARNING;
}

static bool is_outside(const struct model *m, const struct model_zone *z)
{
	return z->class == CLASS_EXTERNAL || organisation_of(m, z) != NULL;
}

/* What is outside should not reach others that are outside (between two organisations it cannot),
 * and should reach OT only for a time. */
static void comes_from_outside(struct compilation *c, const struct model_conduit *x)
{
	const struct model *m = c->model;

	if (x->from == x->to || !is_outside(m, x->from))
		return;
	if (is_outside(m, x->to) && (organisation_of(m, x->from) == NULL || organisation_of(m, x->to) == NULL))
		say_as(c, outside_severity(c), x, "policy.outside_transit", M_EXPOSED_TRANSIT, x->from->name,
		       x->to->name);
	if (x->to->class == CLASS_OT && x->door == NULL && x->within == NULL && x->exception == NULL)
		say_as(c, outside_severity(c), x, "policy.outside_always", M_EXPOSED_ALWAYS, x->from->name,
		       x->to->name);
}

static bool carries_everything(const struct model_service *s)
{
	for (size_t i = 0; i < s->n_ports; i++)
		if ((s->protocol == PROTO_TCP || s->protocol == PROTO_UDP) && s->ports[i].lo <= 1 &&
		    s->ports[i].hi == UINT16_MAX)
			return true;
	return false;
}

/* Whether the service allows every command: it cannot be inspected, or no row limits it. */
static bool all_commands(const struct model_service *s)
{
	return s->tunnel || (protocol_is(s->protocol, PROTO_OPAQUE) && s->protocol != PROTO_ICMP) ||
	       (s->whole && vocabulary_of(s->protocol) != NULL);
}

/* Adds the name of a service or protocol to a list unless it is there. A warning names them all,
 * because whoever changes one, or accepts the warning, must know of the others. */
static const char *also(struct compilation *c, const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = names; at != NULL; at = strchr(at, ','), at = at != NULL ? at + 2 : NULL)
		if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return names;
	return names == NULL ? name : arena_printf(c->arena, "%s, %s", names, name);
}

/*
 * Protocols whose sessions agree on further ports, which nobody reads out of the session here.
 * `tcp`: the client connects to these ports too, so a service of `tcp` in the conduit can
 * have them.
 */
static const struct {
	enum protocol protocol;
	bool tcp;
	const char *code;
	enum message m;
} agreed[] = {
	{ PROTO_FTP, true, "policy.ftp_data", M_FTP_DATA },
	{ PROTO_ORACLE, true, "policy.data_ports", M_DATA_ORACLE },
	{ PROTO_NDPI_DCE_RPC, true, "policy.data_ports", M_DATA_RPC },
	{ PROTO_NDPI_TFTP, false, "policy.data_ports", M_DATA_TFTP },
	{ PROTO_RTSP, false, "policy.data_ports", M_DATA_RTSP },
	{ PROTO_NDPI_SIP, false, "policy.data_ports", M_DATA_SIP },
};

static void say_agreed(struct compilation *c, const struct model_conduit *x)
{
	bool tcp = false;

	for (size_t i = 0; i < x->n_services; i++)
		tcp = tcp || x->services[i]->protocol == PROTO_TCP;
	for (size_t row = 0; row < sizeof(agreed) / sizeof(agreed[0]); row++) {
		const char *names = NULL;

		for (size_t i = 0; i < x->n_services && !(tcp && agreed[row].tcp); i++)
			if (x->services[i]->protocol == agreed[row].protocol)
				names = also(c, names, x->services[i]->name);
		if (names != NULL)
			say(c, x, agreed[row].code, agreed[row].m, names, x->to->name);
	}
}

/* nDPI may need more bytes of a session than may pass before it is named. */
static void say_undecided(struct compilation *c, const struct model_conduit *x)
{
	for (size_t i = 0; i < x->n_services; i++) {
		const struct model_service *s = x->services[i];
		uint32_t needed = protocol_undecided(s->protocol);

		if (needed != UNMEASURED && s->undecided_bytes < needed)
			say(c, x, "policy.undecided_bytes", M_UNDECIDED_SHORT, s->name,
			    arena_printf(c->arena, "%u", needed));
	}
}

/* A zone of another organisation is neither test nor production. */
static void test_meets_production(struct compilation *c, const struct model_conduit *x)
{
	bool from = x->from->class == CLASS_TEST, to = x->to->class == CLASS_TEST;

	if (from != to && x->exception == NULL && (from ? x->to : x->from)->class != CLASS_EXTERNAL)
		diag_hint(&c->diags,
			  diag_add(&c->diags, SEV_ERROR, "policy.test_meets_production", x->at, M_EXPOSED_TEST, x->name,
				   x->from->name, x->to->name),
			  M_HINT_TEST);
}

/* Reports each setting of the conduit that lets unjudged traffic pass. `limited`: rows limit the
 * commands that may pass. */
static void passes_unjudged(struct compilation *c, const struct model_conduit *x, bool limited)
{
	bool hold = x->when_down == FAIL_HOLD;

	if (x->when_down != FAIL_CLOSED)
		say(c, x, "policy.unjudged_when_down",
		    limited ? (hold ? M_EXPOSED_DOWN_HOLD : M_EXPOSED_DOWN_OPEN)
			    : (hold ? M_EXPOSED_ANY_DOWN_HOLD : M_EXPOSED_ANY_DOWN_OPEN),
		    x->from->name, x->to->name);
	if (x->when_overloaded != FAIL_CLOSED)
		say(c, x, "policy.hold_forced", limited ? M_EXPOSED_HOLD : M_EXPOSED_ANY_HOLD,
		    failure_words[x->when_overloaded], x->from->name);
	if (limited && x->when_midstream == MID_PICK_UP)
		say(c, x, "policy.pick_up_forced",
		    x->when_down != FAIL_CLOSED ? M_EXPOSED_PICK_UP : M_EXPOSED_PICK_UP_CLOSED,
		    failure_words[x->when_down], x->from->name);
}

static void one_conduit(struct compilation *c, const struct model_conduit *x)
{
	const char *whole = NULL, *clear = NULL, *commands = NULL;
	bool outside = x->from->class == CLASS_EXTERNAL, limited = false, inspected = false;

	for (size_t i = 0; i < x->n_services; i++) {
		const struct model_service *s = x->services[i];

		if (carries_everything(s))
			whole = also(c, whole, protocol_info(s->protocol)->name);
		else if (protocol_is(s->protocol, PROTO_IN_CLEAR))
			clear = also(c, clear, protocol_info(s->protocol)->name);
		if (all_commands(s))
			commands = also(c, commands, s->name);
		limited = limited || (!s->whole && vocabulary_of(s->protocol) != NULL);
		inspected = inspected || protocol_info(s->protocol)->depth != DEPTH_TRANSPORT;
	}
	if (outside && whole != NULL)
		say(c, x, "policy.everything_from_outside", M_EXPOSED_EVERYTHING, whole, x->from->name);
	if (outside && clear != NULL)
		say(c, x, "policy.clear_text_from_outside", M_EXPOSED_CLEAR, clear, x->from->name);
	if (x->to->class == CLASS_OT && x->from->class != CLASS_OT && commands != NULL)
		say(c, x, "policy.all_commands_to_ot", x->to->patchable ? M_EXPOSED_COMMANDS : M_EXPOSED_COMMANDS_FIXED,
		    commands, x->to->name);
	comes_from_outside(c, x);
	test_meets_production(c, x);
	say_agreed(c, x);
	say_undecided(c, x);
	if (!x->observe && inspected)
		passes_unjudged(c, x, limited);
}

#define WAY_CODE "policy.outside_reaches_unpatchable"

static void say_way(struct compilation *c, const struct counterexample *x)
{
	const char *way = x->never->from->name;

	for (size_t h = 0; h < x->n_hops && way != NULL; h++)
		way = arena_printf(c->arena, "%s -[%s]-> %s", way, x->hops[h]->name, x->hops[h]->to->name);
	diag_hint(&c->diags,
		  diag_add(&c->diags, SEV_WARNING, WAY_CODE, x->hops[x->n_hops - 1]->at, M_EXPOSED_CHAIN,
			   x->never->from->name, x->never->to->name, way != NULL ? way : ""),
		  M_EXPOSED_ACCEPT, WAY_CODE);
}

/* Removes conduits from the zone `from` (NULL: any) to the zone `to` from `copy`: if `accepts` is
 * set, those that accept the warning; otherwise those that do not. */
static void leave_out(const struct model *m, struct model_conduit *copy, const struct model_zone *from,
		      const struct model_zone *to, bool accepts)
{
	for (size_t i = 0; i < m->n_conduits; i++) {
		const struct model_conduit *x = &m->conduits[i];

		if (x->shadow || x->to != to || (from != NULL && x->from != from) ||
		    (acceptance(x, WAY_CODE) != NULL) != accepts)
			continue;
		if (accepts)
			(void)accepted(x, WAY_CODE);
		copy[i].shadow = true; /* a shadow allows nothing */
	}
}

/* Searches all ways once. Reports the ways whose last conduit does not accept the warning. If the
 * last conduit of a way accepts the warning, all accepting conduits between its two zones are
 * removed from `copy`. True: some were removed. */
static bool look(struct compilation *c, const struct model *asked, struct model_conduit *copy, bool *told)
{
	struct arena *scratch = arena_new(COMPILE_BUDGET);
	struct counterexample *list = NULL;
	size_t n = scratch != NULL ? prove_nevers(asked, scratch, &list) : 0;
	bool some = false;

	for (size_t i = 0; i < n; i++) {
		const struct model_conduit *last = list[i].hops[list[i].n_hops - 1];
		bool *said = &told[list[i].never - asked->nevers];

		if (acceptance(last, WAY_CODE) != NULL) {
			leave_out(c->model, copy, last->from, last->to, true);
			some = true;
		} else if (!*said) {
			say_way(c, &list[i]);
			*said = true;
		}
	}
	if (scratch == NULL || arena_failed(scratch))
		arena_fail(c->arena); /* lower.c reports it */
	arena_free(scratch);
	return some;
}

/*
 * Reports ways from each zone of `nevers` into one zone. A conduit's acceptance does not cover ways
 * through other conduits. So the search is repeated without the accepting conduits, at most once
 * for each zone. Then conduits that do not accept are left out, too, and the search is repeated to
 * find further acceptances that are used.
 */
static void ways_into(struct compilation *c, struct model_never *nevers, size_t n, struct model_conduit *copy)
{
	struct model asked = *c->model;
	bool *told = arena_array(c->arena, n, sizeof(*told));

	if (told == NULL)
		return;
	memcpy(copy, c->model->conduits, c->model->n_conduits * sizeof(*copy));
	asked.conduits = copy;
	asked.nevers = nevers;
	asked.n_nevers = n;
	while (look(c, &asked, copy, told))
		;
	leave_out(c->model, copy, NULL, nevers->to, false);
	while (look(c, &asked, copy, told))
		;
}

static bool somebody_accepts(const struct model *m, const struct model_zone *to)
{
	for (size_t i = 0; i < m->n_conduits; i++)
		if (m->conduits[i].to == to && acceptance(&m->conduits[i], WAY_CODE) != NULL)
			return true;
	return false;
}

/* The number of zones where a way may begin times the number where it may end. A zone of both kinds
 * is counted also with itself. */
static size_t most_ways(const struct model *m)
{
	size_t from = 0, to = 0;

	for (size_t i = 0; i < m->n_zones; i++) {
		from += m->zones[i].class == CLASS_EXTERNAL;
		to += !m->zones[i].patchable;
	}
	return from * to;
}

/* Reports ways from a zone of class external to one that cannot be patched, through any zones. */
static void ways_from_outside(struct compilation *c)
{
	const struct model *m = c->model;
	struct model asked = *m;
	struct counterexample *list;
	struct model_conduit *copy = arena_array(c->arena, m->n_conduits, sizeof(*copy));
	bool *done = arena_array(c->arena, m->n_zones, sizeof(*done));
	size_t n = 0;

	asked.nevers = arena_array(c->arena, most_ways(m), sizeof(*asked.nevers));
	if (asked.nevers == NULL || copy == NULL || done == NULL)
		return;
	for (size_t k = 0; k < m->n_zones; k++)
		for (size_t i = 0; i < m->n_zones; i++)
			if (m->zones[i].class == CLASS_EXTERNAL && !m->zones[k].patchable && i != k)
				asked.nevers[n++] = (struct model_never){ .from = &m->zones[i],
									  .to = &m->zones[k],
									  .classes = CLASS_ALL,
									  .all_commands = true,
									  .chain = true,
									  .label = "" };
	asked.n_nevers = n;
	n = n == 0 ? 0 : prove_nevers(&asked, c->arena, &list);
	for (size_t i = 0; i < n; i++) {
		const struct model_zone *to = list[i].never->to;
		struct model_never *first = asked.nevers;
		size_t same = 0;

		if (!somebody_accepts(m, to)) {
			say_way(c, &list[i]);
			continue;
		}
		while (first->to != to)
			first++;
		while (first + same < asked.nevers + asked.n_nevers && first[same].to == to)
			same++;
		if (!done[to->index])
			ways_into(c, first, same, copy);
		done[to->index] = true;
	}
}

void exposure_report(struct compilation *c)
{
	const struct model *m = c->model;

	for (size_t i = 0; i < m->n_conduits; i++)
		if (!m->conduits[i].shadow && !conduit_past(&m->conduits[i], m->now))
			one_conduit(c, &m->conduits[i]);
	ways_from_outside(c);
	for (size_t i = 0; i < m->n_zones; i++)
		if ((m->zones[i].class == CLASS_OT || m->zones[i].class == CLASS_EXTERNAL) &&
		    m->zones[i].owner[0] == '\0' && !m->zones[i].self)
			diag_add(&c->diags, SEV_WARNING, "policy.zone_without_owner", m->zones[i].at,
				 M_ZONE_WITHOUT_OWNER, m->zones[i].name);
	/* What is left over ("rest") is nobody's. */
	for (size_t i = 0; i < m->n_zones; i++)
		if (m->zones[i].class == CLASS_EXTERNAL && !m->zones[i].rest &&
		    organisation_of(m, &m->zones[i]) == NULL)
			diag_hint(&c->diags,
				  diag_add(&c->diags, outside_severity(c), "policy.outside_unnamed", m->zones[i].at,
					   M_OUTSIDE_UNNAMED, m->zones[i].name),
				  M_HINT_OUTSIDE_UNNAMED, m->zones[i].name);
	for (size_t i = 0; i < m->n_conduits; i++)
		for (size_t k = 0; k < m->conduits[i].n_accepts; k++)
			if (!m->conduits[i].accepts[k].used && !conduit_past(&m->conduits[i], m->now))
				diag_add(&c->diags, SEV_WARNING, "policy.no_effect", m->conduits[i].accepts[k].at,
					 M_ACCEPT_USELESS, m->conduits[i].name, m->conduits[i].accepts[k].warning);
}

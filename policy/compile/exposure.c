/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile/exposure.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"
#include "policy/space/prove.h"

/* True when the conduit accepts this warning; the acceptance is then of use. */
static bool accepted(const struct model_conduit *x, const char *code)
{
	for (size_t i = 0; i < x->n_accepts; i++) {
		if (strcmp(x->accepts[i].warning, code) == 0) {
			x->accepts[i].used = true;
			return true;
		}
	}
	return false;
}

static void say(struct compilation *c, const struct model_conduit *x, const char *code, enum message m,
		const char *word, const char *zone)
{
	if (!accepted(x, code))
		diag_hint(&c->diags, diag_add(&c->diags, SEV_WARNING, code, x->at, m, x->name, word, zone),
			  M_EXPOSED_ACCEPT, code);
}

static bool carries_everything(const struct model_service *s)
{
	for (size_t i = 0; i < s->n_ports; i++)
		if ((s->protocol == PROTO_TCP || s->protocol == PROTO_UDP) && s->ports[i].lo <= 1 &&
		    s->ports[i].hi == UINT16_MAX)
			return true;
	return false;
}

/* Every command may be in it: nobody can look inside, or no row limits what there is. */
static bool all_commands(const struct model_service *s)
{
	return s->tunnel || (protocol_is(s->protocol, PROTO_OPAQUE) && s->protocol != PROTO_ICMP) ||
	       (s->whole && vocabulary_of(s->protocol) != NULL);
}

static void one_conduit(struct compilation *c, const struct model_conduit *x)
{
	const struct model_service *whole = NULL, *clear = NULL, *commands = NULL;
	bool outside = x->from->class == CLASS_EXTERNAL, limited = false;

	for (size_t i = 0; i < x->n_services; i++) {
		const struct model_service *s = x->services[i];

		if (carries_everything(s))
			whole = s;
		else if (protocol_is(s->protocol, PROTO_IN_CLEAR))
			clear = s;
		if (all_commands(s))
			commands = s;
		limited = limited || (!s->whole && vocabulary_of(s->protocol) != NULL);
	}
	if (outside && whole != NULL)
		say(c, x, "policy.everything_from_outside", M_EXPOSED_EVERYTHING, protocol_info(whole->protocol)->name,
		    x->from->name);
	if (outside && clear != NULL)
		say(c, x, "policy.clear_text_from_outside", M_EXPOSED_CLEAR, protocol_info(clear->protocol)->name,
		    x->from->name);
	if (x->to->class == CLASS_OT && x->from->class != CLASS_OT && commands != NULL)
		say(c, x, "policy.all_commands_to_ot", x->to->patchable ? M_EXPOSED_COMMANDS : M_EXPOSED_COMMANDS_FIXED,
		    commands->name, x->to->name);
	if ((x->from->class == CLASS_TEST) != (x->to->class == CLASS_TEST))
		say(c, x, "policy.test_meets_production", M_EXPOSED_TEST, x->from->name, x->to->name);
	if (x->observe || !limited)
		return;
	if (x->when_overloaded != FAIL_CLOSED)
		say(c, x, "policy.hold_forced", M_EXPOSED_HOLD, failure_words[x->when_overloaded], x->from->name);
	if (x->when_midstream == MID_PICK_UP && x->when_down != FAIL_CLOSED)
		say(c, x, "policy.pick_up_forced", M_EXPOSED_PICK_UP, failure_words[x->when_down], x->from->name);
}

/* Any way at all, over any number of zones, from a zone of class external to one that cannot be patched. */
static void ways_from_outside(struct compilation *c)
{
	const struct model *m = c->model;
	struct model asked = *m;
	struct counterexample *list;
	size_t n = 0;

	asked.nevers = arena_array(c->arena, m->n_zones * m->n_zones, sizeof(*asked.nevers));
	if (asked.nevers == NULL)
		return;
	for (size_t i = 0; i < m->n_zones; i++)
		for (size_t k = 0; k < m->n_zones; k++)
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
		const struct model_conduit *last = list[i].n_hops > 0 ? list[i].hops[list[i].n_hops - 1] : NULL;
		const char *way = list[i].never->from->name;

		if (last == NULL || list[i].unattended != ATTENDED ||
		    accepted(last, "policy.outside_reaches_unpatchable"))
			continue;
		for (size_t h = 0; h < list[i].n_hops && way != NULL; h++)
			way = arena_printf(c->arena, "%s -[%s]-> %s", way, list[i].hops[h]->name,
					   list[i].hops[h]->to->name);
		diag_hint(&c->diags,
			  diag_add(&c->diags, SEV_WARNING, "policy.outside_reaches_unpatchable", last->at,
				   M_EXPOSED_CHAIN, list[i].never->from->name, list[i].never->to->name,
				   way != NULL ? way : ""),
			  M_EXPOSED_ACCEPT, "policy.outside_reaches_unpatchable");
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
	for (size_t i = 0; i < m->n_conduits; i++)
		for (size_t k = 0; k < m->conduits[i].n_accepts; k++)
			if (!m->conduits[i].accepts[k].used && !conduit_past(&m->conduits[i], m->now))
				diag_add(&c->diags, SEV_WARNING, "policy.no_effect", m->conduits[i].accepts[k].at,
					 M_ACCEPT_USELESS, m->conduits[i].name, m->conduits[i].accepts[k].warning);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the checked model to the rule IR: proofs, then cells, permits, commands. The IR shares the
 * model's strings; both are in the compilation's arena. Nothing here depends on the machine or the
 * clock: the same texts give the same IR.
 */
#include <string.h>

#include "policy/compile/compile.h"
#include "policy/compile/lower.h"
#include "policy/ir/elements.h"
#include "policy/ir/sets.h"
#include "policy/space/cells.h"
#include "policy/space/prove.h"

struct lowering {
	const struct model *m;
	struct arena *a;
	struct ir *ir;
};

/* ---- broken statements are errors ------------------------------------------------------------ */

static const char *file_of(const struct model *m, struct srcpos at)
{
	return at.file < m->n_sources ? m->sources[at.file].name : "";
}

static const char *chain_text(const struct model *m, const struct counterexample *x, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < x->n_hops && text != NULL; i++) {
		char when[WHEN_TEXT];

		conduit_when_text(m, x->hops[i], when, sizeof(when));
		text = arena_printf(a, "%s%s%s -[%s%s%s%s %s:%u]-> %s", text, i ? ", " : "", x->hops[i]->from->name,
				    x->hops[i]->name, when[0] != '\0' ? " (" : "", when, when[0] != '\0' ? ")" : "",
				    file_of(m, x->hops[i]->at), x->hops[i]->at.line, x->hops[i]->to->name);
	}
	return text;
}

/* A sentence about a statement's two ends, and a packet between them. */
static const char *sentence(struct arena *a, enum lang l, enum message m, const char *from, const char *to,
			    const char *packet)
{
	int n = message_text(NULL, 0, l, m, from, to, packet);
	char *text = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;

	if (text == NULL)
		return "";
	message_text(text, (size_t)n + 1, l, m, from, to, packet);
	return text;
}

static struct diag *always_diag(struct compilation *c, const struct lapse *x)
{
	char packet[LAPSE_TEXT], from[NEVER_END_TEXT], to[NEVER_END_TEXT];

	never_end_text(x->always->from, &x->always->sources, from, sizeof(from));
	never_end_text(x->always->to, &x->always->destinations, to, sizeof(to));
	lapse_text(x, packet, sizeof(packet));
	return diag_add(&c->diags, SEV_ERROR, "policy.always_broken", x->always->at,
			x->ends != NULL ? M_ALWAYS_ENDS : M_ALWAYS_BROKEN, from, to, packet);
}

static void report_always(struct compilation *c)
{
	struct lapse *list;
	size_t n = prove_always(c->model, c->arena, &list);

	for (size_t i = 0; i < n; i++) {
		struct diag *g = always_diag(c, &list[i]);
		char when[WHEN_TEXT];

		if (list[i].ends == NULL)
			continue;
		conduit_when_text(c->model, list[i].ends, when, sizeof(when));
		g->also = list[i].ends->at;
		diag_hint(&c->diags, g, M_ALWAYS_BY, list[i].ends->name, when);
	}
}

static struct diag *never_diag(struct compilation *c, enum severity s, const char *code, enum message m,
			       const struct counterexample *x)
{
	char packet[COUNTEREXAMPLE_TEXT], from[NEVER_END_TEXT], to[NEVER_END_TEXT];
	const char *text[LANGUAGES];

	never_end_text(x->never->from, &x->never->sources, from, sizeof(from));
	never_end_text(x->never->to, &x->never->destinations, to, sizeof(to));
	for (int l = 0; l < LANGUAGES; l++) {
		counterexample_text(x, (enum lang)l, packet, sizeof(packet));
		text[l] = sentence(c->arena, (enum lang)l, m, from, to, packet);
	}
	return diag_add_texts(&c->diags, s, code, x->never->at, text[LANG_EN], text[LANG_JA]);
}

static void report_nevers(struct compilation *c)
{
	struct counterexample *list;
	size_t n = prove_nevers(c->model, c->arena, &list);

	for (size_t i = 0; i < n; i++) {
		const struct counterexample *x = &list[i];
		const char *chain = chain_text(c->model, x, c->arena);
		bool open = x->unattended == UNATTENDED_OPEN;
		struct diag *g;

		if (chain == NULL)
			return;
		if (x->unattended != ATTENDED && !open)
			/* many sites want traffic to pass in these failures, so only `prove` lists
			 * them */
			continue;
		g = open ? never_diag(c, SEV_WARNING, "policy.never_unattended", M_NEVER_UNATTENDED, x)
			 : never_diag(c, SEV_ERROR, "policy.never_broken", M_NEVER_BROKEN, x);
		g->also = x->hops[x->n_hops - 1]->at;
		if (x->observed)
			diag_hint(&c->diags, g, M_NEVER_OBSERVED, chain, x->hops[x->n_hops - 1]->name);
		else if (open)
			diag_hint(&c->diags, g, M_NEVER_OPEN, chain, x->hops[x->n_hops - 1]->name);
		else
			diag_hint(&c->diags, g, M_NEVER_CHAIN, chain);
	}
}

/* What the policy's shadow conduits can observe. */
struct watched {
	bool *meets; /* by conduit: another conduit that is not over allows some of its packets */
	/* by pair: its rows are applied, because another conduit there has that protocol's commands
	 * judged */
	bool *asked;
};

static bool is_asked(const struct model *m, const struct cells *cells, const struct interned *set, uint32_t pair)
{
	enum protocol p = cells->pairs[pair].service->protocol;

	for (uint32_t k = 0; k < set->n; k++) {
		const struct cell_pair *x = &cells->pairs[set->values[k]];
		const struct model_conduit *c = &m->conduits[x->conduit];

		if (!c->shadow && !conduit_past(c, m->now) && x->service->protocol == p)
			return true;
	}
	return false;
}

/* Whether some conduit of the set allows packets now or later. If none does, shadows of the set
 * have nothing to observe. */
static bool is_live(const struct model *m, const struct cells *cells, const struct interned *set)
{
	for (uint32_t k = 0; k < set->n; k++) {
		const struct model_conduit *c = &m->conduits[cells->pairs[set->values[k]].conduit];

		if (!c->shadow && !conduit_past(c, m->now))
			return true;
	}
	return false;
}

/*
 * Warns of a shadow that records nothing, because no other conduit allows its packets, or because
 * nobody judges the protocol of its rows. Its author may believe that it allows something, or that
 * its rows suffice since nothing is recorded.
 */
static void report_shadow(struct compilation *c, const struct cells *cells, const struct watched *w, uint32_t pair)
{
	const struct cell_pair *p = &cells->pairs[pair];
	const struct model_conduit *x = &c->model->conduits[p->conduit];
	const struct protocol_info *info = protocol_info(p->service->protocol);
	bool first = pair == 0 || cells->pairs[pair - 1].conduit != p->conduit;

	if (!x->shadow || conduit_past(x, c->model->now))
		return;
	if (!w->meets[p->conduit] && first)
		diag_hint(&c->diags,
			  diag_add(&c->diags, SEV_WARNING, "policy.shadow_idle", x->at, M_SHADOW_IDLE, x->name),
			  M_SHADOW_IDLE_HINT);
	if (w->meets[p->conduit] && info->depth == DEPTH_COMMANDS && !w->asked[pair])
		diag_add(&c->diags, SEV_WARNING, "policy.no_effect", x->at, M_SHADOW_UNASKED, x->name, p->service->name,
			 info->name);
}

static bool report_shadows(struct compilation *c, const struct cells *cells)
{
	const struct model *m = c->model;
	struct watched w = { .meets = arena_array(c->arena, m->n_conduits, sizeof(*w.meets)),
			     .asked = arena_array(c->arena, cells->n_pairs, sizeof(*w.asked)) };

	if (w.meets == NULL || w.asked == NULL)
		return false;
	for (size_t i = 0; i < cells->n_sets; i++) {
		const struct interned *set = &cells->sets[i];
		bool live = is_live(m, cells, set);

		for (uint32_t k = 0; k < set->n && live; k++) {
			uint32_t pair = set->values[k], conduit = cells->pairs[pair].conduit;

			w.meets[conduit] = true;
			if (m->conduits[conduit].shadow && !w.asked[pair])
				w.asked[pair] = is_asked(m, cells, set, pair);
		}
	}
	for (uint32_t i = 0; i < cells->n_pairs; i++)
		report_shadow(c, cells, &w, i);
	return true;
}

/* ---- copies of the model's tables ------------------------------------------------------------ */

#define COPY(member) .member = (__typeof__(to->member))from->member

/* Memory for n objects. Without memory their number is 0, and the arena has failed, which lower()
 * checks at its end. */
static void *room(const struct lowering *w, size_t n, size_t size, uint32_t *ret_n)
{
	void *list = arena_array(w->a, n, size);

	*ret_n = list != NULL ? (uint32_t)n : 0;
	return list;
}

static uint32_t interface_index(const struct lowering *w, const struct model_interface *i)
{
	return i != NULL ? (uint32_t)(i - w->m->box.interfaces) : UINT32_MAX;
}

static void lower_box(struct lowering *w)
{
	const struct model_box *box = &w->m->box;
	struct ir *ir = w->ir;

	ir->naming_workers = box->naming_workers != 0 ? box->naming_workers : box->workers;
	ir->command_workers = box->command_workers != 0 ? box->command_workers : box->workers;
	ir->interfaces = room(w, box->n_interfaces, sizeof(*ir->interfaces), &ir->n_interfaces);
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct model_interface *from = &box->interfaces[i];

		struct ir_interface *to = &ir->interfaces[i];

		*to = (struct ir_interface){ COPY(name),	COPY(device),  COPY(card),	COPY(vlan),
					     COPY(admin),	COPY(mtu),     COPY(addresses), COPY(prefix_lengths),
					     COPY(n_addresses), COPY(answers), COPY(n_answers) };
	}
	ir->routes = room(w, box->n_routes, sizeof(*ir->routes), &ir->n_routes);
	for (uint32_t i = 0; i < ir->n_routes; i++)
		ir->routes[i] = (struct ir_route){ .to = box->routes[i].to,
						   .via = box->routes[i].via,
						   .interface = interface_index(w, box->routes[i].interface) };
	ir->peers = box->peers;
	ir->n_peers = (uint32_t)box->n_peers;
}

static void lower_zones(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->zones = room(w, w->m->n_zones, sizeof(*ir->zones), &ir->n_zones);
	for (uint32_t i = 0; i < ir->n_zones; i++) {
		const struct model_zone *from = &w->m->zones[i];
		struct ir_zone *to = &ir->zones[i];

		*to = (struct ir_zone){ COPY(ranges), COPY(n_ranges), COPY(lines), COPY(n_lines) };
		ZONE_SAME(TAKE)
		to->interfaces = room(w, from->n_interfaces, sizeof(*to->interfaces), &to->n_interfaces);
		for (size_t k = 0; k < to->n_interfaces; k++)
			to->interfaces[k] = interface_index(w, from->interfaces[k]);
	}
}

static void lower_assets(struct lowering *w)
{
	const struct model *m = w->m;
	struct ir *ir = w->ir;

	ir->assets = room(w, m->n_assets, sizeof(*ir->assets), &ir->n_assets);
	for (uint32_t i = 0; i < ir->n_assets; i++) {
		const struct model_asset *from = &m->assets[i];

		struct ir_asset *to = &ir->assets[i];

		*to = (struct ir_asset){ COPY(ranges), COPY(n_ranges), .zone = from->zone->index };
		ASSET_SAME(TAKE)
	}
	ir->breaks = room(w, m->n_breaks, sizeof(*ir->breaks), &ir->n_breaks);
	for (uint32_t i = 0; i < ir->n_breaks; i++)
		ir->breaks[i] = (uint32_t)(m->breaks[i].asset - m->assets);
}

static void lower_groups(struct lowering *w)
{
	const struct model *m = w->m;
	struct ir *ir = w->ir;
	uint32_t most;

	ir->groups = room(w, m->n_groups, sizeof(*ir->groups), &ir->n_groups);
	for (uint32_t i = 0; i < ir->n_groups; i++) {
		const struct model_group *from = &m->groups[i];
		struct ir_group *g = &ir->groups[i];

		g->name = from->name;
		g->zones = room(w, from->n_zones, sizeof(*g->zones), &most);
		for (uint32_t z = 0; z < m->n_zones && g->n_zones < most; z++)
			if (name_among(m->zones[z].name, from->zones, from->n_zones))
				g->zones[g->n_zones++] = z;
		g->assets = room(w, from->n_assets, sizeof(*g->assets), &most);
		for (uint32_t x = 0; x < m->n_assets && g->n_assets < most; x++)
			if (name_among(m->assets[x].name, from->assets, from->n_assets))
				g->assets[g->n_assets++] = x;
	}
}

static void lower_organisations(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->organisations = room(w, w->m->n_organisations, sizeof(*ir->organisations), &ir->n_organisations);
	for (uint32_t i = 0; i < ir->n_organisations; i++) {
		const struct model_organisation *from = &w->m->organisations[i];

		ir->organisations[i] = (struct ir_organisation){ .name = from->name,
								 .label = from->label,
								 .zone = from->zone->index,
								 .contract_until = from->contract_until,
								 .contacts = from->contacts,
								 .n_contacts = (uint32_t)from->n_contacts };
	}
}

/* Copies the services without their rows; the rows follow with the command table. */
static void lower_services(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->services = room(w, w->m->n_services, sizeof(*ir->services), &ir->n_services);
	for (uint32_t i = 0; i < ir->n_services; i++) {
		const struct model_service *from = &w->m->services[i];

		struct ir_service *to = &ir->services[i];

		*to = (struct ir_service){ COPY(ports), COPY(n_ports) };
		SERVICE_SAME(TAKE)
	}
}

static void lower_windows(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->time_zone = w->m->time_zone != NULL ? w->m->time_zone : "";
	ir->windows = room(w, w->m->n_windows, sizeof(*ir->windows), &ir->n_windows);
	for (uint32_t i = 0; i < ir->n_windows; i++) {
		const struct model_window *from = &w->m->windows[i];
		struct ir_window *to = &ir->windows[i];

		*to = (struct ir_window){ .name = from->name,
					  .label = from->label,
					  .days = from->when.days,
					  .from = from->when.from,
					  .to = from->when.to,
					  .first = from->when.first,
					  .last = from->when.last };
		to->except = room(w, from->when.n_except, sizeof(*to->except), &to->n_except);
		for (uint32_t k = 0; k < to->n_except; k++)
			to->except[k].day = from->when.except[k];
	}
}

static void lower_doors(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->doors = room(w, w->m->n_doors, sizeof(*ir->doors), &ir->n_doors);
	for (uint32_t i = 0; i < ir->n_doors; i++) {
		const struct model_door *from = &w->m->doors[i];
		const struct model_organisation *of = from->organisation;
		struct ir_door *to = &ir->doors[i];

		*to = (struct ir_door){ COPY(name),
					COPY(label),
					COPY(at_most),
					COPY(opened_by),
					COPY(needs),
					COPY(second_person),
					COPY(break_glass),
					.organisation = of != NULL ? of->name : "",
					.contract_until = of != NULL ? of->contract_until : 0 };
	}
}

static void lower_conduits(struct lowering *w)
{
	const struct model *m = w->m;
	struct ir *ir = w->ir;

	ir->sources = room(w, m->n_sources, sizeof(*ir->sources), &ir->n_sources);
	for (uint32_t i = 0; i < ir->n_sources; i++)
		ir->sources[i] = (struct ir_source){ .name = m->sources[i].name,
						     .text = m->sources[i].text,
						     .size = (uint32_t)m->sources[i].size };
	ir->conduits = room(w, m->n_conduits, sizeof(*ir->conduits), &ir->n_conduits);
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct model_conduit *from = &m->conduits[i];
		struct ir_conduit *to = &ir->conduits[i];

		*to = (struct ir_conduit){
			COPY(sources),
			COPY(n_sources),
			COPY(destinations),
			COPY(n_destinations),
			COPY(accepts),
			COPY(n_accepts),
			COPY(exception),
			.from = from->from->index,
			.to = from->to->index,
			.file = from->at.file,
			.line = from->at.line,
			.window = from->within != NULL ? (uint32_t)(from->within - m->windows) : UINT32_MAX,
			.door = from->door != NULL ? (uint32_t)(from->door - m->doors) : UINT32_MAX,
			.n_exception = from->exception != NULL,
		};
		CONDUIT_SAME(TAKE)
		to->services = room(w, from->n_services, sizeof(*to->services), &to->n_services);
		for (uint32_t k = 0; k < to->n_services; k++)
			to->services[k] = (uint32_t)(from->services[k] - m->services);
	}
}

/* The conduit whose line a cell gets: the first conduit that enforces there, or if none does, the
 * first that observes and is not a shadow. */
static const struct model_conduit *responsible(const struct lowering *w, const struct cells *cells,
					       const struct interned *set)
{
	const struct model_conduit *observes = NULL;

	for (uint32_t i = 0; i < set->n; i++) {
		const struct model_conduit *c = &w->m->conduits[cells->pairs[set->values[i]].conduit];

		if (!c->observe)
			return c;
		if (observes == NULL && !c->shadow)
			observes = c;
	}
	return observes;
}

static void lower_cells(struct lowering *w, const struct cells *cells)
{
	struct ir *ir = w->ir;

	ir->cells = room(w, cells->n, sizeof(*ir->cells), &ir->n_cells);
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct cell *from = &cells->list[i];
		const struct model_conduit *c = responsible(w, cells, &cells->sets[from->set]);

		ir->cells[i] = (struct ir_cell){
			.iif = from->iif,
			.oif = from->oif,
			.src = from->src,
			.dst = from->dst,
			.l4proto = from->l4proto,
			.lo = from->lo,
			.hi = from->hi,
			.permit = from->set,
			.layer = from->layer,
			.line = c->at.line,
			.file = c->at.file,
		};
	}
}

/* Grants of all permits together, at most. A shared grant counts for each permit, because lists of
 * what is in force name it for each. */
#define GRANTS_NAMED_MAX 200000u

/* Refuses a command table that no worker could load, with the conduits whose grants fill it. */
static bool table_fits(struct compilation *c, const struct ir *ir)
{
	const struct command_table *t = &ir->table;
	size_t image = commands_size(t), memory = commands_memory(t), most = image > memory ? image : memory;
	uint64_t *cost, named = 0;

	for (uint32_t i = 0; i < t->n_permits; i++)
		named += t->permits[i].n_grants;
	if (most <= COMMANDS_TABLE_MAX && named <= GRANTS_NAMED_MAX)
		return true;
	cost = arena_array(c->arena, c->model->n_conduits, sizeof(*cost));
	for (uint32_t i = 0; i < t->n_permits && cost != NULL; i++)
		for (uint32_t k = 0; k < t->permits[i].n_grants; k++)
			cost[t->grants[t->permits[i].first_grant + k].conduit]++;
	if (most <= COMMANDS_TABLE_MAX)
		return costs_report(&c->diags, "policy.table_too_large", c->model, cost, M_LOWER_GRANTS,
				    (unsigned)named, GRANTS_NAMED_MAX, 0);
	return costs_report(&c->diags, "policy.table_too_large", c->model, cost, M_LOWER_TABLE, (unsigned)(most >> 10),
			    COMMANDS_TABLE_MAX >> 10, 0);
}

/*
 * The kernel's time to fill the maps at most, in steps. To add a range it goes through those that
 * the map has, and again, four times as slowly, through those with the same source: as if all
 * ranges between two interfaces had the same. A step took 1.2 ns on the machine of
 * docs/performance.md. The limit is a third of the time after which the
 * supervisor ends an enforce, because a change can fill each map and its bridge.
 */
#define STEPS_OF_SECOND 800000000u
#define FILL_SECONDS 10u

/* Cells are sorted by layer, interfaces and family. Exact ones are not counted, because they cost
 * next to nothing compared with ranges. */
static uint64_t fill_steps(const struct ir *ir, uint32_t *ret_ranges)
{
	uint64_t n[SET_COUNT] = { 0 }, way[SET_COUNT] = { 0 }, steps = 0;
	uint32_t parts = ir_maps(ir).parts;

	*ret_ranges = 0;
	for (uint32_t i = 0; i < ir->n_cells; i++) {
		const struct ir_cell *c = &ir->cells[i], *before = i > 0 ? c - 1 : c;
		enum ir_set set = ir_set_of_cell(c, parts);

		if (before->layer != c->layer || before->iif != c->iif || before->oif != c->oif)
			memset(way, 0, sizeof(way));
		if (c->layer == 0 && ir_cell_exact(c))
			continue;
		/* the sum of 2 k - 1 for k from 1 to n is the square of n */
		steps += 2 * n[set]++ + 1 + 4 * (2 * way[set]++ + 1);
		++*ret_ranges;
	}
	return steps;
}

/* Refuses a policy with more ranges than enforce can give to the kernel before the supervisor ends
 * it. */
static bool maps_fit(struct compilation *c, const struct lowering *w, const struct cells *cells)
{
	const struct ir *ir = w->ir;
	uint32_t ranges;
	uint64_t steps = fill_steps(ir, &ranges), *cost;

	if (steps <= (uint64_t)FILL_SECONDS * STEPS_OF_SECOND)
		return true;
	cost = arena_array(c->arena, c->model->n_conduits, sizeof(*cost));
	for (uint32_t i = 0; i < ir->n_cells && cost != NULL; i++)
		if (ir->cells[i].layer > 0 || !ir_cell_exact(&ir->cells[i]))
			cost[responsible(w, cells, &cells->sets[ir->cells[i].permit])->index]++;
	return costs_report(&c->diags, "policy.maps_too_large", c->model, cost, M_LOWER_MAPS, ranges,
			    (unsigned)(steps / STEPS_OF_SECOND), FILL_SECONDS);
}

/* The places of the members that are true. `marked` may be NULL. */
static uint32_t *marked_indexes(struct arena *a, const bool *marked, size_t n, uint32_t *ret_n)
{
	uint32_t *list = marked != NULL ? arena_array(a, n, sizeof(*list)) : NULL;

	for (uint32_t i = 0; list != NULL && i < n; i++)
		if (marked[i])
			list[(*ret_n)++] = i;
	return list;
}

static void lower_site(struct lowering *w)
{
	const struct model *m = w->m;

	w->ir->site_name = m->site_name;
	w->ir->site_label = m->site_label;
	w->ir->site_contact = m->site_contact;
	w->ir->records_purpose = m->records.purpose;
	w->ir->records_responsible = m->records.responsible;
	w->ir->record_passed = m->record_passed;
#define ATTACK(id, word, ...) w->ir->detect_##word = m->detect.at_least[id];
#define ATTACK_SETTING(word, ...) w->ir->detect_##word = m->detect.word;
#include "appliance/wire/attack.def"
	w->ir->needs_conduits = marked_indexes(w->a, m->needs_conduit, m->n_conduits, &w->ir->n_needs_conduits);
	w->ir->needs_assets = marked_indexes(w->a, m->needs_asset, m->n_assets, &w->ir->n_needs_assets);
	w->ir->keep_days = m->retention.keep_days;
	w->ir->delete_after_days = m->retention.delete_after_days;
}

/* Says which conduits name the most pairs of ranges. */
static void report_memory(struct compilation *c)
{
	const struct model *m = c->model;
	uint64_t *cost = arena_array(c->arena, m->n_conduits, sizeof(*cost));

	for (size_t i = 0; i < m->n_conduits && cost != NULL; i++)
		cost[i] =
			(uint64_t)m->conduits[i].n_sources * m->conduits[i].n_destinations * m->conduits[i].n_services;
	if (cost == NULL)
		diag_add(&c->diags, SEV_ERROR, "policy.memory", (struct srcpos){ 0, 0, 0 }, M_LOWER_MEMORY);
	costs_report(&c->diags, "policy.memory", m, cost, M_LOWER_MEMORY, 0, 0, 0);
}

static bool lower(struct compilation *c, bool proofs)
{
	static void (*const tables[])(
		struct lowering * w) = { lower_site,   lower_box,      lower_zones,   lower_assets, lower_organisations,
					 lower_groups, lower_services, lower_windows, lower_doors,  lower_conduits };
	struct lowering w = { .m = c->model, .a = c->arena };
	struct cells cells;
	size_t errors;

	c->ir = NULL;
	if (c->model == NULL)
		return false;
	if (proofs) {
		report_nevers(c);
		report_always(c);
	}
	exposure_report(c);
	w.ir = arena_alloc(c->arena, sizeof(*w.ir));
	/* The errors so far are those of the ledger and of broken statements: the rest is made all
	 * the same, so that one run reports all errors. */
	errors = c->diags.errors;
	if (w.ir != NULL && cells_make(w.m, CELLS_OVER, w.a, &c->diags, &cells) && report_shadows(c, &cells) &&
	    permits_make(w.m, &cells, w.a, &c->diags, w.ir) && c->diags.errors == errors) {
		for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
			tables[i](&w);
		lower_cells(&w, &cells);
		if (!arena_failed(w.a) && maps_fit(c, &w, &cells) && commands_make(w.m, &cells, w.a, w.ir) &&
		    table_fits(c, w.ir) && isolations_make(c, w.ir) && permits_identify(w.ir, w.a))
			c->ir = c->diags.errors == 0 ? w.ir : NULL;
	}
	if (arena_failed(c->arena))
		c->ir = NULL;
	if (c->ir == NULL && c->diags.errors == 0)
		report_memory(c);
	return c->ir != NULL;
}

bool policy_lower(struct compilation *c)
{
	return lower(c, true);
}

bool policy_lower_unproved(struct compilation *c)
{
	return lower(c, false);
}

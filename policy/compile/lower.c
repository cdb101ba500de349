/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the checked model to the rule IR: proofs, then cells, permits, commands. The IR shares the
 * model's strings; both are in the compilation's arena. Nothing here depends on the machine or the
 * clock: the same texts give the same IR.
 */
#include <string.h>

#include "policy/compile/compile.h"
#include "policy/compile/lower.h"
#include "policy/space/always.h"
#include "policy/space/cells.h"
#include "policy/space/costs.h"
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

static const char *sentence(struct arena *a, enum lang l, enum message m, const struct counterexample *x)
{
	char packet[COUNTEREXAMPLE_TEXT], from[NEVER_END_TEXT], to[NEVER_END_TEXT], *text;
	int n;

	never_end_text(x->never->from, &x->never->sources, from, sizeof(from));
	never_end_text(x->never->to, &x->never->destinations, to, sizeof(to));
	counterexample_text(x, l, packet, sizeof(packet));
	n = message_text(NULL, 0, l, m, from, to, packet);
	text = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
	if (text == NULL)
		return "";
	message_text(text, (size_t)n + 1, l, m, from, to, packet);
	return text;
}

static const char *lapse_sentence(struct arena *a, enum lang l, const struct lapse *x)
{
	enum message m = x->ends != NULL ? M_ALWAYS_ENDS : M_ALWAYS_BROKEN;
	char packet[LAPSE_TEXT], from[NEVER_END_TEXT], to[NEVER_END_TEXT], *text;
	int n;

	never_end_text(x->always->from, &x->always->sources, from, sizeof(from));
	never_end_text(x->always->to, &x->always->destinations, to, sizeof(to));
	lapse_text(x, packet, sizeof(packet));
	n = message_text(NULL, 0, l, m, from, to, packet);
	text = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
	if (text == NULL)
		return "";
	message_text(text, (size_t)n + 1, l, m, from, to, packet);
	return text;
}

static void report_always(struct compilation *c)
{
	struct lapse *list;
	size_t n = prove_always(c->model, c->arena, &list);

	for (size_t i = 0; i < n; i++) {
		struct diag *g = diag_add_texts(&c->diags, SEV_ERROR, "policy.always_broken", list[i].always->at,
						lapse_sentence(c->arena, LANG_EN, &list[i]),
						lapse_sentence(c->arena, LANG_JA, &list[i]));

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
	return diag_add_texts(&c->diags, s, code, x->never->at, sentence(c->arena, LANG_EN, m, x),
			      sentence(c->arena, LANG_JA, m, x));
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
	bool *meets; /* by conduit: a live conduit allows packets of it */
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

/* A set whose conduits have all ended leaves nothing to observe. */
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
 * Warns of a shadow without live packets, or with rows for a protocol that nobody judges: it
 * records nothing. Its author may believe that it allows something, or that its silence proves that
 * its rows suffice.
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

static uint32_t interface_index(const struct lowering *w, const struct model_interface *i)
{
	return i != NULL ? (uint32_t)(i - w->m->box.interfaces) : UINT32_MAX;
}

static bool lower_box(struct lowering *w)
{
	const struct model_box *box = &w->m->box;
	struct ir *ir = w->ir;

	ir->naming_workers = box->naming_workers != 0 ? box->naming_workers : box->workers;
	ir->command_workers = box->command_workers != 0 ? box->command_workers : box->workers;
	ir->interfaces = arena_array(w->a, box->n_interfaces, sizeof(*ir->interfaces));
	ir->routes = arena_array(w->a, box->n_routes, sizeof(*ir->routes));
	ir->peers = arena_array(w->a, box->n_peers, sizeof(*ir->peers));
	if (ir->interfaces == NULL || ir->routes == NULL || ir->peers == NULL)
		return false;
	ir->n_interfaces = (uint32_t)box->n_interfaces;
	ir->n_routes = (uint32_t)box->n_routes;
	for (uint32_t i = 0; i < ir->n_interfaces; i++) {
		const struct model_interface *from = &box->interfaces[i];

		ir->interfaces[i] = (struct ir_interface){
			.name = from->name,
			.device = from->device,
			.card = from->card,
			.vlan = (uint16_t)from->vlan,
			.admin = from->admin,
			.mtu = from->mtu,
			.addresses = from->addresses,
			.prefix_lengths = from->prefix_lengths,
			.n_addresses = (uint32_t)from->n_addresses,
			.answers = from->answers,
			.n_answers = (uint32_t)from->n_answers,
		};
	}
	for (uint32_t i = 0; i < ir->n_routes; i++)
		ir->routes[i] = (struct ir_route){ .to = box->routes[i].to,
						   .via = box->routes[i].via,
						   .interface = interface_index(w, box->routes[i].interface) };
	ir->n_peers = (uint32_t)box->n_peers;
	for (uint32_t i = 0; i < ir->n_peers; i++)
		ir->peers[i] = (struct ir_peer){ .use = (uint8_t)box->peers[i].use,
						 .address = box->peers[i].address,
						 .l4proto = box->peers[i].l4proto,
						 .port = (uint16_t)box->peers[i].port,
						 .name = box->peers[i].name,
						 .ca = box->peers[i].ca,
						 .relp = box->peers[i].relp,
						 .eve = box->peers[i].eve,
						 .user = box->peers[i].user,
						 .from = box->peers[i].from,
						 .to = box->peers[i].to,
						 .power_off = box->peers[i].power_off,
						 .line = box->peers[i].at.line };
	return true;
}

static bool lines(struct lowering *w, const struct model_zone *from, struct ir_zone *to)
{
	to->lines = arena_array(w->a, from->n_lines, sizeof(*to->lines));
	if (to->lines == NULL)
		return from->n_lines == 0;
	to->n_lines = (uint32_t)from->n_lines;
	for (uint32_t i = 0; i < to->n_lines; i++)
		to->lines[i] = (struct ir_line){ from->lines[i].carrier, from->lines[i].service, from->lines[i].place };
	return true;
}

static bool lower_zones(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->zones = arena_array(w->a, w->m->n_zones, sizeof(*ir->zones));
	if (ir->zones == NULL)
		return false;
	ir->n_zones = (uint32_t)w->m->n_zones;
	for (uint32_t i = 0; i < ir->n_zones; i++) {
		const struct model_zone *from = &w->m->zones[i];
		struct ir_zone *z = &ir->zones[i];

		*z = (struct ir_zone){ .name = from->name,
				       .label = from->label,
				       .purpose = from->purpose,
				       .owner = from->owner,
				       .approved_by = from->approved_by,
				       .review_by = from->review_by,
				       .class = (uint8_t)from->class,
				       .ranges = from->ranges,
				       .n_ranges = (uint32_t)from->n_ranges,
				       .n_interfaces = (uint32_t)from->n_interfaces };
		z->interfaces = arena_array(w->a, from->n_interfaces, sizeof(*z->interfaces));
		if (z->interfaces == NULL || !lines(w, from, z))
			return false;
		for (size_t k = 0; k < from->n_interfaces; k++)
			z->interfaces[k] = interface_index(w, from->interfaces[k]);
	}
	return true;
}

static bool lower_assets(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->assets = arena_array(w->a, w->m->n_assets, sizeof(*ir->assets));
	if (ir->assets == NULL)
		return false;
	ir->n_assets = (uint32_t)w->m->n_assets;
	for (uint32_t i = 0; i < ir->n_assets; i++) {
		const struct model_asset *from = &w->m->assets[i];

		ir->assets[i] = (struct ir_asset){ .name = from->name,
						   .label = from->label,
						   .model = from->model,
						   .place = from->place,
						   .support_until = from->support_until,
						   .zone = from->zone->index,
						   .ranges = from->ranges,
						   .n_ranges = (uint32_t)from->n_ranges };
	}
	return true;
}

static bool lower_groups(struct lowering *w)
{
	const struct model *m = w->m;
	struct ir *ir = w->ir;

	ir->groups = arena_array(w->a, m->n_groups, sizeof(*ir->groups));
	if (ir->groups == NULL)
		return false;
	ir->n_groups = (uint32_t)m->n_groups;
	ir->breaks = arena_array(w->a, m->n_breaks, sizeof(*ir->breaks));
	if (ir->breaks == NULL)
		return false;
	for (size_t i = 0; i < m->n_breaks; i++)
		ir->breaks[ir->n_breaks++] = (uint32_t)(m->breaks[i].asset - m->assets);
	for (uint32_t i = 0; i < ir->n_groups; i++) {
		const struct model_group *from = &m->groups[i];
		struct ir_group *g = &ir->groups[i];

		g->name = from->name;
		g->zones = arena_array(w->a, from->n_zones, sizeof(*g->zones));
		g->assets = arena_array(w->a, from->n_assets, sizeof(*g->assets));
		if (g->zones == NULL || g->assets == NULL)
			return false;
		for (uint32_t z = 0; z < m->n_zones; z++)
			if (name_among(m->zones[z].name, from->zones, from->n_zones))
				g->zones[g->n_zones++] = z;
		for (uint32_t x = 0; x < m->n_assets; x++)
			if (name_among(m->assets[x].name, from->assets, from->n_assets))
				g->assets[g->n_assets++] = x;
	}
	return true;
}

static bool lower_organisations(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->organisations = arena_array(w->a, w->m->n_organisations, sizeof(*ir->organisations));
	if (ir->organisations == NULL)
		return w->m->n_organisations == 0;
	ir->n_organisations = (uint32_t)w->m->n_organisations;
	for (uint32_t i = 0; i < ir->n_organisations; i++) {
		const struct model_organisation *from = &w->m->organisations[i];
		struct ir_organisation *to = &ir->organisations[i];

		*to = (struct ir_organisation){ .name = from->name,
						.label = from->label,
						.zone = from->zone->index,
						.contract_until = from->contract_until,
						.n_contacts = (uint32_t)from->n_contacts };
		to->contacts = arena_array(w->a, to->n_contacts, sizeof(*to->contacts));
		if (to->contacts == NULL && to->n_contacts > 0)
			return false;
		for (uint32_t k = 0; k < to->n_contacts; k++)
			to->contacts[k].contact = from->contacts[k];
	}
	return true;
}

/* Lowers the services without their rows, which follow with the command table. */
static bool lower_services(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->services = arena_array(w->a, w->m->n_services, sizeof(*ir->services));
	if (ir->services == NULL)
		return false;
	ir->n_services = (uint32_t)w->m->n_services;
	for (uint32_t i = 0; i < ir->n_services; i++) {
		const struct model_service *from = &w->m->services[i];
		struct ir_service *s = &ir->services[i];

		*s = (struct ir_service){ .name = from->name,
					  .label = from->label,
					  .protocol = (uint16_t)from->protocol,
					  .n_ports = (uint32_t)from->n_ports,
					  .whole = from->whole,
					  .tunnel = from->tunnel,
					  .lenient = from->lenient,
					  .undecided_bytes = from->undecided_bytes };
		s->ports = arena_array(w->a, from->n_ports, sizeof(*s->ports));
		if (s->ports == NULL)
			return false;
		for (size_t k = 0; k < from->n_ports; k++)
			s->ports[k] = (struct ir_port){ from->ports[k].l4proto, from->ports[k].lo, from->ports[k].hi };
	}
	return true;
}

/* Lowers the zones, hosts and services of a conduit. */
static bool lower_ends(struct lowering *w, const struct model_conduit *from, struct ir_conduit *to)
{
	to->sources = from->sources;
	to->n_sources = (uint32_t)from->n_sources;
	to->destinations = from->destinations;
	to->n_destinations = (uint32_t)from->n_destinations;
	to->services = arena_array(w->a, from->n_services, sizeof(*to->services));
	if (to->services == NULL)
		return false;
	to->n_services = (uint32_t)from->n_services;
	for (uint32_t i = 0; i < to->n_services; i++)
		to->services[i] = (uint32_t)(from->services[i] - w->m->services);
	return true;
}

static bool exception(struct lowering *w, const struct model_exception *from, struct ir_conduit *to)
{
	if (from == NULL)
		return true;
	to->exception = arena_array(w->a, 1, sizeof(*to->exception));
	if (to->exception == NULL)
		return false;
	to->n_exception = 1;
	*to->exception =
		(struct ir_exception){ from->applicant, from->reason, from->instead, from->approved_by, from->report };
	return true;
}

static bool servers(struct lowering *w, const struct model_conduit *from, struct ir_conduit *to)
{
	if (from->n_names == 0)
		return true;
	to->servers = arena_array(w->a, from->n_names, sizeof(*to->servers));
	if (to->servers == NULL)
		return false;
	to->n_servers = (uint32_t)from->n_names;
	for (uint32_t i = 0; i < to->n_servers; i++)
		to->servers[i].name = from->names[i];
	return true;
}

static bool accepts(struct lowering *w, const struct model_conduit *from, struct ir_conduit *to)
{
	if (from->n_accepts == 0)
		return true;
	to->accepts = arena_array(w->a, from->n_accepts, sizeof(*to->accepts));
	if (to->accepts == NULL)
		return false;
	to->n_accepts = (uint32_t)from->n_accepts;
	for (uint32_t i = 0; i < to->n_accepts; i++)
		to->accepts[i] = (struct ir_accept){ from->accepts[i].warning, from->accepts[i].reason };
	return true;
}

static bool lower_windows(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->time_zone = w->m->time_zone != NULL ? w->m->time_zone : "";
	ir->windows = arena_array(w->a, w->m->n_windows, sizeof(*ir->windows));
	if (ir->windows == NULL)
		return w->m->n_windows == 0;
	ir->n_windows = (uint32_t)w->m->n_windows;
	for (uint32_t i = 0; i < ir->n_windows; i++) {
		const struct model_window *from = &w->m->windows[i];
		struct ir_window *to = &ir->windows[i];

		*to = (struct ir_window){ .name = from->name,
					  .label = from->label,
					  .days = from->when.days,
					  .from = from->when.from,
					  .to = from->when.to,
					  .first = from->when.first,
					  .last = from->when.last,
					  .n_except = from->when.n_except };
		to->except = arena_array(w->a, to->n_except, sizeof(*to->except));
		if (to->except == NULL && to->n_except > 0)
			return false;
		for (uint32_t k = 0; k < to->n_except; k++)
			to->except[k].day = from->when.except[k];
	}
	return true;
}

static bool lower_doors(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->doors = arena_array(w->a, w->m->n_doors, sizeof(*ir->doors));
	if (ir->doors == NULL)
		return w->m->n_doors == 0;
	ir->n_doors = (uint32_t)w->m->n_doors;
	for (uint32_t i = 0; i < ir->n_doors; i++) {
		const struct model_door *from = &w->m->doors[i];
		const struct model_organisation *of = from->organisation;

		ir->doors[i] = (struct ir_door){ .name = from->name,
						 .label = from->label,
						 .organisation = of != NULL ? of->name : "",
						 .contract_until = of != NULL ? of->contract_until : 0,
						 .at_most = from->at_most,
						 .opened_by = from->opened_by,
						 .needs = from->needs,
						 .second_person = from->second_person,
						 .break_glass = from->break_glass };
	}
	return true;
}

static bool lower_conduits(struct lowering *w)
{
	struct ir *ir = w->ir;

	ir->sources = arena_array(w->a, w->m->n_sources, sizeof(*ir->sources));
	ir->conduits = arena_array(w->a, w->m->n_conduits, sizeof(*ir->conduits));
	if (ir->sources == NULL || ir->conduits == NULL)
		return false;
	ir->n_sources = (uint32_t)w->m->n_sources;
	ir->n_conduits = (uint32_t)w->m->n_conduits;
	for (uint32_t i = 0; i < ir->n_sources; i++)
		ir->sources[i] = (struct ir_source){ .name = w->m->sources[i].name,
						     .text = w->m->sources[i].text,
						     .size = (uint32_t)w->m->sources[i].size };
	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct model_conduit *from = &w->m->conduits[i];

		ir->conduits[i] = (struct ir_conduit){
			.name = from->name,
			.label = from->label,
			.purpose = from->purpose,
			.owner = from->owner,
			.approved_by = from->approved_by,
			.review_by = from->review_by,
			.from = from->from->index,
			.to = from->to->index,
			.file = from->at.file,
			.line = from->at.line,
			.observe = from->observe,
			.shadow = from->shadow,
			.until = from->until,
			.starts = from->starts,
			.window = from->within != NULL ? (uint32_t)(from->within - w->m->windows) : UINT32_MAX,
			.door = from->door != NULL ? (uint32_t)(from->door - w->m->doors) : UINT32_MAX,
			.idle = from->idle,
			.session = from->session,
			.heard_within = from->heard_within,
			.criticality = (uint8_t)from->criticality,
			.when_down = (uint8_t)from->when_down,
			.when_overloaded = (uint8_t)from->when_overloaded,
			.when_midstream = (uint8_t)from->when_midstream,
			.tighten_new_flows = from->tighten_new_flows,
			.deny_weak_tls = from->deny_weak_tls,
		};
		if (!servers(w, from, &ir->conduits[i]) || !accepts(w, from, &ir->conduits[i]) ||
		    !lower_ends(w, from, &ir->conduits[i]) || !exception(w, from->exception, &ir->conduits[i]))
			return false;
	}
	return true;
}

/* The conduit whose line a cell gets: the first one that decides there, an enforcing one if there
 * is any, never a shadow. */
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

static bool lower_cells(struct lowering *w, const struct cells *cells)
{
	struct ir *ir = w->ir;

	ir->cells = arena_array(w->a, cells->n, sizeof(*ir->cells));
	if (ir->cells == NULL)
		return false;
	ir->n_cells = (uint32_t)cells->n;
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
	return true;
}

/* Refuses the policy, with both numbers and the most expensive conduits. */
static bool refuse(struct compilation *c, const char *code, enum message m, unsigned have, unsigned most,
		   const uint64_t *cost)
{
	const char *text[2];

	for (int l = 0; l < 2; l++) {
		int n = message_text(NULL, 0, (enum lang)l, m, have, most);
		char *s = n >= 0 ? arena_alloc(c->arena, (size_t)n + 1) : NULL;

		if (s == NULL || cost == NULL)
			return false;
		message_text(s, (size_t)n + 1, (enum lang)l, m, have, most);
		text[l] = s;
	}
	costs_report(&c->diags, code, c->model, cost, c->arena, text[LANG_EN], text[LANG_JA]);
	return false;
}

/* Permits share grants, but lists of what is in force name each of them. */
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
		return refuse(c, "policy.table_too_large", M_LOWER_GRANTS, (unsigned)named, GRANTS_NAMED_MAX, cost);
	return refuse(c, "policy.table_too_large", M_LOWER_TABLE, (unsigned)(most >> 10), COMMANDS_TABLE_MAX >> 10,
		      cost);
}

/* Refuses more cells than enforce could give to the kernel in its time. Compared with ranges, exact
 * cells cost nothing. */
static bool maps_fit(struct compilation *c, const struct lowering *w, const struct cells *cells)
{
	uint64_t n[SET_COUNT] = { 0 }, squares = 0, ranges = 0, *cost;
	const struct ir *ir = w->ir;

	for (uint32_t i = 0; i < ir->n_cells; i++)
		n[ir_set_of_cell(&ir->cells[i])]++;
	n[SET_EXACT4] = n[SET_EXACT6] = 0;
	for (unsigned s = 0; s < SET_COUNT; s++) {
		squares += n[s] * n[s];
		ranges += n[s];
	}
	if (squares <= (uint64_t)IR_RANGES_MAX * IR_RANGES_MAX)
		return true;
	cost = arena_array(c->arena, c->model->n_conduits, sizeof(*cost));
	for (uint32_t i = 0; i < ir->n_cells && cost != NULL; i++)
		if (n[ir_set_of_cell(&ir->cells[i])] > 0)
			cost[responsible(w, cells, &cells->sets[ir->cells[i].permit])->index]++;
	return refuse(c, "policy.maps_too_large", M_LOWER_MAPS, (unsigned)ranges, IR_RANGES_MAX, cost);
}

static bool lower(struct compilation *c, bool proofs)
{
	struct lowering w = { .m = c->model, .a = c->arena };
	struct cells cells;

	c->ir = NULL;
	if (c->model == NULL || c->diags.errors > 0)
		return false;
	if (proofs) {
		report_nevers(c);
		report_always(c);
	}
	exposure_report(c);
	w.ir = arena_alloc(c->arena, sizeof(*w.ir));
	/* Permits are joined even when a statement is broken, so that one run reports all
	 * errors. */
	if (w.ir != NULL && cells_make(w.m, CELLS_OVER, w.a, &c->diags, &cells) && report_shadows(c, &cells) &&
	    permits_make(w.m, &cells, w.a, &c->diags, w.ir) && c->diags.errors == 0) {
		w.ir->site_name = w.m->site_name;
		w.ir->site_label = w.m->site_label;
		w.ir->site_contact = w.m->site_contact;
		w.ir->records_purpose = w.m->records.purpose;
		w.ir->records_responsible = w.m->records.responsible;
		w.ir->record_passed = w.m->record_passed;
#define ATTACK(id, word, ...) w.ir->detect_##word = w.m->detect.at_least[id];
#define ATTACK_SETTING(word, ...) w.ir->detect_##word = w.m->detect.word;
#include "appliance/wire/attack.def"
		w.ir->keep_days = w.m->retention.keep_days;
		w.ir->delete_after_days = w.m->retention.delete_after_days;
		if (lower_box(&w) && lower_zones(&w) && lower_assets(&w) && lower_organisations(&w) &&
		    lower_groups(&w) && lower_services(&w) && lower_windows(&w) && lower_doors(&w) &&
		    lower_conduits(&w) && lower_cells(&w, &cells) && maps_fit(c, &w, &cells) &&
		    commands_make(w.m, &cells, w.a, w.ir) && table_fits(c, w.ir) && isolations_make(c, w.ir) &&
		    permits_identify(w.ir, w.a))
			c->ir = w.ir;
	}
	if (arena_failed(c->arena))
		c->ir = NULL;
	if (c->ir == NULL && c->diags.errors == 0)
		diag_add(&c->diags, SEV_ERROR, "policy.memory", (struct srcpos){ 0, 0, 0 }, M_LOWER_MEMORY);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile/lower.h"
#include "policy/ir/limits.h"
#include "policy/ir/seal.h"

#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/wire/vocabulary.h"
#include "policy/space/intern.h"
#include "policy/space/joint.h"

/* Messages about a pair of conduits come once, however many sets contain both. */
enum said { SAID_SETTING, SAID_MODES = SAID_SETTING + JOINTS, SAID_OPEN, SAID_UNNAMED, SAID_NAMES };

struct joiner {
	const struct model *m;
	const struct cells *cells;
	struct diags *d;
	struct interner said;
	bool past; /* the present permit has ended: nothing is reported about it */
	bool failed;
};

static bool first_time(struct joiner *j, const struct model_conduit *a, const struct model_conduit *b, unsigned what)
{
	uint32_t key[3] = { a->index, b->index, what }, unused;
	bool is_new;

	if (j->past)
		return false;
	if (!intern(&j->said, key, 3, &unused, &is_new)) {
		j->failed = true;
		return false;
	}
	return is_new;
}

static const struct cell_pair *pair_of(const struct joiner *j, const struct interned *set, uint32_t i)
{
	return &j->cells->pairs[set->values[i]];
}

static const struct model_conduit *conduit_of(const struct joiner *j, const struct interned *set, uint32_t i)
{
	return &j->m->conduits[pair_of(j, set, i)->conduit];
}

static enum protocol_depth depth_of(const struct joiner *j, const struct interned *set, uint32_t i)
{
	return protocol_info(pair_of(j, set, i)->service->protocol)->depth;
}

/* The first conduit that enforces; NULL when the whole set only observes. */
static const struct model_conduit *enforcer(const struct joiner *j, const struct interned *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (!conduit_of(j, set, i)->observe)
			return conduit_of(j, set, i);
	return NULL;
}

static void join_modes(struct joiner *j, const struct interned *set, const struct model_conduit *enforces)
{
	for (uint32_t i = 0; i < set->n && enforces != NULL; i++) {
		const struct model_conduit *c = conduit_of(j, set, i);
		struct diag *g;

		if (!c->observe || c->shadow || !first_time(j, c, enforces, SAID_MODES))
			continue;
		g = diag_add(j->d, SEV_ERROR, "policy.observe_over_enforce", c->at, M_JOINT_MODES, c->name,
			     enforces->name);
		g->also = enforces->at;
		diag_hint(j->d, g, M_JOINT_MODES_HINT);
	}
}

/* Whether this pair's conduit has a part in the settings of the permit. If a conduit enforces,
 * those that only observe have none. If all observe, shadows have none. */
static bool counts(const struct joiner *j, const struct interned *set, uint32_t i, const struct model_conduit *enforces)
{
	const struct model_conduit *c = conduit_of(j, set, i);

	return enforces == NULL ? !c->shadow : !c->observe;
}

/* Whether this pair counts for the setting. Weak TLS is decided only by pairs whose service is
 * TLS. */
static bool has_say(const struct joiner *j, const struct interned *set, uint32_t i,
		    const struct model_conduit *enforces, enum joint s)
{
	return counts(j, set, i, enforces) &&
	       (s != JOINT_WEAK_TLS || pair_of(j, set, i)->service->protocol == PROTO_TLS);
}

/* "closed", "15 min" */
static const char *value_text(enum joint s, unsigned rank, char out[DURATION_TEXT])
{
	return joint_settings[s].words != NULL ? joint_settings[s].words[joint_value(s, rank)]
					       : duration_text(joint_value(s, rank), out);
}

/* The strictest value of the conduits that decide about this set. */
static unsigned join_setting(struct joiner *j, const struct interned *set, const struct model_conduit *enforces,
			     enum joint s, bool inspected)
{
	const struct model_conduit *strictest = NULL;
	unsigned least = 0;
	char mine[DURATION_TEXT], others[DURATION_TEXT];

	for (uint32_t i = 0; i < set->n; i++) {
		const struct model_conduit *c = conduit_of(j, set, i);

		if (!has_say(j, set, i, enforces, s) || (strictest != NULL && joint_rank(c, s) >= least))
			continue;
		strictest = c;
		least = joint_rank(c, s);
	}
	/* Failure settings do not matter without inspection. */
	for (uint32_t i = 0; i < set->n && (inspected || joint_settings[s].always); i++) {
		const struct model_conduit *c = conduit_of(j, set, i);
		unsigned rank = joint_rank(c, s);

		if (!has_say(j, set, i, enforces, s) || rank == least || !first_time(j, c, strictest, SAID_SETTING + s))
			continue;
		diag_add(j->d, SEV_WARNING, "policy.overruled", c->at, M_JOINT_STRICTER, c->name, joint_settings[s].key,
			 value_text(s, rank, mine), strictest->name, value_text(s, least, others))
			->also = strictest->at;
	}
	return strictest != NULL ? joint_value(s, least) : 0;
}

/*
 * A conduit that allows without inspection makes inspection for other conduits of the same cell
 * pointless, because it allows whatever the inspector would refuse. Such cells stay out of the
 * queues, and the conduit that expects inspection gets a warning.
 */
static bool inspected(struct joiner *j, const struct interned *set, const struct model_conduit *enforces)
{
	const struct model_conduit *open = NULL;

	for (uint32_t i = 0; i < set->n && open == NULL; i++)
		if (counts(j, set, i, enforces) && depth_of(j, set, i) == DEPTH_TRANSPORT)
			open = conduit_of(j, set, i);
	if (open == NULL)
		return true;
	for (uint32_t i = 0; i < set->n; i++) {
		const struct model_conduit *c = conduit_of(j, set, i);

		if (depth_of(j, set, i) == DEPTH_TRANSPORT || !first_time(j, c, open, SAID_OPEN))
			continue;
		diag_add(j->d, SEV_WARNING, "policy.not_enforced", c->at, M_JOINT_OPEN, open->name, c->name)->also =
			open->at;
	}
	return false;
}

/* Workers that judge commands have no nDPI. So where commands are judged, a protocol that only nDPI
 * knows cannot be recognised, and is refused. */
static void join_names(struct joiner *j, const struct interned *set, const struct model_conduit *enforces)
{
	uint32_t commands = 0;

	while (commands < set->n &&
	       !(depth_of(j, set, commands) == DEPTH_COMMANDS && counts(j, set, commands, enforces)))
		commands++;
	for (uint32_t i = 0; i < set->n && commands < set->n; i++) {
		const struct model_conduit *c = conduit_of(j, set, i), *other = conduit_of(j, set, commands);
		struct diag *g;

		if (depth_of(j, set, i) != DEPTH_NDPI || !counts(j, set, i, enforces) ||
		    !first_time(j, c, other, SAID_UNNAMED))
			continue;
		g = diag_add(j->d, SEV_WARNING, "policy.not_named", c->at, M_JOINT_UNNAMED, c->name,
			     pair_of(j, set, i)->service->name, pair_of(j, set, commands)->service->name);
		if (other != c)
			g->also = other->at;
		diag_hint(j->d, g, M_JOINT_UNNAMED_HINT);
	}
}

static bool has_names(const struct joiner *j, const struct interned *set, uint32_t i, bool declared)
{
	return pair_of(j, set, i)->service->protocol == PROTO_TLS && (conduit_of(j, set, i)->n_servers > 0) == declared;
}

/* Warns of a conduit whose server names have no effect, because another conduit of the cell has
 * none and so allows any server. */
static void join_names_of_servers(struct joiner *j, const struct interned *set, const struct model_conduit *enforces)
{
	const struct model_conduit *any = NULL;

	for (uint32_t i = 0; i < set->n && any == NULL; i++)
		if (counts(j, set, i, enforces) && has_names(j, set, i, false))
			any = conduit_of(j, set, i);
	for (uint32_t i = 0; i < set->n && any != NULL; i++) {
		const struct model_conduit *c = conduit_of(j, set, i);

		if (counts(j, set, i, enforces) && has_names(j, set, i, true) && first_time(j, c, any, SAID_NAMES))
			diag_add(j->d, SEV_WARNING, "policy.not_enforced", c->at, M_JOINT_NAMES, any->name, c->name)
				->also = any->at;
	}
}

/* The earliest end of the conduits. What they allow after it is another permit, one layer below. */
static uint64_t join_until(const struct joiner *j, const struct interned *set)
{
	uint64_t first = 0;

	for (uint32_t i = 0; i < set->n; i++) {
		uint64_t until = conduit_of(j, set, i)->until;

		if (until != 0 && (first == 0 || until < first))
			first = until;
	}
	return first;
}

static bool opens_by_hours(const struct joiner *j, const struct interned *set)
{
	for (uint32_t i = 0; i < set->n; i++) {
		struct times t = conduit_times(conduit_of(j, set, i));

		if (times_open(&t))
			return true;
	}
	return false;
}

static void join(struct joiner *j, const struct interned *set, struct ir_permit *p)
{
	const struct model_conduit *enforces = enforcer(j, set);
	struct lane lane = { .kind = LANE_NAMING };
	unsigned joint[JOINTS];
	bool is_inspected;

	p->until = join_until(j, set);
	j->past = p->until != 0 && p->until <= j->m->now;
	if (opens_by_hours(j, set))
		p->until = IR_SHUT;
	join_modes(j, set, enforces);
	is_inspected = inspected(j, set, enforces);
	p->observe = enforces == NULL;
	for (enum joint n = 0; n < JOINTS; n++)
		joint[n] = join_setting(j, set, enforces, n, is_inspected);
	p->idle = joint[JOINT_IDLE];
	p->session = joint[JOINT_SESSION];
	p->midstream = (uint8_t)joint[JOINT_MIDSTREAM];
	p->tighten_new_flows = joint[JOINT_TIGHTEN] != 0;
	p->deny_weak_tls = joint[JOINT_WEAK_TLS] != 0 && is_inspected;
	lane.when_down = (enum failure)joint[JOINT_DOWN];
	lane.when_overloaded = (enum failure)joint[JOINT_OVERLOADED];
	lane.criticality = (enum criticality)joint[JOINT_CRITICALITY];
	for (uint32_t i = 0; i < set->n; i++) {
		/* Rows of a shadow alone start no command inspection: workers that judge commands
		 * have no nDPI, so the traffic would get no name. */
		if (!counts(j, set, i, enforces))
			continue;
		if (depth_of(j, set, i) == DEPTH_COMMANDS)
			lane.kind = LANE_COMMANDS;
		protocols_add(&p->protocols, pair_of(j, set, i)->service->protocol);
	}
	p->lane = is_inspected ? lane_number(lane) : LANE_NONE;
	if (is_inspected) {
		join_names(j, set, enforces);
		join_names_of_servers(j, set, enforces);
	}
}

static bool few_limits(const struct model *m, struct diags *d)
{
	struct ir_limits l = { .n = 0 };

	for (size_t i = 0; i < m->n_conduits && !l.full; i++) {
		const struct model_conduit *c = &m->conduits[i];

		ir_limits_add(&l, c->session);
		ir_limits_add(&l, c->idle | IR_LIMIT_IDLE);
		if (l.full)
			diag_hint(d, diag_add(d, SEV_ERROR, "policy.limits", c->at, M_LIMITS_MANY, c->name, IR_LIMITS),
				  M_LIMITS_MANY_HINT);
	}
	return !l.full;
}

bool permits_make(const struct model *m, const struct cells *cells, struct arena *a, struct diags *d, struct ir *ir)
{
	struct joiner j = { .m = m, .cells = cells, .d = d };
	size_t errors = d->errors;

	interner_init(&j.said, a);
	ir->permits = arena_array(a, cells->n_sets, sizeof(*ir->permits));
	if (ir->permits == NULL)
		return false;
	ir->n_permits = (uint32_t)cells->n_sets;
	if (!few_limits(m, d))
		return false;
	for (uint32_t i = 0; i < ir->n_permits; i++)
		join(&j, &cells->sets[i], &ir->permits[i]);
	return !j.failed && d->errors == errors;
}

/* ---- identity -------------------------------------------------------------------------------- */

/* Writes the meaning of a row as bytes. A box identifies permits by them over upgrades, so this
 * form is as fixed as the sealed one. */
static void put_numbers(struct outbuf *o, const struct command_table *t, const struct number_set *s)
{
	out_u8(o, s->any);
	out_be32(o, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		out_be64(o, t->ranges[s->first + i].lo);
		out_be64(o, t->ranges[s->first + i].hi);
	}
}

static void put_row(struct outbuf *o, const struct command_table *t, const struct command_row *r)
{
	put_numbers(o, t, &r->services);
	for (unsigned i = 0; i < TARGET_MAX; i++)
		put_numbers(o, t, &r->targets[i]);
	out_u8(o, r->spaces_any);
	out_be32(o, r->n_spaces);
	for (uint32_t i = 0; i < r->n_spaces; i++) {
		out_u8(o, t->spaces[r->first_space + i].space);
		put_numbers(o, t, &t->spaces[r->first_space + i].numbers);
	}
	put_numbers(o, t, &r->values);
}

/* An upper bound of the bytes that put_numbers writes. */
static size_t numbers_size(const struct number_set *s)
{
	return 6u + 16u * (size_t)s->n;
}

static size_t grant_size(const struct command_table *t, const struct command_grant *g)
{
	size_t n = 13;

	for (uint32_t i = 0; i < g->n_rows; i++) {
		const struct command_row *r = &t->rows[g->first_row + i];

		n += 96 + numbers_size(&r->services) + numbers_size(&r->values);
		for (unsigned k = 0; k < TARGET_MAX; k++)
			n += numbers_size(&r->targets[k]);
		for (uint32_t s = 0; s < r->n_spaces; s++)
			n += numbers_size(&t->spaces[r->first_space + s].numbers);
	}
	return n;
}

static void put_grant(struct outbuf *o, const struct command_table *t, const struct command_grant *g)
{
	out_be16(o, g->protocol);
	out_u8(o, g->whole);
	out_u8(o, g->shadow);
	out_u8(o, g->lenient);
	out_be32(o, g->undecided_bytes);
	out_be32(o, g->n_rows);
	for (uint32_t i = 0; i < g->n_rows; i++)
		put_row(o, t, &t->rows[g->first_row + i]);
}

/* Writes when a grant with hours or a door holds. For all other grants it writes nothing, because
 * their bytes must stay as they were before hours existed. */
static void put_hours(struct outbuf *o, const struct ir *ir, const struct ir_conduit *c)
{
	const struct ir_window *w = c->window != UINT32_MAX ? &ir->windows[c->window] : NULL;
	const char *door = c->door != UINT32_MAX ? ir->doors[c->door].name : "";

	if (c->starts == 0 && w == NULL && door[0] == '\0')
		return;
	out_be64(o, c->starts);
	out_be64(o, c->until);
	out_bytes(o, door, strlen(door) + 1);
	out_u8(o, w != NULL);
	if (w == NULL)
		return;
	out_u8(o, w->days);
	out_be16(o, w->from);
	out_be16(o, w->to);
	out_be32(o, w->first);
	out_be32(o, w->last);
	for (uint32_t i = 0; i < w->n_except; i++)
		out_be32(o, w->except[i].day);
	out_bytes(o, ir->time_zone, strlen(ir->time_zone));
}

static size_t hours_size(const struct ir *ir, const struct ir_conduit *c)
{
	size_t n = 41 + (c->door != UINT32_MAX ? strlen(ir->doors[c->door].name) : 0);

	if (c->window != UINT32_MAX)
		n += 4 * (size_t)ir->windows[c->window].n_except + strlen(ir->time_zone);
	return n;
}

static size_t permit_size(const struct ir *ir, const struct command_permit *p)
{
	const struct command_table *t = &ir->table;
	size_t n = IR_SETTINGS_MAX;

	for (uint32_t g = 0; g < p->n_grants; g++) {
		const struct command_grant *one = &t->grants[p->first_grant + g];

		n += grant_size(t, one) + hours_size(ir, &ir->conduits[one->conduit]);
	}
	return n;
}

/* The identity depends on the order of the grants. They are in the order of the conduits, and the
 * order decides which conduit an event names. */
bool permits_identify(struct ir *ir, struct arena *a)
{
	const struct command_table *t = &ir->table;
	size_t most = 0, before = SIZE_MAX;
	uint8_t *buffers[2];

	for (uint32_t i = 0; i < ir->n_permits; i++) {
		size_t size = permit_size(ir, &t->permits[i]);

		most = size > most ? size : most;
	}
	/* used in turn, so that the bytes of the permit before are still there */
	buffers[0] = arena_alloc(a, most + 1);
	buffers[1] = arena_alloc(a, most + 1);
	if (buffers[0] == NULL || buffers[1] == NULL)
		return false;
	for (uint32_t i = 0; i < ir->n_permits; i++) {
		struct outbuf out = outbuf_of(buffers[i % 2], most);

		ir_put_settings(&out, &ir->permits[i]);
		for (uint32_t g = 0; g < t->permits[i].n_grants; g++) {
			const struct command_grant *one = &t->grants[t->permits[i].first_grant + g];

			put_grant(&out, t, one);
			put_hours(&out, ir, &ir->conduits[one->conduit]);
		}
		if (out.failed)
			return false;
		/* Many pairs of hosts have the same service, one after the other. */
		if (out.len == before && memcmp(out.p, buffers[(i + 1) % 2], out.len) == 0)
			memcpy(ir->permits[i].identity, ir->permits[i - 1].identity, sizeof(ir->permits[i].identity));
		else
			sha256(out.p, out.len, ir->permits[i].identity);
		before = out.len;
	}
	return true;
}

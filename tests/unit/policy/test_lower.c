/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) policy/ir/elements.c
 * LIBS: nettle
 */
/* Common settings of overlapping conduits, and identities of permits. */
#include "policy/ir/sets.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/policy/model_make.h"

struct pair {
	struct model_maker k;
	struct model_zone *a, *b;
	struct model_service *reads, *whole, *tls, *tcp;
};

static void pair_init(struct pair *p)
{
	maker_init(&p->k);
	maker_interface(&p->k, "lan0");
	maker_interface(&p->k, "lan1");
	p->a = maker_zone(&p->k, "a", "lan0", "10.1.0.0/24 2001:db8:1::/64");
	p->b = maker_zone(&p->k, "b", "lan1", "10.2.0.0/24 2001:db8:2::/64");
	p->reads = maker_service(&p->k, "reads", PROTO_MODBUS, "tcp/502");
	maker_allow(&p->k, p->reads, CLASS_READ, 0, 99);
	p->whole = maker_service(&p->k, "whole", PROTO_MODBUS, "tcp/502");
	p->tls = maker_service(&p->k, "tls", PROTO_TLS, "tcp/443");
	p->tcp = maker_service(&p->k, "tcp", PROTO_TCP, "tcp/0-65535");
}

static struct model_conduit *conduit(struct pair *p, const char *name, const char *src, struct model_service *s)
{
	return maker_conduit(&p->k, name, p->a, p->b, src, "10.2.0.5", s);
}

/* The permit of the cell with this source. */
static const struct ir_permit *permit_at(const struct pair *p, const char *src, uint32_t *index)
{
	const struct ir_cell *found = NULL;
	struct addr a;

	assert_true(addr_parse(src, &a));
	for (uint32_t i = 0; i < p->k.c.ir->n_cells; i++)
		if (addr_in(&a, &p->k.c.ir->cells[i].src) && (found == NULL || ir_cell_exact(&p->k.c.ir->cells[i])))
			found = &p->k.c.ir->cells[i];
	if (found == NULL) {
		fail();
		return NULL;
	}
	if (index != NULL)
		*index = found->permit;
	return &p->k.c.ir->permits[found->permit];
}

static size_t said(const struct pair *p, const char *code)
{
	size_t n = 0;

	for (size_t i = 0; i < p->k.c.diags.n; i++)
		n += strcmp(p->k.c.diags.list[i]->code, code) == 0;
	return n;
}

static void strictest_settings(void **state)
{
	struct model_conduit *x, *y;
	const struct ir_permit *joint;
	struct lane lane;
	struct pair p;

	(void)state;
	pair_init(&p);
	x = conduit(&p, "x", "", p.reads);
	y = conduit(&p, "y", "10.1.0.9", p.whole);
	x->when_down = FAIL_OPEN;
	x->when_overloaded = FAIL_HOLD;
	x->when_midstream = MID_PICK_UP;
	x->criticality = CRIT_SUPPORT;
	x->tighten_new_flows = true;
	y->when_down = FAIL_HOLD;
	y->when_overloaded = FAIL_OPEN;
	y->when_midstream = MID_DROP;
	y->criticality = CRIT_SAFETY;
	assert_true(maker_lower(&p.k));
	joint = permit_at(&p, "10.1.0.9", NULL);
	assert_true(lane_of(joint->lane, &lane));
	assert_int_equal(lane.kind, LANE_COMMANDS);
	assert_int_equal(lane.when_down, FAIL_HOLD);
	assert_int_equal(lane.when_overloaded, FAIL_HOLD);
	assert_int_equal(lane.criticality, CRIT_SAFETY);
	assert_int_equal(joint->midstream, MID_DROP);
	assert_false(joint->tighten_new_flows);
	assert_true(lane_of(permit_at(&p, "10.1.0.8", NULL)->lane, &lane));
	assert_int_equal(lane.when_down, FAIL_OPEN);
	assert_true(permit_at(&p, "10.1.0.8", NULL)->tighten_new_flows);
	/* Five differences. Each is reported once although three cells came of it, at the line of
	 * the setting that does not count, with the other line. */
	assert_int_equal(said(&p, "policy.overruled"), 5);
	for (size_t i = 0; i < p.k.c.diags.n; i++) {
		const struct diag *d = p.k.c.diags.list[i];
		uint32_t overruled = strstr(d->text[0], "when_overloaded") ? y->at.line : x->at.line;

		if (strcmp(d->code, "policy.overruled") != 0)
			continue; /* attacks that a peer can force have another warning */
		assert_int_equal(d->severity, SEV_WARNING);
		assert_int_equal(d->at.line, overruled);
		assert_int_equal(d->also.line, overruled == x->at.line ? y->at.line : x->at.line);
	}
	maker_free(&p.k);
}

static void lanes_by_protocol(void **state)
{
	struct lane lane;
	struct pair p;

	(void)state;
	pair_init(&p);
	conduit(&p, "naming", "10.1.0.1", p.tls);
	conduit(&p, "commands", "10.1.0.2", p.whole);
	conduit(&p, "transport", "10.1.0.3", p.tcp);
	assert_true(maker_lower(&p.k));
	assert_true(lane_of(permit_at(&p, "10.1.0.1", NULL)->lane, &lane));
	assert_int_equal(lane.kind, LANE_NAMING);
	assert_int_equal(protocols_only(&permit_at(&p, "10.1.0.1", NULL)->protocols), PROTO_TLS);
	assert_true(lane_of(permit_at(&p, "10.1.0.2", NULL)->lane, &lane));
	assert_int_equal(lane.kind, LANE_COMMANDS);
	assert_int_equal(permit_at(&p, "10.1.0.3", NULL)->lane, LANE_NONE);
	assert_int_equal(p.k.c.diags.n, 0);
	maker_free(&p.k);
}

static void transport_over_commands_is_said(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	conduit(&p, "commands", "10.1.0.2", p.reads);
	conduit(&p, "transport", "10.1.0.2", p.tcp);
	assert_true(maker_lower(&p.k));
	for (uint32_t i = 0; i < p.k.c.ir->n_permits; i++)
		assert_int_equal(p.k.c.ir->permits[i].lane, LANE_NONE);
	assert_int_equal(said(&p, "policy.not_enforced"), 1);
	maker_free(&p.k);
}

/* Workers for commands have no nDPI and need none: every name that a policy can use has a
 * recogniser of our own. */
static void names_beside_commands_need_no_ndpi(void **state)
{
	struct lane lane;
	struct pair p;

	(void)state;
	pair_init(&p);
	conduit(&p, "commands", "10.1.0.2", p.reads);
	conduit(&p, "database", "10.1.0.2", maker_service(&p.k, "mysql", PROTO_MYSQL, "tcp/502"));
	conduit(&p, "web", "10.1.0.2", maker_service(&p.k, "tls502", PROTO_TLS, "tcp/502"));
	conduit(&p, "other port", "10.1.0.3", maker_service(&p.k, "mysql2", PROTO_MYSQL, "tcp/3306"));
	assert_true(maker_lower(&p.k));
	assert_int_equal(said(&p, "policy.not_named"), 0);
	assert_true(lane_of(permit_at(&p, "10.1.0.2", NULL)->lane, &lane));
	assert_int_equal(lane.kind, LANE_COMMANDS);
	maker_free(&p.k);
}

static void observe_over_enforce(void **state)
{
	struct model_conduit *x, *y;
	const struct command_table *t;
	struct pair p;
	uint32_t i;

	(void)state;
	pair_init(&p);
	x = conduit(&p, "x", "", p.whole);
	y = conduit(&p, "y", "10.1.0.9", p.reads);
	y->observe = true;
	assert_false(maker_lower(&p.k));
	assert_int_equal(said(&p, "policy.observe_over_enforce"), 1);
	assert_int_equal(p.k.c.diags.list[0]->at.line, y->at.line);
	assert_int_equal(p.k.c.diags.list[0]->also.line, x->at.line);
	assert_non_null(p.k.c.diags.list[0]->hint[0]);
	maker_free(&p.k);

	pair_init(&p);
	conduit(&p, "x", "", p.whole);
	y = conduit(&p, "y", "10.1.0.9", p.reads);
	y->observe = y->shadow = true;
	y->when_midstream = MID_DROP; /* a shadow changes nothing */
	y->criticality = CRIT_SAFETY;
	assert_true(maker_lower(&p.k));
	assert_int_equal(p.k.c.diags.n, 0);
	assert_int_equal(permit_at(&p, "10.1.0.9", &i)->midstream, MID_RESET);
	assert_false(p.k.c.ir->permits[i].observe);
	t = &p.k.c.ir->table;
	assert_int_equal(t->permits[i].n_grants, 2);
	assert_false(t->grants[t->permits[i].first_grant].shadow);
	assert_true(t->grants[t->permits[i].first_grant + 1].shadow);
	maker_free(&p.k);

	pair_init(&p);
	conduit(&p, "x", "", p.whole)->observe = true;
	conduit(&p, "y", "10.1.0.9", p.reads)->observe = true;
	assert_true(maker_lower(&p.k));
	assert_true(permit_at(&p, "10.1.0.9", &i)->observe);
	assert_false(p.k.c.ir->table.grants[p.k.c.ir->table.permits[i].first_grant].shadow);
	maker_free(&p.k);
}

/* Layers: first where both conduits are valid, then the one that ends later, then nothing. */
static void each_end_takes_its_own(void **state)
{
	struct model_conduit *x, *y;
	uint32_t layers[4] = { 0 };
	struct pair p;

	(void)state;
	pair_init(&p);
	x = conduit(&p, "x", "10.1.0.0/25", p.tls);
	y = conduit(&p, "y", "10.1.0.9", p.tls);
	x->until = 9000;
	y->until = 5000;
	assert_true(maker_lower(&p.k));
	assert_int_equal(p.k.c.diags.n, 0);
	for (uint32_t i = 0; i < p.k.c.ir->n_cells; i++) {
		const struct ir_cell *c = &p.k.c.ir->cells[i];

		layers[c->layer]++;
		assert_int_equal(p.k.c.ir->permits[c->permit].until, c->layer == 2 ? 5000 : 9000);
	}
	assert_int_equal(layers[0], 0);
	/* x whole: the conduit that lies over it and ends does not cut it */
	assert_int_equal(layers[1], 1);
	assert_int_equal(layers[2], 1);
	maker_free(&p.k);
}

/* The ninth conduit with an end over one packet is refused, unless one has ended: then the policy
 * counts as if that one were not there. */
static void ends_have_a_bound(void **state)
{
	(void)state;
	for (uint32_t n = IR_LAYERS; n <= IR_LAYERS + 1; n++)
		for (int past = 0; past < 2; past++) {
			bool refused = n > IR_LAYERS && !past;
			struct pair p;

			pair_init(&p);
			for (uint32_t i = 0; i < n; i++) {
				char name[16];

				snprintf(name, sizeof(name), "window-%u", i);
				conduit(&p, name, "", p.tls)->until = 5000 + i;
			}
			p.k.m.now = past ? 5000 : 0;
			assert_int_equal(maker_lower(&p.k), !refused);
			assert_int_equal(said(&p, "policy.too_many_ends"), refused);
			if (refused)
				assert_non_null(strstr(p.k.c.diags.list[0]->text[0], "window-0"));
			else
				assert_int_equal(ir_maps(p.k.c.ir).layers, IR_LAYERS);
			maker_free(&p.k);
		}
}

/* A conduit that has ended is not mentioned, and causes no error. */
static void past_conduits_are_not_spoken_of(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	conduit(&p, "over", "", p.reads)->until = 5000;
	conduit(&p, "watch", "", p.whole)->observe = true;
	assert_false(maker_lower(&p.k));
	assert_int_equal(said(&p, "policy.observe_over_enforce"), 1);
	maker_free(&p.k);
	pair_init(&p);
	conduit(&p, "over", "", p.reads)->until = 5000;
	conduit(&p, "watch", "", p.whole)->observe = true;
	p.k.m.now = 5000;
	assert_true(maker_lower(&p.k));
	assert_int_equal(p.k.c.diags.n, 0);
	maker_free(&p.k);
}

/* Conduits overlap like steps, so that each cell has another combination of them. If the conduits
 * are written in the order of the steps, combinations share their grants. A table that no worker
 * could hold is refused at compile time, and the message names the conduits that fill it. */
static void too_many_combinations(void **state)
{
	struct pair p;

	(void)state;
	for (unsigned shuffled = 0; shuffled < 2; shuffled++) {
		pair_init(&p);
		for (unsigned i = 0; i < 100; i++) {
			char name[16], src[16], dst[16];
			unsigned step = shuffled ? i * 37 % 100 : i;
			struct addr_range *from = arena_array(p.k.arena, 1, sizeof(*from)),
					  *to = arena_array(p.k.arena, 1, sizeof(*to));
			struct model_conduit *c;

			snprintf(name, sizeof(name), "c%u", step);
			snprintf(src, sizeof(src), "10.1.0.%u", step);
			snprintf(dst, sizeof(dst), "10.2.0.%u", 99 - step);
			c = maker_conduit(&p.k, name, p.a, p.b, src, dst, p.reads);
			*from = (struct addr_range){ .lo = c->sources[0].lo, .hi = c->sources[0].hi };
			*to = (struct addr_range){ .lo = c->destinations[0].lo, .hi = c->destinations[0].hi };
			from->lo.b[3] = 0;
			to->lo.b[3] = 0;
			c->sources = from;
			c->destinations = to;
		}
		assert_int_equal(maker_lower(&p.k), !shuffled);
		assert_int_equal(said(&p, "policy.table_too_large"), shuffled);
		if (shuffled)
			assert_non_null(strstr(p.k.c.diags.list[0]->hint[0], "c48 (site.cfg:"));
		else
			assert_int_equal(p.k.c.ir->table.n_grants, 100);
		maker_free(&p.k);
	}
}

/* Ranges of clients times ranges of machines: if the kernel would take too long to load them, the
 * policy is refused, and the message names the conduits. */
static void too_many_ranges(void **state)
{
	struct addr_range *ranges;
	struct pair p;

	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		pair_init(&p);
		for (unsigned side = 0; side < 2; side++) {
			struct model_conduit *c = maker_conduit(&p.k, side == 0 ? "few" : "many", p.a, p.b, "10.1.0.1",
								"10.2.0.1", p.reads);
			/* 399 x 399 ranges between two interfaces fit, 401 x 401 do not */
			unsigned n = side == 0 ? 1 : 399 + 2 * over;

			ranges = arena_array(p.k.arena, n, sizeof(*ranges));
			for (unsigned i = 0; i < n; i++) {
				ranges[i] = (struct addr_range){ c->sources[0].lo, c->sources[0].hi };
				ranges[i].lo.b[2] = ranges[i].hi.b[2] = (uint8_t)(i / 100);
				ranges[i].lo.b[3] = ranges[i].hi.b[3] = (uint8_t)(2 * (i % 100) + 2);
			}
			c->sources = ranges;
			c->n_sources = n;
			ranges = arena_array(p.k.arena, n, sizeof(*ranges));
			for (unsigned i = 0; i < n; i++) {
				ranges[i] = (struct addr_range){ c->destinations[0].lo, c->destinations[0].hi };
				ranges[i].lo.b[2] = ranges[i].hi.b[2] = (uint8_t)(i / 10);
				ranges[i].lo.b[3] = (uint8_t)(20 * (i % 10));
				ranges[i].hi.b[3] = (uint8_t)(20 * (i % 10) + (side == 0 ? 0 : 9));
			}
			c->destinations = ranges;
			c->n_destinations = n;
		}
		assert_int_equal(maker_lower(&p.k), !over);
		assert_int_equal(said(&p, "policy.maps_too_large"), over);
		if (over)
			assert_non_null(strstr(p.k.c.diags.list[0]->hint[0], "many (site.cfg:"));
		maker_free(&p.k);
	}
}

/* Workers for commands have no nDPI. If only a shadow has rows, its sessions do not go to such a
 * worker, because it would refuse protocols that nDPI recognises. */
static void shadows_take_no_name_away(void **state)
{
	struct model_conduit *watch;
	struct lane lane;
	struct pair p;

	(void)state;
	for (unsigned observed = 0; observed < 2; observed++) {
		pair_init(&p);
		conduit(&p, "names", "10.1.0.2", maker_service(&p.k, "dns", PROTO_DNS, "udp/53"))->observe = observed;
		conduit(&p, "commands", "10.1.0.3", p.reads)->observe = observed;
		watch = conduit(&p, "watch", "", maker_service(&p.k, "any_modbus", PROTO_MODBUS, "tcp/502 udp/53"));
		watch->observe = watch->shadow = true;
		assert_true(maker_lower(&p.k));
		assert_int_equal(p.k.c.diags.n, 0);
		assert_true(lane_of(permit_at(&p, "10.1.0.2", NULL)->lane, &lane));
		assert_int_equal(lane.kind, LANE_NAMING);
		assert_true(lane_of(permit_at(&p, "10.1.0.3", NULL)->lane, &lane));
		assert_int_equal(lane.kind, LANE_COMMANDS);
		maker_free(&p.k);
	}
}

/* A shadow changes no setting of the conduits that it watches, and has no cells of its own. */
static void shadows_allow_nothing(void **state)
{
	struct model_conduit *window, *watch;
	struct pair p;

	(void)state;
	pair_init(&p);
	window = conduit(&p, "window", "10.1.0.9", p.reads);
	window->until = 5000;
	watch = conduit(&p, "watch", "", p.whole);
	watch->observe = watch->shadow = true;
	assert_true(maker_lower(&p.k));
	for (uint32_t i = 0; i < p.k.c.ir->n_cells; i++)
		assert_int_equal(p.k.c.ir->cells[i].layer, 1);
	assert_int_equal(p.k.c.ir->n_permits, 1);
	assert_false(p.k.c.ir->permits[0].observe);
	maker_free(&p.k);
	pair_init(&p);
	watch = conduit(&p, "watch", "", p.whole);
	watch->observe = watch->shadow = true;
	assert_true(maker_lower(&p.k));
	assert_int_equal(p.k.c.ir->n_cells, 0);
	assert_int_equal(said(&p, "policy.shadow_idle"), 1);
	maker_free(&p.k);
	pair_init(&p);
	conduit(&p, "watched", "", p.reads)->observe = true;
	watch = conduit(&p, "watch", "", p.whole);
	watch->observe = watch->shadow = true;
	watch->criticality = CRIT_SAFETY;
	assert_true(maker_lower(&p.k));
	assert_int_equal(p.k.c.ir->n_permits, 1);
	assert_true(p.k.c.ir->permits[0].observe);
	assert_true(p.k.c.ir->table.grants[1].shadow);
	maker_free(&p.k);
}

/* The identity of the permit at 10.1.0.8 (10.1.0.9 for SHADOW) in a policy with this change. */
enum change { NOTHING, NAME, LINE, ROW, PORT, SOURCE, SETTING, ELSEWHERE, INTERFACE, SHADOW, UNDECIDED };

static void identity_of(enum change c, uint8_t ret[32])
{
	struct model_conduit *x, *y;
	struct model_service *s;
	struct pair p;

	maker_init(&p.k);
	maker_interface(&p.k, c == INTERFACE ? "wan9" : "lan0");
	maker_interface(&p.k, "lan1");
	p.a = maker_zone(&p.k, "a", c == INTERFACE ? "wan9" : "lan0", "10.1.0.0/24");
	p.b = maker_zone(&p.k, "b", "lan1", "10.2.0.0/24");
	if (c == LINE)
		p.k.line += 100;
	s = maker_service(&p.k, "s", PROTO_MODBUS, c == PORT ? "tcp/503" : "tcp/502");
	maker_allow(&p.k, s, CLASS_READ, 0, c == ROW ? 98 : 99);
	if (c == UNDECIDED)
		s->undecided_bytes = 1;
	if (c == ELSEWHERE)
		conduit(&p, "other", "10.1.0.200", s);
	x = conduit(&p, c == NAME ? "x2" : "x", c == SOURCE ? "10.1.0.0/27" : "10.1.0.0/28", s);
	y = conduit(&p, "y", "10.1.0.9", s);
	if (c == SHADOW)
		y->observe = y->shadow = true;
	if (c == SETTING)
		x->when_midstream = MID_DROP;
	assert_true(maker_lower(&p.k));
	memcpy(ret, permit_at(&p, "10.1.0.8", NULL)->identity, 32);
	if (c == SHADOW)
		memcpy(ret, permit_at(&p, "10.1.0.9", NULL)->identity, 32);
	maker_free(&p.k);
}

static void identities(void **state)
{
	uint8_t base[32], other[32];

	(void)state;
	identity_of(NOTHING, base);
	for (int c = NAME; c <= UNDECIDED; c++) {
		/* The place of a permit is not part of its meaning. */
		bool same = c == NAME || c == LINE || c == PORT || c == SOURCE || c == ELSEWHERE || c == INTERFACE;

		identity_of((enum change)c, other);
		if ((memcmp(base, other, 32) == 0) != same)
			fail_msg("change %d: identity %s", c, same ? "differs" : "is the same");
	}
}

static void broken_never_is_an_error(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	conduit(&p, "x", "", p.whole);
	maker_never(&p.k, p.a, p.b, CLASS_WRITE, false);
	assert_false(maker_lower(&p.k));
	assert_null(p.k.c.ir);
	assert_int_equal(said(&p, "policy.never_broken"), 1);
	assert_non_null(strstr(p.k.c.diags.list[0]->text[0], "10.1.0.1 -> 10.2.0.5 tcp/502"));
	assert_non_null(strstr(p.k.c.diags.list[0]->hint[0], "a -[x site.cfg:"));
	maker_free(&p.k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strictest_settings),
		cmocka_unit_test(lanes_by_protocol),
		cmocka_unit_test(transport_over_commands_is_said),
		cmocka_unit_test(names_beside_commands_need_no_ndpi),
		cmocka_unit_test(observe_over_enforce),
		cmocka_unit_test(each_end_takes_its_own),
		cmocka_unit_test(ends_have_a_bound),
		cmocka_unit_test(past_conduits_are_not_spoken_of),
		cmocka_unit_test(shadows_allow_nothing),
		cmocka_unit_test(shadows_take_no_name_away),
		cmocka_unit_test(too_many_combinations),
		cmocka_unit_test(too_many_ranges),
		cmocka_unit_test(identities),
		cmocka_unit_test(broken_never_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

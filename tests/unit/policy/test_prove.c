/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: $(COMPILER_PARTS) tests/unit/policy/evaluate_model.c
 * LIBS: nettle
 */
#include "policy/ir/evaluate.h"
#include "tests/unit/cmocka.h"

#include <string.h>

#include "policy/space/prove.h"
#include "tests/unit/policy/model_make.h"

struct site {
	struct model_maker k;
	struct model_zone *office, *tos, *crane;
	struct model_service *reads, *sets, *modbus, *tls, *http, *ping, *tcp;
};

static void site_init(struct site *s)
{
	struct model_maker *k = &s->k;

	maker_init(k);
	maker_interface(k, "lan0");
	maker_interface(k, "lan1");
	maker_interface(k, "lan2");
	s->office = maker_zone(k, "office", "lan0", "10.10.0.0/16 2001:db8:10::/64");
	s->tos = maker_zone(k, "tos", "lan1", "10.20.0.0/24 2001:db8:20::/64");
	s->crane = maker_zone(k, "crane", "lan2", "10.30.0.0/22 2001:db8:30::/64");
	s->reads = maker_service(k, "reads", PROTO_MODBUS, "tcp/502");
	maker_allow(k, s->reads, CLASS_READ, 0, 99);
	s->sets = maker_service(k, "sets", PROTO_MODBUS, "tcp/502");
	maker_allow(k, s->sets, CLASS_WRITE, 400, 400);
	s->modbus = maker_service(k, "modbus", PROTO_MODBUS, "tcp/502");
	s->tls = maker_service(k, "tls", PROTO_TLS, "tcp/443");
	s->http = maker_service(k, "http", PROTO_HTTP, "tcp/80");
	s->ping = maker_service(k, "ping", PROTO_ICMP, "icmp/8");
	s->tcp = maker_service(k, "tcp", PROTO_TCP, "tcp/1-1000");
}

static size_t prove(struct site *s, struct counterexample **x)
{
	size_t n = prove_nevers(&s->k.m, s->k.arena, x);

	/* A counterexample is a packet that really crosses, by the conduit that it names. */
	for (size_t i = 0; i < n; i++) {
		const struct model_conduit *last = (*x)[i].hops[(*x)[i].n_hops - 1];
		struct question q = { .iif = last->from->interfaces[0]->name,
				      .oif = last->to->interfaces[0]->name,
				      .source = (*x)[i].source,
				      .destination = (*x)[i].destination,
				      .l4proto = (*x)[i].l4proto,
				      .port = (*x)[i].port };
		uint32_t by[8];
		size_t n_by = evaluate_model(&s->k.m, &q, by, 8);
		bool found = false;

		for (size_t k = 0; k < n_by && k < 8; k++)
			found = found || by[k] == last->index;
		assert_true(found);
		assert_ptr_equal(last->to, (*x)[i].never->to);
		assert_ptr_equal((*x)[i].hops[0]->from, (*x)[i].never->from);
		for (size_t h = 1; h < (*x)[i].n_hops; h++)
			assert_ptr_equal((*x)[i].hops[h - 1]->to, (*x)[i].hops[h]->from);
	}
	return n;
}

/* Whether a single conduit from office to crane, with `service`, breaks a `never` for these
 * classes. */
static bool direct(size_t service, unsigned classes, int64_t *function)
{
	struct counterexample *x;
	struct site s;
	struct model_service *all[7];
	bool broken;

	site_init(&s);
	memcpy(all, (struct model_service *[]){ s.reads, s.sets, s.modbus, s.tls, s.http, s.ping, s.tcp }, sizeof(all));
	maker_conduit(&s.k, "c", s.office, s.crane, "", "10.30.1.10", all[service]);
	maker_never(&s.k, s.office, s.crane, classes, false);
	broken = prove(&s, &x) == 1;
	*function = broken ? x[0].function : -2;
	maker_free(&s.k);
	return broken;
}

static void what_counts_as_a_command(void **state)
{
	int64_t f;

	(void)state;
	assert_false(direct(0, CLASS_WRITE, &f));
	assert_true(direct(0, CLASS_READ, &f));
	/* the first reading function for which the row's holding registers fit */
	assert_int_equal(f, 3);
	assert_true(direct(1, CLASS_WRITE, &f));
	assert_int_equal(f, 6);
	assert_false(direct(1, CLASS_PROGRAM, &f));
	assert_true(direct(2, CLASS_PROGRAM, &f));
	assert_int_equal(f, 90);
	for (size_t s = 3; s < 7; s++) {
		/* ICMP carries no command; every protocol whose commands are not read carries
		 * all. */
		assert_int_equal(direct(s, CLASS_WRITE, &f), s != 5);
		assert_int_equal(f, s != 5 ? -1 : -2);
		assert_true(direct(s, 0, &f));
	}
}

static void allow_only(struct site *s, struct number_set *set, uint32_t lo, uint32_t hi)
{
	struct number_range r = { lo, hi };

	assert_true(rows_numbers(&s->k.m.rows, s->k.arena, &r, 1, set));
}

static void unnamed_functions_count_for_all(void **state)
{
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	allow_only(&s, &s.reads->allows[0].row.services, 66, 66);
	maker_conduit(&s.k, "c", s.office, s.crane, "", "", s.reads);
	maker_never(&s.k, s.office, s.crane, CLASS_PROGRAM, false);
	/* The addresses and values that these functions touch are unknown: a row with limits
	 * refuses them. */
	assert_int_equal(prove(&s, &x), 0);
	s.reads->allows[0].row.spaces_any = true;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].function, 66);
	s.reads->allows[0].row.values.any = false;
	assert_int_equal(prove(&s, &x), 0);
	maker_free(&s.k);
}

static bool carries(struct site *s, uint8_t function, unsigned classes)
{
	struct counterexample *x;
	size_t n;

	allow_only(s, &s->reads->allows[0].row.services, function, function);
	s->k.m.nevers[0].classes = classes;
	n = prove(s, &x);
	assert_true(n == 0 || x[0].function == function);
	return n > 0;
}

/* A function that a row can never allow breaks no statement; test_modbus compares that with the
 * worker. */
static void rows_that_refuse(void **state)
{
	struct command_row *row;
	struct site s;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "c", s.office, s.crane, "", "", s.reads);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	row = &s.reads->allows[0].row; /* holding 0-99 */
	assert_true(carries(&s, 6, CLASS_WRITE));
	assert_true(carries(&s, 22, CLASS_WRITE));
	assert_true(carries(&s, 23, CLASS_READ));
	assert_true(carries(&s, 8, CLASS_CONTROL));
	assert_false(carries(&s, 5, CLASS_WRITE)); /* no coils */
	assert_false(carries(&s, 20, CLASS_READ));
	assert_false(carries(&s, 21, CLASS_WRITE));
	assert_false(carries(&s, 90, CLASS_PROGRAM));
	assert_false(carries(&s, 0, CLASS_WRITE)); /* no request has this code */
	assert_false(carries(&s, 128, CLASS_WRITE));
	allow_only(&s, &row->values, 5, 5);
	assert_true(carries(&s, 6, CLASS_WRITE));
	assert_false(carries(&s, 22, CLASS_WRITE));
	row->spaces_any = true;
	assert_true(carries(&s, 20, CLASS_READ));
	assert_false(carries(&s, 21, CLASS_WRITE));
	assert_false(carries(&s, 90, CLASS_READ));
	assert_false(carries(&s, 5, CLASS_WRITE)); /* a coil is 0 or 1 */
	assert_true(carries(&s, 1, CLASS_READ));
	allow_only(&s, &row->values, 1, 5);
	assert_true(carries(&s, 15, CLASS_WRITE));
	maker_free(&s.k);
}

static void tunnels_count_even_as_icmp(void **state)
{
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	s.ping->tunnel = true;
	maker_conduit(&s.k, "c", s.office, s.crane, "", "", s.ping);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	assert_int_equal(prove(&s, &x), 1);
	maker_free(&s.k);
}

static void families_that_never_meet(void **state)
{
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "c", s.office, s.crane, "10.10.0.0/16", "2001:db8:30::/64", s.modbus);
	maker_never(&s.k, s.office, s.crane, 0, true);
	assert_int_equal(prove(&s, &x), 0);
	maker_free(&s.k);
}

static void hosts_are(struct site *s, struct model_hosts *h, struct model_asset *a)
{
	h->assets = arena_array(s->k.arena, 1, sizeof(void *));
	assert_non_null(h->assets);
	h->assets[0] = a;
	h->n_assets = 1;
	h->ranges = a->ranges;
	h->n = a->n_ranges;
}

/* A host that may not reach one machine may reach its neighbour. The example has hosts of the
 * statement. */
static void of_assets(void **state)
{
	struct model_asset *plc, *cms, *pc;
	struct model_conduit *reads;
	struct counterexample *x;
	struct model_never *never;
	struct site s;

	(void)state;
	site_init(&s);
	plc = maker_asset(&s.k, "plc", s.crane, "10.30.1.10 10.30.1.20");
	cms = maker_asset(&s.k, "cms", s.crane, "10.30.2.10");
	pc = maker_asset(&s.k, "pc", s.office, "10.10.0.5");
	reads = maker_conduit(&s.k, "reads", s.office, s.crane, "10.10.0.0/28", "10.30.1.0/24", s.reads);
	never = maker_never(&s.k, s.office, s.crane, CLASS_READ, false);
	hosts_are(&s, &never->destinations, cms);
	assert_int_equal(prove(&s, &x), 0);
	hosts_are(&s, &never->destinations, plc);
	hosts_are(&s, &never->sources, pc);
	assert_int_equal(prove(&s, &x), 1);
	assert_true(addr_in(&x[0].source, &pc->ranges[0]) && addr_in(&x[0].destination, &plc->ranges[0]));
	reads->sources = s.tos->ranges; /* of others */
	assert_int_equal(prove_nevers(&s.k.m, s.k.arena, &x), 0);
	reads->sources = s.office->ranges;
	/* Traffic that passes while nothing is inspected: only the cells of these hosts count, for
	 * each statement separately. */
	never->classes = CLASS_WRITE;
	reads->when_down = FAIL_OPEN;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].unattended, UNATTENDED_OPEN);
	assert_true(addr_in(&x[0].source, &pc->ranges[0]) && addr_in(&x[0].destination, &plc->ranges[0]));
	never = maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	hosts_are(&s, &never->destinations, cms);
	assert_int_equal(prove(&s, &x), 1);
	maker_conduit(&s.k, "strict", s.office, s.crane, "", "10.30.1.10 10.30.1.20", s.reads);
	assert_int_equal(prove(&s, &x), 0);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	assert_int_equal(prove(&s, &x), 1); /* their neighbours */
	maker_free(&s.k);
}

/* Over the panel to its machine: the walk continues inside the zone of the last hop. */
static void chains_to_assets(void **state)
{
	struct model_asset *plc, *cms;
	struct counterexample *x;
	struct model_never *never;
	struct site s;

	(void)state;
	site_init(&s);
	plc = maker_asset(&s.k, "plc", s.crane, "10.30.1.10");
	cms = maker_asset(&s.k, "cms", s.crane, "10.30.2.10");
	maker_conduit(&s.k, "screens", s.office, s.crane, "", "10.30.2.10", s.tls);
	never = maker_never(&s.k, s.office, s.crane, 0, true);
	hosts_are(&s, &never->destinations, plc);
	assert_int_equal(prove(&s, &x), 0);
	maker_conduit(&s.k, "own", s.crane, s.crane, "10.30.2.10", "10.30.1.10", s.sets);
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].n_hops, 2);
	maker_break(&s.k, cms);
	assert_int_equal(prove(&s, &x), 0);
	maker_free(&s.k);
}

static void chains(void **state)
{
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "office-tos", s.office, s.tos, "", "10.20.0.80", s.ping);
	maker_conduit(&s.k, "tos-crane", s.tos, s.crane, "10.20.0.10", "", s.sets);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	assert_int_equal(prove(&s, &x), 0);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	/* The first hop may use any conduit, and the second may start from another host of the
	 * zone, because the box does not see what happens inside a zone. */
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].n_hops, 2);
	assert_string_equal(x[0].hops[0]->name, "office-tos");
	assert_string_equal(x[0].hops[1]->name, "tos-crane");
	assert_int_equal(x[0].function, 6);
	maker_never(&s.k, s.office, s.crane, CLASS_READ, true);
	assert_int_equal(prove(&s, &x), 1);
	maker_free(&s.k);
}

static void breaks(void **state)
{
	struct counterexample *x;
	struct model_conduit *web;
	struct site s;

	(void)state;
	site_init(&s);
	web = maker_conduit(&s.k, "office-tos", s.office, s.tos, "", "10.20.0.80 2001:db8:20::80", s.tls);
	maker_conduit(&s.k, "tos-crane", s.tos, s.crane, "10.20.0.10", "", s.sets);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	assert_int_equal(prove(&s, &x), 1);
	/* The walk ends at an asset with a break, once all its addresses are named. */
	maker_break(&s.k, maker_asset(&s.k, "web4", s.tos, "10.20.0.80"));
	assert_int_equal(prove(&s, &x), 1);
	maker_break(&s.k, maker_asset(&s.k, "web6", s.tos, "2001:db8:20::80"));
	assert_int_equal(prove(&s, &x), 0);
	/* If the conduit leads to other hosts as well, the walk goes on, even over conduits that
	 * only the asset with the break has. */
	web->destinations = s.tos->ranges;
	web->n_destinations = s.tos->n_ranges;
	assert_int_equal(prove(&s, &x), 1);
	/* A break does not count at the last hop, nor at the first. */
	maker_never(&s.k, s.office, s.tos, CLASS_WRITE, true);
	assert_int_equal(prove(&s, &x), 2);
	maker_break(&s.k, maker_asset(&s.k, "plcs", s.crane, "10.30.0.0/22 2001:db8:30::/64"));
	assert_int_equal(prove(&s, &x), 2);
	maker_free(&s.k);
}

static void a_range_of_broken_assets_without_gap(void **state)
{
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "office-tos", s.office, s.tos, "10.10.0.0/16", "10.20.0.80/30", s.tls);
	maker_conduit(&s.k, "tos-crane", s.tos, s.crane, "", "", s.modbus);
	maker_never(&s.k, s.office, s.crane, 0, true);
	maker_break(&s.k, maker_asset(&s.k, "x", s.tos, "10.20.0.80 10.20.0.81"));
	maker_break(&s.k, maker_asset(&s.k, "y", s.tos, "10.20.0.83"));
	assert_int_equal(prove(&s, &x), 1);
	maker_break(&s.k, maker_asset(&s.k, "z", s.tos, "10.20.0.82"));
	assert_int_equal(prove(&s, &x), 0);
	maker_free(&s.k);
}

static void loops_end(void **state)
{
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "a", s.office, s.tos, "", "", s.tls);
	maker_conduit(&s.k, "b", s.tos, s.office, "", "", s.tls);
	maker_conduit(&s.k, "c", s.tos, s.tos, "", "", s.tls);
	maker_never(&s.k, s.office, s.crane, 0, true);
	assert_int_equal(prove(&s, &x), 0);
	/* Conduits that observe or have an end let traffic pass while they are valid. */
	maker_conduit(&s.k, "d", s.tos, s.crane, "", "", s.ping)->observe = true;
	assert_int_equal(prove(&s, &x), 1);
	maker_free(&s.k);
}

/* Everything passes that is only observed, with or without rows. A shadow allows nothing, whatever
 * lies under it and at any time. */
static void observers_carry_all(void **state)
{
	struct model_conduit *watch, *enforced;
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	watch = maker_conduit(&s.k, "watch", s.office, s.crane, "", "", s.reads);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	assert_int_equal(prove(&s, &x), 0);
	watch->observe = true;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].function, 5);
	watch->shadow = true;
	assert_int_equal(prove(&s, &x), 0);
	enforced = maker_conduit(&s.k, "reads", s.office, s.crane, "", "", s.reads);
	assert_int_equal(prove(&s, &x), 0);
	enforced->until = 2000000000u;
	assert_int_equal(prove(&s, &x), 0);
	watch->services[0] = s.tls; /* port 443, where no conduit enforces */
	assert_int_equal(prove(&s, &x), 0);
	maker_free(&s.k);
}

/* A conduit that has ended breaks no statement and is no hop; before its end it counts. */
static void past_conduits_mean_nothing(void **state)
{
	struct model_conduit *window, *hop;
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	window = maker_conduit(&s.k, "window", s.office, s.crane, "", "", s.sets);
	window->until = 5000;
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	s.k.m.now = 4999;
	assert_int_equal(prove(&s, &x), 1);
	s.k.m.now = 5000;
	assert_int_equal(prove_nevers(&s.k.m, s.k.arena, &x), 0);
	hop = maker_conduit(&s.k, "hop", s.office, s.tos, "", "", s.tls);
	maker_conduit(&s.k, "sets", s.tos, s.crane, "", "", s.sets);
	assert_int_equal(prove_nevers(&s.k.m, s.k.arena, &x), 1);
	hop->until = 5000;
	assert_int_equal(prove_nevers(&s.k.m, s.k.arena, &x), 0);
	maker_free(&s.k);
}

/* Hours that begin after the end of their conduit. */
static void hours_that_never_come(void **state)
{
	struct model_window w = { .when = { .days = WEEK_DAYS, .from = 0, .to = 60, .first = 20000 } };
	struct counterexample *x;
	struct model_conduit *c;
	struct site s;

	(void)state;
	site_init(&s);
	c = maker_conduit(&s.k, "late", s.office, s.crane, "", "", s.sets);
	c->within = &w;
	c->until = 20000u * 86400u;
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	s.k.m.now = 5000;
	assert_int_equal(prove(&s, &x), 0);
	w.when.first = 19999;
	assert_int_equal(prove_nevers(&s.k.m, s.k.arena, &x), 1);
	maker_free(&s.k);
}

/* When a strict conduit ends, the less strict one under it counts. */
static void every_interval_is_asked(void **state)
{
	struct model_conduit *lax, *strict;
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	lax = maker_conduit(&s.k, "lax", s.office, s.crane, "", "", s.reads);
	lax->when_down = FAIL_OPEN;
	strict = maker_conduit(&s.k, "strict", s.office, s.crane, "", "", s.reads);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	assert_int_equal(prove(&s, &x), 0);
	strict->until = 5000;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].unattended, UNATTENDED_OPEN);
	lax->until = 4000;
	assert_int_equal(prove(&s, &x), 0);
	s.k.m.now = 5000;
	lax->until = 6000;
	assert_int_equal(prove_nevers(&s.k.m, s.k.arena, &x), 1);
	maker_free(&s.k);
}

/* The statement is true only because of the break, and this is reported. A break that it does not
 * need is not named. */
static void breaks_that_carry_are_named(void **state)
{
	const struct model_chain_break **rests;
	struct model_asset *db, *other;
	struct model_never *never;
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	db = maker_asset(&s.k, "tos-db", s.tos, "10.20.0.10");
	other = maker_asset(&s.k, "other", s.tos, "10.20.0.11");
	maker_conduit(&s.k, "in", s.office, s.tos, "10.10.0.0/16", "10.20.0.10", s.tls);
	maker_conduit(&s.k, "on", s.tos, s.crane, "10.20.0.10", "", s.sets);
	never = maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	maker_break(&s.k, other);
	maker_break(&s.k, db);
	assert_int_equal(prove(&s, &x), 0);
	assert_int_equal(prove_rests_on(&s.k.m, never, s.k.arena, &rests), 1);
	assert_ptr_equal(rests[0]->asset, db);
	never->from = s.crane;
	never->to = s.office;
	assert_int_equal(prove_rests_on(&s.k.m, never, s.k.arena, &rests), 0);
	maker_free(&s.k);
}

static bool stays(struct site *s, struct lapse **x)
{
	size_t n = prove_always(&s->k.m, s->k.arena, x);

	assert_true(n <= 1 && !arena_failed(s->k.arena));
	return n == 0;
}

/* Several conduits together satisfy an `always`. A conduit that ends, only observes, or allows less
 * does not. */
static void what_stays_possible(void **state)
{
	struct model_conduit *low, *high, *other;
	struct model_always w = { .purpose = "" };
	const struct model_service *reads;
	struct lapse *x;
	struct site s;

	(void)state;
	site_init(&s);
	reads = s.reads;
	s.k.m.always = &w;
	s.k.m.n_always = 1;
	w.from = s.office;
	w.to = s.crane;
	w.services = &reads;
	w.n_services = 1;
	hosts_are(&s, &w.sources, maker_asset(&s.k, "pcs", s.office, "10.10.0.0/24"));
	hosts_are(&s, &w.destinations, maker_asset(&s.k, "plc", s.crane, "10.30.1.10"));
	assert_false(stays(&s, &x));
	assert_null(x[0].ends);
	low = maker_conduit(&s.k, "low", s.office, s.crane, "10.10.0.0/25", "", s.reads);
	assert_false(stays(&s, &x));
	assert_int_equal(x[0].source.b[3], 128);
	assert_int_equal(x[0].port, 502);
	high = maker_conduit(&s.k, "high", s.office, s.crane, "10.10.0.128/25", "", s.modbus);
	assert_true(stays(&s, &x));
	high->services[0] = s.sets; /* other commands */
	assert_false(stays(&s, &x));
	high->observe = true; /* everything passes */
	assert_true(stays(&s, &x));
	high->shadow = true;
	assert_false(stays(&s, &x));
	high->shadow = high->observe = false;
	high->services[0] = s.tcp;
	assert_true(stays(&s, &x));
	low->until = 5000;
	assert_false(stays(&s, &x));
	assert_ptr_equal(x[0].ends, low);
	s.k.m.now = 5000;
	assert_false(stays(&s, &x));
	assert_null(x[0].ends);
	other = maker_conduit(&s.k, "other", s.office, s.crane, "", "10.30.1.10", s.reads);
	assert_true(stays(&s, &x));
	other->within = &(const struct model_window){ .when = { .days = WEEK_DAYS, .from = 0, .to = 60 } };
	assert_false(stays(&s, &x)); /* one hour a day is not always */
	other->within = NULL;
	other->door = &(const struct model_door){ .name = "gate", .open_until = UINT64_MAX };
	assert_false(stays(&s, &x)); /* behind a door, which nobody has to open */
	assert_ptr_equal(x[0].ends, other);
	other->door = NULL;
	other->starts = 5001;
	assert_false(stays(&s, &x)); /* not yet */
	other->starts = 5000;
	assert_true(stays(&s, &x));
	other->from = s.tos;
	assert_false(stays(&s, &x));
	/* Two ends without a common address family. */
	hosts_are(&s, &w.destinations, maker_asset(&s.k, "six", s.crane, "2001:db8:30::1"));
	assert_false(stays(&s, &x));
	assert_int_not_equal(x[0].source.family, x[0].destination.family);
	maker_free(&s.k);
}

/* Whatever the limit of memory is, a statement that is broken is never reported as true. */
static void without_memory_nothing_holds(void **state)
{
	struct counterexample *x;
	size_t refused = 0;
	struct site s;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "sets", s.office, s.crane, "", "", s.sets);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	for (size_t budget = 0; budget < (1u << 18); budget += 1024) {
		struct arena *a = arena_new(budget);
		size_t n;

		assert_non_null(a);
		n = prove_nevers(&s.k.m, a, &x);
		assert_true(n == 1 || arena_failed(a));
		refused += arena_failed(a);
		arena_free(a);
	}
	assert_int_not_equal(refused, 0);
	maker_free(&s.k);
}

/* The question what a statement depends on is asked for each of them: it keeps only its answer in
 * memory. */
static void questions_leave_nothing(void **state)
{
	const struct model_chain_break **rests;
	struct model_never *never;
	struct site s;
	size_t used;

	(void)state;
	site_init(&s);
	maker_conduit(&s.k, "in", s.office, s.tos, "10.10.0.0/16", "10.20.0.10", s.tls);
	maker_conduit(&s.k, "on", s.tos, s.crane, "10.20.0.10", "", s.sets);
	never = maker_never(&s.k, s.office, s.crane, CLASS_WRITE, true);
	maker_break(&s.k, maker_asset(&s.k, "tos-db", s.tos, "10.20.0.10"));
	used = arena_used(s.k.arena);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(prove_rests_on(&s.k.m, never, s.k.arena, &rests), 1);
	assert_true(arena_used(s.k.arena) - used <= 1000 * 16);
	maker_free(&s.k);
}

static void pick_up_is_told(void **state)
{
	struct model_conduit *reads, *other;
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	reads = maker_conduit(&s.k, "reads", s.office, s.crane, "", "", s.reads);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	reads->when_midstream = MID_PICK_UP;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].unattended, UNATTENDED_PICK_UP);
	reads->when_down = FAIL_HOLD;
	assert_int_equal(prove(&s, &x), 2);
	assert_int_equal(x[0].unattended, UNATTENDED_HOLD);
	assert_int_equal(x[1].unattended, UNATTENDED_PICK_UP);
	other = maker_conduit(&s.k, "other", s.office, s.crane, "", "", s.reads);
	assert_int_equal(other->when_midstream, MID_RESET);
	assert_int_equal(prove(&s, &x), 0);
	maker_free(&s.k);
}

/* Traffic that only passes while nothing is inspected is reported, but breaks no statement. A
 * stricter conduit over the same cell ends it. */
static void open_decisions_are_told(void **state)
{
	struct model_conduit *reads, *other;
	struct counterexample *x;
	struct site s;

	(void)state;
	site_init(&s);
	reads = maker_conduit(&s.k, "reads", s.office, s.crane, "", "", s.reads);
	maker_never(&s.k, s.office, s.crane, CLASS_WRITE, false);
	assert_int_equal(prove(&s, &x), 0);
	reads->when_overloaded = FAIL_HOLD;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].unattended, UNATTENDED_HOLD);
	reads->when_overloaded = FAIL_OPEN;
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].unattended, UNATTENDED_OPEN);
	assert_int_equal(x[0].function, 5);
	other = maker_conduit(&s.k, "other", s.office, s.crane, "10.10.0.0/16", "", s.reads);
	assert_int_equal(prove(&s, &x), 1); /* only the first conduit has IPv6 */
	assert_int_equal(x[0].source.family, 6);
	assert_ptr_equal(x[0].hops[0], reads);
	other = maker_conduit(&s.k, "whole", s.office, s.crane, "", "", s.reads);
	assert_int_equal(prove(&s, &x), 0);
	/* each conduit is open in the case in which the other is not */
	other->when_down = FAIL_OPEN;
	assert_int_equal(prove(&s, &x), 0);
	other->when_overloaded = FAIL_OPEN;
	assert_int_equal(prove(&s, &x), 1);
	/* A statement that is broken anyway is reported as broken. */
	maker_conduit(&s.k, "sets", s.office, s.crane, "", "", s.sets);
	assert_int_equal(prove(&s, &x), 1);
	assert_int_equal(x[0].unattended, ATTENDED);
	maker_free(&s.k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts_as_a_command),
		cmocka_unit_test(unnamed_functions_count_for_all),
		cmocka_unit_test(rows_that_refuse),
		cmocka_unit_test(tunnels_count_even_as_icmp),
		cmocka_unit_test(families_that_never_meet),
		cmocka_unit_test(of_assets),
		cmocka_unit_test(chains_to_assets),
		cmocka_unit_test(chains),
		cmocka_unit_test(breaks),
		cmocka_unit_test(a_range_of_broken_assets_without_gap),
		cmocka_unit_test(loops_end),
		cmocka_unit_test(observers_carry_all),
		cmocka_unit_test(past_conduits_mean_nothing),
		cmocka_unit_test(hours_that_never_come),
		cmocka_unit_test(every_interval_is_asked),
		cmocka_unit_test(breaks_that_carry_are_named),
		cmocka_unit_test(what_stays_possible),
		cmocka_unit_test(without_memory_nothing_holds),
		cmocka_unit_test(questions_leave_nothing),
		cmocka_unit_test(pick_up_is_told),
		cmocka_unit_test(open_decisions_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

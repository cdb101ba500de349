/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that are expected to carry traffic: what counts as traffic, when a conduit is silent,
 * and what happens under other policies, after a conduit's end, without a link, when clocks are
 * set, and while nobody looked.
 *
 * LINK: policy/ir/moment.c appliance/wire/hours.c appliance/enforce/heard.c
 * LINK: appliance/enforce/machines.c
 * LINK: policy/ir/evaluate.c appliance/base/addr.c
 */
#include "appliance/enforce/generation.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "appliance/enforce/heard.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/settings.h"

#define S 1000000000ull
#define LOOK 5u

uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	for (uint32_t i = 0; i < g->ir.n_permits; i++)
		if (g->ids[i] == id)
			return i;
	return UINT32_MAX;
}

bool generation_lingers(const struct generation_held *g, uint32_t permit)
{
	for (size_t i = 0; i < g->n_lingering; i++)
		if (g->lingering[i].permit == permit)
			return true;
	return false;
}

const struct command_permit *commands_permit(const struct command_table *t, uint32_t permit)
{
	return permit >= 1 && permit <= t->n_permits ? &t->permits[permit - 1] : NULL;
}

/* Conduits a, b and c from zone 0 (interface 0) to zone 1 (interfaces 1 and 2). Permit 10 belongs
 * to a, 11 to a and b, 12 to c. */
struct policy {
	struct generation_held g;
	struct ir_conduit conduits[3];
	struct command_permit permits[3];
	struct command_grant grants[4];
	struct ir_permit settings[3];
	struct ir_zone zones[2];
	struct ir_interface interfaces[3];
	struct ir_cell cell;
	uint32_t of_zone[3], ids[3];
};

static struct policy *policy(struct policy *p, uint32_t a, uint32_t b, uint32_t c)
{
	*p = (struct policy){
		.conduits = { { .name = "a", .heard_within = a, .to = 1 },
			      { .name = "b", .heard_within = b, .to = 1 },
			      { .name = "c", .heard_within = c, .to = 1 } },
		.permits = { { .first_grant = 0, .n_grants = 1 },
			     { .first_grant = 1, .n_grants = 2 },
			     { .first_grant = 3, .n_grants = 1 } },
		.grants = { { .conduit = 0 }, { .conduit = 0 }, { .conduit = 1 }, { .conduit = 2 } },
		.of_zone = { 0, 1, 2 },
		.ids = { 10, 11, 12 },
		/* The cell of a session whose permit is not in the policy: inside b. */
		.cell = { .src = { { .family = 4 }, { .family = 4, .b = { 255, 255, 255, 255 } } },
			  .dst = { { .family = 4 }, { .family = 4, .b = { 255, 255, 255, 255 } } },
			  .l4proto = IPPROTO_TCP,
			  .hi = 65535,
			  .permit = 1 },
	};
	p->zones[0] = (struct ir_zone){ .interfaces = &p->of_zone[0], .n_interfaces = 1 };
	p->zones[1] = (struct ir_zone){ .interfaces = &p->of_zone[1], .n_interfaces = 2 };
	p->g.ids = p->ids;
	p->g.ir = (struct ir){ .conduits = p->conduits,
			       .n_conduits = 3,
			       .permits = p->settings,
			       .n_permits = 3,
			       .zones = p->zones,
			       .n_zones = 2,
			       .interfaces = p->interfaces,
			       .n_interfaces = 3,
			       .time_zone = "",
			       .cells = &p->cell,
			       .n_cells = 1,
			       .table = { .permits = p->permits, .n_permits = 3, .grants = p->grants, .n_grants = 4 } };
	return p;
}

/* The state of a case; `told` is "a began, b heard": what was reported since it was last read. */
struct world {
	struct heard h;
	struct mono now;
	uint64_t wall_ns, moment_s, seconds;
	bool up[3];
	struct session sessions[4];
	size_t n;
	char told[200];
};

static void tell(void *ctx, const struct generation_held *g, uint32_t conduit, enum silence_event what,
		 uint64_t seconds)
{
	static const char *const words[] = {
		[SILENCE_BEGAN] = "silent", [SILENCE_HEARD] = "heard", [SILENCE_OVER] = "over"
	};
	struct world *w = ctx;
	size_t n = strlen(w->told);

	snprintf(w->told + n, sizeof(w->told) - n, "%s%s %s", n > 0 ? ", " : "", g->ir.conduits[conduit].name,
		 words[what]);
	w->seconds = seconds;
}

static void begin(struct world *w, const struct policy *p)
{
	*w = (struct world){
		.now = { 1000 * S }, .wall_ns = 500000 * S, .moment_s = 500000, .up = { true, true, true }
	};
	assert_true(heard_adopt(&w->h, &p->g, w->now, w->wall_ns, tell, w));
}

static void adopt(struct world *w, const struct policy *p)
{
	assert_true(heard_adopt(&w->h, &p->g, w->now, w->wall_ns, tell, w));
}

/* Machines of zone 1: the server of each session, 10.0.0.1 and 10.0.0.3. */
static struct ir_asset machines[] = { { .name = "office", .zone = 0 },
				      { .name = "one", .zone = 1 },
				      { .name = "three", .zone = 1 } };

static struct addr host(uint8_t n)
{
	return (struct addr){ .family = 4, .b = { 10, 0, 0, n } };
}

static void with_machines(struct policy *p, struct addr_range ranges[3])
{
	for (uint8_t i = 0; i < 3; i++) {
		ranges[i] = (struct addr_range){ host((uint8_t)(2 * i)), host((uint8_t)(2 * i)) };
		machines[i].ranges = &ranges[i];
		machines[i].n_ranges = 1;
	}
	ranges[1] = (struct addr_range){ host(1), host(1) };
	ranges[2] = (struct addr_range){ host(3), host(3) };
	p->zones[1].class = CLASS_OT;
	p->g.ir.assets = machines;
	p->g.ir.n_assets = 3;
}

/* A look after this many seconds. */
static void look(struct world *w, unsigned seconds)
{
	w->now.ns += seconds * S;
	w->wall_ns += seconds * S;
	w->moment_s += seconds;
	heard_begin(&w->h, w->moment_s);
	for (size_t i = 0; i < w->n; i++)
		assert_int_equal(heard_note(&w->sessions[i], &w->h), 0);
	heard_end(&w->h, w->up, w->now, w->wall_ns, tell, w);
}

static void looks(struct world *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i += LOOK)
		look(w, LOOK);
}

static void told(struct world *w, const char *what)
{
	assert_string_equal(w->told, what);
	w->told[0] = '\0';
}

static struct session *session(struct world *w, uint32_t permit, uint8_t l4proto)
{
	struct session *s = &w->sessions[w->n++];

	*s = (struct session){ .l4proto = l4proto,
			       .mark = mark_make(permit, LANE_NONE, MARK_GOOD),
			       .id = (uint32_t)w->n * 77,
			       .client = { .family = 4 },
			       .server = { .family = 4 },
			       .assured = true };
	return s;
}

static void begins_and_ends(void **state)
{
	struct policy p;
	struct world w;
	struct session *s;

	(void)state;
	begin(&w, policy(&p, 30, 0, 60));
	assert_int_equal(w.h.n, 2);
	assert_null(heard_of(&w.h, 1));
	s = session(&w, 10, IPPROTO_TCP);
	s->packets_back = 1000; /* before anybody looked */
	looks(&w, 30);
	told(&w, "");
	look(&w, LOOK);
	told(&w, "a silent");
	assert_true(w.seconds >= 30 && w.seconds <= 35);
	assert_false(heard_of(&w.h, 0)->heard);
	looks(&w, 60);
	told(&w, "c silent"); /* each conduit is reported once */
	s->packets_back++;
	look(&w, LOOK);
	told(&w, "a heard");
	assert_true(heard_of(&w.h, 0)->heard);
	assert_int_equal(heard_of(&w.h, 0)->since_wall_ns, w.wall_ns);
	looks(&w, 25);
	told(&w, "");
	look(&w, LOOK);
	told(&w, "a silent");
	assert_true(heard_of(&w.h, 0)->heard);
	heard_free(&w.h);
}

/* Which traffic of a session counts. */
static void what_counts(void **state)
{
	static const struct {
		uint8_t l4proto;
		bool assured, there, back, heard;
	} rows[] = {
		{ IPPROTO_TCP, true, false, true, true },     { IPPROTO_TCP, true, true, false, false },
		{ IPPROTO_TCP, false, true, true, false },    { IPPROTO_UDP, false, true, false, true },
		{ IPPROTO_UDP, false, false, true, true },    { IPPROTO_ICMP, false, true, false, false },
		{ IPPROTO_ICMP, false, false, true, true },   { IPPROTO_ICMPV6, false, true, false, false },
		{ IPPROTO_ICMPV6, false, false, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy p;
		struct world w;
		struct session *s;

		begin(&w, policy(&p, 30, 0, 0));
		s = session(&w, 10, rows[i].l4proto);
		s->assured = rows[i].assured;
		for (unsigned k = 0; k < 60; k += LOOK) {
			s->packets += rows[i].there;
			s->packets_back += rows[i].back;
			look(&w, LOOK);
		}
		told(&w, rows[i].heard ? "" : "a silent");
		heard_free(&w.h);
	}
}

/* A poller that opens a session for each question: when one session ends another begins, with as
 * many packets. */
static void one_session_after_the_other(void **state)
{
	struct policy p;
	struct world w;
	struct session *s;

	(void)state;
	begin(&w, policy(&p, 30, 0, 0));
	s = session(&w, 10, IPPROTO_TCP);
	s->packets_back = 7;
	for (unsigned k = 0; k < 24; k++) {
		s->id++;
		look(&w, LOOK);
	}
	told(&w, "");
	/* A session that the kernel has forgotten was not heard. */
	w.n = 0;
	looks(&w, 40);
	told(&w, "a silent");
	heard_free(&w.h);
}

/* If two conduits apply, both are heard. */
static void conduits_that_overlap(void **state)
{
	struct policy p;
	struct world w;
	struct session *s;

	(void)state;
	begin(&w, policy(&p, 30, 30, 0));
	s = session(&w, 11, IPPROTO_TCP);
	for (unsigned k = 0; k < 60; k += LOOK) {
		s->packets_back++;
		look(&w, LOOK);
	}
	told(&w, "");
	/* A session of a alone does not count for b. */
	s = session(&w, 10, IPPROTO_TCP);
	for (unsigned k = 0; k < 60; k += LOOK) {
		s->packets_back++;
		look(&w, LOOK);
	}
	told(&w, "b silent");
	heard_free(&w.h);
}

static void another_policy(void **state)
{
	struct policy p, same, wider, none;
	struct world w;

	(void)state;
	begin(&w, policy(&p, 30, 30, 60));
	looks(&w, 20);
	/* An unchanged conduit continues with its time, whatever else changes. */
	adopt(&w, policy(&same, 30, 0, 60));
	assert_int_equal(w.h.n, 2);
	looks(&w, 15);
	told(&w, "a silent");
	looks(&w, 30);
	told(&w, "c silent");
	/* A conduit that gets another time begins anew, and so does a new one. */
	adopt(&w, policy(&wider, 30, 30, 90));
	told(&w, "c over");
	assert_true(heard_of(&w.h, 0)->silent);
	assert_false(heard_of(&w.h, 2)->silent);
	looks(&w, 30);
	told(&w, "");
	look(&w, LOOK);
	told(&w, "b silent");
	looks(&w, 60);
	told(&w, "c silent");
	/* Without conduits that are expected to carry traffic, nobody looks. If one comes back, its
	 * time begins then. */
	adopt(&w, policy(&none, 0, 0, 0));
	told(&w, "a over, b over, c over");
	assert_int_equal(w.h.n, 0);
	w.now.ns += 3600 * S;
	adopt(&w, policy(&p, 30, 0, 0));
	/* traffic that came while there were no looks */
	session(&w, 10, IPPROTO_TCP)->packets_back = 50;
	looks(&w, 30);
	told(&w, "");
	assert_false(heard_of(&w.h, 0)->heard);
	look(&w, LOOK);
	told(&w, "a silent");
	heard_free(&w.h);
}

/* Under another policy b is expected to carry traffic: earlier packets of its sessions do not
 * count. */
static void sessions_from_before(void **state)
{
	struct policy p, next;
	struct world w;

	(void)state;
	begin(&w, policy(&p, 30, 0, 0));
	session(&w, 12, IPPROTO_TCP)->packets_back = 50;
	look(&w, LOOK);
	adopt(&w, policy(&next, 30, 0, 30));
	looks(&w, 30);
	told(&w, "a silent");
	assert_false(heard_of(&w.h, 2)->heard);
	look(&w, LOOK);
	told(&w, "c silent");
	heard_free(&w.h);
}

/* A session of an earlier permit that stays (on_tighten) counts for the conduit of its
 * addresses. */
static void sessions_that_linger(void **state)
{
	struct policy p;
	struct world w;
	struct session *s;

	(void)state;
	policy(&p, 30, 30, 30);
	p.g.lingering[0].permit = 99;
	p.g.n_lingering = 1;
	begin(&w, &p);
	s = session(&w, 99, IPPROTO_TCP);
	for (unsigned k = 0; k < 60; k += LOOK) {
		s->packets_back++;
		look(&w, LOOK);
	}
	told(&w, "c silent"); /* a and b are not silent */
	/* A session that was cut, and only waits for its end in the kernel's table, does not
	 * count. */
	p.g.n_lingering = 0;
	for (unsigned k = 0; k < 60; k += LOOK) {
		s->packets_back++;
		look(&w, LOOK);
	}
	told(&w, "a silent, b silent");
	heard_free(&w.h);
}

/* A conduit is not watched after its end, or while it waits for the clock. Its silence ends with
 * the conduit. */
static void an_end(void **state)
{
	struct policy p;
	struct world w;

	(void)state;
	policy(&p, 30, 30, 0);
	p.conduits[0].until = 500000 + 100;
	p.conduits[1].until = 500000 + 10;
	begin(&w, &p);
	looks(&w, 60);
	told(&w, "a silent");
	looks(&w, 60);
	told(&w, "a over");
	assert_false(heard_of(&w.h, 0)->silent);
	looks(&w, 600);
	told(&w, "");
	/* The clock is set back, and the conduit is valid again: its time begins now. */
	w.moment_s = 500000 - 1000;
	looks(&w, 30);
	told(&w, "");
	look(&w, LOOK);
	told(&w, "a silent, b silent");
	heard_free(&w.h);
}

static void no_link(void **state)
{
	struct policy p;
	struct world w;

	(void)state;
	begin(&w, policy(&p, 30, 0, 0));
	looks(&w, 20);
	w.up[1] = false; /* the zone has another interface */
	looks(&w, 10);
	told(&w, "");
	w.up[2] = false;
	looks(&w, 600);
	told(&w, "");
	w.up[2] = true;
	looks(&w, 30); /* the first of these looks saw the link */
	told(&w, "");
	look(&w, LOOK);
	told(&w, "a silent");
	/* A silent conduit stays silent until it is heard. */
	w.up[0] = false;
	looks(&w, 60);
	told(&w, "");
	assert_true(heard_of(&w.h, 0)->silent);
	w.up[0] = true;
	session(&w, 10, IPPROTO_TCP);
	look(&w, LOOK);
	w.sessions[0].packets_back++;
	look(&w, LOOK);
	told(&w, "a heard");
	heard_free(&w.h);
}

/* Time without looks does not count as silence, and neither does a change of the clock. */
static void nobody_looked(void **state)
{
	struct policy p;
	struct world w;

	(void)state;
	begin(&w, policy(&p, 30, 0, 0));
	look(&w, LOOK);
	look(&w, 3600);
	look(&w, 3600);
	told(&w, "");
	w.wall_ns += 86400 * S;
	w.moment_s += 86400;
	heard_clock(&w.h, w.now, w.wall_ns);
	assert_int_equal(heard_of(&w.h, 0)->since_wall_ns, w.wall_ns - 7205 * S);
	look(&w, LOOK);
	told(&w, "");
	look(&w, LOOK);
	told(&w, "a silent");
	/* Traffic in the meantime is noticed by the next look. */
	heard_clock(&w.h, w.now, 5 * S);
	assert_int_equal(heard_of(&w.h, 0)->since_wall_ns, 0);
	heard_free(&w.h);
}

/* A dump that begins again forgets what it has heard so far. */
static void looked_at_twice(void **state)
{
	struct policy p;
	struct world w;
	struct session *s;

	(void)state;
	begin(&w, policy(&p, 30, 0, 0));
	s = session(&w, 10, IPPROTO_TCP);
	looks(&w, 25);
	s->packets_back = 9;
	heard_begin(&w.h, w.moment_s);
	assert_int_equal(heard_note(s, &w.h), 0);
	heard_restart(&w.h);
	w.now.ns += 2 * LOOK * S;
	heard_end(&w.h, w.up, w.now, w.wall_ns, tell, &w);
	told(&w, "a silent");
	heard_free(&w.h);
}

/* Traffic of a live session is a use of its permit, also when the policy expects none, and under a
 * later policy. A session that is seen for the first time was counted by the rules. */
static void used_by_a_live_session(void **state)
{
	struct policy p, next;
	struct world w;
	struct session *s;

	(void)state;
	begin(&w, policy(&p, 0, 0, 0));
	s = session(&w, 12, IPPROTO_TCP);
	s->packets_back = 100;
	look(&w, LOOK);
	assert_false(w.h.carried[2]);
	s->packets_back += 7;
	look(&w, LOOK);
	assert_int_equal(w.h.carried[2], 7);
	assert_false(w.h.carried[0] || w.h.carried[1]);
	look(&w, LOOK);
	assert_false(w.h.carried[2]);
	adopt(&w, policy(&next, 0, 0, 0));
	s->packets_back++;
	look(&w, LOOK);
	assert_int_equal(w.h.carried[2], 1);
	heard_free(&w.h);
}

static void machines_are_heard(void **state)
{
	struct addr_range ranges[3];
	struct policy p, other;
	struct world w;
	struct session *s;
	const struct heard_machine *one, *three;

	(void)state;
	with_machines(policy(&p, 0, 0, 0), ranges);
	begin(&w, &p);
	assert_int_equal(w.h.machines.n, 2); /* the office's is not watched */
	one = &w.h.machines.list[0];
	three = &w.h.machines.list[1];
	s = session(&w, 10, IPPROTO_TCP);
	s->client = host(3);
	s->server = host(1);
	s->packets_back = 5000; /* before anybody looked */
	look(&w, LOOK);
	assert_true(one->heard_wall_ns == 0 && one->look == 0);
	for (unsigned i = 0; i < 36; i++) {
		s->packets_back += 10;
		look(&w, LOOK);
	}
	assert_int_equal(one->heard_wall_ns, w.wall_ns);
	assert_true(one->usual >= 110 && one->usual <= 120 && one->last == 120);
	assert_int_equal(three->heard_wall_ns, 0); /* it sent nothing as a client */
	s->packets++;
	looks(&w, 15);
	assert_int_equal(three->heard_wall_ns, w.wall_ns - 10 * S);
	assert_int_equal(one->quiet_ns, 15 * S);
	/* Under another policy it is the same machine, and a minute without packets is
	 * not usual. */
	with_machines(policy(&other, 0, 0, 0), ranges);
	adopt(&w, &other);
	looks(&w, 120);
	one = &w.h.machines.list[0];
	assert_true(one->usual >= 90 && one->last == 0 && one->quiet_ns == 135 * S);
	/* What no permit allows any more does not count. */
	s->mark = mark_make(99, LANE_NONE, MARK_GOOD);
	s->packets_back += 10;
	look(&w, LOOK);
	assert_int_equal(one->quiet_ns, 140 * S);
	heard_free(&w.h);
}

/* What a trial needs: conduits b and c, and the machine 10.0.0.3. Only packets that came after the
 * generation was in force count; another generation begins anew. */
static void proves_itself(void **state)
{
	struct policy p, next;
	struct addr_range ranges[3];
	uint32_t conduits[] = { 1, 2 }, assets[] = { 2 };
	struct session *s, *other;
	struct world w;

	(void)state;
	policy(&p, 0, 0, 0);
	with_machines(&p, ranges);
	p.g.ir.needs_conduits = conduits;
	p.g.ir.n_needs_conduits = 2;
	p.g.ir.needs_assets = assets;
	p.g.ir.n_needs_assets = 1;
	next = p;
	next.g.ir.conduits = next.conduits;
	begin(&w, &p);
	s = session(&w, 11, IPPROTO_TCP);
	other = session(&w, 10, IPPROTO_UDP);
	other->server = host(3);
	other->packets = s->packets_back = 40;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 0); /* older than the generation, for all that is known */
	s->packets++;			 /* a request without an answer */
	other->packets++;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 0);
	s->packets_back++;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 1);
	other->packets_back++;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 5);
	session(&w, 12, IPPROTO_UDP)->packets = 1;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 7);
	adopt(&w, &next);
	assert_int_equal(w.h.proven, 0);
	s->packets_back++;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 0);
	s->packets_back++;
	look(&w, LOOK);
	assert_int_equal(w.h.proven, 1);
	heard_free(&w.h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_and_ends),
		cmocka_unit_test(machines_are_heard),
		cmocka_unit_test(what_counts),
		cmocka_unit_test(one_session_after_the_other),
		cmocka_unit_test(conduits_that_overlap),
		cmocka_unit_test(another_policy),
		cmocka_unit_test(sessions_from_before),
		cmocka_unit_test(sessions_that_linger),
		cmocka_unit_test(an_end),
		cmocka_unit_test(no_link),
		cmocka_unit_test(nobody_looked),
		cmocka_unit_test(looked_at_twice),
		cmocka_unit_test(used_by_a_live_session),
		cmocka_unit_test(proves_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

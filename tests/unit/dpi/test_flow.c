/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow table, compared with a plain model: entries are found in both directions, the table
 * fills up, the cheapest entries are evicted first, and entries time out.
 *
 * LINK: dpi/flow.c dpi/share.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "appliance/wire/silence.h"
#include "dpi/flow.h"

static struct decoded tuple(uint8_t family, uint32_t client, uint32_t server, uint8_t proto, uint16_t cport,
			    uint16_t sport)
{
	struct decoded d = { .l4proto = proto, .sport = cport, .dport = sport };

	d.src.family = d.dst.family = family;
	memcpy(d.src.b, &client, 4);
	memcpy(d.dst.b, &server, 4);
	return d;
}

static struct decoded back(struct decoded d)
{
	struct decoded b = d;

	b.src = d.dst;
	b.dst = d.src;
	b.sport = d.dport;
	b.dport = d.sport;
	return b;
}

static void both_directions(void **state)
{
	struct flow_table t;
	struct decoded d = tuple(4, 1, 2, IP_TCP, 40000, 502), r = back(d);
	enum direction dir;
	uint32_t f;

	(void)state;
	assert_true(flow_init(&t, 8));
	assert_int_equal(flow_find(&t, &d, &dir), FLOW_NONE);
	f = flow_add(&t, &d, DIR_C2S, SHARE_OTHER, 0);
	assert_int_equal(flow_find(&t, &d, &dir), f);
	assert_int_equal(dir, DIR_C2S);
	assert_int_equal(flow_find(&t, &r, &dir), f);
	assert_int_equal(dir, DIR_S2C);
	d.l4proto = IP_UDP;
	assert_int_equal(flow_find(&t, &d, &dir), FLOW_NONE);
	d.l4proto = IP_TCP;
	d.dport = 503;
	assert_int_equal(flow_find(&t, &d, &dir), FLOW_NONE);
	d.dport = 502;
	d.src.family = d.dst.family = 6; /* the same bytes as addresses of the other family */
	assert_int_equal(flow_find(&t, &d, &dir), FLOW_NONE);
	/* A flow whose first packet came from the server. */
	d = tuple(4, 3, 4, IP_TCP, 502, 40000);
	f = flow_add(&t, &d, DIR_S2C, SHARE_OTHER, 0);
	assert_int_equal(flow_at(&t, f)->server_port, 502);
	assert_int_equal(flow_find(&t, &d, &dir), f);
	assert_int_equal(dir, DIR_S2C);
	/* ICMP: a request and its answer differ in type. */
	d = tuple(4, 5, 6, IP_ICMP, 0, 8 << 8);
	f = flow_add(&t, &d, DIR_C2S, SHARE_OTHER, 0);
	r = back(d);
	r.sport = 0;
	r.dport = 0;
	assert_int_equal(flow_find(&t, &r, &dir), f);
	assert_int_equal(dir, DIR_S2C);
	flow_done(&t);
}

static void order_of_eviction(void **state)
{
	static const enum flow_class classes[] = { CLASS_LIVE, CLASS_NAMED, CLASS_ENDED };
	struct flow_table t;
	uint32_t f[3];
	uint64_t now = 5u * SECOND_NS;

	(void)state;
	assert_true(flow_init(&t, 3));
	for (uint32_t i = 0; i < 3; i++) {
		struct decoded d = tuple(4, i + 1, 99, IP_TCP, 40000, 502);

		f[i] = flow_add(&t, &d, DIR_C2S, SHARE_OTHER, now);
		flow_touch(&t, f[i], classes[i], now);
	}
	now += SECOND_NS;
	for (uint32_t i = 3; i-- > 1;) {
		assert_int_equal(flow_victim(&t, SHARE_OTHER, now), f[i]);
		flow_remove(&t, f[i]);
	}
	/* a live flow is not evicted */
	assert_int_equal(flow_victim(&t, SHARE_OTHER, now), FLOW_NONE);
	assert_int_equal(flow_victim(&t, SHARE_OTHER, now + FLOW_EVICT_IDLE), f[0]);
	assert_int_equal(flow_live(&t), 1);
	flow_done(&t);
}

#define OFFICE (LANE_NAMING * 3u + CRIT_SUPPORT)
#define CRANE (LANE_COMMANDS * 3u + CRIT_CARGO)

/* Adds a flow and evicts others if the table is full; FLOW_NONE if the flow is refused. */
static uint32_t come(struct flow_table *t, uint32_t client, uint16_t port, uint32_t share, enum flow_class class,
		     uint64_t now)
{
	struct decoded d = tuple(4, client, 99, IP_TCP, port, 502);
	uint32_t f;

	for (unsigned n = 0; n < 2 && flow_full(t, share); n++) {
		uint32_t victim = flow_victim(t, share, now);

		if (victim == FLOW_NONE && n == 0)
			return FLOW_NONE;
		if (victim != FLOW_NONE)
			flow_remove(t, victim);
	}
	f = flow_add(t, &d, DIR_C2S, share, now);
	if (f != FLOW_NONE)
		flow_touch(t, f, class, now);
	return f;
}

static bool is_there(const struct flow_table *t, uint32_t client, uint16_t port)
{
	struct decoded d = tuple(4, client, 99, IP_TCP, port, 502);
	enum direction dir;

	return flow_find(t, &d, &dir) != FLOW_NONE;
}

/* Whatever the office does, the half-open flow of a crane stays in the table, and there is room for
 * the next crane. */
static void shares_apart(void **state)
{
	struct flow_table t;
	uint64_t now = 5u * SECOND_NS;

	(void)state;
	assert_true(flow_init(&t, 1024));
	flow_divide(&t, 1u << OFFICE | 1u << CRANE, false);
	assert_int_not_equal(come(&t, 7, 1, CRANE, CLASS_HALF_OPEN, now), FLOW_NONE);
	for (unsigned class = CLASS_HALF_OPEN; class < FLOW_CLASSES; class ++)
		for (uint32_t n = 0; n < 4096; n++)
			(void)come(&t, 1000 + n % 97, (uint16_t)(class * 4096 + n), OFFICE, (enum flow_class) class,
				   now++);
	assert_true(is_there(&t, 7, 1));
	assert_int_not_equal(come(&t, 8, 1, CRANE, CLASS_HALF_OPEN, now), FLOW_NONE);
	assert_true(t.in_share[OFFICE] <= t.part[OFFICE]);
	flow_done(&t);
}

/* Three hosts fill the share with silent flows. A flow of a fourth host of this share is still
 * added, and stays, first half-open and then live. */
static void greediest_pays(void **state)
{
	struct flow_table t;
	uint64_t now = 5u * SECOND_NS;

	(void)state;
	assert_true(flow_init(&t, 1024));
	flow_divide(&t, 1u << OFFICE, false);
	for (unsigned class = CLASS_SILENT; class <= CLASS_LIVE; class ++) {
		uint32_t other;

		for (uint32_t n = 0; n < 3000; n++)
			assert_int_not_equal(come(&t, 1 + n % 3, (uint16_t)(class * 4096 + n), OFFICE,
						  (enum flow_class) class, now++),
					     FLOW_NONE);
		other = come(&t, 50, (uint16_t) class, OFFICE, CLASS_HALF_OPEN, now++);
		assert_int_not_equal(other, FLOW_NONE);
		for (uint32_t n = 3000; n < 4000; n++)
			(void)come(&t, 1 + n % 3, (uint16_t)(class * 4096 + n), OFFICE, (enum flow_class) class, now++);
		assert_true(is_there(&t, 50, (uint16_t) class));
		flow_touch(&t, other, CLASS_LIVE, now);
		for (uint32_t n = 0; n < 3000; n++)
			(void)come(&t, 1 + n % 3, (uint16_t)(class * 4096 + n), OFFICE, (enum flow_class) class, now++);
		assert_true(is_there(&t, 50, (uint16_t) class));
	}
	flow_done(&t);
}

/* Invented source addresses send one SYN each: live flows stay, and a half-open flow stays while a
 * few hundred more arrive. */
static void invented_sources(void **state)
{
	struct flow_table t;
	uint64_t now = 5u * SECOND_NS;

	(void)state;
	assert_true(flow_init(&t, 1024));
	flow_divide(&t, 1u << OFFICE, false);
	for (uint32_t n = 0; n < 100; n++)
		(void)come(&t, 1 + n, 1, OFFICE, n % 2 ? CLASS_LIVE : CLASS_NAMED, now);
	for (uint32_t n = 0; n < 5000; n++)
		(void)come(&t, 1000 + n, 1, OFFICE, CLASS_HALF_OPEN, now += 20000);
	(void)come(&t, 500, 1, OFFICE, CLASS_HALF_OPEN, now);
	for (uint32_t n = 0; n < 500; n++)
		(void)come(&t, 10000 + n, 1, OFFICE, CLASS_HALF_OPEN, now += 20000);
	assert_true(is_there(&t, 500, 1));
	for (uint32_t n = 0; n < 100; n++)
		assert_true(is_there(&t, 1 + n, 1));
	flow_done(&t);
}

/* A new policy adds a share: it has room at once, which is taken from shares with more than their
 * part. */
static void new_share(void **state)
{
	struct flow_table t;
	uint64_t now = 5u * SECOND_NS;
	uint32_t n;

	(void)state;
	assert_true(flow_init(&t, 256));
	flow_divide(&t, 1u << OFFICE, false);
	for (n = 0; n < 300; n++)
		(void)come(&t, 1 + n % 5, (uint16_t)n, OFFICE, CLASS_LIVE, now);
	flow_divide(&t, 1u << OFFICE | 1u << CRANE, false);
	for (n = 0; n < t.part[CRANE]; n++)
		assert_int_not_equal(come(&t, 100 + n, 1, CRANE, CLASS_LIVE, now), FLOW_NONE);
	assert_int_equal(t.in_share[OFFICE] + t.in_share[CRANE], t.used);
	/* The share whose part became smaller still accepts new flows, and shrinks to its part. */
	flow_divide(&t, 1u << OFFICE | 1u << CRANE | 1u << 0, false);
	for (n = 0; n < 200; n++)
		assert_int_not_equal(come(&t, 1 + n % 5, (uint16_t)(1000 + n), OFFICE, CLASS_LIVE, now), FLOW_NONE);
	assert_int_equal(t.in_share[OFFICE], t.part[OFFICE]);
	/* A flow may move to a share that is full; the next new flow makes room. */
	for (n = 0; n < t.size; n++)
		if (flow_at(&t, n)->share == OFFICE)
			break;
	flow_move(&t, n, CRANE);
	assert_true(t.in_share[CRANE] > t.part[CRANE]);
	assert_int_equal(flow_at(&t, n)->class, CLASS_LIVE);
	flow_done(&t);
}

static void time_outs(void **state)
{
	struct flow_table t;
	struct decoded d = tuple(4, 1, 2, IP_TCP, 1, 2), u = tuple(4, 1, 2, IP_UDP, 1, 2);
	uint32_t half, udp;

	(void)state;
	assert_true(flow_init(&t, 4));
	assert_int_equal(flow_next_due(&t), UINT64_MAX);
	half = flow_add(&t, &d, DIR_C2S, SHARE_OTHER, 0);
	udp = flow_add(&t, &u, DIR_C2S, SHARE_OTHER, 0);
	flow_touch(&t, half, CLASS_HALF_OPEN, 1);
	flow_touch(&t, udp, CLASS_DATAGRAM, 1);
	assert_int_equal(flow_next_due(&t), 30u * SECOND_NS + 1);
	assert_int_equal(flow_due(&t, 30u * SECOND_NS), FLOW_NONE);
	assert_int_equal(flow_due(&t, 30u * SECOND_NS + 1), half);
	flow_touch(&t, half, CLASS_ENDED, 30u * SECOND_NS + 1);
	assert_int_equal(flow_due(&t, SILENCE_S * SECOND_NS + 1), udp);
	flow_touch(&t, udp, CLASS_DATAGRAM, SILENCE_S * SECOND_NS);
	assert_int_equal(flow_due(&t, SILENCE_S * SECOND_NS + 1), FLOW_NONE);
	/* ended flows are never due */
	assert_int_equal(flow_due(&t, (SILENCE_S + 30u) * SECOND_NS), FLOW_NONE);
	flow_done(&t);
}

/* Random adding and removing, compared with a list. */
static void against_a_model(void **state)
{
	enum { SLOTS = 200, KEYS = 400 };
	static uint32_t where[KEYS];
	struct flow_table t;
	uint64_t x = (uint64_t)time(NULL) * 2654435761u | 1u;
	uint32_t n = 0;

	(void)state;
	printf("seed %llu\n", (unsigned long long)x);
	assert_true(flow_init(&t, SLOTS));
	memset(where, 0xff, sizeof(where));
	for (unsigned round = 0; round < 40000; round++) {
		uint32_t key;
		struct decoded d, r;
		enum direction dir;

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		key = (uint32_t)(x >> 33) % KEYS;
		d = tuple(4, key / 20, 1000, IP_TCP, (uint16_t)(40000 + key % 20), 502);
		r = back(d);
		assert_int_equal(flow_find(&t, x & 1 ? &d : &r, &dir), where[key]);
		if (where[key] != FLOW_NONE) {
			assert_int_equal(dir, x & 1 ? DIR_C2S : DIR_S2C);
			flow_remove(&t, where[key]);
			where[key] = FLOW_NONE;
			n--;
		} else {
			where[key] = flow_add(&t, x & 1 ? &d : &r, x & 1 ? DIR_C2S : DIR_S2C, SHARE_OTHER, round);
			assert_int_equal(where[key] == FLOW_NONE, n == SLOTS);
			n += where[key] != FLOW_NONE;
		}
		assert_int_equal(t.used, n);
	}
	flow_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions), cmocka_unit_test(order_of_eviction), cmocka_unit_test(shares_apart),
		cmocka_unit_test(greediest_pays),  cmocka_unit_test(invented_sources),	cmocka_unit_test(new_share),
		cmocka_unit_test(time_outs),	   cmocka_unit_test(against_a_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

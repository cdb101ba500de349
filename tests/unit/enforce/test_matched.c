/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a permit last let a session in, even if it has ended since and the kernel does not show it
 * any more; the same for a conduit, whatever permits it had; what counts mean when their table does
 * not exist any more; and the binary form of all that, valid and damaged.
 *
 * LINK: appliance/enforce/matched.c appliance/base/sha256.c
 * LINK: appliance/base/err.c appliance/base/bytes.c appliance/wire/msg.c
 * LINK: appliance/wire/plain.c appliance/base/addr.c
 * LINK: appliance/base/clock.c appliance/base/utf8.c appliance/base/json.c appliance/base/memfd.c
 * LINK: appliance/base/arena.c
 * LIBS: nettle jansson
 */
#include "appliance/enforce/generation.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/enforce/matched.h"
#include "appliance/wire/mark.h"

uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	for (uint32_t i = 0; i < g->ir.n_permits; i++)
		if (g->ids[i] == id)
			return i;
	return UINT32_MAX;
}

const struct command_permit *commands_permit(const struct command_table *t, uint32_t permit)
{
	return permit >= 1 && permit <= t->n_permits ? &t->permits[permit - 1] : NULL;
}

/* the permits of the policies below that have no conduits */
static uint32_t ten_eleven[2] = { 10, 11 };

/* The policy whose rules are loaded: 0 = none. */
static uint8_t rules = 1;

bool image_digest(const struct image *i, uint8_t ret[32])
{
	(void)i;
	memset(ret, rules, 32);
	return rules != 0;
}

/* Without a search: these tables have two elements. */
const struct image_element *image_find(const struct image *i, unsigned set, const uint8_t *key, const uint8_t *key_end)
{
	(void)key_end;
	for (size_t k = 0; k < i->elements[set].n; k++)
		if (memcmp(i->elements[set].list[k].key, key, IMAGE_KEY) == 0)
			return &i->elements[set].list[k];
	return NULL;
}

/* A look at which the kernel shows permits 10 and 11 with these numbers of packets; UINT64_MAX: it
 * does not show the permit. */
static void look(struct matched *m, const struct generation_held *g, uint64_t ten, uint64_t eleven, uint64_t at)
{
	struct image_element list[2] = { 0 };
	struct image have = { 0 };
	size_t n = 0;

	if (ten != UINT64_MAX)
		list[n++] = (struct image_element){ .data = mark_make(10, LANE_NONE, MARK_GOOD), .packets = ten };
	if (eleven != UINT64_MAX)
		list[n++] = (struct image_element){ .data = mark_make(11, LANE_NONE, MARK_GOOD), .packets = eleven };
	have.elements[SET_UNTIL4].list = list;
	have.elements[SET_UNTIL4].n = n;
	matched_note(m, &have, g, at);
}

static void after_its_end(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 }, .ids = ten_eleven };
	struct matched m = { 0 };

	(void)state;
	look(&m, &g, 0, 0, 100);
	look(&m, &g, 0, 3, 200);
	assert_int_equal(matched_last(&m, 10), 0);
	assert_int_equal(matched_last(&m, 11), 200);
	look(&m, &g, 0, UINT64_MAX, 300);
	look(&m, &g, 4, UINT64_MAX, 400);
	assert_int_equal(matched_last(&m, 10), 400);
	assert_int_equal(matched_last(&m, 11), 200);
	/* The permit is back, as when the clock was set to before its end, and its count begins
	 * anew. */
	look(&m, &g, 4, 0, 500);
	assert_int_equal(matched_last(&m, 11), 200);
	look(&m, &g, 4, 3, 600);
	assert_int_equal(matched_last(&m, 11), 600);
	assert_int_equal(matched_last(&m, 10), 400);
	assert_int_equal(m.gaps.n, 0);
	matched_free(&m);
}

/* Interfaces 1 and 2 of the kernel are a and b of the policy; other numbers do not belong to it. */
static struct ir_interface interface_names[2] = { { .name = "a" }, { .name = "b" } };
static uint32_t interface_numbers[2] = { 1, 2 };
static struct generation_held between = { .ir = { .n_permits = 2, .n_interfaces = 2, .interfaces = interface_names },
					  .interfaces = interface_numbers,
					  .ids = ten_eleven };

/* A cell from a to b for a permit, with this count; `which` makes its first byte different. */
static struct image_element cell(uint8_t which, uint32_t permit, uint64_t packets)
{
	struct image_element el = { .data = mark_make(permit, LANE_NONE, MARK_GOOD), .packets = packets };

	memcpy(el.key + 16, &interface_numbers[0], 4);
	memcpy(el.key + 20, &interface_numbers[1], 4);
	el.key[0] = which;
	memcpy(el.key_end, el.key, sizeof(el.key));
	return el;
}

/* Pairs of hosts that counted 5 and 2 under permit 10 continue under 11 and 12: no session was let
 * in by that. */
static void under_another_permit(void **state)
{
	struct image_element was[2] = { cell(1, 10, 5), cell(2, 10, 2) }, is[2] = { cell(1, 11, 0), cell(2, 12, 0) };
	struct image have = { 0 }, want = { 0 };
	struct matched m = { 0 };

	(void)state;
	have.elements[SET_EXACT4] = (struct image_elements){ .list = was, .n = 2 };
	want.elements[SET_EXACT4] = (struct image_elements){ .list = is, .n = 2 };
	matched_note(&m, &have, &between, 100);
	matched_seed(&m, &have, &between, &want);
	assert_int_equal(is[0].packets, 5);
	assert_int_equal(is[1].packets, 2);
	matched_carry(&m, &have, &want, 150);
	is[1].packets = 3;
	matched_note(&m, &want, &between, 200);
	assert_int_equal(matched_last(&m, 11), 0);
	assert_int_equal(matched_last(&m, 12), 200);
	assert_int_equal(m.gaps.n, 0);
	matched_free(&m);
}

/* The state as another process has it after reading the bytes. */
static struct matched handed(struct matched *m)
{
	struct matched ret;
	struct err e;
	size_t n;
	uint8_t *p = matched_put(m, &n);

	assert_non_null(p);
	assert_int_equal(matched_take(p, n, &ret, &e), 0);
	free(p);
	matched_free(m);
	return ret;
}

/* The process that looked ends, and the table counts on: sessions meanwhile are noticed, and there
 * is no gap. */
static void over_a_death(void **state)
{
	struct image_element is[2] = { cell(1, 10, 5), cell(2, 11, 2) };
	struct image have = { 0 };
	struct matched m = { 0 };

	(void)state;
	have.elements[SET_EXACT4] = (struct image_elements){ .list = is, .n = 2 };
	matched_note(&m, &have, &between, 100);
	is[0].packets = 6;
	matched_note(&m, &have, &between, 200);
	m = handed(&m);
	is[1].packets = 3;
	matched_note(&m, &have, &between, 300);
	assert_int_equal(matched_last(&m, 10), 200);
	assert_int_equal(matched_last(&m, 11), 300);
	assert_int_equal(m.gaps.n, 0);
	matched_free(&m);
}

/* A session that began long ago carries packets: its permit and its conduit are in use, also for
 * the next process and under the next rules. */
static void carried_by_a_live_session(void **state)
{
	struct image_element is[1] = { cell(1, 10, 5) };
	struct command_permit permits[2] = { { .n_grants = 1 }, { 0 } };
	struct command_grant grants[1] = { 0 };
	struct ir_conduit conduits[1] = { { .name = "polls" } };
	struct generation_held g = between;
	struct image have = { 0 };
	struct matched m = { 0 };

	(void)state;
	g.ir.conduits = conduits;
	g.ir.n_conduits = 1;
	g.ir.table = (struct command_table){ .permits = permits, .n_permits = 2, .grants = grants, .n_grants = 1 };
	have.elements[SET_EXACT4] = (struct image_elements){ .list = is, .n = 1 };
	matched_note(&m, &have, &g, 100);
	matched_carried(&m, 10, 2000);
	matched_carried(&m, 99, 2000);
	matched_note(&m, &have, &g, 2010);
	assert_int_equal(matched_last(&m, 10), 2000);
	m = handed(&m);
	matched_carry(&m, &have, &have, 2020);
	matched_note(&m, &have, &g, 2030);
	assert_int_equal(matched_last(&m, 10), 2000);
	assert_int_equal(matched_conduit(&m, "polls")->last_ns, 2000);
	matched_free(&m);
}

/* The table is gone after a restart of the machine or a flush: counts continue from the last look,
 * and the time since then is a gap. */
static void over_a_start_of_the_machine(void **state)
{
	struct image_element was[1] = { cell(1, 10, 5) }, is[2] = { cell(1, 10, 0), cell(2, 11, 0) };
	uint32_t other[2] = { 7, 8 };
	struct generation_held g = between;
	struct image have = { 0 }, none = { 0 }, want = { 0 };
	struct matched m = { 0 };

	(void)state;
	have.elements[SET_EXACT4] = (struct image_elements){ .list = was, .n = 1 };
	want.elements[SET_EXACT4] = (struct image_elements){ .list = is, .n = 2 };
	matched_note(&m, &have, &between, 100);
	was[0].packets = 6;
	matched_note(&m, &have, &between, 200);
	m = handed(&m);
	/* Its interfaces have other numbers now. */
	g.interfaces = other;
	for (int i = 0; i < 2; i++) {
		memcpy(is[i].key + 16, &other[0], 4);
		memcpy(is[i].key + 20, &other[1], 4);
		memcpy(is[i].key_end, is[i].key, sizeof(is[i].key));
	}
	rules = 0;
	matched_note(&m, &none, &g, 300);
	matched_seed(&m, &none, &g, &want);
	assert_int_equal(is[0].packets, 6);
	assert_int_equal(is[1].packets, 0);
	matched_carry(&m, &none, &want, 310);
	rules = 1;
	(void)image_digest(NULL, m.digest);
	matched_note(&m, &want, &g, 320);
	assert_int_equal(matched_last(&m, 10), 200);
	assert_int_equal(m.gaps.n, 1);
	assert_int_equal(m.gaps.list[0].from_ns, 200);
	assert_int_equal(m.gaps.list[0].until_ns, 300);
	is[1].packets = 1;
	matched_note(&m, &want, &g, 400);
	assert_int_equal(matched_last(&m, 11), 400);
	matched_free(&m);
}

/* Elements are deleted and added again: their counts are lost. */
static void counted_less(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 }, .ids = ten_eleven };
	struct matched m = { 0 };

	(void)state;
	look(&m, &g, 0, 0, 100);
	look(&m, &g, 0, 7, 200);
	look(&m, &g, 0, 1, 300);
	assert_int_equal(matched_last(&m, 11), 200);
	assert_int_equal(m.gaps.n, 1);
	/* When there are more gaps than places, they are merged into fewer that cover them all. */
	for (uint64_t i = 0; i < 2 * USED_GAPS; i++)
		look(&m, &g, 0, i % 2, 400 + 2 * i), look(&m, &g, 0, 1, 401 + 2 * i);
	assert_int_equal(m.gaps.n, USED_GAPS);
	assert_int_equal(m.gaps.list[0].from_ns, 200);
	matched_free(&m);
}

/* The times that this process noted move with the clock; those that another process noted before
 * stay. */
static void the_clock_was_set(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 }, .ids = ten_eleven };
	struct matched m = { 0 };

	(void)state;
	look(&m, &g, 0, 0, 1000);
	look(&m, &g, 1, 0, 2000);
	m = handed(&m);
	look(&m, &g, 1, 1, 50);
	matched_clock(&m, 60, 9060);
	assert_int_equal(matched_last(&m, 10), 2000);
	assert_int_equal(matched_last(&m, 11), 9050);
	matched_free(&m);
}

static void of_another_policy(void **state)
{
	static struct generation_held g = { .ir = { .n_permits = 2 }, .ids = ten_eleven },
				      next = { .ir = { .n_permits = 1 }, .ids = ten_eleven };
	struct matched m = { 0 };

	(void)state;
	look(&m, &g, 0, 0, 100);
	look(&m, &g, 0, 3, 200);
	look(&m, &next, 0, UINT64_MAX, 300);
	assert_int_equal(matched_last(&m, 11), 0);
	assert_int_equal(m.n, 1);
	matched_free(&m);
}

/* A policy with the conduits a and b (or c): a is granted by the first permit only, the other one
 * by both. Its permits have these ids. */
struct conduits {
	struct generation_held g;
	struct ir_conduit list[2];
	struct command_permit permits[2];
	struct command_grant grants[3];
	uint32_t ids[2];
};

static struct generation_held *policy(struct conduits *c, const char *other, uint32_t first, uint32_t second)
{
	*c = (struct conduits){
		.list = { { .name = "a" }, { .name = other } },
		.permits = { { .first_grant = 0, .n_grants = 2 }, { .first_grant = 2, .n_grants = 1 } },
		.grants = { { .conduit = 0 }, { .conduit = 1 }, { .conduit = 1 } },
		.ids = { first, second },
	};
	c->g.ir = (struct ir){ .conduits = c->list, .n_conduits = 2, .n_permits = 2 };
	c->g.ir.table =
		(struct command_table){ .permits = c->permits, .n_permits = 2, .grants = c->grants, .n_grants = 3 };
	c->g.ids = c->ids;
	return &c->g;
}

static void used(const struct matched *m, const char *name, uint64_t last, uint64_t since)
{
	const struct msg_used_conduit *u = matched_conduit(m, name);

	assert_non_null(u);
	assert_int_equal(u->last_ns, last);
	assert_int_equal(u->since_ns, since);
}

static void conduits_outlive_permits(void **state)
{
	struct conduits one, two, three;
	struct generation_held *g = policy(&one, "b", 10, 11), *narrowed = policy(&two, "b", 20, 21),
			       *without = policy(&three, "c", 20, 21);
	struct matched m = { 0 };

	(void)state;
	look(&m, g, 0, 0, 100);
	look(&m, g, 3, 0, 200);
	look(&m, g, 3, 1, 300);
	used(&m, "a", 200, 100);
	used(&m, "b", 300, 100);
	/* Narrowed: other permits, none of which has let a session in yet. */
	look(&m, narrowed, UINT64_MAX, UINT64_MAX, 400);
	assert_int_equal(m.n, 0);
	used(&m, "a", 200, 100);
	used(&m, "b", 300, 100);
	/* One conduit is missing for a while, as during a trial. */
	look(&m, without, UINT64_MAX, UINT64_MAX, 450);
	used(&m, "c", 0, 450);
	m = handed(&m);
	look(&m, g, 0, 0, 500);
	look(&m, g, 5, 0, 600);
	used(&m, "a", 600, 100);
	used(&m, "b", 600, 100);
	used(&m, "c", 0, 450);
	assert_int_equal(m.n_conduits, 3);
	assert_null(matched_conduit(&m, "d"));
	matched_free(&m);
}

/* Any bit is inverted, the bytes are cut off anywhere, or more follow: nothing else is read than
 * what was written. */
static void damaged(void **state)
{
	struct conduits one;
	struct generation_held *g = policy(&one, "b", 10, 11);
	struct image_element is[2] = { cell(1, 10, 5), cell(2, 11, 2) };
	struct image have = { 0 };
	struct matched m = { 0 }, ret;
	struct err e;
	uint8_t *p;
	size_t n;

	(void)state;
	g->ir.interfaces = interface_names;
	g->ir.n_interfaces = 2;
	g->interfaces = interface_numbers;
	have.elements[SET_EXACT4] = (struct image_elements){ .list = is, .n = 2 };
	matched_note(&m, &have, g, 100);
	is[1].packets = 1;
	matched_note(&m, &have, g, 200);
	assert_true(m.n == 2 && m.n_conduits == 2 && m.n_cells == 2 && m.gaps.n == 1);
	p = matched_put(&m, &n);
	assert_non_null(p);
	for (size_t i = 0; i < 8 * n; i++) {
		p[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(matched_take(p, n, &ret, &e), -EBADMSG);
		assert_true(ret.looked_ns == 0 && ret.list == NULL && ret.gaps.n == 0);
		p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(matched_take(p, i, &ret, &e), -EBADMSG);
	assert_int_equal(matched_take(p, n, &ret, &e), 0);
	matched_free(&ret);
	matched_free(&m);
	free(p);
}

/* Wrong numbers with a right digest: nothing is read beyond the bytes. The numbers themselves
 * cannot be checked. */
static void lying(void **state)
{
	struct msg_used_head h = { .looked_ns = 1 };
	uint8_t bytes[USED_HEAD_BYTES + 64 + 32];
	struct matched ret;
	struct err e;

	(void)state;
	memcpy(h.form, "sekisho used 1", 14);
	for (unsigned i = 0; i < 5; i++) {
		struct outbuf o = outbuf_of(bytes, sizeof(bytes));

		h.gaps = i == 0 ? USED_GAPS : 0;
		h.permits = i == 1 ? UINT32_MAX : 0;
		/* at last two conduits with the same name */
		h.conduits = i == 2 ? UINT32_MAX : i == 4 ? 2 : 0;
		h.cells = i == 3 ? UINT32_MAX : 0;
		msg_put_used_head(&o, &h);
		memset(bytes + o.len, 0, 64);
		sha256(bytes, o.len + 64, bytes + o.len + 64);
		assert_int_equal(matched_take(bytes, sizeof(bytes), &ret, &e), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_its_end),
		cmocka_unit_test(under_another_permit),
		cmocka_unit_test(carried_by_a_live_session),
		cmocka_unit_test(over_a_death),
		cmocka_unit_test(over_a_start_of_the_machine),
		cmocka_unit_test(counted_less),
		cmocka_unit_test(the_clock_was_set),
		cmocka_unit_test(of_another_policy),
		cmocka_unit_test(conduits_outlive_permits),
		cmocka_unit_test(damaged),
		cmocka_unit_test(lying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

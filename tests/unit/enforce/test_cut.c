/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the sessions that a change ends are named, and which are only counted: a reader of the
 * list must get all that are named.
 *
 * LINK: appliance/enforce/cut.c appliance/wire/msg.c
 * LINK: appliance/wire/reason.c
 * LINK: appliance/base/bytes.c appliance/base/err.c appliance/base/utf8.c appliance/base/memfd.c
 * LIBS: jansson
 */
#include "appliance/enforce/apply.h"
#include "appliance/enforce/cut.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/session.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/conntrack.h"
#include "policy/ir/evaluate.h"
#include "policy/ir/ir.h"

#define LABEL 500u /* bytes of the labels of both ends */

static struct {
	size_t n, label;
	bool twice; /* the dump began anew */
	bool goes_on;
} world;

/* ---- what the others would say --------------------------------------------------------------- */

int conntrack_dump(struct netlink *n, session_each *each, void (*restart)(void *ctx), void *ctx, struct err *e)
{
	struct session s = { .l4proto = 6, .mark = 1, .client = { .family = 4 }, .server = { .family = 4 } };

	(void)n;
	(void)e;
	for (int pass = world.twice ? 0 : 1; pass < 2; pass++) {
		restart(ctx);
		for (size_t i = 0; i < world.n; i++)
			assert_int_equal(each(&s, ctx), 0);
	}
	return 0;
}

json_t *enforce_session_json(const struct generation_held *now, const struct generation_held *names,
			     const struct session *s, const struct question *q)
{
	char label[LABEL + 1];

	(void)now;
	(void)names;
	(void)s;
	(void)q;
	memset(label, 'x', sizeof(label));
	label[world.label] = '\0';
	return json_pack("{s:s,s:s}", "client_label", label, "server_label", label);
}

uint64_t enforce_moment(const struct enforce *f)
{
	(void)f;
	return 1;
}

uint32_t generation_permit(const struct generation_held *g, uint32_t id)
{
	(void)g;
	(void)id;
	return UINT32_MAX;
}

bool generation_lingers(const struct generation_held *g, uint32_t permit)
{
	(void)g;
	(void)permit;
	return false;
}

const struct ir_cell *evaluate_ir(const struct ir *ir, const struct question *q)
{
	static const struct ir_cell cell;

	(void)ir;
	(void)q;
	return world.goes_on ? &cell : NULL;
}

const struct image_element *image_find(const struct image *i, unsigned set, const uint8_t *key, const uint8_t *key_end)
{
	static const struct image_element agrees;

	(void)i;
	(void)set;
	(void)key;
	(void)key_end;
	return &agrees;
}

/* ---- cases ----------------------------------------------------------------------------------- */

/* Every session is named or counted, and the list is accepted by its reader. */
static uint64_t named(size_t n, size_t label, bool goes_on, bool twice)
{
	static struct enforce f;
	static uint32_t ids[8];
	struct generation_held next = { .ids = ids };
	struct image have = { 0 };
	struct told t = { 0 };
	struct err e;
	const struct told_sessions *list = goes_on ? &t.changed : &t.cut, *other = goes_on ? &t.cut : &t.changed;
	uint64_t ret;

	world.n = n;
	world.label = label;
	world.goes_on = goes_on;
	world.twice = twice;
	assert_int_equal(enforce_cut(&f, &next, &have, &t, &e), 0);
	assert_int_equal(t.live, n);
	assert_int_equal(list->n + list->more, n);
	assert_int_equal(other->n + other->more, 0);
	assert_int_equal(json_array_size(list->json), list->n);
	assert_int_equal(list->records.len, list->n * TOLD_SESSION_BYTES);
	assert_true(json_dumpb(list->json, NULL, 0, JSON_COMPACT) < TOLD_JSON_TAKEN);
	ret = list->n;
	told_free(&t);
	return ret;
}

static void by_their_number(void **state)
{
	(void)state;
	assert_int_equal(named(100, LABEL, false, false), 100);
	assert_int_equal(named(TOLD_MOST, 10, false, false), TOLD_MOST);
	assert_int_equal(named(TOLD_MOST + 5, 10, true, false), TOLD_MOST);
}

static void by_their_text(void **state)
{
	uint64_t n = named(TOLD_MOST, LABEL, false, false);

	(void)state;
	assert_in_range(n, 10000, TOLD_MOST - 1);
	/* without a reason */
	assert_in_range(named(TOLD_MOST, LABEL, true, false), n, TOLD_MOST - 1);
	/* a dump that began again */
	assert_int_equal(named(TOLD_MOST + 5, LABEL, false, true), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_their_number),
		cmocka_unit_test(by_their_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

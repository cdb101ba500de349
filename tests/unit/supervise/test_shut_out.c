/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who loses the management when the terminals of box.cfg change.
 *
 * LINK: appliance/supervise/shut_out.c appliance/base/addr.c appliance/base/json.c appliance/base/utf8.c appliance/base/clock.c appliance/base/memfd.c
 * LINK: appliance/base/bytes.c appliance/base/sha256.c appliance/base/err.c
 * LIBS: jansson nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/supervise/shut_out.h"
#include "appliance/wire/settings.h"

#define MOST 4u

/* A policy whose box.cfg names these terminals, "," between them, and a log server beside them. */
static const struct ir *policy(struct ir *ir, struct ir_peer peers[MOST], const char *terminals)
{
	char copy[120], *rest, *one;

	*ir = (struct ir){ .peers = peers, .n_peers = 1 };
	peers[0] = (struct ir_peer){ .use = PEER_LOG };
	assert_true(addr_parse("10.99.0.9", &peers[0].address));
	assert_true(strlen(terminals) < sizeof(copy));
	strcpy(copy, terminals);
	for (one = strtok_r(copy, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
		assert_true(ir->n_peers < MOST);
		peers[ir->n_peers] = (struct ir_peer){ .use = PEER_TERMINAL };
		assert_true(addr_parse(one, &peers[ir->n_peers++].address));
	}
	return ir;
}

static void who_is_shut_out(void **state)
{
	static const struct {
		const char *now, *next, *json; /* NULL = nobody */
	} cases[] = {
		{ "", "", NULL },
		{ "10.99.0.20", "10.99.0.20", NULL },
		{ "10.99.0.20", "10.99.0.21,10.99.0.20", NULL },
		{ "10.99.0.20", "", NULL },
		{ "10.99.0.20,2001:db8::20", "10.99.0.20", "{\"terminals\":[\"2001:db8::20\"],\"others\":false}" },
		{ "10.99.0.20,10.99.0.21", "10.99.0.22",
		  "{\"terminals\":[\"10.99.0.20\",\"10.99.0.21\"],\"others\":false}" },
		/* That the log server is asked does not let it in. */
		{ "10.99.0.9", "10.99.0.20", "{\"terminals\":[\"10.99.0.9\"],\"others\":false}" },
		{ "", "10.99.0.20", "{\"terminals\":[],\"others\":true}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ir_peer peers[2][MOST];
		struct ir now, next;
		json_t *got =
			shut_out_json(policy(&now, peers[0], cases[i].now), policy(&next, peers[1], cases[i].next));
		json_t *want = cases[i].json != NULL ? json_loads(cases[i].json, 0, NULL) : NULL;

		assert_int_equal(want != NULL, cases[i].json != NULL);
		assert_true(got == want || json_equal(got, want));
		json_decref(got);
		json_decref(want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_shut_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

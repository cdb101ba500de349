/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which hosts lose the management when the terminals of box.cfg change, or the addresses at which
 * it is reached.
 *
 * LINK: $(COMMANDS_PARTS) policy/ir/status_json.c policy/ir/isolation.c appliance/base/addr.c
 * LINK: appliance/base/json.c appliance/base/utf8.c appliance/base/clock.c appliance/base/memfd.c
 * LINK: appliance/base/err.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/wire/settings.h"
#include "policy/ir/json.h"

#define MOST 4u

/* A policy and the contents of its box.cfg. */
struct site {
	struct ir ir;
	struct ir_peer peers[MOST];
	struct ir_interface interfaces[2];
	struct addr addresses[2][MOST];
};

/* A policy with these terminals (separated by ","), and a log server; the box has addresses in the
 * admin network, and one in another network. */
static const struct ir *policy(struct site *s, const char *terminals, const char *addresses)
{
	char copy[120], *rest, *one;
	uint32_t n = 0;

	*s = (struct site){ .ir = { .peers = s->peers, .n_peers = 1, .interfaces = s->interfaces, .n_interfaces = 2 } };
	s->peers[0] = (struct ir_peer){ .use = PEER_LOG };
	assert_true(addr_parse("10.99.0.9", &s->peers[0].address));
	assert_true(strlen(terminals) < sizeof(copy));
	strcpy(copy, terminals);
	for (one = strtok_r(copy, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
		assert_true(s->ir.n_peers < MOST);
		s->peers[s->ir.n_peers] = (struct ir_peer){ .use = PEER_TERMINAL };
		assert_true(addr_parse(one, &s->peers[s->ir.n_peers++].address));
	}
	assert_true(strlen(addresses) < sizeof(copy));
	strcpy(copy, addresses);
	for (one = strtok_r(copy, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
		assert_true(n < MOST);
		assert_true(addr_parse(one, &s->addresses[1][n++]));
	}
	assert_true(addr_parse("10.30.0.1", &s->addresses[0][0]));
	s->interfaces[0] = (struct ir_interface){ .addresses = s->addresses[0], .n_addresses = 1 };
	s->interfaces[1] = (struct ir_interface){ .admin = true, .addresses = s->addresses[1], .n_addresses = n };
	return &s->ir;
}

#define HERE "10.99.0.1"
#define OTHERS_TOO ",\"others\":true,\"addresses\":[],\"nobody\":false}"
#define ONLY_THEM ",\"others\":false,\"addresses\":[],\"nobody\":false}"

static void who_is_shut_out(void **state)
{
	static const struct {
		const char *now, *now_at, *next, *next_at, *json; /* NULL = nobody */
	} cases[] = {
		{ "", HERE, "", HERE, NULL },
		{ "10.99.0.20", HERE, "10.99.0.20", HERE, NULL },
		{ "10.99.0.20", HERE, "10.99.0.21,10.99.0.20", HERE, NULL },
		{ "10.99.0.20", HERE, "", HERE, NULL },
		{ "10.99.0.20,2001:db8::20", HERE, "10.99.0.20", HERE, "{\"terminals\":[\"2001:db8::20\"]" ONLY_THEM },
		{ "10.99.0.20,10.99.0.21", HERE, "10.99.0.22", HERE,
		  "{\"terminals\":[\"10.99.0.20\",\"10.99.0.21\"]" ONLY_THEM },
		/* A host that is the log server does not become a terminal by that. */
		{ "10.99.0.9", HERE, "10.99.0.20", HERE, "{\"terminals\":[\"10.99.0.9\"]" ONLY_THEM },
		{ "", HERE, "10.99.0.20", HERE, "{\"terminals\":[]" OTHERS_TOO },
		/* Addresses of the box that are removed, added, kept. If the last one is removed,
		 * all terminals lose it, named or not. */
		{ "", HERE ",2001:db8::1", "", "10.99.0.2," HERE,
		  "{\"terminals\":[],\"others\":false,\"addresses\":[\"2001:db8::1\"],\"nobody\":false}" },
		{ "", HERE, "", "2001:db8::1," HERE, NULL },
		{ "", HERE, "", "", "{\"terminals\":[],\"others\":true,\"addresses\":[\"" HERE "\"],\"nobody\":true}" },
		{ "10.99.0.20", HERE, "", "",
		  "{\"terminals\":[\"10.99.0.20\"],\"others\":false,\"addresses\":[\"" HERE "\"],\"nobody\":true}" },
		/* A terminal that could not reach the box before loses nothing. */
		{ "", "", "10.99.0.20", HERE, NULL },
		{ "", "", "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct site now, next;
		json_t *got = ir_shut_out_json(policy(&now, cases[i].now, cases[i].now_at),
					       policy(&next, cases[i].next, cases[i].next_at));
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

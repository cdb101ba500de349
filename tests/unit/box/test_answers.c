/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts for which the kernel is to answer, with an array as the kernel: what stays is never
 * touched, what is not wanted is removed, and people see ranges.
 *
 * LINK: appliance/box/answers.c appliance/base/addr.c appliance/base/err.c
 */
#include "appliance/box/rtnl_address.h"
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/box_private.h"

/* ---- the kernel's part ----------------------------------------------------------------------- */

#define MOST 32

struct rtnl {
	struct rtnl_answer list[MOST];
	size_t n, added, removed;
	int fails; /* the result of every change */
};

int rtnl_answers(struct rtnl *r, uint32_t index, struct rtnl_answer **ret, size_t *ret_n, struct err *e)
{
	(void)e;
	assert_int_equal(index, 7);
	*ret = calloc(MOST, sizeof(**ret));
	assert_non_null(*ret);
	memcpy(*ret, r->list, r->n * sizeof(**ret));
	*ret_n = r->n;
	return 0;
}

int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct rtnl_answer *a, bool add, struct err *e)
{
	size_t at = 0;

	assert_int_equal(index, 7);
	if (r->fails != 0)
		return err_set(e, r->fails, "answer");
	while (at < r->n && addr_cmp(&r->list[at].host, &a->host) != 0)
		at++;
	/* An entry that exists cannot be added, and one that does not exist cannot be removed; an
	 * existing one may change its kind. */
	assert_true(add == (at == r->n || r->list[at].router != a->router));
	if (add) {
		assert_true(at < MOST);
		r->list[at] = *a;
		r->n += at == r->n;
		r->added++;
	} else {
		r->list[at] = r->list[--r->n];
		r->removed++;
	}
	return 0;
}

/* ---- the box's ------------------------------------------------------------------------------- */

static struct addr at(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static struct rtnl kernel(const char *const *hosts)
{
	struct rtnl r = { .n = 0 };

	for (; *hosts != NULL; hosts++)
		r.list[r.n++].host = at(*hosts);
	return r;
}

static void expect_ranges(const struct rtnl_answer *list, size_t n, const char *want)
{
	struct addr_range ranges[MOST];
	struct addr hosts[MOST];
	char text[1000] = "";
	size_t made, len = 0;

	for (size_t i = 0; i < n; i++)
		hosts[i] = list[i].host;
	made = box_joined(hosts, n, ranges);

	for (size_t i = 0; i < made; i++) {
		if (i > 0)
			text[len++] = ' ';
		addr_range_text(&ranges[i], text + len, sizeof(text) - len);
		len = strlen(text);
	}
	assert_string_equal(text, want);
}

static const struct ir no_routes;

static void ranges_are_joined(void **state)
{
	static const char *const some[] = { "10.30.0.12",      "2001:db8::11", "10.30.0.10", "10.30.0.255",
					    "2001:db8::10",    "10.30.1.0",    "10.30.0.11", "10.30.0.9",
					    "255.255.255.255", "::",	       "10.30.0.11", NULL };
	struct rtnl r = kernel(some);

	(void)state;
	expect_ranges(r.list, 0, "");
	expect_ranges(r.list, 1, "10.30.0.12");
	/* The last IPv4 address is not followed by the first IPv6 address; an address that comes
	 * twice is listed once. */
	expect_ranges(r.list, r.n, "10.30.0.9-10.30.0.12 10.30.0.255-10.30.1.0 255.255.255.255 :: 2001:db8::10/127");
}

static void what_stays_is_not_touched(void **state)
{
	static const char *const some[] = { "10.30.0.11",   "10.30.0.10",   "10.30.0.9",
					    "2001:db8::10", "2001:db8::99", NULL };
	struct addr_range wanted[] = { { at("10.30.0.10"), at("10.30.0.13") },
				       { at("2001:db8::10"), at("2001:db8::10") } };
	struct ir_interface i = { .name = "lower", .device = "eth1", .answers = wanted, .n_answers = 2 }, none = i;
	struct rtnl r = kernel(some);

	(void)state;
	none.n_answers = 0;
	assert_int_equal(box_answers(&r, 7, &no_routes, &i, NULL), 0);
	assert_int_equal(r.added, 2);
	assert_int_equal(r.removed, 2);
	expect_ranges(r.list, r.n, "10.30.0.10-10.30.0.13 2001:db8::10");
	assert_int_equal(box_answers(&r, 7, &no_routes, &i, NULL), 0);
	assert_int_equal(r.added + r.removed, 4);
	assert_int_equal(box_answers(&r, 7, &no_routes, &none, NULL), 0);
	assert_int_equal(r.n, 0);
}

/* A gateway that was a router before the box was there stays a router for hosts that ask the box.
 * In IPv4 there is no such flag. */
static void gateways_are_routers(void **state)
{
	static const char *const some[] = { "2001:db8::10", "2001:db8::11", NULL };
	struct addr_range wanted[] = { { at("10.30.0.10"), at("10.30.0.10") },
				       { at("2001:db8::10"), at("2001:db8::11") } };
	struct ir_interface i = { .name = "lower", .device = "eth1", .answers = wanted, .n_answers = 2 };
	struct ir_route routes[] = { { .via = at("10.30.0.10") }, { .via = at("2001:db8::11") } };
	const struct ir ir = { .routes = routes, .n_routes = 2 };
	struct rtnl r = kernel(some);

	(void)state;
	assert_int_equal(box_answers(&r, 7, &ir, &i, NULL), 0);
	assert_int_equal(r.added, 2);
	for (size_t k = 0; k < r.n; k++)
		assert_int_equal(r.list[k].router, addr_cmp(&r.list[k].host, &routes[1].via) == 0);
	assert_int_equal(box_answers(&r, 7, &ir, &i, NULL), 0);
	assert_int_equal(r.added + r.removed, 2);
	assert_int_equal(box_answers(&r, 7, &no_routes, &i, NULL), 0);
	for (size_t k = 0; k < r.n; k++)
		assert_false(r.list[k].router);
}

static void refusal_is_reported(void **state)
{
	static const char *const some[] = { "10.30.0.9", NULL }, *const nobody[] = { NULL };
	struct addr_range wanted[] = { { at("10.30.0.10"), at("10.30.0.11") } };
	struct ir_interface i = { .name = "lower", .device = "eth1", .answers = wanted, .n_answers = 1 };
	struct rtnl r = kernel(nobody), more = kernel(some);

	(void)state;
	r.fails = -EPERM;
	assert_int_equal(box_answers(&r, 7, &no_routes, &i, NULL), -EPERM);
	/* An entry that is already gone is no failure; one that cannot be added is. */
	more.fails = -ENOENT;
	assert_int_equal(box_answers(&more, 7, &no_routes, &i, NULL), -ENOENT);
	i.n_answers = 0;
	assert_int_equal(box_answers(&more, 7, &no_routes, &i, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_joined),
		cmocka_unit_test(what_stays_is_not_touched),
		cmocka_unit_test(gateways_are_routers),
		cmocka_unit_test(refusal_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

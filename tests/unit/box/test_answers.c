/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For whom the kernel is to answer, against a kernel made of an array: what stays is never touched, what is too much goes, and people see
 * ranges.
 *
 * LINK: appliance/box/answers.c appliance/base/addr.c appliance/base/err.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/facts.h"

/* ---- the kernel's part -------------------------------------------------------------------------------------------- */

#define MOST 32

struct rtnl {
	struct addr list[MOST];
	size_t n, added, removed;
	int fails; /* what every change comes to */
};

int rtnl_answers(struct rtnl *r, uint32_t index, struct addr **ret, size_t *ret_n, struct err *e)
{
	(void)e;
	assert_int_equal(index, 7);
	*ret = calloc(MOST, sizeof(**ret));
	assert_non_null(*ret);
	memcpy(*ret, r->list, r->n * sizeof(**ret));
	*ret_n = r->n;
	return 0;
}

int rtnl_answer_change(struct rtnl *r, uint32_t index, const struct addr *host, bool add, struct err *e)
{
	size_t at = 0;

	assert_int_equal(index, 7);
	if (r->fails != 0)
		return err_set(e, r->fails, "answer");
	while (at < r->n && addr_cmp(&r->list[at], host) != 0)
		at++;
	assert_true(add == (at == r->n)); /* neither twice nor one that is not there */
	if (add) {
		assert_true(r->n < MOST);
		r->list[r->n++] = *host;
		r->added++;
	} else {
		r->list[at] = r->list[--r->n];
		r->removed++;
	}
	return 0;
}

/* ---- the box's ----------------------------------------------------------------------------------------------------- */

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
		r.list[r.n++] = at(*hosts);
	return r;
}

static void expect_ranges(struct addr *list, size_t n, const char *want)
{
	struct addr_range ranges[MOST];
	size_t made = box_joined(list, n, ranges), len = 0;
	char text[1000] = "";

	for (size_t i = 0; i < made; i++) {
		if (i > 0)
			text[len++] = ' ';
		addr_range_text(&ranges[i], text + len, sizeof(text) - len);
		len = strlen(text);
	}
	assert_string_equal(text, want);
}

static void ranges_are_joined(void **state)
{
	static const char *const some[] = { "10.30.0.12",      "2001:db8::11", "10.30.0.10", "10.30.0.255",
					    "2001:db8::10",    "10.30.1.0",    "10.30.0.11", "10.30.0.9",
					    "255.255.255.255", "::",	       "10.30.0.11", NULL };
	struct rtnl r = kernel(some);

	(void)state;
	expect_ranges(r.list, 0, "");
	expect_ranges(r.list, 1, "10.30.0.12");
	/* The last of IPv4 is not followed by the first of IPv6; what comes twice is there once. */
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
	assert_int_equal(box_answers(&r, 7, &i, NULL), 0);
	assert_int_equal(r.added, 2);
	assert_int_equal(r.removed, 2);
	expect_ranges(r.list, r.n, "10.30.0.10-10.30.0.13 2001:db8::10");
	assert_int_equal(box_answers(&r, 7, &i, NULL), 0);
	assert_int_equal(r.added + r.removed, 4);
	assert_int_equal(box_answers(&r, 7, &none, NULL), 0);
	assert_int_equal(r.n, 0);
}

static void refusal_is_reported(void **state)
{
	static const char *const some[] = { "10.30.0.9", NULL }, *const nobody[] = { NULL };
	struct addr_range wanted[] = { { at("10.30.0.10"), at("10.30.0.11") } };
	struct ir_interface i = { .name = "lower", .device = "eth1", .answers = wanted, .n_answers = 1 };
	struct rtnl r = kernel(nobody), more = kernel(some);

	(void)state;
	r.fails = -EPERM;
	assert_int_equal(box_answers(&r, 7, &i, NULL), -EPERM);
	/* An entry that went by itself is no failure, one that cannot be made is. */
	more.fails = -ENOENT;
	assert_int_equal(box_answers(&more, 7, &i, NULL), -ENOENT);
	i.n_answers = 0;
	assert_int_equal(box_answers(&more, 7, &i, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_joined),
		cmocka_unit_test(what_stays_is_not_touched),
		cmocka_unit_test(refusal_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

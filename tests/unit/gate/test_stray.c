/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/gate/reset.c appliance/wire/pairs.c appliance/base/addr.c appliance/base/bytes.c
 * LINK: appliance/base/err.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/gate/gate.h"
#include "appliance/gate/stray.h"
#include "appliance/wire/pairs.h"

#define MS 1000000u

static unsigned paid(struct stray_budget *s, unsigned tries, uint64_t now)
{
	unsigned n = 0;

	while (tries-- > 0)
		n += stray_pay(s, now);
	return n;
}

static void each_packet_pays_once(void **state)
{
	struct stray_budget s = { 0 };

	(void)state;
	stray_begin(&s);
	stray_decided(&s, 1, UINT32_MAX - 1);
	assert_int_equal(paid(&s, 10, MS), 0);
	stray_dropped(&s, 1, UINT32_MAX, 2);
	assert_int_equal(paid(&s, 10, MS), STRAY_EACH);
	/* The same id again, an earlier one, and one that never existed do not count. */
	stray_dropped(&s, 1, UINT32_MAX, 2);
	stray_dropped(&s, 1, 100, 2);
	stray_dropped(&s, 1, UINT32_MAX - 1, 2);
	assert_int_equal(paid(&s, 10, MS), 0);
	stray_dropped(&s, 1, 0, 2);
	stray_dropped(&s, 1, 2, 2);
	assert_int_equal(paid(&s, 10, MS), 2 * STRAY_EACH);
	/* An id of a packet that another worker had dropped does not count. */
	stray_dropped(&s, 1, 3, 3);
	stray_begin(&s);
	stray_decided(&s, 1, 3);
	assert_int_equal(paid(&s, 10, MS), 0);
}

static void a_budget(void **state)
{
	struct stray_budget s = { 0 };
	uint64_t now = MS;
	unsigned n = 0;

	(void)state;
	for (uint32_t id = 1; id <= 1000; id++)
		stray_dropped(&s, 1, id, 1000);
	assert_int_equal(paid(&s, 1000, now), STRAY_UNUSED);
	/* Exactly as many resets are sent at once as in a second, however many packets were
	 * dropped. */
	s = (struct stray_budget){ 0 };
	for (uint32_t id = 1; id <= 1000; id++) {
		stray_dropped(&s, 1, id, 1000);
		n += paid(&s, 5, now);
	}
	assert_int_equal(n, STRAY_SECOND);
	s = (struct stray_budget){ .last_id = { 0, 1000 }, .tokens = STRAY_SECOND, .filled_ns = now };
	n = 0;
	/* Three seconds with as many as anybody can send. */
	for (uint32_t id = 1001; id <= 31000; id++) {
		now += 3000u * MS / 30000u;
		stray_dropped(&s, 1, id, id);
		n += paid(&s, 5, now);
	}
	assert_in_range(n, 3 * STRAY_SECOND - STRAY_UNUSED, 4 * STRAY_SECOND);
}

static struct addr address(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static void known_pairs(void **state)
{
	struct known_pair list[] = {
		{ { address("10.1.0.0"), address("10.1.0.255") },
		  { address("10.3.0.2"), address("10.3.0.2") },
		  502,
		  503 },
		{ { address("2001:db8::1"), address("2001:db8::1") },
		  { address("2001:db8:3::"), address("2001:db8:3::f") },
		  0,
		  UINT16_MAX },
	};
	struct addr a = address("10.1.0.7"), b = address("10.3.0.2"), c = address("10.1.1.7");

	(void)state;
	assert_true(pairs_know(list, 2, &a, 40000, &b, 502));
	/* whichever end the worker took for the client */
	assert_true(pairs_know(list, 2, &b, 503, &a, 40000));
	assert_false(pairs_know(list, 2, &a, 502, &b, 40000));
	assert_false(pairs_know(list, 2, &a, 40000, &b, 504));
	assert_false(pairs_know(list, 2, &c, 40000, &b, 502));
	assert_false(pairs_know(list, 2, &a, 40000, &a, 502));
	assert_false(pairs_know(list, 0, &a, 40000, &b, 502));
	assert_false(pairs_know(NULL, 0, &a, 40000, &b, 502));
	a = address("2001:db8::1");
	b = address("2001:db8:3::9");
	assert_true(pairs_know(list, 2, &a, 1, &b, 2));
	b = address("2001:db8:3::10");
	assert_false(pairs_know(list, 2, &a, 1, &b, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_pays_once),
		cmocka_unit_test(a_budget),
		cmocka_unit_test(known_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

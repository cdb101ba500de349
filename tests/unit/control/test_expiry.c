/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a file's certificates by their dates, and since when.
 *
 * LINK: appliance/control/expiry.c
 */
#include "appliance/control/expiry.h"
#include "tests/unit/cmocka.h"

#define DAY 86400u
#define T 1800000000u /* now */
#define YEAR (365u * DAY)

static void is(const struct validity *list, size_t n, enum expiry wanted, size_t about, uint64_t from)
{
	size_t which = 99;
	uint64_t since = 1;
	enum expiry e = expiry_of(list, n, T, &which, &since);

	if (e != wanted || which != about || since != from)
		fail_msg("%d of %zu since %llu, not %d of %zu since %llu", (int)e, which, (unsigned long long)since,
			 (int)wanted, about, (unsigned long long)from);
}

static void one(uint64_t from, uint64_t until, enum expiry wanted, uint64_t since)
{
	is(&(struct validity){ from, until }, 1, wanted, 0, since);
}

static void one_alone(void **state)
{
	(void)state;
	one(T - YEAR, T + YEAR, EXPIRY_GOOD, 0);
	/* The last second before each of these states and its first second: near, close, ended,
	 * valid. */
	one(T - YEAR, T + 30 * DAY + 1, EXPIRY_GOOD, 0);
	one(T - YEAR, T + 30 * DAY, EXPIRY_NEAR, T);
	one(T - YEAR, T + 7 * DAY + 1, EXPIRY_NEAR, T - 23 * DAY + 1);
	one(T - YEAR, T + 7 * DAY, EXPIRY_CLOSE, T);
	one(T - YEAR, T + 1, EXPIRY_CLOSE, T + 1 - 7 * DAY);
	one(T - YEAR, T, EXPIRY_ENDED, T);
	one(T - 2 * YEAR, T - YEAR, EXPIRY_ENDED, T - YEAR);
	one(T, T + YEAR, EXPIRY_GOOD, 0);
	one(T + 1, T + YEAR, EXPIRY_NOT_YET, 0);
	/* A certificate that can never be valid counts as ended. */
	one(T + DAY, T + DAY, EXPIRY_ENDED, T + DAY);
	one(T + YEAR, T - YEAR, EXPIRY_ENDED, T - YEAR);
	one(0, 0, EXPIRY_ENDED, 0);
	one(0, UINT64_MAX, EXPIRY_GOOD, 0);
}

/* A certificate that is valid for a week does not cause an alarm for its whole life. */
static void short_lives(void **state)
{
	(void)state;
	one(T - DAY, T + 6 * DAY, EXPIRY_GOOD, 0);
	one(T - 20 * DAY, T + 10 * DAY, EXPIRY_NEAR, T);
	one(T - 20 * DAY + 1, T + 10 * DAY + 1, EXPIRY_GOOD, 0);
	one(T - 27 * DAY, T + 3 * DAY, EXPIRY_CLOSE, T);
	one(T - 27 * DAY + 1, T + 3 * DAY + 1, EXPIRY_NEAR, T + 3 * DAY + 1 - 10 * DAY);
}

/* A new certificate is in the file together with its predecessor while both are in use. */
static void several(void **state)
{
	const struct validity turn[] = { { T - DAY, T + 10 * YEAR }, { T - 9 * YEAR, T + 20 * DAY } },
			      soon[] = { { T - DAY, T + 10 * YEAR }, { T - 9 * YEAR, T + 2 * DAY } },
			      leftover[] = { { T - DAY, T + 10 * YEAR }, { T - 9 * YEAR, T - DAY } },
			      both[] = { { T - YEAR, T + 3 * DAY }, { T - YEAR, T + 2 * DAY } },
			      gone[] = { { T - 2 * YEAR, T - 2 * DAY }, { T - 2 * YEAR, T - DAY } },
			      comes[] = { { T - 2 * YEAR, T - DAY }, { T + 9 * DAY, T + YEAR }, { T + DAY, T + YEAR } },
			      waits[] = { { T + 9 * DAY, T + YEAR }, { T - YEAR, T + 3 * DAY } };

	(void)state;
	is(turn, 2, EXPIRY_NEAR, 1, T - 10 * DAY);
	is(soon, 2, EXPIRY_NEAR, 1, T - 28 * DAY); /* the other certificate is still valid */
	is(leftover, 2, EXPIRY_GOOD, 0, 0);
	is(both, 2, EXPIRY_CLOSE, 0, T - 4 * DAY);
	is(gone, 2, EXPIRY_ENDED, 1, T - DAY);
	is(comes, 3, EXPIRY_NOT_YET, 2, 0);
	/* a certificate that is not valid yet does not count */
	is(waits, 2, EXPIRY_CLOSE, 1, T - 4 * DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone),
		cmocka_unit_test(short_lives),
		cmocka_unit_test(several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the management role decides alone: request targets, the token, the budget of wrong tokens,
 * who is dropped when there are too many connections, and who is served next.
 *
 * LINK: mgmt/web/api/target.c mgmt/web/secrets.c mgmt/web/budget.c
 * LINK: mgmt/web/crowd.c mgmt/web/certificate.c $(BASE_SRC)
 * LIBS: nettle gnutls jansson
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mgmt/web/api/target.h"
#include "mgmt/web/budget.h"
#include "mgmt/web/client.h"
#include "mgmt/web/secrets.h"

#define S 1000000000u

static struct target parse(const char *text)
{
	/* A heap copy of exactly this size: the sanitizers notice a read beyond it. */
	size_t n = strlen(text);
	char *copy = malloc(n > 0 ? n : 1);
	struct target t;

	assert_non_null(copy);
	memcpy(copy, text, n);
	target_parse(bytes_of(copy, n), &t);
	free(copy);
	return t;
}

static void test_targets(void **state)
{
	static const char *const none[] = {
		"",	"x",	"*",  "?",     "/A",	"/%2e",	  "/a%00",	   "/a b",
		"/a;b", "/a#b", "/.", "/a..b", "/a/.b", "/a\x7f", "/\xe3\x81\x82", "https://x/",
	};
	struct target t = parse("/api/v1/events?after=18446744073709551615&limit=5");
	uint64_t v = 0;

	(void)state;
	assert_string_equal(t.path, "/api/v1/events");
	assert_false(t.bad_query);
	assert_true(target_number(&t, "after", &v));
	assert_true(v == UINT64_MAX);
	assert_true(target_number(&t, "limit", &v));
	assert_int_equal(v, 5);
	assert_false(target_number(&t, "afte", &v));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_string_equal(parse(none[i]).path, "");
	/* kept as it is, so that it matches no route */
	assert_string_equal(parse("//").path, "//");
}

/* Names may contain any character, encoded as browsers do, in the parameters that allow it and in
 * no others. */
static void test_words(void **state)
{
	static const char *const bad[] = { "%",		"%4",  "%zz",	       "%e3%81%82", "%E3%81", "%00", "%0A",
					   "%E2%80%AE", "a b", "\xe3\x81\x82", "a=b",	    "%FF",    "",    "%C0%AF" };
	struct target t = parse("/api/v1/ask?from=RTG%207%E5%8F%B7%E6%A9%9F&to=a.b&address=holding%3D700");
	char text[400];

	(void)state;
	assert_false(t.bad_query);
	assert_string_equal(target_find(&t, "from")->text, "RTG 7号機");
	assert_string_equal(target_find(&t, "to")->text, "a.b");
	assert_string_equal(target_find(&t, "address")->text, "holding=700");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "/api/v1/ask?from=%s", bad[i]);
		assert_true(parse(text).bad_query);
	}
	assert_true(parse("/api/v1/events?zone=a%2Eb").bad_query);
	snprintf(text, sizeof(text), "/api/v1/ask?from=%%41%0126d", 0);
	assert_false(parse(text).bad_query);
	snprintf(text, sizeof(text), "/api/v1/ask?from=%%41%0127d", 0);
	assert_true(parse(text).bad_query);
}

static void test_queries(void **state)
{
	static const char *const bad[] = {
		"/a?",
		"/a?x",
		"/a?x=",
		"/a?=1",
		"/a?x=1&",
		"/a?&x=1",
		"/a?x=1&x=1",
		"/a?x=+1",
		"/a?x= 1",
		"/a?x=%31",
		"/a?X=1",
		"/a?x1=1",
		"/a?x==1",
		"/a?x=1?y=2",
		"/a?abcdefghijklmnop=1",
		"/a?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=10&k=11&l=12&m=13&n=14&o=15&p=16",
		"/a?reason=a,b",
		"/a?command=a%2cb",
		"/a?x=\"",
		"/a?x=\\",
		"/a?x=\xe3\x81\x82",
		"/a?x=1;y=2",
	};
	static const char *const texts[] = {
		"-1", "1a", "18446744073709551616", "10.0.0.0/8", "2026-11-20T08:10:11", "fe80::1"
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct target t = parse(bad[i]);

		assert_string_equal(t.path, "/a");
		if (!t.bad_query)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(parse("/a?a=1&b=2&c=3&d=4").n_parameters, 4);
	assert_int_equal(parse("/a?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=10&k=11&l=12&m=13&n=14&o=15").n_parameters,
			 15);
	assert_string_equal(parse("/a?command=write,6").parameters[0].text, "write,6");
	assert_false(parse("/a?x=007").bad_query);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char line[64];
		struct target t;

		snprintf(line, sizeof(line), "/a?x=%s", texts[i]);
		t = parse(line);
		assert_false(t.bad_query);
		assert_false(target_number(&t, "x", &v));
		assert_string_equal(target_find(&t, "x")->text, texts[i]);
	}
}

static void test_long_paths(void **state)
{
	char text[TARGET_PATH + 40];

	(void)state;
	for (size_t n = 1; n < sizeof(text) - 1; n++) {
		memset(text, 'a', sizeof(text));
		text[0] = '/';
		text[n] = '\0';
		assert_int_equal(strlen(parse(text).path), n < TARGET_PATH ? n : 0);
	}
}

static const char right[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void test_tokens(void **state)
{
	char header[200];

	(void)state;
	snprintf(header, sizeof(header), "Bearer %s", right);
	assert_true(token_matches(header, right));
	memcpy(header, "bEARER", 6);
	assert_true(token_matches(header, right));
	/* Each single digit matters, and so does the length. */
	for (size_t i = 0; i < TOKEN_DIGITS; i++) {
		snprintf(header, sizeof(header), "Bearer %s", right);
		header[7 + i] ^= 1;
		assert_false(token_matches(header, right));
		header[7 + i] = '\0';
		assert_false(token_matches(header, right));
	}
	snprintf(header, sizeof(header), "Bearer %s0", right);
	assert_false(token_matches(header, right));
	snprintf(header, sizeof(header), "Bearer  %s", right);
	assert_false(token_matches(header, right));
	assert_false(token_matches("", right));
	assert_false(token_matches("Bearer", right));
	assert_false(token_matches("Bearer ", right));
	assert_false(token_matches(right, right));
}

static void test_token_files(void **state)
{
	char text[80];

	(void)state;
	snprintf(text, sizeof(text), "%s\n", right);
	assert_true(token_valid(text, 64));
	assert_true(token_valid(text, 65));
	assert_false(token_valid(text, 63));
	snprintf(text, sizeof(text), "%s\n\n", right);
	assert_false(token_valid(text, 66));
	text[5] = 'A';
	assert_false(token_valid(text, 64));
	text[5] = '\0';
	assert_false(token_valid(text, 64));
}

static struct addr v4(uint32_t n)
{
	return (struct addr){ .family = 4, .b = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

static void test_budget_delays(void **state)
{
	static struct budget b;
	struct addr guesser = v4(1), other = v4(2);
	uint64_t report, now = 100ull * S;

	(void)state;
	memset(&b, 0, sizeof(b));
	for (unsigned i = 0; i < BUDGET_FREE; i++)
		assert_true(budget_failure(&b, &guesser, now, &report) == 0);
	assert_true(budget_failure(&b, &guesser, now, &report) == BUDGET_DELAY_NS);
	assert_true(budget_failure(&b, &other, now, &report) == 0);
	now += 60ull * S; /* long enough for the budget to forget */
	assert_true(budget_failure(&b, &guesser, now, &report) == 0);
	/* A right token is recorded once in ten minutes, and is never delayed. */
	assert_true(budget_accepted(&b, &guesser, now));
	assert_false(budget_accepted(&b, &guesser, now + S));
	assert_true(budget_accepted(&b, &guesser, now + BUDGET_ACCEPTED_NS));
}

static void test_budget_networks(void **state)
{
	static struct budget b;
	struct addr a = { .family = 6, .b = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1 } };
	uint64_t report, delay = 0;

	(void)state;
	memset(&b, 0, sizeof(b));
	for (uint8_t i = 0; i <= BUDGET_FREE; i++) {
		a.b[15] = i;
		delay = budget_failure(&b, &a, S, &report);
	}
	assert_true(delay == BUDGET_DELAY_NS); /* one /64 counts as one address */
	a.b[7] = 2;
	assert_true(budget_failure(&b, &a, S, &report) == 0);
}

static struct client someone(enum client_state state, struct addr who, uint64_t since_ns)
{
	return (struct client){ .state = state, .who = who, .since_ns = since_ns, .deadline_ns = since_ns + 10ull * S };
}

static void test_crowd(void **state)
{
	struct addr six = { .family = 6, .b = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1 } };
	struct client all[8] = { [0] = { .state = CLIENT_FREE } };

	(void)state;
	assert_null(crowd_victim(all, 8));
	all[1] = someone(CLIENT_IDLE, v4(1), 5);
	assert_ptr_equal(crowd_victim(all, 8), &all[1]);
	all[2] = someone(CLIENT_IDLE, v4(2), 7);
	all[3] = someone(CLIENT_HELD, v4(2), 6);
	/* of the address with most connections, the oldest */
	assert_ptr_equal(crowd_victim(all, 8), &all[3]);
	/* this connection is being closed already, and keeps its place until then */
	all[3].deadline_ns = UINT64_MAX;
	assert_ptr_equal(crowd_victim(all, 8), &all[2]);
	for (uint8_t i = 4; i < 7; i++) {
		six.b[15] = i;
		all[i] = someone(CLIENT_IDLE, six, 10u + i);
	}
	assert_ptr_equal(crowd_victim(all, 8), &all[4]); /* one /64 counts as one address */
	/* A client that has shown the token, or waits for the box, stays. */
	all[4].known = true;
	all[5].state = CLIENT_ASKED;
	/* A client that only reads its answer slowly, or sends its request slowly, does not
	 * stay. */
	all[6].state = CLIENT_READY;
	assert_ptr_equal(crowd_victim(all, 8), &all[6]);
	all[6].known = true;
	all[2].state = CLIENT_HEAD;
	assert_ptr_equal(crowd_victim(all, 8), &all[2]);
	all[2].known = true;
	assert_ptr_equal(crowd_victim(all, 8), &all[1]);
	all[1].known = true;
	assert_null(crowd_victim(all, 8));
}

static struct client asking(enum client_state state, enum client_stage stage, struct addr who, uint64_t wake_ns)
{
	return (struct client){ .state = state, .stage = stage, .who = who, .wake_ns = wake_ns };
}

static void test_covered(void **state)
{
	struct client all[8] = { [0] = { .state = CLIENT_FREE } };
	const uint8_t first[LOGIN_SECRET] = { 1 }, second[LOGIN_SECRET] = { 2 };
	struct addr here = v4(1), there = v4(2);

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		all[i] = (struct client){ .state = CLIENT_IDLE, .who = i < 6 ? here : there };
	assert_int_equal(crowd_uncovered(all, 8, &here), 6);
	/* Two connections of a session, four of all sessions. Further ones count for their address,
	 * like connections without a session. */
	for (unsigned i = 0; i < 3; i++)
		crowd_cover(all, 8, &all[i], first, 2, 4);
	assert_int_equal(crowd_uncovered(all, 8, &here), 4);
	assert_int_equal(all[2].covered, 0);
	crowd_cover(all, 8, &all[3], second, 2, 3);
	crowd_cover(all, 8, &all[4], second, 2, 3);
	assert_int_equal(all[4].covered, 0);
	assert_int_equal(crowd_uncovered(all, 8, &here), 3);
	assert_int_equal(crowd_uncovered(all, 8, &there), 1);
	/* A second request of a connection takes no second place; a connection that ends frees its
	 * own. */
	crowd_cover(all, 8, &all[1], first, 2, 4);
	assert_int_not_equal(all[1].covered, 0);
	all[0].state = CLIENT_FREE;
	crowd_cover(all, 8, &all[2], first, 2, 4);
	assert_int_equal(all[2].covered, all[1].covered);
}

static void test_next(void **state)
{
	struct addr six = { .family = 6, .b = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1 } };
	struct client all[10] = { [0] = { .state = CLIENT_FREE } };

	(void)state;
	assert_null(crowd_next(all, 10, 4, 2));
	/* Four connections of two addresses are served. Further ones of these addresses have waited
	 * longest. */
	for (unsigned i = 0; i < 8; i++)
		all[i] = asking(i < 4 ? CLIENT_ASKED : CLIENT_QUEUED, i % 3 == 0 ? STAGE_CHALLENGE : STAGE_LOGIN,
				v4(1 + i % 2), 10 + i);
	all[8] = asking(CLIENT_QUEUED, STAGE_LOGIN, v4(9), 90);
	assert_null(crowd_next(all, 10, 4, 2));
	all[1].state = CLIENT_READY;
	assert_ptr_equal(crowd_next(all, 10, 4, 2), &all[8]);
	/* Of addresses with equal numbers of connections, the one that has waited longest comes
	 * first. */
	all[9] = asking(CLIENT_QUEUED, STAGE_LOGIN, v4(8), 80);
	assert_ptr_equal(crowd_next(all, 10, 4, 2), &all[9]);
	all[8].state = all[9].state = CLIENT_READY;
	assert_ptr_equal(crowd_next(all, 10, 4, 2), &all[5]);
	/* Requests of people who are logged in take no place of the logins. */
	all[2].stage = STAGE_BOX;
	assert_ptr_equal(crowd_next(all, 10, 4, 2), &all[4]);
	/* At most this many of one address, however much room there is; one /64 counts as one
	 * address. */
	for (unsigned i = 0; i < 10; i++) {
		six.b[15] = (uint8_t)i;
		all[i] = asking(i < 2 ? CLIENT_ASKED : CLIENT_QUEUED, STAGE_LOGIN, six, i);
	}
	assert_null(crowd_next(all, 10, 4, 2));
	all[0].state = CLIENT_READY;
	assert_ptr_equal(crowd_next(all, 10, 4, 2), &all[2]);
}

/* However failures come, and from however many addresses: the records add up to the number of
 * failures. */
static void test_budget_counts(void **state)
{
	static struct budget b;
	unsigned seed = (unsigned)time(NULL);
	uint64_t now = S, failures = 0, recorded = 0, report, count;
	struct addr who;

	(void)state;
	printf("seed %u\n", seed);
	srand(seed);
	memset(&b, 0, sizeof(b));
	for (unsigned i = 0; i < 20000; i++) {
		who = v4((uint32_t)rand() % 200);
		now += (uint64_t)rand() % (S / 50);
		if (rand() % 10 == 0)
			budget_accepted(&b, &who, now);
		budget_failure(&b, &who, now, &report);
		failures++;
		recorded += report;
		while (budget_due(&b, now, &who, &count))
			recorded += count;
		assert_true(recorded <= failures);
	}
	while (budget_next_ns(&b) != UINT64_MAX) {
		now = budget_next_ns(&b);
		assert_true(budget_due(&b, now, &who, &count));
		recorded += count;
	}
	assert_true(recorded == failures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),	      cmocka_unit_test(test_queries),
		cmocka_unit_test(test_words),	      cmocka_unit_test(test_long_paths),
		cmocka_unit_test(test_tokens),	      cmocka_unit_test(test_token_files),
		cmocka_unit_test(test_budget_delays), cmocka_unit_test(test_budget_networks),
		cmocka_unit_test(test_budget_counts), cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_covered),	      cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

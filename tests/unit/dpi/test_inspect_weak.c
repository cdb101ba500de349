/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weak TLS on a conduit that denies it: no client gets the whole hello of a server that chooses it,
 * however the hello is cut, repeated or reordered. Sessions whose hello cannot be read end, good
 * ones pass, and segments of strangers change nothing. Also what becomes of sessions that existed
 * before denying was turned on.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/inspect/crossing.h"
#include "dpi/inspect/life.h"
#include "tests/unit/dpi/hellos.h"
#include "tests/unit/dpi/inspect_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WEAK_VERSION 0x0301, 0xc013
#define WEAK_SUITE 0x0303, 0xc006 /* no encryption */
#define LESSER 0x0303, 0x009c	  /* no forward secrecy */
#define GOOD 0x0304, 0x1301

static const uint32_t stopping[] = { P_TLS_DENY, P_TLS_DENY_MIXED, P_TLS_DENY_HOLD };

static struct conn greeted(uint32_t permit)
{
	struct conn k = desk_conn(permit);
	uint8_t hello[HELLO_ROOM];

	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, client_hello(hello)), OUTCOME_ACCEPT);
	return k;
}

static enum outcome answer(struct conn *k, uint16_t version, uint16_t suite)
{
	uint8_t hello[HELLO_ROOM];

	return desk_send(k, DIR_S2C, hello, server_hello(hello, version, suite, false));
}

static size_t weak_events(uint8_t verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < desk.n_events; i++)
		n += desk.events[i].kind == EVENT_WEAK && desk.events[i].verdict == verdict;
	return n;
}

static void by_what_the_server_chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stopping) / sizeof(stopping[0]); i++) {
		enum outcome passes = stopping[i] == P_TLS_DENY_MIXED ? OUTCOME_ACCEPT : OUTCOME_CONFIRMED;
		struct conn k = greeted(stopping[i]);

		assert_int_equal(answer(&k, GOOD), passes);
		assert_int_equal(desk_text(&k, DIR_C2S, "anything"), passes);
		k = greeted(stopping[i]);
		assert_int_equal(answer(&k, LESSER), passes);
		k = greeted(stopping[i]);
		assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
		/* Nothing of either end passes any more. */
		assert_int_equal(desk_text(&k, DIR_S2C, "certificate"), OUTCOME_DROP);
		assert_int_equal(desk_text(&k, DIR_C2S, "key"), OUTCOME_DROP);
		k = greeted(stopping[i]);
		assert_int_equal(answer(&k, WEAK_SUITE), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_TLS_DENIED), 2 * (i + 1));
		assert_int_equal(desk_count(EVENT_FLOW, R_CONFIRMED), 2 * (i + 1));
		assert_int_equal(weak_events(EV_DENY), 2 * (i + 1));
		assert_int_equal(weak_events(EV_ALLOW), i + 1);
	}
	/* six refused hellos, and two segments behind each of three of them */
	assert_int_equal(stats().reasons[R_TLS_DENIED], 6 + 6);
	assert_int_equal(stats().reasons[R_TLS_WEAK], 0);
	assert_true(desk.n_resets >= 6);
	assert_int_equal(stats().pool_used, 0);
}

static void a_client_that_is_too_old(void **state)
{
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello);
	struct conn k = desk_conn(P_TLS_DENY);

	(void)state;
	/* A ClientHello without the extension supported_versions, and with TLS 1.1 in its version
	 * field. */
	hello[10] = 2;
	n -= 11;
	hello[n - 21] = 0;
	hello[n - 21 + 0] = 20;
	n = hello_finish(hello, n);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n - 1), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, hello + n - 1, 1), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_OLD_CLIENT), 1);
	assert_int_equal(desk.n_resets, 1);
	/* With TLS 1.2 as the hello's version the session goes on; it also goes on where weak TLS
	 * is only reported. */
	hello[10] = 3;
	k = desk_conn(P_TLS_DENY);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_ACCEPT);
	hello[10] = 2;
	k = desk_conn(P_TLS);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_ACCEPT);
}

static void cut_anywhere(void **state)
{
	uint8_t server[HELLO_ROOM];
	size_t m = server_hello(server, WEAK_VERSION, false);

	(void)state;
	for (size_t cut = 1; cut < m; cut++) {
		struct conn k = greeted(P_TLS_DENY);

		assert_int_equal(desk_send(&k, DIR_S2C, server, cut), OUTCOME_ACCEPT);
		/* A repetition of the first part passes, too. */
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s - (uint32_t)cut, k.c, DESK_ACK, server, cut),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, server + cut, m - cut), OUTCOME_DROP);
		/* Repeated, as a whole and only its last part. */
		k.s -= (uint32_t)m;
		assert_int_equal(desk_send(&k, DIR_S2C, server, m), OUTCOME_DROP);
	}
	for (size_t cut = 1; cut < m; cut++) {
		struct conn k = greeted(P_TLS_DENY);

		/* The second part first: it passes ahead or waits, and the first part does not
		 * pass. */
		desk_segment(&k, DIR_S2C, k.s + (uint32_t)cut, k.c, DESK_ACK, server + cut, m - cut);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, server, cut), OUTCOME_DROP);
	}
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_DENIED), 2 * (m - 1));
}

static uint64_t seed;

static uint32_t drawn(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* A segment of the server, and whether its bytes are the original ones. */
struct piece {
	uint32_t id, at, len;
	bool same;
};

static struct piece said(const struct conn *k, uint32_t from, uint32_t at, uint32_t len, const uint8_t *bytes,
			 const uint8_t *first)
{
	desk_segment(k, DIR_S2C, from + at, k->c, DESK_ACK, bytes + at, len);
	return (struct piece){ desk_id, at, len, memcmp(bytes + at, first + at, len) == 0 };
}

/* Sends the server's hello in random pieces, in any order and repeatedly, and checks which bytes of
 * it the client gets. */
static void in_drawn_pieces(void **state)
{
	const char *given = getenv("SEKISHO_SEED");
	uint8_t server[HELLO_ROOM], other[HELLO_ROOM];
	unsigned denied = 0, good = 0;

	(void)state;
	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("SEKISHO_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 3000; round++) {
		bool weak = drawn(4) != 0, has[HELLO_ROOM] = { false }, whole = true;
		size_t m = weak ? server_hello(server, WEAK_SUITE, drawn(2) != 0) : server_hello(server, GOOD, false);
		struct conn k = greeted(stopping[drawn(3)]);
		struct piece pieces[40];
		unsigned n = 0, flipped = 76, differing = drawn(2) * 12;
		uint32_t from = k.s;

		memcpy(other, server, m);
		/* The bytes of the server's choice stay, because another choice would make another
		 * hello. */
		while (flipped == 9 || flipped == 10 || flipped == 76 || flipped == 77)
			flipped = drawn((uint32_t)m);
		other[flipped] ^= (uint8_t)(1u << drawn(8));
		while (n < 12) {
			uint32_t at = drawn((uint32_t)m);

			pieces[n++] = said(&k, from, at, 1 + drawn((uint32_t)m - at),
					   differing > 0 && drawn(differing) == 0 ? other : server, server);
		}
		/* The whole hello is repeated at the end. */
		for (uint32_t at = 0; at < m; at += 20)
			pieces[n++] = said(&k, from, at, (uint32_t)m - at < 20 ? (uint32_t)m - at : 20, server, server);
		for (unsigned i = 0; i < n; i++)
			if (desk.outcome[pieces[i].id % DESK_IDS] >= OUTCOME_ACCEPT && pieces[i].same)
				memset(has + pieces[i].at, true, pieces[i].len);
		for (size_t i = 0; i < m; i++)
			whole = whole && has[i];
		if (weak && whole)
			fail_msg("round %u: the whole of a hello passed that chooses what is weak", round);
		denied += weak;
		good += !weak && whole;
	}
	assert_true(denied > 1000 && good > 200);
}

static void what_cannot_be_read_ends(void **state)
{
	uint8_t hello[HELLO_ROOM];
	size_t n = client_hello(hello), ended = 0;
	struct conn k = greeted(P_TLS_DENY);

	(void)state;
	assert_int_equal(desk_text(&k, DIR_S2C, "220 welcome\r\n"), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_UNREAD), ++ended);
	/* The client's own hello, wrong behind the bytes by which TLS is recognised. */
	hello[43] = 200;
	k = desk_conn(P_TLS_DENY);
	desk_handshake(&k);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, n), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_UNREAD), ++ended);
	/* An alert passes; bytes behind it do not, also not in the same segment. */
	k = greeted(P_TLS_DENY);
	assert_int_equal(desk_send(&k, DIR_S2C, "\x15\x03\x03\x00\x02\x02\x28", 7), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_UNREAD), ++ended);
	memcpy(hello, "\x15\x03\x03\x00\x02\x02\x28", 7);
	n = 7 + server_hello(hello + 7, WEAK_VERSION, false);
	k = greeted(P_TLS_DENY);
	assert_int_equal(desk_send(&k, DIR_S2C, hello, n), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_UNREAD), ++ended);
	/* On a conduit where a full queue may have let the hello pass. */
	k = greeted(P_TLS_DENY_HOLD);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s + 500, DESK_ACK, "x", 1), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_UNREAD), ++ended);
	/* The server sends first, like servers of protocols that begin TLS later (STARTTLS). */
	k = desk_conn(P_TLS_DENY_HOLD);
	desk_handshake(&k);
	assert_int_equal(desk_text(&k, DIR_S2C, "ready"), OUTCOME_ACCEPT);
	assert_int_equal(desk_send(&k, DIR_C2S, hello, client_hello(hello)), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_CONFIRMED), 0);
	assert_int_equal(stats().pool_used, 0);
}

/* A gap is not filled in time and its bytes are given up; then the session is judged as it goes
 * on. */
static void a_gap_that_is_not_filled_in_time(void **state)
{
	static const uint16_t choices[2][2] = { { GOOD }, { WEAK_VERSION } };
	uint8_t server[HELLO_ROOM];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct conn k = greeted(P_TLS_DENY_HOLD);
		size_t m = server_hello(server, choices[i][0], choices[i][1], false);

		assert_int_equal(desk_segment(&k, DIR_S2C, k.s + 30, k.c, DESK_ACK, server + 30, m - 30), 0);
		desk_now += 20000000u;
		inspector_tick(desk_i);
		assert_int_equal(desk.outcome[desk_id % DESK_IDS], OUTCOME_DROP);
		assert_int_equal(stats().reasons[R_OUT_OF_ORDER], i + 1);
		assert_int_equal(desk.n_resets, 0);
		assert_int_equal(answer(&k, choices[i][0], choices[i][1]), i == 0 ? OUTCOME_CONFIRMED : OUTCOME_DROP);
	}
}

/* If there is no room, no session passes unjudged because of that. */
static void no_room(void **state)
{
	struct conn k = greeted(P_TLS_DENY);
	struct decoded d = { .src = { .family = 4, .b = { 10, 20, 0, 10 } },
			     .dst = { .family = 4, .b = { 10, 30, 1, 10 } },
			     .sport = k.client_port,
			     .dport = k.server_port,
			     .l4proto = 6 };
	enum direction dir;

	(void)state;
	outcome_give_way(desk_i, flow_find(&desk_i->flows, &d, &dir));
	assert_int_equal(desk_count(EVENT_FLOW, R_POOL_FULL), 1);
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
}

/* TLS begins after bytes of the server. Where weak TLS is denied, the server's choice has still to
 * be read. */
static void a_server_that_speaks_tls_first(void **state)
{
	static const uint32_t permits[] = { P_TLS, P_TLS_DENY_OBSERVE, P_TLS_DENY, P_TLS_DENY_MIXED, P_TLS_DENY_HOLD };
	uint8_t client[HELLO_ROOM], server[HELLO_ROOM];
	size_t n = client_hello(client), m = server_hello(server, WEAK_VERSION, false);

	(void)state;
	for (size_t i = 0; i < sizeof(permits) / sizeof(permits[0]); i++)
		for (unsigned begun = 0; begun < 2; begun++) {
			size_t first = begun ? 1 : m, ended = desk_count(EVENT_FLOW, R_TLS_UNREAD);
			struct conn k = desk_conn(permits[i]);

			desk_handshake(&k);
			assert_int_equal(desk_send(&k, DIR_S2C, server, first), OUTCOME_ACCEPT);
			/* Bytes of the server that are not TLS yet are waited for. */
			assert_int_equal(desk_send(&k, DIR_C2S, client, n), begun   ? OUTCOME_ACCEPT
									    : i < 2 ? OUTCOME_CONFIRMED
										    : OUTCOME_DROP);
			if (begun)
				assert_int_equal(desk_send(&k, DIR_S2C, server + 1, m - 1),
						 i < 2 ? OUTCOME_CONFIRMED : OUTCOME_DROP);
			assert_int_equal(desk_text(&k, DIR_C2S, "key"), i < 2 ? OUTCOME_CONFIRMED : OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, R_TLS_UNREAD), ended + (i >= 2));
		}
	assert_int_equal(desk_count(EVENT_FLOW, R_CONFIRMED), 4);
	assert_int_equal(stats().pool_used, 0);
}

/* Segments beyond the room of one session are dropped and repeated, unless nobody has to read them.
 * A FIN whose number lies inside bytes that passed ahead is no FIN. */
static void no_room_of_its_own(void **state)
{
	static uint8_t much[60000];
	uint8_t hello[HELLO_ROOM];
	size_t m;

	(void)state;
	for (unsigned denies = 0; denies < 2; denies++) {
		struct conn k = greeted(denies ? P_TLS_DENY : P_TLS);
		uint32_t acknowledged = k.c;

		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(desk_send(&k, DIR_C2S, much, sizeof(much)), OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, much, sizeof(much)),
				 denies ? OUTCOME_DROP : OUTCOME_CONFIRMED);
		assert_int_equal(stats().reasons[R_POOL_FULL], denies);
		assert_int_equal(stats().reasons[R_TLS_UNSEEN], 1);
		if (!denies)
			continue;
		/* Once the server has acknowledged a part there is room again, and the rest is
		 * judged. */
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, acknowledged + 120000, DESK_ACK, NULL, 0),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_C2S, much, sizeof(much)), OUTCOME_ACCEPT);
		assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_TLS_DENIED), 1);
	}
	m = server_hello(hello, GOOD, false);
	for (unsigned denies = 0; denies < 2; denies++) {
		struct conn k = greeted(denies ? P_TLS_DENY : P_TLS);

		assert_int_equal(desk_segment(&k, DIR_S2C, k.s + 40, k.c, DESK_ACK, hello + 40, m - 40),
				 OUTCOME_ACCEPT);
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK | DESK_FIN, hello, 50),
				 denies ? OUTCOME_DROP : OUTCOME_CONFIRMED);
		assert_int_equal(desk_count(EVENT_FLOW, R_OVERLAP), denies);
	}
	assert_int_equal(stats().reasons[R_TLS_UNSEEN], 2);
	assert_int_equal(stats().pool_used, 0);
}

/* Segments of strangers, and lost ones, neither end a session nor keep it from being judged. */
static void nothing_else_ends_it(void **state)
{
	struct conn k = greeted(P_TLS_DENY);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 5000, DESK_ACK, "x", 1), OUTCOME_DROP);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s + 100000000, k.c, DESK_ACK, "x", 1), OUTCOME_DROP);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(answer(&k, GOOD), OUTCOME_CONFIRMED);
	k = greeted(P_TLS_DENY);
	assert_int_equal(desk_segment(&k, DIR_S2C, k.s, k.c + 5000, DESK_ACK, "x", 1), OUTCOME_DROP);
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_DENIED), 1);
}

static void where_it_is_only_observed(void **state)
{
	struct conn k = greeted(P_TLS_DENY_OBSERVE);

	(void)state;
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_CONFIRMED);
	assert_int_equal(desk_count(EVENT_FLOW, R_TLS_DENIED), 1);
	assert_int_equal(weak_events(EV_OBSERVE), 1);
	k = greeted(P_TLS_DENY_OBSERVE);
	assert_int_equal(desk_text(&k, DIR_S2C, "220 welcome\r\n"), OUTCOME_CONFIRMED);
	k = greeted(P_TLS_DENY_OBSERVE);
	assert_int_equal(answer(&k, GOOD), OUTCOME_CONFIRMED);
	assert_int_equal(desk.n_resets, 0);
	assert_int_equal(stats().dropped, 0);
}

static void nothing_is_listed(void *ctx, const struct deed *d, const struct pdu *refused)
{
	(void)ctx;
	(void)d;
	(void)refused;
	fail();
}

static enum reason foretold(const struct conn *k, uint32_t permit)
{
	struct session_ends ends = { .client = { .family = 4, .b = { 10, 20, 0, 10 } },
				     .server = { .family = 4, .b = { 10, 30, 1, 10 } },
				     .client_port = k->client_port,
				     .server_port = k->server_port,
				     .l4proto = 6 };
	struct command_table t;
	struct impact impact;
	size_t n;
	uint8_t *image = desk_image(1, &n);

	assert_true(inspector_try_table(desk_i, bytes_of(image, n), &t));
	inspector_foretell(desk_i, &t, &ends, permit, nothing_is_listed, NULL, &impact);
	free(image);
	assert_true(impact.known);
	return impact.reason;
}

/* When denying is turned on, sessions with a weak hello or an unseen one are ended, and a dry run
 * says so before. Good sessions lose nothing. */
static void sessions_that_were_there(void **state)
{
	static const uint32_t was[] = { P_TLS, P_TLS_OBSERVE, P_TLS_DENY_OBSERVE };

	(void)state;
	for (size_t w = 0; w < 3; w++)
		for (unsigned what = 0; what < 4; what++) {
			struct conn k = greeted(was[w]);
			bool ends = what == 1 || what == 2;

			if (what == 0)
				answer(&k, GOOD);
			else if (what == 1)
				answer(&k, WEAK_VERSION);
			else if (what == 2)
				desk_text(&k, DIR_S2C, "220 welcome\r\n");
			else
				answer(&k, LESSER);
			assert_int_equal(desk_text(&k, DIR_C2S, "data"), OUTCOME_CONFIRMED);
			assert_int_equal(foretold(&k, P_TLS_DENY), ends ? R_ENDED : R_NONE);
			assert_int_equal(foretold(&k, P_TLS), R_NONE);
			k.permit = P_TLS_DENY;
			assert_int_equal(desk_text(&k, DIR_C2S, "data"), ends ? OUTCOME_DROP : OUTCOME_CONFIRMED);
			if (!ends) { /* denying is turned off again */
				k.permit = P_TLS;
				assert_int_equal(desk_text(&k, DIR_C2S, "data"), OUTCOME_CONFIRMED);
			}
		}
	assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 6);
}

/* Denying is turned on or off between the two hellos: the rule at the moment of the server's hello
 * decides. */
static void between_the_hellos(void **state)
{
	uint8_t hello[HELLO_ROOM];
	struct conn k = greeted(P_TLS);

	(void)state;
	assert_int_equal(foretold(&k, P_TLS_DENY), R_NONE);
	k.permit = P_TLS_DENY;
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
	k = greeted(P_TLS_DENY);
	k.permit = P_TLS;
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_CONFIRMED);
	k = greeted(P_TLS_DENY);
	k.permit = P_TLS_DENY_MIXED;
	assert_int_equal(answer(&k, WEAK_VERSION), OUTCOME_DROP);
	/* A new session on the ports of a good one does not inherit anything from it. */
	k = greeted(P_TLS);
	assert_int_equal(answer(&k, GOOD), OUTCOME_CONFIRMED);
	k.c += 500000;
	k.s += 500000;
	desk_handshake(&k);
	desk_send(&k, DIR_C2S, hello, client_hello(hello));
	desk_text(&k, DIR_S2C, "220 welcome\r\n");
	assert_int_equal(foretold(&k, P_TLS_DENY), R_ENDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_what_the_server_chooses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_that_is_too_old, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(in_drawn_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gap_that_is_not_filled_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(a_server_that_speaks_tls_first, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_else_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(where_it_is_only_observed, setup, teardown),
		cmocka_unit_test_setup_teardown(sessions_that_were_there, setup, teardown),
		cmocka_unit_test_setup_teardown(between_the_hellos, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

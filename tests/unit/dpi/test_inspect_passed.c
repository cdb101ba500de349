/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inspector learns of segments that have passed in the kernel. An unusual order of
 * segments gives their sender no advantage.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/inspect_setup.h"

static const uint8_t client_at[4] = { 10, 20, 0, 10 }, server_at[4] = { 10, 30, 1, 10 };

static uint32_t mark_of(uint32_t permit)
{
	return mark_make(permit, lane_number(desk_lane(permit)), MARK_UNJUDGED);
}

/* A whole handshake between the ends of the session; `turned`: its server is the client. */
static struct once_handshake handshake_of(const struct conn *k, bool turned, uint32_t mark, uint32_t c, uint32_t s)
{
	struct once_handshake h = { .mark = mark, .family = 4, .passed = 3, .number = { c, s } };

	memcpy(h.client, turned ? server_at : client_at, 4);
	memcpy(h.server, turned ? client_at : server_at, 4);
	h.client_port = turned ? k->server_port : k->client_port;
	h.server_port = turned ? k->client_port : k->server_port;
	return h;
}

/* Requests and answers, all acknowledged. */
static struct conn talks(uint32_t permit)
{
	struct conn k = desk_conn(permit);
	uint8_t pdu[64];

	desk_directed = true;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	toy_pdu(pdu, 64, 3);
	for (unsigned n = 0; n < 4; n++) {
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 64), OUTCOME_ACCEPT);
		assert_int_equal(desk_send(&k, DIR_S2C, pdu, 64), OUTCOME_ACCEPT);
	}
	desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0);
	return k;
}

/* A server that only half closes has not acknowledged the request that passed after its FIN. */
static void a_request_after_the_server_s_fin(void **state)
{
	struct once_template t = { .permit = P_TOY, .length = 12, .answer = 12 };
	struct conn k = talks(P_TOY);
	struct once_handshake ends = handshake_of(&k, false, 0, 0, 0);
	struct once_lease l = { .permit = P_TOY,
				.client = { ends.client[0] },
				.server = { ends.server[0] },
				.client_port = k.client_port,
				.server_port = k.server_port,
				.family = 4,
				.words = { 5, 5 },
				.hops = { 64, 64 },
				.ended = { 0, 1 },
				.next = { k.c + 12, k.s + 1 },
				.acked = { k.c, k.s + 1 } };
	uint8_t pdu[64];

	(void)state;
	toy_pdu((uint8_t *)l.request, 12, 3);
	assert_true(inspector_take_back(desk_i, &l, &t));
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	assert_int_equal(desk_segment(&k, DIR_C2S, k.c, k.s + 1, DESK_ACK, pdu, 12), OUTCOME_DROP);
}

/* The kernel no longer tracks a session that is not inspected any more, and its server connects
 * from the same port to the client's: the name of the old session is not that of the new one. */
static void ends_that_change_places(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", other[] = "SSH-2.0-OpenSSH_9.9\r\n";
	struct conn k = desk_conn(P_HTTP);
	struct once_handshake h;
	size_t n;

	(void)state;
	desk_directed = true;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, get), OUTCOME_CONFIRMED);
	h = handshake_of(&k, true, mark_of(P_HTTP), 5000, 9000);
	inspector_catch_up(desk_i, &h);
	n = desk_tcp(&k, DIR_S2C, 5001, 9001, DESK_ACK, other, sizeof(other) - 1);
	assert_int_equal(desk.outcome[desk_hand_as(n, mark_of(P_HTTP), false) % DESK_IDS], OUTCOME_DROP);
}

/* A new session begins under a permit that has gone meanwhile. */
static void a_name_of_another_permit(void **state)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", other[] = "SSH-2.0-OpenSSH_9.9\r\n";
	struct conn k = desk_conn(P_HTTP);
	struct once_handshake h;

	(void)state;
	desk_directed = true;
	assert_int_equal(desk_handshake(&k), OUTCOME_ACCEPT);
	assert_int_equal(desk_text(&k, DIR_C2S, get), OUTCOME_CONFIRMED);
	h = handshake_of(&k, false, mark_make(999, 1, MARK_UNJUDGED), 5000, 9000);
	inspector_catch_up(desk_i, &h);
	k.c = 5001;
	k.s = 9001;
	assert_int_equal(desk_text(&k, DIR_C2S, other), OUTCOME_DROP);
}

/* The ends change places while the session is followed: what would be a repetition of the old
 * server's bytes is the new client's first request. */
static void ends_that_change_places_while_followed(void **state)
{
	struct conn k = talks(P_TOY);
	struct once_handshake h = handshake_of(&k, true, mark_of(P_TOY), k.s - 101u, k.c - 101u);
	uint8_t pdu[64];
	size_t n;

	(void)state;
	inspector_catch_up(desk_i, &h);
	toy_pdu(pdu, 12, TOY_FORBIDDEN);
	n = desk_tcp(&k, DIR_S2C, k.s - 100u, k.c - 100u, DESK_ACK, pdu, 12);
	assert_int_equal(desk.outcome[desk_hand_as(n, mark_of(P_TOY), false) % DESK_IDS], OUTCOME_DROP);
}

/* A session begins over a remembered one: its first bytes have numbers behind those of the old
 * session. Also if its permit has gone meanwhile. */
static void over_a_remembered_session(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		struct conn k = talks(P_TOY);
		struct once_handshake h = handshake_of(
			&k, false, known ? mark_of(P_TOY) : mark_make(999, 40, MARK_UNJUDGED), k.c - 101u, k.s - 101u);
		uint8_t pdu[64];

		inspector_catch_up(desk_i, &h);
		k.c -= 100;
		k.s -= 100;
		toy_pdu(pdu, 12, 3);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), known ? OUTCOME_ACCEPT : OUTCOME_DROP);
		toy_pdu(pdu, 12, TOY_FORBIDDEN);
		assert_int_equal(desk_send(&k, DIR_C2S, pdu, 12), OUTCOME_DROP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_after_the_server_s_fin, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_that_change_places, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_of_another_permit, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_that_change_places_while_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(over_a_remembered_session, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

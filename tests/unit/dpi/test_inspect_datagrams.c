/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector with datagrams of enforced protocols: each datagram is judged whole and by itself,
 * under the permit that is valid when it comes. What is refused is dropped and recorded, and its
 * flow goes on; nobody is reset.
 *
 * LINK: $(INSPECT_PARTS) dpi/modbus/%.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "appliance/wire/silence.h"
#include "dpi/decode.h"
#include "dpi/modbus/modbus.h"
#include "tests/unit/dpi/inspect_setup.h"

#define MANY 64u /* more requests than can be open */

static int modbus(void **state)
{
	desk_enforcer = &modbus_enforcer;
	return setup(state);
}

static int stop(void **state)
{
	assert_int_equal(desk.n_resets, 0);
	desk_enforcer = &toy;
	return teardown(state);
}

/* A request or an answer of Modbus for unit 1: header, function, data. */
static size_t message(uint8_t *out, uint16_t tid, uint8_t function, const void *data, size_t n)
{
	put16(out, tid);
	put16(out + 2, 0);
	put16(out + 4, (uint32_t)(2 + n));
	out[6] = 1;
	out[7] = function;
	memcpy(out + 8, data, n);
	return 8 + n;
}

static unsigned say(const struct conn *k, enum direction dir, uint16_t tid, uint8_t function, const void *data,
		    size_t n)
{
	uint8_t m[300];

	return desk_datagram(k, dir, m, message(m, tid, function, data, n));
}

static unsigned ask(const struct conn *k, uint16_t tid)
{
	return say(k, DIR_C2S, tid, 3, "\0\x05\0\1", 4);
}

static unsigned answer(const struct conn *k, uint16_t tid)
{
	return say(k, DIR_S2C, tid, 3, "\2\x12\x34", 3);
}

/* Writes one register; P_TOY_READS does not have the function. */
static unsigned write_one(const struct conn *k, uint16_t tid)
{
	return say(k, DIR_C2S, tid, 16, "\0\x05\0\1\2\0\7", 7);
}

static unsigned written(const struct conn *k, uint16_t tid)
{
	return say(k, DIR_S2C, tid, 16, "\0\x05\0\1", 4);
}

static void each_for_itself(void **state)
{
	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		struct conn k = desk_conn(P_TOY_READS);

		k.family = (uint8_t)family;
		desk_clear();
		assert_int_equal(ask(&k, 1), OUTCOME_ACCEPT);
		assert_int_equal(answer(&k, 1), OUTCOME_ACCEPT);
		/* The record names the request and the conduit that refused it, and nothing else
		 * happens. */
		assert_int_equal(write_one(&k, 2), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 1);
		assert_int_equal(desk.n_events, 1);
		assert_int_equal(desk.events[0].function, 16);
		assert_int_equal(desk.events[0].conduit, P_TOY_READS);
		assert_int_equal(desk.events[0].l4proto, IP_UDP);
		assert_int_equal(desk.events[0].protocol, PROTO_MODBUS);
		/* The server did not get the request, so it cannot answer it. */
		assert_int_equal(written(&k, 2), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_RESPONSE), 1);
		for (uint16_t tid = 3; tid < MANY; tid++) {
			assert_int_equal(ask(&k, tid), OUTCOME_ACCEPT);
			assert_int_equal(write_one(&k, 1000), OUTCOME_DROP);
			assert_int_equal(answer(&k, tid), OUTCOME_ACCEPT);
		}
	}
}

/* Datagrams that are not exactly one PDU. */
static void garbage(void **state)
{
	struct conn k = desk_conn(P_TOY);
	uint8_t m[64];
	size_t n = message(m, 7, 3, "\0\x05\0\1", 4), wrong = 0;

	(void)state;
	message(m + n, 8, 3, "\0\x05\0\1", 4);
	/* Bytes that are no PDU do not decide the protocol of the flow, even as its first
	 * datagram. */
	for (size_t cut = 0; cut <= 2 * n; cut++) {
		assert_int_equal(desk_datagram(&k, DIR_C2S, m, cut), cut == n ? OUTCOME_ACCEPT : OUTCOME_DROP);
		wrong += cut != n;
		assert_int_equal(desk_count(EVENT_DROP, R_MODBUS_FRAME), wrong);
	}
	m[2] = 1;
	assert_int_equal(desk_datagram(&k, DIR_C2S, m, n), OUTCOME_DROP);
	assert_int_equal(desk_datagram(&k, DIR_S2C, "\0\0", 2), OUTCOME_DROP);
	assert_int_equal(desk_datagram(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n", 18), OUTCOME_DROP);
	assert_int_equal(answer(&k, 7), OUTCOME_ACCEPT);
}

/* An answer belongs to exactly one request. */
static void answers(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	assert_int_equal(answer(&k, 1), OUTCOME_DROP); /* to nothing */
	assert_int_equal(ask(&k, 1), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 2), OUTCOME_DROP);
	/* longer than asked for */
	assert_int_equal(say(&k, DIR_S2C, 1, 3, "\4\1\2\3\4", 5), OUTCOME_DROP);
	assert_int_equal(say(&k, DIR_S2C, 1, 0x83, "\2", 1), OUTCOME_ACCEPT);
	/* The network delivers datagrams twice, requests and answers, and out of order. */
	assert_int_equal(ask(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(ask(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(ask(&k, 4), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 4), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT); /* the answer is repeated */
	assert_int_equal(say(&k, DIR_S2C, 3, 3, "\2\x55\x55", 3), OUTCOME_DROP);
}

/* Datagrams get lost, requests and answers. The next one is judged like the first. */
static void lost(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	for (uint16_t tid = 1; tid <= MANY; tid++)
		assert_int_equal(ask(&k, tid), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, MANY), OUTCOME_ACCEPT);
	for (uint16_t tid = MANY + 1; tid <= 2 * MANY; tid++) {
		assert_int_equal(ask(&k, tid), OUTCOME_ACCEPT);
		assert_int_equal(answer(&k, tid), OUTCOME_ACCEPT);
	}
}

/* The next datagram is judged by the policy that is in force then, in both directions. */
static void narrowed(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	assert_int_equal(write_one(&k, 1), OUTCOME_ACCEPT);
	k.permit = P_TOY_READS;
	/* a request from before the change is answered */
	assert_int_equal(written(&k, 1), OUTCOME_ACCEPT);
	assert_int_equal(write_one(&k, 2), OUTCOME_DROP);
	assert_int_equal(ask(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT);
	k.permit = P_TOY;
	assert_int_equal(write_one(&k, 4), OUTCOME_ACCEPT);
	assert_int_equal(written(&k, 4), OUTCOME_ACCEPT);
}

/* As `narrowed`, but another table has other rows for the same permit, or lacks the permit. */
static void the_table_changes(void **state)
{
	struct conn k = desk_conn(P_TOY), other = desk_conn(P_TOY_2);
	uint8_t digest[32], *image;
	size_t n;

	(void)state;
	assert_int_equal(ask(&k, 1), OUTCOME_ACCEPT);
	assert_int_equal(ask(&other, 1), OUTCOME_ACCEPT);
	image = desk_image(P_TOY + 1, &n);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	free(image);
	assert_int_equal(answer(&k, 1), OUTCOME_DROP);
	assert_int_equal(ask(&k, 2), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_DROP, R_UNKNOWN_PERMIT), 2);
	assert_int_equal(answer(&other, 1), OUTCOME_ACCEPT);
	/* The table has the permit again: the flow was not ended for good. */
	image = desk_image(1, &n);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	free(image);
	assert_int_equal(ask(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT);
}

/* A permit without the protocol ends the flow's state; under one that has it again, the flow begins
 * anew. */
static void another_protocol(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	assert_int_equal(ask(&k, 1), OUTCOME_ACCEPT);
	k.permit = P_TCP;
	assert_int_equal(answer(&k, 1), OUTCOME_DROP);
	assert_int_equal(ask(&k, 2), OUTCOME_DROP);
	k.permit = P_TOY;
	assert_int_equal(ask(&k, 3), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT);
}

static void observed(void **state)
{
	struct conn k = desk_conn(P_TOY_OBSERVE);
	uint8_t m[64];

	(void)state;
	assert_int_equal(ask(&k, 1), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, 2, 0x6e, "", 0), OUTCOME_ACCEPT);
	desk_clear();
	assert_int_equal(desk_datagram(&k, DIR_C2S, m, message(m, 3, TOY_FORBIDDEN, "", 0)), OUTCOME_ACCEPT);
	assert_int_equal(desk_datagram(&k, DIR_C2S, "garbage", 7), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 99), OUTCOME_ACCEPT);
	for (size_t i = 0; i < desk.n_events; i++)
		assert_int_equal(desk.events[i].verdict, EV_OBSERVE);
	assert_int_equal(desk_count(EVENT_DROP, R_MODBUS_FRAME), 1);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FRAME) + desk_count(EVENT_PDU, R_MODBUS_FIELD), 1);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_RESPONSE), 1);
	/* The datagrams of the flow are still judged one by one. */
	assert_int_equal(answer(&k, 1), OUTCOME_ACCEPT);
	assert_int_equal(desk.pdus[desk.n_pdus - 1].reason, R_ALLOWED);
}

/* A new worker: the server answers a request that the old worker saw. */
static void the_worker_is_new(void **state)
{
	static const uint32_t permits[] = { P_TOY, P_TOY_DROP, P_TOY_PICK_UP };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		bool picks_up = permits[i] == P_TOY_PICK_UP;
		struct conn k = desk_conn(permits[i]);

		assert_int_equal(answer(&k, 1), picks_up ? OUTCOME_ACCEPT : OUTCOME_DROP);
		/* no request asks for that function */
		assert_int_equal(say(&k, DIR_S2C, 2, 3, "\5\0", 2), OUTCOME_DROP);
		/* The client's next request is not lost, whatever the conduit says about sessions
		 * met half-way. */
		assert_int_equal(ask(&k, 3), OUTCOME_ACCEPT);
		assert_int_equal(answer(&k, 3), OUTCOME_ACCEPT);
		/* after an answer to a new request, requests from before count as answered */
		assert_int_equal(answer(&k, 4), OUTCOME_DROP);
	}
}

/* Two minutes without a datagram: only the open requests are forgotten. */
static void silence(void **state)
{
	struct conn k = desk_conn(P_TOY);

	(void)state;
	assert_int_equal(ask(&k, 1), OUTCOME_ACCEPT);
	desk_now += (SILENCE_S + 1) * 1000000000ull;
	inspector_tick(desk_i);
	assert_int_equal(stats().flows, 0);
	assert_int_equal(answer(&k, 1), OUTCOME_DROP);
	assert_int_equal(ask(&k, 2), OUTCOME_ACCEPT);
	assert_int_equal(answer(&k, 2), OUTCOME_ACCEPT);
}

/* More flows than there is room for: a forgotten flow begins anew, and a forbidden request never
 * passes. */
static void crowds(void **state)
{
	struct conn k[200];

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		k[i] = desk_conn(P_TOY_READS);
	for (unsigned turn = 0; turn < 5; turn++)
		for (unsigned i = 0; i < 200; i++) {
			desk_now += 1000000u;
			assert_int_equal(ask(&k[i], 1), OUTCOME_ACCEPT);
			assert_int_equal(write_one(&k[i], 2), OUTCOME_DROP);
			assert_int_equal(answer(&k[i], 1), OUTCOME_ACCEPT);
		}
	assert_true(stats().flows <= 64);
}

/* A protocol with several PDUs in a datagram: all of them pass, or none. */
static void several(void **state)
{
	struct conn k = desk_conn(P_TOY_FEW);
	uint8_t b[200];
	size_t n;

	(void)state;
	n = toy_pdu(b, 12, 3);
	n += toy_pdu(b + n, 9, 4);
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, n), OUTCOME_ACCEPT);
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, n - 1), OUTCOME_DROP);
	b[12 + 2] = TOY_FORBIDDEN;
	for (unsigned i = 0; i < MANY; i++) /* nothing is remembered of these PDUs */
		assert_int_equal(desk_datagram(&k, DIR_C2S, b, n), OUTCOME_DROP);
	toy_pdu(b + n, 9, 4);
	b[12 + 2] = 5;
	/* more PDUs than the protocol allows */
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, n + 9), OUTCOME_DROP);
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, n), OUTCOME_ACCEPT);
}

/* Two protocols at one port, of which one is not used with datagrams. */
static void beside_others(void **state)
{
	struct conn k = desk_conn(P_MIXED);
	uint8_t b[64];

	(void)state;
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, toy_pdu(b, 12, 3)), OUTCOME_ACCEPT);
	assert_int_equal(desk_datagram(&k, DIR_C2S, "GET / HTTP/1.1\r\n\r\n", 18), OUTCOME_DROP);
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, toy_pdu(b, 12, TOY_FORBIDDEN)), OUTCOME_DROP);
	assert_int_equal(desk_datagram(&k, DIR_C2S, b, toy_pdu(b, 12, 4)), OUTCOME_ACCEPT);
}

/* A flow was refused by mistake: the next policy treats it as new, and a policy that only observes
 * lets it pass at once. */
static void refused_by_a_mistake(void **state)
{
	static const char query[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\x03www\x07"
				    "example\x03"
				    "com\0\0\1\0\1";
	struct conn k = desk_conn(P_DNS);
	uint8_t digest[32], *image;
	size_t n;

	(void)state;
	assert_int_equal(desk_datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_CONFIRMED);
	for (unsigned turn = 0; turn < 3; turn++) {
		desk_clear();
		k.permit = P_SSH;
		for (unsigned i = 0; i < 9; i++)
			assert_int_equal(desk_datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_DROP);
		assert_int_equal(desk_count(EVENT_FLOW, R_ENDED), 1);
		if (turn == 1) { /* the same permit id: only the table differs */
			image = desk_image(1, &n);
			assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
			free(image);
			assert_int_equal(desk_datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_DROP);
			assert_int_equal(desk_count(EVENT_FLOW, R_WRONG_PROTOCOL), 1);
		}
		k.permit = turn == 2 ? P_TLS_OBSERVE : P_DNS;
		for (unsigned i = 0; i < 9; i++)
			assert_int_equal(desk_datagram(&k, DIR_C2S, query, sizeof(query) - 1), OUTCOME_CONFIRMED);
		if (turn < 2) {
			assert_int_equal(desk_count(EVENT_FLOW, R_CONFIRMED), 1);
			continue;
		}
		assert_int_equal(desk.events[desk.n_events - 1].verdict, EV_OBSERVE);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, modbus, stop)
#define TOY(f) cmocka_unit_test_setup_teardown(f, setup, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_for_itself),   T(garbage),
		T(answers),	      T(lost),
		T(narrowed),	      T(the_table_changes),
		T(another_protocol),  T(observed),
		T(silence),	      T(crowds),
		T(the_worker_is_new), TOY(several),
		TOY(beside_others),   TOY(refused_by_a_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector where both ends use the protocol's port and may ask: conduit C (P_TOY) from end A
 * to end B, conduit D (P_TOY_READS) from B to A. Every order of who speaks first, and all that may
 * happen between two datagrams: silence, another session of the kernel, a restart of the worker, a
 * narrowing.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/flow.h"
#include "tests/unit/dpi/inspect_setup.h"

#define C P_TOY
#define D P_TOY_READS
#define REQUEST 1
#define ANSWER 2

enum end { A, B };

/* ---- a protocol whose datagrams say whether they ask ----------------------------------------- */

struct sided {
	bool met;
	uint8_t function; /* of the last allowed request, which may be answered; 0: none */
	struct pending wait;
	struct pending_entry open[TOY_FEW];
};

static enum utterance says(struct bytes b)
{
	size_t n = 0;

	if (toy_frame(NULL, DIR_C2S, b, &n) != FRAME_WHOLE)
		return UTTERS_NOTHING;
	return b.p[3] == REQUEST ? UTTERS_REQUEST : UTTERS_ANSWER;
}

static void parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	toy_parse(state, dir, pdu, ret);
	ret->asks = says(pdu) == UTTERS_REQUEST;
}

static void asked(void *state, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	struct sided *s = state;

	(void)r;
	s->met = false;
	if (ret->reason == R_ALLOWED)
		s->function = (uint8_t)p->operations[0].service;
}

static void answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct sided *s = state;

	ret->function = pdu.p[2];
	ret->allowed = ret->dir == DIR_S2C && (s->met || s->function == pdu.p[2]);
	ret->reason = ret->allowed ? R_ALLOWED : R_MODBUS_RESPONSE;
	ret->conduit = by->table->grants[by->permit->first_grant].conduit;
}

/* What was asked before the flow was known is not known either. */
static void begin(void *state, bool datagrams, uint16_t port)
{
	(void)datagrams;
	(void)port;
	((struct sided *)state)->met = true;
}

static void missed(void *state)
{
	((struct sided *)state)->met = true;
}

static const struct enforcer sided = { .protocol = DESK_PROTOCOL,
				       .pdu_max = TOY_MAX,
				       .state_size = sizeof(struct sided),
				       .datagrams = 2,
				       .says = says,
				       .open = PENDING_IN(struct sided, TOY_FEW),
				       .begin = begin,
				       .frame = toy_frame,
				       .malformed = R_MODBUS_FRAME,
				       .pending = R_MODBUS_PENDING,
				       .parse = parse,
				       .asked = asked,
				       .answered = answered,
				       .missed = missed };

/* ---- the kernel: one session for both conduits ----------------------------------------------- */

static enum end opener;
static bool only_c; /* there is no conduit D */

static uint32_t mark_of(uint32_t permit, bool reply)
{
	return mark_make(permit, lane_number(desk_lane(permit)), MARK_UNJUDGED) | (reply ? MARK_REPLY : 0);
}

static uint32_t twin(uint32_t mark)
{
	return only_c ? mark : mark_of(mark_permit(mark) == C ? D : C, (mark & MARK_REPLY) == 0);
}

static unsigned say(enum end from, uint8_t kind, uint8_t function)
{
	struct conn k = desk_conn(C);
	enum direction dir = from == A ? DIR_C2S : DIR_S2C;
	uint8_t pdu[4] = { TOY_MARK, 4, function, kind }, *t = desk_packet + 20;
	size_t size;

	k.client_port = k.server_port = 502;
	put16(t, k.client_port);
	put16(t + 2, k.server_port);
	put16(t + 4, 8 + sizeof(pdu));
	memcpy(t + 8, pdu, sizeof(pdu));
	size = desk_ip(desk_packet, &k, dir, 17, 8 + sizeof(pdu), 6);
	desk.judged_as = 0;
	return desk.outcome[desk_hand_as(size, mark_of(opener == A ? C : D, from != opener), false) % DESK_IDS];
}

static void passes(enum end from, uint8_t kind, uint8_t function, uint32_t permit)
{
	assert_int_equal(say(from, kind, function), OUTCOME_ACCEPT);
	assert_int_equal(desk.judged_as, permit);
}

static void is_refused(enum end from, uint8_t kind, uint8_t function, enum reason reason)
{
	size_t before = desk_count(EVENT_PDU, reason);

	assert_int_equal(say(from, kind, function), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, reason), before + 1);
}

/* Both conduits act, and nothing else does. Function 5 is allowed to both ends, 20 to A only. */
static void both_ask(void)
{
	passes(A, REQUEST, 20, C);
	passes(B, ANSWER, 20, C);
	passes(B, REQUEST, 5, D);
	passes(A, ANSWER, 5, D);
	is_refused(B, REQUEST, 20, R_MODBUS_FUNCTION);
	is_refused(A, REQUEST, TOY_FORBIDDEN, R_MODBUS_FUNCTION);
	/* each answer belongs to what its receiver asked */
	is_refused(A, ANSWER, 20, R_MODBUS_RESPONSE);
	is_refused(B, ANSWER, 5, R_MODBUS_RESPONSE);
}

static int start(void **state)
{
	desk_enforcer = &sided;
	desk_directed = true;
	desk_twin = twin;
	only_c = false;
	return setup(state);
}

static int stop(void **state)
{
	desk_enforcer = &toy;
	desk_directed = false;
	desk_twin = NULL;
	assert_int_equal(desk.n_resets, 0);
	return teardown(state);
}

static void restart(void)
{
	desk_close();
	desk_open((struct inspector_limits){ .flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 });
}

static void whoever_speaks_first(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		restart();
		opener = n & 1 ? B : A;
		if (n & 2)
			passes(B, REQUEST, 5, D);
		both_ask();
		both_ask();
	}
}

/* The kernel's session ends by silence, and the other end opens the next one, while the worker
 * still knows its flows or has forgotten them. */
static void after_silence(void **state)
{
	static const uint64_t seconds[] = { 10, 70, 130, 300 };

	(void)state;
	for (unsigned n = 0; n < 16; n++) {
		opener = n & 4 ? B : A;
		both_ask();
		desk_now += seconds[n & 3] * SECOND_NS;
		inspector_tick(desk_i);
		opener = n & 8 ? B : A;
		both_ask();
	}
}

static void over_a_restart(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		opener = n == 0 ? A : B;
		both_ask();
		restart();
		both_ask();
	}
}

/* A permit that is gone allows nothing; the other conduit loses nothing. */
static void a_permit_ends(void **state)
{
	uint8_t digest[32], *image;
	size_t n;

	(void)state;
	opener = A;
	both_ask();
	/* the table without C, the lower number: the kernel's session now belongs to D's twin */
	image = desk_image(D, &n);
	assert_true(inspector_table(desk_i, bytes_of(image, n), digest));
	free(image);
	opener = B;
	passes(B, REQUEST, 5, D);
	passes(A, ANSWER, 5, D);
	/* nothing that A asked under C is answered any more */
	assert_int_equal(say(B, ANSWER, 20), OUTCOME_DROP);
}

/* The other conduit does not let an answer pass to which nobody asked anything. */
static void an_answer_to_nothing(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		enum end other = n == 0 ? B : A;

		restart();
		opener = n == 0 ? A : B;
		passes(opener, REQUEST, 5, n == 0 ? C : D);
		is_refused(opener, ANSWER, 5, R_MODBUS_RESPONSE);
		passes(other, ANSWER, 5, n == 0 ? C : D);
		is_refused(opener, ANSWER, 5, R_MODBUS_RESPONSE);
	}
}

/* Without a conduit of its own, an end that should answer asks in vain, and the record says why. */
static void without_the_other_conduit(void **state)
{
	(void)state;
	only_c = true;
	opener = A;
	passes(A, REQUEST, 5, C);
	is_refused(B, REQUEST, 5, R_ASKED_BACK);
	passes(B, ANSWER, 5, C);
	is_refused(A, ANSWER, 5, R_MODBUS_RESPONSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whoever_speaks_first, start, stop),
		cmocka_unit_test_setup_teardown(after_silence, start, stop),
		cmocka_unit_test_setup_teardown(over_a_restart, start, stop),
		cmocka_unit_test_setup_teardown(a_permit_ends, start, stop),
		cmocka_unit_test_setup_teardown(an_answer_to_nothing, start, stop),
		cmocka_unit_test_setup_teardown(without_the_other_conduit, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

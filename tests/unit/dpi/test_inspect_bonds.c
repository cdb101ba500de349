/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector with what Modbus does not have: PDUs whose end depends on an agreement, servers
 * that ask, and flows that another flow has opened. The test has its own enforcer: mark, length (of
 * the whole PDU, in units of 16 bytes once that was agreed), function (bit 7: an answer) and its
 * data. A datagram is a mark, a number and data.
 *
 * LINK: $(INSPECT_PARTS)
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include "dpi/inspect/companion.h"
#include "tests/unit/dpi/inspect_setup.h"

#define WIDE_MAX 16384u
#define MARK 0xd5
#define DATA_MARK 0xd6
#define ANSWER 0x80
#define READ 3
#define AGREE 5
#define OPEN 20 /* above TOY_READ_MAX: P_TOY_READS does not have it */
#define CLOSE 21
#define SILENT_MS 1000u
#define DATA_BYTES 5u
#define KEY_ONE_WAY 240 /* nothing comes back */
#define KEY_STAYS 241	/* keys from this one on outlive their session */

struct duo {
	bool wide, datagrams;
};

static void duo_begin(void *state, bool datagrams, uint16_t port)
{
	struct duo *s = state;

	(void)port;
	s->datagrams = datagrams;
}

static enum frame_result duo_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	const struct duo *s = state;
	uint8_t mark;
	uint16_t length;
	size_t whole;

	(void)dir;
	if (s->datagrams) {
		*ret_len = head.left;
		return head.left >= 2 && head.p[0] == DATA_MARK ? FRAME_WHOLE : FRAME_BAD;
	}
	if (!bytes_u8(&head, &mark))
		return FRAME_NEED_MORE;
	if (mark != MARK)
		return FRAME_BAD;
	if (!bytes_be16(&head, &length))
		return FRAME_NEED_MORE;
	whole = (size_t)length * (s->wide ? 16u : 1u);
	if (whole < 4 || whole > WIDE_MAX)
		return FRAME_BAD;
	if (head.left + 3 < whole)
		return FRAME_NEED_MORE;
	*ret_len = whole;
	return FRAME_WHOLE;
}

static void duo_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	const struct duo *s = state;
	uint8_t function, key;

	(void)dir;
	if (s->datagrams) {
		ret->bond = (struct bond){ .kind = BOND_USES, .id = { pdu.p[1] }, .bytes = { (uint32_t)pdu.left } };
		return;
	}
	bytes_skip(&pdu, 3);
	bytes_u8(&pdu, &function);
	ret->asks = !(function & ANSWER);
	ret->wrong = R_ALLOWED;
	ret->operations[ret->n++] = (struct operation){ .service = function, .space = SPACE_NONE };
	if (bytes_u8(&pdu, &key) && (function == OPEN || function == CLOSE))
		ret->bond = (struct bond){ .kind = function == OPEN ? BOND_ASKS : BOND_CLOSES, .key = key };
}

static void duo_asked(void *state, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	struct duo *s = state;

	(void)p;
	(void)r;
	s->wide |= ret->function == AGREE;
}

/* Any answer fits. */
static void duo_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	uint8_t function, key, forth, back;

	(void)state;
	bytes_skip(&pdu, 3);
	bytes_u8(&pdu, &function);
	ret->function = function & 0x7fu;
	ret->allowed = true;
	ret->reason = R_ALLOWED;
	ret->conduit = by->table->grants[by->permit->first_grant].conduit;
	bytes_u8(&pdu, &key);
	bytes_u8(&pdu, &forth);
	if (bytes_u8(&pdu, &back) && function == (OPEN | ANSWER) && ret->bond != NULL)
		*ret->bond = (struct bond){ .kind = BOND_OPENS,
					    .key = key,
					    .stays = key >= KEY_STAYS,
					    .sends = { true, key != KEY_ONE_WAY },
					    .id = { forth, back },
					    .bytes = { DATA_BYTES, DATA_BYTES + 1 },
					    .silent_ms = SILENT_MS };
}

static size_t duo_used(const void *state)
{
	(void)state;
	return sizeof(struct duo);
}

static const struct enforcer duo = { .protocol = PROTO_MODBUS,
				     .pdu_max = WIDE_MAX,
				     .state_size = sizeof(struct duo),
				     .datagrams = 1,
				     .begin = duo_begin,
				     .state_used = duo_used,
				     .frame = duo_frame,
				     .malformed = R_MODBUS_FRAME,
				     .pending = R_MODBUS_PENDING,
				     .parse = duo_parse,
				     .asked = duo_asked,
				     .answered = duo_answered };

static int with_duo(void **state)
{
	desk_enforcer = &duo;
	return setup(state);
}

static int without_duo(void **state)
{
	desk_enforcer = &toy;
	return teardown(state);
}

/* ---- what a session says ---- */

static unsigned say(struct conn *k, enum direction dir, uint8_t function, uint8_t key, uint8_t forth, uint8_t back)
{
	uint8_t pdu[] = { MARK, 0, 7, function, key, forth, back };

	return desk_send(k, dir, pdu, sizeof(pdu));
}

static void open_one(struct conn *k, uint8_t key, uint8_t forth, uint8_t back)
{
	assert_int_equal(say(k, DIR_C2S, OPEN, key, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(say(k, DIR_S2C, OPEN | ANSWER, key, forth, back), OUTCOME_ACCEPT);
}

static unsigned data(const struct conn *k, enum direction dir, uint8_t id)
{
	uint8_t b[] = { DATA_MARK, id, 1, 2, 3 };

	return desk_datagram(k, dir, b, sizeof(b));
}

static struct conn session(uint32_t permit, uint8_t host)
{
	struct conn k = desk_conn(permit);

	k.host = host;
	desk_handshake(&k);
	return k;
}

/* A flow of datagrams between the hosts of the session. */
static struct conn beside(const struct conn *k)
{
	struct conn d = desk_conn(k->permit);

	d.host = k->host;
	d.family = k->family;
	return d;
}

/* ---- the end of a PDU ---- */

static uint8_t big[WIDE_MAX + 64];

static size_t wide_pdu(size_t units, uint8_t function)
{
	memset(big, 0x11, sizeof(big));
	big[0] = MARK;
	put16(big + 1, (uint32_t)units);
	big[3] = function;
	return units * 16;
}

static unsigned in_pieces(struct conn *k, size_t n, size_t piece)
{
	unsigned o = OUTCOME_ACCEPT;

	for (size_t at = 0; at < n && o == OUTCOME_ACCEPT; at += piece)
		o = desk_send(k, DIR_C2S, big + at, n - at < piece ? n - at : piece);
	return o;
}

static void ends_as_agreed(void **state)
{
	static const size_t pieces[] = { 1, 5, 16, 1460, 9000, WIDE_MAX };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct conn k = session(P_TOY_READS, 0);

		assert_int_equal(say(&k, DIR_C2S, AGREE, 0, 0, 0), OUTCOME_ACCEPT);
		/* The longest PDU is accepted in pieces of any size; a forbidden one does not
		 * arrive whole. */
		assert_int_equal(in_pieces(&k, wide_pdu(WIDE_MAX / 16, READ), pieces[i]), OUTCOME_ACCEPT);
		desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		assert_int_equal(in_pieces(&k, wide_pdu(3, READ), pieces[i]), OUTCOME_ACCEPT);
		assert_int_equal(in_pieces(&k, wide_pdu(WIDE_MAX / 16, OPEN), pieces[i]), OUTCOME_DROP);
		k = session(P_TOY, 0);
		say(&k, DIR_C2S, AGREE, 0, 0, 0);
		assert_int_equal(in_pieces(&k, wide_pdu(WIDE_MAX / 16 + 1, READ), pieces[i]), OUTCOME_DROP);
	}
	assert_int_equal(stats().pool_used > stats().pool_bytes, 0);
}

/* A PDU that is judged again after a change of policy ends where it ended before. */
static void judged_again_as_agreed(void **state)
{
	(void)state;
	for (unsigned narrow = 0; narrow < 2; narrow++) {
		struct conn k = session(P_TOY, 0);

		say(&k, DIR_C2S, AGREE, 0, 0, 0);
		desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		assert_int_equal(in_pieces(&k, wide_pdu(8, narrow ? OPEN : READ), 100), OUTCOME_ACCEPT);
		k.permit = P_TOY_READS; /* nothing of the PDU is acknowledged */
		assert_int_equal(in_pieces(&k, wide_pdu(8, READ), 100), narrow ? OUTCOME_DROP : OUTCOME_ACCEPT);
	}
}

/* ---- who asks ---- */

static void the_server_asks(void **state)
{
	struct conn k = session(P_TOY, 0), seen = session(P_TOY_OBSERVE, 0);

	(void)state;
	assert_int_equal(say(&k, DIR_C2S, READ, 0, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, READ | ANSWER, 0, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, READ, 0, 0, 0), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_ASKED_BACK), 1);
	assert_true(desk.n_resets > 0);
	assert_int_equal(say(&seen, DIR_S2C, READ, 0, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(desk_count(EVENT_PDU, R_ASKED_BACK), 2);
}

/* ---- what another flow opened ---- */

static void only_what_was_opened(void **state)
{
	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		struct conn k = desk_conn(P_TOY), d, stranger;

		k.family = (uint8_t)family;
		desk_handshake(&k);
		d = beside(&k);
		stranger = beside(&k);
		stranger.host = 1;
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
		assert_int_equal(say(&k, DIR_C2S, OPEN, 1, 0, 0), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP); /* nobody agreed yet */
		assert_int_equal(say(&k, DIR_S2C, OPEN | ANSWER, 1, 7, 9), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_S2C, 7), OUTCOME_DROP); /* the other direction's */
		assert_int_equal(data(&d, DIR_C2S, 9), OUTCOME_DROP);
		assert_int_equal(data(&d, DIR_C2S, 8), OUTCOME_DROP);
		if (family == 4) /* the desk has only one client with IPv6 */
			assert_int_equal(data(&stranger, DIR_C2S, 7), OUTCOME_DROP);
		assert_int_equal(desk_datagram(&d, DIR_C2S, "x", 1), OUTCOME_DROP);
		/* closing another flow changes nothing */
		assert_int_equal(say(&k, DIR_C2S, CLOSE, 2, 0, 0), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
		assert_int_equal(say(&k, DIR_C2S, CLOSE, 1, 0, 0), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
		assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_DROP);
		/* An answer without a request opens nothing. */
		assert_int_equal(say(&k, DIR_S2C, OPEN | ANSWER, 3, 7, 9), OUTCOME_ACCEPT);
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
	}
	assert_int_equal(desk_count(EVENT_PDU, R_NOT_OPENED), 9 + 8);
	assert_int_equal(desk_count(EVENT_DROP, R_MODBUS_FRAME), 2);
}

static void opened_anew(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k);

	(void)state;
	open_one(&k, 1, 7, 9);
	/* A second request to open: the old flow stays open until the answer states the new one. */
	assert_int_equal(say(&k, DIR_C2S, OPEN, 1, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, OPEN | ANSWER, 1, 17, 19), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
	assert_int_equal(data(&d, DIR_C2S, 17), OUTCOME_ACCEPT);
}

static void narrowed(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k);

	(void)state;
	open_one(&k, 1, 7, 9);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	/* P_TOY_READS does not allow opening, so the datagrams are not allowed either */
	d.permit = P_TOY_READS;
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
	assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_MODBUS_FUNCTION), 2);
	assert_int_equal(desk.events[desk.n_events - 1].function, OPEN);
	d.permit = P_TOY;
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	/* A session that may not open the flow does not open it, whatever the answer says. */
	k = session(P_TOY_READS, 0);
	assert_int_equal(say(&k, DIR_C2S, OPEN, 2, 0, 0), OUTCOME_DROP);
	assert_int_equal(say(&k, DIR_S2C, OPEN | ANSWER, 2, 27, 29), OUTCOME_DROP);
	assert_int_equal(data(&d, DIR_C2S, 27), OUTCOME_DROP);
}

static void nobody_uses_it(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k);

	(void)state;
	open_one(&k, 1, 7, 9);
	for (unsigned i = 0; i < 10; i++) { /* one direction keeps it */
		desk_now += SILENT_MS * 900000ull;
		assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_ACCEPT);
	}
	desk_now += SILENT_MS * 1000000ull;
	assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_DROP);
	open_one(&k, 1, 7, 9);
	assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_ACCEPT);
	/* The answer comes after the inspector has stopped waiting for it. */
	assert_int_equal(say(&k, DIR_C2S, OPEN, 2, 0, 0), OUTCOME_ACCEPT);
	desk_now += COMPANION_ASKED_NS;
	assert_int_equal(say(&k, DIR_S2C, OPEN | ANSWER, 2, 27, 29), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_C2S, 27), OUTCOME_DROP);
}

/* The session that opened the flow ends: by a RST, by both FINs, or cut by the policy. */
static void the_opener_ends(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 3; how++) {
		struct conn k = session(P_TOY, 0), d = beside(&k), again;

		open_one(&k, 1, 7, 9);
		desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		if (how == 0) {
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0);
		} else if (how == 1) {
			desk_segment(&k, DIR_C2S, k.c, k.s, DESK_FIN | DESK_ACK, NULL, 0);
			desk_segment(&k, DIR_S2C, k.s, k.c + 1, DESK_FIN | DESK_ACK, NULL, 0);
			desk_segment(&k, DIR_C2S, k.c + 1, k.s + 1, DESK_ACK, NULL, 0);
		} else {
			assert_int_equal(say(&k, DIR_S2C, READ, 0, 0, 0), OUTCOME_DROP);
		}
		for (uint64_t t = 0; t < COMPANION_LINGER_NS; t += SILENT_MS * 500000ull) {
			assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
			desk_now += SILENT_MS * 500000ull;
		}
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
		/* Another session opens the flow again; the end of the first session no longer
		 * matters. */
		again = session(P_TOY, 0);
		open_one(&again, 1, 7, 9);
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	}
}

static void the_worker_is_new(void **state)
{
	struct conn k = session(P_TOY_PICK_UP, 0), d = beside(&k);

	open_one(&k, 1, 7, 9);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	teardown(state);
	setup(state);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
	assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_DROP);
	open_one(&k, 2, 7, 9); /* the session is picked up, and opens the flow again */
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
}

/* Datagrams pass only in the directions that were opened, and up to the size that was agreed. */
static void so_much_and_no_more(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k);
	uint8_t b[DATA_BYTES + 3] = { DATA_MARK };

	(void)state;
	open_one(&k, KEY_ONE_WAY, 7, 9);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_DROP);
	open_one(&k, 1, 17, 19);
	for (size_t n = 2; n <= sizeof(b); n++) {
		b[1] = 17;
		assert_int_equal(desk_datagram(&d, DIR_C2S, b, n), n <= DATA_BYTES ? OUTCOME_ACCEPT : OUTCOME_DROP);
		b[1] = 19;
		assert_int_equal(desk_datagram(&d, DIR_S2C, b, n), n <= DATA_BYTES + 1 ? OUTCOME_ACCEPT : OUTCOME_DROP);
	}
}

/* A flow that outlives its session ends when nobody uses it, or when any session closes it. */
static void what_stays(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k), other;

	(void)state;
	open_one(&k, KEY_STAYS, 7, 9);
	open_one(&k, KEY_STAYS + 1, 17, 19);
	desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
	desk_segment(&k, DIR_C2S, k.c, k.s, DESK_RST | DESK_ACK, NULL, 0);
	for (uint64_t t = 0; t < 3 * COMPANION_LINGER_NS; t += SILENT_MS * 500000ull) {
		assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
		desk_now += SILENT_MS * 500000ull;
	}
	assert_int_equal(data(&d, DIR_C2S, 17), OUTCOME_DROP);
	other = session(P_TOY, 0);
	assert_int_equal(say(&other, DIR_C2S, CLOSE, KEY_STAYS, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
}

/* A server uses a number for only one flow: the earlier flow with this number is closed. */
static void one_number_one_thing(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k);

	(void)state;
	open_one(&k, 1, 7, 9);
	open_one(&k, 2, 7, 19);
	assert_int_equal(data(&d, DIR_S2C, 9), OUTCOME_DROP);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, CLOSE, 2, 0, 0), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_C2S, 7), OUTCOME_DROP);
}

/* One pair of hosts opens more flows than it may have, and other pairs more than there is room for.
 * A flow that is used stays open. */
static void crowds(void **state)
{
	struct conn k = session(P_TOY, 0), d = beside(&k), safe = session(P_TOY_SAFETY, 1), safe_data = beside(&safe);

	(void)state;
	open_one(&k, 200, 201, 202);
	open_one(&safe, 200, 201, 202);
	for (uint8_t i = 0; i < 100; i++) {
		open_one(&k, i, i, i);
		assert_int_equal(data(&d, DIR_C2S, 201), OUTCOME_ACCEPT);
		/* A request to open that is never answered is forgotten before any open flow. */
		assert_int_equal(say(&k, DIR_C2S, OPEN, 250, 0, 0), OUTCOME_ACCEPT);
		desk_now += 1000000u;
		desk_segment(&k, DIR_S2C, k.s, k.c, DESK_ACK, NULL, 0);
		desk_segment(&k, DIR_C2S, k.c, k.s, DESK_ACK, NULL, 0);
	}
	assert_int_equal(data(&d, DIR_C2S, 99), OUTCOME_ACCEPT);
	assert_int_equal(data(&d, DIR_C2S, 10), OUTCOME_DROP);
	for (uint8_t host = 2; host < 40; host++) {
		struct conn other = session(P_TOY, host);

		for (uint8_t i = 0; i < COMPANIONS_PAIR; i++)
			open_one(&other, i, i, i);
		desk_segment(&other, DIR_C2S, other.c, other.s, DESK_RST | DESK_ACK, NULL, 0);
		assert_int_equal(data(&d, DIR_C2S, 201), OUTCOME_ACCEPT);
	}
	assert_int_equal(data(&d, DIR_C2S, 99), OUTCOME_DROP); /* unused meanwhile */
	assert_int_equal(data(&safe_data, DIR_C2S, 201), OUTCOME_ACCEPT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, with_duo, without_duo)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ends_as_agreed),	 T(judged_again_as_agreed),
		T(the_server_asks),	 T(only_what_was_opened),
		T(opened_anew),		 T(narrowed),
		T(nobody_uses_it),	 T(the_opener_ends),
		T(the_worker_is_new),	 T(crowds),
		T(so_much_and_no_more),	 T(what_stays),
		T(one_number_one_thing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

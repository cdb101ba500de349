/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How EtherNet/IP messages are cut: what a server could read after it has lost its place in the
 * stream.
 * LINK: $(COMMANDS_PARTS) dpi/enip/%.c appliance/wire/tag.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include "tests/unit/dpi/enip_desk.h"

#define VALUES 40u /* number of bytes in front of a message inside another one */

static struct desk d;

static void reads_only(void)
{
	struct command_row *row = desk_row(&d);

	row->targets[0] = (struct number_set){ .any = true };
	row->services = wide(&d, 0x0e, 0x0e);
}

static const struct note *read_one(void)
{
	static struct note w;

	w = object_note(0x0e, 1, 1, 7, &NOTHING);
	return &w;
}

/* Whether the first n bytes of these messages may pass, when `carried` of them came before. */
static bool comes_at(uint64_t offset, const struct note *w, size_t carried, size_t n)
{
	struct pdu ret = { 0 };
	bool fine = enip_enforcer.segment(d.state, offset, carried, false, bytes_of(w->b, n), desk_by(&d), &ret);

	assert_int_equal(ret.reason, fine ? 0 : R_ENIP_CUT);
	return fine;
}

static bool comes(const struct note *w, size_t carried, size_t n)
{
	return comes_at(0, w, carried, n);
}

static bool goes_again(const struct note *w, size_t carried)
{
	struct pdu ret = { 0 };
	bool fine = enip_enforcer.repeat(d.state, 0, carried, w->n - carried, false, bytes_of(w->b, w->n), desk_by(&d),
					 &ret);

	assert_int_equal(ret.reason, fine ? 0 : R_ENIP_CUT);
	return fine;
}

/* A server that does not check how many of the four bytes of a length it got reads on in the middle
 * of the message. */
static void not_in_its_length(void **unused)
{
	const struct note message = request_note(1, read_one());

	(void)unused;
	for (unsigned whole = 0; whole < 2; whole++) {
		if (whole)
			desk_whole(&d);
		else
			reads_only();
		for (size_t carried = 0; carried < message.n; carried++) {
			bool fine = whole || carried == 0 || carried > 3;

			assert_true(begin_session(&d));
			assert_int_equal(comes(&message, carried, message.n), fine);
			assert_int_equal(goes_again(&message, carried), fine);
		}
	}
}

/* A message without an effect that contains these bytes. */
static struct note holding(const struct note *inner)
{
	struct note data = { .n = 0 };

	for (size_t i = 0; i < VALUES / 8u; i++)
		put(&data, 0, 8);
	put_bytes(&data, inner->b, inner->n);
	for (size_t i = 0; i < VALUES / 8u; i++)
		put(&data, 0, 8);
	return encap_note(ENCAP_NOP, HANDLE, 0, &data);
}

/* A server that gives up a message whose rest it waits for reads the next bytes as the beginning of
 * a message. */
static void no_request_within_one_in_pieces(void **unused)
{
	const struct note inner = request_note(1, read_one()), unit = unit_note(0x107, 1, read_one());
	const struct note all[] = { holding(&inner), holding(&unit) };
	/* so many bytes contain the whole header */
	const size_t seen = ENCAP_HEADER + VALUES + ENCAP_HEADER;

	(void)unused;
	reads_only();
	for (size_t k = 0; k < 2; k++) {
		assert_true(begin_session(&d));
		assert_true(comes(&all[k], 0, all[k].n));
		for (size_t carried = 4; carried < all[k].n; carried++) {
			assert_true(begin_session(&d));
			assert_false(comes(&all[k], carried, all[k].n));
			assert_true(begin_session(&d));
			assert_false(goes_again(&all[k], carried));
		}
		/* Byte by byte: refused as soon as the header is complete. */
		assert_true(begin_session(&d));
		for (size_t n = 5; n < seen; n++)
			assert_true(comes(&all[k], n - 1, n));
		assert_false(comes(&all[k], seen - 1, seen));
	}
	desk_whole(&d);
	assert_true(begin_session(&d));
	assert_true(comes(&all[0], 30, all[0].n));
}

/* A server that has given up a message goes on by the lengths that it finds in its rest, also
 * through messages that come whole. */
static void nor_behind_one(void **unused)
{
	const struct note plain = request_note(1, read_one()), inner = request_note(2, read_one());
	const struct note one = holding(&inner);
	struct note both = plain, two = plain;

	(void)unused;
	put_bytes(&both, one.b, one.n);
	put_bytes(&two, plain.b, plain.n);
	reads_only();
	assert_true(begin_session(&d));
	assert_true(comes(&both, 0, both.n));
	assert_true(comes(&plain, 30, plain.n));
	assert_true(comes(&plain, 0, plain.n));
	/* a message at the beginning of a message is not inside one */
	assert_true(comes(&two, 30, two.n));
	assert_false(comes(&one, 0, one.n));
	assert_true(begin_session(&d));
	assert_false(comes(&both, 30, both.n));
	assert_true(begin_session(&d));
	assert_false(goes_again(&both, 30));
	assert_true(begin_session(&d));
	assert_true(goes_again(&plain, 30));
	assert_false(comes(&one, 0, one.n));
	/* In a session met half-way nobody knows in which pieces the earlier messages came. */
	assert_true(begin_session(&d));
	pending_missed(&enip_enforcer, d.state, false);
	assert_false(comes(&one, 0, one.n));
}

/* A request that begins at the end of one message and goes on in the next one, which comes by
 * itself, does not pass either. */
static void nor_across_two(void **unused)
{
	const struct note plain = request_note(1, read_one()), inner = request_note(2, read_one()), empty = { .n = 0 };
	const struct note last = encap_note(ENCAP_NOP, 0, 0, &empty);

	(void)unused;
	for (size_t k = 1; k < ENCAP_HEADER; k++) {
		struct note data = { .n = 0 }, first, other;
		uint64_t at = 0xfffffff0u; /* the offsets in the stream wrap around */
		uint8_t state[sizeof(d.state)];

		put(&data, 0, 8);
		put_bytes(&data, inner.b, k);
		first = encap_note(ENCAP_NOP, HANDLE, 0, &data);
		other = first;
		other.b[other.n - k] ^= 1u;
		for (unsigned way = 0; way < 7; way++) {
			/* fewer bytes of a header do not show its length */
			bool request = way < 4 && k >= 3;

			reads_only();
			if (way == 3)
				desk_whole(&d);
			assert_true(begin_session(&d));
			if (way != 4)
				assert_true(comes_at(at - plain.n, &plain, 30, plain.n));
			assert_true(comes_at(at, way == 5 ? &other : &first, 0, first.n));
			if (way == 3) { /* the first message passed while everything was allowed */
				memcpy(state, d.state, sizeof(state));
				reads_only();
				memcpy(d.state, state, sizeof(state));
			}
			if (way == 1) { /* in pieces */
				assert_int_equal(comes_at(at + first.n, &last, 0, 10),
						 !request || k + 10 < ENCAP_HEADER);
				assert_int_equal(comes_at(at + first.n, &last, 10, last.n), !request);
			} else if (way == 2) { /* the message before it is repeated meanwhile */
				assert_true(comes_at(at, &first, 30, first.n));
				assert_int_equal(comes_at(at + first.n, &last, 0, last.n), !request);
			} else if (way == 6) { /* elsewhere in the stream */
				assert_true(comes_at(at + first.n + 1u, &last, 0, last.n));
			} else {
				assert_int_equal(comes_at(at + first.n, &last, 0, last.n), !request);
			}
		}
	}
}

/* Bytes that no server would execute may stand anywhere. */
static void other_bytes(void **unused)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} spoils[] = { { 0, 0x65 }, { 1, 1 }, { 2, 17 }, { 3, 0x7f }, { 20, 1 }, { 21, 1 }, { 22, 1 }, { 23, 1 } };

	(void)unused;
	reads_only();
	for (size_t k = 0; k < sizeof(spoils) / sizeof(spoils[0]); k++) {
		struct note inner = request_note(1, read_one()), w;

		inner.b[spoils[k].at] = spoils[k].byte;
		w = holding(&inner);
		assert_true(begin_session(&d));
		assert_true(comes(&w, 30, w.n));
	}
}

/* A server that takes what one read() returns as a message does not wait for the rest that its
 * header announces. */
static void headers_that_say_more(void **unused)
{
	const struct note messages[] = { request_note(1, read_one()), unit_note(7, 1, read_one()) };

	(void)unused;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		for (unsigned more = 1; more < 300; more++) {
			struct note m = messages[i];

			m.b[2] = (uint8_t)(m.n - ENCAP_HEADER + more);
			m.b[3] = (uint8_t)((m.n - ENCAP_HEADER + more) >> 8);
			reads_only();
			for (size_t n = 5; n <= m.n; n++) {
				struct pdu ret = { 0 };

				assert_true(begin_session(&d));
				assert_int_equal(enip_enforcer.segment(d.state, 0, 0, false, bytes_of(m.b, n),
								       desk_by(&d), &ret),
						 n < m.n);
				assert_int_equal(ret.reason, n < m.n ? 0 : R_ENIP_FRAME);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_in_its_length), cmocka_unit_test(no_request_within_one_in_pieces),
		cmocka_unit_test(nor_behind_one),    cmocka_unit_test(nor_across_two),
		cmocka_unit_test(other_bytes),	     cmocka_unit_test(headers_that_say_more),
	};

	return cmocka_run_group_tests_name("enip cuts", tests, NULL, NULL);
}

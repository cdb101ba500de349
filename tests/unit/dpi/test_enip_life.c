/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EtherNet/IP enforcer over a whole session: registering, connections, answers, open requests,
 * framing.
 * LINK: $(COMMANDS_PARTS) dpi/enip/%.c appliance/wire/tag.c
 * LIBS: nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <time.h>

#include "appliance/wire/once.h"
#include "dpi/enip/enip.h"
#include "tests/unit/dpi/enip_desk.h"

static struct desk d;

static struct command_row *reads_only(void)
{
	struct command_row *row = desk_row(&d);

	row->targets[0] = (struct number_set){ .any = true };
	row->services = wide(&d, 0x0e, 0x0e);
	return row;
}

static const struct note *read_one(void)
{
	static struct note w;

	w = object_note(0x0e, 1, 1, 7, &NOTHING);
	return &w;
}

static const struct note *slot0(void)
{
	static struct note w;

	w = NOTE(1, 0, 0x20, 2, 0x24, 1);
	return &w;
}

static enum reason asks(struct note w)
{
	return says(&d, DIR_C2S, w)->reason;
}

static enum reason answers(struct note w)
{
	return says(&d, DIR_S2C, w)->reason;
}

static void a_whole_life_by_a_row_of_reads(void **unused)
{
	struct note answer = reply_note(0x0e, 0, &(struct note){ .b = { 1, 2 }, .n = 2 }),
		    close = close_note(3, slot0()), closed;

	(void)unused;
	reads_only();
	assert_true(begin_session(&d));
	assert_int_equal(asks(request_note(1, read_one())), R_ALLOWED);
	assert_int_equal(answers(request_note(1, &answer)), R_ALLOWED);
	assert_true(begin_connection(&d, 3, slot0()));
	assert_int_equal(asks(unit_note(0x103, 1, read_one())), R_ALLOWED);
	/* the target is the one to which the connection leads */
	assert_int_equal(d.p.targets[0], 0x100);
	assert_int_equal(answers(unit_note(0x203, 1, &answer)), R_ALLOWED);
	assert_int_equal(asks(encap_note(ENCAP_NOP, 0, 0, &answer)), R_ALLOWED);
	assert_int_equal(asks(request_note(2, &close)), R_ALLOWED);
	closed = NOTE(3, 0, 0x4d, 0, 0xf3, 0x2b, 0x95, 0x32, 0, 0);
	closed = reply_note(0x4e, 0, &closed);
	assert_int_equal(answers(request_note(2, &closed)), R_ALLOWED);
	assert_int_equal(asks(unit_note(0x103, 2, read_one())), R_ENIP_CONNECTION);
	assert_int_equal(asks(encap_note(ENCAP_LIST_IDENTITY, 0, 0, &NOTHING)), R_ENIP_FUNCTION);
	assert_int_equal(asks(encap_note(ENCAP_UNREGISTER, HANDLE, 0, &NOTHING)), R_ALLOWED);
	assert_int_equal(asks(request_note(3, read_one())), R_ENIP_SESSION);
}

static void no_row_no_session(void **unused)
{
	(void)unused;
	reads_only();
	d.grants[0].protocol = PROTO_MODBUS;
	assert_false(begin_session(&d));
	assert_int_equal(d.p.reason, R_ENIP_FUNCTION);
}

static void sessions(void **unused)
{
	struct note version = NOTE(1, 0, 0, 0), refused;

	(void)unused;
	desk_whole(&d);
	desk_reset(&d);
	assert_int_equal(asks(request_note(1, read_one())), R_ENIP_SESSION);
	assert_int_equal(asks(encap_note(ENCAP_UNREGISTER, HANDLE, 0, &NOTHING)), R_ENIP_SESSION);
	desk_reset(&d);
	assert_int_equal(asks(encap_note(ENCAP_REGISTER, 5, 7, &version)), R_ENIP_FRAME);
	for (unsigned k = 0; k < 4; k++)
		for (unsigned v = 0; v < 256; v++) {
			struct note other = NOTE(1, 0, 0, 0);

			other.b[k] = (uint8_t)v;
			desk_reset(&d);
			assert_int_equal(asks(encap_note(ENCAP_REGISTER, 0, 7, &other)),
					 v == (k == 0) ? R_ALLOWED : R_ENIP_FRAME);
		}
	/* The server refuses the session: there is no session. */
	desk_reset(&d);
	assert_int_equal(asks(encap_note(ENCAP_REGISTER, 0, 7, &version)), R_ALLOWED);
	/* the server has not answered yet */
	assert_int_equal(asks(request_note(1, read_one())), R_ENIP_SESSION);
	refused = encap_note(ENCAP_REGISTER, 0, 7, &NOTHING);
	refused.b[8] = 1;
	assert_int_equal(answers(refused), R_ALLOWED);
	assert_int_equal(asks(request_note(2, read_one())), R_ENIP_SESSION);
	/* The number of another session; a second session beside the first. */
	assert_true(begin_session(&d));
	for (unsigned bit = 0; bit < 32; bit++) {
		struct note w = request_note(1, read_one());

		w.b[4 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(asks(w), R_ENIP_SESSION);
	}
	assert_int_equal(asks(encap_note(ENCAP_REGISTER, 0, 8, &version)), R_ENIP_SESSION);
}

/* A NOP belongs to a session, and a file of zeros is a row of NOPs. Without a session, the first
 * NOP of a client passes. */
static void zeros_are_no_session(void **unused)
{
	const struct note nop = encap_note(ENCAP_NOP, 0, 0, &NOTHING);

	(void)unused;
	desk_whole(&d);
	desk_reset(&d);
	assert_int_equal(answers(nop), R_ENIP_SESSION);
	assert_int_equal(asks(nop), R_ALLOWED);
	assert_int_equal(asks(nop), R_ENIP_SESSION);
	assert_int_equal(answers(nop), R_ENIP_SESSION);
	assert_true(begin_session(&d));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(asks(nop), R_ALLOWED);
		assert_int_equal(answers(nop), R_ALLOWED);
	}
}

static void headers_and_items_are_exact(void **unused)
{
	const struct note good = request_note(1, read_one());
	struct note unit;

	(void)unused;
	desk_whole(&d);
	/* Changes status, options, interface, number of items, their types and lengths. */
	for (size_t at = 8; at < 40; at++) {
		bool free = (at >= 12 && at < 20) || at == 28 || at == 29; /* context, time */

		for (unsigned v = 0; v < 256; v++) {
			struct note w = good;

			if (w.b[at] == v)
				continue;
			w.b[at] = (uint8_t)v;
			assert_true(begin_session(&d));
			assert_int_equal(asks(w), free ? R_ALLOWED : R_ENIP_FRAME);
		}
	}
	/* Cut short or with bytes behind it, with the header's length adjusted: the items
	 * contradict the length. */
	for (size_t n = 24; n < good.n + 4; n++) {
		struct note w = good;

		w.n = n;
		w.b[2] = (uint8_t)(n - 24);
		assert_true(begin_session(&d));
		assert_int_equal(asks(w), n == good.n ? R_ALLOWED : R_ENIP_FRAME);
	}
	/* Items with addresses for I/O may follow, and have to be right. */
	for (unsigned type = 0x7fff; type < 0x8004; type++)
		for (unsigned n = 14; n < 19; n++) {
			struct note w = good;

			put(put(&w, type, 2), n, 2);
			for (unsigned i = 0; i < n; i++)
				put(&w, i == 1 ? 2 : 0, 1); /* the family */
			w.b[2] = (uint8_t)(w.n - 24);
			w.b[30] = 3;
			assert_true(begin_session(&d));
			assert_int_equal(asks(w),
					 (type == 0x8000 || type == 0x8001) && n == 16 ? R_ALLOWED : R_ENIP_FRAME);
		}
	unit = unit_note(0x103, 1, read_one());
	for (size_t at = 24; at < 44; at++) {
		bool free = at == 28 || at == 29, number = at >= 36 && at < 40;

		for (unsigned v = 0; v < 256; v++) {
			struct note w = unit;

			if (w.b[at] == v)
				continue;
			w.b[at] = (uint8_t)v;
			assert_true(begin_session(&d));
			assert_true(begin_connection(&d, 3, slot0()));
			assert_int_equal(asks(w), free ? R_ALLOWED : number ? R_ENIP_CONNECTION : R_ENIP_FRAME);
		}
	}
}

static void frames(void **unused)
{
	(void)unused;
	desk_whole(&d);
	for (unsigned command = 0; command < 512; command++)
		for (unsigned k = 0; k < 6; k++) {
			uint32_t length = (uint32_t[]){ 0, 1, 100, ENIP_PDU_MAX - 24, ENIP_PDU_MAX - 23, 65535 }[k];
			uint8_t *head = calloc(1, ENIP_PDU_MAX + 8);
			bool known = encap_command_known((uint16_t)command), fits = length <= ENIP_PDU_MAX - 24;

			assert_non_null(head);
			memcpy(head,
			       (uint8_t[]){ (uint8_t)command, (uint8_t)(command >> 8), (uint8_t)length,
					    (uint8_t)(length >> 8) },
			       4);
			for (size_t n = 0; n <= ENIP_PDU_MAX; n = n < 30		 ? n + 1
								  : n * 2 < ENIP_PDU_MAX ? n * 2
											 : n + ENIP_PDU_MAX / 4) {
				size_t ret = 0;
				enum frame_result r = enip_enforcer.frame(d.state, DIR_C2S, bytes_of(head, n), &ret);

				if (n >= 4 && (!known || !fits))
					assert_int_equal(r, FRAME_BAD);
				else if (n < 24 + length)
					assert_int_equal(r, n > 0 && !known && r == FRAME_BAD ? FRAME_BAD
											      : FRAME_NEED_MORE);
				else
					assert_true(r == FRAME_WHOLE && ret == 24 + length);
			}
			free(head);
		}
}

static void an_answer_fits_its_request(void **unused)
{
	const struct note answer = reply_note(0x0e, 0, &(struct note){ .b = { 1, 2 }, .n = 2 });
	const struct note failed = reply_note(0x0e, 5, &NOTHING), other = reply_note(0x10, 0, &NOTHING);
	struct note w, value = NOTE(1, 0), set = object_note(0x10, 1, 1, 7, &value);

	(void)unused;
	desk_whole(&d);
	assert_true(begin_session(&d));
	assert_int_equal(answers(request_note(1, &answer)), R_ENIP_RESPONSE); /* nobody asked */
	assert_int_equal(asks(request_note(1, read_one())), R_ALLOWED);
	assert_int_equal(answers(request_note(2, &answer)), R_ENIP_RESPONSE);
	assert_int_equal(answers(request_note(1, &other)), R_ENIP_RESPONSE);
	w = request_note(1, &answer);
	w.b[4] ^= 1; /* another session */
	assert_int_equal(answers(w), R_ENIP_FRAME);
	for (size_t n = 40; n < 48; n++) { /* the lengths of its items */
		w = request_note(1, &answer);
		w.b[38] = (uint8_t)(n - 40);
		if (n - 40 != answer.n)
			assert_int_equal(answers(w), R_ENIP_FRAME);
	}
	assert_int_equal(answers(request_note(1, &failed)), R_ALLOWED);
	assert_true(d.p.exception);
	assert_int_equal(answers(request_note(1, &failed)), R_ENIP_RESPONSE); /* once */
	/* The answer to a write that succeeded has no data. */
	assert_int_equal(asks(request_note(3, &set)), R_ALLOWED);
	w = reply_note(0x10, 0, &value);
	assert_int_equal(answers(request_note(3, &w)), R_ENIP_RESPONSE);
	assert_int_equal(answers(request_note(3, &other)), R_ALLOWED);
	/* The server could not read the request at all. */
	assert_int_equal(asks(request_note(4, &set)), R_ALLOWED);
	w = encap_note(ENCAP_REQUEST, HANDLE, 4, &NOTHING);
	w.b[8] = 3;
	assert_int_equal(answers(w), R_ALLOWED);
}

static void answers_over_connections(void **unused)
{
	const struct note answer = reply_note(0x0e, 0, &(struct note){ .b = { 1, 2 }, .n = 2 });
	struct note parts[3], replies[3], list = NOTE(1, 0, 1, 0), all, w;

	(void)unused;
	desk_whole(&d);
	assert_true(begin_session(&d));
	assert_true(begin_connection(&d, 3, slot0()));
	assert_true(begin_connection(&d, 4, slot0()));
	assert_int_equal(asks(unit_note(0x103, 9, read_one())), R_ALLOWED);
	assert_int_equal(answers(unit_note(0x203, 8, &answer)), R_ENIP_RESPONSE);
	assert_int_equal(answers(unit_note(0x204, 9, &answer)), R_ENIP_RESPONSE);
	assert_int_equal(answers(unit_note(0x103, 9, &answer)), R_ENIP_RESPONSE);
	assert_int_equal(answers(unit_note(0x203, 9, &answer)), R_ALLOWED);
	/* The answer has as many parts as were asked, of the same services and in the same
	 * order. */
	parts[0] = object_note(0x03, 1, 1, 0, &list);
	parts[1] = object_note(0x0e, 1, 1, 7, &NOTHING);
	parts[2] = object_note(0x03, 1, 1, 0, &list);
	replies[0] = replies[2] = reply_note(0x03, 0, &list);
	replies[1] = reply_note(0x0e, 5, &NOTHING);
	all = several_note(parts, 3);
	assert_int_equal(asks(unit_note(0x103, 10, &all)), R_ALLOWED);
	for (unsigned bad = 0; bad < 4; bad++) {
		struct note order[3] = { replies[0], replies[1], replies[2] }, data;

		if (bad == 1) {
			order[0] = replies[1];
			order[1] = replies[0];
		}
		data = several_note(order, bad == 2 ? 2 : 3);
		data.n -= bad == 0 ? list.n + 1 : 0; /* the last part is cut off */
		memmove(data.b, data.b + 6, data.n - 6);
		data.n -= 6;
		w = reply_note(0x0a, 0x1e, &data);
		assert_int_equal(answers(unit_note(0x203, 10, &w)), bad == 3 ? R_ALLOWED : R_ENIP_RESPONSE);
	}
}

/* The verdict on answers to a packet whose n parts read one value each, except the last one, which
 * reads `last`. */
static enum reason answers_to_parts(size_t n, uint16_t last, const struct note *answer, uint8_t status)
{
	static struct note parts[ENIP_PARTS_KEPT + 8];
	static uint16_t sequence;
	struct note one = NOTE(1, 0), many = NOTE((uint8_t)last, (uint8_t)(last >> 8)), data, w;

	for (size_t i = 0; i < n; i++)
		parts[i] = tag_note(0x4c, "T", i + 1 < n ? &one : &many);
	w = several_note(parts, n);
	assert_int_equal(asks(unit_note(0x103, ++sequence, &w)), R_ALLOWED);
	one = NOTE(0xc3, 0, 7, 0);
	for (size_t i = 0; i < n; i++)
		parts[i] = i + 1 < n ? reply_note(0x4c, 0, &one) : reply_note(0x4c, status, answer);
	data = several_note(parts, n);
	memmove(data.b, data.b + 6, data.n - 6);
	data.n -= 6;
	w = reply_note(0x0a, status == 0 ? 0 : 0x1e, &data);
	return answers(unit_note(0x203, sequence, &w));
}

/* Each part of a Multiple Service Packet is answered as it would be alone: by as many values as it
 * asked for, and no more. */
static void answers_to_each_part(void **unused)
{
	static const struct {
		uint16_t type, elements;
		size_t bytes;
		uint8_t status;
		bool fits;
	} all[] = {
		{ 0xc3, 3, 6, 0, true },   { 0xc3, 3, 8, 0, false },  { 0xc3, 3, 4, 0, false },
		{ 0xc3, 3, 7, 0, false },  { 0xc3, 3, 4, 6, true },   { 0xc3, 3, 8, 6, false },
		{ 0xc4, 1, 4, 0, true },   { 0xc4, 1, 8, 0, false },  { 0xc2, 1, 1, 0, true },
		{ 0xc2, 1, 2, 0, true },   { 0xc2, 2, 3, 0, false },  { 0xc2, 1, 3, 0, false },
		{ 0xc1, 1, 2, 0, true },   { 0xc1, 16, 2, 0, true },  { 0xc1, 17, 4, 0, true },
		{ 0xc1, 17, 2, 0, false }, { 0xc1, 16, 16, 0, true }, { 0xc1, 1, 3, 0, false },
		{ 0x2a0, 1, 90, 0, true }, { 0xc3, 3, 30, 5, true },  { 0xc3, 3, 40, 5, false },
	};
	const struct note nothing = { .n = 0 };

	(void)unused;
	desk_whole(&d);
	assert_true(begin_session(&d));
	assert_true(begin_connection(&d, 3, slot0()));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct note answer = NOTE((uint8_t)all[i].type, (uint8_t)(all[i].type >> 8));

		answer.n += all[i].bytes;
		if (answers_to_parts(3, all[i].elements, &answer, all[i].status) !=
		    (all[i].fits ? R_ALLOWED : R_ENIP_RESPONSE))
			fail_msg("%zu: %d", i, d.p.reason);
		if (!all[i].fits) { /* the request still waits: the right answer comes */
			assert_true(begin_session(&d));
			assert_true(begin_connection(&d, 3, slot0()));
		}
	}
	assert_int_equal(answers_to_parts(2, 1, &nothing, 5), R_ALLOWED);
	/* If a packet has more parts than are kept, no part may be answered with more than the
	 * longest part asked for. */
	for (size_t n = ENIP_PARTS_KEPT - 1; n < ENIP_PARTS_KEPT + 4; n++)
		for (unsigned more = 0; more < 2; more++) {
			struct note answer = NOTE(0xc3, 0);

			answer.n += 2 * (20 + more);
			assert_true(begin_session(&d));
			assert_true(begin_connection(&d, 3, slot0()));
			assert_int_equal(answers_to_parts(n, 20, &answer, 0), more ? R_ENIP_RESPONSE : R_ALLOWED);
		}
}

/* Several packets wait at the same time and are answered in any order: no answer is compared with
 * the parts of another packet. */
static void parts_of_several_packets(void **unused)
{
	(void)unused;
	desk_whole(&d);
	for (unsigned first = 0; first < 3; first++)
		for (unsigned bad = 0; bad < 2; bad++) {
			struct note one, data, part, w;

			assert_true(begin_session(&d));
			assert_true(begin_connection(&d, 3, slot0()));
			for (uint8_t k = 0; k < 3; k++) {
				one = NOTE((uint8_t)(k + 1), 0);
				part = tag_note(0x4c, "T", &one);
				w = several_note(&part, 1);
				assert_int_equal(asks(unit_note(0x103, k, &w)), R_ALLOWED);
			}
			for (unsigned i = 0; i < 3; i++) {
				uint8_t k = (uint8_t)((first + i) % 3);

				one = NOTE(0xc3, 0);
				one.n += 2u * (k + 1u) + (i == 2 ? 2 * bad : 0);
				part = reply_note(0x4c, 0, &one);
				data = several_note(&part, 1);
				memmove(data.b, data.b + 6, data.n - 6);
				data.n -= 6;
				w = reply_note(0x0a, 0, &data);
				assert_int_equal(answers(unit_note(0x203, k, &w)),
						 i == 2 && bad ? R_ENIP_RESPONSE : R_ALLOWED);
			}
		}
}

static void a_router_may_answer(void **unused)
{
	struct note sent = sent_on_note(read_one(), &(struct note){ .b = { 1, 2 }, .n = 2 });
	struct note left = NOTE(1), gone = reply_note(0xd2, 1, &left), fine = reply_note(0x52, 0, &left);

	(void)unused;
	desk_whole(&d);
	assert_true(begin_session(&d));
	assert_int_equal(asks(request_note(1, &sent)), R_ALLOWED);
	/* only the device at the end of the route may report success */
	assert_int_equal(answers(request_note(1, &fine)), R_ENIP_RESPONSE);
	assert_int_equal(answers(request_note(1, &gone)), R_ALLOWED);
	assert_int_equal(asks(request_note(2, read_one())), R_ALLOWED);
	assert_int_equal(answers(request_note(2, &gone)), R_ENIP_RESPONSE); /* not sent on */
}

static void connections(void **unused)
{
	struct note io = NOTE(0x20, 4, 0x24, 151, 0x2c, 150, 0x2c, 100), ask, answer, close,
		    far = NOTE(1, 0, 2, 5, 0x20, 2, 0x24, 1);
	struct command_row *row;

	(void)unused;
	desk_whole(&d);
	assert_true(begin_session(&d));
	/* The target refused; the answer belongs to another request; there was no answer. */
	ask = open_note(3, 0x203, 0xa3, 0x43f4, slot0());
	assert_int_equal(asks(request_note(1, &ask)), R_ALLOWED);
	answer = reply_note(0x54, 1, &NOTHING);
	assert_int_equal(answers(request_note(1, &answer)), R_ALLOWED);
	assert_int_equal(asks(unit_note(0x103, 1, read_one())), R_ENIP_CONNECTION);
	assert_true(begin_session(&d));
	assert_int_equal(asks(request_note(1, &ask)), R_ALLOWED);
	answer = opened_note(4, 0x103, 0x203);
	assert_int_equal(answers(request_note(1, &answer)), R_ENIP_RESPONSE);
	answer = opened_note(3, 0x103, 0x204);
	assert_int_equal(answers(request_note(1, &answer)), R_ENIP_RESPONSE);
	/* I/O data do not come with the numbers of requests. */
	assert_true(begin_session(&d));
	ask = open_note(5, 0x205, 1, 0x4806, &io);
	assert_int_equal(asks(request_note(1, &ask)), R_ALLOWED);
	answer = opened_note(5, 0x105, 0x205);
	assert_int_equal(answers(request_note(1, &answer)), R_ALLOWED);
	assert_int_equal(asks(unit_note(0x105, 1, read_one())), R_ENIP_CONNECTION);
	/* At most so many connections are kept; a repeated Forward Open takes the place of the
	 * first one. */
	assert_true(begin_session(&d));
	for (uint16_t k = 0; k < ENIP_CONNECTIONS_MAX; k++)
		assert_true(begin_connection(&d, k, slot0()));
	ask = open_note(99, 0x299, 0xa3, 0x43f4, slot0());
	assert_int_equal(asks(request_note(1, &ask)), R_ENIP_CONNECTIONS);
	/* A row that only allows reads does not allow closing another session's connection. */
	row = reads_only();
	assert_true(begin_session(&d));
	assert_true(begin_connection(&d, 3, slot0()));
	close = close_note(4, slot0());
	assert_int_equal(asks(request_note(1, &close)), R_ENIP_FUNCTION);
	/* A session may close its own connection, whatever objects the row names. */
	desk_space(&d, row, ENIP_OBJECTS, wide(&d, place(1, 1, 0), place(1, 1, 99)));
	assert_true(begin_session(&d));
	assert_true(begin_connection(&d, 3, slot0()));
	close = close_note(3, slot0());
	assert_int_equal(asks(request_note(1, &close)), R_ALLOWED);
	row->spaces_any = true;
	/* The row must allow the route of the connection, and of the requests that go over it. */
	row->targets[0] = wide(&d, 0x101, 0x101);
	assert_true(begin_session(&d));
	assert_false(begin_connection(&d, 3, slot0()));
	assert_int_equal(d.p.reason, R_ENIP_ROUTE);
	row->targets[0] = (struct number_set){ .any = true };
	assert_true(begin_session(&d));
	assert_false(begin_connection(&d, 3, &far));
	assert_int_equal(d.p.reason, R_ENIP_ROUTE);
	row->targets[0] = wide(&d, 0, 0xffff);
	assert_true(begin_session(&d));
	assert_false(begin_connection(&d, 3, &far));
	assert_int_equal(d.p.reason, R_ENIP_ROUTE);
	/* A connection to a neighbour, and from there one more hop: two hops. */
	ask = sent_on_note(read_one(), &(struct note){ .b = { 2, 7 }, .n = 2 });
	assert_true(begin_session(&d));
	assert_true(begin_connection(&d, 3, slot0()));
	assert_int_equal(asks(unit_note(0x103, 1, &ask)), R_ENIP_ROUTE);
}

/* The row is limited to slot 0. The policy only observes, so that both ends proceed. Then the row
 * is extended to slot 1. */
static void opened_while_observed(void **unused)
{
	struct note slot1 = NOTE(1, 1, 0x20, 2, 0x24, 1), ask, answer = opened_note(3, 0x103, 0x203), close;
	struct command_row *row;

	(void)unused;
	row = desk_row(&d);
	row->targets[0] = wide(&d, 0x100, 0x100);
	assert_true(begin_session(&d));
	assert_false(begin_connection(&d, 3, &slot1));
	assert_int_equal(d.p.reason, R_ENIP_ROUTE);
	assert_int_equal(answers(request_note(3, &answer)), R_ENIP_ROUTE);
	/* A request over this connection is refused because of its route, not because its number is
	 * unknown. */
	assert_int_equal(asks(unit_note(0x103, 1, read_one())), R_ENIP_ROUTE);
	row->targets[0] = wide(&d, 0x100, 0x101);
	assert_int_equal(asks(unit_note(0x103, 2, read_one())), R_ALLOWED);
	/* Closed while it was observed: the connection is gone. */
	row->targets[0] = wide(&d, 0x100, 0x100);
	close = close_note(3, &slot1);
	assert_int_equal(asks(request_note(9, &close)), R_ENIP_ROUTE);
	answer = reply_note(0x4e, 0, &(struct note){ .b = { 3, 0, 0x4d, 0, 0xf3, 0x2b, 0x95, 0x32, 0, 0 }, .n = 10 });
	assert_int_equal(answers(request_note(9, &answer)), R_ENIP_ROUTE);
	row->targets[0] = wide(&d, 0x100, 0x101);
	assert_int_equal(asks(unit_note(0x103, 3, read_one())), R_ENIP_CONNECTION);
	/* A Forward Open that cannot be read opens no connection here, whatever the server
	 * answers. */
	assert_true(begin_session(&d));
	ask = open_note(3, 0x203, 0xa3, 0x43f4, &slot1);
	put(&ask, 0, 1);
	assert_int_equal(asks(request_note(3, &ask)), R_ENIP_FRAME);
	answer = opened_note(3, 0x103, 0x203);
	assert_int_equal(answers(request_note(3, &answer)), R_ENIP_FRAME);
	assert_int_equal(asks(unit_note(0x103, 1, read_one())), R_ENIP_CONNECTION);
}

static void half_way(void **unused)
{
	const struct note answer = reply_note(0x0e, 0, &(struct note){ .b = { 1, 2 }, .n = 2 });
	const struct note wrote = reply_note(0x4d, 0, &NOTHING);
	struct note write = tag_note(0x4d, "T", &(struct note){ .b = { 0xc1, 0, 1, 0, 1 }, .n = 5 });
	struct command_row *row = reads_only();
	struct note close;

	(void)unused;
	desk_reset(&d);
	pending_missed(&enip_enforcer, d.state, false);
	assert_int_equal(answers(unit_note(0x203, 4, &answer)), R_ENIP_UNSEEN);
	assert_int_equal(answers(unit_note(0x203, 4, &wrote)), R_ENIP_FUNCTION);
	assert_int_equal(asks(unit_note(0x103, 5, read_one())), R_ALLOWED);
	assert_int_equal(asks(unit_note(0x103, 6, &write)), R_ENIP_FUNCTION);
	assert_int_equal(answers(unit_note(0x203, 5, &answer)), R_ALLOWED);
	/* The route of the connection is unknown, so a row that names routes does not allow it. */
	row->targets[0] = wide(&d, 0, 0xffff);
	assert_int_equal(asks(unit_note(0x103, 7, read_one())), R_ENIP_ROUTE);
	row->targets[0] = (struct number_set){ .any = true };
	/* Who opened the connection is unknown: it may belong to another session. A connection
	 * whose opening was seen belongs to this session, whatever was missed since. */
	close = close_note(4, slot0());
	assert_int_equal(asks(request_note(8, &close)), R_ENIP_FUNCTION);
	assert_true(begin_session(&d));
	assert_true(begin_connection(&d, 3, slot0()));
	pending_missed(&enip_enforcer, d.state, false);
	assert_int_equal(asks(request_note(8, &close)), R_ENIP_FUNCTION);
	close = close_note(3, slot0());
	assert_int_equal(asks(request_note(9, &close)), R_ALLOWED);
	desk_reset(&d);
	pending_missed(&enip_enforcer, d.state, true);
	assert_int_equal(answers(unit_note(0x203, 4, &answer)), R_ENIP_UNREAD);
}

static void so_many_open(void **unused)
{
	const struct note answer = reply_note(0x0e, 0, &(struct note){ .b = { 1, 2 }, .n = 2 });

	(void)unused;
	desk_whole(&d);
	assert_true(begin_session(&d));
	for (unsigned k = 0; k < ENIP_OPEN_MAX; k++)
		assert_int_equal(asks(request_note(k, read_one())), R_ALLOWED);
	assert_int_equal(asks(request_note(99, read_one())), R_ENIP_PENDING);
	assert_int_equal(answers(request_note(5, &answer)), R_ALLOWED);
	for (unsigned k = 20; k < 26; k++) /* the requests before them were forgotten */
		assert_int_equal(asks(request_note(k, read_one())), R_ALLOWED);
	assert_int_equal(asks(request_note(26, read_one())), R_ENIP_PENDING);
}

static void datagrams_list(void **unused)
{
	struct note list = NOTE(1, 0, 12, 0, 2, 0, 7, 7);

	(void)unused;
	desk_whole(&d);
	for (unsigned command = 0; command < 256; command++) {
		bool lists = command == 4 || command == 0x63 || command == 0x64;
		struct note w = encap_note((uint16_t)command, 0, 1, &NOTHING);

		desk_reset(&d);
		enip_enforcer.begin(d.state, true, 44818);
		if (!encap_command_known((uint16_t)command))
			continue;
		assert_int_equal(says(&d, DIR_C2S, w)->allowed, lists);
		w = encap_note((uint16_t)command, 0, 1, &list);
		if (lists)
			assert_int_equal(answers(w), R_ALLOWED);
	}
	desk_reset(&d);
	enip_enforcer.begin(d.state, true, 44818);
	pending_missed(&enip_enforcer, d.state, false);
	assert_int_equal(asks(request_note(1, read_one())), R_ENIP_SESSION);
}

/* A worker that begins with what another one kept. */
static bool change_worker(void)
{
	uint8_t kept[ONCE_KEPT];
	struct outbuf o = outbuf_of(kept, sizeof(kept));

	if (!enip_enforcer.keep(d.state, &o) || o.failed)
		return false;
	desk_reset(&d);
	enip_enforcer.begin(d.state, false, 44818);
	return enip_enforcer.again(d.state, bytes_of(kept, o.len));
}

static void another_worker(void **unused)
{
	struct note answer = reply_note(0x0e, 0, &(struct note){ .b = { 1, 2 }, .n = 2 }), nop = NOTE(1),
		    close = close_note(3, slot0()), other = close_note(9, slot0()), foreign;

	(void)unused;
	reads_only();
	assert_true(begin_session(&d) && begin_connection(&d, 3, slot0()));
	assert_true(change_worker());
	/* the new worker knows the session, the connection and the target of the connection */
	foreign = request_note(1, read_one());
	foreign.b[4] ^= 1;
	assert_int_equal(asks(foreign), R_ENIP_SESSION);
	assert_true(begin_session(&d) && begin_connection(&d, 3, slot0()) && change_worker());
	assert_int_equal(asks(unit_note(0x104, 1, read_one())), R_ENIP_CONNECTION);
	assert_true(begin_session(&d) && begin_connection(&d, 3, slot0()) && change_worker());
	assert_int_equal(asks(unit_note(0x103, 1, read_one())), R_ALLOWED);
	assert_int_equal(d.p.targets[0], 0x100);
	assert_false(change_worker()); /* a request waits */
	assert_int_equal(answers(unit_note(0x204, 1, &answer)), R_ENIP_RESPONSE);
	assert_int_equal(answers(unit_note(0x203, 1, &answer)), R_ALLOWED);
	assert_true(change_worker());
	/* closing its own connection is part of the session for the new worker, too; closing
	 * another's is a command */
	assert_int_equal(asks(request_note(2, &close)), R_ALLOWED);
	assert_true(begin_session(&d) && change_worker());
	assert_int_equal(asks(request_note(2, &other)), R_ENIP_FUNCTION);
	/* all connections that a session may have are kept; a NOP keeps the worker from taking
	 * over */
	assert_true(begin_session(&d));
	for (uint16_t n = 1; n <= ENIP_CONNECTIONS_MAX; n++)
		assert_true(begin_connection(&d, n, slot0()));
	assert_true(change_worker());
	for (uint16_t n = 1; n <= ENIP_CONNECTIONS_MAX; n++) {
		assert_int_equal(asks(unit_note(0x100u + n, 1, read_one())), R_ALLOWED);
		assert_int_equal(answers(unit_note(0x200u + n, 1, &answer)), R_ALLOWED);
	}
	assert_int_equal(asks(encap_note(ENCAP_NOP, 0, 0, &nop)), R_ALLOWED);
	assert_false(change_worker());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_life_by_a_row_of_reads),
		cmocka_unit_test(no_row_no_session),
		cmocka_unit_test(sessions),
		cmocka_unit_test(zeros_are_no_session),
		cmocka_unit_test(headers_and_items_are_exact),
		cmocka_unit_test(frames),
		cmocka_unit_test(an_answer_fits_its_request),
		cmocka_unit_test(answers_over_connections),
		cmocka_unit_test(answers_to_each_part),
		cmocka_unit_test(parts_of_several_packets),
		cmocka_unit_test(a_router_may_answer),
		cmocka_unit_test(connections),
		cmocka_unit_test(opened_while_observed),
		cmocka_unit_test(half_way),
		cmocka_unit_test(so_many_open),
		cmocka_unit_test(datagrams_list),
		cmocka_unit_test(another_worker),
	};

	return cmocka_run_group_tests_name("enip life", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event codec and the counting of lost records.
 * LINK: appliance/wire/event.c appliance/wire/protocols.c
 * LINK: appliance/base/bytes.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

static struct event sample(void)
{
	struct event e;

	memset(&e, 0, sizeof(e));
	e.wall_ns = 0x0102030405060708u;
	e.kind = EVENT_PDU;
	e.verdict = EV_DENY;
	e.reason = R_MODBUS_ADDRESS;
	e.permit = 0x3ffffe;
	e.conduit = 7;
	e.line = 120;
	e.client = (struct addr){ .family = 6, .b = { 0x20, 1, 0xd, 0xb8, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 } };
	e.server = (struct addr){ .family = 4, .b = { 10, 30, 1, 10 } };
	e.client_port = 40000;
	e.server_port = 502;
	e.l4proto = 6;
	e.s2c = 1;
	e.protocol = PROTO_MODBUS;
	e.iif = 3;
	e.targets[0] = 1;
	e.function = 6;
	e.space = 3;
	e.code = 2;
	e.address = 65535;
	e.quantity = 125;
	e.count = UINT64_MAX;
	e.value = 1ull << 40;
	e.limit =
		(struct limit){ .what = LIMIT_VALUE, .n = 3, .at = 400, .wrote = 9, .allowed = { { 0, 1 }, { 7, 8 } } };
	e.generation = (struct event_generation){ 12, 0x1122334455667788u };
	event_say(&e, EVENT_BEFORE, "drop");
	event_say(&e, EVENT_BY, "nft");
	return e;
}

static bool decodes(const uint8_t *wire, size_t n, struct event *ret)
{
	return event_decode(bytes_of(wire, n), ret);
}

static void round_trip(void **state)
{
	struct event e = sample(), back;
	uint8_t wire[EVENT_WIRE_MAX], again[EVENT_WIRE_MAX];
	size_t n;

	(void)state;
	n = event_encode(&e, wire);
	assert_true(decodes(wire, n, &back));
	assert_int_equal(event_encode(&back, again), n);
	assert_memory_equal(wire, again, n);
	assert_int_equal(back.wall_ns, e.wall_ns);
	assert_int_equal(back.kind, e.kind);
	assert_int_equal(back.verdict, e.verdict);
	assert_int_equal(back.reason, e.reason);
	assert_int_equal(back.permit, e.permit);
	assert_int_equal(back.conduit, e.conduit);
	assert_int_equal(back.line, e.line);
	assert_memory_equal(&back.client, &e.client, sizeof(e.client));
	assert_memory_equal(&back.server, &e.server, sizeof(e.server));
	assert_int_equal(back.client_port, 40000);
	assert_int_equal(back.server_port, 502);
	assert_int_equal(back.l4proto, 6);
	assert_int_equal(back.s2c, 1);
	assert_int_equal(back.protocol, PROTO_MODBUS);
	assert_int_equal(back.iif, 3);
	assert_int_equal(back.targets[0], 1);
	assert_int_equal(back.function, 6);
	assert_int_equal(back.space, 3);
	assert_int_equal(back.code, 2);
	assert_int_equal(back.address, 65535);
	assert_int_equal(back.quantity, 125);
	assert_int_equal(back.count, UINT64_MAX);
	assert_int_equal(back.value, 1ull << 40);
	assert_memory_equal(&back.limit, &e.limit, sizeof(e.limit));
	assert_int_equal(back.generation.number, 12);
	assert_int_equal(back.generation.digest, 0x1122334455667788u);
	assert_string_equal(back.text[EVENT_BEFORE], "drop");
	assert_string_equal(back.text[EVENT_AFTER], "");
	assert_string_equal(back.text[EVENT_BY], "nft");
}

static void wrong_lengths(void **state)
{
	struct event e = sample(), back;
	uint8_t wire[EVENT_WIRE_MAX + 1] = { 0 };
	size_t full = event_encode(&e, wire);

	(void)state;
	for (size_t n = 0; n <= sizeof(wire); n++)
		assert_int_equal(decodes(wire, n, &back), n == full || n == EVENT_WIRE);
	/* Four empty texts are the same as no texts, which have another encoding. */
	memset(wire + EVENT_WIRE, 0, sizeof(wire) - EVENT_WIRE);
	assert_false(decodes(wire, EVENT_WIRE + EVENT_TEXTS, &back));
}

/* A text that is too long ends between two characters. */
static void long_texts_are_cut(void **state)
{
	struct event e = sample(), back;
	uint8_t wire[EVENT_WIRE_MAX];
	char text[3 * EVENT_TEXT + 1];

	(void)state;
	for (size_t i = 0; i < EVENT_TEXT; i++)
		memcpy(text + 3 * i, "関", 4);
	event_say(&e, EVENT_OBJECT, text);
	assert_true(decodes(wire, event_encode(&e, wire), &back));
	assert_int_equal(strlen(back.text[EVENT_OBJECT]), 198);
	assert_memory_equal(back.text[EVENT_OBJECT], text, 198);
}

/* Any byte is changed: the record is refused, or these bytes are the only encoding of what was
 * read. */
static void one_encoding(void **state)
{
	struct event e = sample(), back;
	uint8_t wire[EVENT_WIRE_MAX], again[EVENT_WIRE_MAX];
	size_t n;

	(void)state;
	n = event_encode(&e, wire);
	for (size_t i = 0; i < n; i++)
		for (unsigned v = 0; v < 256; v++) {
			uint8_t was = wire[i];

			wire[i] = (uint8_t)v;
			if (decodes(wire, n, &back)) {
				assert_int_equal(event_encode(&back, again), n);
				assert_memory_equal(wire, again, n);
			}
			wire[i] = was;
		}
}

static void out_of_range(void **state)
{
	struct event e = sample(), back;
	uint8_t wire[EVENT_WIRE_MAX];

	(void)state;
	e.kind = EVENT_NONE;
	assert_false(decodes(wire, event_encode(&e, wire), &back));
	e = sample();
	e.kind = EVENT_KIND_COUNT;
	assert_false(decodes(wire, event_encode(&e, wire), &back));
	e = sample();
	e.verdict = EV_OBSERVE + 1;
	assert_false(decodes(wire, event_encode(&e, wire), &back));
	e = sample();
	e.limit.what = LIMIT_WHAT_COUNT;
	event_encode(&e, wire);
	assert_false(decodes(wire, sizeof(wire), &back));
	e = sample();
	e.reason = REASON_COUNT;
	assert_false(decodes(wire, event_encode(&e, wire), &back));
	e = sample();
	e.client.family = 5;
	assert_false(decodes(wire, event_encode(&e, wire), &back));
	e = sample();
	e.protocol = PROTO_COUNT;
	assert_false(decodes(wire, event_encode(&e, wire), &back));
}

static bool receive(int fd, struct event *ret)
{
	uint8_t wire[EVENT_WIRE_MAX + 1];
	ssize_t n = recv(fd, wire, sizeof(wire), MSG_DONTWAIT);

	return n >= 0 && decodes(wire, (size_t)n, ret);
}

/* A full socket loses records. Before the next record that fits, their exact number is sent. */
static void losses_are_counted(void **state)
{
	struct event e = sample(), got;
	struct event_port port = { .fd = -1, .lost = 0 };
	uint64_t sent = 0, received = 0, told = 0;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	port.fd = pair[0];
	for (int round = 0; round < 5; round++) {
		while (port.lost < 10) {
			e.count = sent++;
			event_send(&port, &e);
		}
		while (receive(pair[1], &got)) {
			if (got.kind == EVENT_LOST)
				told += got.count;
			else
				received++;
		}
		e.count = sent++;
		event_send(&port, &e);
		assert_int_equal(port.lost, 0);
		assert_true(receive(pair[1], &got));
		assert_int_equal(got.kind, EVENT_LOST);
		assert_int_equal(got.count, 10);
		assert_int_equal(got.wall_ns, e.wall_ns);
		told += got.count;
		assert_true(receive(pair[1], &got));
		assert_int_equal(got.count, e.count);
		received++;
		assert_false(receive(pair[1], &got));
		assert_int_equal(received + told, sent);
	}
	close(pair[1]);
	event_send(&port, &e); /* the reader has gone: no signal, one more lost record */
	assert_int_equal(port.lost, 1);
	event_send(&port, &e);
	assert_int_equal(port.lost, 2);
	close(pair[0]);
}

static void no_socket_at_all(void **state)
{
	struct event e = sample();
	struct event_port port = { .fd = -1, .lost = 0 };

	(void)state;
	for (unsigned i = 1; i < 5; i++) {
		event_send(&port, &e);
		assert_int_equal(port.lost, i);
	}
}

/* The largest numbers come back whole. A byte behind the fields is refused. */
static void wide_numbers(void **state)
{
	struct event e = event_new(EVENT_PDU, 5), back;
	uint8_t wire[EVENT_WIRE_MAX];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < TARGET_MAX; i++)
		e.targets[i] = UINT32_MAX - i;
	e.function = 0x04010002;
	e.address = UINT64_MAX - 1;
	e.limit = (struct limit){ .what = LIMIT_VALUE,
				  .n = 2,
				  .at = UINT64_MAX,
				  .wrote = 1ull << 40,
				  .allowed = { { 1ull << 41, 1ull << 42 }, { 1ull << 43, UINT64_MAX } } };
	n = event_encode(&e, wire);
	assert_int_equal(n, EVENT_WIRE);
	assert_true(event_decode(bytes_of(wire, n), &back));
	assert_memory_equal(back.targets, e.targets, sizeof(e.targets));
	assert_int_equal(back.function, e.function);
	assert_int_equal(back.address, e.address);
	assert_memory_equal(&back.limit, &e.limit, sizeof(e.limit));
	wire[EVENT_WIRE - 1] = 1;
	assert_false(event_decode(bytes_of(wire, n), &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_numbers),	      cmocka_unit_test(round_trip),
		cmocka_unit_test(wrong_lengths),      cmocka_unit_test(one_encoding),
		cmocka_unit_test(out_of_range),	      cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(losses_are_counted), cmocka_unit_test(no_socket_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

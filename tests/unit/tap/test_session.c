/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of connection tracking as records of passed sessions: the permit from the mark, the ends,
 * the sums of a session that is over. Invalid reports give no record.
 *
 * LINK: $(TAP_PARTS)
 * LIBS: jansson nettle libmnl libseccomp libcap-ng
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/tap/tap.h"
#include "appliance/wire/mark.h"

/* Numbers of the kernel: types of messages, attributes. */
enum { NEW = 1 << 8, DELETE = 1 << 8 | 2 };
enum { TUPLE_ORIG = 1, TUPLE_REPLY = 2, MARK = 8, SUMS_ORIG = 9, SUMS_REPLY = 10, TIMESTAMP = 20, NESTED = 0x8000 };

struct message {
	uint8_t b[1024];
	size_t n;
};

static void put(struct message *m, const void *p, size_t n)
{
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

static size_t open_list(struct message *m, uint16_t type)
{
	uint16_t head[2] = { 0, type };

	put(m, head, sizeof(head));
	return m->n - sizeof(head);
}

static void close_list(struct message *m, size_t at)
{
	uint16_t n = (uint16_t)(m->n - at);

	memcpy(m->b + at, &n, sizeof(n));
	while (m->n % 4 != 0)
		m->b[m->n++] = 0;
}

static void put_attr(struct message *m, uint16_t type, const void *p, size_t n)
{
	size_t at = open_list(m, type);

	put(m, p, n);
	close_list(m, at);
}

static void put_number(struct message *m, uint16_t type, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	put_attr(m, type, b, n);
}

static void put_tuple(struct message *m, uint16_t type, const char *from, const char *to, uint8_t l4proto,
		      uint16_t here, uint16_t there)
{
	size_t tuple = open_list(m, type | NESTED), list = open_list(m, 1 | NESTED);
	struct addr a;

	assert_true(addr_parse(from, &a));
	put_attr(m, a.family == 4 ? 1 : 3, a.b, addr_len(a.family));
	assert_true(addr_parse(to, &a));
	put_attr(m, a.family == 4 ? 2 : 4, a.b, addr_len(a.family));
	close_list(m, list);
	list = open_list(m, 2 | NESTED);
	put_number(m, 1, l4proto, 1);
	if (l4proto == 1) {
		put_number(m, 4, here, 2);
		put_number(m, 5, there >> 8, 1);
		put_number(m, 6, there & 255u, 1);
	} else {
		put_number(m, 2, here, 2);
		put_number(m, 3, there, 2);
	}
	close_list(m, list);
	close_list(m, tuple);
}

static void put_sums(struct message *m, uint64_t there, uint64_t back, uint64_t seconds)
{
	const uint64_t start = 1800000000000000000u;
	size_t list = open_list(m, SUMS_ORIG | NESTED);

	put_number(m, 1, 3, 8);
	put_number(m, 2, there, 8);
	close_list(m, list);
	list = open_list(m, SUMS_REPLY | NESTED);
	put_number(m, 2, back, 8);
	close_list(m, list);
	list = open_list(m, TIMESTAMP | NESTED);
	put_number(m, 1, start, 8);
	put_number(m, 2, start + seconds * 1000000000u, 8);
	close_list(m, list);
}

static void begin(struct message *m, uint16_t type)
{
	uint32_t head[4] = { 0 };

	m->n = 0;
	put(m, head, sizeof(head));
	memcpy(m->b + 4, &type, sizeof(type));
	put(m, (const uint8_t[]){ 2, 0, 0, 0 }, 4);
}

static void end(struct message *m)
{
	uint32_t n = (uint32_t)m->n;

	memcpy(m->b, &n, sizeof(n));
}

static void session_of(struct message *m, uint16_t type, uint32_t mark)
{
	begin(m, type);
	put_tuple(m, TUPLE_ORIG, "10.0.0.1", "10.1.0.2", 6, 40000, 502);
	put_tuple(m, TUPLE_REPLY, "10.1.0.2", "10.0.0.1", 6, 502, 40000);
	put_number(m, MARK, mark, 4);
	if (type == DELETE)
		put_sums(m, 5000000000u, 52, 3601);
	end(m);
}

static bool taken(const struct message *m, struct event *ret)
{
	struct bytes b = bytes_of(m->b, m->n);
	uint64_t malformed = 0;
	bool is = tap_session_next(&b, ret, &malformed);

	assert_int_equal(b.left, 0);
	assert_int_equal(malformed, 0);
	return is;
}

static void begins_and_ends(void **state)
{
	struct message m;
	struct event e;

	(void)state;
	session_of(&m, NEW, mark_make(77, 3, MARK_GOOD));
	assert_true(taken(&m, &e));
	assert_int_equal(e.kind, EVENT_PASSED);
	assert_int_equal(e.code, PASSED_BEGAN);
	assert_int_equal(e.verdict, EV_ALLOW);
	assert_int_equal(e.permit, 77);
	assert_int_equal(e.l4proto, 6);
	assert_int_equal(e.client.b[3], 1);
	assert_int_equal(e.client_port, 40000);
	assert_int_equal(e.server.b[3], 2);
	assert_int_equal(e.server_port, 502);
	assert_int_not_equal(e.space, PASSED_COUNTED);
	session_of(&m, DELETE, mark_make(77, 0, MARK_UNJUDGED));
	assert_true(taken(&m, &e));
	assert_int_equal(e.code, PASSED_ENDED);
	assert_int_equal(e.space, PASSED_COUNTED);
	assert_int_equal(e.address, 5000000000u);
	assert_int_equal(e.value, 52);
	assert_int_equal(e.quantity, 3601);
}

/* Sessions of the box itself have no permit, and other messages are no sessions. */
static void of_no_conduit(void **state)
{
	struct message m;
	struct event e;

	(void)state;
	session_of(&m, NEW, 0);
	assert_false(taken(&m, &e));
	session_of(&m, NEW, mark_make(0, 3, MARK_GOOD));
	assert_false(taken(&m, &e));
	session_of(&m, NEW + 1, mark_make(77, 3, MARK_GOOD));
	assert_false(taken(&m, &e));
}

static void other_transports(void **state)
{
	struct message m;
	struct event e;

	(void)state;
	begin(&m, NEW);
	put_tuple(&m, TUPLE_ORIG, "2001:db8::1", "2001:db8:1::2", 17, 5000, 53);
	put_number(&m, MARK, 9, 4);
	end(&m);
	assert_true(taken(&m, &e));
	assert_int_equal(e.client.family, 6);
	assert_int_equal(e.server.b[15], 2);
	assert_int_equal(e.server_port, 53);
	begin(&m, NEW);
	put_tuple(&m, TUPLE_ORIG, "10.0.0.1", "10.1.0.2", 1, 4711, 8 << 8);
	put_number(&m, MARK, 9, 4);
	end(&m);
	assert_true(taken(&m, &e));
	assert_int_equal(e.client_port, 0); /* an ICMP identifier is not a port */
	assert_int_equal(e.server_port, 8 << 8);
}

/* Sessions that were not counted from the beginning, or not in both directions: no sums are
 * reported. */
static void half_counted(void **state)
{
	struct message m;
	struct event e;

	(void)state;
	begin(&m, DELETE);
	put_tuple(&m, TUPLE_ORIG, "10.0.0.1", "10.1.0.2", 6, 40000, 502);
	put_number(&m, MARK, 77, 4);
	end(&m);
	assert_true(taken(&m, &e));
	assert_int_not_equal(e.space, PASSED_COUNTED);
	assert_int_equal(e.address | e.value | e.quantity, 0);
}

/* Every cut of a message, and every changed byte: the message is used completely, refused and
 * counted, or has no session. Each step takes something off the input. */
static void lies(void **state)
{
	struct message m;
	struct event e;

	(void)state;
	session_of(&m, DELETE, mark_make(77, 3, MARK_GOOD));
	for (size_t cut = 0; cut < m.n; cut++) {
		struct bytes b = bytes_of(m.b, cut);
		uint64_t malformed = 0;

		assert_false(tap_session_next(&b, &e, &malformed));
		assert_int_equal(malformed, 1);
		assert_int_equal(b.left, 0);
	}
	for (size_t at = 0; at < m.n; at++)
		for (unsigned v = 0; v < 256; v += 5) {
			struct message other = m;
			struct bytes b;
			uint64_t malformed = 0;

			other.b[at] = (uint8_t)v;
			b = bytes_of(other.b, other.n);
			for (size_t left = b.left + 1; b.left > 0 && b.left < left;) {
				left = b.left;
				(void)tap_session_next(&b, &e, &malformed);
			}
			assert_int_equal(b.left, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_and_ends), cmocka_unit_test(of_no_conduit), cmocka_unit_test(other_transports),
		cmocka_unit_test(half_counted),	   cmocka_unit_test(lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

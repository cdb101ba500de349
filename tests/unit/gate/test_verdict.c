/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/gate/verdict.c appliance/role/outstanding.c appliance/gate/overdue.c
 * LINK: appliance/gate/ring.c appliance/gate/reset.c
 * LINK: appliance/kernel/conntrack.c appliance/kernel/talk.c appliance/wire/ring.c
 * LINK: appliance/base/addr.c
 * LINK: appliance/base/bytes.c
 * LINK: appliance/base/err.c
 * LINK: appliance/wire/pairs.c appliance/base/clock.c
 * LIBS: libmnl libnetfilter_queue
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/gate/gate.h"
#include "appliance/gate/verdict.h"

#define LANE 28u
#define QUEUE 1224u

/* The other functions of the gate, as far as entries need them. */
static unsigned asked;

bool gate_messages(struct gate *g)
{
	(void)g;
	asked++;
	return true;
}

int64_t gate_look(struct gate *g)
{
	(void)g;
	return 0;
}

/* ---- messages, byte by byte as the kernel reads them (headers in the order of a little-endian  */

static void accept_message(void **state)
{
	/* clang-format off */ /* one row for each part */
	static const uint8_t want[] = {
		/* NFQNL_MSG_VERDICT, request */
		40, 0, 0, 0, 0x01, 0x03, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0x04, 0xc8,                                         /* queue 1224 */
		12, 0, 2, 0, 0, 0, 0, 1, 0, 0x01, 0x02, 0x03,             /* NF_ACCEPT, id */
		8, 0, 3, 0, 0x17, 0x00, 0x00, 0x07,                       /* mark */
	};
	/* clang-format on */
	struct verdict_pack p = { 0 };

	(void)state;
	verdict_accept(&p, QUEUE, 0x00010203, 0x17000007);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.len, sizeof(want));
	assert_memory_equal(p.buf, want, sizeof(want));
}

static void drop_and_upto_messages(void **state)
{
	static const uint8_t drop[] = { 32, 0, 0,    0,	   0x01, 0x03, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					0,  0, 0x04, 0xc8, 12,	 0,    2,    0, 0, 0, 0, 0, 0, 0, 0, 9 };
	static const uint8_t upto[] = { 32, 0, 0,    0,	   0x03, 0x03, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					0,  0, 0x04, 0xc8, 12,	 0,    2,    0, 0, 0, 0, 1, 0, 0, 1, 0 };
	struct verdict_pack p = { 0 };
	uint8_t m[VERDICT_ONE];

	(void)state;
	verdict_drop(&p, QUEUE, 9);
	assert_int_equal(p.len, sizeof(drop));
	assert_memory_equal(p.buf, drop, sizeof(drop));
	assert_int_equal(verdict_upto_message(m, QUEUE, 256, true), sizeof(upto));
	assert_memory_equal(m, upto, sizeof(upto));
}

static void pack_fits(void **state)
{
	struct verdict_pack p = { 0 };
	int s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	for (uint32_t i = 0; !verdict_full(&p); i++)
		verdict_accept(&p, QUEUE, i, i);
	assert_int_equal(p.n, VERDICT_MAX);
	assert_int_equal(p.len, sizeof(p.buf));
	assert_int_equal(verdict_flush(&p, s[0]), 0);
	assert_int_equal(p.n, 0);
	close(s[0]);
	close(s[1]);
	verdict_drop(&p, QUEUE, 1);
	assert_true(verdict_flush(&p, s[0]) < 0); /* reported, and the message is empty again */
	assert_int_equal(p.n, 0);
}

/* ---- what an entry may ask for --------------------------------------------------------------- */

static void entries(void **state)
{
	struct ring_entry e = { .kind = RING_VERDICT, .outcome = OUTCOME_ACCEPT, .permit = 7 };
	uint32_t mark;

	(void)state;
	assert_int_equal(gate_verdict(&e, LANE, &mark), ENTRY_ACCEPT);
	assert_int_equal(mark, mark_make(7, LANE, MARK_GOOD));
	e.outcome = OUTCOME_CONFIRMED;
	assert_int_equal(gate_verdict(&e, LANE, &mark), ENTRY_ACCEPT);
	assert_int_equal(mark, mark_make(7, LANE, MARK_CONFIRMED));
	e.outcome = OUTCOME_QUIET;
	assert_int_equal(gate_verdict(&e, LANE, &mark), ENTRY_ACCEPT);
	assert_int_equal(mark, mark_make(7, LANE, MARK_QUIET));
	e.permit = 0;
	assert_int_equal(gate_verdict(&e, LANE, &mark), ENTRY_REFUSED);
	assert_int_equal(mark, 0);
	e.permit = PERMIT_TWIN + 1;
	assert_int_equal(gate_verdict(&e, LANE, &mark), ENTRY_REFUSED);
	e.permit = PERMIT_MAX;
	assert_int_equal(gate_verdict(&e, LANE_CUT, &mark), ENTRY_REFUSED);
	e.outcome = OUTCOME_DROP;
	assert_int_equal(gate_verdict(&e, LANE_CUT, &mark), ENTRY_DROP);
	for (unsigned o = 0; o < 256; o++) {
		e.outcome = (uint8_t)o;
		if (o != OUTCOME_DROP && o != OUTCOME_ACCEPT && o != OUTCOME_CONFIRMED && o != OUTCOME_QUIET)
			assert_int_equal(gate_verdict(&e, LANE, &mark), ENTRY_LIE);
	}
}

struct fixture {
	struct gate g;
	int out[2]; /* what the kernel would get */
};

static int gate_make(void **state)
{
	static struct fixture f;
	int fd = ring_create(NULL);

	f = (struct fixture){ .g = { .ring = ring_map(fd, NULL), .raw4 = -1, .raw6 = -1, .sessions = -1 } };
	close(fd);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, f.out) < 0)
		return 1;
	f.g.lanes[LANE] = (struct gate_lane){ .fd = f.out[0], .lane = LANE, .slots = 1u << queue_slot(QUEUE) };
	f.g.used = (uint64_t)1 << LANE;
	asked = 0;
	*state = &f;
	return f.g.ring == NULL;
}

static int gate_drop(void **state)
{
	struct fixture *f = *state;

	ring_unmap(f->g.ring);
	close(f->out[0]);
	close(f->out[1]);
	return 0;
}

static void batch(void **state)
{
	struct fixture *f = *state;
	struct ring_entry e = { .kind = RING_VERDICT, .outcome = OUTCOME_ACCEPT, .queue = QUEUE, .permit = 1 };
	uint8_t buf[8192];

	for (e.id = 1; e.id <= 100; e.id++)
		assert_true(ring_push(f->g.ring, &e));
	assert_int_equal(gate_drain(&f->g, 1000), DRAIN_EMPTY);
	assert_int_equal(recv(f->out[1], buf, sizeof(buf), 0), VERDICT_MAX * VERDICT_ONE);
	assert_int_equal(recv(f->out[1], buf, sizeof(buf), 0), (100 - VERDICT_MAX) * VERDICT_ONE);
	assert_int_equal(recv(f->out[1], buf, sizeof(buf), 0), -1);
	assert_int_equal(f->g.counts.verdicts, 100);
	for (e.id = 1; e.id <= 10; e.id++)
		ring_push(f->g.ring, &e);
	assert_int_equal(gate_drain(&f->g, 4), DRAIN_MORE);
	assert_int_equal(f->g.counts.verdicts, 104);
	/* The gate tells the worker how much it has read, so that there is room for more
	 * entries. */
	assert_true(ring_room(f->g.ring, RING_ENTRIES - 6));
}

static void lies(void **state)
{
	struct fixture *f = *state;
	/* clang-format off */
	const struct ring_entry bad[] = {
		{ .kind = 0 },
		{ .kind = RING_RESET_SIDES },
		{ .kind = 77 },
		/* a queue of another worker */
		{ .kind = RING_VERDICT, .outcome = OUTCOME_ACCEPT, .queue = QUEUE + 1, .permit = 1 },
		{ .kind = RING_VERDICT, .outcome = OUTCOME_ACCEPT, .queue = 0, .permit = 1 },
		{ .kind = RING_VERDICT, .outcome = OUTCOME_ACCEPT, .queue = 65535, .permit = 1 },
		{ .kind = RING_VERDICT, .outcome = 0, .queue = QUEUE, .permit = 1 },
		{ .kind = RING_RESET, .queue = QUEUE, .family = 5 },
	};
	/* clang-format on */
	uint8_t buf[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ring_push(f->g.ring, &bad[i]);
		assert_int_equal(gate_drain(&f->g, 10), DRAIN_LIE);
		assert_int_equal(recv(f->out[1], buf, sizeof(buf), 0), -1);
	}
	/* An unknown queue is asked about once: it may just have been announced. */
	assert_int_equal(asked, 3);
}

/* `said`: the worker has told the kernel itself. For a lane without a form this is a lie, and the
 * packets would wait for ever. */
static void what_was_said(void **state)
{
	static const uint32_t others[] = { 1, LANE_CUT };
	struct fixture *f = *state;
	struct ring_entry e = {
		.kind = RING_VERDICT, .outcome = OUTCOME_ACCEPT, .queue = QUEUE, .id = 1, .permit = 1, .said = 1
	};
	uint8_t buf[64];

	ring_push(f->g.ring, &e);
	assert_int_equal(gate_drain(&f->g, 10), DRAIN_EMPTY);
	assert_int_equal(f->g.counts.verdicts, 1);
	for (size_t i = 0; i < 2; i++) {
		f->g.lanes[others[i]] = (struct gate_lane){ .fd = f->out[0], .lane = others[i], .slots = 1 };
		f->g.used |= (uint64_t)1 << others[i];
		e.queue = lane_queue(others[i], 0);
		ring_push(f->g.ring, &e);
		assert_int_equal(gate_drain(&f->g, 10), DRAIN_LIE);
	}
	assert_int_equal(recv(f->out[1], buf, sizeof(buf), 0), -1);
}

static void half_resets(void **state)
{
	struct fixture *f = *state;
	struct ring_entry e = { .kind = RING_RESET, .queue = QUEUE, .family = 4 };
	struct ring_sides s = { .kind = RING_RESET_SIDES };

	/* The two parts of an entry may come in two reads of the ring. */
	memcpy(e.u.a.client, "\x0a\x00\x00\x01", 4);
	memcpy(e.u.a.server, "\x0a\x00\x00\x02", 4);
	ring_push(f->g.ring, &e);
	assert_int_equal(gate_drain(&f->g, 10), DRAIN_EMPTY);
	ring_push(f->g.ring, &s);
	assert_int_equal(gate_drain(&f->g, 10), DRAIN_EMPTY);
	assert_int_equal(f->g.counts.resets_unsent, 2); /* neither of the two values is valid */
	e.stray = 1;
	s.to_client.valid = s.to_server.valid = 1;
	ring_push(f->g.ring, &e);
	ring_push(f->g.ring, &s);
	assert_int_equal(gate_drain(&f->g, 10), DRAIN_EMPTY);
	/* No packet was dropped that would allow this reset. */
	assert_int_equal(f->g.counts.resets_refused, 1);
	assert_int_equal(f->g.counts.resets_unsent, 2);
	assert_int_equal(f->g.counts.resets, 0);
	e.stray = 0;
	s.to_client.valid = s.to_server.valid = 0;
	/* Multicast, loopback and unspecified addresses cannot be ends of a session. */
	memcpy(e.u.a.client, "\xe0\x00\x00\x01", 4);
	ring_push(f->g.ring, &e);
	ring_push(f->g.ring, &s);
	assert_int_equal(gate_drain(&f->g, 10), DRAIN_EMPTY);
	assert_int_equal(f->g.counts.refused, 1);
	/* Nor can such addresses of IPv6. */
	e.family = 6;
	for (unsigned i = 0; i < 4; i++) {
		static const char *const nobody[] = { "::", "::1", "ff02::1", "2001:db8::1" };
		struct addr a, server;

		assert_true(addr_parse(nobody[i], &a) && addr_parse("2001:db8::2", &server));
		memcpy(e.u.a.client, a.b, 16);
		memcpy(e.u.a.server, server.b, 16);
		ring_push(f->g.ring, &e);
		ring_push(f->g.ring, &s);
		assert_int_equal(gate_drain(&f->g, 10), DRAIN_EMPTY);
		assert_int_equal(f->g.counts.refused, 2 + (i < 3 ? i : 2));
	}
	assert_int_equal(f->g.counts.resets_unsent, 4);
	/* A first part without its second part. */
	ring_push(f->g.ring, &e);
	ring_push(f->g.ring, &e);
	assert_int_equal(gate_drain(&f->g, 10), DRAIN_LIE);
}

/* ---- the kernel's table ---------------------------------------------------------------------- */

static void table(void **state)
{
	static const char text[] = " 1224   2047     3 2 65535     1     2       12  1\n"
				   "  200 -12345     0 2 65535     0     0 4294967295  1\n"
				   "rubbish\n"
				   " 1 2 3\n"
				   " 99999  1 1 1 1 1 1 1 1\n"
				   " 7 1 99999999999999999999 1 1 1 1 1 1\n"
				   " 1225   2048     0 2 65535     0     0        0  1";
	struct queue_state s[8];

	(void)state;
	assert_int_equal(outstanding_parse(bytes_of(text, sizeof(text) - 1), s, 8), 3);
	assert_int_equal(s[0].queue, 1224);
	assert_int_equal(s[0].outstanding, 3);
	assert_int_equal(s[0].dropped_full, 1);
	assert_int_equal(s[0].dropped_user, 2);
	assert_int_equal(s[0].last_id, 12);
	assert_int_equal(s[1].last_id, UINT32_MAX);
	assert_int_equal(s[2].queue, 1225);
	assert_int_equal(outstanding_parse(bytes_of(text, sizeof(text) - 1), s, 1), 1);
	assert_int_equal(outstanding_parse(bytes_of(text, 0), s, 8), 0);
	/* The number of a queue may fill its column. */
	assert_int_equal(outstanding_parse(bytes_of("12345 1 2 2 65535 0 0 7 1\n", 26), s, 8), 1);
	assert_int_equal(s[0].queue, 12345);
	assert_int_equal(s[0].last_id, 7);
	assert_true(outstanding_read(-1, s, 8) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_message),
		cmocka_unit_test(drop_and_upto_messages),
		cmocka_unit_test(pack_fits),
		cmocka_unit_test(entries),
		cmocka_unit_test_setup_teardown(batch, gate_make, gate_drop),
		cmocka_unit_test_setup_teardown(lies, gate_make, gate_drop),
		cmocka_unit_test_setup_teardown(what_was_said, gate_make, gate_drop),
		cmocka_unit_test_setup_teardown(half_resets, gate_make, gate_drop),
		cmocka_unit_test(table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

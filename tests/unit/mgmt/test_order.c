/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of a capture, ordered as the ends of their sessions saw them: which packets wait and for
 * what, what is given up and when, and that each packet is passed on exactly once.
 *
 * LINK: mgmt/cli/replay/order.c dpi/decode.c dpi/runs.c dpi/pool.c dpi/share.c
 * LINK: appliance/base/bytes.c appliance/base/addr.c appliance/wire/reason.c
 * LINK: appliance/wire/settings.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mgmt/cli/replay/order.h"
#include "mgmt/cli/replay/run.h"
#include "mgmt/cli/replay/tracker.h"

#define SECOND 1000000000ull

static struct {
	uint32_t session[256], frame[256], seq[256], ack[256];
	bool bad_checksum[256];
	unsigned n;
} seen;
static struct order *order;
static uint64_t now;
static uint32_t frame;

static void hand_on(void *ctx, uint32_t session, struct bytes ip, uint32_t f)
{
	struct decoded d;

	(void)ctx;
	assert_int_equal(decode_packet(ip, CHECKSUM_FLAG, &d), R_NONE);
	seen.session[seen.n] = session;
	seen.frame[seen.n] = f;
	seen.seq[seen.n] = d.seq;
	seen.bad_checksum[seen.n] = d.bad_checksum;
	seen.ack[seen.n++] = d.ack;
}

static int setup(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof(seen));
	now = 0;
	frame = 0;
	order = order_new(hand_on, NULL);
	return order == NULL;
}

static int teardown(void **state)
{
	(void)state;
	order_free(order);
	return 0;
}

static uint16_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A segment of a session with `n` bytes; false if it is a copy of an earlier one. */
static bool say(uint32_t session, enum direction dir, uint32_t seq, uint32_t ack, uint8_t flags, unsigned n)
{
	uint8_t p[1500] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6 }, pseudo[12] = { 0 };
	uint16_t total = (uint16_t)(40 + n), c;
	struct decoded d;

	p[2] = (uint8_t)(total >> 8);
	p[3] = (uint8_t)total;
	memcpy(p + 12, dir == DIR_C2S ? "\12\0\0\1\12\0\0\2" : "\12\0\0\2\12\0\0\1", 8);
	c = (uint16_t)~sum(p, 20, 0);
	p[10] = (uint8_t)(c >> 8);
	p[11] = (uint8_t)c;
	p[21] = dir == DIR_C2S ? 1 : 2;
	p[23] = dir == DIR_C2S ? 2 : 1;
	put32(p + 24, seq);
	put32(p + 28, ack);
	p[32] = 0x50;
	p[33] = flags;
	memset(p + 40, 'x', n);
	memcpy(pseudo, p + 12, 8);
	pseudo[9] = 6;
	pseudo[10] = (uint8_t)((20 + n) >> 8);
	pseudo[11] = (uint8_t)(20 + n);
	c = (uint16_t)~sum(p + 20, 20 + n, sum(pseudo, 12, 0));
	p[36] = (uint8_t)(c >> 8);
	p[37] = (uint8_t)c;
	assert_int_equal(decode_packet(bytes_of(p, total), CHECKSUM_STRICT, &d), R_NONE);
	return order_packet(order, session, &d, dir, ++frame, now);
}

static void handshake(uint32_t session)
{
	say(session, DIR_C2S, 999, 0, TCP_SYN, 0);
	say(session, DIR_S2C, 4999, 1000, TCP_SYN | TCP_ACK, 0);
	say(session, DIR_C2S, 1000, 5000, TCP_ACK, 0);
	assert_int_equal(seen.n, 3);
	seen.n = 0;
}

static void in_order_at_once(void **state)
{
	(void)state;
	handshake(0);
	say(0, DIR_C2S, 1000, 5000, TCP_ACK, 10);
	say(0, DIR_S2C, 5000, 1010, TCP_ACK, 10);
	say(0, DIR_C2S, 1000, 5000, TCP_ACK, 10); /* repeated */
	assert_int_equal(seen.n, 3);
	assert_int_equal(order_next_due(order), UINT64_MAX);
}

static void a_gap_is_filled(void **state)
{
	(void)state;
	handshake(0);
	say(0, DIR_C2S, 1020, 5000, TCP_ACK, 10);
	say(0, DIR_C2S, 1010, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 0);
	assert_false(say(0, DIR_C2S, 1010, 5000, TCP_ACK, 10)); /* a copy of a packet that waits */
	/* a bare acknowledgement fills no gap */
	say(0, DIR_C2S, 1030, 5000, TCP_ACK, 0);
	assert_int_equal(seen.n, 1);
	seen.n = 0;
	say(0, DIR_C2S, 1000, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 3);
	/* their bytes count as captured with the frame that filled the gap */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(seen.seq[i], 1000 + 10 * i);
		assert_int_equal(seen.frame[i], frame);
	}
	assert_int_equal(order_next_due(order), UINT64_MAX);
}

/* An answer that was captured before its request waits for it. */
static void waits_for_what_it_acknowledges(void **state)
{
	(void)state;
	handshake(0);
	say(0, DIR_S2C, 5000, 1010, TCP_ACK, 10);
	assert_int_equal(seen.n, 0);
	say(0, DIR_C2S, 1000, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.seq[0], 1000);
	assert_int_equal(seen.frame[1], 4); /* no bytes of its own direction were missing */
}

static void given_up_after_three_seconds(void **state)
{
	(void)state;
	handshake(0);
	say(0, DIR_C2S, 1020, 5000, TCP_ACK, 10);
	now = SECOND;
	say(0, DIR_C2S, 1010, 5000, TCP_ACK, 10);
	/* acknowledges the gap: the packet that filled it was not captured */
	say(0, DIR_S2C, 5000, 1010, TCP_ACK, 10);
	assert_int_equal(order_next_due(order), 3 * SECOND);
	order_expire(order, 3 * SECOND - 1);
	assert_int_equal(seen.n, 0);
	order_expire(order, 3 * SECOND);
	assert_int_equal(seen.n, 3);
	assert_int_equal(order_next_due(order), UINT64_MAX);
	seen.n = 0;
	say(0, DIR_C2S, 1030, 5010, TCP_ACK, 10); /* the session continues behind the gap */
	assert_int_equal(seen.n, 1);
}

static void given_up_at_the_end(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 3; way++) {
		seen.n = 0;
		handshake(way);
		say(way, DIR_C2S, 1010, 5000, TCP_ACK, 10);
		assert_int_equal(seen.n, 0);
		if (way == 0)
			say(way, DIR_S2C, 5000, 1000, TCP_RST | TCP_ACK, 0);
		else if (way == 1)
			say(way, DIR_C2S, 77777, 0, TCP_SYN, 0);
		else
			order_give_up_all(order);
		assert_int_equal(seen.seq[0], 1010);
		assert_int_equal(seen.n, way == 2 ? 1 : 2);
	}
}

/* Each of two packets acknowledges the other: one acknowledgement is lowered to what was seen, and
 * its checksum is adjusted. */
static void two_that_wait_for_each_other(void **state)
{
	(void)state;
	handshake(0);
	say(0, DIR_C2S, 1000, 5010, TCP_ACK, 10);
	say(0, DIR_S2C, 5000, 1010, TCP_ACK, 10);
	assert_int_equal(seen.n, 0);
	order_give_up_all(order);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.ack[0], 1000);
	assert_int_equal(seen.ack[1], 5010);
	assert_false(seen.bad_checksum[0]);
	assert_false(seen.bad_checksum[1]);
}

static void numbers_far_away_are_nobodys(void **state)
{
	(void)state;
	handshake(0);
	say(0, DIR_C2S, 1000 + (3u << 20), 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 1);
	say(0, DIR_C2S, 1000, 5000, TCP_ACK, 10);
	say(0, DIR_C2S, 1020, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 2);
}

/* A limited number of packets may wait; then the oldest gap is given up. No packet is lost or
 * passed on twice. */
static void what_waits_is_bounded(void **state)
{
	(void)state;
	handshake(0);
	for (uint32_t i = 1; i <= 64; i++)
		say(0, DIR_C2S, 1000 + 20 * i, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 0);
	say(0, DIR_C2S, 1000 + 20 * 65, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.seq[0], 1020);
	order_give_up_all(order);
	assert_int_equal(seen.n, 65);
	for (unsigned i = 0; i < 65; i++)
		assert_int_equal(seen.seq[i], 1020 + 20 * i);
}

static void sessions_do_not_mix(void **state)
{
	(void)state;
	handshake(0);
	handshake(5000);
	say(0, DIR_C2S, 1010, 5000, TCP_ACK, 10);
	say(5000, DIR_C2S, 1000, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.session[0], 5000);
	order_give_up(order, 5000);
	order_give_up(order, 70000);
	assert_int_equal(seen.n, 1);
	order_give_up(order, 0);
	assert_int_equal(seen.session[1], 0);
}

/* The tracker takes a SYN that comes behind the packets that follow it for the SYN of another
 * session. */
static void a_syn_captured_late(void **state)
{
	(void)state;
	say(0, DIR_C2S, 1000, 5000, TCP_ACK, 10);
	say(0, DIR_C2S, 1020, 5000, TCP_ACK, 10);
	assert_int_equal(seen.n, 1);
	order_go_on_as(order, 0, 1, 999);
	assert_int_equal(seen.n, 2); /* given up */
	say(1, DIR_C2S, 999, 0, TCP_SYN, 0);
	say(1, DIR_C2S, 1030, 5000, TCP_ACK, 10);
	say(1, DIR_S2C, 5000, 1040, TCP_ACK, 10);
	assert_int_equal(seen.n, 5);
	/* Another session begins with the next SYN. */
	order_go_on_as(order, 1, 2, 0x80000000u);
	say(2, DIR_C2S, 0x80000000u, 0, TCP_SYN, 0);
	say(2, DIR_C2S, 0x80000001u, 9000, TCP_ACK, 10);
	assert_int_equal(seen.n, 7);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(in_order_at_once),
		T(a_gap_is_filled),
		T(waits_for_what_it_acknowledges),
		T(given_up_after_three_seconds),
		T(given_up_at_the_end),
		T(two_that_wait_for_each_other),
		T(numbers_far_away_are_nobodys),
		T(what_waits_is_bounded),
		T(sessions_do_not_mix),
		T(a_syn_captured_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

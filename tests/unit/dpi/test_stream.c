/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream gate and its pool: which bytes are new, which are repeated, and which have two
 * readings. All small overlaps, compared with a receiver.
 *
 * LINK: dpi/share.c dpi/stream.c dpi/runs.c dpi/pool.c appliance/base/addr.c appliance/base/bytes.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dpi/stream.h"

static struct pool pool;
static struct stream s;
static uint32_t c, v; /* next sequence numbers of client and server */

static struct decoded segment(uint32_t seq, uint32_t ack, unsigned flags, const void *p, size_t n)
{
	return (struct decoded){
		.l4proto = IP_TCP, .seq = seq, .ack = ack, .tcp_flags = (uint8_t)flags, .payload = bytes_of(p, n)
	};
}

static struct stream_result put(enum direction dir, uint32_t seq, uint32_t ack, unsigned flags, const void *p, size_t n)
{
	struct decoded d = segment(seq, ack, flags, p, n);
	struct stream_result r;

	assert_int_equal(stream_flags(&d), R_NONE);
	r = stream_segment(&s, &pool, dir, &d);
	if (r.answer == STREAM_NEW)
		assert_true(stream_commit(&s, &pool, dir, r.fresh, r.fin, 0));
	return r;
}

static void handshake(uint32_t from)
{
	struct decoded d = segment(from, 0, TCP_SYN, NULL, 0);

	stream_free(&s, &pool);
	stream_open(&s, DIR_C2S, &d);
	c = from + 1;
	assert_int_equal(put(DIR_S2C, 500, c, TCP_SYN | TCP_ACK, NULL, 0).answer, STREAM_PASS);
	v = 501;
	assert_int_equal(put(DIR_C2S, c, v, TCP_ACK, NULL, 0).answer, STREAM_PASS);
	assert_int_equal(s.state, TCP_OPEN);
}

static int setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	return !pool_init(&pool, 1u << 16);
}

static int teardown(void **state)
{
	(void)state;
	stream_free(&s, &pool);
	assert_int_equal(pool.used, 0);
	pool_done(&pool);
	return 0;
}

static void chains(void **state)
{
	struct chain a = { 0 }, b = { 0 };
	uint8_t in[1000], out[1000];

	(void)state;
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 13 + i / 256);
	/* in pieces of every size, alternating with another chain */
	for (size_t n = 1; n < sizeof(in); n += 37) {
		for (size_t at = 0; at < sizeof(in); at += n) {
			size_t part = sizeof(in) - at < n ? sizeof(in) - at : n;

			assert_true(chain_append(&pool, &a, bytes_of(in + at, part)));
			assert_true(chain_append(&pool, &b, bytes_of(in, 3)));
		}
		for (size_t at = 0; at <= sizeof(in); at += 111) {
			size_t part = sizeof(in) - at < 222 ? sizeof(in) - at : 222;

			assert_true(chain_copy(&pool, &a, at, out, part));
			assert_memory_equal(out, in + at, part);
			assert_true(chain_equal(&pool, &a, at, bytes_of(in + at, part)));
		}
		assert_false(chain_copy(&pool, &a, 990, out, 11));
		assert_false(chain_equal(&pool, &a, 1, bytes_of(in, 5)));
		chain_drop(&pool, &a, 500);
		assert_true(chain_equal(&pool, &a, 0, bytes_of(in + 500, 500)));
		chain_drop(&pool, &a, 499);
		assert_true(chain_equal(&pool, &a, 0, bytes_of(in + 999, 1)));
		chain_drop(&pool, &a, 5000);
		assert_int_equal(a.bytes, 0);
		chain_clear(&pool, &b);
		assert_int_equal(pool.used, 0);
	}
	assert_false(chain_append(&pool, &a, bytes_of(in, SIZE_MAX / 2)));
	while (chain_append(&pool, &a, bytes_of(in, 1000)))
		;
	assert_true(pool.n - pool.used < 8);
	chain_clear(&pool, &a);
}

static void numbers_wrap(void **state)
{
	(void)state;
	for (uint32_t from = 0xfffffff0u; from != 0x10; from++) {
		handshake(from);
		for (unsigned i = 0; i < 8; i++) {
			assert_int_equal(put(DIR_C2S, c, v, TCP_ACK, "abcdefg", 7).answer, STREAM_NEW);
			c += 7;
		}
		assert_int_equal(put(DIR_C2S, c - 20, v, TCP_ACK, "bcdefh", 6).reason, R_OVERLAP);
		assert_int_equal(put(DIR_C2S, c - 14, v, TCP_ACK, "abcdefgabcdefg", 14).reason, R_RETRANSMISSION);
		assert_int_equal(put(DIR_S2C, v, c - 10, TCP_ACK, NULL, 0).answer, STREAM_PASS);
		assert_int_equal(s.dir[DIR_C2S].kept.bytes, 10);
		assert_int_equal(put(DIR_S2C, v, c, TCP_ACK, NULL, 0).answer, STREAM_PASS);
		assert_int_equal(pool.used, 0);
	}
}

/*
 * A sender that repeats, cuts and changes bytes, and three receivers: one keeps the first copy of a
 * byte, one the last, and one lost every packet except the last repetition. Whatever passes the
 * gate, all of them read the same.
 */
static void all_receivers_agree(void **state)
{
	uint64_t x = (uint64_t)time(NULL) * 2654435761u | 1u;

	(void)state;
	printf("seed %llu\n", (unsigned long long)x);
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t truth[64], first[64], last[64];
		bool have_first[64] = { false };
		uint32_t base, acked = 0, sent = 0;

		handshake((uint32_t)x);
		base = c;
		for (unsigned i = 0; i < 24; i++) {
			uint32_t from, n;
			uint8_t bytes[16];
			struct stream_result r;

			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			from = (uint32_t)(x >> 8) % (sent + 1 < 48 ? sent + 1 : 48);
			n = 1 + (uint32_t)(x >> 20) % 16;
			for (uint32_t b = 0; b < n; b++) {
				bytes[b] = (uint8_t)((from + b) * 7);
				if ((x >> 40) % 8 == 0 && b == (x >> 44) % n)
					bytes[b] ^= 1; /* sometimes a byte is changed */
			}
			r = put(DIR_C2S, base + from, v, TCP_ACK, bytes, n);
			if (r.answer == STREAM_RESET)
				break;
			if (r.answer != STREAM_NEW && r.answer != STREAM_PASS)
				continue;
			for (uint32_t b = 0; b < n; b++) {
				uint32_t at = from + b;

				if (at < acked)
					/* a receiver ignores bytes that it has acknowledged */
					continue;
				if (!have_first[at]) {
					have_first[at] = true;
					first[at] = truth[at] = bytes[b];
				}
				last[at] = bytes[b];
			}
			if (from + n > sent)
				sent = from + n;
			for (uint32_t at = acked; at < sent; at++) {
				assert_int_equal(first[at], truth[at]);
				assert_int_equal(last[at], truth[at]);
			}
			if ((x >> 50) % 4 == 0) {
				acked = sent;
				put(DIR_S2C, v, base + acked, TCP_ACK, NULL, 0);
			}
		}
	}
}

/* Every pair of intervals in a small stream, with the same bytes and with different ones. */
static void all_pairs_of_intervals(void **state)
{
	static const char text[] = "0123456789";

	(void)state;
	for (uint32_t a = 1; a <= 4; a++)
		for (uint32_t from = 0; from < 6; from++)
			for (uint32_t n = 1; n <= 4; n++)
				for (uint32_t differs = 0; differs <= n; differs++) {
					char bytes[8];
					uint32_t overlap = from < a ? (from + n < a ? n : a - from) : 0;
					struct stream_result r;

					handshake(1000);
					put(DIR_C2S, c, v, TCP_ACK, text, a);
					memcpy(bytes, text + from, n);
					if (differs > 0)
						bytes[differs - 1] = 'x';
					r = put(DIR_C2S, c + from, v, TCP_ACK, bytes, n);
					if (from > a)
						assert_int_equal(r.answer, STREAM_AHEAD);
					else if (differs > 0 && differs <= overlap)
						assert_int_equal(r.answer, STREAM_RESET);
					else if (from + n <= a)
						assert_int_equal(r.reason, R_RETRANSMISSION);
					else
						assert_int_equal(r.answer, STREAM_NEW);
					if (r.answer == STREAM_NEW)
						assert_int_equal(r.fresh.left, from + n - a);
				}
}

static void unfinished_pdus_are_kept(void **state)
{
	struct decoded d;
	struct stream_result r;
	char out[8];

	(void)state;
	handshake(7);
	d = segment(c, v, TCP_ACK, "abcdef", 6);
	r = stream_segment(&s, &pool, DIR_C2S, &d);
	assert_true(stream_commit(&s, &pool, DIR_C2S, r.fresh, false, 4));
	assert_int_equal(put(DIR_S2C, v, c + 6, TCP_ACK, NULL, 0).answer, STREAM_PASS);
	assert_int_equal(s.dir[DIR_C2S].kept.bytes, 4);
	assert_int_equal(stream_carry(&s, DIR_C2S), 4);
	assert_true(stream_carry_copy(&s, &pool, DIR_C2S, out));
	assert_memory_equal(out, "cdef", 4);
	/* A FIN in the middle of a segment. */
	d = segment(c + 6, v, TCP_ACK | TCP_FIN, "g", 1);
	r = stream_segment(&s, &pool, DIR_C2S, &d);
	assert_true(stream_commit(&s, &pool, DIR_C2S, r.fresh, true, 5));
	assert_int_equal(stream_carry(&s, DIR_C2S), 5);
	assert_int_equal(s.dir[DIR_C2S].next, c + 8);
}

static void refusals_of_the_handshake(void **state)
{
	struct decoded d = segment(99, 0, TCP_SYN, NULL, 0);

	(void)state;
	stream_open(&s, DIR_C2S, &d);
	/* repeated */
	assert_int_equal(put(DIR_C2S, 99, 0, TCP_SYN, NULL, 0).answer, STREAM_PASS);
	/* another one */
	assert_int_equal(put(DIR_C2S, 98, 0, TCP_SYN, NULL, 0).answer, STREAM_RESTART);
	assert_int_equal(put(DIR_S2C, 5, 99, TCP_SYN | TCP_ACK, NULL, 0).answer, STREAM_DROP);
	assert_int_equal(put(DIR_C2S, 5, 100, TCP_SYN | TCP_ACK, NULL, 0).answer, STREAM_DROP);
	assert_int_equal(put(DIR_S2C, 0, 99, TCP_RST | TCP_ACK, NULL, 0).answer, STREAM_DROP);
	assert_int_equal(put(DIR_S2C, 0, 100, TCP_RST | TCP_ACK, NULL, 0).answer, STREAM_PASS);
	assert_int_equal(s.state, TCP_CLOSED);
	assert_int_equal(put(DIR_C2S, 4000, 0, TCP_SYN, NULL, 0).answer, STREAM_RESTART);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(chains),
		T(numbers_wrap),
		T(all_receivers_agree),
		T(all_pairs_of_intervals),
		T(unfinished_pdus_are_kept),
		T(refusals_of_the_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reassembly of fragments for replay: any order, repetitions, overlaps, impossible fragments, lack
 * of time and room; and the link headers in front of them.
 * LINK: mgmt/cli/replay/defrag.c mgmt/cli/replay/link.c appliance/base/bytes.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mgmt/cli/replay/capture.h"
#include "mgmt/cli/replay/defrag.h"
#include "mgmt/cli/replay/run.h"

#define DATA 4000

static uint8_t data[DATA];

struct piece {
	uint8_t bytes[1600];
	size_t n;
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A fragment of the datagram `id` in this family with data[from..to); the bytes are xored with
 * `twist`. */
static struct piece piece(int family, uint16_t id, size_t from, size_t to, bool more, uint8_t twist)
{
	struct piece p = { .n = (family == 4 ? 20 : 48) + (to - from) };
	uint8_t *body = p.bytes + (family == 4 ? 20 : 48);

	if (family == 4) {
		p.bytes[0] = 0x45;
		put16(p.bytes + 2, p.n);
		put16(p.bytes + 4, id);
		put16(p.bytes + 6, (more ? 0x2000u : 0) | from / 8);
		p.bytes[8] = 64;
		p.bytes[9] = 17;
		memcpy(p.bytes + 12, (uint8_t[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
	} else {
		p.bytes[0] = 0x60;
		put16(p.bytes + 4, p.n - 40);
		p.bytes[6] = 44;
		p.bytes[7] = 64;
		p.bytes[8] = 0x20;
		p.bytes[23] = 1;
		p.bytes[24] = 0x20;
		p.bytes[39] = 2;
		p.bytes[40] = 17;
		put16(p.bytes + 42, from | (more ? 1u : 0));
		put16(p.bytes + 46, id);
	}
	for (size_t i = from; i < to; i++)
		body[i - from] = (uint8_t)((i < DATA ? data[i] : 0) ^ twist);
	return p;
}

static enum defrag_result give(struct defrag *d, const struct piece *p, uint64_t ns, struct bytes *ret)
{
	return defrag_packet(d, bytes_of(p->bytes, p->n), (struct mono){ .ns = ns }, ret);
}

static enum defrag_result give_range(struct defrag *d, int family, uint16_t id, size_t from, size_t to, bool more)
{
	struct piece p = piece(family, id, from, to, more, 0);
	struct bytes b;

	return give(d, &p, 0, &b);
}

static void check_whole(int family, struct bytes b, size_t n)
{
	size_t head = family == 4 ? 20 : 40;
	uint32_t sum = 0;

	assert_int_equal(b.left, head + n);
	assert_memory_equal(b.p + head, data, n);
	if (family == 4) {
		assert_int_equal(b.p[2] << 8 | b.p[3], head + n);
		assert_int_equal(b.p[6] << 8 | b.p[7], 0);
		for (size_t i = 0; i < 20; i += 2)
			sum += (uint32_t)(b.p[i] << 8 | b.p[i + 1]);
		assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	} else {
		assert_int_equal(b.p[4] << 8 | b.p[5], n);
		assert_int_equal(b.p[6], 17);
	}
}

/* Random cuts in random order, every piece sent once or twice. */
static void any_order(void **state)
{
	unsigned seed = (unsigned)time(NULL);
	struct defrag *d = defrag_new();
	struct defrag_stats stats;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (unsigned round = 0; round < 400; round++) {
		int family = round % 2 ? 6 : 4;
		struct piece pieces[64];
		size_t n = 0, total = 1000 + (size_t)rand() % (DATA - 1000), done = 0;

		for (size_t at = 0; at < total; n++) {
			size_t to = at + 8 * (1 + (size_t)rand() % 100);

			pieces[n] = piece(family, (uint16_t)round, at, to < total ? to : total, to < total, 0);
			at = to;
		}
		for (size_t left = n; left > 0; left--) {
			size_t k = (size_t)rand() % left;
			struct bytes b;
			enum defrag_result r = give(d, &pieces[k], round, &b);

			if (r == DEFRAG_DONE) {
				done++;
				assert_int_equal(left, 1);
				check_whole(family, b, total);
			} else {
				assert_int_equal(r, DEFRAG_WAITING);
				if (rand() % 2)
					assert_int_equal(give(d, &pieces[k], round, &b), DEFRAG_WAITING);
			}
			pieces[k] = pieces[left - 1];
		}
		assert_int_equal(done, 1);
	}
	defrag_stats(d, &stats);
	assert_int_equal(stats.reassembled, 400);
	assert_int_equal(stats.refused, 0);
	assert_int_equal(stats.incomplete, 0);
	defrag_free(d);
}

static void overlaps(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct defrag *d = defrag_new();
		struct defrag_stats stats;

		/* over the end of an earlier fragment; this datagram is never completed */
		assert_int_equal(give_range(d, family, 1, 0, 16, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 1, 8, 24, false), DEFRAG_REFUSED);
		assert_int_equal(give_range(d, family, 1, 16, 24, false), DEFRAG_REFUSED);
		assert_int_equal(give_range(d, family, 1, 0, 24, true), DEFRAG_REFUSED);
		/* over the start of a later fragment */
		assert_int_equal(give_range(d, family, 2, 16, 32, false), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 2, 8, 24, true), DEFRAG_REFUSED);
		/* around an earlier one */
		assert_int_equal(give_range(d, family, 3, 8, 16, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 3, 0, 24, true), DEFRAG_REFUSED);
		/* same start, longer */
		assert_int_equal(give_range(d, family, 4, 0, 8, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 4, 0, 16, true), DEFRAG_REFUSED);
		/* inside an earlier fragment: ignored, as the kernel does */
		assert_int_equal(give_range(d, family, 5, 0, 24, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 5, 8, 16, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 5, 24, 30, false), DEFRAG_DONE);
		/* inside two fragments that came in order, and are one piece by now */
		assert_int_equal(give_range(d, family, 6, 0, 16, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 6, 16, 32, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 6, 8, 24, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 6, 32, 40, false), DEFRAG_DONE);
		/* across two adjacent fragments that came in reverse order: inside neither */
		assert_int_equal(give_range(d, family, 7, 16, 32, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 7, 0, 16, true), DEFRAG_WAITING);
		assert_int_equal(give_range(d, family, 7, 8, 24, true), DEFRAG_REFUSED);
		defrag_stats(d, &stats);
		assert_int_equal(stats.refused, 5);
		assert_int_equal(stats.reassembled, 2);
		assert_int_equal(stats.incomplete, 0);
		defrag_free(d);
	}
}

static void impossible_pieces(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct defrag *d = defrag_new();

		/* not in eighths */
		assert_int_equal(give_range(d, family, 1, 0, 15, true), DEFRAG_REFUSED);
		assert_int_equal(give_range(d, family, 9, 0, 12, true), DEFRAG_REFUSED);
		/* past 64 kB */
		assert_int_equal(give_range(d, family, 2, 65528, 65544, false), DEFRAG_REFUSED);
		/* empty */
		assert_int_equal(give_range(d, family, 3, 8, 8, true), DEFRAG_REFUSED);
		assert_int_equal(give_range(d, family, 4, 8, 16, false), DEFRAG_WAITING);
		/* behind the last */
		assert_int_equal(give_range(d, family, 4, 16, 24, true), DEFRAG_REFUSED);
		assert_int_equal(give_range(d, family, 5, 16, 24, true), DEFRAG_WAITING);
		/* last, before another */
		assert_int_equal(give_range(d, family, 5, 8, 16, false), DEFRAG_REFUSED);
		assert_int_equal(give_range(d, family, 6, 8, 16, false), DEFRAG_WAITING);
		/* two ends */
		assert_int_equal(give_range(d, family, 6, 16, 24, false), DEFRAG_REFUSED);
		defrag_free(d);
	}
}

static void datagrams_are_apart(void **state)
{
	struct defrag *d = defrag_new();
	struct piece p;
	struct bytes b;

	(void)state;
	assert_int_equal(give_range(d, 4, 1, 0, 8, true), DEFRAG_WAITING);
	assert_int_equal(give_range(d, 4, 2, 8, 16, false), DEFRAG_WAITING);
	p = piece(4, 1, 8, 16, false, 0);
	p.bytes[9] = 6; /* another protocol */
	assert_int_equal(give(d, &p, 0, &b), DEFRAG_WAITING);
	p = piece(4, 1, 8, 16, false, 0);
	p.bytes[19] = 9; /* another receiver */
	assert_int_equal(give(d, &p, 0, &b), DEFRAG_WAITING);
	assert_int_equal(give_range(d, 6, 1, 8, 16, false), DEFRAG_WAITING);
	assert_int_equal(give_range(d, 4, 1, 8, 16, false), DEFRAG_DONE);
	defrag_free(d);
}

static void time_and_room(void **state)
{
	struct defrag *d = defrag_new();
	struct defrag_stats stats;
	struct piece first = piece(4, 1, 0, 8, true, 0), last = piece(4, 1, 8, 16, false, 0);
	struct bytes b;

	(void)state;
	assert_int_equal(give(d, &first, 5, &b), DEFRAG_WAITING);
	assert_int_equal(give(d, &last, 5 + DEFRAG_TIME_NS + 1, &b), DEFRAG_WAITING);
	defrag_stats(d, &stats);
	assert_int_equal(stats.incomplete, 2); /* one datagram was given up, one waits */
	defrag_free(d);
	d = defrag_new();
	for (uint16_t id = 0; id < DEFRAG_SLOTS + 1; id++) {
		struct piece p = piece(4, id, 0, 8, true, 0);

		assert_int_equal(give(d, &p, id, &b), DEFRAG_WAITING);
	}
	/* datagram 0 made room, datagram 1 did not */
	assert_int_equal(give_range(d, 4, 1, 8, 16, false), DEFRAG_DONE);
	assert_int_equal(give_range(d, 4, 0, 8, 16, false), DEFRAG_WAITING);
	defrag_free(d);
}

static void not_a_fragment(void **state)
{
	struct defrag *d = defrag_new();
	struct piece p = piece(4, 1, 0, 16, false, 0);
	struct bytes b;

	(void)state;
	assert_int_equal(give(d, &p, 0, &b), DEFRAG_WHOLE);
	assert_ptr_equal(b.p, p.bytes);
	p = piece(6, 1, 0, 16, false, 0); /* an atomic fragment is complete, without its header */
	assert_int_equal(give(d, &p, 0, &b), DEFRAG_DONE);
	check_whole(6, b, 16);
	p = piece(4, 1, 0, 16, true, 0);
	for (size_t n = 0; n < p.n; n++) /* cut by the capture: decoding refuses it later */
		assert_int_equal(defrag_packet(d, bytes_of(p.bytes, n), (struct mono){ 0 }, &b), DEFRAG_WHOLE);
	p = piece(6, 1, 0, 16, true, 0);
	for (size_t n = 0; n < p.n; n++)
		assert_int_equal(defrag_packet(d, bytes_of(p.bytes, n), (struct mono){ 0 }, &b), DEFRAG_WHOLE);
	defrag_free(d);
}

static void link_headers(void **state)
{
	static const struct {
		enum link_kind kind;
		size_t n; /* bytes before the IP header */
		uint8_t head[32];
		uint8_t first; /* of the IP header */
		bool ip;
	} heads[] = {
		{ LINK_ETHERNET, 14, { [12] = 8, 0 }, 0x45, true },
		{ LINK_ETHERNET, 14, { [12] = 0x86, 0xdd }, 0x60, true },
		{ LINK_ETHERNET, 14, { [12] = 0x86, 0xdd }, 0x45, false },
		{ LINK_ETHERNET, 14, { [12] = 8, 6 }, 0x45, false },
		{ LINK_ETHERNET, 18, { [12] = 0x81, 0, 0, 5, 8, 0 }, 0x45, true },
		{ LINK_ETHERNET, 22, { [12] = 0x88, 0xa8, 0, 7, 0x81, 0, 0, 5, 0x86, 0xdd }, 0x60, true },
		{ LINK_ETHERNET, 22, { [12] = 0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0 }, 0x45, true },
		{ LINK_ETHERNET, 17, { [12] = 0, 40, 0x42, 0x42, 3 }, 0x45, false },
		{ LINK_COOKED, 16, { [14] = 8, 0 }, 0x45, true },
		{ LINK_COOKED, 20, { [14] = 0x81, 0, 0, 5, 8, 0 }, 0x45, true },
		{ LINK_COOKED2, 20, { 8, 0 }, 0x45, true },
		{ LINK_COOKED2, 20, { 0x86, 0xdd }, 0x60, true },
		{ LINK_RAW, 0, { 0 }, 0x45, true },
		{ LINK_RAW, 0, { 0 }, 0x60, true },
		{ LINK_RAW, 0, { 0 }, 0x50, false },
		{ LINK_NULL, 4, { 2 }, 0x45, true },
		{ LINK_NULL, 4, { 0, 0, 0, 30 }, 0x60, true },
		{ LINK_UNKNOWN, 0, { 0 }, 0x45, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		uint8_t frame[64] = { 0 };
		struct bytes ip;

		memcpy(frame, heads[i].head, heads[i].n);
		frame[heads[i].n] = heads[i].first;
		assert_int_equal(link_strip(heads[i].kind, bytes_of(frame, heads[i].n + 20), &ip), heads[i].ip);
		if (heads[i].ip) {
			assert_ptr_equal(ip.p, frame + heads[i].n);
			assert_int_equal(ip.left, 20);
		}
		for (size_t n = 0; n <= heads[i].n; n++) {
			uint8_t *cut = test_malloc(n + 1);

			memcpy(cut, frame, n);
			assert_false(link_strip(heads[i].kind, bytes_of(cut, n), &ip));
			test_free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order),	     cmocka_unit_test(overlaps),
		cmocka_unit_test(impossible_pieces), cmocka_unit_test(datagrams_are_apart),
		cmocka_unit_test(time_and_room),     cmocka_unit_test(not_a_fragment),
		cmocka_unit_test(link_headers),
	};

	for (size_t i = 0; i < DATA; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

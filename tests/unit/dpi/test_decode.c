/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of both families: valid ones, every truncation, every bit turned, wrong lengths.
 *
 * LINK: dpi/decode.c appliance/base/bytes.c appliance/base/addr.c
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/decode.h"

static uint8_t p[70000];

static uint32_t sum16(uint32_t sum, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(uint8_t *b, size_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* Builds a packet of `proto` with n bytes after the transport header into p; returns its length. */
static size_t build(uint8_t family, uint8_t proto, size_t n)
{
	size_t h = family == 4 ? 20 : 40, t = proto == 6 ? 20 : 8, at = proto == 6 ? 16 : proto == 17 ? 6 : 2;
	uint8_t tail[4] = { 0, proto, (uint8_t)((t + n) >> 8), (uint8_t)(t + n) };
	uint32_t sum;

	memset(p, 0, h + t);
	for (size_t i = 0; i < n; i++)
		p[h + t + i] = (uint8_t)(i * 31u + 7u);
	if (family == 4) {
		p[0] = 0x45;
		put16(p + 2, h + t + n);
		p[8] = 64;
		p[9] = proto;
		memcpy(p + 12, "\x0a\x14\x00\x0a\x0a\x1e\x01\x0a", 8);
		put16(p + 10, ~sum16(0, p, 20) & 0xffff);
		sum = sum16(0, p + 12, 8);
	} else {
		p[0] = 0x60;
		put16(p + 4, t + n);
		p[6] = proto;
		p[7] = 64;
		memcpy(p + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 32);
		sum = sum16(0, p + 8, 32);
	}
	if (proto == 1 || proto == 58) {
		p[h] = proto == 1 ? 8 : 128;
	} else {
		put16(p + h, 40001);
		put16(p + h + 2, 502);
	}
	if (proto == 6) {
		memcpy(p + h + 4, "\x01\x02\x03\x04\x05\x06\x07\x08\x50\x18", 10);
	} else if (proto == 17) {
		put16(p + h + 4, t + n);
	}
	put16(p + h + at, ~sum16(proto == 1 ? 0 : sum16(sum, tail, 4), p + h, t + n) & 0xffff);
	return h + t + n;
}

/* Decodes a heap copy of exactly this size. */
static enum reason decode(size_t n, enum checksum_rule rule, struct decoded *d)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum reason r;

	assert_non_null(copy);
	memcpy(copy, p, n);
	r = decode_packet(bytes_of(copy, n), rule, d);
	free(copy);
	return r;
}

static const struct {
	uint8_t family, proto;
} kinds[] = { { 4, 6 }, { 4, 17 }, { 4, 1 }, { 6, 6 }, { 6, 17 }, { 6, 58 } };

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void good_ones(void **state)
{
	struct decoded d;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t n = 0; n < 200; n++) {
			size_t size = build(kinds[k].family, kinds[k].proto, n);

			assert_int_equal(decode(size, CHECKSUM_STRICT, &d), R_NONE);
			assert_int_equal(d.payload.left, n);
			assert_int_equal(d.l4proto, kinds[k].proto);
			assert_int_equal(d.src.family, kinds[k].family);
			assert_false(d.bad_checksum);
		}
	}
	build(4, 6, 10);
	decode(50, CHECKSUM_STRICT, &d);
	assert_int_equal(d.sport, 40001);
	assert_int_equal(d.dport, 502);
	assert_int_equal(d.seq, 0x01020304);
	assert_int_equal(d.ack, 0x05060708);
	assert_int_equal(d.tcp_flags, TCP_ACK | TCP_PSH);
	assert_memory_equal(d.dst.b, "\x0a\x1e\x01\x0a", 4);
}

static void truncations(void **state)
{
	struct decoded d;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		size_t size = build(kinds[k].family, kinds[k].proto, 24);

		for (size_t n = 0; n < size; n++)
			assert_int_not_equal(decode(n, CHECKSUM_UNREADY, &d), R_NONE);
	}
}

/* Ethernet padding behind a short packet is not part of it. */
static void padding(void **state)
{
	struct decoded d;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		size_t size = build(kinds[k].family, kinds[k].proto, 5);

		memset(p + size, 0xaa, 30);
		assert_int_equal(decode(size + 30, CHECKSUM_STRICT, &d), R_NONE);
		assert_int_equal(d.payload.left, 5);
		assert_int_equal(d.ip.left, size);
	}
}

/* Any single bit is inverted: the checksum or a length notices it, except in the few fields that no
 * checksum covers. */
static void every_bit(void **state)
{
	struct decoded d;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t bit = 0; bit < 8 * 90; bit++) {
			size_t size = build(kinds[k].family, kinds[k].proto, 30);
			size_t byte = bit / 8;
			bool covered = kinds[k].family == 4 || byte >= 8;

			if (byte >= size)
				break;
			/* No single inverted bit makes this UDP checksum 0, which in IPv4 means
			 * that there is none. */
			p[byte] ^= (uint8_t)(1u << bit % 8);
			if (covered)
				assert_int_not_equal(decode(size, CHECKSUM_STRICT, &d), R_NONE);
			else
				decode(size, CHECKSUM_STRICT, &d);
		}
	}
}

static void checksum_rules(void **state)
{
	struct decoded d;
	size_t size = build(4, 6, 30);

	(void)state;
	p[size - 1] ^= 1;
	assert_int_equal(decode(size, CHECKSUM_STRICT, &d), R_CHECKSUM);
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_NONE);
	assert_false(d.bad_checksum);
	assert_int_equal(decode(size, CHECKSUM_FLAG, &d), R_NONE);
	assert_true(d.bad_checksum);
	build(4, 17, 30);
	put16(p + 26, 0);
	assert_int_equal(decode(58, CHECKSUM_STRICT, &d), R_NONE); /* IPv4: none was computed */
	build(6, 17, 30);
	put16(p + 46, 0);
	/* over IPv6 a UDP checksum is required */
	assert_int_equal(decode(78, CHECKSUM_STRICT, &d), R_CHECKSUM);
	/* The checksum of the IPv4 header itself is never offloaded on receipt. */
	size = build(4, 6, 30);
	p[8] ^= 1;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_CHECKSUM);
}

static void fix4(void)
{
	put16(p + 10, 0);
	put16(p + 10, ~sum16(0, p, 20) & 0xffff);
}

static void options_and_fragments(void **state)
{
	static const uint8_t extensions[] = { 0, 43, 60, 135, 139, 140 };
	struct decoded d;
	size_t size = build(4, 6, 30);

	(void)state;
	p[0] = 0x46;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_IP_OPTIONS);
	p[0] = 0x44;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_MALFORMED_IP);
	for (unsigned bits = 1; bits < 0x4000; bits <<= 1) {
		size = build(4, 6, 30);
		put16(p + 6, bits);
		fix4();
		assert_int_equal(decode(size, CHECKSUM_STRICT, &d), R_FRAGMENT);
	}
	size = build(4, 6, 30);
	put16(p + 6, 0x4000); /* don't fragment */
	fix4();
	assert_int_equal(decode(size, CHECKSUM_STRICT, &d), R_NONE);
	for (size_t i = 0; i < sizeof(extensions); i++) {
		size = build(6, 6, 30);
		p[6] = extensions[i];
		assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_IP_OPTIONS);
	}
	size = build(6, 6, 30);
	p[6] = 44;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_FRAGMENT);
}

static void lengths_that_lie(void **state)
{
	struct decoded d;
	size_t size;

	(void)state;
	/* a total length that is shorter than what the packet carries */
	for (unsigned total = 0; total < 50; total++) {
		size = build(4, 17, 30);
		put16(p + 2, total);
		fix4();
		assert_int_not_equal(decode(size, CHECKSUM_UNREADY, &d), R_NONE);
	}
	for (unsigned length = 0; length < 100; length++) {
		size = build(4, 17, 30);
		put16(p + 24, length);
		assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), length == 38 ? R_NONE : R_MALFORMED_UDP);
	}
	for (unsigned offset = 0; offset < 16; offset++) {
		size = build(4, 6, 30);
		p[32] = (uint8_t)(offset << 4);
		assert_int_equal(decode(size, CHECKSUM_UNREADY, &d),
				 offset >= 5 && offset * 4 <= 50 ? R_NONE : R_MALFORMED_TCP);
	}
	/* A GSO packet above 64 kB states no length. */
	size = build(4, 6, 30);
	put16(p + 2, 0);
	fix4();
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_MALFORMED_IP);
	size = build(4, 6, 65535 - 40);
	assert_int_equal(decode(size, CHECKSUM_STRICT, &d), R_NONE);
	/* An ICMP version that does not belong to the IP version. */
	size = build(4, 6, 30);
	p[9] = 58;
	fix4();
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_MALFORMED_IP);
}

static void tcp_options(void **state)
{
	struct decoded d;
	size_t size = build(4, 6, 12);

	(void)state;
	p[32] = 8 << 4; /* the last 12 bytes of the header are options now */
	p[33] = 2;
	memcpy(p + 40, "\x02\x04\x05\xb4\x01\x1e\x04\x00\x01\x00\x00\x00", 12);
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_NONE);
	assert_true(d.multipath);
	p[45] = 8; /* the option is timestamps instead, but with a length that is too big */
	p[46] = 10;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_MALFORMED_TCP);
	p[46] = 1;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_MALFORMED_TCP);
	p[46] = 0;
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_MALFORMED_TCP);
	p[33] = 0x10; /* only a SYN negotiates */
	assert_int_equal(decode(size, CHECKSUM_UNREADY, &d), R_NONE);
	assert_false(d.multipath);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),	    cmocka_unit_test(truncations),
		cmocka_unit_test(padding),	    cmocka_unit_test(every_bit),
		cmocka_unit_test(checksum_rules),   cmocka_unit_test(options_and_fragments),
		cmocka_unit_test(lengths_that_lie), cmocka_unit_test(tcp_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/gate/reset.c appliance/base/addr.c appliance/base/bytes.c appliance/base/err.c
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/gate/reset.h"

static struct reset make(const char *from, const char *to)
{
	struct reset r = { .source_port = 502, .destination_port = 40000, .seq = 0xfffffff0u, .ack = 0x01020304u };

	assert_true(addr_parse(from, &r.source));
	assert_true(addr_parse(to, &r.destination));
	return r;
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	return sum;
}

static uint32_t fold(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

/* The check of a receiver: everything, the checksum included, adds up to all ones. */
static void checksums_hold(const uint8_t *p, size_t len)
{
	size_t ip = p[0] >> 4 == 4 ? 20 : 40;
	uint32_t sum = 6 + (uint32_t)(len - ip);

	if (ip == 20)
		assert_int_equal(fold(add(0, p, 20)), 0xffff);
	sum = ip == 20 ? add(sum, p + 12, 8) : add(sum, p + 8, 32);
	assert_int_equal(fold(add(sum, p + ip, len - ip)), 0xffff);
}

static void ipv4(void **state)
{
	/* Computed independently: 10.20.0.10:502 > 10.30.1.10:40000, RST, seq 4294967280. */
	static const uint8_t start[] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6 };
	static const uint8_t tcp[] = { 0x01, 0xf6, 0x9c, 0x40, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0, 0x50, 0x04, 0, 0 };
	struct reset r = make("10.20.0.10", "10.30.1.10");
	uint8_t p[RESET_MAX];

	(void)state;
	assert_int_equal(reset_build(&r, p), 40);
	assert_memory_equal(p, start, sizeof(start));
	assert_memory_equal(p + 12, "\x0a\x14\x00\x0a\x0a\x1e\x01\x0a", 8);
	assert_memory_equal(p + 20, tcp, sizeof(tcp));
	assert_memory_equal(p + 38, "\0\0", 2);
	checksums_hold(p, 40);
}

static void ipv6_with_ack(void **state)
{
	struct reset r = make("2001:db8:10::1", "2001:db8:20::2");
	uint8_t p[RESET_MAX];

	(void)state;
	r.with_ack = true;
	assert_int_equal(reset_build(&r, p), 60);
	assert_memory_equal(p, "\x60\0\0\0\0\x14\x06\x40", 8);
	assert_memory_equal(p + 8, r.source.b, 16);
	assert_memory_equal(p + 24, r.destination.b, 16);
	assert_memory_equal(p + 48, "\x01\x02\x03\x04\x50\x14", 6);
	checksums_hold(p, 60);
}

static void checksums_of_many(void **state)
{
	uint64_t x = 1;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		struct reset r = { .with_ack = n & 1 };
		uint8_t p[RESET_MAX];
		uint8_t *b = (uint8_t *)&x;

		x = x * 6364136223846793005u + 1442695040888963407u;
		r.source.family = r.destination.family = n & 2 ? 4 : 6;
		for (unsigned i = 0; i < (n & 2 ? 4u : 16u); i++) {
			r.source.b[i] = b[i % 8];
			r.destination.b[i] = b[(i + 3) % 8];
		}
		r.seq = (uint32_t)x;
		r.ack = (uint32_t)(x >> 32);
		r.source_port = (uint16_t)(x >> 7);
		r.destination_port = (uint16_t)(x >> 13);
		checksums_hold(p, reset_build(&r, p));
	}
}

static void families_must_agree(void **state)
{
	struct reset r = make("10.0.0.1", "2001:db8::1");
	uint8_t p[RESET_MAX];

	(void)state;
	assert_int_equal(reset_build(&r, p), 0);
	assert_true(reset_send(-1, &r, 0) < 0);
	r.source.family = r.destination.family = 0;
	assert_int_equal(reset_build(&r, p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6_with_ack),
		cmocka_unit_test(checksums_of_many),
		cmocka_unit_test(families_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames that tell hosts a hardware address, byte for byte, by RFC 826, 5227 and 4861.
 *
 * LINK: appliance/box/announce.c appliance/box/netns.c appliance/base/addr.c appliance/base/bytes.c
 * LINK: appliance/base/err.c
 */
#include "tests/unit/cmocka.h"

#include "appliance/box/announce.h"

static const uint8_t mac[6] = { 0x02, 0, 0, 0, 0xaa, 0x01 };

static void arp_is_announced(void **state)
{
	static const uint8_t want[] = {
		/* to everybody */
		0xff,
		0xff,
		0xff,
		0xff,
		0xff,
		0xff,
		0x02,
		0,
		0,
		0,
		0xaa,
		/* Ethernet, IPv4, a request */
		0x01,
		0x08,
		0x06,
		0,
		1,
		8,
		0,
		6,
		4,
		0,
		1,
		0x02,
		0,
		0,
		0,
		0xaa,
		0x01,
		10,
		30,
		0,
		10, /* from the host's address ... */
		/* ... or with no sender, for an address of the box itself */
		0,
		0,
		0,
		0,
		0,
		0,
		10,
		30,
		0,
		10,
	};
	uint8_t frame[ANNOUNCE_FRAME];
	struct addr host;

	(void)state;
	assert_true(addr_parse("10.30.0.10", &host));
	assert_int_equal(announce_frame(&host, true, mac, frame), sizeof(want));
	assert_memory_equal(frame, want, sizeof(want));
}

static void advertisement_overrides(void **state)
{
	uint8_t frame[ANNOUNCE_FRAME], pseudo[8] = { 0, 0, 0, 32, 0, 0, 0, 58 };
	uint32_t sum = 0;
	struct addr host;

	(void)state;
	assert_true(addr_parse("2001:db8:30::10", &host));
	assert_int_equal(announce_frame(&host, false, mac, frame), 86);
	assert_memory_equal(frame, "\x33\x33\0\0\0\1\x02\0\0\0\xaa\x01\x86\xdd\x60\0\0\0\0\x20\x3a\xff", 22);
	assert_memory_equal(frame + 22, host.b, 16);
	assert_memory_equal(frame + 38, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	assert_memory_equal(frame + 54, "\x88\0", 2);
	assert_memory_equal(frame + 58, "\x20\0\0\0", 4);
	assert_memory_equal(frame + 62, host.b, 16);
	assert_memory_equal(frame + 78, "\2\1\x02\0\0\0\xaa\x01", 8);
	/* The sum of all words, the checksum included, is all ones. */
	for (size_t i = 0; i < 8; i += 2)
		sum += (uint32_t)(pseudo[i] << 8 | pseudo[i + 1]);
	for (size_t i = 22; i < 86; i += 2)
		sum += (uint32_t)(frame[i] << 8 | frame[i + 1]);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
	/* In advertisements for its own addresses the box stays a router. */
	announce_frame(&host, true, mac, frame);
	assert_memory_equal(frame + 58, "\xa0\0\0\0", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_is_announced),
		cmocka_unit_test(advertisement_overrides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

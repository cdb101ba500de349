/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that were heard: from the neighbour table, from ARP and from dropped packets; each once
 * in half a minute, and a limited number a second for each interface. Invalid messages give no
 * device.
 *
 * LINK: $(TAP_PARTS)
 * LIBS: jansson nettle libmnl libseccomp libcap-ng
 */
#include "tests/unit/cmocka.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/tap/tap.h"

#define SECOND 1000000000ull

static const uint8_t card[6] = { 2, 0, 0, 0, 0, 9 }, host4[4] = { 10, 0, 0, 9 };

struct message {
	uint8_t b[512];
	size_t n;
};

static void put(struct message *m, const void *p, size_t n)
{
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

static void put_attr(struct message *m, uint16_t type, const void *p, size_t n)
{
	const uint16_t head[2] = { (uint16_t)(n + 4), type };
	const uint8_t zeros[4] = { 0 };

	put(m, head, sizeof(head));
	put(m, p, n);
	put(m, zeros, (4 - n % 4) % 4);
}

static struct message neighbour(uint16_t type, uint8_t family, uint16_t state, uint8_t flags, const uint8_t mac[6])
{
	const uint8_t six[16] = { 0xfe, 0x80, [15] = 9 };
	const struct ndmsg n = { .ndm_family = family, .ndm_ifindex = 3, .ndm_state = state, .ndm_flags = flags };
	struct message m = { .n = 16 };
	uint32_t length;

	put(&m, &n, sizeof(n));
	put_attr(&m, NDA_DST, family == AF_INET ? host4 : six, family == AF_INET ? 4 : 16);
	put_attr(&m, NDA_LLADDR, mac, 6);
	length = (uint32_t)m.n;
	memcpy(m.b, &length, 4);
	memcpy(m.b + 4, &type, 2);
	return m;
}

static bool hears(struct message m, struct sighting *ret)
{
	struct bytes b = bytes_of(m.b, m.n);
	uint64_t malformed = 0;
	bool heard = tap_neighbour_next(&b, ret, &malformed);

	assert_int_equal(malformed, 0);
	assert_int_equal(b.left, 0);
	return heard;
}

static void the_neighbour_table(void **state)
{
	static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 }, none[6] = { 0 };
	struct message m = neighbour(RTM_NEWNEIGH, AF_INET, NUD_STALE, 0, card);
	struct sighting s;

	(void)state;
	assert_true(hears(m, &s));
	assert_int_equal(s.iif, 3);
	assert_memory_equal(s.mac, card, 6);
	assert_int_equal(s.address.family, 4);
	assert_memory_equal(s.address.b, host4, 4);
	assert_true(hears(neighbour(RTM_NEWNEIGH, AF_INET6, NUD_REACHABLE, NTF_ROUTER, card), &s));
	assert_int_equal(s.address.family, 6);
	assert_false(hears(neighbour(RTM_DELNEIGH, AF_INET, NUD_STALE, 0, card), &s));
	assert_false(hears(neighbour(RTM_NEWNEIGH, AF_INET, NUD_FAILED, 0, card), &s));
	assert_false(hears(neighbour(RTM_NEWNEIGH, AF_INET, NUD_PERMANENT, 0, card), &s));
	assert_false(hears(neighbour(RTM_NEWNEIGH, AF_INET, NUD_STALE, NTF_PROXY, card), &s));
	assert_false(hears(neighbour(RTM_NEWNEIGH, AF_BRIDGE, NUD_REACHABLE, 0, card), &s));
	assert_false(hears(neighbour(RTM_NEWNEIGH, AF_INET, NUD_STALE, 0, group), &s));
	assert_false(hears(neighbour(RTM_NEWNEIGH, AF_INET, NUD_STALE, 0, none), &s));
	/* A message that is cut anywhere is damaged or names no device, and is never read beyond
	 * its end. */
	for (size_t n = 0; n < m.n; n++) {
		struct bytes b = bytes_of(m.b, n);
		uint64_t malformed = 0;

		assert_false(tap_neighbour_next(&b, &s, &malformed));
		assert_int_equal(malformed, 1);
		assert_int_equal(b.left, 0);
	}
}

static struct sighting arp(const void *bytes, size_t n, const uint8_t *frame)
{
	return tap_arp(bytes_of(bytes, n), 3, frame);
}

static void arp_says_whose_it_is(void **state)
{
	uint8_t p[28] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9 };
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 7 };
	struct sighting s = arp(p, sizeof(p), card);

	(void)state;
	assert_true(s.is && s.iif == 3 && memcmp(s.mac, card, 6) == 0 && s.address.family == 4);
	/* The MAC address in ARP counts, not that of the frame: a router may announce a
	 * virtual one. */
	assert_memory_equal(arp(p, sizeof(p), other).mac, card, 6);
	memset(p + 14, 0, 4);
	assert_true(arp(p, sizeof(p), card).is);
	assert_int_equal(arp(p, sizeof(p), card).address.family, 0);
	/* A message that is cut or of another kind shows a device without an address. */
	for (size_t n = 0; n < 18; n++) {
		s = arp(p, n, other);
		assert_true(s.is && memcmp(s.mac, other, 6) == 0 && s.address.family == 0);
		assert_false(arp(p, n, NULL).is);
	}
	p[5] = 16;
	assert_memory_equal(arp(p, sizeof(p), other).mac, other, 6);
}

/* A message as the kernel logs it: the family, then the attributes of type 4 (interface), 8 (MAC
 * address) and 9 (packet). */
static struct message logged(uint8_t family, const uint8_t *packet, size_t n)
{
	const uint8_t head[4] = { family, 0, 0, 1 }, index[4] = { 0, 0, 0, 7 };
	const uint8_t hardware[12] = { 0, 6, 0, 0, 2, 0, 0, 0, 0, 9 };
	const uint16_t type = 4 << 8;
	struct message m = { .n = 16 };
	uint32_t length;

	put(&m, head, 4);
	put_attr(&m, 4, index, 4);
	put_attr(&m, 8, hardware, sizeof(hardware));
	put_attr(&m, 9, packet, n);
	length = (uint32_t)m.n;
	memcpy(m.b, &length, 4);
	memcpy(m.b + 4, &type, 2);
	return m;
}

static void what_is_dropped_says_who_sent_it(void **state)
{
	static const uint8_t four[20] = { 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 1, 0, 2 };
	static const uint8_t six[40] = { 0x60, [6] = 59, [8] = 0xfe, [9] = 0x80, [23] = 5, [24] = 0xff, [25] = 2 };
	static const uint8_t arp_packet[28] = { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 8, 10, 0, 0, 8 };
	struct message m = logged(2, four, sizeof(four));
	struct bytes b = bytes_of(m.b, m.n);
	struct tap t = { 0 };
	struct event e;

	(void)state;
	assert_true(tap_next(&t, &b, &e));
	assert_true(t.seen.is && t.seen.iif == 7 && memcmp(t.seen.mac, card, 6) == 0);
	assert_int_equal(t.seen.address.family, 0);
	m = logged(10, six, sizeof(six));
	b = bytes_of(m.b, m.n);
	assert_true(tap_next(&t, &b, &e));
	assert_int_equal(t.seen.address.family, 6);
	m = logged(3, arp_packet, sizeof(arp_packet));
	b = bytes_of(m.b, m.n);
	assert_false(tap_next(&t, &b, &e));
	assert_true(t.seen.is && t.seen.mac[5] == 8 && t.seen.address.b[3] == 8);
	assert_int_equal(t.records, 2);
}

static void once_and_in_its_pace(void **state)
{
	static struct sighted s;
	struct sighting who = { .is = true, .iif = 3, .mac = { 2, 0, 0, 0, 0, 1 } }, nobody = { 0 };
	struct event e;
	unsigned told = 0;

	(void)state;
	assert_false(sighted_in(&s, &nobody, SECOND, &e));
	assert_true(sighted_in(&s, &who, SECOND, &e));
	assert_int_equal(e.kind, EVENT_DEVICE);
	assert_int_equal(e.code, DEVICE_SEEN);
	assert_int_equal(e.value, 0x020000000001);
	assert_int_equal(e.iif, 3);
	assert_false(sighted_in(&s, &who, 20 * SECOND, &e));
	assert_true(sighted_in(&s, &who, (1 + SIGHTED_AGAIN_S) * SECOND, &e));
	who.address = (struct addr){ .family = 4, .b = { 10, 0, 0, 1 } };
	assert_true(sighted_in(&s, &who, (1 + SIGHTED_AGAIN_S) * SECOND, &e));
	sighted_anew(&s);
	assert_true(sighted_in(&s, &who, (1 + SIGHTED_AGAIN_S) * SECOND, &e));
	assert_false(sighted_owes(&s));
	for (unsigned n = 0; n < 1000; n++) {
		who.mac[4] = (uint8_t)(n >> 8);
		who.mac[5] = (uint8_t)n;
		told += sighted_in(&s, &who, 100 * SECOND, &e);
	}
	assert_int_equal(told, SIGHTED_PACE);
	/* Another interface has a limit of its own. */
	who.iif = 4;
	assert_true(sighted_in(&s, &who, 100 * SECOND, &e));
	assert_true(sighted_owes(&s));
	assert_true(sighted_over(&s, &e));
	assert_int_equal(e.iif, 3);
	assert_int_equal(e.value, 0);
	assert_int_equal(e.count, 1000 - SIGHTED_PACE);
	assert_false(sighted_over(&s, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_neighbour_table),
		cmocka_unit_test(arp_says_whose_it_is),
		cmocka_unit_test(what_is_dropped_says_who_sent_it),
		cmocka_unit_test(once_and_in_its_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

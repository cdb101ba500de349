/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NFLOG datagrams as event records: the reason from the prefix, the ends from the packet, the exact
 * number of losses from the kernel's sequence numbers.
 *
 * LINK: $(TAP_PARTS)
 * LIBS: jansson nettle libmnl libseccomp libcap-ng
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/tap/tap.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/reason.h"

struct datagram {
	uint8_t b[1024];
	size_t n;
};

static void put(struct datagram *d, const void *p, size_t n)
{
	memcpy(d->b + d->n, p, n);
	d->n += n;
}

static void put_attr(struct datagram *d, uint16_t type, const void *p, size_t n)
{
	uint16_t head[2] = { (uint16_t)(n + 4), type };
	const uint8_t zeros[4] = { 0 };

	put(d, head, sizeof(head));
	put(d, p, n);
	put(d, zeros, (4 - n % 4) % 4);
}

static void put_attr32(struct datagram *d, uint16_t type, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	put_attr(d, type, b, sizeof(b));
}

/* Appends one log message. Attribute numbers are the kernel's: 2 mark, 4 interface, 9 packet, 10
 * prefix, 12 sequence. */
static void put_record(struct datagram *d, const char *prefix, uint32_t mark, uint32_t seq, const uint8_t *packet,
		       size_t n)
{
	size_t start = d->n;
	uint32_t head[4] = { 0 };
	uint16_t type = 4 << 8;

	put(d, head, sizeof(head));
	memcpy(d->b + start + 4, &type, sizeof(type));
	put(d, (const uint8_t[]){ 2, 0, 0, 1 }, 4);
	put_attr(d, 10, prefix, strlen(prefix) + 1);
	put_attr32(d, 2, mark);
	put_attr32(d, 4, 7);
	put_attr32(d, 12, seq);
	put_attr(d, 9, packet, n);
	head[0] = (uint32_t)(d->n - start);
	memcpy(d->b + start, head, 4);
}

static const uint8_t tcp4[] = {
	0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 1, 0, 2, 0x9c, 0x40, 0x01, 0xf6, 0, 0, 0, 1,
};

static struct event one(const char *prefix, uint32_t mark, const uint8_t *packet, size_t n)
{
	struct datagram d = { .n = 0 };
	struct tap t = { 0 };
	struct event e;
	struct bytes b;

	put_record(&d, prefix, mark, 1, packet, n);
	b = bytes_of(d.b, d.n);
	assert_true(tap_next(&t, &b, &e));
	assert_int_equal(b.left, 0);
	assert_int_equal(t.malformed, 0);
	return e;
}

static void tuple_and_reason(void **state)
{
	struct event e = one("no_conduit", mark_make(77, 3, MARK_UNJUDGED), tcp4, sizeof(tcp4));

	(void)state;
	assert_int_equal(e.kind, EVENT_DROP);
	assert_int_equal(e.verdict, EV_DENY);
	assert_int_equal(e.reason, R_NO_CONDUIT);
	assert_int_equal(e.permit, 77);
	assert_int_equal(e.iif, 7);
	assert_int_equal(e.l4proto, 6);
	assert_int_equal(e.client_port, 40000);
	assert_int_equal(e.server_port, 502);
	assert_int_equal(e.client.b[3], 1);
	assert_int_equal(e.server.b[1], 1);
	assert_int_equal(e.count, 1);
	e = one("unanswered.open", 0, tcp4, sizeof(tcp4));
	assert_int_equal(e.reason, R_DOWN_OPEN);
	assert_int_equal(e.verdict, EV_ALLOW);
	e = one("something else", 0, tcp4, sizeof(tcp4));
	assert_int_equal(e.reason, R_NONE);
}

/* Before a packet has a permit, its mark may hold the number of the interface at which it came
 * in. */
static void an_interface_is_no_permit(void **state)
{
	struct event e = one("no_conduit", 7, tcp4, sizeof(tcp4));

	(void)state;
	assert_int_equal(e.permit, 0);
	e = one("spoofed", 7, tcp4, sizeof(tcp4));
	assert_int_equal(e.permit, 0);
	e = one("unanswered.closed", mark_make(7, 3, MARK_GOOD), tcp4, sizeof(tcp4));
	assert_int_equal(e.permit, 7);
}

static void packets_that_say_little(void **state)
{
	uint8_t p[sizeof(tcp4)];
	struct event e;

	(void)state;
	memcpy(p, tcp4, sizeof(p));
	p[7] = 5; /* a later fragment: it has no ports */
	e = one("no_conduit", 0, p, sizeof(p));
	assert_int_equal(e.client.family, 4);
	assert_int_equal(e.server_port, 0);
	memcpy(p, tcp4, sizeof(p));
	p[0] = 0x4f; /* IP options that are longer than the packet */
	e = one("no_conduit", 0, p, sizeof(p));
	assert_int_equal(e.l4proto, 6);
	assert_int_equal(e.server_port, 0);
	e = one("no_conduit", 0, tcp4, 22); /* cut in the ports */
	assert_int_equal(e.client_port, 0);
	assert_int_equal(e.server_port, 0);
	e = one("no_conduit", 0, tcp4, 13); /* cut in the addresses */
	assert_int_equal(e.client.family, 0);
	e = one("no_conduit", 0, tcp4, 0);
	assert_int_equal(e.client.family, 0);
}

static void ipv6_extensions(void **state)
{
	uint8_t p[40 + 8 + 8 + 8] = { 0x60, 0, 0, 0, 0, 24, 0, 64 };
	struct event e;

	(void)state;
	p[8] = 0x20;
	p[23] = 1;
	p[24] = 0x20;
	p[39] = 2;
	p[40] = 44; /* hop-by-hop, then fragment, then UDP */
	p[48] = 17;
	p[56] = 0x12;
	p[59] = 53;
	e = one("ip_options", 0, p, sizeof(p));
	assert_int_equal(e.client.family, 6);
	assert_int_equal(e.client.b[15], 1);
	assert_int_equal(e.l4proto, 17);
	assert_int_equal(e.client_port, 0x1200);
	assert_int_equal(e.server_port, 53);
	p[51] = 8; /* not the first fragment */
	e = one("ip_options", 0, p, sizeof(p));
	assert_int_equal(e.l4proto, 17);
	assert_int_equal(e.server_port, 0);
	p[51] = 0;
	p[48] = 58;
	p[56] = 135;
	e = one("ip_options", 0, p, sizeof(p));
	assert_int_equal(e.server_port, 135 << 8);
}

static void losses_are_exact(void **state)
{
	static const uint32_t seq[] = { 5, 6, 9, 10, 4, 5, 0xffffffff };
	struct datagram d = { .n = 0 };
	struct tap t = { 0 };
	struct event e;
	struct bytes b;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		put_record(&d, "invalid", 0, seq[i], tcp4, sizeof(tcp4));
	b = bytes_of(d.b, d.n);
	for (size_t i = 0; i < 4; i++)
		assert_true(tap_next(&t, &b, &e));
	assert_int_equal(t.lost, 2);
	/* The kernel's counter begins again: nothing was lost. */
	d.n = 0;
	put_record(&d, "invalid", 0, seq[4], tcp4, sizeof(tcp4));
	put_record(&d, "invalid", 0, seq[5], tcp4, sizeof(tcp4));
	b = bytes_of(d.b, d.n);
	assert_true(tap_next(&t, &b, &e) && tap_next(&t, &b, &e));
	assert_int_equal(t.lost, 2);
	assert_int_equal(t.records, 6);
}

static void chatter_is_no_event(void **state)
{
	static const struct {
		const char *server;
		enum reason reason;
		bool chatter;
	} cases[] = {
		{ "ff02::16", R_IP_OPTIONS, true },   { "224.0.0.22", R_IP_OPTIONS, true },
		{ "224.0.0.251", R_SELF, true },      { "ff02::16", R_SELF_OUT, true },
		{ "ff02::16", R_NO_CONDUIT, false },  { "ff05::2", R_SELF, false },
		{ "224.0.1.1", R_IP_OPTIONS, false }, { "10.0.0.1", R_SELF, false },
		{ "fe80::1", R_SELF, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event e = { .reason = (uint16_t)cases[i].reason };

		assert_true(addr_parse(cases[i].server, &e.server));
		assert_int_equal(tap_is_chatter(&e), cases[i].chatter);
	}
	assert_false(tap_is_chatter(&(struct event){ .reason = R_SELF }));
}

static void lies_end_the_datagram(void **state)
{
	struct datagram d = { .n = 0 };
	struct tap t = { 0 };
	struct event e;

	(void)state;
	put_record(&d, "invalid", 0, 1, tcp4, sizeof(tcp4));
	for (size_t cut = 0; cut < d.n; cut++) {
		struct bytes b = bytes_of(d.b, cut);

		while (b.left > 0) {
			size_t before = b.left;

			assert_false(tap_next(&t, &b, &e) && cut < d.n);
			assert_true(b.left < before);
		}
	}
	assert_true(t.malformed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tuple_and_reason),	     cmocka_unit_test(packets_that_say_little),
		cmocka_unit_test(an_interface_is_no_permit), cmocka_unit_test(ipv6_extensions),
		cmocka_unit_test(losses_are_exact),	     cmocka_unit_test(lies_end_the_datagram),
		cmocka_unit_test(chatter_is_no_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

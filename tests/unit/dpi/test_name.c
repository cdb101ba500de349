/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nDPI through dpi/name.h: which protocols the linked library names, that ports alone are no proof,
 * and that its memory is limited.
 *
 * LINK: dpi/name.c dpi/recognise.c dpi/%/frame.c dpi/opcua/builtin.c dpi/forms/%.c
 * LINK: appliance/wire/protocols.c appliance/base/bytes.c appliance/base/sha256.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include <ndpi_api.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dpi/name.h"
#include "dpi/recognise.h"

static uint8_t packet[2048];

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* IPv4 with a transport header; the checksums are 0, because the library does not check them. */
static struct bytes build(uint8_t proto, uint16_t client, uint16_t server, enum direction dir, uint32_t seq,
			  const void *payload, size_t n)
{
	size_t h = proto == 6 ? 20 : 8;
	uint8_t *t = packet + 20;

	memset(packet, 0, sizeof(packet));
	packet[0] = 0x45;
	put16(packet + 2, 20 + h + n);
	packet[8] = 64;
	packet[9] = proto;
	memcpy(packet + 12, dir == DIR_C2S ? "\x0a\x14\x00\x0a" : "\x0a\x1e\x01\x0a", 4);
	memcpy(packet + 16, dir == DIR_C2S ? "\x0a\x1e\x01\x0a" : "\x0a\x14\x00\x0a", 4);
	put16(t, dir == DIR_C2S ? client : server);
	put16(t + 2, dir == DIR_C2S ? server : client);
	if (proto == 6) {
		put16(t + 4, seq >> 16);
		put16(t + 6, seq & 0xffff);
		put16(t + 10, 1);
		t[12] = 5 << 4;
		t[13] = 0x18;
	} else {
		put16(t + 4, 8 + n);
	}
	memcpy(t + h, payload, n);
	return bytes_of(packet, 20 + h + n);
}

/* Whether the library confirms what our own recogniser says about the packet, as the inspector asks
 * it. */
static bool bears_out(enum protocol p, uint8_t proto, struct bytes b)
{
	return protocol_info(p)->depth == DEPTH_NDPI ||
	       (proto == 6 &&
		recognise(p, DIR_C2S, bytes_of(b.p, b.left < RECOGNISE_MAX ? b.left : RECOGNISE_MAX)) == RECOGNISED);
}

/* What the library says about one packet, and about its contents. */
static struct name_answer told(struct namer *n, uint8_t proto, uint16_t port, const char *payload, size_t size)
{
	uint32_t slot = name_open(n);
	struct name_answer a =
		name_packet(n, slot, DIR_C2S, build(proto, 40123, port, DIR_C2S, 1000, payload, size), 1000);

	name_close(n, slot);
	return a;
}

static enum protocol ask(struct namer *n, uint8_t proto, uint16_t port, const char *payload, size_t size)
{
	struct name_answer a = told(n, proto, port, payload, size);

	return a.named && bears_out(a.protocol, proto, bytes_of(payload, size)) ? a.protocol : PROTO_NONE;
}

static int setup(void **state)
{
	*state = namer_new(64);
	return *state == NULL;
}

static int teardown(void **state)
{
	namer_free(*state);
	return 0;
}

/* A policy may only name protocols that the library can recognise. */
static void every_library_name_exists(void **state)
{
	(void)state;
	for (unsigned p = 1; p < PROTO_COUNT; p++) {
		if (protocol_info((enum protocol)p)->ndpi_name != NULL && !name_known((enum protocol)p))
			fail_msg("%s is unknown to the library", protocol_info((enum protocol)p)->ndpi_name);
		assert_int_equal(name_known((enum protocol)p), protocol_info((enum protocol)p)->ndpi_name != NULL);
	}
}

/* Every protocol that the library recognises has a row, has a recogniser of ours, or uses neither
 * TCP nor UDP. */
static void every_name_has_its_place(void **state)
{
#define NDPI(id, name, bytes) { #name, PROTO_NDPI_##id },
#define OURS(name, id) { #name, PROTO_##id },
#define NO_FLOW(name) { #name, PROTO_NONE },
	static const struct {
		const char *name;
		enum protocol p;
	} places[] = {
#include "appliance/wire/ndpi.def"
	};
	struct ndpi_detection_module_struct *m =
		ndpi_init_detection_module(ndpi_dont_load_tor_hosts | ndpi_dont_init_libgcrypt);

	(void)state;
	assert_non_null(m);
	for (uint16_t id = 1; id < NDPI_LAST_IMPLEMENTED_PROTOCOL; id++) {
		const char *name = ndpi_get_proto_name(m, id);
		char written[80];
		size_t i = 0, n = sizeof(places) / sizeof(places[0]);

		while (i < n && strcasecmp(places[i].name, name) != 0)
			i++;
		if (i == n) {
			if (strncmp(name, "FREE_", 5) != 0)
				fail_msg("%s has no place in ndpi.def", name);
			continue;
		}
		snprintf(written, sizeof(written), NDPI_PREFIX "%s", places[i].name);
		assert_int_equal(protocol_also_called(written), places[i].p);
		assert_int_equal(protocol_by_name(written),
				 protocol_info(places[i].p)->depth == DEPTH_NDPI ? places[i].p : PROTO_NONE);
		if (protocol_info(places[i].p)->depth == DEPTH_NDPI)
			assert_true(protocol_is(places[i].p, PROTO_OPAQUE));
	}
	ndpi_exit_detection_module(m);
}

static const char http[] = "GET /index.html HTTP/1.1\r\nHost: tos.example\r\nUser-Agent: x\r\n\r\n";
static const char ssh[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";

/* The library is not asked about protocols that only our recogniser knows. */
static void asked_for_few_names(void **state)
{
	static const char dns[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
				  "example\x03"
				  "com\x00\x00\x01\x00\x01";

	assert_int_equal(ask(*state, 17, 53, dns, sizeof(dns) - 1), PROTO_NONE);
}

static void names_streams(void **state)
{
	assert_int_equal(ask(*state, 6, 80, http, sizeof(http) - 1), PROTO_HTTP);
	assert_int_equal(ask(*state, 6, 443, http, sizeof(http) - 1), PROTO_HTTP);
	assert_int_equal(ask(*state, 6, 22, ssh, sizeof(ssh) - 1), PROTO_SSH);
	assert_int_equal(ask(*state, 6, 443, ssh, sizeof(ssh) - 1), PROTO_SSH);
}

/* Random bytes on well-known ports: no answer at all. */
static void ports_prove_nothing(void **state)
{
	static const uint16_t ports[] = { 21,  22,  23,	 53,  80,   102,  123,	161, 389,
					  443, 445, 502, 514, 1883, 3306, 3389, 5432 };
	char junk[64];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)(0x80 + i * 5);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		assert_int_equal(ask(*state, 6, ports[i], junk, sizeof(junk)), PROTO_NONE);
		assert_int_equal(ask(*state, 17, ports[i], junk, sizeof(junk)), PROTO_NONE);
	}
}

/* Requests that write registers, with every small address and length: the library says Modbus or
 * nothing, never another protocol. */
static void modbus_is_not_called_tls(void **state)
{
	char pdu[260];
	unsigned wrong = 0;

	for (unsigned address = 0; address < 600; address += 7) {
		for (unsigned registers = 1; registers <= 30; registers++) {
			enum protocol p;

			memset(pdu, 0, sizeof(pdu));
			pdu[1] = (char)address;
			pdu[5] = (char)(7 + 2 * registers);
			pdu[6] = 1;
			pdu[7] = 16;
			pdu[8] = (char)(address >> 8);
			pdu[9] = (char)address;
			pdu[11] = (char)registers;
			pdu[12] = (char)(2 * registers);
			p = ask(*state, 6, 502, pdu, 13 + 2 * registers);
			wrong += p != PROTO_NONE && p != PROTO_MODBUS;
		}
	}
	assert_int_equal(wrong, 0);
}

/* The library looks for its further names only if asked to, separately for each namer. */
static void looks_for_all_where_wanted(void **state)
{
	static const char tftp[] = "\0\1boot.bin\0octet";
	struct namer *all = namer_new(4);

	assert_non_null(all);
	name_look_for_all(all, true);
	for (unsigned round = 0; round < 3; round++) {
		assert_false(told(*state, 17, 69, tftp, sizeof(tftp)).named);
		assert_int_equal(told(all, 17, 69, tftp, sizeof(tftp)).protocol, PROTO_NDPI_TFTP);
		assert_int_equal(ask(*state, 6, 22, ssh, sizeof(ssh) - 1), PROTO_SSH);
		assert_int_equal(ask(all, 6, 22, ssh, sizeof(ssh) - 1), PROTO_SSH);
	}
	namer_free(all);
}

/* "HTTP.Dropbox" is HTTP, and the answer names Dropbox as its contents. */
static void tells_what_is_inside(void **state)
{
	static const char ask_dropbox[] = "GET / HTTP/1.1\r\nHost: www.dropbox.com\r\nUser-Agent: x\r\n\r\n";
	struct name_answer a = told(*state, 6, 80, ask_dropbox, sizeof(ask_dropbox) - 1);

	assert_true(a.named);
	assert_int_equal(a.protocol, PROTO_HTTP);
	assert_int_equal(a.inside, PROTO_NDPI_DROPBOX);
	a = told(*state, 6, 80, http, sizeof(http) - 1);
	assert_int_equal(a.inside, PROTO_NONE);
}

/* States are used again; if none is free, the answer says so and does not guess. */
static void slots_are_used_again(void **state)
{
	uint32_t slots[64];

	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 64; i++) {
			slots[i] = name_open(*state);
			assert_int_not_equal(slots[i], NAME_SLOT_NONE);
			name_packet(*state, slots[i], DIR_C2S, build(6, 40000, 80, DIR_C2S, 1, http, sizeof(http) - 1),
				    i);
		}
		assert_int_equal(name_open(*state), NAME_SLOT_NONE);
		for (unsigned i = 0; i < 64; i++)
			name_close(*state, slots[i]);
	}
	name_close(*state, NAME_SLOT_NONE);
}

static void only_strong_names_contradict(void **state)
{
	(void)state;
	assert_true(name_contradicts(PROTO_SSH, PROTO_TLS));
	assert_true(name_contradicts(PROTO_TLS, PROTO_MODBUS));
	assert_false(name_contradicts(PROTO_TLS, PROTO_TLS));
	/* protocols that the library has been seen to call TLS */
	assert_false(name_contradicts(PROTO_MQTT, PROTO_TLS));
	assert_false(name_contradicts(PROTO_RDP, PROTO_MODBUS));
	assert_false(name_contradicts(PROTO_NONE, PROTO_TLS));
}

/* Short and long random bytes do not make the library crash. */
static void nonsense(void **state)
{
	static const char hello[] = "\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03\x11";
	uint64_t x = 88172645463325252u; /* fixed: the same nonsense every time */
	char junk[512];

	for (unsigned round = 0; round < 3000; round++) {
		uint32_t slot = name_open(*state);

		for (unsigned p = 0; p < 4; p++) {
			size_t n = (size_t)(x >> 20) % (sizeof(junk) + 1);

			for (size_t i = 0; i < n; i++) {
				x ^= x << 13, x ^= x >> 7, x ^= x << 17;
				junk[i] = i < 12 && round % 2 ? hello[i] : (char)x;
			}
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			name_packet(*state, slot, (enum direction)(p & 1),
				    build(round % 3 ? 6 : 17, 40000, 443, (enum direction)(p & 1), p * 600, junk, n),
				    round);
		}
		name_close(*state, slot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_library_name_exists),
		cmocka_unit_test(every_name_has_its_place),
		cmocka_unit_test(looks_for_all_where_wanted),
		cmocka_unit_test(tells_what_is_inside),
		cmocka_unit_test(asked_for_few_names),
		cmocka_unit_test(names_streams),
		cmocka_unit_test(ports_prove_nothing),
		cmocka_unit_test(modbus_is_not_called_tls),
		cmocka_unit_test(slots_are_used_again),
		cmocka_unit_test(only_strong_names_contradict),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

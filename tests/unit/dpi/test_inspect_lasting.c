/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lasting subscriptions of BACnet through the whole inspector: what a device sends long after a
 * client subscribed, in a session of the kernel that it opens itself. Silence, other ports, the end
 * of the subscription, a restart of the worker, narrower rows; and what nobody subscribed to.
 *
 * LINK: $(INSPECT_PARTS) dpi/bacnet/%.c
 * LIBS: libndpi nettle
 */
#include "tests/unit/cmocka.h"

#include <sys/mman.h>

#include "dpi/bacnet/bacnet.h"
#include "dpi/bacnet/words.h"

/* All codes, and those of the narrower permit: reading a property. */
#define DESK_PROTOCOL PROTO_BACNET
#define DESK_CODES                                                                                                     \
	{ 0, 1999 }, { 2000, BACNET_APDU(15) },                                                                        \
	{                                                                                                              \
		BACNET_READ_PROPERTY, BACNET_READ_PROPERTY                                                             \
	}
#include "dpi/inspect/lasting.h"
#include "tests/unit/dpi/inspect_setup.h"

#define PORT 502 /* of the desk's permits */
#define DAY_S 86400u

/* Process 1 subscribes to object 1, and to property 85 of it; process 2 to object 1. */
#define SUBSCRIBE "00 05 01 05 09 01 1c 00400001"
#define TERMS(lifetime) " 29 00 " lifetime
#define FOREVER TERMS("39 00")
#define BY_PROPERTY(terms, property) "00 05 01 1c 09 01 1c 00400001" terms " 4e 09 " property " 4f"
#define TOLD(process, object) "09 " process " 1c 02000005 2c " object " 39 3c 4e 09 55 2e 44 41ac0000 2f 4f"
#define TELL "10 02 " TOLD("01", "00400001")
#define TELL_CONFIRMED "00 05 07 01 " TOLD("01", "00400001")
#define READ "00 05 03 0c 0c 00400001 19 55"
#define WRITE "00 05 04 0f 0c 00400001 19 55 3e 21 05 3f"

static struct kept_counts *memory;

/* Writes a datagram with this APDU, in hexadecimal, to desk_packet. Returns its length. */
static size_t datagram(const struct conn *k, enum direction dir, const char *apdu)
{
	uint8_t *t = desk_packet + (k->family == 4 ? 20 : 40), *p = t + 8;
	size_t n = 0;

	for (const char *h = dir == DIR_C2S ? "81 0a 0000 0104" : "81 0a 0000 0100"; h != NULL;
	     h = h == apdu ? NULL : apdu)
		for (const char *c = h; *c != '\0';) {
			char two[3] = { c[0], c[1], '\0' };

			if (*c++ == ' ')
				continue;
			p[n++] = (uint8_t)strtoul(two, NULL, 16);
			c++;
		}
	put16(p + 2, (uint32_t)n);
	put16(t, dir == DIR_C2S ? k->client_port : k->server_port);
	put16(t + 2, dir == DIR_C2S ? k->server_port : k->client_port);
	put16(t + 4, (uint32_t)(8 + n));
	return desk_ip(desk_packet, k, dir, 17, 8 + n, 6);
}

static struct conn both_ports(uint32_t permit)
{
	struct conn k = desk_conn(permit);

	k.client_port = k.server_port = PORT;
	return k;
}

static uint32_t mark_of(const struct conn *k, uint32_t more)
{
	return mark_make(k->permit, lane_number(desk_lane(k->permit)), MARK_UNJUDGED) | more;
}

/* A datagram of the live session that the client opened. */
static unsigned say(const struct conn *k, enum direction dir, const char *apdu)
{
	uint32_t mark = mark_of(k, dir == DIR_S2C ? MARK_REPLY : 0);

	return desk.outcome[desk_hand_as(datagram(k, dir, apdu), mark, false) % DESK_IDS];
}

/* A datagram with which the server opens a session of the kernel (policy/ir/skeleton/lasting.c). */
static unsigned notice(const struct conn *k, const char *apdu)
{
	uint32_t mark = mark_of(k, MARK_REPLY | MARK_TWIN | MARK_NOTICE);

	return desk.outcome[desk_hand_as(datagram(k, DIR_S2C, apdu), mark, false) % DESK_IDS];
}

/* The record names the client that did not subscribe, and its conduit. */
static void nobody_subscribed(const struct conn *k, const char *apdu)
{
	size_t before = desk_count(EVENT_DROP, R_NOT_OPENED);
	const struct event *e;

	assert_int_equal(notice(k, apdu), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_DROP, R_NOT_OPENED), before + 1);
	e = &desk.events[desk.n_events - 1];
	assert_int_equal(e->server.b[1], 30); /* 10.30.1.10 */
	assert_int_equal(e->server_port, k->server_port);
	assert_int_equal(e->client_port, k->client_port);
	assert_true(e->s2c);
	assert_int_equal(e->permit, k->permit);
	assert_int_equal(e->conduit, k->permit);
}

static void wait_s(uint64_t seconds)
{
	desk_now += seconds * SECOND_NS;
	inspector_tick(desk_i);
}

static void subscribe(const struct conn *k, const char *apdu)
{
	assert_int_equal(say(k, DIR_C2S, apdu), OUTCOME_ACCEPT);
	assert_int_equal(say(k, DIR_S2C, "20 01 05"), OUTCOME_ACCEPT);
}

static void restart(bool keeps)
{
	desk_close();
	desk_open((struct inspector_limits){ .flows = 64, .pool_bytes = 1u << 20, .table_bytes = 1u << 16 });
	if (keeps)
		assert_int_equal(inspector_keep_counts(desk_i, memory), 0);
}

static int start(void **state)
{
	desk_enforcer = &bacnet_enforcer;
	desk_lasting = &bacnet_lasting;
	desk_directed = true;
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	setup(state);
	assert_int_equal(inspector_keep_counts(desk_i, memory), 0);
	return 0;
}

static int stop(void **state)
{
	teardown(state);
	munmap(memory, sizeof(*memory));
	desk_directed = false;
	return 0;
}

/* After any silence, from any port of the device, again and again, and over a restart. */
static void after_silence(void **state)
{
	static const uint64_t seconds[] = { 10, 70, 130, 300, 3600 };

	(void)state;
	for (unsigned n = 0; n < 20; n++) {
		struct conn k = both_ports(n & 1 ? P_TOY_PICK_UP : P_TOY), other = k, third = k;

		k.host = other.host = (uint8_t)n;
		other.server_port = 1042;
		subscribe(&k, SUBSCRIBE FOREVER);
		assert_int_equal(say(&k, DIR_S2C, TELL), OUTCOME_ACCEPT);
		wait_s(seconds[n % 5]);
		if (n >= 10)
			restart(true);
		assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
		assert_int_equal(desk.judged_as, k.permit);
		assert_int_equal(notice(&other, TELL_CONFIRMED), OUTCOME_ACCEPT);
		/* the client acknowledges; other devices, other clients and other ports are not
		 * subscribed */
		assert_int_equal(say(&other, DIR_C2S, "20 07 01"), OUTCOME_ACCEPT);
		third.host = (uint8_t)(n + 50);
		nobody_subscribed(&third, TELL);
		third.host = k.host;
		third.client_port = 40000;
		nobody_subscribed(&third, TELL);
		/* a conversation goes on in the device's session, and the device may not ask */
		assert_int_equal(say(&k, DIR_C2S, READ), OUTCOME_ACCEPT);
		assert_int_equal(notice(&other, "30 03 0c 0c 00400001 19 55 3e 44 41ac0000 3f"), OUTCOME_DROP);
	}
}

/* Nothing but what was subscribed to opens a session, whatever happened before. */
static void only_what_was_asked_for(void **state)
{
	static const char *const others[] = {
		WRITE,
		READ,
		"10 08",				 /* who is there */
		"10 00 c4 02000005 22 05c4 91 00 21 07", /* I am */
		"20 01 05",
		"10 03 09 01 1c 02000005 2c 00400001",
		"10 02 " TOLD("02", "00400001"),   /* another process */
		"10 02 " TOLD("01", "00400002"),   /* another object */
		"10 02 09 01 1c 02000005 2c 0040", /* cut */
	};
	struct conn k = both_ports(P_TOY), fresh = both_ports(P_TOY_PICK_UP);

	(void)state;
	fresh.host = 7;
	nobody_subscribed(&fresh, TELL);
	nobody_subscribed(&fresh, TELL_CONFIRMED);
	for (unsigned known = 0; known < 3; known++) {
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			/* its flow is forgotten, known, or is one that the device opened */
			nobody_subscribed(&fresh, others[i]);
			if (known < 2)
				nobody_subscribed(&k, others[i]);
		}
		if (known == 0)
			subscribe(&k, SUBSCRIBE FOREVER);
		wait_s(130);
	}
	assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
	/* in the flow that it opened, the rest is judged like any answer */
	assert_int_equal(notice(&k, WRITE), OUTCOME_DROP);
	assert_int_equal(notice(&k, "20 01 05"), OUTCOME_DROP);
}

/* It ends with its lifetime, which is a day at most, and whoever renews it has it longer. */
static void it_ends_by_its_lifetime(void **state)
{
	static const struct {
		const char *terms;
		uint64_t seconds;
	} cases[] = { { TERMS("3a 0258"), 600 },
		      { TERMS("3b 015180"), DAY_S },
		      { TERMS("3b 02a300"), DAY_S },
		      { TERMS("39 00"), DAY_S },
		      { " 29 01", DAY_S } };

	(void)state;
	for (unsigned n = 0; n < 10; n++) {
		struct conn k = both_ports(P_TOY);
		char asks[128];

		k.host = (uint8_t)n;
		snprintf(asks, sizeof(asks), SUBSCRIBE "%s", cases[n / 2].terms);
		subscribe(&k, asks);
		if (n % 2 == 1) {
			wait_s(cases[n / 2].seconds - 5);
			subscribe(&k, asks);
		}
		wait_s(cases[n / 2].seconds - 1);
		assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
		assert_int_equal(say(&k, DIR_S2C, TELL), OUTCOME_ACCEPT);
		wait_s(1);
		assert_int_equal(say(&k, DIR_S2C, TELL), OUTCOME_DROP);
		nobody_subscribed(&k, TELL);
		wait_s(300);
		nobody_subscribed(&k, TELL);
	}
}

/* It ends when its client cancels it, and only then. */
static void it_ends_by_its_client(void **state)
{
	struct conn k = both_ports(P_TOY);

	(void)state;
	subscribe(&k, SUBSCRIBE FOREVER);
	assert_int_equal(say(&k, DIR_C2S, "00 05 01 05 09 02 1c 00400001"), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, "00 05 01 05 09 01 1c 00400002"), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, TELL), OUTCOME_ACCEPT);
	wait_s(130);
	assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, SUBSCRIBE), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_S2C, TELL), OUTCOME_DROP);
	nobody_subscribed(&k, TELL);
	/* of two properties, each by itself */
	assert_int_equal(say(&k, DIR_C2S, BY_PROPERTY(FOREVER, "55")), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, BY_PROPERTY(FOREVER, "51")), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, SUBSCRIBE FOREVER), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, BY_PROPERTY("", "55")), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, SUBSCRIBE), OUTCOME_ACCEPT);
	wait_s(130);
	assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
	assert_int_equal(say(&k, DIR_C2S, BY_PROPERTY("", "51")), OUTCOME_ACCEPT);
	nobody_subscribed(&k, TELL);
	/* of several objects, as one */
	assert_int_equal(say(&k, DIR_C2S, "00 05 01 1e 09 05 19 00 2a 0258 4e 0c 00400001 1e 0e 09 55 0f 29 00 1f 4f"),
			 OUTCOME_ACCEPT);
	wait_s(300);
	assert_int_equal(notice(&k, "10 0b 09 05 1c 02000005 29 10"), OUTCOME_ACCEPT);
	nobody_subscribed(&k, "10 0b 09 06 1c 02000005 29 10");
	wait_s(300);
	nobody_subscribed(&k, "10 0b 09 05 1c 02000005 29 10");
}

/* The rows of the present decide, and a refused request is none. */
static void it_ends_with_its_row(void **state)
{
	struct conn k = both_ports(P_TOY), narrow = both_ports(P_TOY_READS);
	size_t before;

	(void)state;
	narrow.permit = P_TOY_READS;
	assert_int_equal(say(&narrow, DIR_C2S, SUBSCRIBE FOREVER), OUTCOME_DROP);
	wait_s(130);
	nobody_subscribed(&k, TELL);
	subscribe(&k, SUBSCRIBE FOREVER);
	wait_s(130);
	before = desk_count(EVENT_PDU, R_BACNET_FUNCTION);
	assert_int_equal(notice(&narrow, TELL), OUTCOME_DROP);
	assert_int_equal(desk_count(EVENT_PDU, R_BACNET_FUNCTION), before + 1);
	assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
}

/* Without the memory nothing is known; whatever bytes are in it allow nothing. */
static void over_a_restart(void **state)
{
	struct conn k = both_ports(P_TOY), pick_up = both_ports(P_TOY_PICK_UP);

	(void)state;
	subscribe(&k, SUBSCRIBE FOREVER);
	subscribe(&pick_up, SUBSCRIBE FOREVER);
	restart(false);
	nobody_subscribed(&k, TELL);
	nobody_subscribed(&pick_up, TELL);
	for (unsigned fill = 0; fill < 256; fill += 5) {
		memset(memory->kinds + sizeof(memory->kinds) - LASTING_BYTES, (int)fill, LASTING_BYTES);
		restart(true);
		nobody_subscribed(&k, TELL);
	}
	subscribe(&k, SUBSCRIBE FOREVER);
	wait_s(130);
	restart(true);
	assert_int_equal(notice(&k, TELL), OUTCOME_ACCEPT);
}

/* A client that subscribes without end takes little from others. */
static void a_greedy_client(void **state)
{
	struct conn greedy = both_ports(P_TOY);
	unsigned kept = 0;
	char asks[128];

	(void)state;
	greedy.host = 200;
	for (unsigned n = 0; n < 40; n++) {
		struct conn k = both_ports(P_TOY);

		k.host = (uint8_t)n;
		subscribe(&k, SUBSCRIBE TERMS("3a 0258"));
	}
	for (unsigned n = 0; n < 20000; n++) {
		snprintf(asks, sizeof(asks), "00 05 01 05 0b %06x 1c 00400001 29 00 39 00", 0x10000 + n);
		assert_int_equal(say(&greedy, DIR_C2S, asks), OUTCOME_ACCEPT);
		say(&greedy, DIR_S2C, "20 01 05");
	}
	wait_s(130);
	for (unsigned n = 0; n < 40; n++) {
		struct conn k = both_ports(P_TOY);

		k.host = (uint8_t)n;
		kept += notice(&k, TELL) == OUTCOME_ACCEPT;
	}
	assert_true(kept >= 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(after_silence, start, stop),
		cmocka_unit_test_setup_teardown(only_what_was_asked_for, start, stop),
		cmocka_unit_test_setup_teardown(it_ends_by_its_lifetime, start, stop),
		cmocka_unit_test_setup_teardown(it_ends_by_its_client, start, stop),
		cmocka_unit_test_setup_teardown(it_ends_with_its_row, start, stop),
		cmocka_unit_test_setup_teardown(over_a_restart, start, stop),
		cmocka_unit_test_setup_teardown(a_greedy_client, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

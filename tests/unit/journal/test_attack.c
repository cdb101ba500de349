/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs of attacks: each condition rings at its threshold and not before; there is one alarm for
 * its cause and its ends, and one for a whole zone; a person silences it until it grows or its time
 * is over; tables never grow; a self-test rings each kind and is marked as a test; the alarms
 * outlive a restart, and no damaged file is used. The test has its own clock.
 *
 * LINK: appliance/journal/attack.c appliance/journal/attack_sign.c appliance/journal/attack_file.c
 * LINK: appliance/base/atomic_file.c appliance/base/columns.c
 * LINK: $(WIRE_SRC) appliance/base/err.c appliance/base/sha256.c appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c
 * LIBS: jansson nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/journal/attack.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/vocabulary.h"

#define NOW 1800000000ull
#define DAY 86400ull
#define READ_HOLDING 3u
#define WRITE_REGISTER 6u
#define DIAGNOSE 8u

static struct attacks a, b;
static uint64_t now;

static int empty(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	a.seed = 7;
	a.rule = attack_usual;
	a.settled = true;
	now = NOW;
	return 0;
}

static struct named names_of(unsigned class)
{
	return (struct named){
		.interface = "lan1",
		.client = { .zone = "office", .zone_label = "事務所" },
		.server = { .zone = "crane", .zone_class = class, .asset = "rtg01", .label = "RTG 1号機 PLC" }
	};
}

static struct event between(enum event_kind kind, const char *from, const char *to, uint16_t port)
{
	struct event e = event_new(kind, now * 1000000000u);

	assert_true(addr_parse(from, &e.client));
	assert_true(addr_parse(to, &e.server));
	e.verdict = EV_DENY;
	e.l4proto = IPPROTO_TCP;
	e.server_port = port;
	e.reason = R_NO_CONDUIT;
	e.iif = 3;
	return e;
}

static void refused(const char *from, const char *to, uint16_t port, uint64_t count)
{
	struct event e = between(EVENT_DROP, from, to, port);
	struct named n = names_of(CLASS_OT);

	e.count = count;
	attacks_note(&a, &e, &n, now);
}

static struct event command(const char *from, enum protocol p, uint32_t function)
{
	struct event e = between(EVENT_PDU, from, "10.30.1.10", 502);

	e.protocol = (uint16_t)p;
	e.function = function;
	e.reason = vocabulary_of(p)->refused[0];
	return e;
}

static void commands(const char *from, enum protocol p, uint32_t function, unsigned class)
{
	struct event e = command(from, p, function);
	struct named n = names_of(class);

	attacks_note(&a, &e, &n, now);
}

static uint32_t code_of(enum protocol p, const char *name)
{
	const struct function_info *f = function_by_name(vocabulary_of(p), name);

	assert_non_null(f);
	return f->code;
}

static size_t ringing(void)
{
	size_t n = 0;

	for (size_t i = 0; i < a.n; i++)
		n += attack_rings(&a.alarms[i]);
	return n;
}

/* The records of alarms since the last call. */
static size_t records(struct event *ret)
{
	struct event e;
	size_t n = 0;

	while (attacks_out(&a, now, &e)) {
		if (ret != NULL)
			*ret = e;
		n++;
	}
	return n;
}

static void refused_commands(void **state)
{
	uint32_t stop = code_of(PROTO_S7COMM, "plc_stop");
	struct event e;

	(void)state;
	commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].cause, ATTACK_CONTROL);
	assert_true(a.alarms[0].grave);
	assert_string_equal(a.alarms[0].from, "10.10.0.5 (事務所)");
	assert_string_equal(a.alarms[0].to, "RTG 1号機 PLC (10.30.1.10)");
	assert_int_equal(records(&e), 1);
	assert_int_equal(e.code, ATTACK_RANG_GRAVE);
	/* The same condition again is the same alarm, without another record. */
	now += 60;
	commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].count, 2);
	assert_int_equal(a.alarms[0].first, NOW);
	assert_int_equal(a.alarms[0].last, NOW + 60);
	assert_int_equal(records(NULL), 0);
	/* Three writes. Reads, requests that would only have been refused, and messages of a server
	 * cause no alarm. */
	for (unsigned i = 0; i < 2; i++)
		commands("10.10.0.6", PROTO_MODBUS, WRITE_REGISTER, CLASS_OT);
	for (unsigned i = 0; i < 50; i++)
		commands("10.10.0.6", PROTO_MODBUS, READ_HOLDING, CLASS_OT);
	e = command("10.10.0.6", PROTO_MODBUS, WRITE_REGISTER);
	e.verdict = EV_OBSERVE;
	attacks_note(&a, &e, &(struct named){ 0 }, now);
	e.verdict = EV_DENY;
	e.s2c = 1;
	attacks_note(&a, &e, &(struct named){ 0 }, now);
	assert_int_equal(a.n, 1);
	commands("10.10.0.6", PROTO_MODBUS, WRITE_REGISTER, CLASS_OT);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.alarms[1].cause, ATTACK_WRITE);
	assert_int_equal(a.alarms[1].count, 3);
	/* Towards another class of devices it is the lesser alarm. */
	commands("10.10.0.7", PROTO_S7COMM, stop, CLASS_IT);
	assert_int_equal(a.n, 3);
	assert_false(a.alarms[2].grave);
	assert_int_equal(records(&e), 2);
	assert_int_equal(e.code, ATTACK_RANG);
}

static void a_threshold_is_of_a_window(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		commands("10.10.0.6", PROTO_MODBUS, WRITE_REGISTER, CLASS_OT);
		now += a.rule.within_s / 2;
	}
	assert_int_equal(a.n, 0);
	/* A clock that goes back does not make an alarm last longer. */
	now -= 5 * DAY;
	commands("10.10.0.6", PROTO_MODBUS, WRITE_REGISTER, CLASS_OT);
	assert_int_equal(a.n, 0);
	now += 1;
	for (unsigned i = 0; i < 2; i++)
		commands("10.10.0.6", PROTO_MODBUS, WRITE_REGISTER, CLASS_OT);
	assert_int_equal(a.n, 1);
}

/* Ten hosts try all ports: one alarm, which counts every packet since it began. */
static void a_crowd_that_scans_is_one_alarm(void **state)
{
	struct event last;
	char from[32];

	(void)state;
	for (unsigned port = 1; port <= UINT16_MAX; port++)
		for (unsigned h = 0; h < 10; h++) {
			snprintf(from, sizeof(from), "10.10.0.%u", h + 1);
			refused(from, "10.30.1.10", (uint16_t)port, 1);
		}
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].cause, ATTACK_SCAN);
	assert_int_equal(a.alarms[0].hosts, 10);
	assert_in_range(a.alarms[0].places, 62000, 69000);
	assert_int_equal(a.alarms[0].count, 655350);
	assert_string_equal(a.alarms[0].from, "10.10.0.1 (事務所), 10.10.0.2 (事務所), 10.10.0.3 (事務所) ...");
	assert_string_equal(a.alarms[0].to, "RTG 1号機 PLC (10.30.1.10)");
	assert_int_equal(records(&last), 1);
	assert_int_equal(a.beyond, 0);
}

/* The kernel reports only a few packets of each host: each host is far below the threshold, all
 * together are far above it. Spread over hours, such a number is usual for a zone. */
static void a_crowd_of_which_little_is_told(void **state)
{
	char from[32];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(from, sizeof(from), "10.10.%u.%u", i / 200, i % 200 + 1);
		refused(from, "10.30.1.10", (uint16_t)(i + 1), 1);
		now += 2;
	}
	assert_int_equal(a.n, 0);
	for (unsigned i = 0; i < 110; i++) {
		snprintf(from, sizeof(from), "10.10.1.%u", i % 10 + 1);
		refused(from, "10.30.1.10", (uint16_t)(i + 1), 1);
	}
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].cause, ATTACK_SCAN);
	assert_in_range(a.alarms[0].count, 98, 145);
}

static void few_places_are_no_scan(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned port = 1; port < attack_usual.at_least[ATTACK_SCAN]; port++)
			refused("10.10.0.1", "10.30.1.10", (uint16_t)port, 1);
		now += 600;
	}
	/* Broadcasts and multicasts of a machine do not count. */
	for (unsigned port = 1; port < 500; port++) {
		refused("10.10.0.1", "224.0.0.251", (uint16_t)port, 10);
		refused("10.10.0.1", "255.255.255.255", (uint16_t)port, 10);
		refused("fe80::1", "ff02::fb", (uint16_t)port, 10);
	}
	assert_int_equal(a.n, 0);
	for (unsigned i = 0; i < attack_usual.at_least[ATTACK_TRYING] - 1; i++)
		refused("10.10.0.1", "10.30.1.10", 80, 1);
	assert_int_equal(a.n, 0);
	refused("10.10.0.1", "10.30.1.10", 80, 1);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].cause, ATTACK_TRYING);
}

static void asks(const char *from, uint16_t port, const char *asset)
{
	struct event e = between(EVENT_PASSED, from, "10.30.1.10", port);
	struct named n = names_of(CLASS_OT);

	e.code = PASSED_BEGAN;
	e.verdict = EV_ALLOW;
	n.server.asset = asset;
	attacks_note(&a, &e, &n, now);
}

static void what_was_never_asked(void **state)
{
	(void)state;
	for (unsigned day = 0; day < 14; day++) {
		asks("10.10.0.1", (uint16_t)(100 + day), "rtg01");
		now += DAY;
	}
	assert_int_equal(a.n, 0);
	/* Known for long, and with the usual behaviour. */
	for (unsigned day = 0; day < 14; day++)
		asks("10.10.0.1", (uint16_t)(100 + day), "rtg01");
	assert_int_equal(a.n, 0);
	/* A new host is learnt first. */
	asks("10.10.0.2", 999, "rtg01");
	assert_int_equal(a.n, 0);
	asks("10.10.0.1", 999, "rtg01");
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].cause, ATTACK_FRESH);
	asks("10.10.0.1", 999, "rtg01");
	assert_int_equal(a.alarms[0].count, 1);
	/* While the clock is not steady, no behaviour counts as new. */
	a.settled = false;
	asks("10.10.0.1", 1000, "rtg01");
	assert_int_equal(a.alarms[0].count, 1);
	a.settled = true;
	/* Hosts without a name are counted as their zone. */
	asks("10.10.0.1", 443, NULL);
	assert_int_equal(a.alarms[0].count, 2);
	asks("10.10.0.1", 443, NULL);
	assert_int_equal(a.alarms[0].count, 2);
}

static void written(const char *from, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		commands(from, PROTO_MODBUS, WRITE_REGISTER, CLASS_OT);
}

/* Nobody has acknowledged the first burst; a new one after quiet rings again, a single sign does
 * not. */
static void a_new_burst_rings_again(void **state)
{
	struct event e;

	(void)state;
	written("10.10.0.9", 3);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].rung, 1);
	now += ATTACK_QUIET_S - 1;
	written("10.10.0.9", 3);
	assert_int_equal(a.alarms[0].rung, 1);
	now += ATTACK_QUIET_S;
	written("10.10.0.9", 1);
	assert_int_equal(a.alarms[0].rung, 1);
	written("10.10.0.9", 5);
	assert_int_equal(a.alarms[0].rung, 2);
	assert_int_equal(a.alarms[0].count, 12);
	while (attacks_out(&a, now, &e))
		;
}

static void another_zones_source_and_locked_logins(void **state)
{
	struct event e = between(EVENT_DROP, "10.30.1.10", "10.10.0.9", 80);
	struct named n = { .interface = "lan0",
			   .interface_class = CLASS_IT,
			   .client = { .zone = "crane", .zone_class = CLASS_OT, .asset = "rtg01", .label = "" } };

	(void)state;
	e.reason = R_SPOOFED;
	for (unsigned i = 0; i < 100; i++)
		/* its session came in at another interface; its zone lies behind this one */
		attacks_note(&a, &e, &n, now);
	assert_int_equal(a.n, 0);
	n.elsewhere = true;
	n.behind = (struct named_end){ .zone = "office", .zone_label = "事務所" };
	for (unsigned i = 0; i < 3; i++)
		attacks_note(&a, &e, &n, now);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].cause, ATTACK_SPOOFED);
	assert_true(a.alarms[0].grave);
	/* The sender is where the packets came in; the address is a claim. */
	assert_string_equal(a.alarms[0].from, "lan0 (事務所)");
	assert_string_equal(a.alarms[0].to, "rtg01 (10.30.1.10)");
	assert_int_equal(a.alarms[0].client.family, 0);
	assert_int_equal(addr_cmp(&a.alarms[0].server, &e.client), 0);
	/* However many addresses of however many zones an attacker takes, it is one alarm. */
	for (unsigned i = 0; i < 200; i++) {
		e.client.b[3] = (uint8_t)i;
		n.client.zone = i % 2 == 0 ? "yard" : "crane";
		attacks_note(&a, &e, &n, now);
	}
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].hosts, 1);
	assert_true(a.alarms[0].places > 150);
	e = event_new(EVENT_ACCOUNT, now * 1000000000u);
	e.code = ACCOUNT_LOCKED;
	assert_true(addr_parse("10.9.0.5", &e.client));
	event_say(&e, EVENT_OBJECT, "sato");
	attacks_note(&a, &e, &(struct named){ 0 }, now);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.alarms[1].cause, ATTACK_LOGIN);
	assert_string_equal(a.alarms[1].to, "sato");
	e.code = ACCOUNT_REFUSED;
	attacks_note(&a, &e, &(struct named){ 0 }, now);
	assert_int_equal(a.alarms[1].count, 1);
}

static bool seen(uint32_t number, uint64_t silent_s)
{
	struct event e;
	struct attack_seen s = { number, silent_s, "root", "佐藤", "試験" };
	bool done = attacks_seen(&a, &s, now, &e);

	if (done) {
		assert_int_equal(e.code, silent_s == 0 ? ATTACK_ACKNOWLEDGED : ATTACK_SILENCED);
		assert_string_equal(e.text[EVENT_BEFORE], "佐藤");
		assert_string_equal(e.text[EVENT_BY], "root");
		assert_int_equal(e.value, number);
	}
	return done;
}

static void a_persons_word(void **state)
{
	uint32_t stop = code_of(PROTO_S7COMM, "plc_stop");
	struct event e;

	(void)state;
	assert_false(seen(1, 0));
	assert_false(seen(0, 0));
	commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(records(NULL), 1);
	for (unsigned i = 0; i < 9; i++)
		commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_true(seen(1, 0));
	assert_int_equal(ringing(), 0);
	/* Nine more do not double the number; the tenth does. */
	for (unsigned i = 0; i < 9; i++)
		commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(ringing(), 0);
	assert_int_equal(records(NULL), 0);
	commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(ringing(), 1);
	assert_int_equal(a.alarms[0].rung, 2);
	assert_int_equal(records(&e), 1);
	assert_int_equal(e.address & UINT32_MAX, 2);
	/* A person silences the alarm for an hour. It rings again after that, or before if the
	 * attack grows. */
	assert_true(seen(1, 3600));
	assert_int_equal(ringing(), 0);
	assert_int_equal(attacks_due(&a), now + 3600);
	now += 3599;
	attacks_tick(&a, now);
	assert_int_equal(ringing(), 0);
	now += 1;
	attacks_tick(&a, now);
	assert_int_equal(ringing(), 1);
	assert_int_equal(records(NULL), 1);
	assert_true(seen(1, 3600));
	for (unsigned i = 0; i < 20; i++)
		commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(ringing(), 1);
	assert_int_equal(a.alarms[0].rung, 4);
	/* Acknowledged and quiet for a day: the alarm ends. Without an acknowledgement it stays. */
	commands("10.10.0.6", PROTO_S7COMM, stop, CLASS_OT);
	assert_true(seen(1, 0));
	now += ATTACK_OVER_S - 1;
	attacks_tick(&a, now);
	assert_int_equal(a.n, 2);
	now += 1;
	attacks_tick(&a, now);
	assert_int_equal(a.n, 1);
	now += 300 * DAY;
	attacks_tick(&a, now);
	assert_int_equal(a.n, 1);
	assert_int_equal(attacks_due(&a), UINT64_MAX);
	commands("10.10.0.5", PROTO_S7COMM, stop, CLASS_OT);
	assert_int_equal(a.alarms[1].number, 3);
}

static void what_becomes_graver_rings_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		struct event e = between(EVENT_DROP, "10.10.0.1", "10.20.0.1", (uint16_t)(i + 1));
		struct named n = names_of(CLASS_OPERATIONS);

		attacks_note(&a, &e, &n, now);
	}
	assert_int_equal(a.n, 1);
	assert_false(a.alarms[0].grave);
	assert_true(seen(1, 0));
	refused("10.10.0.1", "10.30.1.10", 1, 1);
	assert_true(a.alarms[0].grave);
	assert_int_equal(ringing(), 1);
}

/* More than eight pairs between two zones are one alarm. Alarms that are dropped for lack of room
 * are counted. */
static void nothing_floods(void **state)
{
	uint32_t stop = code_of(PROTO_S7COMM, "plc_stop");
	char from[32], zone[ATTACK_ALARMS * 2][16];
	struct event e = command("10.10.0.1", PROTO_S7COMM, stop);
	struct named n = names_of(CLASS_OT);

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(from, sizeof(from), "10.10.%u.%u", i / 250, i % 250 + 1);
		commands(from, PROTO_S7COMM, stop, CLASS_OT);
	}
	assert_int_equal(a.n, ATTACK_BY_ZONES + 1);
	assert_int_equal(a.alarms[ATTACK_BY_ZONES].hosts, ATTACK_HOSTS);
	assert_int_equal(a.alarms[ATTACK_BY_ZONES].count, 2000 - ATTACK_BY_ZONES);
	assert_int_equal(records(NULL), ATTACK_BY_ZONES + 1);
	assert_true(seen(1, 0));
	for (unsigned i = 0; i < ATTACK_ALARMS * 2; i++) {
		snprintf(zone[i], sizeof(zone[i]), "z%u", i);
		n.client.zone = zone[i];
		e.client.b[1] = (uint8_t)i;
		attacks_note(&a, &e, &n, now);
	}
	assert_int_equal(a.n, ATTACK_ALARMS);
	/* The acknowledged alarm was dropped first, and is not counted. */
	assert_int_equal(a.beyond, ATTACK_BY_ZONES + ATTACK_ALARMS * 2 - ATTACK_ALARMS);
	assert_int_not_equal(a.alarms[0].number, 1);
}

static void thresholds_have_a_version(void **state)
{
	struct attack_rule rule = { .at_least = { [ATTACK_CONTROL] = 5 } };
	struct event e;

	(void)state;
	attack_rule_fill(&rule);
	assert_int_equal(rule.at_least[ATTACK_SCAN], attack_usual.at_least[ATTACK_SCAN]);
	assert_true(attacks_rule(&a, &attack_usual, now, &e));
	assert_int_equal(e.value, 1);
	assert_string_equal(e.text[EVENT_BEFORE], "");
	assert_false(attacks_rule(&a, &attack_usual, now, &e));
	assert_true(attacks_rule(&a, &rule, now, &e));
	assert_int_equal(e.code, ATTACK_THRESHOLDS);
	assert_int_equal(e.value, 2);
	assert_non_null(strstr(e.text[EVENT_BEFORE], "control=1 "));
	assert_non_null(strstr(e.text[EVENT_AFTER], "control=5 "));
	assert_non_null(strstr(e.text[EVENT_AFTER], "learn_days=14"));
	for (unsigned i = 0; i < 4; i++)
		commands("10.10.0.5", PROTO_S7COMM, code_of(PROTO_S7COMM, "plc_stop"), CLASS_OT);
	assert_int_equal(a.n, 0);
	commands("10.10.0.5", PROTO_S7COMM, code_of(PROTO_S7COMM, "plc_stop"), CLASS_OT);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.alarms[0].count, 5);
}

static void a_self_test_rings_each(void **state)
{
	uint32_t causes = 0;
	struct event e;

	(void)state;
	a.settled = false;
	for (unsigned round = 0; round < 3; round++) {
		attacks_test(&a, now, &e);
		assert_int_equal(e.code, ATTACK_TESTED);
		assert_int_equal(e.quantity, ATTACK_CAUSES);
		assert_int_equal(a.n, ATTACK_CAUSES);
		assert_int_equal(a.tested, now);
		for (size_t i = 0; i < a.n; i++) {
			assert_true(a.alarms[i].test);
			assert_false(a.alarms[i].grave);
			causes |= 1u << a.alarms[i].cause;
		}
		assert_int_equal(causes, (1u << ATTACK_CAUSES) - 1);
		assert_int_equal(records(&e), ATTACK_CAUSES);
		assert_int_equal(e.code, ATTACK_RANG_TEST);
	}
	/* The alarm of a self-test ends by itself, and its records are not learnt. */
	now += ATTACK_TEST_OVER_S;
	attacks_tick(&a, now);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.beyond, 0);
	assert_int_equal(a.forgot, 0);
	/* Whatever the thresholds are. */
	for (unsigned i = 0; i < ATTACK_CAUSES; i++)
		a.rule.at_least[i] = i == ATTACK_SCAN ? 1000 : 5000;
	attacks_test(&a, now, &e);
	assert_int_equal(e.code, ATTACK_TESTED);
	/* A table full of real alarms: they stay, and the self-test reports a failure. */
	empty(NULL);
	for (unsigned i = 0; i < ATTACK_ALARMS; i++) {
		a.alarms[i] = (struct attack_alarm){
			.number = i + 1, .grave = true, .cause = ATTACK_LOGIN, .key = i + 1, .last = now
		};
		a.n = i + 1;
	}
	a.last = ATTACK_ALARMS;
	attacks_test(&a, now, &e);
	assert_int_equal(e.code, ATTACK_TEST_FAILED);
	assert_int_equal(a.beyond, 0);
	assert_int_not_equal(a.test_missed, 0);
	assert_string_not_equal(e.text[EVENT_OBJECT], "");
}

/* Random events with random names, for hours. */
static void nothing_grows_or_breaks(void **state)
{
	const char *seed_text = getenv("SEED");
	unsigned seed = seed_text != NULL ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)time(NULL);
	static const char *const zones[] = { NULL, "", "a", "b", "クレーン", "d" };
	uint64_t rung = 0;
	struct event e;

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (unsigned i = 0; i < 50000; i++) {
		char label[200];
		struct named n = { .elsewhere = rand() % 2, .interface = rand() % 3 != 0 ? "lan0" : NULL };

		e = event_new((enum event_kind)(1 + rand() % (EVENT_KIND_COUNT - 1)), now * 1000000000u);
		memset(label, rand() % 2 != 0 ? 'x' : 0xe3, sizeof(label));
		label[rand() % 199] = '\0';
		label[199] = '\0';
		e.client.family = (uint8_t[]){ 0, 4, 6 }[rand() % 3];
		e.server.family = (uint8_t[]){ 0, 4, 6 }[rand() % 3];
		e.client.b[3] = (uint8_t)rand();
		e.server.b[3] = (uint8_t)rand();
		e.server_port = (uint16_t)(rand() % 3000);
		e.reason = (uint16_t)(rand() % REASON_COUNT);
		e.verdict = (uint8_t)(rand() % EVENT_VERDICT_COUNT);
		e.code = (uint8_t)(rand() % 20);
		e.s2c = rand() % 4 == 0;
		e.protocol = (uint16_t)(rand() % PROTO_COUNT);
		e.function = (uint32_t)(rand() % 60);
		e.count = rand() % 50 == 0 ? UINT64_MAX : (uint64_t)(rand() % 3);
		n.client.zone = zones[rand() % 6];
		n.server.zone = zones[rand() % 6];
		n.server.zone_class = (unsigned)rand() % 6;
		if (rand() % 2 != 0) {
			n.client.asset = n.server.asset = "asset";
			n.client.label = n.server.label = label;
		}
		attacks_note(&a, &e, &n, now);
		now += (uint64_t)(rand() % 5);
		if (rand() % 500 == 0)
			now += DAY * (unsigned)(rand() % 40);
		if (rand() % 700 == 0)
			now -= DAY * (unsigned)(rand() % 10);
		attacks_tick(&a, now);
		rung += records(&e);
		if (rand() % 200 == 0)
			seen(a.alarms[0].number, (uint64_t)(rand() % 2) * 500);
		if (rand() % 5000 == 0)
			attacks_test(&a, now, &e);
		assert_true(a.n <= ATTACK_ALARMS);
	}
	assert_true(rung > 0);
	for (size_t i = 0; i < a.n; i++) {
		const struct attack_alarm *x = &a.alarms[i];

		assert_true(x->number != 0 && x->number <= a.last && x->rung > 0 && x->cause < ATTACK_CAUSES);
		assert_true(x->hosts <= ATTACK_HOSTS && x->count <= UINT32_MAX);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(a.alarms[k].number, x->number);
	}
}

/* ---- the file -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/sekisho-attack-XXXXXX";
static int dirfd_of = -1;

static int folder_made(void **state)
{
	empty(state);
	strcpy(folder, "/tmp/sekisho-attack-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	dirfd_of = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_of < 0 ? -1 : 0;
}

static int folder_gone(void **state)
{
	(void)state;
	(void)unlinkat(dirfd_of, "attacks", 0);
	(void)unlinkat(dirfd_of, "attacks.damaged", 0);
	close(dirfd_of);
	return rmdir(folder);
}

static void it_outlives_a_restart(void **state)
{
	struct err err = { 0 };
	struct event e;
	bool damaged;

	(void)state;
	attacks_load(dirfd_of, 99, &b, &damaged);
	assert_false(damaged);
	assert_int_equal(b.seed, 99);
	assert_true(attacks_rule(&a, &attack_usual, now, &e));
	for (unsigned port = 1; port < 100; port++)
		refused("10.10.0.1", "10.30.1.10", (uint16_t)port, 1);
	asks("10.10.0.1", 502, "rtg01");
	commands("10.10.0.5", PROTO_S7COMM, code_of(PROTO_S7COMM, "plc_stop"), CLASS_OT);
	assert_true(seen(2, 600));
	assert_int_equal(columns_save(&attacks_file, dirfd_of, &a, &err), 0);
	a.changed = a.stale = false;
	attacks_load(dirfd_of, 99, &b, &damaged);
	assert_false(damaged);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.seed, 7);
	assert_int_equal(b.alarms[0].places, a.alarms[0].places);
	assert_string_equal(b.alarms[1].person, "佐藤");
	assert_int_equal(b.alarms[1].silent_until, now + 600);
	assert_int_equal(b.rule_version, 1);
	assert_memory_equal(b.asked, a.asked, sizeof(a.asked));
	assert_memory_equal(b.askers, a.askers, sizeof(a.askers));
	/* The alarms go on: the same scan is the same alarm, and a record that was not written is
	 * written. */
	a = b;
	a.settled = true;
	assert_false(attacks_rule(&a, &attack_usual, now, &e));
	assert_int_equal(records(NULL), 1);
	for (unsigned port = 1; port < 100; port++)
		refused("10.10.0.1", "10.30.1.10", (uint16_t)port, 1);
	assert_int_equal(a.n, 2);
	attacks_tick(&a, now + 600);
	assert_int_equal(ringing(), 2);
}

static void no_damaged_file_is_taken(void **state)
{
	struct err err = { 0 };
	uint8_t *text = NULL;
	size_t n = 0;
	bool damaged;

	(void)state;
	commands("10.10.0.5", PROTO_S7COMM, code_of(PROTO_S7COMM, "plc_stop"), CLASS_OT);
	asks("10.10.0.1", 502, "rtg01");
	assert_int_equal(columns_save(&attacks_file, dirfd_of, &a, &err), 0);
	assert_int_equal(file_read(dirfd_of, "attacks", 1u << 20, &text, &n, NULL), 0);
	assert_true(columns_read(&attacks_file, text, n, &b));
	for (size_t cut = 0; cut < n; cut++)
		assert_false(columns_read(&attacks_file, text, cut, &b));
	for (size_t i = 0; i < n; i++) {
		uint8_t was = text[i];

		text[i] ^= 1;
		(void)columns_read(&attacks_file, text, n, &b);
		assert_true(b.n <= ATTACK_ALARMS);
		text[i] = was;
	}
	free(text);
	assert_int_equal(atomic_write(dirfd_of, "attacks", "{}", 2, &err), 0);
	attacks_load(dirfd_of, 5, &b, &damaged);
	assert_true(damaged);
	assert_true(b.damaged);
	assert_int_equal(b.seed, 5);
	assert_int_equal(b.rule.at_least[ATTACK_SCAN], attack_usual.at_least[ATTACK_SCAN]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refused_commands, empty),
		cmocka_unit_test_setup(a_threshold_is_of_a_window, empty),
		cmocka_unit_test_setup(a_crowd_that_scans_is_one_alarm, empty),
		cmocka_unit_test_setup(a_crowd_of_which_little_is_told, empty),
		cmocka_unit_test_setup(few_places_are_no_scan, empty),
		cmocka_unit_test_setup(what_was_never_asked, empty),
		cmocka_unit_test_setup(a_new_burst_rings_again, empty),
		cmocka_unit_test_setup(another_zones_source_and_locked_logins, empty),
		cmocka_unit_test_setup(a_persons_word, empty),
		cmocka_unit_test_setup(what_becomes_graver_rings_again, empty),
		cmocka_unit_test_setup(nothing_floods, empty),
		cmocka_unit_test_setup(thresholds_have_a_version, empty),
		cmocka_unit_test_setup(a_self_test_rings_each, empty),
		cmocka_unit_test_setup(nothing_grows_or_breaks, empty),
		cmocka_unit_test_setup_teardown(it_outlives_a_restart, folder_made, folder_gone),
		cmocka_unit_test_setup_teardown(no_damaged_file_is_taken, folder_made, folder_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

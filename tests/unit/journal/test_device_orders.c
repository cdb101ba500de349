/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person orders of the register of devices, as its record has it: of the longest names nothing is cut, in JSON, EVE and the sentence of both languages.
 *
 * LINK: appliance/journal/role_device.c appliance/journal/known.c appliance/journal/known_file.c appliance/journal/json.c appliance/base/atomic_file.c
 * LINK: mgmt/words/eve.c mgmt/words/sentence.c mgmt/state/weakness.c mgmt/words/deed.c mgmt/words/parts.c mgmt/words/refusal.c mgmt/words/command.c mgmt/words/limit.c mgmt/state/lost.c mgmt/state/read.c
 * LINK: mgmt/cli/words/event.c mgmt/cli/words/render.c mgmt/cli/screen/width.c mgmt/cli/screen/table.c mgmt/cli/screen/wrap.c
 * LINK: $(WIRE_SRC) $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/journal/json.h"
#include "appliance/journal/role_private.h"
#include "mgmt/cli/words/event.h"
#include "mgmt/words/eve.h"
#include "mgmt/words/sentence.h"

/* ---- what surrounds it ------------------------------------------------------------------------------------------------ */

static struct event told;
static unsigned n_told;

void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records)
{
	(void)j;
	assert_int_equal(from, ROLE_JOURNAL);
	assert_int_equal(records, 1);
	told = *e;
	n_told++;
}

bool role_no_room(int code)
{
	(void)code;
	return false;
}

void role_press(struct journal_role *j, const struct err *e)
{
	(void)j;
	(void)e;
}

bool reserve_release(struct reserve *r)
{
	(void)r;
	return false;
}

void names_of_place(const struct names *n, const struct event *e, struct named_place *ret)
{
	(void)n;
	(void)e;
	*ret = (struct named_place){ .zone = "" };
}

void names_of_event(const struct names *n, const struct event *e, struct named *ret)
{
	(void)n;
	(void)e;
	*ret = (struct named){ 0 };
}

/* ---- the longest ------------------------------------------------------------------------------------------------------- */

#define ADDRESS "2001:db8:1111:2222:3333:4444:5555:6666"
#define FROM "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"

static struct journal_role j;
static char base[] = "/tmp/sekisho-orders-XXXXXX";
static char interface[KNOWN_NAME], zone[KNOWN_NAME], person[HOLD_PERSON], by[USER_BY], reason[HOLD_REASON + 1];

static void fill(char *out, size_t size, char with)
{
	memset(out, with, size - 1);
	out[size - 1] = '\0';
}

static int make(void **state)
{
	struct known_sighting s = { .mac = { 2, 0, 0, 0, 0, 1 }, .interface = interface, .zone = zone, .now = 7 };

	(void)state;
	fill(interface, sizeof(interface), 'i');
	fill(zone, sizeof(zone), 'z');
	fill(person, sizeof(person), 'p');
	fill(by, sizeof(by), 'b');
	fill(reason, sizeof(reason), 'r');
	n_told = 0;
	strcpy(base, "/tmp/sekisho-orders-XXXXXX");
	if (mkdtemp(base) == NULL || (j.chain.dirfd = open(base, O_RDONLY | O_DIRECTORY)) < 0 ||
	    !addr_parse(ADDRESS, &s.address))
		return -1;
	role_device_open(&j);
	return known_see(&j.known, &s).number == 1 ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	unlinkat(j.chain.dirfd, "devices", 0);
	close(j.chain.dirfd);
	return rmdir(base);
}

static void has(const char *text, const char *word)
{
	if (strstr(text, word) == NULL)
		fail_msg("no '%s' in: %s", word, text);
}

/* In JSON, in its form for others, in the line and the sentence of both languages. */
static void holds_all(const char *code)
{
	const char *all[] = { "02:00:00:00:00:01", interface, zone, person, by, reason, ADDRESS, FROM };
	uint8_t wire[EVENT_WIRE_MAX];
	struct event again;
	json_t *record, *eve;
	char *text[6];

	/* As it waits for room, too: nothing of it is told apart by where it stands. */
	assert_true(event_decode(bytes_of(wire, event_encode(&told, wire)), &again));
	record = event_json(&again, ROLE_JOURNAL, &j.names);
	assert_string_equal(json_string_value(json_object_get(record, "code")), code);
	assert_string_equal(json_string_value(json_object_get(record, "person")), person);
	assert_string_equal(json_string_value(json_object_get(record, "by")), by);
	assert_string_equal(json_string_value(json_object_get(record, "after")), reason);
	assert_string_equal(json_string_value(json_object_get(record, "web_client")), FROM);
	assert_null(json_object_get(record, "before"));
	assert_null(json_object_get(record, "server"));
	eve = event_eve(record);
	text[0] = json_dumps(record, JSON_COMPACT);
	text[1] = json_dumps(json_object_get(eve, "sekisho"), JSON_COMPACT);
	text[2] = event_sentence(record, LANG_EN);
	text[3] = event_sentence(record, LANG_JA);
	text[4] = event_line(record, LANG_EN);
	text[5] = event_line(record, LANG_JA);
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		assert_non_null(text[i]);
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			has(text[i], all[k]);
		free(text[i]);
	}
	json_decref(eve);
	json_decref(record);
}

static void order(enum devices_order what)
{
	struct msg_devices m = { .order = (uint8_t)what, .number = 1, .reason = reason };
	enum answer_status status;
	struct addr from;

	assert_true(addr_parse(FROM, &from));
	m.family = from.family;
	memcpy(m.from, from.b, sizeof(m.from));
	memcpy(m.by, by, sizeof(by));
	memcpy(m.person, person, sizeof(person));
	n_told = 0;
	json_decref(role_device_order(&j, &m, &status));
	assert_int_equal(status, ANSWER_YES);
	assert_int_equal(n_told, 1);
}

/* Whatever ends the journal next: a register that began anew is on the disk when it was told, so that it is told once. */
static void it_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(told.code, DEVICE_FIRST);
	assert_int_equal(n_told, 1);
	role_device_open(&j);
	assert_int_equal(n_told, 1);
	assert_int_equal(j.known.anew, DEVICES_FIRST);
}

/* An order whose records nobody knows to be written is told at the next start, once. */
static void an_order_without_records_is_told(void **state)
{
	struct err e;

	(void)state;
	j.known.unrecorded = (struct known_order){ DEVICES_FORGET, 3, "b", "p", "r" };
	assert_int_equal(known_save(j.chain.dirfd, &j.known, &e), 0);
	for (int i = 0; i < 2; i++) {
		role_device_open(&j);
		assert_int_equal(n_told, 2);
		assert_int_equal(told.code, DEVICE_FORGOTTEN_UNSURE);
		assert_int_equal(told.count, 3);
	}
}

static void nothing_is_cut(void **state)
{
	(void)state;
	order(DEVICES_ACCEPT);
	holds_all("accepted");
	order(DEVICES_FORGET);
	holds_all("forgotten");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_told_once, make, unmake),
		cmocka_unit_test_setup_teardown(an_order_without_records_is_told, make, unmake),
		cmocka_unit_test_setup_teardown(nothing_is_cut, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

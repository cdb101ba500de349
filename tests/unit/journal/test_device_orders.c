/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a person's orders about the register of devices: even the longest names are not
 * cut, in JSON, in EVE and in the sentence of both languages. Also the register of a backup: tried,
 * taken over and refused.
 *
 * LINK: appliance/journal/role_device.c appliance/journal/role_register.c appliance/journal/known.c
 * LINK: appliance/journal/json.c
 * LINK: appliance/base/atomic_file.c
 * LINK: mgmt/words/eve.c mgmt/words/event.c mgmt/state/journal.c
 * LINK: mgmt/words/command.c mgmt/state/read.c
 * LINK: mgmt/cli/words/event.c mgmt/cli/words/render.c mgmt/cli/screen/table.c
 * LINK: mgmt/cli/screen/wrap.c
 * LINK: $(WIRE_SRC) $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_private.h"
#include "appliance/journal/role_write.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/journal/names.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/words/eve.h"
#include "mgmt/words/event.h"

/* ---- what surrounds it ----------------------------------------------------------------------- */

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

json_t *names_openings(const struct names *n, const struct event *e, uint64_t seconds)
{
	(void)n;
	(void)e;
	(void)seconds;
	return NULL;
}

void names_of_event(const struct names *n, const struct event *e, struct named *ret)
{
	(void)n;
	(void)e;
	*ret = (struct named){ 0 };
}

/* ---- the longest ----------------------------------------------------------------------------- */

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

/* The names are complete in JSON, in EVE, and in the line and sentence of both languages. */
static void holds_all(const char *code)
{
	const char *all[] = { "02:00:00:00:00:01", interface, zone, person, by, reason, ADDRESS, FROM };
	uint8_t wire[EVENT_WIRE_MAX];
	struct event again;
	json_t *record, *eve;
	char *text[6];

	/* Also after the event waited for room: its binary form keeps everything. */
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
	struct msg asked = { .body = { MSG_DEVICES,
				       .devices = { .order = (uint8_t)what, .number = 1, .reason = reason } } };
	struct msg_devices *m = &asked.body.devices;
	enum answer_status status;
	struct addr from;

	assert_true(addr_parse(FROM, &from));
	m->family = from.family;
	memcpy(m->from, from.b, sizeof(m->from));
	memcpy(m->by, by, sizeof(by));
	memcpy(m->person, person, sizeof(person));
	n_told = 0;
	json_decref(role_device_order(&j, &asked, &status));
	assert_int_equal(status, ANSWER_YES);
	assert_int_equal(n_told, 1);
}

/* Whatever ends the journal: a register that began anew is on the disk when this is reported, so
 * that it is reported once. */
static void it_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(told.code, DEVICE_FIRST);
	assert_int_equal(n_told, 1);
	role_device_open(&j);
	assert_int_equal(n_told, 1);
	assert_int_equal(j.known.anew, DEVICES_FIRST);
}

/* If nobody knows whether the records of an order were written, this is reported at the next start,
 * once. */
static void an_order_without_records_is_told(void **state)
{
	struct err e;

	(void)state;
	j.known.unrecorded = (struct known_order){ DEVICES_FORGET, 3, "b", "p", "r" };
	assert_int_equal(columns_save(&known_file, j.chain.dirfd, &j.known, &e), 0);
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

/* ---- of a backup ----------------------------------------------------------------------------- */

/* "lan2" has a device that somebody has reviewed, and one that nobody has. */
#define KNOWN_ONE                                                                                                      \
	"{\"number\":3,\"mac\":17,\"state\":0,\"interface\":\"lan2\",\"zone\":\"ot\",\"addresses\":[\"10.0.0.1\"],"    \
	"\"first\":5,\"last\":6,\"reviewed\":6,\"by\":\"root\",\"person\":\"佐藤\",\"reason\":\"見た\"}"
#define NEW_ONE                                                                                                        \
	"{\"number\":9,\"mac\":18,\"state\":2,\"interface\":\"lan2\",\"zone\":\"ot\",\"addresses\":[],\"first\":5,"    \
	"\"last\":6,\"reviewed\":0,\"by\":\"\",\"person\":\"\",\"reason\":\"\"}"
#define HEAD(form, reviewed)                                                                                           \
	"{\"form\":" form ",\"last\":9,\"began\":4,\"reviewed\":" reviewed                                             \
	",\"beyond\":0,\"anew\":0,\"unrecorded\":null,"
#define GOOD HEAD("1", "6") "\"devices\":[" KNOWN_ONE "," NEW_ONE "]}"
#define FROM_BOX "kita@box 2026-11-25T10:00:00.000Z generation 3, journal 9 ab"

static enum answer_status hand(enum devices_order what, int fd, json_t **ret)
{
	struct msg m = { .body = { MSG_DEVICES,
				   .devices = { .order = (uint8_t)what, .by = "root", .reason = FROM_BOX } },
			 .n_fds = 1,
			 .fds = { fd } };
	enum answer_status status;
	json_t *said;

	n_told = 0;
	said = role_device_order(&j, &m, &status);
	assert_non_null(said);
	if (ret != NULL)
		*ret = said;
	else
		json_decref(said);
	return status;
}

static enum answer_status hand_text(enum devices_order what, const void *text, size_t n, json_t **ret)
{
	int fd = memfd_sealed("devices", text, n);
	enum answer_status status;

	assert_true(fd >= 0);
	status = hand(what, fd, ret);
	close(fd);
	return status;
}

static bool says(json_t *said, bool taken, json_int_t known, json_int_t new)
{
	bool same = json_is_boolean(json_object_get(said, "taken")) &&
		    json_is_true(json_object_get(said, "taken")) == taken &&
		    json_integer_value(json_object_get(said, "known")) == known &&
		    json_integer_value(json_object_get(said, "new")) == new;

	json_decref(said);
	return same;
}

/* The journal starts again. It finds the register as it is now, and makes this many reports. */
static void begins_again(unsigned told_then)
{
	const int folder = j.chain.dirfd;
	static struct known kept;

	/* What could not be saved is saved the next time. */
	j.known.changed = true;
	j.chain.dirfd = -1;
	role_device_write(&j, 0, true);
	assert_true(j.known.changed);
	assert_int_not_equal(role_device_due(&j), UINT64_MAX);
	j.chain.dirfd = folder;
	role_device_write(&j, 0, true);
	assert_false(j.known.changed);
	kept = j.known;
	n_told = 0;
	role_device_open(&j);
	assert_int_equal(n_told, told_then);
	assert_int_equal(j.known.n, kept.n);
	for (size_t i = 0; i < kept.n; i++)
		assert_memory_equal(&j.known.list[i], &kept.list[i], sizeof(kept.list[i]));
	assert_true(j.known.anew == kept.anew && j.known.reviewed == kept.reviewed && j.known.last == kept.last);
}

static void a_backup_is_tried_and_taken(void **state)
{
	static struct known before;
	struct known_device *own;
	json_t *said, *record;

	(void)state;
	before = j.known;
	assert_int_equal(hand_text(DEVICES_TRY, GOOD, strlen(GOOD), &said), ANSWER_YES);
	assert_true(says(said, true, 1, 1));
	assert_memory_equal(&j.known, &before, sizeof(before));
	assert_int_equal(n_told, 0);

	assert_int_equal(hand_text(DEVICES_TAKE, GOOD, strlen(GOOD), &said), ANSWER_YES);
	assert_true(says(said, true, 1, 1));
	/* Two reports: the order itself, and the device that only this box had heard. That one is
	 * new again, and has the next free number. */
	assert_int_equal(n_told, 2);
	assert_int_equal(told.code, DEVICE_UNKNOWN);
	assert_true(j.known.n == 3 && j.known.anew == DEVICES_RESTORED && j.known.reviewed == 6 && j.known.began == 4);
	assert_true(j.known.list[0].number == 2 && j.known.list[0].state == DEVICE_IS_KNOWN);
	assert_string_equal(j.known.list[0].person, "佐藤");
	own = &j.known.list[2];
	assert_true(own->state == DEVICE_IS_UNKNOWN && own->first == 7 && own->addresses[0].family == 6);
	assert_int_equal(j.known.unrecorded.order, DEVICES_LIST);
	begins_again(0);

	/* What the record says. */
	told = (struct event){ 0 };
	j.known.unrecorded = (struct known_order){ DEVICES_TAKE, 3, "root", "", FROM_BOX };
	j.known.changed = true;
	begins_again(1);
	assert_true(told.code == DEVICE_RESTORED && told.count == 3 && told.quantity == 2);
	record = event_json(&told, ROLE_JOURNAL, &j.names);
	assert_string_equal(json_string_value(json_object_get(record, "code")), "restored");
	assert_string_equal(json_string_value(json_object_get(record, "object")), FROM_BOX);
	assert_string_equal(json_string_value(json_object_get(record, "by")), "root");
	assert_int_equal(json_integer_value(json_object_get(record, "count")), 3);
	assert_int_equal(json_integer_value(json_object_get(record, "unreviewed")), 2);
	assert_null(json_object_get(record, "mac"));
	for (enum lang lang = LANG_EN; lang <= LANG_JA; lang++) {
		char *text = event_sentence(record, lang);

		has(text, FROM_BOX);
		has(text, "root");
		has(text, lang == LANG_EN ? "3 devices, of which nobody has reviewed 2" : "3 台、うち未確認 2 台");
		free(text);
	}
	json_decref(record);
	begins_again(0);
}

static void over_a_review_it_is_left(void **state)
{
	static struct known before;
	json_t *said;

	(void)state;
	order(DEVICES_ACCEPT);
	before = j.known;
	for (enum devices_order what = DEVICES_TRY; what <= DEVICES_TAKE; what++) {
		assert_int_equal(hand_text(what, GOOD, strlen(GOOD), &said), ANSWER_YES);
		assert_true(says(said, false, 1, 1));
		assert_memory_equal(&j.known, &before, sizeof(before));
		assert_int_equal(n_told, 0);
	}
}

/* A second register replaces the first one, until somebody has reviewed a device of
 * the first. */
static void until_somebody_looks_another_may_come(void **state)
{
	struct msg asked = { .body = { MSG_DEVICES,
				       .devices = { .order = DEVICES_FORGET, .person = "S", .reason = "r" } } };
	struct msg_devices *forget = &asked.body.devices;
	enum answer_status status;
	json_t *said;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(hand_text(DEVICES_TAKE, GOOD, strlen(GOOD), &said), ANSWER_YES);
		assert_true(says(said, true, 1, 1));
		assert_int_equal(n_told, 2 - i);
	}
	forget->number = j.known.list[0].number;
	forget->reason = " \u3000";
	json_decref(role_device_order(&j, &asked, &status));
	assert_int_equal(status, ANSWER_INVALID);
	forget->reason = "r";
	json_decref(role_device_order(&j, &asked, &status));
	assert_int_equal(status, ANSWER_YES);
	assert_true(j.known.anew == DEVICES_GO_ON && j.known.n == 1);
	assert_int_equal(hand_text(DEVICES_TAKE, GOOD, strlen(GOOD), &said), ANSWER_YES);
	assert_true(says(said, false, 1, 1));
	assert_int_equal(j.known.n, 1);
}

static void what_is_no_backup_changes_nothing(void **state)
{
	static const struct {
		enum answer_status status;
		const char *text;
	} texts[] = {
		{ ANSWER_INVALID, "" },
		{ ANSWER_INVALID, "[]" },
		{ ANSWER_INVALID, GOOD "x" },
		{ ANSWER_INVALID, HEAD("1", "0") "\"devices\":[" KNOWN_ONE "]}" },
		{ ANSWER_INVALID, HEAD("1", "6") "\"devices\":[" KNOWN_ONE "," KNOWN_ONE "]}" },
		{ ANSWER_INVALID, HEAD("1", "6") "\"devices\":[" NEW_ONE "," KNOWN_ONE "]}" },
		{ ANSWER_INVALID, HEAD("1", "6") "\"devices\":[],\"more\":1}" },
		{ ANSWER_INVALID, HEAD("\"1\"", "6") "\"devices\":[]}" },
		{ ANSWER_NO, HEAD("2", "6") "\"devices\":[" KNOWN_ONE "," NEW_ONE "]}" },
	};
	static struct known before;
	char *much = malloc(KNOWN_BYTES + 1);

	(void)state;
	assert_non_null(much);
	memset(much, ' ', KNOWN_BYTES + 1);
	memcpy(much, GOOD, strlen(GOOD));
	before = j.known;
	for (enum devices_order what = DEVICES_TRY; what <= DEVICES_TAKE; what++) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			assert_int_equal(hand_text(what, texts[i].text, strlen(texts[i].text), NULL), texts[i].status);
		for (size_t n = 0; n < strlen(GOOD); n++)
			assert_int_equal(hand_text(what, GOOD, n, NULL), ANSWER_INVALID);
		assert_int_equal(hand_text(what, much, KNOWN_BYTES + 1, NULL), ANSWER_INVALID);
		assert_int_equal(hand(what, -1, NULL), ANSWER_INVALID);
		assert_int_equal(hand(what, j.chain.dirfd, NULL), ANSWER_INVALID);
		assert_int_equal(n_told, 0);
		assert_memory_equal(&j.known, &before, sizeof(before));
	}
	assert_int_equal(hand_text(DEVICES_TRY, much, KNOWN_BYTES, NULL), ANSWER_YES);
	free(much);
}

/* The register that a box gives to a backup is accepted by another box; and a box gives no register
 * that would be refused. */
static void what_is_handed_out_is_taken(void **state)
{
	json_t *copy, *said;
	char *text;

	(void)state;
	order(DEVICES_ACCEPT);
	assert_int_equal(hand(DEVICES_COPY, -1, &copy), ANSWER_YES);
	text = json_dumps(copy, JSON_COMPACT);
	json_decref(copy);
	unmake(NULL);
	memset(&j.known, 0, sizeof(j.known));
	make(NULL);
	assert_int_equal(hand_text(DEVICES_TAKE, text, strlen(text), &said), ANSWER_YES);
	assert_true(says(said, true, 1, 0));
	assert_int_equal(n_told, 1);
	assert_int_equal(told.code, DEVICE_RESTORED);
	assert_string_equal(j.known.list[0].reason, reason);
	free(text);
	strcpy(j.known.list[0].interface, "no name");
	assert_int_equal(hand(DEVICES_COPY, -1, NULL), ANSWER_CANNOT);
}

/* A register that cannot be written to the disk is not taken over. */
static void without_room_nothing_is_taken(void **state)
{
	static struct known before;
	int folder = j.chain.dirfd, none = open("/proc/self", O_RDONLY | O_DIRECTORY);

	(void)state;
	role_device_write(&j, 0, true);
	before = j.known;
	j.chain.dirfd = none;
	assert_int_equal(hand_text(DEVICES_TAKE, GOOD, strlen(GOOD), NULL), ANSWER_CANNOT);
	j.chain.dirfd = folder;
	close(none);
	assert_int_equal(n_told, 0);
	assert_memory_equal(&j.known, &before, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_told_once, make, unmake),
		cmocka_unit_test_setup_teardown(an_order_without_records_is_told, make, unmake),
		cmocka_unit_test_setup_teardown(nothing_is_cut, make, unmake),
		cmocka_unit_test_setup_teardown(a_backup_is_tried_and_taken, make, unmake),
		cmocka_unit_test_setup_teardown(over_a_review_it_is_left, make, unmake),
		cmocka_unit_test_setup_teardown(until_somebody_looks_another_may_come, make, unmake),
		cmocka_unit_test_setup_teardown(what_is_no_backup_changes_nothing, make, unmake),
		cmocka_unit_test_setup_teardown(what_is_handed_out_is_taken, make, unmake),
		cmocka_unit_test_setup_teardown(without_room_nothing_is_taken, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

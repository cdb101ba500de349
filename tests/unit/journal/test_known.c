/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The register of devices: it learns until a person has reviewed it, reports each new device once,
 * has a share for each interface, outlives a restart, and accepts no damaged file.
 *
 * LINK: appliance/journal/known.c appliance/base/atomic_file.c appliance/base/columns.c $(WIRE_SRC)
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/journal/known.h"

static struct known k;
static uint64_t now = 1000;
static char base[] = "/tmp/sekisho-known-XXXXXX";
static int folder = -1;

static int make(void **state)
{
	(void)state;
	strcpy(base, "/tmp/sekisho-known-XXXXXX");
	if (mkdtemp(base) == NULL || (folder = open(base, O_RDONLY | O_DIRECTORY)) < 0)
		return -1;
	return known_load(folder, now, false, &k) == DEVICES_FIRST && k.anew == DEVICES_FIRST && k.changed ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	unlinkat(folder, "devices", 0);
	unlinkat(folder, "devices.damaged", 0);
	close(folder);
	return rmdir(base);
}

static struct known_told see_at(uint32_t n, const char *address, const char *interface, const char *zone, bool asset)
{
	struct known_sighting s = { .mac = { 2, 0, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
					     (uint8_t)n },
				    .interface = interface,
				    .zone = zone,
				    .asset = asset,
				    .now = ++now };

	if (address != NULL)
		assert_true(addr_parse(address, &s.address));
	return known_see(&k, &s);
}

static struct known_told see(uint32_t n, const char *address)
{
	return see_at(n, address, "lan2", "ot", false);
}

static void accept_all(void)
{
	for (size_t i = 0; i < k.n; i++)
		assert_true(known_accept(&k, &k.list[i], now));
	k.reviewed = now;
}

static void it_learns_first(void **state)
{
	struct known_told t = see(1, "10.0.0.1");

	(void)state;
	assert_int_equal(t.news, KNOWN_NO_NEWS);
	assert_int_equal(k.list[0].state, DEVICE_IS_LISTED);
	assert_int_equal(see(2, "10.0.0.1").news, KNOWN_NO_NEWS);
	accept_all();
	assert_int_equal(known_new(&k), 0);
	t = see(3, NULL);
	assert_int_equal(t.news, KNOWN_NEW_DEVICE);
	assert_int_equal(known_find(&k, t.number)->state, DEVICE_IS_UNKNOWN);
	assert_int_equal(see(3, NULL).news, KNOWN_NO_NEWS);
	assert_int_equal(see(3, "10.0.0.3").news, KNOWN_NO_NEWS);
	assert_int_equal(known_new(&k), 1);
	assert_true(known_accept(&k, known_find(&k, t.number), now));
	assert_int_equal(known_new(&k), 0);
	known_forget(&k, known_find(&k, t.number));
	assert_null(known_find(&k, t.number));
	assert_int_equal(see(3, NULL).news, KNOWN_NEW_DEVICE);
}

static void addresses_move(void **state)
{
	struct known_told t;

	(void)state;
	see_at(1, "10.0.0.1", "lan2", "ot", true);
	see(2, "10.0.0.2");
	accept_all();
	t = see_at(2, "10.0.0.1", "lan2", "ot", true);
	assert_int_equal(t.news, KNOWN_ADDRESS_MOVED);
	assert_string_equal(t.before, "02:00:00:00:00:01");
	assert_int_equal(known_find(&k, t.number)->state, DEVICE_HAS_ADDRESS);
	assert_int_equal(see_at(2, "10.0.0.1", "lan2", "ot", true).news, KNOWN_NO_NEWS);
	/* An address that is no asset's is reported, but needs no review. */
	t = see(1, "10.0.0.2");
	assert_int_equal(t.news, KNOWN_ADDRESS_MOVED);
	assert_int_equal(known_find(&k, t.number)->state, DEVICE_IS_KNOWN);
	/* A new device with this address is one report. */
	t = see(3, "10.0.0.2");
	assert_int_equal(t.news, KNOWN_NEW_DEVICE);
	assert_string_equal(t.before, "02:00:00:00:00:01");
	/* The same address on another interface belongs to another host. */
	assert_string_equal(see_at(4, "10.0.0.2", "lan3", "it", false).before, "");
	/* Four addresses at most, the newest first; an address that comes back is not reported. */
	for (unsigned i = 0; i < 6; i++) {
		char text[16];

		snprintf(text, sizeof(text), "10.0.1.%u", i);
		assert_int_equal(see(2, text).news, KNOWN_NO_NEWS);
	}
	t = see(2, "10.0.1.3");
	assert_int_equal(known_find(&k, t.number)->addresses[0].b[3], 3);
	assert_int_equal(known_find(&k, t.number)->addresses[1].b[3], 5);
}

/* The clock is years ahead for a while: the time when a device was last heard is right again when
 * it is heard next. */
static void a_clock_that_was_ahead_for_a_while(void **state)
{
	const uint64_t right = now;

	(void)state;
	see(1, "10.0.0.1");
	now = right + 3650ull * 86400;
	see(1, "10.0.0.1");
	see(2, "10.0.0.2");
	now = right + 60;
	see(1, "10.0.0.1");
	see(2, "10.0.0.2");
	assert_int_equal(k.list[0].first, right + 1);
	assert_int_equal(k.list[0].last, right + 61);
	assert_int_equal(k.list[1].first, right + 62);
	assert_int_equal(k.list[1].last, right + 62);
	/* A slightly earlier time comes from the order of messages; it does not mean that the clock
	 * was set. */
	now = right + 50;
	see(1, "10.0.0.1");
	assert_int_equal(k.list[0].last, right + 61);
}

static void zones_and_interfaces(void **state)
{
	struct known_told t;

	(void)state;
	see(1, "10.0.0.1");
	accept_all();
	t = see_at(1, "10.9.0.1", "lan0", "it", false);
	assert_int_equal(t.news, KNOWN_OTHER_ZONE);
	assert_string_equal(t.before, "lan2 (ot)");
	assert_int_equal(known_find(&k, t.number)->state, DEVICE_IS_ELSEWHERE);
	/* It is not reported when a device comes to another interface of its own zone. */
	t = see_at(1, "10.0.0.1", "lan3", "ot", false);
	assert_int_equal(t.news, KNOWN_NO_NEWS);
	assert_int_equal(known_find(&k, t.number)->state, DEVICE_IS_KNOWN);
	/* A device that nobody has reviewed stays a new device, wherever it is heard. */
	assert_int_equal(see(2, NULL).news, KNOWN_NEW_DEVICE);
	assert_int_equal(see_at(2, NULL, "lan3", "ot", false).news, KNOWN_NEW_DEVICE);
	assert_int_equal(see_at(2, NULL, "lan0", "it", false).news, KNOWN_NEW_DEVICE);
	/* It is not reported when the zone of a device gets another name. */
	assert_int_equal(see_at(1, NULL, "lan2", "crane", false).news, KNOWN_NO_NEWS);
	assert_string_equal(k.list[0].zone, "crane");
}

static size_t of_interface(const char *interface)
{
	size_t n = 0;

	for (size_t i = 0; i < k.n; i++)
		n += strcmp(k.list[i].interface, interface) == 0;
	return n;
}

static void a_share_for_each_interface(void **state)
{
	char name[8];

	(void)state;
	see(1, NULL);
	accept_all();
	for (uint32_t n = 0; n < 10000; n++)
		see(100 + n, NULL);
	assert_int_equal(of_interface("lan2"), 1 + KNOWN_SHARE);
	assert_int_equal(k.beyond, 10000 - KNOWN_SHARE);
	assert_int_equal(see_at(7, NULL, "lan0", "it", false).news, KNOWN_NEW_DEVICE);
	/* All interfaces together fill the register: the one with most devices gives up one, and no
	 * known device is removed. */
	for (unsigned i = 10; i < 20; i++)
		for (uint32_t n = 0; n < 300; n++) {
			snprintf(name, sizeof(name), "lan%u", i);
			see_at(i << 16 | n, NULL, name, "x", false);
		}
	assert_int_equal(known_new(&k), KNOWN_NEW);
	assert_int_equal(see_at(8, NULL, "lan30", "y", false).news, KNOWN_NEW_DEVICE);
	assert_int_equal(known_new(&k), KNOWN_NEW);
	assert_int_equal(of_interface("lan0"), 1);
	assert_true(of_interface("lan19") > 150);
	assert_int_equal(k.list[0].state, DEVICE_IS_KNOWN);
	assert_int_equal(see(1, NULL).news, KNOWN_NO_NEWS);
}

/* An attacker takes the address of a known device and then fills the register: the known device is
 * not removed, although it waits for a review again. */
static void a_contested_device_stays(void **state)
{
	struct known_told t;
	char name[8];

	(void)state;
	see_at(1, "10.0.0.1", "lan2", "ot", true);
	accept_all();
	for (uint32_t n = 0; n < KNOWN_SHARE - 2; n++)
		see(100 + n, NULL);
	t = see(2, NULL);
	assert_true(known_accept(&k, known_find(&k, t.number), now));
	assert_int_equal(see_at(2, "10.0.0.1", "lan2", "ot", true).news, KNOWN_ADDRESS_MOVED);
	assert_int_equal(known_find(&k, t.number)->state, DEVICE_HAS_ADDRESS);
	for (unsigned i = 10; i < 20; i++)
		for (uint32_t n = 0; n < KNOWN_SHARE - 10; n++) {
			snprintf(name, sizeof(name), "lan%u", i);
			see_at(i << 16 | n, NULL, name, "x", false);
		}
	assert_int_equal(known_new(&k), KNOWN_NEW);
	assert_true(k.beyond > 0 && of_interface("lan2") < KNOWN_SHARE);
	assert_non_null(known_find(&k, t.number));
}

static void it_outlives_a_restart(void **state)
{
	static struct known before;
	struct err e;

	(void)state;
	see(1, "10.0.0.1");
	see(1, "fe80::1");
	snprintf(k.list[0].person, sizeof(k.list[0].person), "佐藤");
	snprintf(k.list[0].reason, sizeof(k.list[0].reason), "見た");
	accept_all();
	see(2, "10.0.0.2");
	k.unrecorded = (struct known_order){ DEVICES_ACCEPT, 1, "root", "佐藤", "見た" };
	assert_true(k.changed);
	assert_int_equal(columns_save(&known_file, folder, &k, &e), 0);
	k.changed = k.stale = false;
	before = k;
	assert_int_equal(known_load(folder, 7, true, &k), DEVICES_GO_ON);
	assert_memory_equal(&k, &before, sizeof(k));
	assert_int_equal(see(2, NULL).news, KNOWN_NO_NEWS);
}

/* The register says why it began anew until somebody has reviewed the new one, also over
 * restarts. */
static void begins_anew(enum device_anew why)
{
	struct err e;

	assert_true(k.anew == why && k.changed && k.n == 0 && k.reviewed == 0 && k.began == 77);
	assert_int_equal(see(1, "10.0.0.1").news, KNOWN_NO_NEWS);
	assert_int_equal(columns_save(&known_file, folder, &k, &e), 0);
	assert_int_equal(known_load(folder, 78, true, &k), DEVICES_GO_ON);
	assert_true(k.anew == why && k.began == 77 && !k.changed);
	accept_all();
	assert_int_equal(k.anew, DEVICES_GO_ON);
}

static void what_cannot_be_read_is_set_aside(void **state)
{
#define HEAD "{\"form\":1,\"last\":1,\"began\":1,\"reviewed\":0,\"beyond\":0,"
	static const struct {
		enum device_anew why;
		const char *text;
	} texts[] = {
		{ DEVICES_UNREADABLE, "" },
		{ DEVICES_UNREADABLE, "{" },
		{ DEVICES_UNREADABLE, "[]" },
		{ DEVICES_UNREADABLE, "{\"form\":\"1\"}" },
		{ DEVICES_UNREADABLE, HEAD "\"anew\":6,\"unrecorded\":null,\"devices\":[]}" },
		{ DEVICES_UNREADABLE, HEAD "\"anew\":0,\"unrecorded\":null,\"devices\":[{}]}" },
		{ DEVICES_UNREADABLE, HEAD "\"anew\":0,\"unrecorded\":{},\"devices\":[]}" },
		{ DEVICES_UNREADABLE,
		  HEAD "\"anew\":0,\"unrecorded\":{\"order\":3,\"n\":1,\"by\":\"b\",\"person\":\"p\",\"reason\":\"r\"},"
		       "\"devices\":[]}" },
		{ DEVICES_UNREADABLE, HEAD
		  "\"anew\":0,\"unrecorded\":null,\"devices\":[{\"number\":2,\"mac\":1,\"state\":0,\"interface\":\"l\","
		  "\"zone\":\"\",\"addresses\":[],\"first\":1,\"last\":1,\"reviewed\":0,\"by\":\"\",\"person\":\"\","
		  "\"reason\":\"\"}]}" },
		{ DEVICES_OTHER_FORM, "{\"form\":0}" },
		{ DEVICES_OTHER_FORM, "{\"form\":2}" },
	};
	uint8_t *text;
	size_t n;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(atomic_write(folder, "devices", texts[i].text, strlen(texts[i].text), &e), 0);
		assert_int_equal(known_load(folder, 77, true, &k), texts[i].why);
		assert_int_equal(file_read(folder, "devices.damaged", 1000, &text, &n, NULL), 0);
		assert_int_equal(n, strlen(texts[i].text));
		free(text);
		begins_anew(texts[i].why);
	}
}

/* A register that was deleted is reported like a damaged one, if there are records which show that
 * it existed. */
static void what_is_gone_is_told(void **state)
{
	(void)state;
	assert_int_equal(known_load(folder, 77, true, &k), DEVICES_GONE);
	begins_anew(DEVICES_GONE);
	assert_int_equal(unlinkat(folder, "devices", 0), 0);
	assert_int_equal(known_load(folder, 77, false, &k), DEVICES_FIRST);
	begins_anew(DEVICES_FIRST);
}

/* ---- of a backup ----------------------------------------------------------------------------- */

/* Two devices that somebody has reviewed, and one that nobody has. */
static void as_of_a_backup(void)
{
	see(1, "10.0.0.1");
	see_at(2, "10.0.0.2", "lan-3.0", "i_t", false);
	accept_all();
	see(3, NULL);
}

static void what_people_made_is_sound(void **state)
{
	(void)state;
	assert_true(known_is_sound(&k));
	as_of_a_backup();
	assert_true(known_is_sound(&k));
	see_at(2, "10.0.0.2", "lan9", "dmz", false);
	known_forget(&k, &k.list[0]);
	assert_true(known_is_sound(&k));
	for (uint32_t n = 0; n < KNOWN_ACCEPTED + 2; n++) {
		struct known_device *d = known_find(&k, see(100 + n, NULL).number);

		if (d != NULL)
			(void)known_accept(&k, d, now);
	}
	assert_true(known_is_sound(&k));
	assert_int_equal(k.n - known_new(&k), KNOWN_ACCEPTED);
}

/* A full register with the longest texts: its own file is within the limits for reading. */
static void a_full_one_is_read(void **state)
{
	static struct known full;
	struct err e;

	(void)state;
	as_of_a_backup();
	for (k.n = 0; k.n < KNOWN_MOST; k.n++) {
		struct known_device *d = &k.list[k.n];

		*d = (struct known_device){ .number = (uint32_t)k.n + 1,
					    .mac = { 2, 0, 0, 0, (uint8_t)(k.n >> 8), (uint8_t)k.n },
					    .state = k.n < KNOWN_ACCEPTED ? DEVICE_IS_KNOWN : DEVICE_IS_UNKNOWN,
					    .first = 1,
					    .last = UINT32_MAX,
					    .reviewed = UINT32_MAX };
		for (unsigned a = 0; a < KNOWN_ADDRESSES; a++) {
			assert_true(addr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &d->addresses[a]));
			d->addresses[a].b[15] = (uint8_t)a;
		}
		memset(d->interface, 'i', sizeof(d->interface) - 1);
		memset(d->zone, 'z', sizeof(d->zone) - 1);
		memset(d->by, 'b', sizeof(d->by) - 1);
		memset(d->person, '"', sizeof(d->person) - 1);
		memset(d->reason, '"', sizeof(d->reason) - 1);
	}
	k.last = KNOWN_MOST;
	assert_true(known_is_sound(&k));
	assert_int_equal(columns_save(&known_file, folder, &k, &e), 0);
	k.changed = k.stale = false;
	full = k;
	assert_int_equal(known_load(folder, 7, true, &k), DEVICES_GO_ON);
	assert_memory_equal(&k, &full, sizeof(k));
}

/* A text with more parts than a register has is no register: it is not read at all. */
static void a_crowd_of_parts_is_none(void **state)
{
	size_t n = 0, room = 1u << 20;
	char *text = malloc(room);

	(void)state;
	assert_non_null(text);
	n += (size_t)snprintf(text, room, "{\"form\":3,\"devices\":[[]");
	while (n + 8 < room)
		n += (size_t)snprintf(text + n, room - n, ",[]");
	n += (size_t)snprintf(text + n, room - n, "]}");
	assert_int_equal(known_parse((const uint8_t *)text, n, &k), DEVICES_UNREADABLE);
	free(text);
}

static void what_nobody_can_have_made_is_not(void **state)
{
	static struct known good;

	(void)state;
	as_of_a_backup();
	good = k;
	k.list[2].mac[5] = 1; /* the first one again */
	assert_false(known_is_sound(&k));
	k = good;
	k.reviewed = 0;
	assert_false(known_is_sound(&k));
	k = good;
	k.list[1].reviewed = 0;
	assert_false(known_is_sound(&k));
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = { "", "lan 2", "lan2\n\x1b[2J" };

		k = good;
		strcpy(k.list[0].interface, names[i]);
		assert_false(known_is_sound(&k));
		if (i == 0)
			continue;
		k = good;
		strcpy(k.list[0].zone, names[i]);
		assert_false(known_is_sound(&k));
	}
	k = good;
	for (uint32_t n = 0; k.n <= KNOWN_ACCEPTED + 1; n++) {
		k.list[k.n] = good.list[0];
		k.list[k.n].mac[1] = 9;
		k.list[k.n].mac[4] = (uint8_t)(n >> 8);
		k.list[k.n++].mac[5] = (uint8_t)n;
	}
	assert_int_equal(k.n - known_new(&k), KNOWN_ACCEPTED + 1);
	assert_false(known_is_sound(&k));
}

static void it_takes_the_place_of_one_that_nobody_reviewed(void **state)
{
	static struct known from;

	(void)state;
	as_of_a_backup();
	k.unrecorded = (struct known_order){ DEVICES_ACCEPT, 1, "root", "S", "r" };
	from = k;
	assert_false(known_may_go(&k));
	k = (struct known){ .anew = DEVICES_FIRST };
	see(8, NULL);
	assert_true(known_may_go(&k));
	known_take_over(&k, &from);
	assert_true(k.changed && k.n == 3 && k.last == 4 && k.reviewed == from.reviewed && k.began == from.began);
	assert_int_equal(k.anew, DEVICES_RESTORED);
	assert_int_equal(k.unrecorded.order, DEVICES_LIST);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(k.list[i].number, 2 + i);
		assert_memory_equal(k.list[i].mac, from.list[i].mac, 6);
	}
	/* Known devices are known, and a new one is reported. Until somebody has reviewed something
	 * here, another register may be taken over. */
	assert_int_equal(see(1, "10.0.0.1").news, KNOWN_NO_NEWS);
	assert_int_equal(see(9, NULL).news, KNOWN_NEW_DEVICE);
	assert_true(known_may_go(&k));
	assert_true(known_accept(&k, known_find(&k, 5), now));
	assert_false(known_may_go(&k));
	/* There are no numbers beyond this one. */
	k.last = UINT32_MAX - 1;
	known_take_over(&k, &from);
	assert_true(k.last == 3 && k.list[0].number == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_learns_first, make, unmake),
		cmocka_unit_test_setup_teardown(addresses_move, make, unmake),
		cmocka_unit_test_setup_teardown(a_clock_that_was_ahead_for_a_while, make, unmake),
		cmocka_unit_test_setup_teardown(zones_and_interfaces, make, unmake),
		cmocka_unit_test_setup_teardown(a_share_for_each_interface, make, unmake),
		cmocka_unit_test_setup_teardown(a_contested_device_stays, make, unmake),
		cmocka_unit_test_setup_teardown(it_outlives_a_restart, make, unmake),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_set_aside, make, unmake),
		cmocka_unit_test_setup_teardown(what_is_gone_is_told, make, unmake),
		cmocka_unit_test_setup_teardown(what_people_made_is_sound, make, unmake),
		cmocka_unit_test_setup_teardown(a_full_one_is_read, make, unmake),
		cmocka_unit_test_setup_teardown(a_crowd_of_parts_is_none, make, unmake),
		cmocka_unit_test_setup_teardown(what_nobody_can_have_made_is_not, make, unmake),
		cmocka_unit_test_setup_teardown(it_takes_the_place_of_one_that_nobody_reviewed, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

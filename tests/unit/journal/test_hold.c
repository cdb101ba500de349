/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Legal holds: what they cover, that they outlive a restart, and that any fault of their two files
 * keeps more records, never fewer.
 *
 * LINK: appliance/journal/hold.c appliance/base/atomic_file.c appliance/base/columns.c
 * LINK: appliance/base/clock.c $(WIRE_SRC)
 * LINK: appliance/base/err.c appliance/base/sha256.c appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/bytes.c appliance/base/memfd.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/journal/hold.h"

#define DAY 86400u

static int folders[HOLD_FOLDERS] = { -1, -1 };
static char base[] = "/tmp/sekisho-hold-XXXXXX";

static int make(void **state)
{
	char path[64];

	(void)state;
	strcpy(base, "/tmp/sekisho-hold-XXXXXX");
	if (mkdtemp(base) == NULL)
		return -1;
	for (unsigned i = 0; i < HOLD_FOLDERS; i++) {
		snprintf(path, sizeof(path), "%s/%u", base, i);
		if (mkdir(path, 0700) < 0 || (folders[i] = open(path, O_RDONLY | O_DIRECTORY)) < 0)
			return -1;
	}
	return 0;
}

static int unmake(void **state)
{
	static const char *const names[] = { "holds", "holds.damaged" };
	char path[64];

	(void)state;
	for (unsigned i = 0; i < HOLD_FOLDERS; i++) {
		for (unsigned k = 0; k < 2; k++)
			unlinkat(folders[i], names[k], 0);
		close(folders[i]);
		snprintf(path, sizeof(path), "%s/%u", base, i);
		rmdir(path);
	}
	return rmdir(base);
}

static struct holds placed(uint64_t from, uint64_t until)
{
	struct holds h = { 0 };
	struct hold *o = holds_place(&h);

	o->from = from;
	o->until = until;
	snprintf(o->by, sizeof(o->by), "sato");
	snprintf(o->person, sizeof(o->person), "佐藤");
	snprintf(o->reason, sizeof(o->reason), "事案 \"12\"");
	return h;
}

static bool holds_all(const struct holds *h)
{
	return holds_cover(h, 0, 0) != NULL && holds_cover(h, 1ull << 40, 1ull << 40) != NULL;
}

static void what_is_covered(void **state)
{
	struct holds h = placed(100 * DAY, 200 * DAY), none = { 0 };

	(void)state;
	assert_null(holds_cover(&none, 0, UINT64_MAX));
	assert_non_null(holds_cover(&h, 100 * DAY, 100 * DAY));
	assert_non_null(holds_cover(&h, 0, 1000 * DAY));
	assert_non_null(holds_cover(&h, 150 * DAY, 151 * DAY));
	assert_non_null(holds_cover(&h, 50 * DAY, 99 * DAY)); /* within the margin of a hold */
	assert_null(holds_cover(&h, 50 * DAY, 99 * DAY - 1));
	assert_non_null(holds_cover(&h, 201 * DAY, 300 * DAY));
	assert_null(holds_cover(&h, 201 * DAY + 1, 300 * DAY));
	h = placed(0, HOLD_OPEN);
	assert_true(holds_all(&h));
	assert_false(holds_lift(&h, 2));
	assert_true(holds_lift(&h, 1));
	assert_null(holds_cover(&h, 0, UINT64_MAX));
	/* A number is given only once. */
	assert_int_equal(holds_place(&h)->number, 2);
	while (h.n < HOLDS_MOST)
		assert_non_null(holds_place(&h));
	assert_null(holds_place(&h));
}

static void they_outlive_a_start(void **state)
{
	struct holds h = placed(100, 200), again;

	(void)state;
	assert_false(holds_load(folders, 2, &again));
	assert_int_equal(again.n, 0);
	assert_int_equal(holds_save(folders, 2, &h, NULL), 0);
	assert_false(holds_load(folders, 2, &again));
	assert_memory_equal(&again, &h, sizeof(h));
	/* Only the second copy was not written: the first copy is valid. */
	assert_int_equal(holds_place(&h)->number, 2);
	assert_int_equal(holds_save(folders, 1, &h, NULL), 0);
	assert_false(holds_load(folders, 2, &again));
	assert_memory_equal(&again, &h, sizeof(h));
	unlinkat(folders[1], "holds", 0);
	assert_false(holds_load(folders, 2, &again));
	assert_memory_equal(&again, &h, sizeof(h));
}

/* If the first file is missing or any of its bytes is changed, or either file is cut at any place,
 * everything counts as held. */
static void damage_releases_nothing(void **state)
{
	struct holds h = placed(100 * DAY, 200 * DAY), again;
	uint8_t *text = NULL;
	size_t n;

	(void)state;
	assert_int_equal(holds_save(folders, 2, &h, NULL), 0);
	assert_int_equal(file_read(folders[0], "holds", 65536, &text, &n, NULL), 0);
	for (unsigned of = 0; of < 2; of++) {
		for (size_t cut = 0; cut < n; cut++) {
			assert_int_equal(atomic_write(folders[of], "holds", text, cut, NULL), 0);
			assert_true(holds_load(folders, 2, &again));
			assert_true(holds_all(&again));
		}
		assert_int_equal(atomic_write(folders[of], "holds", text, n, NULL), 0);
	}
	unlinkat(folders[0], "holds", 0);
	assert_true(holds_load(folders, 2, &again));
	assert_true(holds_all(&again));
	assert_int_equal(again.n, 2);
	assert_int_equal(again.list[0].number, 1);
	for (size_t i = 0; i < n; i++) {
		text[i] ^= 0x80;
		assert_int_equal(atomic_write(folders[0], "holds", text, n, NULL), 0);
		assert_true(holds_load(folders, 2, &again));
		assert_true(holds_all(&again));
		text[i] ^= 0x80;
	}
	/* Both files are damaged: it is only known that there were holds. */
	assert_int_equal(atomic_write(folders[0], "holds", "x", 1, NULL), 0);
	assert_int_equal(atomic_write(folders[1], "holds", "", 0, NULL), 0);
	assert_true(holds_load(folders, 2, &again));
	assert_true(holds_all(&again));
	assert_int_equal(again.n, 1);
	/* The file that is then written stays, and the damaged one is kept beside it. */
	assert_int_equal(holds_save(folders, 2, &again, NULL), 0);
	h = again;
	assert_false(holds_load(folders, 2, &again));
	assert_memory_equal(&again, &h, sizeof(h));
	free(text);
	assert_int_equal(file_read(folders[0], "holds.damaged", 65536, &text, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(text[0], 'x');
	free(text);
}

static void what_is_no_list_is_damage(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"last\":0}",
		"{\"last\":0,\"holds\":{}}",
		"{\"last\":-1,\"holds\":[]}",
		"{\"last\":0,\"holds\":[],\"x\":1}",
		"{\"last\":0,\"holds\":[{}]}",
		"{\"last\":0,\"holds\":[{\"number\":1,\"from\":0,\"until\":1,\"placed\":0,\"by\":\"\",\"person\":\"\","
		"\"reason\":\"\"}]}",
		"{\"last\":1,\"holds\":[{\"number\":1,\"from\":2,\"until\":1,\"placed\":0,\"by\":\"\",\"person\":\"\","
		"\"reason\":\"\"}]}",
		"{\"last\":1,\"holds\":[]}{\"last\":1,\"holds\":[]}",
	};
	struct holds again;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(atomic_write(folders[0], "holds", texts[i], strlen(texts[i]), NULL), 0);
		assert_true(holds_load(folders, 1, &again));
		assert_true(holds_all(&again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_covered, make, unmake),
		cmocka_unit_test_setup_teardown(they_outlive_a_start, make, unmake),
		cmocka_unit_test_setup_teardown(damage_releases_nothing, make, unmake),
		cmocka_unit_test_setup_teardown(what_is_no_list_is_damage, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

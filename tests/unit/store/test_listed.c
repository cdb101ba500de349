/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list on the disk: the longest one is read as it was written. If it were not, everything would
 * be isolated at the next start.
 *
 * LINK: appliance/store/listed.c appliance/base/atomic_file.c appliance/base/err.c
 * LINK: appliance/base/json.c appliance/base/addr.c
 * LINK: appliance/base/utf8.c appliance/base/memfd.c appliance/base/sha256.c appliance/base/clock.c
 * LINK: appliance/base/columns.c
 * LIBS: nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <string.h>

#include "appliance/store/listed.h"
#include "tests/unit/folder.h"

#define LONGEST (16u << 20) /* supervise/relay.c */

static void the_longest(void **state)
{
	int dir = ((struct folder *)*state)->fd;
	char *json = malloc(LONGEST);
	json_t *list;

	assert_non_null(json);
	memset(json, 'x', LONGEST);
	memcpy(json, "[\"", 2);
	memcpy(json + LONGEST - 2, "\"]", 2);
	assert_true(listed_write(dir, "isolations", json, LONGEST));
	list = listed_read(dir, "isolations", 1);
	assert_int_equal(json_array_size(list), 1);
	assert_int_equal(json_string_length(json_array_get(list, 0)), LONGEST - 4);
	json_decref(list);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(the_longest, setup, teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

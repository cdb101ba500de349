/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LINK: appliance/box/sysctl.c appliance/base/err.c appliance/base/clock.c
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/box/sysctl.h"
#include "policy/ir/ir.h"
#include "policy/ir/limits.h"

#define FOLDER "/tmp/sekisho-capacity-XXXXXX"

static char folder[sizeof(FOLDER)];

static const char *path(const char *name)
{
	static char out[128];

	snprintf(out, sizeof(out), "%s/%s", folder, name);
	return out;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static long get(const char *name)
{
	char text[32] = "";
	FILE *f = fopen(path(name), "r");

	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	return strtol(text, NULL, 10);
}

static void larger_never_smaller(void **state)
{
	static const char *const folders[] = { "netfilter", "ipv4/neigh/default", "ipv4/neigh", "ipv4" };
	static const char *const files[] = { "ipv4/neigh/default/gc_thresh3", "ipv4/neigh/default/gc_thresh2",
					     "netfilter/nf_conntrack_max", "netfilter/nf_conntrack_buckets" };

	(void)state;
	strcpy(folder, FOLDER);
	assert_non_null(mkdtemp(folder));
	capacity_raise(folder); /* nothing there, nothing made */
	assert_int_not_equal(access(path("ipv4"), F_OK), 0);
	for (size_t i = 4; i-- > 0;)
		assert_int_equal(mkdir(path(folders[i]), 0700), 0);
	put(files[0], "1024\n");
	put(files[1], "512\n");
	put(files[2], "7376\n"); /* the value that the kernel computes with 1 GB of memory */
	put(files[3], "7168\n");
	capacity_raise(folder);
	assert_int_equal(get(files[0]), 65536);
	assert_int_equal(get(files[1]), 32768);
	assert_int_equal(get(files[2]), 262144);
	/* several full shares still leave room for others */
	assert_true(get(files[2]) >= 6 * (long)IR_ZONE_SESSIONS);
	assert_int_equal(get(files[3]), 65536);
	put(files[0], "1000000\n");
	put(files[2], "2000000\n");
	capacity_raise(folder);
	assert_int_equal(get(files[0]), 1000000);
	assert_int_equal(get(files[2]), 2000000);
	for (size_t i = 0; i < 4; i++)
		unlink(path(files[i]));
	for (size_t i = 0; i < 4; i++)
		rmdir(path(folders[i]));
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_never_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

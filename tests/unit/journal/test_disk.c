/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the disk of the records is nearly full, when it is no longer, and when it will be full.
 *
 * LINK: appliance/journal/room.c $(BASE_SRC) $(WIRE_SRC)
 * LIBS: jansson nettle
 */
#include "appliance/journal/disk.h"
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/folder.h"

#define HOUR 3600000000000ull
#define T 1800000000000000000ull

static struct disk_room room(uint64_t bytes, uint64_t free)
{
	return (struct disk_room){ .bytes = bytes, .free = free };
}

static enum disk_change take(struct disk *d, uint64_t bytes, uint64_t free, uint64_t now)
{
	struct disk_room r = room(bytes, free);

	return disk_take(d, &r, now, T + now);
}

static void the_brink(void **state)
{
	struct disk d = { 0 };

	(void)state;
	assert_int_equal(take(&d, 1000, 101, 5), DISK_SAME);
	assert_int_equal(disk_used_percent(&d), 89);
	assert_int_equal(take(&d, 1000, 100, 6), DISK_NEARLY_FULL);
	assert_true(d.near && d.since_ns == T + 6);
	/* Room that comes and goes near the limit is one alarm. A failed look does not end an
	 * alarm. */
	assert_int_equal(take(&d, 1000, 140, 7), DISK_SAME);
	assert_int_equal(disk_take(&d, NULL, 8, T + 8), DISK_SAME);
	assert_true(d.near && !d.known && d.since_ns == T + 6);
	assert_int_equal(take(&d, 1000, 150, 9), DISK_SAME);
	assert_int_equal(take(&d, 1000, 151, 10), DISK_ROOM_AGAIN);
	assert_false(d.near);
	assert_int_equal(take(&d, 1000, 0, 11), DISK_NEARLY_FULL);
	assert_int_equal(disk_used_percent(&d), 100);
}

/* A disk with many small files is full when its inodes are used up. */
static void by_files(void **state)
{
	struct disk_room r = { .bytes = 1000, .free = 900, .files = 50, .files_free = 5 };
	struct disk d = { 0 };

	(void)state;
	assert_int_equal(disk_take(&d, &r, 1, T), DISK_NEARLY_FULL);
	r.files_free = 40;
	assert_int_equal(disk_take(&d, &r, 2, T), DISK_ROOM_AGAIN);
	/* Without the sizes of a file system nothing is known. */
	r = (struct disk_room){ 0 };
	assert_int_equal(disk_take(&d, &r, 3, T), DISK_SAME);
	assert_int_equal(disk_used_percent(&d), 0);
	r = room(UINT64_MAX, UINT64_MAX / 2);
	assert_int_equal(disk_take(&d, &r, 4, T), DISK_SAME);
	assert_int_equal(disk_used_percent(&d), 50);
}

static void when_it_is_full(void **state)
{
	struct disk d = { 0 };

	(void)state;
	for (unsigned h = 0; h < 24; h++) {
		take(&d, 100000, 50000 - h * 100, h * HOUR);
		assert_int_equal(disk_full_in(&d), 0); /* not known before a day has passed */
	}
	take(&d, 100000, 50000 - 2400, 24 * HOUR);
	/* 2300 in 23 full hours and the present one: counted as a day, because the ring has 24
	 * places. */
	assert_in_range(disk_full_in(&d), 47600ull * 86400 / 2400, 47600ull * 86400 / 2300);
	/* The use no longer grows, and is less than a day before. */
	for (unsigned h = 25; h < 60; h++)
		take(&d, 100000, 47600, h * HOUR);
	assert_int_equal(disk_full_in(&d), 0);
	take(&d, 100000, 60000, 61 * HOUR);
	assert_int_equal(disk_full_in(&d), 0);
	/* After days without a look no rate is computed. */
	disk_take(&d, NULL, 62 * HOUR, T);
	assert_int_equal(disk_full_in(&d), 0);
	take(&d, 100000, 40000, 200 * HOUR);
	assert_int_equal(disk_full_in(&d), 0);
	take(&d, 100000, 0, 200 * HOUR + 1);
	assert_int_equal(disk_full_in(&d), 1); /* at once */
}

static void of_a_folder(void **state)
{
	const struct folder *f = *state;
	char text[10000];
	struct disk_room r;
	int fd = openat(f->fd, "a", O_WRONLY | O_CREAT, 0600);

	memset(text, 'x', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	fsync(fd);
	close(fd);
	assert_in_range(disk_of_folder(f->fd), 8192, 65536);
	assert_int_equal(disk_read(f->fd, &r), 0);
	assert_true(r.bytes > r.free && r.free > 0);
	assert_int_equal(disk_of_folder(-1), 0);
	assert_true(disk_read(-1, &r) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_brink),
		cmocka_unit_test(by_files),
		cmocka_unit_test(when_it_is_full),
		cmocka_unit_test_setup_teardown(of_a_folder, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

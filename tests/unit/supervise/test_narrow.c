/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state folder that existed before the daemon: the daemon's own is closed to others, and the
 * folder of anybody else is not touched.
 *
 * LINK: appliance/supervise/folders.c appliance/base/atomic_file.c appliance/base/logins.c
 * LINK: appliance/base/err.c
 */
#include "appliance/supervise/folders.h"
#include "appliance/supervise/ground.h"
#include "tests/unit/cmocka.h"

#include <sys/stat.h>

#include "tests/unit/folder.h"

void supervisor_say(const struct supervisor *s, enum message m, ...)
{
	(void)s;
	(void)m;
}

static mode_t mode_of(const struct folder *f)
{
	struct stat st;

	assert_int_equal(fstat(f->fd, &st), 0);
	return st.st_mode & 07777;
}

static void own_folders_are_closed(void **state)
{
	const struct folder *f = *state;

	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_FITS);
	assert_int_equal(fchmod(f->fd, 0755), 0);
	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_DONE);
	assert_int_equal(mode_of(f), 0700);
	/* A folder with stricter rights keeps them. Beside the folder of generations there may be
	 * others. */
	assert_int_equal(mkdirat(f->fd, "generations", 0700), 0);
	assert_int_equal(mkdirat(f->fd, "notes", 0700), 0);
	assert_int_equal(fchmod(f->fd, 0577), 0);
	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_DONE);
	assert_int_equal(mode_of(f), 0500);
	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_FITS);
	assert_int_equal(fchmod(f->fd, 0700), 0);
}

static void others_are_left(void **state)
{
	const struct folder *f = *state;

	/* `--state /var/lib` by mistake: a folder of root with many other files. */
	assert_int_equal(mkdirat(f->fd, "dpkg", 0755), 0);
	assert_int_equal(fchmod(f->fd, 0755), 0);
	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_WIDER);
	assert_int_equal(mode_of(f), 0755);
	/* `--state /tmp`, for the second time. */
	assert_int_equal(mkdirat(f->fd, "generations", 0700), 0);
	assert_int_equal(fchmod(f->fd, 01777), 0);
	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_WIDER);
	assert_int_equal(mode_of(f), 01777);
	if (geteuid() != 0)
		return;
	assert_int_equal(fchmod(f->fd, 0755), 0);
	assert_int_equal(fchown(f->fd, 65534, 65534), 0);
	assert_int_equal(narrow_folder(f->fd, 0700), NARROW_WIDER);
	assert_int_equal(mode_of(f), 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(own_folders_are_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(others_are_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

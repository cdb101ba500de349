/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles and folders: texts are read completely or not at all, and nothing outside the folder is
 * read.
 *
 * LINK: policy/read/load.c policy/read/csv.c policy/read/scan.c policy/read/lex.c
 * LINK: policy/read/include.c policy/read/bracket.c appliance/base/addr.c
 * LINK: appliance/base/arena.c appliance/base/bundle.c appliance/base/bytes.c appliance/base/diag.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c appliance/base/utf8.c
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/read/read.h"

static const struct source_text texts[] = { { "site.cfg", "a = 1;\n", 7 },
					    { "cranes/a.cfg", "", 0 },
					    { "box.cfg", "b", 1 } };

static void bundles_come_back(void **state)
{
	struct arena *a = arena_new(1u << 20);
	size_t n = bundle_encode(texts, 3, NULL, 0);
	uint8_t *p = malloc(n);
	struct policy_loader l;
	struct source_text s = { 0 };
	const char *name;

	(void)state;
	assert_int_equal(bundle_encode(texts, 3, p, n - 1), 0);
	assert_int_equal(bundle_encode(texts, 3, p, n), n);
	assert_true(loader_bundle(bytes_of(p, n), a, &l, &name));
	assert_string_equal(name, "site.cfg");
	assert_int_equal(l.load(l.ctx, "site.cfg", a, &s), 0);
	assert_int_equal(s.size, 7);
	assert_string_equal(s.text, "a = 1;\n");
	assert_int_equal(l.load(l.ctx, "cranes/a.cfg", a, &s), 0);
	assert_int_equal(s.size, 0);
	assert_int_equal(l.load(l.ctx, "other.cfg", a, &s), -ENOENT);
	free(p);
	arena_free(a);
}

static void every_cut_and_change_of_the_frame_is_refused(void **state)
{
	size_t n = bundle_encode(texts, 3, NULL, 0);
	uint8_t *whole = malloc(n);
	struct policy_loader l;
	const char *name;

	(void)state;
	bundle_encode(texts, 3, whole, n);
	for (size_t cut = 0; cut < n; cut++) {
		struct arena *a = arena_new(1u << 20);
		uint8_t *p = malloc(cut + 1);

		memcpy(p, whole, cut);
		assert_false(loader_bundle(bytes_of(p, cut), a, &l, &name));
		free(p);
		arena_free(a);
	}
	for (size_t i = 0; i < 12; i++) { /* magic and count */
		struct arena *a = arena_new(1u << 20);

		whole[i] ^= 0x40;
		assert_false(loader_bundle(bytes_of(whole, n), a, &l, &name));
		whole[i] ^= 0x40;
		arena_free(a);
	}
	free(whole);
}

static void names_are_unique_and_confined(void **state)
{
	static const char *const bad[] = { "../x", "/x", "", "a//b", "site.cfg" };
	struct policy_loader l;
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct source_text two[2] = { { "site.cfg", "", 0 }, { bad[i], "", 0 } };
		struct arena *a = arena_new(1u << 20);
		uint8_t p[200];
		size_t n = bundle_encode(two, 2, p, sizeof(p));

		assert_true(n > 0);
		assert_false(loader_bundle(bytes_of(p, n), a, &l, &name));
		arena_free(a);
	}
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void folders_keep_to_themselves(void **state)
{
	char dir[] = "/tmp/sekisho-test-XXXXXX", path[64], outside[128];
	static const char *const made[] = { "site.cfg", "in.cfg", "out.cfg", "abs.cfg", "ok.cfg", "large.cfg" };
	struct arena *a = arena_new(16u << 20);
	struct policy_loader l;
	struct source_text s;
	const char *name;
	int r, at;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policy", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(dir, "secret", "secret");
	write_file(path, "site.cfg", "main");
	write_file(path, "in.cfg", "in");
	snprintf(outside, sizeof(outside), "%s/out.cfg", path);
	assert_int_equal(symlink("../secret", outside), 0);
	snprintf(outside, sizeof(outside), "%s/abs.cfg", path);
	assert_int_equal(symlink("/etc/hostname", outside), 0);
	snprintf(outside, sizeof(outside), "%s/ok.cfg", path);
	assert_int_equal(symlink("in.cfg", outside), 0);
	snprintf(outside, sizeof(outside), "%s/large.cfg", path);
	r = open(outside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(r >= 0);
	assert_int_equal(ftruncate(r, (off_t)SOURCE_MAX + 1), 0);
	close(r);

	snprintf(outside, sizeof(outside), "%s/site.cfg", path);
	loader_folder(outside, a, &l, &name);
	assert_string_equal(name, "site.cfg");
	assert_int_equal(l.load(l.ctx, name, a, &s), 0);
	assert_string_equal(s.text, "main");
	assert_int_equal(l.load(l.ctx, "ok.cfg", a, &s), 0);
	assert_string_equal(s.text, "in");
	assert_int_equal(l.load(l.ctx, "out.cfg", a, &s), -EXDEV);
	assert_int_equal(l.load(l.ctx, "abs.cfg", a, &s), -EXDEV);
	assert_int_equal(l.load(l.ctx, "../secret", a, &s), -EXDEV);
	assert_int_equal(l.load(l.ctx, "nothing.cfg", a, &s), -ENOENT);
	assert_int_equal(l.load(l.ctx, "large.cfg", a, &s), -EFBIG);
	arena_free(a);

	/* The code for kernels without openat2 follows no symbolic link at all. */
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = load_open_walk(at, "policy/in.cfg");
	assert_true(r >= 0);
	close(r);
	assert_int_equal(load_open_walk(at, "policy/out.cfg"), -ELOOP);
	assert_int_equal(load_open_walk(at, "policy/ok.cfg"), -ELOOP);
	assert_int_equal(load_open_walk(at, "policy/../secret"), -EXDEV);
	assert_int_equal(load_open_walk(at, "/etc/hostname"), -EXDEV);
	assert_int_equal(load_open_walk(at, "policy/nothing/x"), -ENOENT);
	assert_int_equal(load_open_walk(at, "policy/in.cfg/x"), -ENOTDIR);
	close(at);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		snprintf(outside, sizeof(outside), "%s/%s", path, made[i]);
		assert_int_equal(unlink(outside), 0);
	}
	assert_int_equal(rmdir(path), 0);
	snprintf(outside, sizeof(outside), "%s/secret", dir);
	assert_int_equal(unlink(outside), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundles_come_back),
		cmocka_unit_test(every_cut_and_change_of_the_frame_is_refused),
		cmocka_unit_test(names_are_unique_and_confined),
		cmocka_unit_test(folders_keep_to_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bundle of accounts and keys. What is read equals what was written, and any other form is
 * refused. At a box, a process that writes the files is killed at each of its system calls;
 * afterwards the files are all old or all new.
 * LINK: mgmt/cli/backup/parts.c
 * LINK: mgmt/cli/backup/whole.c mgmt/cli/backup/place.c mgmt/cli/shut/shut.c
 * LINK: appliance/seal/cms.c appliance/base/bundle.c appliance/base/sha256.c appliance/base/bytes.c
 * LINK: appliance/base/utf8.c appliance/base/json.c appliance/base/atomic_file.c
 * LINK: appliance/base/err.c appliance/base/addr.c appliance/base/memfd.c appliance/base/messages.c
 * LINK: appliance/base/errno_text.c
 * LIBS: libcrypto libseccomp jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mgmt/cli/backup/backup.h"

/* ---- the bundle ------------------------------------------------------------------------------ */

static struct bytes text(const char *s)
{
	return bytes_of(s, strlen(s));
}

static void parts_of(struct bytes parts[WHOLE_PARTS], const char *which)
{
	for (unsigned i = 0; i < WHOLE_PARTS; i++)
		parts[i] = text(which);
}

static void what_is_read_is_what_was_written(void **state)
{
	struct bytes parts[WHOLE_PARTS] = { 0 };
	struct whole w;

	(void)state;
	for (unsigned i = 0; i < WHOLE_PARTS; i++)
		parts[i] = text(whole_rows[i].name);
	assert_true(whole_bundle(parts, &w));
	for (unsigned i = 0; i < WHOLE_PARTS; i++) {
		assert_int_equal(w.parts[i].left, parts[i].left);
		assert_memory_equal(w.parts[i].p, parts[i].p, parts[i].left);
	}
	/* Cut anywhere, it is none. */
	for (size_t n = w.n; n-- > 0;) {
		struct whole cut = { .memory = w.memory, .n = n };

		assert_false(whole_read(&cut));
	}
	whole_free(&w);
	assert_null(w.memory);
	/* Optional parts may be missing, the others not. */
	for (unsigned i = 0; i < WHOLE_PARTS; i++) {
		parts_of(parts, "x");
		parts[i] = (struct bytes){ 0 };
		assert_int_equal(whole_bundle(parts, &w), !whole_rows[i].compulsory);
		whole_free(&w);
	}
}

/* Whether a bundle is read that has these names, each with `n` bytes, and `behind` at its end. */
static bool takes(const char *const *names, size_t n_names, size_t n, const char *behind)
{
	size_t room = 64 + n_names * (n + 64) + strlen(behind);
	struct whole w = { .memory = malloc(room) };
	struct outbuf o = outbuf_of(w.memory, room);
	bool taken;

	assert_non_null(w.memory);
	out_bytes(&o, "SKSHBND1", 8);
	out_be32(&o, (uint32_t)n_names);
	for (size_t i = 0; i < n_names; i++) {
		out_be16(&o, (uint16_t)strlen(names[i]));
		out_bytes(&o, names[i], strlen(names[i]));
		out_be32(&o, (uint32_t)n);
		for (size_t k = 0; k < n; k++)
			out_bytes(&o, "x", 1);
	}
	out_bytes(&o, behind, strlen(behind));
	assert_false(o.failed);
	w.n = o.len;
	taken = whole_read(&w);
	free(w.memory);
	return taken;
}

static void nothing_else_is_read(void **state)
{
	static const char *const good[] = { "accounts", "key.pem", "certificate.pem", "token" };
	static const char *const bad[] = { "../accounts",     "/etc/shadow", "accounts/x", "Accounts", "backup.pem",
					   "signing/box.key", "site.cfg",    "box.cfg",	   "",	       "accounts",
					   "token\n",	      "shadow" };

	(void)state;
	assert_true(takes(good, 4, 60, ""));
	assert_false(takes(good, 4, 60, "x"));
	assert_false(takes(good, 2, 60, ""));
	assert_false(takes(good, 4, 0, ""));
	assert_false(takes(good, 4, 81, "")); /* a token is shorter */
	assert_true(takes(good, 3, 64u << 10, ""));
	assert_false(takes(good, 3, (64u << 10) + 1, ""));
	assert_false(takes(good, 0, 0, ""));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *names[] = { "accounts", "key.pem", "certificate.pem", bad[i] };

		assert_false(takes(names, 4, 60, ""));
	}
}

/* ---- the files ------------------------------------------------------------------------------- */

static char folder[] = "/tmp/sekisho-whole-XXXXXX";

static const char *path(const char *name)
{
	static char out[4][200];
	static unsigned at;

	at = (at + 1) % 4;
	snprintf(out[at], sizeof(out[at]), "%s/%s", folder, name);
	return out[at];
}

static void put(const char *name, const char *said)
{
	FILE *f = fopen(path(name), "we");

	assert_non_null(f);
	assert_true(fputs(said, f) >= 0 && fclose(f) == 0);
}

static const char *read_back(const char *name)
{
	static char out[4][64];
	static unsigned at;
	int fd = open(path(name), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	at = (at + 1) % 4;
	n = fd < 0 ? -1 : read(fd, out[at], sizeof(out[at]) - 1);
	if (fd >= 0)
		close(fd);
	snprintf(out[at] + (n < 0 ? 0 : n), 8, "%s", n < 0 ? "none" : "");
	return out[at];
}

static void emptied(void)
{
	static const char *const names[] = { "state/secrets/key.pem",  "state/secrets/certificate.pem",
					     "state/secrets/token",    "state/accounts/accounts",
					     "settings/log-key.pem",   "settings/.log-key.pem.new",
					     "settings/mail-password", "settings/.mail-password.new" };

	place_done(path("state"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path(names[i]));
}

static void a_box(const char *said)
{
	emptied();
	put("state/accounts/accounts", said);
	put("state/secrets/key.pem", said);
	put("state/secrets/certificate.pem", said);
	put("state/secrets/token", said);
}

static struct whole taken_from(const char *said)
{
	json_t *left_out = json_array();
	struct err e = { 0 };
	struct whole w;
	const char *name;

	a_box(said);
	put("settings/log-key.pem", said);
	assert_int_equal(symlink("/etc/passwd", path("settings/mail-password")), 0);
	assert_int_equal(place_collect(path("state"), path("settings"), &w, left_out, &name, &e), 0);
	assert_int_equal(json_array_size(left_out), 1);
	assert_string_equal(json_string_value(json_array_get(left_out, 0)), "mail-password");
	json_decref(left_out);
	return w;
}

static void what_is_missing_is_said(void **state)
{
	json_t *left_out = json_array();
	struct err e = { 0 };
	struct whole w = taken_from("old");
	const char *name = "";

	(void)state;
	whole_free(&w);
	unlink(path("state/secrets/certificate.pem"));
	assert_int_equal(place_collect(path("state"), path("settings"), &w, left_out, &name, &e), -ENODATA);
	assert_string_equal(name, "certificate.pem");
	assert_int_equal(place_collect(path("nowhere"), path("settings"), &w, left_out, &name, &e), -ENOENT);
	json_decref(left_out);
}

static void credentials_that_are_there_stay(void **state)
{
	struct whole w = taken_from("new");
	json_t *put_list = json_array(), *stay = json_array();
	struct err e = { 0 };
	struct stat st;

	(void)state;
	put("settings/log-key.pem", "mine");
	assert_int_equal(place_settings(&w, path("settings"), put_list, stay, &e), 0);
	assert_string_equal(read_back("settings/log-key.pem"), "mine");
	assert_int_equal(json_array_size(stay), 1);
	unlink(path("settings/log-key.pem"));
	assert_int_equal(place_settings(&w, path("settings"), put_list, stay, &e), 0);
	assert_string_equal(read_back("settings/log-key.pem"), "new");
	assert_int_equal(json_array_size(put_list), 1);
	assert_int_equal(stat(path("settings/log-key.pem"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	json_decref(put_list);
	json_decref(stay);
	whole_free(&w);
}

static void exchanged_and_back(void **state)
{
	struct whole w = taken_from("new");
	struct err e = { 0 };
	struct stat st;

	(void)state;
	a_box("old");
	assert_int_equal(place_secrets(&w, path("state"), &e), 0);
	assert_string_equal(read_back("state/secrets/key.pem"), "new");
	assert_int_equal(place_back(path("state"), &e), 0);
	assert_string_equal(read_back("state/secrets/token"), "old");
	place_done(path("state"));
	assert_int_equal(stat(path("state/secrets.new"), &st), -1);
	assert_int_equal(place_secrets(&w, path("state"), &e), 0);
	place_done(path("state"));
	assert_string_equal(read_back("state/secrets/certificate.pem"), "new");
	assert_int_equal(stat(path("state/secrets"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	whole_free(&w);
}

/* Does the work in a child that is killed when it has made `calls` system calls. True: it had ended
 * by then. */
static bool killed_after(unsigned calls, const struct whole *w)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		struct err e = { 0 };

		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
			_exit(9);
		_exit(place_settings(w, path("settings"), NULL, NULL, &e) < 0 ||
		      place_secrets(w, path("state"), &e) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* ptrace stops the child twice for each system call: at its beginning and at its end. */
	for (unsigned i = 0; i < calls; i++) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid ||
		    WIFEXITED(status)) {
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
			return true;
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

static void killed_at_each_call(void **state)
{
	struct whole w = taken_from("new");
	unsigned calls = 0, n_old = 0, n_new = 0;
	bool ended = false;

	(void)state;
	for (; !ended; calls++) {
		char key[64];
		const char *file;

		a_box("old");
		ended = killed_after(calls, &w);
		snprintf(key, sizeof(key), "%s", read_back("state/secrets/key.pem"));
		assert_true(strcmp(key, "old") == 0 || strcmp(key, "new") == 0);
		assert_string_equal(read_back("state/secrets/certificate.pem"), key);
		assert_string_equal(read_back("state/secrets/token"), key);
		assert_string_equal(read_back("state/accounts/accounts"), "old");
		file = read_back("settings/log-key.pem");
		assert_true(strcmp(file, "none") == 0 || strcmp(file, "new") == 0);
		n_old += strcmp(key, "old") == 0;
		n_new += strcmp(key, "new") == 0;
		assert_true(calls < 2000);
	}
	assert_true(n_old > 20 && n_new > 2);
	whole_free(&w);
}

static int begin(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	return mkdir(path("state"), 0700) | mkdir(path("state/secrets"), 0700) | mkdir(path("state/accounts"), 0700) |
	       mkdir(path("settings"), 0755);
}

static int finish(void **state)
{
	(void)state;
	emptied();
	return rmdir(path("state/secrets")) | rmdir(path("state/accounts")) | rmdir(path("state")) |
	       rmdir(path("settings")) | rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_what_was_written),
		cmocka_unit_test(nothing_else_is_read),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(credentials_that_are_there_stay),
		cmocka_unit_test(exchanged_and_back),
		cmocka_unit_test(killed_at_each_call),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}

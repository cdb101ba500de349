/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of a backup that are written into a folder with other texts: a file that is replaced is
 * first kept under a second name, and a text that cannot be written replaces nothing.
 *
 * LINK: policy/read/csv.c appliance/base/arena.c appliance/base/utf8.c mgmt/cli/backup/texts.c
 * LINK: mgmt/cli/backup/rename.c appliance/base/atomic_file.c appliance/base/bytes.c
 * LINK: appliance/base/err.c
 * LIBS: jansson
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mgmt/cli/backup/backup.h"
#include "mgmt/cli/words/render.h"

static char folder[] = "/tmp/sekisho-texts-XXXXXX";

/* Ignores the messages. */
int cli_fail(struct cli *c, enum cli_status status, enum message m, ...)
{
	(void)c;
	(void)m;
	return status;
}

int cli_fail_file(struct cli *c, enum cli_status status, const char *name, int code)
{
	(void)c;
	(void)name;
	(void)code;
	return status;
}

const char *js(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void lies(const char *name, const char *text)
{
	char path[100], there[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "re");
	assert_non_null(f);
	there[fread(there, 1, sizeof(there) - 1, f)] = '\0';
	fclose(f);
	assert_string_equal(there, text);
}

static mode_t mode_of(const char *name)
{
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static int restore(const char *text)
{
	static struct card_places places;
	json_t *sources = json_pack("[{s:s, s:s}]", "name", "site.cfg", "text", text);
	struct cli c = { 0 };
	char into[100];
	int status;

	assert_non_null(sources);
	snprintf(into, sizeof(into), "%s/site.cfg", folder);
	status = texts_write(&c, sources, &places, into);
	json_decref(sources);
	return status;
}

/* The file system accepts no further byte, as if it were full. */
static void full(bool is)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = is ? 0 : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void nothing_is_lost(void **state)
{
	char path[100];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(restore("a = 1;\n"), CLI_YES);
	lies("site.cfg", "a = 1;\n");
	assert_int_equal(mode_of("site.cfg"), 0600);
	snprintf(path, sizeof(path), "%s/site.cfg", folder);
	assert_int_equal(chmod(path, 0640), 0);
	/* Twice: the second attempt finds what the failed one left. */
	for (int i = 0; i < 2; i++) {
		full(true);
		assert_int_equal(restore("a = 2;\n"), CLI_CANNOT);
		full(false);
		lies("site.cfg", "a = 1;\n");
		assert_int_equal(mode_of("site.cfg"), 0640);
	}
	assert_int_equal(restore("a = 2;\n"), CLI_YES);
	lies("site.cfg", "a = 2;\n");
	lies("site.cfg.before", "a = 1;\n");
	assert_int_equal(mode_of("site.cfg"), 0640);
	assert_int_equal(restore("a = 3;\n"), CLI_YES);
	lies("site.cfg", "a = 3;\n");
	lies("site.cfg.before", "a = 2;\n");
	assert_int_equal(restore("a = 3;\n"), CLI_YES);
	lies("site.cfg.before", "a = 2;\n");
	unlink(path);
	snprintf(path, sizeof(path), "%s/site.cfg.before", folder);
	unlink(path);
	assert_int_equal(rmdir(folder), 0); /* and the folder has nothing else */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
	};

	return mkdtemp(folder) != NULL ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}

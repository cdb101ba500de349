/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of leaked passphrases is turned into the form that the box accepts: which lines are
 * phrases and which are hashes, what is skipped, the order, duplicates, limits.
 * LINK: mgmt/cli/user/leaked.c mgmt/cli/shut/shut.c appliance/wire/leaked.c
 * LINK: appliance/base/sha256.c appliance/base/bytes.c
 * LINK: appliance/base/memfd.c appliance/base/err.c appliance/base/utf8.c
 * LIBS: nettle libseccomp jansson
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/wire/leaked.h"
#include "mgmt/cli/user/user.h"

static enum message said;

int cli_fail(struct cli *c, enum cli_status status, enum message m, ...)
{
	(void)c;
	said = m;
	return status;
}

int cli_fail_file(struct cli *c, enum cli_status status, const char *name, int code)
{
	(void)c;
	(void)name;
	(void)code;
	return status;
}

struct result {
	uint8_t *p;
	size_t n;
	struct leaked_head head;
	struct leaked_lines lines;
	bool too_many;
};

static struct result of(const char *text, size_t n)
{
	struct result r = { 0 };

	r.p = leaked_list(text, n, &r.n, &r.too_many, &r.lines);
	assert_non_null(r.p);
	if (r.n > 0)
		assert_true(leaked_head_read(r.p, r.n, &r.head));
	return r;
}

static bool has_prefix(const struct result *r, const uint8_t prefix[LEAKED_PREFIX])
{
	for (uint64_t i = 0; i < r->head.count; i++)
		if (memcmp(r->p + LEAKED_HEAD + i * LEAKED_PREFIX, prefix, LEAKED_PREFIX) == 0)
			return true;
	return false;
}

static bool has(const struct result *r, const char *phrase)
{
	uint8_t prefix[LEAKED_PREFIX];

	leaked_prefix(phrase, strlen(phrase), prefix);
	return has_prefix(r, prefix);
}

static void phrases_and_hashes(void **state)
{
	/* The SHA-1 of "password" in both notations, with a count and without. */
	static const char text[] = "correct horse battery staple\r\n"
				   "\n"
				   "short\n"
				   "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\n"
				   "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n"
				   "ぬれた鷺が三羽で口論している夜明け\n"
				   "ぬれた鷺が三羽で\n"
				   "a line without an end";
	static const uint8_t password[LEAKED_PREFIX] = { 0x5b, 0xaa, 0x61, 0xe4, 0xc9, 0xb9, 0x3f, 0x3f };
	struct result r = of(text, strlen(text));

	(void)state;
	assert_int_equal(r.lines.taken, 5);
	assert_int_equal(r.lines.passed_over, 2);
	assert_int_equal(r.head.count, 4);
	assert_true(has(&r, "correct horse battery staple") && has(&r, "a line without an end"));
	assert_true(has(&r, "ぬれた鷺が三羽で口論している夜明け") && has_prefix(&r, password));
	for (uint64_t i = 1; i < r.head.count; i++)
		assert_true(memcmp(r.p + LEAKED_HEAD + (i - 1) * LEAKED_PREFIX, r.p + LEAKED_HEAD + i * LEAKED_PREFIX,
				   LEAKED_PREFIX) < 0);
	free(r.p);
}

/* Forty digits with other characters behind them are an ordinary passphrase. */
static void what_is_nearly_a_hash(void **state)
{
	static const char *const lines[] = {
		"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:12x",
		"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD",   "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD81",
		"5BAA61E4C9B93F3F0682250B6CF8331Bx",	     "GBAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:12",
		" 5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct result r = of(lines[i], strlen(lines[i]));

		assert_int_equal(r.head.count, 1);
		assert_true(has(&r, lines[i]));
		free(r.p);
	}
}

/* Hashes of other kinds are skipped: taken for passphrases, they would never match one. */
static void hashes_of_another_kind(void **state)
{
	static const size_t digits[] = { 32, 35, 56, 64, 96, 128 };
	char line[160];

	(void)state;
	for (size_t i = 0; i < sizeof(digits) / sizeof(digits[0]); i++) {
		for (unsigned counted = 0; counted < 2; counted++) {
			struct result r;

			memset(line, 'a', digits[i]);
			snprintf(line + digits[i], sizeof(line) - digits[i], "%s", counted ? ":17" : "");
			r = of(line, strlen(line));
			assert_int_equal(r.lines.taken, 0);
			assert_int_equal(r.lines.passed_over, 1);
			assert_int_equal(r.lines.other_hashes, 1);
			free(r.p);
		}
	}
}

static void what_can_be_no_phrase_here(void **state)
{
	static const struct {
		const char *line;
		size_t n;
	} lines[] = {
		{ "fifteen letters", 15 },
		{ "sixteen\0letters!!", 17 },
		{ "sixteen \xff letters", 17 },
		{ "ctrl \x01 characters", 17 },
		{ "\xe2\x80\xae"
		  "sixteen letters!",
		  19 },
	};
	char text[258];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct result r = of(lines[i].line, lines[i].n);

		assert_true(r.n == 0 && r.lines.passed_over == 1 && !r.too_many);
		free(r.p);
	}
	memset(text, 'x', sizeof(text));
	for (size_t n = 256; n <= 257; n++) {
		struct result r = of(text, n);

		assert_int_equal(r.lines.taken, n == 256);
		free(r.p);
	}
}

/* As many different passphrases as the box accepts, each twice, which fills the room; and one
 * more. */
static void so_many_and_no_more(void **state)
{
	enum { LINE = 41 };
	size_t n = 0;
	char *text = malloc((size_t)(2 * LEAKED_MOST + 2) * LINE + 1);

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LEAKED_MOST; i++)
		for (unsigned again = 0; again < 2; again++)
			n += (size_t)sprintf(text + n, "%08x%032x\n", (i * 2654435761u) & 0xffffffffu, 0);
	for (unsigned more = 0; more < 2; more++) {
		struct result r = of(text, n);

		assert_int_equal(r.too_many, more);
		if (more == 0)
			assert_int_equal(r.head.count, LEAKED_MOST);
		free(r.p);
		n += (size_t)sprintf(text + n, "a phrase that is one more\n");
	}
	free(text);
}

/* The whole way: a file, the separate process, a memfd. */
static void of_a_file(void **state)
{
	static const char text[] = "correct horse battery staple\nshort\n";
	char path[] = "/tmp/sekisho-leaked-lines-XXXXXX";
	int fd = mkstemp(path), out = -1;
	struct leaked_lines lines;
	struct cli c = { 0 };
	struct result r = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(leaked_file(&c, path, &out, &lines), CLI_INVALID);
	assert_int_equal(said, M_LEAKED_EMPTY);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(leaked_file(&c, path, &out, &lines), CLI_YES);
	assert_true(lines.taken == 1 && lines.passed_over == 1);
	assert_int_equal(memfd_read(out, LEAKED_BYTES_MOST, &r.p, &r.n, &e), 0);
	assert_true(leaked_head_read(r.p, r.n, &r.head) && has(&r, "correct horse battery staple"));
	free(r.p);
	close(out);
	assert_int_equal(ftruncate(fd, 6), 0);
	assert_int_equal(leaked_file(&c, path, &out, &lines), CLI_INVALID);
	assert_int_equal(said, M_LEAKED_EMPTY);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	assert_int_equal(leaked_file(&c, path, &out, &lines), CLI_INVALID);
	assert_int_equal(said, M_LEAKED_LONG);
	close(fd);
	unlink(path);
	assert_int_equal(leaked_file(&c, path, &out, &lines), CLI_CANNOT);
	assert_int_equal(leaked_file(&c, "/tmp", &out, &lines), CLI_CANNOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phrases_and_hashes),	  cmocka_unit_test(what_is_nearly_a_hash),
		cmocka_unit_test(hashes_of_another_kind), cmocka_unit_test(what_can_be_no_phrase_here),
		cmocka_unit_test(so_many_and_no_more),	  cmocka_unit_test(of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

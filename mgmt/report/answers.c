/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/report/answers.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/clock.h"
#include "appliance/base/version.h"
#include "mgmt/state/read.h"

json_t *facts_new(void)
{
	struct utsname host = { 0 };

	(void)uname(&host);
	return json_pack("{s:s,s:i,s:s,s:o,s:o,s:{}}", "product", FACTS_PRODUCT, "form", FACTS_FORM, "version",
			 SEKISHO_VERSION, "host", json_text(host.nodename), "made", json_time(clock_wall_ns()),
			 "answers");
}

void facts_put(json_t *facts, const char *name, json_t *answer, const char *why)
{
	json_t *taken = json_time(clock_wall_ns());

	(void)json_object_set_new(json_object_get(facts, "answers"), name,
				  answer != NULL ? json_pack("{s:o,s:o}", "taken", taken, "answer", answer)
						 : json_pack("{s:o,s:o}", "taken", taken, "why", json_text(why)));
}

static const json_t *named_answer(const json_t *facts, const char *name)
{
	return json_object_get(json_object_get(facts, "answers"), name);
}

const json_t *facts_answer(const json_t *facts, const char *name)
{
	const json_t *a = json_object_get(named_answer(facts, name), "answer");

	return json_is_object(a) ? a : NULL;
}

const char *facts_taken(const json_t *facts, const char *name)
{
	return js(named_answer(facts, name), "taken");
}

const char *facts_why(const json_t *facts, const char *name)
{
	return js(named_answer(facts, name), "why");
}

/* ---- the operating system -------------------------------------------------------------------- */

#define FILE_MOST (64u << 10)
#define WORD 128u
#define COLUMNS 8u
/* A line of Debian's list: version,codename,series,created,release,eol,eol-lts,eol-elts; the last
 * ones may be missing. */
#define SERIES 2u
#define SECURITY 5u
#define LTS 6u

struct word {
	char text[WORD];
};

static char *whole_file(const char *path)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	size_t n;

	return file_read(AT_FDCWD, path, FILE_MOST, &text, &n, &e) == 0 ? (char *)text : NULL;
}

static void keep_word(struct word *ret, const char *p, size_t n)
{
	if (n >= 2 && (*p == '"' || *p == '\'') && p[n - 1] == *p) {
		p++;
		n -= 2;
	}
	if (n >= sizeof(ret->text))
		return;
	memcpy(ret->text, p, n);
	ret->text[n] = '\0';
}

/* The value of KEY= in os-release; shell expansions are not done. */
static void shell_value(const char *text, const char *key, struct word *ret)
{
	size_t n = strlen(key);

	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n");

		if (length > n && strncmp(line, key, n) == 0 && line[n] == '=')
			keep_word(ret, line + n + 1, length - n - 1);
		line += length + (line[length] == '\n');
	}
}

/* YYYY-MM-DD: later days are greater as texts. */
static bool is_day(const char *p, size_t n)
{
	if (n != 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i == 4 || i == 7 ? p[i] != '-' : p[i] < '0' || p[i] > '9')
			return false;
	}
	return true;
}

static void days(const char *text, const char *series, struct word *security, struct word *lts)
{
	for (const char *line = text; *line != '\0';) {
		size_t length = strcspn(line, "\n"), n[COLUMNS] = { 0 };
		const char *at[COLUMNS] = { NULL }, *p = line;

		for (unsigned i = 0; i < COLUMNS && p <= line + length; i++) {
			at[i] = p;
			n[i] = strcspn(p, ",\n");
			p += n[i] + 1;
		}
		if (at[SERIES] != NULL && n[SERIES] == strlen(series) && strncmp(at[SERIES], series, n[SERIES]) == 0) {
			if (is_day(at[SECURITY], n[SECURITY]))
				keep_word(security, at[SECURITY], n[SECURITY]);
			if (is_day(at[LTS], n[LTS]))
				keep_word(lts, at[LTS], n[LTS]);
		}
		line += length + (line[length] == '\n');
	}
}

/* What the login at the console asks for. */
static const char *console_asks(const char *console, const char *private)
{
	char factor[256];

	if (access(console, F_OK) != 0)
		return "";
	snprintf(factor, sizeof(factor), "%s/factor", private);
	return access(private, X_OK) != 0 ? "unread" : access(factor, F_OK) == 0 ? "factor" : "passphrase";
}

json_t *platform_of(const char *os_release, const char *releases, const char *console, const char *private)
{
	struct word name = { "" }, release = { "" }, id = { "" }, security = { "" }, lts = { "" };
	char *about = whole_file(os_release), *list = whole_file(releases);
	struct utsname here = { 0 };

	(void)uname(&here);
	if (about != NULL) {
		shell_value(about, "PRETTY_NAME", &name);
		shell_value(about, "VERSION_CODENAME", &release);
		shell_value(about, "ID", &id);
	}
	if (list != NULL && *release.text != '\0' && strcmp(id.text, "debian") == 0)
		days(list, release.text, &security, &lts);
	free(about);
	free(list);
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:s}", "name", json_text(name.text), "release", json_text(release.text),
			 "kernel", json_text(here.release), "security_until", json_text(security.text), "lts_until",
			 json_text(lts.text), "console", console_asks(console, private));
}

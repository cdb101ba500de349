/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Until when the operating system is supported: what os-release(5) and Debian's list of releases
 * say, whatever their contents, and the verdict about it.
 * LINK: mgmt/report/answers.c mgmt/report/probes_record.c mgmt/state/read.c
 * LINK: $(BASE_SRC) $(WIRE_SRC)
 * LIBS: nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/json.h"
#include "mgmt/report/answers.h"
#include "mgmt/report/probe.h"
#include "mgmt/state/read.h"
#include "tests/unit/folder.h"

#define OURS "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_CODENAME=bookworm\n"
#define LIST                                                                                                           \
	"version,codename,series,created,release,eol,eol-lts,eol-elts\n"                                               \
	"11,Bullseye,bullseye,2019-07-06,2021-08-14,2024-08-14,2026-08-31,2031-06-30\n"                                \
	"12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30\n"                                \
	"13,Trixie,trixie,2023-06-10,2025-08-09\n"

static enum verdict verdict;
static enum message said;

void finding_say(struct finding *f, enum verdict v, enum message m, ...)
{
	(void)f;
	verdict = v;
	said = m;
}

void finding_name(struct names *n, const char *name)
{
	(void)n;
	(void)name;
}

static const char *about_path, *list_path;

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int made(void **state)
{
	static char about[96], list[96];
	int r = setup(state);

	snprintf(about, sizeof(about), "%s/about", ((struct folder *)*state)->path);
	snprintf(list, sizeof(list), "%s/list", ((struct folder *)*state)->path);
	about_path = about;
	list_path = list;
	return r;
}

static json_t *of(const char *about, const char *list)
{
	json_t *ret;

	put(about_path, about);
	put(list_path, list);
	ret = platform_of(about_path, list_path, "/none", "/none");
	assert_non_null(ret);
	return ret;
}

static void is(const char *about, const char *list, const char *security, const char *lts)
{
	json_t *p = of(about, list);

	assert_string_equal(js(p, "security_until"), security);
	assert_string_equal(js(p, "lts_until"), lts);
	json_decref(p);
}

static void test_debian(void **state)
{
	json_t *p = of(OURS, LIST);

	(void)state;
	assert_string_equal(js(p, "name"), "Debian GNU/Linux 12 (bookworm)");
	assert_string_equal(js(p, "release"), "bookworm");
	assert_true(*js(p, "kernel") != '\0');
	json_decref(p);
	is(OURS, LIST, "2026-07-11", "2028-06-30");
	is("ID=debian\nVERSION_CODENAME=trixie\n", LIST, "", "");
}

/* Debian has a link at /etc/os-release, which is not followed. */
static void test_this_machine(void **state)
{
	json_t *p = platform_of(PLATFORM_OS_RELEASE, PLATFORM_RELEASES, PLATFORM_CONSOLE, PLATFORM_PRIVATE);

	(void)state;
	assert_int_equal(access("/etc/os-release", R_OK) == 0, *js(p, "name") != '\0');
	json_decref(p);
}

static void test_whatever_they_hold(void **state)
{
	char far[600];

	(void)state;
	is("", "", "", "");
	is("VERSION_CODENAME=bookworm\nID=ubuntu\n", LIST, "", "");
	is("ID=debian\nVERSION_CODENAME=\n", LIST, "", "");
	is("ID=debian\nVERSION_CODENAME=book\n", LIST, "", "");
	is(OURS, "12,Bookworm,bookworm", "", "");
	is(OURS, "12,Bookworm,bookworm,,,", "", "");
	is(OURS, ",,bookworm,,,2026-07-11", "2026-07-11", "");
	is(OURS, ",,bookworm,,,2026/07/11,2028-06-3x\n,,,,,\n\n", "", "");
	is(OURS, ",,bookworm,,,2026-07-11,2028-06-30,,,,,,,,,", "2026-07-11", "2028-06-30");
	memset(far, 'x', sizeof(far));
	memcpy(far, "PRETTY_NAME=", 12);
	far[sizeof(far) - 1] = '\0';
	is(far, far, "", "");
	assert_int_equal(unlink(list_path), 0);
	assert_int_equal(unlink(about_path), 0);
	json_decref(platform_of(about_path, list_path, "/none", "/none"));
}

/* Only an image has a login at the console; its folder of secrets can be closed to the asker. */
static void test_console(void **state)
{
	static const struct {
		const char *console, *private, *is;
	} cases[] = { { "/none", "/", "" }, { "/", "/none", "unread" }, { "/", "/", "passphrase" } };
	char factor[128];
	json_t *p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = platform_of(about_path, list_path, cases[i].console, cases[i].private);
		assert_string_equal(js(p, "console"), cases[i].is);
		json_decref(p);
	}
	snprintf(factor, sizeof(factor), "%s/factor", ((struct folder *)*state)->path);
	put(factor, "");
	p = platform_of(about_path, list_path, "/", ((struct folder *)*state)->path);
	assert_string_equal(js(p, "console"), "factor");
	json_decref(p);
	assert_int_equal(unlink(factor), 0);
}

static void at(const char *made, const char *security, const char *lts, enum verdict v, enum message m)
{
	json_t *facts = json_pack("{s:s,s:s,s:{s:s,s:s,s:s,s:s}}", "version", "1", "made", made, "platform", "name",
				  "D", "kernel", "6", "security_until", security, "lts_until", lts);

	assert_non_null(facts);
	probe_versions(&(struct evidence){ facts, json_object_get(facts, "platform"), NULL }, NULL);
	json_decref(facts);
	assert_int_equal(verdict, v);
	assert_int_equal(said, m);
}

static void test_verdicts(void **state)
{
	(void)state;
	at("2026-07-11T23:59:59.999Z", "2026-07-11", "2028-06-30", VERDICT_MET, M_PROBE_VERSIONS_UNTIL);
	at("2026-07-12T00:00:00.000Z", "2026-07-11", "2028-06-30", VERDICT_PARTLY, M_PROBE_VERSIONS_LTS);
	at("2028-06-30T12:00:00.000Z", "2026-07-11", "2028-06-30", VERDICT_PARTLY, M_PROBE_VERSIONS_LTS);
	at("2028-07-01T00:00:00.000Z", "2026-07-11", "2028-06-30", VERDICT_NOT, M_PROBE_VERSIONS_ENDED);
	at("2026-07-12T00:00:00.000Z", "2026-07-11", "", VERDICT_NOT, M_PROBE_VERSIONS_ENDED);
	at("2026-07-12T00:00:00.000Z", "", "", VERDICT_PARTLY, M_PROBE_VERSIONS);
}

/* A review counts for the records that it was about, not for the day on which it was signed. */
static void test_reviews(void **state)
{
	json_t *facts = json_pack("{s:s}", "made", "2026-11-02T00:00:30.000Z");
	struct deeds d = { .read = true,
			   .review = "2026-11-01T09:00:00.000Z",
			   .first = "2026-01-01T00:00:00.000Z",
			   .reviewed = { { "2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z" } },
			   .n_reviewed = 1 };
	const struct evidence of = { .facts = facts, .deeds = &d };

	(void)state;
	probe_records_reviewed(&of, NULL);
	assert_int_equal(verdict, VERDICT_MET);
	strcpy(d.reviewed[0].from, "2026-10-31T23:00:00.000Z"); /* an hour of the month */
	probe_records_reviewed(&of, NULL);
	assert_int_equal(verdict, VERDICT_PARTLY);
	assert_int_equal(said, M_PROBE_REVIEW_PARTLY);
	strcpy(d.first, "2026-10-31T23:30:00.000Z"); /* before that there were no records */
	probe_records_reviewed(&of, NULL);
	assert_int_equal(verdict, VERDICT_MET);
	strcpy(d.first, "2026-01-01T00:00:00.000Z");
	strcpy(d.reviewed[1].from, "2026-09-20T00:00:00.000Z"); /* another one closes the gap */
	strcpy(d.reviewed[1].until, "2026-10-31T23:00:00.000Z");
	d.n_reviewed = 2;
	probe_records_reviewed(&of, NULL);
	assert_int_equal(verdict, VERDICT_MET);
	strcpy(d.reviewed[1].until, "2026-10-31T22:59:59.000Z"); /* all but a second */
	probe_records_reviewed(&of, NULL);
	assert_int_equal(verdict, VERDICT_PARTLY);
	json_decref(facts);
}

static void test_alarms(void **state)
{
	json_t *facts = json_pack("{s:s}", "made", "2026-11-02T00:00:30.000Z");
	struct deeds d = { .read = true, .alarms_rang = true };
	const struct evidence of = { .facts = facts, .deeds = &d };

	(void)state;
	probe_alarms_tested(&of, NULL);
	assert_int_equal(verdict, VERDICT_NOT);
	strcpy(d.alarms_tested, "2026-10-20T00:00:00.000Z");
	probe_alarms_tested(&of, NULL);
	assert_int_equal(verdict, VERDICT_MET);
	strcpy(d.alarms_tested, "2026-09-20T00:00:00.000Z");
	probe_alarms_tested(&of, NULL);
	assert_int_equal(verdict, VERDICT_PARTLY);
	d.alarms_rang = false;
	probe_alarms_tested(&of, NULL);
	assert_int_equal(verdict, VERDICT_NOT);
	json_decref(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_debian, made, teardown),
		cmocka_unit_test_setup_teardown(test_this_machine, made, teardown),
		cmocka_unit_test_setup_teardown(test_whatever_they_hold, made, teardown),
		cmocka_unit_test_setup_teardown(test_console, made, teardown),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_reviews),
		cmocka_unit_test(test_alarms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

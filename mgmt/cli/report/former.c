/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/report/former.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "mgmt/cli/report/told.h"
#include "mgmt/cli/words/render.h"

#define FILE_MOST (16u << 20)
#define NUMBER_MOST 999u
#define WORDS 200u

static bool is_report(const json_t *j)
{
	static const char *const moments[] = { "made", "from", "until" };
	const json_t *number = json_object_get(j, "number");

	if (strcmp(js(j, "report"), "incident") != 0 || !json_is_integer(number) || json_integer_value(number) < 1 ||
	    json_integer_value(number) >= NUMBER_MOST)
		return false;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
		if (strlen(js(j, moments[i])) != strlen("2026-10-05T00:00:00.000Z"))
			return false;
	return strlen(js(j, "reporter")) <= WORDS && strlen(js(j, "contact")) <= WORDS &&
	       strlen(js(j, "noticed")) < RENDER_TEXT;
}

int former_read(struct cli *c, const char *file, struct former *ret)
{
	struct err e = { 0 };
	uint8_t *text = NULL, digest[32];
	size_t n = 0;
	int r;

	*ret = (struct former){ .report = NULL };
	if (file == NULL)
		return CLI_YES;
	r = file_read(AT_FDCWD, file, FILE_MOST, &text, &n, &e);
	if (r < 0)
		return cli_fail_file(c, CLI_INVALID, file, -r);
	sha256(text, n, digest);
	hex_text(digest, sizeof(digest), ret->sha256);
	ret->report = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (is_report(ret->report))
		return CLI_YES;
	former_free(ret);
	return cli_fail(c, CLI_INVALID, M_INCIDENT_NO_FORMER, file);
}

void former_free(struct former *f)
{
	json_decref(f->report);
	f->report = NULL;
}

unsigned long long former_number(const struct former *f)
{
	return f->report != NULL ? ju(f->report, "number") + 1 : 1;
}

const char *former_value(const struct former *f, const char *key, const char *given)
{
	if (given != NULL && *given != '\0')
		return given;
	return *js(f->report, key) != '\0' ? js(f->report, key) : NULL;
}

json_t *former_json(const struct former *f)
{
	if (f->report == NULL)
		return json_null();
	return json_pack("{s:I,s:s,s:s}", "number", (json_int_t)ju(f->report, "number"), "made", js(f->report, "made"),
			 "sha256", f->sha256);
}

/* ---- what has changed ----------------------------------------------------------------------------------------------- */

static bool same(const json_t *a, const json_t *b, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (strcmp(js(a, *keys), js(b, *keys)) != 0)
			return false;
	return true;
}

/* Rows of a tally that the former one has not. */
static json_t *fresh_rows(const json_t *then, const json_t *now, const char *const *keys)
{
	json_t *list = json_array();
	const json_t *a, *b;
	size_t i, k;

	json_array_foreach(now, i, a)
	{
		bool known = jb(a, "more");

		json_array_foreach(then, k, b)
		{
			known = known || same(a, b, keys);
		}
		if (!known)
			(void)json_array_append(list, (json_t *)(uintptr_t)a);
	}
	return list;
}

static json_int_t times(const json_t *rows)
{
	json_int_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
	{
		sum += (json_int_t)ju(r, "count");
	}
	return sum;
}

static json_int_t events(const json_t *report, const char *key, const char *more)
{
	return (json_int_t)json_array_size(ja(report, key)) + (json_int_t)ju(report, more);
}

json_t *former_changes(const struct former *f, const json_t *data)
{
	static const char *const of_party[] = { "zone", "asset", "address", "side", NULL };
	static const char *const of_indicator[] = {
		"address", "side", "transport", "port", "protocol", "reason", NULL
	};
	const json_t *was = f->report;

	if (was == NULL)
		return json_null();
	return json_pack("{s:[I,I],s:[I,I],s:[I,I],s:[I,I],s:o,s:o}", "records", (json_int_t)ju(was, "records"),
			 (json_int_t)ju(data, "records"), "refusals", times(ja(was, "refused")),
			 times(ja(data, "refused")), "box", events(was, "box", "box_more"),
			 events(data, "box", "box_more"), "people", events(was, "people", "people_more"),
			 events(data, "people", "people_more"), "parties",
			 fresh_rows(ja(was, "parties"), ja(data, "parties"), of_party), "indicators",
			 fresh_rows(ja(was, "indicators"), ja(data, "indicators"), of_indicator));
}

static void number(struct page *p, const json_t *changes, const char *key, enum message label)
{
	const json_t *two = ja(changes, key);

	page_cell(p, message_format(label, page_lang(p)));
	for (size_t i = 0; i < 2; i++)
		page_cellf(p, "%lld", (long long)json_integer_value(json_array_get(two, i)));
}

void former_page(struct page *p, const struct former *f, const json_t *changes)
{
	static const enum message heads[] = { M_INCIDENT_ITEM, M_INCIDENT_THEN, M_INCIDENT_NOW_HEAD };
	static const enum message rows[] = { M_INCIDENT_ZONE, M_INCIDENT_ASSET, M_INCIDENT_ADDRESS, M_TOLD_COUNT };
	const json_t *list = ja(changes, "parties"), *r;
	char when[RENDER_TEXT];
	size_t i;

	if (f->report == NULL)
		return;
	render_time(js(f->report, "made"), when);
	page_section(p, M_INCIDENT_CHANGED);
	page_say(p, M_INCIDENT_FOLLOWS, ju(f->report, "number"), when, f->sha256);
	page_table(p, heads, 3);
	number(p, changes, "records", M_INCIDENT_N_RECORDS);
	number(p, changes, "refusals", M_INCIDENT_N_REFUSED);
	number(p, changes, "box", M_INCIDENT_N_BOX);
	number(p, changes, "people", M_INCIDENT_N_PEOPLE);
	page_say(p, M_INCIDENT_NEW_PARTIES, json_array_size(list), json_array_size(ja(changes, "indicators")));
	if (json_array_size(list) == 0)
		return;
	page_table(p, rows, 4);
	json_array_foreach(list, i, r)
	{
		page_cell(p, *js(r, "zone") != '\0' ? js(r, "zone") : message_format(M_INCIDENT_NO_ZONE, page_lang(p)));
		page_cell(p, *js(r, "asset") != '\0' ? js(r, "asset") : "-");
		page_cell(p, js(r, "address"));
		page_cellf(p, "%llu", ju(r, "count"));
	}
}

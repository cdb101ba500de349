/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/json_each.h"

bool live_read_id(const char *text, uint64_t *ret)
{
	size_t n = text != NULL ? strlen(text) : 0;

	if (n == 0 || n > 19 || strspn(text, "0123456789") != n || (text[0] == '0' && n > 1))
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

bool live_newest(const char *status, size_t n, uint64_t *ret)
{
	json_t *j = json_loadb(status, n, 0, NULL);
	const json_t *records = json_object_get(json_object_get(j, "journal"), "records");
	bool said = json_is_integer(records) && json_integer_value(records) >= 0;

	if (said)
		*ret = (uint64_t)json_integer_value(records);
	json_decref(j);
	return said;
}

void live_put_records(FILE *to, const json_t *records, uint64_t after)
{
	json_each(one, records) {
		json_int_t seq = json_integer_value(json_object_get(one, "seq"));

		if (seq <= 0 || (uint64_t)seq <= after)
			continue;
		fprintf(to, "id: %lld\nevent: record\ndata: ", (long long)seq);
		json_dumpf(one, to, JSON_COMPACT);
		fputs("\n\n", to);
	}
}

char *live_progress_text(uint32_t ask, const struct msg_progress *p, size_t *ret_n)
{
	char *text = NULL;
	int n = asprintf(&text,
			 "event: progress\ndata: {\"ask\":%" PRIu32 ",\"stage\":\"%s\",\"done\":%" PRIu32
			 ",\"of\":%" PRIu32 ",\"entries\":%" PRIu64 "}\n\n",
			 ask, progress_word((enum progress_stage)p->stage), p->done, p->of, p->entries);

	*ret_n = n > 0 ? (size_t)n : 0;
	return n > 0 ? text : NULL;
}

/* A packet counts for each conduit of its cell, because the counter does not tell which one it
 * was. */
static bool count_cell(json_t *sums, const json_t *cell)
{
	json_each(name, json_object_get(cell, "conduits")) {
		const char *text = json_string_value(name);
		json_int_t sum;

		if (text == NULL)
			continue;
		sum = json_integer_value(json_object_get(sums, text)) +
		      json_integer_value(json_object_get(cell, "packets"));
		if (json_object_set_new(sums, text, json_integer(sum)) < 0)
			return false;
	}
	return true;
}

char *live_flow(const char *effective, size_t n)
{
	json_t *e = json_loadb(effective, n, 0, NULL), *sums = json_object();
	const json_t *cells = json_object_get(e, "cells");
	bool whole = json_is_array(cells) && sums != NULL;
	json_t *flow = NULL;
	char *text = NULL;

	json_each(cell, cells)
		whole = whole && count_cell(sums, cell);
	if (whole)
		flow = json_pack("{s:O?, s:O?, s:O}", "time", json_object_get(e, "time"), "digest",
				 json_object_get(json_object_get(e, "generation"), "digest"), "conduits", sums);
	if (flow != NULL)
		text = json_dumps(flow, JSON_COMPACT);
	json_decref(flow);
	json_decref(sums);
	json_decref(e);
	return text;
}

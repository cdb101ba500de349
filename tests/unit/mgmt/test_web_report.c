/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions that a report over the web asks, and what becomes of answers that come in parts.
 *
 * LINK: mgmt/web/report.c mgmt/web/api/target.c mgmt/report/%.c mgmt/state/read.c
 * LINK: mgmt/state/alarms.c mgmt/state/faults.c mgmt/state/stand.c
 * LINK: mgmt/state/journal.c
 * LINK: mgmt/cli/screen/table.c mgmt/cli/screen/wrap.c build/controls/files.c
 * LINK: $(BASE_SRC) $(WIRE_SRC)
 * LIBS: nettle jansson
 */
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/memfd.h"
#include "mgmt/web/report.h"

#define PARTS_MOST 1000u /* of the records, as docs/json.md says: 4,096 in each */

static struct web_report *begin(void)
{
	static const char text[] = "/api/v1/report?of=controls&lang=en";
	struct web_report *r;
	struct target t;

	target_parse(bytes_of(text, sizeof(text) - 1), &t);
	r = web_report_new(&t, NULL, NULL);
	assert_non_null(r);
	return r;
}

static void say(struct web_report *r, const char *text)
{
	int fd = memfd_sealed("answer", text, strlen(text));

	assert_true(fd >= 0);
	web_report_heard(r, ANSWER_YES, fd);
}

/* What the first piece of evidence of this probe says: its verdict, and the text in English. */
static char *evidence(const struct web_report *r, const char *probe, char verdict[16])
{
	const char *type;
	const json_t *d, *c, *e;
	size_t n, i, k, l;
	char *text = web_report_text(r, &type, &n), *ret = NULL;
	json_t *j;

	assert_non_null(text);
	assert_string_equal(type, "application/json");
	j = json_loadb(text, n, 0, NULL);
	json_array_foreach(json_object_get(j, "documents"), i, d) {
		json_array_foreach(json_object_get(d, "clauses"), k, c) {
			json_array_foreach(json_object_get(c, "evidence"), l, e) {
				if (ret != NULL || strcmp(json_string_value(json_object_get(e, "probe")), probe) != 0)
					continue;
				snprintf(verdict, 16, "%s", json_string_value(json_object_get(e, "verdict")));
				ret = strdup(json_string_value(json_object_get(e, "en")));
			}
		}
	}
	json_decref(j);
	free(text);
	assert_non_null(ret);
	return ret;
}

/* Asks until there is nothing more; `parts`: the number of parts. Returns how often the journal was
 * asked; *ret_promises: how often it was asked what the policy promises. */
static unsigned run(struct web_report *r, unsigned parts, unsigned *ret_promises)
{
	unsigned asked = 0;
	struct msg_body q;

	*ret_promises = 0;
	while (web_report_next(r, &q)) {
		if (q.type == MSG_CHAIN && ++asked < parts) {
			say(r, "{\"more\":true,\"records\":4096}");
		} else if (q.type == MSG_CHAIN) {
			say(r, "{\"whole\":false,\"records\":9,\"first\":1,\"last\":9,\"faults\":1,\"head\":\"00\"}");
		} else if (q.type == MSG_ASK) {
			assert_int_equal(q.ask.promises, 1);
			++*ret_promises;
			say(r, "{\"nevers\":2,\"broken\":1,\"unattended\":0,\"ways\":0,\"zones\":[]}");
		} else if (q.type == MSG_EVENTS) {
			say(r, "{\"events\":[],\"next\":0}");
		} else {
			say(r, "{}");
		}
	}
	return asked;
}

static void records_in_parts(void **state)
{
	static const struct {
		unsigned parts, asked;
		const char *verdict, *says;
	} cases[] = {
		{ 1, 1, "not_covered", "1" },
		{ 3, 3, "not_covered", "1" },
		/* What takes too long is not read, and the report comes all the same. */
		{ 5 * PARTS_MOST, PARTS_MOST, "unread", "sekisho report" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct web_report *r = begin();
		unsigned promises;
		char verdict[16], *text;

		assert_int_equal(run(r, cases[i].parts, &promises), cases[i].asked);
		assert_int_equal(promises, 1);
		text = evidence(r, "records_chain", verdict);
		assert_string_equal(verdict, cases[i].verdict);
		assert_non_null(strstr(text, cases[i].says));
		free(text);
		text = evidence(r, "nevers_hold", verdict);
		assert_string_equal(verdict, "not_covered");
		free(text);
		web_report_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

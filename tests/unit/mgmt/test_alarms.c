/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of alarms for the person who gets them: the names that people use, the affected
 * machines, and a first step.
 * LINK: mgmt/state/alarm_lines.c mgmt/state/alarms.c mgmt/state/stand.c mgmt/state/faults.c
 * LINK: mgmt/state/journal.c
 * LINK: mgmt/state/read.c
 * LINK: appliance/wire/hours.c
 * LINK: appliance/wire/attack.c appliance/wire/tls.c appliance/wire/reason.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/bytes.c appliance/base/memfd.c
 * LINK: appliance/base/utf8.c
 * LINK: appliance/base/sha256.c appliance/base/err.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/state/alarm_lines.h"
#include "mgmt/state/alarms.h"
#include "mgmt/state/read.h"

static const char status_text[] =
	"{\"generation\":{\"number\":4,\"state\":\"confirmed\"},\"interfaces\":["
	"{\"name\":\"lan1\",\"link\":\"up\",\"zones\":[{\"name\":\"it\",\"label\":\"\",\"assets\":[{\"name\":\"pc\","
	"\"label\":\"\"}]}]},"
	"{\"name\":\"lan2\",\"device\":\"e2\",\"link\":\"no_carrier\",\"zones\":[{\"name\":\"crane\",\"label\":\"\","
	"\"assets\":[{\"name\":\"rtg07\",\"label\":\"RTG "
	"7号機\"},{\"name\":\"rtg08\",\"label\":\"\"}],\"assets_all\":6}]}],"
	"\"foreign\":[\"table ip nat\"],\"prepared\":[{\"name\":\"ot\",\"on_alarm\":[\"program\"]},"
	"{\"name\":\"it\",\"on_alarm\":[\"program\",\"scan\"]}],"
	"\"isolations\":[{\"what\":\"asset rtg07.plc\",\"label\":\"RTG 7号機 "
	"plc\",\"since\":\"\",\"machines\":[\"RTG 7号機 plc\"]},{\"what\":\"everything\",\"label\":\"\","
	"\"since\":\"\"},{\"what\":\"asset gone\",\"label\":\"\",\"since\":\"\"}],"
	"\"doors\":[{\"door\":\"glass\",\"label\":\"非常時\",\"uses\":[{\"since\":\"x\",\"unreviewed\":true}],"
	"\"conduits\":[{\"to\":{\"zone\":"
	"\"crane\",\"label\":\"クレーン\",\"hosts\":[]}}]}],"
	"\"expected\":{\"silent\":1,\"conduits\":[{\"conduit\":\"reads\",\"label\":\"\",\"within_s\":60,\"since\":\"\","
	"\"heard\":true,"
	"\"machines\":[\"TOS\",\"RTG 7号機\"]}]},"
	"\"roles\":[{\"role\":\"tap\",\"index\":0,\"state\":\"dead\"}],\"ups\":{\"state\":\"battery\"},"
	"\"backup\":{\"since\":\"\",\"days\":3,\"overdue\":false,\"carried\":[{\"to\":\"stick\",\"every\":2,\"since\":"
	"\"\","
	"\"overdue\":true},{\"to\":\"server\",\"every\":1,\"since\":\"\",\"overdue\":false,\"why\":\"unreached\"}]},"
	"\"journal\":{\"lost\":3,\"attacks\":{\"ringing\":1,\"alarms\":[{\"number\":1,\"rung\":1,\"attack\":\"scan\","
	"\"from\":\"a\",\"to\":\"b\","
	"\"count\":9,\"first\":\"\",\"last\":\"\"}]}}}";

static const json_t *of(const json_t *list, const char *key)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strncmp(js(json_array_get(list, i), "key"), key, strlen(key)) == 0)
			return json_array_get(list, i);
	fail_msg("no alarm %s", key);
	return NULL;
}

static void says(const json_t *list, const char *key, const char *ja_text, const char *machines, const char *step)
{
	const json_t *a = of(list, key), *m = ja(a, "machines");
	char text[200] = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(m); i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? "," : "",
				      json_string_value(json_array_get(m, i)));
		assert_true(n < sizeof(text));
	}
	if (ja_text != NULL)
		assert_string_equal(js(a, "ja"), ja_text);
	assert_string_equal(text, machines);
	assert_non_null(strstr(js(ja(a, "step"), "en"), step));
}

static size_t utf8_letters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0u) != 0x80u;
	return n;
}

/* Every alarm is in one line, and the grave lines come first. */
static void one_line_a_title(const json_t *list)
{
	json_t *lines = alarm_lines(list);
	char *text = alarm_headline(lines, LANG_JA), begins[40];
	size_t keys = 0;

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);

		keys += json_array_size(ja(line, "keys"));
		assert_true(i == 0 || jb(json_array_get(lines, i - 1), "grave") || !jb(line, "grave"));
		for (size_t k = 0; k < i; k++)
			assert_false(js_is(ja(line, "title"), "en", js(ja(json_array_get(lines, k), "title"), "en")) &&
				     jb(json_array_get(lines, k), "grave") == jb(line, "grave"));
	}
	assert_int_equal(keys, json_array_size(list));
	(void)snprintf(begins, sizeof(begins), "警報 %zu 件: ", keys);
	assert_int_equal(strncmp(text, begins, strlen(begins)), 0);
	free(text);
	json_decref(lines);
}

static void names_machines_steps(void **state)
{
	json_t *status = json_loads(status_text, 0, NULL), *list = alarms_find(status);

	(void)state;
	assert_non_null(status);
	says(list, "isolated asset rtg07.plc", "隔離中: RTG 7号機 plc", "RTG 7号機 plc",
	     "ask who ordered the isolation");
	says(list, "isolated everything", "隔離中: すべて", "", "ask who ordered the isolation");
	says(list, "isolated asset gone", "隔離中: asset gone", "", "ask who ordered the isolation");
	says(list, "glass glass", "非常用の臨時接続を使用（未確認）: 非常時", "クレーン",
	     "ask the person who opened the door");
	/* A failed attempt to make a backup is no alarm; an overdue backup is one. */
	says(list, "backup stick",
	     "予定のバックアップ（2 日ごと）を USB メモリーに保存できていません（sekisho backup --scheduled）", "", "");
	for (size_t i = 0; i < json_array_size(list); i++)
		assert_null(strstr(js(json_array_get(list, i), "key"), "backup server"));
	says(list, "fault interface lan2", NULL, "RTG 7号機,rtg08,+4", "cable");
	says(list, "fault another program", NULL, "", "page State");
	says(list, "conduit reads", NULL, "TOS,RTG 7号機", "cables");
	says(list, "role tap", NULL, "", "restarts by itself");
	/* What the policy has prepared for this alarm, and for no other, is offered. */
	assert_int_equal(json_array_size(ja(of(list, "attack "), "offers")), 1);
	assert_string_equal(json_string_value(json_array_get(ja(of(list, "attack "), "offers"), 0)), "it");
	assert_non_null(strstr(js(of(list, "attack "), "en"), "sekisho isolate --rehearse it"));
	assert_non_null(strstr(js(of(list, "attack "), "ja"), "sekisho isolate --rehearse it"));
	/* Each alarm has a title that fits a headline, and a first step. */
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);

		if (strncmp(js(a, "key"), "attack ", 7) == 0)
			assert_int_equal(json_array_size(ja(a, "machines")), 2); /* both ends */
		assert_true(*js(ja(a, "step"), "ja") != '\0' && *js(ja(a, "step"), "en") != '\0');
		assert_in_range(utf8_letters(js(ja(a, "title"), "ja")), 1, 20);
		assert_in_range(utf8_letters(js(ja(a, "title"), "en")), 1, 20);
	}
	one_line_a_title(list);
	json_decref(list);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_machines_steps) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

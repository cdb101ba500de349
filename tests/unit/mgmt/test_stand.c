/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The overall state of the box and the sentence about it, from the status: the command line and the
 * pages print the same.
 * LINK: appliance/wire/reason.c mgmt/state/stand.c mgmt/state/faults.c appliance/wire/hours.c
 * LINK: mgmt/state/read.c
 * LINK: appliance/base/messages.c
 * LINK: appliance/base/errno_text.c
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/bytes.c appliance/base/memfd.c
 * LINK: appliance/base/utf8.c
 * LINK: appliance/base/sha256.c appliance/base/err.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/state/faults.h"
#include "mgmt/state/stand.h"

#define CONFIRMED "\"generation\":{\"number\":4,\"state\":\"confirmed\"}"
#define ENFORCE "{\"role\":\"enforce\",\"index\":0,\"state\":\"running\"}"
#define WORKER(state) "{\"role\":\"dpi\",\"index\":1,\"kind\":\"commands\",\"state\":\"" state "\"}"
#define ROLES(list) "\"roles\":[" list "]"

static void stands(const char *text, enum stand want, const char *en, const char *ja_text)
{
	const char *const sentences[] = { [LANG_EN] = en, [LANG_JA] = ja_text };
	json_t *status = json_loads(text, 0, NULL);

	assert_non_null(status);
	for (enum lang l = LANG_EN; l <= LANG_JA; l++) {
		const json_t *alarms = json_object_get(status, "alarms");
		json_t *faults = faults_find(status, l);
		enum stand stand = stand_of(status, faults, alarms);
		char *sentence = stand_sentence(status, faults, alarms, stand, l);

		assert_string_equal(stand_word(stand), stand_word(want));
		assert_string_equal(sentence, sentences[l]);
		free(sentence);
		json_decref(faults);
	}
	json_decref(status);
}

static void sentences(void **state)
{
	(void)state;
	stands("{}", STAND_NO_POLICY, "NO POLICY IN FORCE: everything between zones is refused",
	       "有効なポリシーがありません: ゾーン間の通信はすべて拒否されています");
	stands("{" CONFIRMED "," ROLES(ENFORCE) "}", STAND_GOOD, "ENFORCING", "防御中");
	/* a start, before enforce has judged the clock */
	stands("{" CONFIRMED "," ROLES(ENFORCE) ",\"busy\":true,\"clock\":{\"waits\":\"daemon\",\"waiting\":[\"c\"]}}",
	       STAND_GOOD, "ENFORCING", "防御中");
	stands("{\"generation\":{\"number\":4,\"state\":\"waiting\"}," ROLES(ENFORCE) "}", STAND_WAITING,
	       "ENFORCING, policy not confirmed yet", "防御中（ポリシーは確定待ち）");
	stands("{" CONFIRMED "," ROLES("") "}", STAND_UNWATCHED,
	       "RULES IN FORCE BUT NOT WATCHED: the enforce process is down or does not answer",
	       "ルールは有効ですが、監視されていません: enforce プロセスが停止しているか、応答しません");
	stands("{" CONFIRMED "," ROLES(ENFORCE "," WORKER("dead")) "}", STAND_UNINSPECTED,
	       "INSPECTION IMPAIRED: some traffic is stopped, or passes uninspected where its conduit says so: "
	       "dpi/1 (commands)",
	       "検査部に異常: 一部の検査対象の通信が、遮断されるか、コンジットの設定により検査なしで通過しています: "
	       "dpi/1（コマンド用）");
	stands("{" CONFIRMED ",\"journal\":{\"trouble\":\"no space\"}," ROLES(ENFORCE) "}", STAND_UNRECORDED,
	       "ENFORCING, but events cannot be recorded", "防御中（ただし事象を記録できません）");
	stands("{" CONFIRMED "," ROLES(ENFORCE ","
					       "{\"role\":\"tap\",\"state\":\"starting\"}") "}",
	       STAND_PARTLY, "ENFORCING, but not every process is running: tap",
	       "防御中（ただし停止しているプロセスがあります）: tap");
}

/* The sentence names two faults and counts the others. A compiler that is just working is no
 * fault. */
static void faulty(void **state)
{
	(void)state;
	stands("{" CONFIRMED
	       "," ROLES(ENFORCE ","
				 "{\"role\":\"compile\",\"state\":\"starting\"}") ",\"kernel\":{\"forwarding\":false},"
										  "\"foreign\":[\"table ip "
										  "nat\",\"table ip raw\"]}",
	       STAND_FAULTY,
	       "ENFORCING, WITH FAULTS: forwarding is off: nothing passes between zones; another program has rules "
	       "here: "
	       "table ip nat; and 1 more",
	       "防御中（異常あり）: "
	       "転送が停止しており、ゾーン間の通信はすべて止まっています、ほかのプログラムのルールがあります: "
	       "table ip nat、ほか 1 件");
}

static void silent(void **state)
{
#define SILENT "\"silent\":[{\"role\":\"enforce\",\"index\":0}]"
	(void)state;
	stands("{" CONFIRMED "," SILENT "," ROLES(ENFORCE) "}", STAND_UNWATCHED,
	       "RULES IN FORCE BUT NOT WATCHED: the enforce process is down or does not answer",
	       "ルールは有効ですが、監視されていません: enforce プロセスが停止しているか、応答しません");
	stands("{" CONFIRMED ",\"busy\":true," SILENT "," ROLES(ENFORCE) "}", STAND_GOOD, "ENFORCING", "防御中");
}

/* The box is well, but it saw an attack. Less serious alarms do not change the sentence, and faults
 * of the box come first. */
static void alarmed(void **state)
{
#define ALARM(grave, n) "{\"grave\":" grave ",\"en\":\"thing " n "\",\"ja\":\"件" n "\"}"
	(void)state;
	stands("{" CONFIRMED "," ROLES(ENFORCE) ",\"alarms\":[" ALARM("false", "1") "]}", STAND_GOOD, "ENFORCING",
	       "防御中");
	stands("{" CONFIRMED "," ROLES(ENFORCE) ",\"alarms\":[" ALARM("false", "1") "," ALARM("true", "2") "]}",
	       STAND_ALARMED, "ENFORCING, WITH ALARMS: thing 2", "防御中（警報あり）: 件2");
	stands("{\"generation\":{\"number\":4,\"state\":\"waiting\"}," ROLES(ENFORCE) ",\"alarms\":[" ALARM(
		       "true", "1") "," ALARM("true", "2") "," ALARM("true", "3") "]}",
	       STAND_ALARMED, "ENFORCING, WITH ALARMS: thing 1; thing 2; and 1 more",
	       "防御中（警報あり）: 件1、件2、ほか 1 件");
	stands("{" CONFIRMED "," ROLES(ENFORCE) ",\"foreign\":[\"table ip nat\"],\"alarms\":[" ALARM("true", "1") "]}",
	       STAND_FAULTY, "ENFORCING, WITH FAULTS: another program has rules here: table ip nat",
	       "防御中（異常あり）: ほかのプログラムのルールがあります: table ip nat");
}

/* A fault whose text was cut inside a character is still a fault. */
static void long_texts(void **state)
{
	(void)state;
	for (unsigned before = 0; before < 3; before++) {
		char text[2048];
		json_t *status, *faults;
		size_t at = (size_t)snprintf(text, sizeof(text),
					     "{" CONFIRMED "," ROLES(ENFORCE) ",\"foreign\":[\"%.*s", before, "xxx");

		for (unsigned i = 0; i < 300; i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "表");
		snprintf(text + at, sizeof(text) - at, "\"]}");
		status = json_loads(text, 0, NULL);
		assert_non_null(status);
		faults = faults_find(status, LANG_JA);
		assert_int_equal(json_array_size(faults), 1);
		assert_int_equal(stand_of(status, faults, NULL), STAND_FAULTY);
		json_decref(faults);
		json_decref(status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sentences), cmocka_unit_test(faulty),	   cmocka_unit_test(silent),
		cmocka_unit_test(alarmed),   cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

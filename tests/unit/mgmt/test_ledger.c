/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is reported about alarms, and when: their begin and end after two looks, over a restart, and
 * what is dropped when there is no room.
 * LINK: appliance/wire/reason.c appliance/wire/attack.c mgmt/notify/ledger.c mgmt/state/alarms.c
 * LINK: mgmt/state/journal.c
 * LINK: appliance/wire/tls.c mgmt/state/faults.c mgmt/state/stand.c
 * LINK: mgmt/state/read.c
 * LINK: appliance/wire/hours.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/bytes.c appliance/base/memfd.c
 * LINK: appliance/base/utf8.c appliance/base/sha256.c appliance/base/err.c
 * LINK: appliance/base/atomic_file.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt/notify/ledger.h"
#include "mgmt/state/alarms.h"

#define BEGAN "2026-11-20T08:10:11.000Z"
#define LATER "2026-11-20T09:10:11.000Z"
#define GOOD "\"generation\":{\"number\":4,\"state\":\"confirmed\"}"
#define DOWN(n)                                                                                                        \
	"\"roles\":[{\"role\":\"dpi\",\"index\":" n ",\"kind\":\"commands\",\"state\":\"dead\",\"since\":\"" BEGAN     \
	"\"}]"

static void look(struct ledger *l, const char *status, const char *now)
{
	json_t *s = json_loads(status, 0, NULL), *alarms;

	assert_non_null(s);
	alarms = alarms_find(s);
	ledger_look(l, alarms, now);
	json_decref(alarms);
	json_decref(s);
}

static struct ledger opened(int *ret_fd)
{
	char path[] = "/tmp/test_ledger.XXXXXX";
	struct ledger l;
	bool is_new;

	*ret_fd = open(mkdtemp(path), O_RDONLY | O_DIRECTORY);
	assert_true(*ret_fd >= 0);
	assert_int_equal(ledger_open(*ret_fd, &l, &is_new), 0);
	assert_true(is_new);
	return l;
}

static void contains(const struct ledger *l, enum lang lang, const char *what, bool wanted)
{
	char *text = ledger_text(l, lang, "内線 4119");

	assert_int_equal(strstr(text, what) != NULL, wanted);
	free(text);
}

static void begins_and_ends(void **state)
{
	char *subject;
	int fd;
	struct ledger l = opened(&fd);

	(void)state;
	look(&l, "{" GOOD "," DOWN("1") "}", LATER);
	assert_int_equal(ledger_waiting(&l), 0);
	look(&l, "{" GOOD "}", LATER); /* it existed during one look only */
	look(&l, "{" GOOD "," DOWN("1") "}", LATER);
	assert_int_equal(ledger_waiting(&l), 0);
	look(&l, "{" GOOD "," DOWN("1") "}", LATER);
	assert_int_equal(ledger_waiting(&l), 1);
	contains(&l, LANG_EN, "began: a process is down: dpi/1", true);
	contains(&l, LANG_JA, "発生: プロセスが停止しています: dpi/1", true);
	contains(&l, LANG_JA, "\n連絡先: 内線 4119\n", true);
	contains(&l, LANG_EN, "\nWhom to call: 内線 4119\n", true);
	subject = ledger_subject(&l, LANG_JA, "kita");
	assert_string_equal(subject, "[Sekisho kita] 警報 1 件、新着 1 件 / alarms: 1, news: 1");
	free(subject);
	ledger_told(&l, 100);
	assert_int_equal(ledger_waiting(&l), 0);
	contains(&l, LANG_EN, "since", true);
	look(&l, "{" GOOD "}", LATER);
	assert_int_equal(ledger_waiting(&l), 0); /* gone for one look */
	look(&l, "{" GOOD "}", LATER);
	assert_int_equal(ledger_waiting(&l), 1);
	contains(&l, LANG_EN, "over: a process is down: dpi/1", true);
	contains(&l, LANG_EN, "Nothing is wrong now.", true);
	subject = ledger_subject(&l, LANG_EN, "kita");
	assert_string_equal(subject, "[Sekisho kita] all is well again, news: 1 / 異常なし、新着 1 件");
	free(subject);
	json_decref(l.all);
	close(fd);
}

static void over_a_new_start(void **state)
{
	struct err e = { 0 };
	bool is_new;
	int fd;
	struct ledger l = opened(&fd);

	(void)state;
	for (int i = 0; i < 2; i++)
		look(&l, "{" GOOD "," DOWN("1") "}", LATER);
	ledger_set_after(&l, 7);
	assert_int_equal(ledger_save(fd, &l, &e), 0);
	json_decref(l.all);
	assert_int_equal(ledger_open(fd, &l, &is_new), 0);
	assert_false(is_new);
	assert_int_equal(ledger_after(&l), 7);
	assert_int_equal(ledger_waiting(&l), 1);
	for (int i = 0; i < 3; i++)
		look(&l, "{" GOOD "," DOWN("1") "}", LATER); /* known: not told again */
	assert_int_equal(ledger_waiting(&l), 1);
	json_decref(l.all);
	close(fd);
}

static void no_more_than_there_is_room(void **state)
{
	int fd;
	struct ledger l = opened(&fd);
	char text[40];

	(void)state;
	for (unsigned i = 0; i < LEDGER_WAITING_MOST + 3; i++) {
		snprintf(text, sizeof(text), "number %u.", i);
		ledger_record(&l, 1, BEGAN, text, text);
	}
	assert_int_equal(ledger_waiting(&l), LEDGER_WAITING_MOST);
	assert_int_equal(ledger_dropped(&l), 3);
	contains(&l, LANG_EN, "number 2.", false);
	contains(&l, LANG_EN, "number 3.", true);
	contains(&l, LANG_EN, "and 3 earlier messages", true);
	ledger_told(&l, 100);
	assert_int_equal(ledger_dropped(&l), 0);
	assert_int_equal(ledger_number(&l), 2);
	json_decref(l.all);
	close(fd);
}

static size_t keys_of_status(const char *text, const char *const *keys, size_t n)
{
	json_t *s = json_loads(text, 0, NULL), *alarms;
	size_t found = 0, all;

	assert_non_null(s);
	alarms = alarms_find(s);
	all = json_array_size(alarms);
	for (size_t i = 0; i < all; i++)
		for (size_t k = 0; k < n; k++)
			found += strcmp(json_string_value(json_object_get(json_array_get(alarms, i), "key")),
					keys[k]) == 0;
	json_decref(alarms);
	json_decref(s);
	assert_int_equal(found, n);
	return all;
}

static size_t keys_of(const char *devices, const char *const *keys, size_t n)
{
	char text[800];

	snprintf(text, sizeof(text), "{" GOOD ",\"journal\":{\"devices\":%s}}", devices);
	return keys_of_status(text, keys, n);
}

/* Each unknown device is an alarm of its own, and a crowd of them is one more. A list that is still
 * learning causes none for seven days. */
static void devices_alarm(void **state)
{
	static const char *const each[] = { "device 4", "device 6", "devices more" };
	static const char *const beyond[] = { "devices beyond" }, *const anew[] = { "devices anew" },
				 *const overdue[] = { "devices learning" };

	(void)state;
	assert_int_equal(keys_of("{\"listed\":9,\"new\":3,\"beyond\":0,\"reviewed\":\"" BEGAN
				 "\",\"unknown\":[{\"number\":4,\"state\":\"unknown\",\"since\":\"" BEGAN "\","
				 "\"device\":\"02:00:00:00:00:04, lan2 "
				 "(ot)\"},{\"number\":6,\"state\":\"address_moved\",\"since\":\"" BEGAN
				 "\",\"device\":\"x\"}]}",
				 each, 3),
			 3);
	assert_int_equal(
		keys_of("{\"listed\":9,\"new\":0,\"beyond\":0,\"reviewed\":\"" BEGAN "\",\"unknown\":[]}", NULL, 0), 0);
	assert_int_equal(
		keys_of("{\"listed\":9,\"new\":0,\"beyond\":2,\"reviewed\":\"" BEGAN "\",\"unknown\":[]}", beyond, 1),
		1);
	assert_int_equal(keys_of("{\"listed\":9,\"new\":9,\"beyond\":2,\"reviewed\":null,\"unknown\":[]}", NULL, 0), 0);
	assert_int_equal(
		keys_of("{\"listed\":9,\"new\":9,\"reviewed\":null,\"overdue\":true,\"unknown\":[]}", overdue, 1), 1);
	assert_int_equal(keys_of("{\"listed\":9,\"new\":9,\"reviewed\":null,\"overdue\":false,\"anew\":\"first\","
				 "\"unknown\":[]}",
				 NULL, 0),
			 0);
	assert_int_equal(keys_of("{\"listed\":9,\"new\":0,\"reviewed\":null,\"overdue\":false,\"anew\":\"restored\","
				 "\"unknown\":[]}",
				 NULL, 0),
			 0);
	assert_int_equal(keys_of("{\"listed\":9,\"new\":9,\"reviewed\":null,\"overdue\":true,\"anew\":\"restored\","
				 "\"unknown\":[]}",
				 overdue, 1),
			 1);
	for (size_t i = 0; i < 3; i++) {
		static const char *const why[] = { "gone", "unreadable", "other_form" };
		char devices[128];

		snprintf(devices, sizeof(devices),
			 "{\"listed\":9,\"new\":9,\"reviewed\":null,\"overdue\":true,\"anew\":\"%s\",\"unknown\":[]}",
			 why[i]);
		assert_int_equal(keys_of(devices, anew, 1), 1);
	}
}

static void leaked_list_alarm(void **state)
{
	json_t *s = json_loads("{" GOOD ",\"accounts\":{\"leaked\":0,\"leaked_damaged\":true}}", 0, NULL),
	       *alarms = alarms_find(s);

	(void)state;
	assert_int_equal(json_array_size(alarms), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(alarms, 0), "key")), "leaked");
	json_decref(alarms);
	json_object_set_new(json_object_get(s, "accounts"), "leaked_damaged", json_false());
	alarms = alarms_find(s);
	assert_int_equal(json_array_size(alarms), 0);
	json_decref(alarms);
	json_decref(s);
}

/* Each server with weak TLS that nobody has reviewed is an alarm, identified by its address, so
 * that it stays the same while numbers and times change. */
static void weak_tls_alarms(void **state)
{
	static const char text[] =
		"{" GOOD ",\"journal\":{\"weak\":{\"servers\":12,\"new\":%s,\"beyond\":0,\"damaged\":%s,\"alarms\":["
		"{\"server\":\"10.73.0.2:443\",\"conduit\":\"hmi\",\"weak\":[\"old_version\",\"rc4\"],"
		"\"first\":\"" BEGAN "\",\"last\":\"" LATER "\",\"sessions\":%s},"
		"{\"server\":null,\"conduit\":\"internet\",\"weak\":[],"
		"\"first\":\"" BEGAN "\",\"last\":\"" LATER "\",\"sessions\":40}]}}}";
	static const struct {
		const char *more, *damaged, *sessions;
		size_t n;
	} of[] = { { "2", "false", "1", 2 }, { "3", "false", "2", 3 }, { "3", "true", "77", 4 } };
	static const char *const keys[] = { "weak 10.73.0.2:443", "weak conduit internet", "weak more",
					    "weak damaged" };

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		char status[2000];
		json_t *s, *alarms, *a;
		size_t k;

		snprintf(status, sizeof(status), text, of[i].more, of[i].damaged, of[i].sessions);
		s = json_loads(status, 0, NULL);
		alarms = alarms_find(s);
		assert_int_equal(json_array_size(alarms), of[i].n);
		json_array_foreach(alarms, k, a) {
			assert_string_equal(json_string_value(json_object_get(a, "key")), keys[k]);
			assert_false(json_is_true(json_object_get(a, "grave")));
		}
		a = json_array_get(alarms, 0);
		assert_string_equal(json_string_value(json_object_get(a, "since")), BEGAN);
		assert_string_equal(json_string_value(json_object_get(a, "en")),
				    "weak TLS: the server 10.73.0.2:443 chooses it (a version below TLS 1.2, RC4); "
				    "sekisho events --kind weak");
		assert_non_null(strstr(json_string_value(json_object_get(a, "ja")), "TLS 1.2 より古いバージョン、RC4"));
		json_decref(alarms);
		json_decref(s);
	}
}

/* Changing numbers do not make another alarm; another interface does. */
static void keys_stay(void **state)
{
	static const char *const texts[] = { "{" GOOD ",\"tracking\":{\"sessions\":230000,\"most\":262144}}",
					     "{" GOOD ",\"tracking\":{\"sessions\":240001,\"most\":262144}}" };
	json_t *keys[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_t *s = json_loads(texts[i], 0, NULL), *alarms = alarms_find(s);

		assert_int_equal(json_array_size(alarms), 1);
		keys[i] = json_incref(json_object_get(json_array_get(alarms, 0), "key"));
		json_decref(alarms);
		json_decref(s);
	}
	assert_string_equal(json_string_value(keys[0]), json_string_value(keys[1]));
	json_decref(keys[0]);
	json_decref(keys[1]);
}

/* A silent conduit is an alarm, identified by its name, and stays the same while it is silent. A
 * crowd of them is one more. */
static void silent_conduits_alarm(void **state)
{
#define POLLS "{\"conduit\":\"polls\",\"label\":\"北の監視\",\"within_s\":600,\"since\":\"" BEGAN "\",\"heard\":%s}"
#define KNOCKS "{\"conduit\":\"knocks\",\"label\":\"\",\"within_s\":90,\"since\":\"" BEGAN "\",\"heard\":false}"
	static const char *const both[] = { "conduit polls", "conduit knocks" },
				 *const crowd[] = { "conduit knocks", "conduits more" },
				 *const unread[] = { "conduits unread" };
	static const char *const words[][2] = {
		{ "conduit 北の監視 (polls) is silent: nothing was heard of it for 10 min or longer",
		  "コンジット 北の監視（polls） の通信が途絶えています（10 min 以上、通信なし）" },
		{ "conduit knocks was not heard yet, and has been watched for 90 s or longer",
		  "コンジット knocks の通信がまだ確認できません（監視開始から 90 s 以上、通信なし）" },
	};
	json_t *s, *alarms, *a;
	char text[800];

	(void)state;
	assert_int_equal(
		keys_of_status("{" GOOD ",\"expected\":{\"watched\":2,\"silent\":0,\"conduits\":[]}}", NULL, 0), 0);
	assert_int_equal(keys_of_status("{" GOOD ",\"expected\":{\"watched\":9,\"silent\":2,\"conduits\":[" KNOCKS
					"]}}",
					crowd, 2),
			 2);
	assert_int_equal(keys_of_status("{" GOOD ",\"expected\":{\"watched\":2,\"silent\":0,\"unread\":true,"
					"\"conduits\":[]}}",
					unread, 1),
			 1);
	snprintf(text, sizeof(text),
		 "{" GOOD ",\"expected\":{\"watched\":2,\"silent\":2,\"conduits\":[" POLLS "," KNOCKS "]}}", "true");
	assert_int_equal(keys_of_status(text, both, 2), 2);
	s = json_loads(text, 0, NULL);
	alarms = alarms_find(s);
	for (size_t i = 0; i < 2; i++) {
		a = json_array_get(alarms, i);
		assert_string_equal(json_string_value(json_object_get(a, "en")), words[i][0]);
		assert_string_equal(json_string_value(json_object_get(a, "ja")), words[i][1]);
		assert_string_equal(json_string_value(json_object_get(a, "since")), BEGAN);
	}
	json_decref(alarms);
	json_decref(s);
}

/* One alarm for all lanes, which stays the same while its numbers change. */
static void uninspected_packets_alarm(void **state)
{
	static const char *const key[] = { "uninspected" };
	json_t *s = json_loads("{" GOOD ",\"uninspected\":{\"now\":true,\"since\":\"" BEGAN
			       "\",\"dropped\":540,\"passed\":12,\"lanes\":[]}}",
			       0, NULL),
	       *alarms = alarms_find(s), *a = json_array_get(alarms, 0);

	(void)state;
	assert_int_equal(json_array_size(alarms), 1);
	assert_string_equal(json_string_value(json_object_get(a, "en")),
			    "packets are not inspected, because a queue is full or no worker answers: 540 dropped, 12 "
			    "passed; sekisho status");
	assert_string_equal(json_string_value(json_object_get(a, "ja")),
			    "キューの満杯または検査部の応答なしにより、検査できないパケットがあります: 破棄 540 "
			    "個、通過 12 個（sekisho status で確認）");
	assert_string_equal(json_string_value(json_object_get(a, "since")), BEGAN);
	assert_true(json_is_true(json_object_get(a, "grave")));
	json_decref(alarms);
	json_decref(s);
	assert_int_equal(keys_of_status("{" GOOD ",\"uninspected\":{\"now\":true,\"dropped\":5400}}", key, 1), 1);
	assert_int_equal(
		keys_of_status("{" GOOD ",\"uninspected\":{\"now\":false,\"since\":null,\"dropped\":0}}", NULL, 0), 0);
}

/* One alarm, which stays the same while its number changes. */
static void unheard_alarm(void **state)
{
	static const char *const key[] = { "unheard" };
	json_t *s = json_loads("{" GOOD ",\"unheard\":{\"now\":true,\"since\":\"" BEGAN "\",\"packets\":77}}", 0, NULL),
	       *alarms = alarms_find(s), *a = json_array_get(alarms, 0);

	(void)state;
	assert_int_equal(json_array_size(alarms), 1);
	assert_string_equal(
		json_string_value(json_object_get(a, "en")),
		"refusals by the rules are not recorded, because the kernel's reports do not reach the process tap: 77 "
		"without a record; sekisho status");
	assert_string_equal(json_string_value(json_object_get(a, "ja")),
			    "カーネルからの通知が tap に届かず、ルールによる拒否を記録できません: 記録のない拒否 77 "
			    "個（sekisho status で確認）");
	assert_string_equal(json_string_value(json_object_get(a, "since")), BEGAN);
	assert_true(json_is_true(json_object_get(a, "grave")));
	json_decref(alarms);
	json_decref(s);
	assert_int_equal(keys_of_status("{" GOOD ",\"unheard\":{\"now\":true,\"packets\":7700}}", key, 1), 1);
	assert_int_equal(keys_of_status("{" GOOD ",\"unheard\":{\"now\":false,\"since\":null,\"packets\":0}}", NULL, 0),
			 0);
}

/* One alarm for each conduit that ends soon; with another end it is another alarm. */
static void ends_alarm(void **state)
{
#define ENDS(until)                                                                                                    \
	"{" GOOD                                                                                                       \
	",\"ending\":{\"near\":%u,\"conduits\":[{\"conduit\":\"vendor\",\"label\":\"業者\",\"until\":\"" until         \
	"\",\"since\":\"" BEGAN "\"}]}}"
	static const char *const key[] = { "ends vendor 2027-01-01T00:00:00Z" }, *const other[] = {
		"ends vendor 2027-01-02T00:00:00Z", "ends more"
	};
	char text[400];
	json_t *s, *alarms, *a;

	(void)state;
	snprintf(text, sizeof(text), ENDS("2027-01-01T00:00:00Z"), 1u);
	assert_int_equal(keys_of_status(text, key, 1), 1);
	s = json_loads(text, 0, NULL);
	alarms = alarms_find(s);
	a = json_array_get(alarms, 0);
	assert_string_equal(json_string_value(json_object_get(a, "en")),
			    "conduit 業者 (vendor) ends at 2027-01-01 00:00:00 UTC; if it is needed longer, extend it "
			    "in the policy before then");
	assert_string_equal(json_string_value(json_object_get(a, "ja")),
			    "コンジット 業者（vendor） は 2027-01-01 00:00:00 UTC "
			    "に終了します（継続する場合は、それまでにポリシーで延長）");
	assert_false(json_is_true(json_object_get(a, "grave")));
	json_decref(alarms);
	json_decref(s);
	snprintf(text, sizeof(text), ENDS("2027-01-02T00:00:00Z"), 40u);
	assert_int_equal(keys_of_status(text, other, 2), 2);
	assert_int_equal(keys_of_status("{" GOOD ",\"ending\":null}", NULL, 0), 0);
}

/* Another certificate with other dates is another alarm; its text says what it is for and until
 * when it is valid. */
static void certificate_alarms(void **state)
{
#define CERTIFICATE(use, is, until)                                                                                    \
	"{\"use\":\"" use "\",\"file\":\"/etc/x.pem\",\"state\":\"" is "\",\"why\":null,\"since\":\"" BEGAN            \
	"\",\"about\":0,\"list\":[{\"from\":\"2026-11-20T00:00:00Z\",\"until\":\"" until "\"}]}"
#define CERTIFICATES "{" GOOD ",\"certificates\":["
	static const char all[] = CERTIFICATES CERTIFICATE("web", "good", "2027-01-02T00:00:00Z") "," CERTIFICATE(
		"log", "near",
		"2027-01-02T00:00:00Z") "," CERTIFICATE("mail", "close",
							"2027-01-03T00:00:00Z") "," CERTIFICATE("update", "ended",
												"2026-11-"
												"20T00:00:"
												"00Z") "]}";
	static const char *const keys[] = { "certificate log near 2027-01-02T00:00:00Z",
					    "certificate mail close 2027-01-03T00:00:00Z",
					    "certificate update ended 2026-11-20T00:00:00Z" },
				 *const early[] = { "certificate web not_yet 2026-11-20T00:00:00Z" },
				 *const gone[] = { "certificate log unreadable absent" };
	json_t *s = json_loads(all, 0, NULL), *alarms = alarms_find(s), *a = json_array_get(alarms, 0);

	(void)state;
	assert_int_equal(keys_of_status(all, keys, 3), 3);
	assert_non_null(strstr(json_string_value(json_object_get(a, "en")),
			       "the certificate for the log server ends at 2027-01-0"));
	assert_non_null(strstr(json_string_value(json_object_get(a, "ja")), "ログサーバー用の証明書は 2027-01-0"));
	assert_string_equal(json_string_value(json_object_get(a, "since")), BEGAN);
	assert_false(json_is_true(json_object_get(a, "grave")));
	for (size_t i = 1; i < 3; i++)
		assert_true(json_is_true(json_object_get(json_array_get(alarms, i), "grave")));
	json_decref(alarms);
	json_decref(s);
	assert_int_equal(
		keys_of_status(CERTIFICATES CERTIFICATE("web", "not_yet", "2027-01-02T00:00:00Z") "]}", early, 1), 1);
	assert_int_equal(keys_of_status(CERTIFICATES
					"{\"use\":\"log\",\"file\":\"/etc/x.pem\",\"state\":\"unreadable\",\"why\":"
					"\"absent\",\"since\":\"" BEGAN "\",\"about\":null,\"list\":[]}]}",
					gone, 1),
			 1);
	/* If nothing is known, there is no alarm. */
	assert_int_equal(
		keys_of_status(CERTIFICATES CERTIFICATE("web", "unjudged", "2020-01-02T00:00:00Z") "," CERTIFICATE(
				       "web", "unknown", "2020-01-02T00:00:00Z") "]}",
			       NULL, 0),
		0);
	assert_int_equal(keys_of_status("{" GOOD ",\"certificates\":null}", NULL, 0), 0);
}

/* One alarm, which stays the same while its numbers change. While records wait for room, this is
 * reported instead. */
static void disk_alarm(void **state)
{
#define DISK(near, percent, full_in, more)                                                                             \
	"{" GOOD ",\"journal\":{\"disk\":{\"nearly_full\":" near ",\"used_percent\":" percent                          \
	",\"free\":812000000,\"since\":\"" BEGAN "\",\"full_in_s\":" full_in "}" more "}}"
	static const char *const key[] = { "disk" }, *const room[] = { "room" };
	json_t *s = json_loads(DISK("true", "91", "null", ""), 0, NULL), *alarms = alarms_find(s),
	       *a = json_array_get(alarms, 0);

	(void)state;
	assert_int_equal(json_array_size(alarms), 1);
	assert_string_equal(json_string_value(json_object_get(a, "en")),
			    "the disk of the records is 91 % full; 812 MB are free");
	assert_string_equal(json_string_value(json_object_get(a, "ja")),
			    "記録用ディスクの空きが少なくなっています: 使用率 91 %、空き 812 MB");
	assert_string_equal(json_string_value(json_object_get(a, "since")), BEGAN);
	assert_false(json_is_true(json_object_get(a, "grave")));
	json_decref(alarms);
	json_decref(s);
	assert_int_equal(keys_of_status(DISK("true", "97", "7201", ""), key, 1), 1);
	assert_int_equal(keys_of_status(DISK("true", "100", "null", ",\"waiting\":3"), room, 1), 1);
	assert_int_equal(keys_of_status(DISK("false", "89", "7201", ""), NULL, 0), 0);
	assert_int_equal(keys_of_status("{" GOOD ",\"journal\":{\"disk\":null}}", NULL, 0), 0);
}

/* All alarms at once: each has its own words in both languages in the mail, the same that the API
 * has and the pages show, and no alarm exists in the mail only. */
static void the_same_words_everywhere(void **state)
{
	static const char bad[] = "{\"generation\":{\"state\":\"waiting\",\"applied\":\"" BEGAN "\"}," DOWN(
		"0") ",\"foreign\":[\"table ip nat\"],"
		     "\"uninspected\":{\"now\":true,\"dropped\":3},\"unheard\":{\"now\":true,\"packets\":3},"
		     "\"certificates\":[{\"use\":\"log\",\"state\":\"unreadable\",\"why\":\"link\"}],\"reviews\":{"
		     "\"overdue\":7},\"drift\":{\"seen\":2,"
		     "\"last\":\"" BEGAN "\"},\"journal\":{\"waiting\":12,\"left_out\":3,\"lost\":4,\"held\":true,"
		     "\"holds_damaged\":true,\"stuck\":true,\"trouble\":\"No space left on "
		     "device\"},\"log\":{\"waiting\":99},"
		     "\"clock\":{\"sources\":true,\"synchronised\":false},\"expected\":{\"watched\":2,\"silent\":2,"
		     "\"conduits\":[{\"conduit\":\"polls\",\"within_s\":60}]},\"ups\":{\"state\":\"low\"}}";
	json_t *status = json_loads(bad, 0, NULL), *alarms = alarms_find(status), *a;
	int fd;
	struct ledger l = opened(&fd);
	size_t i, k;

	(void)state;
	look(&l, bad, LATER);
	look(&l, bad, LATER);
	assert_true(json_array_size(alarms) >= 12);
	assert_int_equal(ledger_waiting(&l), json_array_size(alarms));
	json_array_foreach(alarms, i, a) {
		contains(&l, LANG_EN, json_string_value(json_object_get(a, "en")), true);
		contains(&l, LANG_JA, json_string_value(json_object_get(a, "ja")), true);
		for (k = 0; k < i; k++)
			assert_string_not_equal(json_string_value(json_object_get(a, "key")),
						json_string_value(json_object_get(json_array_get(alarms, k), "key")));
	}
	contains(&l, LANG_EN, "12 records wait for room on the disk (3 were left out)", true);
	contains(&l, LANG_JA, "ルールが外部から改変されました（2 回）", true);
	json_decref(alarms);
	json_decref(status);
	json_decref(l.all);
	close(fd);
}

/* Room for fewer sessions than one share is reported, however few there are. Nothing is reported if
 * the numbers could not be read, or if the box states no share. */
static void room_for_a_share(void **state)
{
	static const struct {
		const char *text;
		size_t alarms;
	} of[] = { { "{" GOOD ",\"tracking\":{\"sessions\":3,\"most\":7376,\"share\":32768}}", 1 },
		   { "{" GOOD ",\"tracking\":{\"sessions\":3,\"most\":32768,\"share\":32768}}", 0 },
		   { "{" GOOD ",\"tracking\":{\"sessions\":0,\"most\":0,\"share\":32768}}", 0 },
		   { "{" GOOD ",\"tracking\":{\"sessions\":3,\"most\":7376}}", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		json_t *s = json_loads(of[i].text, 0, NULL), *alarms = alarms_find(s);

		assert_int_equal(json_array_size(alarms), of[i].alarms);
		json_decref(alarms);
		json_decref(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(begins_and_ends),
					    cmocka_unit_test(over_a_new_start),
					    cmocka_unit_test(no_more_than_there_is_room),
					    cmocka_unit_test(keys_stay),
					    cmocka_unit_test(room_for_a_share),
					    cmocka_unit_test(the_same_words_everywhere),
					    cmocka_unit_test(devices_alarm),
					    cmocka_unit_test(weak_tls_alarms),
					    cmocka_unit_test(leaked_list_alarm),
					    cmocka_unit_test(silent_conduits_alarm),
					    cmocka_unit_test(uninspected_packets_alarm),
					    cmocka_unit_test(unheard_alarm),
					    cmocka_unit_test(certificate_alarms),
					    cmocka_unit_test(disk_alarm),
					    cmocka_unit_test(ends_alarm) };

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

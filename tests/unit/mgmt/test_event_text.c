/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as people read them: one line and one sentence, in both languages, with what is unknown
 * left out.
 * LINK: appliance/wire/attack.c mgmt/cli/words/event.c mgmt/words/event.c mgmt/state/journal.c
 * LINK: appliance/wire/tls.c
 * LINK: appliance/wire/settings.c appliance/wire/vocabulary*.c dpi/%/words.c
 * LINK: appliance/wire/protocols.c appliance/wire/notation.c appliance/wire/tag.c
 * LINK: mgmt/words/command.c mgmt/cli/words/render.c mgmt/state/read.c
 * LINK: appliance/wire/hours.c
 * LINK: mgmt/cli/screen/table.c
 * LINK: mgmt/cli/screen/wrap.c
 * LINK: appliance/wire/event_words.c appliance/wire/reason.c $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/words/render.h"

static char *said(const char *json, enum lang l, char *(*how)(const json_t *, enum lang))
{
	json_t *e = json_loads(json, 0, NULL);
	char *text;

	assert_non_null(e);
	text = how(e, l);
	assert_non_null(text);
	json_decref(e);
	return text;
}

static void sentence(const char *json, const char *en, const char *ja)
{
	char *text = said(json, LANG_EN, event_told);

	assert_string_equal(text, en);
	free(text);
	text = said(json, LANG_JA, event_told);
	assert_string_equal(text, ja);
	free(text);
}

#define TIME "\"time\":\"2026-11-20T08:10:11.000Z\","

static void traffic(void **state)
{
	(void)state;
	sentence("{" TIME
		 "\"kind\":\"flow\",\"verdict\":\"allow\",\"reason\":\"allowed\",\"client\":\"10.10.0.5:40000\","
		 "\"server\":\"10.20.0.10:443\",\"transport\":\"tcp\",\"protocol\":\"tls\",\"conduit\":\"web\","
		 "\"file\":\"site.cfg\",\"line\":17,\"generation\":{\"number\":4,\"digest\":\"00\"},\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, tls traffic from 10.10.0.5:40000 to 10.20.0.10:443 was let through; by "
		 "conduit "
		 "web (site.cfg:17, generation 4).",
		 "2026-11-20 08:10:11 UTC、10.10.0.5:40000 から 10.20.0.10:443 への tls "
		 "通信は許可されました。判定の根拠は"
		 "コンジット web（site.cfg:17、世代 4）です。");
	sentence("{" TIME "\"kind\":\"drop\",\"verdict\":\"deny\",\"reason\":\"no_conduit\",\"client\":\"10.10.0.5:0\","
		 "\"server\":\"10.20.0.10:0\",\"transport\":\"icmp\",\"icmp_type\":8,\"icmp_code\":0,\"count\":3}",
		 "At 2026-11-20 08:10:11 UTC, icmp/8 traffic from 10.10.0.5 to 10.20.0.10 was refused: no conduit "
		 "allows this; "
		 "no conduit of the policy covers it. This record stands for 3 packets or requests.",
		 "2026-11-20 08:10:11 UTC、10.10.0.5 から 10.20.0.10 への icmp/8 通信は拒否されました（理由: "
		 "許可するコンジットが"
		 "ない）。該当するコンジットはありません。この記録は 3 件分をまとめたものです。");
}

#define REFUSED                                                                                                        \
	"{" TIME "\"kind\":\"policy\",\"code\":\"refused\",\"value\":5,\"by\":\"tanaka\",\"generation\":{\"number\":"  \
	"4,\"digest\":\"00\"},\"count\":1"

/* The reason is stored in English and shown in the reader's language, if the whole sentence is
 * known. */
static void why_it_was_refused(void **state)
{
	(void)state;
	sentence(REFUSED
		 ",\"object\":\"the kernel refused the rules (policy line 12): No space left; nothing was changed\"}",
		 "At 2026-11-20 08:10:11 UTC, a policy (generation 5) that tanaka ordered was refused: the kernel "
		 "refused "
		 "the rules (policy "
		 "line 12): No space left; nothing was changed; generation 4 stays in force.",
		 "2026-11-20 08:10:11 UTC、tanaka が指示したポリシー（世代 5）の適用は拒否されました（理由: "
		 "カーネルがルールを拒否しました（ポリシーの 12 行目）: No space left。何も変更していません）。世代 4 "
		 "のまま変わりません。");
	sentence(REFUSED ",\"object\":\"interface lan1: mtu; rules and addresses are as before\"}",
		 "At 2026-11-20 08:10:11 UTC, a policy (generation 5) that tanaka ordered was refused: interface lan1: "
		 "mtu; rules and "
		 "addresses are as before; generation 4 stays in force.",
		 "2026-11-20 08:10:11 UTC、tanaka が指示したポリシー（世代 5）の適用は拒否されました（理由: "
		 "interface lan1: mtu。ルールとアドレスは元のままです）。世代 4 のまま変わりません。");
	/* A sentence that is cut, or of another release, is shown as it is. */
	sentence(REFUSED ",\"object\":\"interface lan1: mtu; rules and addr\"}",
		 "At 2026-11-20 08:10:11 UTC, a policy (generation 5) that tanaka ordered was refused: interface lan1: "
		 "mtu; rules and addr; "
		 "generation 4 stays in force.",
		 "2026-11-20 08:10:11 UTC、tanaka が指示したポリシー（世代 5）の適用は拒否されました（理由: "
		 "interface lan1: mtu; rules and addr）。世代 4 のまま変わりません。");
	sentence(REFUSED "}",
		 "At 2026-11-20 08:10:11 UTC, a policy (generation 5) that tanaka ordered was refused; generation 4 "
		 "stays in force.",
		 "2026-11-20 08:10:11 UTC、tanaka が指示したポリシー（世代 5）の適用は拒否されました。世代 4 "
		 "のまま変わりません。");
	sentence("{" TIME "\"kind\":\"policy\",\"code\":\"overdue\",\"value\":5,\"object\":\"route: no memory; nothing "
		 "was changed\",\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, the trial of generation 5 was over, but the box could not go back: "
		 "route: no memory; nothing "
		 "was changed; the box keeps trying.",
		 "2026-11-20 08:10:11 UTC、世代 5 の試行期間が終わりましたが、元のポリシーに戻せませんでした（理由: "
		 "route: no "
		 "memory。何も変更していません）。戻せるまで再試行します。");
}

/* The journal's own texts are stored in English and shown in the reader's language; unknown parts
 * stay. */
static void of_the_journal_itself(void **state)
{
	(void)state;
	sentence("{" TIME "\"kind\":\"lost\",\"code\":\"no_room\",\"role\":\"journal\",\"count\":43,"
		 "\"object\":\"policy 0, box 1, other 40, traffic 2\"}",
		 "Up to 2026-11-20 08:10:11 UTC, 43 records were left out, because the disk had no room: policy 0, box "
		 "1, "
		 "other 40, traffic 2.",
		 "2026-11-20 08:10:11 UTC まで、ディスクに空きがなかったため、記録 43 件を省きました（ポリシー 0 "
		 "件、装置 1 件、"
		 "その他 40 件、通信 2 件）。");
	sentence("{" TIME "\"kind\":\"lost\",\"code\":\"stuck\",\"role\":\"journal\",\"count\":1,"
		 "\"object\":\"delete events-00000000000000000001.log: Is a directory\"}",
		 "At 2026-11-20 08:10:11 UTC, the oldest records could not be deleted, although the policy's "
		 "retention time is over: "
		 "delete events-00000000000000000001.log: Is a directory.",
		 "2026-11-20 08:10:11 UTC、ポリシーの保存期間（retention）を過ぎた最も古い記録を削除できませんでした（"
		 "events-00000000000000000001.log を削除できません: ファイルではなくフォルダー）。");
	sentence("{" TIME "\"kind\":\"lost\",\"code\":\"stuck\",\"role\":\"journal\",\"count\":1,"
		 "\"object\":\"age of events-1.log.gz: Gone fishing\"}",
		 "At 2026-11-20 08:10:11 UTC, the oldest records could not be deleted, although the policy's "
		 "retention time is over: "
		 "age of events-1.log.gz: Gone fishing.",
		 "2026-11-20 08:10:11 UTC、ポリシーの保存期間（retention）を過ぎた最も古い記録を削除できませんでした（"
		 "events-1.log.gz の日時を確認できません: Gone fishing）。");
	for (unsigned i = 0; i < 3; i++) {
		static const char *const others[] = { "opened up", "policy 0, box 1, other 2", "open : x" };
		char json[200], *text;

		snprintf(json, sizeof(json),
			 "{" TIME "\"kind\":\"lost\",\"code\":\"stuck\",\"role\":\"journal\",\"object\":\"%s\"}",
			 others[i]);
		text = said(json, LANG_JA, event_line);
		assert_non_null(strstr(text, others[i]));
		free(text);
	}
}

/* Other protocols have other words for the destination of a command, and write addresses and codes
 * differently. */
static void words_of_another_protocol(void **state)
{
	(void)state;
	sentence(
		"{" TIME
		"\"kind\":\"pdu\",\"verdict\":\"deny\",\"reason\":\"slmp.device\",\"client\":\"10.20.0.10:40000\","
		"\"server\":\"10.30.1.13:5007\",\"transport\":\"tcp\",\"protocol\":\"slmp\",\"direction\":\"c2s\","
		"\"network\":0,"
		"\"station\":2,\"module\":1023,\"multidrop\":0,\"function\":67174401,\"function_name\":\"batch_read\","
		"\"space\":\"x\",\"address\":32,\"quantity\":2,\"place\":\"0x20-0x21\",\"limit\":{\"what\":\"address\","
		"\"at\":32,"
		"\"place\":\"0x20\",\"allowed\":[\"0x0-0x1f\"],\"more\":0},\"conduit\":\"w\",\"file\":\"site.cfg\","
		"\"line\":9,\"count\":1}",
		"At 2026-11-20 08:10:11 UTC, slmp batch_read station 2 x 0x20-0x21 from 10.20.0.10:40000 to "
		"10.30.1.13:5007 was refused: device not allowed, or not stated in the command; x 0x20 is not allowed; "
		"allowed: 0x0 to 0x1f; by conduit w (site.cfg:9).",
		"2026-11-20 08:10:11 UTC、10.20.0.10:40000 から 10.30.1.13:5007 への slmp batch_read 局番 2 x "
		"0x20-0x21 は拒否されました（理由: 許可されていないデバイス、またはデバイスを特定できないコマンド）。x "
		"0x20 は許可範囲外（許可範囲 0x0～0x1f）。判定の根拠はコンジット w（site.cfg:9）です。");
	sentence("{" TIME
		 "\"kind\":\"pdu\",\"verdict\":\"deny\",\"reason\":\"slmp.target\",\"client\":\"10.20.0.10:40000\","
		 "\"server\":\"10.30.1.13:5007\",\"transport\":\"tcp\",\"protocol\":\"slmp\",\"direction\":\"c2s\","
		 "\"network\":0,"
		 "\"station\":2,\"module\":1023,\"multidrop\":0,\"function\":67239936,\"limit\":{\"what\":\"station\","
		 "\"allowed\":[\"3-5\"],\"more\":0},\"conduit\":\"w\",\"file\":\"site.cfg\",\"line\":9,\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, slmp function 0x04020000 station 2 from 10.20.0.10:40000 to "
		 "10.30.1.13:5007 was refused: network, station, module or multidrop station not allowed; allowed "
		 "stations 3 to 5; by conduit w (site.cfg:9).",
		 "2026-11-20 08:10:11 UTC、10.20.0.10:40000 から 10.30.1.13:5007 への slmp ファンクション 0x04020000 "
		 "局番 2 は拒否されました（理由: "
		 "許可されていないネットワーク・局・ユニット・マルチドロップ局）。許可されている局番は "
		 "3～5。判定の根拠はコンジット w（site.cfg:9）です。");
}

/* A destination that no policy can write as a number is shown in words. */
static void routes_that_have_no_number(void **state)
{
#define ROUTED(route)                                                                                                  \
	"{" TIME "\"kind\":\"pdu\",\"verdict\":\"deny\",\"reason\":\"enip.route\",\"client\":\"10.20.0.10:40000\","    \
	"\"server\":\"10.30.1.13:44818\",\"transport\":\"tcp\",\"protocol\":\"enip\",\"direction\":\"c2s\","           \
	"\"route\":" route                                                                                             \
	",\"function\":14,\"function_name\":\"get_attribute_single\",\"conduit\":\"w\",\"file\":\"site.cfg\","         \
	"\"line\":9,\"count\":1}"
#define ROUTED_EN(route)                                                                                               \
	"At 2026-11-20 08:10:11 UTC, enip get_attribute_single " route " from 10.20.0.10:40000 to 10.30.1.13:44818 "   \
	"was refused: route not allowed; by conduit w (site.cfg:9)."
#define ROUTED_JA(route)                                                                                               \
	"2026-11-20 08:10:11 UTC、10.20.0.10:40000 から 10.30.1.13:44818 への enip get_attribute_single " route        \
	" は拒否されました（理由: 許可されていない経路）。判定の根拠はコンジット w（site.cfg:9）です。"
	(void)state;
	sentence(ROUTED("4294967295"), ROUTED_EN("route not known"), ROUTED_JA("経路 不明"));
	sentence(ROUTED("4294967294"), ROUTED_EN("route of several hops"), ROUTED_JA("経路 2 段以上"));
	sentence(ROUTED("259"), ROUTED_EN("route 1.3"), ROUTED_JA("経路 1.3"));
}

static void a_refused_value_is_named(void **state)
{
	static const char json[] =
		"{" TIME "\"seq\":7,\"kind\":\"pdu\",\"verdict\":\"deny\",\"reason\":\"modbus.value\","
		"\"client\":\"10.20.0.10:40000\",\"server\":\"10.30.1.13:502\",\"server_asset\":\"rtg04\","
		"\"server_label\":\"RTG 4号機\",\"transport\":\"tcp\",\"protocol\":\"modbus\",\"direction\":\"c2s\","
		"\"unit\":1,\"function\":6,\"function_name\":\"write_single_register\",\"space\":\"holding\","
		"\"address\":400,\"place\":\"400\","
		"\"quantity\":1,\"limit\":{\"what\":\"value\",\"at\":400,\"place\":\"400\",\"wrote\":9,\"allowed\":["
		"\"0-1\"],\"more\":0},"
		"\"conduit\":\"w\","
		"\"file\":\"site.cfg\",\"line\":9,\"count\":1}";
	char *line;

	(void)state;
	sentence(json,
		 "At 2026-11-20 08:10:11 UTC, modbus write_single_register unit 1 holding 400 from 10.20.0.10:40000 to "
		 "RTG 4号機 (10.30.1.13:502) was refused: value not allowed, or not known to the box; wrote 9 to "
		 "holding 400; "
		 "allowed 0 to 1; by conduit w (site.cfg:9).",
		 "2026-11-20 08:10:11 UTC、10.20.0.10:40000 から RTG 4号機 (10.30.1.13:502) への modbus "
		 "write_single_register "
		 "ユニット 1 holding 400 は拒否されました（理由: 書き込み値が許可範囲外、または特定不可）。holding 400 "
		 "への"
		 "書き込み値 9（許可範囲 0～1）。判定の根拠はコンジット w（site.cfg:9）です。");
	line = said(json, LANG_EN, event_line);
	assert_non_null(strstr(line, "RTG 4号機 (10.30.1.13:502)"));
	assert_non_null(strstr(line, "wrote 9 to holding 400; allowed 0 to 1"));
	free(line);
}

static void the_box_itself(void **state)
{
	char *line;

	(void)state;
	sentence("{" TIME "\"kind\":\"role\",\"role\":\"dpi\",\"index\":0,\"code\":\"died\",\"count\":1,\"unsure\":3}",
		 "At 2026-11-20 08:10:11 UTC, process dpi/0 died. It was just letting 3 operations through, or "
		 "recording "
		 "them. They are counted, but some of them might not have passed.",
		 "2026-11-20 08:10:11 UTC、dpi/0 プロセスが異常終了しました。3 "
		 "件の操作を通過させている途中、または記録している"
		 "途中でした。集計に含めていますが、通過していないものがあるかもしれません。");
	sentence("{" TIME "\"kind\":\"role\",\"role\":\"gate\",\"index\":0,\"code\":\"died\",\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, process gate/0 died.",
		 "2026-11-20 08:10:11 UTC、gate/0 プロセスが異常終了しました。");
	sentence("{" TIME "\"kind\":\"drift\",\"role\":\"enforce\",\"code\":\"flushed\",\"value\":10322,\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, all rules were removed from outside; process enforce stopped forwarding "
		 "and "
		 "reloaded the rules; time affected: about 10.3 ms.",
		 "2026-11-20 08:10:11 UTC、外部から全ルールが消去されました。enforce プロセス"
		 "が転送を止め、ルールを読み込み直しました"
		 "（影響時間 約 10.3 ミリ秒）。");
	sentence("{" TIME
		 "\"kind\":\"drift\",\"role\":\"enforce\",\"code\":\"changed\",\"value\":0,\"object\":\"rule 3 of "
		 "chain forward, table inet "
		 "sekisho\",\"before\":\"drop\",\"after\":\"accept\",\"by\":\"nft\",\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, rules were changed from outside by nft: rule 3 of chain forward, table "
		 "inet "
		 "sekisho; before: drop; after: accept; process enforce restored them.",
		 "2026-11-20 08:10:11 UTC、nft により、外部からルールが変更されました（対象: rule 3 of chain forward, "
		 "table "
		 "inet "
		 "sekisho）。変更前: drop。変更後: accept。enforce プロセスが修復しました。");
	/* Records keep their words in English; names, and rules in nft's form, are not
	 * translated. */
	sentence(
		"{" TIME
		"\"kind\":\"drift\",\"role\":\"enforce\",\"code\":\"changed\",\"object\":\"table inet sekisho: rule "
		"added: forward, element deleted: live and 3 more, set added\",\"count\":1}",
		"At 2026-11-20 08:10:11 UTC, rules were changed from outside: table inet sekisho: rule added: forward, "
		"element deleted: live and 3 more, set added; process enforce restored them.",
		"2026-11-20 08:10:11 UTC、外部からルールが変更されました（対象: table inet sekisho: ルールの追加: "
		"forward、要素の削除: live、ほか 3 件、セットの追加）。enforce プロセスが修復しました。");
	sentence("{" TIME
		 "\"kind\":\"drift\",\"role\":\"enforce\",\"code\":\"changed\",\"object\":\"table inet sekisho, chain "
		 "forward: missing (found at a start)\",\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, rules were changed from outside: table inet sekisho, chain forward: "
		 "missing "
		 "(found at a start); process enforce restored them.",
		 "2026-11-20 08:10:11 UTC、外部からルールが変更されました（対象: table inet sekisho, chain forward: "
		 "欠落（起動時に検出））。enforce プロセスが修復しました。");
	sentence("{" TIME "\"kind\":\"policy\",\"code\":\"confirmed\",\"value\":5,\"by\":\"tanaka\",\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, generation 5 was confirmed by tanaka.",
		 "2026-11-20 08:10:11 UTC、tanaka が世代 5 を確定しました。");
	/* The refused policy is not the one in force. */
	sentence("{" TIME "\"kind\":\"policy\",\"code\":\"refused\",\"generation\":{\"number\":4,\"digest\":\"00\"},"
		 "\"value\":5,\"by\":\"tanaka\"}",
		 "At 2026-11-20 08:10:11 UTC, a policy (generation 5) that tanaka ordered was refused; generation 4 "
		 "stays in force.",
		 "2026-11-20 08:10:11 UTC、tanaka が指示したポリシー（世代 5）の適用は拒否されました。世代 4 "
		 "のまま変わりません。");
	/* A text that was no policy has no generation number. */
	sentence("{" TIME "\"kind\":\"policy\",\"code\":\"refused\",\"generation\":{\"number\":4,\"digest\":\"00\"},"
		 "\"by\":\"tanaka\"}",
		 "At 2026-11-20 08:10:11 UTC, a policy that tanaka ordered was refused; generation 4 stays in force.",
		 "2026-11-20 08:10:11 UTC、tanaka が指示したポリシーの適用は拒否されました。世代 4 "
		 "のまま変わりません。");
	/* A person who changed the rules is not named as the one who restored them. */
	line = said("{" TIME "\"seq\":9,\"kind\":\"drift\",\"role\":\"enforce\",\"code\":\"flushed\",\"by\":\"nft\"}",
		    LANG_EN, event_line);
	assert_non_null(strstr(line, "rules reloaded; changed by nft"));
	free(line);
	sentence("{" TIME "\"kind\":\"policy\",\"code\":\"empty\",\"value\":0,\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, the box started without a policy: everything between zones is refused.",
		 "2026-11-20 08:10:11 UTC、ポリシー未適用で起動しました。ゾーン間通信はすべて拒否されます。");
	sentence("{" TIME "\"kind\":\"lost\",\"role\":\"dpi\",\"count\":12}",
		 "At 2026-11-20 08:10:11 UTC, 12 records of process dpi were lost, because the process could not hand "
		 "them over.",
		 "2026-11-20 08:10:11 UTC、dpi プロセスの記録 12 件が失われました（引き渡せなかったため）。");
}

/* Of a flood only a sum is kept, with the values that all records had in common. */
static void sums(void **state)
{
	char *line;
	static const char json[] =
		"{" TIME "\"kind\":\"drop\",\"verdict\":\"deny\",\"reason\":\"no_conduit\",\"interface\":"
		"\"wan0\",\"count\":5000,\"records\":1200}";

	(void)state;
	sentence(json,
		 "Up to 2026-11-20 08:10:11 UTC, 5000 packets or requests on wan0: REFUSED, no conduit allows this; "
		 "this "
		 "is the sum of 1200 records, and shows only what these records have in common.",
		 "2026-11-20 08:10:11 UTC まで、wan0 に届いたパケットまたは要求 5000 件: "
		 "拒否（許可するコンジットがない）。"
		 "記録 1200 件をまとめたもので、共通する内容だけを示しています。");
	line = said(json, LANG_EN, event_line);
	assert_non_null(strstr(line, "x5000 (sum of 1200 records)"));
	free(line);
}

/* A record of a later release: as much as possible is told. */
static void the_unknown(void **state)
{
	(void)state;
	sentence("{" TIME "\"kind\":\"frob\",\"code\":\"frobbed\"}", "At 2026-11-20 08:10:11 UTC, frob: frobbed.",
		 "2026-11-20 08:10:11 UTC、frob（frobbed）。");
}

/* If a rule was deleted, or is new, one side is missing: no arrow leads from it or to it. */
static void what_came_or_went(void **state)
{
#define DRIFT(rest)                                                                                                    \
	"{" TIME "\"seq\":7,\"kind\":\"drift\",\"code\":\"changed\",\"object\":\"table inet sekisho\"," rest           \
	",\"count\":1}"
	static const struct {
		const char *json, *en, *ja;
	} cases[] = {
		{ DRIFT("\"before\":\"drop\",\"after\":\"accept\""), "  drop -> accept", "  drop -> accept" },
		{ DRIFT("\"before\":\"drop\""), "table inet sekisho  before: drop",
		  "table inet sekisho  変更前: drop" },
		{ DRIFT("\"after\":\"accept\""), "table inet sekisho  after: accept",
		  "table inet sekisho  変更後: accept" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int l = 0; l < LANGUAGES; l++) {
			char *line = said(cases[i].json, (enum lang)l, event_line);

			assert_non_null(strstr(line, l == LANG_JA ? cases[i].ja : cases[i].en));
			assert_int_equal(strstr(line, "->") != NULL, i == 0);
			free(line);
		}
#undef DRIFT
}

/* A time stated by the sender that the journal did not accept is shown together with the time that
 * it used. */
static void another_time(void **state)
{
	static const char *json =
		"{" TIME "\"said_time\":\"2031-01-01T00:00:00.000Z\",\"kind\":\"lost\",\"role\":\"dpi\",\"count\":12}";
	char *line = said(json, LANG_EN, event_line);

	(void)state;
	assert_non_null(strstr(line, "2026-11-20 08:10:11"));
	assert_non_null(strstr(line, " (when it was received; its sender said 2031-01-01 00:00:00 UTC)"));
	free(line);
	line = said(json, LANG_JA, event_line);
	assert_non_null(strstr(line, "（受信時刻。送信側が示した時刻: 2031-01-01 00:00:00 UTC）"));
	free(line);
	sentence(json,
		 "At 2026-11-20 08:10:11 UTC, 12 records of process dpi were lost, because the process could not hand "
		 "them over. The "
		 "time is when it was "
		 "received: its sender said 2031-01-01 00:00:00 UTC.",
		 "2026-11-20 08:10:11 UTC、dpi プロセスの記録 12 "
		 "件が失われました（引き渡せなかったため）。時刻は受信した時点のものです"
		 "（送信側が示した時刻: 2031-01-01 00:00:00 UTC）。");
}

#define OF_HMI "\"protocol\":\"tls\",\"conduit\":\"hmi\",\"file\":\"site.cfg\",\"line\":7,\"seconds\":60,"
#define ENDS "\"client\":\"10.10.0.5\",\"server\":\"10.20.0.10:443\",\"transport\":\"tcp\","

/* The server for which a client asked, in one session and in many. */
static void servers_that_nobody_declared(void **state)
{
	(void)state;
	sentence("{" TIME "\"kind\":\"undeclared\",\"verdict\":\"allow\",\"reason\":\"tls.undeclared\"," ENDS OF_HMI
		 "\"server_name\":\"cloud.example\",\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, a session from 10.10.0.5 to 10.20.0.10:443 asked for the TLS server "
		 "cloud.example, which nobody declared; by conduit hmi (site.cfg:7).",
		 "2026-11-20 08:10:11 UTC、10.10.0.5 から 10.20.0.10:443 へのセッションが、申告されていない TLS "
		 "サーバー "
		 "cloud.example を要求しました。判定の根拠はコンジット hmi（site.cfg:7）です。");
	sentence("{" TIME "\"kind\":\"undeclared\",\"verdict\":\"allow\",\"reason\":\"tls.undeclared\"," ENDS OF_HMI
		 "\"server_name\":null,\"count\":1}",
		 "At 2026-11-20 08:10:11 UTC, a session from 10.10.0.5 to 10.20.0.10:443 named no TLS server, though "
		 "its "
		 "servers are declared by name; by conduit hmi (site.cfg:7).",
		 "2026-11-20 08:10:11 UTC、10.10.0.5 から 10.20.0.10:443 へのセッションが、TLS "
		 "サーバーの名前を示しませんでした（このコンジットはサーバーを名前で申告しています）。判定の根拠はコン"
		 "ジット "
		 "hmi（site.cfg:7）です。");
	sentence("{" TIME "\"kind\":\"undeclared\",\"verdict\":\"allow\",\"reason\":\"tls.undeclared\"," OF_HMI
		 "\"server_name\":\"cloud.example\",\"count\":9}",
		 "Up to 2026-11-20 08:10:11 UTC, 9 sessions by conduit hmi asked for the TLS server cloud.example, "
		 "which "
		 "nobody declared; their addresses are not listed.",
		 "2026-11-20 08:10:11 UTC まで、コンジット hmi のセッション 9 件が、申告されていない TLS サーバー "
		 "cloud.example を要求しました（両端を区別せずにまとめています）。");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traffic),
		cmocka_unit_test(what_came_or_went),
		cmocka_unit_test(of_the_journal_itself),
		cmocka_unit_test(why_it_was_refused),
		cmocka_unit_test(words_of_another_protocol),
		cmocka_unit_test(routes_that_have_no_number),
		cmocka_unit_test(a_refused_value_is_named),
		cmocka_unit_test(the_box_itself),
		cmocka_unit_test(sums),
		cmocka_unit_test(another_time),
		cmocka_unit_test(servers_that_nobody_declared),
		cmocka_unit_test(the_unknown),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

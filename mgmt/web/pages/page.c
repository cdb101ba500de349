/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/pages/page.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/sha256.h"

#define STYLE                                                                                                          \
	"body{margin:0 auto;max-width:46em;padding:2em 1.2em;font-family:\"Noto Sans JP\",\"Noto Sans CJK JP\","       \
	"\"Hiragino Sans\",\"Yu Gothic "                                                                               \
	"UI\",Meiryo,sans-serif;line-height:1.7;line-break:strict;color:#1d2330;background:#fbfaf7}"                   \
	"h1{font-size:1.6em;border-bottom:3px solid #8a2b1d;padding-bottom:.3em}"                                      \
	"h1 a{float:right;font-size:.55em;font-weight:normal;line-height:3;color:inherit}"                             \
	"h2{font-size:1.1em;margin-top:2.2em}code,pre{font-family:monospace,monospace;font-size:.92em;"                \
	"background:#efece4;padding:.1em .3em}td code{white-space:nowrap}pre{padding:.8em;overflow-x:auto}"            \
	"table{border-collapse:collapse;width:100%;border-bottom:1px solid #d9d4c7}"                                   \
	"td{border-top:1px solid #d9d4c7;padding:.4em .6em .4em 0;vertical-align:top}td:first-child{width:1%}"         \
	"@media(prefers-color-scheme:dark){body{color:#e6e3da;background:#191b20}code,pre{background:#272a31}"         \
	"table,td{border-color:#3a3e48}}@media(max-width:36em){td{display:block}td+td{border-top:0;padding-top:0}"     \
	"td code{white-space:normal;overflow-wrap:anywhere}td:first-child{width:auto}}"

/* clang-format off */
#define CURL(address)                                                                                                  \
	"<pre>curl --cacert certificate.pem \\\n"                                                                      \
	"     -H \"Authorization: Bearer $(cat token)\" \\\n"                                                          \
	"     https://" address "/api/v1/status</pre>\n"

static const char help_html[] =
	"<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Sekisho 関所</title>\n<style>" STYLE "</style>\n</head>\n<body>\n"
	"<h1>Sekisho 関所 API <a href=\"#en\" lang=\"en\">English</a></h1>\n"
	"<p>この装置は、拠点内のゾーンの境界で通信を検査し、ポリシーに書かれた通信だけを通します。ページと API は管理用"
	"ネットワークからのみ利用できます。ポリシーの変更（下書き、承認、適用）と記録の点検は、役割を持つアカウントで行います。それ以外の設定は、装置上の <code>sekisho</code> コマンドで行います。</p>\n"
	"<h2>API</h2>\n<table>\n"
	"<tr><td><code>/api/v1/status</code></td><td>防御の状態、プロセス、拒否した通信の件数</td></tr>\n"
	"<tr><td><code>/api/v1/state</code></td><td>防御の状態と、その意味の説明（日本語、英語）</td></tr>\n"
	"<tr><td><code>/api/v1/effective</code></td><td>カーネルと検査部から読み戻した有効ルール</td></tr>\n"
	"<tr><td><code>/api/v1/rules</code></td><td>同じルールの、コマンドに日本語と英語の説明を付けたもの</td></tr>\n"
	"<tr><td><code>/api/v1/live</code></td><td>状態、記録、通信量の変化を伝え続けるストリーム（Server-Sent Events）</td></tr>\n"
	"<tr><td><code>/api/v1/display</code></td><td>表示専用の画面のための、人の名前を除いた状態</td></tr>\n"
	"<tr><td><code>/api/v1/events</code></td><td>記録された事象（古い順）</td></tr>\n"
	"<tr><td><code>/api/v1/why</code></td><td>同じ事象に、日本語と英語の説明文を付けたもの</td></tr>\n"
	"<tr><td><code>/api/v1/nearest</code></td><td>拒否された通信に最も近いコンジットと、そのコンジットに足りないもの</td></tr>\n"
	"<tr><td><code>/api/v1/ask</code></td><td>誰が誰に何をできるか（<code>sekisho ask</code> と同じ回答）</td></tr>\n"
	"<tr><td><code>/api/v1/picture</code></td><td>有効なルールの図（SVG、<code>?lang=ja</code> または <code>en</code>）</td></tr>\n"
	"<tr><td><code>/metrics</code></td><td>Prometheus 形式の計測値</td></tr>\n"
	"<tr><td><code>/api/v1/night</code></td><td>当直の引き継ぎ用の記録</td></tr>\n"
	"<tr><td><code>/api/v1/reviews</code>、<code>/api/v1/tally</code>、<code>/api/v1/holds</code></td><td>記録の点検の署名、種類別の件数、削除の保留</td></tr>\n"
	"<tr><td><code>/api/v1/draft</code>、<code>/api/v1/history</code>、<code>/api/v1/policy</code></td><td>ポリシーの下書き、これまでの世代、そのテキスト</td></tr>\n"
	"<tr><td><code>/api/v1/verify</code></td><td>カーネルのルールとポリシーの照合</td></tr>\n"
	"<tr><td><code>/api/v1/accounts</code>、<code>/api/v1/tokens</code>、<code>/api/v1/devices</code>、<code>/api/v1/attacks</code></td><td>アカウント、API トークン、検出した機器、攻撃の兆候の警報の台帳</td></tr>\n"
	"<tr><td><code>/api/v1/report</code></td><td>ガイドラインの条項ごとのレポートと自己点検（of=controls、of=self-check）</td></tr>\n"
	"<tr><td><code>/api/v1/trends</code></td><td>セッション、拒否、警報、検査の遅延の推移（by=hour、by=day）</td></tr>\n"
	"<tr><td><code>/api/v1/change</code>、<code>/api/v1/records</code>（POST）</td><td>ポリシーの変更、記録の点検と保留</td></tr>\n"
	"<tr><td><code>/api/v1/openapi.json</code></td><td>API の定義（OpenAPI 3.1。パス、パラメーター、応答の形式、必要な権限）</td></tr>\n"
	"<tr><td><code>/api/v1/login</code>、<code>/api/v1/logout</code>、<code>/api/v1/me</code></td><td>アカウントでのログイン、ログアウト、ログイン中の本人の情報"
	"</td></tr>\n"
	"<tr><td><code>/api/v1/challenge</code>、<code>/api/v1/key</code></td><td>セキュリティキーが署名する値、自分のキーの登録と削除</td></tr>\n"
	"<tr><td><code>/api/v1/account</code>、<code>/api/v1/passphrase</code>（POST）</td><td>ほかの人のアカウントの管理、自分のパスフレーズの変更</td></tr>\n"
	"</table>\n<p><code>events</code> のパラメーター（すべて省略可。複数を指定すると、すべてに合う事象だけを返します）:</p>\n<table>\n"
	"<tr><td><code>after=番号</code></td><td>この番号より後の事象</td></tr>\n"
	"<tr><td><code>limit=件数</code></td><td>最大件数（1～1000、省略時は 100）</td></tr>\n"
	"<tr><td><code>since=時刻</code></td><td>この時刻以降（UTC。例: <code>2026-11-20T08:10:11</code>）</td></tr>\n"
	"<tr><td><code>conduit=名前</code></td><td>このコンジットによるもの</td></tr>\n"
	"<tr><td><code>zone=名前</code></td><td>一端がこのゾーンにあるもの</td></tr>\n"
	"<tr><td><code>asset=名前</code></td><td>この資産に関係するもの</td></tr>\n"
	"<tr><td><code>host=アドレス</code></td><td>このアドレスまたはネットワークに関係するもの</td></tr>\n"
	"<tr><td><code>verdict=判定</code></td><td><code>allow</code>（許可）、<code>deny</code>（拒否）、"
	"<code>observe</code>（記録のみ）</td></tr>\n"
	"<tr><td><code>severity=重大度</code></td><td><code>warning</code>（警告以上）、<code>serious</code>（重大のみ）</td></tr>\n"
	"<tr><td><code>protocol=プロトコル</code></td><td>名前、または <code>in_clear</code>（平文とリモートデスクトップのすべて）</td></tr>\n"
	"<tr><td><code>until=時刻</code></td><td>この UTC 時刻より前のもの</td></tr>\n"
	"<tr><td><code>reason=理由</code></td><td>この理由のもの（<code>no_conduit</code> など）</td></tr>\n"
	"<tr><td><code>command=コマンド</code></td><td>コマンド名、コード、または <code>read</code>、<code>write</code> などの分類。カンマ区切りで 16 個まで</td></tr>\n"
	"<tr><td><code>value=値</code></td><td>この値（<code>9</code>）、または範囲内の値（<code>0-9</code>）の書き込みに関するもの</td></tr>\n"
	"<tr><td><code>kind=種類</code></td><td>この種類のもの（<code>access</code> = 記録の閲覧、<code>policy</code> など）</td></tr>\n"
	"</table>\n"
	"<p>プログラムからの利用にはトークンが必要です（人にはアカウント。役割と期限のあるトークンは <code>sekisho user token-add</code> で作れます）。装置のトークン（<code>token</code>）と証明書（<code>certificate.pem</code>）は、装置の状態"
	"フォルダーの <code>secrets</code> にあり（通常は <code>/var/lib/sekisho/secrets</code>）、root だけが読めます。</p>\n"
	CURL("装置のアドレス")
	"<div lang=\"en\" id=\"en\">\n<h2>In English</h2>\n"
	"<p>This box inspects what crosses the borders between the zones of a site, and lets through only what its policy names. "
	"The pages and the API can be reached from the management network alone. Policies are changed (draft, approval, apply) and records reviewed "
	"by accounts whose roles allow it; all else is set with the command <code>sekisho</code> on the box.</p>\n<table>\n"
	"<tr><td><code>/api/v1/status</code></td><td>is it enforcing, processes, what was refused</td></tr>\n"
	"<tr><td><code>/api/v1/state</code></td><td>the same with what it means, in Japanese and English</td></tr>\n"
	"<tr><td><code>/api/v1/effective</code></td><td>the rules in force, read back from kernel and inspectors</td></tr>\n"
	"<tr><td><code>/api/v1/rules</code></td><td>the same, its commands in words, in Japanese and English</td></tr>\n"
	"<tr><td><code>/api/v1/live</code></td><td>what changes: state, records and counters as they come (server-sent events)</td></tr>\n"
	"<tr><td><code>/api/v1/display</code></td><td>the state for a screen on the wall, without names of persons</td></tr>\n"
	"<tr><td><code>/api/v1/events</code></td><td>what was recorded, oldest first</td></tr>\n"
	"<tr><td><code>/api/v1/why</code></td><td>the same, each event with a sentence in Japanese and English</td></tr>\n"
	"<tr><td><code>/api/v1/nearest</code></td><td>the conduit that comes nearest to traffic that was denied, and what it lacks</td></tr>\n"
	"<tr><td><code>/api/v1/ask</code></td><td>whether somebody may do something to somebody, as <code>sekisho ask</code> answers</td></tr>\n"
	"<tr><td><code>/api/v1/picture</code></td><td>the effective rules drawn (SVG; <code>?lang=ja</code> or <code>en</code>)</td></tr>\n"
	"<tr><td><code>/metrics</code></td><td>measurements, as Prometheus reads them</td></tr>\n"
	"<tr><td><code>/api/v1/night</code></td><td>records for the hand-over of a shift</td></tr>\n"
	"<tr><td><code>/api/v1/reviews</code>, <code>/api/v1/tally</code>, <code>/api/v1/holds</code></td><td>reviews of the records, how many there are by kind, what is kept from deletion</td></tr>\n"
	"<tr><td><code>/api/v1/draft</code>, <code>/api/v1/history</code>, <code>/api/v1/policy</code></td><td>the draft of a policy, the generations so far, their texts</td></tr>\n"
	"<tr><td><code>/api/v1/verify</code></td><td>the kernel's rules held against the policy</td></tr>\n"
	"<tr><td><code>/api/v1/accounts</code>, <code>/api/v1/tokens</code>, <code>/api/v1/devices</code>, <code>/api/v1/attacks</code></td><td>the registers of accounts, tokens, devices and alarms of attacks</td></tr>\n"
	"<tr><td><code>/api/v1/report</code></td><td>the report by clause and the self-check (of=controls, of=self-check)</td></tr>\n"
	"<tr><td><code>/api/v1/trends</code></td><td>sessions, refusals, alarms and inspection over time (by=hour, by=day)</td></tr>\n"
	"<tr><td><code>/api/v1/change</code>, <code>/api/v1/records</code> (POST)</td><td>changes of the policy, reviews and holds of records</td></tr>\n"
	"<tr><td><code>/api/v1/openapi.json</code></td><td>the API described (OpenAPI 3.1): paths, parameters, answers, the right that each takes</td></tr>\n"
	"<tr><td><code>/api/v1/login</code>, <code>/api/v1/logout</code>, <code>/api/v1/me</code></td><td>logging in with an account, logging out, who is logged in"
	"</td></tr>\n"
	"<tr><td><code>/api/v1/challenge</code>, <code>/api/v1/key</code></td><td>what a security key is to sign, adding and removing one's own keys</td></tr>\n"
	"<tr><td><code>/api/v1/account</code>, <code>/api/v1/passphrase</code> (POST)</td><td>managing other people's accounts, another passphrase of one's own</td></tr>\n"
	"</table>\n<p>Parameters of <code>events</code>, all of them optional; with several, only events that match all of them are "
	"returned:</p>\n<table>\n"
	"<tr><td><code>after=NUMBER</code></td><td>events with a higher number</td></tr>\n"
	"<tr><td><code>limit=COUNT</code></td><td>at most so many (1 to 1000, default 100)</td></tr>\n"
	"<tr><td><code>since=TIME</code></td><td>from then on (UTC, <code>2026-11-20T08:10:11</code>)</td></tr>\n"
	"<tr><td><code>conduit=NAME</code></td><td>by this conduit</td></tr>\n"
	"<tr><td><code>zone=NAME</code></td><td>with one end in this zone</td></tr>\n"
	"<tr><td><code>asset=NAME</code></td><td>involving this asset</td></tr>\n"
	"<tr><td><code>host=ADDRESS</code></td><td>involving this address or network</td></tr>\n"
	"<tr><td><code>verdict=WORD</code></td><td><code>allow</code>, <code>deny</code> or <code>observe</code></td></tr>\n"
	"<tr><td><code>severity=WORD</code></td><td>at least <code>warning</code>, or <code>serious</code></td></tr>\n"
	"<tr><td><code>protocol=NAME</code></td><td>a protocol, or <code>in_clear</code>: any that is clear text or a remote desktop</td></tr>\n"
	"<tr><td><code>until=TIME</code></td><td>before this time, UTC</td></tr>\n"
	"<tr><td><code>reason=WORD</code></td><td>with this reason, such as <code>no_conduit</code></td></tr>\n"
	"<tr><td><code>command=WORD,WORD</code></td><td>of any of these commands: up to 16 names, codes, or classes such as <code>write</code></td></tr>\n"
	"<tr><td><code>value=NUMBER</code></td><td>about writes of this value (<code>9</code>), or of one in a range (<code>0-9</code>)</td></tr>\n"
	"<tr><td><code>kind=WORD</code></td><td>of this kind: <code>access</code> (who read records), <code>policy</code> and others</td></tr>\n"
	"</table>\n"
	"<p>A request of a program carries a token (people have accounts; <code>sekisho user token-add</code> makes tokens with a role and an end). The box's token (<code>token</code>) and the certificate (<code>certificate.pem</code>) are in "
	"<code>secrets</code> of the box's state folder (usually <code>/var/lib/sekisho/secrets</code>); only root can read "
	"them.</p>\n"
	CURL("ADDRESS-OF-THE-BOX")
	"</div>\n</body>\n</html>\n";
/* clang-format on */

static const size_t help_size = sizeof(help_html) - 1;

/* Allows only our own script and style, and requests to this box, so that text that was smuggled
 * into the page cannot run as a script. */
#define UI_POLICY                                                                                                      \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri " \
	"'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
#define NOTHING "default-src 'none'; frame-ancestors 'none'"

static const struct page pages[] = {
	{ "/", "text/html; charset=utf-8", ui_page, &ui_page_size, UI_POLICY },
	{ "/ui/script", "text/javascript; charset=utf-8", ui_script, &ui_script_size, NOTHING },
	{ "/ui/style", "text/css; charset=utf-8", ui_style, &ui_style_size, NOTHING },
	{ "/ui/icon", "image/svg+xml", ui_icon, &ui_icon_size, NOTHING },
	{ "/api/v1/openapi.json", "application/json", ui_openapi, &ui_openapi_size, NOTHING },
	{ "/api/help", "text/html; charset=utf-8", help_html, &help_size, NULL },
};
_Static_assert(sizeof(UI_POLICY) <= PAGE_POLICY, "it has to fit");

size_t page_count(void)
{
	return sizeof(pages) / sizeof(pages[0]);
}

const struct page *page_at(size_t i)
{
	return &pages[i];
}

const struct page *page_find(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

int page_policy(const struct page *p, char out[PAGE_POLICY])
{
	uint8_t digest[32];
	gnutls_datum_t raw = { .data = digest, .size = sizeof(digest) }, text = { 0 };
	int r;

	if (p->policy != NULL) {
		snprintf(out, PAGE_POLICY, "%s", p->policy);
		return 0;
	}
	sha256(STYLE, sizeof(STYLE) - 1, digest);
	r = gnutls_base64_encode2(&raw, &text);
	if (r < 0)
		return r;
	snprintf(out, PAGE_POLICY,
		 "default-src 'none'; style-src 'sha256-%.*s'; base-uri 'none'; form-action 'none'; frame-ancestors "
		 "'none'",
		 (int)text.size, (const char *)text.data);
	gnutls_free(text.data);
	return 0;
}

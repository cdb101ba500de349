/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/pages/page.h"

#include <gnutls/gnutls.h>
#include <stdio.h>

#include "appliance/base/sha256.h"

#define STYLE                                                                                                          \
	"body{margin:0 auto;max-width:46em;padding:2em 1.2em;font-family:\"Noto Sans JP\",\"Noto Sans CJK JP\","       \
	"\"Hiragino Sans\",\"Yu Gothic UI\",Meiryo,sans-serif;line-height:1.7;color:#1d2330;background:#fbfaf7}"       \
	"h1{font-size:1.6em;border-bottom:3px solid #8a2b1d;padding-bottom:.3em}"                                      \
	"h1 a{float:right;font-size:.55em;font-weight:normal;line-height:3;color:inherit}"                             \
	"h2{font-size:1.1em;margin-top:2.2em}code,pre{font-family:monospace,monospace;font-size:.92em;"                \
	"background:#efece4;padding:.1em .3em}td code{white-space:nowrap}pre{padding:.8em;overflow-x:auto}"            \
	"table{border-collapse:collapse;width:100%;border-bottom:1px solid #d9d4c7}"                                   \
	"td{border-top:1px solid #d9d4c7;padding:.4em .6em .4em 0;vertical-align:top}td:first-child{width:1%}"         \
	"@media(prefers-color-scheme:dark){body{color:#e6e3da;background:#191b20}code,pre{background:#272a31}"         \
	"table,td{border-color:#3a3e48}}@media(max-width:36em){td{display:block}td+td{border-top:0;padding-top:0}"     \
	"td code{white-space:normal;overflow-wrap:anywhere}td:first-child{width:auto}}"

#define CURL                                                                                                           \
	"<pre>curl --cacert certificate.pem \\\n"                                                                      \
	"     -H \"Authorization: Bearer $(cat token)\" \\\n"

const char page_html[] =
	"<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Sekisho 関所</title>\n<style>" STYLE "</style>\n</head>\n<body>\n"
	"<h1>Sekisho 関所 <a href=\"#en\" lang=\"en\">English</a></h1>\n"
	"<p>"
	"この装置は、拠点内のゾーンの境界で通信を検査し、ポリシーに書かれたものだけを通します。ここは管理用ネ"
	"ットワー"
	"ク"
	"からだけ見える、読み取り専用の窓口です。設定の変更は、装置上の <code>sekisho</code> "
	"コマンドで行います。</p>\n"
	"<h2>API</h2>\n<table>\n"
	"<tr><td><code>/api/v1/status</code></td><td>防御しているか、プロセス、拒否した通信の件数</td></tr>\n"
	"<tr><td><code>/api/v1/effective</code></td><td>カーネルと検査部から読み戻した有効ルール</td></tr>\n"
	"<tr><td><code>/api/v1/events?after=番号&amp;limit=件数</code></td><td>記録された事象</td></tr>\n</"
	"table>\n"
	"<p>利用にはトークンが必要です。トークン（<code>token</code>）と証明書（<code>certificate.pem</"
	"code>）は、装置の状態"
	"フォルダーの <code>secrets</code> にあり（通常は <code>/var/lib/sekisho/secrets</code>）、root "
	"だけが読めます。</p>\n" CURL "     https://このページのアドレス/api/v1/status</pre>\n"
	"<div lang=\"en\" id=\"en\">\n<h2>In English</h2>\n"
	"<p>This box stands at the borders between the zones of a site, inspects what crosses them, and lets "
	"through "
	"only what its policy names. This is its read-only window, seen from the management network alone. "
	"Changes are "
	"made with the command <code>sekisho</code> on the box.</p>\n<table>\n"
	"<tr><td><code>/api/v1/status</code></td><td>is it enforcing, processes, what was refused</td></tr>\n"
	"<tr><td><code>/api/v1/effective</code></td><td>the rules in force, read back from kernel and "
	"inspectors</td></tr>\n"
	"<tr><td><code>/api/v1/events?after=NUMBER&amp;limit=COUNT</code></td><td>what was "
	"recorded</td></tr>\n</table>\n"
	"<p>Each request carries the token. Token (<code>token</code>) and certificate "
	"(<code>certificate.pem</code>) "
	"stand in "
	"<code>secrets</code> of the box's state folder (usually <code>/var/lib/sekisho/secrets</code>), where "
	"only "
	"root reads "
	"them.</p>\n" CURL "     https://ADDRESS-OF-THIS-PAGE/api/v1/status</pre>\n</div>\n</body>\n</html>\n";

const size_t page_html_size = sizeof(page_html) - 1;

int page_policy(char out[PAGE_POLICY])
{
	uint8_t digest[32];
	gnutls_datum_t raw = { .data = digest, .size = sizeof(digest) }, text = { 0 };
	int r;

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

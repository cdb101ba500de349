// SPDX-License-Identifier: Apache-2.0
// Every text of the pages that does not come from the box: Japanese, then English. {0}, {1} are places. The type holds each to both.
import type { Lang } from "./types";

const texts = table({
	title: ["関所", "Sekisho"],
	skip: ["本文へ移動", "Skip to content"],
	language: ["言語", "Language"],
	pages: ["ページ", "Pages"],
	page_state: ["状態", "State"],
	page_watch: ["監督者用", "Supervisor"],
	page_map: ["地図", "Map"],
	page_why: ["理由を調べる", "Why"],
	print: ["印刷", "Print"],
	sign_out: ["サインアウト", "Sign out"],
	sign_in: ["サインイン", "Sign in"],
	signing_in: ["確認しています", "Checking"],
	account: ["名前", "Name"],
	passphrase: ["パスフレーズ", "Pass phrase"],
	code: ["確認コード", "Code"],
	code_help: ["認証アプリの 6 桁の数字。使えないときは、紙に控えたリカバリーコード。", "Six digits of the authenticator; without it, one of the recovery codes on paper."],
	by_token: ["API トークンでサインインする", "Sign in with an API token"],
	by_account: ["アカウントでサインインする", "Sign in with an account"],
	wrong_login: ["名前、パスフレーズ、確認コードのいずれかが正しくないか、このアドレスからのサインインが 15 分間ロックされています。", "Name, pass phrase or code is wrong, or signing in from this address is locked for 15 minutes."],
	token: ["API トークン", "API token"],
	token_help: ["装置の secrets/token にあります。このページを閉じると消えます。", "It is in secrets/token on the box. It is gone when this page is closed."],
	api_help: ["API の説明", "About the API"],
	wrong_token: ["トークンが正しくありません。", "The token is not right."],
	no_answer: ["装置から応答がありません。しばらくしてからもう一度お試しください。", "The box does not answer. Try again in a moment."],
	signed_out: ["サインインが無効になりました。もう一度サインインしてください。", "You are signed out. Please sign in again."],
	signed_out_idle: ["15 分間操作がなかったため、サインアウトしました。", "Signed out: nothing was touched for 15 minutes."],
	loading: ["装置に問い合わせています", "Asking the box"],
	stale: ["装置と通信できません。以下は {0} 時点の状態です。", "The box cannot be reached. What follows is as of {0}."],
	stale_none: ["装置と通信できません。", "The box cannot be reached."],
	unavailable: ["装置が状態を返しません。以下は {0} 時点の状態です。", "The box does not tell its state. What follows is as of {0}."],
	as_of: ["{0} 時点", "As of {0}"],
	site: ["拠点", "Site"],
	unknown: ["不明", "unknown"],
	none: ["なし", "none"],

	map_title: ["有効なルールの地図", "Map of the effective rules"],
	map_again: ["描き直す", "Draw again"],
	map_save: ["図を保存（SVG）", "Save the picture (SVG)"],
	map_note: ["装置から読み戻したルールを描いた図です。番号の説明は図の下部と、次の表にあります。", "Drawn from the rules as read back from the box. What the numbers stand for is below the map, and in the table."],
	map_alt: ["ゾーンとコンジットの図。内容は次の表と同じです。", "Zones and the conduits between them; the table below says the same."],
	map_no_right: ["このアカウントにはルールを読む権限がありません。", "This account may not read the rules."],
	conduits: ["コンジット", "Conduits"],
	between: ["ゾーン間", "Between"],
	mode: ["動作", "Mode"],
	enforced: ["制限あり", "enforced"],
	until: ["有効期限", "Until"],
	last_match: ["最後の新規セッション", "Last new session"],
	why_title: ["通った理由、止まった理由を調べる", "Why something passed, or did not"],
	period: ["期間", "Period"],
	last_hour: ["直近 1 時間", "last hour"],
	last_day: ["直近 24 時間", "last 24 hours"],
	last_week: ["直近 7 日間", "last 7 days"],
	any_time: ["すべて", "all"],
	verdict: ["判定", "Verdict"],
	any: ["すべて", "any"],
	denied: ["拒否", "denied"],
	observed: ["監視のみ", "observed"],
	allowed: ["許可", "allowed"],
	severity: ["重要度", "Severity"],
	from_warning: ["注意以上", "warning or graver"],
	serious_only: ["重大のみ", "serious"],
	zone: ["ゾーン", "Zone"],
	conduit: ["コンジット", "Conduit"],
	asset: ["資産", "Asset"],
	host: ["アドレス", "Address"],
	words: ["説明文に含まれる語", "Words in the sentence"],
	search: ["検索", "Search"],
	search_help: ["名前はポリシーに書かれたとおりに入力します。アドレスは 10.30.0.0/16 のような範囲でも指定できます。", "Names as the policy has them; an address may be a prefix such as 10.30.0.0/16."],
	searching: ["検索中（残り {0} 件の記録）", "Searching: {0} records to go"],
	halt: ["検索を中止", "Stop"],
	found: ["{0} 件見つかりました（新しい順）。", "Found: {0}, newest first."],
	found_so_far: ["{0} 件見つかりました（新しい順）。これより前の記録 {1} 件は未検索です。", "Found: {0}, newest first. {1} earlier records have not been searched."],
	none_found: ["該当する記録はありません。", "No record fits."],
	none_so_far: ["該当する記録はまだ見つかっていません。これより前の記録 {0} 件は未検索です。", "None found so far. {0} earlier records have not been searched."],
	search_earlier: ["さらに前の記録を検索", "Search earlier records"],
	wrong_search: ["検索条件が正しくありません。名前に使える文字は英数字と . _ - で、アドレスは 10.30.1.10 または 10.30.0.0/16 の形です。", "That cannot be searched for. Names have letters, digits and . _ -; an address is 10.30.1.10 or 10.30.0.0/16."],
	no_right: ["このアカウントには記録を読む権限がありません。", "This account may not read the records."],
	events: ["記録された事象", "Recorded events"],
	event: ["装置", "box"],
	nearest: ["最も近いコンジットを調べる", "Find the nearest conduit"],
	nearest_no_right: ["このアカウントにはルールを読む権限がありません。", "This account may not read the rules."],
	record_number: ["記録 {0}", "record {0}"],

	alarms: ["異常と注意", "Faults and warnings"],
	no_alarms: ["異常も注意もありません。", "Nothing is wrong."],
	since: ["{0} から", "since {0}"],
	seen_since: ["{0} から（この画面で検出）", "since {0} (seen by this page)"],
	seen_before: ["この画面を開く前から", "since before this page was opened"],
	alarm_role: ["プロセスが停止しています: {0}", "A process is down: {0}"],
	alarm_silent: ["プロセスが応答しません: {0}", "A process does not answer: {0}"],
	alarm_drift: ["ルールが外部から改変されました（{0} 回）。", "The rules were changed from outside (times: {0})."],
	drift_last: ["最後は {0}", "last {0}"],
	alarm_trouble: ["記録の障害: {0}", "Trouble with the records: {0}"],
	record_last_at: ["最後の記録は {0}", "last record {0}"],
	alarm_room: ["ディスクの空きがなく、{0} 件の記録が待っています（省いた記録 {1} 件）。", "{0} records wait for room on the disk ({1} were left out)."],
	alarm_stuck: ["古い記録を削除できません。", "Old records cannot be deleted."],
	alarm_lost: ["{0} 件の記録が失われました。", "{0} records were lost."],
	alarm_log: ["{0} 件の記録がログサーバーへ未送信です。", "{0} records wait to be sent to the log server."],
	alarm_clock: ["時計がどの時刻源にも同期していません。", "The clock follows no source."],
	alarm_ups: ["UPS: {0}", "UPS: {0}"],
	alarm_no_policy: ["適用されたポリシーがありません。", "No policy has been applied."],
	alarm_confirm: ["ポリシーは試行中です。確定しないと {0} に元へ戻ります。", "The policy is on trial. Unless confirmed it is taken back at {0}."],

	policy: ["ポリシー", "Policy"],
	generation: ["世代", "Generation"],
	state: ["状態", "State"],
	confirmed: ["確定済み", "confirmed"],
	waiting: ["確定待ち", "waiting to be confirmed"],
	no_policy: ["未適用", "none applied"],
	applied: ["適用時刻", "Applied"],
	applied_by: ["適用者", "By"],
	digest: ["SHA-256", "SHA-256"],
	changing: ["変更中", "being changed"],
	confirm_by: ["確定期限", "Confirm by"],

	interfaces: ["インターフェース", "Interfaces"],
	no_interfaces: ["インターフェースの状態を読み取れません。", "The interfaces could not be read."],
	no_cards: ["ポリシーを適用すると、ここにインターフェースが表示されます。", "Interfaces are shown here once a policy is applied."],
	interface: ["名前", "Name"],
	device: ["デバイス", "Device"],
	link: ["リンク", "Link"],
	addresses: ["アドレス", "Addresses"],
	received: ["受信", "Received"],
	sent: ["送信", "Sent"],
	lost: ["損失・エラー", "Lost or faulty"],
	management: ["管理用", "management"],
	link_up: ["接続", "up"],
	link_down: ["無効", "turned off"],
	link_no_carrier: ["リンク断", "no link"],
	link_absent: ["デバイスなし", "no device"],

	roles: ["プロセス", "Processes"],
	no_roles: ["デーモンが動作していません。", "No daemon is running."],
	role: ["プロセス", "Process"],
	running: ["稼働中", "running"],
	starting: ["起動中", "starting"],
	dead: ["停止", "down"],
	silent: ["応答なし", "no answer"],
	restarts: ["再起動", "Restarts"],
	since_when: ["開始", "Since"],
	pid: ["PID", "PID"],
	commands: ["コマンド用", "commands"],
	naming: ["識別用", "naming"],

	inspection: ["検査", "Inspection"],
	no_inspection: ["検査部は動作していません。", "No inspection is running."],
	worker_head: ["ワーカー", "Worker"],
	worker: ["ワーカー {0}（{1}）", "Worker {0} ({1})"],
	packets: ["パケット", "Packets"],
	refused_count: ["拒否", "Refused"],
	resets: ["リセット", "Resets"],
	flows: ["フロー", "Flows"],
	of_most: ["{0} / {1}", "{0} of {1}"],
	queues: ["キュー", "Queues"],
	queue_waiting: ["待ちパケット", "Packets waiting"],
	queue_lost: ["満杯による損失", "Lost to a full queue"],
	late: ["判定の遅れによる交代", "Workers replaced for being late"],
	starved: ["CPU 待ち", "Waited for a core"],
	sessions: ["追跡中のセッション", "Tracked sessions"],

	refused: ["拒否した通信", "Refused"],
	refused_none: ["拒否した通信はまだありません。", "Nothing has been refused so far."],
	refused_note: ["カーネルはルール読み込み以降、検査部は起動以降の件数です。", "The kernel counts since its rules were loaded, workers since they started."],
	unjudged: ["検査せずに通過（when_down、when_overloaded の指定による）", "Passed without inspection (by when_down, when_overloaded)"],
	reason: ["理由", "Reason"],
	who: ["判定", "By"],
	kernel: ["カーネル", "kernel"],
	workers: ["検査部", "workers"],

	records: ["記録とディスク", "Records and disk"],
	recording: ["記録中", "recording"],
	record_count: ["件数", "Count"],
	record_last: ["最後の記録", "Last record"],
	record_lost: ["欠落", "Lost"],
	record_waiting: ["空き待ち", "Waiting for room"],
	retention: ["保存期間", "Retention"],
	retention_days: ["{0} 日以上残し、{1} 日で削除", "{0} days at least, deleted after {1}"],
	retention_none: ["削除しない", "nothing is deleted"],
	log_server: ["ログサーバー", "Log server"],
	log_none: ["なし（記録は装置にだけ残ります）", "none (records stay on the box)"],
	log_sends_none: ["{0}（装置からは送信しません）", "{0} (the box sends nothing)"],
	log_all: ["{0}（すべて送信済み）", "{0} (all sent)"],
	log_waits: ["{0}（未送信 {1} 件）", "{0} ({1} not sent yet)"],
	log_unknown: ["{0}（未送信の件数は不明）", "{0} (how many wait is not known)"],

	machine: ["装置", "Machine"],
	version: ["バージョン", "Version"],
	clock: ["時計", "Clock"],
	clock_trusted: ["信頼できます", "trusted"],
	clock_untrusted: ["信頼できません: {0}", "not trusted: {0}"],
	clock_source: ["時刻源", "Time source"],
	clock_follows: ["同期中", "followed"],
	clock_follows_none: ["同期していません", "not followed"],
	clock_no_source: ["設定なし", "none named"],
	box_time: ["装置の時刻", "Time on the box"],
	ups: ["UPS", "UPS"],
	ups_mains: ["商用電源で運転中", "on mains"],
	ups_battery: ["バッテリー運転中", "on battery"],
	ups_low: ["バッテリー残量低下", "on battery, and low"],
	ups_forced: ["全機器にシャットダウンを指示中", "shuts all machines down"],
	ups_away: ["サーバーが応答しません", "its server does not answer"],
	ups_charge: ["{0}、残量 {1} %", "{0}, {1} % left"],
	ups_runtime: ["{0}、残量 {1} %、残り約 {2} 分", "{0}, {1} % left, about {2} minutes"],
	memory: ["解析側のメモリー", "Memory of the parsers"],
	memory_none: ["分離なし", "not divided"],

	zones: ["ゾーンの接続", "Zones"],
	last_change: ["最後の変更", "Last change"],
	last_change_text: ["世代 {0} を適用（適用者: {1}）", "Generation {0} was applied (by {1})"],
	details: ["詳しい状態を見る", "See the details"],

	ago_seconds: ["{0} 秒前", "{0} s ago"],
	ago_minutes: ["{0} 分前", "{0} min ago"],
	ago_hours: ["{0} 時間前", "{0} h ago"],
	ago_days: ["{0} 日前", "{0} days ago"],
	per_second: ["{0}/秒", "{0}/s"],
	seconds: ["{0} 秒", "{0} s"],
});

function table<T extends Record<string, readonly [string, string]>>(rows: T): T {
	return rows;
}

export type Key = keyof typeof texts;
const KEPT = "sekisho.language";

function wanted(): Lang {
	try {
		const kept = localStorage.getItem(KEPT);
		if (kept === "ja" || kept === "en") return kept;
	} catch {
		// A browser that keeps nothing asks again.
	}
	for (const wish of navigator.languages) {
		if (wish.startsWith("ja")) return "ja";
		if (wish.startsWith("en")) return "en";
	}
	return "ja";
}

let lang: Lang = wanted();

export function language(): Lang {
	return lang;
}

export function choose(choice: Lang): void {
	lang = choice;
	try {
		localStorage.setItem(KEPT, choice);
	} catch {
		// It holds for this page then.
	}
}

export function t(key: Key, ...places: (string | number)[]): string {
	return texts[key][lang === "ja" ? 0 : 1].replace(/\{(\d)\}/g, (_, place: string) => String(places[Number(place)] ?? ""));
}

// SPDX-License-Identifier: Apache-2.0
// For an auditor: the rules in the kernel, whether they were proved, who answers for which conduit,
// who has an account, the exceptions, how the records are kept and signed, and the texts of each
// stored generation. Everything can be saved as it is shown.
import { deviceCard } from "./devices";
import { h, steady, type Child, type Node_ } from "./dom";
import { whenBack } from "./feed";
import { csv, save, count, lastUse, moment } from "./format";
import { ledgerCards } from "./ledgers";
import { card, chip, figures, grid, type Tone, mark, endPatience, patience, waited, waiting, type Patience } from "./parts";
import { duties, standing, leakedNote } from "./people";
import { loadRecords, mayNow, recordCards } from "./records";
import { accepted, askRules, conduitFile, exceptionFile, exceptionState, matching, matrixFile, overdue, reach, reachText, rules, rulesFile, zoneName, type Rule } from "./register";
import { ask, mayDo, person, askFile, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Account, Conduit, Devices, Effective, Generation, Lang, Leaked, State, Text, Token, Verified } from "./types";

const SHOWN = 500;

interface Held {
	rules?: Effective;
	rows: Rule[];
	lang: Lang; // language of the rows
	history: Generation[];
	accounts?: Account[];
	leaked?: Leaked;
	tokens?: Token[];
	devices?: Devices;
}
let held: Held | undefined;
let failed: Key | undefined;
let proof: { said: Verified; at: string } | undefined;
let proving: "no" | "yes" | "failed" | "stopped" = "no";
let waits: Patience | undefined; // the running proof
let stoppedAfter = 0; // seconds
let filter = "";
let pair: { from: string; to: string } | undefined;
let started = false;
let run = 0;
let redraw: () => void = () => undefined;

whenLeft(() => {
	run++;
	held = failed = proof = pair = undefined;
	endPatience(waits);
	proving = "no";
	filter = "";
	started = false;
});

async function read(): Promise<void> {
	const mine = ++run;
	const [effective, history, accounts, tokens, devices] = await Promise.all([askRules(), ask<{ history: Generation[] }>("/api/v1/history"),
		ask<{ accounts: Account[]; leaked?: Leaked }>("/api/v1/accounts"), ask<{ tokens: Token[] }>("/api/v1/tokens"),
		ask<Devices>("/api/v1/devices")]);
	if (mine !== run) return;
	failed = effective.ok || (!effective.ok && effective.why === "unavailable" && history.ok) ? undefined : effective.why === "forbidden" ? "rules_no_right" : "no_answer";
	held = { rows: effective.ok ? rules(effective.value) : [], lang: language(), history: history.ok ? history.value.history : [],
		...(effective.ok ? { rules: effective.value } : {}), ...(accounts.ok ? { accounts: accounts.value.accounts, ...(accounts.value.leaked !== undefined ? { leaked: accounts.value.leaked } : {}) } : {}), ...(tokens.ok ? { tokens: tokens.value.tokens } : {}),
		...(devices.ok ? { devices: devices.value } : {}) };
	redraw();
}

async function readDevices(): Promise<void> {
	const mine = run, answer = await ask<Devices>("/api/v1/devices");
	if (mine === run && held !== undefined && answer.ok) held.devices = answer.value;
}

async function prove(): Promise<void> {
	if (proving === "yes") return;
	const mine = run;
	const p = waits = patience(() => redraw());
	proving = "yes";
	proof = undefined;
	redraw();
	const answer = await ask<Verified>("/api/v1/verify", p.stop.signal, p.ask);
	endPatience(p);
	if (mine !== run) return;
	stoppedAfter = waited(p);
	proving = p.stop.signal.aborted ? "stopped" : answer.ok ? "no" : "failed";
	if (proving === "no" && answer.ok) proof = { said: answer.value, at: new Date().toISOString() };
	redraw();
}

const button = (label: Key, click: () => void, key: string, off = false): Node_ =>
	h("button", { type: "button", "data-key": key, "aria-disabled": off ? "true" : undefined, click }, t(label));
const when = (text: string | null | undefined): Node_ => h("span", { class: "time" }, moment(text) || t("none"));
const file = (what: string, ending: string, of = held?.rules): string =>
	"sekisho-" + (of?.host ?? "box") + "-" + what + "-" + moment(of?.time ?? new Date().toISOString()).replace(/[-: ]/g, "").slice(0, 12) + "." + ending;
const saveRows = (what: string, rows: (string | number)[][]): void => save(file(what, "csv"), "text/csv;charset=utf-8", csv(rows));

// ---- evidence -----------------------------------------------------------------------------------

function proved(): Child[] {
	if (proving === "yes") return waiting(waits, "verifying");
	if (proving === "stopped") return [h("p", { class: "note", role: "status", "data-key": "stopped" }, t("stopped_waiting", stoppedAfter))];
	if (proving === "failed") return [h("p", { class: "complaint", role: "alert" }, t("no_answer"))];
	if (proof === undefined) return [h("p", { class: "note", role: "status" }, t("not_verified"))];
	const { said, at } = proof, list = said.differences ?? [];
	return [h("p", { role: "status", "data-key": "proof" }, said.equal ? chip("good", t("verified", said.generation ?? "?", count(said.packets_asked), moment(at)))
		: chip("bad", t("verified_not", count(list.length), said.generation ?? "?", moment(at)))),
		list.length > 0 && grid("differences_found", [{ head: "where" }, { head: "said" }, { head: "detail" }, { head: "text_place", number: true }],
			list.slice(0, SHOWN).map((d) => [d.where ?? "", d.what ?? "", (d.detail ?? "") + (d.want ? " / " + d.want : ""), d.line ? String(d.line) : ""]))];
}

function evidence(e: Effective, state: State): Node_ {
	return card("evidence", "evidence", true, figures(
		["the_box", (e.host ?? t("unknown")) + (e.site?.label ? " (" + e.site.label + ")" : "")], ["read_at", moment(e.time)],
		["generation", count(state.status.generation?.number)], ["rules_digest", h("code", {}, (e.generation?.digest ?? "").slice(0, 16) || t("none"))],
		["tables_digest", h("code", {}, (e.tables_digest ?? "").slice(0, 16) || t("none"))]),
		...proved(), h("p", { class: "acts" }, button("verify_now", () => void prove(), "verify", proving === "yes")), h("p", { class: "note" }, t("print_note")));
}

// ---- rules --------------------------------------------------------------------------------------

const ofPair = (): Rule[] => (held?.rows ?? []).filter((r) => pair === undefined || (r.from === pair.from && r.to === pair.to));

function matrix(e: Effective): Node_ {
	const zones = e.zones ?? [];
	const cell = (from: string, to: string): Child => {
		const r = reach(e, from, to), chosen = pair?.from === from && pair.to === to;
		if (r.conduits.length === 0) return h("span", { class: "ago" }, from === to ? "" : "—");
		return h("button", { type: "button", "data-key": from + ">" + to, "aria-pressed": chosen ? "true" : "false", "aria-label": t("matrix_cell", zoneName(e, from), zoneName(e, to), reachText(r)),
			click: () => {
				pair = chosen ? undefined : { from, to };
				redraw();
				if (pair !== undefined) document.getElementById("rules")?.scrollIntoView();
			} }, reachText(r));
	};
	return card("matrix", "matrix", true, h("p", { class: "note" }, t("matrix_note")), h("p", { class: "acts" }, button("save_csv", () => saveRows("matrix", matrixFile(e)), "save-matrix")),
		h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("matrix") },
			h("table", { class: "matrix" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("matrix_corner")), zones.map((z) => h("th", { scope: "col", class: "named" }, zoneName(e, z.name))))),
				h("tbody", {}, zones.map((from) => h("tr", {}, h("th", { scope: "row" }, zoneName(e, from.name)), zones.map((to) => h("td", {}, cell(from.name ?? "", to.name ?? "")))))))));
}

function onFilter(event: Event): void {
	filter = (event.target as HTMLInputElement).value;
	redraw();
}

function all(): void {
	filter = "";
	pair = undefined;
	(document.getElementById("audit-filter") as HTMLInputElement).value = "";
	redraw();
}

function ruleTable(e: Effective): Node_ {
	const list = matching(ofPair(), filter), shown = list.slice(0, SHOWN);
	return card("rules", "rules_title", true,
		h("div", { class: "field", "data-key": "filter" }, h("label", { for: "audit-filter" }, t("filter")), h("input", { id: "audit-filter", type: "search", autocomplete: "off", spellcheck: "false", input: onFilter })),
		h("p", { class: "acts" }, button("save_csv", () => saveRows("rules", rulesFile(e, list)), "save-rules"), (filter !== "" || pair !== undefined) && button("filter_off", all, "all")),
		h("p", { class: "note", role: "status" }, t("rules_shown", count(list.length), count(held?.rows.length))),
		list.length > SHOWN && h("p", { class: "note" }, t("rules_cut", SHOWN)),
		grid("rules_title", [{ head: "conduit" }, { head: "source" }, { head: "destination" }, { head: "service" }, { head: "commands_allowed" }, { head: "mode" }, { head: "until" }, { head: "packets", number: true }],
			shown.map((r) => [[h("b", {}, r.conduit), r.label !== "" && h("span", { class: "ago" }, " " + r.label)], [r.source, h("span", { class: "ago" }, " " + zoneName(e, r.from))],
				[r.destination, h("span", { class: "ago" }, " " + zoneName(e, r.to))], r.service, h("span", { class: "rows" }, r.commands), r.mode === "observe" ? chip("wait", t("observed")) : chip("good", t("enforced")),
				when(r.until), count(r.packets)])));
}

// ---- registers ----------------------------------------------------------------------------------

function conduitTable(e: Effective, list: Conduit[], label: Key): Node_ {
	return grid(label, [{ head: "conduit" }, { head: "between" }, { head: "purpose" }, { head: "owner" }, { head: "approved_in_policy" }, { head: "review_by" }, { head: "until" }, { head: "last_match" }, { head: "accepted" }],
		list.map((k) => [[h("b", {}, k.name ?? ""), k.label ? h("span", { class: "ago" }, " " + k.label) : undefined], zoneName(e, k.from) + " → " + zoneName(e, k.to), k.purpose || t("none"), k.owner || t("none"),
			k.approved_by || t("none"), [k.review_by || t("none"), overdue(e, k) && h("span", {}, " ", chip("wait", t("review_overdue")))], when(k.until), lastUse(k),
			accepted(k) || t("none")]));
}

function conduitCards(e: Effective): Node_[] {
	const every = e.conduits ?? [];
	return [card("register", "register", true, h("p", { class: "acts" }, button("save_csv", () => saveRows("conduits", conduitFile(e, every)), "save-conduits")), conduitTable(e, every, "register")), exceptionCard(e)];
}

function exceptionCard(e: Effective): Node_ {
	const list = (e.conduits ?? []).filter((k) => (k.exception ?? []).length > 0), tones: Partial<Record<Key, Tone>> = { exception_in_force: "good", exception_owed: "wait" };
	if (list.length === 0) return card("exceptions", "exceptions", true, h("p", { class: "note" }, t("exceptions_none")));
	return card("exceptions", "exceptions", true, h("p", { class: "acts" }, button("save_csv", () => saveRows("exceptions", exceptionFile(e, list)), "save-exceptions")),
		grid("exceptions", [{ head: "conduit" }, { head: "between" }, { head: "condition" }, { head: "until" }, { head: "applicant" }, { head: "approved_in_policy" }, { head: "reason_given" }, { head: "instead" }, { head: "departs_from" }, { head: "effect" }, { head: "report_of" }],
			list.map((k) => [[h("b", {}, k.name ?? ""), k.label ? h("span", { class: "ago" }, " " + k.label) : undefined], zoneName(e, k.from) + " → " + zoneName(e, k.to), chip(tones[exceptionState(e, k)] ?? "off", t(exceptionState(e, k))), when(k.until),
				...(["applicant", "approved_by", "reason", "instead", "rule", "effect", "report"] as const).map((x) => k.exception?.[0]?.[x] || t("none"))])));
}

function accountFile(list: Account[]): string[][] {
	const heads: Key[] = ["account", "full_name", "duties", "condition", "last_use", "account_since", "made_by", "reason_given"];
	return [heads.map((k) => t(k)), ...list.map((a) => [a.name, a.full_name ?? "", duties(a.roles), t(standing(a)[1]), moment(a.last_use), moment(a.since), a.by ?? "", a.reason ?? ""])];
}

function people(): Node_[] {
	const accounts = held?.accounts, tokens = held?.tokens;
	if (accounts === undefined || tokens === undefined) return [card("people", "people", true, h("p", { class: "note" }, t("people_no_right")))];
	return [
		card("people", "people", true, h("p", { class: "acts" }, button("save_csv", () => saveRows("accounts", accountFile(accounts)), "save-accounts")), leakedNote(held?.leaked),
			grid("people", [{ head: "account" }, { head: "full_name" }, { head: "duties" }, { head: "condition" }, { head: "last_use" }, { head: "account_since" }, { head: "made_by" }, { head: "reason_given" }],
				accounts.map((a) => [h("b", {}, a.name), a.full_name || t("none"), duties(a.roles), chip(...((s): [Tone, string] => [s[0], t(s[1])])(standing(a))), when(a.last_use), when(a.since),
					a.by || t("none"), a.reason || t("none")]))),
		card("tokens", "tokens", true, tokens.length === 0 ? h("p", { class: "note" }, t("no_tokens"))
			: grid("tokens", [{ head: "token_id" }, { head: "label" }, { head: "duties" }, { head: "until" }, { head: "last_use" }, { head: "made_by" }],
				tokens.map((x) => [h("code", {}, x.id), x.label || t("none"), duties(x.roles), [when(x.until), x.expired === true && h("span", {}, " ", chip("off", t("token_expired")))],
					when(x.last_use), x.by || t("none")])))];
}

// ---- record -------------------------------------------------------------------------------------

function chain(state: State): Node_ {
	const j = state.status.journal, records = state.status.site?.records;
	if (j === undefined) return card("chain", "chain", true, h("p", { class: "note" }, t("unknown")));
	return card("chain", "chain", true, figures(
		["record_count", count(j.records)], ["record_last", moment(j.last) || t("none")], ["chain_head", h("code", {}, (j.head ?? "").slice(0, 16) || t("unknown"))],
		["signs", j.signs === true ? chip("good", t("signs_yes")) : chip("bad", t("signs_no"))], ["signed_to", count(j.signed_to)], ["unsigned", count(j.unsigned_records)],
		["keeps", (j.delete_after_days ?? 0) > 0 ? t("keeps_days", j.keep_days ?? 0, j.delete_after_days ?? 0) : t("keeps_all")],
		["records_purpose", records?.purpose ?? t("records_unstated")], ["records_responsible", records?.responsible ?? t("records_unstated")]), h("p", { class: "note" }, t("chain_note")));
}

async function saveTexts(number: number): Promise<void> {
	const answer = await ask<{ sources: Text[] }>("/api/v1/policy?generation=" + number);
	if (answer.ok) save(file("generation-" + number, "txt"), "text/plain;charset=utf-8", answer.value.sources.map((s) => "# ---- " + s.name + "\n" + s.text).join("\n"));
	else failed = "no_answer";
	redraw();
}

const STATES: Record<Generation["state"], Key> = { confirmed: "generation_confirmed", reverted: "generation_reverted", waiting: "generation_waiting" };

/**
 * Who approved it: the box writes that before the comment of a draft. Root applies at the machine
 * without a draft.
 */
const BY_DRAFT = /^\(draft \d+; author: [^;]*; approved_by: ([^)]*)\) ?/;
function approver(g: Generation): string | undefined {
	const name = BY_DRAFT.exec(g.comment ?? "")?.[1];
	return name === "-" ? undefined : name;
}

function generationFile(list: Generation[]): (string | number)[][] {
	const heads: Key[] = ["generation", "condition", "when", "applied_by", "approved_by", "said"];
	return [heads.map((k) => t(k)), ...list.map((g) => [g.number, t(g.in_force && g.state !== "waiting" ? "in_force" : STATES[g.state]), moment(g.applied), g.by ?? "", approver(g) ?? t("not_approved"), g.comment ?? ""])];
}

function generations(list: Generation[]): Node_ {
	return card("generations", "kept_generations", true, h("p", { class: "acts" }, button("save_csv", () => saveRows("generations", generationFile(list)), "save-generations")),
		grid("kept_generations", [{ head: "generation" }, { head: "condition" }, { head: "when" }, { head: "applied_by" }, { head: "approved_by" }, { head: "said" }, { head: "acts" }],
			list.map((g) => [String(g.number), g.in_force && g.state !== "waiting" ? chip("good", t("in_force")) : chip("off", t(STATES[g.state])), moment(g.applied), g.by ?? t("none"), approver(g) ?? chip("wait", t("not_approved")), g.comment ?? t("none"),
				button("save_text", () => void saveTexts(g.number), "texts-" + g.number)])));
}

// ---- contents of the page -----------------------------------------------------------------------

const leader = (id: string): (() => void) => steady("to " + id, () => {
	const heading = document.getElementById(id);
	if (heading === null) return;
	heading.tabIndex = -1; // so that Tab goes on from there
	heading.focus({ preventScroll: true });
	heading.scrollIntoView();
});

/** A bar that stays visible, with the heading of each card. */
function contents(cards: Node_[]): Node_ {
	const heads = cards.map((c): [unknown, unknown] => [c.attributes["aria-labelledby"], (c.children[0] as Node_ | undefined)?.children?.[0]]);
	return h("nav", { class: "contents", "data-key": "contents", "aria-label": t("contents") }, heads.flatMap(([id, title]) => (typeof id === "string" && typeof title === "string" ?
		[h("button", { type: "button", "data-key": "to-" + id, click: leader(id) }, title)] : [])));
}

// ---- the page -----------------------------------------------------------------------------------

export function auditPage(changed: () => void): (state: State) => Node_[] {
	redraw = changed;
	const again = (): void => {
		void read();
		void loadRecords(changed);
	};
	whenBack(() => {
		if (failed === "no_answer") again();
	});
	return (state) => {
		if (!started) {
			started = true;
			void read();
			void loadRecords(changed);
		}
		if (held?.rules !== undefined && held.lang !== language()) {
			held.rows = rules(held.rules);
			held.lang = language();
		}
		const e = held?.rules, head = [h("div", { class: "headline off plain" }, h("h1", {}, t("audit_title"))), h("p", { class: "acts" }, button("audit_again", again, "again"))];
		if (failed !== undefined) head.push(h("p", { class: "complaint", role: "alert" }, t(failed)));
		if (held === undefined) return [...head, ...(failed === undefined ? [h("p", { class: "note", role: "status" }, t("loading"))] : [])];
		const cards = [...recordCards(changed), ...(person() === "" || mayDo("read_rules") ? [reportCard(file, changed)] : []), ...(e !== undefined ? [evidence(e, state), matrix(e), ruleTable(e), ...conduitCards(e), ...ledgerCards(e, held.devices?.devices, file, changed)] : []), deviceCard(held.devices, file("devices", "csv"), mayNow("run_machine"), changed, readDevices), ...people(), chain(state), ...(held.history.length > 0 ? [generations(held.history)] : [])];
		return [...head, contents(cards), ...cards];
	};
}

// ---- reports ------------------------------------------------------------------------------------

// Saves the report by clause and the self-check, as `sekisho report` makes them: for paper and for
// a spreadsheet. They are not shown here.

type Of = "controls" | "self-check";
type Form = "html" | "csv";
const REPORTS: [Of, Key, Key][] = [["controls", "report_controls", "report_controls_note"], ["self-check", "report_self_check", "report_self_check_note"]];
const FORMS: [Form, Key, string][] = [["html", "save_html", "text/html;charset=utf-8"], ["csv", "save_csv", "text/csv;charset=utf-8"]];

let reportWaits: Patience | undefined;
// how the last report ended
let came: { key: "report-came" | "stopped" | "failed"; text: () => string } | undefined;
let reportRun = 0;

whenLeft(() => {
	reportRun++;
	endPatience(reportWaits);
	reportWaits?.stop.abort();
	reportWaits = came = undefined;
});

async function make(of: Of, form: Form, type: string, name: string, changed: () => void): Promise<void> {
	if (reportWaits !== undefined) return;
	const mine = ++reportRun, p = reportWaits = patience(changed);
	came = undefined;
	changed();
	const answer = await askFile("/api/v1/report?of=" + of + "&form=" + form + "&lang=" + language(), p.stop.signal);
	endPatience(p);
	if (mine !== reportRun) return;
	const seconds = waited(p), stopped = p.stop.signal.aborted;
	reportWaits = undefined;
	if (answer.ok) save(name, type, answer.value);
	came = stopped ? { key: "stopped", text: () => t("stopped_waiting", seconds) } : answer.ok ? { key: "report-came", text: () => t("report_saved", name) }
		: { key: "failed", text: () => t(answer.why === "forbidden" ? "rules_no_right" : "no_answer") };
	changed();
}

function stands(): Child[] {
	if (reportWaits !== undefined) return waiting(reportWaits, "report_making");
	if (came === undefined) return [];
	const bad = came.key === "failed";
	return [h("p", { class: bad ? "complaint" : "note", role: bad ? "alert" : "status", "data-key": came.key }, bad && mark("bad"), came.text())];
}

function reportCard(file: (what: string, ending: string) => string, changed: () => void): Node_ {
	return card("reports", "reports", true, h("p", { class: "note" }, t("reports_note")),
		REPORTS.flatMap(([of, title, note]) => [h("h3", { "data-key": of }, t(title)), h("p", { class: "note", "data-key": of + "-note" }, t(note)),
			h("p", { class: "acts", "data-key": of + "-acts" }, FORMS.map(([form, label, type]) =>
				h("button", { type: "button", "data-key": "report-" + of + "-" + form, "aria-label": t(title) + ": " + t(label), "aria-disabled": reportWaits !== undefined ? "true" : undefined,
					click: () => void make(of, form, type, file("report-" + of, form), changed) }, t(label))))]),
		h("div", { "data-key": "report-stands" }, stands()));
}

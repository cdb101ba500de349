// SPDX-License-Identifier: Apache-2.0
// Why something passed or did not: matching records, the newest first, a sentence each. The box
// answers oldest first, so the search goes through the records in stretches from the newest on,
// each four times as long as the one before, until enough are found.
import { REASONS } from "./asked";
import { propose } from "./change";
import { h, steady, type Child, type Node_ } from "./dom";
import { feed } from "./feed";
import { askTracked, trackedRows, type Tracked } from "./flow";
import { count, fromThere, local, zone } from "./format";
import { answerNodes, askPolicy, lookupCard, type PolicyAnswer } from "./lookup";
import { ends, isNeeded, portOf, withNeeded } from "./needed";
import { card, chip, mark, type Tone, choice, commands, field } from "./parts";
import { commandsOf, askRules } from "./register";
import { ask, mayDo, person, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { State, Told, Effective } from "./types";

// ---- the policy in force ------------------------------------------------------------------------

// The policy in force for a search: its zones, conduits and assets by name, and for a refusal what
// is allowed there and who answers for it. The rules are asked for once, when a name is needed or a
// refusal was found.

export type Kind = "zone" | "conduit" | "asset";
interface Named {
	name?: string | undefined;
	label?: string | undefined;
}

const KINDS: Kind[] = ["zone", "conduit", "asset"], MOST_ROWS = 4;
let rules: Effective | undefined;
let digest: string | undefined; // of the policy whose rules were asked for
let rulesRun = 0;

whenLeft(() => {
	rulesRun++;
	rules = undefined;
	digest = undefined;
});

/** Asks for the rules, unless those of this policy are here or requested. */
async function wantRules(state: State | undefined, changed: () => void): Promise<void> {
	const now = state?.status.generation?.digest ?? "";
	if (digest === now || (person() !== "" && !mayDo("read_rules"))) return;
	const mine = ++rulesRun;
	digest = now;
	const answer = await askRules();
	if (mine !== rulesRun) return;
	rules = answer.ok ? answer.value : undefined;
	changed();
}

function all(kind: Kind, state: State | undefined): Named[] {
	const zones = (state?.status.interfaces ?? []).flatMap((x) => x.zones ?? []);
	const list: Named[] = kind === "conduit" ? rules?.conduits ?? [] : kind === "zone" ? [...zones, ...(rules?.zones ?? [])] : [...zones.flatMap((z) => z.assets ?? []), ...(rules?.assets ?? [])];
	return [...new Map(list.map((x): [string, Named] => [x.name ?? "", x])).values()].filter((x) => (x.name ?? "") !== "");
}

const called = (x: Named): string => (x.label && x.label !== x.name ? x.label + " (" + (x.name ?? "") + ")" : x.name ?? "");

/** The suggestions of a field of that kind. */
export function offers(state: State | undefined): Node_[] {
	return KINDS.map((kind) => h("datalist", { id: "names-" + kind, "data-key": "names-" + kind }, all(kind, state).map((x) => h("option", { value: called(x) }))));
}

/**
 * The name for a text that was picked or typed: a suggestion, a name, or a label that only one
 * object has; other text stays as it is.
 */
function nameOf(kind: string, typed: string, state: State | undefined): string {
	if (!KINDS.includes(kind as Kind) || typed === "") return typed;
	const list = all(kind as Kind, state), one = list.find((x) => x.name === typed) ?? list.find((x) => called(x) === typed), labelled = list.filter((x) => x.label === typed);
	return one?.name ?? (labelled.length === 1 ? labelled[0]?.name : undefined) ?? typed;
}

/**
 * The end of a refusal's sentence: what the policy in force allows there, and who answers for it.
 */
export function instead(e: Told): Node_ | false {
	const r = rules;
	if (r === undefined || e.verdict !== "deny") return false;
	const k = (r.conduits ?? []).find((x) => x.name === e.conduit);
	if (k !== undefined) {
		const rows = commandsOf(r, k.name ?? ""), more = rows.length - MOST_ROWS;
		return h("p", { class: "instead", "data-key": "instead" }, t("instead_conduit", called(k) + " (" + (k.file ?? "") + ":" + String(k.line ?? 0) + ")", rows.slice(0, MOST_ROWS).join(" / ") + (more > 0 ? " / " + t("and_more", more) : "") || t("none"), k.owner || t("owner_none")));
	}
	return false;
}

const ENOUGH = 50, KEPT = 200, RETRY_MS = 60000, A_PAGE = 500, FIRST_STRETCH = 500, LONGEST_STRETCH = 1 << 20;
const HOURS: [string, Key][] = [["1", "last_hour"], ["24", "last_day"], ["168", "last_week"], ["", "any_time"], ["between", "between_moments"]];
const VERDICTS: [string, Key][] = [["", "any"], ["deny", "denied"], ["observe", "observed"], ["allow", "allowed"]];
const GRAVE: [string, Key][] = [["", "any"], ["warning", "from_warning"], ["serious", "serious_only"]];
const PROTECTION: [string, Key][] = [["", "any"], ["in_clear", "in_clear"]];
const NAMES: [string, Key][] = [["zone", "zone"], ["conduit", "conduit"], ["asset", "asset"], ["host", "host"]];

interface Answered {
	events: Told[];
	next: number;
}

let sessions: Tracked;
let sessionsRun = 0;
let found: Told[] = [];
// by the record's number: what the policy in force says of the packet, and of its two hosts
let policySays = new Map<number, { packet: PolicyAnswer; pair?: PolicyAnswer }>();
let words = ""; // text that a record has to contain, in lower case
let query = ""; // the box's filter, without the range of records
let end = 0; // the records up to this number were not searched
let upTo = 0; // records after this number came later than the search began, and were not searched
let state: "new" | "busy" | "done" | "failed" | "forbidden" | "wrong" = "new";
let between = false; // the period has a beginning and an end
let run = 0; // number of the present search
let refusals = false; // the page was opened for the refusals of the last day

const value = (id: string): string => (document.getElementById(id) as HTMLInputElement | HTMLSelectElement).value.trim();

/** Whether the record contains the typed text: in either sentence, or in its names and numbers. */
const fits = (e: Told): boolean => words === "" || JSON.stringify(e).toLowerCase().includes(words);

/** A typed local time in the box's form; "" stays "", undefined for an invalid one. */
function utc(typed: string): string | undefined {
	const d = fromThere(typed);
	return typed === "" ? "" : Number.isNaN(d.getTime()) ? undefined : d.toISOString().slice(0, 19);
}

/** The form as parameters; undefined when a name contains characters that no name has. */
function parameters(): string | undefined {
	const list: string[] = [], hours = value("hours");
	if (hours === "between") {
		const since = utc(value("why-from")), until = utc(value("why-until"));
		if (since === undefined || until === undefined || (since !== "" && until !== "" && since >= until)) return undefined;
		if (since !== "") list.push("since=" + since);
		if (until !== "") list.push("until=" + until);
	} else if (hours !== "") {
		const now = new Date(feed.state?.status.clock?.time ?? Date.now()).getTime();
		list.push("since=" + new Date(now - Number(hours) * 3600000).toISOString().slice(0, 19));
	}
	for (const id of ["verdict", "severity", "protocol", "reason", "command", "value", "zone", "conduit", "asset", "host"]) {
		const text = nameOf(id, value("why-" + id), feed.state);
		if (!/^[\w.:/-]*$/.test(text)) return undefined;
		if (text !== "") list.push(id + "=" + text);
	}
	return list.map((p) => "&" + p).join("");
}

/**
 * The newest matching records after `after` up to `last`; undefined when the box does not answer.
 */
async function stretch(after: number, last: number, mine: number): Promise<Told[] | undefined> {
	let list: Told[] = [];
	while (after < last) {
		const answer = await ask<Answered>("/api/v1/why?after=" + after + "&limit=" + A_PAGE + query);
		if (mine !== run) return undefined;
		if (!answer.ok) {
			state = answer.why === "forbidden" ? "forbidden" : answer.why === "wrong" ? "wrong" : "failed";
			return undefined;
		}
		list = [...list, ...answer.value.events.filter((e) => e.seq <= last && fits(e))].slice(-KEPT);
		if (answer.value.next <= after) break;
		after = answer.value.next;
	}
	return list;
}

async function search(changed: () => void): Promise<void> {
	const mine = ++run, before = found.length;
	let long = FIRST_STRETCH;
	state = "busy";
	changed();
	while (end > 0 && found.length - before < ENOUGH) {
		const after = Math.max(0, end - long), list = await stretch(after, end, mine);
		if (mine !== run) return;
		if (list === undefined) break;
		// A stretch with more matches than are kept continues from the oldest one kept.
		end = list.length === KEPT ? (list[0] as Told).seq - 1 : after;
		found = [...found, ...list.reverse()];
		long = Math.min(long * 4, LONGEST_STRETCH);
		changed();
	}
	if (state === "busy") state = "done";
	if (found.some((e) => e.verdict === "deny")) void wantRules(feed.state, changed);
	changed();
}

/** Opens the page with the refusals of the last day. */
export function openRefused(): void {
	refusals = true;
	location.hash = "#why";
}

/** Fills in the form once it exists. */
function beginRefused(changed: () => void): void {
	const form = document.querySelector<HTMLFormElement>("form.search");
	if (form === null) return;
	form.reset();
	between = false;
	(document.getElementById("hours") as HTMLSelectElement).value = "24";
	(document.getElementById("why-verdict") as HTMLSelectElement).value = "deny";
	begin(changed);
}

function begin(changed: () => void): void {
	const asked = parameters();
	found = [];
	policySays = new Map();
	words = value("why-words").toLowerCase();
	if (asked === undefined) {
		run++;
		state = "wrong";
		changed();
		return;
	}
	query = asked;
	upTo = end = Math.max(feed.newest, feed.state?.status.journal?.records ?? 0);
	void search(changed);
}

/** Puts newer matches before the others. */
async function news(changed: () => void): Promise<void> {
	const mine = ++run, last = feed.newest;
	state = "busy";
	changed();
	const list = await stretch(upTo, last, mine);
	if (mine !== run) return;
	if (list?.length === KEPT) {
		// There are more new records than this page keeps: the list begins anew.
		found = [];
		upTo = end = last;
		void search(changed);
		return;
	}
	if (list !== undefined) {
		found = [...list.reverse(), ...found];
		upTo = last;
	}
	if (state === "busy") state = "done";
	changed();
}

/** The present sessions for the form's conduit, zone, asset and address; requested by a person. */
async function look(changed: () => void): Promise<void> {
	const mine = ++sessionsRun, list: string[] = [];
	for (const id of ["zone", "conduit", "asset", "host"]) {
		const text = nameOf(id, value("why-" + id), feed.state);
		if (!/^[\w.:/-]*$/.test(text)) {
			sessions = "wrong";
			changed();
			return;
		}
		if (text !== "") list.push("&" + id + "=" + text);
	}
	sessions = "busy";
	changed();
	const answer = await askTracked(list.join(""));
	if (mine !== sessionsRun) return;
	sessions = answer;
	changed();
}

function halt(changed: () => void): void {
	run++;
	state = "done";
	changed();
}

/** Asks what the policy in force says of this packet; if it does not let it pass, also what it lets
 * pass between these two hosts. */
async function askPacket(e: Told, changed: () => void): Promise<void> {
	const mine = run, pair = { from: ends(e.client ?? "")[0], to: ends(e.server ?? "")[0] };
	policySays.set(e.seq, { packet: "loading" });
	changed();
	const packet = await askPolicy({ ...pair, service: portOf(e) }), asks = typeof packet !== "string" && "allowed" in packet && !packet.allowed;
	const both = asks ? await askPolicy(pair) : undefined;
	if (mine !== run) return;
	policySays.set(e.seq, both !== undefined ? { packet, pair: both } : { packet });
	changed();
}

/** A draft with the line that this refusal needs. */
async function draftNeeded(e: Told, exception: boolean, changed: () => void): Promise<void> {
	const mine = run, answer = e.needs === undefined ? await askPolicy({ from: ends(e.client ?? "")[0], to: ends(e.server ?? "")[0], service: portOf(e) }) : undefined;
	if (mine !== run) return;
	const services = typeof answer === "object" && "allowed" in answer ? answer.services ?? [] : [];
	const owner = rules?.zones?.find((z) => z.name === e.server_zone)?.owner || person(), now = feed.state?.status.clock?.time ?? new Date().toISOString();
	await propose({ change: (texts) => withNeeded(texts, e, services, owner, now, exception), lost: t("needed_lost"), comment: t("needed_purpose", e.seq) }, changed);
}

function saysOf(e: Told, changed: () => void): Child[] {
	const says = policySays.get(e.seq), pair = says?.pair, asks = e.reason === "no_conduit" && !e.icmp_code && !!e.client_zone && !!e.server_zone;
	const draws = isNeeded(e) && person() !== "" && mayDo("edit_draft");
	const nodes: Child[] = says === undefined ? [] : [h("div", { class: "nearest", role: "status" }, ...answerNodes(says.packet),
		typeof pair === "object" && "allowed" in pair && pair.allowed && [h("p", {}, t("pair_may")), ...answerNodes(pair)])];
	const button = (label: Key, press: () => void): Node_ => h("button", { type: "button", "data-key": label, click: steady(label + " " + e.seq, press) }, t(label));
	return [...nodes, ((asks && says === undefined) || draws) && h("p", { class: "acts" }, asks && says === undefined && button("nearest", () => void askPacket(e, changed)),
		draws && button("draft_needed", () => void draftNeeded(e, false, changed)), draws && button("draft_exception", () => void draftNeeded(e, true, changed)))];
}

/** Whether a record is one more of the same refusal: a retry of the same client within a minute, or
 * what became of its session. */
function isRetry(e: Told, of: Told): boolean {
	const host = (x: Told): string => ends(x.client ?? "")[0], away = Math.abs(new Date(e.time ?? "").getTime() - new Date(of.time ?? "").getTime());
	if (of.verdict !== "deny" || e.server !== of.server || away > RETRY_MS) return false;
	if (e.verdict !== "deny") return (e.kind === "flow" || e.kind === "passed") && e.client === of.client;
	// the session's own record of the refusal has no command
	return host(e) === host(of) && e.reason === of.reason && e.conduit === of.conduit && (e.needs === of.needs || e.needs === undefined || of.needs === undefined);
}

/** The records with those that are one line together, as lists of the same refusal. */
function lines(list: Told[]): Told[][] {
	const all: Told[][] = [];
	for (const e of list) {
		const last = all[all.length - 1];
		if (last?.some((x) => isRetry(e, x)) === true || last?.every((x) => isRetry(x, e)) === true) last.push(e);
		else all.push([e]);
	}
	return all;
}

whenLeft(() => {
	run++;
	found = [];
	policySays = new Map();
	words = query = "";
	upTo = end = 0;
	refusals = false;
	between = false;
	sessionsRun++;
	sessions = undefined;
	state = "new";
});

function reasons(): Node_ {
	return h("div", { class: "field" }, h("label", { for: "why-reason" }, t("reason")),
		h("select", { id: "why-reason" }, h("option", { value: "" }, t("any")), REASONS.map(([word, ja, en]) => h("option", { value: word }, (language() === "ja" ? ja : en) + " (" + word + ")"))));
}

function moments(between: boolean): Node_[] {
	return ([["why-from", "from_moment"], ["why-until", "until_moment"]] as [string, Key][]).map(([id, key]) => h("div", { class: "field", hidden: !between },
		h("label", { for: id }, t(key, zone())), h("input", { id, type: "datetime-local", step: 1 })));
}

const TONES: Record<string, [Tone, Key]> = { deny: ["bad", "denied"], observe: ["wait", "observed"], allow: ["good", "allowed"] };

function one(list: Told[], changed: () => void): Node_ {
	const e = list.find((x) => x.needs !== undefined) ?? list.find((x) => x.verdict === "deny") ?? list[0] as Told, tone = TONES[e.verdict ?? ""], sum = list.reduce((n, x) => n + (x.verdict === "deny" ? x.count ?? 1 : 0), 0);
	return h("li", { "data-key": "e" + e.seq, class: e.severity ?? "" },
		h("div", { class: "told" }, tone !== undefined ? chip(tone[0], t(tone[1])) : chip(e.severity === "notice" ? "note" : "wait", t("event")),
			h("span", { class: "ago" }, list.length > 1 ? t("record_numbers", count((list[list.length - 1] as Told).seq), count((list[0] as Told).seq), count(sum)) : t("record_number", count(e.seq)))),
		h("p", {}, local(e[language()])), instead(e), ...saysOf(e, changed));
}

const live = (onLook: () => void): Node_ => card("live-sessions", "live_sessions", true, ...trackedRows(sessions, "sessions_note", "why-sessions", onLook));

function outcome(list: Node_[]): string {
	if (state === "busy") return t("searching", count(end));
	if (state === "failed") return t("no_answer");
	if (state === "forbidden") return t("no_right");
	if (state === "wrong") return t("wrong_search");
	return list.length === 0 ? t(end > 0 ? "none_so_far" : "none_found", count(end)) : end > 0 ? t("found_so_far", count(list.length), count(end)) : t("found", count(list.length));
}

export function whyPage(changed: () => void): (state: State) => Node_[] {
	const onSubmit = (event: Event): void => {
		event.preventDefault();
		begin(changed);
	};
	const onPeriod = (event: Event): void => {
		if ((event.target as Element).id !== "hours") return;
		between = value("hours") === "between";
		changed();
	};
	const onLook = (): void => void look(changed);
	const onMore = (): void => void search(changed), onHalt = (): void => halt(changed), onNews = (): void => void news(changed);
	const onFocus = (event: Event): void => {
		if ((event.target as Element).hasAttribute("list")) void wantRules(feed.state, changed);
	};
	const lookup = lookupCard(changed), may = (right: string): boolean => person() === "" || mayDo(right);
	return (said) => {
		if (refusals) {
			refusals = false;
			queueMicrotask(() => beginRefused(changed));
		}
		const list = lines(found).map((of) => one(of, changed)), bad = state === "failed" || state === "forbidden" || state === "wrong";
		return [h("div", { class: "headline off plain" }, h("h1", {}, t("why_title"))), may("read_rules") && lookup(said),
			may("read_events") && h("form", { class: "card search", submit: onSubmit, focusin: onFocus, novalidate: true }, ...offers(feed.state),
				h("h2", {}, t("search_title")), h("div", { class: "fields", change: onPeriod }, choice("hours", "period", HOURS), moments(between), choice("why-verdict", "verdict", VERDICTS), choice("why-severity", "severity", GRAVE), choice("why-protocol", "protection", PROTECTION),
					reasons(), commands("why-command"), field("why-value", "value_written"),
					NAMES.map(([id, key]) => field("why-" + id, key, id !== "host" ? { list: "names-" + id } : {})), field("why-words", "words")),
				h("p", { class: "note" }, t("search_help")),
				h("p", { class: "acts" }, h("button", { type: "submit", class: "main-action" }, t("search")),
					state === "busy" && h("button", { type: "button", click: onHalt }, t("halt")))),
			state !== "new" && card("events", "events", true,
				h("p", { class: bad ? "complaint" : "note", role: "status" }, bad && mark("bad"), outcome(list)),
				state === "done" && feed.newest > upTo && h("p", { class: "acts", "data-key": "news" },
					h("button", { type: "button", id: "why-news", click: onNews }, t("search_news", count(feed.newest - upTo)))),
				h("ul", { class: "events" }, list),
				state === "done" && end > 0 && h("p", { class: "acts" }, h("button", { type: "button", click: onMore }, t("search_earlier")))),
			may("read_events") && live(onLook),
		].filter((n): n is Node_ => n !== false);
	};
}

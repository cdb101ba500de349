// SPDX-License-Identifier: Apache-2.0
// The map: the box's picture of its effective rules, with rates of traffic and refusals; and the
// same conduits as a table, for screen readers, keyboard use and numbers. The chosen conduit is
// shown between them with all details.
import { promote } from "./change";
import { h, steady, type Child, type Node_ } from "./dom";
import { countFlow, feed, recall, whenBack } from "./feed";
import { heardAt, keepRates, opened, refusals, refusedInAll, type Rate, type Refusals, askTracked, trackedRows, type Tracked } from "./flow";
import { aged, clockTime, count, lastUse, local, moment, span } from "./format";
import { card, chip, figures, grid } from "./parts";
import { places, overlay, type OnArrow, type Places } from "./places";
import { askRules, zoneName, commandsOf } from "./register";
import { ask, askPicture, mayDo, whenLeft } from "./session";
import { language, t } from "./text";
import type { Conduit, Effective, Lang, State, Told } from "./types";

const LAST_EVENTS = 8, LOOK_BACK = 2000;
const LEAST_PX = 80, AWAY_PX = 24;
// The size of the smallest letters in the picture (mgmt/picture/svg.c), and on the screen in
// pixels.
const SMALLEST = 30, SMALLEST_PX = 13;

let picture: { lang: Lang; url: string; places: Places; at: number } | undefined;
let rules: Effective | undefined;
let failed: "no_answer" | "rules_no_right" | undefined;
let asking: Lang | undefined; // language of the picture that was requested
let run = 0;
let recalled: object | undefined; // the question about the minute before this page was opened
let whole = false; // fits the whole picture into the window; else its letters are readable
// undefined: requested, or not allowed
let chosen: { name: string; events: Told[] | undefined; sessions: Tracked } | undefined;

function drop(): void {
	if (picture !== undefined) URL.revokeObjectURL(picture.url);
	picture = undefined;
	rules = undefined;
}

whenLeft(() => {
	run++;
	drop();
	failed = undefined;
	asking = undefined;
	chosen = undefined;
	whole = false;
	recalled = undefined;
	keepRates(new Set());
});

const LAST_RECORDS = 300;

/**
 * Reads the refusals of the last minute before this page was opened, so that its numbers do not
 * begin at 0.
 */
async function recallRefusals(changed: () => void): Promise<void> {
	if (recalled !== undefined || feed.newest === 0) return;
	const mine = recalled = {}, answer = await ask<{ events: Told[] }>("/api/v1/why?after=" + Math.max(0, feed.newest - LAST_RECORDS) + "&limit=" + LAST_RECORDS);
	if (mine !== recalled || !answer.ok) return;
	recall(answer.value.events);
	changed();
}

/** If the window is too narrow for the margin and a zone, scrolls the map to the first zone. */
function begin(): void {
	const map = document.querySelector(".map"), p = picture?.places, first = Math.min(...[...(p?.zones.values() ?? [])].map((z) => z.x));
	if (map === null || p === undefined) return;
	const left = first * map.scrollWidth / p.width;
	if (left > map.clientWidth - LEAST_PX) map.scrollLeft = left - AWAY_PX;
}

async function draw(changed: () => void): Promise<void> {
	const mine = ++run, lang = language(), was = picture?.at;
	asking = lang;
	const [image, said] = await Promise.all([askPicture("/api/v1/picture?lang=" + lang), askRules()]);
	if (mine !== run) {
		if (image.ok) URL.revokeObjectURL(image.value.url);
		return;
	}
	asking = undefined;
	failed = image.ok && said.ok ? undefined : !image.ok && image.why === "forbidden" ? "rules_no_right" : "no_answer";
	// Without an answer the last map stays, with its time.
	if (failed === undefined || failed === "rules_no_right" || feed.state?.status.generation?.number === 0) drop();
	if (image.ok && said.ok) {
		picture = { lang, url: image.value.url, places: places(image.value.text), at: Date.now() };
		rules = said.value;
		keepRates(new Set((rules.conduits ?? []).map((k) => k.name ?? "")));
	} else if (image.ok) {
		URL.revokeObjectURL(image.value.url);
	}
	changed();
	if (picture?.at !== was) begin();
}

// ---- figures ------------------------------------------------------------------------------------

/** "0.4/s"; a dash while it is unknown. */
const perSecond = (n: number): string => t("per_second", n >= 100 ? count(Math.round(n)) : n.toFixed(1));
const rate = (r: Rate | undefined): string => (r === undefined ? "–" : aged(perSecond(r.n), r.old));
const ofConduit = (list: Refusals[], name: string): number => list.filter((r) => r.conduit === name).reduce((sum, r) => sum + r.count, 0);
const enforced = (k: Conduit): Node_ => (k.mode === "observe" ? chip("wait", t("observed")) : chip("good", t("enforced")));

/**
 * How long an observing conduit has been clean, with the button that makes it enforce; `all`: also
 * what it would have refused, and times without watching.
 */
function clean(k: Conduit, press: () => void, all: boolean): Child[] {
	const o = k.observed;
	if (k.mode !== "observe") return [];
	return [o && h("span", { class: "ago", "data-key": "clean" }, " " + t("clean_days", count(Math.floor(o.clean_s / 86400)))),
		all && o && o.would_refuse > 0 && h("p", { class: "note", "data-key": "would" }, t("would_refuse", count(o.would_refuse), moment(o.since), moment(o.last), o.reasons.map((r) => r[language()]).join(", "))),
		...(all ? o?.unwatched ?? [] : []).map((u) => h("p", { class: "note" }, t("unwatched", moment(u.since), moment(u.until)))),
		mayDo("edit_draft") && h("p", { class: "acts" }, h("button", { type: "button", "data-key": "promote", "aria-label": t("let_enforce_of", k.name ?? ""), click: press }, t("let_enforce")))];
}

function packets(e: Effective): Map<string, number> {
	const sums = new Map<string, number>(), live = feed.flows[feed.flows.length - 1]?.conduits ?? {};
	for (const cell of e.cells ?? []) for (const name of cell.conduits ?? []) sums.set(name, (sums.get(name) ?? 0) + (cell.packets ?? 0));
	for (const name of Object.keys(live)) sums.set(name, live[name] ?? 0);
	return sums;
}

/** Each press chooses the arrow's next conduit. */
const arrowPresser = (key: string, names: string[], changed: () => void): (() => void) => steady("arrow " + key, () => {
	const next = names[(names.indexOf(chosen?.name ?? "") + 1) % names.length];
	if (next !== undefined && next !== chosen?.name) void choose(next, changed);
	document.getElementById("conduit")?.scrollIntoView({ block: "nearest" });
});

/** Both directions of an arrow: all conduits from one zone to the other in that mode. */
function onArrow(e: Effective, from: string, to: string, observe: boolean, list: Refusals[], changed: () => void): OnArrow {
	const of = (e.conduits ?? []).filter((k) => k.from === from && k.to === to && (k.mode === "observe") === observe);
	const flows = of.map((k) => opened(k.name ?? "")), refused = of.reduce((sum, k) => sum + ofConduit(list, k.name ?? ""), 0);
	const known = flows.filter((r): r is Rate => r !== undefined), whole = known.length === flows.length;
	// The sum is as old as the oldest number in it.
	const times = [refused > 0 ? heardAt() : undefined, ...known.map((r) => r.old)].filter((at): at is number => at !== undefined), old = times.length > 0 ? Math.min(...times) : undefined;
	const text = aged((whole ? perSecond(known.reduce((sum, r) => sum + r.n, 0)) : "–") + (refused > 0 ? " " + t(observe ? "map_would_refuse" : "map_refused", count(refused)) : ""), old), names = of.map((k) => k.name ?? "");
	return { text, refused: refused > 0, title: zoneName(e, from) + " → " + zoneName(e, to) + ": " + of.map((k) => (k.label ? k.label + " (" + (k.name ?? "") + ")" : k.name ?? "")).join(", ") + " (" + text + ")",
		press: arrowPresser(from + ">" + to + String(observe) + names.join(), names, changed) };
}

// ---- one conduit --------------------------------------------------------------------------------

/** The present sessions of the chosen conduit. */
async function look(changed: () => void): Promise<void> {
	const mine = chosen;
	if (mine === undefined || mine.sessions === "busy") return;
	mine.sessions = "busy";
	changed();
	const answer = await askTracked("&conduit=" + mine.name);
	mine.sessions = answer;
	if (chosen === mine) changed();
}

async function choose(name: string, changed: () => void): Promise<void> {
	if (chosen?.name === name) {
		chosen = undefined;
		changed();
		return;
	}
	const mine = (chosen = { name, events: undefined as Told[] | undefined, sessions: undefined as Tracked });
	changed();
	void look(changed);
	document.getElementById("conduit")?.focus();
	const after = Math.max(0, feed.newest - LOOK_BACK);
	const answer = await ask<{ events: Told[] }>("/api/v1/why?after=" + after + "&limit=1000&conduit=" + name);
	if (chosen !== mine) return;
	mine.events = answer.ok ? answer.value.events.slice(-LAST_EVENTS) : [];
	changed();
}

function panel(e: Effective, list: Refusals[], close: () => void, again: () => void, press: (k: Conduit) => () => void): Node_ | false {
	const k = (e.conduits ?? []).find((c) => c.name === chosen?.name);
	if (k === undefined) return false;
	const name = k.name ?? "", before = chosen?.events, known = new Set((before ?? []).map((x) => x.seq));
	const events = [...(before ?? []), ...feed.records.filter((r) => r.conduit === name && !known.has(r.seq))].slice(-LAST_EVENTS).reverse();
	const rows = commandsOf(e, name);
	return h("section", { class: "card wide", "aria-labelledby": "conduit", "data-key": "conduit" },
		h("h2", { id: "conduit", class: "named", tabindex: -1 }, t("conduit") + " " + name + (k.label ? " " + k.label : "")),
		figures(["between", zoneName(e, k.from) + " → " + zoneName(e, k.to)], ["mode", h("span", {}, enforced(k), ...clean(k, press(k), true))], ["text_place", h("code", {}, (k.file ?? "") + ":" + String(k.line ?? 0))],
			["purpose", k.purpose || t("none")], ["owner", k.owner || t("none")], ["approved_in_policy", k.approved_by || t("none")], ["until", moment(k.until) || t("none")],
			typeof k.heard_within_s === "number" && ["expected", k.silent_since ? t("expected_silent", span(k.heard_within_s), moment(k.silent_since)) : t("expected_last", span(k.heard_within_s), moment(k.last_heard) || t("none"))],
			["last_match", lastUse(k)], ["packets_opened", count(packets(e).get(name))], ["map_flow", rate(opened(name))],
			["map_refused_minute", aged(count(ofConduit(list, name)), heardAt())]),
		h("h3", {}, t("commands_allowed")), h("ul", { class: "plain" }, rows.map((r) => h("li", {}, r))),
		h("h3", {}, t("map_last_events")),
		before === undefined ? h("p", { class: "note", role: "status" }, t("loading")) : events.length === 0 ? h("p", { class: "note" }, t("map_no_events"))
			: h("ul", { class: "events" }, events.map((r) => h("li", { "data-key": "m" + r.seq, class: r.severity ?? "" }, h("p", {}, local(r[language()]))))),
		h("h3", {}, t("live_sessions")), ...trackedRows(chosen?.sessions, "loading", "map-sessions", again),
		h("p", { class: "acts" }, h("button", { type: "button", id: "map-close", click: close }, t("close"))));
}

// ---- the page -----------------------------------------------------------------------------------

function table(e: Effective, list: Refusals[], changed: () => void, press: (k: Conduit) => () => void): Node_ {
	const sums = packets(e), chooser = (name: string): (() => void) => steady("choose " + name, () => void choose(name, changed));
	return grid("conduits", [{ head: "conduit" }, { head: "between" }, { head: "mode" }, { head: "until" }, { head: "last_match" }, { head: "packets_opened", number: true },
		{ head: "map_flow", number: true }, { head: "map_refused_minute", number: true }],
		(e.conduits ?? []).map((k) => [
			[h("button", { type: "button", "data-key": "k" + (k.name ?? ""), "aria-pressed": chosen?.name === k.name ? "true" : "false", click: chooser(k.name ?? "") }, k.name ?? ""),
				k.label ? h("span", { class: "ago" }, " " + k.label) : undefined],
			zoneName(e, k.from) + " → " + zoneName(e, k.to), [enforced(k), ...clean(k, press(k), false)], moment(k.until) || t("none"), lastUse(k), count(sums.get(k.name ?? "")),
			rate(opened(k.name ?? "")), aged(count(ofConduit(list, k.name ?? "")), heardAt())]));
}

function uncovered(e: Effective, list: Refusals[]): Node_ {
	const none = list.filter((r) => r.conduit === "");
	return card("uncovered", "map_uncovered", true, figures(["map_refused_all", rate(refusedInAll())]),
		none.length === 0 ? h("p", { class: "note" }, t("map_uncovered_none")) :
			grid("map_uncovered", [{ head: "between" }, { head: "map_refused_minute", number: true }, { head: "map_last" }],
				none.slice(0, 20).map((r) => [zoneName(e, r.from) + " → " + zoneName(e, r.to), aged(count(r.count), heardAt()), local(r.last[language()])])),
		h("p", { class: "note" }, t("map_rates_note")));
}

export function mapPage(changed: () => void): (state: State) => Node_[] {
	const again = (): void => {
		void draw(changed);
		changed();
	};
	whenBack(() => {
		if (failed === "no_answer") again();
	});
	const close = (): void => {
		const name = chosen?.name ?? "";
		chosen = undefined;
		changed();
		(document.querySelector('[data-key="k' + name + '"]') as HTMLElement | null)?.focus();
	};
	const sessions = (): void => void look(changed);
	const onWhole = (): void => {
		whole = !whole;
		changed();
	};
	const press = (k: Conduit): (() => void) => steady("promote " + (k.name ?? "") + ":" + String(k.line ?? 0), () => void promote(k, changed));
	return () => {
		countFlow(true, changed);
		if (rules !== undefined) void recallRefusals(changed);
		// Each language has its own picture. After a failure a person has to ask again.
		if (asking !== language() && failed === undefined && picture?.lang !== language()) void draw(changed);
		const list = refusals(), e = rules;
		return [h("div", { class: "headline off plain" }, h("h1", {}, t("map_title"))),
			h("p", { class: "acts" }, h("button", { type: "button", click: again }, t("map_again")),
				picture !== undefined && h("a", { class: "button", href: picture.url, download: "sekisho-map.svg" }, t("map_save")),
				picture !== undefined && h("button", { type: "button", "data-key": "map-whole", "aria-pressed": whole ? "true" : "false", click: onWhole }, t("map_whole"))),
			h("p", { class: failed !== undefined ? "complaint" : "note", role: "status" }, failed !== undefined ? t(failed) : picture === undefined ? t("loading") : t("map_note")),
			failed !== undefined && picture !== undefined && h("p", { class: "note", "data-key": "drawn-at" }, t("map_drawn_at", clockTime(new Date(picture.at)))),
			feed.failed !== undefined && h("p", { class: "complaint", role: "alert" }, t("map_old")),
			picture !== undefined && h("div", { class: "map scroll", tabindex: 0, role: "group", "aria-label": t("map_title") }, h("div", { class: whole ? "drawn whole" : "drawn" },
				h("img", { src: picture.url, alt: t("map_alt"), width: Math.ceil(picture.places.width * SMALLEST_PX / SMALLEST) }),
				e !== undefined && overlay(picture.places, (from, to, observe) => onArrow(e, from, to, observe, list, changed), list.filter((r) => r.conduit === "")))),
			e !== undefined && panel(e, list, close, sessions, press),
			e !== undefined && card("conduits", "conduits", true, table(e, list, changed, press)),
			e !== undefined && uncovered(e, list),
		].filter((n): n is Node_ => n !== false);
	};
}

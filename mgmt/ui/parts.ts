// SPDX-License-Identifier: Apache-2.0
// The parts of every page: cards, tables, lists of figures, marks that do not depend on colour.
import { COMMANDS } from "./asked";
import { h, type Child, type Node_ } from "./dom";
import { feed, waitedFor } from "./feed";
import { clockTime, count } from "./format";
import { language, t, type Key } from "./text";
import type { Stand, State } from "./types";

// ---- fields of forms ----------------------------------------------------------------------------

// Fields of forms: a choice, a line of text, a command.

const CLASSES: [string, Key][] = [["read", "class_read"], ["write", "class_write"], ["control", "class_control"], ["program", "class_program"], ["diagnose", "class_diagnose"]];

export function choice(id: string, label: Key, options: [string, Key][]): Node_ {
	return h("div", { class: "field" }, h("label", { for: id }, t(label)),
		h("select", { id }, options.map(([v, key]) => h("option", { value: v }, t(key)))));
}

export function field(id: string, label: Key, more: Record<string, string> = {}): Node_ {
	return h("div", { class: "field" }, h("label", { for: id }, t(label)), h("input", { id, type: "text", spellcheck: "false", autocapitalize: "none", autocomplete: "off", ...more }));
}

export function commands(id: string): Node_ {
	return h("div", { class: "field" }, h("label", { for: id }, t("command")),
		h("select", { id }, h("option", { value: "" }, t("any")), CLASSES.map(([v, key]) => h("option", { value: v }, t(key))),
			COMMANDS.map(([protocol, names]) => h("optgroup", { label: protocol }, names.map((name) => h("option", { value: name }, name))))));
}

export type Tone = "good" | "wait" | "note" | "bad" | "off";

function toneOf(stand: Stand): Tone {
	return stand === "good" ? "good" : stand === "waiting" ? "wait" : "bad";
}

const PATHS: Record<Tone, string> = {
	good: "M9.5 16.2 5.3 12l-1.8 1.8 6 6L21 8.3l-1.8-1.8z",
	wait: "M12 2a10 10 0 1 0 .01 0zm0 2.5a7.5 7.5 0 1 1-.01 0zM10.8 7h2.4v5.2l3.6 2.2-1.2 2-4.8-2.9z",
	note: "M12 2a10 10 0 1 0 .01 0zM10.8 6.5h2.4v7h-2.4zm0 8.8h2.4v2.4h-2.4z",
	bad: "M12 2.5 1 21.5h22zm0 5 6.6 11.5H5.4zm-1.2 3.5h2.4v4h-2.4zm0 5h2.4v2.2h-2.4z",
	off: "M4 10.8h16v2.4H4z",
};

/** Each meaning has a shape of its own, beside the words. */
export function mark(tone: Tone): Node_ {
	return h("svg", { class: "mark", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, h("path", { d: PATHS[tone] }));
}

export function chip(tone: Tone, text: string): Node_ {
	return h("span", { class: "chip " + tone }, mark(tone), h("span", {}, text));
}

export function card(id: string, title: Key, wide: boolean, ...body: (Child | Child[])[]): Node_ {
	return h("section", { class: wide ? "card wide" : "card", "aria-labelledby": id, "data-key": id }, h("h2", { id }, t(title)), ...body);
}

interface Column {
	head: Key;
	number?: boolean;
}

const MANY = 6;

/**
 * The first cell of a row names it. A wide or long table scrolls by itself, also by keyboard, below
 * its own head. Without enough room each row of a table with many columns becomes a card
 * (main.audit); screen readers still read it as a table, so its parts have their roles.
 */
export function grid(label: Key, columns: Column[], rows: (Child | Child[])[][]): Node_ {
	const kind = (i: number): string => (columns[i]?.number === true ? "number" : ""), heads = columns.map((c) => t(c.head));
	return h("div", { class: "scroll rows", tabindex: 0, role: "group", "aria-label": t(label) },
		h("table", { class: columns.length >= MANY ? "many" : undefined, role: "table" },
			h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map((head, i) => h("th", { scope: "col", role: "columnheader", class: kind(i) }, head)))),
			h("tbody", { role: "rowgroup" }, rows.map((row) => h("tr", { role: "row" }, row.map((cell, i) =>
				i === 0 ? h("th", { scope: "row", role: "rowheader", class: kind(i) }, cell) : h("td", { role: "cell", class: kind(i), "data-head": heads[i] ?? "" }, cell)))))));
}

export function figures(...rows: ([Key, Child | Child[]] | false)[]): Node_ {
	return h("dl", {}, rows.filter((r): r is [Key, Child | Child[]] => r !== false)
		.map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value))));
}

/** A bar for an amount, beside the words. */
export function bar(used: number, most: number, bad: boolean): Node_ {
	const share = most > 0 ? Math.min(used / most, 1) : 0;
	return h("svg", { class: bad ? "bar bad" : "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
		h("rect", { class: "track", width: 100, height: 6, rx: 3 }), h("rect", { class: "fill", width: Math.max(share * 100, used > 0 ? 1 : 0), height: 6, rx: 3 }));
}

/* The headline and its companions. While the box is silent, the headline says that, and nothing
 * looks good. */
export function headline(state: State, large: boolean, beside: Child = undefined): Node_ {
	const failed = feed.failed !== undefined;
	const when = clockTime(new Date(feed.at));
	return h("div", { class: "headline " + (failed ? "off" : toneOf(state.stand)) + (large ? " large" : "") },
		mark(failed ? "bad" : toneOf(state.stand)),
		h("div", {},
			h("p", { class: "stale", role: "alert" }, failed && t(feed.failed === "unavailable" ? "unavailable" : "stale", when)),
			h("div", { role: "status", "aria-live": "polite" }, h("h1", {}, failed ? t("state_unknown", headlineOf(state)) : headlineOf(state))),
			h("p", { class: "under" }, place(state), h("span", { class: "as-of" }, t("as_of", when)))), beside);
}

/**
 * Faults and alarms by their number and the first one; each has a line below. Other states by their
 * sentence.
 */
function headlineOf(state: State): string {
	const words = state[language()];
	return (state.stand === "alarmed" || state.stand === "faulty") && words.headline !== "" ? words.headline : words.sentence;
}

function place(state: State): Child {
	const site = state.status.site ?? {}, name = site.name ?? "", label = site.label ?? "";
	if (name === "" && label === "") return undefined;
	return h("span", {}, t("site") + " ", h("b", {}, label !== "" ? label : name), label !== "" && name !== "" && label !== name ? " (" + name + ")" : "");
}

// ---- work that may take a while -----------------------------------------------------------------

// Work of the box that may take a while: its duration, its progress, and a button that stops work
// which changes nothing. Stopping ends the request, and the box stops what nobody waits for.
// Progress comes by the page's stream; without a stream none is shown.

const TURN_MS = 1000;

export interface Patience {
	ask: number; // the number by which the box reports on it
	since: number;
	stop: AbortController;
	ends: boolean; // it may be stopped
	turns: ReturnType<typeof setInterval>;
}

export const waited = (p: Patience): number => Math.floor((Date.now() - p.since) / 1000);

/** `changed` is called each second until it ends, to update the time. */
export function patience(changed: () => void, ends = true): Patience {
	const ask = 1 + Math.floor(Math.random() * 999999999);
	waitedFor.add(ask);
	return { ask, since: Date.now(), stop: new AbortController(), ends, turns: setInterval(changed, TURN_MS) };
}

/** The waiting has ended, by an answer or by the person. */
export function endPatience(p: Patience | undefined): void {
	clearInterval(p?.turns);
	if (p !== undefined) waitedFor.delete(p.ask);
}

const STAGES: Record<string, Key> = {
	waits_change: "stage_waits_change", waits_turn: "stage_waits_turn", compiles: "stage_compiles", workers: "stage_workers", reads: "stage_reads", sessions: "stage_sessions",
	impact: "stage_impact", kernel: "stage_kernel", compares: "stage_compares", executes: "stage_executes", packets: "stage_packets", lists: "stage_lists",
};

/** The box's last report; a stage of a newer box has no words here. */
function progress(p: Patience): Child {
	const said = feed.progress, stage = said !== undefined && said.ask === p.ask ? STAGES[said.stage] : undefined;
	if (said === undefined || stage === undefined) return undefined;
	const far = said.of > 0 && said.entries > 0 ? t("progress_parts", said.done, said.of, count(said.entries)) : said.of > 0 ? t("progress_of", count(said.done), count(said.of))
		: said.done > 0 ? t("progress_done", count(said.done)) : "";
	return h("p", { class: "note", "data-key": "progress", "data-stage": said.stage }, t(stage) + far);
}

/** Shown while an answer is awaited. Screen readers do not read each second. */
export function waiting(p: Patience | undefined, what: Key): Child[] {
	const label = h("p", { role: "status", "data-key": "waiting" }, t(what));
	if (p === undefined) return [label];
	return [label, progress(p), h("p", { class: "note", role: "timer", "data-key": "waited" }, t("elapsed", waited(p))),
		p.ends && h("p", { class: "acts", "data-key": "waiting-acts" }, h("button", { type: "button", "data-key": "stop-waiting", click: () => p.stop.abort() }, t("stop_waiting")))];
}

// SPDX-License-Identifier: Apache-2.0
// A text with numbered lines in the browser's own text field: typing, selecting, undo and screen
// readers work as usual. Ctrl+Space completes names from the texts, from expanded fleets, and the
// words of the language.
import { WORDS } from "./asked";
import { h, type Child, type Node_ } from "./dom";
import { t } from "./text";
import type { Diagnostic } from "./types";

// ---- fleets, expanded ---------------------------------------------------------------------------

// The expansion of fleets for the editor's completion. The text is being written, so it may be
// incomplete.

export interface Named {
	name: string;
	text: string;
}

/** The cells of a typed table, without quotes, surrounding blanks and byte order mark. */
export function cells(text: string): string[][] {
	return text.replace(/^\ufeff/, "").split(/\r?\n/).map((line) => [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => (quoted?.replace(/""/g, '"') ?? plain ?? "").trim()));
}

const FLEET = /\{[^{}]*\bmembers\s*=\s*[[(]([^\])]*)[\])][^{}]*/g;
const found = (text: string, what: RegExp): string[] => [...text.matchAll(what)].map((m) => m[1] ?? "");

/**
 * Members of fleets, as in a conduit with `each` (".plc") and as assets ("rtg07.plc"): of machines
 * in the text, or in a table beside it.
 */
function membersOf(texts: Named[]): string[] {
	const names: string[] = [];
	// a label may contain {}
	for (const { text } of texts) for (const fleet of text.replace(/\{\}/g, "").matchAll(FLEET)) {
		const whole = fleet[0] ?? "", members = found(fleet[1] ?? "", /"([\w-]+)"/g), file = /\bfrom\s*=\s*"([^"]*)"/.exec(whole)?.[1];
		const table = file === undefined ? undefined : cells(texts.find((x) => x.name === file)?.text ?? ""), column = table?.[0]?.indexOf("name") ?? -1;
		const machines = table === undefined ? found(whole.replace(/\bmembers\s*=[^;]*/, ""), /[[(]\s*"([\w-]+)"\s*,/g) : table.slice(1).map((row) => row[column] ?? "");
		for (const m of members) names.push("." + m, ...machines.filter((x) => x !== "").map((x) => x + "." + m));
	}
	return names;
}

const MOST_OFFERED = 12;

export interface Offer {
	field: string;
	start: number;
	end: number;
	words: string[];
}

const fieldOf = (id: string): HTMLTextAreaElement | null => document.getElementById(id) as HTMLTextAreaElement | null;

/** Words that could complete the letters before the cursor. */
export function offer(id: string, texts: Named[]): Offer | undefined {
	const field = fieldOf(id);
	if (field === null) return undefined;
	const end = field.selectionStart, begun = /[A-Za-z0-9_.-]*$/.exec(field.value.slice(0, end))?.[0] ?? "";
	const known = new Set([...WORDS, ...texts.flatMap((x) => x.text.match(/[A-Za-z][A-Za-z0-9_-]{2,}/g) ?? []), ...membersOf(texts)]);
	const words = [...known].filter((w) => w.startsWith(begun) && w !== begun).sort().slice(0, MOST_OFFERED);
	return words.length === 0 ? undefined : { field: id, start: end - begun.length, end, words };
}

/** Inserts the word as if it were typed, so that it can be undone. */
export function take(o: Offer, word: string): void {
	const field = fieldOf(o.field);
	if (field === null) return;
	field.focus();
	field.setSelectionRange(o.start, o.end);
	if (!document.execCommand("insertText", false, word)) {
		field.setRangeText(word, o.start, o.end, "end");
		field.dispatchEvent(new Event("input", { bubbles: true }));
	}
}

/**
 * The begin and end of a compiler's place in a line: the compiler counts bytes, a browser its own
 * units.
 */
function within(line: string, column: number, width: number): [number, number] {
	const bytes = new TextEncoder().encode(line), units = (n: number): number => new TextDecoder().decode(bytes.slice(0, Math.max(0, n))).length, from = units(column - 1);
	return [from, Math.max(from, units(column - 1 + width))];
}

/** Selects the place in the text and scrolls to it. */
export function jump(id: string, line: number, column: number, width: number): void {
	const field = fieldOf(id);
	if (field === null) return;
	const lines = field.value.split("\n"), at = Math.min(line, lines.length) - 1;
	const begin = lines.slice(0, at).reduce((n, l) => n + l.length + 1, 0), [from, to] = within(lines[at] ?? "", column, width);
	field.focus();
	field.setSelectionRange(begin + from, begin + to);
	const box = field.parentElement as HTMLElement;
	box.scrollTop = Math.max(0, (at + 0.5) * (field.scrollHeight / lines.length) - box.clientHeight / 2);
}

// ---- positions of letters: as the browser sets them, with its fonts, wide letters and tabs ------

let ruler: HTMLElement | undefined;

/** The width of these letters in the field, in pixels. */
function wide(text: string): number {
	if (ruler === undefined) {
		ruler = document.createElement("pre");
		ruler.className = "ruler";
		ruler.setAttribute("aria-hidden", "true");
		document.body.append(ruler);
	}
	ruler.textContent = text;
	const width = ruler.getBoundingClientRect().width;
	ruler.textContent = "";
	return width;
}

interface Lines {
	left: number;
	top: number;
	height: number; // of one line
}

function linesOf(field: HTMLElement): Lines {
	const style = getComputedStyle(field);
	return { left: parseFloat(style.paddingLeft), top: parseFloat(style.paddingTop), height: parseFloat(style.lineHeight) };
}

const WAVE = 3;

/** A wave below each of these places. Empty before the field exists; it is drawn again soon. */
function waves(id: string, places: Diagnostic[]): Node_ | false {
	const field = fieldOf(id);
	if (field === null || places.length === 0) return false;
	const l = linesOf(field), lines = field.value.split("\n");
	return h("svg", { class: "waves", "data-key": "waves", "aria-hidden": "true", focusable: "false" }, h("g", { transform: "translate(" + -field.scrollLeft + " 0)" }, places.map((d, i) => {
		const line = lines[d.line - 1] ?? "", [from, to] = within(line, d.column, Math.max(1, d.width)), x = l.left + wide(line.slice(0, from));
		const end = x + Math.max(2 * WAVE, wide(line.slice(from, to))), y = l.top + d.line * l.height - WAVE;
		let path = "M" + x.toFixed(1) + " " + y.toFixed(1);
		for (let n = 0; x + n * WAVE < end; n++) path += "q" + WAVE / 2 + " " + (n % 2 === 0 ? -WAVE : WAVE) + " " + WAVE + " 0";
		return h("path", { "data-key": "w" + i, d: path });
	})));
}

/** Puts the offered words below the letters that they would complete. */
export function atCaret(o: Offer): void {
	const field = fieldOf(o.field), list = document.querySelector<HTMLElement>(".offer");
	if (field === null || list === null) return;
	const l = linesOf(field), before = field.value.slice(0, o.start).split("\n"), box = field.parentElement as HTMLElement;
	const x = field.offsetLeft + l.left + wide(before[before.length - 1] ?? "") - field.scrollLeft;
	list.style.left = Math.max(0, Math.min(x, box.clientWidth - list.offsetWidth)) + "px";
	list.style.top = field.offsetTop + l.top + before.length * l.height + "px";
	list.scrollIntoView({ block: "nearest" });
}

/**
 * `places`: of errors, whose lines are marked. A new `stamp` makes a new field when the text was
 * replaced. `more` is shown over the field.
 */
export function editor(id: string, label: string, text: string, stamp: number, locked: boolean, lines: number, places: Diagnostic[], events: Record<string, (event: Event) => void>, more: Child): Node_ {
	const marked = new Set(places.map((d) => d.line));
	let numbers = "";
	for (let n = 1; n <= lines; n++) numbers += (marked.has(n) ? "▶ " : "") + n + "\n";
	return h("div", { class: "editor", "data-key": "box-" + id },
		h("pre", { class: "gutter", "aria-hidden": "true" }, numbers),
		h("textarea", { id, "data-key": id + "." + stamp, "aria-label": label, "aria-describedby": "editor-help", rows: lines, wrap: "off", spellcheck: "false", autocapitalize: "none",
			autocomplete: "off", readonly: locked, ...events }, text), waves(id, places), more);
}

export function offered(o: Offer, chosen: (word: string) => void, closed: () => void): Node_ {
	return h("div", { class: "offer", "data-key": "offer", role: "group", "aria-label": t("completion"), keydown: (event: Event) => {
		if ((event as KeyboardEvent).key === "Escape") closed();
	} }, o.words.map((w) => h("button", { type: "button", "data-key": "w-" + w, click: () => chosen(w) }, w)));
}

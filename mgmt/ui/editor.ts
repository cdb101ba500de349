// SPDX-License-Identifier: Apache-2.0
// A text with numbered lines, in the browser's own field for text: what people know of typing, marking, undoing and reading aloud holds. Names are
// completed by Ctrl+Space, from those that stand in the texts already, what fleets make of them, and the words of the language.
import { h, type Node_ } from "./dom";
import { membersOf, type Named } from "./members";
import { t } from "./text";
import { WORDS } from "./words";

const MOST_OFFERED = 12;

export interface Offer {
	field: string;
	start: number;
	end: number;
	words: string[];
}

const fieldOf = (id: string): HTMLTextAreaElement | null => document.getElementById(id) as HTMLTextAreaElement | null;

/** What could be meant by the letters before the cursor. */
export function offer(id: string, texts: Named[]): Offer | undefined {
	const field = fieldOf(id);
	if (field === null) return undefined;
	const end = field.selectionStart, begun = /[A-Za-z0-9_.-]*$/.exec(field.value.slice(0, end))?.[0] ?? "";
	const known = new Set([...WORDS, ...texts.flatMap((x) => x.text.match(/[A-Za-z][A-Za-z0-9_-]{2,}/g) ?? []), ...membersOf(texts)]);
	const words = [...known].filter((w) => w.startsWith(begun) && w !== begun).sort().slice(0, MOST_OFFERED);
	return words.length === 0 ? undefined : { field: id, start: end - begun.length, end, words };
}

/** Puts the word there as if it were typed, so that it can be undone. */
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

/** Marks the place in the text and brings it into sight. */
export function jump(id: string, line: number, column: number, width: number): void {
	const field = fieldOf(id);
	if (field === null) return;
	const lines = field.value.split("\n"), at = Math.min(line, lines.length) - 1;
	const begin = lines.slice(0, at).reduce((n, l) => n + l.length + 1, 0), bytes = new TextEncoder().encode(lines[at] ?? "");
	// The compiler counts bytes; a browser counts by its own units.
	const from = new TextDecoder().decode(bytes.slice(0, Math.max(0, column - 1))).length, to = new TextDecoder().decode(bytes.slice(0, Math.max(0, column - 1) + width)).length;
	field.focus();
	field.setSelectionRange(begin + from, begin + Math.max(to, from));
	const box = field.parentElement as HTMLElement;
	box.scrollTop = Math.max(0, (at + 0.5) * (field.scrollHeight / lines.length) - box.clientHeight / 2);
}

/** `marked`: lines with a mistake in them. `stamp` makes it another field when its text is another. */
export function editor(id: string, label: string, text: string, stamp: number, locked: boolean, lines: number, marked: Set<number>, events: Record<string, (event: Event) => void>): Node_ {
	let numbers = "";
	for (let n = 1; n <= lines; n++) numbers += (marked.has(n) ? "▶ " : "") + n + "\n";
	return h("div", { class: "editor", "data-key": "box-" + id },
		h("pre", { class: "gutter", "aria-hidden": "true" }, numbers),
		h("textarea", { id, "data-key": id + "." + stamp, "aria-label": label, "aria-describedby": "editor-help", rows: lines, wrap: "off", spellcheck: "false", autocapitalize: "none",
			autocomplete: "off", readonly: locked, ...events }, text));
}

export function offered(o: Offer, chosen: (word: string) => void, closed: () => void): Node_ {
	return h("div", { class: "offer", "data-key": "offer", role: "group", "aria-label": t("completion"), keydown: (event: Event) => {
		if ((event as KeyboardEvent).key === "Escape") closed();
	} }, o.words.map((w) => h("button", { type: "button", "data-key": "w-" + w, click: () => chosen(w) }, w)));
}

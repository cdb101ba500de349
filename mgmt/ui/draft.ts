// SPDX-License-Identifier: Apache-2.0
// The draft as this page knows it: the box's state, what is in force, and what is typed here but
// not saved. This file draws nothing.
import { feed } from "./feed";
import { endPatience, patience, waited, type Patience } from "./parts";
import { ask, order, person as account, type Answer, type Person, type Refused, whenLeft } from "./session";
import type { Diagnostic, Draft, Generation, Outcome, Said, Text, Conduit } from "./types";

const LOOK_MS = 5000;

export interface Kept {
	draft: Draft;
	sources: Text[]; // the draft's texts; empty without a draft
	force: { number: number; sources: Text[] };
	history: Generation[];
	person: Person;
}

/** Edits that were not saved, as this browser keeps them: of one account, with their base. */
interface Left {
	base: number;
	revision: number;
	at: string;
	texts: Text[];
}

/** Comments for a save, and for the next step. */
export type CommentOf = "draft-comment" | "step-comment";
const COMMENTS: CommentOf[] = ["draft-comment", "step-comment"], NOTHING = { "draft-comment": "", "step-comment": "" };

export interface Change {
	kept?: Kept;
	// the draft's state at the last look; a revision other than that of kept.draft means that
	// somebody has saved meanwhile
	now?: Draft;
	texts: Text[]; // as they are typed
	stamp: number; // rises when the texts change other than by typing
	busy: string; // the order in progress; "" = none
	waits?: Patience; // for an order that changes nothing
	stopped?: number; // seconds after which the last order was stopped
	failed?: Refused;
	comments: Record<CommentOf, string>; // as they are typed
	used: number; // rises when a comment was sent or replaced, which makes a new field
	left?: Left; // edits of an earlier time, until their author decides about them
	/** The result of the last order, until the next one. */
	said?: { order: string; outcome: Outcome; of: Text[] }; // `of`: the texts that it is about
}

export const change: Change = { texts: [], stamp: 0, busy: "", comments: { ...NOTHING }, used: 0 };
let timer: ReturnType<typeof setTimeout> | undefined;
let run = 0;
let looking = false;
let newest: string | undefined; // of the changes that the status names: the history has it
let seen = -1; // number of records at the last look: every change of a draft makes a record

const LONG = ["check", "try", "apply", "rollback"]; // orders that may take a while
// orders that change neither the draft's text nor the policy in force: nobody has to wait for them
const ENDS = ["check", "try"];
const copy = (texts: Text[]): Text[] => texts.map((t) => ({ ...t }));
const same = (a: Text[], b: Text[]): boolean => a.length === b.length && a.every((t, i) => t.name === b[i]?.name && t.text === b[i]?.text);

/** What the editor begins with: the draft, unless it has been applied; else the policy in force. */
function begins(k: Kept): Text[] {
	return k.draft.state === "none" || k.draft.state === "applied" || k.sources.length === 0 ? k.force.sources : k.sources;
}

export function edited(): boolean {
	return change.kept !== undefined && !same(change.texts, begins(change.kept));
}

const place = (): string => "sekisho-edits " + account();

/**
 * Edits outlive this page, a session and the browser. When they cannot be stored (no room), leaving
 * the page still warns.
 */
export function keepEdits(): void {
	const k = change.kept;
	if (k === undefined || account() === "" || change.left !== undefined) return;
	if (!edited()) return dropEdits();
	const left: Left = { base: k.force.number, revision: k.draft.revision, at: new Date().toISOString(), texts: change.texts };
	try {
		localStorage.setItem(place(), JSON.stringify(left));
	} catch {
		dropEdits(); // an older text is not what was typed
	}
}

export function dropEdits(): void {
	delete change.left;
	localStorage.removeItem(place());
}

const besides = (): string => "sekisho-comments " + account();

/**
 * A comment outlives this page as edits do. It belongs to this revision, so that nobody gives it to
 * another one by mistake.
 */
export function keepComment(of: CommentOf, text: string): void {
	const k = change.kept;
	change.comments[of] = text;
	if (k === undefined || account() === "") return;
	try {
		if (COMMENTS.every((c) => change.comments[c] === "")) localStorage.removeItem(besides());
		else localStorage.setItem(besides(), JSON.stringify({ revision: k.draft.revision, ...change.comments }));
	} catch {
		localStorage.removeItem(besides());
	}
}

function leftComments(revision: number): Record<CommentOf, string> {
	try {
		const left = JSON.parse(localStorage.getItem(besides()) ?? "null") as (Record<CommentOf, string> & { revision: number }) | null;
		if (left !== null && left.revision === revision && COMMENTS.every((c) => typeof left[c] === "string")) return { "draft-comment": left["draft-comment"], "step-comment": left["step-comment"] };
	} catch {
		// What is stored is of another version or damaged, and is ignored.
	}
	return { ...NOTHING };
}

/** The comment was sent. */
function saidComment(of: CommentOf): void {
	keepComment(of, "");
	change.used++;
}

/** Edits of an earlier time, if they differ from what is shown. */
function leftEdits(): Left | undefined {
	try {
		const left = JSON.parse(localStorage.getItem(place()) ?? "null") as Left | null;
		if (left !== null && left.texts.every((x) => typeof x.name === "string" && typeof x.text === "string") && !same(left.texts, change.texts)) return left;
	} catch {
		// What is stored is of another version or damaged, and is ignored.
	}
	return undefined;
}

/** The errors that the box found in this text, as long as their lines are unchanged. */
export function mistakes(one: Text | undefined): Diagnostic[] {
	const k = change.kept, said = change.said?.outcome.diagnostics, list = said ?? k?.draft.tried?.answer.diagnostics ?? [];
	const seen = (said !== undefined ? change.said?.of : k?.sources)?.find((x) => x.name === one?.name)?.text.split("\n") ?? [], now = one?.text.split("\n") ?? [];
	return list.filter((d) => d.severity === "error" && d.file === one?.name && seen[d.line - 1] !== undefined && seen[d.line - 1] === now[d.line - 1]);
}

export function may(right: string): boolean {
	return change.kept?.person.rights.includes(right) === true;
}

/** What an answer of the box is about: when one of these changes, the answer is old. */
const about = (d: Draft | undefined): string => [d?.revision, d?.state, d?.in_force, d?.on_trial].join(" ");

/** The draft as the box has it now; one that was replaced after its apply is none any more. */
export function draftNow(k: Kept): Draft {
	const d = change.now ?? k.draft;
	return d.state === "applied" && d.generation !== d.in_force ? { ...d, state: "none", tried: null, comment: null, decided_by: null } : d;
}

/** Somebody else has saved, or another policy came into force, since this page was loaded. */
export function moved(): boolean {
	const k = change.kept, now = change.now;
	return k !== undefined && now !== undefined && (now.revision !== k.draft.revision || now.in_force !== k.force.number);
}

export function show(texts: Text[]): void {
	change.texts = copy(texts);
	change.stamp++;
}

export function typed(name: string, text: string): void {
	const one = change.texts.find((t) => t.name === name);
	if (one !== undefined) one.text = text;
	keepEdits();
}

whenLeft(() => {
	run++;
	clearTimeout(timer);
	looking = false;
	change.texts = [];
	change.comments = { ...NOTHING };
	change.busy = "";
	endPatience(change.waits);
	delete change.waits;
	delete change.stopped;
	delete change.kept;
	delete change.now;
	delete change.failed;
	delete change.said;
	delete change.left;
});

/** Asks who is signed in, but not for a token, which is no person. */
const me = (): Promise<Answer<Person>> => (account() !== "" ? ask<Person>("/api/v1/me") : Promise.resolve({ ok: false, why: "unauthorized" }));

/**
 * Loads everything anew. With `keep` the typed text stays, and a save replaces what is loaded now.
 */
export async function load(keep: boolean, changed: () => void): Promise<void> {
	const mine = ++run;
	const [draft, policy, history, person] = await Promise.all([ask<{ draft: Draft; sources: Text[] }>("/api/v1/draft"),
		ask<{ generation: { number: number }; sources: Text[] }>("/api/v1/policy"), ask<{ history: Generation[] }>("/api/v1/history"), me()]);
	if (mine !== run) return;
	delete change.failed;
	if (!draft.ok) change.failed = draft.why;
	else if (!history.ok) change.failed = history.why;
	else {
		// A box without a policy has none to show, and a token is no person.
		const force = policy.ok && policy.value.sources !== undefined ? { number: draft.value.draft.in_force, sources: policy.value.sources } : { number: draft.value.draft.in_force, sources: [] };
		change.kept = { draft: draft.value.draft, sources: draft.value.sources, force, history: history.value.history,
			person: person.ok ? person.value : { name: "", roles: [], rights: [], two_persons: true, choose_passphrase: false } };
		change.now = draft.value.draft;
		// it now belongs to this revision
		if (keep) keepComment("step-comment", change.comments["step-comment"]);
		else {
			show(begins(change.kept));
			change.comments = leftComments(draft.value.draft.revision);
			change.used++;
			const left = may("edit_draft") ? leftEdits() : undefined;
			if (left !== undefined) change.left = left;
		}
	}
	changed();
}

async function look(changed: () => void): Promise<void> {
	const mine = run, records = feed.newest;
	timer = setTimeout(() => void look(changed), LOOK_MS);
	if (change.kept === undefined) {
		if (change.failed !== "unreachable" && change.failed !== "unavailable") return;
		delete change.failed;
		return load(false, changed);
	}
	if (records === seen && records !== 0) return;
	seen = records;
	// A trial may have begun and run out between two looks.
	const last = JSON.stringify(feed.state?.status.changes?.[0]);
	const [answer, past] = await Promise.all([ask<{ draft: Draft }>("/api/v1/draft?texts=0"), last !== newest ? ask<{ history: Generation[] }>("/api/v1/history") : undefined]);
	if (mine !== run || !looking) return;
	if (past?.ok === true) {
		newest = last;
		change.kept.history = past.value.history;
		changed();
	}
	if (answer.ok && change.kept !== undefined) {
		const before = JSON.stringify(change.now), ended = change.now !== undefined && change.now.on_trial > 0 && answer.value.draft.on_trial === 0;
		// what was typed is still what was checked
		if (about(change.now) !== about(answer.value.draft) && change.said?.order !== "check") delete change.said;
		change.now = answer.value.draft;
		// A trial is over: the history tells why.
		if (ended) return load(edited(), changed);
		// The draft was approved or rejected, or its trial ran out: its texts are still
		// those that are shown.
		if (!moved()) {
			const was = begins(change.kept), own = edited();
			change.kept.draft = answer.value.draft;
			// After an apply, the editor begins with another text, which is nobody's
			// edit.
			if (!own && !same(begins(change.kept), was)) return load(false, changed);
		}
		if (JSON.stringify(change.now) !== before) changed();
	} else {
		seen = -1;
	}
}

/** Looks at each new record while the page is open. */
export function watchDraft(open: boolean, changed: () => void): void {
	if (open === looking) return;
	looking = open;
	clearTimeout(timer);
	if (open) timer = setTimeout(() => void look(changed), LOOK_MS);
}

/** Gives an order; change.said gets its result. True: it was done. */
export async function give(word: string, more: Record<string, unknown>, changed: () => void): Promise<boolean> {
	const k = change.kept;
	if (change.busy !== "" || k === undefined) return false;
	change.busy = word;
	delete change.failed;
	delete change.said;
	delete change.stopped;
	const about = copy(word === "try" ? k.sources : change.texts);
	const p = LONG.includes(word) ? patience(changed, ENDS.includes(word) || more.dry_run === true) : undefined;
	if (p !== undefined) change.waits = p;
	changed();
	const answer = await order<Outcome>({ order: word, revision: k.draft.revision, ...more }, p?.stop.signal, p?.ask);
	endPatience(p);
	// another person is signed in meanwhile
	if (p !== undefined && change.waits !== p) return false;
	delete change.waits;
	change.busy = "";
	if (p?.stop.signal.aborted === true) {
		change.stopped = waited(p);
		changed();
		return false;
	}
	if (!answer.ok) {
		change.failed = answer.why;
		changed();
		return false;
	}
	change.said = { order: word, outcome: answer.value, of: about };
	const now = answer.value.draft;
	// Typed text stays, unless it was just saved or the draft is gone; another policy may be in
	// force now.
	if (now !== undefined) {
		if (answer.value.done && word === "save") {
			k.draft = now;
			k.sources = copy(change.texts);
			keepEdits();
			// the comment now belongs to this revision
			keepComment("step-comment", change.comments["step-comment"]);
		}
		if (answer.value.done && word === "discard") dropEdits();
		const of: CommentOf = word === "save" ? "draft-comment" : "step-comment";
		if (answer.value.done && word !== "try" && typeof more.comment === "string" && more.comment !== "" && more.comment === change.comments[of].trim()) saidComment(of);
		change.now = now;
		if (!moved()) k.draft = now;
	}
	changed();
	if (answer.value.done && ["apply", "confirm", "rollback", "discard"].includes(word)) await load(word !== "discard" && edited(), changed);
	return answer.value.done;
}

export const words = (s: Said | null | undefined, lang: "ja" | "en"): string => (s === null || s === undefined ? "" : s[lang]);

// ---- making a conduit enforce -------------------------------------------------------------------

// Makes an observing conduit enforce by replacing one word in the policy's text. Without that word
// nothing is changed.

/**
 * Calls `each` for each place outside of quotes and comments, with its depth of braces, until it
 * returns true.
 */
export function walk(text: string, from: number, each: (at: number, depth: number) => boolean): void {
	let depth = 0;
	for (let at = from; at < text.length; at++) {
		const two = text.slice(at, at + 2), c = text[at];
		if (c === "#" || two === "//") at = (text.indexOf("\n", at) + text.length + 1) % (text.length + 1) - 1;
		else if (two === "/*") at = (text.indexOf("*/", at + 2) + text.length + 1) % (text.length + 1);
		else {
			depth += c === "{" ? 1 : c === "}" ? -1 : 0;
			if (!each(at, depth)) return;
			if (c === '"') for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
		}
	}
}

/** The changed texts, or undefined. */
export function promoted(texts: Text[], k: Conduit): Text[] | undefined {
	const one = texts.find((x) => x.name === k.file), lines = one?.text.split("\n") ?? [], line = k.line ?? 0;
	if (one === undefined || line < 1 || line > lines.length) return undefined;
	const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0), ahead = one.text.lastIndexOf("{", start);
	const from = lines[line - 1]?.includes("{") === true ? one.text.indexOf("{", start) : ahead;
	const found: { at: number; end: number; by: string }[] = [];
	let name = false;
	if (from < 0) return undefined;
	walk(one.text, from, (at, depth) => {
		const rest = depth === 1 && !/\w/.test(one.text[at - 1] ?? "") ? one.text.slice(at, at + 200) : "";
		const observes = /^mode\s*[=:]\s*"observe"/.exec(rest), shadows = /^shadow\s*[=:]\s*true\s*;?[ \t]*/.exec(rest), called = /^name\s*[=:]\s*"([^"]*)"/.exec(rest);
		name = name || called?.[1] === k.name;
		if (observes !== null) found.push({ at, end: at + (observes[0] ?? "").length, by: 'mode = "enforce"' });
		if (shadows !== null) found.push({ at, end: at + (shadows[0] ?? "").length, by: "" });
		return depth > 0;
	});
	if (!name || !found.some((f) => f.by !== "")) return undefined;
	const text = found.reverse().reduce((sum, f) => sum.slice(0, f.at) + f.by + sum.slice(f.end), one.text);
	return texts.map((x) => (x === one ? { name: x.name, text } : x));
}

// ---- a line that another page knows -------------------------------------------------------------

/**
 * The texts with `line` as the first entry of this list ("conduits") or group ("services"), or
 * undefined where the texts have none.
 */
export function inserted(texts: Text[], list: string, line: string): Text[] | undefined {
	const begins = new RegExp("^" + list + "\\s*[=:]\\s*([({])");
	for (const one of texts) {
		let begin = -1, open = "";
		walk(one.text, 0, (at, depth) => {
			const m = depth === 0 && !/\w/.test(one.text[at - 1] ?? "") ? begins.exec(one.text.slice(at, at + 80)) : null;
			if (m !== null) [begin, open] = [at + (m[0] ?? "").length, m[1] ?? ""];
			return begin < 0;
		});
		if (begin < 0) continue;
		const rest = one.text.slice(begin), alone = /^(?:\s|#.*|\/\/.*|\/\*[^]*?\*\/)*\)/.test(rest);
		return texts.map((x) => (x === one ? { name: x.name, text: one.text.slice(0, begin) + "\n" + line + (open === "(" && !alone ? "," : open === "{" ? ";" : "") + rest } : x));
	}
	return undefined;
}

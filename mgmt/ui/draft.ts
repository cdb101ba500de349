// SPDX-License-Identifier: Apache-2.0
// The draft as this page knows it: what the box has, what is in force, what is typed here and saved nowhere yet. Nothing of it is drawn here.
import { feed } from "./feed";
import { endPatience, patience, waited, type Patience } from "./patience";
import { ask, order, person as account, type Answer, type Person, type Refused } from "./session";
import type { Draft, Generation, Outcome, Said, Text } from "./types";

const LOOK_MS = 5000;

export interface Kept {
	draft: Draft;
	sources: Text[]; // of the draft; none when there is none
	force: { number: number; sources: Text[] };
	history: Generation[];
	person: Person;
}

export interface Change {
	kept?: Kept;
	now?: Draft; // as it stands by the last look; another revision than kept.draft's: somebody has saved meanwhile
	texts: Text[]; // as they are typed
	stamp: number; // rises when they are others than those typed
	busy: string; // the order that is on its way; "" = none
	waits?: Patience; // for one that changes nothing
	stopped?: number; // after so many seconds, the last one
	failed?: Refused;
	/** What the last order came to, until the next one. */
	said?: { order: string; outcome: Outcome };
}

export const change: Change = { texts: [], stamp: 0, busy: "" };
let timer: ReturnType<typeof setTimeout> | undefined;
let run = 0;
let looking = false;
let seen = -1; // records at the last look: whatever becomes of a draft is one

const LONG = ["check", "try", "apply", "rollback"]; // what may take a while
const ENDS = ["check", "try"]; // ... and changes neither the draft's text nor what is in force: nobody has to wait for it
const copy = (texts: Text[]): Text[] => texts.map((t) => ({ ...t }));
const same = (a: Text[], b: Text[]): boolean => a.length === b.length && a.every((t, i) => t.name === b[i]?.name && t.text === b[i]?.text);

/** What the editor begins with: the draft, unless it has become what is in force; else what is in force. */
function begins(k: Kept): Text[] {
	return k.draft.state === "none" || k.draft.state === "applied" || k.sources.length === 0 ? k.force.sources : k.sources;
}

export function edited(): boolean {
	return change.kept !== undefined && !same(change.texts, begins(change.kept));
}

export function may(right: string): boolean {
	return change.kept?.person.rights.includes(right) === true;
}

/** Somebody else has saved, or another policy came into force, since this page read what it shows. */
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
}

/** Nothing of it is the next person's. */
export function forgetDraft(): void {
	run++;
	clearTimeout(timer);
	looking = false;
	change.texts = [];
	change.busy = "";
	endPatience(change.waits);
	delete change.waits;
	delete change.stopped;
	delete change.kept;
	delete change.now;
	delete change.failed;
	delete change.said;
}

/** A token is nobody: who asks by one would be told that he is not signed in. */
const me = (): Promise<Answer<Person>> => (account() !== "" ? ask<Person>("/api/v1/me") : Promise.resolve({ ok: false, why: "unauthorized" }));

/** Reads all of it anew. What is typed stays when `keep` says so, and is then saved over what is read now. */
export async function load(keep: boolean, changed: () => void): Promise<void> {
	const mine = ++run;
	const [draft, policy, history, person] = await Promise.all([ask<{ draft: Draft; sources: Text[] }>("/api/v1/draft"),
		ask<{ generation: { number: number }; sources: Text[] }>("/api/v1/policy"), ask<{ history: Generation[] }>("/api/v1/history"), me()]);
	if (mine !== run) return;
	delete change.failed;
	if (!draft.ok) change.failed = draft.why;
	else if (!history.ok) change.failed = history.why;
	else {
		// A box without a policy shows none, and a token is nobody.
		const force = policy.ok && policy.value.sources !== undefined ? { number: draft.value.draft.in_force, sources: policy.value.sources } : { number: draft.value.draft.in_force, sources: [] };
		change.kept = { draft: draft.value.draft, sources: draft.value.sources, force, history: history.value.history,
			person: person.ok ? person.value : { name: "", rights: [], two_persons: true, choose_passphrase: false } };
		change.now = draft.value.draft;
		if (!keep) show(begins(change.kept));
	}
	changed();
}

async function look(changed: () => void): Promise<void> {
	const mine = run, records = feed.newest;
	timer = setTimeout(() => void look(changed), LOOK_MS);
	if (records === seen && records !== 0) return;
	seen = records;
	const answer = await ask<{ draft: Draft }>("/api/v1/draft?texts=0");
	if (mine !== run || !looking) return;
	if (answer.ok && change.kept !== undefined) {
		const before = JSON.stringify(change.now);
		change.now = answer.value.draft;
		// Approved, declined, ended by time: the texts are those that are shown.
		if (!moved()) change.kept.draft = answer.value.draft;
		if (JSON.stringify(change.now) !== before) changed();
	} else {
		seen = -1;
	}
}

/** Looks while the page is open, whenever something was recorded. */
export function watchDraft(open: boolean, changed: () => void): void {
	if (open === looking) return;
	looking = open;
	clearTimeout(timer);
	if (open) timer = setTimeout(() => void look(changed), LOOK_MS);
}

/** An order; what it came to stands in change.said. True when it was done. */
export async function give(word: string, more: Record<string, unknown>, changed: () => void): Promise<boolean> {
	const k = change.kept;
	if (change.busy !== "" || k === undefined) return false;
	change.busy = word;
	delete change.failed;
	delete change.said;
	delete change.stopped;
	const p = LONG.includes(word) ? patience(changed, ENDS.includes(word) || more.dry_run === true) : undefined;
	if (p !== undefined) change.waits = p;
	changed();
	const answer = await order<Outcome>({ order: word, revision: k.draft.revision, ...more }, p?.stop.signal, p?.ask);
	endPatience(p);
	if (p !== undefined && change.waits !== p) return false; // somebody else sits here meanwhile
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
	change.said = { order: word, outcome: answer.value };
	const now = answer.value.draft;
	// What is typed stays, unless it was just saved or the draft is gone; what is in force may be another now.
	if (now !== undefined) {
		if (answer.value.done && word === "save") {
			k.draft = now;
			k.sources = copy(change.texts);
		}
		change.now = now;
		if (!moved()) k.draft = now;
	}
	changed();
	if (answer.value.done && ["apply", "confirm", "rollback", "discard"].includes(word)) await load(word !== "discard" && edited(), changed);
	return answer.value.done;
}

export const words = (s: Said | null | undefined, lang: "ja" | "en"): string => (s === null || s === undefined ? "" : s[lang]);

// SPDX-License-Identifier: Apache-2.0
// The state of the box, asked for again and again: one question at a time, none while nobody looks. Keeps the last state and the one
// before it (for rates), and since when each fault is seen; nothing grows.
import { ask, type Refused } from "./session";
import type { State } from "./types";

const EVERY_MS = 2000, AFTER_FAILURE_MS = 5000;

export interface Feed {
	state?: State;
	before?: State;
	at: number; // when the last state came, by this machine's clock
	failed?: Refused;
	/** By its English text: since when this page sees it; 0 = it was there when the page began to look. */
	seen: Map<string, number>;
}

export const feed: Feed = { at: 0, seen: new Map() };
let timer: ReturnType<typeof setTimeout> | undefined;
let running = 0; // which start of the feed is the present one

function note(state: State): void {
	const now = Date.now(), first = feed.state === undefined, still = new Map<string, number>();
	for (const fault of state.en.faults) still.set(fault, feed.seen.get(fault) ?? (first ? 0 : now));
	feed.seen = still;
	if (feed.state !== undefined) feed.before = feed.state;
	feed.state = state;
	feed.at = now;
}

async function turn(run: number, changed: () => void): Promise<void> {
	const answer = await ask<State>("/api/v1/state");
	if (run !== running) return;
	if (answer.ok) {
		delete feed.failed;
		note(answer.value);
	} else {
		feed.failed = answer.why;
	}
	changed();
	if (run === running && !document.hidden) timer = setTimeout(() => void turn(run, changed), answer.ok ? EVERY_MS : AFTER_FAILURE_MS);
}

export function start(changed: () => void): void {
	stop();
	void turn(running, changed);
}

/** Forgets what was shown as well: it belongs to whoever was signed in. */
export function stop(): void {
	running++;
	clearTimeout(timer);
	delete feed.state;
	delete feed.before;
	delete feed.failed;
	feed.seen = new Map();
}

/** The page is looked at again, or not any more. */
export function looked(changed: () => void): void {
	clearTimeout(timer);
	if (document.hidden) return;
	running++;
	void turn(running, changed);
}

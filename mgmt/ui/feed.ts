// SPDX-License-Identifier: Apache-2.0
// The box as this page knows it: one stream of events, by which it says its state, what was recorded, and how much flows. Nothing is asked again and
// again, and nothing comes while nobody looks. Keeps the last state and the one before it (for rates), the newest records and the counters of a while;
// nothing grows.
import { ask, listen, mustChoose, type Refused } from "./session";
import type { Flow, Progress, State, Told } from "./types";

/** Two turns of the box and a little; after that what is shown is old. */
const SILENT_MS = 7000, AGAIN_MS = 1000, AFTER_FAILURE_MS = 5000, RECORDS_KEPT = 300, FLOWS_KEPT = 7;

export interface Feed {
	state?: State;
	before?: State;
	at: number; // when the last state came, by this machine's clock
	failed?: Refused;
	records: Told[]; // the newest that came while this page looks, oldest first
	newest: number; // the number of the last record, whether it is kept here or not; 0 = it is not known
	flows: Flow[]; // the rules' counters, oldest first
	progress?: Progress; // the last word of a question that takes long, of this page or of another one of whoever is signed in
}

export const feed: Feed = { at: 0, records: [], newest: 0, flows: [] };
let running = 0; // which start of the feed is the present one
let stopIt: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let heard: ReturnType<typeof setTimeout> | undefined;
let last = ""; // the id of the last event, with which a new stream goes on
let wantsFlow = false;

function note(state: State): void {
	if (feed.state !== undefined) feed.before = feed.state;
	feed.state = state;
	feed.at = Date.now();
	delete feed.failed;
}

/** Counters of other rules, or that began anew, tell nothing about those before. */
function noteFlow(flow: Flow): void {
	const before = feed.flows[feed.flows.length - 1];
	const anew = before !== undefined && (before.digest !== flow.digest || Object.entries(before.conduits).some(([name, n]) => (flow.conduits[name] ?? 0) < n));
	feed.flows = [...(anew ? [] : feed.flows), flow].slice(-FLOWS_KEPT);
}

/** What this page has asked, by the number that the box is to call it. */
export const waitedFor = new Set<number>();

function take(kind: string, data: string, id: string): boolean {
	if (id !== "") last = id;
	if (kind === "state") {
		note(JSON.parse(data) as State);
		feed.newest = Math.max(feed.newest, Number(last));
	} else if (kind === "record") {
		feed.records = [...feed.records, { ...(JSON.parse(data) as Told), came: Date.now() }].slice(-RECORDS_KEPT);
		feed.newest = Number(id);
		return false; // the state that comes with them is drawn
	} else if (kind === "gap") {
		feed.records = [];
	} else if (kind === "flow") {
		noteFlow(JSON.parse(data) as Flow);
	} else if (kind === "progress") {
		const said = JSON.parse(data) as Progress;
		if (!waitedFor.has(said.ask)) return false; // another page's, of whoever has both
		feed.progress = said;
	} else if (kind === "silent") {
		feed.failed = "unavailable";
	}
	return kind !== "";
}

/** One stream, for as long as it lasts; then another one. While there is none, what is shown is said to be old. */
async function turn(run: number, changed: () => void): Promise<void> {
	const stop = stopIt = new AbortController();
	const watch = (): void => {
		clearTimeout(heard);
		heard = setTimeout(() => stop.abort(), SILENT_MS);
	};
	watch();
	let why = await listen("/api/v1/live" + (wantsFlow ? "?flow=1" : ""), last, stop.signal, (kind, data, id) => {
		if (run !== running) return;
		watch();
		if (take(kind, data, id)) changed();
	});
	clearTimeout(heard);
	if (run !== running) return;
	if (mustChoose()) {
		end();
		changed();
		return;
	}
	// Too many pages are open: this one asks now and then.
	if (why === "unavailable") {
		const answer = await ask<State>("/api/v1/state");
		if (run !== running) return;
		if (answer.ok) note(answer.value);
		else why = answer.why;
		if (!answer.ok) feed.failed = why;
	} else {
		feed.failed = why;
	}
	changed();
	if (run === running && !document.hidden) timer = setTimeout(() => void turn(run, changed), why === "unreachable" ? AGAIN_MS : AFTER_FAILURE_MS);
}

function end(): void {
	running++;
	clearTimeout(timer);
	clearTimeout(heard);
	stopIt?.abort();
}

export function start(changed: () => void): void {
	stop();
	void turn(running, changed);
}

/** Forgets what was shown as well: it belongs to whoever was signed in. */
export function stop(): void {
	end();
	delete feed.state;
	delete feed.before;
	delete feed.failed;
	delete feed.progress;
	feed.records = [];
	feed.flows = [];
	feed.newest = 0;
	last = "";
	wantsFlow = false;
}

/** The page is looked at again, or not any more. */
export function looked(changed: () => void): void {
	end();
	if (!document.hidden) void turn(running, changed);
}

/** Whether the rules' counters are shown: then the box reads them. */
export function countFlow(wanted: boolean, changed: () => void): void {
	if (wanted === wantsFlow) return;
	wantsFlow = wanted;
	if (!wanted) feed.flows = [];
	if (feed.state !== undefined) looked(changed);
}

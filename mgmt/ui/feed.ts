// SPDX-License-Identifier: Apache-2.0
// The box as this page knows it. One stream of events brings its state, its records and the rules'
// counters. The page polls only when the box has too many pages open. Nothing comes while the
// page is hidden. Keeps the last two states (for rates), a fixed number of the newest records, and
// the last counters.
import { setZone } from "./format";
import { ask, displays, listen, mustChoose, type Refused } from "./session";
import type { Flow, Progress, State, Told } from "./types";

/**
 * SILENT_MS: the box sends every 2 s (LIVE_TURN_MS in mgmt/web/live.h), or later while one of its
 * processes is silent. After SILENT_MS what is shown counts as outdated.
 */
const SILENT_MS = 7000, AGAIN_MS = 1000, AFTER_FAILURE_MS = 5000, RECORDS_KEPT = 300, FLOWS_KEPT = 7;

interface Feed {
	state?: State;
	before?: State;
	at: number; // when the last state came, by this machine's clock
	failed?: Refused;
	records: Told[]; // the newest, oldest first: those that came here or by recall()
	newest: number; // number of the last record, kept here or not; 0 = unknown
	flows: Flow[]; // the rules' counters, oldest first
	progress?: Progress; // the last report on a long question of this page
}

export const feed: Feed = { at: 0, records: [], newest: 0, flows: [] };
let running = 0; // how often the feed was started; the latest run has this number
let stopIt: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let heard: ReturnType<typeof setTimeout> | undefined;
let last = ""; // id of the last event, with which a new stream continues
let wantsFlow = false;

/**
 * Adds records from before this page was opened, as if each had come at its time by the box's
 * clock.
 */
export function recall(records: Told[]): void {
	const first = feed.records[0]?.seq ?? Infinity, now = new Date(feed.state?.status.clock?.time ?? "").getTime();
	const age = (r: Told): number => Math.max(0, now - new Date(r.time ?? "").getTime());
	const before = records.filter((r) => r.seq < first && age(r) >= 0).map((r) => ({ ...r, came: Date.now() - age(r) }));
	feed.records = [...before, ...feed.records].slice(-RECORDS_KEPT);
}

const back: (() => void)[] = [];

/**
 * `again` is called each time the box answers again, so that a page can repeat what failed
 * meanwhile.
 */
export function whenBack(again: () => void): void {
	back.push(again);
}

function note(state: State): void {
	const lost = feed.failed !== undefined;
	if (feed.state !== undefined) feed.before = feed.state;
	setZone(state.status.site?.time_zone ?? "");
	feed.state = state;
	feed.at = Date.now();
	delete feed.failed;
	if (lost) for (const again of back) again();
}

/** Counters of other rules, or ones that began anew, cannot be compared with earlier ones. */
function noteFlow(flow: Flow): void {
	const before = feed.flows[feed.flows.length - 1];
	const anew = before !== undefined && (before.digest !== flow.digest || Object.entries(before.conduits).some(([name, n]) => (flow.conduits[name] ?? 0) < n));
	feed.flows = [...(anew ? [] : feed.flows), { ...flow, came: Date.now() }].slice(-FLOWS_KEPT);
}

/** The numbers of this page's questions, which the box repeats in its reports. */
export const waitedFor = new Set<number>();

function take(kind: string, data: string, id: string): boolean {
	if (id !== "") last = id;
	if (kind === "state") {
		note(JSON.parse(data) as State);
		feed.newest = Math.max(feed.newest, Number(last));
	} else if (kind === "record") {
		feed.records = [...feed.records, { ...(JSON.parse(data) as Told), came: Date.now() }].slice(-RECORDS_KEPT);
		feed.newest = Number(id);
		return false; // drawn together with the state of the same turn
	} else if (kind === "gap") {
		feed.records = [];
	} else if (kind === "flow") {
		noteFlow(JSON.parse(data) as Flow);
	} else if (kind === "progress") {
		const said = JSON.parse(data) as Progress;
		if (!waitedFor.has(said.ask)) return false; // from another page of this person
		feed.progress = said;
	} else if (kind === "silent") {
		feed.failed = "unavailable";
	}
	return kind !== "";
}

/**
 * Reads one stream to its end, then the next. Without a stream the page shows that its state is
 * outdated.
 */
async function turn(run: number, changed: () => void): Promise<void> {
	const stop = stopIt = new AbortController();
	const watch = (): void => {
		clearTimeout(heard);
		heard = setTimeout(() => stop.abort(), SILENT_MS);
	};
	watch();
	let why = await listen(displays() ? "/api/v1/display" : "/api/v1/live" + (wantsFlow ? "?flow=1" : ""), last, stop.signal, (kind, data, id) => {
		if (run !== running) return;
		watch();
		if (take(kind, data, id)) changed();
	});
	if (run !== running) return; // a newer turn runs, and the timer belongs to it
	clearTimeout(heard);
	if (mustChoose()) {
		end();
		changed();
		return;
	}
	// Too many pages are open: this one polls.
	if (why === "unavailable" && !displays()) {
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

/** Also forgets what was shown: it belongs to the person who was signed in. */
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

/** The page became visible or hidden. */
export function looked(changed: () => void): void {
	end();
	if (!document.hidden) void turn(running, changed);
}

/** Whether the rules' counters are shown: only then the box reads them. */
export function countFlow(wanted: boolean, changed: () => void): void {
	if (wanted === wantsFlow) return;
	wantsFlow = wanted;
	if (!wanted) feed.flows = [];
	if (feed.state !== undefined) looked(changed);
}

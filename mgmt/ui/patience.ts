// SPDX-License-Identifier: Apache-2.0
// Work of the box that may take a while: for how long it has gone on, how far it is, and a way to end what changes nothing. Whoever waits no longer ends his
// request, and the box leaves off what only that one waits for. How far it is comes by the page's stream; without one nothing of it is shown.
import { h, type Child } from "./dom";
import { feed, waitedFor } from "./feed";
import { count } from "./format";
import { t, type Key } from "./text";

const TURN_MS = 1000;

export interface Patience {
	ask: number; // what the box is to call it
	since: number;
	stop: AbortController;
	ends: boolean; // when nobody waits for it
	turns: ReturnType<typeof setInterval>;
}

export const waited = (p: Patience): number => Math.floor((Date.now() - p.since) / 1000);

/** `changed` is called each second until it ends, so that whoever waits sees the time go. */
export function patience(changed: () => void, ends = true): Patience {
	const ask = 1 + Math.floor(Math.random() * 999999999);
	waitedFor.add(ask);
	return { ask, since: Date.now(), stop: new AbortController(), ends, turns: setInterval(changed, TURN_MS) };
}

/** It is over, by an answer or by whoever waited. */
export function endPatience(p: Patience | undefined): void {
	clearInterval(p?.turns);
	if (p !== undefined) waitedFor.delete(p.ask);
}

const STAGES: Record<string, Key> = {
	waits_change: "stage_waits_change", waits_turn: "stage_waits_turn", compiles: "stage_compiles", workers: "stage_workers", reads: "stage_reads", sessions: "stage_sessions",
	impact: "stage_impact", kernel: "stage_kernel", compares: "stage_compares", executes: "stage_executes", packets: "stage_packets", lists: "stage_lists",
};

/** What the box is at, as far as it has said; a stage of a newer one has no words here. */
function progress(p: Patience): Child {
	const said = feed.progress, stage = said !== undefined && said.ask === p.ask ? STAGES[said.stage] : undefined;
	if (said === undefined || stage === undefined) return undefined;
	const far = said.of > 0 && said.entries > 0 ? t("progress_parts", said.done, said.of, count(said.entries)) : said.of > 0 ? t("progress_of", count(said.done), count(said.of))
		: said.done > 0 ? t("progress_done", count(said.done)) : "";
	return h("p", { class: "note", "data-key": "progress", "data-stage": said.stage }, t(stage) + far);
}

/** What stands in the place of an answer meanwhile. The seconds are not read aloud each time. */
export function waiting(p: Patience | undefined, what: Key): Child[] {
	const label = h("p", { role: "status", "data-key": "waiting" }, t(what));
	if (p === undefined) return [label];
	return [label, progress(p), h("p", { class: "note", role: "timer", "data-key": "waited" }, t("elapsed", waited(p))),
		p.ends && h("p", { class: "acts", "data-key": "waiting-acts" }, h("button", { type: "button", "data-key": "stop-waiting", click: () => p.stop.abort() }, t("stop_waiting")))];
}

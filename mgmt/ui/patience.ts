// SPDX-License-Identifier: Apache-2.0
// Work of the box that may take a while: its duration, its progress, and a button that stops work
// which changes nothing. Stopping ends the request, and the box stops what nobody waits for.
// Progress comes by the page's stream; without a stream none is shown.
import { h, type Child } from "./dom";
import { feed, waitedFor } from "./feed";
import { count } from "./format";
import { t, type Key } from "./text";

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

/** Shown instead of an answer meanwhile. Screen readers do not read each second. */
export function waiting(p: Patience | undefined, what: Key): Child[] {
	const label = h("p", { role: "status", "data-key": "waiting" }, t(what));
	if (p === undefined) return [label];
	return [label, progress(p), h("p", { class: "note", role: "timer", "data-key": "waited" }, t("elapsed", waited(p))),
		p.ends && h("p", { class: "acts", "data-key": "waiting-acts" }, h("button", { type: "button", "data-key": "stop-waiting", click: () => p.stop.abort() }, t("stop_waiting")))];
}

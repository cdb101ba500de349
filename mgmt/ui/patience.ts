// SPDX-License-Identifier: Apache-2.0
// Work of the box that changes nothing and may take a while: for how long it has gone on, and a way to end it. Whoever waits no longer ends his request, and
// the box leaves off what only that one waits for.
import { h, type Child } from "./dom";
import { t, type Key } from "./text";

const TURN_MS = 1000;

export interface Patience {
	since: number;
	stop: AbortController;
	turns: ReturnType<typeof setInterval>;
}

export const waited = (p: Patience): number => Math.floor((Date.now() - p.since) / 1000);

/** `changed` is called each second until it ends, so that whoever waits sees the time go. */
export function patience(changed: () => void): Patience {
	return { since: Date.now(), stop: new AbortController(), turns: setInterval(changed, TURN_MS) };
}

/** It is over, by an answer or by whoever waited. */
export function endPatience(p: Patience | undefined): void {
	clearInterval(p?.turns);
}

/** What stands in the place of an answer meanwhile. The seconds are not read aloud each time. */
export function waiting(p: Patience | undefined, what: Key): Child[] {
	const label = h("p", { role: "status", "data-key": "waiting" }, t(what));
	if (p === undefined) return [label];
	return [label, h("p", { class: "note", role: "timer", "data-key": "waited" }, t("elapsed", waited(p))),
		h("p", { class: "acts", "data-key": "waiting-acts" }, h("button", { type: "button", "data-key": "stop-waiting", click: () => p.stop.abort() }, t("stop_waiting")))];
}

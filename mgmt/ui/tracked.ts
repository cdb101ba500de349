// SPDX-License-Identifier: Apache-2.0
// The sessions of connection tracking at one moment, requested by a person, and their display.
import type { Child } from "./dom";
import { h } from "./dom";
import { clockTime, count } from "./format";
import { grid, mark } from "./parts";
import { ask } from "./session";
import { t, type Key } from "./text";

interface Session {
	client: string;
	client_label?: string;
	client_asset?: string;
	server: string;
	server_label?: string;
	server_asset?: string;
	transport: string;
	conduit: string | null;
	state: string;
}
interface Sessions {
	flows: Session[];
	tracked: number;
	matching: number;
	left_off: number;
}

/** The answer and its time, or why there is none; undefined: not requested. */
export type Tracked = { at: Date; answer: Sessions } | "busy" | "failed" | "forbidden" | "wrong" | undefined;

const MOST = 200;
const STATES: Record<string, Key> = { undecided: "flow_undecided", inspected: "flow_inspected", let_go: "flow_let_go", not_inspected: "flow_not_inspected", lingering: "flow_lingering", cut: "flow_cut", ending: "flow_ending" };
const SAID: Record<"busy" | "failed" | "forbidden" | "wrong", Key> = { busy: "loading", failed: "no_answer", forbidden: "no_right", wrong: "sessions_wrong" };

/** `filter`: "&conduit=reads" and the like. */
export async function askTracked(filter: string): Promise<Tracked> {
	const answer = await ask<Sessions>("/api/v1/flows?limit=" + MOST + filter);
	return answer.ok ? { at: new Date(), answer: answer.value } : answer.why === "forbidden" ? "forbidden" : answer.why === "wrong" ? "wrong" : "failed";
}

function end(address: string, label?: string, asset?: string): string {
	const name = label || asset;
	return name === undefined || name === "" ? address : name + " (" + address + ")";
}

/**
 * The number of sessions, a button to ask (again), and a row for each; `note`: shown before the
 * first request.
 */
export function trackedRows(s: Tracked, note: Key, button: string, onAsk: () => void): Child[] {
	const wrong = typeof s === "string" && s !== "busy";
	const said = typeof s === "string" ? t(SAID[s]) : s === undefined ? t(note)
		: t(s.answer.left_off > 0 ? "sessions_some" : "sessions_all", clockTime(s.at), count(s.answer.matching), count(s.answer.flows.length), count(s.answer.tracked));
	return [h("p", { class: wrong ? "complaint" : "note", role: "status" }, wrong && mark("bad"), said),
		h("p", { class: "acts" }, h("button", { type: "button", id: button, disabled: s === "busy", click: onAsk }, t(s === undefined ? "sessions_show" : "sessions_again"))),
		typeof s === "object" && s.answer.flows.length > 0 && grid("live_sessions", [{ head: "conduit" }, { head: "client" }, { head: "server" }, { head: "transport" }, { head: "state" }],
			s.answer.flows.map((f) => [f.conduit ?? "–", end(f.client, f.client_label, f.client_asset), end(f.server, f.server_label, f.server_asset), f.transport, STATES[f.state] === undefined ? f.state : t(STATES[f.state] as Key)]))];
}

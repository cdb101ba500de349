// SPDX-License-Identifier: Apache-2.0
// Traffic and refusals as rates: differences of counters over the box's own time. An unknown rate
// is undefined, not 0. While the box is not heard, or counts anew, the last number stays, with the
// time at which it was true.
import { type Child, h } from "./dom";
import { feed } from "./feed";
import { clockTime, count } from "./format";
import { grid, mark } from "./parts";
import { ask } from "./session";
import { t, type Key } from "./text";
import type { Told } from "./types";

const WINDOW_MS = 60000;

const ms = (text: string | undefined): number => new Date(text ?? "").getTime();

/** `old`: the time at which `n` was true, by this machine's clock; undefined: `n` is true now. */
export interface Rate {
	n: number;
	old: number | undefined;
}

const kept = new Map<string, { n: number; at: number }>();

/** Forgets the numbers of all other conduits. */
export function keepRates(of: Set<string>): void {
	for (const name of kept.keys()) if (!of.has(name)) kept.delete(name);
}

/** The time at which the numbers of the last minute were true; undefined: they are true now. */
export const heardAt = (): number | undefined => (feed.failed !== undefined ? feed.at : undefined);

/**
 * Packets a second that opened sessions of this conduit, over the stored counters; a counter that
 * began anew starts a new list (feed.ts).
 */
export function opened(conduit: string): Rate | undefined {
	const first = feed.flows[0], last = feed.flows[feed.flows.length - 1];
	const was = first?.conduits[conduit], is = last?.conduits[conduit], seconds = (ms(last?.time) - ms(first?.time)) / 1000;
	const known = was !== undefined && is !== undefined && seconds > 0.5;
	if (known) kept.set(conduit, { n: (is - was) / seconds, at: last?.came ?? Date.now() });
	const one = kept.get(conduit);
	return one && { n: one.n, old: known && feed.failed === undefined ? undefined : one.at };
}

export interface Refusals {
	from: string;
	to: string;
	conduit: string; // "" = no conduit covers it
	observe: boolean; // the packet passed and was only recorded
	count: number;
	last: Told;
}

/**
 * Refusals, and what would have been refused, in the records of the last minute in which the box
 * was heard. Each record tells its number, so the sums are exact while feed.records reaches back
 * over that minute.
 */
export function refusals(): Refusals[] {
	const since = (heardAt() ?? Date.now()) - WINDOW_MS, sums = new Map<string, Refusals>();
	for (const e of feed.records) {
		if ((e.came ?? 0) < since || (e.verdict !== "deny" && e.verdict !== "observe") || !e.client_zone || !e.server_zone) continue;
		const key = [e.client_zone, e.server_zone, e.conduit ?? "", e.verdict].join(">"), sum = sums.get(key);
		sums.set(key, { from: e.client_zone, to: e.server_zone, conduit: e.conduit ?? "", observe: e.verdict === "observe", count: (sum?.count ?? 0) + (e.count ?? 1), last: e });
	}
	return [...sums.values()].sort((a, b) => b.count - a.count);
}

/**
 * Refusals for all reasons by the counters of kernel and workers: packets a second between the last
 * two states.
 */
export function refusedInAll(): Rate | undefined {
	const was = feed.before, is = feed.state, seconds = (ms(is?.status.clock?.time) - ms(was?.status.clock?.time)) / 1000;
	if (was === undefined || is === undefined || !(seconds > 0.2)) return undefined;
	const counters = new Map(was.en.refused.map((r) => [r.who + r.reason, r.packets]));
	const risen = is.en.refused.map((r) => r.packets - (counters.get(r.who + r.reason) ?? 0));
	return risen.some((n) => n < 0) ? undefined : { n: risen.reduce((sum, n) => sum + n, 0) / seconds, old: heardAt() };
}

// ---- present sessions ---------------------------------------------------------------------------

// The sessions of connection tracking at one moment, requested by a person, and their display.

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

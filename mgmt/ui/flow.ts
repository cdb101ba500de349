// SPDX-License-Identifier: Apache-2.0
// Traffic and refusals as rates: differences of counters over the box's own time. An unknown rate
// is undefined, not 0.
import { feed } from "./feed";
import type { Told } from "./types";

const WINDOW_MS = 60000;

const ms = (text: string | undefined): number => new Date(text ?? "").getTime();

/**
 * Packets a second that opened sessions of this conduit, over the stored counters; a counter that
 * began anew starts a new list (feed.ts).
 */
export function opened(conduit: string): number | undefined {
	const first = feed.flows[0], last = feed.flows[feed.flows.length - 1];
	const was = first?.conduits[conduit], is = last?.conduits[conduit], seconds = (ms(last?.time) - ms(first?.time)) / 1000;
	return was === undefined || is === undefined || !(seconds > 0.5) ? undefined : (is - was) / seconds;
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
 * Refusals, and what would have been refused, in the records of the last minute: exact sums,
 * because each record tells its number.
 */
export function refusals(): Refusals[] {
	const since = Date.now() - WINDOW_MS, sums = new Map<string, Refusals>();
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
export function refusedInAll(): number | undefined {
	const was = feed.before, is = feed.state, seconds = (ms(is?.status.clock?.time) - ms(was?.status.clock?.time)) / 1000;
	if (was === undefined || is === undefined || !(seconds > 0.2)) return undefined;
	const counters = new Map(was.en.refused.map((r) => [r.who + r.reason, r.packets]));
	const risen = is.en.refused.map((r) => r.packets - (counters.get(r.who + r.reason) ?? 0));
	return risen.some((n) => n < 0) ? undefined : risen.reduce((sum, n) => sum + n, 0) / seconds;
}

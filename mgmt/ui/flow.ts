// SPDX-License-Identifier: Apache-2.0
// Traffic and refusals as rates: differences of counters over the box's own time. An unknown rate
// is undefined, not 0. While the box is not heard, or counts anew, the last number stays, with the
// time at which it was true.
import { feed } from "./feed";
import type { Told } from "./types";

const WINDOW_MS = 60000;

const ms = (text: string | undefined): number => new Date(text ?? "").getTime();

/** `old`: when it was true, by this machine's clock; undefined: it is true now. */
export interface Rate {
	n: number;
	old: number | undefined;
}

const kept = new Map<string, { n: number; at: number }>();

/** Forgets the numbers of all other conduits. */
export function keepRates(of: Set<string>): void {
	for (const name of kept.keys()) if (!of.has(name)) kept.delete(name);
}

/** When what is shown of the last minute was true; undefined: now. */
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

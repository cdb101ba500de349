// SPDX-License-Identifier: Apache-2.0
// The machines of OT zones: which are heard, how much each sends a minute, and since when one is
// silent. A machine that fell silent when something was isolated is said to have done so.
import { h, type Child, type Node_ } from "./dom";
import { ago, count, moment } from "./format";
import { mayIsolate, opener } from "./isolate";
import { card, chip } from "./parts";
import { t } from "./text";
import type { Machine, State } from "./types";

/** More machines than SHOWN stand behind a line that opens. A look takes up to LOOK_MS. */
const SHOWN = 24, LOOK_MS = 35000, AFTER_MS = 60000;

export const machinesOf = (state: State): Machine[] => state.status.expected?.machines ?? [];
export const nameOf = (m: Machine): string => m.label || m.name;

/** Fell silent within a minute of an isolation that is in effect. */
function byIsolation(state: State, m: Machine): boolean {
	const last = new Date(m.last ?? "").getTime();
	return (state.status.isolations ?? []).some((i) => last > new Date(i.since).getTime() - LOOK_MS && last < new Date(i.since).getTime() + AFTER_MS);
}

/** In words: since when it is silent, or how much it sends. */
export function heardOf(state: State, m: Machine): string {
	if (m.last === null) return t("machine_never");
	const usual = m.usual > 0 ? t("machine_usual", count(m.usual)) : "";
	if (m.silent) return t("machine_silent", moment(m.last)) + usual + (byIsolation(state, m) ? t("machine_isolated") : "");
	return t("machine_heard", ago(m.last, state.status.clock?.time)) + (m.a_minute > 0 ? t("machine_rate", count(m.a_minute)) + usual : "");
}

function row(state: State, m: Machine, changed: () => void): Node_ {
	return h("li", { "data-key": "machine " + m.name }, h("span", { class: "named" }, chip(m.silent ? "bad" : m.last === null ? "off" : "good", nameOf(m))), h("span", { class: "ago" }, heardOf(state, m)),
		mayIsolate() && !(state.status.isolations ?? []).some((i) => i.what === "asset " + m.name) && h("button", { type: "button", "data-key": "asset " + m.name, "aria-label": t("isolate_this", nameOf(m)), click: opener("isolate", "asset " + m.name, changed) }, t("isolate_short")));
}

export function machineCard(state: State, changed: () => void): Child {
	const all = machinesOf(state), silent = all.filter((m) => m.silent), others = all.filter((m) => !m.silent);
	const rows = (list: Machine[]): Node_ => h("ul", { class: "heard" }, list.map((m) => row(state, m, changed)));
	return all.length > 0 && card("machines", "machines", true, h("p", { role: "status" }, t("machines_heard", count(all.length), count(others.filter((m) => m.last !== null).length), count(silent.length))),
		silent.length > 0 && rows(silent), others.length > 0 && (others.length <= SHOWN ? rows(others) : h("details", {}, h("summary", {}, t("machines_others", count(others.length))), rows(others))));
}

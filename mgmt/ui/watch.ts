// SPDX-License-Identifier: Apache-2.0
// The supervisor's page: the headline in large letters; what is wrong; whom to call; the link of
// each zone and its machines; the policy's changes of the last day; and the supervisor's own orders
// for isolations and doors.
import { attackActs, seenNote } from "./attacks";
import { doorOrders, openDoors, openHours, preparedDoors } from "./doors";
import { h, type Child, type Node_ } from "./dom";
import { ago, count, moment } from "./format";
import { handover } from "./handover";
import { isolationOrders, mayIsolate, opener, preparedIsolations } from "./isolate";
import { machineCard, machinesOf } from "./machines";
import { card, headline } from "./parts";
import { displays, mayDo, person } from "./session";
import { alarmList, linkChip, zonesOf, type Alarm } from "./state";
import { t, type Key } from "./text";
import type { Interface, State } from "./types";
import { openRefused } from "./why";

function lastChange(state: State): Child[] {
	const g = state.status.generation ?? {};
	if (g.applied === undefined || (g.state !== "confirmed" && g.state !== "waiting")) return [t("no_policy")];
	const short = ago(g.applied, state.status.clock?.time);
	return [h("b", {}, moment(g.applied)), short !== "" && h("span", { class: "ago" }, " " + short), h("br"),
		t("last_change_text", count(g.number), g.by ?? t("unknown"))];
}

const NAMED = 12;

/**
 * The machines of a link's zones by name; a person who may isolate presses one. Those of OT zones
 * have rows of their own.
 */
function machines(state: State, x: Interface, changed: () => void): Child {
	const zones = (x.zones ?? []).filter((z) => !machinesOf(state).some((m) => m.zone === z.name)), list = zones.flatMap((z) => z.assets ?? []).slice(0, NAMED);
	const more = zones.reduce((n, z) => n + (z.assets_all ?? 0), 0) - list.length;
	if (list.length === 0) return false;
	return h("ul", { class: "machines" }, list.map((a) => h("li", {}, cutter("asset " + (a.name ?? ""), a.label || (a.name ?? ""), changed))), more > 0 && h("li", { class: "ago" }, t("and_more", count(more))));
}

/** A name and, with the right, the button that isolates it. */
function cutter(what: string, name: string, changed: () => void): Child {
	return mayIsolate() ? h("button", { type: "button", class: "named", "data-key": what, "aria-label": t("isolate_this", name), click: opener("isolate", what, changed) }, name) : name;
}

/**
 * Buttons that isolate what the policy has prepared for an alarm, and where it comes from: the
 * machine by its name or its address; its zone if neither is known, or if there are more machines
 * than the alarm names.
 */
function cutSources(state: State, a: Alarm, changed: () => void): Child {
	if (!mayIsolate()) return false;
	const zones = (state.status.interfaces ?? []).flatMap((x) => x.zones ?? []), found = new Map<string, string>();
	for (const p of state.status.prepared ?? []) if (a.offers.includes(p.name)) found.set(p.name, p.label || p.name);
	for (const source of a.sources.flatMap((s) => s.split(", "))) {
		const m = /^(.*) \((.*?)\)( \.\.\.)?$/.exec(source), more = a.sources.some((s) => s.endsWith(" ...")), asset = zones.flatMap((z) => z.assets ?? []).find((x) => (x.label || x.name) === m?.[1]), zone = zones.find((z) => (z.label || z.name) === m?.[2]);
		if (asset !== undefined) found.set("asset " + (asset.name ?? ""), asset.label || (asset.name ?? ""));
		else if (!more && /^[0-9a-f.:]*[.:][0-9a-f.:]*$/.test(m?.[1] ?? "")) found.set("address " + (m?.[1] ?? ""), m?.[1] ?? "");
		else if (zone !== undefined) found.set("zone " + (zone.name ?? ""), zone.label || (zone.name ?? ""));
	}
	return found.size > 0 && h("p", { class: "acts" }, [...found].map(([what, name]) => h("button", { type: "button", class: "named", "data-key": "cut " + what, click: opener("isolate", what, changed) }, t("isolate_this", name))));
}

const STATES: Record<string, Key> = { confirmed: "generation_confirmed", waiting: "generation_waiting", reverted: "generation_reverted" };

/** The changes of the last day; without any, the last one. */
function changes(state: State): Node_ {
	const list = state.status.changes ?? [];
	if (displays()) return card("change", "last_change", true, h("p", {}, h("b", {}, moment(state.status.generation?.applied ?? ""))));
	if (list.length === 0) return card("change", "last_change", true, h("p", {}, lastChange(state)));
	return card("change", "changes", true, h("ul", { class: "changes" }, list.map((g) => {
		const key = STATES[g.state ?? ""], said = key !== undefined ? t(key) : g.state ?? "", ended = g.changed !== undefined && g.changed !== g.applied;
		return h("li", {}, h("b", {}, moment(g.applied ?? "")), " ", t("change_by", count(g.number), g.by ?? t("unknown"), said),
			ended && h("span", { class: "ago" }, " " + (g.changed_by ? t("change_ended", moment(g.changed ?? ""), g.changed_by) : moment(g.changed ?? ""))));
	})));
}

/** Each zone of a link, with its button's text. */
function zoneButtons(x: Interface, changed: () => void): Child {
	return mayIsolate() && h("p", { class: "acts" }, (x.zones ?? []).map((z) => h("button", { type: "button", class: "named", "data-key": "zone " + (z.name ?? ""), click: opener("isolate", "zone " + (z.name ?? ""), changed) }, t("isolate_this", z.label || (z.name ?? "")))));
}

export const watchPage = (changed: () => void) => (state: State): Node_[] => {
	const sides = (state.status.interfaces ?? []).filter((x) => x.space !== "admin");
	const contact = state.status.site?.contact, some = (list: Child[]): Node_[] => list.filter((n): n is Node_ => typeof n === "object" && n !== null);
	return [headline(state, true, h("div", { class: "contact" }, h("b", {}, t("contact")), h("p", { class: contact ? "call" : "" }, contact || t("contact_none")))),
		...some([...doorOrders(state, changed), ...isolationOrders(state, changed), openDoors(state, changed), openHours(state), machineCard(state, changed)]),
		card("alarms", "alarms", true, alarmList(state, (a) => [cutSources(state, a, changed), ...a.attacks.flatMap((n) => attackActs(n, changed, a.attacks.length > 1))]), ...seenNote(state)), ...some([preparedDoors(state, changed), preparedIsolations(state, changed)]),
		card("zones", "zones", true, sides.length === 0 ? h("p", { class: "empty" }, t(state.status.interfaces === null ? "no_interfaces" : "no_cards")) :
			h("ul", { class: "tiles" }, sides.map((x) => h("li", { class: x.link === "up" ? "tile" : "tile bad" },
				h("b", {}, zonesOf(x) || (x.name ?? "")), h("span", { class: "ago" }, x.name ?? ""), linkChip(x), machines(state, x, changed), zoneButtons(x, changed)))),
			mayIsolate() && sides.length > 0 && [h("p", { class: "note" }, t("isolate_note")), h("p", { class: "acts" }, h("button", { type: "button", "data-key": "everything", click: opener("isolate", "everything", changed) }, t("isolate_everything")))]),
		changes(state), ...some([handover(state, changed)]),
		...some([!displays() && h("p", { class: "more acts" }, (mayDo("read_events") || person() === "") && h("button", { type: "button", id: "refused-today", click: openRefused }, t("refused_today")),
			h("a", { class: "button", href: "#state" }, t("details")))])];
};

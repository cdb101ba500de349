// SPDX-License-Identifier: Apache-2.0
// The register of devices for auditors: which devices were heard beside the box, where, and who has
// accepted them. An operator accepts one here or at the machine, in his own name.
import { h, type Child, type Node_ } from "./dom";
import { csv, save, count, moment } from "./format";
import { Order } from "./orders";
import { card, chip, grid, type Tone } from "./parts";
import { whenLeft } from "./session";
import { t, type Key } from "./text";
import type { Device, Devices, Said } from "./types";

const SHOWN = 500;

const STATES: Record<Device["state"], [Tone, Key]> = { known: ["good", "device_known"], listed: ["off", "device_listed"], unknown: ["bad", "device_unknown"], elsewhere: ["bad", "device_elsewhere"],
	address_moved: ["bad", "device_moved"] };
const ANEW: Record<"gone" | "unreadable" | "other_form" | "restored", Key> = { gone: "devices_gone", unreadable: "devices_unreadable", other_form: "devices_other_form", restored: "devices_restored" };
const HEADS: Key[] = ["device_mac", "condition", "addresses", "device_place", "first_heard", "last_heard", "reviewed_by", "reason_given"];

interface Chosen {
	order: "accept" | "forget";
	// number of `device`; without `device`, the last number of the list that the person saw
	number: number;
	device?: Device;
}
const orders = new Order<Chosen, { done: boolean; error?: Said; devices?: number }>("device",
	(what, answer) => t(what.order === "accept" ? "devices_accepted" : "devices_forgotten", count(answer.devices ?? 0)));

whenLeft(() => orders.forget());

const place = (d: Device): string => d.interface + (d.zone ? " (" + d.zone + ")" : "");
const reviewed = (d: Device): string => (d.reviewed ? (d.person ?? d.by ?? "") + " " + moment(d.reviewed) : "");

/** Devices that nobody has reviewed come first. */
function inOrder(list: Device[]): Device[] {
	const rank = (d: Device): number => (d.state === "known" ? 2 : d.state === "listed" ? 1 : 0);
	return [...list].sort((a, b) => rank(a) - rank(b) || a.number - b.number);
}

function form(draw: () => void, again: () => Promise<void>, what: Chosen): Node_ {
	const accepts = what.order === "accept", d = what.device;
	const title = d === undefined ? t("devices_accept_all") : t(accepts ? "device_accept_title" : "device_forget_title", d.mac, place(d));
	return orders.form(draw, what, title, accepts ? "device_accept" : "device_forget", false, (reason) => ({ order: what.order, number: what.number, all: d === undefined, reason }), again);
}

// ---- the card -----------------------------------------------------------------------------------

/** `may`: the person may accept devices; `again` reads the list. */
export function deviceCard(said: Devices | undefined, name: string, may: boolean, draw: () => void, again: () => Promise<void>): Node_ {
	if (said === undefined) return card("devices", "devices", true, h("p", { class: "note" }, t("devices_no_right")));
	const list = inOrder(said.devices), row = (d: Device): string[] => [d.mac, t(STATES[d.state][1]), d.addresses.join(" "), place(d), moment(d.first), moment(d.last), reviewed(d), d.reason ?? ""];
	const act = (order: Chosen["order"], d: Device): Node_ => h("button", { type: "button", "data-key": "device-" + order + "-" + String(d.number), click: orders.choose(draw, { order, number: d.number, device: d }) },
		t(order === "accept" ? "device_accept" : "device_forget"));
	const cells = (d: Device): (Child | Child[])[] => [h("b", {}, h("code", {}, d.mac), d.mac_chosen && h("span", { class: "ago" }, " " + t("mac_chosen"))), chip(STATES[d.state][0], t(STATES[d.state][1])),
		d.addresses.join(" ") || t("none"), place(d), moment(d.first), moment(d.last), reviewed(d) || t("none"), d.reason || t("none"),
		...(may ? [[d.state !== "known" && act("accept", d), " ", act("forget", d)]] : [])];
	// Accepting all at once is only possible while all are shown: nobody accepts what he has
	// not seen.
	const open = list.filter((d) => d.state !== "known").length, atOnce = open <= SHOWN && (open > 0 || said.learning || said.anew === "restored");
	return card("devices", "devices", true,
		h("p", { class: "acts" }, h("button", { type: "button", "data-key": "save-devices", click: () => save(name, "text/csv;charset=utf-8", csv([HEADS.map((k) => t(k)), ...list.map(row)])) }, t("save_csv")),
			may && atOnce && h("button", { type: "button", "data-key": "devices-accept", click: orders.choose(draw, { order: "accept", number: said.last }) }, t("devices_accept_all"))),
		h("p", { class: said.learning || (said.anew && said.anew !== "restored") ? "complaint" : "note", "data-key": "devices-note" }, t(said.anew && said.anew !== "first" && !(said.anew === "restored" && said.learning) ? ANEW[said.anew] : said.learning ? "devices_learning" : "devices_note")),
		said.beyond > 0 && h("p", { class: "complaint" }, t("devices_beyond", count(said.beyond))),
		may && orders.about !== undefined && form(draw, again, orders.about),
		may && h("p", { class: "complaint", role: "alert" }, orders.complaint ?? ""), may && h("p", { class: "note", role: "status", "data-key": "devices-done" }, orders.done ?? ""),
		list.length > SHOWN && h("p", { class: "note" }, t("rules_cut", SHOWN)),
		may && open > SHOWN && h("p", { class: "note", "data-key": "devices-many" }, t("devices_many", count(open))),
		list.length === 0 ? h("p", { class: "note" }, t("devices_none"))
			: grid("devices", [...HEADS, ...(may ? ["acts" as Key] : [])].map((head) => ({ head })), list.slice(0, SHOWN).map(cells)));
}

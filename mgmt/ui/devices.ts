// SPDX-License-Identifier: Apache-2.0
// The register of devices for whoever audits: who was heard beside the box, where, and who says that he knows it. It is reviewed at the machine.
import { csv, save } from "./csv";
import { h, type Child, type Node_ } from "./dom";
import { count, moment } from "./format";
import { card, chip, grid, type Tone } from "./parts";
import { t, type Key } from "./text";
import type { Device, Devices } from "./types";

const SHOWN = 500;

const STATES: Record<Device["state"], [Tone, Key]> = { known: ["good", "device_known"], listed: ["off", "device_listed"], unknown: ["bad", "device_unknown"], elsewhere: ["bad", "device_elsewhere"],
	address_moved: ["bad", "device_moved"] };
const HEADS: Key[] = ["device_mac", "condition", "addresses", "device_place", "first_heard", "last_heard", "reviewed_by", "reason_given"];

const place = (d: Device): string => d.interface + (d.zone ? " (" + d.zone + ")" : "");
const reviewed = (d: Device): string => (d.reviewed ? (d.person ?? d.by ?? "") + " " + moment(d.reviewed) : "");

/** Those that nobody has reviewed come first. */
function inOrder(list: Device[]): Device[] {
	const rank = (d: Device): number => (d.state === "known" ? 2 : d.state === "listed" ? 1 : 0);
	return [...list].sort((a, b) => rank(a) - rank(b) || a.number - b.number);
}

export function deviceCard(said: Devices | undefined, name: string): Node_ {
	if (said === undefined) return card("devices", "devices", true, h("p", { class: "note" }, t("devices_no_right")));
	const list = inOrder(said.devices), row = (d: Device): string[] => [d.mac, t(STATES[d.state][1]), d.addresses.join(" "), place(d), moment(d.first), moment(d.last), reviewed(d), d.reason ?? ""];
	const cells = (d: Device): Child[] => [h("b", {}, h("code", {}, d.mac), d.mac_chosen && h("span", { class: "ago" }, " " + t("mac_chosen"))), chip(STATES[d.state][0], t(STATES[d.state][1])),
		d.addresses.join(" ") || t("none"), place(d), moment(d.first), moment(d.last), reviewed(d) || t("none"), d.reason || t("none")];
	return card("devices", "devices", true,
		h("p", { class: "acts" }, h("button", { type: "button", "data-key": "save-devices", click: () => save(name, "text/csv;charset=utf-8", csv([HEADS.map((k) => t(k)), ...list.map(row)])) }, t("save_csv"))),
		h("p", { class: said.learning || said.damaged ? "complaint" : "note" }, t(said.damaged ? "devices_damaged" : said.learning ? "devices_learning" : "devices_note")),
		said.beyond > 0 && h("p", { class: "complaint" }, t("devices_beyond", count(said.beyond))),
		list.length > SHOWN && h("p", { class: "note" }, t("rules_cut", SHOWN)),
		list.length === 0 ? h("p", { class: "note" }, t("devices_none")) : grid("devices", HEADS.map((head) => ({ head })), list.slice(0, SHOWN).map(cells)));
}

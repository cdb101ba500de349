// SPDX-License-Identifier: Apache-2.0
// The register of devices for auditors: which devices were heard beside the box, where, and who has
// accepted them. An operator accepts one here or at the machine, in his own name.
import { csv, save } from "./csv";
import { h, type Child, type Node_ } from "./dom";
import { count, moment } from "./format";
import { card, chip, grid, type Tone } from "./parts";
import { orderRecords, person as account } from "./session";
import { language, t, type Key } from "./text";
import type { Device, Devices, Said } from "./types";

const SHOWN = 500;

const STATES: Record<Device["state"], [Tone, Key]> = { known: ["good", "device_known"], listed: ["off", "device_listed"], unknown: ["bad", "device_unknown"], elsewhere: ["bad", "device_elsewhere"],
	address_moved: ["bad", "device_moved"] };
const ANEW: Record<"gone" | "unreadable" | "other_form" | "restored", Key> = { gone: "devices_gone", unreadable: "devices_unreadable", other_form: "devices_other_form", restored: "devices_restored" };
const HEADS: Key[] = ["device_mac", "condition", "addresses", "device_place", "first_heard", "last_heard", "reviewed_by", "reason_given"];

interface Chosen {
	order: "accept" | "forget";
	// number of `device`; without a device the last one of the list that was seen
	number: number;
	device?: Device;
}
let chosen: Chosen | undefined;
let busy = false, complaint: string | undefined, done: string | undefined;
let run = 0;

/** Forgets everything before another person signs in. */
export function forgetDevices(): void {
	run++;
	chosen = complaint = done = undefined;
	busy = false;
}

const place = (d: Device): string => d.interface + (d.zone ? " (" + d.zone + ")" : "");
const reviewed = (d: Device): string => (d.reviewed ? (d.person ?? d.by ?? "") + " " + moment(d.reviewed) : "");

/** Devices that nobody has reviewed come first. */
function inOrder(list: Device[]): Device[] {
	const rank = (d: Device): number => (d.state === "known" ? 2 : d.state === "listed" ? 1 : 0);
	return [...list].sort((a, b) => rank(a) - rank(b) || a.number - b.number);
}

// ---- accepting and removing ---------------------------------------------------------------------

async function give(draw: () => void, again: () => Promise<void>, what: Chosen, reason: string): Promise<void> {
	if (busy) return;
	busy = true;
	complaint = done = undefined;
	draw();
	const mine = run, answer = await orderRecords<{ done: boolean; error?: Said; devices?: number }>({ order: what.order, number: what.number, all: what.device === undefined, reason });
	if (mine !== run) return;
	busy = false;
	if (!answer.ok) complaint = t(answer.why === "forbidden" ? "records_no_right" : answer.why === "wrong" ? "records_wrong" : "no_answer");
	else if (!answer.value.done) complaint = answer.value.error?.[language()] ?? t("no_answer");
	else {
		done = t(what.order === "accept" ? "devices_accepted" : "devices_forgotten", count(answer.value.devices ?? 0));
		chosen = undefined;
		await again();
	}
	draw();
}

function choose(draw: () => void, what: Chosen | undefined): () => void {
	return () => {
		chosen = what;
		complaint = done = undefined;
		draw();
		// the field for the reason is above a list that may be long
		document.getElementById("device-reason")?.focus();
	};
}

function form(draw: () => void, again: () => Promise<void>, what: Chosen): Node_ {
	const accepts = what.order === "accept", d = what.device;
	const title = d === undefined ? t("devices_accept_all") : t(accepts ? "device_accept_title" : "device_forget_title", d.mac, place(d));
	const onGive = (event: Event): void => {
		event.preventDefault();
		const reason = (document.getElementById("device-reason") as HTMLInputElement).value.trim();
		if (reason !== "") void give(draw, again, what, reason);
		else {
			complaint = t("device_wants");
			draw();
		}
	};
	return h("form", { class: "records", submit: onGive, novalidate: true, "data-key": "device-form" }, h("h3", {}, title),
		h("div", { class: "field" }, h("label", { for: "device-reason" }, t("reason_given")), h("input", { id: "device-reason", type: "text", autocomplete: "off", maxlength: 199 })),
		h("p", { class: "note" }, t("hold_note", account())),
		h("p", { class: "acts" }, h("button", { type: "submit", "data-key": "device-give", "aria-disabled": busy ? "true" : undefined }, t(accepts ? "device_accept" : "device_forget")),
			h("button", { type: "button", "data-key": "device-not", click: choose(draw, undefined) }, t("cancel"))));
}

// ---- the card -----------------------------------------------------------------------------------

/** `may`: the person may accept devices; `again` reads the list. */
export function deviceCard(said: Devices | undefined, name: string, may: boolean, draw: () => void, again: () => Promise<void>): Node_ {
	if (said === undefined) return card("devices", "devices", true, h("p", { class: "note" }, t("devices_no_right")));
	const list = inOrder(said.devices), row = (d: Device): string[] => [d.mac, t(STATES[d.state][1]), d.addresses.join(" "), place(d), moment(d.first), moment(d.last), reviewed(d), d.reason ?? ""];
	const act = (order: Chosen["order"], d: Device): Node_ => h("button", { type: "button", "data-key": "device-" + order + "-" + String(d.number), click: choose(draw, { order, number: d.number, device: d }) },
		t(order === "accept" ? "device_accept" : "device_forget"));
	const cells = (d: Device): (Child | Child[])[] => [h("b", {}, h("code", {}, d.mac), d.mac_chosen && h("span", { class: "ago" }, " " + t("mac_chosen"))), chip(STATES[d.state][0], t(STATES[d.state][1])),
		d.addresses.join(" ") || t("none"), place(d), moment(d.first), moment(d.last), reviewed(d) || t("none"), d.reason || t("none"),
		...(may ? [[d.state !== "known" && act("accept", d), " ", act("forget", d)]] : [])];
	// Accepting all at once is only possible while all are shown: nobody accepts what he has
	// not seen.
	const open = list.filter((d) => d.state !== "known").length, atOnce = open <= SHOWN && (open > 0 || said.learning || said.anew === "restored");
	return card("devices", "devices", true,
		h("p", { class: "acts" }, h("button", { type: "button", "data-key": "save-devices", click: () => save(name, "text/csv;charset=utf-8", csv([HEADS.map((k) => t(k)), ...list.map(row)])) }, t("save_csv")),
			may && atOnce && h("button", { type: "button", "data-key": "devices-accept", click: choose(draw, { order: "accept", number: said.last }) }, t("devices_accept_all"))),
		h("p", { class: said.learning || (said.anew && said.anew !== "restored") ? "complaint" : "note", "data-key": "devices-note" }, t(said.anew && said.anew !== "first" && !(said.anew === "restored" && said.learning) ? ANEW[said.anew] : said.learning ? "devices_learning" : "devices_note")),
		said.beyond > 0 && h("p", { class: "complaint" }, t("devices_beyond", count(said.beyond))),
		may && chosen !== undefined && form(draw, again, chosen),
		may && h("p", { class: "complaint", role: "alert" }, complaint ?? ""), may && h("p", { class: "note", role: "status", "data-key": "devices-done" }, done ?? ""),
		list.length > SHOWN && h("p", { class: "note" }, t("rules_cut", SHOWN)),
		may && open > SHOWN && h("p", { class: "note", "data-key": "devices-many" }, t("devices_many", count(open))),
		list.length === 0 ? h("p", { class: "note" }, t("devices_none"))
			: grid("devices", [...HEADS, ...(may ? ["acts" as Key] : [])].map((head) => ({ head })), list.slice(0, SHOWN).map(cells)));
}

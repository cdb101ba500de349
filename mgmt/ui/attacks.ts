// SPDX-License-Identifier: Apache-2.0
// Alarms of attacks: a person acknowledges or silences one in his own name; who has done so is
// shown.
import { h, type Child, type Node_ } from "./dom";
import { count, moment } from "./format";
import { Order } from "./orders";
import { card, chip, grid } from "./parts";
import { ask, mayDo, whenLeft } from "./session";
import { language, t } from "./text";
import type { Attack, Said, State } from "./types";

interface Chosen {
	order: "acknowledge" | "silence";
	number: number;
}
const MINUTES = [60, 480, 1440, 10080];

let list: Attack[] | undefined, asked = "";
let run = 0;
const orders = new Order<Chosen, { done: boolean; error?: Said; alarms?: Attack[] }>("attack", (what, answer) => {
	list = answer.alarms ?? list;
	return t(what.order === "silence" ? "attack_silenced" : "attack_acknowledged", what.number);
});

whenLeft(() => {
	run++;
	orders.forget();
	list = undefined;
	asked = "";
});

function form(draw: () => void, what: Chosen): Node_ {
	const silences = what.order === "silence", minutes = (): number => Number((document.getElementById("attack-minutes") as HTMLSelectElement | null)?.value ?? 0);
	const more = silences && h("div", { class: "field" }, h("label", { for: "attack-minutes" }, t("attack_silent_for")),
		h("select", { id: "attack-minutes" }, MINUTES.map((m) => h("option", { value: m }, m < 2880 ? t("attack_hours", m / 60) : t("attack_days", m / 1440)))));
	return orders.form(draw, what, t(silences ? "attack_silence_title" : "attack_acknowledge_title", what.number), silences ? "attack_silence" : "attack_acknowledge", more,
		(reason) => ({ order: what.order, number: what.number, reason, ...(silences ? { minutes: minutes() } : {}) }));
}

/** What the person may do about an alarm, shown below it. */
export function attackActs(number: number, draw: () => void, several: boolean): Child[] {
	if (orders.about?.number === number) return [form(draw, orders.about), h("p", { class: "complaint", role: "alert" }, orders.complaint ?? "")];
	const act = (order: Chosen["order"]): Node_ => h("button", { type: "button", "data-key": "attack-" + order + "-" + String(number), click: orders.choose(draw, { order, number }) },
		t(order === "silence" ? "attack_silence" : "attack_acknowledge"), several && " " + String(number));
	return mayDo("acknowledge_alarms") ? [h("p", { class: "acts" }, act("acknowledge"), mayDo("run_machine") && act("silence"))] : [];
}

/** Reads the list again when the box reports that another alarm sounds or was acknowledged. */
function read(key: string, draw: () => void): void {
	if (asked === key) return;
	asked = key;
	const mine = run;
	void ask<{ alarms: Attack[] }>("/api/v1/attacks").then((answer) => {
		if (mine !== run || asked !== key) return;
		list = answer.ok ? answer.value.alarms : undefined;
		draw();
	});
}

/** Alarms that are not over but acknowledged or silenced. */
export function seenAttacks(state: State, draw: () => void): Node_ | false {
	const a = state.status.journal?.attacks, said = (a?.acknowledged ?? 0) + (a?.silenced ?? 0);
	if (mayDo("read_events") && said > 0) read([a?.acknowledged, a?.silenced, ...state.alarms.map((x) => x.key)].join(" "), draw);
	if (said === 0 && orders.done === undefined) return false;
	const seen = (list ?? []).filter((x) => x.state !== "ringing");
	return card("attacks-seen", "attacks_seen", true, ...seenNote(state),
		seen.length > 0 && grid("attacks_seen", [{ head: "attack" }, { head: "state" }, { head: "attack_from" }, { head: "attack_to" }, { head: "attack_count", number: true }, { head: "last_heard" }, { head: "reviewed_by" }, { head: "reason_given" }],
			seen.map((x) => [x.number + ": " + x[language()], x.acknowledged ? chip("off", t("attack_seen_at", moment(x.acknowledged))) : chip("wait", t("attack_silent_until", moment(x.silent_until ?? ""))),
				x.from || t("unknown"), x.to === "" ? t("unknown") : x.attack === "spoofed" ? t("attack_forged", x.to) : x.to, count(x.count), moment(x.last), x.person, x.reason])));
}

/**
 * The last order that was done, and how many alarms are acknowledged or silenced, also for a person
 * who may not read the list.
 */
export function seenNote(state: State): Child[] {
	const a = state.status.journal?.attacks;
	return [h("p", { class: "note", role: "status", "data-key": "attack-done" }, orders.done ?? ""), (a?.acknowledged ?? 0) + (a?.silenced ?? 0) > 0 &&
		h("p", { class: "note", "data-key": "attacks-note" }, t("attacks_seen_note", count(a?.acknowledged), count(a?.silenced)))];
}

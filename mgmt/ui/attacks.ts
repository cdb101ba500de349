// SPDX-License-Identifier: Apache-2.0
// Alarms of attacks: an operator acknowledges or silences one in his own name; who has done so is
// shown.
import { h, type Child, type Node_ } from "./dom";
import { count, moment } from "./format";
import { card, chip, grid } from "./parts";
import { ask, mayDo, orderRecords, person as account } from "./session";
import { language, t } from "./text";
import type { Attack, Said, State } from "./types";

interface Chosen {
	order: "acknowledge" | "silence";
	number: number;
}
const MINUTES = [60, 480, 1440, 10080];

let chosen: Chosen | undefined;
let busy = false, complaint: string | undefined, done: string | undefined;
let list: Attack[] | undefined, asked = "";
let run = 0;

/** Forgets everything before another person signs in. */
export function forgetAttacks(): void {
	run++;
	chosen = complaint = done = list = undefined;
	asked = "";
	busy = false;
}

async function give(draw: () => void, what: Chosen, reason: string, minutes: number): Promise<void> {
	if (busy) return;
	busy = true;
	complaint = done = undefined;
	draw();
	const mine = run, answer = await orderRecords<{ done: boolean; error?: Said; alarms?: Attack[] }>(
		{ order: what.order, number: what.number, reason, ...(what.order === "silence" ? { minutes } : {}) });
	if (mine !== run) return;
	busy = false;
	if (!answer.ok) complaint = t(answer.why === "forbidden" ? "records_no_right" : answer.why === "wrong" ? "records_wrong" : "no_answer");
	else if (!answer.value.done) complaint = answer.value.error?.[language()] ?? t("no_answer");
	else {
		done = t(what.order === "silence" ? "attack_silenced" : "attack_acknowledged", what.number);
		list = answer.value.alarms ?? list;
		chosen = undefined;
	}
	draw();
}

function choose(draw: () => void, what: Chosen | undefined): () => void {
	return () => {
		chosen = what;
		complaint = done = undefined;
		draw();
		document.getElementById("attack-reason")?.focus();
	};
}

function form(draw: () => void, what: Chosen): Node_ {
	const silences = what.order === "silence";
	const onGive = (event: Event): void => {
		event.preventDefault();
		const reason = (document.getElementById("attack-reason") as HTMLInputElement).value.trim();
		const minutes = document.getElementById("attack-minutes") as HTMLSelectElement | null;
		if (reason !== "") void give(draw, what, reason, Number(minutes?.value ?? 0));
		else {
			complaint = t("device_wants");
			draw();
		}
	};
	return h("form", { class: "records", submit: onGive, novalidate: true, "data-key": "attack-form" }, h("h3", {}, t(silences ? "attack_silence_title" : "attack_acknowledge_title", what.number)),
		silences && h("div", { class: "field" }, h("label", { for: "attack-minutes" }, t("attack_silent_for")),
			h("select", { id: "attack-minutes" }, MINUTES.map((m) => h("option", { value: m }, m < 2880 ? t("attack_hours", m / 60) : t("attack_days", m / 1440))))),
		h("div", { class: "field" }, h("label", { for: "attack-reason" }, t("reason_given")), h("input", { id: "attack-reason", type: "text", autocomplete: "off", maxlength: 199 })),
		h("p", { class: "note" }, t("hold_note", account())),
		h("p", { class: "acts" }, h("button", { type: "submit", "data-key": "attack-give", "aria-disabled": busy ? "true" : undefined }, t(silences ? "attack_silence" : "attack_acknowledge")),
			h("button", { type: "button", "data-key": "attack-not", click: choose(draw, undefined) }, t("cancel"))));
}

/** What the person may do about an alarm, shown below it. */
export function attackActs(number: number, draw: () => void): Child[] {
	if (!mayDo("run_machine")) return [];
	if (chosen?.number === number) return [form(draw, chosen), h("p", { class: "complaint", role: "alert" }, complaint ?? "")];
	const act = (order: Chosen["order"]): Node_ => h("button", { type: "button", "data-key": "attack-" + order + "-" + String(number), click: choose(draw, { order, number }) },
		t(order === "silence" ? "attack_silence" : "attack_acknowledge"));
	return [h("p", { class: "acts" }, act("acknowledge"), act("silence"))];
}

/** Asked again when the box reports that another alarm sounds or was acknowledged. */
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
	if (said === 0 && done === undefined) return false;
	const seen = (list ?? []).filter((x) => x.state !== "ringing");
	return card("attacks-seen", "attacks_seen", true, h("p", { class: "note", role: "status", "data-key": "attack-done" }, done ?? ""), seenNote(state),
		seen.length > 0 && grid("attacks_seen", [{ head: "attack" }, { head: "state" }, { head: "attack_from" }, { head: "attack_to" }, { head: "attack_count", number: true }, { head: "last_heard" }, { head: "reviewed_by" }, { head: "reason_given" }],
			seen.map((x) => [x.number + ": " + x[language()], x.acknowledged ? chip("off", t("attack_seen_at", moment(x.acknowledged))) : chip("wait", t("attack_silent_until", moment(x.silent_until ?? ""))),
				x.from || t("unknown"), x.to || t("unknown"), count(x.count), moment(x.last), x.person, x.reason])));
}

/** The number of such alarms, for a person who may not read the list. */
export function seenNote(state: State): Node_ | false {
	const a = state.status.journal?.attacks;
	if ((a?.acknowledged ?? 0) + (a?.silenced ?? 0) === 0) return false;
	return h("p", { class: "note", "data-key": "attacks-note" }, t("attacks_seen_note", count(a?.acknowledged), count(a?.silenced)));
}

// SPDX-License-Identifier: Apache-2.0
// The hand-over of a shift: what is open now, and what the box recorded in the night, on one sheet
// of paper. Who takes over says so in his own name, which is recorded.
import { h, type Child, type Node_ } from "./dom";
import { count, local, moment } from "./format";
import { mayIsolate } from "./isolate";
import { heardOf, machinesOf, nameOf } from "./machines";
import { field } from "./parts";
import { ask, order, person, whenLeft } from "./session";
import { zonesOf } from "./state";
import { language, t, type Key } from "./text";
import type { Said, State, Told } from "./types";

const NIGHT_MS = 12 * 3600 * 1000, LINES = 24; // as many as one sheet has room for
const KINDS = ["policy", "silence", "attack"];
let open = false, failed = false, busy = false, run = 0;
let night: Told[] | undefined, said: Key | Said | undefined;

function forgetHandover(): void {
	run++;
	open = failed = busy = false;
	night = said = undefined;
}
whenLeft(forgetHandover);

async function read(state: State, changed: () => void): Promise<void> {
	const mine = ++run, since = new Date(new Date(state.status.clock?.time ?? "").getTime() - NIGHT_MS).toISOString();
	const answers = await Promise.all(KINDS.map((kind) => ask<{ events: Told[] }>("/api/v1/night?kind=" + kind + "&since=" + since)));
	if (mine !== run) return;
	failed = answers.some((a) => !a.ok);
	night = answers.flatMap((a) => (a.ok ? a.value.events : [])).sort((a, b) => b.seq - a.seq);
	changed();
}

async function take(state: State, changed: () => void): Promise<void> {
	const words = document.getElementById("handover-words") as HTMLInputElement, comment = words.value.trim();
	if (busy) return;
	said = comment === "" ? "handover_wants" : undefined;
	busy = comment !== "";
	changed();
	if (!busy) return;
	const mine = ++run, answer = await order<{ done: boolean; error?: Said }>({ order: "hand_over", comment });
	if (mine !== run) return;
	busy = false;
	said = answer.ok && answer.value.done ? "handover_done" : answer.ok ? answer.value.error ?? "no_answer" : answer.why === "forbidden" ? "no_right_change" : "no_answer";
	if (said === "handover_done") words.value = "";
	await read(state, changed);
}

/** What is not as usual now, each under its heading. */
function present(state: State): Child[] {
	const s = state.status, part = (title: Key, list: string[]): Node_ | false => list.length > 0 && h("li", {}, h("b", {}, t(title)), ": ", h("span", { class: "named" }, list.join(language() === "ja" ? "、" : "; ")));
	const parts = [part("alarms", state.lines.map((l) => l.title[language()])), part("isolated_now", (s.isolations ?? []).map((i) => (i.label || i.what) + " " + moment(i.since) + " " + i.by + (i.reason !== "" ? ": " + i.reason : ""))),
		part("doors_open", (s.doors ?? []).filter((d) => d.open).map((d) => d.label || d.door)), part("zones", (s.interfaces ?? []).filter((x) => x.link !== "up").map((x) => (zonesOf(x) || (x.name ?? "")) + " " + t("link_no_carrier"))),
		part("machines", machinesOf(state).filter((m) => m.silent).map((m) => nameOf(m) + " " + heardOf(state, m)))].filter((x) => x !== false);
	return parts.length > 0 ? parts : [h("li", {}, t("handover_nothing"))];
}

/** The button, or the sheet. */
export function handover(state: State, changed: () => void): Child {
	if (!mayIsolate()) return false;
	const show = (): void => {
		forgetHandover();
		open = true;
		void read(state, changed);
		changed();
		document.getElementById("handover")?.focus();
	}, close = (): void => {
		forgetHandover();
		changed();
	};
	if (!open) return h("p", { class: "acts", "data-key": "handover-open" }, h("button", { type: "button", "data-key": "handover", click: show }, t("handover")));
	const list = night ?? [];
	return h("section", { class: "card wide once sheet", "aria-labelledby": "handover", "data-key": "handover-sheet" }, h("h2", { id: "handover", tabindex: -1 }, t("handover_title", moment(state.status.clock?.time))),
		h("ul", { class: "plain" }, present(state)), h("h3", {}, t("handover_night")),
		failed && h("p", { class: "complaint" }, t("no_answer")), night === undefined ? h("p", { role: "status" }, t("loading")) : list.length === 0 && !failed && h("p", {}, t("none")),
		h("ul", { class: "plain named night" }, list.slice(0, LINES).map((e) => h("li", { "data-key": "night " + String(e.seq) }, local(e[language()]))), list.length > LINES && h("li", {}, t("and_more", count(list.length - LINES)))),
		field("handover-words", "handover_words", { maxlength: "200" }), h("p", { class: "complaint", role: "alert", "data-key": "handover-said" }, said !== undefined && said !== "handover_done" && (typeof said === "string" ? t(said) : said[language()])),
		said === "handover_done" && h("p", { class: "all-well", role: "status", "data-key": "handover-done" }, t(said, person())),
		h("p", { class: "acts" }, h("button", { type: "button", class: "main-action", "data-key": "handover-take", "aria-disabled": busy ? "true" : undefined, click: () => void take(state, changed) }, t("handover_take", person())),
			h("button", { type: "button", "data-key": "handover-print", click: () => window.print() }, t("print")), h("button", { type: "button", "data-key": "handover-close", click: close }, t("close"))),
		h("p", { class: "on-paper" }, t("handover_paper")));
}

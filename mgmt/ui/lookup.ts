// SPDX-License-Identifier: Apache-2.0
// "May A do this to B?" in the policy in force, before anybody tries: the answer of `sekisho ask`
// in its own sentences.
import { h, type Node_ } from "./dom";
import { fromThere, local, zone } from "./format";
import { commands, field, chip } from "./parts";
import { ask, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Said, State } from "./types";

interface Asked {
	allowed: boolean;
	said: Said[];
}
interface Looked {
	from: string;
	to: string;
	// the box's answer, a word it does not know, or the reason for no answer
	answer: Asked | Said | Key;
}

const WORDS = ["from", "to", "service", "command", "address", "value"];
let looked: Looked | undefined;
let run = 0;

whenLeft(() => {
	run++;
	looked = undefined;
});

const value = (id: string): string => (document.getElementById("ask-" + id) as HTMLInputElement).value.trim();
/** Encoded for the box: all but the plainest characters as "%E5". */
const written = (text: string): string => encodeURIComponent(text).replace(/[!~*'()]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());

async function look(changed: () => void): Promise<void> {
	const mine = ++run, [from, to] = [value("from"), value("to")], at = value("at");
	if (from === "" || to === "") {
		looked = { from, to, answer: "lookup_wants" };
		changed();
		return;
	}
	looked = { from, to, answer: "loading" };
	changed();
	const list = WORDS.filter((w) => value(w) !== "").map((w) => w + "=" + written(value(w)));
	if (at !== "") list.push("at=" + Math.floor(fromThere(at).getTime() / 1000));
	const answer = await ask<Asked>("/api/v1/ask?" + list.join("&"));
	if (mine !== run) return;
	looked.answer = answer.ok ? answer.value : answer.why === "forbidden" ? "rules_no_right" : answer.why !== "wrong" ? "no_answer" : (answer.said as { error?: Said } | undefined)?.error ?? "lookup_wrong";
	changed();
}

/** The names of zones and machines, as far as the status has them. */
function names(state: State): string[] {
	const list = (state.status.interfaces ?? []).flatMap((x) => (x.zones ?? []).flatMap((z) => [z, ...(z.assets ?? [])]));
	return [...new Set(list.map((x) => x.label || x.name || ""))].filter((x) => x !== "");
}

function answered(x: Looked): Node_ {
	if (typeof x.answer === "string") return h("p", { class: x.answer === "loading" ? "note" : "complaint", role: "status" }, t(x.answer));
	if (!("said" in x.answer)) return h("p", { class: "complaint", role: "status" }, x.answer[language()]);
	return h("div", { role: "status" }, h("p", { class: "told" }, chip(x.answer.allowed ? "good" : "bad", t(x.answer.allowed ? "lookup_yes" : "lookup_no")), h("b", { class: "named" }, x.from + " → " + x.to)),
		h("ul", { class: "plain" }, x.answer.said.map((s) => h("li", {}, local(s[language()])))));
}

export function lookupCard(changed: () => void): (state: State) => Node_ {
	const onSubmit = (event: Event): void => {
		event.preventDefault();
		void look(changed);
	};
	const end = (id: string, label: Key): Node_ => field("ask-" + id, label, { list: "ask-names" });
	return (state) => h("form", { class: "card lookup", submit: onSubmit, novalidate: true, "data-key": "lookup" },
		h("h2", {}, t("lookup_title")), h("datalist", { id: "ask-names" }, names(state).map((n) => h("option", { value: n }))),
		h("div", { class: "fields" }, end("from", "lookup_from"), end("to", "lookup_to"), field("ask-service", "lookup_service"), commands("ask-command"),
			field("ask-address", "lookup_address"), field("ask-value", "lookup_value"), h("div", { class: "field" }, h("label", { for: "ask-at" }, t("lookup_at", zone())), h("input", { id: "ask-at", type: "datetime-local" }))),
		h("p", { class: "note" }, t("lookup_help")),
		h("p", { class: "acts" }, h("button", { type: "submit", class: "main-action" }, t("lookup_ask"))), looked !== undefined && answered(looked));
}

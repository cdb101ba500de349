// SPDX-License-Identifier: Apache-2.0
// "May A do this to B?" in the policy in force, before anybody tries: the answer of `sekisho ask`
// in its own sentences. With one end alone: who can do this there, or what is reached from here.
import { h, type Child, type Node_ } from "./dom";
import { fromThere, local, zone } from "./format";
import { commands, field, chip } from "./parts";
import { ask, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Said, State } from "./types";

interface Hop {
	conduit: string;
	file: string;
	line: number;
}
interface Chain {
	zone: string;
	addresses: string[];
	chain: Hop[];
	service?: string; // of a source: what its last conduit lets pass
	row?: number | null;
	services?: { service: string; commands: string[] }[]; // of a place that is reached
}
export interface Asked {
	allowed: boolean;
	said?: Said[];
	services?: string[];
	sources?: Chain[];
	reached?: Chain[];
}
/** The box's answer, a word it does not know, or the reason for no answer. */
export type PolicyAnswer = Asked | Said | Key;
interface Looked {
	from: string;
	to: string;
	answer: PolicyAnswer;
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

/** Asks the box; the keys are those of the API. */
export async function askPolicy(words: Record<string, string>): Promise<PolicyAnswer> {
	const answer = await ask<Asked>("/api/v1/ask?" + Object.entries(words).filter(([, w]) => w !== "").map(([key, w]) => key + "=" + written(w)).join("&"));
	return answer.ok ? answer.value : answer.why === "forbidden" ? "rules_no_right" : answer.why !== "wrong" ? "no_answer" : (answer.said as { error?: Said } | undefined)?.error ?? "lookup_wrong";
}

async function look(changed: () => void): Promise<void> {
	const mine = ++run, [from, to] = [value("from"), value("to")], at = value("at");
	looked = { from, to, answer: from === "" && to === "" ? "lookup_wants" : "loading" };
	changed();
	if (looked.answer !== "loading") return;
	const answer = await askPolicy({ ...Object.fromEntries(WORDS.map((w) => [w, value(w)])), at: at !== "" ? String(Math.floor(fromThere(at).getTime() / 1000)) : "" });
	if (mine !== run) return;
	looked.answer = answer;
	changed();
}

/** The names of zones and machines, as far as the status has them. */
function names(state: State): string[] {
	const list = (state.status.interfaces ?? []).flatMap((x) => (x.zones ?? []).flatMap((z) => [z, ...(z.assets ?? [])]));
	return [...new Set(list.map((x) => x.label || x.name || ""))].filter((x) => x !== "");
}

/** "10.30.1.10 (crane): plc_read (read), tos-reads-cranes (site.cfg:69)". */
function chainText(c: Chain): string {
	const what = c.services !== undefined ? c.services.map((s) => s.service + (s.commands.length > 0 ? " (" + s.commands.join(", ") + ")" : "")).join(", ") : (c.service ?? "") + (c.row ? " (" + t("lookup_row", c.row) + ")" : "");
	return c.addresses.join(", ") + " (" + c.zone + "): " + what + " — " + c.chain.map((x) => x.conduit + " (" + x.file + ":" + String(x.line) + ")").join(" → ");
}

export function answerNodes(a: PolicyAnswer): Child[] {
	if (typeof a === "string") return [h("p", { class: a === "loading" ? "note" : "complaint" }, t(a))];
	if (!("allowed" in a)) return [h("p", { class: "complaint" }, a[language()])];
	const lines = a.said !== undefined ? a.said.map((s) => local(s[language()])) : (a.sources ?? a.reached ?? []).map(chainText);
	return [h("ul", { class: "plain" }, lines.map((line) => h("li", {}, line)))];
}

function answered(x: Looked): Node_ {
	const a = x.answer, known = typeof a !== "string" && "allowed" in a ? a : undefined;
	const verdict: Key | undefined = known && (known.said !== undefined ? (known.allowed ? "lookup_yes" : "lookup_no") : known.sources !== undefined ? (known.allowed ? "lookup_who" : "lookup_nobody") : known.allowed ? "lookup_reach" : "lookup_nowhere");
	return h("div", { role: "status" }, verdict !== undefined && h("p", { class: "told" }, chip(known?.allowed === true ? "good" : "bad", t(verdict)), h("b", { class: "named" }, [x.from, x.to].filter((w) => w !== "").join(" → "))), ...answerNodes(a));
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

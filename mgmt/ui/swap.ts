// SPDX-License-Identifier: Apache-2.0
// A network card that is gone, and another that takes its place: a draft of the policy in which
// each `device` of the old card names the new one. It is tried, approved and applied as usual.
import { h, type Child } from "./dom";
import { field } from "./parts";
import { ask, mayDo, order, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Draft, Said, State, Text } from "./types";

let said: Key | Said | undefined, busy = false, run = 0;
whenLeft(() => {
	run++;
	said = undefined;
	busy = false;
});

/** The texts with the other card, "enp1s0" as well as the VLAN "enp1s0.10" on it. */
export function swapped(texts: Text[], was: string, is: string): Text[] {
	return texts.map((x) => ({ ...x, text: x.text.replace(/(\bdevice\s*=\s*")([^".]+)((?:\.\d+)?")/g, (all, before: string, name: string, after: string) => (name === was ? before + is + after : all)) }));
}

async function take(was: string, draw: () => void): Promise<void> {
	const is = (document.getElementById("swap-" + was) as HTMLInputElement).value.trim();
	if (busy) return;
	said = /^[\w-]{1,15}$/.test(is) && is !== was ? undefined : "swap_wants";
	busy = said === undefined;
	draw();
	if (!busy) return;
	const mine = ++run, draft = await ask<{ draft: Draft }>("/api/v1/draft?texts=0"), policy = await ask<{ sources: Text[] }>("/api/v1/policy");
	if (mine !== run) return;
	busy = false;
	if (!draft.ok || !policy.ok) said = "no_answer";
	else if (draft.value.draft.state !== "none" && draft.value.draft.state !== "applied") said = "swap_draft";
	else {
		const d = draft.value.draft, texts = swapped(policy.value.sources, was, is);
		const answer = await order<{ done: boolean; error?: Said }>({ order: "save", revision: d.revision, base: d.in_force, texts, comment: t("swap_comment", was, is) });
		if (mine !== run) return;
		said = !answer.ok ? answer.why === "forbidden" ? "no_right_change" : "no_answer" : answer.value.done ? undefined : answer.value.error ?? "no_answer";
		if (said === undefined) location.hash = "#change";
	}
	draw();
}

/** For each card that is gone: what to do, and for an author the field for the new one. */
export function swaps(state: State, draw: () => void): Child[] {
	const gone = [...new Set((state.status.interfaces ?? []).filter((x) => (x.card?.link ?? x.link) === "absent").map((x) => x.card?.device ?? x.device ?? ""))];
	return gone.filter((was) => was !== "").map((was) => h("div", { class: "field", "data-key": "swap-" + was }, h("p", {}, t("swap_gone", was)), !mayDo("edit_draft") ? h("p", { class: "note" }, t("swap_author")) :
		h("form", { class: "records", novalidate: true, submit: (event: Event) => {
			event.preventDefault();
			void take(was, draw);
		} }, field("swap-" + was, "swap_new", { maxlength: "15" }), h("p", { class: "complaint", role: "alert" }, said !== undefined && (typeof said === "string" ? t(said) : said[language()])),
		h("p", { class: "acts" }, h("button", { type: "submit", "data-key": "swap-take-" + was, "aria-disabled": busy ? "true" : undefined }, t("swap_take", was))))));
}

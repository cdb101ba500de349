// SPDX-License-Identifier: Apache-2.0
// A network card that is gone, and another that takes its place: a draft of the policy in which
// each `device` of the old card names the new one. It is tried, approved and applied as usual.
import { propose } from "./change";
import { h, type Child } from "./dom";
import { field } from "./parts";
import { mayDo, whenLeft } from "./session";
import { t, type Key } from "./text";
import type { State, Text } from "./types";

let said: Key | undefined;
whenLeft(() => {
	said = undefined;
});

/** The texts with the other card, "enp1s0" as well as the VLAN "enp1s0.10" on it. */
export function swapped(texts: Text[], was: string, is: string): Text[] {
	return texts.map((x) => ({ ...x, text: x.text.replace(/(\bdevice\s*=\s*")([^".]+)((?:\.\d+)?")/g, (all, before: string, name: string, after: string) => (name === was ? before + is + after : all)) }));
}

async function take(was: string, draw: () => void): Promise<void> {
	const is = (document.getElementById("swap-" + was) as HTMLInputElement).value.trim();
	said = /^[\w-]{1,15}$/.test(is) && is !== was ? undefined : "swap_wants";
	draw();
	if (said === undefined) await propose({ change: (texts) => swapped(texts, was, is), lost: "", comment: t("swap_comment", was, is) }, draw);
}

/** For each card that is gone: what to do, and for an author the field for the new one. */
export function swaps(state: State, draw: () => void): Child[] {
	const gone = [...new Set((state.status.interfaces ?? []).filter((x) => (x.card?.link ?? x.link) === "absent").map((x) => x.card?.device ?? x.device ?? ""))];
	return gone.filter((was) => was !== "").map((was) => h("div", { class: "field", "data-key": "swap-" + was }, h("p", {}, t("swap_gone", was)), !mayDo("edit_draft") ? h("p", { class: "note" }, t("swap_author")) :
		h("form", { class: "records", novalidate: true, submit: (event: Event) => {
			event.preventDefault();
			void take(was, draw);
		} }, field("swap-" + was, "swap_new", { maxlength: "15" }), h("p", { class: "complaint", role: "alert" }, said !== undefined && t(said)),
		h("p", { class: "acts" }, h("button", { type: "submit", "data-key": "swap-take-" + was }, t("swap_take", was))))));
}

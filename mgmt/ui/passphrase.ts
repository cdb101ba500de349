// SPDX-License-Identifier: Apache-2.0
// Changing one's own passphrase: on the account's page, and instead of every page while it is a
// handed-out or leaked one.
import { h, type Node_ } from "./dom";
import { changePassphrase, isLeaked, person } from "./session";
import { language, t, type Key } from "./text";

let busy = false, complaint: Key | undefined, refusal = "", done = false;

export function forgetPassphrase(): void {
	busy = done = false;
	complaint = undefined;
	refusal = "";
}

const field = (id: string): HTMLInputElement => document.getElementById(id) as HTMLInputElement;
const FIELDS = ["own-passphrase", "new-passphrase", "new-passphrase-again"];

async function give(draw: () => void, then: () => void): Promise<void> {
	const [present, next, again] = FIELDS.map((id) => field(id).value) as [string, string, string];
	complaint = present === "" || next === "" ? "own_wants" : next !== again ? "own_differ" : undefined;
	refusal = "";
	done = false;
	busy = complaint === undefined;
	draw();
	if (!busy) return;
	const answer = await changePassphrase(present, next);
	busy = false;
	if (!answer.ok) complaint = "no_answer";
	else if (!answer.value.done) refusal = answer.value.error?.[language()] ?? t("no_answer");
	else {
		for (const id of FIELDS) field(id).value = "";
		done = true;
		then();
	}
	draw();
}

/** `must`: no other page is available before; `then` is called afterwards. */
export function passphraseForm(draw: () => void, must: boolean, then: () => void = () => undefined): Node_ {
	const onGive = (event: Event): void => {
		event.preventDefault();
		if (!busy) void give(draw, then);
	};
	const one = (id: string, label: Key, complete: string, help?: Key): Node_[] => [
		h("label", { for: id, "data-key": id + "-label" }, t(label)),
		h("input", { id, type: "password", autocomplete: complete, "data-key": id, "aria-describedby": help !== undefined ? id + "-help" : undefined }),
		...(help !== undefined ? [h("p", { id: id + "-help", class: "note", "data-key": id + "-help" }, t(help))] : [])];
	return h("form", { class: must ? "door" : "keys", submit: onGive, novalidate: true, "data-key": "passphrase-form" },
		must && h("h1", {}, t("own_title")), must && h("p", {}, t(isLeaked() ? "own_leaked" : "own_must", person())),
		h("p", { class: "complaint", role: "alert", "data-key": "own-complaint" }, complaint !== undefined ? t(complaint) : refusal),
		h("p", { class: "note", role: "status", "data-key": "own-done" }, done ? t("own_done") : ""),
		...one("own-passphrase", must && !isLeaked() ? "own_handed" : "own_present", "current-password"), ...one("new-passphrase", "own_new", "new-password", "own_help"), ...one("new-passphrase-again", "own_again", "new-password"),
		h("button", { type: "submit", id: "own-give", class: must ? "main-action" : "", "aria-disabled": busy ? "true" : undefined }, t(busy ? "signing_in" : "own_give")));
}

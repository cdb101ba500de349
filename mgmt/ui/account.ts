// SPDX-License-Identifier: Apache-2.0
// The account of the person who is signed in: how he signs in, and the security keys that he adds
// and removes himself.
import { h, type Node_ } from "./dom";
import { whenBack } from "./feed";
import { moment } from "./format";
import { card, figures, grid } from "./parts";
import { keysWork, makeKey, type Challenge, ask, changeKey, person, changePassphrase, isLeaked, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Own } from "./types";

let own: Own | undefined, challenge: Challenge | undefined;
let complaint: Key | undefined, refusal = "", busy = false, asked = false, failed = false;
let run = 0;

whenLeft(() => {
	run++;
	failed = false;
	own = challenge = complaint = undefined;
	refusal = "";
	busy = asked = false;
	forgetPassphrase();
});

async function look(draw: () => void): Promise<void> {
	const mine = run, me = await ask<Own>("/api/v1/me"), c = await ask<Challenge>("/api/v1/challenge");
	if (mine !== run) return;
	failed = !me.ok || !c.ok;
	if (me.ok) own = me.value;
	if (c.ok) challenge = c.value;
	draw();
}

const field = (id: string): HTMLInputElement => document.getElementById(id) as HTMLInputElement;

async function change(order: "add" | "remove", label: string): Promise<void> {
	const fresh = await ask<Challenge>("/api/v1/challenge");
	if (!fresh.ok || own === undefined) {
		complaint = "no_answer";
		return;
	}
	const key = order === "add" ? await makeKey(fresh.value, own.name, own.handle, own.keys) : undefined;
	if (order === "add" && key === undefined) {
		complaint = "key_not_used";
		return;
	}
	const answer = await changeKey(order, label, field("key-passphrase").value, key);
	if (!answer.ok) {
		complaint = "no_answer";
	} else if ("error" in answer.value) {
		refusal = answer.value.error[language()];
	} else {
		own = { ...own, keys: answer.value.keys, totp: answer.value.totp };
		field("key-passphrase").value = field("key-label").value = "";
	}
}

function begin(draw: () => void, order: "add" | "remove", label: string): void {
	if (busy) return;
	complaint = label === "" || field("key-passphrase").value === "" ? "key_wants" : undefined;
	refusal = "";
	busy = complaint === undefined;
	draw();
	if (!busy) return;
	void change(order, label).then(() => {
		busy = false;
		draw();
	});
}

function form(draw: () => void, works: boolean): Node_ {
	const onAdd = (event: Event): void => {
		event.preventDefault();
		begin(draw, "add", field("key-label").value.trim());
	};
	return h("form", { class: "keys", submit: onAdd, novalidate: true },
		h("p", { class: "complaint", role: "alert" }, complaint !== undefined ? t(complaint) : refusal),
		h("label", { for: "key-passphrase" }, t("passphrase")),
		h("input", { id: "key-passphrase", type: "password", autocomplete: "current-password", "aria-describedby": "key-why" }),
		h("p", { id: "key-why", class: "note" }, t("key_why")),
		h("label", { for: "key-label" }, t("key_label")),
		h("input", { id: "key-label", type: "text", autocomplete: "off", maxlength: 48, placeholder: t("key_example") }),
		h("button", { type: "submit", id: "key-add", disabled: !works, "aria-disabled": busy ? "true" : undefined }, t(busy ? "key_touch" : "key_add")));
}

export function accountPage(draw: () => void): () => Node_[] {
	whenBack(() => {
		if (failed) void look(draw);
	});
	return () => {
		if (!asked) {
			asked = true;
			void look(draw);
		}
		if (person() === "") return [h("p", { class: "empty" }, t("account_of_person"))];
		if (own === undefined || challenge === undefined) return [h("h1", {}, t("page_account")), h("p", { class: "empty", role: failed ? "alert" : "status" }, t(failed ? "no_answer" : "loading")),
			...(failed ? [h("p", { class: "acts" }, h("button", { type: "button", "data-key": "again", click: () => void look(draw) }, t("audit_again")))] : [])];
		const works = keysWork(challenge), remove = (label: string) => () => begin(draw, "remove", label);
		return [h("h1", {}, t("page_account")),
			card("factors", "factors", false, figures(["account", own.name], ["authenticator", t(own.totp ? "factor_set" : "factor_gone")],
				["recovery_codes", String(own.recovery_codes)], ["security_keys", String(own.keys.length)])),
			card("own", "own_title", true, passphraseForm(draw, false)),
			card("security-keys", "security_keys", true,
				own.keys.length === 0 ? h("p", { class: "empty" }, t("key_none")) : grid("security_keys",
					[{ head: "key_label" }, { head: "key_since" }, { head: "key_used" }, { head: "key_remove_head" }],
					own.keys.map((k) => [k.label, moment(k.since), k.last_use === null ? t("none") : moment(k.last_use),
						h("button", { type: "button", click: remove(k.label), "aria-label": t("key_remove_this", k.label) }, t("key_remove"))])),
				!works && h("p", { class: "note" }, t("key_elsewhere", challenge.origin + "/")),
				form(draw, works)),
			card("certificates", "certificates", true,
				own.certificates.length === 0 ? h("p", { class: "empty" }, t("certificate_none")) : grid("certificates",
					[{ head: "certificate_label" }, { head: "key_since" }, { head: "certificate_until" }, { head: "key_used" }],
					own.certificates.map((c) => [c.label, moment(c.since), moment(c.until) + (c.expired ? " (" + t("certificate_over") + ")" : ""), c.last_use === null ? t("none") : moment(c.last_use)])))];
	};
}

// ---- one's own passphrase -----------------------------------------------------------------------

// Changing one's own passphrase: on the account's page; and in place of all pages as long as the
// passphrase is one that a manager has handed out, or a leaked one.

let ownBusy = false, ownComplaint: Key | undefined, ownRefusal = "", ownDone = false;

export function forgetPassphrase(): void {
	ownBusy = ownDone = false;
	ownComplaint = undefined;
	ownRefusal = "";
}

const FIELDS = ["own-passphrase", "new-passphrase", "new-passphrase-again"];

async function give(draw: () => void, then: () => void): Promise<void> {
	const [present, next, again] = FIELDS.map((id) => field(id).value) as [string, string, string];
	ownComplaint = present === "" || next === "" ? "own_wants" : next !== again ? "own_differ" : undefined;
	ownRefusal = "";
	ownDone = false;
	ownBusy = ownComplaint === undefined;
	draw();
	if (!ownBusy) return;
	const answer = await changePassphrase(present, next);
	ownBusy = false;
	if (!answer.ok) ownComplaint = "no_answer";
	else if (!answer.value.done) ownRefusal = answer.value.error?.[language()] ?? t("no_answer");
	else {
		for (const id of FIELDS) field(id).value = "";
		ownDone = true;
		then();
	}
	draw();
}

/** `must`: no other page is shown before the change; `then` is called after it. */
export function passphraseForm(draw: () => void, must: boolean, then: () => void = () => undefined): Node_ {
	const onGive = (event: Event): void => {
		event.preventDefault();
		if (!ownBusy) void give(draw, then);
	};
	const one = (id: string, label: Key, complete: string, help?: Key): Node_[] => [
		h("label", { for: id, "data-key": id + "-label" }, t(label)),
		h("input", { id, type: "password", autocomplete: complete, "data-key": id, "aria-describedby": help !== undefined ? id + "-help" : undefined }),
		...(help !== undefined ? [h("p", { id: id + "-help", class: "note", "data-key": id + "-help" }, t(help))] : [])];
	return h("form", { class: must ? "door" : "keys", submit: onGive, novalidate: true, "data-key": "passphrase-form" },
		must && h("h1", {}, t("own_title")), must && h("p", {}, t(isLeaked() ? "own_leaked" : "own_must", person())),
		h("p", { class: "complaint", role: "alert", "data-key": "own-complaint" }, ownComplaint !== undefined ? t(ownComplaint) : ownRefusal),
		h("p", { class: "note", role: "status", "data-key": "own-done" }, ownDone ? t("own_done") : ""),
		...one("own-passphrase", must && !isLeaked() ? "own_handed" : "own_present", "current-password"), ...one("new-passphrase", "own_new", "new-password", "own_help"), ...one("new-passphrase-again", "own_again", "new-password"),
		h("button", { type: "submit", id: "own-give", class: must ? "main-action" : "", "aria-disabled": ownBusy ? "true" : undefined }, t(ownBusy ? "signing_in" : "own_give")));
}

// SPDX-License-Identifier: Apache-2.0
// People's roles and the state of an account in words; and accounts of others, for an account
// manager: who has one, why, and changes to it. A new secret is shown once and then forgotten here.
// Each order takes the manager's own passphrase; the box decides whether it is allowed.
import { h, type Child, type Node_ } from "./dom";
import { whenBack } from "./feed";
import { count, moment } from "./format";
import { card, chip, figures, grid, type Tone } from "./parts";
import { ask, orderAccount, person, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Account, Leaked, Said } from "./types";

// ---- QR codes -----------------------------------------------------------------------------------

// A QR code from the box: rows of '0' (light) and '1' (dark). Dark on light in every theme and on
// paper, with a border of four modules, because readers need that.

const BORDER = 4;

/** Each run of dark modules in a row is one rectangle of the path. */
function qr(rows: string[], label: string): Node_ {
	const side = rows.length + 2 * BORDER;
	const dark = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => "M" + String((run.index ?? 0) + BORDER) + " " + String(y + BORDER) + "h" + String((run[0] ?? "").length) + "v1h-" + String((run[0] ?? "").length) + "z"));
	return h("svg", { class: "qr", viewBox: "0 0 " + side + " " + side, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
		h("rect", { width: side, height: side, fill: "#fff" }), h("path", { d: dark.join(""), fill: "#000" }));
}

// ---- roles in words -----------------------------------------------------------------------------

// People's roles, and the state of an account, in words.

const DUTIES: [string, Key, Key][] = [["viewer", "duty_viewer", "may_viewer"], ["ot_author", "duty_ot_author", "may_ot_author"], ["approver", "duty_approver", "may_approver"],
	["it_operator", "duty_it_operator", "may_it_operator"], ["auditor", "duty_auditor", "may_auditor"], ["log_administrator", "duty_log_administrator", "may_log_administrator"],
	["backup_operator", "duty_backup_operator", "may_backup_operator"], ["supervisor", "duty_supervisor", "may_supervisor"], ["account_manager", "duty_account_manager", "may_account_manager"]];

export function duties(list: string[] | undefined): string {
	return (list ?? []).map((word) => {
		const known = DUTIES.find(([of]) => of === word);
		return known === undefined ? word : t(known[1]);
	}).join(", ");
}

export function standing(a: Account): [Tone, Key] {
	return a.disabled === true ? ["off", "account_disabled"] : (a.locks ?? []).length > 0 ? ["bad", "account_locked"] : a.handed_out_until ? ["wait", "account_handed_out"] : a.unused === true ? ["wait", "account_unused"] : ["good", "account_active"];
}

type Act = "add" | "change" | "disable" | "enable" | "remove" | "passphrase" | "authenticator" | "authenticator_remove" | "recovery" | "end_sessions" | "unlock" | "key_remove" | "certificate_remove";
interface Made {
	name: string;
	passphrase?: string;
	totp?: { secret: string; uri: string; qr?: string[] };
	recovery?: string[];
}
type Answered = Partial<Omit<Made, "name">> & { done: boolean; error?: Said; account?: Account; ended?: number };

let list: Account[] | undefined, leaked: Leaked | undefined, asked = false, busy = false, failed: Key | undefined;
let chosen: string | undefined, act: Act | undefined, label = "";
let complaint: string | undefined, done: string | undefined, made: Made | undefined;
let run = 0;

whenLeft(() => {
	run++;
	list = leaked = chosen = act = complaint = done = made = failed = undefined;
	asked = busy = false;
	label = "";
});

async function read(draw: () => void): Promise<void> {
	const mine = run, answer = await ask<{ accounts: Account[]; leaked?: Leaked }>("/api/v1/accounts");
	if (mine !== run) return;
	if (answer.ok) leaked = answer.value.leaked;
	failed = answer.ok ? undefined : answer.why === "forbidden" ? "people_no_right" : "no_answer";
	if (answer.ok) list = [...answer.value.accounts].sort((a, b) => Number(a.disabled === true) - Number(b.disabled === true) || a.name.localeCompare(b.name));
	draw();
}

const value = (id: string): string => (document.getElementById(id) as HTMLInputElement | null)?.value ?? "";
const focus = (id: string): void => document.getElementById(id)?.focus();
const isManager = (a: Account): boolean => (a.roles ?? []).includes("account_manager");

function open(draw: () => void, name: string | undefined, next: Act | undefined, of = ""): () => void {
	return () => {
		chosen = name;
		act = next;
		label = of;
		complaint = done = undefined;
		draw();
		focus(next === undefined ? "chosen" : next === "add" ? "new-name" : next === "change" ? "full-name" : "manager-passphrase");
	};
}

// ---- orders -------------------------------------------------------------------------------------

/** The button and the explanation of each act. */
const ACTS: Record<Act, [Key, Key]> = {
	add: ["people_add", "people_add_what"], change: ["people_change", "people_change_what"], disable: ["people_disable", "people_disable_what"], enable: ["people_enable", "people_enable_what"],
	remove: ["people_remove", "people_remove_what"], passphrase: ["people_passphrase", "people_passphrase_what"], authenticator: ["people_authenticator", "people_authenticator_what"],
	authenticator_remove: ["people_authenticator_remove", "people_authenticator_remove_what"], recovery: ["people_recovery", "people_recovery_what"],
	end_sessions: ["people_end_sessions", "people_end_sessions_what"], unlock: ["people_unlock", "people_unlock_what"],
	key_remove: ["people_key_remove", "people_key_remove_what"], certificate_remove: ["people_certificate_remove", "people_certificate_remove_what"] };

function body(what: Act, a: Account | undefined): Record<string, unknown> | undefined {
	const form = what === "add" || what === "change", name = what === "add" ? value("new-name").trim() : a?.name ?? "";
	const roles = DUTIES.filter(([word]) => (document.getElementById("role-" + word) as HTMLInputElement | null)?.checked === true).map(([word]) => word);
	const who = { full_name: value("full-name").trim(), reason: value("reason").trim(), roles };
	const why = what === "unlock" ? { reason: who.reason } : {};
	if (name === "" || why.reason === "" || value("manager-passphrase") === "" || (form && (who.full_name === "" || who.reason === "" || roles.length === 0))) return undefined;
	return { order: what, name, ...(what === "add" ? {} : { seen: a?.seen ?? "" }), ...(form ? who : why), ...(what === "key_remove" || what === "certificate_remove" ? { label } : {}), password: value("manager-passphrase") };
}

async function give(draw: () => void, what: Act, a: Account | undefined): Promise<void> {
	const order = body(what, a), mine = run;
	complaint = order === undefined ? t("people_wants") : undefined;
	done = undefined;
	busy = order !== undefined;
	draw();
	if (order === undefined) return;
	const answer = await orderAccount<Answered>(order);
	if (mine !== run) return;
	busy = false;
	if (!answer.ok) complaint = t(answer.why === "forbidden" ? "records_no_right" : answer.why === "wrong" ? "people_wrong" : answer.why === "unauthorized" ? "signed_out" : "no_answer");
	else if (!answer.value.done) complaint = answer.value.error?.[language()] ?? t("no_answer");
	else {
		const v = answer.value, name = String(order.name);
		done = t("people_done", t(ACTS[what][0]), name);
		made = v.passphrase !== undefined || v.totp !== undefined || v.recovery !== undefined ?
			{ name, ...(v.passphrase !== undefined ? { passphrase: v.passphrase } : {}), ...(v.totp !== undefined ? { totp: v.totp } : {}), ...(v.recovery !== undefined ? { recovery: v.recovery } : {}) } : undefined;
		chosen = what === "remove" ? undefined : name;
		act = undefined;
	}
	await read(draw);
	if (answer.ok && answer.value.done) focus(made !== undefined ? "made" : "people-done");
}

function roleBoxes(a: Account | undefined): Node_ {
	return h("fieldset", { "data-key": "roles" }, h("legend", {}, t("duties")), ...DUTIES.filter(([word]) => word !== "account_manager").map(([word, name, may]) =>
		h("label", { class: "check", for: "role-" + word, "data-key": word }, h("input", { id: "role-" + word, type: "checkbox", checked: (a?.roles ?? []).includes(word) }),
			h("span", {}, h("b", {}, t(name)), h("span", { class: "ago" }, " " + t(may))))),
		h("p", { class: "note" }, t("people_manager_by_root")));
}

function form(draw: () => void, what: Act, a: Account | undefined): Node_ {
	const onGive = (event: Event): void => {
		event.preventDefault();
		if (!busy) void give(draw, what, a);
	};
	const line = (id: string, name: Key, most: number, more: Record<string, string>): Node_ => h("div", { class: "field", "data-key": id + "-field" }, h("label", { for: id }, t(name)),
		h("input", { id, type: "text", autocomplete: "off", maxlength: most, ...more }));
	const who = what === "add" || what === "change";
	return h("form", { class: "records", submit: onGive, novalidate: true, "data-key": "form-" + what + "-" + (a?.name ?? "") + "-" + label },
		what !== "add" && h("h3", {}, t(ACTS[what][0]) + (label !== "" ? ": " + label : "")), h("p", { class: "note" }, t(ACTS[what][1], a?.name ?? "")),
		h("p", { class: "complaint", role: "alert", "data-key": "complaint" }, complaint ?? ""),
		what === "add" && line("new-name", "account", 31, { spellcheck: "false", autocapitalize: "none", "aria-describedby": "new-name-help" }),
		what === "add" && h("p", { id: "new-name-help", class: "note", "data-key": "new-name-help" }, t("people_name_help")),
		who && line("full-name", "full_name", 96, { value: a?.full_name ?? "" }), who && line("reason", "people_why", 200, { value: a?.reason ?? "", placeholder: t("people_why_example") }), what === "unlock" && line("reason", "reason_given", 200, {}),
		who && roleBoxes(a),
		h("div", { class: "field", "data-key": "passphrase-field" }, h("label", { for: "manager-passphrase" }, t("people_passphrase_of", person())),
			h("input", { id: "manager-passphrase", type: "password", autocomplete: "current-password" })),
		h("p", { class: "note", "data-key": "note" }, t("hold_note", person())),
		h("p", { class: "acts" }, h("button", { type: "submit", id: "people-give", class: "main-action", "data-key": "give", "aria-disabled": busy ? "true" : undefined }, t(busy ? "signing_in" : ACTS[what][0])),
			h("button", { type: "button", "data-key": "not", click: open(draw, a?.name, undefined) }, t("cancel"))));
}

// ---- secrets that were handed out ---------------------------------------------------------------

function once(draw: () => void, m: Made): Node_ {
	const forget = (): void => {
		made = undefined;
		draw();
		focus("people-add");
	};
	return h("section", { class: "card wide once", "aria-labelledby": "made", "data-key": "made-card" }, h("h2", { id: "made", tabindex: -1 }, t("made_title", m.name)),
		h("p", { class: "complaint" }, t("made_once")),
		h("div", { class: "handed" }, h("dl", {}, ...([["account", m.name], ["made_passphrase", m.passphrase], ["made_totp", m.totp?.secret]] as [Key, string | undefined][]).filter(([, text]) => text !== undefined)
			.map(([key, text]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, h("code", {}, key === "made_totp" ? (text ?? "").replace(/(.{4})(?=.)/g, "$1 ") : text)))),
			m.recovery !== undefined && h("div", {}, h("dt", {}, t("made_recovery")), h("dd", {}, h("ul", { class: "codes" }, m.recovery.map((c) => h("li", {}, h("code", {}, c))))))),
			m.totp?.qr !== undefined && h("figure", {}, h("figcaption", {}, t("made_qr")), qr(m.totp.qr, t("made_qr_of", m.name)))),
		h("h3", {}, t("made_how")),
		h("ul", { class: "plain" }, ...(["made_how_print", ...(m.totp !== undefined ? ["made_how_totp"] : []), ...(m.passphrase !== undefined ? ["made_how_first"] : []), "made_how_never"] as Key[]).map((k) => h("li", {}, t(k)))),
		h("p", { class: "acts" }, h("button", { type: "button", "data-key": "print", click: () => window.print() }, t("print")), h("button", { type: "button", id: "made-forget", "data-key": "forget", click: forget }, t("made_forget"))));
}

// ---- one account --------------------------------------------------------------------------------

function factors(a: Account): string {
	return [a.totp === true ? t("authenticator") : "", (a.keys ?? []).length > 0 ? t("people_keys", (a.keys ?? []).length) : "", (a.certificates ?? []).length > 0 ? t("people_certificates", (a.certificates ?? []).length) : "",
		t("people_codes", a.recovery_codes ?? 0)].filter((x) => x !== "").join(", ");
}

function actsOf(a: Account): [Act, string][] {
	if (a.name === person()) return [];
	const shut: [Act, string][] = [...(a.disabled === true ? [] : [["disable", ""] as [Act, string]]), ...((a.sessions ?? 0) > 0 ? [["end_sessions", ""] as [Act, string]] : [])];
	if (isManager(a)) return shut;
	return [["change", ""], ...((a.locks ?? []).length > 0 ? [["unlock", ""]] as [Act, string][] : []), ...shut, ...(a.disabled === true ? [["enable", ""], ["remove", ""]] as [Act, string][] : []), ["passphrase", ""], ["authenticator", ""],
		...(a.totp === true && (a.keys ?? []).length > 0 ? [["authenticator_remove", ""] as [Act, string]] : []), ["recovery", ""],
		...(a.keys ?? []).map((k): [Act, string] => ["key_remove", k.label]), ...(a.certificates ?? []).map((c): [Act, string] => ["certificate_remove", c.label])];
}

function one(draw: () => void, a: Account): Node_ {
	const acts = actsOf(a), close = (): void => {
		open(draw, undefined, undefined)();
		focus("people-add");
	};
	return h("section", { class: "card wide", "aria-labelledby": "chosen", "data-key": "one-" + a.name }, h("h2", { id: "chosen", tabindex: -1 }, t("people_one", a.name)),
		figures(["full_name", a.full_name || t("none")], ["people_why", a.reason || t("none")], ["duties", duties(a.roles)], ["condition", chip(...((s): [typeof s[0], string] => [s[0], t(s[1])])(standing(a)))],
			["made_by", (a.by || t("none")) + ", " + moment(a.since)], ["last_use", moment(a.last_use) || t("none")], ["passphrase_since", moment(a.passphrase_since) || t("none")],
			a.handed_out_until ? ["people_until", moment(a.handed_out_until)] : false, a.disabled === true ? ["people_disabled_by", (a.disabled_by ?? "") + ", " + moment(a.disabled_since)] : false,
			["second_factors", factors(a)], ["people_sessions", String(a.sessions ?? 0)]),
		a.name === person() && h("p", { class: "note" }, t("people_own")), a.name !== person() && isManager(a) && h("p", { class: "note" }, t("people_manager")),
		h("p", { class: "acts" }, acts.map(([what, of]) => h("button", { type: "button", "data-key": "act-" + what + "-" + of, "aria-pressed": act === what && label === of ? "true" : "false", click: open(draw, a.name, what, of) },
			t(ACTS[what][0]) + (of !== "" ? ": " + of : ""))), h("button", { type: "button", "data-key": "close", click: close }, t("close"))),
		act !== undefined && act !== "add" && form(draw, act, a));
}

/** Each lock of failed logins, and the button that lifts it. */
function locks(draw: () => void, all: Account[]): Node_[] {
	return all.flatMap((a) => (a.locks ?? []).map((l) => h("p", { class: "acts", "data-key": "lock-" + a.name + "-" + l.from }, chip("bad", t("account_locked")), h("span", {}, t("people_lock", a.name, l.from, moment(l.until))),
		actsOf(a).some(([what]) => what === "unlock") && h("button", { type: "button", "data-key": "unlock-" + a.name, click: open(draw, a.name, "unlock") }, t("people_unlock")))));
}

// ---- the page -----------------------------------------------------------------------------------

function table(draw: () => void, all: Account[]): Node_ {
	const cells = (a: Account): (Child | Child[])[] => [h("b", {}, a.name), h("button", { type: "button", id: "open-" + a.name, "data-key": "open-" + a.name, "aria-expanded": chosen === a.name ? "true" : "false", "aria-label": t("people_open_this", a.name),
		click: open(draw, a.name, undefined) }, t("people_open")), a.full_name || t("none"), a.reason || t("none"), duties(a.roles), chip(...((s): [typeof s[0], string] => [s[0], t(s[1])])(standing(a))),
		h("span", { class: "time" }, moment(a.last_use) || t("none")), factors(a), [(a.by || t("none")) + " ", h("span", { class: "time ago" }, moment(a.since))]];
	return card("people", "people_list", true, grid("people_list", [{ head: "account" }, { head: "acts" }, { head: "full_name" }, { head: "people_why" }, { head: "duties" }, { head: "condition" }, { head: "last_use" },
		{ head: "second_factors" }, { head: "made_by" }], all.map(cells)));
}

/**
 * The list of leaked passphrases that nobody may choose, in the words of `sekisho user leaked` at
 * the machine, where root loads it.
 */
export function leakedNote(of: Leaked | undefined): Child {
	if (of === undefined) return undefined;
	const [tone, text] = of.count > 0 ? ["good", t("leaked_is", count(of.count), moment(of.since), of.by ?? t("unknown"))] as const
		: of.damaged ? ["bad", t("leaked_was_damaged")] as const : ["off", t("leaked_absent")] as const;
	return h("p", { "data-key": "leaked" }, chip(tone, text));
}

export function peoplePage(draw: () => void): () => Node_[] {
	whenBack(() => {
		if (failed === "no_answer") void read(draw);
	});
	return () => {
		if (!asked) {
			asked = true;
			void read(draw);
		}
		const a = list?.find((x) => x.name === chosen), unused = (list ?? []).filter((x) => x.unused === true).length;
		const head = [h("div", { class: "headline off plain" }, h("h1", {}, t("people_title"))),
			h("p", { class: "acts", "data-key": "people-acts" }, h("button", { type: "button", id: "people-add", class: "main-action", "data-key": "add", click: open(draw, undefined, "add") }, t("people_add")),
				h("button", { type: "button", "data-key": "again", click: () => void read(draw) }, t("audit_again"))),
			h("p", { class: "complaint", role: "alert", "data-key": "failed" }, failed !== undefined && t(failed)),
			h("p", { class: "note", role: "status", id: "people-done", tabindex: -1, "data-key": "done" }, done ?? "")];
		if (list === undefined) return [...head, ...(failed === undefined ? [h("p", { class: "empty", role: "status" }, t("loading"))] : [])];
		return [...head, ...(made !== undefined ? [once(draw, made)] : []), ...(act === "add" ? [card("new-account", "people_add", true, form(draw, "add", undefined))] : []), ...(a !== undefined ? [one(draw, a)] : []),
			...locks(draw, list), ...(unused > 0 ? [h("p", { class: "note", "data-key": "unused" }, t("people_unused", unused))] : []), h("div", { "data-key": "leaked-list" }, leakedNote(leaked)), table(draw, list)];
	};
}

// SPDX-License-Identifier: Apache-2.0
// The frame of the pages: signing in, choice of page, language. Every change ends in draw().
import { accountPage, forgetPassphrase, passphraseForm } from "./account";
import { auditPage } from "./audit";
import { changePage } from "./change";
import { h, patch, type Node_ } from "./dom";
import { edited, watchDraft } from "./draft";
import { countFlow, feed, looked, start, stop } from "./feed";
import { clockTime, zone } from "./format";
import { mapPage } from "./map";
import { peoplePage } from "./people";
import { displays, logIn, logInByCertificate, logInByKey, mayDo, mustChoose, person, resume, signedIn, signOut, touch, tryingAgain, useToken, watchTrying, type Refused, forgetAll } from "./session";
import { servicesPage } from "./services";
import { statePage } from "./state";
import { choose, language, t, type Key } from "./text";
import { trendsPage } from "./trends";
import type { Lang, State } from "./types";
import { watchPage } from "./watch";
import { whyPage } from "./why";

const PAGES: { hash: string; title: Key; body: (state: State) => Node_[]; rights?: string[] }[] = [
	{ hash: "#state", title: "page_state", body: statePage(() => draw()) },
	{ hash: "#watch", title: "page_watch", body: watchPage(() => draw()) },
	{ hash: "#map", title: "page_map", body: mapPage(() => draw()), rights: ["read_rules"] },
	{ hash: "#why", title: "page_why", body: whyPage(() => draw()), rights: ["read_rules", "read_events"] },
	{ hash: "#change", title: "page_change", body: changePage(() => draw()), rights: ["read_rules"] },
	{ hash: "#trends", title: "page_trends", body: trendsPage(() => draw()), rights: ["read_state"] },
	{ hash: "#audit", title: "page_audit", body: auditPage(() => draw()), rights: ["read_rules", "read_events", "read_accounts", "manage_log"] },
	{ hash: "#services", title: "services", body: servicesPage(() => draw()), rights: ["run_machine", "make_backup"] },
	{ hash: "#people", title: "page_people", body: peoplePage(() => draw()), rights: ["manage_accounts"] },
	{ hash: "#account", title: "page_account", body: accountPage(() => draw()) },
];
const SAYS_SO = ["#state", "#watch", "#map"]; // pages that show a silent box themselves
let busy = false;
let resuming = true; // until the box has told whether this browser has a session already
let byToken = false; // how the form signs in: with a token as programs do, or with an account
/** The second factor; the form shows one, and a button for each of the others. */
type Factor = "code" | "key" | "certificate";
const OTHERS: [Factor, Key][] = [["code", "by_code"], ["key", "by_key"], ["certificate", "by_certificate"]];
let factor: Factor = "code";
let complaint: Key | undefined;
/**
 * Updates from the box do not count as use of a session. The box is told when somebody uses the
 * page, but not at each key.
 */
const IDLE_MS = 15 * 60 * 1000, TELL_MS = 60 * 1000;
let touched = Date.now(), told = Date.now();

/**
 * The pages that the person sees. A page with a list of rights is shown to a person with one of
 * them. A token sees all pages but that of accounts, because only the box knows its rights. A
 * display has one page.
 */
const shown = (): typeof PAGES => PAGES.filter((p) => displays() ? p.hash === "#watch" : p.rights === undefined || p.rights.some(mayDo) || (person() === "" && p.hash !== "#people"));
const here = (): (typeof PAGES)[number] => shown().find((p) => p.hash === location.hash) ?? (shown()[0] as (typeof PAGES)[number]);

function changed(): void {
	if (!signedIn() && feed.failed === "unauthorized") {
		complaint = "signed_out";
		leave();
	}
	if (person() !== "" && Date.now() - touched > IDLE_MS) {
		onSignOut();
		complaint = "signed_out_idle";
	}
	draw();
}

/** Forgets what was shown: it belongs to the person who was signed in. */
function leave(): void {
	stop();
	forgetAll();
}

function onSubmit(event: Event): void {
	event.preventDefault();
	const field = (id: string): string => (document.getElementById(id) as HTMLInputElement).value;
	if (busy) return;
	busy = true;
	complaint = undefined;
	const answer = byToken ? useToken(field("token")) : factor === "key" ? logInByKey(field("name"), field("passphrase")) :
		factor === "certificate" ? logInByCertificate(field("name"), field("passphrase")) : logIn(field("name"), field("passphrase"), field("code"));
	draw();
	void answer.then((why: Refused | undefined) => {
		busy = false;
		if (why === undefined) {
			for (const input of document.querySelectorAll("input")) input.value = "";
			begin();
		} else {
			complaint = why === "no_key" ? "key_not_used" : why === "not_here" ? "key_not_here" : why === "another_time" ? "another_time" : why !== "unauthorized" ? "no_answer" : byToken ? "wrong_token" : factor === "certificate" ? "wrong_certificate" : "wrong_login";
		}
		draw();
		if (why === undefined) document.getElementById(mustChoose() ? "own-passphrase" : "main")?.focus();
		else first();
	});
}

/** A person without a passphrase of his own choice sees nothing of the box. */
function begin(): void {
	if (!mustChoose()) start(changed);
}

function onChosen(): void {
	forgetPassphrase();
	begin();
	draw();
	document.getElementById("main")?.focus();
}

/** The field to fill in first. */
function first(): void {
	document.getElementById(byToken ? "token" : "name")?.focus();
}

function onOtherWay(): void {
	byToken = !byToken;
	complaint = undefined;
	draw();
	first();
}

const CHOSEN: Record<Factor, () => void> = { code: () => onFactor("code"), key: () => onFactor("key"), certificate: () => onFactor("certificate") };
function onFactor(chosen: Factor): void {
	factor = chosen;
	complaint = undefined;
	draw();
	first();
}

function onSignOut(): void {
	signOut();
	leave();
	complaint = undefined;
	draw();
	first();
}

function languages(): Node_ {
	const one = (code: Lang, name: string): Node_ =>
		h("button", { type: "button", lang: code, "aria-pressed": language() === code ? "true" : "false", click: CHOICES[code] }, name);
	return h("div", { class: "languages", role: "group", "aria-label": t("language") }, one("ja", "日本語"), one("en", "English"));
}

const CHOICES: Record<Lang, () => void> = { ja: () => pick("ja"), en: () => pick("en") };
function pick(code: Lang): void {
	choose(code);
	draw();
}

const print = (): void => window.print();
const wholeScreen = (): void => void (document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen());

function header(): Node_ {
	return h("header", {},
		h("a", { class: "skip", href: "#main", click: skip }, t("skip")),
		h("span", { class: "brand" }, t("title")),
		signedIn() && !mustChoose() && !displays() && h("nav", { "aria-label": t("pages") }, shown().map((p) =>
			h("a", { href: p.hash, "aria-current": p === here() ? "page" : undefined }, t(p.title)))),
		h("span", { class: "space" }),
		signedIn() && h("p", { class: "note on-paper" }, t("time_zone", zone())),
		languages(),
		displays() ? h("button", { type: "button", "data-key": "whole-screen", click: wholeScreen }, t("whole_screen")) : signedIn() && !mustChoose() && h("button", { type: "button", click: print }, t("print")),
		person() !== "" && h("span", { class: "who" }, person()),
		signedIn() && h("button", { type: "button", click: onSignOut }, t("sign_out")));
}

// The address keeps the page's name.
function skip(event: Event): void {
	event.preventDefault();
	document.getElementById("main")?.focus();
}

function input(id: string, label: Key, more: Record<string, string>, help?: Key): Node_[] {
	return [
		h("label", { for: id, "data-key": id + "-label" }, t(label)),
		h("input", { id, spellcheck: "false", autocapitalize: "none", "data-key": id, ...(help !== undefined ? { "aria-describedby": id + "-help" } : {}), ...more }),
		...(help !== undefined ? [h("p", { id: id + "-help", class: "note", "data-key": id + "-help" }, t(help))] : [])];
}

function accountFields(): Node_[] {
	return [
		...input("name", "account", { type: "text", autocomplete: "username" }),
		...input("passphrase", "passphrase", { type: "password", autocomplete: "current-password" }),
		...(factor !== "code" ? [h("p", { class: "note", "data-key": factor + "-help" }, t(factor === "key" ? "key_help" : "certificate_help"))] :
			input("code", "code", { type: "text", inputmode: "numeric", autocomplete: "one-time-code" }, "code_help"))];
}

function tokenFields(): Node_[] {
	return input("token", "token", { type: "password", autocomplete: "off" }, "token_help");
}

function door(): Node_[] {
	return [h("form", { class: "door", submit: onSubmit, novalidate: true },
		h("h1", {}, t("sign_in")),
		h("p", { class: "complaint", role: "alert" }, complaint !== undefined && t(complaint)),
		...(byToken ? tokenFields() : accountFields()),
		h("button", { type: "submit", class: "main-action", "aria-disabled": busy ? "true" : undefined }, t(!busy ? "sign_in" : factor === "key" && !byToken ? "key_touch" : "signing_in")),
		!byToken && OTHERS.filter(([other]) => other !== factor).map(([other, name]) => h("button", { type: "button", id: "by-" + other, click: CHOSEN[other] }, t(name))),
		h("button", { type: "button", id: "other-way", click: onOtherWay }, t(byToken ? "by_account" : "by_token")),
		h("p", { class: "note" }, h("a", { href: "/api/help" }, t("api_help"))))];
}

function body(): Node_[] {
	if (resuming) return [h("p", { class: "empty", role: "status" }, t("loading"))];
	if (!signedIn()) return door();
	if (mustChoose()) return [passphraseForm(() => draw(), true, onChosen)];
	if (feed.state === undefined) return [h("p", { class: "empty", role: "status" }, feed.failed === undefined ? t("loading") : t("stale_none"))];
	return here().body(feed.state);
}

function draw(): void {
	const root = document.getElementById("root") as HTMLElement, watching = signedIn() && here().hash === "#watch";
	document.documentElement.lang = language();
	document.title = (mustChoose() ? t("own_title") + " - " : signedIn() ? t(here().title) + " - " : "") + "Sekisho 関所";
	patch(root, [header(), h("main", { id: "main", tabindex: -1, class: (!signedIn() || mustChoose() ? "at-door" : watching ? "watch" : here().hash === "#audit" ? "audit" : "") + (signedIn() && feed.failed !== undefined ? " unheard" : "") },
		h("p", { class: "again", role: "status", "data-key": "trying" }, tryingAgain() ? t("trying_again") : signedIn() && feed.failed !== undefined && feed.state !== undefined && !SAYS_SO.includes(here().hash) && t("stale", clockTime(new Date(feed.at)))), ...body()),
		...(signedIn() ? [h("footer", {}, h("p", { class: "note" }, t("time_zone", zone())))] : [])]);
}

for (const kind of ["pointerdown", "keydown", "wheel"]) window.addEventListener(kind, () => {
	touched = Date.now();
	if (touched - told < TELL_MS || person() === "") return;
	told = touched;
	touch();
}, { passive: true });
window.addEventListener("hashchange", () => {
	watchDraft(false, draw);
	countFlow(here().hash === "#map", changed);
	draw();
	document.getElementById("main")?.focus();
});
// Edits are stored and offered again; the browser still asks before leaving.
window.addEventListener("beforeunload", (event) => {
	if (edited()) event.preventDefault();
});
watchTrying(draw);
document.addEventListener("visibilitychange", () => {
	if (signedIn() && !mustChoose()) looked(changed);
});
document.getElementById("root")?.replaceChildren();
draw();
void resume().then(() => {
	resuming = false;
	if (signedIn()) begin();
	draw();
	if (!signedIn()) first();
});

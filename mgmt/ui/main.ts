// SPDX-License-Identifier: Apache-2.0
// The frame around the pages: signing in, which page, which language. Whatever changes ends in draw().
import { h, patch, type Node_ } from "./dom";
import { feed, looked, start, stop } from "./feed";
import { statePage } from "./state";
import { signedIn, signIn, signOut, type Refused } from "./session";
import { choose, language, t, type Key } from "./text";
import type { Lang, State } from "./types";
import { watchPage } from "./watch";

const PAGES: { hash: string; title: Key; body: (state: State) => Node_[] }[] = [
	{ hash: "#state", title: "page_state", body: statePage },
	{ hash: "#watch", title: "page_watch", body: watchPage },
];
let busy = false;
let complaint: Key | undefined;

const here = (): (typeof PAGES)[number] => PAGES.find((p) => p.hash === location.hash) ?? (PAGES[0] as (typeof PAGES)[number]);

function changed(): void {
	if (!signedIn() && feed.failed === "unauthorized") {
		complaint = "signed_out";
		stop();
	}
	draw();
}

function onSubmit(event: Event): void {
	event.preventDefault();
	const field = document.getElementById("token") as HTMLInputElement;
	if (busy) return;
	busy = true;
	complaint = undefined;
	draw();
	void signIn(field.value).then((why: Refused | undefined) => {
		busy = false;
		if (why === undefined) {
			field.value = "";
			start(changed);
		} else {
			complaint = why === "unauthorized" ? "wrong_token" : "no_answer";
		}
		draw();
		document.getElementById(why === undefined ? "main" : "token")?.focus();
	});
}

function onSignOut(): void {
	signOut();
	stop();
	complaint = undefined;
	draw();
	document.getElementById("token")?.focus();
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

function header(): Node_ {
	return h("header", {},
		h("a", { class: "skip", href: "#main", click: skip }, t("skip")),
		h("span", { class: "brand" }, t("title")),
		signedIn() && h("nav", { "aria-label": t("pages") }, PAGES.map((p) =>
			h("a", { href: p.hash, "aria-current": p === here() ? "page" : undefined }, t(p.title)))),
		h("span", { class: "space" }),
		languages(),
		signedIn() && h("button", { type: "button", click: print }, t("print")),
		signedIn() && h("button", { type: "button", click: onSignOut }, t("sign_out")));
}

// The address keeps the page's name.
function skip(event: Event): void {
	event.preventDefault();
	document.getElementById("main")?.focus();
}

function door(): Node_[] {
	return [h("form", { class: "door", submit: onSubmit, novalidate: true },
		h("h1", {}, t("sign_in")),
		h("p", { class: "complaint", role: "alert" }, complaint !== undefined && t(complaint)),
		h("label", { for: "token" }, t("token")),
		h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", "aria-describedby": "token-help", "data-key": "token" }),
		h("p", { id: "token-help", class: "note" }, t("token_help")),
		h("button", { type: "submit", class: "main-action", "aria-disabled": busy ? "true" : undefined }, busy ? t("signing_in") : t("sign_in")),
		h("p", { class: "note" }, h("a", { href: "/api/help" }, t("api_help"))))];
}

function body(): Node_[] {
	if (!signedIn()) return door();
	if (feed.state === undefined) return [h("p", { class: "empty", role: "status" }, feed.failed === undefined ? t("loading") : t("stale_none"))];
	return here().body(feed.state);
}

function draw(): void {
	const root = document.getElementById("root") as HTMLElement, watching = signedIn() && here().hash === "#watch";
	document.documentElement.lang = language();
	document.title = (signedIn() ? t(here().title) + " - " : "") + "Sekisho 関所";
	patch(root, [header(), h("main", { id: "main", tabindex: -1, class: !signedIn() ? "at-door" : watching ? "watch" : "" }, ...body())]);
}

window.addEventListener("hashchange", () => {
	draw();
	document.getElementById("main")?.focus();
});
document.addEventListener("visibilitychange", () => {
	if (signedIn()) looked(changed);
});
document.getElementById("root")?.replaceChildren();
draw();
document.getElementById("token")?.focus();

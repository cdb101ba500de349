// SPDX-License-Identifier: Apache-2.0
// A machine that is treated as another one is: "add a crane, like number 3", as a draft.
import { propose } from "./change";
import { h, type Child } from "./dom";
import { inserted, walk } from "./draft";
import { quoted } from "./needed";
import { field } from "./parts";
import { mayDo, whenLeft } from "./session";
import { t } from "./text";
import type { Effective, Text } from "./types";

let wrong: string | undefined;
whenLeft(() => {
	wrong = undefined;
});

/**
 * The texts with a machine that stands beside another: its entry of `assets` with another name and
 * address, and its name in each list that names the other one.
 */
function withSibling(texts: Text[], like: string, name: string, addresses: string[]): Text[] | undefined {
	const entry = new RegExp("^" + like + "\\s*[=:]\\s*\\{");
	for (const one of texts) {
		let from = -1, to = -1;
		walk(one.text, 0, (at, depth) => {
			if (from < 0 && depth === 1 && !/[\w-]/.test(one.text[at - 1] ?? "") && entry.test(one.text.slice(at, at + 120))) from = at;
			else if (from >= 0 && depth === 1 && one.text[at] === "}") to = at + 1;
			return to < 0;
		});
		const block = one.text.slice(from, to);
		if (to < 0 || !/\baddresses\s*[=:]/.test(block)) continue;
		const made = "  " + name + block.slice(like.length).replace(/(\baddresses\s*[=:]\s*)\[[^\]]*\]/, (_, key: string) => key + "[" + addresses.map(quoted).join(", ") + "]").replace(/(\blabel\s*[=:]\s*)"(?:\\.|[^"\\])*"/, (_, key: string) => key + quoted(name));
		const named = texts.map((x) => ({ name: x.name, text: x.text.replace(/\[[^\]]*\]/g, (list) => list.replace(quoted(like), (found) => found + ", " + quoted(name))) }));
		return inserted(named, "assets", made);
	}
	return undefined;
}

/** A machine beside another, as a draft. */
async function addSibling(e: Effective, draw: () => void): Promise<void> {
	const typed = (id: string): string => (document.getElementById("sibling-" + id) as HTMLInputElement).value.trim();
	const [like, name] = [typed("like"), typed("name")], addresses = typed("addresses").split(/[\s\u3000,、]+/).filter((x) => x !== ""), known = new Set((e.assets ?? []).map((a) => a.name));
	const good = known.has(like) && !known.has(name) && /^[A-Za-z0-9][\w-]{0,62}$/.test(name) && addresses.length > 0 && addresses.every((a) => /^[0-9A-Fa-f.:/-]+$/.test(a));
	wrong = good ? undefined : t("sibling_wants");
	draw();
	if (good) await propose({ change: (texts) => withSibling(texts, like, name, addresses), lost: t("sibling_lost", like), comment: t("sibling_comment", name, like) }, draw);
}

export function siblingForm(e: Effective, draw: () => void): Child {
	return mayDo("edit_draft") && (e.assets ?? []).length > 0 && h("form", { novalidate: true, class: "records", "data-key": "sibling", submit: (event: Event) => {
		event.preventDefault();
		void addSibling(e, draw);
	} }, h("h3", {}, t("sibling_title")), h("p", { class: "note" }, t("sibling_note")), h("datalist", { id: "sibling-names" }, (e.assets ?? []).map((a) => h("option", { value: a.name ?? "" }, a.label ?? ""))),
		h("div", { class: "fields" }, field("sibling-like", "sibling_like", { list: "sibling-names" }), field("sibling-name", "sibling_name"), field("sibling-addresses", "sibling_addresses")),
		h("p", { class: "complaint", role: "alert" }, wrong ?? ""), h("p", { class: "acts" }, h("button", { type: "submit", "data-key": "sibling-draft" }, t("sibling_draft"))));
}

// SPDX-License-Identifier: Apache-2.0
// The map: what the box draws of its effective rules, and the same conduits as a table, for whoever reads by ear or looks for numbers.
import { h, type Node_ } from "./dom";
import { count, moment } from "./format";
import { card, chip, grid } from "./parts";
import { ask, askPicture } from "./session";
import { language, t } from "./text";
import type { Effective, Lang, State } from "./types";

let picture: { lang: Lang; url: string } | undefined;
let rules: Effective | undefined;
let failed: "no_answer" | "map_no_right" | undefined;
let asking: Lang | undefined; // in which language something is on its way
let run = 0;

function drop(): void {
	if (picture !== undefined) URL.revokeObjectURL(picture.url);
	picture = undefined;
}

/** Nothing of it is the next person's. */
export function forgetMap(): void {
	run++;
	drop();
	rules = undefined;
	failed = undefined;
	asking = undefined;
}

async function draw(changed: () => void): Promise<void> {
	const mine = ++run, lang = language();
	asking = lang;
	const [image, said] = await Promise.all([askPicture("/api/v1/picture?lang=" + lang), ask<Effective>("/api/v1/effective")]);
	if (mine !== run) {
		if (image.ok) URL.revokeObjectURL(image.value);
		return;
	}
	asking = undefined;
	drop();
	failed = image.ok && said.ok ? undefined : !image.ok && image.why === "forbidden" ? "map_no_right" : "no_answer";
	if (image.ok) picture = { lang, url: image.value };
	rules = said.ok ? said.value : undefined;
	changed();
}

function table(e: Effective): Node_ {
	const packets = new Map<string, number>();
	for (const cell of e.cells ?? []) for (const name of cell.conduits ?? []) packets.set(name, (packets.get(name) ?? 0) + (cell.packets ?? 0));
	const zones = new Map((e.zones ?? []).map((z) => [z.name, z.label ? z.label : z.name]));
	const zone = (name: string | undefined): string => zones.get(name ?? "") ?? name ?? "";
	return grid("conduits", [{ head: "conduit" }, { head: "between" }, { head: "mode" }, { head: "until" }, { head: "last_match" }, { head: "packets", number: true }],
		(e.conduits ?? []).map((k) => [
			[h("b", {}, k.name ?? ""), k.label ? h("span", { class: "ago" }, " " + k.label) : undefined],
			zone(k.from) + " → " + zone(k.to),
			k.mode === "observe" ? chip("wait", t("observed")) : chip("good", t("enforced")),
			moment(k.until) || t("none"), moment(k.last_match) || t("none"), count(packets.get(k.name ?? ""))]));
}

export function mapPage(changed: () => void): (state: State) => Node_[] {
	const again = (): void => {
		void draw(changed);
		changed();
	};
	return () => {
		// Another language is another picture. After a failure somebody has to ask for it.
		if (asking !== language() && failed === undefined && picture?.lang !== language()) void draw(changed);
		return [h("div", { class: "headline off plain" }, h("h1", {}, t("map_title"))),
			h("p", { class: "acts" }, h("button", { type: "button", click: again }, t("map_again")),
				picture !== undefined && h("a", { class: "button", href: picture.url, download: "sekisho-map.svg" }, t("map_save"))),
			h("p", { class: failed !== undefined ? "complaint" : "note", role: "status" }, failed !== undefined ? t(failed) : picture === undefined ? t("loading") : t("map_note")),
			picture !== undefined && h("div", { class: "map scroll", tabindex: 0, role: "region", "aria-label": t("map_title") }, h("img", { src: picture.url, alt: t("map_alt") })),
			rules !== undefined && card("conduits", "conduits", true, table(rules)),
		].filter((n): n is Node_ => n !== false);
	};
}

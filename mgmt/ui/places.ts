// SPDX-License-Identifier: Apache-2.0
// What is written over the box's picture: how much flows on each arrow, and between which zones something was refused that no arrow covers. Where
// arrows and zones stand the picture says itself (mgmt/picture/svg.c); its text is searched for that alone, and never becomes part of the page.
import { h, type Node_ } from "./dom";
import type { Refusals } from "./flow";
import { count } from "./format";
import { t } from "./text";

interface Arrow {
	from: string;
	to: string;
	observe: boolean;
	x: number;
	y: number;
}
export interface Places {
	width: number;
	height: number;
	arrows: Arrow[];
	zones: Map<string, { x: number; y: number; width: number; height: number }>;
}

export function places(svg: string): Places {
	const sheet = /viewBox="0 0 (\d+) (\d+)"/.exec(svg), zones: Places["zones"] = new Map();
	for (const m of svg.matchAll(/<rect class="zone" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"[^>]* data-zone="([\w.-]+)"/g))
		zones.set(m[5] ?? "", { x: Number(m[1]), y: Number(m[2]), width: Number(m[3]), height: Number(m[4]) });
	const arrows = [...svg.matchAll(/<path class="arrow"[^>]* data-from="([\w.-]+)" data-to="([\w.-]+)" data-mode="(\w+)" data-at="(\d+) (\d+)"/g)]
		.map((m) => ({ from: m[1] ?? "", to: m[2] ?? "", observe: m[3] === "observe", x: Number(m[4]), y: Number(m[5]) }));
	return { width: Number(sheet?.[1] ?? 1), height: Number(sheet?.[2] ?? 1), arrows, zones };
}

const SIZE = 46, CELL = 27;
const wide = (text: string): number => [...text].reduce((n, c) => n + (c.charCodeAt(0) > 0x2e80 ? 2 * CELL - 6 : CELL), 24);

function label(x: number, y: number, text: string, kind: string): Node_ {
	return h("g", { class: "rate " + kind, "data-key": "g" + x + "," + y },
		h("rect", { x, y: y - SIZE / 2 - 8, width: wide(text), height: SIZE + 16, rx: 10 }), h("text", { x: x + 12, y: y + SIZE / 3, "font-size": SIZE }, text));
}

/** The table below says the same, so nobody who reads by ear misses it. */
export function overlay(p: Places, arrow: (from: string, to: string, observe: boolean) => { text: string; refused: boolean }, uncovered: Refusals[]): Node_ {
	const lines = uncovered.flatMap((r): Node_[] => {
		const a = p.zones.get(r.from), b = p.zones.get(r.to);
		if (a === undefined || b === undefined || a === b) return [];
		const x1 = a.x + a.width * 0.35, y1 = a.y + a.height / 2, x2 = b.x + b.width * 0.65, y2 = b.y + b.height / 2;
		return [h("line", { class: "uncovered", x1, y1, x2, y2 }), label(Math.round(x1 + (x2 - x1) * 0.4), Math.round(y1 + (y2 - y1) * 0.4), t("map_refused", count(r.count)), "refused")];
	});
	return h("svg", { class: "over", viewBox: "0 0 " + p.width + " " + p.height, "aria-hidden": "true", focusable: "false" }, lines,
		p.arrows.map((a) => {
			const said = arrow(a.from, a.to, a.observe);
			return label(a.x + 38, a.y, said.text, a.observe ? "observe" : said.refused ? "refused" : "");
		}));
}

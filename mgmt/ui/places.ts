// SPDX-License-Identifier: Apache-2.0
// What is written over the box's picture: the rate on each arrow, and refusals between zones
// without an arrow. The picture itself tells the places of arrows and zones (mgmt/picture/svg.c);
// its text is only searched for them and does not become part of the page.
import { h, type Node_ } from "./dom";
import { heardAt, type Refusals } from "./flow";
import { aged, count } from "./format";
import { t } from "./text";

interface Arrow {
	from: string;
	to: string;
	observe: boolean;
	x: number;
	y: number;
	way: string; // the path as drawn
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
	const arrows = [...svg.matchAll(/<path class="arrow"[^>]* d="([ML\d ]+)" data-from="([\w.-]+)" data-to="([\w.-]+)" data-mode="(\w+)" data-at="(\d+) (\d+)"/g)]
		.map((m) => ({ way: m[1] ?? "", from: m[2] ?? "", to: m[3] ?? "", observe: m[4] === "observe", x: Number(m[5]), y: Number(m[6]) }));
	return { width: Number(sheet?.[1] ?? 1), height: Number(sheet?.[2] ?? 1), arrows, zones };
}

const SIZE = 46, CELL = 27;
const wide = (text: string): number => [...text].reduce((n, c) => n + (c.charCodeAt(0) > 0x2e80 ? 2 * CELL - 6 : CELL), 24);

function label(x: number, y: number, text: string, kind: string): Node_ {
	return h("g", { class: "rate " + kind, "data-key": "g" + x + "," + y },
		h("rect", { x, y: y - SIZE / 2 - 8, width: wide(text), height: SIZE + 16, rx: 10 }), h("text", { x: x + 12, y: y + SIZE / 3, "font-size": SIZE }, text));
}

interface Spot {
	x: number;
	y: number;
}
interface Area extends Spot {
	width: number;
	height: number;
}
const within = (p: Spot, a: Area): boolean => p.x > a.x && p.x < a.x + a.width && p.y > a.y && p.y < a.y + a.height;
const meet = (a: Area, b: Area): boolean => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

const BOWS = [0, 300, -300, 600, -600, 1000, -1000, 1500, -1500], POINTS = 40;

/** A bow from the edge of one zone to that of another around the others, as flat as possible. */
function bow(p: Places, a: Area, b: Area): Spot[] {
	const down = b.y > a.y, beside = b.y === a.y, right = b.x > a.x;
	const from = beside ? { x: right ? a.x + a.width : a.x, y: a.y + a.height / 2 } : { x: a.x + a.width * 0.2, y: down ? a.y + a.height : a.y };
	const to = beside ? { x: right ? b.x : b.x + b.width, y: b.y + b.height / 2 } : { x: b.x + b.width * 0.2, y: down ? b.y : b.y + b.height };
	const others = [...p.zones.values()].filter((z) => z !== a && z !== b);
	let best: Spot[] = [], least = Infinity;
	for (const by of BOWS) {
		const middle = { x: (from.x + to.x) / 2 - (beside ? 0 : by), y: (from.y + to.y) / 2 + (beside ? by : 0) };
		const points = Array.from({ length: POINTS + 1 }, (_, i): Spot => {
			const t_ = i / POINTS, u = 1 - t_;
			return { x: Math.round(u * u * from.x + 2 * u * t_ * middle.x + t_ * t_ * to.x), y: Math.round(u * u * from.y + 2 * u * t_ * middle.y + t_ * t_ * to.y) };
		});
		const wrong = points.filter((s) => s.x < 0 || s.y < 0 || s.x > p.width || s.y > p.height || others.some((z) => within(s, z))).length;
		if (wrong < least) {
			least = wrong;
			best = points;
		}
	}
	return best;
}

const LEVEL = [0.5, 0.35, 0.65, 0.25, 0.75, 0.15, 0.85];

/** A place on the bow where a label covers no zone and no other label. */
function free(bowed: Spot[], text: string, taken: Area[]): Area {
	const all = LEVEL.map((part): Area => {
		const at = bowed[Math.round(part * POINTS)] as Spot;
		return { x: at.x + 16, y: at.y - SIZE / 2 - 8, width: wide(text), height: SIZE + 16 };
	});
	return all.find((a) => !taken.some((other) => meet(a, other))) ?? (all[0] as Area);
}

/** An arrow's label, its tooltip, and its action. */
export interface OnArrow {
	text: string;
	refused: boolean;
	title: string;
	press: () => void;
}

/**
 * The table below tells and does the same, so users of screen readers or without a pointer miss
 * nothing.
 */
export function overlay(p: Places, arrow: (from: string, to: string, observe: boolean) => OnArrow, uncovered: Refusals[]): Node_ {
	const hot: Node_[] = [];
	const taken = [...p.zones.values()];
	const flows = p.arrows.map((a) => {
		const said = arrow(a.from, a.to, a.observe);
		hot.push(h("path", { class: "hot", "data-key": "hot " + a.from + ">" + a.to + (a.observe ? " observe" : ""), d: a.way, click: said.press }, h("title", {}, said.title)));
		taken.push({ x: a.x - 30, y: a.y - 31, width: wide(said.text) + 68, height: SIZE + 16 });
		return label(a.x + 38, a.y, said.text, a.observe ? "observe" : said.refused ? "refused" : "");
	});
	const lines = uncovered.flatMap((r): Node_[] => {
		const a = p.zones.get(r.from), b = p.zones.get(r.to);
		if (a === undefined || b === undefined || a === b) return [];
		const text = aged(t("map_refused", count(r.count)), heardAt()), bowed = bow(p, a, b), end = bowed[POINTS] as Spot, at = free(bowed, text, taken);
		taken.push(at);
		return [h("path", { class: "uncovered", d: "M" + bowed.map((s) => s.x + " " + s.y).join("L") }),
			h("path", { class: "uncovered stop", d: "M" + (end.x - 26) + " " + (end.y - 26) + "l52 52m0 -52l-52 52" }), label(at.x, at.y + SIZE / 2 + 8, text, "refused")];
	});
	return h("svg", { class: "over", viewBox: "0 0 " + p.width + " " + p.height, "aria-hidden": "true", focusable: "false" }, lines, hot, flows);
}

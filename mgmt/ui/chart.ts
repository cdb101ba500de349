// SPDX-License-Identifier: Apache-2.0
// A chart of numbers over time: steps from a line at 0, with the times of policy changes. d3
// computes the scales and the path; the elements are made as on every page. A person who points at
// a step, or reaches it by the arrow keys, reads its number below.
import { scaleLinear, scaleTime } from "d3-scale";
import { area, curveStepAfter } from "d3-shape";
import { h, type Node_ } from "./dom";
import { count, moment } from "./format";
import { t } from "./text";
import type { Mark } from "./types";

export interface Series {
	id: string;
	title: string;
	values: number[];
	since: number; // ms
	step: number; // ms
	days: boolean; // a step is a day
	marks: Mark[];
	said: (n: number) => string; // a number with its unit
}

const HIGH = 150, TOP = 22, LEFT = 52, BOTTOM = 24, NARROW = 280, WIDE = 1240, BESIDE = 92, EDGE = 24;
/** The step that a person reads: its chart and its number. */
let at: { id: string; i: number } | undefined;

export function forgetChart(): void {
	at = undefined;
}

/** As wide as there is room, so that its text has the size of all other text. */
const width = (): number => Math.min(Math.max(document.documentElement.clientWidth - BESIDE, NARROW), WIDE);

/**
 * A day with a clock change is longer or shorter by an hour, but a step's middle is always inside
 * the day.
 */
const begins = (s: Series, i: number): Date => new Date(s.since + i * s.step);
const two = (n: number): string => String(n).padStart(2, "0");
const day = (d: Date): string => String(d.getMonth() + 1) + "/" + String(d.getDate());
const short = (n: number): string => (n >= 1e6 ? String(n / 1e6) + "M" : n >= 1e4 ? String(n / 1e3) + "k" : String(n));

/** The time of a step in words. */
export function stepText(s: Series, i: number): string {
	const d = begins(s, i);
	return s.days ? moment(new Date(d.getTime() + s.step / 2).toISOString()).slice(0, 10) : moment(d.toISOString()).slice(0, 16);
}

function tickText(s: Series, d: Date): string {
	if (s.days) return d.getDate() === 1 && d.getMonth() === 0 ? String(d.getFullYear()) : d.getDate() === 1 ? String(d.getFullYear()) + "-" + two(d.getMonth() + 1) : day(d);
	return d.getHours() === 0 && d.getMinutes() === 0 ? day(d) : two(d.getHours()) + ":" + two(d.getMinutes());
}

export function chart(draw: () => void, s: Series): Node_ {
	const w = width(), n = s.values.length, most = Math.max(1, ...s.values), total = s.values.reduce((a, b) => a + b, 0);
	const x = scaleTime().domain([begins(s, 0), begins(s, n)]).range([LEFT, w - 8]), y = scaleLinear().domain([0, most]).range([TOP + HIGH, TOP]).nice(3);
	const path = area().x((_, i) => x(begins(s, i))).y0(y(0)).y1((v) => y(v)).curve(curveStepAfter)([...s.values, s.values[n - 1] ?? 0]) ?? "";
	const here = at !== undefined && at.id === s.id && at.i < n ? at.i : undefined;
	const go = (i: number): void => {
		const next = { id: s.id, i: Math.min(Math.max(i, 0), n - 1) };
		if (at?.id === next.id && at.i === next.i) return;
		at = next;
		draw();
	};
	const point = (event: Event): void => {
		const e = event as PointerEvent, box = (e.currentTarget as Element).getBoundingClientRect();
		go(Math.floor((((e.clientX - box.left) / box.width) * w - LEFT) / (w - 8 - LEFT) * n));
	};
	const key = (event: Event): void => {
		const k = (event as KeyboardEvent).key, to = k === "ArrowLeft" ? (here ?? n) - 1 : k === "ArrowRight" ? (here ?? n - 2) + 1 : k === "Home" ? 0 : k === "End" ? n - 1 : undefined;
		if (to === undefined) return;
		event.preventDefault();
		go(to);
	};
	const ticks = y.ticks(3).filter((v) => Number.isInteger(v)), all = x.ticks(w < 600 ? 4 : 9), each = Math.ceil(all.length / Math.max(2, Math.floor(w / 60))), times = all.filter((_, i) => i % each === 0), marks = s.marks.filter((m) => x(new Date(m.time)) >= LEFT);
	return h("figure", { class: "chart", "data-key": s.id },
		h("figcaption", { id: s.id + "-title" }, s.title),
		h("svg", { viewBox: "0 0 " + String(w) + " " + String(TOP + HIGH + BOTTOM), role: "img", tabindex: 0, "aria-labelledby": s.id + "-title", "aria-describedby": s.id + "-said", pointermove: point, pointerdown: point, keydown: key },
			h("g", {}, ticks.flatMap((v) => [h("line", { class: "rule", x1: LEFT, x2: w - 8, y1: y(v), y2: y(v) }), h("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, short(v))])),
			h("g", {}, times.map((d) => h("text", { x: Math.min(x(d), w - EDGE), y: TOP + HIGH + 18, "text-anchor": "middle" }, tickText(s, d)))),
			h("path", { class: "area", d: path }),
			h("g", {}, marks.map((m) => h("line", { class: "changed", x1: x(new Date(m.time)), x2: x(new Date(m.time)), y1: TOP - 4, y2: TOP + HIGH }))),
			// Leaves out a mark that would overlap the one before.
			h("g", {}, marks.filter((m, i) => i === 0 || x(new Date(m.time)) - x(new Date(marks[i - 1]?.time ?? 0)) > 30).map((m) =>
				h("text", { class: "changed-text", x: Math.min(x(new Date(m.time)), w - 22), y: TOP - 8, "text-anchor": "middle" }, (m.back ? "↩" : "") + String(m.generation)))),
			here !== undefined && h("line", { class: "cursor", x1: x(begins(s, here + 0.5)), x2: x(begins(s, here + 0.5)), y1: TOP, y2: TOP + HIGH })),
		h("p", { class: "note", id: s.id + "-said", "aria-live": "polite" }, here !== undefined ? stepText(s, here) + ": " + s.said(s.values[here] ?? 0) : total === 0 ? t("trends_nothing") :
			t("trends_most", s.said(Math.max(...s.values)), stepText(s, s.values.indexOf(Math.max(...s.values))))));
}

/** Numbers as a table of shades: a row for each name, a column for each hour of the day. */
export function hours(label: string, rows: { name: string; values: number[] }[]): Node_ {
	const most = Math.max(1, ...rows.flatMap((r) => r.values)), shade = (v: number): string => (v === 0 ? "" : "heat-" + String(Math.min(4, 1 + Math.floor(Math.sqrt(v / most) * 3.999))));
	return h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
		h("table", { class: "heat" },
			h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("zone")), [...Array(24).keys()].map((i) => h("th", { scope: "col", class: "number" }, String(i))))),
			h("tbody", {}, rows.map((r) => h("tr", {}, h("th", { scope: "row" }, r.name), r.values.map((v) => h("td", { class: "number " + shade(v) }, v === 0 ? "" : v >= 1e4 ? short(Math.round(v / 1e3) * 1e3) : count(v))))))));
}

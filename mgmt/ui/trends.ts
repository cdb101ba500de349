// SPDX-License-Identifier: Apache-2.0
// Trends: passed sessions and refusals by conduit and zone, alarms, and inspection times, with
// changes of the policy; by hour for two weeks, by day for 400 days.
import { scaleLinear, scaleTime } from "d3-scale";
import { area, curveStepAfter } from "d3-shape";
import { h, type Node_ } from "./dom";
import { whenBack } from "./feed";
import { count, eastAt, moment, there } from "./format";
import { card } from "./parts";
import { ask, whenLeft } from "./session";
import { t, type Key } from "./text";
import type { Trends, Mark } from "./types";

// ---- charts -------------------------------------------------------------------------------------

// A chart of numbers over time: steps from a line at 0, with the times of policy changes. d3
// computes the scales and the path; the elements are made as on every page. A person who points at
// a step, or reaches it by the arrow keys, reads its number below.

interface Series {
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

function forgetChart(): void {
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
const day = (d: Date): string => String(d.getUTCMonth() + 1) + "/" + String(d.getUTCDate());
const short = (n: number): string => (n >= 1e6 ? String(n / 1e6) + "M" : n >= 1e4 ? String(n / 1e3) + "k" : String(n));

/** The time of a step in words. */
function stepText(s: Series, i: number): string {
	const d = begins(s, i);
	return s.days ? moment(new Date(d.getTime() + s.step / 2).toISOString()).slice(0, 10) : moment(d.toISOString()).slice(0, 16);
}

function tickText(s: Series, at: Date): string {
	const d = there(at), month = d.getUTCMonth();
	if (s.days) return d.getUTCDate() !== 1 ? day(d) : String(d.getUTCFullYear()) + (month === 0 ? "" : "-" + two(month + 1));
	return d.getUTCHours() === 0 && d.getUTCMinutes() === 0 ? day(d) : two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
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

type By = "hour" | "day";
const KEEP_MS = 60000, DAY_MS = 86400000;
let by: By = "hour", conduit = "", got: Partial<Record<By, Trends>> = {}, failed: Key | undefined, asked = 0;
let run = 0, listening = false;

whenLeft(() => {
	run++;
	got = {};
	by = "hour";
	conduit = "";
	failed = undefined;
	asked = 0;
	forgetChart();
});

async function read(draw: () => void): Promise<void> {
	const mine = run, east = eastAt(new Date());
	for (const b of ["hour", "day"] as By[]) {
		const answer = await ask<Trends>("/api/v1/trends?by=" + b + "&east=" + String(east));
		if (mine !== run) return;
		failed = answer.ok ? undefined : answer.why === "forbidden" ? "records_no_right" : "no_answer";
		if (answer.ok) got = { ...got, [b]: answer.value };
	}
	draw();
}

const valuesOf = (d: Trends, what: string, of?: string | null): number[] => d.series.filter((s) => s.what === what && (of === undefined || s.of === of))
	.reduce((sum, s) => sum.map((v, i) => v + (s.values[i] ?? 0)), Array<number>(d.steps).fill(0));

/** The chart starts where the count began: earlier values are unknown, not 0. */
function series(d: Trends, id: string, title: string, values: number[], said: (n: number) => string): Series {
	const step = d.step_s * 1000, since = new Date(d.since).getTime(), off = Math.min(Math.max(Math.floor((new Date(d.begun).getTime() - since) / step), 0), d.steps - 2);
	return { id, title, values: values.slice(off), since: since + off * step, step, days: d.by === "day", marks: d.marks, said };
}

const total = (d: Trends, of: string): number => d.series.filter((s) => s.of === of && (s.what === "sessions" || s.what === "refused")).reduce((sum, s) => sum + s.values.reduce((a, b) => a + b, 0), 0);

/** The conduits with any count, the busiest first. */
function conduits(d: Trends): string[] {
	const names = new Set(d.series.filter((s) => s.what === "sessions" || s.what === "refused" || s.what === "carried").map((s) => s.of).filter((of): of is string => of !== null));
	return [...names].sort((a, b) => total(d, b) - total(d, a) || a.localeCompare(b));
}

/** Refusals of each zone by local hour of the day, over the two weeks. */
function byHour(d: Trends): { name: string; values: number[] }[] {
	return d.series.filter((s) => s.what === "zone_refused").map((s) => {
		const values = Array<number>(24).fill(0);
		s.values.forEach((v, i) => {
			const hour = there(new Date(new Date(d.since).getTime() + i * d.step_s * 1000)).getUTCHours();
			values[hour] = (values[hour] ?? 0) + v;
		});
		return { name: s.of ?? t("trends_no_zone"), values };
	});
}

function choice(draw: () => void, d: Trends): Node_ {
	const pick = (event: Event): void => {
		conduit = (event.target as HTMLSelectElement).value;
		draw();
	};
	return h("div", { class: "field", "data-key": "which" }, h("label", { for: "trends-conduit" }, t("conduit")),
		h("select", { id: "trends-conduit", change: pick }, h("option", { value: "", selected: conduit === "" }, t("trends_all")), conduits(d).map((name) => h("option", { value: name, "data-key": name, selected: conduit === name }, name))));
}

function steps(draw: () => void): Node_ {
	const one = (b: By, name: Key): Node_ => h("button", { type: "button", "data-key": "by-" + b, "aria-pressed": by === b ? "true" : "false", click: () => {
		by = b;
		forgetChart();
		draw();
	} }, t(name));
	return h("p", { class: "acts", role: "group", "aria-label": t("trends_span") }, one("hour", "trends_by_hour"), one("day", "trends_by_day"));
}

export function trendsPage(draw: () => void): () => Node_[] {
	whenBack(() => {
		if (failed === "no_answer") asked = 0;
	});
	return () => {
		if (!listening) {
			listening = true;
			window.addEventListener("resize", draw);
		}
		if (Date.now() - asked > KEEP_MS) {
			asked = Date.now();
			void read(draw);
		}
		const d = got[by], hourly = got.hour;
		if (d === undefined || hourly === undefined) return [h("h1", {}, t("page_trends")), h("p", { class: "empty", role: failed !== undefined ? "alert" : "status" }, t(failed ?? "loading"))];
		if (conduit !== "" && !conduits(d).includes(conduit)) conduit = "";
		const of = conduit === "" ? undefined : conduit, zones = byHour(hourly), new_ = Date.now() - new Date(d.begun).getTime() < DAY_MS;
		return [h("h1", {}, t("page_trends")), steps(draw),
			h("p", { class: "note", "data-key": "begun" }, failed !== undefined && h("b", {}, t(failed) + " "), t(new_ ? "trends_new" : "trends_begun", moment(d.begun).slice(0, 16), d.kept_days) + " " + t("trends_marks")),
			card("trends-conduits", "trends_conduits", true, choice(draw, d),
				chart(draw, series(d, "chart-sessions", t("trends_sessions"), valuesOf(d, "sessions", of), (n) => t("trends_n_sessions", count(n)))),
				chart(draw, series(d, "chart-carried", t("trends_carried"), valuesOf(d, "carried", of), (n) => t("trends_n_packets", count(n)))),
				chart(draw, series(d, "chart-refused", t("trends_refused"), of === undefined ? valuesOf(d, "zone_refused") : valuesOf(d, "refused", of), (n) => t("trends_n_refused", count(n))))),
			card("trends-zones", "trends_zones", true, h("p", { class: "note" }, t("trends_zones_note")),
				zones.length === 0 ? h("p", { class: "empty" }, t("trends_nothing")) : hours(t("trends_zones"), zones)),
			card("trends-alarms", "trends_alarms", true, chart(draw, series(d, "chart-serious", t("trends_serious"), valuesOf(d, "serious"), (n) => t("trends_n_serious", count(n))))),
			card("trends-inspection", "trends_inspection", true,
				chart(draw, series(d, "chart-p99", t("trends_p99"), valuesOf(d, "p99_us"), (n) => count(n) + " µs")),
				chart(draw, series(d, "chart-inspected", t("trends_inspected"), valuesOf(d, "inspected"), (n) => t("trends_n_packets", count(n)))))];
	};
}

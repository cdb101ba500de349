// SPDX-License-Identifier: Apache-2.0
// Trends: passed sessions and refusals by conduit and zone, alarms, and inspection times, with
// changes of the policy; by hour for two weeks, by day for 400 days.
import { chart, forgetChart, hours, type Series } from "./chart";
import { h, type Node_ } from "./dom";
import { whenBack } from "./feed";
import { count, moment } from "./format";
import { card } from "./parts";
import { ask } from "./session";
import { t, type Key } from "./text";
import type { Trends } from "./types";

type By = "hour" | "day";
const KEEP_MS = 60000, DAY_MS = 86400000;
let by: By = "hour", conduit = "", got: Partial<Record<By, Trends>> = {}, failed: Key | undefined, asked = 0;
let run = 0, listening = false;

/** Forgets what was shown: it belongs to the person who was signed in. */
export function forgetTrends(): void {
	run++;
	got = {};
	by = "hour";
	conduit = "";
	failed = undefined;
	asked = 0;
	forgetChart();
}

async function read(draw: () => void): Promise<void> {
	const mine = run, east = -new Date().getTimezoneOffset() * 60;
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
	const names = new Set(d.series.filter((s) => s.what === "sessions" || s.what === "refused").map((s) => s.of).filter((of): of is string => of !== null));
	return [...names].sort((a, b) => total(d, b) - total(d, a) || a.localeCompare(b));
}

/** Refusals of each zone by local hour of the day, over the two weeks. */
function byHour(d: Trends): { name: string; values: number[] }[] {
	return d.series.filter((s) => s.what === "zone_refused").map((s) => {
		const values = Array<number>(24).fill(0);
		s.values.forEach((v, i) => {
			const hour = new Date(new Date(d.since).getTime() + i * d.step_s * 1000).getHours();
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
				chart(draw, series(d, "chart-refused", t("trends_refused"), of === undefined ? valuesOf(d, "zone_refused") : valuesOf(d, "refused", of), (n) => t("trends_n_refused", count(n))))),
			card("trends-zones", "trends_zones", true, h("p", { class: "note" }, t("trends_zones_note")),
				zones.length === 0 ? h("p", { class: "empty" }, t("trends_nothing")) : hours(t("trends_zones"), zones)),
			card("trends-alarms", "trends_alarms", true, chart(draw, series(d, "chart-serious", t("trends_serious"), valuesOf(d, "serious"), (n) => t("trends_n_serious", count(n))))),
			card("trends-inspection", "trends_inspection", true,
				chart(draw, series(d, "chart-p99", t("trends_p99"), valuesOf(d, "p99_us"), (n) => count(n) + " µs")),
				chart(draw, series(d, "chart-inspected", t("trends_inspected"), valuesOf(d, "inspected"), (n) => t("trends_n_packets", count(n)))))];
	};
}

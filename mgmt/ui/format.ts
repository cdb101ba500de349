// SPDX-License-Identifier: Apache-2.0
// Numbers and times for people. Times are shown and typed in the site's time zone, or in this
// machine's if the policy sets none; how long ago something was is counted by the box's clock, by
// which it was recorded.
import { language, t } from "./text";
import type { Conduit } from "./types";

// ---- CSV files ----------------------------------------------------------------------------------

// Tables as CSV files. The byte order mark makes spreadsheets read Japanese; no cell is read as a
// formula.

/**
 * RFC 4180, 2: lines end in CR LF, a quote is doubled. A cell that a spreadsheet would calculate
 * gets an apostrophe in front.
 */
export function csv(rows: (string | number | null | undefined)[][]): string {
	const cell = (v: string | number | null | undefined): string => {
		const text = String(v ?? "");
		return '"' + (typeof v === "string" && /^[\s]*[=+\-@\t\r]/.test(text) ? "'" + text : text).replace(/"/g, '""') + '"';
	};
	return "\ufeff" + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** Saves a file as a download of the browser, which asks for a place or uses its own folder. */
export function save(name: string, type: string, what: BlobPart): void {
	const url = URL.createObjectURL(new Blob([what], { type }));
	const a = document.createElement("a");
	a.href = url;
	a.download = name;
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 60000);
}

export function count(n: number | undefined): string {
	return (n ?? 0).toLocaleString(language() === "ja" ? "ja-JP" : "en-US");
}

/** 1536000 as "1.5 MB". */
export function bytes(n: number): string {
	const units = ["B", "kB", "MB", "GB", "TB", "PB"];
	let i = 0;
	while (n >= 1000 && i < units.length - 1) {
		n /= 1000;
		i++;
	}
	return (i === 0 || n >= 100 ? Math.round(n).toString() : n.toFixed(1)) + " " + (units[i] ?? "");
}

const two = (n: number): string => String(n).padStart(2, "0");

// ---- the site's time zone -----------------------------------------------------------------------

/** A day on which clocks change: month, week (5: the last one), weekday, second of the day. */
type Change = [number, number, number, number];
let names = ["", ""], east = [0, 0], changes: [Change, Change] | undefined, told: string | undefined;

const seconds = (text: string): number => text.replace(/^[+-]/, "").split(":").reduce((sum, part, i) => sum + Number(part) * (3600 / 60 ** i), 0) * (text.startsWith("-") ? -1 : 1);

/** Takes the site's zone: a TZ value as policies have it, "JST-9"; "": none is known. */
export function setZone(rule: string): void {
	if (told === rule) return;
	const name = "([A-Za-z]+|<[\\w+-]+>)", on = ",M(\\d+)\\.(\\d)\\.(\\d)(?:/([+-]?[\\d:]+))?";
	const m = new RegExp("^" + name + "([+-]?[\\d:]+)(?:" + name + "([+-]?[\\d:]+)?" + on + on + ")?$").exec(rule);
	told = m === null ? undefined : rule;
	if (m === null) return;
	const at = (i: number): string => m[i] ?? "", change = (i: number): Change => [Number(at(i)), Number(at(i + 1)), Number(at(i + 2)), at(i + 3) === "" ? 7200 : seconds(at(i + 3))];
	const west = seconds(at(2));
	names = [at(1), at(3)].map((n) => n.replace(/[<>]/g, ""));
	east = [-west, at(4) === "" ? 3600 - west : -seconds(at(4))];
	changes = at(3) === "" ? undefined : [change(5), change(9)];
}

/** When clocks change in that year, in seconds since 1970; `east`: before the change. */
function changeAt([month, week, weekday, at]: Change, year: number, before: number): number {
	const first = new Date(Date.UTC(year, month - 1, 1)), last = new Date(Date.UTC(year, month, 0)).getUTCDate();
	let day = 1 + (weekday + 7 - first.getUTCDay()) % 7 + (week - 1) * 7;
	while (day > last) day -= 7;
	return Date.UTC(year, month - 1, day) / 1000 + at - before;
}

function summer(at: number): boolean {
	if (changes === undefined) return false;
	const year = new Date((at + (east[0] ?? 0)) * 1000).getUTCFullYear(), begin = changeAt(changes[0], year, east[0] ?? 0), end = changeAt(changes[1], year, east[1] ?? 0);
	return begin < end ? at >= begin && at < end : !(at >= end && at < begin);
}

/** Seconds east of Greenwich at that moment. */
export const eastAt = (d: Date): number => (told === undefined ? -d.getTimezoneOffset() * 60 : east[summer(d.getTime() / 1000) ? 1 : 0] ?? 0);

/** A date whose UTC fields are what clocks at the site show then. */
export const there = (d: Date): Date => new Date(d.getTime() + eastAt(d) * 1000);

/** The moment when clocks at the site show the typed time, "2026-11-20T17:10". */
export function fromThere(typed: string): Date {
	const d = new Date(typed + (typed.length > 10 ? "Z" : "T00:00Z")), guess = new Date(d.getTime() - eastAt(d) * 1000);
	return new Date(d.getTime() - eastAt(guess) * 1000);
}

/** The zone by its name, or this machine's offset from UTC: "JST (UTC+09:00)". */
export function zone(): string {
	const at = new Date(), off = eastAt(at), minutes = Math.abs(off) / 60, name = told === undefined ? "" : names[summer(at.getTime() / 1000) ? 1 : 0] ?? "";
	const utc = "UTC" + (off < 0 ? "-" : "+") + two(Math.floor(minutes / 60)) + ":" + two(minutes % 60);
	return name === "" || /^[+-]/.test(name) ? utc : name + " (" + utc + ")";
}

export function clockTime(at: Date): string {
	const d = there(at);
	return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) + ":" + two(d.getUTCSeconds());
}

/**
 * "2026-11-20T08:10:11.123Z" as "2026-11-20 17:10:11"; "" stays "", and other text stays as it is.
 */
export function moment(text: string | null | undefined): string {
	if (text === null || text === undefined || text === "") return "";
	const at = new Date(text), d = there(at);
	if (Number.isNaN(at.getTime())) return text;
	return d.getUTCFullYear() + "-" + two(d.getUTCMonth() + 1) + "-" + two(d.getUTCDate()) + " " + clockTime(at);
}

/** A sentence of the box with its UTC times replaced by local ones. */
export function local(sentence: string): string {
	return sentence.replace(/(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) UTC/g, (_, day: string, time: string) => moment(day + "T" + time + "Z"));
}

export function ago(text: string | null | undefined, now: string | undefined): string {
	const seconds = Math.floor((new Date(now ?? "").getTime() - new Date(text ?? "").getTime()) / 1000);
	if (Number.isNaN(seconds) || seconds < 0) return "";
	if (seconds < 60) return t("ago_seconds", seconds);
	if (seconds < 3600) return t("ago_minutes", Math.floor(seconds / 60));
	if (seconds < 2 * 86400) return t("ago_hours", Math.floor(seconds / 3600));
	return t("ago_days", Math.floor(seconds / 86400));
}

/** A number, and its age if it is not of now; `old`: its time by this machine's clock. */
export const aged = (text: string, old: number | undefined): string =>
	(old === undefined ? text : t("aged", text, ago(new Date(old).toISOString(), new Date(Math.max(old, Date.now())).toISOString())));

/**
 * The last use of a conduit; if it was never used, since when uses are watched; and times without
 * watching since then.
 */
export function lastUse(k: Conduit): string {
	const last = moment(k.last_match) || (k.watched_since ? t("never_since", moment(k.watched_since)) : t("none"));
	return [last, ...(k.unwatched ?? []).map((u) => t("unwatched", moment(u.since), moment(u.until)))].join("; ");
}

/** "10 min": in the largest unit that gives a whole number, as in policies. */
export function span(seconds: number): string {
	const units: [number, string][] = [[86400, "d"], [3600, "h"], [60, "min"]];
	const whole = units.find(([n]) => seconds % n === 0) ?? [1, "s"];
	return String(seconds / whole[0]) + " " + whole[1];
}

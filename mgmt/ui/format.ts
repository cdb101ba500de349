// SPDX-License-Identifier: Apache-2.0
// Numbers and times for people. Times are shown in this machine's zone; how long ago something was
// is counted by the box's clock, by which it was recorded.
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

export function clockTime(d: Date): string {
	return two(d.getHours()) + ":" + two(d.getMinutes()) + ":" + two(d.getSeconds());
}

/**
 * "2026-11-20T08:10:11.123Z" as "2026-11-20 17:10:11"; "" stays "", and other text stays as it is.
 */
export function moment(text: string | null | undefined): string {
	if (text === null || text === undefined || text === "") return "";
	const d = new Date(text);
	if (Number.isNaN(d.getTime())) return text;
	return d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate()) + " " + clockTime(d);
}

/** A sentence of the box with its UTC times replaced by local ones. */
export function local(sentence: string): string {
	return sentence.replace(/(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?) UTC/g, (_, day: string, time: string) => moment(day + "T" + time + "Z"));
}

/** This machine's offset from UTC: "+09:00". */
export function zone(): string {
	const east = -new Date().getTimezoneOffset(), minutes = Math.abs(east);
	return (east < 0 ? "-" : "+") + two(Math.floor(minutes / 60)) + ":" + two(minutes % 60);
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

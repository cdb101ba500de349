// SPDX-License-Identifier: Apache-2.0
// The effective rules as rows, for the table, its filter and its file: what is saved is what is
// shown.
import { lastUse, moment } from "./format";
import { ask, type Answer } from "./session";
import { language, t, type Key } from "./text";
import type { Cell, Conduit, Effective } from "./types";

export interface Rule {
	conduit: string;
	label: string;
	from: string;
	to: string;
	source: string;
	destination: string;
	service: string;
	commands: string;
	mode: "enforce" | "observe";
	until: string;
	packets: number;
	place: string;
	words: string; // everything in small letters, for the filter
}

const named = (name: string | undefined, label: string | undefined): string => (label !== undefined && label !== "" ? label + (name !== undefined && name !== label ? " (" + name + ")" : "") : name ?? "");

export function zoneName(e: Effective, name: string | undefined): string {
	const zone = (e.zones ?? []).find((z) => z.name === name);
	if (name === "self") return t("box_itself");
	return zone === undefined ? name ?? "" : named(zone.name, zone.label);
}

/**
 * A row of a policy in the box's words; from an older box in the policy's own keys: "functions 3
 * 24, units 1, holding 0-99".
 */
function commands(row: Record<string, unknown>): string {
	const said = row[language()];
	if (typeof said === "string") return said;
	return Object.entries(row).filter(([key, v]) => key !== "file" && key !== "line" && v !== "" && v !== "any" && v !== null && !(Array.isArray(v) && v.length === 0))
		.map(([key, v]) => key + " " + (Array.isArray(v) ? v.join(" ") : String(v))).join(", ");
}

function allowed(e: Effective, cell: Cell): string {
	const permit = (e.permits ?? []).find((p) => p.permit === cell.permit);
	return (permit?.grants ?? []).filter((g) => g.whole !== true).map((g) => (g.protocol ?? "") + ": " + (g.rows ?? []).map(commands).join("; ")).join(" / ");
}

/** A row as the map shows it: groups of commands, and no codes. */
const short = (row: Record<string, unknown>): string => {
	const said = row["short_" + language()];
	return typeof said === "string" ? said : commands(row);
};

/** What a conduit allows, a line for each row of each protocol; everything if it only observes,
 * whatever its rows say. */
export function commandsOf(e: Effective, conduit: string): string[] {
	const observes = (e.conduits ?? []).some((k) => k.name === conduit && k.mode === "observe");
	const lines = (e.permits ?? []).flatMap((p) => (p.grants ?? []).filter((g) => g.conduit === conduit)
		.flatMap((g) => (g.whole === true ? [(g.protocol ?? "") + ": " + t(g.protocol === "tls" && p.weak_tls === "deny" ? "all_but_weak_tls" : "all_commands")] : (g.rows ?? []).map((r) => (g.protocol ?? "") + ": " + short(r)))));
	return [...(observes ? [t("word_observed")] : []), ...new Set(lines)];
}

const end = (address: string | undefined, asset: string | undefined, label: string | undefined): string => (asset !== undefined && asset !== "" ? named(asset, label) + " " : "") + (address ?? "");

/**
 * The rules with their texts in words. If the policy is too large for that, the box answers
 * "unavailable", and the rules come without words. `of`: "?at=" and a time in seconds.
 */
export async function askRules(of = ""): Promise<Answer<Effective>> {
	const said = await ask<Effective>("/api/v1/rules" + of);
	return said.ok || said.why !== "unavailable" ? said : ask<Effective>("/api/v1/effective" + of);
}

export function rules(e: Effective): Rule[] {
	const conduits = new Map((e.conduits ?? []).map((k) => [k.name, k]));
	return (e.cells ?? []).map((cell) => {
		const names = cell.conduits ?? [], of = names.map((n) => conduits.get(n)).filter((k): k is Conduit => k !== undefined), first = of[0];
		const row = {
			conduit: names.join(", "), label: of.map((k) => k.label ?? "").filter((l) => l !== "").join(", "), from: first?.from ?? "", to: first?.to ?? "",
			source: end(cell.source, cell.source_asset, cell.source_label), destination: end(cell.destination, cell.destination_asset, cell.destination_label),
			service: (cell.protocol ?? "") + (cell.ports !== undefined && cell.ports !== "" ? " " + cell.ports : ""), commands: allowed(e, cell),
			mode: of.some((k) => k.mode === "observe") ? "observe" as const : "enforce" as const, until: cell.until ?? "", packets: cell.packets ?? 0, place: (cell.file ?? "") + ":" + String(cell.line ?? 0) };
		return { ...row, words: [...Object.values(row), zoneName(e, row.from), zoneName(e, row.to)].join(" ").toLowerCase() };
	});
}

/** Each word of the filter has to occur in a row. */
export function matching(list: Rule[], filter: string): Rule[] {
	const words = filter.toLowerCase().split(/[\s\u3000]+/).filter((w) => w !== "");
	return list.filter((r) => words.every((w) => r.words.includes(w)));
}

/**
 * What may pass from one zone to another: the number of conduits, the strongest command word, and
 * the protocols that are not inspected.
 */
interface Reach {
	conduits: Conduit[];
	word: Key | undefined; // undefined: none, or the box does not tell
	unread: string[];
}
const WORDS: [string, Key][] = [["program", "word_program"], ["control", "word_control"], ["write", "word_write"], ["diagnose", "word_diagnose"], ["read", "word_read"]];

export function reach(e: Effective, from: string, to: string): Reach {
	const conduits = (e.conduits ?? []).filter((k) => k.from === from && k.to === to && !(k.until && k.until < (e.time ?? ""))), names = new Set(conduits.map((k) => k.name));
	const grants = (e.permits ?? []).flatMap((p) => (p.grants ?? []).filter((g) => names.has(g.conduit) && g.shadow !== true));
	const said = new Set(grants.flatMap((g) => g.commands ?? []));
	return { conduits, word: conduits.some((k) => k.mode === "observe") ? "word_observed" : WORDS.find(([w]) => said.has(w))?.[1],
		unread: [...new Set(grants.filter((g) => g.commands === null).map((g) => g.protocol ?? ""))] };
}

/** The text of a cell: "write; not read: ssh"; "" where nothing passes. */
export function reachText(r: Reach): string {
	if (r.conduits.length === 0) return "";
	const word = r.word !== undefined ? t(r.word) : r.unread.length === 0 ? t("word_none") : "";
	return word + (r.unread.length > 0 ? (word !== "" ? t("word_and") : "") + t("word_unread", r.unread.join(", ")) : "");
}

type Line = (string | number)[];
const heads = (...keys: Key[]): Line => keys.map((k) => t(k));

export function rulesFile(e: Effective, list: Rule[]): Line[] {
	return [heads("conduit", "label", "source_zone", "destination_zone", "source", "destination", "service", "commands_allowed", "mode", "until", "packets", "text_place"),
		...list.map((r): Line => [r.conduit, r.label, zoneName(e, r.from), zoneName(e, r.to), r.source, r.destination, r.service, r.commands, t(r.mode === "observe" ? "observed" : "enforced"),
			moment(r.until), r.packets, r.place])];
}

export function matrixFile(e: Effective): Line[] {
	const zones = (e.zones ?? []).map((z) => z.name ?? "");
	return [[t("matrix_corner"), ...zones.map((z) => zoneName(e, z))], ...zones.map((from): Line => [zoneName(e, from), ...zones.map((to) => reachText(reach(e, from, to)) || "—")])];
}

export const accepted = (k: Conduit): string => (k.accept ?? []).map((a) => (a.warning ?? "") + (a.reason ? " (" + a.reason + ")" : "")).join("; ");

export function conduitFile(e: Effective, list: Conduit[]): Line[] {
	return [heads("conduit", "label", "source_zone", "destination_zone", "mode", "purpose", "owner", "approved_in_policy", "review_by", "until", "last_match", "accepted", "text_place"),
		...list.map((k): Line => [k.name ?? "", k.label ?? "", zoneName(e, k.from), zoneName(e, k.to), t(k.mode === "observe" ? "observed" : "enforced"), k.purpose ?? "", k.owner ?? "",
			k.approved_by ?? "", k.review_by ?? "", moment(k.until), lastUse(k), accepted(k), (k.file ?? "") + ":" + String(k.line ?? 0)])];
}

/**
 * The state of an exception at the box's time. Once it has ended, a report on it is owed until the
 * register has one.
 */
export const exceptionState = (e: Effective, k: Conduit): Key => ((k.until ?? "") === "" || (k.until ?? "") > (e.time ?? "") ? "exception_in_force" : k.exception?.[0]?.report ? "exception_reported" : "exception_owed");

export function exceptionFile(e: Effective, list: Conduit[]): Line[] {
	return [heads("conduit", "label", "source_zone", "destination_zone", "condition", "until", "applicant", "approved_in_policy", "reason_given", "instead", "departs_from", "effect", "report_of"),
		...list.map((k): Line => [k.name ?? "", k.label ?? "", zoneName(e, k.from), zoneName(e, k.to), t(exceptionState(e, k)), moment(k.until),
			...(["applicant", "approved_by", "reason", "instead", "rule", "effect", "report"] as const).map((x) => k.exception?.[0]?.[x] ?? "")])];
}

/** Whether the conduit's review is overdue, by the box's date. */
export const overdue = (e: Effective, k: Conduit): boolean => k.review_by !== null && k.review_by !== undefined && k.review_by !== "" && k.review_by < (e.time ?? "").slice(0, 10);

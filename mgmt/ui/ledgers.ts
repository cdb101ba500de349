// SPDX-License-Identifier: Apache-2.0
// The registers, now or at an earlier time: assets, external connections, data flows with their
// pictures. Each is saved as it is shown.
import { h, type Child, type Node_ } from "./dom";
import { csv, fromThere, save, moment, zone } from "./format";
import { card, chip, grid } from "./parts";
import { askRules, zoneName } from "./register";
import { askPicture, whenLeft } from "./session";
import { siblingForm } from "./sibling";
import { language, t, type Key } from "./text";
import type { Asset, Conduit, Device, Effective, Lang, Line, Organisation, Said } from "./types";

type Row = Record<string, unknown>;
interface Ledger {
	name: "assets" | "connections" | "flows"; // as in `sekisho register`
	title: Key;
	note: Key;
	columns: [string, Key][];
	rows: (e: Effective, devices: Device[] | undefined) => Row[];
}
interface Carried {
	protocol: string;
	commands: string[] | null;
	observed: boolean; // everything passes, whatever the rows say
}
const PARTS = ["it", "ot"] as const;
type Part = (typeof PARTS)[number];
interface Drawn {
	lang: Lang;
	url?: string; // undefined: requested, or it could not be drawn
	failed?: true;
}

let then: { at: number; rules?: Effective } | undefined; // without rules: requested
let complaint: string | undefined;
let drawn: Partial<Record<Part, Drawn>> = {};
let run = 0;

function drop(): void {
	for (const p of PARTS) URL.revokeObjectURL(drawn[p]?.url ?? "");
	drawn = {};
}

whenLeft(() => {
	run++;
	drop();
	then = complaint = undefined;
});

// ---- rows ---------------------------------------------------------------------------------------

/** An address as a number; those of IPv6 are above those of IPv4. */
function place(text: string): bigint {
	if (!text.includes(":")) return text.split(".").reduce((n, part) => n * 256n + BigInt(part), 0n);
	const [left, right] = text.split("::").map((half) => half.split(":").filter((w) => w !== "")) as [string[], string[] | undefined];
	const words = right === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
	return words.reduce((n, word) => n * 65536n + BigInt("0x" + word), 1n);
}

/**
 * Whether the address is in a range such as "10.30.1.10", "10.30.1.10-10.30.1.19" or
 * "10.30.1.0/24".
 */
function within(address: string, range: string): boolean {
	const [net = "", bits] = range.split("/"), [first = "", last = first] = net.split("-"), at = place(address), from = place(first);
	return bits === undefined ? at >= from && at <= place(last) : at >= from && at < from + (1n << BigInt((first.includes(":") ? 128 : 32) - Number(bits)));
}

/**
 * When one of its addresses was last heard; null = never. In a register of an earlier time null
 * also stands for a device that was heard both before and after that time, because the box keeps
 * only the last time.
 */
function lastSeen(e: Effective, ranges: string[], devices: Device[] | undefined): string | null {
	const at = e.as_it_was !== undefined ? e.time ?? "" : undefined;
	const of = (devices ?? []).filter((d) => (at === undefined || d.first <= at) && d.addresses.some((a) => ranges.some((r) => within(a, r))));
	return at !== undefined && of.some((d) => d.last >= at) ? null : of.map((d) => d.last).sort().pop() ?? null;
}

const assets = (e: Effective, devices: Device[] | undefined): Row[] => (e.assets ?? []).map((a: Asset) => ({ ...a, owner: e.zones?.find((z) => z.name === a.zone)?.owner, last_seen: lastSeen(e, a.addresses ?? [], devices) }));

/**
 * One row for each line to a zone (carrier, service, place), and one for each zone that has no line
 * but is an organisation's or of the class "external".
 */
function connections(e: Effective): Row[] {
	return (e.zones ?? []).flatMap((z) => {
		const o = e.organisations?.find((one: Organisation) => one.zone === z.name), lines: (Line | undefined)[] = z.lines ?? [];
		if (lines.length === 0 && o === undefined && z.class !== "external") return [];
		const of = (e.conduits ?? []).filter((k) => k.from === z.name || k.to === z.name);
		return (lines.length > 0 ? lines : [undefined]).map((line) => ({ zone: z.name, owner: z.owner, organisation: o?.label || o?.name, contract_until: o?.contract_until, contacts: (o?.contacts ?? []).map((c) => c.contact),
			carrier: line?.carrier, service: line?.service, place: line?.place, conduits: of.map((k) => k.name), doors: [...new Set(of.map((k) => k.door).filter((d) => typeof d === "string"))] }));
	});
}

function carries(e: Effective): Map<string, Carried[]> {
	const all = new Map<string, Carried[]>();
	const observing = new Set((e.conduits ?? []).filter((k) => k.mode === "observe").map((k) => k.name));
	for (const g of (e.permits ?? []).flatMap((p) => p.grants ?? [])) {
		if (g.shadow === true) continue;
		const list = all.get(g.conduit ?? "") ?? [], has = list.find((c) => c.protocol === g.protocol), observed = observing.has(g.conduit);
		if (has === undefined) list.push({ protocol: g.protocol ?? "", commands: observed ? null : g.commands ?? null, observed });
		else if (has.commands !== null) has.commands = [...new Set([...has.commands, ...(g.commands ?? [])])];
		all.set(g.conduit ?? "", list);
	}
	return all;
}

/**
 * Reading and diagnosis send data back; an uninspected or observed conduit may carry data in both
 * directions.
 */
function dataOf(k: Conduit, list: Carried[]): string {
	const words = list.flatMap((c) => c.commands ?? []), back = words.some((w) => w === "read" || w === "diagnose"), there = words.some((w) => w !== "read" && w !== "diagnose");
	const both = k.mode === "observe" || list.some((c) => (c.commands ?? []).length === 0) || back === there;
	return both ? "both" : back ? "to_source" : "to_destination";
}

function flows(e: Effective): Row[] {
	const all = carries(e), side = (name: string | undefined): Part => (["ot", "operations"].includes(e.zones?.find((z) => z.name === name)?.class ?? "") ? "ot" : "it");
	return (e.conduits ?? []).map((k) => {
		const list = all.get(k.name ?? "") ?? [], from = side(k.from);
		return { name: k.name, label: k.label, from: k.from, to: k.to, part: from === side(k.to) ? from : "it_ot", carries: list, data: dataOf(k, list), mode: k.mode, until: k.until, door: k.door, purpose: k.purpose };
	});
}

const LEDGERS: Ledger[] = [
	{ name: "assets", title: "ledger_assets", note: "ledger_assets_note", rows: assets, columns: [["name", "asset"], ["label", "label"], ["zone", "zone"], ["owner", "owner"], ["model", "asset_model"], ["place", "stands_at"],
		["support_until", "support_until"], ["last_seen", "last_heard"], ["addresses", "addresses"]] },
	{ name: "connections", title: "external", note: "ledger_connections_note", rows: connections, columns: [["zone", "zone"], ["owner", "owner"], ["organisation", "organisation"], ["contract_until", "contract_until"],
		["contacts", "contacts"], ["carrier", "carrier"], ["service", "line_service"], ["place", "stands_at"], ["conduits", "conduits"], ["doors", "doors"]] },
	{ name: "flows", title: "ledger_flows", note: "ledger_flows_note", rows: flows, columns: [["name", "conduit"], ["label", "label"], ["from", "source_zone"], ["to", "destination_zone"], ["part", "flow_part"], ["carries", "flow_carries"],
		["data", "flow_data"], ["mode", "mode"], ["until", "until"], ["door", "doors"], ["purpose", "purpose"]] }];

const WORDS: Record<string, Key> = { it: "flow_it", ot: "flow_ot", it_ot: "flow_both_parts", to_destination: "data_there", to_source: "data_back", both: "data_both", enforce: "enforced", observe: "observed",
	read: "word_read", write: "word_write", control: "word_control", program: "word_program", diagnose: "word_diagnose" };
function word(w: string): string {
	const key = WORDS[w];
	return key !== undefined ? t(key) : w;
}
const carriedText = (c: Carried): string => c.protocol + (c.observed ? ": " + t("word_observed") : c.commands === null ? ": " + t("flow_unread") : c.commands.length > 0 ? ": " + c.commands.map(word).join(t("word_and")) : "");

function text(e: Effective, key: string, value: unknown): string {
	if (key === "last_seen" && value === null && e.as_it_was !== undefined) return t("unknown");
	if (key === "carries") return (value as Carried[]).map(carriedText).join(" / ");
	if (Array.isArray(value)) return value.join(" ");
	const said = typeof value === "string" ? value : "";
	if (key === "zone" || key === "from" || key === "to") return zoneName(e, said);
	if (key === "part" || key === "data" || key === "mode") return word(said);
	return /^\d{4}-\d\d-\d\dT/.test(said) ? moment(said) : said;
}

// ---- a former time ------------------------------------------------------------------------------

async function read(draw: () => void): Promise<void> {
	const at = Math.floor(fromThere((document.getElementById("ledger-at") as HTMLInputElement).value).getTime() / 1000), mine = ++run;
	complaint = then = undefined;
	drop();
	if (Number.isNaN(at) || at <= 0) complaint = t("ledger_when");
	else {
		then = { at };
		draw();
		const said = await askRules("?at=" + String(at));
		if (mine !== run) return;
		then = said.ok ? { at, rules: said.value } : undefined;
		if (!said.ok) complaint = (said.why === "wrong" ? (said.said as { error?: Said } | undefined)?.error?.[language()] : undefined) ?? t("no_answer");
	}
	draw();
}

function now(draw: () => void): void {
	run++;
	drop();
	then = complaint = undefined;
	draw();
}

async function picture(part: Part, draw: () => void): Promise<void> {
	const lang = language(), mine = run;
	URL.revokeObjectURL(drawn[part]?.url ?? "");
	drawn[part] = { lang };
	draw();
	const said = await askPicture("/api/v1/picture?lang=" + lang + "&flows=" + part + (then !== undefined ? "&at=" + String(then.at) : ""));
	if (mine === run) drawn[part] = said.ok ? { lang, url: said.value.url } : { lang, failed: true };
	else if (said.ok) URL.revokeObjectURL(said.value.url);
	draw();
}

// ---- the cards ----------------------------------------------------------------------------------

const button = (label: Key, click: () => void, key: string): Node_ => h("button", { type: "button", "data-key": key, click }, t(label));

function whenCard(draw: () => void): Node_ {
	const e = then?.rules, submit = (event: Event): void => {
		event.preventDefault();
		void read(draw);
	};
	return card("ledgers", "ledgers", true, h("p", { class: "note" }, t("ledgers_note")),
		h("form", { submit, novalidate: true, class: "ledgers" }, h("div", { class: "field" }, h("label", { for: "ledger-at" }, t("ledger_at", zone())), h("input", { id: "ledger-at", type: "datetime-local", step: 1 })),
			h("p", { class: "acts" }, h("button", { type: "submit", "data-key": "ledger-then" }, t("ledger_then")), then !== undefined && button("ledger_now", () => now(draw), "ledger-now"))),
		h("p", { class: "complaint", role: "alert" }, complaint ?? ""),
		h("p", { class: "note", role: "status", "data-key": "ledger-said" }, then === undefined ? t("ledger_is_now") : e === undefined ? t("loading")
			: t("ledger_as_it_was", moment(e.time), e.generation?.number ?? "?", moment(e.as_it_was?.since), moment(e.as_it_was?.until) || t("ledger_still"))));
}

/** Whether the support of an asset is over, at the time of the register. */
function past(e: Effective, key: string, value: unknown): Child {
	return key === "support_until" && typeof value === "string" && value !== "" && value < (e.time ?? "").slice(0, 10) && h("span", {}, " ", chip("wait", t("support_over")));
}

function shown(part: Part, d: Drawn): Node_ {
	const alt = t(part === "it" ? "flows_alt_it" : "flows_alt_ot"), key = "flows-" + part;
	if (d.url === undefined) return h("p", { class: d.failed === true ? "complaint" : "note", role: "status", "data-key": key }, t(d.failed === true ? "no_answer" : "loading"));
	return h("div", { class: "map scroll", tabindex: 0, role: "group", "data-key": key, "aria-label": alt }, h("div", { class: "drawn" }, h("img", { src: d.url, alt })));
}

function pictures(stamp: (what: string, ending: string) => string, draw: () => void): Child[] {
	const there = PARTS.map((p) => ({ p, d: drawn[p] })), asks = (p: Part): Node_ => button(p === "it" ? "draw_it" : "draw_ot", () => void picture(p, draw), "draw-" + p);
	return [h("p", { class: "acts" }, PARTS.map(asks),
		there.map(({ p, d }) => d?.url !== undefined && h("a", { class: "button", "data-key": "save-" + p, href: d.url, download: stamp("flows-" + p, "svg") }, t(p === "it" ? "save_it" : "save_ot")))),
		...there.map(({ p, d }) => d !== undefined && shown(p, d))];
}

function ledgerCard(l: Ledger, e: Effective, devices: Device[] | undefined, stamp: (what: string, ending: string) => string, draw: () => void): Node_ {
	const rows = l.rows(e, devices), keys = l.columns.map(([key]) => key);
	const sheet = (): void => save(stamp(l.name, "csv"), "text/csv;charset=utf-8", csv([l.columns.map(([, head]) => t(head)), ...rows.map((r) => keys.map((k) => text(e, k, r[k])))]));
	const json = (): void => save(stamp(l.name, "json"), "application/json", JSON.stringify({ register: l.name, generation: e.generation, time: e.time, as_it_was: e.as_it_was,
		rows: rows.map((r) => Object.fromEntries(keys.map((k) => [k, r[k] === "" ? null : r[k] ?? null]))) },
		// as the command line writes it: "commands" is null
		(k, v: unknown) => (k === "observed" ? undefined : v), 1));
	return card(l.name === "connections" ? "external" : l.name, l.title, true, h("p", { class: "note" }, t(l.note)),
		h("p", { class: "acts" }, button("save_csv", sheet, "save-" + l.name), button("save_json", json, "save-json-" + l.name)),
		...(l.name === "flows" ? pictures(stamp, draw) : []),
		rows.length === 0 ? h("p", { class: "note" }, t("ledger_empty")) : grid(l.title, l.columns.map(([, head]) => ({ head })),
			rows.map((r) => keys.map((k, i) => (i === 0 ? h("b", {}, text(e, k, r[k])) : [text(e, k, r[k]) || t("none"), past(e, k, r[k])])))), l.name === "assets" && then === undefined && siblingForm(e, draw));
}

/** `e`: the rules in force; `stamp` makes a file name. */
export function ledgerCards(e: Effective, devices: Device[] | undefined, stamp: (what: string, ending: string, of: Effective) => string, draw: () => void): Node_[] {
	const of = then === undefined ? e : then.rules;
	for (const p of PARTS) if ((drawn[p]?.lang ?? language()) !== language()) void picture(p, draw);
	return [whenCard(draw), ...(of === undefined ? [] : LEDGERS.map((l) => ledgerCard(l, of, devices, (what, ending) => stamp(what, ending, of), draw)))];
}

// SPDX-License-Identifier: Apache-2.0
// An auditor signs here that he has reviewed the records of a month, and what he found. A log
// administrator places holds here. The box takes the name from the session.
import { h, type Child, type Node_ } from "./dom";
import { count, fromThere, moment, there } from "./format";
import { card, chip, figures, grid } from "./parts";
import { ask, orderRecords, person as account, type Person, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Said } from "./types";

interface Review {
	seq: number;
	time: string;
	name: string;
	from: string;
	until: string;
	result: "none" | "findings";
	note: string;
	by: string;
	client: string;
}
interface Kind extends Said {
	kind: string;
	records: number;
	times: number;
}
interface Hold extends Said {
	number: number;
	from: string | null;
	until: string | null;
	placed: string | null;
	person: string;
	by: string | null;
}
interface Outcome {
	done: boolean;
	error?: Said;
	number?: number;
	signed?: boolean;
}
interface Counted {
	kinds: Map<string, Kind>;
	records: number;
	serious: number;
	over: boolean;
}

const MONTHS = 13, QUESTIONS_MOST = 500;
let month = 1; // months before the present one
let reviews: Review[] | undefined, holds: Hold[] | undefined, counted: Counted | undefined, rights: string[] = [];
let lifting: number | undefined;
let busy = false, complaint: Key | undefined, refusal: Said | undefined, done: string | undefined;
let run = 0, counting = 0;

whenLeft(() => {
	run++;
	counting++;
	reviews = holds = counted = lifting = complaint = refusal = done = undefined;
	rights = [];
	month = 1;
	busy = false;
});

/** The person's rights, as the box told when the records were read. */
export const mayNow = (right: string): boolean => rights.includes(right);

const iso = (d: Date): string => d.toISOString().slice(0, 19) + "Z";
const monthBegins = (before: number): Date => {
	const now = there(new Date());
	return fromThere(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - before, 1)).toISOString().slice(0, 10));
};
const span = (): { from: string; until: string } => ({ from: iso(monthBegins(month)), until: iso(monthBegins(month - 1)) });
const monthName = (before: number): string => {
	return there(monthBegins(before)).toISOString().slice(0, 7);
};

/** Reads all parts of an answer. */
async function parts<T extends { next: number }>(path: string, each: (part: T) => boolean): Promise<boolean> {
	let after = 0;
	for (let i = 0; i < QUESTIONS_MOST; i++) {
		const answer = await ask<T>(path + "&after=" + String(after));
		if (!answer.ok || !each(answer.value)) return false;
		if (answer.value.next <= after) return true;
		after = answer.value.next;
	}
	return false;
}

async function countMonth(draw: () => void): Promise<void> {
	const mine = ++counting, s = span(), c: Counted = { kinds: new Map(), records: 0, serious: 0, over: false };
	counted = c;
	draw();
	const all = await parts<{ kinds: Kind[]; records: number; serious: number; next: number }>("/api/v1/tally?since=" + s.from + "&until=" + s.until, (part) => {
		if (mine !== counting) return false;
		for (const k of part.kinds) {
			const was = c.kinds.get(k.kind);
			c.kinds.set(k.kind, { ...k, records: k.records + (was?.records ?? 0), times: k.times + (was?.times ?? 0) });
		}
		c.records += part.records;
		c.serious += part.serious;
		draw();
		return true;
	});
	if (mine !== counting) return;
	c.over = all;
	if (!all) counted = undefined;
	draw();
}

async function readHolds(): Promise<void> {
	const mine = run, answer = await ask<{ holds: Hold[] }>("/api/v1/holds");
	if (mine === run) holds = answer.ok ? answer.value.holds : undefined;
}

async function readReviews(): Promise<void> {
	const mine = run, list: Review[] = [];
	const all = await parts<{ reviews: Review[]; next: number }>("/api/v1/reviews?since=" + iso(monthBegins(MONTHS)), (part) => list.push(...part.reviews) >= 0 && mine === run);
	if (mine === run) reviews = all ? list : undefined;
}

export async function loadRecords(draw: () => void): Promise<void> {
	const mine = ++run, me = account() !== "" ? await ask<Person>("/api/v1/me") : undefined;
	if (mine !== run) return;
	rights = me?.ok === true ? me.value.rights : [];
	await Promise.all([readHolds(), readReviews()]);
	if (mine !== run) return;
	draw();
	await countMonth(draw);
}

const field = (id: string): HTMLInputElement => document.getElementById(id) as HTMLInputElement;

async function give(draw: () => void, body: Record<string, unknown>, sentence: (o: Outcome) => string, clear: string[]): Promise<void> {
	if (busy) return;
	busy = true;
	complaint = refusal = done = undefined;
	draw();
	const mine = run, answer = await orderRecords<Outcome>(body);
	if (mine !== run) return;
	busy = false;
	if (!answer.ok) complaint = answer.why === "forbidden" ? "records_no_right" : answer.why === "wrong" ? "records_wrong" : "no_answer";
	else if (!answer.value.done) refusal = answer.value.error ?? { ja: t("no_answer"), en: t("no_answer") };
	else {
		done = sentence(answer.value);
		lifting = undefined;
		for (const id of clear) field(id).value = "";
		await Promise.all([readHolds(), readReviews()]);
	}
	draw();
}

const said = (): Child[] => [h("p", { class: "complaint", role: "alert" }, complaint !== undefined ? t(complaint) : refusal !== undefined ? refusal[language()] : ""),
	h("p", { class: "note", role: "status", "data-key": "records-done" }, done ?? "")];

function complain(draw: () => void, key: Key): void {
	complaint = key;
	refusal = done = undefined;
	draw();
}

const input = (id: string, label: Key, type: string, most?: number): Node_ =>
	h("div", { class: "field", "data-key": id + "-field" }, h("label", { for: id }, t(label)), h("input", { id, type, autocomplete: "off", maxlength: most }));
const submit = (label: Key, key: string): Node_ => h("button", { type: "submit", "data-key": key, "aria-disabled": busy ? "true" : undefined }, t(label));

// ---- reviews ------------------------------------------------------------------------------------

/** Reviews with findings that are still open: no later review that covers their whole period found
 * nothing. */
const open = (list: Review[]): Review[] =>
	list.filter((r) => r.result === "findings" && !list.some((x) => x.seq > r.seq && x.result === "none" && x.from <= r.from && x.until >= r.until));

function covered(list: Review[], from: string, until: string): "all" | "partly" | "no" {
	let reached = from;
	for (let grown = true; grown && reached < until; ) {
		grown = false;
		for (const r of list)
			if (r.from <= reached && r.until > reached) {
				reached = r.until;
				grown = true;
			}
	}
	return reached >= until ? "all" : list.some((r) => r.from < until && r.until > from) ? "partly" : "no";
}

const range = (r: { from: string | null; until: string | null }): string => (moment(r.from) || t("hold_any")) + " – " + (moment(r.until) || t("hold_open"));
const how = (r: Review): string => (r.client !== "" ? t("signed_web", r.client.replace(/:0$/, "")) : t("signed_machine", r.by || t("none")));

function table(list: Review[], label: Key): Node_ {
	return grid(label, [{ head: "signed_by" }, { head: "signed_on" }, { head: "period" }, { head: "review_result" }, { head: "remark" }, { head: "signed_how" }],
		list.map((r) => [h("b", {}, r.name), moment(r.time), range(r), r.result === "none" ? chip("good", t("found_nothing")) : chip("wait", t("found_something")), r.note || t("none"), how(r)]));
}

function onMonth(draw: () => void): (event: Event) => void {
	return (event) => {
		month = Number((event.target as HTMLSelectElement).value);
		done = complaint = refusal = undefined;
		void countMonth(draw);
	};
}

function signing(draw: () => void): Child {
	if (!rights.includes("review_records")) return h("p", { class: "note" }, t("sign_no_right"));
	const onSign = (event: Event): void => {
		event.preventDefault();
		const result = field("review-result").value, note = field("review-note").value.trim();
		if (result === "") complain(draw, "sign_wants_result");
		else if (result === "findings" && note === "") complain(draw, "sign_wants_remark");
		else void give(draw, { order: "review", ...span(), result, note }, () => t("sign_done", account()), ["review-note", "review-result"]);
	};
	return h("form", { class: "records", submit: onSign, novalidate: true, "data-key": "sign-form" },
		h("div", { class: "field", "data-key": "result-field" }, h("label", { for: "review-result" }, t("review_result")),
			h("select", { id: "review-result" }, h("option", { value: "" }, t("choose")), h("option", { value: "none" }, t("found_nothing")), h("option", { value: "findings" }, t("found_something")))),
		input("review-note", "remark", "text", 180), h("p", { class: "note" }, t("sign_note", account())), h("p", { class: "acts" }, submit("sign", "sign")), ...said());
}

function counts(): Child[] {
	const c = counted;
	if (c === undefined) return [h("p", { class: "note" }, t("counts_missing"))];
	const kinds = [...c.kinds.values()].sort((a, b) => b.records - a.records);
	return [h("p", { class: "note", role: "status", "data-key": "counted" }, t(c.over ? "counted" : "counting", count(c.records), count(c.serious))),
		kinds.length > 0 && grid("counts_title", [{ head: "record_kind" }, { head: "record_count", number: true }, { head: "record_times", number: true }],
			kinds.map((k) => [k[language()], count(k.records), count(k.times)]))];
}

function toSign(draw: () => void): Node_ {
	const list = reviews;
	if (list === undefined) return card("to-sign", "to_sign", true, h("p", { class: "note" }, t("records_unread")));
	const s = span(), state = covered(list, s.from, s.until), remarks = open(list);
	const over = new Date(s.until).getTime() <= Date.now();
	return card("to-sign", "to_sign", true,
		h("div", { class: "field", "data-key": "month-field" }, h("label", { for: "review-month" }, t("month")),
			h("select", { id: "review-month", change: onMonth(draw) }, Array.from({ length: MONTHS }, (_, i) => h("option", { value: String(i + 1), selected: i + 1 === month }, monthName(i + 1))))),
		figures(["period", range(s)], ["condition", state === "all" ? chip("good", t("month_reviewed")) : state === "partly" ? chip("wait", t("month_partly")) : counted?.over === true && counted.records === 0 ? chip("off", t("month_empty")) : chip("bad", t("month_not"))],
			["open_remarks", remarks.length === 0 ? t("none") : chip("wait", count(remarks.length))]),
		...counts(), remarks.length > 0 && h("h3", {}, t("open_remarks")), remarks.length > 0 && table(remarks, "open_remarks"), over && signing(draw));
}

function signed(): Node_ {
	const list = [...(reviews ?? [])].reverse();
	return card("signed", "signed_reviews", true, list.length === 0 ? h("p", { class: "note" }, t("signed_none")) : table(list, "signed_reviews"));
}

// ---- holds --------------------------------------------------------------------------------------

function placing(draw: () => void): Node_ {
	const onHold = (event: Event): void => {
		event.preventDefault();
		const from = field("hold-from").value, until = field("hold-until").value, reason = field("hold-reason").value.trim();
		if (from === "" || reason === "") complain(draw, "hold_wants");
		else if (until !== "" && until < from) complain(draw, "hold_order");
		else
			void give(draw, { order: "hold", from: iso(fromThere(from + "T00:00:00")), until: until === "" ? null : iso(fromThere(until + "T23:59:59")), reason },
				(o) => t(o.signed === true ? "hold_done" : "hold_done_unsigned", String(o.number ?? "?")), ["hold-from", "hold-until", "hold-reason"]);
	};
	return h("form", { class: "records", submit: onHold, novalidate: true, "data-key": "hold-form" }, h("h3", {}, t("hold_new")), input("hold-from", "hold_from", "date"), input("hold-until", "hold_until", "date"),
		input("hold-reason", "reason_given", "text", 199), h("p", { class: "note" }, t("hold_note", account())), h("p", { class: "acts" }, submit("hold_place", "hold")));
}

function lifted(draw: () => void, number: number): Node_ {
	const onLift = (event: Event): void => {
		event.preventDefault();
		const reason = field("lift-reason").value.trim();
		if (reason === "") complain(draw, "lift_wants");
		else void give(draw, { order: "lift", number, reason }, (o) => t("lift_done", String(o.number ?? "?")), ["lift-reason"]);
	};
	const stop = (): void => {
		lifting = undefined;
		draw();
	};
	return h("form", { class: "records", submit: onLift, novalidate: true, "data-key": "lift-form" }, h("h3", {}, t("lift_title", String(number))), input("lift-reason", "reason_given", "text", 199),
		h("p", { class: "acts" }, submit("lift", "lift"), h("button", { type: "button", "data-key": "lift-not", click: stop }, t("cancel"))));
}

function holdCard(draw: () => void): Node_ {
	const list = holds, may = rights.includes("manage_log");
	if (list === undefined) return card("holds", "holds", true, h("p", { class: "note" }, t("records_unread")));
	const choose = (n: number) => (): void => {
		lifting = n;
		complaint = refusal = done = undefined;
		draw();
	};
	return card("holds", "holds", true, h("p", { class: "note" }, t("holds_note")), list.length === 0 ? h("p", { class: "note", "data-key": "no-holds" }, t("holds_none"))
		: grid("holds", [{ head: "hold_number" }, { head: "period" }, { head: "hold_person" }, { head: "hold_placed" }, { head: "reason_given" }, ...(may ? [{ head: "acts" as Key }] : [])],
			list.map((x) => [String(x.number), range(x), x.person || t("none"), moment(x.placed) || t("none"), x[language()],
				...(may ? [h("button", { type: "button", "data-key": "lift-" + String(x.number), click: choose(x.number) }, t("lift"))] : [])])),
		may && (lifting !== undefined ? lifted(draw, lifting) : placing(draw)), ...(may ? said() : []));
}

export function recordCards(draw: () => void): Node_[] {
	return [toSign(draw), signed(), holdCard(draw)];
}

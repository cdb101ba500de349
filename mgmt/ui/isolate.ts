// SPDX-License-Identifier: Apache-2.0
// Immediate isolation by a supervisor, and its end: a machine, a zone, two zones from each other,
// everything. The box tells the effect before it is done; the record has the person's reason.
import { h, type Child, type Node_ } from "./dom";
import { ago, count, moment } from "./format";
import { field, card, chip } from "./parts";
import { displays, mayDo, order, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Isolated, Prepared, Said, State } from "./types";

interface Told {
	done: boolean;
	error?: Said;
	sessions?: number;
	conduits?: string[];
	stops?: Named[]; // those whose loss stops work
	assets?: Named[];
	verified_s?: number | null; // since the kernel's rules were compared with the policy
}
interface Step {
	order: "isolate" | "rejoin_reads" | "rejoin";
	// the box's name for it: "asset rtg07", "zone crane", "zones office crane", "everything",
	// or the name of a prepared one
	what: string;
	told?: Told | "no_answer"; // the effect
	complaint?: Key | Said | undefined;
	busy: boolean;
}

let step: Step | undefined;
let done: [Key, string, number] | undefined; // the last order that was done
let run = 0;
let before: Promise<unknown> = Promise.resolve(); // the box takes one such order at a time

function forgetIsolation(): void {
	run++;
	step = done = undefined;
}
whenLeft(forgetIsolation);

export const mayIsolate = (): boolean => mayDo("isolate");

interface Named {
	name?: string;
	conduit?: string;
	label?: string;
}
const zones = (state: State): Named[] => (state.status.interfaces ?? []).filter((x) => x.space !== "admin").flatMap((x) => x.zones ?? []);
const called = (list: Named[], name: string | undefined): string => list.find((x) => x.name === name)?.label || (name ?? "");

const prepared = (state: State, what: string): Prepared | undefined => (state.status.prepared ?? []).find((p) => p.name === what);

/** The machines or zones concerned, by name. */
function ends(state: State, what: string): [string, string] {
	const [kind, one, other] = what.split(" "), all = zones(state);
	if (kind === "asset") return [called((state.status.interfaces ?? []).flatMap((x) => (x.zones ?? []).flatMap((z) => z.assets ?? [])), one), ""];
	if (one === undefined) return [kind === "everything" ? t("everything") : prepared(state, what)?.label || what, ""];
	return [called(all, one), called(all, other)];
}

function title(state: State, s: Step): string {
	const [one, other] = ends(state, s.what);
	return s.order !== "isolate" ? t(s.order === "rejoin" ? "rejoin_this" : "rejoin_reads_this", other !== "" ? one + " – " + other : one) : other !== "" ? t("isolate_pair", one, other) : s.what === "everything" ? t("isolate_everything") : t("isolate_this", one);
}

async function rehearse(changed: () => void): Promise<void> {
	const mine = ++run, s = step;
	if (s === undefined) return;
	await before;
	if (mine !== run) return;
	const asked = order<Told>({ order: s.order, object: s.what, dry_run: true });
	before = asked;
	const answer = await asked;
	if (mine !== run) return;
	s.told = answer.ok ? answer.value : "no_answer";
	changed();
}

/**
 * The action of a button: shows the effect, asks for a reason, and offers the button that does it.
 */
export function opener(kind: Step["order"], what: string, changed: () => void): () => void {
	return () => {
		step = { order: kind, what, busy: false };
		done = undefined;
		void rehearse(changed);
		changed();
		document.getElementById("isolate")?.focus();
	};
}

async function act(changed: () => void): Promise<void> {
	const s = step, comment = (document.getElementById("isolate-reason") as HTMLInputElement).value.trim(), mine = ++run;
	if (s === undefined || s.busy) return;
	s.complaint = comment === "" ? "isolate_wants" : undefined;
	s.busy = comment !== "";
	changed();
	if (!s.busy) return;
	await before;
	const answer = await order<Told>({ order: s.order, object: s.what, comment });
	if (mine !== run) return;
	s.busy = false;
	if (answer.ok && answer.value.done) {
		step = undefined;
		done = [s.order === "isolate" ? "isolate_done" : s.order === "rejoin" ? "rejoin_done" : "rejoin_reads_done", s.what, answer.value.sessions ?? 0];
	} else {
		s.complaint = answer.ok ? answer.value.error ?? "no_answer" : answer.why === "forbidden" ? "no_right_change" : answer.why === "wrong" ? "isolate_wants" : "no_answer";
	}
	changed();
}

/** What is cut, and what goes on. */
function cuts(state: State, what: string): Child[] {
	const ready = prepared(state, what), line = (w: string): Node_ => {
		const [one, other] = ends(state, w);
		return h("li", {}, w === "everything" ? t("isolate_everything_what") : other !== "" ? t("isolate_pair_what", one, other) : t("isolate_what", one));
	};
	return [...(ready?.cut ?? [what]).map(line), ready !== undefined && ready.keep.length > 0 && h("li", {}, t("isolate_keeps", ready.keep.join(", ")))];
}

const NAMED = 12;

/** Conduits or machines by their labels, and how many more there are. */
function labels(list: Named[] | undefined): string {
	const all = list ?? [], more = all.length - NAMED;
	return all.slice(0, NAMED).map((x) => x.label || (x.name ?? x.conduit ?? "")).join(language() === "ja" ? "、" : ", ") + (more > 0 ? " " + t("and_more", count(more)) : "");
}

/** Which work stops, or comes back, and at which machines. */
function work(told: Step["told"], stops: Key): Child[] {
	if (typeof told !== "object") return [];
	return [(told.stops ?? []).length > 0 && h("li", { class: stops === "work_stops" ? "stops named" : "named" }, h("b", {}, t(stops, labels(told.stops)))), (told.assets ?? []).length > 0 && h("li", { class: "named" }, t("work_machines", labels(told.assets)))];
}

/** What a person checks before traffic goes on, as the command line shows it. */
function checks(state: State, told: Step["told"]): Child[] {
	if (told === undefined) return [h("li", {}, t("loading"))];
	if (typeof told === "string" || told.error) return [h("li", { class: "complaint" }, typeof told === "string" ? t(told) : told.error?.[language()])];
	return [typeof told.verified_s === "number" ? h("li", {}, t("rejoin_verified", count(told.verified_s))) : h("li", { class: "stops" }, h("b", {}, t("rejoin_unverified"))),
		h("li", {}, t("rejoin_alarms", count(state.lines.length)), state.lines.slice(0, NAMED).map((x) => x.title[language()]).join(language() === "ja" ? "、" : ", "))];
}

/** The effect in words, before the order is given. */
function consequences(state: State, s: Step): Child[] {
	const told = s.told;
	if (s.order !== "isolate") return [...checks(state, told), ...work(told, "work_comes_back"),
		typeof told === "object" && h("li", {}, (told.conduits ?? []).length > 0 ? t("rejoin_conduits", (told.conduits ?? []).join(", ")) : t("rejoin_nothing")), h("li", {}, t(s.order === "rejoin" ? "rejoin_what" : "rejoin_reads_what"))];
	return [...work(told, "work_stops"), ...cuts(state, s.what),
		told === undefined ? h("li", {}, t("loading")) : typeof told === "string" ? h("li", { class: "complaint" }, t(told))
			: told.error ? h("li", { class: "complaint" }, told.error[language()]) : h("li", {}, h("b", {}, t("isolate_sessions", count(told.sessions)))),
		typeof told === "object" && (told.conduits ?? []).length > 0 && h("li", {}, t("isolate_conduits", (told.conduits ?? []).join(", "))),
		h("li", {}, t("isolate_holds"))];
}

/** For a zone the person chooses from which other zone; the box is asked again. */
function fromWhom(state: State, s: Step, changed: () => void): Node_ | false {
	const [kind, one] = s.what.split(" ");
	if (s.order !== "isolate" || one === undefined || !kind?.startsWith("zone")) return false;
	const onChoice = (event: Event): void => {
		const other = (event.target as HTMLSelectElement).value;
		step = { order: s.order, what: other === "" ? "zone " + one : "zones " + one + " " + other, busy: false };
		void rehearse(changed);
		changed();
	};
	return h("div", { class: "field" }, h("label", { for: "isolate-from" }, t("isolate_from")), h("select", { id: "isolate-from", change: onChoice }, h("option", { value: "" }, t("isolate_from_all")),
		zones(state).filter((z) => z.name !== one).map((z) => h("option", { value: z.name ?? "" }, called([z], z.name)))));
}

function panel(state: State, s: Step, changed: () => void): Node_ {
	const leave = (): void => {
		forgetIsolation();
		changed();
	};
	return h("section", { class: "card wide isolating", "aria-labelledby": "isolate", "data-key": "isolate-" + s.order + (s.what.split(" ")[1] ?? "") }, h("h2", { id: "isolate", class: "named", tabindex: -1 }, title(state, s)),
		fromWhom(state, s, changed), h("ul", { class: "plain" }, consequences(state, s)), field("isolate-reason", "kept_reason", { maxlength: "200" }),
		h("p", { class: "complaint", role: "alert" }, s.complaint !== undefined && (typeof s.complaint === "string" ? t(s.complaint) : s.complaint[language()])),
		h("p", { class: "acts" }, h("button", { type: "button", class: "main-action", "data-key": "isolate-do", "aria-disabled": s.busy ? "true" : undefined, click: () => void act(changed) }, t(s.busy ? "working" : s.order === "isolate" ? "isolate_do" : "rejoin_do")),
			h("button", { type: "button", "data-key": "isolate-leave", click: leave }, t("leave_it"))));
}

function held(state: State, i: Isolated, changed: () => void): Node_ {
	const short = ago(i.since, state.status.clock?.time);
	return h("li", { "data-key": i.what }, h("div", {}, chip(i.stage === "reads" ? "wait" : "bad", t(i.stage === "reads" ? "isolated_reads" : "isolated")), h("b", { class: "named" }, i.label || ends(state, i.what).filter((x) => x !== "").join(" – ")),
		h("span", { class: "ago" }, " " + moment(i.since) + (short !== "" ? " (" + short + ")" : "") + " " + i.by + (i.reason !== "" ? ": " + i.reason : ""))),
		mayIsolate() && i.stage === undefined && prepared(state, i.what) !== undefined && h("button", { type: "button", "data-key": "reads " + i.what, click: opener("rejoin_reads", i.what, changed) }, t("rejoin_reads")),
		mayIsolate() && h("button", { type: "button", "data-key": "rejoin " + i.what, click: opener("rejoin", i.what, changed) }, t("rejoin")));
}

/** The order in progress, the last order, and what is isolated now. */
export function isolationOrders(state: State, changed: () => void): Child[] {
	const list = state.status.isolations ?? [];
	if (!mayIsolate() && !displays()) return [];
	return [done !== undefined && h("p", { class: "all-well", role: "status", "data-key": "isolate-done" }, t(done[0], ends(state, done[1]).filter((x) => x !== "").join(" – "), count(done[2]))),
		step !== undefined && panel(state, step, changed),
		list.length > 0 && card("isolated", "isolated_now", true, h("ul", { class: "isolated" }, list.map((i) => held(state, i, changed))))];
}

/** The prepared isolations that are not in effect. */
export function preparedIsolations(state: State, changed: () => void): Child {
	const ready = (state.status.prepared ?? []).filter((p) => !(state.status.isolations ?? []).some((i) => i.what === p.name));
	return mayIsolate() && ready.length > 0 && card("prepared", "isolate_prepared", true, h("ul", { class: "tiles" }, ready.map((p) => h("li", { class: "tile bad", "data-key": p.name },
		h("button", { type: "button", class: "main-action named", "data-key": "prepared " + p.name, click: opener("isolate", p.name, changed) }, t("isolate_by", p.label || p.name)), h("ul", { class: "plain" }, cuts(state, p.name))))));
}

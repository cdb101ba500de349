// SPDX-License-Identifier: Apache-2.0
// Doors that the policy has prepared: which are open and until when, and in words what each would
// open. Two presses and a name open a door; two presses shut it. If a door needs two persons, the
// second one sees what the first one has asked for.
import { h, type Child, type Node_ } from "./dom";
import { clockTime, count, moment } from "./format";
import { field, bar, card, chip } from "./parts";
import { displays, mayDo, order, person as account, plays, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Asked, Door, DoorUse, End, Said, State } from "./types";

interface Step {
	order: "open" | "agree" | "shut" | "review_door";
	door: string;
	asked: Asked | null; // the request that is agreed to, as it was shown
	complaint?: Key | Said | undefined;
	busy: boolean;
}

const SPANS = [1800, 3600, 7200, 14400, 28800];
const NEEDS: Record<string, Key> = { name: "door_person", ticket: "door_ticket", reason: "kept_reason" };
const COMMANDS: Record<string, Key> = { read: "word_read", write: "word_write", control: "word_control", program: "word_program", diagnose: "word_diagnose" };
const DONE: Record<Step["order"], Key> = { open: "door_opened", agree: "door_opened", shut: "door_shut", review_door: "door_reviewed" };
const DO: Record<Step["order"], Key> = { open: "door_do", agree: "door_do", shut: "door_shut_do", review_door: "door_review" };
const NAME_BYTES = 63, REASON_BYTES = 255; // limits of the box: a name or a ticket; a reason
let step: Step | undefined;
let done: [Key, string] | undefined; // the last order that was done
let run = 0;

function forgetDoors(): void {
	run++;
	step = done = undefined;
}
whenLeft(forgetDoors);

const named = (d: Door): string => d.label || d.door;
const mayOpen = (d: Door): boolean => mayDo("open_doors") && d.opened_by.some(plays);
const list = (words: string[]): string => words.join(language() === "ja" ? "、" : ", ");

/** "1 h 20 min", rounded up. */
function lasting(seconds: number): string {
	const minutes = Math.ceil(seconds / 60), hours = Math.floor(minutes / 60), rest = minutes % 60;
	return [hours > 0 ? t("attack_hours", hours) : "", rest > 0 || hours === 0 ? t("minutes", rest) : ""].filter((x) => x !== "").join(" ");
}

function end(e: End): string {
	const zone = e.label || e.zone, more = e.hosts_all - e.hosts.length;
	return e.hosts.length === 0 ? zone : t("door_end", zone, list(more > 0 ? [...e.hosts, t("and_more", count(more))] : e.hosts));
}

/** Source, destination and commands. */
function opens(d: Door): Node_[] {
	const commands = (c: string[] | null): string => (c === null || c.length === 5 ? t("all_commands") : list(c.map((w) => t(COMMANDS[w] ?? "unknown"))));
	const more = d.conduits_all - d.conduits.length;
	return [...d.conduits.map((c) => h("li", {}, t("door_passes", end(c.from), end(c.to), c.services.map((s) => s.service + (s.commands?.length === 0 ? "" : t("in_brackets", commands(s.commands)))).join(" / ")))),
		...(more > 0 ? [h("li", {}, t("and_more", count(more)))] : [])];
}

/** Everything that opening would do, and who has to agree. */
function words(d: Door): Child[] {
	return [...opens(d), h("li", {}, t("door_at_most", lasting(d.at_most_s))),
		d.organisation !== "" && h("li", {}, t("door_of", d.organisation_label || d.organisation), d.contacts.length > 0 && t("in_brackets", list(d.contacts))),
		d.needs.length > 0 && h("li", {}, t("door_needs", list(d.needs.map((n) => t(NEEDS[n] ?? "unknown"))))),
		d.second_person && h("li", {}, t("door_two")), d.break_glass && h("li", {}, t("door_glass"))];
}

function opener(kind: Step["order"], d: Door, changed: () => void): () => void {
	return () => {
		step = { order: kind, door: d.door, asked: kind === "agree" ? d.asked : null, busy: false };
		done = undefined;
		changed();
		document.getElementById("door")?.focus();
	};
}

const typed = (id: string): string => (document.getElementById(id) as HTMLInputElement | null)?.value.trim() ?? "";

async function act(d: Door, changed: () => void): Promise<void> {
	const s = step, mine = ++run, said = { name: typed("door-person"), ticket: typed("door-ticket"), reason: typed("door-reason") };
	if (s === undefined || s.busy) return;
	const lacks = s.order === "open" ? d.needs.find((n) => said[n] === "") : s.order === "review_door" && said.reason === "" ? "reason" : undefined;
	const bytes = (text: string): number => new TextEncoder().encode(text).length, long = bytes(said.name) > NAME_BYTES || bytes(said.ticket) > NAME_BYTES || bytes(said.reason) > REASON_BYTES;
	s.complaint = lacks !== undefined ? "door_wants" : long ? "door_long" : undefined;
	s.busy = s.complaint === undefined;
	changed();
	if (!s.busy) return;
	const asks = s.order === "open" ? { person: said.name, ticket: said.ticket, for_s: Number(typed("door-for")) } : s.asked !== null ? { request: s.asked.request } : {};
	const answer = await order<{ done: boolean; waits?: boolean; error?: Said }>({ order: s.order === "agree" ? "open" : s.order, object: d.door, ...(said.reason !== "" ? { comment: said.reason } : {}), ...asks });
	if (mine !== run) return;
	s.busy = false;
	if (answer.ok && answer.value.done) {
		step = undefined;
		done = [answer.value.waits === true ? "door_asked" : DONE[s.order], named(d)];
	} else {
		s.complaint = answer.ok ? answer.value.error ?? "no_answer" : answer.why === "forbidden" ? "no_right_change" : answer.why === "wrong" ? "door_wants" : "no_answer";
	}
	changed();
}

const needed = (d: Door, need: Door["needs"][number]): Record<string, string> => ({ maxlength: need === "reason" ? "200" : String(NAME_BYTES), ...(d.needs.includes(need) ? { "aria-required": "true" } : {}) });

function fields(d: Door, s: Step): Child[] {
	const spans = [...SPANS.filter((n) => n < d.at_most_s), d.at_most_s];
	if (s.order === "review_door" || s.order === "shut") return [field("door-reason", s.order === "shut" ? "door_note" : "kept_reason", { maxlength: "200" })];
	return s.order !== "open" ? [] : [field("door-person", "door_person", needed(d, "name")), d.needs.includes("ticket") && field("door-ticket", "door_ticket", needed(d, "ticket")),
		d.needs.includes("reason") && field("door-reason", "kept_reason", needed(d, "reason")),
		h("div", { class: "field", "data-key": "door-for" }, h("label", { for: "door-for" }, t("door_for")), h("select", { id: "door-for" }, spans.map((n) => h("option", { value: n }, lasting(n)))))];
}

const asked = (a: Asked | null): string => (a === null ? "" : t("door_asked_by", a.by, list([a.person, a.ticket, a.reason].filter((x) => x !== "")), lasting(a.for_s), a.request));

function panel(d: Door, s: Step, changed: () => void): Node_ {
	const titles: Record<Step["order"], Key> = { open: "door_open_this", agree: "door_open_this", shut: "door_shut_this", review_door: "door_review_this" };
	const what = s.order === "shut" ? [h("li", {}, t("door_shut_what"))] : s.order === "review_door" ? [h("li", {}, t("door_review_what"))] : words(d);
	const leave = (): void => {
		forgetDoors();
		changed();
	};
	return h("section", { class: "card wide isolating", "aria-labelledby": "door", "data-key": "door-" + s.order + " " + d.door }, h("h2", { id: "door", class: "named", tabindex: -1 }, t(titles[s.order], named(d))),
		h("ul", { class: "plain" }, what, s.order === "agree" && h("li", {}, h("b", {}, asked(s.asked)))), ...fields(d, s),
		h("p", { class: "complaint", role: "alert" }, s.complaint !== undefined && (typeof s.complaint === "string" ? t(s.complaint) : s.complaint[language()])),
		h("p", { class: "acts" }, h("button", { type: "button", class: "main-action", "data-key": "door-do", "aria-disabled": s.busy ? "true" : undefined, click: () => void act(d, changed) }, t(s.busy ? "working" : s.order === "open" && d.second_person ? "door_ask" : DO[s.order])),
			h("button", { type: "button", "data-key": "door-leave", click: leave }, t("leave_it"))));
}

/** What is left of the time of use "u", by the box's clock. */
function left(u: DoorUse, now: string | undefined): Child[] {
	const at = (text: string | undefined): number => new Date(text ?? "").getTime() / 1000, rest = Math.max(0, at(u.until) - at(now));
	return [h("span", {}, t("door_left", lasting(rest), clockTime(new Date(u.until)))), bar(rest, at(u.until) - at(u.since), rest < 600)];
}

function use(state: State, d: Door, u: DoorUse, changed: () => void): Node_ {
	const who = t("door_use", u.person || t("none"), list([u.ticket, u.reason].filter((x) => x !== "")) || t("none"), list([u.by, u.second].filter((x) => x !== "")), moment(u.since));
	return h("li", { "data-key": "use " + d.door + u.since }, h("div", { class: "use" }, u.open && chip("wait", t("door_is_open")), u.unreviewed && chip("bad", t("door_unreviewed")), u.note_owed && chip("wait", t("door_note_owed")), h("b", { class: "named" }, named(d)),
		!displays() && h("span", { class: "ago" }, who), ...(u.open ? left(u, state.status.clock?.time) : []), u.open && h("ul", { class: "plain" }, opens(d))),
		(u.open || u.note_owed) && mayDo("open_doors") && h("button", { type: "button", "data-key": (u.open ? "door-shut " : "door-note ") + d.door, click: opener("shut", d, changed) }, t(u.open ? "door_shut_do" : "door_note_do")),
		u.open && mayOpen(d) && h("button", { type: "button", "data-key": "door-again " + d.door, click: opener("open", d, changed) }, t("door_again")),
		u.unreviewed && u.account !== account() && mayDo("review_records") && h("button", { type: "button", "data-key": "door-review " + d.door, click: opener("review_door", d, changed) }, t("door_review")));
}

function tile(d: Door, changed: () => void): Node_ {
	const waits = d.asked !== null, mine = d.asked?.account === account();
	return h("li", { class: "tile", "data-key": "door " + d.door }, !(waits && mine) && h("button", { type: "button", class: "main-action named", "data-key": "door-open " + d.door, click: opener(waits ? "agree" : "open", d, changed) }, t(waits ? "door_agree" : "door_open_this", named(d))),
		waits && mine && h("b", { class: "named" }, named(d)), h("ul", { class: "plain" }, waits && h("li", {}, chip("wait", asked(d.asked))), waits && mine && h("li", {}, t("door_asked", named(d))), words(d)));
}

/** The order in progress, and the last one that was done. */
export function doorOrders(state: State, changed: () => void): Child[] {
	const s = step, d = (state.status.doors ?? []).find((x) => x.door === s?.door);
	return [done !== undefined && h("p", { class: "all-well named", role: "status", "data-key": "door-done" }, t(...done)), s !== undefined && d !== undefined && panel(d, s, changed)];
}

/** The open doors, for everybody who sees the page; and the uses that nobody has reviewed. */
export function openDoors(state: State, changed: () => void): Child {
	const uses = (state.status.doors ?? []).flatMap((d) => d.uses.map((u) => use(state, d, u, changed)));
	return uses.length > 0 && card("open-doors", (state.status.doors ?? []).some((d) => d.open) ? "doors_open" : "doors_used", true, h("ul", { class: "isolated" }, uses));
}

/** Windows of hours that are open now, and until when. */
export function openHours(state: State): Child {
	const open = (state.status.windows ?? []).filter((w) => w.open);
	return open.length > 0 && card("open-hours", "hours_open", true, h("ul", { class: "plain" }, open.map((w) => h("li", { "data-key": "hours " + w.window }, t("hours_left", w.label || w.window, moment(w.until), count(w.conduits))))));
}

/** The doors that this person may open. */
export function preparedDoors(state: State, changed: () => void): Child {
	const ready = (state.status.doors ?? []).filter((d) => !d.open && mayOpen(d));
	return ready.length > 0 && card("doors", "doors_prepared", true, h("ul", { class: "tiles" }, ready.map((d) => tile(d, changed))));
}

// SPDX-License-Identifier: Apache-2.0
// Changing the policy: one draft for all people of the site. Its text is written and tried here,
// approved by somebody who wrote none of it (unless the box is set to allow one person alone), and
// applied on trial. The box's answer to each step is shown beside it.
import { h, type Child, type Node_ } from "./dom";
import { change, draftNow, dropEdits, edited, give, keepComment, keepEdits, load, may, mistakes, moved, show, typed, watchDraft, words, type CommentOf, type Kept, promoted } from "./draft";
import { atCaret, editor, jump, offer, offered, take, type Offer } from "./editor";
import { count, local, moment } from "./format";
import { difference, hunks } from "./lines";
import { card, chip, grid, mark, type Tone, waiting } from "./parts";
import { ask, whenLeft } from "./session";
import { language, t, type Key } from "./text";
import type { Conduit, Cut, Diagnostic, Draft, Generation, Outcome, State, Text } from "./types";

const FIELD = "policy-text", AROUND = 3, MOST_CUT = 50, MOST_PLACES = 6, TRIALS = [60, 120, 300, 600, 1800], TRIAL = 300;
const STATES: Record<Draft["state"], [Tone, Key]> = {
	none: ["off", "draft_none"], draft: ["note", "draft_written"], asked: ["wait", "draft_asked"], approved: ["good", "draft_approved"], applied: ["good", "draft_applied"] };

let shown = ""; // name of the text in the editor
let against: "force" | "draft" = "force";
let older: { number: number; sources: Text[] } | undefined; // a generation that is looked at
// the effect of going back to generation `to`
let back: { to: number; base: number; outcome: Outcome } | undefined;
let offering: Offer | undefined;
let started = false;
let note: string | undefined; // about a button that was pressed on another page

/** A change of the policy's text that a button on another page proposes. */
export interface Proposal {
	change: (texts: Text[]) => Text[] | undefined; // undefined: the place is not in the texts
	file?: string | undefined; // the text to show
	lost: string; // what to say then
	comment: string;
}

/**
 * Puts the change into the draft: saves and tries it if there is no draft, otherwise only changes
 * the typed text. Then shows this page.
 */
export async function propose(p: Proposal, changed: () => void): Promise<void> {
	redraw = changed;
	started = true;
	note = undefined;
	await load(false, changed);
	const kept = change.kept, before = change.texts, texts = p.change(before);
	if (texts !== undefined) show(texts);
	else note = p.lost;
	shown = p.file ?? texts?.find((x, i) => x.text !== before[i]?.text)?.name ?? "";
	if (kept !== undefined && texts !== undefined && kept.draft.state !== "none" && kept.draft.state !== "applied") note = t("let_enforce_beside");
	location.hash = "#change";
	changed();
	if (kept === undefined || texts === undefined || note !== undefined) return;
	if (await give("save", { base: kept.force.number, comment: p.comment.slice(0, 80), texts }, changed)) await give("try", {}, changed);
}

/** Makes this conduit enforcing. */
export const promote = (k: Conduit, changed: () => void): Promise<void> => propose({ change: (texts) => promoted(texts, k), file: k.file,
	lost: t("let_enforce_lost", k.name ?? "", (k.file ?? "") + ":" + String(k.line ?? 0)), comment: t("let_enforce_comment", k.name ?? "") }, changed);

whenLeft(() => {
	watchDraft(false, () => undefined);
	shown = "";
	against = "force";
	older = back = offering = undefined;
	started = false;
	note = undefined;
});

/** A comment for the record of the next step, kept as it is typed. */
const commentField = (of: CommentOf, label: Key): Node_ => h("div", { class: "field", "data-key": of }, h("label", { for: of }, t(label)),
	h("input", { id: of, type: "text", maxlength: 80, autocomplete: "off", "data-key": of + "." + change.used, value: change.comments[of], input: onComment }));
const onComment = (event: Event): void => {
	const field = event.target as HTMLInputElement;
	keepComment(field.id as CommentOf, field.value);
};

const value = (id: string): string => (document.getElementById(id) as HTMLInputElement | HTMLSelectElement | null)?.value.trim() ?? "";
const current = (): Text | undefined => change.texts.find((x) => x.name === shown) ?? change.texts[0];
const act = (label: Key, click: () => void, main = false, off = false): Node_ =>
	h("button", { type: "button", "data-key": "act-" + label, class: main ? "main-action" : undefined, "aria-disabled": off ? "true" : undefined, click: () => {
		if (!off) click();
	} }, t(label));

// ---- state of the draft -------------------------------------------------------------------------

function stands(d: Draft): Node_ {
	const [tone, key] = STATES[d.state];
	return h("div", {}, h("p", {}, chip(tone, t(key)),
		d.state !== "none" && t("draft_by", d.revision, d.authors.join(", "), moment(d.saved), d.base)),
		d.state !== "none" && d.comment !== null && h("p", {}, t("draft_comment", d.comment)),
		d.state === "approved" && d.ran_out !== null && h("p", { "data-key": "approval-kept" }, chip("wait", t("approval_kept", d.ran_out))),
		d.state === "asked" && d.decision !== null && h("p", {}, t("draft_asked_with", d.decision)),
		(change.now?.on_trial ?? 0) !== 0 && h("p", {}, t("trial_note")),
		d.decided_by !== null && h("p", {}, t(d.state === "draft" ? "draft_sent_back" : "draft_decided", d.decided_by, moment(d.decided), d.decision ?? t("none"))));
}

function trial(state: State): Child[] {
	const g = state.status.generation, until = g?.confirm_by, now = state.status.clock?.time, d = change.now ?? change.kept?.draft, busy = change.busy !== "";
	if (until === null || until === undefined || g?.number === undefined) return [];
	const left = Math.max(0, Math.round((new Date(until).getTime() - new Date(now ?? Date.now()).getTime()) / 1000)), on = d?.on_trial ?? 0;
	return [h("div", { class: "trial", "data-key": "trial" }, h("p", { role: "timer", class: "chip wait" }, mark("wait"), h("span", {}, t("trial_left", g.number, left))),
		(g.unheard ?? []).length > 0 && h("p", { "data-key": "unheard" }, t("trial_unheard", (g.unheard ?? []).map((x) => x.label).join(", "))),
		on !== 0 && may("apply") && h("p", { class: "acts" }, act("confirm", () => void give("confirm", { to: on }, redraw), true, busy), act("go_back", () => void give("rollback", { base: on }, redraw), false, busy)))];
}

/** The trial of the newest generation ended because nobody confirmed it. */
function ranOut(list: Generation[], d: Draft): Child {
	const g = list[0];
	return g !== undefined && g.state === "reverted" && g.why === "timeout" && h("p", { role: "status", "data-key": "ran-out" }, chip("wait", t("ran_out", d.in_force, g.number, moment(g.changed))),
		d.state === "approved" && d.ran_out === g.number && t("try_again"));
}

/**
 * Stays on the screen while somebody reads or types: the draft's state, the seconds of a trial, the
 * box's answer.
 */
function stays(state: State, k: Kept): Node_ {
	const now = draftNow(k), [tone, key] = STATES[now.state];
	return h("section", { class: "card stays", "data-key": "stays", "aria-label": t("stays") },
		h("p", { role: "status" }, chip(tone, t(key)), edited() && chip("note", t("unsaved"))), trial(state), ranOut(k.history, now), answered());
}

/** Text that was typed here earlier and never saved. */
function leftOver(): Node_ | false {
	const left = change.left, k = change.kept;
	if (left === undefined || k === undefined) return false;
	return h("div", { class: "headline wait", "data-key": "left" }, mark("wait"), h("div", {}, h("p", { role: "status" }, t("edits_left", moment(left.at), left.base)),
		(left.base !== k.force.number || left.revision !== k.draft.revision) && h("p", {}, t("edits_older", k.force.number, k.draft.revision)),
		h("p", { class: "acts" }, act("edits_take", () => {
			show(left.texts);
			delete change.left;
			keepEdits();
			redraw();
		}, true), act("edits_drop", () => {
			dropEdits();
			redraw();
		}))));
}

// ---- findings of the box ------------------------------------------------------------------------

function finding(g: Diagnostic, i: number): Node_ {
	const said = g.words?.[language()], place = (g.file ?? "") + ":" + g.line + ":" + g.column;
	const go = (): void => {
		if (g.file === null || !change.texts.some((x) => x.name === g.file)) return;
		shown = g.file;
		redraw();
		jump(FIELD, g.line, g.column, g.width);
	};
	return h("li", { "data-key": "d" + i, class: g.severity === "error" ? "serious" : "" }, chip(g.severity === "error" ? "bad" : "wait", t(g.severity === "error" ? "mistake" : "warning")),
		h("button", { type: "button", class: "place", click: go }, place), h("p", {}, said?.message ?? ""), said !== undefined && said.hint !== "" && h("p", { class: "note" }, said.hint));
}

const whose = (k: Cut): string => (k.client_label ?? k.client) + " → " + (k.server_label ?? k.server);

function cutList(o: Outcome): Node_[] {
	const cut = o.cut ?? [], narrowed = o.narrowed ?? [], more = Math.max(0, cut.length - MOST_CUT) + (o.cut_more ?? 0);
	return [
		h("p", {}, cut.length + narrowed.length === 0 ? t("cuts_none", count(o.go_on)) : t("cuts", count(cut.length + (o.cut_more ?? 0)), count(narrowed.length), count(o.go_on))),
		...(cut.length > 0 ? [grid("cut", [{ head: "between" }, { head: "conduit" }], cut.slice(0, MOST_CUT).map((k): (Child | Child[])[] => [whose(k), k.conduit ?? t("none")]))] : []),
		...(more > 0 ? [h("p", { class: "note" }, t("and_more", count(more)))] : []),
		...(narrowed.length > 0 ? [grid("narrowed", [{ head: "between" }, { head: "conduit" }, { head: "commands_lost" }], narrowed.slice(0, MOST_CUT).map((k): (Child | Child[])[] => [whose(k), k.conduit ?? t("none"),
			(k.commands ?? []).map((c) => (c.function_name ?? "?") + " " + (c.place ?? "") + " × " + count(c.count)).join(", ")]))] : [])];
}

/**
 * What becomes possible and impossible, in the same sentences as at the command line, in the
 * history and in records.
 */
function meant(o: Outcome): Node_[] {
	const list = o.meaning ?? [], more = o.more_meaning ?? 0;
	if (o.meaning === undefined || o.meaning === null) return [];
	const same = h("p", { "data-key": "meant" }, t("same_meaning"));
	if (list.length === 0) return [same];
	return [...(list[0]?.kind === "settings" ? [same] : []), h("ul", { class: "events", "data-key": "meant" }, list.slice(0, MOST_CUT).map((m) => h("li", {}, ...words(m.text, language()).split("\n").map((x) => h("div", {}, x)), m.places.length > 0 && h("ul", {}, m.places.slice(0, MOST_PLACES).map((p) => h("li", {}, p.source + " → " + p.destination + " " + p.protocol + "/" + p.ports)),
		m.places.length + (m.more_places ?? 0) > MOST_PLACES && h("li", {}, t("and_more", count(m.places.length + (m.more_places ?? 0) - MOST_PLACES))))))),
		...(list.length + more > MOST_CUT ? [h("p", { class: "note" }, t("and_more", count(Math.max(0, list.length - MOST_CUT) + more)))] : [])];
}

function outcome(o: Outcome): Node_[] {
	const list: Node_[] = [], out = o.shut_out;
	if (o.error) list.push(h("p", { class: "complaint" }, mark("bad"), local(words(o.error, language()))));
	if (o.notice) list.push(h("p", { class: "note" }, local(words(o.notice, language()))));
	if ((o.diagnostics ?? []).length > 0) list.push(h("ul", { class: "events" }, (o.diagnostics ?? []).map(finding)));
	if (o.done) list.push(...meant(o));
	// A confirm ends nothing, and does not count the sessions.
	if (o.done && o.cut !== undefined && o.go_on !== undefined) list.push(...cutList(o));
	if (out !== undefined && (out.nobody || out.terminals.length > 0)) list.push(h("p", { class: "complaint" }, mark("bad"), t(out.nobody ? "shut_out_all" : "shut_out", out.terminals.join(", "))));
	for (const x of o.taking ?? []) list.push(h("p", {}, t("takes", x.interface, x.device, count(x.sessions.length))));
	return list;
}

const DONE: Record<string, Key> = { save: "done_save", check: "done_check", try: "done_try", ask: "done_ask", approve: "done_approve", decline: "done_decline", discard: "done_discard",
	apply: "done_apply", confirm: "done_confirm", rollback: "done_rollback" };

function answered(): Node_ | false {
	const said = change.said, here = (...body: (Child | Child[])[]): Node_ => h("div", { "data-key": "answer" }, ...body);
	if (change.busy !== "") return here(waiting(change.waits, "working"));
	if (change.stopped !== undefined) return here(h("p", { class: "note", role: "status", "data-key": "stopped" }, t("stopped_waiting", change.stopped)));
	if (change.failed !== undefined) return here(h("p", { class: "complaint", role: "alert" }, mark("bad"), t(change.failed === "forbidden" ? "no_right_change" : "no_answer")));
	if (said === undefined) return false;
	const found = outcome(said.outcome);
	return here(h("p", { role: "status" }, chip(said.outcome.done ? "good" : "bad", t(said.outcome.done ? DONE[said.order] ?? "done_check" : said.order === "try" ? "not_tried" : said.order === "check" ? "not_checked" : "not_done"))),
		found.length > 0 && h("div", { class: "found", tabindex: 0, role: "group", "aria-label": t("answer") }, found));
}

// ---- the text -----------------------------------------------------------------------------------

function onTyped(event: Event): void {
	const one = current();
	if (one !== undefined) typed(one.name, (event.target as HTMLTextAreaElement).value);
	offering = undefined;
	redraw();
}

function onKey(event: Event): void {
	const key = event as KeyboardEvent;
	if (key.key === " " && key.ctrlKey) {
		event.preventDefault();
		offering = offer(FIELD, change.texts);
		redraw();
		if (offering !== undefined) atCaret(offering);
		(document.querySelector(".offer button") as HTMLElement | null)?.focus();
	} else if (key.key === "s" && (key.ctrlKey || key.metaKey)) {
		event.preventDefault();
		save();
	} else if (key.key === "Escape" && offering !== undefined) {
		offering = undefined;
		redraw();
	}
}

function choose(word: string): void {
	const o = offering;
	offering = undefined;
	if (o !== undefined) take(o, word);
	redraw();
}

function close(): void {
	offering = undefined;
	redraw();
	document.getElementById(FIELD)?.focus();
}

function pick(name: string): void {
	shown = name;
	offering = undefined;
	redraw();
}

function save(): void {
	note = undefined;
	const k = change.kept;
	if (k === undefined || !edited() || !may("edit_draft")) return;
	void give("save", { base: k.force.number, comment: value("draft-comment"), texts: change.texts }, redraw).then((done) => done && give("try", {}, redraw));
}

function text(): Node_ {
	const one = current(), busy = change.busy !== "";
	const edits = may("edit_draft"), undo = (): void => {
		dropEdits();
		if (change.kept !== undefined) void load(false, redraw);
	};
	return card("text", "policy_text", true,
		h("div", { class: "tabs", role: "group", "aria-label": t("files") }, change.texts.map((x) =>
			h("button", { type: "button", "data-key": "tab-" + x.name, "aria-pressed": x === one ? "true" : "false", click: () => pick(x.name) }, x.name))),
		one !== undefined && editor(FIELD, t("text_of", one.name), begun(one).text, begun(one).number, !edits || busy || change.left !== undefined, one.text.split("\n").length, mistakes(one), { input: onTyped, keydown: onKey, scroll: redraw },
			offering !== undefined && offered(offering, choose, close)),
		h("p", { class: "note", id: "editor-help" }, t(edits ? "editor_help" : "editor_read_only")),
		edits && commentField("draft-comment", "comment"),
		edits && h("p", { class: "acts" }, act("save_draft", save, edited(), !edited() || busy),
			act("check_text", () => void give("check", { texts: change.texts }, redraw), false, busy), act("undo_edits", undo, false, !edited() || busy)));
}

// The field keeps what is typed. Another text, or a return from another page, makes it a new field.
let field = { name: "", stamp: -1, text: "", number: 0 };
function begun(one: Text): typeof field {
	if (field.name !== one.name || field.stamp !== change.stamp || document.getElementById(FIELD) === null) field = { name: one.name, stamp: change.stamp, text: one.text, number: field.number + 1 };
	return field;
}

function differs(): Node_ | false {
	const k = change.kept;
	if (k === undefined) return false;
	const old = older?.sources ?? (against === "draft" && k.sources.length > 0 ? k.sources : k.force.sources);
	const names = [...new Set([...old.map((x) => x.name), ...change.texts.map((x) => x.name)])], of = (list: Text[], name: string): string => list.find((x) => x.name === name)?.text ?? "";
	const parts = names.map((name) => ({ name, list: hunks(difference(of(old, name), of(change.texts, name)), AROUND) })).filter((p) => p.list.some((l) => l !== null && l.change !== "same"));
	const use = older, set = (what: "force" | "draft"): void => {
		against = what;
		older = undefined;
		redraw();
	};
	return card("difference", "difference", true,
		h("p", { class: "acts" }, h("button", { type: "button", "aria-pressed": use === undefined && against === "force" ? "true" : "false", click: () => set("force") }, t("against_force", k.force.number)),
			k.sources.length > 0 && h("button", { type: "button", "aria-pressed": use === undefined && against === "draft" ? "true" : "false", click: () => set("draft") }, t("against_draft", k.draft.revision)),
			use !== undefined && h("button", { type: "button", "aria-pressed": "true" }, t("against_generation", use.number)),
			use !== undefined && may("edit_draft") && act("use_older", () => {
				show(use.sources);
				keepEdits();
				older = undefined;
				redraw();
			})),
		parts.length === 0 && h("p", { class: "note" }, t("difference_none")),
		parts.map((p) => h("div", { "data-key": "f-" + p.name }, h("h3", {}, p.name), h("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("difference_of", p.name) },
			h("pre", { class: "lines" }, p.list.map((l) => l === null ? h("span", { class: "gap" }, "⋯\n")
				: h("span", { class: l.change }, (l.change === "removed" ? "− " : l.change === "added" ? "+ " : "  ") + String(l.at).padStart(4) + "  " + l.text + "\n")))))));
}

// ---- steps --------------------------------------------------------------------------------------

function conflict(): Node_ | false {
	const now = change.now, k = change.kept;
	if (!moved() || now === undefined || k === undefined) return false;
	const theirs = now.revision !== k.draft.revision;
	return h("div", { class: "headline bad", "data-key": "conflict" }, mark("bad"), h("div", {},
		h("p", { role: "alert" }, theirs ? t("conflict_saved", now.by ?? "", moment(now.saved), now.revision) : t("conflict_base", now.in_force, k.force.number)),
		h("p", { class: "acts" }, act("take_theirs", () => {
			dropEdits();
			void load(false, redraw);
		}), edited() && act("keep_mine", () => {
			against = "draft";
			void load(true, redraw);
		}))));
}

function tried(d: Draft): Node_ | false {
	if (d.tried === null || d.state === "applied" || change.said?.order === "try") return false;
	return card("tried", "tried", true, h("p", {}, chip(d.tried.good ? (d.tried.current ? "good" : "wait") : "bad", t(!d.tried.good ? "tried_bad" : d.tried.current ? "tried_good" : "tried_old", moment(d.tried.at), d.tried.base))),
		outcome(d.tried.answer));
}

function next(d: Draft): Node_ | false {
	const busy = change.busy !== "" || edited() || moved(), own = d.authors.includes(change.kept?.person.name ?? ""), alone = change.kept?.person.two_persons === false;
	const list: Node_[] = [], send = (order: string, more: Record<string, unknown> = {}): void => void give(order, { comment: value("step-comment"), ...more }, redraw);
	if (d.state === "draft" && may("edit_draft")) list.push(act("try_draft", () => send("try"), false, busy), act("ask_approval", () => send("ask"), true, busy || d.tried?.good !== true || !d.tried.current));
	if (d.state === "asked" && may("approve")) list.push(act("approve", () => send("approve"), true, busy || own));
	if ((d.state === "asked" || d.state === "approved") && may("approve")) list.push(act("decline", () => send("decline"), false, busy));
	if ((d.state === "approved" || (alone && (d.state === "draft" || d.state === "asked"))) && may("apply")) list.push(
		h("div", { class: "field", "data-key": "trial-length" }, h("label", { for: "trial-s" }, t("trial_length")), h("select", { id: "trial-s" }, TRIALS.map((s) => h("option", { value: s, selected: s === TRIAL }, t("minutes", s / 60))))),
		act("apply", () => send("apply", { confirm_s: Number(value("trial-s")) }), true, busy));
	if (d.state !== "none" && d.state !== "applied" && may("edit_draft")) list.push(act("discard", () => send("discard"), false, change.busy !== "" || moved()));
	if (list.length === 0) return false;
	return card("steps", "next_steps", true, h("p", { class: "note" }, edited() ? t("save_first") : own && d.state === "asked" && may("approve") ? t("not_own") : t(alone ? "one_person" : "two_persons")),
		commentField("step-comment", "step_comment"), h("div", { class: "acts" }, list));
}

// ---- history ------------------------------------------------------------------------------------

async function look(g: Generation): Promise<void> {
	const answer = await ask<{ sources: Text[] }>("/api/v1/policy?generation=" + g.number);
	if (answer.ok) older = { number: g.number, sources: answer.value.sources };
	else change.failed = answer.why;
	redraw();
	document.getElementById("difference")?.scrollIntoView();
}

async function tryBack(g: Generation): Promise<void> {
	back = undefined;
	const base = change.kept?.draft.in_force ?? 0;
	await give("rollback", { to: g.number, base, dry_run: true }, redraw);
	const said = change.said;
	if (said !== undefined && said.outcome.done) {
		back = { to: g.number, base, outcome: said.outcome };
		delete change.said;
	}
	redraw();
	document.getElementById("going-back")?.scrollIntoView();
}

function goingBack(): Node_ | false {
	const b = back;
	if (b === undefined || b.base !== change.now?.in_force) return false;
	return card("going-back", "going_back", true, h("p", {}, t("going_back_to", b.to)), outcome(b.outcome), h("p", { class: "acts" },
		act("go_back_now", () => {
			back = undefined;
			void give("rollback", { to: b.to, base: b.base, comment: value("step-comment") }, redraw);
		}, true, change.busy !== ""), act("leave_it", () => {
			back = undefined;
			redraw();
		})));
}

const GENERATIONS: Record<Generation["state"], [Tone, Key]> = { confirmed: ["good", "generation_confirmed"], reverted: ["off", "generation_reverted"], waiting: ["wait", "generation_waiting"] };

function past(list: Generation[]): Node_ {
	return card("history", "history", true, grid("history", [{ head: "generation" }, { head: "condition" }, { head: "when" }, { head: "applied_by" }, { head: "said" }, { head: "what_changed" }, { head: "acts" }],
		list.map((g) => [String(g.number), g.in_force && g.state !== "waiting" ? chip("good", t("in_force")) : chip(...((x): [Tone, string] => [x[0], t(x[1])])(GENERATIONS[g.state])), moment(g.applied), g.by ?? t("none"), g.comment ?? t("none"),
			g.meaning === null ? t("none") : words(g.meaning, language()).split("\n").map((x) => h("p", {}, x)),
			h("div", { class: "acts" }, h("button", { type: "button", click: () => void look(g) }, t("compare")),
				g.one_step && may("apply") && h("button", { type: "button", click: () => void tryBack(g) }, t("try_back")))])));
}

// ---- the page -----------------------------------------------------------------------------------

let redraw: () => void = () => undefined;

export function changePage(changed: () => void): (state: State) => Node_[] {
	redraw = changed;
	return (state) => {
		if (!started) {
			started = true;
			void load(false, changed);
		}
		watchDraft(true, changed);
		const k = change.kept, now = k !== undefined ? draftNow(k) : undefined, head = h("div", { class: "headline off plain" }, h("h1", {}, t("change_title")));
		if (k === undefined || now === undefined) return [head, h("p", { class: change.failed !== undefined ? "complaint" : "note", role: "status" }, change.failed === undefined ? t("loading") : change.failed === "forbidden" ? t("no_right_change") : t("no_answer") + " " + t("trying_again"))];
		return [head, stays(state, k), leftOver(), note !== undefined && h("p", { class: "note", role: "status", "data-key": "promoted" }, note), conflict(), card("draft", "draft", true, stands(now)), text(), differs(), tried(now), next(now), goingBack(), past(k.history)]
			.filter((n): n is Node_ => n !== false);
	};
}

// SPDX-License-Identifier: Apache-2.0
// For the people of the terminal's IT: what the box does with other machines, each with its state,
// since when, and a button that tries it now. How a try ended is told below it: by a record, or by
// the state some seconds later.
import { h, type Child, type Node_ } from "./dom";
import { feed } from "./feed";
import { count, local, moment } from "./format";
import { card, chip, grid, headline, type Tone } from "./parts";
import { mayDo, order, whenLeft } from "./session";
import { certificateChip, certificateUse, logText, upsText } from "./state";
import { language, t, type Key } from "./text";
import type { Outlet, Said, State, Status, Told } from "./types";

type Try = "backup" | "messages" | "time";
/** `at`: by the box's clock, in ms. `said`: what the box refused. */
interface Tried {
	what: Try;
	at: number;
	said?: Key | Said;
}
interface Row {
	name: Key;
	stand: [Tone, string];
	since: string | null | undefined;
	words: string;
	try?: Try;
	/** How the try of this row ended; undefined: not known yet. */
	ended?: (since: number) => [Tone, string] | undefined;
}

/** After this time the programs beside the daemon have read the order: their state is of now. */
const SETTLED_MS = 8000;
let tried: Tried | undefined, busy = false, run = 0;
whenLeft(() => {
	run++;
	tried = undefined;
	busy = false;
});

const now = (s: Status): number => new Date(s.clock?.time ?? "").getTime();
const after = (code: string, at: number): Told | undefined => feed.records.find((r) => r.code === code && new Date(r.time ?? "").getTime() >= at);

async function give(state: State, what: Try, draw: () => void): Promise<void> {
	if (busy) return;
	const mine = run, begun: Tried = { what, at: Math.floor(now(state.status) / 1000) * 1000 };
	busy = true;
	tried = begun;
	draw();
	const answer = await order<{ done: boolean; error?: Said }>({ order: "try_service", comment: what });
	if (mine !== run) return;
	busy = false;
	if (!answer.ok) begun.said = answer.why === "forbidden" ? "no_right_change" : "no_answer";
	else if (!answer.value.done) begun.said = answer.value.error ?? "no_answer";
	draw();
}

// ---- rows ---------------------------------------------------------------------------------------

function backups(s: Status): Row[] {
	const none = s.backup?.carried ?? [], ended = (at: number): [Tone, string] | undefined => {
		const good = after("backup_carried", at), bad = after("backup_not_carried", at), record = bad ?? good;
		return record === undefined ? undefined : [bad === undefined ? "good" : "bad", local(record[language()])];
	};
	if (none.length === 0) return [{ name: "service_backup", stand: ["off", t("service_unset")], since: null, words: t("service_backup_none") }];
	return none.map((c) => ({ name: c.to === "stick" ? "service_stick" : "service_server", since: c.last ?? c.since, words: t(c.last === null ? "service_backup_never" : "service_backup_every", count(c.every)), try: "backup", ended,
		stand: c.overdue ? ["bad", t("service_overdue")] : c.why !== null ? ["bad", t("service_failed")] : c.last === null ? ["wait", t("service_waits")] : ["good", t("service_good")] }));
}

function log(s: Status): Row {
	const l = s.log, bad = l !== undefined && l !== null && l.sends === true && l.waiting !== 0;
	const ended = (at: number): [Tone, string] | undefined => {
		const record = after("message_tried", at);
		if (record === undefined || l === undefined || l === null || now(s) < at + SETTLED_MS) return undefined;
		return l.waiting === 0 || (l.last ?? 0) >= record.seq ? ["good", t("tried_arrived", l.server ?? "")] : ["bad", t("tried_waits")];
	};
	return { name: "service_log", stand: !l ? ["off", t("service_unset")] : bad ? ["wait", t("service_waits")] : ["good", t("service_good")], since: l?.since, words: logText(s), ...(l?.sends === true ? { try: "messages" as Try, ended } : {}) };
}

function outlet(s: Status, name: Key, o: Outlet | null | undefined): Row {
	if (!o) return { name, stand: ["off", t("service_unset")], since: null, words: "" };
	const why = o.state === "away" ? t("service_away") : o.why ?? "", waits = (o.waiting ?? 0) > 0;
	return { name, stand: o.state === "good" ? waits ? ["wait", t("service_waits")] : ["good", t("service_good")] : ["bad", t("service_failed")], since: o.since,
		words: [o.server ?? "", waits && t("service_waiting", count(o.waiting)), why].filter((x) => x !== false && x !== "").join(", "), try: "messages",
		ended: (at) => (after("message_tried", at) === undefined || now(s) < at + SETTLED_MS ? undefined : o.state !== "good" ? ["bad", t("tried_not", why)] : waits ? undefined : ["good", t("tried_taken", o.server ?? "")]) };
}

function time(s: Status): Row {
	const c = s.clock ?? {}, follows = c.synchronised === true, words = t(follows ? "clock_follows" : c.sources === true ? "clock_follows_none" : "clock_no_source");
	return { name: "service_time", stand: follows ? ["good", t("service_good")] : c.sources === true ? ["bad", t("service_failed")] : ["off", t("service_unset")], since: c.since, words,
		...(c.sources === true ? { try: "time" as Try, ended: (at: number): [Tone, string] | undefined => (now(s) < at + SETTLED_MS ? undefined : [follows ? "good" : "bad", words]) } : {}) };
}

/**
 * Certificates: the one that ends first; and the one of the update server, which is all that the
 * box itself knows of it.
 */
function certificates(s: Status): Row[] {
	const all = s.certificates ?? [], bad = all.find((c) => c.state !== "good"), first = [...(bad !== undefined ? [bad] : all)].sort((a, b) => (a.list?.[0]?.until ?? "9").localeCompare(b.list?.[0]?.until ?? "9"))[0];
	const update = all.find((c) => c.use === "update");
	return [{ name: "service_updates", stand: update === undefined ? ["off", t("service_unset")] : certificateChip(update), since: null, words: update === undefined ? t("service_update_stick") : t("service_update") },
		{ name: "tls_certificates", stand: first === undefined ? ["off", t("unknown")] : certificateChip(first), since: first?.since,
			words: first === undefined ? "" : t("service_certificate", certificateUse(first), moment(first.list?.[0]?.until) || t("unknown")) }];
}

function rows(s: Status): Row[] {
	const u = s.ups, token = s.mgmt?.token;
	return [...backups(s), log(s), outlet(s, "service_mail", s.mail), outlet(s, "service_snmp", s.snmp), time(s),
		{ name: "ups", stand: !u ? ["off", t("service_unset")] : [u.state === "mains" ? "good" : "bad", t(u.state === "mains" ? "service_good" : "service_failed")], since: u?.since ?? u?.away_since, words: u ? upsText(u) : "" },
		...certificates(s), { name: "tokens", stand: token === undefined ? ["off", t("unknown")] : token === "none" ? ["bad", t("service_failed")] : ["good", t("service_good")], since: null,
			words: t(token === "none" ? "service_token_none" : token === "anew" ? "service_token_anew" : "service_token") }];
}

// ---- the page -----------------------------------------------------------------------------------

function outcome(r: Row): Child {
	if (tried === undefined || r.try !== tried.what) return undefined;
	if (tried.said !== undefined) return h("p", { class: "complaint", role: "alert" }, typeof tried.said === "string" ? t(tried.said) : tried.said[language()]);
	const end = busy ? undefined : r.ended?.(tried.at);
	return h("p", { role: "status", "data-key": "outcome" }, end === undefined ? chip("wait", t("tried_runs")) : [chip(end[0], t(end[0] === "good" ? "service_good" : "service_failed")), h("span", { class: "named" }, " " + end[1])]);
}

export const servicesPage = (draw: () => void) => (state: State): Node_[] => {
	const may = mayDo("run_machine");
	return [headline(state, false), card("services", "services", true, h("p", { class: "note" }, t("services_note")),
		grid("services", [{ head: "service_head" }, { head: "acts" }, { head: "state" }, { head: "since_when" }, { head: "detail" }], rows(state.status).map((r) => [t(r.name),
			r.try === undefined ? t("service_watched") : may && h("button", { type: "button", "data-key": "try-" + r.name, "aria-label": t("try_now") + ": " + t(r.name), "aria-disabled": busy ? "true" : undefined,
				click: () => void give(state, r.try as Try, draw) }, t("try_now")),
			chip(...r.stand), moment(r.since) || "–", [h("span", { class: "named" }, r.words), outcome(r)]])))];
};

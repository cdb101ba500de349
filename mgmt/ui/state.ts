// SPDX-License-Identifier: Apache-2.0
// The state page: the headline, what is wrong, and below it the box's resources.
import { attackActs, seenAttacks } from "./attacks";
import { h, type Child, type Node_ } from "./dom";
import { feed } from "./feed";
import { ago, bytes, count, moment } from "./format";
import { bar, card, chip, figures, grid, headline, mark, type Tone } from "./parts";
import { mayDo, person } from "./session";
import { swaps } from "./swap";
import { language, t, type Key } from "./text";
import type { Counters, Interface, Refusal, Role, State, Status } from "./types";

// ---- alarms -------------------------------------------------------------------------------------

// Alarms by what they are about, grave ones first, as the box groups them: what, which machines,
// since when, what to do first, whom to call. Behind each line are the box's own sentences, the
// same that go out by mail and to a monitoring system.

// The command that a sentence names: people who read a page have buttons instead.
const COMMAND = /（sekisho [^）]*）| \(sekisho [^)]*\)/g;

export interface Alarm {
	title: string;
	texts: string[];
	since: string;
	/**
	 * A grave alarm counts in the headline. During other alarms the box still enforces
	 * everything.
	 */
	grave: boolean;
	/** For signs of attacks: their numbers. */
	attacks: number[];
	machines: string[];
	sources: string[];
	/** Names of isolations that the policy has prepared for it. */
	offers: string[];
	step: string;
}

/** A compiler only runs while it compiles, so its absence is no fault. */
const passing = (r: Role): boolean => r.role === "compile";

export function silent(s: Status, r: Role): boolean {
	if (r.role === "enforce" && s.busy === true) return false;
	return (s.silent ?? []).some((x) => x.role === r.role && (x.index ?? 0) === (r.index ?? 0));
}

function roleName(r: Role): string {
	const kind = r.kind === "naming" ? t("naming") : t("commands");
	if (r.role !== "dpi" && r.role !== "gate") return r.role ?? "";
	const name = r.role + "/" + (r.index ?? 0);
	return language() === "ja" ? name + "（" + kind + "）" : name + " (" + kind + ")";
}

export function upsText(u: NonNullable<Status["ups"]>): string {
	const states: Record<string, string> = {
		mains: t("ups_mains"), battery: t("ups_battery"), low: t("ups_low"), forced: t("ups_forced"), away: t("ups_away"),
	};
	const word = states[u.state ?? ""] ?? t("unknown");
	if (typeof u.charge !== "number") return word;
	return typeof u.runtime === "number" ? t("ups_runtime", word, u.charge, Math.floor(u.runtime / 60)) : t("ups_charge", word, u.charge);
}

const since = (dated: string, seen: string | null): string =>
	dated !== "" ? t("since", moment(dated)) : seen === null ? t("seen_before") : t("seen_since", moment(seen));

function alarms(state: State): Alarm[] {
	return state.lines.map((line) => {
		const those = state.alarms.filter((a) => line.keys.includes(a.key)), seen = those.map((a) => a.seen).find((x) => x !== null) ?? null;
		return { title: line.title[language()], texts: those.map((a) => a[language()]), since: since(line.since, seen), grave: line.grave, machines: line.machines, sources: line.sources, offers: line.offers, step: line.step?.[language()] ?? "",
			attacks: line.keys.flatMap((key) => /^attack (\d+)\//.exec(key)?.[1] ?? []).map(Number) };
	});
}

const when = (text: string | null | undefined, now: string | undefined): Child[] => {
	const long = moment(text), short = ago(text, now);
	return long === "" ? [t("none")] : [h("span", { class: "time" }, long), short !== "" && h("span", { class: "ago" }, " " + short)];
};

const SHOWN = 3;

/** Some names, and how many more there are. */
function some(names: string[]): string {
	const more = names.length - SHOWN;
	return names.slice(0, SHOWN).join(language() === "ja" ? "、" : ", ") + (more > 0 ? " " + t("and_more", count(more)) : "");
}

/** Whom to call: a button where the policy's contact is a telephone number or an address. */
function call(contact: string): Child {
	const found = /[^\s<>"',;()（）、]+@[\w.-]+|\+?\d[\d-]{7,}\d/.exec(contact)?.[0];
	if (found === undefined) return contact !== "" && h("span", { class: "call" }, " " + t("alarm_call", contact));
	return h("a", { class: "button", href: (found.includes("@") ? "mailto:" : "tel:") + found }, t("call", contact));
}

/** `acts`: what the person can do about an alarm, beside it. */
export function alarmList(state: State, acts: (a: Alarm) => Child[] = () => []): Node_ {
	const list = alarms(state), contact = state.status.site?.contact ?? "";
	if (list.length === 0 && feed.failed !== undefined) return h("p", { class: "off" }, chip("off", t("alarms_unknown")));
	if (list.length === 0) return h("p", { class: "all-well" }, mark("good"), h("span", {}, t("no_alarms")));
	return h("ul", { class: "alarms" }, list.map((a) => h("li", { class: a.grave ? "grave" : "", "data-key": "alarm " + a.title }, mark(a.grave ? "bad" : "note"),
		h("div", {}, h("p", {}, h("b", { class: "title" }, a.title, a.texts.length > 1 && t("times", count(a.texts.length))), a.since !== "" && h("span", { class: "since" }, a.since)),
			a.sources.length > 0 && h("p", { class: "named" }, t("alarm_source", some(a.sources))), a.machines.length > 0 && h("p", { class: "named" }, t("alarm_machines", some(a.machines))),
			(a.step !== "" || contact !== "") && h("p", {}, a.step !== "" && t("alarm_step", a.step.replace(COMMAND, "")), call(contact)), ...acts(a),
			a.texts.length === 1 && a.attacks.length === 0 && list.length <= SHOWN ? h("p", { class: "what" }, a.texts[0] ?? "") :
				h("details", {}, h("summary", {}, t("alarm_texts")), h("ul", { class: "plain" }, a.texts.map((text) => h("li", { class: "what" }, text))))))));
}

/**
 * A draft that waits for its next step, for people who may do that or want to know why it does not
 * go on.
 */
function waits(s: Status): Node_ | false {
	const d = s.draft, own = d?.authors.includes(person()) === true;
	if (d === null || d === undefined) return false;
	const key: Key | false = d.state === "approved" ? (mayDo("apply") ? "waits_apply" : mayDo("edit_draft") && "waits_applied")
		: mayDo("approve") && !own ? "waits_you" : (mayDo("approve") || mayDo("edit_draft") || mayDo("apply")) && "waits_other";
	return key !== false && card("waits", "waits", true, h("p", { role: "status" }, chip("wait", t(key, d.revision, d.by, moment(d.saved)))),
		h("p", { class: "acts" }, h("a", { class: "button", href: "#change" }, t("waits_look"))));
}

function policy(s: Status): Node_ {
	const g = s.generation ?? {}, stands = g.state === "confirmed" || g.state === "waiting";
	const word: [Tone, Key] = g.state === "confirmed" ? ["good", "confirmed"] : g.state === "waiting" ? ["wait", "waiting"] : ["bad", "no_policy"];
	return card("policy", "policy", false, figures(
		["state", [chip(...([word[0], t(word[1])] as const)), s.busy === true && chip("wait", t("changing"))]],
		stands && ["generation", count(g.number)],
		stands && ["applied", when(g.applied, s.clock?.time)],
		stands && typeof g.by === "string" && ["applied_by", g.by],
		g.state === "waiting" && ["confirm_by", when(g.confirm_by, s.clock?.time)],
		stands && ["digest", h("code", { title: g.digest ?? "" }, (g.digest ?? "").slice(0, 12))]));
}

export function zonesOf(x: Interface): string {
	const zones = (x.zones ?? []).map((z) => (z.label ? (z.label === z.name ? z.label : z.label + " (" + (z.name ?? "") + ")") : z.name ?? ""));
	return zones.length > 0 ? zones.join(language() === "ja" ? "、" : ", ") : x.space === "admin" ? t("management") : "";
}

export function linkChip(x: Interface): Node_ {
	const words: Record<string, [Tone, Key]> = {
		up: ["good", "link_up"], down: ["bad", "link_down"], no_carrier: ["bad", "link_no_carrier"], absent: ["bad", "link_absent"],
	};
	const word = words[x.link ?? ""];
	return word === undefined ? chip("off", x.link ?? t("unknown")) : chip(word[0], t(word[1]));
}

/** The rate by the box's own clock between two answers; nothing where a counter began anew. */
function rate(name: string | undefined, way: "rx" | "tx", now: Counters | undefined): string {
	const was = feed.before?.status, is = feed.state?.status;
	const then = was?.interfaces?.find((x) => x.name === name)?.[way]?.bytes;
	const seconds = (new Date(is?.clock?.time ?? "").getTime() - new Date(was?.clock?.time ?? "").getTime()) / 1000;
	if (then === undefined || now?.bytes === undefined || !(seconds > 0.2) || now.bytes < then) return "";
	return t("per_second", bytes((now.bytes - then) / seconds));
}

function traffic(x: Interface, way: "rx" | "tx"): Child[] {
	const c = x[way];
	if (c === undefined) return ["–"];
	return [h("span", {}, count(c.packets)), h("span", { class: "ago" }, rate(x.name, way, c))];
}

function interfaces(state: State, draw: () => void): Node_ {
	const s = state.status, list = s.interfaces ?? [];
	const body = list.length > 0 ?
		grid("interfaces", [{ head: "interface" }, { head: "zone" }, { head: "link" }, { head: "device" }, { head: "addresses" },
			{ head: "received", number: true }, { head: "sent", number: true }, { head: "lost", number: true }],
		list.map((x) => {
			const lost = [x.rx, x.tx].reduce((sum, c) => sum + (c?.errors ?? 0) + (c?.dropped ?? 0), 0);
			return [x.name ?? "", h("div", { class: "zone" }, zonesOf(x)), linkChip(x), h("code", {}, x.device ?? ""),
				(x.addresses ?? []).map((a) => h("code", { class: "line" }, a)), h("div", { class: "two" }, traffic(x, "rx")),
				h("div", { class: "two" }, traffic(x, "tx")), x.rx === undefined && x.tx === undefined ? "–" : count(lost)];
		})) :
		h("p", { class: "empty" }, s.interfaces === null ? t("no_interfaces") : t("no_cards"));
	return card("interfaces", "interfaces", true, body, ...swaps(state, draw));
}

function roleChip(s: Status, r: Role): Node_ {
	if (r.state === "running") return silent(s, r) ? chip("bad", t("silent")) : chip("good", t("running"));
	if (r.state === "starting") return chip(passing(r) ? "good" : "wait", t("starting"));
	return r.state === "dead" ? chip("bad", t("dead")) : chip("off", r.state ?? t("unknown"));
}

function roles(s: Status): Node_ {
	const list = s.roles ?? [];
	return card("roles", "roles", true, list.length === 0 ? h("p", { class: "empty" }, t("no_roles")) :
		grid("roles", [{ head: "role" }, { head: "state" }, { head: "since_when" }, { head: "restarts", number: true }, { head: "pid", number: true }],
			list.map((r) => [roleName(r), roleChip(s, r), h("div", {}, when(r.since, s.clock?.time)), count(r.restarts),
				(r.pid ?? 0) > 0 ? String(r.pid) : "–"])));
}

const meter = (used: number, most: number): Child[] => [h("span", {}, t("of_most", count(used), count(most))), bar(used, most, used >= 0.8 * most && most > 0)];

const ms = (us: number | undefined): string => t("milliseconds", ((us ?? 0) / 1000).toFixed((us ?? 0) < 10000 ? 2 : 0));

function inspection(s: Status): Node_ {
	const workers = s.workers ?? [], queues = s.queues ?? [], gates = s.gates ?? [];
	const sum = (f: (q: { outstanding?: number; dropped_full?: number; dropped_user?: number }) => number): number => queues.reduce((n, q) => n + f(q), 0);
	const late = gates.reduce((n, g) => n + (g.hung ?? 0) + (g.overdue ?? 0), 0), starved = gates.reduce((n, g) => n + (g.starved_ms ?? 0), 0);
	return card("inspection", "inspection", true,
		workers.length === 0 ? h("p", { class: "empty" }, t("no_inspection")) :
			grid("inspection", [{ head: "worker_head" }, { head: "packets", number: true }, { head: "refused_count", number: true }, { head: "resets", number: true },
				{ head: "flows", number: true }, { head: "latency", number: true }],
			workers.map((w) => [t("worker", w.index ?? 0, t(w.kind === "naming" ? "naming" : "commands")), count(w.packets), count(w.dropped),
				count(w.resets), h("div", { class: "meter" }, meter(w.flows ?? 0, w.flows_max ?? 0)),
				(w.latency ?? []).filter((x) => (x.max_us ?? 0) > 0)
					.map((x) => h("div", {}, t("latency_of", x.criticality ?? "", ms(x.p50_us), ms(x.p99_us), ms(x.max_us))))])),
		workers.length + queues.length + gates.length > 0 && figures(["queues", count(queues.length)], ["queue_waiting", count(sum((q) => q.outstanding ?? 0))],
			["queue_lost", count(sum((q) => (q.dropped_full ?? 0) + (q.dropped_user ?? 0)))], ["late", count(late)],
			["starved", t("seconds", (starved / 1000).toFixed(1))],
			s.tracking !== undefined && ["sessions", h("div", { class: "meter" }, meter(s.tracking.sessions ?? 0, s.tracking.most ?? 0))]));
}

function reasons(label: "refused" | "unjudged", list: Refusal[]): Node_ {
	return grid(label, [{ head: "reason" }, { head: "who" }, { head: "packets", number: true }],
		[...list].sort((a, b) => b.packets - a.packets).map((r) => [r.text, t(r.who === "kernel" ? "kernel" : "workers"), count(r.packets)]));
}

function refused(state: State): Node_ {
	const words = state[language()];
	return card("refused", "refused", true,
		words.refused.length === 0 ? h("p", { class: "empty" }, t("refused_none")) : reasons("refused", words.refused),
		words.unjudged.length > 0 && h("h3", {}, t("unjudged")), words.unjudged.length > 0 && reasons("unjudged", words.unjudged),
		words.refused.length + words.unjudged.length > 0 && h("p", { class: "note" }, t("refused_note")));
}

export function logText(s: Status): string {
	const log = s.log;
	if (log === undefined) return t("unknown");
	if (!log) return t("log_none");
	const server = log.server ?? "";
	if (log.sends !== true) return t("log_sends_none", server);
	if (typeof log.waiting !== "number") return t("log_unknown", server);
	return log.waiting === 0 ? t("log_all", server) : t("log_waits", server, count(log.waiting));
}

function diskText(d: NonNullable<Status["journal"]>["disk"]): Child[] {
	if (!d) return [chip("off", t("unknown"))];
	const used = t("disk_used", count(d.used_percent), bytes(d.free ?? 0), bytes(d.bytes ?? 0), bytes(d.records_bytes ?? 0));
	return [d.nearly_full === true ? chip("bad", used) : used, (d.full_in_s ?? 0) > 0 && h("div", { class: "ago" }, t("disk_full_in", count(Math.ceil((d.full_in_s ?? 0) / 3600))))];
}

function records(state: State): Node_ {
	const s = state.status, j = s.journal ?? {}, trouble = state[language()].trouble;
	return card("records", "records", false, figures(
		["state", trouble !== null ? chip("bad", trouble) : j.records === undefined ? chip("off", t("unknown")) : chip("good", t("recording"))],
		// A silent journal gives no number, which is not 0.
		j.records !== undefined && ["record_count", count(j.records)], j.records !== undefined && ["record_last", when(j.last, s.clock?.time)],
		j.records !== undefined && ["record_lost", count((j.lost ?? 0) + (j.left_out ?? 0))], j.records !== undefined && ["record_waiting", count(j.waiting)],
		j.keep_days !== undefined && ["retention", j.keep_days > 0 ? t("retention_days", count(j.keep_days), count(j.delete_after_days)) : t("keeps_all")],
		j.disk !== undefined && ["disk", diskText(j.disk)],
		["log_server", logText(s)]));
}

function machine(state: State): Node_ {
	const s = state.status, c = s.clock ?? {}, why = state[language()].clock, p = s.partition;
	return card("machine", "machine", false, figures(
		["version", state.version],
		["box_time", c.time === undefined ? t("unknown") : moment(c.time)],
		["clock", c.trusted === undefined ? chip("off", t("unknown")) : c.trusted ? chip("good", t("clock_trusted")) : chip("bad", t("clock_untrusted", why))],
		["clock_source", c.sources === undefined ? chip("off", t("unknown")) : c.sources !== true && c.synchronised !== true ? t("clock_no_source") :
			[chip(c.synchronised === true ? "good" : "bad", t(c.synchronised === true ? "clock_follows" : "clock_follows_none"))]],
		s.ups !== undefined && s.ups !== null && ["ups", chip(s.ups.state === "mains" ? "good" : "bad", upsText(s.ups))],
		p !== undefined && ["memory", p.stands === true ? t("of_most", bytes(p.parsers?.memory ?? 0), bytes(p.parsers?.most ?? 0)) : t("memory_none")]));
}

type File = NonNullable<Status["certificates"]>[number];

export function certificateUse(c: File): string {
	const uses: Record<string, Key> = { web: "certificate_web", log: "certificate_log", update: "certificate_update", mail: "certificate_mail", log_own: "certificate_log_own" }, use = uses[c.use ?? ""];
	return use === undefined ? c.use ?? "" : t(use);
}

export function certificateChip(c: File): [Tone, string] {
	const words: Record<string, [Tone, Key]> = {
		good: ["good", "certificate_good"], near: ["wait", "certificate_ends_soon"], close: ["bad", "certificate_ends_in_days"], ended: ["bad", "certificate_ended"],
		not_yet: ["bad", "certificate_not_yet"], unreadable: ["bad", "certificate_unreadable"], unknown: ["off", "certificate_unknown"],
		unjudged: ["off", "certificate_unjudged"],
	};
	const word = words[c.state ?? ""];
	return word === undefined ? ["off", c.state ?? t("unknown")] : [word[0], t(word[1])];
}

/** A row for each certificate; the state of a file is in its first row. */
function certificates(s: Status): Node_ {
	const rows = (s.certificates ?? []).flatMap((c) => {
		const list = c.list ?? [], name = certificateUse(c);
		return (list.length > 0 ? list : [{}]).map((x: { subject?: string; until?: string; sha256?: string }, i) => [name, x.subject ?? "–",
			x.until === undefined ? "–" : moment(x.until), h("code", { title: x.sha256 ?? "" }, (x.sha256 ?? "").slice(0, 16)), i === 0 ? chip(...certificateChip(c)) : ""]);
	});
	return card("certificates", "tls_certificates", true, rows.length === 0 ? h("p", { class: "empty" }, t("unknown")) :
		grid("tls_certificates", [{ head: "certificate_use" }, { head: "certificate_subject" }, { head: "certificate_ends" }, { head: "certificate_print" }, { head: "state" }], rows));
}

export const statePage = (draw: () => void) => (state: State): Node_[] => {
	const s = state.status, seen = seenAttacks(state, draw), waiting = waits(s);
	return [headline(state, false), ...(waiting !== false ? [waiting] : []),
		card("alarms", "alarms", true, alarmList(state, (a) => a.attacks.flatMap((number) => attackActs(number, draw, a.attacks.length > 1)))), ...(seen !== false ? [seen] : []),
		h("div", { class: "cards" }, policy(s), records(state), machine(state)),
		interfaces(state, draw), roles(s), inspection(s), refused(state), certificates(s)];
};

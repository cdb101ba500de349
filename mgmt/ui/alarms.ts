// SPDX-License-Identifier: Apache-2.0
// What is wrong, worst first, each with since when, as far as the box says it. What the box finds but does not date is dated by this page.
import { feed } from "./feed";
import { clockTime, count, moment } from "./format";
import { language, t } from "./text";
import type { Role, State, Status } from "./types";

export interface Alarm {
	text: string;
	since: string;
	/** What the one sentence counts as well; the others are worth knowing, and the box enforces all the same. */
	grave: boolean;
}

type Add = (text: string, since?: string, grave?: boolean) => void;

/** It lives as long as a policy is compiled, and is nobody's loss. */
export const passing = (r: Role): boolean => r.role === "compile";

export function silent(s: Status, r: Role): boolean {
	if (r.role === "enforce" && s.busy === true) return false;
	return (s.silent ?? []).some((x) => x.role === r.role && (x.index ?? 0) === (r.index ?? 0));
}

export function roleName(r: Role): string {
	const kind = r.kind === "naming" ? t("naming") : t("commands");
	if (r.role !== "dpi" && r.role !== "gate") return r.role ?? "";
	const name = r.role + "/" + (r.index ?? 0);
	return language() === "ja" ? name + "（" + kind + "）" : name + " (" + kind + ")";
}

const since = (when: string | null | undefined): string => (when === null || when === undefined || when === "" ? "" : t("since", moment(when)));

function ofPolicy(s: Status, add: Add): void {
	const g = s.generation ?? {};
	if (g.state === "waiting") add(t("alarm_confirm", moment(g.confirm_by)), since(g.applied));
	else if (g.state !== "confirmed") add(t("alarm_no_policy"), "", true);
}

function ofRoles(s: Status, add: Add): void {
	for (const r of s.roles ?? []) {
		if (passing(r)) continue;
		if (r.state !== "running") add(t("alarm_role", roleName(r)), since(r.since), true);
		else if (silent(s, r)) add(t("alarm_silent", roleName(r)), "", true);
	}
}

function ofRecords(state: State, add: Add): void {
	const j = state.status.journal ?? {}, log = state.status.log, trouble = state[language()].trouble;
	if (trouble !== null) add(t("alarm_trouble", trouble), j.last ? t("record_last_at", moment(j.last)) : "", true);
	if ((j.waiting ?? 0) + (j.left_out ?? 0) > 0) add(t("alarm_room", count(j.waiting), count(j.left_out)));
	if ((j.lost ?? 0) > 0) add(t("alarm_lost", count(j.lost)));
	if (j.holds_damaged === true) add(t("alarm_holds_damaged"), "", true);
	if (j.held === true && (j.waiting ?? 0) + (j.left_out ?? 0) > 0) add(t("alarm_held_full"), "", true);
	if (j.stuck === true) add(t("alarm_stuck"));
	// Up to 15 may have gone already: rsyslog puts down every sixteenth (docs/json.md).
	if (log && (log.waiting ?? 0) > 15) add(t("alarm_log", count(log.waiting ?? 0)), since(log.since));
}

export function upsText(u: NonNullable<Status["ups"]>): string {
	const states: Record<string, string> = {
		mains: t("ups_mains"), battery: t("ups_battery"), low: t("ups_low"), forced: t("ups_forced"), away: t("ups_away"),
	};
	const word = states[u.state ?? ""] ?? t("unknown");
	if (typeof u.charge !== "number") return word;
	return typeof u.runtime === "number" ? t("ups_runtime", word, u.charge, Math.floor(u.runtime / 60)) : t("ups_charge", word, u.charge);
}

export function alarms(state: State): Alarm[] {
	const s = state.status, list: Alarm[] = [], clock = s.clock ?? {};
	const add: Add = (text, when = "", grave = false) => void list.push({ text, since: when, grave });
	ofPolicy(s, add);
	ofRoles(s, add);
	state[language()].faults.forEach((text, i) => {
		const seen = feed.seen.get(state.en.faults[i] ?? "") ?? 0;
		add(text, seen === 0 ? t("seen_before") : t("seen_since", clockTime(new Date(seen))), true);
	});
	if ((s.drift?.seen ?? 0) > 0) add(t("alarm_drift", count(s.drift?.seen)), s.drift?.last ? t("drift_last", moment(s.drift.last)) : "");
	ofRecords(state, add);
	if (clock.sources === true && clock.synchronised === false) add(t("alarm_clock"), since(clock.since));
	if (s.ups && s.ups.state !== "mains") add(t("alarm_ups", upsText(s.ups)), since(s.ups.since ?? s.ups.away_since));
	return list.sort((a, b) => Number(b.grave) - Number(a.grave));
}

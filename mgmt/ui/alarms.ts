// SPDX-License-Identifier: Apache-2.0
// Alarms, grave ones first, in the box's own words: the same that go out by mail and to a
// monitoring system. An alarm without a time gets the time when it was first seen.
import { moment } from "./format";
import { language, t } from "./text";
import type { Role, State, Status } from "./types";

export interface Alarm {
	text: string;
	since: string;
	/**
	 * A grave alarm counts in the headline. During other alarms the box still enforces
	 * everything.
	 */
	grave: boolean;
	/** For a sign of an attack: its number. */
	attack?: number;
	machines: string[];
	step: string;
}

/** A compiler only runs while it compiles, so its absence is no fault. */
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

function attackOf(key: string): { attack?: number } {
	const number = /^attack (\d+)\//.exec(key)?.[1];
	return number === undefined ? {} : { attack: Number(number) };
}

/** Machines that the sentence itself does not name. */
const beside = (key: string, text: string, machines: string[]): string[] => (/^(isolated|attack) /.test(key) && machines.every((m) => text.includes(m)) ? [] : machines);

export function alarms(state: State): Alarm[] {
	return state.alarms.map((a) => ({ text: a[language()], since: since(a.since, a.seen), grave: a.grave, machines: beside(a.key, a[language()], a.machines), step: a.step?.[language()] ?? "", ...attackOf(a.key) })).sort((a, b) => Number(b.grave) - Number(a.grave));
}

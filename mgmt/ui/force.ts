// SPDX-License-Identifier: Apache-2.0
// The policy in force for a search: its zones, conduits and assets by name, and for a refusal what
// is allowed there and who answers for it. The rules are asked for once, when a name is needed or a
// refusal was found.
import { h, type Node_ } from "./dom";
import { commandsOf, reach, reachText, zoneName, askRules } from "./register";
import { mayDo, person } from "./session";
import { t } from "./text";
import type { Effective, State, Told } from "./types";

export type Kind = "zone" | "conduit" | "asset";
interface Named {
	name?: string | undefined;
	label?: string | undefined;
}

const KINDS: Kind[] = ["zone", "conduit", "asset"], MOST_ROWS = 4;
let rules: Effective | undefined;
let digest: string | undefined; // of the policy whose rules were asked for
let run = 0;

/** Forgets everything before another person signs in. */
export function forgetForce(): void {
	run++;
	rules = undefined;
	digest = undefined;
}

/** Asks for the rules, unless those of this policy are here or requested. */
export async function wantRules(state: State | undefined, changed: () => void): Promise<void> {
	const now = state?.status.generation?.digest ?? "";
	if (digest === now || (person() !== "" && !mayDo("read_rules"))) return;
	const mine = ++run;
	digest = now;
	const answer = await askRules();
	if (mine !== run) return;
	rules = answer.ok ? answer.value : undefined;
	changed();
}

function all(kind: Kind, state: State | undefined): Named[] {
	const zones = (state?.status.interfaces ?? []).flatMap((x) => x.zones ?? []);
	const list: Named[] = kind === "conduit" ? rules?.conduits ?? [] : kind === "zone" ? [...zones, ...(rules?.zones ?? [])] : [...zones.flatMap((z) => z.assets ?? []), ...(rules?.assets ?? [])];
	return [...new Map(list.map((x): [string, Named] => [x.name ?? "", x])).values()].filter((x) => (x.name ?? "") !== "");
}

const called = (x: Named): string => (x.label && x.label !== x.name ? x.label + " (" + (x.name ?? "") + ")" : x.name ?? "");

/** The suggestions of a field of that kind. */
export function offers(state: State | undefined): Node_[] {
	return KINDS.map((kind) => h("datalist", { id: "names-" + kind, "data-key": "names-" + kind }, all(kind, state).map((x) => h("option", { value: called(x) }))));
}

/**
 * The name for a text that was picked or typed: a suggestion, a name, or a label that only one
 * object has; other text stays as it is.
 */
export function nameOf(kind: string, typed: string, state: State | undefined): string {
	if (!KINDS.includes(kind as Kind) || typed === "") return typed;
	const list = all(kind as Kind, state), one = list.find((x) => x.name === typed) ?? list.find((x) => called(x) === typed), labelled = list.filter((x) => x.label === typed);
	return one?.name ?? (labelled.length === 1 ? labelled[0]?.name : undefined) ?? typed;
}

/**
 * The end of a refusal's sentence: what the policy in force allows there, and who answers for it.
 */
export function instead(e: Told): Node_ | false {
	const r = rules;
	if (r === undefined || e.verdict !== "deny") return false;
	const k = (r.conduits ?? []).find((x) => x.name === e.conduit), zone = (r.zones ?? []).find((z) => z.name === e.server_zone);
	if (k !== undefined) {
		const rows = commandsOf(r, k.name ?? ""), more = rows.length - MOST_ROWS;
		return h("p", { class: "instead", "data-key": "instead" }, t("instead_conduit", called(k), rows.slice(0, MOST_ROWS).join(" / ") + (more > 0 ? " / " + t("cuts_more", more) : "") || t("none"), k.owner || t("owner_none")));
	}
	if (e.conduit !== undefined || !e.client_zone || zone === undefined) return false;
	return h("p", { class: "instead", "data-key": "instead" }, t("instead_between", zoneName(r, e.client_zone), zoneName(r, e.server_zone), reachText(reach(r, e.client_zone, e.server_zone ?? "")) || t("none"), zone.owner || t("owner_none")));
}

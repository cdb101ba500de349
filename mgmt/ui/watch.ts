// SPDX-License-Identifier: Apache-2.0
// The supervisor's page: the same sentence, large; what is wrong; which of the zones has its link; whom to call; when somebody changed the policy last.
import { h, type Child, type Node_ } from "./dom";
import { ago, count, moment } from "./format";
import { card, headline } from "./parts";
import { alarmList, linkChip, zonesOf } from "./state";
import { t } from "./text";
import type { State } from "./types";

function lastChange(state: State): Child[] {
	const g = state.status.generation ?? {};
	if (g.applied === undefined || (g.state !== "confirmed" && g.state !== "waiting")) return [t("no_policy")];
	const short = ago(g.applied, state.status.clock?.time);
	return [h("b", {}, moment(g.applied)), short !== "" && h("span", { class: "ago" }, " " + short), h("br"),
		t("last_change_text", count(g.number), g.by ?? t("unknown"))];
}

export function watchPage(state: State): Node_[] {
	const sides = (state.status.interfaces ?? []).filter((x) => x.space !== "admin");
	return [headline(state, true),
		card("alarms", "alarms", true, alarmList(state)),
		card("zones", "zones", true, sides.length === 0 ? h("p", { class: "empty" }, t(state.status.interfaces === null ? "no_interfaces" : "no_cards")) :
			h("ul", { class: "tiles" }, sides.map((x) => h("li", { class: x.link === "up" ? "" : "bad" },
				h("b", {}, zonesOf(x) || (x.name ?? "")), h("span", { class: "ago" }, x.name ?? ""), linkChip(x))))),
		card("contact", "contact", true, h("p", { class: state.status.site?.contact ? "call" : "empty" }, state.status.site?.contact || t("contact_none"))),
		card("change", "last_change", true, h("p", {}, lastChange(state))),
		h("p", { class: "more" }, h("a", { class: "button", href: "#state" }, t("details")))];
}

// SPDX-License-Identifier: Apache-2.0
// A refusal as the lines of a draft: a conduit that lets it pass between these two hosts alone.
import { inserted } from "./draft";
import { t } from "./text";
import type { Text, Told } from "./types";

/** "10.0.0.1:502" or "[2001:db8::1]:502" as address and port. */
export function ends(text: string): [string, string] {
	const colon = text.lastIndexOf(":");
	return [text.slice(0, colon).replace(/[[\]]/g, ""), text.slice(colon + 1)];
}

/** "tcp/502" or "icmp/8", as a policy writes it. */
export const portOf = (e: Told): string => (e.icmp_type !== undefined ? "icmp/" + String(e.icmp_type) : (e.transport ?? "") + "/" + ends(e.server ?? "")[1]);

/** Whether a line can let this pass: a refused command, or traffic of a service without a conduit
 * that does not end at the box itself. */
export const isNeeded = (e: Told): boolean => e.verdict === "deny" && (e.client_zone ?? "") !== "" && !["", "self"].includes(e.server_zone ?? "") &&
	(e.needs !== undefined || (e.reason === "no_conduit" && !e.icmp_code && (e.icmp_type !== undefined || ["tcp", "udp"].includes(e.transport ?? ""))));

/** A text as a policy writes it. */
export const quoted = (text: string): string => JSON.stringify(text);
const dayFrom = (now: string, days: number): string => new Date(new Date(now).getTime() + days * 86400000).toISOString().slice(0, 10);

/**
 * The texts with the lines that a refusal needs. `services`: those of the policy that carry its
 * port. What the record does not tell stands in a comment above the lines.
 */
export function withNeeded(texts: Text[], e: Told, services: string[], owner: string, now: string, exception: boolean): Text[] | undefined {
	const seq = String(e.seq), name = "record_" + seq, own = e.needs !== undefined || services.length === 0;
	const plain = e.icmp_type !== undefined ? "icmp" : e.transport ?? "tcp";
	const leaves = [t("needed_people"), ...(e.needs !== undefined ? [!/\bvalues = /.test(e.needs) && t("needed_values")] : [services.length > 1 && t("needed_services", services.join(", ")), own && t("needed_unread")])].filter((x) => x !== false);
	const ending = exception ? ' until = "' + dayFrom(now, 30) + '";\n    exception = { applicant = ""; rule = ""; effect = ""; reason = ""; instead = ""; approved_by = ""; };' : "";
	const conduit = "  # " + t("needed_says", seq) + " " + leaves.join(" ") + '\n  { name = "' + name.replace("_", "-") + '"; from = ' + quoted(e.client_zone ?? "") + "; to = " + quoted(e.server_zone ?? "") + ";\n    sources = [" + quoted(ends(e.client ?? "")[0]) +
		"]; destinations = [" + quoted(ends(e.server ?? "")[0]) + "]; services = [" + quoted(own ? name : services[0] ?? "") + "];\n    purpose = " + quoted(t("needed_purpose", seq)) + "; owner = " + quoted(owner) + '; review_by = "' + dayFrom(now, 180) + '";' + ending + " }";
	const service = "  " + name + ' = { protocol = "' + (e.needs !== undefined ? e.protocol ?? "" : plain) + '"; ports = ["' + portOf(e) + '"];' + (e.needs !== undefined ? "\n    allow = ( " + e.needs + " );" : "") + " }";
	const one = own ? inserted(texts, "services", service) : texts;
	return one !== undefined ? inserted(one, "conduits", conduit) : undefined;
}

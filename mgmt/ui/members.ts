// SPDX-License-Identifier: Apache-2.0
// What fleets make of a policy's texts, for the editor's completion. It reads what somebody is writing, so nothing has to be whole.

export interface Named {
	name: string;
	text: string;
}

/** The cells of a table that somebody wrote, without quotes and blanks around them; a byte order mark is none of them. */
export function cells(text: string): string[][] {
	return text.replace(/^\ufeff/, "").split(/\r?\n/).map((line) => [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => (quoted?.replace(/""/g, '"') ?? plain ?? "").trim()));
}

const FLEET = /\{[^{}]*\bmembers\s*=\s*[[(]([^\])]*)[\])][^{}]*/g;
const found = (text: string, what: RegExp): string[] => [...text.matchAll(what)].map((m) => m[1] ?? "");

/** The members of fleets, as a conduit with `each` has them (".plc") and as assets ("rtg07.plc"): of machines in the text, or in a table beside it. */
export function membersOf(texts: Named[]): string[] {
	const names: string[] = [];
	for (const { text } of texts) for (const fleet of text.replace(/\{\}/g, "").matchAll(FLEET)) { // a label may have {}
		const whole = fleet[0] ?? "", members = found(fleet[1] ?? "", /"([\w-]+)"/g), file = /\bfrom\s*=\s*"([^"]*)"/.exec(whole)?.[1];
		const table = file === undefined ? undefined : cells(texts.find((x) => x.name === file)?.text ?? ""), column = table?.[0]?.indexOf("name") ?? -1;
		const machines = table === undefined ? found(whole.replace(/\bmembers\s*=[^;]*/, ""), /[[(]\s*"([\w-]+)"\s*,/g) : table.slice(1).map((row) => row[column] ?? "");
		for (const m of members) names.push("." + m, ...machines.filter((x) => x !== "").map((x) => x + "." + m));
	}
	return names;
}

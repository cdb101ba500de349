// SPDX-License-Identifier: Apache-2.0
// The expansion of fleets for the editor's completion. The text is being written, so it may be
// incomplete.

export interface Named {
	name: string;
	text: string;
}

/** The cells of a typed table, without quotes, surrounding blanks and byte order mark. */
export function cells(text: string): string[][] {
	return text.replace(/^\ufeff/, "").split(/\r?\n/).map((line) => [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => (quoted?.replace(/""/g, '"') ?? plain ?? "").trim()));
}

const FLEET = /\{[^{}]*\bmembers\s*=\s*[[(]([^\])]*)[\])][^{}]*/g;
const found = (text: string, what: RegExp): string[] => [...text.matchAll(what)].map((m) => m[1] ?? "");

/**
 * Members of fleets, as in a conduit with `each` (".plc") and as assets ("rtg07.plc"): of machines
 * in the text, or in a table beside it.
 */
export function membersOf(texts: Named[]): string[] {
	const names: string[] = [];
	// a label may contain {}
	for (const { text } of texts) for (const fleet of text.replace(/\{\}/g, "").matchAll(FLEET)) {
		const whole = fleet[0] ?? "", members = found(fleet[1] ?? "", /"([\w-]+)"/g), file = /\bfrom\s*=\s*"([^"]*)"/.exec(whole)?.[1];
		const table = file === undefined ? undefined : cells(texts.find((x) => x.name === file)?.text ?? ""), column = table?.[0]?.indexOf("name") ?? -1;
		const machines = table === undefined ? found(whole.replace(/\bmembers\s*=[^;]*/, ""), /[[(]\s*"([\w-]+)"\s*,/g) : table.slice(1).map((row) => row[column] ?? "");
		for (const m of members) names.push("." + m, ...machines.filter((x) => x !== "").map((x) => x + "." + m));
	}
	return names;
}

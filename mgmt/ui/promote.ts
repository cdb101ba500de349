// SPDX-License-Identifier: Apache-2.0
// Makes an observing conduit enforce by replacing one word in the policy's text. Without that word
// nothing is changed.
import type { Conduit, Text } from "./types";

/**
 * Calls `each` for each place outside of quotes and comments, with its depth of braces, until it
 * returns true.
 */
function walk(text: string, from: number, each: (at: number, depth: number) => boolean): void {
	let depth = 0;
	for (let at = from; at < text.length; at++) {
		const two = text.slice(at, at + 2), c = text[at];
		if (c === "#" || two === "//") at = (text.indexOf("\n", at) + text.length + 1) % (text.length + 1) - 1;
		else if (two === "/*") at = (text.indexOf("*/", at + 2) + text.length + 1) % (text.length + 1);
		else {
			depth += c === "{" ? 1 : c === "}" ? -1 : 0;
			if (!each(at, depth)) return;
			if (c === '"') for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
		}
	}
}

/** The changed texts, or undefined. */
export function promoted(texts: Text[], k: Conduit): Text[] | undefined {
	const one = texts.find((x) => x.name === k.file), lines = one?.text.split("\n") ?? [], line = k.line ?? 0;
	if (one === undefined || line < 1 || line > lines.length) return undefined;
	const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0), ahead = one.text.lastIndexOf("{", start);
	const from = lines[line - 1]?.includes("{") === true ? one.text.indexOf("{", start) : ahead;
	const found: { at: number; end: number; by: string }[] = [];
	let name = false;
	if (from < 0) return undefined;
	walk(one.text, from, (at, depth) => {
		const rest = depth === 1 && !/\w/.test(one.text[at - 1] ?? "") ? one.text.slice(at, at + 200) : "";
		const observes = /^mode\s*[=:]\s*"observe"/.exec(rest), shadows = /^shadow\s*[=:]\s*true\s*;?[ \t]*/.exec(rest), called = /^name\s*[=:]\s*"([^"]*)"/.exec(rest);
		name = name || called?.[1] === k.name;
		if (observes !== null) found.push({ at, end: at + (observes[0] ?? "").length, by: 'mode = "enforce"' });
		if (shadows !== null) found.push({ at, end: at + (shadows[0] ?? "").length, by: "" });
		return depth > 0;
	});
	if (!name || !found.some((f) => f.by !== "")) return undefined;
	const text = found.reverse().reduce((sum, f) => sum.slice(0, f.at) + f.by + sum.slice(f.end), one.text);
	return texts.map((x) => (x === one ? { name: x.name, text } : x));
}

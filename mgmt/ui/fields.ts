// SPDX-License-Identifier: Apache-2.0
// Fields of forms: a choice, a line of text, a command.
import { COMMANDS } from "./asked";
import { h, type Node_ } from "./dom";
import { t, type Key } from "./text";

const CLASSES: [string, Key][] = [["read", "class_read"], ["write", "class_write"], ["control", "class_control"], ["program", "class_program"], ["diagnose", "class_diagnose"]];

export function choice(id: string, label: Key, options: [string, Key][]): Node_ {
	return h("div", { class: "field" }, h("label", { for: id }, t(label)),
		h("select", { id }, options.map(([v, key]) => h("option", { value: v }, t(key)))));
}

export function field(id: string, label: Key, more: Record<string, string> = {}): Node_ {
	return h("div", { class: "field" }, h("label", { for: id }, t(label)), h("input", { id, type: "text", spellcheck: "false", autocapitalize: "none", autocomplete: "off", ...more }));
}

export function commands(id: string): Node_ {
	return h("div", { class: "field" }, h("label", { for: id }, t("command")),
		h("select", { id }, h("option", { value: "" }, t("any")), CLASSES.map(([v, key]) => h("option", { value: v }, t(key))),
			COMMANDS.map(([protocol, names]) => h("optgroup", { label: protocol }, names.map((name) => h("option", { value: name }, name))))));
}

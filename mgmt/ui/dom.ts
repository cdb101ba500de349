// SPDX-License-Identifier: Apache-2.0
// A page as a value: h() says what is to be there, patch() makes it so and leaves alone what is there already. What has the
// focus, is selected or is being read aloud stays the same element from one update to the next. Text becomes text nodes and
// nothing else: no string of the box is ever read as HTML.

export type Handler = (event: Event) => void;
export type Attributes = Record<string, string | number | boolean | Handler | undefined>;
export type Child = Node_ | string | false | undefined | null;
export interface Node_ {
	tag: string;
	attributes: Attributes;
	children: (Node_ | string)[];
}

const SVG = "http://www.w3.org/2000/svg";
const shapes = new Set(["svg", "path", "circle", "g", "line", "rect", "text", "title"]);
const given = new WeakMap<Element, Attributes>();

export function h(tag: string, attributes: Attributes = {}, ...children: (Child | Child[])[]): Node_ {
	const real = children.flat().filter((c): c is Node_ | string => c !== false && c !== undefined && c !== null && c !== "");
	return { tag, attributes, children: real };
}

function set(element: Element, name: string, value: Attributes[string], before: Attributes[string]): void {
	if (value === before) return;
	if (typeof value === "function" || typeof before === "function") {
		if (typeof before === "function") element.removeEventListener(name, before);
		if (typeof value === "function") element.addEventListener(name, value);
	} else if (value === undefined || value === false) {
		element.removeAttribute(name);
	} else {
		element.setAttribute(name, value === true ? "" : String(value));
	}
}

function fits(there: ChildNode | undefined, wanted: Node_ | string): boolean {
	if (there === undefined) return false;
	if (typeof wanted === "string") return there.nodeType === Node.TEXT_NODE;
	return there instanceof Element && there.localName === wanted.tag && there.getAttribute("data-key") === (wanted.attributes["data-key"] ?? null);
}

function make(wanted: Node_ | string, svg: boolean): ChildNode {
	if (typeof wanted === "string") return document.createTextNode(wanted);
	return svg || wanted.tag === "svg" ? document.createElementNS(SVG, wanted.tag) : document.createElement(wanted.tag);
}

/** Makes the children of `parent` those that are wanted. */
export function patch(parent: Element, wanted: (Node_ | string)[]): void {
	wanted.forEach((want, i) => {
		let there = parent.childNodes[i];
		if (!fits(there, want)) {
			const made = make(want, shapes.has(parent.localName) && parent.namespaceURI === SVG);
			if (there === undefined) parent.append(made);
			else parent.replaceChild(made, there);
			there = made;
		}
		if (typeof want === "string") {
			if (there !== undefined && there.nodeValue !== want) there.nodeValue = want;
			return;
		}
		const element = there as Element, before = given.get(element) ?? {};
		for (const name of Object.keys(before)) if (!(name in want.attributes)) set(element, name, undefined, before[name]);
		for (const name of Object.keys(want.attributes)) set(element, name, want.attributes[name], before[name]);
		given.set(element, want.attributes);
		patch(element, want.children);
	});
	while (parent.childNodes.length > wanted.length) parent.lastChild?.remove();
}

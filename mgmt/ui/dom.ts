// SPDX-License-Identifier: Apache-2.0
// A page as a value: h() says what should be there; patch() makes it so and leaves alone what is
// there already. An element that has the focus, is selected or is read aloud stays the same through
// updates. Text becomes text nodes only: no string of the box is ever parsed as HTML.

type Handler = (event: Event) => void;
type Attributes = Record<string, string | number | boolean | Handler | undefined>;
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

const keyed = (n: ChildNode | undefined): n is Element => n instanceof Element && n.hasAttribute("data-key");

/**
 * The node at the place of the i-th wanted one, made if needed. A node with a key is never made
 * anew, and never moved (it would lose the focus) while it is wanted: new nodes are put before it,
 * and unwanted ones before it are removed.
 */
function placed(parent: Element, wanted: (Node_ | string)[], i: number): ChildNode {
	const want = wanted[i] as Node_ | string;
	let there = parent.childNodes[i];
	const wantedLater = (n: ChildNode): boolean => wanted.slice(i + 1).some((w) => fits(n, w)), comesLater = (): boolean => [...parent.childNodes].slice(i + 1).some((n) => fits(n, want));
	if (fits(there, want)) return there as ChildNode;
	if (typeof want !== "string" && want.attributes["data-key"] !== undefined)
		while (there !== undefined && !fits(there, want) && !(keyed(there) && wantedLater(there)) && comesLater()) {
			there.remove();
			there = parent.childNodes[i];
		}
	if (fits(there, want)) return there as ChildNode;
	const made = make(want, shapes.has(parent.localName) && parent.namespaceURI === SVG);
	if (there === undefined) parent.append(made);
	else if (keyed(there) && wantedLater(there)) parent.insertBefore(made, there);
	else parent.replaceChild(made, there);
	return made;
}

/** Makes the children of `parent` equal to `wanted`. */
export function patch(parent: Element, wanted: (Node_ | string)[]): void {
	wanted.forEach((want, i) => {
		const there = placed(parent, wanted, i);
		if (typeof want === "string") {
			if (there.nodeValue !== want) there.nodeValue = want;
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

const actions = new Map<string, () => void>();

/** The same function for the same key at each drawing, so that a button stays the same element. */
export function steady(key: string, act: () => void): () => void {
	const one = actions.get(key) ?? act;
	actions.set(key, one);
	return one;
}

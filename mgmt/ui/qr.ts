// SPDX-License-Identifier: Apache-2.0
// A QR code from the box: rows of '0' (light) and '1' (dark). Dark on light in every theme and on
// paper, with a border of four modules, because readers need that.
import { h, type Node_ } from "./dom";

const BORDER = 4;

/** Each run of dark modules in a row is one rectangle of the path. */
export function qr(rows: string[], label: string): Node_ {
	const side = rows.length + 2 * BORDER;
	const dark = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => "M" + String((run.index ?? 0) + BORDER) + " " + String(y + BORDER) + "h" + String((run[0] ?? "").length) + "v1h-" + String((run[0] ?? "").length) + "z"));
	return h("svg", { class: "qr", viewBox: "0 0 " + side + " " + side, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
		h("rect", { width: side, height: side, fill: "#fff" }), h("path", { d: dark.join(""), fill: "#000" }));
}

# SPDX-License-Identifier: Apache-2.0
"""Requirements for every page in every state: one language, readable, reachable, inside its
window."""
import contextlib
import os
import re

from cases import expect

CJK = re.compile(r"[぀-ヿ㐀-鿿]")
# A development dependency of the tests alone: npm ci --prefix tests. Without it only the checks
# below are made, and the case `accessible` of tests/netns/pages says so.
AXE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "node_modules", "axe-core", "axe.min.js")
# Violations of the page's content security policy are collected from the first moment on.
WATCH = """window.violations = []; document.addEventListener("securitypolicyviolation", e => window.violations.push(e.violatedDirective + " " + e.blockedURI));"""

# The rules of axe that matter here, checked in the page itself: names, headings, roles, contrast,
# duplicate ids, size of touch targets.
CHECKS = r"""
const bad = [], seen = new Set();
const name = e => (e.getAttribute("aria-label") || e.textContent || "").trim();
for (const e of document.querySelectorAll("[id]")) { if (seen.has(e.id)) bad.push("id twice: " + e.id); seen.add(e.id); }
for (const e of document.querySelectorAll("a, button")) {
	if (name(e) === "") bad.push("no name: " + e.outerHTML);
	const r = e.getBoundingClientRect();
	if (!e.classList.contains("skip") && (r.height < 48 || r.width < 48)) bad.push("too small to touch: " + e.outerHTML + " " + r.width + "x" + r.height);
}
for (const e of document.querySelectorAll("input, select")) if (!document.querySelector("label[for=" + e.id + "]")) bad.push("no label: " + e.outerHTML);
for (const a of ["aria-labelledby", "aria-describedby"])
	for (const e of document.querySelectorAll("[" + a + "]")) if (!document.getElementById(e.getAttribute(a))) bad.push(a + " leads nowhere: " + e.id);
const fields = [...document.querySelectorAll("input, select")].map(e => [e, e.getBoundingClientRect()]).filter(([, r]) => r.width > 0);
fields.forEach(([e, r], i) => fields.slice(i + 1).forEach(([f, s]) => {
	if (Math.min(r.right, s.right) - Math.max(r.left, s.left) > 1 && Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top) > 1) bad.push("one over the other: " + e.id + ", " + f.id);
}));
let level = 0;
for (const e of document.querySelectorAll("h1, h2, h3")) {
	const n = Number(e.tagName[1]);
	if (n > level + 1) bad.push("heading left out before " + e.textContent);
	if (name(e) === "") bad.push("empty heading");
	level = n;
}
if (document.querySelectorAll("h1").length !== 1 || document.querySelectorAll("main").length !== 1) bad.push("not one h1 and one main");
for (const e of document.querySelectorAll("table")) if (e.querySelectorAll("th[scope=col]").length === 0) bad.push("table without heads");
for (const e of document.querySelectorAll("tbody tr")) if (e.children.length !== e.closest("table").querySelectorAll("thead th").length) bad.push("row of another length");
for (const e of document.querySelectorAll("dt")) if (name(e) === "" || name(e.nextElementSibling) === "") bad.push("figure without name or value: " + e.textContent);
const rgb = c => { const m = c.match(/[\d.]+/g).map(Number); return { c: m.slice(0, 3), a: m.length > 3 ? m[3] : 1 }; };
const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let t; (t = walker.nextNode());) {
	if (t.nodeValue.trim() === "") continue;
	const e = t.parentElement, style = getComputedStyle(e);
	let back = e;
	while (back && rgb(getComputedStyle(back).backgroundColor).a < 1) back = back.parentElement;
	const a = light(rgb(style.color).c), b = light(back ? rgb(getComputedStyle(back).backgroundColor).c : [255, 255, 255]);
	const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
	if (ratio < 4.5) bad.push("contrast " + ratio.toFixed(2) + ": " + t.nodeValue);
	if (/undefined|NaN|\[object|null|\{\d\}/.test(t.nodeValue)) bad.push("no text for people: " + t.nodeValue);
}
// Without the bar at the side, which would hide as much.
const sheet = document.documentElement;
if (sheet.scrollWidth > sheet.clientWidth) bad.push("wider than the window: " + sheet.scrollWidth + " > " + sheet.clientWidth);
for (const e of document.querySelectorAll(".card, .headline, .tiles li"))
	if (e.scrollWidth > e.clientWidth + 1) bad.push("sticks out of " + (e.id || e.className) + ": " + e.scrollWidth + " > " + e.clientWidth);
return bad;
"""


def own_words(b):
    """The page's own texts, without names from the box (labels, devices, faults), which are
    data."""
    return b.run("""return [...document.querySelectorAll("h2, h3, dt, th[scope=col], .chip, nav a, button, .note, .empty, .all-well, .since, .as-of")]
        .filter(e => e.closest(".languages, .named") === null).map(e => e.innerText)""")


def axe(b):
    """The findings of axe-core on the present page, with all its rules."""
    if not b.run("return window.axe !== undefined"):
        with open(AXE, encoding="utf-8") as f:
            b.run(f.read())
    return b.run("""return axe.run(document, { resultTypes: ["violations"] })
        .then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160) + " (" + n.failureSummary + ")").slice(0, 3).join(" | ")))""")


SCHEMES = ("light", "dark")


def colours(b, scheme):
    b.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


@contextlib.contextmanager
def other_colours(b):
    """Switches between dark and light."""
    now = b.run("return matchMedia('(prefers-color-scheme: dark)').matches")
    colours(b, SCHEMES[not now])
    try:
        yield
    finally:
        colours(b, SCHEMES[now])


def in_both_colours(b, name):
    """The page's own checks in the present colours, and then in the other ones."""
    found = b.run(CHECKS)
    expect(found == [], "%s: %s", name, "; ".join(found[:6]))
    with other_colours(b):
        found = b.run(CHECKS)
    expect(found == [], "%s in the other colours: %s", name, "; ".join(found[:6]))


def looks_right(b, name, lang, rules=True):
    """`rules`: also with axe's rules, which take ten times as long."""
    if rules and os.path.exists(AXE):
        found = axe(b)
        expect(found == [], "%s: axe: %s", name, "; ".join(found[:4]))
    in_both_colours(b, name)
    expect(b.run("return window.violations") == [], "%s: policy broken: %s", name, b.run("return window.violations"))
    for text in own_words(b):
        if lang == "en":
            expect(not CJK.search(text), "%s: Japanese in English: %s", name, text)
        else:
            expect(CJK.search(text) or not re.search(r"[a-z]{3,} [a-z]{2,}", text), "%s: English in Japanese: %s", name, text)


# The elements that a finger in a glove must be able to hit besides links and buttons.
TOUCH = r"""
const bad = [];
if (!matchMedia("(pointer: coarse)").matches) bad.push("no fingers");
for (const e of document.querySelectorAll("a, button, input, select, textarea, summary, [role=button], [role=link], .over [tabindex]")) {
	const mine = e.type === "checkbox" || e.type === "radio" ? e.labels[0] ?? e : e, r = mine.getBoundingClientRect();
	if (e.classList.contains("skip") || r.width + r.height === 0) continue;
	if (r.height < 44 || r.width < 44) bad.push("too small for a finger: " + e.outerHTML.slice(0, 120) + " " + r.width + "x" + r.height);
	if (r.left < 0 || r.right > innerWidth && e.closest(".scroll, .map, .over, .picture") === null) bad.push("beside the window: " + e.outerHTML.slice(0, 120));
}
return bad;
"""


WIDTHS = ((1280, 900), (1024, 768), (390, 844))


def every_look(b, name, path):
    """The present page in both languages, at three widths, in light and dark; with axe's rules once
    for each colour (everywhere with SEKISHO_ALL, and then with pictures)."""
    everything, looked = bool(os.environ.get("SEKISHO_ALL")), 0
    try:
        for lang in ("ja", "en"):
            b.click("button[lang=%s]" % lang)
            for number, (width, height) in enumerate(WIDTHS):
                b.size(width, height)
                b.wait("return innerWidth === %d" % width, "the window")
                for scheme in SCHEMES:
                    colours(b, scheme)
                    if scheme == "light" or everything:
                        looks_right(b, "%s %s at %d" % (name, lang, width), lang, rules=everything)
                    elif number == 2 and lang == "ja":
                        expect(not os.path.exists(AXE) or axe(b) == [], "%s in the dark: %s", name, axe(b) if os.path.exists(AXE) else "")
                    if everything:
                        b.picture("%s-%d-%s.%s.png" % (path, width, scheme, lang))
                    looked += 1
    finally:
        colours(b, "light")
        b.size(*WIDTHS[0])
    return "%d looks" % looked


def tablet(b, name, lang, path):
    """Checks the page on a tablet in both orientations, operated by touch. `path`: beginning of the
    pictures' names."""
    try:
        b.devtools("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=5)
        for width, height in ((1024, 768), (768, 1024)):
            b.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)
            b.wait("return innerHeight > 0 && matchMedia('(pointer: coarse)').matches && (screen.width === %d || innerWidth === %d)" % (width, width), "the tablet")
            looks_right(b, "%s at %d" % (name, width), lang)
            found = b.run(TOUCH)
            expect(found == [], "%s at %d: %s", name, width, "; ".join(found[:6]))
            expect(b.run("return innerWidth") == width, "%s: the page is %s wide on %d", name, b.run("return innerWidth"), width)
            b.picture("%s-%d.%s.png" % (path, width, lang))
    finally:
        b.devtools("Emulation.setTouchEmulationEnabled", enabled=False)
        b.size(1280, 900)

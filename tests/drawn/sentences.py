# SPDX-License-Identifier: Apache-2.0
"""Holds the sentences of `diff` against the reference, point by point. A point is a packet, a
moment and a set of open doors. What the sentences that apply at a point claim has to be what
differs there by meaning.py: nothing less, nothing more. The conduit of a sentence has to be open
there, and to name the packet. This file reads what people read (places, hours, doors), and shares
nothing with the program."""
import collections
import ipaddress
import itertools
import os
import re

import meaning

MOMENTS = int(os.environ.get("MOMENTS", 24))  # for the same conduits
NUMBER = {("tcp", 4): 6, ("tcp", 6): 6, ("udp", 4): 17, ("udp", 6): 17, ("icmp", 4): 1, ("icmp", 6): 58}


def seconds(text):
    return meaning.moment(text[:19] + "Z")


def icmp(text):
    kind, _, code = text.partition("/")
    return int(kind) << 8 | int(code or 0)


def ports(protocol, text):
    lo, _, hi = text.partition("-")
    one = icmp if protocol == "icmp" else int
    return one(lo), one(hi or lo)


def window(text):
    """"mon,fri 08:00-22:00 Asia/Tokyo, first 2026-12-04, last 2027-03-26, except 2027-01-01": all
    that a sentence says about a window. Drawn windows have so few excepted days that all are
    named."""
    m = re.fullmatch(r"(?:([a-z,]+) )?(\d\d:\d\d-\d\d:\d\d) (.+?)(?:, first ([\d-]+))?(?:, last ([\d-]+))?(?:, except ([\d -]+))?", text)
    w = {"hours": m[2], **({"days": m[1].split(",")} if m[1] else {}), **({"first": m[4]} if m[4] else {}), **({"last": m[5]} if m[5] else {}),
         **({"except": m[6].split()} if m[6] else {})}
    return meaning.Window(w, m[3])


class Sentence:
    def __init__(self, s, windows):
        self.said = s
        self.since, self.until = (seconds(s[k]) if s[k] else other for k, other in (("since", 0), ("until", meaning.FOREVER)))
        self.places = []
        for p in s["places"]:
            a, b = meaning.span(p["source"]), meaning.span(p["destination"])
            self.places.append((a[0], NUMBER[p["protocol"], a[0]], a[1:], b[1:], ports(p["protocol"], p["ports"])))
        self.doors = [(t["door"], t["open"]) for t in s["when"] if t["door"] is not None]
        self.windows = [(windows.setdefault(t["hours"], window(t["hours"])), t["open"]) for t in s["when"] if t["door"] is None]
        self.claims, self.more = self.read(s["kind"], s["comes"], s["what"])

    @staticmethod
    def read(kind, comes, what):
        """({(kind, comes, protocol, word)}, how many others are only counted)"""
        if kind == "limits":
            return {(kind, comes, "", what)}, 0
        group, words = "", what
        if kind == "commands" and what:
            group, _, words = what.partition(" ")
        if kind == "treated":
            words = words.replace("lenient, undecided_bytes", "lenient")
        words = words.split(", ")
        more = int(words.pop()[1:]) if words[-1].startswith("+") else 0
        return {(kind, comes, group, w) for w in words}, more

    def there(self, packet):
        family, proto, src, dst, port = packet
        return any(f == family and q == proto and a[0] <= src <= a[1] and b[0] <= dst <= b[1] and p[0] <= port <= p[1] for f, q, a, b, p in self.places)

    def then(self, t, doors):
        return (self.since <= t < self.until and all((name in doors) == opened for name, opened in self.doors)
                and all((w.until(t) is not None) == opened for w, opened in self.windows))


def missing(a, b, rules):
    """[(protocol, word)] of what the grants `a` allow and `b` do not."""
    out = set()
    for protocol, lists in a.items():
        if protocol not in b or (None in lists and None not in b[protocol]):
            out.add((protocol, ""))
        elif None not in b[protocol]:
            codes = rules.lacking(sum(lists, []), sum(b[protocol], []))
            out |= {(protocol, meaning.FUNCTION[c][1]) for c in codes if c in meaning.FUNCTION}
            out |= {(protocol, str(min(c for c in codes if c not in meaning.FUNCTION)))} if any(c not in meaning.FUNCTION for c in codes) else set()
    return out


def differences(ms, found, t, doors, rules):
    """What differs for a packet that these conduits name: ({claims that have to be made}, {claims
    that may be made besides})."""
    found = [[(c, s) for c, s in f if not c["shadow"] and m.until(c, t, doors)] for m, f in zip(ms, found, strict=True)]
    judged = [m.judge(f, t, doors) for m, f in zip(ms, found, strict=True)]
    if None in judged:
        comes = judged[0] is None
        by = judged[comes]
        return set() if by is None else {("packets", comes, "", s) for c, s in by["grants"] if by["observe"] or c not in {x["name"] for x, _ in found[comes] if x["observe"]}}, set()
    a, b = judged
    everything = [j["observe"] or j["depth"] == "transport" for j in judged]
    transport = [j["depth"] == "transport" for j in judged]
    found = [[(c, s) for c, s in f if j["observe"] or not c["observe"]] for f, j in zip(found, judged, strict=True)]
    grants = [rules.by_protocol(f) for f in found]
    out = set()
    if everything[0] != everything[1]:
        out.add(("commands", everything[1], "", ""))
    elif not everything[0]:
        out |= {("commands", True, p, w) for p, w in missing(grants[1], grants[0], rules)} | {("commands", False, p, w) for p, w in missing(grants[0], grants[1], rules)}
    treated = {"mode": a["observe"] != b["observe"], "protocol": transport[0] != transport[1] or (not any(transport) and a["observe"] and b["observe"] and grants[0].keys() != grants[1].keys())}
    for key in ("when_midstream", "on_tighten", "weak_tls"):
        treated[key] = a[key] != b[key]
    treated["names"] = a["declared"] != b["declared"]
    for key in ("when_down", "when_overloaded", "criticality"):
        treated[key] = not any(transport) and a[key] != b[key]
    may = set()
    if not any(transport):
        manners = [rules.by_protocol(f, True) for f in found]
        alike = manners[0].keys() == manners[1].keys() if everything[0] and everything[1] else rules.same_grants(*manners)
        # if commands differ, it depends on the form of the rows whether this is said as well
        treated["lenient"] = not alike and not any(c[0] == "commands" for c in out) and not treated["protocol"]
        may = set() if alike else {("treated", True, "", "lenient")}
    return out | {("treated", True, "", k) for k, v in treated.items() if v}, may


def text_of(packet):
    family, proto, src, dst, port = packet
    address = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    return "%s -> %s, %d/%d" % (address(src), address(dst), proto, port)


class Judge:
    """The sentences about a pair of policies. `rules`: what mutants knows of rows."""

    def __init__(self, ms, answer, now, rules, d, seen):
        windows = {}
        self.ms, self.now, self.rules, self.d, self.seen = ms, now, rules, d, seen
        self.sentences = [Sentence(s, windows) for s in answer["meaning"]]
        self.ways = sorted({(i, o) for m in ms for c in m.conduits for i in c["in"] for o in c["out"]})
        self.known = {}

    def moments(self, found):
        """One moment for each set that is open together, and some others: (moment, open doors)."""
        conduits = {id(c): c for f in found for c, _ in f}
        key = frozenset(conduits)
        if key in self.known:
            return self.known[key]
        doors = sorted({c["door"] for c in conduits.values() if c["door"]})
        edges = [t for t in {x for c in conduits.values() for t in (c["starts"], c["end"]) for x in (t - 1, t)} | set(self.ms[0].edges_of(list(conduits.values()), self.now))
                 if self.now <= t < meaning.LAST]
        self.d.shuffle(edges)
        combinations, kept = set(), []
        for t in [self.now, *edges]:
            for n in range(1 << len(doors)):
                opened = {x: meaning.FOREVER for i, x in enumerate(doors) if n >> i & 1}
                holds = frozenset(id(c) for m, f in zip(self.ms, found, strict=True) for c, _ in f if m.until(c, t, opened))
                if holds not in combinations or len(kept) < MOMENTS:
                    combinations.add(holds)
                    kept.append((t, opened))
        self.known[key] = kept
        return kept

    def wrong(self, packet):
        """A point of this packet at which the sentences are not right, or None."""
        family, proto, src, dst, port = packet
        found = [[m.matches((i, o, family, src, dst, proto, port)) for i, o in self.ways] for m in self.ms]
        these = [s for s in self.sentences if s.there(packet)]
        signature = tuple(tuple(tuple((id(c), *(x["name"] for x in s)) for c, s in f) for f in m) for m in found), tuple(map(id, these))
        if signature in self.known:
            self.seen["points"] += self.known[signature]
            return None
        flat = [[x for f in m for x in f] for m in found]
        n = 0
        for t, doors in self.moments(flat):
            n += 1
            wanted, may = set(), set()
            for k in range(len(self.ways)):
                if found[0][k] or found[1][k]:
                    must, besides = differences(self.ms, [found[0][k], found[1][k]], t, doors, self.rules)
                    wanted |= must
                    may |= besides
            here = [s for s in these if s.then(t, doors)]
            claims, more = set().union(*(s.claims for s in here)), sum(s.more for s in here)
            where = "%s at %d, doors %s" % (text_of(packet), t, sorted(doors))
            if claims - wanted - may or len(wanted - claims) > more:
                return "%s: differs %s, said %s" % (where, sorted(wanted), sorted(claims))
            for s in here:
                m = self.ms[s.said["of"] == "after"]
                c = m.by_name.get(s.said["conduit"])
                services = {x["name"] for f in flat for y, own in f if y is c for x in own}
                if c is None or not m.until(c, t, doors) or not services or (s.said["kind"] == "packets" and not s.more and not {w for *_, w in s.claims} <= services):
                    return "%s: conduit %s of \"%s\" has no part in it" % (where, s.said["conduit"], s.said["text"]["en"])
        self.seen["points"] += n
        self.known[signature] = n
        return None

    def packets(self, most):
        """Packets at the edges of everything that a sentence or a conduit names."""
        edges = collections.defaultdict(lambda: (set(), set(), set()))
        for m in self.ms:
            for boxes in m.boxes.values():
                for _, _, a, b, proto, lo, hi in boxes:
                    for at, r in zip(edges[a[0], proto], (a[1:], b[1:], (lo, hi)), strict=True):
                        at |= {r[0], r[1] + 1}
        for s in self.sentences:
            for family, proto, *dims in s.places:
                for at, (lo, hi) in zip(edges[family, proto], dims, strict=True):
                    at |= {max(lo - 1, 0), lo, hi, hi + 1}
        for (family, proto), dims in sorted(edges.items()):
            dims = [sorted(x for x in at if x < 1 << size) for at, size in zip(dims, (32 if family == 4 else 128, 32 if family == 4 else 128, 16), strict=True)]
            if len(dims[0]) * len(dims[1]) * len(dims[2]) <= most:
                yield from ((family, proto, *x) for x in itertools.product(*dims))
            else:
                yield from ((family, proto, *(self.d.choice(x) for x in dims)) for _ in range(most))

    def first_wrong(self, most):
        return next(filter(None, map(self.wrong, self.packets(most))), None)

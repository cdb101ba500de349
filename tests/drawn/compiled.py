# SPDX-License-Identifier: Apache-2.0
"""What the program made of a policy, tested packet by packet: the JSON of `compile` (docs/json.md),
and the maps of its nft text in the order in which the kernel looks them up. Reads only this
output."""
import datetime
import functools
import json
import os
import re
import subprocess

import meaning

PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58}
ELEMENT = re.compile(r'(?:# (?:until (\S+)|by hours): )?"(\w+)" \. "(\w+)" \. (\S+) \. (\S+) \. (\S+) \. (\S+) : 0x([0-9a-f]+)')

PERMIT = 0x3fffff  # the bits of a mark that hold the permit; the others: verdict and lane
LIVE = re.compile(r'(?:# (?:until (\S+)|by hours): )?"(\w+)" \. (original|reply) \. 0x([0-9a-f]+) : ')
ORDER = {f: ["until%d_%d" % (f, n) for n in range(8, 1, -1)] + ["%s%d" % (x, f) for x in ("until", "exact", "range")] for f in (4, 6)}


@functools.lru_cache
def seconds(text):
    return meaning.FOREVER if text is None else int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def ports(text, icmp):
    """For ICMP, "8" is type 8 with code 0, and "0/0-255/255" are types and codes."""
    ends = text.split("-")
    if icmp:
        ends = [int(a) * 256 + int(b or 0) for a, _, b in (e.partition("/") for e in ends)]
    return int(ends[0]), int(ends[-1])


def words(path, *args):
    return subprocess.run([*args, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)


def broken(done, most):
    """The message of a run that did not end as it should, or ""."""
    good = 0 <= done.returncode <= most and b"Sanitizer" not in done.stderr
    return "" if good else "status %d, %s" % (done.returncode, done.stderr.decode()[-2000:])


def bare(made):
    """What a compiled policy means, without the names of files and the line numbers."""
    def without(o):
        if isinstance(o, dict):
            return {k: without(v) for k, v in o.items() if k not in ("file", "line", "sources", "digest", "tables_digest")}
        return [without(x) for x in o] if isinstance(o, list) else o
    return without(json.loads(made))


def written_out(program, path, made):
    """Compares the policy with its text in which everything is written out. "": both mean the
    same."""
    text = words(path, program, "compile", "--to", "text")
    again = os.path.join(os.path.dirname(path), "written.cfg")
    with open(again, "wb") as f:
        f.write(text.stdout)
    other = words(again, program, "compile", "--to", "json")
    if broken(text, 0) or broken(other, 0):
        return "it is refused: %s" % (text.stderr + other.stderr).decode()[-2000:]
    if words(again, program, "compile", "--to", "text").stdout != text.stdout:
        return "something is left to write out"
    return "" if bare(made.stdout) == bare(other.stdout) else "it means something else"


def without_row(answer):
    """The answer of `ask` without the row of the conduit that comes nearest, if one was found, and
    without the service that the row is of."""
    j = json.loads(answer or b"{}")
    if j.get("nearest"):
        j["nearest"].pop("row")
        j["nearest"].pop("service", None)
        j["said"] = [{k: re.sub(r":\d+", "", x) for k, x in one.items()} for one in j["said"]]
    return j


class Compiled:
    """The result of `program` for a policy's texts. `errors` are the codes of its errors; without
    errors there are cells."""

    def __init__(self, program, folder, site, site_unstated, box, table=None):
        path, unstated = os.path.join(folder, "site.cfg"), os.path.join(folder, "unstated.cfg")
        for name, text in ((path, site), (unstated, site_unstated), (os.path.join(folder, "box.cfg"), box)):
            if text is None:
                if os.path.exists(name):
                    os.unlink(name)
            else:
                with open(name, "w", encoding="utf-8") as f:
                    f.write(text)
        if table is not None:
            with open(os.path.join(folder, "rtg.csv"), "wb") as f:
                f.write(table)
        self.program, self.path, self.sealed = program, unstated, None
        # the conduit of each line
        self.line_of = {i + 1: line.split('"')[1] for i, line in enumerate(site.splitlines()) if line.startswith("  { name")}
        proved = words(path, program, "prove", "--json")
        self.status = proved.returncode
        self.crashed = broken(proved, 2)
        said = json.loads(proved.stdout) if not self.crashed else {"diagnostics": []}
        self.diagnostics = said["diagnostics"]
        self.nevers, self.always = said.get("nevers", []), said.get("always", [])
        self.errors = {d["code"] for d in self.diagnostics if d["severity"] == "error"}
        self.written = ""
        self.cells, self.permits, self.maps, self.agreed = {}, {}, {}, set()
        if self.status in (0, 1):
            made = words(unstated, program, "compile", "--to", "json")
            listed = words(unstated, program, "compile", "--to", "nft")
            self.crashed = broken(made, 0) or broken(listed, 0)
            self.written = self.crashed or written_out(program, unstated, made)
            if not self.crashed:
                self.read_json(json.loads(made.stdout))
                self.read_nft(listed.stdout.decode())

    def ask(self, args):
        """Exit status and answer of one of the verbs that answer questions, for the text; checks
        that the policy as a box stores it gives the same."""
        if self.sealed is None:
            self.sealed = os.path.join(os.path.dirname(self.path), "sealed")
            made = words(self.path, self.program, "compile", "--to", "sealed", "-o", self.sealed)
            assert not broken(made, 0), broken(made, 0)
        done = words(self.path, self.program, *args, "--json", "--policy")
        assert not broken(done, 2), broken(done, 2)
        kept = words(self.sealed, self.program, *args, "--json", "--policy")
        same = (kept.returncode, kept.stdout) == (done.returncode, done.stdout)
        # The sealed form has no rows of a conduit that is never in force (docs/known.md).
        same = same or (kept.returncode, without_row(kept.stdout)) == (done.returncode, without_row(done.stdout))
        assert same, "%s of the text: %s; of its sealed form: %s" % (args, done.stdout, kept.stdout + kept.stderr)
        return done.returncode, json.loads(done.stdout) if done.returncode < 2 else {}

    def read_json(self, j):
        self.permits = {p["permit"]: p for p in j["permits"]}
        self.times = self.read_times(j)
        # nft uses the names of devices
        self.roles = {i["device"]: i["name"] for i in j["interfaces"]}
        self.all = []
        for c in j["cells"]:
            src, proto = meaning.span(c["source"]), PROTOCOLS[c["protocol"]]
            lo, hi = ports(c["ports"], proto in (1, 58))
            cell = {"src": src[1:], "dst": meaning.span(c["destination"])[1:], "lo": lo, "hi": hi, "permit": c["permit"], "until": seconds(c["until"]), "line": c["line"],
                    "key": (c["in"], c["out"], src[0], proto)}
            cell["exact"] = all(cell[k][0] == cell[k][1] for k in ("src", "dst")) and lo == hi
            self.cells.setdefault(cell["key"], []).append(cell)
            self.all.append(cell)

    @staticmethod
    def read_times(j):
        """{permit: its conduits with their openings and ends}, of permits that open by hours or
        doors."""
        windows = {w["name"]: meaning.Window({k: v for k, v in w.items() if v}, j["site"].get("time_zone")) for w in j.get("windows", [])}
        conduits = {c["name"]: {"starts": seconds(c["starts"]) if c["starts"] else 0, "end": seconds(c["until"]), "within": windows.get(c["within"]), "door": c["door"]}
                    for c in j["conduits"]}
        of = {p["permit"]: [conduits[g["conduit"]] for g in p["grants"]] for p in j["permits"]}
        return {n: list({id(c): c for c in found}.values()) for n, found in of.items() if any(c["starts"] or c["within"] or c["door"] for c in found)}

    def end(self, permit, until, now, doors):
        """The end of a permit whose element has this end; None: it is not in force now."""
        if permit in self.times:
            ends = [meaning.Meaning.until(c, now, doors) for c in self.times[permit]]
            return min(ends) if all(ends) else None
        return until if now < until else None

    def read_nft(self, text):
        name, self.live = None, set()
        for line in text.splitlines():
            if line.startswith("\tmap "):
                name = line.split()[1]
                self.maps[name] = {}
            elif name == "live" and '"' in line:
                until, device, way, mark = LIVE.search(line).groups()
                self.live.add((self.roles[device], way, int(mark, 16) & PERMIT, seconds(until)))
            elif name and '" . "' in line:
                until, iif, oif, src, dst, proto, port, mark = ELEMENT.search(line).groups()
                key = (self.roles[iif], self.roles[oif], PROTOCOLS[proto])
                self.maps[name].setdefault(key, []).append((meaning.span(src)[1:], meaning.span(dst)[1:], ports(port, False), int(mark, 16) & PERMIT, seconds(until)))

    def lives(self):
        """Where packets of a live session pass without another lookup: (interface, direction,
        permit, until), by the cells of its beginning."""
        return {(c["key"][side], way, c["permit"], c["until"]) for c in self.all for side, way in ((0, "original"), (1, "reply"))}

    def holding(self, packet):
        """The cells that contain a packet, whatever their ends are, and the entries of the kernel's
        maps for it in the order of the lookups: those with more ends first, then single keys, then
        ranges."""
        iif, oif, family, src, dst, proto, port = packet
        cells = [c for c in self.cells.get((iif, oif, family, proto), ())
                 if c["lo"] <= port <= c["hi"] and c["src"][0] <= src <= c["src"][1] and c["dst"][0] <= dst <= c["dst"][1]]
        elements = [(name, e[3], e[4]) for name in ORDER[family] for e in self.maps.get(name, {}).get((iif, oif, proto), ())
                    if e[2][0] <= port <= e[2][1] and e[0][0] <= src <= e[0][1] and e[1][0] <= dst <= e[1][1]]
        return sorted(cells, key=lambda c: (c["until"], not c["exact"])), elements

    def judge(self, holding, now, doors):
        """The verdict in the words of meaning.Meaning.judge. Of the cells that contain the packet,
        the one that ends first decides, or that of more conduits: below it is what remains without
        some of them."""
        def order(c):
            conduits = len({g["conduit"] for g in self.permits[c["permit"]]["grants"]})
            return -conduits if self.times else 0, c["until"], not c["exact"]

        cells, elements = holding
        cells = sorted(({**c, "until": self.end(c["permit"], c["until"], now, doors)} for c in cells if self.end(c["permit"], c["until"], now, doors)), key=order)
        assert len(cells) < 2 or order(cells[0]) < order(cells[1]), "two cells of one end hold a packet"
        elements = [x for x in elements if self.end(*x[1:], now, doors)]
        assert len({name for name, _, _ in elements}) == len(elements), "one map has two elements for a packet"
        found = next((permit for _, permit, _ in elements), None)
        c = cells[0] if cells else None
        assert (c and c["permit"]) == found, "the cells give permit %s, the maps %s" % (c and c["permit"], found)
        if c is None:
            return None
        p = self.permits[c["permit"]]
        tls = [g for g in p["grants"] if g["protocol"] == "tls" and not g["shadow"]]
        depth, criticality, down, overloaded = p["lane"].split("/") if p["lane"] else ("transport", None, None, None)
        return {"conduits": list(dict.fromkeys(g["conduit"] for g in p["grants"])), "observe": p["mode"] == "observe", "depth": "named" if depth == "naming" else depth,
                "until": c["until"], "when_down": down, "when_overloaded": overloaded, "criticality": criticality, "when_midstream": p["midstream"], "on_tighten": p["on_tighten"],
                "weak_tls": p["weak_tls"], "declared": None if not p["lane"] or not tls or any("names" not in g for g in tls) else sorted({n for g in tls for n in g["names"]}),
                "permit": c["permit"], "line": c["line"]}

    def warned(self):
        """{(code, line, the setting in the sentence or None)}"""
        about = re.compile(r" has (\w+) = ")
        return {(d["code"], d["line"], (about.search(d["message"]) or [None, "names" if "no names of servers" in d["message"] else None])[1]) for d in self.diagnostics if d["severity"] == "warning"}

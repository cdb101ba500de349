# SPDX-License-Identifier: Apache-2.0
"""What a policy means, written from docs/policy-language.md alone: which packets pass at which
moment, by which conduits, how deeply they are inspected, by which joint settings, and whether a
`never` holds. It asks every conduit in turn, shares nothing with the compiler, and leaves out what
only a running box can show. If it and the compiler differ, one of them or the reference is
wrong."""
import calendar
import datetime
import fnmatch
import functools
import ipaddress
import itertools
import os
import random
import time

TRANSPORTS = {"tcp": ["tcp"], "udp": ["udp"], "icmp": ["icmp"], "modbus": ["tcp", "udp"], "slmp": ["tcp", "udp"], "enip": ["tcp", "udp"], "s7comm": ["tcp"],
              "s7comm_plus": ["tcp"], "tls": ["tcp"], "ssh": ["tcp"], "http": ["tcp"], "postgresql": ["tcp"], "dns": ["tcp", "udp"], "syslog": ["tcp", "udp"],
              "ldap": ["tcp", "udp"], "kerberos": ["tcp", "udp"], "rdp": ["tcp"], "smb": ["tcp"], "ftp": ["tcp"], "telnet": ["tcp"], "mqtt": ["tcp"], "mysql": ["tcp"],
              "ntp": ["udp"], "snmp": ["udp"], "quic": ["udp"], "smtp": ["tcp"], "imap": ["tcp"], "pop3": ["tcp"], "rtsp": ["tcp"], "mssql": ["tcp"],
              "oracle": ["tcp"], "vnc": ["tcp"], "netbios": ["tcp"], "ndpi:dnp3": ["tcp", "udp"]}
BY_NDPI = {"ndpi:dnp3"}
# Values where conduits overlap, the strictest first ("A union"); the defaults are those of
# "Conduits".
STRICTEST_FIRST = {"when_down": ["closed", "hold", "open"], "when_overloaded": ["closed", "hold", "open"], "when_midstream": ["drop", "reset", "pick_up"],
                   "criticality": ["safety", "cargo", "support"], "on_tighten": ["all", "new_flows"], "weak_tls": ["deny", "report"]}
DEFAULT = {"when_down": "closed", "when_overloaded": "closed", "when_midstream": "reset", "criticality": "support", "on_tighten": "all"}
WORDS = ["read", "write", "control", "program", "diagnose"]
NEVER_REST = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/64", "fe80::/9", "ff00::/8"]
FOREVER = 1 << 62
# 2199 is the last year: no window opens on a later day. So nothing changes after this moment.
LAST_DAY = 7258118400 // 86400 - 1
LAST = 7258118400 + 3 * 86400
# Functions of Modbus: code, name, words, what they touch, and whether a word of `commands` includes
# them.
FUNCTIONS = [(1, "read_coils", "read", "coils", True), (2, "read_discrete_inputs", "read", "discrete", True), (3, "read_holding_registers", "read", "holding", True),
             (4, "read_input_registers", "read", "input", True), (5, "write_single_coil", "write", "coils", True), (6, "write_single_register", "write", "holding", True),
             (7, "read_exception_status", "diagnose", None, True), (8, "diagnostics", "control diagnose", None, False), (11, "get_comm_event_counter", "diagnose", None, True),
             (12, "get_comm_event_log", "diagnose", None, True), (15, "write_multiple_coils", "write", "coils", True), (16, "write_multiple_registers", "write", "holding", True),
             (17, "report_server_id", "diagnose", None, True), (20, "read_file_record", "read", "unknown", False), (21, "write_file_record", "write", "unknown", False),
             (22, "mask_write_register", "write", "holding", True), (23, "read_write_multiple_registers", "read write", "holding", True), (24, "read_fifo_queue", "read", "holding", False),
             (43, "encapsulated_interface_transport", "diagnose", None, False), (90, "umas", "read write control program", "unknown", False)]
FUNCTION = {f[0]: f for f in FUNCTIONS}
VALUES_UNKNOWN = {21, 22, 90}
SPACES = ("coils", "discrete", "input", "holding")


def depth(protocol):
    """transport: not inspected. commands: every PDU is judged. named: recognised by the first
    bytes, or by nDPI."""
    return "transport" if protocol in ("tcp", "udp", "icmp") else "commands" if protocol in ("modbus", "slmp", "enip", "s7comm") else "named"


# ---- addresses: (family, first, last) ------------------------------------------------------------

@functools.lru_cache(maxsize=100000)
def span(text):
    if "-" in text:
        a, b = (ipaddress.ip_address(x) for x in text.split("-"))
        return a.version, int(a), int(b)
    n = ipaddress.ip_network(text)
    return n.version, int(n[0]), int(n[-1])


def span_of_interface(text):
    """The network of an interface with this address."""
    return span(str(ipaddress.ip_interface(text).network))


def meet(a, b):
    return a[0] == b[0] and a[1] <= b[2] and b[1] <= a[2]


def both(a, b):
    return a[0], max(a[1], b[1]), min(a[2], b[2])


def minus(ranges, taken):
    left = []
    for family, lo, hi in ranges:
        for _, a, b in sorted(t for t in taken if meet(t, (family, lo, hi))):
            if a > lo:
                left.append((family, lo, a - 1))
            lo = max(lo, b + 1)
        if lo <= hi:
            left.append((family, lo, hi))
    return left


def less(piece, taken):
    """The parts of (source, destination, first port, last) outside of another one."""
    (a, b, lo, hi), (x, y, first, last) = piece, taken
    if not meet(a, x) or not meet(b, y) or first > hi or last < lo:
        return [piece]
    out = [(r, b, lo, hi) for r in minus([a], [x])]
    a = (a[0], max(a[1], x[1]), min(a[2], x[2]))
    out += [(a, r, lo, hi) for r in minus([b], [y])]
    b = (b[0], max(b[1], y[1]), min(b[2], y[2]))
    return out + [(a, b, m, n) for m, n in ((lo, first - 1), (last + 1, hi)) if m <= n and m >= lo and n <= hi]


def joined(ranges):
    out = []
    for family, lo, hi in sorted(ranges):
        if out and out[-1][0] == family and lo <= out[-1][2] + 1:
            out[-1] = (family, out[-1][1], max(hi, out[-1][2]))
        else:
            out.append((family, lo, hi))
    return out


# ---- what is said once for many ------------------------------------------------------------------

def written_out(p):
    """The policy expanded as in "Said once for many": without groups, fleets and `each`, with one
    conduit or statement for each pair of zones."""
    fleets = {f["name"]: f for f in p.get("fleets", [])}
    assets = list(p["assets"])
    for f in fleets.values():
        for name, *cells in f["rows"]:
            assets += [{"name": "%s.%s" % (name, m), "zone": f["zone"], "addresses": cell.replace(";", " ").split()} for m, cell in zip(f["members"], cells, strict=True) if cell]
    zone_of = {a["name"]: a["zone"] for a in assets}
    known = [z["name"] for z in p["zones"]] + list(zone_of) + [s["name"] for s in p["services"]]

    def leaves(word):
        """The names that a word stands for."""
        if word in p.get("groups", {}):
            return [x for w in p["groups"][word] for x in leaves(w)]
        return fnmatch.filter(known, word) if "*" in word else [word]

    def zones(end):
        """[(zone, whether its name becomes a part of the conduit's name)]"""
        listed = isinstance(end, list) or end in p.get("groups", {})
        return [(z, listed) for z in dict.fromkeys(x for w in (end if isinstance(end, list) else [end]) for x in leaves(w))]

    def hosts(words, machine, zone, several):
        out = []
        for word in words:
            names = [machine + word] if word.startswith(".") else leaves(word)
            out += [n for n in names if (n in zone_of or not word.startswith(".")) and (not several or zone_of[n] == zone)]
        return list(dict.fromkeys(out))

    conduits = []
    for c in p["conduits"]:
        machines = [row[0] for row in fleets[c["each"]]["rows"]] if "each" in c else [None]
        for machine, (a, named_a), (b, named_b) in itertools.product(machines, zones(c["from"]), zones(c["to"])):
            name = "/".join([c["name"]] + [x for x, named in ((machine, machine), (a, named_a), (b, named_b)) if named])
            one = {**{k: v for k, v in c.items() if k != "each"}, "name": name, "from": a, "to": b, "services": list(dict.fromkeys(x for s in c["services"] for x in leaves(s)))}
            for key, zone, several in (("sources", a, named_a), ("destinations", b, named_b)):
                if key in c:
                    one[key] = hosts(c[key], machine, zone, several)
            if one.get("sources") != [] and one.get("destinations") != []:
                conduits.append(one)

    def ends(n, end):
        """An end of a statement, for each zone: the zone, and its assets that the end names."""
        if end in n:
            return [{end: z} for z, _ in zones(n[end])]
        named = list(dict.fromkeys(x for w in n[end + "_assets"] for x in leaves(w)))
        return [{end: z, end + "_assets": [x for x in named if zone_of[x] == z]} for z in dict.fromkeys(zone_of[x] for x in named)]

    never = [{**n, **({"answer_only": [x for s in n["answer_only"] for x in leaves(s)]} if "answer_only" in n else {}), **a, **b}
             for n in p["never"] for a, b in itertools.product(ends(n, "from"), ends(n, "to"))]
    always = [{**n, "services": list(dict.fromkeys(x for s in n["services"] for x in leaves(s))), **a, **b}
              for n in p.get("always", []) for a, b in itertools.product(ends(n, "from"), ends(n, "to"))]
    isolations = [{**i, "cut": [" ".join([w.split()[0], *names]) for w in i["cut"] for names in itertools.product(*map(leaves, w.split()[1:]))]} for i in p.get("isolations", [])]
    return {**p, "assets": assets, "conduits": conduits, "never": never, "always": always, "isolations": isolations, "members": {g: leaves(g) for g in p.get("groups", {})}}


def zone_space(p):
    """{zone: its ranges}, including those for which `rest` stands."""
    named = {z["name"]: [span(n) for n in z["networks"] if n != "rest"] for z in p["zones"]}
    claimed = [r for ranges in named.values() for r in ranges]
    taken = joined(claimed + [span(x) for x in NEVER_REST] + [span_of_interface(x) for x in p.get("admin", [])])
    rest = minus([span("0.0.0.0/0"), span("::/0")], taken)
    return {z["name"]: joined(named[z["name"]] + (rest if "rest" in z["networks"] else [])) for z in p["zones"]}


# ---- time ----------------------------------------------------------------------------------------

# Some of the built-in places, with their rules of 2026.
PLACES = {"Asia/Tokyo": "JST-9", "Asia/Kolkata": "IST-5:30", "Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3", "America/New_York": "EST5EDT,M3.2.0,M11.1.0",
          "Australia/Adelaide": "ACST-9:30ACDT,M10.1.0,M4.1.0/3"}
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY = 86400


@functools.lru_cache(maxsize=200000)
def shown(zone, t):
    """The local time there at this moment, in seconds since 1970 by its clocks, from the C
    library."""
    if os.environ.get("TZ") != PLACES.get(zone, zone):
        os.environ["TZ"] = PLACES.get(zone, zone)
        time.tzset()
    return calendar.timegm(time.localtime(t))


@functools.lru_cache(maxsize=200000)
def clock(zone, day, minute):
    """The first moment at which clocks there show this time or a later one. A time that does not
    exist means the moment of the change; of one that exists twice the first is meant."""
    local = day * DAY + minute * 60
    ahead = [shown(zone, local + k) - local - k for k in (-DAY, DAY)]
    early, late = local - max(ahead), local - min(ahead)
    if shown(zone, early) >= local:
        return early
    if shown(zone, late) == local:
        return late
    while early + 1 < late:  # clocks are put forward over it
        mid = (early + late) // 2
        early, late = (early, mid) if shown(zone, mid) >= local else (mid, late)
    return late


def day_of(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d")) // DAY


def moment(text, zone=None, end=True):
    """Seconds since 1970. A date alone is the end of that day (or its beginning) by the site's
    clocks, or in UTC. 24:00 is the end of a day."""
    if len(text) == 10:
        return clock(zone or "UTC0", day_of(text), 1440 if end else 0)
    seconds = day_of(text[:10]) * DAY
    hours, minutes, secs = (int(x) for x in text[11:19].split(":"))
    seconds += hours * 3600 + minutes * 60 + secs
    offset = text[19:]
    if offset != "Z":
        away = int(offset[1:3]) * 3600 + int(offset[4:6]) * 60
        seconds += -away if offset[0] == "+" else away
    return seconds


class Window:
    def __init__(self, w, zone):
        self.zone, self.days = zone, {WEEKDAYS.index(x) for x in w.get("days", WEEKDAYS)}
        (h, m), (to_h, to_m) = ((int(x) for x in t.split(":")) for t in w.get("hours", "00:00-24:00").split("-"))
        self.begins, self.ends = h * 60 + m, to_h * 60 + to_m
        self.ends += 1440 if self.ends <= self.begins else 0
        self.first, self.last = (day_of(w[k]) if k in w else None for k in ("first", "last"))
        self.excepted = {day_of(x) for x in w.get("except", ())}

    def on(self, day):
        """From when to when the window is open if it opens on that day, or None."""
        if (day + 3) % 7 not in self.days or day in self.excepted or day < (self.first or 0) or day > (self.last or LAST_DAY):
            return None
        a, b = clock(self.zone, day, self.begins), clock(self.zone, day, self.ends)
        return (a, b) if a < b else None

    def until(self, t):
        """Until when the window is open, if it is open at t. None: it is shut. At most a year is
        looked at."""
        end, least = t, t + 366 * DAY
        while end < least:
            day = shown(self.zone, end) // DAY
            more = max((x[1] for x in map(self.on, range(day - 2, day + 1)) if x and x[0] <= end < x[1]), default=None)
            if more is None:
                break
            end = more
        return end if end > t else None


# ---- services: (protocol, first, last) of the ports or ICMP types that packets hold --------------

def ports_of(s):
    """{family: [(protocol number, first, last)]}; for ICMP type * 256 + code."""
    out = {4: [], 6: []}
    for text in s.get("ports") or ["%s/" % t for t in TRANSPORTS[s["protocol"]]]:
        transport, numbers = text.split("/")
        lo, _, hi = numbers.partition("-")
        if transport != "icmp":
            lo, hi = (int(lo), int(hi or lo)) if numbers else (1, 65535)
            for family in (4, 6):
                out[family].append((6 if transport == "tcp" else 17, lo, hi))
        elif not numbers:  # every type and code of IPv4; of IPv6 the echo request and its reply
            out[4].append((1, 0, 65535))
            out[6] += [(58, 128 << 8, 128 << 8), (58, 129 << 8, 129 << 8)]
        else:
            for kind in range(int(lo), int(hi or lo) + 1):
                out[4].append((1, kind << 8, kind << 8))
                if kind in (8, 0):
                    out[6].append((58, (128 if kind == 8 else 129) << 8, (128 if kind == 8 else 129) << 8))
    return out


# ---- commands ------------------------------------------------------------------------------------

def numbers_of(texts):
    return [(int(a), int(b or a)) for a, _, b in (t.partition("-") for t in texts)]


def functions_of(row):
    """The codes that a row names. A word names functions that all servers frame alike and all of
    whose words are named. A function may also be named itself."""
    named = set()
    if "commands" not in row and "functions" not in row:
        return {f[0] for f in FUNCTIONS if f[4]}
    for f in FUNCTIONS:
        if f[4] and set(f[2].split()) <= set(row.get("commands", ())):
            named.add(f[0])
    for text in row.get("functions", ()):
        by_name = [f[0] for f in FUNCTIONS if f[1] == text]
        if by_name:
            named.add(by_name[0])
        else:
            lo, _, hi = text.partition("-")
            named |= set(range(int(lo), int(hi or lo) + 1))
    return named


def passes(row, code):
    """Is there a request with this function that the row allows?"""
    f = FUNCTION.get(code)
    limited = any(k in row for k in SPACES)
    writes = f is None or code in (5, 6, 15, 16, 21, 22, 23, 90)
    if limited and (f is None or f[3] == "unknown"):
        return False
    if "values" in row and (f is None or code in VALUES_UNKNOWN):
        return False
    if limited and f[3] is not None:
        if f[3] not in row:
            return False
        if code == 24 and not any(hi - lo >= 31 or hi == 65535 for lo, hi in numbers_of(row["holding"])):
            return False  # it touches the 31 registers after the named one, if there are as many
    if "values" in row and writes and f[3] == "coils" and not any(lo <= 1 for lo, _ in numbers_of(row["values"])):
        return False
    # A broadcast is allowed only if 0 is named. UMAS and codes without a name do not count as
    # writes here.
    return True


def words_of(row):
    out = set()
    for code in functions_of(row):
        if passes(row, code):
            out |= set(FUNCTION[code][2].split()) if code in FUNCTION else set(WORDS)
    return out


# ---- the whole -----------------------------------------------------------------------------------

class Meaning:
    def __init__(self, p):
        self.p = p = written_out(p)
        self.zones = {z["name"]: z for z in p["zones"]}
        self.space = zone_space(p)
        self.assets = {a["name"]: [span(x) for x in a["addresses"]] for a in p["assets"]}
        self.services = {s["name"]: s for s in p["services"]}
        self.groups = {g: self.spread(names) for g, names in p["members"].items() if names and not set(names) & set(self.services)}
        zone = p["site"].get("time_zone")
        self.windows = {w["name"]: Window(w, zone) for w in p.get("windows", [])}
        self.conduits = [self.conduit(c) for c in p["conduits"]]
        self.boxes = {c["name"]: self.boxes_of(c) for c in self.conduits}
        self.by_name = {c["name"]: c for c in self.conduits}
        self.known = {}

    def spread(self, names):
        """What zones and assets stand for, by zone."""
        out = {}
        for name in names:
            out.setdefault(next((a["zone"] for a in self.p["assets"] if a["name"] == name), name), []).extend(self.assets.get(name) or self.space[name])
        return out

    def end(self, zone, texts):
        if texts is None:
            return self.space[zone]
        return [r for t in texts for r in (self.assets[t] if t in self.assets else [span(t)])]

    def conduit(self, c):
        observe = c.get("mode") == "observe"
        zone = self.p["site"].get("time_zone")
        contracts = [moment(o["contract_until"], zone) for o in self.p.get("organisations", []) if o["zone"] in (c["from"], c["to"]) and "contract_until" in o]
        m = {"name": c["name"], "from": c["from"], "to": c["to"], "observe": observe, "shadow": c.get("shadow", False), "exception": "exception" in c, "names": c.get("names"),
             "in": self.zones[c["from"]]["interfaces"], "out": self.zones[c["to"]]["interfaces"],
             "sources": self.end(c["from"], c.get("sources")), "destinations": self.end(c["to"], c.get("destinations")),
             "starts": moment(c["starts"], zone, False) if "starts" in c else 0, "within": self.windows.get(c.get("within")), "door": c.get("door"),
             "own_end": moment(c["until"], zone) if "until" in c else FOREVER, "services": [self.services[s] for s in c["services"]]}
        w = m["within"]  # after its last day the window never opens again
        m["end"] = min([m["own_end"], clock(w.zone, w.last, w.ends) if w and w.last else FOREVER] + contracts)
        m["by_hours"] = m["starts"] > 0 or bool(m["within"] or m["door"])
        for key in STRICTEST_FIRST:
            m[key] = c.get(key)
        for key in ("when_down", "when_overloaded"):  # an observing conduit must not stop traffic
            m[key] = m[key] or ("open" if observe else "closed")
        for key, default in DEFAULT.items():
            m[key] = m[key] or default
        m["weak_tls"] = m["weak_tls"] or self.p["site"].get("weak_tls", "report")
        m["pairs"] = [(s, ports_of(s)) for s in m["services"]]
        return m

    def boxes_of(self, c):
        """Everything that a conduit names: (conduit, service, source, destination, protocol, first,
        last)."""
        return [(c, s, a, b, *port) for s, ports in c["pairs"] for a in c["sources"] for b in c["destinations"] if a[0] == b[0] for port in ports[a[0]]]

    def matches(self, packet):
        """The conduits that name a packet, ended ones too, each with its services."""
        iif, oif, family, src, dst, proto, port = packet
        found = []
        for c in self.conduits:
            if iif not in c["in"] or oif not in c["out"]:
                continue
            if not any(f == family and lo <= src <= hi for f, lo, hi in c["sources"]) or not any(f == family and lo <= dst <= hi for f, lo, hi in c["destinations"]):
                continue
            services = [s for s, ports in c["pairs"] if any(q == proto and lo <= port <= hi for q, lo, hi in ports[family])]
            if services:
                found.append((c, services))
        return found

    @staticmethod
    def until(c, now, doors):
        """Until when a conduit holds, while these doors are open, each until its moment. None: it
        does not hold."""
        if not c["starts"] <= now < min(c["end"], doors.get(c["door"], 0) if c["door"] else FOREVER):
            return None
        end = c["within"].until(now) if c["within"] else FOREVER
        return end and min(end, c["end"], doors[c["door"]] if c["door"] else FOREVER)

    def edges_of(self, found, now):
        """Moments at which one of these conduits begins or ends. For windows, those of an ordinary
        week and around every named day."""
        windows = [c["within"] for c in found if c["within"]]
        edges = {now} | {x for c in found for x in (c["starts"], c["end"])}
        named = {x // DAY for x in edges if x < FOREVER} | {x for w in windows for x in (w.first, w.last, *w.excepted) if x is not None}
        for day in {x for n in named if n * DAY > now - 9 * DAY for x in range(n - 9, n + 10)}:
            edges.update(x for w in windows for x in w.on(day) or ())
        return [x for e in sorted(edges) if e < FOREVER for x in (e - 1, e) if now <= x < LAST]

    def moments(self, found, now):
        """(moment, open doors) for each set of these conduits that holds together on some day;
        several for a set if there are hours."""
        key = (now, *sorted(c["name"] for c in found))
        if key not in self.known:
            doors, seen, kept = sorted({c["door"] for c in found if c["door"]}), {}, []
            edges = self.edges_of(found, now)
            random.Random(len(edges)).shuffle(edges)
            for t in [now, *edges]:
                for n in range(1 << len(doors)):
                    opened = {x: FOREVER for i, x in enumerate(doors) if n >> i & 1}
                    holds = frozenset(c["name"] for c in found if self.until(c, t, opened))
                    seen[holds] = seen.get(holds, 0) + 1
                    if seen[holds] < 3 or not any(c["by_hours"] for c in found):
                        kept.append((t, opened))
            self.known[key] = kept
        return self.known[key]

    def together(self, found, now):
        """Is there a moment from now on at which all of these hold?"""
        return any(all(self.until(c, t, doors) for c in found) for t, doors in self.moments(found, now))

    def judge(self, found, now, doors=None):
        """What happens to a packet that these conduits name, while these doors are open. None: it
        is refused."""
        ends = {c["name"]: self.until(c, now, doors or {}) for c, _ in found}
        found = [(c, s) for c, s in found if ends[c["name"]]]
        deciding = [(c, s) for c, s in found if not c["shadow"]]
        if not deciding:
            return None
        enforcing = [c for c, _ in deciding if not c["observe"]]
        depths = {depth(s["protocol"]) for _, services in deciding for s in services}
        looked = "transport" if "transport" in depths else "commands" if "commands" in depths else "named"
        j = {"conduits": [c["name"] for c, _ in found], "deciding": [c["name"] for c, _ in deciding], "observe": not enforcing, "depth": looked,
             "until": min(ends[c["name"]] for c, _ in found), "grants": sorted((c["name"], s["name"]) for c, services in found for s in services)}
        for key, words in STRICTEST_FIRST.items():
            j[key] = min((c[key] for c, _ in deciding), key=words.index)
        tls = [c for c, services in deciding if any(s["protocol"] == "tls" for s in services)]
        j["weak_tls"] = "report" if looked == "transport" else min((c["weak_tls"] for c in tls), key=STRICTEST_FIRST["weak_tls"].index, default="report")
        j["declared"] = None if looked == "transport" or not tls or any(c["names"] is None for c in tls) else sorted({n for c in tls for n in c["names"]})
        j["told"] = self.told(found, deciding, looked, j)
        return j

    def told(self, found, deciding, looked, j):
        """The warnings of `check` here: (code, conduit, detail or None)."""
        told = set()
        tls = [(c, c["names"]) for c, services in deciding if any(s["protocol"] == "tls" for s in services)] if looked != "transport" else []
        for key in STRICTEST_FIRST:
            if key == "on_tighten" or looked != "transport":
                told |= {("policy.overruled", c["name"], key) for c in ([c for c, _ in tls] if key == "weak_tls" else [c for c, _ in deciding]) if c[key] != j[key]}
        if looked == "transport":
            told |= {("policy.not_enforced", c["name"], None) for c, services in found if any(depth(s["protocol"]) != "transport" for s in services)}
        if looked == "commands":
            told |= {("policy.not_named", c["name"], None) for c, services in deciding if any(s["protocol"] in BY_NDPI for s in services)}
        if any(names is None for _, names in tls):
            told |= {("policy.not_enforced", c["name"], "names") for c, names in tls if names is not None}
        return told

    def overlap(self, a, b, within=None):
        """Is there a packet that both conduits name? (`within`: and that is between these.)"""
        if not set(a["in"]) & set(b["in"]) or not set(a["out"]) & set(b["out"]):
            return False
        return any(x[4] == y[4] and x[5] <= y[6] and y[5] <= x[6] and meet(x[2], y[2]) and meet(x[3], y[3])
                   and (within is None or any(all(any(meet(r, both(x[k], y[k])) for r in pair[k - 2]) for k in (2, 3)) for pair in within))
                   for x in self.boxes[a["name"]] for y in self.boxes[b["name"]])

    def conflicts(self):
        """(the observing conduit, the enforcing one) for one packet at one moment from now on: an
        error."""
        now = int(datetime.datetime.now().timestamp())
        live = [c for c in self.conduits if c["end"] > now]
        return {(a["name"], b["name"]) for a in live for b in live
                if a["observe"] and not a["shadow"] and not b["observe"] and self.overlap(a, b) and (not a["by_hours"] and not b["by_hours"] or self.together([a, b], now))}

    def cut(self, words):
        """[(ranges, ranges)] between which an isolation cuts traffic in both directions."""
        pairs = []
        for word in words:
            kind, *names = word.split()
            ends = [self.assets[names[0]] if kind == "asset" else self.space[n] for n in names] + [[span("0.0.0.0/0"), span("::/0")]]
            pairs += [(ends[0], ends[1]) if len(ends) > 1 else (ends[0], ends[0])]
        return pairs + [(b, a) for a, b in pairs]

    def cuts_nothing(self, p):
        """Whether a cut of this policy names two zones between which no address family is common,
        so that `check` refuses it. A group's name stands for each of its zones."""
        def families(zone):
            return {r[0] for r in self.space[zone]}
        for words in (c.split()[1:] for i in p.get("isolations", ()) for c in i["cut"] if c.startswith("zones ")):
            sides = [self.p["members"].get(n, [n]) for n in words]
            pairs = [(a, b) for a in sides[0] for b in sides[1] if a != b]
            if not pairs or not all(families(a) & families(b) for a, b in pairs):
                return True
        return False

    @staticmethod
    def keeps(isolation, name):
        return any(name == k or name.startswith(k + "/") for k in isolation["keep"])

    def half_kept(self, now):
        """(isolation, kept conduit, conduit that is not kept) for one packet that is cut, at one
        moment: an error."""
        live, found = [c for c in self.conduits if c["end"] > now and not c["shadow"]], []
        for i in self.p.get("isolations", []):
            pairs = self.cut(i["cut"])
            for a, b in itertools.product([c for c in live if self.keeps(i, c["name"])], [c for c in live if not self.keeps(i, c["name"])]):
                if self.overlap(a, b, pairs) and self.together([a, b], now):
                    found.append((i["name"], a["name"], b["name"]))
        return found

    def organisations_meet(self):
        """A conduit connects two organisations: an error, whenever it ends."""
        of = {o["zone"]: o["name"] for o in self.p.get("organisations", [])}
        return any(of.get(c["from"], "") != of.get(c["to"], "") and c["from"] in of and c["to"] in of for c in self.conduits)

    def test_meets_production(self):
        """Conduits from now on that let packets pass between a zone of class test and another zone
        of the site, and are no exception: an error."""
        now, classes = datetime.datetime.now().timestamp(), {z["name"]: z.get("class", "it") for z in self.p["zones"]}
        return [c["name"] for c in self.conduits if c["end"] > now and not c["shadow"] and not c["exception"]
                and sorted([classes[c["from"]] == "test", classes[c["to"]] == "test"]) == [False, True] and "external" not in (classes[c["from"]], classes[c["to"]])]

    def too_many_ends(self, now):
        """Does one packet have more than eight different ends, including those of shadows, or more
        than three doors? With hours the reference does not say how many are too many; None if more
        than three differ. Only the first corner of each overlap is looked at, because most boxes
        meet there."""
        def times(found):
            return {(c["starts"], c["within"], c["door"], c["end"]) for c in found if now < c["end"] and (c["by_hours"] or c["end"] < FOREVER)}

        by_hours = any(c["by_hours"] for c in self.conduits)
        if len(times(self.conduits)) <= (3 if by_hours else 8):
            return False
        many = False
        boxes = [b for found in self.boxes.values() for b in found]
        ways = sorted({(i, o) for c in self.conduits for i in c["in"] for o in c["out"]})
        for family, proto in sorted({(b[2][0], b[4]) for b in boxes}):
            here = [b for b in boxes if b[2][0] == family and b[4] == proto]
            sources, destinations, ports = (sorted({edge(b) for b in here}) for edge in (lambda b: b[2][1], lambda b: b[3][1], lambda b: b[5]))
            for (iif, oif), src, dst, port in itertools.product(ways, sources, destinations, ports):
                found = [c for c, _ in self.matches((iif, oif, family, src, dst, proto, port)) if now < c["end"]]
                if len({c["door"] for c in found if c["door"]}) > 3 or not any(c["by_hours"] for c in found) and len(times(found)) > 8:
                    return True
                many = many or len(times(found)) > 3
        return None if many and by_hours else False

    # ---- statements ------------------------------------------------------------------------------

    def hosts(self, never):
        """Where the last hop of a statement begins and ends; None: anywhere. A chain begins
        anywhere in its zone."""
        def ranges(end):
            return [r for a in never[end] for r in self.assets[a]] if end in never else None

        return None if never.get("scope") == "chain" else ranges("from_assets"), ranges("to_assets")

    def reach(self, c, hosts=(None, None)):
        """Which part of its destinations a conduit lets a packet reach, and by which commands:
        ({service name}, ranges, words)."""
        services, ranges, words = set(), [], set()
        for _, s, a, b, *_ in self.boxes[c["name"]]:
            if any(these is not None and not any(meet(x, r) for r in these) for x, these in zip((a, b), hosts, strict=True)):
                continue
            services.add(s["name"])
            ranges.append(b)
        for name in services:
            s = self.services[name]
            if s.get("tunnel"):
                words |= set(WORDS)
            elif s["protocol"] == "icmp":
                pass
            elif depth(s["protocol"]) != "commands" or c["observe"] or "allow" not in s:
                words |= set(WORDS)
            else:
                for row in s["allow"]:
                    words |= words_of(row)
        return services, joined(ranges), words

    def driven(self, c, answered):
        """The part of its destinations that can be reached by other services than those over which
        hosts only answer."""
        lax = c["observe"], "open" in (c["when_down"], c["when_overloaded"])
        answered = {s for s in answered if not lax[0] and (not lax[1] or depth(self.services[s]["protocol"]) == "transport")}
        return joined([b for _, s, _, b, *_ in self.boxes[c["name"]] if s["name"] not in answered])

    def edges(self, now):
        """What each conduit lets pass from now on: (conduit, destinations that can be reached,
        commands that pass)."""
        found = []
        for c in self.conduits:
            if not c["shadow"] and now < c["end"] and (not c["by_hours"] or self.together([c], now)):
                services, ranges, words = self.reach(c)
                if services:
                    found.append((c, ranges, words))
        return found

    def walked(self, never, edges, breaks):
        """The zones from which the last hop of a walk may begin. Conduits only end, so nothing
        becomes possible later."""
        stopping = joined([r for a in breaks for r in self.assets[a]])
        at, seen = [never["from"]], {never["from"]}
        while at and never.get("scope") == "chain":
            zone = at.pop()
            for c, _, _ in edges:
                if c["from"] == zone and c["to"] not in seen and minus(self.driven(c, never.get("answer_only", ())), stopping):
                    seen.add(c["to"])
                    at.append(c["to"])
        return seen

    def broken(self, never, edges, breaks):
        """Is there a walk that this statement forbids?"""
        seen = self.walked(never, edges, breaks)
        for c, _, _ in edges:
            if c["from"] in seen and c["to"] == never["to"]:
                services, _, words = self.reach(c, self.hosts(never))
                if services and (never.get("commands") is None or words & set(never["commands"])):
                    return True
        return False

    def rests_on(self, never, edges, breaks, said):
        """Are these the chain_breaks that a statement needs? It has to hold with them alone, and
        must not hold without any one of them."""
        return not self.broken(never, edges, said) and all(self.broken(never, edges, [x for x in said if x != b]) for b in said) and set(said) <= set(breaks)

    # ---- what has to stay possible ---------------------------------------------------------------

    def suffices(self, c, s, wanted):
        """Does this service of a conduit allow everything that the wanted one does, on the ports
        that both have?"""
        if s is wanted or c["observe"] or depth(s["protocol"]) == "transport":
            return True
        return (s["protocol"] == wanted["protocol"] and "allow" not in s and s.get("undecided_bytes", 0) >= wanted.get("undecided_bytes", 0)
                and set(wanted.get("lenient", ())) <= set(s.get("lenient", ())))

    @staticmethod
    def endless(c, now):
        return c["end"] == FOREVER and not c["within"] and not c["door"] and c["starts"] <= now

    def lacking(self, always, name, endless=True):
        """A piece of what the statement wants of this service and no conduit (without an end)
        allows: (source, destination, protocol, first, last), or None."""
        wanted, now = self.services[name], datetime.datetime.now().timestamp()
        ends = [[r for a in always[k + "_assets"] for r in self.assets[a]] if k + "_assets" in always else self.space[always[k]] for k in ("from", "to")]
        asked = [(a, b, *port) for a in ends[0] for b in ends[1] if a[0] == b[0] for port in ports_of(wanted)[a[0]]]
        given = [x for c in self.conduits if c["from"] == always["from"] and c["to"] == always["to"] and not c["shadow"]
                 and (self.endless(c, now) if endless else c["end"] > now)
                 for x in self.boxes[c["name"]] if self.suffices(c, x[1], wanted)]
        for a, b, proto, lo, hi in asked:
            left = [(a, b, lo, hi)]
            for _, _, x, y, q, first, last in given:
                if q == proto and left:
                    left = [piece for p in left for piece in less(p, (x, y, first, last))]
            if left:
                return (*left[0][:2], proto, *left[0][2:])
        return None if asked else (ends[0], ends[1], None, 0, 0)

    def possible(self, always):
        return all(self.lacking(always, s) is None for s in always["services"])

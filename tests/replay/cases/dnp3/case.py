# SPDX-License-Identifier: Apache-2.0
import glob
import os
import random
import shutil
import struct
import subprocess
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import dnp3  # noqa: E402

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")
WHERE = ["ITI__ICS-Security-Tools/pcaps/dnp3", "ITI__ICS-Security-Tools/pcaps/openics/DNP3-*", "OISF__suricata-verify/tests/dnp3",
         "cisagov__icsnpp-dnp3", "zeek__zeek/testing/btest/Traces/dnp3", "digitalbond__Quickdraw-Snort/dnp3*"]
FILES = sorted(os.path.relpath(f, PCAPS) for w in WHERE for top in glob.glob(os.path.join(PCAPS, w))
               for f in ([top] if os.path.isfile(top) else glob.glob(top + "/**/*.pcap*", recursive=True)) if ".pcap" in f)
CONFORMANCE = [f for f in FILES if "/conformance/" in f]
# Packets that tshark reads differently: it takes segments for the rest of an earlier fragment with
# these numbers.
OTHERWISE = {"dnp3_example.pcap": [18, 114, 210, 311, 810]}
TOS, RTU = "10.20.0.10", "10.30.1.10"

POLICY = """language_version = 1;
site = {{ name = "dnp3"; label = "dnp3"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ rtu = {{ protocol = "dnp3"; ports = ["tcp/20000-20001", "udp/20000"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["rtu"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
ALL = "outstations = [\"0-65535\"];"  # all stations at once are among them


def policy(t, name, allow=""):
    return t.file(name + ".cfg", POLICY.format(allow=allow and "allow = ( %s );" % allow))


# ---- tshark's reading ----------------------------------------------------------------------------

def numbers(text):
    return [int(v, 0) for v in text.split(",") if v]


class Seen:
    """A capture as tshark reads it: the functions, objects and link frames of each packet, and the
    bytes of each direction."""

    FIELDS = ["frame.number", "tcp.stream", "tcp.ack", "tcp.flags", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "tcp.seq", "tcp.flags.syn", "tcp.payload", "udp.payload",
              "dnp3.al.func", "dnp3.ctl.prm", "dnp3.ctl.prifunc", "dnp3.ctl.secfunc", "dnp3.al.obj"]

    def __init__(self, path):
        out = subprocess.run(["tshark", "-r", path, "-d", "tcp.port==20001,dnp3", "-Y", "tcp || udp", "-T", "fields"] + [a for f in self.FIELDS for a in ("-e", f)],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        self.packets, self.streams, self.begun, self.datagrams, self.moved = {}, {}, set(), {}, []
        for line in out.splitlines():
            number, stream, ack, flags, src, dst, ts, td, us, ud, seq, syn, tp, up, func, prm, pri, sec, obj = line.split("\t")
            if src == dst == "127.0.0.1" and ts:
                client = "10.20.%d.%d" % divmod(int(stream) + 1, 250)
                src, dst = (client, RTU) if td == "20000" else (RTU, client)
                self.moved.append(wire.tcp(src, int(ts), dst, int(td), int(seq) + 1000, int(ack or 0) + 1000, int(flags, 16), bytes.fromhex(tp)))
                number = len(self.moved)
            key = ("%s:%s" % (src, ts or us), "%s:%s" % (dst, td or ud))
            primary, secondary, links = iter(numbers(pri)), iter(numbers(sec)), []
            for p in numbers(prm.replace("True", "1").replace("False", "0")):
                f = next(primary if p else secondary, None)
                if f is not None and not (p and f in (3, 4)):
                    links.append(9000 + 100 * (not p) + f)
            self.packets[int(number)] = (numbers(func), links, numbers(obj))
            if syn in ("1", "True"):
                self.begun.add(key)
            if us:
                self.datagrams[int(number)] = bytes.fromhex(up)
            elif tp:
                data, at = bytes.fromhex(tp), int(seq) - 1
                stream = self.streams.setdefault(key, bytearray())
                if at <= len(stream) + (1 << 20):
                    stream.extend(bytes(max(0, at + len(data) - len(stream))))
                    stream[at:at + len(data)] = data

    def bytes_of(self, p):
        if p["packet"] in self.datagrams:
            return self.datagrams[p["packet"]]
        key = (p["client"], p["server"]) if p["dir"] == "c2s" else (p["server"], p["client"])
        return bytes(self.streams.get(key, b"")[p["offset"]:p["offset"] + p["length"]])


class Flow:
    """What may pass of one flow, by the standard: (reason, services) of each PDU in order. `may`:
    the services that rows name, None: all."""

    def __init__(self, may, met):
        self.may, self.met, self.open, self.told, self.selected, self.rest = may, met, [], [], None, None

    def asked(self, raw):
        links = dnp3.links(raw)[0]
        control, to, by, _ = links[0]
        if not any(data for *_, data in links):
            return "allowed"
        fragment = b"".join(data[1:] for *_, data in links)
        number, function = fragment[0] & 15, fragment[1] if len(fragment) > 1 else None
        ops = dnp3.operations(fragment)
        services = {o["service"] for o in ops} if ops is not None else set()
        why = "allowed"
        if function is None:
            return "dnp3.malformed"
        if not control & 0x80 or function >= 129:
            why = "dnp3.direction"
        elif ops is None:
            why = "dnp3.malformed"
        elif self.may is not None and services - self.may:
            why = "dnp3.function"
        if function == 0:
            return why if why != "allowed" or self.met or (to, by, bool(fragment[0] & 16), number) in self.told else "dnp3.session"
        if function == dnp3.SELECT:
            self.selected = (to, by, (number + 1) % 16, fragment[2:])
        if function == dnp3.OPERATE:
            fits = (to, by, number, fragment[2:]) == self.selected or (self.met and self.selected is None)
            if self.met and self.selected is None:
                self.selected = ()
            if why == "allowed" and not fits:
                why = "dnp3.select"
        if function not in (6, 8, 10, 12, 33) and to < 0xFFFD:
            self.open.append([to, by, number, True, why])
        return why

    def told_(self, raw):
        links = dnp3.links(raw)[0]
        control, to, by, segment = links[0]
        if control & 0x80:
            return "dnp3.direction"
        parts = [data for *_, data in links if data]
        if not parts:
            return "allowed"
        if not parts[0][0] & 0x40:
            return "allowed" if self.rest else "dnp3.session"
        fragment = b"".join(data[1:] for data in parts)
        if len(fragment) < 4 or fragment[1] < 129:
            return "dnp3.direction" if len(fragment) > 1 and fragment[1] < 129 else "dnp3.malformed"
        whole = parts[-1][0] & 0x80
        if whole:
            try:
                dnp3.headers(fragment[4:], 129, told=True)
            except ValueError:
                return "dnp3.malformed"
        if bool(fragment[0] & 16) != (fragment[1] == 130):
            return "dnp3.malformed"
        why = "allowed"
        if fragment[1] == 129:
            fits = [o for o in self.open if o[:4] == [by, to, fragment[0] & 15, bool(fragment[0] & 0x80)]]
            why = fits[-1][4] if fits else "dnp3.unseen_request" if self.met else "dnp3.response"
            if fits and fragment[0] & 0x40:
                self.open.remove(fits[-1])
            elif fits:
                fits[-1][2:4] = [(fits[-1][2] + 1) % 16, False]
        if why in ("allowed", "dnp3.unseen_request"):
            self.rest = not whole
        if fragment[0] & 32 and why in ("allowed", "dnp3.unseen_request"):
            self.told.append((by, to, bool(fragment[0] & 16), fragment[0] & 15))
        return why


def expected(seen, pdus, may):
    flows = {}
    for p in pdus:
        key = (p["client"], p["server"])
        f = flows.setdefault(key, Flow(may, p["packet"] not in seen.datagrams and key not in seen.begun))
        raw = seen.bytes_of(p)
        left = dnp3.links(raw)[1]
        yield p, ("torn" if left or not raw else f.asked(raw) if p["dir"] == "c2s" else f.told_(raw))


def is_said(p, seen):
    """Whether tshark says the same about the packet in which a PDU ends."""
    functions, links, objects = seen.packets.get(p["packet"], ([], [], []))
    code = p["function"]
    if code >= 9000:
        return code in links
    if p["packet"] in seen.datagrams and not functions:
        return True  # a datagram with a part of a fragment
    if p["dir"] == "s2c":
        return (code if code in (130, 131) else 129) in functions
    return code == 6000 or code % 1000 in functions


def services_of(seen, pdus):
    out = set()
    for p in pdus:
        if p["dir"] == "c2s":
            links = dnp3.links(seen.bytes_of(p))[0]
            out |= {o["service"] for o in dnp3.operations(b"".join(data[1:] for *_, data in links)) or () if any(d for *_, d in links)}
    return out - {0}


def real(t, path, totals):
    seen = Seen(path)
    if seen.moved:  # the same between two hosts, because no zone has the loopback
        path = t.file("moved.pcap", wire.pcap(seen.moved))
    whole = t.replay(path, policy=policy(t, "whole"))
    said = sum(is_said(p, seen) for p in whole.pdus)
    t.equal("PDUs that tshark reads otherwise", [p["packet"] for p in whole.pdus if not is_said(p, seen)], OTHERWISE.get(os.path.basename(path), []))
    codes = services_of(seen, whole.pdus)
    totals.append((len(whole.pdus), said))

    def judge(name, allow, may):
        r = t.replay(path, policy=policy(t, name, allow))
        if not t.equal(name + ": PDUs", len(r.pdus), len(whole.pdus)):
            return
        for p, why in expected(seen, r.pdus, may):
            if why == "torn":
                continue
            passes = why in ("allowed", "dnp3.unseen_request")
            if not t.equal("%s: packet %d, %s of %d" % (name, p["packet"], p["dir"], p["function"]), (p["verdict"], p["reason"]), ("allow" if passes else "deny", why)):
                return

    named = lambda some: "{ functions = [%s]; %s }" % (", ".join('"%d"' % c for c in sorted(some)), ALL)
    judge("whole again", "", None)
    if codes:
        judge("each", named(codes), codes)
    for gone in sorted(codes):
        left = codes - {gone} or {23 if gone != 23 else 1}
        judge("without %d" % gone, named(left), left)
    judge("read", '{ commands = ["read"]; %s }' % ALL, dnp3.READS)
    judge("diagnose", '{ commands = ["diagnose"]; %s }' % ALL, dnp3.DIAGNOSES)
    torn = sum(why == "torn" for _, why in expected(seen, whole.pdus, None))
    t.true("bytes of PDUs are found: %d of %d are not" % (torn, len(whole.pdus)), torn * 20 <= len(whole.pdus))


def loopback(t, paths, totals):
    """Many small captures of the loopback as one."""
    merged = t.file("merged.pcap", b"")
    subprocess.run(["mergecap", "-a", "-F", "pcap", "-w", merged] + [os.path.join(PCAPS, p) for p in paths], check=True, stderr=subprocess.DEVNULL)
    t.note("%d captures" % len(paths))
    real(t, merged, totals)


def all_of_them(t, totals):
    t.true("many PDUs: %s" % (totals,), sum(n for n, _ in totals) > 2000)
    t.note("%d PDUs" % sum(n for n, _ in totals))


# ---- drawn ---------------------------------------------------------------------------------------

def within(o, limits):
    """Whether an operation touches only points within `limits`, or none. An unknown kind of points
    is not within."""
    if o["space"] is None:
        return o["service"] in NOWHERE
    if o["space"] not in limits or o["indexes"] is None:
        return False
    lo, hi = limits[o["space"]]
    return all(lo <= i <= hi for i in o["indexes"])


NOWHERE = {13, 14, 16, 17, 18, 20, 21, 23, 24, 3001, 3002, 4001, 4002}
ROWS = {
    "read": ('{ commands = ["read"]; analog_inputs = ["0-99"]; binary_inputs = ["0-300"]; }',
             lambda o: o["service"] in dnp3.READS and within(o, {"analog_inputs": (0, 99), "binary_inputs": (0, 300)})),
    "classes": ('{ functions = ["read_classes"]; objects = ["60.2", "60.3"]; }', lambda o: o["service"] == 1001 and o["object"] in ((60, 2), (60, 3))),
    "control": ('{ commands = ["control"]; binary_outputs = ["5-9"]; operations = ["0x3", "0x41"]; }',
                lambda o: o["service"] in dnp3.CONTROLS and within(o, {"binary_outputs": (5, 9)}) and o["code"] in (None, 3, 0x41)),
    "set": ('{ commands = ["write"]; analog_outputs = ["5-9"]; values = ["0-100"]; }',
            lambda o: o["service"] in dnp3.WRITES and within(o, {"analog_outputs": (5, 9)}) and o["values"] is not None and all(v <= 100 for v in o["values"])),
    "ends": ('{ commands = ["read", "control"]; masters = [1]; outstations = ["10-12"]; }', lambda o: o["service"] in dnp3.READS | dnp3.CONTROLS),
}


def draw(rng):
    index = lambda: rng.choice([0, 5, 6, 9, 10, 99, 100, 300, 301])
    wide = rng.random() < 0.5
    some = [i for i in {index() for _ in range(rng.randrange(1, 4))} if wide or i < 256] or [5]
    code = rng.choice([0, 1, 2, 3, 3, 3, 4, 0x41, 0x41, 0x81, 0xC1, 5])
    if rng.random() < 0.35:
        at = index()
        parts = [rng.choice([dnp3.all_of(60, rng.randrange(1, 5)), dnp3.all_of(30), dnp3.points(30, 0, min(at, 99), max(at, 99)), dnp3.points(1, 2, 0, at),
                             dnp3.indexed(30, 0, [(i, b"") for i in some], wide), bytes([2, 0, 7, 9])]) for _ in range(rng.choice([1, 1, 1, 2]))]
        return 1, b"".join(parts)
    if rng.random() < 0.8:
        one = lambda: rng.choice([
            dnp3.indexed(12, 1, [(i, struct.pack("<BBIIB", code, 1, 100, 100, 0)) for i in some], wide),
            dnp3.indexed(41, 2, [(i, struct.pack("<HB", rng.choice([0, 100, 101]), 0)) for i in some], wide),
            dnp3.indexed(41, 1, [(i, struct.pack("<IB", rng.choice([0, 100, 1 << 20]), 0)) for i in some], wide),
            dnp3.indexed(41, 4, [(i, struct.pack("<dB", 1.0, 0)) for i in some], wide)])
        return rng.choice([3, 5, 5, 6]), one() + (one() if rng.random() < 0.2 else b"")
    return rng.choice([(13, b""), (2, dnp3.clock()), (20, dnp3.all_of(60, 2)), (7, dnp3.all_of(20)), (2, dnp3.points(34, 1, 5, 5, b"\5\0")), (24, b""), (23, b""),
                       (25, bytes([70, 3, 0x5B, 1, 1, 0, 0])), (2, dnp3.points(80, 1, 7, 7, b"\0")), (22, dnp3.all_of(60, 2) + dnp3.all_of(30)), (50, b"\1\2")])


def drawn(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    rng = random.Random(seed)
    asks, out = [], []
    for k in range(2000):  # a flow each, because a refusal ends the flow
        function, objects = draw(rng)
        if rng.random() < 0.2 and objects:  # one byte is changed
            at = rng.randrange(len(objects))
            objects = objects[:at] + bytes([rng.randrange(256)]) + objects[at + 1:]
        to, by = rng.choice([10, 10, 10, 12, 13, 0xFFFF]), rng.choice([1, 1, 1, 2])
        asks.append((to, by, bytes([0xC0, function]) + objects))
        wire.Session(out, TOS, 20001 + k, RTU, 20000).open().ask(b"".join(dnp3.frames(asks[-1][2], rng.randrange(64), rng.choice([249, 249, 20]), to=to, by=by)))
    capture = t.file("drawn.pcap", wire.pcap(out))
    for name, (row, may) in ROWS.items():
        r = t.replay(capture, policy=policy(t, "drawn-" + name, row))
        t.equal(name + ": PDUs", len(r.pdus), len(asks))
        passed = 0
        for p in r.pdus:
            to, by, a = asks[int(p["client"].rsplit(":", 1)[1]) - 20001]
            ops = dnp3.operations(a)
            want = ops is not None and all(may(o) for o in ops) and (to in (10, 12) and by == 1 if name == "ends" else to != 0xFFFF)
            passed += want
            if not t.equal("%s: %s" % (name, a.hex()), p["verdict"], "allow" if want else "deny"):
                return
            if ops is None and not t.equal(a.hex() + " makes no sense", p["reason"], "dnp3.malformed"):
                return
        t.true("%s: some pass, some do not: %d" % (name, passed), 0 < passed < len(asks) - 20)


# ---- pieces --------------------------------------------------------------------------------------

def told(r):
    return [(p["dir"], p["function"], p["verdict"]) for p in r.pdus]


def splits(t):
    row = policy(t, "splits", '{ commands = ["read"]; }')
    rtu = dnp3.Outstation()
    good, bad = dnp3.ask(1, dnp3.CLASSES), dnp3.ask(5, dnp3.crob(7), 1)
    right = rtu.answer(good)
    begin = [("c2s", 1001, "allow"), ("s2c", 1001, "allow")]
    want = begin + [("c2s", 5, "deny")]
    for pieces in (bad, b"".join(dnp3.frames(bytes([0xC1, 5]) + dnp3.crob(7), 0, 7))):
        for cut in [None] + list(range(1, len(pieces))):
            out = []
            s = wire.Session(out, TOS, 40000, RTU, 20000).open().ask(good).answer(right)
            s.ask(pieces) if cut is None else s.ask(pieces[:cut]).ask(pieces[cut:])
            t.equal("cut at %s" % cut, told(t.replay(t.file("cut.pcap", wire.pcap(out)), policy=row)), want)
    out = []
    s = wire.Session(out, TOS, 40000, RTU, 20000).open()
    for b in good:
        s.ask(bytes([b]))
    for b in right:
        s.answer(bytes([b]))
    t.equal("a byte at a time", told(t.replay(t.file("bytes.pcap", wire.pcap(out)), policy=row)), begin)
    for at in range(5):  # the place of the forbidden request among five in one segment
        out = []
        wire.Session(out, TOS, 40000, RTU, 20000).open().ask(b"".join(dnp3.ask(13 if k == at else 1, b"" if k == at else dnp3.all_of(30), k) for k in range(5)))
        got = [v for _, _, v in told(t.replay(t.file("train.pcap", wire.pcap(out)), policy=row))]
        t.equal("train, %d" % at, got[:at + 1], ["allow"] * at + ["deny"])
    # in segments of six bytes, the second one by itself reads as a restart
    two = bytes([0xC0, 1]) + dnp3.indexed(30, 0, [(0xC0, b""), (13, b"")])
    for size, reason in ((6, "dnp3.cut"), (7, "allowed"), (249, "allowed")):
        out = []
        wire.Session(out, TOS, 40000, RTU, 20000).open().ask(b"".join(dnp3.frames(two, 0, size)))
        t.equal("segments of %d" % size, [f["reason"] for f in t.replay(t.file("two.pcap", wire.pcap(out)), policy=row).flows], [reason])
    for udp in (good, bad):
        packets = [wire.udp(TOS, 20000, RTU, 20000, udp)]
        t.equal("a datagram", [v for _, _, v in told(t.replay(t.file("udp.pcap", wire.pcap(packets)), policy=row))], ["allow" if udp is good else "deny"])


def lies(t):
    """Wrong checksums, lengths and segments; OPERATE without its SELECT; confirmations of nothing;
    a frame in a file."""
    row = policy(t, "lies", '{ commands = ["read", "control", "program"]; }')
    good = dnp3.ask(5, dnp3.crob(7))
    torn = dnp3.frames(bytes([0xC0, 5]) + dnp3.crob(7), 0, 7)
    inside = lambda lead: dnp3.ask(2, bytes([70, 5, 0x5B, 1]) + struct.pack("<H", lead + 15) + bytes(lead) + dnp3.ask(13))
    for name, asked, reason in (
            ("as it is", good, None), ("a checksum", good[:-1] + bytes([good[-1] ^ 1]), "dnp3.malformed"), ("the header's", good[:9] + bytes([good[9] ^ 1]) + good[10:], "dnp3.malformed"),
            ("longer by one", good[:2] + bytes([good[2] + 1]) + good[3:], "dnp3.malformed"), ("a segment twice", torn[0] + torn[0] + torn[1], "dnp3.malformed"),
            ("a segment is missing", torn[0] + torn[2], "dnp3.malformed"), ("in order", b"".join(torn), None), ("not the first", torn[1], "dnp3.malformed"),
            ("an OPERATE", dnp3.ask(4, dnp3.crob(7)), "dnp3.select"), ("selected", dnp3.ask(3, dnp3.crob(7)) + dnp3.ask(4, dnp3.crob(7), 1), None),
            ("another", dnp3.ask(3, dnp3.crob(7)) + dnp3.ask(4, dnp3.crob(8), 1), "dnp3.select"), ("confirms nothing", dnp3.confirm(3, True), "dnp3.session"),
            ("what an outstation sends", dnp3.respond(), "dnp3.direction"), ("a frame in a file", inside(7), "dnp3.inside"), ("cut by a checksum", inside(0), None)):
        out = []
        wire.Session(out, TOS, 40000, RTU, 20000).open().ask(asked)
        r = t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row)
        t.equal(name, [f["reason"] for f in r.flows], [reason or "allowed"])
    out = []
    wire.Session(out, TOS, 40000, RTU, 20000).open().answer(dnp3.unsolicited(dnp3.points(1, 2, 0, 0, b"\1"), 3)).ask(dnp3.confirm(3, True))
    r = t.replay(t.file("unsolicited.pcap", wire.pcap(out)), policy=row)
    t.equal("unsolicited, confirmed", told(r), [("s2c", 130, "allow"), ("c2s", 0, "allow")])


def cases(t):
    if not os.path.isdir(PCAPS) or shutil.which("tshark") is None:
        t.skip("dnp3 real", "../shared/pcaps or tshark is not there")
    else:
        totals = []
        yield "dnp3 conformance", loopback, (t, CONFORMANCE, totals)
        for path in sorted(set(FILES) - set(CONFORMANCE)):
            yield "dnp3 " + path.replace("/", " "), real, (t, os.path.join(PCAPS, path), totals)
        yield "dnp3 all of them", all_of_them, (t, totals)
    yield "dnp3 drawn", drawn, (t,)
    yield "dnp3 splits", splits, (t,)
    yield "dnp3 lies", lies, (t,)

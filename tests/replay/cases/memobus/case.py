# SPDX-License-Identifier: Apache-2.0
import os
import random
import struct
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import memobus  # noqa: E402

TOS, MP = "10.20.0.10", "10.30.1.10"

POLICY = """language_version = 1;
site = {{ name = "memobus"; label = "memobus"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ mp = {{ protocol = "memobus"; ports = ["tcp/9999", "udp/9999"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["mp"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
PORT = 9999


def policy(t, name, allow=""):
    return t.file(name + ".cfg", POLICY.format(allow=allow and "allow = ( %s );" % allow))


def seeded(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    return random.Random(seed)


# ---- drawn ---------------------------------------------------------------------------------------

def draw(rng, number):
    """A command with any function; most are valid."""
    ends = {"cpus": (rng.choice([1, 1, 1, 2]), rng.choice([0, 0, 1])), "channels": rng.choice([(0, 0), (0, 0), (1, 2)])}
    at = rng.choice([0, 99, 100, 101, 150, 195, 199, 200, 65535])
    far = rng.choice([0, 99, 100, 150, 199, 200, 1600, 3199, 0xFFFFFFFF])
    n = rng.randrange(1, 12)
    kind = rng.choice("mmmmgios")
    value = lambda: rng.choice([0, 1, 1, 50, 100, 101, 65535])
    values = [value() for _ in range(n)]
    flags = [rng.randrange(2) for _ in range(n)]
    some = [rng.choice([100, 101, 102, 150, 199, 200]) for _ in range(n)]
    of = lambda f, *a: f(*a, number=number, **ends)
    b = rng.choice([
        lambda: of(memobus.short, rng.choice([0x2001, 0x2002, 0x2003, 0x2004]), at, n), lambda: of(memobus.short, 0x2005, at, rng.choice([0, 0xFF00, 0xFF00, 1])),
        lambda: of(memobus.short, 0x2006, at, value()), lambda: of(memobus.short, 0x2008, 0, value()), lambda: of(memobus.read_holding, at, n),
        lambda: of(memobus.request, 0x200A, struct.pack("<xHH", at, n)), lambda: of(memobus.write_holding, at, values), lambda: of(memobus.read_list, some),
        lambda: of(memobus.write_list, list(zip(some, values))), lambda: of(memobus.write_coils, at, flags), lambda: of(memobus.write_holdings, at, values),
        lambda: of(memobus.read_registers, kind, far, n), lambda: of(memobus.write_registers, kind, far, values), lambda: of(memobus.read_bits, kind, far, n),
        lambda: of(memobus.write_bits, kind, far, flags), lambda: of(memobus.register, 0x4345, kind, far, rng.choice([b"\0\0", b"\xff\0"])),
        lambda: of(memobus.register, 0x4346, kind, far, struct.pack("<H", value())), lambda: of(memobus.request, 0x434D, struct.pack("<xH", n) + b"M\x02\0\0\0\0" * n),
        lambda: of(memobus.request, 0x434E, struct.pack("<xH", n) + b"M\x02\0\0\0\0\0\0" * n), lambda: memobus.general(bytes(n), number),
        lambda: of(memobus.request, rng.choice([0x2021, 0x2031, 0x2032, 0x2033, 0x2040, 0x2050, 0x4342, 0x3001, 0x2089, 0x1200, 0x0020]), bytes(n))])()
    if rng.random() < 0.05:  # one byte of its body is changed
        k = rng.randrange(12, len(b))
        b = b[:k] + bytes([b[k] ^ 1 << rng.randrange(8)]) + b[k + 1:]
    return b


def known(q):
    return q["code"] in memobus.READS | memobus.WRITES | memobus.DIAGNOSES | memobus.PROGRAMS


def within(q, spaces, values=None):
    """Whether a row with these spaces, (first, last) of each, may allow it: it touches nothing, or
    only these."""
    read, written = memobus.effects(q)
    if read is None or written is None:
        return False
    inside = lambda space, at: space in spaces and spaces[space][0] <= at <= spaces[space][1]
    return all(inside(*p[:2]) for p in read + written) and (values is None or all(values[0] <= v <= values[1] for _, _, v in written))


HOLDING = {"holding": (100, 199), "coils": (100, 199)}
REGISTERS = {"mw": (100, 199), "mb": (1600, 3199)}
ROWS = {
    "read": ('{ commands = ["read"]; }', lambda q: q["code"] in memobus.READS),
    "diagnose": ('{ commands = ["diagnose"]; }', lambda q: q["code"] in memobus.DIAGNOSES),
    "program": ('{ commands = ["program"]; }', lambda q: q["code"] in memobus.PROGRAMS),
    "registers": ('{ commands = ["read", "write"]; holding = ["100-199"]; coils = ["100-199"]; }',
                  lambda q: q["code"] in memobus.READS | memobus.WRITES and within(q, HOLDING)),
    "set": ('{ commands = ["write"]; holding = ["100-199"]; values = ["0-100"]; }', lambda q: q["code"] in memobus.WRITES and within(q, {"holding": (100, 199)}, (0, 100))),
    "wide": ('{ commands = ["read", "write"]; mw = ["100-199"]; mb = ["100-199"]; }',
             lambda q: q["code"] in memobus.READS | memobus.WRITES and within(q, REGISTERS)),
    "ends": ('{ commands = ["read"]; cpus = [1]; senders = [0]; channels = ["0.0"]; }',
             lambda q: q["code"] in memobus.READS and q["cpus"] == (1, 0) and q["channels"] == (0, 0)),
    "code": ('{ functions = ["0x2050", "write_single_coil"]; }', lambda q: q["code"] in (0x2050, 0x2005)),
}


def drawn(t):
    rng = seeded(t)
    requests = [draw(rng, i % 256) for i in range(3000)]
    t.true("some make no sense", 20 < sum(q is None or not memobus.sense(q) for q in map(memobus.parse, requests)) < 800)
    for tcp in (False, True):
        out = []
        # each in its own flow, because over TCP a refusal ends the flow
        for i, b in enumerate(requests):
            if tcp:
                wire.Session(out, TOS, 20000 + i, MP, PORT).open().ask(b)
            else:
                out.append(wire.udp(TOS, 20000 + i, MP, PORT, b))
        capture = t.file("drawn-%s.pcap" % ("tcp" if tcp else "udp"), wire.pcap(out))
        for name, (row, may) in ROWS.items():
            r = t.replay(capture, policy=policy(t, "drawn-" + name, row))
            verdicts = {int(p["client"].rsplit(":", 1)[1]) - 20000: p for p in r.pdus}
            passed = 0
            for i, b in enumerate(requests):
                q = memobus.parse(b)
                want = q is not None and memobus.sense(q) and may(q)
                passed += want
                got = verdicts.get(i, {"verdict": "deny"})
                if not t.equal("%s, %s: %s" % (tcp, name, b.hex()), got["verdict"], "allow" if want else "deny"):
                    return
            t.true("%s, %s: some pass, some do not: %d" % (tcp, name, passed), 0 < passed < len(requests) - 20)


# ---- the narrowest row, and one code less --------------------------------------------------------

def runs(numbers, bits=False):
    out, numbers = [], sorted(set(numbers))
    for v in numbers:
        if out and out[-1][1] + 1 == v and not (bits and v % 16 == 0):
            out[-1][1] = v
        else:
            out.append([v, v])
    name = (lambda v: "%d.%d" % (v // 16, v % 16)) if bits else str
    return ", ".join('"%s"' % (name(a) if a == b else "%s-%d" % (name(a), b % 16 if bits else b)) for a, b in out)


def narrowest(requests):
    """A row for each function, with what its commands touch and write according to the parser."""
    rows = {}
    for q in requests:
        read, written = memobus.effects(q)
        row = rows.setdefault(q["code"], {"cpus": set(), "senders": set(), "channels": set(), "values": set(), "places": {}})
        if q["code"] != 0x120000:
            row["cpus"].add(q["cpus"][0])
            row["senders"].add(q["cpus"][1])
        row["channels"].add("%d.%d" % q["channels"])
        for p in (read or []) + (written or []):
            row["places"].setdefault(p[0], set()).add(p[1])
            row["values"] |= set(p[2:])
    text = {}
    for code, row in rows.items():
        parts = ['functions = ["0x%08x"];' % code] + ["%s = [%s];" % (k, runs(row[k])) for k in ("cpus", "senders") if row[k]]
        parts += ["channels = [%s];" % ", ".join('"%s"' % c for c in sorted(row["channels"]))]
        for space, at in row["places"].items():
            parts.append("%s = [%s];" % (space, runs(at, len(space) == 2 and space[1] == "b")))
        if row["values"]:
            parts.append("values = [%s];" % runs(row["values"]))
        text[code] = "{ %s }" % " ".join(parts)
    return text


def codes(t):
    """Rows for each function with what it touches allow everything. Without one of them, exactly
    its commands are refused. With reads only, nothing is written."""
    rng = seeded(t)
    requests = [b for b in (draw(rng, i % 256) for i in range(1500)) if (q := memobus.parse(b)) is not None and memobus.sense(q)]
    parsed = [memobus.parse(b) for b in requests]
    memory = memobus.Memory()
    out = []
    for i, b in enumerate(requests):
        s = wire.Session(out, TOS, 20000 + i, MP, PORT).open().ask(b)
        back = memory.answer(b)
        if back is not None:
            s.answer(back)
    capture = t.file("codes.pcap", wire.pcap(out))
    rows = narrowest(parsed)
    t.true("every function: %d" % len(rows), len(rows) >= 27)

    def judge(name, allow, may):
        r = t.replay(capture, policy=policy(t, name, allow))
        asks = [p for p in r.pdus if p["dir"] == "c2s"]
        if not t.equal(name + ": PDUs", len(asks), len(requests)):
            return
        for p in r.pdus:
            q = parsed[int(p["client"].rsplit(":", 1)[1]) - 20000]
            if not t.equal("%s: %s of %04x" % (name, p["dir"], q["code"]), (p["function"], p["verdict"]), (q["code"], "allow" if may(q) else "deny")):
                return

    judge("whole", "", lambda q: True)
    judge("narrowest", ", ".join(rows.values()), lambda q: True)
    for gone in rows:
        judge("without %04x" % gone, ", ".join(row for code, row in rows.items() if code != gone), lambda q: q["code"] != gone)
    judge("reads", '{ commands = ["read"]; }', lambda q: q["code"] in memobus.READS)
    judge("reads and diagnoses", '{ commands = ["read"]; }, { commands = ["diagnose"]; }', lambda q: q["code"] in memobus.READS | memobus.DIAGNOSES)


# ---- pieces --------------------------------------------------------------------------------------

def said(r):
    return [(p["dir"], p["function"], p["verdict"]) for p in r.pdus]


def opened(out):
    return wire.Session(out, TOS, 40000, MP, PORT).open()


def splits(t):
    row = policy(t, "splits", '{ commands = ["read"]; holding = ["0-99"]; }')
    good, bad = memobus.read_holding(10, 2), memobus.write_holding(10, [1, 2], 2)
    right = memobus.Memory().answer(good)
    want = [("c2s", 0x2009, "allow"), ("s2c", 0x2009, "allow"), ("c2s", 0x200B, "deny")]
    for cut in [None] + list(range(1, len(bad))):
        out = []
        s = opened(out).ask(good).answer(right)
        s.ask(bad) if cut is None else s.ask(bad[:cut]).ask(bad[cut:])
        t.equal("cut at %s" % cut, said(t.replay(t.file("cut.pcap", wire.pcap(out)), policy=row)), want)
    out = []
    s = opened(out)
    for b in good:
        s.ask(bytes([b]))
    for b in right:
        s.answer(bytes([b]))
    t.equal("a byte at a time", said(t.replay(t.file("bytes.pcap", wire.pcap(out)), policy=row)), want[:2])
    for at in range(5):  # the position of the forbidden one among five in one segment
        out = []
        frames = [memobus.read_holding(10, 2, k) for k in range(5)]
        frames[at] = bad
        opened(out).ask(b"".join(frames))
        t.equal("train, %d" % at, [v for _, _, v in said(t.replay(t.file("train.pcap", wire.pcap(out)), policy=row))][:1 + at], ["allow"] * at + ["deny"])


def lies(t):
    """Wrong lengths and counts, extra bytes after a message, other framings, messages inside a
    message, answers without a request."""
    row = policy(t, "lies", '{ commands = ["read"]; }, { commands = ["write"]; holding = ["100-199"]; }')
    good = memobus.read_holding(10, 2)
    change = lambda at, v, b=good: b[:at] + bytes([v]) + b[at + 1:]
    inside = lambda b: memobus.write_holding(100, list(struct.unpack("<%dH" % (len(b) // 2), b)))
    for name, b, reason in (
            ("as it is", good, None), ("longer by one", change(6, 23) + b"\0", "memobus.malformed"), ("shorter by one", change(6, 21)[:-1], "memobus.malformed"),
            ("another length inside", change(12, 9), "memobus.malformed"), ("none", change(20, 0), "memobus.malformed"),
            ("2,045 at once", memobus.read_holding(10, 2045), "memobus.malformed"), ("2,044 at once", memobus.read_holding(10, 2044), None),
            ("beyond the last", memobus.read_holding(65535, 2), "memobus.malformed"), ("a byte unused", change(17, 1), "memobus.malformed"),
            ("a count of fewer values", memobus.request(0x200B, struct.pack("<xHH4x", 100, 1)), "memobus.malformed"),
            ("an allowed one in values", inside(memobus.write_holding(100, [5])), None), ("a forbidden one in values", inside(memobus.write_holding(10, [5])), "memobus.inside"),
            ("a general message in values", inside(memobus.general(bytes(4))), "memobus.inside"),
            ("what a server sends", memobus.answer(good, bytes(7)), "memobus.response")):
        out = []
        opened(out).ask(b)
        r = t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row)
        t.equal(name, [f["reason"] for f in r.flows], [reason or "allowed"])
    crc = bytes.fromhex("010300000002c40b")  # MEMOBUS/RTU, and the ASCII mode of the extended form
    for name, b in (("RTU", crc), ("ASCII", good.hex().upper().encode())):
        out = []
        opened(out).ask(b)
        r = t.replay(t.file("else.pcap", wire.pcap(out)), policy=row)
        t.equal(name, [f["verdict"] for f in r.flows], ["deny"])
    for name, b, want in (("alone", good, ["allow"]), ("a byte more", good + b"\0", ["deny"]), ("a write behind", good + memobus.write_holding(10, [1]), ["deny"]),
                          ("cut", good[:-1], ["deny"])):
        r = t.replay(t.file("trailing.pcap", wire.pcap([wire.udp(TOS, 40000, MP, PORT, b)])), policy=row)
        t.equal(name, [f["verdict"] for f in r.flows], want)
    right = memobus.Memory().answer(good)
    for name, b, fine in (("its answer", right, True), ("another number", change(1, 2, right), False), ("another function", change(15, 10, right), False),
                          ("CPUs as asked", change(16, 0x10, right), False), ("an error", memobus.answer(good, error=2), True), ("shorter", memobus.answer(good, bytes(5)), False)):
        out = []
        opened(out).ask(good).answer(b)
        r = t.replay(t.file("answers.pcap", wire.pcap(out)), policy=row)
        t.equal(name, [p["verdict"] for p in r.pdus], ["allow", "allow" if fine else "deny"])


def cases(t):
    yield "memobus drawn", drawn, (t,)
    yield "memobus codes", codes, (t,)
    yield "memobus splits", splits, (t,)
    yield "memobus lies", lies, (t,)

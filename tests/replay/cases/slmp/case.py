# SPDX-License-Identifier: Apache-2.0
import os
import random
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import slmp  # noqa: E402

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")
FRAMES = os.path.join(PCAPS, "fa-yoshinobu__plc-comm-slmp-python", "slmp_frames_r08cpu_r00cpu.tsv")
TSN = os.path.join(PCAPS, "nttcom__zeek-parser-CCLinkTSNSLMP", "testing", "Traces", "test.pcap")
TOS, CRANE = "10.20.0.10", "10.30.1.10"

POLICY = """language_version = 1;
site = {{ name = "slmp"; label = "slmp"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "slmp"; ports = ["tcp/5007", "udp/{udp}"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""


def policy(t, name, allow="", udp=5008):
    return t.file(name + ".cfg", POLICY.format(allow=allow and "allow = ( %s );" % allow, udp=udp))


def session(frames):
    """Requests and answers in one session."""
    out = []
    s = wire.Session(out, TOS, 40000, CRANE, 5007).open()
    for b in frames:
        (s.ask if slmp.parse(b)["asks"] else s.answer)(b)
    return wire.pcap(out)


def code(p):
    """Command and subcommand of a PDU line."""
    return p["function"] >> 16, p["function"] & 0xffff


def real(t):
    frames = []
    with open(FRAMES) as f:
        for line in f:
            if not line.startswith("#"):
                frames.append(bytes.fromhex(line.split("\t")[1]))
    t.equal("frames", len(frames), 380)
    asked = [slmp.parse(b) for b in frames]
    capture = t.file("real.pcap", session(frames))
    codes = sorted({(q["command"], q["sub"]) for q in asked if q["asks"]})
    t.true("several commands", len(codes) > 2)
    alone = "{ functions = [%s]; }"
    without = [("without %04x%04x" % gone, alone % ", ".join("0x%04x%04x" % c for c in codes if c != gone),
                lambda q, gone=gone: (q["command"], q["sub"]) != gone) for gone in codes]
    without.append(("each", alone % ", ".join("0x%04x%04x" % c for c in codes), lambda q: True))
    for name, allow, passes in (
            *without,
            ("whole", "", lambda q: True),
            ("read", '{ commands = ["read"]; }', lambda q: q["command"] == 0x0401),
            ("write", '{ commands = ["write"]; }', lambda q: q["command"] == 0x1401),
            ("named", '{ functions = ["batch_read_extended"]; }', lambda q: q["command"] == 0x0401),
            ("station", '{ modules = ["0x3e1"]; }', lambda q: q["route"][2] == 0x3e1),
            ("network", '{ networks = [1]; }', lambda q: q["route"][0] == 1),
            # module access devices: address unknown
            ("devices", '{ d = ["0-65535"]; }', lambda q: q["command"] == 0x0101),
            ("values", '{ values = [0]; }', lambda q: q["command"] != 0x1401)):
        r = t.replay(capture, policy=policy(t, "real-" + name, allow))
        t.equal(name + ": PDUs", len(r.pdus), 380)
        request = None
        for p, q in zip(r.pdus, asked):
            request = q if q["asks"] else request
            want = (("c2s" if q["asks"] else "s2c"), (request["command"], request["sub"]),
                    "allow" if passes(request) else "deny")
            if not t.equal("%s: at %d" % (name, p["offset"]), (p["dir"], code(p), p["verdict"]), want):
                return


def tsn(t):
    """7,156 datagrams of another protocol between two modules, both of which may ask. The first one
    of each already shows that it is not this protocol."""
    r = t.replay(TSN, policy=policy(t, "tsn", udp="1-65535"))
    t.equal("judged PDUs", r.pdus, [])
    t.equal("flows", {f["verdict"] for f in r.flows}, {"deny"})


# What the drawn requests may touch: (first, last) of a device.
LIMITS = {"d": (0, 99), "m": (64, 200), "x": (0x10, 0x4f), "w": (0, 0x1f)}
ROWS = {
    "read": ('{ commands = ["read"]; d = ["0-99"]; m = ["64-200"]; x = ["0x10-0x4f"]; w = ["0x0-0x1f"]; }', slmp.READS, None),
    "write": ('{ commands = ["write"]; d = ["0-99"]; m = ["64-200"]; x = ["0x10-0x4f"]; w = ["0x0-0x1f"]; }', slmp.WRITES, None),
    "set": ('{ commands = ["write"]; d = ["0-99"]; m = ["64-200"]; x = ["0x10-0x4f"]; w = ["0x0-0x1f"]; values = ["0-1"]; }',
            slmp.WRITES, (0, 1)),
    "both": ('{ commands = ["read", "write"]; d = ["0-99"]; m = ["64-200"]; x = ["0x10-0x4f"]; w = ["0x0-0x1f"]; }',
             slmp.READS | slmp.WRITES, None),
}


def draw(rng, f, serial):
    """One request, mostly near the limits. X in ASCII has digits that only hexadecimal numbers
    have."""
    def place(words, wide):
        name = rng.choice(["d", "m", "x", "w", "d", "r"])
        lo, hi = LIMITS.get(name, (0, 99))
        n = words * (16 if slmp.DEVICES[name][4] else 1)
        first = max(0, rng.choice([lo, lo + 1, hi - n, hi - n + 1, hi - n + 2, hi, rng.randrange(lo, hi)]))
        if name == "x" and f.ascii:
            first |= 0x8
        return name, first, f.device(wide, name, first)

    wide = rng.random() < 0.3
    value = lambda: rng.choice([0, 0, 0, 1, 1, 2, 65535])
    kind = rng.randrange(8)
    if kind == 0:
        n = rng.randrange(1, 4)
        return f.request(0x0401, 2 * wide, place(n, wide)[2] + f.num(2, n), serial)
    if kind == 1:
        n = rng.randrange(1, 4)
        return f.request(0x1401, 2 * wide, place(n, wide)[2] + f.num(2, n) + b"".join(f.num(2, value()) for _ in range(n)), serial)
    if kind == 2:
        n = rng.randrange(1, 6)
        name = rng.choice("mx")
        first = rng.choice([LIMITS[name][0], LIMITS[name][1] - n, LIMITS[name][1] - n + 1, LIMITS[name][1] - n + 2])
        if name == "x" and f.ascii:
            first |= 8
        return f.write_bits(name, first, [rng.randrange(2) for _ in range(n)], serial)
    if kind in (3, 4):
        n, doubles = rng.randrange(1, 4), rng.randrange(0, 2)
        data = f.num(1, n) + f.num(1, doubles)
        for i in range(n + doubles):
            width = 1 if i < n else 2
            data += place(width, wide)[2]
            if kind == 4:
                data += f.num(2 * width, value() | (value() << 16 if width == 2 else 0))
        return f.request(0x0403 if kind == 3 else 0x1402, 2 * wide, data, serial)
    if kind == 5:
        n = rng.randrange(1, 4)
        data = f.num(1, n)
        for _ in range(n):
            first = rng.choice([LIMITS["m"][0] - 1, LIMITS["m"][0], LIMITS["m"][1], LIMITS["m"][1] + 1, 100, 101])
            data += f.device(wide, "m", first) + f.num(2 if wide else 1, rng.randrange(2))
        return f.request(0x1402, 1 + 2 * wide, data, serial)
    n, bits = rng.randrange(1, 3), rng.randrange(0, 2)
    data = f.num(1, n) + f.num(1, bits)
    for _ in range(n + bits):
        k = rng.randrange(1, 3)
        data += place(k, wide)[2] + f.num(2, k)
        if kind == 7:
            data += b"".join(f.num(2, value()) for _ in range(k))
    return f.request(0x0406 if kind == 6 else 0x1406, 2 * wide, data, serial)


def allowed(q, commands, values):
    if q["command"] not in commands:
        return False
    seen, left = slmp.effects(q)
    inside = lambda name, k: name in LIMITS and LIMITS[name][0] <= k <= LIMITS[name][1]
    return all(inside(*place) for place in seen) and \
        all(inside(name, k) and (values is None or values[0] <= v <= values[1]) for name, k, v in left)


def drawn(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    rng = random.Random(seed)
    for f in slmp.FORMS:
        requests = [draw(rng, f, i) for i in range(1000)]
        out = []
        for i, b in enumerate(requests):  # a session each: what is refused ends one
            wire.Session(out, TOS, 20000 + i, CRANE, 5007).open().ask(b)
        capture = t.file("drawn-%d%d.pcap" % (f.four, f.ascii), wire.pcap(out))
        for name, (row, commands, values) in ROWS.items():
            r = t.replay(capture, policy=policy(t, "drawn-" + name, row))
            t.equal("%s, %s: PDUs" % (f, name), len(r.pdus), len(requests))
            passed = 0
            for p in r.pdus:
                b = requests[int(p["client"].rsplit(":", 1)[1]) - 20000]
                want = allowed(slmp.parse(b), commands, values)
                passed += want
                if not t.equal("%s, %s: %s" % (f, name, b.hex()), p["verdict"], "allow" if want else "deny"):
                    return
            t.true("%s, %s: some pass, some do not" % (f, name), 0 < passed < len(requests) - 20)


def apart(t):
    """What a request lists may be allowed by different rows; one run of devices, or one double
    word, by one row."""
    rows = '{ commands = ["read"]; d = ["0-9"]; }, { commands = ["read"]; d = ["10-29"]; }, ' \
           '{ commands = ["write"]; d = ["0-9"]; values = [1]; }, { commands = ["write"]; d = ["10-29"]; values = [5]; }'
    row = policy(t, "apart", rows)
    for f in slmp.FORMS:
        def listed(command, single, double, values=(), f=f):
            data, values = f.num(1, len(single)) + f.num(1, len(double)), list(values)
            for k in single + double:
                data += f.device(False, "d", k) + (f.num(4 if k in double else 2, values.pop(0)) if values else b"")
            return f.request(command, 0, data)

        def blocks(command, *of, f=f):
            data = f.num(1, len(of)) + f.num(1, 0)
            for k, values in of:
                data += f.device(False, "d", k) + f.num(2, len(values))
                data += b"".join(f.num(2, v) for v in values) if command == 0x1406 else b""
            return f.request(command, 0, data)

        for name, request, want in (
                ("listed", listed(0x0403, [0, 20], []), "allow"),
                ("registered", listed(0x0801, [0, 20], []), "allow"),
                ("a run", f.read("d", 8, 4), "deny"),
                ("a double word", listed(0x0403, [], [9]), "deny"),
                ("written", listed(0x1402, [0, 20], [], [1, 5]), "allow"),
                ("written the other way", listed(0x1402, [0, 20], [], [5, 1]), "deny"),
                ("a double word written", listed(0x1402, [], [9], [0x50001]), "deny"),
                ("blocks read", blocks(0x0406, (0, [0, 0]), (20, [0])), "allow"),
                ("a block across", blocks(0x0406, (0, [0]), (9, [0, 0])), "deny"),
                ("blocks written", blocks(0x1406, (0, [1, 1]), (20, [5])), "allow"),
                ("blocks written the other way", blocks(0x1406, (0, [1, 5]), (20, [5])), "deny")):
            out = []
            wire.Session(out, TOS, 40000, CRANE, 5007).open().ask(request)
            r = t.replay(t.file("apart.pcap", wire.pcap(out)), policy=row)
            t.equal("%s, %s" % (f, name), [p["verdict"] for p in r.pdus], [want])


def splits(t):
    row = policy(t, "splits", '{ commands = ["read"]; d = ["0-99"]; }')
    for f in slmp.FORMS:
        good, bad = f.read("d", 10, 2, serial=1), f.write("d", 10, [1, 2], serial=2)
        answer = f.answer(f.num(2, 7) * 2, serial=1)
        for cut in [None] + list(range(1, len(bad))):
            out = []
            s = wire.Session(out, TOS, 40000, CRANE, 5007).open().ask(good).answer(answer)
            s.ask(bad) if cut is None else s.ask(bad[:cut]).ask(bad[cut:])
            r = t.replay(t.file("cut.pcap", wire.pcap(out)), policy=row)
            t.equal("%s, cut at %s" % (f, cut), [(p["dir"], p["offset"], code(p), p["verdict"]) for p in r.pdus],
                    [("c2s", 0, (0x0401, 0), "allow"), ("s2c", 0, (0x0401, 0), "allow"), ("c2s", len(good), (0x1401, 0), "deny")])
        out = []
        s = wire.Session(out, TOS, 40000, CRANE, 5007).open()
        for i in range(len(good)):
            s.ask(good[i:i + 1])
        for i in range(len(answer)):
            s.answer(answer[i:i + 1])
        r = t.replay(t.file("bytes.pcap", wire.pcap(out)), policy=row)
        t.equal("%s, a byte at a time" % f, [(p["dir"], p["verdict"]) for p in r.pdus], [("c2s", "allow"), ("s2c", "allow")])


def cases(t):
    if os.path.exists(FRAMES):
        yield "slmp real", real, (t,)
        yield "slmp tsn", tsn, (t,)
    else:
        t.skip("slmp real", "../shared/pcaps is not there")
    yield "slmp drawn", drawn, (t,)
    yield "slmp apart", apart, (t,)
    yield "slmp splits", splits, (t,)

# SPDX-License-Identifier: Apache-2.0
import os
import random
import shutil
import subprocess
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import fins  # noqa: E402

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")
# capture: the number of frames that the manuals do not allow, with their fault
FILES = {
    "nttcom__zeek-parser-OmronFINS/testing/Traces/test.pcap": 0,
    # a write of one bit with six bytes of data, and a forced set of two bits with one bit of data
    "cisagov__icsnpp-omron-fins/testing/traces/omron.pcap": 2,
    "cisagov__icsnpp-omron-fins/testing/traces/omron_fins_tcp_commands_responses.pcap": 0,
    "digitalbond__Quickdraw-Snort/omron_test.pcap": 0,
    # the same two faults; each of these frames is followed by the earlier frame once more
    "ntop__nDPI/tests/cfgs/default/pcap/fins.pcap": 2,
}
TOS, PLC = "10.20.0.10", "10.30.1.10"

POLICY = """language_version = 1;
site = {{ name = "fins"; label = "fins"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "fins"; ports = ["tcp/9600", "udp/9600"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
NODES = "nodes = [\"0-255\"];"  # includes broadcasts


def policy(t, name, allow=""):
    return t.file(name + ".cfg", POLICY.format(allow=allow and "allow = ( %s );" % allow))


# ---- tshark's reading ----------------------------------------------------------------------------

class Seen:
    """A frame as tshark reads it: sender, command, whether it is an answer, and number; for frames
    of FINS/TCP itself only the command."""

    def __init__(self, values):
        self.number, ip, port, tcp, icf, command, sid, payload = values
        self.client = port != "9600"
        self.tcp = int(tcp, 16) if tcp else 2
        self.answers = icf == "0x01"
        self.command = int(command, 16) if command else None
        self.sid = int(sid, 16) if sid else None
        raw = bytes.fromhex(payload)
        self.frame = raw[16:] if raw[:4] == b"FINS" else raw
        self.ip = ip


def tshark(path):
    fields = ["frame.number", "ip.src", "_ws.col.src_port", "omron.tcp.command", "omron.icf.dtb", "omron.command", "omron.sid", "data"]
    out = subprocess.run(["tshark", "-r", path, "-Y", "omron && !tcp.analysis.retransmission", "-T", "fields", "-e", "frame.number", "-e", "ip.src", "-e", "udp.srcport",
                          "-e", "tcp.srcport", "-e", "omron.tcp.command", "-e", "omron.icf.dtb", "-e", "omron.command", "-e", "omron.sid", "-e", "udp.payload",
                          "-e", "tcp.payload"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    seen = []
    for line in out.splitlines():
        number, ip, udp, tcp, *rest, one, other = line.split("\t")
        seen.append(Seen([number, ip, udp or tcp, *rest, one or other]))
    assert fields
    return seen


def expected(seen):
    """For each frame in order: whether it passes if everything is allowed. A valid command passes,
    and an answer to a command of the same flow."""
    open_, out = [], []
    for s in seen:
        if s.tcp != 2:
            out.append(True)
            continue
        q = fins.parse(s.frame)
        if s.client:
            good = not s.answers and fins.sense(q)
            if not s.answers:
                open_.append((s.command, s.sid, good))
            out.append(good)
            continue
        fits = [o for o in open_ if o[:2] == (s.command, s.sid)]
        if fits:
            open_.remove(fits[0])
        out.append(bool(fits) and fits[0][2])
    return out


def flows(seen, pdus):
    """The PDUs of a replay in the order of the capture's frames: each datagram or segment has
    one."""
    return len(seen) == len(pdus)


def real(t, path, senseless):
    seen = tshark(path)
    t.true("some", len(seen) > 2)
    may = expected(seen)
    asks = [s for s in seen if s.client and s.tcp == 2 and not s.answers]
    t.equal("commands that make no sense", sum(not fins.sense(fins.parse(s.frame)) for s in asks), senseless)
    codes = sorted({fins.code(fins.parse(s.frame)) for s in asks if fins.sense(fins.parse(s.frame))})

    def judge(name, allow, passes):
        r = t.replay(path, policy=policy(t, name, allow))
        if not t.equal(name + ": PDUs", len(r.pdus), len(seen)):
            return
        waits = []
        for p, s, fine in zip(r.pdus, seen, may):
            if s.tcp != 2:
                what, want = 0x10000 | s.tcp, True
            elif s.client:
                q = fins.parse(s.frame)
                what, want = None if s.answers else fins.code(q), fine and passes(q)
                if not s.answers:
                    waits.append((s.command, s.sid, what, want))
            else:
                fits = [w for w in waits if w[:2] == (s.command, s.sid)]
                what, want = (fits[0][2], fine and fits[0][3]) if fits else (None, False)
                if fits:
                    waits.remove(fits[0])
            if not t.equal("%s: frame %s" % (name, s.number), (p["dir"], p["verdict"]), ("c2s" if s.client else "s2c", "allow" if want else "deny")):
                return
            if what is not None and (want or not s.client) and not t.equal("%s: code of frame %s" % (name, s.number), p["function"], what):
                return

    named = lambda some: "{ functions = [%s]; %s }" % (", ".join('"0x%08x"' % c for c in some), NODES)
    judge("whole", "", lambda q: True)
    judge("each", named(codes), lambda q: True)
    for gone in codes:
        left = [c for c in codes if c != gone]
        judge("without %08x" % gone, named(left) if left else '{ functions = ["ip_address_read"]; }', lambda q: fins.code(q) != gone)
    judge("read", '{ commands = ["read"]; %s }' % NODES, lambda q: q["command"] in fins.READS)
    judge("diagnose", '{ commands = ["diagnose"]; %s }' % NODES,
          lambda q: q["command"] in fins.DIAGNOSES or fins.code(q) in (0x06200001, 0x09200000, 0x09208000))
    judge("places", '{ functions = [%s]; %s d = ["0-65535"]; w = ["0-65535"]; }' % (", ".join('"0x%08x"' % c for c in codes), NODES), told)


def told(q):
    """Whether a row for DM and W may allow it: it touches nothing, or only these areas."""
    if q["command"] in (0x2302,) or q["command"] >> 8 in (0x02, 0x03, 0x22, 0x27) and q["command"] != 0x220A:
        return False
    if q["command"] in (0x220A, 0x230A):
        return False  # no address in these captures is in DM or W
    seen, left = fins.effects(q)
    if seen is None or left is None:
        return False
    return all(area in ("d", "w") for area, word, bit in seen + left)


# ---- drawn ---------------------------------------------------------------------------------------

# What the drawn commands may touch: (first, last) bit of an area.
LIMITS = {"d": (0, 100 * 16 - 1), "w": (2 * 16, 9 * 16 - 1), "h": (5 * 16 + 3, 5 * 16 + 12), "e0": (0, 10 * 16 - 1)}
PLACES = 'd = ["0-99"]; w = ["2-8"]; h = ["5.3-12"]; e = ["0.0-9"];'
ROWS = {
    "read": ('{ commands = ["read"]; %s }' % PLACES, {fins.READ, fins.MULTIPLE}, None),
    "write": ('{ commands = ["write"]; %s }' % PLACES, {fins.WRITE, fins.FILL}, None),
    "both": ('{ commands = ["read", "write", "control"]; %s }' % PLACES, {fins.READ, fins.MULTIPLE, fins.WRITE, fins.FILL, fins.TRANSFER, 0x2301}, None),
    "set": ('{ commands = ["read", "write"]; d = ["0-99"]; e = ["0.0-9"]; values = ["0-1"]; }', {fins.READ, fins.MULTIPLE, fins.WRITE, fins.FILL}, (0, 1)),
}


def draw(rng, sid):
    def where(n, bits=None):
        area = rng.choice(["d", "w", "h", "e0", "d", "cio"])
        lo, hi = LIMITS.get(area, (0, 99))
        by_bits = rng.random() < 0.4 if bits is None else bits
        span = n if by_bits else 16 * n
        at = max(0, rng.choice([lo, lo + 1, lo - 1, hi - span, hi - span + 1, hi - span + 2, hi, rng.randrange(lo, hi)]))
        return area, at // 16, at % 16 if by_bits else None

    value = lambda: rng.choice([0, 0, 1, 1, 2, 65535])
    kind = rng.randrange(7)
    if kind == 0:
        area, word, bit = where(n := rng.randrange(1, 20))
        return fins.read(area, word, n, sid, bit)
    if kind in (1, 2):
        area, word, bit = where(n := rng.randrange(1, 5))
        return fins.write(area, word, [rng.randrange(2) if bit is not None else value() for _ in range(n)], sid, bit)
    if kind == 3:
        area, word, _ = where(n := rng.randrange(1, 20), False)
        return fins.fill(area, word, n, value(), sid)
    if kind == 4:
        return fins.multiple([fins.place(*where(1)) for _ in range(rng.randrange(1, 5))], sid)
    if kind == 5:
        n = rng.randrange(1, 5)
        return fins.transfer(fins.place(*where(n, False)), fins.place(*where(n, False)), n, sid)
    return fins.force([(rng.choice([0, 1, 0x8000, 0x8001, 0xFFFF]), fins.place(*where(1, True))) for _ in range(rng.randrange(1, 4))], sid)


def allowed(q, commands, values):
    if q["command"] not in commands:
        return False
    seen, left = fins.effects(q)
    areas = LIMITS if values is None else {a: LIMITS[a] for a in ("d", "e0")}
    inside = lambda area, word, bit: area in areas and areas[area][0] <= 16 * word + bit <= areas[area][1]
    # writes of bits in DM and EM need a row for words, as those of words do
    if not all(inside(*place) for place in seen + left):
        return False
    if values is None or not left:
        return True
    if q["data"][0] not in fins.WORDS:
        return False  # the later value of the word is not known
    written = q["data"][6:]
    return all(values[0] <= int.from_bytes(written[i:i + 2], "big") <= values[1] for i in range(0, len(written), 2))


def drawn(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    rng = random.Random(seed)
    requests = [draw(rng, i % 256) for i in range(2000)]
    for tcp in (False, True):
        out = []
        # each in its own flow, because over TCP a refusal ends the flow
        for i, b in enumerate(requests):
            if tcp:
                wire.Session(out, TOS, 20000 + i, PLC, 9600).open().ask(fins.node()).answer(fins.nodes()).ask(fins.tcp(b))
            else:
                out.append(wire.udp(TOS, 20000 + i, PLC, 9600, b))
        capture = t.file("drawn-%s.pcap" % ("tcp" if tcp else "udp"), wire.pcap(out))
        for name, (row, commands, values) in ROWS.items():
            r = t.replay(capture, policy=policy(t, "drawn-" + name, row))
            pdus = [p for p in r.pdus if p["function"] >> 16 != 1]
            t.equal("%s, %s: PDUs" % (tcp, name), len(pdus), len(requests))
            passed = 0
            for p in pdus:
                b = requests[int(p["client"].rsplit(":", 1)[1]) - 20000]
                want = allowed(fins.parse(b), commands, values)
                passed += want
                if not t.equal("%s, %s: %s" % (tcp, name, b.hex()), p["verdict"], "allow" if want else "deny"):
                    return
            t.true("%s, %s: some pass, some do not" % (tcp, name), 0 < passed < len(requests) - 20)


# ---- pieces --------------------------------------------------------------------------------------

def splits(t):
    row = policy(t, "splits", '{ commands = ["read"]; d = ["0-99"]; }')
    good, bad = fins.tcp(fins.read("d", 10, 2, 1)), fins.tcp(fins.write("d", 10, [1, 2], 2))
    right = fins.tcp(fins.answer(fins.READ, bytes(4), 0, 1))
    begin = [("c2s", 0x10000, "allow"), ("s2c", 0x10001, "allow")]
    want = begin + [("c2s", 0x01010000, "allow"), ("s2c", 0x01010000, "allow"), ("c2s", 0x01020000, "deny")]
    opened = lambda out: wire.Session(out, TOS, 40000, PLC, 9600).open().ask(fins.node()).answer(fins.nodes())
    said = lambda r: [(p["dir"], p["function"], p["verdict"]) for p in r.pdus]
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
    t.equal("a byte at a time", said(t.replay(t.file("bytes.pcap", wire.pcap(out)), policy=row)), want[:4])
    for at in range(5):  # the position of the forbidden one among five in one segment
        out = []
        frames = [fins.tcp(fins.read("d", 10, 2, k)) for k in range(5)]
        frames[at] = bad
        opened(out).ask(b"".join(frames))
        got = [v for d, f, v in said(t.replay(t.file("train.pcap", wire.pcap(out)), policy=row))]
        t.equal("train, %d" % at, got[2:3 + at], ["allow"] * at + ["deny"])


def trailing(t):
    """Extra bytes after a frame in its datagram, and a frame after a frame."""
    row = policy(t, "trailing", '{ commands = ["read"]; }')
    good, bad = fins.read("d", 10, 2, 1), fins.write("d", 10, [1], 2)
    for name, b, want in (("alone", good, ["allow"]), ("a byte more", good + b"\0", ["deny"]), ("a write behind", good + bad, ["deny"]),
                          ("cut", good[:-1], ["deny"]), ("no command", good[:11], [])):
        r = t.replay(t.file("trailing.pcap", wire.pcap([wire.udp(TOS, 40000, PLC, 9600, b)])), policy=row)
        t.equal(name, [p["verdict"] for p in r.pdus], want)
    # The length field of FINS/TCP is larger or smaller than the frame.
    for off in (-4, -1, 1, 4):
        out = []
        b = bytearray(fins.tcp(good))
        b[7] += off
        wire.Session(out, TOS, 40000, PLC, 9600).open().ask(fins.node()).answer(fins.nodes()).ask(bytes(b) + fins.tcp(good))
        r = t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row)
        t.true("a length that lies by %d" % off, all(p["verdict"] == "deny" for p in r.pdus[2:]) and len(r.pdus) <= 4)


def cases(t):
    if not os.path.isdir(PCAPS) or shutil.which("tshark") is None:
        t.skip("fins real", "../shared/pcaps or tshark is not there")
    else:
        for path, senseless in FILES.items():
            yield "fins " + path.split("/")[0] + " " + os.path.basename(path), real, (t, os.path.join(PCAPS, path), senseless)
    yield "fins drawn", drawn, (t,)
    yield "fins splits", splits, (t,)
    yield "fins trailing", trailing, (t,)

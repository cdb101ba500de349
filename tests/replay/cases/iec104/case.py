# SPDX-License-Identifier: Apache-2.0
import os
import random
import shutil
import struct
import subprocess
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import iec104  # noqa: E402

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")
ENERGY = "fkie-cad__ipal_datasets/EnergyDataset/raw/"
# capture: client ports of flows with invalid APDUs, and whether segments are lost or repeated
FILES = {
    ENERGY + "orig.pcap": ([], False),
    ENERGY + "R-0.1-0.pcap": ([], True),
    ENERGY + "C-0.1-0.pcap": ([], True),
    ENERGY + "S-0.1-0.pcap": ([], True),
    "ITI__ICS-Security-Tools/pcaps/IEC60870-5-104/JavaRMI_and_IEC_Misc.pcap": ([], False),
    # made to test dissectors: bytes before, between and instead of APDUs
    "ITI__ICS-Security-Tools/pcaps/IEC60870-5-104/TestDissectIec104.pcap": ([1568, 1570, 1571, 1572, 1577], False),
    "georgemakrakis__zeek-iec104/testing/Traces/first/iec104.pcap": ([], False),
}
TOS, RTU = "10.20.0.10", "10.30.1.10"

POLICY = """language_version = 1;
site = {{ name = "iec104"; label = "iec104"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ rtu = {{ protocol = "iec104"; ports = ["tcp/2404"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["rtu"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
STATIONS = "ca = [\"1-65535\"];"  # includes the address of all stations


def policy(t, name, allow=""):
    return t.file(name + ".cfg", POLICY.format(allow=allow and "allow = ( %s );" % allow))


# ---- tshark's reading ----------------------------------------------------------------------------

def tshark(path):
    """{frame: its messages, in order}. A message is the type of its ASDU. Without an ASDU it is
    1000 plus the first byte of the control field."""
    out = subprocess.run(["tshark", "-r", path, "-Y", "iec60870_104", "-T", "fields", "-e", "frame.number", "-e", "iec60870_104.type",
                          "-e", "iec60870_104.utype", "-e", "iec60870_asdu.typeid"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    frames = {}
    for line in out.splitlines():
        number, kinds, says, types = ([int(v, 0) for v in part.split(",") if v] for part in line.split("\t"))
        says, types = iter(says), iter(types)
        frames[number[0]] = [1000 + (next(says, 0) << 2 | 3) if k == 3 else 1001 if k == 1 else next(types, None) for k in kinds]
    return frames


def real(t, path, none, torn):
    frames = tshark(path)
    whole = t.replay(path, policy=policy(t, "whole"))
    t.equal("flows that hold what is no APDU", sorted(int(f["client"].rsplit(":", 1)[1]) for f in whole.flows if f["reason"] == "iec104.malformed"), none)
    compared = 0
    for p in whole.pdus:
        told = frames.get(p["packet"])
        if not told:  # tshark counts a message of several segments in another one of them
            continue
        kind = told.pop(0)
        compared += 1
        if not t.equal("packet %d" % p["packet"], 101 if p["function"] == 301 else p["function"], kind):
            return
    t.true("most are compared: %d of %d" % (compared, len(whole.pdus)), compared * 10 >= len(whole.pdus) * (2 if torn else 9) and compared > 50)
    codes = sorted({p["function"] for p in whole.pdus if p["dir"] == "c2s" and p["function"] < 1000})
    t.true("some commands", len(codes) > 0)

    def judge(name, allow, may):
        r = t.replay(path, policy=policy(t, name, allow))
        if not t.equal(name + ": PDUs", len(r.pdus), len(whole.pdus)):
            return
        for p in r.pdus:
            code = p["function"]
            session, asks = code >= 1000, p["dir"] == "c2s"
            want = session or code in may or (not asks and code not in iec104.COMMANDS)
            if not want and not asks and torn and p["verdict"] == "allow":
                want = p["reason"] == "iec104.unseen_request"
            if not t.equal("%s: packet %d, %s of %d" % (name, p["packet"], p["dir"], code), p["verdict"], "allow" if want else "deny"):
                return

    named = lambda some: "{ functions = [%s]; %s }" % (", ".join('"%d"' % c for c in some), STATIONS)
    judge("whole again", "", set(codes))
    judge("each", named(codes), set(codes))
    for gone in codes:
        left = [c for c in codes if c != gone]
        judge("without %d" % gone, named(left or [107]), set(left))
    judge("read", '{ commands = ["read"]; %s }' % STATIONS, iec104.READS)
    judge("diagnose", '{ commands = ["diagnose"]; %s }' % STATIONS, iec104.DIAGNOSES)


# ---- drawn ---------------------------------------------------------------------------------------

ROWS = {
    "read": ('{ commands = ["read"]; ca = ["1-3"]; ioa = ["100-199"]; }', lambda q: q["type"] in iec104.READS and inside(q)),
    "control": ('{ commands = ["control"]; ca = ["1-3"]; ioa = ["100-199"]; }', lambda q: q["type"] in iec104.CONTROLS and inside(q)),
    "set": ('{ commands = ["control", "write"]; ca = ["1-3"]; ioa = ["100-199"]; values = ["0-100"]; }',
            lambda q: q["type"] in iec104.CONTROLS | iec104.WRITES and inside(q) and (q["value"] is None or q["value"] <= 100)),
    "select": ('{ functions = ["C_SC_NA_1", "C_DC_NA_1", "C_SE_NB_1"]; ca = ["1-3"]; qualifiers = ["1", "0.3"]; }',
               lambda q: q["type"] in (45, 46, 49) and 1 <= q["ca"] <= 3 and (q["qualifier"] >= 256 or q["qualifier"] == 3)),
    "causes": ('{ commands = ["read", "write", "control"]; causes = ["6"]; originators = ["0-7"]; }',
               lambda q: q["type"] not in iec104.DIAGNOSES and q["cause"] == 6 and q["originator"] <= 7 and q["ca"] != 65535),
}
NOWHERE = {100, 101, 103, 104, 105, 106, 107, 301}


def inside(q):
    return 1 <= q["ca"] <= 3 and (q["type"] in NOWHERE or 100 <= q["ioa"] <= 199)


def draw(rng):
    kind = rng.choice(sorted(iec104.SIZES))
    n = iec104.SIZES[kind]
    body = bytes(rng.choice([0, 0, 0, 1, 1, 2, 3, 13, 64, 128, 129, 255]) for _ in range(n))
    if kind in (58, 59, 60, 61, 62, 63, 64, 103, 107):  # a valid time
        body = body[:n - 7] + struct.pack("<HBBBBB", rng.randrange(60000), rng.randrange(60), rng.randrange(24), rng.randrange(1, 32), rng.randrange(1, 13), 26)
    if kind == 104 and rng.random() < 0.8:
        body = b"\xaa\x55"
    ioa = rng.choice([0, 0, 1, 99, 100, 101, 150, 198, 199, 200, 65636, 65735])
    if kind in NOWHERE and rng.random() < 0.9:
        ioa = 0
    cause = rng.choice([5 if kind == 102 else 6] * 6 + [8, 7, 0x86, 0x46])
    return iec104.command(kind, ioa, body, cause, rng.choice([1, 2, 3, 3, 4, 0, 257, 65535]), rng.choice([0, 0, 7, 8]))


def drawn(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    rng = random.Random(seed)
    asks = [draw(rng) for _ in range(2000)]
    out = []
    for k, a in enumerate(asks):  # each in its own flow, because a refusal ends the flow
        wire.Session(out, TOS, 20000 + k, RTU, 2404).open().ask(iec104.u(iec104.STARTDT_ACT)).answer(iec104.u(iec104.STARTDT_CON)).ask(iec104.i(a))
    capture = t.file("drawn.pcap", wire.pcap(out))
    for name, (row, may) in ROWS.items():
        r = t.replay(capture, policy=policy(t, "drawn-" + name, row))
        pdus = [p for p in r.pdus if p["function"] < 1000]
        t.equal(name + ": PDUs", len(pdus), len(asks))
        passed = 0
        for p in pdus:
            a = asks[int(p["client"].rsplit(":", 1)[1]) - 20000]
            q = iec104.parse(a)
            want = q is not None and may(q)
            passed += want
            if not t.equal("%s: %s" % (name, a.hex()), p["verdict"], "allow" if want else "deny"):
                return
            if q is None and not t.equal(a.hex() + " makes no sense", p["reason"], "iec104.malformed"):
                return
        t.true("%s: some pass, some do not: %d" % (name, passed), 0 < passed < len(asks) - 20)


# ---- pieces --------------------------------------------------------------------------------------

def opened(out, port=40000):
    return wire.Session(out, TOS, port, RTU, 2404).open().ask(iec104.u(iec104.STARTDT_ACT)).answer(iec104.u(iec104.STARTDT_CON))


def told(r):
    return [(p["dir"], p["function"], p["verdict"]) for p in r.pdus]


def splits(t):
    row = policy(t, "splits", '{ commands = ["read"]; ioa = ["100-199"]; }')
    ends = iec104.Ends()
    good = ends.ask(iec104.interrogate())
    right = ends.tell(iec104.confirm(iec104.interrogate())) + ends.tell(iec104.measured(7, 1.5, 20)) + ends.tell(iec104.confirm(iec104.interrogate(), 10))
    bad = ends.ask(iec104.single(100, 1))
    begin = [("c2s", 1007, "allow"), ("s2c", 1011, "allow"), ("c2s", 100, "allow"), ("s2c", 100, "allow"), ("s2c", 13, "allow"), ("s2c", 100, "allow")]
    want = begin + [("c2s", 45, "deny")]
    for cut in [None] + list(range(1, len(bad))):
        out = []
        s = opened(out).ask(good).answer(right)
        s.ask(bad) if cut is None else s.ask(bad[:cut]).ask(bad[cut:])
        t.equal("cut at %s" % cut, told(t.replay(t.file("cut.pcap", wire.pcap(out)), policy=row)), want)
    out = []
    s = opened(out)
    for b in good:
        s.ask(bytes([b]))
    for b in right:
        s.answer(bytes([b]))
    t.equal("a byte at a time", told(t.replay(t.file("bytes.pcap", wire.pcap(out)), policy=row)), begin)
    for at in range(5):  # the position of the forbidden one among five in one segment
        out = []
        opened(out).ask(b"".join(iec104.i(iec104.single(100, 1) if k == at else iec104.read(100 + k), k) for k in range(5)))
        got = [v for _, _, v in told(t.replay(t.file("train.pcap", wire.pcap(out)), policy=row))]
        t.equal("train, %d" % at, got[2:3 + at], ["allow"] * at + ["deny"])


def lies(t):
    """Lengths that do not fit the type, numbers that do not follow each other, other lengths of
    fields, commands inside a file."""
    row = policy(t, "lies", '{ commands = ["read", "program"]; }')
    good = iec104.i(iec104.interrogate())
    inside_ = iec104.command(125, 1, b"\1\0\1" + bytes([16]) + iec104.i(iec104.single(100, 1)), iec104.FILE)
    harmless = iec104.command(125, 1, b"\1\0\1" + bytes([15]) + iec104.i(iec104.read(100)), iec104.FILE)
    # as in 101: one byte for the cause, one for the address, two for the object
    short = bytes([0x68, 4 + 8]) + bytes(4) + bytes([100, 1, 6, 1, 0, 0, 0, 20])
    for name, asked, reason in (
            ("as it is", good, None), ("longer by one", good[:1] + b"\x0f" + good[2:] + b"\0", "iec104.malformed"),
            ("shorter by one", good[:1] + b"\x0d" + good[2:], "iec104.malformed"), ("two objects", good[:7] + b"\2" + good[8:], "iec104.malformed"),
            ("shorter fields", short, "iec104.malformed"), ("number 1 first", iec104.i(iec104.interrogate(), 1), "iec104.number"),
            ("acknowledges what was not sent", iec104.i(iec104.interrogate(), 0, 1), "iec104.number"),
            ("the same number twice", good + iec104.i(iec104.read(1)), "iec104.number"), ("what a station sends", iec104.i(iec104.measured(1, 1.0)), "iec104.direction"),
            ("a command in a file", iec104.i(inside_), "iec104.inside"), ("an allowed one in a file", iec104.i(harmless), None)):
        out = []
        opened(out).ask(asked)
        r = t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row)
        t.equal(name, [f["reason"] for f in r.flows], [reason or "allowed"])
    out = []
    wire.Session(out, TOS, 40000, RTU, 2404).open().ask(iec104.u(iec104.TESTFR_ACT)).answer(iec104.u(iec104.TESTFR_CON)).ask(good)
    t.equal("data before STARTDT", [f["reason"] for f in t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row).flows], ["iec104.session"])


def cases(t):
    if not os.path.isdir(PCAPS) or shutil.which("tshark") is None:
        t.skip("iec104 real", "../shared/pcaps or tshark is not there")
    else:
        for path, (none, torn) in FILES.items():
            yield "iec104 " + path.split("/")[0] + " " + os.path.basename(path), real, (t, os.path.join(PCAPS, path), none, torn)
    yield "iec104 drawn", drawn, (t,)
    yield "iec104 splits", splits, (t,)
    yield "iec104 lies", lies, (t,)

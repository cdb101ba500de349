# SPDX-License-Identifier: Apache-2.0
import os
import random
import shutil
import struct
import subprocess
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import opcua  # noqa: E402
from opcua import node  # noqa: E402

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")
FOLDER = "cisagov__icsnpp-opcua-binary/"
# capture: the security policy that rows have to name
FILES = {FOLDER + "pcaps/" + name + ".pcap": secured for name, secured in {
    "opcua_with-gap": None,
    "opcua_with-gap_with-handshake": None,
    "open62541_browse_has_server_idx": None,
    "open62541_browse_request_with_results": None,
    "open62541_browse_with_diagnostic_info": None,
    "open62541_client-server-getEndpoints": None,
    "open62541_client-server_encrypted": 2,
    "open62541_client-server_mainloop-4-InnerDiagInfo": None,
    "open62541_client-server_mainloop-ActivateSession-diagInfo": None,
    "open62541_client-server_mainloop-hasInnerDiagInfo": None,
    "open62541_client-server_mainloop-hasInnerDiagInfohasAddlInfo": None,
    "open62541_client-server_mainloop-no-handshake": None,
    "open62541_client-server_mainloop-not-localhost": None,
    "open62541_client-server_mainloop-not-localhost-non-standard-port": None,
    "open62541_client-server_mainloop-withStringTable": None,
    "open62541_client-server_mainloop": None,
    "open62541_read_service_test_data": None,
    "open62541_read_service_test_data_with_history": None,
    "python_opcua-client-server_encrypted": 4,
    "python_opcua-client-server_minimal": None,
}.items()}
FILES[FOLDER + "tests/traces/open62541_client-server_mainloop.pcap"] = None
FILES[FOLDER + "tests/traces/pending_overflow.pcap"] = None
TOS, PLC = "10.20.0.10", "10.30.1.10"

POLICY = """language_version = 1;
site = {{ name = "opcua"; label = "opcua"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ ua = {{ protocol = "opcua"; ports = ["tcp/4840", "tcp/48010"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["ua"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
OPEN = "security_policies = [1];"  # a channel without security has to be named


def policy(t, name, allow=""):
    return t.file(name + ".cfg", POLICY.format(allow=allow and "allow = ( %s );" % allow))


def moved(t, path):
    """A capture of a host's loopback, whose addresses no policy may contain."""
    with open(path, "rb") as f:
        data = f.read()
    here = bytes(15) + b"\1"
    return t.file("moved-" + os.path.basename(path), data.replace(here * 2, (b"\xfd" + here[1:]) * 2).replace(b"\x7f\0\0\1" * 2, b"\x0a\x7f\0\1" * 2))


# ---- tshark's reading ----------------------------------------------------------------------------

def tshark(path):
    """The messages of each frame of the capture in order: the code of a request, or of the request
    that is answered; None: unreadable, or an error."""
    out = subprocess.run(["tshark", "-r", path, "-d", "tcp.port==48010,opcua", "-Y", "opcua", "-T", "fields", "-e", "frame.number", "-e", "opcua.transport.type",
                          "-e", "opcua.servicenodeid.numeric"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    says = {"HEL": opcua.HELLO, "ACK": opcua.ACKNOWLEDGE, "ERR": opcua.ERROR}
    answers = {opcua.answer_of(c): c for c in opcua.COMMANDS | opcua.SETUP if c < 65536}
    frames = {}
    for line in out.splitlines():
        number, kinds, codes = line.split("\t")
        codes = iter(int(c) for c in codes.split(",") if c)
        told = [says.get(kind) or next(codes, None) for kind in kinds.split(",")]
        frames[int(number)] = [answers.get(code, None if code == opcua.FAULT else code) for code in told]
    return frames


def real(t, path, secured):
    frames, strange = tshark(path), "pending_overflow" in path
    path = moved(t, path)
    whole = t.replay(path, policy=policy(t, "whole"))
    # in one capture, which was made to test a parser, the ends have changed places
    t.equal("refused", [(p["packet"], p["reason"]) for p in whole.pdus if p["verdict"] != "allow"],
            [(p["packet"], "opcua.response") for p in whole.pdus if strange and p["dir"] == "s2c"])
    t.equal("messages that tshark sees and replay does not", sum(map(len, frames.values())) - len(whole.pdus), -1 if "gap" in path else 0)
    compared = 0
    for p in whole.pdus:
        told = frames.get(p["packet"])
        compared += bool(told)
        kind = told.pop(0) if told else None
        # signed and not encrypted: tshark reads the contents although nothing shows the mode
        if kind is None or p["function"] == opcua.SECURED and secured:
            continue
        code = {431: 428, opcua.WRITE_ATTRIBUTE: 673}.get(p["function"], p["function"])
        if not t.equal("packet %d" % p["packet"], code, kind):
            return
    t.true("most are compared: %d of %d" % (compared, len(whole.pdus)), compared * 10 >= len(whole.pdus) * 9)
    if strange:
        return
    codes = sorted({p["function"] for p in whole.pdus if p["function"] in opcua.COMMANDS})

    def judge(name, allow, may):
        r = t.replay(path, policy=policy(t, name, allow))
        if not t.equal(name + ": messages", len(r.pdus), len(whole.pdus)):
            return
        for p in r.pdus:
            code = p["function"]
            want = code in may or code not in opcua.COMMANDS | {opcua.SECURED}
            if not t.equal("%s: packet %d, %s of %d, %s" % (name, p["packet"], p["dir"], code, p["reason"]), p["verdict"], "allow" if want else "deny"):
                return

    seal = [opcua.SECURED] if secured else []
    extra = ', { functions = ["Secured"]; security_policies = [%d]; }' % secured if secured else ""
    named = lambda some: "{ functions = [%s]; %s }" % (", ".join('"%d"' % c for c in some or [422]), OPEN)
    judge("whole again", "", set(codes + seal))
    judge("each", named(codes) + extra, set(codes + seal))
    for gone in codes:
        left = [c for c in codes if c != gone]
        judge("without %d" % gone, named(left) + extra, set(left + seal))
    judge("read", '{ commands = ["read"]; %s }' % OPEN, opcua.READS)
    judge("diagnose", '{ commands = ["diagnose"]; %s }' % OPEN, opcua.DIAGNOSES)
    if secured:
        judge("not this security", named(codes) + ', { functions = ["Secured"]; security_policies = [%d]; }' % (secured + 1), set(codes))
        judge("every word", '{ commands = ["read", "write", "control", "program", "diagnose"]; security_policies = [1, %d]; }' % secured, set(codes + seal))
    # without a row that names the policy None nothing is read
    r = t.replay(path, policy=policy(t, "unnamed", '{ commands = ["read", "write", "control", "program", "diagnose"]; }'))
    t.equal("None is not named", {p["verdict"] for p in r.pdus if p["dir"] == "c2s" and p["security policy"] == 1}, {"deny"})


# ---- drawn ---------------------------------------------------------------------------------------

ROWS = {
    "read": ('{ commands = ["read"]; %s node_ids = ["2.100-199"]; }' % OPEN, lambda q: q["code"] in opcua.READS and all(inside(n) for n in q["nodes"])),
    "write": ('{ commands = ["read", "write"]; %s node_ids = ["2.100-199"]; values = ["0-100", "4294967286-4294967295"]; }' % OPEN,
              lambda q: q["code"] in opcua.READS | {673} and all(inside(n) for n in q["nodes"]) and all(fits(v) for v in q["values"])),
    "call": ('{ functions = ["Call"]; %s node_ids = ["2.1-199"]; values = ["0-100"]; }' % OPEN,
             lambda q: q["code"] == 712 and all(n[0] == 2 and isinstance(n[1], int) and 1 <= n[1] <= 199 for n in q["nodes"]) and
             all(v is not None and 0 <= v <= 100 for v in q["values"])),
    "attributes": ('{ commands = ["read", "write", "program"]; %s attributes = ["13"]; }' % OPEN,
                   lambda q: q["code"] in opcua.READS | opcua.WRITES | opcua.PROGRAMS and q["attribute"] in (None, 13)),
    "all nodes": ('{ commands = ["read", "control"]; %s }' % OPEN, lambda q: q["code"] in opcua.READS | opcua.CONTROLS),
}


def inside(n):
    return n[0] == 2 and isinstance(n[1], int) and 100 <= n[1] <= 199


def fits(v):
    return v is not None and (0 <= v <= 100 or -10 <= v < 0)


def draw_value(rng):
    """A variant, and the number in it; None: it has no number that a row could limit."""
    kind = rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 80])
    if kind == 80:  # an array
        return bytes([0x80 | 4]) + opcua.array([struct.pack("<h", 1)]), None
    if kind == 12:
        return opcua.variant(12, "100"), None
    value = rng.choice([0, 1]) if kind == 1 else rng.choice([0, 1, 50, 99, 100, 101, -1, -10, -11] if kind in (2, 4, 6, 8, 10, 11) else [0, 1, 50, 99, 100, 101, 255])
    return opcua.variant(kind, value), value


def draw(rng):
    number = lambda: (rng.choice([2, 2, 2, 2, 0, 3]), rng.choice([1, 99, 100, 101, 150, 199, 200, 65636, 4294967295, "Speed"] if rng.random() < 0.5 else [100, 150, 199]))
    form = lambda n: node(n[0], n[1], 2 if isinstance(n[1], int) and rng.random() < 0.3 else None)
    nodes = [number() for _ in range(rng.choice([1, 1, 2, 3, 5]))]
    attribute = rng.choice([13, 13, 13, 1, 17])
    q = {"code": 0, "nodes": nodes, "values": [], "attribute": None}
    what = rng.choice(["read", "write", "call", "browse", "monitor", "delete", "publish", "endpoints"])
    if what == "read":
        return {**q, "code": 631, "attribute": attribute}, opcua.read([form(n) for n in nodes], attribute)
    if what == "write":
        values = [draw_value(rng) for _ in nodes]
        index = rng.choice([None, None, None, None, "0:1"])
        return {**q, "code": 673 if attribute == 13 else opcua.WRITE_ATTRIBUTE, "attribute": attribute, "values": [None if index else v for _, v in values]}, \
            opcua.write([(form(n), opcua.data_value(v, *rng.choice([(None, None), (0, None), (None, 5)]))) for n, (v, _) in zip(nodes, values)], attribute, index)
    if what == "call":
        calls, values = [], []
        for n in nodes:
            arguments = [draw_value(rng) for _ in range(rng.choice([0, 1, 2]))]
            values += [v for _, v in arguments]
            calls.append((form(n), form((2, 7)), [v for v, _ in arguments]))
        return {**q, "code": 712, "nodes": nodes + [(2, 7)], "values": values}, opcua.call(calls)
    if what == "browse":
        return {**q, "code": 527}, opcua.browse([form(n) for n in nodes])
    if what == "monitor":
        return {**q, "code": 751, "attribute": attribute}, opcua.monitor([form(n) for n in nodes], 1, attribute)
    if what == "delete":
        return {**q, "code": 500}, opcua.delete_nodes([form(n) for n in nodes])
    return {**q, "code": 826 if what == "publish" else 428, "nodes": []}, opcua.publish() if what == "publish" else opcua.endpoints()


def begun(out, port=40000):
    """A session with an open channel."""
    ends = opcua.Ends()
    s = wire.Session(out, TOS, port, PLC, 4840).open()
    for ask, answer in ends.begin():
        s.ask(ask).answer(answer)
    return ends, s


def drawn(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    rng = random.Random(seed)
    asks = [draw(rng) for _ in range(1500)]
    out = []
    for k, (_, body) in enumerate(asks):  # each in its own flow, because a refusal ends the flow
        ends, s = begun(out, 20000 + k)
        s.ask(ends.ask(body, rng.choice([1, 1, 1, 2, 3])))
    capture = t.file("drawn.pcap", wire.pcap(out))
    for name, (row, may) in ROWS.items():
        r = t.replay(capture, policy=policy(t, "drawn-" + name, row))
        pdus = [p for p in r.pdus if p["function"] in opcua.COMMANDS]
        t.equal(name + ": requests", len(pdus), len(asks))
        passed = 0
        for p in pdus:
            q, body = asks[int(p["client"].rsplit(":", 1)[1]) - 20000]
            passed += may(q)
            if not t.equal("%s: %s %s" % (name, q, body.hex()), (p["function"], p["verdict"]), (q["code"], "allow" if may(q) else "deny")):
                return
        t.true("%s: some pass, some do not: %d" % (name, passed), 0 < passed < len(asks) - 20)


# ---- pieces --------------------------------------------------------------------------------------

def told(r):
    return [(p["dir"], p["function"], p["verdict"]) for p in r.pdus]


BEGIN = [("c2s", opcua.HELLO, "allow"), ("s2c", opcua.ACKNOWLEDGE, "allow"), ("c2s", 446, "allow"), ("s2c", 446, "allow")]


def splits(t):
    row = policy(t, "splits", '{ commands = ["read"]; %s node_ids = ["2.100-199"]; }' % OPEN)
    value = opcua.answer(634, opcua.array([opcua.data_value(opcua.variant(6, 5))]))
    bad = lambda: opcua.write([(node(2, 100), opcua.data_value(opcua.variant(6, 1)))])
    n = len(opcua.Ends().ask(bad()))
    for cut in [None] + list(range(1, n)):
        out = []
        ends, s = begun(out)
        s.ask(ends.ask(opcua.read([node(2, 100)]))).answer(ends.tell(value))
        b = ends.ask(bad())
        s.ask(b) if cut is None else s.ask(b[:cut]).ask(b[cut:])
        t.equal("cut at %s" % cut, told(t.replay(t.file("cut.pcap", wire.pcap(out)), policy=row)), BEGIN + [("c2s", 631, "allow"), ("s2c", 631, "allow"), ("c2s", 673, "deny")])
    for parts in (2, 3, 7):
        out = []
        ends, s = begun(out)
        for b in ends.ask(opcua.read([node(2, 100)]), parts):
            s.ask(bytes([b]))
        for b in ends.tell(value, parts=parts):
            s.answer(bytes([b]))
        s.ask(ends.ask(bad(), parts))
        got = told(t.replay(t.file("chunks.pcap", wire.pcap(out)), policy=row))
        t.equal("in %d chunks, a byte at a time" % parts, (got[:5], {g for g in got[5:-1]}, got[-1]),
                (BEGIN + [("c2s", 631, "allow")], {("s2c", 631, "allow")}, ("c2s", 673, "deny")))
    for at in range(5):  # the position of the forbidden one among five in one segment
        out = []
        ends, s = begun(out)
        s.ask(b"".join(ends.ask(bad() if k == at else opcua.read([node(2, 100 + k)])) for k in range(5)))
        got = [v for _, _, v in told(t.replay(t.file("train.pcap", wire.pcap(out)), policy=row))]
        t.equal("train, %d" % at, got[4:5 + at], ["allow"] * at + ["deny"])
    out = []  # an answer that is longer than one that is judged
    ends, s = begun(out)
    s.ask(ends.ask(opcua.read([node(2, 100)])))
    long = ends.tell(opcua.answer(634, bytes(60000)))
    for at in range(0, len(long), 1400):
        s.answer(long[at:at + 1400])
    s.ask(ends.ask(opcua.read([node(2, 101)]))).answer(ends.tell(value))
    got = told(t.replay(t.file("long.pcap", wire.pcap(out)), policy=row))
    t.equal("a long answer", ({g[2] for g in got}, got[-2:]), ({"allow"}, [("c2s", 631, "allow"), ("s2c", 631, "allow")]))


def lies(t):
    """Wrong sizes, numbers that do not follow each other, other channels and tokens, messages that
    are too early or from the wrong end."""
    row = policy(t, "lies", '{ commands = ["read"]; %s }' % OPEN)
    one = lambda: opcua.read([node(2, 1)])

    def size(b, by):
        return b[:4] + struct.pack("<I", struct.unpack("<I", b[4:8])[0] + by) + b[8:]

    def with_end(change):
        def ask(ends):
            change(ends)
            return ends.ask(one())
        return ask

    def twice(ends):
        first = ends.ask(one())
        ends.request -= 1
        return first + ends.ask(one())

    def between(ends):  # a chunk of another request inside a message
        a, b = ends.ask(one(), 2), ends.ask(one())
        n = struct.unpack("<I", a[4:8])[0]
        return a[:n] + b + a[n:]

    for name, ask, reason in (
            ("as it is", lambda e: e.ask(one()), None), ("longer by one", lambda e: size(e.ask(one()) + b"\0", 1), "opcua.malformed"),
            ("shorter by one", lambda e: size(e.ask(one()), -1), "opcua.malformed"), ("all there, and says more", lambda e: size(e.ask(one()), 1), "opcua.malformed"),
            ("no such message", lambda e: b"MSH" + e.ask(one())[3:], "opcua.malformed"), ("no such chunk", lambda e: e.ask(one())[:3] + b"X" + e.ask(one())[4:], "opcua.malformed"),
            ("another channel", with_end(lambda e: setattr(e, "channel", 8)), "opcua.channel"), ("another token", with_end(lambda e: setattr(e, "token", 2)), "opcua.channel"),
            ("a number left out", with_end(lambda e: e.sent.update(c=e.sent["c"] + 1)), "opcua.number"), ("a number again", with_end(lambda e: e.sent.update(c=e.sent["c"] - 1)), "opcua.number"),
            ("one request twice", twice, "opcua.number"), ("a chunk between", between, "opcua.malformed"),
            ("broken off", lambda e: e.ask(one())[:3] + b"A" + e.ask(one())[4:], "opcua.malformed"), ("hello again", lambda e: opcua.hello(), "opcua.session"),
            ("what a server says", lambda e: opcua.acknowledge(), "opcua.session"), ("a second channel", lambda e: e.open(), "opcua.channel"),
            ("the same, renewed", lambda e: e.open(renew=True), None), ("now with security", lambda e: e.open(renew=True, policy=opcua.BASIC256SHA256), "opcua.service"),
            ("a mode that None has not", lambda e: e.open(renew=True, body=opcua.opens(True, 3)), "opcua.malformed"),
            ("behind the end", lambda e: e.close() + e.ask(one()), "opcua.session"), ("an answer", lambda e: e.ask(opcua.answer(634)), "opcua.service"),
            ("a service of another namespace", lambda e: e.ask(node(1, 631) + one()[4:]), "opcua.malformed"), ("no service", lambda e: e.ask(node(0, "Read") + one()[4:]), "opcua.malformed"),
            ("something behind it", lambda e: e.ask(one() + b"\0"), "opcua.malformed"), ("more nodes than bytes", lambda e: e.ask(one().replace(struct.pack("<dIi", 0, 2, 1), struct.pack("<dIi", 0, 2, 1 << 20))), "opcua.malformed"),
            ("300 nodes apart", lambda e: e.ask(opcua.read([node(2, 2 * k) for k in range(300)])), None), ("300 nodes in a row", lambda e: e.ask(opcua.read([node(2, k) for k in range(300)])), None)):
        out = []
        ends, s = begun(out)
        s.ask(ask(ends))
        t.equal(name, [f["reason"] for f in t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row).flows], [reason or "allowed"])
    for name, turns, reason in (
            ("a request ahead of a channel", [(opcua.hello(), opcua.acknowledge()), (opcua.Ends().ask(one()), None)], "opcua.session"),
            ("a channel ahead of a hello", [(opcua.Ends().open(), None)], "opcua.session"),
            ("an acknowledgement of nothing", [(None, opcua.acknowledge())], "opcua.session"),
            ("a server that opens", [(opcua.frame("RHE", opcua.string("urn:plc") + opcua.string("opc.tcp://plc")), None)], "opcua.reverse"),
            ("an error", [(opcua.hello(), opcua.error())], None)):
        out = []
        s = wire.Session(out, TOS, 40000, PLC, 4840).open()
        for ask, answer in turns:
            if ask:
                s.ask(ask)
            if answer:
                s.answer(answer)
        t.equal(name, [f["reason"] for f in t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row).flows], [reason or "allowed"])
    for name, tell, reason in (("as it is", lambda e: e.tell(opcua.answer(634)), None), ("another service", lambda e: e.tell(opcua.answer(676)), "opcua.response"),
                               ("a fault", lambda e: e.tell(opcua.answer(397, b"", 0x80010000)), None), ("another request", lambda e: e.tell(opcua.answer(634), 99), "opcua.response"),
                               ("twice", lambda e: e.tell(opcua.answer(634)) + e.tell(opcua.answer(634)), "opcua.response"),
                               ("a number left out", lambda e: e.tell(b"", numbers=struct.pack("<II", 9, 2)), "opcua.number"),
                               ("a question", lambda e: e.tell(one(), 99), "opcua.response")):
        out = []
        ends, s = begun(out)
        s.ask(ends.ask(one())).answer(tell(ends))
        t.equal("answered by " + name, [f["reason"] for f in t.replay(t.file("lies.pcap", wire.pcap(out)), policy=row).flows], [reason or "allowed"])


def cases(t):
    if not os.path.isdir(PCAPS) or shutil.which("tshark") is None:
        t.skip("opcua real", "../shared/pcaps or tshark is not there")
    else:
        for path, secured in FILES.items():
            yield "opcua " + path.split("/")[-2] + " " + os.path.basename(path), real, (t, os.path.join(PCAPS, path), secured)
    yield "opcua drawn", drawn, (t,)
    yield "opcua splits", splits, (t,)
    yield "opcua lies", lies, (t,)

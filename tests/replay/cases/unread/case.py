# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys

import wire
from wire import read_holding, holding, write_register, write_registers

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import enip  # noqa: E402
import s7  # noqa: E402

TOS, CRANE, OFFICE = "10.20.0.10", "10.30.1.10", "10.10.0.5"
READS = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "%s"; ports = ["tcp/%d"]; allow = ( { commands = ["read"]; } ); }; };
conduits = ( { name = "all"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "-"; owner = "-"; review_by = "2099-01-01"; } );
"""


def session(out, port=40000):
    return wire.Session(out, TOS, port, CRANE, 502)


def shifted(by, requests):
    """The bytes of all requests in segments of 12 bytes, which begin `by` bytes inside a
    request."""
    stream = b"".join(requests)
    return [stream[i:i + 12] for i in range(by, len(stream), 12)]


def flow(r):
    return [(f["verdict"], f["reason"], f["unread"]) for f in r.flows]


def slmp_write(data):
    body = bytes.fromhex("100001140000640000a8") + struct.pack("<H", len(data) // 2) + data
    return bytes.fromhex("500000ffff0300") + struct.pack("<H", len(body)) + body


def inside(t):
    """A session without its beginning, and a write in pieces whose values look like a read: the
    write is judged, wherever it is split. Where a PDU has an unknown function, reading does not
    begin, and does not skip it either."""
    read, s7_read = read_holding(1, 0, 1), s7.read([s7.place(0x84, 1, 0, 2)])
    slmp_read = bytes.fromhex("500000ffff03000c00100001040000640000a80100")
    asked = enip.request(7, enip.service(0x0E, b"\x20\1\x24\1\x30\5"))
    for protocol, port, small, write in (
            ("modbus", 502, read, write_registers(9, 400, list(struct.unpack("!6H", read)))),
            ("modbus", 502, read, wire.modbus(9, 1, b"\x6e" + read)),
            ("slmp", 5007, slmp_read, slmp_write(slmp_read + b"\0")),
            ("s7comm", 102, s7_read, s7.write([s7.place(0x84, 1, 0, len(s7_read))], [s7.value(s7_read)])),
            ("enip", 44818, asked, enip.request(7, enip.service(0x4D, enip.tag("abc"), b"\xc2\0" + struct.pack("<H", len(asked)) + asked)))):
        policy = t.file(protocol + ".cfg", READS % (protocol, port))
        at = write.index(small)
        known = protocol != "modbus" or write[7] == 16
        cuts = [[write[:i], write[i:]] for i in (6, at - 1, at, at + 1, len(write) - 1)] + [[bytes([b]) for b in write]]
        for parts in cuts:
            out = []
            s = wire.Session(out, TOS, 40000, CRANE, port)
            for part in parts + [small] * 3:
                s.ask(part)
            r = t.replay(t.file("inside.pcap", wire.pcap(out)), policy=policy)
            what = "%s: a read within a write, cut at %d of %d, the read at %d" % (protocol, len(parts[0]), len(write), at)
            t.equal(what, ([p["verdict"] for p in r.pdus], r.flows[0]["verdict"], r.flows[0]["unread"], r.status),
                    (["deny"] + ["allow"] * 3, "deny", 0, 1) if known else (["allow"] * 4, "unjudged", at, 3))


def check(t):
    inside(t)
    http = b"GET /index.html HTTP/1.1\r\nHost: crane\r\n\r\n"
    # without its beginning, and in another protocol: nothing was judged
    out = []
    s = session(out)
    for _ in range(5):
        s.ask(http).answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    r = t.replay(t.file("http.pcap", wire.pcap(out)))
    t.equal("HTTP without a start", ([f["verdict"] for f in r.flows], r.status), (["unjudged"], 3))
    t.true("HTTP without a start: bytes counted", r.flows[0]["unread"] >= 5 * len(http))
    t.equal("HTTP without a start: summary", (r.summary["unjudged_flows"], r.summary["unread"]), (1, r.flows[0]["unread"]))
    text = t.text(t.file("http.pcap", wire.pcap(out)))
    t.true("HTTP without a start: for people", b"UNJUDGED" in text.stdout and b"NOT JUDGED" in text.stdout and text.returncode == 3)
    # a conduit that only recognises protocols
    out = []
    s = wire.Session(out, OFFICE, 40000, "10.20.0.10", 443)
    for _ in range(3):
        s.ask(b"x" * 50)
    r = t.replay(t.file("named.pcap", wire.pcap(out)))
    t.equal("named only, without a start", (flow(r), r.status), ([("unjudged", "unread", 150)], 3))
    # without its beginning, and every segment shifted: the place is found
    reads = [read_holding(i, i, 1) for i in range(6)] + [write_register(6, 400, 1), read_holding(7, 1, 1)]
    for by in range(1, 12):
        out = []
        s = session(out)
        for part in shifted(by, reads):
            s.ask(part)
        r = t.replay(t.file("shifted-%d.pcap" % by, wire.pcap(out)))
        t.equal("shifted by %d: what is read" % by, [(p["function"], p["verdict"]) for p in r.pdus],
                [(3, "allow")] * 5 + [(6, "deny"), (3, "allow")])
        t.equal("shifted by %d: unread" % by, (r.flows[0]["unread"], r.status), (12 - by, 1))
    # after a lost segment: one byte each, and shifted
    for name, parts in (("bytes", lambda q: [bytes([b]) for b in b"".join(q)[3:]]), ("shifted", lambda q: shifted(5, q))):
        out = []
        s = session(out).open().ask(read_holding(90, 0, 1)).answer(holding(90, [1]))
        s.ask(b"\0" * 8)
        del out[-1]
        for part in parts(reads):
            s.ask(part)
        r = t.replay(t.file("behind-%s.pcap" % name, wire.pcap(out)))
        t.equal("behind a gap, %s" % name, [(p["function"], p["verdict"]) for p in r.pdus if p["dir"] == "c2s"],
                [(3, "allow")] * 6 + [(6, "deny"), (3, "allow")])
        t.equal("behind a gap, %s: status" % name, r.status, 1)
    # the lost segment would have shown which of two protocols this is
    two = t.file("two.cfg", open(os.path.join(os.path.dirname(wire.__file__), "site.cfg")).read().replace(
        "services = {", 'services = { other = { protocol = "slmp"; ports = ["tcp/502"]; };', 1).replace('["plc_read"];', '["plc_read", "other"];', 1))
    for gone in ([3], [3, 4]):
        out = []
        s = session(out).open()
        for i in range(3):
            s.ask(read_holding(i + 1, i, 1)).answer(holding(i + 1, [7]))
        s.ask(write_register(7, 400, 1))
        r = t.replay(t.file("nameless-%d.pcap" % len(gone), wire.pcap([p for i, p in enumerate(out) if i not in gone])), policy=two)
        t.equal("the first request of two protocols, lost with %d" % len(gone), [(p["function"], p["verdict"]) for p in r.pdus if p["dir"] == "c2s"],
                [(3, "allow"), (3, "allow"), (6, "deny")])
    # unread bytes are reported, and their answers are not called allowed
    out = []
    s = session(out).open().ask(read_holding(90, 0, 1)).answer(holding(90, [1]))
    s.ask(b"\0" * 8)
    del out[-1]
    for i in range(30):
        s.ask(b"\xff" * 20)
    s.answer(holding(5, [7]))
    r = t.replay(t.file("garbage.pcap", wire.pcap(out)))
    t.equal("garbage behind a gap", [(f["verdict"], f["unread"]) for f in r.flows], [("deny", 600)])
    t.equal("garbage behind a gap: its answer", [(p["dir"], p["verdict"], p["reason"]) for p in r.pdus][-1],
            ("s2c", "deny", "modbus.unread_request"))
    del out[-1]
    r = t.replay(t.file("garbage-alone.pcap", wire.pcap(out)))
    t.equal("garbage behind a gap, without an answer", (flow(r), r.status), ([("unjudged", "unread", 600)], 3))
    # an answer to a refused request that had no room among the open ones
    out = []
    s = session(out)
    s.answer(holding(80, [1]))
    for i in range(17):
        s.ask(write_register(i, 400, 1))
    s.answer(holding(81, [1]))
    r = t.replay(t.file("seventeen.pcap", wire.pcap(out)))
    t.equal("behind seventeen refused requests", (r.pdus[-1]["verdict"], r.pdus[-1]["reason"]), ("deny", "modbus.unread_request"))
    # the rest of a PDU whose beginning is not in the capture is reported as unread bytes
    out = []
    session(out).ask(read_holding(1, 0, 1)[5:]).ask(read_holding(2, 0, 1)).answer(holding(2, [7]))
    r = t.replay(t.file("rest.pcap", wire.pcap(out)))
    t.equal("the rest of a PDU", ([(f["verdict"], f["unread"]) for f in r.flows], r.status), ([("allow", 7)], 0))
    # bytes behind a gap may be such a rest or not, as long as no PDU is found after them
    for n in (1, 7, 20, 259):
        out = []
        s = session(out).open().ask(read_holding(90, 0, 1)).answer(holding(90, [1]))
        s.ask(b"\0" * 8)
        del out[-1]
        s.ask(b"\xff" * n)
        r = t.replay(t.file("short-garbage-%d.pcap" % n, wire.pcap(out)))
        t.equal("%d bytes of garbage behind a gap" % n, (flow(r), r.status), ([("unjudged", "unread", n)], 3))
    # the same holds if the bytes before the found PDU contain a complete request and other bytes
    out = []
    s = session(out).open().ask(read_holding(90, 0, 1)).answer(holding(90, [1]))
    s.ask(b"\0" * 8)
    del out[-1]
    s.ask(b"\xff" * 3 + write_register(1, 400, 1) + b"\xff" * 8).ask(read_holding(2, 0, 1)).answer(holding(2, [7]))
    r = t.replay(t.file("hidden.pcap", wire.pcap(out)))
    t.equal("a request among what was not read", (flow(r), r.status), ([("unjudged", "unread", 23)], 3))
    # a capture with only the beginning of each packet: the missing bytes are not judged, and
    # nothing of them is called allowed or refused
    for opened in (True, False):
        for keep in (54, 60, 64):
            out = []
            s = session(out)
            if opened:
                s.open()
            for i in range(3):
                s.ask(write_register(i, 400, 1)).answer(write_register(i, 400, 1))
            name = "cut at %d%s" % (keep, "" if opened else ", half-way")
            r = t.replay(t.file(name.replace(" ", "-") + ".pcap", wire.pcap(out, snaplen=keep)))
            t.equal(name, (flow(r), r.status), ([("unjudged", "unread", 72)], 3))
    # acknowledgements lose nothing, and complete packets are judged
    out = []
    session(out).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7])).c2s(wire.ACK).close()
    r = t.replay(t.file("cut-nothing.pcap", wire.pcap(out, snaplen=66)))
    t.equal("nothing but padding was cut", (flow(r), r.status), ([("allow", "allowed", 0)], 0))
    out = []
    s = session(out).open().ask(read_holding(1, 0, 1)).answer(holding(1, list(range(40))))
    s.ask(read_holding(2, 0, 1)).answer(holding(2, [7]))
    r = t.replay(t.file("cut-answer.pcap", wire.pcap(out, snaplen=80)))
    t.equal("one answer was cut", (flow(r), r.status, len(r.pdus)), ([("unjudged", "unread", 89)], 3, 3))
    s.ask(write_register(3, 400, 1))
    r = t.replay(t.file("cut-and-refused.pcap", wire.pcap(out, snaplen=80)))
    t.equal("a refusal behind it", ([f["verdict"] for f in r.flows], r.status), (["deny"], 1))
    # the server repeats its answer to a SYN that is not in the capture, after the session has gone
    # on
    out = []
    session(out).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7]))
    r = t.replay(t.file("answered-twice.pcap", wire.pcap([out[1], out[3], out[1], out[4]])))
    t.equal("a SYN answered twice", (flow(r), r.status), ([("allow", "allowed", 0)], 0))

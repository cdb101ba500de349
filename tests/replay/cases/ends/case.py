# SPDX-License-Identifier: Apache-2.0
"""What replay reports in four cases: a session's conduit ends while the session goes on; a conduit
opens meanwhile; a session began before the capture; a shadow would have refused something."""
import time

import wire
from wire import ACK, PSH, holding, read_holding, write_register

TOS, CRANE = "10.20.0.10", "10.30.1.10"
S = 1_000_000_000

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { reads = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; holding = ["0-99"]; } ); };
             all = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read", "write"]; holding = ["0-99"]; } ); };
             few = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; holding = ["0"]; } ); }; };
conduits = ( %s );
"""
CONDUIT = '{ name = "%s"; from = "tos"; to = "crane"; services = ["%s"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; %s }'
UNTIL = 'until = "%s";' % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wire.START + 2))


STARTS = UNTIL.replace("until", "starts")


def capture(t, name, packets, seconds):
    return t.file(name + ".pcap", wire.pcap(packets, at=[round(s * S) for s in seconds]))


def told(r):
    return [(p["type"], p["function"], p["verdict"]) for p in r.lines if p["type"] in ("pdu", "shadow") and p["dir"] == "c2s"]


def opens(t, form):
    """A conduit opens within a session: what it allows passes from then on. A session that was
    refused before passes once its client tries again."""
    packets = []
    wire.Session(packets, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7])).ask(write_register(2, 0, 1)).answer(write_register(2, 0, 1)).ask(
        read_holding(3, 0, 1)).answer(holding(3, [7]))
    at = [0, 0, 0, .5, .5, 2.5, 2.5, 3, 3]
    later = t.file("later.cfg", POLICY % ", ".join((CONDUIT % ("reads", "reads", ""), CONDUIT % ("writes", "all", STARTS))))
    r = t.replay(capture(t, "later", packets, at), form, policy=later)
    t.equal("opens within the session: PDUs", told(r), [("pdu", 3, "allow"), ("pdu", 6, "allow"), ("pdu", 3, "allow")])
    t.equal("opens within the session: status", r.status, 0)
    r = t.replay(capture(t, "earlier", packets, [0, 0, 0, .5, .5, 1, 1, 3, 3]), form, policy=later)
    t.equal("before it opens: the write", told(r)[1], ("pdu", 6, "deny"))
    alone = t.file("shut.cfg", POLICY % (CONDUIT % ("vendor", "all", STARTS)))
    syn = packets[0]
    r = t.replay(capture(t, "again", [syn, *packets], [0] + [x + 2.5 for x in at]), form, policy=alone)
    t.equal("refused, then opened: sessions", [(f["verdict"], f["packet"]) for f in r.flows], [("deny", 1), ("allow", 0)])
    t.equal("refused, then opened: PDUs", [x[2] for x in told(r)], ["allow"] * 3)
    r = t.replay(capture(t, "half", packets, at), form, policy=alone)
    t.equal("refused, and no new SYN: PDUs", told(r), [])
    datagram = wire.udp(TOS, 40000, CRANE, 5000, b"x")
    udp = t.file("udp.cfg", POLICY.replace("services = {", 'services = { udp = { protocol = "udp"; ports = ["udp/5000"]; };') % (CONDUIT % ("vendor", "udp", STARTS)))
    r = t.replay(capture(t, "udp", [datagram] * 3, [0, 1, 2.5]), form, policy=udp)
    t.equal("datagrams before and after", [(f["verdict"], f["packet"]) for f in r.flows], [("deny", 1), ("allow", 0)])


def check(t):
    opens(t, "--as-box")
    opens(t, "--as-captured")
    # Two requests before the end of their conduit, and two after it. After the end another conduit
    # for the same packets decides, or nothing allows them.
    packets = []
    wire.Session(packets, TOS, 40000, CRANE, 502).open().ask(write_register(1, 0, 1)).answer(write_register(1, 0, 1)).ask(read_holding(2, 0, 1)).answer(holding(2, [7])).ask(
        read_holding(3, 0, 1)).answer(holding(3, [7])).ask(write_register(4, 0, 1))
    at = [0, 0, 0, .5, .5, 1, 1, 2.5, 2.5, 3]
    alone = t.file("alone.cfg", POLICY % (CONDUIT % ("vendor", "all", UNTIL)))
    r = t.replay(capture(t, "alone", packets, at), "--as-box", policy=alone)
    t.equal("nothing below: PDUs", told(r), [("pdu", 6, "allow"), ("pdu", 3, "allow")])
    t.equal("nothing below: the session", [(f["verdict"], f["packet"]) for f in r.flows], [("deny", 8)])
    t.equal("nothing below: status", r.status, 1)
    below = t.file("below.cfg", POLICY % ", ".join((CONDUIT % ("vendor", "all", UNTIL), CONDUIT % ("reads", "reads", ""))))
    r = t.replay(capture(t, "below", packets, at), "--as-box", policy=below)
    t.equal("reads below: PDUs", told(r), [("pdu", 6, "allow"), ("pdu", 3, "allow"), ("pdu", 3, "allow"), ("pdu", 6, "deny")])
    # A shadow reports what it would have refused, and refuses nothing.
    shadow = t.file("shadow.cfg", POLICY % ", ".join((CONDUIT % ("reads", "reads", ""), CONDUIT % ("narrow", "few", 'mode = "observe"; shadow = true;'))))
    packets = []
    wire.Session(packets, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7])).ask(read_holding(2, 5, 1)).answer(holding(2, [7]))
    r = t.replay(capture(t, "shadow", packets, [0] * len(packets)), "--as-box", policy=shadow)
    t.equal("shadow: what passes", [x for x in told(r) if x[0] == "pdu"], [("pdu", 3, "allow"), ("pdu", 3, "allow")])
    t.equal("shadow: what it says", len([x for x in told(r) if x[0] == "shadow"]), 1)
    t.equal("shadow: status", r.status, 0)
    # The capture begins inside a session, with a part of a write: replay says that it could not
    # judge these bytes.
    packets = []
    s = wire.Session(packets, TOS, 40000, CRANE, 502).open()
    del packets[:]
    s.c2s(PSH | ACK, write_register(1, 0, 1)[4:]).ask(read_holding(2, 0, 1)).answer(holding(2, [7]))
    reads = t.file("reads.cfg", POLICY % (CONDUIT % ("reads", "reads", "")))
    r = t.replay(capture(t, "within", packets, [0] * len(packets)), policy=reads)
    t.true("within: not called allowed without a word", all(f["verdict"] != "allow" or f["flags"] for f in r.flows) and r.summary.get("unread", 1))

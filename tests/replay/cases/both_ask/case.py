# SPDX-License-Identifier: Apache-2.0
import os
import sys
import time

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import fins  # noqa: E402

SECOND = 10**9
OFFICE, PLC = "10.10.0.5", "10.30.1.10"
POLICY = """language_version = 1;
site = {{ name = "both"; label = "both"; }};
zones = {{ office = {{ interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; class = "it"; owner = "IT"; }};
           ot = {{ interfaces = ["lan1"]; networks = ["10.30.0.0/16"]; class = "ot"; owner = "OT"; }}; }};
services = {{ f = {{ protocol = "fins"; ports = ["udp/9600"]; allow = ( {{ commands = ["read"]; }} ); }};
              g = {{ protocol = "fins"; ports = ["udp/9600"]; allow = ( {{ commands = ["write"]; d = ["100-199"]; }} ); }}; }};
conduits = ( {{ name = "c"; from = "office"; to = "ot"; services = ["f"];{1} purpose = "tests"; owner = "tests"; review_by = "2099-01-01"; }}{0} );
"""
D = ', { name = "d"; from = "ot"; to = "office"; services = ["g"]; purpose = "tests"; owner = "tests"; review_by = "2099-01-01"; }'
READ, WRITE, BEYOND = fins.read("d", 0, 2), fins.write("d", 100, [1], to=fins.CLIENT, sender=fins.PLC), fins.write("d", 10, [1], to=fins.CLIENT, sender=fins.PLC)
HELD, WRITTEN = fins.answer(0x0101, b"\0\1\0\2"), fins.answer(0x0102, to=fins.PLC, sender=fins.CLIENT)


def office(b):
    return wire.udp(OFFICE, 9600, PLC, 9600, b)


def plc(b):
    return wire.udp(PLC, 9600, OFFICE, 9600, b)


def poll():
    return [office(READ), plc(HELD)]


def push():
    return [plc(WRITE), office(WRITTEN)]


def judged(r):
    """For each refused PDU its frame and reason, and the conduits that allowed the others."""
    return [(p["packet"], p["reason"]) for p in r.pdus if p["verdict"] != "allow"], {p["conduit"] for p in r.pdus if p["verdict"] == "allow"}


def check(t):
    both, one = t.file("both.cfg", POLICY.format(D, "")), t.file("one.cfg", POLICY.format("", ""))
    for mode in ("--as-box", "--as-captured"):
        for name, order in (("poll", (poll, push)), ("push", (push, poll))):
            for silence in (10, 70, 130, 300):
                first, then = order[0]() + order[1](), order[1]() + order[0]()
                packets = first + then + [plc(BEYOND)]
                at = [n * SECOND for n in range(4)] + [(silence + n) * SECOND for n in range(4, 9)]
                r = t.replay(t.file("%s.%d.pcap" % (name, silence), wire.pcap(packets, at=at)), mode, policy=both)
                refused, by = judged(r)
                what = "%s first, %d s, %s" % (name, silence, mode)
                t.equal(what + ": what d does not name is refused, and only that", refused, [(9, "fins.area")])
                t.equal(what + ": each by its own conduit", by, {"c", "d"})
                t.equal(what + ": the PLC's flow is refused, the office's not", {f["client"].split(":")[0] for f in r.flows if f["verdict"] != "allow"}, {PLC})
    for silence in (10, 70, 130, 300):
        packets = poll() + poll() + [plc(BEYOND)] + poll()
        at = [n * SECOND for n in (0, 1, 2, 3, silence + 4, silence + 5, silence + 6)]
        r = t.replay(t.file("one.%d.pcap" % silence, wire.pcap(packets, at=at)), "--as-box", policy=one)
        refused, by = judged(r)
        t.equal("without d, %d s: the PLC's write is refused, the reads pass" % silence,
                (r.status, refused, by, r.summary["refused_packets"].get("no_conduit", 0)),
                (1, [(5, "asked_back")] if silence < 120 else [], {"c"}, 0 if silence < 120 else 1))
    until = ' until = "%s";' % time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wire.START + 10))
    packets = poll() + push() + push() + poll() + [plc(BEYOND)]
    at = [n * SECOND for n in (0, 1, 2, 3, 20, 21, 22, 23, 24)]
    r = t.replay(t.file("until.pcap", wire.pcap(packets, at=at)), "--as-box", policy=t.file("until.cfg", POLICY.format(D, until)))
    refused, by = judged(r)
    t.equal("c has ended: what d names goes on, the reads do not", ([n for n, _ in refused], by), ([7, 8, 9], {"c", "d"}))

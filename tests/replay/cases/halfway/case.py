# SPDX-License-Identifier: Apache-2.0
import os
import sys

import wire
from wire import read_holding, holding, write_register

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "lib"))
import enip  # noqa: E402

TOS, CRANE = "10.20.0.10", "10.30.1.10"
ANY_PORT = """language_version = 1;
zones = { site = { interfaces = ["lan1"]; networks = ["10.20.0.0/24", "10.30.0.0/22"]; }; };
services = { cip = { protocol = "enip"; }; web = { protocol = "tls"; ports = ["tcp/443"]; }; };
conduits = ( { name = "all"; from = "site"; to = "site"; services = ["%s"]; purpose = "-"; owner = "-"; review_by = "2099-01-01"; } );
"""


def lower_client(t):
    """A client's port below its controller's, and policies that do not tell the ends apart: one
    allows both ways, one neither."""
    out = []
    s = wire.Session(out, TOS, 1066, CRANE, 44818)
    for n in (5, 6):
        ask = enip.service(0x0E, b"\x20\1\x24\1\x30" + bytes([n]))
        s.ask(enip.request(7, ask)).answer(enip.request(7, b"\x8e\0\0\0\1"))
    allowed = [("c2s", "allow"), ("s2c", "allow")] * 2
    for name, service, verdict, pdus in (("both", "cip", "allow", allowed), ("neither", "web", "deny", [])):
        for first, packets in (("request", out), ("answer", out[1:])):
            r = t.replay(t.file("%s-%s.pcap" % (name, first), wire.pcap(packets)), policy=t.file(name + ".cfg", ANY_PORT % service))
            label = "client's port is lower, %s, %s first" % (name, first)
            t.equal(label, [(f["client"], f["server"], f["verdict"]) for f in r.flows], [(TOS + ":1066", CRANE + ":44818", verdict)])
            t.equal(label + ": PDUs", [(p["dir"], p["verdict"]) for p in r.pdus], pdus if first == "request" else pdus[1:])


def check(t):
    # begins with a request
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).ask(read_holding(1, 0, 1)).answer(holding(1, [7])).ask(write_register(2, 1, 1))
    name = t.file("request.pcap", wire.pcap(out))
    r = t.replay(name)
    t.equal("request first", [(p["dir"], p["function"], p["verdict"]) for p in r.pdus],
            [("c2s", 3, "allow"), ("s2c", 3, "allow"), ("c2s", 6, "deny")])
    t.equal("request first: flags", [f["flags"] for f in r.flows], [["midstream"]])
    r = t.replay(name, "--as-box")
    t.equal("as the box", (r.pdus, [(f["verdict"], f["reason"], f["packet"]) for f in r.flows], r.status),
            ([], [("deny", "no_session", 1)], 1))
    # begins with an answer: what it answers is not known, and that is nobody's fault
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).answer(holding(9, [7])).ask(read_holding(1, 0, 1)).answer(holding(1, [7]))
    r = t.replay(t.file("answer.pcap", wire.pcap(out)))
    t.equal("answer first: status", r.status, 0)
    t.equal("answer first: client", [(f["client"], f["verdict"], f["flags"]) for f in r.flows],
            [("10.20.0.10:40000", "allow", ["midstream"])])
    t.equal("answer first: from the request on", [(p["dir"], p["verdict"]) for p in r.pdus][-2:],
            [("c2s", "allow"), ("s2c", "allow")])
    # begins inside a PDU
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).ask(read_holding(1, 0, 1)[5:]).ask(read_holding(2, 0, 1)).answer(holding(2, [7]))
    r = t.replay(t.file("inside.pcap", wire.pcap(out)))
    t.equal("inside a PDU: status", r.status, 0)
    t.equal("inside a PDU", [(p["dir"], p["verdict"]) for p in r.pdus], [("c2s", "allow"), ("s2c", "allow")])
    # wrong checksums, as offloading network cards leave them in captures of their own host
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 1), spoil=True).answer(holding(1, [7]))
    name = t.file("checksum.pcap", wire.pcap(out))
    r = t.replay(name)
    t.equal("checksum", ([p["verdict"] for p in r.pdus], [f["flags"] for f in r.flows], r.status),
            (["allow", "allow"], [["bad_checksum"]], 0))
    r = t.replay(name, "--as-box")
    t.equal("checksum as the box: the request is not judged", [p["dir"] for p in r.pdus if p["dir"] == "c2s"], [])
    # the capture lost a segment: judged again from the next whole request
    out = []
    s = wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7]))
    s.ask(read_holding(2, 0, 1)).answer(holding(2, [7])).ask(read_holding(3, 0, 1)).answer(holding(3, [7]))
    del out[5:7]
    s.ask(read_holding(4, 0, 1)).answer(holding(4, [7])).ask(write_register(5, 0, 1))
    r = t.replay(t.file("lost.pcap", wire.pcap(out, step=1_000_000_000)))
    t.equal("lost segment: nothing but the write is refused", [(p["function"], p["dir"]) for p in r.pdus if p["verdict"] == "deny"],
            [(6, "c2s")])
    t.equal("lost segment: status", r.status, 1)
    # after a refusal: the box cuts the session, the capture goes on
    out = []
    s = wire.Session(out, TOS, 40000, CRANE, 502).open().ask(write_register(1, 0, 1)).answer(write_register(1, 0, 1))
    s.ask(read_holding(2, 0, 1)).answer(holding(2, [7])).ask(write_register(3, 0, 1))
    name = t.file("after.pcap", wire.pcap(out))
    r = t.replay(name)
    t.equal("after a refusal, as captured", [(p["packet"], p["function"], p["verdict"]) for p in r.pdus],
            [(4, 6, "deny"), (5, 6, "deny"), (6, 3, "allow"), (7, 3, "allow"), (8, 6, "deny")])
    t.equal("after a refusal, as captured: flow", [(f["verdict"], f["packet"], f["denied_pdus"]) for f in r.flows], [("deny", 4, 3)])
    r = t.replay(name, "--as-box")
    t.equal("after a refusal, as the box", [(p["packet"], p["function"], p["verdict"]) for p in r.pdus], [(4, 6, "deny")])
    # a frame that the host's network card was to cut into segments, with a length of 0
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 1))
    out[-1] = out[-1][:2] + b"\0\0" + out[-1][4:]
    name = t.file("length-0.pcap", wire.pcap(out, "raw"))
    t.equal("length 0", [p["verdict"] for p in t.replay(name).pdus], ["allow"])
    t.equal("length 0 as the box", t.replay(name, "--as-box").pdus, [])
    lower_client(t)

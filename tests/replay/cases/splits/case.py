# SPDX-License-Identifier: Apache-2.0
import wire
from wire import ACK, PSH, read_holding, holding, write_register

TOS, CRANE = "10.20.0.10", "10.30.1.10"


def session(out, port=40000):
    return wire.Session(out, TOS, port, CRANE, 502).open()


def brief(r):
    return [(p["dir"], p["offset"], p["packet"], p["function"], p["verdict"]) for p in r.pdus]


def check(t):
    good, bad = read_holding(1, 0, 2), write_register(2, 400, 1)
    # cut in two at every place
    for cut in range(1, len(bad)):
        out = []
        session(out).ask(good).answer(holding(1, [1, 2])).ask(bad[:cut]).ask(bad[cut:])
        r = t.replay(t.file("cut-%d.pcap" % cut, wire.pcap(out)))
        t.equal("write cut at %d" % cut, brief(r), [("c2s", 0, 4, 3, "allow"), ("s2c", 0, 5, 3, "allow"),
                                                   ("c2s", 12, 7, 6, "deny")])
        t.equal("write cut at %d: flow" % cut, [(f["verdict"], f["packet"]) for f in r.flows], [("deny", 7)])
    # a byte at a time
    out = []
    s = session(out)
    for i in range(len(good)):
        s.ask(good[i:i + 1])
    for b in holding(1, [1, 2]):
        s.answer(bytes([b]))
    r = t.replay(t.file("bytes.pcap", wire.pcap(out)))
    t.equal("a byte at a time", brief(r), [("c2s", 0, 15, 3, "allow"), ("s2c", 0, 28, 3, "allow")])
    # several in one segment, the forbidden one at each place
    for place in range(5):
        pdus = [read_holding(i, i, 1) for i in range(5)]
        pdus[place] = write_register(place, 400, 1)
        out = []
        session(out).ask(b"".join(pdus))
        r = t.replay(t.file("together-%d.pcap" % place, wire.pcap(out)))
        t.equal("together, %d forbidden: first verdicts" % place, [v for *_, v in brief(r)][:place + 1],
                ["allow"] * place + ["deny"])
        t.equal("together, %d forbidden: how many" % place, r.summary["denied_pdus"], 1)
    # repeated as it was, and captured twice
    out = []
    s = session(out).ask(good)
    out.append(out[-1])
    out.append(out[-1])
    s.answer(holding(1, [1, 2]))
    out.append(out[-1])
    r = t.replay(t.file("repeated.pcap", wire.pcap(out)))
    t.equal("repeated: status", r.status, 0)
    t.equal("repeated", brief(r), [("c2s", 0, 4, 3, "allow"), ("s2c", 0, 7, 3, "allow")])
    # repeated with other bytes
    out = []
    session(out).ask(good)
    out.append(wire.tcp(TOS, 40000, CRANE, 502, 1001, 9001, PSH | ACK, bad))
    r = t.replay(t.file("differs.pcap", wire.pcap(out)))
    t.equal("repeated with other bytes", [(f["verdict"], f["reason"], f["packet"]) for f in r.flows],
            [("deny", "tcp.overlap_differs", 5)])
    t.equal("repeated with other bytes: status", r.status, 1)
    # out of order, close together in time
    out = []
    session(out).ask(good[:6]).ask(good[6:]).answer(holding(1, [1, 2]))
    out[3], out[4] = out[4], out[3]
    r = t.replay(t.file("order.pcap", wire.pcap(out, step=1_000_000)))
    t.equal("out of order", [v[:2] + v[3:] for v in brief(r)], [("c2s", 0, 3, "allow"), ("s2c", 0, 3, "allow")])
    t.equal("out of order: status", r.status, 0)
    # two connections of the same pair
    out = []
    session(out).ask(good).answer(holding(1, [1, 2])).close()
    wire.Session(out, TOS, 40000, CRANE, 502, isn=777777, peer_isn=555555).open().ask(bad)
    r = t.replay(t.file("again.pcap", wire.pcap(out)))
    t.equal("the same ports again", [(p["n"], p["offset"], p["verdict"]) for p in r.pdus],
            [(1, 0, "allow"), (1, 0, "allow"), (2, 0, "deny")])
    t.equal("the same ports again: flows", [(f["n"], f["verdict"]) for f in r.flows], [(1, "allow"), (2, "deny")])

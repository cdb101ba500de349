# SPDX-License-Identifier: Apache-2.0
import random

import wire
from wire import ACK, FIN, PSH, RST, SYN, URG, read_holding, holding, write_register

TOS, CRANE = "10.20.0.10", "10.30.1.10"
N = 6


def session(out, port=40000, **kw):
    return wire.Session(out, TOS, port, CRANE, 502, **kw)


def exchange(isn=0xFFFFFFE0, peer=0xFFFFFFF0):
    """A handshake and N reads with their answers; the sequence numbers wrap in between."""
    out = []
    s = session(out, isn=isn, peer_isn=peer).open()
    for i in range(N):
        s.ask(read_holding(i, i, 1)).answer(holding(i, [7]))
    return out


def places(r):
    return sorted((p["dir"], p["offset"], p["packet"]) for p in r.pdus)


def want(kept):
    """The frame in which each PDU should be found, when only the packets `kept` (numbers of packets
    of exchange()) were captured."""
    return sorted(("c2s" if k % 2 else "s2c", (k - 3) // 2 * (12 if k % 2 else 11), n + 1)
                  for n, k in enumerate(kept) if k >= 3)


def check(t):
    whole = exchange()
    # one packet missing: everything else is listed, and allowed
    for lost in range(len(whole)):
        kept = [k for k in range(len(whole)) if k != lost]
        r = t.replay(t.file("lost-%d.pcap" % lost, wire.pcap([whole[k] for k in kept])))
        t.equal("without packet %d" % (lost + 1), places(r), want(kept))
        t.equal("without packet %d: nothing is refused" % (lost + 1), (r.status, [p["verdict"] for p in r.pdus]),
                (0, ["allow"] * len(r.pdus)))
        t.equal("without packet %d: flag" % (lost + 1), [f["flags"] for f in r.flows],
                [[] if lost in (2, len(whole) - 1) else ["midstream"]])
    # a forbidden write is found whatever else is missing
    for lost in range(8):
        out = []
        session(out).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7])).ask(read_holding(2, 0, 1)).answer(holding(2, [7])) \
            .ask(write_register(3, 400, 1))
        del out[lost]
        if lost < 7:
            r = t.replay(t.file("write-%d.pcap" % lost, wire.pcap(out)))
            t.equal("write behind a gap at %d" % (lost + 1), [(p["function"], p["packet"]) for p in r.pdus if p["verdict"] == "deny"],
                    [(6, 7)])
    # only one direction was captured, with and without its part of the handshake
    many = []
    s = session(many).open()
    for i in range(40):
        s.ask(read_holding(i, i, 1)).answer(holding(i, [7]))
    for name, ask, size in (("requests", True, 12), ("answers", False, 11)):
        one = [p for p in many if (p[12:16] == bytes((10, 20, 0, 10))) == ask]
        for skip in (0, 2 if ask else 1):
            r = t.replay(t.file("only-%s-%d.pcap" % (name, skip), wire.pcap(one[skip:])))
            t.equal("only %s, from %d" % (name, skip), [(p["offset"], p["verdict"]) for p in r.pdus],
                    [(i * size, "allow") for i in range(40)])
            t.equal("only %s, from %d: status" % (name, skip), r.status, 0)
    # an answer captured before its request
    for i in range(N):
        order = list(range(len(whole)))
        order[3 + 2 * i], order[4 + 2 * i] = order[4 + 2 * i], order[3 + 2 * i]
        r = t.replay(t.file("before-%d.pcap" % i, wire.pcap([whole[k] for k in order])))
        t.equal("answer %d first" % i, places(r), want(order))
        t.equal("answer %d first: status and flags" % i, (r.status, [f["flags"] for f in r.flows]), (0, [[]]))
        t.equal("answer %d first: it has its address" % i, [p["address"] for p in r.pdus if p["dir"] == "s2c"], list(range(N)))
    # out of order: a PDU is reported at the frame that filled the gap
    out = []
    session(out).open().ask(read_holding(0, 0, 1)[:5]).ask(read_holding(0, 0, 1)[5:]).ask(read_holding(1, 1, 1))
    out[3], out[4], out[5] = out[5], out[4], out[3]
    r = t.replay(t.file("order.pcap", wire.pcap(out)))
    t.equal("out of order: completed by", [(p["offset"], p["packet"]) for p in r.pdus], [(0, 6), (12, 6)])
    # answers to requests from before the capture: allowed if such a request may be
    out = []
    s = session(out)
    s.answer(holding(7, [1])).answer(holding(8, [1])).ask(read_holding(20, 0, 1)).answer(holding(9, [1])).answer(holding(20, [7]))
    s.answer(holding(10, [1]))
    r = t.replay(t.file("before.pcap", wire.pcap(out)))
    t.equal("asked before the capture", [(p["dir"], p["offset"], p["reason"]) for p in r.pdus],
            [("s2c", 0, "modbus.unseen_request"), ("s2c", 11, "modbus.unseen_request"), ("c2s", 0, "allowed"),
             ("s2c", 22, "modbus.unseen_request"), ("s2c", 33, "allowed"), ("s2c", 44, "modbus.response")])
    out = []
    session(out).answer(write_register(7, 400, 1)).answer(holding(8, [1], unit=2)).answer(wire.modbus(9, 1, b"\3\2\0"))
    r = t.replay(t.file("before-refused.pcap", wire.pcap(out)))
    t.equal("asked before the capture, and not allowed", [(p["verdict"], p["reason"]) for p in r.pdus],
            [("deny", "modbus.function"), ("deny", "modbus.unit"), ("deny", "modbus.response")])
    # a capture that lost bytes goes on at the next PDU, and does not call unread bytes malformed
    for seed in range(20):
        rnd = random.Random(seed)
        out = []
        s = session(out).open()
        for i in range(12):
            q = read_holding(i, i, 1)
            cut = rnd.randrange(13)
            for part in (q[:cut], q[cut:]):
                if part:
                    s.ask(part)
            s.answer(holding(i, [7]))
        del out[rnd.randrange(3, len(out))]
        r = t.replay(t.file("bytes-%d.pcap" % seed, wire.pcap(out)))
        t.equal("bytes missing, seed %d" % seed, (r.status, {p["verdict"] for p in r.pdus}, len(r.flows)), (0, {"allow"}, 1))
        t.true("bytes missing, seed %d: most of it" % seed, len(r.pdus) >= 20)
    # wrong header checksums in packets that had to wait
    out = [p[:10] + b"\x55\x55" + p[12:] for p in exchange()]
    out[3], out[4] = out[4], out[3]
    r = t.replay(t.file("checksums.pcap", wire.pcap(out)))
    t.equal("out of order with wrong checksums", (len(r.pdus), r.summary["refused_packets"]), (2 * N, {}))
    # the session ends while a packet waits
    for end in ("reset", "again"):
        out = []
        s = session(out).open().ask(read_holding(0, 0, 1)).ask(read_holding(1, 1, 1)).ask(write_register(2, 400, 1))
        del out[3]
        if end == "reset":
            s.s2c(RST | ACK)
        session(out, isn=77777, peer_isn=88888).open().ask(read_holding(1, 0, 1))
        r = t.replay(t.file("ends-%s.pcap" % end, wire.pcap(out)))
        t.equal("what waited at the end (%s)" % end, [(p["n"], p["offset"], p["verdict"]) for p in r.pdus],
                [(1, 12, "allow"), (1, 24, "deny"), (2, 0, "allow")])
    # which session: the server challenges a SYN over a live session, and the same SYN comes again
    out = []
    s = session(out).open().ask(read_holding(0, 0, 1)).answer(holding(0, [7]))
    old = (s.seq, s.ack)
    s = session(out, isn=500000, peer_isn=600000).c2s(SYN)
    out.append(wire.tcp(CRANE, 502, TOS, 40000, old[1], old[0], ACK))
    out.append(wire.tcp(TOS, 40000, CRANE, 502, old[0], 0, RST))
    s.seq -= 1
    s.open().ask(read_holding(1, 0, 1)).answer(holding(1, [7]))
    r = t.replay(t.file("challenged.pcap", wire.pcap(out)))
    t.equal("challenged: n", ([(p["n"], p["offset"]) for p in r.pdus], [f["n"] for f in r.flows]),
            ([(1, 0), (1, 0), (2, 0), (2, 0)], [1, 2]))
    # packets that would fail again when repeated refuse their flow
    out = []
    session(out).c2s(SYN, read_holding(0, 0, 1)).s2c(SYN | ACK).c2s(ACK)
    r = t.replay(t.file("syn-data.pcap", wire.pcap(out)))
    t.equal("data in the SYN", [(f["verdict"], f["reason"], f["packet"]) for f in r.flows], [("deny", "tcp.syn_data", 1)])
    out = []
    session(out).open().c2s(PSH | ACK | URG, read_holding(0, 0, 1)).answer(holding(0, [7])).c2s(FIN | ACK)
    r = t.replay(t.file("urgent.pcap", wire.pcap(out)))
    t.equal("urgent data", [(f["verdict"], f["reason"], f["packet"]) for f in r.flows], [("deny", "tcp.urgent", 4)])

# SPDX-License-Identifier: Apache-2.0
import struct

import wire
from wire import ACK, PSH, SYN, read_holding, holding, write_register

PAIRS = {4: ("10.20.0.10", "10.30.1.10"), 6: ("2001:db8:20::10", "2001:db8:30::10")}


def fragments(version, payload, ident, size=16):
    """A TCP segment as fragments of `size` bytes."""
    client, server = PAIRS[version]
    out = []
    for at in range(0, len(payload), size):
        part, more = payload[at:at + size], at + size < len(payload)
        if version == 4:
            out.append(wire.ip_packet(client, server, 6, part, ident, (0x2000 if more else 0) | at // 8))
        else:
            ext = struct.pack("!BBHI", 6, 0, at | more, ident)
            out.append(wire.ip_packet(client, server, 6, part, ext=ext, first=44))
    return out


def check(t):
    for v in (4, 6):
        client, server = PAIRS[v]

        def run(name, arrange, request):
            out = []
            s = wire.Session(out, client, 40000, server, 502).open()
            seg = wire.tcp_segment(client, 40000, server, 502, s.seq, s.ack, PSH | ACK, request)
            out += arrange(fragments(v, seg, 77))
            return t.replay(t.file("%s-%d.pcap" % (name, v), wire.pcap(out)))

        good, bad = read_holding(1, 0, 2), write_register(1, 400, 1)
        r = run("order", lambda f: f, good)
        t.equal("v%d in order" % v, [(p["packet"], p["verdict"]) for p in r.pdus], [(5, "allow")])
        t.equal("v%d in order: fragments" % v, r.summary["fragments"],
                {"seen": 2, "reassembled": 1, "refused": 0, "incomplete": 0})
        r = run("backwards", lambda f: f[::-1], bad)
        t.equal("v%d backwards" % v, [(p["packet"], p["verdict"]) for p in r.pdus], [(5, "deny")])
        r = run("repeated", lambda f: [f[0], f[0], f[1]], good)
        t.equal("v%d repeated" % v, [(p["packet"], p["verdict"]) for p in r.pdus], [(6, "allow")])
        r = run("overlap", lambda f: [f[0], fragments(v, b"x" * 48, 77, 24)[0], f[1]], good)
        t.equal("v%d overlap" % v, (r.pdus, r.summary["fragments"]["refused"], r.status), ([], 1, 1))
        r = run("incomplete", lambda f: f[:1], good)
        t.equal("v%d incomplete" % v, (r.pdus, r.summary["fragments"]["incomplete"]), ([], 1))
    # extension headers are dropped by the box before anything looks inside
    client, server = PAIRS[6]
    out = [wire.ip_packet(client, server, 6, wire.tcp_segment(client, 40000, server, 502, 1000, 0, SYN),
                          ext=bytes([6, 0, 1, 4, 0, 0, 0, 0]), first=60)]
    r = t.replay(t.file("destination-options.pcap", wire.pcap(out)))
    t.equal("extension headers", (r.status, r.summary["refused_packets"]), (1, {"ip_options": 1}))

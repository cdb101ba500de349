# SPDX-License-Identifier: Apache-2.0
import os

import wire
from wire import read_holding, holding, write_register


def flows(r):
    return [(f["client"], f["protocol"], f["verdict"], f["reason"], f["packet"], f["flags"]) for f in r.flows]


def modes(t):
    """One capture under a conduit that enforces, and under one that observes: it is read to its end
    in both, and reported in the words of each."""
    web = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    offer = bytes([30, 12, 0, 1]) + b"\1" * 8  # Multipath TCP
    with open(os.path.join(os.path.dirname(wire.__file__), "site.cfg"), encoding="utf-8") as f:
        site = f.read()  # here the office observes at the cranes, and enforces at the TOS
    for word, policy in (("deny", site.replace('mode = "observe";', "")), ("observe", site.replace('services = ["web"', 'mode = "observe"; services = ["web"'))):
        cfg, stops, out = t.file(word + ".cfg", policy), word == "deny", []

        def told(name, want, refused, waits=0):
            """The flow's verdict and packet; refused packets, and those that wait for a position
            where reading can begin."""
            r = t.replay(t.file("%s-%s.pcap" % (name, word), wire.pcap(out)), policy=cfg)
            t.equal("%s: %s" % (word, name), [(f[2], f[4]) for f in flows(r)], [want])
            t.equal("%s: %s: packets" % (word, name), r.summary["refused_packets"],
                    {**({"midstream.wait": waits} if waits else {}), **(refused if stops else {})})
            t.equal("%s: %s: status" % (word, name), r.status, 1 if stops else 0)
            return [(p["function"], p["dir"], p["verdict"]) for p in r.pdus]

        # bytes that are no PDU: the next PDU is found after them
        crane = lambda: wire.Session(out, "10.10.0.5", 40000, "10.30.1.10", 502)
        crane().open().ask(read_holding(1, 0, 1)).answer(holding(1, [7])).ask(b"\xff" * 12).ask(write_register(2, 0, 1)).close()
        t.equal(word + ": around other bytes", told("junk", (word, 6), {"modbus.malformed": 1, "modbus.function": 1}),
                [(3, "c2s", "allow"), (3, "s2c", "allow"), (6, "c2s", word)])
        # a server that accepts an offer of Multipath TCP: the flow is refused at a packet whose
        # repetition would be refused as well
        out = []
        crane().c2s(wire.SYN, options=offer).s2c(wire.SYN | wire.ACK, options=offer).c2s(wire.ACK).ask(read_holding(1, 0, 1)).answer(holding(1, [7]))
        t.equal(word + ": PDUs over Multipath TCP", told("paths", ("deny", 2) if stops else ("allow", 0), {"tcp.multipath": 1}),
                [(3, "c2s", "allow"), (3, "s2c", "allow")])
        # data in a SYN
        out = []
        crane().c2s(wire.SYN, read_holding(0, 0, 1)).s2c(wire.SYN | wire.ACK).c2s(wire.ACK)
        told("syn", ("deny", 1) if stops else ("allow", 0), {"tcp.syn_data": 1}, waits=2)
        # another protocol: the rest of the session is refused, except a reset
        out = []
        wire.Session(out, "10.10.0.5", 40000, "10.20.0.10", 443).open().ask(web).answer(b"HTTP/1.1 200 OK\r\n\r\n").ask(web).c2s(wire.RST | wire.ACK)
        told("web", (word, 4), {"protocol.wrong": 3})
        # urgent data
        out = []
        crane().open().c2s(wire.PSH | wire.ACK | wire.URG, read_holding(0, 0, 1)).answer(holding(0, [7]))
        told("urgent", ("deny", 4) if stops else ("allow", 0), {"tcp.urgent": 1})


def check(t):
    out = []
    wire.Session(out, "10.30.1.10", 40000, "10.20.0.10", 502).open().ask(read_holding(1, 0, 1))
    out.append(wire.udp("10.30.1.10", 5353, "10.10.0.1", 53, b"hello"))
    r = t.replay(t.file("none.pcap", wire.pcap(out)))
    t.equal("no conduit", flows(r), [("10.30.1.10:40000", "tcp", "deny", "no_conduit", 1, []),
                                     ("10.30.1.10:5353", "udp", "deny", "no_conduit", 5, [])])
    t.equal("no conduit: status", (r.status, r.summary["denied_flows"], r.pdus), (1, 2, []))

    out = []
    wire.Session(out, "10.30.1.10", 40000, "10.30.1.11", 502).open().ask(read_holding(1, 0, 1)).ask(write_register(2, 0, 1))
    wire.Session(out, "10.10.0.1", 40000, "10.10.0.2", 445).open()
    r = t.replay(t.file("same.pcap", wire.pcap(out)))
    t.equal("within a zone", flows(r), [("10.30.1.10:40000", "modbus", "deny", "modbus.function", 5, ["same_zone"]),
                                        ("10.10.0.1:40000", "tcp", "deny", "no_conduit", 6, ["same_zone"])])

    out = []
    wire.Session(out, "10.10.0.5", 40000, "10.30.1.10", 502).open().ask(read_holding(1, 0, 1)).answer(holding(1, [7])) \
        .ask(write_register(2, 0, 1)).answer(write_register(2, 0, 1)).ask(read_holding(3, 0, 1)).answer(holding(3, [7]))
    r = t.replay(t.file("observe.pcap", wire.pcap(out)))
    t.equal("observe: pdus", [(p["function"], p["dir"], p["verdict"], p["reason"]) for p in r.pdus], [
        (3, "c2s", "allow", "allowed"), (3, "s2c", "allow", "allowed"), (6, "c2s", "observe", "modbus.function"),
        (6, "s2c", "observe", "modbus.function"), (3, "c2s", "allow", "allowed"), (3, "s2c", "allow", "allowed")])
    t.equal("observe: flow", [f[2:5] for f in flows(r)], [("observe", "modbus.function", 6)])
    t.equal("observe: status", (r.status, r.summary["denied_pdus"], r.summary["observed_pdus"]), (0, 0, 2))
    t.equal("observe: packets", r.summary["refused_packets"], {})
    modes(t)

    out = [wire.udp("10.10.0.5", 1234, "10.20.0.10", 9999, b"x"), wire.udp("10.20.0.10", 9999, "10.10.0.5", 1234, b"y"),
           wire.icmp("10.10.0.5", "10.20.0.10", 8, 0), wire.icmp("10.20.0.10", "10.10.0.5", 0, 0),
           wire.icmp("2001:db8:10::5", "2001:db8:20::10", 128, 0), wire.icmp("2001:db8:20::10", "2001:db8:10::5", 129, 0),
           wire.icmp("10.20.0.10", "10.10.0.5", 8, 0)]
    out.append(wire.icmp("10.20.0.10", "10.10.0.5", 3, 3, b"\0" * 4, out[0]))
    out.append(wire.icmp("10.20.0.10", "10.10.0.5", 5, 1, b"\x0a\x0a\0\1", out[0]))
    r = t.replay(t.file("plain.pcap", wire.pcap(out)))
    t.equal("not inspected", [(f["client"], f["transport"], f["verdict"]) for f in r.flows], [
        ("10.10.0.5:1234", "udp", "allow"), ("10.10.0.5:0", "icmp", "allow"), ("[2001:db8:10::5]:0", "icmp", "allow"),
        ("10.20.0.10:0", "icmp", "deny")])
    t.equal("errors that quote a session, and redirects", (r.summary["related"], r.summary["refused_packets"]["related"]), (1, 1))
    # a policy cannot name other protocols over IP, and they are not ICMP
    out = [wire.ip_packet("10.20.0.10", "10.30.1.10", proto, b"\0" * 24) for proto in (47, 50, 132)]
    name = t.file("other.pcap", wire.pcap(out))
    t.equal("other protocols over IP", [(f["transport"], f["protocol"], f["verdict"], f["reason"]) for f in t.replay(name).flows],
            [("ip", "unknown", "deny", "no_conduit")] * 3)
    # packets that are not IP are counted and reported
    arp = bytearray(wire.pcap(out[:1]))
    arp[36 + 16:38 + 16] = b"\x08\x06"
    name = t.file("arp.pcap", bytes(arp))
    t.equal("no IP", (t.replay(name).summary["not_ip"], b"not IP packets" in t.text(name, "--lang", "en").stdout), (1, True))

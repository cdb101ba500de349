# SPDX-License-Identifier: Apache-2.0
import wire
from wire import read_holding, holding, write_register


def flows(r):
    return [(f["client"], f["protocol"], f["verdict"], f["reason"], f["packet"], f["flags"]) for f in r.flows]


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
    # other protocols over IP are named by no policy, and are not ICMP
    out = [wire.ip_packet("10.20.0.10", "10.30.1.10", proto, b"\0" * 24) for proto in (47, 50, 132)]
    name = t.file("other.pcap", wire.pcap(out))
    t.equal("other protocols over IP", [(f["transport"], f["protocol"], f["verdict"], f["reason"]) for f in t.replay(name).flows],
            [("ip", "unknown", "deny", "no_conduit")] * 3)
    # what is no IP is counted and said
    arp = bytearray(wire.pcap(out[:1]))
    arp[36 + 16:38 + 16] = b"\x08\x06"
    name = t.file("arp.pcap", bytes(arp))
    t.equal("no IP", (t.replay(name).summary["not_ip"], b"not IP packets" in t.text(name, "--lang", "en").stdout), (1, True))

# SPDX-License-Identifier: Apache-2.0
import wire

OFFICE, TOS, CRANE = "10.10.0.5", "10.20.0.10", "10.30.1.10"


def check(t):
    out = []
    wire.Session(out, OFFICE, 40000, TOS, 443).open().ask(b"SSH-2.0-OpenSSH_9.2\r\n").answer(b"SSH-2.0-OpenSSH_9.2\r\n")
    r = t.replay(t.file("ssh-on-443.pcap", wire.pcap(out)))
    t.equal("ssh on 443", [(f["protocol"], f["verdict"], f["reason"], f["packet"]) for f in r.flows],
            [("ssh", "deny", "protocol.wrong", 4)])
    out = []
    wire.Session(out, OFFICE, 40000, TOS, 22).open().answer(b"SSH-2.0-OpenSSH_9.2\r\n").ask(b"SSH-2.0-OpenSSH_9.2\r\n") \
        .ask(b"\0\0\4\xfc" + b"x" * 200).close()
    r = t.replay(t.file("ssh.pcap", wire.pcap(out)))
    t.equal("ssh", [(f["protocol"], f["verdict"], f["reason"], f["packet"]) for f in r.flows], [("ssh", "allow", "confirmed", 0)])
    t.equal("ssh: status", r.status, 0)
    out = []
    wire.Session(out, "10.20.0.10", 40000, CRANE, 502).open().ask(b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n")
    r = t.replay(t.file("http-on-502.pcap", wire.pcap(out)))
    t.equal("http on 502", [(f["verdict"], f["reason"], f["packet"]) for f in r.flows],
            [("deny", "protocol.wrong", 4)])
    t.equal("http on 502: status", r.status, 1)
    datagrams(t)


POLICY = """language_version = 1;
site = { name = "names"; };
zones = {
  office = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; };
  tos    = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; };
};
services = {
  watch = { protocol = "snmp"; ports = ["udp/161-162"]; };
  logs  = { protocol = "syslog"; ports = ["udp/514"]; };
};
conduits = ( { name = "monitor"; from = "office"; to = "tos"; services = ["watch", "logs"];
               purpose = "monitoring"; owner = "IT"; review_by = "2099-03-31"; } );
"""


def ber(tag, *parts, long=False):
    body = b"".join(parts)
    n = len(body)
    head = bytes([n]) if n < 128 and not long else bytes([0x81, n]) if n < 256 and not long else b"\x82" + n.to_bytes(2, "big")
    return bytes([tag]) + head + body


def snmp(version, kind, names, long=False):
    listed = ber(0x30, *(ber(0x30, ber(6, b"\x2b\6\1\2\1\2\2\1\x08" + bytes([i + 1])), b"\5\0") for i in range(names)), long=long)
    return ber(0x30, bytes([2, 1, version]), ber(4, b"public"),
               ber(kind, b"\2\4\1\2\3\4", b"\2\1\0", b"\2\1\0", listed, long=long), long=long)


def datagrams(t):
    policy = t.file("names.cfg", POLICY)
    large = snmp(1, 0xA0, 8)
    for what, port, payload, verdict in [
            ("one name", 161, snmp(1, 0xA0, 1), "allow"),
            ("more than 127 bytes", 161, large, "allow"),
            ("more than 255 bytes", 161, snmp(0, 0xA5, 20), "allow"),
            ("lengths longer than they need be", 161, snmp(1, 0xA0, 1, long=True), "allow"),
            ("a trap of more than 127 bytes", 162, snmp(1, 0xA7, 8), "allow"),
            ("a byte too many", 161, large + b"\0", "deny"),
            ("a byte too few", 161, large[:-1], "deny"),
            ("no such version", 161, snmp(2, 0xA0, 8), "deny"),
            ("no such request", 161, snmp(1, 0xB0, 8), "deny"),
            ("syslog", 514, b"<13>Nov 20 14:21:01 host prog[12]: text", "allow"),
            ("syslog with a zero byte behind it", 514, b"<5>Sep 12 19:16:12 through logger: test\0", "allow"),
            ("a zero byte inside", 514, b"<5>Sep 12 19:16:12 through\0logger: test\0", "deny"),
            ("no such priority", 514, b"<192>Sep 12 19:16:12 through logger: test\0", "deny")]:
        r = t.replay(t.file("datagram-%s.pcap" % what.replace(" ", "-"),
                            wire.pcap([wire.udp(OFFICE, 40000, TOS, port, payload)])), policy=policy)
        t.equal("datagram: " + what, [f["verdict"] for f in r.flows], [verdict])

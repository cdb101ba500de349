# SPDX-License-Identifier: Apache-2.0
import json
import os
import struct

import wire

OFFICE, TOS = "10.10.0.5", "10.20.0.10"
GREETING, ASKED = b"200 news.example ready, posting is fine\r\n", b"AUTHINFO USER crane\r\n"
PCAPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..", "..", "shared", "pcaps", "ntop__nDPI", "tests", "cfgs", "default", "pcap")

POLICY = """language_version = 1;
zones = {
  office = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; };
  tos    = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; };
};
services = { s = { protocol = "%s"; undecided_bytes = %d; }; };
conduits = ( { name = "c"; from = "office"; to = "tos"; services = ["s"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""


def hello(name):
    """A client's hello of TLS 1.2 with this name of a server."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    body = b"\3\3" + b"r" * 32 + b"\0" + b"\0\4\xc0\x2f\x00\x9c" + b"\1\0" + struct.pack("!H", len(extensions)) + extensions
    return b"\x16\3\1" + struct.pack("!H", len(body) + 4) + b"\1" + struct.pack("!I", len(body))[1:] + body


def news(port=119):
    out = []
    wire.Session(out, OFFICE, 40000, TOS, port).open().answer(GREETING).ask(ASKED).answer(b"381 go on\r\n").ask(b"AUTHINFO PASS x\r\n")
    return wire.pcap(out)


def tls(name, cut):
    out = []
    s, h = wire.Session(out, OFFICE, 40000, TOS, 443).open(), hello(name)
    for part in filter(None, (h[:cut], h[cut:])):
        s.ask(part)
    return wire.pcap(out)


def tftp():
    ask = b"\0\1boot.bin\0octet\0"
    return wire.pcap([wire.udp(OFFICE, 40000, TOS, 69, ask), wire.udp(TOS, 69, OFFICE, 40000, b"\0\3\0\1" + b"x" * 100)])


def check(t):
    whole = len(hello(b"www.dropbox.com"))
    for what, protocol, undecided, capture, told in [
            ("news", "ndpi:usenet", len(GREETING), news(), ("ndpi:usenet", "allow", "confirmed", len(GREETING))),
            ("news on another port", "ndpi:usenet", len(GREETING), news(4119), ("ndpi:usenet", "allow", "confirmed", len(GREETING))),
            ("news, a byte too few", "ndpi:usenet", len(GREETING) - 1, news(), (None, "deny", None, 0)),
            ("news, nothing may pass", "ndpi:usenet", 0, news(), (None, "deny", None, 0)),
            ("news where another is promised", "ndpi:irc", 4096, news(), ("ndpi:usenet", "deny", "protocol.wrong", None)),
            ("a name in TLS", "ndpi:dropbox", 0, tls(b"www.dropbox.com", whole), ("ndpi:dropbox", "allow", "confirmed", 0)),
            ("a name in TLS, in two segments", "ndpi:dropbox", 60, tls(b"www.dropbox.com", 60), ("ndpi:dropbox", "allow", "confirmed", 60)),
            ("another name in TLS", "ndpi:dropbox", 4096, tls(b"www.example.org", whole), ("tls", "deny", "protocol.wrong", None)),
            ("a name in TLS, where TLS is promised", "tls", 0, tls(b"www.dropbox.com", whole), ("tls", None, None, 0)),
            ("tftp", "ndpi:tftp", 0, tftp(), ("ndpi:tftp", "allow", "confirmed", 0)),
            ("tftp where another is promised", "ndpi:coap", 4096, tftp(), ("ndpi:tftp", "deny", "protocol.wrong", None))]:
        name = what.replace(" ", "-").replace(",", "")
        r = t.replay(t.file(name + ".pcap", capture), policy=t.file(name + ".cfg", POLICY % (protocol, undecided)))
        got = [(f["protocol"], f["verdict"], f["reason"], f["undecided_bytes"]) for f in r.flows][:1]
        t.equal(what, [tuple(g if w is not None else None for g, w in zip(got[0], told))] if got else got, [told])
    learnt(t)
    public(t)


def learnt(t):
    """`learn` reports a protocol that nDPI only guesses, with the number of bytes that it needs,
    and does not propose it."""
    done = t.call("learn", "--json", "--pcap", t.file("learnt.pcap", news()))
    lines = json.loads(done.stdout)["conduits"]
    t.equal("learn", [(c["protocol"], c.get("guess"), c["undecided_bytes"]) for c in lines], [("tcp", "ndpi:usenet", len(GREETING))])
    done = t.call("--lang", "en", "learn", "--pcap", t.file("learnt.pcap", news()))
    t.true("and as a text", b'protocol = "ndpi:usenet", with undecided_bytes = %d' % len(GREETING) in done.stdout)


def public(t):
    """nDPI's own captures, if they are there."""
    for capture, name in [("mongodb.pcap", "ndpi:mongodb"), ("tftp.pcap", "ndpi:tftp"), ("wireguard.pcap", "ndpi:wireguard")]:
        path = os.path.join(PCAPS, capture)
        if not os.path.exists(path):
            continue
        site = t.file(capture + ".cfg", 'language_version = 1; zones = { all = { interfaces = ["any"]; networks = ["rest"]; }; }; services = { s = { protocol = "%s"; '
                      'undecided_bytes = 65536; }; }; conduits = ( { name = "all"; from = "all"; to = "all"; services = ["s"]; purpose = "p"; owner = "o"; '
                      'review_by = "2199-12-31"; } );' % name)
        told = {f["protocol"] for f in t.replay(path, policy=site).flows if f["reason"] == "confirmed"}
        t.equal(capture, told, {name})

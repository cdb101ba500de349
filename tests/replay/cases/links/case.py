# SPDX-License-Identifier: Apache-2.0
import wire
from wire import read_holding, holding, write_register


def check(t):
    out = []
    for client, server in (("10.20.0.10", "10.30.1.10"), ("2001:db8:20::10", "2001:db8:30::10")):
        wire.Session(out, client, 40000, server, 502).open().ask(read_holding(1, 0, 2)).answer(holding(1, [1, 2])) \
            .ask(write_register(2, 400, 1))
    first = None
    for kind, make in (("pcap", wire.pcap), ("pcapng", wire.pcapng)):
        for link in wire.LINKS:
            r = t.replay(t.file("%s.%s" % (link, kind), make(out, link)))
            if first is None:
                first = r.lines
                t.equal("pdus", [(p["client"], p["server"], p["dir"], p["function"], p["verdict"]) for p in r.pdus], [
                    ("10.20.0.10:40000", "10.30.1.10:502", "c2s", 3, "allow"),
                    ("10.20.0.10:40000", "10.30.1.10:502", "s2c", 3, "allow"),
                    ("10.20.0.10:40000", "10.30.1.10:502", "c2s", 6, "deny"),
                    ("[2001:db8:20::10]:40000", "[2001:db8:30::10]:502", "c2s", 3, "allow"),
                    ("[2001:db8:20::10]:40000", "[2001:db8:30::10]:502", "s2c", 3, "allow"),
                    ("[2001:db8:20::10]:40000", "[2001:db8:30::10]:502", "c2s", 6, "deny")])
            t.equal("%s in %s" % (link, kind), r.lines, first)
    # a minimal frame's padding is not part of the packet
    padded = [p + b"\xff" * max(0, 46 - len(p)) for p in out]
    r = t.replay(t.file("padded.pcap", wire.pcap(padded)))
    t.equal("padding", r.lines, first)

# SPDX-License-Identifier: Apache-2.0
import os

import wire
from wire import read_holding, holding, write_register

TOS, CRANE = "10.20.0.10", "10.30.1.10"


def check(t):
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 2)).answer(holding(1, [1, 2])) \
        .ask(read_holding(2, 0, 2))
    for kind, make in (("pcap", wire.pcap), ("pcapng", wire.pcapng)):
        data = make(out)
        whole = t.replay(t.file("whole." + kind, data))
        t.equal(kind + " whole", (whole.status, len(whole.pdus), whole.diagnostics), (0, 3, []))
        for n in list(range(0, 200, 7)) + list(range(len(data) - 70, len(data), 3)):
            r = t.replay(t.file("cut-%d.%s" % (n, kind), data[:n]))
            if r.status == 0:  # cut between two packets
                t.equal("%s cut at %d: between packets" % (kind, n), r.diagnostics, [])
            else:
                t.equal("%s cut at %d" % (kind, n), (r.status, [d["severity"] for d in r.diagnostics]), (3, ["error"]))
            t.equal("%s cut at %d: what could be read" % (kind, n), r.pdus, whole.pdus[:len(r.pdus)])
        t.equal(kind + " cut in the last packet", len(t.replay(t.file("last." + kind, data[:-9])).pdus), 2)
    for name, data in (("empty", b""), ("text", b"not a capture at all, but long enough to look at\n" * 9),
                       ("zeros", b"\0" * 4096)):
        r = t.replay(t.file(name + ".pcap", data))
        t.equal(name, (r.status, r.pdus), (3, []))
    t.equal("no such file", t.replay(os.path.join(t.out, "absent.pcap")).status, 3)
    t.equal("no such policy", t.replay(t.file("ok.pcap", wire.pcap(out)), policy=os.path.join(t.out, "absent.cfg")).status in (2, 3), True)
    t.equal("invalid policy", t.replay(t.file("ok.pcap", wire.pcap(out)), policy=t.file("bad.cfg", "language_version = 1; x")).status, 2)
    t.equal("usage", t.call("replay", "--policy", "x").returncode, 2)
    t.equal("both ways", t.call("replay", "--policy", "x", "--pcap", "y", "--as-box", "--as-captured").returncode, 2)
    # another link layer altogether
    bad = bytearray(wire.pcap(out))
    bad[20:24] = (147).to_bytes(4, "little")
    t.equal("unknown link layer", t.replay(t.file("link.pcap", bytes(bad))).status, 3)
    # only the first 60 bytes of each frame were kept: the answer (71 bytes) is cut, the requests
    # (66) too
    r = t.replay(t.file("snaplen.pcap", wire.pcap(out, snaplen=60)))
    t.equal("snaplen", (r.summary["truncated"], r.pdus, [f["client"] for f in r.flows]), (3, [], ["10.20.0.10:40000"]))
    # text keeps what could be read, and says where it ended
    text = t.text(t.file("last.pcap", wire.pcap(out)[:-9]), "--lang", "en")
    t.equal("text: status", text.returncode, 3)
    t.true("text: what could be read", b"read_holding_registers" in text.stdout)
    t.true("text: where it ended", b"up to packet 5" in text.stderr)

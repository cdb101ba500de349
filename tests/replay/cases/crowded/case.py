# SPDX-License-Identifier: Apache-2.0
import os
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import enip  # noqa: E402
import fins  # noqa: E402
import s7  # noqa: E402
import slmp  # noqa: E402

POLICY = """language_version = 1;
site = {{ name = "crowded"; label = "crowded"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "{0}"; ports = ["tcp/{1}"]; allow = ( {{ commands = ["read"]; }} ); }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
F, HANDLE = slmp.FORMS[2], 0x5EC1
BYTE = [s7.place(s7.DB, 10, 0, 1)]

# protocol: port, what a session begins with, request n, its answer, a forbidden request, how many
# may be open
PROTOCOLS = {
    "modbus": (502, [], lambda n: wire.read_holding(n, 0, 1), lambda n: wire.holding(n, [7]), lambda n: wire.write_register(n, 0, 1), 16),
    "slmp": (5007, [], lambda n: F.read("d", 0, 1, serial=n), lambda n: F.answer(F.num(2, 7), serial=n), lambda n: F.write("d", 0, [1], serial=n), 16),
    "enip": (44818, [(enip.register(), enip.message(0x65, b"\1\0\0\0", HANDLE))], lambda n: enip.request(HANDLE, enip.read("Speed"), n),
             lambda n: enip.request(HANDLE, b"\xcc\0\0\0\xc4\0\7\0\0\0", n), lambda n: enip.request(HANDLE, enip.write("Speed", 1), n), 12),
    "s7comm": (102, [(s7.connect(), s7.connection(0xD0, 1, 0x100)), (s7.setup(), s7.data(s7.message(3, 1, b"\xf0\0\0\1\0\1\0\xf0")))],
               lambda n: s7.read(BYTE, n), lambda n: s7.data(s7.message(3, n, b"\4\1", b"\xff\4\0\x08\7")),
               lambda n: s7.write(BYTE, [s7.value(b"\1")], n), 16),
    "fins": (9600, [(fins.node(), fins.nodes())], lambda n: fins.tcp(fins.read("d", 0, 1, n % 256)),
             lambda n: fins.tcp(fins.answer(fins.READ, b"\0\7", 0, n % 256)), lambda n: fins.tcp(fins.write("d", 0, [1], n % 256)), 16),
}


def one(t, protocol):
    port, greeting, ask, answer, forbidden, most = PROTOCOLS[protocol]
    cfg = t.file(protocol + ".cfg", POLICY.format(protocol, port))

    def run(name, open_before, n, last, again):
        out = []
        s = wire.Session(out, "10.7.0.1", 40000, "10.7.0.2", port).open()
        for request, reply in greeting:
            s.ask(request).answer(reply)
        head = s.seq - 1001
        for k in range(open_before):
            s.ask(ask(100 + k))
        train = b"".join(ask(200 + k) for k in range(n - 1)) + (forbidden(300) if last else ask(300))
        at = s.seq
        s.ask(train)
        if again:
            s.seq = at  # the server has not seen it
            for k in range(open_before):
                s.answer(answer(100 + k))
            s.ask(train)
        r = t.replay(t.file("%s.%s.pcap" % (protocol, name), wire.pcap(out)), "--as-box", policy=cfg)
        # of several verdicts at one offset the last one counts
        verdicts = {p["offset"]: p["verdict"] for p in r.pdus if p["dir"] == "c2s" and p["offset"] >= head}
        return list(verdicts.values()), [f["reason"] for f in r.flows], r.summary["refused_packets"]

    reason = {"modbus": "modbus.function", "slmp": "slmp.command", "fins": "fins.command"}.get(protocol, protocol + ".function")
    for n in (2, most - 1, most, most + 1, most + 2, 2 * most):
        t.equal("%s: %d allowed" % (protocol, n), run("allowed-%d" % n, 0, n, False, False), (["allow"] * n, ["allowed"], {}))
        t.equal("%s: %d, the last forbidden" % (protocol, n), run("forbidden-%d" % n, 0, n, True, False),
                (["allow"] * (n - 1) + ["deny"], [reason], {reason: 1}))
    # If too many requests are open, the next one waits. It passes when they were answered and it is
    # sent again.
    waits = {protocol + ".pending": 1}
    t.equal(protocol + ": waits", run("waits", 4, most - 2, False, False)[1:], (["allowed"], waits))
    t.equal(protocol + ": waited", run("waited", 4, most - 2, False, True), (["allow"] * (most + 2), ["allowed"], waits))
    t.equal(protocol + ": waited in vain", run("in-vain", 4, most - 2, True, True), (["allow"] * (most + 1) + ["deny"], [reason], dict(waits, **{reason: 1})))


def cases(t):
    for protocol in PROTOCOLS:
        yield "crowded: " + protocol, one, (t, protocol)

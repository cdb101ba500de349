# SPDX-License-Identifier: Apache-2.0
import os
import struct

import wire
from wire import modbus, read_holding, holding, write_register, write_registers, wrote_registers

TOS, MAINT, CRANE = "10.20.0.10", "10.20.0.30", "10.30.1.10"


def key(p, *names):
    return tuple(p[n] for n in names)


def check(t):
    out = []
    wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(1, 0, 10)).answer(holding(1, range(10))) \
        .ask(read_holding(2, 90, 10)).answer(modbus(2, 1, b"\x83\x02")).close()
    r = t.replay(t.file("read.pcap", wire.pcap(out)))
    t.equal("status", r.status, 0)
    t.equal("pdus", [key(p, "client", "server", "n", "dir", "offset", "packet", "protocol", "unit", "function", "address",
                         "count", "verdict", "reason", "conduit", "line", "exception") for p in r.pdus], [
        ("10.20.0.10:40000", "10.30.1.10:502", 1, "c2s", 0, 4, "modbus", 1, 3, 0, 10, "allow", "allowed", "tos-reads-cranes",
         11, False),
        ("10.20.0.10:40000", "10.30.1.10:502", 1, "s2c", 0, 5, "modbus", 1, 3, 0, 10, "allow", "allowed", "tos-reads-cranes",
         11, False),
        ("10.20.0.10:40000", "10.30.1.10:502", 1, "c2s", 12, 6, "modbus", 1, 3, 90, 10, "allow", "allowed",
         "tos-reads-cranes", 11, False),
        ("10.20.0.10:40000", "10.30.1.10:502", 1, "s2c", 29, 7, "modbus", 1, 3, 90, 10, "allow", "allowed",
         "tos-reads-cranes", 11, True)])
    t.equal("flows", [key(f, "client", "server", "n", "protocol", "verdict", "packet", "flags") for f in r.flows],
            [("10.20.0.10:40000", "10.30.1.10:502", 1, "modbus", "allow", 0, [])])
    t.equal("summary", key(r.summary, "packets", "flows", "pdus", "denied_pdus", "denied_flows"), (10, 1, 4, 0, 0))

    out = []
    s = wire.Session(out, MAINT, 40001, CRANE, 502).open()
    for tid, (address, value) in enumerate([(400, 1), (401, 0)]):
        s.ask(write_register(tid, address, value)).answer(write_register(tid, address, value))
    s.ask(write_registers(7, 400, [1, 1])).answer(wrote_registers(7, 400, 2)).ask(read_holding(8, 5, 1)).answer(holding(8, [5]))
    r = t.replay(t.file("maintenance.pcap", wire.pcap(out)))
    t.equal("overlapping conduits: status", r.status, 0)
    t.equal("overlapping conduits: who allowed it", [key(p, "function", "conduit", "line") for p in r.pdus],
            [(6, "maint-sets-crane", 13)] * 4 + [(16, "maint-sets-crane", 13)] * 2 + [(3, "tos-reads-cranes", 11)] * 2)

    for what, client, pdu, reason, conduit in [
            ("value", MAINT, write_register(1, 400, 2), "modbus.value", "maint-sets-crane"),
            ("second value", MAINT, write_registers(1, 400, [1, 2]), "modbus.value", "maint-sets-crane"),
            ("address", MAINT, write_register(1, 399, 1), "modbus.address", "maint-sets-crane"),
            ("end of range", MAINT, write_registers(1, 401, [1, 1]), "modbus.address", "maint-sets-crane"),
            ("unit", MAINT, write_register(1, 400, 1, unit=2), "modbus.unit", "maint-sets-crane"),
            ("function", TOS, write_register(1, 400, 1), "modbus.function", "tos-reads-cranes"),
            ("mask write", MAINT, modbus(1, 1, struct.pack("!BHHH", 22, 400, 0xFFFE, 1)), "modbus.value", "maint-sets-crane"),
            ("coils", TOS, modbus(1, 1, b"\x01\0\0\0\x01"), "modbus.address", "tos-reads-cranes"),
            ("umas", TOS, modbus(1, 1, b"\x5a\0\x02"), "modbus.function", "tos-reads-cranes"),
            ("quantity 0", TOS, read_holding(1, 0, 0), "modbus.quantity", "tos-reads-cranes"),
            ("past the end", TOS, read_holding(1, 65535, 2), "modbus.quantity", "tos-reads-cranes")]:
        out = []
        s = wire.Session(out, client, 40002, CRANE, 502).open().ask(read_holding(9, 0, 1)).answer(holding(9, [0])).ask(pdu)
        r = t.replay(t.file("refused-%s.pcap" % what.replace(" ", "-"), wire.pcap(out)))
        t.equal(what + ": status", r.status, 1)
        t.equal(what + ": pdu", [key(p, "dir", "offset", "packet", "verdict", "reason", "conduit") for p in r.pdus[2:]],
                [("c2s", 12, 6, "deny", reason, conduit)])
        t.equal(what + ": flow", [key(f, "verdict", "reason", "packet") for f in r.flows], [("deny", reason, 6)])
        t.equal(what + ": summary", key(r.summary, "denied_pdus", "denied_flows"), (1, 1))
        text = t.text(t.file("refused-%s.pcap" % what.replace(" ", "-"), wire.pcap(out)), "--lang", "ja")
        t.equal(what + ": text status", text.returncode, 1)
        t.true(what + ": text", "拒否".encode() in text.stdout)

    # an answer to nobody's question, and another answer than before
    out = []
    wire.Session(out, TOS, 40003, CRANE, 502).open().ask(read_holding(1, 0, 1)).answer(holding(1, [0])).answer(holding(1, [1]))
    r = t.replay(t.file("twice.pcap", wire.pcap(out)))
    t.equal("answered twice", [key(p, "dir", "verdict", "reason") for p in r.pdus],
            [("c2s", "allow", "allowed"), ("s2c", "allow", "allowed"), ("s2c", "deny", "modbus.response")])
    # devices that get their answers wrong, and services that forgive them
    site = open(os.path.join(os.path.dirname(wire.__file__), "site.cfg"), encoding="utf-8").read()
    wrong = {"transaction": holding(0, [7]), "unit": holding(5, [7], unit=9), "duplicate": holding(5, [7]) + holding(5, [8]),
             "padding": modbus(5, 1, struct.pack("!BBHB", 3, 2, 7, 0x55))}
    for word in [None, *wrong]:
        text = site.replace('plc_read = {', 'plc_read = { lenient = ["%s"];' % word) if word else site
        policy = t.file("lenient-%s.cfg" % word, text)
        for what, answer in wrong.items():
            out = []
            wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(5, 0, 1)).answer(answer) \
                .ask(read_holding(6, 0, 1)).answer(holding(6, [7]))
            r = t.replay(t.file("lenient.pcap", wire.pcap(out)), "--as-box", policy=policy)
            t.equal("lenient %s: %s" % (word, what), (r.status, [f["reason"] for f in r.flows]),
                    (0, ["allowed"]) if word == what else (1, ["modbus.response"]))
        out = []
        wire.Session(out, TOS, 40000, CRANE, 502).open().ask(read_holding(5, 0, 1)).answer(holding(5, [7])).answer(holding(5, [7]))
        t.equal("lenient %s: the same once more" % word, t.replay(t.file("twice.pcap", wire.pcap(out)), "--as-box", policy=policy).status, 0)

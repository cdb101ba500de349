# SPDX-License-Identifier: Apache-2.0
import os
import resource
import struct
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import enip  # noqa: E402
import s7  # noqa: E402
import slmp  # noqa: E402

POLICY = """language_version = 1;
site = {{ name = "faults"; label = "faults"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "{0}"; ports = [{1}]; {2} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
PORTS = {"modbus": 502, "slmp": 5007, "enip": 44818, "s7comm": 102}
HANDLE, F = 0x5EC1, slmp.FORMS[0]
GREETING = {
    "enip": [(enip.register(), enip.message(0x65, b"\1\0\0\0", HANDLE))],
    "s7comm": [(s7.connect(), s7.connection(0xD0, 1, 0x100)), (s7.setup(), s7.data(s7.message(3, 1, b"\xf0\0\0\1\0\1\0\xf0")))],
}


class Run:
    def __init__(self, t):
        self.t, self.number = t, 0

    def capture(self, packets, protocol, allow="", udp=""):
        self.number += 1
        ports = '"tcp/%d"%s' % (PORTS[protocol], udp)
        cfg = self.t.file("%s.%d.cfg" % (protocol, self.number), POLICY.format(protocol, ports, "allow = ( { %s } );" % allow if allow else ""))
        return self.t.replay(self.t.file("%d.pcap" % self.number, wire.pcap(packets, step=100_000)), "--as-box", policy=cfg)

    def session(self, protocol, *requests, allow=""):
        """The reasons for the requests after the greeting, and for the flow."""
        out = []
        s = wire.Session(out, "10.7.0.1", 40000, "10.7.0.2", PORTS[protocol]).open()
        for ask, answer in GREETING.get(protocol, []):
            s.ask(ask).answer(answer)
        for request in requests:
            s.ask(request)
        r = self.capture(out, protocol, allow)
        return [p["reason"] for p in r.pdus if p["dir"] == "c2s"][len(GREETING.get(protocol, [])):], [f["reason"] for f in r.flows]

    def refused(self, what, reasons, protocol, request, allow=""):
        got, flow = self.session(protocol, request, allow=allow)
        self.t.equal("%s: passes" % what, "allowed" in got, False)
        self.t.true("%s: refused for %s" % (what, flow), flow and flow[0] in [protocol + "." + r for r in reasons.split()])


def lengths_that_wrap(t):
    """CVE-2022-20685: record lengths of Modbus file functions whose sum overflows, or that make no
    progress; the same in items of other protocols."""
    run = Run(t)
    for function in (20, 21):
        for count in (0, 1, 7, 9, 14, 0x7f, 0x80, 0xf5, 0xf6, 0xff):
            for record in (0, 1, 0x7ffc, 0x7fff, 0x8000, 0xfff8, 0xfffc, 0xffff):
                body = struct.pack("!BBBHHH", function, count, 6, 1, 0, record)
                fits = function == 20 and count == 7 and 0 < record < 0x7d
                if not fits:
                    run.refused("function %d, %d bytes, record of %d" % (function, count, record), "malformed frame field", "modbus", wire.modbus(1, 1, body))
    for n in (0x7fff, 0x8000, 0xffff):
        run.refused("slmp: %d points" % n, "malformed", "slmp", F.request(0x1401, 0, F.device(False, "d", 0) + F.num(2, n) + b"\0\0"))
        run.refused("enip: %d services in one" % n, "malformed many", "enip", enip.request(HANDLE, enip.service(0x0A, enip.ROUTER, struct.pack("<H", n) + b"\2\0" * 4)))
        run.refused("s7comm: an item's data of %d" % n, "malformed", "s7comm", s7.write([s7.place(s7.DB, 1, 0, 1)], [struct.pack("!BBH", 0, 4, n) + b"\0"]))


def one_length_against_the_other(t):
    """CVE-2017-11401: a length that the filter and the device read differently lets a forbidden
    function pass."""
    run, read = Run(t), 'commands = ["read"];'
    for d in (-6, -5, -2, -1, 1, 2, 6, 12, 0x100, 0x7ff0, 0xfff0):
        head = struct.pack("!HHH", 1, 0, (6 + d) & 0xffff)
        run.refused("modbus: length %+d" % d, "malformed frame function pending", "modbus", head + wire.read_holding(1, 0, 1)[6:] + wire.write_register(2, 0, 1) * 25, read)
    cases = {"enip": (enip.request(HANDLE, enip.write("a", 1)), ((2, 2, "little"), (32, 2, "little"), (38, 2, "little"), (41, 1, "little"))),
             "s7comm": (s7.write_word(10, 0, 1), ((2, 2, "big"), (4, 1, "big"), (13, 2, "big"), (15, 2, "big"))),
             "slmp": (F.write("d", 0, [1]), ((7, 2, "little"),))}
    for protocol, (request, fields) in cases.items():
        for at, size, order in fields:
            true = int.from_bytes(request[at:at + size], order)
            for d in (-2, -1, 1, 2, 1 << (8 * size - 1)):
                changed = request[:at] + ((true + d) % (1 << 8 * size)).to_bytes(size, order) + request[at + size:]
                run.refused("%s: length at %d %+d" % (protocol, at, d), "malformed frame function command session address fragments size cut", protocol, changed + request * 120, read)


def sessions_without_end(t):
    """CVE-2026-22259: the memory for unanswered requests is bounded, and further requests wait."""
    run = Run(t)
    ask = {"modbus": lambda n: wire.read_holding(n & 0xffff, 0, 1), "slmp": lambda n: F.read("d", 0, 1), "enip": lambda n: enip.request(HANDLE, enip.read("a"), n),
           "s7comm": lambda n: s7.read([s7.place(s7.DB, 1, 0, 1)], n & 0xffff)}
    for protocol, request in ask.items():
        got, _ = run.session(protocol, *(request(n) for n in range(2000)))
        t.true("%s: %d of 2000 open" % (protocol, got.count("allowed")), 8 <= got.count("allowed") <= 64)


def fragments_of_one_number(t):
    """CVE-2024-37151: many packets in fragments with the same IP id at the same time. Fragments
    that cannot be put together do not pass."""
    run = Run(t)
    out = []
    s = wire.Session(out, "10.7.0.1", 40000, "10.7.0.2", 502).open()
    for n in range(50):
        segment = wire.tcp_segment("10.7.0.1", 40000, "10.7.0.2", 502, s.seq + 12 * n, s.ack, wire.PSH | wire.ACK,
                                   wire.write_register(n, 0, 1) if n else wire.read_holding(n, 0, 1))
        out += [wire.ip_packet("10.7.0.1", "10.7.0.2", 6, segment[k:k + 8], 7, (0x2000 if k + 8 < len(segment) else 0) | k // 8) for k in (0, 16, 24)]
        out += [wire.ip_packet("10.7.0.1", "10.7.0.2", 6, segment[8:16], 7, 0x2001)] * (n % 3)
    r = run.capture(out, "modbus", 'commands = ["read"];')
    t.equal("writes that pass", [p for p in r.pdus if p["function"] == 6 and p["verdict"] == "allow"], [])


def counts_and_sizes(t):
    """Snort 3 read out of bounds in S7comm-plus and IEC 104: every count and size of items is
    checked against the present bytes, PDU by PDU."""
    run, items = Run(t), [s7.place(s7.DB, 1, 0, 1)]
    for count in (0, 2, 3, 20, 127, 128, 254, 255):
        request = bytearray(s7.read(items))
        request[18] = count
        run.refused("s7comm: %d items said, one there" % count, "malformed", "s7comm", bytes(request))
    for at in range(19, 31):  # the head of an item has another length or syntax
        for value in (0, 0x7f, 0xff):
            request = bytearray(s7.read(items))
            if at < 22 and request[at] != value:
                request[at] = value
                run.refused("s7comm: item byte %d is %d" % (at, value), "malformed address", "s7comm", bytes(request), 'commands = ["read"]; db = [1];')
    for n in range(8, len(s7.plus()) - 1):
        cut = s7.packet(s7.plus()[4:n])
        run.refused("s7comm-plus of %d bytes" % n, "plus malformed session frame", "s7comm", cut)
    for n in (0, 2, 5, 255):
        run.refused("slmp: %d points said, one there" % n, "malformed", "slmp", F.request(0x0403, 0, F.num(1, n) + F.num(1, 0) + F.device(False, "d", 0)))


def nesting(t):
    """Recursive dissectors: services in services, paths in paths. One level is accepted, more are
    refused, and depth does not make it slower."""
    def worked():  # processor time, because a program that waits for a core is not slow
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    run, inner, times = Run(t), enip.read("a"), []
    for depth in range(2, 40):
        before = worked()
        several = sent = inner
        for _ in range(depth):
            several = enip.service(0x0A, enip.ROUTER, enip.several([several]))
            sent = enip.sent_on(sent)
        run.refused("several, %d deep" % depth, "malformed function", "enip", enip.request(HANDLE, several))
        run.refused("sent on, %d deep" % depth, "malformed function", "enip", enip.request(HANDLE, sent))
        times.append(worked() - before)
    t.true("quickly", sum(times[-10:]) < 4 * sum(times[:10]))


def holes_by_an_attacker(t):
    """CVE-2017-11402: a crafted exchange opens a way for other packets. Here: data of an I/O
    connection that nobody was allowed to open."""
    run = Run(t)
    data = lambda number: struct.pack("<HHHIIHHH", 2, 0x8002, 8, number, 1, 0xB1, 4, 1) + b"\0\0"
    out = []
    s = wire.Session(out, "10.7.0.1", 40000, "10.7.0.2", 44818).open()
    for ask, answer in GREETING["enip"]:
        s.ask(ask).answer(answer)
    # without a request
    s.answer(enip.request(HANDLE, bytes([0xD4, 0, 0, 0]) + struct.pack("<IIHHIIIBB", 0x1007, 0x207, 7, 0x4D, 77, 8000, 8000, 0, 0)))
    for number in (0x1007, 0x207, 0, 0xffffffff):
        out.append(wire.udp("10.7.0.1", 2222, "10.7.0.2", 2222, data(number)))
        out.append(wire.udp("10.7.0.2", 2222, "10.7.0.1", 2222, data(number)))
    r = run.capture(out, "enip", 'commands = ["read"];', ', "udp/2222"')
    t.equal("datagrams that pass", [p for p in r.pdus if p["verdict"] == "allow" and ":2222" in p["server"]], [])
    t.true("datagrams that are refused", sum(r.summary["refused_packets"].values()) >= 8)


CASES = [lengths_that_wrap, one_length_against_the_other, sessions_without_end, fragments_of_one_number, counts_and_sizes, nesting, holes_by_an_attacker]


def cases(t):
    for case in CASES:
        yield "known_faults: " + case.__name__, case, (t,)

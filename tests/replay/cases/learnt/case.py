# SPDX-License-Identifier: Apache-2.0
import importlib.util
import ipaddress
import os
import random
import re
import struct
import sys

import wire

HERE = os.path.dirname(os.path.abspath(__file__))
PCAPS = os.path.join(HERE, "..", "..", "..", "..", "..", "shared", "pcaps")
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "lib"))
import bacnet  # noqa: E402
import dnp3  # noqa: E402
import enip  # noqa: E402
import fins  # noqa: E402
import iec104  # noqa: E402
import memobus  # noqa: E402
import opcua  # noqa: E402
import s7  # noqa: E402
import slmp  # noqa: E402

CLIENT, SERVER = "10.7.1.1", "10.7.2.2"
MELSEC = slmp.Form(False, False)
HANDLE = 7
TSN = "nttcom__zeek-parser-CCLinkTSNSLMP/testing/Traces/test.pcap"


def policy(addresses, services="", conduits=""):
    """A policy with a zone for each host, because no box sees traffic inside one zone."""
    zones = " ".join('z%d = { interfaces = ["lan%d"]; networks = ["%s/%d"]; };' % (i, i, a, ipaddress.ip_address(a).max_prefixlen)
                     for i, a in enumerate(addresses))
    return "language_version = 1;\nzones = { %s };\nservices = {\n%s};\nconduits = (\n%s);\n" % (zones, services, conduits)


def is_host(a):
    ip = ipaddress.ip_address(a)
    return not (ip.is_multicast or ip.is_link_local or ip.is_loopback or ip.is_unspecified or ip.is_reserved or a.endswith(".255"))


def hosts(t, capture):
    site = t.file("nobody.cfg", policy(["192.0.2.1"]))
    ends = {f[end].rsplit(":", 1)[0].strip("[]") for f in t.replay(capture, policy=site).flows for end in ("client", "server")}
    return sorted(filter(is_host, ends))[:200]


def proposed(t, capture, addresses):
    """(services, conduits) as texts, and the whole output."""
    done = t.call("--lang", "en", "learn", "--pcap", capture, "--policy", t.file("site.cfg", policy(addresses)))
    t.equal("learn's status", (done.returncode, done.stderr), (0, b""))
    parts = re.search(r"# into services:\n(.*)\n# into conduits:\n(.*)", done.stdout.decode(), re.S)
    return (*(parts.groups() if parts else ("", "")), done.stdout.decode())


def refused(r):
    """The refused requests. A function that receivers read differently has to be alone in its
    segment; this is not learnt, so it is left out."""
    return [(p["packet"], p["dir"], p["offset"]) for p in r.pdus
            if p["verdict"] != "allow" and p["dir"] == "c2s" and p["reason"] != "modbus.alone"]


def round_trip(t, capture):
    """Replays the capture with the proposal in force, compared with what is refused when it allows
    every command. Returns its services and the replay."""
    addresses = hosts(t, capture)
    services, conduits, text = proposed(t, capture, addresses)
    if not services:
        return services, text, None
    conduits = conduits.replace(' mode = "observe";', "")
    cfg = t.file("proposal.cfg", policy(addresses, services, conduits))
    done = t.call("--lang", "en", "check", cfg)
    t.equal("check of " + cfg, (done.returncode, done.stderr.decode()[:500]), (0, ""))
    all_of_it = t.file("whole.cfg", policy(addresses, re.sub(r"\n    allow = \(.*?\n? \);", "", re.sub(r"(?m)^ *#.*\n", "", services), flags=re.S), conduits))
    r, whole = t.replay(capture, policy=cfg), t.replay(capture, policy=all_of_it)
    t.true("both were replayed: %s%s" % (r.err[:300], whole.err[:300]), r.summary and whole.summary)
    t.equal("refused by rows of " + cfg, [x for x in refused(r) if x not in set(refused(whole))], [])
    return services, text, r


def talk(asks, port, sport=40000, begin=True):
    out = []
    s = wire.Session(out, CLIENT, sport, SERVER, port)
    s.open() if begin else None
    for ask, answer in asks:
        s.ask(ask).answer(answer)
    return wire.pcap(out)


def rows(t, name, asks, port, want, wide=0, **more):
    """Compares everything that is proposed for one session, row by row. `wide` of the rows say that
    they allow more than was seen."""
    services, text, r = round_trip(t, t.file(name + ".pcap", talk(asks, port, **more)))
    got = re.findall(r"\{ functions = \[[^{}]*\}", services)
    t.equal(name + ": rows", got, ["{ functions = [%s }" % w for w in want])
    t.equal(name + ": comments", services.count("#"), wide)
    t.equal(name + ": the server", re.findall(r'destinations = \["([^"]*)"\]', text), [SERVER])
    t.equal(name + ": refused", refused(r), [])
    return services


def modbus(t):
    both = wire.modbus(1, 1, struct.pack("!BHHHHBH", 23, 5, 1, 700, 1, 2, 9))
    services = rows(t, "modbus", [(both, wire.modbus(1, 1, b"\x17\2\0\1")), (wire.read_holding(2, 10, 3), wire.holding(2, [1, 2, 3]))], 502,
                    ['"read_holding_registers"]; units = ["1"]; holding = ["10-12"];',
                     '"read_write_multiple_registers"]; units = ["1"]; holding = ["5", "700"];'], wide=1)
    t.true("both ways are said: " + services, "read and written" in services)


def s7comm(t):
    place = s7.place
    items = [place(s7.DB, 1, 10, 1), place(s7.DB, 200, 4, 1), place(s7.DB, 1, 12, 1), place(0x81, 0, 3, 1)]
    values = b"\xff\4\0\10\1\0" * 3 + b"\xff\4\0\10\1"
    rows(t, "s7comm", [(s7.connect(), s7.connection(0xD0, 1, 2)), (s7.setup(), s7.data(s7.message(3, 1, s7.setup()[17:25]))),
                       (s7.read(items), s7.data(s7.message(3, 2, bytes([s7.READ, 4]), values)))], 102,
         ['"read_var"]; slots = ["2"]; inputs = ["3"]; db = ["1.10-12", "200.4"];'])


def cip(t):
    read = lambda path: enip.service(0x0E, path)
    parts = [enip.read("Crane.Speed"), enip.read("Crane.Load"), read(b"\x20\1\x24\1\x30\7"), read(b"\x20\4\x24\x64\x30\3")]
    several = enip.service(0x0A, enip.ROUTER, enip.several(parts))
    capture = t.file("cip.pcap", talk([(enip.register(), enip.message(0x65, b"\1\0\0\0", HANDLE)),
                                       (enip.request(HANDLE, several), enip.request(HANDLE, enip.Controller().execute(several, {})))], 44818))
    services, text, r = round_trip(t, capture)
    t.equal("refused", refused(r), [])
    t.true("both objects, no other: " + services, 'objects = ["1.1.7", "4.100.3"]' in services)
    t.equal("both tags by their names: " + services, sorted(re.findall(r'tags = \["([^"]*)", "([^"]*)"\]', services)[0]), ["Crane.Load", "Crane.Speed"])


def half(t):
    """A connection that was opened before the capture and is closed in it: this is reported, and
    not allowed. The end of one that was opened in the capture may be allowed."""
    read = enip.service(0x0E, b"\x20\1\x24\1\x30\7")
    controller, state = enip.Controller(), {"connections": {}}
    close, opened = enip.request(HANDLE, enip.forward_close(9)), enip.request(HANDLE, enip.forward_open(5, 0x2000, b""))
    for name, asks, wide in (("unseen", [close], 1), ("seen", [opened, enip.request(HANDLE, enip.forward_close(5))], 0)):
        asks = [enip.request(HANDLE, read)] + asks
        capture = t.file("half-%s.pcap" % name, talk([(a, controller.answer(a, state)) for a in asks], 44818, begin=False))
        services, conduits, text = proposed(t, capture, [CLIENT, SERVER])
        t.equal(name + ": rows", re.findall(r'\{ functions = \["([^]]*)"\]', services), ["get_attribute_single"])
        t.equal(name + ": said: " + services, services.count("# forward_close was seen only for something that began before the observation: no row allows it\n"), wide)
        t.equal(name + ": counted: " + text, "end something begun before the observation; no row allows them: 1" in text, wide == 1)
        cfg = t.file("half-%s.cfg" % name, policy([CLIENT, SERVER], services, conduits.replace(' mode = "observe";', "")))
        r = t.replay(capture, policy=cfg)
        t.equal(name + ": refused", [p["function_name"] for p in r.pdus if p["dir"] == "c2s" and p["verdict"] != "allow"], ["forward_close"] * wide)
    services, conduits, text = proposed(t, t.file("half-only.pcap", talk([(close, controller.answer(close, state))], 44818, begin=False)), [CLIENT, SERVER])
    t.equal("nothing but that: a line", services, "")


def half_of_others(t):
    """In every protocol, the end of an upload, of a repeated read or of a file whose beginning was
    not seen becomes a comment; with its beginning it becomes a row."""
    s7_open = [(s7.connect(), s7.connection(0xD0, 1, 2)), (s7.setup(), s7.data(s7.message(3, 1, s7.setup()[17:25])))]
    s7_read = (s7.read([s7.place(s7.DB, 1, 2, 1)], 2), s7.data(s7.message(3, 2, bytes([s7.READ, 1]), b"\xff\4\0\10\1")))
    job = lambda n, code, more=b"": (s7.data(s7.message(1, n, bytes([code]) + more)), s7.data(s7.message(3, n, bytes([code]))))
    end = job(4, 0x1F, b"\0\0\0\0\0\0\7")
    begin = job(3, 0x1D, b"\0\0\0\0\0\0\0\t_0A00001A")
    melsec_read = (MELSEC.read("d", 100, 1), MELSEC.answer(bytes(2)))
    close = (MELSEC.request(0x182A, 0, MELSEC.num(2, 1) + MELSEC.num(2, 0)), MELSEC.answer(b""))
    opened = (MELSEC.request(0x1827, 0, bytes(8)), MELSEC.answer(MELSEC.num(2, 1)))
    for name, port, before, ask, first, ends in (("s7comm", 102, s7_open + [s7_read], end, begin, "end_upload"), ("slmp", 5007, [melsec_read], close, opened, "close_file")):
        for seen in (False, True):
            asks = before + ([first] if seen else []) + [ask]
            services, conduits, text = proposed(t, t.file("half-%s-%d.pcap" % (name, seen), talk(asks, port)), [CLIENT, SERVER])
            functions = " ".join(re.findall(r"functions = \[[^\]]*\];(?: /\* \S+ \*/)?", services))
            t.equal("%s, begun %d: a row: %s" % (name, seen, services), ends in functions, seen)
            t.equal("%s, begun %d: a comment" % (name, seen), "# %s was seen only for something that began" % ends in services, not seen)
            t.equal("%s, begun %d: counted: %s" % (name, seen, text), "end something begun before the observation; no row allows them: 1" in text, not seen)


def ends_alone(t):
    """Of a session that began before the capture there is only the end, or silence: this gives no
    conduit, whatever its port is. One byte of data is enough for a conduit."""
    for name, flags in (("closed", (wire.FIN | wire.ACK, wire.FIN | wire.ACK, wire.ACK)), ("reset", (wire.RST, wire.RST, wire.RST)), ("silent", (wire.ACK,) * 3)):
        out = []
        s = wire.Session(out, CLIENT, 40000, SERVER, 9999)
        s.c2s(flags[0]).s2c(flags[1]).c2s(flags[2])
        done = t.call("--lang", "en", "learn", "--pcap", t.file("ends-%s.pcap" % name, wire.pcap(out)))
        t.equal(name + ": status", done.returncode, 1)
        t.true("%s: counted: %s" % (name, done.stdout.decode()), b"conduits" not in done.stdout.replace(b"needs a conduit", b"") and
               b"requests are not clear, and that have no line: 1" in done.stdout)
    out = []
    wire.Session(out, CLIENT, 40000, SERVER, 9999).ask(b"anything").answer(b"answer")
    services, text, r = round_trip(t, t.file("ends-not.pcap", wire.pcap(out)))
    t.true("with data: " + services, 'ports = ["tcp/9999"]' in services)


def melsec(t):
    devices = [("d", 100), ("m", 7), ("d", 900), ("w", 16)]
    random = MELSEC.request(0x0403, 0, MELSEC.num(1, 4) + MELSEC.num(1, 0) + b"".join(MELSEC.device(False, *d) for d in devices))
    block = MELSEC.request(0x0406, 0, MELSEC.num(1, 2) + MELSEC.num(1, 0) + MELSEC.device(False, "d", 10) + MELSEC.num(2, 2) +
                           MELSEC.device(False, "r", 30) + MELSEC.num(2, 1))
    services, text, r = round_trip(t, t.file("slmp.pcap", talk([(random, MELSEC.answer(bytes(8))), (block, MELSEC.answer(bytes(6)))], 5007)))
    t.equal("refused", refused(r), [])
    t.equal("comments: " + services, services.count("#"), 0)
    t.true("all devices: " + services, 'm = ["7-22"]; d = ["100-900"]; w = ["0x10"];' in services and 'd = ["10-11"]; r = ["30"];' in services)


def omron(t):
    """Places of several areas, a write of bits, the exchange of nodes, which needs no row; and the
    same in datagrams."""
    memory = fins.Memory()
    places = [fins.place("d", 100), fins.place("w", 7, 3), fins.place("e0", 900), fins.place("cio", 5)]
    asks = [fins.multiple(places, 1), fins.read("h", 12, 2, 2), fins.write("w", 7, [1, 0], 3, 4), fins.request(0x0701, b"", 4)]
    over_tcp = [(fins.node(), fins.nodes())] + [(fins.tcp(b), fins.tcp(memory.answer(b))) for b in asks]
    services, text, r = round_trip(t, t.file("fins.pcap", talk(over_tcp, 9600)))
    t.equal("refused", refused(r), [])
    t.equal("comments: " + services, services.count("#"), 0)
    t.true("all places: " + services, 'cio = ["5"]; w = ["7.3"]; d = ["100"]; e = ["0.900"];' in services and 'h = ["12-13"];' in services and 'w = ["7.4-5"];' in services)
    t.true("the clock: " + services, '"clock_read"' in services)
    t.true("whom: " + services, 'nodes = ["10"]' in services)


def telecontrol_session(asks):
    """STARTDT, and then each command with its confirmation."""
    ends = iec104.Ends()
    return [(iec104.u(iec104.STARTDT_ACT), iec104.u(iec104.STARTDT_CON))] + [(ends.ask(a), ends.tell(iec104.confirm(a))) for a in asks]


def telecontrol(t):
    """Objects, values and qualifiers of one station, and a clock command to all stations. The
    opening of a session needs no row."""
    asks = [iec104.interrogate(), iec104.single(4001, 1, True), iec104.single(4001, 1), iec104.single(4002, 0), iec104.scaled(6001, 250), iec104.clock(ca=65535)]
    services, text, r = round_trip(t, t.file("iec104.pcap", talk(telecontrol_session(asks), 2404)))
    t.equal("refused", refused(r), [])
    t.equal("comments: " + services, services.count("#"), 0)
    t.true("objects: " + services, 'ioa = ["4001-4002"];' in services and 'ioa = ["6001"];' in services)
    t.true("values: " + services, '"C_SC_NA_1"' in services and '"C_SE_NB_1"' in services)
    t.true("whom: " + services, 'ca = ["1"]' in services and 'ca = ["65535"]' in services)


def yaskawa(t):
    """Coils, holding registers and M registers of one CPU, a value, a list of registers; and the
    same in datagrams."""
    memory = memobus.Memory()
    asks = [memobus.read_holding(100, 10, 1), memobus.read_list([105, 300], 2), memobus.write_holding(400, [250], 3), memobus.write_coils(7, [1, 0], 4),
            memobus.read_registers("m", 100000, 2, 5), memobus.write_bits("m", 1605, [1], 6), memobus.short(0x2008, 0, 0xAAAA, number=7)]
    services, text, r = round_trip(t, t.file("memobus.pcap", talk([(b, memory.answer(b)) for b in asks], 9999)))
    t.equal("refused", refused(r), [])
    t.equal("comments: " + services, services.count("#"), 0)
    t.true("places: " + services, 'holding = ["400"];' in services and 'coils = ["7-8"];' in services and 'mw = ["100000-100001"];' in services and 'mb = ["100.5"];' in services)
    t.true("whom: " + services, 'cpus = ["1"]' in services and '"loopback_test"' in services)
    out = []
    for b in asks:
        out += [wire.udp(CLIENT, 40000, SERVER, 9999, b), wire.udp(SERVER, 9999, CLIENT, 40000, memory.answer(b))]
    services, text, r = round_trip(t, t.file("memobus-udp.pcap", wire.pcap(out)))
    t.equal("in datagrams: " + services, (refused(r), 'ports = ["udp/9999"]' in services), ([], True))
def outstation(t):
    """Points, values and control codes of one outstation, classes, a clock, SELECT and OPERATE, and
    unsolicited responses with their confirmations."""
    rtu = dnp3.Outstation()
    asks = [dnp3.ask(1, dnp3.CLASSES), dnp3.ask(1, dnp3.points(30, 0, 0, 9), 1), dnp3.ask(3, dnp3.crob(7, dnp3.CLOSE), 2), dnp3.ask(4, dnp3.crob(7, dnp3.CLOSE), 3),
            dnp3.ask(5, dnp3.analog(3, 250), 4), dnp3.ask(2, dnp3.clock(), 5), dnp3.ask(20, dnp3.all_of(60, 2), 6)]
    exchanges = [(a, rtu.answer(a)) for a in asks] + [(dnp3.frame(0xC9), dnp3.frame(0x0B, to=1, by=10) + dnp3.unsolicited(b"", 3)), (dnp3.confirm(3, True), b"")]
    services, text, r = round_trip(t, t.file("dnp3.pcap", talk(exchanges, 20000)))
    t.equal("refused", refused(r), [])
    t.equal("classes touch any point: " + services, services.count("#"), 1)
    t.true("points: " + services, 'analog_inputs = ["0-9"];' in services and 'binary_outputs = ["7"];' in services and 'analog_outputs = ["3"];' in services)
    t.true("values and codes: " + services, 'operations = ["close"]' in services and '"select"' in services and '"write_time"' in services and '"read_classes"' in services)
    t.true("whom: " + services, 'outstations = ["10"]' in services and 'masters = ["1"]' in services)
def unified_session(asks):
    """A channel without security, and then each request (body, body of the answer); None: no
    answer."""
    ends = opcua.Ends()
    return ends.begin() + [(ends.ask(a), ends.tell(b)) for a, b in asks]


def unified(t):
    """Nodes, values and attributes without security, which the policy has to name. The opening of a
    session needs no row. And messages that cannot be read."""
    n = lambda k: opcua.node(2, k)
    value = opcua.data_value(opcua.variant(6, 250))
    asks = [(opcua.endpoints(), opcua.answer(431)), (opcua.create_session(), opcua.answer(464)), (opcua.activate(), opcua.answer(470)),
            (opcua.read([n(1000), n(1001)]), opcua.answer(634)), (opcua.write([(n(6001), value)]), opcua.answer(676)),
            (opcua.call([(n(7000), n(7001), [opcua.variant(3, 1)])]), opcua.answer(715)), (opcua.create_subscription(), opcua.answer(790)),
            (opcua.monitor([n(1002)]), opcua.answer(754)), (opcua.publish(), opcua.answer(829))]
    services, text, r = round_trip(t, t.file("opcua.pcap", talk(unified_session(asks), 4840)))
    t.equal("refused", refused(r), [])
    t.true("None is named: " + services, 'security_policies = ["None"]' in services)
    t.true("nodes: " + services, '"2.1000-1001"' in services and '"2.6001"' in services and '"2.7000", "2.7001"' in services)
    t.true("services: " + services, all('"%s"' % w in services for w in ("Read", "Write", "Call", "CreateMonitoredItems", "Publish", "GetEndpoints")))
    t.true("no row for what opens a session: " + services, "CreateSession" not in services and "OpenSecureChannel" not in services)
    ends = opcua.Ends()
    secured = [(opcua.hello(), opcua.acknowledge()), (ends.open(policy=opcua.BASIC256SHA256, body=bytes(range(64))), ends.told_open(opcua.BASIC256SHA256, bytes(64))),
               (ends.ask(bytes(range(64))), ends.tell(bytes(range(64))))]
    services, text, r = round_trip(t, t.file("opcua-secured.pcap", talk(secured, 4840)))
    t.equal("secured: refused", refused(r), [])
    t.true("secured: " + services, '"Secured"' in services and 'security_policies = ["Basic256Sha256"]' in services)


def building(t):
    """Objects, properties, values and priorities of one device. A station behind a router and a
    broadcast have to be named. Answers need no row."""
    device = bacnet.Device()
    asks = [bacnet.ask(bacnet.read((1, 1)), 1), bacnet.ask(bacnet.read((1, 2)), 2), bacnet.ask(bacnet.read_multiple([((0, 5), [(85, None), (87, 8)])]), 3),
            bacnet.ask(bacnet.write((1, 1), bacnet.real(21.5), priority=8), 4), bacnet.ask(bacnet.write((1, 1), bacnet.NULL, priority=8), 5), bacnet.ask(bacnet.subscribe((0, 5)), 6),
            bacnet.ask(bacnet.read((2, 7)), 7, to=bacnet.route(5, b"\x0c")), bacnet.ask(bacnet.who_is(), function=bacnet.BROADCAST)]
    out = []
    for b in asks:
        answer = device.answer(b)
        out += [wire.udp(CLIENT, 47808, SERVER, 47808, b)] + ([wire.udp(SERVER, 47808, CLIENT, 47808, answer)] if answer else [])
    services, text, r = round_trip(t, t.file("bacnet.pcap", wire.pcap(out)))
    t.equal("refused", refused(r), [])
    t.true("objects: " + services, 'objects = ["analog-output:1-2"]' in services and 'objects = ["analog-input:5"]' in services)
    t.true("properties: " + services, '"present-value.whole"' in services and '"priority-array.8"' in services)
    t.true("writes: " + services, '"WriteProperty"' in services and '"Relinquish"' in services and 'priorities = ["8"]' in services)
    t.true("whom: " + services, services.count('routes = ["5.12"]') == 1 and services.count('ways = ["broadcast"]') == 1)
    t.equal("comments: " + services, services.count("#"), 0)


def both_ask(t):
    """The device speaks first, with the protocol's port at both ends: what each end asks gets a
    conduit of its own, and all of it passes by them."""
    device, ask = bacnet.Device(), [bacnet.ask(bacnet.read((1, 1)), 1), bacnet.ask(bacnet.write((1, 1), bacnet.real(21.5), priority=8), 2)]
    out = [wire.udp(SERVER, 47808, CLIENT, 47808, bacnet.ask(bacnet.i_am(5)))]
    for b in ask:
        out += [wire.udp(CLIENT, 47808, SERVER, 47808, b), wire.udp(SERVER, 47808, CLIENT, 47808, device.answer(b))]
    services, text, r = round_trip(t, t.file("both-ask.pcap", wire.pcap(out)))
    t.equal("refused", [p for p in r.pdus if p["verdict"] != "allow"], [])
    t.equal("who asks whom: " + text, sorted(re.findall(r'sources = \["([^"]*)"\];\n    destinations = \["([^"]*)"\]', text)), [(CLIENT, SERVER), (SERVER, CLIENT)])
    t.equal("the device asks: " + services, re.findall(r'functions = \["(I-Am|ReadProperty|WriteProperty)"\]', services).count("I-Am"), 1)


def answers_first(t):
    """The first datagram is an answer: an outstation speaks by itself, or a capture begins within a
    talk. It gets no conduit, because the other end's requests would pass by it as answers."""
    rtu, reads = dnp3.Outstation(), [dnp3.ask(1, dnp3.points(30, 0, 0, 9), n) for n in range(2)]
    polls = [fins.read("d", 0, 1, n) for n in (1, 2)]
    for name, port, out in (("dnp3", 20000, [dnp3.unsolicited(b"")] + [x for a in reads for x in (a, rtu.answer(a))]),
                            ("fins", 9600, [x for b in polls for x in (fins.answer(fins.READ, bytes(2)), b)])):
        packets = [wire.udp(SERVER, port, CLIENT, port, b) if n % 2 == 0 else wire.udp(CLIENT, port, SERVER, port, b) for n, b in enumerate(out)]
        services, _conduits, text = proposed(t, t.file("answers-first-%s.pcap" % name, wire.pcap(packets)), [CLIENT, SERVER])
        t.equal(name + ": one conduit: " + text, (re.findall(r'protocol = "([^"]*)"', services), re.findall(r'sources = \["([^"]*)"', text)), ([name], [CLIENT]))


def halfway(t):
    """Each protocol without its beginning, with a client's port below the server's: the bytes show
    the protocol, and its port shows the server."""
    read = enip.service(0x0E, b"\x20\1\x24\1\x30\7")
    for name, port, ask, answer, sport in (
            ("modbus", 502, wire.read_holding(1, 5, 1), wire.holding(1, [9]), 400),
            ("slmp", 5007, MELSEC.read("d", 5, 1), MELSEC.answer(bytes(2)), 3033),
            ("enip", 44818, enip.request(HANDLE, read), enip.request(HANDLE, b"\x8e\0\0\0\1"), 3033),
            ("s7comm", 102, s7.read([s7.place(s7.DB, 1, 10, 1)]), s7.data(s7.message(3, 2, bytes([s7.READ, 1]), b"\xff\4\0\10\1")), 1033)):
        capture = t.file("halfway-%s.pcap" % name, talk([(ask, answer)] * 3, port, sport, begin=False))
        services, text, r = round_trip(t, capture)
        t.true("%s: %s" % (name, text), 'protocol = "%s"; ports = ["tcp/%d"]' % (name, port) in services)
        t.equal("%s: the server" % name, re.findall(r'destinations = \["([^"]*)"\]', text), [SERVER])
        t.equal("%s: refused" % name, refused(r), [] if r else None)


def idle(t):
    """The first packet that the capture has of each session is its server's keep-alive, whose
    sequence number is one less than that of the server's next byte. All later requests are learnt,
    even the first one: rows without it would refuse it."""
    for name, port, asks, row in speeches():
        capture = []
        s = wire.Session(capture, CLIENT, 40000, SERVER, port)
        s.ack -= 1
        s.s2c(wire.ACK)
        s.ack += 1
        s.c2s(wire.ACK)
        for ask, answer in asks[2:]:  # messages that only exist at a beginning came before
            s.ask(ask).s2c(wire.ACK).answer(answer).c2s(wire.ACK)
        services, text, r = round_trip(t, t.file("idle-%s.pcap" % name, wire.pcap(capture)))
        t.equal("%s: services" % name, re.findall(r'protocol = "([^"]*)"', services), [name])
        t.equal("%s: refused" % name, refused(r), [] if r else None)
        t.equal("%s: unread" % name, r.summary["unread"], 0)
        t.equal("%s: requests" % name, [(p["verdict"], p["reason"]) for p in r.pdus if p["dir"] == "c2s"], [("allow", "allowed")] * len(asks[2:]))


def speeches():
    """(name, port, requests and answers, a command in the last request that must get a row), each
    from the beginning of its session."""
    read = lambda n: s7.data(s7.message(3, n, bytes([s7.READ, 1]), b"\xff\4\0\10\1"))
    controller, state = enip.Controller(), {"connections": {}}
    asks = [enip.register()] + [enip.request(0x5EC1, enip.service(0x0E, b"\x20\1\x24\1\x30" + bytes([n]))) for n in (5, 6, 7)]
    yield "modbus", 502, [(wire.read_holding(n, n, 1), wire.holding(n, [9])) for n in (1, 2, 3, 4)], "read_holding_registers"
    yield "slmp", 5007, [(MELSEC.read("d", n, 1), MELSEC.answer(bytes(2))) for n in (1, 2, 3, 4)], "0x04010000"
    yield "enip", 44818, [(a, controller.answer(a, state)) for a in asks], "get_attribute_single"
    yield "fins", 9600, [(fins.node(), fins.nodes())] + [(fins.tcp(fins.read("d", n, 1, n)), fins.tcp(fins.answer(fins.READ, bytes(2), 0, n))) for n in (1, 2, 3, 4)], \
        "memory_area_read"
    memory = memobus.Memory()
    yield "memobus", 9999, [(b, memory.answer(b)) for b in (memobus.read_holding(n, 1, n) for n in (1, 2, 3, 4))], "read_holding_registers_extended"
    yield "iec104", 2404, telecontrol_session([iec104.single(n, 1) for n in (1, 2, 3, 4)]), "C_SC_NA_1"
    rtu = dnp3.Outstation()
    yield "dnp3", 20000, [(a, rtu.answer(a)) for a in (dnp3.ask(1, dnp3.points(30, 0, n, n), n) for n in (1, 2, 3, 4))], "read"
    yield "opcua", 4840, unified_session([(opcua.read([opcua.node(2, n)]), opcua.answer(634)) for n in (1, 2, 3, 4)]), "Read"
    yield "s7comm", 102, [(s7.connect(), s7.connection(0xD0, 1, 2)), (s7.setup(), s7.data(s7.message(3, 1, s7.setup()[17:25])))] + [
        (s7.read([s7.place(s7.DB, 1, n, 1)], n), read(n)) for n in (2, 3)], "read_var"


def lost(t):
    """When the capture lacks a frame, of the handshake or later, everything else is learnt as well
    as before."""
    for name, port, asks, row in speeches():
        out = []
        s = wire.Session(out, CLIENT, 40000, SERVER, port).open()
        for ask, answer in asks:
            s.ask(ask).answer(answer)
        servers = [i for i, p in enumerate(out) if p[12:16] == ipaddress.ip_address(SERVER).packed]
        for n, (what, gone) in enumerate((("the SYN|ACK", [1]), ("the first request", [3]), ("the first request and its answer", [3, 4]),
                                          ("all that the server said", servers))):
            capture = t.file("lost-%s-%d.pcap" % (name, n), wire.pcap([p for i, p in enumerate(out) if i not in gone]))
            services, text, r = round_trip(t, capture)
            t.equal("%s without %s: services" % (name, what), re.findall(r'protocol = "([^"]*)"', services), [name])
            t.true("%s without %s: %s" % (name, what, services), '"%s"' % row in services)
            t.equal("%s without %s: refused" % (name, what), refused(r), [] if r else None)


def cut_off(t):
    """A capture with only the first bytes of each packet does not show the protocol: such a session
    gets no line that allows anything."""
    for begin in (True, False):
        out = []
        s = wire.Session(out, CLIENT, 40000, SERVER, 502)
        s.open() if begin else None
        for n in range(3):
            s.ask(wire.read_holding(n, n, 1)).answer(wire.holding(n, [9]))
        services, text, r = round_trip(t, t.file("cut-off-%d.pcap" % begin, wire.pcap(out, snaplen=54)))
        t.equal("a line", services, "")
        t.true("it is counted: " + text, "requests are not clear, and that have no line: 1" in text)


def plus(t):
    """S7comm-plus begins like S7comm but is another protocol, also when it is met half-way."""
    begin = (s7.connect(), s7.connection(0xD0, 1, 2))
    for name, asks, seen in (("begun", [begin, (s7.plus(), s7.plus())], True), ("half-way", [(s7.plus(), s7.plus())] * 2, False)):
        services, text, r = round_trip(t, t.file("plus-%s.pcap" % name, talk(asks, 102, begin=seen)))
        t.equal(name + ": services", re.findall(r'protocol = "([^"]*)"', services), ["s7comm_plus"])
        t.true(name + ": what that means is said: " + text, "recognised and not read" in text and "do not fit" not in text)
        t.equal(name + ": refused", [f["verdict"] for f in r.flows if f["verdict"] == "deny"], [])


def io(t):
    """The data of I/O connections are recognised by the request that opened them, whichever end
    sends first, and allowed towards the device."""
    controller, state = enip.Controller(), {"connections": {}}
    asks = [enip.register(), enip.request(0x5EC1, enip.forward_open_io(5, 0x2000, 2, 8))]
    tell = wire.udp(CLIENT, 2222, SERVER, 2222, enip.io(0x1005, b"\0\0"))
    hear = wire.udp(SERVER, 2222, CLIENT, 2222, enip.io(0x2000, bytes(8)))
    row = '{ functions = ["open_input_connection"]; routes = ["0.0"]; objects = ["4.100", "4.150", "4.151"]; }'
    for name, data in (("originator first", [tell, hear]), ("device first", [hear, tell])):
        out = []
        s = wire.Session(out, CLIENT, 40000, SERVER, 44818).open()
        for a in asks:
            s.ask(a).answer(controller.answer(a, state))
        services, text, r = round_trip(t, t.file(name.replace(" ", "-") + ".pcap", wire.pcap(out + data * 3)))
        t.equal(name + ": services", re.findall(r'protocol = "([^"]*)"; ports = \["([^"]*)"', services), [("enip", "tcp/44818"), ("enip", "udp/2222")])
        t.equal(name + ": rows", re.findall(r"\{ functions = \[[^{}]*\}", services), [row, row])
        t.equal(name + ": the device", re.findall(r'destinations = \["([^"]*)"\]', text), [SERVER, SERVER])
        t.equal(name + ": flows", [(f["client"], f["verdict"], f["pdus"]) for f in r.flows],
                [(CLIENT + ":40000", "allow", 4), (CLIENT + ":2222", "allow", 6)])
    services, text, r = round_trip(t, t.file("nobody-opened.pcap", wire.pcap([tell, hear] * 3)))
    t.equal("opened before the capture: a line", services, "")
    t.true("opened before the capture, and counted: " + text, "requests are not clear, and that have no line: 1" in text)


def unread(t):
    """Frames of a link type that is not supported: the rest is proposed, and the status says so in
    both forms."""
    out = []
    wire.Session(out, CLIENT, 40000, SERVER, 502).open().ask(wire.read_holding(1, 5, 1)).answer(wire.holding(1, [9]))
    capture = t.file("unread.pcapng", wire.ng_section() + wire.ng_interface() + wire.ng_interface(dlt=249) +
                     b"".join(wire.ng_packet(p, i) for i, p in enumerate(out)) + wire.ng_packet(out[0], 9, interface=1))
    for form in ([], ["--json"]):
        done = t.call("--lang", "en", *form, "learn", "--pcap", capture)
        t.equal("status %s" % form, done.returncode, 3)
        t.true("what was read is proposed %s" % form, b"read_holding_registers" in done.stdout)


def drawn(rng):
    """A capture: hosts in one to three networks, also public ones, that use protocols of all kinds,
    and noise."""
    hosts = ["10.7.1.%d" % n for n in (1, 2, 3, 255)] + ["10.7.2.2", "172.16.5.9", "192.168.1.1", "8.8.8.8", "8.8.4.4", "203.0.113.7", "203.0.113.8",
                                                         "169.254.1.1", "169.254.1.2", "127.0.0.1", "127.0.0.2", "0.0.0.0", "224.0.0.5", "240.0.0.1", "198.51.100.255"]
    if rng.random() < 0.3:
        hosts = ["fd00:7::1", "fd00:7::2", "fd00:7:0:1::1", "2001:db8:30::10", "2001:db8:30:1::10", "2001:db8:30:1::11", "fe80::1", "fe80::2", "::1", "::ffff:10.7.1.1",
                 "ff02::1", "fec0::1"]
    hosts, out = rng.sample(hosts, rng.randint(2, 5)), []
    for _ in range(rng.randint(1, 8)):
        client, server = rng.sample(hosts, 2)
        kind, sport = rng.randrange(5), rng.randint(1024, 60000)
        if kind < 3:
            name, port, asks, _ = rng.choice(list(speeches()))
            port = rng.choice([port, port, port, 80, 0])
            s = wire.Session(out, client, sport, server, port)
            s.open() if rng.random() < 0.8 else None
            for ask, answer in asks[:rng.randint(0, len(asks))]:
                s.ask(ask).answer(answer) if rng.random() < 0.9 else s.ask(ask)
        else:
            port = rng.choice([0, 53, 123, 2222, 161, 40000])
            out.append(wire.udp(client, sport, server, port, bytes(rng.randrange(256) for _ in range(rng.randint(0, 20)))))
            if kind == 4:
                out.append(wire.udp(server, port, client, sport, b"answer"))
    return wire.pcap(out)


def what_it_writes_stands(t):
    """Whatever was seen: `check` accepts every file that `learn` calls good. Otherwise the status
    of `learn` says that there is none."""
    seed = os.environ.get("SEED") or str(random.randrange(1 << 32))
    rng, content, kinds = random.Random(seed), 0, set()
    for n in range(120):
        capture = t.file("drawn-%d.pcap" % n, drawn(rng) if n > 0 else wire.pcap([]))
        done = t.call("--lang", rng.choice(["en", "ja"]), "learn", "--pcap", capture)
        if done.returncode == 0:
            cfg = t.file("drawn-%d.cfg" % n, done.stdout)
            checked = t.call("--lang", "en", "check", cfg)
            content += t.equal("SEED=%s: check of %s: %s" % (seed, cfg, checked.stdout + checked.stderr), checked.returncode, 0)
            kinds |= {k for k in (b"host-", b"net-", b"outside", b"lan1") if k in done.stdout}
        else:
            t.equal("SEED=%s: %s: nothing to propose" % (seed, capture), (done.returncode, b"conduits = (" in done.stdout), (1, False))
    t.true("SEED=%s: most captures have something to propose, of all kinds: %d %s" % (seed, content, kinds), content > 40 and len(kinds) == 4)


def one_network(t):
    """Two hosts in one network, as in most captures: each is a zone, and the conduit between them
    is proposed."""
    out = []
    wire.Session(out, "10.7.1.1", 40000, "10.7.1.2", 502).open().ask(wire.read_holding(1, 5, 1)).answer(wire.holding(1, [9]))
    done = t.call("--lang", "en", "learn", "--pcap", t.file("one-network.pcap", wire.pcap(out)))
    text = done.stdout.decode()
    t.equal("status", (done.returncode, done.stderr), (0, b""))
    t.equal("zones", re.findall(r"  (host-\S+) = .*networks = \[([^]]*)\]", text), [("host-10-7-1-1", '"10.7.1.1"'), ("host-10-7-1-2", '"10.7.1.2"')])
    t.equal("conduits", re.findall(r'from = "([^"]*)"; to = "([^"]*)"', text), [("host-10-7-1-1", "host-10-7-1-2")])
    t.true("sides are named: " + text, "`between`" in text)
    cfg = t.file("one-network.cfg", text.replace(' mode = "observe";', ""))
    t.equal("check", t.call("check", cfg).returncode, 0)
    r = t.replay(os.path.join(t.out, t.case, "one-network.pcap"), policy=cfg)
    t.equal("in force", ([f["verdict"] for f in r.flows], refused(r)), (["allow"], []))


def writes(t):
    """Written addresses are named one by one: none in between is allowed. Read addresses may be a
    range."""
    write = lambda n, a: wire.modbus(n, 1, struct.pack("!BHH", 6, a, 1))
    services = rows(t, "writes", [(write(1, 10), write(1, 10)), (write(2, 90), write(2, 90)), (write(3, 11), write(3, 11)),
                                  (wire.read_holding(4, 5, 1), wire.holding(4, [9])), (wire.read_holding(5, 9, 1), wire.holding(5, [9]))], 502,
                    ['"read_holding_registers"]; units = ["1"]; holding = ["5-9"];',
                     '"write_single_register"]; units = ["1"]; holding = ["10-11", "90"];'])
    t.true("no other address: " + services, '"10-90"' not in services)


def names_of_tags(t):
    """A CSV file as an engineering tool exports it, in UTF-8 or CP932: the comments have the names
    of the addresses that a row allows, of this server, and the rows stay what they were."""
    write = wire.modbus(5, 1, struct.pack("!BHH", 6, 400, 1))
    asks = [(wire.read_holding(n, a, 1), wire.holding(n, [9])) for n, a in enumerate((10, 11, 13))] + [(write, write)]
    capture = t.file("tags.pcap", talk(asks, 502))
    csv = ('Address,Type,Name,server\r\n40011,INT,"Hoist ""speed"", m/s",\r\n400014,INT,巻上荷重,%s\r\nholding 400,,Setpoint,\r\n' % SERVER +
           "40401,,other,%s\r\n40016,,beside,\r\n00011,,coil,\r\n11,,bare,\r\n,,nothing,\r\n" % CLIENT)
    plain = t.call("--lang", "en", "learn", "--pcap", capture).stdout.decode()
    for name, data in (("utf8.csv", csv.encode()), ("mark.csv", b"\xef\xbb\xbf" + csv.encode()), ("cp932.CSV", csv.encode("cp932"))):
        done = t.call("--lang", "en", "learn", "--pcap", capture, "--tags", t.file(name, data))
        text = done.stdout.decode()
        t.equal(name + ": status", (done.returncode, done.stderr), (0, b""))
        t.equal(name + ": names", re.findall(r"\n +# (.*)(?=\n)", text), ['holding 10 = Hoist "speed", m/s', "holding 13 = 巻上荷重", "holding 400 = Setpoint"])
        t.true(name + ": counted: " + text, "# Names of tags that stand in comments: 3 of 7\n" in text)
        without = re.sub(r"(?m)^ +# .* = .*\n|^# Names of tags.*\n", "", text)
        t.equal(name + ": otherwise the same", re.sub(r"\s+", " ", without), re.sub(r"\s+", " ", plain))
    many = "address,name\n" + "".join("holding 0x%x,name %d\n" % (n, n) for n in (10,) * 70)
    text = t.call("--lang", "en", "learn", "--pcap", capture, "--tags", t.file("many.csv", many)).stdout.decode()
    t.equal("many names", (text.count("# holding 10 = name 10"), text.count("# and 6 more names\n")), (64, 1))
    for name, data, why in (("semicolon.csv", "address;name\n1;x\n", 'no column "address"'), ("column.csv", "address,names\n1,x\n", 'no column "name"'),
                            ("empty.csv", "", 'no column "address"'),
                            ("quote.csv", 'address,name\n1,"x"y\n', "B2: a quote is not allowed here"), ("neither.csv", b"address,name\n1,\xff\xff\n", "B2: this is neither UTF-8")):
        done = t.call("--lang", "en", "learn", "--pcap", capture, "--tags", t.file(name, data))
        t.equal("%s: status: %s" % (name, done.stderr.decode()), (done.returncode, done.stdout, why in done.stderr.decode()), (2, b"", True))
    # the same text means something else in each protocol: D is a key, and a range has one name
    melsec_read = (MELSEC.read("d", 100, 4), MELSEC.answer(bytes(8)))
    text = t.call("learn", "--pcap", t.file("tags-slmp.pcap", talk([melsec_read, (MELSEC.read("w", 0x1F, 1), MELSEC.answer(bytes(2)))], 5007)), "--tags",
                  t.file("slmp.csv", "address,name\nD100-101,load\nd103,height\nW1F,lamp\nD104,none\nX10,none\n")).stdout.decode()
    t.equal("devices: " + text, re.findall(r"\n +# (.*)(?=\n)", text), ["d 100-101 = load", "d 103 = height", "w 0x1f = lamp"])


def many_writes(t):
    """Any number of written addresses is named one by one: a long list is no reason to allow all
    addresses. The same for many tags that are read."""
    write = lambda n, a: (wire.modbus(n, 1, struct.pack("!BHH", 6, a, 1)),) * 2
    places = list(range(100, 100 + 3 * 1500, 3))
    services, text, r = round_trip(t, t.file("many-writes.pcap", talk([write(n & 0xFFFF, a) for n, a in enumerate(places)], 502)))
    t.equal("all of them, and no other", re.findall(r'holding = \[([^\]]*)\]', services), [", ".join('"%d"' % a for a in places)])
    t.true("nothing is wide: " + text[:300], "any address" not in services)
    t.equal("refused", refused(r), [])
    controller, state = enip.Controller(), {"connections": {}}
    names = ["Row%d.Slot%d" % (n % 7, n) for n in range(1200)]
    asks = [(enip.register(), enip.message(0x65, b"\1\0\0\0", HANDLE))]
    asks += [(enip.request(HANDLE, enip.read(n)), enip.request(HANDLE, controller.execute(enip.read(n), state))) for n in names]
    services, conduits, text = proposed(t, t.file("many-tags.pcap", talk(asks, 44818)), [CLIENT, SERVER])
    found = re.findall(r'tags = \[([^\]]*)\]', services)
    t.equal("tags by their names", sorted(found[0].replace('"', "").split(", ")) if found else services[:300], sorted(names))


def public(t):
    """A plant whose hosts have public addresses: its networks are zones, and all other public
    addresses are the internet."""
    out = []
    for i, (client, server) in enumerate((("141.81.0.10", "141.81.5.7"), ("141.81.0.10", "141.81.5.8"), ("10.7.1.1", "8.8.8.8"))):
        wire.Session(out, client, 40000 + i, server, 502).open().ask(wire.read_holding(1, 5, 1)).answer(wire.holding(1, [9]))
    done = t.call("--lang", "en", "learn", "--pcap", t.file("public.pcap", wire.pcap(out)))
    text = done.stdout.decode()
    t.equal("conduits", sorted(re.findall(r'from = "([^"]*)"; to = "([^"]*)"', text)), [("net-10-7-1", "outside"), ("net-141-81-0", "net-141-81-5")])
    cfg = t.file("public.cfg", text.replace(' mode = "observe";', ""))
    t.equal("status and check", (done.returncode, t.call("check", cfg).returncode), (0, 0))
    r = t.replay(os.path.join(t.out, t.case, "public.pcap"), policy=cfg)
    t.equal("in force", ([f["verdict"] for f in r.flows], refused(r)), (["allow"] * 3, []))


def too_much(t):
    """A proposal that `check` would refuse, because it is longer than a policy may be, is not
    presented as a policy: its first line says why, and the status is 1."""
    a, b = ("fd00:1111:2222:3333:4444:5555:6666:%d" % n for n in (7777, 8888))
    out = [wire.udp(a, 60000, b, 1024 + n, b"x") for n in range(16000)]
    capture = t.file("too-much.pcap", wire.pcap(out))
    for lang, word in (("en", "# NOT A VALID POLICY: sekisho check refuses the text below."), ("ja", "# このままではポリシーになりません。")):
        done = t.call("--lang", lang, "learn", "--pcap", capture)
        t.equal("status", (done.returncode, done.stderr), (1, b""))
        t.true("said first: %s" % done.stdout[:200], done.stdout.decode().startswith(word))
        t.equal("check", t.call("check", t.file("too-much-%s.cfg" % lang, done.stdout)).returncode, 2)


NAMED = """language_version = 1;
site = { name = "kita"; ledger = "strict"; retention = { keep_days = 400; delete_after_days = 800; }; };
zones = { tos = { interfaces = ["lan0"]; networks = ["10.20.0.0/24"]; owner = "t"; purpose = "p"; approved_by = "b"; review_by = "2190-01-01"; };
          crane = { interfaces = ["lan1"]; networks = ["10.30.0.0/22"]; owner = "t"; purpose = "p"; approved_by = "b"; review_by = "2190-01-01"; }; };
assets = { tos-db = { zone = "tos"; addresses = ["10.20.0.10"]; model = "m"; place = "p"; support_until = "2190-01-01"; };
           pool = { zone = "tos"; addresses = ["10.20.0.70-10.20.0.79"]; model = "m"; place = "p"; support_until = "2190-01-01"; };
           old = { zone = "crane"; addresses = ["10.30.3.1"]; model = "m"; place = "p"; support_until = "2190-01-01"; }; };
fleets = { rtg = { zone = "crane"; members = ["plc", "cms"]; rows = ( ["rtg1", "10.30.1.11", "10.30.1.13"], ["rtg2", "10.30.1.21", "10.30.1.23"] );
                   about = { plc = { model = "m"; place = "p"; support_until = "2190-01-01"; }; cms = { model = "m"; place = "p"; support_until = "2190-01-01"; }; }; }; };
groups = { more = ["plcs", "old"]; plcs = ["rtg*.plc"]; ends = ["tos-db", "pool"]; };
services = {
%s};
conduits = (
%s);
"""


def one_zone(t):
    """Hosts of one zone of the policy get a conduit within it, which says that the box may not see
    them. What is sent to all hosts of the zone gets none."""
    site = t.file("one-zone.cfg", 'language_version = 1;\nzones = { cell = { interfaces = ["lan0", "lan1"]; networks = ["10.7.0.0/16"]; }; };\nconduits = ();\n')
    capture = t.file("one-zone.pcap", talk([(wire.read_holding(1, 5, 1), wire.holding(1, [9]))], 502))
    done = t.call("--lang", "en", "learn", "--pcap", capture, "--policy", site)
    text = done.stdout.decode()
    t.equal("status", (done.returncode, done.stderr), (0, b""))
    t.true("a conduit: " + text, 'from = "cell"; to = "cell";' in text and 'destinations = ["%s"]' % SERVER in text)
    t.true("said: " + text, "  # Both ends are in one zone: delete this unless the box stands between them.\n" in text)
    loud = t.file("one-zone-all.pcap", wire.pcap([wire.udp(CLIENT, 47808, "10.7.2.255", 47808, bacnet.ask(bacnet.who_is(), function=bacnet.BROADCAST))]))
    t.true("none for all", "conduit" not in t.call("--lang", "en", "learn", "--pcap", loud, "--policy", site).stdout.decode().replace("needs a conduit", ""))


def names_of_the_policy(t):
    """Hosts get the names of the policy: an asset with one address, a member of a fleet, a group of
    exactly these hosts. The names in the proposal mean these hosts. Nothing that the policy's
    registers need is left out."""
    out = []
    ask = [(wire.read_holding(1, 5, 1), wire.holding(1, [9]))], [(wire.modbus(1, 1, struct.pack("!BHH", 6, 5, 1)),) * 2]
    for i, (client, server, what) in enumerate((("10.20.0.10", "10.30.1.11", 0), ("10.20.0.10", "10.30.1.21", 0), ("10.20.0.75", "10.30.1.13", 1), ("10.20.0.75", "10.30.1.23", 1),
                                                ("10.20.0.76", "10.30.3.1", 1))):
        s = wire.Session(out, client, 40000 + i, server, 502).open()
        for question, answer in ask[what]:
            s.ask(question).answer(answer)
        s.close()
    capture = t.file("named.pcap", wire.pcap(out))
    done = t.call("--lang", "en", "learn", "--pcap", capture, "--policy", t.file("named.cfg", NAMED % ("", "")))
    services, conduits = re.search(r"# into services:\n(.*)\n# into conduits:\n(.*)", done.stdout.decode(), re.S).groups()
    t.equal("ends", sorted(re.findall(r"sources = \[(.*)\];\n    destinations = \[(.*)\];", conduits)),
            [('"10.20.0.75"', '"rtg1.cms", "rtg2.cms"'), ('"10.20.0.76"', '"old"'), ('"tos-db"', '"plcs"')])
    t.equal("operations of all hosts of a row: " + services, sorted(seen(services)), [2, 3])
    cfg = t.file("named-too.cfg", NAMED % (services, conduits.replace(' mode = "observe";', "")))
    r = t.replay(capture, policy=cfg)
    t.equal("in force", ([f["verdict"] for f in r.flows], refused(r)), (["allow"] * 5, []))


def shared_codes(t):
    """A code that several names of a document share has its name beside it."""
    services, text, r = round_trip(t, t.file("shared.pcap", talk([(MELSEC.read("d", 100, 1), MELSEC.answer(bytes(2)))], 5007)))
    t.true("the name: " + services, re.search(r'functions = \["0x04010000" /\* \S+ \*/\];', services))


def real(t, name):
    round_trip(t, os.path.join(PCAPS, name))


def files_of(case):
    spec = importlib.util.spec_from_file_location("files_of_" + case, os.path.join(HERE, "..", case, "case.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.FILES)


def alike(t):
    """Protocols that begin like one of ours, or are lines of text as Telnet is: MMS, GE SRTP, the
    commands of a Keyence PLC. They get a conduit with `tcp`, which says that nothing is
    inspected."""
    session = s7.data(bytes.fromhex("0d1405060000000000001606000a3402000135020001"))
    zeros, hello = bytes(56), b"\1" + bytes(55)
    for name, port, asks in (("MMS", 102, [(s7.connect(), s7.connection(0xD0, 1, 2)), (session, session)]),
                             ("SRTP", 18245, [(zeros, hello), (b"\2\0\2" + bytes(53), b"\3\0\2" + bytes(53))]),
                             ("Keyence", 8501, [(b"RDS DM1000.U 2\r", b"00001 00002\r\n"), (b"WR DM1000.U 5\r", b"OK\r\n")])):
        services, text, r = round_trip(t, t.file(name + ".pcap", talk(asks, port)))
        t.equal(name + ": " + text, re.findall(r"learnt-\d+ = (\{[^}]*\})", services), ['{ protocol = "tcp"; ports = ["tcp/%d"]; }' % port])
        t.true(name + ": said: " + text, "nothing of it will be inspected" in text)
    services, text, r = round_trip(t, t.file("telnet.pcap", talk([(b"\xff\xfd\1", b"\xff\xfb\1login: ")], 23)))
    t.equal("Telnet itself: " + text, re.findall(r'protocol = "([^"]*)"', services), ["telnet"])


def seen(services):
    """How many operations each row has behind it."""
    return [int(n) for n in re.findall(r"\},? /\* operations seen: (\d+) \*/", services)]


def joined(t):
    """A client that reads the same six properties of three devices, and writes one: a row for what
    it reads, and one for what it writes, each with exactly that."""
    device, out = bacnet.Device(), []
    for n in range(18):
        b = bacnet.ask(bacnet.read((2, n // 6), (28, 75, 77, 79, 81, 85)[n % 6]), n)
        out += [wire.udp(CLIENT, 47808, SERVER, 47808, b), wire.udp(SERVER, 47808, CLIENT, 47808, device.answer(b))]
    b = bacnet.ask(bacnet.write((2, 1), bacnet.real(21.5)), 30)
    out += [wire.udp(CLIENT, 47808, SERVER, 47808, b), wire.udp(SERVER, 47808, CLIENT, 47808, device.answer(b))]
    services, text, r = round_trip(t, t.file("joined.pcap", wire.pcap(out)))
    t.equal("rows: " + services, len(re.findall(r"functions = ", services)), 2)
    t.equal("the count behind each: " + services, seen(services), [18, 1])
    t.true("all properties: " + services, all('"%s.whole"' % w in services for w in ("description", "object-identifier", "object-name", "object-type", "out-of-service", "present-value")))
    t.equal("refused", refused(r), [])
    b = bacnet.ask(bacnet.read((2, 1), 111), 31)
    cfg = t.file("joined.cfg", policy([CLIENT, SERVER], services, re.search(r"# into conduits:\n(.*)", text, re.S).group(1).replace(' mode = "observe";', "")))
    r = t.replay(t.file("another.pcap", wire.pcap([wire.udp(CLIENT, 47808, SERVER, 47808, b)])), policy=cfg)
    t.equal("another property is refused", [p["verdict"] for p in r.pdus], ["deny"])


def refused_by_policy(t):
    """A conduit applies to the session already, and its rows refuse the write: it is counted."""
    capture = t.file("refused.pcap", talk([(wire.read_holding(1, 5, 1), wire.holding(1, [9])), (wire.modbus(2, 1, b"\6\0\5\0\1"), wire.modbus(2, 1, b"\6\0\5\0\1"))], 502))
    cfg = t.file("reads.cfg", policy([CLIENT, SERVER], 'reads = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; } ); };',
                                     '{ name = "c"; from = "z0"; to = "z1"; services = ["reads"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; }'))
    for form, said in ((["--lang", "en"], b"rows of the policy refuse, so it needs a row or they should stay refused (which: sekisho replay): 1\n"),
                       (["--json"], b'"refused":1,')):
        done = t.call(*form, "learn", "--pcap", capture, "--policy", cfg)
        t.true("%s: %s %s" % (form, done.stdout, done.stderr), done.returncode == 0 and said in done.stdout and b"needs a conduit" not in done.stdout)


def cases(t):
    for f in (modbus, s7comm, cip, half, melsec, omron, telecontrol, yaskawa, outstation, unified, building, both_ask, answers_first, halfway, idle, lost, cut_off, plus, io, unread, what_it_writes_stands, one_network,
              half_of_others, ends_alone, many_writes, names_of_tags, public, too_much, one_zone, writes, names_of_the_policy, shared_codes, alike, joined, refused_by_policy):
        yield "learnt: " + f.__name__, f, (t,)
    if not os.path.isdir(PCAPS):
        t.skip("learnt: real captures", "../shared/pcaps is not there")
        return
    # those are captures of the loopback
    some = [n for n in files_of("dnp3") if "/conformance/" not in n]
    for name in [n for case in ("pcaps", "s7comm", "enip", "fins", "iec104", "opcua", "bacnet") for n in files_of(case)] + some + [TSN]:
        if os.path.getsize(os.path.join(PCAPS, name)) < 1 << 20:
            yield "learnt: " + name.replace("/", " "), real, (t, name)

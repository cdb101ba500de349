# SPDX-License-Identifier: Apache-2.0
import os
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import bacnet  # noqa: E402
import dnp3  # noqa: E402

SECOND = 10**9
OFFICE, OTHER, DEVICE = "10.10.0.5", "10.10.0.6", "10.30.1.10"
POLICY = """language_version = 1;
site = {{ name = "lasting"; label = "lasting"; }};
zones = {{ office = {{ interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; class = "it"; owner = "IT"; }};
           ot = {{ interfaces = ["lan1"]; networks = ["10.30.0.0/16"]; class = "ot"; owner = "OT"; }}; }};
services = {{ b = {{ protocol = "bacnet"; ports = ["udp/47808"]; allow = ( {{ {0} }} ); }};
              n = {{ protocol = "dnp3"; ports = ["udp/20000"]; allow = ( {{ {1} }} ); }}; }};
conduits = ( {{ name = "c"; from = "office"; to = "ot"; services = ["b", "n"]; purpose = "tests"; owner = "tests"; review_by = "2099-01-01"; }} );
"""
AV = (bacnet.AV, 1)


def told(process=1, obj=AV):
    return 1002, bacnet.ctx(0, process) + bacnet.ctx(1, bacnet.oid(bacnet.DEVICE, 7)) + bacnet.ctx(2, bacnet.oid(*obj)) + bacnet.ctx(3, 60) + \
        bacnet.con(4, bacnet.element(bacnet.PRESENT, bacnet.real(21.5)))


def office(b, port=47808, by=OFFICE, sport=None):
    return wire.udp(by, sport or port, DEVICE, port, b)


def device(b, port=47808, to=OFFICE, sport=None):
    return wire.udp(DEVICE, sport or port, to, port, b)


def subscribe(lifetime=0):
    return [office(bacnet.ask(bacnet.subscribe(AV, 1, lifetime))), device(bacnet.tell(bacnet.simple_ack(1, 5)))]


def cancel():
    return [office(bacnet.ask((5, bacnet.ctx(0, 1) + bacnet.ctx(1, bacnet.oid(*AV))))), device(bacnet.tell(bacnet.simple_ack(1, 5)))]


TELL, WRITE = bacnet.ask(told()), bacnet.ask(bacnet.write(AV, bacnet.real(1)))
ENABLE, DISABLE = (dnp3.ask(f, dnp3.all_of(60, 2)) for f in (20, 21))
UNSOLICITED = dnp3.unsolicited()


def enable(what=ENABLE):
    return [office(what, 20000), device(dnp3.respond(), 20000)]


def check(t):
    reads = t.file("reads.cfg", POLICY.format('commands = ["read"]', 'functions = ["read", "enable_unsolicited", "disable_unsolicited"]'))
    narrow = t.file("narrow.cfg", POLICY.format('functions = ["ReadProperty"]', 'functions = ["read"]'))

    def replay(name, first, silence, then, mode="--as-box", policy=reads, reason="not_opened"):
        packets = first + then
        at = [n * SECOND for n in range(len(first))] + [(silence + n) * SECOND for n in range(len(first), len(packets))]
        r = t.replay(t.file("%s.%d.pcap" % (name, silence), wire.pcap(packets, at=at)), mode, policy=policy)
        refused = r.summary["refused_packets"].get(reason, 0)
        return [p["verdict"] for p in r.pdus if p["packet"] > len(first)], {(f["client"], f["verdict"]) for f in r.flows}, refused

    for mode in ("--as-box", "--as-captured"):
        for silence in (70, 130, 300, 3600):
            what = "%d s, %s: " % (silence, mode)
            t.equal(what + "it passes, also from another port, and belongs to its client", replay("told", subscribe(), silence,
                    [device(TELL), device(TELL, sport=1042), device(TELL)], mode),
                    (["allow"] * 3, {(OFFICE + ":47808", "allow")}, 0))
            t.equal(what + "DNP3 likewise", replay("unsolicited", enable(), silence, [device(UNSOLICITED, 20000)], mode),
                    (["allow"], {(OFFICE + ":20000", "allow")}, 0))
            if silence < 120:
                continue
            for name, first, then in (
                    ("nobody", [office(bacnet.ask(bacnet.read(AV)))], [device(TELL)]),
                    ("cancelled", subscribe() + cancel(), [device(TELL)]),
                    ("lifetime", subscribe(60), [device(TELL)]),
                    ("other_process", subscribe(), [device(bacnet.ask(told(2)))]),
                    ("other_object", subscribe(), [device(bacnet.ask(told(1, (bacnet.AV, 2))))]),
                    ("write", subscribe(), [device(WRITE)]),
                    ("disabled", enable() + enable(DISABLE), [device(UNSOLICITED, 20000)])):
                pdus, flows, refused = replay(name, first, silence, then, mode)
                t.equal(what + name + " is refused", (pdus, (DEVICE + ":%d" % (20000 if name == "disabled" else 47808), "deny") in flows, refused), ([], True, 1))
    for name, then in (("other_client", [device(TELL, to=OTHER)]), ("other_client_port", [device(TELL, port=40000, sport=47808)])):
        pdus, _, refused = replay(name, subscribe(), 130, then)
        t.equal(name + " is refused", (pdus, refused), ([], 1))
    t.equal("without a row that subscribes nothing of it passes", replay("narrow", [office(bacnet.ask(bacnet.read(AV)))], 130, [device(TELL)], policy=narrow, reason="no_conduit")[2], 1)

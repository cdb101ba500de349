# SPDX-License-Identifier: Apache-2.0
import collections
import os
import shutil
import struct
import subprocess
import sys

import wire

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "lib"))
import enip  # noqa: E402

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")
CAPTURE = "cisagov__icsnpp-enip/tests/traces/enip_cip_example.pcap"
ORIGINATOR, TARGET = "192.168.1.22", "192.168.1.24"
HANDLE = 0x11020100
VENDOR, OPENER = 0x4D, 0x32952BF3
# assemblies: configuration, input of the device, output of the device
PATH = b"\x20\x04\x24\x97\x2c\x98\x2c\x64"

POLICY = """language_version = 1;
site = {{ name = "pcaps"; label = "pcaps"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "enip"; ports = ["tcp/44818", "udp/2222"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
INPUTS = 'allow = ( { functions = ["open_input_connection"]; } );'
# a row without the function that opens the connections of this capture
OTHERS = 'allow = ( { functions = ["open_output_connection"]; } );'


def datagrams(path):
    """(from the target, number, payload) in order, as tshark dissects them."""
    out = subprocess.run(["tshark", "-r", path, "-Y", "enip.cpf.sai.connid && udp.port == 2222", "-T", "fields", "-e", "ip.src",
                          "-e", "enip.cpf.sai.connid", "-e", "udp.payload"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [(src == TARGET, int(number, 16), bytes.fromhex(payload.replace(":", "")))
            for src, number, payload in (line.split("\t") for line in out.decode().splitlines())]


def size(payload):
    return len(payload) - 18


class Opening:
    """One connection: the numbers and sizes of both directions."""

    def __init__(self, serial, out, into, out_bytes, in_bytes):
        self.serial, self.out, self.into, self.out_bytes, self.in_bytes = serial, out, into, out_bytes, in_bytes


def openings(data):
    """The connections of these datagrams. The n-th number of one end is taken to belong to the n-th
    number of the other: the capture does not show which do, and for forwarding it does not
    matter."""
    largest = [collections.OrderedDict(), collections.OrderedDict()]
    for target, number, payload in data:
        largest[target][number] = max(largest[target].get(number, 0), size(payload))
    return [Opening(100 + i, out, into, largest[0][out], largest[1][into])
            for i, (out, into) in enumerate(zip(sorted(largest[0]), sorted(largest[1])))]


def rr(cip, context):
    data = struct.pack("<IHHHHHH", 0, 0, 2, 0, 0, 0xB2, len(cip)) + cip
    return struct.pack("<HHIIQI", 0x6F, len(data), HANDLE, 0, context, 0) + data


def ask_open(o):
    return (b"\x54\x02\x20\x06\x24\x01\x07\xf9" +
            struct.pack("<IIHHIIIHIHBB", 0, o.into, o.serial, VENDOR, OPENER, 0, 20000, 0x4000 | o.out_bytes, 20000, 0x4000 | o.in_bytes,
                        1, len(PATH) // 2) + PATH)


def opened(o):
    return b"\xd4\0\0\0" + struct.pack("<IIHHIIIBB", o.out, o.into, o.serial, VENDOR, OPENER, 20000, 20000, 0, 0)


def ask_close(o):
    return b"\x4e\x02\x20\x06\x24\x01\x07\xf9" + struct.pack("<HHIBB", o.serial, VENDOR, OPENER, len(PATH) // 2, 0) + PATH


def closed(o):
    return b"\xce\0\0\0" + struct.pack("<HHIBB", o.serial, VENDOR, OPENER, 0, 0)


def session(out, opens):
    """A session in which these connections are opened."""
    s = wire.Session(out, ORIGINATOR, 40000, TARGET, 44818).open()
    register = struct.pack("<HHIIQI", 0x65, 4, 0, 0, 0, 0) + b"\1\0\0\0"
    s.ask(register).answer(register[:4] + struct.pack("<I", HANDLE) + register[8:])
    for o in opens:
        s.ask(rr(ask_open(o), o.serial)).answer(rr(opened(o), o.serial))
    return s


def packets(data):
    return [wire.udp(*((TARGET, 2222, ORIGINATOR) if target else (ORIGINATOR, 2222, TARGET)), 2222, payload)
            for target, _, payload in data]


def one(t, path):
    data = datagrams(path)
    opens = openings(data)
    t.equal("as many as are known of", (len(data), len(opens)), (398, 12))

    def run(label, content, allow=INPUTS):
        """The reasons for all datagrams in order, and the reasons for refused requests."""
        capture = t.file("io.%s.pcap" % label, wire.pcap(content))
        pdus = t.replay(capture, policy=t.file("io.%s.cfg" % label, POLICY.format(allow=allow))).pdus
        io = [p["reason"] for p in pdus if p["client"].endswith(":2222")]
        return io, collections.Counter(p["reason"] for p in pdus if p["dir"] == "c2s" and p["server"].endswith(":44818") and
                                       p["reason"] != "allowed")

    def with_session(label, opens, allow=INPUTS, data=data):
        out = []
        session(out, opens)
        return run(label, out + packets(data), allow)

    def want(refused):
        return ["not_opened" if refused(*d) else "allowed" for d in data]

    t.equal("all pass", with_session("all", opens), (want(lambda *d: False), collections.Counter()))
    t.equal("the whole protocol", with_session("whole", opens, ""), (want(lambda *d: False), collections.Counter()))
    io, refused = with_session("others", opens, OTHERS)
    # A capture shows that the connections were opened; their data are refused like the requests for
    # them.
    t.equal("another word: none may be used", (set(io), refused["enip.function"]), ({"enip.function"}, len(opens)))
    for allow in (INPUTS, ""):
        t.equal("nothing was opened", run("alone", packets(data), allow)[0], want(lambda *d: True))
    for k, o in enumerate(opens):
        t.equal("without one", with_session("without-%d" % k, opens[:k] + opens[k + 1:])[0],
                want(lambda target, number, payload: number == (o.into if target else o.out)))
        less = Opening(o.serial, o.out, o.into, o.out_bytes, o.in_bytes - 1)
        t.equal("a byte less back", with_session("less-%d" % k, opens[:k] + [less] + opens[k + 1:])[0],
                want(lambda target, number, payload: target and number == o.into and size(payload) == o.in_bytes))
        less = Opening(o.serial, o.out, o.into, o.out_bytes - 1, o.in_bytes)
        t.equal("a byte less there", with_session("short-%d" % k, opens[:k] + [less] + opens[k + 1:])[0],
                want(lambda target, number, payload: not target and number == o.out))
        more = Opening(o.serial, o.out, o.into, o.out_bytes + 1, o.in_bytes)
        io, refused = with_session("more-%d" % k, opens[:k] + [more] + opens[k + 1:])
        t.equal("a heartbeat that could say something", refused["enip.function"], 1)
    out, half, gone = [], len(data) // 2, opens[3]
    s = session(out, opens)
    out += packets(data[:half])
    s.ask(rr(ask_close(gone), 7)).answer(rr(closed(gone), 7))
    out += packets(data[half:])
    t.equal("closed half-way", run("closed", out)[0],
            ["not_opened" if i >= half and number == (gone.into if target else gone.out) else "allowed"
             for i, (target, number, _) in enumerate(data)])
    for label, spoil in (("cut", lambda p: p[:-1]), ("behind", lambda p: p + b"\0"),
                         ("item", lambda p: p[:16] + struct.pack("<H", size(p) + 1) + p[18:]),
                         ("count", lambda p: b"\3" + p[1:])):
        capture = t.file("io.%s.pcap" % label, wire.pcap(packets([(a, b, spoil(p)) for a, b, p in data[:40]])))
        t.true("spoiled: " + label, not any(p["reason"] == "allowed" for p in t.replay(
            capture, policy=t.file("io.spoiled.cfg", POLICY.format(allow="")))
            .pdus))


def peers(t):
    """The messages of the peers in the live cases (tests/lib/enip.py), as tshark dissects them."""
    out = []
    s = wire.Session(out, ORIGINATOR, 40000, TARGET, 44818).open()
    s.ask(enip.register()).answer(enip.message(0x65, b"\1\0\0\0", HANDLE))
    for context, cip in enumerate([enip.forward_open_io(1, 0x2001, 2, 32), enip.forward_open_io(2, 0x2002, 6, 32, route=b"\1\0", large=True),
                                   enip.forward_close(1)], 1):
        s.ask(enip.request(HANDLE, cip, context)).answer(enip.request(HANDLE, enip.Controller().execute(cip, {"connections": {}}), context))
    out.append(wire.udp(ORIGINATOR, 2222, TARGET, 2222, enip.io(0x1001, b"\1\0")))
    capture = t.file("io.peers.pcap", wire.pcap(out))

    def seen(filter, field):
        out = subprocess.run(["tshark", "-r", capture, "-Y", filter, "-T", "fields", "-e", field], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
        return out.decode().split()

    t.equal("nothing is malformed", seen("_ws.malformed || _ws.expert.severity == error", "frame.number"), [])
    t.equal("their numbers", seen("enip.cpf.sai.connid", "enip.cpf.sai.connid"), ["0x00001001"])
    t.equal("their services", [int(x, 16) for x in seen("cip.sc && cip.rr == 0", "cip.sc")], [0x54, 0x5B, 0x4E])
    t.equal("their answers", [int(x, 16) for x in seen("cip.sc && cip.rr == 1", "cip.genstat")], [0, 0, 0])


def cases(t):
    if not os.path.isdir(PCAPS):
        t.skip("enip io: " + CAPTURE, "../shared/pcaps is not there")
    elif not shutil.which("tshark"):
        t.skip("enip io: " + CAPTURE, "tshark is not installed to take them apart beside us")
    else:
        yield "enip io: the peers of the live cases", peers, (t,)
        yield "enip io: " + CAPTURE, one, (t, os.path.join(PCAPS, CAPTURE))

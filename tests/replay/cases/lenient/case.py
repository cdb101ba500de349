# SPDX-License-Identifier: Apache-2.0
"""Answers that devices really give and no specification allows: each passes under its word of
`lenient` and under no other."""
import struct

import wire
from wire import holding, modbus, read_holding

TOS, CRANE = "10.20.0.10", "10.30.1.10"
POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { m = { protocol = "modbus"; ports = ["tcp/502"]; %s allow = ( { commands = ["read", "write"]; holding = ["0-99"]; coils = ["0-99"]; } ); };
             e = { protocol = "enip"; ports = ["udp/44818"]; %s allow = ( { commands = ["read", "diagnose"]; } ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["m", "e"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""
LIST_IDENTITY = struct.pack("<HHII8sI", 0x63, 0, 0, 0, bytes(8), 0)


def identity():
    """The item of an answer to List Identity (Volume 2, 2-4.2.2), which tells who the device is.
    ANSWERS puts it after a header that says that there is no data."""
    item = struct.pack("<H", 1) + struct.pack("!HH4s8x", 2, 44818, bytes([10, 30, 1, 10])) + struct.pack("<HHHBBHI", 7, 12, 3, 1, 1, 0, 99) + b"\x04gate\x03"
    return struct.pack("<HHH", 1, 0x0C, len(item)) + item


def longer(frame):
    """The frame with a header that counts one byte more than there are."""
    return frame[:4] + struct.pack("!H", len(frame) - 5) + frame[6:]


ANSWERS = {  # by the word: what is asked, what comes back
    "length": (read_holding(5, 0, 1), longer(modbus(5, 1, bytes([0x83, 2])))),
    "numbering": (read_holding(5, 0, 1), modbus(6, 1, bytes([3, 2, 0, 7]))),
    "coil_echo": (modbus(5, 1, struct.pack("!BHH", 5, 3, 0xFF00)), modbus(5, 1, struct.pack("!BHH", 5, 3, 1))),
    "listing": (LIST_IDENTITY, LIST_IDENTITY + identity()),
}


def check(t):
    for word, (request, answer) in ANSWERS.items():
        packets = []
        if word == "listing":
            packets += [wire.udp(TOS, 40000, CRANE, 44818, request), wire.udp(CRANE, 44818, TOS, 40000, answer)]
        else:
            wire.Session(packets, TOS, 40000, CRANE, 502).open().ask(request).answer(answer).ask(read_holding(9, 0, 1)).answer(holding(9, [7]))
        capture = t.file(word + ".pcap", wire.pcap(packets))
        for given in (None, *ANSWERS):
            words = 'lenient = ["%s"];' % given if given else ""
            of_enip = given == "listing"
            cfg = t.file("%s-%s.cfg" % (word, given), POLICY % ("" if of_enip else words, words if of_enip else ""))
            for how in ("--as-box",), ():
                r = t.replay(capture, *how, policy=cfg)
                t.equal("%s under %s %s" % (word, given, " ".join(how)), [f["verdict"] for f in r.flows], ["allow" if given == word else "deny"])

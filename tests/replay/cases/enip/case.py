# SPDX-License-Identifier: Apache-2.0
import collections
import os
import shutil
import struct
import subprocess

import wire

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")

# For each file: the number of messages that are refused although all of the protocol is allowed,
# with the reason beside it.
FILES = {
    "ITI__ICS-Security-Tools/pcaps/EthernetIP/cip-eth-set-2.pcap": 0,
    "ITI__ICS-Security-Tools/pcaps/EthernetIP/cip-multiple-1.pcap": 0,
    "ITI__ICS-Security-Tools/pcaps/EthernetIP/cip-multiple-2.pcap": 0,
    "ITI__ICS-Security-Tools/pcaps/EthernetIP/cip_start_plc.pcap": 0,
    "ITI__ICS-Security-Tools/pcaps/openics/EIP-ChangeDateAttempt.pcap": 0,
    "ITI__ICS-Security-Tools/pcaps/openics/EIP-ChangeTimeAttempt.pcap": 0,
    # its answers to List Identity come over UDP as well, on a port that this policy does not name
    "OISF__suricata-verify/tests/enip-alert/enip_test1.pcap": 0,
    "cisagov__icsnpp-enip/tests/traces/enip_cip_example.pcap": 0,
    "cisagov__icsnpp-enip/tests/traces/multiple_service_packet_cip.pcapng": 0,
    # a Set Attribute Single without data
    "cisagov__icsnpp-enip/tests/traces/set_attribute_single_service_cip.pcapng": 1,
    "digitalbond__Quickdraw-Snort/enip_test.pcap": 0,
    "digitalbond__Quickdraw-Suricata/CL5000EIP-Remote_Mode_Change_Attempt.pcap": 0,
    "digitalbond__Quickdraw-Suricata/CL5000EIP-Software_Download.pcap": 0,
    "digitalbond__Quickdraw-Suricata/CL5000EIP-Software_Upload.pcap": 0,
}

READS = {0x01, 0x03, 0x0E, 0x11, 0x18, 0x6B4C, 0x6B52, 0x6B55, 0x6C4C, 0x03000001}
# part of every use, needs no row
SETUP = {0x0654, 0x065B, 0x064E, 0x01000000, 0x01000065, 0x01000066}

POLICY = """language_version = 1;
site = {{ name = "pcaps"; label = "pcaps"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "enip"; ports = ["tcp/44818", "udp/44818"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""


def policy(rows):
    return POLICY.format(allow="" if rows is None else "allow = ( %s );" % ", ".join("{ %s }" % r for r in rows))


# ---- a reading of our own, which knows no rows ---------------------------------------------------

def path_class(path):
    """The last class in a request's path; a tag counts as a symbol."""
    found, at = None, 0
    while at < len(path):
        kind = path[at]
        if kind == 0x91:
            found, at = 0x6B, at + 2 + path[at + 1] + path[at + 1] % 2
            continue
        size = {0: 2, 1: 4, 2: 6}[kind & 3]
        if kind & 0xFC == 0x20:
            found = path[at + 1] if size == 2 else struct.unpack_from("<H", path, at + 2)[0]
        at += size
    return found


def codes(cip):
    """The codes of everything that a request asks for, to the innermost one."""
    service, words = cip[0], cip[1]
    where, data = path_class(cip[2:2 + 2 * words]), cip[2 + 2 * words:]
    if service == 0x0A and where == 2:
        n = struct.unpack_from("<H", data)[0]
        starts = list(struct.unpack_from("<%dH" % n, data, 2)) + [len(data)]
        return [c for a, b in zip(starts, starts[1:]) for c in codes(data[a:b])]
    if service == 0x52 and where == 6:
        return codes(data[4:4 + struct.unpack_from("<H", data, 2)[0]])
    if service == 0x4B and where == 0x67:
        command = data[data[0]]
        return [0x02000000 | command << 8 | (data[data[0] + 4] if command in (6, 7, 15) else 0)]
    if service in (0x54, 0x5B) and where == 6 and data[34 if service == 0x54 else 38] & 15 < 2:
        raise ValueError("I/O: not in these captures")
    return [service if service < 0x32 else where << 8 | service]


def message_codes(message):
    command = struct.unpack_from("<H", message)[0]
    if command == 0x6F:
        return codes(message[40:40 + struct.unpack_from("<H", message, 38)[0]])
    if command == 0x70:
        return codes(message[46:44 + struct.unpack_from("<H", message, 42)[0]])
    return [0x01000000 | command]


# ---- what tshark finds ---------------------------------------------------------------------------

def tshark(path, *fields):
    out = subprocess.run(["tshark", "-r", path, "-Y", "enip.command", "-T", "fields", "-E", "occurrence=a"] +
                         [x for f in fields for x in ("-e", f)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [[c.split(",") if c else [] for c in line.split("\t")] for line in out.decode().splitlines()]


def messages_of(path):
    """Every message with its bytes: (to the server, bytes), in order. In these captures no message
    is in two segments."""
    found = []
    for dst, payload in tshark(path, "tcp.dstport", "tcp.payload"):
        data = bytes.fromhex(payload[0].replace(":", "")) if payload else b""
        while len(data) >= 24:
            n = 24 + struct.unpack_from("<H", data, 2)[0]
            found.append((dst == ["44818"], data[:n]))
            data = data[n:]
    return found


def one_file(t, path, refused):
    name = os.path.basename(path)
    messages = messages_of(path)

    def run(label, rows, capture=path):
        return t.replay(capture, policy=t.file("%s.%s.cfg" % (name, label), policy(rows))).pdus

    whole = run("whole", None)
    t.equal(name + ": as many as tshark sees", collections.Counter(p["dir"] == "c2s" for p in whole),
            collections.Counter(to for to, _ in messages))
    t.equal(name + ": lengths", sorted(p["length"] for p in whole), sorted(len(m) for _, m in messages))
    good = {"allowed", "enip.unseen_request"}
    t.equal(name + ": refused for what they are", collections.Counter(p["reason"] for p in whole if p["reason"] not in good),
            collections.Counter({"enip.malformed": refused} if refused else {}))
    requests = [m for to, m in messages if to]
    if refused or not requests:
        return
    asked = [message_codes(m) for m in requests]
    mine = [p for p in whole if p["dir"] == "c2s"]
    t.equal(name + ": what the first operation is", [p["function"] for p in mine], [c[0] for c in asked])

    def allowed(rows, label):
        return [p["reason"] == "allowed" for p in run(label, rows) if p["dir"] == "c2s"]

    every = sorted({c for each in asked for c in each})
    names = "functions = (%s);"
    t.equal(name + ": each function by its code", allowed([names % ", ".join(map(str, every))], "narrow"), [True] * len(asked))
    t.equal(name + ": reads only", allowed(['commands = ["read"];'], "reads"),
            [all(c in READS or c in SETUP for c in each) for each in asked])
    for code in every:
        rest = [str(c) for c in every if c != code] or ["127"]
        if code in SETUP:
            continue
        t.equal("%s: without %#x" % (name, code), allowed([names % ", ".join(rest)], "without-%x" % code),
                [code not in each for each in asked])


def session(messages, cuts):
    """The messages in a new session with its beginning, split at these offsets of the client's
    stream."""
    out = []
    s = wire.Session(out, "10.1.1.1", 40000, "10.2.2.2", 44818).open()
    handle = struct.pack("<I", 0x11020100)
    register = struct.pack("<HHIIQI", 0x65, 4, 0, 0, 0, 0) + b"\1\0\0\0"
    s.ask(register).answer(register[:4] + handle + register[8:])
    asked = b"".join(m[:4] + handle + m[8:] for m in messages)
    for a, b in zip([0] + cuts, cuts + [len(asked)]):
        if a < b:
            s.ask(asked[a:b])
    return out


def splits(t, path):
    """Requests alone, at most twelve because nobody answers: the same verdicts however they are
    split, and a refusal for each split within the first four bytes of a header."""
    name = os.path.basename(path)
    by_themselves = [m for to, m in messages_of(path) if to and m[0] == 0x6F and len(m) < 400][:10]
    if not by_themselves:
        return
    ends = [sum(len(m) for m in by_themselves[:i + 1]) for i in range(len(by_themselves))]
    total = ends[-1]
    ways = {"whole": ends[:-1], "one byte each": list(range(1, total)), "all in one": [],
            "early": [e - 1 for e in ends], "late": [e + 1 for e in ends[:-1]], "later": [e + 4 for e in ends[:-1]]}
    rows = ['functions = ("get_attributes_all", "get_attribute_list");']
    want = None
    for way, cuts in ways.items():
        capture = t.file("%s.%s.pcap" % (name, way.replace(" ", "-")), wire.pcap(session(by_themselves, sorted(cuts))))
        got = [(p["offset"], p["length"], p["reason"])
               for p in t.replay(capture, policy=t.file(name + ".splits.cfg", policy(rows))).said if p["dir"] == "c2s"]
        # a replay goes on after the end of a session
        cut = {offset for offset, _, reason in got if reason == "enip.cut"}
        got = [p for p in got if p[2] != "enip.cut"]
        want = want or got  # the first way of splitting says what is expected
        t.equal("%s: %s" % (name, way), got, want)
        t.equal("%s: %s, refused for the cut" % (name, way), cut,
                {o for o, _, _ in want if o >= 28 and (way == "one byte each" or (way == "late" and o >= 28 + ends[0]))})
    t.true(name + ": something was judged", len(want) > 1)


def cases(t):
    for path, refused in FILES.items():
        label = "enip: " + path
        if not os.path.isdir(PCAPS):
            t.skip(label, "../shared/pcaps is not there")
        elif not shutil.which("tshark"):
            t.skip(label, "tshark is not installed to count beside us")
        else:
            yield label, one_file, (t, os.path.join(PCAPS, path), refused)
            if "Software_" in path:
                yield label + ", cut", splits, (t, os.path.join(PCAPS, path))

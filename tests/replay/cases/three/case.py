# SPDX-License-Identifier: Apache-2.0
import os
import random
import struct
import sys

import wire
from wire import ACK, PSH, modbus

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import slmp  # noqa: E402

TOS, CRANE = "10.20.0.10", "10.30.1.10"
SESSIONS = 300
WAITING = 15  # requests
S = 1_000_000_000

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "modbus"; ports = ["tcp/502", "udp/502"]; allow = ( { commands = ["read"]; holding = ["0-99"]; } ); };
             mel = { protocol = "slmp"; ports = ["tcp/5007", "udp/5007"]; allow = ( { functions = ["batch_read"]; d = ["0-999"]; } ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc", "mel"]; mode = "%s"; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""


def crc(b):
    c = 0xFFFF
    for x in b:
        c ^= x
        for _ in range(8):
            c = c >> 1 ^ 0xA001 if c & 1 else c >> 1
    return b + struct.pack("<H", c)


def of_modbus(rng, tid, udp):
    """A request and its answer, or None."""
    first, n = rng.randrange(80), rng.randrange(1, 9)
    answer = modbus(tid, 1, bytes([3, 2 * n]) + bytes(2 * n))
    good = modbus(tid, 1, struct.pack("!BHH", 3, first, n))
    kind = rng.random()
    if kind < 0.8:
        return good, answer
    if kind < 0.84:
        return modbus(tid, 1, struct.pack("!BHH", 6, first, n)), None
    if kind < 0.88:
        return modbus(tid, 1, struct.pack("!BHH", 3, 95, 9)), None
    if kind < 0.91:
        return modbus(tid, 1, struct.pack("!BHH", 3, first, rng.choice([0, 126]))), None
    if kind < 0.93:
        return modbus(tid, 1, struct.pack("!BHH", 5, first, 1)), None
    if kind < 0.96:
        return crc(struct.pack("!BBHH", 1, rng.choice([3, 6]), 0, rng.randrange(1, 5))), None
    return good, modbus(tid, rng.choice([1, 1, 2]), bytes([rng.choice([3, 4, 131]), 2]))


def of_slmp(rng, serial, udp):
    f = slmp.FORMS[2]
    kind, first, n = rng.random(), rng.randrange(900), rng.randrange(1, 9)
    good = f.read("d", first, n, serial=serial)
    if kind < 0.85:
        return good, f.answer(bytes(2 * n), serial=serial)
    if kind < 0.9:
        return f.write("d", first, [7] * n, serial=serial), None
    if kind < 0.94:
        return f.read("d", 995, 9, serial=serial), None
    if kind < 0.97:
        return bytes([3, 0xFF, 10, 0, 100, 0, 0, 0, 0x20, 0x44, 1, 0, 7, 0]), None
    return good, f.answer(bytes(2 * n + 2), serial=serial)


def drawn(rng, out, port, make, dport, udp):
    """Adds one session, or the datagrams of two ports, to `out` as (packet, ns after the previous
    one)."""
    packets, gaps = [], []
    s = wire.Session(packets, TOS, port, CRANE, dport)
    if not udp:
        s.open()
        gaps += [0, 1000, 1000]
    lossy, cuts = rng.random() < 0.25, not udp and rng.random() < 0.4
    waiting = 0
    for k in range(rng.randrange(1, 30 if lossy else 9)):
        request, answer = make(rng, k + 1, udp)
        # A malformed write is not cut: its beginning alone shows what is wrong with it.
        whole = request[7:8] == b"\5"
        at = sorted({rng.randrange(1, len(request)) for _ in range(rng.randrange(3))}) if cuts and not whole and rng.random() < 0.5 else []
        if udp:
            packets.append(wire.udp(TOS, port, CRANE, dport, request))
        else:
            for a, z in zip([0] + at, at + [len(request)]):
                s.c2s(PSH | ACK, request[a:z])
        gaps += [rng.choice([S // 100, S // 2, 2 * S])] + [S // 1000] * (0 if udp else len(at))
        lost = answer is None or (lossy and rng.random() < 0.8)
        # No more requests of a stream stay unanswered than may wait: a box would make the client
        # repeat the next one, and this capture does not have that.
        if lost and (udp or waiting < WAITING):
            waiting += 1
            continue
        if answer is None:
            break
        if udp:
            packets.append(wire.udp(CRANE, dport, TOS, port, answer))
        else:
            s.s2c(PSH | ACK, answer)
        gaps.append(S // 1000)
    out.append((packets, gaps))


def captured(sessions):
    """Merges the sessions in the order of their times."""
    frames = []
    for n, (packets, gaps) in enumerate(sessions):
        at = n * S // 50
        for p, gap in zip(packets, gaps):
            at += gap
            frames.append((at, n, p))
    frames.sort(key=lambda f: f[0])
    return wire.pcap([p for _, _, p in frames], at=[at for at, _, _ in frames])


def said(r):
    """By client port: the PDUs, and the frame at which its session was refused."""
    flows = {}
    for p in r.lines:
        if p["type"] in ("pdu", "reading"):
            port = int(p["client"].rsplit(":", 1)[1])
            flows.setdefault(port, []).append((p["packet"], p["type"], p["dir"], p["function"], p["address"], p["count"], p["verdict"] == "allow", p["reason"]))
    return flows, {int(f["client"].rsplit(":", 1)[1]): (f["verdict"] == "allow", f["reason"], f["packet"]) for f in r.flows}


def until_refused(pdus, frame):
    """What passed until then, and the first PDU that did not. Its frame is that of its last byte
    only if all of the PDU was waited for."""
    n = next((k for k, p in enumerate(pdus) if not p[6] or p[0] > frame > 0), len(pdus))
    return pdus[:n], [(p[2], p[3], p[7]) for p in pdus[n:n + 1] if not p[6] and p[0] <= (frame or p[0])]


def of_datagrams(pdus):
    """Under observe, a refused datagram reaches the server. A receiver that reads differently may
    then join it with the next one, and an answer to a forgotten request may belong to it."""
    return [p[:6] if p[7].endswith((".unseen_request", ".unread_request")) else p for p in pdus if p[1] == "pdu"]


def compared(t, name, udp, box, observed):
    """How many sessions have equal results in both replays: of those that the box refuses, and of
    the others."""
    (pdus, flows), (others, other_flows) = box, observed
    agree, wrong = [0, 0], []
    for port, (good, reason, frame) in flows.items():
        mine, theirs, other = pdus.get(port, []), others.get(port, []), other_flows[port]
        if udp:
            same = of_datagrams(mine) == of_datagrams(theirs) and other == (good, reason, frame)
        else:
            same = until_refused(mine, frame) == until_refused(theirs, other[2]) and other[:2] == (good, reason) and other[2] >= frame
            # A request that is recognised by its first segment is refused there by a box, but only
            # when it is complete under observe; the same for one that was split.
            whole = [p for p in theirs if p[1] == "pdu" or p[0] != other[2]]
            cut = other[1].endswith(".cut") and reason in [p[7] for p in whole if p[0] == other[2]]
            same |= cut and until_refused(mine, frame) == until_refused(whole, other[2]) and not good and other[2] >= frame
        if same:
            agree[good] += 1
        else:
            wrong.append((port, flows[port], other, [p for p in mine if p not in theirs][:2], [p for p in theirs if p not in mine][:2]))
    t.equal(name + ": sessions of which they say different things", wrong[:2], [])
    t.note("%s: %d refused alike, %d passed alike, %d not" % (name, *agree, len(wrong)))
    t.true(name + ": some are refused, some pass", agree[0] > 10 and agree[1] > 10)


def check(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    enforce, observe = (t.file(m + ".cfg", POLICY % m) for m in ("enforce", "observe"))
    for name, make, port in (("modbus", of_modbus, 502), ("slmp", of_slmp, 5007)):
        for udp in (False, True):
            rng, sessions = random.Random(seed), []
            for n in range(SESSIONS):
                drawn(rng, sessions, 20000 + n, make, port, udp)
            label = name + (" over UDP" if udp else "")
            capture = t.file(label.replace(" ", "-") + ".pcap", captured(sessions))
            box = said(t.replay(capture, "--as-box", policy=enforce))
            compared(t, label + ", box and observe", udp, box, said(t.replay(capture, "--as-box", policy=observe)))
            compared(t, label + ", box and as captured", udp, box, said(t.replay(capture, policy=enforce)))

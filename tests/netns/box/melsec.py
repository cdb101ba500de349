# SPDX-License-Identifier: Apache-2.0
"""MC protocol through the box, to a controller that tells what it has executed (tests/lib/slmp.py):
all four forms, over TCP and UDP."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import slmp  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, inside, wait_for  # noqa: E402

OT, OPS = "10.73.0.2", "10.72.0.2"
# D0 to D99 may be read; 0 or 1 may be written to D50
MELSEC = conduit("melsec", "ops", "ot", ["melsec"], criticality="cargo")


def put_up(box, kind, port):
    with inside(box.ns("ot")):
        s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((OT, port))
    return s


def client(box, kind, port):
    with inside(box.ns("ops")):
        s = socket.socket(socket.AF_INET, kind)
    s.settimeout(2 * SLOWNESS)
    s.connect((OT, port))
    return s


def refusals(box, after, reason):
    return [e for e in box.events(after) if e.get("reason") == reason]


def judged(box, reason):
    """How many refusals for this reason the workers have counted."""
    return sum(w["reasons"].get(reason, 0) for w in box.status()["workers"])


def melsec_over_tcp(box):
    """Records of one pair of hosts are summed when there are many, so only those of the first form
    are waited for; the workers' counts tell of the others."""
    box.apply(MELSEC)
    listener = put_up(box, socket.SOCK_STREAM, 5007)
    listener.listen(8)
    plc = slmp.Controller()
    plc.serve(listener)
    for f in slmp.FORMS:
        seq = box.last_seq()
        before = len(plc.written)
        s = client(box, socket.SOCK_STREAM, 5007)
        s.sendall(f.write("d", 50, [1]))
        expect(slmp.parse(slmp.answer(s))["end"] == 0, "%s: an allowed write", f)
        s.sendall(f.read("d", 49, 3))
        got = slmp.parse(slmp.answer(s))["data"]
        expect([got.num(2) for _ in range(3)] == [0, 1, 0], "%s: what was written is not read", f)
        half = f.read("d", 0, 2)
        s.sendall(half[:9])
        s.sendall(half[9:])
        expect(slmp.answer(s), "%s: a read in two segments", f)
        values = judged(box, "slmp.value")
        s.sendall(f.write("d", 50, [2]))
        expect(not slmp.answer(s), "%s: a forbidden value was answered", f)
        expect(plc.written[before:] == [("d", 50, 1)], "%s: executed %s", f, plc.written[before:])
        wait_for(lambda: judged(box, "slmp.value") == values + 1, 5, "the refusal of %s" % f)
        if f is slmp.FORMS[0]:
            wait_for(lambda: refusals(box, seq, "slmp.value"), 5, "the event of %s" % f)
            e = refusals(box, seq, "slmp.value")[0]
            expect(e["limit"]["wrote"] == 2, "%s: the event says %s", f, e)
        for b, reason in ((f.read("d", 99, 2), "slmp.device"), (f.request(0x1002, 0, f.num(2, 1)), "slmp.command"),
                          (f.request(0x0401, 0, f.device(False, "d", 0) + f.num(2, 1), route=(1, 2, 0x3ff, 0)), "slmp.target"),
                          (f.request(0x0401, 0, f.device(False, "d", 0)), "slmp.malformed")):
            seq, done, counted = box.last_seq(), len(plc.done), judged(box, reason)
            s = client(box, socket.SOCK_STREAM, 5007)
            s.sendall(b)
            expect(not slmp.answer(s), "%s: %s was answered", f, b)
            wait_for(lambda: judged(box, reason) == counted + 1, 5, "the refusal %s of %s" % (reason, f))
            if f is slmp.FORMS[0]:
                wait_for(lambda: refusals(box, seq, reason), 5, "the event %s of %s" % (reason, f))
            expect(len(plc.done) == done, "%s: %s was executed", f, b)
    listener.close()


def melsec_over_udp(box):
    box.apply(MELSEC)
    server = put_up(box, socket.SOCK_DGRAM, 5008)
    plc = slmp.Controller()
    plc.serve_datagrams(server)
    seq = box.last_seq()
    for f in slmp.FORMS:
        before = len(plc.written)
        s = client(box, socket.SOCK_DGRAM, 5008)
        for serial in range(3):
            s.send(f.write("d", 50, [1], serial=serial))
            expect(slmp.parse(s.recv(4096))["end"] == 0, "%s: an allowed write", f)
            s.send(f.write("d", 50, [2], serial=serial + 10))  # dropped; the flow goes on
            s.send(f.request(0x1002, 0, f.num(2, 1), serial + 20))
            s.send(f.read("d", 50, 1, serial=serial + 30))
            got = slmp.parse(s.recv(4096))["data"]
            expect(got.num(2) == 1, "%s: another answer", f)
        expect(plc.written[before:] == [("d", 50, 1)] * 3, "%s: executed %s", f, plc.written[before:])
        s.close()
    wait_for(lambda: refusals(box, seq, "slmp.value") and refusals(box, seq, "slmp.command"), 5, "the events")
    expect(not [c for c, _ in plc.done if c == 0x1002], "a stop was executed")
    server.close()


CASES = [melsec_over_tcp, melsec_over_udp]

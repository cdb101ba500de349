# SPDX-License-Identifier: Apache-2.0
"""EtherNet/IP through the box, to a controller that says what it executed (tests/lib/enip.py)."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import enip  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from melsec import client, put_up, refusals  # noqa: E402
from net import wait_for  # noqa: E402

# Tags are read; 0 or 1 is written to Lamp; slot 0 and the device itself.
LOGIX = conduit("logix", "ops", "ot", ["logix"], criticality="cargo")


def begin(box):
    s = client(box, socket.SOCK_STREAM, 44818)
    return s, enip.handle_of(s)


def logix_over_tcp(box):
    box.apply(LOGIX)
    listener = put_up(box, socket.SOCK_STREAM, 44818)
    listener.listen(8)
    plc = enip.Controller()
    plc.serve(listener)
    s, h = begin(box)
    expect(h == 0x5EC1, "the session was not registered: %s", h)
    for cip in (enip.read("Speed"), enip.write("Lamp", 1), enip.write("LAMP", 0), enip.sent_on(enip.read("Speed")),
                enip.service(0x0A, enip.ROUTER, enip.several([enip.read("a"), enip.write("Lamp", 1), enip.read("b.c")]))):
        s.sendall(enip.request(h, cip))
        got = enip.receive(s)
        expect(got and enip.status_of(got) == 0, "an allowed request: %s", cip)
    half = enip.request(h, enip.read("Speed"))
    for k in range(0, len(half), 5):
        s.sendall(half[k:k + 5])
    expect(enip.receive(s), "a read in pieces")
    s.sendall(enip.request(h, enip.forward_open(7, 0x207)))
    expect(enip.receive(s), "a connection for requests")
    for sequence in range(1, 4):
        s.sendall(enip.unit(h, 0x1007, sequence, enip.read("Speed")))
        expect(enip.receive(s), "a read over it")
    written, done = list(plc.written), len(plc.done)
    expect(written == [1, 0, 1], "executed %s", written)
    s.close()
    several = enip.service(0x0A, enip.ROUTER, enip.several([enip.read("a"), enip.service(0x07, b"\x20\x8e\x24\x01")]))
    for cip, reason in ((enip.write("Lamp", 2), "enip.value"), (enip.write("Lamp.x.y", 7), "enip.value"),
                        (enip.write("Speed", 1), "enip.address"), (several, "enip.function"),
                        (enip.sent_on(enip.write("Speed", 1)), "enip.address"),
                        (enip.sent_on(enip.read("Speed"), b"\1\2"), "enip.route"),
                        (enip.sent_on(enip.read("Speed"), b"\1\0\2\5"), "enip.route"),
                        (enip.forward_open(8, 0x208, b"\1\3"), "enip.route"),
                        (enip.write("Lamp", 1) + b"\0\0\0\0", "enip.malformed")):
        seq, done = box.last_seq(), len(plc.done)
        s, h = begin(box)
        s.sendall(enip.request(h, cip))
        expect(not enip.receive(s), "%s: was answered", cip)
        wait_for(lambda: refusals(box, seq, reason), 5, "the event %s of %s" % (reason, cip))
        expect(len(plc.done) == done, "%s: was executed", cip)
        s.close()
    s, h = begin(box)  # cut where OpENer would lose its place
    seq, done = box.last_seq(), len(plc.done)
    half = enip.request(h, enip.read("Speed"))
    s.sendall(half[:2])
    s.sendall(half[2:])
    expect(not enip.receive(s), "a message in two segments of which the first holds two bytes was answered")
    wait_for(lambda: refusals(box, seq, "enip.cut"), 5, "the event of a cut")
    s, h = begin(box)  # no session of ours; a connection that nobody opened
    seq, done = box.last_seq(), len(plc.done)
    s.sendall(enip.request(h + 1, enip.read("Speed")))
    expect(not enip.receive(s), "another's session was answered")
    wait_for(lambda: refusals(box, seq, "enip.session"), 5, "the event of another's session")
    s, h = begin(box)
    seq = box.last_seq()
    s.sendall(enip.unit(h, 0x1007, 9, enip.read("Speed")))
    expect(not enip.receive(s), "a connection of another session was answered")
    wait_for(lambda: refusals(box, seq, "enip.connection"), 5, "the event of another's connection")
    expect(len(plc.done) == done, "was executed")
    # otherwise a thread that waits for a session would keep the port
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


CASES = [logix_over_tcp]

# SPDX-License-Identifier: Apache-2.0
"""FINS over UDP with port 9600 at both ends: conduit c from the station to the controller reads,
and conduit d the other way writes. Over IPv4 the controller speaks first, over IPv6 the station.
Live, because only the kernel's own connection tracking and queues can show that a datagram that
belongs to the other conduit is found, not lost, and not let pass."""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import fins  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, inside, wait_for  # noqa: E402

ENDS = {socket.AF_INET: ("10.72.0.2", "10.73.0.2"), socket.AF_INET6: ("2001:db8:72::2", "2001:db8:73::2")}
SERVICES = """services = {
  fins_read = { protocol = "fins"; ports = ["udp/9600"]; allow = ( { commands = ["read"]; } ); };
  fins_push = { protocol = "fins"; ports = ["udp/9600"]; allow = ( { commands = ["write"]; d = ["100-199"]; } ); };
"""
C, D = conduit("c", "ops", "ot", ["fins_read"]), conduit("d", "ot", "ops", ["fins_push"])


def apply(box, *conduits):
    keeps = 'isolations = { %s };\n' % " ".join('keep_%s = { cut = ["zones ops ot"]; keep = ["%s"]; };' % (n, n) for n, c in (("c", C), ("d", D)) if c in conduits)
    path = box.write(*conduits, extra=keeps)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("services = {\n", SERVICES, 1))
    box.sekisho("apply", path)


class Pair:
    """The two ends. Whatever arrives and was not allowed fails the next exchange, or
    `nothing_left`."""

    def __init__(self, box, family):
        self.ends, self.sid = [], 0
        for zone, address in zip(("ops", "ot"), ENDS[family]):
            with inside(box.ns(zone)):
                self.ends.append(socket.socket(family, socket.SOCK_DGRAM))
            self.ends[-1].bind((address, 9600))
        for end, address in zip(self.ends, reversed(ENDS[family])):
            end.connect((address, 9600))
        self.station, self.plc = self.ends

    def goes(self, sender, frame, seconds=2):
        receiver = self.plc if sender is self.station else self.station
        receiver.settimeout(seconds * SLOWNESS)
        sender.send(frame)
        try:
            got = receiver.recv(2000)
        except socket.timeout:
            return False
        expect(got == frame, "%s arrived in the place of %s", got, frame)
        return True

    def poll(self, seconds=2):
        self.sid = self.sid % 250 + 1
        return self.goes(self.station, fins.read("d", 0, 2, sid=self.sid), seconds) and \
            self.goes(self.plc, fins.answer(fins.READ, b"\0\1\0\2", sid=self.sid), seconds)

    def push(self, seconds=2):
        self.sid = self.sid % 250 + 1
        return self.goes(self.plc, fins.write("d", 100, [7], sid=self.sid, to=fins.CLIENT, sender=fins.PLC), seconds) and \
            self.goes(self.station, fins.answer(fins.WRITE, sid=self.sid, to=fins.PLC, sender=fins.CLIENT), seconds)

    def try_forbidden(self, read=False, push=False):
        """Neither end may do what is the other one's. `read`, `push`: nor these."""
        frames = [(self.station, fins.write("d", 100, [1], sid=251)), (self.plc, fins.read("d", 0, 1, sid=251, to=fins.CLIENT, sender=fins.PLC)),
                  (self.plc, fins.write("d", 99, [1], sid=252, to=fins.CLIENT, sender=fins.PLC)),
                  (self.plc, fins.answer(fins.READ, b"\0\1", sid=253)), (self.station, fins.answer(fins.WRITE, sid=253, to=fins.PLC, sender=fins.CLIENT))]
        if read:
            frames.append((self.station, fins.read("d", 0, 2, sid=254)))
        if push:
            frames.append((self.plc, fins.write("d", 100, [7], sid=254, to=fins.CLIENT, sender=fins.PLC)))
        for sender, frame in frames:
            sender.send(frame)

    def nothing_left(self):
        for end in self.ends:
            end.settimeout(0.05)
            try:
                raise AssertionError("%s arrived" % end.recv(2000))
            except socket.timeout:
                pass

    def close(self):
        for end in self.ends:
            end.close()


def both_may_ask(box):
    apply(box, C, D)
    pairs = [Pair(box, family) for family in ENDS]

    def go_on(what, polls=5, pushes=5, **forbidden):
        for pair in pairs:
            pair.try_forbidden(**forbidden)
            for n in range(max(polls, pushes)):
                expect(n >= polls or pair.poll(), "%s: poll %d", what, n)
                expect(n >= pushes or pair.push(), "%s: push %d", what, n)
            pair.try_forbidden(**forbidden)

    try:
        expect(pairs[0].push() and pairs[1].poll(), "the first datagram")
        go_on("both conduits", polls=60)
        for pid in box.pids("dpi"):
            os.kill(pid, signal.SIGKILL)
        for pair in pairs:
            wait_for(lambda p=pair: p.poll(0.2), 8, "a poll after the worker's death")
            wait_for(lambda p=pair: p.push(0.2), 8, "a push after the worker's death")
        go_on("after the worker's death")
        for turn in range(2):
            apply(box, C)
            go_on("d is gone", pushes=0, push=True)
            apply(box, C, D)
            go_on("d is back")
            apply(box, D)
            go_on("c is gone", polls=0, read=True)
            apply(box, C, D)
            go_on("c is back")
        for kept, forbidden in (("c", {"pushes": 0, "push": True}), ("d", {"polls": 0, "read": True})):
            box.sekisho("isolate", "keep_" + kept, "--reason", "test")
            go_on("isolated but for " + kept, **forbidden)
            box.sekisho("rejoin", "keep_" + kept, "--reason", "test")
            go_on("rejoined")
        for pair in pairs:
            pair.nothing_left()
        return "60 of 60 polls, whoever speaks first"
    finally:
        for pair in pairs:
            pair.close()


CASES = [both_may_ask]

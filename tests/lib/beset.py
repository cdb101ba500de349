# SPDX-License-Identifier: Apache-2.0
"""A box whose processes are killed one after the other, while allowed and forbidden traffic runs.

Allowed traffic has to arrive completely: datagrams are numbered, and sessions of reads are the same
from beginning to end. Nothing forbidden may arrive: neither marked frames from the caller, nor a
write in sessions of a conduit that closes while no worker runs. Captures at the receiver count
both. Only waiting times are multiplied on a slow machine, never counts."""
import os
import random
import signal
import socket
import struct
import threading

import modbus
from net import Capture, decode, inside, tcp_streams, wait_for

ROLES = ("dpi", "gate", "enforce", "tap", "journal", "mgmt", "supervisor")
SERVICES = """  read = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; } ); };
  closed = { protocol = "modbus"; ports = ["tcp/503"]; allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; } ); };
"""
# keys of the conduit with `read`
HOLD = {"when_down": "hold", "when_overloaded": "hold", "when_midstream": "pick_up"}
PORT = 9000
MARK = b"never to arrive;"
WRITE = modbus.write_register(7, 0x4242)


def seed():
    return int(os.environ.get("SEKISHO_SEED", random.randrange(1 << 32)))


class Datagrams:
    """Numbered datagrams from one host to the other's port PORT, at a steady pace."""

    def __init__(self, source, server, address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with inside(server):
            self.sink = socket.socket(family, socket.SOCK_DGRAM)
        self.sink.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        self.sink.bind((address, PORT))
        self.sink.setblocking(False)
        with inside(source):
            self.source = socket.socket(family, socket.SOCK_DGRAM)
        self.source.connect((address, PORT))
        self.sent, self.got = 0, set()

    def step(self):
        self.source.send(struct.pack("!I", self.sent))
        self.sent += 1

    def whole(self):
        try:
            while True:
                data = self.sink.recv(100)
                if MARK not in data:  # marked ones are counted in the capture
                    self.got.add(struct.unpack("!I", data)[0])
        except BlockingIOError:
            return len(self.got) == self.sent

    def close(self):
        self.source.close()
        self.sink.close()


class Reads:
    """One session that sends the next request when it has its answer."""

    def __init__(self, source, address):
        self.socket, self.answers = modbus.connect(source, address, 502, timeout=10), 0
        self.step()

    def step(self):
        self.socket.sendall(modbus.read_holding(0, 2, tid=self.answers % 65535 + 1))
        if not modbus.answer(self.socket):
            raise ConnectionResetError("a session of reads has ended after %d answers" % self.answers)
        self.answers += 1

    def close(self):
        self.socket.close()


class Writes:
    """Sessions of the closed conduit, again and again: a read followed by the forbidden write, in
    one segment or in two."""

    def __init__(self, source, address):
        self.source, self.address, self.tried, self.refused = source, address, 0, 0

    def step(self):
        try:
            s = modbus.connect(self.source, self.address, 503, timeout=0.3)
        except OSError:  # no process is there to let the session in
            self.refused += 1
            return
        with s:
            try:
                s.sendall(modbus.read_holding(0, 2))
                if self.tried % 2:
                    modbus.answer(s)
                for part in (WRITE,) if self.tried % 3 else (WRITE[:7], WRITE[7:]):
                    s.sendall(part)
                self.tried += 1
                modbus.answer(s)
            except OSError:
                pass

    def close(self):
        pass


class Frames:
    """Forbidden frames, as they are on the wire."""

    def __init__(self, frames, number):
        self.frames, self.rng, self.sent = frames, random.Random(number), 0

    def step(self):
        for _ in range(5):
            send, frame = self.rng.choice(self.frames)
            send(frame)
            self.sent += 1

    def close(self):
        pass


class Work:
    """Runs one of the above in a thread every `pace` seconds, until it is ended; then raises its
    error."""

    def __init__(self, what, pace):
        self.what, self.pace, self.wrong, self.ended = what, pace, None, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.ended.is_set():
                self.what.step()
                self.ended.wait(self.pace)  # the pace of the traffic
        except Exception as e:
            self.wrong = e

    def end(self):
        self.ended.set()
        self.thread.join()


def killed(box, role, traffic):
    """Kills every process of that role. For the role `supervisor`: kills the whole daemon, and
    starts it again after `traffic` has gone on without it. Returns when everything is back."""
    if role == "supervisor":
        box.kill()
        traffic("while there is no daemon")
        box.start()
        wait_for(box.in_force, 30, "the policy behind a start")
        old = []
    else:
        old = box.pids(role)
        for pid in old:
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: box.running() and box.pids("dpi") and not set(box.pids(role)) & set(old), 30, "%s again" % role)
    return max(len(old), 1)


def arrived(capture, own):
    """Marked frames, without the box's "unreachable" errors to a sender, which quote the beginning
    of what was sent."""
    return sum(MARK in f and (decode(f) or "  ")[1] not in own for f in capture.incoming())


def kills(box, client, server, addresses, frames, watched, own, rounds=3):
    """`client` and `server` are namespaces, `addresses` the server's, one of each family, `frames`
    [(send, frame)], `watched` captures by name that must not see MARK, `own` the box's
    addresses. Returns a sentence about what was sent and what arrived."""
    number = seed()
    at_server = Capture(box.net, server, "eth0")
    flows = [Datagrams(client, server, a) for a in addresses]
    sessions = [Reads(client, a) for a in addresses]
    writes, strays = [Writes(client, a) for a in addresses], Frames(frames, number)

    def traffic(when):
        """Waits until some more was sent and answered; raises the error of any of them."""
        before, sent = [x.answers for x in sessions], strays.sent
        wait_for(lambda: all(x.answers > b + 3 for x, b in zip(sessions, before)) and strays.sent > sent + 50 or any(w.wrong for w in work), 20,
                 "reads and frames " + when)
        wrong = [repr(w.wrong) for w in work if w.wrong]
        if wrong:
            raise AssertionError("%s (seed %d): %s" % (when, number, "; ".join(wrong)))
    work = [Work(x, 0.002) for x in flows] + [Work(x, 0.005) for x in sessions] + [Work(x, 0.02) for x in writes] + [Work(strays, 0.002)]
    n = 0
    try:
        for _ in range(rounds):
            for role in ROLES:
                n += killed(box, role, traffic)
                traffic("behind the end of " + role)
        tried = [x.tried for x in writes]
        wait_for(lambda: all(x.tried > t + 2 for x, t in zip(writes, tried)), 30, "writes to be tried on the whole box")
    finally:
        for w in work:
            w.end()
    try:
        wait_for(lambda: all([x.whole() for x in flows]), 5, "the last datagrams")
    except TimeoutError:
        pass  # losses are reported together with what arrived
    wait_for(lambda: all(c.caught_up() for c in [at_server, *watched.values()]), 60, "the captures")
    came = {name: arrived(c, own) for name, c in watched.items()}
    streams = [s for (_, _, _, port), s in tcp_streams(at_server.incoming()).items() if port == 503]
    reads, written = sum(p[1] == 3 for s in streams for p in modbus.pdus(s)), sum(any(p[1] != 3 for p in modbus.pdus(s)) or WRITE in s for s in streams)
    for x in flows + sessions:
        x.close()
    at_server.close()
    lost = sum(x.sent - len(x.got) for x in flows)
    if any(came.values()) or written or lost:
        raise AssertionError("seed %d: of what is forbidden arrived %s, %d writes; of %d allowed datagrams %d are lost" % (
            number, came, written, sum(x.sent for x in flows), lost))
    if reads == 0:
        raise AssertionError("of %s writes tried not even the read before it arrived" % [x.tried for x in writes])
    return "seed %d, %d kills: 0 of %d forbidden frames and 0 of %d writes arrived (%d reads before them); %d of %d datagrams, %d answers in %d sessions" % (
        number, n, strays.sent, sum(x.tried for x in writes), reads, sum(len(x.got) for x in flows), sum(x.sent for x in flows), sum(x.answers for x in sessions),
        len(sessions))

# SPDX-License-Identifier: Apache-2.0
"""A person or an end in time forbids requests while sessions are lent, at servers that are not ours
(theirs.py). Each server has sessions of three hosts. The first asks A and B in turn, or A alone,
all the time. The second host's last request is lost behind the box. The third host's last request
was carried out, and its answer is lost. After the change, these two repeat their requests. No B may
arrive at the server's interface (by the kernel's time of each frame) or be carried out. A goes on
unless everything was cut."""
import contextlib
import json
import socket
import struct
import threading
import time

import modbus
import theirs
from cases import Busy, Skip, expect
from net import inside, sh, wait_for

ASKING, LOST, UNANSWERED = "10.72.0.2", "10.72.0.3", "10.72.0.4"
SO_TIMESTAMPNS, ETH_P_ALL = 35, 3  # ETH_P_ALL: with the frames that leave
SLACK_S = 0.1  # seconds of grace after an end in time
SAID_AGAIN_S = 0.19  # seconds, after which TCP repeats what nobody acknowledges


class Arrivals:
    """What arrives at the server's interface with data: (seconds since 1970, client, port of the
    server, data, whether the server had acknowledged all of it before). A repetition of
    acknowledged data may pass, because its receiver ignores it."""

    def __init__(self, ns):
        with inside(ns):
            self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
            self.s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.s.bind(("eth0", ETH_P_ALL))
        self.s.setblocking(False)
        self.kept, self.acked = [], {}

    def all(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                b, more, _, origin = self.s.recvmsg(2000, 64)
                at = 14 + 4 * (b[14] & 15)
                if b[12:14] != b"\x08\0" or b[23] != socket.IPPROTO_TCP:
                    continue
                source, target, number, acked = struct.unpack_from("!HHII", b, at)
                if origin[2] == socket.PACKET_OUTGOING:
                    self.acked[b[30:34], target] = acked
                    continue
                data = b[at + 4 * (b[at + 12] >> 4):14 + int.from_bytes(b[16:18], "big")]
                if data:
                    s, ns = struct.unpack("qq", more[0][2])
                    old = (number + len(data) - self.acked.get((b[26:30], source), number)) % (1 << 32)
                    self.kept.append((s + ns / 1e9, socket.inet_ntoa(b[26:30]), target, data, old == 0 or old > 1 << 31))
        return self.kept


class Session:
    def __init__(self, box, kind, host):
        self.kind, self.n, self.ended = kind, 0, None
        self.s = modbus.connect(box.ns("ops"), theirs.SERVER, kind.port, source=host, timeout=8)
        self.handle = kind.begin(self.s)

    def send(self, b):
        self.n += 1
        self.s.sendall(self.kind.write(self.handle, self.n, 1) if b else self.kind.a(self.handle, self.n))

    def hear(self):
        """Whether an answer comes. False if the session has ended."""
        try:
            return bool(self.kind.receive(self.s))
        except OSError:
            return False

    def ask(self, b=False):
        with contextlib.suppress(OSError):
            self.send(b)
            return self.hear()
        return False


class Asking(threading.Thread):
    """Asks all the time until it is not answered."""

    def __init__(self, session, turns):
        super().__init__(daemon=True)
        self.session, self.turns, self.done, self.stop = session, turns, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stop.wait(0.002):
            if not self.session.ask(self.turns[self.done % len(self.turns)]):
                return
            self.done += 1


class Field:
    def __init__(self, box):
        self.box = box
        sh("ip", "addr", "replace", UNANSWERED + "/24", "dev", "eth0", ns=box.ns("ops"))
        self.kinds, self.missing = theirs.put_up(box)
        self.arrivals = Arrivals(box.ns("ot"))

    def close(self):
        for kind in self.kinds:
            kind.close()

    def apply(self, more, **keys):
        pairs = [k.conduits(**keys) for k in self.kinds]
        self.box.services = theirs.SERVICES
        self.box.apply(*[c for p in pairs for c in p[:1 + more]])

    def begin(self):
        """Prepares sessions that are lent and have no packet waiting."""
        self.asking = [(b, Session(self.box, k, ASKING)) for k in self.kinds for b in (False, True)]
        self.held = [(host, b, Session(self.box, k, host)) for k in self.kinds for host in (LOST, UNANSWERED) for b in (False, True)]
        sessions = [x[-1] for x in self.asking + self.held]

        def are_lent():
            for s in sessions:
                for b in (False, True) * 4:
                    expect(s.ask(b), "%s: a request is not answered", s.kind.name)
            return self.box.worker()["lent"] >= len(sessions)
        wait_for(are_lent, 5, "%d sessions to be lent" % len(sessions))

    def say(self, until=None):
        """The last requests of the two hosts, which the kernel passes by itself, all before
        `until`."""
        rule = ("inet", "theirs")
        sh("nft", "add", "rule", *rule, "lost", "ip", "saddr", LOST, "drop", ns=self.box.ns("ot"))
        sh("nft", "add", "rule", *rule, "unanswered", "ip", "daddr", UNANSWERED, "drop", ns=self.box.ns("ot"))
        before, arrived = self.box.worker()["packets"], len(self.arrivals.all())
        began = time.monotonic()
        for _, b, s in self.held:
            s.send(b)
        if until and time.time() >= until:
            raise Busy("the end came before the last requests")
        held = lambda: [x for x in self.arrivals.all()[arrived:] if x[1] in (LOST, UNANSWERED)]  # noqa: E731
        wait_for(lambda: len(held()) >= len(self.held), 2, "the last requests at the server's interface")
        self.pollers = [Asking(s, (False, True) if b else (False,)) for b, s in self.asking]
        visits = self.box.worker()["packets"] - before
        if time.monotonic() - began > SAID_AGAIN_S:
            raise Busy("the last requests may have been said again already")
        expect(visits <= 2, "%d packets came to the worker, while %d sessions are lent", visits, len(self.held))
        wait_for(lambda: all(p.done > 4 for p in self.pollers), 3, "requests")

    def ask_on(self):
        for chain in ("lost", "unanswered"):
            sh("nft", "flush", "chain", "inet", "theirs", chain, ns=self.box.ns("ot"))

    def forbidden(self, since, everything):
        return [x for x in self.arrivals.all() if x[0] > since and
                any(x[2] == k.port and (everything or (k.only_b in x[3] and not x[4])) for k in self.kinds)]

    def judge(self, since, everything=False):
        """`since`: when B, or everything, was forbidden."""
        for kind in self.kinds:
            kind.holds(self.box, reset=True)
        done = [p.done for p in self.pollers]
        self.ask_on()
        for host, b, s in self.held:
            what = "%s, %s: " % (s.kind.name, "lost" if host == LOST else "unanswered")
            if b or everything:
                expect(not s.hear() or host == UNANSWERED, "%swhat is forbidden is answered", what)
                expect(not s.ask(b), "%swhat is forbidden is answered", what)
            else:
                expect(s.hear() and s.ask(), "%san allowed request does not go on", what)
        for p, before in zip(self.pollers, done):
            cut = everything or len(p.turns) > 1
            if cut:
                wait_for(lambda p=p: not p.is_alive(), 4, "the end of a session that asks for what is forbidden")
            else:
                wait_for(lambda p=p, n=before: p.done > n + 20, 4, "%s: allowed requests after the change" % p.session.kind.name)
            p.stop.set()
            p.join(5)
        found = self.forbidden(since, everything)
        expect(not found, "%d forbidden requests arrived, the last %.1f ms after the change: %s", len(found),
               1000 * (found[-1][0] - since) if found else 0, found[:3])
        for kind in self.kinds:
            expect(not kind.holds(self.box), "%s: a forbidden request was carried out", kind.name)
        return "%s%s" % (", ".join(k.name for k in self.kinds), "; without " + ", ".join(self.missing) if self.missing else "")


@contextlib.contextmanager
def field(box):
    f = Field(box)
    try:
        if not f.kinds:
            raise Skip("no server is to be had")
        yield f
    finally:
        f.close()
        box.services = ""


def narrowed_at_servers(box):
    with field(box) as f:
        f.apply(True)
        f.begin()
        f.say()
        f.apply(False)
        return f.judge(time.time())


def ended_at_servers(box):
    with field(box) as f:
        end = int(time.time() + 3.5)
        f.apply(True, until=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end)))
        f.begin()
        if time.time() > end - 0.3:
            raise Busy("sessions began too slowly")
        wait_for(lambda: time.time() > end - 0.2, 4, "the moment before the end")
        f.say(end)
        wait_for(lambda: time.time() > end + SLACK_S, 4, "the end")
        return f.judge(end + SLACK_S)


def rolled_back_at_servers(box):
    with field(box) as f:
        f.apply(False)
        f.apply(True)
        f.begin()
        f.say()
        box.sekisho("rollback")
        return f.judge(time.time())


def isolated_at_servers(box):
    with field(box) as f:
        f.apply(True)
        f.begin()
        f.say()
        done = json.loads(box.sekisho("isolate", "zones", "ops", "ot", "--reason", "test", "--json").stdout)
        since = time.time()
        try:
            expect(done["done"], "%s", done)
            return f.judge(since, everything=True)
        finally:
            box.sekisho("rejoin", "zones", "ops", "ot")


CASES = (narrowed_at_servers, ended_at_servers, rolled_back_at_servers, isolated_at_servers)

# SPDX-License-Identifier: Apache-2.0
"""The table of the rules with an owner, on kernels that have this: what other programs can do to it
while the daemon lives, hangs, or is dead."""
import contextlib
import ctypes
import os
import signal
import socket
import struct
import threading
import time

from box import conduit
from cases import Skip, expect
import manager
from net import inside, sh, wait_for

PLAIN = conduit("plain", "it", "ot", ["plain_tcp"])
MORE = conduit("more", "it", "ot", ["plain", "plain_tcp"])
FORBIDDEN = 9  # a port that no conduit allows
ATTACH_FILTER, GETRULE, REQUEST, DUMP = 26, 10 << 8 | 7, 1, 0x300
DEEDS = [(["flush", "ruleset"], 0), (["delete", "table", "inet", "sekisho"], 1), (["flush", "table", "inet", "sekisho"], 1),
         (["add", "rule", "inet", "sekisho", "forward", "accept"], 1), (["flush", "chain", "inet", "sekisho", "forward"], 1),
         (["add", "table", "inet", "sekisho", "{ flags dormant; }"], 1)]


def names(box):
    return sh("nft", "list", "tables", ns=box.data).stdout


def feature(box, said=None):
    return (said or box.status())["features"]["owned_table"]


class Flood:
    """Sends forbidden datagrams from `it` to `ot`, and counts those that arrive."""

    def __init__(self, box):
        self.sent, self.ended = 0, threading.Event()
        with inside(box.ns("ot")):
            self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.server.bind(("10.73.0.2", FORBIDDEN))
        self.server.setblocking(False)
        with inside(box.ns("it")):
            self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended.wait(0.004):
            for _ in range(4):
                self.client.sendto(b"forbidden", ("10.73.0.2", FORBIDDEN))
                self.sent += 1

    def beyond(self, n):
        """Waits until so many more were sent."""
        last = self.sent + n
        wait_for(lambda: self.sent >= last, 10, "%d datagrams" % n)

    def arrived(self):
        n = 0
        with contextlib.suppress(BlockingIOError):
            while self.server.recv(100):
                n += 1
        return n

    def close(self):
        self.ended.set()
        self.thread.join()
        self.client.close()
        self.server.close()


class Talk:
    """A permitted session with an echo server."""

    def __init__(self, box):
        with inside(box.ns("ot")):
            self.listener = socket.create_server(("10.73.0.2", 9001))
        with inside(box.ns("it")):
            self.client = socket.create_connection(("10.73.0.2", 9001), 5)
        self.server, _ = self.listener.accept()
        self.client.settimeout(5)

    def on(self):
        self.client.sendall(b"ask")
        expect(self.server.recv(10) == b"ask", "what was asked")
        self.server.sendall(b"answer")
        expect(self.client.recv(10) == b"answer", "what was answered")

    def close(self):
        for s in (self.client, self.server, self.listener):
            s.close()


def meddle(box, flood, when):
    """Does everything that another program may try. The table stays, and nothing crosses."""
    for words, status in DEEDS:
        done = sh("nft", *words, ns=box.data, check=False)
        expect((done.returncode != 0) == (status != 0), "%s, %s: %d %s", when, words, done.returncode, done.stderr)
        flood.beyond(12)
    expect("table inet sekisho" in names(box), "%s: the table is gone", when)
    expect(flood.arrived() == 0, "%s: forbidden datagrams crossed", when)


class Keeper(manager.Manager):
    """Like systemd, keeps the descriptors that it is given, and passes them to the next daemon."""

    def __init__(self, path):
        super().__init__(path)
        self.fd = -1

    def hear(self):
        while True:
            try:
                text, fds, _, _ = socket.recv_fds(self.socket, 4096, 1)
            except BlockingIOError:
                return self.said
            text = text.decode()
            self.said.append((time.monotonic(), text))
            if "FDSTOREREMOVE=1" in text:
                self.forget()
            if "FDSTORE=1" in text:
                self.fd = fds[0]

    def left(self):
        """Leaves the socket as an enforce that was killed during a read of all rules: its answers
        are unread. They must not hide later answers."""
        kept = socket.socket(fileno=os.dup(self.fd))
        # a filter that lets nothing in
        code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0))
        try:
            kept.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(code)))
            expect(False, "a filter can be put on the socket")
        except PermissionError:
            pass
        kept.send(struct.pack("=IHHII", 20, GETRULE, REQUEST | DUMP, 1, 0) + struct.pack(">BBH", 0, 0, 0))
        kept.close()

    def forget(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def start(self, box):
        """Starts the daemon with the kept descriptor as its third one."""
        self.hear()
        before = []
        if self.fd >= 0:
            before = ["bash", "-c", 'exec 3<&%d %d<&-; export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=rules; exec "$0" "$@"' % (self.fd, self.fd)]
        os.environ["NOTIFY_SOCKET"] = self.socket.getsockname()
        try:
            self.said = [x for x in self.said if "READY=1" not in x[1]]
            box.start(wait=False, before=before, owned=True, keeps=[self.fd] if self.fd >= 0 else [])
        finally:
            del os.environ["NOTIFY_SOCKET"]
        wait_for(lambda: self.times("READY=1"), 10, "READY=1")
        expect(box.in_force(), "ready, and the policy is not in force")


@contextlib.contextmanager
def owned(box):
    """The box with an owned table; afterwards it has a plain one again."""
    box.kill()
    sh("nft", "flush", "ruleset", ns=box.data)
    keeper = Keeper(box.run_folder + "/keeper")
    try:
        keeper.start(box)
        if feature(box)["why"] == "kernel":
            raise Skip("this kernel has no owners that a table outlives")
        yield keeper
    finally:
        keeper.forget()
        if box.daemon.poll() is None:
            box.kill()
        keeper.hear()
        keeper.forget()
        keeper.socket.close()
        sh("nft", "flush", "ruleset", ns=box.data)
        box.start()


def nothing_was_changed(box, after):
    """The records say nothing about rules, which nobody could change. Only the limit of the
    neighbour table was changed, and restored."""
    said = [e for e in box.events(after) if e["kind"] == "drift" and e.get("what") in ("changed", "flushed", "shut", "unmended", "stood_in")]
    expect(not said, "nobody changed rules, and the record says so: %s", said)


def others_change_nothing(box):
    """With enforce running, stopped and dead: other programs cannot change the table, nothing
    forbidden crosses, and a permitted session goes on. The next enforce can change the rules."""
    box.apply(PLAIN)
    with owned(box):
        expect(feature(box) == {"used": True, "why": None}, "%s", feature(box))
        last = box.last_seq()
        with contextlib.closing(Flood(box)) as flood, contextlib.closing(Talk(box)) as talk:
            meddle(box, flood, "alive")
            talk.on()
            enforce = box.pids("enforce")[0]
            os.kill(enforce, signal.SIGSTOP)
            meddle(box, flood, "enforce stopped")
            talk.on()
            os.kill(enforce, signal.SIGKILL)
            meddle(box, flood, "enforce dead")
            wait_for(lambda: box.pids("enforce") not in ([], [enforce]) and box.in_force(), 10, "the next enforce")
            talk.on()
            box.apply(MORE)
            talk.on()
            expect(flood.arrived() == 0, "forbidden datagrams crossed")
        nothing_was_changed(box, last)


def nor_when_it_is_dead(box):
    """The daemon is dead, and its manager keeps the socket that owns the table: the same results.
    The next daemon takes the socket, whatever was left unread in it, and can change the rules."""
    box.apply(PLAIN)
    with owned(box) as keeper:
        last = box.last_seq()
        with contextlib.closing(Flood(box)) as flood, contextlib.closing(Talk(box)) as talk:
            keeper.hear()
            box.kill()
            meddle(box, flood, "daemon dead")
            talk.on()
            expect(feature(box, box.standing()) == {"used": True, "why": None}, "dead: %s", box.standing())
            keeper.left()
            keeper.start(box)
            expect(feature(box) == {"used": True, "why": None}, "again: %s", feature(box))
            meddle(box, flood, "the next daemon")
            box.apply(MORE)
            talk.on()
            expect(flood.arrived() == 0, "forbidden datagrams crossed")
        nothing_was_changed(box, last)
        expect(sum("FDSTORE=1" in text for _, text in keeper.said) == 1, "given once: %s", keeper.said)


def stopped_on_purpose(box):
    """A daemon that is told to end leaves the socket with its manager: nobody else can change the
    table meanwhile. When the manager gives it up, the table stays without an owner until the next
    daemon takes it with all that is in it. If the daemon is only given a socket of another
    namespace, it ignores it."""
    box.apply(PLAIN)
    with owned(box) as keeper, contextlib.closing(Flood(box)) as flood:
        with contextlib.closing(Talk(box)) as talk:
            talk.on()
            keeper.hear()
            manager.end(box)
            keeper.hear()
            expect(keeper.fd >= 0, "it ended on purpose, and its socket is not kept")
            meddle(box, flood, "stopped")
            talk.on()
            keeper.forget()
            expect(feature(box, box.standing()) == {"used": False, "why": "orphan"}, "%s", box.standing())
            talk.on()
            with inside(box.ns("it")):
                keeper.fd = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12).detach()
            keeper.start(box)
            talk.on()
            expect(sum("FDSTORE=1" in text for _, text in keeper.said) == 2, "a socket of its own: %s", keeper.said)
            meddle(box, flood, "taken")


CASES = [others_change_nothing, nor_when_it_is_dead, stopped_on_purpose]

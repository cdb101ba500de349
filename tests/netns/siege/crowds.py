# SPDX-License-Identifier: Apache-2.0
"""10,000 connections to the management, and every slow way to hold one, from a hundred and fifty
addresses. Meanwhile another person logs in and reads, and a crane is polled through inspection."""
import contextlib
import ctypes
import os
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import time

import crane
from cases import expect
from net import SLOWNESS, inside, wait_for
from people import HOST, Site

MANY = 10000
CROWD = ["10.79.0.%d" % n for n in range(100, 250)]
# seconds that another person may wait for her page, from the first byte of her login on
LOGIN_S = 10
MEMORY_KB = 65536


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Apart:
    """Another process, so that its work takes no time of the process that measures."""

    def __init__(self, site):
        said, self.say = os.pipe()
        self.pid, self.held, self.most, self.dialled = os.fork(), 0, 0, 0
        if self.pid == 0:
            die_with_parent()
            try:
                self._run(site)
            finally:
                os._exit(1)
        os.close(self.say)
        os.set_blocking(said, False)
        self.said = said

    def tell(self, held, dialled):
        os.write(self.say, b"%d %d\n" % (held, dialled))

    def look(self):
        """The number of connections at its last report."""
        with contextlib.suppress(BlockingIOError):
            for line in os.read(self.said, 1 << 20).decode().splitlines():
                self.held, self.dialled = map(int, line.split())
                self.most = max(self.most, self.held)
        return self.dialled

    def end(self):
        self.look()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.said)


class Crowd(Apart):
    """Up to MANY connections at once from all of its addresses; ended ones are opened again. On
    each there is an unfinished handshake: nothing, one byte, half of it, or all of it, but the
    answer is not read."""

    def _run(self, site):
        resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 200, MANY + 200))
        hello = client_hello()
        poll, held, dialled, told = select.epoll(), {}, 0, 0.0
        with inside(site.box.admin):
            while True:
                for _ in range(min(400, MANY - len(held))):
                    s = socket.socket()
                    s.setblocking(False)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                    # a close sends a reset, so that the kernel repeats nothing during the next case
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    with contextlib.suppress(OSError):
                        s.bind((CROWD[dialled % len(CROWD)], 0))
                        with contextlib.suppress(BlockingIOError):
                            s.connect((HOST, 443))
                        poll.register(s, select.EPOLLOUT | select.EPOLLET | select.EPOLLRDHUP)
                        held[s.fileno()] = (s, dialled % 4)
                        dialled += 1
                for fd, what in poll.poll(0.01, 1000):
                    if fd not in held:
                        continue
                    if what & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                        s = held.pop(fd)[0]
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
                        s.close()
                        continue
                    with contextlib.suppress(OSError):
                        held[fd][0].send((b"", hello[:1], hello[:len(hello) // 2], hello)[held[fd][1]])
                if time.monotonic() - told > 0.5:
                    told = time.monotonic()
                    self.tell(len(held), dialled)


class Slow(Apart):
    """Clients that complete the handshake and are slow afterwards: a head or a body at one byte per
    second, requests whose answers are not read, and endless key updates, like the attacks by
    renegotiation before TLS 1.3 removed it."""

    HEADS = (b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
             b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
    EACH = 40

    def _run(self, site):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        held, dialled = [], 0
        changes = subprocess.Popen(["ip", "netns", "exec", site.box.admin, "openssl", "s_client", "-connect", HOST + ":443", "-tls1_3"],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        os.set_blocking(changes.stdin.fileno(), False)
        while True:
            if len(held) < self.EACH:
                with contextlib.suppress(OSError):
                    with inside(site.box.admin):
                        s = socket.create_connection((HOST, 443), 2, (CROWD[dialled % len(CROWD)], 0))
                    dialled += 1
                    s = context.wrap_socket(s)
                    s.sendall(self.HEADS[dialled % 3])
                    s.setblocking(False)
                    held.append(s)
            for s in list(held):
                try:
                    s.send(b"x")
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    continue
                except OSError:
                    held.remove(s)
                    s.close()
            with contextlib.suppress(OSError):
                os.write(changes.stdin.fileno(), b"K\n" * 500)
            self.tell(len(held), dialled)
            select.select([], [], [], 1 if len(held) == self.EACH else 0)


def client_hello():
    mine, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(mine, theirs, server_hostname="sekisho").do_handshake()
    return theirs.read()


def resident(site):
    with open("/proc/%d/status" % site.box.pids("mgmt")[0], encoding="ascii") as f:
        return int([line.split()[1] for line in f if line.startswith("VmRSS")][0])


def log_in_and_read(site, name):
    """Seconds until the person has her page. She tries again when she is turned away."""
    begin = time.monotonic()
    while True:
        with contextlib.suppress(OSError, ssl.SSLError):
            cookie = site.session(name)
            expect(site.get("/api/v1/state", cookie).status == 200, "no page")
            return time.monotonic() - begin
        expect(time.monotonic() - begin < 60 * SLOWNESS, "nobody else gets in")


def many_beside_a_crane(site: Site):
    site.box.net.address(site.box.admin, "eth0", *(a + "/24" for a in CROWD))
    site.add("yamada", "viewer")
    crane.serve(site)
    quiet_login = log_in_and_read(site, "yamada")
    quiet = crane.measure(site)
    before, generation = site.box.drops(), site.box.status()["generation"]
    crowd, slow, logins = Crowd(site), Slow(site), []
    try:
        wait_for(lambda: crowd.look() >= MANY and slow.look() >= 3 * Slow.EACH, 60, "the crowd")
        beside = crane.measure(site)
        logins = [log_in_and_read(site, "yamada") for _ in range(3)]
        kept = resident(site)
    finally:
        crowd.end()
        slow.end()
    expect(max(logins) < LOGIN_S * SLOWNESS, "she waited %s", logins)
    expect(kept < MEMORY_KB, "%d kB", kept)
    wait_for(lambda: log_in_and_read(site, "yamada") < 2 * quiet_login + 1, 30, "everything as before")
    expect(site.box.running() and site.box.status()["generation"] == generation, "a role was lost")
    dropped = {k for k, v in site.box.drops().items() if v != before.get(k, 0)}
    # hosts report their multicast groups in packets with an IP option
    expect(dropped <= {"ip_options"}, "dropped in the data zones: %s", dropped)
    return "%d at once of %d dialled, and %d slow ones of %d; she is in after %s s (%.1f s before); %d kB; the crane p50 %.0f -> %.0f us, p99 %.0f -> %.0f us, %d and %d requests, none lost" % (
        crowd.most, crowd.dialled, slow.most, slow.dialled, " ".join("%.1f" % t for t in logins), quiet_login, kept, quiet[0], beside[0], quiet[1], beside[1], quiet[2], beside[2])

# SPDX-License-Identifier: Apache-2.0
"""Sessions that a worker lends to the kernel: a real box with one worker for commands, a client in
the zone ops, a server in ot. What arrives is what the server reads."""
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
import enip  # noqa: E402
import fins  # noqa: E402
import modbus  # noqa: E402
import s7  # noqa: E402
from box import Box, conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, inside, ip4, tcp, wait_for  # noqa: E402
from speech import ENIP, FINS, MODBUS, S7COMM, SLMP, SLMP_TEXT  # noqa: E402

SERVER = "10.73.0.2"
FOR_S = float(os.environ.get("SECONDS", "1.5"))  # how long a process stays dead
LENT = (MODBUS, SLMP, S7COMM, ENIP, FINS)  # requests of these have templates


class Connected(type(ENIP)):
    """EtherNet/IP that also opens a connection and asks over it: each such request is judged."""
    OUT, IN, SERIAL = 0x1007, 9, 7

    def __init__(self):
        super().__init__()
        ask = lambda cip, n=1: enip.unit(self.HANDLE, self.OUT, n, cip)  # noqa: E731
        self.name = "enip, class 3"
        self.greeting += (enip.request(self.HANDLE, enip.forward_open(self.SERIAL, self.IN)), ask(enip.read("Speed")))
        self.write, self.over = ask(enip.write("Lamp", 7), 99), ask

    def allowed(self, pdu):
        if pdu[0] == 0x70:
            return self.service_allowed(pdu[46:])
        return super().allowed(pdu) or (pdu[0] == 0x6F and pdu[40] == 0x54)

    def answer(self, pdu):
        return enip.Controller().answer(pdu, {"connections": {self.OUT: self.IN}})


CONNECTED = Connected()


def another(speech, n):
    """An allowed request that differs from every poll; `n` makes it differ from others, too."""
    if speech is MODBUS:
        return modbus.read_holding(n, 2, tid=0)
    if speech is SLMP:
        f = SLMP.form
        return f.request(0x0403, 0, f.num(1, 2) + f.num(1, 0) + f.device(False, "d", n) + f.device(False, "d", n + 1))
    if speech is S7COMM:
        return s7.read([s7.place(s7.DB, 10, n, 1)])
    if speech is FINS:
        return fins.tcp(fins.multiple([fins.place("d", n), fins.place("d", n + 1)]))
    if speech is CONNECTED:
        return CONNECTED.over(enip.read("Other%02d" % n), n)
    return enip.request(ENIP.HANDLE, enip.read("Other%02d" % n))


class Server:
    """Answers every request, also those that should not arrive, and keeps what came."""

    def __init__(self, box, speech):
        self.speech, self.got, self.lock, self.mute = speech, [], threading.Lock(), False
        with inside(box.ns("ot")):
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((SERVER, speech.port))
            self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.listener.accept()
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        with contextlib.suppress(OSError):
            while True:
                data = s.recv(4096)
                if not data:
                    return
                with self.lock:
                    self.got.append(data)
                if not self.mute:
                    s.sendall(self.speech.answers(data))

    def forbidden(self):
        with self.lock:
            return [p for data in self.got for p in self.speech.forbidden(data)]

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Client:
    def __init__(self, box, speech, sport=0):
        self.speech, self.polls = speech, 0
        self.s = modbus.connect(box.ns("ops"), SERVER, speech.port, timeout=3, source="10.72.0.2", sport=sport)
        for message in speech.greeting:
            self.ask(message)

    def ask(self, message):
        self.s.sendall(message)
        return self.took(message)

    def took(self, message):
        """Waits for the whole answer to this message."""
        want = len(self.speech.answers(message))
        got = b""
        while len(got) < want:
            part = self.s.recv(4096)
            expect(part, "%s: the session ended", self.speech.name)
            got += part
        return got

    def poll(self, n=1):
        for _ in range(n):
            self.ask(self.speech.read)
            self.polls += 1


class Ground(Box):
    def __init__(self, build, run):
        super().__init__("skonce-", build, run, workers=1)
        self.servers, self.services = [], ""

    def write(self, *conduits, **more):
        path = super().write(*conduits, **more)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("services = {\n", "services = {\n" + self.services, 1))
        return path

    def prepare(self, *speeches, pick_up=True, **more):
        """Applies a policy that allows the reads of these protocols, and starts their servers."""
        midstream = 'when_midstream = "pick_up"; criticality' if pick_up else "criticality"
        self.apply(*[s.policy.replace("criticality", midstream) for s in speeches], **more)
        for s in speeches:
            self.servers.append(Server(self, CONNECTED if s is ENIP else s))
        return self.servers[-len(speeches):]

    def tidy(self):
        for s in self.servers:
            s.close()
        self.servers = []

    def worker(self):
        return next(w for w in self.status()["workers"] if w["kind"] == "commands")


def judged_once(box):
    """After a few requests the worker gets no packet of a poll any more, and the numbers agree."""
    speeches = LENT
    box.prepare(*speeches)
    for speech in speeches:
        c = Client(box, speech)
        c.poll(8)
        before = box.worker()
        c.poll(40)
        after = box.worker()
        expect(after["packets"] - before["packets"] <= 2, "%s: the worker got %d packets of 40 polls", speech.name, after["packets"] - before["packets"])
        expect(after["lent"] >= 1, "%s: nothing is lent: %s", speech.name, after["lent"])
        c.s.close()


def all_else_is_judged(box):
    """A forbidden request of the same length, in the middle of polls, never arrives."""
    speeches = LENT
    servers = box.prepare(*speeches)
    for speech, server in zip(speeches, servers):
        c = Client(box, speech)
        c.poll(10)
        with contextlib.suppress(OSError, AssertionError):
            c.ask(speech.write)
        expect(not server.forbidden(), "%s: forbidden arrived: %s", speech.name, server.forbidden())
        c.s.close()


def counted(box):
    """Requests that passed without the worker are counted like all others: after the next change of
    the policy, each of them is in the records."""
    box.prepare(MODBUS)
    after = box.last_seq()
    c = Client(box, MODBUS)
    c.poll(300)
    lent = box.worker()["lent_requests"]
    expect(lent >= 280, "only %d of 300 requests passed without the worker", lent)
    box.apply(MODBUS.policy, site='label = "another"; ')
    counts = lambda: sum(e["count"] for e in box.events(after) if e["kind"] == "counts" and e.get("code") != "inspected" and e.get("function"))  # noqa: E731
    wait_for(lambda: counts() >= 300, 10 * SLOWNESS, "the counts of 300 requests")
    expect(counts() == 300, "%d requests are in the records", counts())
    c.poll(3)


def ports_again(box):
    """A session on the ports of an earlier one gains nothing by what was judged in the earlier one:
    its first request of each kind goes to the worker."""
    box.prepare(MODBUS)
    other = modbus.read_holding(40, 2, tid=0)
    for first in (True, False):
        c = Client(box, MODBUS, sport=40123)
        c.poll(5)
        before = box.worker()["packets"]
        c.ask(other)
        visited = box.worker()["packets"] - before
        expect(visited > 0, "a request of the %s session passed without a visit", "first" if first else "second")
        for _ in range(4):
            c.ask(other)
        c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.s.close()


def many_sessions(box):
    """More open sessions than there are templates: the last ones are lent like the first ones."""
    box.prepare(MODBUS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    held = []
    for _ in range(1100):
        held.append(Client(box, MODBUS))
        held[-1].poll(2)
    before = box.worker()["lent_requests"]
    c = Client(box, MODBUS)
    c.poll(20)
    passed = box.worker()["lent_requests"] - before
    expect(passed >= 17, "only %d of 20 requests passed without the worker", passed)
    expect(box.worker()["lent"] > 1000, "only %d are lent", box.worker()["lent"])
    for c in held:
        c.s.close()


class Polling:
    """Polls all the time, and keeps how many were not answered within a second."""

    def __init__(self, clients, every=0.02):
        self.clients, self.every, self.lost, self.done, self.stop = clients, every, [], 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop:
            for c in self.clients:
                try:
                    c.poll()
                    self.done += 1
                except (OSError, AssertionError) as e:
                    self.lost.append("%s: %s" % (c.speech.name, e))
                    self.stop = True
            time.sleep(self.every)  # a pace

    def end(self):
        self.stop = True
        self.thread.join(10 * SLOWNESS)
        return self.lost


def asked_anew(clients, n):
    """Each session goes on: a request that was never made in it is answered, and so is its poll."""
    for c in clients:
        c.s.settimeout(10 * SLOWNESS)
        try:
            c.ask(another(c.speech, n))
            c.poll(3)
        except (OSError, AssertionError) as e:
            raise AssertionError("%s does not go on: %r" % (c.speech.name, e)) from None


def refused(clients, servers):
    """A request that was refused in these sessions before is still refused."""
    for c in clients:
        c.s.settimeout(3)
        with contextlib.suppress(OSError, AssertionError):
            c.ask(c.speech.write)
            raise SystemExit("%s: a forbidden request was answered" % c.speech.name)
    for server in servers:
        expect(not server.forbidden(), "%s: forbidden arrived: %s", server.speech.name, server.forbidden())


def unknown(c):
    """The control: a session with a request under way is first seen in the middle, and ends."""
    with contextlib.suppress(OSError, AssertionError):
        c.s.sendall(c.speech.read[9:])
        c.took(c.speech.read)
        raise SystemExit("%s: a session that nobody knows goes on" % c.speech.name)


def polled(box, speeches):
    clients = [Client(box, s) for s in speeches]
    for c in clients:
        c.poll(4)
    return clients


def outlives(box):
    """Worker, gate, enforce and the whole daemon die: polls that are lent lose nothing, anything
    else does not arrive, and after the restart the sessions go on, although their policy would
    reset sessions that are first seen in the middle."""
    speeches = LENT + (CONNECTED,)
    servers = box.prepare(*LENT, pick_up=False)
    clients, asking = polled(box, speeches), polled(box, speeches)
    polling = Polling(clients)
    for n, role in enumerate(("dpi", "gate", "enforce", "journal")):
        forbidden, fresh, judged = polled(box, speeches), Client(box, S7COMM), Client(box, CONNECTED)
        fresh.s.sendall(S7COMM.read[:9])
        wait_for(lambda: servers[2].got.count(S7COMM.read[:9]) == n + 1, 5 * SLOWNESS, "the beginning of a request")  # noqa: B023
        wait_for(lambda: polling.stop or box.worker()["lent"] >= 3 * len(speeches), 5 * SLOWNESS, "all sessions to be lent")
        for pid in box.pids(role):
            os.kill(pid, signal.SIGKILL)
        done = polling.done
        wait_for(lambda d=done: polling.stop or polling.done > d + 20, 10 * SLOWNESS, "polls after the death of " + role)
        wait_for(box.running, 10 * SLOWNESS, "all roles after the death of " + role)
        asked_anew(asking + [judged], n)  # the last one was judged each time, and never lent
        refused(forbidden, servers)
        if role == "dpi":
            unknown(fresh)
    lost = polling.end()
    expect(not lost, "lost: %s", lost)


def outlives_daemon(box):
    """The same when the whole daemon is gone for a time, by a kill and by an ordinary stop: its
    successor finds the memory."""
    speeches = LENT + (CONNECTED,)
    servers = box.prepare(*LENT, pick_up=False)
    clients = polled(box, speeches)
    polling = Polling(clients)
    for n, how in enumerate((signal.SIGKILL, signal.SIGTERM)):
        asking, waiting, forbidden = (polled(box, speeches) for _ in range(3))
        os.kill(box.daemon.pid, how)
        box.daemon.wait()
        time.sleep(FOR_S)  # that long there is no daemon
        for c in asking:
            c.poll(20)
        for c in waiting:  # it is dropped, and sent again until there is a worker
            c.s.sendall(another(c.speech, 40 + n))
        for c in forbidden:
            c.s.sendall(c.speech.write)
        for server in servers:
            expect(not server.forbidden(), "%s: forbidden arrived without a daemon", server.speech.name)
        expect(not polling.lost, "without a daemon: %s", polling.lost)
        box.start()
        wait_for(box.running, 10 * SLOWNESS, "all roles after the restart")
        asked_anew(asking, 50 + n)
        for c in waiting:
            c.s.settimeout(20 * SLOWNESS)
            c.took(another(c.speech, 40 + n))
        asked_anew(waiting, 60 + n)
        refused(forbidden, servers)
    lost = polling.end()
    expect(not lost, "lost: %s", lost)
    wait_for(lambda: box.worker()["packets"] > 0, 5 * SLOWNESS, "packets at the new worker")


def counted_meanwhile(box):
    """What passes after a worker's death and before its successor's start is in the records. Only
    what the dead worker had not written yet is lost."""
    box.prepare(MODBUS)
    after = box.last_seq()
    c = Client(box, MODBUS)
    c.poll(3)
    os.kill(box.daemon.pid, signal.SIGTERM)
    box.daemon.wait()
    c.poll(200)
    box.start()
    wait_for(box.running, 10 * SLOWNESS, "all roles after the restart")
    c.poll(3)
    box.apply(MODBUS.policy, site='label = "another"; ')
    counts = lambda: sum(e["count"] for e in box.events(after) if e["kind"] == "counts" and e.get("code") != "inspected" and e.get("function"))  # noqa: E731
    wait_for(lambda: counts() >= 206, 10 * SLOWNESS, "the counts of 206 requests")
    expect(counts() == 206, "%d requests are in the records", counts())


def counted_after_death(box):
    """A worker dies by a kill, by a crash, and because it hangs, with requests that it let through
    itself and requests that passed without it: what the server executed is in the records. Not
    off-line: the kernel's verdicts and leases decide what was executed."""
    server, = box.prepare(MODBUS)
    after = box.last_seq()
    for how in (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP):
        c = Client(box, MODBUS)
        c.poll(200)
        for n in range(20):
            c.ask(another(MODBUS, n))
        c.poll(50)
        dead = box.pids("dpi")
        for pid in dead:
            os.kill(pid, how)
        if how == signal.SIGSTOP:  # only a worker for which packets wait is found to hang
            with contextlib.suppress(OSError, AssertionError):
                c.ask(another(MODBUS, 30))
        wait_for(lambda: box.running() and not set(dead) & set(box.pids("dpi")), 10 * SLOWNESS, "the successor of a worker")  # noqa: B023
        c.s.close()
    counts = lambda: sum(e["count"] for e in box.events(after) if e["kind"] == "counts" and e.get("code") != "inspected" and e.get("function"))  # noqa: E731
    wait_for(lambda: counts() >= 810, 10 * SLOWNESS, "what the dead workers had counted")
    # the living worker records what it has counted
    box.apply(MODBUS.policy, site='label = "another"; ')
    executed = len(server.got)
    wait_for(lambda: counts() >= executed, 10 * SLOWNESS, "the counts of %d requests" % executed)
    expect(counts() == executed, "%d requests were executed, %d are in the records", executed, counts())


def narrowed(box):
    """The conduit is removed while its polls are lent: from the answer of the apply on no request
    arrives."""
    server, = box.prepare(MODBUS)
    c = Client(box, MODBUS)
    c.poll(8)
    polling = Polling([c], every=0)
    wait_for(lambda: polling.done > 100, 5 * SLOWNESS, "polls")
    box.apply(SLMP_TEXT.policy)
    with server.lock:
        before = len(server.got)
    polling.end()
    with server.lock:
        after = len(server.got)
    # one may have been under way
    expect(after <= before + 1, "%d requests arrived after the apply", after - before)
    expect(polling.lost, "the session goes on")


def foretold(box):
    """A request of a lent session has no answer yet, and the new policy refuses it. The dry run
    says, as the apply does, that the session ends."""
    box.services = 'elsewhere = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; units = [1]; holding = ["50-99"]; } ); };\n'
    server, = box.prepare(MODBUS)
    c = Client(box, MODBUS)
    c.poll(8)
    server.mute = True
    before = box.worker()["packets"]
    c.s.sendall(MODBUS.read)
    wait_for(lambda: len(server.got) == 9, 3 * SLOWNESS, "the request at the server")
    expect(box.worker()["packets"] == before, "the worker judged the request itself")
    path = box.write(MODBUS.policy.replace('"read"', '"elsewhere"'))
    for how in (["--dry-run"], []):
        told = json.loads(box.sekisho("apply", "--json", *how, path).stdout)
        ended = [(x["client"], x["reason"]) for x in told["cut"]]
        expect(ended == [("10.72.0.2:%d" % c.s.getsockname()[1], "ended")] and not told["narrowed"], "%s: %s", how, told)
    box.services = ""
    c.s.close()


def goes_without(box):
    """Without the cache the box says so, and every request is judged."""
    said = box.status()["features"]["verdict_cache"]
    expect(not said["used"] and said["why"] == "kernel", "%s", said)
    for lang, words in (("en", "verdict cache: not used"), ("ja", "判定キャッシュ: 不使用")):
        text = box.sekisho("status", "--all", "--lang", lang, check=False).stdout
        expect(words in " ".join(text.split()), "status does not say that the cache is not used: %s", text)
    speeches = (MODBUS, ENIP)
    for speech, server in zip(speeches, box.prepare(*speeches)):
        c = Client(box, speech)
        c.poll(8)
        before = box.worker()
        c.poll(20)
        after = box.worker()
        expect(after["packets"] - before["packets"] >= 40, "%s: the worker got %d packets of 20 polls", speech.name, after["packets"] - before["packets"])
        expect(after["lent"] == 0, "%s: %d sessions are lent", speech.name, after["lent"])
        with contextlib.suppress(OSError, AssertionError):
            c.ask(speech.write)
        expect(not server.forbidden(), "%s: forbidden arrived: %s", speech.name, server.forbidden())
        c.s.close()


def no_program(box):
    """The cache's program is not installed."""
    build, box.build = box.build, box.run_folder + "/programs"
    box.kill()
    try:
        os.makedirs(box.build, exist_ok=True)
        for name in ("sekishod", "sekisho-compile", "sekisho"):
            shutil.copy(os.path.join(build, name), box.build)
        box.start()
        goes_without(box)
    finally:
        box.kill()
        box.build = build


def no_bpf(box):
    """The kernel refuses every use of bpf()."""
    box.kill()
    try:
        box.start(before=(sys.executable, os.path.join(HERE, "no_bpf.py")))
        goes_without(box)
    finally:
        box.kill()


def over_a_live_session(box):
    """A SYN on the ports of a session that is still tracked goes to the worker, behind the packets
    of that session that wait for it: a verdict about the old session must not count for the new
    one. Another session's SYN passes meanwhile, also where no conduit has commands."""
    box.apply(conduit("pages", "ops", "ot", ["pages"]))
    with inside(box.ns("ot")):
        listener = socket.create_server(("0.0.0.0", 8080), reuse_port=True)
        arrives = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    with inside(box.ns("ops")):
        c = socket.create_connection((SERVER, 8080), 3, ("10.72.0.2", 20555))
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s, _ = listener.accept()
    c.sendall(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    expect(s.recv(100), "nothing came")
    arrives.settimeout(3 * SLOWNESS)
    syn = lambda sport: raw.sendto(ip4("10.72.0.2", SERVER, 6, tcp("10.72.0.2", SERVER, sport, 8080, 1000, 0, 2)), (SERVER, 0))  # noqa: E731
    workers = box.pids("dpi")
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    syn(20555)
    syn(40556)
    came, at = [], 0
    while at != 40556:
        packet = arrives.recv(2000)
        at = struct.unpack_from("!H", packet, 20)[0] if packet[9] == 6 and packet[24:28] == struct.pack("!I", 1000) else 0
        came += [at] if at else []
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    expect(20555 not in came, "the SYN over the session did not visit the worker")
    for x in (c, s, raw, arrives, listener):
        x.close()


CASES = (judged_once, all_else_is_judged, counted, ports_again, many_sessions, outlives, outlives_daemon, counted_meanwhile, counted_after_death, narrowed, foretold, over_a_live_session, no_program, no_bpf)

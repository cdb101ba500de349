# SPDX-License-Identifier: Apache-2.0
"""Many windows and doors with many sessions: sessions that stay allowed lose nothing, those that
end do so within 100 ms, and nothing opens by mistake, whenever the daemon dies, the clock is set or
the power fails. Counted at the interface where packets arrive."""
import json
import os
import socket
import struct
import threading
import time

from box import conduit
from cases import expect
from net import Capture, inside, sh, wait_for

ALL = "SEKISHO_ALL" in os.environ
# at most 64 doors may be open at once
WINDOWS, DOORS, SESSIONS = (140, 60, 10000) if ALL else (14, 6, 1000)
PACE = 0.001 if ALL else 0.002
MS = 100
FIRST = 20000  # port of the first window or door; the port of the permanent conduit is 9000
SERVER = "10.73.0.2"


def ports(first, n):
    return set(range(FIRST + first, FIRST + first + n))


# 09:00-10:00, 10:00-11:00, and one door each
EARLY, LATE, BEHIND = ports(0, WINDOWS // 2), ports(WINDOWS // 2, WINDOWS // 2), ports(WINDOWS, DOORS)


class Talk:
    """Sends numbered datagrams to a port, and keeps the time of each."""

    def __init__(self, crowd, zone, port):
        self.sent, self.ended = [], threading.Event()
        with inside(crowd.box.ns(zone)):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect((SERVER, port))
        self.crowd = crowd
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.wait(PACE):
            number = self.crowd.number()
            self.sent.append((time.time(), number))
            try:
                self.sock.send(struct.pack("!Q", number))
            except ConnectionRefusedError:
                self.sock.send(struct.pack("!Q", number))

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.sock.close()

    def passed(self):
        """The times at which the datagrams that arrived were sent."""
        seen = self.crowd.arrived()
        return [at for at, number in self.sent if number in seen]


class Told:
    """A silent session of a conduit that ends."""

    def __init__(self, box, port, listener=None):
        with inside(box.ns("it")):
            self.client = socket.create_connection((SERVER, port), 3)
        self.port, self.server = port, listener and listener.accept()[0]
        if listener is None:  # a Modbus server answers there
            self.client.sendall(bytes.fromhex("000100000006010300000001"))
            expect(len(self.client.recv(64)) > 8, "a read was not answered")

    def hear(self):
        """Both ends are told: at once if the session is inspected, otherwise at the next packet of
        either."""
        if self.server:
            self.client.sendall(b"x")
        for s in filter(None, (self.client, self.server)):
            s.settimeout(2)
            try:
                expect(s.recv(1) == b"", "port %d: something came", self.port)
            except TimeoutError:
                raise AssertionError("port %d: %s was not told" % (self.port, "the client" if s is self.client else "the server")) from None
            except ConnectionResetError:
                pass
            s.close()


class Crowd:
    def __init__(self, box, always):
        self.box, self.next, self.lock, self.read, self.seen = box, 0, threading.Lock(), 0, {}
        self.day = (int(time.time()) // 86400 + 2) * 86400
        self.tap = Capture(box.net, box.ns("ot"), "eth0")
        with inside(box.ns("ot")):
            self.servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(WINDOWS + DOORS)]
        for port, s in zip(sorted(EARLY | LATE | BEHIND), self.servers, strict=True):
            s.bind((SERVER, port))
        self.policy(always)

    def policy(self, always):
        keys = [{"within": "w%d" % i} for i in range(WINDOWS)] + [{"door": "d%d" % i} for i in range(DOORS)]
        names = [k.get("door") or k["within"] for k in keys]
        path = self.box.write(always, conduit("looks", "it", "ot", ["look", "plain_tcp"], within="w0"), conduit("asks", "it", "ot", ["look"], door="d0"),
                              *[conduit(n, "it", "ot", ["s" + n], **k) for n, k in zip(names, keys, strict=True)])
        with open(path, encoding="utf-8") as f:
            text = f.read()
        services = "".join('  s%s = { protocol = "udp"; ports = ["udp/%d"]; };\n' % (n, FIRST + i) for i, n in enumerate(names))
        doors = "".join(' d%d = { at_most = "1 h"; opened_by = ["supervisor"]; };' % i for i in range(DOORS))
        hours = "".join(' w%d = { hours = "%s"; };' % (i, "09:00-10:00" if FIRST + i in EARLY else "10:00-11:00") for i in range(WINDOWS))
        windows = "windows = {%s };\ndoors = {%s };\nsite = { time_zone = \"UTC\"; " % (hours, doors)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("site = { ", windows, 1).replace("services = {\n", "services = {\n" + services, 1))
        self.box.sekisho("apply", path)

    def number(self):
        with self.lock:
            self.next += 1
            return self.next

    def arrived(self):
        """{number: port} of everything that arrived."""
        frames = self.tap.frames
        for _, came_in, data in frames[self.read:]:
            if came_in and data[12:14] == b"\x08\x00" and data[23] == 17 and len(data) >= 50:
                self.seen[struct.unpack_from("!Q", data, 42)[0]] = struct.unpack_from("!H", data, 36)[0]
        self.read = len(frames)
        return self.seen

    def at(self, hour, minute=0, second=0.0, days=0):
        """Sets the daemon's clock. Returns the time on this machine's clock at which the daemon's
        clock shows the next full hour."""
        moment = self.day + days * 86400 + hour * 3600 + minute * 60 + second
        ahead = moment - time.time()
        self.box.seam.clock(ahead)
        return -(-moment // 3600) * 3600 - ahead

    def asked(self, among=EARLY | LATE | BEHIND):
        """The ports among these at which a datagram of a new session arrives."""
        with inside(self.box.ns("it")):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sent = {}
        for port in sorted(among):
            number = self.number()
            sent[number] = port
            s.sendto(struct.pack("!Q", number), (SERVER, port))
        s.close()
        last = self.number()  # after all of them, over the permanent conduit
        with inside(self.box.ns("ops")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(struct.pack("!Q", last), (SERVER, 9000))
        wait_for(lambda: last in self.arrived(), 3, "what is open for good")
        return {sent[n] for n in self.arrived() if n in sent}

    def opens(self, want, why):
        """Asks a few ports until they are open, and then all: a pair of hosts may only begin a
        limited number of sessions per second (`share.pair`)."""
        have, rest = set(), (EARLY | LATE | BEHIND) - want
        few = {f(x) for x in (want, rest) if x for f in (min, max)}
        wait_for(lambda: self.asked(few) == want & few, 10, why)

        def right():
            have.clear()
            have.update(self.asked())
            return have == want
        try:
            wait_for(right, 10, why)
        except TimeoutError:
            raise AssertionError("%s: open beside it %s, shut %s" % (why, sorted(have - want)[:5], sorted(want - have)[:5])) from None

    def marks(self):
        """{port: mark of a tracked session}"""
        found = {}
        for line in sh("conntrack", "-L", "-p", "udp", ns=self.box.data).stdout.splitlines():
            words = dict(w.split("=", 1) for w in reversed(line.split()) if "=" in w)
            if words.get("mark", "0") != "0":
                found[int(words["dport"])] = words["mark"]
        return found

    def fill(self, wanted):
        """Makes so many tracked sessions, a tenth of them in conduits that end. They differ only in
        their ports."""
        self.asked()
        marks = {p: m for p, m in self.marks().items() if p == 9000 or p in wanted}
        expect(set(marks) == wanted | {9000}, "%d marks", len(marks))
        each = max(1, SESSIONS // 10 // len(wanted))
        lines = [("10.71.0.2", p, s, marks[p]) for p in wanted for s in range(30000, 30000 + each)]
        lines += [("10.72.0.2", 9000, s, marks[9000]) for s in range(10000, 10000 + SESSIONS - len(lines))]
        text = "".join("-A -p udp -s %s -d %s --sport %d --dport %d -r %s -q %s --reply-port-src %d --reply-port-dst %d -t 600 -m %s\n"
                       % (src, SERVER, s, p, SERVER, src, p, s, mark) for src, p, s, mark in lines)
        sh("sh", "-c", "cat > %s/many; conntrack -R %s/many" % (self.box.run_folder, self.box.run_folder), ns=self.box.data, check=False, input=text)
        n = int(sh("conntrack", "-C", ns=self.box.data).stdout)
        expect(n >= SESSIONS, "%d sessions", n)

    def over(self, edge, kill=None):
        """Sends over an edge at which early windows end and late ones begin. Returns the results.
        `kill`: the daemon dies that long after the edge."""
        talks = [Talk(self, "ops", 9000), Talk(self, "it", min(EARLY)), Talk(self, "it", min(LATE))]
        if kill is not None:
            pause = threading.Event()
            pause.wait(max(0.0, edge + kill - time.time()))
            self.box.kill()
        wait_for(lambda: time.time() > edge + 0.5, 10, "the time behind the edge")
        for t in talks:
            t.stop()
        untouched, ended, begun = talks
        last = untouched.sent[-1][1]
        wait_for(lambda: last in self.arrived(), 3, "the last of what is open for good")
        lost = [n for _, n in untouched.sent if n not in self.seen]
        expect(not lost, "%d of %d datagrams of what nobody touched were lost", len(lost), len(untouched.sent))
        expect(len(ended.passed()) > 100 or kill is not None, "%d of what ends passed before", len(ended.passed()))
        late = 1000 * (max(ended.passed(), default=edge) - edge)
        expect(late <= MS, "what ended passed %.0f ms behind its end", late)
        early = [at for at in begun.passed() if at < edge]
        expect(not early, "%d of what opens passed before", len(early))
        opened = begun.passed()
        return len(untouched.sent), late, 1000 * (opened[0] - edge) if opened else None

    def close(self):
        self.tap.close()
        for s in self.servers:
            s.close()


def many_hours(box, always):
    """Windows: over an edge with the daemon, and with a daemon that dies before, at and after it;
    then the clock is set."""
    box.fresh(always)
    crowd = Crowd(box, always)
    try:
        crowd.at(9, 30)
        crowd.opens(EARLY, "early")
        crowd.fill(EARLY)
        with inside(box.ns("ot")):
            listener = socket.create_server((SERVER, 9001))
        told, last = [Told(box, 9001, listener), Told(box, 502)], box.last_seq()
        sent, late, begun = crowd.over(crowd.at(9, 59, 58.5))
        for t in told:
            t.hear()
        wait_for(lambda: sum(e["count"] for e in box.events(last) if (e["kind"], e.get("reason")) == ("flow", "ended")) == len(told), 15, "the ends on record")
        expect(begun is not None and begun <= 1000, "what opens did %s ms behind its moment", begun)
        crowd.opens(LATE, "late")
        expect(box.sekisho("verify", check=False).returncode == 0, "verify")
        worst = late
        for days, kill in enumerate((-0.7, 0.0, 0.05)[:3 if ALL else 2], 1):
            crowd.at(9, 30, days=days)
            crowd.opens(EARLY, "early again")
            more, late, opened = crowd.over(crowd.at(9, 59, 58.5, days=days), kill)
            sent, worst = sent + more, max(worst, late)
            if kill < 0:
                expect(opened is None, "opened by nobody")
                expect(not crowd.asked(), "open with the daemon dead")
            box.start()
            box.settled()
            crowd.opens(LATE, "the daemon back")
        for hour, want in ((8, set()), (9.5, EARLY), (10.5, LATE), (12, set()), (9.1, EARLY)):
            crowd.at(int(hour), int(hour % 1 * 60), days=4)
            crowd.opens(want, "the clock at %s" % hour)
        box.again(ahead=crowd.day + 4 * 86400 + 10.5 * 3600 - time.time(), synchronised=True)
        crowd.opens(LATE, "after the power")
        return "%d windows, %d sessions, %d datagrams of others and 0 lost, at most %.0f ms behind an end, open %.0f ms behind a beginning" % (WINDOWS, SESSIONS, sent, worst, begun)
    finally:
        box.seam.clock(0)
        crowd.close()


def many_doors(box, always):
    """Doors: all are opened; some are shut by a person, some close while the daemon is dead, and
    none is open for longer because of a loss of power."""
    box.fresh(always)
    crowd = Crowd(box, always)
    try:
        crowd.at(12)
        crowd.opens(set(), "no door is open")
        stream, took = Talk(crowd, "ops", 9000), []
        for i in range(DOORS):
            box.sekisho("open", "d%d" % i, "--for", "10m")
        crowd.opens(BEHIND, "all doors")
        crowd.fill(BEHIND)
        talk = Talk(crowd, "it", min(BEHIND))
        wait_for(lambda: len(talk.passed()) > 50, 5, "the talk behind the first door")
        told = Told(box, 502)
        for i in range(DOORS // 2):
            done = json.loads(box.sekisho("shut", "d%d" % i, "--json").stdout)
            took.append(time.time())
            expect(done["done"], "%s", done)
        wait_for(lambda: talk.sent[-1][0] > took[0] + 0.3, 5, "more to be sent")
        talk.stop()
        told.hear()
        late = 1000 * (max(talk.passed()) - took[0])
        expect(late <= MS, "what was shut passed %.0f ms behind the answer", late)
        left = {p for p in BEHIND if p >= min(BEHIND) + DOORS // 2}
        crowd.opens(left, "half of the doors shut")
        stream.stop()
        lost = [n for _, n in stream.sent if n not in crowd.arrived()]
        expect(not lost, "%d of %d datagrams of what nobody touched were lost", len(lost), len(stream.sent))
        # A loss of power: the doors are open again, and no longer than before. The isolation is in
        # force from the first rules on.
        box.sekisho("isolate", "zone", "it", "--reason", "before the power goes")
        expect(not crowd.asked(), "passes although it is isolated")
        box.again(ahead=crowd.day + 12 * 3600 + 120 - time.time(), synchronised=True)
        expect(not crowd.asked(), "passes although it is isolated, after the power")
        box.sekisho("rejoin", "zone", "it")
        crowd.opens(left, "open before their end, after the power")
        box.again(ahead=crowd.day + 12 * 3600 + 3600 - time.time(), synchronised=True)
        crowd.opens(set(), "behind their end, after the power")
        wait_for(lambda: len([e for e in box.events() if e.get("code") == "door_ended"]) == DOORS - DOORS // 2, 10, "the ends on record")
        return "%d doors, %d datagrams of others and 0 lost, %.0f ms behind the answer" % (DOORS, len(stream.sent), late)
    finally:
        box.seam.clock(0)
        crowd.close()

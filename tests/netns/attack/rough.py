# SPDX-License-Identifier: Apache-2.0
"""Ordinary hosts over bad lines: between each end and the box, segments of both directions get
lost, arrive twice and overtake each other, also those of handshakes and closes. Both sides are real
stacks. Nobody attacks, so nothing is refused."""
import heapq
import random
import select
import socket
import struct
import threading
import time

import modbus
from endpoint import Plc
from ground import PLAIN, READ, WRITE, conduit, expect
from net import inside, sh
from ordinary import Road, summed

HOSTS = {"ops": "10.72.0.9", "ot": "10.73.0.9"}
# always the same, because neighbours remember them
MAC = {"ops": "02:00:00:72:00:09", "ot": "02:00:00:73:00:09"}


class Rough:
    """A host in a zone behind a line on which anything may happen to each TCP segment, by
    chance."""

    def __init__(self, ground, zone, rng, loss, twice, late, by):
        self.ground, self.zone, self.rng = ground, zone, rng
        self.loss, self.twice, self.late, self.by = loss, twice, late, by
        self.n = self.lost = 0
        self.road, self.ns = "road" + zone, ground.net.add("far" + zone)
        host = ground.ns(zone)
        ground.net.veth(self.ns, "eth0", host, self.road)
        sh("ip", "link", "set", "eth0", "address", MAC[zone], ns=self.ns)
        ground.net.address(self.ns, "eth0", HOSTS[zone] + "/24")
        for ns, device in ((self.ns, "eth0"), (host, self.road)):
            sh("ip", "link", "set", device, "up", "gso_max_segs", "1", ns=ns)
        sh("ip", "route", "add", "default", "via", HOSTS[zone][:-1] + "1", ns=self.ns)
        sh("sysctl", "-qw", "net.ipv4.tcp_syn_retries=6", "net.ipv4.tcp_synack_retries=6", ns=self.ns)
        self.mac = bytes.fromhex(MAC[zone].replace(":", ""))
        with inside(host):
            self.near, self.box = (Road._socket(i) for i in (self.road, "eth0"))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        waiting = []
        while not self.ended.is_set():
            wait = max(0.0, min(0.1, waiting[0][0] - time.monotonic())) if waiting else 0.1
            ready, _, _ = select.select([self.near, self.box], [], [], wait)
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, to, frame = heapq.heappop(waiting)
                to.send(frame)
            for s in ready:
                frame = s.recv(70000)
                if s is self.box and frame[:6] not in (self.mac, b"\xff" * 6):
                    continue
                to = self.near if s is self.box else self.box
                for after in self._fate(frame):
                    self.n += 1
                    heapq.heappush(waiting, (time.monotonic() + after, self.n, to, summed(frame)))

    def _fate(self, frame):
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return [0]
        if self.rng.random() < self.loss:
            self.lost += 1
            return []
        times = 2 if self.rng.random() < self.twice else 1
        return [self.rng.uniform(0, self.by) if self.rng.random() < self.late else 0 for _ in range(times)]

    def close(self):
        self.ended.set()
        self.thread.join()
        self.near.close()
        self.box.close()
        sh("ip", "link", "del", self.road, ns=self.ground.ns(self.zone), check=False)
        sh("ip", "netns", "del", self.ns, check=False)
        self.ground.net.names.remove(self.ns)


class Server(Plc):
    """Answers with what was asked for, sometimes late, and sometimes closes its sessions itself."""

    def __init__(self, ground, ns, rng):
        with inside(ns):
            self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((HOSTS["ot"], 502))
        self.listener.listen(64)
        self.rng, self.ended, self.resets = rng, False, 0
        ground.left.append(self)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self.ended:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        have = b""
        with s:
            s.settimeout(60)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    data = s.recv(self.rng.choice((7, 60, 4096)))
                    if not data:
                        return
                    have += data
                    while len(have) >= 12:
                        length = 6 + struct.unpack("!H", have[4:6])[0]
                        if len(have) < length:
                            break
                        if self.rng.random() < 0.02:
                            time.sleep(self.rng.uniform(0, 0.3))
                        s.sendall(reply(have[:length]))
                        have = have[length:]
                except socket.timeout:
                    return
                except OSError:
                    self.resets += 1
                    return


def reply(adu):
    if adu[7] == 3:
        first, n = struct.unpack("!HH", adu[8:12])
        body = bytes([3, 2 * n]) + struct.pack("!%dH" % n, *range(first, first + n))
    else:
        body = adu[7:12]
    return adu[:4] + struct.pack("!HB", len(body) + 1, adu[6]) + body


def ask(rng, tid, write):
    first, n = rng.randrange(60), rng.randrange(1, 30)
    if write and rng.random() < 0.3:
        return modbus.write_registers(first, [rng.randrange(65536) for _ in range(n)], tid=tid)
    return modbus.read_holding(first, n, tid=tid)


def session(rng, ns, write, requests):
    """A client's whole session: connects, asks with some requests under way, and ends it in one way
    or another."""
    s = modbus.connect(ns, HOSTS["ot"], 502, timeout=25)
    with s:
        window, pieces = rng.choice((1, 1, 4, 16)), rng.random() < 0.3
        waiting, ends = [], True
        for k in range(requests):
            adu = ask(rng, rng.randrange(65536) if window == 1 else k, write)
            if pieces and window == 1 and adu[7] == 3:
                cut = rng.randrange(1, len(adu))
                s.sendall(adu[:cut])
                if rng.random() < 0.2:
                    time.sleep(rng.uniform(0, 0.15))
                s.sendall(adu[cut:])
            else:
                s.sendall(adu)
            waiting.append(reply(adu))
            if rng.random() < 0.03:
                time.sleep(rng.uniform(0, 0.4))
            while len(waiting) >= window:
                got = modbus.answer(s)
                expect(got == waiting[0], "asked for %s, got %s", waiting[0].hex(), got.hex())
                waiting.pop(0)
        if rng.random() < 0.5:
            s.shutdown(socket.SHUT_WR)  # has no further request, and reads the rest
            ends = False
        for want in waiting:
            got = modbus.answer(s)
            expect(got == want, "asked for %s, got %s", want.hex(), got.hex())
        if ends and rng.random() < 0.5:
            s.shutdown(socket.SHUT_RDWR)


def lives(ground, name, policy, write, threads=6, seconds=8, road=(0.03, 0.03, 0.15, 0.03)):
    ground.apply(*policy, PLAIN)
    seeds = [ground.rng.randrange(1 << 32) for _ in range(threads + 3)]
    ends = [Rough(ground, z, random.Random(seeds.pop()), *road) for z in ("ops", "ot")]
    server = Server(ground, ends[1].ns, random.Random(seeds.pop()))
    failures, done, until = [], [0, 0], time.monotonic() + seconds
    before = ground.drops()

    def client(seed):
        rng = random.Random(seed)
        while time.monotonic() < until and not failures:
            n = rng.choice((1, 5, 40))
            try:
                session(rng, ends[0].ns, write, n)
                done[0] += 1
                done[1] += n
            except Exception as e:
                failures.append("%s: %s after %d sessions" % (type(e).__name__, e, done[0]))

    workers = [threading.Thread(target=client, args=(s,), daemon=True) for s in seeds]
    try:
        for w in workers:
            w.start()
        for w in workers:
            w.join(max(0.1, until + 40 - time.monotonic()))
        alive = sum(w.is_alive() for w in workers)
        drops = {k: v - before.get(k, 0) for k, v in ground.drops().items() if v > before.get(k, 0)}
    finally:
        lost = [e.lost for e in ends]
        server.close()
        for e in ends:
            e.close()
    expect(not failures, "%s: %s; drops %s", name, failures[:3], drops)
    expect(not alive, "%s: %d clients stand still", name, alive)
    expect(server.resets == 0, "%s: the server was reset %d times", name, server.resets)
    return "%s: %d sessions, %d requests, %d segments lost" % (name, done[0], done[1], sum(lost))


def rough_roads(ground):
    """Whole sessions of real stacks over lines that lose, duplicate and delay: every answer comes,
    and nobody is reset."""
    return "; ".join((
        lives(ground, "closed", (READ, WRITE), True),
        lives(ground, "pick_up", [conduit("rw", "ops", "ot", ["read", "write"], criticality="cargo", when_midstream="pick_up")], True),
        lives(ground, "hold", [conduit("rw", "ops", "ot", ["read", "write"], when_down="hold", when_overloaded="hold")], True),
        lives(ground, "observe", [conduit("rw", "ops", "ot", ["read", "write"], mode="observe")], True),
    ))


CASES = [rough_roads]

# SPDX-License-Identifier: Apache-2.0
"""Normal behaviour of networks and devices: segments are lost or reordered before the box. This is
no attack, and costs no more time than TCP itself needs to repair it."""
import contextlib
import heapq
import select
import socket
import struct
import threading
import time

import modbus
from endpoint import Plc
from ground import PLAIN, RAW4, RAW6, READ, V4, conduit, expect
from net import SLOWNESS, Capture, Wire, decode, inside, sh, tcp, wait_for
from packets import ACK, SYN, ip

FAR = "10.72.0.9"
HELD = conduit("reads", "ops", "ot", ["read"], criticality="cargo", when_midstream="pick_up")


def summed(frame):
    """With a correct TCP checksum, as on a wire."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return frame
    total = struct.unpack("!H", frame[16:18])[0]
    segment = frame[34:14 + total]
    data = frame[26:34] + struct.pack("!HH", 6, len(segment)) + segment[:16] + b"\0\0" + segment[18:]
    s = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return frame[:34] + segment[:16] + struct.pack("!H", ~s & 0xffff) + segment[18:]


class Road:
    """A host behind its own road in the zone `ops`: `fate(n, segment)` says when its n-th segment
    with data arrives, in seconds from now; None: never."""

    def __init__(self, ground, fate):
        self.ground, self.fate, self.n = ground, fate, 0
        self.ns = ground.net.add("far")
        ops = ground.ns("ops")
        ground.net.veth(self.ns, "eth0", ops, "road0")
        ground.net.address(self.ns, "eth0", FAR + "/24")
        sh("ip", "link", "set", "road0", "up", ns=ops)
        sh("ip", "route", "add", "default", "via", "10.72.0.1", ns=self.ns)
        sh("sysctl", "-qw", "net.ipv4.tcp_timestamps=1", "net.ipv4.tcp_sack=1", ns=self.ns)
        self.mac = bytes.fromhex(sh("cat", "/sys/class/net/eth0/address", ns=self.ns).stdout.strip().replace(":", ""))
        with inside(ops):
            self.near, self.box = (self._socket(i) for i in ("road0", "eth0"))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @staticmethod
    def _socket(interface):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(3))
        s.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
        s.bind((interface, 0))
        return s

    def _run(self):
        late = []
        while not self.ended.is_set():
            wait = max(0.0, min(0.1, late[0][0] - time.monotonic())) if late else 0.1
            ready, _, _ = select.select([self.near, self.box], [], [], wait)
            while late and late[0][0] <= time.monotonic():
                self.box.send(heapq.heappop(late)[2])
            for s in ready:
                frame = s.recv(70000)
                if s is self.box:
                    if frame[:6] in (self.mac, b"\xff" * 6):
                        self.near.send(summed(frame))
                    continue
                after = self._fate(frame)
                if after == 0:
                    self.box.send(summed(frame))
                elif after is not None:
                    heapq.heappush(late, (time.monotonic() + after, self.n, summed(frame)))

    def _fate(self, frame):
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return 0
        if struct.unpack("!H", frame[16:18])[0] - 20 - (frame[46] >> 4) * 4 == 0:
            return 0
        self.n += 1
        return self.fate(self.n, frame[34:])

    def close(self):
        self.ended.set()
        self.thread.join()
        self.near.close()
        self.box.close()
        sh("ip", "link", "del", "road0", ns=self.ground.ns("ops"), check=False)
        sh("ip", "netns", "del", self.ns, check=False)
        self.ground.net.names.remove(self.ns)


def pipelined(s, requests, window):
    """Returns the milliseconds for `requests` reads with `window` of them open, and the longest
    time without an answer."""
    start = last = time.monotonic()
    sent = got = 0
    worst = 0.0
    while got < requests:
        while sent < requests and sent - got < window:
            s.sendall(modbus.read_holding(sent % 90, 4, tid=0))
            sent += 1
        expect(modbus.answer(s), "the session ended after %d answers", got)
        now = time.monotonic()
        worst, last, got = max(worst, now - last), now, got + 1
    return (last - start) * 1000, worst * 1000


def measure(ground, policy, fate, requests=400, window=8):
    ground.apply(policy, PLAIN)
    plc = Plc(ground, V4["ot"], slots=2)
    road = Road(ground, fate)
    with contextlib.closing(road):
        s = modbus.connect(road.ns, V4["ot"], 502, timeout=5.0)
        with contextlib.closing(s):
            pipelined(s, 20, 1)
            result = pipelined(s, requests, window)
    plc.close()
    return result


def loses(every):
    return lambda n, segment: None if n > 30 and n % every == 0 else 0


def overtakes(every, by):
    return lambda n, segment: by if n > 30 and n % every == 0 else 0


def plain(n, segment):
    return 0


def a_loss_before_the_box(ground):
    """Each fortieth segment is lost once: its sender is told by the segments after it, and not by
    its own timer."""
    base, _ = measure(ground, READ, plain)
    total, worst = measure(ground, READ, loses(40))
    held, _ = measure(ground, HELD, loses(40))
    expect(max(total, held) < base + 10 * 150, "%.0f ms (under pick_up %.0f), without losses %.0f ms: each loss costs the sender's timeout", total, held,
           base)
    return "400 reads: %.0f ms; with 10 losses %.0f ms, longest wait %.0f ms; under pick_up %.0f ms" % (base, total, worst, held)


def overtaken_by_far(ground):
    """Each tenth segment is overtaken by those of the next 15 ms: nothing is dropped because of
    it."""
    base, _ = measure(ground, READ, overtakes(10, 0.015), window=1)
    total, worst = measure(ground, READ, overtakes(10, 0.015))
    held, _ = measure(ground, HELD, overtakes(10, 0.015))
    expect(max(total, held) < base * 1.5, "%.0f ms (under pick_up %.0f), one at a time %.0f ms", total, held, base)
    return "400 reads: %.0f ms one at a time, %.0f ms pipelined, longest wait %.0f ms; under pick_up %.0f ms" % (
        base, total, worst, held)


def multipath_offered(ground):
    """A client that offers Multipath TCP gets its session at once, over one path, also from a
    server that would accept the offer."""
    ground.apply(READ, PLAIN)
    if not hasattr(socket, "IPPROTO_MPTCP"):
        socket.IPPROTO_MPTCP = 262
    took = []
    for both in (False, True):
        with inside(ground.ns("ot")):
            server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP if both else 0)
        with inside(ground.ns("ops")):
            client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
        with contextlib.closing(server), contextlib.closing(client):
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((V4["ot"], 502))
            server.listen()
            server.settimeout(8)
            client.settimeout(8)
            start = time.monotonic()
            client.connect((V4["ot"], 502))
            s, _ = server.accept()
            with contextlib.closing(s):
                client.sendall(modbus.read_holding(0, 4))
                s.settimeout(2)
                expect(s.recv(100) == modbus.read_holding(0, 4), "the request")
            took.append((time.monotonic() - start) * 1000)
    expect(max(took) < 500 * SLOWNESS, "a session took %.0f ms, with a server that takes the offer %.0f ms", *took)
    return "%.0f ms; %.0f ms when the server takes it" % tuple(took)


def refused_paths(ground):
    return ground.drops().get("tcp.multipath", 0)


def options(tcp_segment):
    return tcp_segment[20:(tcp_segment[12] >> 4) * 4]


def paths_joined(ground):
    """No end is told of a second path, whichever end sends it: by an offer, by a SYN that joins, or
    by a server that answers an offer that was never made. A repeated offer does not pass either."""
    offer, joins = b"\x1e\x04\x01\x01", b"\x1e\x0c\x10\x01" + bytes(8)
    ground.apply(READ, PLAIN)
    ground.settle_neighbours()
    wires = {z: Wire(ground.ns(z), "eth0", ground.mac(z)) for z in ("ops", "ot")}
    heard = {z: Capture(ground.net, ground.ns(z), "eth0") for z in ("ops", "ot")}
    for n, (a, b) in enumerate(((RAW4["ops"], RAW4["ot"]), (RAW6["ops"], RAW6["ot"]))):
        ends = {"ops": (a, b, 46000 + 100 * n, 502), "ot": (b, a, 502, 46000 + 100 * n)}

        def say(zone, port, seq, ack, flags, extra):
            s, d, sport, dport = ends[zone]
            sport, dport = (sport + port, dport) if zone == "ops" else (sport, dport + port)
            wires[zone].send(ip(s, d, 6, tcp(s, d, sport, dport, seq, ack, flags, options=extra)))

        def hears(zone, port):
            found = []

            def look():
                for frame in heard[zone].incoming():
                    what = decode(frame)
                    if what and what[3] == 6 and port in struct.unpack("!HH", what[4][:4]) and what[4][13] & SYN:
                        found.append(what[4])
                return found
            wait_for(look, 3, "port %d at %s" % (port, zone))
            return options(found[0])

        for k, extra in enumerate((offer, b"\1\1" + offer + b"\2\4\5\xb4\1\1", joins)):
            port = 10 * (k + 1)
            say("ops", port, 1000, 0, SYN, extra)
            got = hears("ot", 46000 + 100 * n + port)
            expect(len(got) == len(extra) and 30 not in got, "the server reads %s", got.hex())
            say("ot", port, 5000, 1001, SYN | ACK, offer)
            got = hears("ops", 46000 + 100 * n + port)
            expect(30 not in got, "the client reads %s", got.hex())
        before = refused_paths(ground)
        say("ops", 50, 1000, 0, SYN, offer + offer)
        wait_for(lambda: refused_paths(ground) > before, 3, "an offer said twice, refused")
        say("ops", 51, 1000, 0, SYN, b"")
        hears("ot", 46000 + 100 * n + 51)
        expect(not [f for f in heard["ot"].incoming() if struct.pack("!HH", 46050 + 100 * n, 502) in f], "an offer said twice crossed")
    for x in list(heard.values()):
        x.close()


CASES = [a_loss_before_the_box, overtaken_by_far, multipath_offered, paths_joined]

# SPDX-License-Identifier: Apache-2.0
"""Attackers at full speed, and a crane beside them: any number of sessions, SYNs with invented
sources, silent handshakes. A flood only uses up the attacker's own share. The crane loses nothing;
its times are printed beside those without a flood."""
import multiprocessing
import resource
import socket
import struct
import threading
import time

from endpoint import Plc, Raw, answered, request, write
from ground import PLAIN, RAW4, READ, V4, WEB, Capture, conduit, expect, inside, sh, wait_for
from net import SLOWNESS, Wire, ip4, tcp, udp
from packets import SYN
import modbus

NAMES = conduit("names", "it", "ops", ["names"], criticality="support")
HOLD = conduit("reads", "ops", "ot", ["read"], criticality="cargo", when_overloaded="hold", when_down="hold")
HELLO = bytes.fromhex("160301002f0100002b0303") + bytes(range(1, 33)) + bytes.fromhex("00000413011302") + bytes.fromhex("0100")
PAUSE = 0.005
SHARE = 40960  # sessions of an interface in a lane, as in the reference
PACE = 12500  # new sessions per second of an interface in a lane, including bursts


class Crane:
    """One session with a request every few milliseconds over a kernel's TCP: the times, and the
    failures."""

    def __init__(self, ground):
        self.ground, self.times, self.wrong, self.ended = ground, [], [], threading.Event()
        self.session = modbus.connect(ground.ns("ops"), V4["ot"], 502, timeout=5.0)
        self.session.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended.wait(PAUSE):
            start = time.monotonic()
            try:
                self.session.sendall(request())
                got = b""
                while len(got) < 17:
                    part = self.session.recv(100)
                    if not part:
                        raise ConnectionResetError("closed")
                    got += part
            except OSError as e:
                self.wrong.append(repr(e))
                return
            self.times.append(time.monotonic() - start)

    def since(self, before=0):
        """(p50, p99, worst) in milliseconds."""
        t = sorted(self.times[before:])
        expect(t, "the crane said nothing")
        return tuple(1000 * t[min(len(t) - 1, int(len(t) * q))] for q in (0.5, 0.99, 1))

    def end(self):
        self.ended.set()
        self.thread.join()
        self.session.close()


class Flood:
    """Another process that sends prepared frames as fast as it can."""

    def __init__(self, ground, zone, packets):
        self.sent = multiprocessing.Value("Q", 0)
        self.ended = multiprocessing.Event()
        self.process = multiprocessing.get_context("fork").Process(
            target=self._run, args=(ground.ns(zone), ground.mac(zone), packets), daemon=True)
        self.process.start()

    def _run(self, ns, mac, packets):
        wire, n = Wire(ns, "eth0", mac), 0
        while not self.ended.is_set():
            for packet in packets:
                try:
                    wire.send(packet)
                except OSError:
                    continue
                n += 1
                if n % 256 == 0:
                    self.sent.value = n
                    if self.ended.is_set():
                        break
        self.sent.value = n

    def end(self):
        self.ended.set()
        self.process.join()
        return self.sent.value


def tracked(ground):
    with inside(ground.data), open("/proc/sys/net/netfilter/nf_conntrack_count", encoding="ascii") as f:
        return int(f.read())


def queued(ground):
    """The number of packets that the queues have been given so far."""
    with inside(ground.data), open("/proc/thread-self/net/netfilter/nfnetlink_queue", encoding="ascii") as f:
        return sum(int(line.split()[7]) for line in f)


def beside(ground, crane, zone, packets, seconds, meanwhile):
    """Measures the crane without the flood, and then with the flood and with what `meanwhile` does.
    Returns a sentence about it, and the largest number of tracked sessions."""
    wait_for(lambda: len(crane.times) >= 300 or crane.wrong, 30, "the quiet crane")
    quiet, before, most = crane.since(), len(crane.times), [0]
    flood = Flood(ground, zone, packets)
    try:
        wait_for(lambda: flood.sent.value > 0, 5, "the flood")
        ends = time.monotonic() + seconds

        def over():
            most[0] = max(most[0], tracked(ground))
            return time.monotonic() > ends or crane.wrong
        meanwhile()
        wait_for(over, seconds + 5, "the flood to last")
    finally:
        sent = flood.end()
    crane.end()
    expect(not crane.wrong, "the crane lost its session: %s", crane.wrong)
    loud = crane.since(before)
    return "%d/s sent; crane p50 %.1f -> %.1f ms, p99 %.1f -> %.1f ms, worst %.1f -> %.1f ms, %d requests, 0 lost" % (
        sent / seconds, quiet[0], loud[0], quiet[1], loud[1], quiet[2], loud[2], len(crane.times) - before), most[0]


def new_cranes(ground, n=6):
    """New sessions of cranes are opened, one after the other."""
    for k in range(n):
        raw = Raw(ground, "ops", V4["ot"], 502, ground.port()).open()
        try:
            answered(raw)
        except Exception as e:
            raise AssertionError("new crane session %d of %d: %s" % (k + 1, n, e)) from e
        finally:
            raw.close()


def questions_to_a_name_server(ground):
    """A host that may ask a name server asks from invented addresses and ports: connection tracking
    stays far from full."""
    ground.apply(READ, PLAIN, NAMES)
    Plc(ground, V4["ot"], slots=0)
    ground.settle_neighbours()
    with inside(ground.ns("ops")):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((V4["ops"], 53))
    rng, packets = ground.rng, []
    for n in range(60000):
        s = "99.%d.%d.%d" % (rng.randrange(4), rng.randrange(256), 1 + rng.randrange(254))
        asked = struct.pack("!HHHHHH", n & 0xffff, 0x100, 1, 0, 0, 0) + b"\4port\4test\0\0\1\0\1"
        packets.append(ip4(s, V4["ops"], 17, udp(s, V4["ops"], 1024 + rng.randrange(64000), 53, asked)))
    before = ground.drops()

    def meanwhile():
        new_cranes(ground)
        # An unanswered session stays for 15 s. So after 15 s their number no longer grows.
        most_by = time.monotonic() + 16 * SLOWNESS
        wait_for(lambda: "it/naming/support" in ground.sekisho("status", "--all", check=False).stdout or
                 time.monotonic() > most_by and tracked(ground) < SHARE / 2, 25, "status to say whose share is nearly full")
    for _ in range(3):
        said, most = beside(ground, Crane(ground), "it", packets, 6, meanwhile)
        after = ground.drops()
        over = {k: after.get(k, 0) - before.get(k, 0) for k in ("share.pace", "share.zone", "share.pair")}
        expect(most < SHARE + 4096, "%d sessions tracked", most)
        fast = int(said.split("/s", 1)[0]) > PACE
        if over["share.pace"] > 0 or not fast:
            break
    server.close()
    expect(over["share.pace"] > 0 or not fast, "nothing was refused for its pace: %s; %s", over, said)
    return "%s; %d tracked at most; %s%s" % (said, most, over, "" if fast else "; the machine was too busy to send faster than the pace")


def syns_of_the_own_zone(ground):
    """A flood of SYNs from a crane's own zone, of one pair and of invented hosts, over a lane that
    keeps live sessions (`hold`). No live packet passes without a verdict, so no forbidden write
    completes, and the live session loses nothing."""
    ground.apply(HOLD)
    plc = Plc(ground, V4["ot"], slots=0)
    ground.settle_neighbours()
    rng, packets, tried = ground.rng, [], [0]
    for n in range(20000):
        s = "10.72.0.9" if n % 2 else "10.72.0.%d" % (10 + rng.randrange(240))
        packets.append(ip4(s, V4["ot"], 6, tcp(s, V4["ot"], 1024 + rng.randrange(64000), 502, rng.randrange(1 << 32), 0, SYN)))
    packets += packets[:1] * 5000  # and one SYN that is repeated

    def writes():
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            raw = Raw(ground, "ops", V4["ot"], 502, ground.port())
            try:
                answered(raw.open())
                for k in range(8):
                    raw.segment(write(), seq=raw.seq)
                    tried[0] += 1
            except Exception:  # pylint: disable=broad-exception-caught
                pass  # the client is slowed down by its own flood
            finally:
                raw.close()
    before = queued(ground)
    said, _ = beside(ground, Crane(ground), "ops", packets, 6, writes)
    visits = (queued(ground) - before) / 6
    # Each side opens and answers at most 12,000 sessions a second; live packets have the rest of
    # the queues.
    expect(visits < 27000, "%d packets a second went to the queues", visits)
    expect(not plc.forbidden(), "%d forbidden writes completed", len(plc.forbidden()))
    expect(ground.drops()["unanswered.held"] == 0, "%d live packets passed unjudged", ground.drops()["unanswered.held"])
    return "%s; %d writes tried; %d packets a second queued" % (said, tried[0], visits)


def handshakes_that_nobody_ends(ground):
    """SYNs of invented neighbours of a crane's client, in its own lane. Nobody answers them. New
    sessions of that zone open all the same, during the flood and right after it."""
    ground.apply(READ, PLAIN)
    Plc(ground, V4["ot"], slots=0)
    ground.settle_neighbours()
    rng, packets, took = ground.rng, [], []
    for n in range(50000):
        s = "10.72.0.%d" % (10 + n % 240)
        packets.append(ip4(s, "10.73.0.99", 6, tcp(s, "10.73.0.99", 1024 + rng.randrange(64000), 502, n, 0, SYN)))
    before = ground.drops()

    def meanwhile():
        ends = time.monotonic() + 14
        while time.monotonic() < ends:
            new_cranes(ground, 4)
    said, most = beside(ground, Crane(ground), "ops", packets, 14, meanwhile)
    for _ in range(24):
        start = time.monotonic()
        raw = Raw(ground, "ops", V4["ot"], 502, ground.port()).open()
        took.append(time.monotonic() - start)
        answered(raw)
        raw.close()
    after = ground.drops()
    over = {k: after.get(k, 0) - before.get(k, 0) for k in ("share.pace", "share.zone", "share.pair")}
    # A zone's share has parts, and a host's part is random: one in 20,000 is in a part that the
    # SYNs can fill.
    expect(over["share.zone"] < 50, "the zone's share was full: %s", over)
    return "%s; %d tracked at most; %s; afterwards open within %.0f ms" % (said, most, over, 1000 * max(took))


def silent_handshakes(ground):
    """24,300 TLS sessions without data from three addresses: another host's TLS is served at
    once."""
    ground.apply(READ, WEB)
    Plc(ground, V4["ot"], slots=0)
    ground.settle_neighbours()
    wait_for(lambda: tracked(ground) < 1000, 60, "what nobody answered to be forgotten")
    sh("sysctl", "-qw", "net.core.somaxconn=65535", "net.ipv4.tcp_max_syn_backlog=65535", ns=ground.ns("ops"))
    with inside(ground.ns("ops")):
        server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((V4["ops"], 443))
    server.listen(65535)
    addresses = [V4["it"], RAW4["it"], "10.71.0.4"]
    for a in addresses[2:] + ["10.71.0.9"]:
        sh("ip", "addr", "add", a + "/24", "dev", "eth0", ns=ground.ns("it"), check=False)
    leave = multiprocessing.Event()
    opened = [multiprocessing.Value("i", -1) for _ in addresses]

    def attack(address, ret):
        held, most = [], resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with inside(ground.ns("it")):
            for _ in range(8100):
                s = socket.socket()
                s.setblocking(False)
                s.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
                s.bind((address, 0))
                s.connect_ex((V4["ops"], 443))
                held.append(s)
        said_again = time.monotonic() + 1.2  # time for the kernel to repeat lost SYNs
        while time.monotonic() < said_again:
            leave.wait(0.1)
        ret.value = sum(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\1" for s in held)
        leave.wait()

    fork = multiprocessing.get_context("fork")
    attackers = [fork.Process(target=attack, args=(a, n), daemon=True) for a, n in zip(addresses, opened)]
    capture, crane = Capture(ground.net, ground.ns("ops"), "eth0"), Crane(ground)
    wait_for(lambda: len(crane.times) >= 200 or crane.wrong, 30, "the quiet crane")
    quiet, before = crane.since(), len(crane.times)
    for attacker in attackers:
        attacker.start()
    try:
        wait_for(lambda: all(n.value >= 0 for n in opened), 40, "the handshakes")
        took = []
        for k in range(5):  # a host that took no part in the flood
            with inside(ground.ns("it")):
                s = socket.socket()
            s.settimeout(3)
            s.bind(("10.71.0.9", 0))
            start = time.monotonic()
            s.connect((V4["ops"], 443))
            said = HELLO + b"honest%d" % k
            s.sendall(said)
            wait_for(lambda said=said: any(said in f for f in capture.incoming()), 3, "the hello of another host")
            took.append(time.monotonic() - start)
            s.close()
        crane.end()
        expect(not crane.wrong, "the crane lost its session: %s", crane.wrong)
        expect(max(took) < 0.9 * SLOWNESS, "another host waited %.1f s", max(took))
        loud = crane.since(before)
    finally:
        leave.set()
        for attacker in attackers:
            attacker.join()
        capture.close()
        server.close()
    return "%d of 24300 open; another host's hello within %.0f ms; crane p99 %.1f -> %.1f ms, worst %.1f -> %.1f ms, 0 lost" % (
        sum(n.value for n in opened), 1000 * max(took), quiet[1], loud[1], quiet[2], loud[2])


CASES = [questions_to_a_name_server, syns_of_the_own_zone, handshakes_that_nobody_ends, silent_handshakes]

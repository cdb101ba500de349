# SPDX-License-Identifier: Apache-2.0
"""The surroundings of the attacks: a real box between three zones, of which `it` is the internet
(every address that no other zone has, and the default route). Everything that arrives at a host is
captured there; each case says what may arrive."""
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import box as boxes  # noqa: E402
from box import Box, conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import Capture, Wire, decode, inside, mac_of, sh, wait_for  # noqa: E402
from packets import ip, udp  # noqa: E402

V4 = {"it": "10.71.0.2", "ops": "10.72.0.2", "ot": "10.73.0.2"}
V6 = {"it": "2001:db8:71::2", "ops": "2001:db8:72::2", "ot": "2001:db8:73::2"}
FAMILIES = (V4, V6)
# A second address of each host, for which the host's kernel sends no resets: the test itself uses
# TCP there.
RAW4 = {z: a[:-1] + "3" for z, a in V4.items()}
RAW6 = {z: a[:-1] + "3" for z, a in V6.items()}
ZONES = ("it", "ops", "ot")
SENTINEL = 9000

READ = conduit("reads", "ops", "ot", ["read"], criticality="cargo")
WRITE = conduit("writes", "ops", "ot", ["write"])
PLAIN = conduit("plain", "ops", "ot", ["plain", "plain_tcp", "ping"])
WEB = conduit("web", "it", "ops", ["web"])
POLICY = (READ, PLAIN, WEB)


class Ground(Box):
    def __init__(self, build, run, seed):
        super().__init__(os.environ.get("PREFIX", "skattack-"), build, run)
        self.rng = random.Random(seed)
        for zone in ZONES:
            ns = self.ns(zone)
            sh("ip", "addr", "add", RAW6[zone] + "/64", "dev", "eth0", "nodad", ns=ns)
            sh("nft", "add table inet quiet; add chain inet quiet out { type filter hook output priority 0; }; "
               "add rule inet quiet out ip saddr %s tcp flags & rst == rst drop; "
               "add rule inet quiet out ip6 saddr %s tcp flags & rst == rst drop" % (RAW4[zone], RAW6[zone]), ns=ns)
        self.sentinels = 0
        self.last_port = 10000 + self.rng.randrange(40000)
        self.left = []  # servers of the present case, so that a failed case leaves no port in use
        self.macs = {}
        self.sinks = [self._sink(families["ot"]) for families in FAMILIES]

    def port(self, n=1):
        """The first of n client ports. None comes twice before all up to 61000 were used, because a
        server may still know an old session."""
        first = self.last_port + 1 if self.last_port + n < 61000 else 10000
        self.last_port = first + n - 1
        return first

    def _sink(self, address):
        """Receives the allowed datagrams, so that no host answers them with an error."""
        with inside(self.ns("ot")):
            s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        s.bind((address, SENTINEL))
        return s

    def write(self, *conduits, **more):
        path = super().write(*conduits, **more)
        for name, old, new in (("site.cfg", '"10.71.0.0/24", "2001:db8:71::/64"', '"rest"'),
                               ("box.cfg", "", 'routes = ( { to = "0.0.0.0/0"; via = "10.71.0.2"; }, '
                                               '{ to = "::/0"; via = "2001:db8:71::2"; } );\n')):
            full = os.path.join(os.path.dirname(path), name)
            with open(full, encoding="utf-8") as f:
                text = f.read()
            with open(full, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new) if old else text + new)
        return path

    def write_empty(self):
        path = self.write()
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("conduits = (\n  \n);", "conduits = ();"))
        return path

    def mac(self, zone):
        """The MAC address of the box in a zone, as text."""
        if zone not in self.macs:
            self.macs[zone] = mac_of(self.data, zone + "0")
        return self.macs[zone]

    def wires(self):
        """One sender for each zone, towards the box."""
        self.settle_neighbours()
        return {z: Wire(self.ns(z), "eth0", self.mac(z)) for z in ZONES}

    def tidy(self):
        for server in self.left:
            server.close()
        self.left = []

    def outstanding(self):
        """Returns a function that tells how many packets wait in the queues."""
        with inside(self.data):
            f = open("/proc/thread-self/net/netfilter/nfnetlink_queue", encoding="ascii")

        def look():
            f.seek(0)
            return sum(int(line.split()[2]) for line in f.read().splitlines())
        return look

    def settle_neighbours(self):
        """Makes the box learn the MAC addresses of its neighbours, so that it forwards packets at
        once."""
        for zone in ZONES:
            for address in (V4[zone], V6[zone], RAW4[zone], RAW6[zone]):
                sh("ping", "-c", "1", "-W", "1", "-I", address, boxes.ZONES[zone][0] + ".1" if "." in address else
                   boxes.ZONES[zone][1] + ":1", ns=self.ns(zone), check=False)

    def sentinel(self, wires, watch):
        """Sends allowed, numbered datagrams until they are in the capture of ot. Everything that
        was sent before has arrived by then, too, and is in this capture or another one."""
        self.sentinels += 1
        mark = b"sentinel" + struct.pack("!I", self.sentinels)
        seen = set()

        def arrived():
            for families in FAMILIES:
                a, b = families["ops"], families["ot"]
                wires["ops"].send(ip(a, b, 17, udp(a, b, 45999, SENTINEL, mark)))
            for f in watch["ot"].incoming():
                if mark in f:
                    seen.add(f[12:14])
            return len(seen) == 2
        wait_for(arrived, 8, "the sentinel")

    def close(self):
        super().close()


class Watch(dict):
    """Captures at every host. `clean` fails for each frame that arrived without being expected."""

    def __init__(self, ground):
        super().__init__((z, Capture(ground.net, ground.ns(z), "eth0")) for z in ZONES)
        self.ground = ground
        self.macs = {z: bytes.fromhex(ground.mac(z).replace(":", "")) for z in ZONES}

    def strangers(self, allowed=None, zones=ZONES):
        """Frames that crossed: from the box's own MAC address, but neither its own messages (ARP,
        neighbour discovery, errors, echo replies, resets without a session) nor sentinels.
        allowed(zone, version, source, destination, protocol, body)."""
        found = []
        for zone in zones:
            own = {v4 + ".1" for v4, _ in boxes.ZONES.values()} | {v6 + ":1" for _, v6 in boxes.ZONES.values()}
            for frame in self[zone].incoming():
                if frame[6:12] != self.macs[zone] or frame[12:14] == b"\x08\x06":
                    continue
                what = decode(frame)
                if what is None:
                    found.append((zone, frame[:60].hex()))
                    continue
                version, source, destination, proto, body = what
                # An interface that comes up reports its multicast groups before it has an address.
                if source in own or source.startswith("fe80:") or (source == "::" and destination == "ff02::16" and body[8:9] == b"\x8f"):
                    continue
                if b"sentinel" in frame or (allowed and allowed(zone, *what)):
                    continue
                found.append((zone, source, destination, proto, body[:24].hex()))
        return found

    def clean(self, allowed=None, zones=ZONES):
        found = self.strangers(allowed, zones)
        expect(not found, "%d forbidden packets crossed, first: %s", len(found), found[:3])

    def close(self):
        for capture in self.values():
            capture.close()


class Steady:
    """Sends numbered datagrams of an allowed flow over the kernel path, from ops to ot. The
    receiver shows which were lost."""

    def __init__(self, ground, pace=0.001):
        self.sink = ground.sinks[0]
        with inside(ground.ns("ops")):
            self.source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.source.connect((V4["ot"], SENTINEL))
        self.sent, self.ended, self.got, self.pace = 0, threading.Event(), set(), pace
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._send, self._receive)]
        for t in self.threads:
            t.start()

    def _send(self):
        while not self.ended.wait(self.pace):
            self.source.send(b"steady" + struct.pack("!I", self.sent))
            self.sent += 1

    def _receive(self):
        self.sink.settimeout(0.3)
        while True:
            try:
                data = self.sink.recv(100)
            except socket.timeout:
                if self.ended.is_set():
                    return
                continue
            if data.startswith(b"steady"):
                self.got.add(data)

    def end(self):
        self.ended.set()
        for t in self.threads:
            t.join()
        self.source.close()
        expect(len(self.got) == self.sent, "an allowed flow lost %d of %d", self.sent - len(self.got), self.sent)
        return self.sent


class Killer:
    """Kills every process of a role with kill -9 again and again until the block ends."""

    def __init__(self, ground, roles, every=0.15):
        self.ground, self.roles, self.every = ground, roles, every
        self.ended, self.killed = threading.Event(), 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.ended.wait(self.every):
            for role in self.roles:
                try:
                    pids = self.ground.pids(role)
                except (ValueError, KeyError):
                    continue
                for pid in pids:
                    try:
                        os.kill(pid, 9)
                        self.killed += 1
                    except ProcessLookupError:
                        pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        wait_for(self.ground.running, 5, "every role again")


def now():
    return time.monotonic()

# SPDX-License-Identifier: Apache-2.0
"""Three zones around a box namespace, the driver of the enforce role, and traffic counted at the
receiver."""
import json
import os
import queue
import random
import re
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import net  # noqa: E402
import reports  # noqa: E402

PREFIX = "skC-"
ZONES = ("alpha", "beta", "gamma")
V4 = {"alpha": "10.71.1.10", "beta": "10.71.2.10", "gamma": "10.71.3.10"}
V6 = {"alpha": "2001:db8:71:1::10", "beta": "2001:db8:71:2::10", "gamma": "2001:db8:71:3::10"}
SO_TIMESTAMPNS = 35
UNREPLIED = 2.0  # seconds after which a packet counts as lost

BOX = """language_version = 1;
workers = 2;
interfaces = {
  lan0 = { device = "lan0"; addresses = ["10.71.1.1/24", "2001:db8:71:1::1/64"]; };
  lan1 = { device = "lan1"; addresses = ["10.71.2.1/24", "2001:db8:71:2::1/64"]; };
  lan2 = { device = "lan2"; addresses = ["10.71.3.1/24", "2001:db8:71:3::1/64"]; };
};
"""
HEAD = """language_version = 1;
site = { name = "kernel"; };
zones = {
  alpha = { interfaces = ["lan0"]; networks = ["10.71.1.0/24", "2001:db8:71:1::/64"]; class = "it"; owner = "T"; };
  beta  = { interfaces = ["lan1"]; networks = ["10.71.2.0/24", "2001:db8:71:2::/64"]; class = "ot"; owner = "T"; };
  gamma = { interfaces = ["lan2"]; networks = ["10.71.3.0/24", "2001:db8:71:3::/64"]; class = "external"; owner = "T"; };
};
services = {
  stream = { protocol = "tcp"; ports = ["tcp/7001"]; };
  other  = { protocol = "tcp"; ports = ["tcp/7003"]; };
  wide   = { protocol = "tcp"; ports = ["tcp/7000-7010"]; };
  datagram = { protocol = "udp"; ports = ["udp/7002"]; };
  range  = { protocol = "udp"; ports = ["udp/8000-8999"]; };
  ping   = { protocol = "icmp"; ports = ["icmp/8"]; };
  plc    = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; } ); };
  plc_some = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; holding = ["0-99"]; } ); };
};
"""


def conduit(name, source, to, services, **more):
    text = '  { name = "%s"; from = "%s"; to = "%s"; services = [%s]; purpose = "test"; owner = "T"; ' \
        'approved_by = "T"; review_by = "2030-01-01";' % (name, source, to, ", ".join('"%s"' % s for s in services))
    for key, value in more.items():
        text += ' %s = %s;' % (key, json.dumps(value))
    return text + " }"


def policy(*conduits):
    return HEAD + "conduits = (\n" + ",\n".join(conduits) + "\n);\n"


class Driver:
    """kernel_main as a process. Keeps its answers by kind."""

    def __init__(self, program, ns, folder):
        self.folder = folder
        self.process = subprocess.Popen([program, ns], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=reports.errors(), bufsize=1, start_new_session=True)
        self._go_ahead()
        self.inbox = {k: queue.Queue() for k in ("ready", "applied", "answer", "drift", "judged", "killed", "ended")}
        threading.Thread(target=self._read, daemon=True).start()
        self.count = 0

    def _go_ahead(self):
        """Gives the role the priority that it has in the product by its profile and that of the
        supervisor."""
        os.setpriority(os.PRIO_PROCESS, self.process.pid, -15)
        try:
            with open("/proc/%d/autogroup" % self.process.pid, "w", encoding="ascii") as group:
                group.write("-10")
        except FileNotFoundError:
            pass

    def _read(self):
        for line in self.process.stdout:
            item = json.loads(line)
            self.inbox[item["event"]].put(item)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait(self, kind, seconds=10.0):
        return self.inbox[kind].get(timeout=seconds * net.SLOWNESS)

    def told(self, name):
        """The text of /proc/PID/<name> of each process of the role."""
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid), encoding="ascii") as f:
            roles = f.read().split()
        for pid in roles:
            with open("/proc/%s/%s" % (pid, name), encoding="ascii") as f:
                yield f.read()

    def waited(self):
        """Microseconds for which the role has waited for a core in its life."""
        return sum(int(text.split()[1]) // 1000 for text in self.told("schedstat"))

    def spent(self):
        """Seconds of processor time that the role has used, including the kernel's on its
        behalf."""
        return sum(int(x) for text in self.told("stat") for x in text.rpartition(")")[2].split()[11:13]) / os.sysconf("SC_CLK_TCK")

    def start(self, owned=False):
        """Starts it. Without `owned` its table has no owner, as on kernels that have no owners."""
        if not owned:
            nft("add", "table", "inet", "sekisho", check=False)
        self.say("start")
        self.wait("ready")

    def kill(self):
        self.say("kill")
        self.wait("killed")

    def write(self, text):
        path = os.path.join(self.folder, "site.cfg")
        with open(path, "w") as f:
            f.write(text)
        return path

    def apply(self, text, flags=0):
        self.say("apply %d %s" % (flags, self.write(text)))
        return self.wait("applied", 30)

    def ask(self, what):
        self.say(what)
        return self.wait("answer")

    def counters(self):
        return {k: v["packets"] for k, v in self.ask("status")["json"]["kernel"]["counters"].items()}

    def drained(self):
        """The number of drift messages so far."""
        found = []
        while not self.inbox["drift"].empty():
            found.append(self.inbox["drift"].get())
        return found

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


OPEN = []  # what the running test has open


class Receiver:
    """Counts numbered UDP datagrams at their destination."""

    def __init__(self, zone, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with net.inside(PREFIX + zone):
            self.sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.bind((address, port))
        self.sock.settimeout(0.05)
        OPEN.append(self)
        self.seen = set()
        self.arrivals = []  # seconds, one for each of `seen`, as the kernel received them
        self.extra = 0
        self.last = None
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            try:
                data, more, _, self.last = self.sock.recvmsg(2048, 64)
            except socket.timeout:
                continue
            except OSError:
                return
            number = struct.unpack("!Q", data[:8])[0]
            if number in self.seen:
                self.extra += 1
            self.seen.add(number)
            for _, kind, value in more:
                if kind == SO_TIMESTAMPNS:
                    seconds, ns = struct.unpack("qq", value)
                    self.arrivals.append(seconds + ns / 1e9)

    def close(self):
        self.ended = True
        self.thread.join()
        self.sock.close()


class Sender:
    def __init__(self, zone, address, port, source=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with net.inside(PREFIX + zone):
            self.sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        if source:
            self.sock.bind(source)
        self.sock.connect((address, port))
        OPEN.append(self)
        self.sent = 0
        self.ended = False
        self.thread = None

    def send(self, n=1):
        for _ in range(n):
            try:
                self.sock.send(struct.pack("!Q", self.sent) + b"x" * 24)
            except ConnectionRefusedError:
                self.sock.send(struct.pack("!Q", self.sent) + b"x" * 24)
            self.sent += 1

    def flood(self, per_second):
        def run():
            start, begun = time.monotonic(), self.sent
            while not self.ended:
                due = int((time.monotonic() - start) * per_second) - (self.sent - begun)
                if due > 0:
                    self.send(min(due, 200))
                select.select([], [], [], 0.001)
        self.ended = False
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def stop(self):
        self.ended = True
        if self.thread:
            self.thread.join()

    def close(self):
        self.stop()
        self.sock.close()


class Session:
    """A TCP session from one zone to another, accepted and echoed by a thread."""

    def __init__(self, client, server, port, v6=False):
        OPEN.append(self)
        self.listener = self.client = self.server = None
        address = (V6 if v6 else V4)[server]
        family = socket.AF_INET6 if v6 else socket.AF_INET
        with net.inside(PREFIX + server):
            self.listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(5)
        with net.inside(PREFIX + client):
            self.client = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.client.settimeout(3 * net.SLOWNESS)
        self.received = 0
        self.ended = False
        self.client.connect((address, port))
        self.server, _ = self.listener.accept()
        self.server.settimeout(0.05)
        self.thread = threading.Thread(target=self._echo, daemon=True)
        self.thread.start()

    def _echo(self):
        while not self.ended:
            try:
                data = self.server.recv(65536)
                if not data:
                    return
                self.received += len(data)
                self.server.sendall(data)
            except socket.timeout:
                continue
            except OSError:
                return

    def talk(self, size=32):
        """True when the sent bytes came back."""
        self.client.sendall(b"q" * size)
        got = 0
        while got < size:
            data = self.client.recv(65536)
            if not data:
                return False
            got += len(data)
        return True

    def retransmissions(self):
        info = self.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        return struct.unpack("I", info[100:104])[0]

    def close(self):
        self.ended = True
        for s in (self.client, self.server, self.listener):
            if s:
                s.close()


def can_connect(client, server, port, v6=False):
    address = (V6 if v6 else V4)[server]
    family = socket.AF_INET6 if v6 else socket.AF_INET
    with net.inside(PREFIX + server):
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(5)
    with net.inside(PREFIX + client):
        c = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    c.settimeout(0.7)
    try:
        c.connect((address, port))
        return True
    except OSError:
        return False
    finally:
        c.close()
        listener.close()


def can_ping(client, server, v6=False):
    """Whether an echo request is answered; by a raw socket."""
    ident, address = random.randrange(65536), (V6 if v6 else V4)[server]
    with net.inside(PREFIX + client):
        s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC,
                          socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP)
    head = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, ident, 1)
    if not v6:
        head = head[:2] + struct.pack("!H", net.checksum(head)) + head[4:]
    try:
        s.sendto(head, (address, 0))
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            s.settimeout(max(0.01, end - time.monotonic()))
            data, source = s.recvfrom(2048)
            data = data if v6 else data[(data[0] & 15) * 4:]
            if source[0] == address and data[0] == (129 if v6 else 0) and data[4:6] == struct.pack("!H", ident):
                return True
        return False
    except OSError:
        return False
    finally:
        s.close()


def nft(*words, check=True):
    return net.sh("nft", *words, ns=PREFIX + "box", check=check)


def removed(*table):
    """Removes every table, or the named one. Returns how many seconds the kernel needed."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "removal.py")
    return float(net.sh(program, *table, ns=PREFIX + "box").stdout)


def sysctl(name, value=None):
    path = "/proc/sys/" + "/".join(name.split("."))
    with net.inside(PREFIX + "box"):
        if value is None:
            with open(path) as f:
                return f.read().strip()
        with open(path, "w") as f:
            f.write(value)
    return value


class World:
    def __init__(self, build):
        self.net = net.Net(PREFIX)
        self.folder = tempfile.mkdtemp(prefix="sekisho-kernel-")
        with open(os.path.join(self.folder, "box.cfg"), "w") as f:
            f.write(BOX)
        for n in ("box",) + ZONES:
            net.sh("ip", "netns", "del", PREFIX + n, check=False)
        self.net.add("box")
        for i, zone in enumerate(ZONES):
            self.net.add(zone)
            self.wire(i, zone)
        self.settled()
        self.program = os.path.join(build, "netns/kernel/driver")
        self.driver = Driver(self.program, PREFIX + "box", self.folder)

    def wire(self, i, zone):
        here, there = PREFIX + "box", PREFIX + zone
        self.net.veth(here, "lan%d" % i, there, "eth0")
        self.net.address(here, "lan%d" % i, "10.71.%d.1/24" % (i + 1), "2001:db8:71:%d::1/64" % (i + 1))
        self.net.address(there, "eth0", V4[zone] + "/24", V6[zone] + "/64")
        net.sh("ip", "route", "add", "default", "via", "10.71.%d.1" % (i + 1), ns=there)
        net.sh("ip", "-6", "route", "add", "default", "via", "2001:db8:71:%d::1" % (i + 1), ns=there)

    @staticmethod
    def settled():
        """Waits until the box has its link-local addresses: without one it cannot ask for a
        neighbour."""
        def tentative():
            return [n for n in ("box",) + ZONES if "tentative" in net.sh("ip", "-6", "addr", ns=PREFIX + n).stdout]
        net.wait_for(lambda: not tentative(), 10, "IPv6 addresses")

    def close(self):
        try:
            self.driver.close()
        finally:
            self.net.close()
            shutil.rmtree(self.folder)


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(d, what="verify"):
    answer = d.ask("verify")
    check(answer["status"] == 0 and answer["json"]["equal"], "%s: %s" % (what, answer["json"]))
    check(answer["json"]["packets_asked"] > 500, "%s: few packets were asked: %s" % (what, answer["json"]))


def settle(receiver, sender, what):
    """Waits until everything that was sent has arrived; otherwise names what is missing."""
    try:
        net.wait_for(lambda: len(receiver.seen) >= sender.sent, UNREPLIED, what)
    except TimeoutError:
        missing = sorted(set(range(sender.sent)) - receiver.seen)
        raise AssertionError("%s: %d of %d lost (%s...)" % (what, len(missing), sender.sent, missing[:5]))


def mac_of(device):
    text = net.sh("ip", "-o", "link", "show", device, ns=PREFIX + "box").stdout
    return re.search(r"link/ether (\S+)", text).group(1)

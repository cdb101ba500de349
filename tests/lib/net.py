# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for the demonstration and the netns tests.

A Net makes namespaces and veth pairs with one prefix and removes them all. The calling thread
enters a namespace briefly (setns) to open a socket there, and the socket stays in it. So clients,
servers and captures run in one Python process; programs are started by Net.run and Net.spawn."""
import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reports  # noqa: E402
import slowness  # noqa: E402
from slowness import SLOWNESS  # noqa: E402

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
NETNS = "/run/netns"
# With iptables installed, nft lists a target such as NFQUEUE by a plug-in of iptables, as if it
# were a rule of its own. Without the plug-ins it prints the same on every machine.
os.environ["XTABLES_LIBDIR"] = "/nonexistent"


def setns(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns " + path)
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(name):
    """The calling thread is in namespace `name` (None: stays where it is) until the block ends."""
    if name is None:
        yield
        return
    home = "/proc/thread-self/ns/net"
    back = os.open(home, os.O_RDONLY | os.O_CLOEXEC)
    setns(os.path.join(NETNS, name))
    try:
        yield
    finally:
        if LIBC.setns(back, CLONE_NEWNET) != 0:
            os._exit(70)  # a thread in the wrong namespace must never go on
        os.close(back)


def worked(pid):
    """Processor time of this process in ns."""
    with open("/proc/%d/schedstat" % pid, encoding="ascii") as f:
        return int(f.read().split()[0])


def wait_for(condition, seconds, what, every=0.1):
    """Polls until condition() is true and returns its value. Raises TimeoutError with `what` at the
    deadline. The longer it waits, the less often it polls; after two seconds once in `every`
    seconds."""
    deadline, began = slowness.Deadline(seconds), time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        left = deadline.left()
        if left <= 0:
            raise TimeoutError("waited %.1f s for %s" % (seconds * SLOWNESS, what))
        select.select([], [], [], min(left, max(0.01, min(every, (time.monotonic() - began) * every / 2))))


def sh(*args, ns=None, check=True, input=None, timeout=30, env=None):
    command = [str(a) for a in args]
    if ns:  # `ip` by itself needs no mount namespace, whose end costs more than the command
        command = ["ip", "-n", ns] + command[1:] if command[0] == "ip" else ["ip", "netns", "exec", ns] + command
    done = subprocess.run(command, capture_output=True, text=True, input=input, timeout=timeout * SLOWNESS * slowness.BUSY, env=env)
    if reports.in_text(done.stderr):
        raise AssertionError("%s: %s" % (" ".join(command), done.stderr))
    if check and done.returncode != 0:
        raise RuntimeError("%s: status %d: %s" % (" ".join(command), done.returncode, (done.stderr or done.stdout).strip()))
    return done


class Net:
    def __init__(self, prefix):
        self.prefix = prefix
        self.names = []
        self.processes = []
        self.captures = []

    def ns(self, short):
        return self.prefix + short

    def add(self, short):
        name = self.ns(short)
        if os.path.exists(os.path.join(NETNS, name)) and not sh("ip", "netns", "pids", name, check=False).stdout:
            # left by a killed run; if it has processes, another run uses it
            sh("ip", "netns", "delete", name)
        sh("ip", "netns", "add", name)
        self.names.append(name)
        sh("ip", "link", "set", "lo", "up", ns=name)
        return name

    def veth(self, a, a_if, b, b_if):
        """A pair with one end in each namespace (full names; None: the caller's own)."""
        def place(name):
            return ["netns", name] if name else []
        sh("ip", "link", "add", a_if, *place(a), "type", "veth", "peer", "name", b_if, *place(b))

    def address(self, name, interface, *addresses):
        for a in addresses:
            extra = ["nodad"] if ":" in a else []
            sh("ip", "addr", "add", a, "dev", interface, *extra, ns=name)
        sh("ip", "link", "set", interface, "up", ns=name)

    def spawn(self, args, ns=None, log=None, env=None, preexec=None, keeps=()):
        if log:
            reports.watch(log)
        out = open(log, "ab") if log else subprocess.DEVNULL
        # Not `ip netns exec`: that gives the process a mount namespace of its own, where the
        # namespaces that a daemon pins would be seen by nobody else.
        command = (["nsenter", "--net=" + os.path.join(NETNS, ns)] if ns else []) + [str(a) for a in args]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env,
                                   start_new_session=True, preexec_fn=preexec, pass_fds=keeps)
        self.processes.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self):
        for capture in self.captures:
            capture.close()
        for process in reversed(self.processes):
            self.stop(process)
        for name in reversed(self.names):
            sh("ip", "netns", "del", name, check=False)
        self.names = []


class Capture:
    """Everything that arrives at (or leaves) one interface, as a packet socket receives it."""

    def __init__(self, net, ns, interface):
        with inside(ns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(3))
            self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
            self.sock.bind((interface, 0))
        self.sock.setblocking(False)
        self.kept = []  # (monotonic seconds, incoming, bytes from the Ethernet header)
        self.reading = threading.Lock()
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        net.captures.append(self)

    def _run(self):
        ready = select.poll()
        ready.register(self.sock, select.POLLIN)
        while not self.ended:
            ready.poll(50)
            if not self._take_in(1000):
                return

    def caught_up(self):
        """Whether everything that arrived was read; after a flood a busy machine needs a while for
        it."""
        self._take_in(20000)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except OSError:
            return True
        return False

    def _take_in(self, most):
        """False: nothing will arrive any more."""
        with self.reading:
            for _ in range(most):
                try:
                    frame, origin = self.sock.recvfrom(70000)
                except (BlockingIOError, InterruptedError):
                    return True
                except OSError as e:
                    if e.errno == errno.ENETDOWN:  # reported once each time the link goes down
                        continue
                    return False
                self.kept.append((time.monotonic(), origin[2] != socket.PACKET_OUTGOING, frame))
        return True

    @property
    def frames(self):
        """Returns everything that has arrived, also on a busy machine: as many frames are read as
        the socket's buffer can hold."""
        self._take_in(100000)
        return self.kept

    def incoming(self, since=0.0):
        return [f for t, came_in, f in list(self.frames) if came_in and t >= since]

    def close(self):
        self.ended = True
        self.thread.join()
        self.sock.close()


# ---- packets by hand -----------------------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(source, destination, proto, payload, ident=0, flags=0, offset=0, ttl=64, options=b""):
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | (5 + len(options) // 4), 0, 20 + len(options) + len(payload), ident,
                       (flags << 13) | (offset // 8), ttl, proto, 0, socket.inet_aton(source),
                       socket.inet_aton(destination)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(source, destination, next_header, payload, hops=64):
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, hops) + \
        socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) + payload


def pseudo(source, destination, proto, length):
    if ":" in source:
        return socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) + \
            struct.pack("!II", length, proto)
    return socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!BBH", 0, proto, length)


def tcp(source, destination, sport, dport, seq, ack, flags, payload=b"", window=64240, options=b""):
    """`options`: a multiple of four bytes."""
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, (5 + len(options) // 4) << 4, flags, window, 0, 0) + options
    value = checksum(pseudo(source, destination, 6, len(head) + len(payload)) + head + payload)
    return head[:16] + struct.pack("!H", value) + head[18:] + payload


def udp(source, destination, sport, dport, payload):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    value = checksum(pseudo(source, destination, 17, len(head) + len(payload)) + head + payload) or 0xffff
    return head[:6] + struct.pack("!H", value) + payload


def receiving_sockets(ns):
    """All sockets of a namespace that could receive: listening TCP, and all UDP, SCTP, packet and
    unix sockets; raw ones except those of protocol 255, which can only send (raw(7))."""
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "packet", "unix", "sctp/eps", "dccp"):
        lines = sh("cat", "/proc/net/" + table, ns=ns, check=False).stdout.splitlines()[1:]
        for line in lines:
            fields = line.split()
            if table in ("tcp", "tcp6") and fields[3] != "0A":
                continue
            if table in ("raw", "raw6") and fields[1].rsplit(":", 1)[1] == "00FF":
                continue
            found.append(table + ": " + line.strip())
    return found


def mac_of(ns, interface):
    return json.loads(sh("ip", "-j", "link", "show", "dev", interface, ns=ns).stdout)[0]["address"]


class Wire:
    """Sends raw Ethernet frames from an interface of a namespace towards a next hop."""

    def __init__(self, ns, interface, gateway_mac):
        with inside(ns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
            self.sock.bind((interface, 0))
        self.head = bytes.fromhex(gateway_mac.replace(":", "")) + self.sock.getsockname()[4]

    def send(self, packet):
        kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
        self.sock.send(self.head + kind + packet)

    def close(self):
        self.sock.close()


def decode(frame):
    """(version, source, destination, protocol, transport bytes) of an Ethernet frame, or None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        length = (frame[14] & 15) * 4
        total = struct.unpack("!H", frame[16:18])[0]
        return 4, socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), frame[23], frame[14 + length:14 + total]
    if kind == b"\x86\xdd" and len(frame) >= 54:
        length = struct.unpack("!H", frame[18:20])[0]
        return 6, socket.inet_ntop(socket.AF_INET6, frame[22:38]), socket.inet_ntop(socket.AF_INET6, frame[38:54]), \
            frame[20], frame[54:54 + length]
    return None


def tcp_streams(frames):
    """The bytes that arrived, in order of sequence numbers: {(src, sport, dst, dport): bytes}."""
    seen = {}
    for frame in frames:
        found = decode(frame)
        if not found or found[3] != 6 or len(found[4]) < 20:
            continue
        _, source, destination, _, segment = found
        sport, dport, seq = struct.unpack("!HHI", segment[:8])
        data = segment[(segment[12] >> 4) * 4:]
        key = (source, sport, destination, dport)
        first, parts = seen.setdefault(key, [None, {}])
        if segment[13] & 2:
            seen[key][0] = (seq + 1) & 0xffffffff
            seen[key][1] = {}
        elif data:
            if seen[key][0] is None:
                seen[key][0] = seq
            for i, byte in enumerate(data):
                seen[key][1].setdefault((seq + i - seen[key][0]) & 0xffffffff, byte)
    streams = {}
    for key, (_, parts) in seen.items():
        out = bytearray()
        while len(out) in parts:
            out.append(parts[len(out)])
        streams[key] = bytes(out)
    return streams

# SPDX-License-Identifier: Apache-2.0
"""The box of the change matrix: one policy with a conduit for each kind of flow, hubs at both
hosts, a client that polls without a pause, and an attacker who tries forbidden packets all the
time."""
import json
import os
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
import modbus  # noqa: E402
from ends import Hub, ip  # noqa: E402
from ground import RAW4, V4, V6, Ground, Watch  # noqa: E402
from groups import SANITIZED, Delegated  # noqa: E402
from net import decode, inside, mac_of, sh, tcp, udp, wait_for  # noqa: E402
from policies import Policy  # noqa: E402
from seam import Seam  # noqa: E402

FORBIDDEN = b"nobody may say this"


class Field(Ground):
    def __init__(self, build, run, seed):
        self.facts = {}
        self.writing, self.answers, self.policies_by_digest = threading.Lock(), [], {}
        self.state = run + "/state"
        sh("umount", "-l", self.state, check=False)
        for line in sh("ip", "netns", "list").stdout.splitlines():  # left by a run that was killed
            if line.startswith(os.environ["PREFIX"]):
                sh("ip", "netns", "del", line.split()[0], check=False)
        super().__init__(build, run, seed)
        self.ports = 20000
        # A disk of its own, which can be filled, and a socket for orders to a daemon that takes
        # them.
        os.makedirs(self.state)
        sh("mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", self.state)
        self.seam = Seam(run + "/run")
        # If groups can limit memory, the daemon divides a group as it divides that of its unit.
        self.group = Delegated("change") if Delegated.holds_memory() and not SANITIZED else None
        self.start()
        self.apply_policy(Policy())
        self.settle_neighbours()
        self.bound = {"ops": [], "ot": [], "it": []}  # the packet sockets at each host's device
        self.ops, self.ot = Hub(self, "ops"), Hub(self, "ot")
        self.bound["ops"].append(self.ops)
        self.bound["ot"].append(self.ot)

    def start(self, wait=True, before=()):
        super().start(wait, before + self.group.entered() if self.group else before)

    def mac_at(self, zone):
        """The MAC address of the host."""
        return mac_of(self.ns(zone), "eth0")

    def rebind(self, zone):
        """Binds the sockets again to a new device of the same name."""
        with inside(self.ns(zone)):
            for who in self.bound[zone]:
                who.sock.bind(("eth0", 0))

    def next_port(self):
        self.ports += 1
        return self.ports

    def write_policy(self, policy):
        """Writes the policy folder. Returns the path of its main text."""
        path = super(Ground, self).write(*policy.conduits(), extra=policy.prepared())
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("services = {\n", "services = {\n" + policy.services(), 1))
        for old, new in self.facts.items():
            full = os.path.join(os.path.dirname(path), "box.cfg")
            with open(full, encoding="utf-8") as f:
                text = f.read()
            with open(full, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new))
        if "edit" in policy.change:
            self.edit(path, policy.change["edit"])
        return path

    @staticmethod
    def edit(path, how):
        """Edits the two texts with `how`."""
        paths, texts = (path, os.path.join(os.path.dirname(path), "box.cfg")), []
        for name in paths:
            with open(name, encoding="utf-8") as f:
                texts.append(f.read())
        for name, text in zip(paths, how(*texts)):
            with open(name, "w", encoding="utf-8") as f:
                f.write(text)

    def apply_policy(self, policy, *options, check=True):
        with self.writing:  # one folder, and two threads of the test that write it
            folder = self.run_folder + "/policy"
            path = self.write_policy(policy)
            mine = tempfile.mkdtemp(prefix="policy-", dir=self.run_folder)
            for name in os.listdir(folder):
                shutil.copy(folder + "/" + name, mine)
        path = mine + "/" + os.path.basename(path)
        if "--dry-run" not in options:
            self.policies_by_digest[self.compiled_digest(path)] = policy
        done = self.sekisho("apply", "--json", *options, path, check=False)
        shutil.rmtree(mine)
        answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout.startswith("{") else {"text": done.stdout + done.stderr}
        self.answers.append(answer)
        if check and done.returncode != 0:
            raise RuntimeError("apply %s: status %d: %s" % (options, done.returncode, done.stdout + done.stderr))
        return answer

    def compiled_digest(self, path):
        """The digest that the box will use, computed in advance."""
        done = sh(self.build + "/sekisho", "compile", "--to", "sealed", "--json", "-o", os.path.dirname(path) + "/sealed", path, check=False)
        return json.loads(done.stdout)["digest"] if done.returncode == 0 else None

    def ready(self):
        wait_for(self.running, 6, "every role at work")

    def last_seq(self):
        lines = self.sekisho("events", "--json", "--limit", "1").stdout.splitlines()
        return json.loads(lines[-1])["seq"] if lines else 0

    def digest(self):
        return self.status()["generation"]["digest"]

    def history(self):
        return json.loads(self.sekisho("history", "--json").stdout)["history"]

    def verified(self):
        """Kernel and workers have what the policy in force says, by the box's own check of both."""
        done = self.sekisho("verify", "--json", check=False)
        return done.returncode == 0, done.stdout[:600]

    def poke_lanes(self):
        """Sends a packet to every worker, so that packets wait for a verdict. Returns None, so that
        a wait goes on."""
        for n in range(16):
            a, b = RAW4["ops"], RAW4["ot"]
            self.ops.send(ip(a, b, 17, udp(a, b, 6000 + n, 53, b"\0\1\1\0\0\1\0\0\0\0\0\0\4kita\0\0\1\0\1")))

    def close(self):
        for hub in (getattr(self, "ops", None), getattr(self, "ot", None)):
            if hub:
                hub.close()
        try:
            super().close()
        finally:
            if self.group:
                self.group.end()
            sh("umount", "-l", self.state, check=False)


class Poller:
    """A kernel's TCP client polls a kernel's server every few milliseconds, so that at any time a
    packet is in a queue, in a ring or between two rules. Both kernels count losses:
    retransmissions, except those whose data the receiver already had (a duplicate SACK, RFC 2883),
    which were late and not lost."""
    TOTAL_RETRANS, DSACK_DUPS = 100, 216  # offsets in struct tcp_info (linux/tcp.h)

    def __init__(self, field, six, port=502):
        self.server = (V6 if six else V4)["ot"]
        with inside(field.ns("ot")):
            self.listener = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.server, port))
        self.listener.listen(4)
        self.ended, self.polls, self.worst, self.failure = threading.Event(), 0, 0.0, None
        threading.Thread(target=self._serve, daemon=True).start()
        self.s = modbus.connect(field.ns("ops"), self.server, port)
        self.s.settimeout(30)
        self.sport = self.s.getsockname()[1]
        self.thread = threading.Thread(target=self._poll, daemon=True)
        self.thread.start()

    def _serve(self):
        try:
            s, _ = self.listener.accept()
            self.other = s
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                request = modbus.answer(s)
                if not request:
                    return
                s.sendall(request[:4] + b"\0\x0b" + request[6:8] + b"\x08" + bytes(8))
        except OSError:
            pass

    def _poll(self):
        try:
            while not self.ended.wait(0.003):
                start = time.monotonic()
                self.s.sendall(modbus.read_holding(0, 4, tid=self.polls & 0xffff))
                if not modbus.answer(self.s):
                    raise ConnectionResetError("the server's end")
                self.worst = max(self.worst, time.monotonic() - start)
                self.polls += 1
        except OSError as e:
            self.failure = e

    def lost(self):
        n = 0
        for s in (self.s, self.other):
            info = s.getsockopt(socket.IPPROTO_TCP, 11, 256)
            n += max(0, struct.unpack_from("I", info, self.TOTAL_RETRANS)[0] - struct.unpack_from("I", info, self.DSACK_DUPS)[0])
        return n

    def goes_on(self, seconds):
        """A stack repeats lost packets after 0.2 s, then after twice that time, and so on."""
        before = self.polls
        wait_for(lambda: self.failure or self.polls > before + 3, seconds, "a poll")
        return self.failure is None

    def close(self):
        self.ended.set()
        self.thread.join()
        self.s.close()
        self.listener.close()


class Intruder:
    """Sends packets that no policy of the matrix allows, as fast as it can, from before an event
    until after it. Arriving ones are counted at the receiver."""

    def __init__(self, field):
        self.field, self.ended, self.sent = field, threading.Event(), 0
        self.wires = field.wires()
        self.packets = []
        for families in (V4, V6):
            for zone, target in (("it", "ot"), ("ot", "it"), ("ops", "it"), ("ops", "ot")):
                a, b = families[zone], families[target]
                self.packets.append((zone, ip(a, b, 17, udp(a, b, 5, 6, self.words(zone)))))
                self.packets.append((zone, ip(a, b, 6, tcp(a, b, 5, 502 if zone != "ops" else 7, 1, 1, 24, self.words(zone)))))
            a, b = families["ops"], families["ot"]
            # a forged source
            self.packets.append(("it", ip(a, b, 17, udp(a, b, 5, 9000, self.words("it")))))
        self.watch = Watch(field)
        for zone, held in field.bound.items():
            held += [self.wires[zone], self.watch[zone]]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @staticmethod
    def words(zone):
        return FORBIDDEN + b", says " + zone.encode()

    def _run(self):
        while not self.ended.wait(0.002):
            zone, packet = self.packets[self.sent % len(self.packets)]
            try:
                self.wires[zone].send(packet)
            except OSError:
                pass  # the link is down: nobody receives it
            self.sent += 1

    def end(self):
        """(number sent, list of arrived ones: time, place, source, destination, protocol, ports)"""
        self.ended.set()
        self.thread.join()
        # an error of the box may quote these packets to the zone that they came from
        frames = [(t, z, decode(f)) for z in self.watch for t, came_in, f in list(self.watch[z].frames) if came_in and
                  FORBIDDEN in f and f[6:12] == self.watch.macs[z] and self.words(z) not in f]
        arrived = [(t, z) + f[1:4] + struct.unpack("!HH", f[4][:4]) for t, z, f in frames if f]
        self.watch.close()
        for wire in self.wires.values():
            wire.close()
        for zone, held in self.field.bound.items():
            held.remove(self.wires[zone])
            held.remove(self.watch[zone])
        return self.sent, arrived

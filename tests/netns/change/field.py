# SPDX-License-Identifier: Apache-2.0
"""The box of the change matrix: one policy with a conduit for each way a flow can live, hubs at both hosts, somebody who polls
without a pause, and somebody who tries what is forbidden all the time."""
import json
import os
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
import modbus  # noqa: E402
from box import conduit  # noqa: E402
from ends import Hub, ip  # noqa: E402
from ground import RAW4, V4, V6, Ground, Watch  # noqa: E402
from net import decode, inside, sh, tcp, udp, wait_for  # noqa: E402
from states import PORTS  # noqa: E402

FORBIDDEN = b"nobody may say this"


def service(name, port, rows):
    return '%s = { protocol = "modbus"; ports = ["tcp/%d"]; allow = ( %s ); };\n' % (name, port, rows)


READ_ROW = '{ commands = ["read"]; units = [1]; holding = ["0-99"]; }'


def write_row(values="0-65535", holding="0-99"):
    return '{ commands = ["write"]; units = [1]; holding = ["%s"]; values = ["%s"]; }' % (holding, values)


class Policy:
    """The policy as a value: what an event changes is one argument."""

    def __init__(self, **change):
        self.change = change

    def but(self, **change):
        return Policy(**{**self.change, **change})

    def services(self):
        c = self.change
        out = service("pw", 502, write_row(c.get("values", "0-65535"), c.get("holding", "0-99")))
        both = READ_ROW + ", " + write_row()
        for name, port in PORTS.items():
            if name not in ("commands", "fast"):
                out += service("p_" + name, port, READ_ROW if name == "observe" else both)
        return out + service("pr", 502, READ_ROW)

    def conduits(self):
        c = self.change
        keys = dict({"criticality": "cargo"}, **c.get("keys", {}))
        where = {"sources": ["10.72.0.9", "2001:db8:72::9"]} if c.get("elsewhere") else {}
        out = [conduit(c.get("name", "reads"), "ops", "ot", ["pr"], **keys, **where)]
        if c.get("writes", True):
            out.append(conduit("writes", "ops", "ot", ["pw"], **keys, **where))
        if c.get("successor"):
            for name, service_name in (("reads-next", "pr"), ("writes-next", "pw")):
                out.append(conduit(name, "ops", "ot", [service_name], **dict(keys, until=c["successor"])))
        if c.get("others"):
            out.append(conduit("others", "ops", "ot", ["pr"], sources=["10.72.0.77"], criticality="cargo"))
        out += [conduit("held", "ops", "ot", ["p_hold"], when_down="hold", when_overloaded="hold", when_midstream="pick_up"),
                conduit("opened", "ops", "ot", ["p_open"], when_down="open", when_overloaded="open", when_midstream="pick_up"),
                conduit("watched", "ops", "ot", ["p_observe"], mode="observe", when_midstream="pick_up"),
                conduit("under", "ops", "ot", ["p_shadow"], when_midstream="pick_up"),
                conduit("over", "ops", "ot", ["p_shadow"], mode="observe", shadow=True, when_midstream="pick_up"),
                conduit("picked", "ops", "ot", ["p_pick_up"], when_midstream="pick_up"),
                conduit("plain", "ops", "ot", ["plain", "plain_tcp", "ping"]),
                conduit("names", "ops", "ot", ["names"]),
                conduit("web", "it", "ops", ["web"])]
        return out


class Field(Ground):
    def __init__(self, build, run, seed):
        self.facts = {}
        for line in sh("ip", "netns", "list").stdout.splitlines():  # what a run that was killed left behind
            if line.startswith(os.environ["PREFIX"]):
                sh("ip", "netns", "del", line.split()[0], check=False)
        super().__init__(build, run, seed)
        self.ports = 20000
        self.start()
        self.apply_policy(Policy())
        self.settle_neighbours()
        self.ops, self.ot = Hub(self, "ops"), Hub(self, "ot")

    def next_port(self):
        self.ports += 1
        return self.ports

    def write_policy(self, policy):
        """The policy folder; the path of its main text."""
        path = super(Ground, self).write(*policy.conduits())
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
        return path

    def apply_policy(self, policy, *options, check=True):
        done = self.sekisho("apply", "--json", *options, self.write_policy(policy), check=False)
        if check and done.returncode != 0:
            raise RuntimeError("apply %s: status %d: %s" % (options, done.returncode, done.stdout + done.stderr))
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.startswith("{") else {"text": done.stdout + done.stderr}

    def ready(self):
        wait_for(self.running, 6, "every role at work")

    def poke_lanes(self):
        """A packet for every worker, so that somebody waits for an answer. Nothing, so that a wait goes on."""
        for n in range(16):
            a, b = RAW4["ops"], RAW4["ot"]
            self.ops.send(ip(a, b, 17, udp(a, b, 6000 + n, 53, b"\0\1\1\0\0\1\0\0\0\0\0\0\4kita\0\0\1\0\1")))

    def close(self):
        for hub in (getattr(self, "ops", None), getattr(self, "ot", None)):
            if hub:
                hub.close()
        super().close()


class Poller:
    """A kernel's own client polls a kernel's own server every few milliseconds, so that at any moment a packet is in a queue, in
    a ring or between two rules. Losses are counted by both kernels: what was said again, but for what its receiver had already
    (a duplicate SACK, RFC 2883), which was late and not lost."""
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
        self.s.settimeout(6)
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

    def goes_on(self):
        before = self.polls
        wait_for(lambda: self.failure or self.polls > before + 3, 3, "a poll")
        return self.failure is None

    def close(self):
        self.ended.set()
        self.thread.join()
        self.s.close()
        self.listener.close()


class Intruder:
    """Says what no policy of the matrix allows, as fast as it can, from before an event until after it; what arrives is counted
    at the receiver."""

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
            self.packets.append(("it", ip(a, b, 17, udp(a, b, 5, 9000, self.words("it")))))  # a forged source
        self.watch = Watch(field)
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
                pass  # the link is down: nobody hears it
            self.sent += 1

    def end(self):
        """(sent, what arrived: where, source, destination, protocol, ports)"""
        self.ended.set()
        self.thread.join()
        # an error of the box may quote them to the zone that they came from
        frames = [(z, decode(f)) for z in self.watch for f in self.watch[z].incoming()
                  if FORBIDDEN in f and f[6:12] == self.watch.macs[z] and self.words(z) not in f]
        arrived = [(z,) + f[1:4] + struct.unpack("!HH", f[4][:4]) for z, f in frames if f]
        self.watch.close()
        for wire in self.wires.values():
            wire.close()
        return self.sent, arrived

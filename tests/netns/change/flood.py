#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Uses up a limited resource of the box, as a process of its own: flood.py KIND SECONDS SEED PREFIX
MAC-OPS MAC-OT MAC-IT [MOST]"""
import os
import random
import select
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from modbus import read_holding  # noqa: E402
from net import Wire, decode, inside, ip4, tcp, udp  # noqa: E402
from packets import ACK, PSH, SYN  # noqa: E402
from slmp import Form  # noqa: E402

# A host that does not exist, and an address whose host sends no resets.
OPS, OT = "10.72.0.9", "10.73.0.3"


def questions(rng):
    """Queries for names from many ports: flows of a worker's naming share."""
    for n in range(12000):
        source = "10.72.0.%d" % (10 + n % 200)
        asked = struct.pack("!HHHHHH", n & 0xffff, 0x100, 1, 0, 0, 0) + b"\4port\4test\0\0\1\0\1"
        yield "ops", ip4(source, OT, 17, udp(source, OT, 1024 + rng.randrange(60000), 53, asked))


def repeated(_rng):
    """One query, repeated as fast as possible: a queue overruns, and no share is full."""
    asked = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\4port\4test\0\0\1\0\1"
    for _ in range(256):
        yield "ops", ip4(OPS, OT, 17, udp(OPS, OT, 40000, 53, asked))


def nonsense(_rng):
    """The same with datagrams that are no queries: each is refused, so the flow is never
    released."""
    for _ in range(256):
        yield "ops", ip4(OPS, OT, 17, udp(OPS, OT, 40000, 53, b"no question at all" * 4))


def readings(_rng):
    """The same with one reading of a controller by datagrams, which a worker for commands
    judges."""
    asked = Form(False, False).read("d", 100, 1)
    for _ in range(256):
        yield "ops", ip4(OPS, OT, 17, udp(OPS, OT, 40000, 5008, asked))


def kept(port):
    """Sessions with one segment of requests each that no server ever acknowledges: the box keeps
    the segments until then."""
    def packets(rng):
        requests = b"".join(read_holding(0, 4, tid=n) for n in range(80))
        for n in range(4400):
            mine, at, theirs = 20000 + n, rng.randrange(1 << 32), rng.randrange(1 << 32)
            following, answered = (at + 1) & 0xffffffff, (theirs + 1) & 0xffffffff
            yield "ops", ip4(OPS, OT, 6, tcp(OPS, OT, mine, port, at, 0, SYN))
            yield "ot", ip4(OT, OPS, 6, tcp(OT, OPS, port, mine, theirs, following, SYN | ACK))
            yield "ops", ip4(OPS, OT, 6, tcp(OPS, OT, mine, port, following, answered, ACK))
            yield "ops", ip4(OPS, OT, 6, tcp(OPS, OT, mine, port, following, answered, ACK | PSH, requests))
    return packets


KINDS = {"questions": questions, "repeated": repeated, "nonsense": nonsense, "readings": readings, "pool_hold": kept(1502), "pool_commands": kept(502)}
# Packets a second of floods whose sessions have to open. A session takes four packets, so these are
# fewer than the 8,000 sessions a second that the rules let two hosts open.
PACE = {"pool_hold": 16000, "pool_commands": 16000}


# ---- sessions that stay --------------------------------------------------------------------------

# Zone and network of the clients, which do not exist; zone, address and port of the server.
CROWDS = {"strangers": ("it", "10.71.0.", "ops", "10.72.0.3", 443), "own_zone": ("ops", "10.72.0.", "ot", OT, 502)}
# SYNs sent together; seconds between the last one that was received and the next ones
BATCH, BREATH = 48, 0.004


class Crowd:
    """Completed handshakes without any data afterwards. SYNs alone fill no share of sessions,
    because they are forgotten sooner than they may arrive. A handshake continues when its SYN is
    received at the server's host. So the crowd grows as slowly as the box lets it, and never faster
    than sessions may open."""

    def __init__(self, kind, wires, prefix):
        clients, self.network, servers, self.server, self.port = CROWDS[kind]
        self.client_wire, self.server_wire = wires[clients], wires[servers]
        with inside(prefix + servers):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)  # SO_RCVBUFFORCE
        self.sock.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
        self.sock.bind(("eth0", 0))
        self.sock.setblocking(False)
        self.ready = select.poll()
        self.ready.register(self.sock, select.POLLIN)

    def segment(self, wire, ends, *numbers):
        try:
            wire.send(ip4(ends[0], ends[1], 6, tcp(*ends, *numbers)))
        except OSError:
            pass  # the link is down

    def complete(self):
        """Answers a received SYN of ours in the server's name, and completes the handshake in the
        client's. Returns whether there was one."""
        try:
            found = decode(self.sock.recv(70000))
        except OSError:
            return False
        if not found or found[0] != 4 or found[2] != self.server or found[3] != 6 or not found[1].startswith(self.network):
            return False
        source, port, seq, flags = found[1], *struct.unpack("!H2xI5xB", found[4][:14])
        if flags != SYN or int(source.rsplit(".", 1)[1]) < 10:
            return False
        self.segment(self.server_wire, (self.server, source, self.port, port), 1, seq + 1, SYN | ACK)
        self.segment(self.client_wire, (source, self.server, port, self.port), seq + 1, 2, ACK)
        return True

    def fill(self, rng, end, most):
        """Opens sessions until there are `most`, or hardly any new SYN is received. Returns how
        many packets that took."""
        sent = total = tried = heard = 0
        began = time.monotonic()
        while total < most and time.monotonic() < end:
            for _ in range(BATCH):
                source = self.network + str(10 + rng.randrange(240))
                self.segment(self.client_wire, (source, self.server, 1024 + rng.randrange(60000), self.port), rng.randrange(1 << 30), 0, SYN)
            tried, pause = tried + BATCH, time.monotonic() + BREATH
            while time.monotonic() < pause:  # others send there all the time
                if self.ready.poll(1) and self.complete():
                    heard, pause = heard + 1, time.monotonic() + BREATH
            if time.monotonic() > began + 0.3 and tried >= 20 * BATCH:
                sent, total = sent + tried + 2 * heard, total + heard
                if heard < tried // 20:
                    break
                began, tried, heard = time.monotonic(), 0, 0
        return sent


def unhindered():
    """The flood stands for another machine: the load of this one must not slow it down."""
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    try:
        # if sessions share the cores, the priority of this one
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:
            group.write("-10")
    except OSError:
        pass


def main():
    unhindered()
    kind, seconds, rng, prefix = sys.argv[1], float(sys.argv[2]), random.Random(int(sys.argv[3])), sys.argv[4]
    wires = {zone: Wire(prefix + zone, "eth0", mac) for zone, mac in zip(("ops", "ot", "it"), sys.argv[5:8])}
    end, sent = time.monotonic() + seconds, 0
    if kind in CROWDS:
        print(Crowd(kind, wires, prefix).fill(rng, end, int(sys.argv[8])))
        return
    packets, pace, began = list(KINDS[kind](rng)), PACE.get(kind, 1 << 30), time.monotonic()
    while time.monotonic() < end:
        for zone, packet in packets:
            if sent % 64 == 0:
                threading.Event().wait(max(0, began + sent / pace - time.monotonic()))
            try:
                wires[zone].send(packet)
                sent += 1
            except OSError:
                pass
            if sent % 256 == 0 and time.monotonic() > end:
                break
    print(sent)


if __name__ == "__main__":
    main()

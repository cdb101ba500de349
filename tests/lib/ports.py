# SPDX-License-Identifier: Apache-2.0
"""Frames to ports of TCP and UDP. With SEKISHO_ALL all ports get one; otherwise every 64th, by a
printed seed, and those of common services. All frames come from one port, by which they are
recognised."""
import os
import random
import struct

from net import checksum, ip4, ip6, pseudo

FROM = 40404
SEED = int(os.environ.get("SEED") or random.randrange(1 << 31))
COMMON = {22, 53, 67, 80, 123, 161, 179, 323, 443, 502, 514, 546, 547, 5353, 6514, 8443}
PORTS = range(1, 65536) if os.environ.get("SEKISHO_ALL") else sorted(COMMON | set(range(1 + SEED % 64, 65536, 64)))


def drawn():
    """The words by which a case names the drawn ports in its output."""
    return "all ports" if os.environ.get("SEKISHO_ALL") else "%d ports (seed %d)" % (len(PORTS), SEED)


def template(l2, source, target, protocol):
    """A frame to port 0: its bytes, the places of port and checksum, and the sum to which a port is
    added. `l2`: hardware addresses and tags."""
    head = struct.pack("!HHIIBBHHH", FROM, 0, 7, 0, 5 << 4, 2, 64240, 0, 0) if protocol == 6 else struct.pack("!HHHH", FROM, 0, 12, 0) + b"ask;"
    total = ~checksum(pseudo(source, target, protocol, len(head)) + head) & 0xffff
    six = ":" in source
    packet = (ip6 if six else ip4)(source, target, protocol, head)
    at = len(l2) + 2 + (40 if six else 20)
    return bytearray(l2 + (b"\x86\xdd" if six else b"\x08\x00") + packet), at + 2, at + (16 if protocol == 6 else 6), total


def every_port(s, l2, source, target):
    for protocol in (6, 17):
        frame, port_at, sum_at, total = template(l2, source, target, protocol)
        for port in PORTS:
            value = total + port
            value = ~((value & 0xffff) + (value >> 16)) & 0xffff
            struct.pack_into("!H", frame, port_at, port)
            struct.pack_into("!H", frame, sum_at, value or (0xffff if protocol == 17 else 0))
            s.send(frame)

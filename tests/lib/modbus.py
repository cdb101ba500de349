# SPDX-License-Identifier: Apache-2.0
"""A hand-made Modbus/TCP client, which also sends what no library would, and an independent counter
of PDUs."""
import socket
import struct

from net import SLOWNESS, inside


def read_holding(address, count, unit=1, tid=1):
    return struct.pack("!HHHBBHH", tid, 0, 6, unit, 3, address, count)


def write_register(address, value, unit=1, tid=2):
    return struct.pack("!HHHBBHH", tid, 0, 6, unit, 6, address, value)


def write_registers(address, values, unit=1, tid=3):
    body = struct.pack("!BBHHB", unit, 16, address, len(values), 2 * len(values)) + struct.pack("!%dH" % len(values), *values)
    return struct.pack("!HHH", tid, 0, len(body)) + body


def pdus(stream):
    """(unit, function, data) of every complete ADU of a stream; stops at the first invalid one."""
    out = []
    while len(stream) >= 8:
        _, protocol, length = struct.unpack("!HHH", stream[:6])
        if protocol != 0 or length < 2 or len(stream) < 6 + length:
            break
        out.append((stream[6], stream[7], stream[8:6 + length]))
        stream = stream[6 + length:]
    return out


def connect(ns, destination, port, source=None, sport=0, timeout=1.0):
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with inside(ns):
        s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(timeout * SLOWNESS)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if source:
        s.bind((source, sport))
    try:
        s.connect((destination, port))
    except BaseException:
        s.close()
        raise
    return s


def answer(s):
    """One complete ADU from the server; b"" at the end."""
    head = b""
    while len(head) < 6:
        part = s.recv(6 - len(head))
        if not part:
            return b""
        head += part
    body = b""
    want = struct.unpack("!H", head[4:6])[0]
    while len(body) < want:
        part = s.recv(want - len(body))
        if not part:
            return b""
        body += part
    return head + body

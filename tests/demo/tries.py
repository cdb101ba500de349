# SPDX-License-Identifier: Apache-2.0
"""How the demonstration tries something, and how it counts what arrived.

A try returns one word: "passed" (an answer came back), "reset" (the session was cut and heard),
"silent" (nothing came back). `leak` then counts, in the frames that arrived at the receiving
interface, what must never arrive there.
"""
import errno
import os
import random
import socket
import ssl
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import modbus  # noqa: E402
from net import SLOWNESS, decode, inside, sh, tcp_streams  # noqa: E402

QUIET = 0.4 * SLOWNESS    # seconds without an answer that count as silence
PATIENT = 2.5 * SLOWNESS  # when an answer is expected: a lost SYN is repeated after a second


def outcome(action):
    try:
        return "passed" if action() else "reset"
    except (ConnectionResetError, BrokenPipeError, ConnectionRefusedError):
        return "reset"
    except (socket.timeout, TimeoutError, ssl.SSLError) as e:
        if isinstance(e, ssl.SSLError) and not isinstance(e, socket.timeout):
            return "reset" if "EOF" in str(e) or "reset" in str(e).lower() else "passed"
        return "silent"
    except OSError as e:
        if e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES):
            return "refused"
        if e.errno == errno.ECONNRESET:
            return "reset"
        raise


def speak(ns, destination, port, pieces, source=None, patience=PATIENT):
    """Connects, sends each piece as a segment of its own, and waits for an answer."""
    def action():
        s = modbus.connect(ns, destination, port, source, timeout=patience)
        s.settimeout(patience)
        try:
            for piece in pieces:
                s.sendall(piece)
            return modbus.answer(s)
        finally:
            s.close()
    return lambda: outcome(action)


def raw_speak(ns, destination, port, data):
    def action():
        s = modbus.connect(ns, destination, port, timeout=PATIENT)
        s.settimeout(PATIENT)
        try:
            s.sendall(data)
            return s.recv(100)
        finally:
            s.close()
    return lambda: outcome(action)


def program(ns, *args, good=0):
    def action():
        done = sh(*args, ns=ns, check=False, timeout=15)
        text = (done.stdout + done.stderr).lower()
        if done.returncode == good:
            return "passed"
        return "reset" if "reset" in text or "closed" in text or "refused" in text else "silent"
    return action


def ping(ns, address):
    return lambda: "passed" if sh("ping", "-n", "-c", "1", "-W", str(SLOWNESS), address, ns=ns, check=False).returncode == 0 else "silent"


def datagram(ns, destination, port, data, source=None):
    def action():
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        with inside(ns):
            s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(QUIET)
        if source:
            s.bind((source, 0))
        s.connect((destination, port))
        try:
            s.send(data)
            return s.recv(2000)
        finally:
            s.close()
    return lambda: outcome(action)


def dns_query(name):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!HHHHHH", random.getrandbits(16), 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


# ---- what must not have arrived ------------------------------------------------------------------

def arrived(source, port=None, proto=6):
    """Packets from `source` (and to that port) at the receiving interface. Resets without payload
    are the box's own."""
    def count(frames):
        n = 0
        for frame in frames:
            found = decode(frame)
            if not found or found[1] != source or found[3] != proto:
                continue
            if proto in (6, 17) and len(found[4]) >= 4 and port is not None and struct.unpack("!H", found[4][2:4])[0] != port:
                continue
            if proto == 6 and len(found[4]) >= 20 and found[4][13] & 4 and len(found[4]) == (found[4][12] >> 4) * 4:
                continue
            n += 1
        return n
    return count


def whole_pdus(source, forbidden):
    """The number of complete Modbus requests from `source`, put together as by the PLC, for which
    `forbidden(unit, function, data)` is true."""
    def count(frames):
        n = 0
        for (src, _, _, dport), stream in tcp_streams(frames).items():
            if src == source and dport == 502:
                n += sum(1 for p in modbus.pdus(stream) if forbidden(*p))
        return n
    return count


def payload_with(source, marker):
    def count(frames):
        return sum(1 for f in frames if (decode(f) or (0, ""))[1] == source and marker in f)
    return count


def stream_with(source, marker):
    """Whether a stream of `source` contains these bytes, however it was split."""
    def count(frames):
        return sum(data.count(marker) for (src, *_), data in tcp_streams(frames).items() if src == source)
    return count


def is_write(_unit, function, _data):
    return function in (5, 6, 15, 16, 21, 22, 23)

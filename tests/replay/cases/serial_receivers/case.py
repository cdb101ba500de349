# SPDX-License-Identifier: Apache-2.0
import os
import random
import struct

import wire
from wire import ACK, PSH, modbus

try:
    from pymodbus.factory import ServerDecoder
    from pymodbus.framer.ascii_framer import ModbusAsciiFramer
    from pymodbus.framer.rtu_framer import ModbusRtuFramer
except ImportError:
    ModbusRtuFramer = None

TOS, CRANE = "10.20.0.10", "10.30.1.10"
SESSIONS = 300

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "modbus"; ports = ["tcp/502", "udp/502"]; allow = ( { functions = [3, 16]; holding = ["0-99"]; } ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""


def crc(b):
    c = 0xFFFF
    for x in b:
        c ^= x
        for _ in range(8):
            c = c >> 1 ^ 0xA001 if c & 1 else c >> 1
    return struct.pack("<H", c)


def rtu(b):
    return b + crc(b)


def ascii(b):
    return b":" + (b + bytes([-sum(b) & 255])).hex().upper().encode() + b"\r\n"


class Searching:
    """A receiver that looks for an RTU frame at every byte."""

    def __init__(self):
        self.buffer = b""

    def feed(self, chunk):
        done, self.buffer = [], (self.buffer + chunk)[-1024:]
        at = 0
        while at + 4 <= len(self.buffer):
            b = self.buffer[at:]
            n = 8 if b[1] in (1, 2, 3, 4, 5, 6) else 9 + b[6] if b[1] in (15, 16) and len(b) > 6 else 0
            if 0 < n <= len(b) and crc(b[:n]) == b"\0\0":
                done.append((b[1], struct.unpack("!H", b[2:4])[0]))
                self.buffer, at = self.buffer[at + n:], 0
            else:
                at += 1
        return done


class Pymodbus:
    """The framer of pymodbus."""

    def __init__(self, kind):
        server = self

        class Decoder(ServerDecoder):
            def decode(self, message):
                server.message = bytes(message)
                return super().decode(message)

        self.framer, self.closed = kind(Decoder()), False

    def feed(self, chunk):
        done = []

        def taken(_):
            done.append((self.message[0], struct.unpack("!H", (self.message[1:3] + b"\0\0")[:2])[0]))

        try:
            if not self.closed:
                self.framer.processIncomingPacket(chunk, taken, unit=[0], single=True)
        except Exception:  # the server closes the connection
            self.closed = True
        return done


MODELS = {"searching": Searching}
if ModbusRtuFramer:
    MODELS.update({"pymodbus, RTU": lambda: Pymodbus(ModbusRtuFramer), "pymodbus, ASCII": lambda: Pymodbus(ModbusAsciiFramer)})


def forbidden(function, address):
    return function not in (3, 16) or address > 99


def write(rng, tid):
    """An allowed write whose values contain forbidden requests in the other framings, and the
    offset where they begin."""
    evil = rng.choice([rtu, rtu, ascii])(struct.pack("!BBHH", rng.choice([1, 17]), rng.choice([5, 6]), 259, 0xFF00))
    pad = bytes(rng.randrange(12))
    body = pad + evil * rng.randrange(1, 3)
    body += bytes(len(body) % 2)
    return modbus(tid, 1, struct.pack("!BHHB", 16, rng.randrange(8), len(body) // 2, len(body)) + body), 13 + len(pad)


def session(rng):
    segments = []
    for tid in range(1, rng.randrange(2, 5)):
        if rng.random() < 0.5:
            segments.append(modbus(tid, 1, struct.pack("!BHH", 3, rng.randrange(90), 4)))
            continue
        b, at = write(rng, tid)
        cut = rng.choice([0, at, at, rng.randrange(1, len(b))])
        segments += [b[:cut], b[cut:]] if cut else [b]
    return segments


def run(t, model, sessions):
    out, executed = [], {}
    for n, segments in enumerate(sessions):
        server, s = MODELS[model](), wire.Session(out, TOS, 20000 + n, CRANE, 502).open()
        for b in segments:
            s.c2s(PSH | ACK, b)
            if any(forbidden(*x) for x in server.feed(b)):
                executed.setdefault(20000 + n, len(out))
    r = t.replay(t.file(model.replace(", ", "-") + ".pcap", wire.pcap(out)), "--as-box", policy=t.file("policy.cfg", POLICY))
    refused = {int(x["client"].rsplit(":", 1)[1]): x["packet"] for x in r.flows if x["verdict"] == "deny"}
    bad = [(port, frame) for port, frame in executed.items() if frame < refused.get(port, 1 << 60)]
    return len(executed), bad, len(sessions) - len(refused)


def check(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    if not ModbusRtuFramer:
        t.skip("serial_receivers, pymodbus", "it is not installed")
    rng = random.Random(seed)
    sessions = [session(rng) for _ in range(SESSIONS)]
    for model in MODELS:
        attacks, bad, whole = run(t, model, sessions)
        t.note("%s: %d of %d sessions are attacks on it, %d pass whole" % (model, attacks, SESSIONS, whole))
        t.equal(model + ": forbidden and executed", bad[:3], [])
        t.true(model + ": some sessions are attacks", attacks > 0)
        t.true(model + ": some sessions pass", whole > 20)
    # A read and the beginning of the next one, to each receiver and over either transport.
    read = bytes.fromhex("0110000000060c0300000001dd1200000006010300")
    reads = t.file("reads.cfg", POLICY.replace("[3, 16]", "[3]"))
    if ModbusRtuFramer:
        t.true("pymodbus writes what it reads there", Pymodbus(ModbusRtuFramer).feed(read)[:1] == [(16, 0)])
    for udp in (False, True):
        out = []
        if udp:
            out += [wire.udp(TOS, 20000, CRANE, 502, b) for b in (rtu(struct.pack("!BBHH", 1, 6, 0, 4)), rtu(struct.pack("!BBHH", 1, 3, 0, 2)))]
        else:
            wire.Session(out, TOS, 20000, CRANE, 502).open().c2s(PSH | ACK, read)
        for how in ("--as-box", "--as-captured"):
            r = t.replay(t.file("one-%d.pcap" % udp, wire.pcap(out)), how, policy=reads)
            said = [(p["unit"], p["function"], p["reason"]) for p in r.said if p["verdict"] == "deny"]
            t.equal("%s, %s: refused and named" % ("UDP" if udp else "TCP", how), said,
                    [(1, 6, "modbus.serial"), (1, 3, "modbus.serial")] if udp else [(1, 16, "modbus.serial")])

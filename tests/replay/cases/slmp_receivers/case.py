# SPDX-License-Identifier: Apache-2.0
import os
import random
import sys

import wire
from wire import ACK, PSH

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import slmp  # noqa: E402

TOS, CRANE = "10.20.0.10", "10.30.1.10"
SESSIONS = 400

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "slmp"; ports = ["tcp/5007"]; allow = ( { functions = ["batch_read", "batch_write"]; d = ["0-999"]; } ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""


def forbidden(command, sub, data, ascii):
    """Whether a server that executes this does something that the row does not allow."""
    if command >> 8 == 0x10:
        return True
    if command not in slmp.READS | slmp.WRITES or sub > 3:
        return False
    try:
        seen, left = slmp.effects({"command": command, "sub": sub, "data": slmp.Reader(data, ascii)})
    except (ValueError, KeyError):
        return False  # nobody executes half of a request
    return any(n != "d" or k > 999 for n, k, *_ in list(seen) + left) or (command not in (0x0401, 0x1401) and bool(seen or left))


class Server:
    """A server that cuts the stream by the length in the header, and needs the right subheader."""
    ascii = False

    def __init__(self, f):
        self.f, self.buffer, self.done, self.closed = f, b"", [], False

    def number(self, b, at, width=2):
        part = b[2 * at:2 * (at + width)] if self.f.ascii else b[at:at + width]
        try:
            return int(part, 16) if self.f.ascii else int.from_bytes(part, "little")
        except ValueError:
            self.closed = True
            return 0

    def units(self, b):
        return len(b) // 2 if self.f.ascii else len(b)

    def execute(self, frame, header):
        """`header`: the position of the monitoring timer, in bytes or pairs of digits. Returns the
        answer."""
        command, sub = self.number(frame, header + 2), self.number(frame, header + 4)
        data = frame[2 * (header + 6):] if self.f.ascii else frame[header + 6:]
        self.done.append(forbidden(command, sub, data, self.f.ascii))
        try:
            return slmp.Controller().handle(frame)
        except (ValueError, KeyError, AttributeError):
            return self.f.answer(end=0x50)

    def head(self, b):
        """Bytes, or pairs of digits, before the monitoring timer, and before the length; None:
        close the connection; 0: more bytes are needed."""
        if len(b) < (4 if self.f.ascii else 2):
            return 0
        form, asks = slmp.form_of(b)
        if form is not self.f or not asks:
            return None
        return 13 if form.four else 9

    def feed(self, chunk):
        self.buffer += chunk
        out = []
        while not self.closed and self.buffer:
            h = self.head(self.buffer)
            if h is None:
                self.closed = True
                break
            if h == 0 or self.units(self.buffer) < h:
                break
            n = self.number(self.buffer, h - 2)
            size = h * 2 + n if self.f.ascii else h + n
            if len(self.buffer) < size:
                break
            if n >= (12 if self.f.ascii else 6):
                out.append(self.execute(self.buffer[:size], h))
            self.buffer = self.buffer[max(size, 1):]
        return out


class Lenient(Server):
    def head(self, b):
        if len(b) < (4 if self.f.ascii else 2):
            return 0
        return 9 if b[:2] == (b"50" if self.f.ascii else b"\x50\0") else 13


class Headers(Server):
    def head(self, b):
        n, four = self.units(b), b[:2] == b"54" if self.f.ascii else b[0] in (0x54, 0xd4)
        if n >= 15 and four:
            return 13
        if n >= 11 and self.number(b, 7) >= 2:
            return 9
        return 7 if n >= 9 and self.number(b, 5) >= 2 else 0


class Reading(Server):
    most = 4096

    def feed(self, chunk):
        out = []
        for k in range(0, len(chunk), self.most):
            part = chunk[k:k + self.most]
            form, asks = slmp.form_of(part)
            h = 13 if form and form.four else 9
            if form and asks and self.units(part) >= h + 6:
                n = self.number(part, h - 2)
                out.append(self.execute(part[:h * 2 + n if self.f.ascii else h + n], h))
        return out


class ShortReads(Reading):
    most = 1024


class First(Reading):
    """A server that also knows 1E frames: a write of words."""

    def feed(self, chunk):
        if not self.f.ascii and len(chunk) >= 14 and chunk[0] == 3 and chunk[8:10] == b"\x20\x44":
            self.done.append(int.from_bytes(chunk[4:8], "little") > 999)
            return [b"\x83\0"]
        return super().feed(chunk)


class Searching(Server):
    def feed(self, chunk):
        self.buffer += chunk
        while self.buffer:
            form, asks = slmp.form_of(self.buffer)
            if form is self.f and asks:
                break
            self.buffer = self.buffer[1:]
        out = []
        while slmp.form_of(self.buffer)[0] is self.f and slmp.cut(self.buffer):
            frame, self.buffer = slmp.cut(self.buffer)
            out.append(self.execute(frame, 13 if self.f.four else 9))
        return out


MODELS = {"length": Server, "lenient": Lenient, "headers": Headers, "reading": Reading, "first form": First, "short reads": ShortReads,
          "searching": Searching}


def evil(rng, f):
    """A forbidden frame. In ASCII a value cannot contain the letters of a device, so only commands
    without devices are possible."""
    kind = rng.randrange(5) if not f.ascii else 3
    if kind == 4:  # 1E
        return bytes([3, 0xFF, 10, 0]) + (1000 + rng.randrange(9)).to_bytes(4, "little") + b"\x20\x44\1\0" + f.num(2, 7)
    if kind == 0:
        return f.write("d", 1000 + rng.randrange(9), [rng.randrange(65536)])
    if kind == 1:
        return f.write_bits("y", rng.randrange(64), [1] * rng.randrange(1, 4))
    if kind == 2:
        return f.request(0x1402, 0, f.num(1, 1) + f.num(1, 0) + f.device(False, "d", 5000) + f.num(2, 1))
    return f.request(rng.choice([0x1002, 0x1006]), 0, f.num(2, 1))


def session(rng, f):
    """The segments of a session, and after which of them the server reads."""
    stream, cuts = b"", set()
    for _ in range(rng.randrange(1, 5)):
        at = len(stream)
        if rng.random() < 0.05:  # a header whose length is larger than the frame
            request, more = evil(rng, f), rng.choice([1, 2, 100, 900])
            h = f.frame(True, 1, slmp.OWN, b"")
            width = len(f.num(2, 0))
            length = f.num(2, len(request) - len(h) + more)
            stream += request[:len(h) - width] + length + request[len(h):] + b"0" * rng.choice([0, 0, more - 1])
            break
        if rng.random() < 0.3:
            stream += f.read("d", rng.randrange(900), rng.randrange(1, 9))
        else:
            unit = 4 if f.ascii else 2
            pad = b"0" * rng.choice([0, 1, 2, 3, 7, 8, 10, 11, rng.randrange(40), rng.randrange(1100)])
            body = pad + evil(rng, f) * rng.randrange(1, 3)
            if rng.random() < 0.3:  # a frame without its subheader
                body = pad + evil(rng, f)[4 if f.ascii else 2:]
            body += b"0" * (-len(body) % unit)
            # a receiver that loses its position after ten bytes of a header takes the device's
            # number for a length, which leads to the forbidden frame
            head = f.request(0x1401, 0, f.device(False, "d", rng.choice([0, len(pad) + 2])) + f.num(2, len(body) // unit))
            # a length that fits the following bytes as well
            width, h = (2, 2 * (13 if f.four else 9)) if f.ascii else (1, 13 if f.four else 9)
            length = len(head) - h + len(body)
            head = head[:h - 2 * width] + f.num(2, length) + head[h:]
            stream += head + body
            for where in (len(pad), len(pad) + rng.randrange(-4, 4), rng.randrange(len(body))):
                if rng.random() < 0.4:
                    cuts.add(at + len(head) + where)
        for where in (7, 9, 10, 11, 14, rng.randrange(1, 30)):
            if rng.random() < 0.15:
                cuts.add(at + where)
        if rng.random() < 0.6:
            cuts.add(len(stream))
    cuts = [0] + sorted(c for c in cuts if 0 < c < len(stream)) + [len(stream)]
    return [(stream[a:b], rng.random() < 0.7) for a, b in zip(cuts, cuts[1:])]


def run(t, model, f, sessions):
    """The forbidden requests that the model executed: in total, and before the box refused
    something."""
    out, executed = [], {}
    for n, segments in enumerate(sessions):
        server, waiting, done = MODELS[model](f), b"", executed.setdefault(20000 + n, [])
        s = wire.Session(out, TOS, 20000 + n, CRANE, 5007).open()
        for payload, now in segments + [(b"", True)]:
            if payload:
                s.c2s(PSH | ACK, payload)
            waiting += payload
            if not now:
                continue
            before = len(server.done)
            answers = server.feed(waiting) if waiting and not server.closed else []
            waiting = b""
            done += [len(out) for bad in server.done[before:] if bad]
            for a in answers:
                s.s2c(PSH | ACK, a)
    name = model.replace(" ", "-") + "-%d%d" % (f.four, f.ascii)
    r = t.replay(t.file(name + ".pcap", wire.pcap(out)), "--as-box", policy=t.file("policy.cfg", POLICY))
    refused = {int(x["client"].rsplit(":", 1)[1]): x["packet"] for x in r.flows if x["verdict"] == "deny"}
    attacks = sum(1 for done in executed.values() if done)
    bad = [(port, frame) for port, done in executed.items() for frame in done if frame < refused.get(port, 1 << 60)]
    return attacks, bad, len(sessions) - len(refused)


def check(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    t.note("SEKISHO_SEED=%d" % seed)
    for f in slmp.FORMS:
        rng = random.Random(seed)
        sessions = [session(rng, f) for _ in range(SESSIONS)]
        for model in MODELS:
            attacks, bad, whole = run(t, model, f, sessions)
            t.note("%s, %s: %d of %d sessions are attacks on it, %d pass whole" % (f, model, attacks, SESSIONS, whole))
            t.equal("%s, %s: forbidden and executed" % (f, model), bad[:3], [])
            if model == "reading":
                t.true("%s, %s: some sessions are attacks" % (f, model), attacks > 0)
            t.true("%s, %s: some sessions pass" % (f, model), whole > 20)

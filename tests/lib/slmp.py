# SPDX-License-Identifier: Apache-2.0
"""MC protocol / SLMP by hand, written from the manuals without the product's code: frames in all
four forms (3E and 4E, each binary and ASCII), a reader that tells what a request touches and
writes, and a controller with words and bits."""
import socket
import threading

import serving

OWN = (0, 0xff, 0x3ff, 0)
# name: binary code, ASCII of Q/L, ASCII of iQ-R, hexadecimal numbers, bits
DEVICES = {
    "sm": (0x91, "SM", "SM", 0, 1), "sd": (0xa9, "SD", "SD", 0, 0), "x": (0x9c, "X*", "X", 1, 1), "y": (0x9d, "Y*", "Y", 1, 1),
    "m": (0x90, "M*", "M", 0, 1), "l": (0x92, "L*", "L", 0, 1), "f": (0x93, "F*", "F", 0, 1), "v": (0x94, "V*", "V", 0, 1),
    "b": (0xa0, "B*", "B", 1, 1), "d": (0xa8, "D*", "D", 0, 0), "w": (0xb4, "W*", "W", 1, 0), "ts": (0xc1, "TS", "TS", 0, 1),
    "tc": (0xc0, "TC", "TC", 0, 1), "tn": (0xc2, "TN", "TN", 0, 0), "sts": (0xc7, "SS", "STS", 0, 1),
    "stc": (0xc6, "SC", "STC", 0, 1), "stn": (0xc8, "SN", "STN", 0, 0), "cs": (0xc4, "CS", "CS", 0, 1),
    "cc": (0xc3, "CC", "CC", 0, 1), "cn": (0xc5, "CN", "CN", 0, 0), "sb": (0xa1, "SB", "SB", 1, 1), "sw": (0xb5, "SW", "SW", 1, 0),
    "dx": (0xa2, "DX", "DX", 1, 1), "dy": (0xa3, "DY", "DY", 1, 1), "z": (0xcc, "Z*", "Z", 0, 0), "r": (0xaf, "R*", "R", 0, 0),
}
READS, WRITES = {0x0401, 0x0403, 0x0406, 0x0801}, {0x1401, 0x1402, 0x1406}


class Form:
    """3E or 4E, binary or ASCII."""

    def __init__(self, four, ascii):
        self.four, self.ascii = four, ascii

    def __repr__(self):
        return "%dE %s" % (3 + self.four, "ASCII" if self.ascii else "binary")

    def num(self, width, v):
        return b"%0*X" % (2 * width, v) if self.ascii else v.to_bytes(width, "little")

    def device(self, wide, name, number):
        code, old, new, hexa, _ = DEVICES[name]
        if not self.ascii:
            return self.num(4 if wide else 3, number) + self.num(2 if wide else 1, code)
        text = (new + "***")[:4] if wide else old
        return (text + ("%0*X" if hexa else "%0*d") % (8 if wide else 6, number)).encode()

    def frame(self, asks, serial, route, rest):
        sub = (0x50 if asks else 0xd0) | 4 * self.four
        head = self.num(2, sub << 8 if self.ascii else sub)
        if self.four:
            head += self.num(2, serial) + self.num(2, 0)
        n, s, m, d = route
        return head + self.num(1, n) + self.num(1, s) + self.num(2, m) + self.num(1, d) + self.num(2, len(rest)) + rest

    def request(self, command, sub=0, data=b"", serial=1, route=OWN):
        return self.frame(True, serial, route, self.num(2, 16) + self.num(2, command) + self.num(2, sub) + data)

    def answer(self, data=b"", end=0, serial=1, route=OWN):
        return self.frame(False, serial, route, self.num(2, end) + data)

    def read(self, name, first, n, bits=False, wide=False, serial=1):
        return self.request(0x0401, bits + 2 * wide, self.device(wide, name, first) + self.num(2, n), serial)

    def register(self, devices, serial=1):
        """Registers words of single devices by name and number, for `monitor`."""
        return self.request(0x0801, 0, self.num(1, len(devices)) + self.num(1, 0) + b"".join(self.device(False, *d) for d in devices), serial)

    def monitor(self, serial=1):
        return self.request(0x0802, 0, b"", serial)

    def write(self, name, first, values, wide=False, serial=1):
        data = b"".join(self.num(2, v) for v in values)
        return self.request(0x1401, 2 * wide, self.device(wide, name, first) + self.num(2, len(values)) + data, serial)

    def write_bits(self, name, first, values, serial=1):
        if self.ascii:
            data = "".join("%d" % v for v in values).encode()
        else:
            data = bytes(values[i] << 4 | (values[i + 1] if i + 1 < len(values) else 0) for i in range(0, len(values), 2))
        return self.request(0x1401, 1, self.device(False, name, first) + self.num(2, len(values)) + data, serial)


FORMS = [Form(four, ascii) for four in (False, True) for ascii in (False, True)]


class Reader:
    def __init__(self, data, ascii):
        self.b, self.ascii = data, ascii

    def raw(self, n):
        if n > len(self.b):
            raise ValueError("short")
        part, self.b = self.b[:n], self.b[n:]
        return part

    def num(self, width):
        if not self.ascii:
            return int.from_bytes(self.raw(width), "little")
        text = self.raw(2 * width)
        if any(c not in b"0123456789ABCDEF" for c in text):
            raise ValueError("digit")
        return int(text, 16)

    def device(self, wide):
        if not self.ascii:
            number, code = self.num(4 if wide else 3), self.num(2 if wide else 1)
            for name, d in DEVICES.items():
                if d[0] == code:
                    return name, number
            raise KeyError(code)
        text, digits = self.raw(4 if wide else 2).decode("latin-1"), self.raw(8 if wide else 6)
        for name, d in DEVICES.items():
            if text == ((d[2] + "***")[:4] if wide else d[1]):
                return name, int(digits, 16 if d[3] else 10)
        raise KeyError(text)


def form_of(b):
    """The form of the frame that begins here, and whether it is a request."""
    for f in FORMS:
        for asks in (True, False):
            if b.startswith(f.frame(asks, 0, OWN, b"")[:4 if f.ascii else 2]):
                return f, asks
    return None, False


def cut(b):
    """The first whole frame of a stream and the rest; None: incomplete. Uses the length alone."""
    f, _ = form_of(b)
    if f is None:
        return None
    at = (13 if f.four else 9) * (2 if f.ascii else 1)
    if len(b) < at:
        return None
    field = b[at - 4:at] if f.ascii else b[at - 2:at]
    try:
        length = int(field, 16) if f.ascii else int.from_bytes(field, "little")
    except ValueError:
        return None
    return (b[:at + length], b[at + length:]) if len(b) >= at + length else None


def parse(b):
    """The fields of a frame: form, request or not, serial, route; of a request also command, sub
    and data, of an answer end and data."""
    f, asks = form_of(b)
    r = Reader(b, f.ascii)
    r.num(2)
    out = {"form": f, "asks": asks, "serial": 0}
    if f.four:
        out["serial"] = r.num(2)
        r.num(2)
    out["route"] = (r.num(1), r.num(1), r.num(2), r.num(1))
    if r.num(2) != len(r.b):
        raise ValueError("length")
    if asks:
        r.num(2)
        out.update(command=r.num(2), sub=r.num(2))
    else:
        out["end"] = r.num(2)
    out["data"] = r
    return out


def words_of(name, first, values):
    """The effect of written words: (device, number, value) one by one, as bits for bit devices."""
    if not DEVICES[name][4]:
        return [(name, first + i, v) for i, v in enumerate(values)]
    return [(name, first + 16 * i + k, v >> k & 1) for i, v in enumerate(values) for k in range(16)]


def effects(p):
    """The effect of a device request: {(device, number)} read, [(device, number, value)] written.
    None: no such request."""
    command, sub, r = p["command"], p["sub"], p["data"]
    r = Reader(r.b, r.ascii)
    if command not in READS | WRITES or sub > 3:
        return None
    wide, bits, write, seen, left = bool(sub & 2), bool(sub & 1), command in WRITES, set(), []

    def words(name, first, n):
        if write:
            left.extend(words_of(name, first, [r.num(2) for _ in range(n)]))
        else:
            seen.update((name, k) for name, k, _ in words_of(name, first, [0] * n))

    if command in (0x0401, 0x1401):
        name, first = r.device(wide)
        n = r.num(2)
        if not bits:
            words(name, first, n)
        elif not write:
            seen.update((name, first + i) for i in range(n))
        else:
            data = r.raw(n if r.ascii else (n + 1) // 2)
            for i in range(n):
                v = data[i] - 48 if r.ascii else data[i // 2] >> (0 if i % 2 else 4) & 15
                left.append((name, first + i, v))
    elif command in (0x0406, 0x1406):
        for _ in range(r.num(1) + r.num(1)):
            name, first = r.device(wide)
            words(name, first, r.num(2))
    elif command == 0x1402 and bits:
        for _ in range(r.num(1)):
            name, first = r.device(wide)
            left.append((name, first, r.num(2 if wide else 1)))
    else:
        n, doubles = r.num(1), r.num(1)
        for i in range(n + doubles):
            name, first = r.device(wide)
            count = 1 if i < n else 2
            if not write:
                words(name, first, count)
            else:
                v = r.num(2 * count)
                left.extend(words_of(name, first, [v & 0xffff, v >> 16][:count]))
    if r.b:
        raise ValueError("more than it says")
    return seen, left


class Controller:
    """Answers on a TCP or UDP socket. `written` lists what it executed, in order."""

    def __init__(self):
        self.memory, self.written, self.done, self.seen = {}, [], [], 0
        self.monitored = None  # words of devices that were registered last

    def handle(self, frame):
        p = parse(frame)
        f, r = p["form"], p["data"]
        self.done.append((p["command"], p["sub"]))
        say = lambda data=b"", end=0: f.answer(data, end, p["serial"], p["route"])
        if p["command"] == 0x0101:
            return say(b"R04CPU          " + f.num(2, 0x4800))
        if p["command"] == 0x0619:
            return say(r.b)
        did = effects(p)
        if p["command"] == 0x0802 and self.monitored is not None:
            return say(b"".join(f.num(2, self.memory.get(place, 0)) for place in self.monitored))
        if did is None:
            return say() if p["command"] >> 8 == 0x10 else say(end=0xc059)
        self.written += did[1]
        self.memory.update({(name, k): v for name, k, v in did[1]})
        if p["command"] == 0x0801:
            self.monitored = sorted(did[0])
        if p["command"] == 0x0401:
            name, first = r.device(bool(p["sub"] & 2))
            n = r.num(2)
            if p["sub"] & 1:
                v = [self.memory.get((name, first + i), 0) for i in range(n)]
                return say("".join("%d" % x for x in v).encode() if f.ascii else
                           bytes(v[i] << 4 | (v[i + 1] if i + 1 < n else 0) for i in range(0, n, 2)))
            word = (lambda i: sum(self.memory.get((name, first + 16 * i + k), 0) << k for k in range(16))) \
                if DEVICES[name][4] else (lambda i: self.memory.get((name, first + i), 0))
            return say(b"".join(f.num(2, word(i)) for i in range(n)))
        if p["command"] in (0x0403, 0x0406):
            return say(end=0xc059)
        return say()

    def stream(self, s):
        b = b""
        while True:
            part = s.recv(4096)
            if not part:
                return
            b += part
            while cut(b):
                frame, b = cut(b)
                s.sendall(self.handle(frame))

    def serve(self, listener):
        serving.each(listener, self.session)

    def session(self, s):
        try:
            self.stream(s)
        except OSError:
            pass
        s.close()

    def serve_datagrams(self, s):
        def run():
            while True:
                try:
                    b, who = s.recvfrom(65535)
                    s.sendto(self.handle(b), who)
                except OSError:
                    return
        threading.Thread(target=run, daemon=True).start()


def answer(s):
    """One whole frame of a stream, or b"" at the end."""
    b = b""
    while not cut(b):
        try:
            part = s.recv(4096)
        except ConnectionError:
            part = b""
        if not part:
            return b""
        b += part
    return cut(b)[0]

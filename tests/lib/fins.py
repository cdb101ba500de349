# SPDX-License-Identifier: Apache-2.0
"""FINS by hand, written from Omron's manuals (W227, W342, W421) without the product's code: frames
alone and over TCP; a reader that tells what a command touches and writes and whether it is
valid; and a controller with DM, CIO, W and H."""
import struct
import threading

CLIENT, PLC = (0, 25, 0), (0, 10, 0)
READ, WRITE, FILL, MULTIPLE, TRANSFER = 0x0101, 0x0102, 0x0103, 0x0104, 0x0105
# Commands that the reference classifies as reading; as writing, controlling or programming.
READS = {READ, MULTIPLE, 0x230A}
DIAGNOSES = {0x0501, 0x0502, 0x0601, 0x0602, 0x0603, 0x0701, 0x0801, 0x0802, 0x0803, 0x2102, 0x2140, 0x2603}
# area: (code of bits, code of words)
AREAS = {"cio": (0x30, 0xB0), "w": (0x31, 0xB1), "h": (0x32, 0xB2), "a": (0x33, 0xB3), "d": (0x02, 0x82), "e0": (0x20, 0xA0)}
BITS = {b: name for name, (b, w) in AREAS.items()}
WORDS = {w: name for name, (b, w) in AREAS.items()}


# ---- frames --------------------------------------------------------------------------------------

def frame(icf, to, sender, sid, command, data=b""):
    return bytes([icf, 0, 2, *to, *sender, sid]) + struct.pack("!H", command) + data


def request(command, data=b"", sid=1, to=PLC, sender=CLIENT, silent=False):
    return frame(0x80 | silent, to, sender, sid, command, data)


def answer(command, data=b"", end=0, sid=1, to=CLIENT, sender=PLC):
    return frame(0xC0, to, sender, sid, command, struct.pack("!H", end) + data)


def place(area, word, bit=None):
    """Area code and address of a word or of one of its bits."""
    return struct.pack("!BHB", AREAS[area][bit is None], word, bit or 0)


def read(area, word, n, sid=1, bit=None, **kw):
    return request(READ, place(area, word, bit) + struct.pack("!H", n), sid, **kw)


def write(area, word, values, sid=1, bit=None, **kw):
    data = bytes(values) if bit is not None else struct.pack("!%dH" % len(values), *values)
    return request(WRITE, place(area, word, bit) + struct.pack("!H", len(values)) + data, sid, **kw)


def fill(area, word, n, value, sid=1):
    return request(FILL, place(area, word) + struct.pack("!HH", n, value), sid)


def multiple(places, sid=1):
    return request(MULTIPLE, b"".join(places), sid)


def transfer(source, target, n, sid=1):
    return request(TRANSFER, source + target + struct.pack("!H", n), sid)


def force(items, sid=1):
    """items: (how, place)"""
    return request(0x2301, struct.pack("!H", len(items)) + b"".join(struct.pack("!H", how) + p for how, p in items), sid)


def tcp(body, command=2, error=0):
    return b"FINS" + struct.pack("!III", len(body) + 8, command, error) + body


def node(n=0):
    return tcp(struct.pack("!I", n), 0)


def nodes(client=25, server=10, error=0):
    return tcp(struct.pack("!II", client, server), 1, error)


# ---- a reader ------------------------------------------------------------------------------------

def parse(b):
    """A frame's fields; None: not a frame."""
    if len(b) < 12:
        return None
    return {"icf": b[0], "rsv": b[1], "gct": b[2], "to": tuple(b[3:6]), "from": tuple(b[6:9]), "sid": b[9], "command": struct.unpack("!H", b[10:12])[0],
            "asks": not b[0] & 0x40, "silent": bool(b[0] & 1), "data": b[12:]}


def split(stream):
    """Splits a stream by FINS/TCP's headers: (command, body) each, and the rest."""
    out = []
    while len(stream) >= 16 and stream[:4] == b"FINS":
        length, command = struct.unpack("!II", stream[4:12])
        if length < 8 or len(stream) < 8 + length:
            break
        out.append((command, stream[16:8 + length]))
        stream = stream[8 + length:]
    return out, stream


def size(code):
    """Bytes of an item; None: the manuals have no such code."""
    if code in (0xC0, 0xDC, 0xDD) or 0xF0 <= code <= 0xF2:
        return 4
    if 0x80 <= code <= 0x82 or code in (0x84, 0x85, 0x89, 0x9C, 0xBC) or 0x90 <= code <= 0x98 or 0xA0 <= code <= 0xAF or 0xB0 <= code <= 0xB3 or 0x60 <= code <= 0x68:
        return 2
    if code <= 0x07 or code in (0x09, 0x0A, 0x1B, 0x40, 0x41, 0x43, 0x44, 0x46, 0x49) or 0x20 <= code <= 0x2F or 0x30 <= code <= 0x33 or \
            0x70 <= code <= 0x72 or 0xE0 <= code <= 0xE8:
        return 1
    return None


# Bytes of parameters by W227's sections, of CS and CJ by W342's: at least, at most.
LENGTHS = {
    0x0201: (6, 6), 0x0202: (8, 2000), 0x0203: (8, 8), 0x0220: (8, 8), 0x0221: (9, 2000), 0x0304: (15, 15), 0x0305: (15, 15), 0x0306: (8, 8),
    0x0307: (8, 2000), 0x0308: (3, 3), 0x0402: (0, 3), 0x0403: (0, 0), 0x0501: (0, 1), 0x0502: (1, 2), 0x0601: (0, 0), 0x0602: (0, 0), 0x0603: (0, 0),
    0x0620: (1, 1), 0x0701: (0, 0), 0x0702: (5, 7), 0x0801: (1, 1998), 0x0802: (0, 0), 0x0803: (1, 2000), 0x0920: (2, 2), 0x0C01: (2, 2), 0x0C02: (2, 2),
    0x0C03: (2, 2), 0x2101: (2, 2), 0x2102: (4, 4), 0x2103: (0, 0), 0x2140: (4, 4), 0x2141: (0, 0), 0x2201: (6, 2000), 0x2202: (20, 2000),
    0x2203: (22, 2000), 0x2204: (2, 2), 0x2205: (16, 2000), 0x2206: (4, 16), 0x2207: (28, 2000), 0x2208: (26, 2000), 0x2209: (14, 2000),
    0x220A: (22, 2000), 0x220B: (22, 2000), 0x220C: (26, 2000), 0x220F: (3, 3), 0x2210: (2, 2), 0x2211: (260, 260), 0x2302: (0, 2), 0x2601: (1, 8),
    0x2602: (0, 0), 0x2603: (0, 0),
}


def sense(q):
    """Whether a command's parameters are as long as its counts tell."""
    data, n = q["data"], len(q["data"])
    count = struct.unpack("!H", data[4:6])[0] if n >= 6 else 0
    if q["rsv"] or q["icf"] & 0x3E or q["gct"] > 7:
        return False
    if q["command"] in (READ, 0x230A):
        return n == 6 and count > 0
    if q["command"] == WRITE:
        return n >= 6 and count > 0 and size(data[0]) in (None, (n - 6) / count)
    if q["command"] == FILL:
        return n == 8 and count > 0
    if q["command"] == MULTIPLE:
        return n > 0 and n % 4 == 0
    if q["command"] == TRANSFER:
        return n == 10 and data[8:] != b"\0\0"
    if q["command"] == 0x0401:
        return n in (0, 2, 3)
    if q["command"] == 0x2301:
        return n >= 8 and n == 2 + 6 * struct.unpack("!H", data[:2])[0]
    low, high = LENGTHS.get(q["command"], (0, 2000))
    return low <= n <= high


def code(q):
    """The code in policies. Upper half: the command. Lower half: the parameter that makes it
    another function."""
    sub = 0
    if q["command"] == 0x0620 and q["data"]:
        sub = q["data"][0]
    if q["command"] == 0x0920 and q["data"]:
        sub = q["data"][0] << 8 & 0xC000
    return q["command"] << 16 | sub


def touched(p, n):
    """The bits (area, word, bit) that n items from the place at p touch; None: an unknown area or
    address."""
    which, word, bit = struct.unpack("!BHB", p)
    if which in WORDS and bit == 0:
        return [(WORDS[which], word + i, b) for i in range(n) for b in range(16)]
    if which in BITS and bit <= 15:
        return [(BITS[which], word + (bit + i) // 16, (bit + i) % 16) for i in range(n)]
    return None


def effects(q):
    """The bits that are read and those that are written; None where unknown."""
    data = q["data"]
    count = struct.unpack("!H", data[4:6])[0] if len(data) >= 6 else 0
    if q["command"] == READ:
        return touched(data[:4], count), []
    if q["command"] == MULTIPLE:
        every = [touched(data[i:i + 4], 1) for i in range(0, len(data), 4)]
        return (None if None in every else sum(every, [])), []
    if q["command"] in (WRITE, FILL):
        return [], touched(data[:4], count)
    if q["command"] == TRANSFER:
        n = struct.unpack("!H", data[8:10])[0]
        return touched(data[:4], n), touched(data[4:8], n)
    if q["command"] == 0x2301:
        every = [touched(data[i + 2:i + 6], 1) for i in range(2, len(data), 6)]
        return [], (None if None in every else sum(every, []))
    return [], []


# ---- a controller --------------------------------------------------------------------------------

class Memory:
    def __init__(self):
        self.words = {name: [0] * 65536 for name in AREAS}
        self.mode, self.changes = "run", []

    def get(self, p, n):
        which, word, bit = struct.unpack("!BHB", p)
        if which in WORDS:
            return b"".join(struct.pack("!H", v) for v in self.words[WORDS[which]][word:word + n])
        return bytes(self.words[BITS[which]][word + (bit + i) // 16] >> (bit + i) % 16 & 1 for i in range(n))

    def put(self, p, n, data):
        which, word, bit = struct.unpack("!BHB", p)
        for i in range(n):
            if which in WORDS:
                self.words[WORDS[which]][word + i] = struct.unpack("!H", data[2 * i:2 * i + 2])[0]
            else:
                at, k = word + (bit + i) // 16, (bit + i) % 16
                area = self.words[BITS[which]]
                area[at] = area[at] & ~(1 << k) | (data[i] & 1) << k
            self.changes.append((p, n))

    def execute(self, q):
        """Executes a command of the kinds below. Returns end code and data."""
        data, command = q["data"], q["command"]
        known = lambda p: len(p) == 4 and (p[0] in WORDS or p[0] in BITS)
        if not sense(q):
            return 0x1001, b""
        count = struct.unpack("!H", data[4:6])[0] if len(data) >= 6 else 0
        if command in (READ, WRITE, FILL) and not known(data[:4]):
            return 0x1101, b""
        if command == READ:
            return 0, self.get(data[:4], count)
        if command == WRITE:
            self.put(data[:4], count, data[6:])
            return 0, b""
        if command == FILL:
            self.put(data[:4], count, data[6:8] * count)
            return 0, b""
        if command == MULTIPLE:
            if not all(known(data[i:i + 4]) for i in range(0, len(data), 4)):
                return 0x1101, b""
            return 0, b"".join(data[i:i + 1] + self.get(data[i:i + 4], 1) for i in range(0, len(data), 4))
        if command in (0x0401, 0x0402):
            self.mode = "run" if command == 0x0401 else "program"
            self.changes.append(command)
            return 0, b""
        if command == 0x0701:
            return 0, bytes.fromhex("26112809300006")
        if command == 0x0801:
            return 0, data
        return 0x0401, b""

    def answer(self, b):
        """The answer to a frame; None: none."""
        q = parse(b)
        if q is None or not q["asks"]:
            return None
        end, data = self.execute(q)
        if q["silent"] or q["to"][1] == 255:
            return None
        return answer(q["command"], data, end, q["sid"], q["from"], q["to"])


def speak(memory):
    """A session over TCP, for serving.each: its headers tell where frames end."""
    def session(s):
        stream = b""
        try:
            while data := s.recv(4096):
                whole, stream = split(stream + data)
                for command, body in whole:
                    if command == 0:
                        s.sendall(nodes())
                    out = memory.answer(body) if command == 2 else None
                    if out is not None:
                        s.sendall(tcp(out))
        except OSError:
            pass
        finally:
            s.close()

    return session


def answer_datagrams(sock, memory):
    """Answers datagrams until the socket is closed."""
    def run():
        try:
            while True:
                b, whom = sock.recvfrom(4096)
                out = memory.answer(b)
                if out is not None:
                    sock.sendto(out, whom)
        except OSError:
            pass

    threading.Thread(target=run, daemon=True).start()

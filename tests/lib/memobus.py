# SPDX-License-Identifier: Apache-2.0
"""Extended MEMOBUS by hand, written from Yaskawa's manuals (MP3000 communications, 2.4 and 2.16;
MP920 communications module, appendix B) without the product's code: messages after their 218
header; a reader that tells what a command touches and writes and whether it is valid; and a
controller with coils, relays, input and holding registers and M, G, I, O and S registers."""
import struct
import threading

COMMAND, GENERAL, RESPONSE = 0x11, 0x12, 0x19
TYPES = "mgios"  # types of registers; messages name them by these letters, in upper case
READS = {0x2001, 0x2002, 0x2003, 0x2004, 0x2009, 0x200A, 0x200D, 0x2032, 0x4341, 0x4349, 0x434D}
WRITES = {0x120000, 0x2005, 0x2006, 0x200B, 0x200E, 0x200F, 0x2010, 0x2031, 0x2033, 0x4345, 0x4346, 0x434B, 0x434E, 0x434F}
DIAGNOSES = {0x2008}
PROGRAMS = set(range(0x2021, 0x2031)) | set(range(0x2034, 0x2050))
# commands that do not say addresses and values, or no addresses
UNTOLD = WRITES & {0x120000, 0x2031, 0x2033, 0x434E} | {0x2032, 0x434D} | PROGRAMS


# ---- messages ------------------------------------------------------------------------------------

def header(kind, number, data, channels=(0, 0)):
    return struct.pack("<BBBBHHI", kind, number, *channels, 0, 12 + len(data), 0) + data


def message(kind, code, body=b"", number=1, cpus=(1, 0), channels=(0, 0)):
    """`code`: MFC and SFC; `cpus`: destination, source."""
    return header(kind, number, struct.pack("<HBBB", 3 + len(body), code >> 8, code & 255, cpus[0] << 4 | cpus[1]) + body, channels)


def request(code, body=b"", number=1, **kw):
    return message(COMMAND, code, body, number, **kw)


def answer(to, body=b"", error=0):
    """The answer to a request's bytes."""
    q = parse(to)
    code = q["code"] | (0x80 if error else 0)
    return message(RESPONSE, code, bytes([error]) if error else body, q["number"], q["cpus"][::-1], q["channels"][::-1])


def general(data, number=1):
    return header(GENERAL, number, data)


def short(code, reference, n, data=b"", number=1, **kw):
    """A request of function 01 to 06, 0F or 10. The high byte comes first."""
    return request(code, struct.pack(">HH", reference, n) + data, number, **kw)


def read_holding(reference, n, number=1, **kw):
    return request(0x2009, struct.pack("<xHH", reference, n), number, **kw)


def write_holding(reference, values, number=1, **kw):
    return request(0x200B, struct.pack("<xHH%dH" % len(values), reference, len(values), *values), number, **kw)


def read_list(references, number=1, **kw):
    return request(0x200D, struct.pack("<xH%dH" % len(references), len(references), *references), number, **kw)


def write_list(pairs, number=1, **kw):
    return request(0x200E, struct.pack("<xH", len(pairs)) + b"".join(struct.pack("<HH", *p) for p in pairs), number, **kw)


def bits_of(values):
    return bytes(sum(v << k for k, v in enumerate(values[i:i + 8])) for i in range(0, len(values), 8))


def write_coils(reference, values, number=1, **kw):
    return short(0x200F, reference, len(values), bits_of(values), number, **kw)


def write_holdings(reference, values, number=1, **kw):
    return short(0x2010, reference, len(values), struct.pack(">%dH" % len(values), *values), number, **kw)


def register(code, kind, address, rest, number=1, **kw):
    return request(code, struct.pack("<xBxI", ord(kind.upper()), address) + rest, number, **kw)


def read_registers(kind, address, n, number=1, **kw):
    return register(0x4349, kind, address, struct.pack("<H", n), number, **kw)


def write_registers(kind, address, values, number=1, **kw):
    return register(0x434B, kind, address, struct.pack("<H%dH" % len(values), len(values), *values), number, **kw)


def read_bits(kind, address, n, number=1, wide=False, **kw):
    return register(0x4341, kind, address, struct.pack("<I" if wide else "<H", n), number, **kw)


def write_bits(kind, address, values, number=1, **kw):
    return register(0x434F, kind, address, struct.pack("<I", len(values)) + bits_of(values), number, **kw)


# ---- a reader ------------------------------------------------------------------------------------

def parse(b):
    """A message's fields; None: it is none, or not as long as it says."""
    if len(b) < 13 or b[0] not in (COMMAND, GENERAL, RESPONSE) or b[4:6] + b[8:12] != bytes(6) or struct.unpack("<H", b[6:8])[0] != len(b) or len(b) > 4108:
        return None
    q = {"kind": b[0], "number": b[1], "channels": tuple(b[2:4])}
    if b[0] == GENERAL:
        return {**q, "code": 0x120000, "cpus": (0, 0), "body": b[12:]}
    if len(b) < 17 or struct.unpack("<H", b[12:14])[0] != len(b) - 14:
        return None
    return {**q, "code": b[14] << 8 | b[15], "cpus": (b[16] >> 4, b[16] & 15), "body": b[17:]}


def split(stream):
    """Whole messages of a stream, and what is left."""
    out = []
    while len(stream) >= 8:
        n = struct.unpack("<H", stream[6:8])[0]
        if n < 13 or len(stream) < n:
            break
        out.append(stream[:n])
        stream = stream[n:]
    return out, stream


class Senseless(Exception):
    pass


def need(x):
    if not x:
        raise Senseless


def state(b):
    need(b in (b"\xff\0", b"\0\0"))
    return int(b == b"\xff\0")


def unpacked_bits(data, n):
    need(len(data) == (n + 7) // 8)
    bits = [data[i // 8] >> i % 8 & 1 for i in range(8 * len(data))]
    need(not any(bits[n:]))
    return bits[:n]


def words(data, n, order):
    need(len(data) == 2 * n)
    return list(struct.unpack("%s%dH" % (order, n), data))


SHORT = {0x2001: ("coils", 2000), 0x2002: ("relays", 2000), 0x2003: ("holding", 125), 0x2004: ("input", 125), 0x200F: ("coils", 800), 0x2010: ("holding", 100)}
LONG = {0x2009: ("holding", 2044), 0x200A: ("input", 2044), 0x200B: ("holding", 2043)}


def effects(q):
    """(what is read, what is written): lists of (space, address) and of (space, address, value).
    None: it cannot be told. Raises Senseless."""
    code, b = q["code"], q["body"]
    need(q["kind"] == GENERAL or q["kind"] == COMMAND and code >= 0x100 and not code & 0x80)
    run = lambda space, at, n, last=65535: [(space, at + i) for i in range(n)] if at + n - 1 <= last else need(False)
    put = lambda space, at, values, last=65535: [(*p, v) for p, v in zip(run(space, at, len(values), last), values)]
    if code in SHORT:
        space, most = SHORT[code]
        need(len(b) >= 4)
        at, n = struct.unpack(">HH", b[:4])
        need(1 <= n <= most)
        if code in (0x200F, 0x2010):
            return [], put(space, at, unpacked_bits(b[4:], n) if code == 0x200F else words(b[4:], n, ">"))
        need(len(b) == 4)
        return run(space, at, n), []
    if code in (0x2005, 0x2006):
        need(len(b) == 4)
        at, v = struct.unpack(">HH", b)
        return [], [("coils", at, state(b[2:]))] if code == 0x2005 else [("holding", at, v)]
    if code == 0x2008:
        need(len(b) == 4 and b[:2] == b"\0\0")
        return [], []
    if code in LONG:
        space, most = LONG[code]
        need(len(b) >= 5 and b[0] == 0)
        at, n = struct.unpack("<HH", b[1:5])
        need(1 <= n <= most)
        if code == 0x200B:
            return [], put(space, at, words(b[5:], n, "<"))
        need(len(b) == 5)
        return run(space, at, n), []
    if code in (0x200D, 0x200E):
        need(len(b) >= 3 and b[0] == 0)
        n = struct.unpack("<H", b[1:3])[0]
        need(1 <= n <= (2044 if code == 0x200D else 1022))
        if code == 0x200D:
            return [("holding", a) for a in words(b[3:], n, "<")], []
        flat = words(b[3:], 2 * n, "<")
        return [], [("holding", a, v) for a, v in zip(flat[::2], flat[1::2])]
    if code in (0x434D, 0x434E):
        need(len(b) >= 3 and b[0] == 0)
        n = struct.unpack("<H", b[1:3])[0]
        need(1 <= n <= (681 if code == 0x434D else 511))
        at = 3
        # type of register, type of data (2 a word, 3 a long word), address, and a value if written
        for _ in range(n):
            need(len(b) >= at + 6 and chr(b[at]) in TYPES.upper() and b[at + 1] in (2, 3))
            at += 6 + (0 if code == 0x434D else 2 * (b[at + 1] - 1))
        need(at == len(b))
        return (None, []) if code == 0x434D else ([], None)
    if code in (0x4341, 0x4345, 0x4346, 0x4349, 0x434B, 0x434F):
        need(len(b) >= 9 and b[0] == 0 and chr(b[1]) in TYPES.upper() and b[2] == 0)
        by_bits = code in (0x4341, 0x4345, 0x434F)
        space, at, rest, last = chr(b[1]).lower() + ("b" if by_bits else "w"), struct.unpack("<I", b[3:7])[0], b[7:], 0xFFFFFFFF
        if code == 0x4345:
            need(len(rest) == 2)
            return [], [(space, at, state(rest))]
        if code == 0x4346:
            return [], [(space, at, words(rest, 1, "<")[0])]
        if code == 0x434F:
            need(len(rest) >= 4)
            n = struct.unpack("<I", rest[:4])[0]
            need(1 <= n <= 32640)
            return [], put(space, at, unpacked_bits(rest[4:], n), last)
        if code == 0x434B:
            n = struct.unpack("<H", rest[:2])[0]
            need(1 <= n <= 2041)
            return [], put(space, at, words(rest[2:], n, "<"), last)
        need(len(rest) == 2 or (code == 0x4341 and len(rest) == 4))
        n = int.from_bytes(rest, "little")
        need(1 <= n <= (32704 if code == 0x4341 else 2043))
        return run(space, at, n, last), []
    return (None, []) if code in READS else ([], None)


def sense(q):
    try:
        effects(q)
        return True
    except Senseless:
        return False


# ---- a controller --------------------------------------------------------------------------------

class Memory:
    def __init__(self):
        self.held, self.changes = {}, []

    def get(self, space, at):
        return self.held.get((space, at), 0)

    def answer(self, b):
        """The answer to a message; None: there is none."""
        q = parse(b)
        if q is None or q["kind"] == RESPONSE:
            return None
        if q["kind"] == GENERAL:
            self.changes.append(b)
            return None
        code, body = q["code"], q["body"]
        try:
            read, written = effects(q)
        except Senseless:
            return answer(b, error=3)
        if read is None or written is None or code in PROGRAMS | UNTOLD:
            return answer(b, error=1)
        for space, at, value in written:
            self.held[space, at] = value
            self.changes.append((space, at, value))
        values = [self.get(*p) for p in read]
        if code in (0x2001, 0x2002):
            return answer(b, bits_of(values))
        if code in (0x2003, 0x2004):
            return answer(b, struct.pack(">%dH" % len(values), *values))
        if code in (0x2009, 0x200A, 0x200D):
            return answer(b, struct.pack("<xH%dH" % len(values), len(values), *values))
        if code == 0x4341:
            return answer(b, body[:3] + bits_of(values))
        if code == 0x4349:
            return answer(b, body[:3] + struct.pack("<H%dH" % len(values), len(values), *values))
        # the answer to a write repeats what came before the data
        return answer(b, body[:{0x200B: 5, 0x200E: 3, 0x200F: 4, 0x2010: 4, 0x434B: 9, 0x434F: 11}.get(code, len(body))])


def speak(memory):
    """A session over TCP, for serving.each."""
    def session(s):
        stream = b""
        try:
            while data := s.recv(4096):
                whole, stream = split(stream + data)
                for b in whole:
                    out = memory.answer(b)
                    if out is not None:
                        s.sendall(out)
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
                b, whom = sock.recvfrom(8192)
                out = memory.answer(b)
                if out is not None:
                    sock.sendto(out, whom)
        except OSError:
            pass

    threading.Thread(target=run, daemon=True).start()

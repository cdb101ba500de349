# SPDX-License-Identifier: Apache-2.0
"""S7comm by hand, written from RFC 1006, ISO 8073 and Wireshark's dissector, without the product's
code: requests, and a controller with blocks and flags that lists what it executed.
tests/replay/cases/s7comm compares it with tshark."""
import socket
import struct

import serving

DB, FLAGS, INPUTS = 0x84, 0x83, 0x81
BIT, BYTE, WORD = 1, 2, 4
WIDTH = {BIT: 1, BYTE: 1, WORD: 2, 6: 4}
READ, WRITE, SETUP, PI, STOP = 0x04, 0x05, 0xF0, 0x28, 0x29
REQUEST_DOWNLOAD, DOWNLOAD_BLOCK, DOWNLOAD_ENDED = 0x1A, 0x1B, 0x1C
BLOCK = b"_0A00001P"


# ---- requests ------------------------------------------------------------------------------------

def packet(body):
    return struct.pack("!BBH", 3, 0, len(body) + 4) + body


def data(message, last=True):
    """A DT with a message, or a part of one."""
    return packet(bytes([2, 0xF0, 0x80 * last]) + message)


def connection(kind, to, me, rack=0, slot=2):
    tail = struct.pack("!BHHB", kind, to, me, 0) + b"\xc0\1\x0a\xc1\2\1\0\xc2\2\1" + bytes([32 * rack + slot])
    return packet(bytes([len(tail)]) + tail)


def connect(slot=2, rack=0):
    return connection(0xE0, 0, 1, rack, slot)


def message(kind, reference, parameters, values=b""):
    head = struct.pack("!BBHHHH", 0x32, kind, 0, reference, len(parameters), len(values))
    return head + (b"\0\0" if kind in (2, 3) else b"") + parameters + values


def job(reference, parameters, values=b""):
    return data(message(1, reference, parameters, values))


def setup(reference=1, size=480):
    return job(reference, struct.pack("!BBHHH", SETUP, 0, 1, 1, size))


def place(area, block, first, count, kind=BYTE, bit=0):
    """An item; `first`: the byte."""
    address = 8 * first + bit
    return struct.pack("!BBBBHHBBH", 0x12, 10, 0x10, kind, count, block, area, address >> 16, address & 0xFFFF)


def read(items, reference=2):
    return job(reference, bytes([READ, len(items)]) + b"".join(items))


def value(raw, bit=False):
    """The data of a written item, without the filler before another item."""
    return struct.pack("!BBH", 0, 3 if bit else 4, len(raw) if bit else 8 * len(raw)) + raw


def write(items, values, reference=2):
    even = [v + b"\0" * (len(v) % 2) for v in values[:-1]] + values[-1:]
    return job(reference, bytes([WRITE, len(items)]) + b"".join(items), b"".join(even))


def write_word(block, first, number, reference=2):
    return write([place(DB, block, first, 1, WORD)], [value(struct.pack("!H", number))], reference)


def stop(reference=2):
    return job(reference, bytes([STOP]) + bytes(5) + b"\x09P_PROGRAM")


def invoke(name, arguments=b"", reference=2):
    return job(reference, bytes([PI]) + bytes(6) + b"\xfd" + struct.pack("!H", len(arguments)) + arguments + bytes([len(name)]) + name)


def start(reference=2):
    return invoke(b"P_PROGRAM", reference=reference)


def block_named(function):
    return bytes([function]) + bytes(7) + bytes([len(BLOCK)]) + BLOCK


def download(reference=2, size=100):
    """The receiver of this request fetches the block part by part."""
    return job(reference, block_named(REQUEST_DOWNLOAD) + b"\x0d1%06d%06d" % (size, size - 36))


def userdata(group, sub, reference=2, values=b"\x0a\0\0\0"):
    return data(message(7, reference, bytes([0, 1, 0x12, 4, 0x11, 0x40 | group, sub, 0]), values))


def status_list(number, reference=2):
    return userdata(4, 1, reference, b"\xff\x09\0\4" + struct.pack("!HH", number, 0))


def cyclic(items, reference=2):
    """Requests values every half second."""
    asked = struct.pack("!HBB", len(items), 0, 5) + b"".join(items)
    return userdata(2, 1, reference, b"\xff\x09" + struct.pack("!H", len(asked)) + asked)


def told(kind, sub, reference, values):
    """Userdata of a server: an answer (kind 8), or what it sends by itself (0) for cyclic
    services."""
    held = struct.pack("!H", len(values)) + b"".join(v + b"\0" * (len(v) % 2) for v in values)
    return data(message(7, reference, bytes([0, 1, 0x12, 8, 0x12, kind << 4 | 2, sub, 1, 0, 0, 0, 0]),
                        b"\xff\x09" + struct.pack("!H", len(held)) + held))


def plus():
    """The beginning of S7comm-plus, another protocol on the same port."""
    return data(b"\x72\1\0\x14\x31\0\0\4\xca\0\0\0\1\0\0\0\0\x36" + bytes(6) + b"\x72\1\0\0")


# ---- what a stream holds -------------------------------------------------------------------------

def cut(b):
    """The first whole packet and the rest; None: incomplete."""
    if len(b) < 4 or len(b) < struct.unpack("!H", b[2:4])[0]:
        return None
    n = max(4, struct.unpack("!H", b[2:4])[0])
    return b[:n], b[n:]


def messages(b):
    """The whole messages of a stream, reassembled from their DTs."""
    whole = b""
    while cut(b):
        one, b = cut(b)
        if len(one) < 7 or one[5] != 0xF0:
            continue
        whole += one[7:]
        if one[6] & 0x80:
            yield whole
            whole = b""


def function_of(m):
    """The function of a job; for userdata group and sub-function. None: neither."""
    if len(m) > 10 and m[:2] == b"\x32\1":
        return m[10]
    return (m[15] & 15, m[16]) if len(m) > 16 and m[:2] == b"\x32\7" else None


def receive(s):
    """One whole packet, or b"" at the end."""
    b = b""
    while not cut(b):
        more = s.recv(4 - len(b) if len(b) < 4 else struct.unpack("!H", b[2:4])[0] - len(b))
        if not more:
            return b""
        b += more
    return b


def ask(s, request):
    """The answer's message, or b""."""
    s.sendall(request)
    return receive(s)[7:]


def answered(s, request):
    """Whether an answer came, and the session did not end instead, with or without a reset."""
    try:
        return bool(ask(s, request))
    except ConnectionError:
        return False


def open_session(s, slot=2):
    """Whether the connection was confirmed and a size was agreed."""
    s.sendall(connect(slot))
    return receive(s)[5:6] == b"\xd0" and ask(s, setup())[1:2] == b"\3"


def done_well(answer):
    """Whether it is an answer without an error, with all its items read or written."""
    if answer[1:2] != b"\3" or answer[10:12] != b"\0\0":
        return answer[1:2] == b"\7"
    return answer[12] not in (READ, WRITE) or answer[14:15] == b"\xff"


# ---- a controller --------------------------------------------------------------------------------

class Controller:
    """Blocks of 256 bytes. `done` lists every executed function in order; `written` what was
    written where."""

    def __init__(self, parts=2):
        self.memory, self.done, self.written, self.running, self.block, self.parts = {}, [], [], True, b"", parts
        self.resets, self.watched_items = 0, []

    def area(self, item):
        return self.memory.setdefault((item[8], struct.unpack("!H", item[6:8])[0] if item[8] == DB else 0), bytearray(256))

    def span(self, item):
        address = int.from_bytes(item[9:12], "big")
        return address // 8, address % 8, struct.unpack("!H", item[4:6])[0] * WIDTH.get(item[3], 0)

    def read_item(self, item):
        first, bit, n = self.span(item)
        raw = bytes(self.area(item)[first:first + n])
        if n == 0 or len(raw) != n:
            return b"\x05\0\0\0"
        if item[3] == BIT:
            return b"\xff\3\0\1" + bytes([raw[0] >> bit & 1])
        return struct.pack("!BBH", 0xFF, 4, 8 * n) + raw

    def write_item(self, item, raw):
        first, bit, n = self.span(item)
        area = self.area(item)
        if n == 0 or len(raw) != n or first + n > len(area):
            return 5
        if item[3] == BIT:
            raw = bytes([(area[first] & ~(1 << bit)) | (raw[0] & 1) << bit])
        area[first:first + n] = raw
        self.written.append((item[8], struct.unpack("!H", item[6:8])[0], first, raw))
        return 0xFF

    def variables(self, function, m, n_parameters):
        items = [m[12 + 12 * k:24 + 12 * k] for k in range(m[11])]
        if function == READ:
            out = [self.read_item(i) for i in items]
            return b"".join([v + b"\0" * (len(v) % 2) for v in out[:-1]] + out[-1:])
        at, out = 10 + n_parameters, b""
        for item in items:
            n = struct.unpack("!H", m[at + 2:at + 4])[0] // (1 if m[at + 1] == 3 else 8)
            out += bytes([self.write_item(item, m[at + 4:at + 4 + n])])
            at += 4 + n + n % 2
        return out

    def fetch(self, s, reference):
        """A download: requests each part and reports when it has the block."""
        self.block = b""
        for part in range(self.parts):
            answer = ask(s, job(reference + 1 + part, block_named(DOWNLOAD_BLOCK)))
            if not answer:
                return
            self.block += answer[18:]  # after status, length and a mark
        if ask(s, job(reference + 1 + self.parts, block_named(DOWNLOAD_ENDED))):
            self.done.append("block")

    def execute(self, s, m):
        kind, reference, n_parameters = m[1], *struct.unpack("!HH", m[4:8])
        function = function_of(m)
        self.done.append(function)

        def say(parameters, values=b""):
            s.sendall(data(message(3, reference, parameters, values)))
        if function == (2, 1):
            at = 14 + n_parameters  # after status, length, number and interval
            self.watched_items = [m[at + 4 + 12 * k:at + 16 + 12 * k] for k in range(struct.unpack("!H", m[at:at + 2])[0])]
            s.sendall(told(8, 1, reference, [self.read_item(i) for i in self.watched_items]))
        elif kind == 7:
            szl = struct.pack("!HHHH", 0x0131, 0, 0, 0)
            s.sendall(data(message(7, reference, bytes([0, 1, 0x12, 8, 0x12, 0x80 | m[15] & 15, m[16], 1, 0, 0, 0, 0]),
                                   b"\xff\x09" + struct.pack("!H", len(szl)) + szl)))
        elif function == SETUP:
            say(m[10:16] + struct.pack("!H", min(480, struct.unpack("!H", m[16:18])[0])))
        elif function in (READ, WRITE):
            say(m[10:12], self.variables(function, m, n_parameters))
        else:
            self.running = function == PI or (self.running and function != STOP)
            say(bytes([function]))
            if function == REQUEST_DOWNLOAD:
                self.fetch(s, reference)

    def push(self):
        """What it sends by itself for a cyclic read."""
        return told(0, 1, 0, [self.read_item(i) for i in self.watched_items])

    def session(self, s):
        whole = b""
        try:
            while True:
                p = receive(s)
                if not p:
                    return
                if p[5] == 0xE0:
                    s.sendall(connection(0xD0, struct.unpack("!H", p[8:10])[0], 0x100))
                elif p[5] == 0xF0:
                    whole += p[7:]
                    if whole and p[6] & 0x80:
                        self.execute(s, whole)
                        whole = b""
        finally:
            s.close()

    def watched(self, s):
        """Counts whether the session ends by a reset or not."""
        try:
            self.session(s)
        except ConnectionResetError:
            self.resets += 1
        except OSError:
            pass

    def serve(self, listener):
        serving.each(listener, self.watched)

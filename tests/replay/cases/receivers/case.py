# SPDX-License-Identifier: Apache-2.0
import ctypes
import fcntl
import os
import random
import socket
import struct
import termios

import wire
from wire import ACK, PSH, modbus

try:
    from pymodbus.factory import ServerDecoder
    from pymodbus.framer.socket_framer import ModbusSocketFramer
except ImportError:
    ModbusSocketFramer = None

TOS, CRANE = "10.20.0.10", "10.30.1.10"
LATE = 600_000_000
LOST = 0
SESSIONS = 400

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( %s ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""

# name: the rows, and the same as (functions, addresses)
POLICIES = {
    "read": ('{ commands = ["read"]; holding = ["0-99"]; }', ({3}, range(0, 100))),
    "named": ('{ functions = [3, 8, 11, 12, 20, 24, 43, 100]; }', ({3, 8, 11, 12, 20, 24, 43, 100}, range(65536))),
    "set": ('{ functions = [3, 16, 23]; holding = ["0-127"]; }', ({3, 16, 23}, range(0, 128))),
}


def natural(function, data):
    """Bytes of data that a server needs after this function code. None: all that there are."""
    if function in (1, 2, 3, 4, 5, 6):
        return 4
    if function in (7, 11, 12, 17):
        return 0
    if function == 22:
        return 6
    if function in (15, 16):
        return 5 + data[4] if len(data) > 4 else 255
    if function == 23:
        return 9 + data[8] if len(data) > 8 else 255
    return None


def forbidden(rule, frame):
    """Whether this (unit, function, data) would do what the rows do not allow."""
    functions, addresses = rule
    function, data = frame[1], frame[2]
    n = natural(function, data)
    if n is not None and len(data) < n:
        return False  # a server that executes half a request is handled in its model
    if function in (0, *range(65, 256)) and function not in functions:
        return False  # no server knows this function
    if function in (1, 2, 4, 5, 15) and function not in functions:
        first, count = struct.unpack("!HH", data[:4])
        if function == 5:
            return count in (0, 0xFF00)
        return 1 <= count <= (125 if function == 4 else 2000) and first + count <= 65536 and \
            (function != 15 or (count <= 1968 and data[4] == (count + 7) // 8))
    if function in (3, 6, 16, 22, 23):
        first, count = struct.unpack("!HH", data[:4])
        count = 1 if function in (6, 22) else count
        if not 1 <= count <= 125 or first + count > 65536:
            return False  # every server refuses it
        touched = set(range(first, first + count))
        if function == 23:
            first, count, size = struct.unpack("!HHB", data[4:9])
            if not 1 <= count <= 121 or size != 2 * count:
                return False
            touched |= set(range(first, first + count))
        if function == 16 and data[4] != 2 * count:
            return False
        return function not in functions or not touched <= set(addresses)
    return False


def quantity_fits(function, data):
    count = struct.unpack("!H", data[2:4])[0]
    if function == 23:
        written, size = struct.unpack("!HB", data[6:9])
        return 1 <= count <= 125 and 1 <= written <= 121 and size == 2 * written
    if function == 16 and data[4] != 2 * count or function == 15 and 8 * data[4] < count:
        return False
    return 1 <= count <= {1: 2000, 2: 2000, 15: 1968, 16: 123}.get(function, 125)


class Server:
    """Takes chunks, remembers what it executed, and returns answers. Each frame is (unit, function,
    data)."""

    def __init__(self):
        self.buffer, self.done, self.closed = b"", [], False

    def execute(self, tid, unit, function, data, known=True):
        self.done.append((unit, function, data))
        return modbus(tid, unit, bytes([function & 127 | 128, 2 if known else 1]))

    def late(self):
        pass


class Libmodbus(Server):
    def execute(self, tid, unit, function, data, known=True):
        self.closed = function == 7  # modbus_reply fails, and the loop around it ends
        return super().execute(tid, unit, function, data, known)

    def feed(self, chunk):
        self.buffer += chunk
        answers = []
        while len(self.buffer) >= 8 and not self.closed:
            tid, unit, function = struct.unpack("!H", self.buffer[:2])[0], self.buffer[6], self.buffer[7]
            known = function in (1, 2, 3, 4, 5, 6, 15, 16, 17, 22, 23)
            n = natural(function, self.buffer[8:]) if known else (4 if function == 0 else 0)
            if n == 255 or len(self.buffer) < 8 + n:
                break
            answers.append(self.execute(tid, unit, function, self.buffer[8:8 + n], known))
            if self.closed:
                return answers[:-1]
            # modbus_flush: after exceptions for unknown functions and for impossible quantities
            keep = known and (function in (5, 6, 17, 22) or quantity_fits(function, self.done[-1][2]))
            self.buffer = self.buffer[8 + n:] if keep else b""
        return answers


class Impatient(Libmodbus):
    """modbus_receive gave up, and the loop around it went on."""

    def late(self):
        self.buffer = b""


class Searching(Impatient):
    def feed(self, chunk):
        self.buffer += chunk
        answers = []
        while len(self.buffer) >= 8:
            tid, protocol, length, unit, function = struct.unpack("!HHHBB", self.buffer[:8])
            if protocol != 0 or not 2 <= length <= 254:
                self.buffer = self.buffer[1:]
                continue
            if len(self.buffer) < 6 + length:
                break
            answers.append(self.execute(tid, unit, function, self.buffer[8:6 + length]))
            self.buffer = self.buffer[6 + length:]
        return answers


class Stepping(Impatient):
    """Skips whatever is no header, eight bytes at a time, and a message of another protocol by its
    length; like nanoMODBUS."""

    def feed(self, chunk):
        self.buffer += chunk
        answers = []
        while len(self.buffer) >= 8:
            tid, protocol, length, unit, function = struct.unpack("!HHHBB", self.buffer[:8])
            if not 2 <= length <= 255:
                self.buffer = self.buffer[8:]
                continue
            if len(self.buffer) < 6 + length:
                break
            data, self.buffer = self.buffer[8:6 + length], self.buffer[6 + length:]
            if protocol == 0:
                answers.append(self.execute(tid, unit, function, data))
        return answers


class Reading(Server):
    """Takes what one read() returns for one request, by its function code, and forgets the rest;
    like OpenPLC's server."""

    def feed(self, chunk):
        if len(chunk) < 8:
            return []
        tid, unit, function = struct.unpack("!H", chunk[:2])[0], chunk[6], chunk[7]
        n, data = natural(function, chunk[8:]), chunk[8:]
        if function in (15, 16) and n < 255:  # only the quantity says how much is written
            count = struct.unpack("!H", data[2:4])[0]
            size = (count + 7) // 8 if function == 15 else 2 * count
            data, n = data[:4] + bytes([size & 255]) + data[5:], 5 + size
        if n is not None and len(data) < n:
            return [modbus(tid, unit, bytes([function & 127 | 128, 3]))]
        if function == 5 and data[2:4] != b"\xff\0":  # every value other than on means off
            data = data[:2] + b"\0\0"
        return [self.execute(tid, unit, function, data[:n])]


class Halves(Reading):
    """As Reading, but missing bytes of a write with an address count as zeros; like EasyModbus'
    server."""

    def feed(self, chunk):
        if len(chunk) >= 8 + {5: 2, 6: 2, 15: 5, 16: 5, 23: 9}.get(chunk[7] if len(chunk) > 7 else 0, 260):
            chunk += bytes(512)
        return super().feed(chunk)


class Pymodbus(Server):
    """The framer of pymodbus itself."""

    def __init__(self):
        super().__init__()
        server = self

        class Decoder(ServerDecoder):
            def decode(self, message):
                server.message = bytes(message)
                return super().decode(message)

        self.framer, self.answers = ModbusSocketFramer(Decoder()), []

    def taken(self, request):
        self.answers.append(self.execute(request.transaction_id, request.unit_id & 255, self.message[0], self.message[1:]))

    def feed(self, chunk):
        if self.closed:
            return []
        self.answers = []
        try:
            self.framer.processIncomingPacket(chunk, self.taken, unit=[0], single=True)
        except Exception:  # the server closes the connection
            self.closed = True
        return self.answers


class OlderPymodbus(Pymodbus):
    """Version 2 of pymodbus has this framer too, and reads 1024 bytes at a time from its socket."""

    def feed(self, chunk):
        return [a for k in range(0, len(chunk), 1024) for a in super(OlderPymodbus, self).feed(chunk[k:k + 1024])]


class RealLibmodbus(Libmodbus):
    """The library itself at one end of a socket pair. It is called when, by the rules above, a
    whole request is there."""

    def __init__(self):
        super().__init__()
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(5)
        self.fd = theirs.detach()
        self.ctx = LIB.modbus_new_tcp(b"127.0.0.1", 502)
        self.map = LIB.modbus_mapping_new(65536, 65536, 65536, 65536)
        LIB.modbus_set_socket(self.ctx, self.fd)
        # how long it sleeps before it discards the rest
        LIB.modbus_set_response_timeout(self.ctx, 0, 1)
        self.query = ctypes.create_string_buffer(260)

    def execute(self, tid, unit, function, data, known=True):
        n = LIB.modbus_receive(self.ctx, self.query)
        if n < 8 or self.query.raw[7:n] != bytes([function]) + data:
            raise RuntimeError("libmodbus read %r, not %r" % (self.query.raw[7:max(n, 8)], bytes([function]) + data))
        self.done.append((self.query.raw[6], function, data))
        if LIB.modbus_reply(self.ctx, self.query, n, self.map) < 0:
            if function != 7:
                raise RuntimeError("libmodbus did not answer %d" % function)
            self.closed = True
            return b""
        head = self.ours.recv(6, socket.MSG_WAITALL)
        return head + self.ours.recv(struct.unpack("!H", head[4:])[0], socket.MSG_WAITALL)

    def feed(self, chunk):
        if self.closed:
            return []
        self.ours.sendall(chunk)
        answers = super().feed(chunk)
        left = fcntl.ioctl(self.fd, termios.FIONREAD, b"\0" * 4)
        if struct.unpack("i", left)[0] != len(self.buffer) and not self.closed:
            raise RuntimeError("libmodbus left %d bytes, not %d, after %r" %
                               (struct.unpack("i", left)[0], len(self.buffer), self.done[-1:]))
        return answers

    def __del__(self):
        LIB.modbus_mapping_free(self.map)
        LIB.modbus_free(self.ctx)
        os.close(self.fd)
        self.ours.close()


def libmodbus():
    """The library; None if it is not installed."""
    try:
        lib = ctypes.CDLL("libmodbus.so.5")
    except OSError:
        return None
    for name in ("modbus_new_tcp", "modbus_mapping_new"):
        getattr(lib, name).restype = ctypes.c_void_p
    for name in ("modbus_set_socket", "modbus_set_response_timeout", "modbus_receive", "modbus_reply", "modbus_mapping_free",
                 "modbus_free"):
        getattr(lib, name).argtypes = [ctypes.c_void_p] + {
            "modbus_set_socket": [ctypes.c_int], "modbus_set_response_timeout": [ctypes.c_uint32] * 2,
            "modbus_receive": [ctypes.c_char_p], "modbus_reply": [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p],
        }.get(name, [])
    return lib


LIB = libmodbus()
MODELS = {"libmodbus": Libmodbus, "impatient": Impatient, "searching": Searching, "stepping": Stepping, "reading": Reading,
          "halves": Halves}
if LIB:
    MODELS["libmodbus itself"] = RealLibmodbus
if ModbusSocketFramer:
    MODELS.update({"pymodbus": Pymodbus, "older pymodbus": OlderPymodbus})


def evil(rng):
    """A whole request that writes register 259, to be hidden inside another one."""
    return modbus(rng.choice([6, 16, 259, 0]), rng.choice([0, 1, 6]), struct.pack("!BHH", 6, 259, rng.randrange(65536)))


def request(rng, rule):
    tid = rng.choice([1, 2, 6, 16, 0x0106, 0x0600, 0x1006, 0x8006, rng.randrange(65536)])
    unit = rng.choice([1, 1, 6, 16, 23, 255])
    function = rng.choice(sorted(rule[0]) + [3])
    if function == 3:
        pdu = struct.pack("!BHH", 3, rng.choice([0, 0, 6, 16, 50]), rng.choice([1, 2, 6, 10, 16, 22]))
    elif function == 16:
        body = rng.choice([b"", bytes(rng.randrange(6))]) + evil(rng) * rng.randrange(1, 4)
        body += bytes(len(body) % 2)
        pdu = struct.pack("!BHHB", 16, rng.randrange(8), len(body) // 2, len(body)) + body
    elif function == 23:
        body = evil(rng) + bytes(rng.choice([0, 2]))
        pdu = struct.pack("!BHHHHB", 23, 0, 6, rng.randrange(8), len(body) // 2, len(body)) + body
    elif function == 8:
        pdu = struct.pack("!BHH", 8, 0, rng.randrange(65536))
    elif function == 20:
        pdu = struct.pack("!BBBHHH", 20, 7, 6, rng.randrange(1, 9), rng.randrange(9), 1)
    elif function == 24:
        pdu = struct.pack("!BH", 24, rng.randrange(100))
    elif function == 43:
        pdu = bytes([43, 14, 1, 0])
    elif function == 100:
        pdu = bytes([100]) + bytes(rng.randrange(3)) + evil(rng)
    else:
        pdu = bytes([function])
    return modbus(tid, unit, pdu)


def pieces(rng, stream, ends):
    """Cuts the stream into segments: at the ends of requests, anywhere, or just after the first
    eight bytes of a request."""
    cuts = set()
    for end in ends:
        if rng.random() < 0.5:
            cuts.add(end)
        if rng.random() < 0.4:
            cuts.add(max(1, end - rng.randrange(1, 20)))
        if rng.random() < 0.2:
            cuts.add(end + rng.choice([7, 8, 10]))
    cuts = [0] + sorted(c for c in cuts if 0 < c < len(stream)) + [len(stream)]
    return [stream[a:b] for a, b in zip(cuts, cuts[1:])]


def placed(segments):
    """Segments with their offsets and how many bytes of each are taken. What a segment does not
    deliver is sent again by the following ones."""
    offset = 0
    for payload, gap, at_once, *most in segments:
        yield payload, gap, at_once, offset, most[0] if most else len(payload)
        if not most:
            offset += len(payload)


def random_session(rng, rule):
    requests = [request(rng, rule) for _ in range(rng.randrange(1, 6))]
    ends, n = [], 0
    for r in requests:
        n += len(r)
        ends.append(n)
    out = []
    for s in pieces(rng, b"".join(requests), ends):
        how = LATE if rng.random() < 0.15 else 0, rng.random() < 0.8
        if rng.random() < 0.15:
            out.append((s, *how, rng.choice((LOST, LOST, rng.randrange(len(s))))))
            cut = rng.randrange(len(s))
            if cut:
                out.append((s[:cut], *how))
            s = s[cut:]
        out.append((s, *how))
    return out


# ---- sessions written by hand --------------------------------------------------------------------

def read(tid, address, count, unit=1):
    return modbus(tid, unit, struct.pack("!BHH", 3, address, count))


def written():
    """(policy, victim, segments): each makes its victim write where nothing may be written, if
    there is no box."""
    fifo = modbus(1, 1, struct.pack("!BH", 24, 0x0005))
    # the length of a read does not matter here, nor does the value of a coil
    off = struct.pack("!HHHBBHH", 1, 2, 0, 1, 5, 259, 4)
    coil = modbus(1, 1, struct.pack("!BHHB", 16, 0, 8, 16) + b"\0\0" + off + b"\0\0")
    hidden = modbus(7, 1, struct.pack("!BHH", 6, 259, 7))
    body = b"\0\0" + hidden
    write = modbus(1, 1, struct.pack("!BHHB", 16, 0, len(body) // 2, len(body)) + body)
    several = struct.pack("!BHHBH", 16, 259, 1, 2, 7)
    for victim in ("libmodbus", "reading"):  # the box would wait for the length in the header
        yield "read", victim, "a write whose header says a byte more", [(modbus(1, 1, struct.pack("!BHH", 6, 259, 7) + b"\0")[:-1], 0, True)]
        yield "read", victim, "one of several, whose header says 80 bytes more", [(modbus(1, 1, several + bytes(80))[:-80], 0, True)]
        yield "set", victim, "a write beyond the last, whose header says so much more that it may come", \
            [(modbus(1, 1, several + bytes(237))[:-237], 0, True)]
    for n in (10, 11):
        yield "read", "halves", "%d bytes of a write" % n, [(hidden[:n], 0, True)]
        yield "read", "halves", "%d bytes of a coil's" % n, [(modbus(1, 1, struct.pack("!BHH", 5, 259, 0xFF00))[:n], 0, True)]
    yield "set", "halves", "a write beyond the last without its values", [(modbus(1, 1, several + bytes(2))[:13], 0, True)]
    yield "named", "libmodbus", "the rest of a FIFO read before a read", \
        [(fifo + fifo[:8], 0, True), (fifo[8:], 0, True), (read(3, 0, 1), 0, True)]
    yield "named", "libmodbus", "behind an event counter, thrown away with its exception", \
        [(modbus(1, 1, b"\x0b") + read(2, 0, 1)[:10], 0, True), (read(2, 0, 1)[10:], 0, True), (read(3, 0, 1), 0, True)]
    long = modbus(1, 1, struct.pack("!BHHB", 16, 0, 119, 238) + bytes(238))  # 251 bytes
    many = long * 4 + modbus(1, 1, struct.pack("!BHHB", 16, 0, 10, 20) + bytes(7) + hidden + b"\0")
    yield "set", "older pymodbus", "a write inside of a write, 1024 bytes behind the first", [(many, 0, True)]
    yield "set", "pymodbus", "a write inside of a write", [(write[:15], 0, True), (write[15:], 0, True)]
    yield "set", "reading", "a write inside of a write", [(write[:15], 0, True), (write[15:], 0, True)]
    yield "set", "reading", "a coil inside of a write, without a length", [(coil[:15], 0, True), (coil[15:], 0, True)]
    yield "read", "reading", "the rest of a read and the next one", \
        [(read(1, 0, 1)[:6], 0, True), (read(1, 0, 1)[6:], 0, False), (read(6, 0, 1), 0, True)]
    yield "set", "impatient", "a write inside of a write that is late", [(write[:15], 0, True), (write[15:], LATE, True)]
    yield "set", "searching", "a write inside of a late write, not at its start", [(write[:14], 0, True), (write[14:], LATE, True)]
    yield "read", "impatient", "two bytes of a read, late, before a read", [(read(1, 0, 1)[:10], 0, True), (read(1, 0, 1)[10:] + read(2, 0, 1), LATE, True)]
    yield "read", "searching", "a read that came too late, and a transaction", \
        [(read(1, 0, 6)[:6], 0, True), (read(1, 0, 6)[6:] + read(6, 0, 1), LATE, True)]
    skipped = modbus(1, 1, struct.pack("!BHHB", 16, 0, 12, 24) + b"\xff\xff\xaa\xaa\0\0\0\x12" + hidden + bytes(4))
    yield "set", "stepping", "a write behind what is no header, inside of what could be a request", \
        [(skipped[:13], 0, True), (skipped[13:], LATE, True)]
    yield "set", "stepping", "the same, hardly late: what it waits may begin sooner for it than for the box", \
        [(skipped[:13], 0, True), (skipped[13:], 60_000_000, True)]
    # A request that is read in place of another one gets its answer; then the next one is cut where
    # the server goes on.
    alike = modbus(7, 1, struct.pack("!BHHB", 16, 0, 8, 16) + struct.pack("!HHHBBHHB", 7, 0, 23, 1, 16, 0, 8, 16) + bytes(3))
    behind = modbus(8, 1, struct.pack("!BHHB", 16, 20, 10, 20) + hidden + bytes(8))
    for victim in ("stepping", "searching", "impatient"):
        yield "set", victim, "a write inside of one that was answered for another", \
            [(alike[:13], 0, True), (alike[13:] + behind[:18], LATE, True), (behind[18:], 0, True)]
    yield "named", "libmodbus", "a FIFO read that got lost, and comes again in two", \
        [(fifo, 0, True, LOST), (fifo[:8], 0, True), (fifo[8:], 0, True), (read(3, 0, 1), 0, True)]
    yield "set", "pymodbus", "a write inside of a write that got lost", \
        [(write, 0, True, LOST), (write[:15], 0, True), (write[15:], 0, True)]
    yield "set", "pymodbus", "a write that is taken in part, and comes again as a whole", [(write, 0, True, 15), (write, 0, True)]
    yield "set", "reading", "the same behind an allowed read", [(read(3, 0, 1) + write, 0, True, 27), (read(3, 0, 1) + write, 0, True)]
    yield "set", "pymodbus", "the same, the second part new at its end", \
        [(write, 0, True, LOST), (write[:15], 0, True), (write[15:] + read(2, 0, 1), 0, True)]
    yield "read", "pymodbus", "reads alone, by their transactions", \
        [(read(1, 0, 1)[:8], 0, True), (read(1, 0, 1)[8:] + read(16, 0, 1) + read(2, 0, 6) + read(6, 0, 1), 0, True)]
    yield "read", "pymodbus", "a header alone", [(read(0x8001, 0, 6)[:7], 0, True), (read(0x8001, 0, 6)[7:] + read(6, 0, 1), 0, True)]


# ---- through the box -----------------------------------------------------------------------------

def capture(sessions, model):
    """One capture of all sessions: what each server had executed after which frame, by client
    port."""
    out, at, executed, now = [], [], {}, 0

    def clock(gap=0):
        nonlocal now
        while len(at) < len(out):
            now += gap if gap else 1_000_000
            gap = 0
            at.append(now)

    for n, segments in enumerate(sessions):
        server, port, waiting = MODELS[model](), 20000 + n, b""
        s = wire.Session(out, TOS, port, CRANE, 502).open()
        done = executed.setdefault(port, [])
        clock()

        def read(chunk):
            before = len(server.done)
            answers = server.feed(chunk)
            done.extend((len(out), f) for f in server.done[before:])
            for answer in answers:
                s.s2c(PSH | ACK, answer)
                clock()

        base, taken = s.seq, 0
        for payload, gap, at_once, offset, most in placed(segments):
            if gap:  # the server has read what there is before it gives up
                read(waiting)
                waiting = b""
                server.late()
            s.seq = base + offset
            s.c2s(PSH | ACK, payload)
            clock(gap)
            if offset <= taken < offset + most:
                waiting += payload[taken - offset:most]
                taken = offset + most
            s.seq = base + taken
            if 0 < most < len(payload):  # its window ends there
                s.s2c(ACK)
                clock()
            if at_once:
                read(waiting)
                waiting = b""
        read(waiting)
    return wire.pcap(out, at=at), executed


def judged(t, name, policy, rule, model, sessions):
    """What the servers executed before the box refused something, and what of that was forbidden.
    Also how many sessions passed completely."""
    data, executed = capture(sessions, model)
    r = t.replay(t.file("%s-%s.pcap" % (name, model), data), "--as-box", policy=policy)
    refused = {}
    for f in r.flows:
        if f["verdict"] == "deny":
            refused[int(f["client"].rsplit(":", 1)[1])] = f["packet"]
    bad = [(port, frame, f[0], f[1], f[2].hex()) for port, done in executed.items() for frame, f in done
           if forbidden(rule, f) and frame < refused.get(port, 1 << 60)]
    return bad, len(sessions) - len(refused)


def check(t):
    seed = int(os.environ.get("SEKISHO_SEED", random.randrange(1 << 32)))
    t.note("seed %d" % seed)
    if not LIB:
        t.note("libmodbus is not installed: only its rules were tried")
    if not ModbusSocketFramer:
        t.note("python3-pymodbus is not installed: pymodbus was not tried")
    files = {name: t.file(name + ".cfg", POLICY % rows) for name, (rows, _) in POLICIES.items()}
    for name, victim, what, segments in written():
        if victim == "libmodbus" and LIB:
            victim = "libmodbus itself"
        if victim not in MODELS:
            continue
        rule = POLICIES[name][1]
        _, executed = capture([segments], victim)
        t.true("%s: %s: is an attack" % (victim, what), any(forbidden(rule, f) for done in executed.values() for _, f in done))
        bad, whole = judged(t, "written", files[name], rule, victim, [segments])
        t.equal("%s: %s: refused" % (victim, what), (bad, whole), ([], 0))
    for name, (_, rule) in POLICIES.items():
        for model in MODELS:
            # this server takes the rest of a cut request, even of a read, for a write; nothing
            # outside of it can prevent that
            if model == "halves":
                continue
            rng = random.Random("%d %s %s" % (seed, name, model))
            sessions = [random_session(rng, rule) for _ in range(SESSIONS)]
            bad, whole = judged(t, name, files[name], rule, model, sessions)
            t.equal("%s under %s: forbidden and executed" % (model, name), bad[:3], [])
            t.true("%s under %s: some sessions pass" % (model, name), whole > SESSIONS // 20)

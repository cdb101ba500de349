# SPDX-License-Identifier: Apache-2.0
"""What the attacks need to know of each enforced protocol: an allowed request and a forbidden one
of the same length, the beginning of a session, how a receiver splits its stream, its answers, and
the policy in an independent implementation."""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import enip  # noqa: E402
import fins  # noqa: E402
import modbus  # noqa: E402
import s7  # noqa: E402
import slmp  # noqa: E402
from box import conduit  # noqa: E402


class Speech:
    """greeting: the messages at the beginning of a session, each of which is answered; fragile: the
    number of first bytes of a request that must not be split; lies: [(name, bytes)] with false
    contents, each refused; lengths: [(offset, size, little-endian)] of its length fields."""
    greeting, fragile, lies, lengths = (), 0, [], []

    def __init__(self, name, port, service, read, write):
        self.name, self.port, self.read, self.write = name, port, read, write
        self.policy = conduit(name, "ops", "ot", [service], criticality="cargo")
        assert len(read) == len(write) and self.allowed(self.whole(read)[0]) and not self.allowed(self.whole(write)[0]), name
        # the number of equal bytes at the beginning
        self.same = next(i for i in range(len(read)) if read[i] != write[i])

    def whole(self, stream):
        """The PDUs of a stream as a receiver splits it, up to the first broken one."""

    def allowed(self, pdu):
        """Whether the policy allows this PDU."""

    def answer(self, pdu):
        """The bytes of the server's answer."""

    def forbidden(self, stream):
        return [p for p in self.whole(stream) if not self.allowed(p)]

    def answers(self, stream):
        return b"".join(self.answer(p) for p in self.whole(stream))

    def wrong_lengths(self):
        """Both requests with each length field 2 smaller to 2 larger, 0, 1, the maximum, and the
        sign bit; followed by more bytes than any PDU has."""
        out = []
        for which, good in (("read", self.read), ("write", self.write)):
            for at, size, little in self.lengths:
                order = "little" if little else "big"
                true = int.from_bytes(good[at:at + size], order)
                top = 1 << 8 * size
                for n in sorted({(true + d) % top for d in (-2, -1, 1, 2)} | {0, 1, top - 1, top >> 1, (top >> 1) - 1} - {true}):
                    out.append(("%s, length at %d is %d" % (which, at, n), good[:at] + n.to_bytes(size, order) + good[at + size:]))
        return out


class Modbus(Speech):
    """Holding registers 0 to 99 of unit 1 may be read."""
    lengths = [(4, 2, False)]

    def whole(self, stream):
        return modbus.pdus(stream)

    def allowed(self, pdu):
        unit, function, data = pdu
        if unit != 1 or function != 3 or len(data) != 4:
            return False
        first, n = struct.unpack("!HH", data)
        return 1 <= n <= 125 and first + n <= 100

    def answer(self, pdu):
        unit, function, data = pdu
        if function == 3 and len(data) == 4:
            body = bytes([2 * data[3]]) + bytes(2 * data[3])
        else:
            body = data[:4]
        return struct.pack("!HHHBB", 0, 0, 2 + len(body), unit, function) + body


class Slmp(Speech):
    """D0 to D99 of the own station may be read, and 0 or 1 may be written to D50."""

    def __init__(self, form):
        self.form = form
        points = form.num(1, 2) + form.num(1, 0) + form.device(False, "d", 0) + form.device(False, "d", 99)
        read, write = form.request(0x0403, 0, points), form.write("d", 49, [1, 7])
        at = len(read) - len(form.request(0, 0, points)) + len(form.frame(True, 1, slmp.OWN, b"")) - len(form.num(2, 0))
        self.lengths = [] if form.ascii else [(at, 2, True)]
        remote = lambda code, data=b"": form.request(code, 0, data)
        self.lies = [
            ("a byte more", form.request(0x0403, 0, points + b"\0")), ("a byte less", form.request(0x0403, 0, points[:-1])),
            ("remote run", remote(0x1001, form.num(2, 1) + form.num(1, 0) + form.num(1, 0))), ("remote stop", remote(0x1002, form.num(2, 1))),
            ("remote reset", remote(0x1006, form.num(2, 1))), ("a file", remote(0x1827)), ("a password", remote(0x1630)),
            ("beyond the last", form.read("d", 99, 2)), ("far beyond", form.read("d", 0xffff, 0xffff)),
            ("one of several", form.request(0x0403, 0, points[:-len(form.device(False, "d", 0))] + form.device(False, "d", 100))),
            ("another device", form.read("w", 0, 1)), ("bits of another", form.write_bits("m", 0, [1])),
            ("random write", form.request(0x1402, 0, form.num(1, 1) + form.num(1, 0) + form.device(False, "d", 51) + form.num(2, 1))),
            ("a double word over the edge", form.request(0x1402, 0, form.num(1, 0) + form.num(1, 1) + form.device(False, "d", 50) + form.num(4, 1))),
            ("block write", form.request(0x1406, 0, form.num(1, 1) + form.num(1, 0) + form.device(False, "d", 50) + form.num(2, 2) + form.num(2, 1) * 2)),
            ("monitor of nobody", remote(0x0802)), ("another station", form.request(0x0401, 0, form.device(False, "d", 0) + form.num(2, 1), route=(0, 3, 0x3ff, 0))),
            ("the same in another form", next(f for f in slmp.FORMS if f.ascii != form.ascii).write("d", 10, [1])),
            ("an answer", form.answer(form.num(2, 0) * 2)), ("HTTP", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
        ]
        super().__init__(("slmp %s" % form).replace(" ", "-"), 5007, "melsec", read, write)

    def whole(self, stream):
        out = []
        while slmp.cut(stream):
            one, stream = slmp.cut(stream)
            out.append(one)
        return out

    def allowed(self, pdu):
        try:
            p = slmp.parse(pdu)
            if not p["asks"] or p["route"][1] != 255:
                return False
            seen, left = slmp.effects(p)
        except (ValueError, KeyError, TypeError):
            return False
        return all(name == "d" and k < 100 for name, k in seen) and all((name, k) == ("d", 50) and v < 2 for name, k, v in left)

    def answer(self, pdu):
        try:
            p = slmp.parse(pdu)
        except ValueError:
            return b""
        words = 2 if p.get("command") == 0x0403 else 0
        return p["form"].answer(p["form"].num(2, 7) * words, serial=p["serial"], route=p["route"])


class Enip(Speech):
    """Tags may be read, and 0 or 1 may be written to Lamp, of the controller itself or of slot 0
    behind it."""
    HANDLE = 0x5EC1
    greeting, fragile = (enip.register(),), 4
    # of the message, of items, of CIP, of its path
    lengths = [(2, 2, True), (32, 2, True), (38, 2, True), (41, 1, True)]

    def __init__(self):
        ask = lambda cip: enip.request(self.HANDLE, cip)
        several = lambda *parts: ask(enip.service(0x0A, enip.ROUTER, enip.several(list(parts))))
        good, bad = enip.read("Speed"), enip.write("Speed", 1)
        self.lies = [
            ("one of several", several(good, bad)), ("the first of several", several(bad, good)), ("several in several", several(
                enip.service(0x0A, enip.ROUTER, enip.several([bad])))), ("sent on", ask(enip.sent_on(bad))),
            ("sent on to another slot", ask(enip.sent_on(good, b"\1\5"))), ("sent on twice", ask(enip.sent_on(enip.sent_on(good)))),
            ("sent on over a network", ask(enip.sent_on(good, b"\1\0\2\5"))), ("a reset", ask(enip.service(0x05, b"\x20\x01\x24\x01", b"\0"))),
            ("a stop", ask(enip.service(0x07, b"\x20\x8e\x24\x01"))), ("a start", ask(enip.service(0x06, b"\x20\x8e\x24\x01"))),
            ("an attribute is set", ask(enip.service(0x10, b"\x20\xf5\x24\x01\x30\x05", bytes(22)))),
            ("PCCC", ask(enip.service(0x4B, b"\x20\x67\x24\x01", b"\7" + bytes(6) + b"\x0f\0\1\0\xaa\2\7\x89\0\0\1\0"))),
            ("a value", ask(enip.write("Lamp", 2))), ("a member of it", ask(enip.write("Lampe", 1))),
            ("masked", ask(enip.service(0x4E, enip.tag("Lamp"), b"\4\0" + bytes(8)))),
            ("I/O is opened", ask(enip.service(0x54, enip.MANAGER, bytes(35) + b"\0"))), ("another's session", enip.request(7, good)),
            ("no such command", enip.message(0x99, b"", self.HANDLE)), ("over no connection", enip.unit(self.HANDLE, 9, 1, good)),
            ("an answer", enip.request(self.HANDLE, bytes([0xCC, 0, 0, 0]) + b"\xc4\0" + bytes(4))), ("a second session", enip.register()),
            ("a status", enip.message(0x6F, good, self.HANDLE, 1, 1)), ("HTTP", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
        ]
        super().__init__("enip", 44818, "logix", enip.request(self.HANDLE, enip.read("LampABCDEF")), enip.request(self.HANDLE, enip.write("Lamp", 7)))

    def whole(self, stream):
        out = []
        while len(stream) >= 24:
            n = 24 + struct.unpack_from("<H", stream, 2)[0]
            if len(stream) < n or struct.unpack_from("<H", stream)[0] not in (0, 4, 0x63, 0x64, 0x65, 0x66, 0x6F, 0x70):
                break
            out.append(stream[:n])
            stream = stream[n:]
        return out

    def allowed(self, pdu):
        command = struct.unpack_from("<H", pdu)[0]
        if command != 0x6F:
            return command in (0, 0x65)
        try:
            return struct.unpack_from("<I", pdu, 4)[0] == self.HANDLE and len(pdu) == 40 + struct.unpack_from("<H", pdu, 38)[0] and \
                self.service_allowed(pdu[40:])
        except (struct.error, IndexError):
            return False

    def service_allowed(self, cip):
        code, words = cip[0], cip[1]
        path, data = cip[2:2 + 2 * words], cip[2 + 2 * words:]
        if code == 0x4C:
            return path[0] == 0x91
        return code == 0x4D and path == enip.tag("Lamp") and len(data) == 8 and struct.unpack_from("<I", data, 4)[0] < 2

    def answer(self, pdu):
        command, context = struct.unpack_from("<H", pdu)[0], struct.unpack_from("<Q", pdu, 12)[0]
        if command == 0x65:
            return enip.message(0x65, b"\1\0\0\0", self.HANDLE, context)
        if command != 0x6F or len(pdu) < 42:
            return b""
        return enip.request(self.HANDLE, bytes([pdu[40] | 0x80, 0, 0, 0]) + (b"\xc4\0\7\0\0\0" if pdu[40] == 0x4C else b""), context)


class S7(Speech):
    """Rack 0, slot 2: bytes 0 to 99 of DB10 and flags 0 to 15 may be read."""
    greeting = (s7.connect(), s7.setup())
    # of the packet, of COTP, of parameters, of data
    lengths = [(2, 2, False), (4, 1, False), (13, 2, False), (15, 2, False)]

    def __init__(self):
        cells = lambda *first: [s7.place(s7.DB, 10, at, 1) for at in first]
        octets = lambda block, first: s7.write([s7.place(s7.DB, block, first, 8)], [s7.value(bytes(8))])
        self.lies = [
            ("one of several", s7.read(cells(0, 1, 100))), ("the first of several", s7.read(cells(100, 0, 1))), ("another block", octets(11, 0)),
            ("over the edge", s7.read([s7.place(s7.DB, 10, 99, 2)])), ("flags beyond", s7.read([s7.place(s7.FLAGS, 0, 16, 1)])),
            ("a count that wraps", s7.read([s7.place(s7.DB, 10, 0, 0xffff, s7.WORD)])), ("stop", s7.stop()), ("start", s7.start()),
            ("a block is inserted", s7.invoke(b"_INSE", b"\1\x000A00001P")), ("download", s7.download()), ("userdata", s7.status_list(0x131)),
            ("the clock is set", s7.userdata(7, 2, values=b"\xff\x09\0\x0a" + bytes(10))), ("memory reset", s7.userdata(1, 12)),
            ("a password", s7.userdata(5, 1, values=b"\xff\x09\0\x08" + bytes(8))), ("in two DTs", s7.data(octets(10, 0)[7:20], False) + s7.data(octets(10, 0)[20:])),
            ("plus", s7.plus()), ("a second connection", s7.connect()), ("another slot", s7.connect(3)), ("a second setup", s7.setup() + octets(10, 0)),
            ("an answer", s7.data(s7.message(3, 2, b"\4\1", b"\xff\4\0\x08\0"))), ("HTTP", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
        ]
        super().__init__("s7comm", 102, "s7_read", s7.read(cells(0, 1)), octets(10, 40))

    def whole(self, stream):
        out, parts = [], b""
        while s7.cut(stream):
            one, stream = s7.cut(stream)
            if len(one) < 7 or one[:2] != b"\3\0":
                break
            if one[5] != 0xF0:
                out.append(one)
                continue
            parts += one[7:]
            if one[6] & 0x80:
                out.append(parts)
                parts = b""
        return out

    def allowed(self, pdu):
        if pdu[:1] == b"\3":
            return pdu == s7.connect()
        if s7.function_of(pdu) == s7.SETUP:
            return True
        if s7.function_of(pdu) != s7.READ or len(pdu) != 12 + 12 * pdu[11]:
            return False
        return all(self.item_allowed(pdu[at:at + 12]) for at in range(12, len(pdu), 12))

    @staticmethod
    def item_allowed(item):
        kind, count, block, area = struct.unpack("!BHHB", item[3:9])
        first, width = int.from_bytes(item[9:12], "big"), {s7.BIT: 1, s7.BYTE: 8, s7.WORD: 16}.get(kind)
        top = {s7.DB: 100 * (block == 10), s7.FLAGS: 16}.get(area, 0) * 8
        return width is not None and first + count * width <= top

    def answer(self, pdu):
        if pdu[:1] == b"\3":
            return s7.connection(0xD0, struct.unpack("!H", pdu[8:10])[0], 0x100) if pdu[5] == 0xE0 else b""
        if pdu[:2] != b"\x32\1":
            return b""
        reference, function = struct.unpack("!H", pdu[4:6])[0], pdu[10]
        if function == s7.SETUP:
            return s7.data(s7.message(3, reference, pdu[10:16] + struct.pack("!H", 240)))
        if function == s7.READ:
            return s7.data(s7.message(3, reference, pdu[10:12], b"\0".join([b"\xff\4\0\x08\7"] * pdu[11])))
        return s7.data(s7.message(3, reference, bytes([function]) + pdu[11:12] * (function == s7.WRITE), b"\xff" * (function == s7.WRITE)))


class Fins(Speech):
    """Node 10: DM 0 to 99 may be read, and 0 or 1 may be written to D50."""
    greeting = (fins.node(),)
    lengths = [(4, 4, False)]

    def __init__(self):
        d = lambda word, bit=None: fins.place("d", word, bit)
        ask = lambda command, data=b"", **to: fins.tcp(fins.request(command, data, **to))
        bad = fins.tcp(fins.write("d", 49, [1, 7, 1]))
        self.lies = [
            ("over the edge", fins.tcp(fins.read("d", 99, 2))), ("a count that wraps", fins.tcp(fins.read("d", 0, 0xffff))), ("a value", fins.tcp(fins.write("d", 50, [2]))),
            ("one of several", ask(fins.MULTIPLE, d(0) + d(100))), ("the first of several", ask(fins.MULTIPLE, d(100) + d(0))), ("another area", fins.tcp(fins.read("cio", 0, 1))),
            ("a bit of it", fins.tcp(fins.write("d", 50, [1], bit=0))), ("fill", fins.tcp(fins.fill("d", 50, 2, 1))), ("a transfer", fins.tcp(fins.transfer(d(0), d(50), 1))),
            ("parameters", ask(0x0202, b"\x80\x10" + bytes(6))), ("a program", ask(0x0307, bytes(8))), ("run", ask(0x0401)), ("stop", ask(0x0402)), ("the clock is set", ask(0x0702, bytes(7))),
            ("the right is taken", ask(0x0C02, b"\xff\xff")), ("a file is deleted", ask(0x2205, bytes(16))), ("forced bits", ask(0x2301, b"\0\1\0\1" + fins.place("cio", 0, 0))),
            ("no such command", ask(0x9999)), ("another node", ask(fins.READ, d(0) + b"\0\1", to=(0, 11, 0))), ("all nodes", ask(fins.WRITE, d(50) + b"\0\1\0\1", to=(0, 255, 0))),
            ("another network", ask(fins.READ, d(0) + b"\0\1", to=(1, 10, 0))), ("a unit behind it", ask(fins.READ, d(0) + b"\0\1", to=(0, 10, 0x10))),
            ("a byte more", fins.tcp(fins.read("d", 0, 1) + b"\0")), ("a byte less", fins.tcp(fins.read("d", 0, 1)[:-1])), ("a header within", ask(0x0801, bad)),
            ("a second node", fins.node()), ("the server's part", fins.nodes()), ("a command of headers", fins.tcp(b"", 6)), ("an error", fins.tcp(fins.read("d", 0, 1), error=1)),
            ("an answer", fins.tcp(fins.answer(fins.READ, b"\0\0"))), ("HTTP", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
        ]
        super().__init__("fins", 9600, "omron", fins.tcp(fins.multiple([d(0), d(1), d(2)])), bad)

    def whole(self, stream):
        return fins.split(stream)[0]

    def allowed(self, pdu):
        header, body = pdu
        if header == 0:
            return len(body) == 4
        q = fins.parse(body)
        if header != 2 or q is None or not q["asks"] or not fins.sense(q) or q["to"] != fins.PLC or q["command"] not in (fins.READ, fins.MULTIPLE, fins.WRITE):
            return False
        read, left = fins.effects(q)
        dm = lambda bits, words: bits is not None and all(area == "d" and word in words for area, word, _ in bits)
        values = struct.unpack("!%dH" % (len(q["data"][6:]) // 2), q["data"][6:]) if q["command"] == fins.WRITE else ()
        return dm(read, range(100)) and dm(left, (50,)) and all(v < 2 for v in values)

    def answer(self, pdu):
        header, body = pdu
        if header == 0:
            return fins.nodes()
        q = fins.parse(body)
        if header != 2 or q is None or not q["asks"]:
            return b""
        items = {fins.READ: b"\0\7", fins.MULTIPLE: b"\x82\0\7" * (len(q["data"]) // 4)}.get(q["command"], b"")
        return fins.tcp(fins.answer(q["command"], items, sid=q["sid"], to=q["from"], sender=q["to"]))


MODBUS = Modbus("modbus", 502, "read", struct.pack("!HHHBBHH", 0, 0, 6, 1, 3, 0, 4), struct.pack("!HHHBBHH", 0, 0, 6, 1, 6, 1, 7))
SLMP = Slmp(slmp.FORMS[0])
SLMP_TEXT = Slmp(slmp.FORMS[3])
ENIP = Enip()
S7COMM = S7()
FINS = Fins()
OTHERS = (SLMP, SLMP_TEXT, ENIP, S7COMM, FINS)

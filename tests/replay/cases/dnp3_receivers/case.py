# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import dnp3  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WATCH = ['{ commands = ["read", "diagnose"]; outstations = [10]; }',
         '{ functions = ["enable_unsolicited", "disable_unsolicited", "write_indications"]; outstations = [10]; }']
POLICIES = {
    "reads": told.policy("dnp3", ["tcp/20000"], WATCH),
    "values": told.policy("dnp3", ["tcp/20000"], WATCH + [
        '{ functions = ["select", "operate", "direct_operate", "direct_operate_nr"]; outstations = [10]; binary_outputs = ["0-7"]; '
        '  operations = ["0x3", "0x4"]; }',
        '{ functions = ["select_analog", "operate_analog", "direct_operate_analog"]; outstations = [10]; objects = ["41.2"]; analog_outputs = ["0-3"]; '
        '  values = ["0-1000"]; }'])}


def forbidden(_, policy, heard):
    """The forbidden operations: what, kind of output, index, value."""
    def allowed(what, kind, index, value):
        if policy == "reads" or what not in ("select", "operate"):
            return False
        return kind == "binary" and index < 8 and value in (3, 4) or kind == "analog16" and index < 4 and 0 <= value <= 1000
    return [x for x in heard["did"] or [] if not allowed(*x)][:3]


def good(rng, policy):
    """An allowed request: (function, objects)"""
    if policy == "values" and rng.random() < 0.7:
        if rng.random() < 0.6:
            objects = b"".join(dnp3.crob(rng.randrange(8), rng.choice([3, 4]), wide=rng.random() < 0.3) for _ in range(rng.choice([1, 1, 2])))
            return rng.choice([dnp3.SELECT, dnp3.DIRECT, dnp3.DIRECT_NR]), objects
        return rng.choice([dnp3.SELECT, dnp3.DIRECT]), dnp3.analog(rng.randrange(4), rng.randrange(1001), wide=rng.random() < 0.3)
    return rng.choice([(1, dnp3.CLASSES), (1, dnp3.all_of(30)), (1, dnp3.points(1, 2, 0, 9)), (23, b""), (21, dnp3.CLASSES[3:]), (20, dnp3.CLASSES[3:]),
                       (2, dnp3.points(80, 1, 7, 7, b"\0")), (1, dnp3.points(10, 2, 0, 300))])


def evil(rng, policy):
    kinds = [lambda: (rng.choice([3, 5, 5, 6]), dnp3.crob(rng.randrange(8, 20), rng.choice([3, 4]))),
             lambda: (rng.choice([5, 6]), dnp3.crob(rng.randrange(8), rng.choice([1, 2, 0x41, 0x81, 0x13, 0x23, 0]))),
             lambda: (5, dnp3.analog(rng.randrange(4, 20), 7)), lambda: (5, dnp3.indexed(41, 1, [(rng.randrange(4), struct.pack("<IB", 7, 0))])),
             lambda: (5, dnp3.indexed(41, 3, [(rng.randrange(4), struct.pack("<fB", 7, 0))])),
             lambda: (5, dnp3.indexed(41, 4, [(1, struct.pack("<dB", 7, 0))])),
             lambda: (2, dnp3.clock()), lambda: (13, b""), lambda: (14, b""), lambda: (22, dnp3.all_of(60, 2) + dnp3.points(1, 0, 0, 3)),
             lambda: (5, dnp3.crob(1, 3) + dnp3.crob(9, 3)), lambda: (5, dnp3.indexed(12, 1, [(1, dnp3.crob(1)[5:]), (12, dnp3.crob(1)[5:])])),
             lambda: (5, dnp3.analog(1, 7) + dnp3.crob(9, 3)), lambda: (1, dnp3.CLASSES + dnp3.crob(9, 3)),
             lambda: (2, bytes([50, 4, 0x17, 1, 0]) + bytes(11))]
    if policy == "values":
        kinds += [lambda: (rng.choice([3, 5]), dnp3.analog(rng.randrange(4), rng.choice([1001, 65535, 0x7FFF]))),
                  lambda: (5, dnp3.analog(1, 7) + dnp3.analog(2, 1001))]
    return rng.choice(kinds)()


class Master:
    """What a master sends. The numbers of fragments and segments are consecutive; bytes are changed
    before or after the checksums are made."""

    def __init__(self, rng, harmless):
        self.rng, self.harmless, self.number, self.segment = rng, harmless, rng.randrange(16), rng.randrange(64)

    def odd(self, chance):
        return not self.harmless and self.rng.random() < chance

    def frame(self, data, **ends):
        rng = self.rng
        control = rng.choice([0xC4, 0xF3, 0xD3, 0xC3, 0x44, 0x84, 0xC0, 0xC9]) if self.odd(0.06) else 0xC4
        if self.odd(0.05):
            ends = {**ends, **rng.choice([{"to": 11}, {"to": 0xFFFF}, {"to": 0xFFFD}, {"by": 2}, {"to": 1, "by": 10}])}
        b = dnp3.frame(control, data, **ends)
        if self.odd(0.05):  # the header is changed, and its checksum is right
            head = told.spoiled(rng, b[:8], (5, 0x64, 0xC4, 10, 1, 0xFF, 0), 8)[:8].ljust(8, b"\0")
            b = head + dnp3.crc(head) + b[10:]
        return told.spoiled(rng, b, (5, 0x64, 0xC4, 10, 1, 0xFF, 0), 12) if self.odd(0.04) else b

    def fragment(self, function, objects):
        """The frames of a request, split into segments of any size."""
        rng = self.rng
        control = rng.choice([0xC0, 0xC0, 0xE0, 0xD0, 0x80, 0x40, 0xF0]) if self.odd(0.06) else 0xC0
        body = bytes([control | self.number, function]) + objects
        self.number = (self.number + (not self.odd(0.05))) % 16
        if self.odd(0.25):
            body = told.spoiled(rng, body, (0, 1, 3, 4, 5, 6, 7, 8, 12, 0x17, 0x28, 41, 0xC0), 16)
        size = rng.choice([249, 249, 249, 40, 16, 12, 8, 3, 1]) if not self.harmless else 249
        parts = [body[k:k + size] for k in range(0, len(body), size)] or [b""]
        out = []
        for k, p in enumerate(parts):
            head = 0x40 * (k == 0) | 0x80 * (k == len(parts) - 1) | self.segment % 64
            self.segment += 1
            if self.odd(0.04):
                head ^= rng.choice([0x40, 0x80, 0xC0, 1, 2])
            out.append(self.frame(bytes([head]) + p))
        # repeated, missing and reordered segments, with frames of the link layer between them
        if len(out) > 1 and self.odd(0.25):
            k = rng.randrange(len(out))
            out[k:k + 1] = rng.choice([[out[k]] * 2, [], [out[k], dnp3.frame(rng.choice([0xC0, 0xC9, 0xC2]))], [out[k], self.frame(b"\xc0" + bytes(4))]])
            if rng.random() < 0.3:
                rng.shuffle(out)
        return out

    def request(self, policy, wicked):
        """[bytes], usually one frame each."""
        rng = self.rng
        if not wicked:
            function, objects = good(rng, policy)
            out = self.fragment(function, objects)
            if function == dnp3.SELECT:  # an OPERATE with the same points, or nearly the same
                if self.odd(0.5):
                    objects = rng.choice([evil(rng, policy)[1], good(rng, policy)[1], objects + objects, objects[:-1] + b"\1", told.spoiled(rng, objects)])
                out += self.fragment(dnp3.OPERATE, objects)
            return out
        function, objects = evil(rng, policy)
        out = self.fragment(function, objects)
        if function == dnp3.SELECT:
            out += self.fragment(dnp3.OPERATE, objects)
        if rng.random() < 0.5:
            return out
        # Puts the frames where no frame of the client begins: in the data of another frame, whole
        # or with checksums between them; after random bytes; after a changed header.
        inner = b"".join(out)
        how = rng.random()
        if how < 0.35:
            pad = bytes(rng.choice([0, 1, 3, 5, 13, 14, 15, 16]))
            return [dnp3.frame(0xC4, (b"\xc0\xc0\2" + pad + inner)[:250])]
        if how < 0.6:
            longest = b"\5\x64\xff\xc4\12\0\1\0"
            return [rng.choice([b"\5", b"\5\x64", b"\5\x64\5\xc0\12\0\1\0\0\0", bytes(7), longest + dnp3.crc(longest)]) + inner]
        if how < 0.8:
            carrier = bytearray(dnp3.frame(0xC4, (b"\xc0\xc0\1" + inner)[:250]))
            carrier[rng.choice([2, 3, 8, 9])] ^= 1 << rng.randrange(8)
            return [bytes(carrier)]
        return [self.fragment(1, dnp3.CLASSES)[0][:rng.choice([8, 10, 12, 18])] + inner]


def session(rng, _, policy):
    harmless = rng.random() < 0.1
    master, out = Master(rng, harmless), []
    for _ in range(rng.randrange(1, 6)):
        for b in master.request(policy, not harmless and rng.random() < 0.5):
            if b:
                inside = b.find(b"\5\x64", 1)
                out.append(("tcp", b, [] if harmless else told.cut(rng, b, [inside] if inside > 0 else [])))
        if rng.random() < 0.2:
            out.append(("tcp", dnp3.confirm(master.number, rng.random() < 0.5), []))
    return out if harmless else told.joined(rng, out)


ROW = told.Row("dnp3_receivers", "SEKISHO_DNP3_OUTSTATION", "how to run an outstation ({port} in it: where it is to listen)", 20000, POLICIES, session,
               forbidden, instances=8)


def cases(t):
    return told.cases(t, ROW, HERE)

# SPDX-License-Identifier: Apache-2.0
"""Sealed generations as the first release wrote them: form 1, which had no assets and no accepted warnings, with a command table
of version 1, which had no leniency of grants and no file of rows."""
import hashlib
import struct

HEADER = 40  # magic and digest
SETS = 9     # bytes of a set of numbers in the table: any, first, count
OLD_SPACES = 4


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def text(self):
        self.take(self.u32())

    def address(self):
        self.take({0: 0, 4: 4, 6: 16}[self.u8()])

    def ranges(self, n):
        for _ in range(2 * n):
            self.address()


class Set:
    """A set of numbers in the table: all, or the ranges from `first` on."""

    def __init__(self, r):
        self.image = r.data[r.at:r.at + SETS]
        self.any, self.first, self.count = r.u8(), r.u32(), r.u32()

    def bits(self, ranges):
        """As the older form had codes and units: a bit for each of 256, words of 64 of them."""
        numbers = {n for lo, hi in ranges[self.first:self.first + self.count] for n in range(lo, hi + 1)}
        return struct.pack(">4Q", *(sum(1 << i for i in range(64) if 64 * word + i in numbers) for word in range(4)))


NONE = struct.pack(">BII", 0, 0, 0)
ALL_UNITS = struct.pack(">4Q", 2**64 - 2, 2**64 - 1, 2**64 - 1, 2**64 - 1)  # what no row named: all but 0


def _row(r, ranges, spaces):
    services = Set(r)
    units = Set(r)
    r.take(3 * SETS)  # targets that Modbus does not have
    values = r.take(SETS)
    any_space, first, count = r.u8(), r.u32(), r.u32()
    assert not services.any
    out = [services.bits(ranges), ALL_UNITS if units.any else units.bits(ranges), struct.pack(">BB", units.any, any_space)]
    named = dict(spaces[first:first + count])
    out += [named.get(space, NONE) for space in range(OLD_SPACES)]
    out += [values, r.take(4)]
    r.take(4)         # the file
    return b"".join(out)


def _table(image):
    """The table image in version 1."""
    r = Reader(image)
    magic = r.take(4)
    assert struct.unpack(">H", r.take(2))[0] == 6
    permits, grants, rows, spaces, ranges, names = struct.unpack(">6I", r.take(24))
    assert names == 0
    out = [magic, struct.pack(">H4I", 1, permits, grants, rows, ranges)]
    for _ in range(permits):
        out.append(r.take(10))
        assert r.u8() == 0  # nothing of weak TLS
        out.append(r.take(8 + SETS))
    for _ in range(grants):
        grant = r.take(33)
        out.append(grant[:12] + grant[13:25])
    at = r.at
    size = 17 + 6 * SETS
    r.take(rows * size)
    named = [(r.u8(), Set(r).image) for _ in range(spaces)]
    numbers = [struct.unpack(">QQ", r.take(16)) for _ in range(ranges)]
    assert r.at == len(image)
    r.at = at
    out += [_row(r, numbers, named) for _ in range(rows)]
    return b"".join(out) + b"".join(struct.pack(">II", lo, hi) for lo, hi in numbers)


def digest(sealed):
    """By which the history knows it."""
    return hashlib.sha256(sealed[HEADER:]).hexdigest()


def first_form(sealed):
    """The generation in form 1; it must have no assets, and what its conduits accept is left out."""
    r = Reader(sealed[HEADER:])
    assert r.u32() == 17
    r.text()
    r.text()
    texts = r.at
    assert r.u32() == 0       # nobody to call
    assert r.take(17) == bytes(17)  # how long records are kept, what for, and whether sessions that pass are
    workers = r.at
    r.u32()
    kinds = r.at
    r.take(8)                 # how many workers of each kind
    count = r.u32()
    interfaces = [struct.pack(">I", count)]
    for _ in range(count):
        begin = r.at
        r.text()
        r.text()
        interfaces.append(r.data[begin:r.at])
        assert r.take(6) == bytes(6)  # no card and no VLAN
        begin = r.at
        r.take(5)
        for _ in range(r.u32()):
            r.address()
            r.u8()
        interfaces.append(r.data[begin:r.at])
        assert r.u32() == 0   # hosts for which it answers
    routes = r.at
    for _ in range(r.u32()):
        r.ranges(1)
        r.address()
        r.u32()
    rest = r.at
    assert r.u32() == 0       # hosts that the box itself may reach
    for _ in range(r.u32()):  # sources
        r.text()
        r.text()
    for _ in range(r.u32()):  # zones
        r.text()
        r.text()
        r.u8()
        r.take(4 * r.u32())
        r.ranges(r.u32())
    zones = r.at
    assert r.u32() == 0       # assets
    count = r.u32()
    conduits = [struct.pack(">I", count)]
    for _ in range(count):
        begin = r.at
        for _ in range(6):
            r.text()
        r.take(26)
        conduits.append(r.data[begin:r.at])
        assert r.u32() == 0   # it may be silent
        for _ in range(2 * r.u32()):  # what it accepts, and why
            r.text()
    count = r.u32()
    older = [struct.pack(">I", count)]
    for _ in range(count):
        older.append(r.take(15))
        assert r.u8() == 0  # weak TLS is reported
        older.append(r.take(4))
        assert r.take(60) == bytes(60)  # protocols of which it has no bits
        older.append(r.take(32))
    cells = r.at
    for _ in range(r.u32()):  # cells
        r.take(9)
        r.ranges(2)
        r.take(17)
    table = r.at
    image = _table(r.take(r.u32()))
    body = struct.pack(">I", 1) + r.data[4:texts] + r.data[workers:kinds] + b"".join(interfaces) + r.data[routes:rest] + r.data[rest + 4:zones] + b"".join(conduits + older) + r.data[cells:table] + struct.pack(">I", len(image)) + image
    return sealed[:8] + hashlib.sha256(body).digest() + body

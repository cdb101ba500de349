# SPDX-License-Identifier: Apache-2.0
"""Sealed generations as the first release wrote them: form 1, which had no assets and no accepted warnings, with a command table
of version 1, which had no leniency of grants and no file of rows."""
import hashlib
import struct

HEADER = 40  # magic and digest
SETS = 9     # bytes of a set of numbers in the table: any, first, count


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


def _table(image):
    """The table image in version 1."""
    r = Reader(image)
    out = [r.take(4)]
    assert struct.unpack(">H", r.take(2))[0] == 3
    counts = r.take(16)
    permits, grants, rows, ranges = struct.unpack(">4I", counts)
    row = (len(image) - 22 - permits * (18 + SETS) - grants * 25 - ranges * 8) // rows if rows else 0
    out += [struct.pack(">H", 1), counts, r.take(permits * (18 + SETS))]
    for _ in range(grants):
        grant = r.take(25)
        out.append(grant[:12] + grant[13:])
    out += [r.take(row)[:-4] for _ in range(rows)]
    return b"".join(out) + r.take(ranges * 8)


def first_form(sealed):
    """The generation in form 1; it must have no assets, and what its conduits accept is left out."""
    r = Reader(sealed[HEADER:])
    assert r.u32() == 4
    r.text()
    r.text()
    r.u32()
    kinds = r.at
    r.take(8)                 # how many workers of each kind
    rest = r.at
    for _ in range(r.u32()):  # interfaces
        r.text()
        r.text()
        r.take(5)
        for _ in range(r.u32()):
            r.address()
            r.u8()
    for _ in range(r.u32()):  # routes
        r.ranges(1)
        r.address()
        r.u32()
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
        for _ in range(2 * r.u32()):  # what it accepts, and why
            r.text()
    permits = r.at
    r.take(51 * r.u32())
    for _ in range(r.u32()):  # cells
        r.take(9)
        r.ranges(2)
        r.take(17)
    table = r.at
    image = _table(r.take(r.u32()))
    body = struct.pack(">I", 1) + r.data[4:kinds] + r.data[rest:zones] + b"".join(conduits) + r.data[permits:table] + struct.pack(">I", len(image)) + image
    return sealed[:8] + hashlib.sha256(body).digest() + body

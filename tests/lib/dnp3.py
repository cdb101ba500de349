# SPDX-License-Identifier: Apache-2.0
"""DNP3 by hand, written from IEEE 1815 without the product's code: frames, segments and fragments;
a reader of a master's requests that tells what they touch and write and whether they are valid; and
an outstation that answers."""
import struct

SELECT, OPERATE, DIRECT, DIRECT_NR = 3, 4, 5, 6
LATCH_ON, LATCH_OFF, CLOSE, TRIP = 3, 4, 0x41, 0x81
OUTSTATION, MASTER = 10, 1

# The classes of commands in the product's reference, by their numbers in records. A thousand is
# added for each kind of object that makes another command.
READS = {1, 1001, 3001, 4001}
WRITES = {2, 7003, 7004, 7005, 7006}
CONTROLS = set(range(3, 19)) | {20, 21, 22, 24, 3002, 4002}
PROGRAMS = {19, 25, 26, 27, 28, 29, 30, 31, 2001, 2002, 5001, 5002}
DIAGNOSES = {23}
SETUP = {0}
POINTS = {"binary_inputs": (1, 2), "double_inputs": (3, 4), "binary_outputs": (10, 11, 12, 13), "counters": (20, 21, 22, 23),
          "analog_inputs": (30, 31, 32, 33, 34), "analog_outputs": (40, 41, 42, 43), "octet_strings": (110, 111)}
# Bytes of each variation from the first on; a letter: b bits, d pairs of bits.
SIZES = {1: "b 1", 2: "1 7 3", 3: "d 1", 4: "1 7 3", 10: "b 1", 11: "1 7", 12: "11 11 b", 13: "1 7", 20: "5 3 5 3 4 2 4 2", 21: "5 3 5 3 11 9 11 9 4 2 4 2",
         22: "5 3 5 3 11 9 11 9", 23: "5 3 5 3 11 9 11 9", 30: "5 3 4 2 5 9", 31: "5 3 11 9 4 2 5 9", 32: "5 3 11 9 5 9 11 15", 33: "5 3 11 9 5 9 11 15",
         34: "2 4 4", 40: "5 3 5 9", 41: "5 3 5 9", 42: "5 3 11 9 5 9 11 15", 43: "5 3 11 9 5 9 11 15", 50: "6 10 6 11", 51: "6 6", 52: "2 2", 80: "b"}


# ---- frames --------------------------------------------------------------------------------------

def crc(data):
    c = 0
    for v in data:
        c ^= v
        for _ in range(8):
            c = c >> 1 ^ 0xA6BC * (c & 1)
    return struct.pack("<H", c ^ 0xFFFF)


def frame(control, data=b"", to=OUTSTATION, by=MASTER):
    head = struct.pack("<BBBBHH", 5, 0x64, 5 + len(data), control, to, by)
    blocks = [data[k:k + 16] for k in range(0, len(data), 16)]
    return head + crc(head) + b"".join(b + crc(b) for b in blocks)


def frames(fragment, number=0, size=249, control=0xC4, **ends):
    """The frames of a fragment, each of `size` bytes of it."""
    parts = [fragment[k:k + size] for k in range(0, len(fragment), size)]
    return [frame(control, bytes([0x40 * (k == 0) | 0x80 * (k == len(parts) - 1) | (number + k) % 64]) + p, **ends) for k, p in enumerate(parts)]


def ask(function, objects=b"", number=0, control=0xC0, **how):
    return b"".join(frames(bytes([control | number, function]) + objects, **how))


def respond(objects=b"", number=0, function=129, control=0xC0, iin=0, to=MASTER, by=OUTSTATION, **how):
    return b"".join(frames(struct.pack("<BBH", control | number, function, iin) + objects, control=0x44, to=to, by=by, **how))


def unsolicited(objects=b"", number=0, **how):
    return respond(objects, number, 130, 0xF0, **how)


def confirm(number=0, unsolicited=False, **how):
    return ask(0, b"", number, 0xD0 if unsolicited else 0xC0, **how)


# ---- objects -------------------------------------------------------------------------------------

def all_of(group, variation=0):
    return bytes([group, variation, 6])


def points(group, variation, first, last, data=b""):
    wide = last > 255
    return bytes([group, variation, wide]) + struct.pack("<HH" if wide else "<BB", first, last) + data


def indexed(group, variation, items, wide=False):
    """[(index, data)]"""
    return bytes([group, variation, 0x28 if wide else 0x17]) + struct.pack("<H" if wide else "<B", len(items)) + b"".join(
        struct.pack("<H" if wide else "<B", i) + d for i, d in items)


def crob(index, code=LATCH_ON, wide=False, count=1, on=100, off=100):
    return indexed(12, 1, [(index, struct.pack("<BBIIB", code, count, on, off, 0))], wide)


def analog(index, value, wide=False):
    return indexed(41, 2, [(index, struct.pack("<HB", value, 0))], wide)


def clock(ms=1700000000000):
    return bytes([50, 1, 7, 1]) + struct.pack("<Q", ms)[:6]


CLASSES = b"".join(all_of(60, v) for v in (2, 3, 4, 1))


def _number(data, n):
    if len(data) < n:
        raise ValueError
    return int.from_bytes(data[:n], "little"), data[n:]


def headers(data, function, told=False):
    """(group, variation, indexes or None for all, [data of each] or None) of each header;
    ValueError where it makes no sense."""
    out = []
    while data:
        if len(data) < 3:
            raise ValueError
        (group, variation, qualifier), data = data[:3], data[3:]
        prefix, code = qualifier >> 4, qualifier & 15
        if prefix > 6:
            raise ValueError
        index, size = (0, 1, 2, 4, 0, 0, 0)[prefix], (0, 0, 0, 0, 1, 2, 4)[prefix]
        holds = told or size > 0 or group == 120 or not (function in (1, 7, 8, 9, 10, 20, 21, 22) or (function in (11, 12) and group != 50))
        first, count = None, None
        if code <= 2:
            first, data = _number(data, 1 << code)
            last, data = _number(data, 1 << code)
            count = last - first + 1
            if count < 1 or prefix:
                raise ValueError
        elif code == 6:
            if prefix:
                raise ValueError
        elif code in (7, 8, 9, 11):
            count, data = _number(data, 1 if code == 11 else 1 << code - 7)
            if count == 0 or (code == 11) != (size > 0):
                raise ValueError
        else:
            raise ValueError
        if holds and group == 60 and code == 6 and 1 <= variation <= 4:
            holds = False
        if holds and count is None:
            raise ValueError
        kind = SIZES.get(group, "").split()
        kind = kind[variation - 1] if 0 < variation <= len(kind) else None
        if group in (110, 111, 112, 113) and variation:
            kind = str(variation)
        if group == 120:
            kind = {3: "6", 4: "2"}.get(variation)
        items, indexes = [], []
        if holds and not size and kind in ("b", "d"):
            n = (count * (2 if kind == "d" else 1) + 7) // 8
            if index or n > len(data):
                raise ValueError
            out.append((group, variation, range(first, first + count) if first is not None else None, [data[:n]], kind))
            data = data[n:]
            continue
        if holds and size and kind is not None:
            raise ValueError
        if count is not None and (index or holds) and count > len(data):
            raise ValueError
        for k in range(count if count is not None and (index or holds) else 0):
            at = (first or 0) + k
            if index:
                at, data = _number(data, index)
            if holds:
                if size:
                    n, data = _number(data, size)
                elif group == 0:
                    n = 2 + _number(data[1:], 1)[0]
                elif kind is None:
                    raise ValueError
                else:
                    n = int(kind)
                if n > len(data):
                    raise ValueError
                items.append(data[:n])
                data = data[n:]
            indexes.append(at)
        if first is not None and not indexes:
            indexes = range(first, first + count)
        out.append((group, variation, indexes if index or first is not None else None, items if holds else None, None))
    return out


def service(function, group):
    if group in (120, 121, 122) and function not in (32, 33):
        return 6000
    if function in (3, 4, 5, 6):
        return function + 7000 * (group == 41)
    if function == 1 and group == 60:
        return 1001
    if function in (1, 2):
        return function + {70: 2000, 50: 3000, 51: 3000, 52: 3000, 80: 4000, 112: 5000, 113: 5000}.get(group, 0)
    return function


def space(group):
    return next((k for k, groups in POINTS.items() if group in groups), None)


def switched(code):
    """What an output is set to by a control: (lowest, highest), or None."""
    kind, steer = code & 15, code & 0xC0
    if steer:
        return {(1, 0x40): (1, 1), (3, 0x40): (1, 1), (1, 0x80): (0, 0), (4, 0x80): (0, 0)}.get((kind, steer))
    return {1: (0, 1), 2: (0, 1), 3: (1, 1), 4: (0, 0)}.get(kind)


def operations(fragment):
    """What a master's fragment asks for, or None: {service, object, space, indexes (None: all of
    them, or unknown), values, code}."""
    if len(fragment) < 2 or fragment[0] & 0xE0 != 0xC0 or (fragment[0] & 0x10 and fragment[1] != 0):
        return None
    function, rest = fragment[1], fragment[2:]
    if function == 0:
        return [] if not rest else None
    if function > 33:
        return [{"service": function, "object": None, "space": None, "indexes": None, "values": None, "code": None}] if function < 129 else None
    if not rest:
        return None if function in (2, 3, 4, 5, 6, 22) else [{"service": function, "object": None, "space": None, "indexes": None, "values": (), "code": None}]
    out = []
    try:
        for group, variation, indexes, items, bits in headers(rest, function):
            one = {"service": service(function, group), "object": (group, variation), "space": space(group), "values": (), "code": None}
            if items is None or bits or one["space"] is None:
                each = [i for i in indexes] if indexes is not None and one["space"] and not isinstance(indexes, range) else None
                for at in each if each is not None else [None]:
                    out.append(dict(one, indexes=[at] if at is not None else indexes))
                continue
            for k, data in enumerate(items):
                o = dict(one, indexes=[indexes[k]] if indexes is not None else None)
                if group == 12:
                    o["code"] = data[0]
                    o["values"] = switched(data[0]) if variation == 1 else None
                elif group == 41 and variation < 4 or group == 34:
                    n = 2 if (group, variation) in ((41, 2), (34, 1)) else 4
                    o["values"] = (int.from_bytes(data[:n], "little"),) * 2
                else:
                    o["values"] = None
                out.append(o)
    except ValueError:
        return None
    return out if len(out) <= 255 else None


# ---- streams -------------------------------------------------------------------------------------

def links(stream):
    """(control, to, by, segment) of each whole frame, whose checksums are right, and what is
    left."""
    out = []
    while len(stream) >= 10 and stream[:2] == b"\5\x64" and stream[2] >= 5 and crc(stream[:8]) == stream[8:10]:
        left, at, data = stream[2] - 5, 10, b""
        while left > 0:
            n = min(left, 16)
            block = stream[at:at + n]
            if crc(block) != stream[at + n:at + n + 2]:
                return out, stream
            data, at, left = data + block, at + n + 2, left - n
        out.append((stream[3], *struct.unpack("<HH", stream[4:8]), data))
        stream = stream[at:]
    return out, stream


class Outstation:
    """Answers each request under its number: reads of classes with points, commands to outputs with
    what was commanded, all others without objects."""

    def answer(self, request):
        parts = links(request)[0]
        fragment = b"".join(p[3][1:] for p in parts)
        number, function = fragment[0] & 15, fragment[1]
        if function in (0, 6, 8, 10, 12, 33):
            return b""
        body = {1: points(1, 2, 0, 1, b"\1\1"), 23: bytes([52, 2, 7, 1, 5, 0]), 3: fragment[2:], 4: fragment[2:], 5: fragment[2:]}.get(function, b"")
        return respond(body, number, to=parts[0][2], by=parts[0][1])

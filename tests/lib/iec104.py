# SPDX-License-Identifier: Apache-2.0
"""IEC 60870-5-104 by hand, written from IEC 60870-5-104 and 60870-5-101 without the product's code:
APDUs; a reader of commands that tells what they touch and write and whether they are valid; and
a controlled station that confirms."""
import struct

STARTDT_ACT, STARTDT_CON, STOPDT_ACT, STOPDT_CON, TESTFR_ACT, TESTFR_CON = 0x07, 0x0B, 0x13, 0x23, 0x43, 0x83
ACT, ACT_CON, DEACT, DEACT_CON, TERM, REQ, SPONT, FILE = 6, 7, 8, 9, 10, 5, 3, 13
# The classes of types in the product's reference.
CONTROLS = {45, 46, 47, 58, 59, 60, 103, 105, 106, 301}
WRITES = {48, 49, 50, 51, 61, 62, 63, 64, 110, 111, 112, 113}
READS = {100, 101, 102}
DIAGNOSES = {104, 107}
PROGRAMS = {120, 121, 122, 123, 124, 125, 127}
COMMANDS = CONTROLS | WRITES | READS | DIAGNOSES | PROGRAMS
# Bytes of a command's object behind its address.
SIZES = {45: 1, 46: 1, 47: 1, 48: 3, 49: 3, 50: 5, 51: 4, 58: 8, 59: 8, 60: 8, 61: 10, 62: 10, 63: 12, 64: 11, 100: 1, 101: 1, 102: 0, 103: 7, 104: 2,
         105: 1, 106: 2, 107: 9, 110: 3, 111: 3, 112: 5, 113: 1}


def u(says):
    return bytes([0x68, 4, says, 0, 0, 0])


def s(nr):
    return struct.pack("<BBBBH", 0x68, 4, 1, 0, nr << 1)


def i(asdu, ns=0, nr=0):
    return struct.pack("<BBHH", 0x68, 4 + len(asdu), ns << 1, nr << 1) + asdu


def asdu(kind, cause, objects, ca=1, originator=0, n=1):
    return struct.pack("<BBBBH", kind, n, cause, originator, ca) + objects


def command(kind, ioa, element, cause=ACT, ca=1, originator=0):
    return asdu(kind, cause, struct.pack("<I", ioa)[:3] + element, ca, originator)


def single(ioa, on, select=False, qu=0, **kw):
    return command(45, ioa, bytes([on | qu << 2 | select << 7]), **kw)


def double(ioa, state, select=False, **kw):
    return command(46, ioa, bytes([state | select << 7]), **kw)


def scaled(ioa, value, ql=0, select=False, **kw):
    return command(49, ioa, struct.pack("<hB", value, ql | select << 7), **kw)


def short_float(ioa, value, **kw):
    return command(50, ioa, struct.pack("<fB", value, 0), **kw)


def interrogate(qoi=20, **kw):
    return command(100, 0, bytes([qoi]), **kw)


def counters(qcc=5, **kw):
    return command(101, 0, bytes([qcc]), **kw)


def read(ioa, **kw):
    return command(102, ioa, b"", cause=REQ, **kw)


def clock(**kw):
    return command(103, 0, bytes([0, 0, 30, 12, 1, 6, 26]), **kw)


def reset(**kw):
    return command(105, 0, b"\1", **kw)


def measured(ioa, value, cause=SPONT, ca=1):
    return asdu(13, cause, struct.pack("<I", ioa)[:3] + struct.pack("<fB", value, 0), ca)


def confirm(a, cause=None, negative=False):
    """The same ASDU with the cause that confirms it."""
    return a[:2] + bytes([(cause or a[2] + 1) | negative << 6]) + a[3:]


def parse(a):
    """A command: type (or 301 when a counter interrogation freezes), station, object, value,
    qualifier (with 256 when it selects); None: invalid."""
    kind, n, cause, originator, ca = struct.unpack("<BBBBH", a[:6])
    ioa, body = int.from_bytes(a[6:9], "little"), a[9:]
    if kind not in SIZES or n != 1 or len(body) != SIZES[kind] or ca == 0:
        return None
    q = {"type": kind, "ca": ca, "originator": originator, "cause": cause, "ioa": ioa, "value": None, "qualifier": None}
    causes = {102: (5,), 106: (3, 6)}.get(kind, (6, 8) if kind <= 101 or kind == 113 else (6,))
    if cause & 0x3F not in causes:
        return None
    if kind in (45, 46, 47, 58, 59, 60):
        q["value"] = body[0] & (1 if kind in (45, 58) else 3)
        q["qualifier"] = body[0] >> 2 & 31 | (body[0] >> 7) * 256
    elif kind in (48, 49, 61, 62, 110, 111):
        q["value"], q["qualifier"] = int.from_bytes(body[:2], "little"), body[2]
    elif kind in (50, 63, 112):
        q["value"], q["qualifier"] = int.from_bytes(body[:4], "little"), body[4]
    elif kind in (51, 64):
        q["value"] = int.from_bytes(body[:4], "little")
    elif kind in (100, 101, 105, 113):
        q["qualifier"] = body[0]
    if kind in (48, 49, 50, 61, 62, 63):
        q["qualifier"] = q["qualifier"] & 127 | (q["qualifier"] >> 7) * 256
    if kind in (100, 101, 103, 104, 105, 106, 107) and ioa != 0:
        return None
    if kind == 104 and body != b"\xaa\x55":
        return None
    if kind == 101 and body[0] >> 6:
        q["type"] = 301
    return q


def apdus(stream):
    """The whole APDUs of a stream, and the rest."""
    out = []
    while len(stream) >= 2 and len(stream) >= 2 + stream[1]:
        out.append(stream[:2 + stream[1]])
        stream = stream[2 + stream[1]:]
    return out, stream


def said(apdu):
    """The number of an APDU in the product's records: a type, or 1000 and a code for the
    session."""
    return 1000 + apdu[2] if apdu[2] & 1 else apdu[6]


class Ends:
    """Both ends of a session: they number what they send, and acknowledge what came."""

    def __init__(self):
        self.sent = {"c": 0, "s": 0}

    def _next(self, end, other, a):
        out = i(a, self.sent[end], self.sent[other])
        self.sent[end] = (self.sent[end] + 1) % 32768
        return out

    def ask(self, a):
        return self._next("c", "s", a)

    def tell(self, a):
        return self._next("s", "c", a)

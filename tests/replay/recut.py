# SPDX-License-Identifier: Apache-2.0
"""Captures written anew: the same bytes in other segments, another order, repeated, or in IP
fragments. Standard library only.

`packets` reads a capture down to its IP packets; `sessions` takes TCP of one port out of them;
`WAYS` are the ways to send a session again, each a function of a `Session` that returns packets;
`FRAGMENTS` the ways to cut packets as they stand."""
import ipaddress
import random
import struct

import wire
from wire import ACK, PSH, SYN

M32 = 0xFFFFFFFF
WHOLE = 60000  # the most bytes of one segment
USUAL = 1400


# ---- captures to packets -------------------------------------------------------------------------

def records(data):
    """(link type, frame) of a pcap or pcapng file, in either byte order."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from _blocks(data)
        return
    e = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link, at = struct.unpack_from(e + "I", data, 20)[0] & 0xFFFF, 24
    while at + 16 <= len(data):
        n = struct.unpack_from(e + "I", data, at + 8)[0]
        yield link, data[at + 16:at + 16 + n]
        at += 16 + n


def _blocks(data):
    at, e, links = 0, "<", []
    while at + 12 <= len(data):
        kind = struct.unpack_from(e + "I", data, at)[0]
        if kind == 0x0A0D0D0A:
            e, links = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">", []
        n = struct.unpack_from(e + "I", data, at + 4)[0]
        if kind == 1:
            links.append(struct.unpack_from(e + "H", data, at + 8)[0])
        elif kind == 6:
            interface, size = struct.unpack_from(e + "I", data, at + 8)[0], struct.unpack_from(e + "I", data, at + 20)[0]
            yield links[interface], data[at + 28:at + 28 + size]
        at += max(n, 12)


def network(link, frame):
    """The IP packet of a frame without padding; None if there is none."""
    if link == 1:
        at = 12
        while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
            at += 4
        at += 2
    elif link == 113:
        at = 16
    elif link in (101, 228, 229):  # nothing comes before the packet
        frame, at = (b"\x08\0" if frame[:1] < b"\x60" else b"\x86\xdd") + frame, 2
    else:
        raise ValueError("link type %d" % link)
    p = frame[at:]
    if frame[at - 2:at] == b"\x08\0" and len(p) >= 20 and p[0] >> 4 == 4:
        return p[:struct.unpack_from("!H", p, 2)[0]]
    if frame[at - 2:at] == b"\x86\xdd" and len(p) >= 40 and p[0] >> 4 == 6:
        return p[:40 + struct.unpack_from("!H", p, 4)[0]]
    return None


def packets(path):
    with open(path, "rb") as f:
        data = f.read()
    return [p for p in (network(*r) for r in records(data)) if p]


# ---- packets to sessions -------------------------------------------------------------------------

class Session:
    """A TCP session: whether its handshake was seen, and what its ends sent, as [from the server,
    offset in the stream, bytes]."""

    def __init__(self, number):
        self.number, self.begun, self.said = number, False, []
        self.base, self.next = [None, None], [0, 0]

    def hear(self, s2c, seq, flags, data):
        if flags & SYN:
            self.base[s2c] = (seq + 1) & M32
            self.begun |= not s2c
            return
        if self.base[s2c] is None:
            self.base[s2c] = seq
        at = (seq - self.base[s2c]) & M32
        if at >= 1 << 31 or not data:
            return
        skip = max(0, self.next[s2c] - at)  # was sent before
        # a keep-alive byte begins no session
        if skip < len(data) and len(data) > 1 - bool(self.said):
            self.said.append((s2c, at + skip, data[skip:]))
            self.next[s2c] = at + len(data)

    def turns(self):
        """The turns, joined while one end sends without a gap."""
        out = []
        for s2c, at, data in self.said:
            if out and out[-1][0] == s2c and out[-1][1] + len(out[-1][2]) == at:
                out[-1] = (s2c, out[-1][1], out[-1][2] + data)
            else:
                out.append((s2c, at, data))
        return out


def sessions(found, port):
    """The sessions on this TCP port, in order. The server is the end with this port."""
    live, out = {}, []
    for p in found:
        if p[0] >> 4 == 4:
            if p[9] != 6 or struct.unpack_from("!H", p, 6)[0] & 0x3FFF:
                continue
            ends, t = (p[12:16], p[16:20]), p[(p[0] & 15) * 4:]
        else:
            if p[6] != 6:
                continue
            ends, t = (p[8:24], p[24:40]), p[40:]
        if len(t) < 20:
            continue
        sport, dport, seq = struct.unpack_from("!HHI", t)
        if port not in (sport, dport):
            continue
        s2c = sport == port
        key = (ends[1], dport, ends[0]) if s2c else (ends[0], sport, ends[1])
        if key not in live or (t[13] & (SYN | ACK) == SYN and (seq + 1) & M32 != live[key].base[0]):
            live[key] = Session(len(out))
            out.append(live[key])
        live[key].hear(s2c, seq, t[13], t[(t[12] >> 4) * 4:])
    return [s for s in out if s.said]


# ---- sessions sent again -------------------------------------------------------------------------

class Line:
    """Sends the segments of one session, given by offsets in the stream, with acknowledgements of
    the other end's data."""
    CLIENT, SERVER = "10.7.0.1", "10.7.0.2"
    ISN = (0xFFFFF000, 77000)  # the client's sequence numbers wrap around soon

    def __init__(self, session, port):
        self.out, self.sport, self.port, self.told = [], 20000 + session.number, port, [0, 0]
        if session.begun:
            self.raw(False, -1, SYN)
            self.raw(True, -1, SYN | ACK)
            self.raw(False, 0, ACK)

    def raw(self, s2c, at, flags, data=b""):
        mine, theirs = self.ISN[s2c] + at, self.ISN[not s2c] + self.told[not s2c]
        ends = (self.SERVER, self.port, self.CLIENT, self.sport) if s2c else (self.CLIENT, self.sport, self.SERVER, self.port)
        self.out.append(wire.tcp(*ends, mine, theirs if flags & ACK else 0, flags, data))

    def say(self, s2c, at, data, size=USUAL):
        for k in range(0, len(data), size):
            self.raw(s2c, at + k, PSH | ACK, data[k:k + size])
        self.told[s2c] = max(self.told[s2c], at + len(data))

    def pieces(self, s2c, at, data, cuts):
        """[(offset, bytes)] of a turn that is cut before these of its bytes."""
        cuts = sorted({c for c in cuts if 0 < c < len(data)})
        return [(at + a, data[a:b]) for a, b in zip([0] + cuts, cuts + [len(data)])]


def _line(s, port):
    return Line(s, port), s.turns()


def as_captured(s, port, ends, rng):
    line = Line(s, port)
    for turn in s.said:
        line.say(*turn, size=WHOLE)
    return line.out


def cut_by(places):
    """Cuts every turn at `places(ends of its PDUs, its length)`."""
    def way(s, port, ends, rng):
        line, turns = _line(s, port)
        for s2c, at, data in turns:
            for a, part in line.pieces(s2c, at, data, places(ends(data), len(data))):
                line.say(s2c, a, part)
        return line.out
    return way


def in_one(s, port, ends, rng):
    """Every turn in one segment."""
    line, turns = _line(s, port)
    for s2c, at, data in turns:
        line.say(s2c, at, data, WHOLE)
    return line.out


def at_once(s, port, ends, rng):
    """Everything from the client in one segment, and then everything from the server: nobody waits
    for an answer."""
    line, turns = _line(s, port)
    for who in (False, True):
        run = None
        for s2c, at, data in turns:
            if s2c != who:
                continue
            if run and run[0] + len(run[1]) == at:
                run = (run[0], run[1] + data)
            else:
                if run:
                    line.say(who, *run, WHOLE)
                run = (at, data)
        if run:
            line.say(who, *run, WHOLE)
    return line.out


def backwards(s, port, ends, rng):
    """Every turn in pieces, cut at the ends of PDUs and once inside each, the last piece first. The
    end of the received data is acknowledged."""
    line, turns = _line(s, port)
    for s2c, at, data in turns:
        e = [0] + ends(data)
        cuts = e + [(a + b) // 2 for a, b in zip(e, e[1:])]
        pieces = line.pieces(s2c, at, data, cuts)
        for k in range(0, len(pieces), 8):  # no more than fits in a window waits
            for a, part in reversed(pieces[k:k + 8]):
                line.say(s2c, a, part)
    return line.out


def repeated(s, port, ends, rng):
    """Every segment twice, and parts of it once more together with the bytes around them: the same
    bytes each time."""
    line, turns = _line(s, port)
    for s2c, at, data in turns:
        for a, part in line.pieces(s2c, at, data, ends(data)):
            line.say(s2c, a, part)
            line.say(s2c, a, part)
            n = rng.randrange(1, 12)
            start = max(0, a - at - n)
            line.say(s2c, at + start, data[start:a - at + max(1, len(part) - n)])
    return line.out


def altered(data, rng):
    b = bytearray(data)
    b[rng.randrange(len(b))] ^= rng.randrange(1, 256)
    return bytes(b)


def differs_behind(s, port, ends, rng):
    """Every segment, and then again with another byte in it."""
    line, turns = _line(s, port)
    for s2c, at, data in turns:
        for a, part in line.pieces(s2c, at, data, ends(data)):
            line.say(s2c, a, part)
            line.say(s2c, a, altered(part, rng))
    return line.out


def differs_ahead(s, port, ends, rng):
    """Of every PDU first the rest with another byte in it, then the rest itself, then the
    beginning."""
    line, turns = _line(s, port)
    for s2c, at, data in turns:
        for a, part in line.pieces(s2c, at, data, ends(data)):
            k = rng.randrange(1, len(part)) if len(part) > 1 else 0
            if k:
                line.say(s2c, a + k, altered(part[k:], rng))
            line.say(s2c, a + k, part[k:])
            if k:
                line.say(s2c, a, part[:k])
    return line.out


WAYS = {
    "a byte each": cut_by(lambda e, n: range(1, n)),
    "before each end": cut_by(lambda e, n: [x - 1 for x in e]),
    "at each end": cut_by(lambda e, n: e),
    "behind each end": cut_by(lambda e, n: [x + 1 for x in e]),
    "around each end": cut_by(lambda e, n: [x + k for x in e for k in (-1, 0, 1)]),
    "in one": in_one,
    "at once": at_once,
    "backwards": backwards,
    "repeated": repeated,
    "differs behind": differs_behind,
    "differs ahead": differs_ahead,
}


# ---- packets in IP fragments ---------------------------------------------------------------------

def _fragments(p, ident):
    """A packet as fragments of eight bytes; unchanged if it cannot be fragmented, or is broken,
    which fragments would hide."""
    if p[0] >> 4 == 4:
        h = (p[0] & 15) * 4
        if h != 20 or struct.unpack_from("!H", p, 6)[0] & 0x3FFF or wire.checksum(p[:20]) or struct.unpack_from("!H", p, 2)[0] != len(p):
            return [p]
        a, b, body = p[12:16], p[16:20], p[20:]
        cuts = range(0, len(body), 8)
        return [wire.ip_packet(ipaddress.ip_address(a), ipaddress.ip_address(b), p[9], body[k:k + 8], ident & 0xFFFF,
                               (0x2000 if k + 8 < len(body) else 0) | k // 8) for k in cuts] or [p]
    if p[6] in (0, 43, 44, 60):
        return [p]
    a, b, body = p[8:24], p[24:40], p[40:]
    return [wire.ip_packet(ipaddress.ip_address(a), ipaddress.ip_address(b), p[6], body[k:k + 8], first=44,
                           ext=struct.pack("!BBHI", p[6], 0, k | (k + 8 < len(body)), ident)) for k in range(0, len(body), 8)] or [p]


def _any_order(parts, rng):
    rng.shuffle(parts)
    return parts


FRAGMENTS = {
    "fragments": lambda parts, rng: parts,
    "fragments backwards": lambda parts, rng: parts[::-1],
    "fragments in any order": _any_order,
    "fragments twice": lambda parts, rng: [q for q in parts[:-1] for _ in (0, 1)] + parts[-1:],
}


def fragmented(found, how, rng):
    return [q for i, p in enumerate(found) for q in FRAGMENTS[how](_fragments(p, i + 1), rng)]


# ---- where PDUs end ------------------------------------------------------------------------------

def ends_by(at, size, behind, little=False):
    """Reads lengths: `size` bytes at offset `at`, plus `behind` bytes that the length does not
    count."""
    def ends(data):
        out, k = [], 0
        while k + at + size <= len(data):
            n = int.from_bytes(data[k + at:k + at + size], "little" if little else "big") + behind
            if n <= 0 or k + n > len(data):
                break
            k += n
            out.append(k)
        return out or [len(data)]
    return ends


def ends_of_frames(data):
    """DNP3: a length byte, and two bytes of checksum after every 16 bytes."""
    out, k = [], 0
    while k + 10 <= len(data):
        n = data[k + 2] - 5
        k += 10 + n + 2 * ((n + 15) // 16)
        if n < 0 or k > len(data):
            break
        out.append(k)
    return out or [len(data)]


ENDS = {
    "modbus": ends_by(4, 2, 6),
    "enip": ends_by(2, 2, 24, True),
    "s7comm": ends_by(2, 2, 0),
    "fins": ends_by(6, 2, 8),
    "dnp3": ends_of_frames,
    "slmp": ends_by(11, 2, 13, True),  # 4E binary, as in the real frames
}


def seeded(seed, *what):
    return random.Random("%d %s" % (seed, " ".join(map(str, what))))

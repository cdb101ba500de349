# SPDX-License-Identifier: Apache-2.0
"""Sessions as the data of both ends, in order: read from captures, and written as captures again
with other segments. Uses only the standard library."""
import ipaddress
import struct

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS = 1448
START = 1700000000  # time of the first packet in a capture that is written here


class Session:
    """The data of a session: `turns` are (nanoseconds, from the client, bytes); over UDP each turn
    is a datagram."""

    def __init__(self, l4, port, turns, begun=True, whole=True, client="", server=""):
        self.l4, self.port, self.turns = l4, port, turns
        self.begun = begun  # its SYN is in the capture; always true for datagrams
        self.whole = whole  # no byte of it is missing
        self.client, self.server = client, server

    def first(self, client):
        """The first message of an end: its data before the other end sent (again)."""
        out = b""
        for _, c2s, data in self.turns:
            if c2s == client:
                out += data
            elif out:
                break
        return out[:MSS]


# ---- reading -------------------------------------------------------------------------------------

def _pcapng(data):
    at, e, links = 0, "<", []
    while at + 12 <= len(data):
        kind = struct.unpack_from("<I", data, at)[0]
        if kind == 0x0A0D0D0A:
            e, links = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">", []
        kind, size = struct.unpack_from(e + "II", data, at)
        if size < 12 or at + size > len(data):
            return
        body = data[at + 8:at + size - 4]
        if kind == 1:
            links.append(struct.unpack_from(e + "H", body)[0])
        elif kind == 6 and len(body) >= 20:
            n, high, low, kept = struct.unpack_from(e + "IIII", body)
            if n < len(links):
                yield (high << 32 | low) * 1000, links[n], body[20:20 + kept]
        elif kind == 3 and links:
            yield 0, links[0], body[4:4 + struct.unpack_from(e + "I", body)[0]]
        at += size


def frames(data):
    """(nanoseconds, link type, frame) of a pcap or pcapng file; ends where the file is damaged."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from _pcapng(data)
        return
    magics = {b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\xc3\xd4": (">", 1000), b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xa1\xb2\x3c\x4d": (">", 1)}
    if len(data) < 24 or data[:4] not in magics:
        return
    e, unit = magics[data[:4]]
    link, at = struct.unpack_from(e + "I", data, 20)[0] & 0xFFFF, 24
    while at + 16 <= len(data):
        s, part, kept, _ = struct.unpack_from(e + "IIII", data, at)
        if at + 16 + kept > len(data):
            return
        yield s * 10**9 + part * unit, link, data[at + 16:at + 16 + kept]
        at += 16 + kept


def packet_of(link, frame):
    """The IP packet of a frame, or None."""
    if link == 1:
        kind, at = frame[12:14], 14
        while kind in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            kind, at = frame[at + 2:at + 4], at + 4
        if kind == b"\x88\x64":  # PPPoE
            kind, at = {b"\x00\x21": b"\x08\x00", b"\x00\x57": b"\x86\xdd"}.get(frame[at + 6:at + 8]), at + 8
        return frame[at:] if kind in (b"\x08\x00", b"\x86\xdd") else b""
    if link == 113:
        return frame[16:] if frame[14:16] in (b"\x08\x00", b"\x86\xdd") else b""
    if link == 276:
        return frame[20:] if frame[:2] in (b"\x08\x00", b"\x86\xdd") else b""
    if link in (12, 101, 228, 229):
        return frame
    return frame[4:] if link in (0, 108) else b""


def transport_of(ip):
    """(protocol, source, destination, segment) of a packet that is no fragment, or None."""
    if len(ip) >= 20 and ip[0] >> 4 == 4:
        size, frag = struct.unpack_from("!H", ip, 2)[0], struct.unpack_from("!H", ip, 6)[0] & 0x3FFF
        head = (ip[0] & 15) * 4
        return None if frag or head < 20 else (ip[9], ip[12:16], ip[16:20], ip[head:size or len(ip)])
    if len(ip) >= 40 and ip[0] >> 4 == 6:
        kind, at = ip[6], 40
        while kind in (0, 43, 60) and at + 8 <= len(ip):
            kind, at = ip[at], at + 8 * (ip[at + 1] + 1)
        return kind, ip[8:24], ip[24:40], ip[at:40 + struct.unpack_from("!H", ip, 4)[0]]
    return None


class _End:
    def __init__(self):
        self.next, self.ahead, self.fin = None, {}, False


def _after(a, b):
    """How far sequence number a is after b."""
    return ((a - b + 2**31) & 0xFFFFFFFF) - 2**31


class _Stream:
    """A TCP session while it is read. Of bytes that were sent twice, the first ones count."""

    def __init__(self, a, b):
        # the first end is the client
        self.key, self.ends, self.turns, self.begun = (a, b), (_End(), _End()), [], False

    def segment(self, t, from_client, seq, flags, payload):
        end = self.ends[0 if from_client else 1]
        if flags & SYN:
            end.next = (seq + 1) & 0xFFFFFFFF
            return
        if end.next is None:
            end.next = seq
        self.put(t, from_client, end, seq, payload)
        for s in sorted(end.ahead, key=lambda s: _after(s, end.next)):
            if _after(end.next, s) >= 0:
                self.put(t, from_client, end, s, end.ahead.pop(s))

    def put(self, t, from_client, end, seq, payload):
        skip = _after(end.next, seq)
        if skip < 0:
            if payload:
                end.ahead.setdefault(seq, payload)
        elif skip < len(payload):
            self.turns.append((t, from_client, payload[skip:]))
            end.next = (end.next + len(payload) - skip) & 0xFFFFFFFF


def host(text):
    """An address in the form of the names of ends."""
    try:
        a = ipaddress.ip_address(text)
    except ValueError:
        return text
    return str(a) if a.version == 4 else a.packed.hex()


def _name(address, port):
    return (".".join(map(str, address)) if len(address) == 4 else address.hex()) + ":%d" % port


def sessions(packets):
    """The sessions of (nanoseconds, IP packet)s, in the order of their beginnings. Over UDP, the
    first sender is the client."""
    out, live = [], {}
    for t, ip in packets:
        part = transport_of(ip)
        if part is None or part[0] not in (TCP, UDP) or len(part[3]) < (20 if part[0] == TCP else 8):
            continue
        l4, src, dst, seg = part
        sport, dport = struct.unpack_from("!HH", seg)
        a, b = (src, sport), (dst, dport)
        key = (l4, min(a, b), max(a, b))
        s = live.get(key)
        if l4 == UDP:
            data = seg[8:struct.unpack_from("!H", seg, 4)[0] or len(seg)]
            if s is None:
                s = live[key] = _Stream(a, b)
                s.begun = True
                out.append((l4, s))
            if data:
                s.turns.append((t, a == s.key[0], data))
            continue
        seq, flags, payload = struct.unpack_from("!I", seg, 4)[0], seg[13], seg[(seg[12] >> 4) * 4:]
        first = flags & (SYN | ACK | RST) == SYN
        if s is None or (first and (s.turns or not s.begun) and s.ends[0].next != (seq + 1) & 0xFFFFFFFF):
            # without a SYN, the end with the lower port is the server
            answers = not first and (flags & SYN or (sport < dport and sport < 10000))
            s = live[key] = _Stream(b, a) if answers else _Stream(a, b)
            s.begun = first
            out.append((l4, s))
        if not flags & RST:
            s.segment(t, a == s.key[0], seq, flags, payload)
    return [Session(l4, s.key[1][1], s.turns, s.begun, not any(e.ahead for e in s.ends), _name(*s.key[0]), _name(*s.key[1])) for l4, s in out]


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    return sessions((t, packet_of(link, frame)) for t, link, frame in frames(data))


# ---- writing -------------------------------------------------------------------------------------

def _sum(data):
    """65535 minus the one's complement sum; the sum is the number modulo 65535."""
    return 65535 - int.from_bytes(data + b"\0" * (len(data) & 1), "big") % 65535


def _packet(src, dst, l4, seg):
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(seg), 0, 0, 64, l4)
    return head + struct.pack("!H", _sum(head + src + dst)) + src + dst + seg


def datagram(src, sport, dst, dport, data):
    head = struct.pack("!HHH", sport, dport, 8 + len(data))
    check = _sum(src + dst + struct.pack("!BBH", 0, UDP, 8 + len(data)) + head + b"\0\0" + data)
    return _packet(src, dst, UDP, head + struct.pack("!H", check) + data)


def segment(src, sport, dst, dport, seq, ack, flags, data=b""):
    head = struct.pack("!HHIIBBH", sport, dport, seq, ack, 0x50, flags, 65000)
    check = _sum(src + dst + struct.pack("!BBH", 0, TCP, 20 + len(data)) + head + b"\0\0\0\0" + data)
    return _packet(src, dst, TCP, head + struct.pack("!HH", check, 0) + data)


class Writer:
    """A capture of raw IP packets, `step` nanoseconds apart."""

    def __init__(self, path):
        self.f = open(path, "wb")
        self.f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101))
        self.now = START * 10**9

    def packet(self, ip, step=10**6):
        self.now += step
        self.f.write(struct.pack("<IIII", self.now // 10**9, self.now % 10**9, len(ip), len(ip)) + ip)

    def flow(self, l4, client, cport, server, sport, turns, step=10**6):
        """Writes a whole session: opened, sent in segments of at most MSS, closed. `turns`: (from
        the client, bytes)."""
        if l4 == UDP:
            for c2s, data in turns:
                self.packet(datagram(client, cport, server, sport, data) if c2s else datagram(server, sport, client, cport, data), step)
            return
        c, s = 1001, 9001
        self.packet(segment(client, cport, server, sport, 1000, 0, SYN), step)
        self.packet(segment(server, sport, client, cport, 9000, c, SYN | ACK))
        self.packet(segment(client, cport, server, sport, c, s, ACK))
        for c2s, data in turns:
            for at in range(0, len(data), MSS):
                part = data[at:at + MSS]
                if c2s:
                    self.packet(segment(client, cport, server, sport, c, s, PSH | ACK, part), step)
                    c += len(part)
                else:
                    self.packet(segment(server, sport, client, cport, s, c, PSH | ACK, part), step)
                    s += len(part)
        self.packet(segment(client, cport, server, sport, c, s, FIN | ACK))
        self.packet(segment(server, sport, client, cport, s, c + 1, FIN | ACK))
        self.packet(segment(client, cport, server, sport, c + 1, s + 1, ACK))

    def close(self):
        self.f.close()


# ---- in other pieces -----------------------------------------------------------------------------

BYTES = 64  # the number of first bytes that are sent one in a segment


def start(session, most=24, size=16384):
    """The beginning of a session: more than a box reads before it stops inspecting."""
    out = []
    for _, c2s, data in session.turns[:most]:
        out.append((c2s, data[:size]))
        size -= len(data)
        if size <= 0:
            break
    return out


def _pieces(turns, client, cuts):
    """The turns, with the first message of one end in pieces that begin at `cuts`."""
    i = next((i for i, x in enumerate(turns) if x[0] == client), len(turns))
    j, message = i, b""
    while j < len(turns) and turns[j][0] == client and len(message) + len(turns[j][1]) <= MSS:
        message += turns[j][1]
        j += 1
    if i < len(turns) and j == i:  # larger than a segment
        message, j = turns[i][1], i + 1
    edges = [0] + [c for c in cuts if c < len(message)] + [len(message)]
    return turns[:i] + [(client, message[a:b]) for a, b in zip(edges, edges[1:]) if b > a] + turns[j:]


def cut(session, client, at):
    """The beginning of the session, with the first message of one end in two segments."""
    return _pieces(start(session), client, [at])


def byte_wise(session):
    """The beginning of the session, with the first bytes of both ends one in a segment."""
    return _pieces(_pieces(start(session), True, range(1, BYTES + 1)), False, range(1, BYTES + 1))


def whole(session):
    return [x[1:] for x in session.turns]

# SPDX-License-Identifier: Apache-2.0
"""Packets and capture files, byte by byte, for the replay cases. Uses only the standard library."""
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(src, dst, proto, payload, ident=0, frag=0, ext=b"", first=None):
    """An IPv4 or IPv6 packet. frag: IPv4 flags and offset; ext: IPv6 extension headers, the first
    named by `first`."""
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if a.version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, frag, 64, proto, 0, a.packed, b.packed)
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
    return struct.pack("!IHBB16s16s", 0x60000000, len(ext) + len(payload), proto if first is None else first, 64,
                       a.packed, b.packed) + ext + payload


def pseudo(src, dst, proto, n):
    a, b = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if a.version == 4:
        return a.packed + b.packed + struct.pack("!BBH", 0, proto, n)
    return a.packed + b.packed + struct.pack("!II", n, proto)


def tcp_segment(src, sport, dst, dport, seq, ack, flags, payload=b"", spoil=False, options=b""):
    seg = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50 + 4 * len(options), flags, 65000, 0, 0) + options + payload
    c = checksum(pseudo(src, dst, 6, len(seg)) + seg)
    if spoil:
        c ^= 0x5555
    return seg[:16] + struct.pack("!H", c) + seg[18:]


def tcp(src, sport, dst, dport, seq, ack, flags, payload=b"", **kw):
    return ip_packet(src, dst, 6, tcp_segment(src, sport, dst, dport, seq, ack, flags, payload, **kw))


def udp(src, sport, dst, dport, payload):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    c = checksum(pseudo(src, dst, 17, len(head) + len(payload)) + head + payload) or 0xFFFF
    return ip_packet(src, dst, 17, head[:6] + struct.pack("!H", c) + payload)


def icmp(src, dst, kind, code, rest=b"\0\1\0\1", payload=b"abcdefgh"):
    six = ipaddress.ip_address(src).version == 6
    body = struct.pack("!BBH", kind, code, 0) + rest + payload
    c = checksum((pseudo(src, dst, 58, len(body)) if six else b"") + body)
    return ip_packet(src, dst, 58 if six else 1, body[:2] + struct.pack("!H", c) + body[4:])


class Session:
    """A TCP session. Its packets are added to a list in the order of the calls."""

    def __init__(self, out, client, sport, server, dport, isn=1000, peer_isn=9000):
        self.out, self.client, self.sport, self.server, self.dport = out, client, sport, server, dport
        self.seq, self.ack = isn, peer_isn  # the next sequence numbers of the client and the server

    def c2s(self, flags, payload=b"", **kw):
        p = tcp(self.client, self.sport, self.server, self.dport, self.seq, self.ack if flags & ACK else 0, flags, payload, **kw)
        self.seq += len(payload) + bool(flags & (SYN | FIN))
        self.out.append(p)
        return self

    def s2c(self, flags, payload=b"", **kw):
        p = tcp(self.server, self.dport, self.client, self.sport, self.ack, self.seq if flags & ACK else 0, flags, payload, **kw)
        self.ack += len(payload) + bool(flags & (SYN | FIN))
        self.out.append(p)
        return self

    def open(self):
        return self.c2s(SYN).s2c(SYN | ACK).c2s(ACK)

    def ask(self, payload, **kw):
        return self.c2s(PSH | ACK, payload, **kw)

    def answer(self, payload, **kw):
        return self.s2c(PSH | ACK, payload, **kw)

    def close(self):
        return self.c2s(FIN | ACK).s2c(FIN | ACK).c2s(ACK)


def modbus(tid, unit, pdu):
    return struct.pack("!HHHB", tid, 0, len(pdu) + 1, unit) + pdu


def read_holding(tid, address, n, unit=1):
    return modbus(tid, unit, struct.pack("!BHH", 3, address, n))


def holding(tid, values, unit=1):
    return modbus(tid, unit, struct.pack("!BB%dH" % len(values), 3, 2 * len(values), *values))


def write_register(tid, address, value, unit=1):
    return modbus(tid, unit, struct.pack("!BHH", 6, address, value))


def write_registers(tid, address, values, unit=1):
    return modbus(tid, unit, struct.pack("!BHHB%dH" % len(values), 16, address, len(values), 2 * len(values), *values))


def wrote_registers(tid, address, n, unit=1):
    return modbus(tid, unit, struct.pack("!BHH", 16, address, n))


# ---- link layers: packets to frames --------------------------------------------------------------

def _type(p):
    return 0x0800 if p[0] >> 4 == 4 else 0x86DD


def ethernet(p, tags=()):
    t = b"".join(struct.pack("!HH", tpid, vid) for tpid, vid in tags)
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1" + t + struct.pack("!H", _type(p)) + p


def cooked(p):
    return struct.pack("!HHH8sH", 0, 1, 6, b"\x02\0\0\0\0\1\0\0", _type(p)) + p


def cooked2(p):
    return struct.pack("!HHIHBB8s", _type(p), 0, 3, 1, 0, 6, b"\x02\0\0\0\0\1\0\0") + p


def null(p):
    return struct.pack("<I", 2 if p[0] >> 4 == 4 else 30) + p


LINKS = {
    "ethernet": (1, ethernet),
    "vlan": (1, lambda p: ethernet(p, ((0x8100, 30),))),
    "qinq": (1, lambda p: ethernet(p, ((0x88A8, 100), (0x8100, 30)))),
    "cooked": (113, cooked),
    "cooked2": (276, cooked2),
    "raw": (101, lambda p: p),
    "null": (0, null),
}

START = 1700000000  # time of the first packet of every capture
STEP = 10_000_000   # nanoseconds between two packets


def pcap(packets, link="ethernet", snaplen=65535, step=STEP, at=None):
    """at: nanoseconds of each packet after START; without it, packets are `step` apart."""
    dlt, frame = LINKS[link]
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, dlt)]
    for i, p in enumerate(packets):
        f = frame(p)
        ns = START * 10**9 + (at[i] if at else i * step)
        out.append(struct.pack("<IIII", ns // 10**9, ns % 10**9 // 1000, min(len(f), snaplen), len(f)) + f[:snaplen])
    return b"".join(out)


def _block(kind, body, e="<"):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(e + "II", kind, len(body) + 12) + body + struct.pack(e + "I", len(body) + 12)


def ng_section(e="<"):
    return _block(0x0A0D0D0A, struct.pack(e + "IHHq", 0x1A2B3C4D, 1, 0, -1), e)


def ng_interface(link="ethernet", e="<", snaplen=0, options=b"", dlt=None):
    return _block(1, struct.pack(e + "HHI", LINKS[link][0] if dlt is None else dlt, 0, snaplen) + options, e)


def ng_packet(p, number, interface=0, link="ethernet", e="<", units=1_000_000, keep=1 << 20):
    """An enhanced packet block. `units`: ticks per second of the interface's clock; `number`:
    number of the packet in the capture."""
    f = LINKS[link][1](p)
    t = START * units + number * STEP * units // 10**9
    return _block(6, struct.pack(e + "IIIII", interface, t >> 32, t & 0xFFFFFFFF, min(len(f), keep), len(f)) + f[:keep], e)


def pcapng(packets, link="ethernet", step=STEP):
    dlt, frame = LINKS[link]
    # option 9 (if_tsresol) = 9: nanoseconds
    out = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
           _block(1, struct.pack("<HHI", dlt, 0, 0) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))]
    for i, p in enumerate(packets):
        f = frame(p)
        ns = START * 10**9 + i * step
        out.append(_block(6, struct.pack("<IIIII", 0, ns >> 32, ns & 0xFFFFFFFF, len(f), len(f)) + f))
    return b"".join(out)

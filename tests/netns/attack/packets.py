# SPDX-License-Identifier: Apache-2.0
"""Packets that no well-behaved host sends, as bytes from the IP header on. This file knows nothing
of the box."""
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from net import checksum, ip4, ip6, pseudo, tcp, udp  # noqa: E402

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
# A TCP option: a receiver only accepts a segment with it if both ends have agreed on a key.
SIGNATURE = bytes([19, 18]) + bytes(16) + b"\1\1"
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60


def ip(source, destination, proto, payload, **keys):
    return (ip6 if ":" in source else ip4)(source, destination, proto, payload, **keys)


def icmp(source, destination, kind, code, rest):
    """ICMP of the address family of `source`; `rest` is what follows the checksum."""
    body = bytes([kind, code, 0, 0]) + rest
    if ":" in source:
        value = checksum(pseudo(source, destination, 58, len(body)) + body)
    else:
        value = checksum(body)
    return body[:2] + struct.pack("!H", value) + body[4:]


def icmp_number(source):
    return 58 if ":" in source else 1


def transport(source, destination, proto, port, payload, sport=45000):
    """A valid payload of protocol `proto`, to `port` where the protocol has ports."""
    if proto == 6:
        return tcp(source, destination, sport, port, 1, 0, SYN, payload)
    if proto == 17:
        return udp(source, destination, sport, port, payload)
    if proto in (1, 58) and proto == icmp_number(source):
        return icmp(source, destination, 8 if proto == 1 else 128, 0, struct.pack("!HH", sport, 1) + payload)
    return struct.pack("!HHHH", sport, port, 8 + len(payload), 0) + payload


def chain(headers, last, payload):
    """(first next-header number, bytes) of a chain of IPv6 extension headers in front of protocol
    `last`. A header is a number, or (number, bytes behind its next-header byte)."""
    out, following = payload, last
    for h in reversed(headers):
        number, body = h if isinstance(h, tuple) else (h, default_body(h))
        out = bytes([following]) + body + out
        following = number
    return following, out


def default_body(number):
    if number == FRAGMENT:
        return bytes(7)  # atomic: offset 0, no more fragments
    if number == AUTHENTICATION:
        return bytes([4, 0, 0]) + struct.pack("!III", 7, 1, 0) + bytes(8)
    if number == ROUTING:
        return routing(0)
    return bytes([0, 1, 4, 0, 0, 0, 0])  # padding option


def routing(kind, via="2001:db8:73::2", left=0):
    """Behind the next-header byte: routing header types 0, 2 and 4 with one address."""
    if kind == 4:
        return bytes([2, 4, left, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, via)
    return bytes([2, kind, left, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, via)


def option(kind, action=0):
    """A destination or hop-by-hop header (behind its next-header byte) with one option; `action`:
    its two top bits."""
    return bytes([0, (action << 6) | (kind & 63), 4, 0, 0, 0, 0])


def fragments4(source, destination, proto, pieces, ident):
    """pieces: (offset in bytes, more, bytes) or (offset, more, bytes, protocol)."""
    return [ip4(source, destination, p[3] if len(p) > 3 else proto, p[2], ident=ident, flags=1 if p[1] else 0, offset=p[0])
            for p in pieces]


def fragments6(source, destination, proto, pieces, ident, before=()):
    """`before`: extension headers in front of the fragment header."""
    out = []
    for p in pieces:
        head = struct.pack("!BHI", 0, p[0] & 0xfff8 | (1 if p[1] else 0), ident)
        first, body = chain(list(before) + [(FRAGMENT, head)], p[3] if len(p) > 3 else proto, p[2])
        out.append(ip6(source, destination, first, body))
    return out


def fragments(source, destination, proto, pieces, ident):
    return (fragments6 if ":" in source else fragments4)(source, destination, proto, pieces, ident)


def random_packet(rng, source, destination):
    """Any packet between two addresses of one family: protocol, ports, flags, fragments, headers
    and lengths at random."""
    six = ":" in source
    proto = rng.choice((6, 6, 17, 17, icmp_number(source), rng.randrange(256)))
    payload = rng.randbytes(rng.randrange(64))
    port = rng.choice((502, 443, 22, 53, 9000, 9001, rng.randrange(65536)))
    if proto == 6:
        body = tcp(source, destination, rng.randrange(65536), port, rng.randrange(1 << 32), rng.randrange(1 << 32),
                   rng.randrange(64), payload)
    elif proto == 17:
        body = udp(source, destination, rng.randrange(65536), port, payload)
    elif proto in (1, 58):
        body = icmp(source, destination, rng.randrange(256), rng.randrange(4), rng.randbytes(4) + payload)
    else:
        body = payload
    if rng.random() < 0.05:
        body = body[:rng.randrange(len(body) + 1)]
    if six:
        headers = [rng.choice((HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION))
                   for _ in range(rng.choice((0, 0, 0, 1, 2, 3)))]
        first, body = chain(headers, proto, body)
        return ip6(source, destination, first, body, hops=rng.choice((64, 255, 1, 2)))
    options = b""
    if rng.random() < 0.2:
        options = bytes([rng.randrange(256), 4, 4, 0]) * rng.randrange(1, 4)
    return ip4(source, destination, proto, body, ident=rng.randrange(65536), flags=rng.choice((0, 0, 0, 1, 2, 3, 4, 5)),
               offset=rng.choice((0, 0, 0, 8, 1480, 65528)), ttl=rng.choice((64, 255, 1, 2)), options=options)


def shuffled(seed, things):
    things = list(things)
    random.Random(seed).shuffle(things)
    return things

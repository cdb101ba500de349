# SPDX-License-Identifier: Apache-2.0
"""Packets that no conduit names, in every form: protocols, headers, fragments, options, forged
addresses, ICMP, neighbours."""
import contextlib
import json
import random
import signal
import socket
import struct
import threading
import time

from ground import FAMILIES, POLICY, RAW6, SENTINEL, V4, V6, ZONES, Killer, Steady, Watch, boxes, expect, inside, mac_of, sh, wait_for
from packets import (ACK, AUTHENTICATION, DESTINATION, FRAGMENT, HOP_BY_HOP, ROUTING, RST, SYN, chain, fragments, icmp,
                     icmp_number, ip, ip4, ip6, option, random_packet, routing, tcp, transport, udp)

MARK = b"\xf0forbidden"
# Directions in which nothing may cross, and one in which a little may (ops to ot: UDP 9000, TCP 502
# and 9000 to 9009, echo).
SHUT = (("it", "ot"), ("ot", "ops"), ("ot", "it"), ("ops", "it"))


def fresh(ground, *conduits):
    ground.apply(*(conduits or POLICY))
    return ground.wires(), Watch(ground)


def done(ground, wires, watch, allowed=None):
    """After everything was sent: nothing has crossed except what the case allows."""
    ground.sentinel(wires, watch)
    watch.clean(allowed)
    for w in wires.values():
        w.close()
    watch.close()


def every_protocol(ground):
    """All 256 protocol numbers and next headers, alone and after every kind of extension header."""
    wires, watch = fresh(ground)
    heads = ([], [HOP_BY_HOP], [DESTINATION], [FRAGMENT], [AUTHENTICATION], [(ROUTING, routing(0))], [(ROUTING, routing(2))],
             [(ROUTING, routing(4))], [(ROUTING, routing(0, left=1))], [(ROUTING, routing(4, left=1))],
             [HOP_BY_HOP, DESTINATION, FRAGMENT], [FRAGMENT, FRAGMENT], [DESTINATION] * 8)
    n = 0
    for a, b in SHUT + (("ops", "ot"),):
        for proto in range(256):
            inner = transport(V4[a], V4[b], proto, 7, MARK)
            if not (a == "ops" and proto == 1):
                wires[a].send(ip4(V4[a], V4[b], proto, inner))
            n += 1
            for h in heads:
                if a == "ops" and proto == 58 and not h:
                    continue
                # After an extension header even allowed traffic does not cross, because no rule
                # names such headers.
                port = SENTINEL if h and a == "ops" else 7
                first, body = chain(h, proto, transport(V6[a], V6[b], proto, port, MARK))
                if h == [FRAGMENT] and a == "ops":
                    continue  # an atomic fragment, which is the same as none: see fragments
                wires[a].send(ip6(V6[a], V6[b], first, body))
                n += 1
    done(ground, wires, watch, whole_datagram)
    return "%d packets" % n


def whole_datagram(zone, version, source, destination, proto, body):
    """The fragments of an allowed datagram may only become that whole datagram, without an
    additional header."""
    return zone == "ot" and source in (V4["ops"], V6["ops"]) and proto == 17 and body[2:4] == struct.pack("!H", SENTINEL) and \
        struct.unpack("!H", body[4:6])[0] == len(body)


def headers_in_a_live_flow(ground):
    """Options and extension headers do not cross inside a live flow either."""
    wires, watch = fresh(ground)
    n = 0
    for families in FAMILIES:
        a, b = families["ops"], families["ot"]
        wires["ops"].send(ip(a, b, 17, udp(a, b, 46000, 9000, b"sentinel-first")))
        wires["ot"].send(ip(b, a, 17, udp(b, a, 9000, 46000, b"sentinel-answer")))
    ground.sentinel(wires, watch)
    for (x, xport), (y, yport) in ((("ops", 46000), ("ot", 9000)), (("ot", 9000), ("ops", 46000))):
        for kind in range(256):
            body = udp(V4[x], V4[y], xport, yport, MARK)
            for options in (bytes([kind, 4, 4, 0]), bytes([kind, 7, 4]) + socket.inet_aton(V4["ot"]) + b"\0"):
                wires[x].send(ip4(V4[x], V4[y], 17, body, options=options))
                n += 1
        for h in ([HOP_BY_HOP], [DESTINATION], [(ROUTING, routing(0))], [(ROUTING, routing(2))], [(ROUTING, routing(4))],
                  [AUTHENTICATION], [DESTINATION, FRAGMENT], [FRAGMENT, DESTINATION]):
            first, body = chain(h, 17, udp(V6[x], V6[y], xport, yport, MARK))
            wires[x].send(ip6(V6[x], V6[y], first, body))
            n += 1
        for action in range(4):
            for number in (HOP_BY_HOP, DESTINATION):
                first, body = chain([(number, option(0x3e, action))], 17, udp(V6[x], V6[y], xport, yport, MARK))
                wires[x].send(ip6(V6[x], V6[y], first, body))
                n += 1
    done(ground, wires, watch)
    return "%d packets" % n


def other_frames(ground):
    """Allowed traffic for another link address, with tags of networks that the box does not have,
    or encapsulated."""
    wires, watch = fresh(ground)
    wire = wires["ops"]
    box, me = wire.head[:6], wire.head[6:12]
    other = bytes.fromhex(mac_of(ground.ns("ot"), "eth0").replace(":", ""))
    for families in FAMILIES:
        s, d = families["ops"], families["ot"]
        packet = ip(s, d, 17, udp(s, d, 46006, SENTINEL, MARK))
        kind = b"\x86\xdd" if ":" in s else b"\x08\x00"
        inner = kind + packet
        for to in (b"\xff" * 6, b"\1\0\x5e\0\0\1", b"\x33\x33\0\0\0\1", other, watch.macs["ot"], watch.macs["it"]):
            wire.sock.send(to + me + inner)
        for head in (b"\x81\0\0\5", b"\x81\0\x0f\xff", b"\x88\xa8\0\5\x81\0\0\6", struct.pack("!H", len(inner) + 6) + b"\xaa\xaa\3\0\0\0",
                     b"\x88\x47\0\0\x11\x40", b"\x88\x64\x11\0\0\1" + struct.pack("!HH", len(packet) + 2, 0x57 if ":" in s else 0x21)):
            wire.sock.send(box + me + head + (packet if head[:2] in (b"\x88\x47", b"\x88\x64") else inner))
    done(ground, wires, watch)


def every_option(ground):
    """Every kind of IPv4 option, among them source and record routes through the box, on traffic
    that would be allowed without it."""
    wires, watch = fresh(ground)
    for kind in range(256):
        for options in (bytes([kind, 4, 4, 0]), bytes([kind, 7, 4]) + socket.inet_aton("10.73.0.2") + b"\0"):
            for a, to in (("ops", V4["ot"]), ("ops", "10.72.0.1"), ("it", V4["ops"]), ("it", "10.71.0.1")):
                port = 443 if a == "it" else 9001
                wires[a].send(ip4(V4[a], to, 6, tcp(V4[a], to, 47000 + kind, port, 1, 0, SYN), options=options))
                wires[a].send(ip4(V4[a], to, 17, udp(V4[a], to, 47000, 9000, MARK), options=options))
    done(ground, wires, watch)


def odd_fragments(ground):
    """Fragments that overlap, repeat, are tiny, leave holes, go beyond the end, or change the
    protocol. Nothing forbidden is reassembled, and of allowed traffic only whole datagrams with one
    reading arrive."""
    wires, watch = fresh(ground)
    ident = ground.rng.randrange(1 << 20)
    tells = []
    for families in FAMILIES:
        for a, b in SHUT + (("ops", "ot"),):
            s, d = families[a], families[b]
            for port in (SENTINEL, 7):
                good = udp(s, d, 46001, port, MARK + (bytes(range(64)) * 2 if port == SENTINEL else b"\xdd" * 128))
                evil = udp(s, d, 46001, port, MARK + b"\xee" * 128)
                n = len(good) // 16 * 8
                shapes = {
                    "overlap-later": [(0, 1, good[:n]), (n - 16, 1, evil[n - 16:n + 8]), (n + 8, 0, good[n + 8:])],
                    "overlap-head": [(n, 0, good[n:]), (0, 1, good[:n]), (0, 1, evil[:n])],
                    "overlap-inside": [(0, 1, good[:n + 8]), (8, 1, evil[8:16]), (n + 8, 0, good[n + 8:])],
                    "double-differs": [(0, 1, good[:n]), (n, 0, evil[n:]), (n, 0, good[n:])],
                    "hole": [(0, 1, good[:n]), (n + 8, 0, good[n + 8:])],
                    "no-end": [(0, 1, good[:n]), (n, 1, good[n:n + 8])],
                    "no-start": [(n, 0, good[n:])],
                    "beyond": [(0, 1, good[:n]), (65528, 0, good[:64])],
                    "two-ends": [(0, 1, good[:n]), (n, 0, good[n:n + 8]), (n, 0, good[n:])],
                    "odd-middle": [(0, 1, good[:n - 3]), (n, 0, good[n:])],
                    "other-protocol": [(0, 1, good[:n]), (n, 0, good[n:], 6)],
                    "other-protocol-first": [(n, 0, good[n:], 17), (0, 1, tcp(s, d, 1, 502, 1, 0, SYN) + bytes(n - 20), 6)],
                    "empty": [(0, 1, b""), (0, 0, good)],
                }
                if port == 7:
                    shapes["tiny"] = [(0, 1, good[:8]), (8, 1, good[8:16]), (16, 0, good[16:])]
                    shapes["whole"] = [(0, 1, good[:n]), (n, 0, good[n:])]
                    syn = tcp(s, d, 1, 22, 1, 0, SYN)
                    shapes["header-apart"] = [(8, 0, syn[8:], 6), (0, 1, syn[:8], 6)]
                for name, pieces in shapes.items():
                    ident += 1
                    tells.append((name, ident))
                    for p in fragments(s, d, 17, pieces, ident & (0xffffffff if ":" in s else 0xffff)):
                        wires[a].send(p)
            if ":" in s:
                for before in ([HOP_BY_HOP], [FRAGMENT], [DESTINATION, (ROUTING, routing(0))], [FRAGMENT, FRAGMENT]):
                    first, body = chain(before + [(FRAGMENT, bytes(7))], 17, udp(s, d, 46001, 7, MARK))
                    wires[a].send(ip6(s, d, first, body))

    def one_reading(zone, version, source, destination, proto, body):
        """The datagram that may pass, whole or fragmented again by the box, without a byte of
        another reading."""
        return zone == "ot" and source in (V4["ops"], V6["ops"]) and proto in (17, FRAGMENT) and b"\xee" * 4 not in body and \
            b"\xdd" * 4 not in body
    done(ground, wires, watch, one_reading)
    return "%d shapes" % len(tells)


def pieces_without_end(ground):
    """A burst of fragments that never become complete, from a zone that may send nothing. The
    fragmented datagrams of others still arrive."""
    wires, watch = fresh(ground)
    for families, sink in zip(FAMILIES, ground.sinks):
        s, d = families["it"], families["ops"]
        piece = udp(s, d, 46007, 7, MARK + bytes(1380))[:1384]
        for ident in range(8000):
            wires["it"].send(fragments(s, d, 17, [(0, 1, piece)], ident)[0])
        with inside(ground.ns("ops")):
            source = socket.socket(socket.AF_INET6 if ":" in s else socket.AF_INET, socket.SOCK_DGRAM)
        source.bind((families["ops"], 0))
        sink.settimeout(3)
        for n in range(20):
            said = b"sentinel" + bytes([n]) * 4000
            source.sendto(said, (families["ot"], SENTINEL))
            try:
                while sink.recv(5000) != said:
                    pass
            except socket.timeout as e:
                raise AssertionError("datagram %d of the others is lost" % n) from e
        source.close()

    def of_the_others(zone, version, source, destination, proto, body):
        return zone == "ot" and source in (V4["ops"], V6["ops"]) and MARK not in body
    done(ground, wires, watch, of_the_others)


def forged_sources(ground):
    """Sources that cannot be behind the interface: nothing crosses, neither new nor of a live
    flow."""
    wires, watch = fresh(ground)
    four = ["10.71.0.1", "10.72.0.1", "10.73.0.1", "10.79.0.1", "10.79.0.2", "10.72.0.255", "10.73.0.255", "255.255.255.255",
            "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.1.2.3", "224.0.0.1", "239.1.2.3", "240.0.0.1", "250.1.2.3", "169.254.1.1",
            V4["ot"], "10.73.0.99"]
    six = ["2001:db8:71::1", "2001:db8:72::1", "2001:db8:73::1", "2001:db8:71::", "2001:db8:72::", "::", "::1", "::2",
           "ff02::1", "ff0e::1", "fe80::1", "febf::1", "fec0::1", "::ffff:10.72.0.2", "::ffff:10.71.0.2", "::10.71.0.2", V6["ot"],
           "2001:db8:73::99"]
    n = 0
    for a, b, port, own in (("it", "ops", 443, V4["ops"]), ("ops", "ot", 9000, V4["it"]), ("it", "ot", 9000, V4["ops"])):
        mine = V6["ops"] if a == "it" else V6["it"]
        for s, d in [(s, V4[b]) for s in four + [own]] + [(s, V6[b]) for s in six + [mine]]:
            if a == "it" and s in ("169.254.1.1", "fec0::1", "250.1.2.3", "240.0.0.1", "::10.71.0.2", "::2") and b == "ops":
                continue  # see bogons_of_the_internet
            wires[a].send(ip(s, d, 6, tcp(s, d, 46002, port, 1, 0, SYN)))
            wires[a].send(ip(s, d, 17, udp(s, d, 46002, port, MARK)))
            wires[a].send(ip(s, d, icmp_number(s), icmp(s, d, 8 if "." in s and ":" not in s else 128, 0, b"\1\2\3\4" + MARK)))
            n += 3
    done(ground, wires, watch)
    return "%d packets" % n


def spoofing_is_counted(ground):
    """A rule, or the kernel before any rule, refuses a source that does not belong to the
    interface. Both are counted alike."""
    wires, watch = fresh(ground)
    n, before = 40, ground.drops()["spoofed"]
    for families in FAMILIES:
        s, d = families["ops"], families["ot"]
        for proto, body in ((17, udp(s, d, 46005, SENTINEL, MARK)), (6, tcp(s, d, 46005, 502, 1, 0, SYN)), (47, MARK), (50, MARK),
                            (6, tcp(s, d, 46005, 502, 1, 1, ACK, MARK))):
            for _ in range(n):
                wires["it"].send(ip(s, d, proto, body))
    done(ground, wires, watch)
    # the last IPv6 packet belongs to no session, and is counted under that reason
    counted = ground.drops()["spoofed"] - before
    expect(counted >= 9 * n, "%d of %d spoofed packets counted", counted, 9 * n)


def bogons_of_the_internet(ground):
    """A zone of `rest` has unicast addresses only: a source that no host can have opens nothing,
    not even on the interface of the internet."""
    wires, watch = fresh(ground)
    four = ("240.0.0.1", "250.1.2.3", "169.254.1.1", "255.255.255.254", "0.0.0.1", "224.0.0.5")
    six = ("::2", "::ffff:9.9.9.9", "fec0::1", "fe80::77", "ff0e::7", "::")
    for s, d in [(s, V4["ops"]) for s in four] + [(s, V6["ops"]) for s in six]:
        wires["it"].send(ip(s, d, 6, tcp(s, d, 46003, 443, 1, 0, SYN)))
    ground.sentinel(wires, watch)
    crossed = sorted(set(f[1] for f in watch.strangers()))
    good = "99.1.2.3"  # the control: an ordinary address does cross
    wires["it"].send(ip(good, V4["ops"], 6, tcp(good, V4["ops"], 46003, 443, 1, 0, SYN)))
    wait_for(lambda: [f for f in watch.strangers() if f[1] == good], 3, "an ordinary stranger")
    for w in wires.values():
        w.close()
    watch.close()
    expect(not crossed, "these opened a session: %s", crossed)


def odd_destinations(ground):
    """Broadcast, multicast, the box's other addresses, the admin network through the data side,
    link-local, loopback."""
    wires, watch = fresh(ground)
    sh("ip", "route", "add", "10.79.0.0/24", "via", "10.72.0.1", ns=ground.ns("ops"))
    with inside(ground.ns("ops")):
        s = socket.socket()
    s.settimeout(0.2)
    try:
        s.connect(("10.79.0.1", 443))
        raise AssertionError("the admin address answered from a data zone")
    except OSError:
        pass
    finally:
        s.close()
        sh("ip", "route", "del", "10.79.0.0/24", ns=ground.ns("ops"))
    four = ["255.255.255.255", "10.73.0.255", "10.72.0.255", "10.71.0.255", "224.0.0.1", "224.0.0.22", "239.255.255.250",
            "10.71.0.1", "10.72.0.1", "10.73.0.1", "10.79.0.1", "10.79.0.2", "127.0.0.1", "127.0.0.53", "169.254.1.1",
            "0.0.0.0", "240.0.0.1"]
    six = ["ff02::1", "ff02::2", "ff05::2", "ff0e::7", "fe80::1", "::1", "::", "2001:db8:71::1", "2001:db8:72::1",
           "2001:db8:73::1", "2001:db8:73::", "::ffff:10.73.0.2", "fec0::1"]
    n = 0
    for a in ZONES:
        for s, d in [(V4[a], d) for d in four] + [(V6[a], d) for d in six]:
            for port in (443, 502, 22, 9000, 53):
                wires[a].send(ip(s, d, 6, tcp(s, d, 46004, port, 1, 0, SYN)))
                wires[a].send(ip(s, d, 17, udp(s, d, 46004, port, MARK)))
                n += 2
            for proto in (2, 47, 50, 89, 103, 112):
                wires[a].send(ip(s, d, proto, MARK))
                n += 1
    # IGMP and multicast listener reports, so that the box would have members to forward to
    wires["ot"].send(ip4(V4["ot"], "224.0.0.22", 2, bytes.fromhex("2200 f9fb 0000 0001 0400 0000 efff fffa".replace(" ", ""))))
    wires["it"].send(ip4(V4["it"], "239.255.255.250", 17, udp(V4["it"], "239.255.255.250", 1900, 1900, MARK), ttl=32))
    done(ground, wires, watch)
    return "%d packets" % n


def every_flag(ground):
    """All 64 combinations of TCP flags without a session: only a plain SYN crosses, and only if a
    conduit allows it."""
    wires, watch = fresh(ground)
    for families in FAMILIES:
        for a, b, ports in (("ops", "ot", (502, 9005, 22)), ("it", "ot", (502, 443)), ("it", "ops", (443, 22)),
                            ("ot", "ops", (502,))):
            for port in ports:
                for flags in range(64):
                    s, d = families[a], families[b]
                    body = tcp(s, d, 48000 + flags, port, 7777, 8888, flags, MARK if not flags & SYN else b"")
                    wires[a].send(ip(s, d, 6, body))

    def opening(zone, version, source, destination, proto, body):
        """Allowed packets: a SYN where a conduit allows it, the box's reset for a stray in the name
        of the other end, and a host's answer to a SYN."""
        pair = source in (V4["ops"], V6["ops"], V4["it"], V6["it"]) and body[2:4] in (b"\1\xf6", b"\x23\x2d", b"\1\xbb")
        if proto != 6:
            return False
        if body[13] & 63 in (SYN, SYN | 8, SYN | 32, SYN | 40) and len(body) == (body[12] >> 4) * 4:
            return pair and zone == ("ops" if body[2:4] == b"\1\xbb" else "ot")
        return bool(body[13] & RST) and len(body) == 20
    done(ground, wires, watch, opening)


def icmp_of_every_type(ground):
    """Every ICMP type and a few codes, in both directions: only the echo that a conduit names
    crosses."""
    wires, watch = fresh(ground)
    for families in FAMILIES:
        for a, b in SHUT + (("ops", "ot"), ("it", "ops")):
            s, d = families[a], families[b]
            quote = ip(d, s, 17, udp(d, s, 33333, 9, b"x" * 16))
            for kind in range(256):
                for code in (0, 1, 4, 13):
                    if a == "ops" and b == "ot" and kind == (128 if ":" in s else 8):
                        continue
                    wires[a].send(ip(s, d, icmp_number(s), icmp(s, d, kind, code, struct.pack("!HH", 0, 1400) + quote + MARK)))
    done(ground, wires, watch)


def no_poison(ground):
    """ARP and neighbour discovery from one zone change nothing about another, and the box answers
    for no address of another interface. Redirects and router advertisements do not change its
    routes."""
    wires, watch = fresh(ground)
    box_macs = {z: watch.macs[z] for z in ZONES}

    def state():
        routes = sh("ip", "-j", "route", ns=ground.data).stdout + sh("ip", "-6", "-j", "route", ns=ground.data).stdout
        near = json.loads(sh("ip", "-j", "neigh", ns=ground.data).stdout)
        return routes, sorted((n["dst"], n["dev"], n.get("lladdr")) for n in near
                              if n.get("lladdr") and n["dst"] in (V4["ot"], V6["ot"], V4["ops"], V6["ops"]) and
                              n["dev"] == ("ot0" if n["dst"] in (V4["ot"], V6["ot"]) else "ops0"))
    before = state()
    expect(len(before[1]) == 4, "the box knows its neighbours: %s", before[1])
    for attacker in ("it", "ops"):
        mac = wires[attacker].sock.getsockname()[4]
        for claimed in (V4["ot"], "10.73.0.1", "10.79.0.2"):
            own = "10.71.0.1" if attacker == "it" else "10.72.0.1"
            for op, target in ((1, claimed), (2, claimed), (2, own), (1, "10.73.0.1")):
                arp = struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + mac + socket.inet_aton(claimed) + bytes(6) + \
                    socket.inet_aton(target)
                wires[attacker].sock.send(b"\xff" * 6 + mac + b"\x08\x06" + arp)
                wires[attacker].sock.send(box_macs[attacker] + mac + b"\x08\x06" + arp)
        for claimed in (V6["ot"], "2001:db8:73::1"):
            for to in ("2001:db8:71::1" if attacker == "it" else "2001:db8:72::1", "ff02::1"):
                for src in (claimed, "fe80::bad", V6[attacker]):
                    na = struct.pack("!I", 0xe0000000) + socket.inet_pton(socket.AF_INET6, claimed) + b"\2\1" + mac
                    wires[attacker].send(ip6(src, to, 58, icmp(src, to, 136, 0, na), hops=255))
                    ns = bytes(4) + socket.inet_pton(socket.AF_INET6, claimed) + b"\1\1" + mac
                    wires[attacker].send(ip6(src, to, 58, icmp(src, to, 135, 0, ns), hops=255))
                    ra = struct.pack("!BBHII", 64, 0, 1800, 0, 0) + bytes([3, 4, 64, 0xc0]) + \
                        struct.pack("!III", 9000, 9000, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:73::")
                    wires[attacker].send(ip6("fe80::bad", to, 58, icmp("fe80::bad", to, 134, 0, ra), hops=255))
                    rd = bytes(4) + socket.inet_pton(socket.AF_INET6, "fe80::bad") + socket.inet_pton(socket.AF_INET6, V6["ot"])
                    wires[attacker].send(ip6("fe80::bad", to, 58, icmp("fe80::bad", to, 137, 0, rd), hops=255))
        redirect = socket.inet_aton(V4[attacker]) + ip4("10.72.0.1", V4["ot"], 17, udp("10.72.0.1", V4["ot"], 1, 9, b"x" * 8))
        for gateway in (V4[attacker], "10.72.0.2", "10.71.0.2"):
            wires[attacker].send(ip4(gateway, "10.72.0.1", 1, icmp(gateway, "10.72.0.1", 5, 1, redirect)))
            wires[attacker].send(ip4(gateway, V4["ot"], 1, icmp(gateway, V4["ot"], 5, 1, redirect)))
    ground.sentinel(wires, watch)
    after = state()
    expect(after == before, "the box was led astray: %s, before: %s", after, before)
    for zone in ("it", "ops"):
        for frame in watch[zone].incoming():
            if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2":
                address = socket.inet_ntoa(frame[28:32])
                expect(address == ("10.71.0.1" if zone == "it" else "10.72.0.1"), "ARP answer for %s in %s", address, zone)
    done(ground, wires, watch)


def default_deny(ground):
    """Without a conduit nothing crosses in any direction, and the box still reports what it
    does."""
    ground.apply(*POLICY)
    wires, watch = ground.wires(), Watch(ground)
    ground.sekisho("apply", ground.write_empty())
    n = 0
    for families in FAMILIES:
        for a in ZONES:
            for b in ZONES:
                if a == b:
                    continue
                for proto in (6, 17, icmp_number(families[a]), 47, 50, 132):
                    for port in (22, 53, 443, 502, 9000, 9001):
                        s, d = families[a], families[b]
                        wires[a].send(ip(s, d, proto, transport(s, d, proto, port, MARK)))
                        n += 1
    ground.apply(*POLICY)
    done(ground, wires, watch)
    return "%d packets" % n


def bounced_by_the_box(ground):
    """Packets with a forged source in another zone, to which the box itself answers: echo requests
    (to each of its addresses, to groups, in fragments), an expired hop limit, packets that are too
    long, unknown headers and protocols, incomplete fragments. With a policy, without one, and with
    the daemon dead: no byte of the answers arrives in the other zone."""
    n = 0
    for state in ("policy", "empty", "dead"):
        if state == "policy":
            ground.apply(*POLICY)
        elif state == "empty":
            ground.sekisho("apply", ground.write_empty())
        else:
            ground.kill()
        wires, watch = ground.wires(), Watch(ground)
        for b in ZONES:
            # packets to this interface may be too long
            sh("ip", "link", "set", b + "0", "mtu", "1300", ns=ground.data)
            for a in (z for z in ZONES if z != b):
                for packet in (p for families in FAMILIES for p in provoking(families, a, b, b"from-" + a.encode() + MARK)):
                    wires[a].send(packet)
                    n += 1
            sh("ip", "link", "set", b + "0", "mtu", "1500", ns=ground.data)
        given_up = time.monotonic() + 3  # the kernel answers incomplete fragments after two seconds
        # pylint: disable=cell-var-from-loop
        wait_for(lambda: time.monotonic() > given_up, 5, "pieces to be given up")
        # asked last: when all have their answers, everything earlier has been handled
        for a in ZONES:
            for families in FAMILIES:
                own_question(state, wires[a], watch[a], families, a)
        crossed = [(a, b, f[12:60].hex()) for b in ZONES for f in watch[b].incoming() for a in ZONES
                   if a != b and b"from-" + a.encode() in f]
        expect(not crossed, "%s: %d packets bounced, first: %s", state, len(crossed), crossed[:3])
        for w in wires.values():
            w.close()
        watch.close()
    return "%d packets" % n


def own_question(state, wire, capture, families, zone):
    """A host that asks the box under its own source gets an answer: to an echo, and for an expired
    hop limit."""
    s, far = families[zone], families["ot" if zone != "ot" else "ops"]
    own, six = s[:-1] + "1", ":" in s
    said = b"mine-%s-" % zone.encode()
    questions = {
        "echo": ip(s, own, icmp_number(s), icmp(s, own, 128 if six else 8, 0, b"\0\1\0\1" + said + b"echo")),
        "hops": ip(s, far, 17, udp(s, far, 5, 6, said + b"hops"), **{"hops" if six else "ttl": 1}),
    }
    for what, packet in questions.items():
        def answered(what=what, packet=packet):
            wire.send(packet)
            # IPv4 quotes eight bytes of UDP, which have the ports: they identify the packet.
            key = said + what.encode() if six or what == "echo" else struct.pack("!HH", 5, 6)
            return any(key in f[34:] and f[23 if not six else 20] in (1, 58) for f in capture.incoming())
        wait_for(answered, 8, "%s: the box's answer (%s) to %s" % (state, what, s))


def provoking(families, a, b, said):
    """Packets that make a router answer, sent by zone a in the name of zone b."""
    s, six = families[b], ":" in families[b]
    own = [f[:-1] + "1" for f in families.values()]
    others = [families[z] for z in ZONES if z != a]
    far = families[next(z for z in ZONES if z not in (a, b))]
    echo = 128 if six else 8
    long = said + bytes(1400)
    out = []
    for d in own + (["ff02::1", "ff02::2", "ff05::1"] if six else ["224.0.0.1", "255.255.255.255", own[0][:-1] + "255"]):
        body = icmp(s, d, echo, 0, b"\0\1\0\1" + said)
        out.append(ip(s, d, icmp_number(s), body))
        out += fragments(s, d, icmp_number(s), [(0, 1, body[:16]), (16, 0, body[16:])], 77 + len(out))
        out.append(fragments(s, d, icmp_number(s), [(0, 1, body + bytes(-len(body) % 8))], 177 + len(out))[0])
        for proto in (6, 17, 47, 50, 59, 132, 253):
            out.append(ip(s, d, proto, transport(s, d, proto, 7, said)))
    for d in others + [far]:
        for hops in (0, 1):
            for proto in (6, 17, icmp_number(s), 47, 59, 253):
                out.append(ip(s, d, proto, transport(s, d, proto, SENTINEL, said), **{"hops" if six else "ttl": hops}))
        for proto in (6, 17, 253):
            for port in (SENTINEL, 502, 7):
                out.append(ip(s, d, proto, transport(s, d, proto, port, long), **({} if six else {"flags": 2})))
        body = udp(s, d, 45000, 7, long)
        out.append(fragments(s, d, 17, [(0, 1, body[:1200])], 277 + len(out))[0])
        if six:
            for kind in (HOP_BY_HOP, DESTINATION):
                for action in range(4):
                    first, inner = chain([(kind, option(0x3e, action))], 17, udp(s, d, 45000, 7, said))
                    out.append(ip6(s, d, first, inner))
            for kind in (0, 2, 4, 77):
                first, inner = chain([(ROUTING, routing(kind, left=1))], 17, udp(s, d, 45000, 7, said))
                out.append(ip6(s, d, first, inner))
        else:
            for options in (bytes([7, 3, 4, 0]), bytes([131, 3, 200, 0]), bytes([68, 4, 5, 1]), bytes([148, 2, 0, 0])):
                out.append(ip4(s, d, 17, udp(s, d, 45000, 7, said), options=options))
    if six:  # messages of a neighbour in the name of another zone
        for kind in (133, 134, 135, 136, 137):
            for d in own + ["ff02::1"]:
                target = socket.inet_pton(socket.AF_INET6, own[0] if d == "ff02::1" else d)
                out.append(ip6(s, d, 58, icmp(s, d, kind, 0, bytes(4) + target + b"\1\1" + said[:6]), hops=255))
    return out


def is_reset_of_a_stray(source, destination, proto, body):
    """The box's answer to a segment without a session, between hosts and ports that some conduit
    names. A random segment may be one."""
    if proto != 6 or len(body) != 20 or body[13] & (RST | SYN) != RST:
        return False
    ends = dict(zip((source, destination), struct.unpack("!HH", body[:4])))
    return any(set(ends) == {f["ops"], f["ot"]} and (ends[f["ot"]] == 502 or 9000 <= ends[f["ot"]] <= 9009) for f in FAMILIES)


def random_while_enforce_dies(ground):
    """10,000 random forbidden packets of both families while the roles die again and again. Allowed
    traffic loses nothing."""
    seed = ground.rng.randrange(1 << 32)
    rng = random.Random(seed)
    wires, watch = fresh(ground)
    steady = Steady(ground)
    sources = {"it": [V4["it"], V6["it"], "99.1.2.3", "2001:db8:99::1", V4["ops"], V6["ops"], V6["ot"]],
               "ot": [V4["ot"], V6["ot"], V4["ops"], V6["ops"]], "ops": [V4["ops"], V6["ops"], V4["it"], V6["it"]]}
    hosts = {"ot": [V4["ot"], V6["ot"], "10.73.0.77"], "ops": [V4["ops"], V6["ops"]],
             "it": [V4["it"], V6["it"], "9.9.9.9", "2001:db8:9::9"]}
    n = 0
    with Killer(ground, ("enforce", "tap", "journal")) as killer:
        while n < 10000:
            a, b = rng.choice(SHUT)
            s = rng.choice(sources[a])
            d = rng.choice([h for h in hosts[b] if (":" in h) == (":" in s)])
            wires[a].send(random_packet(rng, s, d))
            n += 1
            if n % 100 == 0:
                killer.ended.wait(0.01)  # spreads the packets over several deaths
    ground.sentinel(wires, watch)
    packets = steady.end()

    def known(zone, version, source, destination, proto, body):
        return b"steady" in body or is_reset_of_a_stray(source, destination, proto, body)
    watch.clean(known)
    for w in wires.values():
        w.close()
    watch.close()
    return "seed %d, %d packets, %d deaths, %d allowed ones lost none" % (seed, n, killer.killed, packets)


def power_on_and_off(ground):
    """Forbidden packets without a pause while the policy changes, a link goes down and up, the
    daemon is killed, ended and started, and the box is switched off and on. Nothing crosses, and
    allowed traffic crosses again each time."""
    ground.apply(*POLICY)
    wires, watch = ground.wires(), Watch(ground)
    rng = random.Random(ground.rng.randrange(1 << 32))
    packets = [(a, random_packet(rng, f[a], f[b])) for a, b in SHUT for f in FAMILIES for _ in range(150)]
    ended, sent = threading.Event(), [0]

    def flood():
        while not ended.is_set():
            for a, p in packets:
                with contextlib.suppress(OSError):  # the link may be down
                    wires[a].send(p)
                sent[0] += 1
            ended.wait(0.005)
    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        for round_number in range(6):
            ground.apply(*(POLICY[:1 + round_number % 3]))
        ground.apply(*POLICY)
        ground.sentinel(wires, watch)
        for _ in range(3):  # the attacker pulls his own cable
            sh("ip", "link", "set", "eth0", "down", ns=ground.ns("it"))
            sh("ip", "link", "set", "eth0", "up", ns=ground.ns("it"))
        for address in (V6["it"], RAW6["it"]):
            sh("ip", "addr", "add", address + "/64", "dev", "eth0", "nodad", ns=ground.ns("it"))
        # the addresses were lost with the link
        for family, net, end in zip(("-4", "-6"), boxes.ZONES["it"], (".1", ":1")):
            sh("ip", family, "route", "replace", "default", "via", net + end, ns=ground.ns("it"))
        ground.sentinel(wires, watch)
        for how in (signal.SIGKILL, signal.SIGTERM):
            ground.daemon.send_signal(how)
            ground.daemon.wait()
            ground.start()
            ground.sentinel(wires, watch)
        # Switched off: only the disk has the state, and the interfaces are where the machine finds
        # them.
        ground.kill()
        for zone in ZONES:
            sh("ip", "link", "set", zone + "0", "netns", ground.net.ns("box"), ns=ground.data)
        sh("ip", "link", "set", "adm0", "netns", ground.net.ns("box"), ns=ground.net.ns("admin"))
        for name in (ground.data, ground.net.ns("admin")):
            sh("ip", "netns", "del", name)
        ground.start()
        ground.sentinel(wires, watch)
    finally:
        ended.set()
        thread.join()
    done(ground, wires, watch)
    return "%d packets" % sent[0]


CASES = [default_deny, every_protocol, other_frames, headers_in_a_live_flow, every_option, odd_fragments, pieces_without_end,
         forged_sources, spoofing_is_counted, bogons_of_the_internet, odd_destinations, bounced_by_the_box, every_flag, icmp_of_every_type, no_poison,
         power_on_and_off, random_while_enforce_dies]

# SPDX-License-Identifier: Apache-2.0
"""A table of attempts to cross the image's box: from each side to each other one, with many
protocols, ports, sources and forms. Each frame carries a mark of its side, which must not arrive at
another card. What the policy allows passes meanwhile."""
import struct
import subprocess

from cases import expect
from machine import PATIENCE
from net import Capture, Wire, ip4, ip6, tcp, udp, wait_for
from surroundings import BOX, MACS, open_ports

MARK = b"crosses:"
HOSTS = {"adm": "10.99.0.2", "office": "10.10.0.2", "crane": "10.30.1.10"}
STRANGERS = {"adm": "10.99.0.77", "office": "10.10.0.77", "crane": "10.30.1.77"}
TCP, UDP, OTHER = (22, 80, 102, 443, 502, 5007, 9600, 44818), (53, 161, 502, 2222, 9600, 47808), (1, 2, 4, 41, 47, 50, 51, 89, 132)
AT_ONCE = 40  # frames for which a card's queue and a slow machine have room


def marked(side):
    return MARK + side[:2].encode()


def packets(source, destination, side, n):
    """(protocol, port or None, packet) of each kind."""
    def mark():
        n[0] += 1
        return marked(side) + struct.pack("!I", n[0])

    for port in TCP:
        for flags in (2, 16, 18, 1, 41):  # SYN, ACK, SYN and ACK, FIN, FIN and PSH and URG
            yield 6, port, ip4(source, destination, 6, tcp(source, destination, 40000, port, 1, 1, flags, mark()))
    for port in UDP:
        yield 17, port, ip4(source, destination, 17, udp(source, destination, 40000, port, mark()))
    for proto in OTHER:
        yield proto, None, ip4(source, destination, proto, b"\x08\0\0\0" + mark())
    whole = udp(source, destination, 40000, 502, mark() + mark())
    yield 17, None, ip4(source, destination, 17, whole[:16], ident=n[0] & 0xffff, flags=1)
    yield 17, None, ip4(source, destination, 17, whole[16:], ident=n[0] & 0xffff, offset=16)
    yield 17, None, ip4(source, destination, 17, udp(source, destination, 40000, 502, mark()), options=b"\x83\x07\x04" + bytes([10, 30, 1, 10]) + b"\0")
    yield 17, None, ip4(source, destination, 17, udp(source, destination, 40000, 502, mark()), ttl=1)


def echoes(site, ns, address):
    return subprocess.run(["ip", "netns", "exec", ns, "ping", "-c", "1", "-W", "5", address], check=False, stdout=subprocess.DEVNULL).returncode == 0


def crossed(m, site):
    """Sends all attempts. None may arrive at another card. Returns their number in words."""
    cards = {"adm": (site.adm, MACS[0]), "office": (site.office, MACS[1]), "crane": (site.crane, MACS[2])}
    caught = {side: Capture(site.net, ns, "card") for side, (ns, _) in cards.items()}
    n, sent = [0], 0
    site.table()
    site.paused.set()
    for side, (ns, mac) in cards.items():
        def heard():
            """Whether the box has received everything from this side: it answers what was sent
            after it."""
            return open_ports(ns, BOX["adm"], [443], 5.0) == [443] if side == "adm" else echoes(site, ns, BOX[side])

        wire = Wire(ns, "card", mac)
        for other in set(cards) - {side}:
            for destination in (HOSTS[other], BOX[other]):
                for source in (HOSTS[side], STRANGERS[side], STRANGERS[other], BOX[side], BOX[other], "192.0.2.1"):
                    for proto, port, packet in packets(source, destination, side, n):
                        if (side, destination, proto, port) == ("office", HOSTS["crane"], 6, 502):
                            continue  # the conduit allows it
                        wire.send(packet)
                        sent += 1
                        if sent % AT_ONCE == 0:
                            wait_for(heard, 120 * PATIENCE, "an answer of the box to " + side)
            for destination in ("ff02::1", "fd00:30::10"):
                wire.send(ip6("fd00:10::2", destination, 17, b"\x9c\x40\x01\xf6\0\x12\0\0" + marked(side)))
                sent += 1
        for tag in (b"\x81\0\0\0", b"\x81\0\0\x0a", b"\x88\xa8\0\x0a"):
            wire.sock.send(wire.head + tag + b"\x08\0" + ip4(HOSTS[side], HOSTS["crane" if side != "crane" else "office"], 17, udp(HOSTS[side], HOSTS["crane"], 40000, 502, marked(side))))
            sent += 1
        wait_for(heard, 120 * PATIENCE, "an answer of the box to " + side)
        wire.close()
    site.paused.clear()
    site.table()
    for side, c in caught.items():
        wait_for(c.caught_up, 60 * PATIENCE, "all that arrived")
        found = [f for f in c.incoming() if any(marked(other) in f for other in set(cards) - {side})]
        expect(not found, "%d of %d frames arrived at %s, the first: %s", len(found), sent, side, found[:3])
        expect(c.incoming(), "nothing at all arrived at " + side)
    return "%d frames between three sides, 0 arrived" % sent

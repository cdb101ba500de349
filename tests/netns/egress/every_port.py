# SPDX-License-Identifier: Apache-2.0
"""The management answers terminals at one port. Every port of TCP and UDP is tried, over both
families: from every data zone, also in a terminal's name and with its hardware address, while roles
and the daemon are killed and policies change; and from the admin network. Answers are counted where
they would arrive, and what gets into the admin namespace is counted there."""
import multiprocessing
import os
import signal
import socket
import struct

from cases import expect
from net import Capture, decode, inside, mac_of, sh, wait_for
from ports import FROM, PORTS, drawn, every_port
from terminals import BOX4, BOX6, DESK4, DESK6, STRANGER4, STRANGER6, TERMINALS, answers

ZONES = {"it": ("10.71.0", "2001:db8:71:"), "ops": ("10.72.0", "2001:db8:72:"), "ot": ("10.73.0", "2001:db8:73:")}


def link(ns):
    with inside(ns):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
        s.bind(("eth0", 0))
    return s


def macs(box):
    def raw(ns, device):
        return bytes.fromhex(mac_of(ns, device).replace(":", ""))
    return {"terminal": raw(box.admin, "eth0"), "card": raw(box.admin_ns, "adm0"), **{z: raw(box.data, z + "0") for z in ZONES}}


def from_zone(box, zone, mac, spoofed):
    """One pass over the ports, from a data zone to the box's address in that zone and to the
    management's address, over IPv4 and IPv6. Returns the number of packets."""
    s, n = link(box.ns(zone)), 0
    me, (v4, v6) = s.getsockname()[4], ZONES[zone]
    for own, gateway, desk, management in ((v4 + ".2", v4 + ".1", DESK4, BOX4), (v6 + ":2", v6 + ":1", DESK6, BOX6)):
        every_port(s, mac[zone] + me, own, gateway)
        every_port(s, mac[zone] + me, own, management)
        n += 4 * len(PORTS)
        if spoofed:
            every_port(s, mac[zone] + mac["terminal"], desk, management)
            every_port(s, mac["card"] + mac["terminal"], desk, management)
            n += 4 * len(PORTS)
    s.close()
    return n


def passes(box, zone, mac, spoofed, end, count):
    while True:
        count.value += from_zone(box, zone, mac, spoofed)
        if end.is_set():
            return


class Zones:
    """Passes from all data zones at the same time until ended; at least one."""

    def __init__(self, box, mac, spoofed):
        self.end = multiprocessing.Event()
        self.counts = [multiprocessing.Value("Q", 0) for _ in ZONES]
        self.who = [multiprocessing.Process(target=passes, args=(box, z, mac, spoofed, self.end, n)) for z, n in zip(ZONES, self.counts)]
        for p in self.who:
            p.start()

    def ended(self):
        self.end.set()
        for p in self.who:
            p.join(180)
            expect(p.exitcode == 0, "a scan ended with %s", p.exitcode)
        return sum(n.value for n in self.counts)


def said_to_zones(captures):
    """The box's packets to the zones. Neighbour discovery and its groups are no answers; neither is
    the error that there is no route to the management's address, because the data namespace reports
    this for any unknown address."""
    found = []
    for zone, c in captures.items():
        wait_for(c.caught_up, 30, "what came to " + zone)
        for f in c.incoming():
            d = decode(f)
            discovery = d is not None and ((d[3] == 58 and d[4][0] in (133, 134, 135, 136, 143)) or d[3] == 0)
            unknown = d is not None and d[4][:2] == (b"\3\0" if d[3] == 1 else b"\1\0") and d[3] in (1, 58) and \
                any(socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a) in d[4][8:48] for a in (BOX4, BOX6))
            if d is not None and not discovery and not unknown:
                found.append((zone,) + d[:4] + (d[4][:2].hex(),))
    return found


def strayed(capture):
    """Packets of the data zones that reached the admin namespace."""
    wait_for(capture.caught_up, 30, "the admin namespace's card")
    return sum(1 for f in capture.incoming() if struct.pack("!H", FROM) in f[34:56])


def upset(box):
    """Each role and the daemon are killed, and policies are applied, tried and rolled back, all
    during the scans."""
    for role in ("mgmt", "enforce", "gate", "dpi", "journal", "tap"):
        for pid in box.pids(role)[:1]:
            os.kill(pid, signal.SIGKILL)
        box.go(TERMINALS)
        wait_for(box.running, 30, "the roles again")
    box.go('terminals = ["%s"];\n' % DESK4, "--confirm", "60")
    box.sekisho("rollback")
    box.kill()
    box.start()
    wait_for(box.running, 30, "the roles after a start")
    box.sekisho("confirm", check=False)
    box.go(TERMINALS)


def every_port_from_everywhere(box):
    box.fresh()
    box.go(TERMINALS)
    mac, n = macs(box), 0
    captures = {z: Capture(box.net, box.ns(z), "eth0") for z in ZONES}
    inner = Capture(box.net, box.admin_ns, "adm0")
    for name, spoofed, what in (("before", False, None), ("during", True, upset), ("after", False, None)):
        scan = Zones(box, mac, spoofed)
        try:
            if what is not None:
                what(box)
        finally:
            n += scan.ended()
        found = said_to_zones(captures)
        expect(not found, "%s: %d answers to data zones, such as %s", name, len(found), found[:3])
        expect(strayed(inner) == 0, "%s: %d packets of data zones in the admin namespace", name, strayed(inner))
    # From the admin network: a terminal reaches one port, others none.
    s = link(box.admin)
    me = s.getsockname()[4]
    for source in (STRANGER4, STRANGER6, DESK4, DESK6):
        since = box.mark()
        every_port(s, mac["card"] + me, source, BOX6 if ":" in source else BOX4)
        n += 2 * len(PORTS)
        sh("ping", "-c", "1", "-W", "10", "-I", DESK4, BOX4, ns=box.admin)
        wait_for(box.sink.caught_up, 30, "the answers")
        heard = {a for a in answers(box, since, source) if a[0] in (6, 17)}
        expect(heard == ({(6, 443)} if source in (DESK4, DESK6) else set()), "answers to %s: %s", source, sorted(heard)[:5])
    s.close()
    return "%d packets to %s; of the admin network's terminals port 443 answers" % (n, drawn())


CASES = [every_port_from_everywhere]

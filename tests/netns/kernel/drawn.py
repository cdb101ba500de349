# SPDX-License-Identifier: Apache-2.0
"""Random policies with groups, fleets, `each`, several zones and answers, in the kernel. The text
of a policy is applied to a world of three wires. Then packets at the edges of everything that it
names are sent: now; at drawn times of the role's clock, with drawn doors open and isolations in
force; and while the role is dead when something ends or begins. What arrives must be exactly what
the reference's second implementation (tests/drawn/meaning.py) lets pass.

There is no gate and no inspector here. Packets to be inspected pass only if both failure settings
are `open`. If the two settings differ, only a gate would know which one applies, so such packets
are not sent."""
import collections
import datetime
import os
import random
import shutil
import struct
import sys
import tempfile
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "drawn"))
import draw  # noqa: E402
import judging  # noqa: E402
import meaning  # noqa: E402
from world import PREFIX, ZONES, Driver, check, equal, mac_of, net  # noqa: E402

HOSTS = range(8, 72)  # host numbers on each wire: those of drawn zones, and a few others
PACKETS = 60          # sent at once, at most; and as many in all situations together
SITUATIONS = 3        # tested for a policy with hours: a time, open doors, isolations
# The last day of the language, 2199-12-31, is left out: there the kernel has no time left to ask
# what a door of some hours does.
END = meaning.LAST_DAY * 86400
LONG = 30             # seconds that sending the packets of a situation takes at most
EDGE = 10             # one in this many situations is at an edge while the role is dead
PROTOCOLS = ["tcp", "tcp", "tcp", "udp", "udp", "udp", "icmp", "icmp", "modbus", "dns", "ldap", "tls"]


def addresses(family, wire):
    return ["10.71.%d.%d" % (wire + 1, n) if family == 4 else "2001:db8:71:%d::%x" % (wire + 1, n) for n in HOSTS]


WIRE_OF = {meaning.span(a)[:2]: i for family in (4, 6) for i in range(len(ZONES)) for a in addresses(family, i)}


def zones(d):
    """One or two zones on each wire of the world, with IPv4, IPv6 or both."""
    found = []
    for wire in range(len(ZONES)):
        blocks = ["10.71.%d.%d/28" % (wire + 1, 16 * k) for k in (1, 2, 3)] + ["2001:db8:71:%d::%x/124" % (wire + 1, 16 * k) for k in (1, 2, 3)]
        for _ in range(d.choice([1, 1, 2])):
            networks = draw.draw_networks(d, blocks)
            if networks:
                found.append({"name": "z%d" % len(found), "interfaces": ["lan%d" % wire], "networks": networks, "class": d.choice(draw.CLASSES)})
    return found


def sendable(packet):
    """Whether the kernel itself would forward this packet before any policy: its destination is on
    that wire, and it begins a session."""
    iif, oif, family, src, dst, proto, port = packet
    if "lan%s" % WIRE_OF.get((family, dst)) != oif or (family, src) not in WIRE_OF:
        return False
    return proto in (6, 17) and port > 0 or proto == 1 and port in (8 << 8, 13 << 8) or proto == 58 and port == 128 << 8


def frame(packet, number):
    """The packet with a number in it, by which it is recognised."""
    _, _, family, src, dst, proto, port = packet
    src, dst = draw.address(family, src), draw.address(family, dst)
    mark, sport = struct.pack("!Q", number), 1024 + number % 60000
    if proto == 6:
        body = net.tcp(src, dst, sport, port, number, 0, 2)
    elif proto == 17:
        body = net.udp(src, dst, sport, port, mark)
    else:
        body = struct.pack("!BBHHH", port >> 8, 0, 0, number & 0xffff, 1) + mark + bytes(8)
        summed = body if proto == 1 else net.pseudo(src, dst, 58, len(body)) + body
        body = body[:2] + struct.pack("!H", net.checksum(summed)) + body[4:]
    return (net.ip4 if family == 4 else net.ip6)(src, dst, proto, body)


def number_of(found):
    """The number in a decoded frame, or None."""
    _, _, _, proto, body = found
    at = {6: (4, "!I"), 17: (8, "!Q"), 1: (8, "!Q"), 58: (8, "!Q")}.get(proto)
    return struct.unpack_from(at[1], body, at[0])[0] if at and len(body) >= at[0] + 8 else None


class Wires:
    def __init__(self, w):
        self.taps = {z: net.Capture(w.net, PREFIX + z, "eth0") for z in ZONES}
        self.wires = {"lan%d" % i: net.Wire(PREFIX + z, "eth0", mac_of("lan%d" % i)) for i, z in enumerate(ZONES)}
        self.sent, self.due, self.read = {}, set(), collections.Counter()
        self.seen = set()
        batch = "".join("neigh replace %s lladdr %s nud permanent dev lan%d\n" % (a, net.mac_of(PREFIX + z, "eth0"), i)
                        for i, z in enumerate(ZONES) for family in (4, 6) for a in addresses(family, i))
        net.sh("ip", "-batch", "-", ns=PREFIX + "box", input=batch)

    def arrived(self):
        for i, z in enumerate(ZONES):
            frames = self.taps[z].frames
            for _, incoming, data in frames[self.read[z]:]:
                found = net.decode(data) if incoming else None
                number = number_of(found) if found else None
                if number in self.sent and draw.address(self.sent[number][2], self.sent[number][4]) == found[2] and self.sent[number][1] == "lan%d" % i:
                    self.seen.add(number)
            self.read[z] = len(frames)
        return self.seen

    def send(self, packet, passes):
        number = len(self.sent) + 1
        self.sent[number] = packet
        if passes:
            self.due.add(number)
        self.wires[packet[0]].send(frame(packet, number))

    def held(self, now):
        """Checks that everything that should arrive has arrived, and no other packet that was ever
        sent."""
        try:
            net.wait_for(lambda: self.due <= self.arrived(), 3, "packets")
        except TimeoutError:
            missing = self.sent[min(self.due - self.seen)]
            raise AssertionError("%d are missing: %s passes by the reference" % (len(self.due - self.seen), judging.said(missing, now))) from None
        more = sorted(self.seen - self.due)
        check(not more, "%d too many: %s is refused by the reference" % (len(more), more and judging.said(self.sent[more[0]], now)))

    def close(self):
        for x in [*self.taps.values(), *self.wires.values()]:
            x.close()


def passes(m, packet, now, doors, standing, then=None):
    """Whether the packet arrives; None: the kernel alone cannot know it. `then`: from that time
    until now nobody opens anything."""
    found = m.matches(packet)
    if then is not None:
        found = [(c, s) for c, s in found if (m.until(c, then, doors) or 0) > now]
    want = m.judge(found, now, doors)
    if want is None or any(cut(m, packet, i) and not all(m.keeps(i, x) for x in want["deciding"]) for i in standing):
        return False
    if want["depth"] == "transport":
        return True
    opened = {want["when_down"] == "open", want["when_overloaded"] == "open"}
    return opened.pop() if len(opened) == 1 else None


def cut(m, packet, isolation):
    ends = [(packet[2], x, x) for x in packet[3:5]]
    return any(all(any(meaning.meet(r, x) for r in ranges) for ranges, x in zip(pair, ends, strict=True)) for pair in m.cut(isolation["cut"]))


def isolated(d, m):
    """The isolations in force: prepared ones, and ones by hand."""
    by_hand = ["zone " + d.choice(sorted(m.space)), "zones %s %s" % tuple(d.choice(sorted(m.space)) for _ in range(2))] + ["asset " + a for a in d.sample(sorted(m.assets), min(1, len(m.assets)))]
    prepared = [{"name": i["name"], "cut": i["cut"], "keep": i["keep"]} for i in m.p.get("isolations", ())]
    return d.choice([[], d.sample(prepared, min(1, len(prepared))), prepared[:1] + [{"name": x, "cut": [x], "keep": []} for x in d.sample(by_hand, 1)]])


def situation(w, m, now, doors, standing):
    """Sets the role's clock, the open doors, each for as long as the policy allows, and the
    isolations."""
    w.driver.say(" ".join(["at %d" % now] + sorted(doors)))
    check(w.driver.wait("answer")["status"] == 0, "the doors")
    kept = [[c["name"] for c in m.conduits if m.keeps(i, c["name"])] for i in standing]
    w.driver.say("apart " + ";".join("%s: %s" % (" ".join(k), i["name"]) for k, i in zip(kept, standing, strict=True)))
    check(w.driver.wait("answer")["status"] == 0, "the isolations")


def judged(w, m, packet, now, doors):
    """The rule IR of the policy gives the same answer at that time as the reference."""
    iif, oif, family, src, dst, proto, port = packet
    w.driver.say("judge %s %s %s %s %d %d" % (iif, oif, draw.address(family, src), draw.address(family, dst), proto, port))
    want, have = m.judge(m.matches(packet), now, doors), w.driver.wait("judged")["permit"]
    check((want is None) == (have == 0), "the IR %s it: %s" % ("refuses" if have == 0 else "allows", judging.said(packet, now)))


def lasting(m, now, doors):
    """This time, or an earlier one, after which nothing begins or ends while packets are sent."""
    def holds(t):
        return [c["name"] for c in m.conduits if m.until(c, t, doors)]
    return next((t for t in (now, now - LONG) if holds(t) == holds(now) == holds(t + LONG) and t + LONG < END), None)


def by_hours(w, wires, p, m, packets, d, seen):
    """Tests the policy at random times. Sometimes the role is dead while something begins or ends:
    ends take effect then, and beginnings do not."""
    for now, doors in judging.some(d, m.moments(m.conduits, int(time.time())), SITUATIONS):
        standing = isolated(d, m)
        # rights without an end also end at LAST
        edge = d.randrange(EDGE * SITUATIONS) == 0 and now + LONG < END
        now = now if edge else lasting(m, now, doors)
        if now is None:
            continue
        situation(w, m, now, doors, standing)
        then = now if edge else None
        if edge:
            w.driver.kill()
            net.wait_for(lambda end=time.monotonic() + 1.2: time.monotonic() > end, 5, "the second behind it")
            now += 1
        for packet in judging.some(d, packets, PACKETS // SITUATIONS):
            due = passes(m, packet, now, doors, standing, then)
            if not edge:
                judged(w, m, packet, now, doors)
            if due is not None:
                wires.send(packet, due)
        try:
            wires.held(now)
        except AssertionError as e:
            raise AssertionError("with doors %s open and %s isolated%s: %s" % (sorted(doors), standing, ", the role dead" * edge, e)) from None
        seen["moments"] += 1
        seen["moments with a door open"] += bool(doors)
        seen["moments with isolations"] += bool(standing)
        seen["edges without a role"] += edge
        if edge:
            w.driver.start()
            check(w.driver.apply(draw.text(p, never=False))["done"], "again")


def asked(w, wires, program, p, folder, d, seen):
    """One policy, tested by the reference, by the output of `compile` (if there is a program), by
    the role's own check of the kernel, and by packets."""
    differences = judging.differences(program, p, folder, seen) if program else []
    check(not differences, "; ".join(differences[:3]))
    m, now = meaning.Meaning(p), int(datetime.datetime.now().timestamp())
    steps = m.too_many_ends(now)
    if m.conflicts() or steps or m.test_meets_production() or m.half_kept(now) or m.cuts_nothing(p):
        return
    if draw.table(p):
        with open(os.path.join(w.folder, "rtg.csv"), "wb") as f:
            f.write(draw.table(p))
    net.sh("conntrack", "-F", ns=PREFIX + "box", check=False)
    answer = w.driver.apply(draw.text(p, never=False))
    if steps is None and answer.get("text") == "does not compile":
        return
    check(answer["done"], answer)
    if program:
        equal(w.driver)
    packets = [x for x in dict.fromkeys(judging.packets(d, m, types.SimpleNamespace(all=[]))) if sendable(x)]
    before = len(wires.due)
    for packet, due in [(x, passes(m, x, now, {}, [])) for x in judging.some(d, packets, PACKETS)]:
        if due is not None:
            wires.send(packet, due)
    wires.held(now)
    if "windows" in p:
        by_hours(w, wires, p, m, packets, d, seen)
        situation(w, m, int(time.time()), {}, [])
    seen["policies"] += 1
    seen["packets"] = len(wires.sent)
    seen["arrived"] = len(wires.due)
    seen["policies by which something came"] += len(wires.due) > before
    for what, there in (("groups", "groups" in p), ("fleets", "fleets" in p), ("several zones", any(not isinstance(x[k], str) or x[k] in p.get("groups", {}) for x in p["conduits"] for k in ("from", "to"))),
                        ("answer_only", any("answer_only" in n for n in p["never"]))):
        seen[what] += there


def policies(w, program, count):
    wires, folder, seen = Wires(w), tempfile.mkdtemp(prefix="sekisho-drawn-"), collections.Counter()
    try:
        for i in range(count):
            name = "%d/%d" % (w.seed, i)
            d = random.Random(name)
            p = draw.mended(d, draw.draw_policy(d, zones, PROTOCOLS))
            if i % 200 == 199:  # the driver keeps every permit that ever existed
                w.driver.close()
                w.driver = Driver(w.program, PREFIX + "box", w.folder)
                w.driver.start()
            try:
                asked(w, wires, program, p, folder, d, seen)
            except AssertionError as e:
                raise AssertionError("policy %s: %s\n%s" % (name, e, draw.text(p))) from None
        equal(w.driver)
    finally:
        wires.close()
        shutil.rmtree(folder)
    return seen

# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import bacnet  # noqa: E402
from bacnet import AI, AO, AV, BO, BV, DEVICE, FILE, FORWARDED, NULL, PRESENT, UNICAST, con, ctx, oid, real  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
READS = '{ commands = ["read", "diagnose"]; }'
SETS = ('{ functions = ["WriteProperty", "WritePropertyMultiple"]; objects = ["analog-output:1-4"]; properties = ["present-value"]; priorities = ["8-10"]; '
        'values = ["0-7"]; }')
POLICIES = {"reads": told.policy("bacnet", ["udp/47808"], [READS]), "values": told.policy("bacnet", ["udp/47808"], [READS, SETS])}
PRIORITIES, CURRENT_PRIORITY = 87, 431
ANYONE = (DEVICE, 4194303)


# ---- what was done -------------------------------------------------------------------------------

def nodes(text):
    return bacnet.tree(bytes.fromhex(text))[0]


def is_setting(n):
    return (n.kind, n.number) == ("a", 4) and 0 <= struct.unpack(">f", n.content)[0] <= 7


def is_allowed(change):
    """Whether this change is one that an allowed write makes: the value at a priority, and what
    follows from it."""
    if change[0] == "ack":
        return change[1] in (15, 16)  # the objects show what these services have done
    if len(change) < 4 or change[0] >> 22 != AO or not 1 <= change[0] & 0x3FFFFF <= 4 or None in change:
        return False
    _, prop, before, after = change[0], change[1], nodes(change[2]), nodes(change[3])
    if prop == PRESENT:
        return len(after) == 1 and is_setting(after[0])
    if prop == CURRENT_PRIORITY:
        return len(after) == 1 and after[0].number == 2 and 8 <= int.from_bytes(after[0].content, "big") <= 10
    if prop != PRIORITIES or len(after) != 16:
        return False
    return all(7 <= k <= 9 and is_setting(z) for k, (a, z) in enumerate(zip(before, after)) if (a.number, a.content) != (z.number, z.content))


def forbidden(_, policy, heard):
    return [x for x in heard["did"] or [] if policy == "reads" or not is_allowed(x)][:3]


# ---- requests ------------------------------------------------------------------------------------

def setting(rng):
    return real(rng.choice([0.0, 7.0, 0.5, 6.5, rng.randrange(8)]))


def output(rng):
    return AO, rng.randrange(1, 5)


def setting_element(rng):
    return bacnet.element(PRESENT, setting(rng), priority=rng.randrange(8, 11))


def allowed_write(rng):
    if rng.random() < 0.5:
        return bacnet.write(output(rng), setting(rng), priority=rng.randrange(8, 11))
    return bacnet.write_multiple([(output(rng), [setting_element(rng) for _ in range(rng.randrange(1, 3))]) for _ in range(rng.randrange(1, 4))])


def reading(rng):
    obj = lambda: rng.choice([output(rng), (AI, 1), (AV, 1), (BO, 1), (BV, 1), ANYONE])
    return rng.choice([lambda: bacnet.read(obj(), rng.choice([PRESENT, 77, 75])), lambda: bacnet.read(output(rng), PRIORITIES, rng.randrange(17)),
                       lambda: bacnet.read_multiple([(obj(), [(rng.choice([PRESENT, 8, 77, 111]), None) for _ in range(rng.randrange(1, 3))])
                                                     for _ in range(rng.randrange(1, 4))]),
                       bacnet.who_is, lambda: bacnet.who_is(0, 99), lambda: bacnet.subscribe((AI, 1))])()


def good(rng, policy):
    return allowed_write(rng) if policy == "values" and rng.random() < 0.6 else reading(rng)


def other_element(rng):
    """An element that nobody may write, whatever the object."""
    priority = rng.choice([8, 9, 10, None])
    return rng.choice([lambda: bacnet.element(81, bacnet.boolean(1), priority=priority), lambda: bacnet.element(104, real(5.0), priority=priority),
                       lambda: bacnet.element(22, real(2.0)), lambda: bacnet.element(28, bacnet.string("x")),
                       lambda: bacnet.element(77, bacnet.string("n%d" % rng.randrange(99))),
                       lambda: bacnet.element(PRESENT, real(rng.choice([7.25, 8.0, -0.5, -1.0, 99.0, float("nan"), float("inf")])), priority=9),
                       lambda: bacnet.element(PRESENT, setting(rng), priority=rng.choice([1, 5, 7, 11, 15, 16, 0, 17, 265, None, None, None])),
                       lambda: bacnet.element(PRESENT, rng.choice([bacnet.double, bacnet.unsigned, bacnet.signed])(9), priority=9),
                       lambda: bacnet.element(PRESENT, setting(rng), index=rng.randrange(3), priority=9),
                       lambda: bacnet.element(PRESENT + (1 << 16), setting(rng), priority=9),
                       lambda: bacnet.element(PRESENT, NULL, priority=9), lambda: bacnet.element(117, bacnet.enumerated(62)),
                       lambda: bacnet.element(PRIORITIES, real(4.0), index=rng.randrange(1, 17))])()


def others_element(rng):
    """An element that may be written only elsewhere, or not in this way."""
    if rng.random() < 0.5:
        return output(rng), other_element(rng)
    return rng.choice([lambda: (rng.choice([(AO, 5), (AO, 6), (AO, 4194303), (AV, 1), (AV, 2)]), setting_element(rng)),
                       lambda: (rng.choice([(BO, 1), (BV, 1)]), bacnet.element(PRESENT, bacnet.enumerated(1), priority=9)),
                       lambda: ((14, 1), bacnet.element(PRESENT, bacnet.unsigned(2), priority=9)),
                       lambda: ((40, 1), bacnet.element(PRESENT, bacnet.string("x"), priority=9)),
                       lambda: (rng.choice([(DEVICE, 99), ANYONE]), bacnet.element(77, bacnet.string("x"))),
                       lambda: ((FILE, 1), bacnet.element(77, bacnet.string("f")))])()


def next_number(b):
    """Gives a context tag the next higher number; its contents stay."""
    last = b[-1] + 0x10 if b[0] & 7 == 6 else b[-1]
    return bytes([b[0] + 0x10]) + b[1:-1] + bytes([last])


def evil(rng, policy):
    """A forbidden request, alone or together with allowed ones."""
    if policy == "reads" and rng.random() < 0.3:
        return allowed_write(rng)
    obj, element = others_element(rng)
    password = rng.choice([None, b"\0filister", b"\0filister", b"\0x"])
    known = lambda number: b"" if password is None else ctx(number, password)
    how = rng.random()
    if how < 0.35:  # the same in a service of its own
        return 15, ctx(0, oid(*obj)) + b"".join(next_number(x) for x in parts(element))
    if how < 0.7:
        items = [(output(rng), [setting_element(rng) for _ in range(rng.randrange(1, 4))]) for _ in range(rng.randrange(0, 3))]
        items.insert(rng.randrange(len(items) + 1), (obj, [element]))
        if rng.random() < 0.3:
            items[rng.randrange(len(items))][1].append(other_element(rng))
        return bacnet.write_multiple(items)
    return rng.choice([lambda: (10, con(0, ctx(0, rng.choice([AO, AV, BV])))),
                       lambda: (10, con(0, ctx(1, oid(AO, rng.randrange(7, 40)))) + con(1, bacnet.element(PRESENT, real(3.0)))),
                       lambda: (11, bacnet.tag(12, False, oid(*rng.choice([(AO, 1), (AO, 5), (AV, 1), (FILE, 1)])))),
                       lambda: (17, ctx(0, 1) + ctx(1, rng.choice([0, 1, 2]) if rng.random() < 0.3 else 0) + known(2)),
                       lambda: (20, ctx(0, rng.randrange(8)) + known(1)),
                       lambda: (1000 + rng.choice([6, 9]), bacnet.tag(10, False, bytes([100, 3, 4, 255])) + bacnet.tag(11, False, bytes([1, 2, 3, 0]))),
                       lambda: (8, ctx(0, oid(15, 1)) + ctx(1, 102) + con(3, bacnet.unsigned(1))),
                       lambda: (7, bacnet.tag(12, False, oid(FILE, 1)) + con(0, bacnet.signed(0) + bacnet.octets(b"abc"))),
                       lambda: (1010, ctx(0, 1) + ctx(1, 9) + con(2, ctx(0, 1) + real(2.0))),
                       lambda: (1014, ctx(0, 260) + ctx(1, b"\0GNU") + ctx(2, b"\0" b"0") + ctx(3, oid(DEVICE, 7))),
                       lambda: (18, ctx(0, 260) + ctx(1, 1) + con(2, real(1.0))), lambda: (27, ctx(0, 1) + ctx(1, b"\0x") + ctx(2, 1))])()


# ---- what of it is something else ----------------------------------------------------------------

def parts(b):
    """The tags of the top level, each with its contents."""
    out, depth, at = [], 0, 0
    for first, last, opens in tags(b):
        if depth == 0:
            at = first
        depth += opens
        if depth == 0:
            out.append(b[at:last])
    return out


def tags(b):
    """(first byte, end, 1 for an opening tag, -1 for a closing one) of each tag, as far as they can
    be read."""
    out, at = [], 0
    while at < len(b):
        first, said = at, b[at] & 7
        at += 2 if b[at] >> 4 == 15 else 1
        opens = {6: 1, 7: -1}.get(said, 0) if b[first] & 8 else 0
        if not opens and (b[first] & 8 or b[first] >> 4 != 1):
            if said == 5 and at < len(b):
                said = b[at] if b[at] < 254 else int.from_bytes(b[at + 1:at + 3], "big")
                at += 1 if b[at] < 254 else 3
            at += said
        if at > len(b):
            break
        out.append((first, at, opens))
    return out


def retagged(rng, b):
    """Changes a tag: its number or length in another form, more contents, another kind, doubled,
    left out, or moved."""
    places = tags(b)
    if not places:
        return b
    first, last, opens = rng.choice(places)
    t = b[first:last]
    how = rng.randrange(10)
    if how == 0 or how == 1 and opens:  # the number in the next byte
        t = bytes([t[0] | 0xF0, t[0] >> 4]) + t[1:]
    elif how == 1 and t[0] & 7 < 5:  # a length that has a shorter form
        n = len(t) - 1
        t = bytes([t[0] & 0xF8 | 5]) + rng.choice([bytes([n]), b"\xfe" + struct.pack(">H", n), b"\xff" + struct.pack(">I", n)]) + t[1:]
    elif how in (2, 3) and not opens and t[0] & 7 < 4:  # zeros in front
        zeros = bytes(rng.choice([1, 1, 2, 3, 4]))
        n = len(t) - 1 + len(zeros)
        t = (bytes([t[0] & 0xF8 | n]) if n < 5 else bytes([t[0] & 0xF8 | 5, n])) + zeros + t[1:]
    elif how == 4:
        t = bytes([t[0] ^ rng.choice([8, 1, 0x10, 0x20, 0x30, 0x40])]) + t[1:]
    elif how == 5:
        t = b""
    elif how == 6:
        t += t
    elif how == 7:
        other = rng.choice(places)
        t = b[other[0]:other[1]]
    elif how == 8:
        t += rng.choice([NULL, b"\x3f", b"\x2e", b"\x1f", b"\x0e\x0f", b"\x09\x55", b"\x49\x01", b"\x39\x01", real(9.0)])
    elif len(t) > 1:
        t = t[:-1] + bytes([rng.choice([0, 1, 5, 7, 8, 11, 16, 0x55, 0x57, 0xFF])])
    return b[:first] + t + b[last:]


def routed(rng):
    """Other ways in which the request is carried, as keyword arguments."""
    route = lambda: bacnet.route(rng.choice([0xFFFF, 0xFFFF, 5, 1, 0]), bytes(rng.choice([0, 0, 1, 6, 7, 8])))
    return rng.choice([lambda: {"to": route()}, lambda: {"by": bacnet.route(rng.choice([7, 0, 0xFFFF]), b"\3" * rng.choice([0, 1, 6, 7, 8]))},
                       lambda: {"to": route(), "by": bacnet.route(7, b"\3")}, lambda: {"to": route(), "hops": rng.choice([0, 1])},
                       lambda: {"priority": rng.choice([1, 2, 3, 0x10, 0x40, 0x20, 0x08, 0x80])},
                       lambda: {"function": rng.choice([FORWARDED, FORWARDED, bacnet.BROADCAST, bacnet.DISTRIBUTE])}])()


def link(rng):
    """A function of the link, or a message of the network layer."""
    at = bytes([127, 0, 0, 1]) + struct.pack(">H", rng.choice([47808, 20001]))
    return rng.choice([lambda: bacnet.bvlc(5, struct.pack(">H", rng.choice([1, 60, 600]))), lambda: bacnet.bvlc(1, at + b"\xff" * 4),
                       lambda: bacnet.bvlc(8, at),
                       lambda: bacnet.bvlc(2, b""), lambda: bacnet.bvlc(6, b""),
                       lambda: bacnet.bvlc(rng.choice([0, 3, 7, 12, 13]), bytes(rng.choice([0, 2, 10]))),
                       lambda: bacnet.bvlc(UNICAST, bytes([1, 0x80, rng.choice([0, 1, 2, 3, 6, 8, 9, 0x12, 0x13])]) + b"\0\5" + bytes(rng.choice([0, 1])))])()


def hiding(rng, invoke, inner):
    """An allowed request with a forbidden one after it or inside it."""
    code, data = inner
    whole = bacnet.ask(inner, invoke)
    read = lambda: bacnet.read(output(rng))
    return rng.choice([
        lambda: bacnet.ask(read(), invoke) + whole, lambda: bacnet.bvlc(UNICAST, bacnet.npdu(bacnet.apdu(read(), invoke)) + whole[4:]),
        lambda: bacnet.ask((12, read()[1] + data), invoke),
        lambda: bacnet.ask((14, bacnet.read_multiple([(output(rng), [(PRESENT, None)])])[1] + data), invoke),
        lambda: bacnet.ask((code if code in (12, 14, 15, 16) else 15, bacnet.write(output(rng), setting(rng), priority=9)[1] + data), invoke),
        lambda: bacnet.ask(bacnet.write_multiple([(output(rng), [setting_element(rng),
                                                               bacnet.element(PRESENT, bacnet.octets(b"\x3f\x1f" + data), priority=9)])]), invoke),
        lambda: bacnet.ask(bacnet.write_multiple([(output(rng), [bacnet.element(PRESENT, setting(rng) + con(2, data), priority=9)])]), invoke),
        lambda: bacnet.ask(read(), invoke, by=bacnet.route(7, (b"\3" + whole[4:])[:255])),
        lambda: bacnet.ask(read(), invoke, to=bacnet.route(5, (b"\3" + whole[4:])[:255])),
        lambda: bacnet.ask((1004, ctx(0, 260) + ctx(1, 1) + con(2, data)), invoke),
        lambda: bacnet.bvlc(FORWARDED, bytes([10, 20, 0, 99, 0xBA, 0xC0]) + whole[4:]), lambda: bacnet.bvlc(12, whole), lambda: bacnet.bvlc(UNICAST, whole)])()


def segment(rng, invoke, inner):
    return bacnet.bvlc(UNICAST, bacnet.npdu(bacnet.segment(inner, invoke, rng.choice([0, 0, 1, 2]), rng.random() < 0.5)))


def spoiled(rng, b):
    b = told.spoiled(rng, b, (0, 1, 2, 3, 4, 5, 7, 8, 9, 0x0E, 0x0F, 0x10, 0x20, 0x2E, 0x3F, 0x49, 0x55, 0x57, 0x80, 0xFE, 0xFF), 24)
    if len(b) >= 4 and rng.random() < 0.8:  # with its new length
        b = b[:2] + struct.pack(">H", len(b)) + b[4:]
    return b


def datagram(rng, policy, invoke):
    what = rng.random()
    if what < 0.3:
        request = good(rng, policy)
    else:
        request = evil(rng, policy)
    if what > 0.93:
        return link(rng)
    if what > 0.76:
        return hiding(rng, invoke, request)
    if what > 0.72 and request[0] < 1000:
        return segment(rng, invoke, request)
    if rng.random() < 0.3:
        code, data = request
        for _ in range(rng.choice([1, 1, 2])):
            data = retagged(rng, data)
        request = code, data
    return bacnet.ask(request, invoke, **(routed(rng) if rng.random() < 0.15 else {}))


def session(rng, _, policy):
    if rng.random() < 0.1:
        return [("udp", bacnet.ask(good(rng, policy), n), []) for n in range(1, rng.randrange(2, 7))]
    out = []
    for n in range(1, rng.randrange(2, 7)):
        b = datagram(rng, policy, n)
        out.append(("udp", spoiled(rng, b) if rng.random() < 0.2 else b, []))
    return told.joined(rng, out)


ROW = told.Row("bacnet_receivers", "SEKISHO_BACNET_SERVER", "how to run a device ({port} in it: where it is to listen)", 47808, POLICIES, session, forbidden,
               datagrams=47808)


def cases(t):
    yield from told.cases(t, ROW, HERE)

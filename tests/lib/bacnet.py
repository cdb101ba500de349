# SPDX-License-Identifier: Apache-2.0
"""BACnet/IP by hand, written from ANSI/ASHRAE 135 without the product's code: datagrams; a reader
that makes a tree of tags and tells what a request touches and writes, and whether it is valid; a
device that answers."""
import math
import struct

AI, AO, AV, BI, BO, BV, DEVICE, FILE = 0, 1, 2, 3, 4, 5, 8, 10
PRESENT = 85
UNICAST, BROADCAST, FORWARDED, DISTRIBUTE = 10, 11, 4, 9
# The classes of services in the product's reference. Numbers: confirmed services as in their
# requests, unconfirmed ones from 1000 on, messages of the network layer from 2000 on, functions of
# the link layer from 3000 on.
READS = {5, 12, 13, 14, 26, 28, 30}
WRITES = {1, 15, 16, 31, 1002, 1010, 1011, 4115, 4116}
CONTROLS = {0, 2, 17, 19, 20, 27, 32, 1000, 1001, 1003, 1005, 1006, 1009, 1012}
PROGRAMS = {6, 7, 8, 9, 10, 11, 21, 22, 23, 1014, 4015, 4016, 4020}
DIAGNOSES = {3, 4, 29, 33, 1007, 1008, 1013, 2000, 2018, 3002, 3006}
ALL_WORDS = {18, 24, 25, 34, 1004}
SIMPLE = {0, 1, 2, 5, 8, 9, 11, 15, 16, 17, 19, 20, 22, 25, 27, 28, 30, 31, 32}


# ---- writing -------------------------------------------------------------------------------------

def shortest(v):
    return v.to_bytes(max(1, (v.bit_length() + 7) // 8), "big")


def tag(number, context, content):
    first = (number << 4 if number < 15 else 0xF0) | (8 if context else 0)
    more = b"" if number < 15 else bytes([number])
    n = len(content)
    if n < 5:
        return bytes([first | n]) + more + content
    return bytes([first | 5]) + more + (bytes([n]) if n < 254 else b"\xfe" + struct.pack(">H", n)) + content


def ctx(number, v):
    return tag(number, True, v if isinstance(v, bytes) else shortest(v))


def con(number, inner):
    return (bytes([number << 4 | 0x0E]) + inner + bytes([number << 4 | 0x0F])) if number < 15 else bytes([0xFE, number]) + inner + bytes([0xFF, number])


def oid(kind, instance):
    return struct.pack(">I", kind << 22 | instance)


def unsigned(v):
    return tag(2, False, shortest(v))


def signed(v):
    n = 1
    while not -(1 << 8 * n - 1) <= v < 1 << 8 * n - 1:
        n += 1
    return tag(3, False, v.to_bytes(n, "big", signed=True))


def real(v):
    return tag(4, False, struct.pack(">f", v))


def double(v):
    return tag(5, False, struct.pack(">d", v))


def boolean(v):
    return bytes([0x10 | v])


def enumerated(v):
    return tag(9, False, shortest(v))


def string(s):
    return tag(7, False, b"\0" + s.encode())


def octets(b):
    return tag(6, False, b)


NULL = b"\0"


def ref(prop, index=None, base=0):
    return ctx(base, prop) + (b"" if index is None else ctx(base + 1, index))


def element(prop, value, index=None, priority=None):
    return ref(prop, index) + con(2, value) + (b"" if priority is None else ctx(3, priority))


def read(obj, prop=PRESENT, index=None):
    return 12, ctx(0, oid(*obj)) + ref(prop, index, 1)


def read_multiple(items):
    """[(object, [(property, index)])]"""
    return 14, b"".join(ctx(0, oid(*o)) + con(1, b"".join(ref(*r) for r in refs)) for o, refs in items)


def write(obj, value, prop=PRESENT, index=None, priority=None):
    return 15, ctx(0, oid(*obj)) + ref(prop, index, 1) + con(3, value) + (b"" if priority is None else ctx(4, priority))


def write_multiple(items):
    """[(object, [element])]"""
    return 16, b"".join(ctx(0, oid(*o)) + con(1, b"".join(elements)) for o, elements in items)


def subscribe(obj, process=1, lifetime=60):
    return 5, ctx(0, process) + ctx(1, oid(*obj)) + ctx(2, b"\1") + ctx(3, lifetime)


def reinitialize(state):
    return 20, ctx(0, state)


def who_is(lo=None, hi=None):
    return 1008, b"" if lo is None else ctx(0, lo) + ctx(1, hi)


def i_am(instance):
    return 1000, tag(12, False, oid(DEVICE, instance)) + unsigned(1476) + enumerated(3) + unsigned(7)


def time():
    return tag(10, False, bytes([126, 11, 28, 6])) + tag(11, False, bytes([22, 30, 0, 0]))


def apdu(request, invoke=1):
    code, data = request
    return (bytes([0x10, code - 1000]) if code >= 1000 else bytes([0, 5, invoke, code])) + data


def segment(request, invoke=1, number=0, more=True):
    code, data = request
    return bytes([0x08 | (4 if more else 0), 5, invoke, number, 1, code]) + data


def simple_ack(invoke, code):
    return bytes([0x20, invoke, code])


def complex_ack(invoke, code, data):
    return bytes([0x30, invoke, code]) + data


def error(invoke, code):
    return bytes([0x50, invoke, code]) + enumerated(2) + enumerated(32)


def route(network, address=b""):
    return struct.pack(">HB", network, len(address)) + address


def npdu(a, to=None, by=None, hops=255, priority=0):
    control = (0x20 if to else 0) | (8 if by else 0) | (4 if a[:1] and a[0] >> 4 == 0 else 0) | priority
    return bytes([1, control]) + (to or b"") + (by or b"") + (bytes([hops]) if to else b"") + a


def bvlc(function, body):
    return struct.pack(">BBH", 0x81, function, 4 + len(body)) + body


def ask(request, invoke=1, function=UNICAST, **kw):
    body = npdu(apdu(request, invoke), **kw)
    return bvlc(function, (bytes([10, 20, 0, 99, 0xBA, 0xC0]) if function == FORWARDED else b"") + body)


def tell(a, **kw):
    return bvlc(UNICAST, npdu(a, **kw))


class Device:
    """Answers what it is asked, and does what it is told: `values` by (object, property, index)."""

    def __init__(self):
        self.values = {}

    def answer(self, datagram):
        r = parse(datagram)
        if r is None or r["type"] != 0 or r["segmented"]:
            return b""
        code, invoke = r["choice"], r["invoke"]
        kw = {"by": r["to"]} if r["to"] else {}
        if code == 12:
            return tell(complex_ack(invoke, code, r["data"] + con(3, real(21.5))), **kw)
        if code == 14:
            return tell(complex_ack(invoke, code, ctx(0, oid(*divmod(r["ops"][0]["object"][0], 1 << 22))) + con(1, b"")), **kw)
        return tell(simple_ack(invoke, code) if code in SIMPLE else complex_ack(invoke, code, b""), **kw)


# ---- reading -------------------------------------------------------------------------------------

class Bad(Exception):
    pass


SIZES = {0: (0, 0), 2: (1, 8), 3: (1, 4), 4: (4, 4), 5: (8, 8), 6: (0, 1 << 20), 7: (1, 1 << 20), 8: (1, 1 << 20), 9: (1, 4), 10: (4, 4), 11: (4, 4), 12: (4, 4)}


class Node:
    """A tag: `kind` is "a", "c" or "o" (constructed), with its content or the nodes inside."""

    def __init__(self, kind, number, content):
        self.kind, self.number, self.content = kind, number, content


def tree(b, at=0, until=None, depth=0):
    """The nodes up to the closing tag `until`, or the end; and where they end."""
    out = []
    while at < len(b):
        first = b[at]
        number, context, said = first >> 4, bool(first & 8), first & 7
        at += 1
        if number == 15:
            if at == len(b) or not 15 <= b[at] < 255:
                raise Bad("number")
            number = b[at]
            at += 1
        if said == 7:
            if not context or number != until:
                raise Bad("closing")
            return out, at
        if said == 6:
            if not context or depth == 30:
                raise Bad("opening")
            inner, at = tree(b, at, number, depth + 1)
            out.append(Node("o", number, inner))
            continue
        if not context and number == 1:
            if said > 1:
                raise Bad("boolean")
            out.append(Node("a", 1, bytes([said])))
            continue
        if said == 5:
            if at == len(b):
                raise Bad("length")
            n = b[at]
            at += 1
            if n == 254:
                n = int.from_bytes(b[at:at + 2], "big")
                at += 2
            elif n == 255:
                n = int.from_bytes(b[at:at + 4], "big")
                at += 4
                if n <= 65535:
                    raise Bad("long length")
            if n < 5:
                raise Bad("long form")
        else:
            n = said
        if at + n > len(b):
            raise Bad("beyond")
        content = b[at:at + n]
        at += n
        if not context:
            if number not in SIZES or not SIZES[number][0] <= n <= SIZES[number][1]:
                raise Bad("type")
            if number == 8 and (content[0] > 7 or (n == 1 and content[0])):
                raise Bad("bits")
        out.append(Node("c" if context else "a", number, content))
    if until is not None:
        raise Bad("not closed")
    return out, at


def deepest(nodes):
    return max((1 + deepest(n.content) for n in nodes if n.kind == "o"), default=0)


def is_tagged(b):
    try:
        return deepest(tree(b)[0]) <= 12
    except Bad:
        return False


class Fields:
    def __init__(self, nodes):
        self.nodes = list(nodes)

    def is_next(self, kind, number):
        return bool(self.nodes) and (self.nodes[0].kind, self.nodes[0].number) == (kind, number)

    def take(self, kind, number, sizes=(0, 1 << 20)):
        if not self.is_next(kind, number):
            raise Bad("%s%d" % (kind, number))
        content = self.nodes.pop(0).content
        if kind != "o" and not sizes[0] <= len(content) <= sizes[1]:
            raise Bad("size")
        return Fields(content) if kind == "o" else content

    def may(self, kind, number, sizes=(0, 1 << 20)):
        return self.take(kind, number, sizes) if self.is_next(kind, number) else None

    def number(self, n):
        v = self.take("c", n, (1, 4))
        if len(v) > 1 and v[0] == 0:
            raise Bad("zeros")
        return int.from_bytes(v, "big")

    def may_number(self, n):
        return self.number(n) if self.is_next("c", n) else None

    def object(self, n):
        v = int.from_bytes(self.take("c", n, (4, 4)), "big")
        return v, v

    def boolean(self, n):
        v = self.may("c", n, (1, 1))
        if v is not None and v[0] > 1:
            raise Bad("boolean")

    def priority(self, n):
        v = self.may_number(n)
        if v is not None and not 1 <= v <= 16:
            raise Bad("priority")
        return 16 if v is None else v

    def end(self):
        if self.nodes:
            raise Bad("more")


def within(v):
    """The whole numbers next to a number (one, or the two around it). None: a row could not name
    them."""
    if math.isnan(v) or not -2147483647.0 <= v <= 2147483647.0:
        return None
    return {math.floor(v) & 0xFFFFFFFF, math.ceil(v) & 0xFFFFFFFF}


def value_of(nodes):
    """Returns (whole numbers of `within`, or None if the value has none; whether it is a NULL)."""
    if deepest(nodes) > 12:
        raise Bad("deep")
    if len(nodes) != 1 or nodes[0].kind != "a":
        return None, False
    n, c = nodes[0].number, nodes[0].content
    if n == 0:
        return None, True
    v = int.from_bytes(c, "big")
    if n in (1, 2, 9):
        return ({v} if v < 1 << 31 and (len(c) == 1 or c[0]) else None), False
    if n == 3:
        s = int.from_bytes(c, "big", signed=True)
        return ({s & 0xFFFFFFFF} if len(c) == 1 or not -(1 << 8 * len(c) - 9) <= s < 1 << 8 * len(c) - 9 else None), False
    if n in (4, 5):
        return within(struct.unpack(">f" if n == 4 else ">d", c)[0]), False
    return None, False


def op(code, obj=(), prop=None, priority=None, values="none"):
    """obj: (): it touches no object; None: which one it touches is unknown."""
    return {"code": code, "object": obj, "property": prop, "priority": priority, "values": values}


def references(f, code, obj, base=0):
    prop, index = f.number(base), f.may_number(base + 1)
    return op(code, obj, (prop, index))


def has_inside(nodes, number):
    return any(n.kind == "o" and (n.number == number or has_inside(n.content, number)) for n in nodes)


def anything(code):
    """The operation that a device may read after a value, if it takes the closing tag of data
    inside the value for the end of the value. Both have the same number."""
    return {"code": code, "object": None, "property": (1 << 30, None), "priority": 0, "values": None}


def written(f, code, obj, base=0):
    o = references(f, code, obj, base)
    value = f.take("o", base + 2).nodes
    o["values"], null = value_of(value)
    o["priority"] = f.priority(base + 3)
    o["again"] = has_inside(value, base + 2)
    if o["again"]:
        o["priority"], o["values"] = 0, None
    if code in (15, 16):
        o["code"] += 4000 if o["property"][0] != PRESENT else 4100 if null else 0
    return o


def service(code, f):
    """The operations of a request of this service; None: its fields are not known here."""
    if code == 12:
        return [references(f, 12, f.object(0), 1)]
    if code == 15:
        return [written(f, 15, f.object(0), 1)]
    if code in (14, 16):
        out = []
        while True:
            obj, inner = f.object(0), f.take("o", 1)
            while True:
                out.append(references(inner, 14, obj) if code == 14 else written(inner, 16, obj))
                if not inner.nodes:
                    break
            if not f.nodes:
                return out + [anything(c) for c in (16, 4016, 4116) if any(o.get("again") for o in out)]
    if code == 5:
        f.take("c", 0, (1, 8))
        out = [op(5, f.object(1))]
        f.boolean(2)
        f.may("c", 3, (1, 8))
        return out
    if code in (8, 9):
        o = references(f, code, f.object(0), 1)
        if deepest(f.take("o", 3).nodes) > 12:
            raise Bad("deep")
        o["values"] = None
        return [o]
    if code == 10:
        inner = f.take("o", 0)
        if inner.is_next("c", 0):
            kind = inner.number(0)
            if kind > 1023:
                raise Bad("type")
            obj = kind << 22, (kind << 22) + 0x3FFFFF
        else:
            obj = inner.object(1)
        inner.end()
        out = [op(10, obj, values=None)]
        inner = f.may("o", 1)
        while inner is not None and inner.nodes:
            out.append({**written(inner, 10, obj), "values": None})
        return out + [anything(10) for o in out[:1] if any(o.get("again") for o in out)]
    if code == 11:
        v = int.from_bytes(f.take("a", 12), "big")
        return [op(11, (v, v), values=None)]
    if code == 17:
        f.may("c", 0, (1, 8))
        f.take("c", 1, (1, 4))
        f.may("c", 2, (1, 1 << 20))
        return [op(17)]
    if code == 20:
        state = f.number(0)
        f.may("c", 1, (1, 1 << 20))
        return [op(4020, None, values=None) if state > 1 else op(20)]
    if code == 1008:
        f.may("c", 0, (1, 8))
        f.may("c", 1, (1, 8))
        return [op(1008)]
    if code in (1006, 1009):
        f.take("a", 10)
        f.take("a", 11)
        return [op(code)]
    return None


def network(b):
    """Returns (destination, source, message type or None, rest). Destination and source are the
    bytes of the header; None: there is none."""
    if len(b) < 2 or b[0] != 1 or b[1] & 0x50:
        raise Bad("network")
    at, ends = 2, []
    for bit in (0x20, 8):
        if not b[1] & bit:
            ends.append(None)
            continue
        if len(b) < at + 3:
            raise Bad("short")
        net, n = struct.unpack_from(">HB", b, at)
        if net == 0 or len(b) < at + 3 + n or (bit == 0x20 and net == 0xFFFF and n) or (bit == 8 and (net == 0xFFFF or n == 0)):
            raise Bad("route")
        ends.append(b[at:at + 3 + n])
        at += 3 + n
    if b[1] & 0x20:
        if len(b) <= at or b[at] == 0:
            raise Bad("hops")
        at += 1
    kind = None
    if b[1] & 0x80:
        if len(b) <= at:
            raise Bad("type")
        kind = b[at]
        at += 1 + (2 if kind >= 0x80 else 0)
        if len(b) < at:
            raise Bad("vendor")
    return ends[0], ends[1], kind, b[at:]


def parse(datagram):
    """None: invalid. Otherwise a dictionary: how the message is carried, and the operations of a
    request ("ops"). Without "ops" they are not known here."""
    try:
        return whole(datagram)
    except Bad:
        return None


def whole(d):
    if not 4 <= len(d) <= 1507 or d[0] != 0x81 or struct.unpack(">H", d[2:4])[0] != len(d) or d[1] > 12:
        raise Bad("link")
    function, body = d[1], d[4:]
    r = {"function": function, "type": None, "message": None, "to": None, "by": None, "segmented": False, "more": False, "code": 3000 + function, "data": body}
    if function not in (FORWARDED, DISTRIBUTE, UNICAST, BROADCAST):
        n = {0: 2, 2: 0, 5: 2, 6: 0, 8: 6}.get(function)
        if n is not None and len(body) != n and function != 0 or function in (1, 3, 7) and len(body) % 10 or function == 0 and len(body) < 2:
            raise Bad("length")
        r["ops"] = [op(r["code"])]
        return r
    if function == FORWARDED:
        if len(body) < 6:
            raise Bad("address")
        body = body[6:]
    r["to"], r["by"], r["message"], b = network(body)
    if r["message"] is not None:
        lengths = {0: (0, 2), 1: range(2, 1500, 2), 2: (3,), 3: (3,), 4: range(0, 1500, 2), 5: range(0, 1500, 2), 6: range(1, 1500), 8: (3,), 9: (2,), 0x12: (0,), 0x13: (3,)}
        r["wrong"] = len(b) not in lengths.get(r["message"], range(1500))
        r.update(code=2000 + r["message"], ops=[op(2000 + r["message"])], data=b)
        return r
    if len(b) < 2:
        raise Bad("short")
    kind, flags = b[0] >> 4, b[0] & 15
    segmented, more = bool(flags & 8), bool(flags & 4)
    if kind > 7 or flags & {0: 1, 3: 3, 4: 12, 7: 14}.get(kind, 15) or (kind in (0, 3) and more and not segmented):
        raise Bad("flags")
    segmented, more = segmented and kind in (0, 3), more and kind in (0, 3)
    names = {0: "xi", 1: "", 2: "i", 3: "i", 4: "i", 5: "i", 6: "i", 7: "i"}[kind] + ("nw" if segmented or kind == 4 else "") + ("" if kind == 4 else "c")
    if len(b) < 1 + len(names):
        raise Bad("header")
    head = dict(zip(names, b[1:]))
    if head.get("x", 0) & 0x80 or not 1 <= head.get("w", 1) <= 127:
        raise Bad("sizes")
    data = b[1 + len(names):]
    if data and kind in (2, 4, 6, 7):
        raise Bad("behind")
    r.update(type=kind, invoke=head.get("i"), choice=head.get("c"), number=head.get("n"), segmented=segmented, more=more, data=data)
    r["code"] = {0: 0, 1: 1000}.get(kind, 5000 + kind) + (head["c"] if kind < 2 else 0)
    if kind > 1:
        r["ops"] = [op(r["code"])]
        return r
    if segmented:
        r["ops"] = [op(r["code"], None, values=None)]
        return r
    if r["code"] in ALL_WORDS or r["code"] in (21, 22, 23) or 34 < r["code"] < 1000 or r["code"] > 1014:
        r["ops"] = [op(r["code"], None, values=None)]
        return r
    f = Fields(tree(data)[0])
    ops = service(r["code"], f)
    if ops is not None:
        f.end()
        r["ops"] = ops
    return r

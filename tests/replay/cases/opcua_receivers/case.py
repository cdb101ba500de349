# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import opcua  # noqa: E402
from opcua import data_value, node, request, string, variant  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WATCH = '{ commands = ["read", "diagnose"]; security_policies = [1]; node_ids = ["0", "1.1000-1009"]; }'
POLICIES = {
    "reads": told.policy("opcua", ["tcp/4840"], [WATCH]),
    "values": told.policy("opcua", ["tcp/4840"], [
        WATCH, '{ functions = ["Write"]; security_policies = [1]; node_ids = ["1.1000-1004"]; values = ["0-100"]; }',
        '{ functions = ["Call"]; security_policies = [1]; node_ids = ["0.85", "1.7000"]; }']),
    "structures": told.policy("opcua", ["tcp/4840"], [WATCH, '{ functions = ["Write"]; security_policies = [1]; }'])}
OBJECTS = node(0, 85)
TOKEN = node(1, b"\xa5" * 16)  # and the other stand-ins of victim.py
FREELY = (0, 1, 2, 3, 4, 6, 13, 0x43, 0x46, 0x4D, 0x80, 0xEE, 0xFF)


def forbidden(_, policy, heard):
    def allowed(what, *of):
        if policy == "reads":
            return False
        if what == "call":
            return policy == "values" and of[0] == 7000
        if policy == "structures":
            return what == "value"
        # a status or a time may be written beside the value, which says its type in front
        return what == "value" and of[0] <= 1004 and any(bytes([6]) + struct.pack("<i", v) in bytes.fromhex(of[1])[5:] for v in range(101))
    return [x for x in heard["did"] or [] if not allowed(*x)][:3]


def with_token(b):
    at = 2 if b[0] == 0 else 4
    return b[:at] + TOKEN + b[at + 2:]


def of(n):
    return node(1, n)


def value(v):
    return data_value(variant(6, v))


def behind_a_structure(rng):
    """A structure of a type that servers know (Range), but longer. A server that reads it by its
    type finds the next item at another place than a server that goes by its length."""
    def item(number, attribute, v):
        return of(number) + struct.pack("<I", attribute) + string(None) + v
    inner = bytes(16) + item(1005 + rng.randrange(5), 4, data_value(bytes([21, 2]) + string("other")))
    structure = data_value(bytes([22]) + node(0, 886) + b"\1" + string(inner))
    return request(673, opcua.array([item(1000 + rng.randrange(5), 13, structure), item(1000 + rng.randrange(5), 13, value(7))]))


def good(rng, policy):
    """The body of a request."""
    if policy == "structures" and rng.random() < 0.6:
        return opcua.write([(of(1000 + rng.randrange(10)), value(rng.randrange(1000))) for _ in range(rng.choice([1, 1, 2]))])
    if policy == "values" and rng.random() < 0.6:
        return rng.choice([lambda: opcua.write([(of(1000 + rng.randrange(5)), value(rng.randrange(101))) for _ in range(rng.choice([1, 1, 2]))]),
                           lambda: opcua.call([(OBJECTS, of(7000), [])])])()
    return rng.choice([lambda: opcua.read([of(1000 + rng.randrange(10)) for _ in range(rng.randrange(1, 4))]), lambda: opcua.browse([OBJECTS]),
                       opcua.endpoints, lambda: opcua.read([node(0, 2256)])])()


def evil(rng, policy):
    def add(number):
        return opcua.add_node(OBJECTS, of(number), 1, node(0, 354), struct.pack("<IBBIIB", 0, 0, 0, 0, 0, 0), node(0, 58))
    kinds = [lambda: opcua.write([(of(1005 + rng.randrange(5)), value(7))]), lambda: opcua.write([(of(1000), value(7)), (of(1007), value(7))]),
             lambda: opcua.call([(OBJECTS, of(7001), [])]), lambda: opcua.call([(OBJECTS, of(7000), []), (OBJECTS, of(7001), [])]),
             lambda: opcua.delete_nodes([of(1000 + rng.randrange(10))]), lambda: add(2000),
             lambda: opcua.write([(of(1000), data_value(bytes([21, 2]) + string("other")))], attribute=4),
             lambda: opcua.write([(of(1001), data_value(variant(7, 0)))], attribute=6),
             lambda: opcua.write([(of(1001), data_value(variant(3, 1)))], attribute=17)]
    if policy == "values":
        kinds += [lambda: opcua.write([(of(1000 + rng.randrange(5)), value(rng.choice([101, -1, 1 << 24])))]),
                  lambda: opcua.write([(of(1000), value(7)), (of(1001), value(101))]),
                  lambda: opcua.write([(of(1000), bytes([0x80 | 6]) + struct.pack("<ii", 1, 7))])]
    if policy == "structures":  # this policy allows writing any value
        kinds = kinds[2:] + [lambda: behind_a_structure(rng)] * 4
    return rng.choice(kinds)()


def hiding(rng, inner):
    """The body of an allowed request that holds a message in one of its texts."""
    def read(index, encoding):
        return request(631, struct.pack("<dI", 0, 2) + opcua.array([of(1000) + struct.pack("<I", 13) + string(index) + opcua.qualified(0, encoding)]))
    return rng.choice([lambda: read(inner, None), lambda: read(None, inner),
                       lambda: request(428, string(inner) + opcua.array([]) + opcua.array([])),
                       lambda: request(428, string("opc.tcp://a") + opcua.array([string(inner)]) + opcua.array([]))])()


class Client(opcua.Ends):
    def __init__(self, rng):
        super().__init__(0xEEEEEEEE, 0xDDDDDDDD)
        self.rng = rng

    def chunks(self, body, odd):
        """The messages of a request. Some are put together in a way that the specification
        forbids."""
        rng = self.rng
        b = self.ask(body, rng.choice([1, 1, 1, 2, 3]))
        if not odd or rng.random() < 0.7:
            return [b]
        parts = []
        while b:
            n = struct.unpack_from("<I", b, 4)[0]
            parts.append(b[:n])
            b = b[n:]
        k = rng.randrange(len(parts))
        p = parts[k]
        how = rng.choice(["twice", "gone", "abort", "request", "sequence", "letter", "channel", "length", "order", "between"])
        if how == "twice":
            parts.insert(k, p)
        elif how == "gone":
            del parts[k]
        elif how == "abort":
            parts.insert(k, p[:3] + b"A" + p[4:])
        elif how == "request":
            parts[k] = p[:20] + struct.pack("<I", rng.choice([0, 1, self.request - 1, self.request + 1])) + p[24:]
        elif how == "sequence":
            parts[k] = p[:16] + struct.pack("<I", rng.choice([0, self.sent["c"] - 1, self.sent["c"] + 1, 1 << 31])) + p[20:]
        elif how == "letter":
            parts[k] = rng.choice([b"CLO", b"OPN", b"HEL", b"RHE", b"ERR"]) + p[3:] if rng.random() < 0.5 else p[:3] + rng.choice([b"C", b"F", b"A", b"X"]) + p[4:]
        elif how == "channel":
            parts[k] = p[:8] + rng.choice([bytes(4) + p[12:], p[8:12] + bytes(4) + p[16:]])
        elif how == "length":
            parts[k] = p[:4] + struct.pack("<I", max(0, len(p) + rng.choice([-24, -8, -4, -1, 1, 4, 8, 24, 65536]))) + p[8:]
        elif how == "order":
            rng.shuffle(parts)
        else:
            parts.insert(k, self.ask(with_token(opcua.read([of(1001)]))))
        return parts


def session(rng, _, policy):
    harmless = rng.random() < 0.1
    client = Client(rng)
    out = [("tcp", opcua.hello(), []), ("tcp", client.open(), []), ("tcp", client.ask(opcua.create_session()), []),
           ("tcp", client.ask(with_token(opcua.activate())), [])]
    first = len(out)
    for _ in range(rng.randrange(1, 6)):
        what, inside = rng.random() * (0.4 if harmless else 1), None
        if what < 0.4:
            body = with_token(good(rng, policy))
        elif what < 0.65:
            before = dict(client.sent), client.request
            inside = client.ask(with_token(evil(rng, policy)))
            if rng.random() < 0.5:
                client.sent, client.request = before
            body = with_token(hiding(rng, inside))
        elif what < 0.95:
            body = with_token(evil(rng, policy))
        else:
            out.append(("tcp", rng.choice([lambda: client.open(True), client.close, opcua.hello, lambda: client.ask(opcua.create_session()),
                                           lambda: client.ask(with_token(opcua.activate()))])(), []))
            continue
        if not harmless and rng.random() < 0.3:
            body = told.spoiled(rng, body, FREELY, rng.choice([40, len(body)]))
        for b in client.chunks(body, not harmless):
            if not harmless and rng.random() < 0.1:
                b = told.spoiled(rng, b, FREELY)
            at = b.find(inside) if inside else -1
            out.append(("tcp", b, [] if harmless else told.cut(rng, b, [at, at + len(inside)] if at > 0 else [])))
    return out if harmless else out[:first] + told.joined(rng, out[first:])


ROW = told.Row("opcua_receivers", "SEKISHO_OPEN62541", "where a library of open62541 is", 4840, POLICIES, session, forbidden,
               command=lambda path: [os.path.abspath(path)], instances=8)


def cases(t):
    return told.cases(t, ROW, HERE)

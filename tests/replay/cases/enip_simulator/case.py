# SPDX-License-Identifier: Apache-2.0
import os
import random
import struct
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import enip  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER, PORT = "10.30.1.10", 44818
VARIABLE, WHAT = "SEKISHO_AB_SERVER", "the program of libplctag's simulator (ab_server)"
SESSIONS = int(os.environ.get("SEKISHO_SESSIONS", 400))
INSTANCES = 4
HANDLE, CONNECTION = 0xEEEEEEEE, 0xCCCCCCCC  # values that the simulator chooses, see victim.py

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "enip"; ports = ["tcp/44818"];
  allow = ( { functions = ["read_tag", "read_tag_fragmented"]; tags = ["Crane"]; } %s ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""
WRITES = ', { functions = ["write_tag", "write_tag_fragmented"]; tags = ["Crane"]; %s }'
POLICIES = {"reads": "", "place": WRITES % "", "values": WRITES % 'values = ["0-1"];'}


def value(n):
    return struct.pack("<I", n)


def write(name, data, count=None, kind=0xC4, at=None, path=b""):
    """Writes values to a tag, from byte `at` on unless it is None."""
    head = struct.pack("<HH", kind, len(data) // 4 if count is None else count) + (b"" if at is None else struct.pack("<I", at))
    return enip.service(0x4D if at is None else 0x53, enip.tag(name) + path, head + data)


def read(name, count=1, at=None, path=b""):
    return enip.service(0x4C if at is None else 0x52, enip.tag(name) + path, struct.pack("<H", count) + (b"" if at is None else struct.pack("<I", at)))


def alone(cip):
    """A request alone. The simulator answers all of them with context 0."""
    return enip.request(HANDLE, cip, 0)


def forbidden(policy, heard):
    """What a session did although the policy does not allow it."""
    if heard["said"]:
        return "Vault was read"
    changed = [name for name in heard["did"] or [] if name != "Crane" or policy == "reads"]
    if changed:
        return "changed: " + ", ".join(changed)
    if policy == "values" and heard["did"]:
        held = bytes.fromhex(heard["after"]["Crane"])
        if any(held[k:k + 4] not in (value(0), value(1)) for k in range(0, len(held), 4)):
            return "other values"
    return ""


# ---- sessions: turns of ("tcp", bytes, cuts) -----------------------------------------------------

def evil(rng, policy):
    """A forbidden request."""
    kinds = [lambda: write("Gate", value(7)), lambda: write("Gate", value(7) * 9), lambda: write("Gate", value(7), at=4), lambda: read("Vault", 3),
             lambda: read("Vault", 9, at=0), lambda: write("Gate", value(7), path=b"\x28\1")]
    if policy == "reads":
        kinds += [lambda: write("Crane", value(7)), lambda: write("Crane", value(7), at=8)]
    if policy == "values":
        kinds += [lambda: write("Crane", value(rng.choice([2, 256, 1 << 31]))), lambda: write("Crane", value(1), at=rng.choice([1, 2, 3, 5])),
                  lambda: write("Crane", value(1) + value(2)), lambda: write("Crane", value(0) + b"\2", count=1),
                  lambda: write("Crane", b"\1\0\0\0\0\0\1", count=1, at=8)]
    return rng.choice(kinds)()


def disguised(rng, cip):
    """A request with another path, or with false counts."""
    service, path, data = cip[:1], cip[2:2 + 2 * cip[1]], cip[2 + 2 * cip[1]:]
    crane = enip.tag("Crane")
    path = rng.choice([crane + path, path + crane, path + b"\x28\0", path + b"\x29\0\0\0", path + b"\x28\0\x28\0", path + b"\0\0", b"\1\0" + path,
                       crane[:2] + path[2:], path[:1] + crane[1:2] + path[2:], path[:1] + bytes([path[1] + 1]) + path[2:] + b"\0\0",
                       path[:1] + bytes([path[1] + 2]) + path[2:] + b"XX", b"\x34\4" + bytes(8) + path, path.upper(), path])
    words = rng.choice([len(path) // 2] * 4 + [len(path) // 2 + 1, len(path) // 2 + 3, 3, 4])
    if rng.random() < 0.3:
        data = rng.choice([data + b"\0", data + value(7), data[:2] + b"\1\0" + data[4:], data[:-1], data[:2] + b"\0\0" + data[4:]])
    return service + bytes([words]) + path + data


def carried(rng, cip):
    """A request alone or over a connection, with correct items or slightly wrong ones."""
    if rng.random() < 0.25:
        return enip.unit(HANDLE, CONNECTION, rng.randrange(1, 9), cip)
    if rng.random() < 0.8:
        return alone(cip)
    items = rng.choice([struct.pack("<HHHHH", 3, 0, 0, 0xB2, len(cip)) + cip + b"\0\0",
                        struct.pack("<HHHHH", 2, 0, 0, 0xB2, len(cip) + rng.choice([-2, -1, 1, 2])) + cip,
                        struct.pack("<HHHIHH", 2, 0, 4, 0, 0xB2, len(cip)) + cip,
                        struct.pack("<HHHHH", 2, 0, 0, 0xB2, len(cip)) + cip + write("Gate", value(7))])
    return enip.message(0x6F, struct.pack("<IH", 0, 0) + items, HANDLE)


def hiding(rng, inner, size, policy):
    """An allowed write, or a read with extra bytes if there is none, whose values contain a
    message; and the offsets of that message."""
    size = max((size + 3) // 4 * 4, (len(inner) + 7) // 4 * 4)
    first = rng.choice([size - len(inner), rng.randrange(0, size - len(inner) + 1)])
    data = bytearray(size)
    data[first:first + len(inner)] = inner
    if policy == "reads":
        b, at = enip.message(0, bytes(data)), 24
    else:
        b = alone(write("Crane", bytes(data)))
        at = len(b) - size
    return b, [at + first, at + first + len(inner), at + first, at + first + 24]


def spoiled(rng, b):
    b = bytearray(b)
    for _ in range(rng.randrange(1, 4)):
        k = rng.choice([rng.randrange(len(b)), rng.choice([0, 2, 3, 20, 30, 31, 32, 36, 38, 39, 40, 41, 42, 43, 44, 48, 49, 50, 51, 52, 53, 54, 55])]) % len(b)
        how = rng.random()
        if how < 0.7:
            b[k] = rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 0x28, 0x29, 0x4C, 0x4D, 0x52, 0x53, 0x6F, 0x70, 0x91, 0xA1, 0xB1, 0xB2, 0xC4, 0xFF,
                               b[k] ^ 1 << rng.randrange(8), (b[k] + rng.choice([-8, -4, -2, -1, 1, 2, 4, 8])) % 256])
        elif how < 0.85:
            b[k:k] = bytes(rng.choice([0, 1, 4, 0x91]) for _ in range(rng.randrange(1, 4)))
        else:
            del b[k:k + rng.randrange(1, 4)]
        b = b or bytearray(b"\x6f")
    return bytes(b)


def request(rng, policy, harmless):
    """The bytes of a request, and offsets where a cut would be dangerous."""
    what = rng.random() * (0.4 if harmless else 1)
    carrier = alone if harmless else lambda cip: carried(rng, cip)
    if what < 0.25:
        return carrier(read("Crane", rng.randrange(2, 9), rng.choice([None, 0, 4]))), []
    if what < 0.4:
        values = [value(rng.choice([0, 1] if policy == "values" else [0, 1, 7, 1 << 31])) for _ in range(rng.randrange(1, 9))]
        return carrier(write("Crane", b"".join(values), at=rng.choice([None, None, 0, 4, 8, 1, 2]), path=rng.choice([b"", b"", b"\x28\3"]))), []
    if what < 0.6:
        size = rng.choice([rng.randrange(60, 400), rng.randrange(400, 520), rng.randrange(500, 1100)])
        return hiding(rng, carried(rng, evil(rng, policy)), size, policy)
    if what < 0.78:
        return carried(rng, evil(rng, policy)), []
    if what < 0.93:
        return carried(rng, disguised(rng, evil(rng, policy))), []
    return alone(rng.choice([enip.forward_open(8, 0x208), enip.sent_on(evil(rng, policy)),
                                            enip.service(0x0A, enip.ROUTER, enip.several([read("Crane"), evil(rng, policy)])),
                                            enip.service(0x4B, b"\x20\x67\x24\1", b"\7\x3d\xf3EPCC!\x0f\0\1\0\xaa\2\7\x89\0\0\7\0")])), []


def session(rng, policy):
    out = [("tcp", enip.register(), [])]
    if rng.random() < 0.4:
        out.append(("tcp", alone(enip.forward_open(7, 0x207)), []))
    harmless = rng.random() < 0.1
    for _ in range(rng.randrange(1, 6)):
        b, places = request(rng, policy, harmless)
        if harmless:
            out.append(("tcp", b, []))
            continue
        cuts = {k for k in places if rng.random() < 0.5} | {rng.randrange(1, len(b)) for _ in range(rng.choice([0, 0, 0, 0, 1]))}
        b = spoiled(rng, b) if rng.random() < 0.3 else b
        out.append(("tcp", b, sorted(k for k in cuts if 0 < k < len(b))))
    return out


def at_every_place():
    """A write of Gate inside a write of Crane, split where it begins and ends, and at one more
    offset."""
    inner = alone(write("Gate", value(7)))
    for size in (96, 500, 1000):
        for first in (8, size - len(inner)):
            data = bytearray(size)
            data[first:first + len(inner)] = inner
            b = alone(write("Crane", bytes(data)))
            a = len(b) - size + first
            z = a + len(inner)
            yield from ([("tcp", enip.register(), []), ("tcp", b, sorted({a, z, k} - {0, len(b)}))] for k in range(0, a, 5))


# ---- against the simulator -----------------------------------------------------------------------

def compared(t, servers, name, policy, sessions):
    return told.compared(t, servers, name, POLICY % POLICIES[policy], sessions, lambda x: forbidden(policy, x), SERVER, PORT)


def one(t, servers):
    try:
        seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
        t.note("SEKISHO_SEED=%d" % seed)
        for policy in POLICIES:
            rng = random.Random("%d %s" % (seed, policy))
            attacks, whole, _ = compared(t, servers, policy, policy, [session(rng, policy) for _ in range(SESSIONS)])
            t.true(policy + ": some are attacks", attacks > SESSIONS // 20)
            t.true(policy + ": some pass whole", whole > 0)
        compared(t, servers, "cuts", "place", list(at_every_place()))
    finally:
        for s in servers:
            s.end()


def without_a_simulator(t):
    """A write inside a write is refused if it is split, and passes as a value if it is not."""
    sessions = list(at_every_place())
    for name, cut in (("cuts without a simulator", True), ("the same in one piece", False)):
        heard = [told.unanswered(first, enip.message(0x65, b"\1\0\0\0", HANDLE), b, cuts if cut else [])
                 for (_, first, _), (_, b, cuts) in sessions]
        keep = told.passed(t, name, POLICY % POLICIES["place"], heard, SERVER, PORT)
        t.equal(name + ": pass whole", sum(map(all, keep)), 0 if cut else len(sessions))
        t.true(name + ": their beginnings pass", all(k[0] for k in keep))


def cases(t):
    yield "enip_simulator: writes inside of writes", without_a_simulator, (t,)
    program = os.environ.get(VARIABLE)
    if not program:
        t.skip("enip_simulator", "%s does not name %s" % (VARIABLE, WHAT))
        return
    servers = told.put_up(t, "enip_simulator", HERE, INSTANCES, os.path.abspath(program))
    if servers:
        yield "enip_simulator", one, (t, servers)

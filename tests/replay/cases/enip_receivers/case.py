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
CLIENT, SERVER = "10.20.0.10", "10.30.1.10"
VARIABLE, WHAT = "SEKISHO_OPENER", "the program of OpENer's sample application"
SESSIONS = int(os.environ.get("SEKISHO_SESSIONS", 400))
INSTANCES = 6
# values that the device chooses, see victim.py
HANDLE, CONNECTION, OWNERS = 0xEEEEEEEE, 0xCCCCCCCC, 0xDDDDDDDD

POLICY = """language_version = 1;
zones = { tos = { interfaces = ["lan1"]; networks = ["10.20.0.0/24"]; }; crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; }; };
services = { plc = { protocol = "enip"; ports = ["tcp/44818", "udp/2222"];
  allow = ( { functions = ["get_attribute_single"]; objects = ["4.100.3", "4.154.3"]; },
            { functions = ["open_input_connection"]; objects = ["4.100", "4.151-153"]; } %s ); }; };
conduits = ( { name = "c"; from = "tos"; to = "crane"; services = ["plc"]; purpose = "p"; owner = "o"; review_by = "2099-03-31"; } );
"""
POLICIES = {"reads": "", "place": ', { functions = ["set_attribute_single"]; objects = ["4.154.3"]; }'}


def at(instance, attribute=3, kind=4):
    return bytes([0x20, kind, 0x24, instance, 0x30, attribute])


def read(instance=100):
    return enip.service(0x0E, at(instance))


def write(data, instance=154):
    return enip.service(0x10, at(instance), data)


def forbidden(heard):
    if heard["did"]:
        return "changed: " + ", ".join(sorted(heard["did"]))
    return "was read" if heard["said"] else ""


# ---- sessions: turns of (kind, bytes, cuts) ------------------------------------------------------

def evil(rng):
    """A forbidden request."""
    return rng.choice([lambda: write(b"\7" * 32, 150), lambda: write(b"\7" * 32, 150), lambda: write(b"\7" * 10, 151),
                       lambda: read(151), lambda: enip.service(0x10, at(1, 13, 0xF5), b"\7\0"), lambda: enip.forward_open_io(9, 0x209, 38, 34)])()


def disguised(rng, cip):
    """A request with another path: some devices use its last class, or its first instance."""
    service, path, data = cip[:1], cip[2:2 + 2 * cip[1]], cip[2 + 2 * cip[1]:]
    harmless = at(100)
    path = rng.choice([harmless[:4] + path, path + harmless, harmless + path, path[:2] + harmless[2:4] + path[2:], path + path,
                       harmless[:2] + path[2:4] + path[:2] + path[4:], path[:2] + b"\x25\0" + path[3:4] + b"\0" + path[4:],
                       b"\x21\0" + path[1:2] + b"\0" + path[2:], b"\1\0" + path, path + b"\0\0", b"\x34\4" + bytes(8) + path])
    return service + bytes([rng.choice([len(path) // 2] * 4 + [len(path) // 2 + 1, 3])]) + path + data


def carried(rng, cip, context=1):
    """A request alone or over a connection, with correct items or slightly wrong ones."""
    if rng.random() < 0.25:
        return enip.unit(HANDLE, CONNECTION, rng.randrange(1, 9), cip)
    if rng.random() < 0.75:
        return enip.request(HANDLE, cip, context)
    items = rng.choice([struct.pack("<HHHHH", 3, 0, 0, 0xB2, len(cip)) + cip + b"\0\0",
                        struct.pack("<HHHHH", 2, 0, 0, 0xB2, len(cip) + rng.choice([-2, -1, 1, 2])) + cip,
                        struct.pack("<HHHIHH", 2, 0, 4, 0, 0xB2, len(cip)) + cip,
                        struct.pack("<HHHIIHH", 2, 0, 8, 0, 0, 0xB2, len(cip)) + cip,
                        struct.pack("<HHHHH", 4, 0, 0, 0xB2, len(cip)) + cip + struct.pack("<HHHHI8x", 0x8000, 16, 2, 0, 0) * 2,
                        struct.pack("<HHHHH", 2, 0, 0, 0xB2, len(cip)) + cip + write(b"\7" * 32, 150)])
    return enip.message(0x6F, struct.pack("<IH", 0, 0) + items, HANDLE, context)


def hiding(rng, inner, size):
    """An allowed write whose value contains a message, and the offset of that message. A receiver
    that loses its position may reach it by wrong lengths."""
    head = len(enip.request(HANDLE, write(b"")))
    size = max(size, head + len(inner) + 8)
    first = rng.randrange(head, size - len(inner) + 1)
    b = bytearray(enip.request(HANDLE, write(bytes(size - head))))
    b[first:first + len(inner)] = inner
    lead = rng.randrange(head, first) if first > head else first
    if first - lead >= 24:
        b[lead:lead + 4] = struct.pack("<HH", rng.choice([0, 1, 4]), first - lead - 24)
    # or a receiver takes the request's fifth byte (the session) for the beginning of a message: it
    # is a command without data then
    if rng.random() < 0.3 and first >= 54:
        b[28:32] = struct.pack("<HH", 1, 2)
        if first - 54 >= 24:
            b[54:58] = struct.pack("<HH", 1, first - 54 - 24)
    return bytes(b), [first, lead, 4, 28, 54]


def spoiled(rng, b):
    b = bytearray(b)
    for _ in range(rng.randrange(1, 4)):
        k = rng.choice([rng.randrange(len(b)), rng.choice([0, 1, 2, 3, 20, 28, 30, 31, 32, 34, 36, 38, 40, 41, 42, 43, 44, 45, 46, 47])]) % len(b)
        how = rng.random()
        if how < 0.7:
            b[k] = rng.choice([0, 1, 2, 3, 4, 6, 8, 0x0E, 0x10, 0x20, 0x24, 0x25, 0x28, 0x30, 0x64, 0x6F, 0x70, 0x96, 0x9A, 0xA1, 0xB1, 0xB2, 0xFF,
                               b[k] ^ 1 << rng.randrange(8), (b[k] + rng.choice([-8, -4, -2, -1, 1, 2, 4, 8])) % 256])
        elif how < 0.85:
            b[k:k] = bytes(rng.choice([0, 1, 4, 0x96]) for _ in range(rng.randrange(1, 4)))
        else:
            del b[k:k + rng.randrange(1, 4)]
        b = b or bytearray(b"\x6f")
    return bytes(b)


def request(rng):
    """The bytes of a request, and offsets where a cut would be dangerous."""
    what = rng.random()
    if what < 0.05:
        n = rng.randrange(700)
        return nothing(bytes(n) + enip.request(HANDLE, evil(rng))), [24 + n]
    if what < 0.3:
        return carried(rng, read(rng.choice([100, 154]))), []
    if what < 0.42:
        return enip.request(HANDLE, write(bytes(32))), []
    if what < 0.57:
        size = rng.choice([rng.randrange(100, 400), rng.randrange(505, 520), rng.randrange(500, 720), rng.randrange(1000, 1300)])
        b, places = hiding(rng, carried(rng, evil(rng)), size)
        if rng.random() < 0.3:  # another request after it in the same segments
            more, again = hiding(rng, enip.request(HANDLE, evil(rng)), rng.randrange(100, 400))
            places, b = places + [len(b) + k for k in again], b + more
        return b, places
    if what < 0.74:
        return carried(rng, evil(rng)), []
    if what < 0.9:
        return carried(rng, disguised(rng, evil(rng))), []
    return enip.request(HANDLE, rng.choice([enip.forward_open(7, 0x207, b""), enip.forward_open_io(8, 0x208, 2, 34, (151, 152, 100)),
                                            enip.service(0x0A, enip.ROUTER, enip.several([read(), evil(rng)])),
                                            enip.sent_on(evil(rng)), enip.sent_on(evil(rng), b"")])), []


def session(rng):
    out = [("tcp", enip.register(), [])]
    if rng.random() < 0.4:
        out.append(("tcp", enip.request(HANDLE, enip.forward_open(7, 0x207, b"")), []))
    for _ in range(rng.randrange(1, 6)):
        b, places = request(rng)
        cuts = {k for k in places if rng.random() < 0.4} | {rng.randrange(1, len(b)) for _ in range(rng.choice([0, 0, 0, 1, 2]))}
        b = spoiled(rng, b) if rng.random() < 0.3 else b
        out.append(("tcp", b, sorted(k for k in cuts if 0 < k < len(b))))
    return out


def value(data):
    return enip.request(HANDLE, write(data))


def nothing(data):
    return enip.message(0, data)


def at_every_byte(carrier):
    """Hides a write of the owner's outputs in an allowed message. The message is split where the
    hidden one begins and at one more offset, and where a receiver may have room for 512 bytes
    only."""
    inner, head = enip.request(HANDLE, write(b"\7" * 32, 150)), len(carrier(b""))

    def sent(b, *cuts):
        return [("tcp", enip.register(), []), ("tcp", bytes(b), sorted(k for k in set(cuts) if k < len(b)))]
    for size in (200, 508, 512, 513, 514, 515, 516, 600, 700):
        for first in (size - len(inner), 80):
            b = bytearray(carrier(bytes(size - head)))
            b[first:first + len(inner)] = inner
            yield from (sent(b, second, first) for second in range(1, first, 9))
            yield sent(b, first)
            yield sent(b, first, first + len(inner))
    for size in (512, 513, 514, 515, 516, 700):  # complete, with another message after it, split
        b = carrier(bytes(size - head)) + carrier(bytes(40) + inner)
        first = len(b) - len(inner)
        yield from (sent(b, first, second) for second in (first, size // 2, size, size + 4, 600))
    # The message is split after four bytes. A receiver that begins anew there takes the session for
    # a command without data, and the lengths after it lead to the hidden message.
    b = bytearray(carrier(bytes((54 if head > 28 else 28) - head) + inner))
    if head > 28:
        b[28] = 1
    yield sent(b, 4)
    # The message is split in the middle. There a length leads to a message inside the next one,
    # which arrives completely.
    b = bytearray(carrier(bytes(600 - head)))
    b[576:584] = struct.pack("<HHI", 1, head, 0)
    yield sent(b + carrier(inner), 576)


CUTS = {"cuts of writes": ("place", value), "cuts of NOPs": ("reads", nothing)}


def io_session(rng):
    """Datagrams of I/O, also to the address that an owner gave for its outputs."""
    out = [("tcp", enip.register(), []), ("tcp", enip.request(HANDLE, enip.forward_open_io(8, 0x208, rng.choice([2, 2, 2, 2, 38]), 34,
                                                                                          (151, rng.choice([152, 152, 153, 153, 150]), 100))), [])]
    for k in range(rng.randrange(2, 9)):
        number = rng.choice([CONNECTION, OWNERS])
        data = struct.pack("<H", k + 1) + rng.choice([b"", b"", b"", b"", b"\1\0\0\0" + b"\7" * 32, b"\7" * 32, b"\7" * rng.randrange(1, 60)])
        b = enip.io(number, data, k + 1)
        if rng.random() < 0.15:
            b = struct.pack("<HHHI", 2, 0xA1, 4, number) + struct.pack("<HH", 0xB1, len(data)) + data
        if rng.random() < 0.15:
            b = struct.pack("<H", 3) + b[2:] + rng.choice([b"", b"\0\0", b"\0\x80\x10\0" + bytes(16)])
        out.append(("udp", spoiled(rng, b) if rng.random() < 0.2 else b, []))
    return out


# ---- devices -------------------------------------------------------------------------------------

def passed(t, name, policy, heard):
    return told.passed(t, name, POLICY % POLICIES[policy], heard, SERVER, 44818, 2222)


def compared(t, devices, name, policy, sessions, owner=False):
    return told.compared(t, devices, name, POLICY % POLICIES[policy], sessions, forbidden, SERVER, 44818, 2222, owner=owner)


def one(t, devices):
    try:
        seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
        t.note("SEKISHO_SEED=%d" % seed)
        for policy in POLICIES:
            rng = random.Random("%d %s" % (seed, policy))
            attacks, whole, _ = compared(t, devices, policy, policy, [session(rng) for _ in range(SESSIONS)])
            t.true(policy + ": some are attacks", attacks > SESSIONS // 20)
            t.true(policy + ": some pass whole", whole > 0)
        for name, (policy, carrier) in CUTS.items():
            compared(t, devices, name, policy, list(at_every_byte(carrier)))
        rng = random.Random("%d io" % seed)
        n = max(20, SESSIONS // 4)
        attacks, _, datagrams = compared(t, devices, "io", "reads", [io_session(rng) for _ in range(n)], True)
        t.true("io: some are attacks", attacks > n // 20)
        t.true("io: some datagrams pass", datagrams > n // 20)
    finally:
        for d in devices:
            d.end()


def without_a_device(t):
    """Messages that could hide in pieces are refused when they are split, and pass when they are
    not."""
    for name, (policy, carrier) in CUTS.items():
        sessions = list(at_every_byte(carrier))
        for label, cut in ((name, True), (name + " that are none", False)):
            heard = [told.unanswered(first, enip.message(0x65, b"\1\0\0\0", HANDLE), b, cuts if cut else [])
                     for (_, first, _), (_, b, cuts) in sessions]
            keep = passed(t, label, policy, heard)
            t.equal(label + ": pass whole", sum(map(all, keep)), 0 if cut else len(sessions))
            t.true(label + ": their beginnings pass", all(k[0] for k in keep))


def cases(t):
    yield "enip_receivers: requests in pieces of others", without_a_device, (t,)
    program = os.environ.get(VARIABLE)
    if not program:
        t.skip("enip_receivers", "%s does not name %s" % (VARIABLE, WHAT))
        return
    devices = told.put_up(t, "enip_receivers", HERE, INSTANCES, os.path.abspath(program))
    if devices:
        yield "enip_receivers", one, (t, devices)

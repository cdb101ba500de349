# SPDX-License-Identifier: Apache-2.0
import os
import struct
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import iec104  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
READS = '{ commands = ["read", "diagnose"]; ca = [1]; }'
POLICIES = {
    "reads": told.policy("iec104", ["tcp/2404"], [READS]),
    "values": told.policy("iec104", ["tcp/2404"], [READS, '{ functions = ["C_SC_NA_1"]; ca = [1]; ioa = ["4001-4016"]; }',
                                                   '{ functions = ["C_SE_NB_1"]; ca = [1]; ioa = ["6001-6004"]; values = ["0-1000"]; }'])}


def forbidden(_, policy, heard):
    def allowed(kind, cause, ca, ioa, value, qualifier):
        if ca != 1:
            return False
        if kind == 101:
            return qualifier >> 6 == 0
        return kind in (100, 102, 104, 107) or policy == "values" and (kind == 45 and 4001 <= ioa <= 4016 or
                                                                       kind == 49 and 6001 <= ioa <= 6004 and 0 <= value <= 1000)
    return [x for x in heard["did"] or [] if x[3] is not None and not allowed(*x)][:3]


def good(rng, policy):
    if policy == "values" and rng.random() < 0.6:
        how = {"select": rng.random() < 0.3, "cause": rng.choice([iec104.ACT] * 5 + [iec104.DEACT])}
        return rng.choice([lambda: iec104.single(4001 + rng.randrange(16), rng.randrange(2), **how),
                           lambda: iec104.scaled(6001 + rng.randrange(4), rng.randrange(1001), **how)])()
    return rng.choice([iec104.interrogate, iec104.counters, lambda: iec104.read(rng.randrange(1, 9000)),
                       lambda: iec104.command(107, 0, b"\x55\xaa" + bytes([0, 0, 30, 12, 1, 6, 26]))])()


def evil(rng, policy):
    """What is forbidden, alone or beside what is allowed."""
    ioa = lambda n: struct.pack("<I", n)[:3]
    kinds = [lambda: iec104.single(rng.choice([4000, 4017, 1, 0, 0x040FA1]), rng.randrange(2), select=rng.random() < 0.2),
             lambda: iec104.double(4001, rng.choice([1, 2])), lambda: iec104.scaled(6005, 7), lambda: iec104.short_float(6001, 7.0),
             iec104.clock, iec104.reset, lambda: iec104.counters(0x45), lambda: iec104.command(47, 4001, b"\1"),
             lambda: iec104.command(rng.choice([48, 51, 110, 111, 112]), 6001, bytes(5)[:iec104.SIZES[51]]),
             lambda: iec104.command(58, 4001, b"\1" + bytes([0, 0, 30, 12, 1, 6, 26])), lambda: iec104.command(106, 0, b"\1\0"),
             lambda: iec104.single(4001, 1, ca=rng.choice([2, 257, 65535])), lambda: iec104.interrogate(ca=rng.choice([2, 65535])),
             # more objects than one: each with its address, or one behind the other
             lambda: iec104.asdu(45, iec104.ACT, ioa(4001) + b"\1" + ioa(5000) + b"\1", n=2),
             lambda: iec104.asdu(45, iec104.ACT, ioa(4016) + b"\1\1\1", n=0x83),
             lambda: iec104.asdu(102, iec104.REQ, ioa(1), n=1) + ioa(2)]
    if policy == "values":
        kinds += [lambda: iec104.scaled(6001, rng.choice([1001, -1, 32767])), lambda: iec104.scaled(6001 + rng.randrange(4), 1001 + rng.randrange(9))]
    return rng.choice(kinds)()


def apdu(rng, ends, asdu):
    b = ends.ask(asdu)
    return b[:2] + struct.pack("<HH", *(rng.choice([0, 2, 4, 0xFFFE, rng.randrange(65536) & 0xFFFE]) for _ in range(2))) + b[6:] if rng.random() < 0.03 else b


def hiding(rng, ends, inner):
    """A frame with an APDU in it, and where that begins."""
    head = rng.choice([b"\x68\4\1\0\0\0", iec104.u(iec104.TESTFR_ACT), ends.ask(iec104.read(7)), ends.ask(iec104.command(51, 6001, b"\x68\x0e\0\0")),
                       ends.ask(iec104.scaled(6001, 0x0E68)), ends.ask(iec104.command(125, 0, b"\1\0\1" + bytes([len(inner)]))), b"\x68\2\0\0", b"\x68\x68"])
    if rng.random() < 0.8:
        head = head[:1] + bytes([min(253, len(head) - 2 + rng.choice([len(inner), len(inner), 0, 2, len(inner) // 2]))]) + head[2:]
    return head + inner, [len(head), len(head) + len(inner)]


def session(rng, _, policy):
    ends, out, harmless = iec104.Ends(), [], rng.random() < 0.1
    if harmless or rng.random() < 0.95:
        out.append(("tcp", iec104.u(iec104.STARTDT_ACT), []))
    for _ in range(rng.randrange(1, 7)):
        what, places = rng.random() * (0.45 if harmless else 1), []
        if what < 0.45:
            b = ends.ask(good(rng, policy)) if harmless else apdu(rng, ends, good(rng, policy))
        elif what < 0.7:
            b, places = hiding(rng, ends, apdu(rng, ends, evil(rng, policy)))
        elif what < 0.95:
            b = apdu(rng, ends, evil(rng, policy))
        else:
            said = rng.choice([iec104.STOPDT_ACT, iec104.STARTDT_ACT, iec104.TESTFR_ACT, iec104.TESTFR_CON, 0x0B, 3, 0xFF])
            b = rng.choice([iec104.u(said), iec104.s(0), iec104.s(1)])
        if not harmless and rng.random() < 0.35:
            b = told.spoiled(rng, b, (0, 1, 3, 4, 6, 7, 8, 0x0E, 45, 46, 49, 0x68, 100, 0x80, 0xFF), 16)
        out.append(("tcp", b, [] if harmless else told.cut(rng, b, places)))
    return out if harmless else told.joined(rng, out)


ROWS = (
    told.Row("iec104_receivers", "SEKISHO_LIB60870", "where a library of lib60870 is", 2404, POLICIES, session, forbidden, instances=8,
             command=lambda path: [sys.executable, os.path.join(HERE, "station.py"), os.path.abspath(path), "{port}"]),
    told.Row("iec104_receivers, another", "SEKISHO_IEC104_STATION", "how to run a station ({port} in it: where it is to listen)", 2404, POLICIES, session,
             forbidden, instances=8))


def cases(t):
    for row in ROWS:
        yield from told.cases(t, row, HERE)

# SPDX-License-Identifier: Apache-2.0
import os
import shlex
import struct
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import fins  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WATCH = ['{ commands = ["read"]; d = ["0-999"]; }', '{ commands = ["diagnose"]; }']
SETS = '{ functions = ["memory_area_write", "memory_area_fill"]; d = ["400-409"]; values = ["0-7"]; }'
POLICIES = {name: told.policy("fins", ["tcp/9600", "udp/9600"], rows) for name, rows in {"reads": WATCH, "values": WATCH + [SETS]}.items()}


def forbidden(_, policy, heard):
    """In this server D400 is bytes 400 and 401, D401 bytes 401 and 402, but ten words from D400 on
    are twenty bytes."""
    return [x for x in heard["did"] or [] if policy == "reads" or x[0] != fins.AREAS["d"][1] or not 400 <= x[1] < 420 or x[2] > 7][:3]


def good(rng, policy, sid):
    if policy == "values" and rng.random() < 0.6:
        first = 400 + rng.randrange(10)
        return fins.write("d", first, [rng.randrange(8) for _ in range(rng.randrange(1, 411 - first))], sid)
    return rng.choice([lambda: fins.read("d", rng.randrange(900), rng.randrange(1, 60), sid), lambda: fins.request(0x0501, b"", sid),
                       lambda: fins.request(0x0701, b"", sid), lambda: fins.request(0x0801, bytes(rng.randrange(1, 60)), sid)])()


def evil(rng, policy, sid):
    kinds = [lambda: fins.write("d", rng.choice([399, 410, 1000, 0, 5000]), [7] * rng.randrange(1, 9), sid), lambda: fins.write("d", 405, [7] * rng.choice([6, 9, 40]), sid),
             lambda: fins.write("d", 400, [1], sid, bit=rng.randrange(16)), lambda: fins.write(rng.choice(["w", "h", "cio", "a"]), 400, [7], sid),
             lambda: fins.write(rng.choice(["w", "h", "cio"]), 400, [1], sid, bit=3), lambda: fins.write("d", 1, [7], sid, silent=True),
             lambda: fins.write("d", 1, [7], sid, to=(0, rng.choice([0, 255, 11]), 0))]
    if policy == "values":
        kinds += [lambda: fins.write("d", 400 + rng.randrange(10), [rng.choice([8, 255, 256, 65535])], sid), lambda: fins.write("d", 400, [1, 2, 9, 3], sid),
                  lambda: fins.write("d", 409, [1, 2], sid)]
    return rng.choice(kinds)()


def spoiled(rng, b, head):
    return told.spoiled(rng, b, (0, 1, 2, 3, 4, 5, 8, 0x40, 0x80, 0x82, 0xB0, 0xC0, 0xFF), head)


def hiding(rng, form, inner):
    """An allowed frame with one in its data, and where that begins."""
    pad = bytes(rng.choice([0, 0, 1, 2, 8, 16, rng.randrange(400)]))
    out = fins.request(0x0801, pad + inner) if rng.random() < 0.8 else fins.read("d", 0, 3) + inner
    if form == "udp":
        return out, []
    out = fins.tcp(out)
    return out, [len(out) - len(inner), len(out)]


def session(rng, form, policy):
    harmless, kind = rng.random() < 0.1, form
    out = [("tcp", fins.node(25), [])] if form == "tcp" and (harmless or rng.random() < 0.95) else []
    for sid in range(1, rng.randrange(2, 8)):
        what, places = rng.random() * (0.4 if harmless else 1), []
        if what < 0.4:
            b = good(rng, policy, sid)
        elif what < 0.7:
            b = evil(rng, policy, sid)
        elif what < 0.95:
            inner = evil(rng, policy, sid)
            b, places = hiding(rng, form, inner if form == "udp" or rng.random() < 0.3 else fins.tcp(inner))
        else:
            b = fins.node(rng.choice([0, 25])) if rng.random() < 0.5 else fins.tcp(b"", rng.choice([1, 3, 6, 0]))
        if not harmless and what < 0.7 and rng.random() < 0.2:
            b = spoiled(rng, b, 20)
        if form == "tcp" and what < 0.7:
            b = fins.tcp(b) if harmless or rng.random() < 0.97 else fins.tcp(b, rng.choice([0, 1, 3, 4]))
        if not harmless and rng.random() < 0.15:
            b = spoiled(rng, b, 36)
        if not harmless and form == "tcp" and rng.random() < 0.08:  # its length is another
            b = b[:4] + struct.pack("!I", max(0, len(b) - 8 + rng.choice([-16, -8, -4, -1, 1, 4, 8, 16, 34]))) + b[8:]
        out.append((kind, b, [] if harmless or form == "udp" else told.cut(rng, b, places)))
    return out if harmless else told.joined(rng, out)


ROWS = {"tcp": "SEKISHO_FINS_SERVER", "udp": "SEKISHO_FINS_UDP_SERVER"}


def cases(t):
    for form, variable in ROWS.items():
        what = "how to run a PLC of FINS/%s ({port} in it: where it is to listen)" % form.upper()
        yield from told.cases(t, told.Row("fins_receivers, " + form, variable, what, 9600, POLICIES, session, forbidden, (form,),
                                          lambda command, form=form: [form, *shlex.split(command)], 9600 if form == "udp" else None, 8), HERE)

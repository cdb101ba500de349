# SPDX-License-Identifier: Apache-2.0
import os
import sys

import told
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import slmp  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = tuple(f for f in slmp.FORMS if not f.ascii)
READS = '{ functions = ["batch_read", "random_read", "block_read"]; d = ["0-999"]; }'
WRITES = '{ functions = ["batch_write", "random_write", "block_write"]; d = ["0-999"]; %s }'
POLICIES = {name: told.policy("slmp", ["tcp/5007"], [READS] + more)
            for name, more in {"reads": [], "place": [WRITES % ""], "values": [WRITES % 'values = ["0-7"];']}.items()}


def forbidden(_, policy, heard):
    """What a session left in the memory that the policy does not allow."""
    return [x for x in heard["did"] or [] if policy == "reads" or x[0] != "d" or x[1] > 999 or (policy == "values" and x[2] > 7)]


def evil(rng, f, policy):
    kinds = [lambda: f.write("d", 1000 + rng.randrange(9), [rng.randrange(1, 8)]), lambda: f.write("d", 995, [7] * rng.randrange(6, 30)),
             lambda: f.write_bits("y", rng.randrange(64), [1] * rng.randrange(1, 4)), lambda: f.write("w", rng.randrange(64), [7], wide=True),
             lambda: f.write("d", 1000, [7], wide=True), lambda: f.write("m", 0, [7]),
             lambda: f.request(0x1402, 0, f.num(1, 1) + f.num(1, 1) + f.device(False, "d", 5) + f.num(2, 1) + f.device(False, "d", 999) + f.num(4, 0x70007)),
             lambda: f.request(0x1402, 1, f.num(1, 1) + f.device(False, "y", 5) + f.num(1, 1)),
             lambda: f.request(0x1406, 0, f.num(1, 1) + f.num(1, 1) + f.device(False, "d", 5) + f.num(2, 1) + f.num(2, 1) +
                               f.device(False, "m", 16) + f.num(2, 1) + f.num(2, 7))]
    if policy == "values":
        kinds += [lambda: f.write("d", rng.randrange(999), [1, 8]), lambda: f.write("d", 7, [rng.randrange(8, 65536)], wide=True),
                  lambda: f.request(0x1402, 0, f.num(1, 0) + f.num(1, 1) + f.device(False, "d", 5) + f.num(4, 0x80000))]
    return rng.choice(kinds)()


def foreign(rng, f, evil):
    """The request in a frame of another form that libslmp2 reads: extended MT, or CC-Link IE TSN's,
    each as a request and as an answer."""
    head = 13 if f.four else 9
    subheader, data = rng.choice([0x5D, 0x9D, 0xDD, 0x68, 0xE8]), evil[head + 2:]
    route = bytes((subheader, 0, 1, 0, 0, 0, 0, 0xFF, 0xFF, 3))
    if subheader in (0x68, 0xE8):
        return route + bytes(4) + f.num(2, len(data) + 8) + bytes(2) + data[:4] + bytes(6) + data[4:]
    return route + bytes(8) + f.num(2, len(data)) + data


def hiding(rng, f, inner):
    """An allowed frame with a frame in its values; where that begins."""
    pad = bytes(rng.choice([0, 1, 2, 3, 7, 8, 10, 11, rng.randrange(40), rng.randrange(1100)]))
    body = pad + inner + bytes((len(pad) + len(inner)) % 2)
    head = f.request(0x1401, 0, f.device(False, "d", rng.choice([0, len(pad) + 2])) + f.num(2, len(body) // 2))
    at = 13 if f.four else 9
    return head[:at - 2] + f.num(2, len(head) - at + len(body)) + head[at:] + body, [len(head) + len(pad), len(head) + len(pad) + len(inner)]


def session(rng, f, policy):
    out, harmless = [], rng.random() < 0.1
    for _ in range(rng.randrange(1, 6)):
        what, cuts = rng.random() * (0.4 if harmless else 1), []
        if what < 0.2 or (what < 0.4 and policy == "reads"):
            b = f.read("d", rng.randrange(900), rng.randrange(1, 9), wide=rng.random() < 0.3)
        elif what < 0.4:
            b = f.write("d", rng.randrange(900), [rng.randrange(8) for _ in range(rng.randrange(1, 9))], wide=rng.random() < 0.3)
        elif what < 0.7:
            inner = evil(rng, f, policy)
            b, cuts = hiding(rng, f, inner if rng.random() < 0.7 else foreign(rng, f, inner))
        else:
            b = evil(rng, f, policy)
        cuts = {k for k in cuts if rng.random() < 0.6} | {rng.randrange(1, len(b)) for _ in range(rng.choice([0, 0, 0, 1]))}
        if rng.random() < 0.3 and not harmless:
            b = told.spoiled(rng, b, (0, 1, 2, 3, 4, 8, 0x14, 0x50, 0x54, 0x9D, 0xA8, 0xB4, 0xFF), 30)
        out.append(("tcp", b, [] if harmless else sorted(k for k in cuts if 0 < k < len(b))))
    return out


ROW = told.Row("slmp_server", "SEKISHO_SLMP_SERVER", "how to run a server of SLMP ({port} in it: where it is to listen)", 5007, POLICIES, session,
               forbidden, FORMS)


def cases(t):
    return told.cases(t, ROW, HERE)

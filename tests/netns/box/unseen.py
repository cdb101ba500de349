# SPDX-License-Identifier: Apache-2.0
"""Inspection is switched off and on again: a trial under which any bytes pass, and its end.
Sessions go on or end as the list said, by the keys of their conduit, and then commands are judged.
Counted where they arrive."""
import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import modbus  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, inside  # noqa: E402

OT, OPS = "10.73.0.2", "10.72.0.2"
PICK_UP = {"when_midstream": "pick_up"}
HOLD = {"when_down": "hold", "when_overloaded": "hold", "when_midstream": "pick_up"}


def policies(**keys):
    return (conduit("reads", "ops", "ot", [service], criticality="cargo", **keys) for service in ("read", "any502"))


def dial(box, port=0):
    with inside(box.ns("ops")):
        s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.settimeout(4 * SLOWNESS)
    s.bind((OPS, port))
    s.connect((OT, 502))
    return s


def reads(s):
    try:
        s.sendall(modbus.read_holding(0, 4))
        return bool(modbus.answer(s))
    except OSError:
        return False


def is_judged(s):
    """Checks that a write is refused and ends the session."""
    try:
        s.sendall(modbus.write_register(1, 1))
        return not modbus.answer(s)
    except OSError:
        return True


def back(box, good, how):
    """Checks that the list names the cut sessions, and then goes back."""
    if how == "rollback":
        said = json.loads(box.sekisho("rollback", "--json").stdout)
    else:
        path = box.write(good)
        said = json.loads(box.sekisho("apply", "--dry-run", "--json", path, check=False).stdout)
        box.sekisho("apply", path)
    expect(said["unknown"] == 0, "%s: the list knows nothing: %s", how, said)
    return said["cut"]


def off_and_on(box):
    """Under `pick_up` a session goes on and is judged; under `reset` it ends: both as the list
    said."""
    for keys, goes_on in ((PICK_UP, True), (HOLD, True), ({}, False)):
        for how in ("apply", "rollback"):
            good, wide = policies(**keys)
            box.apply(good)
            s = dial(box)
            expect(reads(s) and reads(s), "no session")
            box.sekisho("apply", *(["--confirm", "90"] if how == "rollback" else []), box.write(wide))
            expect(reads(s) and reads(s), "%s, %s: it ends where any bytes pass", keys, how)
            cut = back(box, good, how)
            expect(bool(cut) != goes_on, "%s, %s: what the list says: %s", keys, how, cut)
            n = sum(reads(s) for _ in range(4))
            expect(n == (4 if goes_on else 0), "%s, %s: %d of 4 are answered", keys, how, n)
            expect(not goes_on or is_judged(s), "%s, %s: a write passes", keys, how)
            s.close()
    return "4 of 4 sessions by pick_up, none of 2 by reset"


def one_port_dials_anew(box):
    """A client with one port, whose session was closed or refused before, opens a new one while any
    bytes pass: its session has nothing to do with the earlier one."""
    port = 40100
    for keys in (PICK_UP, HOLD):
        for cut_before in (False, True):
            port += 1
            good, wide = policies(**keys)
            box.apply(good)
            s = dial(box, port)
            expect(reads(s), "no session")
            if cut_before:
                expect(is_judged(s), "a write passes")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0" if cut_before else b"\0" * 8)
            s.close()
            box.apply(wide)
            deadline = time.monotonic() + 90 * SLOWNESS
            while True:  # until the client's port is free
                try:
                    s = dial(box, port)
                    break
                except OSError:
                    expect(time.monotonic() < deadline, "the port is never free")
            expect(reads(s), "it ends where any bytes pass")
            cut = back(box, good, "apply")
            expect(not cut, "%s: what the list says: %s", keys, cut)
            n = sum(reads(s) for _ in range(4))
            expect(n == 4, "%s, %s before: %d of 4 are answered", keys, "cut" if cut_before else "closed", n)
            expect(is_judged(s), "a write passes")
            s.close()


def nothing_to_pick_up(box):
    """A session whose protocol is only recognised cannot be picked up: it ends at once, as the list
    says."""
    for how in ("apply", "rollback"):
        name, wide = (conduit("reads", "ops", "ot", [service], criticality="cargo", **PICK_UP) for service in ("tls502", "any502"))
        box.apply(name)
        box.sekisho("apply", *(["--confirm", "90"] if how == "rollback" else []), box.write(wide))
        s = dial(box)
        expect(reads(s), "it ends where any bytes pass")
        ours = ":%d" % s.getsockname()[1]  # another case may have left a session
        cut = [x for x in back(box, name, how) if x["client"].endswith(ours)]
        expect([x["reason"] for x in cut] == ["midstream.reset"], "%s: what the list says: %s", how, cut)
        began = time.monotonic()
        expect(not reads(s), "%s: what nobody can read is answered", how)
        expect(time.monotonic() - began < SLOWNESS, "%s: it ends after %.1f s only", how, time.monotonic() - began)
        s.close()


CASES = [off_and_on, one_port_dials_anew, nothing_to_pick_up]

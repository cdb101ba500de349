# SPDX-License-Identifier: Apache-2.0
"""Killing the box's parts under live sessions, and random forbidden packets meanwhile."""
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import modbus  # noqa: E402
from net import SLOWNESS, Wire, ip4, ip6, mac_of, tcp, udp, wait_for  # noqa: E402
from terminal import ZONES  # noqa: E402

BACK = 3.0  # seconds within which a killed part must be at work again


class Session:
    """A live Modbus session (hold, pick_up) that reads on while things die; counts what it got and whether it lived."""

    def __init__(self, t):
        self.socket = modbus.connect(t.net.ns("tos"), "10.30.1.10", 502, "10.20.0.10", timeout=SLOWNESS)
        self.socket.settimeout(1.0 * SLOWNESS)
        self.read()

    def read(self):
        self.socket.sendall(modbus.read_holding(0, 10))
        return len(modbus.answer(self.socket)) > 0

    def lives(self):
        try:
            return all(self.read() for _ in range(20))
        except OSError:
            return False

    def close(self):
        self.socket.close()


def alive(t, role, old):
    pids = t.role_pids(role)
    return pids and not set(pids) & set(old) and all(r["state"] == "running" for r in t.status()["roles"])


def faults(t):
    def kill_role(role):
        def act(row):
            session = Session(t)
            old = t.role_pids(role)
            for pid in old:
                os.kill(pid, signal.SIGKILL)
            start = time.monotonic()
            lived = session.lives()
            session.close()
            try:
                wait_for(lambda: alive(t, role, old), BACK, role)
                back = "passed"
            except TimeoutError:
                back = "not back"
            row("admin", role, ("back in %.2f s, live session goes on" % (time.monotonic() - start),
                                "%.2f 秒で復帰、通信中のセッションは継続" % (time.monotonic() - start)), "passed",
                back if lived else "session lost", "hold", "")
        return act

    def kill_daemon(row):
        session = Session(t)
        start = time.monotonic()
        t.kill_box()
        held = session.lives()
        t.start_box()
        wait_for(lambda: t.status()["generation"]["state"] == "confirmed", BACK, "the generation in force")
        after = session.lives()
        session.close()
        row("admin", "sekishod", ("taken over in %.2f s, live session goes on" % (time.monotonic() - start),
                                  "%.2f 秒で引き継ぎ、通信中のセッションは継続" % (time.monotonic() - start)), "passed",
            "passed" if held and after else "session lost", "hold, pick_up", "")

    yield "worker", kill_role("dpi")
    yield "gate", kill_role("gate")
    yield "daemon", kill_daemon


# ---- random forbidden packets ---------------------------------------------------------------------------------------

MARK = b"forbidden-by-policy!"


def hosts(short, family):
    return [a.split("/")[0] for a in ZONES[short][1] if (":" in a) == (family == 6)]


def allowed(source, destination, sport_zone, dest_zone, proto, port):
    """The demonstration policy once more, by hand and a little wider: what must not be counted as forbidden."""
    if sport_zone == dest_zone:
        return True
    pairs = {("tos", "crane", 6, 502), ("gate", "crane", 6, 502), ("office", "tos", 6, 443), ("office", "tos", 17, 53),
             ("gate", "tos", 6, 5432), ("tos", "gate", 6, 22), ("vendor", "gate", 6, 22)}
    return (sport_zone, dest_zone, proto, port) in pairs


def random_forbidden(t, say, number=10000):
    """(sent, arrived): from every zone to every other, both families, TCP and UDP and others, true and spoofed sources,
    while roles are killed one after the other."""
    seed = int.from_bytes(os.urandom(4), "big")
    say("seed", number, seed)
    rng = random.Random(seed)
    since = time.monotonic()
    wires = {}
    for short, (device, _, _, _) in ZONES.items():
        wires[short] = Wire(t.net.ns(short), "eth0", mac_of(t.net.ns("data"), device))
    ended = threading.Event()

    def killer():
        while not ended.is_set():
            for role in ("dpi", "gate", "enforce", "tap", "journal"):
                try:
                    for pid in t.role_pids(role)[:1]:
                        os.kill(pid, signal.SIGKILL)
                except (RuntimeError, OSError, ValueError):
                    pass
                if ended.wait(0.2):
                    return

    thread = threading.Thread(target=killer, daemon=True)
    thread.start()
    sent = 0
    while sent < number:
        family = rng.choice((4, 6))
        origin, target = rng.sample(sorted(ZONES), 2)
        claimed = origin if rng.random() < 0.7 else rng.choice(sorted(ZONES))
        source, destination = rng.choice(hosts(claimed, family)), rng.choice(hosts(target, family))
        proto = rng.choice((6, 17, 6, 17, rng.choice((0, 1, 2, 4, 41, 47, 50, 51, 58, 89, 132, 253))))
        port = rng.choice((502, 443, 22, 53, 5432, 80, rng.randrange(1, 65536)))
        if allowed(source, destination, origin, target, proto, port) or \
                (claimed != origin and allowed(source, destination, claimed, target, proto, port) and claimed == target):
            continue
        if proto == 6:
            body = tcp(source, destination, rng.randrange(1024, 65536), port, rng.getrandbits(32), rng.getrandbits(32),
                       rng.getrandbits(6), MARK)
        elif proto == 17:
            body = udp(source, destination, rng.randrange(1024, 65536), port, MARK)
        else:
            body = bytes([rng.getrandbits(8) for _ in range(8)]) + MARK
        wires[origin].send(ip4(source, destination, proto, body, rng.getrandbits(16)) if family == 4
                           else ip6(source, destination, proto, body))
        sent += 1
        if sent % 50 == 0:
            ended.wait(0.02)  # pacing: spreads the packets over the kills
    ended.set()
    thread.join()
    for wire in wires.values():
        wire.close()
    wait_for(lambda: all(r["state"] == "running" for r in t.status()["roles"]), 5, "every role")
    arrived = sum(1 for c in t.captures.values() for f in c.incoming(since) if MARK in f)
    return sent, arrived

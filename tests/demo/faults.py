# SPDX-License-Identifier: Apache-2.0
"""Kills the box's processes under live sessions, with random forbidden packets meanwhile."""
import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from net import SLOWNESS, Wire, ip4, ip6, sh, tcp, udp, wait_for  # noqa: E402
from terminal import ZONES  # noqa: E402

GAP_MS = 50.0  # ms from the start of the tool that deletes the rules until nothing passes any more
BACK = 4.0  # seconds within which a killed process must work again


class Again:
    """Kills every process of a role again and again until the block ends; then waits for the last
    successor."""

    def __init__(self, t, role, every=1.0):
        self.t, self.role, self.every = t, role, every
        self.kills, self.back, self.ended = 0, "not back", threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while True:
            try:
                for pid in self.t.role_pids(self.role):
                    os.kill(pid, signal.SIGKILL)
                    self.kills += 1
            except (RuntimeError, OSError, ValueError):
                pass  # a process that has just ended, or a box that is too busy to answer
            if self.ended.wait(self.every * SLOWNESS):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        self.thread.join()
        try:
            wait_for(lambda: all(r["state"] == "running" for r in self.t.status()["roles"]), BACK, self.role)
            self.back = "passed"
        except TimeoutError:
            if kind is None:
                self.back = "not back"


class Outage:
    """No daemon at all during the block."""

    def __init__(self, t):
        self.t, self.took = t, 0.0

    def crane(self):
        """The crane whose conduit says `hold` is still polled."""
        before = self.t.poller_counts("crane")
        try:
            after = wait_for(lambda: (lambda c: c if c["polls"] > before["polls"] + 3 else None)(self.t.poller_counts("crane")),
                             2.0, "polls")
        except TimeoutError:
            return "stopped"
        return "passed" if after["errors"] == before["errors"] else "interrupted"

    def __enter__(self):
        self.t.kill_box()
        return self

    def __exit__(self, *_):
        start = time.monotonic()
        self.t.start_box()
        wait_for(lambda: self.t.status()["generation"]["state"] == "confirmed", BACK, "the generation in force")
        self.took = time.monotonic() - start


def daemon_dead(t):
    return Outage(t)


def flushed(t, row):
    """Another tool deletes every rule while one sender sends forbidden packets as fast as it can.
    The box hears of that only afterwards, so packets pass until it has turned forwarding off. These
    are counted, and must end at once. Returns (packets that passed, milliseconds until the rules
    were back; None where the kernel kept all rules for their owner)."""
    owned = json.loads(t.sekisho("status", "--json", check=False).stdout)["features"]["owned_table"]["used"]
    wire = Wire(t.net.ns("office"), "eth0", t.mac("office"))
    source, target = "10.10.0.5", "10.30.1.10"
    packet = ip4(source, target, 17, udp(source, target, 4000, 502, MARK))
    ended, sent = threading.Event(), [0]

    def send():
        while not ended.is_set():
            wire.send(packet)
            sent[0] += 1
            if sent[0] % 20 == 0:
                ended.wait(0.001)  # the pace
    since = time.monotonic()
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        wait_for(lambda: sent[0] > 200, 5, "packets on the wire")
        seq = max([e["seq"] for e in t.events()] or [0])
        start = time.monotonic()
        sh("nft", "flush", "ruleset", ns=t.net.ns("data"))
        last = sent[0] + 200
        wait_for(lambda: t.sekisho("verify", check=False).returncode == 0, 5, "the rules again")
        wait_for(lambda: sent[0] > last, 5, "packets after it")
        took = None if owned else (time.monotonic() - start) * 1000
        drift = {} if owned else wait_for(lambda: next((e for e in t.events(seq) if e["kind"] == "drift"), None), 3, "a record of it")
        if drift.get("value"):
            took = drift["value"] / 1000
    finally:
        ended.set()
        thread.join()
        wire.close()
    arrived = [at for at, came_in, f in list(t.captures["crane"].frames) if came_in and at >= since and MARK in f]
    span = (max(arrived) - start) * 1000 if arrived else 0.0
    row("a tool", "the box", ("nft flush ruleset", "nft flush ruleset"), *["unchanged" if owned else "repaired"] * 2)
    row("office", "rtg01", ("%d of %d forbidden packets passed" % (len(arrived), sent[0]), "禁止パケット %d/%d 個が通過" % (len(arrived), sent[0])),
        "shut", "shut" if span <= GAP_MS * SLOWNESS else "open for %.0f ms" % span)
    return len(arrived), took


# ---- random forbidden packets --------------------------------------------------------------------

MARK = b"forbidden-by-policy!"


def hosts(short, family):
    return [a.split("/")[0] for a in ZONES[short][1] if (":" in a) == (family == 6)]


def allowed(source, destination, sport_zone, dest_zone, proto, port):
    """The policy of the demonstration again, written independently and a little wider: what must
    not be counted as forbidden."""
    if sport_zone == dest_zone:
        return True
    pairs = {("tos", "crane", 6, 502), ("gate", "crane", 6, 502), ("office", "tos", 6, 443), ("office", "tos", 17, 53),
             ("gate", "tos", 6, 5432), ("tos", "gate", 6, 22), ("vendor", "gate", 6, 22), ("tos", "crane", 6, 5007), ("tos", "crane", 17, 5008),
             ("tos", "crane", 6, 44818), ("tos", "crane", 6, 102), ("tos", "gate", 6, 9600), ("tos", "gate", 17, 9600)}
    return (sport_zone, dest_zone, proto, port) in pairs


def random_forbidden(t, seed, number=10000):
    """(sent, arrived): from every zone to every other one, IPv4 and IPv6, TCP, UDP and others, with
    true and forged sources, while roles are killed one after the other."""
    rng = random.Random(seed)
    since = time.monotonic()
    wires = {}
    for short in ZONES:
        wires[short] = Wire(t.net.ns(short), "eth0", t.mac(short))
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
        port = rng.choice((502, 443, 22, 53, 5432, 80, 102, 5007, 5008, 44818, rng.randrange(1, 65536)))
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
            ended.wait(0.02)  # the pace, so that the packets are spread over all kills
    ended.set()
    thread.join()
    for wire in wires.values():
        wire.close()
    wait_for(lambda: all(r["state"] == "running" for r in t.status()["roles"]), 5, "every role")
    arrived = sum(1 for c in t.captures.values() for f in c.incoming(since) if MARK in f)
    return sent, arrived

# SPDX-License-Identifier: Apache-2.0
"""Forbidden commands, sent in every way that TCP allows and in many that it does not. There are two
checks for each: what the server's stack delivered, and what any stack could make of the segments
that arrived."""
import contextlib
import os
import random
import struct

from endpoint import M32, Plc, Raw, answered, goes_on, is_cut, request, write
from ground import FAMILIES, POLICY, READ, V4, V6, WRITE, Capture, Killer, expect, wait_for
from net import decode
from packets import ACK, FIN, PSH, RST, SYN, URG
from speech import ENIP, FINS, MODBUS, OTHERS, S7COMM, SLMP, SLMP_TEXT
from tricks import AGAIN, CUT, EITHER, ON, TRICKS, tricks_of

ALL = bool(os.environ.get("SEKISHO_ALL"))
W, R = write(), request()


# ---- what any receiver could read ----------------------------------------------------------------

def readings(frames, address, served=502):
    """Every byte stream that a receiver could put together from the segments, with the first copy
    or the last copy of each byte. Acknowledged bytes can no longer change. {(client port, number of
    the session): (first, last)}"""
    flows = {}
    for came_in, frame in frames:
        what = decode(frame)
        if not what or what[3] != 6 or len(what[4]) < 20:
            continue
        _, source, destination, _, t = what
        sport, dport, seq, ack = struct.unpack("!HHII", t[:12])
        data, flags = t[(t[12] >> 4) * 4:], t[13]
        if came_in and destination == address and dport == served:
            flow = flows.setdefault(sport, [])
            if flags & SYN:
                flow.append({"base": (seq + 1) & M32, "first": {}, "last": {}, "acked": 0})
            elif flow and data:
                at = (seq - flow[-1]["base"]) & M32
                for i, byte in enumerate(data):
                    n = (at + i) & M32
                    if n < 1 << 31:
                        flow[-1]["first"].setdefault(n, byte)
                        if n >= flow[-1]["acked"]:
                            flow[-1]["last"][n] = byte
        elif not came_in and source == address and sport == served and flags & ACK and flows.get(dport):
            n = (ack - flows[dport][-1]["base"]) & M32
            if flows[dport][-1]["acked"] < n < 1 << 31:
                flows[dport][-1]["acked"] = n
    out = {}
    for port, sessions in flows.items():
        for k, s in enumerate(sessions):
            out[port, k] = tuple(joined(s[which]) for which in ("first", "last"))
    return out


def joined(parts):
    out = bytearray()
    while len(out) in parts:
        out.append(parts[len(out)])
    return bytes(out)


# ---- every trick ---------------------------------------------------------------------------------

def settle(r, plc, want):
    """Waits for the end of the trick: the session is cut at both ends, or it goes on, or (either)
    one of the two; it must never be stuck."""
    # a packet that waits too long for the one before it is dropped, and its sender repeats it
    if want == AGAIN:
        try:
            is_cut(r, plc, 0.3)
            return want
        except TimeoutError:
            r.segment(r.W)
    if want in (CUT, AGAIN):
        is_cut(r, plc)
    elif want == ON:
        goes_on(r, plc)
    elif want == EITHER:
        r.read()
        if plc.of(r.sport)[-1]["end"] is None and not r.was_reset():
            try:
                taken = next(iter(joinable(plc, r)))
                r.seq = (r.isn + 1 + taken) & M32
                goes_on(r, plc)
                return "went on"
            except (TimeoutError, AssertionError):  # cut just now
                pass
        is_cut(r, plc)
        return "cut"
    else:  # a FIN passed: the server ends by itself
        wait_for(lambda: plc.of(r.sport)[-1]["end"], 5, "the end of the server's session")
    return want


def joinable(plc, r):
    yield len(plc.of(r.sport)[-1]["bytes"])


def leaves(plc, r):
    """The session ends at the server. Until then the test resets it at the server's present
    sequence number, which may take a moment."""
    live = plc.live
    if live is None:
        return True
    r.seq = (r.isn + 1 + len(live["bytes"])) & M32
    r.segment(flags=RST)
    return False


def every_trick(ground, speech, tricks, families):
    """Tries each trick in a session of its own. The address family is drawn from `families`."""
    capture = Capture(ground.net, ground.ns("ot"), "eth0")
    plcs = {f["ot"]: Plc(ground, f["ot"], speech=speech) for f in families}
    failures, port = [], ground.port(len(tricks))
    for name, trick, *more in tricks:
        port += 1
        address = ground.rng.choice(list(plcs))
        plc = plcs[address]
        r = Raw(ground, "ops", address, speech.port, port, ":" in address, speech)
        try:
            r.open()
            wait_for(lambda: plc.live is not None and plc.live["port"] == port, 3.0, "the server's only slot")
            settle(r.greet(), plc, trick(r, *more))
        except (TimeoutError, AssertionError) as e:
            failures.append("%s, %s: %s" % (name, address, e))
            r.segment(flags=RST)
        # the server's only slot must be free for the next trick, whatever happened
        r.read()
        try:
            wait_for(lambda p=plc, end=r: leaves(p, end), 1, "the slot")
        except TimeoutError:
            failures.append("%s: the server's slot stays taken" % name)
            plc.close()
            plcs[address] = Plc(ground, address, speech=speech)
        r.close()
    frames = [(came_in, f) for _, came_in, f in list(capture.frames)]
    capture.close()
    for address, plc in plcs.items():
        plc.close()
        expect(not plc.forbidden(), "delivered: %s", plc.forbidden())
        bad = [(k, p) for k, two in readings(frames, address, speech.port).items() for s in two for p in speech.forbidden(s)]
        expect(not bad, "could be read from what arrived: %s", bad[:5])
    expect(not failures, "%d of %d: %s", len(failures), len(tricks), "; ".join(failures))
    return "%d tricks" % len(tricks)


def tricks_over_ipv4(ground):
    ground.apply(*POLICY)
    ground.settle_neighbours()
    return every_trick(ground, MODBUS, TRICKS, [V4])


def tricks_over_ipv6(ground):
    ground.apply(*POLICY)
    ground.settle_neighbours()
    return every_trick(ground, MODBUS, TRICKS, [V6])


def tricks_in(ground, speech):
    """Tricks with another protocol: half of them are drawn, each over a drawn address family. With
    SEKISHO_ALL, all of them over both."""
    ground.apply(speech.policy)
    ground.settle_neighbours()
    tricks = tricks_of(speech)
    if ALL:
        return "; ".join(every_trick(ground, speech, tricks, [f]) for f in FAMILIES)
    return every_trick(ground, speech, ground.rng.sample(tricks, len(tricks) // 2), FAMILIES)


def tricks_in_slmp(ground):
    return tricks_in(ground, SLMP)


def tricks_in_slmp_ascii(ground):
    return tricks_in(ground, SLMP_TEXT)


def tricks_in_enip(ground):
    return tricks_in(ground, ENIP)


def tricks_in_s7comm(ground):
    return tricks_in(ground, S7COMM)


def tricks_in_fins(ground):
    return tricks_in(ground, FINS)


def numbers_wrap(ground):
    """Sequence numbers that wrap at 2^32 inside a header, inside a PDU and between two PDUs:
    allowed commands pass, and a forbidden one ends the session. A client that sends everything and
    then closes its direction still gets its answers."""
    ground.apply(*POLICY)
    ground.settle_neighbours()
    port = ground.port(40)
    for families in FAMILIES:
        plc = Plc(ground, families["ot"])
        for before in (1, 2, 6, 7, 12, 13, 24, 30, 31):
            for last in ("write", "end"):
                port += 1
                r = Raw(ground, "ops", families["ot"], 502, port, ":" in families["ot"])
                r.isn = M32 + 1 - before
                r.seq = r.isn + 1 & M32
                r.open()
                answered(r)
                r.say(R[:7])
                r.say(R[7:])
                r.until(lambda: len(r.got) == 34, 3.0, "the second answer, %d before" % before)
                if last == "write":
                    r.say(W[:5])
                    r.say(W[5:])
                    is_cut(r, plc)
                else:
                    r.segment(R, flags=ACK | PSH | FIN)
                    r.until(lambda: len(r.got) == 51 and r.fin, 3.0, "the last answer, %d before" % before)
                    r.seq = r.seq + 13 & M32
                    r.segment(flags=ACK)
                wait_for(lambda: plc.live is None, 3.0, "the free slot, %d before" % before)
                r.close()
        expect(not plc.forbidden(), "delivered: %s", plc.forbidden())
        plc.close()


def narrowed_in_the_middle(ground):
    """A write is allowed at its first byte and not any more at its last. If the session has not
    begun a write, its reads go on."""
    ground.apply(READ, WRITE)
    ground.settle_neighbours()
    port = ground.port(40)
    for families in FAMILIES:
        plc = Plc(ground, families["ot"], slots=0)
        sessions = {}
        for at in list(range(12)) + [24]:
            port += 1
            r = sessions[at] = Raw(ground, "ops", families["ot"], 502, port, ":" in families["ot"]).open()
            answered(r)
            if at == 24:
                r.segment(W[6:], seq=r.seq + 6)  # waits for the bytes before it, and is dropped
            elif at > 0:
                r.say(W[:at])
                r.until(lambda: bytes(plc.of(r.sport)[0]["bytes"][12:]) == W[:at], 3.0, "the first bytes, %d" % at)
        ground.apply(READ)
        for at, r in sessions.items():
            if at == 0:
                answered(r)
                r.say(W)
            elif at == 24:
                r.segment(W[:6])
                r.segment(W)
            else:
                r.say(W[at:])
            is_cut(r, plc)
            r.close()
        expect(not plc.forbidden(), "delivered: %s", plc.forbidden())
        plc.close()
        ground.apply(READ, WRITE)


def both_oracles_see(ground):
    """Shows that both checks work: with a policy that allows writes, they find writes."""
    ground.apply(READ, WRITE)
    ground.settle_neighbours()
    for families in FAMILIES:
        capture, plc = Capture(ground.net, ground.ns("ot"), "eth0"), Plc(ground, families["ot"])
        r = Raw(ground, "ops", families["ot"], 502, ground.port(), ":" in families["ot"]).open()
        r.say(W[:5])
        r.say(W[5:] + R)
        wait_for(lambda: len(plc.forbidden()) == 1, 5, "the write at the server")
        r.segment(flags=RST)

        def found(which, capture=capture, to=families["ot"]):
            frames = [(came_in, f) for _, came_in, f in list(capture.frames)]
            return [[p[1] for p in MODBUS.whole(two[which])] for two in readings(frames, to).values()]
        for which in (0, 1):  # another thread reads the capture, perhaps later than the server
            wait_for(lambda which=which, found=found: found(which) == [[6, 3]], 5, "both oracles to read what arrived")
        capture.close()
        r.close()
        plc.close()


# ---- by chance -----------------------------------------------------------------------------------

def random_session(rng, r):
    """Segments of a stream of allowed and forbidden commands, in any order and size; some with
    other bytes, checksums, flags or numbers."""
    n = len(r.R)
    stream = b"".join(rng.choice((r.R, r.R, r.R, r.W)) for _ in range(rng.randrange(1, 8)))
    twin = b"".join(rng.choice((r.R, r.W)) for _ in range(len(stream) // n))
    at, pieces = 0, []
    while at < len(stream):
        size = min(rng.choice((1, 2, 5, n // 2, n // 2 + 1, n - 1, n, n, n + 1, 2 * n, 5 * n)), len(stream) - at)
        pieces.append((at, size, stream))
        if rng.random() < 0.3:
            a = max(0, at - rng.randrange(n + 1))
            pieces.append((a, rng.randrange(1, 2 * n + 1), rng.choice((stream, twin))))
        at += size
    for i in range(len(pieces) - 1):
        if rng.random() < 0.15:
            pieces[i], pieces[i + 1] = pieces[i + 1], pieces[i]
    for at, size, source in pieces:
        chance = rng.random()
        flags = ACK | PSH
        if chance < 0.02:
            flags = ACK | FIN
        elif chance < 0.03:
            flags = ACK | URG
        elif chance < 0.04:
            r.segment(seq=r.seq + rng.randrange(-100, 100), flags=RST)
        elif chance < 0.05:
            r.segment(seq=rng.randrange(1 << 32), ack=0, flags=SYN)
        r.segment(source[at:at + size], seq=r.seq + at, ack=r.ack + rng.choice((0,) * 9 + (rng.randrange(-100, 100),)), flags=flags,
                  spoil=rng.random() < 0.05)
        if rng.random() < 0.3:
            r.read()


def random_segments(ground, killed=(), sessions=150, speech=MODBUS, first=None):
    """Streams that are split, repeated, reordered, overlapped and changed at random, over IPv4 and
    IPv6; client ports from `first` on."""
    seed = ground.rng.randrange(1 << 32)
    rng = random.Random(seed)
    ground.apply(*(POLICY if speech is MODBUS else (speech.policy,)))
    ground.settle_neighbours()
    capture = Capture(ground.net, ground.ns("ot"), "eth0")
    plcs = [Plc(ground, families["ot"], slots=0, speech=speech) for families in FAMILIES]
    first, opened = first or rng.randrange(20000, 50000), 0
    with Killer(ground, killed, 0.6) if killed else contextlib.nullcontext():
        for i in range(sessions):
            r = Raw(ground, "ops", FAMILIES[i % 2]["ot"], speech.port, first + i, i % 2 == 1, speech)
            try:
                r.open(seconds=0.6 if killed else 3.0).greet()
                opened += 1
                random_session(rng, r)
            except TimeoutError:
                expect(killed, "no session")
            r.read()
            r.segment(flags=RST)
            r.close()
    frames = [(came_in, f) for _, came_in, f in list(capture.frames)]
    capture.close()
    whole = 0
    for plc, families in zip(plcs, FAMILIES):
        plc.close()
        expect(not plc.forbidden(), "%s, seed %d: delivered: %s", speech.name, seed, plc.forbidden())
        whole += sum(len(speech.whole(bytes(s["bytes"]))) for s in plc.sessions)
        bad = [(k, p) for k, two in readings(frames, families["ot"], speech.port).items() for s in two for p in speech.forbidden(s)]
        expect(not bad, "%s, seed %d: could be read from what arrived: %s", speech.name, seed, bad[:5])
    expect(killed or whole - len(speech.greeting) * opened > sessions / 4, "%s: only %d allowed commands arrived", speech.name, whole)
    return "seed %d, %d sessions, %d allowed commands arrived" % (seed, opened, whole)


def random_segments_of_others(ground):
    """SEKISHO_SESSIONS: the number for each protocol, at most 12,000. Two protocols share a server
    port, so each has client ports of its own, because a session that one left open would block the
    other."""
    n = int(os.environ.get("SEKISHO_SESSIONS", 60))
    return "; ".join("%s: %s" % (speech.name, random_segments(ground, (), n, speech, 2000 + 12000 * i)) for i, speech in enumerate(OTHERS))


def random_segments_while_roles_die(ground):
    return random_segments(ground, ("dpi", "gate", "enforce"), 30)


CASES = [both_oracles_see, numbers_wrap, narrowed_in_the_middle, tricks_over_ipv4, tricks_over_ipv6, tricks_in_slmp, tricks_in_slmp_ascii,
         tricks_in_enip, tricks_in_s7comm, tricks_in_fins, random_segments, random_segments_of_others, random_segments_while_roles_die]

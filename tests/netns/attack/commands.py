# SPDX-License-Identifier: Apache-2.0
"""Commands that the policy forbids, said in every way that TCP allows and in many that it does not. Two oracles for each:
what the server's stack delivered, and what any stack could make of the segments that arrived."""
import contextlib
import random
import struct

from endpoint import M32, Plc, Raw, answered, goes_on, is_cut, request, write
from ground import FAMILIES, POLICY, READ, V4, V6, WRITE, Capture, Killer, expect, wait_for
from modbus import pdus
from net import decode, tcp
from packets import ACK, FIN, PSH, RST, SIGNATURE, SYN, URG, fragments
import endpoint

CUT, ON, EITHER, AGAIN = "cut", "goes on", "either", "cut once repeated"


# ---- what any receiver could read ------------------------------------------------------------------------------------

def readings(frames, address):
    """Every byte stream that a receiver could put together from what came in, by first copy and by last copy; what it has
    acknowledged can no longer change. {(client port, number of the session): (first, last)}"""
    flows = {}
    for came_in, frame in frames:
        what = decode(frame)
        if not what or what[3] != 6 or len(what[4]) < 20:
            continue
        _, source, destination, _, t = what
        sport, dport, seq, ack = struct.unpack("!HHII", t[:12])
        data, flags = t[(t[12] >> 4) * 4:], t[13]
        if came_in and destination == address and dport == 502:
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
        elif not came_in and source == address and sport == 502 and flags & ACK and flows.get(dport):
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


# ---- tricks: each gets an open session and says what must become of it -----------------------------------------------

W, R = write(), request()


def split(r, at):
    r.say(W[:at])
    r.say(W[at:])
    return CUT


def one_byte_each(r):
    for i in range(12):
        r.say(W[i:i + 1])
    return CUT


def allowed_one_byte_each(r):
    for i in range(12):
        r.say(R[i:i + 1])
    r.until(lambda: len(r.got) == 17, 5, "the answer")
    r.segment(flags=ACK)
    return ON


def twice(r):
    r.segment(W)
    r.segment(W)
    return CUT


def reversed_order(r):
    for a, b in ((8, 12), (4, 8), (0, 4)):
        r.segment(W[a:b], seq=r.seq + a)
    return AGAIN


def inside_out(r):
    for a, b in ((6, 10), (10, 12), (0, 3), (3, 6)):
        r.segment(W[a:b], seq=r.seq + a)
    return AGAIN


def overlap_differs(r):
    r.segment(R[:8])
    r.segment(W)
    r.segment(R)
    return EITHER


def overlap_tail_differs(r):
    r.segment(R[:11])
    r.segment(W[6:], seq=r.seq + 6)
    r.segment(W)
    return EITHER


def waiting_differs(r):
    r.segment(W[4:], seq=r.seq + 4)
    r.segment(R[4:], seq=r.seq + 4)
    r.segment(R[:4])
    return EITHER


def waiting_differs_other_way(r):
    r.segment(R[4:], seq=r.seq + 4)
    r.segment(W[4:], seq=r.seq + 4)
    r.segment(R[:4])
    r.segment(W)
    return EITHER


def hole_filled_otherwise(r):
    r.segment(W[1:], seq=r.seq + 1)
    return EITHER


def far_away(r):
    for d in (1 << 17, 1 << 20, 1 << 24, 1 << 30, 1 << 31, -(1 << 20), -(1 << 30), -12, -5000):
        r.segment(W, seq=r.seq + d)
    return ON


def bad_checksum_first(r):
    for _ in range(3):
        r.segment(W, spoil=True)
    return ON


def bad_checksum_of_allowed_first(r):
    r.segment(R, spoil=True)
    r.segment(W)
    return CUT


def urgent(r):
    r.segment(W, flags=ACK | PSH | URG)
    r.segment(W[:7], flags=ACK | URG)
    return ON


def after_fin(r):
    r.segment(flags=ACK | FIN)
    r.segment(W, seq=r.seq + 1)
    r.segment(W)
    r.segment(W, seq=r.seq - 5)
    return None


def fin_in_the_middle(r):
    r.segment(W[:11], flags=ACK | PSH | FIN)
    r.segment(W[11:], seq=r.seq + 11)
    r.segment(W[11:] + b"\0", seq=r.seq + 11)
    r.segment(W)
    return None


def old_prefix_new_tail(r):
    answered(r)
    r.segment(W + W[:6], seq=r.seq - 12)
    r.seq += 6
    r.say(R[6:])
    return EITHER


def old_prefix_hides_write(r):
    answered(r)
    r.segment(R + W, seq=r.seq - 12)
    return CUT


def straddles(r):
    r.say(R[:6])
    r.until(lambda: True)
    r.segment(b"\0\0\0\0\0\6" + W[6:], seq=r.seq - 6)
    return CUT


def keepalive_with_garbage(r):
    answered(r)
    r.segment(b"\x06", seq=r.seq - 1)
    return ON


def response_like(r):
    r.say(struct.pack("!HHHBBB", 0, 0, 5, 1, 3, 2) + b"\0\7")
    return CUT


def exception_like(r):
    r.say(struct.pack("!HHHBBB", 0, 0, 3, 1, 0x83, 2))
    return CUT


def not_modbus(r):
    r.say(b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n")
    return CUT


def length_lies(r, length, body):
    r.say(struct.pack("!HHH", 0, 0, length) + body)
    r.say(W * 22)  # more than any PDU holds
    return CUT


def pipelined(r, n, at):
    r.say(b"".join(W if i == at else R for i in range(n)))
    return CUT


def pipelined_across(r, at):
    train = R * 3 + W + R
    r.say(train[:at])
    r.say(train[at:])
    return CUT


def reset_then_same_ports(r):
    r.say(W[:7])
    r.segment(flags=RST)
    r.begin()
    r.open()
    r.say(W[7:])
    r.say(W)
    return CUT


def wrong_reset_then_write(r):
    for d in (1, 100, -1, 1 << 16):
        r.segment(seq=r.seq + d, flags=RST)
    r.say(W)
    return CUT


def syn_over_live(r):
    """A SYN with other numbers on the live session; commands at both numbers."""
    r.segment(seq=r.seq + 90000, ack=0, flags=SYN)
    r.segment(W, seq=r.seq + 90001)
    r.segment(W[:6])
    r.segment(W[6:], seq=r.seq + 90001)
    r.segment(W[6:], seq=r.seq + 6)
    return CUT


def lost_ack_trick(r):
    """Acknowledges what the server never sent, then writes."""
    r.segment(W, ack=r.ack + 5000)
    r.segment(b"", ack=r.ack + 5000, flags=ACK)
    return ON


def hole_with_another_reading(r):
    """The server's stack takes no segment with such a signature; the box has forwarded its bytes all the same."""
    r.segment(R, options=SIGNATURE)
    r.segment(W)
    return CUT


def hole_before_a_write(r):
    r.segment(R, options=SIGNATURE)
    r.segment(W, seq=r.seq + 12)
    r.segment(W[:7])
    return CUT


def hole_with_an_end(r):
    r.segment(R, flags=ACK | PSH | FIN, options=SIGNATURE)
    r.segment(W)
    return CUT


def hole_filled_again(r):
    r.segment(R, options=SIGNATURE)
    answered(r)
    return ON


def odd_options(r):
    for o in (b"\x08\x01\0\0", b"\x08\xff\0\0", b"\xfd\4\0\0", b"\x1e\4\0\0", b"\0" * 40, b"\1" * 40, b"\x0f\2\x0f\2"):
        answered(r)
        r.segment(R[:5], options=o)
    r.segment(W, options=b"\x08\x01\0\0")
    return CUT


def other_bits(r):
    for bits in (0x40, 0x80, 0xc0):
        r.say(R, flags=ACK | PSH | bits)
    r.until(lambda: len(r.got) == 51, 3.0, "the answers")
    r.segment(W[:5], flags=ACK | 0xc0)
    r.segment(W[5:], seq=r.seq + 5, flags=ACK | 0x40)
    return CUT


def no_push(r):
    r.say(W[:11], flags=ACK)
    r.say(W[11:], flags=ACK)
    return CUT


def no_window(r):
    r.segment(W[:6], window=0)
    r.segment(W[6:], seq=r.seq + 6, window=0)
    return CUT


def dies_on_the_way(r):
    """Of the first reading the box itself lets nothing go on."""
    r.segment(R, **{"hops" if ":" in r.me else "ttl": 1})
    r.segment(W)
    return CUT


def in_pieces(r, data):
    """Cut by IP, the head of TCP alone first and last."""
    t = tcp(r.me, r.to, r.sport, r.port, r.seq, r.ack, ACK | PSH, data)
    for order in (1, -1):
        cuts = [(0, 1, t[:24]), (24, 0, t[24:])][::order]
        for f in fragments(r.me, r.to, 6, cuts, r.rng.randrange(1 << 16)):
            r.frame(f)
    return CUT


def other_functions(r, function, data):
    r.say(struct.pack("!HHHBB", 0, 0, 2 + len(data), 1, function) + data)
    return CUT


TRICKS = [("split at %d" % at, split, at) for at in range(1, 12)] + \
    [("pipelined %d of %d" % (at, n), pipelined, n, at) for n, at in ((2, 0), (2, 1), (8, 0), (8, 3), (8, 7), (16, 15))] + \
    [("pipelined, cut at %d" % at, pipelined_across, at) for at in (35, 36, 37, 43, 44, 47)] + \
    [("length %d" % n, length_lies, n, W[6:]) for n in (0, 1, 2, 3, 5, 7, 11, 253, 254, 255, 256, 0x600, 0x7fff, 0xffff)] + \
    [("protocol id", length_lies, 6, b"\0" * 6)] + \
    [("function %d" % f, other_functions, f, d) for f, d in (
        (5, b"\0\1\xff\0"), (15, b"\0\1\0\1\1\1"), (16, b"\0\1\0\1\2\0\7"), (22, b"\0\1\0\0\0\7"),
        (23, b"\0\0\0\1\0\1\0\1\2\0\7"), (8, b"\0\1\0\0"), (43, b"\x0e\1\0"), (90, b"\0" * 8), (3, b"\0\0\0\x7e"),
        (3, b"\0\x60\0\5"), (3, b"\0\0\0\4\0"), (0, b""), (128, b"\1"), (6 | 128, b"\0\1\0\7"))] + \
    [(f.__name__, f) for f in (
        one_byte_each, allowed_one_byte_each, twice, reversed_order, inside_out, overlap_differs, overlap_tail_differs,
        waiting_differs, waiting_differs_other_way, hole_filled_otherwise, far_away, bad_checksum_first,
        bad_checksum_of_allowed_first, urgent, after_fin, fin_in_the_middle, old_prefix_new_tail, old_prefix_hides_write,
        straddles, keepalive_with_garbage, response_like, exception_like, not_modbus, reset_then_same_ports,
        wrong_reset_then_write, syn_over_live, lost_ack_trick, hole_with_another_reading, hole_before_a_write,
        hole_with_an_end, hole_filled_again, odd_options, other_bits, no_push, no_window, dies_on_the_way)] + \
    [("in pieces", in_pieces, W), ("in pieces with an allowed one", in_pieces, R + W)]


def settle(r, plc, want):
    """What became of the session: cut at both ends, going on, or (either) one of the two; never stuck."""
    if want == AGAIN:  # what waits too long for its predecessor is dropped, and its sender repeats it
        try:
            is_cut(r, plc, 0.3)
            return want
        except TimeoutError:
            r.segment(W)
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
    else:  # a FIN went by: the server ends by itself
        wait_for(lambda: plc.of(r.sport)[-1]["end"], 5, "the end of the server's session")
    return want


def joinable(plc, r):
    yield len(plc.of(r.sport)[-1]["bytes"])


def every_trick(ground, six):
    ground.apply(*POLICY)
    ground.settle_neighbours()
    address = (V6 if six else V4)["ot"]
    plc = Plc(ground, address)
    capture = Capture(ground.net, ground.ns("ot"), "eth0")
    failures, port = [], ground.port(200)
    for name, trick, *more in TRICKS:
        port += 1
        r = Raw(ground, "ops", address, 502, port, six)
        try:
            r.open()
            wait_for(lambda: plc.live is not None and plc.live["port"] == port, 3.0, "the server's only slot")
            settle(r, plc, trick(r, *more))
        except (TimeoutError, AssertionError) as e:
            failures.append("%s: %s" % (name, e))
            r.segment(flags=RST)
        # the slot must be free for the next one, whatever happened
        r.read()
        if plc.live is not None:
            r.seq = (r.isn + 1 + len(plc.live["bytes"])) & M32
            r.segment(flags=RST)
            r.close()
            try:
                wait_for(lambda: plc.live is None, 1, "the slot")
            except TimeoutError:
                failures.append("%s: the server's slot stays taken" % name)
                plc.close()
                plc = Plc(ground, address)
        else:
            r.close()
    frames = [(came_in, f) for _, came_in, f in list(capture.frames)]
    capture.close()
    plc.close()
    expect(not plc.forbidden(), "delivered: %s", plc.forbidden())
    bad = [(k, p) for k, two in readings(frames, address).items() for s in two for p in pdus(s) if not endpoint.allowed(*p)]
    expect(not bad, "could be read from what arrived: %s", bad[:5])
    expect(not failures, "%d of %d: %s", len(failures), len(TRICKS), "; ".join(failures))
    return "%d tricks" % len(TRICKS)


def tricks_over_ipv4(ground):
    return every_trick(ground, False)


def tricks_over_ipv6(ground):
    return every_trick(ground, True)


def numbers_wrap(ground):
    """Sequence numbers that pass 2^32 within a header, a PDU, between two: allowed commands go on, a forbidden one ends it;
    and a client that says all it has to say and ends its direction is still answered."""
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
    """A write that was allowed when it began and is not any more when its last byte comes; the same session reads on if it
    has not begun one."""
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
                r.segment(W[6:], seq=r.seq + 6)  # waits for what comes before it, and is dropped
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
    """Where writes are allowed, both oracles find them: they would have told."""
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
            return [[p[1] for p in pdus(two[which])] for two in readings(frames, to).values()]
        for which in (0, 1):  # the capture is read by a thread of its own, perhaps later than the server
            wait_for(lambda which=which, found=found: found(which) == [[6, 3]], 5, "both oracles to read what arrived")
        capture.close()
        r.close()
        plc.close()


# ---- by chance -------------------------------------------------------------------------------------------------------

def random_session(rng, r):
    """Segments of a stream of commands, allowed and forbidden, in any order, any size, some with other bytes, other
    checksums, other flags, other numbers."""
    stream = b"".join(rng.choice((R, R, R, W)) for _ in range(rng.randrange(1, 8)))
    twin = b"".join(rng.choice((R, W)) for _ in range(len(stream) // 12))
    at, pieces = 0, []
    while at < len(stream):
        n = min(rng.choice((1, 2, 5, 6, 7, 11, 12, 13, 24, 60)), len(stream) - at)
        pieces.append((at, n, stream))
        if rng.random() < 0.3:
            a = max(0, at - rng.randrange(13))
            pieces.append((a, rng.randrange(1, 25), rng.choice((stream, twin))))
        at += n
    for i in range(len(pieces) - 1):
        if rng.random() < 0.15:
            pieces[i], pieces[i + 1] = pieces[i + 1], pieces[i]
    for at, n, source in pieces:
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
        r.segment(source[at:at + n], seq=r.seq + at, ack=r.ack + rng.choice((0,) * 9 + (rng.randrange(-100, 100),)), flags=flags,
                  spoil=rng.random() < 0.05)
        if rng.random() < 0.3:
            r.read()


def random_segments(ground, killed=(), sessions=150):
    """Streams cut, repeated, reordered, overlapped and altered at random, over both families."""
    seed = ground.rng.randrange(1 << 32)
    rng = random.Random(seed)
    ground.apply(*POLICY)
    ground.settle_neighbours()
    capture = Capture(ground.net, ground.ns("ot"), "eth0")
    plcs = [Plc(ground, families["ot"], slots=0) for families in FAMILIES]
    first, opened = rng.randrange(20000, 50000), 0
    with Killer(ground, killed, 0.6) if killed else contextlib.nullcontext():
        for i in range(sessions):
            r = Raw(ground, "ops", FAMILIES[i % 2]["ot"], 502, first + i, i % 2 == 1)
            try:
                r.open(seconds=0.6 if killed else 3.0)
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
        expect(not plc.forbidden(), "seed %d: delivered: %s", seed, plc.forbidden())
        whole += sum(len(pdus(bytes(s["bytes"]))) for s in plc.sessions)
        bad = [(k, p) for k, two in readings(frames, families["ot"]).items() for s in two for p in pdus(s)
               if not endpoint.allowed(*p)]
        expect(not bad, "seed %d: could be read from what arrived: %s", seed, bad[:5])
    expect(killed or whole > sessions / 4, "only %d allowed commands arrived", whole)
    return "seed %d, %d sessions, %d allowed commands arrived" % (seed, opened, whole)


def random_segments_while_roles_die(ground):
    return random_segments(ground, ("dpi", "gate", "enforce"), 30)


CASES = [both_oracles_see, numbers_wrap, narrowed_in_the_middle, tricks_over_ipv4, tricks_over_ipv6, random_segments, random_segments_while_roles_die]

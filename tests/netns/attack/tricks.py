# SPDX-License-Identifier: Apache-2.0
"""Tricks: each gets an open session and returns what must happen to it. `R` of a session is an
allowed request, `W` a forbidden one of the same length (speech.py)."""
import struct

from endpoint import M32, answered
from net import tcp
from packets import ACK, FIN, PSH, RST, SIGNATURE, SYN, URG, fragments
from speech import MODBUS

CUT, ON, EITHER, AGAIN = "cut", "goes on", "either", "cut once repeated"


def split(r, at):
    r.say(r.W[:at])
    r.say(r.W[at:])
    return CUT


def one_byte_each(r):
    for b in r.W:
        r.say(bytes([b]))
    return CUT


def allowed_one_byte_each(r):
    """One byte in each segment, except the bytes of a header that must stay together."""
    whole = max(1, r.speech.fragile)
    for part in [r.R[:whole]] + [r.R[i:i + 1] for i in range(whole, len(r.R))]:
        r.say(part)
    r.until(lambda: len(r.got) == len(r.speech.answers(r.R)), 5, "the answer")
    r.segment(flags=ACK)
    return ON


def twice(r):
    r.segment(r.W)
    r.segment(r.W)
    return CUT


def in_order_of(r, *pieces):
    """Pieces of W, cut at these twelfths of its length."""
    at = lambda k: len(r.W) * k // 12
    for a, b in pieces:
        r.segment(r.W[at(a):at(b)], seq=r.seq + at(a))
    return AGAIN


def reversed_order(r):
    return in_order_of(r, (8, 12), (4, 8), (0, 4))


def inside_out(r):
    return in_order_of(r, (6, 10), (10, 12), (0, 3), (3, 6))


def overlap_differs(r):
    r.segment(r.R[:r.speech.same + 1])
    r.segment(r.W)
    r.segment(r.R)
    return EITHER


def overlap_tail_differs(r):
    r.segment(r.R[:-1])
    r.segment(r.W[r.speech.same - 1:], seq=r.seq + r.speech.same - 1)
    r.segment(r.W)
    return EITHER


def waiting_differs(r):
    r.segment(r.W[4:], seq=r.seq + 4)
    r.segment(r.R[4:], seq=r.seq + 4)
    r.segment(r.R[:4])
    return EITHER


def waiting_differs_other_way(r):
    r.segment(r.R[4:], seq=r.seq + 4)
    r.segment(r.W[4:], seq=r.seq + 4)
    r.segment(r.R[:4])
    r.segment(r.W)
    return EITHER


def hole_filled_otherwise(r):
    r.segment(r.W[1:], seq=r.seq + 1)
    return EITHER


def far_away(r):
    for d in (1 << 17, 1 << 20, 1 << 24, 1 << 30, 1 << 31, -(1 << 20), -(1 << 30), -len(r.W), -5000):
        r.segment(r.W, seq=r.seq + d)
    return ON


def bad_checksum_first(r):
    for _ in range(3):
        r.segment(r.W, spoil=True)
    return ON


def bad_checksum_of_allowed_first(r):
    r.segment(r.R, spoil=True)
    r.segment(r.W)
    return CUT


def urgent(r):
    r.segment(r.W, flags=ACK | PSH | URG)
    r.segment(r.W[:7], flags=ACK | URG)
    return ON


def after_fin(r):
    r.segment(flags=ACK | FIN)
    r.segment(r.W, seq=r.seq + 1)
    r.segment(r.W)
    r.segment(r.W, seq=r.seq - 5)
    return None


def fin_in_the_middle(r):
    n = len(r.W) - 1
    r.segment(r.W[:n], flags=ACK | PSH | FIN)
    r.segment(r.W[n:], seq=r.seq + n)
    r.segment(r.W[n:] + b"\0", seq=r.seq + n)
    r.segment(r.W)
    return None


def old_prefix_new_tail(r):
    n = len(r.W) // 2
    answered(r)
    r.segment(r.W + r.W[:n], seq=r.seq - len(r.W))
    r.seq += n
    r.say(r.R[n:])
    return EITHER


def old_prefix_hides_write(r):
    answered(r)
    r.segment(r.R + r.W, seq=r.seq - len(r.R))
    return CUT


def straddles(r):
    r.say(r.R[:r.speech.same - 1])
    r.until(lambda: True)
    r.segment(r.W, seq=r.seq - (r.speech.same - 1))
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
    r.say(r.W * 22)  # more than any PDU holds
    return CUT


def lies(r, bytes_):
    r.say(bytes_)
    return CUT


def lies_about_lengths(r, bytes_):
    """Missing or extra bytes are followed by more bytes than any PDU has."""
    r.say(bytes_)
    for _ in range(4):
        r.say((r.W * 60)[:1380])
    return CUT


def pipelined(r, n, at):
    r.say(b"".join(r.W if i == at else r.R for i in range(n)))
    return CUT


def pipelined_across(r, off):
    """Splits the forbidden request after `off` bytes."""
    train, at = r.R * 3 + r.W + r.R, 3 * len(r.R) + off
    r.say(train[:at])
    r.say(train[at:])
    return CUT


def reset_then_same_ports(r):
    r.say(r.W[:7])
    r.segment(flags=RST)
    r.begin()
    r.open()
    r.say(r.W[7:])
    r.say(r.W)
    return CUT


def wrong_reset_then_write(r):
    for d in (1, 100, -1, 1 << 16):
        r.segment(seq=r.seq + d, flags=RST)
    r.say(r.W)
    return CUT


def syn_over_live(r):
    """A SYN with other numbers on the live session; commands at both numbers."""
    r.segment(seq=r.seq + 90000, ack=0, flags=SYN)
    r.segment(r.W, seq=r.seq + 90001)
    r.segment(r.W[:6])
    r.segment(r.W[6:], seq=r.seq + 90001)
    r.segment(r.W[6:], seq=r.seq + 6)
    return CUT


def lost_ack_trick(r):
    """Acknowledges bytes that the server never sent, then writes."""
    r.segment(r.W, ack=r.ack + 5000)
    r.segment(b"", ack=r.ack + 5000, flags=ACK)
    return ON


def hole_with_another_reading(r):
    """The server's stack refuses segments with such a signature, but the box has forwarded their
    bytes."""
    r.segment(r.R, options=SIGNATURE)
    r.segment(r.W)
    return CUT


def hole_before_a_write(r):
    r.segment(r.R, options=SIGNATURE)
    r.segment(r.W, seq=r.seq + len(r.R))
    r.segment(r.W[:7])
    return CUT


def hole_with_an_end(r):
    r.segment(r.R, flags=ACK | PSH | FIN, options=SIGNATURE)
    r.segment(r.W)
    return CUT


def hole_filled_again(r):
    r.segment(r.R, options=SIGNATURE)
    answered(r)
    return ON


def odd_options(r):
    for o in (b"\x08\x01\0\0", b"\x08\xff\0\0", b"\xfd\4\0\0", b"\x1e\4\0\0", b"\0" * 40, b"\1" * 40, b"\x0f\2\x0f\2"):
        answered(r)
        r.segment(r.R[:5], options=o)
    r.segment(r.W, options=b"\x08\x01\0\0")
    return CUT


def other_bits(r):
    for k, bits in enumerate((0x40, 0x80, 0xc0)):
        r.say(r.R, flags=ACK | PSH | bits)
        r.until(lambda: len(r.got) == (k + 1) * len(r.speech.answers(r.R)), 3.0, "the answer")
        r.segment(flags=ACK)
    r.segment(r.W[:5], flags=ACK | 0xc0)
    r.segment(r.W[5:], seq=r.seq + 5, flags=ACK | 0x40)
    return CUT


def no_push(r):
    r.say(r.W[:-1], flags=ACK)
    r.say(r.W[-1:], flags=ACK)
    return CUT


def no_window(r):
    r.segment(r.W[:6], window=0)
    r.segment(r.W[6:], seq=r.seq + 6, window=0)
    return CUT


def dies_on_the_way(r):
    """The first version of the bytes has a hop limit of 1, so the box does not forward it."""
    r.segment(r.R, **{"hops" if ":" in r.me else "ttl": 1})
    r.segment(r.W)
    return CUT


def in_pieces(r, *which):
    """In two IP fragments: the one with the TCP header is sent first, and then last."""
    t = tcp(r.me, r.to, r.sport, r.port, r.seq, r.ack, ACK | PSH, b"".join(r.W if w == "W" else r.R for w in which))
    for order in (1, -1):
        cuts = [(0, 1, t[:24]), (24, 0, t[24:])][::order]
        for f in fragments(r.me, r.to, 6, cuts, r.rng.randrange(1 << 16)):
            r.frame(f)
    return CUT


def in_eighths(r, *which):
    """In IP fragments of eight bytes in any order; over IPv6 the TCP header stays whole, as every
    stack requires."""
    t = tcp(r.me, r.to, r.sport, r.port, r.seq, r.ack, ACK | PSH, b"".join(r.W if w == "W" else r.R for w in which))
    cuts = [0] + list(range(24 if ":" in r.me else 8, len(t), 8)) + [len(t)]
    pieces = fragments(r.me, r.to, 6, [(a, b < len(t), t[a:b]) for a, b in zip(cuts, cuts[1:])], r.rng.randrange(1 << 16))
    r.rng.shuffle(pieces)
    for f in pieces:
        r.frame(f)
    return CUT if "W" in which else allowed_in_pieces(r)


def allowed_in_pieces(r):
    r.until(lambda: len(r.got) == len(r.speech.answers(r.R)), 5, "the answer")
    r.seq = (r.seq + len(r.R)) & M32
    r.segment(flags=ACK)
    return ON


def other_functions(r, function, data):
    r.say(struct.pack("!HHHBB", 0, 0, 2 + len(data), 1, function) + data)
    return CUT


def tricks_of(speech):
    """The tricks of TCP and IP with the requests of any protocol."""
    n = len(speech.write)
    return [("split at %d" % at, split, at) for at in range(1, n)] + \
        [("pipelined %d of %d" % (at, n), pipelined, n, at) for n, at in ((2, 0), (2, 1), (8, 0), (8, 3), (8, 7), (16, 15))] + \
        [("pipelined, cut at %d" % off, pipelined_across, off) for off in (-1, 0, 1, 7, 8, 11)] + \
        [(f.__name__, f) for f in (
            one_byte_each, allowed_one_byte_each, twice, reversed_order, inside_out, overlap_differs, overlap_tail_differs,
            waiting_differs, waiting_differs_other_way, hole_filled_otherwise, far_away, bad_checksum_first,
            bad_checksum_of_allowed_first, urgent, after_fin, fin_in_the_middle, old_prefix_new_tail, old_prefix_hides_write,
            straddles, keepalive_with_garbage, reset_then_same_ports, wrong_reset_then_write, syn_over_live, lost_ack_trick,
            hole_with_another_reading, hole_before_a_write, hole_with_an_end, hole_filled_again, odd_options, other_bits,
            no_push, no_window, dies_on_the_way)] + \
        [("in pieces", in_pieces, "W"), ("in pieces with an allowed one", in_pieces, "R", "W"), ("in eighths", in_eighths, "W"),
         ("in eighths with an allowed one", in_eighths, "R", "W"), ("an allowed one in eighths", in_eighths, "R")] + \
        [("says " + name, lies, b) for name, b in speech.lies] + [(name, lies_about_lengths, b) for name, b in speech.wrong_lengths()]


W = MODBUS.write
TRICKS = tricks_of(MODBUS) + \
    [("length %d" % n, length_lies, n, W[6:]) for n in (0, 1, 2, 3, 5, 7, 11, 253, 254, 255, 256, 0x600, 0x7fff, 0xffff)] + \
    [("protocol id", length_lies, 6, b"\0" * 6)] + \
    [("function %d" % f, other_functions, f, d) for f, d in (
        (5, b"\0\1\xff\0"), (15, b"\0\1\0\1\1\1"), (16, b"\0\1\0\1\2\0\7"), (22, b"\0\1\0\0\0\7"),
        (23, b"\0\0\0\1\0\1\0\1\2\0\7"), (8, b"\0\1\0\0"), (43, b"\x0e\1\0"), (90, b"\0" * 8), (3, b"\0\0\0\x7e"),
        (3, b"\0\x60\0\5"), (3, b"\0\0\0\4\0"), (0, b""), (128, b"\1"), (6 | 128, b"\0\1\0\7"))] + \
    [(f.__name__, f) for f in (response_like, exception_like, not_modbus)]
